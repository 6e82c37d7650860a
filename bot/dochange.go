package bot

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/deskhand/deskhand/bot/cards"
	"github.com/deskhand/deskhand/core/approval"
	"github.com/deskhand/deskhand/core/change"
	"github.com/deskhand/deskhand/core/cmdb"
	"github.com/deskhand/deskhand/core/ticket"
)

func itemKey(g *cmdb.Graph) func(cmdb.ItemID) string {
	return func(id cmdb.ItemID) string {
		it, _ := g.Item(id)
		return it.Key
	}
}

// ownChange is the change of a button or form, locked, for those whose it is.
func (t *turn) ownChange(ctx context.Context, step string) (change.Change, error) {
	c, err := t.draftChange(ctx)
	if refused, ok := errors.AsType[*ticket.RefusedError](err); ok && refused.Step == "edit" {
		refused.Step = step
	}
	if err == nil && c.ID == 0 {
		err = &ticket.RefusedError{Step: step, Reason: "there is no such change"}
	}
	return c, err
}

// changed keeps a step that a change took, and tells of it; a refusal is in words
// already.
func (t *turn) changed(ctx context.Context, was, c change.Change, ev change.Event, err error) (change.Change, error) {
	if refused, ok := errors.AsType[*change.RefusedError](err); ok {
		return was, &ticket.RefusedError{Step: refused.Step, Reason: refused.Reason}
	}
	if err != nil {
		return was, err
	}
	if c, err = t.tx.SaveChange(ctx, was, c, ev, t.via()); err != nil {
		return was, err
	}
	return c, t.changeMoved(ctx, was, c, nil)
}

// beginWork says that the work has begun.
func (t *turn) beginWork(ctx context.Context) error {
	was, err := t.ownChange(ctx, "start")
	if err != nil || was.State == change.Doing { // a double click
		return err
	}
	_, err = t.begun(ctx, was, t.at)
	return err
}

// begun keeps that the work began at an instant, on the strength of what was
// approved. The audit record says when that was said.
func (t *turn) begun(ctx context.Context, was change.Change, at time.Time) (change.Change, error) {
	c, ev, err := was.Begin(t.who.ID, at)
	ev.At = t.at
	if err == nil && was.Kind != change.Standard {
		a, problem := t.tx.ApprovalOf(ctx, was.ID)
		if problem != nil {
			return was, problem
		}
		a, events, problem := a.Begin(was.Hash(), t.who.ID, at)
		if refused, ok := errors.AsType[*approval.RefusedError](problem); ok {
			return was, &ticket.RefusedError{Step: "start", Reason: refused.Reason}
		}
		for i := range events {
			events[i].At = t.at
		}
		if problem == nil {
			problem = t.tx.SaveApproval(ctx, c, a, events, t.via())
		}
		if problem != nil {
			return was, problem
		}
	}
	if err == nil {
		if err := t.tx.SetDue(ctx, changeWindow, int64(c.ID), c.To); err != nil {
			return was, err
		}
	}
	return t.changed(ctx, was, c, ev, err)
}

// end says how the work ended: that it worked at one press, anything else with
// a word about it.
func (t *turn) end(ctx context.Context) error {
	outcome := change.Outcome(t.ev.Args["o"])
	if outcome != change.Worked {
		return t.sayWhy(ctx)
	}
	return t.ended(ctx, outcome, "")
}

func (t *turn) endSend(ctx context.Context) error {
	why := strings.TrimSpace(t.ev.Values.One("why"))
	if why == "" {
		t.answer.Errors = map[string]string{"why": "Please say what went wrong: the next one learns from it."}
		return nil
	}
	if t.tooLong("why", mostNote) {
		return nil
	}
	return t.ended(ctx, change.Outcome(t.ev.Args["o"]), why)
}

func (t *turn) ended(ctx context.Context, o change.Outcome, note string) error {
	was, err := t.ownChange(ctx, "end")
	if err != nil || was.State == change.Done && was.Outcome == o { // a double click
		return err
	}
	_, err = t.over(ctx, was, o, note, t.at)
	return err
}

// over keeps how the work ended, at an instant.
func (t *turn) over(ctx context.Context, was change.Change, o change.Outcome, note string, at time.Time) (change.Change, error) {
	c, ev, err := was.End(o, note, t.who.ID, at)
	ev.At = t.at
	if err == nil {
		if !c.WantsReview() {
			err = t.tx.ClearDue(ctx, changeWindow, int64(c.ID))
		} else {
			err = t.tx.SetDue(ctx, changeWindow, int64(c.ID), t.at.Add(reviewEvery))
		}
		if err != nil {
			return was, err
		}
	}
	return t.changed(ctx, was, c, ev, err)
}

