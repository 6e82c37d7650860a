// Command deskhand is a chat-first IT service desk.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"runtime"
	"runtime/debug"
	"syscall"
	"time"
	_ "time/tzdata" // a small container has no time zones of its own, and no deadline can do without

	"github.com/alecthomas/kong"

	"github.com/deskhand/deskhand/storage"
)

// cli is the command line. Each setting is a flag and an environment variable.
type cli struct {
	Demo    demoCmd    `cmd:"" help:"Try the whole desk in a browser: no account, no token, no set-up."`
	Serve   serveCmd   `cmd:"" help:"Run the desk for a real workspace."`
	Apply   applyCmd   `cmd:"" help:"Check a policy file and put it in force."`
	KB      kbCmd      `cmd:"" name:"kb" help:"Bring in knowledge-base articles, and search them."`
	Change  changeCmd  `cmd:"" help:"Show a change, and prove who approved what."`
	CMDB    cmdbCmd    `cmd:"" name:"cmdb" help:"Bring in what the company runs: configuration items and what depends on what."`
	Token   tokenCmd   `cmd:"" help:"Let a program act for somebody: a delivery pipeline that asks for changes."`
	SLA     slaCmd     `cmd:"" name:"sla" help:"Show the sum behind a promised time, and rehearse a policy on what has happened."`
	Dead    deadCmd    `cmd:"" help:"See what could not be handled or delivered, and try it again."`
	Doctor  doctorCmd  `cmd:"" help:"Check everything that the desk depends on, and say what to do."`
	Migrate migrateCmd `cmd:"" help:"Bring the database's schema up to date; serve does so too."`
	Teams   teamsCmd   `cmd:"" help:"Prepare Microsoft Teams."`
	Bench   benchCmd   `cmd:"" help:"Measure how fast the desk is on this machine, beside what it could be."`
	Version versionCmd `cmd:"" help:"Say which version this is."`

	LogLevel logLevel `help:"How much to log: debug, info, warn or error." default:"info" env:"DESKHAND_LOG_LEVEL"`
}

// logLevel is slog's, refused in words that name the setting.
type logLevel slog.Level

func (l *logLevel) UnmarshalText(text []byte) error {
	if err := (*slog.Level)(l).UnmarshalText(text); err != nil {
		return fmt.Errorf("%q is no level; write debug, info, warn or error", text)
	}
	return nil
}

// storeFlags say where the record is.
type storeFlags struct {
	DatabaseURL string `help:"Postgres, as a URL. Without one the desk runs a private Postgres in the data directory." env:"DESKHAND_DATABASE_URL" placeholder:"URL"`
	Data        string `help:"Directory for the private Postgres and the index." env:"DESKHAND_DATA" placeholder:"DIR"`
}

// slackFlags are one installation in a workspace.
type slackFlags struct {
	SlackSigningSecret string `help:"Basic Information → Signing Secret." env:"DESKHAND_SLACK_SIGNING_SECRET" placeholder:"SECRET"`
	SlackBotToken      string `help:"OAuth & Permissions → Bot User OAuth Token (xoxb-…)." env:"DESKHAND_SLACK_BOT_TOKEN" placeholder:"TOKEN"`
	SlackAppToken      string `help:"Basic Information → App-Level Tokens (xapp-…): turns on socket mode, which needs no public address." env:"DESKHAND_SLACK_APP_TOKEN" placeholder:"TOKEN"`
	SlackAPIURL        string `name:"slack-api-url" help:"Slack's API, if not the usual one: government Slack has its own." env:"DESKHAND_SLACK_API_URL" placeholder:"URL"`
}

// teamsFlags are one bot in a tenant.
type teamsFlags struct {
	TeamsAppID       string `name:"teams-app-id" help:"Azure Bot → Configuration → Microsoft App ID." env:"DESKHAND_TEAMS_APP_ID" placeholder:"ID"`
	TeamsAppPassword string `help:"Value of a client secret of that app." env:"DESKHAND_TEAMS_APP_PASSWORD" placeholder:"SECRET"`
	TeamsTenantID    string `name:"teams-tenant-id" help:"Azure Bot → Configuration → App Tenant ID." env:"DESKHAND_TEAMS_TENANT_ID" placeholder:"ID"`
	TeamsMetadataURL string `name:"teams-openid-metadata-url" help:"Who signs what Teams sends, if not Microsoft's public cloud." env:"DESKHAND_TEAMS_OPENID_METADATA_URL" placeholder:"URL"`
	TeamsTokenURL    string `name:"teams-token-url" help:"Who gives the desk its tokens, if not Microsoft's public cloud." env:"DESKHAND_TEAMS_TOKEN_URL" placeholder:"URL"`
	TeamsGraphURL    string `name:"teams-graph-url" help:"Microsoft Graph, if not the public cloud's: there the desk sees whether a message has arrived whose confirmation was lost." env:"DESKHAND_TEAMS_GRAPH_URL" placeholder:"URL"`
}

