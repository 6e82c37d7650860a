package slacktest_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/deskhand/deskhand/adapters/slack/slacktest"
)

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
