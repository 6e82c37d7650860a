package inbox_test

import (
	"context"
	"encoding/json"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/deskhand/deskhand/bot/inbox"
	"github.com/deskhand/deskhand/storage"
)

// Of two operators who try the same letter again one does, and the event has its
// effects once.
func TestWhatWasBuriedIsHandledOnce(t *testing.T) {
	t.Parallel()
	db, now := newDB(t), newClock()
	ev := said("C1", 1)
	body, err := json.Marshal(ev)
	if err != nil {
		t.Fatal(err)
	}
	if err := db.InTx(t.Context(), func(tx *storage.Tx) error {
		return tx.BuryIncoming(t.Context(), storage.Incoming{Key: ev.Key, Event: body}, "a bug", now.now())
	}); err != nil {
		t.Fatal(err)
	}
	results := make(chan error)
	for range 2 {
		go func() {
			results <- db.InTx(context.WithoutCancel(t.Context()), func(tx *storage.Tx) error {
				l, err := tx.TakeLetter(t.Context(), 1, "retried", "test", now.now())
				if err != nil {
					return err
				}
				return inbox.Retry(t.Context(), tx, l, now.now())
			})
		}()
	}
	first, second := <-results, <-results
	if (first == nil) == (second == nil) || !errors.Is(errors.Join(first, second), storage.ErrNotFound) {
		t.Errorf("two operators: %v and %v, want that one finds nothing", first, second)
	}
	run(t, newInbox(t, inbox.Options{DB: db, Handler: &desk{}, Now: now.now}))
	drained(t, db)
	if diff := cmp.Diff([]string{"1"}, effects(t, db)["C1"]); diff != "" {
		t.Errorf("C1 (-want +got):\n%s", diff)
	}
	if n := count(t, db, `select count(*) from audit where subject = 'letter' and action = 'letter.retried' and note = 'a bug'`); n != 1 {
		t.Errorf("%d retries on record, want 1", n)
	}
}
