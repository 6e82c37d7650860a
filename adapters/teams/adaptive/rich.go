package adaptive

import (
	"strconv"
	"strings"

	"github.com/deskhand/deskhand/bot/chat"
)

// look is how a paragraph is set.
type look struct {
	size   string
	subtle bool
}

var (
	ordinary   = look{}
	smallPrint = look{"Small", true}
)

// paragraph is r as an element, or nil if there is nothing to show. Text runs
// know no marks, so what people wrote can do nothing there; only a paragraph
// with a mention has to be Markdown.
func (p *painter) paragraph(r chat.Rich, in look) element {
	r = cutRich(r, p.cap)
	if blank(r) {
		return nil
	}
	if p.mentions(r) {
		b := &textBlock{common: kind("TextBlock"), Text: paragraphs(p.markdown(r)), Wrap: true, Subtle: in.subtle}
		b.Size = in.size
		return b
	}
	return &richTextBlock{common: kind("RichTextBlock"), Inlines: runs(r, in)}
}

// mentions says that there is somebody in r who can be mentioned.
func (p *painter) mentions(r chat.Rich) bool {
	for _, s := range r {
		if p.mayMention(s.User) {
			return true
		}
	}
	return false
}

func (p *painter) mayMention(u chat.User) bool {
	if !teamsUser(u) || p.may != nil && !p.may(u) {
		return false
	}
	_, known := p.called[u.ID]
	return known || len(p.entities) < maxMentions
}

// mention is how u is called in Markdown, and notes that it is u.
func (p *painter) mention(s chat.Span) string {
	if text, ok := p.called[s.User.ID]; ok {
		return text
	}
	n := name(s)
	text := "<at>" + n + "</at>"
	for i := 2; p.taken[text]; i++ { // the text alone says who is meant
		text = "<at>" + n + " (" + strconv.Itoa(i) + ")</at>"
	}
	if p.called == nil {
		p.called, p.taken = map[string]string{}, map[string]bool{}
	}
	p.called[s.User.ID], p.taken[text] = text, true
	p.entities = append(p.entities, mention{Type: "mention", Text: text, Mentioned: mentioned{ID: s.User.ID, Name: n}})
	return text
}

// list is one block of lines: runs where nobody is mentioned, else Markdown.
func (p *painter) list(l chat.List) element {
	var items []chat.Rich
	mark := func() string {
		if l.Ordered {
			return strconv.Itoa(len(items)+1) + ". "
		}
		return "• "
	}
	room, mentions := p.cap, false
	for i, item := range l.Items {
		if item = flat(item); blank(item) {
			continue
		}
		if room -= richUnits(item); room < 0 && i > 0 {
			items = append(items, chat.T("… and "+strconv.Itoa(len(l.Items)-i)+" more"))
			break
		}
		items = append(items, append(chat.T(mark()), cutRich(item, p.cap)...))
		mentions = mentions || p.mentions(item)
	}
	if len(items) == 0 {
		return nil
	}
	if !mentions {
		var all chat.Rich
		for i, item := range items {
			if i > 0 {
				all = append(all, chat.Span{Text: "\n"})
			}
			all = append(all, item...)
		}
		return &richTextBlock{common: kind("RichTextBlock"), Inlines: runs(all, ordinary)}
	}
	lines := make([]string, len(items))
	for i, item := range items {
		lines[i] = p.markdown(item)
		if l.Ordered {
			// A number and a full stop would be escaped as no list of ours is.
			lines[i] = strings.TrimPrefix(lines[i], string(zeroWidthSpace))
		} else if rest, ok := strings.CutPrefix(lines[i], "• "); ok {
			lines[i] = "- " + rest
		}
	}
	return &textBlock{common: kind("TextBlock"), Text: strings.Join(lines, "\r"), Wrap: true}
}

// flat is r on one line.
func flat(r chat.Rich) chat.Rich {
	out := make(chat.Rich, len(r))
	for i, s := range r {
		s.Text = lineBreaks.Replace(clean(s.Text))
		out[i] = s
	}
	return out
}

func runs(r chat.Rich, in look) []textRun {
	var all []textRun
	for _, s := range r {
		t := textRun{Type: "TextRun", Size: in.size, Subtle: in.subtle, Italic: s.Italic, Strike: s.Strike}
		if s.Bold {
			t.Weight = "Bolder"
		}
		if s.Code {
			t.Font = "Monospace"
		}
		if !s.Time.IsZero() {
			t.Text = clock(s.Time)
		} else if t.Text = unbraced(clean(shown(s))); t.Text == "" {
			continue
		}
		if s.Link != "" && webURL(s.Link) {
			t.Select = &action{Type: "Action.OpenUrl", URL: s.Link}
		}
		if last := len(all) - 1; last >= 0 && t.Select == nil && all[last].Select == nil {
			before := all[last]
			before.Text = t.Text
			if before == t { // nothing but the text differs
				all[last].Text += t.Text
				continue
			}
		}
		all = append(all, t)
	}
	return all
}

// markdown writes r in the part of Markdown that Teams knows: bold, italic and
// links; a mention, a time or a link is written whole.
func (p *painter) markdown(r chat.Rich) string {
	var b strings.Builder
	start := true
	for _, s := range r {
		b.WriteString(p.markdownSpan(s, start))
		if b.Len() > 0 {
			start = strings.HasSuffix(b.String(), "\n")
		}
	}
	return b.String()
}

func (p *painter) markdownSpan(s chat.Span, start bool) string {
	switch {
	case !s.Time.IsZero():
		return clock(s.Time)
	case p.mayMention(s.User):
		return p.mention(s)
	}
	text := clean(shown(s))
	before, after := "", ""
	if s.Link != "" && webURL(s.Link) {
		before, after = "[", "]("+linkURL(s.Link)+")"
		text = strings.NewReplacer("[", "(", "]", ")").Replace(text)
	}
	if s.Bold {
		before, after = "**"+before, after+"**"
	}
	if s.Italic {
		before, after = "_"+before, after+"_"
	}
	inner := strings.TrimSpace(text)
	if inner == "" || before == "" {
		return inert(text, start)
	}
	// Blanks within a mark would undo it, and so would a line's end.
	i := strings.Index(text, inner)
	lead, trail := text[:i], text[i+len(inner):]
	inner = lookAlikes.Replace(inert(strings.Join(strings.Fields(inner), " "), start && lead == ""))
	return lead + before + inner + after + trail
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

func blank(r chat.Rich) bool {
	for _, s := range r {
		if !s.Time.IsZero() || s.User.ID != "" || strings.TrimSpace(clean(s.Text)) != "" {
			return false
		}
	}
	return true
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
			s.Text = head(s.Text, limit-n)
			short = append(short, s)
		}
		return append(short, chat.Span{Text: "…"})
	}
	return r
}
