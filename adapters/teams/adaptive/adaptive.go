// Package adaptive renders chat's cards and forms as Adaptive Cards 1.5 for
// Microsoft Teams, and reads back what their buttons and inputs carry.
//
// People's words are shown and never executed: wherever it is possible they
// stand in text runs, which know no marks. Headings, facts and paragraphs with a
// mention have to be Markdown; there, characters that would begin a mark are
// swapped for look-alikes, since the mobile clients know no escape for them.
//
// A card is kept to 28 KB, as JSON. What is over that is cut, and the card says
// so. Teams itself takes about 80 KB from a bot, counted in UTF-16, but 28 KB is
// all that its other ways in take (workflows, webhooks), and whoever reads a
// longer card has a long way to its buttons.
package adaptive

import (
	"encoding/json"
	"slices"
	"strings"

	"github.com/deskhand/deskhand/bot/chat"
)

// Limits, in characters where nothing else is said. Teams publishes few; the
// others are ours.
const (
	maxCard     = 28 << 10 // bytes of JSON
	maxSummary  = 500
	maxHeading  = 300
	maxLabel    = 200 // of a fact, a field
	maxButton   = 75
	maxVisible  = 6 // buttons; Teams puts the rest in the overflow menu
	maxButtons  = 30
	maxMentions = 40
	maxName     = 80
	maxViewers  = 60 // refresh.userIds
	maxURL      = 3000
	maxAlt      = 500
)

// Options are what a card needs to know beside the post.
type Options struct {
	// Footer is a line of small print under every card.
	Footer string
	// ViewerID is Teams' own id of a user (29:…), which a card's refresh needs; ""
	// if it is not known. Where it is nil the users' ids are taken.
	ViewerID func(chat.User) string
	// Mention says whom a card may mention; the others are named. Teams refuses a
	// card with a mention of somebody who is not in the conversation. Where it is
	// nil everybody is mentioned.
	Mention func(chat.User) bool
	// Mark is what the card can be told by from any other, however it is edited;
	// see Marked. "" leaves it without.
	Mark string
}

// Card draws a post's card, with its persona's name above it.
func Card(p chat.Post, o Options) json.RawMessage {
	bs := blocks(p.Card)
	return fit(bs, func(l limits) json.RawMessage {
		c := newCard()
		c.Fallback = cut(Summary(p), min(maxSummary, l.label*3))
		c.Speak = c.Fallback
		pt := painter{limits: l, may: o.Mention}
		if p.As != nil && strings.TrimSpace(p.As.Name) != "" {
			pt.add(&richTextBlock{common: kind("RichTextBlock"), Inlines: runs(chat.B(label(p.As.Name, maxName)), ordinary)})
		}
		c.Body = pt.draw(bs)
		if footer := oneLine(o.Footer); footer != "" {
			f := &textBlock{common: kind("TextBlock"), Text: inert(cut(footer, l.label), true), Wrap: true, Size: "Small", Subtle: true}
			f.Separator = true
			c.Body = append(c.Body, f)
		}
		c.Teams.Entities = pt.entities
		c.Refresh = refreshFor(p.Viewers, o.ViewerID)
		mark(c.Body, o.Mark)
		return encode(c)
	})
}

// mark makes o the id of the first element that has none. An id is the one thing
// of a card that every renderer keeps and none shows.
func mark(body []element, o string) {
	for _, e := range body {
		if c := e.all(); c.ID == "" {
			c.ID = o
			return
		}
	}
}

// Marked says whether a card was drawn with this Mark.
func Marked(js []byte, mark string) bool {
	var c struct {
		Body []struct {
			ID string `json:"id"`
		} `json:"body"`
	}
	if mark == "" || json.Unmarshal(js, &c) != nil {
		return false
	}
	for _, e := range c.Body {
		if e.ID == mark {
			return true
		}
	}
	return false
}

// Mentions says whether a card mentions somebody.
func Mentions(js json.RawMessage) bool {
	var c struct {
		Teams teams `json:"msteams"`
	}
	return json.Unmarshal(js, &c) == nil && len(c.Teams.Entities) > 0
}

