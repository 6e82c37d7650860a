package app

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/deskhand/deskhand/adapters/adaptertest"
	"github.com/deskhand/deskhand/adapters/slack"
	"github.com/deskhand/deskhand/adapters/slack/slacktest"
)

// slackScene is Acme's Slack with the crowd in it.
type slackScene struct{ w *slacktest.Workspace }

func newSlackScene(t *testing.T, on adaptertest.Pair, o slacktest.Options) *slackScene {
	t.Helper()
	// Slack's waits, compressed: longer in all than the desk is ever away here.
	o.Redeliver = []time.Duration{300 * time.Millisecond, 6 * time.Second, 25 * time.Second}
	o.KeepChanges, o.Record = 1<<20, 1<<18
	s := &slackScene{workspaceOf(t, o, on)}
	for _, m := range crowdOf(on, adaptertest.Slack) {
		if _, err := s.w.AddUser(slacktest.User{Name: m.name, RealName: m.real, Email: m.name + "@acme.example", EmailConfirmed: true, TZ: "Europe/Berlin"}); err != nil {
			t.Fatal(err)
		}
		if err := s.w.Person(m.name).Join(s.place(m.channel)); err != nil {
			t.Fatal(err)
		}
	}
	return s
}

func (s *slackScene) platform() string { return slack.Platform }

func (s *slackScene) connect(url string) { s.w.Connect(url) }

func (s *slackScene) place(name string) string {
	c, _ := s.w.Channel(name)
	return c.ID
}

func (s *slackScene) chat(who string) (string, error) { return s.w.Person(who).DM() }

func slackSaid(channel string, m slacktest.Message) said {
	root := m.ThreadTS
	if root == "" {
		root = m.TS
	}
	return said{channel: channel, id: m.TS, root: root, text: m.Text, shown: m.Text + "\n" + string(m.Blocks), bot: m.BotID != "", private: m.Ephemeral}
}

func (s *slackScene) follow(ctx context.Context, see func(said)) {
	for change, err := range s.w.Follow(ctx, -1) {
		if err != nil {
			return
		}
		if change.Message != nil && (change.Kind == slacktest.MessagePosted || change.Kind == slacktest.MessageChanged) {
			see(slackSaid(change.Channel, *change.Message))
		}
	}
}

func (s *slackScene) wait(ctx context.Context, ok func() bool) error { return s.w.Wait(ctx, ok) }

func (s *slackScene) say(who, channel, under, text string) error {
	_, err := s.w.Person(who).Say(slacktest.Post{Channel: channel, Thread: under, Text: text})
	return err
}

// command types a slash command. The desk says in its own words that it can't
// just now, where Slack's would be "dispatch_failed".
func (s *slackScene) command(who, channel, text string) error {
	p := s.w.Person(who)
	told := func() (n int) {
		all, err := p.Messages(channel, "", 1000)
		if err != nil {
			return -1
		}
		for _, m := range all {
			if m.Ephemeral && strings.Contains(m.Text, "I can't get to my records") {
				n++
			}
		}
		return n
	}
	before := told()
	if err := slackErr(p.Command(channel, "/desk", text)); err != nil {
		return err
	}
	if told() != before {
		return errFailed
	}
	return nil
}

// slackErr is what an error says to a person.
func slackErr(err error) error {
	var failed *slacktest.AppError
	switch {
	case errors.As(err, &failed):
		return errors.Join(errFailed, err)
	case errors.Is(err, slacktest.ErrRefused):
		return errors.Join(errGone, err)
	}
	return err
}

func (s *slackScene) blocks(m said) json.RawMessage {
	now, _ := s.w.Message(m.channel, m.id)
	return now.Blocks
}

func (s *slackScene) offers(m said, label string) bool {
	_, ok := element(s.blocks(m), label)
	return ok
}

func (s *slackScene) press(who string, m said, label string) error {
	a, ok := element(s.blocks(m), label)
	if !ok {
		return errGone
	}
	a.Channel, a.TS = m.channel, m.id
	return slackErr(s.w.Person(who).Act(a))
}

// top is the form that somebody has before them.
func (s *slackScene) top(who string) slacktest.View {
	all := s.w.Person(who).Views()
	if len(all) == 0 {
		return slacktest.View{}
	}
	return all[len(all)-1]
}

