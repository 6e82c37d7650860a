package kbeval

import (
	"context"
	"errors"
	"slices"

	"github.com/deskhand/deskhand/bot"
	"github.com/deskhand/deskhand/core/knowledge"
	"github.com/deskhand/deskhand/kb"
)

// Set is articles and questions whose answers are known.
type Set struct{ Articles, Queries, Links string }

// Fit works out the weights of the ranking: from each question of the first
// set as it would have been answered when it was asked, cold and, but for the
// first fifth, with what had been solved before; and from the questions of the
// others cold. It returns the table.
func Fit(ctx context.Context, sets []Set, say func(string)) (string, error) {
	var asked []kb.Asked
	for i, set := range sets {
		others := slices.Concat(sets[:i], sets[i+1:])
		if err := gather(ctx, set, others, i == 0, say, func(a kb.Asked) { asked = append(asked, a) }); err != nil {
			return "", err
		}
	}
	return kb.Fit(asked), nil
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
