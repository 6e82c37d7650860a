package approval

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// machine drives an Approval and a model of it side by side.
type machine struct {
	seen map[string]int
	now  time.Time
	r    Roster
	a    Approval
	m    model
	used []Ballot // that were counted

	last  string // action
	was   State  // before it
	texts int
}

func newMachine(t *rapid.T, seen map[string]int) *machine {
	k := &machine{seen: seen, now: morning, r: Roster{Able: map[id]bool{}, Members: map[string][]id{}}}
	for _, p := range everyone {
		k.r.Able[p] = p != 7 || rapid.Bool().Draw(t, "7 is here")
	}
	for _, g := range []string{"cab", "owners"} {
		k.r.Members[g] = rapid.SliceOfNDistinct(rapid.SampledFrom(everyone), 2, 6, rapid.ID).Draw(t, g)
	}
	for range rapid.IntRange(0, 4).Draw(t, "delegations") {
		k.delegate(t)
	}
	for k.m.round == 0 {
		k.ask(t)
	}
	return k
}

// another asks something new when the last is over for good, so that no run
// spends its time with what can't change any more.
func (k *machine) another(t *rapid.T) {
	if k.m.state != Rejected && k.m.state != Withdrawn && !k.m.begun {
		t.Skip("it is not over")
	}
	k.ask(t)
}

func (k *machine) ask(t *rapid.T) {
	s := Subject{Hash: "text 0", Own: []id{1}, HighRisk: rapid.Bool().Draw(t, "high risk")}
	if rapid.Bool().Draw(t, "has a window") {
		s.Window = k.now.Add(time.Duration(rapid.IntRange(20, 120).Draw(t, "window")) * time.Hour)
	}
	stages := anyStages(t)
	a, events, err := New(s, stages, k.r, 1, k.now)
	m := model{stages: stages}
	if fits := m.fits(k.r, s.Own); fits != (err == nil) {
		t.Fatalf("New() = %v; the model says that the stages can be filled: %v", err, fits)
	}
	if err != nil {
		k.seen[string(Unfillable)]++
		return
	}
	k.a, k.m, k.was, k.used, k.last = a, m, a.State, nil, "new"
	k.m.restart(s, k.r, k.now)
	k.note(events)
}

// step compares what was done with what the model expected, and that the value
// it was done to is as it was.
func (k *machine) step(t *rapid.T, name string, expected bool, f func() (Approval, []Event, error)) bool {
	before := fmt.Sprintf("%+v", k.a)
	next, events, err := f()
	if after := fmt.Sprintf("%+v", k.a); before != after {
		t.Fatalf("%s changed its receiver\nfrom %s\nto   %s", name, before, after)
	}
	if (err == nil) != expected {
		t.Fatalf("%s = %v; the model expects that it is taken: %v\n%+v\n%+v", name, err, expected, k.a, k.m)
	}
	k.last, k.was = name, k.a.State
	if err != nil {
		refused, ok := errors.AsType[*RefusedError](err)
		if !ok || refused.Reason == "" || len(events) > 0 || !reflect.DeepEqual(k.a, next) {
			t.Fatalf("%s refused with %#v, %d events, and changed %s", name, err, len(events), cmp.Diff(k.a, next))
		}
		k.seen[string(refused.Why)]++
		return false
	}
	k.a = next
	k.note(events)
	return true
}

func (k *machine) note(events []Event) {
	for _, e := range events {
		k.seen[string(e.Action)]++
		if e.Vote != nil {
			k.seen[string(e.Vote.As)]++
		}
		if len(e.Voided) > 0 && len(e.Tell) > 0 {
			k.seen["voided after a yes"]++
		}
	}
}

func (k *machine) vote(t *rapid.T, b Ballot) {
	seat, as := k.m.claims(b, k.r, k.now)
	expected := seat != 0
	if k.step(t, "vote", expected, func() (Approval, []Event, error) { return k.a.Vote(b, k.r, k.now) }) {
		k.used = append(k.used, b)
		k.m.count(seat, said{b.By, as, b.Answer}, k.r, k.now)
	}
}

func (k *machine) voteSoundly(t *rapid.T) {
	voices := k.a.Voices(k.r, k.now)
	if len(voices) == 0 {
		t.Skip("nobody is asked")
	}
	if others := slices.DeleteFunc(slices.Clone(voices), func(v Voice) bool { return v.As == AsHolder }); len(others) > 0 && rapid.Bool().Draw(t, "by another") {
		voices = others
	}
	v := rapid.SampledFrom(voices).Draw(t, "voice")
	b := Ballot{By: v.By, For: v.For, Note: "why", Round: k.a.Round, Stage: k.a.Stage, Hash: k.a.Subject.Hash, Confirmed: true}
	b.Answer = rapid.SampledFrom([]Answer{Yes, Yes, Yes, Yes, No, No, Changes}).Draw(t, "answer")
	if seat, _ := k.m.claims(b, k.r, k.now); seat != v.For {
		t.Fatalf("Voices has %+v, whom the model does not know", v)
	}
	if rapid.IntRange(0, 2).Draw(t, "leaves out for whom") == 0 {
		b.For = 0
	}
	if old, ok := lastOf(k.a.Votes); ok && old.Stage == k.a.Stage && rapid.IntRange(0, 3).Draw(t, "changes her mind") == 0 {
		b.By, b.For = old.By, old.Seat
	}
	k.vote(t, b)
}

