package knowledge_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/deskhand/deskhand/core/knowledge"
)

func TestWhoMayReadAnArticle(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name     string
		audience []string
		groups   []string
		want     bool
	}{
		{"everyone reads what is for everyone", []string{knowledge.Everyone}, nil, true},
		{"a guest does not read what is for a department", []string{"finance"}, nil, false},
		{"a department reads what is its own", []string{"finance"}, []string{"it", "finance"}, true},
		{"a department does not read another's", []string{"finance"}, []string{"it"}, false},
		{"one of several audiences is enough", []string{"finance", "it"}, []string{"it"}, true},
		{"a group that calls itself everyone gains nothing", []string{"finance"}, []string{knowledge.Everyone}, false},
		{"an article for nobody is read by nobody", nil, []string{"it"}, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			a := knowledge.Article{Audience: tt.audience}
			if got := a.ReadableBy(tt.groups); got != tt.want {
				t.Errorf("ReadableBy(%v) of an article for %v = %v", tt.groups, tt.audience, got)
			}
		})
	}
}

func TestProblemsOfAnArticle(t *testing.T) {
	t.Parallel()
	whole := func(change func(*knowledge.Article)) knowledge.Article {
		a := knowledge.Article{Title: "Keep the VPN connected", Symptom: "the vpn drops", Answer: "Turn off power saving.",
			Audience: []string{knowledge.Everyone}, State: knowledge.Published}
		change(&a)
		return a
	}
	tests := []struct {
		name    string
		article knowledge.Article
		want    []string
	}{
		{"a whole article", whole(func(*knowledge.Article) {}), nil},
		{"a draft needs a title and an audience only", knowledge.Article{Title: "To do", Audience: []string{"it"}, State: knowledge.Draft}, nil},
		{"a title of blanks is none", whole(func(a *knowledge.Article) { a.Title = " \t" }), []string{"it has no title"}},
		{"a title of 200 characters fits, however many bytes they are", whole(func(a *knowledge.Article) { a.Title = strings.Repeat("ü", 200) }), nil},
		{"a title of 201 does not", whole(func(a *knowledge.Article) { a.Title = strings.Repeat("ü", 201) }), []string{"its title is longer than 200 characters"}},
		{"no audience", whole(func(a *knowledge.Article) { a.Audience = nil }), []string{"it names no audience"}},
		{"published without symptom and answer", whole(func(a *knowledge.Article) { a.Symptom, a.Answer = "\n", "" }), []string{"it has no symptom", "it has no answer"}},
		{"a state that there is not", whole(func(a *knowledge.Article) { a.State = "live" }), []string{`its state "live" is not draft, reviewed, published, stale or retired`}},
		{"no state", whole(func(a *knowledge.Article) { a.State = "" }), []string{`its state "" is not draft, reviewed, published, stale or retired`}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if got := tt.article.Problems(); !slices.Equal(got, tt.want) {
				t.Errorf("Problems() = %q, want %q", got, tt.want)
			}
		})
	}
}

func TestArticleRef(t *testing.T) {
	t.Parallel()
	if got := knowledge.ArticleID(31).Ref(); got != "KB-31" {
		t.Errorf("Ref() = %q, want KB-31", got)
	}
}
