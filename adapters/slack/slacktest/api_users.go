package slacktest

import (
	"regexp"
	"strings"
)

// https://docs.slack.dev/reference/methods/auth.test
func (w *Workspace) apiAuthTest(*request) (any, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return map[string]any{
		"url": "https://" + w.team.Domain + ".slack.com/", "team": w.team.Name, "team_id": w.team.ID,
		"user": w.userByID[w.app.BotUserID].Name, "user_id": w.app.BotUserID, "bot_id": w.app.BotID,
		"is_enterprise_install": false,
	}, nil
}

// https://docs.slack.dev/reference/methods/team.info
func (w *Workspace) apiTeamInfo(*request) (any, error) {
	return map[string]any{"team": map[string]any{
		"id": w.team.ID, "name": w.team.Name, "domain": w.team.Domain, "url": "https://" + w.team.Domain + ".slack.com/",
		"email_domain": "", "is_verified": false, "icon": map[string]any{"image_default": true},
	}}, nil
}

// https://docs.slack.dev/reference/methods/users.info
func (w *Workspace) apiUserInfo(r *request) (any, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	u := w.userByID[r.str("user")]
	if u == nil {
		return nil, &APIError{Code: "user_not_found"}
	}
	o := w.userObject(u)
	if !r.bool("include_locale") {
		delete(o, "locale")
	}
	return map[string]any{"user": o}, nil
}

// https://docs.slack.dev/reference/methods/users.list
func (w *Workspace) apiUserList(r *request) (any, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	page, next, err := paged(r, w.users, 1000, 1000)
	members := make([]any, len(page))
	for i, u := range page {
		members[i] = w.userObject(u)
	}
	return map[string]any{
		"members": members, "cache_ts": w.now().Unix(), "response_metadata": map[string]any{"next_cursor": next},
	}, err
}

// https://docs.slack.dev/reference/methods/users.lookupByEmail
func (w *Workspace) apiLookup(r *request) (any, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	mail := r.str("email")
	for _, u := range w.users {
		if mail != "" && strings.EqualFold(u.Email, mail) && !u.Deleted {
			return map[string]any{"user": w.userObject(u)}, nil
		}
	}
	return nil, &APIError{Code: "users_not_found"}
}

// https://docs.slack.dev/reference/methods/users.profile.get
func (w *Workspace) apiProfile(r *request) (any, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	id := r.str("user")
	if id == "" {
		id = w.app.BotUserID
	}
	u := w.userByID[id]
	if u == nil {
		return nil, &APIError{Code: "user_not_found"}
	}
	return map[string]any{"profile": w.userObject(u)["profile"]}, nil
}

var emojiName = regexp.MustCompile(`^[\pL\pN_+'-]+(::skin-tone-[2-6])?$`)

// reacted finds what a reactions.* method is about.
func (w *Workspace) reacted(r *request) (*conversation, *Message, error) {
	channel, ts := r.str("channel"), r.str("timestamp")
	if channel == "" || ts == "" {
		return nil, nil, &APIError{Code: "no_item_specified"}
	}
	if micros(ts) == 0 {
		return nil, nil, &APIError{Code: "bad_timestamp"}
	}
	c, err := w.joined(channel)
	if err != nil {
		return nil, nil, err
	}
	m := c.message(ts)
	if m == nil || m.Ephemeral {
		return nil, nil, &APIError{Code: "message_not_found"}
	}
	return c, m, nil
}

func (w *Workspace) apiReact(r *request, add bool) (any, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	name := strings.Trim(r.str("name"), ":")
	if !emojiName.MatchString(name) {
		return nil, &APIError{Code: "invalid_name"}
	}
	c, m, err := w.reacted(r)
	switch {
	case err != nil:
		return nil, err
	case c.Archived:
		return nil, &APIError{Code: "is_archived"}
	}
	return nil, w.react(c, m, w.app.BotUserID, name, add)
}

// https://docs.slack.dev/reference/methods/reactions.add
func (w *Workspace) apiReactionAdd(r *request) (any, error) { return w.apiReact(r, true) }

// https://docs.slack.dev/reference/methods/reactions.remove
func (w *Workspace) apiReactionRemove(r *request) (any, error) { return w.apiReact(r, false) }

// https://docs.slack.dev/reference/methods/reactions.get
func (w *Workspace) apiReactionGet(r *request) (any, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	c, m, err := w.reacted(r)
	if err != nil {
		return nil, err
	}
	return map[string]any{"type": "message", "channel": c.ID, "message": m.wire(false)}, nil
}

// https://docs.slack.dev/reference/methods/bots.info
func (w *Workspace) apiBotInfo(r *request) (any, error) {
	if id := r.str("bot"); id != w.app.BotID {
		return nil, &APIError{Code: "bot_not_found"}
	}
	return map[string]any{"bot": map[string]any{
		"id": w.app.BotID, "app_id": w.app.ID, "user_id": w.app.BotUserID, "name": w.app.Name, "deleted": false,
		"updated": 1700000000, "icons": map[string]string{},
	}}, nil
}
