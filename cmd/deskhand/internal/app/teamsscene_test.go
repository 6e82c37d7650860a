package app

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/deskhand/deskhand/adapters/adaptertest"
	"github.com/deskhand/deskhand/adapters/teams"
	"github.com/deskhand/deskhand/adapters/teams/teamstest"
)

// teamsScene is Acme's Teams with the crowd in it.
type teamsScene struct{ w *teamstest.Tenant }

func newTeamsScene(t *testing.T, on adaptertest.Pair, o teamstest.Options) *teamsScene {
	t.Helper()
	// Longer in all than the desk is ever away here, and often enough for one that
	// is killed every few seconds and has to fetch the signing keys each time.
	o.Redeliver = []time.Duration{300 * time.Millisecond, 3 * time.Second, 8 * time.Second, 20 * time.Second, 60 * time.Second}
	o.KeepChanges, o.Record = 1<<20, 1<<18
	s := &teamsScene{tenantOf(t, o, on)}
	for _, m := range crowdOf(on, adaptertest.Teams) {
		u := teamstest.User{Name: m.name, DisplayName: m.real, Mail: m.name + "@acme.example", TZ: "Europe/Berlin", Installed: true}
		if _, err := s.w.AddUser(u); err != nil {
			t.Fatal(err)
		}
		c, _ := s.w.Channel(m.channel)
		if err := s.w.Person(c.Members[0]).Invite(c.ID, m.name); err != nil {
			t.Fatal(err)
		}
	}
	return s
}

// install has the desk added to each team, by which it learns of its channels.
func (s *teamsScene) install(t *testing.T, on adaptertest.Pair) {
	t.Helper()
	var done []string
	for _, c := range on.ChannelsOf(adaptertest.Teams) {
		if team := teamOf(c.Name); !slices.Contains(done, team) {
			done = append(done, team)
			if err := s.w.Person(c.Members[0]).Install(c.Name); err != nil {
				t.Fatal(err)
			}
		}
	}
}

func (s *teamsScene) platform() string { return teams.Platform }

func (s *teamsScene) connect(url string) { s.w.Connect(url) }

func (s *teamsScene) place(name string) string {
	c, _ := s.w.Channel(name)
	return c.ID
}

func (s *teamsScene) chat(who string) (string, error) { return s.w.Person(who).Chat() }

// direct says that a conversation is somebody's chat with the desk.
func (s *teamsScene) direct(channel string) bool {
	c, _ := s.w.Channel(channel)
	return c.Kind == teamstest.Personal
}

func (s *teamsScene) said(m teamstest.Message) said {
	root := ""
	if !s.direct(m.Channel) {
		root = cmp.Or(m.Thread, m.ID)
	}
	text := cmp.Or(m.Text, m.Summary)
	return said{channel: m.Channel, id: m.ID, root: root, text: text, shown: text + "\n" + teamstest.RenderCard(cardOf(m)), bot: m.From == s.w.BotID(), private: m.To != ""}
}

func cardOf(m teamstest.Message) json.RawMessage {
	for _, a := range m.Attachments {
		if a.ContentType == "application/vnd.microsoft.card.adaptive" {
			return a.Content
		}
	}
	return nil
}

func (s *teamsScene) follow(ctx context.Context, see func(said)) {
	for change, err := range s.w.Follow(ctx, -1) {
		if err != nil {
			return
		}
		if change.Message != nil && (change.Kind == teamstest.MessagePosted || change.Kind == teamstest.MessageChanged) {
			see(s.said(*change.Message))
		}
	}
}

func (s *teamsScene) wait(ctx context.Context, ok func() bool) error { return s.w.Wait(ctx, ok) }

func (s *teamsScene) say(who, channel, under, text string) error {
	post := teamstest.Post{Channel: channel, Text: text}
	if s.direct(channel) {
		post.Quote = under
	} else {
		post.Thread = under
	}
	_, err := s.w.Person(who).Say(post)
	return err
}

// command calls the desk by its name: there are no commands.
func (s *teamsScene) command(who, channel, text string) error {
	if !s.direct(channel) {
		text = "@" + s.w.App().Name + " " + text
	}
	return s.say(who, channel, "", text)
}

// teamsErr is what an error says to a person.
func teamsErr(err error) error {
	var failed *teamstest.AppError
	switch {
	case errors.As(err, &failed):
		return errors.Join(errFailed, err)
	case errors.Is(err, teamstest.ErrRefused):
		return errors.Join(errGone, err)
	}
	return err
}

