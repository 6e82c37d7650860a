package slack

import (
	"cmp"
	"context"
	"errors"

	"github.com/slack-go/slack"

	"github.com/deskhand/deskhand/bot/chat"
)

// Profile is what Slack says of a user. Mail is left empty unless Slack has
// confirmed it and the user is a person of this workspace, because it decides
// who somebody is.
func (a *Adapter) Profile(ctx context.Context, u chat.User) (chat.Profile, error) {
	if a.self.Load() == nil {
		return chat.Profile{}, errNotConnected // everybody would be a stranger
	}
	var user *slack.User
	err := a.call(ctx, "users.info", repeatable, func(ctx context.Context) (err error) {
		user, err = a.api.GetUserInfoContext(ctx, u.ID, slack.GetUserInfoOptionIncludeLocale(true))
		return err
	})
	if err != nil {
		return chat.Profile{}, err
	}
	// Somebody from another organisation, in a channel that is shared with it.
	stranger := user.IsStranger || user.TeamID != "" && user.TeamID != a.me().team
	p := chat.Profile{
		User:     a.me().person(u.ID),
		Name:     cmp.Or(user.Profile.RealName, user.RealName, user.Profile.DisplayName, user.Name),
		TimeZone: user.TZ,
		Locale:   user.Locale,
		Admin:    (user.IsAdmin || user.IsOwner || user.IsPrimaryOwner) && !stranger,
		Guest:    user.IsRestricted || user.IsUltraRestricted || stranger,
		Bot:      user.IsBot || u.ID == "USLACKBOT",
		Deleted:  user.Deleted,
		Avatar:   user.Profile.Image72,
	}
	if user.IsEmailConfirmed && !stranger && !p.Bot {
		p.Mail = user.Profile.Email
	}
	return p, nil
}

// Accounts finds the accounts with these mail addresses.
func (a *Adapter) Accounts(ctx context.Context, mails []string) (map[string]chat.User, error) {
	if a.self.Load() == nil {
		return nil, errNotConnected // they would be somebody's in no workspace
	}
	found := map[string]chat.User{}
	for _, mail := range mails {
		var user *slack.User
		err := a.call(ctx, "users.lookupByEmail", repeatable, func(ctx context.Context) (err error) {
			user, err = a.api.GetUserByEmailContext(ctx, mail)
			return err
		})
		switch {
		case err == nil:
			found[mail] = a.me().person(user.ID)
		case !errors.Is(err, chat.ErrGone):
			return found, err
		}
	}
	return found, nil
}

// Members are all who are in a channel, the desk itself among them.
func (a *Adapter) Members(ctx context.Context, place chat.Place) ([]chat.User, error) {
	if a.self.Load() == nil {
		return nil, errNotConnected
	}
	var all []chat.User
	cursor := ""
	for {
		var ids []string
		var next string
		err := a.call(ctx, "conversations.members", repeatable, func(ctx context.Context) (err error) {
			ids, next, err = a.api.GetUsersInConversationContext(ctx, &slack.GetUsersInConversationParameters{
				ChannelID: place.Channel, Cursor: cursor, Limit: 500})
			return err
		})
		if err != nil {
			return nil, err
		}
		for _, id := range ids {
			all = append(all, a.me().person(id))
		}
		if next == "" || next == cursor {
			return all, nil
		}
		cursor = next
	}
}
