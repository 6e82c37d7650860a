package teams

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"strconv"
	"strings"
	"time"

	"github.com/deskhand/deskhand/adapters/teams/adaptive"
	"github.com/deskhand/deskhand/bot/chat"
)

// manner is how an invoke wants to be answered.
type manner int

const (
	asCard   manner = iota // adaptiveCard/action: a card in its place, or words
	asDialog               // task/fetch, task/submit, and those of message extensions
	asFinds                // composeExtension/query
	asSearch               // application/search
)

// inbound is an event and what is needed to answer it.
type inbound struct {
	event  chat.Event
	manner manner
	opens  bool // all that it does is to open a form
	// Of what was done in a dialog: the form as it was shown, and where that was
	// opened.
	form *chat.Form
	meta adaptive.Meta
}

// invokes are the names that are understood. Which are sent, and with what
// values, is on learn.microsoft.com, "Invoke activities for event-driven
// conversations" and the pages of the features.
var invokes = map[string]func(*Adapter, context.Context, *activity) (inbound, error){
	"adaptiveCard/action":           (*Adapter).cardInvoke,
	"task/fetch":                    (*Adapter).taskInvoke,
	"task/submit":                   (*Adapter).taskInvoke,
	"composeExtension/query":        (*Adapter).queryInvoke,
	"composeExtension/fetchTask":    (*Adapter).commandInvoke,
	"composeExtension/submitAction": (*Adapter).taskInvoke,
	"application/search":            (*Adapter).searchInvoke,
}

// invoke reads an activity that Teams waits to be answered.
func (a *Adapter) invoke(ctx context.Context, act *activity) (inbound, error) {
	read := invokes[act.Name]
	if read == nil {
		return inbound{}, errUnknown
	}
	return read(a, ctx, act)
}

// opened is base for an invoke, which need not have happened in a conversation.
func (a *Adapter) opened(act *activity, kind chat.Kind) (chat.Event, error) {
	if act.From.id() == "" || act.From.bot() {
		return chat.Event{}, errMalformed
	}
	e, err := a.base(act, kind)
	if err != nil {
		return chat.Event{}, errMalformed
	}
	e.Key = key("p", act.ID)
	return e, nil
}

// onCard adds the message that a card stands in. A card that begins its thread
// stands in none.
func onCard(e *chat.Event, act *activity) {
	e.Message = act.ReplyToID
	if e.Place.Thread == e.Message {
		e.Place.Thread = ""
	}
	if e.Flat {
		e.Place.Thread = ""
	}
}

// cardInvoke is an Action.Execute: a press, or the card being looked at by one of
// its viewers.
// See learn.microsoft.com, "Work with Universal Actions for Adaptive Cards".
func (a *Adapter) cardInvoke(_ context.Context, act *activity) (inbound, error) {
	var value struct {
		Action struct {
			Data json.RawMessage `json:"data"`
		} `json:"action"`
	}
	if object(act.Value, &value) != nil {
		return inbound{}, errMalformed
	}
	e, err := a.opened(act, chat.Pressed)
	if err != nil {
		return inbound{}, err
	}
	onCard(&e, act)
	e.InPlace = true
	use, err := adaptive.Decode(value.Action.Data)
	switch {
	case err != nil:
		e.Action = "" // no card of the desk's: the desk says so
	case use.View:
		e.Kind, e.Key = chat.Viewed, key("w", act.ID)
	default:
		e.Action, e.Args = use.Action, use.Args
	}
	return inbound{event: e, manner: asCard}, nil
}

// submitEvent is a press in a client that knows no Action.Execute: it sends a
// message without a text.
func (a *Adapter) submitEvent(act *activity) (chat.Event, error) {
	use, err := adaptive.Decode(act.Value)
	if err != nil || use.Form != nil || use.View || use.Opens {
		return chat.Event{}, errNothing
	}
	e, err := a.base(act, chat.Pressed)
	if err != nil {
		return chat.Event{}, err
	}
	onCard(&e, act)
	e.Key, e.Action, e.Args = key("p", act.ID), use.Action, use.Args
	if at, ok := stamp(act.ID); ok {
		e.At = at
	}
	return e, nil
}

