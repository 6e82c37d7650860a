package main

import (
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// arrows are the directions in which packages may import each other: a place
// may import what stands behind it, and itself. Tests and doubles may cross.
var arrows = []struct {
	place string
	may   []string
}{
	{"core/", []string{"core/"}},
	{"kb", []string{"core/"}},
	{"storage/pglocal", nil},
	{"storage/pgtest", []string{"storage"}},
	{"storage/ephemeral", nil},
	{"storage", []string{"core/"}},
	{"bot/chat/chattest", []string{"bot/chat"}},
	{"bot/chat", nil},
	{"bot/cards", []string{"core/", "bot/chat"}},
	{"bot", []string{"bot/", "core/", "kb", "storage"}},
	{"adapters/slack", []string{"adapters/slack/", "bot/chat", "bot/inbox"}},
	{"adapters/teams", []string{"adapters/teams/", "bot/chat", "bot/inbox"}},
	{"adapters/web", []string{"bot/", "storage"}},
	{"adapters/pipeline", []string{"bot", "storage", "core/"}},
	{"adapters/model", []string{"adapters/model/", "kb", "core/"}},
	{"adapters/simulator", []string{"adapters/slack/slacktest", "adapters/teams/teamstest"}},
	{"adapters/adaptertest", nil},
	{"cmd", []string{"adapters/", "bot/", "core/", "kb", "storage", "cmd/"}},
}

const module = "github.com/deskhand/deskhand/"

func under(path, place string) bool {
	place = strings.TrimSuffix(place, "/")
	return path == place || strings.HasPrefix(path, place+"/")
}

func TestImportsPointOneWay(t *testing.T) {
	t.Parallel()
	cmd := exec.CommandContext(t.Context(), "go", "list", "-json=ImportPath,Imports", module+"...")
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	checked := 0
	for dec := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p struct {
			ImportPath string
			Imports    []string
		}
		if err := dec.Decode(&p); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		from := strings.TrimPrefix(p.ImportPath, module)
		rule := -1
		for i, a := range arrows {
			if under(from, a.place) {
				rule = i
				break
			}
		}
		if rule < 0 {
			t.Errorf("%s stands in no room of the house: give it an arrow", from)
			continue
		}
		checked++
		if from == "cmd/deskhand" && !slices.Contains(p.Imports, "time/tzdata") {
			t.Error("the program has no time zones of its own")
		}
		for _, imported := range p.Imports {
			to, ours := strings.CutPrefix(imported, module)
			if !ours || under(to, arrows[rule].place) {
				if strings.HasPrefix(from, "core/") && !ours && strings.Contains(strings.SplitN(imported, "/", 2)[0], ".") {
					t.Errorf("%s imports %s: core is decisions only, with the standard library", from, imported)
				}
				continue
			}
			allowed := false
			for _, may := range arrows[rule].may {
				allowed = allowed || under(to, may)
			}
			if !allowed {
				t.Errorf("%s imports %s: the arrow points the other way", from, to)
			}
		}
	}
	if checked < 10 {
		t.Errorf("looked at %d packages only", checked)
	}
}
