package simulator

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/deskhand/deskhand/adapters/slack/slacktest"
)

const (
	pageOf = 60                     // messages of a channel that are read at once
	lull   = 100 * time.Millisecond // of silence after which a brief stream ends
)

type taskJSON struct {
	Title string `json:"title"`
	Text  string `json:"text,omitempty"`
	As    string `json:"as,omitempty"`
	In    string `json:"in,omitempty"`
	Say   string `json:"say,omitempty"`
	Teams bool   `json:"teams,omitempty"`
}

type personJSON struct {
	slacktest.User
	Role string `json:"role,omitempty"`
}

// viewJSON adds what Slack's client shows of a view and its API does not.
type viewJSON struct {
	slacktest.View
	Errors  map[string]string `json:"errors,omitempty"`
	Trouble string            `json:"trouble,omitempty"`
}

func asView(v slacktest.View) *viewJSON {
	return &viewJSON{View: v, Errors: v.Errors, Trouble: v.Trouble}
}

// changeJSON is a change with the views and people written out in full.
type changeJSON struct {
	slacktest.Change
	View   *viewJSON   `json:"view,omitempty"`
	Person *personJSON `json:"person,omitempty"`
}

type stateJSON struct {
	Title         string                   `json:"title"`
	Next          string                   `json:"next"` // where the stream begins
	Me            string                   `json:"me"`
	Team          slacktest.Team           `json:"team"`
	App           slacktest.App            `json:"app"`
	People        []personJSON             `json:"people"`
	Conversations []slacktest.Conversation `json:"conversations"`
	Views         []*viewJSON              `json:"views"`
	Home          *viewJSON                `json:"home,omitempty"`
	Tasks         []taskJSON               `json:"tasks"`
	Teams         bool                     `json:"teams"` // there is a Teams beside it
}

// person is who the request is made as. Without a name it is the first to choose.
func (s *Simulator) person(as string) (*slacktest.Person, error) {
	if as == "" && len(s.first) > 0 {
		as = s.first[0]
	}
	if as == "" {
		if i := slices.IndexFunc(s.slack.Users(), func(u slacktest.User) bool { return !u.Bot && !u.Deleted }); i >= 0 {
			as = s.slack.Users()[i].ID
		}
	}
	u, ok := s.slack.User(as)
	if !ok || u.Bot {
		return nil, &badRequest{status: http.StatusNotFound, words: "There is nobody like that in this workspace."}
	}
	return s.slack.Person(u.ID), nil
}

// read answers a GET with what f finds for the person that it is made as.
func read[P any](s *Simulator, who func(as string) (P, error), f func(p P, q url.Values) (any, error)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		q := r.URL.Query()
		p, err := who(q.Get("as"))
		if err != nil {
			s.fail(w, r, err)
			return
		}
		v, err := f(p, q)
		if err != nil {
			s.fail(w, r, err)
			return
		}
		s.answer(w, r, v)
	})
}

func (s *Simulator) state(p *slacktest.Person, _ url.Values) (any, error) {
	// The number first: what changes while the rest is read is told again by the
	// stream, and taking a change twice does no harm.
	st := &stateJSON{
		Next: s.streamID(s.slack.Seq()), Title: s.title, Me: p.ID(), Team: s.slack.Team(), App: s.slack.App(),
		Conversations: p.Conversations(), Tasks: s.tasks, Views: []*viewJSON{}, Teams: s.teams != nil,
	}
	for _, id := range s.first {
		if u, ok := s.slack.User(id); ok {
			st.People = append(st.People, personJSON{u, s.roles[id]})
		}
	}
	for _, u := range s.slack.Users() {
		if _, named := s.roles[u.ID]; !named {
			st.People = append(st.People, personJSON{User: u})
		}
	}
	for _, v := range p.Views() {
		st.Views = append(st.Views, asView(v))
	}
	if v, ok := p.Home(); ok {
		st.Home = asView(v)
	}
	return st, nil
}

func (s *Simulator) conversations(p *slacktest.Person, _ url.Values) (any, error) {
	return map[string]any{"conversations": p.Conversations()}, nil
}

func (s *Simulator) messages(p *slacktest.Person, q url.Values) (any, error) {
	list, err := p.Messages(q.Get("channel"), q.Get("before"), pageOf)
	if err != nil {
		return nil, err
	}
	return map[string]any{"messages": orEmpty(list), "more": len(list) == pageOf}, nil
}

func (s *Simulator) thread(p *slacktest.Person, q url.Values) (any, error) {
	list, err := p.Thread(q.Get("channel"), q.Get("ts"))
	if err != nil {
		return nil, err
	}
	return map[string]any{"messages": orEmpty(list)}, nil
}

// orEmpty is written as [] rather than null.
func orEmpty[T any](list []T) []T {
	if list == nil {
		return []T{}
	}
	return list
}

// streamID names a place in the stream of this process.
func (s *Simulator) streamID(seq int64) string { return fmt.Sprintf("%s.%d", s.life, seq) }

// streamSeq reads a place back; not ok if it is of another process, or none.
func (s *Simulator) streamSeq(id string) (int64, bool) {
	life, n, _ := strings.Cut(id, ".")
	seq, err := strconv.ParseInt(n, 10, 64)
	return seq, err == nil && seq >= 0 && life == s.life
}