// unable says that the desk says in its own words that it can't just now.
func unable(text string) bool {
	return strings.Contains(text, "I can't get to my records") || strings.Contains(text, "That took too long")
}

func (s *teamsScene) offers(m said, label string) bool {
	now, _ := s.w.Message(m.channel, m.id)
	_, ok := action(cardOf(now), label)
	return ok
}

func (s *teamsScene) press(who string, m said, label string) error {
	p := s.w.Person(who)
	now, err := p.See(m.channel, m.id)
	if err != nil {
		return teamsErr(err)
	}
	path, ok := action(now.Card, label)
	if !ok {
		return errGone
	}
	told := func() (n int) {
		for _, notice := range p.Notices(m.channel) {
			if unable(notice.Text) {
				n++
			}
		}
		return n
	}
	before := told()
	if err := teamsErr(p.Press(teamstest.Act{Channel: m.channel, Message: m.id, Path: path})); err != nil {
		return err
	}
	if told() != before {
		return errFailed
	}
	return nil
}

func (s *teamsScene) form(who string) string {
	d, _ := s.w.Person(who).Dialog()
	return d.Message + string(d.Card)
}

func (s *teamsScene) pressIn(who, label string) error {
	p := s.w.Person(who)
	d, _ := p.Dialog()
	path, ok := action(d.Card, label)
	if !ok {
		return errGone
	}
	return teamsErr(p.Press(teamstest.Act{Dialog: d.ID, Path: path}))
}

func (s *teamsScene) fill(who, label, value string) error {
	p := s.w.Person(who)
	d, _ := p.Dialog()
	id, value, ok := input(d.Card, label, value)
	if !ok {
		return fmt.Errorf("no field “%s” for “%s” in %s", label, value, d.Card)
	}
	return p.Enter(teamstest.Act{Dialog: d.ID}, id, value)
}

func (s *teamsScene) submit(who string) error {
	p := s.w.Person(who)
	d, open := p.Dialog()
	switch {
	case !open:
		return errors.New("the form is gone")
	case d.Message != "" && !unable(d.Message):
		return nil // what an earlier attempt has led to
	}
	refused, err := p.Submit(d.ID)
	for _, words := range refused {
		if unable(words) {
			return errFailed
		}
	}
	if len(refused) > 0 {
		return fmt.Errorf("the form is refused: %v", refused)
	}
	return teamsErr(err)
}

func (s *teamsScene) shut(who string) { _ = s.w.Person(who).CloseDialog() } // it may have closed by itself

// trouble is in the calls that the desk makes, and in what is delivered.
func (s *teamsScene) trouble(seed uint64, often float64) {
	var mu sync.Mutex
	chances := rand.New(rand.NewPCG(seed, 2))
	roll := func() float64 {
		mu.Lock()
		defer mu.Unlock()
		return chances.Float64() / often
	}
	s.w.OnCall(func(teamstest.Call) teamstest.Fault {
		switch p := roll(); {
		case p < 0.03:
			return teamstest.Fault{Status: http.StatusTooManyRequests, RetryAfter: time.Second}
		case p < 0.045:
			return teamstest.Fault{Status: http.StatusPreconditionFailed}
		case p < 0.06:
			return teamstest.Fault{Status: http.StatusBadGateway}
		case p < 0.07:
			return teamstest.Fault{Status: http.StatusGatewayTimeout}
		case p < 0.075:
			return teamstest.Fault{Hang: true}
		case p < 0.095:
			return teamstest.Fault{Lose: true}
		case p < 0.105:
			return teamstest.Fault{After: http.StatusGatewayTimeout}
		case p < 0.15:
			return teamstest.Fault{Delay: time.Duration(roll() * often * float64(500*time.Millisecond))}
		}
		return teamstest.Fault{}
	})
	s.w.OnDelivery(func(d teamstest.Delivery) teamstest.DeliveryFault {
		switch p := roll(); {
		case p < 0.08:
			return teamstest.DeliveryFault{Copies: 1 + int(p*100)%2}
		case p < 0.11:
			return teamstest.DeliveryFault{Lost: true}
		case p < 0.18 && d.Type != "invoke": // the next overtakes it
			return teamstest.DeliveryFault{Delay: time.Duration(roll() * often * float64(1500*time.Millisecond))}
		}
		return teamstest.DeliveryFault{}
	})
}

func (s *teamsScene) calm() {
	s.w.OnCall(nil)
	s.w.OnDelivery(nil)
}

func (s *teamsScene) idle(ctx context.Context) error { return s.w.Idle(ctx) }

