package slack

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/deskhand/deskhand/bot/chat"
)

// request is a signed request of Slack's.
func request(path, body string) *http.Request {
	r := httptest.NewRequest(http.MethodPost, path, strings.NewReader(body))
	sign(r.Header, body, time.Now())
	return r
}

const aMessage = `{"type":"message","channel":"C1","user":"U1","text":"hi","ts":"1700000000.1","channel_type":"channel"}`

func TestRequests(t *testing.T) {
	t.Parallel()
	press := url.Values{"payload": {payload("block_actions", onCard+`"actions":[{"type":"button","action_id":"do:ticket.claim:0","action_ts":"1700000050.5"}]`)}}.Encode()
	for _, tt := range []struct {
		name    string
		request *http.Request
		status  int
		stored  int
		body    string
		refused string
	}{
		{"a message", request("/slack/events", callback(aMessage)), 200, 1, "", ""},
		{"a press", request("/slack/interactivity", press), 200, 1, "", ""},
		{"Slack looks whether the address is ours", request("/slack/events", `{"type":"url_verification","token":"x","challenge":"3eZbrw1a"}`), 200, 0, "3eZbrw1a", ""},
		{"an event of no interest", request("/slack/events", callback(`{"type":"moon_landed"}`)), 200, 0, "", ""},
		{"Slack holds events back", request("/slack/events", `{"type":"app_rate_limited","team_id":"T1","minute_rate_limited":1700000000}`), 200, 0, "", ""},
		{"another workspace's event", request("/slack/events", strings.Replace(callback(aMessage), "T1", "T2", 1)), 200, 0, "", "foreign"},
		{"no JSON", request("/slack/events", "hello"), 400, 0, "malformed\n", "malformed"},
		{"no form", request("/slack/commands", "%zz"), 400, 0, "malformed\n", "malformed"},
		{"no payload", request("/slack/interactivity", "x=1"), 400, 0, "malformed\n", "malformed"},
		{"an empty body", request("/slack/events", ""), 400, 0, "malformed\n", "malformed"},
		{"not signed", httptest.NewRequest(http.MethodPost, "/slack/events", strings.NewReader(callback(aMessage))), 401, 0, "unsigned\n", "unsigned"},
		{"too large, and says so", request("/slack/events", strings.Repeat(" ", maxBody+1)), 413, 0, "too_large\n", "too_large"},
		{"too large, and does not say so", unsized(request("/slack/events", strings.Repeat(" ", maxBody+1))), 413, 0, "too_large\n", "too_large"},
		{"of unknown length", unsized(request("/slack/events", callback(aMessage))), 200, 1, "", ""},
		{"GET", httptest.NewRequest(http.MethodGet, "/slack/events", nil), 405, 0, "Method Not Allowed\n", ""},
		{"another path", request("/slack/other", "x"), 404, 0, "404 page not found\n", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var r recorder
			registry := prometheus.NewRegistry()
			a := newAdapter(t, Options{Desk: &r, Metrics: registry})
			w := httptest.NewRecorder()
			a.Handler().ServeHTTP(w, tt.request)
			if w.Code != tt.status || w.Body.String() != tt.body {
				t.Errorf("%d %q, want %d %q", w.Code, w.Body, tt.status, tt.body)
			}
			if got := len(r.all()); got != tt.stored {
				t.Errorf("%d events stored, want %d", got, tt.stored)
			}
			if tt.refused != "" {
				if n := counted(t, registry, "deskhand_slack_refused_total", tt.refused); n != 1 {
					t.Errorf("%v counted as %s, want 1", n, tt.refused)
				}
			}
		})
	}
}

// counted is the value of a counter, or how often a histogram was fed, where a
// label has this value.
func counted(t *testing.T, registry *prometheus.Registry, name, label string) float64 {
	t.Helper()
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	n := 0.0
	for _, f := range families {
		for _, m := range f.GetMetric() {
			for _, l := range m.GetLabel() {
				if f.GetName() == name && l.GetValue() == label {
					n += m.GetCounter().GetValue() + float64(m.GetHistogram().GetSampleCount())
				}
			}
		}
	}
	return n
}

func unsized(r *http.Request) *http.Request {
	r.ContentLength = -1
	r.Body = io.NopCloser(r.Body)
	return r
}

