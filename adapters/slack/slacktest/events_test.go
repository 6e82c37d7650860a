package slacktest_test

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/deskhand/deskhand/adapters/slack/slacktest"
)

// heard is the events since the last look, in the order that they came, in short:
// type, subtype, channel, text.
func (a *app) heard() []string {
	a.t.Helper()
	ctx, cancel := context.WithTimeout(a.t.Context(), 10*time.Second)
	defer cancel()
	if err := a.w.Idle(ctx); err != nil {
		a.t.Fatalf("events are still under way: %v", err)
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	var list []string
	for _, r := range a.got {
		if r.Event == nil {
			continue
		}
		words := []string{r.Event["type"].(string)}
		for _, k := range []string{"subtype", "channel_type", "text"} {
			if s, ok := r.Event[k].(string); ok {
				words = append(words, s)
			}
		}
		list = append(list, strings.Join(words, " "))
	}
	a.got = nil
	return list
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func TestEvents(t *testing.T) {
	t.Parallel()
	tw := newTown(t)
	ana, ben := tw.w.Person("ana"), tw.w.Person("ben")
	check := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	dm := must(ana.DM())
	tw.heard()
	group := must(ana.OpenDM("ben", "U0DESK"))
	var said slacktest.Message
	tests := []struct {
		name string
		do   func()
		want []string
	}{
		{"the app's Messages tab", func() { must(ana.DM()) }, []string{"app_home_opened"}},
		{"a message in a channel", func() { said = must(ana.Say(slacktest.Post{Channel: "help", Text: "hello"})) }, []string{"message channel hello"}},
		{"a mention comes twice", func() { must(ana.Say(slacktest.Post{Channel: "help", Text: "@desk help"})) },
			[]string{"app_mention <@U0DESK> help", "message channel <@U0DESK> help"}},
		{"a mention in a conversation with the app comes once", func() { must(ana.Say(slacktest.Post{Channel: dm, Text: "@desk help"})) },
			[]string{"message im <@U0DESK> help"}},
		{"a private channel", func() { must(ana.Say(slacktest.Post{Channel: "ours", Text: "psst"})) }, []string{"message group psst"}},
		{"a group", func() { must(ana.Say(slacktest.Post{Channel: group, Text: "us"})) }, []string{"message mpim us"}},
		{"a channel without the app is not heard", func() { must(ana.Say(slacktest.Post{Channel: "general", Text: "@desk hello?"})) }, nil},
		{"a conversation of others is not heard", func() { must(ana.Say(slacktest.Post{Channel: "Dfriends", Text: "lunch?"})) }, nil},
		{"a file", func() {
			must(ana.Say(slacktest.Post{Channel: "help", Text: "see", Files: []slacktest.Upload{{Name: "a.png", Data: []byte("x")}}}))
		}, []string{"file_shared", "message file_share channel see"}},
		{"a reply", func() { must(ana.Say(slacktest.Post{Channel: "help", Thread: said.TS, Text: "more"})) }, []string{"message channel more"}},
		{"a reply for all", func() { must(ana.Say(slacktest.Post{Channel: "help", Thread: said.TS, Text: "all", Broadcast: true})) },
			[]string{"message thread_broadcast channel all"}},
		{"an edit", func() { check(ana.Edit("help", said.TS, "hello!")) }, []string{"message message_changed channel"}},
		{"a reaction", func() { check(ben.React("help", said.TS, ":eyes:")) }, []string{"reaction_added"}},
		{"a reaction taken back", func() { check(ben.Unreact("help", said.TS, "eyes")) }, []string{"reaction_removed"}},
		{"deleting what has replies leaves a tombstone", func() { check(ana.Delete("help", said.TS)) }, []string{"message message_changed channel"}},
		{"deleting what has none", func() {
			m := must(ana.Say(slacktest.Post{Channel: "ours", Text: "oops"}))
			check(ana.Delete("ours", m.TS))
		}, []string{"message group oops", "message message_deleted group"}},
		{"the app's own post", func() { call(t, tw.w, "chat.postMessage", "channel", "Chelp", "text", "mine") }, []string{"message channel mine"}},
		{"the app's ephemeral post is not heard", func() {
			call(t, tw.w, "chat.postEphemeral", "channel", "Chelp", "user", "Uana", "text", "mine")
		}, nil},
		{"the app's post with metadata", func() {
			call(t, tw.w, "chat.postMessage", "channel", "Chelp", "text", "mine", "metadata", `{"event_type":"a","event_payload":{}}`)
		}, []string{"message channel mine", "message_metadata_posted"}},
		{"the app is invited", func() { check(ana.Invite("general", "U0DESK")) },
			[]string{"member_joined_channel C", "message channel_join channel <@U0DESK> has joined the channel"}},
		{"the app is removed", func() { check(ana.Remove("general", "U0DESK")) }, []string{"channel_left", "member_left_channel C"}},
		{"a new channel", func() { must(ana.CreateChannel("fresh", slacktest.Public)) }, []string{"channel_created"}},
		{"a new private channel", func() { must(ana.CreateChannel("hush", slacktest.Private)) }, nil},
		{"a channel renamed", func() { check(ana.Rename("help", "it-help")) }, []string{"channel_rename"}},
		{"a channel archived and back", func() { check(ana.Archive("it-help")); check(ana.Unarchive("it-help")) }, []string{"channel_archive", "channel_unarchive"}},
		{"a profile changed", func() {
			u := ben.User()
			u.Title = "Boss"
			check(tw.w.SetUser(u))
		}, []string{"user_change"}},
		{"a new member", func() { must(tw.w.AddUser(slacktest.User{Name: "carl"})) }, []string{"team_join"}},
		{"the Home tab", func() { check(ana.OpenHome()) }, []string{"app_home_opened"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tt.do()
			got := tw.heard()
			slices.Sort(got) // Slack promises no order between kinds of event
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("events (-want +got):\n%s", diff)
			}
		})
	}
}

func TestChangedAndDeletedEventsCarryBothVersions(t *testing.T) {
	t.Parallel()
	a := newApp(t, slacktest.Options{})
	ana := a.w.Person("ana")
	m := must(ana.Say(slacktest.Post{Channel: "help", Text: "one"}))
	if err := ana.Edit("help", m.TS, "two"); err != nil {
		t.Fatal(err)
	}
	if err := ana.Delete("help", m.TS); err != nil {
		t.Fatal(err)
	}
	events := a.all(3, ofType("message"))
	changed, deleted := events[1].Event, events[2].Event
	sub := func(m map[string]any, k, f string) any { x, _ := m[k].(map[string]any); return x[f] }
	if sub(changed, "message", "text") != "two" || sub(changed, "previous_message", "text") != "one" || sub(changed, "message", "ts") != m.TS ||
		sub(changed, "message", "edited") == nil || changed["ts"] == m.TS || changed["hidden"] != true {
		t.Errorf("message_changed = %v", changed)
	}
	if sub(deleted, "previous_message", "text") != "two" || deleted["deleted_ts"] != m.TS || deleted["hidden"] != true {
		t.Errorf("message_deleted = %v", deleted)
	}
}

func TestAPreviewIsAChangeButNoEdit(t *testing.T) {
	t.Parallel()
	a := newApp(t, slacktest.Options{Unfurl: true})
	m := must(a.w.Person("ana").Say(slacktest.Post{Channel: "help", Text: "see https://x.test/a"}))
	changed := a.all(2, ofType("message"))[1].Event
	is, _ := changed["message"].(map[string]any)
	if changed["subtype"] != "message_changed" || is["ts"] != m.TS || is["edited"] != nil || is["attachments"] == nil || is["text"] != m.Text {
		t.Errorf("the preview came as %v", changed)
	}
	must(a.w.Person("ana").Say(slacktest.Post{Channel: "help", Text: "mail ana@acme.test"}))
	a.heard()
	if m, _ := a.w.Message("help", m.TS); m.Edited != nil {
		t.Errorf("the message is marked as edited")
	}
}

func TestUnsubscribedEventsAndMissingScopesAreSilent(t *testing.T) {
	t.Parallel()
	a := newApp(t, slacktest.Options{App: slacktest.App{
		Events: []string{"message.channels", "app_mention", "reaction_added"},
		Scopes: []string{"app_mentions:read", "channels:history", "chat:write"}, // not reactions:read
	}})
	ana := a.w.Person("ana")
	m := must(ana.Say(slacktest.Post{Channel: "help", Text: "@desk hi"}))
	must(ana.DM())
	if err := ana.React("help", m.TS, "eyes"); err != nil {
		t.Fatal(err)
	}
	got := a.heard()
	slices.Sort(got)
	if diff := cmp.Diff([]string{"app_mention <@U0DESK> hi", "message channel <@U0DESK> hi"}, got); diff != "" {
		t.Errorf("events (-want +got):\n%s", diff)
	}
}

func TestRedelivery(t *testing.T) {
	t.Parallel()
	now := []time.Duration{0, 0, 0}
	tests := []struct {
		name   string
		answer func(n int) (int, string) // status and X-Slack-No-Retry of the nth delivery, from 1
		slow   bool
		want   []string // retry number and reason of each delivery
		gaveUp int64
	}{
		{"taken at once", func(int) (int, string) { return 200, "" }, false, []string{" "}, 0},
		{"taken with 202", func(int) (int, string) { return 202, "" }, false, []string{" "}, 0},
		{"refused once", func(n int) (int, string) { return map[bool]int{true: 500, false: 200}[n == 1], "" }, false, []string{" ", "1 http_error"}, 0},
		{"refused for ever", func(int) (int, string) { return 503, "" }, false, []string{" ", "1 http_error", "2 http_error", "3 http_error"}, 1},
		{"refused, and not to be sent again", func(int) (int, string) { return 500, "1" }, false, []string{" "}, 1},
		{"redirected for ever", func(int) (int, string) { return 302, "" }, false, []string{" ", "1 too_many_redirects", "2 too_many_redirects", "3 too_many_redirects"}, 1},
		{"too slow once", func(int) (int, string) { return 200, "" }, true, []string{" ", "1 http_timeout"}, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			within := time.Duration(0)
			if tt.slow {
				within = time.Second
			}
			w := must(slacktest.New(slacktest.Options{Redeliver: now, AnswerWithin: within}))
			var mu sync.Mutex
			var got, ids []string
			mux := http.NewServeMux()
			mux.HandleFunc("/slack/events", func(rw http.ResponseWriter, r *http.Request) {
				req := parse(t, r.URL.Path, r.Header, readAll(r))
				mu.Lock()
				got = append(got, r.Header.Get("X-Slack-Retry-Num")+" "+r.Header.Get("X-Slack-Retry-Reason"))
				ids = append(ids, req.EventID)
				n := len(got)
				mu.Unlock()
				if tt.slow && n == 1 {
					<-r.Context().Done()
					return
				}
				status, noRetry := tt.answer(n)
				if noRetry != "" {
					rw.Header().Set("X-Slack-No-Retry", noRetry)
				}
				if status == 302 {
					rw.Header().Set("Location", "/elsewhere")
				}
				rw.WriteHeader(status)
			})
			mux.Handle("/elsewhere", http.RedirectHandler("/elsewhere", http.StatusFound))
			srv := serve(t, mux)
			w.Connect(srv)
			t.Cleanup(func() { w.Close() })
			must(w.AddUser(slacktest.User{Name: "ana"}))
			dm := must(w.Person("ana").OpenDM("U0DESK"))
			idle(t, w) // team_join
			mu.Lock()
			got, ids = nil, nil
			mu.Unlock()
			before := w.Stats()
			must(w.Person("ana").Say(slacktest.Post{Channel: dm, Text: "hi"}))
			idle(t, w)
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("deliveries (-want +got):\n%s", diff)
			}
			if slices.ContainsFunc(ids, func(id string) bool { return id != ids[0] || id == "" }) {
				t.Errorf("event ids = %q, want the same each time", ids)
			}
			if n := w.Stats().GaveUp - before.GaveUp; n != tt.gaveUp {
				t.Errorf("given up: %d, want %d", n, tt.gaveUp)
			}
		})
	}
}

