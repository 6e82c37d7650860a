package web

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"html/template"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/deskhand/deskhand/adapters/web/markup"
	"github.com/deskhand/deskhand/bot/chat"
	"github.com/deskhand/deskhand/storage"
)

// tab is the page: with what is on it, if whoever looks is known, or with the
// way to sign in.
func (s *Server) tab(w http.ResponseWriter, r *http.Request) {
	u, err := s.signedIn(w, r)
	if errors.Is(err, errSignedOut) {
		s.signedOut(w, r, http.StatusOK)
		return
	}
	var v view
	if err == nil {
		err = s.drawHome(r.Context(), u, &v)
	}
	if err != nil {
		s.trouble(w, r, err)
		return
	}
	s.page(w, r, http.StatusOK, page{In: true, View: v})
}

// card is what the page shows, alone, for a page that looks whether it has
// changed.
func (s *Server) card(w http.ResponseWriter, r *http.Request) {
	u, err := s.signedIn(w, r)
	if errors.Is(err, errSignedOut) {
		http.Error(w, "sign in again", http.StatusUnauthorized)
		return
	}
	var v view
	var home chat.Card
	if err == nil {
		home, v.ETag, err = s.home(r.Context(), u)
	}
	if err == nil && r.Header.Get("If-None-Match") == v.ETag {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	if err == nil {
		v.Card, err = s.drawCard(u, home)
	}
	if err != nil {
		s.trouble(w, r, err)
		return
	}
	sendJSON(w, http.StatusOK, v)
}

// press is a button, of the page or of a form.
func (s *Server) press(w http.ResponseWriter, r *http.Request) {
	u, err := s.signedIn(w, r)
	if err != nil {
		s.refuse(w, r, u, err)
		return
	}
	var b pressed
	sealed := r.PostFormValue("press")
	if err := s.keys.open(r.Context(), whose("press", u), sealed, &b); err != nil {
		s.refuse(w, r, u, err)
		return
	}
	if b.Confirm != nil && r.PostFormValue("sure") == "" {
		html, err := execute("confirm", confirm{Confirm: *b.Confirm, Style: b.Style, Press: sealed, Form: r.PostFormValue("form"), Marks: s.marks()})
		if err != nil {
			s.trouble(w, r, err)
			return
		}
		s.show(w, r, u, view{Dialog: html, Push: true, status: http.StatusOK})
		return
	}
	ev, err := s.event(r, u, chat.Pressed)
	if err != nil {
		s.refuse(w, r, u, err)
		return
	}
	ev.Action, ev.Args = b.Action, b.Args
	in := r.PostFormValue("form") != ""
	if in {
		f, err := s.formOf(r, u)
		if err != nil {
			s.refuse(w, r, u, err)
			return
		}
		ev.View = viewOf(f)
		ev.Values, _ = filled(f, r.PostForm) // half-filled is fine
	}
	a, err := s.o.Desk.Answer(r.Context(), ev)
	if err != nil {
		s.trouble(w, r, err)
		return
	}
	v, err := s.answered(r.Context(), u, a)
	if err != nil {
		s.trouble(w, r, err)
		return
	}
	v.Push = v.Dialog != "" && (!in || a.Push)
	s.show(w, r, u, v)
}

// form is a form that was sent, closed unsent, or changed in a field that the
// desk wants to know of.
func (s *Server) form(w http.ResponseWriter, r *http.Request) {
	u, err := s.signedIn(w, r)
	var f chat.Form
	if err == nil {
		f, err = s.formOf(r, u)
	}
	kind := chat.Submitted
	switch r.PostFormValue("do") {
	case "change":
		kind = chat.Changed
	case "dismiss":
		kind = chat.Dismissed
	}
	if err != nil {
		s.refuse(w, r, u, err)
		return
	}
	values, wrong := filled(f, r.PostForm)
	ev, err := s.event(r, u, kind)
	if err != nil {
		// Nobody writes it all again: the form is drawn anew with what was in it.
		v := view{Say: "That took a while. Please send it again.", status: http.StatusConflict}
		if v.Dialog, err = s.drawForm(r.Context(), u, keep(f, values), nil); err != nil {
			s.trouble(w, r, err)
			return
		}
		s.show(w, r, u, v)
		return
	}
	ev.Action, ev.Args, ev.Values, ev.View = f.Action, f.Args, values, viewOf(f)
	if kind != chat.Submitted {
		wrong = nil
	} else if err := s.checkNames(r.Context(), u, f, values, wrong); err != nil {
		s.trouble(w, r, err)
		return
	}
	var a chat.Answer
	if len(wrong) == 0 {
		if a, err = s.o.Desk.Answer(r.Context(), ev); err != nil {
			s.trouble(w, r, err)
			return
		}
		wrong = a.Errors
	}
	var v view
	if len(wrong) > 0 {
		v.status = http.StatusUnprocessableEntity
		v.Dialog, err = s.drawForm(r.Context(), u, keep(f, values), wrong)
	} else {
		v, err = s.answered(r.Context(), u, a)
		v.Push = a.Push
		v.Close = kind == chat.Submitted && v.Dialog == ""
	}
	if err != nil {
		s.trouble(w, r, err)
		return
	}
	if kind != chat.Submitted {
		v.Say = ""
	}
	s.show(w, r, u, v)
}

// checkNames holds the accounts and channels that were chosen against those
// that the desk knows.
func (s *Server) checkNames(ctx context.Context, u chat.User, f chat.Form, values chat.Values, wrong map[string]string) error {
	for _, field := range f.Fields {
		id := values.One(field.Name)
		if id == "" || wrong[field.Name] != "" || slices.Contains(field.Value, id) {
			continue
		}
		switch field.Input {
		case chat.Person:
			names, err := s.named(ctx, u, []string{id})
			if err != nil {
				return err
			}
			if _, ok := names[id]; !ok {
				wrong[field.Name] = "I don't know this person. Please choose one that was found."
			}
		case chat.Channel:
			names, err := s.channels(ctx, u, "")
			if err != nil {
				return err
			}
			if !slices.ContainsFunc(names, func(o chat.Option) bool { return o.Value == id }) {
				wrong[field.Name] = "I don't know this channel. Please choose one that was found."
			}
		}
	}
	return nil
}

// mostFound is how many are offered at a time while one types.
const mostFound = 20

// search finds what somebody types into a field.
func (s *Server) search(w http.ResponseWriter, r *http.Request) {
	u, err := s.signedIn(w, r)
	var f chat.Form
	if err == nil {
		f, err = s.formOf(r, u)
	}
	var ev chat.Event
	if err == nil {
		ev, err = s.event(r, u, chat.Searched)
	}
	i := slices.IndexFunc(f.Fields, func(f chat.Field) bool { return f.Name == r.PostFormValue("field") })
	if err == nil && i < 0 {
		err = errOutdated
	}
	if err != nil {
		s.refuse(w, r, u, err)
		return
	}
	text := chat.StripMarks(strings.TrimSpace(strings.ToValidUTF8(r.PostFormValue("text"), "")))
	if utf8.RuneCountInString(text) > mostID {
		text = ""
	}
	var found []chat.Option
	switch f.Fields[i].Input {
	case chat.Person:
		found, err = s.people(r.Context(), u, strings.ReplaceAll(text, "\x00", ""))
	case chat.Channel:
		found, err = s.channels(r.Context(), u, text)
	case chat.Search:
		ev.Action, ev.Args, ev.Text, ev.View = f.Fields[i].Name, f.Args, text, viewOf(f)
		var a chat.Answer
		a, err = s.o.Desk.Answer(r.Context(), ev)
		found = a.Options
	}
	if err != nil {
		s.trouble(w, r, err)
		return
	}
	type option struct {
		Value string `json:"value"`
		Label string `json:"label"`
	}
	out := []option{}
	for _, o := range found[:min(len(found), mostFound)] {
		out = append(out, option{o.Value, cmp.Or(o.Label, o.Value)})
	}
	sendJSON(w, http.StatusOK, out)
}

// people are accounts by name, for whoever belongs to the company.
func (s *Server) people(ctx context.Context, u chat.User, text string) (out []chat.Option, err error) {
	err = s.o.DB.View(ctx, func(tx *storage.Tx) error {
		who, _, err := tx.Actor(ctx, u.Platform, u.Workspace, u.ID)
		if err != nil || who.Guest || who.Left {
			return err
		}
		found, err := tx.AccountsNamed(ctx, u.Platform, u.Workspace, text, mostFound)
		for _, a := range found {
			out = append(out, chat.Option{Value: a.UserID, Label: a.Name})
		}
		return err
	})
	return out, err
}

// channels are the desk's channels by name, for whoever belongs to the company.
func (s *Server) channels(ctx context.Context, u chat.User, text string) (out []chat.Option, err error) {
	err = s.o.DB.View(ctx, func(tx *storage.Tx) error {
		who, _, err := tx.Actor(ctx, u.Platform, u.Workspace, u.ID)
		if err != nil || who.Guest || who.Left {
			return err
		}
		all, err := tx.DeskChannels(ctx)
		for _, c := range all {
			if c.Platform == u.Platform && c.Workspace == u.Workspace && c.Channel != "" && strings.Contains(strings.ToLower(c.Name), strings.ToLower(text)) {
				out = append(out, chat.Option{Value: c.Channel, Label: "#" + c.Name})
			}
		}
		return err
	})
	return out, err
}

// answered is what an Answer makes of the page.
func (s *Server) answered(ctx context.Context, u chat.User, a chat.Answer) (v view, err error) {
	v.status = http.StatusOK
	switch {
	case a.Form != nil:
		if v.Dialog, err = s.drawForm(ctx, u, *a.Form, nil); err != nil {
			return v, err
		}
	case a.Private == nil:
		v.Say = "Done."
	}
	if a.Private != nil {
		if v.Say, err = s.drawCard(u, *a.Private); err != nil {
			return v, err
		}
	}
	return v, s.drawHome(ctx, u, &v)
}

// formOf is the form that was sent, as it was drawn for this account.
func (s *Server) formOf(r *http.Request, u chat.User) (chat.Form, error) {
	var f asked
	err := s.keys.open(r.Context(), whose("form", u), r.PostFormValue("form"), &f)
	return f.Form, err
}

// viewOf names an open form for the desk, which only asks whether there is one.
func viewOf(f chat.Form) string { return "web:" + f.Action }

func (s *Server) drawForm(ctx context.Context, u chat.User, f chat.Form, wrong map[string]string) (template.HTML, error) {
	d := markup.Dialog{ID: "form-" + random()[:8], Action: TabPath + "/form", Press: s.sealed(u), To: TabPath + "/press", Back: TabPath, Errors: wrong}
	sealed, err := s.keys.seal(whose("form", u), asked{f}, s.o.Now().Add(sealedFor))
	if err != nil {
		return "", err
	}
	d.Hidden = s.marks()
	d.Hidden["form"] = sealed
	var ids []string
	for _, field := range f.Fields {
		if field.Input == chat.Person && len(field.Value) > 0 {
			ids = append(ids, field.Value[0])
		}
	}
	names := map[string]string{}
	if len(ids) > 0 {
		if names, err = s.named(ctx, u, ids); err != nil {
			return "", err
		}
	}
	d.Name = func(_ chat.Input, id string) string { return names[id] }
	return markup.Form(f, d)
}

// drawHome adds the home as it now is.
func (s *Server) drawHome(ctx context.Context, u chat.User, v *view) error {
	home, tag, err := s.home(ctx, u)
	if err != nil {
		return err
	}
	v.ETag = tag
	v.Card, err = s.drawCard(u, home)
	return err
}

// home is what is on the page, and a name for just this.
func (s *Server) home(ctx context.Context, u chat.User) (chat.Card, string, error) {
	c, err := s.o.Desk.Home(ctx, u)
	if err != nil {
		return c, "", err
	}
	text, err := json.Marshal(c)
	return c, `"` + digest(string(text)) + `"`, err
}

// drawCard draws a card with the marks that its buttons send along.
func (s *Server) drawCard(u chat.User, c chat.Card) (template.HTML, error) {
	html, err := markup.Card(c, s.sealed(u))
	if err != nil {
		return "", err
	}
	marks, err := execute("marks", s.marks())
	return marks + html, err
}

// sealed makes the values of buttons for somebody.
func (s *Server) sealed(u chat.User) markup.Press {
	until := s.o.Now().Add(sealedFor)
	return func(b chat.Button) string {
		value, err := s.keys.seal(whose("press", u), pressed{b.Action, b.Args, b.Confirm, b.Style}, until)
		if err != nil { // strings only, and New has made a key
			s.o.Log.Error("a button can't be sealed", "action", b.Action, "err", err)
		}
		return value
	}
}

// marks are the hidden inputs that make an event's key: when it was done (as far
// as a page without script can tell, when it was drawn), and a name for what is
// done next. What is sent twice has both the same.
func (s *Server) marks() map[string]string {
	return map[string]string{"drawn": strconv.FormatInt(s.o.Now().UnixMilli(), 10), "once": random()}
}

// event is something that somebody has just done on the page.
func (s *Server) event(r *http.Request, u chat.User, kind chat.Kind) (chat.Event, error) {
	ms, err := strconv.ParseInt(r.PostFormValue("drawn"), 10, 64)
	at, now, once := time.UnixMilli(ms).UTC(), s.o.Now(), r.PostFormValue("once")
	if err != nil || at.Before(now.Add(-late)) || at.After(now.Add(early)) || once == "" {
		return chat.Event{}, errOutdated
	}
	// The key is the user's own: nobody can use up somebody else's.
	return chat.Event{Key: "web:" + digest(whose(once, u)), At: at, Kind: kind, By: u,
		Place: chat.Place{Platform: u.Platform, Workspace: u.Workspace}}, nil
}

var errOutdated = errors.New("done too long ago")
