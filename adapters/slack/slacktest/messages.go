package slacktest

import (
	"encoding/json"
	"slices"
)

// post completes a message, keeps it, and tells everybody: people by the change
// stream, the app by events. The caller holds w.mu and has checked everything.
func (w *Workspace) post(c *conversation, m *Message) *Message {
	m.Type, m.Channel, m.Team = "message", c.ID, w.team.ID
	m.TS = c.nextTS(w.now())
	root := c.message(m.ThreadTS)
	if root != nil && !m.Ephemeral {
		m.ParentUser = root.User
	}
	c.add(m, w.keepMessages)
	w.changed(Change{Kind: MessagePosted, Channel: c.ID, TS: m.TS, Message: m, User: m.To})
	if m.Ephemeral {
		return m // docs.slack.dev/reference/methods/chat.postEphemeral: kept nowhere, no event
	}
	if root != nil {
		c.threads[root.TS] = append(c.threads[root.TS], m.TS)
		w.recount(c, root.TS)
	}
	if m.User != "" {
		c.read[m.User] = m.TS
	}
	w.emitMessage(c, m)
	return m
}

// recount brings reply_count and its like up to date on the first message of a
// thread.
func (w *Workspace) recount(c *conversation, rootTS string) {
	old := c.message(rootTS)
	if old == nil {
		return
	}
	root := *old
	replies := c.threads[rootTS]
	root.ReplyCount, root.ReplyUsers, root.LatestReply, root.ThreadTS = len(replies), nil, "", rootTS
	if len(replies) == 0 {
		root.ThreadTS = ""
		delete(c.threads, rootTS)
	} else {
		root.LatestReply = replies[len(replies)-1]
		// docs.slack.dev/messaging/retrieving-messages: reply_users names some of
		// them; five are kept here.
		if n := len(replies); n > 1 && old.ReplyCount == n-1 {
			root.ReplyUsers = old.ReplyUsers
		} else {
			for _, ts := range replies[:n-1] {
				root.ReplyUsers = withReplier(root.ReplyUsers, c.message(ts))
			}
		}
		root.ReplyUsers = withReplier(root.ReplyUsers, c.message(root.LatestReply))
	}
	root.ReplyUsersCount = len(root.ReplyUsers)
	c.put(&root)
	w.changed(Change{Kind: MessageChanged, Channel: c.ID, TS: root.TS, Message: &root})
}

func withReplier(users []string, m *Message) []string {
	if m == nil {
		return users
	}
	by := m.User
	if by == "" {
		by = m.BotID
	}
	if by == "" || len(users) >= 5 || slices.Contains(users, by) {
		return users
	}
	return append(slices.Clone(users), by)
}

// change replaces a message by an edited one and tells everybody. by is empty for
// changes that are no edits.
func (w *Workspace) change(c *conversation, was, is *Message, by string) {
	if by != "" {
		is.Edited = &Edited{User: by, TS: slackTS(w.now().Unix() * 1e6)} // whole seconds, as in Slack's own events
	}
	c.put(is)
	if !sameBlocks(was.Blocks, is.Blocks) {
		delete(c.entered, is.TS) // other elements: what was chosen in the old ones is gone
	}
	w.changed(Change{Kind: MessageChanged, Channel: c.ID, TS: is.TS, Message: is, User: is.To})
	if !is.Ephemeral {
		w.emitChange(c, was, is)
	}
}

func sameBlocks(a, b json.RawMessage) bool { return string(a) == string(b) }

