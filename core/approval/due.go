package approval

import (
	"slices"
	"time"

	"github.com/deskhand/deskhand/core/people"
)

// Step is something that falls due by itself.
type Step string

// The steps, in the order in which they fall due in a stage.
const (
	Remind   Step = "remind"   // half of the time is over
	Escalate Step = "escalate" // all of it: the deputies may speak
	Block    Step = "block"    // the window is reached without a yes
)

// Due is a step and its time.
type Due struct {
	Step Step
	At   time.Time
}

// Due is the next step that falls due; false: none will. If several are
// overdue, as after a long silence of the desk, it is the last of them: a
// reminder one second before the deputies are asked helps nobody.
func (a Approval) Due(now time.Time) (Due, bool) {
	var next Due
	for _, d := range a.dues() {
		if next.Step == "" || !d.At.After(now) {
			next = d
		}
	}
	return next, next.Step != ""
}

// dues lists what is still to come in the present stage, in order.
func (a Approval) dues() []Due {
	var dues []Due
	if st := a.Stages[a.Stage]; a.State == Waiting && st.EscalatedAt.IsZero() {
		limit := a.limit()
		if st.RemindedAt.IsZero() {
			dues = append(dues, Due{Remind, st.AskedAt.Add(limit / 2)})
		}
		dues = append(dues, Due{Escalate, st.AskedAt.Add(limit)})
	}
	if w := a.Subject.Window; !w.IsZero() && (a.State == Waiting || a.State == ChangesRequested) {
		dues = append(dues, Due{Block, w})
	}
	return dues
}

// limit is the time that the present stage has to answer.
func (a Approval) limit() time.Duration {
	st := a.Stages[a.Stage]
	limit := st.Within
	if !a.Subject.Window.IsZero() {
		if half := a.Subject.Window.Sub(st.AskedAt) / 2; limit == 0 || half < limit {
			limit = half
		}
	}
	return limit
}

// Elapse takes the step that is due by at, if any, and reports a stage that
// can no longer be filled. It may be called at any time, as often as one
// likes; call it too when somebody leaves or loses a right.
func (a Approval) Elapse(r Roster, at time.Time) (Approval, []Event) {
	a.Stages = slices.Clone(a.Stages)
	var events []Event
	if d, ok := a.Due(at); ok && !d.At.After(at) {
		st := &a.Stages[a.Stage]
		switch d.Step {
		case Remind:
			st.RemindedAt = at
			events = append(events, a.event(Reminded, 0, at, a.listeners(r, at)))
		case Escalate:
			st.EscalatedAt = at
			tell := a.listeners(r, at) // the deputies are among them now
			for _, p := range a.Subject.Own {
				if !slices.Contains(tell, p) {
					tell = append(tell, p)
				}
			}
			events = append(events, a.event(Escalated, 0, at, tell))
		case Block:
			// Of the moment of the window, however late the desk woke up.
			a.State, a.Decided, a.DecidedAt, a.Note = Blocked, 0, d.At, ""
			events = append(events, a.event(WasBlocked, 0, at, append(slices.Clone(a.Subject.Own), r.standing(*st, a.Subject.Own)...)))
		}
	}
	return a.reportStuck(events, r, at)
}

// Stuck tells whether the present stage can no longer reach its quorum, because
// those who were asked have left, lost the right, or do the work themselves
// now. It stays waiting: they may come back, the deputies may help when the
// time is over, and Again asks anew.
func (a Approval) Stuck(r Roster) bool {
	if a.State != Waiting {
		return false
	}
	st := a.Stages[a.Stage]
	yes, _ := a.Tally(a.Stage)
	standing := r.standing(st, a.Subject.Own)
	could, lost := 0, 0
	for _, seat := range st.Seats {
		_, voted := a.vote(seat)
		switch {
		case voted:
		case slices.Contains(standing, seat):
			could++
		default:
			lost++
		}
	}
	return yes+could+min(lost, a.freeDeputies(r)) < st.Need
}

// freeDeputies counts who can, or could once the time is over, speak for a
// seat that is lost.
func (a Approval) freeDeputies(r Roster) int {
	st, n := a.Stages[a.Stage], 0
	for _, p := range r.resolve(st.Deputies, a.Subject.Own) {
		spoke := slices.ContainsFunc(a.Votes, func(v Vote) bool { return v.Stage == a.Stage && v.By == p })
		if !spoke && !slices.Contains(st.Seats, p) {
			n++
		}
	}
	return n
}

// reportStuck adds an event when a stage gets stuck, once, and is ready to do
// so again when it has come free. a.Stages is a's own copy.
func (a Approval) reportStuck(events []Event, r Roster, at time.Time) (Approval, []Event) {
	st := &a.Stages[a.Stage]
	switch stuck := a.Stuck(r); {
	case !stuck:
		st.StuckAt = time.Time{}
	case st.StuckAt.IsZero():
		st.StuckAt = at
		tell := append(slices.Clone(a.Subject.Own), a.listeners(r, at)...)
		events = append(events, a.event(GotStuck, 0, at, tell))
	}
	return a, events
}

// yesSayers are those who said yes in this round, in their own name or for
// somebody, and the ones they said it for.
func (a Approval) yesSayers() []people.PersonID {
	var who []people.PersonID
	for _, v := range a.Votes {
		for _, p := range []people.PersonID{v.By, v.Seat} {
			if v.Answer == Yes && !slices.Contains(who, p) {
				who = append(who, p)
			}
		}
	}
	return who
}
