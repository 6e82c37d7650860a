package demo

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/deskhand/deskhand/core/knowledge"
	"github.com/deskhand/deskhand/core/people"
	"github.com/deskhand/deskhand/core/policy"
	"github.com/deskhand/deskhand/core/ticket"
)

// happen lets everything that is coming come, in the order of time. What comes
// may bring more.
func (g *generator) happen() error {
	for len(g.coming) > 0 {
		a := g.coming[0]
		g.coming = g.coming[1:]
		if !a.ticket {
			g.askAlone(a)
			continue
		}
		if err := g.live(a); err != nil {
			return fmt.Errorf("%s at %v: %w", g.scenarios[a.scenario].Name, a.at, err)
		}
	}
	return nil
}

// ask is the question in the asker's own way of typing, with what was shown,
// and the same in plain words.
func (g *generator) ask(a arrival, at time.Time) (Question, string) {
	s := g.scenarios[a.scenario]
	q := Question{Person: people.PersonID(a.person + 1), At: at, Confidence: "none", Outcome: "open"}
	text := a.title
	if text == "" {
		text = expand(g.rand, pick(g.rand, s.Asks), a.slots)
	}
	q.Text = text
	if a.scene == nil {
		q.Text = voiceOf(g.history.People[a.person]).says(g.rand, text)
	}
	if s.Article == "" {
		return q, text
	}
	switch c := g.rand.Float64(); {
	case c < 0.7:
		q.Confidence = "high"
	case c < 0.98:
		q.Confidence = "low"
	default:
		return q, text // asked in words that no article has
	}
	q.Shown = []knowledge.ArticleID{g.articles[s.Article]}
	for _, slug := range s.Also {
		q.Shown = append(q.Shown, g.articles[slug])
	}
	if len(q.Shown) > 1 && g.rand.Float64() < 0.15 {
		q.Shown[0], q.Shown[1] = q.Shown[1], q.Shown[0]
	}
	return q, text
}

// askAlone is a question that becomes no ticket, or not at once.
func (g *generator) askAlone(a arrival) {
	s := g.scenarios[a.scenario]
	q, _ := g.ask(a, a.at)
	q.Outcome, q.EndedAt = "silent", a.at.Add(g.silent)
	if len(q.Shown) > 0 && g.rand.Float64() < s.Solved/(s.Solved+0.22) {
		q.Outcome, q.Article = "solved", g.articles[s.Article]
		q.EndedAt = a.at.Add(between(g.rand.Float64(), 40*time.Second, 25*time.Minute))
		if again := g.weekOf(a.person).add(a.at, between(g.rand.Float64(), 2*time.Hour, 30*time.Hour)); g.rand.Float64() < 0.05 {
			back := a // it did not hold
			back.at, back.ticket, back.asked = again, true, false
			g.come(back)
		}
	}
	if q.EndedAt.After(g.now) {
		q.Outcome, q.Article, q.EndedAt = "open", 0, time.Time{}
	}
	g.history.Questions = append(g.history.Questions, q)
}

// life is one ticket on its way through time. It ends at the present: a step
// that would come later is not taken, and none after it.
type life struct {
	*generator
	a        arrival
	scenario scenario
	course   course
	t        Ticket
	at       time.Time // of the last thing that happened
	ended    bool
	err      error
}

// live runs an arrival's whole life.
func (g *generator) live(a arrival) error {
	l := &life{generator: g, a: a, scenario: g.scenarios[a.scenario], at: a.at}
	l.a.slots["outage"] = g.outage
	subject := l.open()
	if a.course != nil {
		l.course = *a.course
	} else {
		l.course = pick(g.rand, l.scenario.after(subject))
	}
	if a.leads {
		g.outage = l.t.Ref()
	}
	if a.scene != nil {
		l.play(*a.scene)
	} else {
		l.work()
		l.finish()
	}
	if l.err != nil || l.t.ID == 0 {
		return l.err
	}
	g.history.Tickets = append(g.history.Tickets, l.t)
	return nil
}

// step takes one, if its time has come.
func (l *life) step(at time.Time, take func(ticket.Ticket) (ticket.Ticket, ticket.Event, error)) bool {
	if l.ended || l.err != nil || !l.reach(at) {
		return false
	}
	next, ev, err := take(l.t.Ticket)
	if err != nil {
		l.err = err
		return false
	}
	next.Version = len(l.t.Steps) + 1
	l.t.Ticket = next
	l.t.Steps = append(l.t.Steps, Step{ev, next})
	return true
}

