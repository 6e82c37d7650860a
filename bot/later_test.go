package bot

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/deskhand/deskhand/bot/cards"
	"github.com/deskhand/deskhand/bot/chat"
	"github.com/deskhand/deskhand/core/knowledge"
	"github.com/deskhand/deskhand/storage"
)

// While the index is not there the desk says so and opens tickets, and nobody
// is told of a gap in what it knows.
func TestSearchThatIsCatchingUpHoldsNothingUp(t *testing.T) {
	t.Parallel()
	l := newLab(t, promising())
	l.in(func(ctx context.Context, tx *storage.Tx) error {
		_, _, _, err := tx.PutArticle(ctx, knowledge.Article{Slug: "vpn", Title: "Keep the VPN connected", Symptom: "The VPN drops.", Answer: "Switch power saving off.",
			Audience: []string{knowledge.Everyone}, Language: "en", State: knowledge.Published}, 0, "test", l.now())
		return err
	})
	l.asks("the vpn drops")
	l.in(func(ctx context.Context, tx *storage.Tx) error {
		turn, err := l.turn(ctx, tx, l.event(l.ana, chat.Said, 0, "", nil))
		if err != nil {
			return err
		}
		card, err := turn.questionCard(ctx, 1, false)
		if err == nil && !strings.Contains(card.Text, "Search is catching up") {
			t.Errorf("the card says %q", card.Text)
		}
		return err
	})
	ev := l.event(l.ana, chat.Pressed, 0, cards.Talk, nil)
	ev.Args, ev.Place = chat.Args{"q": "1"}, chat.Place{Platform: "slack", Workspace: "T1", Channel: "D1"}
	l.does(ev)
	if n := l.count(`select count(*) from tickets`); n != 1 {
		t.Errorf("%d tickets, want one", n)
	}
	l.in(func(ctx context.Context, tx *storage.Tx) error {
		all, err := tx.UnansweredSince(ctx, l.now().Add(-time.Hour), 10)
		if len(all) != 0 {
			t.Errorf("%+v is taken for a question that nothing was found for", all)
		}
		return err
	})
	if err := CatchUp(t.Context(), l.db, l.index, nil); err != nil {
		t.Fatal(err)
	}
	l.asks("the vpn drops again")
	if n := l.count(`select count(*) from questions where confidence in ('low', 'high')`); n != 1 {
		t.Errorf("%d questions are answered once the index is there, want one", n)
	}
	if err := l.index.Close(); err != nil { // as good as damaged
		t.Fatal(err)
	}
	l.asks("the vpn drops for ever, my password is Sommer2026!")
	if n := l.count(`select count(*) from questions where confidence = 'later'`); n != 2 {
		t.Errorf("%d questions were put off, want the first and the last", n)
	}
	if n := l.count(`select count(*) from questions where text like '%Sommer%'`); n != 0 {
		t.Error("a password is kept")
	}
}
