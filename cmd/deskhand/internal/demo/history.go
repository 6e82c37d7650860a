package demo

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"github.com/deskhand/deskhand/core/knowledge"
	"github.com/deskhand/deskhand/core/people"
	"github.com/deskhand/deskhand/core/policy"
	"github.com/deskhand/deskhand/core/ticket"
)

// History is the desk's last 90 days. Its numbers are its own and start at 1:
// person n is People[n-1], and so for teams, articles, tickets and questions.
// The queue of team n is 2n-1 for incidents and 2n for requests.
type History struct {
	People    []policy.Person // those of the policy first, in its order
	Teams     []string        // slugs, in the policy's order
	Articles  []string        // slugs
	Tickets   []Ticket        // in the order in which they were opened
	Questions []Question      // in the order in which they were asked
}

// Ticket is a ticket as it stands at the end of the history, and how it came
// there. Every step was taken by core/ticket, so none is one that the desk
// would refuse.
type Ticket struct {
	ticket.Ticket
	Steps    []Step
	Messages []Message
}

// Step is a ticket's step, and the ticket after it.
type Step struct {
	ticket.Event
	After ticket.Ticket
}

// Message is what was said on a ticket.
type Message struct {
	By       people.PersonID
	At       time.Time
	Body     string
	Internal bool // a note among agents
	Team     bool // said on the team's side
}

// Question is what somebody asked the desk, and what came of it.
type Question struct {
	Person     people.PersonID
	At         time.Time
	Text       string
	Confidence string // "none", "low" or "high"
	Shown      []knowledge.ArticleID
	Outcome    string              // "open", "solved", "silent", "ticket" or "person"
	Article    knowledge.ArticleID // that solved it
	Ticket     ticket.ID           // that it became
	EndedAt    time.Time           // zero while open
}

// How much is in a history, about.
const (
	days             = 90
	ticketCount      = 1930 // and those of waves, followers and the present
	questionsAlone   = 900  // that became no ticket
	fromQuestion     = 0.29 // of tickets
	askedForPerson   = 0.16 // of those
	reopened         = 0.04
	followed         = 0.02 // of closed tickets have another one later
	onBehalf         = 0.05
	overridden       = 0.02
	sameAgain        = 0.14 // happens to somebody to whom it has happened
	closedByAsker    = 0.56
	ratedWhenClosed  = 0.55
	ratedWhenSilent  = 0.07
	commentWithFaces = 0.3
)

// generator makes a History. It takes everything from one source of chance and
// from now, in a fixed order.
type generator struct {
	rand      *rand.Rand
	now       time.Time
	policy    policy.Policy
	history   *History
	scenarios []scenario
	byMail    map[string]int // index in People
	articles  map[string]knowledge.ArticleID
	teams     map[string]people.TeamID
	matrix    ticket.Matrix
	grace     time.Duration
	silent    time.Duration

	share   []float64          // of trouble that a person has
	victims map[string][]int   // by scenario, to whom it has happened
	fitting map[string]fitting // by scenario
	daily   []float64          // of the days of the history, oldest first
	coming  []arrival          // by time
	numbers map[ticket.Kind]int64
	zones   map[string]*time.Location
	outage  string // reference of the ticket that leads
}

// fitting is who may have a scenario, with the running sum of their shares.
type fitting struct {
	people []int
	sums   []float64
}

// arrival is a ticket or a question that is about to come.
type arrival struct {
	at       time.Time
	scenario int
	person   int
	slots    map[string]string
	ticket   bool           // it becomes one
	asked    bool           // by way of a question
	title    string         // instead of one of the scenario
	impact   ticket.Impact  // likewise
	urgency  ticket.Urgency // likewise
	course   *course        // likewise
	until    time.Time      // resolved then, if it is set
	follows  ticket.ID
	author   int    // -1: the person
	leads    bool   // it is the outage that others are about
	scene    *scene // it is told to the letter
}

// Generate makes the history that ends at now. Equal moments have equal
// histories.
func Generate(now time.Time) (*History, error) {
	g, err := prepare(now)
	if err != nil {
		return nil, err
	}
	g.calendar()
	g.arrivals()
	if err := g.waves(); err != nil {
		return nil, err
	}
	if err := g.present(); err != nil {
		return nil, err
	}
	if err := g.happen(); err != nil {
		return nil, err
	}
	slices.SortStableFunc(g.history.Questions, func(a, b Question) int { return a.At.Compare(b.At) })
	return g.history, nil
}

