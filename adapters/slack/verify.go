package slack

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"hash"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"
)

// window is how far a request's timestamp may be away, so that a recorded one
// can't be played again later. See docs.slack.dev/authentication/verifying-requests-from-slack.
const window = 5 * time.Minute

// signatures checks that requests come from Slack.
type signatures struct {
	secret []byte
	macs   sync.Pool // of hash.Hash keyed with secret: keying costs more than a short body
}

// check says why a request is not Slack's: "unsigned", "stale" or "forged"; or
// "" if it is, and when Slack signed it.
func (s *signatures) check(h http.Header, body []byte, now time.Time) (at time.Time, reason string) {
	stamp, signature := h.Get("X-Slack-Request-Timestamp"), h.Get("X-Slack-Signature")
	if stamp == "" || signature == "" || len(s.secret) == 0 {
		return time.Time{}, "unsigned"
	}
	seconds, err := strconv.ParseInt(stamp, 10, 64)
	if err != nil {
		return time.Time{}, "forged"
	}
	// Compared in seconds: a difference of absurd times would overflow.
	if lag := now.Unix() - seconds; seconds < 0 || lag > int64(window/time.Second) || lag < -int64(window/time.Second) {
		return time.Time{}, "stale"
	}
	digits, ok := strings.CutPrefix(signature, "v0=")
	if !ok || len(digits) != hex.EncodedLen(sha256.Size) {
		return time.Time{}, "forged"
	}
	var given, made [sha256.Size]byte
	if _, err := hex.Decode(given[:], []byte(digits)); err != nil {
		return time.Time{}, "forged"
	}
	mac, ok := s.macs.Get().(hash.Hash)
	if !ok {
		mac = hmac.New(sha256.New, s.secret)
	}
	mac.Reset()
	mac.Write([]byte("v0:" + stamp + ":"))
	mac.Write(body)
	mac.Sum(made[:0])
	s.macs.Put(mac)
	if !hmac.Equal(given[:], made[:]) {
		return time.Time{}, "forged"
	}
	return time.Unix(seconds, 0), ""
}
