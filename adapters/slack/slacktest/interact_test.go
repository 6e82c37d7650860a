package slacktest_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/slack-go/slack"

	"github.com/deskhand/deskhand/adapters/slack/slacktest"
)

// clock is a time that a test turns.
type clock struct {
	mu sync.Mutex
	t  time.Time
}

func newClock() *clock { return &clock{t: time.Unix(1_800_000_000, 0)} }

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.t
}

func (c *clock) pass(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.t = c.t.Add(d)
}

func modalJSON(title, blocks, more string) string {
	return `{"type":"modal","title":{"type":"plain_text","text":"` + title + `"},"submit":{"type":"plain_text","text":"Send"},"blocks":` + blocks + more + `}`
}

const oneField = `[{"type":"input","block_id":"b","label":{"type":"plain_text","text":"What"},"element":{"type":"plain_text_input","action_id":"a"}}]`

// trigger makes ana run /desk and gives the trigger id of it.
func (a *app) trigger() string {
	a.t.Helper()
	if err := a.w.Person("ana").Command("help", "/desk", "x"); err != nil {
		a.t.Fatal(err)
	}
	return a.one(func(r request) bool { return r.Path == "/slack/commands" }).Form["trigger_id"]
}

func TestTriggers(t *testing.T) {
	t.Parallel()
	c := newClock()
	a := newApp(t, slacktest.Options{Now: c.now})
	open := func(id, view string) string {
		return call(t, a.w, "views.open", "trigger_id", id, "view", view).str("error")
	}
	good := modalJSON("T", oneField, "")
	once := a.trigger()
	if got := open(once, `{"type":"modal"}`); got != "invalid_arguments" {
		t.Errorf("a bad view: %q", got)
	}
	c.pass(3 * time.Second)
	if got := open(once, good); got != "" {
		t.Errorf("after three seconds, a bad view in between: %q, want it opened", got)
	}
	if got := open(once, good); got != "exchanged_trigger_id" {
		t.Errorf("a second time: %q", got)
	}
	late := a.trigger()
	c.pass(3*time.Second + time.Millisecond)
	if got := open(late, good); got != "expired_trigger_id" {
		t.Errorf("too late: %q", got)
	}
	if got := open(strings.ToUpper(late)+"x", good); got != "invalid_trigger_id" {
		t.Errorf("made up: %q", got)
	}
	if n := len(a.w.Person("ana").Views()); n != 1 {
		t.Errorf("ana has %d views open, want 1", n)
	}
}

func TestViewStack(t *testing.T) {
	t.Parallel()
	a := newApp(t, slacktest.Options{})
	ana := a.w.Person("ana")
	titles := func() (list []string) {
		for _, v := range ana.Views() {
			list = append(list, v.Title.Text)
		}
		return list
	}
	check := func(step string, want ...string) {
		t.Helper()
		if diff := cmp.Diff(want, titles()); diff != "" {
			t.Errorf("%s: views (-want +got):\n%s", step, diff)
		}
	}
	button := `[{"type":"actions","block_id":"acts","elements":[{"type":"button","action_id":"more","text":{"type":"plain_text","text":"More"}}]}]`
	press := func() string {
		t.Helper()
		top := ana.Views()[len(ana.Views())-1]
		if err := ana.Act(slacktest.Act{View: top.ID, Action: "more"}); err != nil {
			t.Fatal(err)
		}
		return a.one(ofType("block_actions")).TriggerID
	}
	push := func(trigger, title, more string) string {
		return call(t, a.w, "views.push", "trigger_id", trigger, "view", modalJSON(title, button, more)).str("error")
	}
	if got := push(a.trigger(), "too soon", ""); got != "not_found" {
		t.Errorf("a push on nothing: %q", got)
	}
	root := call(t, a.w, "views.open", "trigger_id", a.trigger(), "view", modalJSON("one", button, `,"notify_on_close":true,"external_id":"ext"`))
	if root.body["ok"] != true {
		t.Fatalf("views.open: %s", root.raw)
	}
	if got := push(press(), "two", ""); got != "" {
		t.Errorf("second: %q", got)
	}
	if got := push(press(), "three", `,"notify_on_close":true`); got != "" {
		t.Errorf("third: %q", got)
	}
	if got := push(press(), "four", ""); got != "push_limit_reached" {
		t.Errorf("fourth: %q", got)
	}
	check("three on each other", "one", "two", "three")
	views := ana.Views()
	if views[1].PreviousID != views[0].ID || views[2].RootID != views[0].ID {
		t.Errorf("the stack is not linked: %+v", views)
	}
	if got := call(t, a.w, "views.open", "trigger_id", press(), "view", modalJSON("other", button, `,"external_id":"ext"`)).str("error"); got != "duplicate_external_id" {
		t.Errorf("an external id taken twice: %q", got)
	}
	if err := ana.Act(slacktest.Act{View: views[0].ID, Action: "more"}); !errors.Is(err, slacktest.ErrRefused) {
		t.Errorf("acting in a covered view: %v", err)
	}
	if err := ana.CloseView(views[2].ID, false); err != nil {
		t.Fatal(err)
	}
	check("the top closed", "one", "two")
	if got := a.one(ofType("view_closed")); got.View.ID != views[2].ID || got.IsCleared {
		t.Errorf("view_closed = %v", got.Payload)
	}
	if err := ana.CloseView(views[1].ID, true); err != nil {
		t.Fatal(err)
	}
	check("all closed")
	closed := a.all(2, ofType("view_closed"))
	if got := closed[len(closed)-1]; len(closed) != 2 || got.View.ID != views[0].ID || !got.IsCleared {
		t.Errorf("view_closed came %d times, the last %v", len(closed), got.Payload)
	}
	if got := call(t, a.w, "views.update", "view_id", views[0].ID, "view", modalJSON("late", button, "")).str("error"); got != "not_found" {
		t.Errorf("an update of a closed view: %q", got)
	}
}

