package articlefile

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/deskhand/deskhand/core/knowledge"
)

// What help desks' APIs answer, saved as files, one for each page of the answer
// or all in one: {"articles": [...]}, {"article": {...}} or the list itself.
//
// Zendesk (Help Center API, "Articles"): id, title (older: name), body in HTML,
// locale, draft, label_names, html_url; user_segment_id, null for everyone, or
// user_segment_ids; with {"user_segments": [...]} (id, name, user_type) beside
// them the segments have names. {"translations": [...]} are source_id, locale,
// title, body, draft; a language other than the article's is an article of its own.
//
// Freshservice (API v2, "Solution Article") and Freshdesk: id, title, description
// in HTML, status (1 draft, 2 published), tags, keywords, seo_data.meta_keywords,
// review_date, article_type (2 is a workaround in Freshservice), folder_visibility
// or visibility of the folder around it: 1 all, 2 signed in, 3 agents, the rest
// for some departments, groups or companies, which
// folder_department_ids and the like name.
//
// IDs are numbers of up to 2^63, so they are read as they are written.

// jsonFiles reads what APIs have answered.
func (r *reader) jsonFiles() error {
	found := false
	h := &helpdesk{reader: r, segments: map[string]string{}}
	err := r.walk("json", func(file string) error {
		data, err := readFile(r.fs, file, largestFile)
		if err != nil {
			r.problem(Problem{Kind: LeftOut, File: file, Text: err.Error()})
			return nil
		}
		text, _ := decode(data, "application/json")
		d := json.NewDecoder(strings.NewReader(text))
		d.UseNumber()
		var v any
		if err := d.Decode(&v); err != nil {
			at := len(strings.TrimSpace(text))
			if e, ok := errors.AsType[*json.SyntaxError](err); ok {
				at = min(at, int(e.Offset))
			}
			line := 1 + strings.Count(text[:at], "\n")
			r.problem(Problem{Kind: LeftOut, File: file, Line: line, Text: "it is no JSON from here on, or ends too early; save it again"})
			return nil
		}
		before := len(h.articles) + len(h.segments)
		h.look(file, v, "", 0)
		found = found || len(h.articles)+len(h.segments) > before
		return nil
	})
	for _, a := range h.articles {
		if len(r.pages) >= mostArticles {
			return fmt.Errorf("there are more than %d articles; bring them in in parts", mostArticles)
		}
		r.pages = append(r.pages, h.page(a))
	}
	if err == nil && !found && len(r.problems) == 0 {
		r.problem(Problem{Kind: LeftOut, Text: "there are no articles in these files; they are expected as {\"articles\": [...]} with a title and a body or description each"})
	}
	return err
}

type helpdesk struct {
	*reader
	segments map[string]string // Zendesk's user segments by id
	articles []found
}

type found struct {
	file       string
	fields     map[string]any
	visibility string // of the folder around it
}

// look goes through an answer: articles stand in lists, alone or in folders.
func (h *helpdesk) look(file string, v any, visibility string, depth int) {
	if depth > 12 {
		return
	}
	switch v := v.(type) {
	case []any:
		for _, item := range v {
			h.look(file, item, visibility, depth+1)
		}
	case map[string]any:
		if isArticle(v) {
			h.articles = append(h.articles, found{file: file, fields: v, visibility: visibility})
			if t, ok := v["translations"].([]any); ok {
				for _, item := range t {
					if m, ok := item.(map[string]any); ok && isArticle(m) && text(m, "locale") != text(v, "locale") {
						// Who may read it is said of the article only.
						for _, k := range []string{"user_segment_id", "user_segment_ids", "label_names"} {
							if _, has := m[k]; !has {
								m[k] = v[k]
							}
						}
						m["source_id"] = cmp.Or(m["source_id"], v["id"])
						h.articles = append(h.articles, found{file: file, fields: m})
					}
				}
			}
			return
		}
		if s := text(v, "visibility"); s != "" {
			visibility = s
		}
		if list, ok := v["user_segments"].([]any); ok {
			for _, item := range list {
				if m, ok := item.(map[string]any); ok {
					h.segments[text(m, "id")] = text(m, "name")
				}
			}
		}
		for _, k := range sortedKeys(v) {
			h.look(file, v[k], visibility, depth+1)
		}
	}
}

