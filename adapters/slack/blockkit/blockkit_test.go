package blockkit

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"github.com/slack-go/slack"
	"pgregory.net/rapid"

	"github.com/deskhand/deskhand/adapters/slack/slacktest"
	"github.com/deskhand/deskhand/bot/chat"
	"github.com/deskhand/deskhand/bot/chat/chattest"
)

var update = flag.Bool("update", false, "write the golden files anew")

// golden compares v, as JSON, with a file in testdata.
func golden(t *testing.T, name string, v any) {
	t.Helper()
	var got bytes.Buffer
	enc := json.NewEncoder(&got)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", " ")
	if err := enc.Encode(v); err != nil {
		t.Fatal(err)
	}
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

type message struct {
	Text   string        `json:"text"`
	Blocks []slack.Block `json:"blocks"`
}

func TestRender(t *testing.T) {
	for name, card := range chattest.Cards {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			blocks, text := Render(card)
			golden(t, "card "+name, message{text, blocks})
			check(t, onMessage, blocks)
			if n := units(text); n == 0 || n > maxText {
				t.Errorf("the fall-back has %d characters, want 1 to %d", n, maxText)
			}
		})
	}
}

func TestRenderHome(t *testing.T) {
	for name, card := range chattest.Cards {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			v := RenderHome(card)
			check(t, onView, v.Blocks.BlockSet)
			js, err := json.Marshal(v)
			if err != nil {
				t.Fatal(err)
			}
			for _, err := range slacktest.ValidateView(js) {
				t.Error(err)
			}
		})
	}
	golden(t, "home triage", RenderHome(chattest.Cards["triage"]))
}

func TestRenderForm(t *testing.T) {
	for name, form := range chattest.Forms {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			v := RenderForm(form, Open{})
			golden(t, "form "+name, v)
			checkForm(t, v)
			m, err := ReadMeta(v.PrivateMetadata)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(form.Args, m.Args); diff != "" {
				t.Errorf("args after the way there and back (-want +got):\n%s", diff)
			}
		})
	}
}

// Rendering twice gives the same, and leaves the card as it was: a renderer
// that wrote into its input would change what other platforms draw.
func TestRenderChangesNothing(t *testing.T) {
	for name, card := range chattest.Cards {
		first, text := Render(card)
		second, again := Render(card)
		if !reflect.DeepEqual(first, second) || text != again {
			t.Errorf("%s: drawn twice, it differs", name)
		}
	}
}

func TestLabelsAndTextKeepToTheirLimits(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		s := rapid.StringOf(rapid.RuneFrom([]rune("ab &<>*_~`\n👍🏽\u200D\u0301é\U0001F1F3"))).Draw(t, "s")
		limit := rapid.IntRange(2, 60).Draw(t, "limit")
		for what, got := range map[string]string{
			"cut":      cut(s, limit),
			"escapeTo": escapeTo(s, limit),
			"mrkdwn":   mrkdwn(chat.Join(chat.T(s), chat.B(s)), limit),
		} {
			if units(got) > limit || !utf8.ValidString(got) {
				t.Fatalf("%s(%q, %d) = %q, %d long", what, s, limit, got, units(got))
			}
		}
		if e := escapeTo(s, limit); strings.ContainsAny(e, "<>") || strings.Count(e, "&") != strings.Count(e, "&amp;")+strings.Count(e, "&lt;")+strings.Count(e, "&gt;") {
			t.Fatalf("escapeTo(%q, %d) = %q: a split or missing escape", s, limit, e)
		}
		head, tail := splitParagraph(s, limit)
		if head+tail != s || units(head) > limit {
			t.Fatalf("splitParagraph(%q, %d) = %q, %q", s, limit, head, tail)
		}
	})
}

// A paragraph's pieces put together are the paragraph.
func TestSplitRichLosesNothing(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		var r chat.Rich
		for range rapid.IntRange(0, 6).Draw(t, "spans") {
			r = append(r, chat.Span{Text: rapid.String().Draw(t, "text"), Bold: rapid.Bool().Draw(t, "bold")})
			if rapid.Bool().Draw(t, "mention") {
				r = append(r, chat.Span{User: chat.User{ID: "U1"}})
			}
		}
		limit := rapid.IntRange(20, 60).Draw(t, "limit")
		var all chat.Rich
		for rest := r; len(rest) > 0; {
			var head chat.Rich
			if head, rest = splitRich(rest, limit); richUnits(head) > limit {
				t.Fatalf("a piece of %d, limit %d", richUnits(head), limit)
			}
			all = append(all, head...)
		}
		if all.Plain() != r.Plain() {
			t.Fatalf("%q became %q", r.Plain(), all.Plain())
		}
	})
}

