package teams

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/infracloudio/msbotbuilder-go/schema"

	"github.com/deskhand/deskhand/adapters/teams/adaptive"
	"github.com/deskhand/deskhand/bot/chat"
)

// outgoing is an activity of the desk's. The schema's own can't be used for it:
// it writes its empty times and accounts too.
type outgoing struct {
	Type             string                     `json:"type"`
	ID               string                     `json:"id,omitempty"`
	From             schema.ChannelAccount      `json:"from"`
	Conversation     schema.ConversationAccount `json:"conversation"`
	Text             string                     `json:"text,omitempty"`
	TextFormat       string                     `json:"textFormat,omitempty"`
	Summary          string                     `json:"summary,omitempty"`
	AttachmentLayout string                     `json:"attachmentLayout,omitempty"`
	Attachments      []schema.Attachment        `json:"attachments,omitempty"`
}

// newConversation is what a chat, or a thread in a channel, is begun with.
type newConversation struct {
	Bot         schema.ChannelAccount   `json:"bot"`
	Members     []schema.ChannelAccount `json:"members,omitempty"`
	IsGroup     bool                    `json:"isGroup"`
	TenantID    string                  `json:"tenantId"`
	ChannelData map[string]any          `json:"channelData"`
	Activity    *outgoing               `json:"activity,omitempty"`
}

// created is Teams' answer to what makes something.
type created struct {
	ID       string `json:"id"`
	Activity string `json:"activityId"`
}

// Ways are Teams'.
func (a *Adapter) Ways() chat.Ways {
	return chat.Ways{Command: "@Deskhand ", FlatChats: true, Views: true}
}

// Send delivers a post. The Ref is only that of a Message.
//
// Bots can't react in Teams, and there is no home of the desk's beside its tab,
// so these are nothing to do. A Whisper goes to the person's own chat with the
// desk: messages to one person in a channel are a preview yet.
func (a *Adapter) Send(ctx context.Context, p chat.Post) (chat.Ref, error) {
	switch p.Kind {
	case chat.Message:
		return a.post(ctx, p)
	case chat.Whisper:
		_, err := a.post(ctx, a.whispered(p))
		return chat.Ref{}, err
	case chat.Home, chat.React, chat.Unreact:
		return chat.Ref{}, nil
	}
	return chat.Ref{}, &chat.RefusedError{Reason: fmt.Sprintf("a post of kind %q", p.Kind)}
}

// whispered is a whisper as a message to one person, which says what it is
// about if that is elsewhere.
func (a *Adapter) whispered(p chat.Post) chat.Post {
	about := p.Place
	p.Place = a.place("", "")
	if kind := conversationType("", about.Channel); about.Channel == "" || kind == personalChat {
		return p
	}
	note := chat.T("This is about a conversation that you and I are in.")
	if thread := about.Thread; thread != "" {
		note = chat.Rich{{Text: "This is about "}, {Text: "this conversation", Link: a.messageLink(about.Channel, thread)}, {Text: "."}}
	}
	blocks := p.Card.Blocks
	if len(blocks) == 0 {
		blocks = []chat.Block{chat.Section{Text: chat.T(p.Card.Text)}}
	}
	p.Card.Blocks = append(slices.Clone(blocks), chat.Note{Text: note})
	return p
}

// messageLink opens a message of a channel in the client.
// See learn.microsoft.com, "Deep link to a Teams chat".
func (a *Adapter) messageLink(channel, message string) string {
	return "https://teams.microsoft.com/l/message/" + url.PathEscape(channel) + "/" + url.PathEscape(message) + "?tenantId=" + url.QueryEscape(a.tenant)
}

// post sends a message: into a chat, into a channel's thread, or as a new post
// of a channel.
func (a *Adapter) post(ctx context.Context, p chat.Post) (chat.Ref, error) {
	channel, ref, err := a.destination(ctx, p)
	if err != nil {
		return chat.Ref{}, err
	}
	act := a.draw(ctx, p, a.drawingIn(ctx, ref), ref)
	at, err := a.put(ctx, channel, p, ref, act)
	if withNames(err, act) {
		return a.put(ctx, channel, p, ref, a.draw(ctx, p, a.naming(ctx), ref))
	}
	return at, err
}

// put sends what has been drawn.
func (a *Adapter) put(ctx context.Context, channel string, p chat.Post, ref reference, act outgoing) (chat.Ref, error) {
	if ref.Type == channelPost && p.Place.Thread == "" {
		return a.beginThread(ctx, channel, p, ref, act)
	}
	to := channel
	if ref.Type == channelPost {
		to = conversation(channel, p.Place.Thread)
	}
	act.Conversation.ID = to
	var done created
	if err := a.call(ctx, ref.ServiceURL, request{name: "send", method: http.MethodPost,
		path: []string{"v3", "conversations", to, "activities"}, body: act, effect: creating, about: p.ID}, &done); err != nil {
		return chat.Ref{}, err
	}
	return chat.Ref{Channel: channel, Message: done.ID}, nil
}

