package slacktest

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"sync/atomic"
	"time"
)

const (
	// deliverers is how many deliveries are under way at most; Slack has no such
	// bound, a process has.
	deliverers = 256
	// maxPending bounds the events that wait. Slack drops events above 30,000 an
	// hour; see docs.slack.dev/apis/events-api#rate-limiting.
	maxPending = 30_000
	// maxAnswer is more than any answer of an app may be long.
	maxAnswer = 1 << 20
)

var errTooManyRedirects = errors.New("too_many_redirects")

// A lane holds the events of one conversation that wait for the one before.
type lane struct{ waiting []*outgoing }

// An outgoing event, on its way until it is answered or given up.
type outgoing struct {
	id, typ, channel string
	body             []byte
}

// counters for Stats. The maps are under the workspace's lock.
type counters struct {
	calls, errors                  map[string]int64
	posted                         int64
	delivered, redelivered, gaveUp atomic.Int64
	busy                           atomic.Int64 // calls of the Web API being carried out
}

// Stats are the counters.
func (w *Workspace) Stats() Stats {
	w.mu.Lock()
	defer w.mu.Unlock()
	s := Stats{
		Calls: map[string]int64{}, Errors: map[string]int64{}, Posted: w.stats.posted, Pending: w.pending,
		Delivered: w.stats.delivered.Load(), Redelivered: w.stats.redelivered.Load(), GaveUp: w.stats.gaveUp.Load(),
	}
	for k, v := range w.stats.calls {
		s.Calls[k] = v
	}
	for k, v := range w.stats.errors {
		s.Errors[k] = v
	}
	return s
}

// OnDelivery is asked before each delivery to the app what goes wrong with it.
// Nil takes it away. It must not call the workspace.
func (w *Workspace) OnDelivery(f func(Delivery) DeliveryFault) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.onDelivery = f
}

// Deliveries are the last deliveries, oldest first, if Options.Record is set.
func (w *Workspace) Deliveries() []Delivery { return w.deliveries.all() }

// send puts an event on its way. The caller holds w.mu.
func (w *Workspace) send(channel, typ string, inner json.RawMessage) {
	if w.pending >= maxPending {
		w.stats.gaveUp.Add(1)
		return
	}
	w.lastEvent++
	o := &outgoing{id: fmt.Sprintf("Ev%09d", w.lastEvent), typ: typ, channel: channel}
	o.body = w.envelope(o.id, inner)
	w.pending++
	if w.unordered {
		w.spawn(func() { w.deliver(o) })
		return
	}
	l := w.lanes[channel]
	if l == nil {
		l = &lane{}
		w.lanes[channel] = l
		w.spawn(func() { w.runLane(channel, l) })
	}
	l.waiting = append(l.waiting, o)
}

// spawn runs f until Close waits for it. The caller holds w.mu, and the workspace
// is open.
func (w *Workspace) spawn(f func()) {
	w.running.Add(1)
	go func() {
		defer w.running.Done()
		f()
	}()
}

// runLane delivers a conversation's events one after the other and ends when there
// are none. Redeliveries do not hold the next one up.
func (w *Workspace) runLane(channel string, l *lane) {
	for {
		w.mu.Lock()
		if len(l.waiting) == 0 || w.ctx.Err() != nil {
			delete(w.lanes, channel)
			w.mu.Unlock()
			return
		}
		o := l.waiting[0]
		l.waiting = l.waiting[1:]
		w.mu.Unlock()
		w.deliver(o)
	}
}

// deliver makes the first attempt, and leaves the others to themselves.
func (w *Workspace) deliver(o *outgoing) {
	fault := w.deliveryFault(Delivery{
		Surface: "events", Type: o.typ, EventID: o.id, Channel: o.channel, Attempt: 1, At: w.now(), Body: o.body,
	})
	if fault.Delay > 0 { // others overtake it
		w.running.Go(func() { w.attempts(o, fault) })
		return
	}
	again, reason := w.attempt(o, 1, "", fault)
	if !again {
		w.done(reason == "")
		return
	}
	w.running.Go(func() { w.retry(o, reason) })
}

func (w *Workspace) attempts(o *outgoing, fault DeliveryFault) {
	select {
	case <-after(fault.Delay):
	case <-w.ctx.Done():
		return
	}
	again, reason := w.attempt(o, 1, "", fault)
	if again {
		w.retry(o, reason)
		return
	}
	w.done(reason == "")
}

// retry redelivers as docs.slack.dev/apis/events-api#retries says: three times,
// with the number and the reason in headers.
func (w *Workspace) retry(o *outgoing, reason string) {
	for n, wait := range w.redeliver {
		select {
		case <-after(wait):
		case <-w.ctx.Done():
			return
		}
		fault := w.deliveryFault(Delivery{
			Surface: "events", Type: o.typ, EventID: o.id, Channel: o.channel, Attempt: n + 2, Reason: reason, At: w.now(), Body: o.body,
		})
		select {
		case <-after(fault.Delay):
		case <-w.ctx.Done():
			return
		}
		w.stats.redelivered.Add(1)
		var again bool
		again, reason = w.attempt(o, n+2, reason, fault)
		if !again {
			w.done(reason == "")
			return
		}
	}
	w.log.Warn("an event was never answered with 2xx", "event", o.id, "type", o.typ, "reason", reason)
	w.done(false)
}

