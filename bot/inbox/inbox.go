// Package inbox takes what happens on the platforms into the record, once, and
// has it handled: in order within a conversation, in parallel across
// conversations and processes.
//
// [Inbox.Accept] returns when an event is on disk. From there on it is not
// lost: it is handled and removed in one transaction, and a process that dies
// in between leaves it as it was.
package inbox

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/deskhand/deskhand/bot/chat"
	"github.com/deskhand/deskhand/storage"
)

// Handler is what the desk does with an event.
type Handler interface {
	// Prepare does what needs the network before the transaction, and returns
	// the event with what it has found out. It may run several times, and also
	// for an event that another process then handles.
	Prepare(ctx context.Context, ev chat.Event) (chat.Event, error)

	// Handle does all that follows from one event in one transaction, which it
	// must not end. The Answer counts only if ev.InCall is set. It runs again,
	// on another transaction, when it or the commit has failed. If it finds that
	// it can't go on without the network, it returns a NeedError.
	Handle(ctx context.Context, tx *storage.Tx, ev chat.Event) (chat.Answer, error)

	// GiveUp tells the person, in the transaction that buries the event, that
	// it could not be handled.
	GiveUp(ctx context.Context, tx *storage.Tx, ev chat.Event, cause error) error
}

// Handling is what Handle does with an event that is known.
type Handling func(ctx context.Context, tx *storage.Tx) (chat.Answer, error)

// NeedError is what Handle returns when only in the middle of a transaction it
// shows that the network is needed: whether a message is a question, and what
// may be found for whoever asks, is not known before. Nothing that Handle has
// done stands; a transaction does not wait for a network.
type NeedError struct {
	// Fetch runs without a transaction, and returns what is to be done in
	// another in place of Handle, once. ctx ends when half of the time is over
	// that is left for the event: the other half is for that transaction.
	Fetch func(ctx context.Context) Handling
}

func (*NeedError) Error() string { return "the network is needed to go on" }

// EarlyError is what Handle returns for an event that has overtaken the one that
// it is about. It is tried again beside its conversation, so that what it waits
// for is not kept behind it, and dropped after chat.Overtaking: what has not come
// by then was lost on the platform, and it says nothing without it.
type EarlyError struct{}

func (*EarlyError) Error() string { return "what it is about has not come yet" }

// Options are what an Inbox is made of. DB and Handler are needed.
type Options struct {
	DB      *storage.DB
	Handler Handler

	Now     func() time.Time // default time.Now
	Log     *slog.Logger
	Metrics prometheus.Registerer // nil: none are kept

	// Workers is how many events are handled at a time; the default is half of
	// the database's connections. Eight times as many are prepared.
	Workers int

	// Hide takes out of an event, before it is stored, what must not be kept. It
	// may change a copy only. The default keeps everything.
	Hide func(chat.Event) chat.Event

	// OnHandled is told after each commit, in which messages may have been
	// queued. It must not block.
	OnHandled func()
}

const (
	// answerTime is how long a platform is kept waiting: Slack takes an answer
	// for lost after 3 seconds.
	answerTime = 2500 * time.Millisecond

	// handleTime bounds one attempt at an event, so that a call that hangs does
	// not hold up its conversation for ever.
	handleTime = 30 * time.Second

	// attempts is how often an event is tried; with the waits of putOff in
	// between these take about ten minutes.
	attempts = 8
)

// Inbox accepts events and has them handled. It is safe for use by many
// goroutines.
type Inbox struct {
	o       Options
	metrics *metrics
	batches batcher
	queue   queue
	wake    chan struct{}
	slots   chan struct{} // one for each transaction at a time
}

// New returns an Inbox, which accepts at once and handles while it is run.
func New(o Options) (*Inbox, error) {
	if o.DB == nil || o.Handler == nil {
		return nil, errors.New("inbox: need a database and a handler")
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.OnHandled == nil {
		o.OnHandled = func() {}
	}
	if o.Hide == nil {
		o.Hide = func(ev chat.Event) chat.Event { return ev }
	}
	o.Log = cmp.Or(o.Log, slog.Default())
	if o.Workers == 0 {
		o.Workers = max(2, int(o.DB.Pool().Config().MaxConns)/2)
	}
	m, err := newMetrics(o.Metrics)
	if err != nil {
		return nil, err
	}
	in := &Inbox{
		o:       o,
		metrics: m,
		wake:    make(chan struct{}, 1),
		slots:   make(chan struct{}, o.Workers),
	}
	in.batches.store = in.store
	in.queue.init()
	return in, nil
}

// Wake has the inbox look into the database now, rather than within a second.
func (in *Inbox) Wake() {
	select {
	case in.wake <- struct{}{}:
	default:
	}
}

type metrics struct {
	accepted *prometheus.CounterVec
	batch    prometheus.Histogram
	handled  *prometheus.CounterVec
	seconds  *prometheus.HistogramVec
	waiting  prometheus.Gauge
	oldest   prometheus.Gauge
	dead     prometheus.Gauge
}

func newMetrics(r prometheus.Registerer) (*metrics, error) {
	m := &metrics{
		accepted: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "deskhand_inbox_accepted_total", Help: "Events taken in, by whether they were new.",
		}, []string{"new"}),
		batch: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "deskhand_inbox_batch_events", Help: "Events stored in one commit.", Buckets: prometheus.ExponentialBuckets(1, 2, 10),
		}),
		handled: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "deskhand_inbox_handled_total", Help: "Attempts at events, by what came of them: done, answered, put_off, early, buried.",
		}, []string{"result"}),
		seconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "deskhand_inbox_seconds", Help: "Time from acceptance to the end of handling (all), and of the last attempt alone (attempt).",
			Buckets: prometheus.ExponentialBuckets(0.001, 2, 16),
		}, []string{"part"}),
		waiting: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "deskhand_inbox_waiting", Help: "Events accepted and not handled yet, by all processes together.",
		}),
		oldest: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "deskhand_inbox_oldest_seconds", Help: "Age of the oldest of them.",
		}),
		dead: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "deskhand_dead_letters", Help: storage.LettersHelp, ConstLabels: prometheus.Labels{"source": string(storage.FromInbox)},
		}),
	}
	if r == nil {
		return m, nil
	}
	for _, c := range []prometheus.Collector{m.accepted, m.batch, m.handled, m.seconds, m.waiting, m.oldest, m.dead} {
		if err := r.Register(c); err != nil {
			return nil, err
		}
	}
	return m, nil
}
