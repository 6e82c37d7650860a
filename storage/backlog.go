package storage

import (
	"context"
	"fmt"
)

// Backlog is what waits, and what was given up.
type Backlog struct{ Inbox, Outbox, Dead int }

// Backlog counts what waits to be handled and delivered, and dead letters.
func (tx *Tx) Backlog(ctx context.Context) (b Backlog, err error) {
	err = tx.QueryRow(ctx, `select (select count(*) from inbox), (select count(*) from outbox), (select count(*) from dead_letters)`).
		Scan(&b.Inbox, &b.Outbox, &b.Dead)
	if err != nil {
		return b, fmt.Errorf("backlog: %w", err)
	}
	return b, nil
}
