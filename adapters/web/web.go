// Package web is the desk's own pages: the personal tab in Microsoft Teams,
// which is also a page for a browser, and files behind signed links.
//
// A page shows what the desk draws for whoever looks, and hands what they do to
// bot/inbox as the same chat.Events that a chat platform would report, so that
// flows, rights and audit are the same.
//
// Whoever looks is known in one of two ways. Inside Teams the page asks TeamsJS
// for a token, which is verified against the tenant's keys and exchanged for a
// session that lives in the page's memory. No cookie is set there: browsers
// keep those of a page in somebody else's frame from it. In a browser a signed
// link from the desk's chat is exchanged, once, for a session in a cookie.
//
// Buttons and forms are sealed for whom they were drawn for. So nobody presses
// what the desk has not offered them, and no process needs to remember a page.
package web

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/deskhand/deskhand/bot"
	"github.com/deskhand/deskhand/bot/chat"
	"github.com/deskhand/deskhand/storage"
)

// Desk is what the pages ask of the desk.
type Desk interface {
	// Home is what somebody finds at the desk's home.
	Home(ctx context.Context, u chat.User) (chat.Card, error)
	// Answer handles an event at once; see inbox.Inbox.Answer.
	Answer(ctx context.Context, ev chat.Event) (chat.Answer, error)
}

// Record is what is shown to whoever has a link.
type Record interface {
	// Calendar is a team's changes.
	Calendar(ctx context.Context, l storage.CalendarLink) (bot.Calendar, error)
	// Picture is a configuration item and what is around it.
	Picture(ctx context.Context, item int64) (bot.Picture, error)
}

// Options are what a Server is made of. DB, Desk and URL are needed.
type Options struct {
	DB     *storage.DB
	Desk   Desk
	Record Record // nil: there are no calendars and no pictures
	URL    string // where people reach the desk: scheme, host and port alone

	Entra   *Entra // who signs people in inside Teams; nil: only links do
	TeamsJS Script // the zero value: Microsoft's
	// Frames are the hosts in whose frames the tab may stand; none: those that
	// Microsoft documents for Teams.
	Frames []string

	Now func() time.Time
	Log *slog.Logger
}

// Script is a script of somebody else's.
type Script struct {
	URL       string
	Integrity string // of Subresource Integrity; may be empty
}

// teamsJS is the release of TeamsJS that its package on npm, version 2.58.0,
// names with this hash; the script in the package has the same.
var teamsJS = Script{
	URL:       "https://res.cdn.office.net/teams-js/2.58.0/js/MicrosoftTeams.min.js",
	Integrity: "sha384-sMo/EOqQPa1OCup2/VBRum7oFeOS22kvs8WGDc45xK53tUVZzFR5WwFYDUYN1LO4",
}

// teamsFrames are the hosts of Teams: those of learn.microsoft.com, "Tab
// requirements", and of the clouds for governments, which TeamsJS knows too.
var teamsFrames = []string{"https://teams.microsoft.com", "https://*.teams.microsoft.com", "https://*.cloud.microsoft",
	"https://teams.microsoft.us", "https://gov.teams.microsoft.us", "https://dod.teams.microsoft.us"}

// The paths that a Server serves; what it is mounted at.
const (
	TabPath   = "/tab"
	FilesPath = "/files/"
	// These need a Record.
	CalendarPath = "/calendar/"
	GraphPath    = "/graph/"
)

// Server serves the pages. It is safe for use by many goroutines.
type Server struct {
	o      Options
	base   *url.URL
	keys   *keyring
	entra  *verifier
	policy string // the tab's Content-Security-Policy
}

