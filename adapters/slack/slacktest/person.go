package slacktest

import (
	"fmt"
	"mime"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"
)

// Person is one member at their client. Methods that reach the app return when it
// has answered or Slack has given up on it; then the error is an [*AppError]. What
// the client would not offer fails with [ErrRefused].
type Person struct {
	w  *Workspace
	id string
}

// Person is somebody who acts. If there is no such member, every method says so.
func (w *Workspace) Person(idOrName string) *Person {
	if u, ok := w.User(idOrName); ok {
		return &Person{w, u.ID}
	}
	return &Person{w, idOrName}
}

// ID is the member's id.
func (p *Person) ID() string { return p.id }

// User is the member's profile.
func (p *Person) User() User {
	u, _ := p.w.User(p.id)
	return u
}

// present is the member, for callers who hold w.mu.
func (p *Person) present() (*User, error) {
	u := p.w.userByID[p.id]
	switch {
	case u == nil:
		return nil, fmt.Errorf("%w: there is no member %q", ErrRefused, p.id)
	case u.Deleted:
		return nil, fmt.Errorf("%w: %s has been deactivated", ErrRefused, u.Name)
	case p.w.closed:
		return nil, fmt.Errorf("%w: the workspace is closed", ErrRefused)
	}
	return u, nil
}

// in is a conversation that this person is in.
func (p *Person) in(channel string) (*conversation, error) {
	if _, err := p.present(); err != nil {
		return nil, err
	}
	c := p.w.conv(channel)
	if c == nil || !c.member[p.id] {
		return nil, fmt.Errorf("%w: %s is not in %q", ErrRefused, p.id, channel)
	}
	return c, nil
}

// DM opens the conversation with the app and returns its id. The app hears of it
// as app_home_opened with tab "messages".
func (p *Person) DM() (string, error) {
	p.w.mu.Lock()
	defer p.w.mu.Unlock()
	c, err := p.dm()
	if err != nil {
		return "", err
	}
	p.homeOpened(c, "messages")
	return c.ID, nil
}

func (p *Person) dm() (*conversation, error) {
	if _, err := p.present(); err != nil {
		return nil, err
	}
	return p.w.directWith(p.id, p.w.app.BotUserID)
}

// homeOpened: see docs.slack.dev/reference/events/app_home_opened.
func (p *Person) homeOpened(c *conversation, tab string) {
	ev := map[string]any{"type": "app_home_opened", "user": p.id, "channel": c.ID, "tab": tab, "event_ts": p.w.eventTS()}
	if v := p.w.views.home[p.id]; v != nil && tab == "home" {
		ev["view"] = v
	}
	p.w.emit(event{typ: "app_home_opened", conv: c, body: ev})
}

// OpenHome opens the app's Home tab: the app hears app_home_opened with the tab
// "home" and the view as last published.
func (p *Person) OpenHome() error {
	p.w.mu.Lock()
	defer p.w.mu.Unlock()
	c, err := p.dm()
	if err == nil {
		p.homeOpened(c, "home")
	}
	return err
}

// OpenDM opens the conversation with one other, or a group of others, and returns
// its id.
func (p *Person) OpenDM(with ...string) (string, error) {
	p.w.mu.Lock()
	defer p.w.mu.Unlock()
	if _, err := p.present(); err != nil {
		return "", err
	}
	people := []string{p.id}
	for _, name := range with {
		u := p.w.user(name)
		if u == nil || slices.Contains(people, u.ID) {
			return "", fmt.Errorf("%w: there is nobody %q to talk to", ErrRefused, name)
		}
		people = append(people, u.ID)
	}
	if len(people) < 2 || len(people) > 9 {
		return "", fmt.Errorf("%w: a conversation has 2 to 9 people", ErrRefused)
	}
	c, err := p.w.directWith(people...)
	if err != nil {
		return "", err
	}
	return c.ID, nil
}

