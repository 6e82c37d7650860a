package storage

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"

	"github.com/jackc/pgx/v5/pgconn"
)

// Errors that callers branch on. Store methods wrap them with the operation and
// its subject.
var (
	// ErrNotFound means that no such row exists.
	ErrNotFound = errors.New("not found")

	// ErrConflict means that the row was written by somebody else since it was
	// read, or that a rule of the schema forbids it beside what is there.
	ErrConflict = errors.New("changed by someone else")

	// ErrUnavailable means that the database could not be reached, or went away
	// before it answered. Nothing is wrong with the request: the caller, or the
	// platform that called, may try the same again later.
	ErrUnavailable = errors.New("the database is not available")
)

// Unavailable returns err marked with [ErrUnavailable] when the database, its
// network or its capacity is the cause, and err itself otherwise. Transactions
// do this for their callers; it is for those who use the pool directly.
//
// After a lost connection nobody can know whether the last commit arrived:
// whoever tries again must be ready for either.
func Unavailable(err error) error {
	if err == nil || errors.Is(err, ErrUnavailable) || !outage(err) {
		return err
	}
	return fmt.Errorf("%w: %w", ErrUnavailable, err)
}

func outage(err error) bool {
	// A caller who gave up says nothing about the database; one who ran out of
	// patience does.
	if errors.Is(err, context.Canceled) {
		return false
	}
	if code := sqlState(err); code != "" {
		return outageCode(code)
	}
	if _, ok := errors.AsType[*pgconn.ConnectError](err); ok {
		return true
	}
	if _, ok := errors.AsType[net.Error](err); ok {
		return true
	}
	return errors.Is(err, context.DeadlineExceeded) ||
		errors.Is(err, pgconn.ErrConnClosed) ||
		errors.Is(err, io.EOF) ||
		errors.Is(err, io.ErrUnexpectedEOF) ||
		errors.Is(err, net.ErrClosed)
}

// readOnly is read_only_sql_transaction. Outside of a View it means that we
// still talk to what was the primary before a failover.
const readOnly = "25006"

// outageCode knows the states that pass without anybody changing the request.
// Codes: https://www.postgresql.org/docs/current/errcodes-appendix.html
func outageCode(code string) bool {
	switch code[:2] {
	case "08", // connection exception
		"53", // insufficient resources: disk full, out of memory, too many connections
		"58": // system error outside Postgres, such as an I/O error
		return true
	}
	switch code {
	case "57P01", // admin_shutdown
		"57P02", // crash_shutdown
		"57P03", // cannot_connect_now: starting up, shutting down, in recovery
		"57P05", // idle_session_timeout
		readOnly,
		"25P03": // idle_in_transaction_session_timeout
		return true
	}
	return false
}

// retryable reports whether Postgres rolled the whole transaction back for a
// reason that running it again resolves.
func retryable(err error) bool {
	pg, ok := errors.AsType[*pgconn.PgError](err)
	if !ok {
		return false
	}
	switch pg.Code {
	case "40001", "40P01": // serialization_failure, deadlock_detected
		return true
	case "0A000":
		// "cached plan must not change result type": another process migrated
		// while we held a prepared statement. The driver forgets the statement
		// with the failed transaction, so the next run plans afresh.
		return pg.Routine == "RevalidateCachedQuery"
	}
	return false
}

// sqlState returns the five characters with which Postgres names an error, or
// "" for errors that are not from Postgres.
func sqlState(err error) string {
	if pg, ok := errors.AsType[*pgconn.PgError](err); ok && len(pg.Code) == 5 {
		return pg.Code
	}
	return ""
}