// delete takes a message away. The first message of a thread with replies leaves
// a tombstone, because the replies stay; Slack tells the app so as
// message_changed.
func (w *Workspace) delete(c *conversation, m *Message) {
	if m.Ephemeral {
		c.remove(m.TS)
		w.changed(Change{Kind: MessageDeleted, Channel: c.ID, TS: m.TS, Message: m, User: m.To})
		return
	}
	if len(c.threads[m.TS]) > 0 {
		w.change(c, m, &Message{
			Type: "message", Subtype: "tombstone", Channel: c.ID, TS: m.TS, ThreadTS: m.ThreadTS, Team: m.Team,
			User: "USLACKBOT", Text: "This message was deleted.",
			ReplyCount: m.ReplyCount, ReplyUsers: m.ReplyUsers, ReplyUsersCount: m.ReplyUsersCount, LatestReply: m.LatestReply,
		}, "")
		return
	}
	c.remove(m.TS)
	w.changed(Change{Kind: MessageDeleted, Channel: c.ID, TS: m.TS, Message: m})
	w.emitChange(c, m, nil)
	if m.ThreadTS != "" && m.ThreadTS != m.TS {
		c.threads[m.ThreadTS] = slices.DeleteFunc(c.threads[m.ThreadTS], func(ts string) bool { return ts == m.TS })
		w.recount(c, m.ThreadTS)
		if root := c.message(m.ThreadTS); root != nil && root.Subtype == "tombstone" && root.ReplyCount == 0 {
			c.remove(root.TS)
			w.changed(Change{Kind: MessageDeleted, Channel: c.ID, TS: root.TS, Message: root})
		}
	}
}

// react adds or takes away a reaction. The error is Slack's code.
// See docs.slack.dev/reference/methods/reactions.add.
func (w *Workspace) react(c *conversation, m *Message, user, name string, add bool) error {
	is := *m
	is.Reactions = slices.Clone(m.Reactions)
	at := slices.IndexFunc(is.Reactions, func(r Reaction) bool { return r.Name == name })
	typ := "reaction_added"
	if add {
		if at < 0 {
			if len(is.Reactions) >= 50 {
				return &APIError{Code: "too_many_emoji"}
			}
			is.Reactions, at = append(is.Reactions, Reaction{Name: name}), len(is.Reactions)
		}
		r := is.Reactions[at]
		if slices.Contains(r.Users, user) {
			return &APIError{Code: "already_reacted"}
		}
		r.Users = append(slices.Clone(r.Users), user)
		r.Count = len(r.Users)
		is.Reactions[at] = r
	} else {
		typ = "reaction_removed"
		if at < 0 || !slices.Contains(is.Reactions[at].Users, user) {
			return &APIError{Code: "no_reaction"}
		}
		r := is.Reactions[at]
		r.Users = slices.DeleteFunc(slices.Clone(r.Users), func(u string) bool { return u == user })
		r.Count = len(r.Users)
		is.Reactions[at] = r
		if r.Count == 0 {
			is.Reactions = slices.Delete(is.Reactions, at, at+1)
		}
	}
	c.put(&is)
	w.changed(Change{Kind: MessageChanged, Channel: c.ID, TS: is.TS, Message: &is})
	ev := map[string]any{
		"type": typ, "user": user, "reaction": name, "event_ts": w.eventTS(),
		"item": map[string]any{"type": "message", "channel": c.ID, "ts": m.TS},
	}
	if m.User != "" {
		ev["item_user"] = m.User
	}
	w.emit(event{typ: typ, conv: c, body: ev})
	return nil
}

// wire is the message as history and events give it: without what only people's
// clients know, and without metadata unless it was asked for.
func (m *Message) wire(metadata bool) *Message {
	x := *m
	x.Channel, x.To, x.Ephemeral = "", "", false
	if !metadata {
		x.Metadata = nil
	}
	return &x
}

// Message is the message as the API has it. Ephemeral ones are found too.
func (w *Workspace) Message(channel, ts string) (Message, bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if c := w.conv(channel); c != nil {
		if m := c.message(ts); m != nil {
			return *m, true
		}
	}
	return Message{}, false
}

func mustJSON(v any) []byte {
	b, err := json.Marshal(v)
	if err != nil {
		panic("slacktest: " + err.Error()) // only values made here are given
	}
	return b
}
