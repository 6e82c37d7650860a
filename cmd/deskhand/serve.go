package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"github.com/deskhand/deskhand/adapters/teams"
	"github.com/deskhand/deskhand/bot"
	"github.com/deskhand/deskhand/cmd/deskhand/internal/app"
	"github.com/deskhand/deskhand/cmd/deskhand/internal/policyfile"
	"github.com/deskhand/deskhand/core/policy"
	"github.com/deskhand/deskhand/kb"
	"github.com/deskhand/deskhand/storage"
	"github.com/deskhand/deskhand/storage/pglocal"
)

type serveCmd struct {
	storeFlags
	slackFlags
	teamsFlags
	modelFlags
	RedisURL     string `help:"Redis, where several processes share the work. One process needs none." env:"DESKHAND_REDIS_URL" placeholder:"URL"`
	Listen       string `help:"Address for Slack, Teams, health and metrics." default:"127.0.0.1:8080" env:"DESKHAND_LISTEN"`
	Unpaced      bool   `name:"slack-unpaced" hidden:"" help:"Leave Slack's rate limits to Slack: for doubles that have none." env:"DESKHAND_SLACK_UNPACED"`
	TeamsUnpaced bool   `hidden:"" help:"Leave Teams' rate limits to Teams: for doubles that have none." env:"DESKHAND_TEAMS_UNPACED"`
	Anonymous    bool   `name:"teams-allow-anonymous-loopback" help:"DEVELOPMENT ONLY: take what an emulator on this machine sends as Teams', without a token."`
	Policy       string `help:"Policy file to put in force first; see apply." env:"DESKHAND_POLICY" type:"path" placeholder:"FILE"`
	URL          string `name:"url" help:"Address at which people's browsers reach the desk, such as https://desk.example.com: for the tab in Teams, for pages and files behind links. Without it there are none." env:"DESKHAND_URL" placeholder:"URL"`
}

func (c *serveCmd) Run(ctx context.Context, e *env) error {
	if c.Policy != "" {
		if _, err := policyfile.Load(c.Policy); err != nil {
			return err // before anything is started
		}
	}
	a, err := app.New(ctx, app.Options{
		DatabaseURL: c.DatabaseURL, RedisURL: c.RedisURL, Listen: c.Listen, Data: c.Data, URL: c.URL,
		Slack: app.Slack{SigningSecret: c.SlackSigningSecret, BotToken: c.SlackBotToken, AppToken: c.SlackAppToken, APIURL: c.SlackAPIURL, Unpaced: c.Unpaced},
		Teams: app.Teams{AppID: c.TeamsAppID, AppPassword: c.TeamsAppPassword, TenantID: c.TeamsTenantID, MetadataURL: c.TeamsMetadataURL,
			TokenURL: c.TeamsTokenURL, GraphURL: c.TeamsGraphURL, AllowAnonymousLoopback: c.Anonymous, Unpaced: c.TeamsUnpaced},
		Model: app.Model{URL: c.ModelURL, Key: c.ModelKey, Name: c.ModelName},
		Log:   e.log, Progress: e.progress,
	})
	if err != nil {
		return err
	}
	if c.Anonymous {
		e.log = e.log.With(teams.DevelopmentMode())
	}
	if c.Policy != "" {
		if err := apply(ctx, a.DB, c.Policy); err != nil {
			return errors.Join(err, a.Stop())
		}
	}
	if err := a.Start(ctx); err != nil {
		return errors.Join(err, a.Stop())
	}
	e.log.InfoContext(ctx, "the desk is open", "listen", a.Addr())
	select {
	case <-ctx.Done():
	case <-a.Done():
	}
	return a.Stop()
}

// open opens the record for a command that works on it and ends.
func (f *storeFlags) open(ctx context.Context, e *env) (*storage.DB, func() error, error) {
	dir := f.Data
	if dir == "" && f.DatabaseURL == "" {
		var err error
		if dir, err = pglocal.DefaultDir("serve"); err != nil {
			return nil, nil, err
		}
	}
	url := f.DatabaseURL
	if url == "" {
		// Beside a serve that runs on its private Postgres, work on that.
		url, _ = pglocal.Running(filepath.Join(dir, "postgres"))
	}
	db, private, err := app.OpenDatabase(ctx, url, dir, 0, e.progress)
	if err != nil {
		return nil, nil, err
	}
	return db, func() error {
		db.Close()
		if private == nil {
			return nil
		}
		return private.Stop()
	}, nil
}

