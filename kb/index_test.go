package kb

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"

	index "github.com/blevesearch/bleve_index_api"
	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/deskhand/deskhand/core/knowledge"
)

func each(articles []knowledge.Article) iter.Seq2[knowledge.Article, error] {
	return func(yield func(knowledge.Article, error) bool) {
		for _, a := range articles {
			if !yield(a, nil) {
				return
			}
		}
	}
}

func rebuild(t testing.TB, x *Index, seq int64, articles []knowledge.Article) {
	t.Helper()
	if err := x.Rebuild(t.Context(), seq, len(articles), each(articles), nil); err != nil {
		t.Fatal(err)
	}
}

func TestIndexOutlivesItsProcess(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	x := newIndex(t, Options{Dir: dir}, officeArticles...)
	question := Query{Text: "vpn drops"}
	before := suggest(t, x, question)
	if err := x.Close(); err != nil {
		t.Fatal(err)
	}
	x = newIndex(t, Options{Dir: dir})
	if x.Seq() != int64(len(officeArticles)) || x.Len() != len(officeArticles) {
		t.Errorf("opened again it is at %d with %d articles, want %d", x.Seq(), x.Len(), len(officeArticles))
	}
	if diff := cmp.Diff(before, suggest(t, x, question)); diff != "" {
		t.Errorf("opened again it answers otherwise (-before +after):\n%s", diff)
	}
}

