package teams

import (
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/infracloudio/msbotbuilder-go/schema"
	"pgregory.net/rapid"

	"github.com/deskhand/deskhand/bot/chat"
)

func mentionOf(id, name string) entity {
	e := entity{Type: "mention", Text: "<at>" + name + "</at>"}
	e.Mentioned.ID, e.Mentioned.Name = id, name
	return e
}

func TestReadHTML(t *testing.T) {
	t.Parallel()
	ben := chat.Mention("oid-ben")
	entities := []entity{mentionOf("28:desk", "Desk Bot"), mentionOf("29:ben", "Ben Ode"), mentionOf("29:stranger", "Zoe"), mentionOf("19:team", "IT")}
	who := func(id string) string {
		if id == "29:ben" {
			return "oid-ben"
		}
		return ""
	}
	at := func(n, name string) string {
		return `<span itemscope itemtype="http://schema.skype.com/Mention" itemid="` + n + `">` + name + `</span>`
	}
	tests := []struct {
		name, html, want string
		mentioned        bool
		quoted           string
	}{
		{name: "a paragraph", html: "<p>no sound</p>", want: "no sound"},
		{name: "marks", html: "<div><div>so <strong>bold</strong>-<em>italic</em> it is.</div>\n</div>", want: "so bold-italic it is."},
		{name: "lines", html: "<p>one</p>\n<p>two<br>three</p>", want: "one\ntwo\nthree"},
		{name: "blanks that stay", html: "<p>a&nbsp;b   c</p>", want: "a b c"},
		{name: "escapes", html: "<p>1 &lt; 2 &amp;&amp; 3 &gt; 2</p>", want: "1 < 2 && 3 > 2"},
		{name: "a list", html: "<ul><li>one</li><li><p>two</p></li></ul>", want: "- one\n- two"},
		{name: "code keeps its blanks", html: "<pre>a  b\n  c</pre>", want: "a  b\n  c"},
		{name: "a link that says where it leads", html: `<a href="https://desk.example/x">https://desk.example/x</a>`, want: "https://desk.example/x"},
		{name: "a link that does not", html: `see <a href="https://desk.example/x">the guide</a>.`, want: "see the guide (https://desk.example/x)."},
		{name: "a link that runs", html: `<a href="javascript:alert(1)">press</a>`, want: "press"},
		{name: "a script", html: `<script>alert("<p>")</script><style>p{}</style>safe`, want: "safe"},
		{name: "a smile", html: `thanks <img alt="🙂" itemtype="http://schema.skype.com/Emoji" src="x"> and <emoji alt="👍" title="Yes"></emoji>`, want: "thanks 🙂 and 👍"},
		{name: "a picture", html: `look <img src="https://smba.example/v3/attachments/1" alt="image">`, want: "look"},
		{name: "a file", html: `here <attachment id="x">never shown</attachment>`, want: "here"},
		{name: "the desk is called", html: "<p>" + at("0", "Desk Bot") + "&nbsp;help me</p>", want: "help me", mentioned: true},
		{name: "the desk in the middle", html: "hey " + at("0", "Desk Bot") + " help", want: "hey help", mentioned: true},
		{name: "somebody known", html: "ask " + at("1", "Ben Ode") + ", please", want: "ask " + ben + ", please"},
		{name: "somebody known, by name alone", html: "ask <at>Ben Ode</at>, please", want: "ask " + ben + ", please"},
		{name: "somebody unknown", html: "ask " + at("2", "Zoe"), want: "ask @Zoe"},
		{name: "a team", html: "ask " + at("3", "IT"), want: "ask @IT"},
		{name: "a mention of nobody", html: "ask " + at("9", "Nobody"), want: "ask Nobody"},
		{name: "a quote", html: "<blockquote itemscope itemtype=\"http://schema.skype.com/Reply\" itemid=\"1795227410023\">\r\n<strong>Desk</strong><p itemprop=\"preview\">old words</p>\r\n</blockquote>\r\n<p>that one</p>",
			want: "that one", quoted: "1795227410023"},
		{name: "somebody else's words, typed as a quote", html: "<blockquote><p>it broke</p></blockquote><p>so he said</p>", want: "it broke\nso he said"},
		{name: "a quote within a quote", html: `<blockquote itemtype="x/Reply" itemid="1"><blockquote>a</blockquote>b</blockquote>c`, want: "c", quoted: "1"},
		{name: "a lone bracket", html: "1 < 2 and <", want: "1 < 2 and <"},
		{name: "a tag without an end", html: `a <b href="`, want: `a <b href="`},
		{name: "a comment", html: "a<!-- <p>b</p> -->c", want: "ac"},
		{name: "marks of a mention, typed", html: "\uE000U1\uE001 and &#xE000;U2&#xE001;", want: "U1 and U2"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			act := &activity{Entities: entities}
			act.Recipient.ID = "28:desk"
			act.Attachments = []schema.Attachment{{ContentType: "text/html", Content: tt.html}}
			act.Text = "something else"
			got := readText(act, who)
			if got.text != tt.want || got.mentioned != tt.mentioned || got.quoted != tt.quoted {
				t.Errorf("readText(%s)\n got %q, %v, %q\nwant %q, %v, %q", tt.html, got.text, got.mentioned, got.quoted, tt.want, tt.mentioned, tt.quoted)
			}
		})
	}
}

