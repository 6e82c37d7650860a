package app

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/deskhand/deskhand/adapters/slack/slacktest"
)

// The crowd is people who use the desk all at once, each conversation with a
// word of its own by which everything that belongs to it is known again. They
// see only what Slack shows them, and when Slack tells them that something
// failed they try again.
const (
	employees = 20
	agents    = 8

	// formPatience is how long somebody looks at a button before pressing again.
	formPatience = 4 * time.Second
)

func crowded() string {
	var people, members strings.Builder
	for i := range employees {
		fmt.Fprintf(&people, "  - {mail: e%02d@acme.example, name: Emp %02d, department: sales, site: Porto}\n", i, i)
	}
	for i := range agents {
		fmt.Fprintf(&people, "  - {mail: a%02d@acme.example, name: Agent %02d, department: it, site: Berlin}\n", i, i)
		fmt.Fprintf(&members, ", a%02d@acme.example", i)
	}
	p := strings.Replace(company, "people:\n", "people:\n"+people.String(), 1)
	return strings.Replace(p, "kim@acme.example]", "kim@acme.example"+members.String()+"]", 1)
}

// crowdWorkspace is Acme's Slack with the crowd in it.
func crowdWorkspace(t *testing.T, o slacktest.Options) *slacktest.Workspace {
	t.Helper()
	// Slack's waits, compressed: longer in all than the desk is ever away here.
	o.Redeliver = []time.Duration{300 * time.Millisecond, 6 * time.Second, 25 * time.Second}
	o.KeepChanges, o.Record = 1<<20, 1<<18
	w := workspace(t, o)
	add := func(name, real string) string {
		u, err := w.AddUser(slacktest.User{Name: name, RealName: real, Email: name + "@acme.example", EmailConfirmed: true, TZ: "Europe/Berlin"})
		if err != nil {
			t.Fatal(err)
		}
		return u.ID
	}
	for i := range employees {
		add(fmt.Sprintf("e%02d", i), fmt.Sprintf("Emp %02d", i))
		if err := w.Person(fmt.Sprintf("e%02d", i)).Join(channelID(w, "it-help")); err != nil {
			t.Fatal(err)
		}
	}
	for i := range agents {
		add(fmt.Sprintf("a%02d", i), fmt.Sprintf("Agent %02d", i))
		if err := w.Person(fmt.Sprintf("a%02d", i)).Join(channelID(w, "it-triage")); err != nil {
			t.Fatal(err)
		}
	}
	return w
}

func channelID(w *slacktest.Workspace, name string) string {
	c, _ := w.Channel(name)
	return c.ID
}

// crowd is what all conversations share.
type crowd struct {
	slack *slacktest.Workspace
	help  string // channels
	desk  string

	// patience is how long somebody waits for the desk: it may be killed, leave
	// what it had in hand to whoever comes after, and be killed again.
	patience time.Duration

	hands map[string]*sync.Mutex // a person fills in one form at a time

	mu    sync.Mutex
	said  map[string][]slacktest.Message // by conversation, as they are now, in the order of appearance
	roots map[string]string              // channel and thread to conversation
	news  map[string]chan struct{}       // by conversation: something has changed
}

func newCrowd(ctx context.Context, w *slacktest.Workspace, patience time.Duration) *crowd {
	c := &crowd{slack: w, patience: patience, help: channelID(w, "it-help"), desk: channelID(w, "it-triage"),
		hands: map[string]*sync.Mutex{}, said: map[string][]slacktest.Message{}, roots: map[string]string{}, news: map[string]chan struct{}{}}
	for _, u := range w.Users() {
		c.hands[u.Name] = &sync.Mutex{}
	}
	go c.watch(ctx)
	return c
}

var wordOf = regexp.MustCompile(`\bt[0-9]{4}x\b`)

// watch sorts all messages by conversation as they appear.
func (c *crowd) watch(ctx context.Context) {
	for change, err := range c.slack.Follow(ctx, -1) {
		if err != nil {
			return
		}
		if change.Message == nil || change.Kind != slacktest.MessagePosted && change.Kind != slacktest.MessageChanged {
			continue
		}
		c.see(change)
	}
}

