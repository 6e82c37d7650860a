package articlefile

import (
	"cmp"
	"encoding/csv"
	"errors"
	"io"
	"path"
	"regexp"
	"slices"
	"strings"
	"time"

	"golang.org/x/text/language"

	"github.com/deskhand/deskhand/core/knowledge"
)

// columns are what the columns of a CSV file are called, in small letters with
// blanks for what joins words: the names of our own fields, those of
// ServiceNow's kb_knowledge (number, short_description, text, kb_category,
// workflow_state, valid_to), of Jira and Freshservice, and what people write.
// The first that is there counts.
var columns = map[string][]string{
	"key":      {"number", "id", "article id", "sys id", "key", "article number", "external id", "url"},
	"title":    {"title", "short description", "subject", "name", "article title", "headline", "titel", "question", "frage"},
	"answer":   {"answer", "body", "text", "content", "article body", "description", "resolution", "solution", "article", "html", "antwort", "inhalt", "lösung"},
	"symptom":  {"symptom", "symptoms", "issue", "problem", "question", "frage"},
	"where":    {"environment", "applies to", "umgebung"},
	"cause":    {"cause", "root cause", "ursache"},
	"tags":     {"tags", "labels", "keywords", "meta", "topics", "stichworte"},
	"category": {"category", "kb category", "topic", "section", "folder", "kategorie"},
	"readers":  {"audience", "visibility", "can read", "readers", "user criteria", "access"},
	"state":    {"state", "status", "workflow state", "article status"},
	"language": {"language", "locale", "lang", "sprache"},
	"owner":    {"owner", "owner email", "author email", "author", "created by"},
	"review":   {"review", "review date", "review by", "valid to", "expiry date"},
}

// csvFiles reads tables with a head line and an article in each row. What parts
// the columns is what the head line has most of; Excel writes semicolons where
// the comma is a decimal point, and UTF-16 with tabs as "Unicode text".
func (r *reader) csvFiles() error {
	return r.walk("csv", func(file string) error {
		data, err := readFile(r.fs, file, largestFile)
		if err != nil {
			r.problem(Problem{Kind: LeftOut, File: file, Text: err.Error()})
			return nil
		}
		text, sound := decode(data, "text/csv")
		if !sound {
			r.problem(Problem{Kind: Remark, File: file, Text: "some characters of it can't be read; save it as UTF-8, or look for �"})
		}
		if err := r.table(file, text); err != nil {
			r.problem(Problem{Kind: LeftOut, File: file, Text: err.Error()})
		}
		return nil
	})
}

func (r *reader) table(file, text string) error {
	in := csv.NewReader(strings.NewReader(text))
	in.Comma = comma(text)
	in.FieldsPerRecord = -1
	in.LazyQuotes = true
	head, err := in.Read()
	if err != nil {
		return errors.New("it is empty, or no table")
	}
	at := map[string]int{}
	for field, names := range columns {
		at[field] = -1
		for _, n := range names {
			if i := slices.IndexFunc(head, func(h string) bool { return heading(h) == n }); i >= 0 {
				at[field] = i
				break
			}
		}
	}
	if at["symptom"] == at["title"] {
		at["symptom"] = -1
	}
	if at["title"] < 0 || at["answer"] < 0 {
		return errors.New("its first line has to name its columns, a title and an answer among them, such as: id,title,answer,tags")
	}
	for {
		row, err := in.Read()
		line, _ := in.FieldPos(0)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			if p, ok := errors.AsType[*csv.ParseError](err); ok {
				line = p.StartLine
			}
			r.problem(Problem{Kind: LeftOut, File: file, Line: line, Text: "its quotes are not closed, so this row and the rest can't be read"})
			return nil
		}
		if len(r.pages) >= mostArticles {
			return errors.New("it has too many rows; split it")
		}
		r.row(file, line, func(field string) string {
			if i := at[field]; i >= 0 && i < len(row) {
				return strings.TrimSpace(row[i])
			}
			return ""
		})
	}
}

// comma is what parts the columns of a table.
func comma(text string) rune {
	head, _, _ := strings.Cut(text, "\n")
	best, most := ',', strings.Count(head, ",")
	for _, c := range ";\t|" {
		if n := strings.Count(head, string(c)); n > most {
			best, most = c, n
		}
	}
	return best
}

