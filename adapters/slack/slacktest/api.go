package slacktest

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"time"
)

// Options say what workspace to make. The zero value is a workspace named Acme
// with an app named Desk that has every scope and event subscription known here,
// Slack's own waits, and no rate limits.
type Options struct {
	Team Team
	App  App

	// AppURL is where the app listens, without a path; see [Workspace.Connect].
	AppURL string

	// SocketMode sends everything over the socket that apps.connections.open
	// hands out, and nothing over HTTP, as an app with socket mode enabled has it.
	SocketMode bool

	// Now is the workspace's clock: timestamps, the lives of trigger ids and
	// response URLs, and rate limits follow it. Nil is time.Now.
	Now func() time.Time

	// AnswerWithin is how long the app may take to answer. 0 is Slack's 3 s.
	AnswerWithin time.Duration

	// Redeliver holds the waits before the second, third and fourth delivery of
	// an event. Nil is Slack's: at once, one minute, five minutes. An empty
	// non-nil slice means that events are sent once.
	Redeliver []time.Duration

	// Unordered sends each event as soon as it happens. Otherwise the next event
	// of a conversation waits until the first delivery of the one before has been
	// answered or has failed, so that a test knows what the app saw first. Slack
	// promises no order.
	Unordered bool

	// Unfurl adds a preview to people's messages with a link, as Slack does a
	// moment later where it can: the app hears a message_changed that is no edit.
	Unfurl bool

	// Pacing turns rate limits on.
	Pacing Pacing

	// KeepMessages bounds the messages kept in each conversation; the oldest are
	// dropped. 0 is 10,000.
	KeepMessages int
	// KeepChanges bounds the change stream. 0 is 16,384.
	KeepChanges int
	// KeepFileBytes bounds the bytes of all uploaded files. 0 is 64 MiB.
	KeepFileBytes int64

	// Record keeps the last so many API calls and deliveries for [Workspace.Calls]
	// and [Workspace.Deliveries]. 0 keeps none; counters are kept always.
	Record int

	Log *slog.Logger
}

// Pacing says which of Slack's rate limits are kept.
// See docs.slack.dev/apis/web-api/rate-limits.
type Pacing struct {
	// PerChannel is how many messages a second may be posted in one conversation;
	// 0 is no limit, Slack's is about 1.
	PerChannel float64
	// Burst is how many messages may be ahead of PerChannel. 0 is 4; Slack
	// tolerates bursts without publishing a size.
	Burst int
	// Tiers keeps the limits per method: 1, 20, 50 or 100 calls a minute.
	Tiers bool
}

// SlackPacing is what Slack does.
var SlackPacing = Pacing{PerChannel: 1, Tiers: true}

// A Team is the workspace's own name.
type Team struct {
	ID     string `json:"id"`
	Name   string `json:"name"`
	Domain string `json:"domain"`
}

// An App is what its configuration page and the installation say of it.
type App struct {
	ID          string `json:"id"`
	Name        string `json:"name"` // display name of the bot
	BotID       string `json:"bot_id"`
	BotUserID   string `json:"bot_user_id"`
	Description string `json:"description,omitempty"`

	SigningSecret string `json:"-"`
	BotToken      string `json:"-"` // xoxb-…
	AppToken      string `json:"-"` // xapp-…, socket mode

	Scopes    []string   `json:"scopes"`    // of the bot token; nil is every scope known here
	Events    []string   `json:"events"`    // "app_mention", "message.im", …; nil is every event known here
	Commands  []Command  `json:"commands"`  // nil is one command, /desk
	Shortcuts []Shortcut `json:"shortcuts"` // as in the ⚡ menu and the message menu
}

// A Command is a slash command that the app has registered.
type Command struct {
	Name        string `json:"name"` // with the slash
	Description string `json:"description"`
	UsageHint   string `json:"usage_hint,omitempty"`
	Escape      bool   `json:"escape,omitempty"` // send people and channels as ids: "<@U1|ana>"
}

// A Shortcut is an entry in the ⚡ menu, or in the menu of a message.
type Shortcut struct {
	Name       string `json:"name"`
	CallbackID string `json:"callback_id"`
	OnMessage  bool   `json:"on_message"`
}

// Endpoints are the URLs at which the app listens, one for each surface.
type Endpoints struct {
	Events        string
	Commands      string
	Interactivity string
	Options       string // type-ahead; Interactivity if empty
}

