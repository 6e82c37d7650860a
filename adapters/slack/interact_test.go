package slack

import (
	"errors"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/deskhand/deskhand/adapters/slack/blockkit"
	"github.com/deskhand/deskhand/bot/chat"
)

var came = time.Unix(1_700_000_100, 0).UTC()

// payload is an interaction by Ana, with more fields.
func payload(kind, fields string) string {
	return `{"type":"` + kind + `","api_app_id":"A1","team":{"id":"T1","domain":"acme"},"user":{"id":"U1","username":"ana","team_id":"T1"},"trigger_id":"13.T1.abc",` + fields + `}`
}

const (
	onCard = `"container":{"type":"message","message_ts":"1700000000.1","channel_id":"C1","is_ephemeral":false},"channel":{"id":"C1","name":"it"},"message":{"type":"message","ts":"1700000000.1","text":"card","user":"U0DESK","bot_id":"B1"},"response_url":"https://hooks.slack.com/actions/1",`
	inView = `"view":{"id":"V1","type":"modal","callback_id":"ticket.open","hash":"h1","private_metadata":"{\"a\":{\"x\":\"7\"},\"c\":\"C1\",\"t\":\"1699999999.1\",\"r\":\"https://hooks.slack.com/actions/1\"}","state":{"values":` +
		`{"title":{"in:ticket.open:title:0":{"type":"plain_text_input","value":"printer"}},"details":{"in:ticket.open:details:0":{"type":"plain_text_input","value":null}},` +
		`"who":{"in:ticket.open:who:2":{"type":"radio_buttons","selected_option":{"value":"team"}}},"checks":{"in:ticket.open:checks:0":{"type":"checkboxes","selected_options":[{"value":"a"},{"value":"b"}]}},` +
		`"person":{"in:ticket.open:person:0":{"type":"users_select","selected_user":"U2"}},"channel":{"in:ticket.open:channel:0":{"type":"conversations_select","selected_conversation":"C2"}},` +
		`"date":{"in:ticket.open:date:0":{"type":"datepicker","selected_date":"2026-11-20"}},"time":{"in:ticket.open:time:0":{"type":"timepicker","selected_time":"14:05"}},"Xy1":{"menu:1":{"type":"overflow"}}}}}`
)

var filled = chat.Values{
	"title": {"printer"}, "who": {"team"}, "checks": {"a", "b"}, "person": {"U2"}, "channel": {"C2"}, "date": {"2026-11-20"}, "time": {"14:05"},
}

