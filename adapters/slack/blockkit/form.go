package blockkit

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"

	"github.com/slack-go/slack"

	"github.com/deskhand/deskhand/bot/chat"
)

// Meta travels with a form as its private metadata: its Args, and where it was
// opened, which Slack does not say when it is sent. At most 3,000 characters.
type Meta struct {
	Args    chat.Args `json:"a,omitempty"`
	Channel string    `json:"c,omitempty"`
	Thread  string    `json:"t,omitempty"`
	Reply   string    `json:"r,omitempty"`
}

// ReadMeta reads back a form's private metadata.
func ReadMeta(s string) (Meta, error) {
	var m Meta
	if s == "" {
		return m, nil
	}
	if err := json.Unmarshal([]byte(s), &m); err != nil {
		return Meta{}, errNotOurs
	}
	return m, nil
}

// Held is what a field of an open form holds, and under which action id.
type Held struct {
	ActionID string
	Value    []string
}

// Open is the form on a person's screen that another one takes the place of, or
// the zero Open.
type Open struct {
	Meta   Meta // Args aside
	Fields map[string]Held
}

// RenderForm draws a form as a modal. A field's block id is its name.
//
// Slack keeps what a person has entered in a field as long as block id and
// action id stay the same, and then ignores the initial value. So a field of the
// same form keeps its action id, and gets another one only where Value differs
// from what the open form holds.
func RenderForm(f chat.Form, open Open) slack.ModalViewRequest {
	on := onView
	on.blocks -= min(len(f.Fields), on.blocks-1)
	var blocks []slack.Block
	if len(f.Intro) > 0 || len(f.Fields) == 0 {
		blocks = draw(f.Intro, on)
	}
	for _, field := range f.Fields {
		blocks = append(blocks, input(field, f.Action, open.Fields[field.Name]))
	}
	meta := open.Meta
	meta.Args = f.Args
	js, _ := json.Marshal(meta) // strings only: it always marshals

	v := slack.ModalViewRequest{
		Type:            slack.VTModal,
		Title:           plainText(label(f.Title, maxModalTitle)),
		Blocks:          slack.Blocks{BlockSet: blocks[:min(len(blocks), onView.blocks)]},
		CallbackID:      f.Action,
		PrivateMetadata: string(js),
		NotifyOnClose:   f.Keep,
	}
	switch {
	case f.Submit != "":
		v.Submit = plainText(label(f.Submit, maxModalTitle))
	case len(f.Fields) > 0:
		v.Submit = plainText("Send") // Slack demands a button where there is a field
	}
	if f.Close != "" {
		v.Close = plainText(label(f.Close, maxModalTitle))
	}
	return v
}

func input(f chat.Field, form string, held Held) *slack.InputBlock {
	b := slack.NewInputBlock(f.Name, plainText(label(f.Label, maxLabel)), nil, element(f, inputID(f, form, held)))
	if hint := cut(clean(f.Hint), maxLabel); hint != "" {
		b.Hint = plainText(hint)
	}
	b.Optional = f.Optional
	b.DispatchAction = f.Refresh
	return b
}

// inputID is the field's action id: the one it has, if it may keep what it holds.
func inputID(f chat.Field, form string, held Held) string {
	prefix := inputPrefix + form + ":" + f.Name + ":"
	generation, ok := strings.CutPrefix(held.ActionID, prefix)
	if !ok {
		return prefix + "0"
	}
	if f.Value == nil || slices.Equal(f.Value, held.Value) {
		return held.ActionID
	}
	n, _ := strconv.Atoi(generation)
	return prefix + strconv.Itoa(n+1)
}

func element(f chat.Field, id string) slack.BlockElement {
	first := ""
	if len(f.Value) > 0 {
		first = f.Value[0]
	}
	switch f.Input {
	case chat.Choice:
		if len(f.Options) > maxChoices {
			return choose(f, id, first)
		}
		e := slack.NewRadioButtonsBlockElement(id, options(f.Options, maxChoices)...)
		e.InitialOption = chosen(e.Options, first)
		return e
	case chat.Select:
		return choose(f, id, first)
	case chat.Checks:
		e := slack.NewCheckboxGroupsBlockElement(id, options(f.Options, maxChoices)...)
		for _, v := range f.Value {
			if o := chosen(e.Options, v); o != nil {
				e.InitialOptions = append(e.InitialOptions, o)
			}
		}
		return e
	case chat.Person:
		e := slack.NewOptionsSelectBlockElement(slack.OptTypeUser, nil, id)
		e.InitialUser = first
		return e
	case chat.Channel:
		e := slack.NewOptionsSelectBlockElement(slack.OptTypeConversations, nil, id)
		e.Filter = &slack.SelectBlockElementFilter{Include: []string{"public", "private"}, ExcludeBotUsers: true}
		e.InitialConversation = first
		return e
	case chat.Search:
		e := slack.NewOptionsSelectBlockElement(slack.OptTypeExternal, plainText("Type to search"), id)
		one := 1
		e.MinQueryLength = &one
		if first != "" {
			if e.InitialOption = chosen(options(f.Options, maxOptions), first); e.InitialOption == nil {
				e.InitialOption = Option(chat.Option{Value: first, Label: first})
			}
		}
		return e
	case chat.Date:
		e := slack.NewDatePickerBlockElement(id)
		e.InitialDate = first
		return e
	case chat.Time:
		e := slack.NewTimePickerBlockElement(id)
		e.InitialTime = first
		return e
	case chat.Line, chat.Paragraph:
	}
	limit := maxInput
	if f.Max > 0 && f.Max < limit {
		limit = f.Max
	}
	e := slack.NewPlainTextInputBlockElement(nil, id)
	e.Multiline = f.Input == chat.Paragraph
	e.MaxLength = limit
	if e.Multiline {
		e.InitialValue = cut(clean(first), limit)
	} else {
		e.InitialValue = cut(oneLine(first), limit)
	}
	return e
}

func choose(f chat.Field, id, first string) *slack.SelectBlockElement {
	e := slack.NewOptionsSelectBlockElement(slack.OptTypeStatic, nil, id, options(f.Options, maxOptions)...)
	e.InitialOption = chosen(e.Options, first)
	return e
}

// Option draws one option.
func Option(o chat.Option) *slack.OptionBlockObject {
	var hint *slack.TextBlockObject
	if s := cut(oneLine(o.Hint), maxOptionText); s != "" {
		hint = plainText(s)
	}
	return slack.NewOptionBlockObject(o.Value, plainText(label(o.Label, maxOptionText)), hint)
}

// options draws at most limit options. Slack refuses none at all, so then there
// is one that says it.
func options(from []chat.Option, limit int) []*slack.OptionBlockObject {
	if len(from) == 0 {
		from = []chat.Option{{Value: "-", Label: "Nothing to choose from"}}
	}
	from = from[:min(len(from), limit)]
	all := make([]*slack.OptionBlockObject, len(from))
	for i, o := range from {
		all[i] = Option(o)
	}
	return all
}

func chosen(all []*slack.OptionBlockObject, value string) *slack.OptionBlockObject {
	i := slices.IndexFunc(all, func(o *slack.OptionBlockObject) bool { return o.Value == value })
	if i < 0 {
		return nil
	}
	return all[i]
}
