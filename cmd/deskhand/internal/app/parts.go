package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/deskhand/deskhand/adapters/pipeline"
	"github.com/deskhand/deskhand/adapters/teams"
	"github.com/deskhand/deskhand/adapters/web"
	"github.com/deskhand/deskhand/bot"
	"github.com/deskhand/deskhand/bot/chat"
	"github.com/deskhand/deskhand/storage"
)

// lateDesk hands events to the inbox, which is made after the adapter because
// the flows need the adapter first.
type lateDesk struct{ a *App }

func (d lateDesk) Accept(ctx context.Context, events ...chat.Event) error {
	return d.a.inbox.Accept(ctx, events...)
}

func (d lateDesk) Answer(ctx context.Context, e chat.Event) (chat.Answer, error) {
	return d.a.inbox.Answer(ctx, e)
}

func (d lateDesk) Home(ctx context.Context, u chat.User) (chat.Card, error) {
	return d.a.Desk.Home(ctx, u)
}

func (d lateDesk) Calendar(ctx context.Context, l storage.CalendarLink) (bot.Calendar, error) {
	return d.a.Desk.Calendar(ctx, l)
}

func (d lateDesk) Picture(ctx context.Context, item int64) (bot.Picture, error) {
	return d.a.Desk.Picture(ctx, item)
}

// openPages makes the pages, if people can reach them.
func (a *App) openPages(ctx context.Context) (err error) {
	if a.o.URL == "" {
		return nil
	}
	a.web, err = web.New(ctx, web.Options{DB: a.DB, Desk: lateDesk{a}, Record: lateDesk{a}, URL: a.o.URL, Entra: a.entra(), Now: a.o.Now, Log: a.o.Log})
	return err
}

// entra is who signs people in to their page inside Teams: the same that gives
// the bot its tokens. Without it links from the chat do.
func (a *App) entra() *web.Entra {
	t := a.o.Teams
	if a.teams == nil || t.AllowAnonymousLoopback {
		return nil
	}
	e := &web.Entra{Platform: teams.Platform, TenantID: t.TenantID, AppID: t.AppID}
	// A sovereign cloud's address of tokens stands beside that of its metadata.
	if base, ok := strings.CutSuffix(strings.ReplaceAll(t.TokenURL, "{tenant}", t.TenantID), "/oauth2/v2.0/token"); ok {
		e.Issuer = base + "/v2.0"
	}
	return e
}

// withLinks has the desk give people links to the pages, if there are any.
func (a *App) withLinks(o bot.Options) bot.Options {
	if a.web != nil {
		o.PageLink, o.CalendarLink, o.PictureLink, o.ArticlePicture = a.web.PageLink, a.web.CalendarLink, a.web.GraphLink, a.web.PictureLink
	}
	return o
}

// fileURL is a page for a file that can't be posted; "" if there are no pages.
func (a *App) fileURL(f chat.Attachment) string {
	if a.web == nil {
		return ""
	}
	link, err := a.web.FileLink(f)
	if err != nil {
		a.o.Log.Warn("no link to a file", "file", f.ID, "err", err)
	}
	return link
}

// lateBook keeps the references of Teams in the database, which is opened after
// the adapter.
type lateBook struct{ a *App }

func (b lateBook) Keep(ctx context.Context, key string, value []byte) error {
	return Book(b.a.DB, b.a.o.Now).Keep(ctx, key, value)
}

func (b lateBook) Look(ctx context.Context, key string) ([]byte, error) {
	return Book(b.a.DB, b.a.o.Now).Look(ctx, key)
}

func (b lateBook) All(ctx context.Context, prefix string) (map[string][]byte, error) {
	return Book(b.a.DB, b.a.o.Now).All(ctx, prefix)
}

// Book is where a record has how people and places are reached in Teams.
func Book(db *storage.DB, now func() time.Time) teams.Book { return book{db, now} }

type book struct {
	db  *storage.DB
	now func() time.Time
}

func (b book) Keep(ctx context.Context, key string, value []byte) error {
	return b.db.KeepReference(ctx, teams.Platform, key, value, b.now())
}

func (b book) Look(ctx context.Context, key string) ([]byte, error) {
	value, err := b.db.Reference(ctx, teams.Platform, key)
	if errors.Is(err, storage.ErrNotFound) {
		return nil, nil
	}
	return value, err
}

func (b book) All(ctx context.Context, prefix string) (map[string][]byte, error) {
	return b.db.References(ctx, teams.Platform, prefix)
}

func (a *App) routes() http.Handler {
	mux := http.NewServeMux()
	if a.web != nil {
		pages := a.web.Handler()
		mux.Handle(web.TabPath, pages)
		mux.Handle(web.TabPath+"/", pages)
		mux.Handle(web.FilesPath, pages)
		mux.Handle(web.CalendarPath, pages)
		mux.Handle(web.GraphPath, pages)
	}
	asked := a.pipeline.Handler()
	mux.Handle(pipeline.Path, asked)
	mux.Handle(pipeline.Path+"/", asked)
	if a.slack != nil {
		mux.Handle("/slack/", a.slack.Handler())
	}
	if a.teams != nil {
		mux.Handle("/api/messages", a.teams.Handler())
	}
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "ok\n") })
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithTimeout(r.Context(), 2*time.Second)
		defer cancel()
		var away []string
		all := a.platforms()
		for name, p := range all {
			if !p.Receives() {
				away = append(away, titles[name])
			}
		}
		slices.Sort(away)
		switch {
		case a.DB.Ping(ctx) != nil:
			http.Error(w, "the database does not answer", http.StatusServiceUnavailable)
		case len(away) == len(all):
			http.Error(w, "there is no connection to "+strings.Join(away, " or "), http.StatusServiceUnavailable)
		case len(away) > 0: // who works on the other platform is served
			_, _ = io.WriteString(w, "ready, without "+strings.Join(away, " and ")+"\n")
		default:
			_, _ = io.WriteString(w, "ready\n")
		}
	})
	mux.Handle("GET /metrics", promhttp.HandlerFor(a.registry, promhttp.HandlerOpts{Registry: a.registry}))
	return mux
}

// tryLock locks a file for this process; nil if another has it.
func tryLock(path string) (io.Closer, error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	switch err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err {
	case nil:
		return f, nil
	case syscall.EWOULDBLOCK:
		return nil, f.Close()
	default:
		_ = f.Close()
		return nil, fmt.Errorf("lock %s: %w", path, err)
	}
}

// CheckDir refuses a data directory that holds somebody else's files: what is
// given to --data is filled, and its permissions are changed.
func CheckDir(dir string) error {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) || (err == nil && len(entries) == 0) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("can't use the data directory: %w; use another one with --data or DESKHAND_DATA", err)
	}
	for _, e := range entries {
		switch e.Name() {
		case "postgres", "index":
			return nil
		}
	}
	return fmt.Errorf("%s holds files of another program (%s); use a directory of its own with --data", dir, entries[0].Name())
}
