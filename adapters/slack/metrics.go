package slack

import (
	"github.com/prometheus/client_golang/prometheus"
)

// metrics count what comes in and measure what goes out.
type metrics struct {
	received    *prometheus.CounterVec // by surface
	redelivered prometheus.Counter
	ignored     prometheus.Counter
	refused     *prometheus.CounterVec // by reason
	calls       *prometheus.HistogramVec
	limited     *prometheus.CounterVec // by method
}

func newMetrics(r prometheus.Registerer) (*metrics, error) {
	m := &metrics{
		received: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "deskhand_slack_received_total",
			Help: "Signed requests from Slack, by surface.",
		}, []string{"surface"}),
		redelivered: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "deskhand_slack_redelivered_total",
			Help: "Events that Slack has sent again.",
		}),
		ignored: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "deskhand_slack_ignored_total",
			Help: "Requests with nothing in them for the desk, such as its own messages.",
		}),
		refused: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "deskhand_slack_refused_total",
			Help: "Requests not taken, by reason: unsigned, stale, forged, too_large, unreadable, malformed, foreign, not_connected, not_stored.",
		}, []string{"reason"}),
		calls: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name:    "deskhand_slack_call_seconds",
			Help:    "Calls of Slack's API, by method and result.",
			Buckets: []float64{.01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10},
		}, []string{"method", "result"}),
		limited: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "deskhand_slack_limited_total",
			Help: "Times that Slack has asked for fewer calls, by method; method events: it held events back.",
		}, []string{"method"}),
	}
	if r == nil {
		return m, nil
	}
	for _, c := range []prometheus.Collector{m.received, m.redelivered, m.ignored, m.refused, m.calls, m.limited} {
		if err := r.Register(c); err != nil {
			return nil, err
		}
	}
	return m, nil
}
