package slack

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"net/url"
	"time"

	"github.com/deskhand/deskhand/adapters/slack/blockkit"
	"github.com/deskhand/deskhand/bot/chat"
)

// inbound is an event and what is needed to answer it.
type inbound struct {
	event   chat.Event
	inCall  bool   // Slack waits for the Desk's Answer
	trigger string // opens a form, once, within 3 s
	onForm  bool   // it happened in an open form
	hash    string // of the form as it was shown
	open    blockkit.Open
}

// interaction has what matters of all interaction payloads.
// See docs.slack.dev/reference/interaction-payloads.
type interaction struct {
	Type        string `json:"type"`
	App         string `json:"api_app_id"`
	Callback    string `json:"callback_id"`
	Trigger     string `json:"trigger_id"`
	ResponseURL string `json:"response_url"`
	ActionTS    string `json:"action_ts"`
	MessageTS   string `json:"message_ts"`
	ActionID    string `json:"action_id"`
	BlockID     string `json:"block_id"`
	Value       string `json:"value"`
	Team        *struct {
		ID string `json:"id"`
	} `json:"team"`
	User struct {
		ID   string `json:"id"`
		Team string `json:"team_id"`
	} `json:"user"`
	Channel struct {
		ID   string `json:"id"`
		Name string `json:"name"`
	} `json:"channel"`
	Container struct {
		Type      string `json:"type"`
		MessageTS string `json:"message_ts"`
		Channel   string `json:"channel_id"`
		Thread    string `json:"thread_ts"`
		Ephemeral bool   `json:"is_ephemeral"`
	} `json:"container"`
	Message *message `json:"message"`
	View    *view    `json:"view"`
	Actions []struct {
		ActionID string `json:"action_id"`
		ActionTS string `json:"action_ts"`
		state
	} `json:"actions"`
}

type view struct {
	ID       string `json:"id"`
	Type     string `json:"type"`
	Callback string `json:"callback_id"`
	Metadata string `json:"private_metadata"`
	Hash     string `json:"hash"`
	State    struct {
		Values map[string]map[string]state `json:"values"`
	} `json:"state"`
}

// state is what an element holds; each kind of element has a field of its own.
type state struct {
	Type         string   `json:"type"`
	Value        string   `json:"value"`
	Option       option   `json:"selected_option"`
	Options      []option `json:"selected_options"`
	User         string   `json:"selected_user"`
	Users        []string `json:"selected_users"`
	Conversation string   `json:"selected_conversation"`
	Channel      string   `json:"selected_channel"`
	Date         string   `json:"selected_date"`
	Time         string   `json:"selected_time"`
}

type option struct {
	Value string `json:"value"`
}

// decodeInteraction reads a payload. at is when it came, for those that do not
// say when they happened.
func decodeInteraction(payload []byte, me identity, at time.Time) (inbound, error) {
	var i interaction
	if err := json.Unmarshal(payload, &i); err != nil {
		return inbound{}, errMalformed
	}
	team := i.User.Team
	if i.Team != nil {
		team = i.Team.ID
	}
	switch {
	case i.User.ID == "" || i.Type == "":
		return inbound{}, errMalformed
	case team != me.team, i.App != "" && me.app != "" && i.App != me.app:
		return inbound{}, errForeign
	}
	switch i.Type {
	case "block_actions":
		return i.action(me, at)
	case "view_submission", "view_closed":
		return i.form(me, at)
	case "block_suggestion":
		return i.search(me, at)
	case "shortcut":
		return i.shortcut(me, at)
	case "message_action":
		return i.menu(me, at)
	}
	return inbound{}, errNothing
}

// base is what all of them have.
func (i interaction) base(kind chat.Kind, me identity, at time.Time) inbound {
	in := inbound{trigger: i.Trigger}
	in.event = chat.Event{Kind: kind, At: at, By: me.person(i.User.ID), Place: me.place("", ""), Reply: i.ResponseURL}
	if t, ok := stamp(i.ActionTS); ok {
		in.event.At = t
	}
	return in
}

