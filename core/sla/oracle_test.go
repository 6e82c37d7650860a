package sla

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/deskhand/deskhand/core/hours"
	"github.com/deskhand/deskhand/core/ticket"
)

var (
	oracleCases = flag.Int64("oracle.cases", 500, "cases that TestOracle compares")
	oracleSeed  = flag.Uint64("oracle.seed", 1, "of the cases of TestOracle")
	oracleOnly  = flag.Int64("oracle.case", -1, "the one case to run")
)

// The oracle knows no calendar arithmetic. It walks through time in steps of
// a grain that all opening hours, offsets and jumps of the zones are multiples
// of (a second, a minute, a quarter of an hour), looks at the clock on the wall at
// each step, asks whether somebody would be at work, and counts.

type oracleCalendar struct {
	zone         *time.Location
	open, breaks [7][][2]int // seconds of the day; the second is the smaller one over night
	closed       []oracleClosing
}

type oracleClosing struct{ y, m, d, from, to int }

func (c *oracleCalendar) working(unix int64) bool {
	t := time.Unix(unix, 0).In(c.zone)
	hour, minute, second := t.Clock()
	now, today := hour*3600+minute*60+second, int(t.Weekday())
	if !shows(c.open, today, now) || shows(c.breaks, today, now) {
		return false
	}
	if len(c.closed) > 0 {
		y, m, d := t.Date()
		for _, h := range c.closed {
			if h.y == y && h.m == int(m) && h.d == d && h.from <= now && now < h.to {
				return false
			}
		}
	}
	return true
}

func shows(week [7][][2]int, today, now int) bool {
	for _, i := range week[today] {
		if i[0] <= now && (now < i[1] || i[1] < i[0]) {
			return true
		}
	}
	for _, i := range week[(today+6)%7] {
		if i[1] < i[0] && now < i[1] {
			return true
		}
	}
	return false
}

type oraclePromise struct {
	within   int64 // nanoseconds
	calendar int
	pauses   []ticket.Reason
}

type oracleEvent struct {
	at     int64 // nanoseconds since 1970
	step   Step
	terms  map[Kind]oraclePromise
	reason ticket.Reason
	human  bool
}

type oracleCase struct {
	grain, from, to int64 // seconds since 1970, multiples of grain; to ends the walk
	calendars       []*oracleCalendar
	events          []oracleEvent
}

const never = int64(-1)

type oracleAnswer struct {
	promised  bool
	state     State
	used, due int64
	marks     []int64 // when each of oracleMarks is reached
}

var oracleMarks = []Mark{{75, 0}, {90, 0}, {100, 0}, {100, time.Hour}, {100, 2 * time.Hour}}

// life is what a clock is to do after each event.
type life struct {
	at       int64
	promise  *oraclePromise
	reason   ticket.Reason
	ended    bool
	standing bool // paused
}

func (o *oracleCase) lives(k Kind) []life {
	var out []life
	var l life
	var latest *oraclePromise
	answered, resolved := false, false
	for _, e := range o.events {
		l.at = max(l.at, e.at)
		if e.terms != nil {
			latest = nil
			if p, ok := e.terms[k]; ok {
				latest = &p
			}
		}
		switch e.step {
		case Waited:
			l.reason = e.reason
		case Woken:
			l.reason = ""
		case Replied:
			if e.human {
				answered = true
			}
		case Resolved:
			answered, resolved, l.reason = true, true, ""
		case Reopened:
			resolved = false
		}
		l.ended = resolved
		if k == Response {
			l.ended = answered
		}
		if !l.ended {
			l.promise = latest
		}
		l.standing = l.promise != nil && l.reason != "" && slices.Contains(l.promise.pauses, l.reason)
		out = append(out, l)
	}
	return out
}

