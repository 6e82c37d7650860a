package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"github.com/deskhand/deskhand/adapters/simulator"
	"github.com/deskhand/deskhand/adapters/slack/slacktest"
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
	chat := filepath.Join(c.Data, "chat.json")
	if err := c.seed(ctx, e, postgres.URL(), chat); err != nil {
		return err
	}
	workspace, err := demo.Workspace(company)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, workspace.Close()) }()
	if err := restore(workspace, chat); err != nil {
		return err
	}
	if err := workspace.Listen("127.0.0.1:0"); err != nil {
		return err
	}

	desk, err := app.New(ctx, app.Options{
		DatabaseURL: postgres.URL(), Listen: "127.0.0.1:0", Data: c.Data, Log: e.log, Progress: e.progress,
		Slack: app.Slack{SigningSecret: workspace.App().SigningSecret, BotToken: workspace.App().BotToken,
			APIURL: workspace.URL() + "/api/", Unpaced: true},
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

	face, err := simulator.New(simulator.Options{Slack: workspace, Title: "Deskhand demo", People: demo.Cast(), Tasks: demo.Tasks(), Log: e.log})
	if err != nil {
		return err
	}
	server := &http.Server{Handler: face, ReadHeaderTimeout: 5 * time.Second}
	served := make(chan error, 1)
	go func() { served <- server.Serve(page) }()
	e.say("%s", demo.Welcome("http://"+page.Addr().String()))
	e.log.DebugContext(ctx, "the demo is ready", "took", time.Since(began))

	err = c.run(ctx, workspace, chat, desk.Done(), served)
	e.say("Closing. What happened is kept; deskhand demo --reset begins afresh.")
	return errors.Join(err, save(workspace, chat), server.Close())
}

// run saves the conversation from time to time until the demo ends.
func (c *demoCmd) run(ctx context.Context, w *slacktest.Workspace, chat string, ended <-chan struct{}, served <-chan error) error {
	tick := time.NewTicker(saveEvery)
	defer tick.Stop()
	saved := w.Seq()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-ended:
			return nil // Stop says why
		case err := <-served:
			return err
		case <-tick.C:
			if now := w.Seq(); now != saved {
				saved = now
				if err := save(w, chat); err != nil {
					return err
				}
			}
		}
	}
}

// seed fills an empty record with the company and its last 90 days.
func (c *demoCmd) seed(ctx context.Context, e *env, url, chat string) error {
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
		if err := os.Remove(chat); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("reset: %w", err)
		}
	}
	if err := storage.Migrate(ctx, db); err != nil {
		return err
	}
	return demo.Seed(ctx, db, time.Now(), e.progress)
}

// save writes the conversation so that a crash leaves the old or the new file.
func save(w *slacktest.Workspace, file string) error {
	snapshot, err := w.Snapshot()
	if err != nil {
		return fmt.Errorf("save the conversation: %w", err)
	}
	if err := os.WriteFile(file+".new", snapshot, 0o600); err != nil {
		return fmt.Errorf("save the conversation: %w", err)
	}
	return os.Rename(file+".new", file)
}

func restore(w *slacktest.Workspace, file string) error {
	snapshot, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err == nil && !json.Valid(snapshot) {
		err = errors.New("it is damaged")
	}
	if err == nil {
		err = w.Restore(snapshot)
	}
	if err != nil {
		return fmt.Errorf("the conversation in %s can't be read: %w; begin afresh with --reset", file, err)
	}
	return nil
}
