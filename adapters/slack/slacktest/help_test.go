package slacktest_test

import (
	"context"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/slack-go/slack"
	"github.com/slack-go/slack/slackevents"
	"github.com/slack-go/slack/socketmode"

	"github.com/deskhand/deskhand/adapters/slack/slacktest"
)

func serve(t *testing.T, h http.Handler) string {
	srv := httptest.NewServer(h)
	t.Cleanup(srv.Close)
	return srv.URL
}

func readAll(r *http.Request) []byte {
	b, _ := io.ReadAll(r.Body)
	return b
}

func wait(t *testing.T, w *slacktest.Workspace, ok func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	if err := w.Wait(ctx, ok); err != nil {
		t.Fatalf("waiting: %v", err)
	}
}

func idle(t *testing.T, w *slacktest.Workspace) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	if err := w.Idle(ctx); err != nil {
		t.Fatalf("events are still under way: %v", err)
	}
}

// A socketApp is slack-go's own socket mode client at work.
type socketApp struct {
	events    chan string
	connected chan struct{}
}

func newSocketApp(t *testing.T, a *app) *socketApp {
	t.Helper()
	s := &socketApp{events: make(chan string, 10), connected: make(chan struct{}, 10)}
	client := socketmode.New(a.Client, socketmode.OptionLog(log.New(io.Discard, "", 0)))
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{}, 2)
	go func() {
		_ = client.RunContext(ctx)
		done <- struct{}{}
	}()
	go func() {
		defer func() { done <- struct{}{} }()
		for {
			select {
			case <-ctx.Done():
				return
			case ev := <-client.Events:
				switch d := ev.Data.(type) {
				case slackevents.EventsAPIEvent:
					if m, ok := d.InnerEvent.Data.(*slackevents.MessageEvent); ok {
						s.events <- m.Text
					}
					_ = client.Ack(*ev.Request)
				case slack.SlashCommand:
					_ = client.Ack(*ev.Request, map[string]any{"text": "you asked " + d.Text})
				}
				if ev.Type == socketmode.EventTypeHello {
					s.connected <- struct{}{}
				}
			}
		}
	}()
	t.Cleanup(func() {
		cancel()
		<-done
		<-done
	})
	next(t, s.connected)
	return s
}

// next is what comes next.
func next[T any](t *testing.T, from <-chan T) (v T) {
	t.Helper()
	select {
	case v = <-from:
	case <-time.After(10 * time.Second):
		t.Fatal("nothing comes over the socket")
	}
	return v
}
