package teams

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	jose "github.com/go-jose/go-jose/v4"

	"github.com/deskhand/deskhand/bot/chat"
)

// The invented tenant, its bot and its people.
const (
	tenantID = "11111111-1111-4111-8111-111111111111"
	botID    = "22222222-2222-4222-8222-222222222222"
	alex     = "33333333-3333-4333-8333-333333333330"
	password = "s3cret-of-the-app"
	incident = "19:team-incidents@thread.tacv2"
	teamID   = "19:team-general@thread.tacv2"
)

var noon = time.Date(2026, 11, 21, 2, 16, 40, 0, time.UTC)

// microsoft is who signs what comes in, gives tokens and takes what goes out.
type microsoft struct {
	*httptest.Server
	t testing.TB

	mu      sync.Mutex
	key     *rsa.PrivateKey
	kid     string
	keys    int // times that the keys were asked for
	tokens  int // times that a token was
	calls   []call
	answer  func(call) (status int, header map[string]string, body string)
	onToken func() (status int, body string)
}

// call is one of the desk's.
type call struct {
	Method, Path, Auth string
	Body               map[string]any
}

var (
	oneKeyPair = sync.OnceValue(newKeyPair)
	another    = sync.OnceValue(newKeyPair)
)

func newKeyPair() *rsa.PrivateKey {
	k, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	return k
}

func newMicrosoft(t testing.TB) *microsoft {
	m := &microsoft{t: t, key: oneKeyPair(), kid: "k1"}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /openid", func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprintf(w, `{"issuer": "https://api.botframework.com", "jwks_uri": %q, "id_token_signing_alg_values_supported": ["RS256"]}`, m.URL+"/keys")
	})
	mux.HandleFunc("GET /keys", func(w http.ResponseWriter, _ *http.Request) {
		m.mu.Lock()
		defer m.mu.Unlock()
		m.keys++
		js, _ := json.Marshal(map[string]any{"keys": []any{
			m.jwk("other", &another().PublicKey, "webchat"),
			map[string]any{"kty": "future", "kid": "what is this"},
			m.jwk(m.kid, &m.key.PublicKey, "msteams", "skype"),
		}})
		_, _ = w.Write(js)
	})
	mux.HandleFunc("POST /token", func(w http.ResponseWriter, r *http.Request) {
		m.mu.Lock()
		defer m.mu.Unlock()
		m.tokens++
		status, body := http.StatusOK, fmt.Sprintf(`{"token_type": "Bearer", "expires_in": 3599, "access_token": "out-%d"}`, m.tokens)
		if r.FormValue("scope") == m.URL+"/graph/.default" {
			body = `{"token_type": "Bearer", "expires_in": 3599, "access_token": "graph"}`
		} else if r.FormValue("client_secret") != password || r.FormValue("scope") != botScope || r.FormValue("client_id") != botID {
			status, body = http.StatusUnauthorized, `{"error": "invalid_client", "error_codes": [7000215], "error_description": "`+password+` is wrong"}`
		}
		if m.onToken != nil {
			status, body = m.onToken()
		}
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	})
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		c := call{Method: r.Method, Path: r.URL.EscapedPath(), Auth: r.Header.Get("Authorization")}
		_ = json.NewDecoder(r.Body).Decode(&c.Body)
		m.mu.Lock()
		m.calls = append(m.calls, c)
		answer := m.answer
		m.mu.Unlock()
		status, header, body := http.StatusCreated, map[string]string{}, `{"id": "1795227415262"}`
		if answer != nil {
			status, header, body = answer(c)
		}
		for k, v := range header {
			w.Header().Set(k, v)
		}
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	})
	m.Server = httptest.NewServer(mux)
	t.Cleanup(m.Close)
	return m
}

func (m *microsoft) jwk(kid string, key *rsa.PublicKey, endorsements ...string) map[string]any {
	js, err := jose.JSONWebKey{Key: key, KeyID: kid, Use: "sig"}.MarshalJSON()
	if err != nil {
		panic(err)
	}
	var k map[string]any
	if err := json.Unmarshal(js, &k); err != nil {
		panic(err)
	}
	k["endorsements"] = endorsements
	return k
}

func (m *microsoft) counted() (keys, tokens int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.keys, m.tokens
}

func (m *microsoft) made() []call {
	m.mu.Lock()
	defer m.mu.Unlock()
	return append([]call(nil), m.calls...)
}

func (m *microsoft) answers(f func(call) (int, map[string]string, string)) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.answer = f
}

// service is the URL that activities name.
func (m *microsoft) service() string { return m.URL + "/amer" }

// claims are those of a good token.
func (m *microsoft) claims() map[string]any {
	return map[string]any{"iss": "https://api.botframework.com", "aud": botID, "serviceurl": m.service(),
		"nbf": noon.Add(-time.Minute).Unix(), "exp": noon.Add(time.Hour).Unix()}
}

// sign makes a token of claims.
func (m *microsoft) sign(claims map[string]any) string {
	return signed(jose.RS256, m.key, m.kid, claims)
}

