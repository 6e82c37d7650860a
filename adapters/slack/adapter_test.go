package slack

import (
	"cmp"
	"context"
	"errors"
	"io"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/deskhand/deskhand/bot/chat"
)

const (
	testBotToken = "xoxb-1111-2222-hushhushBOT"
	testAppToken = "xapp-1-A1-3333-hushhushAPP"
)

// newAdapter makes an adapter that is connected without asking Slack.
func newAdapter(t testing.TB, o Options) *Adapter {
	t.Helper()
	o.BotToken = cmp.Or(o.BotToken, testBotToken)
	o.SigningSecret = cmp.Or(o.SigningSecret, testSecret)
	if o.Log == nil {
		o.Log = slog.New(slog.NewTextHandler(io.Discard, nil))
	}
	a, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	me := desk
	a.self.Store(&me)
	return a
}

// recorder is a Desk that keeps what it is given and answers as it is told.
type recorder struct {
	answer func(chat.Event) (chat.Answer, error)

	mu       sync.Mutex
	down     bool
	accepted []chat.Event
	asked    []chat.Event
}

var errDown = errors.New("the database is down")

func (r *recorder) Accept(_ context.Context, es ...chat.Event) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.down {
		return errDown
	}
	r.accepted = append(r.accepted, es...)
	return nil
}

func (r *recorder) Answer(_ context.Context, e chat.Event) (chat.Answer, error) {
	r.mu.Lock()
	r.asked = append(r.asked, e)
	down := r.down
	r.mu.Unlock()
	if down {
		return chat.Answer{}, errDown
	}
	if r.answer == nil {
		return chat.Answer{}, nil
	}
	return r.answer(e)
}

func (r *recorder) setDown(down bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.down = down
}

// all are the events that were stored.
func (r *recorder) all() []chat.Event {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]chat.Event(nil), r.accepted...)
}

func (r *recorder) questions() []chat.Event {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]chat.Event(nil), r.asked...)
}

func TestNewRefusesWhatCannotWork(t *testing.T) {
	t.Parallel()
	good := Options{BotToken: testBotToken, SigningSecret: testSecret}
	for _, tt := range []struct {
		name    string
		options Options
		setting string
	}{
		{"no bot token", Options{SigningSecret: testSecret}, "DESKHAND_SLACK_BOT_TOKEN"},
		{"a user's token", Options{BotToken: "xoxp-hushhush", SigningSecret: testSecret}, "DESKHAND_SLACK_BOT_TOKEN"},
		{"the bot token twice", Options{BotToken: testBotToken, AppToken: testBotToken}, "DESKHAND_SLACK_APP_TOKEN"},
		{"no way to receive", Options{BotToken: testBotToken}, "DESKHAND_SLACK_SIGNING_SECRET"},
		{"a line break in the secret", Options{BotToken: testBotToken, SigningSecret: testSecret + "\n"}, "DESKHAND_SLACK_SIGNING_SECRET"},
		{"an API without a scheme", Options{BotToken: testBotToken, SigningSecret: testSecret, APIURL: "slack.com/api"}, "DESKHAND_SLACK_API_URL"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			_, err := New(tt.options)
			if err == nil {
				t.Fatal("New() took it")
			}
			if s := err.Error(); !strings.Contains(s, tt.setting) || strings.Contains(s, "\n") || strings.Contains(s, "hushhush") || strings.Contains(s, testSecret) {
				t.Errorf("New() = %q, want one line naming %s and no secret", s, tt.setting)
			}
		})
	}
	if _, err := New(good); err != nil {
		t.Errorf("New() = %v", err)
	}
	if _, err := New(Options{BotToken: testBotToken, AppToken: testAppToken}); err != nil {
		t.Errorf("New() for socket mode = %v", err)
	}
	r := prometheus.NewRegistry()
	good.Metrics = r
	if _, err := New(good); err != nil {
		t.Errorf("New() with metrics = %v", err)
	}
	if _, err := New(good); err == nil {
		t.Error("New() twice on one registry went well")
	}
}

func TestWorkspaceBeforeConnect(t *testing.T) {
	t.Parallel()
	a, err := New(Options{BotToken: testBotToken, SigningSecret: testSecret, Now: func() time.Time { return time.Unix(1, 0) }})
	if err != nil {
		t.Fatal(err)
	}
	if a.Workspace() != "" || a.Self() != (chat.User{}) {
		t.Errorf("Workspace() = %q, Self() = %v before Connect", a.Workspace(), a.Self())
	}
}

// slow is a Desk that never answers by itself.
type slow struct{ sink }

func (slow) Answer(ctx context.Context, _ chat.Event) (chat.Answer, error) {
	<-ctx.Done()
	return chat.Answer{}, ctx.Err()
}
