package teamstest

import (
	"encoding/json"
	"errors"
	"log/slog"
	"time"
)

// Options say what tenant to make. The zero value is a tenant named Acme with
// an app named Desk, Teams' own waits, and no rate limits.
type Options struct {
	Tenant string // its id; made up if empty
	Name   string
	App    App

	// AppURL is where the app listens, without a path; see [Tenant.Connect].
	AppURL string

	// Now is the tenant's clock: message ids, the lives of tokens and rate limits
	// follow it. Nil is time.Now.
	Now func() time.Time

	// InvokeWithin is how long the app may take to answer an invoke; 0 is 10 s.
	// AnswerWithin is how long it may take for all else; 0 is 15 s. Page "Manage
	// a long-running operation": 10 to 15 s.
	InvokeWithin, AnswerWithin time.Duration

	// Redeliver holds the waits before each further attempt to deliver what was
	// not answered with 2xx. Teams publishes none; nil is at once, 1 s, 5 s, 15 s.
	// An empty non-nil slice means that everything is sent once. Invokes are sent
	// once in any case.
	Redeliver []time.Duration

	// Unordered sends each activity as soon as it happens. Otherwise the next one
	// of a conversation waits until the first delivery of the one before has been
	// answered or has failed. Teams promises no order.
	Unordered bool

	// HTML adds what Teams' desktop client sends with each message: a text/html
	// copy, and a line break behind the text. A quote, a pasted image and a file
	// always have the copy.
	HTML bool
	// QuoteEntities says quotes as entities of type quotedReply too, as newer
	// clients do.
	QuoteEntities bool
	// Targeted turns on messages for one person's eyes in a channel or group chat
	// (?isTargetedActivity=true), a developer preview; page "Send and receive
	// targeted messages". Without it they are refused.
	Targeted bool

	// Pacing turns rate limits on.
	Pacing Pacing

	// TokenLife is how long the app's tokens live; 0 is an hour.
	TokenLife time.Duration

	// GraphLag is how long it takes until Graph shows a message. Microsoft
	// publishes none; 0 is at once.
	GraphLag time.Duration

	// KeepMessages bounds the messages kept in each conversation; the oldest are
	// dropped. 0 is 10,000.
	KeepMessages int
	// KeepChanges bounds the change stream. 0 is 16,384.
	KeepChanges int
	// KeepFileBytes bounds the bytes of all files and images. 0 is 64 MiB.
	KeepFileBytes int64

	// Record keeps the last so many calls and deliveries for [Tenant.Calls] and
	// [Tenant.Deliveries]. 0 keeps none; counters are kept always.
	Record int

	Log *slog.Logger
}

// An App is what its manifest and registration say of it.
type App struct {
	ID       string    `json:"id"` // of the Entra registration; made up if empty
	Name     string    `json:"name"`
	Secret   string    `json:"-"`
	Commands []Command `json:"commands"` // of its message extension
	TabURL   string    `json:"tab_url,omitempty"`
}

// A Command is a command of the app's message extension.
type Command struct {
	ID    string `json:"id"`
	Title string `json:"title"`
	// OnMessage puts it into the menu of a message; otherwise it is in the compose
	// area.
	OnMessage bool `json:"on_message,omitempty"`
	// Search asks for words and lists what the app finds; otherwise the command
	// opens a dialog that the app makes (fetchTask).
	Search bool `json:"search,omitempty"`
	// Parameter is the name of a search command's one parameter.
	Parameter string `json:"parameter,omitempty"`
}

// Pacing says which of Teams' rate limits are kept; page "Optimize your bot
// with rate limiting in Teams".
type Pacing struct {
	// Windows keeps the limits per conversation: to send or create 7 in 1 s, 8 in
	// 2 s, 60 in 30 s, 1,800 in an hour; to read members or conversations twice
	// that.
	Windows bool
	// PerSecond is how many calls a second the app may make in all; 0 is no limit.
	PerSecond int
	// Times multiplies how many calls fit into a window; 0 is 1.
	Times float64
}

// TeamsPacing is what Teams does.
var TeamsPacing = Pacing{Windows: true, PerSecond: 50}

