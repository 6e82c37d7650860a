package web

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/deskhand/deskhand/storage"
)

const (
	keyPurpose = "web"
	keySigns   = 30 * 24 * time.Hour
	// keyLasts leaves what was signed last, and a process that took a day to
	// notice the next key, their whole time.
	keyLasts = keySigns + fileFor + 24*time.Hour

	// lookAgain is how soon a key that is not known is looked for again: anybody
	// can send the name of one.
	lookAgain = time.Second
)

// keyring signs with the newest key on record and verifies with all that have
// not expired. Every process signs with the same.
type keyring struct {
	db  *storage.DB
	now func() time.Time

	mu     sync.Mutex
	keys   map[int64]storage.Secret
	newest storage.Secret
	looked time.Time
}

// renew has a key to sign with for some time to come.
func (k *keyring) renew(ctx context.Context) error {
	now := k.now()
	var newest storage.Secret
	var all []storage.Secret
	err := k.db.InTx(ctx, func(tx *storage.Tx) (err error) {
		if newest, err = tx.SigningSecret(ctx, keyPurpose, keySigns, keyLasts, now); err != nil {
			return err
		}
		all, err = tx.Secrets(ctx, keyPurpose, now)
		return err
	})
	if err != nil {
		return err
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.newest, k.looked, k.keys = newest, now, map[int64]storage.Secret{}
	for _, s := range all {
		k.keys[s.ID] = s
	}
	return nil
}

// find is the key of a number; one that another process has made is on record.
func (k *keyring) find(ctx context.Context, id int64) (storage.Secret, error) {
	known := func() (storage.Secret, bool, bool) {
		k.mu.Lock()
		defer k.mu.Unlock()
		s, ok := k.keys[id]
		return s, ok, !ok && k.now().Sub(k.looked) >= lookAgain
	}
	s, ok, look := known()
	if look {
		if err := k.renew(ctx); err != nil {
			return s, err
		}
		s, ok, _ = known()
	}
	if !ok || !s.ExpiresAt.After(k.now()) {
		return s, errBadToken
	}
	return s, nil
}

// What is wrong with a token. Both are told in the same words.
var (
	errBadToken = errors.New("not signed by this desk")
	errExpired  = errors.New("its time is over")
)

// envelope is what is signed.
type envelope struct {
	Until int64           `json:"u"` // Unix seconds
	Value json.RawMessage `json:"v"`
}

var encoding = base64.RawURLEncoding

// seal signs a value for a use until a time. It uses no database. What was
// sealed for one use opens for no other; a use may name whom it is for.
func (k *keyring) seal(use string, value any, until time.Time) (string, error) {
	k.mu.Lock()
	key := k.newest
	k.mu.Unlock()
	if key.ID == 0 {
		return "", errors.New("web: there is no key to sign with yet")
	}
	v, err := json.Marshal(value)
	if err != nil {
		return "", fmt.Errorf("web: seal a %s: %w", use, err)
	}
	payload, err := json.Marshal(envelope{until.Unix(), v})
	if err != nil {
		return "", fmt.Errorf("web: seal a %s: %w", use, err)
	}
	return strconv.FormatInt(key.ID, 36) + "." + encoding.EncodeToString(payload) + "." + encoding.EncodeToString(mac(key.Key, use, payload)), nil
}

// open reads what was sealed for a use. An error that is neither errBadToken
// nor errExpired is the database's.
func (k *keyring) open(ctx context.Context, use, token string, value any) error {
	id, rest, _ := strings.Cut(token, ".")
	body, sum, ok := strings.Cut(rest, ".")
	n, err := strconv.ParseInt(id, 36, 64)
	if err != nil || !ok {
		return errBadToken
	}
	payload, err := encoding.Strict().DecodeString(body)
	if err != nil {
		return errBadToken
	}
	given, err := encoding.Strict().DecodeString(sum)
	if err != nil {
		return errBadToken
	}
	key, err := k.find(ctx, n)
	if err != nil {
		return err
	}
	if !hmac.Equal(given, mac(key.Key, use, payload)) {
		return errBadToken
	}
	var e envelope
	if err := json.Unmarshal(payload, &e); err != nil {
		return errBadToken
	}
	if k.now().Unix() >= e.Until {
		return errExpired
	}
	if err := json.Unmarshal(e.Value, value); err != nil {
		return errBadToken
	}
	return nil
}

// mac is the HMAC of a payload for a use. The use has no zero byte in it, so
// where it ends is never in doubt.
func mac(key []byte, use string, payload []byte) []byte {
	h := hmac.New(sha256.New, key)
	h.Write([]byte(use))
	h.Write([]byte{0})
	h.Write(payload)
	return h.Sum(nil)
}
