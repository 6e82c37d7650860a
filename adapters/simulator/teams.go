package simulator

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"net/http"
	"net/url"
	"strings"

	"github.com/deskhand/deskhand/adapters/teams/teamstest"
)

type teamsPerson struct {
	teamstest.User
	Role string `json:"role,omitempty"`
}

type teamsState struct {
	Next          string                   `json:"next"`
	Me            string                   `json:"me"`
	App           teamstest.App            `json:"app"`
	Bot           string                   `json:"bot"` // its account's id
	People        []teamsPerson            `json:"people"`
	Conversations []teamstest.Conversation `json:"conversations"`
	Dialog        *teamstest.Dialog        `json:"dialog,omitempty"`
}

type teamsChange struct {
	teamstest.Change
	Person *teamsPerson `json:"person,omitempty"`
}

// inTeams checks the people who are offered in the Teams pane.
func (s *Simulator) inTeams(o Options) error {
	if o.Teams == nil && len(o.TeamsPeople) > 0 {
		return errors.New("simulator: there are people for Teams, and no tenant")
	}
	for _, p := range o.TeamsPeople {
		u, ok := o.Teams.User(p.User)
		if !ok {
			return fmt.Errorf("simulator: there is nobody called %q to choose in Teams", p.User)
		}
		s.then = append(s.then, u.ID)
		s.roles[u.ID] = cmp.Or(p.Role, u.Title, "Member")
	}
	return nil
}

func (s *Simulator) teamsTask(t Task, j *taskJSON) error {
	if s.teams == nil {
		return fmt.Errorf("simulator: task %q is in Teams, and there is no tenant", t.Title)
	}
	if t.As != "" {
		u, ok := s.teams.User(t.As)
		if !ok {
			return fmt.Errorf("simulator: task %q is for %q, who is not there", t.Title, t.As)
		}
		j.As = u.ID
	}
	if t.In != "" {
		c, ok := s.teams.Channel(t.In)
		if !ok {
			return fmt.Errorf("simulator: task %q is in %q, which is not there", t.Title, t.In)
		}
		j.In = c.ID
	}
	return nil
}

// colleague is who a request in Teams is made as.
func (s *Simulator) colleague(as string) (*teamstest.Person, error) {
	if as == "" && len(s.then) > 0 {
		as = s.then[0]
	}
	if as == "" {
		for _, u := range s.teams.Users() {
			if !u.Gone {
				as = u.ID
				break
			}
		}
	}
	u, ok := s.teams.User(as)
	if !ok {
		return nil, &badRequest{status: http.StatusNotFound, words: "There is nobody like that in Teams."}
	}
	return s.teams.Person(u.ID), nil
}

func (s *Simulator) teamsRoutes(mux *http.ServeMux) {
	get := func(name string, f func(p *teamstest.Person, q url.Values) (any, error)) {
		mux.Handle("GET /api/teams/"+name, read(s, s.colleague, f))
	}
	get("state", s.teamsState)
	get("conversations", func(p *teamstest.Person, _ url.Values) (any, error) {
		return map[string]any{"conversations": orEmpty(p.Conversations())}, nil
	})
	get("messages", func(p *teamstest.Person, q url.Values) (any, error) {
		list, err := p.Messages(q.Get("channel"), q.Get("before"), pageOf)
		return map[string]any{"messages": orEmpty(list), "more": len(list) == pageOf}, err
	})
	get("thread", func(p *teamstest.Person, q url.Values) (any, error) {
		list, err := p.Thread(q.Get("channel"), q.Get("id"))
		return map[string]any{"messages": orEmpty(list)}, err
	})
	get("message", func(p *teamstest.Person, q url.Values) (any, error) { return p.See(q.Get("channel"), q.Get("id")) })
	mux.HandleFunc("GET /api/teams/follow", s.follow(s.teamsStream))
	mux.HandleFunc("GET /api/teams/file", s.teamsFile)

	mux.HandleFunc("POST /api/teams/say", s.teamsSay)
	do(mux, s, "edit", func(p *teamstest.Person, in inTeams) error { return p.Edit(in.Channel, in.ID, in.Text) })
	do(mux, s, "delete", func(p *teamstest.Person, in inTeams) error { return p.Delete(in.Channel, in.ID) })
	do(mux, s, "undelete", func(p *teamstest.Person, in inTeams) error { return p.Undelete(in.Channel, in.ID) })
	do(mux, s, "react", func(p *teamstest.Person, in inTeams) error { return p.React(in.Channel, in.ID, in.Text) })
	do(mux, s, "unreact", func(p *teamstest.Person, in inTeams) error { return p.Unreact(in.Channel, in.ID, in.Text) })
	do(mux, s, "read", func(p *teamstest.Person, in inTeams) error { return p.Read(in.Channel, in.ID) })
	do(mux, s, "look", func(p *teamstest.Person, in inTeams) error { return p.Look(in.Channel) })
	do(mux, s, "refresh", func(p *teamstest.Person, in inTeams) error { return p.Refresh(in.Channel, in.ID) })
	do(mux, s, "install", func(p *teamstest.Person, in inTeams) error { return p.Install(in.Channel) })
	do(mux, s, "close", func(p *teamstest.Person, _ inTeams) error { return p.CloseDialog() })
	do(mux, s, "consent", func(p *teamstest.Person, in inTeams) error { return p.Consent(in.ID, in.Text == "yes") })
	do(mux, s, "command", func(p *teamstest.Person, in inTeams) error { return p.Command(in.Command, in.Channel, in.ID) })
	mux.Handle("POST /api/teams/tab", act(s, s.colleague, func(p *teamstest.Person, _ struct{}) (any, error) {
		address, err := p.OpenTab()
		return map[string]string{"url": address}, err
	}))
	mux.Handle("POST /api/teams/press", act(s, s.colleague, teamsPress))
	mux.Handle("POST /api/teams/suggest", act(s, s.colleague, teamsSuggest))
	mux.Handle("POST /api/teams/search", act(s, s.colleague, teamsSearch))
	mux.Handle("POST /api/teams/insert", act(s, s.colleague, teamsInsert))
}

