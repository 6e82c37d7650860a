package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"time"

	"github.com/deskhand/deskhand/adapters/simulator"
	"github.com/deskhand/deskhand/adapters/web"
	"github.com/deskhand/deskhand/cmd/deskhand/internal/app"
	"github.com/deskhand/deskhand/cmd/deskhand/internal/demo"
	"github.com/deskhand/deskhand/storage"
	"github.com/deskhand/deskhand/storage/pglocal"
)

type demoCmd struct {
	Data   string `help:"Directory in which the demo keeps what happens between runs." env:"DESKHAND_DEMO_DATA" placeholder:"DIR"`
	Listen string `help:"Address of the page." default:"127.0.0.1:8080"`
	Reset  bool   `help:"Begin afresh: forget what happened in earlier runs."`
}

// saveEvery is how much of the conversation a killed demo may forget. What the
// desk itself knows is in Postgres and is never forgotten.
const saveEvery = 2 * time.Second

func (c *demoCmd) Run(ctx context.Context, e *env) (err error) {
	began := time.Now()
	page, err := (&net.ListenConfig{}).Listen(ctx, "tcp", c.Listen)
	if err != nil {
		return fmt.Errorf("can't listen on %s; choose another address with --listen: %w", c.Listen, err)
	}
	defer func() { _ = page.Close() }() // closed by the server already, if it came to that
	if c.Data == "" {
		if c.Data, err = pglocal.DefaultDir("demo"); err != nil {
			return err
		}
	}
	if err := app.CheckDir(c.Data); err != nil {
		return err
	}
	postgres, err := pglocal.Start(ctx, pglocal.Options{Dir: filepath.Join(c.Data, "postgres"), Progress: e.progress})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, postgres.Stop()) }()

	company, err := demo.Policy()
	if err != nil {
		return err
	}
	chat, teams := filepath.Join(c.Data, "chat.json"), filepath.Join(c.Data, "teams.json")
	if err := c.seed(ctx, e, postgres.URL(), chat, teams); err != nil {
		return err
	}
	workspace, err := demo.Workspace(company)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, workspace.Close()) }()
	tenant, err := demo.Tenant(company)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, tenant.Close()) }()
	kept := conversations{{workspace, chat, 0}, {tenant, teams, 0}}
	known, err := kept.restore()
	if err != nil {
		return err
	}
	if err := workspace.Listen("127.0.0.1:0"); err != nil {
		return err
	}
	// The desk writes to people in Teams at the address that Teams wrote from.
	address := cmp.Or(strings.TrimPrefix(tenant.URL(), "http://"), "127.0.0.1:0")
	if err := tenant.Listen(address); err != nil {
		return fmt.Errorf("something else is at %s, where Teams was; stop that, or begin afresh with --reset: %w", address, err)
	}

	moved := &movingIn{Handler: e.log.Handler()}
	moved.done.Store(known[1])
	desk, err := app.New(ctx, app.Options{
		DatabaseURL: postgres.URL(), Listen: "127.0.0.1:0", Data: c.Data, Log: slog.New(moved), Progress: e.progress,
		Slack: app.Slack{SigningSecret: workspace.App().SigningSecret, BotToken: workspace.App().BotToken,
			APIURL: workspace.URL() + "/api/", Unpaced: true},
		Teams: app.Teams{AppID: tenant.App().ID, AppPassword: tenant.App().Secret, TenantID: tenant.ID(),
			MetadataURL: tenant.OpenIDURL(), TokenURL: tenant.TokenURL(), GraphURL: tenant.GraphURL(), Unpaced: true},
		URL: "http://" + page.Addr().String(), // the page passes these on to the desk
	})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, desk.Stop()) }()
	if err := desk.Start(ctx); err != nil {
		return err
	}
	select {
	case <-desk.Ready():
	case <-desk.Done():
		return nil // Stop says why
	case <-ctx.Done():
		return nil
	}
	workspace.Connect("http://" + desk.Addr())
	tenant.Connect("http://" + desk.Addr())
	if !known[1] {
		if err := demo.Install(ctx, tenant); err != nil {
			return err
		}
		moved.done.Store(true)
	}

	inSlack, inTeams := demo.Cast()
	face, err := simulator.New(simulator.Options{Slack: workspace, Teams: tenant, Title: "Deskhand demo", People: inSlack, TeamsPeople: inTeams,
		Tasks: demo.Tasks(), Log: e.log})
	if err != nil {
		return err
	}
	server := &http.Server{Handler: withPages(face, desk.Addr()), ReadHeaderTimeout: 5 * time.Second}
	served := make(chan error, 1)
	go func() { served <- server.Serve(page) }()
	e.say("%s", demo.Welcome("http://"+page.Addr().String()))
	e.log.DebugContext(ctx, "the demo is ready", "took", time.Since(began))

	err = c.run(ctx, kept, desk.Done(), served)
	e.say("Closing. What happened is kept; deskhand demo --reset begins afresh.")
	return errors.Join(err, kept.save(), server.Close())
}

