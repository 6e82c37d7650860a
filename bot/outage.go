package bot

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/deskhand/deskhand/bot/cards"
	"github.com/deskhand/deskhand/bot/chat"
	"github.com/deskhand/deskhand/core/ticket"
	"github.com/deskhand/deskhand/storage"
)

const (
	outageOver = "outage.over" // subject: a resolved ticket that concerns others too
	// toldAtOnce is how many are told in one transaction that it is fixed.
	toldAtOnce = 50
)

// outage asks an agent what is down, to be answered first from then on.
func (t *turn) outage(ctx context.Context) error {
	tk, err := t.worker(ctx, "flag")
	if err != nil {
		return err
	}
	if err := mayFlag(tk); err != nil {
		return err
	}
	what := tk.Title
	if s, ok := t.rules.service(tk.Service); ok && s.Slug != "other" {
		what = s.Name
	}
	f := cards.OutageForm(tk, what)
	t.answer.Form = &f
	return nil
}

func mayFlag(tk ticket.Ticket) error {
	switch {
	case tk.Kind != ticket.Incident:
		return &ticket.RefusedError{Step: "flag", Reason: "it is a request, not something that is broken"}
	case !tk.Open():
		return &ticket.RefusedError{Step: "flag", Reason: "it is resolved"}
	}
	return nil
}

func (t *turn) outageSend(ctx context.Context) error {
	tk, err := t.worker(ctx, "flag")
	if err != nil {
		return err
	}
	if err := mayFlag(tk); err != nil {
		return err
	}
	what := strings.Join(strings.Fields(tidy(t.ev.Values.One("what"))), " ")
	if what == "" {
		t.answer.Errors = map[string]string{"what": "Please say what is down."}
		return nil
	}
	if t.tooLong("what", mostWhy/2) {
		return nil
	}
	if err := t.tx.FlagOutage(ctx, storage.KnownOutage{Ticket: tk.ID, What: what, Since: tk.OpenedAt}, t.who.ID, t.via(), t.at); err != nil {
		return err
	}
	return t.redrawOutage(ctx, tk.ID)
}

// noOutage takes it back: nobody is answered with it any more. Those whom it
// concerns are still told when the ticket is resolved.
func (t *turn) noOutage(ctx context.Context) error {
	tk, err := t.worker(ctx, "change")
	if err != nil {
		return err
	}
	if err := t.tx.EndOutage(ctx, tk.ID, t.who.ID, t.via(), t.at); err != nil {
		return err
	}
	if err := t.redrawOutage(ctx, tk.ID); err != nil {
		return err
	}
	return t.aboutForm(ctx, tk)
}

func (t *turn) redrawOutage(ctx context.Context, id ticket.ID) error {
	if err := t.tx.Redraw(ctx, int64(id), t.at, cards.TriageCard, cards.StatusCard); err != nil {
		return err
	}
	return t.tx.RedrawOutage(ctx, id, cards.QuestionCard, t.at)
}

// meToo and tellMe say that an outage concerns whoever asked.
func (t *turn) meToo(ctx context.Context) error  { return t.affects(ctx, true) }
func (t *turn) tellMe(ctx context.Context) error { return t.affects(ctx, false) }

func (t *turn) affects(ctx context.Context, meToo bool) error {
	tk, err := t.ticket(ctx) // before the question, as everywhere
	if err != nil {
		return err
	}
	q, err := t.question(ctx)
	if err != nil {
		return err
	}
	if q.Outage != tk.ID {
		return &ticket.RefusedError{Step: "add you to", Reason: "it is not what this question is about any more"}
	}
	if !tk.Open() {
		if err := t.tx.Redraw(ctx, int64(q.ID), t.at, cards.QuestionCard); err != nil {
			return err
		}
		return t.private(ctx, tk.Ref()+" is resolved. If it does not work for you, press “It is something else”, or write to me.")
	}
	if err := t.tx.Affect(ctx, tk.ID, q.Person, meToo, q.ID, t.via(), t.at); err != nil {
		return err
	}
	if q.Ticket == 0 {
		if err := t.endWithTicket(ctx, q, storage.WentTicket, tk.ID); err != nil {
			return err
		}
	}
	return t.tx.Redraw(ctx, int64(tk.ID), t.at, cards.TriageCard)
}

