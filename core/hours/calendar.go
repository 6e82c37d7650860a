package hours

import (
	"cmp"
	"errors"
	"fmt"
	"iter"
	"slices"
	"sort"
	"time"
)

// Horizon is how far ahead Add and NextOpen look. What is not reached by then
// is no deadline.
const Horizon = 10 * 366 * day

// Readings of the wall clock are nanoseconds since 1970, which holds these
// years and a margin.
const firstYear, lastYear = 1700, 2240

var epoch = time.Unix(0, 0).UTC()

// Calendar is a plan made ready for sums. It never changes and may be shared.
// Instants are of the years 1700 to 2240.
type Calendar struct {
	name, words string
	zone        *time.Location
	week        cycle
	closings    []Closing // as planned
	off         []closed  // in order, apart
	// sums[k] is the open wall time up to the beginning of off[k], gone[k] what
	// the closings before it have taken; gone has one element more.
	sums, gone []time.Duration
}

// cycle is the open time of one week, over and over.
type cycle struct {
	open   []stretch       // in order, apart
	before []time.Duration // before[i] is what is open ahead of open[i]
	sum    time.Duration
}

// closed is a closing in wall time since 1970.
type closed struct {
	from, to time.Duration
	plan     int // index of the Closing
}

// New makes a calendar of a plan, or says all that Check finds.
func New(p Plan) (*Calendar, error) {
	if found := p.Check(); len(found) > 0 {
		errs := make([]error, len(found))
		for i, f := range found {
			errs[i] = errors.New(f.String())
		}
		return nil, fmt.Errorf("calendar %q: %w", p.Name, errors.Join(errs...))
	}
	zone, err := time.LoadLocation(p.Zone)
	if err != nil {
		return nil, fmt.Errorf("calendar %q: %w", p.Name, err)
	}
	return compile(p, zone), nil
}

func compile(p Plan, zone *time.Location) *Calendar {
	c := &Calendar{name: p.Name, words: p.words(), zone: zone, closings: slices.Clone(p.Closed)}
	c.week.open = without(join(lay(p.Open, "open")), join(lay(p.Breaks, "breaks")))
	for _, s := range c.week.open {
		c.week.before = append(c.week.before, c.week.sum)
		c.week.sum += s.to - s.from
	}

	var off []closed
	for i, cl := range c.closings {
		midnight := cl.Date.midnight().Sub(epoch)
		o := closed{midnight, midnight + day, i}
		if cl.Only != (Interval{}) {
			o.from += time.Duration(cl.Only.From) * time.Second
			o.to = midnight + time.Duration(cl.Only.To)*time.Second
		}
		off = append(off, o)
	}
	slices.SortStableFunc(off, func(a, b closed) int { // of two closings of a day, the longer counts
		return cmp.Or(cmp.Compare(a.from, b.from), cmp.Compare(b.to, a.to))
	})
	for _, o := range off {
		if n := len(c.off); n > 0 {
			o.from = max(o.from, c.off[n-1].to)
		}
		if o.from < o.to {
			c.off = append(c.off, o)
		}
	}
	c.gone = append(c.gone, 0)
	for k, o := range c.off {
		begin := c.week.upto(o.from)
		c.sums = append(c.sums, begin-c.gone[k])
		c.gone = append(c.gone, c.gone[k]+c.week.upto(o.to)-begin)
	}
	return c
}

// Name is the plan's.
func (c *Calendar) Name() string { return c.name }

// Words is the week as on a door: "Mon–Fri 09:00–17:00 without 12:00–13:00, Sat
// 09:00–12:00".
func (c *Calendar) Words() string { return c.words }

// Zone is where the calendar's clock hangs.
func (c *Calendar) Zone() *time.Location { return c.zone }

// monday is the first Monday on the wall clock's line.
const monday = 4 * day

// upto is the open time of all weeks up to the reading w, counted from the
// first Monday; less than nothing before it.
func (y *cycle) upto(w time.Duration) time.Duration {
	n, r := divide(w-monday, week)
	v := time.Duration(n) * y.sum
	i := sort.Search(len(y.open), func(i int) bool { return y.open[i].from >= r })
	if i == 0 {
		return v
	}
	s := y.open[i-1]
	return v + y.before[i-1] + min(r, s.to) - s.from
}

// when is the first reading at which v is reached.
func (y *cycle) when(v time.Duration) time.Duration {
	n, r := divide(v, y.sum)
	if r == 0 { // at the end of a week's hours, not at the beginning of the next
		n, r = n-1, y.sum
	}
	i := sort.Search(len(y.open), func(i int) bool { return y.before[i] >= r }) - 1
	return monday + time.Duration(n)*week + y.open[i].from + r - y.before[i]
}

// divide rounds down, so that the rest is never negative.
func divide(a, b time.Duration) (int64, time.Duration) {
	n, r := int64(a/b), a%b
	if r < 0 {
		n, r = n-1, r+b
	}
	return n, r
}

// upto is the open time up to the reading w, without the closings.
func (c *Calendar) upto(w time.Duration) time.Duration {
	k := sort.Search(len(c.off), func(k int) bool { return c.off[k].from >= w })
	if k > 0 && w < c.off[k-1].to {
		return c.sums[k-1] // inside a closing the sum stands still
	}
	return c.week.upto(w) - c.gone[k]
}

