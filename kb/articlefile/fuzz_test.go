package articlefile

import (
	"strings"
	"testing"
	"testing/fstest"
	"time"
	"unicode/utf8"

	"pgregory.net/rapid"

	"github.com/deskhand/deskhand/core/knowledge"
)

// Whatever a file holds, what comes of it is an article that can be stored and
// shown, or a problem in words.
func FuzzRead(f *testing.F) {
	names := []string{"a.md", "a.html", "a.csv", "a.json", "entities.xml", "VPN_1.html"}
	for i, seed := range []string{
		"# A\n\n[b](c.md) ![d](e.png) `[x](y)`", "<title>A</title><p>b<script>c</script><a href='java\tscript:x'>d</a><img src=data:image/png;base64,AAAA><table><tr><td>1<td colspan=9999>2</table>",
		"id;title;body\n1;A;<p>b</p>\n", `{"articles":[{"id":1,"title":"A","body":"<p>b</p>","user_segment_id":null}]}`,
		dump("Space 1 key=IT", "SpacePermission 2 space>1|type=VIEWSPACE", "Page 3 title=A|space>1", body("3", `<ac:structured-macro ac:name="code"><ac:plain-text-body><![CDATA[x]]></ac:plain-text-body></ac:structured-macro><ac:link><ri:page ri:content-title="B"/></ac:link>`)),
		`<div id="title-text">S : A</div><div id="main-content"><p>b</p></div>`,
	} {
		f.Add(byte(i), []byte(seed))
	}
	f.Add(byte(1), []byte(strings.Repeat("<b><i>", 300)+"x"))
	f.Add(byte(1), []byte("<title>&lt;script&gt;</title><pre>```\n&lt;script&gt;</pre>"))
	f.Fuzz(func(t *testing.T, kind byte, data []byte) {
		if len(data) > 64<<10 {
			return
		}
		dir := fstest.MapFS{names[int(kind)%len(names)]: {Data: data}}
		if int(kind)%len(names) == 5 {
			dir["index.html"] = &fstest.MapFile{Data: []byte("Space Details")}
		}
		b, err := Read(dir, Options{Today: importDay, For: []string{"it"}})
		if err != nil {
			if err.Error() == "" || b != nil {
				t.Fatalf("Read() = %v, %v", b, err)
			}
			return
		}
		for _, p := range b.Problems {
			if p.Text == "" || p.Line < 0 || p.Line > 3+strings.Count(string(data), "\n")+strings.Count(string(data), "\r") {
				t.Fatalf("a problem of %q: %+v", data, p)
			}
		}
		for _, a := range b.Articles {
			if found := a.Problems(); len(found) > 0 || !slugPattern.MatchString(a.Slug) || len(a.Slug) > longestSlug || a.Source == "" || a.Key == "" {
				t.Fatalf("lets through %+v: %v", a, found)
			}
			for _, s := range append(append([]string{a.Title, a.Symptom, a.Environment, a.Cause, a.Owner, a.Answer, a.Slug, a.Key, a.Language}, a.Tags...), a.Audience...) {
				if !utf8.ValidString(s) || strings.ContainsRune(s, 0) {
					t.Fatalf("lets %q through, which Postgres does not keep", s)
				}
			}
			for _, block := range knowledge.Blocks(a.Answer) {
				for _, s := range block.Text {
					if u := s.URL; u != "" && !strings.HasPrefix(u, "http://") && !strings.HasPrefix(u, "https://") && !strings.HasPrefix(u, "mailto:") {
						t.Fatalf("a link to %q", u)
					}
				}
			}
			for _, name := range knowledge.Pictures(a.Answer) {
				if a.Source == "markdown" || a.Source == "csv:a" {
					break // who writes Markdown may name what is not there
				}
				found := false
				for _, p := range a.Pictures {
					found = found || p.Name == name
				}
				if !found {
					t.Fatalf("the answer shows %s, which is not among its pictures", name)
				}
			}
		}
	})
}

// What is written as a file is read as it was.
func TestAnExportedArticleIsTheSame(t *testing.T) {
	t.Parallel()
	word := rapid.StringOf(rapid.OneOf(rapid.SampledFrom([]rune("ab-:#'\"\\|>&*!%@`{}[],?~ \n\t\u00a0\u2028ü😀\x01\x7f")), rapid.Rune()))
	text := rapid.Custom(func(t *rapid.T) string { return strings.TrimSpace(storable(word.Draw(t, "text"))) })
	line := rapid.Custom(func(t *rapid.T) string { return oneLine(text.Draw(t, "line")) })
	rapid.Check(t, func(t *rapid.T) {
		var tags []string
		for _, s := range rapid.SliceOfNDistinct(line, 0, 3, rapid.ID[string]).Draw(t, "tags") {
			if s != "" {
				tags = append(tags, s)
			}
		}
		a := knowledge.Article{
			ID: knowledge.ArticleID(rapid.Int64Range(0, 1<<40).Draw(t, "id")), Slug: "slug", Title: shorten("T"+line.Draw(t, "title"), 200), Symptom: "S" + text.Draw(t, "symptom"),
			Environment: text.Draw(t, "environment"), Cause: text.Draw(t, "cause"), Answer: strings.TrimSpace("A" + text.Draw(t, "answer")), Audience: []string{"hr", "it"}, Language: "pt-BR", Tags: tags,
			State: rapid.SampledFrom(knowledge.States).Draw(t, "state"), KnownError: rapid.Bool().Draw(t, "known"),
		}
		if rapid.Bool().Draw(t, "review") {
			a.ReviewBy = time.Date(2027, 3, 1, 0, 0, 0, 0, time.UTC)
		}
		from := []Origin{{"confluence:IT", "100"}, {"zendesk", "360001/de"}}
		written := Markdown(a, from)
		in := newArticleReader("slug.md", importDay)
		in.foreign = true
		in.slug()
		in.read(string(written))
		if len(in.problems) > 0 {
			t.Fatalf("%s\nis read with problems: %v", written, in.problems)
		}
		got := in.article
		if !got.Says(a) || got.ID != a.ID || got.Slug != a.Slug || len(in.also) != 2 || in.also[1] != from[1] {
			t.Fatalf("%s\nis read as %+v from %v, want %+v", written, got, in.also, a)
		}
	})
}
