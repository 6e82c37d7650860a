package teams

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"sync"
	"time"

	jose "github.com/go-jose/go-jose/v4"
)

const (
	// keysFresh is after how long the keys are fetched again; Microsoft asks for
	// it once a day, and lets them be used for five days.
	keysFresh = 24 * time.Hour
	keysStale = 5 * 24 * time.Hour
	// keysPace is the least time between two fetches. An unknown key asks for one,
	// and anybody can send unknown keys as fast as they like.
	keysPace    = 10 * time.Second
	keysTimeout = 5 * time.Second
	keysBytes   = 1 << 20
	// Until there are keys nothing that Teams sends can be taken, so the first
	// fetches are nearer to each other, and one that is not answered is given up
	// sooner: after keysFirst, then twice that, and so on up to keysTimeout.
	keysPaceFirst = 250 * time.Millisecond
	keysFirst     = time.Second
)

// errNoKeys says that it can't be told whether a token is genuine.
var errNoKeys = errors.New("the signing keys can't be had")

// signingKey is a key of Microsoft's and the channels that it signs for.
type signingKey struct {
	jose.JSONWebKey
	endorsements []string
}

// keySet is what the OpenID metadata say of who signs activities.
type keySet struct {
	metadata string
	http     *http.Client
	now      func() time.Time
	metrics  *metrics

	mu      sync.Mutex
	issuer  string
	keys    []signingKey // never changed, only replaced
	fetched time.Time    // when that was
	tried   time.Time    // when fetching them was last begun
	failed  int          // times in a row
	under   *fetching    // nil: nobody is at it
}

func newKeySet(metadata string, client *http.Client, now func() time.Time, m *metrics) *keySet {
	return &keySet{metadata: metadata, http: client, now: now, metrics: m}
}

// find returns the key with this id and who issues tokens. An id that is not
// known has the keys fetched, at most once in keysPace, or while there are none in
// keysPaceFirst.
func (k *keySet) find(ctx context.Context, id string) (key signingKey, issuer string, err error) {
	key, issuer, known, usable := k.look(id)
	if known {
		return key, issuer, nil
	}
	if may := k.ask(false); may != nil {
		err = may.wait(ctx)
		key, issuer, known, usable = k.look(id)
	}
	switch {
	case known:
		return key, issuer, nil
	case !usable:
		return signingKey{}, "", errors.Join(errNoKeys, err)
	}
	return signingKey{}, "", fmt.Errorf("no key %.40q", id)
}

// look looks among the keys at hand. They are usable while they are not stale;
// ones that are not fresh any more are fetched again, which nobody waits for.
func (k *keySet) look(id string) (key signingKey, issuer string, known, usable bool) {
	k.mu.Lock()
	age, keys, issuer, usable := k.now().Sub(k.fetched), k.keys, k.issuer, k.usable()
	k.mu.Unlock()
	if !usable {
		return signingKey{}, "", false, false
	}
	if age > keysFresh {
		k.ask(false)
	}
	for _, one := range keys {
		if one.KeyID == id {
			return one, issuer, true, true
		}
	}
	return signingKey{}, issuer, false, true
}

// usable says that there are keys which may still be used; the caller has the
// lock.
func (k *keySet) usable() bool { return k.keys != nil && k.now().Sub(k.fetched) <= keysStale }

// load fetches the keys, or waits for whoever is at it.
func (k *keySet) load(ctx context.Context) error { return k.ask(true).wait(ctx) }

// have returns when there are keys to be used.
func (k *keySet) have(ctx context.Context) error {
	if k.there() {
		return nil
	}
	return k.load(ctx)
}

func (k *keySet) there() bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.usable()
}

// fetching is one fetch, which many may wait for.
type fetching struct {
	done chan struct{}
	err  error
}

func (f *fetching) wait(ctx context.Context) error {
	select {
	case <-f.done:
		return f.err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// ask returns the fetch that is under way, or begins one; nil if it is too soon
// for another and nobody insists.
func (k *keySet) ask(insist bool) *fetching {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.under != nil {
		return k.under
	}
	now, pace, limit := k.now(), keysPace, keysTimeout
	if !k.usable() {
		pace, limit = keysPaceFirst, min(keysFirst<<min(k.failed, 8), keysTimeout)
	}
	// A clock that was set back must not keep the keys from being fetched.
	if since := now.Sub(k.tried); !insist && !k.tried.IsZero() && since >= 0 && since < pace {
		return nil
	}
	f := &fetching{done: make(chan struct{})}
	k.under, k.tried = f, now
	go func() { // not on the first caller's time: others wait for it too
		ctx, cancel := context.WithTimeout(context.Background(), limit)
		defer cancel()
		issuer, keys, err := k.fetch(ctx)
		k.metrics.keys.WithLabelValues(outcome(err)).Inc()
		k.mu.Lock()
		defer k.mu.Unlock()
		k.failed++
		if err == nil {
			k.issuer, k.keys, k.fetched, k.failed = issuer, keys, k.now(), 0
		}
		k.under, f.err = nil, err
		close(f.done)
	}()
	return f
}

// fetch reads the metadata and the keys that they name. The metadata's address
// is configured, so what it says of issuer and keys is believed.
func (k *keySet) fetch(ctx context.Context) (string, []signingKey, error) {
	var about struct {
		Issuer string `json:"issuer"`
		Keys   string `json:"jwks_uri"`
	}
	if err := k.get(ctx, k.metadata, &about); err != nil {
		return "", nil, err
	}
	if about.Issuer == "" || !trustworthy(about.Keys) {
		return "", nil, errors.New("the OpenID metadata name no issuer, or no address of keys")
	}
	var set struct {
		Keys []json.RawMessage `json:"keys"`
	}
	if err := k.get(ctx, about.Keys, &set); err != nil {
		return "", nil, err
	}
	var keys []signingKey
	for _, raw := range set.Keys {
		var key signingKey
		var extra struct {
			Endorsements []string `json:"endorsements"`
		}
		// One that can't be read is of a kind that no activity is signed with.
		if json.Unmarshal(raw, &key.JSONWebKey) != nil || json.Unmarshal(raw, &extra) != nil {
			continue
		}
		if key.KeyID == "" || !key.IsPublic() || key.Use != "" && key.Use != "sig" {
			continue
		}
		key.endorsements = extra.Endorsements
		keys = append(keys, key)
	}
	if len(keys) == 0 {
		return "", nil, errors.New("there is no usable key among those published")
	}
	return about.Issuer, keys, nil
}

func (k *keySet) get(ctx context.Context, address string, into any) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return errors.New("not an address")
	}
	resp, err := k.http.Do(req)
	if err != nil {
		return bare(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("HTTP status %d", resp.StatusCode)
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, keysBytes+1))
	if err != nil {
		return bare(err)
	}
	if len(body) > keysBytes || json.Unmarshal(body, into) != nil {
		return errors.New("the answer is not what it should be")
	}
	return nil
}

// endorses says that a key may sign for a channel.
func (s signingKey) endorses(channel string) bool { return slices.Contains(s.endorsements, channel) }
