package chat_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"github.com/deskhand/deskhand/bot/chat"
	"github.com/deskhand/deskhand/bot/chat/chattest"
)

func anyRich(t *rapid.T) chat.Rich {
	return rapid.SliceOfN(rapid.Custom(func(t *rapid.T) chat.Span {
		s := chat.Span{Text: rapid.String().Draw(t, "text"), Bold: rapid.Bool().Draw(t, "bold"), Italic: rapid.Bool().Draw(t, "italic"),
			Code: rapid.Bool().Draw(t, "code"), Strike: rapid.Bool().Draw(t, "strike"), Link: rapid.SampledFrom([]string{"", "https://desk.example/?a=1&b=<2>"}).Draw(t, "link")}
		if rapid.Bool().Draw(t, "mention") {
			s.User = chat.User{Platform: "slack", Workspace: "T1", ID: rapid.StringN(1, 9, -1).Draw(t, "user")}
		}
		if rapid.Bool().Draw(t, "time") {
			s.Time = time.Unix(rapid.Int64Range(0, 4e9).Draw(t, "s"), rapid.Int64Range(0, 999_999_999).Draw(t, "ns")).UTC()
		}
		return s
	}), 0, 4).Draw(t, "rich")
}

func anyButton(t *rapid.T) chat.Button {
	b := chat.Button{Label: rapid.String().Draw(t, "label"), Action: rapid.StringMatching(`[a-z0-9_.]{1,60}`).Draw(t, "action"),
		Args:  rapid.MapOfN(rapid.StringN(1, 3, -1), rapid.String(), 0, 3).Draw(t, "args"),
		Style: rapid.SampledFrom([]chat.Style{chat.Plain, chat.Primary, chat.Danger}).Draw(t, "style"),
		Name:  rapid.String().Draw(t, "name"), URL: rapid.SampledFrom([]string{"", "https://desk.example"}).Draw(t, "url"), Form: rapid.Bool().Draw(t, "form")}
	if rapid.Bool().Draw(t, "confirm") {
		b.Confirm = &chat.Confirm{Title: rapid.String().Draw(t, "title"), Text: "?", Yes: "Yes", No: "No"}
	}
	return b
}

func anyBlock(t *rapid.T) chat.Block {
	buttons := func(name string) []chat.Button {
		return rapid.SliceOfN(rapid.Custom(anyButton), 0, 3).Draw(t, name)
	}
	switch rapid.IntRange(0, 9).Draw(t, "block") {
	case 0:
		return chat.Heading{Text: rapid.String().Draw(t, "heading")}
	case 1:
		return chat.Section{Text: anyRich(t)}
	case 2:
		return chat.Quote{Text: anyRich(t)}
	case 3:
		return chat.Note{Text: anyRich(t)}
	case 4:
		return chat.Facts(rapid.SliceOfN(rapid.Custom(func(t *rapid.T) chat.Fact {
			return chat.Fact{Label: rapid.String().Draw(t, "label"), Value: anyRich(t)}
		}), 0, 3).Draw(t, "facts"))
	case 5:
		return chat.List{Ordered: rapid.Bool().Draw(t, "ordered"), Items: rapid.SliceOfN(rapid.Custom(anyRich), 0, 3).Draw(t, "items")}
	case 6:
		return chat.Divider{}
	case 7:
		return chat.Picture{URL: "https://desk.example/a.png", Alt: rapid.String().Draw(t, "alt")}
	case 8:
		return chat.Row{Text: anyRich(t), Button: anyButton(t)}
	}
	return chat.Actions{Buttons: buttons("buttons"), Menu: buttons("menu")}
}

// wantStored says that a card comes back from storage as it went in.
func wantStored(t interface{ Fatalf(string, ...any) }, c chat.Card) {
	js, err := json.Marshal(c)
	if err != nil {
		t.Fatalf("storing: %v", err)
	}
	var back chat.Card
	if err := json.Unmarshal(js, &back); err != nil {
		t.Fatalf("reading back %s: %v", js, err)
	}
	if diff := cmp.Diff(c, back, cmpopts.EquateEmpty()); diff != "" {
		t.Fatalf("card (-stored +read):\n%s", diff)
	}
}

func TestCardComesBackAsItWentIn(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		wantStored(t, chat.Card{Text: rapid.String().Draw(t, "text"), Blocks: rapid.SliceOfN(rapid.Custom(anyBlock), 0, 5).Draw(t, "blocks")})
	})
}

func TestWordsAreStoredOnce(t *testing.T) {
	t.Parallel()
	c := chat.Words("is it plugged in?")
	wantStored(t, c)
	js, err := json.Marshal(c)
	if want := `{"said":"is it plugged in?"}`; err != nil || string(js) != want {
		t.Errorf("stored as %s, %v; want %s", js, err, want)
	}
	marked := chat.Card{Text: c.Text, Blocks: []chat.Block{chat.Section{Text: chat.B(c.Text)}}}
	if wantStored(t, marked); marked.Says(c.Text) || !c.Says(c.Text) {
		t.Error("what is bold is taken for mere words, or these are not")
	}
}

func TestSamplesComeBackAsTheyWentIn(t *testing.T) {
	t.Parallel()
	for name, card := range chattest.Cards {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			wantStored(t, card)
		})
	}
}

func TestFormsComeBackAsTheyWentIn(t *testing.T) {
	t.Parallel()
	for name, form := range chattest.Forms {
		js, err := json.Marshal(chat.Answer{Form: &form})
		if err != nil {
			t.Fatalf("%s: storing: %v", name, err)
		}
		var back chat.Answer
		if err := json.Unmarshal(js, &back); err != nil {
			t.Fatalf("%s: reading back %s: %v", name, js, err)
		}
		if diff := cmp.Diff(&form, back.Form, cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("%s (-stored +read):\n%s", name, diff)
		}
	}
}

func TestStoredCardsThatCantBeRead(t *testing.T) {
	t.Parallel()
	for name, js := range map[string]string{
		"a block of a later release":  `{"text": "x", "blocks": [{"k": "hologram"}]}`,
		"a block without a kind":      `{"text": "x", "blocks": [{}]}`,
		"actions without any":         `{"text": "x", "blocks": [{"k": "actions"}]}`,
		"a list without one":          `{"text": "x", "blocks": [{"k": "list"}]}`,
		"a picture without one":       `{"text": "x", "blocks": [{"k": "picture"}]}`,
		"a row without one":           `{"text": "x", "blocks": [{"k": "row"}]}`,
		"something that is no card":   `[]`,
		"something that is no object": `"x"`,
	} {
		card := chat.Card{Text: "as before"}
		if err := json.Unmarshal([]byte(js), &card); err == nil {
			t.Errorf("%s was read as %+v", name, card)
		}
	}
}

func FuzzStoredCard(f *testing.F) {
	for _, card := range chattest.Cards {
		js, err := json.Marshal(card)
		if err != nil {
			f.Fatal(err)
		}
		if len(js) < 4000 {
			f.Add(js)
		}
	}
	f.Add([]byte(`{"blocks":[{"k":"section","r":[{"at":"2026-03-02T12:00:00Z"}]}]}`))
	f.Fuzz(func(t *testing.T, js []byte) {
		var c chat.Card
		if err := json.Unmarshal(js, &c); err != nil {
			return
		}
		wantStored(t, c) // whatever can be read can be stored again
	})
}