// answer walks. working[c][n] is whether calendar c is open in the n-th step.
func (o *oracleCase) answer(k Kind, working [][]bool) oracleAnswer {
	lives := o.lives(k)
	last := lives[len(lives)-1]
	a := oracleAnswer{promised: last.promise != nil, due: never, state: Running}
	if !a.promised {
		return a
	}
	switch {
	case last.ended:
		a.state = Ended
	case last.standing:
		a.state = Paused
	}
	// Since when has it been this target?
	set := int64(0)
	for i := len(lives) - 1; i >= 0 && lives[i].promise != nil && lives[i].promise.within == last.promise.within; i-- {
		set = lives[i].at
	}
	points := []int64{last.promise.within}
	sinces := []int64{0}
	for _, m := range oracleMarks {
		share := float64(m.Percent) / 100
		points = append(points, int64(share*float64(last.promise.within))+int64(m.Beyond))
		if m.Percent == 100 {
			points[len(points)-1] = last.promise.within + int64(m.Beyond)
		}
		sinces = append(sinces, set)
	}
	reached := slices.Repeat([]int64{never}, len(points))
	fin := theEnd(lives)
	ghost := last.ended && fin > 0 && lives[fin-1].promise != nil && !lives[fin-1].standing
	// Had the clock run on from its end, when would it have been due?
	var used, ghostUsed int64
	ghostDue := never

	walk := func(p, q int64, open bool, used *int64, each func(i int, at int64), list []int64) {
		for i, x := range list {
			at := max(p, sinces[i])
			if *used < x {
				if !open {
					continue
				}
				at = max(at, p+x-*used)
			}
			if at < q {
				each(i, at)
			}
		}
		if open {
			*used += q - p
		}
	}
	n := 0 // events that have happened
	for s := o.from; s < o.to; s += o.grain {
		p, end := s*1e9, (s+o.grain)*1e9
		for p < end {
			for n < len(lives) && lives[n].at <= p {
				n++
			}
			q := end
			if n < len(lives) {
				q = min(q, lives[n].at)
			}
			if n > 0 {
				l := lives[n-1]
				if l.promise != nil {
					open := working[l.promise.calendar][(s-o.from)/o.grain]
					if !l.ended && !l.standing {
						walk(p, q, open, &used, func(i int, at int64) {
							if reached[i] == never {
								reached[i] = at
							}
						}, points)
					} else if n > fin && ghost {
						ghostUsed = max(ghostUsed, used)
						walk(p, q, open, &ghostUsed, func(_ int, at int64) {
							if ghostDue == never {
								ghostDue = at
							}
						}, points[:1])
					}
				}
			}
			p = q
		}
	}
	a.used, a.due, a.marks = used, reached[0], reached[1:]
	if a.due == never && ghost {
		a.due = ghostDue
	}
	return a
}

// theEnd is the first of the lives after which the clock did not run again.
func theEnd(lives []life) int {
	i := len(lives)
	for i > 0 && lives[i-1].ended {
		i--
	}
	return i
}

// jumps are instants at which a zone's clock jumps, found by looking.
var jumps = sync.OnceValue(func() map[string][]int64 {
	offset := func(z *time.Location, at int64) int { _, o := time.Unix(at, 0).In(z).Zone(); return o }
	out := map[string][]int64{}
	for _, name := range oracleZones {
		zone, err := time.LoadLocation(name)
		if err != nil {
			panic(err)
		}
		for at := int64(1_104_537_600); at < 2_300_000_000; at += 86400 { // 2005 to 2042
			if offset(zone, at) == offset(zone, at+86400) {
				continue
			}
			lo, hi := at, at+86400
			for hi-lo > 1 {
				if mid := (lo + hi) / 2; offset(zone, mid) == offset(zone, at) {
					lo = mid
				} else {
					hi = mid
				}
			}
			out[name] = append(out[name], hi)
		}
	}
	return out
})

var oracleZones = []string{
	"UTC", "Europe/Berlin", "Europe/Dublin", "America/New_York", "Australia/Lord_Howe", "Africa/Casablanca", "America/Santiago",
	"Pacific/Apia", "America/Sao_Paulo", "Asia/Beirut", "Africa/Cairo", "Asia/Tehran", "Antarctica/Troll", "Asia/Kathmandu",
	"America/Caracas", "Pacific/Chatham", "Asia/Gaza", "America/Nuuk", "Asia/Pyongyang", "Europe/Istanbul", "America/Havana", "America/Asuncion",
}

