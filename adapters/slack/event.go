package slack

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"strconv"
	"strings"
	"time"

	"github.com/deskhand/deskhand/bot/chat"
)

var (
	errMalformed = errors.New("malformed")
	// errNothing says that there is nothing in it for the desk.
	errNothing = errors.New("nothing for the desk")
	// errForeign says that it is for another workspace or another app.
	errForeign = errors.New("another workspace or app")
)

// envelope is a request of the Events API, with the fields that matter of all
// the event types that are handled. Decoding all in one go costs half of
// decoding the event by its type.
// See docs.slack.dev/apis/events-api#callback-field.
type envelope struct {
	Type           string     `json:"type"`
	Challenge      string     `json:"challenge"`
	Team           string     `json:"team_id"`
	App            string     `json:"api_app_id"`
	ID             string     `json:"event_id"`
	Time           int64      `json:"event_time"`
	Event          innerEvent `json:"event"`
	Authorizations []struct {
		Team string `json:"team_id"`
	} `json:"authorizations"`
}

type innerEvent struct {
	message
	Channel     string   `json:"channel"`
	ChannelType string   `json:"channel_type"`
	EventTS     string   `json:"event_ts"`
	DeletedTS   string   `json:"deleted_ts"`
	Changed     *message `json:"message"`
	Previous    *message `json:"previous_message"`
	Reaction    string   `json:"reaction"`
	ItemUser    string   `json:"item_user"`
	Item        struct {
		Type    string `json:"type"`
		Channel string `json:"channel"`
		TS      string `json:"ts"`
	} `json:"item"`
	Inviter string `json:"inviter"`
	Tab     string `json:"tab"`
}

type message struct {
	Type    string `json:"type"`
	Subtype string `json:"subtype"`
	User    string `json:"user"`
	Bot     string `json:"bot_id"`
	Text    string `json:"text"`
	TS      string `json:"ts"`
	Thread  string `json:"thread_ts"`
	Files   []file `json:"files"`
	Edited  *struct {
		User string `json:"user"`
	} `json:"edited"`
}

type file struct {
	ID       string `json:"id"`
	Name     string `json:"name"`
	MIME     string `json:"mimetype"`
	Size     int64  `json:"size"`
	Mode     string `json:"mode"`
	Private  string `json:"url_private"`
	Download string `json:"url_private_download"`
}

// handled are the types of event that are understood; the manifest subscribes
// to them.
var handled = map[string]func(envelope, identity) (chat.Event, error){
	"message":               messageEvent,
	"app_mention":           mentionEvent,
	"reaction_added":        reactionEvent,
	"reaction_removed":      reactionEvent,
	"member_joined_channel": memberEvent,
	"member_left_channel":   memberEvent,
	"app_home_opened":       homeEvent,
}

func decodeEnvelope(body []byte) (envelope, error) {
	var env envelope
	if fromBot(body) {
		return env, errNothing
	}
	err := json.Unmarshal(body, &env)
	if err == nil {
		return env, nil
	}
	// An event of a type that is not handled may have other shapes under the
	// same names; everything else has been decoded all the same.
	if _, ok := errors.AsType[*json.UnmarshalTypeError](err); ok &&
		env.Type == "event_callback" && env.Event.Type != "" && handled[env.Event.Type] == nil {
		return env, errNothing
	}
	return envelope{}, errMalformed
}

// event is what the envelope reports.
func (env envelope) event(me identity) (chat.Event, error) {
	if env.Type != "event_callback" {
		return chat.Event{}, errNothing
	}
	if !env.meant(me) {
		return chat.Event{}, errForeign
	}
	decode := handled[env.Event.Type]
	if decode == nil {
		return chat.Event{}, errNothing
	}
	return decode(env, me)
}

// meant says that the event is for this installation. In a channel shared with
// another organisation the event's own workspace may be theirs; then the
// authorizations name ours.
func (env envelope) meant(me identity) bool {
	if env.App != "" && me.app != "" && env.App != me.app {
		return false
	}
	if env.Team == me.team {
		return true
	}
	for _, a := range env.Authorizations {
		if a.Team == me.team {
			return true
		}
	}
	return false
}

func messageEvent(env envelope, me identity) (chat.Event, error) {
	switch env.Event.Subtype {
	case "", "file_share", "thread_broadcast", "me_message":
		return saidEvent(env, me)
	case "message_changed":
		return editedEvent(env, me)
	case "message_deleted":
		return deletedEvent(env, me)
	}
	return chat.Event{}, errNothing
}

