package bot

import (
	"context"
	"fmt"
	"time"

	"github.com/deskhand/deskhand/core/hours"
	"github.com/deskhand/deskhand/storage"
)

// A routine is what the desk does by itself again and again. Between two times
// it is a row of what is due, like everything else: any number of processes may
// watch, one does it, and what was missed while none ran is done once.
type routine struct {
	next func(after time.Time, zone *time.Location) time.Time
	do   flow
}

// routines by the stored name of the row. Their subject is 0.
func routines() map[string]routine {
	return map[string]routine{
		"gaps.week":       {hours.Monday, (*turn).tellGaps},
		"articles.review": {hours.Morning, (*turn).reviewArticles},
		"articles.effect": {hours.Month, (*turn).tellOwners},
		"coverage.look":   {hours.Morning, (*turn).lookAtCoverage},
	}
}

// Schedule sets what is to be done again and again, if it is not set yet.
func (d *Desk) Schedule(ctx context.Context) error {
	err := d.db.InTx(ctx, func(tx *storage.Tx) error {
		r, err := d.rulesIn(ctx, tx)
		if err != nil {
			return err
		}
		t := &turn{rules: r, at: d.now()}
		for kind, x := range routines() {
			if err := tx.SetFirstDue(ctx, kind, 0, x.next(t.at, t.deskZone())); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("schedule: %w", err)
	}
	return nil
}

// again does what a routine is there for and sets its next time.
func (t *turn) again(ctx context.Context, kind string, r routine) error {
	if err := r.do(t, ctx); err != nil {
		return err
	}
	return t.tx.SetDue(ctx, kind, 0, r.next(t.at, t.deskZone()))
}

// deskZone is the desk's own time zone.
func (t *turn) deskZone() *time.Location {
	if loc, err := time.LoadLocation(t.rules.policy.Desk.TimeZone); err == nil {
		return loc
	}
	return time.UTC
}
