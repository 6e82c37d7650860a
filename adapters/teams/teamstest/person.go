package teamstest

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"unicode/utf16"
)

// Person is somebody at their client. Methods that reach the app at once return
// when it has answered or Teams has given up on it; then the error is an
// [*AppError]. What the client would not offer fails with [ErrRefused].
type Person struct {
	t  *Tenant
	id string
}

// Person is somebody who acts. If there is nobody of that name, every method says
// so.
func (t *Tenant) Person(name string) *Person {
	if u, ok := t.User(name); ok {
		return &Person{t, u.ID}
	}
	return &Person{t, name}
}

// ID is the person's id: 29:….
func (p *Person) ID() string { return p.id }

// User is the person's profile.
func (p *Person) User() User {
	u, _ := p.t.User(p.id)
	return u
}

// present is the person, for callers who hold t.mu.
func (p *Person) present() (*User, error) {
	u := p.t.userBy[p.id]
	switch {
	case u == nil:
		return nil, fmt.Errorf("%w: there is nobody %q", ErrRefused, p.id)
	case u.Gone:
		return nil, fmt.Errorf("%w: the account of %s was deleted", ErrRefused, u.DisplayName)
	case p.t.closed:
		return nil, fmt.Errorf("%w: Teams is closed", ErrRefused)
	}
	return u, nil
}

// in is a conversation that this person is in.
func (p *Person) in(channel string) (*conversation, *User, error) {
	u, err := p.present()
	if err != nil {
		return nil, nil, err
	}
	c := p.t.conv(channel)
	if c == nil || !p.t.isMember(c, p.id) {
		return nil, nil, fmt.Errorf("%w: %s is not in %q", ErrRefused, u.DisplayName, channel)
	}
	return c, u, nil
}

// Chat is the id of the person's chat with the app.
func (p *Person) Chat() (string, error) {
	p.t.mu.Lock()
	defer p.t.mu.Unlock()
	if _, err := p.present(); err != nil {
		return "", err
	}
	return p.t.personal(p.id).ID, nil
}

// Install adds the app to a conversation: this person's own chat with it (empty),
// a group chat, or the team of a channel. The app hears installationUpdate and
// conversationUpdate at the same time, in either order.
func (p *Person) Install(channel string) error { return p.install(channel, true) }

// Uninstall takes it out again.
func (p *Person) Uninstall(channel string) error { return p.install(channel, false) }

func (p *Person) install(channel string, add bool) error {
	t := p.t
	t.mu.Lock()
	defer t.mu.Unlock()
	if channel == "" {
		if c := t.personal(p.id); c != nil {
			channel = c.ID
		}
	}
	c, u, err := p.in(channel)
	if err != nil {
		return err
	}
	if t.installed(c) == add {
		return fmt.Errorf("%w: the app is there already, or not", ErrRefused)
	}
	if team := t.team(c.Team); team != nil {
		team.Installed = add
	} else {
		c.Installed = add
	}
	installation, update := t.installActivities(c, u, add)
	t.send(c, installation, true) // whichever is there first
	t.send(c, update, true)
	t.changed(Change{Kind: ChannelChanged, Channel: c.ID})
	return nil
}

// Say posts a message. The app hears of it later, if it is one for it.
func (p *Person) Say(post Post) (Message, error) {
	t := p.t
	t.mu.Lock()
	defer t.mu.Unlock()
	c, u, err := p.in(post.Channel)
	if err != nil {
		return Message{}, err
	}
	m := &Message{From: u.ID, Format: "plain"}
	m.Text, m.Mentions = t.typed(c, strings.TrimSpace(post.Text))
	switch {
	case m.Text == "" && len(post.Files)+len(post.Images) == 0:
		return Message{}, fmt.Errorf("%w: a message says something", ErrRefused)
	case len(utf16.Encode([]rune(m.Text))) > 14_000: // 28 KB in a chat; page "Limits and specifications for Microsoft Teams"
		return Message{}, fmt.Errorf("%w: the message is too long", ErrRefused)
	case c.Kind == Personal && !c.Installed:
		return Message{}, fmt.Errorf("%w: the app is not installed", ErrRefused)
	}
	if err := t.under(c, m, post); err != nil {
		return Message{}, err
	}
	for _, up := range post.Images {
		f := t.keepFile(up, true)
		m.Attachments = append(m.Attachments, Attachment{ContentType: f.Type, Name: f.Name, ContentURL: t.serviceURL() + "v3/attachments/" + f.ID + "/views/original"})
	}
	for _, up := range post.Files {
		f := t.keepFile(up, false)
		at := t.url + "/files/" + f.ID + "/" + url.PathEscape(f.Name)
		m.Attachments = append(m.Attachments, Attachment{ContentType: fileType, Name: f.Name, ContentURL: at, Content: raw(map[string]any{
			"downloadUrl": at, "uniqueId": f.ID, "fileType": extension(f.Name),
		})})
	}
	return *p.say(c, u, m), nil
}

// say posts a person's message, and tells the app if it hears it.
func (p *Person) say(c *conversation, u *User, m *Message) *Message {
	t := p.t
	m.Told = t.hears(c, m)
	m = t.post(c, m)
	if m.Told {
		t.send(c, t.messageActivity(c, m, u), false)
	}
	return m
}

