package outbox_test

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/deskhand/deskhand/bot/chat"
	"github.com/deskhand/deskhand/storage"
	"github.com/deskhand/deskhand/storage/pglocal"
	"github.com/deskhand/deskhand/storage/pgtest"
)

func TestARootThatFailsTakesItsThreadAlong(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	o.slack.fault = func(p chat.Post, _ bool) (bool, error) {
		if p.Card.Text == "ticket" {
			return false, chat.ErrGone
		}
		return false, nil
	}
	th := o.thread("C1", "")
	root, first := text("C1", "ticket"), text("", "note")
	root.Thread, root.Root, first.Thread = th, true, th
	o.post(storage.LaneReply, root, first)
	o.open()
	o.drained()
	o.post(storage.LaneReply, first) // also what is queued later
	o.drained()
	o.same("delivered", []string(nil), o.slack.sent())
	if n := o.count(`select count(*) from dead_letters where source = 'outbox'`); n != 3 {
		t.Errorf("%d dead letters, want 3", n)
	}
}

func TestACardThatCanNotBeDrawnHoldsUpNothingElse(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	o.draw.broken.Store(true)
	for n := range 20 {
		o.card(int64(n), fmt.Sprint("card ", n))
		o.post(storage.LaneReply, storage.Post{Channel: fmt.Sprint("C", n), Card: "card", Subject: int64(n)})
	}
	o.open()
	o.stalled(1)
	o.eventually("the other 19", func() bool { return len(o.slack.sent()) == 19 })
	o.draw.broken.Store(false)
	o.clock.pass(time.Minute)
	o.wake()
	o.drained()
	o.same("the broken one", []string{"card 13"}, o.slack.texts("C13"))
}

func TestACardThatCanNotBeReadHoldsUpNothingElse(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	o.draw.unread.Store(true)
	for n := range 20 {
		o.card(int64(n), fmt.Sprint("card ", n))
		o.post(storage.LaneReply, storage.Post{Channel: fmt.Sprint("C", n), Card: "card", Subject: int64(n)})
	}
	o.open()
	o.stalled(1)
	o.eventually("the other 19", func() bool { return len(o.slack.sent()) == 19 })
}

func TestALostAnswerMakesNoSecondMessage(t *testing.T) {
	t.Parallel()
	for name, landed := range map[string]bool{"that had arrived": true, "that had not": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := newOffice(t)
			var once sync.Once
			o.slack.fault = func(chat.Post, bool) (lost bool, err error) {
				once.Do(func() { lost, err = landed, chat.ErrUnsure })
				return lost, err
			}
			o.post(storage.LaneReply, text("C1", "one"), text("C1", "two"))
			o.open()
			o.stalled(1)
			o.clock.pass(time.Minute)
			o.wake()
			o.drained()
			o.same("the channel", []string{"one", "two"}, o.slack.texts("C1"))
			if o.slack.finds != 1 {
				t.Errorf("looked %d times, want once", o.slack.finds)
			}
			if n := o.count(`select count(*) from posts where external is null`); n != 0 {
				t.Errorf("%d posts have no place", n)
			}
		})
	}
}

func TestAProcessThatDiesWhileItSends(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	o.card(1, "as it was")
	id := o.post(storage.LaneReply, storage.Post{Channel: "C1", Card: "card", Subject: 1})
	o.post(storage.LaneReply, text("C2", "never sent"))
	// It claims both, sends one, and is gone.
	all, err := o.db.ClaimDeliveries(t.Context(), o.clock.now(), time.Minute, 10)
	if err != nil || len(all) != 2 {
		t.Fatalf("claimed %v, %v", all, err)
	}
	if _, err := o.slack.Send(t.Context(), chat.Post{
		ID: fmt.Sprint(id), Kind: chat.Message, Place: chat.Place{Channel: "C1"}, Card: chat.Card{Text: "as it was"},
	}); err != nil {
		t.Fatal(err)
	}
	o.card(1, "as it is")
	o.open()
	o.same("under the lease", []string{"as it was"}, o.slack.sent())
	o.clock.pass(2 * time.Minute)
	o.wake()
	o.drained()
	// Found, and then brought up to date.
	o.same("C1", []string{"as it is"}, o.slack.texts("C1"))
	o.same("C2", []string{"never sent"}, o.slack.texts("C2"))
	o.same("sent", []string{"as it was", "never sent"}, o.slack.sent())
}

