package bot

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/deskhand/deskhand/bot/cards"
	"github.com/deskhand/deskhand/bot/chat"
	"github.com/deskhand/deskhand/core/policy"
	"github.com/deskhand/deskhand/core/sla"
	"github.com/deskhand/deskhand/core/ticket"
	"github.com/deskhand/deskhand/storage"
)

// Each hour the next in line is told who there is: nobody is told twice, and
// where nobody is left the card that stands there is enough.
func TestTheNextInLineIsSomebody(t *testing.T) {
	t.Parallel()
	p := promising()
	p.Ladders = []policy.Ladder{{Slug: "long", Steps: []policy.Step{{At: 100, Channel: true}}, Every: "30m",
		Line: []policy.Recipient{policy.Manager, policy.Lead, policy.ServiceOwner, "ada@acme.example", "ben@acme.example"}}}
	p.Levels[1].Ladder = "long"
	l := newLab(t, p)
	id := l.open()
	want := []map[string]int{{"C1": 1}, {"C1": 1, "Uada": 1}, {"C1": 1, "Uada": 1, "Uben": 1}}
	l.pass(time.Hour)
	for i := range 6 {
		l.mustLook()
		if got := l.posts(cards.BreachCard); !maps.Equal(got, want[min(i, len(want)-1)]) {
			t.Errorf("half-hour %d: the card went to %v, want %v", i, got, want[min(i, len(want)-1)])
		}
		l.pass(30 * time.Minute)
	}
	if n := l.count(`select count(*) from alerts where ticket_id = $1 and kind = 'response' and outcome = 'told'`, id); n != 6 {
		t.Errorf("%d alerts are on record, want each of 6", n)
	}
}

// In the alert channel the card calls those whom it concerns, and nobody once
// somebody sees to it.
func TestTheCardCallsWhomItConcerns(t *testing.T) {
	t.Parallel()
	p := promising()
	p.Services[1].Owner = "ana@acme.example"
	p.Levels[2].Response.Within = "1h"
	l := newLab(t, p)
	id := l.open()
	l.does(l.event(l.ben, chat.Submitted, id, cards.Correct, chat.Values{"service": {"lan"}}))
	called := func() string {
		var names []string
		l.in(func(ctx context.Context, tx *storage.Tx) error {
			turn, err := l.byItself(ctx, tx)
			if err != nil {
				return err
			}
			card, err := turn.breachCard(ctx, storage.Post{Platform: "slack", Workspace: "T1", Channel: "C1", Card: cards.BreachCard,
				Subject: int64(l.count(`select id from breaches where ticket_id = $1`, id))})
			for _, b := range card.Blocks {
				if s, ok := b.(chat.Section); ok {
					for _, span := range s.Text {
						if span.User.ID != "" {
							names = append(names, span.User.ID)
						}
					}
				}
			}
			return err
		})
		return strings.Join(names, " ")
	}
	l.pass(61 * time.Minute)
	l.mustLook()
	if got := called(); got != "Uada Uana" {
		t.Errorf("unclaimed, it calls %q, want the lead and the owner of the service", got)
	}
	l.does(l.event(l.ben, chat.Pressed, id, cards.Claim, nil))
	if got := called(); got != "" {
		t.Errorf("claimed, it calls %q, want nobody", got)
	}
}

// Of two who press at the same moment the first has it.
func TestABreachIsTakenOnce(t *testing.T) {
	t.Parallel()
	l := newLab(t, promising())
	id := l.open()
	l.pass(61 * time.Minute)
	l.mustLook()
	take := func(by chat.User) chat.Event {
		ev := l.event(by, chat.Pressed, id, cards.TakeBreach, nil)
		ev.Args["b"] = fmt.Sprint(l.count(`select id from breaches where ticket_id = $1`, id))
		return ev
	}
	ada := l.ben
	ada.ID = "Uada"
	l.does(take(l.ben))
	l.pass(2 * time.Second)
	l.does(take(ada))
	if n := l.count(`select count(*) from tickets t join breaches b on b.ticket_id = t.id and b.taken_by = t.owner_id where t.id = $1 and t.owner_id = $2`, id, l.who[l.ben]); n != 1 {
		t.Error("Ada has it, want Ben, who was first")
	}
	if n := l.count(`select count(*) from posts where body::text like '%Ben took it 2 s before you.%'`); n != 1 {
		t.Errorf("Ada is told so %d times, want once", n)
	}
}

