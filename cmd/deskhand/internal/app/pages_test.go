package app

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/deskhand/deskhand/adapters/adaptertest"
	"github.com/deskhand/deskhand/adapters/teams/teamstest"
	"github.com/deskhand/deskhand/storage/pgtest"
)

// The way from the chat to one's page, and what is done there is seen in the
// chat.
func TestFromTheChatToOnesPage(t *testing.T) {
	t.Parallel()
	address := freePort(t)
	d := openWith(t, func(o *Options) { o.URL, o.Listen = "http://"+address, address })
	ana, ben := d.Person("ana"), d.Person("ben")
	ana.Says("my zeppelin is blue").Press("Talk to a person").Sees("INC-1")

	ben.Says("my page").Sees("All your tickets on one page.")
	ben.In("general").Runs("/desk my page").Sees("All your tickets on one page.")
	ana.In("general").SeesNot("All your tickets on one page.")
	ana.Says("my tickets").Press("Open my page").Sees("All your tickets on one page.")

	own, err := ben.Person().DM()
	if err != nil {
		t.Fatal(err)
	}
	said, err := ben.Person().Messages(own, "", 10)
	if err != nil {
		t.Fatal(err)
	}
	var link []string
	for _, m := range said {
		if l := regexp.MustCompile(`http://` + regexp.QuoteMeta(address) + `/tab/open/([\w.-]+)`).FindStringSubmatch(string(m.Blocks)); l != nil {
			link = l
		}
	}
	if link == nil {
		t.Fatalf("no link in %+v", said)
	}
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	client := &http.Client{Jar: jar, Timeout: 10 * time.Second}
	ask := func(method, path string, form url.Values) string {
		t.Helper()
		r, err := http.NewRequestWithContext(t.Context(), method, "http://"+address+path, strings.NewReader(form.Encode()))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		res, err := client.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = res.Body.Close() }()
		body, err := io.ReadAll(res.Body)
		if err != nil || res.StatusCode != 200 {
			t.Fatalf("%s %s: %s, %v\n%s", method, path, res.Status, err, body)
		}
		return string(body)
	}
	if page := ask("GET", "/tab/open/"+link[1], nil); !strings.Contains(page, "Hello Ben Weber") {
		t.Fatalf("whose page is it?\n%s", page)
	}
	page := ask("POST", "/tab/open", url.Values{"link": {link[1]}})
	press := regexp.MustCompile(`name="press" value="([^"]*)" aria-label="Claim INC-1"`).FindStringSubmatch(page)
	if press == nil {
		t.Fatalf("no Claim on\n%s", page)
	}
	form := url.Values{"press": {press[1]}}
	for _, m := range regexp.MustCompile(`type="hidden" name="(drawn|once)" value="([^"]*)"`).FindAllStringSubmatch(page, -1) {
		form.Set(m[1], m[2])
	}
	if page := ask("POST", "/tab/press", form); !strings.Contains(page, "Yours: 1.") {
		t.Fatalf("not claimed on\n%s", page)
	}
	ana.Sees("INC-1", "Ben Weber")
	ben.In("it-triage").Sees("INC-1", "In progress", "Ben Weber")
}

func TestWithoutAnAddressThereAreNoPages(t *testing.T) {
	t.Parallel()
	d := open(t)
	ana := d.Person("ana")
	ana.Says("my page").SeesNot("All your tickets on one page.")
	for _, path := range []string{"/tab", "/tab/card", "/files/x/y"} {
		res, err := http.Get("http://" + d.app.Addr() + path)
		if err != nil {
			t.Fatal(err)
		}
		_ = res.Body.Close()
		if res.StatusCode != http.StatusNotFound {
			t.Errorf("%s: %s", path, res.Status)
		}
	}
	if _, err := New(t.Context(), Options{URL: "http://desk.example", Slack: Slack{BotToken: "x", SigningSecret: "x"}}); err == nil || !strings.Contains(err.Error(), "DESKHAND_URL") {
		t.Errorf("an address that will not do: %v", err)
	}
}

