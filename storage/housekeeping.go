package storage

import (
	"context"
	"fmt"
	"time"
)

const (
	// keepLetters is how long a person may take to look at dead letters.
	keepLetters = 90 * 24 * time.Hour

	// keepPassing is how long whispers and reactions are kept once they have
	// been delivered: nothing refers to them, it is for whoever looks into a
	// complaint.
	keepPassing = 7 * 24 * time.Hour

	// keepCalls is how long whoever looks after a pipeline may ask whether and
	// when it was called back.
	keepCalls = 90 * 24 * time.Hour

	pruneSize = 5000 // rows in one transaction
)

// KeepHouse makes the partitions of the days to come and clears away what
// nobody will ask for again. Of several processes that do so at a time one
// does, and the others find it done.
func (db *DB) KeepHouse(ctx context.Context, now time.Time) error {
	err := db.InTx(ctx, func(tx *Tx) error {
		// Making a partition locks the table for a moment. If somebody's long
		// transaction is in the way, events must not queue up behind us.
		if _, err := tx.Exec(ctx, `set local lock_timeout = '1s'`); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, `select keep_partitions($1)`, now)
		return err
	})
	if err != nil && sqlState(err) != "55P03" { // lock_not_available: there are days left to do it
		return fmt.Errorf("keep partitions: %w", err)
	}
	err = db.prune(ctx, `
		delete from dead_letters where id in (
			select id from dead_letters where died_at < $1 order by id limit $2)`, now.Add(-keepLetters))
	if err != nil {
		return fmt.Errorf("prune dead letters: %w", err)
	}
	err = db.prune(ctx, `
		delete from posts where id in (
			select p.id from posts p
			where p.kind in ('whisper', 'react', 'unreact') and p.created_at < $1
				and not exists (select from outbox o where o.post_id = p.id)
			order by p.id limit $2)`, now.Add(-keepPassing))
	if err != nil {
		return fmt.Errorf("prune posts: %w", err)
	}
	err = db.prune(ctx, `delete from secrets where id in (select id from secrets where expires_at < $1 order by id limit $2)`, now)
	if err != nil {
		return fmt.Errorf("prune secrets: %w", err)
	}
	err = db.prune(ctx, `
		with old as (select id from callbacks where ended_at < $1 order by id limit $2),
		tried as (delete from callback_attempts where callback_id in (select id from old))
		delete from callbacks where id in (select id from old)`, now.Add(-keepCalls))
	if err != nil {
		return fmt.Errorf("prune callbacks: %w", err)
	}
	return nil
}

// prune repeats a delete of a limited number of rows, so that none of them
// holds locks for long.
func (db *DB) prune(ctx context.Context, sql string, before time.Time) error {
	for {
		tag, err := db.pool.Exec(ctx, sql, before, pruneSize)
		if err != nil {
			return Unavailable(err)
		}
		if tag.RowsAffected() < pruneSize {
			return nil
		}
	}
}
