package change

import (
	"fmt"
	"strings"
	"time"

	"github.com/deskhand/deskhand/core/approval"
	"github.com/deskhand/deskhand/core/cmdb"
	"github.com/deskhand/deskhand/core/people"
)

// Action names a step in a change's life, for the record.
type Action string

// The steps.
const (
	Raised      Action = "raised"
	Submitted   Action = "submitted"
	Rewritten   Action = "edited"
	Approved    Action = "approved"
	Refused     Action = "rejected"
	SentBack    Action = "sent back"
	GotBlocked  Action = "blocked"
	Began       Action = "started"
	Ended       Action = "ended"
	Blamed      Action = "caused an incident"
	ReviewedNow Action = "reviewed"
	FoundOut    Action = "found out"
	CalledOff   Action = "cancelled"
)

// Event is a step that was taken.
type Event struct {
	Action Action
	By     people.PersonID // 0: the desk itself
	At     time.Time
	Note   string
	Hash   string // of the text as it is after the step
}

// RefusedError says why a step can't be taken, in words for whoever tried.
type RefusedError struct {
	Step   string
	Reason string // completes "I can't … it: "
}

func (e *RefusedError) Error() string { return "can't " + e.Step + ": " + e.Reason }

// Limits of a change's texts, in characters, and of its window.
const (
	MostTitle  = 150
	MostText   = 3000
	MostItems  = 50
	MostWindow = 14 * 24 * time.Hour
	MostAhead  = 366 * 24 * time.Hour
)

// Field names what is wrong with a change that is to be submitted.
type Field string

// The fields.
const (
	FieldTitle       Field = "title"
	FieldWhy         Field = "why"
	FieldItems       Field = "items"
	FieldPlan        Field = "plan"
	FieldTest        Field = "test"
	FieldRollback    Field = "rollback"
	FieldFrom        Field = "from"
	FieldTo          Field = "to"
	FieldTakes       Field = "takes"
	FieldException   Field = "exception"
	FieldImplementer Field = "implementer"
)

// Check lists what keeps a change from being submitted, by field, in words for
// whoever filled it in. items are those of c.Items that are on record.
func (c Change) Check(items []cmdb.Item, clashes []Clash, at time.Time) map[Field]string {
	wrong := map[Field]string{}
	need := func(f Field, s, empty string, most int) {
		switch n := len([]rune(strings.TrimSpace(s))); {
		case n == 0 && empty != "":
			wrong[f] = empty
		case n > most:
			wrong[f] = "That is longer than fits here. Put the rest into a document and give its address."
		}
	}
	need(FieldTitle, c.Title, "Please say in a few words what is changed.", MostTitle)
	need(FieldWhy, c.Why, "Please say why: the approvers don't know it.", MostText)
	need(FieldPlan, c.Plan, "Please say step by step what will be done.", MostText)
	need(FieldTest, c.Test, "", MostText)
	need(FieldRollback, c.Rollback, "No change without a way back. What will you do if it goes wrong?", MostText)
	if problem := c.CheckItems(items); problem != "" {
		wrong[FieldItems] = problem
	}
	switch {
	case c.From.IsZero():
		wrong[FieldFrom] = "Please say when it may begin."
	case c.tooEarly(at) && c.Kind != Emergency:
		wrong[FieldFrom] = "This time has passed. Please choose a later one."
	case c.From.Sub(at) > MostAhead:
		wrong[FieldFrom] = "That is more than a year ahead."
	}
	switch {
	case c.To.IsZero():
		wrong[FieldTo] = "Please say by when it must be over."
	case !c.To.After(c.From):
		wrong[FieldTo] = "The window ends before it begins."
	case !c.To.After(at):
		wrong[FieldTo] = "This time has passed. Please choose a later one."
	case c.To.Sub(c.From) > MostWindow:
		wrong[FieldTo] = "A window of more than two weeks says nothing. Please choose a shorter one."
	case c.Takes > c.To.Sub(c.From):
		wrong[FieldTakes] = "The work takes longer than its window."
	}
	if c.Takes <= 0 {
		wrong[FieldTakes] = "Please say how long the work takes, the way back not counted."
	}
	if c.Implementer == 0 {
		wrong[FieldImplementer] = "Please say who does the work."
	}
	for _, cl := range clashes {
		if cl.Freeze && strings.TrimSpace(c.Exception) == "" {
			wrong[FieldFrom] = "This is " + cl.Words + ". Move it, or say below why it can't wait."
		}
	}
	return wrong
}