func TestAnOutageIsSatOut(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	var down atomic.Bool
	down.Store(true)
	o.slack.fault = func(chat.Post, bool) (bool, error) {
		if down.Load() {
			return false, errors.New("503")
		}
		return false, nil
	}
	o.post(storage.LaneReply, text("C1", "one"), text("C1", "two"))
	o.open()
	for hours := 0; hours < 71; hours++ {
		o.stalled(1)
		o.clock.pass(time.Hour)
		o.wake()
		o.eventually("another attempt", func() bool {
			return o.count(`select count(*) from outbox where attempts > $1`, hours) >= 1
		})
	}
	o.stalled(1)
	down.Store(false)
	o.clock.pass(30 * time.Minute)
	o.wake()
	o.drained()
	o.same("the channel", []string{"one", "two"}, o.slack.texts("C1"))
	if o.slack.finds != 0 {
		t.Errorf("looked %d times for what was not sent", o.slack.finds)
	}
}

func TestAfterThreeDaysDeliveryIsGivenUp(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	o.slack.fault = func(p chat.Post, _ bool) (bool, error) {
		if p.Card.Text == "one" {
			return false, errors.New("503")
		}
		return false, nil
	}
	o.post(storage.LaneReply, text("C1", "one"))
	o.open()
	o.stalled(1)
	o.clock.pass(73 * time.Hour)
	o.post(storage.LaneReply, text("C1", "two"))
	o.drained()
	o.same("the channel", []string{"two"}, o.slack.texts("C1"))
	if n := o.count(`select count(*) from dead_letters where source = 'outbox' and error = '503' and content->>'channel' = 'C1'`); n != 1 {
		t.Errorf("%d dead letters, want 1", n)
	}
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	answers := map[string]error{"refused": &chat.RefusedError{Reason: "too long"}, "gone": chat.ErrGone}
	o.slack.fault = func(p chat.Post, _ bool) (bool, error) { return false, answers[p.Card.Text] }
	o.post(storage.LaneReply, text("C1", "refused"), text("C1", "next"), text("C2", "gone"), text("C2", "next"))
	o.card(1, "fine")
	o.card(2, "fine too")
	o.post(storage.LaneReply, storage.Post{Channel: "C3", Card: "card", Subject: 1}, storage.Post{Channel: "C4", Card: "card", Subject: 2})
	o.open()
	o.drained()
	o.same("C1", []string{"next"}, o.slack.texts("C1"))
	o.same("C2", []string{"next"}, o.slack.texts("C2"))
	if n := o.count(`select count(*) from dead_letters`); n != 2 {
		t.Errorf("%d dead letters for what was never sent, want 2", n)
	}

	o.card(1, "refused")
	o.drained()
	o.card(1, "fine again")
	o.drained()
	o.same("a card of which one change was refused", []string{"fine again"}, o.slack.texts("C3"))

	o.slack.mu.Lock()
	o.slack.standing["C4"] = nil // somebody has removed it
	o.slack.mu.Unlock()
	o.card(2, "changed")
	o.drained()
	o.card(2, "changed once more") // not even queued
	if n := o.count(`select count(*) from outbox`); n != 0 {
		t.Errorf("%d changes of a removed card are queued", n)
	}
	if n := o.count(`select count(*) from dead_letters`); n != 3 {
		t.Errorf("%d dead letters, want one more for the refused change and none for the removed card", n)
	}
}

