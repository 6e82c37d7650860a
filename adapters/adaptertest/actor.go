package adaptertest

import "testing"

// Actor is somebody with their client open at one place: their personal chat
// with the desk, unless In or About has gone elsewhere. Each line is done at once
// and must succeed, or the test ends with the transcript; what is seen is waited
// for.
type Actor interface {
	// In is the actor at a channel.
	In(channel string) Actor
	// About is the actor answering to the newest message here that has the words:
	// in its thread or, where there are no threads, with a quote of it.
	About(words string) Actor
	// OpensHome is the actor at the desk's home: the home tab, or a page.
	OpensHome() Actor
	Joins(channel string) Actor
	Leaves(channel string) Actor

	Says(text string, files ...File) Actor
	// Calls says something to the desk by name.
	Calls(text string) Actor
	// Commands is Calls by the platform's own means for commands.
	Commands(text string) Actor
	// Edits and Deletes concern the newest message of one's own that has the
	// words; Reacts and Uses anybody's. With no words, Uses is a shortcut that
	// stands on no message.
	Edits(words, to string) Actor
	Deletes(words string) Actor
	Reacts(words, emoji string) Actor
	Uses(shortcut, words string) Actor

	// Press waits for a button or an entry of a menu, in the open form if there is
	// one, and presses the newest one.
	Press(button string) Actor
	// PressSure presses one that asks whether one is sure, and says yes by its
	// label.
	PressSure(button, yes string) Actor
	// PressOn presses one on the newest message that has the words.
	PressOn(words, button string) Actor
	// Holds waits for a button and returns the press of it as it stands now.
	Holds(button string) func() error
	// Fill enters text, or chooses options by their label, in the field with this
	// label.
	Fill(field string, values ...string) Actor
	Submits() Actor
	// SubmitRefused sends the form, which must be refused with these words beside
	// a field; without words, with whatever the client says to an empty one.
	SubmitRefused(words ...string) Actor
	Closes() Actor

	// Sees waits until all the words are on one message here, or in the open form.
	Sees(words ...string) Actor
	// SeesNot waits until the desk has nothing left to do and fails if it is there.
	SeesNot(words ...string) Actor
	SeesForm(words ...string) Actor
	SeesNoForm() Actor
	// Notified waits until a message here with the words mentions the actor.
	Notified(words string) Actor
	// Counts is how many messages here have all the words.
	Counts(words ...string) int
	// SeesFile waits until a file with these bytes is here to be opened.
	SeesFile(data []byte) Actor
	// Finds looks for something to put into a message, and is all that is offered.
	Finds(words string) string
}

// Place is a channel seen from above: everything in it but what is for one
// person's eyes.
type Place interface {
	Sees(words ...string) Place
	SeesNot(words ...string) Place
}

// File is a file that somebody adds to a message.
type File struct {
	Name   string
	Data   []byte
	Pasted bool // a picture, in the text itself
}

// Script is what the actors of the platforms' doubles do alike; A is such an
// actor itself.
type Script[A any] interface {
	In(channel string) A
	Joins(channel string) A
	Leaves(channel string) A
	Edits(words, to string) A
	Deletes(words string) A
	Reacts(words, emoji string) A
	Uses(shortcut, words string) A
	Press(button string) A
	PressOn(words, button string) A
	Holds(button string) func() error
	Fill(field string, values ...string) A
	Submits() A
	SubmitRefused(words ...string) A
	Closes() A
	Sees(words ...string) A
	SeesNot(words ...string) A
	SeesForm(words ...string) A
	SeesNoForm() A
	SeesFile(data []byte) A
	Counts(words ...string) int
}

// Own is what they do each in its own way.
type Own[A any] struct {
	About     func(a A, words string) A
	OpensHome func(a A) Actor
	Says      func(a A, text string, files []File) A
	PressSure func(a A, button, yes string) A
	Calls     func(a A, text string) A
	Notified  func(a A, words string) A
	Commands  func(a A, text string) A
	Finds     func(a A, words string) string // nil without Finder
}

// Play makes an Actor of a double's.
func Play[A Script[A]](t testing.TB, a A, own *Own[A]) Actor { return player[A]{t, a, own} }

type player[A Script[A]] struct {
	t   testing.TB
	a   A
	own *Own[A]
}

func (p player[A]) as(a A) Actor { return player[A]{p.t, a, p.own} }

