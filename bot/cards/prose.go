package cards

import (
	"slices"
	"strings"

	"github.com/deskhand/deskhand/bot/chat"
	"github.com/deskhand/deskhand/core/knowledge"
)

func rich(spans []knowledge.Span) chat.Rich {
	r := make(chat.Rich, len(spans))
	for i, s := range spans {
		r[i] = chat.Span{Text: s.Text, Bold: s.Bold, Italic: s.Italic, Code: s.Code, Link: s.URL}
	}
	return r
}

// prose draws an answer: runs of steps and bullets become lists. A list goes
// on over whatever stands inside one of its steps; the pictures of its steps
// come after it. See Pictures for where pictures are.
func prose(markdown string) []chat.Block {
	var out, pictures []chat.Block
	for _, b := range knowledge.Blocks(markdown) {
		text := rich(b.Text)
		var last *chat.List
		if n := len(out); n > 0 {
			if l, ok := out[n-1].(chat.List); ok {
				last = &l
			}
		}
		item := b.Kind == knowledge.Step || b.Kind == knowledge.Bullet
		if last == nil || !item && b.Depth == 0 {
			out, pictures = append(out, pictures...), nil
		}
		for _, s := range b.Text {
			if s.Picture != "" {
				pictures = append(pictures, chat.Picture{URL: knowledge.PicturePath + s.Picture, Alt: s.Text})
			}
		}
		if !item && b.Depth == 0 && len(b.Text) == 1 && b.Text[0].Picture != "" {
			continue // its description is the picture's
		}
		switch {
		case b.Kind == knowledge.Heading:
			out = append(out, chat.Section{Text: bold(text)})
		case item && b.Depth > 0 && last != nil:
			text = chat.Join(chat.T(strings.Repeat("   ", b.Depth)+"– "), text)
			last.Items[len(last.Items)-1] = chat.Join(last.Items[len(last.Items)-1], chat.T("\n"), text)
		case b.Kind == knowledge.Step && last != nil && last.Ordered && b.Number > 1,
			b.Kind == knowledge.Bullet && last != nil && !last.Ordered:
			last.Items = append(last.Items, text)
			out[len(out)-1] = *last
		case item:
			out = append(out, chat.List{Ordered: b.Kind == knowledge.Step, Items: []chat.Rich{text}})
		case b.Depth > 0 && last != nil:
			last.Items[len(last.Items)-1] = chat.Join(last.Items[len(last.Items)-1], chat.T("\n"), text)
		case b.Kind == knowledge.Code:
			for i := range text {
				text[i].Code = true
			}
			out = append(out, chat.Section{Text: text})
		default:
			out = append(out, chat.Section{Text: text})
		}
	}
	return append(out, pictures...)
}

// Pictures has the pictures of an article shown from where link says, which is
// given their names. Without a link, or where it says "", their descriptions
// are shown.
func Pictures(blocks []chat.Block, link func(name string) string) []chat.Block {
	out := slices.Clone(blocks)
	for i, b := range out {
		p, ok := b.(chat.Picture)
		name, ours := strings.CutPrefix(p.URL, knowledge.PicturePath)
		if !ok || !ours {
			continue
		}
		if p.URL = ""; link != nil {
			p.URL = link(name)
		}
		out[i] = p
	}
	return out
}

func bold(r chat.Rich) chat.Rich {
	b := make(chat.Rich, len(r))
	for i, s := range r {
		s.Bold = true
		b[i] = s
	}
	return b
}
