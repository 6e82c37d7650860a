package kb

import (
	"bytes"
	"fmt"
	"io"
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/deskhand/deskhand/core/knowledge"
)

// Problem is what keeps a file from being imported, in words for its author.
type Problem struct {
	File string
	Line int // 0 means the whole file
	Text string
}

func (p Problem) String() string {
	switch {
	case p.File == "":
		return p.Text
	case p.Line == 0:
		return p.File + ": " + p.Text
	}
	return fmt.Sprintf("%s:%d: %s", p.File, p.Line, p.Text)
}

// ImportError lists everything that is to be put right before an import.
type ImportError struct{ Problems []Problem }

// Error has a line for each problem.
func (e *ImportError) Error() string {
	lines := make([]string, len(e.Problems))
	for i, p := range e.Problems {
		lines[i] = p.String()
	}
	return strings.Join(lines, "\n")
}

// Limits of an article's file, in bytes.
const (
	largestFile   = 1 << 20
	largestHeader = 16 << 10
)

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
		text, problem := readFile(dir, file)
		if problem != nil {
			problems = append(problems, *problem)
			return nil
		}
		a, found := ParseArticle(file, text, today)
		if other, ok := files[a.Slug]; ok && a.Slug != "" {
			found = append(found, Problem{file, 0, fmt.Sprintf("%s has the same name; rename one of them", other)})
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

func readFile(dir fs.FS, file string) ([]byte, *Problem) {
	f, err := dir.Open(file)
	if err != nil {
		return nil, &Problem{file, 0, "it cannot be opened: " + err.Error()}
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, largestFile+1))
	if err != nil {
		return nil, &Problem{file, 0, "it cannot be read: " + err.Error()}
	}
	if len(text) > largestFile {
		return nil, &Problem{file, 0, "it is larger than 1 MB; split it, and leave pictures out"}
	}
	return text, nil
}

// ParseArticle reads an article from its file: front matter between two lines
// of "---", then the answer in Markdown. The article counts only if there are
// no problems.
func ParseArticle(file string, text []byte, today time.Time) (knowledge.Article, []Problem) {
	r := articleReader{file: file, today: today, article: knowledge.Article{
		Audience: []string{knowledge.Everyone}, Language: "en", State: knowledge.Published,
	}}
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
}

func (r *articleReader) problem(line int, format string, args ...any) {
	r.problems = append(r.problems, Problem{r.file, line, fmt.Sprintf(format, args...)})
}

func (r *articleReader) slug() {
	name := path.Base(r.file)
	name = strings.TrimSuffix(name, path.Ext(name))
	if slugPattern.MatchString(name) && len(name) <= 100 {
		r.article.Slug = name
		return
	}
	better := strings.Join(strings.FieldsFunc(strings.ToLower(name), func(c rune) bool {
		return (c < 'a' || c > 'z') && (c < '0' || c > '9')
	}), "-")
	if better = strings.Trim(better[:min(len(better), 100)], "-"); better == "" {
		better = "vpn-drops"
	}
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
	r.article.Answer = strings.TrimSpace(rest)
	if r.header(header.String()) {
		r.whole()
	}
}

// whole looks for what no line says.
func (r *articleReader) whole() {
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
