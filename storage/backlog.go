package storage

import (
	"context"
	"fmt"
	"time"
)

// Backlog is what waits, and what was given up.
type Backlog struct {
	Inbox, Outbox int
	Due           int // clocks to look at, alerts to tell, and everything else that has fallen due
	Dead          int
}

// Settled tells whether there is nothing to do.
func (b Backlog) Settled() bool { return b.Inbox+b.Outbox+b.Due == 0 }

// Backlog counts what waits to be handled and delivered and what has fallen due
// by now, and dead letters.
func (tx *Tx) Backlog(ctx context.Context, now time.Time) (b Backlog, err error) {
	err = tx.QueryRow(ctx, `select (select count(*) from inbox), (select count(*) from outbox), (select count(*) from dead_letters),
		(select count(*) from due where try_at <= $1) + (select count(*) from clocks where look_at <= $1) + (select count(*) from alerts where tell_at <= $1)`, now).
		Scan(&b.Inbox, &b.Outbox, &b.Dead, &b.Due)
	if err != nil {
		return b, fmt.Errorf("backlog: %w", err)
	}
	return b, nil
}
