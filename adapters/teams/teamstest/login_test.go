package teamstest_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

	"github.com/deskhand/deskhand/adapters/teams/teamstest"
)

func TestTheAppGetsATokenForItsSecretAlone(t *testing.T) {
	t.Parallel()
	a := newApp(t, teamstest.Options{})
	right := func() url.Values {
		return url.Values{
			"grant_type": {"client_credentials"}, "client_id": {a.w.App().ID}, "client_secret": {a.w.App().Secret},
			"scope": {"https://api.botframework.com/.default"},
		}
	}
	for _, tt := range []struct {
		name   string
		url    string
		key    string
		value  string
		status int
		code   string
		number string
	}{
		{"everything right", "", "", "", 200, "", ""},
		{"the wrong secret", "", "client_secret", "nonsense", 401, "invalid_client", "AADSTS7000215"},
		{"no secret", "", "client_secret", "", 401, "invalid_client", "AADSTS7000216"},
		{"another app", "", "client_id", "x", 400, "unauthorized_client", "AADSTS700016"},
		{"another scope", "", "scope", "https://graph.microsoft.com/.default", 400, "invalid_scope", "AADSTS70011"},
		{"another grant", "", "grant_type", "password", 400, "unsupported_grant_type", "AADSTS70003"},
		{"no grant", "", "grant_type", "", 400, "invalid_request", "AADSTS900144"},
		{"the retired multi-tenant address", "botframework.com", "", "", 400, "invalid_request", "AADSTS90002"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			v, at := right(), a.w.TokenURL()
			if tt.key != "" {
				v.Set(tt.key, tt.value)
			}
			if tt.url != "" {
				at = strings.Replace(at, a.w.ID(), tt.url, 1)
			}
			resp, err := http.PostForm(at, v)
			must(t, err)
			defer resp.Body.Close()
			var is struct {
				Type    string `json:"token_type"`
				Token   string `json:"access_token"`
				Expires int    `json:"expires_in"`
				Error   string
				Says    string `json:"error_description"`
			}
			must(t, json.NewDecoder(resp.Body).Decode(&is))
			if resp.StatusCode != tt.status || is.Error != tt.code || !strings.HasPrefix(is.Says, tt.number) {
				t.Errorf("%d %s %q; want %d %s %s", resp.StatusCode, is.Error, is.Says, tt.status, tt.code, tt.number)
			}
			if (is.Token != "") != (tt.status == 200) || tt.status == 200 && (is.Type != "Bearer" || is.Expires != 3599) {
				t.Errorf("the token is %+v", is)
			}
		})
	}
}

func TestEveryCallNeedsATokenThatLives(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 21, 9, 0, 0, 0, time.UTC)
	a := newApp(t, teamstest.Options{Now: func() time.Time { return now }, TokenLife: 10 * time.Minute})
	chat := "/v3/conversations/" + url.PathEscape(a.chat("ana"))
	paths := []string{"GET " + chat + "/members", "POST " + chat + "/activities", "PUT " + chat + "/activities/1", "DELETE " + chat + "/activities/1", "POST /v3/conversations", "GET /v3/teams/x", "GET /v3/attachments/x/views/original"}
	every := func(want bool) {
		t.Helper()
		for _, p := range paths {
			method, path, _ := strings.Cut(p, " ")
			status, _, _ := a.try(method, path, map[string]any{"type": "typing"})
			if (status != http.StatusUnauthorized) != want {
				t.Errorf("%s: %d", p, status)
			}
		}
	}
	every(true)
	a.w.RevokeTokens()
	every(false)
	a.token = ""
	every(true)
	now = now.Add(11 * time.Minute)
	every(false)
	a.token = "ey.nonsense"
	every(false)
}

func TestBadTokensAreBad(t *testing.T) {
	t.Parallel()
	a := newApp(t, teamstest.Options{})
	body := a.w.Activity("ana", "hello", nil)
	post := func(token string) int {
		req, err := http.NewRequest("POST", a.url+"/api/messages", strings.NewReader(string(body)))
		must(t, err)
		req.Header.Set("Authorization", "Bearer "+token)
		resp, err := http.DefaultClient.Do(req)
		must(t, err)
		resp.Body.Close()
		return resp.StatusCode
	}
	if status := post(a.w.Token()); status != http.StatusOK {
		t.Errorf("a right token: %d", status)
	}
	seen := map[string]bool{}
	for _, b := range teamstest.Bads {
		token := a.w.BadToken(b)
		if seen[token] {
			t.Errorf("%s is a token that was there", b)
		}
		seen[token] = true
		if status := post(token); status != http.StatusForbidden {
			t.Errorf("%s: %d; a careful app takes it", b, status)
		}
	}
}