func TestPostgresGoesAwayDuringDelivery(t *testing.T) {
	t.Parallel()
	server := pgtest.Cluster(t)
	db, err := storage.Open(t.Context(), server.URL(), storage.MaxConns(8))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(db.Close)
	if err := storage.Migrate(t.Context(), db); err != nil {
		t.Fatal(err)
	}
	o := &office{TB: t, db: db, slack: newPlatform(), draw: &drawer{}, clock: &clock{}}
	o.prepare()
	var all []storage.Post
	const conversations, each = 8, 60
	want := []string{}
	for n := range each {
		want = append(want, fmt.Sprint(n))
		for c := range conversations {
			all = append(all, text(fmt.Sprint("C", c), fmt.Sprint(n)))
		}
	}
	o.post(storage.LaneReply, all...)

	// Each time in the middle of calls whose outcome must then be kept.
	calls := make(chan int, len(all)*2)
	var n atomic.Int32
	o.slack.fault = func(chat.Post, bool) (bool, error) {
		calls <- int(n.Add(1))
		return false, nil
	}
	shut := o.open()
	for restarts := 0; restarts < 2; {
		if <-calls == (restarts+1)*len(all)/3 {
			if err := server.Restart(t.Context(), pglocal.Immediate); err != nil {
				t.Fatal(err)
			}
			restarts++
		}
	}
	deadline := time.Now().Add(60 * time.Second)
	for len(o.slack.sent()) < len(all) || o.count(`select count(*) from outbox`) > 0 {
		if time.Now().After(deadline) {
			t.Fatalf("%d of %d delivered", len(o.slack.sent()), len(all))
		}
		if o.count(`select count(*) from outbox where leased_until > $1`, o.clock.now()) == o.count(`select count(*) from outbox`) {
			o.clock.pass(10 * time.Second) // a claim whose answer was lost
		}
		o.wake()
		time.Sleep(2 * time.Millisecond)
	}
	shut()
	for c := range conversations {
		o.same(fmt.Sprint("C", c), want, o.slack.texts(fmt.Sprint("C", c)))
	}
}

// Whatever the platform does: each message stands once, in order, and shows
// what the record says at last.
func TestOrderHoldsWhateverThePlatformDoes(t *testing.T) {
	t.Parallel()
	base := newOffice(t)
	round := 0
	rapid.Check(t, func(rt *rapid.T) {
		round++
		faults := rapid.SliceOfN(rapid.IntRange(0, 7), 8, 40).Draw(rt, "faults")
		o := &office{TB: t, db: base.db, slack: newPlatform(), draw: &drawer{}, clock: &clock{}}
		var calls atomic.Int32
		o.slack.fault = func(chat.Post, bool) (bool, error) {
			n := int(calls.Add(1))
			if n > len(faults) {
				return false, nil
			}
			switch faults[n-1] {
			case 0:
				return false, errors.New("500")
			case 1:
				return true, chat.ErrUnsure
			case 2:
				return false, chat.ErrUnsure
			case 3:
				return false, &chat.LimitedError{After: time.Second}
			}
			return false, nil
		}
		shut := []func(){o.open(), o.open()}
		defer func() {
			for _, s := range shut {
				s()
			}
		}()
		channel := func(c int) string { return fmt.Sprintf("R%d-%d", round, c) }
		want := map[string][]string{}
		cards := map[int64]string{}
		for i, step := range rapid.SliceOfN(rapid.IntRange(0, 5), 1, 30).Draw(rt, "steps") {
			c := step % 3
			if step < 3 {
				s := fmt.Sprint(i)
				o.post(storage.LaneReply, text(channel(c), s))
				want[channel(c)] = append(want[channel(c)], s)
				continue
			}
			subject := int64(round*10 + c)
			if _, known := cards[subject]; !known {
				o.card(subject, fmt.Sprint("card ", i))
				o.post(storage.LaneReply, storage.Post{Channel: channel(c), Card: "card", Subject: subject})
				want[channel(c)] = append(want[channel(c)], fmt.Sprint("=", subject))
			}
			cards[subject] = fmt.Sprint("card ", i)
			o.card(subject, cards[subject])
		}
		deadline := time.Now().Add(30 * time.Second)
		for o.count(`select count(*) from outbox`) > 0 {
			if time.Now().After(deadline) {
				rt.Fatal("not delivered within 30 s")
			}
			// Not in the middle of a call: that would be a call of minutes.
			if o.count(`select count(*) from outbox where leased_until > $1`, o.clock.now()) == 0 {
				o.clock.pass(3 * time.Second)
			}
			o.wake()
			time.Sleep(time.Millisecond)
		}
		for name, texts := range want {
			for i, s := range texts {
				if id, isCard := strings.CutPrefix(s, "="); isCard {
					var subject int64
					if _, err := fmt.Sscan(id, &subject); err != nil {
						rt.Fatal(err)
					}
					texts[i] = cards[subject]
				}
			}
			if diff := cmp.Diff(texts, o.slack.texts(name)); diff != "" {
				rt.Fatalf("%s (-want +got):\n%s", name, diff)
			}
		}
	})
}
