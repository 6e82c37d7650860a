// Package blockkit renders chat's cards and forms as Slack's Block Kit, within
// Slack's limits, and reads back what its elements carry when they are used.
//
// People's words are shown and never executed: wherever Slack allows it they
// stand in rich_text elements, which Slack does not parse at all; labels and
// small print without marks are plain_text. Only Facts and marked Notes have to
// be mrkdwn; there text is escaped, and characters that would begin a mark are
// swapped for look-alikes, since mrkdwn knows no escape for them.
//
// The limits are those of docs.slack.dev/reference/block-kit. Slack does not
// say whether it counts characters or UTF-16 code units; the greater, code
// units, are counted here.
package blockkit

import (
	"slices"
	"strings"

	"github.com/slack-go/slack"

	"github.com/deskhand/deskhand/bot/chat"
)

// Slack's maxima, in characters where nothing else is said.
const (
	maxText        = 4000 // the fall-back; chat.update refuses more
	maxParagraph   = 3000 // section text; kept in rich_text too, where no limit is published
	maxRow         = 3000 // section text
	maxHeader      = 150
	maxFields      = 10 // fields in a section
	maxField       = 2000
	maxContext     = 2000 // unpublished for context; the strictest of the text objects
	maxElements    = 25   // in an actions block
	maxButton      = 75
	maxURL         = 3000
	maxOverflow    = 5 // options
	maxOptions     = 100
	maxOptionText  = 75
	maxOptionValue = 150
	maxChoices     = 10 // radio buttons, checkboxes
	maxAlt         = 2000
	maxInput       = 3000
	maxLabel       = 2000
	maxModalTitle  = 24
)

// surface is where blocks stand: how many of them, and how much text in all.
type surface struct {
	blocks int
	text   int
}

var (
	// A message of about 13,200 characters in blocks is refused with
	// msg_blocks_too_long, which Slack does not document.
	onMessage = surface{blocks: 50, text: 10_500}
	// A view is refused above 250 KB of JSON (view_too_large).
	onView = surface{blocks: 100, text: 50_000}
)

// Render draws a card as a message: its blocks, and the text that notifications
// and screen readers get instead of them, escaped.
func Render(c chat.Card) (blocks []slack.Block, text string) {
	bs := c.Blocks
	if len(bs) == 0 {
		// Blocks all the same: a bare text would be parsed.
		bs = []chat.Block{chat.Section{Text: chat.T(c.Text)}}
	}
	text = clean(c.Text)
	if strings.TrimSpace(text) == "" {
		text = inWords(bs)
	}
	return draw(bs, onMessage), escapeTo(text, maxText)
}

// RenderHome draws a card as the Home tab of one person.
func RenderHome(c chat.Card) slack.HomeTabViewRequest {
	bs := c.Blocks
	if len(bs) == 0 {
		bs = []chat.Block{chat.Section{Text: chat.T(c.Text)}}
	}
	return slack.HomeTabViewRequest{Type: slack.VTHomeTab, Blocks: slack.Blocks{BlockSet: draw(bs, onView)}}
}

// inWords is the fall-back for a card whose maker gave none.
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
		lines[i] = clean(lines[i])
	}
	lines = slices.DeleteFunc(lines, func(s string) bool { return strings.TrimSpace(s) == "" })
	if len(lines) == 0 {
		return "…"
	}
	return strings.Join(lines, "\n")
}

// painter draws the blocks of one surface.
type painter struct {
	cap     int // characters that one block may show
	ids     int // action ids given out
	primary bool
	drawn   []drawn
}

// drawn is a block and about how many characters it shows.
type drawn struct {
	slack.Block
	size int
}

func draw(bs []chat.Block, on surface) []slack.Block {
	p := painter{cap: fairCap(bs, on.text)}
	for _, b := range bs {
		p.block(b)
	}
	if len(p.drawn) == 0 {
		// Slack refuses a message or a view with nothing in it.
		p.paragraph(chat.T("…"), section)
	}
	return fold(p.drawn, on)
}

func (p *painter) block(b chat.Block) {
	switch b := b.(type) {
	case chat.Heading:
		if s := cut(oneLine(b.Text), maxHeader); s != "" {
			p.add(slack.NewHeaderBlock(plainText(s)), units(s))
		}
	case chat.Section:
		p.paragraph(cutRich(b.Text, p.cap), section)
	case chat.Quote:
		p.paragraph(cutRich(b.Text, p.cap), quote)
	case chat.List:
		p.list(b)
	case chat.Facts:
		p.facts(b)
	case chat.Row:
		p.row(b)
	case chat.Note:
		p.note(cutRich(b.Text, p.cap))
	case chat.Divider:
		p.add(slack.NewDividerBlock(), 0)
	case chat.Picture:
		p.picture(b)
	case chat.Actions:
		p.actions(b)
	}
}

func (p *painter) add(b slack.Block, size int) { p.drawn = append(p.drawn, drawn{b, size}) }