// New makes a Server. It makes the key that the desk signs with, if there is
// none on record.
func New(ctx context.Context, o Options) (*Server, error) {
	if o.DB == nil || o.Desk == nil {
		return nil, errors.New("web: need a database and a desk")
	}
	base, err := CheckURL(o.URL)
	if err != nil {
		return nil, err
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	o.Log = cmp.Or(o.Log, slog.Default())
	if o.TeamsJS.URL == "" {
		o.TeamsJS = teamsJS
	}
	if len(o.Frames) == 0 {
		o.Frames = teamsFrames
	}
	s := &Server{o: o, base: base, keys: &keyring{db: o.DB, now: o.Now}}
	if o.Entra != nil {
		if s.entra, err = newVerifier(*o.Entra, base.Host, o.Now); err != nil {
			return nil, err
		}
	}
	script, err := url.Parse(o.TeamsJS.URL)
	if err != nil || script.Host == "" {
		return nil, fmt.Errorf("web: the address of TeamsJS, %q, is none", o.TeamsJS.URL)
	}
	// TeamsJS asks its own host, from script, which hosts it may talk to.
	s.policy = strings.Join([]string{
		"default-src 'none'", "script-src 'self' " + o.TeamsJS.URL, "style-src 'self'", "img-src 'self' https:",
		"connect-src 'self' " + script.Scheme + "://" + script.Host, "form-action 'self'", "base-uri 'none'",
		"frame-ancestors " + strings.Join(o.Frames, " "),
	}, "; ")
	return s, s.keys.renew(ctx)
}

// CheckURL says whether people's browsers could reach the desk at an address.
// Errors are for whoever configures it.
func CheckURL(address string) (*url.URL, error) {
	u, err := url.Parse(address)
	switch {
	case err != nil, u.Host == "", u.User != nil, strings.Trim(u.Path, "/") != "", u.RawQuery != "", u.Fragment != "":
		return nil, fmt.Errorf("DESKHAND_URL is %q; it must be an address such as https://desk.example.com, without a path", address)
	case u.Scheme == "https", u.Scheme == "http" && (u.Hostname() == "localhost" || u.Hostname() == "127.0.0.1" || u.Hostname() == "::1"):
		u.Path = ""
		return u, nil
	}
	return nil, fmt.Errorf("DESKHAND_URL is %q; it must begin with https://: sessions would travel in the clear", address)
}

// Run keeps a key to sign with until ctx ends.
func (s *Server) Run(ctx context.Context) error {
	tick := time.NewTicker(time.Hour)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
			if err := s.keys.renew(ctx); err != nil && ctx.Err() == nil {
				s.o.Log.WarnContext(ctx, "the key for links was not renewed", "err", err)
			}
		}
	}
}

// Handler serves TabPath and what is below it, and the other paths.
func (s *Server) Handler() http.Handler {
	pages := http.NewServeMux()
	pages.HandleFunc("GET /tab", s.tab)
	pages.HandleFunc("GET /tab/card", s.card)
	pages.HandleFunc("GET /tab/open/{link}", s.greet)
	pages.HandleFunc("POST /tab/open", s.openLink)
	pages.HandleFunc("POST /tab/out", s.signOut)
	pages.HandleFunc("POST /tab/session", s.signIn)
	pages.HandleFunc("POST /tab/press", s.press)
	pages.HandleFunc("POST /tab/form", s.form)
	pages.HandleFunc("POST /tab/search", s.search)
	pages.HandleFunc("GET /tab/{asset}", asset)
	pages.HandleFunc("GET /files/{link}/{name}", s.file)
	pages.HandleFunc("GET /files/picture/{link}/{name}", s.picture)
	if s.o.Record != nil {
		pages.HandleFunc("GET /calendar/{link}/{name}", s.calendar)
		pages.HandleFunc("GET /graph/{link}", s.graph)
	}

	// Behind a proxy the Host header may be the proxy's own; the address that
	// people use is trusted in any case.
	sameSite := http.NewCrossOriginProtection()
	if err := sameSite.AddTrustedOrigin(s.base.Scheme + "://" + s.base.Host); err != nil {
		panic(err) // CheckURL has seen to it
	}
	guarded := sameSite.Handler(pages)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Date", s.o.Now().UTC().Format(http.TimeFormat)) // the page's script goes by it
		h.Set("Cache-Control", "no-store")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("X-Robots-Tag", "noindex")
		h.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
		r.Body = http.MaxBytesReader(w, r.Body, mostBody)
		guarded.ServeHTTP(w, r)
	})
}

// mostBody is the largest request, in bytes: a form with its sealed self and
// every field full.
const mostBody = 512 << 10