// A User is a person of the tenant.
type User struct {
	ID          string `json:"id"`   // 29:…, made up if empty
	ObjectID    string `json:"oid"`  // in Entra; made up if empty
	Name        string `json:"name"` // the handle in scripts, unique
	DisplayName string `json:"display_name"`
	Mail        string `json:"mail,omitempty"`
	UPN         string `json:"upn,omitempty"` // userPrincipalName; Mail if empty
	Title       string `json:"title,omitempty"`
	TZ          string `json:"tz,omitempty"` // "Europe/Oslo"
	Locale      string `json:"locale,omitempty"`
	Guest       bool   `json:"guest,omitempty"`
	Gone        bool   `json:"gone,omitempty"` // the account was deleted
	// Installed says that the person has the app already; the app has not heard
	// of it.
	Installed bool `json:"installed,omitempty"`
}

// A Team has channels; the one with the team's own id is General.
type Team struct {
	ID      string   `json:"id"` // 19:…@thread.tacv2, made up if empty
	Name    string   `json:"name"`
	GroupID string   `json:"group_id"` // in Entra
	Members []string `json:"members"`
	// Installed says that the app is in the team; it has not heard of it.
	Installed bool `json:"installed,omitempty"`
	// AllMessages gives the app every message of the team's channels (resource
	// specific consent, ChannelMessage.Read.Group), not only those that mention it,
	// and lets it read them in Graph.
	AllMessages bool `json:"all_messages,omitempty"`
}

// Kind says what a conversation is, in Teams' own words.
type Kind string

// The kinds of conversation.
const (
	Personal    Kind = "personal"  // one person and the app
	GroupChat   Kind = "groupChat" // a few people, and the app if it is Installed
	TeamChannel Kind = "channel"   // of a team
)

// A Channel is a conversation of any kind.
type Channel struct {
	ID      string   `json:"id"` // made up if empty
	Name    string   `json:"name,omitempty"`
	Kind    Kind     `json:"kind"` // empty is TeamChannel
	Team    string   `json:"team,omitempty"`
	Members []string `json:"members"` // of a team's channel, those of the team
	// Installed says that the app is in; a team's channels have what the team has.
	Installed   bool `json:"installed,omitempty"`
	AllMessages bool `json:"all_messages,omitempty"` // ChatMessage.Read.Chat
}

// A Message is a message as Teams keeps it. It is a copy; changing it changes
// nothing.
type Message struct {
	ID      string    `json:"id"` // milliseconds since 1970
	Channel string    `json:"channel"`
	Thread  string    `json:"thread,omitempty"` // in a channel, the post that this answers
	From    string    `json:"from"`             // 29:…, or the app's 28:…
	At      time.Time `json:"at"`

	Text        string       `json:"text"`   // mentions as <at>Name</at>
	Format      string       `json:"format"` // plain, markdown, xml
	Mentions    []Mention    `json:"mentions,omitempty"`
	Quote       *Quote       `json:"quote,omitempty"`
	Attachments []Attachment `json:"attachments,omitempty"`
	Summary     string       `json:"summary,omitempty"` // in the notification

	Reactions []Reaction `json:"reactions,omitempty"`
	Edited    bool       `json:"edited,omitempty"`
	Deleted   bool       `json:"deleted,omitempty"` // Text and Attachments are kept, so that it can be undone
	// To alone sees it, if it is not empty.
	To string `json:"to,omitempty"`
	// Version counts what the app has put in this message's place.
	Version int `json:"version"`

	// Told says that the app has heard of it, so that it hears of edits too.
	Told bool `json:"told,omitempty"`
}

// A Mention is a name in a text that notifies.
type Mention struct {
	ID   string `json:"id"`
	Name string `json:"name"`
	Text string `json:"text"` // <at>Name</at>
}

// A Quote is the message that another one answers, in a chat.
type Quote struct {
	Message string `json:"message"`
	From    string `json:"from"`
	Preview string `json:"preview"`
}

// An Attachment is a card, an image or a file.
type Attachment struct {
	ContentType string          `json:"contentType"`
	ContentURL  string          `json:"contentUrl,omitempty"`
	Name        string          `json:"name,omitempty"`
	Content     json.RawMessage `json:"content,omitempty"`
}

// The types of attachment.
const (
	adaptiveType = "application/vnd.microsoft.card.adaptive"
	thumbType    = "application/vnd.microsoft.card.thumbnail"
	heroType     = "application/vnd.microsoft.card.hero"
	fileType     = "application/vnd.microsoft.teams.file.download.info"
	consentType  = "application/vnd.microsoft.teams.card.file.consent"
	infoType     = "application/vnd.microsoft.teams.card.file.info"
	htmlType     = "text/html"
)

