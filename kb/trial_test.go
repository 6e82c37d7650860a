package kb_test

import (
	"os"
	"testing"

	"github.com/deskhand/deskhand/core/knowledge"
	"github.com/deskhand/deskhand/kb"
)

func TestAnArticleIsTriedWithoutBeingPublished(t *testing.T) {
	t.Parallel()
	for name, dir := range map[string]string{"in memory": "", "on disk": t.TempDir()} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			x, err := kb.Open(kb.Options{Dir: dir})
			if err != nil {
				t.Fatal(err)
			}
			defer x.Close()
			article := func(id knowledge.ArticleID, state knowledge.State, title, symptom, audience string) knowledge.Article {
				return knowledge.Article{ID: id, Title: title, Symptom: symptom, Answer: "Do as it says.", Audience: []string{audience}, Language: "en", State: state}
			}
			if err := x.Apply(t.Context(), []knowledge.Article{
				article(1, knowledge.Published, "The printer on your floor does not print", "The printer is not printing.", knowledge.Everyone),
				article(2, knowledge.Published, "Keep the VPN connected", "The vpn drops every ten minutes.", knowledge.Everyone),
			}, 2); err != nil {
				t.Fatal(err)
			}
			questions := []kb.Query{{Text: "how do I fill my zeppelin with helium"}, {Text: "the printer is not printing"}, {Text: "zeppelin helium", Groups: []string{"sales"}}}
			ids := func(s knowledge.Suggestions) (all []knowledge.ArticleID) {
				for _, h := range s.Hits {
					all = append(all, h.Article)
				}
				return all
			}
			first := func(s knowledge.Suggestions) knowledge.ArticleID {
				if len(s.Hits) == 0 {
					return 0
				}
				return s.Hits[0].Article
			}
			now, then, err := x.Try(t.Context(), kb.Trial{Articles: []knowledge.Article{
				article(3, knowledge.Draft, "Fill a zeppelin", "My zeppelin needs helium.", "sales")}}, questions)
			if err != nil {
				t.Fatal(err)
			}
			for i, want := range []struct{ now, then knowledge.ArticleID }{{0, 0}, {1, 1}, {0, 3}} {
				if first(now[i]) != want.now || first(then[i]) != want.then {
					t.Errorf("%q finds %v, and would find %v; want %v first", questions[i].Text, ids(now[i]), ids(then[i]), want)
				}
			}
			// With a synonym, whoever says it finds what has the other word.
			now, then, err = x.Try(t.Context(), kb.Trial{Synonyms: [][]string{{"blimpwerk", "vpn"}},
				Articles: []knowledge.Article{article(2, knowledge.Published, "Keep the VPN connected", "The vpn drops every ten minutes.", knowledge.Everyone)}},
				[]kb.Query{{Text: "blimpwerk drops every ten minutes"}, {Text: "blimpwerk"}})
			if err != nil {
				t.Fatal(err)
			}
			if first(now[1]) != 0 || first(then[1]) != 2 || first(then[0]) != 2 {
				t.Errorf("a synonym finds %v, and would find %v and %v", ids(now[1]), ids(then[1]), ids(then[0]))
			}
			// Nothing of it is left.
			if found, err := x.Suggest(t.Context(), questions[2]); err != nil || len(found.Hits) > 0 || x.Len() != 2 || x.Seq() != 2 {
				t.Errorf("after the trial: %v, %v; %d articles at %d", found, err, x.Len(), x.Seq())
			}
			if dir != "" {
				if left, err := os.ReadDir(dir); err != nil || len(left) != 1 {
					t.Errorf("left on disk: %v, %v", left, err)
				}
			}
		})
	}
}
