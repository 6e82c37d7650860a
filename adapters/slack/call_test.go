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
	"github.com/deskhand/deskhand/bot/chat/chattest"
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

// BenchmarkSend is a card posted to a server that echoes the message, as Slack
// does; the server's own work is in it.
func BenchmarkSend(b *testing.B) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_ = r.ParseForm() // of our own making
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprintf(w, `{"ok":true,"channel":"C1","ts":"1700000000.1","message":{"type":"message","user":"U0DESK","bot_id":"B1","ts":"1700000000.1","text":"x","blocks":%s}}`, r.Form.Get("blocks"))
	}))
	defer server.Close()
	a := newAdapter(b, Options{APIURL: server.URL + "/api/"})
	p := chat.Post{ID: "p1", Kind: chat.Message, Place: place("C1", "1.1"), Card: chattest.Cards["suggestion"]}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := a.Send(b.Context(), p); err != nil {
			b.Fatal(err)
		}
	}
}
