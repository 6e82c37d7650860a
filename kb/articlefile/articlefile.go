// Package articlefile reads articles from the files that other programs write,
// and writes the desk's own as Markdown.
//
// It reads folders and zip files of Markdown, HTML, CSV, Confluence's exports of
// a space (XML and HTML) and the JSON of Zendesk's and Freshservice's APIs, one
// file of this package for each. All of them become the same: an [Article] in
// Markdown, with a key that it has at every import, its pictures beside it and
// its links to other articles by their slugs. What can't be taken is a
// [Problem], in words for whoever has to put it right.
//
// Nothing is fetched from anywhere, and nothing is believed: HTML is parsed and
// made anew as Markdown, so that no script survives; pictures are what their
// bytes say; sizes are bounded; and who may read an article is what its source
// says, or fewer.
package articlefile

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/deskhand/deskhand/core/knowledge"
)

// Limits, in bytes unless they say otherwise.
const (
	largestArticle = 1 << 20   // of Markdown
	largestBody    = 16 << 20  // of HTML, before it is Markdown
	largestFile    = 256 << 20 // of many articles: CSV, JSON
	// LargestPicture is the size of a picture that is kept.
	LargestPicture = 5 << 20
	mostPictures   = 200 // of an article, a number
	mostArticles   = 100_000
)

// Formats are what can be read.
var Formats = []string{"markdown", "html", "csv", "json", "confluence-xml", "confluence-html"}

// Options say how to read. The zero value reads what is open to everybody at
// its source, and leaves out the rest.
type Options struct {
	Format string // one of Formats; empty: by what is there
	// Source names where articles come from, "" for the name that is usual.
	// Articles of one source and key are one article for ever.
	Source string
	Today  time.Time // from which "review: 180d" counts

	// For is who may read what is open at its source, as team or department
	// slugs. Empty: everyone, and where the source does not say who may read an
	// article none is taken.
	For []string
	// Audience is who the groups of the source are here. An article whose
	// readers are all among its keys is taken for them; "*" is any other group.
	Audience map[string][]string
	Language string // of what does not say; empty: "en"

	// Slug is the slug of an article that came before. Nil: none has.
	Slug func(source, key string) (string, bool)
	// Taken tells whether an article has a slug already. Nil: none has.
	Taken    func(slug string) bool
	Progress func(string)
}

// Batch is what was read.
type Batch struct {
	Format   string
	Articles []Article
	Problems []Problem
}

// Article is an article on its way in. Its ID is the number that it would like
// to have, or 0.
type Article struct {
	knowledge.Article
	Origin
	// Also are what it is known by elsewhere: an export says so.
	Also     []Origin
	File     string
	Line     int
	Pictures []Picture
	// ReviewFromToday tells that the day of its review moves with the import's.
	ReviewFromToday bool
}

// Origin is where an article comes from and what it is called there.
type Origin struct{ Source, Key string }

func (o Origin) String() string { return o.Source + "/" + o.Key }

// Picture is one that an answer shows as images/Name.
type Picture struct {
	Name string // see knowledge.PictureName
	load func() ([]byte, error)
}

// Data reads the picture, at most LargestPicture bytes.
func (p Picture) Data() ([]byte, error) { return p.load() }

// Kind is what came of a Problem.
type Kind int

// The kinds of problem. Only the first keeps an article out.
const (
	LeftOut Kind = iota
	BrokenLink
	BrokenPicture
	Remark
)

// Problem is what is wrong with an article, in words for its author.
type Problem struct {
	Kind  Kind
	File  string
	Line  int    // 0 means the whole file
	Title string // of the article, if that says more than the file
	Text  string
}

