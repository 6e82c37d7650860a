package hours

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

var office = Interval{At(9, 0), At(17, 0)}

func must(t testing.TB, p Plan) *Calendar {
	t.Helper()
	c, err := New(p)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// local reads "2026-11-20 16:30" on the clock of a zone.
func local(t testing.TB, zone, s string) time.Time {
	t.Helper()
	loc, err := time.LoadLocation(zone)
	if err != nil {
		t.Fatal(err)
	}
	at, err := time.ParseInLocation("2006-01-02 15:04:05", s+":00"[:max(0, 19-len(s))], loc)
	if err != nil {
		t.Fatal(err)
	}
	return at
}

func TestAddAndBetween(t *testing.T) {
	t.Parallel()
	lunch := Workdays(Interval{At(12, 0), At(13, 0)})
	night := EachDay(Interval{At(22, 0), At(6, 0)})
	tests := []struct {
		name     string
		plan     Plan
		from, to string
		want     time.Duration
	}{
		{"over night", Plan{Zone: "Europe/Berlin", Open: Workdays(office)}, "2026-11-19 16:30", "2026-11-20 09:30", time.Hour},
		{"over a weekend, due in the evening and not on Monday", Plan{Zone: "Europe/Berlin", Open: Workdays(office)}, "2026-11-20 16:00", "2026-11-20 17:00", time.Hour},
		{"over a weekend", Plan{Zone: "Europe/Berlin", Open: Workdays(office)}, "2026-11-20 16:40", "2026-11-23 09:40", time.Hour},
		{"opened on Sunday", Plan{Zone: "Europe/Berlin", Open: Workdays(office)}, "2026-11-22 11:00", "2026-11-23 09:20", 20 * time.Minute},
		{"through lunch", Plan{Zone: "Europe/Berlin", Open: Workdays(office), Breaks: lunch}, "2026-11-20 11:30", "2026-11-20 13:30", time.Hour},
		{"a night shift over the end of the week", Plan{Zone: "Europe/Berlin", Open: night}, "2026-11-22 23:00", "2026-11-23 22:30", 7*time.Hour + 30*time.Minute},
		{"the night on which the clock goes forward has an hour less", Plan{Zone: "Europe/Berlin", Open: night}, "2026-03-28 22:00", "2026-03-29 06:00", 7 * time.Hour},
		{"the night on which the clock goes back has an hour more", Plan{Zone: "Europe/Berlin", Open: night}, "2026-10-24 22:00", "2026-10-25 06:00", 9 * time.Hour},
		{"Lord Howe jumps by half an hour", Plan{Zone: "Australia/Lord_Howe", Open: night}, "2026-10-03 22:00", "2026-10-04 06:00", 7*time.Hour + 30*time.Minute},
		{"Santiago has no midnight on 6 September", Plan{Zone: "America/Santiago", Open: EachDay(Interval{0, At(2, 0)})}, "2026-09-05 23:00", "2026-09-06 02:00", time.Hour},
		{"Santiago has the hour before midnight twice on 4 April", Plan{Zone: "America/Santiago", Open: EachDay(Interval{At(23, 0), Midnight})}, "2026-04-04 22:00", "2026-04-05 00:00", 2 * time.Hour},
		{"Casablanca turns back for Ramadan", Plan{Zone: "Africa/Casablanca", Open: EachDay(Interval{At(1, 0), At(4, 0)})}, "2026-02-15 00:00", "2026-02-15 04:00", 4 * time.Hour},
		{"Samoa had no 30 December 2011", Plan{Zone: "Pacific/Apia", Open: Always()}, "2011-12-29 12:00", "2011-12-31 12:00", 24 * time.Hour},
		{"the end of a leap year beyond the zone's table", Plan{Zone: "Europe/Berlin", Open: Always()}, "2040-12-30 12:00", "2041-01-01 12:00", 48 * time.Hour},
		{
			"a holiday on a day that never was takes nothing",
			Plan{Zone: "Pacific/Apia", Open: Always(), Closed: []Closing{{Date: Date{2011, time.December, 30}}}},
			"2011-12-29 12:00", "2011-12-31 12:00", 24 * time.Hour,
		},
		{
			"a holiday ends the night shift of its eve at midnight",
			Plan{Zone: "Europe/Berlin", Open: night, Closed: []Closing{{Date: Date{2026, time.December, 25}}}},
			"2026-12-24 22:00", "2026-12-26 01:00", 3 * time.Hour,
		},
		{
			"half a holiday",
			Plan{Zone: "Europe/Berlin", Open: Workdays(office), Closed: []Closing{{Date: Date{2026, time.December, 24}, Only: Interval{At(12, 0), Midnight}}}},
			"2026-12-24 08:00", "2026-12-25 10:00", 4 * time.Hour,
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			c := must(t, tt.plan)
			from, to := local(t, tt.plan.Zone, tt.from), local(t, tt.plan.Zone, tt.to)
			if got := c.Between(from, to); got != tt.want {
				t.Errorf("Between(%v, %v) = %v, want %v", from, to, got, tt.want)
			}
			due, ok := c.Add(from, tt.want)
			if !ok || due.After(to) || c.Between(due, to) != 0 {
				t.Errorf("Add(%v, %v) = %v, %v; want %v or the evening before it", from, tt.want, due, ok, to)
			}
			if due.Location() != from.Location() {
				t.Errorf("Add answers in %v, was asked in %v", due.Location(), from.Location())
			}
		})
	}
}

