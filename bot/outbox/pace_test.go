package outbox_test

import (
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/deskhand/deskhand/bot/chat"
	"github.com/deskhand/deskhand/storage"
	"github.com/deskhand/deskhand/storage/ephemeral"
)

func TestTheMostUrgentGoesFirstAtAPace(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	o.pace = ephemeral.NewMemory(ephemeral.MemoryOptions{})
	o.slack.budget = func(p chat.Post) []chat.Budget {
		return []chat.Budget{{Name: "all", Rate: 1000, Burst: 100}, {Name: p.Place.Channel, Rate: 20, Burst: 1}}
	}
	const digests = 30
	for n := range digests {
		// Threads of their own, so that only the channel's budget is between them.
		th := o.thread("C1", "")
		p := text("C1", fmt.Sprint("digest ", n))
		p.Thread, p.Root = th, true
		o.post(storage.LaneDigest, p)
	}
	o.open()
	began := time.Now()
	o.eventually("five digests", func() bool { return len(o.slack.sent()) >= 5 })
	o.post(storage.LaneReply, text("C1", "reply"))
	o.post(storage.LaneBreach, text("C1", "breach"))
	before := len(o.slack.sent())
	o.drained()
	took := time.Since(began)

	all := o.slack.sent()
	breach, reply := slices.Index(all, "breach"), slices.Index(all, "reply")
	// Some may have been on their way already.
	if breach > before+3 || reply > before+4 {
		t.Errorf("breach came as %d and reply as %d, after %d had gone", breach, reply, before)
	}
	if len(all) != digests+2 {
		t.Errorf("%d were delivered, want %d", len(all), digests+2)
	}
	// 32 at 20 a second: 31 waits of 50 ms.
	if took < 31*50*time.Millisecond {
		t.Errorf("took %s: faster than the budget", took)
	}
}

func TestALongWaitGoesBackToTheDatabase(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	o.pace = ephemeral.NewMemory(ephemeral.MemoryOptions{})
	o.slack.budget = func(p chat.Post) []chat.Budget {
		if strings.HasPrefix(p.Place.Channel, "C") {
			return []chat.Budget{{Name: "slow", Rate: 0.1, Burst: 1}}
		}
		return nil
	}
	const slow = 600 // more than a process holds
	var all []storage.Post
	for n := range slow {
		all = append(all, text(fmt.Sprint("C", n), "slow"))
	}
	o.post(storage.LaneReply, all...)
	shut := o.open()
	o.post(storage.LaneReply, text("D1", "quick"))
	o.eventually("the other channel's message", func() bool { return len(o.slack.texts("D1")) == 1 })
	o.eventually("the rest to wait in the database", func() bool {
		return o.count(`select count(*) from outbox where due_at > $1 and attempts = 0 and not unsure`, o.clock.now()) >= slow-4
	})
	shut() // and gives back what it has in memory
	if n := o.count(`select count(*) from outbox where leased_until is not null or unsure`); n != 0 {
		t.Errorf("%d are still claimed after the end", n)
	}
	if n := len(o.slack.sent()); n != 2 {
		t.Errorf("%d were delivered, want one slow and one quick", n)
	}
}

func TestThePlatformsOwnLimitIsHonoured(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	store := ephemeral.NewMemory(ephemeral.MemoryOptions{Now: o.clock.now})
	o.pace = store
	o.slack.budget = func(p chat.Post) []chat.Budget {
		return []chat.Budget{{Name: p.Place.Channel, Rate: 100, Burst: 10}}
	}
	var calls atomic.Int32
	o.slack.fault = func(p chat.Post, _ bool) (bool, error) {
		if p.Place.Channel == "C1" && calls.Add(1) == 1 {
			return false, &chat.LimitedError{After: time.Hour}
		}
		return false, nil
	}
	o.post(storage.LaneReply, text("C1", "one"))
	o.open()
	o.stalled(1)
	th := o.thread("C1", "")
	other := text("C1", "other thread")
	other.Thread, other.Root = th, true
	o.post(storage.LaneReply, other, text("C2", "elsewhere"))
	o.eventually("the other channel's message", func() bool { return len(o.slack.texts("C2")) == 1 })
	o.stalled(2)
	if n := calls.Load(); n != 1 {
		t.Errorf("%d calls while the channel is limited, want 1", n)
	}
	if n := o.count(`select count(*) from outbox where attempts > 0 and leased_until is null`); n != 0 {
		t.Errorf("%d attempts were counted", n)
	}
	wait, err := store.Take(t.Context(), "C1", 100, 10, 1)
	if err != nil || wait < 59*time.Minute {
		t.Errorf("another process would wait %s, %v; want about an hour", wait, err)
	}
}
