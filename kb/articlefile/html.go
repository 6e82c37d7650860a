package articlefile

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/JohannesKaufmann/html-to-markdown/v2/converter"
	"github.com/JohannesKaufmann/html-to-markdown/v2/plugin/base"
	"github.com/JohannesKaufmann/html-to-markdown/v2/plugin/commonmark"
	"github.com/JohannesKaufmann/html-to-markdown/v2/plugin/table"
	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"

	"github.com/deskhand/deskhand/core/knowledge"
)

// dropped are elements of which nothing is kept: what runs, what is embedded,
// what only a page needs.
var dropped = map[atom.Atom]bool{
	atom.Script: true, atom.Style: true, atom.Noscript: true, atom.Template: true, atom.Iframe: true, atom.Frame: true, atom.Frameset: true,
	atom.Object: true, atom.Embed: true, atom.Applet: true, atom.Svg: true, atom.Math: true, atom.Canvas: true, atom.Audio: true, atom.Video: true,
	atom.Link: true, atom.Meta: true, atom.Base: true, atom.Input: true, atom.Button: true, atom.Select: true, atom.Textarea: true, atom.Head: true,
	atom.Nav: true, atom.Footer: true,
}

// deepest is how many elements may stand in each other. The parser stops at
// 512 (golang.org/x/net/html); nobody writes half as many.
const deepest = 250

var markdownOf = converter.NewConverter(converter.WithPlugins(
	base.NewBasePlugin(),
	commonmark.NewCommonmarkPlugin(commonmark.WithListEndComment(false)),
	table.NewTablePlugin(table.WithNewlineBehavior(table.NewlineBehaviorPreserve)),
))

func (w *writer) fromHTML(text string) (string, error) {
	doc, err := html.Parse(strings.NewReader(text))
	if err != nil {
		return "", errTooDeep
	}
	return w.fromTree(doc)
}

var (
	errTooDeep = errors.New("its HTML is nested too deep to be an article's")
	errTooLong = errors.New("it is longer than 1 MB; split it")
)

// fromTree cleans a tree of HTML and writes it as Markdown.
func (w *writer) fromTree(root *html.Node) (string, error) {
	if err := w.clean(root, 0); err != nil {
		return "", err
	}
	text, brackets := 0, 0
	for n := range root.Descendants() {
		if n.Type == html.TextNode {
			text += len(n.Data)
			brackets += strings.Count(n.Data, "[")
		}
	}
	switch {
	case text > largestArticle:
		return "", errTooLong
	case text*brackets > 1<<30: // for each, the converter looks for its end
		return "", errors.New("it has too many brackets to be an article")
	}
	out, err := markdownOf.ConvertNode(root)
	if err != nil {
		return "", fmt.Errorf("its HTML can't be read: %w", err)
	}
	return tidy(string(out)), nil
}

// tidy takes away blanks that end lines and empty lines that follow each other.
func tidy(s string) string {
	s = storable(strings.ReplaceAll(s, "\u00a0", " "))
	var out []string
	fenced := false
	for line := range strings.SplitSeq(s, "\n") {
		if strings.HasPrefix(strings.TrimSpace(line), "```") {
			fenced = !fenced
		}
		if line = strings.TrimRight(line, " \t"); line == "" && !fenced && len(out) > 0 && out[len(out)-1] == "" {
			continue
		}
		out = append(out, line)
	}
	return strings.TrimSpace(strings.Join(out, "\n"))
}

