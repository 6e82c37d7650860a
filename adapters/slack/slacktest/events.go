package slacktest

import (
	"encoding/json"
	"slices"
	"strings"
)

// eventScopes names, for every event known here, the scope without which Slack
// does not send it; see docs.slack.dev/reference/events.
var eventScopes = map[string]string{
	"app_home_opened":         "",
	"app_mention":             "app_mentions:read",
	"channel_archive":         "channels:read",
	"channel_created":         "channels:read",
	"channel_left":            "channels:read",
	"channel_rename":          "channels:read",
	"channel_unarchive":       "channels:read",
	"file_shared":             "files:read",
	"group_left":              "groups:read",
	"member_joined_channel":   "channels:read", // groups:read for private ones
	"member_left_channel":     "channels:read",
	"message.channels":        "channels:history",
	"message.groups":          "groups:history",
	"message.im":              "im:history",
	"message.mpim":            "mpim:history",
	"message_metadata_posted": "metadata.message:read",
	"reaction_added":          "reactions:read",
	"reaction_removed":        "reactions:read",
	"team_join":               "users:read",
	"user_change":             "users:read",
}

func knownEvents() []string {
	var list []string
	for name := range eventScopes {
		list = append(list, name)
	}
	slices.Sort(list)
	return list
}

// An event is something that the app may hear of.
type event struct {
	typ  string        // what is subscribed to
	conv *conversation // where, if the app has to be in it to hear of it
	body any
}

// emit sends an event to the app if it has subscribed to it, may see it and has
// somewhere to send it. The caller holds w.mu.
func (w *Workspace) emit(e event) {
	if !w.hears(e.typ, e.conv) {
		return
	}
	inner := mustJSON(e.body)
	lane := ""
	if e.conv != nil {
		lane = e.conv.ID
	}
	w.send(lane, e.typ, inner)
}

func (w *Workspace) hears(typ string, c *conversation) bool {
	if w.closed || !w.subscribed[typ] || !w.socketMode && w.endpoints.Events == "" {
		return false
	}
	scope := eventScopes[typ]
	if c != nil {
		if !c.member[w.app.BotUserID] {
			return false
		}
		if scope == "channels:read" {
			scope = c.scopeStem() + ":read"
		}
	}
	return scope == "" || w.scopes[scope]
}

// eventTS is the event_ts of what happens now.
func (w *Workspace) eventTS() string { return slackTS(w.now().UnixMicro()) }

// envelope wraps an event as the Events API does; see
// docs.slack.dev/apis/events-api#callback-field.
func (w *Workspace) envelope(id string, inner json.RawMessage) []byte {
	return mustJSON(map[string]any{
		"token": "verification-token-of-" + w.app.ID, "team_id": w.team.ID, "api_app_id": w.app.ID,
		"context_team_id": w.team.ID, "context_enterprise_id": nil,
		"event": inner, "type": "event_callback", "event_id": id, "event_time": w.now().Unix(),
		"authorizations": []any{map[string]any{
			"enterprise_id": nil, "team_id": w.team.ID, "user_id": w.app.BotUserID, "is_bot": true, "is_enterprise_install": false,
		}},
		"is_ext_shared_channel": false, "event_context": "4-" + id,
	})
}

// A messageEvent is a message with what an event adds to it. The outer fields
// hide those of the message.
type messageEvent struct {
	*Message
	Channel     string   `json:"channel"`
	ChannelType string   `json:"channel_type"`
	EventTS     string   `json:"event_ts"`
	Root        *Message `json:"root,omitempty"` // of a thread_broadcast
}

// A changeEvent is a message event about another message.
type changeEvent struct {
	Type        string   `json:"type"`
	Subtype     string   `json:"subtype"`
	Hidden      bool     `json:"hidden"`
	Channel     string   `json:"channel"`
	ChannelType string   `json:"channel_type"`
	TS          string   `json:"ts"`
	EventTS     string   `json:"event_ts"`
	DeletedTS   string   `json:"deleted_ts,omitempty"`
	Message     *Message `json:"message,omitempty"`
	Previous    *Message `json:"previous_message"`
}

// emitMessage tells the app of a new message: as message.channels (or groups, im,
// mpim) and, if it names the app outside a DM with it, as app_mention too; see
// docs.slack.dev/reference/events/app_mention.
func (w *Workspace) emitMessage(c *conversation, m *Message) {
	typ := "message." + c.scopeStem()
	mentioned := m.User != "" && m.BotID == "" && (m.Subtype == "" || m.Subtype == "file_share" || m.Subtype == "thread_broadcast") &&
		c.Kind != DM && strings.Contains(m.Text, "<@"+w.app.BotUserID+">")
	if w.hears(typ, c) {
		ev := messageEvent{Message: m.wire(false), Channel: c.ID, ChannelType: c.wireType(), EventTS: m.TS}
		if m.Subtype == "thread_broadcast" {
			if root := c.message(m.ThreadTS); root != nil {
				ev.Root = root.wire(false)
			}
		}
		w.send(c.ID, typ, mustJSON(ev))
	}
	if mentioned && w.hears("app_mention", c) {
		x := m.wire(false)
		x.Type, x.Subtype = "app_mention", ""
		// app_mention has no channel_type; see the page above.
		w.send(c.ID, "app_mention", mustJSON(struct {
			*Message
			Channel string `json:"channel"`
			EventTS string `json:"event_ts"`
		}{x, c.ID, m.TS}))
	}
	if m.Metadata != nil {
		w.emit(event{typ: "message_metadata_posted", conv: c, body: map[string]any{
			"type": "message_metadata_posted", "app_id": m.AppID, "bot_id": m.BotID, "user_id": m.User, "team_id": w.team.ID,
			"channel_id": c.ID, "metadata": m.Metadata, "message_ts": m.TS, "event_ts": m.TS,
		}})
	}
	for _, f := range m.Files {
		w.emit(event{typ: "file_shared", conv: c, body: map[string]any{
			"type": "file_shared", "file_id": f.ID, "user_id": m.User, "file": map[string]string{"id": f.ID},
			"channel_id": c.ID, "event_ts": m.TS,
		}})
	}
}

// emitChange tells the app of an edit, or of a deletion if there is no message any
// more; see docs.slack.dev/reference/events/message/message_changed and …_deleted.
func (w *Workspace) emitChange(c *conversation, was, is *Message) {
	typ := "message." + c.scopeStem()
	if !w.hears(typ, c) {
		return
	}
	ev := changeEvent{
		Type: "message", Subtype: "message_deleted", Hidden: true, Channel: c.ID, ChannelType: c.wireType(),
		TS: c.nextTS(w.now()), Previous: was.wire(false),
	}
	ev.EventTS = ev.TS
	if is != nil {
		ev.Subtype, ev.Message = "message_changed", is.wire(false)
	} else {
		ev.DeletedTS = was.TS
	}
	w.send(c.ID, typ, mustJSON(ev))
}