// Every file of the index is broken in several ways. What opens must answer or
// be empty; nothing may keep the desk from starting.
func TestDamagedIndexIsBegunAnew(t *testing.T) {
	t.Parallel()
	pristine := t.TempDir()
	x := newIndex(t, Options{Dir: pristine})
	rebuild(t, x, 7, officeArticles)
	if err := x.Close(); err != nil {
		t.Fatal(err)
	}
	damages := map[string]func(b []byte) []byte{
		"empty":      func([]byte) []byte { return nil },
		"cut":        func(b []byte) []byte { return b[:len(b)/2] },
		"other data": func(b []byte) []byte { return []byte(strings.Repeat("x", len(b))) },
		"with a hole": func(b []byte) []byte {
			for i := len(b) / 3; i < len(b)/2; i++ {
				b[i] ^= 0x55
			}
			return b
		},
		"no end": func(b []byte) []byte { return append(b[:max(0, len(b)-64)], make([]byte, min(64, len(b)))...) },
	}
	err := filepath.WalkDir(pristine, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		name, err := filepath.Rel(pristine, path)
		if err != nil {
			return err
		}
		for how, damage := range damages {
			t.Run(filepath.Base(name)+" is "+how, func(t *testing.T) {
				dir := t.TempDir()
				if err := os.CopyFS(dir, os.DirFS(pristine)); err != nil {
					t.Fatal(err)
				}
				broken := filepath.Join(dir, name)
				b, err := os.ReadFile(broken)
				if err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(broken, damage(b), 0o600); err != nil {
					t.Fatal(err)
				}
				x, err := Open(Options{Dir: dir, Log: slog.New(slog.DiscardHandler)})
				if err != nil {
					t.Fatalf("Open(): %v", err)
				}
				defer x.Close()
				if x.Seq() != 0 && (x.Len() != len(officeArticles) || filepath.Ext(name) == ".zap") {
					t.Errorf("it is at %d with %d articles", x.Seq(), x.Len())
				}
				rebuild(t, x, 8, officeArticles)
				if got := suggest(t, x, Query{Text: "vpn drops"}); got.Confidence == knowledge.None || x.Seq() != 8 {
					t.Errorf("filled again it is at %d and finds nothing", x.Seq())
				}
			})
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestOtherSynonymsBeginTheIndexAnew(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	x := newIndex(t, Options{Dir: dir}, officeArticles...)
	if err := x.Close(); err != nil {
		t.Fatal(err)
	}
	x = newIndex(t, Options{Dir: dir, Synonyms: [][]string{{"vpn", "tunnel"}}, Log: slog.New(slog.DiscardHandler)})
	if x.Seq() != 0 || x.Len() != 0 {
		t.Errorf("with other synonyms it is at %d with %d articles, want an empty one", x.Seq(), x.Len())
	}
}

func TestIndexBelongsToOneProcess(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	newIndex(t, Options{Dir: dir}, officeArticles...)
	if x, err := Open(Options{Dir: dir}); err == nil || !strings.Contains(err.Error(), "another process") {
		t.Errorf("Open() of an index in use = %v, %v", x, err)
	}
}

func TestApply(t *testing.T) {
	t.Parallel()
	for _, dir := range []string{"", t.TempDir()} {
		x := newIndex(t, Options{Dir: dir}, officeArticles...)
		a := officeArticles[3]
		question := Query{Text: "vpn drops every few minutes"}
		finds := func() bool { return slices.Contains(titles(suggest(t, x, question).Hits), a.Title) }
		step := func(what string, change func(*knowledge.Article), seq, wantSeq int64, want bool) {
			t.Helper()
			change(&a)
			if err := x.Apply(t.Context(), []knowledge.Article{a}, seq); err != nil {
				t.Fatal(err)
			}
			if finds() != want || x.Seq() != wantSeq {
				t.Errorf("%s: found %t at %d, want %t at %d", what, finds(), x.Seq(), want, wantSeq)
			}
		}
		step("as it was", func(*knowledge.Article) {}, 30, 30, true)
		step("retired", func(a *knowledge.Article) { a.State = knowledge.Retired }, 31, 31, false)
		step("published again", func(a *knowledge.Article) { a.State = knowledge.Published }, 32, 32, true)
		step("for others", func(a *knowledge.Article) { a.Audience = []string{"hr"} }, 33, 33, false)
		step("for all", func(a *knowledge.Article) { a.Audience = []string{"hr", knowledge.Everyone} }, 34, 34, true)
		step("a draft, told late", func(a *knowledge.Article) { a.State = knowledge.Draft }, 20, 34, false)
		if x.Len() != len(officeArticles)-1 {
			t.Errorf("%d articles are left, want %d", x.Len(), len(officeArticles)-1)
		}
	}
}

func TestWhatTheIndexHasFollowedIsFound(t *testing.T) {
	t.Parallel()
	x := newIndex(t, Options{Dir: t.TempDir()}, officeArticles...)
	a := officeArticles[3]
	question := Query{Text: "vpn drops every few minutes"}
	for seq := x.Seq() + 1; seq < 100; seq++ {
		a.State = knowledge.Retired
		if seq%2 == 0 {
			a.State = knowledge.Published
		}
		applied := make(chan error, 1)
		go func() { applied <- x.Apply(t.Context(), []knowledge.Article{a}, seq) }()
		for x.Seq() < seq && len(applied) == 0 {
			runtime.Gosched()
		}
		if found := slices.Contains(titles(suggest(t, x, question).Hits), a.Title); found != (a.State == knowledge.Published) {
			t.Errorf("at %d the article is %s, found %t", x.Seq(), a.State, found)
		}
		if err := <-applied; err != nil {
			t.Fatal(err)
		}
	}
}

func TestRebuildReportsProgressAndFailure(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	x := newIndex(t, Options{Dir: dir}, officeArticles...)
	broken := errors.New("the database went away")
	err := x.Rebuild(t.Context(), 99, 10, func(yield func(knowledge.Article, error) bool) {
		if yield(officeArticles[0], nil) {
			yield(knowledge.Article{}, broken)
		}
	}, nil)
	if !errors.Is(err, broken) {
		t.Errorf("Rebuild() = %v, want its source's error", err)
	}
	if x.Len() != len(officeArticles) || x.Seq() == 99 {
		t.Errorf("a failed rebuild left %d articles at %d", x.Len(), x.Seq())
	}
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	if err := x.Rebuild(cancelled, 99, 1, each(officeArticles), nil); !errors.Is(err, context.Canceled) {
		t.Errorf("Rebuild() without time = %v", err)
	}

	var progress []string
	many := make([]knowledge.Article, 2*buildBatch+1)
	for i := range many {
		many[i] = officeArticles[0]
		many[i].ID, many[i].Answer = knowledge.ArticleID(i+1), ""
	}
	n := len(many)
	err = x.Rebuild(t.Context(), 100, n, each(many), func(done, total int) { progress = append(progress, fmt.Sprint(done, "/", total)) })
	if err != nil {
		t.Fatal(err)
	}
	if want := []string{"500/1001", "1000/1001", "1001/1001"}; !slices.Equal(progress, want) {
		t.Errorf("progress %q, want %q", progress, want)
	}
	if x.Len() != n || x.Seq() != 100 {
		t.Errorf("it has %d articles at %d, want %d at 100", x.Len(), x.Seq(), n)
	}
	kept, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil || len(kept) != 1 {
		t.Errorf("on disk are %q, want the new index alone", kept)
	}
}

// Whatever is applied while the new index grows is in it.
func TestApplyDuringRebuild(t *testing.T) {
	t.Parallel()
	x := newIndex(t, Options{Dir: t.TempDir()}, officeArticles[:5]...)
	late := officeArticles[20]
	gone := officeArticles[3]
	gone.State = knowledge.Retired
	err := x.Rebuild(t.Context(), 50, len(officeArticles), func(yield func(knowledge.Article, error) bool) {
		for i, a := range officeArticles[:20] {
			if i == 10 {
				if err := x.Apply(t.Context(), []knowledge.Article{late, gone}, 51); err != nil {
					yield(a, err)
					return
				}
			}
			if !yield(a, nil) {
				return
			}
		}
	}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if x.Seq() != 51 || x.Len() != 20 {
		t.Errorf("it has %d articles at %d, want 20 at 51", x.Len(), x.Seq())
	}
	if got := suggest(t, x, Query{Text: "0x80070035"}); len(got.Hits) != 1 || got.Hits[0].Article != late.ID {
		t.Errorf("the article of meanwhile is not found: %q", titles(got.Hits))
	}
	if got := suggest(t, x, Query{Text: "vpn drops every few minutes"}); slices.Contains(titles(got.Hits), gone.Title) {
		t.Errorf("the article retired meanwhile is found: %q", titles(got.Hits))
	}
}

// Questions go on being answered, and rightly, while indexes come and go.
func TestSuggestDuringRebuild(t *testing.T) {
	t.Parallel()
	x := newIndex(t, Options{Dir: t.TempDir()}, officeArticles...)
	stop := make(chan struct{})
	var asking sync.WaitGroup
	asked := make(chan struct{}, 1)
	for range 2 {
		asking.Go(func() {
			for {
				got, err := x.Suggest(t.Context(), Query{Text: "the vpn drops, and a slip of the pne"})
				if err != nil || len(got.Hits) == 0 || got.Hits[0].Title != "Keep the VPN connected" {
					t.Errorf("Suggest() = %q, %v", titles(got.Hits), err)
					return
				}
				select {
				case asked <- struct{}{}:
				default:
				}
				select {
				case <-stop:
					return
				default:
				}
			}
		})
	}
	for i := range 5 {
		<-asked
		rebuild(t, x, int64(100+2*i), officeArticles)
		if err := x.Apply(t.Context(), officeArticles[:3], int64(101+2*i)); err != nil {
			t.Error(err)
		}
	}
	close(stop)
	asking.Wait()
}

func TestClosedIndex(t *testing.T) {
	t.Parallel()
	x, err := Open(Options{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := x.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := x.Suggest(t.Context(), Query{Text: "vpn"}); !errors.Is(err, ErrClosed) {
		t.Errorf("Suggest() = %v", err)
	}
	if err := x.Apply(t.Context(), officeArticles, 1); !errors.Is(err, ErrClosed) {
		t.Errorf("Apply() = %v", err)
	}
	if err := x.Rebuild(t.Context(), 1, 1, each(officeArticles), nil); !errors.Is(err, ErrClosed) {
		t.Errorf("Rebuild() = %v", err)
	}
	if x.Seq() != 0 || x.Len() != 0 {
		t.Errorf("closed it is at %d with %d articles", x.Seq(), x.Len())
	}
}

// fewWords make articles and questions that have much in common.
var fewWords = strings.Fields("vpn drops printer password laptop monitor charger badge excel folder mailbox 0x80070035 slow remote access wi fi second factor vpm pritner")

func anyText(most int) *rapid.Generator[string] {
	return rapid.Map(rapid.SliceOfN(rapid.SampledFrom(fewWords), 1, most), func(w []string) string { return strings.Join(w, " ") })
}

func anyArticles(t *rapid.T) []knowledge.Article {
	articles := make([]knowledge.Article, rapid.IntRange(1, 12).Draw(t, "articles"))
	for i := range articles {
		articles[i] = knowledge.Article{
			ID: knowledge.ArticleID(i + 1), Title: anyText(4).Draw(t, "title"), Symptom: anyText(8).Draw(t, "symptom"), Answer: anyText(12).Draw(t, "answer"),
			Audience: rapid.SliceOfNDistinct(rapid.SampledFrom([]string{knowledge.Everyone, "hr", "legal"}), 1, 3, rapid.ID).Draw(t, "audience"),
			Language: rapid.SampledFrom([]string{"en", "en", "en", "de"}).Draw(t, "language"), State: knowledge.Published,
		}
	}
	return articles
}

func openWith(t *rapid.T, batches ...[]knowledge.Article) *Index {
	x, err := Open(Options{})
	if err != nil {
		t.Fatal(err)
	}
	for _, b := range batches {
		if err := x.Apply(context.Background(), b, 1); err != nil {
			t.Fatal(err)
		}
	}
	return x
}

// What somebody may not read makes no difference to them: not to which
// articles they get, not to the order, not to the confidence or a score.
func TestUnreadableArticlesMakeNoDifference(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		articles := anyArticles(t)
		q := Query{Text: anyText(6).Draw(t, "question"), Groups: rapid.SliceOfDistinct(rapid.SampledFrom([]string{"hr", "sales"}), rapid.ID).Draw(t, "groups")}
		var readable []knowledge.Article
		for _, a := range articles {
			if a.ReadableBy(q.Groups) {
				readable = append(readable, a)
			}
		}
		all, mine := openWith(t, articles), openWith(t, readable)
		defer all.Close()
		defer mine.Close()
		got, err := all.Suggest(context.Background(), q)
		if err != nil {
			t.Fatal(err)
		}
		want, err := mine.Suggest(context.Background(), q)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("Suggest(%+v) with and without the others' articles (-without +with):\n%s", q, diff)
		}
		found, err := all.Search(context.Background(), q)
		if err != nil {
			t.Fatal(err)
		}
		for _, h := range found {
			if a := articles[h.Article-1]; !a.ReadableBy(q.Groups) {
				t.Fatalf("Search(%+v) found %s for %q", q, h.Article.Ref(), a.Audience)
			}
		}
	})
}

// Every process answers alike, in whatever order and portions it took the
// articles in, and with whatever was there before.
func TestAnswerDependsOnTheArticlesOnly(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		articles := anyArticles(t)
		mixed := slices.Clone(articles)
		r := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "order"), 0))
		r.Shuffle(len(mixed), func(i, j int) { mixed[i], mixed[j] = mixed[j], mixed[i] })
		old := slices.Clone(mixed[:len(mixed)/2])
		for i := range old {
			old[i].Title, old[i].Answer = old[i].Answer, "something else"
		}
		gone := knowledge.Article{ID: 99, Title: anyText(4).Draw(t, "gone"), Audience: []string{knowledge.Everyone}, State: knowledge.Published}
		retired := gone
		retired.State = knowledge.Retired
		cut := rapid.IntRange(0, len(mixed)).Draw(t, "cut")

		one := openWith(t, articles)
		other := openWith(t, append(old, gone), mixed[:cut], []knowledge.Article{retired}, mixed[cut:])
		defer one.Close()
		defer other.Close()
		q := Query{Text: anyText(6).Draw(t, "question"), AnyGroup: true, Limit: 5}
		want, err := one.Search(context.Background(), q)
		if err != nil {
			t.Fatal(err)
		}
		got, err := other.Search(context.Background(), q)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("Search(%q) (-at once +bit by bit):\n%s", q.Text, diff)
		}
	})
}

