package ephemeral

import (
	"context"
	"errors"
	"math"
	"sync"
	"testing"
	"time"
)

// each runs a test on every kind of store. open returns another process' view
// of the same state; for a Memory, there is only one process.
func each(t *testing.T, test func(t *testing.T, open func() Store)) {
	t.Run("memory", func(t *testing.T) {
		t.Parallel()
		m := NewMemory(MemoryOptions{})
		t.Cleanup(func() { _ = m.Close() })
		test(t, func() Store { return m })
	})
	t.Run("redis", func(t *testing.T) {
		t.Parallel()
		s := startRedis(t)
		test(t, func() Store { return s.open(t) })
	})
}

func TestValues(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, open func() Store) {
		ctx := t.Context()
		a, b := open(), open()
		if got, ok := b.Get(ctx, "form"); ok {
			t.Errorf("Get before Set = %q", got)
		}
		value := []byte("half\x00filled")
		a.Set(ctx, "form", value, time.Minute)
		value[0] = 'X'
		got, ok := b.Get(ctx, "form")
		if !ok || string(got) != "half\x00filled" {
			t.Errorf("Get = %q, %t", got, ok)
		}
		got[0] = 'Y'
		if again, _ := b.Get(ctx, "form"); string(again) != "half\x00filled" {
			t.Errorf("Get after the caller changed what it got = %q", again)
		}
		b.Set(ctx, "form", nil, time.Minute)
		if got, ok := a.Get(ctx, "form"); !ok || len(got) != 0 {
			t.Errorf("Get of an empty value = %q, %t", got, ok)
		}
		b.Delete(ctx, "form")
		if got, ok := a.Get(ctx, "form"); ok {
			t.Errorf("Get after Delete = %q", got)
		}
		a.Set(ctx, "form", []byte("x"), time.Minute)
		a.Set(ctx, "form", []byte("x"), 0)
		if got, ok := b.Get(ctx, "form"); ok {
			t.Errorf("Get of a value kept for no time = %q", got)
		}
		a.Set(ctx, "brief", []byte("x"), 30*time.Millisecond)
		eventually(t, "the value expires", func() bool { _, ok := b.Get(ctx, "brief"); return !ok })
	})
}

func TestProcessesShareABudget(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, open func() Store) {
		const rate, burst, each = 50, 5, 20
		stores := []Store{open(), open(), open()}
		begun := time.Now()
		var mu sync.Mutex
		var last time.Duration
		atOnce := 0
		var all sync.WaitGroup
		for _, s := range stores {
			all.Go(func() {
				for range each {
					wait, err := s.Take(t.Context(), "channel", rate, burst, 1)
					if err != nil {
						t.Error(err)
					}
					at := time.Since(begun) + wait
					mu.Lock()
					last = max(last, at)
					if wait == 0 {
						atOnce++
					}
					mu.Unlock()
				}
			})
		}
		all.Wait()
		took := time.Since(begun)
		// 60 tokens less the burst at 50 a second.
		want := time.Duration(float64(len(stores)*each-burst) / rate * float64(time.Second))
		if last < want-5*time.Millisecond || last > want+took+5*time.Millisecond {
			t.Errorf("the last token is due after %v, want %v", last, want)
		}
		if most := burst + int(took.Seconds()*rate) + 1; atOnce < burst || atOnce > most {
			t.Errorf("%d tokens at once, want %d to %d", atOnce, burst, most)
		}
		if wait, err := stores[0].Take(t.Context(), "another channel", rate, burst, burst); wait != 0 || err != nil {
			t.Errorf("a full bucket: wait %v, %v", wait, err)
		}
	})
}

func TestBlockIsForAllProcesses(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, open func() Store) {
		a, b := open(), open()
		a.Block(t.Context(), "channel", time.Now().Add(30*time.Second))
		for _, s := range []Store{b, a} {
			wait, err := s.Take(t.Context(), "channel", 1000, 10, 1)
			if err != nil || wait < 29*time.Second || wait > 31*time.Second {
				t.Errorf("wait %v, %v; want 30 s", wait, err)
			}
		}
	})
}

