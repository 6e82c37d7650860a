package ticket

import (
	"fmt"
	"slices"
	"time"

	"github.com/deskhand/deskhand/core/knowledge"
	"github.com/deskhand/deskhand/core/people"
)

// Action names a step in a ticket's life, for the record.
type Action string

// The steps.
const (
	Opened      Action = "opened"
	Claimed     Action = "claimed"
	Assigned    Action = "assigned"
	Released    Action = "released"
	Declined    Action = "declined" // by whom the desk had chosen
	Vacated     Action = "vacated"  // by the desk, because the owner is away
	Moved       Action = "moved"
	Waited      Action = "waiting"
	Woken       Action = "resumed"
	Resolved    Action = "resolved"
	ClosedStep  Action = "closed"
	ReopenStep  Action = "reopened"
	Rated       Action = "rated"
	Prioritised Action = "prioritised"
	Corrected   Action = "corrected" // what it is about
)

// Event is a step that was taken.
type Event struct {
	Action Action
	By     people.PersonID // 0: the desk itself
	At     time.Time
	Note   string // in the words of whoever took it
}

// RefusedError says why a step can't be taken, in words for whoever tried.
type RefusedError struct {
	Step   string // "claim", "resolve", …
	Reason string // completes "I can't … it: "

	Owner people.PersonID // on a claim that came second: who was first
	Since time.Time       // and when
}

func (e *RefusedError) Error() string { return "can't " + e.Step + ": " + e.Reason }

// Open makes a new ticket out of what the requester has said.
func Open(t Ticket, m Matrix, at time.Time) (Ticket, Event, error) {
	if t.Title == "" {
		return t, Event{}, &RefusedError{Step: "open", Reason: "it has no subject"}
	}
	prio, because := m.Priority(t.Impact, t.Urgency)
	if prio == 0 {
		return t, Event{}, &RefusedError{Step: "open", Reason: "it does not say who is affected and by when it hurts more"}
	}
	t.State, t.OpenedAt, t.Version = New, at, 1
	t.Priority, t.Because = prio, because
	return t, Event{Action: Opened, By: t.Author, At: at}, nil
}

// Claim makes by the owner; the first one wins.
func (t Ticket) Claim(by people.PersonID, at time.Time) (Ticket, Event, error) {
	switch {
	case t.State == Done:
		return t, Event{}, &RefusedError{Step: "claim", Reason: "it is already resolved"}
	case t.Owner == by:
		return t, Event{}, &RefusedError{Step: "claim", Reason: "it is yours already", Owner: by, Since: t.ClaimedAt}
	case t.Owner != 0:
		return t, Event{}, &RefusedError{Step: "claim", Reason: "somebody has it", Owner: t.Owner, Since: t.ClaimedAt}
	}
	t.Owner, t.ClaimedAt = by, at
	if t.State == New {
		t.State = InProgress
	}
	return t, Event{Action: Claimed, By: by, At: at}, nil
}

// Assign gives the ticket to somebody, whoever had it.
func (t Ticket) Assign(to, by people.PersonID, at time.Time) (Ticket, Event, error) {
	switch {
	case t.State == Done:
		return t, Event{}, &RefusedError{Step: "assign", Reason: "it is already resolved"}
	case to == 0:
		return t, Event{}, &RefusedError{Step: "assign", Reason: "nobody was named"}
	case t.Owner == to:
		return t, Event{}, &RefusedError{Step: "assign", Reason: "that person has it already", Owner: to, Since: t.ClaimedAt}
	}
	t.Owner, t.Chosen, t.ClaimedAt = to, "", at
	if t.State == New {
		t.State = InProgress
	}
	return t, Event{Action: Assigned, By: by, At: at}, nil
}

// Entrust is Assign by the desk itself, which has to say why; whoever it has
// chosen may decline.
func (t Ticket) Entrust(to people.PersonID, why string, at time.Time) (Ticket, Event, error) {
	if t.Owner != 0 {
		return t, Event{}, &RefusedError{Step: "assign", Reason: "somebody has it", Owner: t.Owner, Since: t.ClaimedAt}
	}
	is, ev, err := t.Assign(to, 0, at)
	if err != nil {
		return t, Event{}, err
	}
	is.Chosen, ev.Note = why, why
	return is, ev, nil
}

