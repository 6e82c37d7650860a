package knowledge

import (
	"regexp"
	"slices"
)

// field is what of an article an import brings along and the desk may edit.
type field struct {
	name string
	same func(a, b *Article) bool
	take func(to, from *Article)
}

func fieldOf[T any](name string, of func(*Article) *T, same func(a, b T) bool) field {
	return field{name,
		func(a, b *Article) bool { return same(*of(a), *of(b)) },
		func(to, from *Article) { *of(to) = *of(from) }}
}

func equal[T comparable](a, b T) bool { return a == b }

var fields = []field{
	fieldOf("title", func(a *Article) *string { return &a.Title }, equal),
	fieldOf("symptom", func(a *Article) *string { return &a.Symptom }, equal),
	fieldOf("environment", func(a *Article) *string { return &a.Environment }, equal),
	fieldOf("answer", func(a *Article) *string { return &a.Answer }, equal),
	fieldOf("cause", func(a *Article) *string { return &a.Cause }, equal),
	fieldOf("audience", func(a *Article) *[]string { return &a.Audience }, sameSet),
	fieldOf("language", func(a *Article) *string { return &a.Language }, equal),
	fieldOf("tags", func(a *Article) *[]string { return &a.Tags }, sameSet),
	fieldOf("owner", func(a *Article) *string { return &a.Owner }, equal),
	{"review date",
		func(a, b *Article) bool { return a.ReviewBy.Equal(b.ReviewBy) },
		func(to, from *Article) { to.ReviewBy = from.ReviewBy }},
	fieldOf("state", func(a *Article) *State { return &a.State }, equal),
	fieldOf("known error", func(a *Article) *bool { return &a.KnownError }, equal),
}

func sameSet(a, b []string) bool {
	a, b = slices.Clone(a), slices.Clone(b)
	slices.Sort(a)
	slices.Sort(b)
	return slices.Equal(slices.Compact(a), slices.Compact(b))
}

// Merge brings an article up to its source: base is how it came last, here how
// it stands on the desk, there how it comes now. What only one side has changed
// is as that side wants it. What both have, each its own way, are conflicts, by
// name; then merged is here. A nil base is one that nobody knows: whatever
// differs is a conflict.
func Merge(base *Article, here, there Article) (merged Article, conflicts []string) {
	merged = here
	for _, p := range fields {
		switch {
		case p.same(&here, &there):
		case base == nil:
			conflicts = append(conflicts, p.name)
		case p.same(base, &there): // only the desk has
		case p.same(base, &here):
			p.take(&merged, &there)
		default:
			conflicts = append(conflicts, p.name)
		}
	}
	if len(conflicts) > 0 {
		return here, conflicts
	}
	return merged, nil
}

// Adopt is here with everything that an import brings taken from there.
func Adopt(here, there Article) Article {
	for _, p := range fields {
		p.take(&here, &there)
	}
	return here
}

// Says tells whether two articles differ in nothing that an import brings.
func (a Article) Says(b Article) bool {
	return !slices.ContainsFunc(fields, func(f field) bool { return !f.same(&a, &b) })
}

// PicturePath is where a picture of the desk's stands in an answer, less its name.
const PicturePath = "images/"

// PictureName is the form of a picture's name: what its bytes are, in 16 bytes
// of their SHA-256, and of which kind they are.
var PictureName = regexp.MustCompile(`^[0-9a-f]{32}\.(png|jpg|gif|webp|bmp|svg)$`)

var pictures = regexp.MustCompile(`\]\(` + PicturePath + `([0-9a-f]{32}\.[a-z]{3,4})\)`)

// Pictures are the names of the desk's pictures in an answer, each once.
func Pictures(markdown string) []string {
	var names []string
	for _, m := range pictures.FindAllStringSubmatch(markdown, -1) {
		if PictureName.MatchString(m[1]) && !slices.Contains(names, m[1]) {
			names = append(names, m[1])
		}
	}
	return names
}
