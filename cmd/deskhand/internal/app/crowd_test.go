package app

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/deskhand/deskhand/adapters/adaptertest"
)

// The crowd is people who use the desk all at once, each conversation with a
// word of its own by which everything that belongs to it is known again. They
// see only what the platform shows them, and when it tells them that something
// failed they try again.
const (
	agents = 8

	// formPatience is how long somebody looks at a button before pressing again.
	formPatience = 4 * time.Second
)

// employees is how many there are to ask. Where direct messages have no threads
// each has one conversation: in two at once not even people would know which of
// them a word belongs to.
func employees(on adaptertest.Pair) int {
	if on.Asking.Has(adaptertest.Threads) {
		return 20
	}
	return *chaosConversations
}

func crowded(on adaptertest.Pair) string {
	var people, members strings.Builder
	for i := range employees(on) {
		fmt.Fprintf(&people, "  - {mail: e%02d@acme.example, name: Emp %02d, department: sales, site: Porto}\n", i, i)
	}
	for i := range agents {
		fmt.Fprintf(&people, "  - {mail: a%02d@acme.example, name: Agent %02d, department: it, site: Berlin}\n", i, i)
		fmt.Fprintf(&members, ", a%02d@acme.example", i)
	}
	p := strings.Replace(companyOn(on), "people:\n", "people:\n"+people.String(), 1)
	return strings.Replace(p, "kim@acme.example]", "kim@acme.example"+members.String()+"]", 1)
}

// member is one of the crowd.
type member struct{ name, real, channel string }

// crowdOf are those of the crowd who are on a platform, each with the channel
// that they are in.
func crowdOf(on adaptertest.Pair, p adaptertest.Platform) []member {
	var list []member
	if on.Asking.Name == p.Name {
		for i := range employees(on) {
			list = append(list, member{fmt.Sprintf("e%02d", i), fmt.Sprintf("Emp %02d", i), "it-help"})
		}
	}
	if on.Working.Name == p.Name {
		for i := range agents {
			list = append(list, member{fmt.Sprintf("a%02d", i), fmt.Sprintf("Agent %02d", i), "it-triage"})
		}
	}
	return list
}

// crowd is what all conversations share.
type crowd struct {
	asking, working scene
	help, desk      string // channels

	// patience is how long somebody waits for the desk: it may be killed, leave
	// what it had in hand to whoever comes after, and be killed again.
	patience time.Duration

	employees int
	hands     map[string]*sync.Mutex // a person fills in one form at a time

	mu    sync.Mutex
	said  map[string][]said        // by conversation, as they are now, in the order of appearance
	roots map[string]string        // channel and thread to conversation
	news  map[string]chan struct{} // by conversation: something has changed
	posts map[string]string        // channel and message to post, when all has settled
}

func newCrowd(ctx context.Context, on adaptertest.Pair, asking, working scene, patience time.Duration) *crowd {
	c := &crowd{asking: asking, working: working, patience: patience, employees: employees(on), help: asking.place("it-help"), desk: working.place("it-triage"),
		hands: map[string]*sync.Mutex{}, said: map[string][]said{}, roots: map[string]string{}, news: map[string]chan struct{}{}, posts: map[string]string{}}
	for i := range c.employees {
		c.hands[fmt.Sprintf("e%02d", i)] = &sync.Mutex{}
	}
	for i := range agents {
		c.hands[fmt.Sprintf("a%02d", i)] = &sync.Mutex{}
	}
	for _, s := range c.scenes() {
		go s.follow(ctx, c.see)
	}
	return c
}

// scenes are the platforms, each once.
func (c *crowd) scenes() []scene {
	if c.asking == c.working {
		return []scene{c.asking}
	}
	return []scene{c.asking, c.working}
}

var wordOf = regexp.MustCompile(`\bt[0-9]{4}x\b`)