func TestInteractions(t *testing.T) {
	t.Parallel()
	const reply = "https://hooks.slack.com/actions/1"
	acted := time.Unix(1_700_000_050, 500_000_000).UTC()
	fromCard := place("C1", "")
	inForm := place("C1", "1699999999.1")
	for _, tt := range []struct {
		name, payload string
		want          chat.Event
		inCall        bool
	}{
		{"a button on a card",
			payload("block_actions", onCard+`"actions":[{"type":"button","action_id":"do:ticket.claim:0","block_id":"b","value":"{\"t\":\"42\"}","action_ts":"1700000050.5"}]`),
			chat.Event{Key: "p:13.T1.abc", At: acted, Kind: chat.Pressed, By: person("U1"), Place: fromCard, Scope: chat.Open, Message: "1700000000.1", Action: "ticket.claim", Args: chat.Args{"t": "42"}, Reply: reply}, false},
		{"a button that opens a form",
			payload("block_actions", onCard+`"actions":[{"type":"button","action_id":"form:ticket.resolve:1","value":"","action_ts":"1700000050.5"}]`),
			chat.Event{Key: "p:13.T1.abc", At: acted, Kind: chat.Pressed, By: person("U1"), Place: fromCard, Scope: chat.Open, Message: "1700000000.1", Action: "ticket.resolve", Reply: reply}, true},
		{"a line of an overflow menu",
			payload("block_actions", onCard+`"actions":[{"type":"overflow","action_id":"menu:2","selected_option":{"value":"form:ticket.wait?t=42&v=3"},"action_ts":"1700000050.5"}]`),
			chat.Event{Key: "p:13.T1.abc", At: acted, Kind: chat.Pressed, By: person("U1"), Place: fromCard, Scope: chat.Open, Message: "1700000000.1", Action: "ticket.wait", Args: chat.Args{"t": "42", "v": "3"}, Reply: reply}, true},
		{"a button in a thread of a direct message",
			payload("block_actions", `"container":{"type":"message","message_ts":"1700000000.1","channel_id":"D1","thread_ts":"1699999999.1"},"channel":{"id":"D1","name":"directmessage"},"message":{"ts":"1700000000.1","thread_ts":"1699999999.1"},"actions":[{"type":"button","action_id":"do:ask.solved:0","action_ts":"1700000050.5"}]`),
			chat.Event{Key: "p:13.T1.abc", At: acted, Kind: chat.Pressed, By: person("U1"), Place: place("D1", "1699999999.1"), Scope: chat.Direct, Message: "1700000000.1", Action: "ask.solved"}, false},
		{"a button on what only one person sees has no message to change",
			payload("block_actions", `"container":{"type":"message","message_ts":"1700000000.1","channel_id":"C1","is_ephemeral":true},"channel":{"id":"C1","name":"privategroup"},"actions":[{"type":"button","action_id":"do:x:0","action_ts":"1700000050.5"}]`),
			chat.Event{Key: "p:13.T1.abc", At: acted, Kind: chat.Pressed, By: person("U1"), Place: place("C1", ""), Scope: chat.Group, Action: "x"}, false},
		{"a button on the Home tab",
			payload("block_actions", `"container":{"type":"view","view_id":"V0"},"view":{"id":"V0","type":"home","private_metadata":"","state":{"values":{}}},"actions":[{"type":"button","action_id":"do:home.mine:0","action_ts":"1700000050.5"}]`),
			chat.Event{Key: "p:13.T1.abc", At: acted, Kind: chat.Pressed, By: person("U1"), Place: place("", ""), Action: "home.mine"}, false},
		{"a button in a form",
			payload("block_actions", `"container":{"type":"view"},`+inView+`,"actions":[{"type":"button","action_id":"form:kb.steps:0","value":"{\"a\":\"12\"}","action_ts":"1700000050.5"}]`),
			chat.Event{Key: "p:13.T1.abc", At: acted, Kind: chat.Pressed, By: person("U1"), Place: inForm, Scope: chat.Open, Action: "kb.steps", Args: chat.Args{"a": "12"}, Values: filled, View: "V1", Reply: reply}, true},
		{"a field that is changed",
			payload("block_actions", inView+`,"actions":[{"type":"radio_buttons","action_id":"in:ticket.open:who:2","block_id":"who","selected_option":{"value":"team"},"action_ts":"1700000050.5"}]`),
			chat.Event{Key: "p:13.T1.abc", At: acted, Kind: chat.Changed, By: person("U1"), Place: inForm, Scope: chat.Open, Action: "ticket.open", Args: chat.Args{"x": "7"}, Values: filled, View: "V1", Reply: reply}, true},
		{"a form that is closed",
			payload("view_closed", `"is_cleared":false,`+inView),
			chat.Event{Key: "x:V1", At: came, Kind: chat.Dismissed, By: person("U1"), Place: inForm, Scope: chat.Open, Action: "ticket.open", Args: chat.Args{"x": "7"}, Values: filled, View: "V1", Reply: reply}, false},
		{"a global shortcut",
			payload("shortcut", `"callback_id":"desk.ask","action_ts":"1700000050.5"`),
			chat.Event{Key: "p:13.T1.abc", At: acted, Kind: chat.Started, By: person("U1"), Place: place("", ""), Action: "desk.ask"}, true},
		{"the menu of a message",
			payload("message_action", `"callback_id":"ticket.from_message","action_ts":"1700000050.5","message_ts":"1700000000.1","channel":{"id":"C1","name":"general"},"response_url":"https://hooks.slack.com/actions/1","message":{"type":"message","user":"U2","ts":"1700000000.1","text":"it &lt;broke&gt;","files":[{"id":"F1","name":"a"}]}`),
			chat.Event{Key: "p:13.T1.abc", At: acted, Kind: chat.Picked, By: person("U1"), Author: person("U2"), Place: place("C1", ""), Scope: chat.Open, Message: "1700000000.1", Action: "ticket.from_message", Text: "it <broke>", Files: []chat.File{{ID: "F1", Name: "a"}}, Reply: reply}, true},
		{"type-ahead",
			payload("block_suggestion", `"action_id":"in:ticket.open:kb:0","block_id":"kb","value":"vp",`+inView),
			chat.Event{Key: "o:V1:kb:vp", At: came, Kind: chat.Searched, By: person("U1"), Place: inForm, Scope: chat.Open, Action: "kb", Text: "vp", Args: chat.Args{"x": "7"}, Values: filled, View: "V1", Reply: reply}, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			in, err := decodeInteraction([]byte(tt.payload), desk, came)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, in.event); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if in.inCall != tt.inCall {
				t.Errorf("answered within the call: %t, want %t", in.inCall, tt.inCall)
			}
		})
	}
}