func TestAnAppThatIsDownHearsLater(t *testing.T) {
	t.Parallel()
	w := must(slacktest.New(slacktest.Options{Redeliver: []time.Duration{0, 50 * time.Millisecond, time.Minute}, Record: 10}))
	defer w.Close()
	must(w.AddUser(slacktest.User{Name: "ana"}))
	dm := must(w.Person("ana").OpenDM("U0DESK"))
	w.Connect("http://127.0.0.1:1") // nobody listens there
	must(w.Person("ana").Say(slacktest.Post{Channel: dm, Text: "hi"}))
	wait(t, w, func() bool { return len(w.Deliveries()) >= 2 })
	for i, d := range w.Deliveries()[:2] {
		if d.Err != "connection_failed" || d.Attempt != i+1 {
			t.Errorf("delivery %d = %+v", i, d)
		}
	}
	came := make(chan string, 10)
	w.Connect(serve(t, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { came <- r.Header.Get("X-Slack-Retry-Num") })))
	if n := <-came; n != "2" {
		t.Errorf("it came with retry number %q, want 2", n)
	}
}

func TestDeliveryFaults(t *testing.T) {
	t.Parallel()
	newRoom := func(t *testing.T, f func(slacktest.Delivery) slacktest.DeliveryFault) *app {
		a := newApp(t, slacktest.Options{Redeliver: []time.Duration{0, 0, 0}})
		a.heard()
		a.w.OnDelivery(f)
		return a
	}
	say := func(a *app, texts ...string) []string {
		for _, text := range texts {
			must(a.w.Person("ana").Say(slacktest.Post{Channel: "help", Text: text}))
		}
		return a.heard()
	}
	t.Run("in order when nothing is wrong", func(t *testing.T) {
		t.Parallel()
		var want, words []string
		for i := range 50 {
			words = append(words, fmt.Sprint(i))
			want = append(want, fmt.Sprintf("message channel %d", i))
		}
		if diff := cmp.Diff(want, say(newRoom(t, nil), words...)); diff != "" {
			t.Errorf("order (-want +got):\n%s", diff)
		}
	})
	t.Run("copies", func(t *testing.T) {
		t.Parallel()
		a := newRoom(t, func(slacktest.Delivery) slacktest.DeliveryFault { return slacktest.DeliveryFault{Copies: 2} })
		must(a.w.Person("ana").Say(slacktest.Post{Channel: "help", Text: "x"}))
		if got := a.all(3, ofType("message")); got[0].EventID != got[1].EventID || got[1].EventID != got[2].EventID {
			t.Errorf("copies have ids %q %q %q", got[0].EventID, got[1].EventID, got[2].EventID)
		}
	})
	t.Run("one is late and overtaken", func(t *testing.T) {
		t.Parallel()
		a := newRoom(t, func(d slacktest.Delivery) slacktest.DeliveryFault {
			if strings.Contains(string(d.Body), `"first"`) {
				return slacktest.DeliveryFault{Delay: 100 * time.Millisecond}
			}
			return slacktest.DeliveryFault{}
		})
		if diff := cmp.Diff([]string{"message channel second", "message channel first"}, say(a, "first", "second")); diff != "" {
			t.Errorf("order (-want +got):\n%s", diff)
		}
	})
	t.Run("an answer is lost, and the event comes again", func(t *testing.T) {
		t.Parallel()
		a := newRoom(t, func(d slacktest.Delivery) slacktest.DeliveryFault {
			return slacktest.DeliveryFault{Lost: d.Attempt == 1}
		})
		if diff := cmp.Diff([]string{"message channel x", "message channel x"}, say(a, "x")); diff != "" {
			t.Errorf("deliveries (-want +got):\n%s", diff)
		}
	})
}