func lastOf(votes []Vote) (Vote, bool) {
	if len(votes) == 0 {
		return Vote{}, false
	}
	return votes[len(votes)-1], true
}

func (k *machine) voteAtRandom(t *rapid.T) {
	mostly := func(n int, label string) int {
		return n - rapid.SampledFrom([]int{0, 0, 0, 0, 0, 1, -1}).Draw(t, label)
	}
	k.vote(t, Ballot{
		By:        rapid.SampledFrom(append([]id{0, 99}, everyone...)).Draw(t, "by"),
		For:       rapid.SampledFrom(append([]id{0, 0, 0, 0, 0, 99}, everyone...)).Draw(t, "for"),
		Answer:    rapid.SampledFrom([]Answer{Yes, Yes, Yes, No, No, Changes, "perhaps"}).Draw(t, "answer"),
		Note:      rapid.SampledFrom([]string{"why", "why", " "}).Draw(t, "note"),
		Round:     mostly(k.a.Round, "round"),
		Stage:     mostly(k.a.Stage, "stage"),
		Hash:      rapid.SampledFrom([]string{k.a.Subject.Hash, k.a.Subject.Hash, k.a.Subject.Hash, "text 0"}).Draw(t, "hash"),
		Confirmed: rapid.Bool().Draw(t, "confirmed"),
	})
}

// clickAgain repeats a click that counted: a double click, or a late one.
func (k *machine) clickAgain(t *rapid.T) {
	if len(k.used) == 0 {
		t.Skip("nobody has clicked")
	}
	if k.last == "vote" && rapid.Bool().Draw(t, "at once") {
		b := k.used[len(k.used)-1]
		if _, _, err := k.a.Vote(b, k.r, k.now); err == nil {
			t.Fatalf("a double click counted twice: %+v", b)
		}
		return
	}
	k.vote(t, rapid.SampledFrom(k.used).Draw(t, "ballot"))
}

func (k *machine) edit(t *rapid.T) {
	s := k.a.Subject
	switch rapid.SampledFrom([]string{"text", "people", "window", "nothing"}).Draw(t, "what") {
	case "text":
		k.texts++
		s.Hash = fmt.Sprint("text ", rapid.SampledFrom([]int{0, k.texts, k.texts}).Draw(t, "which"))
	case "people":
		if v, ok := lastOf(k.a.Votes); ok && rapid.Bool().Draw(t, "who has voted") {
			s.Own = []id{1, v.By}
			break
		}
		s.Own = append([]id{1}, rapid.SliceOfN(rapid.SampledFrom(everyone), 0, 2).Draw(t, "own")...)
	case "window":
		s.Window = k.now.Add(time.Duration(rapid.IntRange(-2, 100).Draw(t, "window")) * time.Hour)
	}
	yes := k.m.saidYes()
	allowed, anew := k.m.edit(s, k.r, k.now)
	var events []Event
	ok := k.step(t, "edit", allowed, func() (next Approval, _ []Event, err error) {
		next, events, err = k.a.Edit(s, k.r, 1, k.now)
		return next, events, err
	})
	switch {
	case !ok:
	case anew:
		told := slices.Clone(events[0].Tell)
		slices.Sort(told)
		if !slices.Equal(told, yes) {
			t.Fatalf("the edit told %v; %v had said yes", told, yes)
		}
		k.m.restart(s, k.r, k.now)
	default:
		k.m.subject = s
	}
}

func (k *machine) again(t *rapid.T) {
	s := k.m.subject
	stuck := k.m.state == Waiting && k.m.stuck(k.r)
	expected := (stuck || k.m.state == ChangesRequested) && k.m.fits(k.r, s.Own) && !k.m.reached(k.now)
	if k.step(t, "ask again", expected, func() (Approval, []Event, error) { return k.a.Again("why", k.r, 1, k.now) }) {
		k.m.restart(s, k.r, k.now)
	}
}

func (k *machine) withdraw(t *rapid.T) {
	if rapid.IntRange(0, 9).Draw(t, "really") != 5 {
		t.Skip("it would end too many runs")
	}
	expected := !k.m.begun && k.m.state != Rejected && k.m.state != Withdrawn
	if k.step(t, "withdraw", expected, func() (Approval, []Event, error) { return k.a.Withdraw("", 1, k.now) }) {
		k.m.state = Withdrawn
	}
}

