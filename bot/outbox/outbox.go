// Package outbox delivers what the desk has queued: in order within a
// conversation, the most urgent lane first, at the pace that the platform
// allows, each message once.
//
// A post is claimed for a short time, marked as unsure, drawn from the record
// as it then is, sent, and its place on the platform recorded. A process that
// dies in between leaves a post that somebody else claims when the time is
// over, and looks for on the platform before sending it again.
package outbox

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/deskhand/deskhand/bot/chat"
	"github.com/deskhand/deskhand/storage"
)

// Platform is a chat platform to deliver to. Errors are as package chat has
// them; any other is passing.
type Platform interface {
	// Send delivers a post that has not been delivered. Only a Message has a
	// Ref.
	Send(ctx context.Context, p chat.Post) (chat.Ref, error)
	// Update replaces a Message.
	Update(ctx context.Context, at chat.Ref, p chat.Post) error
	// Find looks for a Message that may have been sent, by its ID.
	Find(ctx context.Context, p chat.Post) (chat.Ref, bool, error)
	// Budgets are the limits that a post is subject to.
	Budgets(p chat.Post, update bool) []chat.Budget
}

// Drawer makes what a platform is sent.
type Drawer interface {
	// Drawing reads what posts that are drawn together have in common, on a
	// transaction that sees one moment of the record, and returns what makes one
	// of them, as it is at that moment. ErrNotFound from that: there is nothing to
	// show any more, and the post is dropped.
	Drawing(ctx context.Context, tx *storage.Tx, all []storage.Draft) (func(context.Context, storage.Draft) (chat.Post, error), error)
}

// Pace shares the platforms' limits among all processes; ephemeral.Store does.
type Pace interface {
	// Take reserves n calls under a limit of rate a second with bursts of burst,
	// and returns how long to wait before making them.
	Take(ctx context.Context, budget string, rate float64, burst, n int) (time.Duration, error)
	// Block has nobody take anything until then.
	Block(ctx context.Context, budget string, until time.Time)
}

// Options are what an Outbox is made of. DB, Platforms and Drawer are needed.
type Options struct {
	DB        *storage.DB
	Platforms map[string]Platform // by their names in the record
	Drawer    Drawer
	Pace      Pace // nil: only the platform's own refusals set the pace

	Now     func() time.Time // default time.Now
	Log     *slog.Logger
	Metrics prometheus.Registerer // nil: none are kept

	// Workers is how many calls are made to one platform at a time; the
	// default is 64.
	Workers int
}

const (
	// lease is longer than any claimed post stays in memory: waiting for its
	// budget, then for the platform, then for the record.
	lease    = 30 * time.Second
	callTime = 12 * time.Second
	parkTime = 15 * time.Second

	// maxHeld is how many posts a process claims at a time.
	maxHeld = 512

	soonest    = 10 * time.Millisecond // between two looks
	lookOften  = 100 * time.Millisecond
	lookSeldom = time.Second
	countEvery = 10 * time.Second

	// giveUp is how long delivery is tried: an outage over a long weekend, less
	// a little.
	giveUp = 72 * time.Hour
	// pointless is the age at which a whisper or a reaction is of no use.
	pointless = 15 * time.Minute

	firstRetry = time.Second
	lastRetry  = 10 * time.Minute
)

// Outbox delivers while it is run.
type Outbox struct {
	o       Options
	metrics *metrics
	wake    chan struct{}
	calls   map[string]chan struct{} // for each platform one for each call at a time
	pace    pacer
	results recorder
	held    held
	rounds  sync.WaitGroup // everything that is on its way
}

// New returns an Outbox.
func New(o Options) (*Outbox, error) {
	if o.DB == nil || o.Drawer == nil || len(o.Platforms) == 0 {
		return nil, errors.New("outbox: need a database, a drawer and at least one platform")
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Workers == 0 {
		o.Workers = 64
	}
	o.Log = cmp.Or(o.Log, slog.Default())
	m, err := newMetrics(o.Metrics)
	if err != nil {
		return nil, err
	}
	out := &Outbox{
		o:       o,
		metrics: m,
		wake:    make(chan struct{}, 1),
		calls:   map[string]chan struct{}{},
		pace:    pacer{buckets: map[string]*bucket{}},
		results: recorder{some: make(chan struct{}, 1)},
	}
	for name := range o.Platforms {
		out.calls[name] = make(chan struct{}, o.Workers)
	}
	return out, nil
}

// Wake says that something may have been queued.
func (out *Outbox) Wake() {
	select {
	case out.wake <- struct{}{}:
	default:
	}
}

type metrics struct {
	delivered *prometheus.CounterVec
	seconds   *prometheus.HistogramVec
	failures  *prometheus.CounterVec
	waiting   prometheus.Gauge
	oldest    prometheus.Gauge
	dead      prometheus.Gauge
	alerts    prometheus.Histogram
}

func newMetrics(r prometheus.Registerer) (*metrics, error) {
	m := &metrics{
		delivered: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "deskhand_outbox_delivered_total", Help: "Posts and changes of posts that a platform has taken.",
		}, []string{"lane"}),
		seconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "deskhand_outbox_seconds", Help: "Time from queueing to the platform's acceptance.",
			Buckets: prometheus.ExponentialBuckets(0.002, 2, 18),
		}, []string{"lane"}),
		failures: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "deskhand_outbox_failures_total", Help: "Attempts that failed: limited, unsure, error; and for good: refused, gone, late.",
		}, []string{"reason"}),
		waiting: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "deskhand_outbox_waiting", Help: "Posts queued and not delivered yet, by all processes together.",
		}),
		oldest: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "deskhand_outbox_oldest_seconds", Help: "Age of the oldest of them.",
		}),
		dead: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "deskhand_dead_letters", Help: storage.LettersHelp, ConstLabels: prometheus.Labels{"source": string(storage.FromOutbox)},
		}),
		alerts: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "deskhand_alert_seconds", Help: "Time from the instant at which an alert was due to the platform's acceptance.",
			Buckets: prometheus.ExponentialBuckets(0.005, 2, 20),
		}),
	}
	if r == nil {
		return m, nil
	}
	for _, c := range []prometheus.Collector{m.delivered, m.seconds, m.failures, m.waiting, m.oldest, m.dead, m.alerts} {
		if err := r.Register(c); err != nil {
			return nil, fmt.Errorf("outbox: %w", err)
		}
	}
	return m, nil
}
