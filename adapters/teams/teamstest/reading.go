package teamstest

import (
	"context"
	"fmt"
	"iter"
	"slices"
	"strings"
)

// Conversations are this person's list: their chat with the app, group chats, and
// the channels of their teams.
func (p *Person) Conversations() []Conversation {
	t := p.t
	t.mu.Lock()
	defer t.mu.Unlock()
	var list []Conversation
	for _, c := range t.convs {
		if !t.isMember(c, p.id) {
			continue
		}
		v := Conversation{Channel: t.export(c), Title: t.title(c)}
		if c.Kind == Personal {
			v.Title = t.app.Name
		}
		if team := t.team(c.Team); team != nil {
			is := *team
			is.Members = slices.Clone(team.Members)
			v.Team = &is
		}
		for _, m := range slices.Backward(c.msgs) {
			if m.To != "" && m.To != p.id {
				continue
			}
			if v.Latest == "" {
				v.Latest = m.ID
			}
			if millis(m.ID) <= millis(c.read[p.id]) {
				break
			}
			if m.From != p.id && !m.Deleted {
				v.Unread++
			}
		}
		list = append(list, v)
	}
	return list
}

// Read says that this person has seen a conversation up to a message.
func (p *Person) Read(channel, id string) error {
	p.t.mu.Lock()
	defer p.t.mu.Unlock()
	c, _, err := p.in(channel)
	if err != nil {
		return err
	}
	if millis(id) > millis(c.read[p.id]) {
		c.read[p.id] = id
		p.t.changed(Change{Kind: ChannelChanged, Channel: c.ID, User: p.id})
	}
	return nil
}

// Messages are what this person sees in a conversation, oldest first: at most
// limit messages before the one with id before (empty: the newest). In a channel
// they are its posts, without their answers.
func (p *Person) Messages(channel, before string, limit int) ([]Seen, error) {
	t := p.t
	t.mu.Lock()
	defer t.mu.Unlock()
	c, _, err := p.in(channel)
	if err != nil {
		return nil, err
	}
	replies := map[string]int{}
	for _, m := range c.msgs {
		if m.Thread != "" && !m.Deleted {
			replies[m.Thread]++
		}
	}
	seen := []Seen{}
	for _, m := range slices.Backward(c.msgs) {
		if len(seen) == limit {
			break
		}
		if before != "" && millis(m.ID) >= millis(before) || m.To != "" && m.To != p.id || m.Thread != "" {
			continue
		}
		s := t.seen(c, m, p.id)
		s.Replies = replies[m.ID]
		seen = append(seen, s)
	}
	slices.Reverse(seen)
	return seen, nil
}

// Thread is a post and all answers to it.
func (p *Person) Thread(channel, root string) ([]Seen, error) {
	t := p.t
	t.mu.Lock()
	defer t.mu.Unlock()
	c, _, err := p.in(channel)
	if err != nil {
		return nil, err
	}
	if m := c.message(root); m == nil || m.Thread != "" {
		return nil, fmt.Errorf("%w: there is no post %s in %s", ErrRefused, root, channel)
	}
	seen := []Seen{}
	for _, m := range c.msgs {
		if (m.ID == root || m.Thread == root) && (m.To == "" || m.To == p.id) {
			seen = append(seen, t.seen(c, m, p.id))
		}
	}
	return seen, nil
}

// See is one message as this person has it.
func (p *Person) See(channel, id string) (Seen, error) {
	t := p.t
	t.mu.Lock()
	defer t.mu.Unlock()
	c, _, err := p.in(channel)
	if err != nil {
		return Seen{}, err
	}
	m := c.message(id)
	if m == nil || m.To != "" && m.To != p.id {
		return Seen{}, fmt.Errorf("%w: there is no message %s", ErrRefused, id)
	}
	return t.seen(c, m, p.id), nil
}

func (t *Tenant) seen(c *conversation, m *Message, user string) Seen {
	v := c.view(m, user).clone()
	s := Seen{Message: *m, Card: m.card(), Entered: v.Entered, Shown: v.Shown, Toggled: v.Toggled, Errors: v.Errors}
	if v.Card != nil && s.Card != nil {
		s.Card, s.Own = v.Card, true
	}
	if m.Deleted {
		s.Text, s.Attachments, s.Mentions, s.Quote = "", nil, nil, nil
	}
	for _, n := range c.notices[user] {
		if n.Message == m.ID {
			s.Notices = append(s.Notices, n)
		}
	}
	return s
}

// Notices are what Teams told this person in a conversation, the oldest first.
func (p *Person) Notices(channel string) []Notice {
	p.t.mu.Lock()
	defer p.t.mu.Unlock()
	if c := p.t.conv(channel); c != nil {
		return slices.Clone(c.notices[p.id])
	}
	return nil
}

// Attachment is the file or image behind an address in a message, as the client
// shows it.
func (p *Person) Attachment(address string) (Upload, bool) {
	t := p.t
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, c := range t.convs {
		if !t.isMember(c, p.id) {
			continue
		}
		for _, m := range c.msgs {
			for _, a := range m.Attachments {
				if a.ContentURL != address || address == "" {
					continue
				}
				for id, f := range t.files.byID {
					if strings.Contains(address, id) && !f.Waiting {
						return Upload{Name: f.Name, Type: f.Type, Data: f.Data}, true
					}
				}
			}
		}
	}
	return Upload{}, false
}

// Follow is [Tenant.Follow] with only what this person's client would show.
func (p *Person) Follow(ctx context.Context, after int64) iter.Seq2[Change, error] {
	return func(yield func(Change, error) bool) {
		for c, err := range p.t.Follow(ctx, after) {
			if err == nil && !p.shown(c) {
				continue
			}
			if !yield(c, err) {
				return
			}
		}
	}
}

// shown says whether a change is this person's to see.
func (p *Person) shown(c Change) bool {
	switch c.Kind {
	case UserChanged:
		return true
	case CardChanged, DialogChanged, DialogClosed, Noticed:
		return c.User == p.id
	case Delivered:
		return false
	}
	if c.Message != nil && c.Message.To != "" {
		return c.Message.To == p.id
	}
	p.t.mu.Lock()
	defer p.t.mu.Unlock()
	conv := p.t.convBy[c.Channel]
	return conv != nil && (p.t.isMember(conv, p.id) || c.User == p.id)
}

func (s Seen) sheet() sheet { return sheetOf(s.Card, s.Shown, s.Toggled, s.Entered) }

func (d Dialog) sheet() sheet { return sheetOf(d.Card, d.Shown, d.Toggled, d.Entered) }