// mentionEvent is app_mention, which comes beside the message event of the same
// message: same content, same key, and the first of them is taken. It does not
// say what kind of channel it is in.
func mentionEvent(env envelope, me identity) (chat.Event, error) {
	if env.Event.Edited != nil {
		return chat.Event{}, errNothing // the edit comes as message_changed
	}
	return saidEvent(env, me)
}

func saidEvent(env envelope, me identity) (chat.Event, error) {
	m := env.Event
	if m.byBot(me) {
		return chat.Event{}, errNothing
	}
	at, ok := stamp(m.TS)
	if !ok || m.Channel == "" {
		return chat.Event{}, errMalformed
	}
	e := chat.Event{
		Key: key("m", m.Channel, m.TS), At: at, Kind: chat.Said,
		By: me.person(m.User), Place: me.place(m.Channel, m.thread()), Scope: scope(m.ChannelType, m.Channel),
		Message: m.TS, Files: m.files(),
	}
	e.Text, e.Mentioned = plain(m.Text, me.user)
	if e.Text == "" && len(e.Files) == 0 && !e.Mentioned {
		return chat.Event{}, errNothing
	}
	return e, nil
}

// editedEvent reports only that the words have changed: Slack also tells of
// previews of links, of reply counts and of files this way.
func editedEvent(env envelope, me identity) (chat.Event, error) {
	ev, m, before := env.Event, env.Event.Changed, env.Event.Previous
	if m == nil {
		return chat.Event{}, errMalformed
	}
	if m.Subtype == "tombstone" {
		// The deleted first message of a thread that has replies.
		return deletedEvent(env, me)
	}
	if m.byBot(me) {
		return chat.Event{}, errNothing
	}
	text, mentioned := plain(m.Text, me.user)
	if before != nil {
		if was, then := plain(before.Text, me.user); was == text && then == mentioned {
			return chat.Event{}, errNothing
		}
	} else if m.Edited == nil {
		return chat.Event{}, errNothing
	}
	by := m.User
	if m.Edited != nil {
		by = m.Edited.User
	}
	// Not edited.ts, which has whole seconds: of two edits within one it would
	// make the same.
	at, ok := stamp(ev.EventTS)
	if !ok || m.TS == "" || ev.Channel == "" || by == "" {
		return chat.Event{}, errMalformed
	}
	return chat.Event{
		Key: key("e", ev.Channel, m.TS, ev.EventTS), At: at, Kind: chat.Edited,
		By: me.person(by), Place: me.place(ev.Channel, m.thread()), Scope: scope(ev.ChannelType, ev.Channel),
		Text: text, Mentioned: mentioned, Message: m.TS, SaidKey: saidKey(ev.Channel, m.TS, at), Author: me.person(m.User), Files: m.files(),
	}, nil
}

// saidKey is the key of the event in which a message was said, if that may be
// on its way still at a time.
func saidKey(channel, ts string, now time.Time) string {
	if said, ok := stamp(ts); !ok || now.Sub(said) >= chat.Overtaking {
		return ""
	}
	return key("m", channel, ts)
}

// deletedEvent: Slack does not say who deleted a message, so By is its author.
func deletedEvent(env envelope, me identity) (chat.Event, error) {
	ev, m := env.Event, env.Event.Previous
	ts := ev.DeletedTS
	if ts == "" && ev.Changed != nil {
		ts = ev.Changed.TS
	}
	at, ok := stamp(ev.EventTS)
	if !ok || ts == "" || ev.Channel == "" {
		return chat.Event{}, errMalformed
	}
	if m == nil || m.byBot(me) {
		return chat.Event{}, errNothing
	}
	return chat.Event{
		Key: key("d", ev.Channel, ts), At: at, Kind: chat.Deleted,
		By: me.person(m.User), Place: me.place(ev.Channel, m.thread()), Scope: scope(ev.ChannelType, ev.Channel),
		Message: ts, SaidKey: saidKey(ev.Channel, ts, at), Author: me.person(m.User),
	}, nil
}