// clean drops what is not to be kept and leads links and pictures to where they
// are now.
func (w *writer) clean(n *html.Node, depth int) error {
	if depth > deepest {
		return errTooDeep
	}
	for c := n.FirstChild; c != nil; {
		next := c.NextSibling
		switch {
		case c.Type == html.CommentNode, c.Type == html.DoctypeNode,
			c.Type == html.ElementNode && (dropped[c.DataAtom] || hidden(c)):
			n.RemoveChild(c)
		case c.Type != html.ElementNode:
		case c.DataAtom == atom.Img:
			if src := w.picture(cmp.Or(attr(c, "src"), attr(c, "data-src"))); src != "" {
				alt := oneLine(attr(c, "alt"))
				c.Attr = []html.Attribute{{Key: "src", Val: src}, {Key: "alt", Val: cmp.Or(alt, "Picture")}}
			} else {
				c.Type, c.Data = html.TextNode, oneLine(attr(c, "alt"))
			}
		case c.DataAtom == atom.A:
			if err := w.clean(c, depth+1); err != nil {
				return err
			}
			target := w.link(attr(c, "href"))
			if c.Attr = nil; target == "" {
				unwrap(n, c)
			} else {
				c.Attr = []html.Attribute{{Key: "href", Val: destination(target)}}
			}
		default:
			// A cell's span goes too: nine digits there would be as many columns here.
			c.Attr = slices.DeleteFunc(c.Attr, func(a html.Attribute) bool {
				return !slices.Contains([]string{"start", "class"}, a.Key) || a.Key == "class" && c.DataAtom != atom.Code
			})
			if err := w.clean(c, depth+1); err != nil {
				return err
			}
		}
		c = next
	}
	return nil
}

// hidden tells that nobody has seen the element.
func hidden(n *html.Node) bool {
	return has(n, "hidden") || strings.Contains(strings.ReplaceAll(attr(n, "style"), " ", ""), "display:none")
}

// unwrap puts what is in child in its place.
func unwrap(parent, child *html.Node) {
	for c := child.FirstChild; c != nil; c = child.FirstChild {
		child.RemoveChild(c)
		parent.InsertBefore(c, child)
	}
	parent.RemoveChild(child)
}

func attr(n *html.Node, key string) string {
	for _, a := range n.Attr {
		if a.Key == key {
			return a.Val
		}
	}
	return ""
}

func has(n *html.Node, key string) bool {
	return slices.ContainsFunc(n.Attr, func(a html.Attribute) bool { return a.Key == key })
}

// find is the first element that fits, outermost first.
func find(n *html.Node, fits func(*html.Node) bool) *html.Node {
	for c := range n.Descendants() {
		if c.Type == html.ElementNode && fits(c) {
			return c
		}
	}
	return nil
}

func byID(id string) func(*html.Node) bool {
	return func(n *html.Node) bool { return attr(n, "id") == id }
}

func byTag(a atom.Atom) func(*html.Node) bool {
	return func(n *html.Node) bool { return n.DataAtom == a }
}

// words are the text in an element, in one line.
func words(n *html.Node) string {
	if n == nil {
		return ""
	}
	var b strings.Builder
	for c := range n.Descendants() {
		if c.Type == html.TextNode {
			b.WriteString(c.Data)
		}
	}
	return oneLine(b.String())
}

// parse reads an HTML file; nil if there is none that could be an article.
func (r *reader) parse(p *page) *html.Node {
	data, err := readFile(r.fs, p.File, largestBody)
	if err != nil {
		p.bad = append(p.bad, p.about(LeftOut, "%v", err))
		return nil
	}
	text, sound := decode(data, "text/html")
	if !sound {
		p.bad = append(p.bad, p.about(Remark, "some characters of it can't be read; look for �"))
	}
	doc, err := html.Parse(strings.NewReader(text))
	if err != nil {
		p.bad = append(p.bad, p.about(LeftOut, "%v", errTooDeep))
		return nil
	}
	if l := find(doc, byTag(atom.Html)); l != nil {
		p.Language = cmp.Or(knownLanguage(attr(l, "lang")), p.Language)
	}
	return doc
}

// source is an element as text again, for when the names of all are known.
func source(n *html.Node) string {
	var b strings.Builder
	for c := n.FirstChild; c != nil; c = c.NextSibling {
		_ = html.Render(&b, c) // to memory
	}
	return b.String()
}

