package teamstest

import (
	"fmt"
	"html"
	"maps"
	"slices"
	"strings"
	"time"
)

// What is sent has the keys that were recorded; the tests compare them.

const stamp = "2006-01-02T15:04:05.000Z"

// activity is what all activities have. root is the post that it is about, in a
// channel.
func (t *Tenant) activity(typ string, c *conversation, root string, by *User) map[string]any {
	a := map[string]any{
		"type": typ, "id": "f:" + t.newID("activity"), "timestamp": t.now().UTC().Format(stamp), "serviceUrl": t.serviceURL(), "channelId": "msteams",
		"from":         map[string]any{"id": by.ID, "aadObjectId": by.ObjectID},
		"recipient":    map[string]any{"id": t.botID, "name": t.app.Name},
		"conversation": t.wire(c, root),
	}
	data := map[string]any{"tenant": map[string]any{"id": t.id}}
	if c.Kind == TeamChannel {
		data["team"], data["channel"] = map[string]any{"id": c.Team}, map[string]any{"id": c.ID}
	}
	a["channelData"] = data
	return a
}

// spoken adds what activities of a person at their client have.
func (t *Tenant) spoken(a map[string]any, c *conversation, by *User) {
	a["from"] = map[string]any{"id": by.ID, "name": by.DisplayName, "aadObjectId": by.ObjectID}
	now, zone := t.now(), by.TZ
	loc, err := time.LoadLocation(zone)
	if err != nil {
		loc, zone = time.UTC, "UTC"
	}
	a["localTimestamp"], a["localTimezone"], a["locale"] = now.In(loc).Format("2006-01-02T15:04:05.000-07:00"), zone, by.Locale
	_, country, _ := strings.Cut(by.Locale, "-")
	info := map[string]any{"type": "clientInfo", "locale": by.Locale, "country": country, "timezone": zone}
	if c.Kind != TeamChannel || a["type"] == "invoke" {
		info["platform"] = "Web"
	}
	a["entities"] = []any{info}
}

// rootOf is the post that a message belongs to; in a chat none.
func rootOf(c *conversation, m *Message) string {
	switch {
	case c.Kind != TeamChannel:
		return ""
	case m.Thread != "":
		return m.Thread
	}
	return m.ID
}

// messageActivity says a person's message.
func (t *Tenant) messageActivity(c *conversation, m *Message, by *User) map[string]any {
	a := t.activity("message", c, rootOf(c, m), by)
	t.spoken(a, c, by)
	a["id"], a["text"], a["textFormat"] = m.ID, m.Text, "plain"
	entities := []any{}
	for _, x := range m.Mentions {
		entities = append(entities, map[string]any{"type": "mention", "mentioned": map[string]any{"id": x.ID, "name": x.Name}, "text": x.Text})
	}
	if q := m.Quote; q != nil && t.quotes {
		entities = append(entities, map[string]any{"type": "quotedReply", "quotedReply": map[string]any{
			"messageId": q.Message, "senderId": q.From, "senderName": t.shownName(q.From), "preview": q.Preview,
			"time": q.Message, "isReplyDeleted": false, "validatedMessageReference": true,
		}})
	}
	a["entities"] = append(entities, a["entities"].([]any)...)
	if c.Kind == TeamChannel {
		data := a["channelData"].(map[string]any)
		data["teamsChannelId"], data["teamsTeamId"] = c.ID, c.Team
	}
	if list := t.wireAttachments(c, m); len(list) > 0 {
		a["attachments"] = list
	}
	if t.html && m.Text != "" { // as in github.com/MicrosoftDocs/OfficeDocs-SkypeForBusiness/issues/4723
		a["text"] = m.Text + "\n"
	}
	return a
}

// wireAttachments are a person's attachments as the app gets them; page "Send
// and receive files". A file in a channel or group chat is only named: the app
// would have to read it through Graph.
func (t *Tenant) wireAttachments(c *conversation, m *Message) []any {
	var list []any
	rich := t.html || m.Quote != nil
	for _, a := range m.Attachments {
		rich = rich || strings.HasPrefix(a.ContentType, "image/")
		if a.ContentType == fileType && c.Kind != Personal {
			rich = true
			continue
		}
		x := map[string]any{"contentType": a.ContentType}
		if strings.HasPrefix(a.ContentType, "image/") {
			x["contentType"] = "image/*"
		}
		if a.ContentURL != "" {
			x["contentUrl"] = a.ContentURL
		}
		if a.Name != "" && a.ContentType == fileType {
			x["name"] = a.Name
		}
		if a.Content != nil {
			x["content"] = a.Content
		}
		list = append(list, x)
	}
	if rich {
		list = append(list, map[string]any{"contentType": htmlType, "content": t.htmlOf(c, m)})
	}
	return list
}

