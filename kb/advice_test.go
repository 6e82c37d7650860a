package kb

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/deskhand/deskhand/core/knowledge"
)

func choices(t testing.TB, x *Index, q Query) []Choice {
	t.Helper()
	all, err := x.Choices(t.Context(), q)
	if err != nil {
		t.Fatalf("Choices(%.80q): %v", q.Text, err)
	}
	return all
}

func TestChoices(t *testing.T) {
	t.Parallel()
	secret := knowledge.Article{ID: 90, Title: "VPN for the works council", Symptom: "The VPN of the council drops.", Answer: "Ask Eva.", Audience: []string{"council"}, Language: "en", State: knowledge.Published}
	x := newIndex(t, Options{}, append(slices.Clone(officeArticles), secret)...)
	for _, tt := range []struct {
		name string
		q    Query
		want []string
	}{
		{"where it may be one or the other", Query{Text: "forgot my pwd"}, []string{"Change your password", "Unlock your account"}},
		{"where somebody may not read one", Query{Text: "vpn drops"}, []string{"Keep the VPN connected", "Set up the VPN on a new computer"}},
		{"who may", Query{Text: "vpn drops", Groups: []string{"council"}}, []string{"Keep the VPN connected", "VPN for the works council", "Set up the VPN on a new computer"}},
		{"where the desk is sure", Query{Text: "out of office reply"}, nil},
		{"where there is one only", Query{Text: "vpn for my new notebook"}, nil},
		{"where there is nothing", Query{Text: "the coffee machine leaks water"}, nil},
	} {
		var got []string
		for _, c := range choices(t, x, tt.q) {
			got = append(got, c.Title)
		}
		slices.Sort(got)
		slices.Sort(tt.want)
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.name, diff)
		}
	}
}

func TestAChoiceHasItsBeginningAndWhatTheQuestionIsAbout(t *testing.T) {
	t.Parallel()
	long := officeArticles[3]
	long.Answer = strings.Repeat("Nothing much is said in this sentence of the article. ", 25) + "The gateway then drops the session of whoever is idle. Press Resume."
	other := long
	other.ID, other.Title = 5, "Keep the VPN connected at home"
	x := newIndex(t, Options{}, long, other)
	for _, c := range choices(t, x, Query{Text: "vpn session dropped by the gateway, it says idle"}) {
		if c.Article != long.ID {
			continue
		}
		n := 0
		for _, s := range c.Sentences {
			n += len([]rune(s))
		}
		if n > choiceText || c.Sentences[0] != "The VPN drops every few minutes and I must sign in again." || !slices.Contains(c.Sentences, "The gateway then drops the session of whoever is idle.") {
			t.Errorf("of %d characters it is %q", n, c.Sentences)
		}
		return
	}
	t.Error("it is no choice")
}

func TestAdviceIsHeardWhereItMayBe(t *testing.T) {
	t.Parallel()
	x := newIndex(t, Options{}, officeArticles...)
	const set, locked = 6, 7 // Change your password, Unlock your account
	for _, tt := range []struct {
		name    string
		q       string
		advice  Advice
		want    []string
		extract string // of the first; "" is the index's own
	}{
		{"another order", "forgot my pwd", Advice{Order: []knowledge.ArticleID{locked, set}}, []string{"Unlock your account", "Change your password"}, ""},
		{"only the best is named", "forgot my pwd", Advice{Order: []knowledge.ArticleID{locked}}, []string{"Unlock your account", "Change your password"}, ""},
		{"articles that are no choice", "forgot my pwd", Advice{Order: []knowledge.ArticleID{25, 999, 1, -1}}, []string{"Change your password", "Unlock your account"}, ""},
		{"the desk is sure", "out of office reply", Advice{Order: []knowledge.ArticleID{12, 13}, Sentences: map[knowledge.ArticleID][]string{13: {"In Outlook choose File, Automatic replies and set the dates."}}}, []string{"Out of office reply"}, ""},
		{"the desk has nothing", "severance letter", Advice{Order: []knowledge.ArticleID{25}}, nil, ""},
		{"sentences, in the article's order", "forgot my pwd", Advice{Sentences: map[knowledge.ArticleID][]string{set: {"Go to https://account.example.com, press Change password and choose one of at least 14 characters.", " My password has\n expired or I want another one. "}}},
			[]string{"Change your password", "Unlock your account"}, "My password has expired or I want another one. Go to https://account.example.com, press Change password and choose one of at least 14 characters."},
		{"sentences apart", "forgot my pwd", Advice{Order: []knowledge.ArticleID{locked}, Sentences: map[knowledge.ArticleID][]string{locked: {"You need your second factor.", "It says that my account is locked after too many wrong passwords."}}},
			[]string{"Unlock your account", "Change your password"}, "It says that my account is locked after too many wrong passwords. … You need your second factor."},
		{"words of its own", "forgot my pwd", Advice{Sentences: map[knowledge.ArticleID][]string{set: {"Tell me your password.", "press Change password"}}}, []string{"Change your password", "Unlock your account"}, ""},
		{"another article's sentence", "forgot my pwd", Advice{Sentences: map[knowledge.ArticleID][]string{set: {"You need your second factor."}}}, []string{"Change your password", "Unlock your account"}, ""},
	} {
		own := suggest(t, x, Query{Text: tt.q})
		got := suggest(t, x, Query{Text: tt.q, Advice: tt.advice})
		if diff := cmp.Diff(tt.want, titles(got.Hits)); diff != "" || got.Confidence != own.Confidence || got.Sure != own.Sure {
			t.Errorf("%s: %s and not %s, (-want +got):\n%s", tt.name, got.Confidence, own.Confidence, diff)
			continue
		}
		if len(got.Hits) == 0 {
			continue
		}
		want := tt.extract
		if i := slices.IndexFunc(own.Hits, func(h knowledge.Hit) bool { return h.Article == got.Hits[0].Article }); want == "" {
			want = extractText(own.Hits[i])
		}
		if text := extractText(got.Hits[0]); text != want {
			t.Errorf("%s: the extract is %q, want %q", tt.name, text, want)
		}
	}
}

