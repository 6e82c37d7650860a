package articlefile

import (
	"errors"
	"io/fs"
	"strings"
	"testing"
	"testing/fstest"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/deskhand/deskhand/core/knowledge"
)

var importDay = time.Date(2026, 11, 21, 15, 4, 0, 0, time.UTC)

func dirOf(files map[string]string) fs.FS {
	m := fstest.MapFS{}
	for name, text := range files {
		m[name] = &fstest.MapFile{Data: []byte(text)}
	}
	return m
}

func TestReadDir(t *testing.T) {
	t.Parallel()
	got, err := ReadDir(dirOf(map[string]string{
		"network/vpn-drops.md": "\ufeff---\r\ntitle: \"VPN: it drops\"\r\nsymptom: |\r\n  The VPN goes every ten minutes.\r\n  I have to sign in again.\r\nenvironment: Windows 11\r\ncause: Power saving\r\n" +
			"audience: [everyone]\r\nlanguage: en-GB\r\nowner: Net@Example.com\r\nreview: 180d\r\nknown_error: true\r\ntags:\r\n  - vpn\r\n  - network\r\n---\r\n\r\n1. Open **Settings**.\r\n2. Wait.\r\n",
		"badge.md":      "---\ntitle: Lost badge\nsymptom: My badge is gone\naudience: hr\nreview: 2027-03-01\nstate: draft\n---\n",
		"README.md":     "How we write articles",
		".git/notes.md": "nothing",
		"picture.png":   "\x89PNG",
	}), importDay)
	if err != nil {
		t.Fatal(err)
	}
	want := []knowledge.Article{
		{
			Slug: "badge", Title: "Lost badge", Symptom: "My badge is gone", Audience: []string{"hr"}, Language: "en",
			ReviewBy: time.Date(2027, 3, 1, 0, 0, 0, 0, time.UTC), State: knowledge.Draft,
		},
		{
			Slug: "vpn-drops", Title: "VPN: it drops", Symptom: "The VPN goes every ten minutes.\nI have to sign in again.", Environment: "Windows 11", Cause: "Power saving",
			Audience: []string{"everyone"}, Language: "en-GB", Owner: "net@example.com", ReviewBy: time.Date(2027, 5, 20, 0, 0, 0, 0, time.UTC),
			State: knowledge.Published, KnownError: true, Tags: []string{"vpn", "network"}, Answer: "1. Open **Settings**.\n2. Wait.",
		},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("ReadDir() (-want +got):\n%s", diff)
	}
}

func TestReadDirProblems(t *testing.T) {
	t.Parallel()
	head := "---\ntitle: A\nsymptom: B\n"
	tests := []struct {
		name string
		file string // its name if it matters
		text string
		want []string // a part of each problem, in order
	}{
		{"no front matter", "", "# Title\ntext", []string{`a.md:1: it begins without front matter; begin it with a line "---"`}},
		{"an empty file", "", "", []string{"a.md:1: it begins without front matter"}},
		{"front matter without an end", "", "---\ntitle: x\n", []string{"a.md:1: its front matter does not end"}},
		{"no title", "", "---\nsymptom: x\n---\ny", []string{"a.md:1: it has no title"}},
		{"an empty title", "", "---\ntitle:\nsymptom: x\n---\ny", []string{"a.md:2: its title is empty"}},
		{"a long title", "", "---\ntitle: " + strings.Repeat("ü", 201) + "\nsymptom: x\n---\ny", []string{"a.md: its title is longer than 200 characters"}},
		{"a published article without symptom and answer", "", "---\ntitle: x\n---\n", []string{"a.md:1: it has no symptom", "a.md: it has no answer"}},
		{"unknown keys, the first nearly right", "", head + "auidence: hr\ncolour: red\n---\nC", []string{
			`a.md:4: "auidence" is not known here; do you mean audience?`, `a.md:5: "colour" is not known here; the keys are title, symptom`,
		}},
		{"a key given twice", "", head + "title: C\n---\nD", []string{"a.md:4: title is given twice"}},
		{"every value wrong, each is told", "", head + "audience: []\nlanguage: klingonish-x\nowner: Bob\nreview: soon\nstate: live\nknown_error: maybe\ntags: {a: b}\nenvironment: [a]\n---\nC", []string{
			"a.md:4: nobody could read it", "a.md:5: ", "a.md:6: \"Bob\" is no mail address", "a.md:7: \"soon\" is no date; write 2027-03-01, or 180d",
			"a.md:8: \"live\" is no state; write draft, reviewed, published, stale or retired", "a.md:9: \"maybe\" is neither true nor false",
			"a.md:10: tags is a list, such as [vpn, network]", "a.md:11: environment is one text",
		}},
		{"a colon in a text", "", "---\ntitle: VPN: drops\nsymptom: x\n---\ny", []string{`a.md:2: the front matter is not YAML`}},
		{"a list instead of keys", "", "---\n- title\n---\nx", []string{`a.md:2: this is not "key: value"`}},
		{"an audience that nobody is in", "", head + "audience: [Human Resources, hr]\n---\nC", []string{`a.md:4: "Human Resources" is no team or department`}},
		{"no days at all", "", head + "review: 0d\n---\nC", []string{`a.md:4: "0d" is no date`}},
		{"another encoding", "", head + "---\nC\ncaf\xe9", []string{"a.md:6: a character here is not UTF-8; save the file as UTF-8"}},
		{"UTF-16", "", "\xff\xfe-\x00-\x00", []string{"a.md:1: it is not plain text, or not in UTF-8"}},
		{"more than 1 MB", "", head + "---\n" + strings.Repeat("x", 1<<20), []string{"a.md: it is larger than 1 MB"}},
		{"front matter as long as an article", "", "---\ntitle: x\nsymptom: " + strings.Repeat("x", 20_000) + "\n---\ny", []string{"a.md:1: its front matter is longer than 16 kB"}},
		{"a name that is none", "VPN drops (new).md", head + "---\nC", []string{"VPN drops (new).md: a file's name is small letters, digits and hyphens, at most 100; rename it, say to vpn-drops-new.md"}},
		{"a directory without articles", "a.txt", "x", []string{"there is no .md file"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			file := tt.file
			if file == "" {
				file = "a.md"
			}
			articles, err := ReadDir(dirOf(map[string]string{file: tt.text}), importDay)
			e, ok := errors.AsType[*ImportError](err)
			if !ok || articles != nil {
				t.Fatalf("ReadDir() = %v, %v; want an *ImportError alone", articles, err)
			}
			if len(e.Problems) != len(tt.want) {
				t.Fatalf("ReadDir() has %d problems, want %d:\n%v", len(e.Problems), len(tt.want), err)
			}
			for i, want := range tt.want {
				if got := e.Problems[i].String(); !strings.HasPrefix(got, want) {
					t.Errorf("problem %d is %q, want %q …", i, got, want)
				}
			}
		})
	}
}

