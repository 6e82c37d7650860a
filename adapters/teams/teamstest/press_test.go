package teamstest_test

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/deskhand/deskhand/adapters/teams/teamstest"
)

const everyInput = `
	{"type":"Input.Text","id":"t","label":"T"},
	{"type":"Input.Number","id":"n","label":"N","value":7},
	{"type":"Input.Toggle","id":"on","title":"On"},
	{"type":"Input.Toggle","id":"yes","title":"Yes","valueOn":"y","valueOff":"n","value":"y"},
	{"type":"Input.ChoiceSet","id":"many","label":"M","isMultiSelect":true,"value":"red,blue","choices":[{"title":"Red","value":"red"},{"title":"Blue","value":"blue"}]},
	{"type":"Input.Date","id":"empty","label":"D"}`

func TestInputsTravelAsText(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, button string
		want         map[string]any
	}{
		{"all of them", `{"type":"Action.Execute","title":"Go","verb":"go","fallback":"drop","data":{"id":1}}`, map[string]any{
			"id": 1.0, "t": "typed", "n": "7", "on": "false", "yes": "y", "many": "red,blue",
		}},
		{"none of them", `{"type":"Action.Execute","title":"Go","verb":"go","fallback":"drop","data":{"id":1},"associatedInputs":"None"}`, map[string]any{"id": 1.0}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			a := newApp(t, teamstest.Options{})
			a.on("invoke", cardReply(card(hello, "")))
			at := teamstest.Act{Channel: a.chat("ana"), Message: a.post(a.chat("ana"), withCard(card(everyInput, tt.button))), Path: "/actions/0"}
			must(t, a.w.Person("ana").Enter(at, "t", "typed"))
			must(t, a.w.Person("ana").Press(at))
			act := a.only("invoke")
			if diff := cmp.Diff(tt.want, act["value"].(map[string]any)["action"].(map[string]any)["data"]); diff != "" {
				t.Errorf("the data differ (-want +got):\n%s", diff)
			}
		})
	}
}

func TestTheClientChecksInputsFirst(t *testing.T) {
	t.Parallel()
	a := newApp(t, teamstest.Options{})
	must2 := func(id, more string) string {
		return fmt.Sprintf(`{"type":%s,"id":%q,"label":"L","isRequired":true,"errorMessage":"%s is wrong"}`, more, id, id)
	}
	at := teamstest.Act{Channel: a.chat("ana"), Path: "/actions/0"}
	at.Message = a.post(a.chat("ana"), withCard(card(
		must2("text", `"Input.Text","regex":"^[a-z]+$","maxLength":3`)+","+must2("number", `"Input.Number","min":1,"max":3`)+","+
			must2("date", `"Input.Date","min":"2026-01-01"`)+","+must2("time", `"Input.Time"`)+","+
			must2("one", `"Input.ChoiceSet","choices":[{"title":"A","value":"a"}]`)+","+
			`{"type":"Input.Toggle","id":"agree","title":"Agree","isRequired":true,"errorMessage":"agree is wrong"}`,
		`{"type":"Action.Execute","title":"Go","verb":"go","fallback":"drop"}`)))
	for _, tt := range []struct {
		values map[string]string
		wrong  []string
	}{
		{map[string]string{}, []string{"text", "number", "date", "time", "one", "agree"}},
		{map[string]string{"text": "ABC", "number": "4", "date": "2025-12-31", "time": "25:00", "one": "b", "agree": "false"}, []string{"text", "number", "date", "time", "one", "agree"}},
		{map[string]string{"text": "abcd", "number": "x", "date": "1/1/2026", "time": "2 pm", "one": "a", "agree": "true"}, []string{"text", "number", "date", "time"}},
	} {
		at.Values = tt.values
		err := a.w.Person("ana").Press(at)
		var wrong *teamstest.InputError
		if !errors.As(err, &wrong) {
			t.Fatalf("%v: %v", tt.values, err)
		}
		want := map[string]string{}
		for _, id := range tt.wrong {
			want[id] = id + " is wrong"
		}
		if diff := cmp.Diff(want, wrong.Errors); diff != "" {
			t.Errorf("%v (-want +got):\n%s", tt.values, diff)
		}
	}
	a.idle()
	if n := len(a.sent("invoke")); n != 0 {
		t.Errorf("the app was asked %d times", n)
	}
	a.on("invoke", cardReply(card(hello, "")))
	at.Values = map[string]string{"text": "abc", "number": "2", "date": "2026-01-01", "time": "14:00", "one": "a", "agree": "true"}
	must(t, a.w.Person("ana").Press(at))
}

