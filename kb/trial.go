package kb

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/blevesearch/bleve/v2"
	"github.com/blevesearch/bleve/v2/index/scorch"
	index "github.com/blevesearch/bleve_index_api"

	"github.com/deskhand/deskhand/core/knowledge"
)

// Trial is what is to be tried on questions of the past before it is in force.
type Trial struct {
	Articles []knowledge.Article // as they would be; published, whatever their State
	Synonyms [][]string          // more groups of words that mean the same; Articles then has all that have such a word
}

// trialPrefix begins the names of directories in which copies are.
const trialPrefix = "trial-"

// Try answers questions as the index does, and as it would with a trial in
// force: the same code asks a copy of the index to which the trial was applied.
// What the asked of the past says counts up to the At of each question.
func (x *Index) Try(ctx context.Context, t Trial, questions []Query) (now, then []knowledge.Suggestions, err error) {
	failed := func(err error) ([]knowledge.Suggestions, []knowledge.Suggestions, error) {
		return nil, nil, fmt.Errorf("try on past questions: %w", err)
	}
	dir, err := os.MkdirTemp(x.dir, trialPrefix) // in memory: in the system's place for such
	if err != nil {
		return failed(err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	g, err := x.copyTo(filepath.Join(dir, "index"))
	if err != nil {
		return failed(err)
	}
	defer func() { err = errors.Join(err, g.release()) }()
	y := &Index{log: x.log, memory: x.memory, now: g}
	if len(t.Synonyms) > 0 {
		groups := g.meanings.groups
		g.meanings = newMeanings(append(groups[len(builtInSynonyms):len(groups):len(groups)], t.Synonyms...))
	}
	articles := make([]knowledge.Article, len(t.Articles))
	for i, a := range t.Articles {
		a.State = knowledge.Published
		articles[i] = a
	}
	if err := g.apply(ctx, articles, 0); err != nil {
		return failed(err)
	}
	for _, q := range questions {
		before, err := x.Suggest(ctx, q)
		if err != nil {
			return failed(err)
		}
		after, err := y.Suggest(ctx, q)
		if err != nil {
			return failed(err)
		}
		now, then = append(now, before), append(then, after)
	}
	return now, then, nil
}

// copyTo copies the present generation, which goes on answering.
func (x *Index) copyTo(dir string) (*generation, error) {
	// An empty index has all that a copy needs besides what Bleve copies.
	empty, err := bleve.NewUsing(dir, bleve.NewIndexMapping(), scorch.Name, scorch.Name, nil)
	if err != nil {
		return nil, err
	}
	if err := errors.Join(empty.Close(), os.RemoveAll(filepath.Join(dir, "store"))); err != nil {
		return nil, err
	}
	x.mu.RLock()
	defer x.mu.RUnlock()
	if x.now == nil {
		return nil, ErrClosed
	}
	store, ok := x.now.store.(index.CopyIndex)
	if !ok {
		return nil, errors.New("the index can't be copied")
	}
	r := store.CopyReader()
	if r == nil {
		return nil, ErrClosed
	}
	if err := errors.Join(r.CopyTo(bleve.FileSystemDirectory(dir)), r.CloseCopyReader()); err != nil {
		return nil, err
	}
	g := &generation{number: x.now.number, dir: dir, meanings: x.now.meanings}
	if g.bleve, err = bleve.OpenUsing(dir, map[string]any{"bolt_timeout": "2s"}); err != nil {
		return nil, err
	}
	g.store, err = g.bleve.Advanced()
	return g, err
}
