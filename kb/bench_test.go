package kb

import (
	"fmt"
	"iter"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/blevesearch/bleve/v2"
	"github.com/blevesearch/bleve/v2/analysis/lang/en"

	"github.com/deskhand/deskhand/core/knowledge"
)

// company makes articles and questions of invented words that come as often
// as words do (the r-th most frequent about 1/r times as often as the first).
type company struct {
	r     *rand.Rand
	zipf  *rand.Zipf
	words []string
}

func newCompany(seed uint64) *company {
	r := rand.New(rand.NewPCG(seed, 1))
	c := &company{r: r, zipf: rand.NewZipf(r, 1.07, 20, 29_999)}
	seen := make(map[string]bool)
	for len(c.words) < 30_000 {
		var b strings.Builder
		for range 2 + r.IntN(3) {
			b.WriteByte("bcdfghklmnprstvw"[r.IntN(16)])
			b.WriteByte("aeiou"[r.IntN(5)])
		}
		b.WriteByte("nrtkm"[r.IntN(5)])
		if w := b.String(); !seen[w] {
			seen[w] = true
			c.words = append(c.words, w)
		}
	}
	copy(c.words, strings.Fields("the is and my to work not password laptop printer wifi mail account login vpn screen access file teams update"))
	return c
}

func (c *company) text(n int) string {
	w := make([]string, n)
	for i := range w {
		w[i] = c.words[c.zipf.Uint64()]
	}
	return strings.Join(w, " ")
}

func (c *company) articles(n int) iter.Seq2[knowledge.Article, error] {
	return func(yield func(knowledge.Article, error) bool) {
		for i := range n {
			a := knowledge.Article{
				ID: knowledge.ArticleID(i + 1), Title: c.text(7), Symptom: c.text(20), Environment: c.text(6), Cause: c.text(15),
				Audience: []string{knowledge.Everyone}, Language: "en", State: knowledge.Published, Tags: []string{c.text(1), c.text(1)},
			}
			if i%10 == 0 {
				a.Audience = []string{"hr"}
			}
			var steps strings.Builder
			for s := range 8 {
				fmt.Fprintf(&steps, "%d. %s\n", s+1, c.text(15))
			}
			a.Answer = steps.String()
			if !yield(a, nil) {
				return
			}
		}
	}
}

func dirSize(b *testing.B, dir string) (n int64) {
	err := filepath.Walk(dir, func(_ string, f os.FileInfo, err error) error {
		if err == nil && !f.IsDir() {
			n += f.Size()
		}
		return err
	})
	if err != nil {
		b.Fatal(err)
	}
	return n
}

// questions are as long as people's are in chat: 5 to 25 words.
func (c *company) questions(n int) []string {
	q := make([]string, n)
	for i := range q {
		q[i] = c.text(5 + c.r.IntN(21))
	}
	return q
}

func percentiles(b *testing.B, took []time.Duration) {
	slices.Sort(took)
	b.ReportMetric(float64(took[len(took)/2].Microseconds()), "p50-µs")
	b.ReportMetric(float64(took[len(took)*99/100].Microseconds()), "p99-µs")
}

func BenchmarkSuggest(b *testing.B) {
	for _, n := range []int{80, 1000, 10_000, 50_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			dir := b.TempDir()
			x := newIndex(b, Options{Dir: dir})
			c := newCompany(7)
			began := time.Now()
			if err := x.Rebuild(b.Context(), 1, n, c.articles(n), nil); err != nil {
				b.Fatal(err)
			}
			built := time.Since(began)
			qs := c.questions(1000)
			took := make([]time.Duration, 0, b.N)
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				began := time.Now()
				if _, err := x.Suggest(b.Context(), Query{Text: qs[i%len(qs)], Groups: []string{"sales"}}); err != nil {
					b.Fatal(err)
				}
				took = append(took, time.Since(began))
			}
			percentiles(b, took)
			b.ReportMetric(built.Seconds(), "build-s")
			b.ReportMetric(float64(dirSize(b, dir))/1e6, "disk-MB")
			var m runtime.MemStats
			runtime.GC()
			runtime.ReadMemStats(&m)
			b.ReportMetric(float64(m.HeapAlloc)/(1<<20), "heap-MiB")
		})
	}
}