// CheckItems is Check for the items alone; empty: nothing is wrong with them.
func (c Change) CheckItems(items []cmdb.Item) string {
	switch {
	case len(c.Items) == 0:
		return "Please choose what is touched; nobody can judge it otherwise."
	case len(c.Items) > MostItems:
		return fmt.Sprintf("That is more than %d items. Make several changes of it.", MostItems)
	case len(items) < len(c.Items):
		return "One of these is not on record any more. Please choose again."
	}
	for _, i := range items {
		if i.State == cmdb.Retired {
			return i.Key + " is retired. Please choose what has taken its place."
		}
	}
	return ""
}

// Submit asks the approvers.
func (c Change) Submit(by people.PersonID, at time.Time) (Change, Event, error) {
	if c.State != Draft && c.State != Blocked && c.State != Asked && c.State != Scheduled {
		return c, Event{}, c.refuse("submit", "it is "+strings.ToLower(c.StateWords()))
	}
	action := Rewritten
	if c.State == Draft {
		action = Submitted
	}
	c.State = Asked
	return c, c.event(action, by, at, ""), nil
}

// Follow takes over what the approvers have said.
func (c Change) Follow(a approval.Approval, at time.Time) (Change, Event, bool) {
	if c.State != Asked {
		return c, Event{}, false
	}
	switch a.State {
	case approval.Approved:
		c.State = Scheduled
		return c, c.event(Approved, a.Decided, at, a.Note), true
	case approval.Rejected:
		c.State, c.Note = Rejected, a.Note
		return c, c.event(Refused, a.Decided, at, a.Note), true
	case approval.ChangesRequested:
		c.State, c.Note = Draft, a.Note
		return c, c.event(SentBack, a.Decided, at, a.Note), true
	case approval.Blocked:
		c.State = Blocked
		return c, c.event(GotBlocked, 0, at, a.Note), true
	}
	return c, Event{}, false
}

// early is how long before its window a change may be begun: nobody sits
// before a clock.
const early = 5 * time.Minute

// Begin says that the work has begun.
func (c Change) Begin(by people.PersonID, at time.Time) (Change, Event, error) {
	switch {
	case c.State == Doing:
		return c, Event{}, c.refuse("start", "it has been started already")
	case c.State != Scheduled:
		return c, Event{}, c.refuse("start", "it is not approved")
	case at.Before(c.From.Add(-early)):
		return c, Event{}, c.refuse("start", "its window has not begun")
	case !at.Before(c.To):
		return c, Event{}, c.refuse("start", "its window is over. Choose another, and ask again")
	}
	c.State, c.StartedAt = Doing, at
	return c, c.event(Began, by, at, ""), nil
}

// End says how the work ended.
func (c Change) End(o Outcome, note string, by people.PersonID, at time.Time) (Change, Event, error) {
	switch {
	case c.State == Done && c.Outcome == o:
		return c, Event{}, c.refuse("end", "that has been said already")
	case c.State != Doing:
		return c, Event{}, c.refuse("end", "it has not been started")
	case o != Worked && o != RolledBack && o != Failed:
		return c, Event{}, c.refuse("end", "it has to have worked, been rolled back or failed")
	case o == Worked && len(c.CausedBy) > 0:
		return c, Event{}, c.refuse("end", "an incident comes from it, so it has not worked. Say that it was rolled back or that it failed")
	case o != Worked && strings.TrimSpace(note) == "":
		return c, Event{}, c.refuse("end", "it has to be said what went wrong")
	}
	c.State, c.Outcome, c.Note, c.EndedAt = Done, o, note, at
	return c, c.event(Ended, by, at, strings.TrimSpace(o.Words()+". "+note)), nil
}

