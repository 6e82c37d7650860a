package teamstest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"
)

const (
	// deliverers is how many deliveries are under way at most.
	deliverers = 256
	maxPending = 30_000
	// maxAnswer is more than any answer of an app may be long.
	maxAnswer = 1 << 20
)

// A lane holds the activities of one conversation that wait for the one before.
type lane struct{ waiting []*outgoing }

// An outgoing activity, on its way until it is answered or given up.
type outgoing struct {
	id, typ, name, channel string
	body                   []byte
}

func outgoingOf(c *conversation, a map[string]any) *outgoing {
	return &outgoing{id: text(a, "id"), typ: text(a, "type"), name: text(a, "name"), channel: c.ID, body: raw(a)}
}

// OnDelivery is asked before each delivery to the app what goes wrong with it.
// Nil takes it away. It must not call the tenant.
func (t *Tenant) OnDelivery(f func(Delivery) DeliveryFault) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.onDelivery = f
}

// Deliveries are the last deliveries, oldest first, if Options.Record is set.
func (t *Tenant) Deliveries() []Delivery { return t.deliveries.all() }

// send puts an activity on its way, if the app listens. alone sends it beside
// the others of its conversation. The caller holds t.mu.
func (t *Tenant) send(c *conversation, a map[string]any, alone bool) {
	if t.endpoint == "" || t.closed {
		return
	}
	if t.pending >= maxPending {
		t.stats.gaveUp.Add(1)
		return
	}
	o := outgoingOf(c, a)
	t.pending++
	if alone || t.unordered {
		t.spawn(func() { t.deliver(o) })
		return
	}
	l := t.lanes[c.ID]
	if l == nil {
		l = &lane{}
		t.lanes[c.ID] = l
		t.spawn(func() { t.runLane(c.ID, l) })
	}
	l.waiting = append(l.waiting, o)
}

// spawn runs f until Close waits for it. The caller holds t.mu, and the tenant is
// open.
func (t *Tenant) spawn(f func()) {
	t.running.Add(1)
	go func() {
		defer t.running.Done()
		f()
	}()
}

// runLane delivers a conversation's activities one after the other and ends when
// there are none. Further attempts do not hold the next one up.
func (t *Tenant) runLane(channel string, l *lane) {
	for {
		t.mu.Lock()
		if len(l.waiting) == 0 || t.ctx.Err() != nil {
			delete(t.lanes, channel)
			t.mu.Unlock()
			return
		}
		o := l.waiting[0]
		l.waiting = l.waiting[1:]
		t.mu.Unlock()
		t.deliver(o)
	}
}

// deliver makes the first attempt, and leaves the others to themselves.
func (t *Tenant) deliver(o *outgoing) {
	fault := t.deliveryFault(o, 1)
	if fault.Delay > 0 { // others overtake it
		t.running.Go(func() {
			select {
			case <-time.After(fault.Delay):
				t.firstAttempt(o, fault)
			case <-t.ctx.Done():
			}
		})
		return
	}
	if !t.attempt(o, 1, fault) {
		t.done(true)
		return
	}
	t.running.Go(func() { t.retry(o) })
}

func (t *Tenant) firstAttempt(o *outgoing, fault DeliveryFault) {
	if t.attempt(o, 1, fault) {
		t.retry(o)
		return
	}
	t.done(true)
}

func (t *Tenant) retry(o *outgoing) {
	for n, wait := range t.redeliver {
		select {
		case <-after(wait):
		case <-t.ctx.Done():
			return
		}
		fault := t.deliveryFault(o, n+2)
		select {
		case <-after(fault.Delay):
		case <-t.ctx.Done():
			return
		}
		t.stats.redelivered.Add(1)
		if !t.attempt(o, n+2, fault) {
			t.done(true)
			return
		}
	}
	t.log.Warn("an activity was never answered with 2xx", "id", o.id, "type", o.typ)
	t.done(false)
}