// htmlOf is the message as the client's editor writes it.
func (t *Tenant) htmlOf(c *conversation, m *Message) string {
	var b strings.Builder
	if q := m.Quote; q != nil {
		fmt.Fprintf(&b, "<blockquote itemscope=\"\" itemtype=\"http://schema.skype.com/Reply\" itemid=\"%s\">\r\n"+
			"<strong itemprop=\"mri\" itemid=\"%s\">%s</strong><span itemprop=\"time\" itemid=\"%s\"></span>\r\n"+
			"<p itemprop=\"preview\">%s</p>\r\n</blockquote>\r\n",
			q.Message, html.EscapeString(q.From), html.EscapeString(t.shownName(q.From)), q.Message, html.EscapeString(q.Preview))
	}
	if m.Text != "" {
		b.WriteString("<p>")
		rest := m.Text
		for i, x := range m.Mentions {
			before, after, found := strings.Cut(rest, x.Text)
			if !found {
				continue
			}
			fmt.Fprintf(&b, "%s<span itemscope=\"\" itemtype=\"http://schema.skype.com/Mention\" itemid=\"%d\">%s</span>", escapeHTML(before), i, html.EscapeString(x.Name))
			if rest = after; strings.HasPrefix(rest, " ") {
				b.WriteString("&nbsp;")
				rest = rest[1:]
			}
		}
		b.WriteString(escapeHTML(rest) + "</p>")
	}
	for _, a := range m.Attachments {
		switch {
		case strings.HasPrefix(a.ContentType, "image/"):
			fmt.Fprintf(&b, "<p><img alt=\"image\" src=\"%s\" itemtype=\"http://schema.skype.com/AMSImage\"></p>", html.EscapeString(a.ContentURL))
		case a.ContentType == fileType && c.Kind != Personal:
			fmt.Fprintf(&b, "<attachment id=\"%s\"></attachment>", madeUp(a.ContentURL))
		}
	}
	return b.String()
}

func escapeHTML(s string) string {
	return strings.ReplaceAll(html.EscapeString(s), "\n", "<br>\n")
}

// editActivity says that a message was edited, deleted or brought back; page
// "Messages in bot conversations".
func (t *Tenant) editActivity(c *conversation, m *Message, by *User, event string) map[string]any {
	a := t.messageActivity(c, m, by)
	a["type"] = "messageUpdate"
	if event == "softDeleteMessage" {
		a["type"] = "messageDelete"
		delete(a, "text")
		delete(a, "textFormat")
		delete(a, "attachments")
		a["entities"] = slices.DeleteFunc(a["entities"].([]any), func(e any) bool { return e.(map[string]any)["type"] != "clientInfo" })
	}
	a["channelData"].(map[string]any)["eventType"] = event
	return a
}

// reactionActivity: page "Conversation events in your Teams bot", "Message
// reaction events". The app hears only of reactions to what it said.
func (t *Tenant) reactionActivity(c *conversation, m *Message, by *User, kind string, added bool) map[string]any {
	a := t.activity("messageReaction", c, rootOf(c, m), by)
	a["replyToId"] = m.ID
	key := "reactionsRemoved"
	if added {
		key = "reactionsAdded"
	}
	a[key] = []any{map[string]any{"type": kind}}
	return a
}

// invokeActivity is a question that the app answers at once. on is the message
// with the card, if there is one.
func (t *Tenant) invokeActivity(name string, c *conversation, on *Message, by *User, value any) map[string]any {
	root := ""
	if on != nil {
		root = rootOf(c, on)
	}
	a := t.activity("invoke", c, root, by)
	t.spoken(a, c, by)
	a["name"], a["value"] = name, value
	a["channelData"].(map[string]any)["source"] = map[string]any{"name": "message"}
	if on != nil {
		a["replyToId"] = on.ID
	}
	return a
}

