package approval

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/deskhand/deskhand/core/people"
)

type id = people.PersonID

var morning = time.Date(2026, 5, 4, 9, 0, 0, 0, time.UTC)

// everyone takes part in the laws; 1 is who asks.
var everyone = []id{1, 2, 3, 4, 5, 6, 7}

func person(t *rapid.T, label string) id { return rapid.SampledFrom(everyone).Draw(t, label) }

func anyRule(t *rapid.T) Rule {
	return rapid.SampledFrom([]Rule{{AnyOne, 0}, {Majority, 0}, {AtLeast, 2}, {AtLeast, 3}, {Everybody, 0}}).Draw(t, "rule")
}

func anyWho(t *rapid.T, label string, least int) []Who {
	return rapid.SliceOfN(rapid.OneOf(
		rapid.Map(rapid.SampledFrom(everyone), func(p id) Who { return Who{Person: p} }),
		rapid.Map(rapid.SampledFrom([]string{"cab", "owners"}), func(g string) Who { return Who{Group: g} }),
	), least, 4).Draw(t, label)
}

func anyStages(t *rapid.T) []Stage {
	stages := make([]Stage, rapid.IntRange(1, 3).Draw(t, "stages"))
	for i := range stages {
		stages[i] = Stage{Rule: anyRule(t), Ask: anyWho(t, "ask", 1), Deputies: anyWho(t, "deputies", 0),
			Within: time.Duration(rapid.IntRange(1, 30).Draw(t, "within")) * time.Hour}
	}
	return stages
}

func TestLaws(t *testing.T) {
	t.Run("the machine does what the model says", func(t *testing.T) {
		t.Parallel()
		seen := map[string]int{}
		run := func(t *rapid.T) {
			m := newMachine(t, seen)
			actions := map[string]func(*rapid.T){
				"vote at random": m.voteAtRandom, "click again": m.clickAgain,
				"edit": m.edit, "ask again": m.again, "withdraw": m.withdraw, "begin": m.begin, "ask something else": m.another,
				"let time pass": m.pass, "leave or return": m.leave, "join or quit": m.join, "hand over": m.delegate,
				"": m.check,
			}
			for i := range 5 { // as often as half of the rest
				actions[fmt.Sprintf("vote soundly %d", i)] = m.voteSoundly
				actions[fmt.Sprintf("let time pass %d", i%2)] = m.pass
			}
			t.Repeat(actions)
			seen["runs"]++
		}
		for range 4 { // enough to come to the rare places below
			rapid.Check(t, run)
		}
		// A machine that never gets anywhere obeys any law.
		for _, what := range []string{
			string(Approved), string(Rejected), string(ChangesRequested), string(Blocked), string(Withdrawn), "begun", "second stage",
			string(AsDelegate), string(AsDeputy), string(Revoted), string(GotStuck), "voided after a yes", "asked again",
			string(Ended), string(Unfillable), string(Stale), string(Twice), string(OwnWork), string(NoRight), string(NotApprover), string(Decided),
		} {
			if seen[what] == 0 && seen["runs"] >= 400 {
				t.Errorf("the machine never came to %q; it came to %v", what, seen)
			}
		}
	})
	t.Run("the order of answers in a stage does not matter", func(t *testing.T) {
		t.Parallel()
		rapid.Check(t, orderDoesNotMatter)
	})
	t.Run("handing over never goes in a circle", func(t *testing.T) {
		t.Parallel()
		rapid.Check(t, noCircles)
	})
	t.Run("a circle in the record ends too", func(t *testing.T) {
		t.Parallel()
		rapid.Check(t, func(t *rapid.T) {
			r := Roster{Able: map[id]bool{}}
			for _, p := range everyone {
				r.Able[p] = true
				r.Delegations = append(r.Delegations, Delegation{From: p, To: person(t, "to"), Since: morning, Until: morning.Add(time.Hour)})
			}
			for _, p := range everyone {
				chain := r.chain(p, nil, morning)
				if len(chain) > maxChain || slices.Contains(chain, p) || len(slices.Compact(slices.Sorted(slices.Values(chain)))) != len(chain) {
					t.Fatalf("chain(%d) = %v", p, chain)
				}
			}
		})
	})
}

func orderDoesNotMatter(t *rapid.T) {
	r := Roster{Able: map[id]bool{}, Members: map[string][]id{}}
	for _, p := range everyone {
		r.Able[p] = true
	}
	var ask []Who
	for _, p := range everyone[:rapid.IntRange(1, 7).Draw(t, "seats")] {
		ask = append(ask, Who{Person: p})
	}
	stages := []Stage{{Rule: anyRule(t), Ask: ask, Within: time.Hour}, {Rule: Rule{Quorum: AnyOne}, Ask: ask, Within: time.Hour}}
	a, _, err := New(Subject{Hash: "h"}, stages, r, 1, morning)
	if err != nil {
		return // too few for the rule
	}
	answers := map[id]Answer{}
	yes := 0
	for _, w := range ask {
		answers[w.Person] = rapid.SampledFrom([]Answer{Yes, No}).Draw(t, "answer")
		if answers[w.Person] == Yes {
			yes++
		}
	}
	for range 2 {
		a := a
		for _, w := range rapid.Permutation(ask).Draw(t, "order") {
			next, _, err := a.Vote(Ballot{By: w.Person, Answer: answers[w.Person], Note: "why", Round: 1, Hash: "h"}, r, morning)
			if refused, late := errors.AsType[*RefusedError](err); late && refused.Why != Ended && refused.Why != Decided {
				t.Fatalf("an answer was refused: %v", err)
			}
			a = next
		}
		passed := a.State == Waiting && a.Stage == 1
		if want := yes >= a.Stages[0].Need; passed != want || (a.State == Rejected) == want {
			t.Fatalf("%d of %d said yes, %d are needed: %s at stage %d", yes, len(ask), a.Stages[0].Need, a.State, a.Stage)
		}
	}
}

func noCircles(t *rapid.T) {
	const days = 8
	day := func(n int) time.Time { return morning.AddDate(0, 0, n) }
	// wrong walks from everybody on every day, in the plainest way.
	wrong := func(all []Delegation) bool {
		for n := range days {
			for _, start := range everyone {
				p, hops := start, 0
				for moved := true; moved; {
					moved = false
					for _, d := range all {
						if d.From == p && !day(n).Before(d.Since) && day(n).Before(d.Until) {
							p, moved = d.To, true
							break
						}
					}
					if moved {
						hops++
					}
					if hops > maxChain {
						return true
					}
				}
			}
		}
		return false
	}
	r := Roster{Able: map[id]bool{}}
	for _, p := range everyone {
		r.Able[p] = true
	}
	for range rapid.IntRange(1, 14).Draw(t, "tries") {
		first := rapid.IntRange(0, days-1).Draw(t, "first")
		d := Delegation{From: person(t, "from"), To: person(t, "to"), Since: day(first), Until: day(rapid.IntRange(first+1, days).Draw(t, "until"))}
		_, err := r.Delegate(d, morning)
		refused, _ := errors.AsType[*RefusedError](err)
		if d.From == d.To && refused == nil {
			t.Fatalf("accepted a delegation to oneself: %v", d)
		} else if d.From == d.To {
			continue
		}
		with := append(slices.Clone(r.Delegations), d)
		switch {
		case refused == nil:
			r.Delegations = with
			if wrong(with) {
				t.Fatalf("accepted %v", with)
			}
		case refused.Why == Circle && !wrong(with):
			t.Fatalf("refused, though no day of %v is wrong: %v", with, err)
		}
	}
}
