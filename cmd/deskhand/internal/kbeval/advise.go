package kbeval

import (
	"bufio"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/deskhand/deskhand/core/knowledge"
	"github.com/deskhand/deskhand/kb"
)

// Adviser is asked as the desk would ask it, but about every question, however
// the calls before went.
type Adviser interface {
	Ask(ctx context.Context, question string, names []string, among []kb.Choice) (kb.Advice, error)
}

// Advised is what a model would do to the answers.
type Advised struct {
	Asked, Answered int
	Moved           int            // questions that then have another article first
	Failed          map[string]int // by reason
	took            []time.Duration

	Known       int // questions of which it is known what answers them, and of them:
	First, Then int // those with a right article first, without the model and with it
	Among, With int // those with one among the shown
	Better      int // without a right one among the shown before, with one then
	Worse       int
}

// deaf is how many questions an adviser may leave unanswered at first before
// it is given up.
const deaf = 10

// advise asks about a question, and returns the query as it would be answered.
func (d *desk) advise(ctx context.Context, ask kb.Query, with Adviser, right []string, f *Advised) (kb.Query, error) {
	own, err := d.index.Suggest(ctx, ask)
	if err != nil {
		return ask, err
	}
	among, err := d.index.Choices(ctx, ask)
	if err != nil {
		return ask, err
	}
	if len(among) > 0 {
		f.Asked++
		began := time.Now()
		advice, err := with.Ask(ctx, ask.Text, nil, among)
		f.took = append(f.took, time.Since(began))
		switch {
		case ctx.Err() != nil:
			return ask, ctx.Err()
		case err == nil:
			f.Answered++
			ask.Advice = advice
		case f.Answered == 0 && f.Asked == deaf:
			return ask, fmt.Errorf("the model has answered none of the first %d questions: %w", deaf, err)
		default:
			f.Failed[err.Error()]++
		}
	}
	then, err := d.index.Suggest(ctx, ask)
	if err != nil {
		return ask, err
	}
	if len(own.Hits) > 0 && own.Hits[0].Article != then.Hits[0].Article {
		f.Moved++
	}
	if len(right) == 0 {
		return ask, nil
	}
	f.Known++
	found := func(hits []knowledge.Hit, first, among *int) bool {
		i := slices.IndexFunc(hits, func(h knowledge.Hit) bool { return slices.Contains(right, d.names[h.Article]) })
		if i == 0 {
			*first++
		}
		if i >= 0 {
			*among++
		}
		return i >= 0
	}
	switch before, after := found(own.Hits, &f.First, &f.Among), found(then.Hits, &f.Then, &f.With); {
	case after && !before:
		f.Better++
	case before && !after:
		f.Worse++
	}
	return ask, nil
}

// advisedRun is ask with an adviser.
func (d *desk) advisedRun(ctx context.Context, queries []item, o Options, f *Figures) error {
	right := map[string][]string{}
	if o.Answers != "" {
		var err error
		if right, err = readLinks(o.Answers); err != nil {
			return err
		}
	}
	f.Advised = &Advised{Failed: map[string]int{}}
	slices.SortStableFunc(queries, func(a, b item) int { return a.at.Compare(b.at) })
	return writeRun(o.Run, queries, f, func(q item, w *bufio.Writer) (time.Duration, error) {
		if err := d.learn(ctx, q.at, f); err != nil {
			return 0, err
		}
		began := time.Now()
		ask, err := d.advise(ctx, kb.Query{Text: q.asked(), At: q.at}, o.Adviser, right[q.ID], f.Advised)
		if err != nil {
			return 0, err
		}
		took := time.Since(began)
		ask.Limit = o.Limit
		return took, d.list(ctx, q, ask, w)
	})
}

// Lines are the figures for people.
func (a *Advised) Lines() string {
	var b strings.Builder
	fmt.Fprintf(&b, "the model was asked about %d questions of which the desk was not sure, and advised on %d", a.Asked, a.Answered)
	if slices.Sort(a.took); len(a.took) > 0 {
		fmt.Fprintf(&b, "; it took p50 %d ms, p99 %d ms", a.took[len(a.took)/2].Milliseconds(), a.took[len(a.took)*99/100].Milliseconds())
	}
	fmt.Fprintf(&b, "\nanother article is first for %d", a.Moved)
	for _, why := range slices.Sorted(maps.Keys(a.Failed)) {
		fmt.Fprintf(&b, "\n%d × %s", a.Failed[why], why)
	}
	if a.Known > 0 {
		fmt.Fprintf(&b, "\nof %d questions with a known answer the first article is right for %.1f %%, with the model %.1f %%", a.Known, percent(a.First, a.Known), percent(a.Then, a.Known))
		fmt.Fprintf(&b, "\none of those shown is right for %.1f %%, with the model %.1f %%: %d better, %d worse", percent(a.Among, a.Known), percent(a.With, a.Known), a.Better, a.Worse)
	}
	return b.String()
}
