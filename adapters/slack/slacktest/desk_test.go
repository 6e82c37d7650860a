package slacktest_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/slack-go/slack"

	"github.com/deskhand/deskhand/adapters/slack/slacktest"
)

// An app is a small desk: it keeps what it is sent, and a test says what it
// answers.
type app struct {
	*slack.Client
	t *testing.T
	w *slacktest.Workspace

	mu     sync.Mutex
	got    []request
	answer func(request) (status int, body any)
	wake   chan struct{}
}

// A request is what Slack sent, with its signature checked.
type request struct {
	Path    string
	Header  http.Header
	Body    []byte
	Event   map[string]any // the inner event
	EventID string
	Form    map[string]string
	slack.InteractionCallback
	Payload map[string]any
}

// newApp makes a workspace with an app that takes everything, ana and ben in it, and
// #help with both and the app.
func newApp(t *testing.T, o slacktest.Options) *app {
	t.Helper()
	w, err := slacktest.New(o)
	if err != nil {
		t.Fatalf("New: %v", err)
	}
	t.Cleanup(func() {
		if err := w.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
	if err := w.Listen("127.0.0.1:0"); err != nil {
		t.Fatalf("Listen: %v", err)
	}
	a := &app{t: t, w: w, wake: make(chan struct{})}
	a.Client = slack.New(w.App().BotToken, slack.OptionAPIURL(w.URL()+"/api/"), slack.OptionAppLevelToken(w.App().AppToken))
	for _, name := range []string{"ana", "ben"} {
		if _, err := w.AddUser(slacktest.User{ID: "U" + name, Name: name, Email: name + "@acme.test", EmailConfirmed: true, TZ: "Europe/Oslo"}); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := w.AddChannel(slacktest.Channel{ID: "Chelp", Name: "help", Members: []string{"ana", "ben", w.App().BotUserID}}); err != nil {
		t.Fatal(err)
	}
	if !o.SocketMode {
		srv := httptest.NewServer(a)
		t.Cleanup(srv.Close)
		w.Connect(srv.URL)
	}
	return a
}

func (a *app) ServeHTTP(rw http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	check, err := slack.NewSecretsVerifier(r.Header, a.w.App().SigningSecret)
	if err == nil {
		_, _ = check.Write(body)
		err = check.Ensure()
	}
	turned := time.Until(a.w.Now()).Abs() > time.Minute // slack-go has no other clock than the real one
	if err != nil && !turned {
		a.t.Errorf("%s came with a bad signature: %v", r.URL.Path, err)
	}
	a.mu.Lock()
	answer := a.answer
	a.mu.Unlock()
	status, reply := http.StatusOK, any(nil)
	req := parse(a.t, r.URL.Path, r.Header, body)
	a.took(req)
	if answer != nil {
		status, reply = answer(req)
	}
	write(rw, status, reply)
}

func write(rw http.ResponseWriter, status int, reply any) {
	switch x := reply.(type) {
	case nil:
		rw.WriteHeader(status)
	case string:
		rw.WriteHeader(status)
		_, _ = io.WriteString(rw, x)
	default:
		rw.Header().Set("Content-Type", "application/json")
		rw.WriteHeader(status)
		_ = json.NewEncoder(rw).Encode(x)
	}
}

func (a *app) took(r request) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.got = append(a.got, r)
	close(a.wake)
	a.wake = make(chan struct{})
}

// count is how many requests have come.
func (a *app) count() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return len(a.got)
}

// answers says what the app answers from now on.
func (a *app) answers(f func(request) (int, any)) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.answer = f
}

// all is everything that has come and fits, once n of it have come.
func (a *app) all(n int, fits func(request) bool) []request {
	a.t.Helper()
	for {
		a.mu.Lock()
		var list []request
		for _, r := range a.got {
			if fits(r) {
				list = append(list, r)
			}
		}
		wake := a.wake
		a.mu.Unlock()
		if len(list) >= n {
			return list
		}
		select {
		case <-wake:
		case <-a.t.Context().Done():
			a.t.Fatalf("%d of %d came", len(list), n)
		}
	}
}

func (a *app) one(fits func(request) bool) request {
	a.t.Helper()
	list := a.all(1, fits)
	return list[len(list)-1]
}

func ofType(typ string) func(request) bool {
	return func(r request) bool { return r.Event["type"] == typ || string(r.Type) == typ }
}

func parse(t *testing.T, path string, h http.Header, body []byte) request {
	r := request{Path: path, Header: h, Body: body, Form: map[string]string{}}
	if h.Get("Content-Type") == "application/json" {
		var env struct {
			Type    string
			Event   map[string]any
			EventID string `json:"event_id"`
		}
		if err := json.Unmarshal(body, &env); err != nil {
			t.Errorf("an event is no JSON: %v", err)
		}
		r.Event, r.EventID = env.Event, env.EventID
		return r
	}
	form := httptest.NewRequest(http.MethodPost, "/", nil)
	form.Header = h
	form.Body = io.NopCloser(newReader(body))
	if err := form.ParseForm(); err != nil {
		t.Errorf("a form is none: %v", err)
	}
	for k := range form.PostForm {
		r.Form[k] = form.PostForm.Get(k)
	}
	if p := r.Form["payload"]; p != "" {
		if err := json.Unmarshal([]byte(p), &r.InteractionCallback); err != nil {
			t.Errorf("slack-go cannot read an interaction: %v\n%s", err, p)
		}
		if err := json.Unmarshal([]byte(p), &r.Payload); err != nil {
			t.Errorf("an interaction is no JSON: %v", err)
		}
	}
	return r
}