func (p Problem) String() string {
	where := p.File
	if p.Line > 0 {
		where = fmt.Sprintf("%s:%d", p.File, p.Line)
	}
	if p.Title != "" {
		where = strings.TrimSpace(where + " “" + p.Title + "”")
	}
	if where == "" {
		return p.Text
	}
	return where + ": " + p.Text
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

// page is an article as it is found, before it is known which others there are.
type page struct {
	Article
	body string
	// bodyLine is the line of the file in which the body begins; 0: nobody knows.
	bodyLine int
	markup   markup
	slug     string // that it has at its source or would like to have
	// readers are conditions that a reader meets all of, each by being in one of
	// its groups. None: anybody may read it. They are names of the source.
	readers [][]string
	direct  bool // Audience is in the desk's own words already
	// aliases are what links to it look like: "file:…", "page:…", "id:…"
	aliases    []string
	space      string            // of Confluence, for links to pages that name none
	attachment map[string]string // of Confluence: what its pictures are called to where they are
	bad        []Problem         // found before; with one of LeftOut it is not taken
}

type markup int

const (
	inMarkdown markup = iota
	inHTML
	inStorage // Confluence's storage format
)

// reader is one run of Read.
type reader struct {
	Options
	fs       fs.FS
	pages    []*page
	problems []Problem
	byAlias  map[string]*page
	byName   map[string][]string // files by their last name, for pictures that moved
	// unsaid tells that the source does not say who may read an article.
	unsaid bool
}

// Read reads everything in a directory, see [Open]. The error is for what
// can't be read at all; an article that can't be taken is a problem.
func Read(dir fs.FS, o Options) (*Batch, error) {
	o.Language = cmp.Or(o.Language, "en")
	if o.Progress == nil {
		o.Progress = func(string) {}
	}
	r := &reader{Options: o, fs: dir, byAlias: map[string]*page{}, byName: map[string][]string{}}
	format, err := r.look()
	if err != nil {
		return nil, err
	}
	switch format {
	case "markdown":
		err = r.markdown()
	case "html":
		err = r.htmlFiles()
	case "csv":
		err = r.csvFiles()
	case "json":
		err = r.jsonFiles()
	case "confluence-xml":
		err = r.confluenceXML()
	case "confluence-html":
		err = r.confluenceHTML()
	default:
		return nil, fmt.Errorf("%q is no format; they are %s", format, strings.Join(Formats, ", "))
	}
	if err != nil {
		return nil, err
	}
	if r.unsaid && len(o.For) == 0 {
		return nil, errors.New("this export does not say who may read which page, and some may be for a few only; say who may read all of it with --for, such as --for everyone or --for it")
	}
	b := &Batch{Format: format}
	b.Articles = r.finish()
	b.Problems = r.problems
	return b, nil
}

// look finds out what there is. What begins with a point is left alone.
func (r *reader) look() (format string, err error) {
	counts := map[string]int{}
	root := "" // the directory of the export
	err = fs.WalkDir(r.fs, ".", func(file string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name := d.Name()
		if name != "." && (strings.HasPrefix(name, ".") || name == "node_modules" || name == "__MACOSX") {
			if d.IsDir() {
				return fs.SkipDir
			}
			return nil
		}
		if d.IsDir() {
			return nil
		}
		r.byName[name] = append(r.byName[name], file)
		switch kind := kindOf(name); {
		case name == "entities.xml" && strings.Count(file, "/") <= 1:
			root, format = path.Dir(file), "confluence-xml"
		case kind != "":
			counts[kind]++
			if kind == "html" && format == "" && strings.Count(file, "/") <= 1 && name == "index.html" && isConfluenceIndex(r.fs, file) {
				root, format = path.Dir(file), "confluence-html"
			}
		}
		return nil
	})
	if err != nil {
		return "", fmt.Errorf("read articles: %w", err)
	}
	if r.Format != "" {
		format = r.Format
	}
	if root != "" && root != "." && strings.HasPrefix(format, "confluence") {
		if r.fs, err = fs.Sub(r.fs, root); err != nil {
			return "", fmt.Errorf("read articles: %w", err)
		}
		r.byName = map[string][]string{}
	}
	if format != "" {
		return format, nil
	}
	for _, f := range Formats { // of equally many the first
		if counts[f] > counts[format] {
			format = f
		}
	}
	if format == "" {
		return "", errors.New("there is nothing here that can be read as articles: .md, .html, .csv or .json files, or the export of a Confluence space")
	}
	return format, nil
}

// kindOf is the format of a file by its name.
func kindOf(name string) string {
	switch strings.ToLower(path.Ext(name)) {
	case ".md", ".markdown":
		if !strings.EqualFold(strings.TrimSuffix(name, path.Ext(name)), "README") {
			return "markdown"
		}
	case ".html", ".htm", ".xhtml":
		return "html"
	case ".csv", ".tsv":
		return "csv"
	case ".json":
		if !slices.Contains([]string{"package.json", "package-lock.json", "tsconfig.json", "composer.json"}, name) {
			return "json"
		}
	}
	return ""
}

// walk calls each with the files of a format, in the order of their names.
func (r *reader) walk(format string, each func(file string) error) error {
	return fs.WalkDir(r.fs, ".", func(file string, d fs.DirEntry, err error) error {
		name := ""
		if d != nil {
			name = d.Name()
		}
		switch {
		case err != nil:
			return fmt.Errorf("read articles: %w", err)
		case name != "." && strings.HasPrefix(name, "."), name == "node_modules", name == "__MACOSX":
			if d.IsDir() {
				return fs.SkipDir
			}
			return nil
		case d.IsDir() || kindOf(name) != format:
			return nil
		}
		if len(r.pages) >= mostArticles {
			return fmt.Errorf("there are more than %d articles; bring them in in parts", mostArticles)
		}
		return each(file)
	})
}

func (r *reader) problem(p Problem) { r.problems = append(r.problems, p) }

// about is a problem of a page.
func (p *page) about(kind Kind, format string, args ...any) Problem {
	q := Problem{Kind: kind, File: p.File, Line: p.Line, Text: fmt.Sprintf(format, args...)}
	if p.markup != inMarkdown || path.Ext(p.File) != ".md" {
		q.Title = shorten(p.Title, 80)
	}
	return q
}