// see sorts a message by conversation as it appears.
func (c *crowd) see(m said) {
	c.mu.Lock()
	defer c.mu.Unlock()
	word, known := c.roots[m.channel+" "+m.root]
	if !known {
		if word = wordOf.FindString(m.text + " " + m.shown); word == "" {
			return
		}
		if !m.private {
			c.roots[m.channel+" "+m.root] = word
		}
	}
	all := c.said[word]
	if i := slices.IndexFunc(all, func(o said) bool { return o.id == m.id && o.channel == m.channel }); i >= 0 {
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
		ask: fmt.Sprintf("e%02d", n%c.employees), want: map[string]int{}, failed: map[string]int{}, news: make(chan struct{}, 1)}
	c.mu.Lock()
	c.news[t.word] = t.news
	c.mu.Unlock()
	return t
}

// run is the conversation from its first word to its last.
func (t *talk) run() error {
	place := t.help
	if t.rnd.IntN(3) > 0 {
		var err error
		if place, err = t.asking.chat(t.ask); err != nil {
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
		if err := t.command(place, text); err != nil {
			return err
		}
	} else if err := t.asking.say(t.ask, place, "", text); err != nil {
		return err
	}
	switch {
	case kind < 40:
		t.want["solved"] = 1
		if err := t.press(t.asking, t.ask, "Solved it", t.answered, "Glad it worked"); err != nil {
			return err
		}
		return nil
	case kind < 50 || kind >= 95:
		_, err := t.sees("an answer", t.answered)
		return err
	case kind < 65:
		t.ticket = true
		if err := t.press(t.asking, t.ask, "Talk to a person", t.answered, "A person will look at this"); err != nil {
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
func (t *talk) answered(m said) bool {
	return m.bot && slices.ContainsFunc([]string{"I have nothing good on this", "Search is catching up", "This should help:", "This may help:", "Glad it worked",
		"A person will look at this", "This is INC-"}, func(s string) bool { return strings.HasPrefix(m.text, s) })
}

func (t *talk) open() error {
	hand := t.hands[t.ask]
	hand.Lock()
	defer hand.Unlock()
	for late := time.Now().Add(t.patience); ; {
		if err := t.form(t.asking, t.ask, "Open a ticket", t.answered, "Something is broken"); err != nil {
			return err
		}
		err := t.turnPage(t.asking, t.ask, "Something is broken", "Who is affected?")
		if err == nil {
			break
		}
		if !errors.Is(err, errGone) || time.Now().After(late) {
			return err
		}
		t.asking.shut(t.ask) // it says that it can't just now, and to begin again
	}
	return t.send(t.asking, t.ask, map[string]string{"Who is affected?": "Only me", "By when does it hurt more?": "This week"})
}

// work is the ticket's way through the team.
func (t *talk) work() error {
	status := func(m said) bool {
		return m.bot && m.channel != t.desk && strings.HasPrefix(m.text, "INC-")
	}
	team := func(m said) bool {
		return m.channel == t.desk && m.root == m.id
	}
	t.want["opened"] = 1
	card, err := t.sees("the card in the team's channel", team)
	if err != nil {
		return err
	}
	if t.rnd.IntN(2) == 0 {
		// The card stands there, but its place is not on record yet.
		early := "quick question " + t.word
		if err := t.working.say("kim", t.desk, card.id, early); err != nil {
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
			both.Go(func() { _ = t.act(t.working, who, "Claim", team, card) }) // the card tells who won
		}
		both.Wait()
	}
	if err := t.press(t.working, owner, "Claim", team, "is on it"); err != nil {
		return fmt.Errorf("claim: %w", err)
	}
	if card, owner, err = t.owner(team); err != nil {
		return err
	}
	if !race && t.rnd.IntN(4) == 0 { // else who came second would get it now
		t.want["claimed"], t.want["released"] = 2, 1
		if err := t.press(t.working, owner, "Give back", team, "Nobody yet"); err != nil {
			return fmt.Errorf("give back: %w", err)
		}
		if err := t.press(t.working, second, "Claim", team, "is on it"); err != nil {
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
	fixed := func(m said) bool {
		return m.bot && m.channel != t.desk && (strings.Contains(m.text, "is resolved: ") || strings.Contains(m.text, " is closed."))
	}
	if t.rnd.IntN(4) == 0 {
		return nil // says nothing
	}
	t.want["closed"] = 1
	if err := t.press(t.asking, t.ask, "Yes, close", fixed, "How was it?"); err != nil {
		return fmt.Errorf("close: %w", err)
	}
	t.want["rated"] = 1
	return t.press(t.asking, t.ask, "🙂", fixed, "Thank you.")
}

// owner reads from the card who is on it.
func (t *talk) owner(card func(said) bool) (said, string, error) {
	m, err := t.sees("the owner", func(m said) bool { return card(m) && strings.Contains(m.shown, "is on it") })
	if err != nil {
		return m, "", err
	}
	name := regexp.MustCompile(`Agent ([0-9]{2})\*? is on it|Agent ([0-9]{2})`).FindStringSubmatch(m.shown)
	if name == nil {
		return m, "", fmt.Errorf("the card names no owner: %s", m.shown)
	}
	return m, "a" + name[1] + name[2], nil
}

// chat is both sides writing without waiting for each other.
func (t *talk) chat(owner string, card, mine said) error {
	for i := range 3 {
		from := fmt.Sprintf("agent %d says %s", i, t.word)
		if err := t.working.say(owner, t.desk, card.id, from); err != nil {
			return err
		}
		to, under := fmt.Sprintf("asker %d says %s", i, t.word), mine.root
		if under == "" && i%2 == 0 {
			under = mine.id
		}
		if err := t.asking.say(t.ask, mine.channel, under, to); err != nil {
			return err
		}
		t.passed = append(t.passed, from, to)
	}
	note := "note: only for the team " + t.word
	if err := t.working.say(owner, t.desk, card.id, note); err != nil {
		return err
	}
	t.kept = append(t.kept, note)
	for _, text := range t.passed {
		if _, err := t.sees("“"+text+"” on the other side", func(m said) bool { return m.bot && strings.Contains(m.text, text) }); err != nil {
			return err
		}
	}
	return nil
}

func (t *talk) resolve(owner string, card func(said) bool) error {
	hand := t.hands[owner]
	hand.Lock()
	defer hand.Unlock()
	if err := t.form(t.working, owner, "Resolve", card, "What fixed it?"); err != nil {
		return err
	}
	return t.send(t.working, owner, map[string]string{"What fixed it?": "Turned it off and on, " + t.word})
}

// again does something until the platform does not say that it failed.
func (t *talk) again(what string, do func() error) error {
	for late := time.Now().Add(t.patience); ; {
		err := do()
		if !errors.Is(err, errFailed) || time.Now().After(late) {
			return err
		}
		t.failed[what]++
		if err := t.pause(200 * time.Millisecond); err != nil {
			return err
		}
	}
}

// command asks by the platform's command.
func (t *talk) command(place, text string) error {
	hand := t.hands[t.ask]
	hand.Lock()
	defer hand.Unlock()
	return t.again("command", func() error { return t.asking.command(t.ask, place, text) })
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
func (t *talk) find(wanted func(said) bool) (said, bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, m := range slices.Backward(t.said[t.word]) {
		if wanted(m) {
			return m, true
		}
	}
	return said{}, false
}

// sees waits for a message.
func (t *talk) sees(what string, wanted func(said) bool) (said, error) {
	late := time.NewTimer(t.patience)
	defer late.Stop()
	for {
		if m, ok := t.find(wanted); ok {
			return m, nil
		}
		select {
		case <-t.news:
		case <-late.C:
			return said{}, fmt.Errorf("did not see %s within %s", what, t.patience)
		case <-t.ctx.Done():
			return said{}, t.ctx.Err()
		}
	}
}
