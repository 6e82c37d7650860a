package approval

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// The people of the tables.
const (
	ana id = iota + 1 // asks
	bob               // does the work
	kim
	lee
	moe
	pia // somebody else
)

var names = map[id]string{ana: "Ana", bob: "Bob", kim: "Kim", lee: "Lee", moe: "Moe", pia: "Pia"}

func name(p id) string        { return names[p] }
func when(t time.Time) string { return t.Format("2 January at 15:04") }
func hours(n int) time.Time   { return morning.Add(time.Duration(n) * time.Hour) }
func yes(by id, stage int) Ballot {
	return Ballot{By: by, Answer: Yes, Round: 1, Stage: stage, Hash: "v1"}
}

func named(people ...id) []Who {
	var who []Who
	for _, p := range people {
		who = append(who, Who{Person: p})
	}
	return who
}

func office() Roster {
	r := Roster{Able: map[id]bool{}, Members: map[string][]id{"cab": {kim, lee, moe}}}
	for p := range names {
		r.Able[p] = true
	}
	return r
}

// away is the office while each first hands over to the second, until noon of
// the day after.
func away(pairs ...[2]id) Roster {
	r := office()
	for _, p := range pairs {
		r.Delegations = append(r.Delegations, Delegation{From: p[0], To: p[1], Since: morning, Until: hours(27)})
	}
	return r
}

func without(p id) Roster {
	r := office()
	r.Able[p] = false
	return r
}

// twoStages asks Kim, then two of the board.
func twoStages() []Stage {
	return []Stage{
		{Name: "Owner", Rule: Rule{Quorum: AnyOne}, Ask: named(kim), Deputies: named(pia), Within: 8 * time.Hour},
		{Name: "CAB", Rule: Rule{Quorum: AtLeast, K: 2}, Ask: []Who{{Group: "cab"}}, Deputies: named(pia), Within: 8 * time.Hour},
	}
}

func change() Subject { return Subject{Hash: "v1", Own: []id{ana, bob}, Window: hours(100)} }

// story takes steps that must all be taken.
type story struct {
	t      *testing.T
	a      Approval
	events []Event
}

func begin(t *testing.T, s Subject, stages ...Stage) *story {
	t.Helper()
	a, events, err := New(s, stages, office(), ana, morning)
	if err != nil {
		t.Fatalf("New() = %v", err)
	}
	return &story{t, a, events}
}

func (s *story) then(a Approval, events []Event, err error) *story {
	s.t.Helper()
	if err != nil {
		s.t.Fatalf("refused: %v", err)
	}
	s.a, s.events = a, events
	return s
}

func (s *story) elapse(r Roster, at time.Time) *story {
	s.a, s.events = s.a.Elapse(r, at)
	return s
}

func refusal[A, B any](_ A, _ B, err error) error { return err }

