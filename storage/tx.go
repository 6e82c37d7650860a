package storage

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
)

// Tx is a transaction with the desk's operations on it. It is for one goroutine
// at a time.
//
// What a flow costs is above all its trips to Postgres, so it makes few: the
// transaction begins with its first statement, and a statement of which nobody
// needs the answer (see later) goes with the next one that is asked, or with
// the commit. Its error then comes from there; it ends the transaction all the
// same.
type Tx struct {
	conn    *pgxpool.Conn
	waiting []statement // at first those that begin the transaction
	begun   bool        // Postgres has answered
	levels  *levelsCache
}

// statement waits to be sent.
type statement struct {
	sql   string
	args  []any
	check check
}

// check looks at a statement's answer.
type check struct {
	answer func(pgconn.CommandTag, error) error
	touch  bool // the statement has to change a row
}

// mostWaiting bounds what waits, in statements.
const mostWaiting = 64

// later has a statement sent with the next one, and check look at its answer.
// Its own error is one of what waited before.
func (tx *Tx) later(ctx context.Context, check check, sql string, args ...any) error {
	if check.touch {
		// What follows, the commit perhaps, is on its way before the answer is
		// seen: so Postgres itself has to stop at a statement that changed nothing.
		sql = `with touched as (` + sql + ` returning 1) select 1 / count(*) from touched`
	}
	tx.waiting = append(tx.waiting, statement{sql, args, check})
	if len(tx.waiting) < mostWaiting {
		return nil
	}
	return tx.flush(ctx)
}

// failing is the check of a statement that only an error of Postgres' spoils.
func failing(format string, args ...any) check {
	return check{answer: func(_ pgconn.CommandTag, err error) error {
		if err != nil {
			err = fmt.Errorf(format+": %w", append(args, err)...)
		}
		return err
	}}
}

// divisionByZero is division_by_zero, the answer of a statement that had to
// change a row and has not.
const divisionByZero = "22012"

// touching is the check of an insert, update or delete that has to change a
// row, or the transaction ends and the error is none.
func touching(none error, format string, args ...any) check {
	failed := failing(format, args...)
	return check{touch: true, answer: func(tag pgconn.CommandTag, err error) error {
		if sqlState(err) == divisionByZero {
			err = none
		}
		return failed.answer(tag, err)
	}}
}

// send sends what waits and the statements of b, and leaves the answers of
// these to be read.
func (tx *Tx) send(ctx context.Context, b *pgx.Batch) (pgx.BatchResults, error) {
	all := &pgx.Batch{}
	for _, s := range tx.waiting {
		all.Queue(s.sql, s.args...)
	}
	all.QueuedQueries = append(all.QueuedQueries, b.QueuedQueries...)
	waited := tx.waiting
	tx.waiting = nil
	results := tx.conn.SendBatch(ctx, all)
	for _, s := range waited {
		tag, said := results.Exec()
		if err := s.check.answer(tag, said); err != nil {
			return nil, errors.Join(err, closing(results, said))
		}
		tx.begun = true
	}
	return results, nil
}

// closing ends a batch of which err is known, and returns what else is wrong.
func closing(results pgx.BatchResults, err error) error {
	if also := results.Close(); also != nil && !errors.Is(err, also) {
		return also
	}
	return nil
}

func (tx *Tx) flush(ctx context.Context) error {
	if len(tx.waiting) == 0 {
		return nil
	}
	results, err := tx.send(ctx, &pgx.Batch{})
	if err != nil {
		return err
	}
	return results.Close()
}

// SendBatch sends several statements at once.
func (tx *Tx) SendBatch(ctx context.Context, b *pgx.Batch) pgx.BatchResults {
	results, err := tx.send(ctx, b)
	if err != nil {
		return pgx.FailedBatchResults(b, err)
	}
	return results
}

// Exec runs a statement that returns no rows.
func (tx *Tx) Exec(ctx context.Context, sql string, args ...any) (pgconn.CommandTag, error) {
	if len(tx.waiting) == 0 {
		return tx.conn.Exec(ctx, sql, args...)
	}
	b := &pgx.Batch{}
	b.Queue(sql, args...)
	results, err := tx.send(ctx, b)
	if err != nil {
		return pgconn.CommandTag{}, err
	}
	tag, err := results.Exec()
	return tag, errors.Join(err, closing(results, err))
}

// Query runs a statement that returns rows. An error is in the rows too.
func (tx *Tx) Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error) {
	if len(tx.waiting) == 0 {
		return tx.conn.Query(ctx, sql, args...)
	}
	b := &pgx.Batch{}
	b.Queue(sql, args...)
	results := tx.SendBatch(ctx, b)
	rows, err := results.Query()
	return &onlyRows{Rows: rows, batch: results}, err
}

// QueryRow runs a statement that returns at most one row.
func (tx *Tx) QueryRow(ctx context.Context, sql string, args ...any) pgx.Row {
	if len(tx.waiting) == 0 {
		return tx.conn.QueryRow(ctx, sql, args...)
	}
	rows, _ := tx.Query(ctx, sql, args...) // the error is in the rows
	return oneRow{rows}
}

// CopyFrom brings in rows in bulk.
func (tx *Tx) CopyFrom(ctx context.Context, table pgx.Identifier, columns []string, source pgx.CopyFromSource) (int64, error) {
	if err := tx.flush(ctx); err != nil {
		return 0, err
	}
	return tx.conn.CopyFrom(ctx, table, columns, source)
}

// commit sends what waits and ends the transaction.
func (tx *Tx) commit(ctx context.Context) error {
	return errors.Join(tx.later(ctx, check{answer: func(tag pgconn.CommandTag, err error) error {
		switch {
		case err != nil:
			return fmt.Errorf("commit: %w", err)
		case tag.String() == "ROLLBACK": // an error before that nobody has minded
			return fmt.Errorf("commit: %w", pgx.ErrTxCommitRollback)
		}
		return nil
	}}, `commit`), tx.flush(ctx))
}

// rollback ends the transaction without a trace, if it has begun.
func (tx *Tx) rollback(ctx context.Context) error {
	tx.waiting = nil
	if tx.conn.Conn().PgConn().TxStatus() == 'I' {
		return nil
	}
	_, err := tx.conn.Exec(ctx, `rollback`)
	return err
}

// onlyRows are the rows of the last statement of a batch, which ends with them.
type onlyRows struct {
	pgx.Rows
	batch pgx.BatchResults
	err   error
}

func (r *onlyRows) Next() bool {
	if r.Rows.Next() {
		return true
	}
	r.Close()
	return false
}

func (r *onlyRows) Close() {
	r.Rows.Close()
	if r.batch != nil {
		r.err = r.batch.Close()
		r.batch = nil
	}
}

func (r *onlyRows) Err() error {
	if err := r.Rows.Err(); err != nil {
		return err
	}
	return r.err
}

type oneRow struct{ rows pgx.Rows }

func (r oneRow) Scan(dest ...any) error {
	defer r.rows.Close()
	if !r.rows.Next() {
		if err := r.rows.Err(); err != nil {
			return err
		}
		return pgx.ErrNoRows
	}
	if err := r.rows.Scan(dest...); err != nil {
		return err
	}
	r.rows.Close()
	return r.rows.Err()
}