// reviewEvery is how often a review that is owed is asked for.
const reviewEvery = 24 * nagEvery

// learn keeps the review.
func (t *turn) learn(ctx context.Context) error {
	review := strings.TrimSpace(t.ev.Values.One("why"))
	if review == "" {
		t.answer.Errors = map[string]string{"why": "Please say in a few words what was learnt."}
		return nil
	}
	if t.tooLong("why", mostNote) {
		return nil
	}
	was, err := t.ownChange(ctx, "review")
	if err != nil {
		return err
	}
	c, ev, err := was.Learn(review, t.who.ID, t.at)
	if err == nil {
		if err := t.tx.ClearDue(ctx, changeWindow, int64(c.ID)); err != nil {
			return err
		}
	}
	_, err = t.changed(ctx, was, c, ev, err)
	return err
}

// callOff cancels a change before its work has begun.
func (t *turn) callOff(ctx context.Context) error {
	why := strings.TrimSpace(t.ev.Values.One("why"))
	if why == "" {
		t.answer.Errors = map[string]string{"why": "Please say why: those who were asked read it."}
		return nil
	}
	if t.tooLong("why", mostNote) {
		return nil
	}
	was, err := t.ownChange(ctx, "cancel")
	if err != nil {
		return err
	}
	c, ev, err := was.Cancel(why, t.who.ID, t.at)
	if err != nil {
		_, err = t.changed(ctx, was, c, ev, err)
		return err
	}
	for _, due := range []string{approvalStep, changeWindow} {
		if err := t.tx.ClearDue(ctx, due, int64(c.ID)); err != nil {
			return err
		}
	}
	a, problem := t.tx.ApprovalOf(ctx, was.ID)
	if problem == nil && (a.State == approval.Waiting || a.State == approval.Approved || a.State == approval.ChangesRequested || a.State == approval.Blocked) {
		a, events, err := a.Withdraw(why, t.who.ID, t.at)
		if err != nil {
			return err
		}
		if err := t.tx.SaveApproval(ctx, c, a, events, t.via()); err != nil {
			return err
		}
		for _, e := range events {
			if err := t.tellApproval(ctx, c, e); err != nil {
				return err
			}
		}
	} else if problem = ignoreMissing(problem); problem != nil {
		return problem
	}
	_, err = t.changed(ctx, was, c, ev, nil)
	return err
}

// dueWindow asks whoever does a change how it stands: when its window begins,
// each hour when it is over, and each day for the review that is owed.
func (t *turn) dueWindow(ctx context.Context, id change.ID) error {
	c, err := t.tx.ChangeForUpdate(ctx, id)
	if err != nil {
		return ignoreMissing(err)
	}
	var text string
	again := t.at.Add(nagEvery)
	switch {
	case c.State == change.Scheduled && t.at.Before(c.To) && c.Pipeline != nil:
		return t.tx.SetDue(ctx, changeWindow, int64(id), c.To) // it begins by itself
	case c.State == change.Scheduled && t.at.Before(c.To):
		text = "The window of " + c.Ref() + " “" + c.Title + "” has begun. Press Started when you begin."
		again = c.To
	case c.State == change.Scheduled:
		text = "The window of " + c.Ref() + " “" + c.Title + "” is over and it was not started. Edit it to ask for another window, or cancel it."
	case c.State == change.Doing:
		text = "The window of " + c.Ref() + " “" + c.Title + "” is over. Did it work? Say so on the card."
	case c.WantsReview():
		text = c.Ref() + " “" + c.Title + "” ended " + ago(t.at.Sub(c.EndedAt)) + " ago and still wants its review: what was learnt?"
		again = t.at.Add(reviewEvery)
	default:
		return nil
	}
	who := c.Implementer
	if who == 0 {
		who = c.Requester
	}
	if err := t.direct(ctx, who, cards.Say(text)); err != nil {
		return err
	}
	if err := t.changeCard(ctx, who, c); err != nil {
		return err
	}
	if err := t.redrawChange(ctx, c); err != nil {
		return err
	}
	return t.tx.SetDue(ctx, changeWindow, int64(id), again)
}
