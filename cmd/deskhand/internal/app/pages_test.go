package app

import (
	"io"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"
)

// The way from the chat to one's page, and what is done there is seen in the
// chat.
func TestFromTheChatToOnesPage(t *testing.T) {
	t.Parallel()
	// The address that people use is known before the desk listens there.
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := free.Addr().String()
	if err := free.Close(); err != nil {
		t.Fatal(err)
	}
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
