package teamstest_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/deskhand/deskhand/adapters/teams/teamstest"
)

const opener = `{"type":"Action.Submit","title":"Open","data":{"form":"f","msteams":{"type":"task/fetch"}}}`

// dialog is an answer that opens one with this card.
func dialog(title, card string) map[string]any {
	return map[string]any{"task": map[string]any{"type": "continue", "value": map[string]any{
		"title": title, "height": "medium", "width": 500,
		"card": map[string]any{"contentType": "application/vnd.microsoft.card.adaptive", "content": rawJSON(card)},
	}}}
}

const submit = `{"type":"Action.Submit","title":"Send","data":{"form":"f","step":"1"}}`

func ask(more string) string {
	return card(`{"type":"Input.Text","id":"title","label":"Title","isRequired":true,"errorMessage":"Say what it is"}`+more, submit)
}

func TestADialogFromItsOpeningToItsEnd(t *testing.T) {
	t.Parallel()
	a := newApp(t, teamstest.Options{})
	a.on("task/fetch", dialog("Step 1", ask("")))
	a.on("task/submit", func(act activity) any {
		switch data := activity(act["value"].(map[string]any)["data"].(map[string]any)); data.text("title") {
		case "bad":
			return dialog("Step 1", ask(`,{"type":"TextBlock","text":"Not **that** one","color":"Attention"}`))
		case "next":
			return dialog("Step 2", card(`{"type":"Input.Text","id":"other","label":"Other"}`, submit))
		case "say":
			return map[string]any{"task": map[string]any{"type": "message", "value": "Thank you"}}
		}
		return map[string]any{}
	})
	id := a.post("19:help@thread.tacv2", withCard(card(hello, opener)))
	ana := a.w.Person("ana")
	open := func() string {
		t.Helper()
		must(t, ana.Press(teamstest.Act{Channel: "Help", Message: id, Path: "/actions/0"}))
		d, ok := ana.Dialog()
		if !ok || d.Title != "Step 1" {
			t.Fatalf("the dialog is %+v", d)
		}
		return d.ID
	}
	enter := func(dialog, value string) map[string]string {
		t.Helper()
		must(t, ana.Enter(teamstest.Act{Dialog: dialog}, "title", value))
		refused, err := ana.Submit(dialog)
		must(t, err)
		return refused
	}
	at := open()
	fetch := a.only("task/fetch")
	if fetch.text("value", "data", "form") != "f" || fetch.text("value", "data", "msteams", "type") != "task/fetch" || fetch.text("value", "context", "theme") == "" || fetch.text("replyToId") != id {
		t.Errorf("task/fetch is %v", fetch)
	}
	refused, err := ana.Submit(at)
	must(t, err)
	if diff := cmp.Diff(map[string]string{"title": "Say what it is"}, refused); diff != "" {
		t.Errorf("an empty form (-want +got):\n%s", diff)
	}
	if n := len(a.sent("task/submit")); n != 0 {
		t.Errorf("the empty form was sent")
	}
	if diff := cmp.Diff(map[string]string{"title": "Not that one"}, bareValues(enter(at, "bad"))); diff != "" {
		t.Errorf("what the app refuses (-want +got):\n%s", diff)
	}
	d, _ := ana.Dialog()
	if refused := enter(d.ID, "next"); len(refused) != 0 {
		t.Errorf("the next step is refused: %v", refused)
	}
	if d, _ := ana.Dialog(); d.Title != "Step 2" || d.Entered != nil {
		t.Errorf("the next step is %+v", d)
	}
	if refused := enter(open(), "say"); len(refused) != 0 {
		t.Errorf("refused: %v", refused)
	}
	if d, _ := ana.Dialog(); d.Message != "Thank you" || d.Card != nil {
		t.Errorf("the dialog says %+v", d)
	}
	must(t, ana.CloseDialog())
	if refused := enter(open(), "done"); len(refused) != 0 {
		t.Errorf("refused: %v", refused)
	}
	if d, ok := ana.Dialog(); ok {
		t.Errorf("the dialog is still open: %+v", d)
	}
	sent := a.sent("task/submit")
	if last := sent[len(sent)-1]; last.text("value", "data", "title") != "done" || last.text("value", "data", "step") != "1" {
		t.Errorf("task/submit is %v", last)
	}
}

func bareValues(m map[string]string) map[string]string {
	for k, v := range m {
		m[k] = strings.ReplaceAll(v, "*", "")
	}
	return m
}

