package blockkit

import (
	"encoding/json"
	"errors"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/slack-go/slack"

	"github.com/deskhand/deskhand/bot/chat"
)

// An action id says what an element is and keeps it unique on its surface:
//
//	do:ticket.claim:0      a button: the action, and which button it is
//	form:ticket.resolve:1  a button that opens a form, answered within the call
//	menu:2                 a menu; the option's value says what was chosen
//	in:ticket.open:title:0 a field of the form ticket.open; see RenderForm
const (
	doPrefix    = "do:"
	formPrefix  = "form:"
	menuPrefix  = "menu:"
	inputPrefix = "in:"
)

// Press is what a button or the line of a menu carries.
type Press struct {
	Action string
	Args   chat.Args
	Form   bool // it opens a form
}

var errNotOurs = errors.New("not an element of the desk's")

// ReadPress reads back a button, or a line of a menu, from what Slack reports:
// the element's action id and the button's or the option's value.
func ReadPress(actionID, value string) (Press, error) {
	if strings.HasPrefix(actionID, menuPrefix) {
		return readOption(value)
	}
	var p Press
	rest, ok := strings.CutPrefix(actionID, formPrefix)
	if ok {
		p.Form = true
	} else if rest, ok = strings.CutPrefix(actionID, doPrefix); !ok {
		return Press{}, errNotOurs
	}
	if p.Action, _, ok = strings.Cut(rest, ":"); !ok {
		return Press{}, errNotOurs
	}
	if value != "" {
		if err := json.Unmarshal([]byte(value), &p.Args); err != nil {
			return Press{}, errNotOurs
		}
	}
	return p, nil
}

// IsInput says that an action id is that of a form's field.
func IsInput(actionID string) bool { return strings.HasPrefix(actionID, inputPrefix) }

// optionValue is what a menu's line carries: "form:ticket.assign?t=42&v=7".
// Slack allows it 150 characters, for which JSON is too wide.
func optionValue(b chat.Button) string {
	v := b.Action
	if b.Form {
		v = formPrefix + v
	}
	if len(b.Args) > 0 {
		q := make(url.Values, len(b.Args))
		for k, s := range b.Args {
			q.Set(k, s)
		}
		v += "?" + q.Encode()
	}
	return v
}

func readOption(value string) (Press, error) {
	var p Press
	value, p.Form = strings.CutPrefix(value, formPrefix)
	action, query, _ := strings.Cut(value, "?")
	if action == "" {
		return Press{}, errNotOurs
	}
	p.Action = action
	if query != "" {
		q, err := url.ParseQuery(query)
		if err != nil {
			return Press{}, errNotOurs
		}
		p.Args = make(chat.Args, len(q))
		for k := range q {
			p.Args[k] = q.Get(k)
		}
	}
	return p, nil
}

// actions draws the buttons, and behind them the menu: an overflow of up to
// five lines, else a select named "More".
//
// A line that a menu can't hold becomes a button: one with a question of its own
// (Slack asks for the whole menu or not at all), one whose Args don't fit in an
// option, and in a select one that opens a page.
func (p *painter) actions(a chat.Actions) {
	buttons := slices.Clone(a.Buttons)
	menu := make([]chat.Button, 0, len(a.Menu))
	for _, b := range a.Menu {
		switch {
		case b.Confirm != nil, len(optionValue(b)) > maxOptionValue, b.Action == "" && b.URL == "":
			buttons = append(buttons, b)
		default:
			menu = append(menu, b)
		}
	}
	if len(menu) > maxOverflow {
		buttons = append(buttons, slices.DeleteFunc(slices.Clone(menu), func(b chat.Button) bool { return b.URL == "" })...)
		menu = slices.DeleteFunc(menu, func(b chat.Button) bool { return b.URL != "" })
	}

	var es []slack.BlockElement
	for _, b := range buttons {
		es = append(es, p.button(b))
	}
	if len(menu) > 0 {
		es = append(es, p.menu(menu))
	}
	size := 0
	for _, b := range slices.Concat(buttons, menu) {
		size += buttonUnits(b)
	}
	for group := range slices.Chunk(es, maxElements) {
		p.add(slack.NewActionBlock("", group...), size)
		size = 0 // all of it is counted with the first
	}
}

// buttonUnits is about how many characters a button shows, its question among
// them.
func buttonUnits(b chat.Button) int {
	n := min(units(b.Label), maxButton)
	if c := b.Confirm; c != nil {
		n += min(units(c.Title), 100) + min(units(c.Text), 300) + min(units(c.Yes), 30) + min(units(c.No), 30)
	}
	return n
}

// id gives out an action id.
func (p *painter) id(prefix string) string {
	p.ids++
	return prefix + strconv.Itoa(p.ids-1)
}

func (p *painter) button(b chat.Button) *slack.ButtonBlockElement {
	prefix := doPrefix
	if b.Form {
		prefix = formPrefix
	}
	value := ""
	if len(b.Args) > 0 {
		// A map of strings always marshals.
		js, _ := json.Marshal(b.Args)
		value = string(js)
	}
	e := slack.NewButtonBlockElement(p.id(prefix+b.Action+":"), value, plainText(label(b.Label, maxButton)))
	if webURL(b.URL) {
		e.URL = b.URL
	}
	switch b.Style {
	case chat.Primary:
		if !p.primary {
			p.primary = true
			e.Style = slack.StylePrimary
		}
	case chat.Danger:
		e.Style = slack.StyleDanger
	case chat.Plain:
	}
	e.AccessibilityLabel = cut(oneLine(b.Name), maxButton)
	if c := b.Confirm; c != nil {
		e.Confirm = slack.NewConfirmationBlockObject(
			plainText(label(c.Title, 100)), plainText(label(c.Text, 300)),
			plainText(label(c.Yes, 30)), plainText(label(c.No, 30)))
		if b.Style == chat.Danger {
			e.Confirm.Style = slack.StyleDanger
		}
	}
	return e
}

func (p *painter) menu(bs []chat.Button) slack.BlockElement {
	bs = bs[:min(len(bs), maxOptions)]
	options := make([]*slack.OptionBlockObject, len(bs))
	for i, b := range bs {
		options[i] = slack.NewOptionBlockObject(optionValue(b), plainText(label(b.Label, maxOptionText)), nil)
		if webURL(b.URL) {
			options[i].URL = b.URL
			if b.Action == "" {
				options[i].Value = "page" // reported, and ignored
			}
		}
	}
	id := p.id(menuPrefix)
	if len(options) <= maxOverflow {
		return slack.NewOverflowBlockElement(id, options...)
	}
	return slack.NewOptionsSelectBlockElement(slack.OptTypeStatic, plainText("More"), id, options...)
}

// label is a text that must not be empty.
func label(s string, limit int) string {
	if s = cut(oneLine(s), limit); s == "" {
		return "…"
	}
	return s
}
