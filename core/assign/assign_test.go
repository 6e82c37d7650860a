package assign_test

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/deskhand/deskhand/core/assign"
	"github.com/deskhand/deskhand/core/people"
)

var noon = time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC) // a Wednesday

func TestChoose(t *testing.T) {
	t.Parallel()
	at := func(p people.PersonID, change func(*assign.Candidate)) assign.Candidate {
		c := assign.Candidate{Person: p, Open: 2, Given: noon, Works: true}
		change(&c)
		return c
	}
	plain := func(*assign.Candidate) {}
	tests := []struct {
		name string
		all  []assign.Candidate
		want people.PersonID
	}{
		{"nobody is there", nil, 0},
		{"whoever has less to do", []assign.Candidate{at(1, plain), at(2, func(c *assign.Candidate) { c.Open = 1 })}, 2},
		{"a skill counts more than a free hand", []assign.Candidate{at(1, func(c *assign.Candidate) { c.Open = 0 }), at(2, func(c *assign.Candidate) { c.Skilled, c.Open = true, 7 })}, 2},
		{"whoever has waited longest", []assign.Candidate{at(1, plain), at(2, func(c *assign.Candidate) { c.Given = noon.Add(-time.Hour) })}, 2},
		{"all else being equal the same one each time", []assign.Candidate{at(2, plain), at(1, plain)}, 1},
		{"nobody who is away", []assign.Candidate{at(1, func(c *assign.Candidate) { c.Away, c.Open = true, 0 }), at(2, plain)}, 2},
		{"nobody who is not at work", []assign.Candidate{at(1, func(c *assign.Candidate) { c.Works, c.Open = false, 0 }), at(2, plain)}, 2},
		{"nobody who has said not me", []assign.Candidate{at(1, func(c *assign.Candidate) { c.Declined = true }), at(2, plain)}, 2},
		{"not even the only one", []assign.Candidate{at(1, func(c *assign.Candidate) { c.Declined = true })}, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got, ok := assign.Choose(tt.all)
			if got.Person != tt.want || ok != (tt.want != 0) {
				t.Errorf("Choose() = %+v, %v; want %d", got, ok, tt.want)
			}
		})
	}
}

func anyCandidates(t *rapid.T) []assign.Candidate {
	n := rapid.IntRange(0, 8).Draw(t, "agents")
	all := make([]assign.Candidate, n)
	for i := range all {
		all[i] = assign.Candidate{Person: people.PersonID(i + 1), Skilled: rapid.Bool().Draw(t, "skilled"), Open: rapid.IntRange(0, 3).Draw(t, "open"),
			Given: noon.Add(time.Duration(rapid.IntRange(0, 2).Draw(t, "given")) * time.Hour),
			Away:  rapid.Bool().Draw(t, "away"), Declined: rapid.Bool().Draw(t, "declined"), Works: rapid.Bool().Draw(t, "works")}
		if !all[i].Works && rapid.Bool().Draw(t, "works again") {
			all[i].From = noon.Add(time.Duration(rapid.IntRange(1, 99).Draw(t, "hours")) * time.Hour)
		}
	}
	return all
}

func TestLawsOfTheChoice(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		all := anyCandidates(t)
		got, ok := assign.Choose(all)
		may := slices.DeleteFunc(slices.Clone(all), func(c assign.Candidate) bool { return c.Away || c.Declined || !c.Works })
		if ok != (len(may) > 0) {
			t.Fatalf("somebody is chosen: %v; %d may be", ok, len(may))
		}
		if ok && !slices.Contains(may, got) {
			t.Fatalf("%+v is chosen, who may not be", got)
		}
		for _, c := range may {
			if c.Skilled == got.Skilled && c.Open < got.Open || c.Skilled && !got.Skilled {
				t.Fatalf("%+v is chosen before %+v", got, c)
			}
		}
		mixed := slices.Clone(all)
		rand.Shuffle(len(mixed), func(i, j int) { mixed[i], mixed[j] = mixed[j], mixed[i] })
		if again, _ := assign.Choose(mixed); again != got {
			t.Fatalf("in another order %+v is chosen, not %+v", again, got)
		}
		if next := assign.Next(all); !next.IsZero() {
			if !next.After(noon) || !slices.ContainsFunc(all, func(c assign.Candidate) bool { return c.From.Equal(next) && !c.Away && !c.Declined }) {
				t.Fatalf("Next() = %v, when nobody comes who could be chosen", next)
			}
		}
	})
}

// Each gets one ticket before anybody gets a second, whoever says "not me" is
// not asked again, and at the end everybody has been asked once.
func TestLawsOfManyChoices(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 6).Draw(t, "agents")
		all := make([]assign.Candidate, n)
		for i := range all {
			all[i] = assign.Candidate{Person: people.PersonID(i + 1), Works: true}
		}
		for i := range rapid.IntRange(1, 30).Draw(t, "tickets") {
			c, ok := assign.Choose(all)
			if !ok {
				t.Fatal("nobody is left")
			}
			all[c.Person-1].Open++
			all[c.Person-1].Given = noon.Add(time.Duration(i) * time.Minute)
		}
		least, most := all[0].Open, all[0].Open
		for _, c := range all {
			least, most = min(least, c.Open), max(most, c.Open)
		}
		if most-least > 1 {
			t.Fatalf("one has %d tickets and another %d", most, least)
		}
		for asked := range n + 1 {
			c, ok := assign.Choose(all)
			if ok != (asked < n) {
				t.Fatalf("after %d of %d have declined somebody is chosen: %v", asked, n, ok)
			}
			if ok {
				all[c.Person-1].Declined = true
			}
		}
	})
}

