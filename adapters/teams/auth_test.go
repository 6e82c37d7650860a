package teams

import (
	"bytes"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	jose "github.com/go-jose/go-jose/v4"

	"github.com/deskhand/deskhand/adapters/teams/teamstest"
)

func unsignedToken(claims map[string]any) string {
	part := func(v any) string { js, _ := json.Marshal(v); return base64.RawURLEncoding.EncodeToString(js) }
	return part(map[string]string{"alg": "none", "typ": "JWT", "kid": "k1"}) + "." + part(claims) + "."
}

func TestTokens(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		token  func(*microsoft) string
		change func(act map[string]any)
		status int
	}{
		{"a good one", func(m *microsoft) string { return m.sign(m.claims()) }, nil, 200},
		{"none", func(*microsoft) string { return "" }, nil, 401},
		{"no token at all", func(*microsoft) string { return "what is this" }, nil, 401},
		{"three dots", func(*microsoft) string { return "..." }, nil, 401},
		{"a megabyte", func(*microsoft) string { return strings.Repeat("x", 40<<10) }, nil, 401},
		{"expired, within the skew", with("exp", noon.Add(-4*time.Minute).Unix()), nil, 200},
		{"expired", with("exp", noon.Add(-6*time.Minute).Unix()), nil, 401},
		{"without an end", with("exp", nil), nil, 401},
		{"with an end that is no time", with("exp", "tomorrow"), nil, 401},
		{"of the future, within the skew", with("nbf", noon.Add(4*time.Minute).Unix()), nil, 200},
		{"of the future", with("nbf", noon.Add(6*time.Minute).Unix()), nil, 401},
		{"for another app", with("aud", "99999999-2222-4222-8222-222222222222"), nil, 401},
		{"for several apps", with("aud", []string{"another", botID}), nil, 200},
		{"by another issuer", with("iss", "https://sts.windows.net/"+tenantID+"/"), nil, 401},
		{"for another service", with("serviceurl", "https://smba.example.com/"), nil, 403},
		{"for no service", with("serviceurl", nil), nil, 403},
		{"not signed", func(m *microsoft) string { return unsignedToken(m.claims()) }, nil, 401},
		{"signed with the public key as a secret", func(m *microsoft) string {
			der, err := x509.MarshalPKIXPublicKey(&m.key.PublicKey)
			if err != nil {
				panic(err)
			}
			return signed(jose.HS256, der, "k1", m.claims())
		}, nil, 401},
		{"of the PSS family", func(m *microsoft) string { return signed(jose.PS256, m.key, "k1", m.claims()) }, nil, 401},
		{"RS512", func(m *microsoft) string { return signed(jose.RS512, m.key, "k1", m.claims()) }, nil, 200},
		{"by a key that nobody knows", func(m *microsoft) string { return signed(jose.RS256, m.key, "k9", m.claims()) }, nil, 401},
		{"by another key under a known name", func(m *microsoft) string { return signed(jose.RS256, another(), "k1", m.claims()) }, nil, 401},
		{"by a key that is not endorsed", func(m *microsoft) string { return signed(jose.RS256, another(), "other", m.claims()) }, nil, 403},
		{"changed after it was signed", func(m *microsoft) string {
			token := m.sign(m.claims())
			head, rest, _ := strings.Cut(token, ".")
			_, tail, _ := strings.Cut(rest, ".")
			js, _ := json.Marshal(m.claims())
			return head + "." + base64.RawURLEncoding.EncodeToString(append(js, ' ')) + "." + tail
		}, nil, 401},
		{"for an activity of another service", func(m *microsoft) string { return m.sign(m.claims()) },
			func(act map[string]any) { act["serviceUrl"] = "https://evil.example/amer" }, 403},
		{"for an activity of another tenant", func(m *microsoft) string { return m.sign(m.claims()) },
			func(act map[string]any) { act["conversation"].(map[string]any)["tenantId"] = "another-tenant" }, 403},
		{"for an activity of two tenants", func(m *microsoft) string { return m.sign(m.claims()) },
			func(act map[string]any) {
				act["channelData"] = map[string]any{"tenant": map[string]any{"id": "another-tenant"}}
			}, 403},
		{"for an activity of no tenant", func(m *microsoft) string { return m.sign(m.claims()) },
			func(act map[string]any) {
				delete(act, "channelData")
				delete(act["conversation"].(map[string]any), "tenantId")
			}, 403},
		{"for an activity of another channel", func(m *microsoft) string { return m.sign(m.claims()) },
			func(act map[string]any) { act["channelId"] = "webchat" }, 403},
		{"for one that its key endorses, but the desk does not take", func(m *microsoft) string { return m.sign(m.claims()) },
			func(act map[string]any) { act["channelId"] = "skype" }, 403},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			o := newOffice(t)
			act := o.sample("message-personal")
			if tt.change != nil {
				tt.change(act)
			}
			status, said := o.post(tt.token(o.ms), encoded(act))
			if status != tt.status {
				t.Errorf("answered %d %s, want %d", status, said, tt.status)
			}
			if taken := len(o.desk.took()); taken != 0 && tt.status != 200 || taken != 1 && tt.status == 200 {
				t.Errorf("the desk was given %d events", taken)
			}
			if calls := o.ms.made(); len(calls) > 0 {
				t.Errorf("it has called %+v", calls)
			}
			if tt.status != 200 {
				if kept, _ := o.book.all(t.Context(), ""); len(kept) > 0 {
					t.Errorf("it has kept %+v", kept)
				}
			}
			quiet(t, o.log.String()+said)
		})
	}
}