func TestWhatCannotBeStoredIsPutOff(t *testing.T) {
	t.Parallel()
	command := url.Values{"command": {"/desk"}, "team_id": {"T1"}, "user_id": {"U1"}, "trigger_id": {"1"}, "channel_id": {"C1"}}.Encode()
	down := &recorder{down: true}
	for _, tt := range []struct {
		name    string
		desk    Desk
		request *http.Request
		status  int
		words   string
	}{
		{"a message while the database is down", down, request("/slack/events", callback(aMessage)), 503, "not_stored"},
		{"a form while the database is down", down, request("/slack/interactivity", url.Values{"payload": {payload("view_submission", inView)}}.Encode()), 503, "not_stored"},
		{"a command while the database is down, in words", down, request("/slack/commands", command), 200, wordsNoRecords[:8]},
		{"a message without a desk", nil, request("/slack/events", callback(aMessage)), 503, "not_stored"},
		{"a command without a desk", nil, request("/slack/commands", command), 503, "not_stored"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			a := newAdapter(t, Options{Desk: tt.desk})
			w := httptest.NewRecorder()
			a.Handler().ServeHTTP(w, tt.request)
			if w.Code != tt.status || !strings.Contains(w.Body.String(), tt.words) {
				t.Errorf("%d %q, want %d and %q", w.Code, w.Body, tt.status, tt.words)
			}
		})
	}
	t.Run("a message before the adapter is connected", func(t *testing.T) {
		t.Parallel()
		a := newAdapter(t, Options{Desk: &recorder{}})
		a.self.Store(nil)
		for _, r := range []*http.Request{request("/slack/events", callback(aMessage)), request("/slack/commands", command)} {
			w := httptest.NewRecorder()
			a.Handler().ServeHTTP(w, r)
			if w.Code != http.StatusServiceUnavailable {
				t.Errorf("%s: %d, want 503", r.URL, w.Code)
			}
		}
	})
}

// The two events that one mention makes are the same event, whichever is first.
func TestMentionIsOneEvent(t *testing.T) {
	t.Parallel()
	var r recorder
	a := newAdapter(t, Options{Desk: &r})
	for _, kind := range []string{"app_mention", "message"} {
		body := callback(`{"type":"` + kind + `","channel":"C1","user":"U1","text":"<@U0DESK> hi","ts":"1700000000.1"}`)
		a.Handler().ServeHTTP(httptest.NewRecorder(), request("/slack/events", body))
	}
	got := r.all()
	if len(got) != 2 || got[0].Key != got[1].Key || !got[0].Mentioned || !got[1].Mentioned {
		t.Errorf("got %+v", got)
	}
}

// No body may make the handler panic or answer 500.
func FuzzRequests(f *testing.F) {
	f.Add("/slack/events", callback(aMessage))
	f.Add("/slack/events", `{"type":"url_verification","challenge":"x"}`)
	f.Add("/slack/commands", "command=%2Fdesk&team_id=T1&user_id=U1&trigger_id=1")
	f.Add("/slack/interactivity", url.Values{"payload": {payload("view_submission", inView)}}.Encode())
	f.Fuzz(func(t *testing.T, path, body string) {
		u, err := url.ParseRequestURI(path)
		if err != nil || u.IsAbs() || !strings.HasPrefix(path, "/") {
			return
		}
		a := newAdapter(t, Options{Desk: &recorder{}, APIURL: "http://127.0.0.1:1/"})
		r := request("/", body)
		r.URL = u
		w := httptest.NewRecorder()
		a.Handler().ServeHTTP(w, r)
		if w.Code >= 500 {
			t.Errorf("%s %q: %d", path, body, w.Code)
		}
	})
}

// BenchmarkEvent is verifying and decoding a message as Slack sends it.
func BenchmarkEvent(b *testing.B) {
	body := callback(`{"client_msg_id":"1b2c","type":"message","text":"<@U0DESK> the printer on floor 3 is not printing &amp; it says &lt;offline&gt;","user":"U1","ts":"1700000000.123456","blocks":[{"type":"rich_text","block_id":"aBc","elements":[{"type":"rich_text_section","elements":[{"type":"user","user_id":"U0DESK"},{"type":"text","text":" the printer on floor 3 is not printing & it says <offline>"}]}]}],"team":"T1","channel":"C1","event_ts":"1700000000.123456","channel_type":"channel"}`)
	h := http.Header{}
	sign(h, body, time.Now())
	s := signatures{secret: []byte(testSecret)}
	b.ReportAllocs()
	for b.Loop() {
		if _, reason := s.check(h, []byte(body), time.Now()); reason != "" {
			b.Fatal(reason)
		}
		env, err := decodeEnvelope([]byte(body))
		if err != nil {
			b.Fatal(err)
		}
		if _, err := env.event(desk); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkHandler is the same through the whole handler.
func BenchmarkHandler(b *testing.B) {
	a := newAdapter(b, Options{Desk: sink{}})
	h := a.Handler()
	body := []byte(callback(aMessage))
	header := http.Header{}
	sign(header, string(body), time.Now())
	b.ReportAllocs()
	for b.Loop() {
		r := httptest.NewRequest(http.MethodPost, "/slack/events", bytes.NewReader(body))
		r.Header = header
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if w.Code != http.StatusOK {
			b.Fatal(w.Code)
		}
	}
}

// sink is a Desk that takes everything and keeps nothing.
type sink struct{}

func (sink) Accept(context.Context, ...chat.Event) error { return nil }
func (sink) Answer(context.Context, chat.Event) (chat.Answer, error) {
	return chat.Answer{}, nil
}