func TestWhy(t *testing.T) {
	t.Parallel()
	for want, c := range map[string]assign.Candidate{
		"Printing, 3 open, at work until 17:00": {Skilled: true, Open: 3, Until: noon.Add(5 * time.Hour)},
		"nothing else open":                     {},
		"1 open":                                {Open: 1},
	} {
		if got := c.Why("Printing"); got != want {
			t.Errorf("Why() = %q, want %q", got, want)
		}
	}
}

func TestUntil(t *testing.T) {
	t.Parallel()
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	now := time.Date(2026, 11, 25, 10, 30, 0, 0, berlin) // a Wednesday
	for text, want := range map[string]string{
		"Friday":                 "2026-11-27 00:00",
		"fri":                    "2026-11-27 00:00",
		"friday 9:00":            "2026-11-27 09:00",
		"Friday at 9.30":         "2026-11-27 09:30",
		"wednesday":              "2026-12-02 00:00",
		"thurs":                  "",
		"Thu":                    "2026-11-26 00:00",
		"next Friday":            "2026-12-04 00:00",
		"next monday":            "2026-11-30 00:00",
		"Monday":                 "2026-11-30 00:00",
		"next week":              "2026-11-30 00:00",
		"tomorrow":               "2026-11-26 00:00",
		"tomorrow, noon":         "2026-11-26 12:00",
		"today":                  "",
		"today 14:00":            "2026-11-25 14:00",
		"14:00":                  "2026-11-25 14:00",
		"5pm":                    "2026-11-25 17:00",
		"12am":                   "",
		"9:00":                   "",
		"27 November":            "2026-11-27 00:00",
		"27th nov":               "2026-11-27 00:00",
		"Nov 27":                 "2026-11-27 00:00",
		"on 27 November 2026":    "2026-11-27 00:00",
		"November 3":             "2027-11-03 00:00",
		"3 January":              "2027-01-03 00:00",
		"Friday!":                "2026-11-27 00:00",
		"on Friday.":             "2026-11-27 00:00",
		"27.11.":                 "2026-11-27 00:00",
		"3.1.2027":               "2027-01-03 00:00",
		"2026-12-24":             "2026-12-24 00:00",
		"2026-12-24 at 13:15":    "2026-12-24 13:15",
		"in 3 days":              "2026-11-28 00:00",
		"in two days":            "",
		"in 2 weeks":             "2026-12-09 00:00",
		"in a week":              "2026-12-02 00:00",
		"30 February":            "",
		"2026-11-24":             "",
		"2036-11-24":             "",
		"Friday or Monday":       "",
		"the cows come home":     "",
		"25:00":                  "",
		"next":                   "",
		"in":                     "",
		"on":                     "",
		"":                       "",
		"99999999999999999999":   "",
		"2026-99-99":             "",
		"in 99999999999999 days": "",
	} {
		got, ok := assign.Until(text, now)
		if (want == "") == ok || (ok && got.Format("2006-01-02 15:04") != want) {
			t.Errorf("Until(%q) = %v, %v; want %q", text, got, ok, want)
		}
	}
}

func FuzzUntil(f *testing.F) {
	for _, s := range []string{"Friday", "next monday 9:00", "27 November", "27.11.", "2026-11-27", "in 3 days", "on", "at noon"} {
		f.Add(s, int64(0))
	}
	f.Fuzz(func(t *testing.T, text string, ahead int64) {
		now := noon.Add(time.Duration(ahead % int64(20*365*24*time.Hour)))
		at, ok := assign.Until(text, now)
		if ok && (!at.After(now) || at.Sub(now) > 367*24*time.Hour) {
			t.Errorf("Until(%q) at %v = %v", text, now, at)
		}
	})
}

func TestLeave(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name        string
		wrote, want time.Time
	}{
		{"nothing was said: at once", time.Time{}, noon},
		{"the last word was a while ago: at once", noon.Add(-assign.Quiet), noon},
		{"in the middle of a talk: when it has been still", noon.Add(-time.Minute), noon.Add(assign.Quiet - time.Minute)},
	} {
		if got := assign.Leave(tt.wrote, noon); !got.Equal(tt.want) {
			t.Errorf("%s: Leave() = %v, want %v", tt.name, got, tt.want)
		}
	}
}

func TestAbsence(t *testing.T) {
	t.Parallel()
	a := assign.Absence{Since: noon, Until: noon.Add(36 * time.Hour)}
	for at, want := range map[time.Time]bool{noon.Add(-1): false, noon: true, a.Until.Add(-1): true, a.Until: false} {
		if a.At(at) != want {
			t.Errorf("away at %v: %v, want %v", at, !want, want)
		}
	}
	if (assign.Absence{}).At(noon) {
		t.Error("nobody's absence is one")
	}
	if got := a.Back(time.UTC); got != "Friday 27 November" {
		t.Errorf("Back() = %q", got)
	}
	if got := a.Back(time.FixedZone("", 3600)); got != "Friday 27 November, 01:00" {
		t.Errorf("Back() an hour east = %q", got)
	}
}
