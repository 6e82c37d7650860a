package teamstest

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// A Tenant is an organisation on Teams with one app. It is safe for concurrent
// use. Close it.
type Tenant struct {
	id           string
	name         string
	app          App
	botID        string // 28:…
	now          func() time.Time
	invokeWithin time.Duration
	answerWithin time.Duration
	redeliver    []time.Duration
	unordered    bool
	html         bool
	quotes       bool
	targeted     bool
	tokenLife    time.Duration
	graphLag     time.Duration
	keepMessages int
	log          *slog.Logger

	handler http.Handler
	client  *http.Client
	ctx     context.Context // ends with Close; deliveries run under it
	cancel  context.CancelFunc
	running sync.WaitGroup
	slots   chan struct{} // one for each delivery under way
	login   login

	mu       sync.Mutex
	url      string
	endpoint string
	servers  []*http.Server
	closed   bool
	pacing   pacer
	lastID   uint64
	users    []*User
	userBy   map[string]*User // by id, object id, handle, mail and name
	teams    []*Team
	convs    []*conversation
	convBy   map[string]*conversation
	chats    map[string]*conversation // with the app, by user
	files    fileStore
	dialogs  map[string]*Dialog // by user
	changes  changeLog
	lanes    map[string]*lane
	pending  int64
	stats    counters

	onCall     func(Call) Fault
	failNext   map[string][]Fault
	onDelivery func(Delivery) DeliveryFault
	calls      ring[Call]
	deliveries ring[Delivery]
}

// counters for Stats, under the tenant's lock but for those of deliveries.
type counters struct {
	calls, errors                  map[string]int64
	posted, updated                int64
	busy                           int64 // calls being carried out
	delivered, redelivered, gaveUp atomic.Int64
}

// New makes a tenant and starts what delivers its activities.
func New(o Options) (*Tenant, error) {
	if o.KeepMessages < 0 || o.KeepChanges < 0 || o.KeepFileBytes < 0 || o.Record < 0 {
		return nil, errors.New("teamstest: what is kept cannot be less than nothing")
	}
	a := o.App
	a.ID = cmp.Or(a.ID, madeUp("app"))
	a.Name = cmp.Or(a.Name, "Desk")
	a.Secret = cmp.Or(a.Secret, "teamstest-secret")
	t := &Tenant{
		id:           cmp.Or(o.Tenant, madeUp("tenant")),
		name:         cmp.Or(o.Name, "Acme"),
		app:          a,
		botID:        "28:" + a.ID,
		now:          o.Now,
		invokeWithin: cmp.Or(o.InvokeWithin, 10*time.Second),
		answerWithin: cmp.Or(o.AnswerWithin, 15*time.Second),
		redeliver:    o.Redeliver,
		unordered:    o.Unordered,
		html:         o.HTML,
		quotes:       o.QuoteEntities,
		targeted:     o.Targeted,
		tokenLife:    cmp.Or(o.TokenLife, time.Hour),
		graphLag:     o.GraphLag,
		keepMessages: cmp.Or(o.KeepMessages, 10_000),
		log:          cmp.Or(o.Log, slog.New(slog.DiscardHandler)),
		client: &http.Client{
			Transport:     &http.Transport{MaxIdleConnsPerHost: deliverers, MaxConnsPerHost: 4 * deliverers, DisableCompression: true},
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
		slots:      make(chan struct{}, deliverers),
		userBy:     map[string]*User{},
		convBy:     map[string]*conversation{},
		chats:      map[string]*conversation{},
		files:      fileStore{keep: cmp.Or(o.KeepFileBytes, 64<<20), byID: map[string]*storedFile{}},
		dialogs:    map[string]*Dialog{},
		changes:    changeLog{keep: cmp.Or(o.KeepChanges, 1<<14)},
		lanes:      map[string]*lane{},
		failNext:   map[string][]Fault{},
		calls:      ring[Call]{keep: o.Record},
		deliveries: ring[Delivery]{keep: o.Record},
		pacing:     pacer{Pacing: o.Pacing},
	}
	t.stats.calls, t.stats.errors = map[string]int64{}, map[string]int64{}
	if t.now == nil {
		t.now = time.Now
	}
	if t.redeliver == nil {
		t.redeliver = []time.Duration{0, time.Second, 5 * time.Second, 15 * time.Second}
	}
	if err := t.login.init(); err != nil {
		return nil, fmt.Errorf("teamstest: %w", err)
	}
	t.ctx, t.cancel = context.WithCancel(context.Background()) // ends with Close
	if o.AppURL != "" {
		t.Connect(o.AppURL)
	}
	t.handler = t.routes()
	return t, nil
}

// Listen serves Teams' part on addr ("127.0.0.1:0" for any free port) until
// Close. Use it or mount Handler and call SetURL.
func (t *Tenant) Listen(addr string) error {
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return fmt.Errorf("teamstest: %w", err)
	}
	srv := &http.Server{
		Handler:           t.handler,
		ReadHeaderTimeout: 10 * time.Second,
		BaseContext:       func(net.Listener) context.Context { return t.ctx },
	}
	t.mu.Lock()
	if t.closed {
		t.mu.Unlock()
		l.Close()
		return errors.New("teamstest: the tenant is closed")
	}
	t.rebase("http://" + l.Addr().String())
	t.servers = append(t.servers, srv)
	t.running.Add(1)
	t.mu.Unlock()
	go func() {
		defer t.running.Done()
		if err := srv.Serve(l); err != nil && !errors.Is(err, http.ErrServerClosed) {
			t.log.Error("the double of Teams stopped serving", "err", err)
		}
	}()
	return nil
}

