package kbeval

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/deskhand/deskhand/bot"
	"github.com/deskhand/deskhand/core/knowledge"
	"github.com/deskhand/deskhand/kb"
)

// judged is how sure the desk was of an answer, and whether it was right.
type judged struct {
	sure       float64
	confidence knowledge.Confidence
	right      bool // the first one was
	among      bool // one of those shown was
}

// Curve is what was right at each degree of sureness, and what was shown to
// questions whose articles were taken out.
type Curve struct{ with, without []judged }

// Draw asks each question twice: as it is, and with the articles that answer
// it taken out of the index.
func Draw(ctx context.Context, o Options, answers string) (c Curve, err error) {
	links, err := readLinks(answers)
	if err != nil {
		return c, err
	}
	articles, err := readAll(o.Articles)
	if err != nil {
		return c, err
	}
	history, err := readAll(o.History)
	if err != nil {
		return c, err
	}
	solved, err := readAllLinks(o.HistoryLinks)
	if err != nil {
		return c, err
	}
	queries, err := readItems(o.Queries)
	if err != nil {
		return c, err
	}
	d, err := newDesk(ctx, o.Progress)
	if err != nil {
		return c, err
	}
	defer func() { err = errors.Join(err, d.close()) }()
	if err := d.articles(ctx, articles); err != nil {
		return c, err
	}
	if _, err := d.history(ctx, history, solved); err != nil {
		return c, err
	}
	if err := bot.CatchUp(ctx, d.db, d.index, nil); err != nil {
		return c, err
	}
	byID := map[string]item{}
	for _, a := range articles {
		byID[a.ID] = a
	}
	slices.SortStableFunc(queries, func(a, b item) int { return a.at.Compare(b.at) })
	var f Figures
	for _, q := range queries {
		if len(links[q.ID]) == 0 {
			continue
		}
		if err := d.learn(ctx, q.at, &f); err != nil {
			return c, err
		}
		right := map[knowledge.ArticleID]bool{}
		var out, back []knowledge.Article
		for _, id := range links[q.ID] {
			a := byID[id].article()
			a.ID = d.ids[id]
			right[a.ID] = true
			back = append(back, a)
			a.State = knowledge.Retired
			out = append(out, a)
		}
		ask := func() (j judged, err error) {
			s, err := d.index.Suggest(ctx, kb.Query{Text: q.asked(), At: q.at})
			j.sure, j.confidence = s.Sure, s.Confidence
			for i, h := range s.Hits {
				j.right = j.right || i == 0 && right[h.Article]
				j.among = j.among || right[h.Article]
			}
			return j, err
		}
		for _, part := range []struct {
			state []knowledge.Article
			to    *[]judged
		}{{nil, &c.with}, {out, &c.without}, {back, nil}} {
			if part.state != nil {
				if err := d.index.Apply(ctx, part.state, 0); err != nil {
					return c, err
				}
			}
			if part.to != nil {
				j, err := ask()
				if err != nil {
					return c, err
				}
				*part.to = append(*part.to, j)
			}
		}
	}
	return c, nil
}

// degrees has a line for each degree of sureness: how often the desk is as sure,
// how often the first is right then, how often it is as sure of what can't be
// right, and how often it is right if every question also comes without answer.
func (c Curve) degrees() string {
	var b strings.Builder
	fmt.Fprintln(&b, "sure from   shown   first right   shown though taken out   right of all these")
	for _, from := range []float64{0, 0.02, 0.04, 0.06, 0.08, 0.1, 0.12, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.45, 0.5, 0.55, 0.6, 0.65, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95} {
		shown, right := 0, 0
		for _, j := range c.with {
			if j.sure >= from {
				if shown++; j.right {
					right++
				}
			}
		}
		stray := 0
		for _, j := range c.without {
			if j.sure >= from {
				stray++
			}
		}
		fmt.Fprintf(&b, "%9.2f %6.1f%% %12.1f%% %23.1f%% %19.1f%%\n", from, percent(shown, len(c.with)), percent(right, shown), percent(stray, len(c.without)), percent(right, shown+stray))
	}
	return b.String()
}

// Table is that, and what the desk makes of it.
func (c Curve) Table() string {
	var b strings.Builder
	b.WriteString(c.degrees())
	for _, k := range []knowledge.Confidence{knowledge.High, knowledge.Low, knowledge.None} {
		n, right, among, stray := 0, 0, 0, 0
		for _, j := range c.with {
			if j.confidence == k {
				n++
				if j.right {
					right++
				}
				if j.among {
					among++
				}
			}
		}
		for _, j := range c.without {
			if j.confidence == k {
				stray++
			}
		}
		fmt.Fprintf(&b, "%s: %.1f%% of the questions, the first right in %.1f%%, one of those shown in %.1f%%; with the articles taken out %.1f%%\n",
			k, percent(n, len(c.with)), percent(right, n), percent(among, n), percent(stray, len(c.without)))
	}
	return b.String()
}

func percent(n, of int) float64 {
	if of == 0 {
		return 0
	}
	return 100 * float64(n) / float64(of)
}
