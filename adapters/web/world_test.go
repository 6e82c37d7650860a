package web_test

import (
	"context"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"io"
	"log/slog"
	"math/big"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/deskhand/deskhand/adapters/web"
	"github.com/deskhand/deskhand/bot"
	"github.com/deskhand/deskhand/bot/chat"
	"github.com/deskhand/deskhand/bot/inbox"
	"github.com/deskhand/deskhand/core/knowledge"
	"github.com/deskhand/deskhand/core/policy"
	"github.com/deskhand/deskhand/kb"
	"github.com/deskhand/deskhand/storage"
	"github.com/deskhand/deskhand/storage/pgtest"
)

const (
	tenant = "7a3f1c52-0000-4000-8000-00000000acme"
	appID  = "11111111-2222-4333-8444-555555555555"
)

func account(id string) chat.User {
	return chat.User{Platform: "teams", Workspace: tenant, ID: id}
}

var (
	ana = account("oid-ana") // asks
	ben = account("oid-ben") // an agent
	eva = account("oid-eva") // asks too
	zoe = account("oid-zoe") // a guest
)

// office is a platform on which everybody is whom they say they are.
type office map[string]chat.Profile

func (o office) Profile(_ context.Context, u chat.User) (chat.Profile, error) {
	p, ok := o[u.ID]
	if !ok {
		return p, chat.ErrGone
	}
	p.User = u
	return p, nil
}
func (office) Accounts(context.Context, []string) (map[string]chat.User, error) { return nil, nil }
func (office) Members(context.Context, chat.Place) ([]chat.User, error)         { return nil, nil }
func (office) Channel(context.Context, string) (chat.Place, error) {
	return chat.Place{}, chat.ErrGone
}
func (office) Message(context.Context, chat.Place, string) (chat.Event, error) {
	return chat.Event{}, chat.ErrGone
}
func (office) Ways() chat.Ways                                         { return chat.Ways{FlatChats: true, Views: true} }
func (office) Fetch(context.Context, chat.File, int64) ([]byte, error) { return nil, chat.ErrGone }

// world is a desk with its pages, on a real database, and an Entra.
type world struct {
	t      testing.TB
	db     *storage.DB
	desk   *bot.Desk
	inbox  *inbox.Inbox
	pages  *web.Server
	server *httptest.Server
	entra  *entra
	ahead  atomic.Int64 // of the clock, in ns
	log    *logged
}

func (w *world) now() time.Time       { return time.Now().Add(time.Duration(w.ahead.Load())) }
func (w *world) pass(d time.Duration) { w.ahead.Add(int64(d)) }

// logged is what the pages have logged.
type logged struct {
	mu sync.Mutex
	b  strings.Builder
}

func (l *logged) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *logged) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// Home and Answer make the world a web.Desk.
func (w *world) Home(ctx context.Context, u chat.User) (chat.Card, error) { return w.desk.Home(ctx, u) }
func (w *world) Answer(ctx context.Context, ev chat.Event) (chat.Answer, error) {
	return w.inbox.Answer(ctx, ev)
}

// Calendar makes it a web.Record.
func (w *world) Calendar(ctx context.Context, l storage.CalendarLink) (bot.Calendar, error) {
	return w.desk.Calendar(ctx, l)
}

func (w *world) Picture(ctx context.Context, item int64) (bot.Picture, error) {
	return w.desk.Picture(ctx, item)
}

