package slack

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/deskhand/deskhand/bot/chat"
)

// scripted serves the Web API with one answer for each method, and remembers
// what it was asked.
type scripted struct {
	*httptest.Server
	mu    sync.Mutex
	asked []string
	forms map[string]http.Header
	texts map[string]string
}

type answerer func(w http.ResponseWriter, r *http.Request)

func ok(body string) answerer {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprint(w, body)
	}
}

func status(code int, header ...string) answerer {
	return func(w http.ResponseWriter, _ *http.Request) {
		for i := 0; i < len(header); i += 2 {
			w.Header().Set(header[i], header[i+1])
		}
		w.WriteHeader(code)
		fmt.Fprint(w, "<html>")
	}
}

// cutOff takes the request and closes the connection without an answer.
func cutOff(w http.ResponseWriter, _ *http.Request) {
	c, _, err := http.NewResponseController(w).Hijack()
	if err == nil {
		c.Close()
	}
}

func newScripted(t *testing.T, answers map[string]answerer) *scripted {
	t.Helper()
	s := &scripted{forms: map[string]http.Header{}, texts: map[string]string{}}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		method := strings.TrimPrefix(r.URL.Path, "/api/")
		body, _ := io.ReadAll(r.Body) // what is missing, the test misses
		s.mu.Lock()
		s.asked = append(s.asked, method)
		s.forms[method], s.texts[method] = r.Header, string(body)
		s.mu.Unlock()
		answer, ok := answers[method]
		if !ok {
			http.NotFound(w, r)
			return
		}
		answer(w, r)
	}))
	t.Cleanup(s.Close)
	return s
}

func (s *scripted) calls() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]string(nil), s.asked...)
}

var hello = chat.Post{ID: "p1", Kind: chat.Message, Place: place("C1", ""), Card: chat.Card{Text: "hello"}}

func TestErrorsOfCalls(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name   string
		answer answerer
		want   error // by errors.Is
		as     any   // or by errors.As
	}{
		{"429", status(429, "Retry-After", "7"), nil, &chat.LimitedError{After: 7 * time.Second}},
		{"429 without a time", status(429), nil, &chat.LimitedError{After: time.Second}},
		{"429 at once again", status(429, "Retry-After", "0"), nil, &chat.LimitedError{After: time.Second}},
		{"limited, in a friendly tone", ok(`{"ok":false,"error":"ratelimited"}`), nil, &chat.LimitedError{After: time.Second}},
		{"500", status(500), chat.ErrUnsure, nil},
		{"503", status(503), chat.ErrUnsure, nil},
		{"the connection is cut", cutOff, chat.ErrUnsure, nil},
		{"half an answer", ok(`{"ok":true,"cha`), chat.ErrUnsure, nil},
		{"an empty answer", ok(``), chat.ErrUnsure, nil},
		{"an answer without a timestamp", ok(`{"ok":true}`), chat.ErrUnsure, nil},
		{"internal_error", ok(`{"ok":false,"error":"internal_error"}`), chat.ErrUnsure, nil},
		{"channel_not_found", ok(`{"ok":false,"error":"channel_not_found"}`), chat.ErrGone, nil},
		{"not_in_channel", ok(`{"ok":false,"error":"not_in_channel"}`), chat.ErrGone, nil},
		{"is_archived", ok(`{"ok":false,"error":"is_archived"}`), chat.ErrGone, nil},
		{"invalid_blocks", ok(`{"ok":false,"error":"invalid_blocks","response_metadata":{"messages":["[ERROR] must be less than 3001 characters [json-pointer:/blocks/0/text/text]"]}}`), nil,
			&chat.RefusedError{Reason: "invalid_blocks: [ERROR] must be less than 3001 characters [json-pointer:/blocks/0/text/text]"}},
		{"msg_too_long", ok(`{"ok":false,"error":"msg_too_long"}`), nil, &chat.RefusedError{Reason: "msg_too_long"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := newScripted(t, map[string]answerer{"chat.postMessage": tt.answer})
			a := newAdapter(t, Options{APIURL: s.URL + "/api/"})
			_, err := a.Send(t.Context(), hello)
			if tt.want != nil && !errors.Is(err, tt.want) {
				t.Errorf("Send() = %v, want %v", err, tt.want)
			}
			var limited *chat.LimitedError
			var refused *chat.RefusedError
			switch want := tt.as.(type) {
			case *chat.LimitedError:
				if !errors.As(err, &limited) || *limited != *want {
					t.Errorf("Send() = %v, want %v", err, want)
				}
			case *chat.RefusedError:
				if !errors.As(err, &refused) || *refused != *want {
					t.Errorf("Send() = %v, want %v", err, want)
				}
			}
			if err == nil || strings.Contains(err.Error(), "hushhush") {
				t.Errorf("Send() = %v", err)
			}
		})
	}
}