func TestRefusalsAreInWords(t *testing.T) {
	t.Parallel()
	board := Stage{Name: "CAB", Rule: Rule{Quorum: AtLeast, K: 2}, Ask: []Who{{Group: "cab"}}, Deputies: named(pia, bob), Within: 8 * time.Hour}
	edited := change()
	edited.Hash = "v2"
	asked := func(t *testing.T) *story { return begin(t, change(), twoStages()...) }
	ownerSaidYes := func(t *testing.T) *story {
		s := asked(t)
		return s.then(s.a.Vote(yes(kim, 0), office(), hours(1)))
	}
	approved := func(t *testing.T) *story {
		s := begin(t, change(), twoStages()[0])
		return s.then(s.a.Vote(yes(kim, 0), office(), hours(1)))
	}
	vote := func(s *story, b Ballot, r Roster, at time.Time) error { return refusal(s.a.Vote(b, r, at)) }
	newOne := func(s Subject, r Roster, stages ...Stage) error { return refusal(New(s, stages, r, ana, morning)) }

	for _, tt := range []struct {
		name string
		try  func(t *testing.T) error
		why  Why
		want string
	}{
		{"somebody who is not asked", func(t *testing.T) error { return vote(ownerSaidYes(t), yes(pia, 1), office(), hours(2)) },
			NotApprover, "I can't count your answer: you are not one of its approvers at this stage. Approvers: Kim, Lee, Moe."},
		{"who asked for it", func(t *testing.T) error { return vote(asked(t), yes(ana, 0), office(), hours(1)) },
			OwnWork, "I can't count your answer: nobody approves what they asked for or will do themselves."},
		{"who asked for it, as a delegate", func(t *testing.T) error { return vote(asked(t), yes(ana, 0), away([2]id{kim, ana}), hours(1)) },
			OwnWork, "I can't count your answer: nobody approves what they asked for or will do themselves."},
		{"a delegate chosen by who asked for it", func(t *testing.T) error {
			return vote(asked(t), yes(pia, 0), away([2]id{kim, ana}, [2]id{ana, pia}), hours(1))
		}, NotApprover, "I can't count your answer: you are not one of its approvers at this stage. Approvers: Kim."},
		{"who does the work since a minute ago", func(t *testing.T) error {
			s, to := asked(t), change()
			to.Own = []id{ana, bob, kim}
			s.then(s.a.Edit(to, office(), ana, hours(1)))
			return vote(s, yes(kim, 0), office(), hours(2))
		}, OwnWork, "I can't count your answer: nobody approves what they asked for or will do themselves."},
		{"who does the work, as a deputy", func(t *testing.T) error {
			return vote(begin(t, change(), board).elapse(office(), hours(8)), yes(bob, 0), office(), hours(9))
		}, OwnWork, "I can't count your answer: nobody approves what they asked for or will do themselves."},
		{"an approver who has left", func(t *testing.T) error { return vote(asked(t), yes(kim, 0), without(kim), hours(1)) },
			NoRight, "I can't count your answer: you can't approve anything at the moment."},
		{"an approver who is no longer of the group", func(t *testing.T) error {
			r := office()
			r.Members["cab"] = []id{kim, moe}
			return vote(ownerSaidYes(t), yes(lee, 1), r, hours(2))
		}, NoRight, "I can't count your answer: you are no longer one of its approvers."},
		{"a delegate of somebody who has left", func(t *testing.T) error {
			r := away([2]id{kim, pia})
			r.Able[kim] = false
			return vote(asked(t), yes(pia, 0), r, hours(1))
		}, NotApprover, "I can't count your answer: you are not one of its approvers at this stage."},
		{"a delegate's delegate, when the first has left", func(t *testing.T) error {
			r := away([2]id{kim, lee}, [2]id{lee, pia})
			r.Able[lee] = false
			return vote(asked(t), yes(pia, 0), r, hours(1))
		}, NotApprover, "I can't count your answer: you are not one of its approvers at this stage. Approvers: Kim."},
		{"a deputy who is handed a second seat", func(t *testing.T) error {
			s := begin(t, change(), board).elapse(office(), hours(8))
			b := yes(pia, 0)
			b.For = lee
			s.then(s.a.Vote(b, office(), hours(9)))
			b.For = kim
			return vote(s, b, away([2]id{kim, pia}), hours(10))
		}, NotApprover, "I can't count your answer: you are not one of its approvers at this stage. Approvers: Kim, Lee, Moe."},
		{"a delegate whose days are over", func(t *testing.T) error { return vote(asked(t), yes(pia, 0), away([2]id{kim, pia}), hours(27)) },
			NotApprover, "I can't count your answer: you are not one of its approvers at this stage. Approvers: Kim."},
		{"a delegate of two who does not say for whom", func(t *testing.T) error {
			return vote(begin(t, change(), board), yes(pia, 0), away([2]id{kim, pia}, [2]id{moe, pia}), hours(1))
		}, ForWhom, "I can't count your answer: please say for whom you answer. It can be for Kim or Moe."},
		{"a deputy before the time is over", func(t *testing.T) error { return vote(asked(t), yes(pia, 0), office(), hours(7)) },
			NotApprover, "I can't count your answer: you are not one of its approvers at this stage. Approvers: Kim."},
		{"a deputy for a second seat", func(t *testing.T) error {
			s := begin(t, change(), board).elapse(office(), hours(8))
			s.then(s.a.Vote(yes(pia, 0), office(), hours(9)))
			b := yes(pia, 0)
			b.For = lee
			return vote(s, b, office(), hours(10))
		}, NotApprover, "I can't count your answer: you are not one of its approvers at this stage. Approvers: Kim, Lee, Moe."},
		{"a double click", func(t *testing.T) error {
			s := begin(t, change(), board)
			s.then(s.a.Vote(yes(kim, 0), office(), hours(1)))
			return vote(s, yes(kim, 0), office(), hours(1))
		}, Twice, "I can't count your answer: there is an answer already. Kim approved it, 4 May at 10:00."},
		{"a delegate after the holder", func(t *testing.T) error {
			s := begin(t, change(), board)
			s.then(s.a.Vote(yes(kim, 0), office(), hours(1)))
			b := yes(pia, 0)
			b.Answer, b.Note = No, "no rollback"
			return vote(s, b, away([2]id{kim, pia}), hours(2))
		}, Twice, "I can't count your answer: there is an answer already. Kim approved it, 4 May at 10:00."},
		{"the holder who says what her delegate has said", func(t *testing.T) error {
			s := begin(t, change(), board)
			s.then(s.a.Vote(yes(pia, 0), away([2]id{kim, pia}), hours(1)))
			return vote(s, yes(kim, 0), office(), hours(2))
		}, Twice, "I can't count your answer: there is an answer already. Pia approved it for Kim, 4 May at 10:00."},
		{"a click on a stage that has ended", func(t *testing.T) error { return vote(ownerSaidYes(t), yes(kim, 0), office(), hours(2)) },
			Ended, "I can't count your answer: this stage has its answer already. Kim approved it, 4 May at 10:00."},
		{"a click on a stage that is not asked yet", func(t *testing.T) error { return vote(asked(t), yes(lee, 1), office(), hours(1)) },
			TooSoon, "I can't count your answer: the stage before has not ended yet."},
		{"a click after the approval", func(t *testing.T) error { return vote(approved(t), yes(kim, 0), office(), hours(2)) },
			Decided, "I can't count your answer: it is approved already. Kim approved it, 4 May at 10:00."},
		{"a click after the rejection by a delegate", func(t *testing.T) error {
			s, b := asked(t), yes(lee, 0)
			b.Answer, b.Note = No, "not this week"
			s.then(s.a.Vote(b, away([2]id{kim, lee}), hours(1)))
			return vote(s, yes(kim, 0), office(), hours(2))
		}, Decided, "I can't count your answer: it is rejected already. Lee rejected it for Kim, 4 May at 10:00."},
		{"a click after it was sent back", func(t *testing.T) error {
			s, b := ownerSaidYes(t), yes(moe, 1)
			b.Answer, b.Note = Changes, "name the rollback's owner"
			s.then(s.a.Vote(b, office(), hours(2)))
			return vote(s, yes(lee, 1), office(), hours(3))
		}, Decided, "I can't count your answer: it is sent back for changes already. Moe asked for changes, 4 May at 11:00."},
		{"a click after it was withdrawn", func(t *testing.T) error {
			s := asked(t)
			s.then(s.a.Withdraw("", ana, hours(1)))
			return vote(s, yes(kim, 0), office(), hours(2))
		}, Decided, "I can't count your answer: it is withdrawn already. Ana withdrew it, 4 May at 10:00."},
		{"a click after the window was reached, though nobody has noticed", func(t *testing.T) error { return vote(asked(t), yes(kim, 0), office(), hours(100)) },
			TooLate, "I can't count your answer: its window has begun without a yes. That was 8 May at 13:00."},
		{"a click after it was blocked", func(t *testing.T) error {
			return vote(asked(t).elapse(office(), hours(101)), yes(kim, 0), office(), hours(102))
		}, Decided, "I can't count your answer: its window has begun without a yes. That was 8 May at 13:00."},
		{"a click on the card of the old text", func(t *testing.T) error {
			s := asked(t)
			s.then(s.a.Edit(edited, office(), ana, hours(1)))
			return vote(s, yes(kim, 0), office(), hours(2))
		}, Stale, "I can't count your answer: this card is out of date. Ana asked again, 4 May at 10:00."},
		{"a click with the hash of a text that nobody was asked about", func(t *testing.T) error {
			b := yes(kim, 0)
			b.Hash = "v0"
			return vote(asked(t), b, office(), hours(1))
		}, Stale, "I can't count your answer: this card is out of date. Ana asked again, 4 May at 09:00."},
		{"a click on the old card of a text that has come back", func(t *testing.T) error {
			s := asked(t)
			s.then(s.a.Edit(edited, office(), ana, hours(1)))
			s.then(s.a.Edit(change(), office(), ana, hours(2)))
			return vote(s, yes(kim, 0), office(), hours(3))
		}, Stale, "I can't count your answer: this card is out of date. Ana asked again, 4 May at 11:00."},
		{"a no without a reason", func(t *testing.T) error {
			b := yes(kim, 0)
			b.Answer, b.Note = No, " \n"
			return vote(asked(t), b, office(), hours(1))
		}, NeedsReason, "I can't count your answer: please say why, so that it can be put right."},
		{"a request for changes that names none", func(t *testing.T) error {
			b := yes(kim, 0)
			b.Answer = Changes
			return vote(asked(t), b, office(), hours(1))
		}, NeedsReason, "I can't count your answer: please say why, so that it can be put right."},
		{"a yes to a high risk that was not typed", func(t *testing.T) error {
			s := change()
			s.HighRisk = true
			return vote(begin(t, s, twoStages()...), yes(kim, 0), office(), hours(1))
		}, NeedsTyping, "I can't count your answer: the risk is high, so please type its number to confirm."},
		{"an answer that there is not", func(t *testing.T) error {
			b := yes(kim, 0)
			b.Answer = "perhaps"
			return vote(asked(t), b, office(), hours(1))
		}, Malformed, "I can't count your answer: it is neither yes nor no."},

		{"a stage of nobody but who asks and who does", func(t *testing.T) error {
			return newOne(change(), office(), Stage{Name: "Owner", Rule: Rule{Quorum: Everybody}, Ask: named(ana, bob), Within: time.Hour})
		}, Unfillable, "I can't ask for approval: stage 1 (Owner) needs 1 yes, and there is nobody who could give it. Whoever asks for it or does the work can't approve it, nor can people who have left."},
		{"a later stage whose people have left", func(t *testing.T) error {
			r := office()
			r.Able[kim], r.Able[lee] = false, false
			stages := twoStages()
			stages[0].Ask = named(moe)
			return newOne(change(), r, stages...)
		}, Unfillable, "I can't ask for approval: stage 2 of 2 (CAB) needs 2 yes, and there is only one person who could give it. Whoever asks for it or does the work can't approve it, nor can people who have left."},
		{"three of two people, one of whom is named twice", func(t *testing.T) error {
			return newOne(change(), office(), Stage{Rule: Rule{Quorum: AtLeast, K: 3}, Ask: named(kim, lee, kim), Within: time.Hour})
		}, Unfillable, "I can't ask for approval: stage 1 needs 3 yes, and there are only 2 people who could give it. Whoever asks for it or does the work can't approve it, nor can people who have left."},
		{"no text", func(t *testing.T) error { return newOne(Subject{}, office(), twoStages()...) },
			Malformed, "I can't ask for approval: there is no text to approve."},
		{"no stage", func(t *testing.T) error { return newOne(change(), office()) },
			Malformed, "I can't ask for approval: nobody is to be asked."},
		{"a quorum of none", func(t *testing.T) error {
			return newOne(change(), office(), Stage{Rule: Rule{Quorum: AtLeast}, Ask: named(kim)})
		}, Malformed, "I can't ask for approval: stage 1 does not say how many must say yes."},
		{"neither a window nor a time to answer", func(t *testing.T) error {
			return newOne(Subject{Hash: "v1"}, office(), Stage{Rule: Rule{Quorum: AnyOne}, Ask: named(kim)})
		}, Malformed, "I can't ask for approval: stage 1 has no time to answer in."},
		{"a window in the past", func(t *testing.T) error {
			s := change()
			s.Window = hours(-1)
			return newOne(s, office(), twoStages()...)
		}, TooLate, "I can't ask for approval: its window has begun. That was 4 May at 08:00."},

		{"an edit that changes nothing", func(t *testing.T) error { return refusal(asked(t).a.Edit(change(), office(), ana, hours(1))) },
			Twice, "I can't change it: it is as it was."},
		{"an edit of what was rejected", func(t *testing.T) error {
			s, b := asked(t), yes(kim, 0)
			b.Answer, b.Note = No, "not this week"
			s.then(s.a.Vote(b, office(), hours(1)))
			return refusal(s.a.Edit(edited, office(), ana, hours(2)))
		}, Decided, "I can't change it: it is rejected already. Kim rejected it, 4 May at 10:00."},
		{"an edit after the work has begun", func(t *testing.T) error {
			s := approved(t)
			s.then(s.a.Begin("v1", bob, hours(2)))
			return refusal(s.a.Edit(edited, office(), ana, hours(3)))
		}, Decided, "I can't change it: the work has begun. That was 4 May at 11:00."},
		{"an edit that nobody could approve", func(t *testing.T) error { return refusal(asked(t).a.Edit(edited, without(kim), ana, hours(1))) },
			Unfillable, "I can't change it: stage 1 of 2 (Owner) needs 1 yes, and there is nobody who could give it. Whoever asks for it or does the work can't approve it, nor can people who have left."},
		{"an edit that takes the window away from stages without a time", func(t *testing.T) error {
			s := begin(t, change(), Stage{Rule: Rule{Quorum: AnyOne}, Ask: named(kim)})
			to := edited
			to.Window = time.Time{}
			return refusal(s.a.Edit(to, office(), ana, hours(1)))
		}, Malformed, "I can't change it: without a window there is no time to answer in."},
		{"asking again while they can still answer", func(t *testing.T) error { return refusal(asked(t).a.Again("please", office(), ana, hours(1))) },
			TooSoon, "I can't ask again: the approvers can still answer."},
		{"asking again until it is approved", func(t *testing.T) error {
			s, b := asked(t), yes(kim, 0)
			b.Answer, b.Note = No, "not this week"
			s.then(s.a.Vote(b, office(), hours(1)))
			return refusal(s.a.Again("please", office(), ana, hours(2)))
		}, Decided, "I can't ask again: it is rejected already. Kim rejected it, 4 May at 10:00."},
		{"asking again without a word", func(t *testing.T) error {
			s, b := asked(t), yes(kim, 0)
			b.Answer, b.Note = Changes, "who is on call?"
			s.then(s.a.Vote(b, office(), hours(1)))
			return refusal(s.a.Again("", office(), ana, hours(2)))
		}, NeedsReason, "I can't ask again: please say why they are asked again."},
		{"withdrawing after the work has begun", func(t *testing.T) error {
			s := approved(t)
			s.then(s.a.Begin("v1", bob, hours(2)))
			return refusal(s.a.Withdraw("", ana, hours(3)))
		}, Decided, "I can't withdraw it: the work has begun. That was 4 May at 11:00."},
		{"beginning before it is approved", func(t *testing.T) error { return refusal(asked(t).a.Begin("v1", bob, hours(1))) },
			TooSoon, "I can't begin: it is not approved yet."},
		{"beginning with another text", func(t *testing.T) error { return refusal(approved(t).a.Begin("v2", bob, hours(2))) },
			Stale, "I can't begin: this is not the text that was approved."},
		{"beginning twice", func(t *testing.T) error {
			s := approved(t)
			s.then(s.a.Begin("v1", bob, hours(2)))
			return refusal(s.a.Begin("v1", bob, hours(3)))
		}, Decided, "I can't begin: the work has begun. That was 4 May at 11:00."},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			checkRefusal(t, tt.try(t), tt.why, tt.want)
		})
	}
}

