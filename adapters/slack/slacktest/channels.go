package slacktest

import (
	"cmp"
	"fmt"
	"slices"
	"sort"
	"strings"
	"time"
)

// A conversation is a channel of any kind with what was said in it. The
// workspace's lock guards it. Messages are never changed in place: a change makes
// a new one, so that what has been handed out stays as it was.
type conversation struct {
	Channel
	member  map[string]bool
	last    int64      // newest timestamp given out, in microseconds
	msgs    []*Message // by ts, replies and ephemerals among them
	threads map[string][]string
	read    map[string]string           // ts of the last message read, by user
	entered map[string]map[string]State // what has been chosen in a message, by ts and user
}

func newConversation(c Channel) *conversation {
	return &conversation{
		Channel: c, member: set(c.Members), threads: map[string][]string{},
		read: map[string]string{}, entered: map[string]map[string]State{},
	}
}

// index is where ts is, or would be.
func (c *conversation) index(ts string) (int, bool) {
	i := sort.Search(len(c.msgs), func(i int) bool { return c.msgs[i].TS >= ts })
	return i, i < len(c.msgs) && c.msgs[i].TS == ts
}

func (c *conversation) message(ts string) *Message {
	if i, ok := c.index(ts); ok {
		return c.msgs[i]
	}
	return nil
}

// put replaces the message with the same ts.
func (c *conversation) put(m *Message) {
	if i, ok := c.index(m.TS); ok {
		c.msgs[i] = m
	}
}

// nextTS gives a timestamp that is greater than every one before it here. Two
// channels may give the same one: a ts says which message only with its channel.
func (c *conversation) nextTS(now time.Time) string {
	c.last = max(now.UnixMicro(), c.last+100)
	return slackTS(c.last)
}

func (c *conversation) add(m *Message, keep int) {
	if len(c.msgs) > keep+keep/4+8 { // cut now and then, not on each
		old := c.msgs[:len(c.msgs)-keep]
		for _, m := range old {
			delete(c.threads, m.TS)
			delete(c.entered, m.TS)
		}
		c.msgs = append([]*Message(nil), c.msgs[len(old):]...)
	}
	c.msgs = append(c.msgs, m)
}

func (c *conversation) remove(ts string) {
	if i, ok := c.index(ts); ok {
		c.msgs = slices.Delete(c.msgs, i, i+1)
	}
	delete(c.entered, ts)
}

// wireType is what events call the kind.
func (c *conversation) wireType() string {
	switch c.Kind {
	case Private:
		return "group"
	case DM:
		return "im"
	case GroupDM:
		return "mpim"
	default:
		return "channel"
	}
}

// scopeStem is the part of a scope, and of an event's name, that says the kind:
// channels:history, message.channels.
func (c *conversation) scopeStem() string {
	switch c.Kind {
	case Private:
		return "groups"
	case DM:
		return "im"
	case GroupDM:
		return "mpim"
	default:
		return "channels"
	}
}

// export is a copy for the outside.
func (c *conversation) export() Channel {
	ch := c.Channel
	ch.Members = slices.Clone(c.Members)
	return ch
}

// AddChannel adds a conversation, with no events and no "joined" messages. It
// fails if the id or the name is taken or a member is unknown.
func (w *Workspace) AddChannel(ch Channel) (Channel, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	c, err := w.addChannel(ch)
	if err != nil {
		return Channel{}, err
	}
	return c.export(), nil
}

func (w *Workspace) addChannel(ch Channel) (*conversation, error) {
	ch.Kind = cmp.Or(ch.Kind, Public)
	ch.Name = strings.TrimPrefix(ch.Name, "#")
	if ch.Kind == Public || ch.Kind == Private {
		if !validChannelName(ch.Name) {
			return nil, fmt.Errorf("slacktest: %q is not a channel name: lower case letters, digits, - and _, at most 80", ch.Name)
		}
		if w.convByName[ch.Name] != nil {
			return nil, fmt.Errorf("slacktest: there is a channel #%s already", ch.Name)
		}
	}
	if ch.ID != "" && w.convByID[ch.ID] != nil {
		return nil, fmt.Errorf("slacktest: there is a channel %s already", ch.ID)
	}
	var members []string
	for _, m := range ch.Members {
		u := w.user(m)
		if u == nil {
			return nil, fmt.Errorf("slacktest: there is no user %s to be in #%s", m, ch.Name)
		}
		if !slices.Contains(members, u.ID) {
			members = append(members, u.ID)
		}
	}
	ch.Members = members
	if ch.ID == "" {
		ch.ID = w.newID(map[Kind]string{DM: "D"}[ch.Kind] + map[Kind]string{Public: "C", Private: "C", GroupDM: "G"}[ch.Kind])
	}
	if ch.Created.IsZero() {
		ch.Created = w.now()
	}
	c := newConversation(ch)
	w.convs = append(w.convs, c)
	w.convByID[c.ID] = c
	if c.Name != "" {
		w.convByName[c.Name] = c
	}
	w.changed(Change{Kind: ChannelChanged, Channel: c.ID})
	return c, nil
}

// docs.slack.dev/reference/methods/conversations.create: lower case, no spaces or
// points, at most 80 characters.
func validChannelName(s string) bool {
	if s == "" || len([]rune(s)) > 80 || s != strings.ToLower(s) {
		return false
	}
	return !strings.ContainsAny(s, " .,;:!?/\\@#<>&\"'()[]{}|\t\n")
}

// Channels are all conversations, in the order added.
func (w *Workspace) Channels() []Channel {
	w.mu.Lock()
	defer w.mu.Unlock()
	list := make([]Channel, len(w.convs))
	for i, c := range w.convs {
		list[i] = c.export()
	}
	return list
}

// Channel finds a conversation by id, or by name with or without "#".
func (w *Workspace) Channel(idOrName string) (Channel, bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if c := w.conv(idOrName); c != nil {
		return c.export(), true
	}
	return Channel{}, false
}

// conv is Channel for callers who hold w.mu.
func (w *Workspace) conv(idOrName string) *conversation {
	if c := w.convByID[idOrName]; c != nil {
		return c
	}
	return w.convByName[strings.TrimPrefix(idOrName, "#")]
}

// directWith finds or opens the conversation of exactly these people.
func (w *Workspace) directWith(people ...string) (*conversation, error) {
	kind := DM
	if len(people) > 2 {
		kind = GroupDM
	}
	for _, c := range w.convs {
		if c.Kind == kind && len(c.Members) == len(people) && !slices.ContainsFunc(people, func(p string) bool { return !c.member[p] }) {
			return c, nil
		}
	}
	ch := Channel{Kind: kind, Members: people, Creator: people[0]}
	if kind == GroupDM {
		names := make([]string, len(people))
		for i, p := range people {
			names[i] = w.userByID[p].Name
		}
		ch.Name = "mpdm-" + strings.Join(names, "--") + "-1"
	}
	return w.addChannel(ch)
}

// other is who else is in a DM.
func (c *conversation) other(than string) string {
	for _, m := range c.Members {
		if m != than {
			return m
		}
	}
	return than
}

// join adds a member, tells everybody, and leaves the line in the channel that
// Slack leaves; see docs.slack.dev/reference/events/member_joined_channel.
func (w *Workspace) join(c *conversation, user, inviter string) {
	if c.member[user] {
		return
	}
	c.Members = append(slices.Clone(c.Members), user)
	c.member[user] = true
	w.changed(Change{Kind: ChannelChanged, Channel: c.ID, User: user})
	subtype := "channel_join"
	if c.Kind == Private {
		subtype = "group_join"
	}
	w.post(c, &Message{Subtype: subtype, User: user, Text: "<@" + user + "> has joined the channel", Inviter: inviter})
	ev := map[string]any{
		"type": "member_joined_channel", "user": user, "channel": c.ID, "channel_type": c.channelLetter(),
		"team": w.team.ID, "event_ts": w.eventTS(),
	}
	if inviter != "" {
		ev["inviter"] = inviter
	}
	w.emit(event{typ: "member_joined_channel", conv: c, body: ev})
}

// leave takes a member out. The app still hears that its own bot was taken out.
func (w *Workspace) leave(c *conversation, user string) {
	if !c.member[user] {
		return
	}
	gone := map[string]any{
		"type": "member_left_channel", "user": user, "channel": c.ID, "channel_type": c.channelLetter(),
		"team": w.team.ID, "event_ts": w.eventTS(),
	}
	w.emit(event{typ: "member_left_channel", conv: c, body: gone})
	if user == w.app.BotUserID {
		typ := "channel_left"
		if c.Kind == Private {
			typ = "group_left"
		}
		w.emit(event{typ: typ, conv: c, body: map[string]any{"type": typ, "channel": c.ID, "event_ts": w.eventTS()}})
	}
	c.Members = slices.DeleteFunc(slices.Clone(c.Members), func(m string) bool { return m == user })
	delete(c.member, user)
	delete(c.read, user)
	w.changed(Change{Kind: ChannelChanged, Channel: c.ID, User: user})
}

func (c *conversation) channelLetter() string {
	switch c.Kind {
	case DM:
		return "D"
	case Private, GroupDM:
		return "G"
	default:
		return "C"
	}
}

// channelObject is a conversation as the API gives it; see
// docs.slack.dev/reference/objects/conversation-object.
func (w *Workspace) channelObject(c *conversation) map[string]any {
	bot := w.app.BotUserID
	m := map[string]any{
		"id": c.ID, "created": c.Created.Unix(), "updated": c.Created.UnixMilli(), "is_archived": c.Archived,
		"is_im": c.Kind == DM, "is_mpim": c.Kind == GroupDM, "is_org_shared": false, "context_team_id": w.team.ID,
	}
	if c.Kind == DM {
		m["user"], m["is_user_deleted"], m["priority"] = c.other(bot), false, 0
		return m
	}
	for k, v := range map[string]any{
		"name": c.Name, "name_normalized": c.Name, "creator": c.Creator, "is_member": c.member[bot],
		"is_channel": c.Kind == Public, "is_group": c.Kind == Private, "is_private": c.Kind != Public,
		"is_general": c.Name == "general", "is_shared": false, "is_ext_shared": false, "is_pending_ext_shared": false,
		"unlinked": 0, "pending_shared": []string{}, "previous_names": []string{}, "num_members": len(c.Members),
		"topic":   map[string]any{"value": c.Topic, "creator": "", "last_set": 0},
		"purpose": map[string]any{"value": c.Purpose, "creator": "", "last_set": 0},
	} {
		m[k] = v
	}
	return m
}

// briefName is what interactions and commands call a conversation.
func (c *conversation) briefName() string {
	switch c.Kind {
	case DM:
		return "directmessage"
	case Private:
		return "privategroup"
	default:
		return c.Name
	}
}
