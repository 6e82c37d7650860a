package slacktest

import (
	"encoding/base64"
	"slices"
	"sort"
	"strings"
)

// needs checks that the bot has the scope of this kind of conversation.
func (w *Workspace) needs(c *conversation, verb string) error {
	if scope := c.scopeStem() + ":" + verb; !w.scopes[scope] {
		return &APIError{Code: "missing_scope", Needed: scope}
	}
	return nil
}

// joined finds a conversation that the bot is in.
func (w *Workspace) joined(id string) (*conversation, error) {
	c, err := w.visible(id)
	if err == nil && !c.member[w.app.BotUserID] {
		err = &APIError{Code: "not_in_channel"}
	}
	return c, err
}

// https://docs.slack.dev/reference/methods/conversations.open
func (w *Workspace) apiOpen(r *request) (any, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if id := r.str("channel"); id != "" {
		c, err := w.joined(id)
		if err != nil || c.Kind != DM && c.Kind != GroupDM {
			return nil, &APIError{Code: "channel_not_found"}
		}
		return w.opened(c, r, true), nil
	}
	users := r.list("users")
	if len(users) == 0 {
		return nil, &APIError{Code: "users_list_not_supplied"}
	}
	if len(users) > 8 {
		return nil, &APIError{Code: "too_many_users"}
	}
	scope := "im:write"
	if len(users) > 1 {
		scope = "mpim:write"
	}
	if !w.scopes[scope] {
		return nil, &APIError{Code: "missing_scope", Needed: scope}
	}
	people := []string{}
	for _, id := range users {
		u := w.userByID[id]
		switch {
		case u == nil:
			return nil, &APIError{Code: "user_not_found"}
		case u.Deleted:
			return nil, &APIError{Code: "user_disabled"}
		case u.ID == w.app.BotUserID:
			return nil, &APIError{Code: "cannot_dm_bot"}
		}
		if !slices.Contains(people, id) {
			people = append(people, id)
		}
	}
	before := len(w.convs)
	c, err := w.directWith(append(people, w.app.BotUserID)...)
	if err != nil {
		return nil, err
	}
	return w.opened(c, r, len(w.convs) == before), nil
}

func (w *Workspace) opened(c *conversation, r *request, already bool) map[string]any {
	m := map[string]any{"channel": map[string]any{"id": c.ID}}
	if r.bool("return_im") {
		m["channel"] = w.channelObject(c)
	}
	if already {
		m["no_op"], m["already_open"] = true, true
	}
	return m
}

// https://docs.slack.dev/reference/methods/conversations.info
func (w *Workspace) apiInfo(r *request) (any, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	c, err := w.visible(r.str("channel"))
	if err == nil {
		err = w.needs(c, "read")
	}
	if err != nil {
		return nil, err
	}
	o := w.channelObject(c)
	if !r.bool("include_num_members") {
		delete(o, "num_members")
	}
	return map[string]any{"channel": o}, nil
}

// https://docs.slack.dev/reference/methods/conversations.list
func (w *Workspace) apiList(r *request) (any, error) {
	return w.conversations(r, func(c *conversation) bool { return c.Kind == Public || c.member[w.app.BotUserID] })
}

// https://docs.slack.dev/reference/methods/users.conversations
func (w *Workspace) apiUserConversations(r *request) (any, error) {
	user := r.str("user")
	if user == "" {
		user = w.app.BotUserID
	}
	return w.conversations(r, func(c *conversation) bool {
		return c.member[user] && (c.Kind == Public || c.member[w.app.BotUserID])
	})
}