func (s *slackScene) form(who string) string { return string(s.top(who).Blocks) }

func (s *slackScene) pressIn(who, label string) error {
	v := s.top(who)
	a, ok := element(v.Blocks, label)
	if !ok {
		return errGone
	}
	a.View = v.ID
	return slackErr(s.w.Person(who).Act(a))
}

func (s *slackScene) fill(who, label, value string) error {
	v := s.top(who)
	a, ok := field(v.Blocks, label, value)
	if !ok {
		return fmt.Errorf("no field “%s” for “%s” in %s", label, value, v.Blocks)
	}
	a.View = v.ID
	return s.w.Person(who).Act(a)
}

func (s *slackScene) submit(who string) error {
	refused, err := s.w.Person(who).Submit(s.top(who).ID)
	if len(refused) > 0 {
		return fmt.Errorf("the form is refused: %v", refused)
	}
	return slackErr(err)
}

func (s *slackScene) shut(who string) {
	if v := s.top(who); v.ID != "" {
		_ = s.w.Person(who).CloseView(v.ID, true) // it may have closed by itself
	}
}

// trouble is in the calls that the desk makes, and in what is delivered.
func (s *slackScene) trouble(seed uint64, often float64) {
	w := s.w
	var mu sync.Mutex
	chances := rand.New(rand.NewPCG(seed, 1))
	roll := func() float64 {
		mu.Lock()
		defer mu.Unlock()
		return chances.Float64() / often
	}
	w.OnCall(func(slacktest.Call) slacktest.Fault {
		switch p := roll(); {
		case p < 0.03:
			return slacktest.Fault{Status: http.StatusTooManyRequests, RetryAfter: time.Second}
		case p < 0.06:
			return slacktest.Fault{Status: http.StatusInternalServerError}
		case p < 0.065:
			return slacktest.Fault{Hang: true}
		case p < 0.095:
			return slacktest.Fault{Lose: true}
		case p < 0.15:
			return slacktest.Fault{Delay: time.Duration(roll() * often * float64(500*time.Millisecond))}
		}
		return slacktest.Fault{}
	})
	w.OnDelivery(func(d slacktest.Delivery) slacktest.DeliveryFault {
		events := d.Surface == "events"
		switch p := roll(); {
		case p < 0.08:
			return slacktest.DeliveryFault{Copies: 1 + int(p*100)%2}
		case p < 0.11:
			return slacktest.DeliveryFault{Lost: true}
		case p < 0.18 && events: // the next overtakes it
			return slacktest.DeliveryFault{Delay: time.Duration(roll() * often * float64(1500*time.Millisecond))}
		}
		return slacktest.DeliveryFault{}
	})
}

func (s *slackScene) calm() {
	s.w.OnCall(nil)
	s.w.OnDelivery(nil)
}

func (s *slackScene) idle(ctx context.Context) error { return s.w.Idle(ctx) }

func (s *slackScene) standing() map[string][]said {
	byPost := map[string][]said{}
	seen := map[string]bool{}
	for ch := range messagesOf(s.w) {
		key := ch.Channel + " " + ch.TS
		if ch.BotID == "" || ch.Ephemeral || seen[key] {
			continue
		}
		seen[key] = true
		m, ok := s.w.Message(ch.Channel, ch.TS)
		if !ok {
			continue
		}
		var payload struct {
			ID string `json:"id"`
		}
		if m.Metadata != nil {
			_ = json.Unmarshal(m.Metadata.EventPayload, &payload) // an empty id is found when it is compared
		}
		byPost[payload.ID] = append(byPost[payload.ID], slackSaid(ch.Channel, m))
	}
	return byPost
}

// messagesOf gives every message that has ever been posted.
func messagesOf(w *slacktest.Workspace) func(yield func(slacktest.Message) bool) {
	return func(yield func(slacktest.Message) bool) {
		newest := w.Seq()
		ctx, cancel := context.WithCancel(context.Background())
		defer cancel()
		for ch, err := range w.Follow(ctx, -1) {
			if err != nil {
				return
			}
			if ch.Kind == slacktest.MessagePosted && ch.Message != nil {
				m := *ch.Message
				m.Channel = ch.Channel
				if !yield(m) {
					return
				}
			}
			if ch.Seq >= newest {
				return
			}
		}
	}
}

