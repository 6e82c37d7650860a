package adaptive

import (
	"encoding/json"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/deskhand/deskhand/bot/chat"
)

// Limits of a form.
const (
	maxOptions     = 100
	maxOptionText  = 75
	maxInput       = 3000
	maxDialogTitle = 60
	maxStoredIntro = 4 << 10 // bytes
	inputPrefix    = "in."
	clockLayout    = "15:04"

	peopleDataset = "graph.microsoft.com/users"
	searchDataset = "deskhand/"
)

// Meta travels with a form: where it was opened, which Teams does not say when
// it is sent.
type Meta struct {
	Channel string `json:"c,omitempty"`
	Thread  string `json:"t,omitempty"`
	Reply   string `json:"r,omitempty"`
	// View names this showing of the form, so that what is sent twice is known.
	View string `json:"v,omitempty"`
}

// Open is what a dialog shows beside the form itself.
type Open struct {
	Meta Meta
	// Values are what people have entered; they stay in fields whose Value is nil.
	Values chat.Values
	// Errors are shown at the fields, by name.
	Errors map[string]string
}

// state is the open dialog, which comes back with everything that is done in it.
// Nobody else remembers it, so any process can answer.
type state struct {
	Meta
	Form storedForm `json:"f"`
}

// storedForm is a chat.Form without what its fields hold.
type storedForm struct {
	Action string        `json:"do"`
	Args   chat.Args     `json:"args,omitempty"`
	Title  string        `json:"title,omitempty"`
	Submit string        `json:"submit,omitempty"`
	Close  string        `json:"close,omitempty"`
	Keep   bool          `json:"keep,omitempty"`
	Intro  *chat.Card    `json:"intro,omitempty"`
	Fields []storedField `json:"fields,omitempty"`
}

type storedField struct {
	Name     string         `json:"n"`
	Label    string         `json:"l,omitempty"`
	Hint     string         `json:"h,omitempty"`
	Input    chat.Input     `json:"i"`
	Options  []storedOption `json:"o,omitempty"`
	Optional bool           `json:"opt,omitempty"`
	Max      int            `json:"max,omitempty"`
	Refresh  bool           `json:"re,omitempty"`
}

type storedOption struct {
	Value string `json:"v"`
	Label string `json:"l,omitempty"`
	Hint  string `json:"h,omitempty"`
}

func store(f chat.Form) storedForm {
	s := storedForm{Action: f.Action, Args: f.Args, Title: f.Title, Submit: f.Submit, Close: f.Close, Keep: f.Keep}
	if len(f.Intro) > 0 {
		intro := &chat.Card{Blocks: f.Intro}
		if js, err := json.Marshal(intro); err == nil && len(js) <= maxStoredIntro {
			s.Intro = intro
		}
	}
	for _, x := range f.Fields {
		field := storedField{Name: x.Name, Label: x.Label, Hint: x.Hint, Input: x.Input, Optional: x.Optional, Max: x.Max, Refresh: x.Refresh}
		for _, o := range x.Options {
			field.Options = append(field.Options, storedOption(o))
		}
		s.Fields = append(s.Fields, field)
	}
	return s
}

func (s storedForm) form() chat.Form {
	f := chat.Form{Action: s.Action, Args: s.Args, Title: s.Title, Submit: s.Submit, Close: s.Close, Keep: s.Keep}
	if s.Intro != nil {
		f.Intro = s.Intro.Blocks
	}
	for _, x := range s.Fields {
		field := chat.Field{Name: x.Name, Label: x.Label, Hint: x.Hint, Input: x.Input, Optional: x.Optional, Max: x.Max, Refresh: x.Refresh}
		for _, o := range x.Options {
			field.Options = append(field.Options, chat.Option(o))
		}
		f.Fields = append(f.Fields, field)
	}
	return f
}

// Title is what stands above a form's dialog.
func Title(f chat.Form) string { return label(f.Title, maxDialogTitle) }

