package slacktest

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// A Workspace is a Slack workspace with one app installed. It is safe for
// concurrent use. Close it.
type Workspace struct {
	now          func() time.Time
	answerWithin time.Duration
	redeliver    []time.Duration
	unordered    bool
	unfurl       bool
	socketMode   bool
	keepMessages int
	keepFiles    int64
	record       int
	log          *slog.Logger

	team       Team
	app        App
	scopes     map[string]bool
	scopeList  string
	subscribed map[string]bool
	botProfile []byte // as in every message of the bot

	handler   http.Handler
	client    *http.Client
	ctx       context.Context // ends with Close; deliveries run under it
	cancel    context.CancelFunc
	running   sync.WaitGroup
	slots     chan struct{} // one for each delivery under way
	lastShort atomic.Uint64
	sockets   socketSet
	stats     counters

	mu                            sync.Mutex
	url                           string
	endpoints                     Endpoints
	servers                       []*http.Server
	closed                        bool
	pacing                        pacer
	lastID                        uint64
	lastEvent                     int64
	lastTrigger                   int64
	users                         []*User
	userByID                      map[string]*User
	userByName                    map[string]*User
	convs                         []*conversation
	convByID                      map[string]*conversation
	convByName                    map[string]*conversation
	files                         fileStore
	views                         viewStore
	triggers                      map[string]*trigger
	responses                     map[string]*responseURL
	sweptTriggers, sweptResponses sweep
	changes                       changeLog
	lanes                         map[string]*lane
	pending                       int64

	onCall     func(Call) Fault
	failNext   map[string][]Fault
	onDelivery func(Delivery) DeliveryFault
	calls      ring[Call]
	deliveries ring[Delivery]
}

// New makes a workspace and starts what delivers its events.
func New(o Options) (*Workspace, error) {
	if o.KeepMessages < 0 || o.KeepChanges < 0 || o.KeepFileBytes < 0 || o.Record < 0 {
		return nil, errors.New("slacktest: what is kept cannot be less than nothing")
	}
	if len(o.Redeliver) > 3 {
		return nil, errors.New("slacktest: Slack redelivers an event three times at most")
	}
	w := &Workspace{
		now:          o.Now,
		answerWithin: cmp.Or(o.AnswerWithin, 3*time.Second),
		redeliver:    o.Redeliver,
		unordered:    o.Unordered,
		unfurl:       o.Unfurl,
		socketMode:   o.SocketMode,
		keepMessages: cmp.Or(o.KeepMessages, 10_000),
		keepFiles:    cmp.Or(o.KeepFileBytes, 64<<20),
		record:       o.Record,
		log:          cmp.Or(o.Log, slog.New(slog.DiscardHandler)),
		client: &http.Client{
			Transport: &http.Transport{MaxIdleConnsPerHost: deliverers, MaxConnsPerHost: 4 * deliverers, DisableCompression: true},
			// Slack follows two redirects, and calls the third too_many_redirects.
			CheckRedirect: func(_ *http.Request, via []*http.Request) error {
				if len(via) > 2 {
					return errTooManyRedirects
				}
				return nil
			},
		},
		slots:      make(chan struct{}, deliverers),
		userByID:   map[string]*User{},
		userByName: map[string]*User{},
		convByID:   map[string]*conversation{},
		convByName: map[string]*conversation{},
		triggers:   map[string]*trigger{},
		responses:  map[string]*responseURL{},
		failNext:   map[string][]Fault{},
		lanes:      map[string]*lane{},
		changes:    changeLog{keep: cmp.Or(o.KeepChanges, 1<<14)},
		calls:      ring[Call]{keep: o.Record},
		deliveries: ring[Delivery]{keep: o.Record},
		pacing:     pacer{Pacing: o.Pacing},
	}
	w.files.init()
	w.views.init()
	w.stats.calls, w.stats.errors = map[string]int64{}, map[string]int64{}
	if w.now == nil {
		w.now = time.Now
	}
	if w.redeliver == nil {
		// docs.slack.dev/apis/events-api: "nearly immediately", after 1 minute,
		// after 5 minutes.
		w.redeliver = []time.Duration{0, time.Minute, 5 * time.Minute}
	}
	w.ctx, w.cancel = context.WithCancel(context.Background()) // ends with Close
	w.install(o.Team, o.App)
	if o.AppURL != "" {
		w.Connect(o.AppURL)
	}
	w.handler = w.routes()
	return w, nil
}

