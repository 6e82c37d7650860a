package approval

import (
	"slices"
	"time"

	"github.com/deskhand/deskhand/core/people"
)

// Roster is what is true of people at the moment of a step. The caller reads
// it in the transaction that keeps the step; the engine never remembers it.
// Who is missing from it has no right, so a caller who forgets somebody
// refuses a vote and never lets one in.
type Roster struct {
	Able        map[people.PersonID]bool     // works here and may approve
	Members     map[string][]people.PersonID // of every group that a stage names
	Delegations []Delegation
}

// Delegation lets To answer in the place of From.
type Delegation struct {
	From, To people.PersonID
	Since    time.Time
	Until    time.Time // no longer at that moment
}

func (d Delegation) at(t time.Time) bool { return !t.Before(d.Since) && t.Before(d.Until) }

// maxChain is how often a seat may be handed on: enough for a holiday in the
// middle of a holiday. A longer way is a mistake that nobody understands.
const maxChain = 4

// resolve lists those of who that may answer now, each once, in order.
func (r Roster) resolve(who []Who, own []people.PersonID) []people.PersonID {
	var found []people.PersonID
	add := func(p people.PersonID) {
		if r.Able[p] && !slices.Contains(own, p) && !slices.Contains(found, p) {
			found = append(found, p)
		}
	}
	for _, w := range who {
		if w.Person != 0 {
			add(w.Person)
		}
		if w.Group != "" {
			for _, p := range r.Members[w.Group] {
				add(p)
			}
		}
	}
	return found
}

// delegate is to whom p has handed over at the time; 0: to nobody.
func (r Roster) delegate(p people.PersonID, at time.Time) people.PersonID {
	for _, d := range r.Delegations {
		if d.From == p && d.at(at) {
			return d.To
		}
	}
	return 0
}

// chain lists who may answer in the place of p, nearest first. It ends at
// somebody who can't answer herself: else a requester to whom a seat is handed
// could choose who approves his work. It ends in a circle too, should one have
// come into the record.
func (r Roster) chain(p people.PersonID, own []people.PersonID, at time.Time) []people.PersonID {
	var chain []people.PersonID
	for next := p; len(chain) < maxChain; {
		next = r.delegate(next, at)
		if next == p || !r.Able[next] || slices.Contains(own, next) || slices.Contains(chain, next) {
			break
		}
		chain = append(chain, next)
	}
	return chain
}

// Delegate hands what waits for d.From to d.To. It may not go in a circle at
// any moment of its dates, nor be one of too many in a row.
func (r Roster) Delegate(d Delegation, at time.Time) (Event, error) {
	refuse := func(why Why, reason string) (Event, error) {
		return Event{}, &RefusedError{Step: "hand over your approvals", Why: why, Reason: reason}
	}
	switch {
	case d.From == 0 || d.To == 0:
		return refuse(Malformed, "it needs somebody to take them")
	case d.From == d.To:
		return refuse(Circle, "they are yours already")
	case !r.Able[d.From]:
		return refuse(NoRight, "you can't approve anything at the moment")
	case !r.Able[d.To]:
		return refuse(NoRight, "that person can't approve anything at the moment")
	case !d.Since.Before(d.Until):
		return refuse(Malformed, "the last day is before the first")
	case !at.Before(d.Until):
		return refuse(TooLate, "the last day is over")
	}
	all := Roster{Delegations: append(slices.Clone(r.Delegations), d)}
	// Delegations change only where one begins or ends, and an end makes no
	// chain longer: the beginnings are all the moments to look at.
	moments := []time.Time{d.Since}
	for _, old := range r.Delegations {
		if old.From == d.From && old.Since.Before(d.Until) && d.Since.Before(old.Until) {
			return Event{}, &RefusedError{Step: "hand over your approvals", Why: Twice,
				Reason: "somebody has them already in that time", People: []people.PersonID{old.To}}
		}
		if d.at(old.Since) {
			moments = append(moments, old.Since)
		}
	}
	for _, m := range moments {
		for _, each := range all.Delegations {
			switch n := all.hops(each.From, m); {
			case n < 0:
				return refuse(Circle, "they would come back to you: whoever you give them to has handed over too, in the same days")
			case n > maxChain:
				return refuse(Circle, "they would be handed on too often: ask somebody who is there in those days")
			}
		}
	}
	return Event{Action: Delegated, By: d.From, At: at, Tell: []people.PersonID{d.To}}, nil
}

// hops counts how often p's approvals are handed on; -1: in a circle.
func (r Roster) hops(p people.PersonID, at time.Time) int {
	for n := 0; n <= len(r.Delegations); n++ {
		if p = r.delegate(p, at); p == 0 {
			return n
		}
	}
	return -1
}
