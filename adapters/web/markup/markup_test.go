package markup_test

import (
	"encoding/json"
	"flag"
	"html"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/deskhand/deskhand/adapters/web/markup"
	"github.com/deskhand/deskhand/bot/chat"
	"github.com/deskhand/deskhand/bot/chat/chattest"
)

var update = flag.Bool("update", false, "write the golden files anew")

func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", strings.ReplaceAll(name, " ", "_")+".html")
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatalf("%v (run with -update)", err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", path, diff)
	}
}

// press has a button's value say what it does.
func press(b chat.Button) string {
	js, err := json.Marshal(b.Args)
	if err != nil {
		panic(err)
	}
	return b.Action + string(js)
}

func card(t interface{ Fatalf(string, ...any) }, c chat.Card) string {
	got, err := markup.Card(c, press)
	if err != nil {
		t.Fatalf("Card: %v", err)
	}
	return string(got)
}

func form(t interface{ Fatalf(string, ...any) }, f chat.Form, wrong map[string]string) string {
	got, err := markup.Form(f, markup.Dialog{ID: "form", Action: "/form", Press: press, To: "/press", Back: "/", Hidden: map[string]string{"form": "sealed"}, Errors: wrong,
		Name: func(in chat.Input, id string) string {
			if in == chat.Person {
				return "Somebody known"
			}
			return ""
		}})
	if err != nil {
		t.Fatalf("Form: %v", err)
	}
	return string(got)
}

// everyday are the samples that are worth reading as a file.
var everyday = []string{"suggestion", "rows", "triage", "a link, a confirmation and two primaries", "hostile text everywhere", "right to left", "nothing in it", "empty labels", "open a ticket", "every input", "only to read", "hostile"}

func TestGoldenMarkup(t *testing.T) {
	t.Parallel()
	for _, name := range everyday {
		if c, ok := chattest.Cards[name]; ok {
			golden(t, "card "+name, card(t, c))
		}
		if f, ok := chattest.Forms[name]; ok {
			golden(t, "form "+name, form(t, f, nil))
		}
	}
	golden(t, "form refused", form(t, chattest.Forms["every input"], map[string]string{"line": "Not <this>.", "choice": "Nor this.", "search": "Nor that."}))
	golden(t, "form refused in a field it does not have", form(t, chattest.Forms["open a ticket"], map[string]string{"gone": "Begin again."}))
}

var (
	tag       = regexp.MustCompile(`<(/?)([a-zA-Z][a-zA-Z0-9]*)((?:\s+[a-z-]+(?:="[^"]*")?)*)\s*>`)
	attribute = regexp.MustCompile(`\s([a-z-]+)(?:="([^"]*)")?`)
	// void elements have no end.
	void = []string{"hr", "img", "input", "br"}
	// drawn are all elements and attributes that the package draws with. Anything
	// else has come out of somebody's text.
	drawn    = strings.Fields("a strong em s code time span button h2 p blockquote dl div dt dd ol ul li hr img details summary form input fieldset legend label textarea select option")
	drawnAre = strings.Fields(`href target rel aria-label class name value formaction formnovalidate aria-haspopup dir datetime src alt loading referrerpolicy id tabindex method action
		novalidate data-keep type role data-submit data-close data-field data-refresh aria-required aria-describedby aria-invalid autofocus checked for rows data-finds selected autocomplete aria-hidden required`)
)

