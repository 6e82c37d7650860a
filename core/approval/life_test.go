package approval

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

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
	t.Run("who asked, when the only deputy has spoken and the last approver leaves", func(t *testing.T) {
		t.Parallel()
		stage := twoStages()[0]
		stage.Rule, stage.Ask = Rule{Quorum: Everybody}, named(kim, lee)
		s := begin(t, change(), stage).elapse(office(), hours(8))
		s.elapse(without(lee), hours(8)).heard() // Pia may speak for Lee
		s.then(s.a.Vote(yes(pia, 0), office(), hours(9))).heard("voted")
		s.elapse(without(lee), hours(10)).heard("stuck Ana Bob")
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
		next := yes(pia, 1)
		next.For = lee // not Kim, for whom she spoke before
		s.then(s.a.Vote(next, office(), hours(19))).heard("voted")
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