// movingIn is a log without warnings until the desk has been added to Teams:
// before, it misses each of its channels there.
type movingIn struct {
	slog.Handler
	done atomic.Bool
}

func (m *movingIn) Enabled(ctx context.Context, l slog.Level) bool {
	return (l >= slog.LevelError || m.done.Load()) && m.Handler.Enabled(ctx, l)
}

// withPages has the desk's own pages under the address of the demo's page.
func withPages(face http.Handler, desk string) http.Handler {
	pages := httputil.NewSingleHostReverseProxy(&url.URL{Scheme: "http", Host: desk})
	mux := http.NewServeMux()
	mux.Handle("/", face)
	for _, path := range []string{web.TabPath, web.TabPath + "/", web.FilesPath} {
		mux.Handle(path, pages)
	}
	return mux
}

// run saves the conversations from time to time until the demo ends.
func (c *demoCmd) run(ctx context.Context, kept conversations, ended <-chan struct{}, served <-chan error) error {
	tick := time.NewTicker(saveEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-ended:
			return nil // Stop says why
		case err := <-served:
			return err
		case <-tick.C:
			if err := kept.save(); err != nil {
				return err
			}
		}
	}
}

// seed fills an empty record with the company and its last 90 days.
func (c *demoCmd) seed(ctx context.Context, e *env, url string, chats ...string) error {
	db, err := storage.Open(ctx, url)
	if err != nil {
		return err
	}
	defer db.Close()
	if c.Reset {
		// The cluster is ours, or it would not have been started.
		if _, err := db.Pool().Exec(ctx, `drop schema public cascade; create schema public`); err != nil {
			return fmt.Errorf("reset: %w", err)
		}
		for _, chat := range chats {
			if err := os.Remove(chat); err != nil && !errors.Is(err, fs.ErrNotExist) {
				return fmt.Errorf("reset: %w", err)
			}
		}
	}
	err = storage.Migrate(ctx, db)
	if _, ok := errors.AsType[*storage.SchemaError](err); ok {
		return errors.New("the demo was begun by another build of deskhand; deskhand demo --reset begins afresh")
	}
	if err != nil {
		return err
	}
	return demo.Seed(ctx, db, time.Now(), e.progress)
}

// conversations are what the platforms' doubles keep, each with its file.
type conversations []struct {
	with  double
	file  string
	saved int64 // number of the newest change that the file has
}

type double interface {
	Seq() int64
	Snapshot() ([]byte, error)
	Restore(snapshot []byte) error
}

// save writes what has changed, so that a crash leaves the old or the new file.
func (c conversations) save() error {
	for i := range c {
		x := &c[i]
		now := x.with.Seq()
		if now == x.saved {
			continue
		}
		snapshot, err := x.with.Snapshot()
		if err == nil {
			err = os.WriteFile(x.file+".new", snapshot, 0o600)
		}
		if err == nil {
			err = os.Rename(x.file+".new", x.file)
		}
		if err != nil {
			return fmt.Errorf("save the conversation: %w", err)
		}
		x.saved = now
	}
	return nil
}

// restore brings back what was kept, and says of which there was something.
func (c conversations) restore() (known []bool, err error) {
	for _, x := range c {
		snapshot, err := os.ReadFile(x.file)
		if errors.Is(err, fs.ErrNotExist) {
			known = append(known, false)
			continue
		}
		if err == nil && !json.Valid(snapshot) {
			err = errors.New("it is damaged")
		}
		if err == nil {
			err = x.with.Restore(snapshot)
		}
		if err != nil {
			return nil, fmt.Errorf("the conversation in %s can't be read: %w; begin afresh with --reset", x.file, err)
		}
		known = append(known, true)
	}
	return known, nil
}
