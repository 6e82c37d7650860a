package teams

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"time"
)

// Book keeps what Teams has told of how people and places are reached: without
// it nobody could be written to who has not spoken since the last restart. Keys
// are at most 400 bytes, values at most a few hundred; both are opaque.
//
// Only what came in a verified activity is ever written to it.
type Book interface {
	// Keep stores value, in place of what was there.
	Keep(ctx context.Context, key string, value []byte) error
	// Look returns what was kept, nil if nothing was.
	Look(ctx context.Context, key string) ([]byte, error)
	// All returns all whose keys begin with prefix.
	All(ctx context.Context, prefix string) (map[string][]byte, error)
}

// reference is one entry of the Book.
type reference struct {
	ServiceURL string `json:"url,omitempty"`
	Bot        string `json:"bot,omitempty"` // the desk's own id there

	// Of a place, "place:CONVERSATION".
	Type string `json:"type,omitempty"` // personal, groupChat, channel
	Team string `json:"team,omitempty"`

	// Of a person, "user:ID".
	Account string `json:"account,omitempty"` // Teams' own id, 29:…
	Chat    string `json:"chat,omitempty"`    // their personal chat with the desk
	Seen    string `json:"seen,omitempty"`    // where else: a team or a group chat
	Zone    string `json:"zone,omitempty"`
	Locale  string `json:"locale,omitempty"`

	// Of Teams' own id of a person, "account:29:…", by which mentions go.
	User string `json:"user,omitempty"`

	// Of a team, "team:ID".
	Name  string `json:"name,omitempty"`
	Group string `json:"group,omitempty"` // its id in Entra, by which Graph knows it
}

// The keys of references. That of the tenant has the service URL by which a
// personal chat is begun with somebody who has never written.
func placeKey(conversation string) string { return "place:" + conversation }
func userKey(id string) string            { return "user:" + id }
func accountKey(id string) string         { return "account:" + id }
func teamKey(id string) string            { return "team:" + id }

const (
	tenantKey = "tenant"
	teamKeys  = "team:"
)

// referenceFresh is for how long a reference is believed without looking
// whether another process has learnt better.
const referenceFresh = 10 * time.Minute

// referenceMissing is for how long one is believed not to be there.
const referenceMissing = 5 * time.Second

// maxReferences bounds what is kept in memory.
const maxReferences = 50_000

// references is the Book, and what of it was used lately.
type references struct {
	book Book
	now  func() time.Time

	mu   sync.Mutex
	used map[string]held
}

type held struct {
	reference
	known bool
	until time.Time
}

func newReferences(b Book, now func() time.Time) *references {
	if b == nil {
		b = &memory{kept: map[string][]byte{}}
	}
	return &references{book: b, now: now, used: map[string]held{}}
}

// look returns a reference; ok is false if there is none.
func (r *references) look(ctx context.Context, key string) (ref reference, ok bool, err error) {
	if h, ok := r.held(key); ok {
		return h.reference, h.known, nil
	}
	js, err := r.book.Look(ctx, key)
	if err != nil {
		return ref, false, fmt.Errorf("teams: look up how to reach a place: %w", err)
	}
	if js == nil || json.Unmarshal(js, &ref) != nil {
		r.hold(key, held{until: r.now().Add(referenceMissing)})
		return reference{}, false, nil
	}
	r.hold(key, held{ref, true, r.now().Add(referenceFresh)})
	return ref, true, nil
}

// held is what is in memory of a key, for as long as it is to be believed.
func (r *references) held(key string) (held, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	h, ok := r.used[key]
	return h, ok && r.now().Before(h.until)
}

func (r *references) hold(key string, h held) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.used) >= maxReferences {
		clear(r.used) // rare, and only costs looking again
	}
	r.used[key] = h
}

// learn changes a reference by what an activity says, and stores it if that was
// news. What change leaves empty stays as it was.
func (r *references) learn(ctx context.Context, key string, change func(*reference)) error {
	ref, _, err := r.look(ctx, key)
	if err != nil {
		return err
	}
	was := ref
	if change(&ref); ref == was {
		return nil
	}
	js, err := json.Marshal(ref)
	if err != nil {
		return err
	}
	if err := r.book.Keep(ctx, key, js); err != nil {
		return fmt.Errorf("teams: keep how to reach a place: %w", err)
	}
	r.hold(key, held{ref, true, r.now().Add(referenceFresh)})
	return nil
}

// set writes to a field unless there is nothing to write.
func set(field *string, value string) {
	if value != "" {
		*field = value
	}
}

// memory is a Book that ends with the process.
type memory struct {
	mu   sync.Mutex
	kept map[string][]byte
}

func (m *memory) Keep(_ context.Context, key string, value []byte) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.kept[key] = value
	return nil
}

func (m *memory) Look(_ context.Context, key string) ([]byte, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.kept[key], nil
}

func (m *memory) All(_ context.Context, prefix string) (map[string][]byte, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	some := map[string][]byte{}
	for k, v := range m.kept {
		if len(k) >= len(prefix) && k[:len(prefix)] == prefix {
			some[k] = v
		}
	}
	return some, nil
}

// all returns the references whose keys begin with prefix, by what follows it.
func (r *references) all(ctx context.Context, prefix string) (map[string]reference, error) {
	kept, err := r.book.All(ctx, prefix)
	if err != nil {
		return nil, fmt.Errorf("teams: look up places: %w", err)
	}
	all := make(map[string]reference, len(kept))
	for k, js := range kept {
		var ref reference
		if json.Unmarshal(js, &ref) == nil {
			all[strings.TrimPrefix(k, prefix)] = ref
		}
	}
	return all, nil
}
