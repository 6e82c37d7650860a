package bot

import (
	"context"
	"fmt"
	"log/slog"
	"runtime/debug"
	"sync"
	"time"

	"github.com/deskhand/deskhand/core/knowledge"
	"github.com/deskhand/deskhand/kb"
	"github.com/deskhand/deskhand/storage"
)

const (
	// evidencePoll keeps the promise that what is pressed on one process is
	// learnt on all within a second, without anybody having to be told.
	evidencePoll  = 800 * time.Millisecond
	evidenceBatch = 500
)

// LearnEvidence brings an index to where the evidence in Postgres is. until
// ends it earlier, at evidence of a later time; zero means all.
func LearnEvidence(ctx context.Context, db *storage.DB, index *kb.Index, until time.Time) error {
	if err := db.NumberEvidence(ctx); err != nil {
		return err
	}
	if index.Learnt() == 0 {
		var from int64
		if err := db.View(ctx, func(tx *storage.Tx) (err error) {
			from, _, err = tx.EvidenceFrom(ctx, index.PastMost())
			return err
		}); err != nil {
			return err
		}
		index.Learn(nil, from)
	}
	for {
		var batch []knowledge.Evidence
		if err := db.View(ctx, func(tx *storage.Tx) (err error) {
			batch, err = tx.EvidenceSince(ctx, index.Learnt(), evidenceBatch)
			return err
		}); err != nil {
			return err
		}
		n := len(batch)
		if !until.IsZero() {
			for i, e := range batch {
				if !e.At.Before(until) {
					n = i
					break
				}
			}
		}
		if n == 0 {
			return nil
		}
		index.Learn(batch[:n], batch[n-1].Seq)
		if n < len(batch) {
			return nil
		}
	}
}

// indexed tells whether the articles are in the index for the first time: it
// trains for those that it has, and a new one takes a minute beside the work.
func indexed(ctx context.Context, db *storage.DB, index *kb.Index) bool {
	if index.Seq() > 0 {
		return true
	}
	var newest int64
	err := db.View(ctx, func(tx *storage.Tx) (err error) {
		newest, err = tx.ArticleSeq(ctx)
		return err
	})
	return err == nil && newest == 0
}

// FollowEvidence keeps what an index has learnt in step until ctx ends, and
// has it train when there is enough that is new.
func FollowEvidence(ctx context.Context, db *storage.DB, index *kb.Index, log *slog.Logger) error {
	var training sync.WaitGroup
	defer training.Wait()
	trained := make(chan struct{}, 1)
	trained <- struct{}{}
	tick := time.NewTicker(evidencePoll)
	defer tick.Stop()
	for {
		before := index.Learnt()
		if err := LearnEvidence(ctx, db, index, time.Time{}); err != nil && ctx.Err() == nil {
			log.WarnContext(ctx, "the index is behind what people said of its answers", "err", err)
		}
		if after := index.Learnt(); after > before {
			log.DebugContext(ctx, "learnt from what people said of answers", "seq", after)
		}
		if index.TrainingDue() && indexed(ctx, db, index) {
			select {
			case <-trained:
				training.Go(func() {
					if err := index.Train(ctx); err != nil && ctx.Err() == nil {
						log.WarnContext(ctx, "the index could not be trained", "err", fmt.Errorf("follow evidence: %w", err))
					}
					debug.FreeOSMemory() // what training took, a hundred MB for seconds, stays with the process for minutes otherwise
					trained <- struct{}{}
				})
			default: // it is at it
			}
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}
