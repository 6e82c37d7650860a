package adaptive

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/deskhand/deskhand/bot/chat"
	"github.com/deskhand/deskhand/bot/chat/chattest"
)

// drawn is a card of these blocks.
func drawn(t *testing.T, o Options, p chat.Post, bs ...chat.Block) (root map[string]any, js string) {
	t.Helper()
	p.Card.Blocks = bs
	raw := Card(p, o)
	if err := json.Unmarshal(raw, &root); err != nil {
		t.Fatal(err)
	}
	return root, strings.NewReplacer(`\u003c`, "<", `\u003e`, ">", `\u0026`, "&").Replace(string(raw))
}

func TestNamesakesAreToldApart(t *testing.T) {
	t.Parallel()
	ana := func(id string) chat.Span {
		return chat.Span{User: chat.User{Platform: "teams", ID: id}, Text: "Ana <Ruiz>"}
	}
	root, js := drawn(t, Options{}, chat.Post{}, chat.Section{Text: chat.Rich{ana("29:a"), {Text: " and "}, ana("29:b"), {Text: ", "}, ana("29:a")}})
	if want := "<at>Ana ‹Ruiz›</at> and <at>Ana ‹Ruiz› (2)</at>, <at>Ana ‹Ruiz›</at>"; !strings.Contains(js, want) {
		t.Errorf("no %q in %s", want, js)
	}
	if n := len(root["msteams"].(map[string]any)["entities"].([]any)); n != 2 {
		t.Errorf("%d mentions, want 2", n)
	}
}

func TestPeopleOfAnotherPlatformAreNamed(t *testing.T) {
	t.Parallel()
	_, js := drawn(t, Options{}, chat.Post{}, chat.Section{Text: chat.Rich{{User: chat.User{Platform: "slack", ID: "U1"}, Text: "Ben Osei"}}})
	if !strings.Contains(js, "@Ben Osei") || strings.Contains(js, "<at>") {
		t.Errorf("Ben of Slack is drawn as %s", js)
	}
}

func TestAPersonaStandsAboveItsWords(t *testing.T) {
	t.Parallel()
	p := chat.Post{As: &chat.Persona{Name: "Ben *Osei*"}}
	p.Card.Text = "On my way."
	root, _ := drawn(t, Options{}, p, chat.Section{Text: chat.T("On my way.")})
	first := root["body"].([]any)[0].(map[string]any)
	want := map[string]any{"type": "RichTextBlock", "inlines": []any{map[string]any{"type": "TextRun", "text": "Ben *Osei*", "weight": "Bolder"}}}
	if diff := cmp.Diff(want, first); diff != "" {
		t.Errorf("above the words (-want +got):\n%s", diff)
	}
	if got := Summary(p); got != "Ben *Osei*: On my way." {
		t.Errorf("Summary() = %q", got)
	}
}

func TestOnlySixtyViewersAndTheirTeamsIDs(t *testing.T) {
	t.Parallel()
	p := chat.Post{}
	for i := range 80 {
		p.Viewers = append(p.Viewers, chat.User{ID: strings.Repeat("x", i%70+1)})
	}
	root, _ := drawn(t, Options{ViewerID: func(u chat.User) string {
		if u.ID == "x" {
			return "" // not known yet
		}
		return "29:" + u.ID
	}}, p)
	r := root["refresh"].(map[string]any)
	if ids := r["userIds"].([]any); len(ids) != 60 || ids[0] != "29:xx" {
		t.Errorf("%d ids, the first %v", len(ids), ids[0])
	}
	js, _ := json.Marshal(r["action"].(map[string]any)["data"])
	if u, err := Decode(js); err != nil || !u.View {
		t.Errorf("the refresh comes back as %+v, %v", u, err)
	}
	if root, _ = drawn(t, Options{}, p); root["refresh"] != nil {
		t.Error("a refresh for ids that are not Teams' own")
	}
}

