package slacktest

import (
	"cmp"
	"time"
)

// defaultBurst is how many messages may be ahead of one a second (unpublished).
const defaultBurst = 4

// pacer keeps Slack's rate limits as buckets that fill with time; see
// docs.slack.dev/apis/web-api/rate-limits. The workspace's lock guards it.
type pacer struct {
	Pacing
	buckets map[string]*bucket
	swept   sweep
}

type bucket struct {
	left float64
	at   time.Time
}

// take uses up one call, or says how long to wait before the next.
func (p *pacer) take(method string, perMinute int, channel string, now time.Time) time.Duration {
	if p.Tiers {
		if wait := p.from(method, float64(perMinute), float64(perMinute)/60, now); wait > 0 {
			return wait
		}
	}
	if p.PerChannel > 0 && method == "chat.postMessage" && channel != "" {
		return p.from("channel "+channel, float64(cmp.Or(p.Burst, defaultBurst)), p.PerChannel, now)
	}
	return 0
}

func (p *pacer) from(name string, room, perSecond float64, now time.Time) time.Duration {
	b := p.buckets[name]
	if b == nil {
		if p.buckets == nil {
			p.buckets = map[string]*bucket{}
		}
		if p.swept.due(len(p.buckets)) {
			p.tidy(now)
		}
		b = &bucket{left: room, at: now}
		p.buckets[name] = b
	}
	b.left = min(room, b.left+perSecond*max(0, now.Sub(b.at).Seconds()))
	b.at = now
	if b.left < 1 {
		return max(1, time.Duration((1-b.left)/perSecond*float64(time.Second))) // 0 would let it through
	}
	b.left--
	return 0
}

// tidy forgets buckets that have not been used for so long that they are full.
func (p *pacer) tidy(now time.Time) {
	for name, b := range p.buckets {
		if now.Sub(b.at) > 2*time.Minute {
			delete(p.buckets, name)
		}
	}
	p.swept.done(len(p.buckets))
}
