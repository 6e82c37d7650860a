package bot

import (
	"context"
	"slices"
	"strings"

	"github.com/deskhand/deskhand/bot/cards"
	"github.com/deskhand/deskhand/core/ticket"
	"github.com/deskhand/deskhand/storage"
)

// wait asks what a ticket waits for.
func (t *turn) wait(ctx context.Context) error {
	tk, err := t.worker(ctx, "put on hold")
	if err != nil {
		return err
	}
	if !tk.Open() {
		return &ticket.RefusedError{Step: "put on hold", Reason: "it is already resolved"}
	}
	f := cards.WaitForm(tk)
	t.answer.Form = &f
	return nil
}

func (t *turn) waitSend(ctx context.Context) error {
	was, err := t.worker(ctx, "put on hold")
	if err != nil {
		return err
	}
	reason, note := ticket.Reason(t.ev.Values.One("reason")), strings.TrimSpace(t.ev.Values.One("note"))
	if !slices.Contains(ticket.Reasons, reason) {
		t.answer.Errors = map[string]string{"reason": "Please choose what it is waiting for."}
		return nil
	}
	if t.tooLong("note", mostNote) {
		return nil
	}
	is, ev, err := was.Wait(reason, note, t.who.ID, t.at)
	if err != nil {
		return err
	}
	if _, err := t.save(ctx, was, is, ev); err != nil {
		return err
	}
	if reason != ticket.ForRequester || note == "" {
		return nil
	}
	if err := t.answered(ctx, is); err != nil {
		return err
	}
	requester, err := t.tx.People(ctx, is.Requester)
	if err != nil {
		return err
	}
	return t.eachThread(ctx, is, storage.RequesterSide, func(th storage.Thread) error {
		return t.sayIn(ctx, th, t.mention(ctx, th, requester[is.Requester], "", ", "+t.who.Name+" asks: "+note))
	})
}

// wake goes on with a waiting ticket.
func (t *turn) wake(ctx context.Context) error {
	was, err := t.worker(ctx, "go on with")
	if err != nil {
		return err
	}
	if was.State == ticket.InProgress {
		return nil // a double click, or the requester was faster
	}
	is, ev, err := was.Wake(t.who.ID, "", t.at)
	if err != nil {
		return err
	}
	_, err = t.save(ctx, was, is, ev)
	return err
}

// priority asks for impact and urgency anew.
func (t *turn) priority(ctx context.Context) error {
	tk, err := t.worker(ctx, "change the priority of")
	if err != nil {
		return err
	}
	if !tk.Open() {
		return &ticket.RefusedError{Step: "change the priority of", Reason: "it is already resolved"}
	}
	f := cards.PriorityForm(tk)
	t.answer.Form = &f
	return nil
}

func (t *turn) prioritySend(ctx context.Context) error {
	was, err := t.worker(ctx, "change the priority of")
	if err != nil {
		return err
	}
	impact, urgency := ticket.Impact(t.ev.Values.One("impact")), ticket.Urgency(t.ev.Values.One("urgency"))
	why := strings.TrimSpace(t.ev.Values.One("why"))
	override := ticket.Priority(0)
	if s := t.ev.Values.One("priority"); len(s) == 1 && s >= "1" && s <= "4" {
		override = ticket.Priority(s[0] - '0')
	}
	wrong := map[string]string{}
	if !slices.Contains(ticket.Impacts, impact) {
		wrong["impact"] = "Please choose who is affected."
	}
	if !slices.Contains(ticket.Urgencies, urgency) {
		wrong["urgency"] = "Please choose by when it hurts more."
	}
	if why == "" {
		wrong["why"] = "Please say why: it stays on the card."
	}
	if len(wrong) > 0 {
		t.answer.Errors = wrong
		return nil
	}
	if t.tooLong("why", mostWhy) {
		return nil
	}
	is, ev, err := was.Prioritise(impact, urgency, override, why, t.rules.matrix, t.who.ID, t.at)
	if err != nil {
		return err
	}
	_, err = t.save(ctx, was, is, ev)
	return err
}
