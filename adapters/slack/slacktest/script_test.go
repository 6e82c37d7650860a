package slacktest_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/deskhand/deskhand/adapters/slack/slacktest"
)

// desk is a little desk that answers as the real one might.
func desk(t *testing.T) *app {
	a := newApp(t, slacktest.Options{App: slacktest.App{Shortcuts: []slacktest.Shortcut{
		{Name: "Open a ticket", CallbackID: "open", OnMessage: true}, {Name: "Ask", CallbackID: "ask"},
	}}})
	form := modalJSON("New ticket", `[
		{"type":"input","block_id":"what","label":{"type":"plain_text","text":"What happened?"},"element":{"type":"plain_text_input","action_id":"a"}},
		{"type":"input","block_id":"who","label":{"type":"plain_text","text":"Who is affected?"},"element":{"type":"static_select","action_id":"a","options":[
			{"text":{"type":"plain_text","text":"Only me"},"value":"me"},{"text":{"type":"plain_text","text":"My team"},"value":"team"}]}},
		{"type":"input","block_id":"boss","optional":true,"label":{"type":"plain_text","text":"Your lead"},"element":{"type":"users_select","action_id":"a"}}]`, "")
	a.answers(func(r request) (int, any) {
		switch {
		case r.Event["type"] == "message" && r.Event["bot_id"] == nil && r.Event["subtype"] == nil:
			call(t, a.w, "chat.postMessage", "channel", r.Event["channel"].(string), "thread_ts", r.Event["ts"].(string), "text", "fallback", "blocks", `[
				{"type":"section","text":{"type":"mrkdwn","text":"*KB-12* Keep the *VPN* connected"}},
				{"type":"actions","block_id":"acts","elements":[
					{"type":"button","action_id":"solved","text":{"type":"plain_text","text":":tada: Solved it"}},
					{"type":"button","action_id":"open","style":"primary","text":{"type":"plain_text","text":"Open a ticket"}},
					{"type":"overflow","action_id":"more","options":[{"text":{"type":"plain_text","text":"Talk to a person"},"value":"person"}]}]}]`)
		case r.Event["type"] == "app_home_opened" && r.Event["tab"] == "home":
			call(t, a.w, "views.publish", "user_id", r.Event["user"].(string), "view", `{"type":"home","blocks":[{"type":"actions","elements":[
				{"type":"button","action_id":"open","text":{"type":"plain_text","text":"New ticket"}}]}]}`)
		case r.Type == "block_actions" && r.ActionCallback.BlockActions[0].ActionID == "solved":
			call(t, a.w, "chat.update", "channel", r.Channel.ID, "ts", r.Message.Timestamp, "text", "Glad it worked", "blocks", "[]")
		case r.Type == "block_actions" && r.ActionCallback.BlockActions[0].ActionID == "more":
			call(t, a.w, "chat.postEphemeral", "channel", r.Channel.ID, "user", r.User.ID, "text", "Somebody will come")
		case r.Type == "block_actions" || r.Type == "message_action" || r.Type == "shortcut":
			call(t, a.w, "views.open", "trigger_id", r.TriggerID, "view", form)
		case r.Type == "view_submission":
			if v := r.View.State.Values; len(v["what"]["a"].Value) < 5 {
				return 200, map[string]any{"response_action": "errors", "errors": map[string]string{"what": "Say a little more."}}
			} else if v["who"]["a"].SelectedOption.Value == "team" {
				call(t, a.w, "chat.postMessage", "channel", "Chelp", "text", "INC-1 "+v["what"]["a"].Value+" for <@"+v["boss"]["a"].SelectedUser+">")
			}
		case r.Form["command"] == "/desk":
			return 200, "You said " + r.Form["text"]
		}
		return 200, nil
	})
	return a
}

