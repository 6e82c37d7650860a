package markup

import (
	"cmp"
	_ "embed"
	"html/template"
	"net/url"
	"strings"
	"time"

	"github.com/deskhand/deskhand/bot/chat"
)

//go:embed markup.html
var source string

var templates = template.Must(template.New("").Funcs(template.FuncMap{"machine": machine, "human": human}).Parse(source))

// Press makes the value that a button posts as "press".
type Press func(chat.Button) string

// mostButtons is how many buttons stand side by side; the rest are in the menu.
const mostButtons = 5

// Card draws a card. Its buttons post to the form that stands around it.
func Card(c chat.Card, press Press) (template.HTML, error) {
	blocks := blocks(c.Blocks, drawer{press: press})
	if len(blocks) == 0 && strings.TrimSpace(c.Text) != "" {
		blocks = []block{{Kind: "section", Text: rich(chat.T(c.Text))}}
	}
	return execute("blocks", blocks)
}

func execute(name string, data any) (template.HTML, error) {
	var b strings.Builder
	err := templates.ExecuteTemplate(&b, name, data)
	return template.HTML(b.String()), err
}

// A block is a chat.Block as the template takes it.
type block struct {
	Kind    string
	Text    []span
	Facts   []fact
	Ordered bool
	Items   [][]span
	Buttons []button
	Menu    []button
	URL     string
}

type fact struct {
	Label string
	Value []span
}

type span struct {
	Text                       string
	Bold, Italic, Code, Strike bool
	Person                     bool
	Link                       string
	Time                       time.Time
}

type button struct {
	Label, Name string
	Style       chat.Style
	URL         string // a link; otherwise
	Value       string // what is posted as "press",
	To          string // to this address if it isn't the form's own
	Dialog      bool
}

// drawer knows what a card's surroundings make of its buttons.
type drawer struct {
	press   Press
	to      string
	primary bool // one has been drawn
}

func blocks(in []chat.Block, d drawer) []block {
	var out []block
	for _, b := range in {
		switch b := b.(type) {
		case chat.Heading:
			if s := clean(b.Text); s != "" {
				out = append(out, block{Kind: "heading", Text: []span{{Text: s}}})
			}
		case chat.Section:
			out = appendText(out, "section", b.Text)
		case chat.Quote:
			out = appendText(out, "quote", b.Text)
		case chat.Note:
			out = appendText(out, "note", b.Text)
		case chat.Facts:
			var all []fact
			for _, f := range b {
				if v := rich(f.Value); f.Label != "" || len(v) > 0 {
					all = append(all, fact{clean(f.Label), v})
				}
			}
			if len(all) > 0 {
				out = append(out, block{Kind: "facts", Facts: all})
			}
		case chat.List:
			var items [][]span
			for _, i := range b.Items {
				if s := rich(i); len(s) > 0 {
					items = append(items, s)
				}
			}
			if len(items) > 0 {
				out = append(out, block{Kind: "list", Ordered: b.Ordered, Items: items})
			}
		case chat.Divider:
			out = append(out, block{Kind: "divider"})
		case chat.Picture:
			if link := web(b.URL); link != "" {
				out = append(out, block{Kind: "picture", URL: link, Text: []span{{Text: clean(b.Alt)}}})
			} else {
				out = appendText(out, "note", chat.T(b.Alt))
			}
		case chat.Row:
			row := block{Kind: "row", Text: rich(b.Text), Buttons: d.buttons([]chat.Button{b.Button})}
			if len(row.Text) > 0 || len(row.Buttons) > 0 {
				out = append(out, row)
			}
		case chat.Actions:
			beside, menu := b.Buttons, b.Menu
			if len(beside) > mostButtons {
				beside, menu = beside[:mostButtons], append(beside[mostButtons:len(beside):len(beside)], menu...)
			}
			row := block{Kind: "actions", Buttons: d.buttons(beside), Menu: d.buttons(menu)}
			if len(row.Buttons)+len(row.Menu) > 0 {
				out = append(out, row)
			}
		}
	}
	return out
}

func appendText(out []block, kind string, text chat.Rich) []block {
	if s := rich(text); len(s) > 0 {
		return append(out, block{Kind: kind, Text: s})
	}
	return out
}

func (d *drawer) buttons(in []chat.Button) []button {
	var out []button
	for _, b := range in {
		label := clean(cmp.Or(b.Label, b.Name))
		link := web(b.URL)
		if label == "" || (b.URL != "" && link == "") || (b.URL == "" && b.Action == "") {
			continue // nothing to read on it, or nowhere to go
		}
		it := button{Label: label, Name: clean(b.Name), Style: b.Style, URL: link, To: d.to, Dialog: b.Form || b.Confirm != nil}
		if it.Name == it.Label {
			it.Name = ""
		}
		if it.Style == chat.Primary {
			if d.primary {
				it.Style = chat.Plain
			}
			d.primary = true
		}
		if link == "" {
			it.Value = d.press(b)
		}
		out = append(out, it)
	}
	return out
}

// rich is a text without what would not be seen; nil if nothing would.
func rich(in chat.Rich) []span {
	var out []span
	seen := false
	for _, s := range in {
		t := span{Text: chat.Mentions(s.Text, nobody), Bold: s.Bold, Italic: s.Italic, Code: s.Code, Strike: s.Strike, Link: web(s.Link), Time: s.Time}
		if s.User.ID != "" && s.Time.IsZero() {
			t.Person, t.Text = true, cmp.Or(t.Text, "somebody")
		}
		if t.Text == "" && t.Time.IsZero() {
			continue
		}
		seen = seen || !t.Time.IsZero() || strings.TrimSpace(t.Text) != ""
		out = append(out, t)
	}
	if !seen {
		return nil
	}
	return out
}

func nobody(string) (string, bool) { return "", false }

func clean(s string) string { return strings.TrimSpace(chat.Mentions(s, nobody)) }

// web is a link that a browser may follow, or nothing.
func web(link string) string {
	u, err := url.Parse(link)
	if err != nil {
		return ""
	}
	switch u.Scheme {
	case "https", "http":
		if u.Host != "" {
			return link
		}
	case "mailto":
		return link
	}
	return ""
}

// machine and human are a time for the page's script and for whoever reads it
// without one.
func machine(t time.Time) string { return t.UTC().Format(time.RFC3339) }
func human(t time.Time) string   { return t.UTC().Format("2 Jan 15:04 UTC") }
