package teamstest_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/deskhand/deskhand/adapters/teams/teamstest"
)

// card is a card with these elements and actions.
func card(body, actions string) string {
	return `{"type":"AdaptiveCard","version":"1.5","body":[` + body + `],"actions":[` + actions + `]}`
}

const (
	hello  = `{"type":"TextBlock","text":"Hello"}`
	name   = `{"type":"Input.Text","id":"name","label":"Name"}`
	colour = `{"type":"Input.ChoiceSet","id":"c","label":"Colour","choices":[{"title":"Red","value":"r"},{"title":"Blue","value":"b"}]`
	claim  = `{"type":"Action.Execute","title":"Claim","verb":"claim","data":{"ticket":"1"},
		"fallback":{"type":"Action.Submit","title":"Claim","data":{"ticket":"1"}}}`
)

func repeat(s string, n int) string {
	return strings.TrimSuffix(strings.Repeat(s+",", n), ",")
}

func TestCheckCard(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name string
		card string
		want string // in the error; "" for none
	}{
		{"a text and a button", card(hello, claim), ""},
		{"every kind of input", card(`
			{"type":"Input.Text","id":"a","label":"A","isMultiline":true,"maxLength":10,"placeholder":"p","value":"v","isRequired":true,"errorMessage":"Say it"},
			{"type":"Input.Number","id":"b","label":"B","min":1,"max":3,"value":2},
			{"type":"Input.Date","id":"c","label":"C","min":"2026-01-01","value":"2026-02-28"},
			{"type":"Input.Time","id":"d","label":"D","value":"14:30"},
			{"type":"Input.Toggle","id":"e","title":"E","value":"false"},
			{"type":"Input.ChoiceSet","id":"f","label":"F","style":"filtered","value":"r","choices":[{"title":"Red","value":"r"}]},
			{"type":"Input.ChoiceSet","id":"g","label":"G","choices":[],"choices.data":{"type":"Data.Query","dataset":"graph.microsoft.com/users"}}`, claim), ""},
		{"every kind of element", card(`
			{"type":"RichTextBlock","inlines":["a",{"type":"TextRun","text":"b","italic":true,"weight":"Bolder"}]},
			{"type":"Image","url":"https://a.test/x.png","altText":"x","size":"small","msteams":{"allowExpand":true}},
			{"type":"ImageSet","images":[{"type":"Image","url":"https://a.test/x.png","altText":"x"}]},
			{"type":"FactSet","facts":[{"title":"State","value":""}]},
			{"type":"ColumnSet","columns":[{"type":"Column","width":"auto","items":[`+hello+`]},{"width":"50px"}]},
			{"type":"Container","style":"emphasis","bleed":true,"items":[`+hello+`],"selectAction":{"type":"Action.OpenUrl","url":"https://a.test"}},
			{"type":"ActionSet","actions":[`+claim+`]},
			{"type":"Table","columns":[{"width":1}],"rows":[{"type":"TableRow","cells":[{"type":"TableCell","items":[`+hello+`]}]}]}`, ""), ""},
		{"every way to bring something back", card(hello, `
			{"type":"Action.Submit","title":"a","data":{"x":1,"msteams":{"type":"task/fetch"}}},
			{"type":"Action.Submit","title":"b","data":{"msteams":{"type":"imBack","value":"hi"}}},
			{"type":"Action.Submit","title":"c","data":{"msteams":{"type":"messageBack","text":"hi","value":{"a":1}}}},
			{"type":"Action.ShowCard","title":"d","card":{"type":"AdaptiveCard","body":[`+name+`]}},
			{"type":"Action.OpenUrl","title":"e","url":"msteams:l/task"}`), ""},
		{"a view for some people", `{"type":"AdaptiveCard","version":"1.4","body":[` + hello + `],"refresh":{"action":{"type":"Action.Execute","verb":"look"},"userIds":["29:a","29:b"]}}`, ""},
		{"a mention", `{"type":"AdaptiveCard","version":"1.5","body":[{"type":"TextBlock","text":"Hi <at>Ana</at>"}],
			"msteams":{"width":"Full","entities":[{"type":"mention","text":"<at>Ana</at>","mentioned":{"id":"29:ana","name":"Ana"}}]}}`, ""},
		{"an input and, for old clients, the same input", card(`{"type":"Container","items":[`+name+`],"fallback":`+name+`}`, claim), ""},

		{"not JSON", `{"type":`, "is not JSON"},
		{"a list", `[]`, "is not an object"},
		{"a key twice", `{"type":"AdaptiveCard","type":"AdaptiveCard","version":"1.5","body":[` + hello + `]}`, `the key "type" is there twice`},
		{"something behind it", card(hello, "") + `{}`, "something behind"},
		{"text that is not UTF-8", card(`{"type":"TextBlock","text":"`+"\xff"+`"}`, ""), "not UTF-8"},
		{"too long", card(`{"type":"TextBlock","text":"`+strings.Repeat("x", 28<<10)+`"}`, ""), "at most 28672"},
		{"no type", `{"version":"1.5","body":[` + hello + `]}`, "needs its type"},
		{"another type", `{"type":"HeroCard","version":"1.5","body":[` + hello + `]}`, "/type: is HeroCard"},
		{"no version", `{"type":"AdaptiveCard","body":[` + hello + `]}`, "/version"},
		{"a version that Teams has not", `{"type":"AdaptiveCard","version":"1.6","body":[` + hello + `]}`, "/version"},
		{"a version that is none", `{"type":"AdaptiveCard","version":"1.05","body":[` + hello + `]}`, "/version"},
		{"nothing to show", `{"type":"AdaptiveCard","version":"1.5","body":[]}`, "shows nothing"},
		{"a table in a card of 1.4", `{"type":"AdaptiveCard","version":"1.4","body":[{"type":"Table","columns":[{"width":1}],"rows":[{"type":"TableRow","cells":[{"type":"TableCell","items":[]}]}]}]}`, "is of version 1.5"},
		{"a tooltip in a card of 1.4", `{"type":"AdaptiveCard","version":"1.4","actions":[{"type":"Action.OpenUrl","title":"a","url":"https://a.test","tooltip":"b"}]}`, "is of version 1.5"},
		{"an unknown element", card(`{"type":"Carousel"}`, ""), `"Carousel" is no element`},
		{"media", card(`{"type":"Media","sources":[]}`, ""), "no element"},
		{"an unknown property", card(`{"type":"TextBlock","text":"a","colour":"good"}`, ""), "/body/0/colour: TextBlock has no such property"},
		{"a property of another element", card(`{"type":"TextBlock","text":"a","items":[]}`, ""), "no such property"},
		{"a null", card(`{"type":"TextBlock","text":null}`, ""), "is null"},
		{"a number for a text", card(`{"type":"TextBlock","text":5}`, ""), "/body/0/text: is not text"},
		{"a text for a truth", card(`{"type":"TextBlock","text":"a","wrap":"true"}`, ""), "/body/0/wrap"},
		{"an unknown colour", card(`{"type":"TextBlock","text":"a","color":"red"}`, ""), "not one of"},
		{"a blank text", card(`{"type":"TextBlock","text":" "}`, ""), "is blank"},
		{"a fact without a value", card(`{"type":"FactSet","facts":[{"title":"a"}]}`, ""), `needs "value"`},
		{"a picture without words", card(`{"type":"Image","url":"https://a.test/x.png"}`, ""), `needs "altText"`},
		{"a picture that is not encrypted", card(`{"type":"Image","url":"http://a.test/x.png","altText":"x"}`, ""), "https"},
		{"an input without a name", card(`{"type":"Input.Text","label":"a"}`, ""), `needs "id"`},
		{"an input without a label", card(`{"type":"Input.Text","id":"a"}`, ""), "needs a label"},
		{"a required input that does not say what is wrong", card(`{"type":"Input.Text","id":"a","label":"a","isRequired":true}`, ""), "errorMessage"},
		{"two inputs with one name", card(name+","+name, claim), "is that of"},
		{"an input that hides what a button carries", card(`{"type":"Input.Text","id":"ticket","label":"a"}`, claim), "is overwritten"},
		{"a date as people write it", card(`{"type":"Input.Date","id":"a","label":"a","value":"1/2/2026"}`, ""), "not written as"},
		{"no choices", card(`{"type":"Input.ChoiceSet","id":"a","label":"a","choices":[]}`, ""), "nothing to choose"},
		{"a choice that is not there", card(colour+`,"value":"g"}`, ""), "not among the choices"},
		{"a choice twice", card(`{"type":"Input.ChoiceSet","id":"a","label":"a","choices":[{"title":"x","value":"1"},{"title":"y","value":"1"}]}`, ""), "there twice"},
		{"a comma where values are parted by commas", card(`{"type":"Input.ChoiceSet","id":"a","label":"a","isMultiSelect":true,"choices":[{"title":"x","value":"1,2"}]}`, ""), "comma"},
		{"a toggle that is neither on nor off", card(`{"type":"Input.Toggle","id":"a","title":"a","value":"yes"}`, ""), "neither"},
		{"a value longer than may be entered", card(`{"type":"Input.Text","id":"a","label":"a","maxLength":1,"value":"ab"}`, ""), "longer"},
		{"more cells than columns", card(`{"type":"Table","columns":[{"width":1}],"rows":[{"type":"TableRow","cells":[{"type":"TableCell","items":[]},{"type":"TableCell","items":[]}]}]}`, ""), "2 cells for 1"},
		{"a button without a title", card(hello, `{"type":"Action.Submit"}`), "no title"},
		{"a button without a verb", card(hello, `{"type":"Action.Execute","title":"a"}`), `needs "verb"`},
		{"a button that old clients do not show", card(hello, `{"type":"Action.Execute","title":"a","verb":"v"}`), "needs a fallback"},
		{"a button that old clients cannot press", card(hello, `{"type":"Action.Execute","title":"a","verb":"v","fallback":{"type":"Action.OpenUrl","title":"a","url":"https://a.test"}}`), "no Action.Submit"},
		{"a button that posts by itself", card(hello, `{"type":"Action.Http","title":"a"}`), "no action"},
		{"a button that opens nothing", card(hello, `{"type":"Action.OpenUrl","title":"a","url":"javascript:alert(1)"}`), "no address"},
		{"a dialog from Action.Execute", card(hello, `{"type":"Action.Execute","title":"a","verb":"v","fallback":"drop","data":{"msteams":{"type":"task/fetch"}}}`), "only Action.Submit"},
		{"an action that Teams has not", card(hello, `{"type":"Action.Submit","title":"a","data":{"msteams":{"type":"call"}}}`), "no action of Teams"},
		{"an element that is not there to toggle", card(hello, `{"type":"Action.ToggleVisibility","title":"a","targetElements":["x"]}`), "no element"},
		{"more buttons than are shown", card(hello, repeat(claim, 7)), "7 actions"},
		{"a fallback that is no action", card(hello, `{"type":"Action.Submit","title":"a","fallback":{"type":"TextBlock","text":"a"}}`), "no action"},
		{"more viewers than Teams asks", `{"type":"AdaptiveCard","version":"1.5","body":[` + hello + `],"refresh":{"action":{"type":"Action.Execute","verb":"v"},"userIds":[` + repeat(`"29:a"`, 61) + `]}}`, "61 ids"},
		{"a viewer by the id of Entra", `{"type":"AdaptiveCard","version":"1.5","body":[` + hello + `],"refresh":{"action":{"type":"Action.Execute","verb":"v"},"userIds":["33333333-3333-4333-8333-333333333330"]}}`, "not an id like"},
		{"a mention that nothing says", `{"type":"AdaptiveCard","version":"1.5","body":[` + hello + `],"msteams":{"entities":[{"type":"mention","text":"<at>Ana</at>","mentioned":{"id":"29:ana","name":"Ana"}}]}}`, "stands in no"},
		{"nested two hundred deep", card(strings.Repeat(`{"type":"Container","items":[`, 200)+hello+strings.Repeat("]}", 200), ""), "too deep"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			err := teamstest.CheckCard([]byte(tt.card))
			if (err == nil) != (tt.want == "") || err != nil && !strings.Contains(err.Error(), tt.want) {
				t.Errorf("CheckCard(%.300s) = %v; want %q", tt.card, err, tt.want)
			}
		})
	}
}