// Say posts a message. The app hears of it later.
func (p *Person) Say(m Post) (Message, error) {
	w := p.w
	w.mu.Lock()
	defer w.mu.Unlock()
	c, err := p.in(m.Channel)
	if err != nil {
		return Message{}, err
	}
	text := strings.TrimSpace(m.Text)
	switch {
	case c.Archived:
		return Message{}, fmt.Errorf("%w: #%s is archived", ErrRefused, c.Name)
	case text == "" && len(m.Files) == 0:
		return Message{}, fmt.Errorf("%w: a message says something", ErrRefused)
	case utf8.RuneCountInString(text) > 12_000: // the composer's own limit (unpublished)
		return Message{}, fmt.Errorf("%w: the message is too long", ErrRefused)
	}
	if m.Thread != "" {
		if err := c.thread(m.Thread); err != nil {
			return Message{}, fmt.Errorf("%w: %w", ErrRefused, err)
		}
	}
	msg := &Message{User: p.id, ThreadTS: m.Thread, Text: w.escape(text), ClientMsgID: w.clientMsgID()}
	if text != "" {
		msg.Blocks = w.richText(text, w.shortID())
	}
	for _, up := range m.Files {
		f := p.keep(up, c.ID)
		f.shared = true
		msg.Files = append(msg.Files, f.File)
		msg.Subtype = "file_share"
	}
	if m.Broadcast && m.Thread != "" {
		msg.Subtype = "thread_broadcast"
	}
	posted := w.post(c, msg)
	if link := webLink.FindStringSubmatch(posted.Text); w.unfurl && link != nil {
		is := *posted
		is.Attachments = mustJSON([]any{map[string]any{
			"id": 1, "from_url": link[1], "original_url": link[1], "title": link[1], "fallback": link[1], "text": "", "service_name": "Web",
		}})
		w.change(c, posted, &is, "")
		posted = &is
	}
	return *posted, nil
}

// webLink is a link that Slack would look up; see docs.slack.dev/messaging/unfurling-links-in-messages.
var webLink = regexp.MustCompile(`<(https?://[^|>]+)`)

func (w *Workspace) clientMsgID() string {
	return fmt.Sprintf("%s%s-0000-4000-8000-%s%s00", w.shortID(), w.shortID()[:3], w.shortID(), w.shortID())
}

// Upload brings in a file for a file input, and returns it.
func (p *Person) Upload(f Upload) (File, error) {
	p.w.mu.Lock()
	defer p.w.mu.Unlock()
	if _, err := p.present(); err != nil {
		return File{}, err
	}
	kept := p.keep(f)
	kept.shared = true
	return kept.File, nil
}

func (p *Person) keep(up Upload, channels ...string) *storedFile {
	f := &storedFile{File: p.w.newFile(up.Name, p.id), data: up.Data, arrived: true}
	if kind, _, err := mime.ParseMediaType(up.Type); err == nil {
		f.Mimetype = kind
	}
	f.Size, f.Channels = len(up.Data), channels
	p.w.addFile(f)
	return f
}

// Edit changes the text of a message of one's own.
func (p *Person) Edit(channel, ts, text string) error {
	w := p.w
	w.mu.Lock()
	defer w.mu.Unlock()
	c, err := p.in(channel)
	if err != nil {
		return err
	}
	was := c.message(ts)
	text = strings.TrimSpace(text)
	switch {
	case was == nil || was.User != p.id || was.BotID != "":
		return fmt.Errorf("%w: there is no message of one's own %s", ErrRefused, ts)
	case text == "":
		return fmt.Errorf("%w: a message says something; delete it instead", ErrRefused)
	}
	is := *was
	is.Text, is.Blocks = w.escape(text), w.richText(text, w.shortID())
	w.change(c, was, &is, p.id)
	return nil
}

// Delete deletes a message of one's own, or, for an admin, anybody's.
func (p *Person) Delete(channel, ts string) error {
	w := p.w
	w.mu.Lock()
	defer w.mu.Unlock()
	c, err := p.in(channel)
	if err != nil {
		return err
	}
	m := c.message(ts)
	u := w.userByID[p.id]
	if m == nil || m.Ephemeral || m.Subtype == "tombstone" || (m.User != p.id || m.BotID != "") && !u.Admin && !u.Owner {
		return fmt.Errorf("%w: there is no message to delete %s", ErrRefused, ts)
	}
	w.delete(c, m)
	return nil
}

// Dismiss takes an ephemeral message off the screen. The app does not hear of it.
func (p *Person) Dismiss(channel, ts string) error {
	p.w.mu.Lock()
	defer p.w.mu.Unlock()
	c, m, err := p.w.seen(p.id, channel, ts)
	if err != nil {
		return err
	}
	if !m.Ephemeral {
		return fmt.Errorf("%w: everybody sees this message", ErrRefused)
	}
	p.w.delete(c, m)
	return nil
}

// React puts an emoji (without colons) under a message.
func (p *Person) React(channel, ts, emoji string) error { return p.react(channel, ts, emoji, true) }

// Unreact takes it away again.
func (p *Person) Unreact(channel, ts, emoji string) error { return p.react(channel, ts, emoji, false) }

