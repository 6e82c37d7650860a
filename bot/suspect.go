package bot

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/deskhand/deskhand/bot/cards"
	"github.com/deskhand/deskhand/core/change"
	"github.com/deskhand/deskhand/core/cmdb"
	"github.com/deskhand/deskhand/core/ticket"
	"github.com/deskhand/deskhand/storage"
)

// mostSuspects is how many changes an incident's card names unasked.
const mostSuspects = 2

// suspect finds the changes that a new incident, or one of which it has just
// been said what is affected, may come from.
func (t *turn) suspect(ctx context.Context, tk ticket.Ticket) error {
	if tk.Kind != ticket.Incident {
		return nil
	}
	done, err := t.tx.DoneLately(ctx, tk.OpenedAt.Add(-change.SuspectFor), 200)
	if err != nil || len(done) == 0 { // as a rule there are none
		return err
	}
	about, err := t.tx.ItemsOf(ctx, tk.ID)
	if err != nil {
		return err
	}
	g, err := t.graph(ctx)
	if err != nil {
		return err
	}
	service := tk.Service
	if service == "other" {
		service = "" // it says nothing
	}
	if len(about) == 0 {
		about = g.OfService(service)
	}
	ids := make([]cmdb.ItemID, len(about))
	for i, it := range about {
		ids[i] = it.ID
	}
	found := change.Suspects(done, g.StandsOn(ids...), service, tk.OpenedAt)
	for _, s := range found[:min(len(found), mostSuspects)] {
		if err := t.tx.Suspect(ctx, tk.ID, s.Change, s.Item, 0, "desk", t.at); err != nil {
			return err
		}
	}
	return nil
}

// linkViews are what a ticket has to do with changes, without what was ruled
// out.
func linkViews(tk ticket.Ticket, all []storage.TicketChange) []cards.LinkView {
	var out []cards.LinkView
	for _, x := range all {
		if x.Link == storage.Cleared {
			continue
		}
		v := cards.LinkView{ID: x.Change, Ref: change.Change{Number: x.Number}.Ref(), Title: x.Title, Item: x.Item, By: x.Who,
			Made: x.Link == storage.Made, Yes: x.Link == storage.Caused}
		if x.Ended != nil && x.Ended.Before(tk.OpenedAt) {
			v.Since = max(tk.OpenedAt.Sub(*x.Ended), time.Minute)
		}
		out = append(out, v)
	}
	return out
}

// ticketsOf are the tickets that a change has to do with, in words.
func (t *turn) ticketsOf(ctx context.Context, id change.ID) ([]string, error) {
	all, err := t.tx.TicketsOfChange(ctx, id, 5)
	if err != nil {
		return nil, err
	}
	words := map[storage.Link]string{storage.Caused: "It has caused ", storage.Suspected: "Under suspicion for ", storage.Made: "Made to resolve "}
	var out []string
	for _, x := range all {
		out = append(out, words[x.Link]+ticket.Ticket{Kind: x.Kind, Number: x.Number}.Ref()+" “"+clip(x.Title, 100)+"”")
	}
	return out, nil
}

// linked are the ticket and the change of a button, both locked, and what they
// have to do with each other.
func (t *turn) linked(ctx context.Context) (ticket.Ticket, change.Change, storage.Link, error) {
	tk, err := t.worker(ctx, "say what caused")
	if err != nil {
		return tk, change.Change{}, "", err
	}
	l, err := t.tx.LinkOf(ctx, tk.ID, change.ID(t.id("c")))
	if err != nil {
		return tk, change.Change{}, "", orUnknown(err, "change")
	}
	c, err := t.tx.ChangeForUpdate(ctx, change.ID(t.id("c")))
	return tk, c, l, err
}

