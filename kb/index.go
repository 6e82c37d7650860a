// Package kb finds the article that answers a question, and with it what can be
// requested and what is down.
//
// Bleve keeps the terms, the lists of articles that hold them and the texts
// to show; what a term weighs in an article is in document.go, what a question
// makes of it in rank.go and features.go, and what the past says in memory.go.
// README.md has what was measured, and how.
package kb

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/deskhand/deskhand/core/knowledge"
)

// ErrClosed is returned by an index after Close.
var ErrClosed = errors.New("kb: the index is closed")

// Options for an index. The zero value is an empty index in memory.
type Options struct {
	// Dir is where the index is kept; it belongs to one process at a time. ""
	// keeps it in memory, which is for tests and tools: there, changes are not
	// merged, and each Apply makes queries a little slower until a Rebuild.
	Dir      string
	Synonyms [][]string // groups of words or phrases that mean the same, besides the built-in ones
	Past     int        // past questions that are remembered, the newest; 0 means 500,000
	Log      *slog.Logger
}

// Index finds published articles. It is safe for concurrent use.
type Index struct {
	dir    string
	log    *slog.Logger
	wanted atomic.Pointer[meanings] // what the next Rebuild builds with

	rebuilding sync.Mutex // held by Rebuild for its whole length
	writing    sync.Mutex // held while articles go in; guards during
	during     []change   // applied since Rebuild began, nil when none runs

	memory *memory

	mu          sync.RWMutex // held for reading by queries
	now         *generation  // nil once closed
	requests    []knowledge.Request
	requestable *beside // the requests, read with the synonyms of now
}

type change struct {
	articles []knowledge.Article
	seq      int64
}

// Query is a question and who asks it.
type Query struct {
	Text     string
	Groups   []string  // slugs of the asker's teams and departments; knowledge.Everyone is implied
	AnyGroup bool      // the asker may read every article, whatever its audience
	Language string    // BCP 47; "" is English
	Limit    int       // most hits; 0 means 3 for Suggest, 10 for Search
	At       time.Time // when it is asked; zero means now
	Advice   Advice    // what somebody else thinks of its Choices; Search takes none

	Requests bool               // look among what can be requested too
	Outages  []knowledge.Outage // what is down just now
	Services []string           // slugs of all: an article is about the first that its tags name
}

// Open opens the index in o.Dir or begins an empty one. A damaged directory,
// or one of another version or other synonyms, is emptied: then Seq is 0 and
// the caller fills it again.
func Open(o Options) (*Index, error) {
	x := &Index{
		dir:    o.Dir,
		log:    cmp.Or(o.Log, slog.Default()),
		memory: newMemory(cmp.Or(o.Past, 500_000)),
	}
	m := newMeanings(o.Synonyms)
	x.wanted.Store(m)
	var err error
	if x.now, err = openNewest(o.Dir, m, x.log); err != nil {
		return nil, fmt.Errorf("open article index: %w", err)
	}
	return x, nil
}

// SetSynonyms says which groups of words or phrases mean the same from the next
// Rebuild on, besides the built-in ones, and whether one is due: they differ
// from those in force, or the index has turned out to be damaged. Until then it
// answers as before.
func (x *Index) SetSynonyms(groups [][]string) (stale bool) {
	m := newMeanings(groups)
	x.mu.RLock()
	defer x.mu.RUnlock()
	if x.now == nil {
		return false
	}
	if m.version == x.now.meanings.version {
		x.wanted.Store(x.now.meanings)
		return x.now.broken.Load()
	}
	x.wanted.Store(m)
	return true
}

// means is the synonyms in force.
func (x *Index) means() *synonyms {
	x.mu.RLock()
	defer x.mu.RUnlock()
	if x.now == nil {
		return x.wanted.Load().synonyms
	}
	return x.now.meanings.synonyms
}

// Seq is how far the index has followed the articles: the highest seq of
// Apply and Rebuild, 0 when it is empty.
func (x *Index) Seq() int64 {
	x.mu.RLock()
	defer x.mu.RUnlock()
	if x.now == nil {
		return 0
	}
	return x.now.seq.Load()
}