// What is due as hours end is due then, and not when the next ones begin.
func TestAddToTheEndOfHours(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name     string
		plan     Plan
		from, to string
		d        time.Duration
	}{
		{"on the eve of a holiday", Plan{Zone: "Europe/Berlin", Open: Workdays(office), Closed: []Closing{{Date: Date{2026, time.November, 20}}}},
			"2026-11-19T09:00:00+01:00", "2026-11-19T17:00:00+01:00", 8 * time.Hour},
		{"at noon before half a holiday", Plan{Zone: "Europe/Berlin", Open: Workdays(office), Closed: []Closing{{Date: Date{2026, time.December, 24}, Only: Interval{At(12, 0), Midnight}}}},
			"2026-12-24T09:00:00+01:00", "2026-12-24T12:00:00+01:00", 3 * time.Hour},
		{"at the moment that the clock goes forward", Plan{Zone: "Europe/Berlin", Open: EachDay(Interval{At(22, 0), At(2, 0)})},
			"2027-03-27T22:00:00+01:00", "2027-03-28T02:00:00+01:00", 4 * time.Hour},
		{"at the moment that the clock goes back", Plan{Zone: "Europe/Berlin", Open: EachDay(Interval{At(22, 0), At(3, 0)})},
			"2026-10-24T22:00:00+02:00", "2026-10-25T03:00:00+02:00", 5 * time.Hour},
		{"as a night shift is cut by a holiday", Plan{Zone: "Europe/Berlin", Open: EachDay(Interval{At(22, 0), At(6, 0)}), Closed: []Closing{{Date: Date{2026, time.December, 25}}}},
			"2026-12-24T22:00:00+01:00", "2026-12-25T00:00:00+01:00", 2 * time.Hour},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			from, err := time.Parse(time.RFC3339, tt.from)
			if err != nil {
				t.Fatal(err)
			}
			if due, ok := must(t, tt.plan).Add(from, tt.d); !ok || due.Format(time.RFC3339) != tt.to {
				t.Errorf("due %v, %v; want %s", due, ok, tt.to)
			}
		})
	}
}

// The sums rest on the zone's offset being the same all through a span.
func TestSpansHaveOneOffset(t *testing.T) {
	t.Parallel()
	for _, zone := range append(jumpy, "Asia/Gaza", "America/Nuuk", "Asia/Pyongyang", "Europe/Istanbul") {
		c := must(t, Plan{Zone: zone, Open: Always()})
		at := time.Date(2005, 1, 1, 0, 0, 0, 0, time.UTC)
		for s := range c.spans(at, time.Date(2045, 1, 1, 0, 0, 0, 0, time.UTC)) {
			if !s.begin.Equal(at) {
				t.Fatalf("%s: a span begins at %v, the last one ended at %v", zone, s.begin, at)
			}
			end := at.Add(s.to - s.from)
			holds := func(at time.Time) {
				_, offset := at.In(c.zone).Zone()
				if want := s.from + at.Sub(s.begin) - time.Duration(at.UnixNano()); time.Duration(offset)*time.Second != want {
					t.Fatalf("%s: at %v the offset is %d s, in the span that began at %v it is %v", zone, at, offset, s.begin, want)
				}
			}
			// No zone has kept an offset for less than the month of Ramadan.
			for ; at.Before(end); at = at.Add(6 * time.Hour) {
				holds(at)
			}
			holds(end.Add(-1))
			at = end
		}
	}
}