// drawZone finds a zone whose clock jumps between steps and never within one;
// Gaza's once did at a minute past midnight.
func drawZone(r *rand.Rand, grain int64) string {
	for {
		zone := oracleZones[r.IntN(len(oracleZones))]
		if !slices.ContainsFunc(jumps()[zone], func(at int64) bool { return at%grain != 0 }) {
			return zone
		}
	}
}

func drawCase(r *rand.Rand) *oracleCase {
	o := &oracleCase{}
	var steps int64
	switch r.IntN(8) {
	case 0:
		o.grain, steps = 1, 2000+r.Int64N(8000)
	case 1, 2, 3:
		o.grain, steps = 60, 500+r.Int64N(5000)
	case 4:
		o.grain, steps = 900, 365*96+r.Int64N(3000) // a year
		if r.IntN(4) > 0 {
			steps /= 8
		}
	default:
		o.grain, steps = 900, 500+r.Int64N(3000)
	}
	zone := drawZone(r, o.grain)
	if at := jumps()[zone]; len(at) > 0 && r.IntN(3) > 0 {
		o.from = at[r.IntN(len(at))] - r.Int64N(steps)*o.grain
	} else {
		o.from = 1_104_537_600 + r.Int64N(1_150_000_000)
	}
	o.from -= o.from % o.grain
	o.to = o.from + steps*o.grain

	for range 1 + r.IntN(3) {
		o.calendars = append(o.calendars, o.drawCalendar(r, zone))
		if r.IntN(2) == 0 {
			zone = drawZone(r, o.grain)
		}
	}
	o.drawEvents(r, steps*o.grain)
	return o
}

func (o *oracleCase) drawCalendar(r *rand.Rand, zone string) *oracleCalendar {
	loc, err := time.LoadLocation(zone)
	if err != nil {
		panic(err)
	}
	c := &oracleCalendar{zone: loc}
	grain := int(o.grain)
	slots := 86400 / grain
	switch r.IntN(8) {
	case 0: // at all hours
		for d := range c.open {
			c.open[d] = [][2]int{{0, 86400}}
		}
	case 1: // one shift, often over night
		from, to := r.IntN(slots)*grain, r.IntN(slots)*grain
		if from == to {
			to = (to + grain) % 86400
		}
		for d := range c.open {
			c.open[d] = [][2]int{{from, to}}
		}
	default:
		sure := r.IntN(7)
		for d := range c.open {
			if d != sure && r.IntN(4) == 0 {
				continue
			}
			points := make([]int, 2*(1+r.IntN(3)))
			for i := range points {
				points[i] = r.IntN(slots+1) * grain
			}
			slices.Sort(points)
			points = slices.Compact(points)
			for i := 0; i+1 < len(points); i += 2 {
				c.open[d] = append(c.open[d], [2]int{points[i], points[i+1]})
			}
		}
		for d := range c.open {
			n, next := len(c.open[d]), c.open[(d+1)%7]
			if n == 0 || r.IntN(3) > 0 {
				continue
			}
			most := c.open[d][n-1][0]/grain - 1
			if len(next) > 0 {
				most = min(most, next[0][0]/grain)
			}
			if most > 0 {
				c.open[d][n-1][1] = r.IntN(most+1) * grain
			}
		}
	}
	for d := range c.open {
		for _, i := range c.open[d] {
			switch width := (i[1] - i[0]) / grain; {
			case r.IntN(3) > 0:
			case width >= 2:
				from := i[0] + r.IntN(width-1)*grain
				c.breaks[d] = append(c.breaks[d], [2]int{from, from + grain*(1+r.IntN((i[1]-from)/grain-1))})
			case i[1] < i[0] && i[1] > grain: // a break over midnight
				c.breaks[d] = append(c.breaks[d], [2]int{i[0] + grain*((86400-i[0])/grain/2), grain * (i[1] / grain / 2)})
			}
		}
	}
	for range r.IntN(5) {
		y, m, d := time.Unix(o.from+r.Int64N(o.to-o.from), 0).In(loc).Date()
		h := oracleClosing{y, int(m), d, 0, 86400}
		if r.IntN(3) == 0 {
			h.from = r.IntN(slots) * grain
			h.to = h.from + grain*(1+r.IntN((86400-h.from)/grain))
		}
		c.closed = append(c.closed, h)
	}
	return c
}