func TestViewHashAndWhatWasEntered(t *testing.T) {
	t.Parallel()
	a := newApp(t, slacktest.Options{})
	ana := a.w.Person("ana")
	fields := func(initial string) string {
		return `[{"type":"input","block_id":"b","label":{"type":"plain_text","text":"What"},"element":{"type":"plain_text_input","action_id":"a","initial_value":"` + initial + `"}},
		{"type":"input","block_id":"new` + initial + `","label":{"type":"plain_text","text":"Else"},"element":{"type":"plain_text_input","action_id":"a","initial_value":"` + initial + `"}}]`
	}
	opened := call(t, a.w, "views.open", "trigger_id", a.trigger(), "view", modalJSON("T", fields("one"), ""))
	id, hash := opened.str("view", "id"), opened.str("view", "hash")
	if err := ana.Act(slacktest.Act{View: id, Block: "b", Action: "a", Values: []string{"typed"}}); err != nil {
		t.Fatal(err)
	}
	updated := call(t, a.w, "views.update", "view_id", id, "hash", hash, "view", modalJSON("T", fields("two"), ""))
	if updated.body["ok"] != true || updated.str("view", "id") != id || updated.str("view", "hash") == hash {
		t.Fatalf("views.update: %s", updated.raw)
	}
	if got := call(t, a.w, "views.update", "view_id", id, "hash", hash, "view", modalJSON("T", oneField, "")).str("error"); got != "hash_conflict" {
		t.Errorf("with the old hash: %q", got)
	}
	values := ana.Views()[0].State.Values
	if got := string(values["b"]["a"]); !strings.Contains(got, `"typed"`) {
		t.Errorf("the field that stayed has %s, want what was typed", got)
	}
	if got := string(values["newtwo"]["a"]); !strings.Contains(got, `"two"`) {
		t.Errorf("the new field has %s, want its initial value", got)
	}
	if values["newone"] != nil {
		t.Error("the field that went is still in the state")
	}
	if got := call(t, a.w, "views.update", "view_id", id, "view", modalJSON("T", oneField, `,"private_metadata":"`+strings.Repeat("x", 3001)+`"`)).raw; !strings.Contains(got, "must be less than 3001 characters [json-pointer:/view/private_metadata]") {
		t.Errorf("long private metadata: %s", got)
	}
}