// with is a token with one claim changed.
func with(claim string, value any) func(*microsoft) string {
	return func(m *microsoft) string {
		c := m.claims()
		if c[claim] = value; value == nil {
			delete(c, claim)
		}
		return m.sign(c)
	}
}

func TestUnknownKeysAThousandTimes(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	body := encoded(o.sample("message-personal"))
	var all sync.WaitGroup
	_, rest, _ := strings.Cut(signed(jose.RS256, another(), "k1", o.ms.claims()), ".")
	for i := range 1000 {
		token := base64.RawURLEncoding.EncodeToString(fmt.Appendf(nil, `{"alg":"RS256","kid":"k%d","typ":"JWT"}`, i+100)) + "." + rest
		all.Go(func() {
			if status, _ := o.post(token, body); status != http.StatusUnauthorized {
				t.Errorf("an unknown key is answered %d", status)
			}
		})
		if i%50 == 0 {
			all.Wait()
		}
	}
	all.Wait()
	if keys, _ := o.ms.counted(); keys != 1 {
		t.Errorf("the keys were fetched %d times", keys)
	}
	// Microsoft changes its key: the next that is signed with it has it fetched.
	o.ms.mu.Lock()
	o.ms.kid = "k2"
	o.ms.mu.Unlock()
	if status, _ := o.post(o.ms.sign(o.ms.claims()), body); status != http.StatusUnauthorized {
		t.Errorf("within the pace a new key is answered %d", status)
	}
	o.pass(keysPace)
	if status, said := o.post(o.ms.sign(o.ms.claims()), body); status != http.StatusOK {
		t.Errorf("a new key is answered %d %s", status, said)
	}
	if keys, _ := o.ms.counted(); keys != 2 {
		t.Errorf("the keys were fetched %d times, want 2", keys)
	}
	if status, _ := o.post(signed(jose.RS256, o.ms.key, "k1", o.ms.claims()), body); status != http.StatusUnauthorized {
		t.Errorf("the old key is answered %d", status)
	}
}

