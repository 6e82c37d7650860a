package markup

import (
	"cmp"
	"html/template"
	"slices"
	"strconv"
	"strings"

	"github.com/deskhand/deskhand/bot/chat"
)

// Dialog is what a form needs besides itself to be drawn.
type Dialog struct {
	ID     string            // begins the ids of its elements: one for each form on a page
	Action string            // where it is sent
	Press  Press             // for its buttons,
	To     string            // which are posted there
	Back   string            // where whoever gives up goes
	Hidden map[string]string // what comes back with it
	Errors map[string]string // by field
	// Name is how somebody or something that is chosen by id is shown.
	Name func(in chat.Input, id string) string
}

// Post is the name under which a field is posted; other names are the page's
// own.
func Post(field string) string { return "f." + field }

type form struct {
	Dialog
	Title, Submit, Close, Problem string
	Default                       string
	Keep                          bool
	Intro                         []block
	Fields                        []field
}

type field struct {
	ID, Name, Post, Label, Hint, Kind, Value, Error string
	Required, Refresh, First                        bool
	Group                                           bool // of radio buttons or boxes
	Menu                                            bool // to choose from,
	Finds                                           bool // and to search
	Options                                         []option
}

type option struct {
	chat.Option
	Chosen, First bool
}

// Form draws a form, with what is wrong at its fields.
func Form(f chat.Form, d Dialog) (template.HTML, error) {
	view := form{Dialog: d, Title: cmp.Or(clean(f.Title), "One moment"), Submit: clean(f.Submit), Close: clean(f.Close),
		Keep: f.Keep, Intro: blocks(f.Intro, drawer{press: d.Press, to: d.To, primary: f.Submit != ""})}
	if view.Close == "" {
		view.Close = "Close"
		if view.Submit != "" {
			view.Close = "Cancel"
		}
	}
	if len(f.Fields) > 0 && view.Submit == "" {
		view.Submit = "Send"
	}
	// Enter in a field presses the first button of a form, which must not be one
	// of the introduction's.
	if len(f.Fields) > 0 && slices.ContainsFunc(view.Intro, func(b block) bool { return len(b.Buttons)+len(b.Menu) > 0 }) {
		view.Default = view.Submit
	}
	wrong := 0
	for i, in := range f.Fields {
		it := d.field(i, in)
		if it.Error != "" {
			wrong++
			it.First = wrong == 1
		}
		if it.Group && len(it.Options) > 0 {
			it.Options[0].First = it.First
		}
		view.Fields = append(view.Fields, it)
	}
	switch {
	case wrong == 1:
		view.Problem = "One answer needs another look."
	case wrong > 1:
		view.Problem = strconv.Itoa(wrong) + " answers need another look."
	case len(d.Errors) > 0: // of a field that is not there: better here than nowhere
		var all []string
		for _, e := range d.Errors {
			all = append(all, e)
		}
		slices.Sort(all)
		view.Problem = strings.Join(all, " ")
	}
	return execute("form", view)
}

func (d Dialog) field(i int, in chat.Field) field {
	f := field{ID: d.ID + "-" + strconv.Itoa(i), Name: in.Name, Post: Post(in.Name), Label: cmp.Or(clean(in.Label), in.Name), Hint: clean(in.Hint),
		Kind: string(in.Input), Error: d.Errors[in.Name], Required: !in.Optional, Refresh: in.Refresh}
	first := ""
	if len(in.Value) > 0 {
		first = in.Value[0]
	}
	for _, o := range in.Options {
		o.Label = cmp.Or(clean(o.Label), o.Value)
		f.Options = append(f.Options, option{Option: o, Chosen: slices.Contains(in.Value, o.Value) && (in.Input == chat.Checks || o.Value == first)})
	}
	switch in.Input {
	case chat.Choice, chat.Checks:
		f.Group = true
	case chat.Select:
		f.Menu = true
	case chat.Person, chat.Channel, chat.Search:
		f.Menu, f.Finds = true, true
		if first != "" && !slices.ContainsFunc(in.Options, func(o chat.Option) bool { return o.Value == first }) {
			label := ""
			if d.Name != nil {
				label = d.Name(in.Input, first)
			}
			f.Options = append(f.Options, option{Option: chat.Option{Value: first, Label: cmp.Or(label, first)}, Chosen: true})
		}
	case chat.Paragraph:
		f.Value = first
	case chat.Date, chat.Time:
		f.Value = first
	default:
		f.Kind, f.Value = "text", strings.Join(strings.Fields(first), " ")
	}
	return f
}