func TestSubmission(t *testing.T) {
	t.Parallel()
	ack := map[string]any{}
	push := map[string]any{"response_action": "push", "view": json.RawMessage(modalJSON("next", oneField, ""))}
	tests := []struct {
		name    string
		typed   string
		answer  func(request) (int, any)
		refused map[string]string
		code    string   // of the failure
		views   []string // titles afterwards
	}{
		{"taken", "x", nil, nil, "", nil},
		{"taken with an empty object", "x", func(request) (int, any) { return 200, ack }, nil, "", nil},
		{"a required field left empty is not even sent", "", func(request) (int, any) { return 500, nil }, map[string]string{"b": "Please complete this required field."}, "", []string{"first"}},
		{"refused at a field", "x", func(request) (int, any) {
			return 200, map[string]any{"response_action": "errors", "errors": map[string]string{"b": "Say more."}}
		}, map[string]string{"b": "Say more."}, "", []string{"first"}},
		{"refused at a field that there is not", "x", func(request) (int, any) {
			return 200, map[string]any{"response_action": "errors", "errors": map[string]string{"c": "Say more."}}
		}, nil, "invalid_errors", []string{"first"}},
		{"refused without saying where", "x", func(request) (int, any) { return 200, map[string]any{"response_action": "errors"} }, nil, "invalid_errors", []string{"first"}},
		{"updated", "x", func(request) (int, any) {
			return 200, map[string]any{"response_action": "update", "view": json.RawMessage(modalJSON("changed", oneField, ""))}
		}, nil, "", []string{"changed"}},
		{"updated with a view that is none", "x", func(request) (int, any) {
			return 200, map[string]any{"response_action": "update", "view": map[string]any{"type": "modal"}}
		}, nil, "invalid_view", []string{"first"}},
		{"pushed", "x", func(request) (int, any) { return 200, push }, nil, "", []string{"first", "next"}},
		{"cleared", "x", func(request) (int, any) { return 200, map[string]any{"response_action": "clear"} }, nil, "", nil},
		{"an action that there is not", "x", func(request) (int, any) { return 200, map[string]any{"response_action": "cheer"} }, nil, "invalid_response_action", []string{"first"}},
		{"an answer that is no JSON", "x", func(request) (int, any) { return 200, "ok" }, nil, "invalid_response", []string{"first"}},
		{"an app that is broken", "x", func(request) (int, any) { return 500, nil }, nil, "http_service_error", []string{"first"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			a := newApp(t, slacktest.Options{})
			ana := a.w.Person("ana")
			id := call(t, a.w, "views.open", "trigger_id", a.trigger(), "view", modalJSON("first", oneField, `,"private_metadata":"pm","callback_id":"cb"`)).str("view", "id")
			if err := ana.Act(slacktest.Act{View: id, Action: "a", Values: []string{tt.typed}}); err != nil {
				t.Fatal(err)
			}
			a.answers(tt.answer)
			refused, err := ana.Submit(id)
			var failure *slacktest.AppError
			if code := ""; errors.As(err, &failure) {
				code = failure.Notice.Code
				if code != tt.code {
					t.Errorf("Submit() failed with %q, want %q", code, tt.code)
				}
				if v := ana.Views(); len(v) == 0 || v[len(v)-1].Trouble != "We had some trouble connecting. Try again?" {
					t.Errorf("the view does not say that there was trouble: %+v", v)
				}
			} else if err != nil || tt.code != "" {
				t.Errorf("Submit() = %v, want code %q", err, tt.code)
			}
			if diff := cmp.Diff(tt.refused, refused); diff != "" && len(tt.refused)+len(refused) > 0 {
				t.Errorf("refused (-want +got):\n%s", diff)
			}
			var titles []string
			for _, v := range ana.Views() {
				titles = append(titles, v.Title.Text)
			}
			if diff := cmp.Diff(tt.views, titles); diff != "" {
				t.Errorf("views (-want +got):\n%s", diff)
			}
			if tt.typed == "" {
				return
			}
			sent := a.one(ofType("view_submission"))
			if got := sent.View.State.Values["b"]["a"].Value; got != tt.typed || sent.View.PrivateMetadata != "pm" || sent.View.CallbackID != "cb" || sent.TriggerID == "" || sent.User.ID != "Uana" {
				t.Errorf("the submission is %v", sent.Payload)
			}
		})
	}
}

func TestFailuresThatPeopleSee(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, code string
		status     int // -1: none, ever
		url        string
	}{
		{"nobody listens", "dispatch_failed", 0, "http://127.0.0.1:1"},
		{"too slow", "operation_timeout", -1, ""},
		{"a client's error", "http_client_error", 401, ""},
		{"a server's error", "http_service_error", 503, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			within := time.Duration(0)
			if tt.status < 0 {
				within = 150 * time.Millisecond
			}
			a := newApp(t, slacktest.Options{AnswerWithin: within, App: slacktest.App{
				Shortcuts: []slacktest.Shortcut{{Name: "Ask", CallbackID: "ask"}},
			}})
			ts := call(t, a.w, "chat.postMessage", "channel", "Chelp", "text", "x", "blocks",
				`[{"type":"actions","elements":[{"type":"button","action_id":"go","text":{"type":"plain_text","text":"Go"}}]}]`).str("ts")
			idle(t, a.w)
			never := make(chan struct{})
			t.Cleanup(func() { close(never) })
			a.answers(func(request) (int, any) {
				if tt.status < 0 {
					<-never
					return 200, nil
				}
				return tt.status, nil
			})
			if tt.url != "" {
				a.w.Connect(tt.url)
			}
			ana := a.w.Person("ana")
			seq := a.w.Seq()
			before := a.count()
			for what, err := range map[string]error{
				`/desk failed with the error "` + tt.code + `"`: ana.Command("help", "/desk", "x"),
				`Desk failed with the error "` + tt.code + `"`:  ana.Act(slacktest.Act{Channel: "help", TS: ts, Action: "go"}),
				`Ask failed with the error "` + tt.code + `"`:   ana.Shortcut("ask"),
			} {
				var failure *slacktest.AppError
				if !errors.As(err, &failure) || failure.Notice.Code != tt.code || failure.Notice.Text != what {
					t.Errorf("got %v, want %s", err, what)
				}
			}
			notices := 0
			for c, err := range ana.Follow(t.Context(), seq) {
				if err != nil {
					t.Fatal(err)
				}
				if c.Kind == slacktest.Noticed {
					if notices++; notices == 3 {
						break
					}
				}
			}
			// None of it is sent again.
			if n := a.count() - before; tt.url == "" && n != 3 {
				t.Errorf("the app was asked %d times, want 3", n)
			}
		})
	}
}