func newWorld(t testing.TB) *world {
	t.Helper()
	w := &world{t: t, db: pgtest.New(t), log: &logged{}}
	w.entra = newEntra(t, w.now)
	seed(t, w.db)
	log := slog.New(slog.NewTextHandler(w.log, nil))
	index, err := kb.Open(kb.Options{Log: log})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = index.Close() })
	if err := bot.CatchUp(t.Context(), w.db, index, nil); err != nil {
		t.Fatal(err)
	}
	people := office{
		"oid-ana": {Name: "Ana Silva", Mail: "ana@acme.example"}, "oid-ben": {Name: "Ben Weber", Mail: "ben@acme.example"},
		"oid-eva": {Name: "Eva Lind", Mail: "eva@acme.example"}, "oid-zoe": {Name: "Zoe Guest", Guest: true},
	}
	w.server = httptest.NewUnstartedServer(nil)
	w.server.Start()
	t.Cleanup(w.server.Close)
	w.pages, err = web.New(t.Context(), web.Options{DB: w.db, Desk: w, Record: w, URL: w.server.URL, Now: w.now, Log: log,
		Entra:   &web.Entra{Platform: "teams", TenantID: tenant, AppID: appID, Issuer: w.entra.issuer()},
		TeamsJS: web.Script{URL: w.entra.server.URL + "/teams.js"}, Frames: []string{w.entra.server.URL}})
	if err != nil {
		t.Fatal(err)
	}
	w.server.Config.Handler = w.pages.Handler()
	w.desk, err = bot.New(bot.Options{DB: w.db, Index: index, Platforms: map[string]bot.Platform{"teams": people},
		PageLink: w.pages.PageLink, CalendarLink: w.pages.CalendarLink, Now: w.now, Log: log})
	if err != nil {
		t.Fatal(err)
	}
	if w.inbox, err = inbox.New(inbox.Options{DB: w.db, Handler: w.desk, Hide: w.desk.Hide, Now: w.now, Log: log}); err != nil {
		t.Fatal(err)
	}
	for _, u := range []chat.User{ana, ben, eva, zoe} {
		if _, err := w.desk.Home(t.Context(), u); err != nil {
			t.Fatal(err)
		}
	}
	return w
}