func (c *crowd) see(change slacktest.Change) {
	m := *change.Message
	m.Channel = change.Channel
	c.mu.Lock()
	defer c.mu.Unlock()
	root := m.ThreadTS
	if root == "" {
		root = m.TS
	}
	word, known := c.roots[m.Channel+" "+root]
	if !known {
		if word = wordOf.FindString(m.Text + " " + string(m.Blocks)); word == "" {
			return
		}
		if !m.Ephemeral {
			c.roots[m.Channel+" "+root] = word
		}
	}
	all := c.said[word]
	if i := slices.IndexFunc(all, func(o slacktest.Message) bool { return o.TS == m.TS && o.Channel == m.Channel }); i >= 0 {
		all[i] = m
	} else {
		c.said[word] = append(all, m)
	}
	if news := c.news[word]; news != nil {
		select {
		case news <- struct{}{}:
		default:
		}
	}
}

// talk is one conversation.
type talk struct {
	*crowd
	n    int
	word string
	rnd  *rand.Rand
	ask  string // who asks
	ctx  context.Context
	news chan struct{}

	questions int            // that were asked, at least
	want      map[string]int // steps in the record, at least
	failed    map[string]int // visible failures: as many more may have had an effect
	passed    []string       // messages that the other side gets
	kept      []string       // messages that it must not get
	ticket    bool
}

func (c *crowd) talk(ctx context.Context, n int, seed uint64) *talk {
	t := &talk{crowd: c, n: n, word: fmt.Sprintf("t%04dx", n), rnd: rand.New(rand.NewPCG(seed, uint64(n))), ctx: ctx,
		ask: fmt.Sprintf("e%02d", n%employees), want: map[string]int{}, failed: map[string]int{}, news: make(chan struct{}, 1)}
	c.mu.Lock()
	c.news[t.word] = t.news
	c.mu.Unlock()
	return t
}

// run is the conversation from its first word to its last.
func (t *talk) run() error {
	asker := t.slack.Person(t.ask)
	place := t.help
	if t.rnd.IntN(3) > 0 {
		var err error
		if place, err = asker.DM(); err != nil {
			return err
		}
	}
	kind := t.rnd.IntN(100)
	text := t.word + " zqkrel" + t.word + " hums"
	if kind < 50 {
		text = "the printer is not printing " + t.word
	}
	t.questions = 1
	if kind >= 95 {
		if err := t.command(asker, place, text); err != nil {
			return err
		}
	} else if _, err := asker.Say(slacktest.Post{Channel: place, Text: text}); err != nil {
		return err
	}
	switch {
	case kind < 40:
		t.want["solved"] = 1
		if err := t.press(t.ask, "Solved it", t.answered, "Glad it worked"); err != nil {
			return err
		}
		return nil
	case kind < 50 || kind >= 95:
		_, err := t.sees("an answer", t.answered)
		return err
	case kind < 65:
		t.ticket = true
		if err := t.press(t.ask, "Talk to a person", t.answered, "A person will look at this"); err != nil {
			return err
		}
	default:
		t.ticket = true
		if err := t.open(); err != nil {
			return fmt.Errorf("open: %w", err)
		}
	}
	return t.work()
}

// answered finds the card that answers the question.
func (t *talk) answered(m slacktest.Message) bool {
	return m.BotID != "" && slices.ContainsFunc([]string{"I have nothing good on this", "Search is catching up", "This should help:", "This may help:", "Glad it worked",
		"A person will look at this", "This is INC-"}, func(s string) bool { return strings.HasPrefix(m.Text, s) })
}

func (t *talk) open() error {
	hand := t.hands[t.ask]
	hand.Lock()
	defer hand.Unlock()
	if err := t.form(t.ask, "Open a ticket", t.answered, "Something is broken"); err != nil {
		return err
	}
	if err := t.turnPage(t.ask, "Something is broken", "Who is affected?"); err != nil {
		return err
	}
	return t.send(t.ask, map[string]string{"Who is affected?": "Only me", "By when does it hurt more?": "This week"})
}

