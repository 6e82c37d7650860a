// Package storage keeps every fact of the desk in Postgres.
//
// A [DB] is a pool of connections. Work happens in a transaction: [DB.InTx] to
// change something, [DB.View] to read several things at one moment. The
// operations themselves are methods of [Tx], one file per group of tables, with
// their SQL in place.
package storage

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/url"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
)

// openTimeout bounds the first contact with the database, so that a wrong
// address is reported while somebody is still looking.
const openTimeout = 10 * time.Second

// txAttempts is how often a transaction is run in all when Postgres keeps
// choosing it as the victim of a deadlock.
const txAttempts = 6

// DB is the desk's database. It is safe for use by many goroutines.
type DB struct {
	pool   *pgxpool.Pool
	levels levelsCache
}

// Option changes how [Open] connects.
type Option func(*pgxpool.Config)

// MaxConns sets the most connections that are kept. The default is four for
// each CPU and at least eight, or pool_max_conns when the URL has it.
func MaxConns(n int) Option {
	return func(c *pgxpool.Config) { c.MaxConns = int32(n) }
}

// Open connects to the Postgres at dsn, a URL or a key=value connection string,
// and makes sure that it answers. Its errors are one line, meant for the person
// who configured it, and never hold the password.
func Open(ctx context.Context, dsn string, opts ...Option) (*DB, error) {
	cfg, err := pgxpool.ParseConfig(dsn)
	if err != nil {
		return nil, parseError(dsn, err)
	}
	if !strings.Contains(dsn, "pool_max_conns") {
		cfg.MaxConns = int32(max(8, 4*runtime.NumCPU()))
	}
	if cfg.ConnConfig.RuntimeParams["application_name"] == "" {
		cfg.ConnConfig.RuntimeParams["application_name"] = "deskhand"
	}
	// Each of our statements has one good plan, whatever its values. Without this
	// Postgres plans those with arrays anew every time, which was found to take
	// longer than to run them.
	if cfg.ConnConfig.RuntimeParams["plan_cache_mode"] == "" {
		cfg.ConnConfig.RuntimeParams["plan_cache_mode"] = "force_generic_plan"
	}
	if cfg.ConnConfig.ConnectTimeout == 0 {
		cfg.ConnConfig.ConnectTimeout = openTimeout / 2
	}
	// The check before reuse must not wait for ever on a host that is gone.
	if cfg.PingTimeout == 0 {
		cfg.PingTimeout = 2 * time.Second
	}
	for _, o := range opts {
		o(cfg)
	}

	pool, err := pgxpool.NewWithConfig(ctx, cfg)
	if err != nil {
		return nil, fmt.Errorf("open database: %w", err)
	}
	ping, cancel := context.WithTimeout(ctx, openTimeout)
	defer cancel()
	if err := pool.Ping(ping); err != nil {
		pool.Close()
		return nil, reachError(cfg.ConnConfig, err)
	}
	if err := newEnough(ping, pool); err != nil {
		pool.Close()
		return nil, err
	}
	return &DB{pool: pool}, nil
}

// oldest is the release of Postgres that the desk needs at least.
const oldest = 14

// newEnough refuses a Postgres that would fail at the first statement it doesn't
// know. What does not say its release, as a proxy may not, is let pass.
func newEnough(ctx context.Context, pool *pgxpool.Pool) error {
	c, err := pool.Acquire(ctx)
	if err != nil {
		return Unavailable(err)
	}
	defer c.Release()
	version := c.Conn().PgConn().ParameterStatus("server_version") // "14.5", "13.14 (Debian 13.14-1)", "19beta1"
	digits := strings.IndexFunc(version, func(r rune) bool { return r < '0' || r > '9' })
	if digits < 0 {
		digits = len(version)
	}
	if major, err := strconv.Atoi(version[:digits]); err != nil || major >= oldest {
		return nil
	}
	return fmt.Errorf("the Postgres at DESKHAND_DATABASE_URL is %s, and the desk needs %d or newer; upgrade it, or use another", version, oldest)
}

// Close waits for the connections in use and closes them all.
func (db *DB) Close() { db.pool.Close() }

// Pool returns the connections themselves, for LISTEN, COPY and the like.
// Errors from it are not marked with [ErrUnavailable]; see [Unavailable].
func (db *DB) Pool() *pgxpool.Pool { return db.pool }

// Ping asks the database for a sign of life.
func (db *DB) Ping(ctx context.Context) error {
	return Unavailable(db.pool.Ping(ctx))
}

// InTx runs fn in a read-committed transaction and commits when it returns nil;
// any error, or a panic, rolls back.
//
// When Postgres gives the transaction up to resolve a deadlock or a
// serialization failure, the whole of fn runs again, so it must begin from what
// it loads and change nothing outside the transaction. An outage is reported as
// [ErrUnavailable].
func (db *DB) InTx(ctx context.Context, fn func(*Tx) error) error {
	return db.run(ctx, changing, fn)
}

// View runs fn in a read-only transaction whose queries all see the same
// moment. Errors are as with [DB.InTx].
func (db *DB) View(ctx context.Context, fn func(*Tx) error) error {
	return db.run(ctx, viewing, fn)
}

// txMode is what a transaction begins with.
type txMode struct {
	begin    []string
	readOnly bool
	// One trip is the whole transaction: what is sent together without a begin is
	// one, as Postgres sees it.
	oneTrip bool
}

var (
	changing = txMode{begin: []string{`begin isolation level read committed`}}
	viewing  = txMode{begin: []string{`begin isolation level repeatable read read only`}, readOnly: true}
)

