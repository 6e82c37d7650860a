package chat

import (
	"encoding/json"
	"fmt"
)

// A Card is stored as JSON with the kind of each block beside it.
type storedBlock struct {
	Kind    string   `json:"k"`
	Text    string   `json:"t,omitempty"`
	Rich    Rich     `json:"r,omitempty"`
	Facts   Facts    `json:"f,omitempty"`
	List    *List    `json:"l,omitempty"`
	Actions *Actions `json:"a,omitempty"`
	Picture *Picture `json:"p,omitempty"`
}

type storedCard struct {
	Said   string        `json:"said,omitempty"` // in place of all else: a paragraph that is the text too
	Text   string        `json:"text,omitempty"`
	Blocks []storedBlock `json:"blocks,omitempty"`
}

// Words is a card that says a text without marks, and nothing else.
func Words(text string) Card {
	return Card{Text: text, Blocks: []Block{Section{Text: T(text)}}}
}

// words is the text of a card that Words has made.
func (c Card) words() (string, bool) {
	if len(c.Blocks) != 1 || c.Text == "" {
		return "", false
	}
	s, ok := c.Blocks[0].(Section)
	return c.Text, ok && len(s.Text) == 1 && s.Text[0] == Span{Text: c.Text}
}

// Says tells whether a card says a text and nothing else, as Words has it.
func (c Card) Says(text string) bool {
	said, ok := c.words()
	return ok && said == text
}

// MarshalJSON writes what UnmarshalJSON reads.
func (c Card) MarshalJSON() ([]byte, error) {
	if text, ok := c.words(); ok {
		return json.Marshal(storedCard{Said: text})
	}
	s := storedCard{Text: c.Text}
	for _, b := range c.Blocks {
		switch b := b.(type) {
		case Heading:
			s.Blocks = append(s.Blocks, storedBlock{Kind: "heading", Text: b.Text})
		case Section:
			s.Blocks = append(s.Blocks, storedBlock{Kind: "section", Rich: b.Text})
		case Quote:
			s.Blocks = append(s.Blocks, storedBlock{Kind: "quote", Rich: b.Text})
		case Note:
			s.Blocks = append(s.Blocks, storedBlock{Kind: "note", Rich: b.Text})
		case Facts:
			s.Blocks = append(s.Blocks, storedBlock{Kind: "facts", Facts: b})
		case List:
			s.Blocks = append(s.Blocks, storedBlock{Kind: "list", List: &b})
		case Divider:
			s.Blocks = append(s.Blocks, storedBlock{Kind: "divider"})
		case Picture:
			s.Blocks = append(s.Blocks, storedBlock{Kind: "picture", Picture: &b})
		case Row:
			s.Blocks = append(s.Blocks, storedBlock{Kind: "row", Rich: b.Text, Actions: &Actions{Buttons: []Button{b.Button}}})
		case Actions:
			s.Blocks = append(s.Blocks, storedBlock{Kind: "actions", Actions: &b})
		default:
			return nil, fmt.Errorf("chat: no way to store a %T", b)
		}
	}
	return json.Marshal(s)
}

// UnmarshalJSON reads a stored card; a block of a kind that a later release
// has brought is an error.
func (c *Card) UnmarshalJSON(data []byte) error {
	var s storedCard
	if err := json.Unmarshal(data, &s); err != nil {
		return err
	}
	if s.Said != "" {
		*c = Words(s.Said)
		return nil
	}
	*c = Card{Text: s.Text}
	for _, b := range s.Blocks {
		switch {
		case b.Kind == "heading":
			c.Blocks = append(c.Blocks, Heading{b.Text})
		case b.Kind == "section":
			c.Blocks = append(c.Blocks, Section{b.Rich})
		case b.Kind == "quote":
			c.Blocks = append(c.Blocks, Quote{b.Rich})
		case b.Kind == "note":
			c.Blocks = append(c.Blocks, Note{b.Rich})
		case b.Kind == "facts":
			c.Blocks = append(c.Blocks, b.Facts)
		case b.Kind == "divider":
			c.Blocks = append(c.Blocks, Divider{})
		case b.Kind == "list" && b.List != nil:
			c.Blocks = append(c.Blocks, *b.List)
		case b.Kind == "picture" && b.Picture != nil:
			c.Blocks = append(c.Blocks, *b.Picture)
		case b.Kind == "row" && b.Actions != nil && len(b.Actions.Buttons) == 1:
			c.Blocks = append(c.Blocks, Row{b.Rich, b.Actions.Buttons[0]})
		case b.Kind == "actions" && b.Actions != nil:
			c.Blocks = append(c.Blocks, *b.Actions)
		default:
			return fmt.Errorf("chat: unknown block %q in a stored card", b.Kind)
		}
	}
	return nil
}

// storedForm is a form whose blocks are stored as a card's.
type storedForm struct {
	bareForm
	Intro Card
}

type bareForm Form

// MarshalJSON writes what UnmarshalJSON reads.
func (f Form) MarshalJSON() ([]byte, error) {
	return json.Marshal(storedForm{bareForm(f), Card{Blocks: f.Intro}})
}

// UnmarshalJSON reads a stored form.
func (f *Form) UnmarshalJSON(data []byte) error {
	var s storedForm
	if err := json.Unmarshal(data, &s); err != nil {
		return err
	}
	*f = Form(s.bareForm)
	f.Intro = s.Intro.Blocks
	return nil
}