func TestAnAnswerIsThePressersAlone(t *testing.T) {
	t.Parallel()
	a := newApp(t, teamstest.Options{})
	a.on("invoke", cardReply(card(`{"type":"TextBlock","text":"You claimed it"}`, "")))
	id := a.post("19:help@thread.tacv2", withCard(card(`{"type":"TextBlock","text":"Open"}`, claim)))
	must(t, a.w.Person("ana").Press(teamstest.Act{Channel: "Help", Message: id, Path: "/actions/0"}))
	sees := func(who, want string) {
		t.Helper()
		s, err := a.w.Person(who).See("Help", id)
		must(t, err)
		if got := teamstest.RenderCard(s.Card); !strings.HasPrefix(got, want) {
			t.Errorf("%s sees %q, want %q", who, got, want)
		}
	}
	sees("ana", "You claimed it")
	sees("ben", "Open")
	// The app edits the message for all: ana's own view is gone.
	status, _, _ := a.call("PUT", conv("19:help@thread.tacv2")+"/activities/"+id, map[string]any{"type": "message", "attachments": withCard(card(`{"type":"TextBlock","text":"Claimed by Ana"}`, ""))["attachments"]})
	if status != http.StatusOK {
		t.Fatalf("the update: %d", status)
	}
	sees("ana", "Claimed by Ana")
	sees("ben", "Claimed by Ana")
}

func TestAnswersThatTeamsDoesNotTake(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name   string
		status int
		body   any
		code   string
	}{
		{"nothing", 200, nil, "failed"},
		{"no JSON", 200, "OK", "failed"},
		{"a bare card", 200, rawJSON(card(hello, "")), "failed"},
		{"an invalid card", 200, cardReply(card(`{"type":"Nothing"}`, "")), "failed"},
		{"an unknown type", 200, map[string]any{"statusCode": 200, "type": "text", "value": "hi"}, "failed"},
		{"an empty message", 200, map[string]any{"statusCode": 200, "type": "application/vnd.microsoft.activity.message", "value": ""}, "failed"},
		{"a message that is none", 200, map[string]any{"statusCode": 200, "type": "application/vnd.microsoft.activity.message", "value": 5}, "failed"},
		{"an error without words", 200, map[string]any{"statusCode": 400, "type": "application/vnd.microsoft.error", "value": map[string]any{}}, "failed"},
		{"an error with words", 200, map[string]any{"statusCode": 403, "type": "application/vnd.microsoft.error", "value": map[string]any{"code": "Forbidden", "message": "Only agents can claim."}}, "error"},
		{"a crash", 500, nil, "unreachable"},
		{"a refusal", 403, nil, "failed"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			a := newApp(t, teamstest.Options{})
			a.mu.Lock()
			a.answer = func(activity) (int, any) { return tt.status, tt.body }
			a.mu.Unlock()
			id := a.post(a.chat("ana"), withCard(card(hello, claim)))
			err := a.w.Person("ana").Press(teamstest.Act{Channel: a.chat("ana"), Message: id, Path: "/actions/0"})
			var app *teamstest.AppError
			if !errors.As(err, &app) || app.Notice.Code != tt.code {
				t.Fatalf("Press = %v, want %s", err, tt.code)
			}
			s, err := a.w.Person("ana").See(a.chat("ana"), id)
			must(t, err)
			if s.Own || len(s.Notices) != 1 {
				t.Errorf("ana sees %+v", s)
			}
		})
	}
}