// somethingElse looks for an answer after all.
func (t *turn) somethingElse(ctx context.Context) error {
	q, err := t.question(ctx)
	if err != nil || q.Outage == 0 || q.Outcome != storage.StillOpen && q.Outcome != storage.Silent {
		return err
	}
	not := q.Outage
	before, err := t.beforehand(ctx, q.Person)
	if err != nil {
		return err
	}
	others := slices.DeleteFunc(before.Outages, func(o storage.KnownOutage) bool { return o.Ticket == not })
	var th storage.Thread
	if q.Thread != 0 {
		if th, err = t.tx.Thread(ctx, q.Thread); err != nil {
			return err
		}
	}
	if err := t.suggest(ctx, &q, th, others); err != nil {
		return err
	}
	if err := t.tx.RewordQuestion(ctx, q, q.Text, t.via(), t.at); err != nil {
		return err
	}
	return t.tx.Redraw(ctx, int64(q.ID), t.at, cards.QuestionCard)
}

// outageView is a known outage as whoever asked sees it.
func (t *turn) outageView(ctx context.Context, q storage.Question) (*cards.OutageView, error) {
	o, err := t.tx.KnownOutage(ctx, q.Outage)
	if errors.Is(err, storage.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	tk, err := t.tx.Ticket(ctx, q.Outage)
	if err != nil {
		return nil, err
	}
	a, yes, err := t.tx.IsAffected(ctx, q.Outage, q.Person)
	if err != nil {
		return nil, err
	}
	v := &cards.OutageView{Ticket: tk, What: o.What, Since: o.Since, MeToo: yes && a.MeToo, TellMe: yes}
	if o.EndedAt != nil {
		v.Ended = *o.EndedAt
	}
	return v, nil
}

// outageStep follows a ticket that others may be waiting for: it is resolved, or
// not after all.
func (t *turn) outageStep(ctx context.Context, was, is ticket.Ticket) error {
	switch {
	case is.State == ticket.Done && was.State != ticket.Done:
		if err := t.tx.EndOutage(ctx, is.ID, t.who.ID, t.via(), t.at); err != nil {
			return err
		}
		if err := t.tx.SetDueIfAffected(ctx, outageOver, is.ID, t.at); err != nil {
			return err
		}
	case is.State != ticket.Done && was.State == ticket.Done:
		if err := t.tx.ResumeOutage(ctx, is.ID, t.at); err != nil {
			return err
		}
		if err := t.tx.ClearDue(ctx, outageOver, int64(is.ID)); err != nil {
			return err
		}
	default:
		return nil
	}
	return t.tx.RedrawOutage(ctx, is.ID, cards.QuestionCard, t.at)
}

// tellFixed tells those whom a ticket concerns that it is fixed, some at a time:
// where they asked, or else in their direct messages.
func (t *turn) tellFixed(ctx context.Context, id ticket.ID) error {
	tk, err := t.tx.TicketForUpdate(ctx, id)
	if err != nil || tk.State != ticket.Done {
		return ignoreMissing(err)
	}
	next, err := t.tx.TellAffected(ctx, id, toldAtOnce, t.at)
	if err != nil || len(next) == 0 {
		return err
	}
	what := tk.Title
	if o, err := t.tx.KnownOutage(ctx, id); err == nil {
		what = o.What
	} else if !errors.Is(err, storage.ErrNotFound) {
		return err
	}
	card := cards.OutageFixed(tk, what)
	for _, a := range next {
		th, err := t.askedIn(ctx, a.Question)
		if err != nil {
			return err
		}
		if th.ID != 0 && th.Scope == string(chat.Direct) {
			err = t.sayIn(ctx, th, card)
		} else {
			err = t.direct(ctx, a.Person, card)
		}
		if err != nil {
			return err
		}
	}
	if len(next) < toldAtOnce {
		return nil
	}
	return t.tx.SetDue(ctx, outageOver, int64(id), t.at)
}

// askedIn is the thread of a question; the zero value if there is none.
func (t *turn) askedIn(ctx context.Context, id storage.QuestionID) (th storage.Thread, err error) {
	if id == 0 {
		return th, nil
	}
	q, err := t.tx.Question(ctx, id)
	if err != nil || q.Thread == 0 {
		return th, ignoreMissing(err)
	}
	return t.tx.Thread(ctx, q.Thread)
}
