package app

import (
	"html"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"path"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/deskhand/deskhand/adapters/adaptertest"
	"github.com/deskhand/deskhand/bot/chat"
)

// tab is somebody at their page of the desk, which they came to by a link. It is
// read as a browser without a script shows it.
type tab struct {
	adaptertest.Actor // for what is not done on the page
	d                 *parityDesk
	client            *http.Client
	page              string
}

func (d *parityDesk) opensTab(who adaptertest.Actor, u chat.User) adaptertest.Actor {
	d.t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		d.t.Fatal(err)
	}
	// The desk knows whoever has spoken to it.
	link, err := d.app.web.PageLink(u)
	if err != nil {
		d.t.Fatal(err)
	}
	tab := &tab{who, d, &http.Client{Jar: jar}, ""}
	tab.post("/tab/open", url.Values{"link": {path.Base(link)}})
	return tab
}

func (p *tab) did(resp *http.Response, err error) {
	p.d.t.Helper()
	if err != nil {
		p.d.t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		p.d.t.Fatalf("the page: %s, %v: %s", resp.Status, err, body)
	}
	p.page = string(body)
}

func (p *tab) post(at string, form url.Values) {
	p.d.t.Helper()
	req, err := http.NewRequestWithContext(p.d.t.Context(), http.MethodPost, "http://"+p.d.app.Addr()+at, strings.NewReader(form.Encode()))
	if err != nil {
		p.d.t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	p.did(p.client.Do(req))
}

func (p *tab) load() {
	p.d.t.Helper()
	req, err := http.NewRequestWithContext(p.d.t.Context(), http.MethodGet, "http://"+p.d.app.Addr()+"/tab", nil)
	if err != nil {
		p.d.t.Fatal(err)
	}
	p.did(p.client.Do(req))
}

var (
	tags    = regexp.MustCompile(`<[^>]*>`)
	hidden  = regexp.MustCompile(`<input type="hidden" name="([^"]*)" value="([^"]*)">`)
	buttons = regexp.MustCompile(`<button[^>]* name="press" value="([^"]*)"[^>]*>([^<]*)</button>`)
)

// words are all that stands on the page.
func (p *tab) words() string {
	return strings.Join(strings.Fields(html.UnescapeString(tags.ReplaceAllString(p.page, " "))), " ")
}

func (p *tab) has(words []string) bool {
	now := p.words()
	return !slices.ContainsFunc(words, func(w string) bool { return !strings.Contains(now, w) })
}

func (p *tab) Sees(words ...string) adaptertest.Actor {
	p.d.t.Helper()
	for late := time.Now().Add(patience); !p.has(words); p.load() {
		if time.Now().After(late) {
			p.d.t.Fatalf("the page has not all of %q: %s", words, p.words())
		}
	}
	return p
}

func (p *tab) SeesNot(words ...string) adaptertest.Actor {
	p.d.t.Helper()
	if err := p.d.settled(p.d.t.Context()); err != nil {
		p.d.t.Fatal(err)
	}
	if p.load(); p.has(words) {
		p.d.t.Fatalf("the page has %q: %s", words, p.words())
	}
	return p
}

func (p *tab) Press(button string) adaptertest.Actor {
	p.d.t.Helper()
	for _, b := range buttons.FindAllStringSubmatch(p.page, -1) {
		if html.UnescapeString(b[2]) == button {
			form := url.Values{"press": {html.UnescapeString(b[1])}}
			for _, f := range hidden.FindAllStringSubmatch(p.page, -1) {
				form.Set(f[1], html.UnescapeString(f[2]))
			}
			p.post("/tab/press", form)
			return p
		}
	}
	p.d.t.Fatalf("the page has no button %q: %s", button, p.words())
	return p
}