func TestReadPlainText(t *testing.T) {
	t.Parallel()
	entities := []entity{mentionOf("28:desk", "Desk Bot")}
	for in, want := range map[string]string{
		"<at>Desk Bot</at> following up": "following up",
		"hey <at>Desk Bot</at> help":     "hey help",
		"help <at>Desk Bot</at>":         "help",
		"a < b, &lt; and <b>":            "a < b, &lt; and <b>",
		"one\r\ntwo":                     "one\ntwo",
		"<at>Somebody</at>?":             "Somebody?",
		"<at":                            "<at",
		"<at>Desk Bot":                   "<at>Desk Bot",
	} {
		act := &activity{Entities: entities}
		act.Recipient.ID, act.Text = "28:desk", in
		if got := readText(act, nil); got.text != want {
			t.Errorf("readText(%q) = %q, want %q", in, got.text, want)
		}
	}
}

// Whatever is in a message becomes text without marks of our own, and in a time
// that its length is worth.
func TestAnyHTML(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		parts := rapid.SliceOfN(rapid.SampledFrom([]string{"<", ">", "</", "<p>", "</p>", "<a href='", "'", "\"", "<at>", "</at>", "<span itemtype=\"x/Mention\">", "</span>",
			"<blockquote itemtype=\"x/Reply\">", "</blockquote>", "<pre>", "</pre>", "&nbsp;", "&#xE000;", "\uE000", "<!--", "-->", "<script>", "x", " ", "ü", "\xff", "=", "/"}), 0, 40).Draw(t, "html")
		act := &activity{}
		act.Attachments = []schema.Attachment{{ContentType: "text/html", Content: strings.Join(parts, "")}}
		got := readText(act, nil).text
		if strings.ContainsAny(got, "\uE000\uE001") || utf8.ValidString(strings.Join(parts, "")) && !utf8.ValidString(got) {
			t.Fatalf("%q became %q", parts, got)
		}
	})
	for _, worst := range []string{"<a ", "<a b='", "<at>", "<span itemtype=x/Mention>", "<!--", "<blockquote itemtype=x/Reply>", "<pre><", "&", "<a href=x>", `<a b="x>y" `, "<a b='>", "<a c "} {
		body := strings.Repeat(worst, (200<<10)/len(worst))
		act := &activity{}
		act.Attachments = []schema.Attachment{{ContentType: "text/html", Content: body}}
		start := time.Now()
		readText(act, nil)
		if took := time.Since(start); took > 2*time.Second {
			t.Errorf("200 KB of %q take %s", worst, took)
		}
	}
}

func TestReactions(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"like": "+1", "heart": "heart", "laugh": "joy", "surprised": "open_mouth", "sad": "cry", "angry": "rage",
		"1f3ab_ticket": "ticket", "2705_whiteheavycheckmark": "white_check_mark", "1f440_eyes": "eyes", "Like": "+1", "": "",
		strings.Repeat("x", 1000): "",
	} {
		if got := emoji(in); got != want {
			t.Errorf("emoji(%q) = %q, want %q", in, got, want)
		}
	}
}