func reactionEvent(env envelope, me identity) (chat.Event, error) {
	ev := env.Event
	if ev.User == me.user || ev.Item.Type != "" && ev.Item.Type != "message" {
		return chat.Event{}, errNothing
	}
	at, ok := env.at()
	if !ok || env.ID == "" || ev.User == "" || ev.Item.Channel == "" || ev.Item.TS == "" || ev.Reaction == "" {
		return chat.Event{}, errMalformed
	}
	kind := chat.Reacted
	if ev.Type == "reaction_removed" {
		kind = chat.Unreacted
	}
	emoji, _, _ := strings.Cut(ev.Reaction, "::") // "+1::skin-tone-3"
	return chat.Event{
		Key: key("v", env.ID), At: at, Kind: kind,
		By: me.person(ev.User), Place: me.place(ev.Item.Channel, ""), Scope: scope(ev.ChannelType, ev.Item.Channel),
		Message: ev.Item.TS, Author: me.person(ev.ItemUser), Emoji: emoji,
	}, nil
}

func memberEvent(env envelope, me identity) (chat.Event, error) {
	ev := env.Event
	at, ok := env.at()
	if !ok || env.ID == "" || ev.User == "" || ev.Channel == "" {
		return chat.Event{}, errMalformed
	}
	e := chat.Event{
		Key: key("v", env.ID), At: at, Kind: chat.Joined,
		By: me.person(ev.User), Place: me.place(ev.Channel, ""), Scope: scope(ev.ChannelType, ev.Channel),
	}
	switch {
	case ev.Type == "member_left_channel":
		e.Kind = chat.Left
	case ev.User == me.user:
		e.Kind = chat.Invited
		if ev.Inviter != "" {
			e.By = me.person(ev.Inviter)
		}
	}
	return e, nil
}

func homeEvent(env envelope, me identity) (chat.Event, error) {
	ev := env.Event
	if ev.Tab != "home" {
		return chat.Event{}, errNothing
	}
	at, ok := env.at()
	if !ok || env.ID == "" || ev.User == "" {
		return chat.Event{}, errMalformed
	}
	return chat.Event{
		Key: key("v", env.ID), At: at, Kind: chat.Visited,
		By: me.person(ev.User), Place: me.place("", ""), Scope: chat.Direct,
	}, nil
}

// at is when the event happened.
func (env envelope) at() (time.Time, bool) {
	if at, ok := stamp(env.Event.EventTS); ok {
		return at, true
	}
	return time.Unix(env.Time, 0).UTC(), env.Time > 0
}

// byBot says that no person wrote it: the desk, another app, or Slack itself.
func (m message) byBot(me identity) bool {
	return m.Bot != "" || m.User == "" || m.User == me.user || m.User == "USLACKBOT"
}

// thread is the thread that the message answers in; a thread's first message
// carries its own ts.
func (m message) thread() string {
	if m.Thread == m.TS {
		return ""
	}
	return m.Thread
}

func (m message) files() []chat.File {
	var all []chat.File
	for _, f := range m.Files {
		if f.ID == "" || f.Mode == "tombstone" || f.Mode == "hidden_by_limit" {
			continue
		}
		all = append(all, chat.File{ID: f.ID, Name: f.Name, MIME: f.MIME, Size: f.Size, URL: cmp.Or(f.Download, f.Private)})
	}
	return all
}

// scope goes by the kind of channel where Slack says it, else by its id. Private
// channels have had ids with C since 2020, so the id alone may call one open.
func scope(kind, channel string) chat.Scope {
	switch kind {
	case "im", "app_home":
		return chat.Direct
	case "mpim", "group", "G":
		return chat.Group
	case "channel", "C":
		return chat.Open
	}
	switch {
	case strings.HasPrefix(channel, "D"):
		return chat.Direct
	case strings.HasPrefix(channel, "G"):
		return chat.Group
	}
	return chat.Open
}

// stamp reads Slack's "1355517523.000005", which names messages and moments.
func stamp(ts string) (time.Time, bool) {
	whole, fraction, _ := strings.Cut(ts, ".")
	seconds, err := strconv.ParseInt(whole, 10, 64)
	if err != nil || seconds <= 0 || seconds > 1<<36 {
		return time.Time{}, false
	}
	micros := int64(0)
	if fraction != "" {
		fraction = (fraction + "000000")[:6]
		u, err := strconv.ParseUint(fraction, 10, 32)
		if err != nil {
			return time.Time{}, false
		}
		micros = int64(u)
	}
	return time.Unix(seconds, micros*1000).UTC(), true
}

const maxKey = 200 // bytes

// key joins parts to a key; one that would be too long is told by its hash.
func key(parts ...string) string {
	k := strings.Join(parts, ":")
	if len(k) <= maxKey {
		return k
	}
	sum := sha256.Sum256([]byte(k))
	return parts[0] + ":" + hex.EncodeToString(sum[:])
}
