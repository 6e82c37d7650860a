package slacktest

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"
)

// AddUser adds a member and completes what is left empty. It fails if the id or
// the name is taken.
func (w *Workspace) AddUser(u User) (User, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	u.Name = strings.ToLower(strings.TrimPrefix(u.Name, "@"))
	if u.Name == "" {
		return User{}, fmt.Errorf("slacktest: a user needs a name")
	}
	if w.userByName[u.Name] != nil || u.ID != "" && w.userByID[u.ID] != nil {
		return User{}, fmt.Errorf("slacktest: there is a user %s (%s) already", u.Name, u.ID)
	}
	if u.ID == "" {
		u.ID = w.newID("U")
	}
	u = completed(u)
	w.users = append(w.users, &u)
	w.userByID[u.ID], w.userByName[u.Name] = &u, &u
	w.changed(Change{Kind: UserChanged, User: u.ID})
	w.emit(event{typ: "team_join", body: map[string]any{"type": "team_join", "user": w.userObject(&u), "event_ts": w.eventTS()}})
	return u, nil
}

// avatarColors are what a member gets who has none, in turn.
var avatarColors = []string{"9f69e7", "4bbe2e", "e7392d", "3c989f", "674b1b", "e96699", "e0a729", "684b6c", "5b89d5", "2b6836"}

func completed(u User) User {
	if u.RealName == "" {
		u.RealName = u.Name
	}
	u.TZ = cmp.Or(u.TZ, "Etc/UTC")
	u.Locale = cmp.Or(u.Locale, "en-US")
	if u.Color == "" {
		sum := 0
		for _, c := range u.ID {
			sum += int(c)
		}
		u.Color = avatarColors[sum%len(avatarColors)]
	}
	return u
}

// SetUser replaces a member's profile; the app hears of it as user_change.
func (w *Workspace) SetUser(u User) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	old := w.userByID[u.ID]
	if old == nil {
		return fmt.Errorf("slacktest: there is no user %s", u.ID)
	}
	u.Name = strings.ToLower(u.Name)
	if other := w.userByName[u.Name]; u.Name == "" || other != nil && other != old {
		return fmt.Errorf("slacktest: the name %q cannot be had", u.Name)
	}
	u = completed(u)
	delete(w.userByName, old.Name)
	w.userByID[u.ID], w.userByName[u.Name] = &u, &u
	w.users[slices.Index(w.users, old)] = &u
	w.changed(Change{Kind: UserChanged, User: u.ID})
	w.emit(event{typ: "user_change", body: map[string]any{
		"type": "user_change", "user": w.userObject(&u), "cache_ts": w.now().Unix(), "event_ts": w.eventTS(),
	}})
	return nil
}

// Users are all members, the app's bot user among them, in the order added.
func (w *Workspace) Users() []User {
	w.mu.Lock()
	defer w.mu.Unlock()
	list := make([]User, len(w.users))
	for i, u := range w.users {
		list[i] = *u
	}
	return list
}

// User finds a member by id, or by name with or without "@".
func (w *Workspace) User(idOrName string) (User, bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if u := w.user(idOrName); u != nil {
		return *u, true
	}
	return User{}, false
}

// user is User for callers who hold w.mu.
func (w *Workspace) user(idOrName string) *User {
	if u := w.userByID[idOrName]; u != nil {
		return u
	}
	return w.userByName[strings.ToLower(strings.TrimPrefix(idOrName, "@"))]
}

// userObject is a user as the API gives it; see docs.slack.dev/reference/objects/user-object.
// Mail is left out without users:read.email.
func (w *Workspace) userObject(u *User) map[string]any {
	zone, offset := "Coordinated Universal Time", 0
	if loc, err := time.LoadLocation(u.TZ); err == nil {
		zone, offset = w.now().In(loc).Zone()
	}
	first, last, _ := strings.Cut(u.RealName, " ")
	profile := map[string]any{
		"real_name": u.RealName, "real_name_normalized": u.RealName,
		"display_name": u.DisplayName, "display_name_normalized": u.DisplayName,
		"first_name": first, "last_name": last, "title": u.Title, "phone": u.Phone,
		"status_text": "", "status_emoji": "", "status_expiration": 0, "team": w.team.ID,
		"avatar_hash": "g" + u.Color,
	}
	if u.Email != "" && w.scopes["users:read.email"] {
		profile["email"] = u.Email
	}
	if u.ID == w.app.BotUserID {
		profile["bot_id"], profile["api_app_id"], profile["always_active"] = w.app.BotID, w.app.ID, true
	}
	return map[string]any{
		"id": u.ID, "team_id": w.team.ID, "name": u.Name, "real_name": u.RealName, "deleted": u.Deleted,
		"color": u.Color, "tz": u.TZ, "tz_label": zone, "tz_offset": offset, "profile": profile,
		"is_admin": u.Admin || u.Owner, "is_owner": u.Owner, "is_primary_owner": false,
		"is_restricted": u.Guest || u.SingleChannel, "is_ultra_restricted": u.SingleChannel,
		"is_bot": u.Bot, "is_app_user": false, "is_email_confirmed": u.EmailConfirmed,
		"updated": 1700000000, "who_can_share_contact_card": "EVERYONE", "locale": u.Locale,
	}
}

// brief is a user as interactions name them.
func (w *Workspace) brief(id string) map[string]any {
	m := map[string]any{"id": id, "team_id": w.team.ID}
	if u := w.userByID[id]; u != nil {
		m["username"], m["name"] = u.Name, u.Name
	}
	return m
}

// shownName is how people see a member named in text.
func (u *User) shownName() string { return cmp.Or(u.DisplayName, u.RealName, u.Name) }
