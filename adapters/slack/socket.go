package slack

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"log/slog"
	"net/url"
	"sync"
	"time"

	"github.com/slack-go/slack"
	"github.com/slack-go/slack/socketmode"

	"github.com/deskhand/deskhand/adapters/slack/blockkit"
	"github.com/deskhand/deskhand/bot/chat"
)

// RunSocket receives over socket mode until ctx ends, instead of Handler: for a
// desk that no request from outside can reach. It reconnects by itself, and
// returns an error only if Slack will never let it in.
//
// Events are handed over one after the other, in the order in which Slack sends
// them, and acknowledged when they are stored; what is not, Slack sends again.
// What is answered within the call does not hold them up.
func (a *Adapter) RunSocket(ctx context.Context) error {
	switch {
	case a.appToken == "":
		return errors.New("slack: socket mode needs an app-level token; set DESKHAND_SLACK_APP_TOKEN (Basic Information, scope connections:write)")
	case a.self.Load() == nil:
		return errors.New("slack: not connected")
	}
	ctx, cancel := context.WithCancel(ctx)
	s := socket{
		a:      a,
		client: socketmode.New(a.api, socketmode.OptionReadLimit(maxBody), socketmode.OptionLog(log.New(io.Discard, "", 0))),
	}
	var running sync.WaitGroup
	running.Go(func() { s.receive(ctx) })
	err := s.client.RunContext(ctx)
	stopped := ctx.Err() != nil
	cancel()
	running.Wait()
	s.answers.Wait()
	if stopped {
		return nil
	}
	return fmt.Errorf("slack: socket mode: %w", translate(err, repeatable))
}

// socket is one run of socket mode.
type socket struct {
	a       *Adapter
	client  *socketmode.Client
	answers sync.WaitGroup
}

func (s *socket) receive(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case e := <-s.client.Events:
			s.handle(ctx, e)
		}
	}
}

func (s *socket) handle(ctx context.Context, e socketmode.Event) {
	a := s.a
	switch e.Type {
	case socketmode.EventTypeConnected:
		a.hears.Store(true)
		a.log.LogAttrs(ctx, slog.LevelInfo, "connected to Slack in socket mode")
		return
	case socketmode.EventTypeConnecting:
		a.hears.Store(false)
		return
	case socketmode.EventTypeConnectionError:
		if failed, ok := e.Data.(*slack.ConnectionErrorEvent); ok {
			a.log.LogAttrs(ctx, slog.LevelWarn, "no connection to Slack in socket mode",
				slog.String("again_in", failed.Backoff.String()), slog.Any("err", translate(failed.ErrorObj, repeatable)))
		}
		return
	case socketmode.EventTypeErrorBadMessage:
		a.metrics.refused.WithLabelValues("malformed").Inc()
		return
	}
	if e.Request == nil || e.Request.EnvelopeID == "" {
		return
	}
	me, payload := a.me(), e.Request.Payload
	switch e.Type {
	case socketmode.EventTypeEventsAPI:
		a.metrics.received.WithLabelValues("events").Inc()
		if e.Request.RetryAttempt > 0 {
			a.metrics.redelivered.Inc()
		}
		env, err := decodeEnvelope(payload)
		if err == nil {
			err = a.takeEvent(ctx, env, me)
		}
		s.acknowledge(ctx, e, nil, err)
	case socketmode.EventTypeSlashCommand:
		a.metrics.received.WithLabelValues("commands").Inc()
		in, err := decodeSocketCommand(payload, me, a.now())
		s.answer(ctx, e, in, err)
	case socketmode.EventTypeInteractive:
		a.metrics.received.WithLabelValues("interactivity").Inc()
		in, err := decodeInteraction(payload, me, a.now())
		s.answer(ctx, e, in, err)
	}
}

