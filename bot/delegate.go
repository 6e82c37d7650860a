package bot

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/deskhand/deskhand/bot/cards"
	"github.com/deskhand/deskhand/core/approval"
	"github.com/deskhand/deskhand/storage"
)

// delegate asks who answers for the actor while she is away; where no form can
// be opened it offers it.
func (t *turn) delegate(ctx context.Context) error {
	if t.who.Guest {
		return t.private(ctx, "Approvals are for people of the company.")
	}
	if !t.ev.InCall {
		return t.privately(ctx, cards.DelegateCard())
	}
	all, err := t.tx.Delegations(ctx, t.at)
	if err != nil {
		return err
	}
	now := ""
	zone := t.zone(t.who.Person)
	for _, d := range all {
		if d.From != t.who.ID {
			continue
		}
		to, err := t.tx.People(ctx, d.To)
		if err != nil {
			return err
		}
		now = fmt.Sprintf("%s answers for you until %s.", to[d.To].Name, d.Until.In(zone).Add(-time.Second).Format("Mon 2 Jan"))
	}
	f := cards.DelegateForm(now, t.at.In(zone).Format(time.DateOnly))
	t.answer.Form = &f
	return nil
}

// delegateSend hands over the actor's approvals for some days.
func (t *turn) delegateSend(ctx context.Context) error {
	zone := t.zone(t.who.Person)
	wrong := map[string]string{}
	day := func(field string) time.Time {
		at, err := time.ParseInLocation(time.DateOnly, t.ev.Values.One(field), zone)
		if err != nil {
			wrong[field] = "Please choose a day."
		}
		return at
	}
	d := approval.Delegation{From: t.who.ID, Since: day("since"), Until: day("until").AddDate(0, 0, 1)}
	if d.Since.Before(t.at) {
		d.Since = t.at
	}
	to, _, err := t.tx.Actor(ctx, t.ev.By.Platform, t.ev.By.Workspace, t.ev.Values.One("person"))
	switch {
	case errors.Is(err, storage.ErrNotFound):
		wrong["person"] = "I don't know this account yet. Please try again in a moment."
	case err != nil:
		return err
	}
	if len(wrong) > 0 {
		t.answer.Errors = wrong
		return nil
	}
	d.To = to.ID
	// Two who hand over to each other at the same moment would make a circle.
	if err := t.tx.LockDelegations(ctx); err != nil {
		return err
	}
	r := approval.Roster{}
	if r.Able, err = t.tx.Able(ctx); err != nil {
		return err
	}
	if r.Delegations, err = t.tx.Delegations(ctx, t.at); err != nil {
		return err
	}
	if _, err := r.Delegate(d, t.at); err != nil {
		refused, ok := errors.AsType[*approval.RefusedError](err)
		if !ok {
			return err
		}
		t.answer.Errors = map[string]string{"person": strings.ToUpper(refused.Reason[:1]) + refused.Reason[1:] + "."}
		return nil
	}
	if err := t.tx.Delegate(ctx, d, t.via(), t.at); err != nil {
		return err
	}
	until := d.Until.In(zone).Add(-time.Second).Format("Mon 2 Jan")
	if err := t.direct(ctx, to.ID, cards.Say(fmt.Sprintf("%s has asked you to answer for them until %s: what waits for their approval comes to you too. The record says for whom you answered.", t.who.Name, until))); err != nil {
		return err
	}
	return t.showWaiting(ctx, d)
}

// showWaiting gives a delegate the cards of what waits already.
func (t *turn) showWaiting(ctx context.Context, d approval.Delegation) error {
	if d.Since.After(t.at) {
		return nil // what is asked then comes by itself, and “approvals” lists the rest
	}
	waiting, err := t.waitingFor(ctx, d.To)
	if err != nil {
		return err
	}
	for _, c := range waiting {
		if err := t.cardTo(ctx, d.To, cards.ApproveCard, c); err != nil {
			return err
		}
	}
	return nil
}

// takeBack ends what the actor has handed over.
func (t *turn) takeBack(ctx context.Context) error {
	ended, err := t.tx.EndDelegation(ctx, t.who.ID, t.via(), t.at)
	if err != nil {
		return err
	}
	if !ended {
		return t.private(ctx, "Nobody answers for you.")
	}
	return t.private(ctx, "You answer for yourself again.")
}
