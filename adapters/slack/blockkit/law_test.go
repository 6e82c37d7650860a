package blockkit

import (
	"encoding/json"
	"strconv"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/deskhand/deskhand/adapters/slack/slacktest"
	"github.com/deskhand/deskhand/bot/chat"
)

// Whatever a card holds, Slack takes it.
func TestSlackTakesAnyCard(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		c := chat.Card{Text: words(t), Blocks: rapid.SliceOfN(rapid.Custom(anyBlock), 0, 70).Draw(t, "blocks")}
		blocks, text := Render(c)
		js := refuse(t, slacktest.OnMessage, blocks)
		var tree any
		if err := json.Unmarshal(js, &tree); err != nil {
			t.Fatal(err)
		}
		if n := shownIn(tree); n > 13_000 {
			t.Fatalf("%d characters, which Slack refuses in a message", n)
		}
		if n := units(text); n == 0 || n > maxText {
			t.Fatalf("a fall-back of %d characters", n)
		}
		refuse(t, slacktest.OnHome, RenderHome(c).Blocks.BlockSet)
	})
}

// And whatever a form holds, as long as its fields have names of their own.
func TestSlackTakesAnyForm(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		f := chat.Form{
			Action: "form", Title: words(t), Submit: words(t), Close: words(t), Keep: rapid.Bool().Draw(t, "keep"),
			Intro: rapid.SliceOfN(rapid.Custom(anyBlock), 0, 12).Draw(t, "intro"),
		}
		for i := range rapid.IntRange(0, 12).Draw(t, "fields") {
			f.Fields = append(f.Fields, anyField(t, "f"+strconv.Itoa(i)))
		}
		js, err := json.Marshal(RenderForm(f, Open{Meta: Meta{Channel: "C000000001", Thread: "1700000000.000001"}}))
		if err != nil {
			t.Fatal(err)
		}
		for _, err := range slacktest.ValidateView(js) {
			t.Fatalf("%v\n%s", err, js)
		}
	})
}

// refuse fails if Slack would; it returns the blocks as they are sent.
func refuse[B any](t *rapid.T, on slacktest.Surface, blocks []B) []byte {
	t.Helper()
	js, err := json.Marshal(blocks)
	if err != nil {
		t.Fatal(err)
	}
	for _, err := range slacktest.Validate(on, js) {
		t.Fatalf("%v\n%s", err, js)
	}
	return js
}

// words are short, long, empty, or full of what Slack could take for markup.
func words(t *rapid.T) string {
	s := rapid.OneOf(
		rapid.StringN(0, 30, -1),
		rapid.StringOfN(rapid.RuneFrom([]rune("&<>*_~`|\n \u0000\uE000\uE001\u200D👍🏽é")), 0, 60, -1),
		rapid.Just("Restart the printer."),
	).Draw(t, "words")
	out := ""
	for range rapid.SampledFrom([]int{1, 1, 1, 1, 40, 300}).Draw(t, "times") {
		out += s
	}
	return out
}

func anyRich(t *rapid.T) chat.Rich {
	var r chat.Rich
	for range rapid.IntRange(0, 4).Draw(t, "spans") {
		s := chat.Span{Text: words(t), Bold: rapid.Bool().Draw(t, "bold"), Code: rapid.Bool().Draw(t, "code")}
		switch rapid.IntRange(0, 5).Draw(t, "span") {
		case 0:
			s = chat.Span{User: chat.User{ID: rapid.SampledFrom([]string{"U000000001", "29:teams-id", "<!here>"}).Draw(t, "user")}, Text: s.Text}
		case 1:
			s = chat.Span{Time: time.Unix(1_700_000_000, 0)}
		case 2:
			s.Link = rapid.SampledFrom([]string{"https://desk.example/a?b=1&c=<d>|e", "javascript:alert(1)", "mailto:a@b.example", "x y"}).Draw(t, "link")
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
		return chat.Picture{URL: rapid.SampledFrom([]string{"https://desk.example/a.png", "", "file:///a"}).Draw(t, "url"), Alt: words(t)}
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
		buttons := anyButtons(t, 1)
		if len(buttons) == 0 {
			buttons = []chat.Button{{}}
		}
		return chat.Row{Text: anyRich(t), Button: buttons[0]}
	default:
		return chat.Actions{Buttons: anyButtons(t, 6), Menu: anyButtons(t, 8)}
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
			b.URL = "https://desk.example/"
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
		switch f.Input {
		case chat.Line, chat.Paragraph:
			f.Value = []string{words(t)}
		case chat.Choice, chat.Select, chat.Checks, chat.Search:
			f.Value = []string{"v1", "v2", "gone"}[:rapid.IntRange(0, 3).Draw(t, "values")]
		case chat.Person:
			f.Value = []string{"U000000001"}
		case chat.Channel:
			f.Value = []string{"C000000001"}
		case chat.Date:
			f.Value = []string{"2026-11-20"}
		case chat.Time:
			f.Value = []string{"14:05"}
		}
	}
	return f
}