func TestScript(t *testing.T) {
	t.Parallel()
	a := desk(t)
	s := a.w.Script(t)
	ana, ben := s.Person("ana"), s.Person("@ben")
	ana.Says("vpn drops every ten minutes").
		Sees("KB-12 Keep the VPN connected").
		Press("Open a ticket").
		SeesForm("New ticket", "What happened?").
		Fill("What happened?", "vpn").
		Fill("Who is affected?", "My team").
		Fill("Your lead", "ben").
		SubmitRefused("Say a little more").
		Sees("Say a little more").
		Fill("What happened?", "the vpn drops").
		Submits().
		SeesNoForm()
	s.Channel("#help").Sees("INC-1 the vpn drops", "@ben").SeesNot("KB-12")
	ben.In("help").Sees("INC-1").Reacts("INC-1", ":eyes:").Sees(":eyes: 1").
		Uses("Open a ticket", "INC-1").SeesForm("New ticket").Closes().SeesNoForm().
		Uses("Ask", "").SeesForm("New ticket").Closes().
		Runs("/desk vpn").Sees("only ben sees this", "You said vpn")
	ana.In("#help").SeesNot("You said vpn")
	ana.Choose("Talk to a person").Sees("Somebody will come").
		PressOn("KB-12", "Talk to a person").
		PressOn("KB-12", "Solved it").Sees("Glad it worked", "(edited)").
		InThread("Glad it worked").Sees("vpn drops").Says("thanks").Edits("thanks", "many thanks").Sees("many thanks").Deletes("many thanks").SeesNot("many thanks")
	ana.Replies("one more", slacktest.Upload{Name: "shot.png", Data: []byte("x")}).Sees("one more", "(file: shot.png)")
	ana.OpensHome().Press("New ticket").SeesForm("New ticket")
	idle(t, a.w)
}

func TestScriptFillsInEveryKindOfField(t *testing.T) {
	t.Parallel()
	a := newApp(t, slacktest.Options{})
	input := func(label, element string) string {
		return `{"type":"input","label":{"type":"plain_text","text":"` + label + `"},"element":{"action_id":"` + label + `",` + element + `}}`
	}
	form := modalJSON("T", "["+strings.Join([]string{
		input("Who", `"type":"multi_users_select"`), input("Where", `"type":"channels_select"`), input("Day", `"type":"datepicker"`),
		input("Time", `"type":"timepicker"`), input("When", `"type":"datetimepicker"`), input("Which", `"type":"external_select","min_query_length":1`),
		input("Marks", `"type":"checkboxes","options":[{"text":{"type":"plain_text","text":"Loud"},"value":"l"},{"text":{"type":"plain_text","text":"Quiet"},"value":"q"}]`), input("Pick", `"type":"multi_static_select","options":[{"text":{"type":"plain_text","text":"Red"},"value":"r"},{"text":{"type":"plain_text","text":"Blue"},"value":"b"}]`),
		input("Words", `"type":"rich_text_input"`),
	}, ",")+"]", "")
	a.answers(func(r request) (int, any) {
		if r.Type == "block_suggestion" {
			return 200, json.RawMessage(`{"options":[{"text":{"type":"plain_text","text":"Printer 3"},"value":"p3"},{"text":{"type":"plain_text","text":"Scanner"},"value":"s"}]}`)
		}
		return 200, nil
	})
	if r := call(t, a.w, "views.open", "trigger_id", a.trigger(), "view", form); r.body["ok"] != true {
		t.Fatalf("views.open: %s", r.raw)
	}
	ana := a.w.Script(t).Person("ana")
	ana.Fill("Who", "ana", "ben").Fill("Where", "help").Fill("Day", "2026-11-21").Fill("Time", "09:30").Fill("When", "2026-11-21T09:30:00Z").
		Fill("Which", "printer").Fill("Marks", "Loud").Choose("Red").Choose("Blue").Choose("Red").Fill("Words", "hello @ben").
		SeesForm("Who: [ana, ben ▾]", "Where: [#help ▾]", "Day: [2026-11-21]", "Time: [09:30]", "When: [1795253400]", "Which: [Printer 3 ▾]",
			"(x) Loud ( ) Quiet", "Pick: [Blue ▾ Red | Blue]", "Words: [hello @ben]").
		Submits().SeesNoForm()
	if got := a.one(ofType("view_submission")).View.State.Values; len(got) != 9 {
		t.Errorf("%d fields were sent, want 9", len(got))
	}
}

