package articlefile

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/deskhand/deskhand/core/knowledge"
)

// finish makes articles of the pages: who may read them, what they are called,
// then what they say, since a link needs to know all names.
func (r *reader) finish() []Article {
	var kept []*page
	seen := map[Origin]*page{}
	for _, p := range r.pages {
		p.Source = cmp.Or(r.Source, p.Source)
		p.bad = append(p.bad, r.readable(p)...)
		if other := seen[p.Origin]; other != nil {
			p.bad = append(p.bad, p.about(LeftOut, "it has the same key as %s", cmp.Or(other.File, other.Title)))
		}
		if slices.ContainsFunc(p.bad, func(q Problem) bool { return q.Kind == LeftOut }) {
			r.problems = append(r.problems, p.bad...)
			continue
		}
		seen[p.Origin] = p
		kept = append(kept, p)
	}
	r.name(kept)
	var all []Article
	for i, p := range kept {
		if n := i + 1; n%500 == 0 {
			r.Progress(fmt.Sprintf("%d of %d articles read", n, len(kept)))
		}
		found := len(r.problems)
		r.problems = append(r.problems, p.bad...)
		if bad := r.write(p); bad != nil {
			r.problems = append(r.problems[:found], *bad)
			continue
		}
		all = append(all, p.Article)
	}
	return all
}

// readable fills in who may read a page. Each condition becomes the slugs that
// its groups are here, and those who meet all of them are left.
func (r *reader) readable(p *page) []Problem {
	if p.direct {
		return nil
	}
	readers := r.For
	if len(readers) == 0 {
		readers = []string{knowledge.Everyone}
	}
	for _, condition := range p.readers {
		var may []string
		var unknown []string
		for _, group := range condition {
			here, ok := r.Audience[group]
			if !ok {
				here, ok = r.Audience["*"]
			}
			if !ok {
				unknown = append(unknown, group)
			}
			may = append(may, here...)
		}
		switch {
		case len(condition) == 0:
			return []Problem{p.about(LeftOut, "nobody may read it at its source")}
		case len(may) == 0 && len(unknown) > 0:
			return []Problem{p.about(LeftOut, "only %s may read it; say who that is here with --audience %q", quoted(unknown), unknown[0]+"=team")}
		case len(may) == 0:
			return []Problem{p.about(LeftOut, "nobody here may read it")}
		}
		if readers = meet(readers, may); len(readers) == 0 {
			return []Problem{p.about(LeftOut, "nobody here may read it: it is for those who are in %s and allowed further up too", quoted(condition))}
		}
	}
	readers = slices.Clone(readers)
	slices.Sort(readers)
	p.Audience = slices.Compact(readers)
	return nil
}

// meet is who is in both, as far as one can know: everyone is in all.
func meet(a, b []string) []string {
	if slices.Contains(a, knowledge.Everyone) {
		return slices.Clone(b)
	}
	if slices.Contains(b, knowledge.Everyone) {
		return slices.Clone(a)
	}
	var both []string
	for _, g := range a {
		if slices.Contains(b, g) {
			both = append(both, g)
		}
	}
	return both
}

func quoted(names []string) string {
	const most = 4
	var q []string
	for _, n := range names[:min(len(names), most)] {
		q = append(q, "“"+shorten(n, 60)+"”")
	}
	if len(names) > most {
		q = append(q, fmt.Sprintf("%d more", len(names)-most))
	}
	return strings.Join(q, ", ")
}

// name gives each page the slug it had before, or one of its own.
func (r *reader) name(pages []*page) {
	mine := map[string]bool{}
	for _, p := range pages {
		p.Slug = ""
		if r.Options.Slug == nil {
			continue
		}
		for _, o := range append([]Origin{p.Origin}, p.Also...) {
			if s, ok := r.Options.Slug(o.Source, o.Key); ok && !mine[s] {
				p.Slug, mine[s] = s, true
				break
			}
		}
	}
	for _, p := range pages {
		for n := 1; p.Slug == ""; n++ {
			s := cmp.Or(p.slug, slugOf(p.Title), slugOf(p.Source+" "+p.Key), "article")
			if n > 1 {
				s = fmt.Sprintf("%s-%d", s[:min(len(s), longestSlug-6)], n)
			}
			if mine[s] || !p.named() && r.Taken != nil && r.Taken(s) {
				continue
			}
			p.Slug, mine[s] = s, true
		}
	}
	for _, p := range pages {
		for _, a := range p.aliases {
			if r.byAlias[a] == nil {
				r.byAlias[a] = p
			}
		}
	}
}

// named tells that the slug is the page's own, and the desk's article of that
// slug is the same.
func (p *page) named() bool { return p.slug != "" && p.markup == inMarkdown && p.Key == p.slug }

const longestSlug = 100

// slugOf is a text as a slug, "" if it has no letter that could be in one.
func slugOf(text string) string {
	s := strings.Join(strings.FieldsFunc(asciiOf(text), func(c rune) bool {
		return (c < 'a' || c > 'z') && (c < '0' || c > '9')
	}), "-")
	return strings.Trim(s[:min(len(s), longestSlug)], "-")
}

// write makes the answer of a page; a problem keeps the page out.
func (r *reader) write(p *page) *Problem {
	w := &writer{reader: r, page: p, pictures: map[string]string{}}
	var err error
	switch p.markup {
	case inMarkdown:
		p.Answer = w.fromMarkdown(p.body)
	case inHTML:
		p.Answer, err = w.fromHTML(p.body)
	case inStorage:
		p.Answer, err = w.fromStorage(p.body)
	}
	leave := func(format string, args ...any) *Problem {
		q := p.about(LeftOut, format, args...)
		return &q
	}
	p.body = ""
	switch {
	case err != nil:
		return leave("%v", err)
	case len(p.Answer) > largestArticle:
		return leave("%v", errTooLong)
	}
	if p.State == knowledge.Published && strings.TrimSpace(p.Answer) == "" {
		return leave("it says nothing: no text is left of it")
	}
	if p.Symptom == "" {
		p.Symptom = p.Title
	}
	for _, text := range []*string{&p.Title, &p.Symptom, &p.Environment, &p.Cause, &p.Owner, &p.Answer} {
		*text = storable(*text)
	}
	if utf8.RuneCountInString(p.Title) > 200 {
		r.problem(p.about(Remark, "its title is longer than 200 characters and was cut"))
		p.Title = shorten(p.Title, 200)
	}
	if found := p.Problems(); len(found) > 0 {
		return leave("%s", strings.Join(found, "; "))
	}
	return nil
}

func shorten(s string, most int) string {
	if utf8.RuneCountInString(s) <= most {
		return s
	}
	return strings.TrimSpace(string([]rune(s)[:most-1])) + "…"
}

// sortedKeys is for messages.
func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
