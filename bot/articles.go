package bot

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"time"

	"github.com/deskhand/deskhand/core/knowledge"
	"github.com/deskhand/deskhand/kb"
	"github.com/deskhand/deskhand/storage"
	"github.com/deskhand/deskhand/storage/ephemeral"
)

const (
	// ArticlesChanged is the wake-up topic on which whoever changes articles
	// says so. It only saves the wait for the next look.
	ArticlesChanged = "articles"

	articlePoll  = 2 * time.Second
	articleBatch = 500
	// rebuildFrom is how many changes are worth a new index.
	rebuildFrom = 2000
	// articleRest is how many looks are left out at most after failures.
	articleRest = 30
)

// ArticlesWritten tells whether articles were changed in chat since the last
// call, so that whoever follows them has to be woken.
func (d *Desk) ArticlesWritten() bool { return d.wrote.Swap(false) }

// CatchUp brings an index to where the articles in Postgres are, and what can be
// requested. progress may be nil; it is told of a rebuild.
func CatchUp(ctx context.Context, db *storage.DB, index *kb.Index, progress func(done, total int)) error {
	var (
		newest   int64
		synonyms []knowledge.Synonym
		requests []knowledge.Request
	)
	if err := db.View(ctx, func(tx *storage.Tx) (err error) {
		if newest, err = tx.ArticleSeq(ctx); err != nil {
			return err
		}
		if synonyms, err = tx.Synonyms(ctx); err != nil {
			return err
		}
		requests, err = tx.Requestables(ctx)
		return err
	}); err != nil {
		return err
	}
	index.SetRequests(requests)
	stale := index.SetSynonyms(knowledge.SynonymGroups(synonyms))
	switch seq := index.Seq(); {
	case seq == newest && !stale:
		return nil
	case stale, seq > newest, seq == 0 || newest-seq > rebuildFrom:
		// It is another database's, or too far behind. Counting reads all articles, so
		// that is done only now.
		var total int
		if err := db.View(ctx, func(tx *storage.Tx) (err error) {
			total, err = tx.CountArticles(ctx)
			return err
		}); err != nil {
			return err
		}
		if err := index.Rebuild(ctx, newest, total, articlesSince(ctx, db, 0), progress); err != nil {
			return fmt.Errorf("rebuild index: %w", err)
		}
	}
	for {
		changed, err := nextArticles(ctx, db, index.Seq())
		if err != nil || len(changed) == 0 {
			return err
		}
		if err := index.Apply(ctx, changed, changed[len(changed)-1].Seq); err != nil {
			return fmt.Errorf("update index: %w", err)
		}
	}
}

func nextArticles(ctx context.Context, db *storage.DB, seq int64) (a []knowledge.Article, err error) {
	err = db.View(ctx, func(tx *storage.Tx) error {
		a, err = tx.ArticlesSince(ctx, seq, articleBatch)
		return err
	})
	return a, err
}

func articlesSince(ctx context.Context, db *storage.DB, seq int64) iter.Seq2[knowledge.Article, error] {
	return func(yield func(knowledge.Article, error) bool) {
		for {
			batch, err := nextArticles(ctx, db, seq)
			if err != nil {
				yield(knowledge.Article{}, err)
				return
			}
			for _, a := range batch {
				if seq = a.Seq; !yield(a, nil) {
					return
				}
			}
			if len(batch) < articleBatch {
				return
			}
		}
	}
}

// FollowArticles keeps an index in step until ctx ends. What fails for another
// reason than the database's is tried less and less often: a new index that has
// no room on disk takes a minute of work to find that out.
func FollowArticles(ctx context.Context, db *storage.DB, index *kb.Index, shared ephemeral.Store, log *slog.Logger) error {
	changed := shared.Subscribe(ctx, ArticlesChanged)
	tick := time.NewTicker(articlePoll)
	defer tick.Stop()
	rest, resting := 0, 0 // looks that are left out
	for {
		if resting > 0 {
			resting--
		} else if err := CatchUp(ctx, db, index, nil); err == nil || ctx.Err() != nil {
			rest = 0
		} else {
			if !errors.Is(err, storage.ErrUnavailable) {
				rest = min(2*rest+1, articleRest)
			}
			resting = rest
			log.WarnContext(ctx, "the index is behind the articles", "err", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-changed:
		case <-tick.C:
		}
	}
}