// reach moves to a moment, if it is not in the future.
func (l *life) reach(at time.Time) bool {
	if at.After(l.now) {
		l.ended = true
		return false
	}
	l.at = at
	return true
}

// say adds a message.
func (l *life) say(at time.Time, by people.PersonID, text string, team, internal bool) bool {
	if l.ended || l.err != nil || !l.reach(at) {
		return false
	}
	agent, _, _ := strings.Cut(l.history.People[max(0, int(l.t.Owner)-1)].Name, " ")
	l.a.slots["agent_first"] = agent
	body := expand(l.rand, text, l.a.slots)
	if body == "" {
		return true
	}
	if !team {
		v := voiceOf(l.history.People[by-1])
		v.greets, v.pleads = 0, 0
		if body = v.says(l.rand, body); v.capital {
			body = capital(body)
		}
	}
	l.t.Messages = append(l.t.Messages, Message{By: by, At: at, Body: body, Team: team, Internal: internal})
	return true
}

// open opens it, and returns what was said at first, without slips.
func (l *life) open() string {
	s := l.scenario
	requester := people.PersonID(l.a.person + 1)
	service := slices.IndexFunc(l.policy.Services, func(p policy.Service) bool { return p.Slug == s.Service })
	team := l.policy.Services[service].Incidents
	if s.Kind == ticket.Request {
		team = l.policy.Services[service].Requests
	}
	t := ticket.Ticket{
		ID: ticket.ID(len(l.history.Tickets) + 1), Kind: s.Kind, Number: l.numbers[s.Kind] + 1, Service: s.Service,
		Requester: requester, Author: requester, Follows: l.a.follows,
		Team: l.teams[team], Queue: l.queue(team, s.Kind),
	}
	if l.a.author >= 0 {
		t.Author = people.PersonID(l.a.author + 1)
	}
	t.Impact = weighted(l.rand, ticket.Impacts, func(i ticket.Impact) float64 { return s.Impact[i] })
	t.Urgency = weighted(l.rand, ticket.Urgencies, func(u ticket.Urgency) float64 { return s.Urgency[u] })
	if l.a.impact != "" {
		t.Impact, t.Urgency = l.a.impact, l.a.urgency
	}
	plain := ""
	switch {
	case l.a.asked && l.a.author < 0:
		var q Question
		q, plain = l.ask(l.a, l.at.Add(-between(l.rand.Float64(), 50*time.Second, 20*time.Minute)))
		q.Outcome, q.Ticket, q.EndedAt = "ticket", t.ID, l.at
		if l.rand.Float64() < askedForPerson {
			q.Outcome = "person"
		}
		l.history.Questions = append(l.history.Questions, q)
		t.Title = q.Text
	case l.a.title != "":
		t.Title = expand(l.rand, l.a.title, l.a.slots)
	default:
		t.Title = capital(expand(l.rand, pick(l.rand, s.Titles), l.a.slots))
	}
	switch {
	case l.a.scene != nil:
		t.Detail = l.a.scene.Detail
	case plain == "" && len(s.Details) > 0:
		t.Detail = expand(l.rand, pick(l.rand, s.Details), l.a.slots)
	}
	if l.step(l.at, func(ticket.Ticket) (ticket.Ticket, ticket.Event, error) { return ticket.Open(t, l.matrix, l.at) }) {
		l.numbers[s.Kind]++
	}
	if l.a.scene == nil && l.rand.Float64() < overridden && l.t.Priority > ticket.High {
		why, at := pick(l.rand, overrides), l.later(between(l.rand.Float64(), 5*time.Minute, 20*time.Minute))
		by := l.agent(l.t.Team, at)
		l.step(at, func(t ticket.Ticket) (ticket.Ticket, ticket.Event, error) {
			return t.Prioritise(t.Impact, t.Urgency, t.Priority-1, why, l.matrix, by, at)
		})
	}
	return cmp.Or(plain, t.Title) + " " + t.Detail
}

func (l *life) queue(team string, kind ticket.Kind) ticket.QueueID {
	q := ticket.QueueID(2*l.teams[team] - 1)
	if kind == ticket.Request {
		q++
	}
	return q
}

// desk is when a team works. Whatever is critical is worked on at any hour.
func (l *life) desk(team people.TeamID) week {
	w := l.office()
	if l.policy.Teams[team-1].Tier > 1 {
		w.from, w.to = 8*60, 17*60
	}
	return w
}

