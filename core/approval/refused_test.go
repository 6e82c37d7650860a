package approval

import (
	"errors"
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
