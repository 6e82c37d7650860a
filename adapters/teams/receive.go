package teams

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/deskhand/deskhand/bot/chat"
)

// maxBody is far above what Teams sends: a message is at most 100 KB.
const maxBody = 1 << 20

// Handler serves POST /api/messages; any other method, such as the HEAD by which
// the Bot Framework looks whether somebody is there, gets 405.
//
// It answers 200 to whatever Teams should not send again, including what is of
// no interest; 4xx to what is not Teams', not for this desk, or can't be read;
// 503 where the Desk can't store it, which Teams takes as "try again".
func (a *Adapter) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /api/messages", a.serve)
	return mux
}

func (a *Adapter) serve(w http.ResponseWriter, r *http.Request) {
	body, ok := a.read(w, r)
	if !ok {
		return
	}
	defer body.free()
	act, err := a.authentic(r, body.Bytes())
	if err != nil {
		a.respond(w, nil, err)
		return
	}
	a.metrics.received.WithLabelValues(act.surface()).Inc()
	if err := a.note(r.Context(), act); err != nil {
		a.log.LogAttrs(r.Context(), slog.LevelError, "activity not taken", slog.Any("err", err))
		a.respond(w, nil, err)
		return
	}
	if !strings.EqualFold(string(act.Type), "invoke") {
		events, err := a.events(r.Context(), act)
		if err == nil {
			err = a.accept(r.Context(), events)
		}
		a.respond(w, nil, err)
		return
	}
	start := time.Now()
	in, err := a.invoke(r.Context(), act)
	var reply any
	var after func(context.Context)
	if err == nil {
		reply, after, err = a.answer(r.Context(), in)
	}
	a.respond(w, reply, err)
	a.metrics.answered.WithLabelValues(act.name()).Observe(time.Since(start).Seconds())
	if after != nil {
		// What Teams need not wait for goes out when it has its answer.
		_ = http.NewResponseController(w).Flush()
		after(context.WithoutCancel(r.Context()))
	}
}

// authentic checks that Teams has sent a request, and for this desk, and reads
// it. The token is checked before the activity is looked at.
func (a *Adapter) authentic(r *http.Request, body []byte) (*activity, error) {
	var p proof
	if a.anonymous {
		if no := a.admit(r); no != nil {
			return nil, no
		}
	} else {
		var no *refusal
		if p, no = a.verify(r.Context(), r.Header); no != nil {
			return nil, no
		}
	}
	act, err := decodeActivity(body)
	if err != nil {
		return nil, err
	}
	no := a.matchAnonymous
	if !a.anonymous {
		no = func(act *activity) *refusal { return a.match(p, act) }
	}
	if no := no(act); no != nil {
		return nil, no
	}
	return act, nil
}

// surface is what kind of activity it is, for metrics.
func (act *activity) surface() string {
	switch strings.ToLower(string(act.Type)) {
	case "message", "invoke":
		return strings.ToLower(string(act.Type))
	case "messageupdate", "messagedelete", "messagereaction", "conversationupdate", "installationupdate":
		return "update"
	}
	return "other"
}

// respond tells Teams how it went.
func (a *Adapter) respond(w http.ResponseWriter, reply any, err error) {
	no, refused := errors.AsType[*refusal](err)
	switch {
	case refused:
		a.refuse(w, no.reason, no.status)
	case errors.Is(err, errMalformed):
		a.refuse(w, "malformed", http.StatusBadRequest)
	case errors.Is(err, errUnknown):
		// Never a 5xx, with which such a thing is answered elsewhere: it would come
		// again.
		a.refuse(w, "unknown_invoke", http.StatusBadRequest)
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

// refuse counts a request that is not taken and says so. Teams shows none of it
// to people.
func (a *Adapter) refuse(w http.ResponseWriter, reason string, status int) {
	a.metrics.refused.WithLabelValues(reason).Inc()
	http.Error(w, reason, status)
}

// accept has the Desk store events, and logs if it can't.
func (a *Adapter) accept(ctx context.Context, events []chat.Event) error {
	if a.desk == nil {
		return errors.New("no desk to receive it")
	}
	err := a.desk.Accept(ctx, events...)
	if err != nil {
		a.log.LogAttrs(ctx, slog.LevelError, "event not stored", slog.String("kind", string(events[0].Kind)), slog.String("key", events[0].Key), slog.Any("err", err))
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

// read reads a request's body. If ok is false, the request has been answered:
// whoever brings no token at all is not listened to.
func (a *Adapter) read(w http.ResponseWriter, r *http.Request) (b *body, ok bool) {
	if !a.anonymous && r.Header.Get("Authorization") == "" {
		a.respond(w, nil, errUnsigned)
		return nil, false
	}
	if r.ContentLength > maxBody {
		a.refuse(w, "too_large", http.StatusRequestEntityTooLarge)
		return nil, false
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
		return nil, false
	}
	return b, true
}