func TestKeysAreRenewedAndOutliveAnOutage(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	send := func() int {
		c := o.ms.claims()
		c["exp"] = o.now.Add(time.Hour).Unix()
		status, _ := o.post(o.ms.sign(c), encoded(o.sample("message-personal")))
		return status
	}
	if got := send(); got != 200 {
		t.Fatalf("answered %d", got)
	}
	o.pass(keysFresh + time.Minute)
	if got := send(); got != 200 {
		t.Errorf("after a day: %d", got)
	}
	o.keys.ask(false) // waits below for the one that is under way, or is too soon
	if err := o.keys.load(t.Context()); err != nil {
		t.Fatal(err)
	}
	o.ms.Close()
	o.pass(keysFresh + time.Minute)
	if got := send(); got != 200 {
		t.Errorf("a day into an outage of the keys: %d", got)
	}
	o.pass(keysStale)
	if got := send(); got != http.StatusServiceUnavailable {
		t.Errorf("with keys that are too old: %d, want 503", got)
	}
}

func TestDevelopmentMode(t *testing.T) {
	t.Parallel()
	anonymous := func(o *Options) { o.AllowAnonymousLoopback, o.Listen, o.AppPassword = true, "127.0.0.1:3978", "" }
	o := newOffice(t, anonymous)
	if err := o.Connect(t.Context()); err != nil {
		t.Fatal(err)
	}
	body := encoded(o.sample("message-personal"))
	if status, said := o.post("", body); status != http.StatusOK {
		t.Errorf("an emulator is answered %d %s", status, said)
	}
	try := func(name string, change func(*http.Request), want int) {
		t.Helper()
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, o.addr+"/api/messages", bytes.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Content-Type", "application/json")
		change(req)
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		if resp.StatusCode != want {
			t.Errorf("%s is answered %d, want %d", name, resp.StatusCode, want)
		}
	}
	try("a page of another name in a browser", func(r *http.Request) { r.Host = "evil.example:3978" }, 401)
	try("a page's form", func(r *http.Request) { r.Header.Set("Content-Type", "text/plain") }, 401)
	try("somebody behind a tunnel", func(r *http.Request) { r.Header.Set("X-Forwarded-For", "192.0.2.1") }, 401)
	act := o.sample("message-personal")
	act["serviceUrl"] = "https://smba.example.com/"
	if status, _ := o.post("", encoded(act)); status != http.StatusForbidden {
		t.Errorf("a service elsewhere is answered %d", status)
	}

	o.must(t, message1())
	o.must(t, message2())
	for _, c := range o.ms.made() {
		if c.Auth != "" || !strings.Contains(string(encoded(c.Body)), footer) {
			t.Errorf("sent with the token %q: %s", c.Auth, encoded(c.Body))
		}
	}
	if _, tokens := o.ms.counted(); tokens != 0 {
		t.Errorf("%d tokens were asked for", tokens)
	}
	o.Adapter.log.Info("a line")
	for line := range strings.Lines(o.log.String()) {
		if !strings.Contains(line, "DEVELOPMENT MODE") {
			t.Errorf("a line of the log does not say so: %s", line)
		}
	}

	for _, listen := range []string{"", ":3978", "0.0.0.0:3978", "[::]:3978", "10.0.0.1:3978", "desk.example:3978"} {
		_, err := New(Options{AppID: botID, TenantID: tenantID, AllowAnonymousLoopback: true, Listen: listen})
		if err == nil {
			t.Errorf("it listens on %q", listen)
		}
	}
	for _, listen := range []string{"127.0.0.1:3978", "localhost:0", "[::1]:1"} {
		if _, err := New(Options{AppID: botID, TenantID: tenantID, AllowAnonymousLoopback: true, Listen: listen, Log: slog.New(slog.DiscardHandler)}); err != nil {
			t.Errorf("on %q: %v", listen, err)
		}
	}
}

