package web_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/deskhand/deskhand/adapters/web"
	"github.com/deskhand/deskhand/bot/chat"
	"github.com/deskhand/deskhand/bot/chat/chattest"
)

// clerk is a desk that notes what it is told and answers what it was given.
type clerk struct {
	mu     sync.Mutex
	home   chat.Card
	answer chat.Answer
	err    error
	told   []chat.Event
}

func (c *clerk) Home(context.Context, chat.User) (chat.Card, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.home, nil
}

func (c *clerk) Answer(_ context.Context, ev chat.Event) (chat.Answer, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.told = append(c.told, ev)
	return c.answer, c.err
}

// answers has the clerk answer so from now on.
func (c *clerk) answers(a chat.Answer, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.answer, c.err = a, err
}

// heard is what the clerk has been told since it was last asked.
func (c *clerk) heard() []chat.Event {
	c.mu.Lock()
	defer c.mu.Unlock()
	told := c.told
	c.told = nil
	return told
}

// at opens the page of a desk that is a clerk.
func (w *world) at(c *clerk) *visitor {
	w.t.Helper()
	server := httptest.NewServer(nil)
	w.t.Cleanup(server.Close)
	s, err := web.New(w.t.Context(), web.Options{DB: w.db, Desk: c, URL: server.URL, Now: w.now})
	if err != nil {
		w.t.Fatal(err)
	}
	server.Config.Handler = s.Handler()
	return (&world{t: w.t, server: server, pages: s}).as(ana)
}

