package change

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"github.com/deskhand/deskhand/core/cmdb"
	"github.com/deskhand/deskhand/core/people"
)

// Rate is how many changes have worked of those that were done.
type Rate struct{ Worked, Done int }

// Failed is how many have not worked.
func (r Rate) Failed() int { return r.Done - r.Worked }

// Words are "18 of 20 worked (90 %)": a share is never said without what it
// rests on.
func (r Rate) Words() string {
	if r.Done == 0 {
		return "none was done"
	}
	return fmt.Sprintf("%d of %d worked (%.0f %%)", r.Worked, r.Done, 100*float64(r.Worked)/float64(r.Done))
}

func (r Rate) plus(worked bool) Rate {
	r.Done++
	if worked {
		r.Worked++
	}
	return r
}

// Trend is how a rate stands to what it is measured against.
type Trend int

// The trends. Same says that the difference may well be chance.
const (
	Unknown Trend = iota // there is nothing to compare
	Same
	Better
	Worse
)

// Against compares a rate with its baseline. It takes a difference for one only
// if chance alone would make one as large in fewer than one of twenty cases, by
// Fisher's exact test with both sides counted, which holds for few changes too.
func (r Rate) Against(base Rate) Trend {
	if r.Done == 0 || base.Done == 0 {
		return Unknown
	}
	const rare = 0.05 / 2
	fewer, more := chance(r, base)
	switch {
	case more < rare:
		return Better
	case fewer < rare:
		return Worse
	}
	return Same
}

// chance is how likely it is that of all the changes that worked at most, and
// at least, as many as did would be among those of r, were they spread at random
// over r and base.
func chance(r, base Rate) (most, least float64) {
	choose := func(n, k int) float64 { // its logarithm
		a, _ := math.Lgamma(float64(n + 1))
		b, _ := math.Lgamma(float64(k + 1))
		c, _ := math.Lgamma(float64(n - k + 1))
		return a - b - c
	}
	worked, all := r.Worked+base.Worked, r.Done+base.Done
	for k := max(0, worked-base.Done); k <= min(worked, r.Done); k++ {
		p := math.Exp(choose(r.Done, k) + choose(base.Done, worked-k) - choose(all, worked))
		if k <= r.Worked {
			most += p
		}
		if k >= r.Worked {
			least += p
		}
	}
	return most, least
}

// Result is a change that is over, as far as rates care.
type Result struct {
	Number  int64
	Kind    Kind
	Team    people.TeamID
	Outcome Outcome
	Items   []cmdb.ItemID
	Before  bool // it belongs to the baseline
}

// Line is one row of a report.
type Line[K any] struct {
	Of     K
	Rate   Rate
	Base   Rate
	Failed []int64 // numbers of those that did not work
}

// Report is how the changes of a time have worked, beside the time before it.
type Report struct {
	All, Base    Rate
	Undocumented int // made without a record; they are in no rate
	Kinds        []Line[Kind]
	Teams        []Line[people.TeamID]
	Items        []Line[cmdb.ItemID] // those on which something failed, the worst first
}

// Tally makes a report of results.
func Tally(all []Result) Report {
	var r Report
	kinds, teams, items := map[Kind]*Line[Kind]{}, map[people.TeamID]*Line[people.TeamID]{}, map[cmdb.ItemID]*Line[cmdb.ItemID]{}
	for _, x := range all {
		if x.Kind == Undocumented {
			if !x.Before {
				r.Undocumented++
			}
			continue
		}
		worked := x.Outcome == Worked
		if x.Before {
			r.Base = r.Base.plus(worked)
		} else {
			r.All = r.All.plus(worked)
		}
		count(kinds, x.Kind, x)
		count(teams, x.Team, x)
		for _, i := range x.Items {
			count(items, i, x)
		}
	}
	r.Kinds, r.Teams = lines(kinds), lines(teams)
	r.Items = slices.DeleteFunc(lines(items), func(l Line[cmdb.ItemID]) bool { return l.Rate.Failed() == 0 })
	slices.SortStableFunc(r.Items, func(a, b Line[cmdb.ItemID]) int {
		// Of as many failures, those of fewer changes are worse.
		return cmp.Or(b.Rate.Failed()-a.Rate.Failed(), a.Rate.Done-b.Rate.Done)
	})
	return r
}

func count[K comparable](by map[K]*Line[K], of K, x Result) {
	l := by[of]
	if l == nil {
		l = &Line[K]{Of: of}
		by[of] = l
	}
	worked := x.Outcome == Worked
	switch {
	case x.Before:
		l.Base = l.Base.plus(worked)
		return
	case !worked:
		l.Failed = append(l.Failed, x.Number)
	}
	l.Rate = l.Rate.plus(worked)
}

// lines are those of which something was done in the time itself, in order.
func lines[K cmp.Ordered](by map[K]*Line[K]) []Line[K] {
	var all []Line[K]
	for _, l := range by {
		if l.Rate.Done > 0 {
			all = append(all, *l)
		}
	}
	slices.SortFunc(all, func(a, b Line[K]) int { return cmp.Compare(a.Of, b.Of) })
	return all
}
