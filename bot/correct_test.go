package bot

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/deskhand/deskhand/bot/cards"
	"github.com/deskhand/deskhand/bot/chat"
	"github.com/deskhand/deskhand/core/sla"
	"github.com/deskhand/deskhand/core/ticket"
	"github.com/deskhand/deskhand/storage"
)

// A promise follows the service, and the time that is used stays used.
func TestAnotherServiceKeepsTheTimeUsed(t *testing.T) {
	t.Parallel()
	l := newLab(t, promising())
	id := l.open()
	l.does(l.says(id))
	l.pass(time.Hour)
	to := func(about string) chat.Answer {
		t.Helper()
		a, err := l.handle(l.event(l.ben, chat.Submitted, id, cards.Correct, chat.Values{"service": {about}}))
		if err != nil {
			t.Fatal(err)
		}
		return a
	}
	offer := to("lan")
	if offer.Form == nil || offer.Form.Action != cards.HandOver || offer.Form.Fields[0].Value == nil ||
		!strings.Contains(offer.Form.Intro[0].(chat.Section).Text.Plain(), "INC-1 is about LAN now, which is usually for Network.") {
		t.Errorf("it is Network's, and the answer is %+v", offer)
	}
	if a := to("lan"); a.Form != nil || a.Errors != nil { // a double click
		t.Errorf("the second click is answered with %+v", a)
	}
	var s storage.Standing
	l.in(func(ctx context.Context, tx *storage.Tx) error {
		tk, err := tx.Ticket(ctx, id)
		if err != nil {
			return err
		}
		if tk.Service != "lan" || tk.Team != l.rules.teams[0].ID {
			t.Errorf("the ticket is about %q, of team %d: it should be about the LAN, and where it was", tk.Service, tk.Team)
		}
		all, err := tx.Standings(ctx, id)
		s = all[id]
		return err
	})
	if c, _ := s.Clock(sla.Resolution); c.Level != "lan" || c.Due == nil || c.Due.Sub(l.now()) != 2*time.Hour {
		t.Errorf("the clock is of level %q and due at %v, want the LAN's, with two of three hours left at %v", c.Level, c.Due, l.now())
	}
	if e := s.Ledger[len(s.Ledger)-1]; len(s.Ledger) != 3 || e.Step != sla.Changed || e.Why != "it is about LAN now" {
		t.Errorf("the ledger has %d entries, the last is %+v", len(s.Ledger), e)
	}
	if a := to("other"); a.Form != nil {
		t.Errorf("it is where such tickets go, and somebody is asked %+v", a.Form)
	}
	if n := l.count(`select count(*) from audit where subject = 'ticket' and subject_id = $1 and action = $2 and before->>'service' = 'lan'
		and after->>'service' = 'other' and note = 'from LAN to Other' and person_id = $3`, id, string(ticket.Corrected), l.who[l.ben]); n != 1 {
		t.Errorf("%d steps on record with before, after and words, want 1", n)
	}
}