func TestCommands(t *testing.T) {
	t.Parallel()
	a := newApp(t, slacktest.Options{App: slacktest.App{Commands: []slacktest.Command{{Name: "/desk"}, {Name: "/ids", Escape: true}}}})
	ana := a.w.Person("ana")
	dm := must(ana.OpenDM("ben"))
	if err := ana.Command(dm, "/desk", "@ben & <me>"); err != nil {
		t.Fatal(err)
	}
	form := a.one(func(r request) bool { return r.Path == "/slack/commands" }).Form
	url := form["response_url"]
	if form["trigger_id"] == "" || !strings.HasPrefix(url, a.w.URL()+"/response/") {
		t.Errorf("form = %v", form)
	}
	delete(form, "trigger_id")
	delete(form, "response_url")
	want := map[string]string{
		"token": "verification-token-of-A0DESK", "team_id": "T0SLACKTEST", "team_domain": "acme", "channel_id": dm, "channel_name": "directmessage",
		"user_id": "Uana", "user_name": "ana", "command": "/desk", "text": "@ben &amp; &lt;me&gt;", "api_app_id": "A0DESK", "is_enterprise_install": "false",
	}
	if diff := cmp.Diff(want, form); diff != "" {
		t.Errorf("form (-want +got):\n%s", diff)
	}
	if err := ana.Command("help", "/ids", "@ben in #help"); err != nil {
		t.Fatal(err)
	}
	if got := a.one(func(r request) bool { return r.Form["command"] == "/ids" }).Form["text"]; got != "<@Uben|ben> in <#Chelp|help>" {
		t.Errorf("with escaping on the text is %q", got)
	}
	for _, tt := range []struct {
		name      string
		answer    any
		text      string
		ephemeral bool
	}{
		{"plain text", "Looking…", "Looking…", true},
		{"JSON", map[string]any{"text": "to you"}, "to you", true},
		{"JSON for all", map[string]any{"text": "to all", "response_type": "in_channel"}, "to all", false},
	} {
		a.answers(func(request) (int, any) { return 200, tt.answer })
		if err := ana.Command("help", "/desk", "x"); err != nil {
			t.Fatalf("%s: %v", tt.name, err)
		}
		list := must(ana.Messages("help", "", 100))
		if got := list[len(list)-1]; got.Text != tt.text || got.Ephemeral != tt.ephemeral {
			t.Errorf("%s: the answer is %+v", tt.name, got)
		}
		list = must(a.w.Person("ben").Messages("help", "", 100))
		if seen := len(list) > 0 && list[len(list)-1].Text == tt.text; seen == tt.ephemeral {
			t.Errorf("%s: ben sees it: %v", tt.name, seen)
		}
	}
	a.answers(func(request) (int, any) { return 200, map[string]any{"blocks": []any{map[string]any{"type": "poll"}}} })
	var failure *slacktest.AppError
	if err := ana.Command("help", "/desk", "x"); !errors.As(err, &failure) {
		t.Errorf("an answer with bad blocks: %v", err)
	}
	for _, bad := range [][2]string{{"help", "/nothing"}, {"nowhere", "/desk"}} {
		if err := ana.Command(bad[0], bad[1], ""); !errors.Is(err, slacktest.ErrRefused) {
			t.Errorf("Command(%q) = %v, want it refused", bad, err)
		}
	}
}

func TestShortcuts(t *testing.T) {
	t.Parallel()
	a := newApp(t, slacktest.Options{App: slacktest.App{Shortcuts: []slacktest.Shortcut{
		{Name: "Ask", CallbackID: "ask"}, {Name: "Open a ticket", CallbackID: "open", OnMessage: true},
	}}})
	ana := a.w.Person("ana")
	dm := must(ana.OpenDM("ben"))
	m := must(a.w.Person("ben").Say(slacktest.Post{Channel: dm, Text: "it hurts"}))
	if err := ana.Shortcut("ask"); err != nil {
		t.Fatal(err)
	}
	if got := a.one(ofType("shortcut")); got.CallbackID != "ask" || got.TriggerID == "" || got.ActionTs == "" || got.User.ID != "Uana" {
		t.Errorf("shortcut = %v", got.Payload)
	}
	if err := ana.MessageShortcut("open", dm, m.TS); err != nil {
		t.Fatal(err)
	}
	got := a.one(ofType("message_action"))
	if got.CallbackID != "open" || got.Message.Text != "it hurts" || got.Message.User != "Uben" || got.MessageTs != m.TS || got.Channel.ID != dm || got.ResponseURL == "" {
		t.Errorf("message_action = %v", got.Payload)
	}
	for _, err := range []error{ana.Shortcut("open"), ana.MessageShortcut("ask", dm, m.TS), ana.MessageShortcut("open", dm, "1.0"), a.w.Person("nobody").Shortcut("ask")} {
		if !errors.Is(err, slacktest.ErrRefused) {
			t.Errorf("got %v, want it refused", err)
		}
	}
}

