package simulator_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/deskhand/deskhand/adapters/simulator"
	"github.com/deskhand/deskhand/adapters/slack/slacktest"
)

// An app is a small Slack app that answers what the tests ask of it. It is told
// what the double sends, and calls the double's Web API, over HTTP.
type app struct {
	t     *testing.T
	slack *slacktest.Workspace
	srv   *httptest.Server

	hold      chan struct{}        // a press of "slow" is answered when it can be sent to
	submitted chan json.RawMessage // the values of each form "everything"
}

// world is a workspace with an app and a simulator in front of it.
type world struct {
	slack *slacktest.Workspace
	app   *app
	srv   *httptest.Server
	url   string
}

const (
	ana  = "U0ANA"
	ben  = "U0BEN"
	help = "C0HELP"
)

func newWorld(t *testing.T) world {
	t.Helper()
	ws, err := slacktest.New(slacktest.Options{
		Team: slacktest.Team{Name: "Nordlys Instruments"},
		App: slacktest.App{Description: "Help with anything IT.", Shortcuts: []slacktest.Shortcut{
			{Name: "Open a ticket", CallbackID: "ticket.from", OnMessage: true},
			{Name: "Report a problem", CallbackID: "ticket.new"},
			{Name: "Fill in everything", CallbackID: "everything"},
			{Name: "Take two steps", CallbackID: "steps"},
		}},
		// A browser on a busy machine may need longer than Slack's three seconds to
		// show that an answer is being waited for.
		AnswerWithin: patience,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { ws.Close() })
	for _, u := range []slacktest.User{
		{ID: ana, Name: "ana", RealName: "Ana Torres", TZ: "Europe/Madrid", Title: "Finance"},
		{ID: ben, Name: "ben", RealName: "Ben Okafor", TZ: "Europe/Oslo", Title: "Service desk"},
		{ID: "U0CHLOE", Name: "chloe", RealName: "Chloé Martin"},
	} {
		if _, err := ws.AddUser(u); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := ws.AddChannel(slacktest.Channel{ID: help, Name: "it-help", Topic: "Ask here", Members: []string{ana, ben, ws.App().BotUserID}}); err != nil {
		t.Fatal(err)
	}
	if err := ws.Listen("127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	a := &app{t: t, slack: ws, hold: make(chan struct{}), submitted: make(chan json.RawMessage, 1)}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /slack/events", a.event)
	mux.HandleFunc("POST /slack/commands", a.command)
	mux.HandleFunc("POST /slack/interactivity", a.interaction)
	a.srv = httptest.NewServer(mux)
	t.Cleanup(a.srv.Close)
	ws.Connect(a.srv.URL)

	sim, err := simulator.New(simulator.Options{
		Slack: ws, Title: "deskhand",
		People: []simulator.Persona{{User: "ana", Role: "Employee, Finance"}, {User: "ben", Role: "Agent, Service desk"}},
		Tasks: []simulator.Task{
			{Title: "Ask for help", Text: "Write to the desk in your own words.", Say: "the printer on floor 3 is not printing"},
			{Title: "Be the agent", Text: "Look at the help channel as Ben.", As: "ben", In: "it-help"},
			{Title: "Report a problem", Text: "Use the lightning sign at the top."},
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	srv := httptest.NewServer(sim)
	t.Cleanup(srv.CloseClientConnections)
	t.Cleanup(func() { ws.Close(); srv.Close() }) // the streams end with the workspace
	return world{slack: ws, app: a, srv: srv, url: srv.URL}
}

// obj is a JSON object being built.
type obj = map[string]any

func mrkdwn(s string) obj { return obj{"type": "mrkdwn", "text": s} }
func plain(s string) obj  { return obj{"type": "plain_text", "text": s} }

func button(action, label string, more obj) obj {
	b := obj{"type": "button", "action_id": action, "text": plain(label), "value": "1"}
	for k, v := range more {
		b[k] = v
	}
	return b
}

// call uses the Web API and fails the test if Slack would refuse.
func (a *app) call(method string, args obj) obj {
	body, err := json.Marshal(args)
	if err != nil {
		a.t.Error(err)
		return nil
	}
	req, err := http.NewRequest("POST", a.slack.URL()+"/api/"+method, bytes.NewReader(body))
	if err != nil {
		a.t.Error(err)
		return nil
	}
	req.Header.Set("Content-Type", "application/json; charset=utf-8")
	req.Header.Set("Authorization", "Bearer "+a.slack.App().BotToken)
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil // the test is over
	}
	defer res.Body.Close()
	var out obj
	if err := json.NewDecoder(res.Body).Decode(&out); err != nil {
		a.t.Errorf("%s: %v", method, err)
	}
	if out["ok"] != true {
		a.t.Errorf("%s: %v %v", method, out["error"], out["response_metadata"])
	}
	return out
}

type eventBody struct {
	Event struct {
		Type, Subtype, Channel, User, Text, TS, Tab, Reaction string
		ChannelType                                           string `json:"channel_type"`
		ThreadTS                                              string `json:"thread_ts"`
		BotID                                                 string `json:"bot_id"`
	}
}

func (a *app) event(w http.ResponseWriter, r *http.Request) {
	var b eventBody
	if err := json.NewDecoder(r.Body).Decode(&b); err != nil {
		a.t.Error(err)
	}
	w.WriteHeader(http.StatusOK)
	e := b.Event
	switch {
	case e.BotID != "" || e.Subtype != "":
	case e.Type == "app_home_opened" && e.Tab == "home":
		a.call("views.publish", obj{"user_id": e.User, "view": home(1)})
	case e.Type == "message" && e.ThreadTS != "":
	case e.Type == "message" && strings.Contains(e.Text, "printer"):
		a.call("chat.postMessage", obj{"channel": e.Channel, "thread_ts": e.TS, "text": "I found something", "blocks": suggestion()})
	case e.Type == "message" && strings.Contains(e.Text, "echo"):
		a.call("chat.postMessage", obj{"channel": e.Channel, "text": "You said: " + e.Text})
	case e.Type == "app_mention":
		a.call("chat.postEphemeral", obj{"channel": e.Channel, "user": e.User, "text": "I will write to you."})
	}
}

func home(presses int) obj {
	return obj{"type": "home", "blocks": []obj{
		{"type": "header", "text": plain("Good to see you")},
		{"type": "actions", "block_id": "home", "elements": []obj{button("home.press", fmt.Sprintf("Pressed %d", presses), nil)}},
	}}
}

func suggestion() []obj {
	return []obj{
		{"type": "section", "block_id": "kb", "text": mrkdwn("*KB-7 The printer is online and does not print*\nThe *print* queue has stopped."),
			"accessory": obj{"type": "overflow", "action_id": "more", "options": []obj{
				{"text": plain("Not what I meant"), "value": "no"}, {"text": plain("Read it all"), "value": "read"}}}},
		{"type": "actions", "block_id": "what", "elements": []obj{
			button("solved", "Solved it", obj{"style": "primary"}),
			button("ticket", "Open a ticket", nil),
			button("broken", "Fail", nil),
			button("slow", "Wait", nil),
			button("withdraw", "Withdraw", obj{"style": "danger", "confirm": obj{
				"title": plain("Withdraw it?"), "text": mrkdwn("Nobody will look at it."), "confirm": plain("Withdraw"), "deny": plain("Keep it")}}),
		}},
	}
}

func ticketForm(title string) obj {
	return obj{"type": "modal", "callback_id": "ticket", "title": plain("Open a ticket"), "submit": plain("Open ticket"), "close": plain("Cancel"),
		"blocks": []obj{
			{"type": "input", "block_id": "title", "label": plain("What is wrong?"),
				"element": obj{"type": "plain_text_input", "action_id": "title", "initial_value": title}},
			{"type": "input", "block_id": "who", "label": plain("Who is affected?"), "element": obj{"type": "radio_buttons", "action_id": "who",
				"options": []obj{{"text": plain("Only me"), "value": "me"}, {"text": plain("My team"), "value": "team"}}}},
			{"type": "input", "block_id": "service", "label": plain("Service"), "element": obj{"type": "static_select", "action_id": "service",
				"options": []obj{{"text": plain("Mail"), "value": "mail"}, {"text": plain("Printing"), "value": "print"}}}},
			{"type": "input", "block_id": "device", "optional": true, "label": plain("Device"), "element": obj{
				"type": "external_select", "action_id": "device", "min_query_length": 1}},
		}}
}

// step is one of two forms of which the second stands on the first.
func step(n int) obj {
	return obj{"type": "modal", "callback_id": fmt.Sprintf("step %d", n), "title": plain(fmt.Sprintf("Step %d", n)), "submit": plain("Next"), "blocks": []obj{
		{"type": "input", "block_id": "name", "label": plain("Name"), "element": obj{"type": "plain_text_input", "action_id": "name"}}}}
}

// everything is a form with each element that a form may have.
func everything() obj {
	options := []obj{{"text": plain("First"), "value": "1"}, {"text": plain("Second"), "value": "2"}, {"text": plain("Third"), "value": "3"}}
	var blocks []obj
	add := func(kind string, more obj) {
		e := obj{"type": kind, "action_id": kind}
		for k, v := range more {
			e[k] = v
		}
		blocks = append(blocks, obj{"type": "input", "block_id": kind, "label": plain(strings.ReplaceAll(kind, "_", " ")), "element": e})
	}
	add("plain_text_input", obj{"multiline": true, "max_length": 20})
	add("email_text_input", nil)
	add("url_text_input", nil)
	add("number_input", obj{"is_decimal_allowed": false})
	add("rich_text_input", nil)
	add("static_select", obj{"option_groups": []obj{{"label": plain("Some"), "options": options[:2]}, {"label": plain("More"), "options": options[2:]}}})
	add("multi_static_select", obj{"options": options, "max_selected_items": 2})
	add("external_select", obj{"min_query_length": 1})
	add("multi_external_select", obj{"min_query_length": 1})
	add("users_select", nil)
	add("multi_users_select", nil)
	add("channels_select", nil)
	add("multi_channels_select", nil)
	add("conversations_select", nil)
	add("multi_conversations_select", nil)
	add("radio_buttons", obj{"options": options})
	add("checkboxes", obj{"options": options})
	add("datepicker", nil)
	add("timepicker", nil)
	add("datetimepicker", nil)
	add("file_input", obj{"filetypes": []string{"txt"}})
	return obj{"type": "modal", "callback_id": "everything", "title": plain("Everything"), "submit": plain("Send"), "blocks": blocks}
}

func (a *app) command(w http.ResponseWriter, r *http.Request) {
	if err := r.ParseForm(); err != nil {
		a.t.Error(err)
	}
	w.Header().Set("Content-Type", "application/json")
	json.NewEncoder(w).Encode(obj{"response_type": "ephemeral", "text": "Looking into: " + r.Form.Get("text")})
}

type interactionBody struct {
	Type       string
	TriggerID  string `json:"trigger_id"`
	Value      string // of a type-ahead
	CallbackID string `json:"callback_id"`
	User       struct{ ID string }
	Channel    struct{ ID string }
	Message    struct{ Text, TS string }
	Container  struct {
		TS string `json:"message_ts"`
	}
	Actions []struct {
		ActionID string `json:"action_id"`
		Selected struct {
			Value string
		} `json:"selected_option"`
	}
	View struct {
		CallbackID string `json:"callback_id"`
		State      struct {
			Values map[string]map[string]struct {
				Value    string
				Selected struct{ Value string } `json:"selected_option"`
			}
		}
	}
}

func (a *app) interaction(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	form, err := url.ParseQuery(string(body))
	if err != nil {
		a.t.Error(err)
	}
	var in interactionBody
	if err := json.Unmarshal([]byte(form.Get("payload")), &in); err != nil {
		a.t.Error(err)
	}
	reply := func(v any) {
		w.Header().Set("Content-Type", "application/json")
		json.NewEncoder(w).Encode(v)
	}
	switch in.Type {
	case "block_suggestion":
		reply(obj{"options": []obj{{"text": plain("Laptop " + in.Value), "value": "laptop"}, {"text": plain("Phone " + in.Value), "value": "phone"}}})
	case "message_action":
		a.call("views.open", obj{"trigger_id": in.TriggerID, "view": ticketForm(in.Message.Text)})
	case "shortcut":
		view := ticketForm("")
		switch in.CallbackID {
		case "everything":
			view = everything()
		case "steps":
			view = step(1)
		}
		a.call("views.open", obj{"trigger_id": in.TriggerID, "view": view})
	case "view_submission":
		switch in.View.CallbackID {
		case "everything":
			var raw struct {
				View struct {
					State struct{ Values json.RawMessage }
				}
			}
			if err := json.Unmarshal([]byte(form.Get("payload")), &raw); err != nil {
				a.t.Error(err)
			}
			a.submitted <- raw.View.State.Values
			return
		case "step 1":
			reply(obj{"response_action": "push", "view": step(2)})
			return
		case "step 2":
			http.Error(w, "no", http.StatusInternalServerError)
			return
		}
		v := in.View.State.Values
		if !strings.Contains(v["title"]["title"].Value, " ") {
			reply(obj{"response_action": "errors", "errors": obj{"title": "Say it in a few words."}})
			return
		}
		dm := a.call("conversations.open", obj{"users": in.User.ID})["channel"].(obj)["id"]
		a.call("chat.postMessage", obj{"channel": dm, "text": fmt.Sprintf("INC-1 %s for %s about %s on %q",
			v["title"]["title"].Value, v["who"]["who"].Selected.Value, v["service"]["service"].Selected.Value, v["device"]["device"].Selected.Value)})
	case "block_actions":
		a.pressed(r.Context(), w, in)
	}
}

func (a *app) pressed(ctx context.Context, w http.ResponseWriter, in interactionBody) {
	update := func(text string) {
		a.call("chat.update", obj{"channel": in.Channel.ID, "ts": in.Container.TS, "text": text, "blocks": []obj{{"type": "section", "text": mrkdwn(text)}}})
	}
	switch act := in.Actions[0]; act.ActionID {
	case "solved":
		update(":tada: Glad it works.")
	case "withdraw":
		update("Withdrawn.")
	case "more":
		update("You chose " + act.Selected.Value)
	case "ticket":
		a.call("views.open", obj{"trigger_id": in.TriggerID, "view": ticketForm("printer")})
	case "slow":
		select {
		case a.hold <- struct{}{}:
		case <-ctx.Done(): // Slack waits no longer, or the test is over
		}
	case "broken":
		http.Error(w, "no", http.StatusInternalServerError)
	case "home.press":
		a.call("views.publish", obj{"user_id": in.User.ID, "view": home(2)})
	}
}