// Dialog draws a form as the card of a dialog.
func Dialog(f chat.Form, open Open) json.RawMessage {
	return fit(f.Intro, func(l limits) json.RawMessage {
		f := shorten(f, l)
		c := newCard()
		c.Fallback = Title(f)
		pt := painter{limits: l, cap: l.text, dialog: &state{Meta: open.Meta, Form: store(f)}}
		if len(f.Intro) > 0 || len(f.Fields) == 0 {
			pt.draw(f.Intro)
		}
		pt.stray(f, open.Errors)
		updated := -1 // the field after which the form can be updated
		for i, field := range f.Fields {
			if field.Refresh {
				updated = i
			}
		}
		for i, field := range f.Fields {
			pt.field(field, updated < 0, open)
			if i == updated {
				// There is nothing in 1.5 that reports a change by itself.
				pt.add(&actionSet{common{Type: "ActionSet", Spacing: "Small"}, []action{{Type: "Action.Submit", Title: "Update",
					Tooltip: "Update the form after a change", Data: &data{Changed: true, Dialog: pt.dialog}}}})
			}
		}
		c.Body = pt.body
		c.Teams.Entities = pt.entities
		submit := f.Submit
		if submit == "" && len(f.Fields) > 0 {
			submit = "Send"
		}
		if submit != "" {
			c.Actions = []action{{Type: "Action.Submit", Title: label(submit, maxButton), Style: "positive", Data: &data{Sent: true, Dialog: pt.dialog}}}
		}
		return encode(c)
	})
}

// shorten cuts what a form repeats when it comes back.
func shorten(f chat.Form, l limits) chat.Form {
	fields := make([]chat.Field, len(f.Fields))
	for i, x := range f.Fields {
		x.Label = cut(oneLine(x.Label), l.label)
		x.Hint = cut(clean(x.Hint), l.label)
		x.Options = slices.Clone(x.Options[:min(len(x.Options), l.options)])
		for j, o := range x.Options {
			x.Options[j].Label = cut(oneLine(o.Label), min(maxOptionText, l.label))
			x.Options[j].Hint = cut(oneLine(o.Hint), min(maxOptionText, l.label))
		}
		fields[i] = x
	}
	f.Fields = fields
	f.Title, f.Submit, f.Close = cut(oneLine(f.Title), maxDialogTitle), cut(oneLine(f.Submit), maxButton), ""
	return f
}