func checkRefusal(t *testing.T, err error, why Why, want string) {
	t.Helper()
	refused, ok := errors.AsType[*RefusedError](err)
	if !ok {
		t.Fatalf("got %v, want a refusal: %s", err, want)
	}
	if got := refused.Words(name, when); got != want || refused.Why != why {
		t.Errorf("refused as %q: %s\nwant %q: %s", refused.Why, got, why, want)
	}
}

func TestHandingOverIsRefused(t *testing.T) {
	t.Parallel()
	day := func(from, to id, first, until int) Delegation {
		return Delegation{From: from, To: to, Since: morning.AddDate(0, 0, first), Until: morning.AddDate(0, 0, until)}
	}
	for _, tt := range []struct {
		name string
		had  []Delegation
		d    Delegation
		why  Why
		want string
	}{
		{"to oneself", nil, day(kim, kim, 0, 1), Circle, "I can't hand over your approvals: they are yours already."},
		{"to nobody", nil, day(kim, 0, 0, 1), Malformed, "I can't hand over your approvals: it needs somebody to take them."},
		{"to somebody who has left", nil, day(kim, 99, 0, 1), NoRight, "I can't hand over your approvals: that person can't approve anything at the moment."},
		{"by somebody who has left", nil, day(99, kim, 0, 1), NoRight, "I can't hand over your approvals: you can't approve anything at the moment."},
		{"backwards", nil, day(kim, lee, 2, 1), Malformed, "I can't hand over your approvals: the last day is before the first."},
		{"for days that are over", nil, day(kim, lee, -3, 0), TooLate, "I can't hand over your approvals: the last day is over."},
		{"twice for the same days", []Delegation{day(kim, lee, 0, 3)}, day(kim, moe, 2, 5), Twice,
			"I can't hand over your approvals: somebody has them already in that time. They are with Lee."},
		{"to and fro", []Delegation{day(lee, kim, 0, 3)}, day(kim, lee, 2, 5), Circle,
			"I can't hand over your approvals: they would come back to you: whoever you give them to has handed over too, in the same days."},
		{"in a circle that closes on a later day", []Delegation{day(lee, moe, 1, 3), day(moe, kim, 2, 6)}, day(kim, lee, 0, 5), Circle,
			"I can't hand over your approvals: they would come back to you: whoever you give them to has handed over too, in the same days."},
		{"too often", []Delegation{day(ana, bob, 0, 1), day(bob, kim, 0, 1), day(lee, moe, 0, 1), day(moe, pia, 0, 1)}, day(kim, lee, 0, 1), Circle,
			"I can't hand over your approvals: they would be handed on too often: ask somebody who is there in those days."},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r := office()
			r.Delegations = tt.had
			_, err := r.Delegate(tt.d, morning)
			checkRefusal(t, err, tt.why, tt.want)
		})
	}
	t.Run("but to and fro in different days is fine, and the delegate is told", func(t *testing.T) {
		t.Parallel()
		r := office()
		r.Delegations = []Delegation{day(lee, kim, 0, 3)}
		e, err := r.Delegate(day(kim, lee, 3, 5), morning)
		if diff := cmp.Diff(Event{Action: Delegated, By: kim, At: morning, Tell: []id{lee}}, e); err != nil || diff != "" {
			t.Errorf("Delegate() = %v\n%s", err, diff)
		}
	})
}

