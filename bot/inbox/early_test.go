package inbox_test

import (
	"context"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/deskhand/deskhand/bot/chat"
	"github.com/deskhand/deskhand/bot/inbox"
	"github.com/deskhand/deskhand/storage"
)

// What has come too early waits beside its conversation, which goes on; what it
// waits for comes in the end, or never.
func TestWhatCameTooEarlyWaits(t *testing.T) {
	t.Parallel()
	db, now := newDB(t), newClock()
	message := said("C1", 1)
	edit := func(n int) chat.Event {
		ev := said("C1", n)
		ev.Kind, ev.Message, ev.SaidKey = chat.Edited, message.Message, message.Key
		return ev
	}
	d := &desk{handle: func(ctx context.Context, tx *storage.Tx, ev chat.Event) (a chat.Answer, err error) {
		if ev.Kind != chat.Edited {
			return a, nil
		}
		if err := tx.DropAside(ctx, inbox.AsideOf(ev), ev.At); err != nil {
			return a, err
		}
		if handled, err := tx.IsHandled(ctx, ev.SaidKey, inbox.ConversationOf(ev)); handled || err != nil {
			return a, err
		}
		return a, &inbox.EarlyError{}
	}}
	in := newInbox(t, inbox.Options{DB: db, Handler: d, Now: now.now})
	run(t, in)
	aside := func(n int) {
		t.Helper()
		eventually(t, "early edits aside", func() bool {
			return count(t, db, `select count(*) from inbox where due_at > '`+now.now().Format(time.RFC3339Nano)+`' and attempts = 0`) == n
		})
	}
	accept(t, in, edit(2), edit(3), said("C1", 4))
	eventually(t, "what follows is not held up", func() bool { return cmp.Equal(effects(t, db)["C1"], []string{"4"}) })
	aside(2)
	accept(t, in, message)
	eventually(t, "the message", func() bool { return cmp.Equal(effects(t, db)["C1"], []string{"4", "1"}) })
	accept(t, in, edit(5)) // takes the place of those that wait
	drained(t, db)
	if diff := cmp.Diff([]string{"4", "1", "5"}, effects(t, db)["C1"]); diff != "" {
		t.Errorf("C1 (-want +got):\n%s", diff)
	}

	message = said("C1", 6)
	accept(t, in, edit(7), edit(8))
	aside(2)
	accept(t, in, message)
	eventually(t, "the message", func() bool { return len(effects(t, db)["C1"]) == 4 })
	now.pass(2 * time.Second)
	in.Wake()
	drained(t, db)
	if diff := cmp.Diff([]string{"4", "1", "5", "6", "7", "8"}, effects(t, db)["C1"]); diff != "" {
		t.Errorf("C1, after another message (-want +got):\n%s", diff)
	}

	message = said("C1", 9)
	accept(t, in, edit(10))
	aside(1)
	now.pass(chat.Overtaking)
	in.Wake()
	drained(t, db)
	if n := len(effects(t, db)["C1"]); n != 6 {
		t.Errorf("an edit of what never came had %d effects", n-6)
	}
	if n := count(t, db, `select count(*) from dead_letters`); n != 0 {
		t.Errorf("%d dead letters, want none", n)
	}
}