// Release gives the ticket back to its queue.
func (t Ticket) Release(by people.PersonID, at time.Time) (Ticket, Event, error) {
	switch {
	case t.State == Done:
		return t, Event{}, &RefusedError{Step: "release", Reason: "it is already resolved"}
	case t.Owner == 0:
		return t, Event{}, &RefusedError{Step: "release", Reason: "nobody has it"}
	}
	t = t.unclaimed()
	return t, Event{Action: Released, By: by, At: at}, nil
}

func (t Ticket) unclaimed() Ticket {
	t.Owner, t.Chosen, t.ClaimedAt = 0, "", time.Time{}
	if t.State == InProgress {
		t.State = New
	}
	return t
}

// Decline is "not me", from whom the desk has chosen.
func (t Ticket) Decline(by people.PersonID, at time.Time) (Ticket, Event, error) {
	switch {
	case t.State == Done:
		return t, Event{}, &RefusedError{Step: "pass on", Reason: "it is already resolved"}
	case t.Owner != by:
		return t, Event{}, &RefusedError{Step: "pass on", Reason: "it is not yours", Owner: t.Owner, Since: t.ClaimedAt}
	case t.Chosen == "":
		return t, Event{}, &RefusedError{Step: "pass on", Reason: "you took it or a person gave it to you; “Give back” frees it", Owner: by, Since: t.ClaimedAt}
	}
	return t.unclaimed(), Event{Action: Declined, By: by, At: at}, nil
}

// Vacate frees a ticket whose owner is away; one that waits stays hers, since
// there is nothing to do.
func (t Ticket) Vacate(why string, at time.Time) (Ticket, Event, error) {
	switch {
	case t.State == Done:
		return t, Event{}, &RefusedError{Step: "free", Reason: "it is already resolved"}
	case t.Owner == 0:
		return t, Event{}, &RefusedError{Step: "free", Reason: "nobody has it"}
	case t.State == Waiting:
		return t, Event{}, &RefusedError{Step: "free", Reason: "it is waiting for " + t.WaitsFor.Words()}
	}
	return t.unclaimed(), Event{Action: Vacated, At: at, Note: why}, nil
}

// Move hands the ticket to another queue of its own kind, unclaimed.
func (t Ticket) Move(queue QueueID, kind Kind, team people.TeamID, by people.PersonID, note string, at time.Time) (Ticket, Event, error) {
	switch {
	case t.State == Done:
		return t, Event{}, &RefusedError{Step: "hand over", Reason: "it is already resolved"}
	case kind != t.Kind:
		return t, Event{}, &RefusedError{Step: "hand over", Reason: "incidents and requests don't share a queue"}
	case t.Queue == queue:
		return t, Event{}, &RefusedError{Step: "hand over", Reason: "that team has it already"}
	}
	t = t.unclaimed()
	t.Queue, t.Team = queue, team
	t.Moves++
	return t, Event{Action: Moved, By: by, At: at, Note: note}, nil
}

// Wait stops the work until something comes.
func (t Ticket) Wait(reason Reason, note string, by people.PersonID, at time.Time) (Ticket, Event, error) {
	switch {
	case t.State == Done:
		return t, Event{}, &RefusedError{Step: "put on hold", Reason: "it is already resolved"}
	case !slices.Contains(Reasons, reason):
		return t, Event{}, &RefusedError{Step: "put on hold", Reason: "it has to wait for something"}
	case t.State == Waiting && t.WaitsFor == reason && t.WaitNote == note:
		return t, Event{}, &RefusedError{Step: "put on hold", Reason: "it is waiting for " + reason.Words() + " already"}
	}
	t.State, t.WaitsFor, t.WaitNote, t.Chosen = Waiting, reason, note, ""
	return t, Event{Action: Waited, By: by, At: at, Note: note}, nil
}

// Wake resumes the work.
func (t Ticket) Wake(by people.PersonID, note string, at time.Time) (Ticket, Event, error) {
	if t.State != Waiting {
		return t, Event{}, &RefusedError{Step: "resume", Reason: "it is not waiting"}
	}
	t.State, t.WaitsFor, t.WaitNote = InProgress, "", ""
	if t.Owner == 0 {
		t.State = New
	}
	return t, Event{Action: Woken, By: by, At: at, Note: note}, nil
}

