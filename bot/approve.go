package bot

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/deskhand/deskhand/bot/cards"
	"github.com/deskhand/deskhand/bot/chat"
	"github.com/deskhand/deskhand/core/approval"
	"github.com/deskhand/deskhand/core/change"
	"github.com/deskhand/deskhand/core/people"
	"github.com/deskhand/deskhand/core/ticket"
	"github.com/deskhand/deskhand/storage"
)

// The names are stored.
const (
	approvalStep = "change.approval" // subject: a change whose approval goes a step by itself
	changeWindow = "change.window"   // subject: a change whose window begins, or is over
	changeNotice = "change.notice"   // subject: a change that is to be announced
)

// nagEvery is how often whoever does a change is asked how it stands.
const nagEvery = time.Hour

// changeView is a change with all that its cards name.
func (t *turn) changeView(ctx context.Context, c change.Change) (cards.ChangeView, error) {
	return t.changeViewIn(ctx, c.ID, storage.Post{})
}

// changeViewIn is changeView for a card that stands somewhere. It takes two trips
// to the record.
func (t *turn) changeViewIn(ctx context.Context, id change.ID, p storage.Post) (cards.ChangeView, error) {
	facts, err := t.tx.ChangeFacts(ctx, id, p)
	if err != nil {
		return cards.ChangeView{}, err
	}
	g, err := t.graphAt(ctx, facts.Items)
	if err != nil {
		return cards.ChangeView{}, err
	}
	var f changeFacts
	if err := t.around(ctx, g, facts.Change, &f); err != nil {
		return cards.ChangeView{}, err
	}
	v := cards.ChangeView{Change: facts.Change, Approval: facts.Approval, Names: facts.People, Items: f.items, Impact: f.impact, Clashes: f.clashes, Moved: facts.Moved}
	if !facts.Change.StartedAt.IsZero() {
		if v.Tickets, err = t.ticketsOf(ctx, id); err != nil {
			return v, err
		}
	}
	if s, ok := t.standard(v.Change.Rule); ok {
		v.Rule = s.Title
	}
	return v, nil
}

// changeMoved tells whoever is to hear of what has happened to a change, and has
// its cards drawn anew.
func (t *turn) changeMoved(ctx context.Context, was, c change.Change, events []approval.Event) error {
	first := was.State == change.Draft && was.Note == "" && c.State != was.State || was.ID == 0
	if first {
		if err := t.changeCard(ctx, c.Requester, c); err != nil {
			return err
		}
		if c.Implementer != c.Requester && c.Implementer != 0 {
			if err := t.changeCard(ctx, c.Implementer, c); err != nil {
				return err
			}
		}
	}
	for _, e := range events {
		if err := t.tellApproval(ctx, c, e); err != nil {
			return err
		}
	}
	if c.Pipeline != nil && was.Verdict() != c.Verdict() && !(first && c.State == change.Asked) {
		if err := t.callBack(ctx, c); err != nil {
			return err
		}
	}
	if c.State == change.Scheduled && (was.State != c.State || !was.From.Equal(c.From)) {
		if err := t.tx.SetDue(ctx, changeWindow, int64(c.ID), c.From); err != nil {
			return err
		}
		if err := t.tx.SetDue(ctx, changeNotice, int64(c.ID), c.From.Add(-notice)); err != nil {
			return err
		}
	}
	return t.redrawChange(ctx, c)
}

func (t *turn) redrawChange(ctx context.Context, c change.Change) error {
	return t.tx.Redraw(ctx, int64(c.ID), t.at, cards.ApproveCard, cards.ChangeCard, cards.AnnounceCard)
}

// changeCard posts the card of a change in somebody's direct messages.
func (t *turn) changeCard(ctx context.Context, to people.PersonID, c change.Change) error {
	return t.cardTo(ctx, to, cards.ChangeCard, c)
}

func (t *turn) cardTo(ctx context.Context, to people.PersonID, name string, c change.Change) error {
	accounts, err := t.tx.Accounts(ctx, to)
	if err != nil || len(accounts) == 0 {
		return err // somebody whom no platform knows yet sees it in the list
	}
	th, err := t.directThread(ctx, accounts[0])
	if err != nil {
		return err
	}
	return t.tx.Send(ctx, storage.Post{Kind: string(chat.Message), Platform: th.Platform, Workspace: th.Workspace,
		Thread: th.ID, Root: true, Card: name, Subject: int64(c.ID)}, storage.LaneApproval, t.at)
}

