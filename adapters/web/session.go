package web

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/deskhand/deskhand/bot/chat"
	"github.com/deskhand/deskhand/storage"
)

const (
	linkFor    = 10 * time.Minute // from the chat to the page; package cards says so
	sessionFor = time.Hour
	// visitFor is how long a session in a browser can be prolonged by using it.
	visitFor = 12 * time.Hour
	fileFor  = 30 * 24 * time.Hour
	// pictureFor is how long whoever was shown an article sees its pictures.
	pictureFor = 24 * time.Hour

	// The uses that tokens are sealed for. A link is bound to the path that it
	// opens.
	linkUse    = "link " + TabPath
	sessionUse = "session"
	cookieUse  = "cookie"
)

// errSignedOut says that nobody is signed in, or no longer.
var errSignedOut = errors.New("nobody is signed in")

// session is who uses a page, and since when.
type session struct {
	User  chat.User `json:"user"`
	Since int64     `json:"since"` // Unix seconds
}

// link is one that opens a page once.
type link struct {
	User chat.User `json:"user"`
	Once string    `json:"once"`
	At   time.Time `json:"at"`
}

// PageLink is a link with which somebody opens their page, within ten minutes
// and once. Whoever has it is taken for them.
func (s *Server) PageLink(u chat.User) (string, error) {
	now := s.o.Now()
	token, err := s.keys.seal(linkUse, link{u, random(), now.UTC()}, now.Add(linkFor))
	if err != nil {
		return "", err
	}
	return s.base.String() + TabPath + "/open/" + token, nil
}

// greet asks whoever follows a link whether to go on. Following it alone opens
// nothing: chat clients and mail filters fetch links to look at them, and
// somebody may have been sent the link of somebody else.
func (s *Server) greet(w http.ResponseWriter, r *http.Request) {
	var l link
	if err := s.keys.open(r.Context(), linkUse, r.PathValue("link"), &l); err != nil {
		s.stale(w, r, err)
		return
	}
	name := ""
	err := s.o.DB.View(r.Context(), func(tx *storage.Tx) error {
		who, _, err := tx.Actor(r.Context(), l.User.Platform, l.User.Workspace, l.User.ID)
		name = who.Name
		return err
	})
	if err != nil {
		s.stale(w, r, err)
		return
	}
	s.page(w, r, http.StatusOK, page{Greet: name, Link: r.PathValue("link")})
}

// openLink exchanges a link for a session in a cookie.
func (s *Server) openLink(w http.ResponseWriter, r *http.Request) {
	var l link
	err := s.keys.open(r.Context(), linkUse, r.PostFormValue("link"), &l)
	if err == nil {
		err = s.o.DB.InTx(r.Context(), func(tx *storage.Tx) error {
			return tx.SeeKey(r.Context(), "web.link:"+l.Once, l.At)
		})
	}
	if err == nil {
		err = s.setCookie(w, session{l.User, s.o.Now().Unix()})
	}
	if err != nil {
		s.stale(w, r, err)
		return
	}
	http.Redirect(w, r, TabPath, http.StatusSeeOther)
}

// stale tells that a link opens nothing.
func (s *Server) stale(w http.ResponseWriter, r *http.Request, err error) {
	switch {
	case errors.Is(err, errBadToken), errors.Is(err, errExpired), errors.Is(err, storage.ErrSeen), errors.Is(err, storage.ErrNotFound):
		s.page(w, r, http.StatusForbidden, page{Title: "This link has been used, or its time is over",
			Lines: []string{"Write “my page” to the desk in chat. It answers with a new link."}})
	default:
		s.trouble(w, r, err)
	}
}

