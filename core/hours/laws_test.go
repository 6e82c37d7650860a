package hours

import (
	"testing"
	"time"

	"pgregory.net/rapid"
)

// jumpy are zones with something odd about their clock, within the years drawn.
var jumpy = []string{
	"UTC", "Europe/Berlin", "Europe/Dublin", "America/New_York", "Australia/Lord_Howe", "Africa/Casablanca", "America/Santiago",
	"Pacific/Apia", "America/Sao_Paulo", "Asia/Beirut", "Africa/Cairo", "Asia/Tehran", "Antarctica/Troll", "Asia/Kathmandu", "America/Caracas", "Pacific/Chatham",
}

func anyPlan(t *rapid.T) Plan {
	ofDay := rapid.Custom(func(t *rapid.T) OfDay {
		return OfDay(rapid.IntRange(0, 95).Draw(t, "quarter"))*15*60 + OfDay(rapid.SampledFrom([]int{0, 0, 0, 1, 59}).Draw(t, "second"))
	})
	line := rapid.SliceOfNDistinct(ofDay, 2, 8, rapid.ID[OfDay])
	anyDay := func(label string) []Interval {
		points := line.Draw(t, label)
		points = points[:len(points)&^1]
		sortOfDays(points)
		var in []Interval
		for i := 0; i < len(points); i += 2 {
			in = append(in, Interval{points[i], points[i+1]})
		}
		return in
	}
	p := Plan{Zone: rapid.SampledFrom(jumpy).Draw(t, "zone")}
	switch rapid.IntRange(0, 4).Draw(t, "kind") {
	case 0:
		p.Open = Always()
		p.Breaks = EachDay(anyDay("breaks")...)
	case 1:
		from, to := ofDay.Draw(t, "from"), ofDay.Draw(t, "to")
		if from == to {
			to = (from + 60) % Midnight
		}
		p.Open = EachDay(Interval{from, to})
	default:
		for wd := range p.Open {
			if rapid.Bool().Draw(t, "works") {
				p.Open[wd] = anyDay("hours")
			}
		}
		p.Open[rapid.IntRange(0, 6).Draw(t, "at least")] = anyDay("hours")
	}
	for range rapid.IntRange(0, 6).Draw(t, "closings") {
		at := anyInstant.Draw(t, "closed")
		c := Closing{Date: Date{at.Year(), at.Month(), at.Day()}}
		if rapid.Bool().Draw(t, "part") {
			if in := anyDay("only"); len(in) > 0 {
				c.Only = in[0]
			}
		}
		p.Closed = append(p.Closed, c)
	}
	return p
}

func sortOfDays(s []OfDay) {
	for i := range s {
		for j := i; j > 0 && s[j] < s[j-1]; j-- {
			s[j], s[j-1] = s[j-1], s[j]
		}
	}
}

var anyInstant = rapid.Custom(func(t *rapid.T) time.Time {
	first := time.Date(2008, 1, 1, 0, 0, 0, 0, time.UTC).Unix()
	return time.Unix(first+rapid.Int64Range(0, 25*366*86400).Draw(t, "second"), rapid.Int64Range(0, 999_999_999).Draw(t, "nano")).UTC()
})

func anyOpenTime(t *rapid.T, label string) time.Duration {
	return time.Duration(rapid.Int64Range(0, int64(rapid.SampledFrom([]time.Duration{time.Minute, 10 * time.Hour, 100 * time.Hour, 2000 * time.Hour}).Draw(t, "order"))).Draw(t, label))
}