// install completes the names of team and app, and adds the app's bot user.
func (w *Workspace) install(t Team, a App) {
	w.team = Team{ID: cmp.Or(t.ID, "T0SLACKTEST"), Name: cmp.Or(t.Name, "Acme"), Domain: cmp.Or(t.Domain, "acme")}
	a.ID = cmp.Or(a.ID, "A0DESK")
	a.Name = cmp.Or(a.Name, "Desk")
	a.BotID = cmp.Or(a.BotID, "B0DESK")
	a.BotUserID = cmp.Or(a.BotUserID, "U0DESK")
	a.SigningSecret = cmp.Or(a.SigningSecret, "slacktest-signing-secret")
	a.BotToken = cmp.Or(a.BotToken, "xoxb-slacktest")
	a.AppToken = cmp.Or(a.AppToken, "xapp-slacktest")
	if a.Scopes == nil {
		a.Scopes = defaultScopes()
	}
	if a.Events == nil {
		a.Events = knownEvents()
	}
	if a.Commands == nil {
		a.Commands = []Command{{Name: "/desk", Description: "Ask the desk", UsageHint: "what is wrong"}}
	}
	w.app = a
	w.scopes, w.subscribed = set(a.Scopes), set(a.Events)
	w.scopeList = strings.Join(a.Scopes, ",")
	w.botProfile = mustJSON(map[string]any{
		"id": a.BotID, "app_id": a.ID, "user_id": a.BotUserID, "name": a.Name,
		"deleted": false, "updated": 1700000000, "team_id": w.team.ID, "icons": map[string]string{},
	})
	bot := &User{
		ID: a.BotUserID, Name: strings.ToLower(strings.ReplaceAll(a.Name, " ", "_")), RealName: a.Name,
		DisplayName: a.Name, Bot: true, Color: "4a154b", TZ: "Etc/UTC",
	}
	w.users = append(w.users, bot)
	w.userByID[bot.ID], w.userByName[bot.Name] = bot, bot
}

// Listen serves the workspace on addr ("127.0.0.1:0" for any free port) until
// Close. Use it or mount Handler and call SetURL.
func (w *Workspace) Listen(addr string) error {
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return fmt.Errorf("slacktest: %w", err)
	}
	srv := &http.Server{
		Handler:           w.handler,
		ReadHeaderTimeout: 10 * time.Second,
		BaseContext:       func(net.Listener) context.Context { return w.ctx },
	}
	w.mu.Lock()
	if w.closed {
		w.mu.Unlock()
		l.Close()
		return errors.New("slacktest: the workspace is closed")
	}
	was := w.url
	w.url = "http://" + l.Addr().String()
	w.rebase(was, w.url)
	w.servers = append(w.servers, srv)
	w.running.Add(1)
	w.mu.Unlock()
	go func() {
		defer w.running.Done()
		if err := srv.Serve(l); err != nil && !errors.Is(err, http.ErrServerClosed) {
			w.log.Error("the double of Slack stopped serving", "err", err)
		}
	}()
	return nil
}

// URL is where Slack's part is served, without a slash at the end.
// The Web API is under URL() + "/api/".
func (w *Workspace) URL() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.url
}

// SetURL says where Handler is mounted, so that response URLs, file URLs and the
// socket's URL are right.
func (w *Workspace) SetURL(url string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	was := w.url
	w.url = strings.TrimRight(url, "/")
	w.rebase(was, w.url)
}

// Handler serves Slack's part and nothing else: /api/METHOD, /response/…,
// /upload/…, /files/… and /socket.
func (w *Workspace) Handler() http.Handler { return w.handler }