// Summary is the post in words: for notifications, the list of chats, and where
// cards can't be shown.
func Summary(p chat.Post) string {
	text := strings.TrimSpace(clean(p.Card.Text))
	if text == "" {
		text = inWords(p.Card.Blocks)
	}
	if p.As != nil && strings.TrimSpace(p.As.Name) != "" {
		text = label(p.As.Name, maxName) + ": " + text
	}
	return cut(text, maxSummary)
}

// blocks are a card's blocks, or else its text as one.
func blocks(c chat.Card) []chat.Block {
	if len(c.Blocks) == 0 {
		return []chat.Block{chat.Section{Text: chat.T(c.Text)}}
	}
	return c.Blocks
}

func refreshFor(viewers []chat.User, id func(chat.User) string) *refresh {
	var ids []string
	for _, u := range viewers {
		v := u.ID
		if id != nil {
			v = id(u)
		}
		if strings.HasPrefix(v, "29:") && len(ids) < maxViewers && !slices.Contains(ids, v) {
			ids = append(ids, v)
		}
	}
	if len(ids) == 0 {
		return nil
	}
	return &refresh{Action: action{Type: "Action.Execute", Title: "Refresh", Verb: viewVerb, Data: &data{View: true}}, UserIDs: ids}
}

// inWords is the summary of a card whose maker gave none.
func inWords(bs []chat.Block) string {
	var lines []string
	for _, b := range bs {
		switch b := b.(type) {
		case chat.Heading:
			lines = append(lines, b.Text)
		case chat.Section:
			lines = append(lines, b.Text.Plain())
		case chat.Quote:
			lines = append(lines, b.Text.Plain())
		case chat.Note:
			lines = append(lines, b.Text.Plain())
		case chat.Facts:
			for _, f := range b {
				lines = append(lines, f.Label+": "+f.Value.Plain())
			}
		case chat.List:
			for _, i := range b.Items {
				lines = append(lines, i.Plain())
			}
		case chat.Row:
			lines = append(lines, b.Text.Plain())
		case chat.Picture:
			lines = append(lines, b.Alt)
		case chat.Divider, chat.Actions:
		}
	}
	for i := range lines {
		lines[i] = oneLine(lines[i])
	}
	lines = slices.DeleteFunc(lines, func(s string) bool { return s == "" })
	if len(lines) == 0 {
		return "…"
	}
	return strings.Join(lines, "\n")
}

// limits are what gives way, one after the other, where a card is too large.
type limits struct {
	text    int // characters of a block
	blocks  int // above the last buttons
	buttons int // of one block
	held    int // characters of what people have entered in a field
	options int // of a field
	label   int // characters of a label
}

// fit draws within the bound, with as much in it as goes into it, to about a
// tenth.
func fit(bs []chat.Block, draw func(limits) json.RawMessage) json.RawMessage {
	l := limits{text: 12_000, blocks: len(bs), buttons: maxButtons, held: maxInput, options: maxOptions, label: maxLabel}
	js := draw(l)
	for _, give := range []struct {
		of    *int
		least int
	}{{&l.text, 100}, {&l.blocks, 0}, {&l.buttons, 0}, {&l.held, 60}, {&l.options, 5}, {&l.label, 20}} {
		if len(js) <= maxCard {
			break
		}
		much := *give.of
		if much <= give.least {
			continue
		}
		*give.of = give.least
		if js = draw(l); len(js) > maxCard {
			continue // all that this can give is not enough
		}
		for little := give.least; much-little > max(1, little/10); {
			*give.of = (little + much) / 2
			if now := draw(l); len(now) <= maxCard {
				js, little = now, *give.of
			} else {
				much = *give.of
			}
		}
	}
	return js
}

// painter draws the blocks of one card.
type painter struct {
	limits
	may      func(chat.User) bool
	cap      int // characters that one block may show
	dialog   *state
	ids      int
	primary  bool
	divided  bool // a line belongs above what comes next
	called   map[string]string
	taken    map[string]bool
	entities []mention
	body     []element
}

