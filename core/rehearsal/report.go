package rehearsal

import (
	"cmp"
	"slices"
	"time"

	"github.com/deskhand/deskhand/core/sla"
	"github.com/deskhand/deskhand/core/ticket"
)

// Count is how many promises were made and missed.
type Count struct{ Made, Missed int }

func (c *Count) add(v Verdict) {
	if v.Promised {
		c.Made++
	}
	if v.Missed {
		c.Missed++
	}
}

// Pair is a Count under today's policy and under the new one.
type Pair struct{ Now, New Count }

// Missed is how many promises were missed under each of the two.
type Missed struct{ Now, New int }

// Row is what the table groups by.
type Row struct {
	Priority ticket.Priority
	Kind     sla.Kind
}

// Difference is a promise whose verdict the new policy changes.
type Difference struct {
	Ref, Title string
	Kind       sla.Kind
	Now, New   Verdict
}

// At is when the promise is missed, under the one policy or the other.
func (d Difference) At() time.Time {
	if d.New.Missed {
		return d.New.Due
	}
	return d.Now.Due
}

// Report is what a rehearsal has found so far.
type Report struct {
	Tickets int
	Unknown int // of which the record does not say how they were opened
	All     Pair
	Rows    map[Row]Pair
	Weeks   map[time.Time]Missed // by the Monday of the week in which a promise fell due
	Teams   map[string]Pair      // by slug, as a ticket ended
	Worse   []Difference         // missed only under the new policy, in the order in which they would have been
	Better  []Difference         // missed only under today's
}

// Rehearsal compares two policies, ticket by ticket.
type Rehearsal struct {
	today, next *House
	now         time.Time
	zone        *time.Location
	report      Report
}

// Begin makes a rehearsal as of now. Weeks begin on Mondays in the zone.
func Begin(today, next *House, now time.Time, zone *time.Location) *Rehearsal {
	return &Rehearsal{today: today, next: next, now: now, zone: zone,
		report: Report{Rows: map[Row]Pair{}, Weeks: map[time.Time]Missed{}, Teams: map[string]Pair{}}}
}

// Add runs both policies over a ticket.
func (r *Rehearsal) Add(rec Record) {
	r.report.Tickets++
	if len(rec.Steps) == 0 || rec.Steps[0].Step != sla.Opened {
		r.report.Unknown++
		return
	}
	var priority ticket.Priority
	team := ""
	for _, s := range rec.Steps {
		priority, team = or(s.Priority, priority), or(s.Team, team)
	}
	now, next := r.today.Judge(rec, r.today, r.now), r.next.Judge(rec, r.today, r.now)
	for _, k := range Kinds {
		a, b := now[k], next[k]
		count(&r.report.All, a, b)
		tally(r.report.Rows, Row{priority, k}, a, b)
		tally(r.report.Teams, team, a, b)
		if a.Missed {
			week := r.week(a.Due)
			m := r.report.Weeks[week]
			r.report.Weeks[week] = Missed{m.Now + 1, m.New}
		}
		if b.Missed {
			week := r.week(b.Due)
			m := r.report.Weeks[week]
			r.report.Weeks[week] = Missed{m.Now, m.New + 1}
		}
		if d := (Difference{rec.Ref, rec.Title, k, a, b}); a.Missed != b.Missed {
			if b.Missed {
				r.report.Worse = append(r.report.Worse, d)
			} else {
				r.report.Better = append(r.report.Better, d)
			}
		}
	}
}

func count(p *Pair, a, b Verdict) {
	p.Now.add(a)
	p.New.add(b)
}

func tally[K comparable](m map[K]Pair, key K, a, b Verdict) {
	p := m[key]
	count(&p, a, b)
	m[key] = p
}

func (r *Rehearsal) week(t time.Time) time.Time {
	y, m, d := t.In(r.zone).Date()
	ago := (int(time.Date(y, m, d, 0, 0, 0, 0, time.UTC).Weekday()) + 6) % 7
	return time.Date(y, m, d-ago, 0, 0, 0, 0, r.zone)
}

// Report is what has been found; Add may go on.
func (r *Rehearsal) Report() Report {
	for _, list := range [][]Difference{r.report.Worse, r.report.Better} {
		slices.SortStableFunc(list, func(a, b Difference) int {
			return cmp.Or(a.At().Compare(b.At()), cmp.Compare(a.Ref, b.Ref))
		})
	}
	return r.report
}