func TestResponseURL(t *testing.T) {
	t.Parallel()
	c := newClock()
	a := newApp(t, slacktest.Options{Now: c.now})
	ana := a.w.Person("ana")
	button := `[{"type":"actions","block_id":"x","elements":[{"type":"button","action_id":"go","text":{"type":"plain_text","text":"Go"}}]}]`
	public := call(t, a.w, "chat.postMessage", "channel", "Chelp", "text", "public", "blocks", button).str("ts")
	call(t, a.w, "chat.postEphemeral", "channel", "Chelp", "user", "Uana", "text", "private", "blocks", button)
	list := must(ana.Messages("help", "", 10))
	private := list[len(list)-1].TS
	press := func(ts string) string {
		t.Helper()
		if err := ana.Act(slacktest.Act{Channel: "help", TS: ts, Action: "go"}); err != nil {
			t.Fatal(err)
		}
		got := a.all(1, func(r request) bool { return r.Container.MessageTs == ts })
		last := got[len(got)-1]
		if last.Container.IsEphemeral != (ts == private) || (last.Payload["message"] == nil) != (ts == private) {
			t.Errorf("the click is %v", last.Payload)
		}
		return last.ResponseURL
	}
	post := func(url, body string) string {
		t.Helper()
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Content-Type", "application/json")
		r := do(t, req)
		if (r.status == http.StatusOK) != (r.body["ok"] == true) {
			t.Errorf("status %d with %s", r.status, r.raw)
		}
		return r.str("error")
	}
	text := func(ts string) string { m, _ := a.w.Message("help", ts); return m.Text }

	url := press(public)
	if got := post(url, `{"replace_original":true,"text":"changed"}`); got != "" || text(public) != "changed" {
		t.Errorf("replacing: %q, the message says %q", got, text(public))
	}
	if got := post(url, `{"text":"x","blocks":[{"type":"poll"}]}`); got != "invalid_blocks" {
		t.Errorf("bad blocks: %q", got)
	}
	for i := range 4 {
		if got := post(url, fmt.Sprintf(`{"text":"use %d"}`, i+2)); got != "" {
			t.Errorf("use %d: %q", i+2, got)
		}
	}
	if got := post(url, `{"text":"use 6"}`); got != "used_url" {
		t.Errorf("use 6: %q", got)
	}
	public = call(t, a.w, "chat.postMessage", "channel", "Chelp", "text", "public", "blocks", button).str("ts")
	url = press(public)
	c.pass(30*time.Minute + time.Second)
	if got := post(url, `{"text":"late"}`); got != "expired_url" {
		t.Errorf("after half an hour: %q", got)
	}
	if got := call(t, a.w, "chat.update", "channel", "Chelp", "ts", private, "text", "x").str("error"); got != "message_not_found" {
		t.Errorf("chat.update of an ephemeral message: %q", got)
	}
	url = press(private)
	if got := post(url, `{"replace_original":true,"text":"changed too"}`); got != "" || text(private) != "changed too" {
		t.Errorf("replacing an ephemeral message: %q, it says %q", got, text(private))
	}
	if got := post(url, `{"delete_original":true}`); got != "" || text(private) != "" {
		t.Errorf("deleting an ephemeral message: %q, it says %q", got, text(private))
	}
	if got := post(url, `{"response_type":"in_channel","text":"for all"}`); got != "" {
		t.Errorf("in the channel: %q", got)
	}
	list = must(a.w.Person("ben").Messages("help", "", 10))
	if got := list[len(list)-1]; got.Text != "for all" || got.Subtype != "bot_message" {
		t.Errorf("ben sees %+v", got)
	}
	if got := post(url, `{}`); got != "no_text" {
		t.Errorf("saying nothing: %q", got)
	}
	if got := post(a.w.URL()+"/response/R404", `{"text":"x"}`); got != "expired_url" {
		t.Errorf("made up: %q", got)
	}
}