func (p *painter) draw(bs []chat.Block) []element {
	p.cap = p.text
	// The last buttons stay whatever else is left out.
	tail := len(bs)
	if tail > 0 {
		if _, ok := bs[tail-1].(chat.Actions); ok {
			tail--
		}
	}
	for i, b := range bs {
		if i < min(p.blocks, tail) || i >= tail {
			p.block(b)
		} else if i == p.blocks {
			p.add(p.note("… There is more than fits here."))
		}
	}
	if len(p.body) == 0 {
		p.add(p.note("…"))
	}
	return p.body
}

func (p *painter) add(e element) {
	c := e.all()
	if p.divided && len(p.body) > 0 {
		c.Separator, c.Spacing = true, "Medium"
	}
	p.divided = false
	p.body = append(p.body, e)
}

func (p *painter) note(s string) element {
	return &textBlock{common: kind("TextBlock"), Text: s, Wrap: true, Size: "Small", Subtle: true}
}

func (p *painter) block(b chat.Block) {
	switch b := b.(type) {
	case chat.Heading:
		if s := cut(oneLine(b.Text), maxHeading); s != "" {
			p.add(&textBlock{common: kind("TextBlock"), Text: inert(s, true), Wrap: true, Style: "heading", Size: "Medium", Weight: "Bolder"})
		}
	case chat.Section:
		if e := p.paragraph(b.Text, ordinary); e != nil {
			p.add(e)
		}
	case chat.Quote:
		if e := p.paragraph(b.Text, ordinary); e != nil {
			p.add(&container{common: kind("Container"), Style: "emphasis", Items: []element{e}})
		}
	case chat.List:
		if e := p.list(b); e != nil {
			p.add(e)
		}
	case chat.Facts:
		p.facts(b)
	case chat.Row:
		p.row(b)
	case chat.Note:
		if e := p.paragraph(b.Text, smallPrint); e != nil {
			e.all().Spacing = "Small"
			p.add(e)
		}
	case chat.Divider:
		p.divided = true
	case chat.Picture:
		p.picture(b)
	case chat.Actions:
		p.actions(b)
	}
}

func (p *painter) facts(fs chat.Facts) {
	set := &factSet{common: kind("FactSet")}
	each := p.cap
	if len(fs) > 0 {
		each = max(p.cap/len(fs), 40)
	}
	for _, f := range fs {
		value := strings.TrimSpace(paragraphs(p.markdown(cutRich(f.Value, each))))
		if value == "" {
			value = "–"
		}
		title := inert(cut(oneLine(f.Label), min(p.label, each)), true)
		if title == "" {
			title = "–"
		}
		set.Facts = append(set.Facts, fact{title, value})
	}
	if len(set.Facts) > 0 {
		p.add(set)
	}
}

func (p *painter) row(r chat.Row) {
	text := p.paragraph(r.Text, ordinary)
	if text == nil {
		text = p.note("–")
	}
	if idle(r.Button) {
		p.add(text)
		return
	}
	b, asks := p.button(r.Button)
	p.add(&columnSet{common: kind("ColumnSet"), Columns: []column{
		{Type: "Column", Width: "stretch", Align: "Center", Items: []element{text}},
		{Type: "Column", Width: "auto", Align: "Center", Items: []element{&actionSet{kind("ActionSet"), []action{b}}}},
	}})
	if asks != nil {
		p.add(asks)
	}
}

func (p *painter) picture(b chat.Picture) {
	alt := cut(oneLine(b.Alt), min(maxAlt, p.cap))
	if !webURL(b.URL) || strings.HasPrefix(b.URL, "mailto:") {
		if alt != "" {
			p.add(p.paragraph(chat.T(alt), ordinary))
		}
		return
	}
	if alt == "" {
		alt = "Picture"
	}
	p.add(&image{common: kind("Image"), URL: b.URL, Alt: unbraced(alt)})
}
