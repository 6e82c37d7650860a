package main

import (
	"context"
	"strings"

	"github.com/deskhand/deskhand/core/knowledge"
	"github.com/deskhand/deskhand/kb"
)

// search prints what the desk would show for a question, and then what else
// speaks of it.
func search(ctx context.Context, e *env, index *kb.Index, question, groups []string) error {
	q := kb.Query{Text: strings.Join(question, " "), Groups: groups}
	found, err := index.Suggest(ctx, q)
	if err != nil {
		return err
	}
	shown := map[knowledge.ArticleID]bool{}
	if len(found.Hits) == 0 {
		e.say("Nothing good enough: the desk would offer a ticket.")
	} else {
		e.say("The desk would show (confidence %s):", found.Confidence)
	}
	for _, h := range found.Hits {
		shown[h.Article] = true
		e.say("  %-7s %s  (covers %.0f %%)", h.Article.Ref(), h.Title, 100*h.Covered)
		var text strings.Builder
		for _, s := range h.Extract {
			if s.Bold {
				text.WriteString("*" + s.Text + "*")
			} else {
				text.WriteString(s.Text)
			}
		}
		e.say("          %s", strings.ReplaceAll(text.String(), "\n", " "))
	}
	all, err := index.Search(ctx, q)
	if err != nil {
		return err
	}
	first := true
	for _, h := range all {
		if shown[h.Article] {
			continue
		}
		if first {
			e.say("Also found:")
			first = false
		}
		e.say("  %-7s %s  (covers %.0f %%)", h.Article.Ref(), h.Title, 100*h.Covered)
	}
	return nil
}
