package inbox

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/deskhand/deskhand/bot/chat"
)

// Whatever is in an event's text, what is stored is JSON that Postgres takes,
// and what is handled is what is stored.
func FuzzNewEntry(f *testing.F) {
	for _, s := range []string{"", "hello", "a\x00b", "\xff\xfe", `\u0000`, `\\u0000`, "\\\x00", "\x00\\u0000\x00", "\uFFFD\uE000"} {
		f.Add(s, s)
	}
	f.Fuzz(func(t *testing.T, text, key string) {
		ev := chat.Event{Key: "k" + key, At: time.Unix(0, 0).UTC(), Text: text, Values: chat.Values{text: {text, "x"}}}
		e, err := newEntry(ev)
		if err != nil {
			if len(key) < maxKey/4 { // each bad byte becomes three
				t.Fatalf("newEntry: %v", err)
			}
			return
		}
		if !json.Valid(e.Event) {
			t.Fatalf("not JSON: %q", e.Event)
		}
		if want := strings.ReplaceAll(strings.ToValidUTF8(text, "\uFFFD"), "\x00", ""); !sameButRuns(e.ev.Text, want) {
			t.Errorf("text %q is handled as %q", text, e.ev.Text)
		}
		var stored chat.Event
		if err := json.Unmarshal(e.Event, &stored); err != nil {
			t.Fatal(err)
		}
		if stored.Text != e.ev.Text || stored.Key != e.ev.Key {
			t.Errorf("stored as %q, handled as %q", stored.Text, e.ev.Text)
		}
		for i := bytes.Index(e.Event, []byte(`\u0000`)); i >= 0; {
			slashes := 0
			for i-slashes > 0 && e.Event[i-slashes-1] == '\\' {
				slashes++
			}
			if slashes%2 == 0 {
				t.Fatalf("a NUL is left: %q", e.Event)
			}
			next := bytes.Index(e.Event[i+1:], []byte(`\u0000`))
			if next < 0 {
				break
			}
			i += 1 + next
		}
	})
}

// sameButRuns compares texts in which a run of bad bytes may be one U+FFFD or
// several.
func sameButRuns(a, b string) bool {
	squeeze := func(s string) string {
		for strings.Contains(s, "\uFFFD\uFFFD") {
			s = strings.ReplaceAll(s, "\uFFFD\uFFFD", "\uFFFD")
		}
		return s
	}
	return squeeze(a) == squeeze(b)
}
