package slacktest

import (
	"bytes"
	"context"
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
	// Nil waits for the events and calls that Slack knows of, which is not enough
	// for an app that works on after it has answered.
	Settled func(context.Context) error

	w *Workspace
	t TB
}

// Script begins a conversation.
func (w *Workspace) Script(t TB) *Script { return &Script{w: w, t: t} }

// Person is a member by name or id, at first in their DM with the app.
func (s *Script) Person(name string) *Actor {
	s.t.Helper()
	p := s.w.Person(name)
	s.w.mu.Lock()
	c, err := p.dm()
	s.w.mu.Unlock()
	if err != nil {
		s.fail("%s cannot talk to the app: %v", name, err)
		return nil
	}
	return &Actor{s: s, p: p, channel: c.ID}
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

// wait looks again after each change until ok or out of patience.
func (s *Script) wait(ok func() bool) bool {
	patience := s.Patience
	if patience == 0 {
		patience = 5 * time.Second
	}
	ctx, cancel := context.WithTimeout(s.t.Context(), patience)
	defer cancel()
	return s.w.Wait(ctx, ok) == nil
}

func (s *Script) settle() error {
	patience := s.Patience
	if patience == 0 {
		patience = 5 * time.Second
	}
	ctx, cancel := context.WithTimeout(s.t.Context(), patience)
	defer cancel()
	if s.Settled != nil {
		if err := s.Settled(ctx); err != nil {
			return err
		}
	}
	return s.w.Idle(ctx)
}

var emphasis = strings.NewReplacer("*", "", "_", "", "~", "", "`", "")
var shortcode = regexp.MustCompile(`:[a-z0-9_+-]+:`)

// bare is text without emphasis, and with any space as one blank.
func bare(s string) string { return strings.Join(strings.Fields(emphasis.Replace(s)), " ") }

// label is a label without its emoji.
func label(s string) string {
	if !strings.Contains(s, ":") { // most, and an expression costs more than to see that
		return bare(s)
	}
	return bare(shortcode.ReplaceAllString(s, ""))
}

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

// A Place is a conversation seen from above: everything in it but ephemerals.
type Place struct {
	s        *Script
	id, name string
}

func (p *Place) texts() []string {
	p.s.w.mu.Lock()
	defer p.s.w.mu.Unlock()
	var list []string
	for _, m := range p.s.w.convByID[p.id].msgs {
		if !m.Ephemeral {
			list = append(list, p.s.w.line(m))
		}
	}
	return list
}

// Sees waits until all these words are on one message there.
func (p *Place) Sees(words ...string) *Place {
	p.s.t.Helper()
	if !p.s.wait(func() bool { return has(p.texts(), words) }) {
		p.s.fail("no message in %s has %q", p.name, words)
	}
	return p
}

// SeesNot fails if a message there has all these words, after the app has gone
// idle.
func (p *Place) SeesNot(words ...string) *Place {
	p.s.t.Helper()
	if err := p.s.settle(); err != nil {
		p.s.fail("the app does not come to rest: %v", err)
	}
	if has(p.texts(), words) {
		p.s.fail("a message in %s has %q", p.name, words)
	}
	return p
}

// An Actor is somebody with their client open at one place: their DM with the app,
// unless In or InThread has gone elsewhere.
type Actor struct {
	s       *Script
	p       *Person
	channel string
	thread  string
	home    bool
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

// Joins joins a channel; the actor stays where they are.
func (a *Actor) Joins(channel string) *Actor {
	a.s.t.Helper()
	return a.did("joins "+channel, a.p.Join(channel))
}

// Leaves leaves a channel.
func (a *Actor) Leaves(channel string) *Actor {
	a.s.t.Helper()
	return a.did("leaves "+channel, a.p.Leave(channel))
}

// InThread is the actor in the thread under the newest message here that contains
// the text.
func (a *Actor) InThread(text string) *Actor {
	a.s.t.Helper()
	m := a.newest(text)
	root := m.ThreadTS
	if root == "" {
		root = m.TS
	}
	return &Actor{s: a.s, p: a.p, channel: a.channel, thread: root}
}

// here are the messages that the actor sees at this place, the oldest first.
func (a *Actor) here() []*Message {
	var list []*Message
	c := a.s.w.convByID[a.channel]
	for _, m := range c.msgs {
		if m.Ephemeral && m.To != a.p.id || a.thread != "" && m.ThreadTS != a.thread && m.TS != a.thread {
			continue
		}
		list = append(list, m)
	}
	return list
}

// texts is everything on the actor's screen.
func (a *Actor) texts() []string {
	w := a.s.w
	w.mu.Lock()
	defer w.mu.Unlock()
	var list []string
	if stack := w.views.stack[a.p.id]; len(stack) > 0 {
		list = append(list, w.view(stack[len(stack)-1]))
	}
	if a.home {
		if v := w.views.home[a.p.id]; v != nil {
			list = append(list, w.view(v))
		}
		return list
	}
	for _, m := range a.here() {
		list = append(list, w.line(m))
	}
	return list
}

// Notified waits until a message here that contains the text mentions the actor.
func (a *Actor) Notified(text string) *Actor {
	a.s.t.Helper()
	if !a.s.wait(func() bool {
		return a.look(func(m *Message) bool {
			return has([]string{a.s.w.message(m)}, []string{text}) &&
				(strings.Contains(m.Text, "<@"+a.p.id+">") || strings.Contains(string(m.Blocks), `"user_id":"`+a.p.id+`"`))
		}) != nil
	}) {
		a.s.fail("no message with %q mentions %s", text, a.name())
	}
	return a
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

// SeesFile waits until a message here has a file with these bytes.
func (a *Actor) SeesFile(data []byte) *Actor {
	a.s.t.Helper()
	if !a.s.wait(func() bool {
		return a.look(func(m *Message) bool {
			return slices.ContainsFunc(m.Files, func(f File) bool {
				kept := a.s.w.files.byID[f.ID]
				return kept != nil && kept.arrived && bytes.Equal(kept.data, data)
			})
		}) != nil
	}) {
		a.s.fail("%s sees no file of these %d bytes", a.name(), len(data))
	}
	return a
}

// newest is the newest message here with the text; it waits for one.
func (a *Actor) newest(text string) *Message {
	a.s.t.Helper()
	var found *Message
	if !a.s.wait(func() bool {
		found = a.look(func(m *Message) bool { return has([]string{a.s.w.message(m)}, []string{text}) })
		return found != nil
	}) {
		a.s.fail("%s sees no message with %q", a.name(), text)
		return &Message{}
	}
	return found
}

func (a *Actor) look(ok func(*Message) bool) *Message {
	a.s.w.mu.Lock()
	defer a.s.w.mu.Unlock()
	for _, m := range slices.Backward(a.here()) {
		if ok(m) {
			return m
		}
	}
	return nil
}

func (a *Actor) name() string {
	u := a.p.User()
	return u.shownName()
}

func (a *Actor) did(what string, err error) *Actor {
	a.s.t.Helper()
	if err != nil {
		var app *AppError
		if errors.As(err, &app) {
			a.s.fail("%s %s, and Slack says: %s", a.name(), what, app.Notice.Text)
			return a
		}
		a.s.fail("%s %s: %v", a.name(), what, err)
	}
	return a
}

// Says posts a message here.
func (a *Actor) Says(text string, files ...Upload) *Actor {
	a.s.t.Helper()
	_, err := a.p.Say(Post{Channel: a.channel, Thread: a.thread, Text: text, Files: files})
	return a.did("says "+text, err)
}

// Replies posts in the thread of the newest message here.
func (a *Actor) Replies(text string, files ...Upload) *Actor {
	a.s.t.Helper()
	m := a.look(func(m *Message) bool { return !m.Ephemeral })
	if m == nil {
		a.s.fail("%s has nothing to reply to", a.name())
		return a
	}
	root := m.ThreadTS
	if root == "" {
		root = m.TS
	}
	_, err := a.p.Say(Post{Channel: a.channel, Thread: root, Text: text, Files: files})
	return a.did("replies "+text, err)
}

// Runs types a slash command here: "/desk vpn is down".
func (a *Actor) Runs(command string) *Actor {
	a.s.t.Helper()
	name, text, _ := strings.Cut(command, " ")
	return a.did("runs "+command, a.p.Command(a.channel, name, text))
}

// Sees waits until all these words are on one message here (replies and ephemerals
// to this person included), in the open view, or, after OpensHome, on the Home tab.
func (a *Actor) Sees(words ...string) *Actor {
	a.s.t.Helper()
	if !a.s.wait(func() bool { return has(a.texts(), words) }) {
		a.s.fail("%s does not see %q", a.name(), words)
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
		a.s.fail("%s sees %q", a.name(), words)
	}
	return a
}

// Reacts puts an emoji on the newest message here that contains the text.
func (a *Actor) Reacts(text, emoji string) *Actor {
	a.s.t.Helper()
	return a.did("reacts with "+emoji, a.p.React(a.channel, a.newest(text).TS, emoji))
}

// Edits changes the newest message of one's own that contains the text.
func (a *Actor) Edits(text, to string) *Actor {
	a.s.t.Helper()
	return a.did("edits "+text, a.p.Edit(a.channel, a.newest(text).TS, to))
}

// Deletes deletes the newest message of one's own that contains the text.
func (a *Actor) Deletes(text string) *Actor {
	a.s.t.Helper()
	return a.did("deletes "+text, a.p.Delete(a.channel, a.newest(text).TS))
}

// Uses runs a message shortcut by its name on the newest message that contains the
// text; with an empty text, a global shortcut.
func (a *Actor) Uses(shortcut, text string) *Actor {
	a.s.t.Helper()
	i := slices.IndexFunc(a.s.w.app.Shortcuts, func(s Shortcut) bool { return s.Name == shortcut && s.OnMessage == (text != "") })
	if i < 0 {
		a.s.fail("there is no shortcut %q", shortcut)
		return a
	}
	id := a.s.w.app.Shortcuts[i].CallbackID
	if text == "" {
		return a.did("uses "+shortcut, a.p.Shortcut(id))
	}
	return a.did("uses "+shortcut, a.p.MessageShortcut(id, a.channel, a.newest(text).TS))
}

// OpensHome opens the Home tab. What follows is done there.
func (a *Actor) OpensHome() *Actor {
	a.s.t.Helper()
	return (&Actor{s: a.s, p: a.p, channel: a.channel, home: true}).did("opens the Home tab", a.p.OpenHome())
}