// isArticle tells an article from a section, a category, an author.
func isArticle(v map[string]any) bool {
	_, body := v["body"].(string)
	_, description := v["description"].(string)
	_, status := v["status"]
	titled := v["title"] != nil || body && v["name"] != nil
	return titled && (body && v["author_name"] == nil || description && (status || v["folder_id"] != nil || v["description_text"] != nil))
}

// text is a field as text: a number as it is written, "" for null.
func text(v map[string]any, key string) string {
	switch x := v[key].(type) {
	case string:
		return x
	case json.Number:
		return x.String()
	case bool:
		return fmt.Sprint(x)
	}
	return ""
}

// textList is the items of a field that is a list, or the parts of a text.
func textList(v map[string]any, key string) []string {
	items, ok := v[key].([]any)
	if !ok {
		return list(text(v, key))
	}
	var all []string
	for _, item := range items {
		if s := oneLine(text(map[string]any{"": item}, "")); s != "" && !slices.Contains(all, s) {
			all = append(all, s)
		}
	}
	return all
}

func (h *helpdesk) page(f found) *page {
	v := f.fields
	p := h.newPage(f.file, "zendesk", text(v, "id"))
	p.Title = oneLine(cmp.Or(text(v, "title"), text(v, "name")))
	if body, ok := v["body"].(string); ok {
		p.body = body
		h.zendesk(p, v)
	} else {
		p.body = text(v, "description")
		h.freshservice(p, v, f.visibility)
	}
	p.aliases = []string{"id:" + text(v, "id")}
	switch {
	case p.Key == "":
		p.bad = append(p.bad, p.about(LeftOut, "it has no id, so it would come in again each time"))
	case p.Title == "":
		p.bad = append(p.bad, p.about(LeftOut, "the article %s has no title", p.Key))
	case len(p.body) > largestBody:
		p.bad = append(p.bad, p.about(LeftOut, "it is larger than %d MB; split it", largestBody>>20))
	case strings.ContainsRune(p.body, '\ufffd'):
		p.bad = append(p.bad, p.about(Remark, "some characters of it can't be read; look for �"))
	}
	return p
}

func (h *helpdesk) zendesk(p *page, v map[string]any) {
	locale := text(v, "locale")
	if source := text(v, "source_id"); source != "" { // a translation
		p.Key = source + "/" + strings.ToLower(locale)
	}
	p.Language = cmp.Or(knownLanguage(locale), p.Language)
	p.Tags = textList(v, "label_names")
	if text(v, "draft") == "true" || text(v, "hidden") == "true" {
		p.State = knowledge.Draft
	}
	if text(v, "outdated") == "true" {
		p.State = knowledge.Draft
		p.bad = append(p.bad, p.about(Remark, "it is outdated at its source, so it is a draft"))
	}
	_, one := v["user_segment_id"]
	_, many := v["user_segment_ids"]
	h.unsaid = h.unsaid || !one && !many
	segments := textList(v, "user_segment_ids")
	if s := text(v, "user_segment_id"); s != "" && !slices.Contains(segments, s) {
		segments = append(segments, s)
	}
	for i, s := range segments {
		segments[i] = cmp.Or(h.segments[s], "segment:"+s)
	}
	if len(segments) > 0 {
		p.readers = [][]string{segments}
	}
}

func (h *helpdesk) freshservice(p *page, v map[string]any, visibility string) {
	p.Source = "freshservice"
	p.Tags = textList(v, "tags")
	keywords := textList(v, "keywords")
	if seo, ok := v["seo_data"].(map[string]any); ok {
		keywords = append(keywords, textList(seo, "meta_keywords")...)
	}
	for _, k := range keywords {
		if !slices.Contains(p.Tags, k) {
			p.Tags = append(p.Tags, k)
		}
	}
	if s := text(v, "status"); s != "2" && s != "" {
		p.State = knowledge.Draft
	}
	p.KnownError = text(v, "article_type") == "2"
	p.ReviewBy = dayOf(text(v, "review_date"))
	switch s := cmp.Or(text(v, "folder_visibility"), text(v, "visibility"), visibility); s {
	case "1", "2":
	case "":
		h.unsaid = true
	case "3":
		p.readers = [][]string{{"agents"}}
	default:
		var groups []string
		for _, k := range sortedKeys(v) {
			if kind, ok := strings.CutSuffix(k, "_ids"); ok && strings.Contains(kind, "folder_") {
				for _, id := range textList(v, k) {
					groups = append(groups, kind+":"+id)
				}
			}
		}
		if groups == nil {
			groups = []string{"visibility:" + s}
		}
		p.readers = [][]string{groups}
	}
}