// work is the ticket's way through the team.
func (t *talk) work() error {
	status := func(m slacktest.Message) bool {
		return m.BotID != "" && m.Channel != t.desk && strings.HasPrefix(m.Text, "INC-")
	}
	triage := func(m slacktest.Message) bool { return m.Channel == t.desk && m.ThreadTS == "" || m.ThreadTS == m.TS }
	team := func(m slacktest.Message) bool { return m.Channel == t.desk && triage(m) }
	t.want["opened"] = 1
	card, err := t.sees("the card in the team's channel", team)
	if err != nil {
		return err
	}
	if t.rnd.IntN(2) == 0 {
		// The card stands in Slack, but its place is not on record yet.
		early := "quick question " + t.word
		if _, err := t.slack.Person("kim").Say(slacktest.Post{Channel: t.desk, Thread: card.TS, Text: early}); err != nil {
			return err
		}
		t.passed = append(t.passed, early)
	}
	mine, err := t.sees("the ticket's card", status)
	if err != nil {
		return err
	}
	owner := fmt.Sprintf("a%02d", t.rnd.IntN(agents))
	second := fmt.Sprintf("a%02d", (t.n+1)%agents)
	t.want["claimed"] = 1
	race := t.rnd.IntN(3) == 0 && second != owner
	if race {
		// Two at once: the first wins, whoever that is.
		var both sync.WaitGroup
		for _, who := range []string{owner, second} {
			both.Go(func() { _ = t.act(who, "Claim", team, card) }) // the card tells who won
		}
		both.Wait()
	}
	if err := t.press(owner, "Claim", team, "is on it"); err != nil {
		return fmt.Errorf("claim: %w", err)
	}
	if owner, err = t.owner(team); err != nil {
		return err
	}
	if !race && t.rnd.IntN(4) == 0 { // else who came second would get it now
		t.want["claimed"], t.want["released"] = 2, 1
		if err := t.press(owner, "Give back", team, "Nobody yet"); err != nil {
			return fmt.Errorf("give back: %w", err)
		}
		if err := t.press(second, "Claim", team, "is on it"); err != nil {
			return fmt.Errorf("claim again: %w", err)
		}
		owner = second
	}
	if err := t.chat(owner, card, mine); err != nil {
		return err
	}
	if err := t.resolve(owner, team); err != nil {
		return fmt.Errorf("resolve: %w", err)
	}
	t.want["resolved"] = 1
	fixed := func(m slacktest.Message) bool {
		return m.BotID != "" && m.Channel != t.desk && (strings.Contains(m.Text, "is resolved: ") || strings.Contains(m.Text, " is closed."))
	}
	if t.rnd.IntN(4) == 0 {
		return nil // says nothing
	}
	t.want["closed"] = 1
	if err := t.press(t.ask, "Yes, close", fixed, "How was it?"); err != nil {
		return fmt.Errorf("close: %w", err)
	}
	t.want["rated"] = 1
	return t.press(t.ask, "🙂", fixed, "Thank you.")
}

// owner reads from the card who is on it.
func (t *talk) owner(card func(slacktest.Message) bool) (string, error) {
	m, err := t.sees("the owner", func(m slacktest.Message) bool { return card(m) && strings.Contains(string(m.Blocks), "is on it") })
	if err != nil {
		return "", err
	}
	name := regexp.MustCompile(`Agent ([0-9]{2})\*? is on it|Agent ([0-9]{2})`).FindStringSubmatch(string(m.Blocks))
	if name == nil {
		return "", fmt.Errorf("the card names no owner: %s", m.Blocks)
	}
	return "a" + name[1] + name[2], nil
}

