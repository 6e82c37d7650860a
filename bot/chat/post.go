package chat

import (
	"errors"
	"fmt"
	"time"
)

// PostKind is what becomes of a Post.
type PostKind string

// The kinds of Post.
const (
	Message PostKind = "message" // stays and can be updated
	Whisper PostKind = "whisper" // for User's eyes only, in Place; can't be updated
	Home    PostKind = "home"    // User's home of the desk; sending again replaces it
	React   PostKind = "react"   // Emoji on the message Target
	Unreact PostKind = "unreact" // and off again
)

// Post is one thing to deliver.
type Post struct {
	// ID is the desk's own name for the post. Adapters put it where Find will
	// see it, so that a lost answer does not make a second message.
	ID   string
	Kind PostKind
	// Queued is when the desk decided to say it, if that is known: what stands
	// there from before is something else.
	Queued time.Time
	// Place is where it goes. A Message with an empty Channel goes to User's
	// direct messages with the desk.
	Place Place
	User  User
	Card  Card
	As    *Persona // the desk itself if nil
	Files []Attachment

	// Viewers are shown a card of their own where the platform has such views:
	// it reports Viewed for each, and the Answer has their Card. At most 60, the
	// most that Teams takes.
	Viewers []User

	Emoji  string
	Target string // message id in Place.Channel
	Reply  string // an Event's Reply, for a Whisper that can use it
}

// Ways are how a platform differs where the desk's words or steps depend on
// it.
type Ways struct {
	// Command is what one types before a command in a channel: "/desk ".
	Command string
	// FlatChats says that only channels have threads: a chat of one or a few
	// people with the desk is one row of messages.
	FlatChats bool
	// Reactions says that the desk can put an emoji on a message.
	Reactions bool
	// Views says that a card may look different to some: Post.Viewers.
	Views bool
	// Closings says that a Form that is closed unsent is reported.
	Closings bool
}

// Persona is the person in whose name the desk passes a message on.
type Persona struct {
	Name   string `json:"name"`
	Avatar string `json:"avatar,omitempty"`
}

// Attachment is a file to post.
type Attachment struct {
	ID   string // the record's own name for it
	Name string
	MIME string
	Data []byte
}

// Ref is where a Message came to stand.
type Ref struct {
	Channel string // the real one, also where Place named a user
	Message string
}

// Budget is a limit that a Post is subject to: Rate per second with bursts of
// Burst, shared by all that have the same Name.
type Budget struct {
	Name  string
	Rate  float64
	Burst int
	// Wide says that conversations share it which have nothing else in common: that
	// one is refused is no reason to stop the others.
	Wide bool
}

// What a platform may say to a call. Any other error is passing: it is tried
// again.
var (
	// ErrUnsure says that the call may have taken effect: look before sending again.
	ErrUnsure = errors.New("the platform's answer was lost")
	// ErrGone says that the place or the message is not there, or not open to the desk.
	ErrGone = errors.New("not there any more")
)

// LimitedError says that the platform wants no more calls of this kind for a
// time.
type LimitedError struct{ After time.Duration }

func (e *LimitedError) Error() string {
	return fmt.Sprintf("limited by the platform for %s", e.After)
}

// RefusedError says that the platform will never take this call as it is.
type RefusedError struct{ Reason string }

func (e *RefusedError) Error() string { return "refused by the platform: " + e.Reason }
