package bot

import (
	"cmp"
	"context"
	"fmt"

	"github.com/deskhand/deskhand/bot/cards"
	"github.com/deskhand/deskhand/core/people"
	"github.com/deskhand/deskhand/core/ticket"
)

// correct asks an agent what a ticket is about, whatever it was taken to be
// about.
func (t *turn) correct(ctx context.Context) error {
	tk, err := t.worker(ctx, "correct")
	if err != nil {
		return err
	}
	if !tk.Open() {
		return &ticket.RefusedError{Step: "correct", Reason: "it is already resolved"}
	}
	now := about(tk.Service, tk.Category)
	if _, _, ok := t.rules.offered(now); !ok {
		now = ""
	}
	f := cards.CorrectForm(tk, now, t.rules.aboutOptions())
	t.answer.Form = &f
	return nil
}

func (t *turn) correctSend(ctx context.Context) error {
	was, err := t.worker(ctx, "correct")
	if err != nil {
		return err
	}
	s, c, ok := t.rules.offered(t.ev.Values.One("service"))
	switch {
	case !ok:
		t.answer.Errors = map[string]string{"service": "This is not offered any more. Please choose another."}
		return nil
	case was.Service == s.Slug && was.Category == c.Slug && was.Open():
		return nil // it was left as it was, or a double click
	}
	is, ev, err := was.Correct(s.Slug, c.Slug, t.who.ID, t.at)
	if err != nil {
		return err
	}
	ev.Note = "to " + t.rules.aboutName(about(is.Service, is.Category))
	if was.Service != "" {
		had := about(was.Service, was.Category)
		ev.Note = "from " + cmp.Or(t.rules.aboutName(had), had) + " " + ev.Note
	}
	if is, err = t.save(ctx, was, is, ev); err != nil {
		return err
	}
	if was.Service != is.Service { // what it may come from, and what it costs
		if err := t.suspect(ctx, is); err != nil {
			return err
		}
		if err := t.countCostOf(ctx, is.ID); err != nil {
			return err
		}
	}
	return t.offerTeam(ctx, is)
}

// offerTeam asks whether a ticket shall go to the team to which the policy sends
// such tickets, if that is another one.
func (t *turn) offerTeam(ctx context.Context, tk ticket.Ticket) error {
	to := t.rules.team(t.usual(tk).Team)
	if to.ID == 0 || to.ID == tk.Team {
		return nil
	}
	way, err := t.way(ctx, tk, people.Team{})
	if err != nil || tk.Stuck(way) != nil {
		return err
	}
	f := cards.HandOverForm(tk, t.rules.teams, cards.HandOverView{To: to, Offer: fmt.Sprintf("%s is about %s now, which is usually for %s. Hand it over to them?",
		tk.Ref(), t.rules.aboutName(about(tk.Service, tk.Category)), to.Name)})
	f.Close = "Leave it here"
	t.answer.Form = &f
	return nil
}
