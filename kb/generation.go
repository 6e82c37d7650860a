package kb

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/fnv"
	"log/slog"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/blevesearch/bleve/v2"
	"github.com/blevesearch/bleve/v2/index/scorch"
	"github.com/blevesearch/bleve/v2/index/scorch/mergeplan"
	index "github.com/blevesearch/bleve_index_api"
	bolt "go.etcd.io/bbolt/errors"

	"github.com/deskhand/deskhand/core/knowledge"
)

// generation is one Bleve index; a rebuild makes the next one. On disk it is
// the directory index-NUMBER.
type generation struct {
	number int
	dir    string // "" in memory
	bleve  bleve.Index
	store  index.Index // what bleve stands on
	seq    atomic.Int64

	broken   atomic.Bool // it could not be read
	meanings *meanings   // that its articles were read with

	renewing sync.Mutex     // held while a snapshot is made
	holding  sync.Mutex     // guards those below
	held     *snapshot      // that is read; nil until somebody does
	reading  sync.WaitGroup // of lists for the snapshot held

	written atomic.Pointer[chan struct{}] // closed when the last change is on disk
}

const generationPrefix = "index-"

// What an index knows of itself.
var (
	versionKey = []byte("deskhand_version")
	seqKey     = []byte("deskhand_seq")
)

// meanings are the words that mean the same.
type meanings struct {
	*synonyms
	groups  [][]string
	version string // names the format and everything of it that is data: these, stop words, weights
}

// builtInMeanings are those of a company without synonyms of its own, which
// most tests are, and every desk on its first day.
var builtInMeanings = sync.OnceValue(func() *meanings { return makeMeanings(nil) })

func newMeanings(company [][]string) *meanings {
	if len(company) == 0 {
		return builtInMeanings()
	}
	return makeMeanings(company)
}

func makeMeanings(company [][]string) *meanings {
	groups := append(builtInSynonyms[:len(builtInSynonyms):len(builtInSynonyms)], company...)
	h := fnv.New64a()
	fmt.Fprintf(h, "%q %q %v %v %v %v", groups, stopText+germanStopText, lengthMatters, wholeArticle, answerAlone, piecesOfIt)
	return &meanings{newSynonyms(groups...), groups, fmt.Sprintf("%d-%x", format, h.Sum64())}
}

// slowly has Bleve's writer rest after a failure: by itself it tries again at
// once, which takes a processor for as long as a disk is full.
const slowly = "deskhand: slowly"

func init() { // Bleve knows such functions by name only
	scorch.RegistryAsyncErrorCallbacks[slowly] = func(err error, store string) {
		if end, ok := merging.Load(store); ok {
			end.(context.CancelCauseFunc)(err)
		}
		time.Sleep(300 * time.Millisecond)
	}
}

// openNewest opens the newest whole index in dir, or begins one, and clears
// away every other.
func openNewest(dir string, m *meanings, log *slog.Logger) (*generation, error) {
	var numbers []int
	if dir != "" {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return nil, err
		}
		entries, err := os.ReadDir(dir)
		if err != nil {
			return nil, err
		}
		for _, e := range entries {
			if s, ok := strings.CutPrefix(e.Name(), generationPrefix); ok {
				if n, err := strconv.Atoi(s); err == nil && n > 0 {
					numbers = append(numbers, n)
				}
			}
			if strings.HasPrefix(e.Name(), trialPrefix) { // cut short
				if err := os.RemoveAll(filepath.Join(dir, e.Name())); err != nil {
					return nil, err
				}
			}
		}
	}
	slices.Sort(numbers)
	slices.Reverse(numbers)
	var found *generation
	for _, n := range numbers {
		path := generationDir(dir, n)
		if found == nil {
			g, err := openGeneration(path, n, m)
			if err == nil {
				found = g
				continue
			}
			if errors.Is(err, bolt.ErrTimeout) {
				return nil, fmt.Errorf("%s is used by another process; give each its own directory", dir)
			}
			log.Warn("article index is built anew", "dir", path, "why", err)
		}
		if err := os.RemoveAll(path); err != nil {
			return nil, err
		}
	}
	if found != nil {
		return found, nil
	}
	number := 1
	if len(numbers) > 0 {
		number = numbers[0] + 1
	}
	g, err := newGeneration(dir, number, m)
	if err != nil {
		return nil, err
	}
	if err := g.finish(0); err != nil {
		return nil, errors.Join(err, g.discard())
	}
	whole, err := g.opened()
	if err != nil {
		return nil, errors.Join(err, g.discard())
	}
	return whole, nil
}

func generationDir(dir string, number int) string {
	return filepath.Join(dir, generationPrefix+strconv.Itoa(number))
}