// blame says that an incident comes from a change, which has then failed.
func (t *turn) blame(ctx context.Context) error {
	tk, was, l, err := t.linked(ctx)
	if err != nil || l == storage.Caused {
		return err // a double click
	}
	c, ev, err := was.Blame(int64(tk.ID), tk.Ref(), t.who.ID, t.at)
	if refused, ok := errors.AsType[*change.RefusedError](err); ok {
		return &ticket.RefusedError{Step: refused.Step, Reason: refused.Reason}
	}
	if err != nil {
		return err
	}
	if c, err = t.tx.SaveChange(ctx, was, c, ev, t.via()); err != nil {
		return err
	}
	if err := t.tx.LinkChange(ctx, tk.ID, c, storage.Caused, t.who.ID, t.via(), t.at); err != nil {
		return err
	}
	if err := t.tx.Redraw(ctx, int64(tk.ID), t.at, cards.TriageCard, cards.StatusCard); err != nil {
		return err
	}
	text := fmt.Sprintf("%s says that %s “%s” comes from %s “%s”.", t.who.Name, tk.Ref(), tk.Title, c.Ref(), c.Title)
	if c.WantsReview() {
		text += " So it counts as failed, and wants a review: what was learnt?"
		if s, ok := t.standard(c.Rule); ok {
			text += " Until then “" + s.Title + "” is off the list of standard changes."
		}
		if err := t.tx.SetDue(ctx, changeWindow, int64(c.ID), t.at.Add(reviewEvery)); err != nil {
			return err
		}
	}
	for _, p := range c.Own() {
		if err := t.direct(ctx, p, cards.Say(text)); err != nil {
			return err
		}
	}
	if c.WantsReview() {
		if err := t.changeCard(ctx, c.Implementer, c); err != nil {
			return err
		}
	}
	return t.redrawChange(ctx, c)
}

// clear says that an incident does not come from a change.
func (t *turn) clear(ctx context.Context) error {
	tk, c, l, err := t.linked(ctx)
	if err != nil || l == storage.Cleared {
		return err // a double click
	}
	if l != storage.Suspected {
		return &ticket.RefusedError{Step: "rule out " + c.Ref() + " for", Reason: "it has been said already that it comes from it"}
	}
	if err := t.tx.LinkChange(ctx, tk.ID, c, storage.Cleared, t.who.ID, t.via(), t.at); err != nil {
		return err
	}
	return t.tx.Redraw(ctx, int64(tk.ID), t.at, cards.TriageCard, cards.StatusCard)
}

// foundOut is the change that an incident was resolved by, as far as the form
// names one, and what is wrong with what it says.
func (t *turn) foundOut(ctx context.Context, tk ticket.Ticket) (c change.Change, wrong map[string]string, err error) {
	c = change.Change{Title: strings.Join(strings.Fields(t.ev.Values.One("changed")), " "), Why: "To resolve " + tk.Ref() + ": " + tk.Title,
		Team: tk.Team, Service: tk.Service}
	n, _ := strconv.ParseInt(t.ev.Values.One(cards.ItemField), 10, 64)
	switch {
	case c.Title == "" && n == 0:
		return c, nil, nil
	case c.Title == "":
		return c, map[string]string{"changed": "Please say in a few words what you changed on it, or leave both fields empty."}, nil
	case len([]rune(c.Title)) > change.MostTitle:
		return c, map[string]string{"changed": fmt.Sprintf("Please say it in at most %d characters.", change.MostTitle)}, nil
	}
	g, err := t.graph(ctx)
	if err != nil {
		return c, nil, err
	}
	if it, ok := g.Item(cmdb.ItemID(n)); ok {
		c.Items = []cmdb.ItemID{it.ID}
		return c, nil, nil
	}
	about, err := t.tx.ItemsOf(ctx, tk.ID)
	if err != nil {
		return c, nil, err
	}
	for _, it := range about {
		c.Items = append(c.Items, it.ID)
	}
	if len(c.Items) == 0 && g.Len() > 0 {
		wrong = map[string]string{cards.ItemField: "Please choose what it was done on: without that nobody finds it."}
	}
	return c, wrong, nil
}

// recordFound stores the change that an incident was resolved by, and tells
// whoever answers for what was changed.
func (t *turn) recordFound(ctx context.Context, tk ticket.Ticket, c change.Change) error {
	from := tk.OpenedAt
	if !tk.ClaimedAt.IsZero() {
		from = tk.ClaimedAt
	}
	c, ev, err := change.Found(c, from, t.who.ID, t.at)
	if err != nil {
		return err
	}
	facts, err := t.changeFacts(ctx, c)
	if err != nil {
		return err
	}
	c.Risk, c.Because = c.Judge(change.Facts{Impact: facts.impact, Items: facts.items, Failed: facts.failed})
	if c, err = t.tx.OpenChange(ctx, c, ev, t.via()); err != nil {
		return err
	}
	if err := t.tx.LinkChange(ctx, tk.ID, c, storage.Made, t.who.ID, t.via(), t.at); err != nil {
		return err
	}
	owners, err := (&rosters{}).owners(ctx, t, c)
	if err != nil {
		return err
	}
	for _, p := range owners {
		if p == t.who.ID {
			continue
		}
		if err := t.direct(ctx, p, cards.Say(fmt.Sprintf("%s has changed something that you answer for, to resolve %s: %s. It is on record as %s.", t.who.Name, tk.Ref(), c.Title, c.Ref()))); err != nil {
			return err
		}
	}
	return nil
}