func (o *oracleCase) drawEvents(r *rand.Rand, seconds int64) {
	terms := func() map[Kind]oraclePromise {
		out := map[Kind]oraclePromise{}
		for _, k := range []Kind{Response, Resolution} {
			if r.IntN(12) == 0 {
				continue
			}
			p := oraclePromise{within: (1 + r.Int64N(max(1, seconds>>r.IntN(6)))) * 1e9, calendar: r.IntN(len(o.calendars))}
			if r.IntN(2) == 0 {
				p.within = max(1, p.within/(o.grain*1e9)) * o.grain * 1e9 // round figures meet the edges of hours
			}
			for _, reason := range ticket.Reasons {
				if r.IntN(2) == 0 {
					p.pauses = append(p.pauses, reason)
				}
			}
			p.within -= p.within % 100 // so that percents are whole
			out[k] = p
		}
		return out
	}
	at := o.from*1e9 + r.Int64N(max(1, seconds*1e9/4))
	if r.IntN(2) == 0 {
		at -= at % (o.grain * 1e9)
	}
	o.events = append(o.events, oracleEvent{at: at, step: Opened, terms: terms()})
	n := r.IntN(12)
	for range n {
		e := oracleEvent{step: []Step{Changed, Waited, Waited, Waited, Woken, Woken, Woken, Replied, Resolved, Reopened, Reopened}[r.IntN(11)]}
		switch e.step {
		case Changed:
			e.terms = terms()
			if prev := o.events[0].terms; r.IntN(3) == 0 { // another calendar only
				e.terms = map[Kind]oraclePromise{}
				for k, p := range prev {
					p.calendar = r.IntN(len(o.calendars))
					e.terms[k] = p
				}
			}
		case Waited:
			e.reason = ticket.Reasons[r.IntN(len(ticket.Reasons))]
		case Replied:
			e.human = r.IntN(3) == 0
		}
		gap := r.Int64N(max(1, seconds*1e9/int64(n)))
		switch r.IntN(10) {
		case 0:
			gap = 0
		case 1:
			gap = -gap / 8 // a clock was set back
		case 2, 3, 4, 5:
			gap -= (at + gap) % (o.grain * 1e9) // at the edges of hours
		}
		at += gap
		e.at = min(at, o.to*1e9)
		o.events = append(o.events, e)
	}
}

// ledger tells the engine of the same case.
func (o *oracleCase) ledger() (Ledger, error) {
	var calendars []*hours.Calendar
	for _, c := range o.calendars {
		p := hours.Plan{Zone: c.zone.String()}
		for d := range 7 {
			for _, i := range c.open[d] {
				p.Open[d] = append(p.Open[d], hours.Interval{From: hours.OfDay(i[0]), To: hours.OfDay(i[1])})
			}
			for _, i := range c.breaks[d] {
				p.Breaks[d] = append(p.Breaks[d], hours.Interval{From: hours.OfDay(i[0]), To: hours.OfDay(i[1])})
			}
		}
		for _, h := range c.closed {
			p.Closed = append(p.Closed, hours.Closing{
				Date: hours.Date{Year: h.y, Month: time.Month(h.m), Day: h.d},
				Only: hours.Interval{From: hours.OfDay(h.from), To: hours.OfDay(h.to)},
			})
		}
		made, err := hours.New(p)
		if err != nil {
			return nil, err
		}
		calendars = append(calendars, made)
	}
	var l Ledger
	for _, e := range o.events {
		made := Event{At: time.Unix(0, e.at).UTC(), Step: e.step, Reason: e.reason, Human: e.human}
		for k, p := range e.terms {
			made.Terms.Targets = append(made.Terms.Targets, Target{Kind: k, Within: time.Duration(p.within), Calendar: calendars[p.calendar], Pauses: p.pauses})
		}
		l = append(l, made)
	}
	return l, nil
}

