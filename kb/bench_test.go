//go:build unix

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
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/blevesearch/bleve/v2"

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

// usage is the processor time of this process so far.
func usage(b *testing.B) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// timed times f for one question after another; beside what the clock says it
// reports the processor's time, which other work on the machine changes less.
func timed(b *testing.B, qs []string, f func(question string) error) {
	took := make([]time.Duration, 0, b.N)
	for _, q := range qs[:min(len(qs), 50)] { // common words are read once for all
		if err := f(q); err != nil {
			b.Fatal(err)
		}
	}
	before := usage(b)
	for i := 0; b.Loop(); i++ {
		began := time.Now()
		if err := f(qs[i%len(qs)]); err != nil {
			b.Fatal(err)
		}
		took = append(took, time.Since(began))
	}
	b.ReportMetric(float64((usage(b)-before).Microseconds())/float64(b.N), "cpu-µs/op")
	percentiles(b, "", took)
}

func percentiles(b *testing.B, of string, took []time.Duration) {
	slices.Sort(took)
	b.ReportMetric(float64(took[len(took)/2].Microseconds()), of+"p50-µs")
	b.ReportMetric(float64(took[len(took)*99/100].Microseconds()), of+"p99-µs")
}

func heap(b *testing.B) {
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	b.ReportMetric(float64(m.HeapAlloc)/(1<<20), "heap-MiB")
}

var bigCompanies = []int{80, 1000, 10_000, 50_000}

// BenchmarkCompany is a desk with so many articles and ten times as many past
// questions, each of which an article solved; half of them those that people
// ask about most. 50,000 and 500,000 take a minute to set up:
//
//	go test ./kb -run '^$' -bench Company/50000 -benchtime 2000x
func BenchmarkCompany(b *testing.B) {
	for _, n := range bigCompanies {
		b.Run(fmt.Sprint(n), func(b *testing.B) { benchmarkCompany(b, n) })
	}
}

func benchmarkCompany(b *testing.B, n int) {
	dir := b.TempDir()
	x := newIndex(b, Options{Dir: dir})
	c := newCompany(7)
	began, before := time.Now(), usage(b)
	if err := x.Rebuild(b.Context(), 1, n, c.articles(n), nil); err != nil {
		b.Fatal(err)
	}
	built, builtCPU := time.Since(began), usage(b)-before
	qs := c.questions(2000)
	asked := time.Date(2027, 4, 1, 9, 0, 0, 0, time.UTC)
	suggest := func(text string) error {
		_, err := x.Suggest(b.Context(), Query{Text: text, Groups: []string{"sales"}, At: asked})
		return err
	}
	b.Run("cold", func(b *testing.B) {
		timed(b, qs, suggest)
		b.ReportMetric(built.Seconds(), "build-s")
		b.ReportMetric(builtCPU.Seconds(), "build-cpu-s")
		b.ReportMetric(float64(dirSize(b, dir))/1e6, "disk-MB")
		heap(b)
	})
	// The floor: Bleve's own search for the same words in the same index, nothing
	// filtered and nothing shown.
	b.Run("bleve", func(b *testing.B) {
		an := new(analyzer)
		timed(b, qs, func(text string) error {
			terms := bleve.NewDisjunctionQuery()
			for _, w := range an.words(text, "en", nil) {
				if !w.stop {
					term := bleve.NewTermQuery(w.term)
					term.SetField(wordsField)
					terms.AddQuery(term)
				}
			}
			_, err := x.now.bleve.Search(bleve.NewSearchRequestOptions(terms, 3, 0, false))
			return err
		})
	})
	// The first question after an article was changed.
	b.Run("edited", func(b *testing.B) {
		edits := min(b.N, 100)
		took, applied := make([]time.Duration, 0, edits), time.Duration(0)
		for i := range edits {
			for a := range c.articles(1) {
				began := time.Now()
				if err := x.Apply(b.Context(), []knowledge.Article{a}, int64(2+i)); err != nil {
					b.Fatal(err)
				}
				applied += time.Since(began)
			}
			began := time.Now()
			if err := suggest(qs[i%len(qs)]); err != nil {
				b.Fatal(err)
			}
			took = append(took, time.Since(began))
		}
		percentiles(b, "", took)
		b.ReportMetric(float64(applied.Microseconds())/float64(edits), "apply-µs/op")
	})
	learnt, trained := c.past(b, x, n, 10*n)
	b.Run("warm", func(b *testing.B) {
		timed(b, qs, suggest)
		b.ReportMetric(learnt.Seconds(), "learn-s")
		b.ReportMetric(trained.Seconds(), "train-s")
		heap(b)
	})
	report := sync.OnceValue(func() func(*testing.B) { return c.rebuild(b, x, n, qs, suggest) })
	b.Run("rebuild", func(b *testing.B) { report()(b) }) // once, however many questions are wanted
}

// past lets x learn from n questions.
func (c *company) past(b *testing.B, x *Index, articles, n int) (learnt, trained time.Duration) {
	spring := time.Date(2026, 4, 1, 9, 0, 0, 0, time.UTC)
	batch := make([]knowledge.Evidence, 0, 2000)
	for id := int64(1); id <= int64(n); id++ {
		a := knowledge.ArticleID(1 + c.r.IntN(articles))
		if id%2 == 0 {
			a = knowledge.ArticleID(1 + c.r.IntN(min(300, articles)))
		}
		batch = append(batch, knowledge.Evidence{Seq: id, Past: knowledge.QuestionPast(id), Text: c.text(5 + c.r.IntN(21)), Article: a, Helped: true,
			At: spring.Add(time.Duration(id) * time.Minute / 2)})
		if len(batch) == cap(batch) || id == int64(n) {
			began := time.Now()
			x.Learn(batch, id)
			learnt += time.Since(began)
			batch = batch[:0]
		}
	}
	began := time.Now()
	if err := x.Train(b.Context()); err != nil {
		b.Fatal(err)
	}
	return learnt, time.Since(began)
}

// rebuild times a rebuild while somebody asks ten questions a second, and the
// same questions before.
func (c *company) rebuild(b *testing.B, x *Index, n int, qs []string, suggest func(string) error) (report func(*testing.B)) {
	asks := func(stop <-chan struct{}) (took []time.Duration) {
		tick := time.NewTicker(100 * time.Millisecond)
		defer tick.Stop()
		for i := 0; ; i++ {
			select {
			case <-stop:
				return took
			case <-tick.C:
			}
			began := time.Now()
			if err := suggest(qs[i%len(qs)]); err != nil {
				b.Error(err)
			}
			took = append(took, time.Since(began))
		}
	}
	calm := make(chan struct{})
	time.AfterFunc(10*time.Second, func() { close(calm) })
	without := asks(calm)
	built, answers := make(chan struct{}), make(chan []time.Duration)
	go func() { answers <- asks(built) }()
	began, before := time.Now(), usage(b)
	if err := x.Rebuild(b.Context(), x.Seq(), n, newCompany(7).articles(n), nil); err != nil {
		b.Fatal(err)
	}
	took, cpu := time.Since(began), usage(b)-before
	time.AfterFunc(2*time.Second, func() { close(built) }) // the first answers of the new one
	with := <-answers
	return func(b *testing.B) {
		b.ReportMetric(took.Seconds(), "rebuild-s")
		b.ReportMetric(cpu.Seconds(), "rebuild-cpu-s")
		percentiles(b, "calm-", without)
		percentiles(b, "", with)
		heap(b)
	}
}
