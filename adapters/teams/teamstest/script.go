package teamstest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"
)

// A TB is the part of testing.TB that a Script needs.
type TB interface {
	Helper()
	Context() context.Context
	Fatalf(format string, args ...any)
}

// A Script runs a test's conversation: each line is done at once and must succeed,
// and each expectation waits for the change stream until Patience has passed.
// When one fails it prints the transcript of everything.
type Script struct {
	// Patience is how long an expectation waits. 0 is 5 s.
	Patience time.Duration
	// Settled waits until the app has nothing left to do; SeesNot looks only then.
	// Nil waits for the activities and calls that Teams knows of, which is not
	// enough for an app that works on after it has answered.
	Settled func(context.Context) error
	// Tab opens the app's personal tab as this person; what is on it is the app's
	// own page, which Teams only frames. Nil: there is none.
	Tab func(*Person) (Tab, error)

	w *Tenant
	t TB
}

// Script begins a conversation.
func (t *Tenant) Script(tb TB) *Script { return &Script{w: t, t: tb} }

// Person is somebody by handle, name or id, at first in their chat with the app,
// which they install if they have not.
func (s *Script) Person(name string) *Actor {
	s.t.Helper()
	p := s.w.Person(name)
	chat, err := p.Chat()
	if err != nil {
		s.fail("%s cannot talk to the app: %v", name, err)
		return nil
	}
	if c, _ := s.w.Channel(chat); !c.Installed {
		if err := p.Install(""); err != nil {
			s.fail("%s cannot install the app: %v", name, err)
		}
	}
	return &Actor{s: s, p: p, channel: chat}
}

// Channel is a conversation by name or id, seen from above.
func (s *Script) Channel(name string) *Place {
	s.t.Helper()
	c, ok := s.w.Channel(name)
	if !ok {
		s.fail("there is no channel %s", name)
	}
	return &Place{s: s, id: c.ID, name: name}
}

func (s *Script) fail(format string, args ...any) {
	s.t.Helper()
	s.t.Fatalf("%s\n\n%s", fmt.Sprintf(format, args...), s.w.TranscriptAll())
}

func (s *Script) patience() (context.Context, context.CancelFunc) {
	patience := s.Patience
	if patience == 0 {
		patience = 5 * time.Second
	}
	return context.WithTimeout(s.t.Context(), patience)
}

// wait looks again after each change until ok or out of patience.
func (s *Script) wait(ok func() bool) bool {
	ctx, cancel := s.patience()
	defer cancel()
	return s.w.Wait(ctx, ok) == nil
}

func (s *Script) settle() error {
	ctx, cancel := s.patience()
	defer cancel()
	if s.Settled != nil {
		if err := s.Settled(ctx); err != nil {
			return err
		}
	}
	return s.w.Idle(ctx)
}

var (
	emphasis  = strings.NewReplacer("*", "", "_", "", "~", "", "`", "")
	shortcode = regexp.MustCompile(`:[a-z0-9_+-]+:`)
)

// bare is text without emphasis, and with any space as one blank.
func bare(s string) string { return strings.Join(strings.Fields(emphasis.Replace(plain(s))), " ") }

// label is a label without its emoji.
func label(s string) string { return bare(without(s, ":", shortcode, "")) }

// has says whether all these words are in one of the texts.
func has(texts []string, words []string) bool {
	want := make([]string, len(words))
	for i, w := range words {
		want[i] = bare(w)
	}
	return slices.ContainsFunc(texts, func(t string) bool {
		t = bare(t)
		return !slices.ContainsFunc(want, func(w string) bool { return !strings.Contains(t, w) })
	})
}

// An Actor is somebody with their client open at one place: their chat with the
// app, unless In or InThread has gone elsewhere.
type Actor struct {
	s       *Script
	p       *Person
	channel string
	thread  string // in a channel: the post; in a chat: the message to quote
	tab     Tab    // instead of all that
}

// Person is who acts, for what the script has no words for.
func (a *Actor) Person() *Person { return a.p }

// In is the actor at a channel.
func (a *Actor) In(channel string) *Actor {
	a.s.t.Helper()
	c, ok := a.s.w.Channel(channel)
	if !ok {
		a.s.fail("there is no channel %s", channel)
	}
	return &Actor{s: a.s, p: a.p, channel: c.ID}
}

// Joins adds the actor to a channel's team, as somebody of it would; the actor
// stays where they are.
func (a *Actor) Joins(channel string) *Actor {
	a.s.t.Helper()
	return a.did("joins "+channel, a.member(channel, true))
}

// Leaves takes the actor out of a channel's team.
func (a *Actor) Leaves(channel string) *Actor {
	a.s.t.Helper()
	return a.did("leaves "+channel, a.member(channel, false))
}

