package articlefile

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"image"
	"image/png"
	"io/fs"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"github.com/deskhand/deskhand/core/knowledge"
)

// dot is a picture of n by one dots.
func dot(n int) string {
	var b bytes.Buffer
	_ = png.Encode(&b, image.NewGray(image.Rect(0, 0, n, 1)))
	return b.String()
}

func read(t *testing.T, dir fs.FS, o Options) *Batch {
	t.Helper()
	o.Today = importDay
	b, err := Read(dir, o)
	if err != nil {
		t.Fatalf("Read(): %v", err)
	}
	return b
}

// bySlug finds an article, which must be there.
func (b *Batch) bySlug(t *testing.T, slug string) Article {
	t.Helper()
	i := slices.IndexFunc(b.Articles, func(a Article) bool { return a.Slug == slug })
	if i < 0 {
		var all []string
		for _, a := range b.Articles {
			all = append(all, a.Slug)
		}
		t.Fatalf("no article %q among %q; problems:\n%v", slug, all, b.Problems)
	}
	return b.Articles[i]
}

// wantProblems compares problems with beginnings of them, in any order.
func wantProblems(t *testing.T, b *Batch, want ...string) {
	t.Helper()
	var got []string
	for _, p := range b.Problems {
		got = append(got, fmt.Sprintf("%d %s", p.Kind, p))
	}
	slices.Sort(got)
	slices.Sort(want)
	if len(got) != len(want) {
		t.Errorf("%d problems, want %d:\n%s", len(got), len(want), strings.Join(got, "\n"))
		return
	}
	for i := range want {
		if !strings.HasPrefix(got[i], want[i]) {
			t.Errorf("problem %q, want %q …", got[i], want[i])
		}
	}
}

func TestReadsAMarkdownCheckout(t *testing.T) {
	t.Parallel()
	b := read(t, dirOf(map[string]string{
		"vpn/VPN Drops.md":  "# The VPN *drops*\n\nSee [the other](../wifi.md#top), [gone](gone.md),\n`[code](gone.md)` and ![The window](../img/window.png).\n\n```\n[in code](gone.md)\n```\n\n[Up](/wifi) [out](https://example.com/a_(b)) ![no](missing.png)",
		"wifi.md":           "---\ntitle: Wi-Fi\nsymptom: no Wi-Fi\nlayout: page\nweight: 3\ntags: [wifi]\n---\nText.",
		"a/index.md":        "Just a text.",
		"b/index.md":        "# Index of b\n\nMore text.",
		"typo.md":           "---\ntitle: Pay\nauidence: hr\n---\nSecret.",
		"img/window.png":    dot(1),
		"README.md":         "Nothing.",
		".github/issues.md": "Nothing.",
		"node_modules/x.md": "Nothing.",
	}), Options{})
	if b.Format != "markdown" || len(b.Articles) != 4 {
		t.Errorf("read %d articles of %s, want 4 of markdown", len(b.Articles), b.Format)
	}
	a := b.bySlug(t, "vpn-drops")
	if len(a.Pictures) != 1 {
		t.Fatalf("the article has %d pictures, want 1", len(a.Pictures))
	}
	want := "See [the other](wifi.md), gone,\n`[code](gone.md)` and ![The window](images/" + a.Pictures[0].Name + ").\n\n```\n[in code](gone.md)\n```\n\n[Up](wifi.md) [out](https://example.com/a_%28b%29) no"
	if diff := cmp.Diff(want, a.Answer); diff != "" {
		t.Errorf("the answer (-want +got):\n%s", diff)
	}
	if a.Title != "The VPN drops" || a.Symptom != a.Title || !slices.Equal(a.Audience, []string{"everyone"}) || a.Origin != (Origin{"markdown", "vpn-drops"}) {
		t.Errorf("the article is %+v", a)
	}
	if w := b.bySlug(t, "wifi"); w.Symptom != "no Wi-Fi" || w.Title != "Wi-Fi" {
		t.Errorf("front matter of another program: %+v", w)
	}
	if a := b.bySlug(t, "a-index"); a.Title != "a" {
		t.Errorf("a text without a heading is called %q", a.Title)
	}
	b.bySlug(t, "b-index")
	wantProblems(t, b,
		`0 typo.md:3: "auidence" is not known here; do you mean audience?`,
		`1 vpn/VPN Drops.md:3: the link to "gone.md" leads nowhere`,
		`2 vpn/VPN Drops.md:10: the picture "missing.png" is not there`)
}

