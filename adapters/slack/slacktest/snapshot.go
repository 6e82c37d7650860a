package slacktest

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// saved is the state that outlives a restart.
type saved struct {
	Version   int                    `json:"version"`
	App       string                 `json:"app"`
	Team      string                 `json:"team"`
	URL       string                 `json:"url"`
	LastID    uint64                 `json:"last_id"`
	LastEvent int64                  `json:"last_event"`
	LastShort uint64                 `json:"last_short"`
	Users     []User                 `json:"users"`
	Channels  []savedChannel         `json:"channels"`
	Files     []savedFile            `json:"files,omitempty"`
	Homes     map[string]*View       `json:"homes,omitempty"`
	Responses map[string]responseURL `json:"responses,omitempty"`
}

type savedChannel struct {
	Channel
	Last     int64                       `json:"last"`
	Messages []*Message                  `json:"messages"`
	Read     map[string]string           `json:"read,omitempty"`
	Entered  map[string]map[string]State `json:"entered,omitempty"`
}

type savedFile struct {
	File
	Data   []byte `json:"data"`
	Shared bool   `json:"shared"`
}

const savedVersion = 1

// Snapshot is everything that has to outlive a restart, as JSON: people, channels,
// messages, files, Home tabs, response URLs. Not open modals, nor events under way.
func (w *Workspace) Snapshot() ([]byte, error) {
	w.mu.Lock()
	s := saved{
		Version: savedVersion, App: w.app.ID, Team: w.team.ID, URL: w.url,
		LastID: w.lastID, LastEvent: w.lastEvent, LastShort: w.lastShort.Load(),
		Homes: maps.Clone(w.views.home), Responses: map[string]responseURL{},
	}
	for _, u := range w.users {
		s.Users = append(s.Users, *u)
	}
	for _, c := range w.convs {
		// Messages are never changed in place, so that the lock is not held while
		// they are written.
		entered := map[string]map[string]State{}
		for ts, byUser := range c.entered {
			entered[ts] = maps.Clone(byUser)
		}
		s.Channels = append(s.Channels, savedChannel{c.export(), c.last, slices.Clone(c.msgs), maps.Clone(c.read), entered})
	}
	for _, id := range w.files.order {
		if f := w.files.byID[id]; f.arrived {
			s.Files = append(s.Files, savedFile{f.File, f.data, f.shared})
		}
	}
	now := w.now()
	for token, r := range w.responses {
		if now.Before(r.Expires) {
			s.Responses[token] = *r
		}
	}
	w.mu.Unlock()
	b, err := json.Marshal(s)
	if err != nil {
		return nil, fmt.Errorf("slacktest: snapshot: %w", err)
	}
	return b, nil
}

// Restore replaces the workspace's state with what Snapshot gave. It changes
// nothing if it fails. Followers are told with ErrGap to read everything anew.
func (w *Workspace) Restore(snapshot []byte) error {
	var s saved
	if err := json.Unmarshal(snapshot, &s); err != nil {
		return fmt.Errorf("slacktest: restore: %w", err)
	}
	if s.Version != savedVersion || s.App != w.app.ID || s.Team != w.team.ID {
		return fmt.Errorf("slacktest: restore: this is version %d of app %q in %q, not version %d of %q in %q",
			s.Version, s.App, s.Team, savedVersion, w.app.ID, w.team.ID)
	}
	fresh := &Workspace{userByID: map[string]*User{}, userByName: map[string]*User{}, convByID: map[string]*conversation{}, convByName: map[string]*conversation{}}
	if err := fresh.fill(s); err != nil {
		return fmt.Errorf("slacktest: restore: %w", err)
	}
	if fresh.userByID[w.app.BotUserID] == nil {
		return fmt.Errorf("slacktest: restore: the app's user %s is missing", w.app.BotUserID)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.users, w.userByID, w.userByName = fresh.users, fresh.userByID, fresh.userByName
	w.convs, w.convByID, w.convByName = fresh.convs, fresh.convByID, fresh.convByName
	w.files = fresh.files
	w.views.init()
	for user, v := range s.Homes {
		if v == nil {
			continue
		}
		v.User = user
		w.views.home[user] = v
	}
	w.triggers = map[string]*trigger{}
	w.responses = map[string]*responseURL{}
	for token, r := range s.Responses {
		w.responses[token] = &r
	}
	w.lastID, w.lastEvent = max(w.lastID, s.LastID), max(w.lastEvent, s.LastEvent)
	w.lastShort.Store(max(w.lastShort.Load(), s.LastShort))
	w.rebase(s.URL, w.url)
	w.changes.forget()
	return nil
}

// fill makes the state, and checks that what is named is there.
func (w *Workspace) fill(s saved) error {
	for _, u := range s.Users {
		if u.ID == "" || u.Name == "" || w.userByID[u.ID] != nil || w.userByName[u.Name] != nil {
			return fmt.Errorf("user %q (%q) is nameless or there twice", u.ID, u.Name)
		}
		w.users = append(w.users, &u)
		w.userByID[u.ID], w.userByName[u.Name] = &u, &u
	}
	for _, sc := range s.Channels {
		if sc.ID == "" || w.convByID[sc.ID] != nil {
			return fmt.Errorf("channel %q is nameless or there twice", sc.ID)
		}
		for _, m := range sc.Members {
			if w.userByID[m] == nil {
				return fmt.Errorf("channel %q has an unknown member %q", sc.ID, m)
			}
		}
		c := newConversation(sc.Channel)
		c.last = sc.Last
		maps.Copy(c.read, sc.Read)
		maps.Copy(c.entered, sc.Entered)
		for _, m := range sc.Messages {
			if m == nil || micros(m.TS) == 0 || len(c.msgs) > 0 && m.TS <= c.msgs[len(c.msgs)-1].TS {
				return fmt.Errorf("channel %q has messages out of order", sc.ID)
			}
			c.msgs = append(c.msgs, m)
			c.last = max(c.last, micros(m.TS))
			if m.ThreadTS != "" && m.ThreadTS != m.TS && !m.Ephemeral {
				c.threads[m.ThreadTS] = append(c.threads[m.ThreadTS], m.TS)
			}
		}
		w.convs = append(w.convs, c)
		w.convByID[c.ID] = c
		if c.Name != "" {
			w.convByName[c.Name] = c
		}
	}
	w.files.init()
	for _, f := range s.Files {
		w.files.byID[f.ID] = &storedFile{File: f.File, data: f.Data, arrived: true, shared: f.Shared}
		w.files.order = append(w.files.order, f.ID)
		w.files.bytes += int64(len(f.Data))
	}
	return nil
}

// rebase moves the files' URLs from where the workspace was served to where it is.
func (w *Workspace) rebase(was, is string) {
	if was == is {
		return
	}
	move := func(f File) File {
		for _, link := range []*string{&f.URLPrivate, &f.Download} {
			if rest, ok := strings.CutPrefix(*link, was+"/files/"); ok {
				*link = is + "/files/" + rest
			}
		}
		return f
	}
	for _, f := range w.files.byID {
		f.File = move(f.File)
	}
	for _, c := range w.convs {
		for i, m := range c.msgs {
			if len(m.Files) == 0 {
				continue
			}
			x := *m
			x.Files = slices.Clone(m.Files)
			for j := range x.Files {
				x.Files[j] = move(x.Files[j])
			}
			c.msgs[i] = &x
		}
	}
}