// fromForm adds what the open form says: where it was opened, what it is about
// and what has been filled in.
func (in *inbound) fromForm(v *view, me identity) error {
	meta, err := blockkit.ReadMeta(v.Metadata)
	if err != nil {
		return errMalformed
	}
	in.onForm = true
	in.hash = v.Hash
	e := &in.event
	e.View = v.ID
	e.Args, meta.Args = meta.Args, nil
	e.Place = me.place(meta.Channel, meta.Thread)
	if meta.Channel != "" {
		e.Scope = scope("", meta.Channel)
	}
	e.Reply = meta.Reply
	in.open = blockkit.Open{Meta: meta, Fields: map[string]blockkit.Held{}}
	for block, elements := range v.State.Values {
		for id, held := range elements {
			if !blockkit.IsInput(id) {
				continue
			}
			values := held.values()
			in.open.Fields[block] = blockkit.Held{ActionID: id, Value: values}
			if len(values) > 0 {
				if e.Values == nil {
					e.Values = chat.Values{}
				}
				e.Values[block] = values
			}
		}
	}
	return nil
}

// action is a press, or a field that has been changed.
func (i interaction) action(me identity, at time.Time) (inbound, error) {
	if len(i.Actions) == 0 || i.Trigger == "" {
		return inbound{}, errMalformed
	}
	act := i.Actions[0] // more than one is never sent
	in := i.base(chat.Pressed, me, at)
	e := &in.event
	e.Key = key("p", i.Trigger)
	if t, ok := stamp(act.ActionTS); ok {
		e.At = t
	}
	inModal := i.View != nil && i.View.Type == "modal"
	if inModal {
		if err := in.fromForm(i.View, me); err != nil {
			return inbound{}, err
		}
	}
	if blockkit.IsInput(act.ActionID) {
		if !inModal {
			return inbound{}, errNothing
		}
		e.Kind, e.Action, in.inCall = chat.Changed, i.View.Callback, true
		return in, nil
	}
	value := act.Value
	if act.Option.Value != "" {
		value = act.Option.Value
	}
	press, err := blockkit.ReadPress(act.ActionID, value)
	if err != nil || press.Action == "" {
		return inbound{}, errNothing // a link, or an element of an older release
	}
	e.Action, e.Args, in.inCall = press.Action, press.Args, press.Form
	if i.View != nil {
		return in, nil
	}

	channel := i.Channel.ID
	if channel == "" {
		channel = i.Container.Channel
	}
	thread := i.Container.Thread
	if i.Message != nil && thread == "" {
		thread = i.Message.thread()
	}
	if thread == i.Container.MessageTS {
		thread = ""
	}
	e.Place, e.Scope = me.place(channel, thread), scopeNamed(i.Channel.Name, channel)
	if !i.Container.Ephemeral {
		e.Message = i.Container.MessageTS
	}
	in.open.Meta = blockkit.Meta{Channel: channel, Thread: thread, Reply: i.ResponseURL}
	return in, nil
}

// form is a form sent, or closed unsent.
func (i interaction) form(me identity, at time.Time) (inbound, error) {
	if i.View == nil || i.View.ID == "" {
		return inbound{}, errMalformed
	}
	kind := chat.Submitted
	if i.Type == "view_closed" {
		kind = chat.Dismissed
	}
	in := i.base(kind, me, at)
	if err := in.fromForm(i.View, me); err != nil {
		return inbound{}, err
	}
	e := &in.event
	e.Action = i.View.Callback
	if kind == chat.Dismissed {
		e.Key = key("x", i.View.ID)
		return in, nil
	}
	in.inCall = true
	values, _ := json.Marshal(e.Values) // sorted by name; strings only, so it always marshals
	sum := sha256.Sum256(values)
	e.Key = key("s", i.View.ID, i.View.Hash, hex.EncodeToString(sum[:8]))
	return in, nil
}

