package storage

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/deskhand/deskhand/core/ticket"
)

// What falls due and is set here. The names are stored.
const (
	LevelsApply = "levels.apply" // subject: the ticket after which a new policy is still to be applied to open tickets
	AlertsLate  = "alerts.late"  // subject: 0
	// ChannelsFind is that a new policy may name channels and people that are still
	// to be looked for. Subject: 0.
	ChannelsFind = "channels.find"
	// ChangesReport is the report on the changes of a month. Subject: the month.
	ChangesReport = "changes.report"
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

// SetAllDue is SetDue for many.
func (tx *Tx) SetAllDue(ctx context.Context, all []Due) error {
	n := len(all)
	if n == 0 {
		return nil
	}
	kinds, subjects, ats := make([]string, n), make([]int64, n), make([]time.Time, n)
	for i, d := range all {
		kinds[i], subjects[i], ats[i] = d.Kind, d.Subject, d.At
	}
	return tx.later(ctx, failing("set %s and others due for %d", all[0].Kind, all[0].Subject), `
		insert into due (kind, subject, due_at, try_at)
		select kind, subject, at, at from unnest($1::text[], $2::bigint[], $3::timestamptz[]) as d (kind, subject, at) order by 1, 2
		on conflict (kind, subject) do update set due_at = excluded.due_at, try_at = excluded.try_at, attempts = 0`, kinds, subjects, ats)
}

// SetFirstDue is SetDue where nothing was said before.
func (tx *Tx) SetFirstDue(ctx context.Context, kind string, subject int64, at time.Time) error {
	return tx.later(ctx, failing("set %s due for %d", kind, subject), `
		insert into due (kind, subject, due_at, try_at) values ($1, $2, $3, $3) on conflict (kind, subject) do nothing`, kind, subject, at)
}

// ClearDue forgets what was set; nothing may have been.
func (tx *Tx) ClearDue(ctx context.Context, kind string, subject int64) error {
	return tx.later(ctx, failing("clear %s due for %d", kind, subject), `delete from due where kind = $1 and subject = $2`, kind, subject)
}

// inOrder is how to look for what is due: by the index that has it in order,
// however much of the table a plan that knows no instants takes to be due.
var inOrder = txMode{begin: []string{`select set_config('enable_seqscan', 'off', true), set_config('enable_bitmapscan', 'off', true)`},
	readOnly: true, oneTrip: true}

// AllDue returns at most limit of what is due by now, the oldest first, and
// when the next falls due after that: zero if nothing will.
func (db *DB) AllDue(ctx context.Context, now time.Time, limit int) ([]Due, time.Time, error) {
	return agenda(ctx, db, pgx.RowToStructByName[Due], now, limit,
		`select kind, subject, due_at from due where try_at <= $1 order by try_at limit $2`,
		`select try_at from due where try_at > $1 order by try_at limit 1`)
}

// DueClocks is the same for clocks that are to be looked at: it returns their
// tickets, some of them twice.
func (db *DB) DueClocks(ctx context.Context, now time.Time, limit int) ([]ticket.ID, time.Time, error) {
	return agenda(ctx, db, pgx.RowTo[ticket.ID], now, limit,
		`select ticket_id from clocks where look_at <= $1 order by look_at limit $2`,
		`select look_at from clocks where look_at > $1 order by look_at limit 1`)
}

// agenda compares with an instant of the caller's, not of Postgres': compared
// with a function of the clock, the whole index would be read.
func agenda[T any](ctx context.Context, db *DB, row pgx.RowToFunc[T], now time.Time, limit int, due, after string) (all []T, next time.Time, err error) {
	err = db.run(ctx, inOrder, func(tx *Tx) (err error) {
		batch := &pgx.Batch{}
		batch.Queue(due, now, limit)
		batch.Queue(after, now)
		results := tx.SendBatch(ctx, batch)
		defer func() { err = errors.Join(err, results.Close()) }()
		rows, _ := results.Query()
		if all, err = pgx.CollectRows(rows, row); err != nil {
			return err
		}
		if err = results.QueryRow().Scan(&next); errors.Is(err, pgx.ErrNoRows) {
			next, err = time.Time{}, nil
		}
		return err
	})
	if err != nil {
		return nil, time.Time{}, fmt.Errorf("what is due: %w", err)
	}
	return all, next, nil
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