// beginThread posts what is not an answer to anything.
func (a *Adapter) beginThread(ctx context.Context, channel string, p chat.Post, ref reference, act outgoing) (chat.Ref, error) {
	act.Conversation.ID = channel
	var done created
	err := a.call(ctx, ref.ServiceURL, request{name: "begin", method: http.MethodPost, path: []string{"v3", "conversations"}, effect: creating, about: p.ID,
		body: newConversation{
			Bot: a.account(ref), IsGroup: true, TenantID: a.tenant, Activity: &act,
			ChannelData: map[string]any{"channel": map[string]string{"id": channel}, "tenant": map[string]string{"id": a.tenant}},
		}}, &done)
	if err != nil {
		return chat.Ref{}, err
	}
	if done.Activity == "" {
		_, done.Activity = splitConversation(done.ID)
	}
	return chat.Ref{Channel: channel, Message: done.Activity}, nil
}

// destination is where a post goes and how that is reached.
func (a *Adapter) destination(ctx context.Context, p chat.Post) (channel string, ref reference, err error) {
	channel, _ = splitConversation(p.Place.Channel)
	if channel == "" {
		return a.personal(ctx, p.User.ID)
	}
	ref, err = a.reach(ctx, channel)
	return channel, ref, err
}

// errNotHeard passes when the bot is installed: its first activity says where
// the service is.
var errNotHeard = errors.New("teams: nothing has come from Teams yet, so it is not known where to send to")

// reach is how a place is reached. One that nothing has come from yet, such as a
// channel that was found by its name, is reached as the tenant is.
func (a *Adapter) reach(ctx context.Context, channel string) (reference, error) {
	ref, known, err := a.book.look(ctx, placeKey(channel))
	if err != nil {
		return reference{}, err
	}
	if !known || ref.ServiceURL == "" {
		of, known, err := a.book.look(ctx, tenantKey)
		if err != nil {
			return reference{}, err
		}
		if !known {
			return reference{}, errNotHeard
		}
		ref.ServiceURL, ref.Bot = of.ServiceURL, of.Bot
	}
	ref.Type = conversationType(ref.Type, channel)
	return ref, nil
}

// personal is somebody's chat with the desk, begun if there is none: Teams has
// one for each person, however often it is begun.
// See learn.microsoft.com, "Send proactive messages".
func (a *Adapter) personal(ctx context.Context, user string) (string, reference, error) {
	if user == "" {
		return "", reference{}, &chat.RefusedError{Reason: "a post to nobody"}
	}
	ref, _, err := a.book.look(ctx, userKey(user))
	if err != nil {
		return "", reference{}, err
	}
	if ref.Chat == "" {
		chat, err, _ := a.chats.Do(user, func() (any, error) { return a.beginChat(context.WithoutCancel(ctx), user, ref) })
		if err != nil {
			return "", reference{}, err
		}
		ref.Chat = chat.(string)
	}
	place, err := a.reach(ctx, ref.Chat)
	if err != nil {
		return "", reference{}, err
	}
	place.Type = personalChat
	return ref.Chat, place, nil
}

func (a *Adapter) beginChat(ctx context.Context, user string, ref reference) (string, error) {
	of, known, err := a.book.look(ctx, tenantKey)
	if err != nil {
		return "", err
	}
	if !known {
		return "", errNotHeard
	}
	member := ref.Account
	if member == "" {
		member = user
	}
	var done created
	err = a.call(ctx, of.ServiceURL, request{name: "chat", method: http.MethodPost, path: []string{"v3", "conversations"}, body: newConversation{
		Bot: a.account(of), Members: []schema.ChannelAccount{{ID: member}}, TenantID: a.tenant,
		ChannelData: map[string]any{"tenant": map[string]string{"id": a.tenant}},
	}}, &done)
	if err != nil {
		return "", err
	}
	if done.ID == "" || len(done.ID) > maxID {
		return "", codeError("NoConversationInAnswer")
	}
	if err := a.book.learn(ctx, placeKey(done.ID), func(r *reference) {
		r.ServiceURL, r.Bot, r.Type = of.ServiceURL, of.Bot, personalChat
	}); err != nil {
		return "", err
	}
	return done.ID, a.book.learn(ctx, userKey(user), func(r *reference) {
		r.Chat = done.ID
		if r.ServiceURL == "" {
			r.ServiceURL = of.ServiceURL
		}
	})
}

// account is the desk's own there.
func (a *Adapter) account(ref reference) schema.ChannelAccount {
	if ref.Bot != "" {
		return schema.ChannelAccount{ID: ref.Bot}
	}
	return schema.ChannelAccount{ID: "28:" + a.app}
}

// maxText is how many characters of a plain message are shown; Teams takes about
// 40,000 (80 KB in UTF-16, under "Format your bot messages").
const maxText = 20_000