// Blame says that an incident comes from the change. What was thought to have
// worked has then failed, and wants a review.
func (c Change) Blame(incident int64, ref string, by people.PersonID, at time.Time) (Change, Event, error) {
	if c.State != Doing && c.State != Done {
		return c, Event{}, c.refuse("blame", "it has not been started")
	}
	for _, i := range c.CausedBy {
		if i == incident {
			return c, Event{}, c.refuse("blame", "that has been said already")
		}
	}
	c.CausedBy = append(c.CausedBy[:len(c.CausedBy):len(c.CausedBy)], incident)
	if c.State == Done && c.Outcome == Worked {
		c.Outcome, c.Review, c.ReviewedAt = Failed, "", time.Time{}
	}
	return c, c.event(Blamed, by, at, ref), nil
}

// Found is a change that somebody made without a record, and tells of when it is
// over: c says what was done, on what and in whose team, from is when the work
// may have begun at the earliest.
func Found(c Change, from time.Time, by people.PersonID, at time.Time) (Change, Event, error) {
	switch n := len([]rune(strings.TrimSpace(c.Title))); {
	case n == 0:
		return c, Event{}, c.refuse("record", "it has to be said what was changed")
	case n > MostTitle:
		return c, Event{}, c.refuse("record", "that is longer than fits here")
	}
	if !from.Before(at) {
		from = at.Add(-time.Minute)
	}
	c.Kind, c.State, c.Outcome = Undocumented, Done, Worked
	c.Requester, c.Implementer = by, by
	c.From, c.To, c.StartedAt, c.EndedAt = from, at, from, at
	return c, c.event(FoundOut, by, at, ""), nil
}

// Learn keeps what the review has found.
func (c Change) Learn(review string, by people.PersonID, at time.Time) (Change, Event, error) {
	switch {
	case !c.WantsReview():
		return c, Event{}, c.refuse("review", "nothing about it is left to review")
	case strings.TrimSpace(review) == "":
		return c, Event{}, c.refuse("review", "it has to be said what was learnt")
	}
	c.Review, c.ReviewedAt = strings.TrimSpace(review), at
	return c, c.event(ReviewedNow, by, at, c.Review), nil
}

// Cancel calls it off before the work has begun.
func (c Change) Cancel(note string, by people.PersonID, at time.Time) (Change, Event, error) {
	switch c.State {
	case Doing, Done:
		return c, Event{}, c.refuse("cancel", "the work has begun. Say how it ended instead")
	case Rejected, Cancelled:
		return c, Event{}, c.refuse("cancel", "it is "+strings.ToLower(c.StateWords())+" already")
	}
	c.State, c.Note = Cancelled, note
	return c, c.event(CalledOff, by, at, note), nil
}

func (c Change) event(a Action, by people.PersonID, at time.Time, note string) Event {
	return Event{Action: a, By: by, At: at, Note: note, Hash: c.Hash()}
}

func (c Change) refuse(step, reason string) error { return &RefusedError{Step: step, Reason: reason} }

// Preapprove schedules a standard change: it was judged when its rule was made.
func (c Change) Preapprove(rule string, by people.PersonID, at time.Time) (Change, Event, error) {
	if c.Kind != Standard || c.Rule == "" {
		return c, Event{}, c.refuse("schedule", "it is no standard change")
	}
	if c.State != Draft && c.State != Scheduled && c.State != Blocked {
		return c, Event{}, c.refuse("schedule", "it is "+strings.ToLower(c.StateWords()))
	}
	c.State = Scheduled
	return c, c.event(Approved, by, at, "standard change: approved by rule "+rule), nil
}