// taskInvoke is a button that opens a dialog, or what is done in one.
// See learn.microsoft.com, "Using dialogs in Teams bots".
func (a *Adapter) taskInvoke(_ context.Context, act *activity) (inbound, error) {
	var value struct {
		Data json.RawMessage `json:"data"`
	}
	if object(act.Value, &value) != nil {
		return inbound{}, errMalformed
	}
	e, err := a.opened(act, chat.Pressed)
	if err != nil {
		return inbound{}, err
	}
	in := inbound{manner: asDialog}
	use, err := adaptive.Decode(value.Data)
	if err != nil {
		e.Action = "" // nothing of the desk's: it says so
		in.event = e
		return in, nil
	}
	e.Action, e.Args, e.Values = use.Action, use.Args, use.Values
	if use.Form == nil {
		onCard(&e, act)
		in.event, in.meta, in.opens = e, a.metaOf(e), use.Opens
		return in, nil
	}
	in.form, in.meta = use.Form, use.Meta
	e.View = use.Meta.View
	// It was opened somewhere, which the invoke does not say again.
	if e.Message = ""; use.Meta.Channel != e.Place.Channel {
		e.Place.Channel = cleanID(use.Meta.Channel)
		e.Scope, e.Flat = scopeOf(e.Place.Channel)
	}
	e.Place.Thread = cleanID(use.Meta.Thread)
	switch {
	case use.Changed:
		e.Kind, e.Key = chat.Changed, key("o", act.ID)
	default:
		if use.Sent {
			e.Kind = chat.Submitted
		}
		// What Teams sends again has another id and another time: it is known by
		// what was sent in which dialog, and when that was opened.
		if at, ok := viewed(use.Meta.View); ok && !at.After(e.At.Add(skew)) {
			e.Key, e.At = key("s", use.Meta.View, e.Action, digest([]any{e.Kind, e.Args, e.Values})), at
		}
	}
	in.event = e
	return in, nil
}

// metaOf is what a dialog that an event opens has to remember.
func (a *Adapter) metaOf(e chat.Event) adaptive.Meta {
	return adaptive.Meta{Channel: e.Place.Channel, Thread: e.Place.Thread}
}

// view names a showing of a dialog: when it was, and something nobody guesses.
func view(now time.Time) string {
	return strconv.FormatInt(now.UnixMilli(), 36) + "." + rand.Text()[:8]
}

func viewed(view string) (time.Time, bool) {
	ms, _, ok := strings.Cut(view, ".")
	n, err := strconv.ParseInt(ms, 36, 64)
	if !ok || err != nil || n < 1e12 || n > 1e14 || len(view) > 40 {
		return time.Time{}, false
	}
	return time.UnixMilli(n).UTC(), true
}

// scopeOf is who listens in a channel that is known by its id only.
func scopeOf(channel string) (s chat.Scope, flat bool) {
	if channel == "" {
		return "", false
	}
	switch conversationType("", channel) {
	case channelPost:
		return chat.Open, false
	case groupChat:
		return chat.Group, true
	}
	return chat.Direct, true
}

// queryInvoke is a search for something to put into a message.
// See learn.microsoft.com, "Respond to search command".
func (a *Adapter) queryInvoke(_ context.Context, act *activity) (inbound, error) {
	var value struct {
		Parameters []struct {
			Name  string `json:"name"`
			Value any    `json:"value"`
		} `json:"parameters"`
	}
	if object(act.Value, &value) != nil {
		return inbound{}, errMalformed
	}
	e, err := a.opened(act, chat.Browsed)
	if err != nil {
		return inbound{}, err
	}
	e.Key = key("b", act.ID)
	for _, p := range value.Parameters {
		// The first time Teams asks for what to show before anything is typed.
		if text, ok := p.Value.(string); ok && p.Name != "initialRun" && e.Text == "" {
			e.Text = strings.TrimSpace(chat.StripMarks(text))
		}
	}
	return inbound{event: e, manner: asFinds}, nil
}

