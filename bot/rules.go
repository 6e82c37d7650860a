package bot

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/deskhand/deskhand/bot/cards"
	"github.com/deskhand/deskhand/core/knowledge"
	"github.com/deskhand/deskhand/core/people"
	"github.com/deskhand/deskhand/core/policy"
	"github.com/deskhand/deskhand/core/ticket"
	"github.com/deskhand/deskhand/storage"
)

// rules are the policy in force with what belongs to it, as one snapshot.
type rules struct {
	id       storage.PolicyID
	policy   policy.Policy
	levels   *policy.Levels
	matrix   ticket.Matrix
	teams    []people.Team // lowest tier first
	services []storage.Service
	requests []knowledge.Request
	queues   []storage.Queue
	channels []storage.DeskChannel
	read     time.Time
}

// rulesFor is how long a snapshot may be used: a policy applied elsewhere is
// in force here as soon.
const rulesFor = 2 * time.Second

func (d *Desk) rulesIn(ctx context.Context, tx *storage.Tx) (*rules, error) {
	if r := d.fresh(); r != nil {
		return r, nil
	}
	n := &rules{read: time.Now()} // not d.now: tests that pass time by hand must see a new policy too
	var err error
	if n.policy, n.id, err = tx.Policy(ctx); err != nil {
		return nil, err
	}
	if n.levels, err = tx.Levels(ctx, n.id); err != nil {
		return nil, err
	}
	if n.teams, err = tx.Teams(ctx); err != nil {
		return nil, err
	}
	if n.services, err = tx.Services(ctx); err != nil {
		return nil, err
	}
	if n.queues, err = tx.Queues(ctx); err != nil {
		return nil, err
	}
	if n.channels, err = tx.DeskChannels(ctx); err != nil {
		return nil, err
	}
	if len(n.teams) == 0 {
		return nil, fmt.Errorf("the policy in force names no team")
	}
	if n.policy.Desk.MostTeams == 0 { // it was applied before there was the rule
		n.policy.Desk.MostTeams = policy.BuiltIn().Desk.MostTeams
	}
	n.matrix = ticket.Matrix(n.policy.Matrix)
	n.requests = n.policy.Requestable()
	d.mu.Lock()
	d.rules = n
	d.mu.Unlock()
	return n, nil
}

// fresh is the snapshot, if it may still be used.
func (d *Desk) fresh() *rules {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.rules == nil || time.Since(d.rules.read) >= rulesFor || time.Now().Before(d.doubted) {
		return nil
	}
	return d.rules
}

// forget has the rules read again at the next event.
func (d *Desk) forget() {
	d.mu.Lock()
	d.rules = nil
	d.mu.Unlock()
}

// doubt has them read again each time for a while: until what changes them is
// committed, others read and keep what was.
func (d *Desk) doubt() {
	d.mu.Lock()
	d.rules, d.doubted = nil, time.Now().Add(rulesFor)
	d.mu.Unlock()
}

func (r *rules) team(id people.TeamID) people.Team {
	for _, t := range r.teams {
		if t.ID == id {
			return t
		}
	}
	return people.Team{Name: "a team that is no more"}
}

// teamOf is the team of a slug, 0 if there is none any more.
func (r *rules) teamOf(slug string) people.TeamID {
	for _, t := range r.teams {
		if t.Slug == slug {
			return t.ID
		}
	}
	return 0
}

// manner is what the policy says of a team besides its name.
func (r *rules) manner(id people.TeamID) policy.Team {
	slug := r.team(id).Slug
	for _, t := range r.policy.Teams {
		if t.Slug == slug && slug != "" {
			return t
		}
	}
	return policy.Team{}
}

// queue is where the policy sends tickets of a kind: to the category's team,
// the service's, or the first.
func (r *rules) queue(kind ticket.Kind, service, category string) storage.Queue {
	if c, ok := r.category(service, category); ok {
		team := c.Incidents
		if kind == ticket.Request {
			team = c.Requests
		}
		for _, x := range r.teams {
			if x.Slug == team && team != "" {
				return r.queueOf(x.ID, kind)
			}
		}
	}
	want := ticket.QueueID(0)
	if s, ok := r.service(service); ok {
		want = s.Incidents
		if kind == ticket.Request {
			want = s.Requests
		}
	}
	for _, q := range r.queues {
		if q.ID == want {
			return q
		}
	}
	return r.queueOf(r.teams[0].ID, kind)
}

func (r *rules) queueOf(team people.TeamID, kind ticket.Kind) storage.Queue {
	for _, q := range r.queues {
		if q.Team == team && q.Kind == kind {
			return q
		}
	}
	return storage.Queue{}
}

func (r *rules) service(slug string) (storage.Service, bool) {
	for _, s := range r.services {
		if s.Slug == slug {
			return s, true
		}
	}
	return storage.Service{}, false
}

// enough is the highest tier that is needed for a service; 0: whatever it
// takes.
func (r *rules) enough(service string) int {
	for _, s := range r.policy.Services {
		if s.Slug == service {
			return s.Tier
		}
	}
	return 0
}

func (r *rules) serviceOptions() []cards.ServiceOption {
	var o []cards.ServiceOption
	for _, s := range r.services {
		o = append(o, cards.ServiceOption{Slug: s.Slug, Name: s.Name})
	}
	return o
}

// spokenOf is the service that most of its words speak for in a text, and the
// first of those words.
func (r *rules) spokenOf(text string) (slug, word string) {
	most := 0
	words := wordsOf(text)
	for _, s := range r.services {
		n, by := 0, ""
		for _, w := range append([]string{s.Name}, s.Words...) {
			if mentions(words, wordsOf(w)) {
				n++
				by = cmp.Or(by, w)
			}
		}
		if n > most {
			slug, word, most = s.Slug, by, n
		}
	}
	return slug, word
}

// mentions tells whether phrase stands in text, a plural or another ending
// not counting.
func mentions(text, phrase []string) bool {
	if len(phrase) == 0 {
		return false
	}
	for i := 0; i+len(phrase) <= len(text); i++ {
		if slices.EqualFunc(text[i:i+len(phrase)], phrase, sameStem) {
			return true
		}
	}
	return false
}

func sameStem(a, b string) bool {
	if a == b {
		return true
	}
	if len(a) < len(b) {
		a, b = b, a
	}
	return len(b) >= 4 && strings.HasPrefix(a, b) && len(a)-len(b) <= 3
}

// triage are a team's channels, one on each platform where it has one.
func (r *rules) triage(team people.TeamID) []storage.DeskChannel {
	var all []storage.DeskChannel
	for _, c := range r.channels {
		if c.Purpose == "triage" && c.Team == team && c.Channel != "" {
			all = append(all, c)
		}
	}
	return all
}

// channel is what a channel is for, if it has a purpose.
func (r *rules) channel(platform, workspace, id string) (storage.DeskChannel, bool) {
	for _, c := range r.channels {
		if c.Platform == platform && c.Workspace == workspace && c.Channel == id && id != "" {
			return c, true
		}
	}
	return storage.DeskChannel{}, false
}
