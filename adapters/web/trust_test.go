package web_test

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/deskhand/deskhand/adapters/web"
	"github.com/deskhand/deskhand/storage"
)

// signIn posts a token as the page's script does.
func (v *visitor) signIn(token string, head ...string) answer {
	v.w.t.Helper()
	body, err := json.Marshal(map[string]string{"token": token})
	if err != nil {
		v.w.t.Fatal(err)
	}
	r, err := http.NewRequestWithContext(v.w.t.Context(), "POST", v.w.server.URL+"/tab/session", strings.NewReader(string(body)))
	if err != nil {
		v.w.t.Fatal(err)
	}
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	for i := 0; i < len(head); i += 2 {
		r.Header.Set(head[i], head[i+1])
	}
	res, err := v.client.Do(r)
	if err != nil {
		v.w.t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	return answer{Response: res}
}

func TestTokensThatSignNobodyIn(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	e := w.entra
	head := func(alg, kid string) map[string]any { return map[string]any{"alg": alg, "kid": kid, "typ": "JWT"} }
	stranger, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	good := e.token("oid-ana", nil)
	none := func() string {
		h, _ := json.Marshal(map[string]any{"alg": "none"})
		c, _ := json.Marshal(e.claims("oid-ana", nil))
		return b64(h) + "." + b64(c) + "."
	}
	hs256 := func() string { // signed with what everybody knows, the public key
		h, _ := json.Marshal(head("HS256", "k1"))
		c, _ := json.Marshal(e.claims("oid-ana", nil))
		m := hmac.New(sha256.New, e.key.N.Bytes())
		m.Write([]byte(b64(h) + "." + b64(c)))
		return b64(h) + "." + b64(c) + "." + b64(m.Sum(nil))
	}
	ago := func(d time.Duration) int64 { return time.Now().Add(-d).Unix() }
	for name, token := range map[string]string{
		"nothing that is a token":         "x",
		"three parts of nothing":          "a.b.c",
		"one cut short":                   good[:len(good)-10],
		"one with other claims":           strings.Split(good, ".")[0] + "." + strings.Split(e.token("oid-ben", nil), ".")[1] + "." + strings.Split(good, ".")[2],
		"without a signature":             none(),
		"signed with the public key":      hs256(),
		"signed by a stranger":            e.signed(head("RS256", "k1"), e.claims("oid-ana", nil), stranger),
		"signed with a key nobody knows":  e.signed(head("RS256", "k9"), e.claims("oid-ana", nil), stranger),
		"an algorithm that we don't take": e.signed(head("RS512", "k1"), e.claims("oid-ana", nil), e.key),
		"over":                            e.token("oid-ana", map[string]any{"exp": ago(time.Minute)}),
		"without an end":                  e.token("oid-ana", map[string]any{"exp": nil}),
		"not begun":                       e.token("oid-ana", map[string]any{"nbf": ago(-time.Hour)}),
		"of another issuer":               e.token("oid-ana", map[string]any{"iss": "https://login.microsoftonline.com/evil/v2.0"}),
		"of version 1":                    e.token("oid-ana", map[string]any{"iss": "https://sts.windows.net/" + tenant + "/", "ver": "1.0"}),
		"of another tenant":               e.token("oid-ana", map[string]any{"tid": "other"}),
		"without a tenant":                e.token("oid-ana", map[string]any{"tid": nil}),
		"for another app":                 e.token("oid-ana", map[string]any{"aud": "00000000-0000-0000-0000-000000000000"}),
		"for an app of a like name":       e.token("oid-ana", map[string]any{"aud": "api://evil.example/" + appID}),
		"for nobody":                      e.token("oid-ana", map[string]any{"aud": nil}),
		"that tells who it is, not to us": e.token("oid-ana", map[string]any{"scp": nil}), // an ID token
		"for something else":              e.token("oid-ana", map[string]any{"scp": "User.Read access_as_user2"}),
		"an app's own":                    e.token("oid-ana", map[string]any{"scp": nil, "roles": []string{"access_as_user"}, "idtyp": "app"}),
		"that names nobody":               e.token("oid-ana", map[string]any{"oid": nil}),
		"with claims of a wrong type":     e.token("oid-ana", map[string]any{"oid": 7}),
	} {
		if got := w.visitor().signIn(token); got.StatusCode != http.StatusForbidden {
			t.Errorf("a token %s: %s", name, got.Status)
		}
	}
	if got := w.visitor().signIn(""); got.StatusCode != http.StatusBadRequest {
		t.Errorf("no token: %s", got.Status)
	}
	if got := w.visitor().signIn(strings.Repeat("x", 1<<20)); got.StatusCode != http.StatusBadRequest {
		t.Errorf("a token of a megabyte: %s", got.Status)
	}
	for name, audience := range map[string]any{"its id": appID, "its URI": "api://" + appID, "its bot's URI": "api://botid-" + appID, "one of several": []string{"x", appID}} {
		if got := w.visitor().signIn(e.token("oid-ana", map[string]any{"aud": audience})); got.StatusCode != 200 {
			t.Errorf("a token for the app by %s: %s", name, got.Status)
		}
	}
	if strings.Contains(w.log.String(), good) {
		t.Error("a token is in the log")
	}
}

func TestUnknownKeysAreNotAskedForAtAnAttackersPace(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	v := w.visitor()
	if got := v.signIn(w.entra.token("oid-ana", nil)); got.StatusCode != 200 {
		t.Fatal(got.Status)
	}
	stranger, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	before := w.entra.calls.Load()
	var all sync.WaitGroup
	for i := range 200 {
		all.Go(func() {
			token := w.entra.signed(map[string]any{"alg": "RS256", "kid": "k" + strings.Repeat("x", i)}, w.entra.claims("oid-ana", nil), stranger)
			if got := v.signIn(token); got.StatusCode != http.StatusForbidden {
				t.Errorf("a key nobody knows: %s", got.Status)
			}
		})
	}
	all.Wait()
	if n := w.entra.calls.Load() - before; n > 1 {
		t.Errorf("Entra was asked for its keys %d times", n)
	}
	// Who has a good token comes in all the same.
	if got := v.signIn(w.entra.token("oid-ana", nil)); got.StatusCode != 200 {
		t.Error(got.Status)
	}
}

func TestALinkOpensAPageOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	link, err := w.pages.PageLink(ana)
	if err != nil {
		t.Fatal(err)
	}
	path := strings.TrimPrefix(link, w.server.URL)
	token := path[strings.LastIndex(path, "/")+1:]
	// A preview of the link, any number of them, leaves it as it is.
	for range 3 {
		if got := w.visitor().get(path).want(t, 200, "Hello Ana Silva"); got.Header.Get("Set-Cookie") != "" {
			t.Error("following a link alone has opened the page")
		}
	}
	opened := 0
	var mu sync.Mutex
	var all sync.WaitGroup
	for range 8 { // eight at a time
		all.Go(func() {
			if got := w.visitor().do("POST", "/tab/open", url.Values{"link": {token}}); got.StatusCode == http.StatusSeeOther {
				mu.Lock()
				opened++
				mu.Unlock()
			}
		})
	}
	all.Wait()
	if opened != 1 {
		t.Errorf("a link was good for %d openings, want 1", opened)
	}

	old, err := w.pages.PageLink(ana)
	if err != nil {
		t.Fatal(err)
	}
	file, err := w.pages.FileLink(attachment("1", "a.txt"))
	if err != nil {
		t.Fatal(err)
	}
	session := w.scripted(ana).session
	w.pass(11 * time.Minute)
	for name, link := range map[string]string{
		"too old":               old[strings.LastIndex(old, "/")+1:],
		"used":                  token,
		"a file's":              strings.Split(file, "/")[4],
		"a session":             session,
		"changed":               token[:len(token)-2] + "AA",
		"of a key nobody has":   "zz." + strings.SplitN(token, ".", 2)[1],
		"of a key out of reach": "zzzzzzzzzzzzzzzz." + strings.SplitN(token, ".", 2)[1],
		"empty":                 "",
		"dots":                  "..",
		"long":                  strings.Repeat("1.", 10000),
	} {
		if got := w.visitor().do("POST", "/tab/open", url.Values{"link": {link}}); got.StatusCode != http.StatusForbidden || got.Header.Get("Set-Cookie") != "" {
			t.Errorf("a link that is %s: %s", name, got.Status)
		}
	}
	w.visitor().get("/tab/open/1.x.y").want(t, http.StatusForbidden, "Write “my page”")
}