func TestTakeRefusesNonsense(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, open func() Store) {
		s := open()
		for name, a := range map[string]struct {
			rate     float64
			burst, n int
		}{
			"no rate":             {0, 1, 1},
			"a negative rate":     {-1, 1, 1},
			"a rate that is none": {math.NaN(), 1, 1},
			"less than one a day": {1e-9, 1, 1},
			"no burst":            {1, 0, 1},
			"no tokens":           {1, 1, 0},
		} {
			if wait, err := s.Take(t.Context(), "b", a.rate, a.burst, a.n); err == nil {
				t.Errorf("%s: wait %v, want an error", name, wait)
			}
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := s.Take(ctx, "b", 1, 1, 1); !errors.Is(err, context.Canceled) {
			t.Errorf("a cancelled Take: %v", err)
		}
		if wait, err := s.Take(t.Context(), "b", math.Inf(1), 1, 100); err != nil || wait > time.Millisecond {
			t.Errorf("without a limit: wait %v, %v", wait, err)
		}
	})
}

func TestWakeUps(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, open func() Store) {
		a, b := open(), open()
		ctx, cancel := context.WithCancel(t.Context())
		inbox, other, own := b.Subscribe(ctx, "inbox"), b.Subscribe(ctx, "outbox"), a.Subscribe(ctx, "inbox")
		hears(t, a, "inbox", inbox) // Redis takes a moment to subscribe
		drain(inbox, 50*time.Millisecond)
		drain(own, 50*time.Millisecond)

		a.Publish(ctx, "inbox", []byte("second"))
		a.Publish(ctx, "inbox", nil)
		for name, ch := range map[string]<-chan []byte{"another process": inbox, "the same process": own} {
			for _, want := range []string{"second", ""} {
				if got := receive(t, ch); got == nil || string(got) != want {
					t.Errorf("%s: %q, want %q", name, got, want)
				}
			}
			if extra := drain(ch, 50*time.Millisecond); extra > 0 {
				t.Errorf("%s: %d more than were published", name, extra)
			}
		}
		if n := drain(other, 0); n != 0 {
			t.Errorf("%d payloads on another topic", n)
		}

		cancel()
		for _, ch := range []<-chan []byte{inbox, other, own} {
			for range ch { // until it is closed
			}
		}
		a.Publish(t.Context(), "inbox", []byte("to nobody"))
	})
}

func TestCloseEndsSubscriptions(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, open func() Store) {
		s := open()
		ch := s.Subscribe(t.Context(), "topic")
		for range 2 {
			if err := s.Close(); err != nil {
				t.Error(err)
			}
		}
		for range ch {
		}
		for range s.Subscribe(t.Context(), "topic") {
			t.Error("a payload from a closed store")
		}
	})
}

func receive(t *testing.T, ch <-chan []byte) []byte {
	t.Helper()
	select {
	case p, ok := <-ch:
		if !ok {
			t.Fatal("the channel is closed")
		}
		return p
	case <-time.After(10 * time.Second):
		t.Fatal("nothing came")
		return nil
	}
}

// hears waits until what is published arrives.
func hears(t *testing.T, from Store, topic string, ch <-chan []byte) {
	t.Helper()
	eventually(t, "a wake-up on "+topic+" arrives", func() bool {
		from.Publish(t.Context(), topic, []byte("hello"))
		for late := time.After(20 * time.Millisecond); ; {
			select {
			case p := <-ch:
				if string(p) == "hello" {
					return true
				}
			case <-late:
				return false
			}
		}
	})
}

// drain takes what comes until it is quiet, and returns how many payloads came.
func drain(ch <-chan []byte, quiet time.Duration) int {
	for n := 0; ; {
		select {
		case p := <-ch:
			if p != nil {
				n++
			}
		case <-time.After(quiet):
			return n
		}
	}
}

// eventually waits for what another process or the clock brings about.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for late := time.After(20 * time.Second); !ok(); {
		select {
		case <-tick.C:
		case <-late:
			t.Fatalf("in vain: %s", what)
		}
	}
}