// sent is nothing: what was not confirmed is looked for.
func (s *slackScene) sent() map[string][]attempt { return nil }

func (s *slackScene) arrivals() map[string]arrival {
	all := map[string]arrival{}
	for _, d := range s.w.Deliveries() {
		if d.Surface != "events" || !strings.HasPrefix(d.Type, "message") {
			continue
		}
		var env struct {
			Event struct{ Channel, TS, Subtype string }
		}
		if json.Unmarshal(d.Body, &env) != nil || env.Event.Subtype != "" {
			continue
		}
		key := env.Event.Channel + " " + env.Event.TS
		all[key] = all[key].with(d.At, d.Took, d.Status)
	}
	return all
}

// untaken leaves out what Slack gave up on only because answers were lost.
func (s *slackScene) untaken() map[string][]string {
	attempts, taken := map[string][]string{}, map[string]bool{}
	for _, d := range s.w.Deliveries() {
		if d.Surface == "events" {
			taken[d.EventID] = taken[d.EventID] || d.Err == ""
			attempts[d.EventID] = append(attempts[d.EventID], fmt.Sprintf("%s %s after %s %d %s", d.Type, d.At.Format("15:04:05.000"), d.Took, d.Status, d.Err))
		}
	}
	maps.DeleteFunc(attempts, func(id string, _ []string) bool { return taken[id] })
	return attempts
}

func (s *slackScene) deliveriesOf(word string) string {
	var all []string
	for _, d := range s.w.Deliveries() {
		if strings.Contains(string(d.Body), word) {
			all = append(all, fmt.Sprintf("%s %s in %s at %s after %s: %d %s", d.EventID, d.Type, d.Channel, d.At.Format("15:04:05.000"), d.Took, d.Status, d.Err))
		}
	}
	return strings.Join(all, "; ")
}

func (s *slackScene) stats() string {
	n := s.w.Stats()
	return fmt.Sprintf("%d messages posted, %d deliveries taken, %d redelivered, %v errors", n.Posted, n.Delivered, n.Redelivered, n.Errors)
}

// Blocks as far as a person's finger needs them.
type block struct {
	Type     string    `json:"type"`
	ID       string    `json:"block_id"`
	Label    labelled  `json:"label"`
	Element  control   `json:"element"`
	Elements []control `json:"elements"`
}

type labelled struct {
	Text string `json:"text"`
}

type control struct {
	Type    string          `json:"type"`
	Action  string          `json:"action_id"`
	Text    json.RawMessage `json:"text"` // of a button an object, of some others a string
	Options []struct {
		Text  labelled `json:"text"`
		Value string   `json:"value"`
	} `json:"options"`
}

func parse(blocks json.RawMessage) []block {
	var all []block
	if err := json.Unmarshal(blocks, &all); err != nil {
		return nil
	}
	return all
}

// element is what to do to press the first button, or to choose the first entry
// of a menu, with this label.
func element(blocks json.RawMessage, label string) (slacktest.Act, bool) {
	for _, b := range parse(blocks) {
		if b.Type != "actions" {
			continue
		}
		for _, e := range b.Elements {
			var text labelled
			if e.Type == "button" && json.Unmarshal(e.Text, &text) == nil && text.Text == label {
				return slacktest.Act{Block: b.ID, Action: e.Action}, true
			}
			for _, o := range e.Options {
				if (e.Type == "overflow" || e.Type == "static_select") && o.Text.Text == label {
					return slacktest.Act{Block: b.ID, Action: e.Action, Values: []string{o.Value}}, true
				}
			}
		}
	}
	return slacktest.Act{}, false
}

// field is what to do to enter a value, or to choose the option of that name.
func field(blocks json.RawMessage, label, value string) (slacktest.Act, bool) {
	for _, b := range parse(blocks) {
		if b.Type != "input" || b.Label.Text != label {
			continue
		}
		a := slacktest.Act{Block: b.ID, Action: b.Element.Action, Values: []string{value}}
		for _, o := range b.Element.Options {
			if o.Text.Text == value {
				a.Values = []string{o.Value}
				return a, true
			}
		}
		return a, len(b.Element.Options) == 0
	}
	return slacktest.Act{}, false
}
