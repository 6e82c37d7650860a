package kb

import (
	"context"
	"fmt"
	"slices"

	index "github.com/blevesearch/bleve_index_api"

	"github.com/deskhand/deskhand/core/knowledge"
)

// Learn takes in evidence, in the order of its numbers: questions that are
// asked from now on are answered with it. seq is how far it goes.
func (x *Index) Learn(all []knowledge.Evidence, seq int64) { x.memory.learn(all, seq) }

// Learnt is how far the index has followed the evidence. It begins at 0 with
// every start: what was learnt is not kept on disk.
func (x *Index) Learnt() int64 {
	x.memory.mu.RLock()
	defer x.memory.mu.RUnlock()
	return x.memory.seq
}

// Past is how many past questions and tickets the index remembers.
func (x *Index) Past() int {
	x.memory.mu.RLock()
	defer x.memory.mu.RUnlock()
	return len(x.memory.past)
}

// PastMost is how many past questions the index remembers at most.
func (x *Index) PastMost() int { return x.memory.most }

// trainingStep is after how much evidence classifiers are made anew: an
// eighth more than there was. All processes do so at the same numbers.
func trainingStep(seq int64) int64 {
	step := int64(64)
	for step*16 <= seq {
		step *= 2
	}
	return seq / step * step
}

// TrainingDue tells whether Train has something to do.
func (x *Index) TrainingDue() bool {
	x.memory.mu.RLock()
	defer x.memory.mu.RUnlock()
	return trainingStep(x.memory.seq) > x.memory.due
}

// Train makes the classifiers anew, of the evidence that there is; it takes
// seconds. Nearest questions and counts need no training.
func (x *Index) Train(ctx context.Context) error {
	m := x.memory
	m.mu.RLock()
	due := trainingStep(m.seq)
	m.mu.RUnlock()
	open, err := x.openArticles(ctx)
	if err != nil {
		return fmt.Errorf("train: %w", err)
	}
	samples, articles := m.articleSamples(func(id knowledge.ArticleID) bool { return open[id] })
	said, err := train(ctx, samples, len(articles), 12, 4)
	if err != nil {
		return fmt.Errorf("train: %w", err)
	}
	said.articles = articles
	tickets, names := m.serviceSamples()
	kind, err := train(ctx, tickets, len(names), 20, 2)
	if err != nil {
		return fmt.Errorf("train: %w", err)
	}
	kind.names = names
	m.mu.Lock()
	defer m.mu.Unlock()
	m.said, m.kind, m.due = said, kind, due
	return nil
}

// Services guesses what a ticket is for by what solved tickets like it were
// for, likeliest first; nothing where there were none.
func (x *Index) Services(text string) []Guess {
	x.memory.mu.RLock()
	kind := x.memory.kind
	x.memory.mu.RUnlock()
	all := kind.guess(text)
	if len(all) == 0 {
		return nil
	}
	s := searches.Get().(*search)
	defer searches.Put(s)
	s.synonyms, s.language, s.units = x.means(), "en", s.units[:0]
	s.ask(Query{Text: text})
	m := x.memory
	m.mu.RLock()
	defer m.mu.RUnlock()
	counts, of := s.counted(len(m.past)), 0
	for number := range m.past {
		if counts[number] = m.past[number].kind != "" && !m.past[number].none; counts[number] {
			of++
		}
	}
	m.alike(s, likeCounted, counts, of)
	for _, n := range s.near {
		if n.like < alikeFrom*s.near[0].like {
			break
		}
		if i := slices.IndexFunc(all, func(g Guess) bool { return g.Service == m.past[n.number].kind }); i >= 0 {
			all[i].Like++
		}
	}
	return all
}

// likeCounted is how many of the nearest tickets are counted.
const likeCounted = 50

// openArticles are those that everybody may read.
func (x *Index) openArticles(ctx context.Context) (open map[knowledge.ArticleID]bool, err error) {
	x.mu.RLock()
	defer x.mu.RUnlock()
	if x.now == nil {
		return nil, ErrClosed
	}
	err = x.now.read(ctx, func(_ index.IndexReader, v *view) error {
		everybodys := v.open()
		open = make(map[knowledge.ArticleID]bool, v.total)
		for id, doc := range v.number {
			open[id] = everybodys.has(doc)
		}
		return nil
	})
	return open, err
}
