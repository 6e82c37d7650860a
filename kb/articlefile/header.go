package articlefile

import (
	"errors"
	"net/mail"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
	"golang.org/x/text/language"

	"github.com/deskhand/deskhand/core/knowledge"
)

// headerKeys are what front matter may say.
var headerKeys = []string{"title", "symptom", "environment", "cause", "audience", "language", "owner", "review", "state", "known_error", "tags", "id", "from"}

// foreignKeys are those of site generators (Jekyll, Hugo, Docusaurus, MkDocs)
// that say nothing that an article needs. Any other key that is not known is a
// mistake: a slip in "audience" must not open an article to everyone.
var foreignKeys = []string{"layout", "date", "lastmod", "last_modified_at", "draft", "weight", "slug", "permalink", "url", "category", "categories", "description",
	"author", "authors", "sidebar_position", "sidebar_label", "sidebar", "pagination_next", "pagination_prev", "hide_title", "toc", "parent", "nav_order",
	"has_children", "grand_parent", "aliases", "redirect_from", "template", "hide", "icon", "image", "keywords", "summary", "type", "menu", "id"}

// header reads front matter; false means that it could not be read at all. It
// goes through the keys itself, as a decoder would stop at the first mistake.
func (r *articleReader) header(text string) bool {
	file, err := parser.ParseBytes([]byte(text), 0, parser.AllowDuplicateMapKey())
	if err != nil {
		line, why := 1, err.Error()
		if e, ok := errors.AsType[yaml.Error](err); ok {
			why = e.GetMessage()
			if t := e.GetToken(); t != nil && t.Position != nil {
				line += t.Position.Line
			}
		}
		r.problem(line, `the front matter is not YAML (%s); put a text with ":" or "#" in it in "quotes"`, why)
		return false
	}
	var values []*ast.MappingValueNode
	for i, doc := range file.Docs {
		switch body := doc.Body.(type) {
		case nil, *ast.NullNode, *ast.CommentGroupNode:
		case *ast.MappingNode:
			values = append(values, body.Values...)
		case *ast.MappingValueNode:
			values = append(values, body)
		default:
			r.problem(lineOf(body), `this is not "key: value"`)
			return false
		}
		if i > 0 {
			r.problem(2, "the front matter is more than one document; leave out what parts them")
			return false
		}
	}
	seen := make(map[string]bool)
	for _, v := range values {
		key := v.Key.GetToken().Value
		switch {
		case r.foreign && slices.Contains(foreignKeys, key) && (key != "id" || !articleRef.MatchString(v.Value.String())):
			r.foreignValue(key, v.Value)
		case !slices.Contains(headerKeys, key):
			r.problem(lineOf(v.Key), "%s", unknownKey(key))
		case seen[key]:
			r.problem(lineOf(v.Key), "%s is given twice; keep one", key)
		default:
			r.value(key, v.Value)
		}
		seen[key] = true
	}
	if !seen["title"] && !r.foreign {
		r.problem(1, `it has no title; add "title: …", the matter in a few words`)
	}
	return true
}

// lineOf is the line of the file; the front matter begins in its second.
func lineOf(n ast.Node) int {
	if t := n.GetToken(); t != nil && t.Position != nil {
		return t.Position.Line + 1
	}
	return 1
}

func unknownKey(key string) string {
	for _, k := range headerKeys {
		if resembles(k, strings.ToLower(key)) {
			return strconv.Quote(key) + " is not known here; do you mean " + k + "?"
		}
	}
	return strconv.Quote(shorten(key, 60)) + " is not known here; the keys are " + strings.Join(headerKeys, ", ")
}

// resembles tells whether a and b begin and end alike, but for two letters.
func resembles(a, b string) bool {
	head, tail := 0, 0
	for head < len(a) && head < len(b) && a[head] == b[head] {
		head++
	}
	for tail < len(a)-head && tail < len(b)-head && a[len(a)-1-tail] == b[len(b)-1-tail] {
		tail++
	}
	return head+tail > 0 && head+tail >= max(len(a), len(b))-2
}

// articleRef is the number of an article, "KB-31".
var articleRef = regexp.MustCompile(`^KB-([1-9][0-9]{0,15})$`)

// foreignValue takes what the key of another program says of an article.
func (r *articleReader) foreignValue(key string, n ast.Node) {
	if s, _ := textOf(n); key == "draft" && s == "true" {
		r.article.State = knowledge.Draft
	}
}