func (i interaction) search(me identity, at time.Time) (inbound, error) {
	if i.BlockID == "" {
		return inbound{}, errMalformed
	}
	if !blockkit.IsInput(i.ActionID) || i.View == nil {
		return inbound{}, errNothing
	}
	in := i.base(chat.Searched, me, at)
	if err := in.fromForm(i.View, me); err != nil {
		return inbound{}, err
	}
	in.inCall = true
	in.event.Key = key("o", i.View.ID, i.BlockID, i.Value)
	in.event.Action, in.event.Text = i.BlockID, chat.StripMarks(i.Value)
	return in, nil
}

func (i interaction) shortcut(me identity, at time.Time) (inbound, error) {
	if i.Trigger == "" {
		return inbound{}, errMalformed
	}
	in := i.base(chat.Started, me, at)
	in.inCall = true
	in.event.Key, in.event.Action = key("p", i.Trigger), i.Callback
	return in, nil
}

func (i interaction) menu(me identity, at time.Time) (inbound, error) {
	if i.Trigger == "" || i.Message == nil || i.Channel.ID == "" {
		return inbound{}, errMalformed
	}
	in := i.base(chat.Picked, me, at)
	in.inCall = true
	ts := i.MessageTS
	if ts == "" {
		ts = i.Message.TS
	}
	thread := i.Message.thread()
	e := &in.event
	e.Key, e.Action = key("p", i.Trigger), i.Callback
	e.Place, e.Scope = me.place(i.Channel.ID, thread), scopeNamed(i.Channel.Name, i.Channel.ID)
	e.Message, e.Author, e.Files = ts, me.person(i.Message.User), i.Message.files()
	e.Text, e.Mentioned = plain(i.Message.Text, me.user)
	in.open.Meta = blockkit.Meta{Channel: i.Channel.ID, Thread: thread, Reply: i.ResponseURL}
	return in, nil
}

// decodeCommand reads a slash command.
// See docs.slack.dev/interactivity/implementing-slash-commands.
func decodeCommand(form url.Values, me identity, at time.Time) (inbound, error) {
	user, trigger := form.Get("user_id"), form.Get("trigger_id")
	switch {
	case form.Get("ssl_check") == "1":
		return inbound{}, errNothing
	case user == "" || trigger == "" || form.Get("command") == "":
		return inbound{}, errMalformed
	case form.Get("team_id") != me.team, form.Get("api_app_id") != "" && me.app != "" && form.Get("api_app_id") != me.app:
		return inbound{}, errForeign
	}
	in := inbound{inCall: true, trigger: trigger}
	channel := form.Get("channel_id")
	in.event = chat.Event{
		Key: key("c", trigger), At: at, Kind: chat.Commanded,
		By: me.person(user), Place: me.place(channel, ""), Scope: scopeNamed(form.Get("channel_name"), channel),
		Reply: form.Get("response_url"),
	}
	in.event.Text, in.event.Mentioned = plain(form.Get("text"), me.user)
	in.open.Meta = blockkit.Meta{Channel: channel, Reply: in.event.Reply}
	return in, nil
}

// scopeNamed is scope where Slack gives a channel's name: it says
// "directmessage" and "privategroup" for those that have none to show.
func scopeNamed(name, channel string) chat.Scope {
	switch name {
	case "directmessage":
		return chat.Direct
	case "privategroup":
		return chat.Group
	}
	return scope("", channel)
}

// values is what an element holds, in the shape of chat.Values.
func (s state) values() []string {
	if len(s.Options) > 0 {
		all := make([]string, len(s.Options))
		for i, o := range s.Options {
			all[i] = o.Value
		}
		return all
	}
	if len(s.Users) > 0 {
		return s.Users
	}
	for _, v := range [...]string{s.Option.Value, s.User, s.Conversation, s.Channel, s.Date, s.Time} {
		if v != "" {
			return []string{v}
		}
	}
	if v := chat.StripMarks(s.Value); v != "" {
		return []string{v}
	}
	return nil
}