func (w *Workspace) done(answered bool) {
	if !answered {
		w.stats.gaveUp.Add(1)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.settle()
}

// attempt delivers once, and as many copies more as the fault says. It says
// whether to try again, and why.
func (w *Workspace) attempt(o *outgoing, n int, why string, fault DeliveryFault) (again bool, reason string) {
	for range fault.Copies {
		w.running.Go(func() { w.deliverOnce(o, n, why) })
	}
	a := w.deliverOnce(o, n, why)
	if fault.Lost && a.reason == "" {
		a.reason = "http_timeout"
	}
	return a.reason != "" && !a.noRetry, a.reason
}

// An answer is what came back from the app.
type answer struct {
	status  int
	header  http.Header
	body    []byte
	reason  string // why it does not count: http_timeout, connection_failed, http_error …
	noRetry bool
}

func (w *Workspace) deliverOnce(o *outgoing, n int, why string) answer {
	d := Delivery{
		Surface: "events", Type: o.typ, EventID: o.id, Channel: o.channel, Attempt: n, Reason: why, At: w.now(), Body: o.body,
	}
	select {
	case w.slots <- struct{}{}:
		defer func() { <-w.slots }()
	case <-w.ctx.Done():
		return answer{reason: "connection_failed"}
	}
	var a answer
	start := time.Now()
	if w.socketMode {
		a = w.sockets.send(w.ctx, w.answerWithin, "events_api", o.body, n-1, why)
	} else {
		h := http.Header{"Content-Type": {"application/json"}}
		if n > 1 {
			h.Set("X-Slack-Retry-Num", strconv.Itoa(n-1))
			h.Set("X-Slack-Retry-Reason", why)
		}
		w.mu.Lock()
		url := w.endpoints.Events
		w.mu.Unlock()
		a = w.request(url, h, o.body)
	}
	d.Took, d.Status, d.Err = time.Since(start), a.status, a.reason
	w.note(d)
	return a
}

// note keeps a delivery that has been answered, and tells the change stream.
func (w *Workspace) note(d Delivery) {
	if d.Err == "" {
		w.stats.delivered.Add(1)
	}
	w.deliveries.add(d)
	d.Body = nil
	w.mu.Lock()
	defer w.mu.Unlock()
	w.changed(Change{Kind: Delivered, Channel: d.Channel, Delivery: &d})
}

func (w *Workspace) deliveryFault(d Delivery) DeliveryFault {
	w.mu.Lock()
	f := w.onDelivery
	w.mu.Unlock()
	if f == nil {
		return DeliveryFault{}
	}
	return f(d)
}

// Sign signs a request as Slack does; see
// docs.slack.dev/authentication/verifying-requests-from-slack.
func Sign(h http.Header, secret string, at time.Time, body []byte) {
	ts := strconv.FormatInt(at.Unix(), 10)
	mac := hmac.New(sha256.New, []byte(secret))
	fmt.Fprintf(mac, "v0:%s:", ts)
	mac.Write(body)
	h.Set("X-Slack-Request-Timestamp", ts)
	h.Set("X-Slack-Signature", "v0="+hex.EncodeToString(mac.Sum(nil)))
}

// request posts a signed body to the app and waits as long as Slack does.
func (w *Workspace) request(url string, h http.Header, body []byte) answer {
	if url == "" {
		return answer{reason: "connection_failed"}
	}
	ctx, cancel := context.WithTimeout(w.ctx, w.answerWithin)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		return answer{reason: "connection_failed"}
	}
	req.Header = h
	h.Set("User-Agent", "Slackbot 1.0 (+https://api.slack.com/robots)")
	h.Set("Accept", "application/json,*/*")
	Sign(h, w.app.SigningSecret, w.now(), body)
	resp, err := w.client.Do(req)
	if err != nil {
		return answer{reason: reasonOf(ctx, err)}
	}
	defer resp.Body.Close()
	a := answer{status: resp.StatusCode, header: resp.Header, noRetry: resp.Header.Get("X-Slack-No-Retry") == "1"}
	if a.body, err = io.ReadAll(io.LimitReader(resp.Body, maxAnswer)); err != nil {
		a.reason = reasonOf(ctx, err)
	} else if a.status < 200 || a.status > 299 {
		a.reason = "http_error"
	}
	return a
}

func reasonOf(ctx context.Context, err error) string {
	var timeout net.Error
	switch {
	case errors.Is(err, errTooManyRedirects):
		return "too_many_redirects"
	case ctx.Err() != nil || errors.As(err, &timeout) && timeout.Timeout():
		return "http_timeout"
	default:
		return "connection_failed"
	}
}

// VerifyURL sends the url_verification challenge to the events URL, as Slack
// does when it is entered on the app's configuration page; see
// docs.slack.dev/reference/events/url_verification.
func (w *Workspace) VerifyURL(ctx context.Context) error {
	w.mu.Lock()
	challenge := w.newID("challenge")
	url := w.endpoints.Events
	w.mu.Unlock()
	if ctx.Err() != nil {
		return ctx.Err()
	}
	body := mustJSON(map[string]string{"token": "verification-token-of-" + w.app.ID, "challenge": challenge, "type": "url_verification"})
	a := w.request(url, http.Header{"Content-Type": {"application/json"}}, body)
	if a.reason != "" {
		return fmt.Errorf("slacktest: the events URL did not take the challenge: %s (%d)", a.reason, a.status)
	}
	var echo struct{ Challenge string }
	if json.Unmarshal(a.body, &echo) != nil {
		echo.Challenge = string(bytes.TrimSpace(a.body)) // plain text is taken too
	}
	if echo.Challenge != challenge {
		return fmt.Errorf("slacktest: the events URL answered %.100q and not the challenge", a.body)
	}
	return nil
}