// near agrees with the distance worked out in full.
func TestNear(t *testing.T) {
	t.Parallel()
	word := rapid.StringOfN(rapid.SampledFrom([]rune("abü")), 0, 7, -1)
	rapid.Check(t, func(t *rapid.T) {
		a, b, slips := word.Draw(t, "a"), word.Draw(t, "b"), rapid.IntRange(0, 3).Draw(t, "slips")
		if got, d := near(a, b, slips), distance([]rune(a), []rune(b)); got != (d <= slips) {
			t.Fatalf("near(%q, %q, %d) = %t, they are %d apart", a, b, slips, got, d)
		}
	})
}

// distance counts letters added, left out, changed and neighbours swapped, no
// letter twice (optimal string alignment).
func distance(a, b []rune) int {
	d := make([][]int, len(a)+1)
	for i := range d {
		d[i] = make([]int, len(b)+1)
		for j := range d[i] {
			switch {
			case i == 0 || j == 0:
				d[i][j] = i + j
				continue
			case a[i-1] == b[j-1]:
				d[i][j] = d[i-1][j-1]
			default:
				d[i][j] = 1 + d[i-1][j-1]
			}
			d[i][j] = min(d[i][j], 1+d[i-1][j], 1+d[i][j-1])
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				d[i][j] = min(d[i][j], 1+d[i-2][j-2])
			}
		}
	}
	return d[len(a)][len(b)]
}