// Every element has its place in state.values, with what was entered and without.
func TestStateOfEveryElement(t *testing.T) {
	t.Parallel()
	opts := `"options":[{"text":{"type":"plain_text","text":"One"},"value":"1"},{"text":{"type":"plain_text","text":"Two"},"value":"2"}]`
	one := `{"text":{"emoji":true,"text":"One","type":"plain_text"},"value":"1"}`
	two := `{"text":{"emoji":true,"text":"Two","type":"plain_text"},"value":"2"}`
	tests := []struct {
		kind, more string
		values     []string
		empty      string
		filled     string // the value in place of the empty one
	}{
		{"plain_text_input", "", []string{"x"}, `"value":null`, `"value":"x"`},
		{"email_text_input", "", []string{"a@b.test"}, `"value":null`, `"value":"a@b.test"`},
		{"url_text_input", "", []string{"https://b.test"}, `"value":null`, `"value":"https://b.test"`},
		{"number_input", `,"is_decimal_allowed":true`, []string{"1.5"}, `"value":null`, `"value":"1.5"`},
		{"static_select", "," + opts, []string{"2"}, `"selected_option":null`, `"selected_option":` + two},
		{"radio_buttons", "," + opts, []string{"1"}, `"selected_option":null`, `"selected_option":` + one},
		{"checkboxes", "," + opts, []string{"1", "2"}, `"selected_options":[]`, `"selected_options":[` + one + "," + two + `]`},
		{"multi_static_select", "," + opts, []string{"2"}, `"selected_options":[]`, `"selected_options":[` + two + `]`},
		{"users_select", "", []string{"Uben"}, `"selected_user":null`, `"selected_user":"Uben"`},
		{"multi_users_select", "", []string{"Uben", "Uana"}, `"selected_users":[]`, `"selected_users":["Uben","Uana"]`},
		{"channels_select", "", []string{"Chelp"}, `"selected_channel":null`, `"selected_channel":"Chelp"`},
		{"multi_channels_select", "", []string{"Chelp"}, `"selected_channels":[]`, `"selected_channels":["Chelp"]`},
		{"conversations_select", "", []string{"Chelp"}, `"selected_conversation":null`, `"selected_conversation":"Chelp"`},
		{"multi_conversations_select", "", []string{"Chelp"}, `"selected_conversations":[]`, `"selected_conversations":["Chelp"]`},
		{"datepicker", "", []string{"2026-11-21"}, `"selected_date":null`, `"selected_date":"2026-11-21"`},
		{"timepicker", "", []string{"09:30"}, `"selected_time":null`, `"selected_time":"09:30"`},
		{"datetimepicker", "", []string{"1800000000"}, `"selected_date_time":null`, `"selected_date_time":1800000000`},
		{"external_select", `,"min_query_length":1`, []string{"1"}, `"selected_option":null`, `"selected_option":` + `{"text":{"text":"One","type":"plain_text"},"value":"1"}`},
		{"multi_external_select", `,"min_query_length":1`, []string{"1"}, `"selected_options":[]`, `"selected_options":[` + `{"text":{"text":"One","type":"plain_text"},"value":"1"}]`},
	}
	for _, tt := range tests {
		t.Run(tt.kind, func(t *testing.T) {
			t.Parallel()
			a := newApp(t, slacktest.Options{})
			ana := a.w.Person("ana")
			a.answers(func(r request) (int, any) {
				if r.Type == slack.InteractionTypeBlockSuggestion {
					return 200, json.RawMessage("{" + opts + "}")
				}
				return 200, nil
			})
			blocks := `[{"type":"input","block_id":"b","dispatch_action":true,"label":{"type":"plain_text","text":"L"},"element":{"type":"` + tt.kind + `","action_id":"a"` + tt.more + `}}]`
			opened := call(t, a.w, "views.open", "trigger_id", a.trigger(), "view", modalJSON("T", blocks, ""))
			if opened.body["ok"] != true {
				t.Fatalf("views.open: %s", opened.raw)
			}
			act := slacktest.Act{View: opened.str("view", "id"), Block: "b", Action: "a"}
			state := func() string { return string(ana.Views()[0].State.Values["b"]["a"]) }
			same := func(got, want string) bool {
				var g, w any
				return json.Unmarshal([]byte(got), &g) == nil && json.Unmarshal([]byte(want), &w) == nil && cmp.Equal(g, w)
			}
			if want := `{"type":"` + tt.kind + `",` + tt.empty + `}`; !same(state(), want) {
				t.Errorf("empty: %s, want %s", state(), want)
			}
			if strings.Contains(tt.kind, "external") {
				if list := must(ana.Suggest(act, "o")); len(list) != 2 || list[0].Text != "One" {
					t.Fatalf("Suggest() = %v", list)
				}
			}
			act.Values = tt.values
			if err := ana.Act(act); err != nil {
				t.Fatal(err)
			}
			if want := `{"type":"` + tt.kind + `",` + tt.filled + `}`; !same(state(), want) {
				t.Errorf("filled in: %s, want %s", state(), want)
			}
			click := a.one(ofType("block_actions"))
			action := must(json.Marshal(click.Payload["actions"].([]any)[0]))
			var got map[string]any
			if err := json.Unmarshal(action, &got); err != nil || got["type"] != tt.kind || got["block_id"] != "b" || got["action_id"] != "a" || got["action_ts"] == nil {
				t.Errorf("action = %s", action)
			}
			var want map[string]any
			if err := json.Unmarshal([]byte("{"+tt.filled+"}"), &want); err != nil {
				t.Fatal(err)
			}
			for k, v := range want {
				if !cmp.Equal(got[k], v) {
					t.Errorf("action has %s %v, want %v", k, got[k], v)
				}
			}
			if click.Container.ViewID != act.View || click.Payload["view"] == nil || click.ResponseURL != "" {
				t.Errorf("the click is %v", click.Payload)
			}
			if _, err := ana.Submit(act.View); err != nil {
				t.Errorf("Submit: %v", err)
			}
		})
	}
}

