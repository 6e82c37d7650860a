package adaptive

import (
	"encoding/json"
	"errors"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/deskhand/deskhand/bot/chat"
)

// Use is what somebody did with a card or a dialog.
type Use struct {
	Action string // the button's, or the form's
	Args   chat.Args
	Opens  bool // the button opens a form

	View    bool // nobody pressed anything: a card's refresh
	Sent    bool // the form was sent
	Changed bool // a field with Refresh may have changed

	// Form is the dialog that it was done in, without the fields' Values; nil on
	// a card.
	Form   *chat.Form
	Meta   Meta
	Values chat.Values // what the dialog's fields hold
}

var errNotOurs = errors.New("not an action of the desk's")

// Decode reads back what an Action.Execute or Action.Submit carries. It fails
// with what no card of the desk's can have sent; a field's value that can't be
// one is left out.
func Decode(js json.RawMessage) (Use, error) {
	var d data
	if err := json.Unmarshal(js, &d); err != nil {
		return Use{}, errNotOurs
	}
	u := Use{Action: d.Do, Args: d.Args, Opens: d.Form, View: d.View, Sent: d.Sent, Changed: d.Changed}
	if d.Dialog != nil {
		f := d.Dialog.Form.form()
		u.Form, u.Meta = &f, d.Dialog.Meta
		if d.Sent || d.Changed {
			u.Action, u.Args = f.Action, f.Args
		}
		var all map[string]json.RawMessage
		if err := json.Unmarshal(js, &all); err != nil {
			return Use{}, errNotOurs
		}
		for _, field := range f.Fields {
			raw, ok := all[inputPrefix+field.Name]
			if !ok {
				continue
			}
			if vs := values(field, raw); len(vs) > 0 {
				if u.Values == nil {
					u.Values = chat.Values{}
				}
				u.Values[field.Name] = vs
			}
		}
	} else if d.Sent || d.Changed {
		return Use{}, errNotOurs
	}
	if u.Action == "" && !u.View {
		return Use{}, errNotOurs
	}
	return u, nil
}

// values are what a field holds. Teams sends every input as a string.
func values(f chat.Field, raw json.RawMessage) []string {
	var s string
	if json.Unmarshal(raw, &s) != nil || s == "" {
		return nil
	}
	known := func(v string) bool {
		return slices.ContainsFunc(f.Options, func(o chat.Option) bool { return o.Value == v })
	}
	switch f.Input {
	case chat.Checks:
		var vs []string
		for v := range strings.SplitSeq(s, ",") {
			if v = comma.Replace(v); known(v) && !slices.Contains(vs, v) {
				vs = append(vs, v)
			}
		}
		return vs
	case chat.Choice, chat.Select:
		if !known(s) {
			return nil
		}
	case chat.Date:
		if _, err := time.Parse(time.DateOnly, s); err != nil {
			return nil
		}
	case chat.Time:
		if _, err := time.Parse(clockLayout, s); err != nil {
			return nil
		}
	case chat.Channel:
		s = channelID(s)
	default:
		s = chat.StripMarks(s)
	}
	return []string{s}
}

// channelID is the id in a channel's link, as "Get link to channel" gives it:
// https://teams.microsoft.com/l/channel/19%3a…%40thread.tacv2/General?groupId=…
func channelID(s string) string {
	s = strings.TrimSpace(s)
	_, rest, ok := strings.Cut(s, "/l/channel/")
	if !ok {
		return s
	}
	rest, _, _ = strings.Cut(rest, "/")
	if id, err := url.PathUnescape(rest); err == nil && strings.HasPrefix(id, "19:") {
		return id
	}
	return s
}

// Check says what is wrong with the values of a form by the form itself, by
// field name: what is missing and what is too long. The client says it first, as
// far as it can.
func Check(f chat.Form, vs chat.Values) map[string]string {
	errs := map[string]string{}
	for _, field := range f.Fields {
		switch v := vs.One(field.Name); {
		case v == "" && !field.Optional: // of blanks the desk says itself what it misses
			errs[field.Name] = missing(field.Input)
		case field.Max > 0 && units(v) > field.Max, units(v) > 4*maxInput:
			errs[field.Name] = "This is too long."
		}
	}
	if len(errs) == 0 {
		return nil
	}
	return errs
}

// Search reads back the dataset of an application/search invoke: the field that
// somebody types in, and the Args of its form.
func Search(dataset string) (field string, args chat.Args, m Meta, err error) {
	rest, ok := strings.CutPrefix(dataset, searchDataset)
	if !ok {
		return "", nil, Meta{}, errNotOurs
	}
	name, query, _ := strings.Cut(rest, "?")
	field, err = url.PathUnescape(name)
	q, err2 := url.ParseQuery(query)
	if err != nil || err2 != nil || field == "" {
		return "", nil, Meta{}, errNotOurs
	}
	for k := range q {
		if name, ok := strings.CutPrefix(k, "a."); ok {
			if args == nil {
				args = chat.Args{}
			}
			args[name] = q.Get(k)
		}
	}
	return field, args, Meta{Channel: q.Get("c"), Thread: q.Get("t"), Reply: q.Get("r")}, nil
}