func TestReadDirListsEveryFile(t *testing.T) {
	t.Parallel()
	good := "---\ntitle: A\nsymptom: B\n---\nC"
	_, err := ReadDir(dirOf(map[string]string{"a/x.md": good, "b/x.md": good, "c/y.md": "nothing", "z.md": good}), importDay)
	want := "b/x.md: a/x.md has the same name; rename one of them\n" +
		`c/y.md:1: it begins without front matter; begin it with a line "---", then "title: …" and the others, then "---"`
	if err == nil || err.Error() != want {
		t.Errorf("ReadDir():\n%v\nwant\n%s", err, want)
	}
}

func FuzzParseArticle(f *testing.F) {
	for _, s := range []string{
		"---\ntitle: A\nsymptom: B\n---\nC", "---\ntitle: &a x\nsymptom: *a\n---\n", "---\ntags: [a, [b]]\n", "---\n? x\n: y\n---\n", "---\n<<: {title: x}\n---\n",
		"---\ntitle: >\n  a\n  b\nreview: 12d\n---\n", "---\n{title: x, symptom: y}\n---\nz", "---\ntitle: !!str 1\n---\n", "---\n[[[[\n---\n", "---\ntitle: \"\\u0000\"\nsymptom: x\n---\ny",
	} {
		f.Add("vpn.md", []byte(s))
	}
	f.Fuzz(func(t *testing.T, file string, text []byte) {
		if len(text) > largestArticle {
			return // ReadDir refuses it
		}
		a, problems := ParseArticle(file, text, importDay)
		for _, p := range problems {
			if p.Text == "" || p.Line < 0 || p.Line > 2+strings.Count(string(text), "\n") {
				t.Fatalf("ParseArticle(%q) complains of line %d: %q", text, p.Line, p.Text)
			}
		}
		if len(problems) > 0 {
			return
		}
		if p := a.Problems(); len(p) > 0 {
			t.Fatalf("ParseArticle(%q) lets through %v", text, p)
		}
		for _, s := range append(append([]string{a.Title, a.Symptom, a.Answer, a.Owner, a.Environment, a.Cause, a.Slug}, a.Tags...), a.Audience...) {
			if !utf8.ValidString(s) || strings.ContainsRune(s, 0) {
				t.Fatalf("ParseArticle(%q) lets %q through, which Postgres does not keep", text, s)
			}
		}
	})
}

// What can't be taken is told in words, with its file and line, and keeps
// nothing else out.
func TestBadArticlesKeepNoOthersOut(t *testing.T) {
	t.Parallel()
	const head = "---\ntitle: A\nsymptom: B\n---\n"
	b := read(t, dirOf(map[string]string{
		"good.md":     "---\ntitle: Good\nsymptom: It hums.\n---\n1. Turn it off.",
		"nameless.md": "---\nsymptom: B\n---\nC",
		"large.md":    head + strings.Repeat("five megabytes ", 5<<20/15),
		"latin.md":    head + "one\ntwo caf\xe9",
		"utf16.md":    "\xff\xfe-\x00-\x00-\x00\n\x00",
		"picture.md":  "\x89PNG\r\n\x1a\n\x00\x00",
		"script.md":   "---\ntitle: Scripts\nsymptom: B\n---\n<script>alert(1)</script>\n\n[press](javascript:alert(1)) <img src=x onerror=alert(2)>",
	}), Options{})
	if len(b.Articles) != 4 || b.bySlug(t, "good").Answer != "1. Turn it off." || b.bySlug(t, "latin").Answer != "one\ntwo café" || b.bySlug(t, "nameless").Title == "" {
		t.Errorf("%d articles came in: %+v", len(b.Articles), b.Articles)
	}
	for _, block := range knowledge.Blocks(b.bySlug(t, "script").Answer) {
		for _, s := range block.Text {
			if s.URL != "" || s.Picture != "" {
				t.Errorf("a script is a link: %+v", s)
			}
		}
	}
	wantProblems(t, b,
		`0 large.md: it is longer than 1 MB; split it`,
		`0 picture.md:3: it is not plain text, or not in UTF-8; save it as UTF-8`,
		`0 utf16.md:1: its front matter does not end`, // it is read all the same
		`1 script.md:7: a link that begins with javascript: leads nowhere from chat`)
}