func TestSessionsEnd(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	v, s := w.as(ana), w.scripted(ana)
	w.pass(50 * time.Minute)
	v.get("/tab").want(t, 200, "Your tickets")
	w.pass(50 * time.Minute)
	v.get("/tab").want(t, 200, "Your tickets") // using it has prolonged it
	s.get("/tab/card").want(t, http.StatusUnauthorized)
	for range 13 {
		w.pass(50 * time.Minute)
		v.get("/tab")
	}
	v.get("/tab").want(t, 200, "Nobody is signed in here") // but not for ever

	v = w.as(ana)
	w.pass(61 * time.Minute)
	v.get("/tab").want(t, 200, "Nobody is signed in here")
	v.do("POST", "/tab/press", url.Values{"press": {"x"}}).want(t, http.StatusUnauthorized)

	v = w.as(ana)
	v.do("POST", "/tab/out", url.Values{}).want(t, 200, "You are signed out")
	v.get("/tab").want(t, 200, "Nobody is signed in here")

	// A cookie is no bearer's session, nor the other way round.
	v = w.as(ana)
	site, err := url.Parse(w.server.URL)
	if err != nil {
		t.Fatal(err)
	}
	cookie := v.client.Jar.Cookies(site)[0]
	w.visitor().get("/tab/card", "Authorization", "Bearer "+cookie.Value).want(t, http.StatusUnauthorized)
	w.visitor().get("/tab/card", "Cookie", cookie.Name+"="+w.scripted(ana).session).want(t, http.StatusUnauthorized)
	// Where both are given the header counts: it is what the page says.
	v.get("/tab/card", "Authorization", "Bearer x").want(t, http.StatusUnauthorized)
}

func TestOtherSitesCanDoNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	v := w.as(ana)
	form := v.get("/tab").button(t, "Open a ticket")
	for name, head := range map[string][]string{
		"a form on another site":             {"Sec-Fetch-Site", "cross-site"},
		"a neighbour below the same domain":  {"Sec-Fetch-Site", "same-site"},
		"another site, in an older browser":  {"Sec-Fetch-Site", "", "Origin", "https://evil.example"},
		"a frame without an origin":          {"Sec-Fetch-Site", "", "Origin", "null"},
		"another port, in an older browser":  {"Sec-Fetch-Site", "", "Origin", "http://127.0.0.1:1"},
		"our address, on an unsafe protocol": {"Sec-Fetch-Site", "", "Origin", "gopher://" + strings.TrimPrefix(w.server.URL, "http://") + "x"},
	} {
		for _, path := range []string{"/tab/press", "/tab/form", "/tab/search", "/tab/open", "/tab/out", "/tab/session"} {
			if got := v.do("POST", path, form, head...); got.StatusCode != http.StatusForbidden {
				t.Errorf("%s, %s: %s", name, path, got.Status)
			}
		}
	}
}

func TestWhatEveryAnswerForbids(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	v := w.as(ana)
	link, err := w.pages.PageLink(ana)
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{"/tab", "/tab?host=teams", "/tab/card", strings.TrimPrefix(link, w.server.URL), "/tab/nothing", "/files/a/b", "/tab/session"} {
		h := v.get(path).Header
		for name, want := range map[string]string{"Cache-Control": "no-store", "Referrer-Policy": "no-referrer", "X-Content-Type-Options": "nosniff"} {
			if h.Get(name) != want {
				t.Errorf("%s: %s is %q", path, name, h.Get(name))
			}
		}
		policy := h.Get("Content-Security-Policy")
		if !strings.Contains(policy, "default-src 'none'") || !strings.Contains(policy, "frame-ancestors ") || strings.Contains(policy, "unsafe") || strings.Contains(policy, "frame-ancestors *") {
			t.Errorf("%s: the policy is %q", path, policy)
		}
	}
	if policy := v.get("/tab/open/" + link[strings.LastIndex(link, "/")+1:]).Header.Get("Content-Security-Policy"); !strings.Contains(policy, "frame-ancestors 'none'") {
		t.Errorf("the page that asks may stand in a frame: %s", policy)
	}
	asset := v.get("/tab/page.js")
	if asset.Header.Get("Cache-Control") != "no-store" || !strings.HasPrefix(asset.Header.Get("Content-Type"), "text/javascript") {
		t.Errorf("an asset without its version: %v", asset.Header)
	}

	// What is served by default, for the real Teams.
	s, err := web.New(t.Context(), web.Options{DB: w.db, Desk: w, URL: "https://desk.example", Now: w.now,
		Entra: &web.Entra{Platform: "teams", TenantID: tenant, AppID: appID}})
	if err != nil {
		t.Fatal(err)
	}
	w.server.Config.Handler = s.Handler()
	page := w.visitor().get("/tab?host=teams&theme=contrast").want(t, 200, `data-theme="contrast"`, `integrity="sha384-`, `crossorigin="anonymous"`)
	policy := page.Header.Get("Content-Security-Policy")
	for _, want := range []string{"script-src 'self' https://res.cdn.office.net/teams-js/2.58.0/js/MicrosoftTeams.min.js;",
		"connect-src 'self' https://res.cdn.office.net;", "frame-ancestors https://teams.microsoft.com https://*.teams.microsoft.com https://*.cloud.microsoft"} {
		if !strings.Contains(policy, want) {
			t.Errorf("no %q in %q", want, policy)
		}
	}
	link, err = s.PageLink(ana)
	if err != nil {
		t.Fatal(err)
	}
	cookie := w.visitor().do("POST", "/tab/open", url.Values{"link": {link[strings.LastIndex(link, "/")+1:]}}).Header.Get("Set-Cookie")
	for _, want := range []string{"__Host-deskhand=", "; Path=/", "; HttpOnly", "; Secure", "; SameSite=Strict", "; Max-Age=3600"} {
		if !strings.Contains(cookie, want) {
			t.Errorf("no %q in the cookie %q", want, cookie)
		}
	}
}