// later is d of the team's working time after the last thing that happened.
func (l *life) later(d time.Duration) time.Time {
	if l.t.Priority == ticket.Critical {
		return l.at.Add(d.Truncate(time.Second))
	}
	return l.desk(l.t.Team).add(l.at, d)
}

// agent is one of the team who is at work by the clock of his own site, if
// there is one; leads take fewer.
func (g *generator) agent(team people.TeamID, at time.Time) people.PersonID {
	t := g.policy.Teams[team-1]
	var here []int
	for _, mail := range append(slices.Concat(t.Members, t.Members), t.Lead) {
		i := g.byMail[mail]
		if hour := at.In(g.zone(g.history.People[i].TimeZone)).Hour(); hour >= 7 && hour < 18 {
			here = append(here, i)
		}
	}
	if len(here) == 0 {
		return people.PersonID(g.byMail[pick(g.rand, t.Members)] + 1)
	}
	return people.PersonID(pick(g.rand, here) + 1)
}

// response is how long a ticket lies before somebody claims it.
func (l *life) response() time.Duration {
	usual := map[ticket.Priority]time.Duration{
		ticket.Critical: 5 * time.Minute, ticket.High: 16 * time.Minute, ticket.Normal: 45 * time.Minute, ticket.Low: 110 * time.Minute,
	}[l.t.Priority]
	return time.Duration(float64(usual) * math.Exp(0.8*l.rand.NormFloat64()))
}

// work is from the claim to the moment before it is resolved.
func (l *life) work() {
	if l.ended {
		return
	}
	l.claim()
	if h := l.scenario.Hop; h != nil && l.course.Far == l.scenario.sendsFar() && l.a.until.IsZero() && l.teams[h.To] != l.t.Team && l.rand.Float64() < h.Chance {
		l.say(l.later(between(l.rand.Float64(), 10*time.Minute, time.Hour)), l.t.Owner, h.Note, true, true)
		at, by := l.at, l.t.Owner
		l.step(at, func(t ticket.Ticket) (ticket.Ticket, ticket.Event, error) {
			return t.Move(l.queue(h.To, t.Kind), t.Kind, l.teams[h.To], by, h.Note, at)
		})
		l.claim()
	}
	pace := map[ticket.Priority]float64{ticket.Critical: 0.35, ticket.High: 0.6, ticket.Normal: 1, ticket.Low: 1.5}[l.t.Priority]
	total := time.Duration(l.scenario.Hours * pace * math.Exp(0.75*l.rand.NormFloat64()) * float64(time.Hour))
	if left := l.a.until.Sub(l.at); left > 0 {
		total = left / 2
	}
	share := total / time.Duration(len(l.course.Talk)+1)
	for _, part := range l.course.Talk {
		l.talk(part, time.Duration(float64(share)*(0.4+1.2*l.rand.Float64())))
	}
	last := time.Duration(float64(share) * (0.4 + 1.2*l.rand.Float64()))
	l.at = l.later(last)
}

func (l *life) claim() {
	at := l.later(l.response())
	by := l.agent(l.t.Team, at)
	l.step(at, func(t ticket.Ticket) (ticket.Ticket, ticket.Event, error) { return t.Claim(by, at) })
}

// talk is one line of it, d of work after the one before.
func (l *life) talk(part line, d time.Duration) {
	if l.ended {
		return
	}
	requester, owner := l.t.Requester, l.t.Owner
	replies := part.role == 'R'
	if l.t.State == ticket.Waiting && (!replies || part.note == "later") { // what was waited for has come
		l.at = l.later(map[ticket.Reason]time.Duration{
			ticket.ForRequester: between(l.rand.Float64(), time.Hour, 9*time.Hour),
			ticket.ForPart:      between(l.rand.Float64(), 12*time.Hour, 54*time.Hour),
			ticket.ForSupplier:  between(l.rand.Float64(), 6*time.Hour, 36*time.Hour),
			ticket.ForChange:    between(l.rand.Float64(), 8*time.Hour, 36*time.Hour),
		}[l.t.WaitsFor])
		if l.at.After(l.now) {
			l.ended = true
			return
		}
		if !replies {
			l.wake(owner)
		}
	}
	if replies {
		at := l.weekOf(l.a.person).add(l.at, min(d, between(l.rand.Float64(), 2*time.Minute, 100*time.Minute)))
		if l.say(at, requester, part.text, false, false) && (part.note == "later" || l.t.WaitsFor == ticket.ForRequester) {
			l.wake(requester)
		}
		return
	}
	if !l.say(l.later(d), owner, part.text, true, part.role == 'N') {
		return
	}
	if reason, waits := waitsFor[part.role]; waits {
		note := expand(l.rand, part.note, l.a.slots)
		l.step(l.at, func(t ticket.Ticket) (ticket.Ticket, ticket.Event, error) { return t.Wait(reason, note, owner, l.at) })
	}
}

