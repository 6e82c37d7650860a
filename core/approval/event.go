package approval

import (
	"strings"
	"time"

	"github.com/deskhand/deskhand/core/people"
)

// Action names a step in an approval's life, for the record.
type Action string

// The actions.
const (
	StageAsked Action = "asked"
	Voted      Action = "voted"
	Revoted    Action = "changed vote"
	StageEnded Action = "stage ended"
	Granted    Action = "approved"
	Denied     Action = "rejected"
	Returned   Action = "changes requested"
	Edited     Action = "edited"
	AskedAgain Action = "asked again"
	TakenBack  Action = "withdrawn"
	WorkBegun  Action = "begun"
	Reminded   Action = "reminded"
	Escalated  Action = "escalated"
	WasBlocked Action = "blocked"
	GotStuck   Action = "stuck"
	Delegated  Action = "delegated"
)

// Event is a step that was taken.
type Event struct {
	Action Action
	By     people.PersonID // 0: the desk itself
	At     time.Time
	Note   string // in the words of whoever took it

	Round int
	Stage int
	Hash  string // of the text that it was about; after an edit, the new one

	Vote   *Vote  // of Voted and Revoted
	Before *Vote  // of Revoted: what it replaces
	Voided []Vote // of Edited and AskedAgain

	Tell []people.PersonID // who is to hear of it
}

func (a Approval) event(action Action, by people.PersonID, at time.Time, tell []people.PersonID) Event {
	return Event{Action: action, By: by, At: at, Round: a.Round, Stage: a.Stage, Hash: a.Subject.Hash, Tell: tell}
}

// Why sorts refusals, for who must tell them apart.
type Why string

// The reasons for a refusal.
const (
	NotApprover Why = "not an approver"
	OwnWork     Why = "own work"
	NoRight     Why = "no right"
	Decided     Why = "decided"     // the verdict is given
	Ended       Why = "ended"       // the stage is
	TooSoon     Why = "too soon"    // something must come first
	TooLate     Why = "too late"    // for the window, or the dates
	Stale       Why = "stale"       // another text or round
	Twice       Why = "twice"       // it is so already
	ForWhom     Why = "for whom"    // RefusedError.People to choose from
	NeedsReason Why = "needs words" // ask for them
	NeedsTyping Why = "needs typing"
	Unfillable  Why = "unfillable"
	Circle      Why = "circle"
	Malformed   Why = "malformed"
)

// RefusedError says why a step can't be taken, in words for whoever tried.
type RefusedError struct {
	Step   string // "count your answer", "withdraw it", …
	Why    Why
	Reason string // completes "I can't … : "

	By     people.PersonID   // who was first, or decided
	For    people.PersonID   // in whose place; 0 or By: in her own
	Did    string            // what: "approved it", …
	At     time.Time         // and when; without By, since when it is so
	People []people.PersonID // who could: the approvers, or from whom to choose
}

func (e *RefusedError) Error() string { return "can't " + e.Step + ": " + e.Reason }

// Words is the whole answer to whoever tried, with names and times as she is
// used to see them.
func (e *RefusedError) Words(name func(people.PersonID) string, when func(time.Time) string) string {
	var s strings.Builder
	s.WriteString("I can't " + e.Step + ": " + e.Reason + ".")
	switch {
	case e.By != 0:
		s.WriteString(" " + name(e.By) + " " + e.Did)
		if e.For != 0 && e.For != e.By {
			s.WriteString(" for " + name(e.For))
		}
		s.WriteString(", " + when(e.At) + ".")
	case !e.At.IsZero():
		s.WriteString(" That was " + when(e.At) + ".")
	}
	if len(e.People) > 0 {
		names := make([]string, len(e.People))
		for i, p := range e.People {
			names[i] = name(p)
		}
		switch e.Why {
		case ForWhom:
			s.WriteString(" It can be for " + strings.Join(names, " or ") + ".")
		case NotApprover:
			s.WriteString(" Approvers: " + strings.Join(names, ", ") + ".")
		case Twice:
			s.WriteString(" They are with " + strings.Join(names, ", ") + ".")
		}
	}
	return s.String()
}

const stepVote = "count your answer"

func (a Answer) did() string {
	switch a {
	case Yes:
		return "approved it"
	case No:
		return "rejected it"
	}
	return "asked for changes"
}

// over refuses a step because the question is answered, or can't be any more.
func (a Approval) over(step string) error {
	e := &RefusedError{Step: step, Why: Decided, By: a.Decided, At: a.DecidedAt, Reason: "it is " + a.State.Words() + " already"}
	switch a.State {
	case Approved, Rejected, ChangesRequested:
		last := a.lastVote(a.Stage)
		e.For, e.Did = last.Seat, last.Answer.did()
	case Blocked:
		e.Reason = "its window has begun without a yes"
	case Withdrawn:
		e.Did = "withdrew it"
	}
	return e
}

func (a Approval) begun(step string) error {
	return &RefusedError{Step: step, Why: Decided, Reason: "the work has begun", At: a.BegunAt}
}
