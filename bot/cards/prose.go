package cards

import (
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
// on over whatever stands inside one of its steps.
func prose(markdown string) []chat.Block {
	var out []chat.Block
	for _, b := range knowledge.Blocks(markdown) {
		text := rich(b.Text)
		var last *chat.List
		if n := len(out); n > 0 {
			if l, ok := out[n-1].(chat.List); ok {
				last = &l
			}
		}
		item := b.Kind == knowledge.Step || b.Kind == knowledge.Bullet
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
