package teamstest_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/deskhand/deskhand/adapters/teams/teamstest"
)

// ask asks Graph, with a token for scope, and returns the status, the error's
// code and the answer.
func (a *app) ask(t *testing.T, scope, path string) (status int, code string, body map[string]any) {
	t.Helper()
	resp, err := http.PostForm(a.w.TokenURL(), url.Values{"grant_type": {"client_credentials"}, "client_id": {a.w.App().ID}, "client_secret": {a.w.App().Secret}, "scope": {scope}})
	must(t, err)
	var granted struct {
		Token string `json:"access_token"`
	}
	must(t, json.NewDecoder(resp.Body).Decode(&granted))
	resp.Body.Close()
	if !strings.HasPrefix(path, "http") {
		path = a.w.GraphURL() + path
	}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, path, nil)
	must(t, err)
	req.Header.Set("Authorization", "Bearer "+granted.Token)
	resp, err = http.DefaultClient.Do(req)
	must(t, err)
	defer resp.Body.Close()
	js, err := io.ReadAll(resp.Body)
	must(t, err)
	if err := json.Unmarshal(js, &body); err != nil {
		t.Fatalf("%s is not JSON: %v: %s", path, err, js)
	}
	if e, ok := body["error"].(map[string]any); ok {
		code, _ = e["code"].(string)
	}
	return resp.StatusCode, code, body
}

func TestGraphShowsTheAppWhatItWasAllowed(t *testing.T) {
	t.Parallel()
	a := newApp(t, teamstest.Options{Pacing: teamstest.Pacing{}})
	for _, team := range []teamstest.Team{
		{ID: "19:ops@thread.tacv2", Name: "Ops", GroupID: "ops", Members: []string{"ana"}, Installed: true, AllMessages: true},
		{ID: "19:left@thread.tacv2", Name: "Left", GroupID: "left", Members: []string{"ana"}, AllMessages: true},
	} {
		_, err := a.w.AddTeam(team)
		must(t, err)
	}
	_, err := a.w.AddChannel(teamstest.Channel{ID: "19:yes@thread.v2", Name: "Yes", Kind: teamstest.GroupChat, Members: []string{"ana", "ben"}, Installed: true, AllMessages: true})
	must(t, err)
	own, err := a.w.Person("ana").Chat()
	must(t, err)
	var ids []string
	for _, says := range []string{"one", "two", "three"} {
		m, err := a.w.Person("ana").Say(teamstest.Post{Channel: "19:ops@thread.tacv2", Text: says})
		must(t, err)
		ids = append(ids, m.ID)
	}
	for _, says := range []string{"first", "second"} {
		_, err := a.w.Person("ana").Say(teamstest.Post{Channel: "19:ops@thread.tacv2", Thread: ids[0], Text: says})
		must(t, err)
	}
	_, err = a.w.Person("ana").Say(teamstest.Post{Channel: "19:yes@thread.v2", Text: "hi"})
	must(t, err)
	must(t, a.w.Person("ana").Edit("19:ops@thread.tacv2", ids[0], "one!"))

	graph := a.w.GraphURL() + "/.default"
	const ops = "/v1.0/teams/ops/channels/19:ops@thread.tacv2/messages"
	for _, tt := range []struct {
		name   string
		scope  string
		path   string
		status int
		want   string // the code, or what was said, the first first
	}{
		{"a team's channel, the last changed first", graph, ops, 200, "one!|three|two|<systemEventMessage/>"},
		{"a thread", graph, ops + "/" + ids[0] + "/replies", 200, "second|first"},
		{"a page", graph, ops + "?$top=2", 200, "one!|three"},
		{"a group chat", graph, "/v1.0/chats/19:yes@thread.v2/messages?$top=50", 200, "hi|<systemEventMessage/>"},
		{"with the connector's token", "https://api.botframework.com/.default", ops, 401, "InvalidAuthenticationToken"},
		{"with none", "something else", ops, 401, "InvalidAuthenticationToken"},
		{"a team that has not allowed it", graph, "/v1.0/teams/" + a.w.Teams()[0].GroupID + "/channels/19:help@thread.tacv2/messages", 403, "Forbidden"},
		{"a team that the app is not in", graph, "/v1.0/teams/left/channels/19:left@thread.tacv2/messages", 403, "Forbidden"},
		{"a group chat that has not allowed it", graph, "/v1.0/chats/19:group@thread.v2/messages", 403, "Forbidden"},
		{"a person's chat", graph, "/v1.0/chats/" + own + "/messages", 403, "Forbidden"},
		{"a channel of another team", graph, "/v1.0/teams/ops/channels/19:help@thread.tacv2/messages", 404, "NotFound"},
		{"no team", graph, "/v1.0/teams/19:ops@thread.tacv2/channels/19:ops@thread.tacv2/messages", 404, "NotFound"},
		{"no thread", graph, ops + "/1/replies", 404, "NotFound"},
		{"too much at a time", graph, ops + "?$top=51", 400, "BadRequest"},
		{"a filter", graph, ops + "?$filter=id+eq+1", 400, "BadRequest"},
		{"something else", graph, "/v1.0/me", 400, "BadRequest"},
	} {
		status, got, body := a.ask(t, tt.scope, tt.path)
		if status == 200 {
			got = said(body)
		}
		if status != tt.status || got != tt.want {
			t.Errorf("%s: %d %s, want %d %s", tt.name, status, got, tt.status, tt.want)
		}
	}
	_, _, first := a.ask(t, graph, ops+"?$top=2")
	next, _ := first["@odata.nextLink"].(string)
	if status, _, body := a.ask(t, graph, next); status != 200 || said(body) != "two|<systemEventMessage/>" {
		t.Errorf("the next page, %s, is %d %v", next, status, body)
	}
}

// said is what the messages of a page say.
func said(page map[string]any) string {
	var all []string
	values, _ := page["value"].([]any)
	for _, v := range values {
		m, _ := v.(map[string]any)
		body, _ := m["body"].(map[string]any)
		text, _ := body["content"].(string)
		all = append(all, text)
	}
	return strings.Join(all, "|")
}

func TestGraphKeepsItsOwnLimits(t *testing.T) {
	t.Parallel()
	now := time.Now()
	a := newApp(t, teamstest.Options{Pacing: teamstest.TeamsPacing, Now: func() time.Time { return now }})
	_, err := a.w.AddTeam(teamstest.Team{ID: "19:ops@thread.tacv2", Name: "Ops", GroupID: "ops", Members: []string{"ana"}, Installed: true, AllMessages: true})
	must(t, err)
	for i := range 5 {
		status, code, _ := a.ask(t, a.w.GraphURL()+"/.default", "/v1.0/teams/ops/channels/19:ops@thread.tacv2/messages")
		if want := i == 4; (status == 429) != want || (code == "TooManyRequests") != want {
			t.Errorf("call %d in a second is answered %d %s", i+1, status, code)
		}
	}
}
