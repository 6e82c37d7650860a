package blockkit

import (
	"strconv"
	"strings"

	"github.com/slack-go/slack"

	"github.com/deskhand/deskhand/bot/chat"
)

// frame makes a paragraph of its elements.
type frame func([]slack.RichTextSectionElement) slack.RichTextElement

func section(es []slack.RichTextSectionElement) slack.RichTextElement {
	return slack.NewRichTextSection(es...)
}

func quote(es []slack.RichTextSectionElement) slack.RichTextElement {
	return &slack.RichTextQuote{Type: slack.RTEQuote, Elements: es}
}

// paragraph adds r, in as many blocks as its length takes.
func (p *painter) paragraph(r chat.Rich, in frame) {
	for rest := r; len(rest) > 0; {
		var head chat.Rich
		head, rest = splitRich(rest, maxParagraph)
		if es := elements(head); len(es) > 0 {
			p.add(slack.NewRichTextBlock("", in(es)), richUnits(head))
		}
	}
}

func (p *painter) list(l chat.List) {
	style := slack.RTEListBullet
	if l.Ordered {
		style = slack.RTEListOrdered
	}
	var items []slack.RichTextElement
	room, size := p.cap, 0
	for i, item := range l.Items {
		es := elements(cutRich(item, maxParagraph))
		if len(es) == 0 {
			continue
		}
		if room -= richUnits(item); room < 0 && i > 0 {
			more := "… and " + strconv.Itoa(len(l.Items)-i) + " more"
			items = append(items, slack.NewRichTextSection(elements(chat.T(more))...))
			break
		}
		items = append(items, slack.NewRichTextSection(es...))
		size += min(richUnits(item), maxParagraph)
	}
	if len(items) > 0 {
		p.add(slack.NewRichTextBlock("", slack.NewRichTextList(style, 0, items...)), size)
	}
}

// elements are the spans of r; empty ones are left out, and nothing is left of
// a paragraph of blanks.
func elements(r chat.Rich) []slack.RichTextSectionElement {
	var es []slack.RichTextSectionElement
	blank := true
	for _, s := range r {
		style := styleOf(s)
		switch {
		case !s.Time.IsZero():
			fallback := utc(s.Time)
			e := slack.NewRichTextSectionDateElement(s.Time.Unix(), dateFormat, nil, &fallback)
			e.Style = style
			es = append(es, e)
			blank = false
		case slackUser(s.User):
			es = append(es, slack.NewRichTextSectionUserElement(s.User.ID, style))
			blank = false
		default:
			text := clean(shown(s))
			if text == "" {
				continue
			}
			if strings.TrimSpace(text) != "" {
				blank = false
			}
			if s.Link != "" && webURL(s.Link) {
				es = append(es, slack.NewRichTextSectionLinkElement(s.Link, text, style))
				continue
			}
			es = append(es, slack.NewRichTextSectionTextElement(text, style))
		}
	}
	if blank {
		return nil
	}
	return es
}

func styleOf(s chat.Span) *slack.RichTextSectionTextStyle {
	if !s.Bold && !s.Italic && !s.Strike && !s.Code {
		return nil
	}
	return &slack.RichTextSectionTextStyle{Bold: s.Bold, Italic: s.Italic, Strike: s.Strike, Code: s.Code}
}

// spanUnits is how much of a limit a span takes: its text, and for a mention or
// a time about what a reader sees.
func spanUnits(s chat.Span) int {
	switch {
	case !s.Time.IsZero():
		return 24
	case s.User.ID != "":
		return max(units(s.Text)+1, 16)
	default:
		return units(s.Text)
	}
}

func richUnits(r chat.Rich) int {
	n := 0
	for _, s := range r {
		n += spanUnits(s)
	}
	return n
}

// cutRich shortens r to at most limit units with a "…".
func cutRich(r chat.Rich, limit int) chat.Rich {
	if richUnits(r) <= limit {
		return r
	}
	n := 1 // the "…"
	for i, s := range r {
		size := spanUnits(s)
		if n+size <= limit {
			n += size
			continue
		}
		short := make(chat.Rich, i, i+2)
		copy(short, r)
		if s.Time.IsZero() && s.User.ID == "" {
			s.Text, _ = splitAt(s.Text, limit-n)
			short = append(short, s)
		}
		return append(short, chat.Span{Text: "…"})
	}
	return r
}

// splitRich splits r after at most limit units, within a text where a reader
// would.
func splitRich(r chat.Rich, limit int) (head, tail chat.Rich) {
	n := 0
	for i, s := range r {
		size := spanUnits(s)
		if n+size <= limit {
			n += size
			continue
		}
		if !s.Time.IsZero() || s.User.ID != "" {
			if i == 0 {
				i = 1
			}
			return r[:i:i], r[i:]
		}
		before, after := s, s
		before.Text, after.Text = splitParagraph(s.Text, limit-n)
		if before.Text == "" && i > 0 {
			return r[:i:i], r[i:]
		}
		head = append(r[:i:i], before)
		tail = append(chat.Rich{after}, r[i+1:]...)
		return head, tail
	}
	return r, nil
}