// A User is a member of the workspace.
type User struct {
	ID             string `json:"id"`   // made up if empty
	Name           string `json:"name"` // the handle, unique
	RealName       string `json:"real_name"`
	DisplayName    string `json:"display_name,omitempty"`
	Email          string `json:"email,omitempty"`
	EmailConfirmed bool   `json:"is_email_confirmed"`
	Title          string `json:"title,omitempty"`
	Phone          string `json:"phone,omitempty"`
	TZ             string `json:"tz,omitempty"` // "Europe/Oslo"
	Locale         string `json:"locale,omitempty"`
	Color          string `json:"color,omitempty"` // of the avatar, six hex digits
	Admin          bool   `json:"is_admin,omitempty"`
	Owner          bool   `json:"is_owner,omitempty"`
	Guest          bool   `json:"is_restricted,omitempty"`
	SingleChannel  bool   `json:"is_ultra_restricted,omitempty"`
	Deleted        bool   `json:"deleted,omitempty"`
	Bot            bool   `json:"is_bot,omitempty"`
}

// Kind says what a conversation is.
type Kind string

// The kinds of conversation.
const (
	Public  Kind = "public"
	Private Kind = "private"
	DM      Kind = "im"   // two people, or one and the app
	GroupDM Kind = "mpim" // a few people
)

// A Channel is a conversation of any kind.
type Channel struct {
	ID       string    `json:"id"` // made up if empty
	Name     string    `json:"name,omitempty"`
	Kind     Kind      `json:"kind"` // empty is Public
	Topic    string    `json:"topic,omitempty"`
	Purpose  string    `json:"purpose,omitempty"`
	Creator  string    `json:"creator,omitempty"`
	Created  time.Time `json:"created"`
	Members  []string  `json:"members"` // user ids, the app's bot user among them if it is in
	Archived bool      `json:"is_archived,omitempty"`
}

// A Conversation is a channel as one person sees it in the side bar.
type Conversation struct {
	Channel
	With     string `json:"with,omitempty"` // in a DM, the other one
	Member   bool   `json:"is_member"`
	Unread   int    `json:"unread"`   // messages after the last one read
	Mentions int    `json:"mentions"` // those that mention this person; all of them in a DM
	LastRead string `json:"last_read,omitempty"`
	Latest   string `json:"latest,omitempty"` // ts of the newest message
}

// A Message is a message as Slack's API gives it. It is a copy; changing it
// changes nothing.
type Message struct {
	Type            string          `json:"type"` // "message"
	Subtype         string          `json:"subtype,omitempty"`
	Channel         string          `json:"channel,omitempty"`
	TS              string          `json:"ts"`
	ThreadTS        string          `json:"thread_ts,omitempty"` // of the first message of the thread, in the first message too
	User            string          `json:"user,omitempty"`
	BotID           string          `json:"bot_id,omitempty"`
	AppID           string          `json:"app_id,omitempty"`
	Username        string          `json:"username,omitempty"` // if the app posted under another name
	Icons           json.RawMessage `json:"icons,omitempty"`
	BotProfile      json.RawMessage `json:"bot_profile,omitempty"`
	Text            string          `json:"text"` // escaped and linkified
	Blocks          json.RawMessage `json:"blocks,omitempty"`
	Attachments     json.RawMessage `json:"attachments,omitempty"`
	Metadata        *Metadata       `json:"metadata,omitempty"`
	Files           []File          `json:"files,omitempty"`
	Reactions       []Reaction      `json:"reactions,omitempty"`
	Edited          *Edited         `json:"edited,omitempty"`
	Team            string          `json:"team,omitempty"`
	ClientMsgID     string          `json:"client_msg_id,omitempty"`
	ParentUser      string          `json:"parent_user_id,omitempty"`
	ReplyCount      int             `json:"reply_count,omitempty"`
	ReplyUsers      []string        `json:"reply_users,omitempty"`
	ReplyUsersCount int             `json:"reply_users_count,omitempty"`
	LatestReply     string          `json:"latest_reply,omitempty"`
	Inviter         string          `json:"inviter,omitempty"` // channel_join

	// Ephemeral messages are seen by To alone, and are not in the API's history.
	Ephemeral bool   `json:"is_ephemeral,omitempty"`
	To        string `json:"to,omitempty"`
}

// Metadata travels with a message, unseen by people.
// See docs.slack.dev/messaging/message-metadata.
type Metadata struct {
	EventType    string          `json:"event_type"`
	EventPayload json.RawMessage `json:"event_payload"`
}

// Edited says who edited a message last, and when.
type Edited struct {
	User string `json:"user"`
	TS   string `json:"ts"`
}

// A Reaction is an emoji under a message.
type Reaction struct {
	Name  string   `json:"name"` // without colons
	Users []string `json:"users"`
	Count int      `json:"count"`
}