func TestAddIsExact(t *testing.T) {
	t.Parallel()
	c := must(t, Plan{Zone: "Europe/Berlin", Open: Workdays(office)})
	from := local(t, "Europe/Berlin", "2026-11-20 16:59:58").Add(999_999_999)
	due, ok := c.Add(from, 2*time.Second)
	want := local(t, "Europe/Berlin", "2026-11-23 09:00:00").Add(999_999_999)
	if !ok || !due.Equal(want) {
		t.Errorf("Add(%v, 2s) = %v, %v; want %v", from, due, ok, want)
	}
}

func TestNextOpen(t *testing.T) {
	t.Parallel()
	c := must(t, Plan{Zone: "Europe/Berlin", Open: Workdays(office)})
	for from, want := range map[string]string{
		"2026-11-20 08:00": "2026-11-20 09:00",
		"2026-11-20 09:00": "2026-11-20 09:00",
		"2026-11-20 16:59": "2026-11-20 16:59",
		"2026-11-20 17:00": "2026-11-23 09:00",
	} {
		at, wanted := local(t, "Europe/Berlin", from), local(t, "Europe/Berlin", want)
		if got, ok := c.NextOpen(at); !ok || !got.Equal(wanted) {
			t.Errorf("NextOpen(%v) = %v, %v; want %v", at, got, ok, wanted)
		}
		if got := c.Open(at); got != (from == want) {
			t.Errorf("Open(%v) = %v", at, got)
		}
	}
}

func TestCloses(t *testing.T) {
	t.Parallel()
	c := must(t, Plan{Zone: "Europe/Berlin", Open: Workdays(office)})
	for from, want := range map[string]string{
		"2026-11-20 08:59": "",
		"2026-11-20 09:00": "2026-11-20 17:00",
		"2026-11-20 16:59": "2026-11-20 17:00",
		"2026-11-20 17:00": "",
	} {
		at := local(t, "Europe/Berlin", from).Add(123_456_789)
		got, ok := c.Closes(at)
		if ok != (want != "") || (ok && !got.Equal(local(t, "Europe/Berlin", want))) {
			t.Errorf("Closes(%v) = %v, %v; want %q", at, got, ok, want)
		}
	}
	if at, ok := must(t, Plan{Zone: "UTC", Open: Always()}).Closes(time.Unix(0, 0)); ok {
		t.Errorf("what is always open closes at %v", at)
	}
}

func TestBeyondTheHorizon(t *testing.T) {
	t.Parallel()
	c := must(t, Plan{Zone: "UTC", Open: Week{time.Monday: {{At(9, 0), At(9, 1)}}}})
	if at, ok := c.Add(time.Unix(0, 0), 100*time.Hour); ok {
		t.Errorf("6000 weeks ahead: %v; want no deadline", at)
	}
}

func TestLost(t *testing.T) {
	t.Parallel()
	date := func(d int) Date { return Date{2026, time.December, d} }
	c := must(t, Plan{Zone: "Europe/Berlin", Open: Workdays(office), Closed: []Closing{
		{Date: date(26), Name: "Boxing Day"}, // a Saturday
		{Date: date(25), Name: "Christmas Day"},
		{Date: date(24), Name: "Christmas party", Only: Interval{At(15, 0), At(18, 0)}},
		{Date: date(25), Name: "our own day", Only: Interval{At(9, 0), At(10, 0)}},
		{Date: date(31), Name: "later"},
	}})
	got := c.Lost(local(t, "Europe/Berlin", "2026-12-24 16:00"), local(t, "Europe/Berlin", "2026-12-28 10:00"))
	want := []Lost{
		{Closing{date(24), "Christmas party", Interval{At(15, 0), At(18, 0)}}, time.Hour},
		{Closing{date(25), "Christmas Day", Interval{}}, 8 * time.Hour},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("Lost (-want +got):\n%s", diff)
	}
}