func (a *Actor) member(channel string, add bool) error {
	c, ok := a.s.w.Channel(channel)
	if !ok || len(c.Members) == 0 {
		return fmt.Errorf("%w: nobody is in %q", ErrRefused, channel)
	}
	if by := a.s.w.Person(c.Members[0]); add {
		return by.Invite(channel, a.p.id)
	}
	return a.p.Remove(channel, a.p.id)
}

// InThread is the actor in the thread of the newest message here that contains
// the text. In a chat, which has no threads, it is the actor who quotes that
// message.
func (a *Actor) InThread(text string) *Actor {
	a.s.t.Helper()
	return &Actor{s: a.s, p: a.p, channel: a.channel, thread: a.root(a.newest(text))}
}

// flat says that there are no threads here.
func (a *Actor) flat() bool {
	c, _ := a.s.w.Channel(a.channel)
	return c.Kind != TeamChannel
}

func (a *Actor) root(m Message) string {
	if m.Thread != "" {
		return m.Thread
	}
	return m.ID
}

// here are the messages that the actor sees at this place, the oldest first.
// Their client asks for what is to refresh itself.
func (a *Actor) here() []Seen {
	_ = a.p.Look(a.channel) // a card that does not refresh stays as it is
	flat := a.flat()
	w := a.s.w
	w.mu.Lock()
	defer w.mu.Unlock()
	var list []Seen
	c := w.convBy[a.channel]
	for _, m := range c.msgs {
		if m.Deleted || m.To != "" && m.To != a.p.id || !flat && a.thread != "" && m.Thread != a.thread && m.ID != a.thread {
			continue
		}
		list = append(list, w.seen(c, m, a.p.id))
	}
	return list
}

// texts is everything on the actor's screen.
func (a *Actor) texts() []string {
	var list []string
	if a.tab != nil {
		return []string{a.tabText()}
	}
	if d, open := a.p.Dialog(); open {
		list = append(list, a.s.w.named(d.text()))
	}
	for _, m := range a.here() {
		list = append(list, a.line(m))
	}
	for _, n := range a.p.Notices(a.channel) {
		list = append(list, n.Text)
	}
	return list
}

// named is text with the names of people for their ids: that is what a people
// picker shows; page "People Picker in Adaptive Cards", preselection.
func (t *Tenant) named(text string) string {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, u := range t.users {
		text = strings.ReplaceAll(text, u.ObjectID, u.DisplayName)
	}
	return text
}

func (a *Actor) line(m Seen) string {
	a.s.w.mu.Lock()
	defer a.s.w.mu.Unlock()
	return a.s.w.line(m)
}

// Counts is how many messages here have all these words.
func (a *Actor) Counts(words ...string) int {
	n := 0
	for _, text := range a.texts() {
		if has([]string{text}, words) {
			n++
		}
	}
	return n
}

// Notified waits until a message here that contains the text mentions the actor.
func (a *Actor) Notified(text string) *Actor {
	a.s.t.Helper()
	if !a.s.wait(func() bool {
		return slices.ContainsFunc(a.here(), func(m Seen) bool {
			return has([]string{a.s.w.Render(m)}, []string{text}) && a.mentioned(m)
		})
	}) {
		a.s.fail("no message with %q mentions %s", text, a.name())
	}
	return a
}

// mentioned says whether a message, or its card, mentions the actor; page "Cards
// format", mention support within Adaptive Cards.
func (a *Actor) mentioned(m Seen) bool {
	u := a.p.User()
	is := func(id string) bool { return id == u.ID || id == u.ObjectID || id == u.UPN }
	if slices.ContainsFunc(m.Mentions, func(x Mention) bool { return is(x.ID) }) {
		return true
	}
	var card struct {
		Teams struct {
			Entities []struct{ Mentioned struct{ ID string } }
		} `json:"msteams"`
	}
	if json.Unmarshal(m.Card, &card) != nil {
		return false
	}
	for _, e := range card.Teams.Entities {
		if is(e.Mentioned.ID) {
			return true
		}
	}
	return false
}

// newest is the newest message here with the text; it waits for one.
func (a *Actor) newest(text string) Message {
	a.s.t.Helper()
	return a.newestBy("", text)
}

func (a *Actor) newestBy(who, text string) Message {
	a.s.t.Helper()
	var found Message
	if !a.s.wait(func() bool {
		for _, m := range slices.Backward(a.here()) {
			if (who == "" || m.From == who) && a.own(m, text) {
				found = m.Message
				return true
			}
		}
		return false
	}) {
		a.s.fail("%s sees no message with %q", a.name(), text)
	}
	return found
}

// own says whether the message itself has the text; what it quotes does not count.
func (a *Actor) own(m Seen, text string) bool {
	m.Quote = nil
	return has([]string{a.s.w.Render(m)}, []string{text})
}

func (a *Actor) name() string { return a.p.User().DisplayName }