func (db *DB) run(ctx context.Context, how txMode, fn func(*Tx) error) error {
	for attempt := 1; ; attempt++ {
		err := db.once(ctx, how, fn)
		if err == nil {
			return nil
		}
		if sqlState(err) == readOnly {
			if how.readOnly {
				return err // it is fn that is wrong
			}
			// What was the primary is a standby now: connect anew.
			db.pool.Reset()
		}
		if attempt == txAttempts || !retryable(err) {
			return Unavailable(err)
		}
		// Those who collided must not meet again.
		wait := time.Duration(attempt) * (time.Millisecond + rand.N(10*time.Millisecond))
		select {
		case <-ctx.Done():
			return err
		case <-time.After(wait):
		}
	}
}

// once runs fn on a connection. After a restart of Postgres every connection in
// the pool is dead, and the ones used within the last second are not checked
// before reuse. If the transaction can't even begin, nothing of it has happened
// yet, so once drops them all and tries again on a new one.
func (db *DB) once(ctx context.Context, how txMode, fn func(*Tx) error) error {
	begun, err := db.onConn(ctx, how, fn)
	if err == nil || begun || ctx.Err() != nil || !outage(err) {
		return err
	}
	if _, unreachable := errors.AsType[*pgconn.ConnectError](err); unreachable {
		return err // that was a new connection already
	}
	db.pool.Reset()
	_, err = db.onConn(ctx, how, fn)
	return err
}

// onConn also tells whether the transaction has begun.
func (db *DB) onConn(ctx context.Context, how txMode, fn func(*Tx) error) (begun bool, err error) {
	conn, err := db.pool.Acquire(ctx)
	if err != nil {
		return false, fmt.Errorf("begin: %w", err)
	}
	defer conn.Release() // which drops it unless the transaction has ended
	tx := &Tx{conn: conn, levels: &db.levels}
	for _, sql := range how.begin {
		tx.waiting = append(tx.waiting, statement{sql: sql, check: failing("begin")})
	}
	done := false
	defer func() {
		if done {
			return
		}
		// Also after a cancelled context or a panic: a connection that is given
		// back clean need not be opened again.
		rollback, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Second)
		defer cancel()
		_ = tx.rollback(rollback) // on failure the pool drops the connection, which rolls back too
	}()
	if err := fn(tx); err != nil {
		return tx.begun, err
	}
	if !tx.begun && len(tx.waiting) == len(how.begin) {
		done = true // nothing was asked
		return false, nil
	}
	if how.oneTrip {
		err = tx.flush(ctx)
	} else {
		err = tx.commit(ctx)
	}
	done = err == nil
	return tx.begun, err
}

// parseError explains a connection string that could not be read. The driver's
// text quotes the string, and what is malformed can't be masked for certain, so
// only the inner cause is shown, and only when the URL itself was sound.
func parseError(dsn string, err error) error {
	const hint = "DESKHAND_DATABASE_URL can't be read%s; " +
		"it looks like postgres://user:password@host:5432/deskhand, with special characters in the password percent-encoded"
	cause := errors.Unwrap(err)
	u, urlErr := url.Parse(dsn)
	if cause == nil || urlErr != nil || u.Scheme == "" || u.Host == "" {
		return fmt.Errorf(hint, "")
	}
	text := cause.Error()
	if secret, ok := u.User.Password(); ok && secret != "" && strings.Contains(text, secret) {
		return fmt.Errorf(hint, "")
	}
	return fmt.Errorf(hint, ": "+oneLine(text))
}

// reachError explains a database that doesn't answer, with what to do about it.
func reachError(c *pgx.ConnConfig, err error) error {
	name := cmp.Or(c.Database, c.User)
	where := name + " at " + net.JoinHostPort(c.Host, strconv.Itoa(int(c.Port)))
	if strings.HasPrefix(c.Host, "/") {
		where = name + " on the socket in " + c.Host
	}
	fix := "start Postgres there, or set DESKHAND_DATABASE_URL to one that runs"
	why := oneLine(reason(err))
	switch code := sqlState(err); {
	case strings.Contains(why, "refused TLS"):
		why, fix = "it speaks no TLS", "turn ssl on in Postgres, or write sslmode=disable into DESKHAND_DATABASE_URL"
	case code == "28P01" || code == "28000":
		fix = "correct the user and the password in DESKHAND_DATABASE_URL"
	case code == "3D000":
		fix = "create it (createdb " + name + "), or correct the name in DESKHAND_DATABASE_URL"
	case code != "" && !outageCode(code):
		fix = "correct DESKHAND_DATABASE_URL"
	}
	if c.Password != "" {
		why = strings.ReplaceAll(why, c.Password, "…")
	}
	if code := sqlState(err); code != "" && !outageCode(code) {
		return fmt.Errorf("can't use the database %s as %s: %s; %s", where, c.User, why, fix)
	}
	return unreachable("can't reach the database " + where + ": " + why + "; " + fix)
}

// unreachable is an [ErrUnavailable] in words of its own.
type unreachable string

func (e unreachable) Error() string { return string(e) }
func (e unreachable) Unwrap() error { return ErrUnavailable }

// reason finds the plainest words for why a connection failed.
func reason(err error) string {
	if pg, ok := errors.AsType[*pgconn.PgError](err); ok {
		return pg.Message
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return "no answer in time"
	}
	if no, ok := errors.AsType[syscall.Errno](err); ok {
		return no.Error()
	}
	if dns, ok := errors.AsType[*net.DNSError](err); ok {
		return "no such host: " + dns.Name
	}
	if connect, ok := errors.AsType[*pgconn.ConnectError](err); ok {
		return errors.Unwrap(connect).Error()
	}
	return err.Error()
}

func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }
