package teamstest

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"sort"
	"strconv"
	"strings"
	"time"
)

// A conversation is a channel of any kind with what was said in it. The tenant's
// lock guards it. Messages are never changed in place: a change makes a new one,
// so that what has been handed out stays as it was.
type conversation struct {
	Channel
	last    int64      // newest id given out, in milliseconds
	msgs    []*Message // by id, answers in threads among them
	read    map[string]string
	views   map[string]map[string]*view // by message and user
	notices map[string][]Notice         // by user
	changed map[string]time.Time        // of messages that were, when last
}

// A view is a message's card as one person has it, and what they have done to it
// without sending it.
type view struct {
	Version int             // of the message that it belongs to
	Card    json.RawMessage // nil: as everybody has it
	Asked   time.Time       // when it was last refreshed
	Entered map[string]string
	Shown   []string
	Toggled map[string]bool
	Errors  map[string]string
}

func newConversation(c Channel) *conversation {
	return &conversation{Channel: c, read: map[string]string{}, views: map[string]map[string]*view{}, notices: map[string][]Notice{}}
}

// index is where the message is, or would be.
func (c *conversation) index(id string) (int, bool) {
	n := millis(id)
	i := sort.Search(len(c.msgs), func(i int) bool { return millis(c.msgs[i].ID) >= n })
	return i, i < len(c.msgs) && c.msgs[i].ID == id
}

func millis(id string) int64 {
	n, err := strconv.ParseInt(id, 10, 64)
	if err != nil {
		return -1
	}
	return n
}

func (c *conversation) message(id string) *Message {
	if i, ok := c.index(id); ok {
		return c.msgs[i]
	}
	return nil
}

// put replaces the message with the same id.
func (c *conversation) put(m *Message) {
	if i, ok := c.index(m.ID); ok {
		c.msgs[i] = m
	}
}

// nextID gives an id that is greater than every one before it here. Two
// conversations may give the same one.
func (c *conversation) nextID(now time.Time) string {
	c.last = max(now.UnixMilli(), c.last+1)
	return strconv.FormatInt(c.last, 10)
}

// view is what the person has of the message now; never nil. It is replaced, and
// not changed.
func (c *conversation) view(m *Message, user string) view {
	if v := c.views[m.ID][user]; v != nil && v.Version == m.Version {
		return *v
	}
	return view{Version: m.Version}
}

func (c *conversation) setView(m *Message, user string, v view) {
	if c.views[m.ID] == nil {
		c.views[m.ID] = map[string]*view{}
	}
	c.views[m.ID][user] = &v
}

// wire is the conversation as activities have it; root is the post that it is
// about, in a channel.
func (t *Tenant) wire(c *conversation, root string) map[string]any {
	m := map[string]any{"conversationType": string(c.Kind), "tenantId": t.id, "id": c.ID}
	if c.Kind != Personal {
		m["isGroup"] = true
	}
	if root != "" {
		m["id"] = c.ID + ";messageid=" + root
	}
	return m
}

func (t *Tenant) index(c *conversation) {
	t.convs = append(t.convs, c)
	t.convBy[c.ID] = c
	if c.Kind == Personal {
		t.chats[c.Members[0]] = c
	}
}

func (t *Tenant) addConversation(c *conversation) {
	t.index(c)
	t.changed(Change{Kind: ChannelChanged, Channel: c.ID})
}

// AddChannel adds a channel of a team (the first team if it says none) or a group
// chat. The app does not hear of it.
func (t *Tenant) AddChannel(ch Channel) (Channel, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	ch.Kind = cmp.Or(ch.Kind, TeamChannel)
	ch.Name = strings.TrimPrefix(ch.Name, "#")
	switch ch.Kind {
	case TeamChannel:
		if ch.Team == "" && len(t.teams) > 0 {
			ch.Team = t.teams[0].ID
		}
		team := t.team(ch.Team)
		if team == nil || ch.Name == "" || ch.Members != nil {
			return Channel{}, fmt.Errorf("teamstest: a channel needs a team and a name, and has the team's members")
		}
		ch.Team, ch.Installed, ch.AllMessages = team.ID, false, false
		ch.ID = cmp.Or(ch.ID, "19:"+strings.ReplaceAll(t.newID("channel"), "-", "")+"@thread.tacv2")
	case GroupChat:
		members, err := t.ids(ch.Members)
		if err != nil || len(members) < 2 {
			return Channel{}, cmp.Or(err, fmt.Errorf("teamstest: a group chat has two people or more"))
		}
		ch.Members = members
		ch.ID = cmp.Or(ch.ID, "19:"+strings.ReplaceAll(t.newID("group"), "-", "")+"@thread.v2")
	default:
		return Channel{}, fmt.Errorf("teamstest: everybody has their chat with the app already")
	}
	if t.convBy[ch.ID] != nil {
		return Channel{}, fmt.Errorf("teamstest: there is a conversation %s already", ch.ID)
	}
	c := newConversation(ch)
	t.addConversation(c)
	return t.export(c), nil
}

// export is a copy for the outside.
func (t *Tenant) export(c *conversation) Channel {
	ch := c.Channel
	ch.Members = slices.Clone(t.members(c))
	ch.Installed, ch.AllMessages = t.installed(c), t.allMessages(c)
	return ch
}

func (t *Tenant) members(c *conversation) []string {
	if team := t.team(c.Team); team != nil {
		return team.Members
	}
	return c.Members
}

func (t *Tenant) isMember(c *conversation, user string) bool {
	return slices.Contains(t.members(c), user)
}

// installed says whether the app is in the conversation.
func (t *Tenant) installed(c *conversation) bool {
	if team := t.team(c.Team); team != nil {
		return team.Installed
	}
	return c.Installed
}

func (t *Tenant) allMessages(c *conversation) bool {
	if team := t.team(c.Team); team != nil {
		return team.AllMessages
	}
	return c.AllMessages || c.Kind == Personal
}

// Channels are all conversations, in the order added.
func (t *Tenant) Channels() []Channel {
	t.mu.Lock()
	defer t.mu.Unlock()
	list := make([]Channel, len(t.convs))
	for i, c := range t.convs {
		list[i] = t.export(c)
	}
	return list
}

// Channel finds a conversation by id, by name with or without "#", or by
// "Team/Channel".
func (t *Tenant) Channel(idOrName string) (Channel, bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if c := t.conv(idOrName); c != nil {
		return t.export(c), true
	}
	return Channel{}, false
}

// conv is Channel for callers who hold t.mu.
func (t *Tenant) conv(idOrName string) *conversation {
	if c := t.convBy[idOrName]; c != nil {
		return c
	}
	name := strings.TrimPrefix(idOrName, "#")
	teamName, in, inTeam := strings.Cut(name, "/")
	for _, c := range t.convs {
		switch {
		case c.Name != "" && c.Name == name:
			return c
		case inTeam && c.Name == in && c.Team != "" && t.team(c.Team).Name == teamName:
			return c
		}
	}
	return nil
}

// personal is a person's chat with the app.
func (t *Tenant) personal(user string) *conversation { return t.chats[user] }

// title is what people call a conversation.
func (t *Tenant) title(c *conversation) string {
	switch {
	case c.Kind == TeamChannel:
		return t.team(c.Team).Name + " / " + c.Name
	case c.Name != "":
		return c.Name
	case c.Kind == Personal:
		return t.shownName(c.Members[0]) + " and " + t.app.Name
	}
	var names []string
	for _, id := range c.Members {
		names = append(names, t.shownName(id))
	}
	return strings.Join(names, ", ")
}

// post completes a message and keeps it.
func (t *Tenant) post(c *conversation, m *Message) *Message {
	m.Channel, m.At = c.ID, t.now()
	m.ID = c.nextID(m.At)
	if len(c.msgs) > t.keepMessages+t.keepMessages/4+8 { // cut now and then, not on each
		for _, old := range c.msgs[:len(c.msgs)-t.keepMessages] {
			delete(c.views, old.ID)
			delete(c.changed, old.ID)
		}
		c.msgs = slices.Clone(c.msgs[len(c.msgs)-t.keepMessages:])
	}
	c.msgs = append(c.msgs, m)
	c.read[m.From] = m.ID
	t.changed(Change{Kind: MessagePosted, Channel: c.ID, ID: m.ID, Message: m, User: m.To})
	return m
}

// change replaces a message by another with the same id.
func (t *Tenant) change(c *conversation, m *Message) {
	c.put(m)
	if c.changed == nil {
		c.changed = map[string]time.Time{}
	}
	c.changed[m.ID] = t.now()
	if m.Deleted {
		delete(c.views, m.ID)
	}
	t.changed(Change{Kind: MessageChanged, Channel: c.ID, ID: m.ID, Message: m, User: m.To})
}

// lastChange is when a message was posted, or changed last.
func (c *conversation) lastChange(m *Message) time.Time {
	if at, ok := c.changed[m.ID]; ok {
		return at
	}
	return m.At
}

// card is the message's Adaptive Card; nil if it has none.
func (m *Message) card() json.RawMessage {
	if i := slices.IndexFunc(m.Attachments, func(a Attachment) bool { return a.ContentType == adaptiveType }); i >= 0 && !m.Deleted {
		return m.Attachments[i].Content
	}
	return nil
}

// Message is the message as everybody has it.
func (t *Tenant) Message(channel, id string) (Message, bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if c := t.conv(channel); c != nil {
		if m := c.message(id); m != nil {
			return *m, true
		}
	}
	return Message{}, false
}

// clone is a copy whose maps are its own.
func (v view) clone() view {
	v.Entered, v.Toggled, v.Errors = maps.Clone(v.Entered), maps.Clone(v.Toggled), maps.Clone(v.Errors)
	v.Shown = slices.Clone(v.Shown)
	return v
}
