package slack

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"net/url"
	"sync"
	"time"

	"github.com/deskhand/deskhand/bot/chat"
)

// maxBody is far above what Slack sends: a message of 40,000 characters with
// its blocks is about 300 KB.
const maxBody = 1 << 20

// patience is how long an answer within a call may take, of the 3 s after which
// Slack gives up; the rest is for the way.
const patience = 2500 * time.Millisecond

// Handler serves /slack/events, /slack/commands and /slack/interactivity.
//
// It answers 200 to whatever Slack should not send again, including what is of
// no interest; 4xx to what is not Slack's or can't be read; 503 where the Desk
// can't store it, which Slack takes as "try again" for events.
func (a *Adapter) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /slack/events", a.serveEvents)
	mux.HandleFunc("POST /slack/commands", a.serveCommands)
	mux.HandleFunc("POST /slack/interactivity", a.serveInteractions)
	return mux
}

func (a *Adapter) serveEvents(w http.ResponseWriter, r *http.Request) {
	body, _, ok := a.read(w, r)
	if !ok {
		return
	}
	defer body.free()
	a.metrics.received.WithLabelValues("events").Inc()
	if r.Header.Get("X-Slack-Retry-Num") != "" {
		a.metrics.redelivered.Inc()
	}
	env, err := decodeEnvelope(body.Bytes())
	if err == nil && env.Type == "url_verification" {
		// Slack checks the address before the app is installed, so before Connect.
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		w.Header().Set("X-Content-Type-Options", "nosniff")
		_, _ = w.Write([]byte(env.Challenge)) // nobody is left to tell
		return
	}
	me := a.self.Load()
	if err == nil && me != nil {
		err = a.takeEvent(r.Context(), env, *me)
	}
	a.respond(w, me, nil, err)
}

// takeEvent has the Desk store an event of the Events API.
func (a *Adapter) takeEvent(ctx context.Context, env envelope, me identity) error {
	if env.Type == "app_rate_limited" {
		a.metrics.limited.WithLabelValues("events").Inc()
		a.log.LogAttrs(ctx, slog.LevelWarn, "Slack holds events back: more than 30,000 in an hour")
		return nil
	}
	e, err := env.event(me)
	if err != nil {
		return err
	}
	return a.accept(ctx, e)
}

func (a *Adapter) serveCommands(w http.ResponseWriter, r *http.Request) {
	a.serveCall(w, r, "commands", func(form url.Values, me identity, at time.Time) (inbound, error) {
		return decodeCommand(form, me, at)
	})
}

func (a *Adapter) serveInteractions(w http.ResponseWriter, r *http.Request) {
	a.serveCall(w, r, "interactivity", func(form url.Values, me identity, at time.Time) (inbound, error) {
		return decodeInteraction([]byte(form.Get("payload")), me, at)
	})
}

func (a *Adapter) serveCall(w http.ResponseWriter, r *http.Request, surface string, decode func(url.Values, identity, time.Time) (inbound, error)) {
	body, at, ok := a.read(w, r)
	if !ok {
		return
	}
	form, err := url.ParseQuery(body.String())
	body.free()
	a.metrics.received.WithLabelValues(surface).Inc()
	me := a.self.Load()
	if err != nil {
		err = errMalformed
	}
	var in inbound
	if err == nil && me != nil {
		in, err = decode(form, *me, at)
	}
	var reply any
	var after func(context.Context)
	if err == nil && me != nil {
		reply, after, err = a.handle(r.Context(), in)
	}
	a.respond(w, me, reply, err)
	if after != nil {
		// What Slack need not wait for goes out when it has its answer.
		_ = http.NewResponseController(w).Flush()
		after(context.WithoutCancel(r.Context()))
	}
}

// respond tells Slack how it went. A nil me is an adapter that has not connected.
func (a *Adapter) respond(w http.ResponseWriter, me *identity, reply any, err error) {
	switch {
	case me == nil && err == nil:
		a.refuse(w, "not_connected", http.StatusServiceUnavailable)
	case errors.Is(err, errMalformed):
		a.refuse(w, "malformed", http.StatusBadRequest)
	case errors.Is(err, errForeign):
		a.metrics.refused.WithLabelValues("foreign").Inc()
	case errors.Is(err, errNothing):
		a.metrics.ignored.Inc()
	case err != nil:
		a.refuse(w, "not_stored", http.StatusServiceUnavailable)
	case reply != nil:
		js, err := json.Marshal(reply)
		if err != nil {
			a.log.LogAttrs(context.Background(), slog.LevelError, "an answer can't be written as JSON", slog.Any("err", err))
			a.refuse(w, "not_stored", http.StatusServiceUnavailable)
			return
		}
		w.Header().Set("Content-Type", "application/json; charset=utf-8")
		_, _ = w.Write(js) // nobody is left to tell
	}
}

// refuse counts a request that is not taken and says so. Slack shows none of it
// to people.
func (a *Adapter) refuse(w http.ResponseWriter, reason string, status int) {
	a.metrics.refused.WithLabelValues(reason).Inc()
	http.Error(w, reason, status)
}

// accept has the Desk store an event, and logs if it can't.
func (a *Adapter) accept(ctx context.Context, e chat.Event) error {
	if a.desk == nil {
		return errors.New("no desk to receive it")
	}
	err := a.desk.Accept(ctx, e)
	if err != nil {
		a.log.LogAttrs(ctx, slog.LevelError, "event not stored", slog.String("kind", string(e.Kind)), slog.String("key", e.Key), slog.Any("err", err))
	}
	return err
}

// bodies are the buffers that requests are read into. Decoding copies whatever
// it keeps.
var bodies = sync.Pool{New: func() any { return new(body) }}

type body struct{ bytes.Buffer }

func (b *body) free() {
	if b.Cap() > 64<<10 {
		return // a rare giant should not stay
	}
	b.Reset()
	bodies.Put(b)
}

// read reads a request's body and checks that Slack has sent it, at the time at.
// If ok is false, the request has been answered.
func (a *Adapter) read(w http.ResponseWriter, r *http.Request) (b *body, at time.Time, ok bool) {
	if r.ContentLength > maxBody {
		a.refuse(w, "too_large", http.StatusRequestEntityTooLarge)
		return nil, time.Time{}, false
	}
	b = bodies.Get().(*body)
	if r.ContentLength > 0 {
		b.Grow(int(r.ContentLength) + bytes.MinRead)
	}
	if _, err := b.ReadFrom(http.MaxBytesReader(w, r.Body, maxBody)); err != nil {
		b.free()
		if _, big := errors.AsType[*http.MaxBytesError](err); big {
			a.refuse(w, "too_large", http.StatusRequestEntityTooLarge)
		} else {
			a.refuse(w, "unreadable", http.StatusBadRequest)
		}
		return nil, time.Time{}, false
	}
	at, reason := a.signatures.check(r.Header, b.Bytes(), a.now())
	if reason != "" {
		b.free()
		a.refuse(w, reason, http.StatusUnauthorized)
		return nil, time.Time{}, false
	}
	return b, at, true
}
