package kb

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	index "github.com/blevesearch/bleve_index_api"

	"github.com/deskhand/deskhand/core/knowledge"
)

// counting counts what a question takes of the index: lists that are opened,
// and their entries.
type counting struct {
	index.IndexReader
	lists, entries int
}

func (c *counting) TermFieldReader(ctx context.Context, term []byte, field string, freq, norm, vectors bool) (index.TermFieldReader, error) {
	c.lists++
	r, err := c.IndexReader.TermFieldReader(ctx, term, field, freq, norm, vectors)
	return &countingList{r, c}, err
}

type countingList struct {
	index.TermFieldReader
	of *counting
}

func (l *countingList) Next(at *index.TermFieldDoc) (*index.TermFieldDoc, error) {
	d, err := l.TermFieldReader.Next(at)
	if d != nil {
		l.of.entries++
	}
	return d, err
}

// work is what a question takes, and what its words were read as.
func work(t *testing.T, x *Index, q Query) (lists, entries int, read []string) {
	t.Helper()
	err := x.now.read(t.Context(), func(r index.IndexReader, v *view) error {
		v.reading.Lock()
		clear(v.common) // what another question has left
		v.kept = 0
		v.reading.Unlock()
		c := &counting{IndexReader: r}
		s := &search{solved: map[uint32]int{}, r: c, v: v, synonyms: x.now.meanings.synonyms, memory: x.memory}
		if err := s.find(t.Context(), q, nil, 3); err != nil {
			return err
		}
		lists, entries = c.lists, c.entries
		for _, u := range s.units {
			read = append(read, u.term+u.concept)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return lists, entries, read
}

// What somebody may not read takes no time: a question reads exactly as much
// whether hundreds of articles for others have its words, one letter beside
// them, or none; nor is it understood otherwise.
func TestUnreadableArticlesTakeNoWork(t *testing.T) {
	t.Parallel()
	hidden := slices.Clone(officeArticles)
	for i := range 300 {
		hidden = append(hidden, knowledge.Article{
			ID: knowledge.ArticleID(1000 + i), Title: fmt.Sprintf("Restructuring of payroll %d", i), Symptom: "Who is let go, severance, the printer of the works council, vpn drops.",
			Answer: "Password, laptop, monitor and badge are taken back. Abfindung berechnen.", Tags: []string{"golem"}, Audience: []string{"hr", "board"}, Language: []string{"en", "de"}[i%2], State: knowledge.Published,
		})
	}
	with, without := newIndex(t, Options{}, hidden...), newIndex(t, Options{}, officeArticles...)
	for _, text := range []string{
		"restructuring", "severance", "severence", "golem", "gollem", "restructurng of payrol", "Abfindung berechnen", "who is let go", "works council printer",
		"vpn drops", "my laptop and the monitor", "passwrod", "a walrus sings",
	} {
		for _, groups := range [][]string{nil, {"sales"}} {
			q := Query{Text: text, Groups: groups}
			lists, entries, read := work(t, with, q)
			wantLists, wantEntries, wantRead := work(t, without, q)
			if lists != wantLists || entries != wantEntries || !slices.Equal(read, wantRead) {
				t.Errorf("%q of %q reads %d lists with %d entries as %q; without the others' articles %d, %d, %q", text, groups, lists, entries, read, wantLists, wantEntries, wantRead)
			}
		}
	}
	if lists, entries, read := work(t, with, Query{Text: "severence", Groups: []string{"board"}}); entries < 300 || !strings.HasPrefix(read[0], "sever") {
		t.Errorf("who may read them reads %d lists with %d entries as %q: this test tests nothing", lists, entries, read)
	}
}

// Groups of questions are named by what people asked and synonyms they know,
// never by an article.
func TestGroupsKnowNoArticles(t *testing.T) {
	t.Parallel()
	x, y := newIndex(t, Options{}, officeArticles...), newIndex(t, Options{})
	questions := []string{"severance letter for my cousin", "a letter of severance please", "payroll export", "where is the severance letter"}
	if got, want := fmt.Sprint(x.Group(questions)), fmt.Sprint(y.Group(questions)); got != want {
		t.Errorf("with articles they are %s, without %s", got, want)
	}
}

func TestAudiences(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		of, groups []string
		want       bool
	}{
		{[]string{knowledge.Everyone}, nil, true},
		{[]string{"hr", knowledge.Everyone}, nil, true},
		{[]string{"hr"}, nil, false},
		{[]string{"hr"}, []string{"hr"}, true},
		{[]string{"hr"}, []string{"h", "r", "hr-2", ""}, false},
		{[]string{"hr", "legal"}, []string{"legal"}, true},
		{[]string{"legal", "hr", "hr"}, []string{"sales", "hr"}, true},
		{[]string{"hr"}, []string{knowledge.Everyone}, false},
	} {
		if got := forAny(audienceOf(tt.of), tt.groups); got != tt.want {
			t.Errorf("an article for %q is readable by %q: %t, want %t", tt.of, tt.groups, got, tt.want)
		}
	}
	if a, b := audienceOf([]string{"b", "a"}), audienceOf([]string{"a", "b", "a"}); a != b {
		t.Errorf("the same groups have the keys %q and %q", a, b)
	}
}