// submitActivity is what Action.Submit sends: a message without text.
func (t *Tenant) submitActivity(c *conversation, on *Message, by *User, value any) map[string]any {
	a := t.invokeActivity("", c, on, by, value)
	a["type"] = "message"
	delete(a, "name")
	return a
}

// installActivities are installationUpdate and conversationUpdate, as they come
// when the app is added or removed.
func (t *Tenant) installActivities(c *conversation, by *User, add bool) (installation, update map[string]any) {
	action, members := "add", "membersAdded"
	if !add {
		action, members = "remove", "membersRemoved"
	}
	bot := map[string]any{"id": t.botID}
	installation = t.activity("installationUpdate", c, "", by)
	installation["action"], installation["locale"] = action, by.Locale
	installation["entities"] = []any{map[string]any{"type": "clientInfo", "locale": by.Locale}}
	data := installation["channelData"].(map[string]any)
	data["source"] = map[string]any{"name": "message"}
	data["settings"] = map[string]any{"selectedChannel": map[string]any{"id": c.ID}}
	if c.Kind != Personal {
		installation["conversation"].(map[string]any)["name"] = t.nameOf(c)
	}
	if c.Kind == TeamChannel {
		t.wholeTeam(data, c)
		general := t.convBy[c.Team]
		update = t.activity("conversationUpdate", general, "", by)
		t.wholeTeam(update["channelData"].(map[string]any), general)
		delete(update["channelData"].(map[string]any), "channel")
		event := "teamMemberAdded"
		if !add {
			event = "teamMemberRemoved"
		}
		update["channelData"].(map[string]any)["eventType"] = event
	} else {
		update = t.activity("conversationUpdate", c, "", by)
	}
	who := []any{bot}
	if c.Kind == Personal && add {
		who = []any{map[string]any{"id": by.ID, "aadObjectId": by.ObjectID}, bot}
	}
	update[members] = who
	return installation, update
}

func (t *Tenant) nameOf(c *conversation) string {
	if c.Name != "" {
		return c.Name
	}
	return t.title(c)
}

// wholeTeam gives the team with its name and group, as some events have it.
func (t *Tenant) wholeTeam(data map[string]any, c *conversation) {
	team := t.team(c.Team)
	data["team"] = map[string]any{"id": team.ID, "name": team.Name, "aadGroupId": team.GroupID}
}

// memberActivity says that somebody has come or gone.
func (t *Tenant) memberActivity(c *conversation, by, who *User, added bool) map[string]any {
	at := c
	if c.Kind == TeamChannel {
		at = t.convBy[c.Team]
	}
	a := t.activity("conversationUpdate", at, "", by)
	key, event := "membersRemoved", "teamMemberRemoved"
	if added {
		key, event = "membersAdded", "teamMemberAdded"
	}
	a[key] = []any{map[string]any{"id": who.ID, "aadObjectId": who.ObjectID}}
	if c.Kind == TeamChannel {
		data := a["channelData"].(map[string]any)
		delete(data, "channel")
		t.wholeTeam(data, at)
		data["eventType"] = event
	}
	return a
}

// teamActivity says what happened to a team or one of its channels; event is
// Teams' own name: channelCreated, channelRenamed, channelDeleted, teamRenamed,
// teamDeleted.
func (t *Tenant) teamActivity(team *Team, c *conversation, by *User, event string) map[string]any {
	a := t.activity("conversationUpdate", t.convBy[team.ID], "", by)
	data := a["channelData"].(map[string]any)
	delete(data, "channel")
	if strings.HasPrefix(event, "team") {
		t.wholeTeam(data, t.convBy[team.ID])
	} else {
		data["channel"] = map[string]any{"id": c.ID, "name": c.Name}
	}
	data["eventType"] = event
	return a
}

// Activity is the message activity that the app would get if this person said
// this in their chat with it; change may alter it, to be of another tenant, or
// from another service. Nothing is said.
func (t *Tenant) Activity(person, says string, change func(map[string]any)) []byte {
	t.mu.Lock()
	defer t.mu.Unlock()
	u := t.user(person)
	if u == nil {
		return nil
	}
	c := t.personal(u.ID)
	m := &Message{ID: fmt.Sprint(t.now().UnixMilli()), From: u.ID, Text: says}
	a := maps.Clone(t.messageActivity(c, m, u))
	if change != nil {
		change(a)
	}
	return mustJSON(a)
}