// A File was uploaded by a person or by the app.
type File struct {
	ID         string   `json:"id"`
	Name       string   `json:"name"`
	Title      string   `json:"title"`
	Mimetype   string   `json:"mimetype"`
	Filetype   string   `json:"filetype"`
	User       string   `json:"user"`
	Size       int      `json:"size"`
	Created    int64    `json:"created"` // Unix seconds
	Mode       string   `json:"mode"`
	URLPrivate string   `json:"url_private,omitempty"`
	Download   string   `json:"url_private_download,omitempty"`
	Permalink  string   `json:"permalink,omitempty"`
	Channels   []string `json:"channels,omitempty"`
}

// An Upload is a file on its way in.
type Upload struct {
	Name string
	Type string // MIME; guessed from the name if empty
	Data []byte
}

// A View is a modal or a Home tab, as Slack's API gives it.
type View struct {
	ID              string          `json:"id"`
	TeamID          string          `json:"team_id"`
	Type            string          `json:"type"` // "modal" or "home"
	Title           *Text           `json:"title,omitempty"`
	Submit          *Text           `json:"submit"`
	Close           *Text           `json:"close"`
	Blocks          json.RawMessage `json:"blocks"`
	PrivateMetadata string          `json:"private_metadata"`
	CallbackID      string          `json:"callback_id"`
	ExternalID      string          `json:"external_id"`
	State           State           `json:"state"`
	Hash            string          `json:"hash"`
	ClearOnClose    bool            `json:"clear_on_close"`
	NotifyOnClose   bool            `json:"notify_on_close"`
	PreviousID      string          `json:"previous_view_id,omitempty"`
	RootID          string          `json:"root_view_id"`
	AppID           string          `json:"app_id"`
	BotID           string          `json:"bot_id"`
	AppTeamID       string          `json:"app_installed_team_id"`

	// User is whose view it is.
	User string `json:"-"`
	// Errors are the words beside each field that the last submission was
	// refused with, by block id.
	Errors map[string]string `json:"-"`
	// Trouble is what Slack shows at the foot of a modal when the app failed to
	// answer a submission.
	Trouble string `json:"-"`
}

// Text is a text object.
type Text struct {
	Type  string `json:"type"` // plain_text or mrkdwn
	Text  string `json:"text"`
	Emoji bool   `json:"emoji,omitempty"`
}

// State is what a person has entered in a message or view: by block id, by
// action id, in the shape that each element has on the wire.
type State struct {
	Values map[string]map[string]json.RawMessage `json:"values"`
}

// A Post is what a person types.
type Post struct {
	Channel   string
	Thread    string // ts of the first message of the thread; empty is the channel itself
	Broadcast bool   // "also send to channel"
	Text      string // as typed: "@ana", "#general" and links are understood
	Files     []Upload
}

// An Act is a press, a choice or an entry in one element.
type Act struct {
	// Where the element is: a message, or a view.
	Channel string
	TS      string
	View    string

	Block  string // block id; may be empty if Action is unique there
	Action string // action id

	// Values is what is chosen or entered, by element: nothing for a button; the
	// value of each chosen option for selects, overflow, radio buttons and
	// checkboxes; the ids for users, channels and conversations; the text for
	// inputs; "2006-01-02", "15:04" or Unix seconds for the pickers; file ids
	// for a file input.
	Values []string
}

// An Option is one line of a type-ahead list.
type Option struct {
	Text        string          `json:"text"`
	Value       string          `json:"value"`
	Description string          `json:"description,omitempty"`
	Group       string          `json:"group,omitempty"` // label of its option group
	Raw         json.RawMessage `json:"raw"`
}

// A Notice is what Slack itself tells one person: that the app did not answer a
// command, a click, a shortcut or a form.
type Notice struct {
	User    string `json:"user"`
	Channel string `json:"channel,omitempty"`
	TS      string `json:"ts,omitempty"`   // the message whose button was pressed
	View    string `json:"view,omitempty"` // the modal
	Code    string `json:"code"`           // operation_timeout, dispatch_failed, …
	Text    string `json:"text"`           // as shown
}

// ChangeKind says what changed.
type ChangeKind string

// The kinds of change. In brackets is what is set besides Seq, At and Kind.
const (
	MessagePosted  ChangeKind = "message"         // Channel, TS, Message; also ephemeral ones
	MessageChanged ChangeKind = "message_changed" // Channel, TS, Message: edits, reactions, reply counts
	MessageDeleted ChangeKind = "message_deleted" // Channel, TS, Message as it was
	ViewChanged    ChangeKind = "view"            // User, View: opened, pushed, updated, filled in, refused, uncovered
	ViewClosed     ChangeKind = "view_closed"     // User, View as it was
	HomePublished  ChangeKind = "home"            // User, View
	ChannelChanged ChangeKind = "channel"         // Channel: created, renamed, archived, joined, left; User if one came or went
	ChannelRead    ChangeKind = "read"            // Channel, User, TS
	UserChanged    ChangeKind = "user"            // User
	Noticed        ChangeKind = "notice"          // User, Notice
	Delivered      ChangeKind = "delivery"        // Delivery: the app has answered, or failed
)

