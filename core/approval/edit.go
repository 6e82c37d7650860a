package approval

import (
	"slices"
	"strings"
	"time"

	"github.com/deskhand/deskhand/core/people"
)

// Edit puts another text, or other people who do the work, in the place of
// what was asked. Another text voids every vote and begins again with the
// first stage; the event tells those who had said yes. Other people void them
// only if one of them has voted or was spoken for. If it is refused the edit
// must not be kept either: there would be nobody who could approve it.
func (a Approval) Edit(to Subject, r Roster, by people.PersonID, at time.Time) (Approval, []Event, error) {
	const step = "change it"
	switch {
	case !a.BegunAt.IsZero():
		return a, nil, a.begun(step)
	case a.State == Rejected || a.State == Withdrawn:
		return a, nil, a.over(step)
	case to.Hash == "":
		return a, nil, &RefusedError{Step: step, Why: Malformed, Reason: "there is no text to approve"}
	case a.Subject.sameText(to) && sameSet(a.Subject.Own, to.Own):
		return a, nil, &RefusedError{Step: step, Why: Twice, Reason: "it is as it was"}
	}
	own := slices.ContainsFunc(a.Votes, func(v Vote) bool {
		return slices.Contains(to.Own, v.By) || slices.Contains(to.Own, v.Seat)
	})
	if a.Subject.sameText(to) && !own {
		a.Subject.Own, a.Stages = slices.Clone(to.Own), slices.Clone(a.Stages)
		a, events := a.reportStuck([]Event{a.event(Edited, by, at, nil)}, r, at)
		return a, events, nil
	}
	if to.Window.IsZero() && slices.ContainsFunc(a.Stages, func(s Stage) bool { return s.Within == 0 }) {
		return a, nil, &RefusedError{Step: step, Why: Malformed, Reason: "without a window there is no time to answer in"}
	}
	return a.anew(step, Edited, to, "", r, by, at)
}

// Again asks everybody anew about the same text: when the stage is stuck and
// the people have been put right, or when whoever asked answers a request for
// changes in words.
func (a Approval) Again(note string, r Roster, by people.PersonID, at time.Time) (Approval, []Event, error) {
	const step = "ask again"
	switch {
	case a.State == Waiting && !a.Stuck(r):
		return a, nil, &RefusedError{Step: step, Why: TooSoon, Reason: "the approvers can still answer"}
	case a.State != Waiting && a.State != ChangesRequested:
		return a, nil, a.over(step)
	case strings.TrimSpace(note) == "":
		return a, nil, &RefusedError{Step: step, Why: NeedsReason, Reason: "please say why they are asked again"}
	}
	return a.anew(step, AskedAgain, a.Subject, note, r, by, at)
}

// anew voids the round and begins another, with an event that tells who had
// said yes to the one before.
func (a Approval) anew(step string, action Action, s Subject, note string, r Roster, by people.PersonID, at time.Time) (Approval, []Event, error) {
	next, asked, err := a.restart(step, s, r, by, at)
	if err != nil {
		return a, nil, err
	}
	e := a.event(action, by, at, a.yesSayers())
	e.Note, e.Hash, e.Voided = note, s.Hash, slices.Clone(a.Votes)
	return next, append([]Event{e}, asked...), nil
}

// Withdraw takes the question back. Who may is the caller's to say.
func (a Approval) Withdraw(note string, by people.PersonID, at time.Time) (Approval, []Event, error) {
	const step = "withdraw it"
	switch {
	case !a.BegunAt.IsZero():
		return a, nil, a.begun(step)
	case a.State == Rejected || a.State == Withdrawn:
		return a, nil, a.over(step)
	}
	tell := a.yesSayers()
	for _, seat := range a.Stages[a.Stage].Seats {
		if a.State == Waiting && !slices.Contains(tell, seat) {
			tell = append(tell, seat)
		}
	}
	a.State, a.Decided, a.DecidedAt, a.Note = Withdrawn, by, at, note
	e := a.event(TakenBack, by, at, tell)
	e.Note = note
	return a, []Event{e}, nil
}

// Begin says that the work begins on the strength of the approval, for the text
// with this hash. From here on nothing can be taken back.
func (a Approval) Begin(hash string, by people.PersonID, at time.Time) (Approval, []Event, error) {
	const step = "begin"
	switch {
	case !a.BegunAt.IsZero():
		return a, nil, a.begun(step)
	case a.State == Waiting:
		return a, nil, &RefusedError{Step: step, Why: TooSoon, Reason: "it is not approved yet"}
	case a.State != Approved:
		return a, nil, a.over(step)
	case hash != a.Subject.Hash:
		return a, nil, &RefusedError{Step: step, Why: Stale, Reason: "this is not the text that was approved"}
	}
	a.BegunAt = at
	return a, []Event{a.event(WorkBegun, by, at, nil)}, nil
}

func sameSet(a, b []people.PersonID) bool {
	missing := func(from []people.PersonID) func(people.PersonID) bool {
		return func(p people.PersonID) bool { return !slices.Contains(from, p) }
	}
	return !slices.ContainsFunc(a, missing(b)) && !slices.ContainsFunc(b, missing(a))
}
