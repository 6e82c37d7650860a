package teamstest_test

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
	"sync"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

	"github.com/deskhand/deskhand/adapters/teams/teamstest"
)

// An app is a small bot: it checks tokens, keeps what it is sent, and a test says
// what it answers.
type app struct {
	t   *testing.T
	w   *teamstest.Tenant
	url string

	mu     sync.Mutex
	token  string
	got    []activity
	denied int
	answer func(activity) (status int, body any)
}

type activity map[string]any

func (a activity) text(keys ...string) string {
	m := map[string]any(a)
	for _, k := range keys[:len(keys)-1] {
		m, _ = m[k].(map[string]any)
	}
	s, _ := m[keys[len(keys)-1]].(string)
	return s
}

// newApp makes a tenant with a bot that takes everything: ana and ben, who have
// the app; a team with both, the app and a channel Help; a group chat.
func newApp(t *testing.T, o teamstest.Options) *app {
	t.Helper()
	if o.Record == 0 {
		o.Record = 1000
	}
	if o.App.Commands == nil {
		o.App.Commands = []teamstest.Command{
			{ID: "openTicket", Title: "Open a ticket", OnMessage: true},
			{ID: "find", Title: "Search", Search: true, Parameter: "query"},
		}
	}
	w, err := teamstest.New(o)
	if err != nil {
		t.Fatalf("New: %v", err)
	}
	t.Cleanup(func() {
		if err := w.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
	if err := w.Listen("127.0.0.1:0"); err != nil {
		t.Fatalf("Listen: %v", err)
	}
	a := &app{t: t, w: w}
	for _, u := range []teamstest.User{
		{Name: "ana", DisplayName: "Ana Lima", Mail: "ana@acme.test", TZ: "Europe/Oslo", Installed: true},
		{Name: "ben", DisplayName: "Ben Otto", Mail: "ben@acme.test", Installed: true},
		{Name: "gus", DisplayName: "Gus Ray", Mail: "gus@else.test", UPN: "gus_else.test#EXT#@acme.test", Guest: true},
	} {
		if _, err := w.AddUser(u); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := w.AddTeam(teamstest.Team{ID: "19:general@thread.tacv2", Name: "Service Desk", Members: []string{"ana", "ben"}, Installed: true}); err != nil {
		t.Fatal(err)
	}
	if _, err := w.AddChannel(teamstest.Channel{ID: "19:help@thread.tacv2", Name: "Help"}); err != nil {
		t.Fatal(err)
	}
	if _, err := w.AddChannel(teamstest.Channel{ID: "19:group@thread.v2", Name: "Lunch", Kind: teamstest.GroupChat, Members: []string{"ana", "ben", "gus"}, Installed: true}); err != nil {
		t.Fatal(err)
	}
	srv := httptest.NewServer(a)
	t.Cleanup(srv.Close)
	a.url = srv.URL
	w.Connect(srv.URL)
	return a
}

func (a *app) ServeHTTP(rw http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	var act activity
	if err := json.Unmarshal(body, &act); err != nil {
		a.t.Errorf("what came is not JSON: %v: %.200s", err, body)
	}
	if err := a.check(r, act); err != nil {
		a.mu.Lock()
		a.denied++
		a.mu.Unlock()
		rw.WriteHeader(http.StatusForbidden)
		return
	}
	a.mu.Lock()
	a.got = append(a.got, act)
	answer := a.answer
	a.mu.Unlock()
	status, reply := http.StatusOK, any(nil)
	if answer != nil {
		status, reply = answer(act)
	}
	switch x := reply.(type) {
	case nil:
		rw.WriteHeader(status)
	case string:
		rw.WriteHeader(status)
		_, _ = io.WriteString(rw, x)
	default:
		rw.Header().Set("Content-Type", "application/json")
		rw.WriteHeader(status)
		_ = json.NewEncoder(rw).Encode(x)
	}
}

// check verifies a token as the documents say that a bot should.
func (a *app) check(r *http.Request, act activity) error {
	raw, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	if !ok {
		return fmt.Errorf("no token")
	}
	token, err := jwt.ParseSigned(raw, []jose.SignatureAlgorithm{jose.RS256})
	if err != nil {
		return err
	}
	var doc struct {
		Issuer  string `json:"issuer"`
		JWKSURI string `json:"jwks_uri"`
	}
	a.get(a.w.OpenIDURL(), &doc)
	var keys struct{ Keys []json.RawMessage }
	a.get(doc.JWKSURI, &keys)
	for _, k := range keys.Keys {
		var key jose.JSONWebKey
		var more struct{ Endorsements []string }
		if err := key.UnmarshalJSON(k); err != nil {
			return err
		}
		if err := json.Unmarshal(k, &more); err != nil {
			return err
		}
		if key.KeyID != token.Headers[0].KeyID {
			continue
		}
		var claims jwt.Claims
		var own struct {
			ServiceURL string `json:"serviceurl"`
		}
		if err := token.Claims(key.Key, &claims, &own); err != nil {
			return err
		}
		if err := claims.ValidateWithLeeway(jwt.Expected{Issuer: doc.Issuer, AnyAudience: jwt.Audience{a.w.App().ID}, Time: a.w.Now()}, 5*time.Minute); err != nil {
			return err
		}
		if own.ServiceURL != act.text("serviceUrl") || len(more.Endorsements) == 0 || more.Endorsements[0] != act.text("channelId") {
			return fmt.Errorf("another service, or no endorsement")
		}
		return nil
	}
	return fmt.Errorf("an unknown key")
}

func (a *app) get(url string, into any) {
	resp, err := http.Get(url)
	if err != nil {
		a.t.Errorf("GET %s: %v", url, err)
		return
	}
	defer resp.Body.Close()
	if err := json.NewDecoder(resp.Body).Decode(into); err != nil {
		a.t.Errorf("GET %s: %v", url, err)
	}
}

// on says what the app answers to activities of this name, or type.
func (a *app) on(name string, body any) {
	a.mu.Lock()
	defer a.mu.Unlock()
	before := a.answer
	a.answer = func(act activity) (int, any) {
		if act.text("name") == name || act.text("type") == name {
			if f, ok := body.(func(activity) any); ok {
				return http.StatusOK, f(act)
			}
			return http.StatusOK, body
		}
		if before != nil {
			return before(act)
		}
		return http.StatusOK, nil
	}
}

// sent are the activities of this type, or of an invoke of this name.
func (a *app) sent(kind string) []activity {
	a.mu.Lock()
	defer a.mu.Unlock()
	var list []activity
	for _, act := range a.got {
		if act.text("type") == kind || act.text("name") == kind {
			list = append(list, act)
		}
	}
	return list
}

// only waits until Teams is idle, and is the one activity of this type.
func (a *app) only(kind string) activity {
	a.t.Helper()
	a.idle()
	list := a.sent(kind)
	if len(list) != 1 {
		a.t.Fatalf("the app got %d of %s: %v", len(list), kind, list)
	}
	return list[0]
}

func (a *app) idle() {
	a.t.Helper()
	ctx, cancel := context.WithTimeout(a.t.Context(), 10*time.Second)
	defer cancel()
	if err := a.w.Idle(ctx); err != nil {
		a.t.Fatalf("Teams does not come to rest: %v", err)
	}
}

// login gets a token.
func (a *app) login() string {
	a.t.Helper()
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.token != "" {
		return a.token
	}
	token, err := a.w.AppToken()
	must(a.t, err)
	a.token = token
	return a.token
}

// call is one call of the connector: the status, and what was answered.
func (a *app) call(method, path string, body any) (int, map[string]any, *http.Response) {
	a.t.Helper()
	status, v, resp := a.try(method, path, body)
	m, _ := v.(map[string]any)
	return status, m, resp
}

func (a *app) try(method, path string, body any) (int, any, *http.Response) {
	a.t.Helper()
	var in io.Reader
	if b, ok := body.(rawBody); ok {
		in = strings.NewReader(string(b))
	} else if body != nil {
		b, err := json.Marshal(body)
		if err != nil {
			a.t.Fatal(err)
		}
		in = bytes.NewReader(b)
	}
	req, err := http.NewRequest(method, strings.TrimSuffix(a.w.ServiceURL(), "/")+path, in)
	if err != nil {
		a.t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+a.login())
	req.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, nil, nil
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		a.t.Fatal(err)
	}
	if len(b) == 0 {
		return resp.StatusCode, nil, resp
	}
	var v any
	if strings.HasPrefix(resp.Header.Get("Content-Type"), "text/html") {
		return resp.StatusCode, string(b), resp
	}
	if err := json.Unmarshal(b, &v); err != nil {
		a.t.Fatalf("%s %s answered %.200q", method, path, b)
	}
	return resp.StatusCode, v, resp
}

// post posts into a conversation and gives the message's id.
func (a *app) post(conv string, act map[string]any) string {
	a.t.Helper()
	act["type"] = "message"
	status, m, _ := a.call("POST", "/v3/conversations/"+url.PathEscape(conv)+"/activities", act)
	if status != http.StatusCreated {
		a.t.Fatalf("posting %v: %d %v", act, status, m)
	}
	return m["id"].(string)
}

// withCard is a message with a card.
func withCard(card string) map[string]any {
	return map[string]any{"attachments": []any{map[string]any{"contentType": "application/vnd.microsoft.card.adaptive", "content": rawJSON(card)}}}
}

func (a *app) chat(name string) string {
	a.t.Helper()
	id, err := a.w.Person(name).Chat()
	if err != nil {
		a.t.Fatal(err)
	}
	return id
}

// must fails the test for an error.
func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func cardReply(card string) map[string]any {
	return map[string]any{"statusCode": 200, "type": "application/vnd.microsoft.card.adaptive", "value": rawJSON(card)}
}