// told lists what happened and who hears of it.
func told(events []Event) []string {
	var s []string
	for _, e := range events {
		line := string(e.Action)
		for _, p := range e.Tell {
			line += " " + name(p)
		}
		s = append(s, line)
	}
	return s
}

func (s *story) heard(want ...string) *story {
	s.t.Helper()
	if diff := cmp.Diff(want, told(s.events)); diff != "" {
		s.t.Errorf("events (-want +got):\n%s", diff)
	}
	return s
}

func TestWhoIsTold(t *testing.T) {
	t.Parallel()
	t.Run("approvers and their delegates, one stage after the other, then who asked", func(t *testing.T) {
		t.Parallel()
		s := begin(t, change(), twoStages()...).heard("asked Kim")
		s.then(s.a.Vote(yes(kim, 0), away([2]id{moe, pia}), hours(1))).heard("voted", "stage ended", "asked Kim Lee Moe Pia")
		s.then(s.a.Vote(yes(lee, 1), office(), hours(2))).heard("voted")
		if got, want := s.a.Progress(), "Stage 2 of 2: CAB, 1 of 2 yes"; got != want {
			t.Errorf("Progress() = %q, want %q", got, want)
		}
		s.then(s.a.Vote(yes(pia, 1), away([2]id{moe, pia}), hours(3))).heard("voted", "approved Ana Bob")
		if v := s.a.Votes[2]; v.By != pia || v.Seat != moe || v.As != AsDelegate || v.Hash != "v1" {
			t.Errorf("the record does not say for whom: %+v", v)
		}
	})
	t.Run("who had said yes, when the text is edited after the approval", func(t *testing.T) {
		t.Parallel()
		s := begin(t, change(), twoStages()[0])
		s.then(s.a.Vote(yes(pia, 0), away([2]id{kim, pia}), hours(1)))
		to := change()
		to.Hash = "v2"
		s.then(s.a.Edit(to, office(), ana, hours(2))).heard("edited Pia Kim", "asked Kim")
		if s.a.State != Waiting || len(s.a.Votes) != 0 || s.a.Round != 2 || s.events[0].Voided[0].Hash != "v1" {
			t.Errorf("the yes was not voided: %+v", s.a)
		}
	})
	t.Run("nobody, when only who does the work changes", func(t *testing.T) {
		t.Parallel()
		s := begin(t, change(), twoStages()[0])
		s.then(s.a.Vote(yes(kim, 0), office(), hours(1)))
		to := change()
		to.Own = []id{ana, lee}
		s.then(s.a.Edit(to, office(), ana, hours(2))).heard("edited")
		if s.a.State != Approved {
			t.Errorf("it became %s", s.a.State)
		}
		to.Own = []id{ana, kim}
		if err := refusal(s.a.Edit(to, office(), ana, hours(2))); err == nil {
			t.Error("the only approver may do the work that she approved")
		}
	})
	t.Run("who spoke for another, when she is to do the work now", func(t *testing.T) {
		t.Parallel()
		s := begin(t, change(), twoStages()[0])
		s.then(s.a.Vote(yes(pia, 0), away([2]id{kim, pia}), hours(1)))
		to := change()
		to.Own = []id{ana, pia}
		s.then(s.a.Edit(to, office(), ana, hours(2))).heard("edited Pia Kim", "asked Kim")
	})
	t.Run("everybody who could change it, when the stage gets stuck, once", func(t *testing.T) {
		t.Parallel()
		stage := twoStages()[1]
		stage.Deputies = nil
		s := begin(t, change(), stage)
		r := without(kim)
		s.elapse(r, hours(1)).heard()
		r.Able[lee] = false
		s.elapse(r, hours(1)).heard("stuck Ana Bob Moe")
		s.elapse(r, hours(1)).heard()
		s.elapse(office(), hours(1)).heard()
		s.elapse(r, hours(1)).heard("stuck Ana Bob Moe")
		r.Members["cab"] = []id{moe, pia}
		s.then(s.a.Again("Pia has joined", r, ana, hours(2))).heard("asked again", "asked Moe Pia")
	})
}

