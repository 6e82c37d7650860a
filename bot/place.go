package bot

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/deskhand/deskhand/bot/cards"
	"github.com/deskhand/deskhand/core/knowledge"
	"github.com/deskhand/deskhand/core/people"
	"github.com/deskhand/deskhand/core/policy"
	"github.com/deskhand/deskhand/core/ticket"
	"github.com/deskhand/deskhand/storage"
)

// about is a service, or one of its categories, as a form's choice: vpn, or
// vpn/access.
func about(service, category string) string {
	if category == "" {
		return service
	}
	return service + "/" + category
}

// offered is what a choice stands for; false: the policy does not offer it any
// more.
func (r *rules) offered(choice string) (s storage.Service, c policy.Category, ok bool) {
	service, category, within := strings.Cut(choice, "/")
	if s, ok = r.service(service); !ok || !within {
		return s, c, ok
	}
	c, ok = r.category(service, category)
	return s, c, ok
}

func (r *rules) category(service, slug string) (policy.Category, bool) {
	for _, s := range r.policy.Services {
		if s.Slug == service {
			for _, c := range s.Categories {
				if c.Slug == slug {
					return c, true
				}
			}
		}
	}
	return policy.Category{}, false
}

// aboutName is a choice as people read it.
func (r *rules) aboutName(choice string) string {
	s, c, _ := r.offered(choice)
	if c.Name == "" {
		return s.Name
	}
	return s.Name + ": " + c.Name
}

// aboutOptions are all that a ticket may be about.
func (r *rules) aboutOptions() []cards.ServiceOption {
	var o []cards.ServiceOption
	for _, s := range r.serviceOptions() {
		o = append(o, s)
		for _, p := range r.policy.Services {
			if p.Slug != s.Slug {
				continue
			}
			for _, c := range p.Categories {
				o = append(o, cards.ServiceOption{Slug: about(s.Slug, c.Slug), Name: s.Name + ": " + c.Name})
			}
		}
	}
	return o
}

// belonged is where tickets like a text belonged, as far as that still exists.
func (t *turn) belonged(text string) knowledge.Guesses {
	all := t.desk.index.Places(text)
	all = slices.DeleteFunc(all, func(g knowledge.Guess) bool {
		_, ok := t.rules.service(g.Service)
		return g.Service != "" && !ok
	})
	for i := range all {
		if _, ok := t.rules.category(all[i].Service, all[i].Category); !ok {
			all[i].Category = ""
		}
		if !slices.ContainsFunc(t.rules.teams, func(team people.Team) bool { return team.Slug == all[i].Team }) {
			all[i].Team = ""
		}
	}
	return all
}

// likely is what a text is about: what tickets like it were about, where that
// is certain enough, or else what its words speak for. Unless somebody is asked,
// and may change it, a "maybe" is not enough.
func (t *turn) likely(text string, asked bool) cards.Guess {
	best := t.belonged(text).Service()
	g := cards.Guess{About: about(best.Service, best.Category), Certainty: best.Certainty(), Sure: best.Sure, Alike: best.Alike}
	service, word := t.rules.spokenOf(text)
	switch {
	case g.Certainty == knowledge.Probably:
	case asked && g.Certainty == knowledge.Maybe && (service == "" || service == best.Service):
	case service != "":
		g = cards.Guess{About: service, Word: word}
	default:
		return cards.Guess{}
	}
	g.Name = t.rules.aboutName(g.About)
	return g
}

// usual is whose a ticket is as the policy says.
func (t *turn) usual(tk ticket.Ticket) storage.Queue {
	return t.rules.queue(tk.Kind, tk.Service, tk.Category)
}