// posted gives every call that has made a message.
func (s *teamsScene) posted(yield func(teamstest.Call) bool) {
	for _, c := range s.w.Calls() {
		if c.Posted != "" && !yield(c) {
			return
		}
	}
}

func (s *teamsScene) standing() map[string][]said {
	byPost := map[string][]said{}
	for c := range s.posted {
		if m, ok := s.w.Message(s.where(c), c.Posted); ok && !m.Deleted {
			byPost[c.Correlation] = append(byPost[c.Correlation], s.said(m))
		}
	}
	return byPost
}

// where is the conversation of a call, which one that creates it does not name.
func (s *teamsScene) where(c teamstest.Call) string {
	id, _, _ := strings.Cut(c.Channel, ";")
	return id
}

// sent are those to people's own chats, which the desk may not read.
func (s *teamsScene) sent() map[string][]attempt {
	byPost := map[string][]attempt{}
	for c := range s.posted {
		if !s.direct(s.where(c)) {
			continue
		}
		byPost[c.Correlation] = append(byPost[c.Correlation], attempt{id: c.Posted, at: c.At, done: c.At.Add(c.Took), answered: c.Error == ""})
	}
	return byPost
}

func (s *teamsScene) arrivals() map[string]arrival {
	all := map[string]arrival{}
	for _, d := range s.w.Deliveries() {
		if d.Type == "message" {
			key := d.Channel + " " + d.ID
			all[key] = all[key].with(d.At, d.Took, d.Status)
		}
	}
	return all
}

// untaken leaves out invokes, of which people are told, and what Teams gave up
// on only because answers were lost.
func (s *teamsScene) untaken() map[string][]string {
	attempts, taken := map[string][]string{}, map[string]bool{}
	for _, d := range s.w.Deliveries() {
		if d.Type != "invoke" {
			taken[d.ID] = taken[d.ID] || d.Err == ""
			attempts[d.ID] = append(attempts[d.ID], fmt.Sprintf("%s %s after %s %d %s", d.Type, d.At.Format("15:04:05.000"), d.Took, d.Status, d.Err))
		}
	}
	for id := range taken {
		if taken[id] {
			delete(attempts, id)
		}
	}
	return attempts
}

func (s *teamsScene) deliveriesOf(word string) string {
	var all []string
	for _, d := range s.w.Deliveries() {
		if strings.Contains(string(d.Body), word) {
			all = append(all, fmt.Sprintf("%s %s %s in %s at %s after %s: %d %s", d.ID, d.Type, d.Name, d.Channel, d.At.Format("15:04:05.000"), d.Took, d.Status, d.Err))
		}
	}
	return strings.Join(all, "; ")
}

func (s *teamsScene) stats() string {
	n := s.w.Stats()
	return fmt.Sprintf("%d messages posted, %d deliveries taken, %d redelivered, %v errors", n.Posted, n.Delivered, n.Redelivered, n.Errors)
}

// walk gives each object of a card with the pointer to it.
func walk(at string, v any, each func(at string, m map[string]any)) {
	switch v := v.(type) {
	case map[string]any:
		each(at, v)
		for k, x := range v {
			walk(at+"/"+k, x, each)
		}
	case []any:
		for i, x := range v {
			walk(at+"/"+strconv.Itoa(i), x, each)
		}
	}
}

func elements(card json.RawMessage, each func(at string, m map[string]any)) {
	var v any
	if json.Unmarshal(card, &v) == nil {
		walk("", v, each)
	}
}

// action is the pointer to the button with this label.
func action(card json.RawMessage, label string) (path string, ok bool) {
	elements(card, func(at string, m map[string]any) {
		if kind, _ := m["type"].(string); (kind == "Action.Execute" || kind == "Action.Submit") && m["title"] == label && !strings.HasSuffix(at, "/fallback") {
			path, ok = at, true
		}
	})
	return path, ok
}

// input is the id of the field with this label, and the value of the option of
// that name if it has options.
func input(card json.RawMessage, label, value string) (id, is string, ok bool) {
	elements(card, func(_ string, m map[string]any) {
		kind, _ := m["type"].(string)
		if !strings.HasPrefix(kind, "Input.") || m["label"] != label {
			return
		}
		id, _ = m["id"].(string)
		choices, _ := m["choices"].([]any)
		is, ok = value, len(choices) == 0
		for _, c := range choices {
			if c, _ := c.(map[string]any); c["title"] == value {
				is, _ = c["value"].(string)
				ok = true
			}
		}
	})
	return id, is, ok
}
