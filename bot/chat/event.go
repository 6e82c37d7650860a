package chat

import "time"

// User is one account on one platform.
type User struct {
	Platform  string `json:"p"` // the adapter's name
	Workspace string `json:"w"` // the installation: a workspace, a tenant
	ID        string `json:"id"`
}

// Place is a channel, or one thread in it.
type Place struct {
	Platform  string `json:"p"`
	Workspace string `json:"w"`
	Channel   string `json:"c"`
	Thread    string `json:"t,omitempty"` // id of the thread's first message; empty: the channel itself
}

// Scope says who listens in a place.
type Scope string

// The scopes of a place.
const (
	Direct Scope = "direct" // one person and the desk
	Group  Scope = "group"  // a few people, invited
	Open   Scope = "open"   // a channel
)

// Kind is what happened.
type Kind string

// The kinds of event.
const (
	Said      Kind = "said"      // a message was posted
	Edited    Kind = "edited"    // Message now reads Text
	Deleted   Kind = "deleted"   // Message is gone
	Reacted   Kind = "reacted"   // Emoji was put on Message, which Author wrote
	Unreacted Kind = "unreacted" // and taken away
	Pressed   Kind = "pressed"   // a Button with Action and Args was pressed in Message
	Submitted Kind = "submitted" // a Form with Action and Args was sent with Values
	Dismissed Kind = "dismissed" // a Form was closed unsent; Values hold what was in it
	Changed   Kind = "changed"   // a Field with Refresh was changed in an open Form
	Commanded Kind = "commanded" // the slash command, Text is what followed it
	Picked    Kind = "picked"    // the message menu's Action on Message, which Author wrote as Text
	Started   Kind = "started"   // a global shortcut's Action
	Searched  Kind = "searched"  // type-ahead: Text was typed in the Field named Action
	Visited   Kind = "visited"   // the desk's home was opened
	Joined    Kind = "joined"    // By has come into the channel
	Left      Kind = "left"      // By has left the channel
	Invited   Kind = "invited"   // the desk itself has come into the channel, invited by By
	Overheard Kind = "overheard" // said among others, and none of the desk's business
	Viewed    Kind = "viewed"    // By, one of the Post's Viewers, looks at Message
	Browsed   Kind = "browsed"   // By looks for Text in what the desk has, to put it into a message
)

// Asks tells whether such an event only wants an Answer: it changes nothing
// and may come as often as it likes.
func (k Kind) Asks() bool {
	return k == Changed || k == Searched || k == Viewed || k == Browsed
}

// Overtaking is how long a platform may take to deliver a message of which it
// has delivered an edit already: both try again for some minutes.
const Overtaking = 10 * time.Minute

// Event is one thing that a person did, as the platform reported it.
type Event struct {
	// Key is equal for every redelivery of the event and for nothing else. At
	// most 200 bytes.
	Key string `json:"key"`
	// At is when it happened by the platform's clock, equal in redeliveries.
	At    time.Time `json:"at"`
	Kind  Kind      `json:"kind"`
	By    User      `json:"by"`
	Place Place     `json:"place"`
	Scope Scope     `json:"scope,omitempty"`
	// Flat says that there are no threads in Place: whoever talks of several
	// things does so in one row. Place.Thread is then the message that Text
	// quotes, if it quotes one.
	Flat bool `json:"flat,omitempty"`

	Text      string `json:"text,omitempty"`      // plain; mentions as Mention writes them
	Mentioned bool   `json:"mentioned,omitempty"` // the desk was addressed by name; the name is not in Text
	Message   string `json:"message,omitempty"`   // id within Place.Channel
	// SaidKey is, on Edited and Deleted, the Key of the event in which Message was
	// said, if that is less than Overtaking ago: it may still be on its way.
	SaidKey string `json:"said_key,omitempty"`
	Author  User   `json:"author,omitzero"`
	Files   []File `json:"files,omitempty"`
	Emoji   string `json:"emoji,omitempty"` // its name without colons

	Action string `json:"action,omitempty"`
	Args   Args   `json:"args,omitempty"`
	Values Values `json:"values,omitempty"`
	View   string `json:"view,omitempty"` // the open Form, for an Answer that changes it

	// Reply is the adapter's own address for a private answer to this event.
	Reply string `json:"reply,omitempty"`

	// InCall says that the platform is waiting for the Answer.
	InCall bool `json:"-"`
	// InPlace says that it puts the Answer's Card where Message is.
	InPlace bool `json:"-"`
}

// Conversation is the key under which events keep their order.
func (e Event) Conversation() string {
	p := e.Place
	thread := p.Thread
	switch e.Kind {
	case Said, Edited, Deleted, Reacted, Unreacted:
		if e.Flat {
			return p.Platform + ":" + p.Workspace + ":" + p.Channel + ":"
		}
		if thread == "" {
			thread = e.Message // a first message opens its own thread
		}
	}
	if thread == "" {
		thread = e.By.ID // forms, commands, home: in order for each person
	}
	return p.Platform + ":" + p.Workspace + ":" + p.Channel + ":" + thread
}

// Args travel with a Button or a Form and come back when it is used: which
// thing it is about and the version it was drawn from, never state or rights.
type Args map[string]string

// Values are a Form's inputs by Field name: one string, or several for Checks
// and People. A user is named by the platform's id; dates are 2006-01-02,
// times 15:04.
type Values map[string][]string

// One is the field's only value, or "".
func (v Values) One(name string) string {
	if s := v[name]; len(s) > 0 {
		return s[0]
	}
	return ""
}

// File is a file in a message. URL is the adapter's own address for it.
type File struct {
	ID   string `json:"id"`
	Name string `json:"name"`
	MIME string `json:"mime,omitempty"`
	Size int64  `json:"size"` // bytes
	URL  string `json:"url,omitempty"`
}

// Profile is what a platform says of a user.
type Profile struct {
	User     User   `json:"user"`
	Name     string `json:"name"`
	Mail     string `json:"mail,omitempty"`     // only if the platform vouches that it is the user's
	TimeZone string `json:"timezone,omitempty"` // IANA name
	Locale   string `json:"locale,omitempty"`   // BCP 47
	Admin    bool   `json:"admin,omitempty"`
	Guest    bool   `json:"guest,omitempty"`
	Bot      bool   `json:"bot,omitempty"`
	Deleted  bool   `json:"deleted,omitempty"`
	Avatar   string `json:"avatar,omitempty"` // an image's URL
}
