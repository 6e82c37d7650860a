package slack

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/slack-go/slack"

	"github.com/deskhand/deskhand/bot/chat"
)

// errNotConnected says that Slack has not told yet whose workspace it is.
var errNotConnected = errors.New("slack: not connected yet")

// Channel finds a channel by its name, with or without #, or by its id, among
// those that the desk can see: the public ones, and the private ones that it is
// in. Without one the error is chat.ErrGone.
func (a *Adapter) Channel(ctx context.Context, name string) (chat.Place, error) {
	if a.self.Load() == nil {
		return chat.Place{}, errNotConnected
	}
	name = strings.TrimPrefix(name, "#")
	if isChannelID(name) {
		var c *slack.Channel
		err := a.call(ctx, "conversations.info", repeatable, func(ctx context.Context) (err error) {
			c, err = a.api.GetConversationInfoContext(ctx, &slack.GetConversationInfoInput{ChannelID: name})
			return err
		})
		if err == nil {
			return a.me().place(c.ID, ""), nil
		}
		if !errors.Is(err, chat.ErrGone) {
			return chat.Place{}, err
		}
	}
	cursor := ""
	for {
		var page []slack.Channel
		var next string
		err := a.call(ctx, "conversations.list", repeatable, func(ctx context.Context) (err error) {
			// Slack advises pages of 200; it has been seen to time out on larger ones.
			page, next, err = a.api.GetConversationsContext(ctx, &slack.GetConversationsParameters{
				Types: []string{"public_channel", "private_channel"}, ExcludeArchived: true, Limit: 200, Cursor: cursor})
			return err
		})
		if err != nil {
			return chat.Place{}, err
		}
		for _, c := range page {
			if strings.EqualFold(c.Name, name) {
				return a.me().place(c.ID, ""), nil
			}
		}
		if next == "" || next == cursor {
			return chat.Place{}, fmt.Errorf("slack: no channel %q in sight: %w", name, chat.ErrGone)
		}
		cursor = next
	}
}

// isChannelID tells an id from a name: names are written small.
func isChannelID(s string) bool {
	return len(s) >= 9 && strings.ToUpper(s) == s && strings.ContainsAny(s[:1], "CGD")
}

// Message is a message that stands in a channel, as the event that it was. Its
// Thread is found out, so place need not name it. A message that is gone, or
// that no person wrote, is chat.ErrGone.
func (a *Adapter) Message(ctx context.Context, place chat.Place, id string) (chat.Event, error) {
	m, err := a.message(ctx, place.Channel, id)
	if err != nil {
		return chat.Event{}, err
	}
	at, ok := stamp(m.Timestamp)
	if !ok || m.User == "" {
		return chat.Event{}, fmt.Errorf("slack: message %s was not written by a person: %w", id, chat.ErrGone)
	}
	me := a.me()
	thread := m.ThreadTimestamp
	if thread == id {
		thread = ""
	}
	e := chat.Event{
		Key: key("m", place.Channel, id), At: at, Kind: chat.Said,
		By: me.person(m.User), Place: me.place(place.Channel, thread), Scope: scope("", place.Channel), Message: id,
	}
	e.Text, e.Mentioned = plain(m.Text, me.user)
	for _, f := range m.Files {
		if f.ID != "" && f.Mode != "tombstone" && f.Mode != "hidden_by_limit" {
			e.Files = append(e.Files, chat.File{ID: f.ID, Name: f.Name, MIME: f.Mimetype, Size: int64(f.Size), URL: cmp.Or(f.URLPrivateDownload, f.URLPrivate)})
		}
	}
	return e, nil
}

// message looks in the channel and then among the replies, which its history
// leaves out.
func (a *Adapter) message(ctx context.Context, channel, id string) (slack.Message, error) {
	var page []slack.Message
	err := a.call(ctx, "conversations.history", repeatable, func(ctx context.Context) error {
		r, err := a.api.GetConversationHistoryContext(ctx, &slack.GetConversationHistoryParameters{
			ChannelID: channel, Latest: id, Oldest: id, Inclusive: true, Limit: 1})
		if err == nil {
			page = r.Messages
		}
		return err
	})
	if err != nil {
		return slack.Message{}, err
	}
	if len(page) == 0 {
		// A reply's own ts is taken for that of its thread.
		err = a.call(ctx, "conversations.replies", repeatable, func(ctx context.Context) (err error) {
			page, _, _, err = a.api.GetConversationRepliesContext(ctx, &slack.GetConversationRepliesParameters{
				ChannelID: channel, Timestamp: id, Latest: id, Oldest: id, Inclusive: true, Limit: 2})
			return err
		})
		if err != nil {
			return slack.Message{}, err
		}
	}
	for _, m := range page {
		if m.Timestamp == id {
			return m, nil
		}
	}
	return slack.Message{}, fmt.Errorf("slack: no message %s: %w", id, chat.ErrGone)
}
