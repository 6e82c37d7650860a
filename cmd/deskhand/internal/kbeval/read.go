// Package kbeval measures how well the desk suggests: it brings articles and
// past questions into a record of its own, through what the product itself
// uses, and asks.
package kbeval

import (
	"bufio"
	"cmp"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/deskhand/deskhand/core/knowledge"
)

// item is a line of a file of articles, tickets or questions.
type item struct {
	ID      string `json:"id"`
	Title   string `json:"title"`
	Summary string `json:"summary"`
	Text    string `json:"text"`
	Answers string `json:"answers"`
	Product string `json:"product"`
	Topics  string `json:"topics"`
	Date    string `json:"date"`
	at      time.Time
}

// asked is what somebody would write into the chat.
func (it item) asked() string { return strings.TrimSpace(it.Title + "\n" + it.Text) }

// article is the item as an import makes it.
func (it item) article() knowledge.Article {
	tags := strings.FieldsFunc(it.Topics, func(r rune) bool { return r == ',' || r == ' ' || r == ';' })
	if it.Product != "" {
		tags = append(tags, it.Product)
	}
	return knowledge.Article{Slug: strings.ToLower(it.ID), Title: cmp.Or(it.Title, it.ID), Symptom: cmp.Or(it.Summary, it.Title, it.ID),
		Answer: cmp.Or(it.Text, it.Title, it.ID), Tags: tags, Audience: []string{knowledge.Everyone}, Language: "en", State: knowledge.Published}
}

// open opens a file, unpacking it if its name ends in .gz.
func open(path string) (io.ReadCloser, error) {
	f, err := os.Open(path)
	if err != nil || !strings.HasSuffix(path, ".gz") {
		return f, err
	}
	z, err := gzip.NewReader(f)
	if err != nil {
		_ = f.Close()
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return struct {
		io.Reader
		io.Closer
	}{z, f}, nil
}

// lines gives each line of a file.
func lines(path string, f func(line string) error) error {
	r, err := open(path)
	if err != nil {
		return err
	}
	defer r.Close()
	sc := bufio.NewScanner(r)
	sc.Buffer(nil, 64<<20)
	for n := 1; sc.Scan(); n++ {
		if line := strings.TrimSpace(sc.Text()); line != "" {
			if err := f(line); err != nil {
				return fmt.Errorf("%s:%d: %w", path, n, err)
			}
		}
	}
	return sc.Err()
}

func readItems(path string) (all []item, err error) {
	err = lines(path, func(line string) error {
		var it item
		if err := json.Unmarshal([]byte(line), &it); err != nil {
			return err
		}
		if it.Date != "" {
			if it.at, err = time.Parse(time.DateOnly, it.Date); err != nil {
				return err
			}
		}
		all = append(all, it)
		return nil
	})
	return all, err
}

// readLinks reads lines "query 0 document grade" and keeps what is relevant:
// grade 2 and above.
func readLinks(path string) (map[string][]string, error) {
	links := map[string][]string{}
	err := lines(path, func(line string) error {
		f := strings.Fields(line)
		if len(f) != 4 {
			return fmt.Errorf("want 4 fields: question, 0, article, grade")
		}
		if f[3] >= "2" {
			links[f[0]] = append(links[f[0]], f[2])
		}
		return nil
	})
	return links, err
}

// readLabels reads lines "id<TAB>group".
func readLabels(path string) (map[string]string, error) {
	labels := map[string]string{}
	err := lines(path, func(line string) error {
		id, group, ok := strings.Cut(line, "\t")
		if !ok {
			return fmt.Errorf("want an id, a tab and a group")
		}
		labels[id] = strings.TrimSpace(group)
		return nil
	})
	return labels, err
}
