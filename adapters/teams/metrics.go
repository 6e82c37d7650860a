package teams

import "github.com/prometheus/client_golang/prometheus"

// metrics count what comes in and measure what goes out.
type metrics struct {
	received *prometheus.CounterVec // by type or invoke
	ignored  prometheus.Counter
	refused  *prometheus.CounterVec // by reason
	answered *prometheus.HistogramVec
	calls    *prometheus.HistogramVec
	limited  *prometheus.CounterVec // by method
	keys     *prometheus.CounterVec // by result
}

func newMetrics(r prometheus.Registerer) (*metrics, error) {
	m := &metrics{
		received: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "deskhand_teams_received_total",
			Help: "Verified activities from Teams, by surface: message, invoke, update, other.",
		}, []string{"surface"}),
		ignored: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "deskhand_teams_ignored_total",
			Help: "Activities with nothing in them for the desk.",
		}),
		refused: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "deskhand_teams_refused_total",
			Help: "Requests not taken, by reason: unsigned, forged, expired, keys_away, mismatch, foreign, too_large, unreadable, malformed, unknown_invoke, not_stored.",
		}, []string{"reason"}),
		answered: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name:    "deskhand_teams_answer_seconds",
			Help:    "Time to answer an invoke, by its name.",
			Buckets: []float64{.01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10},
		}, []string{"invoke"}),
		calls: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name:    "deskhand_teams_call_seconds",
			Help:    "Calls of the Bot Connector, by method and result.",
			Buckets: []float64{.01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10},
		}, []string{"method", "result"}),
		limited: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "deskhand_teams_limited_total",
			Help: "Times that Teams has asked for fewer calls, by method.",
		}, []string{"method"}),
		keys: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "deskhand_teams_keys_total",
			Help: "Times that Microsoft's signing keys were fetched, by result.",
		}, []string{"result"}),
	}
	if r == nil {
		return m, nil
	}
	for _, c := range []prometheus.Collector{m.received, m.ignored, m.refused, m.answered, m.calls, m.limited, m.keys} {
		if err := r.Register(c); err != nil {
			return nil, err
		}
	}
	return m, nil
}