// payload is the message that a message action was chosen on.
// See learn.microsoft.com, "Create and send dialogs", initial invoke request
// from a message.
type payload struct {
	ID      string `json:"id"`
	ReplyTo string `json:"replyToId"`
	Body    struct {
		Type    string `json:"contentType"`
		Content string `json:"content"`
	} `json:"body"`
	From struct {
		User struct {
			ID string `json:"id"`
		} `json:"user"`
	} `json:"from"`
	Mentions []struct {
		Number    any    `json:"id"`
		Text      string `json:"mentionText"`
		Mentioned struct {
			User struct {
				ID   string `json:"id"`
				Name string `json:"displayName"`
			} `json:"user"`
			App struct {
				ID string `json:"id"`
			} `json:"application"`
		} `json:"mentioned"`
	} `json:"mentions"`
}

// commandInvoke is a command of the message extension: on a message, or on none.
func (a *Adapter) commandInvoke(ctx context.Context, act *activity) (inbound, error) {
	var value struct {
		Command string   `json:"commandId"`
		Message *payload `json:"messagePayload"`
	}
	if object(act.Value, &value) != nil || value.Command == "" || len(value.Command) > 60 {
		return inbound{}, errMalformed
	}
	e, err := a.opened(act, chat.Started)
	if err != nil {
		return inbound{}, err
	}
	e.Action = value.Command
	if m := value.Message; m != nil && m.ID != "" {
		e.Kind, e.Message, e.Author = chat.Picked, cleanID(m.ID), a.person(cleanID(m.From.User.ID))
		e.Text, e.Mentioned = m.read(a.app, a.who(ctx))
		if !e.Flat {
			if e.Place.Thread = cleanID(m.ReplyTo); e.Place.Thread == "" {
				_, e.Place.Thread = splitConversation(act.Conversation.ID)
			}
			if e.Place.Thread == e.Message {
				e.Place.Thread = ""
			}
		}
	}
	if e.Place.Channel != "" {
		here, err := a.installed(ctx, e.Place.Channel, act.ChannelData.Team.ID)
		if err != nil {
			return inbound{}, err
		}
		if !here { // nothing can be said there: it goes on in their own chat
			e.Place, e.Scope, e.Flat, e.Message = a.place("", ""), "", false, ""
		}
	}
	return inbound{event: e, manner: asDialog, meta: a.metaOf(e), opens: true}, nil
}

// read is what the message says.
func (m *payload) read(self string, who func(string) string) (text string, mentioned bool) {
	var all []entity
	for _, one := range m.Mentions {
		e := entity{Type: "mention", Text: one.Text}
		e.Mentioned.Name = one.Text
		switch {
		case one.Mentioned.App.ID == self:
			e.Mentioned.ID = "28:" + self
		case strings.HasPrefix(one.Mentioned.User.ID, "29:"):
			e.Mentioned.ID = cleanID(one.Mentioned.User.ID)
		default:
			e.Mentioned.AadObjectID = cleanID(one.Mentioned.User.ID)
		}
		all = append(all, e)
	}
	w, names := &writer{}, newMentions("28:"+self, who, all)
	if strings.EqualFold(m.Body.Type, "html") {
		readHTML(w, names, m.Body.Content)
	} else {
		readPlain(w, names, m.Body.Content)
	}
	return strings.TrimSpace(w.String()), w.mentioned
}

// searchInvoke is type-ahead in a dialog.
// See learn.microsoft.com, "Typeahead search in Adaptive Cards".
func (a *Adapter) searchInvoke(_ context.Context, act *activity) (inbound, error) {
	var value struct {
		Text    string `json:"queryText"`
		Dataset string `json:"dataset"`
	}
	if object(act.Value, &value) != nil {
		return inbound{}, errMalformed
	}
	field, args, meta, err := adaptive.Search(value.Dataset)
	if err != nil {
		return inbound{}, errMalformed
	}
	e, err := a.opened(act, chat.Searched)
	if err != nil {
		return inbound{}, err
	}
	e.Key, e.Action, e.Args, e.Text = key("o", act.ID, field), field, args, chat.StripMarks(value.Text)
	return inbound{event: e, manner: asSearch, meta: meta}, nil
}

// name is an invoke's for metrics: one of those that are known.
func (act *activity) name() string {
	if invokes[act.Name] == nil {
		return "unknown"
	}
	return act.Name
}
