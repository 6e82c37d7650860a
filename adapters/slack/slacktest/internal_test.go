package slacktest

import (
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// Timestamps are read back as they were written, and sort as text as they do in
// time.
func TestTimestamps(t *testing.T) {
	t.Parallel()
	at := rapid.Int64Range(1e15, 9e15) // ten digits of seconds
	rapid.Check(t, func(t *rapid.T) {
		a, b := at.Draw(t, "a"), at.Draw(t, "b")
		if got := micros(slackTS(a)); got != a || len(slackTS(a)) != len("1700000000.000100") {
			t.Fatalf("%d is written %s and read %d", a, slackTS(a), got)
		}
		if (a < b) != (slackTS(a) < slackTS(b)) {
			t.Fatalf("%s and %s do not sort as %d and %d", slackTS(a), slackTS(b), a, b)
		}
	})
	for _, bad := range []string{"", ".", "x.1", "1.x", "-1.0", "1.-1", "99999999999999999999.0"} {
		if got := micros(bad); got != 0 {
			t.Errorf("micros(%q) = %d", bad, got)
		}
	}
}

// What a page that Slack's clients cut up gives in all is the whole, once.
func TestPagesMakeTheWhole(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		whole := rapid.SliceOf(rapid.Int()).Draw(t, "whole")
		limit := rapid.SampledFrom([]string{"", "1", "2", "3", "0", "-1", "9999"}).Draw(t, "limit")
		var got []int
		cursor := ""
		for range len(whole) + 1 {
			page, next, err := paged(&request{form: map[string][]string{"limit": {limit}, "cursor": {cursor}}}, whole, 2, 5)
			if err != nil || len(page) > 5 {
				t.Fatalf("a page of %d: %v", len(page), err)
			}
			got = append(got, page...)
			if cursor = next; next == "" {
				break
			}
		}
		if len(got) != len(whole) {
			t.Fatalf("%d came of %d", len(got), len(whole))
		}
		for i := range got {
			if got[i] != whole[i] {
				t.Fatalf("%v came of %v", got, whole)
			}
		}
	})
}

// The buckets never give more than the burst and what time has brought.
func TestPacingLaw(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		p := pacer{Pacing: Pacing{PerChannel: 1, Burst: rapid.IntRange(1, 10).Draw(t, "burst")}}
		now := time.Unix(1_800_000_000, 0)
		start, taken := now, 0
		for range rapid.IntRange(1, 100).Draw(t, "calls") {
			now = now.Add(time.Duration(rapid.IntRange(0, 2000).Draw(t, "ms")) * time.Millisecond)
			if wait := p.take("chat.postMessage", special, "C1", now); wait > 0 {
				now = now.Add(wait + time.Microsecond) // rounding; Retry-After is in whole seconds
				if again := p.take("chat.postMessage", special, "C1", now); again > 0 {
					t.Fatalf("after the %v that it asked for it asks for %v more", wait, again)
				}
			}
			taken++
		}
		if most := float64(p.Burst) + now.Sub(start).Seconds() + 1e-3; float64(taken) > most {
			t.Fatalf("%d were let through in %v with a burst of %d", taken, now.Sub(start), p.Burst)
		}
	})
}

func TestIDsLookLikeSlacks(t *testing.T) {
	t.Parallel()
	w, err := New(Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	seen := map[string]bool{}
	for range 10_000 {
		id := w.newID("C")
		if seen[id] || len(id) != 10 || !strings.HasPrefix(id, "C0") || id != strings.ToUpper(id) {
			t.Fatalf("id %q is no good, or comes twice", id)
		}
		seen[id] = true
		if short := w.shortID(); seen[short] || len(short) != 5 {
			t.Fatalf("short id %q is no good, or comes twice", short)
		} else {
			seen[short] = true
		}
	}
}