func TestFooter(t *testing.T) {
	t.Parallel()
	_, js := drawn(t, Options{Footer: "No tokens are checked."}, chat.Post{}, chat.Divider{}, chat.Section{Text: chat.T("Hello")})
	if !strings.HasSuffix(js[:strings.Index(js, `,"msteams"`)], `"text":"No tokens are checked.","wrap":true,"size":"Small","isSubtle":true}]`) {
		t.Errorf("the footer is not at the foot: %s", js)
	}
}

func TestWhatIsLeftOutIsSaid(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{
		"60 blocks of long facts": "… There is more than fits here.",
		"30 buttons":              "… and 120 more than fits here.",
		"far too much text":       "…",
	} {
		if js := string(Card(chat.Post{Card: chattest.Cards[name]}, Options{})); !strings.Contains(js, want) {
			t.Errorf("%s: no %q", name, want)
		}
	}
	if js := string(Card(chat.Post{Card: chattest.Cards["far too much text"]}, Options{})); !strings.Contains(js, "This short line must not be lost.") {
		t.Error("a short line gave way to the long ones")
	}
}

func TestErrorsStandAtTheirFields(t *testing.T) {
	t.Parallel()
	f := chat.Form{Action: "f", Submit: "Send", Fields: []chat.Field{{Name: "a", Label: "A", Input: chat.Line}, {Name: "b", Label: "B", Input: chat.Line}}}
	js := Dialog(f, Open{Values: chat.Values{"a": {"typed"}}, Errors: map[string]string{"a": "Say *more*.", "gone": "Nobody is there."}})
	var c struct{ Body []map[string]any }
	if err := json.Unmarshal(js, &c); err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, e := range c.Body {
		if e["type"] == "TextBlock" {
			got = append(got, e["color"].(string)+": "+e["text"].(string))
		} else {
			value, _ := e["value"].(string)
			got = append(got, e["id"].(string)+"="+value)
		}
	}
	if diff := cmp.Diff([]string{"Attention: Nobody is there.", "in.a=typed", "Attention: Say ∗more∗.", "in.b="}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestInert(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ in, want string }{
		{"snake_case and 2 < 3 & 4, INC-42 [new] #5", "snake_case and 2 < 3 & 4, INC-42 [new] #5"},
		{"*bold* _italic_ ~strike~ `code`", "∗bold∗ ˍitalic_ ∼strike∼ ˋcodeˋ"},
		{"[bank](https://evil.example)", "[bank]\u200B(https://evil.example)"},
		{"<at>Ana</at> &lt;", "<\u200Bat>Ana<\u200B/at> &\u200Blt;"},
		{"{{DATE(x)}}", "{\u200B{DATE(x)}}"},
		{"- one\n2. two\n3 three\n# four", "\u200B- one\n\u200B2. two\n3 three\n\u200B# four"},
	} {
		if got := inert(tt.in, true); got != tt.want {
			t.Errorf("inert(%q) = %q, want %q", tt.in, got, tt.want)
		}
	}
}

func TestFinds(t *testing.T) {
	t.Parallel()
	find := chat.Find{Title: "KB-12 Keep the VPN connected", Text: "Turn off <b>power saving</b>", Card: chattest.Cards["suggestion"]}
	js := Finds([]chat.Find{find, {}}, Options{})
	golden(t, "finds", js)
	var many []chat.Find
	for range 60 {
		many = append(many, find)
	}
	if n := strings.Count(string(Finds(many, Options{})), ContentType); n != maxFinds {
		t.Errorf("%d finds, want %d", n, maxFinds)
	}
	golden(t, "found", Found([]chat.Option{{Value: "12", Label: "KB-12", Hint: "VPN"}, {Value: "13"}}))
}

func TestAHintIsReadWithoutAnIntroduction(t *testing.T) {
	t.Parallel()
	f := chat.Form{Title: "t", Fields: []chat.Field{{Name: "n", Label: "What?", Input: chat.Line, Hint: "In a few words."}}}
	if card := string(Dialog(f, Open{})); !strings.Contains(card, `"text":"In a few words."`) {
		t.Errorf("the dialog does not show the hint: %s", card)
	}
}