// inTeams is what most actions are done to, and with.
type inTeams struct {
	Channel string `json:"channel"`
	ID      string `json:"id"`
	Text    string `json:"text"`
	Command string `json:"command"`
}

func do(mux *http.ServeMux, s *Simulator, name string, f func(p *teamstest.Person, in inTeams) error) {
	mux.Handle("POST /api/teams/"+name, act(s, s.colleague, func(p *teamstest.Person, in inTeams) (any, error) { return nil, f(p, in) }))
}

// inPress is a press of an action of a card, by its JSON pointer.
type inPress struct {
	Channel string            `json:"channel"`
	ID      string            `json:"id"`
	Dialog  string            `json:"dialog"`
	Path    string            `json:"path"`
	Values  map[string]string `json:"values"`
	Input   string            `json:"input"` // of a search
	Typed   string            `json:"typed"`
}

func (in inPress) act() teamstest.Act {
	return teamstest.Act{Channel: in.Channel, Message: in.ID, Dialog: in.Dialog, Path: in.Path, Values: in.Values}
}

// teamsPress answers with what the client does not let through, by input id.
func teamsPress(p *teamstest.Person, in inPress) (any, error) {
	err := p.Press(in.act())
	if wrong := (*teamstest.InputError)(nil); errors.As(err, &wrong) {
		return map[string]any{"errors": wrong.Errors}, nil
	}
	return nil, err
}

func teamsSuggest(p *teamstest.Person, in inPress) (any, error) {
	options, err := p.Suggest(in.act(), in.Input, in.Typed)
	return map[string]any{"options": orEmpty(options)}, err
}

func teamsSearch(p *teamstest.Person, in inTeams) (any, error) {
	found, err := p.Search(in.Command, in.Channel, in.Text)
	return map[string]any{"found": orEmpty(found)}, err
}

type inInsert struct {
	Channel string          `json:"channel"`
	Thread  string          `json:"thread"`
	Found   teamstest.Found `json:"found"`
}

func teamsInsert(p *teamstest.Person, in inInsert) (any, error) {
	_, err := p.Insert(in.Found, teamstest.Post{Channel: in.Channel, Thread: in.Thread})
	return nil, err
}

func (s *Simulator) teamsState(p *teamstest.Person, _ url.Values) (any, error) {
	st := &teamsState{
		Next: s.streamID(s.teams.Seq()), Me: p.ID(), App: s.teams.App(), Bot: s.teams.BotID(),
		Conversations: orEmpty(p.Conversations()),
	}
	for _, id := range s.then {
		if u, ok := s.teams.User(id); ok {
			st.People = append(st.People, teamsPerson{u, s.roles[id]})
		}
	}
	for _, u := range s.teams.Users() {
		if _, named := s.roles[u.ID]; !named {
			st.People = append(st.People, teamsPerson{User: u})
		}
	}
	if d, open := p.Dialog(); open {
		st.Dialog = &d
	}
	return st, nil
}

func (s *Simulator) teamsStream(as string) (stream, error) {
	p, err := s.colleague(as)
	return stream{s.teams.Seq, func(ctx context.Context, after int64) iter.Seq2[step, error] {
		return func(yield func(step, error) bool) {
			for c, err := range p.Follow(ctx, after) {
				j := teamsChange{Change: c}
				if c.Kind == teamstest.UserChanged {
					if u, ok := s.teams.User(c.User); ok {
						j.Person = &teamsPerson{u, s.roles[u.ID]}
					}
				}
				if !yield(step{c.Seq, j}, err) {
					return
				}
			}
		}
	}}, err
}

// teamsSay posts a message. Pictures that were pasted are in it; all else is
// attached.
func (s *Simulator) teamsSay(w http.ResponseWriter, r *http.Request) {
	p, form, err := form(w, r, s.colleague)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	defer form.RemoveAll()
	post := teamstest.Post{Channel: value(form, "channel"), Thread: value(form, "thread"), Quote: value(form, "quote"), Text: value(form, "text")}
	files, err := uploads(form)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	for _, f := range files {
		if strings.HasPrefix(f.Type, "image/") {
			post.Images = append(post.Images, teamstest.Upload(f))
		} else {
			post.Files = append(post.Files, teamstest.Upload(f))
		}
	}
	m, err := p.Say(post)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	s.answer(w, r, map[string]string{"channel": m.Channel, "id": m.ID})
}

func (s *Simulator) teamsFile(w http.ResponseWriter, r *http.Request) {
	p, err := s.colleague(r.URL.Query().Get("as"))
	if err != nil {
		s.fail(w, r, err)
		return
	}
	f, ok := p.Attachment(r.URL.Query().Get("url"))
	if !ok {
		s.fail(w, r, &badRequest{http.StatusNotFound, "That file is not here any more."})
		return
	}
	serveFile(w, r, f.Name, f.Type, f.Data)
}
