package adaptive

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"github.com/deskhand/deskhand/adapters/teams/teamstest"
	"github.com/deskhand/deskhand/bot/chat"
)

// Whatever a card holds, Teams takes it, and the last buttons are on it.
func TestTeamsTakesAnyCard(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		p := chat.Post{Card: chat.Card{Text: words(t), Blocks: rapid.SliceOfN(rapid.Custom(anyBlock), 0, 40).Draw(t, "blocks")}}
		if rapid.Bool().Draw(t, "persona") {
			p.As = &chat.Persona{Name: words(t)}
		}
		for i := range rapid.SampledFrom([]int{0, 1, 200}).Draw(t, "viewers") {
			p.Viewers = append(p.Viewers, chat.User{ID: "29:viewer-" + strconv.Itoa(i)})
		}
		last := chat.Button{Label: "The last one", Action: "last"}
		p.Card.Blocks = append(p.Card.Blocks, chat.Actions{Buttons: []chat.Button{last}})
		before := encode(p)
		js := Card(p, Options{Footer: words(t)})
		if err := teamstest.CheckCard(js); err != nil {
			t.Fatalf("%v\n%s", err, js)
		}
		if !strings.Contains(string(js), last.Label) {
			t.Fatalf("the last button is gone:\n%s", js)
		}
		if s := Summary(p); s == "" || units(s) > maxSummary {
			t.Fatalf("a summary of %d characters", units(s))
		}
		if string(before) != string(encode(p)) {
			t.Fatal("drawing has changed the card")
		}
		if err := teamstest.CheckCard(Card(chat.Post{Card: p.Card}, Options{})); err != nil {
			t.Fatal(err)
		}
	})
}

// And whatever a form holds; what people have entered is on it again.
func TestTeamsTakesAnyForm(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		f := chat.Form{
			Action: "form", Title: words(t), Submit: words(t), Close: words(t), Keep: rapid.Bool().Draw(t, "keep"),
			Intro: rapid.SliceOfN(rapid.Custom(anyBlock), 0, 8).Draw(t, "intro"),
			Args:  rapid.MapOfN(rapid.StringN(1, 3, -1), rapid.StringN(0, 200, -1), 0, 3).Draw(t, "args"),
		}
		open := Open{Meta: Meta{Channel: "19:a@thread.tacv2", Thread: "1"}, Values: chat.Values{}, Errors: map[string]string{}}
		for i := range rapid.IntRange(0, 10).Draw(t, "fields") {
			field := anyField(t, "f"+strconv.Itoa(i))
			f.Fields = append(f.Fields, field)
			if rapid.Bool().Draw(t, "wrong") {
				open.Errors[field.Name] = words(t)
			}
			if rapid.Bool().Draw(t, "held") {
				open.Values[field.Name] = anyValue(t, field.Input)
			}
		}
		js := Dialog(f, open)
		if err := teamstest.CheckDialog(js); err != nil {
			t.Fatalf("%v\n%s", err, js)
		}
	})
}

// What a dialog shows as its fields' values is what comes back when it is sent
// as it is, also through a second round with errors.
func TestFormsComeBack(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		f := chat.Form{Action: "ticket.open", Title: "Open", Submit: "Send", Args: chat.Args{"x": rapid.String().Draw(t, "arg")},
			Intro: []chat.Block{chat.Section{Text: chat.T("Hello")}}}
		want := chat.Values{}
		for i := range rapid.IntRange(0, 6).Draw(t, "fields") {
			field := chat.Field{Name: "f" + strconv.Itoa(i), Label: "Label", Optional: rapid.Bool().Draw(t, "optional"),
				Input: rapid.SampledFrom([]chat.Input{chat.Line, chat.Paragraph, chat.Choice, chat.Select, chat.Checks, chat.Person, chat.Search, chat.Date, chat.Time}).Draw(t, "input"),
				Max:   rapid.SampledFrom([]int{0, 200}).Draw(t, "max"),
			}
			switch field.Input {
			case chat.Choice, chat.Select, chat.Checks:
				for _, v := range []string{"a", "b,c", "d%2C", "e&f<"} {
					field.Options = append(field.Options, chat.Option{Value: v, Label: "Option " + v})
				}
			}
			if v := anyValue(t, field.Input); rapid.Bool().Draw(t, "filled") {
				field.Value = v
				want[field.Name] = v
			}
			f.Fields = append(f.Fields, field)
		}
		meta := Meta{Channel: "19:a@thread.tacv2", Thread: "17", Reply: "r"}
		js := Dialog(f, Open{Meta: meta})
		for round := range 2 {
			u, err := Decode(sent(t, js, "Send"))
			if err != nil {
				t.Fatal(err)
			}
			bare := f
			bare.Fields = slices.Clone(f.Fields)
			for i := range bare.Fields {
				bare.Fields[i].Value = nil
			}
			got := Use{Action: "ticket.open", Args: f.Args, Sent: true, Form: &bare, Meta: meta, Values: want}
			if diff := cmp.Diff(got, u, cmpopts.EquateEmpty()); diff != "" {
				t.Fatalf("round %d (-want +got):\n%s", round, diff)
			}
			js = Dialog(*u.Form, Open{Meta: u.Meta, Values: u.Values, Errors: map[string]string{"f0": "No."}})
		}
	})
}