// tellApproval tells those whom an event of an approval concerns.
func (t *turn) tellApproval(ctx context.Context, c change.Change, e approval.Event) error {
	var text string
	switch e.Action {
	case approval.StageAsked, approval.Escalated:
		for _, p := range e.Tell {
			if slices.Contains(c.Own(), p) {
				continue
			}
			if err := t.cardTo(ctx, p, cards.ApproveCard, c); err != nil {
				return err
			}
		}
		if e.Action == approval.StageAsked {
			return nil
		}
		for _, p := range c.Own() {
			if err := t.direct(ctx, p, cards.Say(c.Ref()+" has waited long enough: its deputies are asked now.")); err != nil {
				return err
			}
		}
		return nil
	case approval.Reminded:
		text = c.Ref() + " “" + c.Title + "” still waits for your answer. Half of the time is over."
	case approval.Granted:
		text = c.Ref() + " “" + c.Title + "” is approved."
	case approval.Denied:
		text = c.Ref() + " “" + c.Title + "” was rejected: " + e.Note
	case approval.Returned:
		text = c.Ref() + " “" + c.Title + "” was sent back: " + e.Note + " Edit it and ask again."
	case approval.WasBlocked:
		text = c.Ref() + " “" + c.Title + "” is blocked: its window has begun, and not everybody had said yes. Silence is no yes."
	case approval.GotStuck:
		text = c.Ref() + " can't be approved any more by those who were asked. Please look at who they are, and ask again."
	case approval.Edited:
		text = c.Ref() + " “" + c.Title + "” was changed after your yes, so I ask you again. The new card says what is different."
	case approval.TakenBack:
		text = c.Ref() + " “" + c.Title + "” was cancelled. Nothing is left to do."
	default:
		return nil
	}
	for _, p := range e.Tell {
		if err := t.direct(ctx, p, cards.Say(text)); err != nil {
			return err
		}
	}
	return nil
}

// dueApproval says when the approval goes its next step by itself.
func (t *turn) dueApproval(ctx context.Context, c change.Change, a approval.Approval) error {
	next, ok := a.Due(t.at)
	if !ok {
		return t.tx.ClearDue(ctx, approvalStep, int64(c.ID))
	}
	return t.tx.SetDue(ctx, approvalStep, int64(c.ID), next.At)
}

// asked is the change of a button or form with its approval, as read has it.
func (t *turn) asked(ctx context.Context, read func(context.Context, change.ID) (change.Change, error)) (change.Change, approval.Approval, approval.Roster, error) {
	c, err := read(ctx, change.ID(t.id("c")))
	if err != nil {
		return c, approval.Approval{}, approval.Roster{}, orUnknown(err, "change")
	}
	a, err := t.tx.ApprovalOf(ctx, c.ID)
	if err != nil {
		return c, a, approval.Roster{}, orUnknown(err, "question")
	}
	r, err := t.roster(ctx, c, a.Stages)
	return c, a, r, err
}

// vote counts an answer. What may not be counted is told privately.
func (t *turn) vote(ctx context.Context, answer approval.Answer, note string, confirmed bool) error {
	number := func(key string) int { n, _ := strconv.Atoi(t.ev.Args[key]); return n }
	ballot := approval.Ballot{By: t.who.ID, For: people.PersonID(t.id("seat")), Answer: answer, Note: note,
		Round: number("r"), Stage: number("s"), Hash: t.ev.Args["h"], Confirmed: confirmed}
	count := func(read func(context.Context, change.ID) (change.Change, error)) (was change.Change, next approval.Approval, events []approval.Event, err error) {
		was, a, r, err := t.asked(ctx, read)
		if err == nil {
			next, events, err = a.Vote(ballot, r, t.at)
		}
		return was, next, events, err
	}
	// A click that does not count is told so without waiting for those that do:
	// on a card that many have, these are most.
	was, next, events, err := count(t.tx.Change)
	if err == nil {
		was, next, events, err = count(t.tx.ChangeForUpdate)
	}
	if refused, ok := errors.AsType[*approval.RefusedError](err); ok {
		return t.voteRefused(ctx, was, refused)
	}
	if err != nil {
		return err
	}
	return t.followed(ctx, was, next, events)
}

// followed stores a step of an approval and what it makes of its change.
func (t *turn) followed(ctx context.Context, was change.Change, a approval.Approval, events []approval.Event) error {
	c, ev, moved := was.Follow(a, t.at)
	if moved {
		var err error
		if c, err = t.tx.SaveChange(ctx, was, c, ev, t.via()); err != nil {
			return err
		}
	}
	if err := t.tx.SaveApproval(ctx, c, a, events, t.via()); err != nil {
		return err
	}
	if err := t.dueApproval(ctx, c, a); err != nil {
		return err
	}
	return t.changeMoved(ctx, was, c, events)
}

