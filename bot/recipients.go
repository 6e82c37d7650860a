package bot

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/deskhand/deskhand/bot/chat"
	"github.com/deskhand/deskhand/core/people"
	"github.com/deskhand/deskhand/core/policy"
	"github.com/deskhand/deskhand/core/ticket"
	"github.com/deskhand/deskhand/storage"
)

// address is somebody who is to be told something.
type address struct {
	person  people.Person
	account storage.Account // its UserID is empty if she has never been here
}

// addresses are looked up together, for many alerts at once.
type addresses struct {
	by     map[string]address // see key
	admins []storage.Account
}

func (b *addresses) find(key string) (address, bool) {
	a, ok := b.by[key]
	return a, ok && key != ""
}

// key names a recipient: a person's number or mail address; "" for nobody.
func (t *turn) key(n *news, r policy.Recipient) string {
	team := t.rules.team(n.ticket.Team).Slug
	switch r {
	case policy.Owner:
		if n.ticket.Owner == 0 {
			return ""
		}
		return strconv.FormatInt(int64(n.ticket.Owner), 10)
	case policy.Lead:
		return t.rules.lead(team)
	case policy.Manager:
		return t.rules.managerOf(t.rules.lead(team))
	case policy.ServiceOwner:
		for _, s := range t.rules.policy.Services {
			if s.Slug == n.ticket.Service {
				return strings.ToLower(s.Owner)
			}
		}
		return ""
	case policy.OnCall:
		return n.levels.OnCallAt(team, t.at)
	}
	return strings.ToLower(string(r))
}

func (r *rules) lead(team string) string {
	for _, t := range r.policy.Teams {
		if t.Slug == team {
			return strings.ToLower(t.Lead)
		}
	}
	return ""
}

func (r *rules) managerOf(mail string) string {
	for _, p := range r.policy.People {
		if strings.EqualFold(p.Mail, mail) {
			return strings.ToLower(p.Manager)
		}
	}
	return ""
}

// nextInLine is whose turn it is of those in line who there are, each once:
// many a service has no owner, and many a lead no manager.
func (t *turn) nextInLine(n *news, book *addresses) []policy.Recipient {
	var (
		line []policy.Recipient
		seen []people.PersonID
	)
	for _, r := range n.line {
		if who, ok := book.find(t.key(n, r)); ok && !slices.Contains(seen, who.person.ID) {
			line, seen = append(line, r), append(seen, who.person.ID)
		}
	}
	if n.turn >= len(line) {
		return nil
	}
	return line[n.turn : n.turn+1]
}

// onCall is who is told of a ticket at an instant in place of its owner and
// lead; nobody within the hours of alerts.
func (r *rules) onCall(tk ticket.Ticket, levels *policy.Levels, at time.Time) policy.Recipient {
	if !levels.Quiet(at) {
		return ""
	}
	return policy.Recipient(levels.OnCallAt(r.team(tk.Team).Slug, at))
}

// lookUp finds the accounts of all whom the alerts concern.
func (t *turn) lookUp(ctx context.Context, all []news, book *addresses) error {
	if len(all) == 0 {
		return nil
	}
	var (
		ids   []people.PersonID
		mails []string
	)
	for i := range all {
		n := &all[i]
		for _, list := range [][]policy.Recipient{n.rung.Direct, n.rung.Thread, n.line, {policy.OnCall}} {
			for _, r := range list {
				key := t.key(n, r)
				if id, err := strconv.ParseInt(key, 10, 64); err == nil {
					ids = append(ids, people.PersonID(id))
				} else if key != "" {
					mails = append(mails, key)
				}
			}
		}
	}
	found, err := t.tx.Addresses(ctx, ids, mails)
	if err != nil {
		return err
	}
	if book.by == nil {
		book.by = map[string]address{}
	}
	for _, f := range found {
		a := address{f.Person, f.Account}
		book.by[strconv.FormatInt(int64(f.Person.ID), 10)] = a
		if f.Person.Mail != "" {
			book.by[f.Person.Mail] = a
		}
		if f.Person.Admin && f.Account.UserID != "" {
			book.admins = append(book.admins, f.Account)
		}
	}
	return nil
}

// mentions are the recipients by name, who are notified where they have an
// account on the platform.
func (t *turn) mentions(ctx context.Context, n *news, list []policy.Recipient, platform, workspace string) ([]chat.Span, error) {
	var book addresses
	n.rung.Thread = list
	if err := t.lookUp(ctx, []news{*n}, &book); err != nil {
		return nil, err
	}
	var who []chat.Span
	seen := map[people.PersonID]bool{}
	for _, r := range list {
		a, ok := book.find(t.key(n, r))
		if !ok || seen[a.person.ID] {
			continue
		}
		seen[a.person.ID] = true
		span := chat.Span{Text: a.person.Name, Bold: true}
		if a.account.Platform == platform && a.account.Workspace == workspace {
			span = chat.Span{User: chat.User{Platform: platform, Workspace: workspace, ID: a.account.UserID}, Text: a.person.Name}
		}
		who = append(who, span)
	}
	return who, nil
}

// alertChannels are where it is told that a ticket is late, one on each
// platform: the service's, or its team's, or the desk's, or where the team
// triages.
func (r *rules) alertChannels(tk ticket.Ticket) []storage.DeskChannel {
	named := []policy.Channels{r.policy.Alerts.Channel}
	slug := r.team(tk.Team).Slug
	for _, t := range r.policy.Teams {
		if t.Slug == slug {
			named = append([]policy.Channels{t.Alerts}, named...)
		}
	}
	for _, s := range r.policy.Services {
		if s.Slug == tk.Service {
			named = append([]policy.Channels{s.Alerts}, named...)
		}
	}
	for _, of := range named {
		if all := r.posted(of); len(all) > 0 {
			return all
		}
	}
	return r.triage(tk.Team)
}

// posted are the channels of these names that the desk has seen.
func (r *rules) posted(of policy.Channels) []storage.DeskChannel {
	var all []storage.DeskChannel
	for _, c := range r.channels {
		name, ok := of[c.Platform]
		if ok && c.Purpose != "help" && c.Channel != "" && strings.TrimPrefix(name, "#") == c.Name {
			all = append(all, c)
		}
	}
	return all
}