// sent is what Teams sends when the button of that title is used in a dialog
// that nobody has changed.
func sent(t interface{ Fatalf(string, ...any) }, js json.RawMessage, title string) json.RawMessage {
	var tree any
	if err := json.Unmarshal(js, &tree); err != nil {
		t.Fatalf("%v", err)
	}
	out := map[string]any{}
	found := false
	walk(tree, func(m map[string]any) {
		typ, _ := m["type"].(string)
		switch {
		case strings.HasPrefix(typ, "Action.") && m["title"] == title && !found:
			found = true
			for k, v := range m["data"].(map[string]any) {
				out[k] = v
			}
		case strings.HasPrefix(typ, "Input."):
			if v, ok := m["value"]; ok { // empty inputs are absent
				out[m["id"].(string)] = v
			}
		}
	})
	if !found {
		t.Fatalf("no button %q in %s", title, js)
	}
	return encode(out)
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

func TestPressesComeBack(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		b := chat.Button{Label: "Press", Action: rapid.StringMatching(`[a-z0-9_.]{1,60}`).Draw(t, "action"), Form: rapid.Bool().Draw(t, "form"),
			Args: rapid.MapOfN(rapid.String(), rapid.String(), 0, 4).Draw(t, "args")}
		if rapid.Bool().Draw(t, "asks") {
			b.Confirm = &chat.Confirm{Title: "Sure?", Yes: "Press it", No: "No"}
		}
		want := Use{Action: b.Action, Args: b.Args, Opens: b.Form}
		title := b.Label
		if b.Confirm != nil {
			title = b.Confirm.Yes
		}
		card := Card(chat.Post{Card: chat.Card{Blocks: []chat.Block{chat.Actions{Menu: []chat.Button{b}}}}}, Options{})
		got, err := Decode(sent(t, card, title))
		if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); err != nil || diff != "" {
			t.Fatalf("%v (-want +got):\n%s", err, diff)
		}
	})
}

// Whatever is typed into text that is Markdown, none of its marks is left that
// could begin something.
func TestInertTextStaysText(t *testing.T) {
	t.Parallel()
	typed := rapid.StringOf(rapid.RuneFrom([]rune("ab1 .)*_~`[](){}<>&#+-=|!:\\\n/é👍🏽")))
	rapid.Check(t, func(t *rapid.T) {
		s := typed.Draw(t, "s")
		got := inert(s, true)
		if back := strings.NewReplacer("\u200B", "", "∗", "*", "ˍ", "_", "∼", "~", "ˋ", "`").Replace(got); back != s {
			t.Fatalf("inert(%q) = %q reads as %q", s, got, back)
		}
		for _, mark := range []string{"*", "`", "~", "](", "</", "<a", "{{", "&a", "&#", "\\[", "\n- ", "\n1.", "\n#", "\n>"} {
			if strings.Contains("\n"+got, mark) {
				t.Fatalf("inert(%q) = %q has %q in it", s, got, mark)
			}
		}
	})
}

// words are short, long, empty, or full of what Teams could take for markup.
func words(t *rapid.T) string {
	s := rapid.OneOf(
		rapid.StringN(0, 30, -1),
		rapid.StringOfN(rapid.RuneFrom([]rune("&<>*_~`|[](){}\n\r \u0000\uE000\uE001\u200D👍🏽éאב")), 0, 60, -1),
		rapid.SampledFrom([]string{"Restart the printer.", "{{DATE(2026-01-01T00:00:00Z)}}", "<at>Ana</at>"}),
	).Draw(t, "words")
	return strings.Repeat(s, rapid.SampledFrom([]int{1, 1, 1, 1, 40, 300}).Draw(t, "times"))
}

func anyRich(t *rapid.T) chat.Rich {
	var r chat.Rich
	for range rapid.IntRange(0, 4).Draw(t, "spans") {
		s := chat.Span{Text: words(t), Bold: rapid.Bool().Draw(t, "bold"), Code: rapid.Bool().Draw(t, "code"), Italic: rapid.Bool().Draw(t, "italic")}
		switch rapid.IntRange(0, 5).Draw(t, "span") {
		case 0:
			id := rapid.SampledFrom([]string{"6b1e2b6e-3c1c-4d2f-9d3e-1c2b3a4d5e6f", "29:1abcDEF_-x", "<at>", "U" + strconv.Itoa(rapid.IntRange(0, 200).Draw(t, "n"))}).Draw(t, "user")
			s = chat.Span{User: chat.User{ID: id}, Text: s.Text}
		case 1:
			s = chat.Span{Time: time.Unix(1_700_000_000, 5)}
		case 2:
			s.Link = rapid.SampledFrom([]string{"https://desk.example/a_(b)?b=1&c=<d>|e", "javascript:alert(1)", "mailto:a@b.example", "x y"}).Draw(t, "link")
		}
		r = append(r, s)
	}
	return r
}