// compare is what the engine says otherwise than the oracle.
func (o *oracleCase) compare() error {
	l, err := o.ledger()
	if err != nil {
		return err
	}
	working := make([][]bool, len(o.calendars))
	for i, c := range o.calendars {
		for s := o.from; s < o.to; s += o.grain {
			working[i] = append(working[i], c.working(s))
		}
	}
	horizon := time.Unix(o.to, 0)
	within := func(at time.Time, ok bool) int64 { // as far as the oracle looks
		if !ok || !at.Before(horizon) {
			return never
		}
		return at.UnixNano()
	}
	for _, k := range []Kind{Response, Resolution} {
		want := o.answer(k, working)
		c, promised := l.Clock(k)
		if promised != want.promised {
			return fmt.Errorf("%s is promised: %v, want %v", k, promised, want.promised)
		}
		if !promised {
			continue
		}
		if c.State != want.state {
			return fmt.Errorf("%s is %s, want %s", k, c.State, want.state)
		}
		if got := c.Used(horizon); int64(got) != want.used {
			return fmt.Errorf("%s has used %v by %v, want %v", k, got, horizon, time.Duration(want.used))
		}
		if got := within(c.Due()); got != want.due {
			return fmt.Errorf("%s is due at %v, want %v", k, time.Unix(0, got).UTC(), time.Unix(0, want.due).UTC())
		}
		if err := o.adds(c, horizon); err != nil {
			return fmt.Errorf("%s: %w", k, err)
		}
		for i, m := range oracleMarks {
			if got := within(c.At(m)); got != want.marks[i] {
				return fmt.Errorf("%s reaches %v at %v, want %v", k, m, time.Unix(0, got).UTC(), time.Unix(0, want.marks[i]).UTC())
			}
		}
	}
	return nil
}

// adds tells whether what a sum lists adds up to all open time since the
// opening, for a clock that counts in one calendar and has always been promised.
func (o *oracleCase) adds(c Clock, now time.Time) error {
	if len(o.calendars) > 1 || c.State == Ended || slices.ContainsFunc(o.events, func(e oracleEvent) bool { _, ok := e.terms[c.Kind]; return e.terms != nil && !ok }) {
		return nil
	}
	sum, cal := c.Used(now), c.Target.Calendar
	for _, s := range slices.Concat(c.stops, c.rests) {
		if s.to.IsZero() {
			s.to = now
		}
		sum += cal.Between(s.from, s.to)
	}
	if all := cal.Between(time.Unix(0, o.events[0].at), now); sum != all {
		return fmt.Errorf("used, paused and fixed are %v of %v of open time", sum, all)
	}
	return nil
}

// TestOracle compares the engine with the oracle on random calendars and
// ledgers. The whole: go test ./core/sla -run TestOracle -oracle.cases=1000000
func TestOracle(t *testing.T) {
	t.Parallel()
	first, after := int64(0), *oracleCases
	if *oracleOnly >= 0 {
		first, after = *oracleOnly, *oracleOnly+1
	}
	var next atomic.Int64
	next.Store(first)
	var work sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		work.Go(func() {
			for n := next.Add(1) - 1; n < after && !t.Failed(); n = next.Add(1) - 1 {
				o := drawCase(rand.New(rand.NewPCG(*oracleSeed, uint64(n))))
				if err := o.compare(); err != nil {
					t.Errorf("-oracle.seed=%d -oracle.case=%d: %v", *oracleSeed, n, err)
				}
			}
		})
	}
	work.Wait()
}