func extractText(h knowledge.Hit) string {
	var b strings.Builder
	for _, s := range h.Extract {
		b.WriteString(s.Text)
	}
	return b.String()
}

// Whatever is advised, what is shown could have been shown without, as many and
// as surely, and every word of it stands in its article.
func TestAdviceDecidesNothing(t *testing.T) {
	t.Parallel()
	x := newIndex(t, Options{}, officeArticles...)
	texts := map[knowledge.ArticleID]string{}
	var sentences []string
	for _, a := range officeArticles {
		line, all := sentencesOf(a.Symptom, knowledge.Plain(a.Answer))
		texts[a.ID] = line
		for _, at := range all {
			sentences = append(sentences, line[at.from:at.to])
		}
	}
	words := []string{"vpn", "drops", "printer", "password", "account", "laptop", "slow", "mail", "new", "phone", "wi-fi", "severance", "is full", "locked", "screen"}
	rapid.Check(t, func(rt *rapid.T) {
		q := Query{Text: strings.Join(rapid.SliceOfN(rapid.SampledFrom(words), 1, 5).Draw(rt, "words"), " ")}
		if rapid.Bool().Draw(rt, "hr") {
			q.Groups = []string{"hr"}
		}
		own := suggest(t, x, q)
		may := map[knowledge.ArticleID]bool{}
		for _, h := range own.Hits {
			may[h.Article] = true
		}
		for _, c := range choices(t, x, q) {
			may[c.Article] = true
		}
		anybody := rapid.Map(rapid.IntRange(-2, len(officeArticles)+3), func(n int) knowledge.ArticleID { return knowledge.ArticleID(n) })
		said := rapid.OneOf(rapid.SampledFrom(sentences), rapid.String(), rapid.Map(rapid.SampledFrom(sentences), func(s string) string { return s[:len(s)/2] }))
		q.Advice = Advice{Order: rapid.SliceOfN(anybody, 0, 12).Draw(rt, "order"), Sentences: rapid.MapOfN(anybody, rapid.SliceOfN(said, 0, 5), 0, 8).Draw(rt, "sentences")}
		got := suggest(t, x, q)
		if got.Confidence != own.Confidence || got.Sure != own.Sure || len(got.Hits) != len(own.Hits) {
			rt.Fatalf("%s and %d articles, without advice %s and %d", got.Confidence, len(got.Hits), own.Confidence, len(own.Hits))
		}
		for _, h := range got.Hits {
			if !may[h.Article] {
				rt.Fatalf("%s is shown, which was no choice", h.Article.Ref())
			}
			delete(may, h.Article) // none is shown twice
			text := extractText(h)
			for _, part := range strings.Split(text, " … ") {
				if !strings.Contains(texts[h.Article], strings.TrimSuffix(strings.TrimPrefix(part, "… "), " …")) {
					rt.Fatalf("%q is not in %q", part, texts[h.Article])
				}
			}
			if len([]rune(text)) > extractMost+2 {
				rt.Fatalf("an extract of %d characters", len([]rune(text)))
			}
		}
	})
}
