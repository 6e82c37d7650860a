// Package app is the program as a value: Options → New → Start, Stop, Addr.
// Tests of the whole product stand beside it.
package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"golang.org/x/sync/errgroup"

	"github.com/deskhand/deskhand/adapters/model"
	"github.com/deskhand/deskhand/adapters/pipeline"
	"github.com/deskhand/deskhand/adapters/slack"
	"github.com/deskhand/deskhand/adapters/teams"
	"github.com/deskhand/deskhand/adapters/web"
	"github.com/deskhand/deskhand/bot"
	"github.com/deskhand/deskhand/bot/inbox"
	"github.com/deskhand/deskhand/bot/outbox"
	"github.com/deskhand/deskhand/bot/watch"
	"github.com/deskhand/deskhand/core/knowledge"
	"github.com/deskhand/deskhand/core/policy"
	"github.com/deskhand/deskhand/kb"
	"github.com/deskhand/deskhand/storage"
	"github.com/deskhand/deskhand/storage/ephemeral"
	"github.com/deskhand/deskhand/storage/pglocal"
)

// Options are what the program runs on. The zero value of each works, but at
// least one platform is needed.
type Options struct {
	DatabaseURL string // empty: a private Postgres in Data
	RedisURL    string // empty: this is the only process
	Listen      string // empty: 127.0.0.1:8080
	Data        string // directory; empty: the user's

	Slack Slack
	Teams Teams
	Model Model

	// URL is where people's browsers reach the desk: for their pages and for
	// files that go as links. Empty: there are no pages.
	URL string

	Log      *slog.Logger
	Progress func(string) // told, in words, what takes time
	Now      func() time.Time
	MaxConns int // to Postgres; 0: storage's own
}

// Slack is one installation in a workspace.
type Slack struct {
	SigningSecret string
	BotToken      string
	AppToken      string // set: socket mode
	APIURL        string
	Unpaced       bool
}

// Teams is one bot in a tenant.
type Teams struct {
	AppID       string
	AppPassword string
	TenantID    string
	MetadataURL string
	TokenURL    string
	GraphURL    string
	// AllowAnonymousLoopback is the development mode; see teams.Options.
	AllowAnonymousLoopback bool
	Unpaced                bool
}

// Model is a language model that the desk may ask; without a URL there is none.
type Model struct{ URL, Key, Name string }

// App is a running desk.
type App struct {
	o        Options
	postgres *pglocal.Server // nil: somebody else's
	DB       *storage.DB
	shared   ephemeral.Store
	index    *kb.Index
	unlock   io.Closer      // the index's directory
	slack    *slack.Adapter // nil: not set up
	teams    *teams.Adapter // nil: not set up
	record   string         // names the database, see teams.Options
	model    *model.Client  // nil: not set up
	Desk     *bot.Desk
	inbox    *inbox.Inbox
	outbox   *outbox.Outbox
	watch    *watch.Watch
	web      *web.Server // nil without a URL
	pipeline *pipeline.Server

	registry *prometheus.Registry
	listener net.Listener
	server   *http.Server

	cancel  context.CancelFunc
	work    *errgroup.Group
	finding sync.Mutex
	named   chan struct{} // a policy may name channels that are to be looked for
	ready   chan struct{}
	ended   chan struct{}
	err     error
}

// goCollector describes Go's runtime, which takes longer than all else that is
// measured, and is the same for each desk of a process.
var goCollector = sync.OnceValue(func() prometheus.Collector { return collectors.NewGoCollector() })