func TestADialogReachesTheBotBySubmitAlone(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, actions, want string }{
		{"Action.Submit", `{"type":"Action.Submit","title":"Send","data":{"form":"x"}}`, ""},
		{"Action.Execute", claim, "no action"},
		{"another dialog", `{"type":"Action.Submit","title":"a","data":{"msteams":{"type":"task/fetch"}}}`, "no meaning in a dialog"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			err := teamstest.CheckDialog([]byte(card(name, tt.actions)))
			if (err == nil) != (tt.want == "") || err != nil && !strings.Contains(err.Error(), tt.want) {
				t.Errorf("CheckDialog = %v; want %q", err, tt.want)
			}
		})
	}
}

func TestEachMistakeIsPointedAt(t *testing.T) {
	t.Parallel()
	err := teamstest.CheckCard([]byte(card(`{"type":"TextBlock","text":5,"color":"red"},{"type":"Nothing"}`, "")))
	joined, ok := err.(interface{ Unwrap() []error })
	if !ok || len(joined.Unwrap()) != 3 {
		t.Fatalf("%v; want three mistakes", err)
	}
	at := map[string]bool{}
	for _, e := range joined.Unwrap() {
		var c *teamstest.CardError
		if !errors.As(e, &c) {
			t.Fatalf("%v is a %T", e, e)
		}
		at[c.Pointer] = true
	}
	for _, p := range []string{"/body/0/text", "/body/0/color", "/body/1"} {
		if !at[p] {
			t.Errorf("nothing points at %s: %v", p, err)
		}
	}
}