func TestDialogsThatTeamsDoesNotOpen(t *testing.T) {
	t.Parallel()
	value := func(v map[string]any) map[string]any {
		return map[string]any{"task": map[string]any{"type": "continue", "value": v}}
	}
	att := func(c string) map[string]any {
		return map[string]any{"contentType": "application/vnd.microsoft.card.adaptive", "content": rawJSON(c)}
	}
	for _, tt := range []struct {
		name   string
		status int
		body   any
	}{
		{"nothing", 200, nil},
		{"no task", 200, map[string]any{"x": 1}},
		{"an unknown type", 200, map[string]any{"task": map[string]any{"type": "open"}}},
		{"no title", 200, value(map[string]any{"card": att(ask(""))})},
		{"a bare card", 200, value(map[string]any{"title": "a", "card": rawJSON(ask(""))})},
		{"an invalid card", 200, dialog("a", card(`{"type":"Nothing"}`, ""))},
		{"a card with Action.Execute", 200, dialog("a", card(hello, claim))},
		{"an odd size", 200, value(map[string]any{"title": "a", "height": "huge", "card": att(ask(""))})},
		{"an address that is not encrypted", 200, value(map[string]any{"title": "a", "url": "http://a.test"})},
		{"an empty message", 200, map[string]any{"task": map[string]any{"type": "message", "value": ""}}},
		{"no JSON", 200, "no"},
		{"a crash", 500, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			a := newApp(t, teamstest.Options{})
			a.mu.Lock()
			a.answer = func(activity) (int, any) { return tt.status, tt.body }
			a.mu.Unlock()
			id := a.post(a.chat("ana"), withCard(card(hello, opener)))
			err := a.w.Person("ana").Press(teamstest.Act{Channel: a.chat("ana"), Message: id, Path: "/actions/0"})
			var app *teamstest.AppError
			if !errors.As(err, &app) {
				t.Errorf("Press = %v", err)
			}
			if d, open := a.w.Person("ana").Dialog(); open {
				t.Errorf("a dialog is open: %+v", d)
			}
		})
	}
}

func TestADialogStaysOpenWhenTheAppFails(t *testing.T) {
	t.Parallel()
	a := newApp(t, teamstest.Options{})
	a.on("task/fetch", dialog("Step 1", ask("")))
	id := a.post(a.chat("ana"), withCard(card(hello, opener)))
	ana := a.w.Person("ana")
	must(t, ana.Press(teamstest.Act{Channel: a.chat("ana"), Message: id, Path: "/actions/0"}))
	d, _ := ana.Dialog()
	must(t, ana.Enter(teamstest.Act{Dialog: d.ID}, "title", "kept"))
	a.mu.Lock()
	a.answer = func(activity) (int, any) { return http.StatusInternalServerError, nil }
	a.mu.Unlock()
	var app *teamstest.AppError
	if _, err := ana.Submit(d.ID); !errors.As(err, &app) {
		t.Errorf("Submit = %v", err)
	}
	now, open := ana.Dialog()
	if !open || now.Entered["title"] != "kept" || !strings.Contains(now.Trouble, "Unable to reach app") {
		t.Errorf("the dialog is %+v", now)
	}
}

func TestAMessageActionOpensADialogOnAnyMessage(t *testing.T) {
	t.Parallel()
	a := newApp(t, teamstest.Options{})
	a.on("composeExtension/fetchTask", dialog("Open a ticket", ask("")))
	m, err := a.w.Person("ben").Say(teamstest.Post{Channel: "Help", Text: "the <printer> burns, @Ana Lima"})
	must(t, err)
	must(t, a.w.Person("ana").React("Help", m.ID, "surprised"))
	ana := a.w.Person("ana")
	must(t, ana.Command("Open a ticket", "Help", m.ID))
	act := a.only("composeExtension/fetchTask")
	ben, _ := a.w.User("ben")
	for want, keys := range map[string][]string{
		"openTicket": {"value", "commandId"}, "message": {"value", "commandContext"}, m.ID: {"value", "messagePayload", "id"},
		"<p>the &lt;printer&gt; burns, <span itemscope=\"\" itemtype=\"http://schema.skype.com/Mention\" itemid=\"0\">Ana Lima</span></p>": {"value", "messagePayload", "body", "content"},
		ben.ObjectID: {"value", "messagePayload", "from", "user", "id"}, "Ben Otto": {"value", "messagePayload", "from", "user", "displayName"},
		"19:help@thread.tacv2;messageid=" + m.ID: {"conversation", "id"},
	} {
		if got := act.text(keys...); got != want {
			t.Errorf("%v is %q, want %q", keys, got, want)
		}
	}
	d, open := ana.Dialog()
	if !open || d.Title != "Open a ticket" {
		t.Fatalf("the dialog is %+v", d)
	}
	must(t, ana.Enter(teamstest.Act{Dialog: d.ID}, "title", "Printer"))
	if refused, err := ana.Submit(d.ID); err != nil || len(refused) > 0 {
		t.Fatalf("Submit = %v, %v", refused, err)
	}
	done := a.only("composeExtension/submitAction")
	if done.text("value", "data", "title") != "Printer" || done.text("value", "messagePayload", "id") != m.ID {
		t.Errorf("submitAction is %v", done)
	}
	if err := ana.Command("Search", "Help", m.ID); !errors.Is(err, teamstest.ErrRefused) {
		t.Errorf("a search as a message action: %v", err)
	}
}