// newGeneration begins an index, which is to be filled, finished and opened: as
// long as it is filled each batch waits for the disk and fails if that is full.
// What is opened does not wait. Where a batch fails after all, Bleve 2.6.1 closes
// what it goes on reading from, and the next question ends the process; and what
// is in memory for want of room is written when there is some. A process that
// ends before has forgotten how far it was along with the rest.
func newGeneration(dir string, number int, m *meanings) (*generation, error) {
	g := &generation{number: number, meanings: m}
	if dir != "" {
		g.dir = generationDir(dir, number)
		if err := os.RemoveAll(g.dir); err != nil { // of a rebuild that was cut short
			return nil, err
		}
	}
	b, err := bleve.NewUsing(g.dir, bleve.NewIndexMapping(), scorch.Name, scorch.Name, map[string]any{"asyncErrorCallbackName": slowly, "unsafe_batch": dir == "", mergeOptions: whenFinished})
	if err != nil {
		if g.dir != "" { // where there is no room, what was begun takes some
			err = errors.Join(err, os.RemoveAll(g.dir))
		}
		return nil, err
	}
	g.bleve = b
	g.store, err = b.Advanced()
	return g, err
}

// openGeneration opens an index made before. What is damaged on disk shows in
// Bleve as an error or as a panic.
func openGeneration(dir string, number int, m *meanings) (_ *generation, err error) {
	g := &generation{number: number, dir: dir, meanings: m}
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("damaged: %v", p)
		}
		if err != nil && g.bleve != nil {
			g.bleve.Close()
		}
	}()
	if err := verify(filepath.Join(dir, "store")); err != nil {
		return nil, err
	}
	b, err := bleve.OpenUsing(dir, map[string]any{"bolt_timeout": "2s", "asyncErrorCallbackName": slowly, "unsafe_batch": true, mergeOptions: map[string]any{}})
	if err != nil {
		return nil, err
	}
	g.bleve = b
	if g.store, err = g.bleve.Advanced(); err != nil {
		return nil, err
	}
	got, err := g.bleve.GetInternal(versionKey)
	if err != nil {
		return nil, err
	}
	if string(got) != m.version {
		return nil, fmt.Errorf("its version is %q, this program's is %q", got, m.version)
	}
	seq, err := g.bleve.GetInternal(seqKey)
	if err != nil {
		return nil, err
	}
	if len(seq) != 8 {
		return nil, errors.New("damaged: it does not tell how far it is")
	}
	g.seq.Store(int64(binary.BigEndian.Uint64(seq)))
	return g, g.read(context.Background(), func(index.IndexReader, *view) error { return nil })
}

// apply writes articles and seq in one step. A lower seq than before leaves
// it as it is.
func (g *generation) apply(ctx context.Context, articles []knowledge.Article, seq int64) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	b := g.bleve.NewBatch()
	for _, a := range articles {
		d := newDocument(a, g.meanings.synonyms)
		if a.State != knowledge.Published || len(a.Audience) == 0 {
			b.Delete(d.ID())
		} else if err := b.IndexAdvanced(d); err != nil {
			return err
		}
	}
	written := make(chan struct{})
	if g.dir != "" {
		b.SetPersistedCallback(func(error) { close(written) })
		g.written.Store(&written)
	}
	seq = max(seq, g.seq.Load())
	b.SetInternal(seqKey, binary.BigEndian.AppendUint64(nil, uint64(seq)))
	if err := g.bleve.Batch(b); err != nil {
		return err
	}
	if s := g.hold(); s != nil {
		defer g.letGo(s)
		if err := g.renew(ctx); err != nil {
			return err
		}
	}
	g.seq.Store(seq) // now, when queries find what it stands for
	return nil
}