// under puts a message into a thread or beside a quote. Chats have no threads,
// and channels no quotes.
func (t *Tenant) under(c *conversation, m *Message, post Post) error {
	switch {
	case post.Thread != "":
		root := c.message(post.Thread)
		if c.Kind != TeamChannel || root == nil || root.Thread != "" || root.To != "" {
			return fmt.Errorf("%w: there is no post %s to answer", ErrRefused, post.Thread)
		}
		m.Thread = post.Thread
	case post.Quote != "":
		q := c.message(post.Quote)
		if c.Kind == TeamChannel || q == nil || q.Deleted {
			return fmt.Errorf("%w: there is no message %s to quote", ErrRefused, post.Quote)
		}
		said := q.Text
		if said == "" {
			said = t.cardText(q.card())
		}
		m.Quote = &Quote{Message: q.ID, From: q.From, Preview: shorten(said, 150)}
	}
	return nil
}

func shorten(s string, most int) string {
	s = strings.Join(strings.Fields(s), " ")
	if r := []rune(s); len(r) > most {
		return string(r[:most]) + "…"
	}
	return s
}

// hears says whether a message is one for the app: everything in a person's chat
// with it, and elsewhere what mentions it, or all with the consent for it (pages
// "Channel and group chat conversations", "Receive all messages for bots and
// agents").
func (t *Tenant) hears(c *conversation, m *Message) bool {
	if !t.installed(c) {
		return false
	}
	return t.allMessages(c) || slices.ContainsFunc(m.Mentions, func(x Mention) bool { return x.ID == t.botID })
}

// typed turns "@Ana Lima", or her handle, into a mention.
func (t *Tenant) typed(c *conversation, typed string) (string, []Mention) {
	type name struct{ typed, id string }
	names := []name{{t.app.Name, t.botID}}
	for _, id := range t.members(c) {
		if u := t.userBy[id]; u != nil {
			names = append(names, name{u.DisplayName, id}, name{u.Name, id})
		}
	}
	slices.SortStableFunc(names, func(a, b name) int { return len(b.typed) - len(a.typed) })
	var out strings.Builder
	var list []Mention
	for i := 0; i < len(typed); {
		at := slices.IndexFunc(names, func(n name) bool {
			end := i + 1 + len(n.typed)
			return typed[i] == '@' && end <= len(typed) && strings.EqualFold(typed[i+1:end], n.typed) &&
				(end == len(typed) || !isLetter(typed[end])) && (i == 0 || !isLetter(typed[i-1]))
		})
		if at < 0 || names[at].id == t.botID && !t.installed(c) {
			out.WriteByte(typed[i])
			i++
			continue
		}
		m := Mention{ID: names[at].id, Name: t.shownName(names[at].id)}
		m.Text = "<at>" + m.Name + "</at>"
		list = append(list, m)
		out.WriteString(m.Text)
		i += 1 + len(names[at].typed)
	}
	return out.String(), list
}

func isLetter(b byte) bool {
	return b >= 'a' && b <= 'z' || b >= 'A' && b <= 'Z' || b >= '0' && b <= '9' || b >= 0x80
}

// Edit changes the text of a message of one's own. The app hears of it if it had
// heard of the message, or hears of it now.
func (p *Person) Edit(channel, id, says string) error {
	t := p.t
	t.mu.Lock()
	defer t.mu.Unlock()
	c, u, was, err := p.mine(channel, id)
	if err != nil {
		return err
	}
	is := *was
	is.Text, is.Mentions = t.typed(c, strings.TrimSpace(says))
	switch {
	case is.Text == "":
		return fmt.Errorf("%w: a message says something; delete it instead", ErrRefused)
	case is.Deleted:
		return fmt.Errorf("%w: the message was deleted", ErrRefused)
	}
	is.Edited = true
	is.Told = was.Told || t.hears(c, &is)
	t.change(c, &is)
	if is.Told && t.installed(c) {
		t.send(c, t.editActivity(c, &is, u, "editMessage"), false)
	}
	return nil
}

// mine is a message of one's own.
func (p *Person) mine(channel, id string) (*conversation, *User, *Message, error) {
	c, u, err := p.in(channel)
	if err != nil {
		return nil, nil, nil, err
	}
	m := c.message(id)
	if m == nil || m.From != p.id {
		return nil, nil, nil, fmt.Errorf("%w: there is no message of one's own %s", ErrRefused, id)
	}
	return c, u, m, nil
}

// Delete deletes a message of one's own.
func (p *Person) Delete(channel, id string) error { return p.setDeleted(channel, id, true) }

// Undelete brings it back.
func (p *Person) Undelete(channel, id string) error { return p.setDeleted(channel, id, false) }