func (t *Tenant) done(answered bool) {
	if !answered {
		t.stats.gaveUp.Add(1)
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.settle()
}

// attempt delivers once, and the copies that the fault wants. It says
// whether to try again: an app that refuses (4xx) is not asked again.
func (t *Tenant) attempt(o *outgoing, n int, fault DeliveryFault) (again bool) {
	t.copies(o, n, fault, t.answerWithin)
	a := t.deliverOnce(o, n, fault.Token, t.answerWithin)
	if fault.Lost {
		return true
	}
	return a.reason != "" && (a.status < 400 || a.status > 499 || a.status == http.StatusTooManyRequests || a.status == http.StatusRequestTimeout)
}

// copies delivers as often more as the fault says, at the same time.
func (t *Tenant) copies(o *outgoing, n int, fault DeliveryFault, within time.Duration) {
	for range fault.Copies {
		t.mu.Lock()
		t.pending++
		t.mu.Unlock()
		t.running.Go(func() {
			defer func() {
				t.mu.Lock()
				defer t.mu.Unlock()
				t.settle()
			}()
			t.deliverOnce(o, n, fault.Token, within)
		})
	}
}

// An answer is what came back from the app.
type answer struct {
	status int
	body   []byte
	reason string // why it does not count: timeout, connection_failed, http_error
}

func (t *Tenant) deliverOnce(o *outgoing, n int, token string, within time.Duration) answer {
	d := Delivery{Type: o.typ, Name: o.name, ID: o.id, Channel: o.channel, Attempt: n, At: t.now(), Body: o.body}
	select {
	case t.slots <- struct{}{}:
		defer func() { <-t.slots }()
	case <-t.ctx.Done():
		return answer{reason: "connection_failed"}
	}
	start := time.Now()
	a := t.request(o.body, token, within)
	d.Took, d.Status, d.Err, d.Answer = time.Since(start), a.status, a.reason, a.body
	if d.Err == "" {
		t.stats.delivered.Add(1)
	}
	t.deliveries.add(d)
	d.Body, d.Answer = nil, nil
	t.mu.Lock()
	defer t.mu.Unlock()
	t.changed(Change{Kind: Delivered, Channel: d.Channel, Delivery: &d})
	return a
}

func (t *Tenant) deliveryFault(o *outgoing, n int) DeliveryFault {
	t.mu.Lock()
	f := t.onDelivery
	t.mu.Unlock()
	if f == nil {
		return DeliveryFault{}
	}
	return f(Delivery{Type: o.typ, Name: o.name, ID: o.id, Channel: o.channel, Attempt: n, At: t.now(), Body: o.body})
}

// request posts an activity to the app and waits as long as Teams does.
func (t *Tenant) request(body []byte, token string, within time.Duration) answer {
	t.mu.Lock()
	url := t.endpoint
	t.mu.Unlock()
	if url == "" {
		return answer{reason: "connection_failed"}
	}
	ctx, cancel := context.WithTimeout(t.ctx, within)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		return answer{reason: "connection_failed"}
	}
	if token == "" {
		token = t.Token()
	}
	req.Header.Set("Authorization", "Bearer "+token)
	req.Header.Set("Content-Type", "application/json; charset=utf-8")
	req.Header.Set("User-Agent", "Microsoft-SkypeBotApi (Microsoft-BotFramework/3.0)")
	resp, err := t.client.Do(req)
	if err != nil {
		return answer{reason: reasonOf(ctx, err)}
	}
	defer resp.Body.Close()
	a := answer{status: resp.StatusCode}
	if a.body, err = io.ReadAll(io.LimitReader(resp.Body, maxAnswer)); err != nil {
		a.reason = reasonOf(ctx, err)
	} else if a.status < 200 || a.status > 299 {
		a.reason = "http_error"
	}
	return a
}

// Probe asks as Microsoft's clients do before they send anything: with HEAD, which
// an app answers with 200 or 405 (as recorded).
func (t *Tenant) Probe(ctx context.Context) error {
	t.mu.Lock()
	url := t.endpoint
	t.mu.Unlock()
	req, err := http.NewRequestWithContext(ctx, http.MethodHead, url, nil)
	if err != nil {
		return fmt.Errorf("teamstest: probe: %w", err)
	}
	resp, err := t.client.Do(req)
	if err != nil {
		return fmt.Errorf("teamstest: probe: %w", err)
	}
	resp.Body.Close()
	if resp.StatusCode != http.StatusOK && resp.StatusCode != http.StatusMethodNotAllowed {
		return fmt.Errorf("teamstest: probe: HEAD is answered with %d", resp.StatusCode)
	}
	return nil
}

func reasonOf(ctx context.Context, err error) string {
	var timeout net.Error
	if ctx.Err() != nil || errors.As(err, &timeout) && timeout.Timeout() {
		return "timeout"
	}
	return "connection_failed"
}

// invoke asks the app and waits for its answer. The caller does not hold t.mu.
func (t *Tenant) invoke(c *conversation, a map[string]any) answer {
	o := outgoingOf(c, a)
	t.mu.Lock()
	t.pending++
	t.mu.Unlock()
	defer func() {
		t.mu.Lock()
		defer t.mu.Unlock()
		t.settle()
	}()
	fault := t.deliveryFault(o, 1)
	select {
	case <-after(fault.Delay):
	case <-t.ctx.Done():
		return answer{reason: "connection_failed"}
	}
	t.copies(o, 1, fault, t.invokeWithin)
	got := t.deliverOnce(o, 1, fault.Token, t.invokeWithin)
	if fault.Lost {
		return answer{reason: "timeout"}
	}
	return got
}