// draw makes the activity of a post: words alone, in somebody's own chat, as a
// message, everything else as a card, with the name of whoever speaks above it.
// Only a card has room for the mark by which Find knows it. Text and attachments
// never go together: Teams would make two messages of them, and tell the id of
// neither.
func (a *Adapter) draw(ctx context.Context, p chat.Post, o adaptive.Options, ref reference) outgoing {
	act := outgoing{Type: "message", From: a.account(ref)}
	if ref.Type != personalChat {
		o.Mark = a.mark(p) // without one it is not found, and that is all
	} else if p.As == nil && len(p.Card.Blocks) == 0 && len(p.Files) == 0 && len(p.Viewers) == 0 {
		act.Text, act.TextFormat = a.plainText(p.Card), "plain"
		return act
	}
	card, pictures := a.withFiles(p)
	act.Summary = adaptive.Summary(p)
	act.Attachments = append([]schema.Attachment{{ContentType: adaptive.ContentType, Content: adaptive.Card(card, o)}}, pictures...)
	if len(pictures) > 0 {
		act.AttachmentLayout = string(schema.LIST)
	}
	return act
}

// plainText is a card of nothing but words.
func (a *Adapter) plainText(c chat.Card) string {
	words := []rune(chat.StripMarks(strings.ToValidUTF8(strings.TrimSpace(c.Text), "")))
	if len(words) > maxText {
		words = append(words[:maxText], '…')
	}
	if len(words) == 0 {
		words = []rune("…") // Teams takes no empty message
	}
	if a.anonymous {
		return string(words) + "\n\n" + footer
	}
	return string(words)
}

// Update shows p's card in the place of the message at ref.
func (a *Adapter) Update(ctx context.Context, at chat.Ref, p chat.Post) error {
	if at.Channel == "" || at.Message == "" {
		return fmt.Errorf("teams: update: %w", chat.ErrGone)
	}
	ref, err := a.reach(ctx, at.Channel)
	if err != nil {
		return err
	}
	to := at.Channel
	if ref.Type == channelPost {
		thread := p.Place.Thread
		if thread == "" {
			thread = at.Message
		}
		to = conversation(at.Channel, thread)
	}
	put := func(act outgoing) error {
		act.ID, act.Conversation.ID = at.Message, to
		return a.call(ctx, ref.ServiceURL, request{name: "update", method: http.MethodPut,
			path: []string{"v3", "conversations", to, "activities", at.Message}, body: act, about: p.ID}, nil)
	}
	act := a.draw(ctx, p, a.drawingIn(ctx, ref), ref)
	if err = put(act); withNames(err, act) {
		err = put(a.draw(ctx, p, a.naming(ctx), ref))
	}
	return err
}

// naming is how cards are drawn in which everybody is only named.
func (a *Adapter) naming(ctx context.Context) adaptive.Options {
	o := a.drawing(ctx)
	o.Mention = func(chat.User) bool { return false }
	return o
}

// drawingIn is how cards are drawn for a conversation. In somebody's own chat
// with the desk there is nobody else who could be mentioned.
func (a *Adapter) drawingIn(ctx context.Context, ref reference) adaptive.Options {
	if ref.Type == personalChat {
		return a.naming(ctx)
	}
	return a.drawing(ctx)
}

// withNames says that Teams may take what it has refused once people are named
// in it: a card that mentions somebody who is not in the conversation is refused
// as a whole, and who is in it changes.
func withNames(err error, act outgoing) bool {
	_, refused := errors.AsType[*chat.RefusedError](err)
	return refused && slices.ContainsFunc(act.Attachments, func(x schema.Attachment) bool {
		card, ok := x.Content.(json.RawMessage)
		return ok && adaptive.Mentions(card)
	})
}

// Budgets are the limits that a post, or its update, is subject to: in one
// conversation 7 calls in 1 s, 8 in 2 s, 60 in 30 s and 1,800 in an hour, and 50
// a second for the app in its tenant. A bucket lets burst + rate × window
// through, so the numbers here keep to all of these windows.
// See learn.microsoft.com, "Optimize your bot with rate limiting in Teams".
func (a *Adapter) Budgets(p chat.Post, _ bool) []chat.Budget {
	if a.unpaced {
		return nil
	}
	switch p.Kind {
	case chat.Message, chat.Whisper:
	default:
		return nil
	}
	to, _ := splitConversation(p.Place.Channel)
	if to == "" || p.Kind == chat.Whisper {
		to = p.User.ID
		if h, ok := a.book.held(userKey(to)); ok && h.Chat != "" {
			to = h.Chat
		}
	}
	name := Platform + ":" + a.tenant + ":"
	return []chat.Budget{
		{Name: name + "moment:" + to, Rate: 1.8, Burst: 4},
		{Name: name + "hour:" + to, Rate: 0.4, Burst: 300},
		{Name: name + "app:" + a.app, Rate: 40, Burst: 10, Wide: true}, // a 429 does not say for which limit it is
	}
}
