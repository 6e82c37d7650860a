package articlefile

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"regexp"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/deskhand/deskhand/core/knowledge"
)

// Export writes articles to a folder as Markdown with front matter: a file
// named by the slug for each, their pictures in images/. ReadDir and Read read
// it again.
type Export struct {
	root    *os.Root
	before  map[string]bool // files of an earlier export that are not written yet
	written []string
}

// exportList is what an export has written, so that the next one knows what
// of it is its own.
const exportList = ".deskhand-export"

// NewExport writes to a folder that is not there yet, is empty or has an
// earlier export.
func NewExport(dir string) (_ *Export, err error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, root.Close())
		}
	}()
	e := &Export{root: root, before: map[string]bool{}}
	list, err := root.ReadFile(exportList)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		files, err := fs.ReadDir(root.FS(), ".")
		if err != nil {
			return nil, err
		}
		for _, f := range files {
			if f.Name() != ".git" {
				return nil, fmt.Errorf("%s has files in it that are no earlier export; choose an empty folder", dir)
			}
		}
	case err != nil:
		return nil, err
	}
	for line := range strings.Lines(string(list)) {
		if name := strings.TrimSpace(line); fs.ValidPath(name) && name != exportList {
			e.before[name] = true
		}
	}
	if err := root.Mkdir(path.Clean(knowledge.PicturePath), 0o755); err != nil && !errors.Is(err, fs.ErrExist) {
		return nil, err
	}
	return e, nil
}

func (e *Export) write(name string, data []byte) error {
	delete(e.before, name)
	e.written = append(e.written, name)
	return e.root.WriteFile(name, data, 0o644)
}

// Picture writes a picture of an answer. The same one may come again.
func (e *Export) Picture(name string, data []byte) error {
	if !knowledge.PictureName.MatchString(name) {
		return fmt.Errorf("%q is no picture's name", name)
	}
	return e.write(knowledge.PicturePath+name, data)
}

// Article writes an article and where it came from.
func (e *Export) Article(a knowledge.Article, from []Origin) error {
	return e.write(a.Slug+".md", Markdown(a, from))
}

// Close ends the export and removes what an earlier one wrote that is no more:
// an article's file that has been renamed, a picture that nobody shows.
func (e *Export) Close() (gone int, err error) {
	for name := range e.before {
		if err := e.root.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return gone, errors.Join(err, e.root.Close())
		}
		gone++
	}
	return gone, errors.Join(e.root.WriteFile(exportList, []byte(strings.Join(e.written, "\n")+"\n"), 0o644), e.root.Close())
}

// Markdown is an article as its file.
func Markdown(a knowledge.Article, from []Origin) []byte {
	var b strings.Builder
	b.WriteString("---\n")
	line := func(key, value string) {
		if value != "" {
			b.WriteString(key + ": " + value + "\n")
		}
	}
	list := func(key string, items []string) {
		if len(items) == 0 {
			return
		}
		q := make([]string, len(items))
		for i, s := range items {
			q[i] = scalar(s)
		}
		line(key, "["+strings.Join(q, ", ")+"]")
	}
	if a.ID != 0 {
		line("id", a.ID.Ref())
	}
	line("title", scalar(a.Title))
	line("symptom", block(a.Symptom))
	line("environment", block(a.Environment))
	line("cause", block(a.Cause))
	list("audience", a.Audience)
	line("language", scalar(a.Language))
	line("owner", scalar(a.Owner))
	if !a.ReviewBy.IsZero() {
		line("review", a.ReviewBy.UTC().Format(time.DateOnly))
	}
	line("state", string(a.State))
	if a.KnownError {
		line("known_error", "true")
	}
	list("tags", a.Tags)
	var origins []string
	for _, o := range from {
		if o != (Origin{"markdown", a.Slug}) {
			origins = append(origins, o.String())
		}
	}
	list("from", origins)
	b.WriteString("---\n" + a.Answer + "\n")
	return []byte(b.String())
}

// scalar is a text in one line as YAML: in quotes, as JSON writes them.
func scalar(s string) string {
	if s == "" {
		return ""
	}
	if plain(s) {
		return s
	}
	return strconv.Quote(s)
}

// plainText is what YAML reads as the text that it is, also in a list.
var plainText = regexp.MustCompile(`^[\p{L}][\p{L}\p{N} ./()+@_'-]*$`)

func plain(s string) bool {
	return plainText.MatchString(s) && s == strings.TrimSpace(s) && !strings.EqualFold(s, "null") && utf8.ValidString(s)
}

// block is a text of several lines as YAML, readable if it can be.
func block(s string) string {
	if s = strings.TrimSpace(s); !strings.Contains(s, "\n") {
		return scalar(s)
	}
	for line := range strings.SplitSeq(s, "\n") {
		if strings.TrimSpace(line) != line || strings.ContainsFunc(line, func(c rune) bool { return !unicode.IsPrint(c) }) {
			return strconv.Quote(s)
		}
	}
	return "|\n  " + strings.ReplaceAll(s, "\n", "\n  ")
}