// What another try may mend is none of chat's errors.
func TestPassingErrors(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name   string
		post   chat.Post
		answer answerer
	}{
		{"a token that was taken back", hello, ok(`{"ok":false,"error":"token_revoked"}`)},
		{"a wrong token", hello, ok(`{"ok":false,"error":"invalid_auth"}`)},
		{"a scope that is missing", hello, ok(`{"ok":false,"error":"missing_scope","needed":"chat:write","provided":"commands"}`)},
		{"an update cut off, which can be made again", chat.Post{Kind: chat.Home, User: person("U1"), Card: hello.Card}, cutOff},
		{"a reaction answered with 500", chat.Post{Kind: chat.React, Place: place("C1", ""), Target: "1.1", Emoji: "eyes"}, status(500)},
		{"a whisper cut off, of which nothing can be found", chat.Post{Kind: chat.Whisper, Place: place("C1", ""), User: person("U1"), Card: hello.Card}, cutOff},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := newScripted(t, map[string]answerer{"chat.postMessage": tt.answer, "views.publish": tt.answer, "reactions.add": tt.answer, "chat.postEphemeral": tt.answer})
			a := newAdapter(t, Options{APIURL: s.URL + "/api/"})
			_, err := a.Send(t.Context(), tt.post)
			var limited *chat.LimitedError
			var refused *chat.RefusedError
			if err == nil || errors.Is(err, chat.ErrUnsure) || errors.Is(err, chat.ErrGone) || errors.As(err, &limited) || errors.As(err, &refused) {
				t.Errorf("Send() = %v, want a passing error", err)
			}
		})
	}
}

// Nothing has been posted if the call never left.
func TestNoConnectionIsNotUnsure(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l.Close()
	a := newAdapter(t, Options{APIURL: "http://" + l.Addr().String() + "/api/"})
	if _, err := a.Send(t.Context(), hello); err == nil || errors.Is(err, chat.ErrUnsure) {
		t.Errorf("Send() = %v, want a passing error", err)
	}
}

func TestGivingUpIsUnsure(t *testing.T) {
	t.Parallel()
	arrived, done := make(chan struct{}), make(chan struct{})
	s := newScripted(t, map[string]answerer{"chat.postMessage": func(http.ResponseWriter, *http.Request) {
		close(arrived)
		<-done
	}})
	defer close(done)
	a := newAdapter(t, Options{APIURL: s.URL + "/api/"})
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		<-arrived
		cancel()
	}()
	if _, err := a.Send(ctx, hello); !errors.Is(err, chat.ErrUnsure) || !errors.Is(err, context.Canceled) {
		t.Errorf("Send() = %v, want unsure", err)
	}
}

// No token, and no address that is as good as one, in an error or in the log.
func TestSecretsStaySecret(t *testing.T) {
	t.Parallel()
	var logged bytes.Buffer
	var mu sync.Mutex
	log := slog.New(slog.NewTextHandler(writer(func(p []byte) (int, error) {
		mu.Lock()
		defer mu.Unlock()
		return logged.Write(p)
	}), &slog.HandlerOptions{Level: slog.LevelDebug}))
	all := map[string]answerer{}
	for _, m := range []string{"auth.test", "chat.postMessage", "chat.postEphemeral", "chat.update", "views.open", "views.publish", "users.info", "conversations.open",
		"conversations.history", "conversations.members", "files.getUploadURLExternal", "apps.connections.open", "conversations.list"} {
		all[m] = cutOff
	}
	s := newScripted(t, all)
	failing := func(chat.Event) (chat.Answer, error) {
		return chat.Answer{Form: &chat.Form{Title: "x"}, Private: &chat.Card{Text: "x"}}, nil
	}
	a := newAdapter(t, Options{APIURL: s.URL + "/api/", AppToken: testAppToken, Log: log, Desk: &recorder{answer: failing}})
	ctx := t.Context()
	var errs []error
	keep := func(err error) { errs = append(errs, err) }
	keep(a.Connect(ctx))
	for _, p := range []chat.Post{
		hello, {Kind: chat.Message, User: person("U1")}, {Kind: chat.Home, User: person("U1")},
		{Kind: chat.Message, Place: place("C1", ""), Files: []chat.Attachment{{Name: "a", Data: []byte("a")}}},
		{Kind: chat.Whisper, Place: place("C1", ""), User: person("U1"), Reply: s.URL + "/response/hushhush"},
	} {
		_, err := a.Send(ctx, p)
		keep(err)
	}
	keep(a.Update(ctx, chat.Ref{Channel: "C1", Message: "1.1"}, hello))
	_, _, err := a.Find(ctx, hello)
	keep(err)
	_, err = a.Profile(ctx, person("U1"))
	keep(err)
	_, err = a.Fetch(ctx, chat.File{Name: "a", URL: s.URL + "/files/hushhush"}, 10)
	keep(err)
	for _, f := range a.Check(ctx) {
		keep(errors.New(f.Text + f.Fix))
	}
	in, err := decodeInteraction([]byte(payload("block_actions", strings.Replace(onCard, "https://hooks.slack.com/actions/1", s.URL+"/response/hushhush", 1)+`"actions":[{"type":"button","action_id":"form:x:0"}]`)), desk, came)
	if err != nil {
		t.Fatal(err)
	}
	_, after, err := a.handle(ctx, in)
	keep(errors.Join(err, errors.New("answered")))
	after(ctx)
	for i, err := range errs {
		if err == nil || strings.Contains(err.Error(), "hushhush") {
			t.Errorf("error %d is %v", i, err)
		}
	}
	if s := logged.String(); s == "" || strings.Contains(s, "hushhush") {
		t.Errorf("the log:\n%s", s)
	}
}