// htmlFiles reads a folder of HTML files, each an article known by its path:
// the title is the first heading or <title>, the answer what stands in <main>,
// <article> or the body.
func (r *reader) htmlFiles() error {
	return r.walk("html", func(file string) error {
		p := r.newPage(file, "html", strings.TrimSuffix(file, path.Ext(file)))
		p.aliases = []string{"file:" + file}
		r.pages = append(r.pages, p)
		doc := r.parse(p)
		if doc == nil {
			return nil
		}
		content := find(doc, byTag(atom.Main))
		if content == nil {
			content = find(doc, byTag(atom.Article))
		}
		if content == nil {
			content = find(doc, byTag(atom.Body))
		}
		heading := find(content, byTag(atom.H1))
		if p.Title = words(heading); p.Title == "" {
			p.Title = words(find(doc, byTag(atom.Title)))
		} else {
			heading.Parent.RemoveChild(heading)
		}
		if p.Title == "" {
			p.bad = append(p.bad, p.about(LeftOut, "it has no title; give it a <h1> or a <title>"))
		}
		p.body = source(content)
		return nil
	})
}

// newPage is a published page in HTML.
func (r *reader) newPage(file, source, key string) *page {
	return &page{
		Article: Article{
			Article: knowledge.Article{State: knowledge.Published, Language: r.Language},
			Origin:  Origin{source, key}, File: file,
		},
		markup: inHTML,
	}
}

// Confluence's HTML export of a space is a zip file with a directory named as
// the space's key; in it index.html ("Space Details", with a table that has the
// key), a file for each page, named Title_4711.html, or 4711.html where the
// title has nothing that a file's name can have, and attachments/4711/4712.png.
// A page has its title in #title-text ("Space : Title"), its text in
// #main-content and its attachments after that. Seen in exports that companies
// have published; who may read a page is not in it.
var (
	pageFile  = regexp.MustCompile(`(?:^|_)(\d{1,20})\.html$`)
	indexMark = regexp.MustCompile(`(?i)Space Details|Available Pages|confluenceTable|aui-page-panel`)
)

func isConfluenceIndex(dir fs.FS, file string) bool {
	data, err := readFile(dir, file, largestBody)
	return err == nil && indexMark.Match(data)
}

func (r *reader) confluenceHTML() error {
	r.unsaid = true
	space := ""
	if index := r.parse(r.newPage("index.html", "", "")); index != nil {
		for c := range index.Descendants() {
			if c.DataAtom == atom.Th && words(c) == "Key" && c.NextSibling != nil {
				for s := c.NextSibling; s != nil && space == ""; s = s.NextSibling {
					space = words(s)
				}
			}
		}
	}
	return r.walk("html", func(file string) error {
		m := pageFile.FindStringSubmatch(path.Base(file))
		if m == nil {
			return nil // index.html and the like
		}
		p := r.newPage(file, "confluence:"+cmp.Or(space, "space"), m[1])
		p.aliases = []string{"file:" + file, "id:" + m[1]}
		r.pages = append(r.pages, p)
		doc := r.parse(p)
		if doc == nil {
			return nil
		}
		title := words(find(doc, byID("title-text")))
		if name, rest, ok := strings.Cut(title, " : "); ok && name != "" {
			title = rest
		}
		p.Title = cmp.Or(title, words(find(doc, byTag(atom.Title))))
		content := find(doc, byID("main-content"))
		switch {
		case content == nil:
			p.bad = append(p.bad, p.about(LeftOut, "it has no text where Confluence puts it"))
			return nil
		case p.Title == "":
			p.bad = append(p.bad, p.about(LeftOut, "it has no title"))
		}
		for _, class := range []string{"toc-macro", "hidden", "page-metadata"} {
			for n := find(content, byClass(class)); n != nil; n = find(content, byClass(class)) {
				n.Parent.RemoveChild(n)
			}
		}
		p.body = source(content)
		return nil
	})
}

func byClass(class string) func(*html.Node) bool {
	return func(n *html.Node) bool { return slices.Contains(strings.Fields(attr(n, "class")), class) }
}
