package simulator_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/deskhand/deskhand/adapters/simulator"
	"github.com/deskhand/deskhand/adapters/slack/slacktest"
	"github.com/deskhand/deskhand/adapters/teams/adaptive"
	"github.com/deskhand/deskhand/adapters/teams/teamstest"
	"github.com/deskhand/deskhand/bot/chat"
)

const triage = "19:triage@thread.tacv2"

// A bot is a small Teams app that answers what the tests ask of it, over HTTP.
type bot struct {
	t     *testing.T
	teams *teamstest.Tenant

	mu    sync.Mutex
	token string
	tries int // how often the form was sent
}

// newTeamsWorld is newWorld with a Teams beside the Slack. Ana and Ben are in
// both; Ana's account here is 29:ana.
func newTeamsWorld(t *testing.T) (world, *teamstest.Tenant) {
	t.Helper()
	w := newWorld(t)
	tenant, err := teamstest.New(teamstest.Options{Name: "Nordlys Instruments", App: teamstest.App{Name: "Desk", Commands: []teamstest.Command{
		{ID: "ticket.from_message", Title: "Open a ticket", OnMessage: true},
		{ID: "desk.find", Title: "Find", Search: true, Parameter: "text"},
	}}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { tenant.Close() })
	for _, u := range []teamstest.User{
		{Name: "ana", DisplayName: "Ana Torres", TZ: "Europe/Madrid", Title: "Finance", Installed: true},
		{Name: "ben", DisplayName: "Ben Okafor", TZ: "Europe/Oslo", Title: "Service desk", Installed: true},
		{Name: "chloe", DisplayName: "Chloé Martin"},
	} {
		if _, err := tenant.AddUser(u); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := tenant.AddTeam(teamstest.Team{ID: "19:general@thread.tacv2", Name: "Service Desk", Members: []string{"ana", "ben"}, Installed: true}); err != nil {
		t.Fatal(err)
	}
	if _, err := tenant.AddChannel(teamstest.Channel{ID: triage, Name: "Triage"}); err != nil {
		t.Fatal(err)
	}
	if err := tenant.Listen("127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	b := &bot{t: t, teams: tenant}
	app := httptest.NewServer(b)
	t.Cleanup(app.Close)
	tenant.Connect(app.URL)

	sim, err := simulator.New(simulator.Options{
		Slack: w.slack, Teams: tenant, Title: "deskhand",
		People:      []simulator.Persona{{User: "ben", Role: "Agent, Service desk"}, {User: "ana", Role: "Employee, Finance"}},
		TeamsPeople: []simulator.Persona{{User: "ana", Role: "Employee, Finance"}, {User: "ben", Role: "Agent, Service desk"}},
		Tasks: []simulator.Task{
			{Title: "Ask in Teams", Text: "As Ana, write to the desk.", Teams: true, As: "ana", Say: "the printer on floor 3 is not printing"},
			{Title: "Answer in Slack", Text: "As Ben, look at the help channel.", As: "ben", In: "it-help"},
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	srv := httptest.NewServer(sim)
	t.Cleanup(srv.CloseClientConnections)
	t.Cleanup(func() { w.slack.Close(); tenant.Close(); srv.Close() }) // the streams end with their platforms
	return world{slack: w.slack, app: w.app, srv: srv, url: srv.URL}, tenant
}

type teamsActivity struct {
	Type, Name, Text string
	ServiceURL       string          `json:"serviceUrl"`
	ReplyTo          string          `json:"replyToId"`
	Value            json.RawMessage `json:"value"`
	Conversation     struct {
		ID   string `json:"id"`
		Type string `json:"conversationType"`
	} `json:"conversation"`
}

func (b *bot) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var a teamsActivity
	if err := json.NewDecoder(r.Body).Decode(&a); err != nil {
		b.t.Error(err)
	}
	answer := func(v any) {
		w.Header().Set("Content-Type", "application/json")
		if err := json.NewEncoder(w).Encode(v); err != nil {
			b.t.Error(err)
		}
	}
	invoke := func(kind string, value any) {
		answer(map[string]any{"statusCode": 200, "type": kind, "value": value})
	}
	switch {
	case a.Type == "message" && a.Text != "":
		w.WriteHeader(http.StatusOK)
		b.post(a, helpful("KB-7 The printer is offline", "Turn it off and on again."))
	case a.Name == "adaptiveCard/action":
		var v struct {
			Action struct{ Data json.RawMessage }
		}
		b.read(a.Value, &v)
		use, err := adaptive.Decode(v.Action.Data)
		if err != nil {
			b.t.Error(err)
		}
		switch use.Action {
		case "solved":
			invoke(adaptive.ContentType, adaptive.Card(chat.Post{Card: chat.Card{Text: "Glad it works."}}, adaptive.Options{}))
		case "more":
			invoke("application/vnd.microsoft.activity.message", "Only agents can see more.")
		case "withdraw":
			invoke(adaptive.ContentType, adaptive.Card(chat.Post{Card: chat.Card{Text: "Withdrawn."}}, adaptive.Options{}))
		default: // "broken" is not answered as it should be
			w.WriteHeader(http.StatusInternalServerError)
		}
	case a.Name == "task/fetch" || a.Name == "composeExtension/fetchTask":
		answer(b.dialog(adaptive.Open{}))
	case a.Name == "task/submit" || a.Name == "composeExtension/submitAction":
		var v struct{ Data json.RawMessage }
		b.read(a.Value, &v)
		use, err := adaptive.Decode(v.Data)
		if err != nil {
			b.t.Error(err)
		}
		b.mu.Lock()
		b.tries++
		first := b.tries == 1
		b.mu.Unlock()
		if first {
			answer(b.dialog(adaptive.Open{Values: use.Values, Errors: map[string]string{"title": "Say it in a few words."}}))
			return
		}
		w.WriteHeader(http.StatusOK)
		b.post(a, chat.Card{Text: fmt.Sprintf("INC-1 %s for %s about %s with %s by %s", use.Values.One("title"), use.Values.One("who"),
			use.Values.One("service"), strings.Join(use.Values["checks"], " and "), use.Values.One("article"))})
	case a.Name == "application/search":
		answer(json.RawMessage(adaptive.Found([]chat.Option{{Value: "7", Label: "KB-7 The printer is offline"}, {Value: "9", Label: "KB-9 Paper jam"}})))
	case a.Name == "composeExtension/query":
		answer(json.RawMessage(adaptive.Finds([]chat.Find{{Title: "KB-7 The printer is offline", Text: "Turn it off & on again.",
			Card: chat.Card{Text: "KB-7", Blocks: []chat.Block{chat.Heading{Text: "KB-7 The printer is offline"}}}}}, adaptive.Options{})))
	default:
		w.WriteHeader(http.StatusOK)
	}
}

func helpful(title, text string) chat.Card {
	return chat.Card{Text: title, Blocks: []chat.Block{
		chat.Section{Text: chat.Join(chat.T("This may help: "), chat.B(title))},
		chat.Facts{{Label: "Service", Value: chat.T("Printing & scanning")}, {Label: "Asked", Value: chat.Rich{{Time: at}}},
			{Label: "For", Value: chat.Rich{{User: chat.User{ID: "29:ana"}, Text: "Ana Torres"}}}},
		chat.Quote{Text: chat.T(text)},
		chat.Actions{
			Buttons: []chat.Button{
				{Label: "Solved it", Action: "solved", Style: chat.Primary},
				{Label: "Open a ticket", Action: "ticket", Form: true},
			},
			Menu: []chat.Button{
				{Label: "Show more", Action: "more"},
				{Label: "Fail", Action: "broken"},
				{Label: "Withdraw", Action: "withdraw", Style: chat.Danger,
					Confirm: &chat.Confirm{Title: "Withdraw it?", Text: "Nobody will look at it.", Yes: "Withdraw it", No: "Keep it"}},
			},
		},
		chat.Note{Text: chat.T("Answers come from your company's articles.")},
	}}
}

func (b *bot) dialog(open adaptive.Open) any {
	f := chat.Form{Action: "ticket", Title: "Open a ticket", Submit: "Open it",
		Intro: []chat.Block{chat.Section{Text: chat.T("Tell us a little more.")}},
		Fields: []chat.Field{
			{Name: "title", Label: "What is wrong?", Input: chat.Line, Value: []string{"printer"}, Max: 80},
			{Name: "who", Label: "Who is affected?", Input: chat.Choice, Options: []chat.Option{{Value: "me", Label: "Only me"}, {Value: "team", Label: "My team"}}},
			{Name: "service", Label: "What is it about?", Input: chat.Select, Optional: true, Options: []chat.Option{{Value: "print", Label: "Printing"}, {Value: "mail", Label: "Mail"}}},
			{Name: "checks", Label: "What have you tried?", Input: chat.Checks, Optional: true, Options: []chat.Option{{Value: "off, on", Label: "Off and on"}, {Value: "cable", Label: "The cable"}}},
			{Name: "article", Label: "Article", Input: chat.Search, Optional: true},
			{Name: "more", Label: "Anything else?", Input: chat.Paragraph, Optional: true, Hint: "Since when, what you see"},
		}}
	if open.Values != nil {
		f.Fields[0].Value = nil
	}
	return map[string]any{"task": map[string]any{"type": "continue", "value": map[string]any{
		"title": adaptive.Title(f), "card": map[string]any{"contentType": adaptive.ContentType, "content": adaptive.Dialog(f, open)},
	}}}
}

func (b *bot) read(js json.RawMessage, to any) {
	if err := json.Unmarshal(js, to); err != nil {
		b.t.Error(err)
	}
}

// post says something in the conversation of an activity.
func (b *bot) post(a teamsActivity, c chat.Card) {
	body, err := json.Marshal(map[string]any{"type": "message", "summary": c.Text, "attachments": []any{
		map[string]any{"contentType": adaptive.ContentType, "content": adaptive.Card(chat.Post{Card: c}, adaptive.Options{})}}})
	if err != nil {
		b.t.Error(err)
		return
	}
	req, err := http.NewRequest("POST", a.ServiceURL+"v3/conversations/"+url.PathEscape(a.Conversation.ID)+"/activities", bytes.NewReader(body))
	if err != nil {
		b.t.Error(err)
		return
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Authorization", "Bearer "+b.signIn())
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return // the test is over
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusCreated {
		why, _ := io.ReadAll(res.Body)
		b.t.Errorf("posting: %s %s", res.Status, why)
	}
}

func (b *bot) signIn() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.token != "" {
		return b.token
	}
	res, err := http.PostForm(b.teams.URL()+"/login/"+b.teams.ID()+"/oauth2/v2.0/token", url.Values{"grant_type": {"client_credentials"},
		"client_id": {b.teams.App().ID}, "client_secret": {b.teams.App().Secret}, "scope": {"https://api.botframework.com/.default"}})
	if err != nil {
		return ""
	}
	defer res.Body.Close()
	var got struct {
		Token string `json:"access_token"`
	}
	if err := json.NewDecoder(res.Body).Decode(&got); err != nil || got.Token == "" {
		b.t.Errorf("no token: %s %v", res.Status, err)
	}
	b.token = got.Token
	return b.token
}

// inSlack posts as somebody in Slack.
func inSlack(t *testing.T, w world, who, channel, text string) {
	t.Helper()
	if _, err := w.slack.Person(who).Say(slacktest.Post{Channel: channel, Text: text}); err != nil {
		t.Fatal(err)
	}
}
