package slack

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/slack-go/slack"

	"github.com/deskhand/deskhand/adapters/slack/blockkit"
	"github.com/deskhand/deskhand/bot/chat"
)

// postEvent is the type of the metadata by which Find knows a post again.
const postEvent = "deskhand_post"

func metadata(p chat.Post) slack.SlackMetadata {
	return slack.SlackMetadata{EventType: postEvent, EventPayload: map[string]any{"id": p.ID}}
}

// Send delivers a post. The Ref is only that of a Message.
//
// A Message is posted once: if Slack's answer is lost, the error is
// chat.ErrUnsure, and Find says whether it is there, and completes it if its
// files are missing.
func (a *Adapter) Send(ctx context.Context, p chat.Post) (chat.Ref, error) {
	switch p.Kind {
	case chat.Message:
		return a.post(ctx, p)
	case chat.Whisper:
		return chat.Ref{}, a.whisper(ctx, p)
	case chat.Home:
		return chat.Ref{}, a.call(ctx, "views.publish", repeatable, func(ctx context.Context) error {
			_, err := a.api.PublishViewContext(ctx, slack.PublishViewContextRequest{UserID: p.User.ID, View: blockkit.RenderHome(p.Card)})
			return err
		})
	case chat.React:
		err := a.call(ctx, "reactions.add", repeatable, func(ctx context.Context) error {
			return unless("already_reacted", a.api.AddReactionContext(ctx, p.Emoji, slack.NewRefToMessage(p.Place.Channel, p.Target)))
		})
		return chat.Ref{}, err
	case chat.Unreact:
		err := a.call(ctx, "reactions.remove", repeatable, func(ctx context.Context) error {
			return unless("no_reaction", a.api.RemoveReactionContext(ctx, p.Emoji, slack.NewRefToMessage(p.Place.Channel, p.Target)))
		})
		return chat.Ref{}, err
	}
	return chat.Ref{}, &chat.RefusedError{Reason: fmt.Sprintf("a post of kind %q", p.Kind)}
}

// unless is err, or nil if it only says that it is done already.
func unless(done string, err error) error {
	if e, ok := errors.AsType[slack.SlackErrorResponse](err); ok && e.Err == done {
		return nil
	}
	return err
}

func (a *Adapter) post(ctx context.Context, p chat.Post) (chat.Ref, error) {
	channel, err := a.channel(ctx, p)
	if err != nil {
		return chat.Ref{}, err
	}
	// Files first: as long as nobody sees them, failing costs nothing.
	uploads, err := a.upload(ctx, p.Files)
	if err != nil {
		return chat.Ref{}, err
	}
	options := append(content(p.Card), slack.MsgOptionMetadata(metadata(p)), slack.MsgOptionDisableLinkUnfurl(), slack.MsgOptionDisableMediaUnfurl())
	if p.Place.Thread != "" {
		options = append(options, slack.MsgOptionTS(p.Place.Thread))
	}
	if p.As != nil {
		options = append(options, slack.MsgOptionUsername(p.As.Name))
		if p.As.Avatar != "" {
			options = append(options, slack.MsgOptionIconURL(p.As.Avatar))
		}
	}
	var ref chat.Ref
	err = a.call(ctx, "chat.postMessage", creating, func(ctx context.Context) (err error) {
		ref.Channel, ref.Message, err = a.api.PostMessageContext(ctx, channel, options...)
		if err == nil && ref.Message == "" {
			err = errors.New("no timestamp in the answer")
		}
		return err
	})
	if err != nil || len(uploads) == 0 {
		return ref, err
	}
	if err := a.share(ctx, ref, p.Place.Thread, uploads); err != nil {
		// The message stands, its files don't: not to be sent again, but to be
		// looked at and completed.
		return ref, fmt.Errorf("%w: %v", chat.ErrUnsure, err)
	}
	return ref, nil
}

// content is a card as the arguments of a message.
func content(c chat.Card) []slack.MsgOption {
	blocks, text := blockkit.Render(c)
	return []slack.MsgOption{slack.MsgOptionText(text, false), slack.MsgOptionBlocks(blocks...)}
}

// channel is where a post goes: its channel, or the direct messages with its
// user, which are opened for that.
func (a *Adapter) channel(ctx context.Context, p chat.Post) (string, error) {
	if p.Place.Channel != "" {
		return p.Place.Channel, nil
	}
	if dm, ok := a.dms.Load(p.User.ID); ok {
		return dm.(string), nil
	}
	var dm string
	err := a.call(ctx, "conversations.open", repeatable, func(ctx context.Context) error {
		c, _, _, err := a.api.OpenConversationContext(ctx, &slack.OpenConversationParameters{Users: []string{p.User.ID}})
		if err == nil && (c == nil || c.ID == "") {
			return errors.New("no channel in the answer")
		}
		if err == nil {
			dm = c.ID
		}
		return err
	})
	if err != nil {
		return "", err
	}
	a.dms.Store(p.User.ID, dm)
	return dm, nil
}

