// Package approval decides whether something may be done: who is asked, in
// which order, whose answer counts, and for which text. Changes and requests
// use the same engine. Values in, values and events out.
//
// What holds at every moment, and is proved in TestLaws:
//
//   - a stage is asked only when the one before has its quorum, and nothing is
//     approved before the last has its own;
//   - a seat has one vote, by somebody who had the right when she gave it;
//   - every vote is for the text as it stands: an edit voids them all;
//   - rejected and withdrawn are for good. Approved lasts until the text is
//     edited or the approval is withdrawn, neither of which is possible once
//     the work has begun;
//   - silence is never a yes.
package approval

import (
	"fmt"
	"slices"
	"time"

	"github.com/deskhand/deskhand/core/people"
)

// State is where an approval stands.
type State string

// The states. Rejected and Withdrawn are final. Blocked and ChangesRequested
// are left by an edit, Approved too until the work has begun.
const (
	Waiting          State = "waiting" // for the answers of Approval.Stage
	Approved         State = "approved"
	Rejected         State = "rejected"
	ChangesRequested State = "changes_requested"
	Blocked          State = "blocked" // the window was reached without a yes
	Withdrawn        State = "withdrawn"
)

// Words is the state as a person would say it.
func (s State) Words() string {
	if s == ChangesRequested {
		return "sent back for changes"
	}
	return string(s)
}

// Subject is what is approved, as far as an approval must know.
type Subject struct {
	// Hash is of everything that the approvers are shown: plan, test,
	// rollback, risk, window, items. The caller makes it; a vote is bound to
	// it.
	Hash string
	// Own are the requester and whoever does the work. Their answers never
	// count, neither for themselves nor for others.
	Own []people.PersonID
	// Window is when the work is to begin; reached without a yes, the approval
	// is blocked. Zero: there is no such time.
	Window time.Time
	// HighRisk asks that a yes be confirmed by typing.
	HighRisk bool
}

// sameText tells whether votes for s are votes for o. Window and risk are in
// the hash already; they are compared so that a caller who forgets that can't
// carry a vote over.
func (s Subject) sameText(o Subject) bool {
	return s.Hash == o.Hash && s.Window.Equal(o.Window) && s.HighRisk == o.HighRisk
}

// Quorum names how many must say yes.
type Quorum string

// The quorums.
const (
	AnyOne    Quorum = "any"
	Majority  Quorum = "majority" // more than half of the seats
	AtLeast   Quorum = "at_least" // Rule.K of them
	Everybody Quorum = "everybody"
)

// Rule says how many must say yes. A no ends a stage only when the quorum has
// become impossible. So the order in which people answer decides nothing; a
// stage in which one no is enough is Everybody.
type Rule struct {
	Quorum Quorum
	K      int // of AtLeast
}

// Need is the number of yes that n seats need; never less than one, so that an
// empty stage does not approve by itself.
func (r Rule) Need(n int) int {
	switch r.Quorum {
	case Majority:
		return n/2 + 1
	case AtLeast:
		return max(1, r.K)
	case Everybody:
		return max(1, n)
	}
	return 1
}

func (r Rule) known() bool {
	switch r.Quorum {
	case AnyOne, Majority, Everybody:
		return true
	case AtLeast:
		return r.K > 0
	}
	return false
}

// Who is asked: a person by name, or everybody who is in a group when the stage
// is asked.
type Who struct {
	Person people.PersonID
	Group  string // the caller's name for it: a team, "owner of payroll", …
}

// Stage is a round of people who are asked at the same time.
type Stage struct {
	Name     string
	Rule     Rule
	Ask      []Who
	Deputies []Who // may speak for silent seats when the time is over
	// Within is the time to answer. A window that is nearer than twice that
	// shortens it to half of what is left, so that deputies get their chance.
	Within time.Duration

	// Seats and Need are fixed when the stage is asked: whoever leaves later
	// takes nothing off what is needed.
	Seats       []people.PersonID
	Need        int
	AskedAt     time.Time // zero: not yet
	RemindedAt  time.Time
	EscalatedAt time.Time // the deputies were asked
	StuckAt     time.Time // it was reported that nobody can fill it
}

// Approval is one question to ordered stages of people.
type Approval struct {
	Subject Subject
	Stages  []Stage

	State State
	Round int // from 1; each edit asks everybody anew in a round of its own
	Stage int // index of the stage that is, or was last, asked
	Votes []Vote

	// Asked is who began the round, and when.
	Asked   people.PersonID
	AskedAt time.Time
	// Decided is who brought about a state other than Waiting; 0: the clock.
	Decided   people.PersonID
	DecidedAt time.Time
	Note      string // with the decision

	BegunAt time.Time // the work has begun on the strength of this approval
}

