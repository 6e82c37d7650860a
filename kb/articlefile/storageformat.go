package articlefile

import (
	"cmp"
	"encoding/xml"
	"errors"
	"io"
	"slices"
	"strings"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

// Confluence's storage format is XHTML with elements of its own (Atlassian,
// "Confluence Storage Format"): macros are ac:structured-macro (ac:macro
// before 5) with ac:parameter and a body, ac:rich-text-body or
// ac:plain-text-body; ac:image and ac:link have what they are about as
// ri:attachment, ri:page, ri:url or ri:user; there are ac:task-list, ac:layout
// and ac:emoticon. It is no HTML: elements close themselves, and text is in
// CDATA sections. So it is read as XML, into a tree of HTML.

// fromStorage writes a page in the storage format as Markdown.
func (w *writer) fromStorage(text string) (string, error) {
	root, err := storageTree(text)
	if err != nil {
		return "", err
	}
	if err := w.macros(root, 0); err != nil {
		return "", err
	}
	return w.fromTree(root)
}

// storageTree is the XML as nodes of HTML, with elements such as "ac:link".
func storageTree(text string) (*html.Node, error) {
	d := xml.NewDecoder(strings.NewReader(text))
	d.Strict = false
	d.Entity = xml.HTMLEntity
	root := &html.Node{Type: html.ElementNode, Data: "div", DataAtom: atom.Div}
	at, depth := root, 0
	for {
		t, err := d.RawToken()
		if errors.Is(err, io.EOF) {
			return root, nil
		}
		if err != nil {
			return nil, errors.New("its text is damaged; open and save it in Confluence, then export again")
		}
		switch t := t.(type) {
		case xml.StartElement:
			if depth++; depth > deepest {
				return nil, errTooDeep
			}
			n := &html.Node{Type: html.ElementNode, Data: name(t.Name)}
			n.DataAtom = atom.Lookup([]byte(n.Data))
			for _, a := range t.Attr {
				n.Attr = append(n.Attr, html.Attribute{Key: name(a.Name), Val: a.Value})
			}
			at.AppendChild(n)
			at = n
		case xml.EndElement:
			// Up to the element that it closes; a stray one closes nothing.
			up, closed := 0, at
			for closed != root && closed.Data != name(t.Name) {
				up, closed = up+1, closed.Parent
			}
			if closed != root {
				at, depth = closed.Parent, depth-up-1
			}
		case xml.CharData:
			at.AppendChild(&html.Node{Type: html.TextNode, Data: string(t)})
		}
	}
}

func name(n xml.Name) string {
	if n.Space == "" {
		return strings.ToLower(n.Local)
	}
	return strings.ToLower(n.Space + ":" + n.Local)
}

// macros puts HTML in the place of Confluence's own elements.
func (w *writer) macros(n *html.Node, depth int) error {
	if depth > deepest {
		return errTooDeep
	}
	for c := n.FirstChild; c != nil; {
		next := c.NextSibling
		if c.Type == html.ElementNode {
			if err := w.macros(c, depth+1); err != nil {
				return err
			}
			w.element(n, c)
		}
		c = next
	}
	return nil
}

// element puts one of Confluence's elements, whose children are HTML already,
// into HTML.
func (w *writer) element(parent, n *html.Node) {
	put := func(nodes ...*html.Node) {
		for _, c := range nodes {
			parent.InsertBefore(c, n)
		}
		parent.RemoveChild(n)
	}
	switch n.Data {
	case "ac:structured-macro", "ac:macro":
		w.macro(parent, n)
	case "ac:image":
		img := &html.Node{Type: html.ElementNode, Data: "img", DataAtom: atom.Img}
		alt := cmp.Or(attr(n, "ac:alt"), attr(n, "ac:title"))
		if a := child(n, "ri:attachment"); a != nil {
			file := attr(a, "ri:filename")
			alt = cmp.Or(alt, file)
			src := w.page.attachment[file]
			if child(a, "ri:page") != nil {
				src = "" // of another page, which says itself what it shows
			}
			img.Attr = []html.Attribute{{Key: "src", Val: cmp.Or(src, file)}}
		} else if u := child(n, "ri:url"); u != nil {
			img.Attr = []html.Attribute{{Key: "src", Val: attr(u, "ri:value")}}
		}
		img.Attr = append(img.Attr, html.Attribute{Key: "alt", Val: cmp.Or(alt, "Picture")})
		put(img)
	case "ac:link":
		w.linkElement(n, put)
	case "ac:task-list":
		n.Data, n.DataAtom = "ul", atom.Ul
	case "ac:task":
		n.Data, n.DataAtom = "li", atom.Li
	case "ac:task-id", "ac:task-uuid", "ac:task-status", "ac:placeholder", "ac:adf-node", "ac:adf-attribute", "ri:user", "ri:space", "ri:content-entity":
		put()
	case "ac:emoticon":
		put(textNode(attr(n, "ac:emoji-fallback")))
	case "time":
		put(textNode(cmp.Or(words(n), attr(n, "datetime"))))
	case "ac:layout", "ac:layout-section", "ac:layout-cell", "ac:rich-text-body", "ac:adf-extension", "ac:adf-content", "ac:adf-fallback":
		n.Data, n.DataAtom, n.Attr = "div", atom.Div, nil
	default:
		if strings.Contains(n.Data, ":") && !inMacro(n) {
			unwrap(parent, n)
		}
	}
}

// inMacro tells that an element is read by the one around it.
func inMacro(n *html.Node) bool {
	return slices.Contains([]string{"ac:parameter", "ac:plain-text-body", "ac:plain-text-link-body", "ac:link-body", "ri:attachment", "ri:page", "ri:url", "ri:blog-post", "ri:shortcut"}, n.Data)
}

func (w *writer) linkElement(n *html.Node, put func(...*html.Node)) {
	a := &html.Node{Type: html.ElementNode, Data: "a", DataAtom: atom.A}
	body := child(n, "ac:link-body")
	if body == nil {
		body = child(n, "ac:plain-text-link-body")
	}
	label := ""
	switch p, f := child(n, "ri:page"), child(n, "ri:attachment"); {
	case p != nil:
		label = attr(p, "ri:content-title")
		a.Attr = []html.Attribute{{Key: "href", Val: "page:" + pageAddress(cmp.Or(attr(p, "ri:space-key"), w.page.space), label)}}
	case f != nil:
		label = attr(f, "ri:filename")
		w.broken(Remark, "the file “%s” that it links to does not come along", shorten(label, 80))
	}
	if body != nil {
		for c := body.FirstChild; c != nil; c = body.FirstChild {
			body.RemoveChild(c)
			a.AppendChild(c)
		}
	}
	if a.FirstChild == nil {
		a.AppendChild(textNode(label))
	}
	put(a)
}

// pageAddress is a page in an address that url.Parse leaves as it is.
func pageAddress(space, title string) string {
	return strings.NewReplacer("%", "%25", "?", "%3F", "#", "%23").Replace(space + "/" + title)
}

// shown are macros whose body is part of the text, and notes those that set it
// off. Lists of pages, of changes and the like are left out without a word:
// they say nothing that is not elsewhere.
var (
	shownMacros = []string{"expand", "section", "column", "excerpt", "details", "div", "span", "align", "auihorizontalnav", "ui-expand", "ui-tabs", "ui-tab", "easy-heading-macro", "multiexcerpt", "numberedheadings"}
	noteMacros  = []string{"info", "note", "tip", "warning", "panel", "quote", "ui-text-box"}
	codeMacros  = []string{"code", "noformat", "preformatted"}
	quietMacros = []string{"toc", "toc-zone", "anchor", "children", "pagetree", "pagetreesearch", "livesearch", "recently-updated", "contentbylabel", "attachments",
		"gallery", "contributors", "labels-list", "popular-labels", "change-history", "profile", "create-from-template", "blog-posts", "favpages", "navmap", "listlabels", "space-attachments"}
)

func (w *writer) macro(parent, n *html.Node) {
	kind := attr(n, "ac:name")
	parameters := map[string]string{}
	for c := n.FirstChild; c != nil; c = c.NextSibling {
		if c.Data == "ac:parameter" {
			parameters[attr(c, "ac:name")] = words(c)
		}
	}
	body := child(n, "div") // its ac:rich-text-body
	plain := child(n, "ac:plain-text-body")
	put := func(c *html.Node) {
		parent.InsertBefore(c, n)
		parent.RemoveChild(n)
	}
	switch title := parameters["title"]; {
	case slices.Contains(codeMacros, kind) && plain != nil:
		pre := &html.Node{Type: html.ElementNode, Data: "pre", DataAtom: atom.Pre}
		code := &html.Node{Type: html.ElementNode, Data: "code", DataAtom: atom.Code}
		if l := parameters["language"]; l != "" {
			code.Attr = []html.Attribute{{Key: "class", Val: "language-" + slugOf(l)}}
		}
		var text strings.Builder
		for c := range plain.Descendants() {
			if c.Type == html.TextNode {
				text.WriteString(c.Data)
			}
		}
		code.AppendChild(textNode(text.String()))
		pre.AppendChild(code)
		put(pre)
	case slices.Contains(noteMacros, kind) && body != nil:
		body.Parent.RemoveChild(body)
		body.Data, body.DataAtom = "blockquote", atom.Blockquote
		titled(body, title)
		put(body)
	case kind == "status":
		put(textNode(title))
	case kind == "jira" && parameters["key"] != "":
		put(textNode(parameters["key"]))
	case body != nil:
		body.Parent.RemoveChild(body)
		titled(body, title)
		if !slices.Contains(shownMacros, kind) {
			w.broken(Remark, "what the macro “%s” does is lost, its text is kept", shorten(kind, 40))
		}
		put(body)
	case slices.Contains(quietMacros, kind):
		parent.RemoveChild(n)
	default:
		w.broken(Remark, "the macro “%s” is left out", shorten(kind, 40))
		parent.RemoveChild(n)
	}
}

// titled begins a macro's body with its title.
func titled(body *html.Node, title string) {
	if title == "" {
		return
	}
	p := &html.Node{Type: html.ElementNode, Data: "p", DataAtom: atom.P}
	b := &html.Node{Type: html.ElementNode, Data: "strong", DataAtom: atom.Strong}
	b.AppendChild(textNode(title))
	p.AppendChild(b)
	body.InsertBefore(p, body.FirstChild)
}

func textNode(s string) *html.Node { return &html.Node{Type: html.TextNode, Data: s} }

// child is the first child element of this name.
func child(n *html.Node, name string) *html.Node {
	for c := n.FirstChild; c != nil; c = c.NextSibling {
		if c.Type == html.ElementNode && c.Data == name {
			return c
		}
	}
	return nil
}