// when is the first reading at which v is reached.
func (c *Calendar) when(v time.Duration) time.Duration {
	k := sort.Search(len(c.sums), func(k int) bool { return c.sums[k] >= v })
	return c.week.when(v + c.gone[k])
}

// span is a time in which the clock on the wall doesn't jump: it begins at
// begin, and the clock runs from the reading from to the reading to.
type span struct {
	begin    time.Time
	from, to time.Duration
}

// spans cuts the time from a to b at each jump of the clock.
func (c *Calendar) spans(a, b time.Time) iter.Seq[span] {
	return func(yield func(span) bool) {
		for a.Before(b) {
			local := a.In(c.zone)
			_, end := local.ZoneBounds()
			if !end.IsZero() && !end.After(a) {
				// Wrong on 31 December of leap years beyond a zone's table
				// (go.dev/issue/81583); no rule of such years moves a clock on it.
				end = a.Truncate(day).Add(day)
			}
			if end.IsZero() || end.After(b) {
				end = b
			}
			_, offset := local.Zone()
			reading := time.Duration(a.UnixNano()) + time.Duration(offset)*time.Second
			if !yield(span{a, reading, reading + end.Sub(a)}) {
				return
			}
			a = end
		}
	}
}

// Between is the open time from a to b; nothing if b is not after a.
func (c *Calendar) Between(a, b time.Time) time.Duration {
	var sum time.Duration
	for s := range c.spans(a.Round(0), b.Round(0)) {
		sum += c.upto(s.to) - c.upto(s.from)
	}
	return sum
}

// Add is the first instant at which d of open time has passed since t, in t's
// own location: what is due at the end of a day is due in the evening, not
// next morning. It is t itself if d is not positive, and false if it would be
// later than t by more than Horizon.
func (c *Calendar) Add(t time.Time, d time.Duration) (time.Time, bool) {
	t = t.Round(0)
	if d <= 0 {
		return t, true
	}
	for s := range c.spans(t, t.Add(Horizon)) {
		begin := c.upto(s.from)
		if got := c.upto(s.to) - begin; got < d {
			d -= got
			continue
		}
		return s.begin.Add(c.when(begin+d) - s.from).In(t.Location()), true
	}
	return time.Time{}, false
}

// Open tells whether somebody works at t.
func (c *Calendar) Open(t time.Time) bool { return c.Between(t, t.Add(1)) > 0 }

// NextOpen is t if somebody works then, or else the next instant at which
// somebody does; false if there is none within Horizon.
func (c *Calendar) NextOpen(t time.Time) (time.Time, bool) {
	next, ok := c.Add(t, 1) // hours begin on whole seconds: the first nanosecond is in the first of them
	if !ok {
		return time.Time{}, false
	}
	return next.Add(-1), true
}

// Closes is when the hours that t is in come to an end; false if nobody works
// at t, or if they go on for a week.
func (c *Calendar) Closes(t time.Time) (time.Time, bool) {
	begin := t.Truncate(time.Second) // hours begin and end on whole seconds
	n := sort.Search(int(week/time.Second), func(n int) bool {
		d := time.Duration(n+1) * time.Second
		return c.Between(begin, begin.Add(d)) < d
	})
	return begin.Add(time.Duration(n) * time.Second), n > 0 && n < int(week/time.Second)
}

// Lost is a closing and the open time that it has taken.
type Lost struct {
	Closing
	Took time.Duration
}

// Lost lists the closings that took open time between a and b, in order.
func (c *Calendar) Lost(a, b time.Time) []Lost {
	var out []Lost
	at := map[int]int{} // a closing may be met twice if the clock jumps back in it
	for s := range c.spans(a.Round(0), b.Round(0)) {
		first := sort.Search(len(c.off), func(k int) bool { return c.off[k].to > s.from })
		for _, o := range c.off[first:] {
			if o.from >= s.to {
				break
			}
			took := c.week.upto(min(o.to, s.to)) - c.week.upto(max(o.from, s.from))
			if took == 0 {
				continue
			}
			i, seen := at[o.plan]
			if !seen {
				i = len(out)
				at[o.plan], out = i, append(out, Lost{Closing: c.closings[o.plan]})
			}
			out[i].Took += took
		}
	}
	return out
}

// Jump is a jump of the clock on the wall, and what it did to the open time.
type Jump struct {
	Date    Date          // on the wall, after it
	Forward time.Duration // less than nothing if the clock went back
	Gained  time.Duration // open time that is there twice; less than nothing for what is skipped
}

// Jumps lists the jumps of the clock between a and b that fell into open hours,
// in order.
func (c *Calendar) Jumps(a, b time.Time) []Jump {
	var out []Jump
	var last time.Duration // what the clock showed at the end of the span before
	first := true
	for s := range c.spans(a.Round(0), b.Round(0)) {
		if gained := c.upto(last) - c.upto(s.from); !first && gained != 0 {
			y, m, d := epoch.Add(s.from).Date()
			out = append(out, Jump{Date{y, m, d}, s.from - last, gained})
		}
		first, last = false, s.to
	}
	return out
}