// New opens what the program needs: the database, migrated, with a policy; the
// index; the platforms. Errors are one line for whoever configures it. What was
// opened is closed again if New fails.
func New(ctx context.Context, o Options) (_ *App, err error) {
	if o.Listen == "" {
		o.Listen = "127.0.0.1:8080"
	}
	if o.Log == nil {
		o.Log = slog.Default()
	}
	if o.Progress == nil {
		o.Progress = func(string) {}
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.URL != "" {
		if _, err := web.CheckURL(o.URL); err != nil {
			return nil, err // before anything is started
		}
	}
	a := &App{o: o, registry: prometheus.NewRegistry(), ready: make(chan struct{}), ended: make(chan struct{}), named: make(chan struct{}, 1)}
	defer func() {
		if err != nil {
			a.close()
		}
	}()
	a.registry.MustRegister(goCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	if o.Model.URL != "" {
		if a.model, err = model.New(model.Options{URL: o.Model.URL, Key: o.Model.Key, Name: o.Model.Name, Log: o.Log, Metrics: a.registry}); err != nil {
			return nil, err
		}
		o.Log.Info("a model may put articles in order", "url", o.Model.URL, "name", o.Model.Name)
	}
	if err := a.openPlatforms(); err != nil { // first: a wrong token is known without waiting
		return nil, err
	}
	if a.teams != nil {
		a.teams.Prepare()
	}
	if err := a.openStores(ctx); err != nil {
		return nil, err
	}
	if err := a.openIndex(ctx); err != nil {
		return nil, err
	}
	return a, a.assemble(ctx)
}

func (a *App) openPlatforms() error {
	log := a.o.Log
	if s := a.o.Teams; s != (Teams{MetadataURL: s.MetadataURL, TokenURL: s.TokenURL, GraphURL: s.GraphURL, Unpaced: s.Unpaced}) {
		var err error
		a.teams, err = teams.New(teams.Options{
			AppID: s.AppID, AppPassword: s.AppPassword, TenantID: s.TenantID, MetadataURL: s.MetadataURL, TokenURL: s.TokenURL, GraphURL: s.GraphURL,
			AllowAnonymousLoopback: s.AllowAnonymousLoopback, Listen: a.o.Listen, Unpaced: s.Unpaced,
			Desk: lateDesk{a}, Book: lateBook{a}, FileURL: a.fileURL, Record: func() string { return a.record }, Log: log, Now: a.o.Now, Metrics: a.registry,
		})
		if err != nil {
			return err
		}
		if s.AllowAnonymousLoopback {
			a.o.Log = log.With(teams.DevelopmentMode()) // in every line, whatever part of the desk writes it
		}
	}
	s := a.o.Slack
	if s == (Slack{APIURL: s.APIURL, Unpaced: s.Unpaced}) {
		if a.teams == nil {
			return errors.New("no platform is set up; for Slack set DESKHAND_SLACK_BOT_TOKEN and DESKHAND_SLACK_SIGNING_SECRET (or DESKHAND_SLACK_APP_TOKEN for socket mode), " +
				"for Teams DESKHAND_TEAMS_APP_ID, DESKHAND_TEAMS_APP_PASSWORD and DESKHAND_TEAMS_TENANT_ID, or try it without any with: deskhand demo")
		}
		return nil
	}
	var err error
	a.slack, err = slack.New(slack.Options{
		SigningSecret: s.SigningSecret, BotToken: s.BotToken, AppToken: s.AppToken, APIURL: s.APIURL, Unpaced: s.Unpaced,
		Desk: lateDesk{a}, Log: a.o.Log, Now: a.o.Now, Metrics: a.registry,
	})
	return err
}

// platform is what the program asks of each.
type platform interface {
	bot.Platform
	outbox.Platform
	Connect(ctx context.Context) error
	Receives() bool
}

// platforms are those that are set up, by their names in the record.
func (a *App) platforms() map[string]platform {
	all := map[string]platform{}
	if a.slack != nil {
		all[slack.Platform] = a.slack
	}
	if a.teams != nil {
		all[teams.Platform] = a.teams
	}
	return all
}

func (a *App) openStores(ctx context.Context) error {
	var err error
	if a.o.Data == "" {
		if a.o.Data, err = pglocal.DefaultDir("serve"); err != nil {
			return err
		}
	}
	if err := CheckDir(a.o.Data); err != nil {
		return err
	}
	if a.DB, a.postgres, err = OpenDatabase(ctx, a.o.DatabaseURL, a.o.Data, a.o.MaxConns, a.o.Progress); err != nil {
		return err
	}
	if err := a.firstPolicy(ctx); err != nil {
		return err
	}
	if a.o.RedisURL == "" {
		a.shared = ephemeral.NewMemory(ephemeral.MemoryOptions{})
		return nil
	}
	shared, err := ephemeral.OpenRedis(ctx, a.o.RedisURL, ephemeral.RedisOptions{Log: a.o.Log})
	if err != nil {
		return err
	}
	a.shared = shared
	return nil
}

// OpenDatabase opens the database at url or, without one, a private cluster in
// dir, and brings its schema up to date.
func OpenDatabase(ctx context.Context, url, dir string, maxConns int, progress func(string)) (db *storage.DB, private *pglocal.Server, err error) {
	if url == "" {
		if private, err = pglocal.Start(ctx, pglocal.Options{Dir: filepath.Join(dir, "postgres"), Progress: progress}); err != nil {
			return nil, nil, err
		}
		url = private.URL()
	}
	defer func() {
		if err == nil {
			return
		}
		if db != nil {
			db.Close()
		}
		if private != nil {
			err = errors.Join(err, private.Stop())
		}
	}()
	var opts []storage.Option
	if maxConns > 0 {
		opts = append(opts, storage.MaxConns(maxConns))
	}
	if db, err = storage.Open(ctx, url, opts...); err != nil {
		return nil, private, err
	}
	return db, private, storage.Migrate(ctx, db)
}

// firstPolicy puts the built-in policy in force where there is none.
func (a *App) firstPolicy(ctx context.Context) error {
	return a.DB.InTx(ctx, func(tx *storage.Tx) error {
		return tx.FirstPolicy(ctx, policy.BuiltIn(), "built in", a.o.Now())
	})
}

func (a *App) openIndex(ctx context.Context) error {
	var (
		record   string
		synonyms []knowledge.Synonym
		articles int
	)
	if err := a.DB.View(ctx, func(tx *storage.Tx) (err error) {
		if record, err = tx.Record(ctx); err != nil {
			return err
		}
		if articles, err = tx.CountArticles(ctx); err != nil {
			return err
		}
		synonyms, err = tx.Synonyms(ctx)
		return err
	}); err != nil {
		return err
	}
	a.record, _, _ = strings.Cut(record, "-")
	open := kb.Options{Synonyms: knowledge.SynonymGroups(synonyms), Log: a.o.Log}
	var lock io.Closer
	var err error
	open.Dir, lock, err = indexDir(filepath.Join(a.o.Data, "index"), record)
	switch {
	case errors.Is(err, syscall.ENOSPC):
		a.o.Log.Warn("no room on disk for the index of articles: it is kept in memory until the next start", "dir", a.o.Data)
	case err != nil:
		return fmt.Errorf("can't keep the index in %s; choose a directory that can be written with --data or DESKHAND_DATA: %w", a.o.Data, err)
	}
	a.unlock = lock
	a.index, err = kb.Open(open)
	if errors.Is(err, syscall.ENOSPC) && open.Dir != "" {
		a.o.Log.Warn("no room on disk for the index of articles: it is kept in memory until the next start", "dir", open.Dir)
		open.Dir = ""
		a.index, err = kb.Open(open)
	}
	if err != nil {
		return err
	}
	if a.index.Seq() == 0 && articles > besideWork {
		return nil
	}
	began, told := time.Now(), time.Now()
	err = bot.CatchUp(ctx, a.DB, a.index, func(done, total int) {
		if done > 0 && time.Since(told) > time.Second {
			told = time.Now()
			left := time.Since(began) * time.Duration(max(total-done, 0)) / time.Duration(done)
			a.o.Progress(fmt.Sprintf("Indexing articles: %d of %d, about %s left", done, total, left.Round(time.Second)))
		}
	})
	if err != nil && ctx.Err() == nil && !errors.Is(err, storage.ErrUnavailable) {
		a.o.Log.Warn("the index is behind the articles", "err", err) // whoever follows them goes on trying
		return nil
	}
	return err
}

// besideWork is how many articles are indexed while the desk works already. It
// says that search is catching up, and opens tickets.
const besideWork = 5000

// indexDir is a directory for the index of a record that no other process
// uses, and the lock that says so. Processes on one machine each have their
// own.
func indexDir(under, record string) (string, io.Closer, error) {
	for i := range 64 {
		dir := filepath.Join(under, fmt.Sprintf("%s-%d", record, i))
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return "", nil, err
		}
		lock, err := tryLock(filepath.Join(dir, "lock"))
		if err != nil {
			return "", nil, err
		}
		if lock != nil {
			return filepath.Join(dir, "articles"), lock, nil
		}
	}
	return "", nil, fmt.Errorf("all 64 places below %s are in use", under)
}

func (a *App) assemble(ctx context.Context) error {
	if err := a.openPages(ctx); err != nil {
		return err
	}
	talking, delivering := map[string]bot.Platform{}, map[string]outbox.Platform{}
	for name, p := range a.platforms() {
		talking[name], delivering[name] = p, p
	}
	var err error
	o := a.withLinks(bot.Options{DB: a.DB, Index: a.index, Platforms: talking, Shared: a.shared, Now: a.o.Now, Log: a.o.Log})
	if a.model != nil {
		o.Adviser = a.model
	}
	a.Desk, err = bot.New(o)
	if err != nil {
		return err
	}
	a.outbox, err = outbox.New(outbox.Options{DB: a.DB, Platforms: delivering,
		Drawer: a.Desk, Pace: a.shared, Now: a.o.Now, Log: a.o.Log, Metrics: a.registry})
	if err != nil {
		return err
	}
	a.pipeline, err = pipeline.New(pipeline.Options{DB: a.DB, Desk: a.Desk, OnHandled: func() { a.handled(); a.watch.Wake() }, Now: a.o.Now, Log: a.o.Log})
	if err != nil {
		return err
	}
	a.watch, err = watch.New(watch.Options{DB: a.DB, Handler: a.Desk, Now: a.o.Now, Log: a.o.Log, OnHandled: a.handled})
	if err != nil {
		return err
	}
	a.inbox, err = inbox.New(inbox.Options{DB: a.DB, Handler: a.Desk, Hide: a.Desk.Hide, Now: a.o.Now, Log: a.o.Log, Metrics: a.registry,
		OnHandled: func() { a.handled(); a.watch.Wake() }})
	return err
}

// handled follows each commit of a flow's. What it has set, this process sees
// to; the others are woken only for what is due before they look by themselves.
func (a *App) handled() {
	a.outbox.Wake()
	a.pipeline.Wake()
	a.Desk.WakeFiles()
	if a.Desk.DueSoon() {
		a.shared.Publish(context.Background(), bot.DueChanged, nil)
	}
	if a.Desk.ChannelsNamed() {
		select {
		case a.named <- struct{}{}:
		default:
		}
	}
	if a.Desk.ArticlesWritten() {
		a.shared.Publish(context.Background(), bot.ArticlesChanged, nil)
	}
}

// wakeWatch wakes the watch when another process has set what is due soon.
func (a *App) wakeWatch(ctx context.Context) error {
	for range a.shared.Subscribe(ctx, bot.DueChanged) {
		a.watch.Wake()
	}
	return nil
}

// Start serves and works until Stop. It returns when the desk listens; see
// Ready. ctx bounds only the start.
func (a *App) Start(ctx context.Context) error {
	var err error
	if a.listener, err = (&net.ListenConfig{}).Listen(ctx, "tcp", a.o.Listen); err != nil {
		return fmt.Errorf("can't listen on %s; choose another address with --listen or DESKHAND_LISTEN: %w", a.o.Listen, err)
	}
	a.server = &http.Server{Handler: a.routes(), ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 15 * time.Second,
		WriteTimeout: 30 * time.Second, IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 64 << 10, ErrorLog: slog.NewLogLogger(a.o.Log.Handler(), slog.LevelDebug)}

	if err := a.Desk.Schedule(ctx); err != nil {
		return errors.Join(err, a.listener.Close())
	}

	// Work outlives ctx, which is the caller's for starting; Stop ends it.
	run, cancel := context.WithCancel(context.WithoutCancel(ctx))
	a.cancel = cancel
	group, run := errgroup.WithContext(run)
	a.work = group
	group.Go(func() error {
		if err := a.server.Serve(a.listener); !errors.Is(err, http.ErrServerClosed) {
			return fmt.Errorf("serve: %w", err)
		}
		return nil
	})
	group.Go(func() error {
		<-run.Done()
		stop, cancel := context.WithTimeout(context.WithoutCancel(run), 2*time.Second)
		defer cancel()
		if err := a.server.Shutdown(stop); err != nil {
			return a.server.Close() // connections on which nothing is asked
		}
		return nil
	})
	if a.web != nil {
		group.Go(func() error { return a.web.Run(run) })
	}
	for _, worker := range []func(context.Context) error{
		a.inbox.Run, a.outbox.Run, a.watch.Run, a.pipeline.Run, a.Desk.FetchFiles, a.wakeWatch, a.findNamed, a.connect,
		func(ctx context.Context) error { return bot.FollowArticles(ctx, a.DB, a.index, a.shared, a.o.Log) },
		func(ctx context.Context) error { return bot.FollowEvidence(ctx, a.DB, a.index, a.o.Log) },
	} {
		group.Go(func() error { return worker(run) })
	}
	go func() {
		a.err = group.Wait()
		close(a.ended)
	}()
	return nil
}

// Addr is where the desk listens, once it has started.
func (a *App) Addr() string { return a.listener.Addr().String() }

// Ready is closed when the platforms have said who the desk is. Until then they
// are told to try again later.
func (a *App) Ready() <-chan struct{} { return a.ready }

// Done is closed when the desk has ended, by Stop or by itself; Stop then says
// why.
func (a *App) Done() <-chan struct{} { return a.ended }

// Stop ends the work in hand and closes everything. Stopping twice is fine.
func (a *App) Stop() error {
	if a.cancel != nil {
		a.cancel()
		<-a.ended
	}
	return errors.Join(a.err, a.close())
}

func (a *App) close() error {
	var errs []error
	if a.model != nil {
		a.model.Close()
	}
	if a.index != nil {
		errs = append(errs, a.index.Close())
		a.index = nil
	}
	if a.unlock != nil {
		errs = append(errs, a.unlock.Close())
		a.unlock = nil
	}
	if a.shared != nil {
		errs = append(errs, a.shared.Close())
		a.shared = nil
	}
	if a.DB != nil {
		a.DB.Close()
	}
	if a.postgres != nil {
		errs = append(errs, a.postgres.Stop())
		a.postgres = nil
	}
	return errors.Join(errs...)
}