func TestTimePasses(t *testing.T) {
	t.Parallel()
	due := func(s *story, now time.Time) string {
		d, ok := s.a.Due(now)
		if !ok {
			return "nothing"
		}
		return fmt.Sprintf("%s at hour %v", d.Step, d.At.Sub(morning).Hours())
	}
	check := func(s *story, now time.Time, want string) {
		s.t.Helper()
		if got := due(s, now); got != want {
			s.t.Errorf("Due() = %s, want %s", got, want)
		}
	}
	t.Run("a reminder at half time, the deputy at the end, blocked at the window", func(t *testing.T) {
		t.Parallel()
		s := begin(t, change(), twoStages()...)
		check(s, morning, "remind at hour 4")
		s.elapse(office(), hours(3)).heard()
		s.elapse(office(), hours(4)).heard("reminded Kim")
		check(s, hours(4), "escalate at hour 8")
		s.elapse(office(), hours(8)).heard("escalated Kim Pia Ana Bob")
		check(s, hours(8), "block at hour 100")
		s.elapse(office(), hours(99)).heard()
		s.elapse(office(), hours(100)).heard("blocked Ana Bob Kim")
		check(s, hours(100), "nothing")
		if s.a.State != Blocked {
			t.Errorf("silence made it %s", s.a.State)
		}
		to := change()
		to.Hash, to.Window = "v2", hours(200)
		s.then(s.a.Edit(to, office(), ana, hours(101))).heard("edited", "asked Kim")
	})
	t.Run("the deputy speaks for a seat, once", func(t *testing.T) {
		t.Parallel()
		s := begin(t, change(), twoStages()[0]).elapse(office(), hours(8))
		s.then(s.a.Vote(yes(pia, 0), office(), hours(9))).heard("voted", "approved Ana Bob")
		if v := s.a.Votes[0]; v.Seat != kim || v.By != pia || v.As != AsDeputy {
			t.Errorf("recorded as %+v", v)
		}
	})
	t.Run("the deputy may change her mind, and speak in the next stage too", func(t *testing.T) {
		t.Parallel()
		stages := twoStages()
		stages[0].Rule, stages[0].Ask = Rule{Quorum: Everybody}, named(kim, lee)
		s := begin(t, change(), stages...).elapse(office(), hours(8))
		b := yes(pia, 0)
		b.Answer, b.Note, b.For = Changes, "which rack?", lee
		s.then(s.a.Vote(yes(kim, 0), office(), hours(8)))
		if _, _, err := s.a.Vote(b, office(), hours(9)); err != nil {
			t.Errorf("she may speak for Lee: %v", err)
		}
		s = begin(t, change(), stages...).elapse(office(), hours(8))
		s.then(s.a.Vote(yes(pia, 0), office(), hours(9)))
		b.For = kim
		if a, _, err := s.a.Vote(b, office(), hours(10)); err != nil || a.State != ChangesRequested {
			t.Errorf("she may change what she said for Kim: %v", err)
		}
		s.then(s.a.Vote(yes(lee, 0), office(), hours(10))).elapse(office(), hours(18))
		s.then(s.a.Vote(yes(pia, 1), office(), hours(19))).heard("voted")
	})
	t.Run("a desk that slept does only the last of what it missed", func(t *testing.T) {
		t.Parallel()
		s := begin(t, change(), twoStages()...)
		check(s, hours(50), "escalate at hour 8")
		s.elapse(office(), hours(50)).heard("escalated Kim Pia Ana Bob")
		s = begin(t, change(), twoStages()...)
		s.elapse(office(), hours(500)).heard("blocked Ana Bob Kim")
		if !s.a.DecidedAt.Equal(hours(100)) {
			t.Errorf("blocked at %v, not at the window", s.a.DecidedAt)
		}
	})
	t.Run("a near window leaves time for the deputy", func(t *testing.T) {
		t.Parallel()
		near := change()
		near.Window = hours(8)
		s := begin(t, near, twoStages()...)
		check(s, morning, "remind at hour 2")
		s.elapse(office(), hours(2))
		check(s, hours(2), "escalate at hour 4")
	})
	t.Run("each stage has a time of its own, and the approved have none", func(t *testing.T) {
		t.Parallel()
		s := begin(t, change(), twoStages()...).elapse(office(), hours(5))
		s.then(s.a.Vote(yes(kim, 0), office(), hours(6)))
		check(s, hours(6), "remind at hour 10")
		s.then(s.a.Vote(yes(kim, 1), office(), hours(6)))
		s.then(s.a.Vote(yes(lee, 1), office(), hours(6)))
		check(s, hours(6), "nothing")
	})
}

