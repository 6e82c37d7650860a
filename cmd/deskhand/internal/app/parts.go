package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"syscall"
	"time"

	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/deskhand/deskhand/adapters/web"
	"github.com/deskhand/deskhand/bot/chat"
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

// openPages makes the pages, if people can reach them.
func (a *App) openPages(ctx context.Context) (err error) {
	if a.o.URL == "" {
		return nil
	}
	a.web, err = web.New(ctx, web.Options{DB: a.DB, Desk: lateDesk{a}, URL: a.o.URL, Entra: a.o.Entra, Now: a.o.Now, Log: a.o.Log})
	return err
}

func (a *App) pageLink() func(chat.User) (string, error) {
	if a.web == nil {
		return nil
	}
	return a.web.PageLink
}

func (a *App) routes() http.Handler {
	mux := http.NewServeMux()
	if a.web != nil {
		pages := a.web.Handler()
		mux.Handle(web.TabPath, pages)
		mux.Handle(web.TabPath+"/", pages)
		mux.Handle(web.FilesPath, pages)
	}
	mux.Handle("/slack/", a.slack.Handler())
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "ok\n") })
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithTimeout(r.Context(), 2*time.Second)
		defer cancel()
		switch {
		case a.DB.Ping(ctx) != nil:
			http.Error(w, "the database does not answer", http.StatusServiceUnavailable)
		case !a.slack.Receives():
			http.Error(w, "there is no connection to Slack", http.StatusServiceUnavailable)
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
		return fmt.Errorf("the data directory: %w", err)
	}
	for _, e := range entries {
		switch e.Name() {
		case "postgres", "index":
			return nil
		}
	}
	return fmt.Errorf("%s holds files of another program (%s); use a directory of its own with --data", dir, entries[0].Name())
}