func (t *turn) voteRefused(ctx context.Context, c change.Change, refused *approval.RefusedError) error {
	if refused.Why == approval.ForWhom {
		v, err := t.changeView(ctx, c)
		if err != nil {
			return err
		}
		return t.privately(ctx, cards.ForWhom(v, t.ev.Action, refused.People, t.ev.Args))
	}
	ids := append(slices.Clone(refused.People), refused.By, refused.For)
	names, err := t.tx.People(ctx, ids...)
	if err != nil {
		return err
	}
	zone := t.zone(t.who.Person)
	text := refused.Words(func(id people.PersonID) string { return names[id].Name }, func(at time.Time) string { return at.In(zone).Format("Mon 2 Jan 15:04") })
	// Whoever pressed may look at a card as it was.
	p, err := t.tx.PostAt(ctx, t.ev.By.Platform, t.ev.By.Workspace, t.ev.Place.Channel, t.ev.Message)
	if err == nil {
		err = t.tx.RedrawPost(ctx, p.ID, storage.LaneReply, t.at)
	}
	if ignoreMissing(err) != nil {
		return err
	}
	return t.private(ctx, c.Ref()+": "+text)
}

// approve is the button; a high risk is confirmed by typing the number.
func (t *turn) approve(ctx context.Context) error {
	c, err := t.tx.Change(ctx, change.ID(t.id("c")))
	if err != nil {
		return orUnknown(err, "change")
	}
	if c.Risk == change.High && c.State == change.Asked && t.ev.InCall {
		v, err := t.changeView(ctx, c)
		if err != nil {
			return err
		}
		f := cards.ConfirmForm(v, t.ev.Args)
		t.answer.Form = &f
		return nil
	}
	return t.vote(ctx, approval.Yes, "", false)
}

func (t *turn) approveSend(ctx context.Context) error {
	c, err := t.tx.Change(ctx, change.ID(t.id("c")))
	if err != nil {
		return orUnknown(err, "change")
	}
	if n, ok := change.ParseRef(t.ev.Values.One("number")); !ok || n != c.Number {
		t.answer.Errors = map[string]string{"number": "That is not " + c.Ref() + "."}
		return nil
	}
	return t.vote(ctx, approval.Yes, "", true)
}

// sayWhy asks for the reason of what was pressed.
func (t *turn) sayWhy(ctx context.Context) error {
	c, err := t.tx.Change(ctx, change.ID(t.id("c")))
	if err != nil {
		return orUnknown(err, "change")
	}
	f := cards.SayWhyForm(t.ev.Action, c.Ref(), t.ev.Args)
	t.answer.Form = &f
	return nil
}

func (t *turn) noSay(ctx context.Context, answer approval.Answer) error {
	why := strings.TrimSpace(t.ev.Values.One("why"))
	if why == "" {
		t.answer.Errors = map[string]string{"why": "Please say why, so that it can be put right."}
		return nil
	}
	if t.tooLong("why", mostNote) {
		return nil
	}
	return t.vote(ctx, answer, why, false)
}

func (t *turn) rejectSend(ctx context.Context) error   { return t.noSay(ctx, approval.No) }
func (t *turn) sendBackSend(ctx context.Context) error { return t.noSay(ctx, approval.Changes) }

// plans shows what a change will do.
func (t *turn) plans(ctx context.Context) error {
	c, err := t.seenChange(ctx, change.ID(t.id("c")))
	if err != nil {
		return err
	}
	f := cards.PlansForm(cards.ChangeView{Change: c})
	t.answer.Form = &f
	return nil
}

// difference shows what an edit has changed since the round before.
func (t *turn) difference(ctx context.Context) error {
	c, err := t.seenChange(ctx, change.ID(t.id("c")))
	if err != nil {
		return err
	}
	a, err := t.tx.ApprovalOf(ctx, c.ID)
	if err != nil {
		return orUnknown(err, "question")
	}
	before, err := t.tx.RoundText(ctx, c.ID, a.Round-1)
	if err != nil {
		return orUnknown(err, "earlier text")
	}
	now, err := t.tx.RoundText(ctx, c.ID, a.Round)
	if err != nil {
		return err
	}
	g, err := t.graph(ctx)
	if err != nil {
		return err
	}
	f := cards.DiffForm(c.Ref(), change.Differences(before, now, itemKey(g), t.zone(t.who.Person)))
	t.answer.Form = &f
	return nil
}

