package teamstest

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
)

// saved is the state that outlives a restart.
type saved struct {
	Version  int                 `json:"version"`
	Tenant   string              `json:"tenant"`
	App      string              `json:"app"`
	URL      string              `json:"url"`
	LastID   uint64              `json:"last_id"`
	Users    []User              `json:"users"`
	Teams    []Team              `json:"teams"`
	Channels []savedConversation `json:"channels"`
	Files    []storedFile        `json:"files,omitempty"`
}

type savedConversation struct {
	Channel
	Last     int64                      `json:"last"`
	Messages []*Message                 `json:"messages"`
	Read     map[string]string          `json:"read,omitempty"`
	Views    map[string]map[string]view `json:"views,omitempty"`
	Notices  map[string][]Notice        `json:"notices,omitempty"`
}

const savedVersion = 1

// Snapshot is everything that has to outlive a restart, as JSON: people, teams,
// conversations, messages, views, files. Not open dialogs, the app's tokens, nor
// activities under way.
func (t *Tenant) Snapshot() ([]byte, error) {
	t.mu.Lock()
	s := saved{Version: savedVersion, Tenant: t.id, App: t.app.ID, URL: t.url, LastID: t.lastID}
	for _, u := range t.users {
		s.Users = append(s.Users, *u)
	}
	for _, team := range t.teams {
		s.Teams = append(s.Teams, *team)
	}
	for _, c := range t.convs {
		// Neither messages nor views are ever changed in place, so that the lock is
		// not held while they are written.
		sc := savedConversation{Channel: c.Channel, Last: c.last, Messages: slices.Clone(c.msgs), Read: maps.Clone(c.read), Views: map[string]map[string]view{}, Notices: map[string][]Notice{}}
		for id, byUser := range c.views {
			sc.Views[id] = map[string]view{}
			for user, v := range byUser {
				sc.Views[id][user] = *v
			}
		}
		for user, list := range c.notices {
			sc.Notices[user] = slices.Clone(list)
		}
		s.Channels = append(s.Channels, sc)
	}
	for _, id := range t.files.order {
		s.Files = append(s.Files, *t.files.byID[id])
	}
	t.mu.Unlock()
	b, err := json.Marshal(s)
	if err != nil {
		return nil, fmt.Errorf("teamstest: snapshot: %w", err)
	}
	return b, nil
}

// Restore replaces the tenant's state with what Snapshot gave. It changes nothing
// if it fails. Followers are told with ErrGap to read everything anew.
func (t *Tenant) Restore(snapshot []byte) error {
	var s saved
	if err := json.Unmarshal(snapshot, &s); err != nil {
		return fmt.Errorf("teamstest: restore: %w", err)
	}
	if s.Version != savedVersion || s.App != t.app.ID || s.Tenant != t.id {
		return fmt.Errorf("teamstest: restore: this is version %d of app %q in %q, not version %d of %q in %q",
			s.Version, s.App, s.Tenant, savedVersion, t.app.ID, t.id)
	}
	fresh := &Tenant{userBy: map[string]*User{}, convBy: map[string]*conversation{}, chats: map[string]*conversation{}, files: fileStore{keep: t.files.keep, byID: map[string]*storedFile{}}}
	if err := fresh.fill(s); err != nil {
		return fmt.Errorf("teamstest: restore: %w", err)
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.users, t.userBy, t.teams = fresh.users, fresh.userBy, fresh.teams
	t.convs, t.convBy, t.chats, t.files = fresh.convs, fresh.convBy, fresh.chats, fresh.files
	t.dialogs = map[string]*Dialog{}
	t.lastID = max(t.lastID, s.LastID)
	now := t.url
	t.url = s.URL
	if now != "" { // or else Listen moves what was kept, unless it listens there again
		t.rebase(now)
	}
	t.changes.forget()
	return nil
}

// fill makes the state, and checks that what is named is there.
func (t *Tenant) fill(s saved) error {
	for _, u := range s.Users {
		for _, key := range u.keys() {
			if key == "" || t.userBy[key] != nil {
				return fmt.Errorf("the person %q is nameless or there twice", u.ID)
			}
		}
		t.users = append(t.users, &u)
		t.know(&u)
	}
	known := func(ids []string) bool {
		return !slices.ContainsFunc(ids, func(id string) bool { return t.userBy[id] == nil || t.userBy[id].ID != id })
	}
	for _, team := range s.Teams {
		if team.ID == "" || team.Name == "" || t.team(team.ID) != nil || !known(team.Members) {
			return fmt.Errorf("the team %q is nameless or there twice, or has unknown members", team.ID)
		}
		t.teams = append(t.teams, &team)
	}
	for _, sc := range s.Channels {
		switch team := t.team(sc.Team); {
		case sc.ID == "" || t.convBy[sc.ID] != nil:
			return fmt.Errorf("the conversation %q is nameless or there twice", sc.ID)
		case !known(sc.Members), sc.Kind == Personal && len(sc.Members) != 1, (sc.Kind == TeamChannel) != (team != nil && team.ID == sc.Team):
			return fmt.Errorf("the conversation %q has unknown members or no team", sc.ID)
		case sc.Kind != Personal && sc.Kind != GroupChat && sc.Kind != TeamChannel:
			return fmt.Errorf("the conversation %q is of no kind", sc.ID)
		}
		c := newConversation(sc.Channel)
		c.last = sc.Last
		maps.Copy(c.read, sc.Read)
		maps.Copy(c.notices, sc.Notices)
		for _, m := range sc.Messages {
			if m == nil || millis(m.ID) < 0 || len(c.msgs) > 0 && millis(m.ID) <= millis(c.msgs[len(c.msgs)-1].ID) {
				return fmt.Errorf("the conversation %q has messages out of order", sc.ID)
			}
			c.msgs = append(c.msgs, m)
			c.last = max(c.last, millis(m.ID))
		}
		for id, byUser := range sc.Views {
			m := c.message(id)
			if m == nil {
				return fmt.Errorf("the conversation %q has views of the message %q, which is not there", sc.ID, id)
			}
			for user, v := range byUser {
				c.setView(m, user, v)
			}
		}
		t.index(c)
	}
	for _, team := range t.teams {
		if t.convBy[team.ID] == nil {
			return fmt.Errorf("the team %q has no General", team.ID)
		}
	}
	for _, u := range t.users {
		if t.personal(u.ID) == nil {
			return fmt.Errorf("%q has no chat with the app", u.ID)
		}
	}
	for _, f := range s.Files {
		if t.files.byID[f.ID] == nil {
			t.files.add(&f)
		}
	}
	return nil
}
