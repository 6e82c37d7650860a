package teamstest

import (
	"cmp"
	"time"
)

// windows are the documented ones: how many operations of a kind fit into how
// long, per conversation.
var windows = []struct {
	length     time.Duration
	send, read int
}{
	{time.Second, 7, 14},
	{2 * time.Second, 8, 16},
	{30 * time.Second, 60, 120},
	{time.Hour, 1800, 3600},
}

// pacer keeps Teams' rate limits. The tenant's lock guards it.
type pacer struct {
	Pacing
	took map[string][]time.Time // by what is limited, the oldest first
	next int                    // when to look for what is no longer needed
}

// take uses up one call, or says how long to wait before the next.
func (p *pacer) take(op, conversation string, now time.Time) time.Duration {
	switch op {
	case opChannelMessages, opReplies, opChatMessages:
		return p.takeGraph(conversation, now)
	}
	if p.PerSecond > 0 {
		if wait := p.full("", now, time.Second, p.PerSecond); wait > 0 {
			return wait
		}
	}
	send := false
	switch op {
	case "send", "reply", "update", "delete", "create":
		send = true
	case "members", "member", "pagedMembers", "team", "teamChannels":
	default:
		conversation = ""
	}
	key := ""
	if p.Windows && conversation != "" {
		key = "read " + conversation
		if send {
			key = "send " + conversation
		}
		for _, w := range windows {
			room := w.read
			if send {
				room = w.send
			}
			room = max(1, int(float64(room)*cmp.Or(p.Times, 1)))
			if wait := p.full(key, now, w.length, room); wait > 0 {
				return wait
			}
		}
	}
	p.note(key, now)
	if key != "" {
		p.note("", now)
	}
	return 0
}

// takeGraph is take for Graph, which has limits of its own: 4 a second for each
// team, channel or chat, and 20 for reading messages in the tenant; page "Microsoft
// Graph service-specific throttling limits".
func (p *pacer) takeGraph(conversation string, now time.Time) time.Duration {
	const all = "graph"
	one := all + " " + conversation
	if p.Windows {
		if wait := max(p.full(one, now, time.Second, 4), p.full(all, now, time.Second, 20)); wait > 0 {
			return wait
		}
	}
	p.note(one, now)
	p.note(all, now)
	return 0
}

// full says how long until the window has room.
func (p *pacer) full(key string, now time.Time, length time.Duration, room int) time.Duration {
	took := p.took[key]
	if len(took) < room {
		return 0
	}
	return max(0, took[len(took)-room].Add(length).Sub(now))
}

func (p *pacer) note(key string, now time.Time) {
	if p.took == nil {
		p.took = map[string][]time.Time{}
	}
	took := append(p.took[key], now)
	if len(took) > 8192 {
		took = append(took[:0:0], took[len(took)-4096:]...)
	}
	p.took[key] = took
	if len(p.took) > max(1024, p.next) {
		for k, took := range p.took {
			if now.Sub(took[len(took)-1]) > time.Hour {
				delete(p.took, k)
			}
		}
		p.next = 2 * len(p.took)
	}
}