func TestMindsChange(t *testing.T) {
	t.Parallel()
	board := twoStages()[1]
	no := func(by id) Ballot {
		b := yes(by, 0)
		b.Answer, b.Note = No, "the backup failed last night"
		return b
	}
	t.Run("one's own, while the stage waits", func(t *testing.T) {
		t.Parallel()
		s := begin(t, change(), board)
		s.then(s.a.Vote(yes(kim, 0), office(), hours(1)))
		s.then(s.a.Vote(no(kim), office(), hours(2))).heard("changed vote")
		if e := s.events[0]; len(s.a.Votes) != 1 || e.Before.Answer != Yes || e.Vote.Answer != No {
			t.Errorf("the seat has %+v, the record %+v", s.a.Votes, e)
		}
	})
	t.Run("the holder overrules her delegate, and that may end the stage", func(t *testing.T) {
		t.Parallel()
		r := away([2]id{kim, pia})
		s := begin(t, change(), board)
		s.then(s.a.Vote(yes(pia, 0), r, hours(1)))
		s.then(s.a.Vote(no(moe), r, hours(2)))
		s.then(s.a.Vote(no(kim), r, hours(3))).heard("changed vote", "rejected Ana Bob")
		if s.a.State != Rejected || s.a.Decided != kim || s.a.Note == "" {
			t.Errorf("it is %s by %s: %s", s.a.State, name(s.a.Decided), s.a.Note)
		}
	})
	t.Run("a delegate with a seat of her own votes each once", func(t *testing.T) {
		t.Parallel()
		r := away([2]id{kim, lee})
		s := begin(t, change(), board)
		s.then(s.a.Vote(yes(lee, 0), r, hours(1)))
		other := yes(lee, 0)
		other.For = kim
		s.then(s.a.Vote(other, r, hours(2))).heard("voted", "approved Ana Bob")
	})
}

func TestNeed(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name string
		rule Rule
		want []int // for 0, 1, 2, … seats
	}{
		{"any one", Rule{Quorum: AnyOne}, []int{1, 1, 1, 1, 1, 1}},
		{"a majority is more than half", Rule{Quorum: Majority}, []int{1, 1, 2, 2, 3, 3}},
		{"two stay two", Rule{Quorum: AtLeast, K: 2}, []int{2, 2, 2, 2, 2, 2}},
		{"everybody is somebody", Rule{Quorum: Everybody}, []int{1, 1, 2, 3, 4, 5}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			for n, want := range tt.want {
				if got := tt.rule.Need(n); got != want {
					t.Errorf("%+v.Need(%d) = %d, want %d", tt.rule, n, got, want)
				}
			}
		})
	}
}