func TestAnAppThatIsTooSlowIsUnreachable(t *testing.T) {
	t.Parallel()
	a := newApp(t, teamstest.Options{InvokeWithin: 50 * time.Millisecond})
	release := make(chan struct{})
	t.Cleanup(func() { close(release) })
	a.mu.Lock()
	a.answer = func(activity) (int, any) {
		<-release
		return 200, nil
	}
	a.mu.Unlock()
	id := a.post(a.chat("ana"), withCard(card(hello, claim)))
	err := a.w.Person("ana").Press(teamstest.Act{Channel: a.chat("ana"), Message: id, Path: "/actions/0"})
	var app *teamstest.AppError
	if !errors.As(err, &app) || !strings.Contains(app.Notice.Text, "Unable to reach app") {
		t.Errorf("Press = %v", err)
	}
}

func TestEachViewerHasAViewOfTheirOwn(t *testing.T) {
	t.Parallel()
	a := newApp(t, teamstest.Options{})
	a.on("invoke", func(act activity) any {
		return cardReply(card(fmt.Sprintf(`{"type":"TextBlock","text":"For %s: %s"}`, act.text("from", "name"), act.text("value", "trigger")), claim))
	})
	refreshing := func(text, who string) string {
		return `{"type":"AdaptiveCard","version":"1.5","body":[{"type":"TextBlock","text":"` + text + `"}],"refresh":{"action":{"type":"Action.Execute","verb":"look","data":{"k":"v"}}` + who + `}}`
	}
	sees := func(who, id string) string {
		t.Helper()
		must(t, a.w.Person(who).Look("Help"))
		s, err := a.w.Person(who).See("Help", id)
		must(t, err)
		text, _, _ := strings.Cut(teamstest.RenderCard(s.Card), "\n")
		return text
	}
	listed := a.post("19:help@thread.tacv2", withCard(refreshing("Base", `,"userIds":["29:ana"]`)))
	for range 2 { // looking again does not ask again
		if got := sees("ana", listed); got != "For Ana Lima: automatic" {
			t.Errorf("ana sees %q", got)
		}
	}
	if got := sees("ben", listed); got != "Base" {
		t.Errorf("ben sees %q", got)
	}
	a.idle()
	if n := len(a.sent("invoke")); n != 1 {
		t.Errorf("the app was asked %d times", n)
	}
	if status, _, _ := a.call("PUT", conv("19:help@thread.tacv2")+"/activities/"+listed, map[string]any{"type": "message", "attachments": withCard(refreshing("Second", `,"userIds":["29:ana"]`))["attachments"]}); status != 200 {
		t.Fatalf("the update: %d", status)
	}
	if got := sees("ana", listed); got != "For Ana Lima: automatic" {
		t.Errorf("after an edit ana sees %q", got)
	}
	if n := len(a.sent("invoke")); n != 2 {
		t.Errorf("after an edit the app was asked %d times", n)
	}
	all := a.post("19:help@thread.tacv2", withCard(refreshing("All", "")))
	if got := sees("ben", all); got != "For Ben Otto: automatic" {
		t.Errorf("without a list ben sees %q", got)
	}
	byHand := a.post("19:help@thread.tacv2", withCard(refreshing("By hand", `,"userIds":[]`)))
	if got := sees("ben", byHand); got != "By hand" {
		t.Errorf("with an empty list ben sees %q", got)
	}
	must(t, a.w.Person("ben").Refresh("Help", byHand))
	if got := sees("ben", byHand); got != "For Ben Otto: manual" {
		t.Errorf("after Refresh card ben sees %q", got)
	}
}