// unreadable is an index whose files are gone.
type unreadable struct{ index.IndexReader }

func (unreadable) TermFieldReader(context.Context, []byte, string, bool, bool, bool) (index.TermFieldReader, error) {
	return nil, errors.New("input/output error")
}

func TestAnIndexThatBreaksWantsARebuild(t *testing.T) {
	t.Parallel()
	x := newIndex(t, Options{Dir: t.TempDir(), Log: slog.New(slog.DiscardHandler)})
	rebuild(t, x, 3, officeArticles)
	if x.SetSynonyms(nil) {
		t.Fatal("a whole index wants a rebuild")
	}
	x.now.renewing.Lock()
	x.now.held.IndexReader = unreadable{x.now.held.IndexReader}
	x.now.renewing.Unlock()
	if _, err := x.Suggest(t.Context(), Query{Text: "vpn drops"}); err == nil {
		t.Fatal("Suggest() finds something in an index that can't be read")
	}
	if !x.SetSynonyms(nil) {
		t.Fatal("a broken index wants no rebuild")
	}
	rebuild(t, x, 3, officeArticles)
	if got := suggest(t, x, Query{Text: "vpn drops"}); len(got.Hits) == 0 || x.SetSynonyms(nil) {
		t.Errorf("after a rebuild it shows %q", titles(got.Hits))
	}
}

