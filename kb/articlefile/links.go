package articlefile

import (
	"cmp"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"net/url"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/deskhand/deskhand/core/knowledge"
)

// writer makes the answer of one page.
type writer struct {
	*reader
	page     *page
	pictures map[string]string // paths that were looked for to names, "" for none
}

// link is where a link of the page leads: to another article's file, out into
// the world, or nowhere ("").
func (w *writer) link(target string) string {
	target = strings.TrimSpace(target)
	if target == "" || strings.HasPrefix(target, "#") {
		return ""
	}
	u, err := url.Parse(strings.ReplaceAll(target, " ", "%20"))
	if err != nil {
		w.broken(BrokenLink, "the link to %q is no address", shorten(target, 100))
		return ""
	}
	for _, alias := range w.aliasesOf(u) {
		if p := w.byAlias[alias]; p != nil {
			if p == w.page {
				return ""
			}
			return p.Slug + ".md"
		}
	}
	switch {
	case slices.Contains([]string{"http", "https", "mailto"}, u.Scheme):
		return u.String()
	case u.Scheme == "tel", u.Scheme == "file" && u.Host != "", u.Scheme == "" && u.Host != "": // to be read, not to be followed
		return ""
	case u.Scheme == "page":
		w.broken(BrokenLink, "the page “%s” that it links to is not here", shorten(strings.TrimPrefix(strings.Join(w.aliasesOf(u), ""), "page:"), 100))
	case u.Scheme != "":
		w.broken(BrokenLink, "a link that begins with %s: leads nowhere from chat", shorten(u.Scheme, 20))
	case w.exists(u.Path):
		// A file that is no article: the text stays, the file does not come along.
		w.broken(Remark, "the file %q that it links to does not come along", shorten(target, 100))
	default:
		w.broken(BrokenLink, "the link to %q leads nowhere", shorten(target, 100))
	}
	return ""
}

func (w *writer) broken(kind Kind, format string, args ...any) {
	w.problem(w.page.about(kind, format, args...))
}

func (w *writer) exists(name string) bool {
	_, err := fs.Stat(w.fs, w.beside(name))
	return err == nil
}

// beside is a path that the page names, from the top.
func (w *writer) beside(name string) string {
	if strings.HasPrefix(name, "/") {
		return strings.TrimPrefix(path.Clean(name), "/")
	}
	return path.Join(path.Dir(w.page.File), name)
}

// Links to pages of Confluence: by number (/pages/viewpage.action?pageId=4711,
// /wiki/spaces/IT/pages/4711/Title) or by title (/display/IT/Title); to articles
// of Zendesk (/hc/en-us/articles/4711-Title), Freshservice
// (/support/solutions/articles/4711) and Freshdesk alike.
var numbered = regexp.MustCompile(`/(?:pages|articles)/(\d{1,20})(?:[-/]|$)`)

// aliasesOf are the names under which a link may know a page, best first.
func (w *writer) aliasesOf(u *url.URL) []string {
	switch {
	case u.Scheme == "page":
		title, err := url.PathUnescape(cmp.Or(u.Opaque, u.Path))
		if err != nil {
			return nil
		}
		return []string{"page:" + title}
	case u.Scheme == "" && u.Host == "":
		at := w.beside(u.Path)
		all := []string{"file:" + at, "file:" + at + ".md", "file:" + path.Join(at, "index.md"), "file:" + at + ".html", "file:" + path.Join(at, "index.html")}
		if name, ok := strings.CutSuffix(at, ".html"); ok { // what a site generator makes of it
			all = append(all, "file:"+name+".md")
		}
		return append(all, w.onTheSite(u)...)
	case u.Scheme == "http", u.Scheme == "https":
		return w.onTheSite(u)
	}
	return nil
}

func (w *writer) onTheSite(u *url.URL) []string {
	var all []string
	if id := u.Query().Get("pageId"); id != "" {
		all = append(all, "id:"+id)
	}
	if m := numbered.FindStringSubmatch(u.Path); m != nil {
		all = append(all, "id:"+m[1])
	}
	if _, rest, ok := strings.Cut(u.Path, "/display/"); ok {
		all = append(all, "page:"+strings.ReplaceAll(rest, "+", " "))
	}
	return all
}

// picture is where a picture of the page stands from now on, "" if it is not
// to be had.
func (w *writer) picture(target string) string {
	target = strings.TrimSpace(target)
	if target == "" {
		return ""
	}
	name, done := w.pictures[target]
	if !done {
		var err error
		if name, err = w.keep(target); err != nil {
			w.broken(BrokenPicture, "%v", err)
		}
		w.pictures[target] = name
	}
	if name == "" {
		return ""
	}
	return knowledge.PicturePath + name
}