func (k *machine) begin(t *rapid.T) {
	if k.a.State == Waiting && rapid.IntRange(0, 9).Draw(t, "too soon") != 5 {
		t.Skip("not yet")
	}
	hash := rapid.SampledFrom([]string{k.a.Subject.Hash, "another"}).Draw(t, "hash")
	expected := k.m.state == Approved && !k.m.begun && hash == k.m.subject.Hash
	if k.step(t, "begin", expected, func() (Approval, []Event, error) { return k.a.Begin(hash, 1, k.now) }) {
		k.m.begun = true
	}
}

func (k *machine) pass(t *rapid.T) {
	k.now = k.now.Add(time.Duration(rapid.IntRange(0, 16).Draw(t, "hours")) * time.Hour)
	if rapid.IntRange(0, 3).Draw(t, "the desk sleeps") == 0 {
		return
	}
	due, has := k.a.Due(k.now)
	k.step(t, "elapse", true, func() (Approval, []Event, error) {
		a, events := k.a.Elapse(k.r, k.now)
		return a, events, nil
	})
	k.m.elapse(k.now)
	if next, ok := k.a.Due(k.now); ok && !next.At.After(k.now) {
		t.Fatalf("%+v is still due after Elapse did %+v, %v", next, due, has)
	}
	if a, events := k.a.Elapse(k.r, k.now); len(events) > 0 || !reflect.DeepEqual(k.a, a) {
		t.Fatalf("a second Elapse did %+v", events)
	}
}

func (k *machine) leave(t *rapid.T) {
	p := person(t, "who")
	able := map[id]bool{}
	for q, ok := range k.r.Able {
		able[q] = ok != (q == p)
	}
	k.r.Able = able
}

func (k *machine) join(t *rapid.T) {
	p, g := person(t, "who"), rapid.SampledFrom([]string{"cab", "owners"}).Draw(t, "group")
	was := k.r.Members[g]
	now := slices.DeleteFunc(slices.Clone(was), func(q id) bool { return q == p })
	if len(now) == len(was) {
		now = append(now, p)
	}
	k.r.Members[g] = now
}

// delegate writes into the record what Delegate would refuse, too.
func (k *machine) delegate(t *rapid.T) {
	since := k.now.Add(time.Duration(rapid.IntRange(-5, 5).Draw(t, "since")) * time.Hour)
	k.r.Delegations = append(k.r.Delegations, Delegation{From: person(t, "from"), To: rapid.SampledFrom([]id{1, 2, 3, 5, 5, 5, 7}).Draw(t, "to"), Since: since,
		Until: since.Add(time.Duration(rapid.IntRange(1, 60).Draw(t, "hours")) * time.Hour)})
}

// check holds after every step, whatever it was.
func (k *machine) check(t *rapid.T) {
	a := k.a
	k.seen[string(a.State)]++
	if a.Stage > 0 {
		k.seen["second stage"]++
	}
	if !a.BegunAt.IsZero() {
		k.seen["begun"]++
	}
	if k.was != a.State {
		byHand := k.last == "edit" || k.last == "withdraw"
		if k.was == Rejected || k.was == Withdrawn || k.was == Approved && (!byHand || k.m.begun) {
			t.Fatalf("%s became %s by %s", k.was, a.State, k.last)
		}
	}
	k.was = a.State
	if a.State != k.m.state || a.Stage != k.m.stage() || a.Round != k.m.round {
		t.Fatalf("after %s it is %s in round %d at stage %d; the model says %s in %d at %d", k.last, a.State, a.Round, a.Stage, k.m.state, k.m.round, k.m.stage())
	}
	if got, want := a.Stuck(k.r), a.State == Waiting && k.m.stuck(k.r); got != want {
		t.Fatalf("Stuck() = %v\n%+v\n%+v", got, a, k.m)
	}
	type seat struct {
		stage  int
		holder id
	}
	once := map[seat]bool{}
	for _, v := range a.Votes {
		s := seat{v.Stage, v.Seat}
		switch {
		case once[s]:
			t.Fatalf("two votes of one seat: %+v", a.Votes)
		case v.Hash != a.Subject.Hash:
			t.Fatalf("a vote for %q outlived its text %q", v.Hash, a.Subject.Hash)
		case slices.Contains(a.Subject.Own, v.By):
			t.Fatalf("own work was voted for: %+v", v)
		case k.m.said[v.Stage][v.Seat] != said{v.By, v.As, v.Answer}:
			t.Fatalf("%+v is not what was said: %+v", v, k.m.said)
		}
		once[s] = true
	}
	for i := range a.Stages {
		yes, _ := a.Tally(i)
		need := len(everyone) + 1
		if i < len(k.m.seats) {
			need = k.m.need(i)
		}
		if (i < a.Stage || a.State == Approved) && yes < need {
			t.Fatalf("%s at stage %d, with %d of %d yes in stage %d", a.State, a.Stage, yes, need, i)
		}
		if asked := !a.Stages[i].AskedAt.IsZero(); asked != (i <= a.Stage) {
			t.Fatalf("stage %d was asked: %v, while stage %d is", i, asked, a.Stage)
		}
	}
}