func (f teamsFlags) set() bool {
	return f.TeamsAppID != "" || f.TeamsAppPassword != "" || f.TeamsTenantID != ""
}

// modelFlags are a language model that the desk may ask.
type modelFlags struct {
	ModelURL  string `name:"model-url" help:"OpenAI-compatible endpoint of a language model that may order the articles which the desk has found: https://host/v1, or http:// in a network of your own. Without it none is asked." env:"DESKHAND_MODEL_URL" placeholder:"URL"`
	ModelKey  string `help:"Its key, if it wants one." env:"DESKHAND_MODEL_KEY" placeholder:"SECRET"`
	ModelName string `help:"Which model to ask there." env:"DESKHAND_MODEL_NAME" placeholder:"NAME"`
}

func main() {
	if os.Getenv("GOGC") == "" {
		// Much passes through the desk, and little stays: collected somewhat more
		// often than Go would by itself it takes 13 MiB less, for some 4 % of its CPU.
		debug.SetGCPercent(60)
	}
	ends := []os.Signal{os.Interrupt, syscall.SIGTERM}
	if !signal.Ignored(syscall.SIGHUP) { // else nohup wants it to outlive the terminal
		ends = append(ends, syscall.SIGHUP)
	}
	ctx, stop := signal.NotifyContext(context.Background(), ends...)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stdout, os.Stderr); err != nil {
		fmt.Fprintln(os.Stderr, "deskhand:", complaint(ctx, err))
		os.Exit(1) // run's own defers have finished
	}
}

// complaint is what went wrong. What somebody has broken off has many ways to
// fail, and none of them is news.
func complaint(ctx context.Context, err error) error {
	if ctx.Err() != nil && errors.Is(err, context.Canceled) {
		return errors.New("stopped")
	}
	return err
}

// env is what commands work with.
type env struct {
	out io.Writer // for people
	log *slog.Logger
	bad io.Writer
}

func (e *env) say(format string, args ...any) { fmt.Fprintf(e.out, format+"\n", args...) }

// progress tells what takes time where it does not get between the output.
func (e *env) progress(line string) { fmt.Fprintln(e.bad, line) }

// errExit unwinds run after help has been printed.
var errExit = errors.New("exit")

func run(ctx context.Context, args []string, out, bad io.Writer) (err error) {
	defer func() {
		if p := recover(); p != nil {
			if p == any(errExit) {
				return
			}
			panic(p)
		}
	}()
	var c cli
	parser, err := kong.New(&c, kong.Name("deskhand"), kong.Writers(out, bad),
		kong.Description("The chat-first IT service desk: answers before a ticket exists."),
		kong.Exit(func(int) { panic(errExit) }), kong.Vars{"stages": stages()})
	if err != nil {
		return err
	}
	if len(args) == 0 {
		args = []string{"--help"}
	}
	k, err := parser.Parse(args)
	if err != nil {
		return err
	}
	log := slog.New(slog.NewJSONHandler(bad, &slog.HandlerOptions{Level: slog.Level(c.LogLevel), ReplaceAttr: readable}))
	k.BindTo(ctx, (*context.Context)(nil))
	return k.Run(&env{out: out, bad: bad, log: log})
}

// readable writes a length of time as people do: JSON would have it in
// nanoseconds.
func readable(_ []string, a slog.Attr) slog.Attr {
	if a.Value.Kind() == slog.KindDuration {
		return slog.String(a.Key, a.Value.Duration().Round(time.Millisecond).String())
	}
	return a
}

type versionCmd struct{}

func (versionCmd) Run(e *env) error {
	e.say("deskhand %s, %s", storage.Program(), runtime.Version())
	return nil
}
