package model

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/deskhand/deskhand/adapters/model/modeltest"
	"github.com/deskhand/deskhand/core/knowledge"
	"github.com/deskhand/deskhand/kb"
)

var among = []kb.Choice{
	{Article: 31, Title: "Set up the VPN", Sentences: []string{"You have a new computer.", "Call +49 351 1234567 or write to kim@acme.example.", "Install the client."}},
	{Article: 12, Title: "Keep the VPN connected", Sentences: []string{"The VPN drops every few minutes.", "Switch off power saving."}},
	{Article: 5, Title: "VPN abroad", Sentences: []string{"You are abroad."}},
}

func newClient(t *testing.T, o Options) *Client {
	t.Helper()
	if o.Name == "" {
		o.Name = "tiny"
	}
	if o.Wait == 0 {
		o.Wait = time.Minute // the machine may be busy with other tests
	}
	if o.Log == nil {
		o.Log = slog.New(slog.NewTextHandler(io.Discard, nil))
	}
	c, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

func TestAdviceIsAnOrderAndSentencesOfTheChoices(t *testing.T) {
	t.Parallel()
	both := map[knowledge.ArticleID][]string{12: {"Switch off power saving.", "The VPN drops every few minutes."}}
	for name, tt := range map[string]struct {
		written string
		want    kb.Advice
	}{
		"as asked for":       {`{"order": [2, 1, 3], "extracts": [{"article": 2, "sentences": [2, 1]}]}`, kb.Advice{Order: []knowledge.ArticleID{12, 31, 5}, Sentences: both}},
		"in a fence":         {"Sure!\n```json\n{\"order\": [3]}\n```", kb.Advice{Order: []knowledge.ArticleID{5}}},
		"having thought":     {`<think>{"order": [1]} no</think>{"order": [3]}`, kb.Advice{Order: []knowledge.ArticleID{5}}},
		"numbers as text":    {`{"order": ["2", "[3]"], "extracts": [{"article": "2", "sentences": ["2", "[1]"]}]}`, kb.Advice{Order: []knowledge.ArticleID{12, 5}, Sentences: both}},
		"what is not there":  {`{"order": [9, 2, 2, 0, -3, null, {"a": 1}], "extracts": [{"article": 9, "sentences": [1]}, {"article": 2, "sentences": [7, 1.5, true]}]}`, kb.Advice{Order: []knowledge.ArticleID{12}}},
		"words for a number": {`{"order": [1], "extracts": [{"article": 1, "sentences": ["Install it."]}]}`, kb.Advice{Order: []knowledge.ArticleID{31}, Sentences: map[knowledge.ArticleID][]string{31: {"Install it."}}}}, // package kb has no such sentence
		"other articles":     {`{"order": [4, 5]}`, kb.Advice{}},
		"no order":           {`{"extracts": [{"article": 1, "sentences": [1]}]}`, kb.Advice{}},
		"an order of text":   {`{"order": "2, 1, 3"}`, kb.Advice{}},
		"cut off":            {`{"order": [2, 1`, kb.Advice{}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := modeltest.New(t, modeltest.Says(func(modeltest.Asked) string { return tt.written }))
			got := newClient(t, Options{URL: s.URL}).Advise(t.Context(), "my vpn drops", nil, among)
			if len(tt.want.Order) > 0 && tt.want.Sentences == nil {
				tt.want.Sentences = map[knowledge.ArticleID][]string{}
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("Advise() (-want +got):\n%s", diff)
			}
		})
	}
}

// A model that is of no use brings no advice, and its log line has nothing of
// the question.
func TestABadModelBringsNoAdvice(t *testing.T) {
	t.Parallel()
	for name, manner := range modeltest.Bad {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := modeltest.New(t, manner)
			c := newClient(t, Options{URL: s.URL, Key: "sesame"})
			ctx := t.Context()
			if name == "hangs" {
				var cancel context.CancelFunc
				ctx, cancel = context.WithTimeout(ctx, 100*time.Millisecond)
				defer cancel()
			}
			advice, err := c.Ask(ctx, "walrus", nil, among)
			if strings.HasPrefix(name, "writes sentences") {
				if want := []knowledge.ArticleID{31, 12, 5}; err != nil || !slices.Equal(advice.Order, want) {
					t.Errorf("Ask() = %v, %v; want the order, and package kb to see to the sentences", advice, err)
				}
				return
			}
			if len(advice.Order) > 0 || err == nil {
				t.Errorf("Ask() = %v, %v; want no advice", advice, err)
			} else if text := err.Error(); strings.Contains(text, "walrus") || strings.Contains(text, "sesame") || strings.Contains(text, s.URL) {
				t.Errorf("the error is %q", text)
			}
		})
	}
}

