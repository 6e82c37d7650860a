package slack

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/slack-go/slack"

	"github.com/deskhand/deskhand/bot/chat"
)

// Platform is this adapter's name in chat.User and chat.Place.
const Platform = "slack"

// Desk is who handles events.
type Desk interface {
	// Accept stores events to be worked on later, all or none. An error means
	// that Slack is told to try again.
	Accept(ctx context.Context, events ...chat.Event) error
	// Answer decides while Slack waits; ctx ends when Slack would give up.
	Answer(ctx context.Context, e chat.Event) (chat.Answer, error)
}

// Options say how to reach a workspace. The zero value of each that is not said
// to be needed works.
type Options struct {
	// SigningSecret proves that a request comes from Slack. It is needed unless
	// there is an AppToken.
	SigningSecret string
	// BotToken, xoxb-…, is needed.
	BotToken string
	// AppToken, xapp-…, is needed for RunSocket.
	AppToken string
	// APIURL is https://slack.com/api/ if empty; government Slack and doubles
	// have their own.
	APIURL string

	// Desk may be nil where nothing is received; what comes in is then put off.
	Desk Desk

	// Unpaced leaves out all Budgets, for doubles that have no limits and for
	// benchmarks.
	Unpaced bool

	Log        *slog.Logger
	Now        func() time.Time
	HTTPClient *http.Client
	Metrics    prometheus.Registerer
}

// Adapter is one installation in one workspace. It is safe for concurrent use.
type Adapter struct {
	desk     Desk
	api      *slack.Client
	apiURL   string
	botToken string
	appToken string
	unpaced  bool
	log      *slog.Logger
	now      func() time.Time
	http     *http.Client
	metrics  *metrics

	signatures signatures
	self       atomic.Pointer[identity]
	hears      atomic.Bool // the socket stands
	dms        sync.Map    // user id → id of the direct messages with them
}

// identity is who the desk is in its workspace, as Slack says.
type identity struct {
	team string // workspace id
	name string // of the workspace
	user string // the desk's own user id
	app  string // app id; empty if Slack did not tell
}

// New makes an adapter without calling Slack. Errors name the setting that is
// wrong, and never show a secret.
func New(o Options) (*Adapter, error) {
	switch {
	case o.BotToken == "":
		return nil, errors.New("slack: no bot token; set DESKHAND_SLACK_BOT_TOKEN to the Bot User OAuth Token from OAuth & Permissions")
	case !strings.HasPrefix(o.BotToken, "xoxb-"):
		return nil, errors.New("slack: DESKHAND_SLACK_BOT_TOKEN is not a bot token; it must begin with xoxb-, see OAuth & Permissions")
	case o.AppToken != "" && !strings.HasPrefix(o.AppToken, "xapp-"):
		return nil, errors.New("slack: DESKHAND_SLACK_APP_TOKEN is not an app-level token; it must begin with xapp-, see Basic Information")
	case o.SigningSecret == "" && o.AppToken == "":
		return nil, errors.New("slack: no way to receive; set DESKHAND_SLACK_SIGNING_SECRET (see Basic Information), or DESKHAND_SLACK_APP_TOKEN for socket mode")
	}
	for _, s := range []struct{ name, value string }{
		{"DESKHAND_SLACK_BOT_TOKEN", o.BotToken}, {"DESKHAND_SLACK_APP_TOKEN", o.AppToken}, {"DESKHAND_SLACK_SIGNING_SECRET", o.SigningSecret},
	} {
		if strings.ContainsAny(s.value, " \t\r\n") {
			return nil, fmt.Errorf("slack: a blank or a line break in %s; copy it again", s.name)
		}
	}
	api := cmp.Or(o.APIURL, slack.APIURL)
	if u, err := url.Parse(api); err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" {
		return nil, fmt.Errorf("slack: DESKHAND_SLACK_API_URL %q is not a URL like %s", api, slack.APIURL)
	}
	if !strings.HasSuffix(api, "/") {
		api += "/"
	}
	m, err := newMetrics(o.Metrics)
	if err != nil {
		return nil, fmt.Errorf("slack: metrics: %w", err)
	}
	a := &Adapter{
		desk:       o.Desk,
		apiURL:     api,
		botToken:   o.BotToken,
		appToken:   o.AppToken,
		unpaced:    o.Unpaced,
		log:        cmp.Or(o.Log, slog.Default()),
		now:        o.Now,
		http:       client(o.HTTPClient),
		metrics:    m,
		signatures: signatures{secret: []byte(o.SigningSecret)},
	}
	if a.now == nil {
		a.now = time.Now
	}
	a.api = slack.New(o.BotToken, slack.OptionAPIURL(api), slack.OptionHTTPClient(echoless{a.http}), slack.OptionAppLevelToken(o.AppToken))
	return a, nil
}

// client is base, or a client fit for many calls of one host at once. Time
// limits are set call by call.
func client(base *http.Client) *http.Client {
	if base != nil {
		return base
	}
	t := http.DefaultTransport.(*http.Transport).Clone()
	t.MaxIdleConnsPerHost = 64
	return &http.Client{Transport: t}
}

// Connect asks Slack who the desk is. Until it has succeeded, whatever comes in
// is put off.
func (a *Adapter) Connect(ctx context.Context) error {
	var auth *slack.AuthTestResponse
	err := a.call(ctx, "auth.test", repeatable, func(ctx context.Context) (err error) {
		auth, err = a.api.AuthTestContext(ctx)
		return err
	})
	if err != nil {
		return err
	}
	if auth.TeamID == "" || auth.UserID == "" {
		return errors.New("slack: auth.test names no workspace; is DESKHAND_SLACK_API_URL right?")
	}
	me := identity{team: auth.TeamID, name: auth.Team, user: auth.UserID}
	if auth.BotID != "" {
		// The app id only serves to tell another app's requests apart, which the
		// signature does too: without it all works.
		err := a.call(ctx, "bots.info", repeatable, func(ctx context.Context) error {
			bot, err := a.api.GetBotInfoContext(ctx, slack.GetBotInfoParameters{Bot: auth.BotID})
			if err == nil {
				me.app = bot.AppID
			}
			return err
		})
		if err != nil {
			a.log.LogAttrs(ctx, slog.LevelDebug, "the app's id is not known", slog.Any("err", err))
		}
	}
	a.self.Store(&me)
	return nil
}

// Workspace is the id of the workspace, once connected.
func (a *Adapter) Workspace() string { return a.me().team }

// Receives tells whether events can reach the desk: over HTTP as soon as Slack
// has said who the desk is, in socket mode while the socket stands.
func (a *Adapter) Receives() bool {
	return a.self.Load() != nil && (a.appToken == "" || a.hears.Load())
}

// Ways are Slack's.
func (a *Adapter) Ways() chat.Ways {
	return chat.Ways{Command: "/desk ", Reactions: true, Closings: true}
}

// Self is the desk's own user, once connected.
func (a *Adapter) Self() chat.User { return a.me().person(a.me().user) }

// me is who the desk is; nobody until connected.
func (a *Adapter) me() identity {
	if me := a.self.Load(); me != nil {
		return *me
	}
	return identity{}
}

func (me identity) person(id string) chat.User {
	if id == "" {
		return chat.User{}
	}
	return chat.User{Platform: Platform, Workspace: me.team, ID: id}
}

func (me identity) place(channel, thread string) chat.Place {
	return chat.Place{Platform: Platform, Workspace: me.team, Channel: channel, Thread: thread}
}
