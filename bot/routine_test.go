package bot

import (
	"context"
	"errors"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/deskhand/deskhand/bot/cards"
	"github.com/deskhand/deskhand/bot/chat"
	"github.com/deskhand/deskhand/core/policy"
	"github.com/deskhand/deskhand/storage"
)

// dueBy deals with all that is due, as a process does that watches.
func (l *lab) dueBy(ctx context.Context) error {
	all, _, err := l.db.AllDue(ctx, l.now(), 100)
	if err != nil {
		return err
	}
	for _, d := range all {
		if err := l.db.InTx(ctx, func(tx *storage.Tx) error {
			if err := tx.TakeDue(ctx, d, l.now()); err != nil {
				return err
			}
			if err := l.Due(ctx, tx, d.Kind, d.Subject, d.At); err != nil {
				return err
			}
			return tx.SettleDue(ctx, d)
		}); err != nil && !errors.Is(err, storage.ErrNotFound) {
			return err
		}
	}
	return nil
}

func (l *lab) asks(text string) {
	l.t.Helper()
	ev := l.event(l.ana, chat.Said, 0, "", nil)
	ev.Text, ev.Scope, ev.Place = text, chat.Direct, chat.Place{Platform: "slack", Workspace: "T1", Channel: "D1"}
	l.does(ev)
}

// What is told each week is told once, however many processes watch and however
// long none did, and then again a week later.
func TestWhatIsDoneEachWeekIsDoneOnce(t *testing.T) {
	t.Parallel()
	p := promising()
	p.Knowledge.Channel = policy.Channels{"slack": "triage"}
	l := newLab(t, p.WithDefaults())
	if err := l.Schedule(t.Context()); err != nil {
		t.Fatal(err)
	}
	l.asks("my zeppelin needs helium")
	l.asks("how do I book the sauna?")
	watch := func() {
		t.Helper()
		var g errgroup.Group
		for range 4 {
			g.Go(func() error { return l.dueBy(t.Context()) })
		}
		if err := g.Wait(); err != nil {
			t.Fatal(err)
		}
		if err := l.Schedule(t.Context()); err != nil { // a process that starts changes nothing
			t.Fatal(err)
		}
	}
	told := func() int { return l.count(`select count(*) from posts where card = $1`, cards.GapsCard) }
	watch()
	if n := told(); n != 0 {
		t.Fatalf("it was told %d times before its time", n)
	}
	l.pass(16 * 24 * time.Hour) // from a Monday over two others
	watch()
	watch()
	if n := told(); n != 1 {
		t.Errorf("it was told %d times, want once", n)
	}
	if n := l.count(`select count(*) from gap_questions`); n != 2 {
		t.Errorf("%d questions are in gaps, want both", n)
	}
	if n := l.count(`select count(*) from due where kind = 'gaps.week' and due_at = $1`, began.AddDate(0, 0, 21).Add(time.Hour)); n != 1 {
		t.Error("it is not due at nine on the Monday after")
	}
	l.asks("my zeppelin still needs helium")
	l.pass(7 * 24 * time.Hour)
	watch()
	if n := told(); n != 2 {
		t.Errorf("after another week it was told %d times, want twice", n)
	}
	// Two at the same moment: it is said once what it is.
	var g errgroup.Group
	for range 2 {
		ev := l.event(l.ben, chat.Pressed, 0, cards.GapNotIT, nil)
		ev.Args = chat.Args{"g": "1"}
		g.Go(func() error { _, err := l.handle(ev); return err })
	}
	if err := g.Wait(); err != nil {
		t.Error(err)
	}
	if n := l.count(`select count(*) from audit where subject = 'gap' and subject_id = 1 and action = 'gap.not_it'`); n != 1 {
		t.Errorf("it is on record %d times that it is not IT, want once", n)
	}
}