// A card that is taken is one that any reader of JSON reads the same way.
func FuzzCheckCard(f *testing.F) {
	f.Add(card(hello, claim))
	f.Add(card(name+","+colour+`}`, claim))
	f.Add(`{"type":"AdaptiveCard","version":"1.5","refresh":{"action":{"type":"Action.Execute","verb":"v"},"userIds":[]},"body":[` + hello + `]}`)
	f.Fuzz(func(t *testing.T, s string) {
		err := teamstest.CheckCard([]byte(s))
		if err != nil {
			return
		}
		var c struct {
			Type, Version string
			Body, Actions []map[string]any
		}
		if err := json.Unmarshal([]byte(s), &c); err != nil {
			t.Fatalf("%q was taken: %v", s, err)
		}
		if c.Type != "AdaptiveCard" || len(c.Body)+len(c.Actions) == 0 {
			t.Fatalf("%q was taken", s)
		}
		for _, e := range append(c.Body, c.Actions...) {
			if fmt.Sprint(e["type"]) == "" {
				t.Fatalf("%q was taken", s)
			}
		}
	})
}

func TestCardsAsPeopleReadThem(t *testing.T) {
	t.Parallel()
	got := teamstest.RenderCard([]byte(card(`
		{"type":"TextBlock","text":"**Due** {{DATE(2026-11-21T09:45:00Z, SHORT)}} {{TIME(2026-11-21T09:45:00Z)}}, see [the page](https://a.test), 1\\. not a list"},
		{"type":"RichTextBlock","inlines":["Late: ",{"type":"TextRun","text":"{{TIME(2026-11-21T21:05:00Z)}}"}]},
		{"type":"FactSet","facts":[{"title":"State","value":"Open"}]},`+name+`,`+colour+`,"value":"b"},
		{"type":"Input.Toggle","id":"t","title":"Tell me","value":"true"},
		{"type":"TextBlock","text":"hidden","isVisible":false},
		{"type":"ColumnSet","columns":[{"width":"auto","items":[`+hello+`]}]}`, claim+`,{"type":"Action.OpenUrl","title":"More","mode":"secondary","url":"https://a.test"}`)))
	want := strings.Join([]string{
		"**Due** Sat, Nov 21, 2026 9:45 AM, see the page, 1. not a list", "Late: 9:05 PM", "State: Open", "Name: ____",
		"Colour: ( ) Red (x) Blue", "[x] Tell me", "Hello", "[Claim]", "[… More]",
	}, "\n")
	if got != want {
		t.Errorf("the card reads\n%s\nwant\n%s", got, want)
	}
}