// sound fails if markup is not what the package draws with, or does not nest.
func sound(t interface{ Errorf(string, ...any) }, what, markup string) {
	var open []string
	ids := map[string]bool{}
	rest := tag.ReplaceAllStringFunc(markup, func(s string) string {
		m := tag.FindStringSubmatch(s)
		name := m[2]
		if !slices.Contains(drawn, name) {
			t.Errorf("%s: there is a <%s>", what, name)
		}
		if m[1] == "/" {
			if len(open) == 0 || open[len(open)-1] != name {
				t.Errorf("%s: </%s> ends %v", what, name, open)
			} else {
				open = open[:len(open)-1]
			}
			return ""
		}
		if !slices.Contains(void, name) {
			open = append(open, name)
		}
		for _, a := range attribute.FindAllStringSubmatch(m[3], -1) {
			if !slices.Contains(drawnAre, a[1]) {
				t.Errorf("%s: <%s> has %s", what, name, a[1])
			}
			value := html.UnescapeString(a[2])
			switch a[1] {
			case "href", "src":
				if !strings.HasPrefix(value, "https://") && !strings.HasPrefix(value, "http://") && !strings.HasPrefix(value, "mailto:") && value != "/" {
					t.Errorf("%s: a link to %q", what, value)
				}
			case "id":
				if ids[value] {
					t.Errorf("%s: two elements have the id %s", what, value)
				}
				ids[value] = true
			}
		}
		return ""
	})
	if len(open) > 0 {
		t.Errorf("%s: %v is never ended", what, open)
	}
	if i := strings.IndexAny(rest, "<>"); i >= 0 {
		t.Errorf("%s: %q is left of the markup", what, rest[i:min(len(rest), i+40)])
	}
	for _, a := range regexp.MustCompile(`aria-describedby="([^"]*)"| for="([^"]*)"`).FindAllStringSubmatch(markup, -1) {
		for _, id := range strings.Fields(a[1] + " " + a[2]) {
			if !ids[id] {
				t.Errorf("%s: something is described by %s, which is not there", what, id)
			}
		}
	}
}

func TestEverySampleIsSound(t *testing.T) {
	t.Parallel()
	for name, c := range chattest.Cards {
		sound(t, name, card(t, c))
	}
	for name, f := range chattest.Forms {
		wrong := map[string]string{}
		for _, field := range f.Fields {
			wrong[field.Name] = chattest.Hostile
		}
		sound(t, name, form(t, f, nil))
		sound(t, name+", refused", form(t, f, wrong))
	}
}

// text is what a reader reads.
func text(markup string) string { return html.UnescapeString(tag.ReplaceAllString(markup, "")) }

func TestNothingThatWasSaidIsLost(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		// NUL is no character of HTML.
		words := rapid.StringOf(rapid.RuneFrom([]rune("aZ 9<>&\"'`=/\\;:-_{}[]()\n\täöü😀שלוםمرحبا"))).Draw(t, "words")
		span := chat.Span{Text: words, Bold: rapid.Bool().Draw(t, "bold"), Italic: rapid.Bool().Draw(t, "italic"), Code: rapid.Bool().Draw(t, "code"),
			Strike: rapid.Bool().Draw(t, "strike"), Link: rapid.SampledFrom([]string{"", "https://desk.example/?a=1&b=<2>", "javascript:alert(1)", "data:text/html,x", "//evil.example", "https:x"}).Draw(t, "link")}
		c := chat.Card{Blocks: []chat.Block{chat.Section{Text: chat.Rich{span}}, chat.Quote{Text: chat.Rich{span}}, chat.Row{Text: chat.Rich{span}, Button: chat.Button{Label: words, Name: words, Action: "x", Args: chat.Args{"k": words}}},
			chat.List{Items: []chat.Rich{{span}}}, chat.Facts{{Label: words, Value: chat.Rich{span}}}, chat.Actions{Menu: []chat.Button{{Label: words, URL: span.Link}}}}}
		got := card(t, c)
		sound(t, "a card", got)
		if strings.TrimSpace(words) != "" && strings.Count(text(got), words) < 4 {
			t.Errorf("%q is lost in\n%s", words, got)
		}
		f := chat.Form{Action: "x", Title: words, Submit: "Send", Fields: []chat.Field{
			{Name: "p", Label: words, Hint: words, Input: chat.Paragraph, Value: []string{words}},
			{Name: "c", Label: words, Input: chat.Choice, Options: []chat.Option{{Value: words, Label: words, Hint: words}}, Value: []string{words}},
			{Name: "s", Input: chat.Select, Options: []chat.Option{{Value: words, Label: words}}}}}
		sound(t, "a form", form(t, f, map[string]string{"p": words}))
	})
}