func TestNothingPersonalIsSent(t *testing.T) {
	t.Parallel()
	s := modeltest.New(t, modeltest.Prefers("VPN abroad"))
	c := newClient(t, Options{URL: s.URL, Key: "sesame"})
	c.Advise(t.Context(), "Bob here: the VPN of ana@acme.example drops, call 0351 1234567. My password is hunter2! "+strings.Repeat("x ", 3000)+"last", []string{"Bob Stone"}, among)
	asked := s.Asked()
	if len(asked) != 1 {
		t.Fatalf("%d calls", len(asked))
	}
	for _, secret := range []string{"Bob", "ana@", "acme", "1234567", "hunter2", "last", "KB-", "31"} {
		if strings.Contains(asked[0].Body, secret) {
			t.Errorf("%q was sent in %s", secret, asked[0].Body)
		}
	}
	if got := asked[0]; got.Model != "tiny" || got.Key != "sesame" || !strings.HasPrefix(got.Question, "… here: the VPN of … drops") ||
		len(got.Articles) != 3 || got.Articles[0].Sentences[2] != "[3] Install the client." {
		t.Errorf("it was asked %+v", got)
	}
}

// A server gets what it takes from the second call on.
func TestOptionalFieldsAreLearned(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		param func(field string) string
		calls int // until one succeeds
	}{
		"a server that names what it refuses":  {func(f string) string { return f }, 3},
		"one that only says that it won't":     {func(string) string { return "" }, 2},
		"one that names something else":        {func(string) string { return "messages" }, 2},
		"one that names a part of what it was": {func(string) string { return "response_format.type" }, 2},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			good := modeltest.Prefers("VPN abroad")
			s := modeltest.New(t, func(w http.ResponseWriter, r *http.Request, a modeltest.Asked) {
				for _, field := range []string{"temperature", "response_format"} {
					if _, sent := a.Fields[field]; sent {
						w.WriteHeader(http.StatusBadRequest)
						_, _ = fmt.Fprintf(w, `{"error": {"message": "unsupported", "param": %q}}`, tt.param(field))
						return
					}
				}
				good(w, r, a)
			})
			c := newClient(t, Options{URL: s.URL})
			for n := 1; ; n++ {
				if advice := c.Advise(t.Context(), "vpn", nil, among); len(advice.Order) > 0 {
					if n != tt.calls {
						t.Errorf("it took %d calls, want %d", n, tt.calls)
					}
					break
				} else if n > 5 {
					t.Fatal("it is never asked in a way that it takes")
				}
			}
			asked := s.Asked()
			var first struct {
				Type   string
				Schema struct{ Strict bool } `json:"json_schema"`
			}
			if err := json.Unmarshal(asked[0].Fields["response_format"], &first); err != nil || first.Type != "json_schema" || !first.Schema.Strict {
				t.Errorf("response_format was %s at first", asked[0].Fields["response_format"])
			}
			if _, kept := asked[len(asked)-1].Fields["max_completion_tokens"]; kept != (tt.calls == 3) {
				t.Errorf("the last call had %s", asked[len(asked)-1].Body)
			}
		})
	}
}

// What fails is left alone, and longer each time; one question tries whether it
// is back.
func TestAFailingModelIsLeftAlone(t *testing.T) {
	t.Parallel()
	s := modeltest.New(t, modeltest.Status(http.StatusInternalServerError))
	var ahead atomic.Int64
	began := time.Now()
	reg := prometheus.NewRegistry()
	c := newClient(t, Options{URL: s.URL, Metrics: reg, Now: func() time.Time { return began.Add(time.Duration(ahead.Load())) }})
	calls := func(want int) {
		t.Helper()
		for range 4 {
			c.Advise(t.Context(), "vpn", nil, among)
		}
		if got := len(s.Asked()); got != want {
			t.Errorf("%d calls were made, want %d", got, want)
		}
	}
	calls(3)
	calls(3)
	ahead.Add(int64(firstRest))
	calls(4)
	ahead.Add(int64(firstRest)) // half of the second rest
	calls(4)
	ahead.Add(int64(firstRest))
	s.Behave(modeltest.Prefers("VPN abroad"))
	calls(8)
	s.Behave(func(w http.ResponseWriter, r *http.Request, a modeltest.Asked) {
		w.Header().Set("Retry-After", "60")
		modeltest.Status(http.StatusTooManyRequests)(w, r, a)
	})
	calls(9) // once is enough if it says so
	ahead.Add(int64(59 * time.Second))
	calls(9)
	ahead.Add(int64(time.Second))
	calls(10)
	families, err := reg.Gather()
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]float64{}
	for _, f := range families {
		for _, m := range f.Metric {
			if h := m.GetHistogram(); h != nil {
				got["timed"] = float64(h.GetSampleCount())
				continue
			}
			got[m.Label[0].GetValue()] = m.GetCounter().GetValue()
		}
	}
	if diff := cmp.Diff(map[string]float64{"failed": 4, "advised": 4, "refused": 2, "resting": 22, "timed": 10}, got); diff != "" {
		t.Errorf("calls by what came of them (-want +got):\n%s", diff)
	}
}