func (w *writer) keep(target string) (string, error) {
	if len(w.page.Pictures) == mostPictures {
		return "", fmt.Errorf("it has more than %d pictures; the rest is left out", mostPictures)
	}
	if data, ok := strings.CutPrefix(target, "data:"); ok {
		_, code, ok := strings.Cut(data, ";base64,")
		if !ok {
			return "", errors.New("a picture within the text is not in base64")
		}
		bytes, err := base64.StdEncoding.DecodeString(strings.Map(func(c rune) rune {
			if c <= ' ' {
				return -1
			}
			return c
		}, code))
		if err != nil {
			return "", errors.New("a picture within the text is damaged")
		}
		return w.add("a picture within the text", bytes, func() ([]byte, error) { return bytes, nil })
	}
	u, err := url.Parse(strings.ReplaceAll(target, " ", "%20"))
	if err != nil {
		return "", fmt.Errorf("the picture %q has no address", shorten(target, 100))
	}
	file := w.find(u)
	if file == "" {
		if u.Host != "" {
			return "", fmt.Errorf("the picture %s is not among the files; put it beside them under its own name", shorten(target, 200))
		}
		return "", fmt.Errorf("the picture %q is not there", shorten(target, 100))
	}
	load := func() ([]byte, error) {
		data, err := readFile(w.fs, file, LargestPicture)
		if err != nil {
			return nil, fmt.Errorf("the picture %s: %w", file, err)
		}
		return data, nil
	}
	data, err := load()
	if err != nil {
		return "", err
	}
	return w.add("the picture "+file, data, load)
}

// find is the file of a picture: at its path, or one of its name if there is a
// single one, as tools that save a site put its pictures elsewhere.
func (w *writer) find(u *url.URL) string {
	if u.Host == "" && u.Scheme == "" {
		if at := w.beside(u.Path); fs.ValidPath(at) && w.exists(u.Path) {
			return at
		}
	}
	if same := w.byName[path.Base(u.Path)]; len(same) == 1 {
		return same[0]
	}
	return ""
}

func (w *writer) add(what string, data []byte, load func() ([]byte, error)) (string, error) {
	if len(data) > LargestPicture {
		return "", fmt.Errorf("%s is larger than %d MB", what, LargestPicture>>20)
	}
	kind := PictureKind(data)
	if kind == "" {
		return "", fmt.Errorf("%s is no picture", what)
	}
	sum := sha256.Sum256(data)
	name := hex.EncodeToString(sum[:16]) + "." + kind
	if !slices.ContainsFunc(w.page.Pictures, func(p Picture) bool { return p.Name == name }) {
		w.page.Pictures = append(w.page.Pictures, Picture{name, load})
	}
	return name, nil
}

// PictureKind is what a picture is by its bytes, as the ending of its name; ""
// for anything else.
func PictureKind(data []byte) string {
	switch t := http.DetectContentType(data); t {
	case "image/png", "image/gif", "image/webp", "image/bmp":
		return strings.TrimPrefix(t, "image/")
	case "image/jpeg":
		return "jpg"
	case "text/xml; charset=utf-8", "text/plain; charset=utf-8", "text/html; charset=utf-8":
		head := data[:min(len(data), 1024)]
		if svgHead.Match(head) {
			return "svg"
		}
	}
	return ""
}

var svgHead = regexp.MustCompile(`^\s*(?:<\?xml[^>]*>\s*|<!--[^>]*-->\s*|<!DOCTYPE svg[^>]*>\s*)*<svg[\s>]`)

// inText are links and pictures of Markdown: [text](target "title").
var inText = regexp.MustCompile(`(!?)\[((?:[^\[\]\n]|\[[^\[\]\n]*\])*)\]\(\s*(<[^<>\n]*>|[^\s()<>]*(?:\([^\s()]*\)[^\s()<>]*)*)(\s+(?:"[^"\n]*"|'[^'\n]*'))?\s*\)`)

// fromMarkdown keeps the words as they are and leads links and pictures to
// where they are now. Code is left alone.
func (w *writer) fromMarkdown(text string) string {
	first := w.page.Line
	defer func() { w.page.Line = first }()
	header := 0
	if w.page.Line == 0 {
		header = w.page.bodyLine
	}
	var out strings.Builder
	fence := ""
	for i, line := range strings.Split(text, "\n") {
		if i > 0 {
			out.WriteByte('\n')
		}
		body := strings.TrimLeft(line, " \t")
		mark := body[:min(3, len(body))]
		switch {
		case fence != "":
			if mark == fence {
				fence = ""
			}
		case mark == "```" || mark == "~~~":
			fence = mark
		case strings.Contains(line, "]("):
			if header > 0 {
				w.page.Line = header + i
			}
			line = w.inLine(line)
		}
		out.WriteString(line)
	}
	return out.String()
}

func (w *writer) inLine(line string) string {
	var out strings.Builder
	last := 0
	for _, m := range inText.FindAllStringSubmatchIndex(line, -1) {
		if strings.Count(line[:m[0]], "`")%2 == 1 || m[0] > 0 && line[m[0]-1] == '\\' {
			continue // within code, or no link at all
		}
		picture, label := line[m[2]:m[3]] == "!", line[m[4]:m[5]]
		target := strings.Trim(line[m[6]:m[7]], "<>")
		out.WriteString(line[last:m[0]])
		last = m[1]
		if picture {
			out.WriteString(pictureText(label, w.picture(target)))
			continue
		}
		if strings.Contains(label, "](") { // a picture that is a link
			label = w.inLine(label)
		}
		if strings.HasPrefix(target, "#") {
			out.WriteString(label)
			continue
		}
		out.WriteString(linkText(label, w.link(target)))
	}
	out.WriteString(line[last:])
	return out.String()
}

func linkText(label, target string) string {
	if target == "" {
		return label
	}
	return "[" + label + "](" + destination(target) + ")"
}

func pictureText(alt, target string) string {
	if target == "" {
		return alt
	}
	return "![" + alt + "](" + target + ")"
}

// destination keeps an address from ending the link.
func destination(target string) string {
	if strings.ContainsAny(target, "() ") {
		return strings.NewReplacer("(", "%28", ")", "%29", " ", "%20").Replace(target)
	}
	return target
}