func TestFailingScriptPrintsTheConversation(t *testing.T) {
	t.Parallel()
	a := desk(t)
	s := a.w.Script(t)
	s.Person("ana").Says("vpn").Sees("KB-12").Press("Open a ticket").Fill("What happened?", "half")
	idle(t, a.w)
	for name, line := range map[string]func(*slacktest.Script){
		"does not see":     func(s *slacktest.Script) { s.Person("ana").Sees("KB-99") },
		"sees no button":   func(s *slacktest.Script) { s.Person("ana").Press("Close") },
		"sees no option":   func(s *slacktest.Script) { s.Person("ana").Choose("Everybody") },
		"sees no field":    func(s *slacktest.Script) { s.Person("ana").Fill("Why?", "x") },
		"is nothing":       func(s *slacktest.Script) { s.Person("ana").Submits() },
		"sees no message":  func(s *slacktest.Script) { s.Person("ana").Reacts("KB-99", "eyes") },
		"no such shortcut": func(s *slacktest.Script) { s.Person("ana").Uses("Fly", "") },
		"no message in":    func(s *slacktest.Script) { s.Channel("help").Sees("KB-12") },
		"cannot talk":      func(s *slacktest.Script) { s.Person("zoe") },
		"no channel":       func(s *slacktest.Script) { s.Channel("zoo") },
		"not in":           func(s *slacktest.Script) { s.Person("ana").Runs("/nothing") },
		`sees ["KB-12"]`:   func(s *slacktest.Script) { s.Person("ana").SeesNot("KB-12") },
		"no form with":     func(s *slacktest.Script) { s.Person("ana").SeesForm("Old ticket") },
		"has no form open": func(s *slacktest.Script) { s.Person("ben").Closes() },
	} {
		printed := failure(t, a.w, line)
		if printed == "" {
			t.Errorf("%s: the line did not fail", name)
			continue
		}
		for _, want := range []string{"── ana and Desk ──", "ana: vpn", "   ↳ Desk: *KB-12* Keep the *VPN* connected", "[:tada: Solved it] [Open a ticket] [⋯ Talk to a person]", "── form open for ana ──", "What happened?: [half]"} {
			if !strings.Contains(printed, want) {
				t.Errorf("%s: the failure does not print %q:\n%s", name, want, printed)
			}
		}
	}
}

func TestTranscriptOfEveryBlock(t *testing.T) {
	t.Parallel()
	a := newApp(t, slacktest.Options{})
	call(t, a.w, "chat.postMessage", "channel", "Chelp", "text", "x", "blocks", `[
		{"type":"header","text":{"type":"plain_text","text":"INC-1"}},
		{"type":"section","text":{"type":"mrkdwn","text":"<@Uana> in <#Chelp> says <https://x.test|this> &amp; <!date^1800000000^{time}|soon>"},
			"fields":[{"type":"plain_text","text":"State: new"}],"accessory":{"type":"static_select","placeholder":{"type":"plain_text","text":"Pick"},"options":`+opts(2)+`}},
		{"type":"divider"},
		{"type":"context","elements":[{"type":"mrkdwn","text":"since 9:00"},{"type":"image","image_url":"https://x.test/a.png","alt_text":"a face"}]},
		{"type":"image","image_url":"https://x.test/a.png","alt_text":"a chart"},
		{"type":"markdown","text":"**bold**"},
		{"type":"rich_text","elements":[{"type":"rich_text_section","elements":[{"type":"text","text":"hi "},{"type":"user","user_id":"Uben"},{"type":"emoji","name":"tada"}]}]},
		{"type":"table","rows":[[{"type":"raw_text","text":"a"},{"type":"raw_text","text":"b"}]]},
		{"type":"card","title":{"type":"plain_text","text":"Card"},"actions":[{"type":"button","text":{"type":"plain_text","text":"Go"}}]}]`)
	call(t, a.w, "chat.postEphemeral", "channel", "Chelp", "user", "Uben", "text", "psst")
	want := `── #help ──
Desk: ## INC-1
      @ana in #help says this & soon
      State: new
      [Pick ▾ ü | ü]
      ---
      since 9:00 · (image: a face)
      (image: a chart)
      **bold**
      hi @ben:tada:
      a | b
      Card
      [Go]
Desk (only ben sees this): psst
`
	if diff := cmp.Diff(want, a.w.Transcript("help")); diff != "" {
		t.Errorf("transcript (-want +got):\n%s", diff)
	}
	var v slacktest.View
	if err := json.Unmarshal([]byte(modalJSON("T", `[{"type":"input","block_id":"b","label":{"type":"plain_text","text":"Which"},"hint":{"type":"plain_text","text":"any"},
		"element":{"type":"radio_buttons","action_id":"a","options":[{"text":{"type":"plain_text","text":"One"},"value":"1"},{"text":{"type":"plain_text","text":"Two"},"value":"2"}]}}]`, "")), &v); err != nil {
		t.Fatal(err)
	}
	v.State.Values = map[string]map[string]json.RawMessage{"b": {"a": json.RawMessage(`{"type":"radio_buttons","selected_option":{"text":{"type":"plain_text","text":"Two"},"value":"2"}}`)}}
	v.Errors, v.Trouble = map[string]string{"b": "Not that one"}, "Try again?"
	if diff := cmp.Diff("# T\nWhich: ( ) One (x) Two\n  (any)\n  ! Not that one\n! Try again?\n[Send] [Cancel]\n", a.w.RenderView(v)); diff != "" {
		t.Errorf("view (-want +got):\n%s", diff)
	}
}