func TestOnlySoManyAreAskedAtATime(t *testing.T) {
	t.Parallel()
	came, end := make(chan struct{}), make(chan struct{})
	s := modeltest.New(t, func(http.ResponseWriter, *http.Request, modeltest.Asked) {
		came <- struct{}{}
		<-end
	})
	c := newClient(t, Options{URL: s.URL})
	gone, leave := context.WithCancel(t.Context())
	done := make(chan struct{})
	for range atOnce {
		go func() { c.Advise(gone, "vpn", nil, among); done <- struct{}{} }()
	}
	for range atOnce {
		<-came
	}
	if c.Advise(t.Context(), "vpn", nil, among); len(s.Asked()) != atOnce { // it does not wait
		t.Errorf("%d calls at a time, want %d", len(s.Asked()), atOnce)
	}
	leave() // nor does whoever does not wait any more
	for range atOnce {
		<-done
	}
	close(end)
}

// A call that is late goes on without the question: a server that loads its
// model for it would stop, and begin again with the next.
func TestALateCallGoesOn(t *testing.T) {
	t.Parallel()
	load, loaded := make(chan struct{}), make(chan error, 1)
	prefers := modeltest.Prefers("VPN abroad")
	s := modeltest.New(t, func(w http.ResponseWriter, r *http.Request, a modeltest.Asked) {
		<-load
		loaded <- r.Context().Err()
		prefers(w, r, a)
	})
	c := newClient(t, Options{URL: s.URL, Wait: 20 * time.Millisecond})
	if advice := c.Advise(t.Context(), "vpn", nil, among); len(advice.Order) > 0 {
		t.Fatalf("Advise() = %v of a model that is not loaded", advice)
	}
	close(load)
	if err := <-loaded; err != nil {
		t.Errorf("the call has been given up: %v", err)
	}
	for range atOnce { // until it is at its end
		c.calls <- struct{}{}
	}
	if c.rest.failures != 1 {
		t.Errorf("%d failures, want the late one", c.rest.failures)
	}
}

func TestAddresses(t *testing.T) {
	t.Parallel()
	for at, want := range map[string]string{
		"https://models.example.com/v1":            "https://models.example.com/v1/chat/completions",
		"https://models.example.com/v1/":           "https://models.example.com/v1/chat/completions",
		"http://127.0.0.1:11434/v1":                "http://127.0.0.1:11434/v1/chat/completions",
		"http://[fd00::5]/v1/chat/completions":     "http://[fd00::5]/v1/chat/completions",
		"http://ollama:11434/v1":                   "http://ollama:11434/v1/chat/completions", // where it is shows when it is called
		"http://8.8.8.8/v1":                        "",
		"https://user:key@models.example.com/v1":   "",
		"https://models.example.com/v1?key=secret": "",
		"models.example.com":                       "",
		"file:///etc/passwd":                       "",
		"https:///v1":                              "",
	} {
		c, err := New(Options{URL: at, Name: "tiny"})
		if got := ""; err == nil {
			if got = c.at; got != want {
				t.Errorf("New(%q) calls %q, want %q", at, got, want)
			}
		} else if want != "" || strings.Contains(err.Error(), "secret") {
			t.Errorf("New(%q): %v", at, err)
		}
	}
	if _, err := New(Options{URL: "https://models.example.com/v1"}); err == nil || !strings.Contains(err.Error(), "DESKHAND_MODEL_NAME") {
		t.Errorf("without a name: %v", err)
	}
	// A name is looked at where it leads to.
	c := newClient(t, Options{URL: "http://models.example.com/v1"})
	dial := c.http.Transport.(*http.Transport).DialContext
	if _, err := dial(t.Context(), "tcp", "192.0.2.1:80"); !errors.Is(err, errNotOwn) {
		t.Errorf("a call into the open: %v", err)
	}
}

func TestCheck(t *testing.T) {
	t.Parallel()
	right := "Keep the VPN connected"
	for name, tt := range map[string]struct {
		manner modeltest.Manner
		wait   time.Duration
		ok     bool
		text   string
		fix    string
	}{
		"it is well":      {modeltest.Prefers(right), 0, true, "answers in", ""},
		"it is slow":      {modeltest.Prefers(right), time.Nanosecond, false, "the desk waits for", "smaller model"},
		"it is no good":   {modeltest.Prefers("Book a meeting room"), 0, false, "wrong one", "kb eval"},
		"it wants a key":  {modeltest.Status(http.StatusUnauthorized), 0, false, "answered 401", "DESKHAND_MODEL_KEY"},
		"it is not there": {modeltest.Status(http.StatusNotFound), 0, false, "answered 404", "/v1"},
		"it says why":     {modeltest.Status(http.StatusPaymentRequired), 0, false, "answered 402", "Payment Required"},
		"it has a form of its own": {func(w http.ResponseWriter, r *http.Request, a modeltest.Asked) {
			if len(a.Fields) > 3 {
				modeltest.Status(http.StatusBadRequest)(w, r, a)
				return
			}
			modeltest.Prefers(right)(w, r, a)
		}, 0, true, "answers in", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := modeltest.New(t, tt.manner)
			f := newClient(t, Options{URL: s.URL, Wait: tt.wait}).Check(t.Context())
			if f.OK != tt.ok || !strings.Contains(f.Text, tt.text) || !strings.Contains(f.Fix, tt.fix) {
				t.Errorf("Check() = %+v", f)
			}
		})
	}
}