// signIn exchanges a token of Entra's for a session that the page keeps.
func (s *Server) signIn(w http.ResponseWriter, r *http.Request) {
	if s.entra == nil {
		http.Error(w, "this desk signs nobody in here", http.StatusNotFound)
		return
	}
	var in struct {
		Token string `json:"token"`
	}
	if err := json.NewDecoder(r.Body).Decode(&in); err != nil || in.Token == "" {
		http.Error(w, "want {\"token\": …}", http.StatusBadRequest)
		return
	}
	u, err := s.entra.verify(r.Context(), in.Token)
	switch {
	case errors.Is(err, errRefused):
		// Whoever sets this up has nowhere else to read why.
		s.o.Log.WarnContext(r.Context(), "a sign-in from Teams was refused; the app's registration needs the API version 2, its application ID URI and the scope access_as_user", "err", err)
		http.Error(w, "you could not be signed in", http.StatusForbidden)
		return
	case err != nil:
		s.o.Log.WarnContext(r.Context(), "a sign-in from Teams could not be checked", "err", err)
		http.Error(w, "try again in a moment", http.StatusServiceUnavailable)
		return
	}
	now := s.o.Now()
	token, err := s.keys.seal(sessionUse, session{u, now.Unix()}, now.Add(sessionFor))
	if err != nil {
		s.trouble(w, r, err)
		return
	}
	sendJSON(w, http.StatusOK, map[string]string{"session": token})
}

func (s *Server) signOut(w http.ResponseWriter, r *http.Request) {
	http.SetCookie(w, s.cookie("", -1))
	s.page(w, r, http.StatusOK, page{Title: "You are signed out", Lines: []string{"Write “my page” to the desk in chat whenever you want to come back."}})
}

// signedIn is who uses the page, by the Authorization header or the cookie. It
// prolongs the cookie's session.
func (s *Server) signedIn(w http.ResponseWriter, r *http.Request) (chat.User, error) {
	var v session
	if bearer, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer "); ok {
		err := s.keys.open(r.Context(), sessionUse, bearer, &v)
		return v.User, signedOut(err)
	}
	c, err := r.Cookie(s.cookieName())
	if err != nil {
		return v.User, errSignedOut
	}
	if err := s.keys.open(r.Context(), cookieUse, c.Value, &v); err != nil {
		return v.User, signedOut(err)
	}
	if s.o.Now().Sub(time.Unix(v.Since, 0)) >= visitFor {
		return v.User, errSignedOut
	}
	return v.User, s.setCookie(w, v)
}

func signedOut(err error) error {
	if errors.Is(err, errBadToken) || errors.Is(err, errExpired) {
		return errSignedOut
	}
	return err
}

func (s *Server) setCookie(w http.ResponseWriter, v session) error {
	token, err := s.keys.seal(cookieUse, v, s.o.Now().Add(sessionFor))
	if err == nil {
		http.SetCookie(w, s.cookie(token, int(sessionFor/time.Second)))
	}
	return err
}

// cookie holds for this host alone and never travels with what another site
// asks of it.
func (s *Server) cookie(value string, age int) *http.Cookie {
	return &http.Cookie{Name: s.cookieName(), Value: value, Path: "/", MaxAge: age, HttpOnly: true,
		Secure: s.base.Scheme == "https", SameSite: http.SameSiteStrictMode}
}

// cookieName has the prefix with which browsers take the cookie from the host
// itself only, not from a neighbour below the same domain.
func (s *Server) cookieName() string {
	if s.base.Scheme == "https" {
		return "__Host-deskhand"
	}
	return "deskhand"
}

// whose is what a button or form is sealed with besides its use: the account
// that it was drawn for.
func whose(use string, u chat.User) string {
	return strings.Join([]string{use, u.Platform, u.Workspace, u.ID}, "\x01")
}

// named are people's names by account, of those that are on record.
func (s *Server) named(ctx context.Context, u chat.User, ids []string) (map[string]string, error) {
	names := map[string]string{}
	err := s.o.DB.View(ctx, func(tx *storage.Tx) error {
		for _, id := range ids {
			_, a, err := tx.Actor(ctx, u.Platform, u.Workspace, id)
			switch {
			case errors.Is(err, storage.ErrNotFound):
			case err != nil:
				return err
			default:
				names[id] = a.Name
			}
		}
		return nil
	})
	return names, err
}