// A ticket that waits by the time that its warning goes out needs none.
func TestAWarningThatIsNotNeededIsNotSent(t *testing.T) {
	t.Parallel()
	l := newLab(t, promising())
	id := l.open()
	l.does(l.says(id))
	l.pass(3*time.Hour + time.Minute)
	l.mustLook()
	l.does(l.waits(id))
	l.in(func(ctx context.Context, tx *storage.Tx) error {
		turn, err := l.byItself(ctx, tx)
		if err != nil {
			return err
		}
		if card, err := turn.warningCard(ctx, storage.Post{Card: cards.Warning(sla.Resolution), Subject: int64(id)}); !errors.Is(err, storage.ErrNotFound) {
			t.Errorf("it is still sent: %q, %v", card.Text, err)
		}
		return nil
	})
}

// The card of a breach names whoever has answered, not whose the ticket is.
func TestTheCardSaysWhoAnswered(t *testing.T) {
	t.Parallel()
	l := newLab(t, promising())
	id := l.open()
	l.does(l.event(l.ben, chat.Pressed, id, cards.Claim, nil))
	l.pass(74 * time.Minute)
	l.mustLook()
	says := l.says(id)
	says.By.ID = "Uada"
	l.does(says)
	l.in(func(ctx context.Context, tx *storage.Tx) error {
		turn, err := l.byItself(ctx, tx)
		if err != nil {
			return err
		}
		var b storage.BreachID
		if err := tx.QueryRow(ctx, `select id from breaches where ticket_id = $1`, id).Scan(&b); err != nil {
			return err
		}
		card, err := turn.breachCard(ctx, storage.Post{Card: cards.BreachCard, Subject: int64(b)})
		if want := "Answered by Ada, 14 min late"; !strings.Contains(card.Text, want) {
			t.Errorf("the card says %q, want %q", card.Text, want)
		}
		return err
	})
}

// due does what is due of a kind.
func (l *lab) due(kind string) {
	l.t.Helper()
	all, _, err := l.db.AllDue(l.t.Context(), l.now(), 100)
	if err != nil {
		l.t.Fatal(err)
	}
	for _, d := range all {
		if d.Kind == kind {
			l.in(func(ctx context.Context, tx *storage.Tx) error {
				if err := l.Due(ctx, tx, d.Kind, d.Subject, d.At); err != nil {
					return err
				}
				return tx.SettleDue(ctx, d)
			})
		}
	}
}

// urgent makes a ticket critical.
func (l *lab) urgent(id ticket.ID) chat.Event {
	return l.event(l.ben, chat.Submitted, id, cards.Priority,
		chat.Values{"impact": {string(ticket.Customers)}, "urgency": {string(ticket.Now)}, "why": {"the shop is shut"}, "priority": {"0"}})
}

// Another promise is told of from its beginning, and what was missed before is
// over.
func TestAnotherPromiseIsAnotherBreach(t *testing.T) {
	t.Parallel()
	p := promising()
	p.Levels[0].Calendar, p.Levels[0].Response.Within = policy.Always, "90m"
	l := newLab(t, p)
	id := l.open()
	l.pass(61 * time.Minute)
	l.mustLook()
	l.does(l.urgent(id)) // 61 of 90 minutes are used
	if n := l.count(`select count(*) from breaches where ticket_id = $1 and ended_at is null`, id); n != 0 {
		t.Error("what was missed is not over")
	}
	for _, pass := range []time.Duration{7 * time.Minute, 14 * time.Minute, 9 * time.Minute} {
		l.pass(pass)
		l.mustLook()
	}
	if n := l.count(`select count(*) from alerts where ticket_id = $1 and kind = 'response' and round = 2 and percent in (75, 90, 100) and outcome = 'told'`, id); n != 3 {
		t.Errorf("%d alerts of the new promise, want all 3", n)
	}
	l.pass(2 * time.Hour) // longer than a fix may take now
	l.mustLook()
	p.Levels[0].Resolution.Within = "1h"
	l.apply(p)
	l.pass(storage.PolicySeen)
	l.due(storage.LevelsApply)
	l.mustLook()
	if n := l.count(`select count(*) from breaches where ticket_id = $1 and kind = 'resolution' and ended_at is null`, id); n != 1 {
		t.Errorf("%d breaches of the fix are open, want that of the shorter promise alone", n)
	}
}

// What is given back has nobody who sees to it, and the line goes on.
func TestTheLineGoesOnForWhatIsGivenBack(t *testing.T) {
	t.Parallel()
	l := newLab(t, promising())
	id := l.open()
	l.pass(61 * time.Minute)
	l.mustLook()
	l.does(l.event(l.ben, chat.Pressed, id, cards.Claim, nil))
	l.does(l.event(l.ben, chat.Pressed, id, cards.Release, nil))
	l.pass(time.Hour)
	l.mustLook()
	if got := l.posts(cards.BreachCard); got["Uada"] != 1 {
		t.Errorf("the card went to %v, want the lead to have it", got)
	}
}