// Len is the number of articles that can be found, by whoever may read them.
func (x *Index) Len() int {
	x.mu.RLock()
	defer x.mu.RUnlock()
	if x.now == nil {
		return 0
	}
	n, _ := x.now.bleve.DocCount()
	return int(n)
}

// Apply takes in changed articles: the published ones are found from now on,
// drafts and retired ones no longer. seq is kept with them, in one step.
func (x *Index) Apply(ctx context.Context, articles []knowledge.Article, seq int64) error {
	x.writing.Lock()
	defer x.writing.Unlock()
	x.mu.RLock()
	defer x.mu.RUnlock()
	if x.now == nil {
		return ErrClosed
	}
	if err := x.now.apply(ctx, articles, seq); err != nil {
		return fmt.Errorf("index %d articles: %w", len(articles), err)
	}
	if x.during != nil {
		x.during = append(x.during, change{articles, seq})
	}
	return nil
}

// Rebuild makes a new index of the articles beside the present one, which goes
// on answering and taking changes, and puts it in its place when it is whole.
// seq is what the articles were read at; what is applied meanwhile is in the
// new one too. n is how many articles will come, for progress, which may be nil.
func (x *Index) Rebuild(ctx context.Context, seq int64, n int, articles iter.Seq2[knowledge.Article, error], progress func(done, total int)) error {
	x.rebuilding.Lock()
	defer x.rebuilding.Unlock()

	x.writing.Lock()
	x.during = []change{}
	x.writing.Unlock()
	next, err := x.build(ctx, seq, n, articles, progress)

	x.writing.Lock()
	defer x.writing.Unlock()
	during := x.during
	x.during = nil
	if err != nil {
		return fmt.Errorf("rebuild article index: %w", err)
	}
	for _, c := range during {
		if err := next.apply(ctx, c.articles, c.seq); err != nil {
			next.discard()
			return fmt.Errorf("rebuild article index: %w", err)
		}
	}
	x.mu.Lock()
	old := x.now
	if old != nil {
		x.now = next
		x.requestable = readRequests(x.requests, next.meanings.synonyms)
	}
	x.mu.Unlock()
	if old == nil {
		next.discard()
		return ErrClosed
	}
	if err := old.discard(); err != nil {
		x.log.WarnContext(ctx, "what is left of an old article index could not be removed", "dir", old.dir, "err", err)
	}
	return nil
}

// buildBatch bounds the memory that articles take on their way into the index.
const buildBatch = 500

// build makes the next generation. It counts only once its version is in it,
// so one that was cut short is never opened.
func (x *Index) build(ctx context.Context, seq int64, n int, articles iter.Seq2[knowledge.Article, error], progress func(done, total int)) (_ *generation, err error) {
	if progress == nil {
		progress = func(done, total int) {}
	}
	x.mu.RLock()
	number := 0
	if x.now != nil {
		number = x.now.number + 1
	}
	x.mu.RUnlock()
	if number == 0 {
		return nil, ErrClosed
	}
	g, err := newGeneration(x.dir, number, x.wanted.Load())
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			g.discard()
		}
	}()
	batch := make([]knowledge.Article, 0, buildBatch)
	done := 0
	flush := func() error {
		if err := g.apply(ctx, batch, 0); err != nil {
			return err
		}
		done += len(batch)
		batch = batch[:0]
		progress(done, max(n, done))
		return nil
	}
	for a, err := range articles {
		if err != nil {
			return nil, err
		}
		if batch = append(batch, a); len(batch) == cap(batch) {
			if err := flush(); err != nil {
				return nil, err
			}
		}
	}
	if err := flush(); err != nil {
		return nil, err
	}
	if err := g.merge(ctx); err != nil {
		return nil, err
	}
	if err := g.finish(seq); err != nil {
		return nil, err
	}
	return g.opened()
}

// Close releases the index, after the queries under way. A rebuild under way
// ends with ErrClosed.
func (x *Index) Close() error {
	x.writing.Lock()
	defer x.writing.Unlock()
	x.mu.Lock()
	g := x.now
	x.now = nil
	x.mu.Unlock()
	if g == nil {
		return nil
	}
	return g.close()
}