// seenChange is a change for whoever may see it: agents, who is asked, and whose
// it is. The same words for one that is not there.
func (t *turn) seenChange(ctx context.Context, id change.ID) (change.Change, error) {
	c, err := t.tx.Change(ctx, id)
	if err != nil {
		return c, orUnknown(err, "change")
	}
	if t.who.Agent() || t.who.Admin || slices.Contains(c.Own(), t.who.ID) {
		return c, nil
	}
	a, err := t.tx.ApprovalOf(ctx, c.ID)
	if err != nil {
		return c, orUnknown(err, "change")
	}
	r, err := t.roster(ctx, c, a.Stages)
	if err != nil {
		return c, err
	}
	asked := slices.ContainsFunc(a.Stages, func(s approval.Stage) bool { return slices.Contains(s.Seats, t.who.ID) }) ||
		slices.ContainsFunc(a.Voices(r, t.at), func(v approval.Voice) bool { return v.By == t.who.ID })
	if !asked {
		return c, &ticket.RefusedError{Step: "show", Reason: "there is no such change"}
	}
	return c, nil
}

// dueApprovalStep lets an approval go the step that is due.
func (t *turn) dueApprovalStep(ctx context.Context, id change.ID) error {
	was, err := t.tx.ChangeForUpdate(ctx, id)
	if err != nil {
		return ignoreMissing(err)
	}
	a, err := t.tx.ApprovalOf(ctx, id)
	if err != nil {
		return ignoreMissing(err)
	}
	r, err := t.roster(ctx, was, a.Stages)
	if err != nil {
		return err
	}
	a, events := a.Elapse(r, t.at)
	return t.followed(ctx, was, a, events)
}

// approvals lists what waits for the actor.
func (t *turn) approvals(ctx context.Context) error {
	mine, err := t.waitingFor(ctx, t.who.ID)
	if err != nil {
		return err
	}
	return t.privately(ctx, cards.ChangeList("These wait for you:", "Nothing waits for your approval. While you are away somebody can answer for you: “approvals hand over”.", mine[:min(len(mine), 15)], nil))
}

// waitingFor are the changes that somebody may answer now.
func (t *turn) waitingFor(ctx context.Context, who people.PersonID) ([]change.Change, error) {
	delegations, err := t.tx.Delegations(ctx, t.at)
	if err != nil {
		return nil, err
	}
	seats := []people.PersonID{who}
	for _, d := range delegations {
		if !slices.Contains(seats, d.From) {
			seats = append(seats, d.From)
		}
	}
	waiting, err := t.tx.AskedOf(ctx, seats, 50)
	if err != nil {
		return nil, err
	}
	ids := make([]change.ID, len(waiting))
	for i, c := range waiting {
		ids[i] = c.ID
	}
	asked, err := t.tx.ApprovalsOf(ctx, ids...)
	if err != nil {
		return nil, err
	}
	var mine []change.Change
	var all rosters
	for _, c := range waiting {
		a := asked[c.ID]
		r, err := all.of(ctx, t, c, a.Stages)
		if err != nil {
			return nil, err
		}
		if slices.ContainsFunc(a.Voices(r, t.at), func(v approval.Voice) bool { return v.By == who }) {
			mine = append(mine, c)
		}
	}
	return mine, nil
}

// changeShown shows a change to whom it concerns: with the buttons of an
// approver to whoever is asked.
func (t *turn) changeShown(ctx context.Context, id change.ID) error {
	c, err := t.seenChange(ctx, id)
	if err != nil {
		return err
	}
	v, err := t.changeView(ctx, c)
	if err != nil {
		return err
	}
	r, err := t.roster(ctx, c, v.Approval.Stages)
	if err != nil {
		return err
	}
	if v.Approval.Round > 0 && slices.ContainsFunc(v.Approval.Voices(r, t.at), func(x approval.Voice) bool { return x.By == t.who.ID }) {
		return t.privately(ctx, cards.Approve(v))
	}
	return t.privately(ctx, cards.ChangeStatus(v))
}

func (t *turn) changeShow(ctx context.Context) error { return t.changeShown(ctx, change.ID(t.id("c"))) }

// drawChange draws one of a change's cards as it now is.
func (t *turn) drawChange(ctx context.Context, p storage.Post) (chat.Card, error) {
	v, err := t.changeViewIn(ctx, change.ID(p.Subject), p)
	if err != nil {
		return chat.Card{}, err
	}
	switch p.Card {
	case cards.ChangeCard:
		return cards.ChangeStatus(v), nil
	case cards.AnnounceCard:
		return cards.Announce(v, t.at), nil
	}
	return cards.Approve(v), nil // which says so if a later one in the same direct messages asks anew
}