func TestASearchInsertsACard(t *testing.T) {
	t.Parallel()
	a := newApp(t, teamstest.Options{})
	result := func(title, c string) map[string]any {
		return map[string]any{
			"contentType": "application/vnd.microsoft.card.adaptive", "content": rawJSON(c),
			"preview": map[string]any{"contentType": "application/vnd.microsoft.card.thumbnail", "content": map[string]any{"title": title, "text": "an article"}},
		}
	}
	a.on("composeExtension/query", func(act activity) any {
		p := activity(act["value"].(map[string]any)["parameters"].([]any)[0].(map[string]any))
		switch p.text("value") {
		case "true":
			return map[string]any{"composeExtension": map[string]any{"type": "message", "text": "Type a word"}}
		case "broken":
			return map[string]any{"composeExtension": map[string]any{"type": "result", "attachmentLayout": "list", "attachments": []any{result("", card(hello, ""))}}}
		}
		return map[string]any{"composeExtension": map[string]any{"type": "result", "attachmentLayout": "list", "attachments": []any{result("KB-1 "+p.text("value"), card(hello, ""))}}}
	})
	ana := a.w.Person("ana")
	found, err := ana.Search("find", "Help", "vpn")
	must(t, err)
	if len(found) != 1 || found[0].Title != "KB-1 vpn" {
		t.Fatalf("found %+v", found)
	}
	if found, err := ana.Search("find", "Help", ""); err != nil || found != nil || ana.Notices("Help")[0].Text != "Type a word" {
		t.Errorf("before a word is typed: %v, %v, %v", found, err, ana.Notices("Help"))
	}
	var app *teamstest.AppError
	if _, err := ana.Search("find", "Help", "broken"); !errors.As(err, &app) {
		t.Errorf("a result without a title: %v", err)
	}
	m, err := ana.Insert(found[0], teamstest.Post{Channel: "Help", Text: "see this"})
	must(t, err)
	s, err := a.w.Person("ben").See("Help", m.ID)
	must(t, err)
	if teamstest.RenderCard(s.Card) != "Hello" || s.Text != "see this" {
		t.Errorf("ben sees %+v", s)
	}
}

func TestAnInputSearches(t *testing.T) {
	t.Parallel()
	a := newApp(t, teamstest.Options{})
	a.on("application/search", func(act activity) any {
		return map[string]any{"statusCode": 200, "type": "application/vnd.microsoft.search.searchResponse", "value": map[string]any{
			"results": []any{map[string]any{"title": "Found " + act.text("value", "queryText"), "value": act.text("value", "dataset")}},
		}}
	})
	at := teamstest.Act{Channel: a.chat("ana")}
	at.Message = a.post(a.chat("ana"), withCard(card(`
		{"type":"Input.ChoiceSet","id":"who","label":"Who","choices":[],"choices.data":{"type":"Data.Query","dataset":"graph.microsoft.com/users"}},
		{"type":"Input.ChoiceSet","id":"what","label":"What","choices":[],"choices.data":{"type":"Data.Query","dataset":"articles"}}`, claim)))
	ana := a.w.Person("ana")
	ben, _ := a.w.User("ben")
	for input, want := range map[string]teamstest.Option{"who": {Title: "Ben Otto", Value: ben.ObjectID}, "what": {Title: "Found ben", Value: "articles"}} {
		got, err := ana.Suggest(at, input, "ben")
		must(t, err)
		if diff := cmp.Diff([]teamstest.Option{want}, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", input, diff)
		}
	}
}