// seed puts a small company and an article on record.
func seed(t testing.TB, db *storage.DB) {
	t.Helper()
	p := policy.BuiltIn()
	p.Desk.Admins = []string{"ada@acme.example"}
	p.People = []policy.Person{{Mail: "ana@acme.example", Name: "Ana Silva"}, {Mail: "ben@acme.example", Name: "Ben Weber"},
		{Mail: "eva@acme.example", Name: "Eva Lind"}, {Mail: "ada@acme.example", Name: "Ada Roth"}}
	p.Teams[0].Members = []string{"ben@acme.example"}
	p.Services = append(p.Services, policy.Service{Slug: "printing", Name: "Printing", Incidents: "service-desk", Requests: "service-desk", Words: []string{"printer"}})
	err := db.InTx(t.Context(), func(tx *storage.Tx) error {
		if _, err := tx.ApplyPolicy(t.Context(), p, "test", time.Now()); err != nil {
			return err
		}
		_, _, _, err := tx.PutArticle(t.Context(), knowledge.Article{Slug: "paper-jam", Title: "Clear a paper jam", Symptom: "Paper is stuck in the printer.",
			Answer: "1. Open flap A.", Audience: []string{knowledge.Everyone}, Language: "en", Owner: "ben@acme.example", State: knowledge.Published}, 0, "test", time.Now())
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// count is the one number that a query returns.
func (w *world) count(query string, args ...any) int {
	w.t.Helper()
	var n int
	if err := w.db.Pool().QueryRow(w.t.Context(), query, args...).Scan(&n); err != nil {
		w.t.Fatalf("%s: %v", query, err)
	}
	return n
}

// visitor is somebody at a page without script, or, with a session, the page's
// script itself.
type visitor struct {
	w       *world
	client  *http.Client
	session string
}

// answer is what came back.
type answer struct {
	*http.Response
	body string
}

func (w *world) visitor() *visitor {
	jar, err := cookiejar.New(nil)
	if err != nil {
		w.t.Fatal(err)
	}
	return &visitor{w: w, client: &http.Client{Jar: jar, Timeout: 20 * time.Second, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}
}

func (v *visitor) do(method, path string, form url.Values, head ...string) answer {
	v.w.t.Helper()
	r, err := http.NewRequestWithContext(v.w.t.Context(), method, v.w.server.URL+path, strings.NewReader(form.Encode()))
	if err != nil {
		v.w.t.Fatal(err)
	}
	if form != nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	if v.session != "" {
		r.Header.Set("Authorization", "Bearer "+v.session)
		r.Header.Set("Accept", "application/json")
	}
	for i := 0; i < len(head); i += 2 {
		r.Header.Set(head[i], head[i+1])
	}
	res, err := v.client.Do(r)
	if err != nil {
		v.w.t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		v.w.t.Fatal(err)
	}
	return answer{res, string(body)}
}

func (v *visitor) get(path string, head ...string) answer {
	v.w.t.Helper()
	return v.do("GET", path, nil, head...)
}

// as opens the page of somebody by a link, in a browser without script.
func (w *world) as(u chat.User) *visitor {
	w.t.Helper()
	v := w.visitor()
	link, err := w.pages.PageLink(u)
	if err != nil {
		w.t.Fatal(err)
	}
	v.get(strings.TrimPrefix(link, w.server.URL))
	if got := v.do("POST", "/tab/open", url.Values{"link": {link[strings.LastIndex(link, "/")+1:]}}); got.StatusCode != http.StatusSeeOther {
		w.t.Fatalf("opening the page: %s\n%s", got.Status, got.body)
	}
	return v
}

// scripted opens the page of somebody as Teams does.
func (w *world) scripted(u chat.User) *visitor {
	w.t.Helper()
	v := w.visitor()
	body, err := json.Marshal(map[string]string{"token": w.entra.token(u.ID, nil)})
	if err != nil {
		w.t.Fatal(err)
	}
	res, err := v.client.Post(w.server.URL+"/tab/session", "application/json", strings.NewReader(string(body)))
	if err != nil {
		w.t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	var got struct{ Session string }
	if err := json.NewDecoder(res.Body).Decode(&got); err != nil || got.Session == "" {
		w.t.Fatalf("signing in: %s, %v", res.Status, err)
	}
	v.session = got.Session
	return v
}

var (
	inputs  = regexp.MustCompile(`<input type="hidden" name="([^"]+)" value="([^"]*)">`)
	buttons = regexp.MustCompile(`<button class="button[^>]* name="press" value="([^"]*)"([^>]*)>([^<]*)</button>`)
)

// hidden are the hidden inputs of the last form of a page that has them.
func hidden(body, begin string) url.Values {
	form := url.Values{}
	i := strings.LastIndex(body, begin)
	if i < 0 {
		return form
	}
	part, _, _ := strings.Cut(body[i:], "</form>")
	for _, m := range inputs.FindAllStringSubmatch(part, -1) {
		form.Set(m[1], m[2])
	}
	return form
}

// button is what a press of the button with this name posts.
func (a answer) button(t testing.TB, name string) url.Values {
	t.Helper()
	for _, m := range buttons.FindAllStringSubmatch(a.body, -1) {
		if m[3] == name || strings.Contains(m[2], `aria-label="`+name+`"`) {
			form := hidden(a.body, `<form id="card"`)
			if strings.Contains(m[2], "formaction") {
				form = hidden(a.body, `<form class="dialog-form"`)
			}
			form.Set("press", m[1])
			return form
		}
	}
	t.Fatalf("no button %q in\n%s", name, a.body)
	return nil
}

// form is what the open form posts, filled in with these values.
func (a answer) form(t testing.TB, values ...string) url.Values {
	t.Helper()
	form := hidden(a.body, `<form class="dialog-form"`)
	if form.Get("form") == "" {
		t.Fatalf("no form in\n%s", a.body)
	}
	for i := 0; i < len(values); i += 2 {
		form.Add("f."+values[i], values[i+1])
	}
	return form
}

func (a answer) want(t testing.TB, status int, words ...string) answer {
	t.Helper()
	if a.StatusCode != status {
		t.Fatalf("%s, want %d\n%s", a.Status, status, a.body)
	}
	for _, s := range words {
		if !strings.Contains(a.body, s) {
			t.Fatalf("no %q in\n%s", s, a.body)
		}
	}
	return a
}

// entra signs tokens as Entra does.
type entra struct {
	t      testing.TB
	server *httptest.Server
	key    *rsa.PrivateKey
	calls  atomic.Int64 // for keys
	signIn atomic.Value // string: whom its teams.js signs in
	theme  atomic.Value // string
	now    func() time.Time
}

var entraKey = sync.OnceValue(func() *rsa.PrivateKey {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	return key
})

func newEntra(t testing.TB, now func() time.Time) *entra {
	e := &entra{t: t, key: entraKey(), now: now}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /v2.0/.well-known/openid-configuration", func(w http.ResponseWriter, _ *http.Request) {
		_ = json.NewEncoder(w).Encode(map[string]any{"issuer": e.issuer(), "jwks_uri": e.server.URL + "/keys", "authorization_endpoint": e.server.URL, "token_endpoint": e.server.URL,
			"id_token_signing_alg_values_supported": []string{"RS256"}})
	})
	mux.HandleFunc("GET /keys", func(w http.ResponseWriter, _ *http.Request) {
		e.calls.Add(1)
		_ = json.NewEncoder(w).Encode(map[string]any{"keys": []any{map[string]string{"kty": "RSA", "use": "sig", "kid": "k1",
			"n": b64(e.key.N.Bytes()), "e": b64(big.NewInt(int64(e.key.E)).Bytes())}}})
	})
	mux.HandleFunc("GET /teams.js", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/javascript")
		w.Header().Set("Access-Control-Allow-Origin", "*")
		theme, _ := e.theme.Load().(string)
		_, _ = io.WriteString(w, `window.microsoftTeams = { app: { initialize: async () => {}, notifySuccess() { this.loaded = true; parent.postMessage("shown", "*"); }, registerOnThemeChangeHandler(f) { this.changed = f; }, getContext: async () => ({ app: { theme: `+strconv.Quote(theme)+` } }) },
			authentication: { getAuthToken: async () => { const r = await fetch(`+strconv.Quote(e.server.URL+"/token")+`); if (!r.ok) throw new Error("consent is needed"); return r.text(); } } };`)
	})
	mux.HandleFunc("GET /token", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Access-Control-Allow-Origin", "*")
		who, _ := e.signIn.Load().(string)
		if who == "" {
			http.Error(w, "consent is needed", http.StatusForbidden)
			return
		}
		_, _ = io.WriteString(w, e.token(who, nil))
	})
	mux.HandleFunc("GET /frame", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		_, _ = io.WriteString(w, `<!doctype html><iframe id=tab style="width:700px;height:900px" src="`+r.URL.Query().Get("src")+`"></iframe><p></p><script>onmessage = (e) => document.querySelector("p").textContent = e.data + " from " + e.origin</script>`)
	})
	e.server = httptest.NewServer(mux)
	t.Cleanup(e.server.Close)
	return e
}

