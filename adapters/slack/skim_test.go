package slack

import (
	"encoding/json"
	"errors"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func TestFromBot(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		event string
		want  bool
	}{
		"the desk has posted":                     {`{"type":"message","bot_id":"B1","text":"hello","blocks":[{"type":"divider"}]}`, true},
		"another app has posted":                  {`{"type":"message","subtype":"bot_message","bot_id":"B2","text":"hello"}`, false}, // decoding says so
		"the desk has changed a message":          {`{"type":"message","subtype":"message_changed","message":{"bot_id":"B1"},"previous_message":{"bot_id":"B1"}}`, true},
		"somebody has posted":                     {`{"type":"message","user":"U1","text":"hello"}`, false},
		"somebody writes what looks like it":      {`{"type":"message","user":"U1","text":"\"bot_id\":\"B1\"}"}`, false},
		"somebody passes on what a bot has said":  {`{"type":"message","user":"U1","attachments":[{"bot_id":"B1"}]}`, false},
		"somebody answers below the desk's":       {`{"type":"message","user":"U1","root":{"bot_id":"B1"},"message":{"bot_id":"B1"}}`, false},
		"somebody has changed a message":          {`{"type":"message","subtype":"message_changed","message":{"user":"U1"},"previous_message":{"bot_id":"B1"}}`, false},
		"the first message of a thread is gone":   {`{"type":"message","subtype":"message_changed","message":{"subtype":"tombstone","bot_id":"B1"}}`, false},
		"a message of the desk's was deleted":     {`{"type":"message","subtype":"message_deleted","previous_message":{"bot_id":"B1"}}`, false},
		"there is no bot":                         {`{"type":"message","bot_id":null,"user":"U1"}`, false},
		"the bot has no name":                     {`{"type":"message","bot_id":"","user":"U1"}`, false},
		"something else has happened":             {`{"type":"reaction_added","bot_id":"B1"}`, false},
		"the event is none":                       {`[{"type":"message","bot_id":"B1"}]`, false},
		"blanks stand where they may":             {"{ \"type\" :\n\"message\" , \"bot_id\"\t: \"B1\" }", true},
		"brackets and quotes stand in the text":   {`{"text":"}]\\\"{[","type":"message","bot_id":"B1"}`, true},
		"what is skipped has brackets and quotes": {`{"blocks":[{"a":"}]\\"},["\""]],"n":-1.5e3,"t":true,"type":"message","bot_id":"B1"}`, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			body := []byte(callback(tt.event))
			if got := fromBot(body); got != tt.want {
				t.Fatalf("fromBot() = %t, want %t", got, tt.want)
			}
			if !tt.want {
				return
			}
			// What is skimmed over would have been decoded to nothing.
			var env envelope
			if err := json.Unmarshal(body, &env); err != nil {
				t.Fatal(err)
			}
			if _, err := env.event(desk); !errors.Is(err, errNothing) {
				t.Errorf("decoded it is %v, want %v", err, errNothing)
			}
		})
	}
}

func TestWithoutLeavesTheRestAsItWas(t *testing.T) {
	t.Parallel()
	value := rapid.Custom(func(t *rapid.T) any {
		return rapid.SampledFrom([]any{true, nil, 1.5, "", `","a":"`, `\`, `"`, "}", "]", []any{}, map[string]any{"a": []any{`"}`, 2.0}}}).Draw(t, "value")
	})
	rapid.Check(t, func(t *rapid.T) {
		object := rapid.MapOf(rapid.SampledFrom([]string{"ok", "message", "ts", "channel", "{"}), value).Draw(t, "object")
		js, err := json.Marshal(object)
		if rapid.Bool().Draw(t, "with blanks") {
			js, err = json.MarshalIndent(object, " ", "\t")
		}
		if err != nil {
			t.Fatal(err)
		}
		for i, v := range pick(js, "ts", "message") {
			name := []string{"ts", "message"}[i]
			want, there := object[name]
			var got any
			if len(v) > 0 {
				if err := json.Unmarshal(v, &got); err != nil {
					t.Fatalf("pick(%s) has %s of %q: %v", js, v, name, err)
				}
			}
			if there != (len(v) > 0) || !cmp.Equal(got, want) {
				t.Fatalf("pick(%s) has %v of %q, want %v", js, got, name, want)
			}
		}
		var got map[string]any
		left := without(slices.Clone(js), "message")
		if err := json.Unmarshal(left, &got); err != nil {
			t.Fatalf("without(%s) = %s: %v", js, left, err)
		}
		delete(object, "message")
		if !cmp.Equal(got, object) {
			t.Fatalf("without(%s) = %s", js, left)
		}
	})
}

// What Slack has not sent may be anything.
func FuzzSkim(f *testing.F) {
	f.Add([]byte(callback(aMessage)))
	f.Add([]byte(`{"a":"\\","b":{`))
	f.Fuzz(func(_ *testing.T, body []byte) {
		fromBot(body)
		without(slices.Clone(body), "a")
	})
}