func TestAddressesThatWillNotDo(t *testing.T) {
	t.Parallel()
	for _, address := range []string{"", "desk.example", "https://", "http://desk.example", "https://desk.example/path", "https://desk.example?x=1",
		"https://user:word@desk.example", "ftp://desk.example", "https://desk.example#x", "://"} {
		if _, err := web.CheckURL(address); err == nil || !strings.Contains(err.Error(), "DESKHAND_URL") {
			t.Errorf("%q: %v", address, err)
		}
	}
	for _, address := range []string{"https://desk.example", "https://desk.example/", "https://desk.example:8443", "http://localhost:8080", "http://127.0.0.1:1", "http://[::1]:1"} {
		if _, err := web.CheckURL(address); err != nil {
			t.Errorf("%q: %v", address, err)
		}
	}
}

func TestKeysFollowEachOther(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	openTicket(t, w.as(ana), "No sound")
	f := w.keep(1, storage.FileKept, "a.txt", "text/plain", "hello")
	link, err := w.pages.FileLink(f)
	if err != nil {
		t.Fatal(err)
	}
	other, err := web.New(t.Context(), web.Options{DB: w.db, Desk: w, URL: w.server.URL, Now: w.now})
	if err != nil {
		t.Fatal(err)
	}
	w.pass(29*24*time.Hour + 12*time.Hour)
	late, err := w.pages.FileLink(f)
	if err != nil {
		t.Fatal(err)
	}
	w.pass(24 * time.Hour) // the key is to be followed now
	next, err := web.New(t.Context(), web.Options{DB: w.db, Desk: w, URL: w.server.URL, Now: w.now})
	if err != nil {
		t.Fatal(err)
	}
	fresh, err := next.FileLink(f)
	if err != nil {
		t.Fatal(err)
	}
	number := func(link string) string { return strings.SplitN(strings.Split(link, "/")[4], ".", 2)[0] }
	if number(link) != number(late) || number(late) == number(fresh) {
		t.Errorf("signed by keys %s, %s and %s", number(link), number(late), number(fresh))
	}
	if got := w.count(`select count(*) from secrets`); got != 2 {
		t.Errorf("%d keys are on record, want 2", got)
	}
	// A process that has not heard of the new key finds it, and takes the old one.
	w.server.Config.Handler = other.Handler()
	for name, l := range map[string]string{"the old key": late, "the new key": fresh} {
		if got := w.visitor().get(strings.TrimPrefix(l, w.server.URL)); got.StatusCode != 200 {
			t.Errorf("a link signed with %s: %s", name, got.Status)
		}
	}
	w.pass(28 * 24 * time.Hour) // late is 29 days old; its key has long been followed
	if got := w.visitor().get(strings.TrimPrefix(late, w.server.URL)); got.StatusCode != 200 {
		t.Errorf("an old link within its time: %s", got.Status)
	}
	w.pass(3 * 24 * time.Hour)
	if got := w.visitor().get(strings.TrimPrefix(late, w.server.URL)); got.StatusCode != 404 {
		t.Errorf("an old link after its time: %s", got.Status)
	}
	if err := w.db.KeepHouse(t.Context(), w.now().Add(61*24*time.Hour)); err != nil {
		t.Fatal(err)
	}
	if got := w.count(`select count(*) from secrets`); got != 0 {
		t.Errorf("%d keys are left that verify nothing", got)
	}
}

func TestADatabaseThatIsAwayIsNoRefusal(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	v, s := w.as(ana), w.scripted(ana)
	w.db.Close()
	for _, got := range []answer{v.get("/tab"), s.get("/tab/card")} {
		if got.StatusCode != http.StatusServiceUnavailable || !strings.Contains(got.body, "Nothing is lost") || got.Header.Get("Retry-After") == "" {
			t.Errorf("%s %s", got.Status, got.body)
		}
	}
}