// whisper shows a card to one person: at the address of what they did, as long
// as Slack takes it, else as an ephemeral message; in their direct messages it
// is an ordinary one.
func (a *Adapter) whisper(ctx context.Context, p chat.Post) error {
	if p.Reply != "" {
		m := ephemeral(p.Card)
		m.Thread = p.Place.Thread
		if err := a.respondTo(ctx, p.Reply, m); !errors.Is(err, chat.ErrGone) {
			return err
		}
	}
	if p.Place.Channel == "" {
		p.Kind = chat.Message
		_, err := a.post(ctx, p)
		return err
	}
	options := content(p.Card)
	if p.Place.Thread != "" {
		options = append(options, slack.MsgOptionTS(p.Place.Thread))
	}
	// A whisper leaves no trace to be found by, so a lost answer is passing.
	return a.call(ctx, "chat.postEphemeral", repeatable, func(ctx context.Context) error {
		_, err := a.api.PostEphemeralContext(ctx, p.Place.Channel, p.User.ID, options...)
		return err
	})
}

// Update shows p's card in the place of the message at ref.
func (a *Adapter) Update(ctx context.Context, ref chat.Ref, p chat.Post) error {
	options := append(content(p.Card), slack.MsgOptionMetadata(metadata(p)))
	return a.call(ctx, "chat.update", repeatable, func(ctx context.Context) error {
		_, _, _, err := a.api.UpdateMessageContext(ctx, ref.Channel, ref.Message, options...)
		return err
	})
}

// How far back Find looks. A post that is looked for was sent a moment ago, or
// just before a crash.
const (
	findPages = 5
	findPage  = 200
)

// Find looks for a Message that may have been delivered, by its ID. If it is
// there without its files, it is given them.
func (a *Adapter) Find(ctx context.Context, p chat.Post) (chat.Ref, bool, error) {
	if p.Kind != chat.Message {
		return chat.Ref{}, false, nil
	}
	channel, err := a.channel(ctx, p)
	if err != nil {
		return chat.Ref{}, false, err
	}
	found := ""
	err = a.look(ctx, channel, p.Place.Thread, func(m slack.Message) bool {
		if m.Metadata.EventType == postEvent && m.Metadata.EventPayload["id"] == p.ID {
			found = m.Timestamp
		}
		return found == ""
	})
	if errors.Is(err, chat.ErrGone) || err == nil && found == "" {
		return chat.Ref{}, false, nil
	}
	if err != nil {
		return chat.Ref{}, false, err
	}
	ref := chat.Ref{Channel: channel, Message: found}
	if err := a.complete(ctx, ref, p); err != nil {
		return chat.Ref{}, false, err
	}
	return ref, true, nil
}

// look goes through a channel, newest first, or a thread, as long as more says
// so.
func (a *Adapter) look(ctx context.Context, channel, thread string, more func(slack.Message) bool) error {
	cursor := ""
	for range findPages {
		var page []slack.Message
		var next string
		var err error
		if thread == "" {
			err = a.call(ctx, "conversations.history", repeatable, func(ctx context.Context) error {
				r, err := a.api.GetConversationHistoryContext(ctx, &slack.GetConversationHistoryParameters{
					ChannelID: channel, Cursor: cursor, Limit: findPage, IncludeAllMetadata: true})
				if err == nil {
					page, next = r.Messages, r.ResponseMetaData.NextCursor
				}
				return err
			})
		} else {
			err = a.call(ctx, "conversations.replies", repeatable, func(ctx context.Context) (err error) {
				page, _, next, err = a.api.GetConversationRepliesContext(ctx, &slack.GetConversationRepliesParameters{
					ChannelID: channel, Timestamp: thread, Cursor: cursor, Limit: findPage, IncludeAllMetadata: true})
				return err
			})
		}
		if err != nil {
			return err
		}
		for _, m := range page {
			if !more(m) {
				return nil
			}
		}
		if next == "" {
			return nil
		}
		cursor = next
	}
	return nil
}

// Slack's tiers, in calls a minute for each method and workspace. It tolerates
// bursts and does not publish how long; a third of a minute's calls is what is
// taken here. See docs.slack.dev/apis/web-api/rate-limits.
const (
	tier2 = 20
	tier3 = 50
	tier4 = 100
)

// Budgets are the limits that a post, or its update, is subject to.
func (a *Adapter) Budgets(p chat.Post, update bool) []chat.Budget {
	if a.unpaced {
		return nil
	}
	team := a.me().team
	if p.Place.Workspace != "" {
		team = p.Place.Workspace
	}
	tier := func(method string, perMinute int) chat.Budget {
		return chat.Budget{Name: Platform + ":" + team + ":" + method, Rate: float64(perMinute) / time.Minute.Seconds(), Burst: perMinute / 3}
	}
	if update {
		return []chat.Budget{tier("chat.update", tier3)}
	}
	switch p.Kind {
	case chat.Message:
		channel := p.Place.Channel
		if channel == "" {
			channel = p.User.ID
			if dm, ok := a.dms.Load(channel); ok {
				channel = dm.(string)
			}
		}
		all := []chat.Budget{
			// "One message per second per channel", with short bursts.
			{Name: Platform + ":" + team + ":channel:" + channel, Rate: 1, Burst: 3},
			// "Several hundred messages per minute" for a workspace.
			tier("chat.postMessage", 480),
		}
		if len(p.Files) > 0 {
			all = append(all, tier("files.completeUploadExternal", tier4))
		}
		return all
	case chat.Whisper:
		return []chat.Budget{tier("chat.postEphemeral", tier4)}
	case chat.Home:
		return []chat.Budget{tier("views.publish", tier4)}
	case chat.React:
		return []chat.Budget{tier("reactions.add", tier3)}
	case chat.Unreact:
		return []chat.Budget{tier("reactions.remove", tier2)}
	}
	return nil
}