func (p *Person) react(channel, ts, emoji string, add bool) error {
	p.w.mu.Lock()
	defer p.w.mu.Unlock()
	c, err := p.in(channel)
	if err != nil {
		return err
	}
	m := c.message(ts)
	emoji = strings.Trim(emoji, ":")
	if m == nil || m.Ephemeral || !emojiName.MatchString(emoji) {
		return fmt.Errorf("%w: no reaction %q to %s", ErrRefused, emoji, ts)
	}
	if err := p.w.react(c, m, p.id, emoji, add); err != nil {
		return fmt.Errorf("%w: %w", ErrRefused, err)
	}
	return nil
}

// CreateChannel creates a channel with this person in it.
func (p *Person) CreateChannel(name string, kind Kind) (Channel, error) {
	p.w.mu.Lock()
	defer p.w.mu.Unlock()
	if _, err := p.present(); err != nil {
		return Channel{}, err
	}
	if kind != Public && kind != Private {
		return Channel{}, fmt.Errorf("%w: a channel is public or private", ErrRefused)
	}
	c, err := p.w.create(strings.TrimPrefix(name, "#"), kind, p.id)
	if err != nil {
		return Channel{}, fmt.Errorf("%w: %w", ErrRefused, err)
	}
	return c.export(), nil
}

// Join joins a public channel.
func (p *Person) Join(channel string) error {
	p.w.mu.Lock()
	defer p.w.mu.Unlock()
	if _, err := p.present(); err != nil {
		return err
	}
	c := p.w.conv(channel)
	if c == nil || c.Kind != Public || !p.w.mayRead(p.id, c) || c.Archived {
		return fmt.Errorf("%w: %q cannot be joined", ErrRefused, channel)
	}
	p.w.join(c, p.id, "")
	return nil
}

// Leave leaves a channel.
func (p *Person) Leave(channel string) error { return p.Remove(channel, p.id) }

// Invite adds somebody to a channel that this person is in; the app too.
func (p *Person) Invite(channel, user string) error {
	p.w.mu.Lock()
	defer p.w.mu.Unlock()
	c, err := p.in(channel)
	if err != nil {
		return err
	}
	u := p.w.user(user)
	if u == nil || u.Deleted || c.Kind == DM || c.Kind == GroupDM || c.Archived || c.member[u.ID] {
		return fmt.Errorf("%w: %q cannot be added to %q", ErrRefused, user, channel)
	}
	p.w.join(c, u.ID, p.id)
	return nil
}

// Remove takes somebody out of a channel.
func (p *Person) Remove(channel, user string) error {
	p.w.mu.Lock()
	defer p.w.mu.Unlock()
	c, err := p.in(channel)
	if err != nil {
		return err
	}
	u := p.w.user(user)
	if u == nil || !c.member[u.ID] || c.Kind == DM || c.Kind == GroupDM {
		return fmt.Errorf("%w: %q is not in %q", ErrRefused, user, channel)
	}
	p.w.leave(c, u.ID)
	return nil
}

// Archive archives a channel.
func (p *Person) Archive(channel string) error { return p.archive(channel, true) }

// Unarchive brings it back.
func (p *Person) Unarchive(channel string) error { return p.archive(channel, false) }

func (p *Person) archive(channel string, yes bool) error {
	p.w.mu.Lock()
	defer p.w.mu.Unlock()
	c, err := p.in(channel)
	if err != nil {
		return err
	}
	if c.Kind == DM || c.Kind == GroupDM || c.Archived == yes {
		return fmt.Errorf("%w: %q cannot be archived or brought back", ErrRefused, channel)
	}
	typ := "channel_unarchive"
	if yes {
		typ = "channel_archive"
	}
	c.Archived = yes
	p.w.changed(Change{Kind: ChannelChanged, Channel: c.ID})
	p.w.emit(event{typ: typ, conv: c, body: map[string]any{"type": typ, "channel": c.ID, "user": p.id, "event_ts": p.w.eventTS()}})
	return nil
}

// Rename gives a channel another name.
func (p *Person) Rename(channel, name string) error {
	p.w.mu.Lock()
	defer p.w.mu.Unlock()
	c, err := p.in(channel)
	if err != nil {
		return err
	}
	name = strings.TrimPrefix(name, "#")
	if c.Kind == DM || c.Kind == GroupDM || !validChannelName(name) || p.w.convByName[name] != nil {
		return fmt.Errorf("%w: %q cannot be called %q", ErrRefused, channel, name)
	}
	delete(p.w.convByName, c.Name)
	c.Name = name
	p.w.convByName[name] = c
	p.w.changed(Change{Kind: ChannelChanged, Channel: c.ID})
	p.w.emit(event{typ: "channel_rename", conv: c, body: map[string]any{
		"type": "channel_rename", "event_ts": p.w.eventTS(),
		"channel": map[string]any{"id": c.ID, "name": name, "name_normalized": name, "created": c.Created.Unix()},
	}})
	return nil
}
