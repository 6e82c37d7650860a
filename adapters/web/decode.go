package web

import (
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/deskhand/deskhand/adapters/web/markup"
	"github.com/deskhand/deskhand/bot/chat"
)

// asked is a form on its way to a page and back. It comes back whole, so that a
// refused one is drawn again by a process that has never seen it, and what was
// chosen is held against what was offered.
type asked struct{ chat.Form }

// askedJSON has the introduction in the shape in which blocks are stored.
type askedJSON struct {
	Form  chat.Form
	Intro chat.Card
}

func (a asked) MarshalJSON() ([]byte, error) {
	out := askedJSON{a.Form, chat.Card{Blocks: a.Intro}}
	out.Form.Intro = nil
	return json.Marshal(out)
}

func (a *asked) UnmarshalJSON(data []byte) error {
	var in askedJSON
	err := json.Unmarshal(data, &in)
	a.Form = in.Form
	a.Intro = in.Intro.Blocks
	return err
}

// mostText is how many characters a field takes that sets no limit of its own:
// as many as in Slack.
const mostText = 3000

// mostChosen is how many values of one field are looked at.
const mostChosen = 100

// filled reads what was filled into a form, in the shape of chat.Values, and
// says what is wrong by field. Whether people and channels exist is not for it
// to know.
func filled(f chat.Form, post url.Values) (chat.Values, map[string]string) {
	values, wrong := chat.Values{}, map[string]string{}
	for _, field := range f.Fields {
		given := given(field, post[markup.Post(field.Name)])
		if len(given) > 0 {
			values[field.Name] = given
		}
		if problem := problem(field, given); problem != "" {
			wrong[field.Name] = problem
		}
	}
	return values, wrong
}

// given are a field's values without what carries no meaning.
func given(f chat.Field, raw []string) []string {
	if len(raw) > mostChosen {
		raw = raw[:mostChosen]
	}
	var out []string
	for _, v := range raw {
		v = chat.StripMarks(strings.ToValidUTF8(v, "\uFFFD"))
		v = strings.ReplaceAll(v, "\x00", "")
		switch f.Input {
		case chat.Paragraph:
			v = strings.ReplaceAll(v, "\r\n", "\n") // as browsers send line ends
			if strings.TrimSpace(v) == "" {
				continue
			}
		case chat.Line:
			v = strings.Join(strings.Fields(v), " ")
		}
		if v == "" || slices.Contains(out, v) {
			continue
		}
		out = append(out, v)
		if f.Input != chat.Checks {
			break
		}
	}
	return out
}

func problem(f chat.Field, given []string) string {
	if len(given) == 0 {
		switch {
		case f.Optional:
			return ""
		case f.Input == chat.Line, f.Input == chat.Paragraph:
			return "Please write something here."
		}
		return "Please choose."
	}
	switch f.Input {
	case chat.Line, chat.Paragraph:
		most := f.Max
		if most == 0 {
			most = mostText
		}
		if n := utf8.RuneCountInString(given[0]); n > most {
			return fmt.Sprintf("That is %d characters; %d fit here.", n, most)
		}
	case chat.Choice, chat.Select, chat.Checks:
		for _, v := range given {
			if !slices.ContainsFunc(f.Options, func(o chat.Option) bool { return o.Value == v }) {
				return "Please choose one of these."
			}
		}
	case chat.Date:
		if _, err := time.Parse("2006-01-02", given[0]); err != nil {
			return "Please give a date such as 2026-11-20."
		}
	case chat.Time:
		if _, err := time.Parse("15:04", given[0]); err != nil {
			return "Please give a time such as 14:05."
		}
	case chat.Person, chat.Channel, chat.Search:
		if len(given[0]) > mostID {
			return "Please choose one that was found."
		}
	}
	return ""
}

// mostID is longer than the id of any account, channel or article, in bytes.
const mostID = 200

// keep puts what was filled in back into a form that is shown again.
func keep(f chat.Form, values chat.Values) chat.Form {
	f.Fields = slices.Clone(f.Fields)
	for i := range f.Fields {
		f.Fields[i].Value = values[f.Fields[i].Name]
	}
	return f
}