// BenchmarkBleve is the floor: the same articles as one text each, the same
// questions, Bleve's own match query, nothing filtered and nothing shown.
func BenchmarkBleve(b *testing.B) {
	const n = 10_000
	m := bleve.NewIndexMapping()
	m.DefaultAnalyzer = en.AnalyzerName
	m.StoreDynamic, m.DocValuesDynamic = false, false
	x, err := bleve.New(filepath.Join(b.TempDir(), "bleve"), m)
	if err != nil {
		b.Fatal(err)
	}
	defer x.Close()
	c := newCompany(7)
	batch := x.NewBatch()
	for a := range c.articles(n) {
		text := strings.Join([]string{a.Title, a.Symptom, strings.Join(a.Tags, " "), a.Answer, a.Environment, a.Cause}, "\n")
		if err := batch.Index(fmt.Sprint(a.ID), map[string]string{"text": text}); err != nil {
			b.Fatal(err)
		}
		if batch.Size() == buildBatch {
			if err := x.Batch(batch); err != nil {
				b.Fatal(err)
			}
			batch.Reset()
		}
	}
	qs := c.questions(1000)
	took := make([]time.Duration, 0, b.N)
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		began := time.Now()
		r := bleve.NewSearchRequestOptions(bleve.NewMatchQuery(qs[i%len(qs)]), 3, 0, false)
		if _, err := x.Search(r); err != nil {
			b.Fatal(err)
		}
		took = append(took, time.Since(began))
	}
	percentiles(b, took)
}

// BenchmarkSuggestWarm is a large desk with a past, each question of which an
// article solved; half of them those that people ask about most.
func BenchmarkSuggestWarm(b *testing.B) {
	const articles, past = 50_000, 500_000
	x := newIndex(b, Options{Dir: b.TempDir()})
	c := newCompany(7)
	began := time.Now()
	if err := x.Rebuild(b.Context(), 1, articles, c.articles(articles), nil); err != nil {
		b.Fatal(err)
	}
	built := time.Since(began)
	spring := time.Date(2026, 4, 1, 9, 0, 0, 0, time.UTC)
	began = time.Now()
	for n := int64(1); n <= past; n += 2000 {
		batch := make([]knowledge.Evidence, 2000)
		for i := range batch {
			id := n + int64(i)
			a := knowledge.ArticleID(1 + c.r.IntN(articles))
			if i%2 == 0 {
				a = knowledge.ArticleID(1 + c.r.IntN(300))
			}
			batch[i] = knowledge.Evidence{Seq: id, Past: knowledge.QuestionPast(id), Text: c.text(5 + c.r.IntN(21)), Article: a, Helped: true, At: spring.Add(time.Duration(id) * time.Minute)}
		}
		x.Learn(batch, n+1999)
	}
	learnt := time.Since(began)
	began = time.Now()
	if err := x.Train(b.Context()); err != nil {
		b.Fatal(err)
	}
	trained := time.Since(began)
	qs := c.questions(1000)
	took := make([]time.Duration, 0, b.N)
	for i := 0; b.Loop(); i++ {
		began := time.Now()
		if _, err := x.Suggest(b.Context(), Query{Text: qs[i%len(qs)], Groups: []string{"sales"}, At: spring.AddDate(1, 0, 0)}); err != nil {
			b.Fatal(err)
		}
		took = append(took, time.Since(began))
	}
	percentiles(b, took)
	b.ReportMetric(built.Seconds(), "build-s")
	b.ReportMetric(learnt.Seconds(), "learn-s")
	b.ReportMetric(trained.Seconds(), "train-s")
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	b.ReportMetric(float64(m.HeapAlloc)/(1<<20), "heap-MiB")
}