// URL is where Teams' part is served, without a slash at the end.
func (t *Tenant) URL() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.url
}

// ServiceURL is the Bot Connector's address, as activities have it: with a slash
// at the end, as Teams' own.
func (t *Tenant) ServiceURL() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.serviceURL()
}

func (t *Tenant) serviceURL() string { return t.url + "/emea/" }

// SetURL says where Handler is mounted.
func (t *Tenant) SetURL(url string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.rebase(strings.TrimRight(url, "/"))
}

// Handler serves Teams' part and nothing else: the connector under /emea/, what
// Microsoft's login and the Bot Framework serve under /login/ and
// /botframework/, Microsoft Graph under /graph/, and files.
func (t *Tenant) Handler() http.Handler { return t.handler }

// Connect says where the app listens: at base + "/api/messages". Until it is
// called nothing is sent, and invokes fail.
func (t *Tenant) Connect(base string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.endpoint = strings.TrimRight(base, "/") + "/api/messages"
}

// Close stops serving and delivering. Activities that wait are dropped. It
// returns when everything that it stopped has ended.
func (t *Tenant) Close() error {
	t.mu.Lock()
	t.closed = true
	servers := t.servers
	t.servers = nil
	t.mu.Unlock()
	t.cancel()
	var errs []error
	for _, s := range servers {
		errs = append(errs, s.Close())
	}
	t.running.Wait()
	t.client.CloseIdleConnections()
	return errors.Join(errs...)
}

// ID is the tenant's id.
func (t *Tenant) ID() string { return t.id }

// App is the app as New completed it.
func (t *Tenant) App() App { return t.app }

// BotID is the app's account: 28: and its id.
func (t *Tenant) BotID() string { return t.botID }

// Now is the tenant's clock.
func (t *Tenant) Now() time.Time { return t.now() }

// SetPacing changes which rate limits are kept, and forgets what has been used.
func (t *Tenant) SetPacing(p Pacing) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.pacing = pacer{Pacing: p}
}

// Stats are the counters.
func (t *Tenant) Stats() Stats {
	t.mu.Lock()
	defer t.mu.Unlock()
	s := Stats{
		Calls: map[string]int64{}, Errors: map[string]int64{}, Posted: t.stats.posted, Updated: t.stats.updated, Pending: t.pending,
		Delivered: t.stats.delivered.Load(), Redelivered: t.stats.redelivered.Load(), GaveUp: t.stats.gaveUp.Load(),
	}
	for k, v := range t.stats.calls {
		s.Calls[k] = v
	}
	for k, v := range t.stats.errors {
		s.Errors[k] = v
	}
	return s
}

// madeUp is an id like Entra's, the same in every run for the same words.
func madeUp(words ...string) string {
	h := sha256.Sum256([]byte(strings.Join(words, "\x00")))
	h[6], h[8] = h[6]&0x0f|0x40, h[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", h[:4], h[4:6], h[6:8], h[8:10], h[10:16])
}

// newID is another id of that kind. The caller holds t.mu.
func (t *Tenant) newID(of string) string {
	t.lastID++
	return madeUp(t.id, of, fmt.Sprint(t.lastID))
}

func mustJSON(v any) []byte {
	b, err := json.Marshal(v)
	if err != nil {
		panic("teamstest: " + err.Error()) // only values made here are given
	}
	return b
}