func (a *Actor) did(what string, err error) *Actor {
	a.s.t.Helper()
	if err == nil {
		return a
	}
	var app *AppError
	if errors.As(err, &app) {
		a.s.fail("%s %s, and Teams says: %s", a.name(), what, app.Notice.Text)
		return a
	}
	a.s.fail("%s %s: %v", a.name(), what, err)
	return a
}

// Says posts a message here: in a thread, an answer; in a chat, after InThread, a
// quote. Mention the app as "@Desk", or by whatever its name is.
func (a *Actor) Says(text string, files ...Upload) *Actor {
	a.s.t.Helper()
	_, err := a.p.Say(a.post(a.thread, text, files))
	return a.did("says "+text, err)
}

// Pastes posts a message here with pictures in its text.
func (a *Actor) Pastes(text string, images ...Upload) *Actor {
	a.s.t.Helper()
	post := a.post(a.thread, text, nil)
	post.Images = images
	_, err := a.p.Say(post)
	return a.did("pastes a picture into "+text, err)
}

func (a *Actor) post(under, text string, files []Upload) Post {
	post := Post{Channel: a.channel, Text: text, Files: files}
	if a.flat() {
		post.Quote = under
	} else {
		post.Thread = under
	}
	return post
}

// Replies answers the newest message here: in its thread, or, in a chat, with a
// quote.
func (a *Actor) Replies(text string, files ...Upload) *Actor {
	a.s.t.Helper()
	list := a.here()
	if len(list) == 0 {
		a.s.fail("%s has nothing to reply to", a.name())
		return a
	}
	m := list[len(list)-1]
	under := m.ID
	if !a.flat() {
		under = a.root(m.Message)
	}
	_, err := a.p.Say(a.post(under, text, files))
	return a.did("replies "+text, err)
}

// Runs says what is a slash command elsewhere: "/desk vpn is down" is "vpn is
// down" in the chat with the app, and a mention of it in all other places.
func (a *Actor) Runs(command string) *Actor {
	a.s.t.Helper()
	_, text, _ := strings.Cut(command, " ")
	if !strings.HasPrefix(command, "/") {
		text = command
	}
	if text == "" {
		text = "help"
	}
	if c, _ := a.s.w.Channel(a.channel); c.Kind != Personal {
		text = "@" + a.s.w.app.Name + " " + text
	}
	return a.Says(text)
}

// Sees waits until all these words are on one message here (answers in threads
// and what is for this person alone included), or in the open dialog.
func (a *Actor) Sees(words ...string) *Actor {
	a.s.t.Helper()
	if !a.wait(func() bool { return has(a.texts(), words) }) {
		a.s.fail("%s does not see %q%s", a.name(), words, a.tabText())
	}
	return a
}

// SeesNot fails if a message here has all these words, after the app has gone
// idle.
func (a *Actor) SeesNot(words ...string) *Actor {
	a.s.t.Helper()
	if err := a.s.settle(); err != nil {
		a.s.fail("the app does not come to rest: %v", err)
	}
	if has(a.texts(), words) {
		a.s.fail("%s sees %q%s", a.name(), words, a.tabText())
	}
	return a
}

// Reacts puts a reaction on the newest message here that contains the text.
func (a *Actor) Reacts(text, emoji string) *Actor {
	a.s.t.Helper()
	return a.did("reacts with "+emoji, a.p.React(a.channel, a.newest(text).ID, emoji))
}

// Edits changes the newest message of one's own that contains the text.
func (a *Actor) Edits(text, to string) *Actor {
	a.s.t.Helper()
	return a.did("edits "+text, a.p.Edit(a.channel, a.newestBy(a.p.id, text).ID, to))
}

// Deletes deletes the newest message of one's own that contains the text.
func (a *Actor) Deletes(text string) *Actor {
	a.s.t.Helper()
	return a.did("deletes "+text, a.p.Delete(a.channel, a.newestBy(a.p.id, text).ID))
}

// Uses runs a command of the message extension by its title on the newest message
// that contains the text; with an empty text, one of the compose area.
func (a *Actor) Uses(command, text string) *Actor {
	a.s.t.Helper()
	id := ""
	if text != "" {
		id = a.newest(text).ID
	}
	return a.did("uses "+command, a.p.Command(command, a.channel, id))
}

// Results are what a search with a command of the message extension finds, as
// text.
func (a *Actor) Results(command, query string) []string {
	a.s.t.Helper()
	found, err := a.p.Search(command, a.channel, query)
	a.did("searches for "+query, err)
	var all []string
	for _, f := range found {
		all = append(all, f.Title+"\n"+f.Text+"\n"+RenderCard(f.Card))
	}
	return all
}

// Finds searches with a command of the message extension, and must find a result
// with these words.
func (a *Actor) Finds(command, query string, words ...string) *Actor {
	a.s.t.Helper()
	all := a.Results(command, query)
	if !has(all, words) {
		a.s.fail("%s searches for %q and does not find %q but %q", a.name(), query, words, all)
	}
	return a
}