func TestSubmission(t *testing.T) {
	t.Parallel()
	sent := payload("view_submission", inView)
	in, err := decodeInteraction([]byte(sent), desk, came)
	if err != nil {
		t.Fatal(err)
	}
	want := chat.Event{Key: in.event.Key, At: came, Kind: chat.Submitted, By: person("U1"), Place: place("C1", "1699999999.1"), Scope: chat.Open,
		Action: "ticket.open", Args: chat.Args{"x": "7"}, Values: filled, View: "V1", Reply: "https://hooks.slack.com/actions/1"}
	if diff := cmp.Diff(want, in.event); diff != "" || !in.inCall {
		t.Errorf("in call %t (-want +got):\n%s", in.inCall, diff)
	}
	if got := in.open.Fields["who"]; got.ActionID != "in:ticket.open:who:2" {
		t.Errorf("the field who is held under %q", got.ActionID)
	}
	if _, ok := in.open.Fields["details"]; !ok {
		t.Error("an empty field is not known, so no error can stand beside it")
	}
	if in.open.Meta.Args != nil || in.open.Meta.Channel != "C1" {
		t.Errorf("what the next form inherits: %+v", in.open.Meta)
	}

	// The same again, after a lost answer, is the same event; a correction is not.
	for _, tt := range []struct {
		name, payload string
		same          bool
	}{
		{"sent again", strings.Replace(sent, "13.T1.abc", "14.T1.def", 1), true},
		{"corrected", strings.Replace(sent, "printer", "scanner", 1), false},
		{"drawn anew", strings.Replace(sent, `"h1"`, `"h2"`, 1), false},
		{"another form", strings.Replace(sent, `"V1"`, `"V2"`, 1), false},
	} {
		again, err := decodeInteraction([]byte(tt.payload), desk, came)
		if err != nil || (again.event.Key == in.event.Key) != tt.same {
			t.Errorf("%s: key %q after %q, %v", tt.name, again.event.Key, in.event.Key, err)
		}
	}
}

func TestInteractionsThatAreNothingForTheDesk(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, payload string
		want          error
	}{
		{"no JSON", "x", errMalformed},
		{"nothing", "", errMalformed},
		{"nobody", `{"type":"block_actions","team":{"id":"T1"}}`, errMalformed},
		{"another workspace", strings.Replace(payload("shortcut", `"callback_id":"x"`), `"team":{"id":"T1"`, `"team":{"id":"T2"`, 1), errForeign},
		{"another app", strings.Replace(payload("shortcut", `"callback_id":"x"`), "A1", "A2", 1), errForeign},
		{"an unknown type", payload("moon_landing", `"x":1`), errNothing},
		{"no action", payload("block_actions", onCard+`"actions":[]`), errMalformed},
		{"a button of another kind", payload("block_actions", onCard+`"actions":[{"action_id":"approve","value":"1"}]`), errNothing},
		{"a link without an action", payload("block_actions", onCard+`"actions":[{"action_id":"do::3"}]`), errNothing},
		{"a form without a view", payload("view_submission", `"x":1`), errMalformed},
		{"a form with foreign metadata", payload("view_submission", `"view":{"id":"V1","private_metadata":"hello"}`), errMalformed},
		{"a menu without a message", payload("message_action", `"callback_id":"x","channel":{"id":"C1"}`), errMalformed},
		{"type-ahead of another app's field", payload("block_suggestion", `"action_id":"x","block_id":"b"`), errNothing},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if in, err := decodeInteraction([]byte(tt.payload), desk, came); !errors.Is(err, tt.want) {
				t.Errorf("got %+v, %v; want %v", in.event, err, tt.want)
			}
		})
	}
}