func (p player[A]) In(channel string) Actor {
	p.t.Helper()
	return p.as(p.a.In(channel))
}

func (p player[A]) Joins(channel string) Actor {
	p.t.Helper()
	return p.as(p.a.Joins(channel))
}

func (p player[A]) Leaves(channel string) Actor {
	p.t.Helper()
	return p.as(p.a.Leaves(channel))
}

func (p player[A]) Edits(words, to string) Actor {
	p.t.Helper()
	return p.as(p.a.Edits(words, to))
}

func (p player[A]) Deletes(words string) Actor {
	p.t.Helper()
	return p.as(p.a.Deletes(words))
}

func (p player[A]) Reacts(words, emoji string) Actor {
	p.t.Helper()
	return p.as(p.a.Reacts(words, emoji))
}

func (p player[A]) Uses(shortcut, words string) Actor {
	p.t.Helper()
	return p.as(p.a.Uses(shortcut, words))
}

func (p player[A]) Press(button string) Actor {
	p.t.Helper()
	return p.as(p.a.Press(button))
}

func (p player[A]) PressOn(words, button string) Actor {
	p.t.Helper()
	return p.as(p.a.PressOn(words, button))
}

func (p player[A]) Fill(field string, values ...string) Actor {
	p.t.Helper()
	return p.as(p.a.Fill(field, values...))
}

func (p player[A]) Submits() Actor {
	p.t.Helper()
	return p.as(p.a.Submits())
}

func (p player[A]) SubmitRefused(words ...string) Actor {
	p.t.Helper()
	return p.as(p.a.SubmitRefused(words...))
}

func (p player[A]) Closes() Actor {
	p.t.Helper()
	return p.as(p.a.Closes())
}

func (p player[A]) Sees(words ...string) Actor {
	p.t.Helper()
	return p.as(p.a.Sees(words...))
}

func (p player[A]) SeesNot(words ...string) Actor {
	p.t.Helper()
	return p.as(p.a.SeesNot(words...))
}

func (p player[A]) SeesForm(words ...string) Actor {
	p.t.Helper()
	return p.as(p.a.SeesForm(words...))
}

func (p player[A]) SeesNoForm() Actor {
	p.t.Helper()
	return p.as(p.a.SeesNoForm())
}

func (p player[A]) Holds(button string) func() error {
	p.t.Helper()
	return p.a.Holds(button)
}

func (p player[A]) Counts(words ...string) int { return p.a.Counts(words...) }

func (p player[A]) About(words string) Actor {
	p.t.Helper()
	return p.as(p.own.About(p.a, words))
}

func (p player[A]) OpensHome() Actor {
	p.t.Helper()
	return p.own.OpensHome(p.a)
}

func (p player[A]) Says(text string, files ...File) Actor {
	p.t.Helper()
	return p.as(p.own.Says(p.a, text, files))
}

func (p player[A]) Notified(words string) Actor {
	p.t.Helper()
	return p.as(p.own.Notified(p.a, words))
}

func (p player[A]) PressSure(button, yes string) Actor {
	p.t.Helper()
	return p.as(p.own.PressSure(p.a, button, yes))
}

func (p player[A]) Calls(text string) Actor {
	p.t.Helper()
	return p.as(p.own.Calls(p.a, text))
}

func (p player[A]) Commands(text string) Actor {
	p.t.Helper()
	return p.as(p.own.Commands(p.a, text))
}

func (p player[A]) SeesFile(data []byte) Actor {
	p.t.Helper()
	return p.as(p.a.SeesFile(data))
}

func (p player[A]) Finds(words string) string {
	p.t.Helper()
	return p.own.Finds(p.a, words)
}

// Sight is what the channels of the platforms' doubles do alike.
type Sight[P any] interface {
	Sees(words ...string) P
	SeesNot(words ...string) P
}

// Seen makes a Place of a double's.
func Seen[P Sight[P]](t testing.TB, p P) Place { return seen[P]{t, p} }

type seen[P Sight[P]] struct {
	t testing.TB
	p P
}

func (s seen[P]) Sees(words ...string) Place {
	s.t.Helper()
	return seen[P]{s.t, s.p.Sees(words...)}
}

func (s seen[P]) SeesNot(words ...string) Place {
	s.t.Helper()
	return seen[P]{s.t, s.p.SeesNot(words...)}
}
