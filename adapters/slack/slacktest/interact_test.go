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
