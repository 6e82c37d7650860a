// Package kb finds the article that answers a question.
package kb

import (
	"context"
	"errors"
	"iter"
	"log/slog"

	"github.com/deskhand/deskhand/core/knowledge"
)

// Options for an index. The zero value is an empty index in memory.
type Options struct {
	Dir      string     // where the index is kept; "" keeps it in memory
	Synonyms [][]string // groups of words or phrases that mean the same, besides the built-in ones
	Log      *slog.Logger
}

// Index finds published articles. It is safe for concurrent use.
type Index struct{}

// Query is a question and who asks it.
type Query struct {
	Text     string
	Groups   []string // slugs of the asker's teams and departments; knowledge.Everyone is implied
	AnyGroup bool     // the asker may read every article, whatever its audience
	Language string   // BCP 47; "" is English
	Limit    int      // most hits; 0 means 3 for Suggest, 10 for Search
}

// Open opens the index in o.Dir or begins an empty one. A damaged directory,
// or one of another version or other synonyms, is emptied: then Seq is 0 and
// the caller fills it again.
func Open(o Options) (*Index, error) { return nil, errors.New("kb: not built yet") }

// Seq is how far the index has followed the articles: the seq of the last
// Apply or Rebuild, 0 when it is empty.
func (x *Index) Seq() int64 { return 0 }

// Len is the number of articles that can be found.
func (x *Index) Len() int { return 0 }

// Apply takes in changed articles: the published ones are found from now on,
// drafts and retired ones no longer. seq is kept with them, in one step.
func (x *Index) Apply(ctx context.Context, articles []knowledge.Article, seq int64) error {
	return errors.New("kb: not built yet")
}

// Rebuild makes a new index of the articles beside the present one, which goes
// on answering, and puts it in its place when it is whole. seq is what the
// articles were read at; changes applied meanwhile are applied again by a
// caller that continues from Seq. n is how many articles will come, for
// progress, which may be nil.
func (x *Index) Rebuild(ctx context.Context, seq int64, n int, articles iter.Seq2[knowledge.Article, error], progress func(done, total int)) error {
	return errors.New("kb: not built yet")
}

// Suggest returns the few articles that are good enough to be shown as an
// answer to a question.
func (x *Index) Suggest(ctx context.Context, q Query) (knowledge.Suggestions, error) {
	return knowledge.Suggestions{}, errors.New("kb: not built yet")
}

// Search returns what speaks of any word of the question, best first, good
// enough or not.
func (x *Index) Search(ctx context.Context, q Query) ([]knowledge.Hit, error) {
	return nil, errors.New("kb: not built yet")
}

// Close releases the index.
func (x *Index) Close() error { return nil }
