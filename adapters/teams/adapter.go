package teams

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/sync/singleflight"

	"github.com/deskhand/deskhand/bot/chat"
)

// Platform is this adapter's name in chat.User and chat.Place.
const Platform = "teams"

// Where Microsoft's public cloud says who signs what comes in, gives tokens for
// what goes out, and has Graph. Sovereign clouds have their own; for Graph's see
// learn.microsoft.com, "Microsoft Graph national cloud deployments".
const (
	DefaultMetadataURL = "https://login.botframework.com/v1/.well-known/openidconfiguration"
	defaultTokenURL    = "https://login.microsoftonline.com/{tenant}/oauth2/v2.0/token"
	defaultGraphURL    = "https://graph.microsoft.com"
)

// Desk is who handles events.
type Desk interface {
	// Accept stores events to be worked on later, all or none. An error means
	// that Teams is told to try again.
	Accept(ctx context.Context, events ...chat.Event) error
	// Answer decides while Teams waits; ctx ends when Teams would give up.
	Answer(ctx context.Context, e chat.Event) (chat.Answer, error)
}

// Options say which bot this is. The zero value of each that is not said to be
// needed works.
type Options struct {
	// AppID is the bot's Microsoft App ID, TenantID the directory that it is
	// installed in; both are needed. AppPassword is the app's client secret.
	AppID, AppPassword, TenantID string
	// MetadataURL is DefaultMetadataURL if empty.
	MetadataURL string
	// TokenURL is the tenant's token endpoint; "{tenant}" in it stands for
	// TenantID.
	TokenURL string
	// GraphURL is Microsoft Graph's address, without a version. Messages whose
	// answer was lost are looked for there.
	GraphURL string

	// AllowAnonymousLoopback takes activities without a token, and sends none: for
	// an emulator on this machine, and for nothing else. Listen must then name the
	// address that Handler is served on, which must be of this machine only.
	AllowAnonymousLoopback bool
	Listen                 string

	// Desk may be nil where nothing is received; what comes in is then put off.
	Desk Desk
	// Book keeps where people and places can be reached; without one that is
	// forgotten when the process ends.
	Book Book
	// FileURL is a page of the desk's own where a file can be had, "" if there is
	// none. Bots can't post files to a channel, so all but small pictures go as
	// such a link.
	FileURL func(chat.Attachment) string
	// Record names the desk's database among all desks': by it Find knows their
	// messages apart, whichever process has sent them. Without a name nothing is
	// looked for.
	Record func() string

	// Unpaced leaves out all Budgets, for doubles that have no limits and for
	// benchmarks.
	Unpaced bool

	Log        *slog.Logger
	Now        func() time.Time
	HTTPClient *http.Client
	Metrics    prometheus.Registerer
}

// Adapter is one bot in one tenant. It is safe for concurrent use.
type Adapter struct {
	desk      Desk
	app       string
	tenant    string
	anonymous bool
	unpaced   bool
	fileURL   func(chat.Attachment) string
	record    func() string
	log       *slog.Logger
	now       func() time.Time
	http      *http.Client
	metrics   *metrics

	keys      *keySet
	tokens    *tokens
	graph     *graph
	book      *references
	recent    recent
	replies   replies
	chats     singleflight.Group // personal chats being created
	connected atomic.Bool
}

// appID is how Entra writes ids; teamstest and emulators do too.
var appID = regexp.MustCompile(`^[0-9A-Za-z][0-9A-Za-z-]{7,63}$`)

