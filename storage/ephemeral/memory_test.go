package ephemeral

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// clock is turned by hand.
type clock struct{ t time.Time }

func (c *clock) now() time.Time          { return c.t }
func (c *clock) advance(d time.Duration) { c.t = c.t.Add(d) }

func newClock() *clock { return &clock{time.Date(2026, 11, 21, 9, 0, 0, 0, time.UTC)} }

func TestMemoryForgets(t *testing.T) {
	t.Parallel()
	c := newClock()
	m := NewMemory(MemoryOptions{Now: c.now})
	m.Set(t.Context(), "short", []byte("x"), time.Minute)
	m.Set(t.Context(), "long", []byte("y"), time.Hour)
	c.advance(time.Minute)
	if _, ok := m.Get(t.Context(), "short"); ok {
		t.Error("a value outlived its time")
	}
	if _, ok := m.Get(t.Context(), "long"); !ok {
		t.Error("a value is gone before its time")
	}
}

func TestMemoryIsSwept(t *testing.T) {
	t.Parallel()
	c := newClock()
	m := NewMemory(MemoryOptions{Now: c.now})
	for i := range 100 {
		m.Set(t.Context(), fmt.Sprint(i), []byte("x"), time.Second)
		if _, err := m.Take(t.Context(), fmt.Sprint(i), 10, 1, 1); err != nil {
			t.Fatal(err)
		}
	}
	c.advance(2 * sweepEvery)
	m.Set(t.Context(), "new", []byte("x"), time.Second)
	if len(m.values) != 1 || m.bytes != len("new")+1 || len(m.buckets) != 0 {
		t.Errorf("%d values, %d bytes, %d buckets; want only the new value", len(m.values), m.bytes, len(m.buckets))
	}
}

func TestMemoryIsBounded(t *testing.T) {
	t.Parallel()
	c := newClock()
	m := NewMemory(MemoryOptions{MaxEntries: 10, MaxBytes: 100, Now: c.now})
	for i := range 50 {
		m.Set(t.Context(), fmt.Sprintf("k%d", i), []byte("x"), time.Hour)
		m.Get(t.Context(), "k0") // in use
		m.Block(t.Context(), fmt.Sprint(i), c.now().Add(time.Hour))
	}
	if len(m.values) != 10 || len(m.buckets) != 10 {
		t.Errorf("%d values and %d buckets, want 10 each", len(m.values), len(m.buckets))
	}
	for _, k := range []string{"k0", "k49"} {
		if _, ok := m.Get(t.Context(), k); !ok {
			t.Errorf("%s gave way though it was used last", k)
		}
	}
	m.Set(t.Context(), "big", []byte(strings.Repeat("x", 90)), time.Hour)
	if m.bytes > 100 {
		t.Errorf("%d bytes, want at most 100", m.bytes)
	}
	if _, ok := m.Get(t.Context(), "big"); !ok {
		t.Error("the newest value is gone")
	}
	m.Set(t.Context(), "big", []byte(strings.Repeat("x", 200)), time.Hour)
	if _, ok := m.Get(t.Context(), "big"); ok {
		t.Error("a value larger than all is kept, or its older one")
	}
}

// A budget is kept over every stretch of time: in no window do more tokens come
// due than the burst and what the rate fills in.
func TestTakeKeepsTheBudget(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		rate := rapid.Float64Range(0.1, 100).Draw(t, "rate")
		burst := rapid.IntRange(1, 20).Draw(t, "burst")
		c := newClock()
		m := NewMemory(MemoryOptions{Now: c.now})
		ctx := context.Background()
		var due []time.Time // one for each token
		var blocked time.Time
		for range rapid.IntRange(1, 60).Draw(t, "steps") {
			c.advance(time.Duration(rapid.IntRange(0, 2000).Draw(t, "ms")) * time.Millisecond)
			if rapid.IntRange(0, 9).Draw(t, "block") == 0 {
				until := c.now().Add(time.Duration(rapid.IntRange(0, 5000).Draw(t, "blocked ms")) * time.Millisecond)
				m.Block(ctx, "b", until)
				blocked = later(blocked, until)
			}
			n := rapid.IntRange(1, burst).Draw(t, "n")
			wait, err := m.Take(ctx, "b", rate, burst, n)
			if err != nil {
				t.Fatal(err)
			}
			at := c.now().Add(wait)
			if at.Before(blocked) && c.now().Before(blocked) {
				t.Fatalf("a token at %v, blocked until %v", at, blocked)
			}
			for range n {
				due = append(due, at)
			}
		}
		if !slices.IsSortedFunc(due, time.Time.Compare) {
			t.Fatal("somebody who came later is served earlier")
		}
		for i := range due {
			for j := i; j < len(due); j++ {
				window := due[j].Sub(due[i]).Seconds()
				if got, most := float64(j-i+1), float64(burst)+window*rate+1e-3; got > most {
					t.Fatalf("%g tokens in %g s, want at most %g", got, window, most)
				}
			}
		}
	})
}

