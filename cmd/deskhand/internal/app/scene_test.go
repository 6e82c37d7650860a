package app

import (
	"context"
	"errors"
	"time"
)

// said is a message as people see it, on any platform.
type said struct {
	channel, id string
	// root is the first message of its thread, which may be itself; empty in a chat
	// that has no threads, where whoever answers quotes.
	root    string
	text    string // in words
	shown   string // all that is on it
	bot     bool   // the desk's
	private bool   // for one person's eyes
}

// scene is a platform's double as the crowd uses it, and as what it has seen is
// held against the record.
type scene interface {
	platform() string
	connect(url string)
	place(channel string) string     // its id
	chat(who string) (string, error) // the id of their chat with the desk
	follow(ctx context.Context, see func(said))
	wait(ctx context.Context, ok func() bool) error

	// say answers under a message: in its thread, or with a quote of it.
	say(who, channel, under, text string) error
	// command asks by the platform's command, or by what stands for it.
	command(who, channel, text string) error
	offers(m said, label string) bool
	press(who string, m said, label string) error

	// form is all that is on the form which somebody has open; empty: none.
	form(who string) string
	pressIn(who, label string) error
	fill(who, label, value string) error
	submit(who string) error
	shut(who string)

	// trouble has the platform fail, often as often, until calm.
	trouble(seed uint64, often float64)
	calm()

	// idle waits until nothing is under way to the desk or from it.
	idle(ctx context.Context) error
	// standing are the desk's messages as they are now, by the post that they say
	// they are.
	standing() map[string][]said
	// sent are the attempts to send each post that made a message, where one that
	// was not confirmed can't be looked for.
	sent() map[string][]attempt
	// arrivals tell of each message of a person when it was first on its way to the
	// desk, and when the desk had taken it, by channel and id.
	arrivals() map[string]arrival
	// untaken tells what happened to each event that the desk never took.
	untaken() map[string][]string
	// deliveriesOf tells how what has the word was delivered.
	deliveriesOf(word string) string
	stats() string
}

// attempt is a call that has made a message.
type attempt struct {
	id       string // of the message
	at, done time.Time
	answered bool
}

type arrival struct{ first, taken time.Time }

// with counts one more delivery in.
func (a arrival) with(at time.Time, took time.Duration, status int) arrival {
	if a.first.IsZero() || at.Before(a.first) {
		a.first = at
	}
	if end := at.Add(took); status >= 200 && status < 300 && (a.taken.IsZero() || end.Before(a.taken)) {
		a.taken = end
	}
	return a
}

// What a platform may say to somebody who presses or sends.
var (
	errFailed = errors.New("the platform says that the desk failed")
	errGone   = errors.New("the platform does not offer that any more")
)
