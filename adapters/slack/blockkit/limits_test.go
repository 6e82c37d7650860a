package blockkit

import (
	"encoding/json"
	"testing"

	"github.com/slack-go/slack"

	"github.com/deskhand/deskhand/adapters/slack/slacktest"
)

// check fails if blocks show more than their surface takes.
func check(t *testing.T, on surface, blocks []slack.Block) {
	t.Helper()
	if len(blocks) == 0 || len(blocks) > on.blocks {
		t.Errorf("%d blocks, want 1 to %d", len(blocks), on.blocks)
	}
	js, err := json.Marshal(blocks)
	if err != nil {
		t.Fatal(err)
	}
	kind := slacktest.OnMessage
	if on == onView {
		kind = slacktest.OnModal
	}
	for _, err := range slacktest.Validate(kind, js) {
		t.Error(err)
	}
	var tree any
	if err := json.Unmarshal(js, &tree); err != nil {
		t.Fatal(err)
	}
	if n := shownIn(tree); on == onMessage && n > 13_000 {
		t.Errorf("%d characters, which Slack refuses in a message", n)
	}
	if len(js) > 250_000 {
		t.Errorf("%d bytes, which Slack refuses in a view", len(js))
	}
	ids := map[string]bool{}
	primary := 0
	walk(tree, func(m map[string]any) {
		if id, ok := m["action_id"].(string); ok {
			if ids[id] || len(id) > 255 {
				t.Errorf("action id %q is there twice or too long", id)
			}
			ids[id] = true
		}
		if m["style"] == "primary" {
			primary++
		}
		if v, ok := m["value"].(string); ok && m["type"] == "button" && len(v) > 2000 {
			t.Errorf("a button's value of %d", len(v))
		}
	})
	if primary > 1 {
		t.Errorf("%d primary buttons", primary)
	}
}

func checkForm(t *testing.T, v slack.ModalViewRequest) {
	t.Helper()
	check(t, onView, v.Blocks.BlockSet)
	js, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	for _, err := range slacktest.ValidateView(js) {
		t.Error(err)
	}
	if len(v.PrivateMetadata) > 3000 || len(v.CallbackID) > 255 {
		t.Errorf("%d of metadata, callback id %q", len(v.PrivateMetadata), v.CallbackID)
	}
}

// walk calls f for each object in tree.
func walk(tree any, f func(map[string]any)) {
	switch v := tree.(type) {
	case map[string]any:
		f(v)
		for _, e := range v {
			walk(e, f)
		}
	case []any:
		for _, e := range v {
			walk(e, f)
		}
	}
}

func shownIn(tree any) int {
	n := 0
	walk(tree, func(m map[string]any) {
		if s, ok := m["text"].(string); ok {
			n += units(s)
		}
	})
	return n
}
