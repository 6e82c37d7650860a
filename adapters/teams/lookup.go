package teams

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/deskhand/deskhand/bot/chat"
)

// general is what everybody calls a team's first channel, for which Teams tells
// no name.
const general = "General"

// Channel finds a channel among the teams that the desk is installed in: by its
// id, by "Team/Channel", or by its name alone where only one team has such a
// one. Without one the error is chat.ErrGone.
func (a *Adapter) Channel(ctx context.Context, name string) (chat.Place, error) {
	name = strings.TrimSpace(strings.TrimPrefix(name, "#"))
	id, _ := splitConversation(name)
	teams, err := a.book.all(ctx, teamKeys)
	if err != nil {
		return chat.Place{}, err
	}
	var found []string
	for _, team := range slices.Sorted(maps.Keys(teams)) {
		ref := teams[team]
		var list struct {
			Channels []struct {
				ID   string `json:"id"`
				Name string `json:"name"`
			} `json:"conversations"`
		}
		err := a.call(ctx, ref.ServiceURL, request{name: "channels", method: http.MethodGet, path: []string{"v3", "teams", team, "conversations"}}, &list)
		if outcome(err) == "gone" {
			continue // the desk was removed from that team
		}
		if err != nil {
			return chat.Place{}, err
		}
		teamName, err := a.teamName(ctx, team, ref)
		if err != nil {
			return chat.Place{}, err
		}
		for _, c := range list.Channels {
			called := cmp.Or(strings.TrimSpace(c.Name), general)
			if c.ID != id && !strings.EqualFold(called, name) && !strings.EqualFold(teamName+"/"+called, name) || len(c.ID) > maxID {
				continue
			}
			if err := a.book.learn(ctx, placeKey(c.ID), func(r *reference) {
				r.ServiceURL, r.Team, r.Type = ref.ServiceURL, team, channelPost
				set(&r.Bot, ref.Bot)
			}); err != nil {
				return chat.Place{}, err
			}
			found = append(found, c.ID)
		}
	}
	switch len(found) {
	case 1:
		return a.place(found[0], ""), nil
	case 0:
		return chat.Place{}, fmt.Errorf("teams: no channel %q in sight: %w", name, chat.ErrGone)
	}
	return chat.Place{}, fmt.Errorf("teams: %d teams have a channel %q, say which as TEAM/CHANNEL: %w", len(found), name, chat.ErrGone)
}

// teamName is a team's name, which not every activity tells.
func (a *Adapter) teamName(ctx context.Context, id string, ref reference) (string, error) {
	if ref.Name != "" {
		return ref.Name, nil
	}
	var team struct {
		Name string `json:"name"`
	}
	if err := a.call(ctx, ref.ServiceURL, request{name: "team", method: http.MethodGet, path: []string{"v3", "teams", id}}, &team); err != nil {
		return "", err
	}
	return team.Name, a.book.learn(ctx, teamKey(id), func(r *reference) { set(&r.Name, team.Name) })
}

// Message is a message as the event that it was, if it came in lately. Teams
// gives bots no history: an older one is chat.ErrGone.
func (a *Adapter) Message(_ context.Context, place chat.Place, id string) (chat.Event, error) {
	channel, _ := splitConversation(place.Channel)
	if e, ok := a.recent.find(channel, id); ok {
		e.Kind = chat.Said
		return e, nil
	}
	return chat.Event{}, fmt.Errorf("teams: message %s is not to be had: %w", code(id), chat.ErrGone)
}
