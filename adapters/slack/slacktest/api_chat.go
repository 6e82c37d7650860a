package slacktest

import (
	"strings"
	"unicode/utf8"
)

// visible finds a conversation that the bot may know of: public ones, and those
// that it is in. The caller holds w.mu.
func (w *Workspace) visible(id string) (*conversation, error) {
	c := w.convByID[id]
	if c == nil || c.Kind != Public && !c.member[w.app.BotUserID] {
		return nil, &APIError{Code: "channel_not_found"}
	}
	return c, nil
}

// writable is where the bot may post. A user's id stands for the conversation with
// that user; see docs.slack.dev/reference/methods/chat.postMessage#channels.
func (w *Workspace) writable(id string) (*conversation, error) {
	if u := w.userByID[id]; u != nil {
		if u.ID == w.app.BotUserID || u.Deleted {
			return nil, &APIError{Code: "channel_not_found"}
		}
		c, err := w.directWith(u.ID, w.app.BotUserID)
		if err != nil {
			return nil, err
		}
		return c, nil
	}
	if named := w.convByName[strings.TrimPrefix(id, "#")]; named != nil && named.Kind == Public {
		id = named.ID
	}
	c, err := w.visible(id)
	switch {
	case err != nil:
		return nil, err
	case c.Archived:
		return nil, &APIError{Code: "is_archived"}
	case !c.member[w.app.BotUserID] && !w.scopes["chat:write.public"]:
		return nil, &APIError{Code: "not_in_channel"}
	}
	return c, nil
}

// thread checks a thread_ts. Replies to replies are refused, though Slack only
// advises against them and shows them in no thread.
func (c *conversation) thread(ts string) error {
	if ts == "" {
		return nil
	}
	m := c.message(ts)
	switch {
	case m == nil || m.Ephemeral:
		return &APIError{Code: "thread_not_found"}
	case m.ThreadTS != "" && m.ThreadTS != m.TS, m.Subtype == "channel_join", m.Subtype == "group_join":
		return &APIError{Code: "cannot_reply_to_message"}
	}
	return nil
}

// botMessage is a message by the app. Under another name it is a bot_message.
func (w *Workspace) botMessage(c content) *Message {
	return &Message{
		User: w.app.BotUserID, BotID: w.app.BotID, AppID: w.app.ID, BotProfile: w.botProfile,
		Text: c.shown(), Blocks: c.blocks, Attachments: c.attachments, Metadata: c.metadata,
	}
}