// An app that an organisation has installed gets no team but the user's own.
func TestInteractionWithoutATeam(t *testing.T) {
	t.Parallel()
	p := strings.Replace(payload("shortcut", `"callback_id":"desk.ask"`), `{"id":"T1","domain":"acme"}`, "null", 1)
	if in, err := decodeInteraction([]byte(p), desk, came); err != nil || in.event.By != person("U1") {
		t.Errorf("got %+v, %v", in.event, err)
	}
}

func TestCommands(t *testing.T) {
	t.Parallel()
	form := func(change ...string) url.Values {
		f := url.Values{"command": {"/desk"}, "team_id": {"T1"}, "api_app_id": {"A1"}, "user_id": {"U1"}, "trigger_id": {"13.T1.abc"},
			"channel_id": {"C1"}, "channel_name": {"general"}, "response_url": {"https://hooks.slack.com/commands/1"}, "text": {"vpn &amp; mail, ask <@U2|ben>"}}
		for i := 0; i < len(change); i += 2 {
			f.Set(change[i], change[i+1])
		}
		return f
	}
	in, err := decodeCommand(form(), desk, came)
	if err != nil {
		t.Fatal(err)
	}
	want := chat.Event{Key: "c:13.T1.abc", At: came, Kind: chat.Commanded, By: person("U1"), Place: place("C1", ""), Scope: chat.Open,
		Text: "vpn & mail, ask " + chat.Mention("U2"), Reply: "https://hooks.slack.com/commands/1"}
	if diff := cmp.Diff(want, in.event); diff != "" || !in.inCall || in.trigger != "13.T1.abc" {
		t.Errorf("in call %t, trigger %q (-want +got):\n%s", in.inCall, in.trigger, diff)
	}
	if diff := cmp.Diff(blockkit.Meta{Channel: "C1", Reply: want.Reply}, in.open.Meta); diff != "" {
		t.Errorf("what a form inherits (-want +got):\n%s", diff)
	}
	for _, tt := range []struct {
		name string
		form url.Values
		want error
	}{
		{"Slack tries the connection", url.Values{"ssl_check": {"1"}}, errNothing},
		{"nothing", url.Values{}, errMalformed},
		{"another workspace", form("team_id", "T2"), errForeign},
		{"another app", form("api_app_id", "A2"), errForeign},
	} {
		if _, err := decodeCommand(tt.form, desk, came); !errors.Is(err, tt.want) {
			t.Errorf("%s: %v, want %v", tt.name, err, tt.want)
		}
	}
}

func FuzzInteraction(f *testing.F) {
	f.Add(payload("block_actions", onCard+`"actions":[{"type":"button","action_id":"do:ticket.claim:0","value":"{\"t\":\"42\"}","action_ts":"1700000050.5"}]`))
	f.Add(payload("block_actions", onCard+`"actions":[{"type":"overflow","action_id":"menu:2","selected_option":{"value":"form:a?t=1"}}]`))
	f.Add(payload("view_submission", inView))
	f.Add(payload("view_closed", inView))
	f.Add(payload("block_suggestion", `"action_id":"in:a:b:0","block_id":"b","value":"x",`+inView))
	f.Add(payload("message_action", `"callback_id":"x","channel":{"id":"C1"},"message":{"user":"U2","ts":"1.1","text":"x"}`))
	f.Add(payload("shortcut", `"callback_id":"x"`))
	f.Fuzz(func(t *testing.T, p string) {
		in, err := decodeInteraction([]byte(p), desk, came)
		if err != nil {
			return
		}
		sane(t, in.event)
		again, err := decodeInteraction([]byte(p), desk, came)
		if err != nil || again.event.Key != in.event.Key {
			t.Errorf("decoded again: key %q after %q, %v", again.event.Key, in.event.Key, err)
		}
	})
}

func FuzzCommand(f *testing.F) {
	f.Add("command=%2Fdesk&team_id=T1&user_id=U1&trigger_id=1&text=hi+%26amp%3B&channel_id=D1&channel_name=directmessage")
	f.Fuzz(func(t *testing.T, body string) {
		form, err := url.ParseQuery(body)
		if err != nil {
			return
		}
		if in, err := decodeCommand(form, desk, came); err == nil {
			sane(t, in.event)
		}
	})
}