func TestARebuildThatCannotWriteLeavesTheIndexAsItIs(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "index")
	x := newIndex(t, Options{Dir: dir, Log: slog.New(slog.DiscardHandler)})
	rebuild(t, x, 3, officeArticles)
	away := dir + "-away"
	if err := os.Rename(dir, away); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(dir, nil, 0o600); err != nil { // nothing can be made beneath it, by root neither
		t.Fatal(err)
	}
	if err := x.Rebuild(t.Context(), 4, len(officeArticles), each(officeArticles), nil); err == nil {
		t.Fatal("Rebuild() where nothing can be written succeeded")
	}
	if got := suggest(t, x, Query{Text: "vpn drops"}); len(got.Hits) == 0 || x.Seq() != 3 {
		t.Errorf("the index is at %d and shows %q, want it as it was", x.Seq(), titles(got.Hits))
	}
	if err := errors.Join(os.Remove(dir), os.Rename(away, dir)); err != nil {
		t.Fatal(err)
	}
	rebuild(t, x, 4, officeArticles)
	if got := suggest(t, x, Query{Text: "vpn drops"}); len(got.Hits) == 0 || x.Seq() != 4 {
		t.Errorf("with room again it is at %d and shows %q", x.Seq(), titles(got.Hits))
	}
}