// A Change is one step of the workspace's life.
type Change struct {
	Seq      int64      `json:"seq"` // 1, 2, 3 …
	At       time.Time  `json:"at"`
	Kind     ChangeKind `json:"kind"`
	Channel  string     `json:"channel,omitempty"`
	TS       string     `json:"ts,omitempty"`
	User     string     `json:"user,omitempty"`
	Message  *Message   `json:"message,omitempty"`
	View     *View      `json:"view,omitempty"`
	Notice   *Notice    `json:"notice,omitempty"`
	Delivery *Delivery  `json:"delivery,omitempty"`
}

// ErrGap is told to a follower that asks for changes which are no longer kept:
// it has to read everything anew.
var ErrGap = errors.New("slacktest: the changes asked for are no longer kept")

// A Call is one request to the Web API.
type Call struct {
	N       int64 // number of this call to this method, from 1
	Method  string
	Channel string         // argument of that name, if any
	Args    map[string]any // as decoded; do not change it
	At      time.Time
	// Status and Error are set once answered, for [Workspace.Calls].
	Status int
	Error  string
}

// A Fault is what goes wrong with a call. The zero value is nothing.
type Fault struct {
	Delay      time.Duration // before anything else
	Status     int           // answered instead of carrying the call out: 500, 503, 429
	RetryAfter time.Duration // with Status 429, which it implies
	Error      string        // {"ok":false,"error":…} instead of carrying the call out
	Hang       bool          // never answer: the call does not take effect
	Lose       bool          // the call takes effect, and the connection is cut before the answer
}

// A Delivery is one attempt to bring something to the app.
type Delivery struct {
	Surface string    `json:"surface"`            // events, commands, interactivity, options
	Type    string    `json:"type"`               // inner event type, command, or interaction type
	EventID string    `json:"event_id,omitempty"` // the same in every attempt
	Channel string    `json:"channel,omitempty"`
	Attempt int       `json:"attempt"` // from 1; 2 and on are redeliveries
	Reason  string    `json:"reason,omitempty"`
	At      time.Time `json:"at"`
	Body    []byte    `json:"-"`
	// Status, Err and Took are set once it has been answered.
	Status int           `json:"status,omitempty"`
	Err    string        `json:"err,omitempty"` // http_error, http_timeout, connection_failed, …
	Took   time.Duration `json:"took,omitempty"`
}

// A DeliveryFault is what goes wrong on the way to the app. The zero value is
// nothing. Delay one event and the next of the conversation overtakes it.
type DeliveryFault struct {
	Delay  time.Duration // late, and out of order
	Copies int           // how often more it is sent, at the same time
	Lost   bool          // the app handles it, and its answer does not come back: it is redelivered
}

// Stats are counters since the workspace was made.
type Stats struct {
	Calls       map[string]int64 // by method
	Errors      map[string]int64 // by error code; "ratelimited", "5xx" and "connection cut" among them
	Posted      int64            // messages by the app
	Delivered   int64            // attempts answered with 2xx
	Redelivered int64            // attempts after the first
	GaveUp      int64            // events that were never answered with 2xx
	Pending     int64            // events under way, or waiting to be sent or redelivered
}

// An APIError is a refusal that Slack answers a call with.
type APIError struct {
	Code     string   // channel_not_found
	Needed   string   // with missing_scope
	Messages []string // with invalid_blocks and invalid_arguments
}

func (e *APIError) Error() string {
	if len(e.Messages) > 0 {
		return fmt.Sprintf("%s: %v", e.Code, e.Messages)
	}
	return e.Code
}

// An AppError says that the app failed to answer a person, and what Slack shows
// for it.
type AppError struct{ Notice Notice }

func (e *AppError) Error() string { return e.Notice.Code + ": " + e.Notice.Text }

// ErrRefused is what a person's action fails with when Slack's own client would
// not offer it: no such button, a required field left empty, a message of
// somebody else to be edited. Errors wrap it and say which.
var ErrRefused = errors.New("slack does not offer that")

// A Surface is where blocks are shown.
type Surface string

// The surfaces. Each allows other blocks and another number of them.
const (
	OnMessage Surface = "message"
	OnModal   Surface = "modal"
	OnHome    Surface = "home"
)

// A BlockError is one thing that Slack refuses in blocks.
type BlockError struct {
	Pointer string // JSON pointer, "/blocks/0/text/text"
	Reason  string // "must be less than 3001 characters"
}

// Error is written as Slack writes it in response_metadata.messages.
func (e *BlockError) Error() string {
	return "[ERROR] " + e.Reason + " [json-pointer:" + e.Pointer + "]"
}
