package outbox_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/deskhand/deskhand/bot/chat"
	"github.com/deskhand/deskhand/storage"
)

func TestDeliveryKeepsTheOrder(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	o.open()
	o.open()
	const conversations, each = 10, 20
	want := []string{}
	for n := range each {
		want = append(want, fmt.Sprint(n))
		for c := range conversations {
			o.post(storage.LaneReply, text(fmt.Sprintf("C%d", c), fmt.Sprint(n)))
		}
	}
	o.drained()
	for c := range conversations {
		o.same(fmt.Sprintf("C%d", c), want, o.slack.texts(fmt.Sprintf("C%d", c)))
	}
	if o.slack.overlaps > 0 {
		t.Errorf("%d calls overlapped within a conversation", o.slack.overlaps)
	}
	if n := o.count(`select count(*) from posts where external is not null and sent_channel = channel and sent_at is not null`); n != conversations*each {
		t.Errorf("%d posts have their place recorded, want %d", n, conversations*each)
	}
}

func TestAThreadIsOpenedBeforeWhatFollows(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	th, dm := o.thread("C1", ""), o.thread("", "U1")
	root, first := text("C1", "ticket"), text("", "note")
	root.Thread, root.Root, first.Thread = th, true, th
	hello, second := text("", "hello"), text("", "again")
	hello.User, hello.Thread, hello.Root, second.Thread = "U1", dm, true, dm
	o.post(storage.LaneReply, root, hello, first, second)
	urgent := text("", "late!")
	urgent.Thread = th
	o.post(storage.LaneBreach, urgent)
	o.open()
	o.drained()
	got := o.slack.texts("C1")
	ts := o.slack.standing["C1"][0].ts
	o.same("the channel", []string{"ticket", ts + "/late!", ts + "/note"}, got)
	direct := o.slack.standing["DU1"][0].ts
	o.same("direct messages", []string{"hello", direct + "/again"}, o.slack.texts("DU1"))
	o.inTx(func(ctx context.Context, tx *storage.Tx) error {
		found, err := tx.FindThread(ctx, "slack", "T1", "DU1", direct)
		if err == nil && found.ID != dm {
			err = fmt.Errorf("found thread %d, want %d", found.ID, dm)
		}
		return err
	})
}

func TestManyChangesAreOneUpdate(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	o.card(7, "new")
	o.post(storage.LaneReply, storage.Post{Channel: "C1", Card: "card", Subject: 7})
	o.open()
	o.drained()

	entered, leave := make(chan struct{}), make(chan struct{})
	var once sync.Once
	o.slack.fault = func(_ chat.Post, update bool) (bool, error) {
		if update {
			once.Do(func() { close(entered); <-leave })
		}
		return false, nil
	}
	o.card(7, "claimed")
	<-entered // it was drawn as claimed, and is on its way
	for n := range 100 {
		o.card(7, fmt.Sprint("change ", n))
	}
	close(leave)
	o.drained()
	o.same("updates", []string{"claimed", "change 99"}, o.slack.updated())
	o.same("the channel", []string{"change 99"}, o.slack.texts("C1"))
}

func TestACardWithNothingToShowIsDropped(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	o.post(storage.LaneReply, storage.Post{Channel: "C1", Card: "card", Subject: 404}, text("C1", "next"))
	o.open()
	o.drained()
	o.same("the channel", []string{"next"}, o.slack.texts("C1"))
}

func TestOldWhispersAreDropped(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	whisper, react := text("C1", "psst"), text("C2", "eyes")
	whisper.Kind, whisper.User, react.Kind = "whisper", "U1", "react"
	o.post(storage.LaneReply, whisper, react, text("C1", "aloud"))
	o.clock.pass(20 * time.Minute)
	o.post(storage.LaneReply, whisper)
	o.open()
	o.drained()
	o.same("delivered", []string{"aloud", "psst"}, o.slack.sent())
	if n := o.count(`select count(*) from posts where failed is not null`); n != 2 {
		t.Errorf("%d posts have failed, want the old whisper and reaction", n)
	}
}

func TestAHomeIsReplacedByItsNewest(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	o.card(1, "monday")
	home := storage.Post{Kind: "home", User: "U1", Card: "card", Subject: 1}
	o.post(storage.LaneDigest, home)
	o.open()
	o.drained()
	o.card(1, "tuesday")
	o.post(storage.LaneDigest, home)
	o.drained()
	got := o.slack.sent()
	if got[0] != "monday" || got[len(got)-1] != "tuesday" {
		t.Errorf("homes %v, want monday and then tuesday", got)
	}
	if o.slack.finds != 0 {
		t.Error("a home was looked for")
	}
}

func TestDeliveryBeginsAtOnce(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	o.open()
	o.post(storage.LaneReply, text("C0", "warm"))
	o.drained()
	best := time.Hour
	for n := range 10 {
		sent := make(chan time.Time, 1)
		o.slack.fault = func(chat.Post, bool) (bool, error) {
			sent <- time.Now()
			return false, nil
		}
		began := time.Now()
		o.post(storage.LaneReply, text("C1", fmt.Sprint(n)))
		best = min(best, (<-sent).Sub(began))
		o.drained()
	}
	// Ten times what it takes at rest, and far below the polls.
	if best > 50*time.Millisecond {
		t.Errorf("the best of ten deliveries began after %s", best)
	}
}
