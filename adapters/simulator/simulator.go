package simulator

import (
	"cmp"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"github.com/deskhand/deskhand/adapters/slack/slacktest"
	"github.com/deskhand/deskhand/adapters/teams/teamstest"
)

// Options say whose workspace is shown, and to whom.
type Options struct {
	// Slack is the workspace that the Slack pane shows.
	Slack *slacktest.Workspace
	// Teams is the tenant that the Teams pane shows. Nil: there is no such pane.
	Teams *teamstest.Tenant

	// Title stands at the top of the side bar and in the browser's tab.
	// Empty is "Chat simulator".
	Title string

	// People are offered first when somebody chooses who to be, in this order;
	// the first is who a new window begins as. Empty is everybody, as added.
	People []Persona

	// TeamsPeople are People for the Teams pane; each pane has its own.
	TeamsPeople []Persona

	// Tasks are offered on a card in the side bar: things to try.
	Tasks []Task

	Log *slog.Logger
}

// A Persona is a member of the workspace, or the tenant, with the part that they
// play.
type Persona struct {
	User string // id or name
	Role string // "Agent, Service desk"
}

// A Task is something to try. If As, In or Say is set it has a "Try it" button,
// which goes there and writes Say into the composer without sending it.
type Task struct {
	Title string
	Text  string
	As    string // who to be: id or name; empty is whoever one is
	In    string // where: id or name of a channel; empty is the conversation with the app
	Say   string
	Teams bool // As and In are in Teams
}

// A Simulator is the page and what it asks for. Its streams end when the
// workspace is closed; close it before waiting for an http.Server to shut down.
type Simulator struct {
	slack *slacktest.Workspace
	teams *teamstest.Tenant // or nil
	title string
	roles map[string]string // by user id, of both
	first []string          // user ids, in the order of Options.People
	then  []string          // the same of Options.TeamsPeople
	tasks []taskJSON
	log   *slog.Logger

	// life is new in every process. It is part of each stream id, so that a window
	// which outlived its server reads everything anew.
	life    string
	beat    time.Duration // between signs of life on a quiet stream
	handler http.Handler
}

// New refuses people and places that the workspace does not have.
func New(o Options) (*Simulator, error) {
	if o.Slack == nil {
		return nil, errors.New("simulator: there is no workspace to show")
	}
	s := &Simulator{
		slack: o.Slack,
		teams: o.Teams,
		title: cmp.Or(o.Title, "Chat simulator"),
		roles: map[string]string{},
		log:   cmp.Or(o.Log, slog.Default()),
		life:  rand.Text()[:8],
		beat:  20 * time.Second,
	}
	for _, p := range o.People {
		u, ok := o.Slack.User(p.User)
		if !ok {
			return nil, fmt.Errorf("simulator: there is nobody called %q to choose", p.User)
		}
		s.first = append(s.first, u.ID)
		s.roles[u.ID] = cmp.Or(p.Role, u.Title, "Member")
	}
	if err := s.inTeams(o); err != nil {
		return nil, err
	}
	for _, t := range o.Tasks {
		j := taskJSON{Title: t.Title, Text: t.Text, Say: t.Say, Teams: t.Teams}
		if t.Teams {
			if err := s.teamsTask(t, &j); err != nil {
				return nil, err
			}
			s.tasks = append(s.tasks, j)
			continue
		}
		if t.As != "" {
			u, ok := o.Slack.User(t.As)
			if !ok {
				return nil, fmt.Errorf("simulator: task %q is for %q, who is not there", t.Title, t.As)
			}
			j.As = u.ID
		}
		if t.In != "" {
			c, ok := o.Slack.Channel(t.In)
			if !ok {
				return nil, fmt.Errorf("simulator: task %q is in %q, which is not there", t.Title, t.In)
			}
			j.In = c.ID
		}
		s.tasks = append(s.tasks, j)
	}
	s.handler = s.routes()
	return s, nil
}

// ServeHTTP serves the page at "/" and its API under "/api/".
func (s *Simulator) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.handler.ServeHTTP(w, r) }

func (s *Simulator) routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("/", servePage)

	mux.Handle("GET /api/state", read(s, s.person, s.state))
	mux.Handle("GET /api/conversations", read(s, s.person, s.conversations))
	mux.Handle("GET /api/messages", read(s, s.person, s.messages))
	mux.Handle("GET /api/thread", read(s, s.person, s.thread))
	mux.HandleFunc("GET /api/follow", s.follow(s.slackStream))
	mux.HandleFunc("GET /api/file", s.file)

	mux.HandleFunc("POST /api/say", s.say)
	mux.HandleFunc("POST /api/upload", s.upload)
	mux.Handle("POST /api/edit", act(s, s.person, edit))
	mux.Handle("POST /api/delete", act(s, s.person, remove))
	mux.Handle("POST /api/dismiss", act(s, s.person, dismiss))
	mux.Handle("POST /api/react", act(s, s.person, react))
	mux.Handle("POST /api/unreact", act(s, s.person, unreact))
	mux.Handle("POST /api/act", act(s, s.person, press))
	mux.Handle("POST /api/suggest", act(s, s.person, suggest))
	mux.Handle("POST /api/shortcut", act(s, s.person, shortcut))
	mux.Handle("POST /api/message-shortcut", act(s, s.person, messageShortcut))
	mux.Handle("POST /api/command", act(s, s.person, command))
	mux.Handle("POST /api/submit", act(s, s.person, submit))
	mux.Handle("POST /api/close", act(s, s.person, closeView))
	mux.Handle("POST /api/home", act(s, s.person, openHome))
	mux.Handle("POST /api/dm", act(s, s.person, openDM))
	mux.Handle("POST /api/join", act(s, s.person, join))
	mux.Handle("POST /api/read", act(s, s.person, markRead))
	if s.teams != nil {
		s.teamsRoutes(mux)
	}
	mux.HandleFunc("/api/", func(w http.ResponseWriter, _ *http.Request) {
		refuse(w, http.StatusNotFound, "There is no such action.", "")
	})

	return http.NewCrossOriginProtection().Handler(guarded(mux))
}

// guarded adds the headers that keep what people post from becoming more than
// text: scripts come from here alone, and none may turn a string into markup.
func guarded(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", "default-src 'self'; img-src 'self' https: data:; object-src 'none'; base-uri 'none'; "+
			"form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'")
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		next.ServeHTTP(w, r)
	})
}