// decodeSocketCommand: over the socket a command's fields come as JSON.
func decodeSocketCommand(payload []byte, me identity, at time.Time) (inbound, error) {
	var fields map[string]any
	if err := json.Unmarshal(payload, &fields); err != nil {
		return inbound{}, errMalformed
	}
	form := url.Values{}
	for k, v := range fields {
		if s, ok := v.(string); ok {
			form.Set(k, s)
		}
	}
	return decodeCommand(form, me, at)
}

func (s *socket) answer(ctx context.Context, e socketmode.Event, in inbound, err error) {
	if err != nil {
		s.acknowledge(ctx, e, nil, err)
		return
	}
	work := func() {
		reply, after, err := s.a.handle(ctx, in)
		reply, late := s.fit(reply)
		s.acknowledge(ctx, e, reply, err)
		for _, f := range []func(context.Context){late, after} {
			if f != nil {
				f(context.WithoutCancel(ctx))
			}
		}
	}
	if in.inCall {
		s.answers.Go(work)
		return
	}
	work()
}

// acknowledge tells Slack that a request was taken. One that could not be
// stored is left without, so that Slack sends it again or says so to the person.
func (s *socket) acknowledge(ctx context.Context, e socketmode.Event, reply any, err error) {
	switch {
	case errors.Is(err, errMalformed):
		s.a.metrics.refused.WithLabelValues("malformed").Inc()
	case errors.Is(err, errForeign):
		s.a.metrics.refused.WithLabelValues("foreign").Inc()
	case errors.Is(err, errNothing):
		s.a.metrics.ignored.Inc()
	case err != nil:
		s.a.metrics.refused.WithLabelValues("not_stored").Inc()
		return
	}
	if err := s.client.AckCtx(ctx, e.Request.EnvelopeID, reply); err != nil && ctx.Err() == nil {
		s.a.log.LogAttrs(ctx, slog.LevelWarn, "request not acknowledged", slog.Any("err", err))
	}
}

// maxAck is what Slack takes in an acknowledgement; it drops a larger one
// without a word. See slack-go's socketmode, which has measured it.
const maxAck = 19 << 10

// fit makes a reply small enough for an acknowledgement. A form that is too
// large comes late: it is announced, and then put in the announcement's place.
func (s *socket) fit(reply any) (fitting any, late func(context.Context)) {
	js, err := json.Marshal(reply)
	if err != nil || len(js) <= maxAck {
		return reply, nil
	}
	switch r := reply.(type) {
	case slack.OptionsResponse:
		for len(js) > maxAck && len(r.Options) > 0 {
			r.Options = r.Options[:len(r.Options)*2/3]
			js, _ = json.Marshal(r) // it has been marshalled before
		}
		return r, nil
	case *slack.ViewSubmissionResponse:
		if r.View == nil {
			return reply, nil
		}
		whole := *r.View
		whole.ExternalID = rand.Text()
		soon := blockkit.RenderForm(chat.Form{Title: "One moment", Intro: []chat.Block{chat.Section{Text: chat.T("One moment, please …")}}}, blockkit.Open{})
		soon.ExternalID = whole.ExternalID
		return &slack.ViewSubmissionResponse{ResponseAction: r.ResponseAction, View: &soon},
			func(ctx context.Context) { s.replace(ctx, whole) }
	}
	return reply, nil
}

// replace shows a form in the place of its announcement, which may still be on
// its way: an acknowledgement is not answered, so nothing tells when it is there.
func (s *socket) replace(ctx context.Context, whole slack.ModalViewRequest) {
	for wait := 50 * time.Millisecond; ; wait *= 2 {
		err := s.a.call(ctx, "views.update", repeatable, func(ctx context.Context) error {
			_, err := s.a.api.UpdateViewContext(ctx, whole, whole.ExternalID, "", "")
			return err
		})
		if err == nil {
			return
		}
		if code(err) != "not_found" || wait > 2*time.Second {
			s.a.log.LogAttrs(ctx, slog.LevelWarn, "form not shown", slog.Any("err", err))
			return
		}
		time.Sleep(wait)
	}
}
