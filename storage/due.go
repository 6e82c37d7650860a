package storage

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
)

// Due is something that falls due: one row for each kind and subject.
type Due struct {
	Kind    string    `db:"kind"`
	Subject int64     `db:"subject"`
	At      time.Time `db:"due_at"`
}

// SetDue says when the kind of thing falls due for the subject, in place of
// what was said before.
func (tx *Tx) SetDue(ctx context.Context, kind string, subject int64, at time.Time) error {
	return tx.later(ctx, failing("set %s due for %d", kind, subject), `
		insert into due (kind, subject, due_at, try_at) values ($1, $2, $3, $3)
		on conflict (kind, subject) do update set due_at = excluded.due_at, try_at = excluded.try_at, attempts = 0`,
		kind, subject, at)
}

// ClearDue forgets what was set; nothing may have been.
func (tx *Tx) ClearDue(ctx context.Context, kind string, subject int64) error {
	return tx.later(ctx, failing("clear %s due for %d", kind, subject), `delete from due where kind = $1 and subject = $2`, kind, subject)
}

// AllDue returns at most limit of what is due by now, the oldest first, and
// when the next falls due after that: zero if nothing will.
func (db *DB) AllDue(ctx context.Context, now time.Time, limit int) ([]Due, time.Time, error) {
	batch := &pgx.Batch{}
	batch.Queue(`select kind, subject, due_at from due where try_at <= $1 order by try_at limit $2`, now, limit)
	batch.Queue(`select min(try_at) from due where try_at > $1`, now)
	res := db.pool.SendBatch(ctx, batch)
	defer func() { _ = res.Close() }() // an error of the batch has been seen by then
	rows, _ := res.Query()
	all, err := pgx.CollectRows(rows, pgx.RowToStructByName[Due])
	if err != nil {
		return nil, time.Time{}, Unavailable(fmt.Errorf("what is due: %w", err))
	}
	var next *time.Time
	if err := res.QueryRow().Scan(&next); err != nil {
		return nil, time.Time{}, Unavailable(fmt.Errorf("what is due next: %w", err))
	}
	return all, orZero(next), nil
}

// TakeDue locks the row until tx ends. It returns ErrNotFound if somebody else
// is at it, or it has been dealt with or put off.
func (tx *Tx) TakeDue(ctx context.Context, d Due, now time.Time) error {
	var one int
	err := tx.QueryRow(ctx, `
		select 1 from due where kind = $1 and subject = $2 and due_at = $3 and try_at <= $4 for update skip locked`,
		d.Kind, d.Subject, d.At, now).Scan(&one)
	if err != nil {
		return fmt.Errorf("take %s due for %d: %w", d.Kind, d.Subject, notFound(err))
	}
	return nil
}

// SettleDue removes what has been dealt with, unless it has been set anew.
func (tx *Tx) SettleDue(ctx context.Context, d Due) error {
	_, err := tx.Exec(ctx, `delete from due where kind = $1 and subject = $2 and due_at = $3`, d.Kind, d.Subject, d.At)
	if err != nil {
		return fmt.Errorf("settle %s due for %d: %w", d.Kind, d.Subject, err)
	}
	return nil
}

// PutOffDue counts a failure and says when to try again, which wait tells from
// the failures so far, this one included.
func (tx *Tx) PutOffDue(ctx context.Context, d Due, now time.Time, wait func(failures int) time.Duration) error {
	var failures int
	err := tx.QueryRow(ctx, `
		update due set attempts = attempts + 1 where kind = $1 and subject = $2 and due_at = $3 returning attempts`,
		d.Kind, d.Subject, d.At).Scan(&failures)
	if err == nil {
		_, err = tx.Exec(ctx, `update due set try_at = $4 where kind = $1 and subject = $2 and due_at = $3`,
			d.Kind, d.Subject, d.At, now.Add(wait(failures)))
	}
	if err != nil && notFound(err) != ErrNotFound {
		return fmt.Errorf("put off %s due for %d: %w", d.Kind, d.Subject, err)
	}
	return nil
}
