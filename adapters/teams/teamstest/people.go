package teamstest

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// AddUser adds a person and completes what is left empty. It fails if an id, the
// handle or the mail is taken. A person's chat with the app is there from the
// start, and empty.
func (t *Tenant) AddUser(u User) (User, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if u.Name = strings.ToLower(strings.TrimPrefix(u.Name, "@")); u.Name == "" {
		return User{}, fmt.Errorf("teamstest: a person needs a name")
	}
	u.ID = cmp.Or(u.ID, "29:"+u.Name)
	u.ObjectID = cmp.Or(u.ObjectID, madeUp(t.id, "person", u.Name))
	u.DisplayName = cmp.Or(u.DisplayName, strings.ToUpper(u.Name[:1])+u.Name[1:])
	u.UPN = cmp.Or(u.UPN, u.Mail)
	u.TZ = cmp.Or(u.TZ, "Etc/UTC")
	u.Locale = cmp.Or(u.Locale, "en-US")
	for _, key := range u.keys() {
		if other := t.userBy[key]; other != nil {
			return User{}, fmt.Errorf("teamstest: %s is %s already", key, other.DisplayName)
		}
	}
	t.users = append(t.users, &u)
	t.know(&u)
	c := newConversation(Channel{ID: "a:" + madeUp(t.id, "chat", u.ID), Kind: Personal, Members: []string{u.ID}, Installed: u.Installed})
	t.addConversation(c)
	t.changed(Change{Kind: UserChanged, User: u.ID})
	return u, nil
}

// keys are all that a person is found by.
func (u *User) keys() []string {
	list := []string{u.ID, u.ObjectID, u.Name}
	for _, k := range []string{u.Mail, u.UPN, u.DisplayName} {
		if k = strings.ToLower(k); k != "" && !slices.Contains(list, k) {
			list = append(list, k)
		}
	}
	return list
}

func (t *Tenant) know(u *User) {
	for _, key := range u.keys() {
		t.userBy[key] = u
	}
}

// SetUser replaces a person's profile. Teams tells the app nothing of it.
func (t *Tenant) SetUser(u User) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	old := t.userBy[u.ID]
	if old == nil || old.ID != u.ID {
		return fmt.Errorf("teamstest: there is nobody %s", u.ID)
	}
	u.Name = strings.ToLower(u.Name)
	for _, key := range u.keys() {
		if other := t.userBy[key]; other != nil && other != old {
			return fmt.Errorf("teamstest: %s is %s already", key, other.DisplayName)
		}
	}
	for _, key := range old.keys() {
		delete(t.userBy, key)
	}
	t.users[slices.Index(t.users, old)] = &u
	t.know(&u)
	t.changed(Change{Kind: UserChanged, User: u.ID})
	return nil
}

// Users are all people, in the order added.
func (t *Tenant) Users() []User {
	t.mu.Lock()
	defer t.mu.Unlock()
	list := make([]User, len(t.users))
	for i, u := range t.users {
		list[i] = *u
	}
	return list
}

// User finds a person by id, object id, handle, mail or full name.
func (t *Tenant) User(name string) (User, bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if u := t.user(name); u != nil {
		return *u, true
	}
	return User{}, false
}

// user is User for callers who hold t.mu.
func (t *Tenant) user(name string) *User {
	if u := t.userBy[name]; u != nil {
		return u
	}
	return t.userBy[strings.ToLower(strings.TrimPrefix(name, "@"))]
}

// shownName is what people see of an account.
func (t *Tenant) shownName(id string) string {
	if id == t.botID {
		return t.app.Name
	}
	if u := t.userBy[id]; u != nil {
		return u.DisplayName
	}
	return id
}

// AddTeam adds a team with its General channel.
func (t *Tenant) AddTeam(team Team) (Team, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	team.ID = cmp.Or(team.ID, "19:"+strings.ReplaceAll(t.newID("team"), "-", "")+"@thread.tacv2")
	team.GroupID = cmp.Or(team.GroupID, madeUp(t.id, "group", team.ID))
	if team.Name == "" || t.convBy[team.ID] != nil {
		return Team{}, fmt.Errorf("teamstest: a team needs a name, and an id of its own")
	}
	members, err := t.ids(team.Members)
	if err != nil {
		return Team{}, err
	}
	team.Members = members
	t.teams = append(t.teams, &team)
	t.addConversation(newConversation(Channel{ID: team.ID, Name: "General", Kind: TeamChannel, Team: team.ID}))
	return team, nil
}

// Teams are all teams, in the order added.
func (t *Tenant) Teams() []Team {
	t.mu.Lock()
	defer t.mu.Unlock()
	list := make([]Team, len(t.teams))
	for i, team := range t.teams {
		list[i] = *team
		list[i].Members = slices.Clone(team.Members)
	}
	return list
}

func (t *Tenant) team(idOrName string) *Team {
	for _, team := range t.teams {
		if team.ID == idOrName || team.Name == idOrName {
			return team
		}
	}
	return nil
}

func (t *Tenant) ids(names []string) ([]string, error) {
	var ids []string
	for _, n := range names {
		u := t.user(n)
		if u == nil {
			return nil, fmt.Errorf("teamstest: there is nobody %q", n)
		}
		if !slices.Contains(ids, u.ID) {
			ids = append(ids, u.ID)
		}
	}
	return ids, nil
}

// member is a person as the connector gives them. key is how it calls the id in
// Entra, which differs between calls.
func (t *Tenant) member(u *User, key string) map[string]any {
	given, surname, _ := strings.Cut(u.DisplayName, " ")
	role := "user"
	if u.Guest {
		role = "guest"
	}
	m := map[string]any{
		"id": u.ID, key: u.ObjectID, "name": u.DisplayName, "givenName": given, "surname": surname,
		"userPrincipalName": u.UPN, "tenantId": t.id, "userRole": role,
	}
	if u.Mail != "" {
		m["email"] = u.Mail
	}
	return m
}