// chat is both sides writing without waiting for each other.
func (t *talk) chat(owner string, card, mine slacktest.Message) error {
	say := func(who, channel, thread, text string) error {
		_, err := t.slack.Person(who).Say(slacktest.Post{Channel: channel, Thread: thread, Text: text})
		return err
	}
	below := mine.ThreadTS
	if below == "" {
		below = mine.TS
	}
	for i := range 3 {
		from := fmt.Sprintf("agent %d says %s", i, t.word)
		if err := say(owner, t.desk, card.TS, from); err != nil {
			return err
		}
		to := fmt.Sprintf("asker %d says %s", i, t.word)
		if err := say(t.ask, mine.Channel, below, to); err != nil {
			return err
		}
		t.passed = append(t.passed, from, to)
	}
	note := "note: only for the team " + t.word
	if err := say(owner, t.desk, card.TS, note); err != nil {
		return err
	}
	t.kept = append(t.kept, note)
	for _, text := range t.passed {
		if _, err := t.sees("“"+text+"” on the other side", func(m slacktest.Message) bool { return m.BotID != "" && strings.Contains(m.Text, text) }); err != nil {
			return err
		}
	}
	return nil
}

func (t *talk) resolve(owner string, card func(slacktest.Message) bool) error {
	hand := t.hands[owner]
	hand.Lock()
	defer hand.Unlock()
	if err := t.form(owner, "Resolve", card, "What fixed it?"); err != nil {
		return err
	}
	return t.send(owner, map[string]string{"What fixed it?": "Turned it off and on, " + t.word})
}

// again does something until Slack does not say that it failed.
func (t *talk) again(what string, do func() error) error {
	for late := time.Now().Add(t.patience); ; {
		err := do()
		var failed *slacktest.AppError
		if !errors.As(err, &failed) || time.Now().After(late) {
			return err
		}
		t.failed[what]++
		if err := t.pause(200 * time.Millisecond); err != nil {
			return err
		}
	}
}

