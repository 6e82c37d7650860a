package teamstest

import (
	"net/http"
	"strings"
)

// find is the conversation of the path, and the post that it names behind
// ";messageid=". It refuses what the app may not use.
func (t *Tenant) find(r *request) (c *conversation, root string) {
	id, root, _ := strings.Cut(r.http.PathValue("conv"), ";messageid=")
	c = t.convBy[id]
	switch {
	case c == nil:
		r.refuse(http.StatusNotFound, "ConversationNotFound", "Conversation not found.")
	case !t.installed(c):
		r.refuse(http.StatusForbidden, "BotNotInConversationRoster", "The bot is not part of the conversation roster.")
		c = nil
	case root != "" && (c.Kind != TeamChannel || c.message(root) == nil || c.message(root).Thread != ""):
		r.refuse(http.StatusNotFound, "ActivityNotFoundInConversation", "Message does not exist in the thread.")
		c = nil
	}
	return c, root
}

// serveSend posts. In a channel, without a thread in the address or a message to
// reply to, it begins a new post; page "Channel and group chat conversations".
func (t *Tenant) serveSend(r *request) {
	t.mu.Lock()
	defer t.mu.Unlock()
	c, root := t.find(r)
	if c == nil {
		return
	}
	if to := r.http.PathValue("id"); to != "" && c.Kind == TeamChannel {
		m := c.message(to)
		if m == nil || root != "" && to != root && m.Thread != root {
			r.refuse(http.StatusNotFound, "ActivityNotFoundInConversation", "Message does not exist in the thread.")
			return
		}
		if root = m.Thread; root == "" {
			root = to
		}
	}
	m, err := t.outbound(c, r.body)
	if err != nil {
		r.refuse(http.StatusBadRequest, "BadSyntax", err.Error())
		return
	}
	if m == nil {
		t.changed(Change{Kind: Typing, Channel: c.ID})
		r.status = http.StatusAccepted
		return
	}
	if !t.aim(r, c, m) {
		return
	}
	m.Thread = root
	m = t.post(c, m)
	t.stats.posted++
	r.call.Posted = m.ID
	r.json(http.StatusCreated, map[string]string{"id": m.ID})
}

// aim makes a message one person's, if the call says so.
func (t *Tenant) aim(r *request, c *conversation, m *Message) bool {
	if r.http.URL.Query().Get("isTargetedActivity") != "true" {
		return true
	}
	u := t.user(text(r.body, "recipient", "id"))
	if !t.targeted || c.Kind == Personal || u == nil || !t.isMember(c, u.ID) {
		r.refuse(http.StatusBadRequest, "BadArgument", "This message cannot be for one person's eyes.")
		return false
	}
	m.To = u.ID
	return true
}

// serveUpdate replaces a message of the app's. Everybody sees the new card, and
// views of one's own are asked for anew; page "Up to date cards".
func (t *Tenant) serveUpdate(r *request) {
	t.mu.Lock()
	defer t.mu.Unlock()
	c, _ := t.find(r)
	if c == nil {
		return
	}
	was := t.own(r, c)
	if was == nil {
		return
	}
	if id := text(r.body, "id"); id != "" && id != was.ID {
		r.refuse(http.StatusBadRequest, "BadArgument", "The id of the activity is not that of the address.")
		return
	}
	m, err := t.outbound(c, r.body)
	if err != nil || m == nil {
		r.refuse(http.StatusBadRequest, "BadSyntax", "No message can be replaced by this: "+errorText(err))
		return
	}
	is := *was
	is.Text, is.Format, is.Mentions, is.Attachments, is.Summary = m.Text, m.Format, m.Mentions, m.Attachments, m.Summary
	is.Edited = true
	is.Version++
	t.change(c, &is)
	t.stats.updated++
	r.json(http.StatusOK, map[string]string{"id": is.ID})
}

func errorText(err error) string {
	if err == nil {
		return "it is none."
	}
	return err.Error()
}