func heading(s string) string {
	return strings.Join(strings.Fields(strings.NewReplacer("_", " ", "-", " ", ".", " ").Replace(strings.ToLower(storable(s)))), " ")
}

// looksLikeHTML tells text that was written with tags from text that has none.
var looksLikeHTML = regexp.MustCompile(`(?i)</(p|div|ol|ul|li|b|strong|em|i|a|h[1-6]|table|span|pre|body)\s*>|<(br|img|p|hr)\b[^>]*>`)

func (r *reader) row(file string, line int, value func(string) string) {
	if value("title") == "" && value("answer") == "" {
		return // an empty row
	}
	p := r.newPage(file, "csv:"+strings.TrimSuffix(path.Base(file), path.Ext(file)), "")
	p.Line = line
	p.Title = oneLine(value("title"))
	p.Key = cmp.Or(oneLine(value("key")), slugOf(p.Title), p.Title)
	p.aliases = []string{"id:" + p.Key}
	p.Symptom, p.Environment, p.Cause = value("symptom"), value("where"), value("cause")
	if p.body = value("answer"); !looksLikeHTML.MatchString(p.body) {
		p.markup = inMarkdown
	}
	p.Tags = list(value("tags"))
	if c := oneLine(value("category")); c != "" && !slices.Contains(p.Tags, c) {
		p.Tags = append(p.Tags, c)
	}
	if readers := list(value("readers")); len(readers) > 0 && !open(readers) {
		p.readers = [][]string{readers}
	}
	p.Owner = address(value("owner"))
	p.Language = cmp.Or(knownLanguage(value("language")), p.Language)
	if day := value("review"); day != "" {
		if p.ReviewBy = dayOf(day); p.ReviewBy.IsZero() {
			p.bad = append(p.bad, p.about(Remark, "%q is no date, so it has no review", shorten(day, 40)))
		}
	}
	p.setState(value("state"))
	if p.Title == "" {
		p.bad = append(p.bad, p.about(LeftOut, "it has no title"))
	}
	r.pages = append(r.pages, p)
}

// open tells that anybody may read what has these readers, as people put it.
func open(readers []string) bool {
	return slices.ContainsFunc(readers, func(name string) bool {
		return slices.Contains([]string{"everyone", "everybody", "all", "all users", "public", "anyone"}, strings.ToLower(name))
	})
}

func (p *page) setState(word string) {
	switch strings.ToLower(oneLine(word)) {
	case "", "published", "live", "approved", "active", "final":
	case "draft", "review", "in review", "in progress", "unpublished", "pending", "new":
		p.State = knowledge.Draft
	case "retired", "archived", "outdated", "obsolete", "deleted", "inactive", "pending retirement":
		p.State = knowledge.Retired
	default:
		p.State = knowledge.Draft
		p.bad = append(p.bad, p.about(Remark, "%q is no state known here, so it is a draft", shorten(word, 40)))
	}
}

// list takes apart a list as people write them into a cell.
func list(s string) []string {
	var all []string
	for _, part := range strings.FieldsFunc(s, func(c rune) bool { return strings.ContainsRune(",;|\n", c) }) {
		if part = oneLine(part); part != "" && !slices.Contains(all, part) {
			all = append(all, part)
		}
	}
	return all
}

var mailAddress = regexp.MustCompile(`[^\s<>@,;]+@[^\s<>@,;]+\.[^\s<>@,;]+`)

func address(s string) string { return strings.ToLower(mailAddress.FindString(s)) }

// knownLanguage is a language's tag, "" if it is none.
func knownLanguage(s string) string {
	t, err := language.Parse(strings.TrimSpace(s))
	if err != nil || t == language.Und {
		return ""
	}
	return t.String()
}

// dayOf reads a day with or without a time; zero if it is none.
func dayOf(s string) time.Time {
	for _, layout := range []string{time.DateOnly, time.RFC3339, time.DateTime, "2006-01-02T15:04:05", "02.01.2006"} {
		if t, err := time.Parse(layout, s); err == nil {
			return t.UTC().Truncate(24 * time.Hour)
		}
	}
	return time.Time{}
}
