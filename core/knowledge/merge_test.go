package knowledge

import (
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func anyArticle(t *rapid.T, label string) Article {
	words := rapid.SampledFrom([]string{"", "a", "b", "c"})
	list := rapid.SliceOfN(rapid.SampledFrom([]string{"x", "y"}), 0, 2)
	return Article{
		ID: 7, Slug: "fixed", Title: words.Draw(t, label+" title"), Symptom: words.Draw(t, label+" symptom"), Environment: words.Draw(t, label+" environment"),
		Answer: words.Draw(t, label+" answer"), Cause: words.Draw(t, label+" cause"), Audience: list.Draw(t, label+" audience"), Language: words.Draw(t, label+" language"),
		Tags: list.Draw(t, label+" tags"), Owner: words.Draw(t, label+" owner"), State: rapid.SampledFrom(States).Draw(t, label+" state"), KnownError: rapid.Bool().Draw(t, label+" known"),
		ReviewBy: time.Unix(rapid.Int64Range(0, 2).Draw(t, label+" review"), 0),
	}
}

func TestMergeLaws(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		base, here, there := anyArticle(t, "base"), anyArticle(t, "here"), anyArticle(t, "there")
		merged, conflicts := Merge(&base, here, there)
		other, otherConflicts := Merge(&base, there, here)
		if !slices.Equal(conflicts, otherConflicts) {
			t.Fatalf("conflicts depend on the side: %v and %v", conflicts, otherConflicts)
		}
		if len(conflicts) > 0 {
			if !merged.Says(here) || !other.Says(there) {
				t.Fatalf("a conflict changes the article")
			}
		} else if !merged.Says(other) {
			t.Fatalf("the sides are not equal: %+v and %+v", merged, other)
		}
		if m, c := Merge(&base, base, there); len(c) > 0 || !m.Says(there) {
			t.Fatalf("what nobody has edited here does not follow its source: %+v %v", m, c)
		}
		if m, c := Merge(&base, here, base); len(c) > 0 || !m.Says(here) {
			t.Fatalf("what has not changed at its source does not stay: %+v %v", m, c)
		}
		if m, c := Merge(nil, here, here); len(c) > 0 || !m.Says(here) {
			t.Fatalf("equal sides conflict: %v", c)
		}
		if _, c := Merge(nil, here, there); (len(c) == 0) != here.Says(there) {
			t.Fatalf("without a base, %v are the conflicts", c)
		}
		if a := Adopt(here, there); !a.Says(there) || a.ID != here.ID || a.Slug != here.Slug {
			t.Fatalf("Adopt() = %+v", a)
		}
	})
}

func TestCopies(t *testing.T) {
	t.Parallel()
	long := "1. Open **Settings** and choose Network.\n2. Turn the adapter off, count to ten, turn it on again.\n3. Still nothing? Restart the computer and call us."
	original := Article{Title: "Keep the VPN connected", Answer: long, Audience: []string{Everyone}, Language: "en"}
	tests := []struct {
		name string
		with func(*Article)
		want bool
	}{
		{"word for word", func(*Article) {}, true},
		{"the same answer under another title", func(a *Article) { a.Title = "VPN" }, true},
		{"the same words marked up otherwise", func(a *Article) { a.Title, a.Answer = "VPN", strings.ReplaceAll(long, "**", "") }, true},
		{"one word changed", func(a *Article) { a.Answer = strings.Replace(long, "ten", "twenty", 1) }, true},
		{"one word changed under another title", func(a *Article) { a.Title, a.Answer = "VPN", strings.Replace(long, "ten", "twenty", 1) }, false},
		{"another answer under the same title", func(a *Article) { a.Answer = "Use the cable until the access points are replaced in March." }, false},
		{"for other readers", func(a *Article) { a.Audience = []string{"hr"} }, false},
		{"in another language", func(a *Article) { a.Language = "de" }, false},
	}
	for _, tt := range tests {
		var c Copies
		if _, ok := c.Find(original); ok {
			t.Errorf("%s: there is a copy of it among none", tt.name)
		}
		c.Add(original, "KB-1")
		a := original
		tt.with(&a)
		if name, ok := c.Find(a); ok != tt.want || ok && name != "KB-1" {
			t.Errorf("%s: Find() = %q, %v, want %v", tt.name, name, ok, tt.want)
		}
	}
	var c Copies
	c.Add(Article{Title: "Payroll", Answer: "See the intranet.", Audience: []string{Everyone}, Language: "en"}, "KB-2")
	if name, ok := c.Find(Article{Title: "Holidays", Answer: "See the intranet.", Audience: []string{Everyone}, Language: "en"}); ok {
		t.Errorf("a short answer makes an article a copy of %s", name)
	}
}

func TestPictures(t *testing.T) {
	t.Parallel()
	const a, b = "0123456789abcdef0123456789abcdef.png", "0123456789abcdef0123456789abcdef.svg"
	text := "1. See ![the *window*](images/" + a + ")\n\n![](images/" + a + ") ![d](images/" + b + ") ![x](https://evil.example/x.png) ![y](images/../secret.png)"
	if got := Pictures(text); !slices.Equal(got, []string{a, b}) {
		t.Errorf("Pictures() = %q", got)
	}
	var shown []string
	for _, block := range Blocks(text) {
		for _, s := range block.Text {
			if s.Picture != "" {
				shown = append(shown, s.Text+"="+s.Picture)
			}
		}
	}
	if want := []string{"the window=" + a, "Picture=" + a}; !slices.Equal(shown, want) {
		t.Errorf("shown are %q, want %q", shown, want)
	}
}
