package web

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"encoding/json"
	"errors"
	"html/template"
	"net/http"
	"strings"
	"time"

	"github.com/deskhand/deskhand/bot/chat"
)

const (
	// sealedFor is how long a button or a form answers once it is drawn.
	sealedFor = 12 * time.Hour
	// A page says when something was done, so that it can be sent again. It may
	// arrive late, and the page's clock may be ahead of this process's. What is
	// older could make a promised time look kept that was not.
	late  = 15 * time.Minute
	early = time.Minute
)

//go:embed page.html
var pageSource string

//go:embed graph.html
var graphSource string

//go:embed page.css page.js graph.css
var assets embed.FS

var pages = template.Must(template.Must(template.New("").Parse(pageSource)).Parse(graphSource))

func execute(name string, data any) (template.HTML, error) {
	var b strings.Builder
	err := pages.ExecuteTemplate(&b, name, data)
	return template.HTML(b.String()), err
}

// version changes with the assets, so that browsers may keep them for ever.
var version = func() string {
	h := sha256.New()
	for _, name := range []string{"page.css", "page.js", "graph.css"} {
		b, err := assets.ReadFile(name)
		if err != nil {
			panic(err) // it is embedded
		}
		h.Write(b)
	}
	return hex.EncodeToString(h.Sum(nil)[:6])
}()

// view is what becomes of the page after something was done on it.
type view struct {
	Card   template.HTML `json:"card,omitempty"`
	ETag   string        `json:"etag,omitempty"` // of the card
	Dialog template.HTML `json:"dialog,omitempty"`
	Push   bool          `json:"push,omitempty"`  // Dialog goes on top of what is open
	Close  bool          `json:"close,omitempty"` // the dialog on top is done with
	Say    template.HTML `json:"say,omitempty"`

	status int
}

// page is the whole of it.
type page struct {
	In    bool // somebody is signed in, or
	Title string
	Lines []string
	Greet string // a link is followed, by whoever has this name, perhaps
	Link  string
	View  view

	// What follows is filled in by Server.page.
	Teams   *Script // signs in inside Teams
	Theme   string
	Version string
}

// pressed is a button on its way to a page and back.
type pressed struct {
	Action  string        `json:"a"`
	Args    chat.Args     `json:"g,omitempty"`
	Confirm *chat.Confirm `json:"c,omitempty"`
	Style   chat.Style    `json:"s,omitempty"`
}

// confirm asks before a button acts.
type confirm struct {
	chat.Confirm
	Style       chat.Style
	Press, Form string
	Marks       map[string]string
}

// themes are those of Teams: "default", "dark", "contrast" and, on a headset,
// "glass". What there is none for follows the browser.
var themes = map[string]string{"default": "light", "light": "light", "dark": "dark", "contrast": "contrast", "glass": "dark"}

// page sends a page.
func (s *Server) page(w http.ResponseWriter, r *http.Request, status int, p page) {
	p.Theme, p.Version = themes[r.URL.Query().Get("theme")], version
	html, err := execute("page", p)
	if err != nil {
		s.trouble(w, r, err)
		return
	}
	policy := s.policy
	if p.Greet != "" { // what is decided there is decided in a window of one's own
		policy = strings.Join([]string{"default-src 'none'", "style-src 'self'", "form-action 'self'", "base-uri 'none'", "frame-ancestors 'none'"}, "; ")
	}
	w.Header().Set("Content-Security-Policy", policy)
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	_, _ = w.Write([]byte(html))
}

// signedOut is the page for whoever is not known: Teams signs them in, if it
// is there.
func (s *Server) signedOut(w http.ResponseWriter, r *http.Request, status int) {
	p := page{Title: "Nobody is signed in here", Lines: []string{"Write “my page” to the desk in chat. It answers with a link to this page."}}
	if s.entra != nil && (r.URL.Query().Get("host") == "teams" || r.Header.Get("Sec-Fetch-Dest") == "iframe") {
		p.Teams, p.Title = &s.o.TeamsJS, "One moment"
		p.Lines = []string{"Teams is signing you in."}
	}
	s.page(w, r, status, p)
}

// show sends what an action came to: to the page's script, or as a whole page.
func (s *Server) show(w http.ResponseWriter, r *http.Request, u chat.User, v view) {
	if scripted(r) {
		sendJSON(w, v.status, v)
		return
	}
	if v.Card == "" {
		if err := s.drawHome(r.Context(), u, &v); err != nil {
			s.trouble(w, r, err)
			return
		}
	}
	s.page(w, r, v.status, page{In: true, View: v})
}

// refuse answers what can't be taken as it is: nobody is signed in, or the page
// is out of date, in which case it is shown as it now is.
func (s *Server) refuse(w http.ResponseWriter, r *http.Request, u chat.User, err error) {
	switch {
	case errors.Is(err, errSignedOut) && scripted(r):
		http.Error(w, "sign in again", http.StatusUnauthorized)
	case errors.Is(err, errSignedOut):
		s.signedOut(w, r, http.StatusUnauthorized)
	case errors.Is(err, errBadToken), errors.Is(err, errExpired), errors.Is(err, errOutdated):
		v := view{Say: "This page was out of date. Here is how it stands now; please try again.", status: http.StatusConflict}
		if err := s.drawHome(r.Context(), u, &v); err != nil {
			s.trouble(w, r, err)
			return
		}
		s.show(w, r, u, v)
	default:
		s.trouble(w, r, err)
	}
}

// trouble answers when something on this side has failed.
func (s *Server) trouble(w http.ResponseWriter, r *http.Request, err error) {
	if errors.Is(err, context.Canceled) && r.Context().Err() != nil {
		return // whoever asked has gone
	}
	s.o.Log.WarnContext(r.Context(), "a page could not be answered", "path", r.Pattern, "err", err)
	w.Header().Set("Retry-After", "5")
	http.Error(w, "Something went wrong on this side. Nothing is lost; please try again in a moment.", http.StatusServiceUnavailable)
}

// scripted tells whether the page's script is asking.
func scripted(r *http.Request) bool {
	return strings.HasPrefix(r.Header.Get("Accept"), "application/json")
}

func sendJSON(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v) // the browser may have gone
}

// asset serves the page's own script and style.
func asset(w http.ResponseWriter, r *http.Request) {
	name := r.PathValue("asset")
	b, err := assets.ReadFile(name)
	if err != nil {
		http.NotFound(w, r)
		return
	}
	kind := "text/css; charset=utf-8"
	if strings.HasSuffix(name, ".js") {
		kind = "text/javascript; charset=utf-8"
	}
	w.Header().Set("Content-Type", kind)
	if r.URL.Query().Get("v") == version {
		w.Header().Set("Cache-Control", "public, max-age=31536000, immutable")
	}
	_, _ = w.Write(b)
}

// random is a name that nobody guesses.
func random() string { return rand.Text() }

// digest is a short name for a text, which nobody finds another text for.
func digest(s string) string {
	sum := sha256.Sum256([]byte(s))
	return hex.EncodeToString(sum[:16])
}
