package ephemeral

import (
	"context"
	"sync"
)

// backlog is how many payloads wait for a slow subscriber.
const backlog = 64

// hub hands payloads to the subscribers of this process.
type hub struct {
	mu     sync.Mutex
	topics map[string]map[*subscriber]struct{}
	closed bool
}

// subscriber is guarded by the hub's mu.
type subscriber struct {
	ch    chan []byte
	gap   bool // a nil was sent,
	after int  // and this many payloads after it
}

func (h *hub) subscribe(ctx context.Context, topic string) <-chan []byte {
	// One place more than the backlog is for the nil that tells of a gap.
	s := &subscriber{ch: make(chan []byte, backlog+1)}
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed {
		close(s.ch)
		return s.ch
	}
	if h.topics == nil {
		h.topics = map[string]map[*subscriber]struct{}{}
	}
	if h.topics[topic] == nil {
		h.topics[topic] = map[*subscriber]struct{}{}
	}
	h.topics[topic][s] = struct{}{}
	context.AfterFunc(ctx, func() { h.unsubscribe(topic, s) })
	return s.ch
}

func (h *hub) unsubscribe(topic string, s *subscriber) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if _, ok := h.topics[topic][s]; !ok {
		return
	}
	delete(h.topics[topic], s)
	if len(h.topics[topic]) == 0 {
		delete(h.topics, topic)
	}
	close(s.ch)
}

func (h *hub) publish(topic string, payload []byte) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for s := range h.topics[topic] {
		s.send(payload)
	}
}

// send never waits. Only the hub sends, under its mu, so the queue can only
// shrink between the look and the send.
func (s *subscriber) send(payload []byte) {
	if payload != nil && len(s.ch) < backlog {
		s.ch <- payload
		s.after++
		return
	}
	if s.gap && len(s.ch) > s.after {
		return // the nil is still in the queue
	}
	s.gap, s.after = true, 0
	s.ch <- nil
}

// gap tells everybody that payloads may have been missed.
func (h *hub) gap() {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, subscribers := range h.topics {
		for s := range subscribers {
			s.send(nil)
		}
	}
}

func (h *hub) close() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.closed = true
	for _, subscribers := range h.topics {
		for s := range subscribers {
			close(s.ch)
		}
	}
	h.topics = nil
}
