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

// Set is articles and questions whose answers are known.
type Set struct{ Articles, Queries, Links string }

// Fit works out the weights of the ranking: from each question of the first
// set as it would have been answered when it was asked, cold and, but for the
// first fifth, with what had been solved before; and from the questions of the
// others cold. It returns the table. keep leaves the order as it is, and works
// out only how sure it is.
func Fit(ctx context.Context, sets []Set, keep bool, say func(string)) (string, error) {
	asked, err := gatherAll(ctx, sets, say)
	if err != nil {
		return "", err
	}
	return kb.Fit(asked, keep), nil
}

// FitCurves draws how often such weights are right about questions that they
// were not fitted on: of the first set cold and warm, and of the others cold.
func FitCurves(ctx context.Context, sets []Set, say func(string)) (string, error) {
	asked, err := gatherAll(ctx, sets, say)
	if err != nil {
		return "", err
	}
	var b strings.Builder
	for i := range sets {
		for _, past := range []bool{false, true} {
			curves := map[bool]*Curve{false: {}, true: {}}
			for _, j := range kb.HeldOut(asked, past, func(a kb.Asked) bool { return a.Set == i && len(a.Right) > 0 }) {
				c := curves[j.Brief]
				if one := (judged{sure: j.Sure, right: j.Right}); j.Out {
					c.without = append(c.without, one)
				} else {
					c.with = append(c.with, one)
				}
			}
			for _, brief := range []bool{false, true} {
				if c := curves[brief]; len(c.with) > 0 {
					fmt.Fprintf(&b, "set %d, %s: %d questions that say %s\n%s\n", i+1, map[bool]string{false: "no past", true: "what was solved before"}[past],
						len(c.with), map[bool]string{false: "much", true: "little"}[brief], c.degrees())
				}
			}
		}
	}
	return b.String(), nil
}

func gatherAll(ctx context.Context, sets []Set, say func(string)) (asked []kb.Asked, err error) {
	for i, set := range sets {
		others := slices.Concat(sets[:i], sets[i+1:])
		if err := gather(ctx, set, others, i == 0, say, func(a kb.Asked) {
			a.Set = i
			asked = append(asked, a)
		}); err != nil {
			return nil, err
		}
	}
	return asked, nil
}

func gather(ctx context.Context, set Set, others []Set, past bool, say func(string), found func(kb.Asked)) (err error) {
	articles, err := readItems(set.Articles)
	if err != nil {
		return err
	}
	queries, err := readItems(set.Queries)
	if err != nil {
		return err
	}
	links, err := readLinks(set.Links)
	if err != nil {
		return err
	}
	d, err := newDesk(ctx, say)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, d.close()) }()
	if err := d.articles(ctx, articles); err != nil {
		return err
	}
	if err := bot.CatchUp(ctx, d.db, d.index, nil); err != nil {
		return err
	}
	ask := func(q item, warm bool) error {
		ranked, err := d.index.Rank(ctx, kb.Query{Text: q.asked(), At: q.at, Limit: 150})
		if err != nil {
			return err
		}
		right := map[knowledge.ArticleID]bool{}
		for _, a := range links[q.ID] {
			right[d.ids[a]] = true
		}
		if len(right) > 0 || q.ID == "" {
			found(kb.Asked{Ranked: ranked, Right: right, Past: warm})
		}
		return nil
	}
	for _, q := range queries {
		if err := ask(q, false); err != nil {
			return err
		}
	}
	// What nobody here can answer is asked too.
	strays, err := d.strays(others)
	if err != nil {
		return err
	}
	for _, q := range strays {
		if err := ask(q, false); err != nil {
			return err
		}
	}
	if !past {
		return nil
	}
	if _, err := d.history(ctx, queries, links); err != nil {
		return err
	}
	slices.SortStableFunc(queries, func(a, b item) int { return a.at.Compare(b.at) })
	var f Figures
	for i, q := range queries {
		if err := d.learn(ctx, q.at, &f); err != nil {
			return err
		}
		if i < len(queries)/5 {
			continue
		}
		if err := ask(q, true); err != nil {
			return err
		}
	}
	for _, q := range strays {
		if err := ask(q, true); err != nil {
			return err
		}
	}
	return nil
}

// strays are some questions of other sets, without their names.
func (d *desk) strays(others []Set) (all []item, err error) {
	for _, set := range others {
		queries, err := readItems(set.Queries)
		if err != nil {
			return nil, err
		}
		for _, q := range queries[:min(len(queries), 500)] {
			all = append(all, item{Title: q.Title, Text: q.Text})
		}
	}
	return all, nil
}