// Resolve says that the work is done; the requester has yet to agree. Whoever
// resolves an unclaimed ticket owns it; by 0, the desk itself, nobody does.
func (t Ticket) Resolve(by people.PersonID, resolution string, article knowledge.ArticleID, at time.Time) (Ticket, Event, error) {
	switch {
	case t.State == Done:
		return t, Event{}, &RefusedError{Step: "resolve", Reason: "it is already resolved", Owner: t.Owner, Since: t.ResolvedAt}
	case resolution == "":
		return t, Event{}, &RefusedError{Step: "resolve", Reason: "the resolution is empty"}
	}
	if t.Owner == 0 && by != 0 {
		t.Owner, t.ClaimedAt = by, at
	}
	t.State, t.WaitsFor, t.WaitNote, t.Chosen = Done, "", "", ""
	t.Resolution, t.Article, t.ResolvedAt = resolution, article, at
	return t, Event{Action: Resolved, By: by, At: at, Note: resolution}, nil
}

// Close ends a resolved ticket: the requester agreed, or (by 0) the grace time
// has passed.
func (t Ticket) Close(by people.PersonID, note string, at time.Time) (Ticket, Event, error) {
	switch {
	case t.Closed():
		return t, Event{}, &RefusedError{Step: "close", Reason: "it is closed already"}
	case t.State != Done:
		return t, Event{}, &RefusedError{Step: "close", Reason: "it is not resolved yet"}
	}
	t.ClosedAt = at
	return t, Event{Action: ClosedStep, By: by, At: at, Note: note}, nil
}

// Reopen takes a resolved ticket up again. A closed one stays closed: what
// comes later is a new ticket that follows it.
func (t Ticket) Reopen(by people.PersonID, note string, at time.Time) (Ticket, Event, error) {
	switch {
	case t.Closed():
		return t, Event{}, &RefusedError{Step: "reopen", Reason: "it was closed on " + t.ClosedAt.Format("2 January")}
	case t.State != Done:
		return t, Event{}, &RefusedError{Step: "reopen", Reason: "it is still open"}
	}
	t.State = InProgress
	if t.Owner == 0 {
		t.State = New
	}
	t.ResolvedAt, t.Resolution, t.Article = time.Time{}, "", 0
	t.Reopened++
	return t, Event{Action: ReopenStep, By: by, At: at, Note: note}, nil
}

// Rate keeps what the requester thought of it, 1 to 5; the last word counts.
func (t Ticket) Rate(faces int, comment string, by people.PersonID, at time.Time) (Ticket, Event, error) {
	switch {
	case t.State != Done:
		return t, Event{}, &RefusedError{Step: "rate", Reason: "it is not resolved yet"}
	case faces < 1 || faces > 5:
		return t, Event{}, &RefusedError{Step: "rate", Reason: fmt.Sprintf("%d is not one of five faces", faces)}
	case t.Rating == faces && t.Comment == comment:
		return t, Event{}, &RefusedError{Step: "rate", Reason: "you said so already"}
	}
	t.Rating, t.Comment = faces, comment
	return t, Event{Action: Rated, By: by, At: at, Note: comment}, nil
}

// Prioritise changes who is affected and by when it hurts more, or overrides
// what the matrix makes of it; override 0 follows the matrix. The reason is
// required and stays on the card.
func (t Ticket) Prioritise(i Impact, u Urgency, override Priority, why string, m Matrix, by people.PersonID, at time.Time) (Ticket, Event, error) {
	switch {
	case t.State == Done:
		return t, Event{}, &RefusedError{Step: "change the priority of", Reason: "it is already resolved"}
	case why == "":
		return t, Event{}, &RefusedError{Step: "change the priority of", Reason: "the reason is empty"}
	}
	prio, because := m.Priority(i, u)
	if prio == 0 || override < 0 || override > Low {
		return t, Event{}, &RefusedError{Step: "change the priority of", Reason: "there is no such priority"}
	}
	t.Impact, t.Urgency = i, u
	t.Priority, t.Because = prio, because
	if override != 0 && override != t.Priority {
		t.Priority, t.Because = override, why
	}
	return t, Event{Action: Prioritised, By: by, At: at, Note: why}, nil
}

// Correct says what the ticket is about, in place of what it was taken to be
// about: a service, and perhaps one of its categories, by their slugs. It stays
// with the team that has it.
func (t Ticket) Correct(service, category string, by people.PersonID, at time.Time) (Ticket, Event, error) {
	switch {
	case t.State == Done:
		return t, Event{}, &RefusedError{Step: "correct", Reason: "it is already resolved"}
	case service == "":
		return t, Event{}, &RefusedError{Step: "correct", Reason: "it does not say what the ticket is about"}
	case t.Service == service && t.Category == category:
		return t, Event{}, &RefusedError{Step: "correct", Reason: "it is about that already"}
	}
	t.Service, t.Category = service, category
	return t, Event{Action: Corrected, By: by, At: at}, nil
}