func (p *Person) setDeleted(channel, id string, deleted bool) error {
	t := p.t
	t.mu.Lock()
	defer t.mu.Unlock()
	c, u, was, err := p.mine(channel, id)
	if err != nil {
		return err
	}
	if was.Deleted == deleted {
		return fmt.Errorf("%w: the message was deleted, or was not", ErrRefused)
	}
	is := *was
	is.Deleted = deleted
	t.change(c, &is)
	event := "undeleteMessage"
	if deleted {
		event = "softDeleteMessage"
	}
	if is.Told && t.installed(c) {
		t.send(c, t.editActivity(c, &is, u, event), false)
	}
	return nil
}

// React puts a reaction under a message, by Teams' own name (like, heart, laugh,
// surprised, sad, angry, or another). One person has one reaction to a message.
func (p *Person) React(channel, id, kind string) error { return p.react(channel, id, kind, true) }

// Unreact takes it away again.
func (p *Person) Unreact(channel, id, kind string) error { return p.react(channel, id, kind, false) }

func (p *Person) react(channel, id, kind string, add bool) error {
	t := p.t
	t.mu.Lock()
	defer t.mu.Unlock()
	c, u, err := p.in(channel)
	if err != nil {
		return err
	}
	m := c.message(id)
	if m == nil || m.Deleted || m.To != "" && m.To != p.id || kind == "" {
		return fmt.Errorf("%w: no reaction %q to %s", ErrRefused, kind, id)
	}
	is := *m
	is.Reactions = nil
	var before string
	for _, r := range m.Reactions {
		if slices.Contains(r.Users, p.id) {
			before = r.Type
		}
		if r.Users = slices.DeleteFunc(slices.Clone(r.Users), func(u string) bool { return u == p.id }); len(r.Users) > 0 {
			is.Reactions = append(is.Reactions, r)
		}
	}
	if add == (before == kind) {
		return fmt.Errorf("%w: the reaction %q is there already, or is not", ErrRefused, kind)
	}
	if add {
		at := slices.IndexFunc(is.Reactions, func(r Reaction) bool { return r.Type == kind })
		if at < 0 {
			is.Reactions, at = append(is.Reactions, Reaction{Type: kind}), len(is.Reactions)
		}
		is.Reactions[at].Users = append(is.Reactions[at].Users, p.id)
	}
	t.change(c, &is)
	if m.From != t.botID || !t.installed(c) {
		return nil
	}
	if before != "" {
		t.send(c, t.reactionActivity(c, m, u, before, false), false)
	}
	if add {
		t.send(c, t.reactionActivity(c, m, u, kind, true), false)
	}
	return nil
}

// Invite adds somebody to a group chat or a channel's team.
func (p *Person) Invite(channel, who string) error { return p.setMember(channel, who, true) }

// Remove takes somebody out.
func (p *Person) Remove(channel, who string) error { return p.setMember(channel, who, false) }

func (p *Person) setMember(channel, who string, add bool) error {
	t := p.t
	t.mu.Lock()
	defer t.mu.Unlock()
	c, u, err := p.in(channel)
	if err != nil {
		return err
	}
	other := t.user(who)
	if other == nil || c.Kind == Personal || t.isMember(c, other.ID) == add {
		return fmt.Errorf("%w: %q cannot be added to %q, or taken out", ErrRefused, who, channel)
	}
	members := &c.Members
	if team := t.team(c.Team); team != nil {
		members = &team.Members
	}
	if add {
		*members = append(slices.Clone(*members), other.ID)
	} else {
		*members = slices.DeleteFunc(slices.Clone(*members), func(id string) bool { return id == other.ID })
	}
	t.changed(Change{Kind: ChannelChanged, Channel: c.ID, User: other.ID})
	if t.installed(c) {
		t.send(c, t.memberActivity(c, u, other, add), false)
	}
	return nil
}

// CreateChannel adds a channel to a team.
func (p *Person) CreateChannel(teamName, name string) (Channel, error) {
	t := p.t
	t.mu.Lock()
	defer t.mu.Unlock()
	u, err := p.present()
	if err != nil {
		return Channel{}, err
	}
	team := t.team(teamName)
	if team == nil || !slices.Contains(team.Members, p.id) || name == "" {
		return Channel{}, fmt.Errorf("%w: no channel %q in %q", ErrRefused, name, teamName)
	}
	c := newConversation(Channel{ID: "19:" + strings.ReplaceAll(t.newID("channel"), "-", "") + "@thread.tacv2", Name: name, Kind: TeamChannel, Team: team.ID})
	t.addConversation(c)
	if team.Installed {
		t.send(t.convBy[team.ID], t.teamActivity(team, c, u, "channelCreated"), false)
	}
	return t.export(c), nil
}

// RenameChannel gives a channel another name.
func (p *Person) RenameChannel(channel, name string) error {
	t := p.t
	t.mu.Lock()
	defer t.mu.Unlock()
	c, u, err := p.in(channel)
	if err != nil {
		return err
	}
	team := t.team(c.Team)
	if team == nil || c.ID == team.ID || name == "" {
		return fmt.Errorf("%w: %q cannot be called %q", ErrRefused, channel, name)
	}
	c.Name = name
	t.changed(Change{Kind: ChannelChanged, Channel: c.ID})
	if team.Installed {
		t.send(t.convBy[team.ID], t.teamActivity(team, c, u, "channelRenamed"), false)
	}
	return nil
}