// https://docs.slack.dev/reference/methods/chat.postMessage
func (w *Workspace) apiPostMessage(r *request) (any, error) {
	ct, err := w.content(r)
	if err != nil {
		return nil, err
	}
	if ct.empty() {
		return nil, &APIError{Code: "no_text"}
	}
	m := w.botMessage(ct)
	if name, icon, url := r.str("username"), r.str("icon_emoji"), r.str("icon_url"); name+icon+url != "" {
		if !w.scopes["chat:write.customize"] {
			return nil, &APIError{Code: "missing_scope", Needed: "chat:write.customize"}
		}
		m.Subtype, m.Username, m.User = "bot_message", name, ""
		if icon+url != "" {
			m.Icons = mustJSON(map[string]string{"emoji": icon, "image_48": url})
		}
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	c, err := w.writable(r.str("channel"))
	if err != nil {
		return nil, err
	}
	m.ThreadTS = r.str("thread_ts")
	if err := c.thread(m.ThreadTS); err != nil {
		return nil, err
	}
	if r.bool("reply_broadcast") && m.ThreadTS != "" && m.Subtype == "" {
		m.Subtype = "thread_broadcast"
	}
	w.post(c, m)
	w.stats.posted++
	answer := map[string]any{"channel": c.ID, "ts": m.TS, "message": m.wire(true)}
	if ct.cut {
		answer["warning"] = "message_truncated"
		answer["response_metadata"] = map[string]any{"warnings": []string{"message_truncated"}}
	}
	return answer, nil
}

// https://docs.slack.dev/reference/methods/chat.postEphemeral
func (w *Workspace) apiPostEphemeral(r *request) (any, error) {
	ct, err := w.content(r)
	if err != nil {
		return nil, err
	}
	if ct.empty() {
		return nil, &APIError{Code: "no_text"}
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	c, err := w.writable(r.str("channel"))
	if err != nil {
		return nil, err
	}
	user := r.str("user")
	if !c.member[user] {
		return nil, &APIError{Code: "user_not_in_channel"}
	}
	m := w.botMessage(ct)
	m.Ephemeral, m.To, m.Metadata, m.ThreadTS = true, user, nil, r.str("thread_ts")
	if err := c.thread(m.ThreadTS); err != nil {
		return nil, err
	}
	w.post(c, m)
	return map[string]any{"message_ts": m.TS}, nil
}

// own finds a message of the bot, or says with refused why it may not be touched.
func (w *Workspace) own(r *request, refused string) (*conversation, *Message, error) {
	c, err := w.visible(r.str("channel"))
	if err != nil {
		return nil, nil, err
	}
	m := c.message(r.str("ts"))
	switch {
	case m == nil || m.Ephemeral: // ephemeral messages have no place in history
		return nil, nil, &APIError{Code: "message_not_found"}
	case m.BotID != w.app.BotID:
		return nil, nil, &APIError{Code: refused}
	}
	return c, m, nil
}

// https://docs.slack.dev/reference/methods/chat.update
func (w *Workspace) apiUpdate(r *request) (any, error) {
	ct, err := w.content(r)
	if err != nil {
		return nil, err
	}
	switch {
	case utf8.RuneCountInString(ct.text) > maxUpdateText:
		return nil, &APIError{Code: "msg_too_long"}
	case ct.text == "" && !ct.hasBlocks && !ct.hasAttachments:
		return nil, &APIError{Code: "no_text"}
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	c, was, err := w.own(r, "cant_update_message")
	switch {
	case err != nil:
		return nil, err
	case c.Archived:
		return nil, &APIError{Code: "is_inactive"}
	}
	is := *was
	// What is not given stays; an empty array takes it away.
	if ct.hasBlocks {
		is.Blocks = ct.blocks
	}
	if ct.hasAttachments {
		is.Attachments = ct.attachments
	}
	if ct.hasMetadata {
		is.Metadata = ct.metadata
	}
	if is.Text = ct.text; is.Text == "" && is.Blocks != nil {
		is.Text = ct.shown()
	}
	if is.Text == "" && is.Blocks == nil && is.Attachments == nil {
		return nil, &APIError{Code: "no_text"}
	}
	if r.bool("reply_broadcast") && is.ThreadTS != "" && is.Subtype == "" {
		is.Subtype = "thread_broadcast"
	}
	w.change(c, was, &is, w.app.BotUserID)
	return map[string]any{"channel": c.ID, "ts": is.TS, "text": is.Text, "message": is.wire(true)}, nil
}

// https://docs.slack.dev/reference/methods/chat.delete
func (w *Workspace) apiDelete(r *request) (any, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	c, m, err := w.own(r, "cant_delete_message")
	if err != nil {
		return nil, err
	}
	if m.Subtype == "tombstone" {
		return nil, &APIError{Code: "message_not_found"}
	}
	w.delete(c, m)
	return map[string]any{"channel": c.ID, "ts": m.TS}, nil
}

// https://docs.slack.dev/reference/methods/chat.getPermalink
func (w *Workspace) apiPermalink(r *request) (any, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	c, err := w.visible(r.str("channel"))
	if err != nil {
		return nil, err
	}
	m := c.message(r.str("message_ts"))
	if m == nil || m.Ephemeral {
		return nil, &APIError{Code: "message_not_found"}
	}
	return map[string]any{"channel": c.ID, "permalink": w.permalink(c, m)}, nil
}

func (w *Workspace) permalink(c *conversation, m *Message) string {
	link := "https://" + w.team.Domain + ".slack.com/archives/" + c.ID + "/p" + strings.Replace(m.TS, ".", "", 1)
	if m.ThreadTS != "" && m.ThreadTS != m.TS {
		link += "?thread_ts=" + m.ThreadTS + "&cid=" + c.ID
	}
	return link
}