func (r *articleReader) value(key string, n ast.Node) {
	line, a := lineOf(n), &r.article
	if key == "from" {
		list, ok := texts(n)
		for _, s := range list {
			source, key, cut := strings.Cut(s, "/")
			if ok = ok && cut && source != "" && key != ""; ok {
				r.also = append(r.also, Origin{source, key})
			}
		}
		if !ok {
			r.problem(line, "from is a list of where the article came from, such as [confluence:IT/4711]")
		}
		return
	}
	if key == "audience" || key == "tags" {
		list, ok := texts(n)
		switch {
		case !ok:
			r.problem(line, "%s is a list, such as [%s]", key, map[string]string{"audience": "sales, hr", "tags": "vpn, network"}[key])
		case key == "tags":
			a.Tags = list
		case len(list) == 0:
			r.problem(line, "nobody could read it; leave audience out for everyone, or name teams and departments")
		default:
			for _, group := range list {
				if !slugPattern.MatchString(group) {
					r.problem(line, "%q is no team or department; write the short name it has in the policy, in small letters", group)
				}
			}
			a.Audience, r.audience = list, true
		}
		return
	}
	s, ok := textOf(n)
	if !ok {
		r.problem(line, "%s is one text; put it in one line, or in indented lines below \"%s: |\"", key, key)
		return
	}
	switch key {
	case "id":
		m := articleRef.FindStringSubmatch(s)
		if m == nil {
			r.problem(line, "%q is no number of an article; leave id out, or write KB-31", s)
			return
		}
		id, _ := strconv.ParseInt(m[1], 10, 64) // it fits
		a.ID = knowledge.ArticleID(id)
	case "title":
		if s == "" {
			r.problem(line, "its title is empty; say the matter in a few words")
		} else if strings.Contains(s, "\n") {
			r.problem(line, "its title has more than one line")
		}
		a.Title = s
	case "symptom":
		a.Symptom = s
	case "environment":
		a.Environment = s
	case "cause":
		a.Cause = s
	case "language":
		if _, err := language.Parse(s); err != nil {
			r.problem(line, "%q is no language; write en, de, pt-BR and the like", s)
		}
		a.Language = s
	case "owner":
		if at, err := mail.ParseAddress(s); err != nil || at.Name != "" {
			r.problem(line, "%q is no mail address; write one, such as it@example.com", s)
		}
		a.Owner = strings.ToLower(s)
	case "state":
		if a.State = knowledge.State(s); !slices.Contains(knowledge.States, a.State) {
			r.problem(line, "%q is no state; write draft, reviewed, published, stale or retired", s)
		}
	case "known_error":
		switch s {
		case "true":
			a.KnownError = true
		case "false":
		default:
			r.problem(line, "%q is neither true nor false", s)
		}
	case "review":
		r.relative = strings.HasSuffix(s, "d")
		if a.ReviewBy, ok = reviewDate(s, r.today); !ok {
			r.problem(line, "%q is no date; write 2027-03-01, or 180d for 180 days from the import", s)
		}
	}
}

// longestReview, in days, is what "180d" may say.
const longestReview = 3650

// reviewDate reads a day, or a number of days from today.
func reviewDate(s string, today time.Time) (time.Time, bool) {
	if days, ok := strings.CutSuffix(s, "d"); ok {
		n, err := strconv.Atoi(days)
		year, month, day := today.Date()
		return time.Date(year, month, day+n, 0, 0, 0, 0, time.UTC), err == nil && n > 0 && n <= longestReview
	}
	t, err := time.Parse(time.DateOnly, s)
	return t, err == nil
}

// textOf is the text of a value that is a single one, without the space around it.
func textOf(n ast.Node) (string, bool) {
	switch n := n.(type) {
	case *ast.StringNode:
		return strings.TrimSpace(n.Value), true
	case *ast.LiteralNode:
		return strings.TrimSpace(n.Value.Value), true
	case *ast.NullNode:
		return "", true
	case *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode, *ast.InfinityNode, *ast.NanNode:
		return n.GetToken().Value, true
	}
	return "", false
}

// texts is the list that a value is; a single text is a list of one.
func texts(n ast.Node) ([]string, bool) {
	nodes := []ast.Node{n}
	if list, ok := n.(*ast.SequenceNode); ok {
		nodes = list.Values
	}
	var out []string
	for _, n := range nodes {
		s, ok := textOf(n)
		if !ok || s == "" && len(nodes) > 1 {
			return nil, false
		}
		if s != "" && !slices.Contains(out, s) {
			out = append(out, s)
		}
	}
	return out, true
}