// An alert for what was late before it was reopened is not itself late.
func TestWhatIsReopenedLateIsToldAtOnce(t *testing.T) {
	t.Parallel()
	l := newLab(t, promising())
	id := l.open()
	l.pass(4*time.Hour + 30*time.Minute)
	l.mustLook()
	l.does(l.resolves(id))
	l.pass(20 * time.Hour)
	again := l.now()
	l.does(l.event(l.ana, chat.Submitted, id, cards.No, chat.Values{"why": {"It hums again."}}))
	l.mustLook()
	if n := l.count(`select count(*) from alerts where ticket_id = $1 and kind = 'resolution' and round = 2 and outcome = 'told' and due_at = $2 and late = ''`, id, again); n != 1 {
		t.Errorf("%d alerts as it was reopened, want 1, in time", n)
	}
}

// An answer counts from when it was written: one that the platform delivered
// after the alert was in time all the same, and nobody apologises for it.
func TestAnAnswerCountsFromWhenItWasWritten(t *testing.T) {
	t.Parallel()
	l := newLab(t, promising())
	id := l.open()
	l.pass(59 * time.Minute)
	says := l.says(id)
	l.pass(2 * time.Minute)
	l.mustLook()
	l.does(says)
	if n := l.count(`select count(*) from clocks where ticket_id = $1 and kind = 'response' and state = 'ended' and not late`, id); n != 1 {
		t.Error("the answer is late")
	}
	l.pass(10 * time.Minute)
	l.due(breachApology)
	l.due(breachCount)
	if n := l.count(`select count(*) from posts where card = 'late'`); n != 0 {
		t.Error("the requester is told that it is late")
	}
	if n := l.count(`select count(*) from due where kind = $1`, breachCount); n != 0 {
		t.Error("the card goes on counting")
	}
}

// Who looks only hours later tells of all at once, and leaves nothing out.
func TestOneAlertStandsForThoseItHasOvertaken(t *testing.T) {
	t.Parallel()
	l := newLab(t, promising())
	id := l.open()
	l.pass(130 * time.Minute)
	l.mustLook()
	l.due(breachApology)
	if got := l.posts(cards.BreachCard); got["C1"] != 1 || got["Uada"] != 1 {
		t.Errorf("the card went to %v, want the channel and the next in line", got)
	}
	if n := l.count(`select count(*) from posts where card = 'late'`); n != 1 {
		t.Errorf("%d words to the requester, want 1", n)
	}
	if n := l.count(`select count(*) from alerts where ticket_id = $1 and kind = 'response' and outcome = 'overtaken'`, id); n != 3 {
		t.Errorf("%d marks are on record as overtaken, want 3", n)
	}
}

// Other marks and hours of alerts hold for clocks that run already.
func TestAnotherLadderHoldsAtOnce(t *testing.T) {
	t.Parallel()
	p := promising()
	l := newLab(t, p)
	id := l.open()
	p.Desk.Company = "Acme" // nothing that concerns a clock
	l.apply(p)
	p.Ladders = []policy.Ladder{{Slug: "early", Steps: []policy.Step{{At: 10, Channel: true}}}}
	p.Levels[1].Ladder = "early"
	l.apply(p)
	l.pass(storage.PolicySeen)
	l.due(storage.LevelsApply)
	l.pass(6*time.Minute - storage.PolicySeen)
	l.mustLook()
	if n := l.count(`select count(*) from alerts where ticket_id = $1 and kind = 'response' and percent = 10`, id); n != 1 {
		t.Errorf("%d alerts at 10 %%, want 1", n)
	}
}

// A digest takes in more for half an hour, and then another begins.
func TestADigestDoesNotGrowForEver(t *testing.T) {
	t.Parallel()
	p := promising()
	p.Levels[1].Response, p.Levels[1].Resolution.Within = policy.Target{}, "1h"
	p.Ladders = []policy.Ladder{{Slug: "one", Steps: []policy.Step{{At: 100, Channel: true}}}}
	p.Levels[1].Ladder = "one"
	l := newLab(t, p)
	for _, wait := range []time.Duration{40 * time.Minute, 21 * time.Minute} {
		for range mostOwn + 1 {
			l.open()
		}
		l.pass(wait)
	}
	l.mustLook()
	l.pass(40 * time.Minute)
	l.mustLook()
	if n := l.count(`select count(*) from digests`); n != 2 {
		t.Errorf("%d digests, want another after half an hour", n)
	}
}
