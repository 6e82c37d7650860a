package bench

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/blevesearch/bleve/v2"
	"github.com/blevesearch/bleve/v2/analysis/lang/en"

	"github.com/deskhand/deskhand/core/knowledge"
	"github.com/deskhand/deskhand/kb"
)

// searching measures suggestions beside Bleve's own match query over the same
// text, which filters nothing and shows nothing.
func (b *bench) searching(ctx context.Context) error {
	for _, n := range []int{b.o.Scale.Small, b.o.Scale.Middle, b.o.Scale.Large} {
		if err := b.searchAmong(ctx, n); err != nil {
			return err
		}
	}
	return nil
}

func (b *bench) searchAmong(ctx context.Context, n int) (err error) {
	dir, err := os.MkdirTemp(b.dir, "index-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	all := make([]knowledge.Article, n)
	for i := range all {
		all[i] = b.company.article(i + 1)
	}
	ours := filepath.Join(dir, "ours")
	x, err := kb.Open(kb.Options{Dir: ours})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, x.Close()) }()
	began := time.Now()
	if err := x.Rebuild(ctx, 1, n, each(all), nil); err != nil {
		return err
	}
	built := time.Since(began)
	size, err := sizeOf(ours)
	if err != nil {
		return err
	}
	bare, err := bareIndex(filepath.Join(dir, "bare"), all)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, bare.Close()) }()

	var mine, theirs took
	for range b.o.Scale.Queries {
		q := b.company.question()
		began := time.Now()
		if _, err := x.Suggest(ctx, kb.Query{Text: q, Groups: []string{"sales"}}); err != nil {
			return err
		}
		middle := time.Now()
		if _, err := bare.SearchInContext(ctx, bleve.NewSearchRequestOptions(bleve.NewMatchQuery(q), 3, 0, false)); err != nil {
			return err
		}
		mine, theirs = append(mine, middle.Sub(began)), append(theirs, time.Since(middle))
	}
	mine.sorted()
	theirs.sorted()
	row := Row{Name: fmt.Sprintf("suggest.%d", n), What: fmt.Sprintf("suggest among %d articles", n),
		Value:   fmt.Sprintf("p50 %.2f ms, p99 %.2f ms", ms(mine.at(50)), ms(mine.at(99))),
		FloorIs: "Bleve's match query alone", Floor: fmt.Sprintf("p50 %.2f ms, p99 %.2f ms", ms(theirs.at(50)), ms(theirs.at(99))),
		Ratio: fmt.Sprintf("p50 × %.2f, p99 × %.2f", ms(mine.at(50))/ms(theirs.at(50)), ms(mine.at(99))/ms(theirs.at(99))),
		Figures: map[string]float64{"p50_ms": ms(mine.at(50)), "p99_ms": ms(mine.at(99)),
			"floor_p50_ms": ms(theirs.at(50)), "floor_p99_ms": ms(theirs.at(99))}}
	if n == b.o.Scale.Middle {
		row = row.goal(mine.at(99) <= 20*time.Millisecond, "p99 ≤ 20 ms")
	}
	b.add(row, Row{Name: fmt.Sprintf("index.%d", n), What: fmt.Sprintf("index of %d articles: build, size on disk", n),
		Value:   fmt.Sprintf("%.1f s, %.1f MB", built.Seconds(), float64(size)/1e6),
		Figures: map[string]float64{"build_s": built.Seconds(), "disk_bytes": float64(size)}})
	return nil
}

func each(all []knowledge.Article) iter.Seq2[knowledge.Article, error] {
	return func(yield func(knowledge.Article, error) bool) {
		for _, a := range all {
			if !yield(a, nil) {
				return
			}
		}
	}
}

// bareIndex has each article as one text.
func bareIndex(dir string, all []knowledge.Article) (bleve.Index, error) {
	m := bleve.NewIndexMapping()
	m.DefaultAnalyzer = en.AnalyzerName
	m.StoreDynamic, m.DocValuesDynamic = false, false
	x, err := bleve.New(dir, m)
	if err != nil {
		return nil, err
	}
	batch := x.NewBatch()
	for i, a := range all {
		text := strings.Join([]string{a.Title, a.Symptom, strings.Join(a.Tags, " "), a.Answer, a.Environment, a.Cause}, "\n")
		if err := batch.Index(a.Slug, map[string]string{"text": text}); err != nil {
			return nil, errors.Join(err, x.Close())
		}
		if batch.Size() == 1000 || i == len(all)-1 {
			if err := x.Batch(batch); err != nil {
				return nil, errors.Join(err, x.Close())
			}
			batch.Reset()
		}
	}
	return x, nil
}

func sizeOf(dir string) (n int64, err error) {
	err = filepath.WalkDir(dir, func(_ string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		info, err := d.Info()
		if err == nil {
			n += info.Size()
		}
		return err
	})
	return n, err
}