func TestVerifyURL(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name  string
		serve func(rw http.ResponseWriter, challenge string)
		ok    bool
	}{
		{"as JSON", func(rw http.ResponseWriter, c string) { fmt.Fprintf(rw, `{"challenge":%q}`, c) }, true},
		{"as text", func(rw http.ResponseWriter, c string) { fmt.Fprint(rw, c) }, true},
		{"as something else", func(rw http.ResponseWriter, _ string) { fmt.Fprint(rw, "hello") }, false},
		{"with 500", func(rw http.ResponseWriter, c string) { rw.WriteHeader(500); fmt.Fprint(rw, c) }, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := must(slacktest.New(slacktest.Options{}))
			defer w.Close()
			w.Connect(serve(t, http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
				_, c, _ := strings.Cut(string(readAll(r)), `"challenge":"`)
				c, _, _ = strings.Cut(c, `"`)
				tt.serve(rw, c)
			})))
			if err := w.VerifyURL(t.Context()); (err == nil) != tt.ok {
				t.Errorf("VerifyURL() = %v", err)
			}
		})
	}
}

func TestSocketMode(t *testing.T) {
	t.Parallel()
	a := newApp(t, slacktest.Options{SocketMode: true, Redeliver: []time.Duration{0, 0, 0}})
	s := newSocketApp(t, a)
	ana := a.w.Person("ana")
	dm := must(ana.OpenDM("U0DESK"))
	must(ana.Say(slacktest.Post{Channel: dm, Text: "hi"}))
	if got := next(t, s.events); got != "hi" {
		t.Errorf("the event says %q", got)
	}
	if err := ana.Command(dm, "/desk", "vpn"); err != nil {
		t.Errorf("Command: %v", err)
	}
	list := must(ana.Messages(dm, "", 10))
	if got := list[len(list)-1]; got.Text != "you asked vpn" || !got.Ephemeral {
		t.Errorf("the command was answered with %+v", got)
	}
	a.w.Refresh()
	next(t, s.connected)
	must(ana.Say(slacktest.Post{Channel: dm, Text: "again"}))
	if got := next(t, s.events); got != "again" {
		t.Errorf("after reconnecting the event says %q", got)
	}
}