func (w *Workspace) routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("/api/{method}", w.serveAPI)
	mux.HandleFunc("POST /response/{token}", w.serveResponseURL)
	mux.HandleFunc("POST /upload/{id}", w.serveUpload)
	mux.HandleFunc("GET /files/{id}/{name}", w.serveFile)
	mux.HandleFunc("GET /socket", w.serveSocket)
	return mux
}

// Connect says where the app listens: Events at base + "/slack/events", and so on
// for /slack/commands and /slack/interactivity. Until it is called no events are
// sent, as with an app that has no request URL, and commands, clicks and forms
// fail with dispatch_failed.
func (w *Workspace) Connect(base string) {
	base = strings.TrimRight(base, "/")
	w.ConnectTo(Endpoints{
		Events:        base + "/slack/events",
		Commands:      base + "/slack/commands",
		Interactivity: base + "/slack/interactivity",
	})
}

// ConnectTo is Connect with each URL given.
func (w *Workspace) ConnectTo(e Endpoints) {
	w.mu.Lock()
	defer w.mu.Unlock()
	e.Options = cmp.Or(e.Options, e.Interactivity)
	w.endpoints = e
}

// Close stops serving and delivering. Events that wait are dropped. It returns
// when everything that it stopped has ended.
func (w *Workspace) Close() error {
	w.mu.Lock()
	w.closed = true
	servers := w.servers
	w.servers = nil
	w.mu.Unlock()
	w.cancel()
	w.sockets.closeAll()
	var errs []error
	for _, s := range servers {
		errs = append(errs, s.Close())
	}
	w.running.Wait()
	w.client.CloseIdleConnections()
	return errors.Join(errs...)
}

// App is the app as New completed it.
func (w *Workspace) App() App { return w.app }

// Team is the workspace's own name.
func (w *Workspace) Team() Team { return w.team }

// Now is the workspace's clock.
func (w *Workspace) Now() time.Time { return w.now() }

// SetPacing changes which rate limits are kept, and forgets what has been used.
func (w *Workspace) SetPacing(p Pacing) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.pacing = pacer{Pacing: p}
}

// newID makes an id that looks like Slack's and is the same in every run. The
// caller holds w.mu.
func (w *Workspace) newID(prefix string) string {
	const space = 36 * 36 * 36 * 36 * 36 * 36 * 36 * 36
	for {
		w.lastID++
		n := w.lastID * 1_000_003_457 % space // no factor in common with 36, so every id comes once
		id := strings.ToUpper(strconv.FormatUint(n, 36))
		id = prefix + "0" + strings.Repeat("0", 8-len(id)) + id
		if w.userByID[id] == nil && w.convByID[id] == nil {
			return id
		}
	}
}

// slackTS writes microseconds since 1970 as Slack writes timestamps: seconds, a
// point, six digits.
func slackTS(micros int64) string {
	var b [24]byte
	s := strconv.AppendInt(b[:0], micros/1e6, 10)
	s = append(s, '.')
	frac := micros % 1e6
	for d := int64(1e5); d > frac && d > 1; d /= 10 {
		s = append(s, '0')
	}
	return string(strconv.AppendInt(s, frac, 10))
}

// micros reads a timestamp; 0 if it is none.
func micros(ts string) int64 {
	sec, frac, ok := strings.Cut(ts, ".")
	s, err1 := strconv.ParseInt(sec, 10, 64)
	if !ok {
		frac = "0"
	}
	if len(frac) > 6 {
		frac = frac[:6]
	}
	f, err2 := strconv.ParseInt(frac+strings.Repeat("0", 6-len(frac)), 10, 64)
	if err1 != nil || err2 != nil || s < 0 || f < 0 || s > 1<<40 {
		return 0
	}
	return s*1e6 + f
}

func set(list []string) map[string]bool {
	m := make(map[string]bool, len(list))
	for _, s := range list {
		m[s] = true
	}
	return m
}