func (p *painter) facts(fs chat.Facts) {
	each := maxField
	if len(fs) > 0 {
		each = min(each, max(p.cap/len(fs), 40))
	}
	for group := range slices.Chunk(fs, maxFields) {
		fields := make([]*slack.TextBlockObject, len(group))
		size := 0
		for i, f := range group {
			label := mrkdwn(chat.B(oneLine(f.Label)), each/2)
			value := mrkdwn(f.Value, each-units(label)-1)
			if value == "" {
				value = "–"
			}
			if label != "" {
				label += "\n"
			}
			fields[i] = marked(label + value)
			size += units(label + value)
		}
		p.add(slack.NewSectionBlock(nil, fields, nil), size)
	}
}

// row needs a section, the one block with something beside its text; sections
// know no rich text.
func (p *painter) row(r chat.Row) {
	text := mrkdwn(r.Text, min(p.cap, maxRow))
	if text == "" {
		text = "–"
	}
	b := r.Button
	p.add(slack.NewSectionBlock(marked(text), nil, slack.NewAccessory(p.button(b))), units(text)+buttonUnits(b))
}

func (p *painter) note(r chat.Rich) {
	if unmarked(r) {
		if s := cut(clean(r.Plain()), maxContext); strings.TrimSpace(s) != "" {
			p.add(slack.NewContextBlock("", plainText(s)), units(s))
		}
		return
	}
	if s := mrkdwn(r, maxContext); strings.TrimSpace(s) != "" {
		p.add(slack.NewContextBlock("", marked(s)), units(s))
	}
}

func (p *painter) picture(b chat.Picture) {
	alt := cut(oneLine(b.Alt), maxAlt)
	if !webURL(b.URL) {
		p.paragraph(chat.T(alt), section)
		return
	}
	if alt == "" {
		alt = "Picture"
	}
	p.add(slack.NewImageBlock(b.URL, alt, "", nil), units(alt))
}

// fairCap is how many characters each block may show so that all together keep
// to limit: the longest give way first, the short ones stay whole.
func fairCap(bs []chat.Block, limit int) int {
	var sizes []int
	for _, b := range bs {
		switch b := b.(type) {
		case chat.Section:
			sizes = append(sizes, richUnits(b.Text))
		case chat.Quote:
			sizes = append(sizes, richUnits(b.Text))
		case chat.Note:
			sizes = append(sizes, richUnits(b.Text))
		case chat.Row:
			sizes = append(sizes, richUnits(b.Text))
			limit -= buttonUnits(b.Button)
		case chat.List:
			n := 0
			for _, i := range b.Items {
				n += richUnits(i)
			}
			sizes = append(sizes, n)
		case chat.Facts:
			n := 0
			for _, f := range b {
				n += units(f.Label) + richUnits(f.Value)
			}
			sizes = append(sizes, n)
		case chat.Heading:
			limit -= min(units(b.Text), maxHeader)
		case chat.Actions:
			for _, b := range slices.Concat(b.Buttons, b.Menu) {
				limit -= buttonUnits(b)
			}
		case chat.Picture:
			limit -= min(units(b.Alt), maxAlt)
		case chat.Divider:
		}
	}
	slices.Sort(sizes)
	for i, n := range sizes {
		share := max(limit, 0) / (len(sizes) - i)
		if n > share {
			return max(share, 1)
		}
		limit -= n
	}
	return 1 << 30
}

// fold keeps blocks to what their surface takes: paragraphs in a row become one
// block, lines across go, and what is still too much is left out above the last
// actions, which stay, with a word that it is.
func fold(bs []drawn, on surface) []slack.Block {
	if len(bs) > on.blocks {
		bs = merge(bs)
	}
	tail, shown := len(bs), 0
	for _, b := range bs {
		shown += b.size
	}
	head := tail
	if len(bs) > on.blocks || shown > on.text {
		for tail > 0 && len(bs)-tail < on.blocks/2 && bs[tail-1].BlockType() == slack.MBTAction {
			tail--
		}
		for head = tail; head > 0 && (head+1+len(bs)-tail > on.blocks || shown > on.text); head-- {
			shown -= bs[head-1].size
		}
	}
	var all []slack.Block
	for i, b := range bs {
		if i == head && head < tail {
			all = append(all, slack.NewContextBlock("", plainText("… There is more than fits here.")))
		}
		if i < head || i >= tail {
			all = append(all, b.Block)
		}
	}
	return all
}

// merge makes one block of paragraphs in a row, and drops the lines across.
func merge(bs []drawn) []drawn {
	var merged []drawn
	for _, b := range bs {
		if b.BlockType() == slack.MBTDivider {
			continue
		}
		rich, ok := b.Block.(*slack.RichTextBlock)
		if last := len(merged) - 1; ok && last >= 0 {
			if before, ok := merged[last].Block.(*slack.RichTextBlock); ok {
				merged[last] = drawn{slack.NewRichTextBlock("", slices.Concat(before.Elements, rich.Elements)...), merged[last].size + b.size}
				continue
			}
		}
		merged = append(merged, b)
	}
	return merged
}

func plainText(s string) *slack.TextBlockObject {
	return slack.NewTextBlockObject(slack.PlainTextType, s, true, false)
}

// marked is mrkdwn in which Slack links nothing by itself.
func marked(s string) *slack.TextBlockObject {
	return slack.NewTextBlockObject(slack.MarkdownType, s, false, true)
}