func (w *Workspace) conversations(r *request, wanted func(*conversation) bool) (any, error) {
	types := r.list("types")
	if len(types) == 0 {
		types = []string{"public_channel"}
	}
	kinds := map[Kind]bool{}
	for _, t := range types {
		k, scope := Kind(""), ""
		switch strings.TrimSpace(t) {
		case "public_channel":
			k, scope = Public, "channels:read"
		case "private_channel":
			k, scope = Private, "groups:read"
		case "im":
			k, scope = DM, "im:read"
		case "mpim":
			k, scope = GroupDM, "mpim:read"
		default:
			return nil, &APIError{Code: "invalid_types"}
		}
		if !w.scopes[scope] {
			return nil, &APIError{Code: "missing_scope", Needed: scope}
		}
		kinds[k] = true
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	var list []map[string]any
	for _, c := range w.convs {
		if kinds[c.Kind] && wanted(c) && !(r.bool("exclude_archived") && c.Archived) {
			list = append(list, w.channelObject(c))
		}
	}
	page, next, err := paged(r, list, 100, 1000)
	return map[string]any{"channels": page, "response_metadata": map[string]any{"next_cursor": next}}, err
}

// paged cuts a page out of a list, at the cursor that the page before gave; see
// docs.slack.dev/apis/web-api/pagination.
func paged[T any](r *request, list []T, def, most int) (page []T, next string, err error) {
	from := 0
	if cursor := r.str("cursor"); cursor != "" {
		from = -1
		for i := range list {
			if cursorAt(i) == cursor {
				from = i
			}
		}
		if from < 0 {
			return nil, "", &APIError{Code: "invalid_cursor"}
		}
	}
	to := min(len(list), from+r.int("limit", def, most))
	if to < len(list) {
		next = cursorAt(to)
	}
	return append([]T{}, list[from:to]...), next, nil
}

func cursorAt(i int) string {
	return base64.StdEncoding.EncodeToString([]byte("at:" + slackTS(int64(i))))
}

// https://docs.slack.dev/reference/methods/conversations.members
func (w *Workspace) apiMembers(r *request) (any, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	c, err := w.visible(r.str("channel"))
	if err == nil {
		err = w.needs(c, "read")
	}
	if err != nil {
		return nil, err
	}
	page, next, err := paged(r, c.Members, 100, 1000)
	return map[string]any{"members": page, "response_metadata": map[string]any{"next_cursor": next}}, err
}

// https://docs.slack.dev/reference/methods/conversations.join
func (w *Workspace) apiJoin(r *request) (any, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	c, err := w.visible(r.str("channel"))
	switch {
	case err != nil:
		return nil, err
	case c.Kind != Public:
		return nil, &APIError{Code: "method_not_supported_for_channel_type"}
	case c.Archived:
		return nil, &APIError{Code: "is_archived"}
	}
	answer := map[string]any{}
	if c.member[w.app.BotUserID] {
		answer["warning"] = "already_in_channel"
		answer["response_metadata"] = map[string]any{"warnings": []string{"already_in_channel"}}
	}
	w.join(c, w.app.BotUserID, "")
	answer["channel"] = w.channelObject(c)
	return answer, nil
}

// https://docs.slack.dev/reference/methods/conversations.leave
func (w *Workspace) apiLeave(r *request) (any, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	c, err := w.visible(r.str("channel"))
	switch {
	case err != nil:
		return nil, err
	case c.Kind == DM || c.Kind == GroupDM:
		return nil, &APIError{Code: "method_not_supported_for_channel_type"}
	case c.Archived:
		return nil, &APIError{Code: "is_archived"}
	case !c.member[w.app.BotUserID]:
		return map[string]any{"not_in_channel": true}, nil
	}
	w.leave(c, w.app.BotUserID)
	return nil, nil
}

// https://docs.slack.dev/reference/methods/conversations.invite
func (w *Workspace) apiInvite(r *request) (any, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	c, err := w.joined(r.str("channel"))
	users := r.list("users")
	switch {
	case err != nil:
		return nil, err
	case c.Kind == DM || c.Kind == GroupDM:
		return nil, &APIError{Code: "method_not_supported_for_channel_type"}
	case c.Archived:
		return nil, &APIError{Code: "is_archived"}
	case len(users) == 0:
		return nil, &APIError{Code: "no_user"}
	}
	for _, id := range users {
		switch {
		case id == w.app.BotUserID:
			return nil, &APIError{Code: "cant_invite_self"}
		case w.userByID[id] == nil:
			return nil, &APIError{Code: "user_not_found"}
		case c.member[id]:
			return nil, &APIError{Code: "already_in_channel"}
		}
	}
	for _, id := range users {
		w.join(c, id, w.app.BotUserID)
	}
	return map[string]any{"channel": w.channelObject(c)}, nil
}

// https://docs.slack.dev/reference/methods/conversations.create
func (w *Workspace) apiCreate(r *request) (any, error) {
	kind, scope := Public, "channels:manage"
	if r.bool("is_private") {
		kind, scope = Private, "groups:write"
	}
	if !w.scopes[scope] {
		return nil, &APIError{Code: "missing_scope", Needed: scope}
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	name := r.str("name")
	switch {
	case name == "":
		return nil, &APIError{Code: "invalid_name_required"}
	case len([]rune(name)) > 80:
		return nil, &APIError{Code: "invalid_name_maxlength"}
	case !validChannelName(name):
		return nil, &APIError{Code: "invalid_name_specials"}
	case w.convByName[name] != nil:
		return nil, &APIError{Code: "name_taken"}
	}
	c, err := w.create(name, kind, w.app.BotUserID)
	if err != nil {
		return nil, err
	}
	return map[string]any{"channel": w.channelObject(c)}, nil
}

// create makes a channel and tells the app; see docs.slack.dev/reference/events/channel_created.
func (w *Workspace) create(name string, kind Kind, by string) (*conversation, error) {
	c, err := w.addChannel(Channel{Name: name, Kind: kind, Creator: by, Members: []string{by}})
	if err != nil {
		return nil, err
	}
	if kind == Public {
		w.emit(event{typ: "channel_created", body: map[string]any{
			"type": "channel_created", "event_ts": w.eventTS(), "channel": map[string]any{
				"id": c.ID, "name": c.Name, "name_normalized": c.Name, "created": c.Created.Unix(), "creator": by,
				"is_channel": true, "is_private": false, "context_team_id": w.team.ID,
			},
		}})
	}
	return c, nil
}

// https://docs.slack.dev/reference/methods/conversations.history
func (w *Workspace) apiHistory(r *request) (any, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	c, err := w.joined(r.str("channel"))
	if err == nil {
		err = w.needs(c, "history")
	}
	if err != nil {
		return nil, err
	}
	oldest, latest, err := span(r)
	if err != nil {
		return nil, err
	}
	limit, inclusive := r.int("limit", 100, 999), r.bool("inclusive")
	cursor, err := cursorTS(r.str("cursor"))
	if err != nil {
		return nil, err
	}
	metadata := r.bool("include_all_metadata")
	page, next := []*Message{}, ""
	from := len(c.msgs)
	if latest != "" {
		from = sort.Search(len(c.msgs), func(i int) bool { return c.msgs[i].TS > latest })
	}
	for i := from - 1; i >= 0; i-- {
		m := c.msgs[i]
		switch {
		case m.Ephemeral, m.ThreadTS != "" && m.ThreadTS != m.TS && m.Subtype != "thread_broadcast":
			continue
		case m.TS == latest && !inclusive, cursor != "" && m.TS > cursor:
			continue
		}
		if m.TS < oldest || m.TS == oldest && !inclusive {
			break
		}
		if len(page) == limit {
			next = base64.StdEncoding.EncodeToString([]byte("next_ts:" + m.TS))
			break
		}
		page = append(page, m.wire(metadata))
	}
	answer := map[string]any{"messages": page, "has_more": next != "", "pin_count": 0}
	if next != "" {
		answer["response_metadata"] = map[string]any{"next_cursor": next}
	}
	return answer, nil
}

// span reads oldest and latest.
func span(r *request) (oldest, latest string, err error) {
	norm := func(name, code string) string {
		s := r.str(name)
		if s == "" || s == "0" || s == "now" {
			return ""
		}
		n := micros(s)
		if n == 0 {
			err = &APIError{Code: code}
		}
		return slackTS(n)
	}
	oldest = norm("oldest", "invalid_ts_oldest")
	latest = norm("latest", "invalid_ts_latest")
	return oldest, latest, err
}

func cursorTS(cursor string) (string, error) {
	if cursor == "" {
		return "", nil
	}
	b, err := base64.StdEncoding.DecodeString(cursor)
	ts, ok := strings.CutPrefix(string(b), "next_ts:")
	if err != nil || !ok || micros(ts) == 0 {
		return "", &APIError{Code: "invalid_cursor"}
	}
	return ts, nil
}

// https://docs.slack.dev/reference/methods/conversations.replies
func (w *Workspace) apiReplies(r *request) (any, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	c, err := w.joined(r.str("channel"))
	if err == nil {
		err = w.needs(c, "history")
	}
	if err != nil {
		return nil, err
	}
	root := c.message(r.str("ts"))
	if root == nil || root.Ephemeral {
		return nil, &APIError{Code: "thread_not_found"}
	}
	oldest, latest, err := span(r)
	if err != nil {
		return nil, err
	}
	cursor, err := cursorTS(r.str("cursor"))
	if err != nil {
		return nil, err
	}
	inclusive, metadata := r.bool("inclusive"), r.bool("include_all_metadata")
	limit := r.int("limit", 1000, 1000)
	page, next := []*Message{root.wire(metadata)}, ""
	for _, ts := range c.threads[root.TS] {
		m := c.message(ts)
		switch {
		case m == nil, ts < oldest, ts == oldest && !inclusive, ts < cursor:
			continue
		case latest != "" && (ts > latest || ts == latest && !inclusive):
			continue
		}
		if len(page) > limit {
			next = base64.StdEncoding.EncodeToString([]byte("next_ts:" + ts))
			break
		}
		page = append(page, m.wire(metadata))
	}
	answer := map[string]any{"messages": page, "has_more": next != ""}
	if next != "" {
		answer["response_metadata"] = map[string]any{"next_cursor": next}
	}
	return answer, nil
}
