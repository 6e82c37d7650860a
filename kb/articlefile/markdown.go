package articlefile

import (
	"bytes"
	"cmp"
	"fmt"
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/deskhand/deskhand/core/knowledge"
)

// largestHeader is the most front matter that a file has, in bytes.
const largestHeader = 16 << 10

var slugPattern = regexp.MustCompile(`^[a-z0-9]+([._-][a-z0-9]+)*$`)

// ReadDir reads the .md files in dir and the directories below it, each an
// article named by its file; what begins with a point and README.md is left
// alone. The articles are in the order of their slugs. The error is an
// *ImportError if files are to be changed: it lists every problem of every
// file, and no article is returned. A review of "180d" counts from today.
func ReadDir(dir fs.FS, today time.Time) ([]knowledge.Article, error) {
	var articles []knowledge.Article
	var problems []Problem
	files := make(map[string]string) // by slug
	err := fs.WalkDir(dir, ".", func(file string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name := d.Name()
		if name != "." && strings.HasPrefix(name, ".") {
			if d.IsDir() {
				return fs.SkipDir
			}
			return nil
		}
		if d.IsDir() || !strings.EqualFold(path.Ext(name), ".md") || strings.EqualFold(name, "README.md") {
			return nil
		}
		text, err := readFile(dir, file, largestArticle)
		if err != nil {
			problems = append(problems, Problem{File: file, Text: err.Error()})
			return nil
		}
		a, found := ParseArticle(file, text, today)
		if other, ok := files[a.Slug]; ok && a.Slug != "" {
			found = append(found, Problem{File: file, Text: fmt.Sprintf("%s has the same name; rename one of them", other)})
		}
		files[a.Slug] = file
		problems = append(problems, found...)
		articles = append(articles, a)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read articles: %w", err)
	}
	if len(articles)+len(problems) == 0 {
		problems = []Problem{{Text: "there is no .md file in this directory; an article is a Markdown file"}}
	}
	if len(problems) > 0 {
		return nil, &ImportError{problems}
	}
	slices.SortFunc(articles, func(a, b knowledge.Article) int { return strings.Compare(a.Slug, b.Slug) })
	return articles, nil
}

// ParseArticle reads an article from its file: front matter between two lines
// of "---", then the answer in Markdown. The article counts only if there are
// no problems.
func ParseArticle(file string, text []byte, today time.Time) (knowledge.Article, []Problem) {
	r := newArticleReader(file, today)
	r.slug()
	if r.encoding(text) {
		text = bytes.TrimPrefix(text, []byte("\ufeff"))
		r.read(strings.ReplaceAll(string(text), "\r\n", "\n"))
	}
	return r.article, r.problems
}

type articleReader struct {
	file     string
	today    time.Time
	article  knowledge.Article
	problems []Problem

	// foreign tells that the file may come from another program: it needs no
	// front matter and may have that of site generators.
	foreign  bool
	also     []Origin
	bodyLine int  // in which the answer begins
	audience bool // it says who may read it
	relative bool // the review is a number of days
}

func newArticleReader(file string, today time.Time) *articleReader {
	return &articleReader{file: file, today: today, article: knowledge.Article{
		Audience: []string{knowledge.Everyone}, Language: "en", State: knowledge.Published,
	}}
}

func (r *articleReader) problem(line int, format string, args ...any) {
	r.problems = append(r.problems, Problem{File: r.file, Line: line, Text: fmt.Sprintf(format, args...)})
}

func (r *articleReader) slug() {
	name := path.Base(r.file)
	name = strings.TrimSuffix(name, path.Ext(name))
	if slugPattern.MatchString(name) && len(name) <= longestSlug {
		r.article.Slug = name
		return
	}
	better := cmp.Or(slugOf(name), "vpn-drops")
	r.problem(0, "a file's name is small letters, digits and hyphens, at most 100; rename it, say to %s.md", better)
}

func (r *articleReader) encoding(text []byte) bool {
	if i := bytes.IndexByte(text, 0); i >= 0 {
		r.problem(1+bytes.Count(text[:i], []byte("\n")), "it is not plain text, or not in UTF-8; save it as UTF-8")
		return false
	}
	for i := 0; i < len(text); {
		c, size := utf8.DecodeRune(text[i:])
		if c == utf8.RuneError && size == 1 {
			r.problem(1+bytes.Count(text[:i], []byte("\n")), "a character here is not UTF-8; save the file as UTF-8")
			return false
		}
		i += size
	}
	return true
}

func (r *articleReader) read(text string) {
	first, rest, _ := strings.Cut(text, "\n")
	if strings.TrimRight(first, " \t") != "---" {
		if r.foreign {
			r.body(text, text)
			r.whole()
			return
		}
		r.problem(1, `it begins without front matter; begin it with a line "---", then "title: …" and the others, then "---"`)
		return
	}
	var header strings.Builder
	closed := false
	for !closed && rest != "" {
		var line string
		line, rest, _ = strings.Cut(rest, "\n")
		if closed = strings.TrimRight(line, " \t") == "---"; !closed {
			header.WriteString(line + "\n")
		}
	}
	switch {
	case !closed:
		r.problem(1, `its front matter does not end; put a line "---" between it and the answer`)
		return
	case header.Len() > largestHeader:
		r.problem(1, "its front matter is longer than 16 kB; the answer goes below the second line \"---\"")
		return
	}
	r.body(text, rest)
	if r.header(header.String()) {
		r.whole()
	}
}

// body takes the answer, which is the rest of text.
func (r *articleReader) body(text, rest string) {
	r.article.Answer = strings.TrimSpace(rest)
	r.bodyLine = 1 + strings.Count(text[:len(text)-len(strings.TrimLeft(rest, " \t\n"))], "\n")
}

// whole looks for what no line says.
func (r *articleReader) whole() {
	if r.foreign {
		r.fillIn()
	}
	a := r.article
	if a.State == knowledge.Published && a.Symptom == "" {
		r.problem(1, `it has no symptom; add "symptom: …", as somebody who has the problem would say it, or "state: draft"`)
		a.Symptom = "?"
	}
	if a.State == knowledge.Published && a.Answer == "" {
		r.problem(0, `it has no answer; write it below the front matter, or set "state: draft"`)
		a.Answer = "?"
	}
	for _, text := range slices.Concat(a.Tags, a.Audience, []string{a.Title, a.Symptom, a.Environment, a.Cause, a.Owner}) {
		if strings.ContainsRune(text, 0) || !utf8.ValidString(text) { // "\0" in quotes is one
			r.problem(1, "its front matter has a character that no text has; look for a backslash in \"quotes\"")
			break
		}
	}
	if len(r.problems) == 0 {
		for _, p := range a.Problems() {
			r.problem(0, "%s", p)
		}
	}
}

// fillIn makes up for what other programs' files don't say: the title is the
// first heading, or the name of the file; the symptom is the title.
func (r *articleReader) fillIn() {
	a := &r.article
	first, rest, _ := strings.Cut(a.Answer, "\n")
	if heading, ok := strings.CutPrefix(first, "# "); ok {
		heading = oneLine(knowledge.Plain(strings.TrimRight(heading, "# ")))
		if a.Title == "" {
			a.Title, a.Answer = heading, strings.TrimSpace(rest)
			r.bodyLine += 1 + strings.Count(rest[:len(rest)-len(strings.TrimLeft(rest, " \t\n"))], "\n")
		}
	}
	if a.Title == "" {
		name := strings.TrimSuffix(path.Base(r.file), path.Ext(r.file))
		if name == "index" && path.Dir(r.file) != "." {
			name = path.Base(path.Dir(r.file))
		}
		a.Title = oneLine(strings.NewReplacer("-", " ", "_", " ").Replace(name))
	}
	a.Title = shorten(a.Title, 200)
	if a.Symptom == "" {
		a.Symptom = a.Title
	}
}

// markdown reads a folder or a Git checkout. An article is known by the name of
// its file, so that it may be moved to another directory; where two have the
// same name, by the path.
func (r *reader) markdown() error {
	same := map[string]int{}
	err := r.walk("markdown", func(file string) error {
		p := &page{Article: Article{File: file}, markup: inMarkdown, aliases: []string{"file:" + file}}
		r.pages = append(r.pages, p)
		in := newArticleReader(file, r.Today)
		in.foreign, in.article.Language = true, r.Language
		text, err := readFile(r.fs, file, largestBody)
		if err != nil {
			in.problem(0, "%v", err)
		} else {
			words, sound := decode(text, "text/markdown")
			if !sound && in.encoding(text) { // nothing but what decode could not read
				in.problem(0, "some of it is not readable text; save it as UTF-8")
			}
			if len(in.problems) == 0 {
				in.read(words)
			}
		}
		p.Article.Article, p.Also, p.ReviewFromToday, p.body, p.bodyLine = in.article, in.also, in.relative, in.article.Answer, in.bodyLine
		p.direct = in.audience
		for _, q := range in.problems {
			q.Kind = LeftOut
			p.bad = append(p.bad, q)
		}
		name := strings.TrimSuffix(path.Base(file), path.Ext(file))
		if p.slug = name; !slugPattern.MatchString(name) || len(name) > longestSlug {
			p.slug = slugOf(name)
		}
		same[p.slug]++
		return nil
	})
	for _, p := range r.pages {
		if same[p.slug] > 1 || p.slug == "" || p.slug == "index" {
			p.slug = cmp.Or(slugOf(strings.TrimSuffix(p.File, path.Ext(p.File))), "article")
		}
		p.Origin = Origin{Source: "markdown", Key: p.slug}
	}
	return err
}