func TestReadsHTML(t *testing.T) {
	t.Parallel()
	inline := "data:image/png;base64," + base64.StdEncoding.EncodeToString([]byte(dot(2)))
	b := read(t, dirOf(map[string]string{
		"a.html": `<!doctype html><html lang="de"><head><title>Site – Drucker</title><style>p{}</style></head><body><nav>Menu</nav><main><h1>Der Drucker druckt nicht</h1>
			<p onclick="steal()">Ein <b>fetter</b> Text<script>alert(1)</script> &lt;script&gt;.</p><ol start="2"><li>eins<li>zwei</ol>
			<a href="javascript:alert(1)">klick</a> <a href="sub/b.html?x#y">B</a> <a href="missing.html">weg</a> <a href="data.xlsx">Datei</a><img src="` + inline + `" alt="Schalter"><img src="https://cdn.example.com/far.png" alt="fern">
			<table><tr><th>Art</th><th>Wert</th></tr><tr><td>a</td><td>1</td></tr></table><iframe src="https://evil.example"></iframe><div style="display: none">hidden</div></main></body></html>`,
		"sub/b.html":  "<title>Caf\xe9</title><body><p>caf\xe9 <svg><script>x</script></svg></p>",
		"none.html":   "<p>No title at all",
		"empty.html":  "<title>Empty</title><script>alert(1)</script>",
		"big.html":    "<title>Big</title>" + strings.Repeat("<p>"+strings.Repeat("word ", 200), 1200),
		"huge.html":   "<title>Huge</title>" + strings.Repeat("x", largestBody),
		"span.html":   `<title>Wide</title><table><tr><td>1<td colspan="99999" rowspan="99999">2</table>`,
		"many.html":   "<title>Brackets</title>" + strings.Repeat("[", 200_000),
		"nested.html": "<title>Deep</title>" + strings.Repeat("<div>", 100_000),
		"data.xlsx":   "PK",
	}), Options{})
	a := b.bySlug(t, "der-drucker-druckt-nicht")
	if len(a.Pictures) != 1 {
		t.Fatalf("the article has %d pictures, want 1", len(a.Pictures))
	}
	want := "Ein **fetter** Text &lt;script&gt;.\n\n2. eins\n3. zwei\n\nklick [B](cafe.md) weg Datei![Schalter](images/" + a.Pictures[0].Name + ")fern\n\n| Art | Wert |\n|-----|------|\n| a   | 1    |"
	if diff := cmp.Diff(want, a.Answer); diff != "" {
		t.Errorf("the answer (-want +got):\n%s", diff)
	}
	if a.Language != "de" {
		t.Errorf("its language is %q", a.Language)
	}
	if c := b.bySlug(t, "cafe"); c.Answer != "café" {
		t.Errorf("text in windows-1252 is read as %q", c.Answer)
	}
	wantProblems(t, b,
		`0 big.html “Big”: it is longer than 1 MB; split it`,
		`0 empty.html “Empty”: it says nothing`,
		`0 huge.html: it is larger than 16 MB`,
		`0 many.html “Brackets”: it has too many brackets`,
		`0 nested.html: its HTML is nested too deep`,
		`0 none.html: it has no title`,
		`1 a.html “Der Drucker druckt nicht”: a link that begins with javascript: leads nowhere from chat`,
		`1 a.html “Der Drucker druckt nicht”: the link to "missing.html" leads nowhere`,
		`2 a.html “Der Drucker druckt nicht”: the picture https://cdn.example.com/far.png is not among the files`,
		`3 a.html “Der Drucker druckt nicht”: the file "data.xlsx" that it links to does not come along`)
}

func TestReadsTables(t *testing.T) {
	t.Parallel()
	utf16 := func(s string) string {
		out := []byte{0xff, 0xfe}
		for _, c := range s {
			out = append(out, byte(c), byte(c>>8))
		}
		return string(out)
	}
	b := read(t, dirOf(map[string]string{
		"kb.csv": "\ufeffNumber;Short description;Text;Workflow state;Valid to;Can Read;Keywords;Author\r\n" +
			"KB001;VPN drops;\"<p>Turn it <b>off</b>; then on.</p>\nSecond line\";Published;2027-03-01;;vpn, network;Ana <Ana@Example.com>\r\n" +
			"KB002;Pay rise;Ask <hr>;published;;hr-staff;;\r\n" +
			"KB003;;no title;;;;;\r\n" +
			"KB004;Odd;Text;limbo;soon;Everyone;;\r\n" +
			"KB001;Again;Text;;;;;\r\n;;;;;;;\r\n",
		"unicode.tsv": utf16("Titel\tAntwort\nÜber uns\tEin Text für alle.\n"),
		"broken.csv":  "a,b\n1,2\n",
	}), Options{Audience: map[string][]string{"hr-staff": {"hr"}}})
	a := b.bySlug(t, "vpn-drops")
	want := knowledge.Article{Slug: "vpn-drops", Title: "VPN drops", Symptom: "VPN drops", Answer: "Turn it **off**; then on.\n\nSecond line", Audience: []string{"everyone"},
		Language: "en", Tags: []string{"vpn", "network"}, Owner: "ana@example.com", ReviewBy: dayOf("2027-03-01"), State: knowledge.Published}
	if diff := cmp.Diff(want, a.Article); diff != "" {
		t.Errorf("the article (-want +got):\n%s", diff)
	}
	if a.Origin != (Origin{"csv:kb", "KB001"}) || a.Line != 2 {
		t.Errorf("it is %v of line %d", a.Origin, a.Line)
	}
	if a := b.bySlug(t, "pay-rise"); !slices.Equal(a.Audience, []string{"hr"}) {
		t.Errorf("what is for hr-staff is for %v", a.Audience)
	}
	if a := b.bySlug(t, "odd"); a.State != knowledge.Draft || !slices.Equal(a.Audience, []string{"everyone"}) {
		t.Errorf("an odd row is %+v", a)
	}
	if a := b.bySlug(t, "uber-uns"); a.Answer != "Ein Text für alle." {
		t.Errorf("UTF-16 is read as %q", a.Answer)
	}
	wantProblems(t, b,
		"0 broken.csv: its first line has to name its columns",
		"0 kb.csv:5: it has no title",
		"0 kb.csv:7 “Again”: it has the same key as kb.csv",
		"3 kb.csv:6 “Odd”: \"limbo\" is no state known here, so it is a draft",
		"3 kb.csv:6 “Odd”: \"soon\" is no date")
}