// queueFor chooses the queue of a new ticket: the policy's, unless tickets like it
// were handed on from there to another team, and that is probable enough. It
// notes what was guessed.
func (t *turn) queueFor(tk ticket.Ticket, guess cards.Guess, asked bool) (storage.Queue, storage.Prediction) {
	queue := t.usual(tk)
	service, category, _ := strings.Cut(guess.About, "/")
	p := storage.Prediction{Asked: asked, Service: service, Category: category, Certainty: guess.Certainty, Sure: guess.Sure, Alike: guess.Alike,
		ChosenService: tk.Service, ChosenCategory: tk.Category}
	team := t.belonged(tk.Title+"\n"+tk.Detail).Team(tk.Service, tk.Category, func(p knowledge.Place) string {
		if p.Team != "" {
			return p.Team
		}
		return t.rules.team(t.rules.queue(tk.Kind, p.Service, p.Category).Team).Slug
	})
	if team.Certainty() != knowledge.Probably || team.Team == t.rules.team(queue.Team).Slug {
		return queue, p
	}
	i := slices.IndexFunc(t.rules.teams, func(x people.Team) bool { return x.Slug == team.Team })
	if i < 0 {
		return queue, p
	}
	if p.Service == "" {
		p.Certainty, p.Sure = team.Certainty(), team.Sure
	}
	p.Team, p.TeamAlike = t.rules.teams[i].ID, team.Alike
	return t.rules.queueOf(p.Team, tk.Kind), p
}

// predicted keeps what was guessed of a ticket, if anything was.
func (t *turn) predicted(ctx context.Context, id ticket.ID, p storage.Prediction) error {
	if p.Service == "" && p.Team == 0 {
		return nil
	}
	return t.tx.Predicted(ctx, id, p, t.via(), t.at)
}

// guessView is what was guessed of a ticket, for its cards.
func (t *turn) guessView(tk ticket.Ticket, p *storage.Prediction) cards.GuessView {
	if p == nil {
		return cards.GuessView{}
	}
	v := cards.GuessView{Asked: p.Asked, Kept: p.Kept(), Certainty: p.Certainty, Alike: p.Alike}
	if p.Service != "" {
		v.About = t.rules.aboutName(about(p.Service, p.Category))
	}
	if p.Team != 0 && p.Team == tk.Team {
		v.Team, v.TeamAlike, v.Usual = t.rules.team(p.Team).Name, p.TeamAlike, t.rules.team(t.usual(tk).Team).Name
	}
	return v
}

// guessWords is what was guessed, as the history tells it.
func (t *turn) guessWords(after map[string]any) string {
	text := func(key string) string { v, _ := after[key].(string); return v }
	words := []string{}
	if s := text("service"); s != "" {
		certainty := text("certainty")
		if certainty == "" {
			certainty = "by its words"
		}
		said := "guessed that it is about " + t.rules.aboutName(about(s, text("category"))) + ", " + certainty
		if chosen := about(text("chosen_service"), text("chosen_category")); chosen == "" {
			said += "; nothing was chosen"
		} else if chosen != about(s, text("category")) {
			said += "; " + t.rules.aboutName(chosen) + " was chosen"
		}
		words = append(words, said)
	}
	if id := number(after, "team"); id != 0 {
		words = append(words, "sent it to "+t.rules.team(people.TeamID(id)).Name+", where tickets like it belonged")
	}
	return strings.Join(words, "; ")
}

// guessArg and readGuess carry through a form what was filled into it.
func guessArg(g cards.Guess) string {
	return fmt.Sprintf("%s %s %.3f %d", g.About, g.Certainty, g.Sure, g.Alike)
}

// readGuess forgets what the policy no longer offers, and what is no guess.
func (t *turn) readGuess(arg string) (g cards.Guess) {
	f := strings.Split(arg, " ")
	if len(f) != 4 {
		return g
	}
	sure, err := strconv.ParseFloat(f[2], 64)
	alike, wrong := strconv.Atoi(f[3])
	_, _, ok := t.rules.offered(f[0])
	certainty := knowledge.Certainty(f[1])
	if err != nil || wrong != nil || !ok || !(sure >= 0 && sure <= 1) || alike < 0 ||
		!slices.Contains([]knowledge.Certainty{knowledge.Unsure, knowledge.Maybe, knowledge.Probably}, certainty) {
		return g
	}
	return cards.Guess{About: f[0], Certainty: certainty, Sure: sure, Alike: alike}
}