// A step is one change as the stream writes it. Without data it is not for the
// window, and only counts.
type step struct {
	seq  int64
	data any
}

// A stream is what one person's client would show of a platform from now on.
type stream struct {
	newest func() int64
	follow func(ctx context.Context, after int64) iter.Seq2[step, error]
}

func (s *Simulator) slackStream(as string) (stream, error) {
	p, err := s.person(as)
	return stream{s.slack.Seq, func(ctx context.Context, after int64) iter.Seq2[step, error] {
		return func(yield func(step, error) bool) {
			for c, err := range p.Follow(ctx, after) {
				x := step{seq: c.Seq}
				if c.Kind != slacktest.Delivered {
					x.data = s.asChange(c)
				}
				if !yield(x, err) {
					return
				}
			}
		}
	}}, err
}

// follow streams what the person's client would show, as server-sent events. A
// window that comes back says where it was; if that is too long ago it is told
// "gap" and reads everything anew. One that asks to be brief is told what there is,
// then "enough", and the stream ends.
func (s *Simulator) follow(open func(as string) (stream, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		from, err := open(r.URL.Query().Get("as"))
		if err != nil {
			s.fail(w, r, err)
			return
		}
		s.stream(w, r, from)
	}
}

func (s *Simulator) stream(w http.ResponseWriter, r *http.Request, from stream) {
	id := r.Header.Get("Last-Event-ID")
	if id == "" {
		id = r.URL.Query().Get("after")
	}
	out := http.NewResponseController(w)
	// A stream lives longer than any server's write timeout; where deadlines are
	// not supported there is none to lift.
	_ = out.SetWriteDeadline(time.Time{})
	h := w.Header()
	h.Set("Content-Type", "text/event-stream")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Accel-Buffering", "no")
	after, ok := s.streamSeq(id)
	if !ok || after > from.newest() {
		fmt.Fprint(w, "event: gap\ndata: {}\n\n")
		return
	}
	fmt.Fprint(w, ": hello\n\n")
	if out.Flush() != nil {
		return
	}

	ctx, cancel := context.WithCancel(r.Context())
	defer cancel()
	changes := make(chan []byte)
	go s.pump(ctx, from, after, changes)
	every, brief := s.beat, r.URL.Query().Has("brief")
	if brief {
		every = lull
	}
	beat := time.NewTicker(every)
	defer beat.Stop()
	for {
		select {
		case b, ok := <-changes:
			if !ok {
				return
			}
			if _, err := w.Write(b); err != nil {
				return
			}
			beat.Reset(every)
		case <-beat.C:
			if brief {
				fmt.Fprint(w, "event: enough\ndata: {}\n\n")
				return
			}
			if _, err := fmt.Fprint(w, ": still here\n\n"); err != nil {
				return
			}
		case <-ctx.Done():
			return
		}
		if out.Flush() != nil {
			return
		}
	}
}

// pump writes each change as an event until ctx ends or the platform closes.
func (s *Simulator) pump(ctx context.Context, from stream, after int64, to chan<- []byte) {
	defer close(to)
	for x, err := range from.follow(ctx, after) {
		var event []byte
		switch {
		case err != nil:
			event = []byte("event: gap\ndata: {}\n\n")
		case x.data == nil:
			continue
		default:
			data, err := json.Marshal(x.data)
			if err != nil {
				s.log.Error("a change cannot be shown", "err", err)
				continue
			}
			event = fmt.Appendf(nil, "id: %s\ndata: %s\n\n", s.streamID(x.seq), data)
		}
		select {
		case to <- event:
		case <-ctx.Done():
			return
		}
	}
}

func (s *Simulator) asChange(c slacktest.Change) changeJSON {
	j := changeJSON{Change: c}
	if c.View != nil {
		j.View = asView(*c.View)
	}
	if c.Kind == slacktest.UserChanged {
		if u, ok := s.slack.User(c.User); ok {
			j.Person = &personJSON{u, s.roles[u.ID]}
		}
	}
	return j
}

// file serves what somebody has uploaded. It comes from anybody and may be
// anything, so pictures alone are shown in the page, and nothing in it may run.
func (s *Simulator) file(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	if _, err := s.person(q.Get("as")); err != nil {
		s.fail(w, r, err)
		return
	}
	f, data, ok := s.slack.FileData(q.Get("id"))
	if !ok {
		s.fail(w, r, &badRequest{http.StatusNotFound, "That file is not here any more."})
		return
	}
	serveFile(w, r, f.Name, f.Mimetype, data)
}

func serveFile(w http.ResponseWriter, r *http.Request, name, kind string, data []byte) {
	h := w.Header()
	switch kind {
	case "image/png", "image/jpeg", "image/gif", "image/webp":
		h.Set("Content-Type", kind)
	default:
		h.Set("Content-Type", "application/octet-stream")
		h.Set("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": name}))
	}
	h.Set("Content-Security-Policy", "default-src 'none'; sandbox")
	h.Set("Cache-Control", "private, max-age=3600") // an id never gets another content
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(data))
}