func TestCardsOpenAndCloseInTheClient(t *testing.T) {
	t.Parallel()
	a := newApp(t, teamstest.Options{})
	a.on("invoke", cardReply(card(hello, "")))
	ana := a.w.Person("ana")
	at := teamstest.Act{Channel: a.chat("ana")}
	at.Message = a.post(a.chat("ana"), withCard(card(`
		{"type":"Input.Text","id":"outer","label":"Outer","value":"o"},
		{"type":"TextBlock","id":"more","text":"More","isVisible":false}`, `
		{"type":"Action.ShowCard","title":"Comment","card":{"type":"AdaptiveCard","body":[{"type":"Input.Text","id":"inner","label":"Inner","value":"i"}],
			"actions":[{"type":"Action.Execute","title":"Send","verb":"send","fallback":"drop"}]}},
		{"type":"Action.Execute","title":"Outer","verb":"outer","fallback":"drop"},
		{"type":"Action.ToggleVisibility","title":"Show more","targetElements":["more"]}`)))
	inner := at
	inner.Path = "/actions/0/card/actions/0"
	if err := ana.Press(inner); !errors.Is(err, teamstest.ErrRefused) {
		t.Errorf("pressing what is not on the screen: %v", err)
	}
	sees := func(word string) bool {
		s, err := ana.See(at.Channel, at.Message)
		must(t, err)
		return strings.Contains(a.w.Render(s), word)
	}
	for _, want := range []bool{true, false, true} {
		at.Path = "/actions/0"
		must(t, ana.Press(at))
		at.Path = "/actions/2"
		must(t, ana.Press(at))
		if sees("Inner") != want || sees("More") != want {
			t.Errorf("Inner %v, More %v; want %v", sees("Inner"), sees("More"), want)
		}
	}
	must(t, ana.Press(inner))
	data := a.only("invoke")["value"].(map[string]any)["action"].(map[string]any)["data"]
	if diff := cmp.Diff(map[string]any{"outer": "o", "inner": "i"}, data); diff != "" {
		t.Errorf("what the inner button takes (-want +got):\n%s", diff)
	}
}

func TestOldClientsPressTheFallback(t *testing.T) {
	t.Parallel()
	a := newApp(t, teamstest.Options{})
	id := a.post("19:help@thread.tacv2", withCard(card(hello, claim)))
	must(t, a.w.Person("ana").Press(teamstest.Act{Channel: "Help", Message: id, Path: "/actions/0", Old: true}))
	act := a.only("message")
	if act.text("value", "ticket") != "1" || act.text("replyToId") != id || act["text"] != nil {
		t.Errorf("the app gets %v", act)
	}
}

func TestOtherActionsOfSubmit(t *testing.T) {
	t.Parallel()
	a := newApp(t, teamstest.Options{})
	id := a.post(a.chat("ana"), withCard(card(hello, `
		{"type":"Action.Submit","title":"Im","data":{"msteams":{"type":"imBack","value":"help me"}}},
		{"type":"Action.Submit","title":"Back","data":{"msteams":{"type":"messageBack","text":"sent","displayText":"shown","value":"{\"bar\":2}"}}},
		{"type":"Action.OpenUrl","title":"Link","url":"https://desk.test/1"}`)))
	at := teamstest.Act{Channel: a.chat("ana"), Message: id}
	for _, path := range []string{"/actions/0", "/actions/1", "/actions/2"} {
		at.Path = path
		must(t, a.w.Person("ana").Press(at))
	}
	if link, err := a.w.Person("ana").Link(at); err != nil || link != "https://desk.test/1" {
		t.Errorf("Link = %s, %v", link, err)
	}
	a.idle()
	list := a.sent("message")
	if len(list) != 2 || list[0].text("text") != "help me" || list[1].text("text") != "sent" || list[1]["value"].(map[string]any)["bar"] != 2.0 {
		t.Errorf("the app gets %v", list)
	}
	seen, err := a.w.Person("ana").Messages(a.chat("ana"), "", 10)
	must(t, err)
	if len(seen) != 3 || seen[1].Text != "help me" || seen[2].Text != "shown" {
		t.Errorf("ana sees %+v", seen)
	}
}

type rawJSON string

func (r rawJSON) MarshalJSON() ([]byte, error) { return []byte(r), nil }