// New makes an adapter without calling anybody. Errors name the setting that is
// wrong, and never show a secret.
func New(o Options) (*Adapter, error) {
	switch {
	case !appID.MatchString(o.AppID):
		return nil, errors.New("teams: DESKHAND_TEAMS_APP_ID must be the Microsoft App ID of the bot, as its Azure Bot page shows it under Configuration")
	case !appID.MatchString(o.TenantID):
		return nil, errors.New("teams: DESKHAND_TEAMS_TENANT_ID must be the id of the directory (App Tenant ID on the Azure Bot's page), as the bot is single-tenant")
	case o.AppPassword == "" && !o.AllowAnonymousLoopback:
		return nil, errors.New("teams: no app password; set DESKHAND_TEAMS_APP_PASSWORD to the value of a client secret of the app")
	case strings.ContainsAny(o.AppPassword, " \t\r\n"):
		return nil, errors.New("teams: a blank or a line break in DESKHAND_TEAMS_APP_PASSWORD; copy it again")
	case o.AllowAnonymousLoopback && !loopbackAddress(o.Listen):
		return nil, errors.New("teams: --teams-allow-anonymous-loopback is for an emulator on this machine: it needs --listen with a loopback address such as 127.0.0.1:3978")
	}
	metadata := cmp.Or(o.MetadataURL, DefaultMetadataURL)
	if !trustworthy(metadata) {
		return nil, errors.New("teams: DESKHAND_TEAMS_OPENID_METADATA_URL must be an https address like " + DefaultMetadataURL)
	}
	tokenURL := strings.ReplaceAll(cmp.Or(o.TokenURL, defaultTokenURL), "{tenant}", url.PathEscape(o.TenantID))
	if !trustworthy(tokenURL) {
		return nil, errors.New("teams: DESKHAND_TEAMS_TOKEN_URL must be an https address like " + defaultTokenURL)
	}
	graphURL := strings.TrimRight(cmp.Or(o.GraphURL, defaultGraphURL), "/")
	if !trustworthy(graphURL) {
		return nil, errors.New("teams: DESKHAND_TEAMS_GRAPH_URL must be an https address like " + defaultGraphURL)
	}
	m, err := newMetrics(o.Metrics)
	if err != nil {
		return nil, fmt.Errorf("teams: metrics: %w", err)
	}
	a := &Adapter{
		desk:      o.Desk,
		app:       o.AppID,
		tenant:    o.TenantID,
		anonymous: o.AllowAnonymousLoopback,
		unpaced:   o.Unpaced,
		fileURL:   o.FileURL,
		record:    o.Record,
		log:       cmp.Or(o.Log, slog.Default()),
		now:       o.Now,
		http:      client(o.HTTPClient),
		metrics:   m,
	}
	if a.anonymous {
		a.log = a.log.With(DevelopmentMode())
	}
	if a.now == nil {
		a.now = time.Now
	}
	a.keys = newKeySet(metadata, a.http, a.now, m)
	a.tokens = newTokens(tokenURL, o.AppID, o.AppPassword, botScope, a.http, a.now, m)
	a.graph = newGraph(graphURL, newTokens(tokenURL, o.AppID, o.AppPassword, graphURL+"/.default", a.http, a.now, m))
	a.book = newReferences(o.Book, a.now)
	return a, nil
}

// DevelopmentMode is what every line of the log says while tokens are not
// checked.
func DevelopmentMode() slog.Attr {
	return slog.String("teams", "DEVELOPMENT MODE: tokens are not checked")
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

// Prepare begins to fetch what Connect needs, and what comes in. Nobody waits for
// it, so that it can be done beside all else that takes time at the start.
func (a *Adapter) Prepare() {
	if !a.anonymous {
		a.keys.ask(false)
	}
}

// Connect makes sure that the desk knows Microsoft's keys and that Microsoft
// knows the desk's password. What comes in is checked and taken before, too, as
// soon as the keys can be had.
func (a *Adapter) Connect(ctx context.Context) error {
	if !a.anonymous {
		if err := a.keys.have(ctx); err != nil {
			return fmt.Errorf("teams: Microsoft's keys: %w", err)
		}
		if _, err := a.tokens.get(ctx); err != nil {
			return fmt.Errorf("teams: %w", err)
		}
	}
	a.connected.Store(true)
	return nil
}

// Workspace is the id of the tenant.
func (a *Adapter) Workspace() string { return a.tenant }

// Receives tells whether events can reach the desk: it knows who signs them, and
// has been given a token to answer with.
func (a *Adapter) Receives() bool { return a.connected.Load() && (a.anonymous || a.keys.there()) }

// Self is the desk's own user.
func (a *Adapter) Self() chat.User { return a.person("28:" + a.app) }

func (a *Adapter) person(id string) chat.User {
	if id == "" {
		return chat.User{}
	}
	return chat.User{Platform: Platform, Workspace: a.tenant, ID: id}
}

func (a *Adapter) place(channel, thread string) chat.Place {
	return chat.Place{Platform: Platform, Workspace: a.tenant, Channel: channel, Thread: thread}
}

// trustworthy says that an address may be called at all: over TLS, or on this
// machine.
func trustworthy(address string) bool {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" || u.User != nil || u.Opaque != "" {
		return false
	}
	return u.Scheme == "https" || u.Scheme == "http" && loopbackHost(u.Hostname())
}

func loopbackHost(host string) bool {
	if strings.EqualFold(host, "localhost") {
		return true
	}
	ip := net.ParseIP(host)
	return ip != nil && ip.IsLoopback()
}

// loopbackAddress says that nobody but this machine reaches a listener at addr.
func loopbackAddress(addr string) bool {
	host, _, err := net.SplitHostPort(addr)
	return err == nil && loopbackHost(host)
}

func loopbackURL(address string) bool {
	u, err := url.Parse(address)
	return err == nil && loopbackHost(u.Hostname())
}