func TestWhatIsDoneOnThePageIsAnEvent(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	sample := chattest.Forms["open a ticket"]
	c := &clerk{home: chat.Card{Text: "Home", Blocks: []chat.Block{chat.Actions{
		Buttons: []chat.Button{{Label: "Claim", Action: "ticket.claim", Args: chat.Args{"t": "4&2", "v": "3"}}, {Label: "Drop", Action: "drop", Style: chat.Danger, Confirm: &chat.Confirm{Title: "Drop it?", Text: "It is gone <then>.", Yes: "Drop", No: "Keep"}}},
		Menu:    []chat.Button{{Label: "History", Action: "ticket.history"}}}}}}
	v := w.at(c)
	place := chat.Place{Platform: "teams", Workspace: tenant}
	wants := func(what string, want ...chat.Event) {
		t.Helper()
		got := c.heard()
		for i := range want {
			want[i].By, want[i].Place = ana, place
		}
		if diff := cmp.Diff(want, got, cmpopts.IgnoreFields(chat.Event{}, "Key", "At", "View"), cmpopts.EquateEmpty()); diff != "" {
			t.Fatalf("%s (-want +got):\n%s", what, diff)
		}
		for _, ev := range got {
			if !strings.HasPrefix(ev.Key, "web:") || len(ev.Key) > 200 || w.now().Sub(ev.At).Abs().Minutes() > 1 || (ev.View != "") != (ev.Kind != chat.Pressed || ev.Values != nil) {
				t.Errorf("%s: key %q, at %s, view %q", what, ev.Key, ev.At, ev.View)
			}
		}
	}

	home := v.get("/tab")
	v.do("POST", "/tab/press", home.button(t, "Claim")).want(t, 200, "Done.")
	wants("a press", chat.Event{Kind: chat.Pressed, Action: "ticket.claim", Args: chat.Args{"t": "4&2", "v": "3"}})
	v.do("POST", "/tab/press", home.button(t, "History")).want(t, 200)
	wants("an entry of the menu", chat.Event{Kind: chat.Pressed, Action: "ticket.history"})

	sure := v.do("POST", "/tab/press", home.button(t, "Drop")).want(t, 200, "Drop it?", "It is gone &lt;then&gt;.", ">Keep</a>")
	wants("before one is sure")
	v.do("POST", "/tab/press", hidden(sure.body, `<form class="dialog-form"`)).want(t, 200, "Done.")
	wants("when one is sure", chat.Event{Kind: chat.Pressed, Action: "drop"})

	c.answers(chat.Answer{Form: &sample}, nil)
	form := v.do("POST", "/tab/press", home.button(t, "Claim")).want(t, 200, "Open a ticket")
	c.heard()
	filled := form.form(t, "title", "No sound", "who", "team", "service", "vpn")
	filled.Set("do", "change")
	v.do("POST", "/tab/form", filled).want(t, 200, "Open a ticket")
	values := chat.Values{"title": {"No sound"}, "who": {"team"}, "service": {"vpn"}}
	wants("a change", chat.Event{Kind: chat.Changed, Action: "ticket.open", Args: chat.Args{"x": "7"}, Values: values})

	inside := form.button(t, "It is a request")
	inside.Set("f.title", "No sound")
	v.do("POST", "/tab/press", inside).want(t, 200)
	wants("a button in a form", chat.Event{Kind: chat.Pressed, Action: "ticket.request", Values: chat.Values{"title": {"No sound"}}})

	c.answers(chat.Answer{}, nil)
	filled.Set("do", "dismiss")
	v.do("POST", "/tab/form", filled).want(t, 200)
	wants("closing it unsent", chat.Event{Kind: chat.Dismissed, Action: "ticket.open", Args: chat.Args{"x": "7"}, Values: values})

	filled.Del("do")
	filled.Set("f.title", " ")
	v.do("POST", "/tab/form", filled).want(t, 422, "Please write something here.", `value="team" checked`)
	wants("what can't be right")
	filled.Set("f.title", "No sound")
	c.answers(chat.Answer{Errors: map[string]string{"title": "Say more <please>."}}, nil)
	v.do("POST", "/tab/form", filled).want(t, 422, "Say more &lt;please&gt;.", `value="No sound"`, `value="vpn" selected`)
	c.heard()
	c.answers(chat.Answer{Private: &chat.Card{Text: "For your eyes only", Blocks: []chat.Block{chat.Section{Text: chat.T("For your eyes only")}, chat.Actions{Buttons: []chat.Button{{Label: "And then", Action: "then"}}}}}}, nil)
	said := v.do("POST", "/tab/form", filled).want(t, 200, "For your eyes only", "And then")
	wants("a form", chat.Event{Kind: chat.Submitted, Action: "ticket.open", Args: chat.Args{"x": "7"}, Values: values})
	v.do("POST", "/tab/press", said.button(t, "And then")).want(t, 200)
	wants("a button of what was said", chat.Event{Kind: chat.Pressed, Action: "then"})

	c.answers(chat.Answer{Form: ptr(chattest.Forms["every input"])}, nil)
	form = v.do("POST", "/tab/press", home.button(t, "Claim"))
	c.heard()
	c.answers(chat.Answer{Options: []chat.Option{{Value: "12", Label: "KB-12"}, {Value: "13"}}}, nil)
	search := form.form(t)
	search.Set("field", "search")
	search.Set("text", " vpn\uE000 ")
	if got := v.do("POST", "/tab/search", search).want(t, 200).body; strings.TrimSpace(got) != `[{"value":"12","label":"KB-12"},{"value":"13","label":"13"}]` {
		t.Errorf("found %s", got)
	}
	wants("a search", chat.Event{Kind: chat.Searched, Action: "search", Text: "vpn"})
	search.Set("field", "line")
	if got := v.do("POST", "/tab/search", search).want(t, 200).body; strings.TrimSpace(got) != "[]" {
		t.Errorf("a line was searched for: %s", got)
	}
	search.Set("field", "gone")
	v.do("POST", "/tab/search", search).want(t, http.StatusConflict)
	wants("a search in what is no search")

	c.answers(chat.Answer{}, errors.New("the database is away"))
	v.do("POST", "/tab/press", home.button(t, "Claim")).want(t, http.StatusServiceUnavailable, "Nothing is lost")
	v.do("POST", "/tab/form", filled).want(t, http.StatusServiceUnavailable, "Nothing is lost")
}

func ptr[T any](v T) *T { return &v }

func TestKeysOfEventsAreTheirOwn(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := &clerk{home: chat.Card{Blocks: []chat.Block{chat.Actions{Buttons: []chat.Button{{Label: "Claim", Action: "claim"}, {Label: "Drop", Action: "drop"}}}}}}
	v := w.at(c)
	home := v.get("/tab")
	press := func(name, once string) {
		form := home.button(t, name)
		form.Set("once", once)
		v.do("POST", "/tab/press", form).want(t, 200)
	}
	press("Claim", "a")
	press("Claim", "a")
	press("Claim", "b")
	told := c.heard()
	if told[0].Key != told[1].Key || !told[0].At.Equal(told[1].At) {
		t.Errorf("the same, twice: %+v", told)
	}
	if told[0].Key == told[2].Key {
		t.Errorf("two things have one key: %+v", told)
	}
	press("Claim", strings.Repeat("long", 10000))
	if got := c.heard(); len(got[0].Key) > 200 {
		t.Errorf("a key of %d bytes", len(got[0].Key))
	}
}
