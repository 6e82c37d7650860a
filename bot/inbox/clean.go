package inbox

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/deskhand/deskhand/bot/chat"
	"github.com/deskhand/deskhand/storage"
)

const (
	maxKey = 200 // bytes, as chat.Event promises

	// maxConversation is far beyond the ids of any platform, and well below
	// what fits an index.
	maxConversation = 500
)

// newEntry encodes the event so that Postgres takes it, whatever people have
// put into its text: NUL is dropped, and what is not UTF-8 becomes U+FFFD.
func newEntry(ev chat.Event) (entry, error) {
	if ev.At.Year() < 1 || ev.At.Year() > 9999 {
		return entry{}, errors.New("inbox: an event from outside of time")
	}
	body, err := json.Marshal(ev)
	if err != nil {
		return entry{}, fmt.Errorf("inbox: encode event: %w", err)
	}
	if clean := dropNUL(body); len(clean) < len(body) || bytes.Contains(body, []byte(`\ufffd`)) {
		// Whoever handles the event must see what a later reader would.
		inCall := ev.InCall
		ev = chat.Event{InCall: inCall}
		if err := json.Unmarshal(clean, &ev); err != nil {
			return entry{}, fmt.Errorf("inbox: encode event: %w", err)
		}
		body = clean
	}
	if ev.Key == "" || len(ev.Key) > maxKey {
		return entry{}, fmt.Errorf("inbox: the key of an event has %d bytes; it must have 1 to %d", len(ev.Key), maxKey)
	}
	return entry{
		Incoming: storage.Incoming{Key: ev.Key, At: ev.At, Conversation: ConversationOf(ev), Event: body},
		ev:       ev,
	}, nil
}

// dropNUL removes \u0000, which JSON has and jsonb has not, from encoded JSON.
func dropNUL(in []byte) []byte {
	if !bytes.Contains(in, []byte(`\u0000`)) {
		return in
	}
	out := make([]byte, 0, len(in))
	for i := 0; i < len(in); i++ {
		if in[i] != '\\' {
			out = append(out, in[i])
			continue
		}
		if bytes.HasPrefix(in[i:], []byte(`\u0000`)) {
			i += len(`\u0000`) - 1
			continue
		}
		out = append(out, in[i], in[i+1]) // a backslash that escapes is never the last
		i++
	}
	return out
}

// ConversationOf is the event's conversation as an index takes it.
func ConversationOf(ev chat.Event) string { return indexed(ev.Conversation()) }

// AsideOf is where it waits if it has come too early: with all that is about the
// same message, and nothing else.
func AsideOf(ev chat.Event) string { return indexed(ev.Conversation() + " " + ev.Message) }

func indexed(c string) string {
	if len(c) > maxConversation {
		sum := sha256.Sum256([]byte(c))
		return hex.EncodeToString(sum[:])
	}
	return c
}