type writer func([]byte) (int, error)

func (w writer) Write(p []byte) (int, error) { return w(p) }

func TestMetricsOfCalls(t *testing.T) {
	t.Parallel()
	r := prometheus.NewRegistry()
	s := newScripted(t, map[string]answerer{"chat.postMessage": status(429, "Retry-After", "1"), "views.publish": ok(`{"ok":true,"view":{"type":"home"}}`)})
	a := newAdapter(t, Options{APIURL: s.URL + "/api/", Metrics: r})
	_, _ = a.Send(t.Context(), hello)
	if _, err := a.Send(t.Context(), chat.Post{Kind: chat.Home, User: person("U1"), Card: hello.Card}); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct{ name, label string }{
		{"deskhand_slack_limited_total", "chat.postMessage"},
		{"deskhand_slack_call_seconds", "limited"},
		{"deskhand_slack_call_seconds", "views.publish"},
	} {
		if n := counted(t, r, tt.name, tt.label); n != 1 {
			t.Errorf("%s of %s is %v, want 1", tt.name, tt.label, n)
		}
	}
}

func TestFetchKeepsTheToken(t *testing.T) {
	t.Parallel()
	stranger := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		t.Errorf("a foreign host was asked, with %v", r.Header)
	}))
	defer stranger.Close()
	s := newScripted(t, map[string]answerer{
		"/files/a":       ok("12345"),
		"/files/signin":  status(302, "Location", "https://acme.slack.com/?redir=%2Ffiles%2Fa"),
		"/files/away":    status(302, "Location", stranger.URL+"/a"),
		"/files/gone":    status(404),
		"/files/limited": status(429, "Retry-After", "3"),
		"/files/broken":  status(500),
	})
	a := newAdapter(t, Options{APIURL: s.URL + "/api/"})
	got, err := a.Fetch(t.Context(), chat.File{URL: s.URL + "/files/a"}, 5)
	if err != nil || string(got) != "12345" || s.forms["/files/a"].Get("Authorization") != "Bearer "+testBotToken {
		t.Errorf("Fetch() = %q, %v", got, err)
	}
	var limited *chat.LimitedError
	var refused *chat.RefusedError
	for _, tt := range []struct {
		name string
		file chat.File
		ok   func(error) bool
	}{
		{"more than it said", chat.File{URL: s.URL + "/files/a"}, func(err error) bool { return errors.As(err, &refused) }},
		{"more, as it says", chat.File{URL: s.URL + "/files/a", Size: 99}, func(err error) bool { return errors.As(err, &refused) }},
		{"no right to read", chat.File{URL: s.URL + "/files/signin"}, gonePlease},
		{"sent elsewhere", chat.File{URL: s.URL + "/files/away"}, gonePlease},
		{"deleted", chat.File{URL: s.URL + "/files/gone"}, gonePlease},
		{"kept elsewhere", chat.File{URL: stranger.URL + "/a"}, gonePlease},
		{"kept elsewhere, by a similar name", chat.File{URL: "https://evilslack.com/a"}, gonePlease},
		{"kept by Slack, without encryption", chat.File{URL: "http://files.slack.com/a"}, gonePlease},
		{"no address", chat.File{}, gonePlease},
		{"too many calls", chat.File{URL: s.URL + "/files/limited"}, func(err error) bool { return errors.As(err, &limited) }},
		{"Slack is broken", chat.File{URL: s.URL + "/files/broken"}, func(err error) bool {
			return err != nil && !errors.Is(err, chat.ErrGone) && !errors.Is(err, chat.ErrUnsure)
		}},
	} {
		if _, err := a.Fetch(t.Context(), tt.file, 4); !tt.ok(err) {
			t.Errorf("%s: %v", tt.name, err)
		}
	}
}