// command types a slash command until the desk does not say that it can't just
// now: it answers a command in its own words, where Slack's are "dispatch_failed".
func (t *talk) command(who *slacktest.Person, place, text string) error {
	hand := t.hands[t.ask]
	hand.Lock()
	defer hand.Unlock()
	told := func() (n int) {
		all, err := who.Messages(place, "", 1000)
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
	for late := time.Now().Add(t.patience); ; {
		before := told()
		if err := t.again("command", func() error { return who.Command(place, "/desk", text) }); err != nil {
			return err
		}
		if told() == before {
			return nil
		}
		if time.Now().After(late) {
			return errors.New("the desk does not get to its records")
		}
		if err := t.pause(200 * time.Millisecond); err != nil {
			return err
		}
	}
}

// pause is what a person takes before trying again.
func (t *talk) pause(least time.Duration) error {
	select {
	case <-t.ctx.Done():
		return t.ctx.Err()
	case <-time.After(least + rand.N(least)):
		return nil
	}
}

// find is the newest message of the conversation that is wanted.
func (t *talk) find(wanted func(slacktest.Message) bool) (slacktest.Message, bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, m := range slices.Backward(t.said[t.word]) {
		if wanted(m) {
			return m, true
		}
	}
	return slacktest.Message{}, false
}

// sees waits for a message.
func (t *talk) sees(what string, wanted func(slacktest.Message) bool) (slacktest.Message, error) {
	late := time.NewTimer(t.patience)
	defer late.Stop()
	for {
		if m, ok := t.find(wanted); ok {
			return m, nil
		}
		select {
		case <-t.news:
		case <-late.C:
			return slacktest.Message{}, fmt.Errorf("did not see %s within %s", what, t.patience)
		case <-t.ctx.Done():
			return slacktest.Message{}, t.ctx.Err()
		}
	}
}

// press presses a button of a message until the message has the words.
func (t *talk) press(who, label string, on func(slacktest.Message) bool, until string) error {
	done := func(m slacktest.Message) bool {
		return on(m) && (strings.Contains(m.Text, until) || strings.Contains(string(m.Blocks), until))
	}
	m, err := t.sees("a button “"+label+"”", func(m slacktest.Message) bool {
		_, ok := element(m.Blocks, label)
		return on(m) && (ok || done(m))
	})
	if err != nil {
		return err
	}
	if !done(m) {
		if err := t.act(who, label, on, m); err != nil {
			return err
		}
	}
	_, err = t.sees("“"+until+"” after pressing “"+label+"”", done)
	return err
}

// act presses until Slack takes it, or the button is gone.
func (t *talk) act(who, label string, on func(slacktest.Message) bool, m slacktest.Message) error {
	failures := 0
	defer func() {
		t.mu.Lock()
		defer t.mu.Unlock()
		t.failed[label] += failures
	}()
	for late := time.Now().Add(t.patience); ; {
		a, ok := element(m.Blocks, label)
		if !ok {
			return nil // it has had its effect
		}
		a.Channel, a.TS = m.Channel, m.TS
		err := t.slack.Person(who).Act(a)
		var failed *slacktest.AppError
		switch {
		case errors.As(err, &failed) && time.Now().Before(late):
			failures++
		case errors.Is(err, slacktest.ErrRefused):
			// The card was drawn anew this moment.
		default:
			return err
		}
		if err := t.pause(200 * time.Millisecond); err != nil {
			return err
		}
		if now, ok := t.find(on); ok {
			m = now
		}
	}
}

// top is the form that somebody has before them.
func (t *talk) top(who string) (slacktest.View, bool) {
	all := t.slack.Person(who).Views()
	if len(all) == 0 {
		return slacktest.View{}, false
	}
	return all[len(all)-1], true
}

// opens waits for a form that has the words.
func (t *talk) opens(who, words string) bool {
	ctx, cancel := context.WithTimeout(t.ctx, formPatience)
	defer cancel()
	return t.slack.Wait(ctx, func() bool {
		v, ok := t.top(who)
		return ok && strings.Contains(string(v.Blocks), words)
	}) == nil
}

// form presses a button until its form is open.
func (t *talk) form(who, label string, on func(slacktest.Message) bool, words string) error {
	m, err := t.sees("a button “"+label+"”", func(m slacktest.Message) bool {
		_, ok := element(m.Blocks, label)
		return on(m) && ok
	})
	if err != nil {
		return err
	}
	for late := time.Now().Add(t.patience); time.Now().Before(late) && t.ctx.Err() == nil; {
		if err := t.act(who, label, on, m); err != nil {
			return err
		}
		if t.opens(who, words) {
			return nil
		}
		if v, ok := t.top(who); ok { // of an earlier press, or half drawn
			_ = t.slack.Person(who).CloseView(v.ID, true)
		}
	}
	return fmt.Errorf("“%s” opens no form with “%s”", label, words)
}

// turnPage presses a button of the open form until it has the words.
func (t *talk) turnPage(who, label, words string) error {
	for late := time.Now().Add(t.patience); time.Now().Before(late) && t.ctx.Err() == nil; {
		v, ok := t.top(who)
		if !ok {
			return fmt.Errorf("the form is gone before “%s”", label)
		}
		if a, ok := element(v.Blocks, label); ok {
			a.View = v.ID
			var failed *slacktest.AppError
			if err := t.slack.Person(who).Act(a); err != nil && !errors.As(err, &failed) && !errors.Is(err, slacktest.ErrRefused) {
				return err
			}
		} else if a, ok := element(v.Blocks, "It is different"); ok {
			a.View = v.ID
			_ = t.slack.Person(who).Act(a) // else once more
		}
		if t.opens(who, words) {
			return nil
		}
	}
	return fmt.Errorf("“%s” does not lead to “%s”", label, words)
}

// send fills in the open form and sends it until it is taken. Slack does not
// deliver a form again.
func (t *talk) send(who string, values map[string]string) error {
	p := t.slack.Person(who)
	v, ok := t.top(who)
	if !ok {
		return errors.New("there is no form to send")
	}
	for label, value := range values {
		a, ok := field(v.Blocks, label, value)
		if !ok {
			return fmt.Errorf("no field “%s” for “%s” in %s", label, value, v.Blocks)
		}
		a.View = v.ID
		if err := p.Act(a); err != nil {
			return fmt.Errorf("fill in “%s”: %w", label, err)
		}
	}
	return t.again("send", func() error {
		refused, err := p.Submit(v.ID)
		if len(refused) > 0 {
			return fmt.Errorf("the form is refused: %v", refused)
		}
		return err
	})
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
				if e.Type == "overflow" && o.Text.Text == label {
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