func TestSettingsThatCantWork(t *testing.T) {
	t.Parallel()
	good := Options{AppID: botID, AppPassword: password, TenantID: tenantID}
	if _, err := New(good); err != nil {
		t.Fatal(err)
	}
	tests := map[string]struct {
		change func(*Options)
		names  string
	}{
		"no app":                     {func(o *Options) { o.AppID = "" }, "DESKHAND_TEAMS_APP_ID"},
		"a name for the app":         {func(o *Options) { o.AppID = "Desk Bot" }, "DESKHAND_TEAMS_APP_ID"},
		"no password":                {func(o *Options) { o.AppPassword = "" }, "DESKHAND_TEAMS_APP_PASSWORD"},
		"a password that was broken": {func(o *Options) { o.AppPassword += "\n" }, "DESKHAND_TEAMS_APP_PASSWORD"},
		"no tenant":                  {func(o *Options) { o.TenantID = "" }, "DESKHAND_TEAMS_TENANT_ID"},
		"metadata without TLS":       {func(o *Options) { o.MetadataURL = "http://login.example/openid" }, "DESKHAND_TEAMS_OPENID_METADATA_URL"},
		"metadata that are a word":   {func(o *Options) { o.MetadataURL = "public" }, "DESKHAND_TEAMS_OPENID_METADATA_URL"},
		"tokens without TLS":         {func(o *Options) { o.TokenURL = "http://login.example/token" }, "DESKHAND_TEAMS_TOKEN_URL"},
	}
	for name, tt := range tests {
		o := good
		tt.change(&o)
		_, err := New(o)
		if err == nil || !strings.Contains(err.Error(), tt.names) {
			t.Errorf("%s: %v, want an error that names %s", name, err, tt.names)
			continue
		}
		quiet(t, err.Error())
	}
}

func TestAtTheStartTheKeysAreSoonThere(t *testing.T) {
	t.Parallel()
	m := meet(t, nil)
	var mu sync.Mutex
	at := time.Now()
	m.a.now = func() time.Time { mu.Lock(); defer mu.Unlock(); return at }
	m.a.keys = newKeySet(m.teams.OpenIDURL(), m.a.http, m.a.now, m.a.metrics) // as after a restart
	says := func() int {
		t.Helper()
		w := httptest.NewRecorder()
		req := httptest.NewRequest(http.MethodPost, "/api/messages", bytes.NewReader(m.teams.Activity("ana", "hello", nil)))
		req.Header.Set("Authorization", "Bearer "+m.teams.Token())
		m.a.Handler().ServeHTTP(w, req)
		return w.Code
	}
	m.teams.FailNext("metadata", teamstest.Fault{Hang: true}, teamstest.Fault{Status: http.StatusServiceUnavailable})
	before, began := m.teams.Stats().Calls["metadata"], time.Now()
	for range 3 { // of which the first asks Microsoft
		if code := says(); code != http.StatusServiceUnavailable || m.a.Receives() {
			t.Errorf("without keys a message is answered %d, and it is said to be ready (%v)", code, m.a.Receives())
		}
	}
	if asked := m.teams.Stats().Calls["metadata"] - before; asked != 1 {
		t.Errorf("three messages at once ask %d times for the keys", asked)
	}
	for _, want := range []int{http.StatusServiceUnavailable, http.StatusOK, http.StatusOK} {
		mu.Lock()
		at = at.Add(keysPaceFirst)
		mu.Unlock()
		if code := says(); code != want {
			t.Errorf("%s later it is answered %d, want %d", keysPaceFirst, code, want)
		}
	}
	if took := time.Since(began); took >= keysTimeout || !m.a.Receives() {
		t.Errorf("a fetch that is not answered is waited for %s; ready: %v", took, m.a.Receives())
	}
	if asked := m.teams.Stats().Calls["metadata"] - before; asked != 3 {
		t.Errorf("the keys were asked for %d times, want 3", asked)
	}
	mu.Lock()
	at = at.Add(keysStale + time.Hour)
	mu.Unlock()
	if m.a.Receives() {
		t.Error("with keys that are too old it is said to be ready")
	}
}
