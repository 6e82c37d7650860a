package outbox_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/deskhand/deskhand/bot/chat"
	"github.com/deskhand/deskhand/bot/outbox"
	"github.com/deskhand/deskhand/storage"
)

// retry tries a dead letter again, as an operator does.
func (o *office) retry(id storage.LetterID, anyway bool) error {
	o.Helper()
	err := o.db.InTx(o.Context(), func(tx *storage.Tx) error {
		l, err := tx.TakeLetter(o.Context(), id, "retried", "test", o.clock.now())
		if err != nil {
			return err
		}
		return outbox.Retry(o.Context(), tx, l, anyway, o.clock.now())
	})
	o.wake()
	return err
}

// letters are all that are kept, the oldest first.
func (o *office) letters() (ids []storage.LetterID) {
	o.Helper()
	o.inTx(func(ctx context.Context, tx *storage.Tx) error {
		all, err := tx.Letters(ctx, storage.FromOutbox, 0, 100)
		for _, l := range all {
			ids = append(ids, l.ID)
		}
		return err
	})
	return ids
}

func (o *office) refused(what string, err error, words string) {
	o.Helper()
	if err == nil || !strings.Contains(err.Error(), words) {
		o.Errorf("retrying %s: %v, want %q", what, err, words)
	}
}

func TestAThreadThatWasGivenUpIsOpenedOnce(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	var full error = &chat.RefusedError{Reason: "the channel is archived"}
	o.slack.fault = func(chat.Post, bool) (bool, error) { return false, full }
	th := o.thread("C1", "")
	root, note := text("C1", "ticket"), text("", "note")
	root.Thread, root.Root, note.Thread = th, true, th
	o.post(storage.LaneReply, root, note)
	shut := o.open()
	o.drained()
	shut()
	all := o.letters()
	if len(all) != 2 {
		t.Fatalf("%d letters, want 2", len(all))
	}
	full = nil
	o.refused("what has no thread", o.retry(all[1], false), "retry letter 1 first")
	for _, id := range all {
		if err := o.retry(id, false); err != nil {
			t.Fatal(err)
		}
		if err := o.retry(id, false); !errors.Is(err, storage.ErrNotFound) {
			t.Errorf("retrying letter %d a second time: %v, want that there is none", id, err)
		}
	}
	o.open()
	o.drained()
	o.same("the channel", []string{"ticket", "1/note"}, o.slack.texts("C1"))
	if n := o.count(`select count(*) from audit where subject = 'letter' and action = 'letter.retried' and before->>'source' = 'outbox' and note <> ''`); n != 2 {
		t.Errorf("%d retries on record, want 2", n)
	}
}

func TestWhatMayStandThereIsNotPostedAgainUnlooked(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	lost := true
	o.slack.fault = func(chat.Post, bool) (bool, error) {
		if lost {
			return false, chat.ErrUnsure
		}
		return false, nil
	}
	stands := o.post(storage.LaneReply, text("C1", "one"))
	o.post(storage.LaneReply, text("C2", "two"))
	shut := o.open()
	o.stalled(2)
	o.clock.pass(73 * time.Hour)
	o.wake()
	o.drained()
	shut()
	lost = false
	o.slack.mu.Lock()
	if len(o.slack.sends) > 0 {
		t.Errorf("sent are %q", o.slack.sends)
	}
	o.slack.standing["C1"] = []*message{{id: fmt.Sprint(stands), ts: "9", text: "one"}} // it had its effect after all
	o.slack.mu.Unlock()
	all := o.letters()
	for _, id := range all {
		if err := o.retry(id, false); !errors.Is(err, outbox.ErrMayStand) {
			t.Errorf("retrying letter %d: %v, want ErrMayStand", id, err)
		}
	}
	for _, id := range all {
		if err := o.retry(id, true); err != nil {
			t.Fatal(err)
		}
	}
	o.open()
	o.drained()
	o.same("what stood there", []string{"one"}, o.slack.texts("C1"))
	o.same("what did not", []string{"two"}, o.slack.texts("C2"))
	o.same("sent", []string{"two"}, o.slack.sent())
}

func TestWhatNeedsNoRetryIsLeft(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	var answer error
	o.slack.fault = func(chat.Post, bool) (bool, error) { return false, answer }
	o.card(1, "fine")
	o.post(storage.LaneReply, storage.Post{Channel: "C3", Card: "card", Subject: 1})
	shut := o.open()
	o.drained()
	shut()
	answer = &chat.RefusedError{Reason: "too long"}
	o.card(1, "long")
	whisper := text("C1", "psst")
	whisper.Kind, whisper.User = "whisper", "U1"
	o.post(storage.LaneReply, whisper)
	shut = o.open()
	o.drained()
	shut()
	all := o.letters()
	if len(all) != 2 {
		t.Fatalf("%d letters, want 2", len(all))
	}
	answer = nil
	o.clock.pass(time.Hour)
	o.card(1, "short")
	refusals, changed := 0, 0
	for _, id := range all {
		err := o.retry(id, true)
		switch {
		case err == nil:
			t.Errorf("letter %d is tried again: one is pointless, the other on its way", id)
		case strings.Contains(err.Error(), "pointless"):
			refusals++
		case strings.Contains(err.Error(), "on its way already"):
			changed++
		}
	}
	if refusals != 1 || changed != 1 {
		t.Errorf("%d are pointless and %d on their way, want one of each", refusals, changed)
	}
	o.open()
	o.drained()
	for _, id := range all {
		_ = o.retry(id, true) // the change draws what is newest, the whisper stays a letter
	}
	o.drained()
	o.same("the card", []string{"short"}, o.slack.texts("C3"))
	o.same("posted", []string{"fine"}, o.slack.sent())
	if left := o.letters(); len(left) != 1 {
		t.Errorf("%d letters are left, want the whisper's", len(left))
	}
}
