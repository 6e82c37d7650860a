package adaptive

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/deskhand/deskhand/adapters/teams/teamstest"
	"github.com/deskhand/deskhand/bot/chat"
	"github.com/deskhand/deskhand/bot/chat/chattest"
)

var update = flag.Bool("update", false, "write the golden files anew")

// golden compares JSON with a file in testdata.
func golden(t *testing.T, name string, js json.RawMessage) {
	t.Helper()
	var v any
	if err := json.Unmarshal(js, &v); err != nil {
		t.Fatal(err)
	}
	var got bytes.Buffer
	if err := json.Indent(&got, js, "", " "); err != nil {
		t.Fatal(err)
	}
	got.WriteByte('\n')
	path := filepath.Join("testdata", strings.ReplaceAll(name, " ", "_")+".json")
	if *update {
		if err := os.WriteFile(path, got.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatalf("%v (run with -update)", err)
	}
	if diff := cmp.Diff(string(want), got.String()); diff != "" {
		t.Errorf("%s (-want +got):\n%s", path, diff)
	}
}

func TestCard(t *testing.T) {
	t.Parallel()
	for name, c := range chattest.Cards {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			js := Card(chat.Post{Card: c}, Options{})
			golden(t, "card "+name, js)
			bounded(t, js)
			if err := teamstest.CheckCard(js); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestACardIsKnownByItsMark(t *testing.T) {
	t.Parallel()
	for name, c := range chattest.Cards {
		for as, persona := range map[string]*chat.Persona{"the desk": nil, "a person": {Name: "Ben Osei"}} {
			js := Card(chat.Post{Card: c, As: persona}, Options{Mark: "deskhand.x.17"})
			if !Marked(js, "deskhand.x.17") {
				t.Errorf("%s, said by %s, is not known again: %s", name, as, js)
			}
			if Marked(js, "deskhand.x.1") || Marked(js, "") {
				t.Errorf("%s, said by %s, is taken for another", name, as)
			}
			bounded(t, js)
			if err := teamstest.CheckCard(js); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
	for _, js := range []string{"", "[]", `{"body": 1}`, `{"body": [{"id": 1}]}`, `{"body": [{"text": "deskhand.x.17"}]}`} {
		if Marked([]byte(js), "deskhand.x.17") {
			t.Errorf("%s is taken for it", js)
		}
	}
}

func TestDialog(t *testing.T) {
	t.Parallel()
	for name, f := range chattest.Forms {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			js := Dialog(f, Open{Meta: Meta{Channel: "19:desk@thread.tacv2", Thread: "1700000000001"}})
			golden(t, "form "+name, js)
			bounded(t, js)
			if err := teamstest.CheckDialog(js); err != nil {
				t.Error(err)
			}
		})
	}
}

func bounded(t *testing.T, js json.RawMessage) {
	t.Helper()
	if len(js) > maxCard {
		t.Errorf("%d bytes, want at most %d", len(js), maxCard)
	}
}
