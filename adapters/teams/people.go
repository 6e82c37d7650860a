package teams

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/deskhand/deskhand/bot/chat"
)

// member is somebody in a conversation, as the Bot Connector tells.
type member struct {
	account
	GivenName string `json:"givenName"`
	Surname   string `json:"surname"`
	Mail      string `json:"email"`
	Principal string `json:"userPrincipalName"`
	UserRole  string `json:"userRole"`
}

// Profile is what Teams says of a user, in one of the places where it knows
// them. Mail is what the directory of the tenant has, which only its
// administrators can change; it is left empty for guests and for people of other
// tenants, because it decides who somebody is.
func (a *Adapter) Profile(ctx context.Context, u chat.User) (chat.Profile, error) {
	ref, _, err := a.book.look(ctx, userKey(u.ID))
	if err != nil {
		return chat.Profile{}, err
	}
	m, err := a.member(ctx, u.ID, ref)
	if err != nil {
		return chat.Profile{}, err
	}
	return chat.Profile{
		User:     a.person(u.ID),
		Name:     cmp.Or(strings.TrimSpace(m.Name), strings.TrimSpace(m.GivenName+" "+m.Surname), m.Principal),
		Mail:     a.mail(m),
		TimeZone: ref.Zone,
		Locale:   ref.Locale,
		Bot:      m.bot(),
		Guest:    a.stranger(m),
	}, nil
}

// stranger tells whether somebody is not of the tenant itself.
func (a *Adapter) stranger(m member) bool {
	return strings.EqualFold(m.UserRole, "guest") || strings.EqualFold(m.UserRole, "anonymous") || m.TenantID != "" && !strings.EqualFold(m.TenantID, a.tenant) ||
		strings.Contains(strings.ToUpper(m.Principal), "#EXT#")
}

// mail is the address that the directory vouches for; empty for strangers.
func (a *Adapter) mail(m member) string {
	if a.stranger(m) || m.bot() {
		return ""
	}
	for _, address := range []string{m.Mail, m.Principal} {
		if strings.Contains(address, "@") {
			return address
		}
	}
	return ""
}

// mostTeams bounds in how many teams somebody is looked for.
const mostTeams = 20

// Accounts finds who of these mail addresses is in a team that the desk is in:
// a bot sees nobody else.
func (a *Adapter) Accounts(ctx context.Context, mails []string) (map[string]chat.User, error) {
	teams, err := a.book.all(ctx, teamKeys)
	if err != nil {
		return nil, err
	}
	found := map[string]chat.User{}
	ids := slices.Sorted(maps.Keys(teams))
	for _, id := range ids[:min(len(ids), mostTeams)] {
		err := a.roster(ctx, id, func(m member) {
			if mail := strings.ToLower(a.mail(m)); slices.Contains(mails, mail) {
				found[mail] = a.person(m.id())
			}
		})
		if err != nil && !errors.Is(err, chat.ErrGone) {
			return nil, err
		}
		if len(found) == len(mails) {
			break
		}
	}
	return found, nil
}

// member asks for somebody where they were seen: in their chat with the desk, in
// a team, and else in the teams that the desk is in.
func (a *Adapter) member(ctx context.Context, user string, ref reference) (member, error) {
	teams, err := a.book.all(ctx, teamKeys)
	if err != nil {
		return member{}, err
	}
	places := []string{ref.Chat, ref.Seen}
	ids := slices.Sorted(maps.Keys(teams))
	places = append(places, ids[:min(len(ids), mostTeams)]...)
	var asked []string
	for _, place := range places {
		if place == "" || slices.Contains(asked, place) {
			continue
		}
		asked = append(asked, place)
		at, err := a.reach(ctx, place)
		if err != nil {
			return member{}, err
		}
		var m member
		err = a.call(ctx, at.ServiceURL, request{name: "member", method: http.MethodGet,
			path: []string{"v3", "conversations", place, "members", cmp.Or(ref.Account, user)}}, &m)
		if err == nil && m.id() != "" {
			return m, nil
		}
		if err != nil && !errors.Is(err, chat.ErrGone) {
			return member{}, err
		}
	}
	if len(asked) == 0 {
		return member{}, errNotHeard
	}
	return member{}, goneError("MemberNotFound")
}

// Members are all who are in a channel or a group chat. Those of a channel are
// those of its team, as Teams tells it.
func (a *Adapter) Members(ctx context.Context, place chat.Place) ([]chat.User, error) {
	channel, _ := splitConversation(place.Channel)
	var all []chat.User
	err := a.roster(ctx, channel, func(m member) { all = append(all, a.person(m.id())) })
	if err != nil {
		return nil, err
	}
	return all, nil
}

// roster has each person in a conversation seen.
func (a *Adapter) roster(ctx context.Context, channel string, see func(member)) error {
	at, err := a.reach(ctx, channel)
	if err != nil {
		return err
	}
	next := ""
	for {
		var page struct {
			Members []member `json:"members"`
			Next    string   `json:"continuationToken"`
		}
		query := url.Values{"pageSize": {"500"}}
		if next != "" {
			query.Set("continuationToken", next)
		}
		if err := a.call(ctx, at.ServiceURL, request{name: "members", method: http.MethodGet,
			path: []string{"v3", "conversations", channel, "pagedmembers"}, query: query}, &page); err != nil {
			return err
		}
		for _, m := range page.Members {
			if m.bot() || m.id() == "" || len(m.id()) > maxID {
				continue
			}
			see(m)
			if err := a.met(ctx, m, at, channel); err != nil {
				return err
			}
		}
		if page.Next == "" || page.Next == next || len(page.Members) == 0 {
			return nil
		}
		next = page.Next
	}
}

// met keeps by which of Teams' own ids somebody in a list of members is known:
// mentions go by it, and views of a card.
func (a *Adapter) met(ctx context.Context, m member, at reference, where string) error {
	if m.ID == m.id() {
		return nil
	}
	if err := a.book.learn(ctx, accountKey(m.ID), func(r *reference) { r.User = m.id() }); err != nil {
		return err
	}
	return a.book.learn(ctx, userKey(m.id()), func(r *reference) {
		r.ServiceURL = cmp.Or(r.ServiceURL, at.ServiceURL)
		r.Account, r.Seen = cmp.Or(r.Account, m.ID), cmp.Or(r.Seen, at.Team, where)
	})
}
