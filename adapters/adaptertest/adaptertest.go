// Package adaptertest is one list of conversations that every chat platform
// must pass by the same code, and the table that says so.
//
// A Conversation is written against a World: people at their clients, channels,
// the desk's clock. It names no platform. What a platform can't do is a Feature
// that its Platform lacks, with the reason and what people do instead; a
// conversation that needs the feature is left out there, and the table shows
// both. So a new flow is added in one place and fails on the platform that lacks
// it.
//
// The same list runs with requesters and agents on the same platform and on
// different ones.
//
// Whoever runs the list brings a Start, which makes a running desk with the
// doubles of its platforms, peopled with People and Channels.
package adaptertest

import (
	"slices"
	"testing"
	"time"
)

// A Conversation is one thing that people and the desk do together.
type Conversation struct {
	Name string   // a sentence
	Rows []string // of the product map that it shows
	// Needs are left out where a platform lacks one; with Lacking, it is held only
	// where a platform lacks them all, and shows what people have instead.
	Needs, Lacking []Feature
	// Crosses says that requesters and agents both have a part in it, so that it
	// is also held with them on different platforms.
	Crosses bool
	// Only says that it is held on different platforms only; with Both, the teams
	// have their channels on both.
	Only, Both bool
	// Bare says that the desk has neither policy nor articles.
	Bare bool
	// Manner is how Acme works, if not as usual.
	Manner Manner
	Run    func(*World)
}

// Manner is a way in which Acme works.
type Manner int

// The manners.
const (
	Usual  Manner = iota
	Tiered        // a third tier, Backbone, is in it-spare, and passwords are work for the second at most
	Chosen        // the desk gives the service desk's tickets away; Kim knows printers
	Shifts        // the same, and nobody is at work but Kim from the day after tomorrow
	Quiet         // alerts wait until the day after tomorrow, but for critical ones: these go to Kim, who is on call
)

// Conversations is the list.
func Conversations() []Conversation {
	return slices.Concat(story, asking, opening, triaging, assigning, talking, resolving, learning, promising, itemising, changing, delivering, visiting, settingUp, crossing, troubled)
}

// A Pair says on which platforms a desk's people are, by name.
type Pair struct {
	Asking, Working Platform
	Both            bool // the teams have channels on Asking too
	Slice           bool // of what is also held with all on one platform, the main story alone
	Manner          Manner
}

// On has everybody on one platform.
func On(p Platform) Pair { return Pair{Asking: p, Working: p} }

// Has tells whether any of its people are on a platform.
func (p Pair) Has(one Platform) bool { return p.Asking.Name == one.Name || p.Working.Name == one.Name }

// mixed says that requesters and agents are on different platforms.
func (p Pair) mixed() bool { return p.Asking.Name != p.Working.Name }

// Held tells whether the conversation is held on the pair's platforms.
func (p Pair) Held(c Conversation) bool {
	for _, f := range c.Needs {
		if !p.Asking.Has(f) || !p.Working.Has(f) {
			return false
		}
	}
	for _, f := range c.Lacking {
		if p.Asking.Has(f) {
			return false
		}
	}
	if p.mixed() {
		return c.Only || c.Crosses && (!p.Slice || c.Name == story[0].Name)
	}
	return !c.Only
}

// Start makes a running desk on the pair's platforms that ends with the test. A
// bare one has no policy and no articles.
type Start func(t *testing.T, on Pair, bare bool) Desk

// Run holds all conversations that the pair's platforms are able to.
func Run(t *testing.T, on Pair, start Start) {
	for _, c := range Conversations() {
		if !on.Held(c) {
			continue
		}
		t.Run(c.Name, func(t *testing.T) {
			t.Parallel()
			on := on
			on.Both, on.Manner = c.Both, c.Manner
			c.Run(&World{T: t, Desk: start(t, on, c.Bare), on: on})
		})
	}
}

// Desk is a running desk and the doubles of its platforms.
type Desk interface {
	// Person is somebody at their client, in their personal chat with the desk.
	Person(platform, name string) Actor
	// Place is a channel as nobody in particular sees it.
	Place(platform, channel string) Place
	// Now is what the desk's clock says, and Pass puts it forward.
	Now() time.Time
	Pass(time.Duration)
	// Settle waits until the desk has nothing left to do that is due.
	Settle()
	// Record is the one number that a query of the desk's record returns.
	Record(query string, args ...any) int
	// Trouble has something go wrong between the desk and a platform from now on.
	Trouble(platform string, what Trouble)
	// Token lets a program act for somebody.
	Token(owner string) string
	// Asks is such a program at the desk's API.
	Asks(token, method, path, body string) (status int, answer string)
	// Applies puts Acme's policy in force where there is none yet.
	Applies()
	// Restart ends the desk's process and starts another on the same record.
	Restart()
}

// Trouble is what goes wrong between a platform and the desk.
type Trouble int

// The kinds of trouble.
const (
	Calm      Trouble = iota
	Away              // every call of the desk fails, as when the platform is down
	Limited           // the next three calls are told to come again in a second
	Lossy             // every third call takes effect and its answer is lost
	Twice             // the platform delivers everything twice
	Overtaken         // what is said is delivered a second late, after its edits
)

// World is what a conversation is held in.
type World struct {
	*testing.T
	Desk
	on Pair
}

// Person is somebody where they work.
func (w *World) Person(name string) Actor {
	w.Helper()
	if works(name) {
		return w.Desk.Person(w.on.Working.Name, name)
	}
	return w.Desk.Person(w.on.Asking.Name, name)
}

// Asking is somebody among the requesters: agents have accounts there too.
func (w *World) Asking(name string) Actor {
	w.Helper()
	return w.Desk.Person(w.on.Asking.Name, name)
}

// Aside is where somebody of the team reads what is for their eyes only in one
// of its channels.
func (w *World) Aside(name, channel string) Actor {
	w.Helper()
	if w.on.Working.Has(Aside) {
		return w.Person(name).In(channel)
	}
	return w.Person(name)
}

// Channel is a channel as nobody in particular sees it.
func (w *World) Channel(name string) Place {
	w.Helper()
	for _, c := range Channels {
		if c.Name == name && c.Works {
			return w.Place(w.on.Working.Name, name)
		}
	}
	return w.Place(w.on.Asking.Name, name)
}

// Recorded says how many of something the record must have.
func (w *World) Recorded(want int, what, query string, args ...any) {
	w.Helper()
	if got := w.Record(query, args...); got != want {
		w.Errorf("%d %s on record, want %d", got, what, want)
	}
}

// Each puts all of a pair's platforms into trouble.
func (w *World) Each(what Trouble) {
	w.Trouble(w.on.Asking.Name, what)
	if w.on.mixed() {
		w.Trouble(w.on.Working.Name, what)
	}
}

// AtOnce does several things at the same moment.
func (w *World) AtOnce(what ...func() error) {
	w.Helper()
	done := make(chan error)
	for _, do := range what {
		go func() { done <- do() }()
	}
	for range what {
		if err := <-done; err != nil {
			w.Errorf("at the same moment as another: %v", err)
		}
	}
}