type applyCmd struct {
	storeFlags
	File   string `arg:"" help:"Policy file (YAML)." type:"path"`
	DryRun bool   `help:"Only check it."`
}

func (c *applyCmd) Run(ctx context.Context, e *env) (err error) {
	p, err := policyfile.Load(c.File)
	if err != nil {
		return err
	}
	if c.DryRun {
		e.say("%s is in order: %s.", c.File, contents(p))
		return nil
	}
	db, done, err := c.open(ctx, e)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, done()) }()
	if err := apply(ctx, db, c.File); err != nil {
		return err
	}
	e.say("In force: %s. Processes that run see it within a few seconds.", contents(p))
	return nil
}

// contents is what a policy names, counted.
func contents(p policy.Policy) string {
	people := "1 person"
	if n := len(p.People); n != 1 {
		people = fmt.Sprintf("%d people", n)
	}
	return strings.Join([]string{count(len(p.Teams), "team"), count(len(p.Services), "service"), count(len(p.Levels), "service level"), people}, ", ")
}

func apply(ctx context.Context, db *storage.DB, file string) error {
	p, err := policyfile.Load(file)
	if err != nil {
		return err
	}
	err = db.InTx(ctx, func(tx *storage.Tx) error {
		_, err := tx.ApplyPolicy(ctx, p, "deskhand apply", time.Now())
		return err
	})
	if wrong, ok := errors.AsType[*storage.PolicyError](err); ok {
		return policyfile.Refused(file, wrong.Problem)
	}
	return err
}

type migrateCmd struct{ storeFlags }

func (c *migrateCmd) Run(ctx context.Context, e *env) (err error) {
	db, done, err := c.open(ctx, e)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, done()) }()
	applied, known, err := db.Version(ctx)
	if err == nil {
		e.say("The schema is at version %d of %d.", applied, known)
	}
	return err
}

type kbCmd struct {
	Import   kbImportCmd   `cmd:"" help:"Bring in articles: Markdown, HTML, CSV, a Confluence space, Zendesk's or Freshservice's JSON."`
	Export   kbExportCmd   `cmd:"" help:"Write all articles as Markdown, with their pictures."`
	Search   kbSearchCmd   `cmd:"" help:"Show what the desk would answer to a question."`
	Coverage kbCoverageCmd `cmd:"" help:"Tell how many of the questions on record the articles would answer."`
	Forget   kbForgetCmd   `cmd:"" help:"Leave out what people said of an article, when it is suggested."`
	Eval     kbEvalCmd     `cmd:"" help:"Measure how well the desk suggests, on questions whose answers are known."`
	Fit      kbFitCmd      `cmd:"" hidden:"" help:"Work out the weights of the ranking (kb/weights.tsv)."`
}

type kbSearchCmd struct {
	storeFlags
	Question []string `arg:"" help:"The question, in a user's words."`
	As       []string `help:"Team or department slugs whose articles may be shown too." placeholder:"SLUG"`
}

func (c *kbSearchCmd) Run(ctx context.Context, e *env) (err error) {
	db, done, err := c.open(ctx, e)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, done()) }()
	index, err := kb.Open(kb.Options{Log: e.log})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, index.Close()) }()
	if err := bot.CatchUp(ctx, db, index, nil); err != nil {
		return err
	}
	q := kb.Query{Text: strings.Join(c.Question, " "), Groups: c.As, Requests: true}
	if err := db.View(ctx, func(tx *storage.Tx) error {
		down, err := tx.OutagesNow(ctx)
		if err != nil {
			return err
		}
		for _, o := range down {
			q.Outages = append(q.Outages, o.Searched())
		}
		services, err := tx.Services(ctx)
		for _, s := range services {
			q.Services = append(q.Services, s.Slug)
		}
		return err
	}); err != nil {
		return err
	}
	return search(ctx, e, index, q)
}
