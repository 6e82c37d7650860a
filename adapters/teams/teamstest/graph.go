package teamstest

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"html"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Graph's operations, as Call has them.
const (
	opChannelMessages = "channelMessages"
	opReplies         = "replies"
	opChatMessages    = "chatMessages"
)

// What the app may read by resource-specific consent; page "Resource-specific
// consent for your Teams app".
const (
	readChannels = "ChannelMessage.Read.Group"
	readChat     = "ChatMessage.Read.Chat"
)

// mostMessages is the largest page; pages "List channel messages", "List
// replies", "List messages in a chat". Without $top it is 20.
const mostMessages = 50

// GraphURL is Microsoft Graph's address, without a version. The app's tokens for
// it have this and "/.default" as their scope.
func (t *Tenant) GraphURL() string { return t.URL() + graphPath }

const graphPath = "/graph"

// graphRoutes serve what Graph shows an app of a team's channels and of a group
// chat, if it is installed there with the permission to read all messages.
func (t *Tenant) graphRoutes(mux *http.ServeMux) {
	for pattern, h := range map[string]struct {
		op string
		f  func(*request) ([]*Message, *conversation)
	}{
		"/v1.0/teams/{team}/channels/{conv}/messages":              {opChannelMessages, t.graphChannel},
		"/v1.0/teams/{team}/channels/{conv}/messages/{id}/replies": {opReplies, t.graphReplies},
		"/v1.0/chats/{conv}/messages":                              {opChatMessages, t.graphChat},
	} {
		mux.HandleFunc("GET "+graphPath+pattern, func(rw http.ResponseWriter, r *http.Request) { t.serveGraph(rw, r, h.op, h.f) })
	}
	mux.HandleFunc(graphPath+"/", func(rw http.ResponseWriter, r *http.Request) {
		w := reply{header: rw.Header()}
		t.graphError(&w, http.StatusBadRequest, "BadRequest", "Resource not found for the segment '"+r.URL.Path+"'.")
		w.send(rw)
	})
}