func TestLaws(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		c, err := New(anyPlan(t))
		if err != nil {
			t.Fatal(err)
		}
		start, d, more := anyInstant.Draw(t, "start"), anyOpenTime(t, "d"), anyOpenTime(t, "more")

		due, ok := c.Add(start, d)
		if !ok {
			t.Skip("open too seldom")
		}
		if got := c.Between(start, due); got != d {
			t.Fatalf("Between(%v, Add(d)) = %v, want %v", start, got, d)
		}
		if d > 0 && c.Between(start, due.Add(-1)) != d-1 {
			t.Fatalf("%v is not the first instant at which %v has passed since %v", due, d, start)
		}
		if later, ok := c.Add(due, more); ok {
			if once, ok := c.Add(start, d+more); ok && !once.Equal(later) && d+more > 0 && more > 0 {
				t.Fatalf("Add(Add(%v, %v), %v) = %v, in one step %v", start, d, more, later, once)
			}
		}

		a, b := anyInstant.Draw(t, "a"), anyInstant.Draw(t, "b")
		if a.After(b) {
			a, b = b, a
		}
		mid := a.Add(time.Duration(rapid.Int64Range(0, int64(b.Sub(a))).Draw(t, "mid")))
		all, first, second := c.Between(a, b), c.Between(a, mid), c.Between(mid, b)
		if all != first+second || first < 0 || second < 0 || all > b.Sub(a) {
			t.Fatalf("from %v by %v to %v: %v and %v is not %v", a, mid, b, first, second, all)
		}
		if c.Between(b, a) != 0 && !a.Equal(b) {
			t.Fatal("time ran backwards")
		}

		next, ok := c.NextOpen(start)
		if !ok || next.Before(start) || !c.Open(next) || c.Between(start, next) != 0 {
			t.Fatalf("NextOpen(%v) = %v, %v", start, next, ok)
		}
		if c.Open(start) != next.Equal(start) {
			t.Fatalf("Open(%v) = %v, yet NextOpen is %v", start, c.Open(start), next)
		}

		if end, ok := c.Closes(start); ok && (!c.Open(start) || c.Open(end) || c.Between(start, end) != end.Sub(start)) {
			t.Fatalf("Closes(%v) = %v", start, end)
		}

		var gained time.Duration
		for _, j := range c.Jumps(a, b) {
			gained += j.Gained
		}
		reading := func(at time.Time) time.Duration {
			_, offset := at.In(c.zone).Zone()
			return time.Duration(at.UnixNano()) + time.Duration(offset)*time.Second
		}
		if wall := c.upto(reading(b)) - c.upto(reading(a)); wall+gained != all {
			t.Fatalf("from %v to %v the clock shows %v of open time, its jumps make %v of it, want %v", a, b, wall, wall+gained, all)
		}

		var took time.Duration
		for _, l := range c.Lost(a, b) {
			took += l.Took
		}
		without := *c
		without.off, without.sums, without.gone = nil, nil, c.gone[:1]
		if want := without.Between(a, b) - all; took != want {
			t.Fatalf("closings took %v, by their list %v", want, took)
		}
	})
}

func BenchmarkAdd(b *testing.B) {
	var closings []Closing
	for y := range 10 {
		for m := range 12 {
			closings = append(closings, Closing{Date: Date{2024 + y, time.Month(1 + m), 1 + m}})
		}
	}
	for name, d := range map[string]time.Duration{"8h": 8 * time.Hour, "year of office hours": 2000 * time.Hour, "8760h, four years": 8760 * time.Hour} {
		for _, zone := range []string{"Europe/Berlin", "Africa/Casablanca"} {
			c := must(b, Plan{Zone: zone, Open: Workdays(Interval{At(9, 0), At(17, 0)}), Closed: closings})
			start := time.Date(2026, 11, 20, 10, 0, 0, 0, time.UTC)
			b.Run(name+"/"+zone, func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					if _, ok := c.Add(start, d); !ok {
						b.Fatal("not reached")
					}
				}
			})
		}
	}
}

func BenchmarkBetween(b *testing.B) {
	c := must(b, Plan{Zone: "Africa/Casablanca", Open: Workdays(Interval{At(9, 0), At(17, 0)})})
	start := time.Date(2026, 11, 20, 10, 0, 0, 0, time.UTC)
	b.ReportAllocs()
	for b.Loop() {
		c.Between(start, start.AddDate(1, 0, 0))
	}
}
