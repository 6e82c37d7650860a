package slacktest

import (
	"context"
	"fmt"
	"iter"
	"slices"
	"strings"
)

// MarkRead says that everything up to ts has been read.
func (p *Person) MarkRead(channel, ts string) error {
	p.w.mu.Lock()
	defer p.w.mu.Unlock()
	c, err := p.in(channel)
	if err != nil {
		return err
	}
	if ts > c.read[p.id] {
		c.read[p.id] = ts
		p.w.changed(Change{Kind: ChannelRead, Channel: c.ID, User: p.id, TS: ts})
	}
	return nil
}

// Conversations are the side bar: every conversation that this person is in, then
// the public ones that they could join.
func (p *Person) Conversations() []Conversation {
	p.w.mu.Lock()
	defer p.w.mu.Unlock()
	var in, out []Conversation
	for _, c := range p.w.convs {
		switch {
		case c.member[p.id]:
			in = append(in, p.sideBar(c))
		case p.w.mayRead(p.id, c) && !c.Archived:
			out = append(out, Conversation{Channel: c.export()})
		}
	}
	return append(in, out...)
}

func (p *Person) sideBar(c *conversation) Conversation {
	v := Conversation{Channel: c.export(), Member: true, LastRead: c.read[p.id]}
	if c.Kind == DM {
		v.With = c.other(p.id)
	}
	if n := len(c.msgs); n > 0 {
		v.Latest = c.msgs[n-1].TS
	}
	for _, m := range slices.Backward(c.msgs) {
		if m.TS <= v.LastRead {
			break
		}
		if m.User == p.id || m.Ephemeral && m.To != p.id {
			continue
		}
		reply := m.ThreadTS != "" && m.ThreadTS != m.TS && m.Subtype != "thread_broadcast"
		switch {
		case !reply:
			v.Unread++
			if c.Kind == DM || c.Kind == GroupDM || p.mentioned(m) {
				v.Mentions++
			}
		case p.follows(c, m.ThreadTS) || p.mentioned(m):
			v.Mentions++
		}
	}
	return v
}

func (p *Person) mentioned(m *Message) bool {
	return strings.Contains(m.Text, "<@"+p.id+">") || strings.Contains(m.Text, "<!channel") || strings.Contains(m.Text, "<!here") ||
		strings.Contains(string(m.Blocks), "@"+p.id) // in mrkdwn; < is escaped in JSON
}

// follows: who started a thread or wrote in it is told of replies.
func (p *Person) follows(c *conversation, root string) bool {
	if c.Kind == DM {
		return true
	}
	if m := c.message(root); m != nil && (m.User == p.id || p.mentioned(m)) {
		return true
	}
	return slices.ContainsFunc(c.threads[root], func(ts string) bool {
		m := c.message(ts)
		return m != nil && (m.User == p.id || p.mentioned(m))
	})
}

// Messages are what this person sees in a channel, oldest first: at most limit
// messages before the one with ts before (empty: the newest), without thread
// replies that were not broadcast, with ephemerals to this person.
func (p *Person) Messages(channel, before string, limit int) ([]Message, error) {
	p.w.mu.Lock()
	defer p.w.mu.Unlock()
	c, err := p.sees(channel)
	if err != nil {
		return nil, err
	}
	list := []Message{}
	for _, m := range slices.Backward(c.msgs) {
		switch {
		case before != "" && m.TS >= before, m.Ephemeral && m.To != p.id:
			continue
		case m.ThreadTS != "" && m.ThreadTS != m.TS && m.Subtype != "thread_broadcast":
			continue
		case len(list) == limit:
			slices.Reverse(list)
			return list, nil
		}
		list = append(list, *m)
	}
	slices.Reverse(list)
	return list, nil
}

// Thread is the first message and all replies, with ephemerals to this person.
func (p *Person) Thread(channel, ts string) ([]Message, error) {
	p.w.mu.Lock()
	defer p.w.mu.Unlock()
	c, err := p.sees(channel)
	if err != nil {
		return nil, err
	}
	at, ok := c.index(ts)
	if !ok {
		return nil, fmt.Errorf("%w: there is no thread %s in %s", ErrRefused, ts, channel)
	}
	list := []Message{*c.msgs[at]}
	for _, m := range c.msgs[at+1:] {
		if m.ThreadTS == ts && (!m.Ephemeral || m.To == p.id) {
			list = append(list, *m)
		}
	}
	return list, nil
}

// mayRead: members read a conversation, and everybody but guests a public channel.
func (w *Workspace) mayRead(user string, c *conversation) bool {
	u := w.userByID[user]
	return c.member[user] || c.Kind == Public && u != nil && !u.Guest && !u.SingleChannel
}

func (p *Person) sees(channel string) (*conversation, error) {
	if _, err := p.present(); err != nil {
		return nil, err
	}
	c := p.w.conv(channel)
	if c == nil || !p.w.mayRead(p.id, c) {
		return nil, fmt.Errorf("%w: there is no channel %q", ErrRefused, channel)
	}
	return c, nil
}

// Entered is what this person has chosen in the elements of a message.
func (p *Person) Entered(channel, ts string) (State, error) {
	p.w.mu.Lock()
	defer p.w.mu.Unlock()
	at, err := p.w.place(p.id, Act{Channel: channel, TS: ts})
	if err != nil {
		return State{}, err
	}
	return at.state(p.id), nil
}

// Views are the open modals, the one on top last.
func (p *Person) Views() []View {
	p.w.mu.Lock()
	defer p.w.mu.Unlock()
	list := []View{}
	for _, v := range p.w.views.stack[p.id] {
		list = append(list, *v)
	}
	return list
}

// Home is the Home tab as last published.
func (p *Person) Home() (View, bool) {
	p.w.mu.Lock()
	defer p.w.mu.Unlock()
	if v := p.w.views.home[p.id]; v != nil {
		return *v, true
	}
	return View{}, false
}

// Follow is [Workspace.Follow] with only what this person's client would show.
func (p *Person) Follow(ctx context.Context, after int64) iter.Seq2[Change, error] {
	return func(yield func(Change, error) bool) {
		for c, err := range p.w.Follow(ctx, after) {
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
	case ViewChanged, ViewClosed, HomePublished, Noticed, ChannelRead:
		return c.User == p.id
	case Delivered:
		return false
	}
	if c.Message != nil && c.Message.Ephemeral {
		return c.Message.To == p.id
	}
	p.w.mu.Lock()
	defer p.w.mu.Unlock()
	conv := p.w.convByID[c.Channel]
	return conv != nil && (p.w.mayRead(p.id, conv) || c.User == p.id && c.Kind == ChannelChanged)
}