// And it is not kept too well: who takes steadily gets the whole rate.
func TestTakeGivesTheWholeRate(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		rate := rapid.Float64Range(0.1, 1000).Draw(t, "rate")
		burst := rapid.IntRange(1, 20).Draw(t, "burst")
		n := rapid.IntRange(1, 200).Draw(t, "n")
		c := newClock()
		m := NewMemory(MemoryOptions{Now: c.now})
		var wait time.Duration
		for range n {
			var err error
			if wait, err = m.Take(context.Background(), "b", rate, burst, 1); err != nil {
				t.Fatal(err)
			}
		}
		if want := max(0, float64(n-burst)/rate); wait.Seconds() > want*1.001+1e-6 {
			t.Fatalf("the last of %d waits %v, want %g s", n, wait, want)
		}
	})
}

func TestAfterABlockTheyComeOneByOne(t *testing.T) {
	t.Parallel()
	c := newClock()
	m := NewMemory(MemoryOptions{Now: c.now})
	m.Block(t.Context(), "b", c.now().Add(30*time.Second))
	m.Block(t.Context(), "b", c.now().Add(10*time.Second)) // does not shorten
	var got []time.Duration
	for range 3 {
		wait, err := m.Take(t.Context(), "b", 1, 5, 1)
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, wait)
	}
	if want := []time.Duration{30 * time.Second, 31 * time.Second, 32 * time.Second}; !slices.Equal(got, want) {
		t.Errorf("waits %v, want %v", got, want)
	}
}

func TestSlowSubscriberIsToldOfTheGap(t *testing.T) {
	t.Parallel()
	m := NewMemory(MemoryOptions{})
	ch := m.Subscribe(t.Context(), "topic")
	for round := range 3 {
		for i := range 10 * backlog {
			m.Publish(t.Context(), "topic", fmt.Append(nil, i))
		}
		gaps, got := 0, 0
		for len(ch) > 0 {
			if p := <-ch; p == nil {
				gaps++
			} else if string(p) != fmt.Sprint(got) {
				t.Fatalf("payload %q, want %d", p, got)
			} else {
				got++
			}
		}
		if gaps != 1 || got != backlog {
			t.Errorf("round %d: %d payloads and %d gaps, want %d and 1", round, got, gaps, backlog)
		}
	}
}

// Whatever the pace, a subscriber hears of each payload, or of a gap after it
// was published, in time to look for itself.
func TestNothingIsMissedUnnoticed(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		var h hub
		ctx, cancel := context.WithCancel(context.Background())
		defer cancel()
		ch := h.subscribe(ctx, "t")
		sent, heard, looked := 0, map[int]bool{}, 0 // looked: what was sent when a gap was heard of
		read := func(n int) {
			for last := 0; n > 0 && len(ch) > 0; n-- {
				p := <-ch
				if p == nil {
					looked = sent
					continue
				}
				n := 0
				if _, err := fmt.Sscan(string(p), &n); err != nil || n <= last {
					t.Fatalf("payload %q after %d", p, last)
				}
				last, heard[n] = n, true
			}
		}
		for range rapid.IntRange(1, 40).Draw(t, "steps") {
			for range rapid.IntRange(0, 2*backlog).Draw(t, "publish") {
				sent++
				h.publish("t", fmt.Append(nil, sent))
			}
			if rapid.IntRange(0, 5).Draw(t, "gap") == 0 {
				h.gap()
			}
			read(rapid.IntRange(0, 2*backlog).Draw(t, "read"))
		}
		read(10 * backlog)
		for n := looked + 1; n <= sent; n++ {
			if !heard[n] {
				t.Fatalf("payload %d of %d was missed, the last look was at %d", n, sent, looked)
			}
		}
	})
}