// A Reaction is an emoji under a message.
type Reaction struct {
	Type  string   `json:"type"` // like, heart, laugh, surprised, sad, angry
	Users []string `json:"users"`
}

// A Seen message is what one person sees of it.
type Seen struct {
	Message
	Card    json.RawMessage   `json:"card,omitempty"`    // as this person has it
	Own     bool              `json:"own,omitempty"`     // which others may see otherwise
	Entered map[string]string `json:"entered,omitempty"` // by input id
	Shown   []string          `json:"shown,omitempty"`   // pointers of the ShowCard actions that are open
	Toggled map[string]bool   `json:"toggled,omitempty"` // visibility by element id, where it was changed
	Errors  map[string]string `json:"errors,omitempty"`  // beside inputs, by id
	Replies int               `json:"replies,omitempty"` // in its thread
	Notices []Notice          `json:"notices,omitempty"` // under it, for this person alone
}

// A Conversation is a channel as one person sees it in the list.
type Conversation struct {
	Channel
	Title  string `json:"title"`
	Team   *Team  `json:"in_team,omitempty"`
	Unread int    `json:"unread"`
	Latest string `json:"latest,omitempty"` // id of the newest message
}

// A Dialog is what the app has opened for one person.
type Dialog struct {
	ID      string            `json:"id"`
	User    string            `json:"user"`
	Title   string            `json:"title"`
	Height  json.RawMessage   `json:"height,omitempty"` // pixels, or small, medium, large
	Width   json.RawMessage   `json:"width,omitempty"`
	Card    json.RawMessage   `json:"card,omitempty"`
	URL     string            `json:"url,omitempty"`
	Message string            `json:"message,omitempty"` // instead of a card: only to read
	Entered map[string]string `json:"entered,omitempty"`
	Shown   []string          `json:"shown,omitempty"`
	Toggled map[string]bool   `json:"toggled,omitempty"`
	Errors  map[string]string `json:"errors,omitempty"`
	// Trouble is what Teams says at the foot when the app failed to answer.
	Trouble string `json:"trouble,omitempty"`
	// Channel and On say where it was opened.
	Channel string `json:"channel,omitempty"`
	On      string `json:"on,omitempty"`

	command string // of a message extension
	payload map[string]any
}

// A Post is what a person types.
type Post struct {
	Channel string
	Thread  string // in a channel: the post to answer
	Quote   string // in a chat: the message to answer
	Text    string // as typed: "@Ana Lima" or her handle is a mention
	Files   []Upload
	Images  []Upload // pasted
}

// An Upload is a file on its way in.
type Upload struct {
	Name string
	Type string // MIME; guessed from the name if empty
	Data []byte
}

// An Act is done to an element of a card: of a message, or of the open dialog.
type Act struct {
	Channel string
	Message string
	Dialog  string // its id

	Path   string            // JSON pointer of the action in the card as this person has it
	Values map[string]string // what is in the inputs, by id; nil: what was entered before
	// Old presses as a client does that does not know Action.Execute: the fallback.
	Old bool
}

// An Option is one line of a list found by typing.
type Option struct {
	Title string `json:"title"`
	Value string `json:"value"`
}

// A Found is one result of a search command.
type Found struct {
	Title string          `json:"title"`
	Text  string          `json:"text"`
	Card  json.RawMessage `json:"card"`
}

// A Notice is what Teams tells one person about what they have done: the app's
// private answer, or that it failed.
type Notice struct {
	User    string    `json:"user"`
	Channel string    `json:"channel,omitempty"`
	Message string    `json:"message,omitempty"` // the card that was pressed
	Code    string    `json:"code"`              // message, error, unreachable, failed
	Text    string    `json:"text"`
	At      time.Time `json:"at"`
}

// ChangeKind says what changed.
type ChangeKind string

// The kinds of change. In brackets is what is set besides Seq, At and Kind.
const (
	MessagePosted  ChangeKind = "message"         // Channel, ID, Message
	MessageChanged ChangeKind = "message_changed" // Channel, ID, Message: edits, deletions, reactions
	CardChanged    ChangeKind = "card"            // Channel, ID, User: their view, or what they entered
	DialogChanged  ChangeKind = "dialog"          // User, Dialog: opened, replaced, filled in, refused
	DialogClosed   ChangeKind = "dialog_closed"   // User, Dialog as it was
	ChannelChanged ChangeKind = "channel"         // Channel: created, joined, left, app installed; User if one came or went
	UserChanged    ChangeKind = "user"            // User
	Noticed        ChangeKind = "notice"          // User, Channel, Notice
	Typing         ChangeKind = "typing"          // Channel: the app is typing
	Delivered      ChangeKind = "delivery"        // Delivery: the app has answered, or failed
)