func TestWords(t *testing.T) {
	t.Parallel()
	saturday := Workdays(office)
	saturday[time.Saturday] = []Interval{{At(9, 0), At(12, 0)}}
	for want, p := range map[string]Plan{
		"at all hours": {Open: Always()},
		"Mon–Fri 09:00–17:00 without 12:00–13:00, Sat 09:00–12:00": {Open: saturday, Breaks: Workdays(Interval{At(12, 0), At(13, 0)})},
		"Mon–Sun 22:00–06:00":                 {Open: EachDay(Interval{At(22, 0), At(6, 0)})},
		"Mon–Fri 08:00–12:00 and 13:00–17:00": {Open: Workdays(Interval{At(13, 0), At(17, 0)}, Interval{At(8, 0), At(12, 0)})},
	} {
		p.Zone = "UTC"
		if got := must(t, p).Words(); got != want {
			t.Errorf("Words() = %q, want %q", got, want)
		}
	}
}

func TestCheck(t *testing.T) {
	t.Parallel()
	year := func() (all []Closing) {
		for d := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC); len(all) < 370; d = d.AddDate(0, 0, 1) {
			all = append(all, Closing{Date: Date{d.Year(), d.Month(), d.Day()}})
		}
		return all
	}
	nights := EachDay(Interval{At(22, 0), At(6, 0)})
	nights[time.Monday] = []Interval{{At(5, 0), At(8, 0)}, {At(22, 0), At(6, 0)}}
	tests := []struct {
		name string
		plan Plan
		want []string
	}{
		{"a good one", Plan{Zone: "Europe/Berlin", Open: Workdays(office)}, nil},
		{"intervals that touch", Plan{Zone: "UTC", Open: EachDay(Interval{At(22, 0), Midnight}, Interval{0, At(6, 0)})}, nil},
		{"an unknown zone", Plan{Zone: "Berlin", Open: Workdays(office)}, []string{`zone: there is no time zone "Berlin"; use a name such as Europe/Berlin`}},
		{"the machine's own zone", Plan{Zone: "Local", Open: Always()}, []string{`zone: there is no time zone "Local"; use a name such as Europe/Berlin`}},
		{"no zone", Plan{Open: Always()}, []string{`zone: there is no time zone ""; use a name such as Europe/Berlin`}},
		{"never open", Plan{Zone: "UTC"}, []string{"open: no hour of the week is open; give at least one interval, such as monday 09:00–17:00"}},
		{
			"all break",
			Plan{Zone: "UTC", Open: Workdays(office), Breaks: EachDay(Interval{0, Midnight})},
			[]string{
				"breaks.saturday[0]: there is nothing open to take this break from",
				"breaks.sunday[0]: there is nothing open to take this break from",
			},
		},
		{"closed for a year", Plan{Zone: "UTC", Open: Workdays(office), Closed: year()}, []string{"closed: nothing is open for a year from 2026-03-01 on; name fewer days"}},
		{"no length", Plan{Zone: "UTC", Open: Week{time.Monday: {{At(9, 0), At(9, 0)}}}}, []string{"open.monday[0]: 09:00–09:00 has no length; for the whole day write 00:00–24:00"}},
		{"not a time", Plan{Zone: "UTC", Open: Week{time.Monday: {{At(9, 0), At(25, 0)}}}}, []string{"open.monday[0]: 09:00–25:00 is not within a day; times go from 00:00 to 24:00"}},
		{
			"overlaps in a day", Plan{Zone: "UTC", Open: Week{time.Friday: {office, {At(16, 0), At(18, 0)}}}},
			[]string{"open.friday[1]: it overlaps open.friday[0]; make one interval of them, or part them"},
		},
		{
			"a night that overlaps the morning of Monday", Plan{Zone: "UTC", Open: nights},
			[]string{"open.monday[0]: it overlaps open.sunday[0]; make one interval of them, or part them"},
		},
		{"no such day", Plan{Zone: "UTC", Open: Always(), Closed: []Closing{{Date: Date{2026, 2, 29}}}}, []string{"closed[0].date: there is no day 2026-02-29; write it as 2026-12-24"}},
		{
			"a closing past midnight", Plan{Zone: "UTC", Open: Always(), Closed: []Closing{{Date: Date{2026, 2, 1}, Only: Interval{At(22, 0), At(6, 0)}}}},
			[]string{"closed[0].only: 22:00–06:00 goes past midnight; close the next day too"},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var got []string
			for _, p := range tt.plan.Check() {
				got = append(got, p.String())
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("Check() (-want +got):\n%s", diff)
			}
			if _, err := New(tt.plan); (err != nil) != (len(tt.want) > 0) || err != nil && !strings.Contains(err.Error(), tt.want[0]) {
				t.Errorf("New() = %v; want what Check says", err)
			}
		})
	}
}