func TestPressesComeBack(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		want := Press{
			Action: rapid.StringMatching(`[a-z0-9_.]{1,60}`).Draw(t, "action"),
			Form:   rapid.Bool().Draw(t, "form"),
		}
		if args := rapid.MapOf(rapid.String(), rapid.String()).Draw(t, "args"); len(args) > 0 {
			want.Args = args
		}
		b := chat.Button{Label: "x", Action: want.Action, Args: want.Args, Form: want.Form}
		var p painter
		e := p.button(b)
		got, err := ReadPress(e.ActionID, e.Value)
		if diff := cmp.Diff(want, got); err != nil || diff != "" {
			t.Fatalf("button: %v (-want +got):\n%s", err, diff)
		}
		got, err = ReadPress("menu:0", optionValue(b))
		if diff := cmp.Diff(want, got); err != nil || diff != "" {
			t.Fatalf("menu: %v (-want +got):\n%s", err, diff)
		}
	})
}

func TestReadPressRefusesWhatIsNotOurs(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, id, value string }{
		{"another app's id", "approve", "1"},
		{"no index", "do:ticket.claim", ""},
		{"args that are not JSON", "do:ticket.claim:0", "{"},
		{"args that are no strings", "do:ticket.claim:0", `{"t":1}`},
		{"a field", "in:ticket.open:0", "x"},
		{"an empty line of a menu", "menu:1", ""},
		{"a menu with a broken query", "menu:1", "a?%zz"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if p, err := ReadPress(tt.id, tt.value); err == nil {
				t.Errorf("ReadPress(%q, %q) = %+v, want an error", tt.id, tt.value, p)
			}
		})
	}
}

// What people have typed stays when their form is drawn again, and gives way
// where the desk has set something else.
func TestFieldsKeepWhatTheyHold(t *testing.T) {
	t.Parallel()
	form := func(values ...string) chat.Form {
		return chat.Form{Action: "ticket.open", Fields: []chat.Field{{Name: "f", Input: chat.Line, Value: values}}}
	}
	id := func(f chat.Form, held Held) string {
		v := RenderForm(f, Open{Fields: map[string]Held{"f": held}})
		return v.Blocks.BlockSet[0].(*slack.InputBlock).Element.(*slack.PlainTextInputBlockElement).ActionID
	}
	first := id(form(), Held{})
	for _, tt := range []struct {
		name string
		form chat.Form
		held Held
		same bool
	}{
		{"nothing said about the value", form(), Held{first, []string{"typed"}}, true},
		{"the value that it holds", form("typed"), Held{first, []string{"typed"}}, true},
		{"another value", form("other"), Held{first, []string{"typed"}}, false},
		{"emptied", form([]string{}...), Held{first, nil}, true},
		{"a value again, after another", form("third"), Held{"in:ticket.open:f:7", []string{"x"}}, false},
		{"a field of another form", form(), Held{"in:ticket.close:f:7", []string{"x"}}, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if got := id(tt.form, tt.held); (got == first) != tt.same || !tt.same && got == tt.held.ActionID {
				t.Errorf("action id %q after %q", got, tt.held.ActionID)
			}
		})
	}
}

func TestInert(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ in, want string }{
		{"snake_case_name and 2*3*4", "snake_case_name and 2*3*4"},
		{"*bold* _italic_ ~strike~", "∗bold* ˍitalic_ ∼strike~"},
		{"`code` and ```fence```", "ˋcodeˋ and ˋˋˋfenceˋˋˋ"},
		{"(*bold*)", "(∗bold*)"},
		{"> quote\n>> more\na > b", "› quote\n›> more\na > b"},
		{":fire: stays", ":fire: stays"},
	} {
		if got := inert(tt.in); got != tt.want {
			t.Errorf("inert(%q) = %q, want %q", tt.in, got, tt.want)
		}
	}
}

func BenchmarkRender(b *testing.B) {
	card := chattest.Cards["triage"]
	b.ReportAllocs()
	for b.Loop() {
		blocks, _ := Render(card)
		if _, err := json.Marshal(blocks); err != nil {
			b.Fatal(err)
		}
	}
}