func anyBlock(t *rapid.T) chat.Block {
	switch rapid.IntRange(0, 9).Draw(t, "block") {
	case 0:
		return chat.Heading{Text: words(t)}
	case 1:
		return chat.Section{Text: anyRich(t)}
	case 2:
		return chat.Quote{Text: anyRich(t)}
	case 3:
		return chat.Note{Text: anyRich(t)}
	case 4:
		return chat.Divider{}
	case 5:
		return chat.Picture{URL: rapid.SampledFrom([]string{"https://desk.example/a.png", "", "file:///a", "mailto:a@b.example"}).Draw(t, "url"), Alt: words(t)}
	case 6:
		var fs chat.Facts
		for range rapid.IntRange(0, 12).Draw(t, "facts") {
			fs = append(fs, chat.Fact{Label: words(t), Value: anyRich(t)})
		}
		return fs
	case 7:
		l := chat.List{Ordered: rapid.Bool().Draw(t, "ordered")}
		for range rapid.IntRange(0, 12).Draw(t, "items") {
			l.Items = append(l.Items, anyRich(t))
		}
		return l
	case 8:
		return chat.Row{Text: anyRich(t), Button: append(anyButtons(t, 1), chat.Button{})[0]}
	default:
		return chat.Actions{Buttons: anyButtons(t, 8), Menu: anyButtons(t, 8)}
	}
}

func anyButtons(t *rapid.T, most int) []chat.Button {
	var bs []chat.Button
	for range rapid.IntRange(0, most).Draw(t, "buttons") {
		b := chat.Button{
			Label: words(t), Action: "do.it", Name: words(t), Form: rapid.Bool().Draw(t, "form"),
			Style: rapid.SampledFrom([]chat.Style{chat.Plain, chat.Primary, chat.Danger}).Draw(t, "style"),
			Args:  chat.Args{"k": rapid.StringN(0, 60, -1).Draw(t, "arg")},
		}
		if rapid.Bool().Draw(t, "page") {
			b.URL = rapid.SampledFrom([]string{"https://desk.example/", "javascript:alert(1)"}).Draw(t, "url")
		}
		if rapid.Bool().Draw(t, "confirm") {
			b.Confirm = &chat.Confirm{Title: words(t), Text: words(t), Yes: words(t), No: words(t)}
		}
		bs = append(bs, b)
	}
	return bs
}

func anyField(t *rapid.T, name string) chat.Field {
	f := chat.Field{
		Name: name, Label: words(t), Hint: words(t), Optional: rapid.Bool().Draw(t, "optional"), Refresh: rapid.Bool().Draw(t, "refresh"),
		Input: rapid.SampledFrom([]chat.Input{chat.Line, chat.Paragraph, chat.Choice, chat.Select, chat.Checks, chat.Person, chat.Channel, chat.Search, chat.Date, chat.Time}).Draw(t, "input"),
		Max:   rapid.IntRange(0, 5000).Draw(t, "max"),
	}
	for i := range rapid.IntRange(0, 12).Draw(t, "options") {
		f.Options = append(f.Options, chat.Option{Value: "v" + strconv.Itoa(i), Label: words(t), Hint: words(t)})
	}
	if rapid.Bool().Draw(t, "filled") {
		f.Value = anyValue(t, f.Input)
	}
	return f
}

func anyValue(t *rapid.T, i chat.Input) []string {
	switch i {
	case chat.Choice, chat.Select:
		return []string{rapid.SampledFrom([]string{"a", "b,c", "d%2C", "e&f<"}).Draw(t, "value")}
	case chat.Checks:
		return rapid.SampledFrom([][]string{{"a"}, {"b,c"}, {"a", "b,c", "d%2C", "e&f<"}}).Draw(t, "values")
	case chat.Person:
		return []string{"6b1e2b6e-3c1c-4d2f-9d3e-1c2b3a4d5e6f"}
	case chat.Channel:
		return []string{"19:a@thread.tacv2"}
	case chat.Date:
		return []string{"2026-11-20"}
	case chat.Time:
		return []string{"14:05"}
	case chat.Search:
		return []string{"12"}
	default:
		return []string{rapid.StringMatching(`[a-z<>&,%{]([ a-zé,]{0,120}[a-z]{10})?`).Draw(t, "text")}
	}
}