func gonePlease(err error) bool { return errors.Is(err, chat.ErrGone) }

func TestCheck(t *testing.T) {
	t.Parallel()
	now := time.Unix(1_700_000_000, 0)
	auth := func(scopes, date string) answerer {
		return func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("X-OAuth-Scopes", scopes)
			w.Header().Set("Date", date)
			ok(`{"ok":true,"team":"Acme","team_id":"T1","user":"desk","user_id":"U0DESK","bot_id":"B1"}`)(w, r)
		}
	}
	right := now.UTC().Format(http.TimeFormat)
	opens := ok(`{"ok":true,"url":"wss://example.com/link"}`)
	for _, tt := range []struct {
		name    string
		answers map[string]answerer
		want    map[string]bool // check → fine
		words   string
	}{
		{"all is well", map[string]answerer{"auth.test": auth(strings.Join(Scopes, ","), right), "apps.connections.open": opens},
			map[string]bool{"Slack token": true, "Slack scopes": true, "Clock": true, "Slack socket mode": true}, "Acme"},
		{"a scope is missing", map[string]answerer{"auth.test": auth(strings.Join(Scopes[1:], ","), right), "apps.connections.open": opens},
			map[string]bool{"Slack token": true, "Slack scopes": false, "Clock": true, "Slack socket mode": true}, Scopes[0]},
		{"the clock is wrong", map[string]answerer{"auth.test": auth(strings.Join(Scopes, ","), now.Add(7*time.Minute).UTC().Format(http.TimeFormat)), "apps.connections.open": opens},
			map[string]bool{"Slack token": true, "Slack scopes": true, "Clock": false, "Slack socket mode": true}, "7m0s"},
		{"the app was removed", map[string]answerer{"auth.test": ok(`{"ok":false,"error":"account_inactive"}`), "apps.connections.open": ok(`{"ok":false,"error":"invalid_auth"}`)},
			map[string]bool{"Slack token": false, "Slack socket mode": false}, "install it again"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := newScripted(t, tt.answers)
			a := newAdapter(t, Options{APIURL: s.URL + "/api/", AppToken: testAppToken, Now: func() time.Time { return now }})
			got, words := map[string]bool{}, ""
			for _, f := range a.Check(t.Context()) {
				got[f.Name] = f.OK
				words += f.Text + f.Fix
				if f.Text == "" || f.OK != (f.Fix == "") {
					t.Errorf("finding %+v: it needs words, and a fix if it is not fine", f)
				}
			}
			if diff := cmp.Diff(tt.want, got); diff != "" || !strings.Contains(words, tt.words) {
				t.Errorf("words %q (-want +got):\n%s", words, diff)
			}
		})
	}
}

func TestBudgets(t *testing.T) {
	t.Parallel()
	a := newAdapter(t, Options{})
	for _, tt := range []struct {
		name   string
		post   chat.Post
		update bool
		want   []string
	}{
		{"a message", hello, false, []string{"slack:T1:channel:C1", "slack:T1:chat.postMessage"}},
		{"a message with a file", chat.Post{Kind: chat.Message, Place: place("C1", "1.1"), Files: []chat.Attachment{{Name: "a"}}}, false,
			[]string{"slack:T1:channel:C1", "slack:T1:chat.postMessage", "slack:T1:files.completeUploadExternal"}},
		{"a direct message", chat.Post{Kind: chat.Message, User: person("U1")}, false, []string{"slack:T1:channel:U1", "slack:T1:chat.postMessage"}},
		{"an update", hello, true, []string{"slack:T1:chat.update"}},
		{"a Home tab", chat.Post{Kind: chat.Home}, false, []string{"slack:T1:views.publish"}},
		{"a whisper", chat.Post{Kind: chat.Whisper}, false, []string{"slack:T1:chat.postEphemeral"}},
		{"a reaction", chat.Post{Kind: chat.React}, false, []string{"slack:T1:reactions.add"}},
	} {
		var got []string
		for _, b := range a.Budgets(tt.post, tt.update) {
			got = append(got, b.Name)
			if b.Rate <= 0 || b.Burst < 1 {
				t.Errorf("%s: a budget that lets nothing through: %+v", tt.name, b)
			}
		}
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.name, diff)
		}
	}
	if got := newAdapter(t, Options{Unpaced: true}).Budgets(hello, false); got != nil {
		t.Errorf("unpaced, and yet %v", got)
	}
}