// serveGraph carries out one call of Graph: token, limits, query, work.
func (t *Tenant) serveGraph(rw http.ResponseWriter, r *http.Request, op string, f func(*request) ([]*Message, *conversation)) {
	call, w, done := t.begin(rw, r, op, r.PathValue("conv"), r.PathValue("id"))
	defer done()
	if w == nil {
		return
	}
	req := &request{w, r, call, nil}
	token, bearer := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	if !bearer || !t.login.known(token, t.GraphURL(), t.now()) {
		t.graphRefuse(req, http.StatusUnauthorized, "InvalidAuthenticationToken", "Access token validation failure. Invalid audience.")
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if wait := t.pacing.take(op, call.Channel, t.now()); wait > 0 {
		w.header.Set("Retry-After", strconv.Itoa(int(wait/time.Second)+1))
		t.graphRefuse(req, http.StatusTooManyRequests, "TooManyRequests", "Please retry after the time in the header.")
		return
	}
	most, from, ok := t.graphQuery(req)
	if !ok {
		return
	}
	all, c := f(req)
	if c == nil {
		return
	}
	values := []any{}
	for _, m := range all[min(from, len(all)):min(from+most, len(all))] {
		values = append(values, t.graphMessage(c, m))
	}
	page := map[string]any{"@odata.context": t.url + graphPath + "/v1.0/$metadata#messages", "@odata.count": len(values)}
	if from+most < len(all) {
		page["@odata.nextLink"] = fmt.Sprintf("%s%s?$top=%d&$skiptoken=%d", t.url, r.URL.EscapedPath(), most, from+most)
	} else if op != opReplies {
		values = append(values, graphSystem())
	}
	page["value"] = values
	req.json(http.StatusOK, page)
}

// graphQuery reads the query: of what OData knows, $top is taken everywhere, and
// of the rest nothing that this double knows.
func (t *Tenant) graphQuery(r *request) (most, from int, ok bool) {
	most = 20
	for key, values := range r.http.URL.Query() {
		n, err := strconv.Atoi(values[0])
		switch {
		case key == "$top" && err == nil && n > 0 && n <= mostMessages:
			most = n
		case key == "$skiptoken" && err == nil && n >= 0:
			from = n
		default:
			t.graphRefuse(r, http.StatusBadRequest, "BadRequest", fmt.Sprintf("The query option %s=%s is not supported, or over the limit of %d.", key, values[0], mostMessages))
			return 0, 0, false
		}
	}
	return most, from, true
}

// graphError answers as Graph does; page "Microsoft Graph error responses and
// resource types".
func (t *Tenant) graphError(w *reply, status int, code, message string) {
	now := t.now().UTC()
	w.json(status, map[string]any{"error": map[string]any{"code": code, "message": message, "innerError": map[string]string{
		"date": now.Format("2006-01-02T15:04:05"), "request-id": madeUp("request", now.String()), "client-request-id": madeUp("request", now.String())}}})
}

func (t *Tenant) graphRefuse(r *request, status int, code, message string) {
	r.call.Error = code
	t.graphError(r.reply, status, code, message)
}

// graphClosed refuses what the app has no permission for. The words are those of
// github.com/MicrosoftDocs/msteams-docs/issues/14043.
func (t *Tenant) graphClosed(r *request, needs ...string) {
	t.graphRefuse(r, http.StatusForbidden, "Forbidden",
		"Missing role permissions on the request. API requires one of '"+strings.Join(needs, ", ")+"'. Roles on the request ''.")
}

// graphTeamChannel is the channel of the address, which has to be one of the
// team's that the app may read.
func (t *Tenant) graphTeamChannel(r *request) *conversation {
	i := slices.IndexFunc(t.teams, func(team *Team) bool { return team.GroupID == r.http.PathValue("team") })
	if i < 0 {
		t.graphRefuse(r, http.StatusNotFound, "NotFound", "No team found with Group Id "+r.http.PathValue("team"))
		return nil
	}
	if team := t.teams[i]; !team.Installed || !team.AllMessages {
		t.graphClosed(r, readChannels, "ChannelMessage.Read.All", "Group.Read.All", "Group.ReadWrite.All")
		return nil
	}
	c := t.convBy[r.http.PathValue("conv")]
	if c == nil || c.Team != t.teams[i].ID {
		t.graphRefuse(r, http.StatusNotFound, "NotFound", "The channel was not found.")
		return nil
	}
	return c
}

func (t *Tenant) graphChannel(r *request) ([]*Message, *conversation) {
	c := t.graphTeamChannel(r)
	if c == nil {
		return nil, nil
	}
	return t.byChange(c, t.shownByGraph(c, "")), c
}

func (t *Tenant) graphReplies(r *request) ([]*Message, *conversation) {
	c := t.graphTeamChannel(r)
	if c == nil {
		return nil, nil
	}
	root := c.message(r.http.PathValue("id"))
	if root == nil || root.Thread != "" {
		t.graphRefuse(r, http.StatusNotFound, "NotFound", "The message was not found.")
		return nil, nil
	}
	list := t.shownByGraph(c, root.ID)
	slices.Reverse(list) // the newest first, as in the page's example
	return list, c
}

func (t *Tenant) graphChat(r *request) ([]*Message, *conversation) {
	c := t.convBy[r.http.PathValue("conv")]
	if c == nil || c.Kind == TeamChannel {
		t.graphRefuse(r, http.StatusNotFound, "NotFound", "The chat was not found.")
		return nil, nil
	}
	if c.Kind != GroupChat || !c.Installed || !c.AllMessages {
		t.graphClosed(r, readChat, "Chat.Read.All", "Chat.ReadWrite.All")
		return nil, nil
	}
	return t.byChange(c, t.shownByGraph(c, "")), c
}

// shownByGraph are the messages at the top of a conversation, or in a thread of
// it, that Graph has come to show, by age.
func (t *Tenant) shownByGraph(c *conversation, thread string) []*Message {
	var list []*Message
	seen := t.now().Add(-t.graphLag)
	for _, m := range c.msgs {
		if m.Thread == thread && m.To == "" && !m.At.After(seen) {
			list = append(list, m)
		}
	}
	return list
}

// byChange puts those first that were changed last, which is Graph's order; page
// "List messages in a chat", $orderby. For channels Microsoft's support says so:
// learn.microsoft.com/answers/questions/5558839.
func (t *Tenant) byChange(c *conversation, list []*Message) []*Message {
	slices.SortStableFunc(list, func(a, b *Message) int {
		return cmp.Or(c.lastChange(b).Compare(c.lastChange(a)), cmp.Compare(millis(b.ID), millis(a.ID)))
	})
	return list
}

// graphMessage is a message as Graph has it; page "chatMessage resource type".
func (t *Tenant) graphMessage(c *conversation, m *Message) map[string]any {
	at := func(t time.Time) string { return t.UTC().Format(stamp) }
	changed := c.lastChange(m)
	g := map[string]any{
		"id": m.ID, "replyToId": nil, "etag": strconv.FormatInt(changed.UnixMilli(), 10), "messageType": "message", "createdDateTime": at(m.At),
		"lastModifiedDateTime": at(changed), "lastEditedDateTime": nil, "deletedDateTime": nil, "subject": nil, "summary": nil, "chatId": nil,
		"importance": "normal", "locale": "en-us", "policyViolation": nil, "eventDetail": nil, "mentions": []any{}, "reactions": []any{},
	}
	if m.Thread != "" {
		g["replyToId"] = m.Thread
	}
	if m.Edited {
		g["lastEditedDateTime"] = at(changed)
	}
	if team := t.team(c.Team); team != nil {
		g["channelIdentity"] = map[string]any{"teamId": team.GroupID, "channelId": c.ID}
	} else {
		g["chatId"] = c.ID
	}
	from := map[string]any{"device": nil, "user": nil, "application": nil}
	if m.From == t.botID {
		from["application"] = map[string]any{"@odata.type": "#microsoft.graph.teamworkApplicationIdentity", "id": t.app.ID, "displayName": t.app.Name, "applicationIdentityType": "bot"}
	} else if u := t.user(m.From); u != nil {
		from["user"] = map[string]any{"@odata.type": "#microsoft.graph.teamworkUserIdentity", "id": u.ObjectID, "displayName": u.DisplayName, "userIdentityType": "aadUser"}
	}
	g["from"] = from
	if m.Deleted {
		g["deletedDateTime"], g["attachments"], g["body"] = at(changed), []any{}, map[string]any{"contentType": "html", "content": ""}
		return g
	}
	body, attachments := html.EscapeString(m.Text), []any{}
	for i, a := range m.Attachments {
		if strings.HasPrefix(a.ContentType, "image/") {
			body += `<img src="` + html.EscapeString(t.url) + `" alt="image">` // kept by Teams and read elsewhere
			continue
		}
		id := strings.ReplaceAll(madeUp(c.ID, m.ID, strconv.Itoa(i)), "-", "")
		body += `<attachment id="` + id + `"></attachment>`
		attachments = append(attachments, map[string]any{"id": id, "contentType": a.ContentType, "contentUrl": orNull(a.ContentURL),
			"content": cardAsText(a.Content), "name": orNull(a.Name), "thumbnailUrl": nil})
	}
	g["attachments"], g["body"] = attachments, map[string]any{"contentType": "html", "content": body}
	return g
}

// cardAsText is a card as Graph gives it: JSON in a string, set in lines; page
// "Working with Microsoft Teams messaging APIs in Microsoft Graph".
func cardAsText(card json.RawMessage) any {
	var b bytes.Buffer
	if len(card) == 0 || json.Indent(&b, card, "", "  ") != nil {
		return nil
	}
	return strings.ReplaceAll(b.String(), "\n", "\r\n")
}

func orNull(s string) any {
	if s == "" {
		return nil
	}
	return s
}

// graphSystem is what Graph has at the beginning of a conversation: it is from
// nobody.
func graphSystem() map[string]any {
	return map[string]any{"id": "1616883610266", "messageType": "unknownFutureValue", "createdDateTime": "2021-03-28T03:50:10.266Z",
		"lastModifiedDateTime": "2021-03-28T03:50:10.266Z", "from": nil, "attachments": []any{}, "mentions": []any{}, "reactions": []any{},
		"body": map[string]any{"contentType": "html", "content": "<systemEventMessage/>"}, "eventDetail": map[string]any{"@odata.type": "#microsoft.graph.membersAddedEventMessageDetail"}}
}