// Inside Teams the tab is signed in by the tenant, and what is done in it is
// seen in the chat.
func TestTheTabInTeams(t *testing.T) {
	t.Parallel()
	address := freePort(t)
	d := &parityDesk{desk: &desk{t: t}}
	on := adaptertest.On(adaptertest.Teams)
	d.teams = tenantOf(t, teamstest.Options{Now: d.now}, on)
	o := Options{DatabaseURL: pgtest.URL(t), URL: "http://" + address, Listen: address}
	seed(t, o.DatabaseURL)
	d.start(o)
	d.install(on)

	ana := d.teams.Person("ana")
	ask := func(method, path, session, kind, body string) (int, string) {
		t.Helper()
		r, err := http.NewRequestWithContext(t.Context(), method, "http://"+address+path, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Content-Type", kind)
		r.Header.Set("Accept", "application/json")
		if session != "" {
			r.Header.Set("Authorization", "Bearer "+session)
		}
		res, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = res.Body.Close() }()
		got, err := io.ReadAll(res.Body)
		if err != nil {
			t.Fatal(err)
		}
		return res.StatusCode, string(got)
	}
	signIn := func(change func(map[string]any)) (int, string) {
		t.Helper()
		token, err := ana.SSOToken(change)
		if err != nil {
			t.Fatal(err)
		}
		code, body := ask("POST", "/tab/session", "", "application/json", `{"token":"`+token+`"}`)
		var got struct{ Session string }
		_ = json.Unmarshal([]byte(body), &got) // what is refused has none
		return code, got.Session
	}
	if code, _ := signIn(func(c map[string]any) { c["aud"] = "another app" }); code != http.StatusForbidden {
		t.Errorf("a token for another app: %d", code)
	}
	code, session := signIn(nil)
	if code != 200 || session == "" {
		t.Fatalf("signing in: %d", code)
	}
	code, body := ask("GET", "/tab/card", session, "", "")
	var view struct{ Card, Dialog string }
	if err := json.Unmarshal([]byte(body), &view); err != nil || code != 200 || !strings.Contains(view.Card, "You have none.") {
		t.Fatalf("the tab: %d %s", code, body)
	}
	press := func(html, label string) {
		t.Helper()
		b := regexp.MustCompile(`<button class="button[^>]* name="press" value="([^"]*)"[^>]*>` + label + `</button>`).FindStringSubmatch(html)
		if b == nil {
			t.Fatalf("no button %q in %s", label, html)
		}
		form := url.Values{"press": {b[1]}, "once": {label}}
		form.Set("drawn", regexp.MustCompile(`name="drawn" value="(\d+)"`).FindStringSubmatch(html)[1])
		code, body = ask("POST", "/tab/press", session, "application/x-www-form-urlencoded", form.Encode())
		view.Dialog = ""
		if err := json.Unmarshal([]byte(body), &view); err != nil || code != 200 {
			t.Fatalf("%s: %d %s", label, code, body)
		}
	}
	press(view.Card, "Ask the desk")
	form := url.Values{"f.text": {"my zeppelin is blue"}}
	for _, m := range regexp.MustCompile(`type="hidden" name="([a-z]+)" value="([^"]*)"`).FindAllStringSubmatch(view.Dialog, -1) {
		form.Set(m[1], m[2])
	}
	if code, body := ask("POST", "/tab/form", session, "application/x-www-form-urlencoded", form.Encode()); code != 200 {
		t.Fatalf("asking: %d %s", code, body)
	}
	own := d.Person(adaptertest.Teams.Name, "ana")
	own.Sees("my zeppelin is blue", "Shall I open a ticket?")

	// The link is for her eyes only, wherever she asks for it.
	own.Says("my page").Sees("All your tickets on one page.")
	links := own.Counts("All your tickets on one page.")
	own.In("general").Calls("my page")
	own.In("general").SeesNot("All your tickets on one page.")
	d.Person(adaptertest.Teams.Name, "ben").In("general").SeesNot("All your tickets on one page.")
	if got := own.Counts("All your tickets on one page."); got != links+1 {
		t.Errorf("%d links came to her own chat, want %d", got, links+1)
	}
	own.Says("help").Sees("my page", "is a page with all of yours")
}
