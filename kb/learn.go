package kb

import (
	"context"
	"fmt"

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
	due, trained := trainingStep(m.seq), len(m.past)
	m.mu.RUnlock()
	open, err := x.openArticles(ctx)
	if err != nil {
		return fmt.Errorf("train: %w", err)
	}
	var v vocabulary
	samples, articles := m.articleSamples(func(id knowledge.ArticleID) bool { return open[id] }, &v)
	said, err := train(ctx, samples, &v, len(articles), 12, 4)
	if err != nil {
		return fmt.Errorf("train: %w", err)
	}
	said.articles = articles
	v = vocabulary{}
	tickets, places := m.placeSamples(&v)
	where, err := train(ctx, tickets, &v, len(places), 20, 2)
	if err != nil {
		return fmt.Errorf("train: %w", err)
	}
	where.places = places
	m.mu.Lock()
	defer m.mu.Unlock()
	m.said, m.where, m.due, m.trained = said, where, due, trained
	return nil
}

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