func (l *life) wake(by people.PersonID) {
	if l.t.State == ticket.Waiting {
		l.step(l.at, func(t ticket.Ticket) (ticket.Ticket, ticket.Event, error) { return t.Wake(by, "", l.at) })
	}
}

// finish is the resolution and what comes after it.
func (l *life) finish() {
	fix := l.course.Fix
	if l.ended || fix == "" {
		return
	}
	if end := l.a.until.Add(between(l.rand.Float64(), 0, 15*time.Minute)); end.After(l.at) {
		l.at = end
	}
	l.resolve(fix, l.course.Used)
	if l.a.until.IsZero() && l.rand.Float64() < reopened {
		back := l.weekOf(l.a.person).add(l.at, between(l.rand.Float64(), 10*time.Minute, 9*time.Hour))
		words, cures := stillBroken, secondFix
		if l.t.Kind == ticket.Request {
			words, cures = stillMissing, secondTry
		}
		if l.say(back, l.t.Requester, pick(l.rand, words), false, false) {
			note := l.t.Messages[len(l.t.Messages)-1].Body
			l.step(back, func(t ticket.Ticket) (ticket.Ticket, ticket.Event, error) { return t.Reopen(t.Requester, note, back) })
			l.say(l.later(between(l.rand.Float64(), 5*time.Minute, time.Hour)), l.t.Owner, pick(l.rand, secondLook), true, false)
			l.at = l.later(between(l.rand.Float64(), 20*time.Minute, 5*time.Hour))
			l.resolve(pick(l.rand, cures), false)
		}
	}
	l.close()
}

func (l *life) resolve(fix string, used bool) {
	at, by := l.at, l.t.Owner
	article := knowledge.ArticleID(0)
	if used {
		article = l.articles[l.scenario.Article]
	}
	fix = expand(l.rand, fix, l.a.slots)
	l.step(at, func(t ticket.Ticket) (ticket.Ticket, ticket.Event, error) { return t.Resolve(by, fix, article, at) })
}

func (l *life) close() {
	if l.ended || l.err != nil {
		return
	}
	by, rated := l.t.Requester, ratedWhenClosed
	at := l.weekOf(l.a.person).add(l.at, between(math.Pow(l.rand.Float64(), 3), 3*time.Minute, 14*time.Hour))
	if grace := l.t.ResolvedAt.Add(l.grace); l.rand.Float64() > closedByAsker || at.After(grace) {
		by, rated, at = 0, ratedWhenSilent, grace
	}
	if !l.step(at, func(t ticket.Ticket) (ticket.Ticket, ticket.Event, error) { return t.Close(by, "", at) }) {
		return
	}
	if l.rand.Float64() < rated {
		l.rate(at.Add(between(l.rand.Float64(), 5*time.Second, 4*time.Minute)))
	}
	if l.rand.Float64() < followed {
		next := l.a
		next.at, next.follows, next.course, next.title = l.weekOf(l.a.person).add(at, between(l.rand.Float64(), 8*time.Hour, 60*time.Hour)), l.t.ID, nil, ""
		next.asked, next.until, next.author, next.impact = false, time.Time{}, -1, ""
		if next.at.Before(l.now) {
			l.come(next)
		}
	}
}

func (l *life) rate(at time.Time) {
	mood := map[int]float64{5: 58, 4: 24, 3: 9, 2: 4, 1: 2}
	if l.t.Reopened > 0 || l.t.ResolvedAt.Sub(l.t.OpenedAt) > 6*24*time.Hour {
		mood = map[int]float64{5: 18, 4: 26, 3: 24, 2: 18, 1: 14}
	}
	faces, comment := weighted(l.rand, []int{5, 4, 3, 2, 1}, func(f int) float64 { return mood[f] }), ""
	if l.rand.Float64() < commentWithFaces {
		comment = expand(l.rand, pick(l.rand, faceWords[faces]), l.a.slots)
	}
	by := l.t.Requester
	l.step(at, func(t ticket.Ticket) (ticket.Ticket, ticket.Event, error) { return t.Rate(faces, comment, by, at) })
}

// between is the length at a point from 0 to 1 of the way between two.
func between(at float64, from, to time.Duration) time.Duration {
	return (from + time.Duration(at*float64(to-from))).Truncate(time.Second)
}