func TestReadsHelpDesks(t *testing.T) {
	t.Parallel()
	b := read(t, dirOf(map[string]string{
		"articles.json": `{"count":4,"next_page":null,"articles":[
			{"id":360001,"title":"Reset","body":"<p>See <a href=\"https://acme.zendesk.com/hc/en-us/articles/360002-Pay\">pay</a> <img src=\"https://acme.zendesk.com/hc/article_attachments/9/shot.png\"></p>","locale":"en-us","draft":false,"user_segment_id":null,"label_names":["login"],
			 "translations":[{"id":5,"locale":"en-us","title":"Reset","body":"<p>x</p>"},{"id":6,"locale":"de","title":"Zurücksetzen","body":"<p>So geht es.</p>"}]},
			{"id":360002,"title":"Pay","body":"<p>Secret</p>","locale":"en-us","user_segment_id":77},
			{"id":9007199254740993,"title":"","body":"<p>x</p>","locale":"en-us","user_segment_id":null},
			{"id":360004,"title":"Half","body":"<p>Not done</p>","locale":"en-us","draft":true,"user_segment_id":78}],
			"user_segments":[{"id":77,"name":"HR people"}],"sections":[{"id":1,"name":"General","description":"About"}]}`,
		"article_attachments/shot.png": dot(3),
		"fresh.json": `{"category":{"id":3,"folders":[{"id":4,"visibility":3,"articles":[{"id":18000063600,"title":"For agents","description":"<p>Work</p>","status":2,"article_type":2,"tags":["a"],"seo_data":{"meta_keywords":"b, c"},"review_date":"2027-03-29T16:44:26Z"}]}]},
			"articles":[{"id":18000063601,"title":"Draft","description":"<p>Later</p>","status":1,"folder_visibility":1},{"id":18000063602,"title":"Few","description":"<p>x</p>","status":2,"folder_visibility":4,"folder_department_ids":[7]}]}`,
		"bad.json":     "{\n\"articles\": [{\"id\": 1,\n",
		"package.json": `{"name":"x"}`,
	}), Options{Audience: map[string][]string{"HR people": {"hr"}, "agents": {"it"}}})
	a := b.bySlug(t, "reset")
	if want := "See [pay](pay.md) ![Picture](images/" + a.Pictures[0].Name + ")"; a.Answer != want || a.Origin != (Origin{"zendesk", "360001"}) || a.Language != "en-US" || !slices.Equal(a.Tags, []string{"login"}) {
		t.Errorf("the article is %+v, want the answer %q", a, want)
	}
	if de := b.bySlug(t, "zurucksetzen"); de.Language != "de" || de.Key != "360001/de" {
		t.Errorf("its translation is %+v", de)
	}
	if p := b.bySlug(t, "pay"); !slices.Equal(p.Audience, []string{"hr"}) {
		t.Errorf("what is for a segment is for %v", p.Audience)
	}
	f := b.bySlug(t, "for-agents")
	if !slices.Equal(f.Audience, []string{"it"}) || !f.KnownError || !slices.Equal(f.Tags, []string{"a", "b", "c"}) || !f.ReviewBy.Equal(dayOf("2027-03-29")) || f.Origin != (Origin{"freshservice", "18000063600"}) {
		t.Errorf("the article of a folder for agents is %+v", f)
	}
	if d := b.bySlug(t, "draft"); d.State != knowledge.Draft {
		t.Errorf("a draft is %+v", d)
	}
	wantProblems(t, b,
		"0 articles.json “Half”: only “segment:78” may read it; say who that is here with --audience",
		"0 articles.json: the article 9007199254740993 has no title",
		"0 bad.json:2: it is no JSON from here on",
		"0 fresh.json “Few”: only “folder_department:7” may read it")
}

func TestWhatDoesNotSayWhoMayReadItNeedsAWord(t *testing.T) {
	t.Parallel()
	dir := fstest.MapFS{"a.json": {Data: []byte(`[{"id":1,"title":"A","body":"<p>text</p>","locale":"en"}]`)}}
	if _, err := Read(dir, Options{}); err == nil || !strings.Contains(err.Error(), "--for") {
		t.Errorf("Read() without a word = %v, want to be asked who may read it", err)
	}
	if a := read(t, dir, Options{For: []string{"it"}}).bySlug(t, "a"); !slices.Equal(a.Audience, []string{"it"}) {
		t.Errorf("with --for it the article is for %v", a.Audience)
	}
}