// prepare is a generator before anything has happened.
func prepare(now time.Time) (*generator, error) {
	p, err := Policy()
	if err != nil {
		return nil, err
	}
	g := &generator{
		rand: rand.New(rand.NewPCG(2026, 90)), now: now.UTC().Truncate(time.Second), policy: p, history: &History{},
		byMail: map[string]int{}, articles: map[string]knowledge.ArticleID{}, teams: map[string]people.TeamID{},
		matrix: ticket.Matrix(p.Matrix), grace: p.Desk.CloseAfter.Value(), silent: p.Desk.SilentAt.Value(),
		victims: map[string][]int{}, fitting: map[string]fitting{}, numbers: map[ticket.Kind]int64{}, zones: map[string]*time.Location{},
	}
	if g.scenarios, err = scenarios(); err != nil {
		return nil, err
	}
	return g, g.cast()
}

// cast fills in who and what the history is about.
func (g *generator) cast() error {
	h := g.history
	h.People = append(slices.Clone(g.policy.People), Colleagues(g.policy.People)...)
	for i, p := range h.People {
		g.byMail[p.Mail] = i
		share := 0.3 + min(g.rand.ExpFloat64(), 2)
		switch {
		case p.Department == "it":
			share = 0.15
		case i < len(g.policy.People):
			share++ // the people whom a newcomer meets have a past
		}
		g.share = append(g.share, share)
	}
	for i, t := range g.policy.Teams {
		h.Teams = append(h.Teams, t.Slug)
		g.teams[t.Slug] = people.TeamID(i + 1)
	}
	entries, err := articles.ReadDir("articles")
	if err != nil {
		return err
	}
	for i, e := range entries {
		slug := strings.TrimSuffix(e.Name(), ".md")
		h.Articles = append(h.Articles, slug)
		g.articles[slug] = knowledge.ArticleID(i + 1)
	}
	for _, s := range g.scenarios {
		var f fitting
		var sum float64
		for i, p := range h.People {
			if s.fits(p) {
				sum += g.share[i]
				f.people, f.sums = append(f.people, i), append(f.sums, sum)
			}
		}
		if sum == 0 {
			return fmt.Errorf("scenario %s fits nobody", s.Name)
		}
		g.fitting[s.Name] = f
		for _, slug := range append([]string{s.Article}, s.Also...) {
			if slug != "" && g.articles[slug] == 0 {
				return fmt.Errorf("scenario %s: there is no article %s", s.Name, slug)
			}
		}
	}
	return nil
}

// weekOf is when the person works.
func (g *generator) weekOf(person int) week {
	p := g.history.People[person]
	w := week{loc: g.zone(p.TimeZone), from: 8 * 60, to: 17 * 60}
	switch {
	case p.Department == "production" && p.Site == "Leipzig":
		w.from, w.to = 6*60, 22*60 // two shifts
	case p.Department == "production" || p.Department == "supply":
		w.from, w.to = 7*60, 16*60
	case p.Department == "care":
		w.to = 18 * 60
	}
	return w
}

// zone is the time zone, or UTC on a machine that has none.
func (g *generator) zone(name string) *time.Location {
	loc, ok := g.zones[name]
	if !ok {
		var err error
		if loc, err = time.LoadLocation(name); err != nil {
			loc = time.UTC
		}
		g.zones[name] = loc
	}
	return loc
}

// office is when the service desk works, by the clock of headquarters.
func (g *generator) office() week { return week{g.zone(g.policy.Desk.TimeZone), 7 * 60, 18 * 60} }

// calendar weighs the days: Mondays are the worst, weekends are for those who
// can't help it, and no two weeks are alike.
func (g *generator) calendar() {
	byWeekday := []float64{0.05, 1.34, 1.12, 1.04, 1.0, 0.82, 0.08}
	for i := range days {
		d := g.day(i)
		w := byWeekday[d.Weekday()]
		if !workday(d) {
			w = min(w, 0.07)
		}
		g.daily = append(g.daily, w*math.Exp(0.14*g.rand.NormFloat64()))
	}
}

// day is midnight of a day of the history at headquarters, 0 the oldest.
func (g *generator) day(i int) time.Time {
	return g.office().nextDay(g.now, i-days+1)
}