// stray shows the errors that belong to no field.
func (p *painter) stray(f chat.Form, errs map[string]string) {
	var names []string
	for name := range errs {
		if !slices.ContainsFunc(f.Fields, func(x chat.Field) bool { return x.Name == name }) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	for _, name := range names {
		p.add(wrong(errs[name]))
	}
}

// wrong says what is wrong with the field above.
func wrong(s string) element {
	return &textBlock{common: common{Type: "TextBlock", Spacing: "Small"}, Text: inert(label(s, maxLabel), true), Wrap: true, Color: "Attention"}
}

func (p *painter) field(f chat.Field, demand bool, open Open) {
	if f.Value == nil {
		f.Value = open.Values[f.Name]
	}
	in := p.input(f)
	if demand && !f.Optional {
		in.Required, in.Error = true, missing(f.Input)
	}
	p.add(in)
	if e := open.Errors[f.Name]; e != "" {
		p.add(wrong(e))
	}
	if f.Hint != "" && f.Input != chat.Search {
		if hint := p.paragraph(chat.T(f.Hint), smallPrint); hint != nil {
			hint.all().Spacing = "Small"
			p.add(hint)
		}
	}
}

// input draws a field. Where its form has an "Update", the client can't be told
// what is needed: it would not let a form go half filled.
func (p *painter) input(f chat.Field) *input {
	in := &input{Label: label(f.Label, maxLabel)}
	in.ID = inputPrefix + f.Name
	if len(f.Value) > 0 {
		in.Value = clean(f.Value[0])
	}
	switch f.Input {
	case chat.Choice:
		in.Style, in.Wrap = "expanded", true
		in.choose(f.Options, true)
	case chat.Select:
		in.Style, in.Placeholder = "compact", "Choose one"
		in.choose(f.Options, false)
	case chat.Checks:
		in.Style, in.Wrap, in.Multi = "expanded", true, true
		in.choose(f.Options, true)
		var on []string
		for i, c := range in.Choices {
			if slices.Contains(f.Value, c.Value) {
				on = append(on, uncomma.Replace(c.Value))
			}
			in.Choices[i].Value = uncomma.Replace(c.Value)
		}
		in.Value = strings.Join(on, ",")
	case chat.Person:
		in.Type, in.Placeholder = "Input.ChoiceSet", "Type a name"
		in.Query = &query{"Data.Query", peopleDataset}
		in.Choices = choices(f.Options, false)
	case chat.Channel:
		if len(f.Options) > 0 {
			in.Style = "filtered"
			in.choose(f.Options, false)
			break
		}
		// Teams has no way to pick a channel.
		in.Type, in.Placeholder, in.MaxLength = "Input.Text", "Paste the channel's link", maxInput
	case chat.Search:
		in.Type, in.Style = "Input.ChoiceSet", "filtered"
		if in.Placeholder = cut(oneLine(f.Hint), maxLabel); in.Placeholder == "" {
			in.Placeholder = "Type to search"
		}
		in.Query = &query{"Data.Query", dataset(f.Name, p.dialog)}
		in.Choices = choices(f.Options, false)
		if in.Value != "" && !slices.ContainsFunc(in.Choices, func(c choice) bool { return c.Value == in.Value }) {
			in.Choices = append(in.Choices, choice{label(in.Value, maxOptionText), in.Value})
		}
	case chat.Date:
		in.Type = "Input.Date"
		if _, err := time.Parse(time.DateOnly, in.Value); err != nil {
			in.Value = ""
		}
	case chat.Time:
		in.Type = "Input.Time"
		if _, err := time.Parse(clockLayout, in.Value); err != nil {
			in.Value = ""
		}
	default:
		in.Type, in.MaxLength = "Input.Text", maxInput
		if f.Max > 0 && f.Max < maxInput {
			in.MaxLength = f.Max
		}
		in.Multiline = f.Input == chat.Paragraph
		if !in.Multiline {
			in.Value = oneLine(in.Value)
		}
		in.Value = cut(in.Value, min(in.MaxLength, p.held))
	}
	return in
}

// missing is what a required field says when it is empty.
func missing(i chat.Input) string {
	switch i {
	case chat.Line, chat.Paragraph, chat.Channel:
		return "Please fill this in."
	default:
		return "Please choose one."
	}
}

// A multiple choice comes back with commas between its values.
var (
	uncomma = strings.NewReplacer("%", "%25", ",", "%2C")
	comma   = strings.NewReplacer("%25", "%", "%2C", ",")
)

// choose offers options, and says so where there are none.
func (in *input) choose(from []chat.Option, hints bool) {
	in.Type = "Input.ChoiceSet"
	if in.Choices = choices(from, hints); len(in.Choices) == 0 {
		in.Choices = []choice{{"Nothing to choose from", "-"}}
	}
	if !slices.ContainsFunc(in.Choices, func(c choice) bool { return c.Value == in.Value }) {
		in.Value = ""
	}
}

func choices(from []chat.Option, hints bool) []choice {
	all := make([]choice, 0, len(from))
	for _, o := range from {
		c := choice{label(o.Label, maxOptionText), o.Value}
		if hint := cut(oneLine(o.Hint), maxOptionText); hints && hint != "" {
			c.Title += " (" + unbraced(hint) + ")"
		}
		all = append(all, c)
	}
	return all
}

// dataset names a search field; it is all that comes back with what was typed.
func dataset(field string, in *state) string {
	q := url.Values{}
	for k, v := range in.Form.Args {
		q.Set("a."+k, v)
	}
	for k, v := range map[string]string{"c": in.Channel, "t": in.Thread, "r": in.Reply} {
		if v != "" {
			q.Set(k, v)
		}
	}
	return searchDataset + url.PathEscape(field) + "?" + q.Encode()
}
