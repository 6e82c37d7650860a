package slack

import (
	"bytes"
	"encoding/json"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/google/go-cmp/cmp"
	"github.com/slack-go/slack"
)

const manifestFile = "../../manifest.yaml"

func readManifest(t *testing.T) (slack.Manifest, string) {
	t.Helper()
	text, err := os.ReadFile(manifestFile)
	if err != nil {
		t.Fatal(err)
	}
	js, err := yaml.YAMLToJSON(text)
	if err != nil {
		t.Fatal(err)
	}
	dec := json.NewDecoder(bytes.NewReader(js))
	dec.DisallowUnknownFields()
	var m slack.Manifest
	if err := dec.Decode(&m); err != nil {
		t.Fatalf("%s: %v", manifestFile, err)
	}
	return m, string(text)
}

// The manifest asks for what the code needs and no more, and subscribes to what
// it handles.
func TestManifestIsWhatTheCodeNeeds(t *testing.T) {
	t.Parallel()
	m, text := readManifest(t)

	if diff := cmp.Diff(Scopes, m.OAuthConfig.Scopes.Bot); diff != "" {
		t.Errorf("scopes (-code +manifest):\n%s", diff)
	}
	for _, s := range m.OAuthConfig.Scopes.Bot {
		if !regexp.MustCompile(`(?m)^ +- ` + regexp.QuoteMeta(s) + ` # \w.{10,}$`).MatchString(text) {
			t.Errorf("the scope %s has no reason beside it", s)
		}
	}

	subscribed := map[string]bool{}
	for _, e := range m.Settings.EventSubscriptions.BotEvents {
		name, _, _ := strings.Cut(e, ".") // message.im and the like are one type
		subscribed[name] = true
	}
	if diff := cmp.Diff(slices.Sorted(maps.Keys(handled)), slices.Sorted(maps.Keys(subscribed))); diff != "" {
		t.Errorf("events (-handled +subscribed):\n%s", diff)
	}

	if home := m.Features.AppHome; !home.HomeTabEnabled || !home.MessagesTabEnabled || home.MessagesTabReadOnlyEnabled {
		t.Errorf("the Home tab is %+v; people read it and write beside it", home)
	}
	if !m.Settings.Interactivity.IsEnabled || !m.Settings.SocketModeEnabled {
		t.Error("interactivity and socket mode must be on")
	}
	if got := m.Features.SlashCommands; len(got) != 1 || got[0].Command != "/desk" || !got[0].ShouldEscape {
		t.Errorf("slash commands %+v, want /desk, escaped", got)
	}
	want := map[string]slack.ShortcutType{"desk.ask": "global", "ticket.from_message": "message"}
	got := map[string]slack.ShortcutType{}
	for _, s := range m.Features.Shortcuts {
		got[s.CallbackID] = s.Type
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("shortcuts (-want +manifest):\n%s", diff)
	}
	// Slack's own limits; see docs.slack.dev/reference/app-manifest.
	if d := m.Display; len(d.Name) > 35 || len(d.Description) > 140 || len(d.LongDescription) < 175 || len(d.LongDescription) > 4000 {
		t.Errorf("display information %+v is too long or too short for Slack", d)
	}
}

// The addresses that the manifest proposes for HTTPS are served.
func TestManifestAddressesAreServed(t *testing.T) {
	t.Parallel()
	_, text := readManifest(t)
	paths := regexp.MustCompile(`https://desk\.example\.com(/\S+)`).FindAllStringSubmatch(text, -1)
	if len(paths) != 4 {
		t.Fatalf("%d addresses in the manifest, want 4", len(paths))
	}
	a := newAdapter(t, Options{})
	for _, p := range paths {
		w := httptest.NewRecorder()
		a.Handler().ServeHTTP(w, httptest.NewRequest(http.MethodPost, p[1], nil))
		if w.Code != http.StatusUnauthorized {
			t.Errorf("POST %s without a signature: %d, want 401", p[1], w.Code)
		}
	}
}