// serveDelete deletes a message of the app's. The recorded emulator answers 501;
// Teams itself deletes (page "Update and delete messages sent from bot").
func (t *Tenant) serveDelete(r *request) {
	t.mu.Lock()
	defer t.mu.Unlock()
	c, _ := t.find(r)
	if c == nil {
		return
	}
	was := t.own(r, c)
	if was == nil {
		return
	}
	is := *was
	is.Deleted = true
	t.change(c, &is)
	r.status = http.StatusOK
}

// own is the message of the address, which has to be the app's.
func (t *Tenant) own(r *request, c *conversation) *Message {
	m := c.message(r.http.PathValue("id"))
	switch {
	case m == nil || m.Deleted:
		r.refuse(http.StatusNotFound, "ActivityNotFoundInConversation", "Message does not exist in the thread.")
	case m.From != t.botID:
		r.refuse(http.StatusForbidden, "ForbiddenOperationException", "The message is not the bot's.")
	default:
		return m
	}
	return nil
}

// serveCreate opens a person's chat, or begins a post in a channel; page "Create
// conversation" of the Bot Connector's REST reference.
func (t *Tenant) serveCreate(r *request) {
	t.mu.Lock()
	defer t.mu.Unlock()
	tenant := text(r.body, "tenantId")
	if tenant == "" {
		tenant = text(r.body, "channelData", "tenant", "id")
	}
	if bot := text(r.body, "bot", "id"); bot != "" && bot != t.botID {
		r.refuse(http.StatusBadRequest, "BadArgument", "The bot is not "+bot+".")
		return
	}
	activity, _ := r.body["activity"].(map[string]any)
	if group, _ := r.body["isGroup"].(bool); group {
		t.createPost(r, activity)
		return
	}
	members, _ := r.body["members"].([]any)
	switch {
	case tenant != t.id:
		r.refuse(http.StatusBadRequest, "BadSyntax", "Incorrect or missing tenant id.")
		return
	case len(members) != 1:
		r.refuse(http.StatusBadRequest, "BadSyntax", "A conversation with one member is needed.")
		return
	}
	member, _ := members[0].(map[string]any)
	u := t.userBy[text(member, "id")]
	if u == nil || u.ID != text(member, "id") && u.ObjectID != text(member, "id") {
		r.refuse(http.StatusNotFound, "MemberNotFoundInConversation", "No such user.")
		return
	}
	c := t.personal(u.ID)
	if !c.Installed {
		r.refuse(http.StatusForbidden, "ForbiddenOperationException", "Bot is not installed in user's personal scope.")
		return
	}
	if activity == nil {
		r.json(http.StatusCreated, map[string]string{"id": c.ID})
		return
	}
	m, err := t.outbound(c, activity)
	if err != nil || m == nil {
		r.refuse(http.StatusBadRequest, "BadSyntax", "This cannot be the first message: "+errorText(err))
		return
	}
	m = t.post(c, m)
	t.stats.posted++
	r.call.Posted = m.ID
	r.json(http.StatusCreated, map[string]string{"id": c.ID, "activityId": m.ID})
}

func (t *Tenant) createPost(r *request, activity map[string]any) {
	c := t.convBy[channelOf(r.body)]
	switch {
	case c == nil || c.Kind != TeamChannel:
		r.refuse(http.StatusNotFound, "ConversationNotFound", "Conversation not found.")
		return
	case !t.installed(c):
		r.refuse(http.StatusForbidden, "BotNotInConversationRoster", "The bot is not part of the conversation roster.")
		return
	}
	m, err := t.outbound(c, activity)
	if err != nil || m == nil {
		r.refuse(http.StatusBadRequest, "BadSyntax", "This cannot be the first message: "+errorText(err))
		return
	}
	m = t.post(c, m)
	t.stats.posted++
	r.call.Posted = m.ID
	r.json(http.StatusCreated, map[string]string{"id": c.ID + ";messageid=" + m.ID, "activityId": m.ID})
}