func TestFieldsThatSlackItselfRefuses(t *testing.T) {
	t.Parallel()
	a := newApp(t, slacktest.Options{})
	ana := a.w.Person("ana")
	for _, tt := range []struct {
		element, typed, want string
	}{
		{`"type":"plain_text_input","min_length":3`, "ab", "This entry must be at least 3 characters long."},
		{`"type":"plain_text_input","max_length":3`, "abcd", "This entry must be at most 3 characters long."},
		{`"type":"email_text_input"`, "ana", "Must be a valid email address"},
		{`"type":"url_text_input"`, "ana", "Must be a valid URL"},
		{`"type":"number_input","is_decimal_allowed":false`, "1.5", "Must be a whole number"},
		{`"type":"number_input","is_decimal_allowed":true`, "one", "Must be a number"},
		{`"type":"number_input","is_decimal_allowed":true,"min_value":"2"`, "1", "Must be at least 2"},
		{`"type":"number_input","is_decimal_allowed":true,"max_value":"2"`, "3", "Must be at most 2"},
	} {
		blocks := `[{"type":"input","block_id":"b","label":{"type":"plain_text","text":"L"},"element":{"action_id":"a",` + tt.element + `}}]`
		id := call(t, a.w, "views.open", "trigger_id", a.trigger(), "view", modalJSON("T", blocks, "")).str("view", "id")
		if err := ana.Act(slacktest.Act{View: id, Action: "a", Values: []string{tt.typed}}); err != nil {
			t.Fatal(err)
		}
		refused, err := ana.Submit(id)
		if err != nil || refused["b"] != tt.want || ana.Views()[0].Errors["b"] != tt.want {
			t.Errorf("%s with %q: %v, %v; want %q", tt.element, tt.typed, refused, err, tt.want)
		}
	}
	optional := `[{"type":"input","block_id":"b","optional":true,"label":{"type":"plain_text","text":"L"},"element":{"action_id":"a","type":"plain_text_input","min_length":3}}]`
	id := call(t, a.w, "views.open", "trigger_id", a.trigger(), "view", modalJSON("T", optional, "")).str("view", "id")
	if refused, err := ana.Submit(id); err != nil || len(refused) > 0 {
		t.Errorf("an optional field left empty: %v, %v", refused, err)
	}
}

func TestFileInput(t *testing.T) {
	t.Parallel()
	a := newApp(t, slacktest.Options{})
	ana := a.w.Person("ana")
	blocks := `[{"type":"input","block_id":"b","label":{"type":"plain_text","text":"L"},"element":{"type":"file_input","action_id":"a","filetypes":["png"],"max_files":1}}]`
	id := call(t, a.w, "views.open", "trigger_id", a.trigger(), "view", modalJSON("T", blocks, "")).str("view", "id")
	png, txt := must(ana.Upload(slacktest.Upload{Name: "a.png", Data: []byte("x")})), must(ana.Upload(slacktest.Upload{Name: "a.txt", Data: []byte("x")}))
	act := slacktest.Act{View: id, Action: "a"}
	for _, bad := range [][]string{{txt.ID}, {png.ID, png.ID}, {"F404"}} {
		act.Values = bad
		if err := ana.Act(act); !errors.Is(err, slacktest.ErrRefused) {
			t.Errorf("files %v: %v, want them refused", bad, err)
		}
	}
	act.Values = []string{png.ID}
	if err := ana.Act(act); err != nil {
		t.Fatal(err)
	}
	if _, err := ana.Submit(id); err != nil {
		t.Fatal(err)
	}
	if files := a.one(ofType("view_submission")).View.State.Values["b"]["a"].Files; len(files) != 1 || files[0].ID != png.ID || files[0].Name != "a.png" {
		t.Errorf("files = %+v", files)
	}
}

func TestSuggestions(t *testing.T) {
	t.Parallel()
	a := newApp(t, slacktest.Options{})
	ana := a.w.Person("ana")
	ts := call(t, a.w, "chat.postMessage", "channel", "Chelp", "text", "x", "blocks",
		`[{"type":"actions","block_id":"b","elements":[{"type":"external_select","action_id":"s"}]}]`).str("ts")
	act := slacktest.Act{Channel: "help", TS: ts, Action: "s"}
	if list, err := ana.Suggest(act, "pr"); err != nil || list != nil {
		t.Errorf("two letters: %v, %v; want nothing asked", list, err)
	}
	many := make([]any, 101)
	for i := range many {
		many[i] = map[string]any{"text": map[string]any{"type": "plain_text", "text": "x"}, "value": fmt.Sprint(i)}
	}
	for name, body := range map[string]any{
		"no JSON": "soon", "101 options": map[string]any{"options": many}, "something else": map[string]any{"choices": many[:1]},
		"an option without text": map[string]any{"options": []any{map[string]any{"value": "1"}}},
	} {
		a.answers(func(request) (int, any) { return 200, body })
		var failure *slacktest.AppError
		if _, err := ana.Suggest(act, "printer"); !errors.As(err, &failure) {
			t.Errorf("%s: %v, want it refused", name, err)
		}
	}
	a.answers(func(r request) (int, any) {
		if r.Payload["value"] != "printer" || r.Payload["action_id"] != "s" || r.Payload["block_id"] != "b" || r.Payload["channel"] == nil {
			t.Errorf("block_suggestion = %v", r.Payload)
		}
		return 200, map[string]any{"option_groups": []any{map[string]any{"label": map[string]any{"type": "plain_text", "text": "Floor 3"}, "options": many[:2]}}}
	})
	list := must(ana.Suggest(act, "printer"))
	if len(list) != 2 || list[1].Value != "1" || list[1].Group != "Floor 3" {
		t.Errorf("options = %+v", list)
	}
	act.Values = []string{"77"}
	if err := ana.Act(act); !errors.Is(err, slacktest.ErrRefused) {
		t.Errorf("choosing what was not offered: %v", err)
	}
}