func TestKeysRotate(t *testing.T) {
	t.Parallel()
	a := newApp(t, teamstest.Options{})
	kids := func() []string {
		var is struct{ Keys []struct{ Kid string } }
		a.get(a.w.URL()+"/botframework/v1/.well-known/keys", &is)
		var list []string
		for _, k := range is.Keys {
			list = append(list, k.Kid)
		}
		return list
	}
	kidOf := func(token string) string {
		parsed, err := jwt.ParseSigned(token, []jose.SignatureAlgorithm{jose.RS256})
		must(t, err)
		return parsed.Headers[0].KeyID
	}
	before := kidOf(a.w.Token())
	a.w.RotateKeys(true)
	after := kidOf(a.w.Token())
	if after == before || !slices.Contains(kids(), before) || !slices.Contains(kids(), after) {
		t.Errorf("from %s to %s, published %v", before, after, kids())
	}
	a.w.RotateKeys(false)
	if last := kidOf(a.w.Token()); slices.Contains(kids(), after) || !slices.Contains(kids(), last) {
		t.Errorf("to %s, published %v", last, kids())
	}
	_, err := a.w.Person("ana").Say(teamstest.Post{Channel: a.chat("ana"), Text: "still there?"})
	must(t, err)
	a.only("message")
}

func TestTheTabKnowsWhoOpensIt(t *testing.T) {
	t.Parallel()
	a := newApp(t, teamstest.Options{App: teamstest.App{TabURL: "https://desk.test/tab"}})
	if at, err := a.w.Person("ana").OpenTab(); err != nil || at != "https://desk.test/tab" {
		t.Errorf("OpenTab: %s, %v", at, err)
	}
	if _, err := a.w.Person("gus").OpenTab(); err == nil {
		t.Errorf("gus opens the tab of an app that he has not")
	}
	raw, err := a.w.Person("ana").SSOToken(func(c map[string]any) { c["nonce"] = "n" })
	must(t, err)
	token, err := jwt.ParseSigned(raw, []jose.SignatureAlgorithm{jose.RS256})
	must(t, err)
	var doc struct {
		Issuer  string `json:"issuer"`
		JWKSURI string `json:"jwks_uri"`
	}
	a.get(a.w.SSOIssuer()+"/.well-known/openid-configuration", &doc)
	var keys jose.JSONWebKeySet
	a.get(doc.JWKSURI, &keys)
	var claims map[string]any
	must(t, token.Claims(keys.Keys[0].Key, &claims))
	ana, _ := a.w.User("ana")
	for key, want := range map[string]string{"iss": doc.Issuer, "aud": a.w.App().ID, "tid": a.w.ID(), "oid": ana.ObjectID, "preferred_username": "ana@acme.test", "nonce": "n"} {
		if fmt.Sprint(claims[key]) != want {
			t.Errorf("%s is %v, want %s", key, claims[key], want)
		}
	}
	if doc.Issuer != a.w.SSOIssuer() {
		t.Errorf("the issuer %s calls itself %s", a.w.SSOIssuer(), doc.Issuer)
	}
}

func TestAProbeComesBeforeAnythingElse(t *testing.T) {
	t.Parallel()
	for status, taken := range map[int]bool{200: true, 405: true, 404: false, 500: false} {
		a := newApp(t, teamstest.Options{})
		srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Method != http.MethodHead || r.Header.Get("Authorization") != "" {
				t.Errorf("the probe is %s %v", r.Method, r.Header)
			}
			w.WriteHeader(status)
		}))
		t.Cleanup(srv.Close)
		a.w.Connect(srv.URL)
		if err := a.w.Probe(t.Context()); (err == nil) != taken {
			t.Errorf("%d: %v", status, err)
		}
	}
}

// An app that gives up on a token leaves nothing under way.
func TestATokenThatNeverComes(t *testing.T) {
	t.Parallel()
	a := newApp(t, teamstest.Options{})
	a.w.FailNext("token", teamstest.Fault{Hang: true})
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, a.w.TokenURL(), strings.NewReader("grant_type=client_credentials"))
	must(t, err)
	if resp, err := http.DefaultClient.Do(req); err == nil {
		resp.Body.Close()
		t.Errorf("it is answered with %d", resp.StatusCode)
	}
	a.idle()
}