func signed(alg jose.SignatureAlgorithm, key any, kid string, claims map[string]any) string {
	s, err := jose.NewSigner(jose.SigningKey{Algorithm: alg, Key: key}, (&jose.SignerOptions{}).WithHeader("kid", kid).WithType("JWT"))
	if err != nil {
		panic(err)
	}
	js, _ := json.Marshal(claims)
	jws, err := s.Sign(js)
	if err != nil {
		panic(err)
	}
	token, err := jws.CompactSerialize()
	if err != nil {
		panic(err)
	}
	return token
}

// desk records what it is given.
type desk struct {
	mu     sync.Mutex
	events []chat.Event
	answer func(chat.Event) (chat.Answer, error)
	err    error
}

func (d *desk) Accept(_ context.Context, events ...chat.Event) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.err != nil {
		return d.err
	}
	d.events = append(d.events, events...)
	return nil
}

func (d *desk) Answer(_ context.Context, e chat.Event) (chat.Answer, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.events = append(d.events, e)
	if d.answer == nil {
		return chat.Answer{}, d.err
	}
	return d.answer(e)
}

func (d *desk) took() []chat.Event {
	d.mu.Lock()
	defer d.mu.Unlock()
	return append([]chat.Event(nil), d.events...)
}

// office is an adapter that listens, with all that it talks to.
type office struct {
	*Adapter
	t    testing.TB
	ms   *microsoft
	desk *desk
	addr string
	mu   sync.Mutex
	now  time.Time
	log  *bytes.Buffer
}

func (o *office) pass(d time.Duration) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.now = o.now.Add(d)
}

// syncBuffer is a log that several write to.
type syncWriter struct {
	mu *sync.Mutex
	w  io.Writer
}

func (s syncWriter) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.w.Write(p)
}

func newOffice(t testing.TB, change ...func(*Options)) *office {
	t.Helper()
	o := &office{t: t, ms: newMicrosoft(t), desk: &desk{}, now: noon, log: &bytes.Buffer{}}
	options := Options{
		AppID: botID, AppPassword: password, TenantID: tenantID, MetadataURL: o.ms.URL + "/openid", TokenURL: o.ms.URL + "/token",
		Desk: o.desk, Log: slog.New(slog.NewTextHandler(syncWriter{&sync.Mutex{}, o.log}, nil)),
		Now: func() time.Time { o.mu.Lock(); defer o.mu.Unlock(); return o.now },
	}
	for _, c := range change {
		c(&options)
	}
	var err error
	if o.Adapter, err = New(options); err != nil {
		t.Fatal(err)
	}
	s := httptest.NewServer(o.Handler())
	t.Cleanup(s.Close)
	o.addr = s.URL
	return o
}

// post sends a body with a token and returns the status and what was said.
func (o *office) post(token string, body []byte) (int, string) {
	o.t.Helper()
	req, err := http.NewRequestWithContext(o.t.Context(), http.MethodPost, o.addr+"/api/messages", bytes.NewReader(body))
	if err != nil {
		o.t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		o.t.Fatal(err)
	}
	defer resp.Body.Close()
	said, err := io.ReadAll(resp.Body)
	if err != nil {
		o.t.Fatal(err)
	}
	return resp.StatusCode, string(said)
}

// hasKeys has the adapter know Microsoft's keys. A busy machine may be slower than
// a first fetch is waited for.
func hasKeys(t testing.TB, a *Adapter) {
	t.Helper()
	var err error
	for range 5 {
		if err = a.keys.have(t.Context()); err == nil {
			return
		}
	}
	t.Fatal(err)
}

// gets has Teams send an activity and wants it taken.
func (o *office) gets(act map[string]any) string {
	o.t.Helper()
	hasKeys(o.t, o.Adapter)
	status, said := o.post(o.ms.sign(o.ms.claims()), encoded(act))
	if status != http.StatusOK {
		o.t.Fatalf("an activity was answered %d %s", status, said)
	}
	return said
}

func encoded(v any) []byte {
	js, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return js
}

// sample is a recorded activity, as this Teams would send it.
func (o *office) sample(name string) map[string]any {
	o.t.Helper()
	act := recorded(o.t, name)
	act["serviceUrl"] = o.ms.service()
	return act
}

// recorded is the body of a file in testdata.
func recorded(t testing.TB, name string) map[string]any {
	t.Helper()
	js, err := os.ReadFile(filepath.Join("testdata", name+".json"))
	if err != nil {
		t.Fatal(err)
	}
	var act map[string]any
	if err := json.Unmarshal(js, &act); err != nil {
		t.Fatal(err)
	}
	return act
}

// event is the only one that the desk was given.
func (o *office) event() chat.Event {
	o.t.Helper()
	all := o.desk.took()
	if len(all) != 1 {
		o.t.Fatalf("the desk was given %d events: %+v", len(all), all)
	}
	return all[0]
}

var errAway = errors.New("the record is away")

// quiet says that no secret stands in a text.
func quiet(t testing.TB, text string) {
	t.Helper()
	for _, secret := range []string{password, "out-1", "out-2"} {
		if strings.Contains(text, secret) {
			t.Errorf("a secret is shown in %q", text)
		}
	}
}