func TestHomeTab(t *testing.T) {
	t.Parallel()
	a := newApp(t, slacktest.Options{})
	ana := a.w.Person("ana")
	home := `{"type":"home","private_metadata":"pm","blocks":[{"type":"actions","block_id":"b","elements":[{"type":"button","action_id":"go","text":{"type":"plain_text","text":"Go"}}]}]}`
	first := call(t, a.w, "views.publish", "user_id", "Uana", "view", home)
	hash := first.str("view", "hash")
	second := call(t, a.w, "views.publish", "user_id", "Uana", "hash", hash, "view", home)
	if first.str("view", "id") == "" || second.str("view", "id") != first.str("view", "id") {
		t.Errorf("the Home tab is %q, then %q; want the same", first.str("view", "id"), second.str("view", "id"))
	}
	if got := call(t, a.w, "views.publish", "user_id", "Uana", "hash", hash, "view", home).str("error"); got != "hash_conflict" {
		t.Errorf("with a stale hash: %q", got)
	}
	if err := ana.OpenHome(); err != nil {
		t.Fatal(err)
	}
	ev := a.one(ofType("app_home_opened")).Event
	if v, _ := ev["view"].(map[string]any); ev["tab"] != "home" || ev["user"] != "Uana" || v["private_metadata"] != "pm" {
		t.Errorf("app_home_opened = %v", ev)
	}
	if err := ana.Act(slacktest.Act{View: second.str("view", "id"), Action: "go"}); err != nil {
		t.Fatal(err)
	}
	if got := a.one(ofType("block_actions")); got.View.Type != "home" || got.Container.ViewID != second.str("view", "id") {
		t.Errorf("the click is %v", got.Payload)
	}
	if err := a.w.Person("ben").Act(slacktest.Act{View: second.str("view", "id"), Action: "go"}); !errors.Is(err, slacktest.ErrRefused) {
		t.Errorf("ben pressing on ana's Home tab: %v", err)
	}
}

func TestChosenInAMessageIsEachPersonsOwn(t *testing.T) {
	t.Parallel()
	a := newApp(t, slacktest.Options{})
	ana, ben := a.w.Person("ana"), a.w.Person("ben")
	ts := call(t, a.w, "chat.postMessage", "channel", "Chelp", "text", "x", "blocks",
		`[{"type":"actions","block_id":"b","elements":[{"type":"datepicker","action_id":"d"},{"type":"overflow","action_id":"o","options":[{"text":{"type":"plain_text","text":"One"},"value":"1"}]},{"type":"button","action_id":"go","text":{"type":"plain_text","text":"Go"},"value":"v","style":"primary"}]}]`).str("ts")
	if err := ana.Act(slacktest.Act{Channel: "help", TS: ts, Action: "d", Values: []string{"2026-11-21"}}); err != nil {
		t.Fatal(err)
	}
	if err := ana.Act(slacktest.Act{Channel: "help", TS: ts, Action: "o", Values: []string{"1"}}); err != nil {
		t.Fatal(err)
	}
	if got := a.one(ofType("block_actions")).ActionCallback.BlockActions[0]; got.SelectedOption.Value != "1" || got.Type != "overflow" {
		t.Errorf("overflow = %+v", got)
	}
	for _, p := range []*slacktest.Person{ana, ben} {
		if err := p.Act(slacktest.Act{Channel: "help", TS: ts, Action: "go"}); err != nil {
			t.Fatal(err)
		}
	}
	clicks := a.all(4, ofType("block_actions"))
	if got := clicks[2].BlockActionState.Values["b"]["d"].SelectedDate; got != "2026-11-21" {
		t.Errorf("ana's click says %q", got)
	}
	if got := clicks[3].BlockActionState.Values["b"]["d"].SelectedDate; got != "" {
		t.Errorf("ben's click says %q", got)
	}
	if got := clicks[3].ActionCallback.BlockActions[0]; got.Value != "v" || got.Text.Text != "Go" || clicks[3].Channel.Name != "help" || clicks[3].Message.Timestamp != ts {
		t.Errorf("ben's click is %v", clicks[3].Payload)
	}
	if err := ana.Act(slacktest.Act{Channel: "help", TS: ts, Action: "o"}); !errors.Is(err, slacktest.ErrRefused) {
		t.Errorf("an overflow menu without an option: %v", err)
	}
}