func (e *entra) issuer() string { return e.server.URL + "/v2.0" }

func b64(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

// claims are those of a token for somebody, with some of them changed; nil takes
// one away.
func (e *entra) claims(oid string, change map[string]any) map[string]any {
	c := map[string]any{"iss": e.issuer(), "aud": appID, "tid": tenant, "oid": oid, "scp": "access_as_user", "ver": "2.0",
		"iat": e.now().Unix(), "nbf": e.now().Unix(), "exp": e.now().Add(time.Hour).Unix()}
	for k, v := range change {
		if c[k] = v; v == nil {
			delete(c, k)
		}
	}
	return c
}

func (e *entra) token(oid string, change map[string]any) string {
	return e.signed(map[string]any{"alg": "RS256", "kid": "k1", "typ": "JWT"}, e.claims(oid, change), e.key)
}

func (e *entra) signed(head, claims map[string]any, key *rsa.PrivateKey) string {
	h, err := json.Marshal(head)
	if err != nil {
		e.t.Fatal(err)
	}
	c, err := json.Marshal(claims)
	if err != nil {
		e.t.Fatal(err)
	}
	body := b64(h) + "." + b64(c)
	sum := sha256.Sum256([]byte(body))
	sig, err := rsa.SignPKCS1v15(rand.Reader, key, crypto.SHA256, sum[:])
	if err != nil {
		e.t.Fatal(err)
	}
	return body + "." + b64(sig)
}