// merge makes one segment of what came in batches: a query looks a term up
// once in each.
func (g *generation) merge(ctx context.Context) error {
	s, ok := g.store.(*scorch.Scorch)
	if !ok || g.dir == "" {
		return nil
	}
	// Bleve says nothing of a merge that fails; it tries again for ever.
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	store := filepath.Join(g.dir, "store")
	merging.Store(store, cancel)
	defer merging.Delete(store)
	merged := make(chan error, 1)
	go func() { merged <- s.ForceMerge(ctx, &inOne) }() // until it is done, or the index closed
	select {
	case err := <-merged:
		return errors.Join(err, context.Cause(ctx))
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// merging are the functions that end a merge, by the directory of its store.
var merging sync.Map

// While an index is filled nothing is merged; then all of it is, once.
const mergeOptions = "scorchMergePlanOptions"

var (
	whenFinished = map[string]any{"MaxSegmentsPerTier": 1 << 20, "FloorSegmentSize": 1}
	inOne        = mergeplan.MergePlanOptions{MaxSegmentsPerTier: 1, MaxSegmentSize: 1 << 30, MaxSegmentFileSize: 1 << 40, TierGrowth: 1, SegmentsPerMergeTask: 1 << 20,
		FloorSegmentSize: 1 << 30, FloorSegmentFileSize: 1 << 40, ReclaimDeletesWeight: 2}
)

// finish marks the index as whole.
func (g *generation) finish(seq int64) error {
	b := g.bleve.NewBatch()
	b.SetInternal(versionKey, []byte(g.meanings.version))
	b.SetInternal(seqKey, binary.BigEndian.AppendUint64(nil, uint64(seq)))
	if err := g.bleve.Batch(b); err != nil {
		return err
	}
	g.seq.Store(seq)
	return nil
}

// opened is a finished index as it is read from.
func (g *generation) opened() (*generation, error) {
	if g.dir == "" {
		return g, nil
	}
	err := g.bleve.Close()
	g.bleve = nil
	if err != nil {
		return nil, err
	}
	return openGeneration(g.dir, g.number, g.meanings)
}

// writeTime is how long the end of a process waits for the disk.
const writeTime = time.Second

// close lets what was applied come to the disk, if that has room.
func (g *generation) close() error {
	if written := g.written.Load(); written != nil {
		select {
		case <-*written:
		case <-time.After(writeTime):
		}
	}
	return g.release()
}

// release closes the index, after the queries under way.
func (g *generation) release() error {
	g.renewing.Lock() // for good: nothing is made of it any more
	g.holding.Lock()
	s := g.held
	g.held = nil
	g.holding.Unlock()
	if s != nil {
		g.letGo(s)
	}
	g.reading.Wait()
	return g.bleve.Close()
}

// discard closes the index and removes it from disk.
func (g *generation) discard() error {
	var err error
	if g.bleve != nil {
		err = g.release()
	}
	if g.dir != "" {
		err = errors.Join(err, os.RemoveAll(g.dir))
	}
	return err
}

// snapshot is the index as it was at one moment, with what queries need to know
// of it.
type snapshot struct {
	index.IndexReader
	view  *view
	users int // guarded by generation.holding; the generation is one
}

// read runs f on a snapshot of the index: the newest that is ready. Another one
// is made by who has changed the index, or, where Bleve has put its files in
// order by itself, beside.
func (g *generation) read(ctx context.Context, f func(index.IndexReader, *view) error) error {
	s := g.hold()
	if s == nil {
		if err := g.renew(ctx); err != nil {
			return err
		}
		s = g.hold()
	}
	defer g.letGo(s)
	if g.renewing.TryLock() {
		go func() {
			defer g.renewing.Unlock()
			if err := g.renewIfOld(context.WithoutCancel(ctx)); err != nil {
				g.broken.Store(true)
			}
		}()
	}
	return safely(func() error { return f(s.IndexReader, s.view) })
}

// safely runs what reads from disk. What is damaged there shows in Bleve as an
// error, as a panic, or as a fault of the memory that the file is mapped to.
func safely(f func() error) (err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("damaged: %v", p)
		}
	}()
	return f()
}

func (g *generation) hold() *snapshot {
	g.holding.Lock()
	defer g.holding.Unlock()
	if g.held != nil {
		g.held.users++
	}
	return g.held
}

func (g *generation) letGo(s *snapshot) {
	g.holding.Lock()
	s.users--
	last := s.users == 0
	g.holding.Unlock()
	if last {
		_ = s.Close() // which counts, and fails at nothing
	}
}

// renew has queries read the index as it now is.
func (g *generation) renew(ctx context.Context) error {
	g.renewing.Lock()
	defer g.renewing.Unlock()
	return g.renewIfOld(ctx)
}

// readAgain reads the lists of common words that the snapshot before had, until
// there is another one.
func (g *generation) readAgain(s *snapshot) (err error) {
	var buf []posting
	for _, k := range s.view.wanted {
		g.holding.Lock()
		old := g.held != s
		g.holding.Unlock()
		if old {
			return nil
		}
		if _, buf, err = s.view.list(context.Background(), s.IndexReader, k.field, k.term, buf[:0]); err != nil {
			return err
		}
	}
	s.view.reading.Lock()
	defer s.view.reading.Unlock()
	s.view.wanted = nil // some are short by now
	return nil
}

// renewIfOld is renew for who holds renewing.
func (g *generation) renewIfOld(ctx context.Context) error {
	return safely(func() (err error) {
		r, err := g.store.Reader()
		if err != nil {
			return err
		}
		kept := false
		defer func() {
			if !kept {
				err = errors.Join(err, r.Close())
			}
		}()
		old := g.hold()
		if old != nil {
			defer g.letGo(old)
			if old.IndexReader == r {
				return nil
			}
		}
		v, err := newView(ctx, r)
		if err != nil {
			return err
		}
		if old != nil {
			v.wanted = old.view.lists()
		}
		kept = true
		next := &snapshot{IndexReader: r, view: v, users: 2}
		g.holding.Lock()
		g.held = next
		g.holding.Unlock()
		if old != nil {
			g.letGo(old) // for the generation
		}
		g.reading.Go(func() {
			defer g.letGo(next)
			if err := safely(func() error { return g.readAgain(next) }); err != nil {
				g.broken.Store(true)
			}
		})
		return nil
	})
}