// arrivals draws what comes on ordinary days.
func (g *generator) arrivals() {
	all := make([]int, days)
	for i := range all {
		all[i] = i
	}
	names := make([]int, len(g.scenarios))
	for i := range names {
		names[i] = i
	}
	for n := range ticketCount + questionsAlone {
		isTicket := n < ticketCount
		a := arrival{author: -1, ticket: isTicket}
		for a.at.IsZero() || a.at.After(g.now.Add(-2*time.Minute)) {
			d := g.day(weighted(g.rand, all, func(i int) float64 { return g.daily[i] }))
			a.scenario = weighted(g.rand, names, func(i int) float64 { return g.chance(i, d, isTicket) })
			a.person = g.person(a.scenario)
			a.at = g.moment(d, a.person)
		}
		a.asked = !isTicket || g.rand.Float64() < fromQuestion
		a.slots = g.slots(a.person)
		if isTicket && g.rand.Float64() < onBehalf {
			a.author = g.colleague(a.person)
		}
		g.coming = append(g.coming, a)
	}
	slices.SortStableFunc(g.coming, func(a, b arrival) int { return a.at.Compare(b.at) })
}

// chance is a scenario's weight on a day, as a ticket or as a mere question.
func (g *generator) chance(i int, d time.Time, isTicket bool) float64 {
	s := g.scenarios[i]
	w := s.Weight
	if s.Monday && d.Weekday() == time.Monday {
		w *= 2
	}
	if s.Service == "erp" && d.Day() <= 4 {
		w *= 2 // the month is being closed
	}
	if !isTicket {
		w *= 0.25 + s.Solved // what an article answers ends there
	}
	return w
}

// person draws to whom it happens; some have it again and again.
func (g *generator) person(scenario int) int {
	s := g.scenarios[scenario]
	if had := g.victims[s.Name]; len(had) > 3 && g.rand.Float64() < sameAgain {
		return pick(g.rand, had[max(0, len(had)-25):])
	}
	f := g.fitting[s.Name]
	at, _ := slices.BinarySearch(f.sums, g.rand.Float64()*f.sums[len(f.sums)-1])
	who := f.people[min(at, len(f.people)-1)]
	g.victims[s.Name] = append(g.victims[s.Name], who)
	return who
}

// colleague is somebody else of the same site, of the same department mostly.
func (g *generator) colleague(of int) int {
	p := g.history.People[of]
	for try := 0; ; try++ {
		i := g.rand.IntN(len(g.history.People))
		q := g.history.People[i]
		if i != of && q.Department != "it" && (try > 60 || q.Site == p.Site && (try > 20 || q.Department == p.Department)) {
			return i
		}
	}
}

func (g *generator) nameOf(mail string) string {
	if i, ok := g.byMail[mail]; ok {
		return g.history.People[i].Name
	}
	return ""
}

// byHour is how much comes in each hour of an office day. Mondays lean to the
// morning.
var byHour = [24]float64{6: 0.1, 7: 0.5, 8: 1.7, 9: 2.0, 10: 1.6, 11: 1.1, 12: 0.5, 13: 1.1, 14: 1.3, 15: 1.0, 16: 0.6, 17: 0.2, 18: 0.08, 20: 0.05, 21: 0.04}

// moment is when on a day the person writes.
func (g *generator) moment(d time.Time, person int) time.Time {
	w := g.weekOf(person)
	hours := make([]int, 24)
	for i := range hours {
		hours[i] = i
	}
	h := weighted(g.rand, hours, func(h int) float64 {
		v := byHour[h]
		if d.Weekday() == time.Monday && h < 10 {
			v *= 1.5
		}
		if w.to == 22*60 && h >= 6 {
			v = 0.7*v + 0.35 // the shifts write all day
			if h >= 22 {
				v = 0
			}
		}
		return v
	})
	y, m, dd := d.Date()
	return time.Date(y, m, dd, h, g.rand.IntN(60), g.rand.IntN(60), 0, w.loc)
}

// come puts an arrival into its place in time.
func (g *generator) come(a arrival) {
	at, _ := slices.BinarySearchFunc(g.coming, a.at, func(b arrival, t time.Time) int { return b.at.Compare(t) })
	g.coming = slices.Insert(g.coming, at, a)
}