// New asks the first stage. It refuses what could never be approved: a stage
// that can't be filled by those who have the right today.
func New(s Subject, stages []Stage, r Roster, by people.PersonID, at time.Time) (Approval, []Event, error) {
	const step = "ask for approval"
	a := Approval{Subject: s, Stages: slices.Clone(stages)}
	switch {
	case s.Hash == "":
		return Approval{}, nil, &RefusedError{Step: step, Why: Malformed, Reason: "there is no text to approve"}
	case len(stages) == 0:
		return Approval{}, nil, &RefusedError{Step: step, Why: Malformed, Reason: "nobody is to be asked"}
	}
	for i, st := range stages {
		switch {
		case !st.Rule.known():
			return Approval{}, nil, &RefusedError{Step: step, Why: Malformed, Reason: fmt.Sprintf("stage %d does not say how many must say yes", i+1)}
		case st.Within < 0 || st.Within == 0 && s.Window.IsZero():
			return Approval{}, nil, &RefusedError{Step: step, Why: Malformed, Reason: fmt.Sprintf("stage %d has no time to answer in", i+1)}
		}
	}
	return a.restart(step, s, r, by, at)
}

// restart begins a round: no votes, first stage.
func (a Approval) restart(step string, s Subject, r Roster, by people.PersonID, at time.Time) (Approval, []Event, error) {
	if reached(s.Window, at) {
		return a, nil, &RefusedError{Step: step, Why: TooLate, Reason: "its window has begun", At: s.Window}
	}
	for i, st := range a.Stages {
		n := len(r.resolve(st.Ask, s.Own))
		if need := st.Rule.Need(n); n < need {
			return a, nil, &RefusedError{Step: step, Why: Unfillable, Reason: fmt.Sprintf(
				"%s needs %d yes, and %s. Whoever asks for it or does the work can't approve it, nor can people who have left",
				a.stageName(i), need, ableWords(n))}
		}
	}
	stages := slices.Clone(a.Stages)
	for i, st := range stages {
		stages[i] = Stage{Name: st.Name, Rule: st.Rule, Ask: st.Ask, Deputies: st.Deputies, Within: st.Within}
	}
	a = Approval{Subject: s, Stages: stages, State: Waiting, Round: a.Round + 1, Asked: by, AskedAt: at}
	a.Subject.Own = slices.Clone(s.Own)
	a, events := a.ask(0, r, by, at)
	return a, events, nil
}

func ableWords(n int) string {
	switch n {
	case 0:
		return "there is nobody who could give it"
	case 1:
		return "there is only one person who could give it"
	}
	return fmt.Sprintf("there are only %d people who could give it", n)
}

// ask opens stage i to those whom it names today. a.Stages is a's own copy.
func (a Approval) ask(i int, r Roster, by people.PersonID, at time.Time) (Approval, []Event) {
	st := &a.Stages[i]
	st.Seats, st.AskedAt = r.resolve(st.Ask, a.Subject.Own), at
	st.Need = st.Rule.Need(len(st.Seats))
	a.Stage = i
	events := []Event{a.event(StageAsked, by, at, a.listeners(r, at))}
	return a.reportStuck(events, r, at)
}

// own tells whether it is p's own work that is to be approved.
func (a Approval) own(p people.PersonID) bool { return slices.Contains(a.Subject.Own, p) }

func reached(window, at time.Time) bool { return !window.IsZero() && !at.Before(window) }

// vote is the vote of a seat in the present stage.
func (a Approval) vote(seat people.PersonID) (Vote, bool) {
	i := slices.IndexFunc(a.Votes, func(v Vote) bool { return v.Stage == a.Stage && v.Seat == seat })
	if i < 0 {
		return Vote{}, false
	}
	return a.Votes[i], true
}

// Tally counts the yes and no of a stage in this round.
func (a Approval) Tally(stage int) (yes, no int) {
	for _, v := range a.Votes {
		switch {
		case v.Stage != stage:
		case v.Answer == Yes:
			yes++
		case v.Answer == No:
			no++
		}
	}
	return yes, no
}

func (a Approval) stageName(i int) string {
	s := fmt.Sprintf("stage %d", i+1)
	if len(a.Stages) > 1 {
		s = fmt.Sprintf("stage %d of %d", i+1, len(a.Stages))
	}
	if name := a.Stages[i].Name; name != "" {
		s += " (" + name + ")"
	}
	return s
}

// Progress is how far it has come, for the card: "Stage 2 of 3: CAB, 1 of 2 yes".
func (a Approval) Progress() string {
	st := a.Stages[a.Stage]
	yes, no := a.Tally(a.Stage)
	s := fmt.Sprintf("Stage %d of %d: ", a.Stage+1, len(a.Stages))
	if st.Name != "" {
		s += st.Name + ", "
	}
	s += fmt.Sprintf("%d of %d yes", yes, st.Need)
	if no > 0 {
		s += fmt.Sprintf(", %d no", no)
	}
	return s
}