// A Change is one step of the tenant's life.
type Change struct {
	Seq      int64      `json:"seq"` // 1, 2, 3 …
	At       time.Time  `json:"at"`
	Kind     ChangeKind `json:"kind"`
	Channel  string     `json:"channel,omitempty"`
	ID       string     `json:"id,omitempty"`
	User     string     `json:"user,omitempty"`
	Message  *Message   `json:"message,omitempty"`
	Dialog   *Dialog    `json:"dialog,omitempty"`
	Notice   *Notice    `json:"notice,omitempty"`
	Delivery *Delivery  `json:"delivery,omitempty"`
}

// ErrGap is told to a follower that asks for changes which are no longer kept:
// it has to read everything anew.
var ErrGap = errors.New("teamstest: the changes asked for are no longer kept")

// A Call is one request of the app's.
type Call struct {
	N       int64  // number of this call to this operation, from 1
	Op      string // send, reply, update, delete, create, members, member, pagedMembers, team, teamChannels, attachment, token; of Graph channelMessages, replies, chatMessages
	Channel string // conversation id, as called
	ID      string // activity or member id
	Body    map[string]any
	At      time.Time
	// Correlation is the header X-Correlation-ID, in which the app may say what
	// the call is about. Teams makes nothing of it.
	Correlation string
	// Status, Error, Took and the id of the message that was Posted are set once
	// answered, for [Tenant.Calls].
	Status int
	Error  string
	Took   time.Duration
	Posted string
}

// A Fault is what goes wrong with a call. The zero value is nothing.
type Fault struct {
	Delay      time.Duration // before anything else
	Status     int           // answered instead of carrying the call out: 412, 429, 500, 502, 504
	RetryAfter time.Duration // with Status 429, which it implies
	Hang       bool          // never answer: the call does not take effect
	Lose       bool          // the call takes effect, and the connection is cut before the answer
	After      int           // the call takes effect, and this status is answered: a proxy gave up
}

// A Delivery is one attempt to bring something to the app.
type Delivery struct {
	Type    string    `json:"type"` // of the activity
	Name    string    `json:"name,omitempty"`
	ID      string    `json:"id"` // the same in every attempt
	Channel string    `json:"channel,omitempty"`
	Attempt int       `json:"attempt"` // from 1
	At      time.Time `json:"at"`
	Body    []byte    `json:"-"`
	// Status, Err, Took and Answer are set once it has been answered.
	Status int           `json:"status,omitempty"`
	Err    string        `json:"err,omitempty"` // http_error, timeout, connection_failed
	Took   time.Duration `json:"took,omitempty"`
	Answer []byte        `json:"-"`
}

// A DeliveryFault is what goes wrong on the way to the app. The zero value is
// nothing.
type DeliveryFault struct {
	Delay  time.Duration // late, and out of order
	Copies int           // how often more it is sent, at the same time
	Lost   bool          // the app handles it, and its answer does not come back
	Token  string        // sent instead of a right one
}

// Stats are counters since the tenant was made.
type Stats struct {
	Calls       map[string]int64 // by operation
	Errors      map[string]int64 // by code
	Posted      int64            // messages by the app
	Updated     int64            // and edited by it
	Delivered   int64            // attempts answered with 2xx
	Redelivered int64            // attempts after the first
	GaveUp      int64            // activities that were never answered with 2xx
	Pending     int64            // activities under way, or waiting to be sent again
}

// An AppError says that the app failed to answer a person, and what Teams shows
// for it.
type AppError struct{ Notice Notice }

func (e *AppError) Error() string { return e.Notice.Code + ": " + e.Notice.Text }

// An InputError says which inputs the client does not send: required ones left
// empty, values that are none.
type InputError struct{ Errors map[string]string } // by input id

func (e *InputError) Error() string { return "the form is not complete" }

// ErrRefused is what a person's action fails with when Teams' own client would
// not offer it. Errors wrap it and say which.
var ErrRefused = errors.New("teams does not offer that")
