package knowledge

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
)

func plain(s string) []Span { return []Span{{Text: s}} }

func TestBlocks(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name     string
		markdown string
		want     []Block
	}{
		{"nothing", " \n\n", nil},
		{"lines of a paragraph are joined", "Turn it off.\nTurn it on.\n\nWait.", []Block{
			{Text: plain("Turn it off. Turn it on.")}, {Text: plain("Wait.")},
		}},
		{"steps count from their first number, whatever the author wrote after it", "3. three\n3. four\n\n3. five", []Block{
			{Kind: Step, Number: 3, Text: plain("three")}, {Kind: Step, Number: 4, Text: plain("four")}, {Kind: Step, Number: 5, Text: plain("five")},
		}},
		{"a step goes on in the next line", "1. Open\n   Settings\n2) Close", []Block{
			{Kind: Step, Number: 1, Text: plain("Open Settings")}, {Kind: Step, Number: 2, Text: plain("Close")},
		}},
		{"a list within a step, and the steps after it", "1. Choose\n   - red\n   - blue\n2. Press", []Block{
			{Kind: Step, Number: 1, Text: plain("Choose")},
			{Kind: Bullet, Depth: 1, Text: plain("red")}, {Kind: Bullet, Depth: 1, Text: plain("blue")},
			{Kind: Step, Number: 2, Text: plain("Press")},
		}},
		{"a paragraph and code within a step", "1. Run\n\n   this:\n\n   ```sh\n   ipconfig /all\n     more\n   ```\n2. Look", []Block{
			{Kind: Step, Number: 1, Text: plain("Run")}, {Depth: 1, Text: plain("this:")},
			{Kind: Code, Depth: 1, Text: []Span{{Text: "ipconfig /all\n  more", Code: true}}},
			{Kind: Step, Number: 2, Text: plain("Look")},
		}},
		{"a paragraph after a list is none of it", "- a\n\nafter", []Block{{Kind: Bullet, Text: plain("a")}, {Text: plain("after")}}},
		{"a year at the start of a line is no step", "It was\n2026. Then", []Block{{Text: plain("It was 2026. Then")}}},
		{"headings of both kinds", "# Before\nText\n\nAfter\n-----\n", []Block{
			{Kind: Heading, Text: plain("Before")}, {Text: plain("Text")}, {Kind: Heading, Text: plain("After")},
		}},
		{"a ruler is nothing", "a\n\n---\n\nb\n* * *", []Block{{Text: plain("a")}, {Text: plain("b")}}},
		{"a quote is its text", "> Careful\n> here", []Block{{Text: plain("Careful here")}}},
		{"a table is its rows", "| Where | What |\n|---|:--|\n| VPN | off |", []Block{{Text: plain("Where – What")}, {Text: plain("VPN – off")}}},
		{"code that nobody closed", "```\n<b>", []Block{{Kind: Code, Text: []Span{{Text: "<b>", Code: true}}}}},
		{"comments go", "a<!-- for us -->b", []Block{{Text: plain("ab")}}},
		{"Windows line ends", "a\r\n\r\n1. b\r\n", []Block{{Text: plain("a")}, {Kind: Step, Number: 1, Text: plain("b")}}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(tt.want, Blocks(tt.markdown)); diff != "" {
				t.Errorf("Blocks(%q) (-want +got):\n%s", tt.markdown, diff)
			}
		})
	}
}

func TestInline(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, text string
		want       []Span
	}{
		{"bold, italic, both", "**a** *b* __c__ _d_ ***e***", []Span{
			{Text: "a", Bold: true}, {Text: " "}, {Text: "b", Italic: true}, {Text: " "}, {Text: "c", Bold: true}, {Text: " "},
			{Text: "d", Italic: true}, {Text: " "}, {Text: "e", Bold: true, Italic: true},
		}},
		{"italic within bold", "**a *b* c**", []Span{{Text: "a ", Bold: true}, {Text: "b", Bold: true, Italic: true}, {Text: " c", Bold: true}}},
		{"marks without a partner are text", "2 * 3 ** 4 snake_case_name ~/x `", plain("2 * 3 ** 4 snake_case_name ~/x `")},
		{"nothing is read in code", "run `a **b** <c>`", []Span{{Text: "run "}, {Text: "a **b** <c>", Code: true}}},
		{"a link", "see [the **VPN** page](https://it.example/vpn \"VPN\").", []Span{
			{Text: "see "}, {Text: "the ", URL: "https://it.example/vpn"}, {Text: "VPN", Bold: true, URL: "https://it.example/vpn"},
			{Text: " page", URL: "https://it.example/vpn"}, {Text: "."},
		}},
		{"an address is a link up to the full stop", "go to https://it.example/a_b_c.", []Span{
			{Text: "go to "}, {Text: "https://it.example/a_b_c", URL: "https://it.example/a_b_c"}, {Text: "."},
		}},
		{"an address in angle brackets", "<mailto:it@example.com> <https://x.example>", []Span{
			{Text: "it@example.com", URL: "mailto:it@example.com"}, {Text: " "}, {Text: "https://x.example", URL: "https://x.example"},
		}},
		{"a link that could run something is only its text", "[here](javascript:alert(1)) [there](file:///etc)", plain("here there")},
		{"a picture is its description", "![the menu](menu.png)", plain("the menu")},
		{"what a backslash protects", `\*a\* \[b\](c) \&lt;`, plain("*a* [b](c) &lt;")},
		{"entities", "a &lt;b&gt; &amp;lt; &nbsp;c", plain("a <b> &lt; \u00a0c")},
		{"what chat platforms would run stays text", "<!channel> <@U1> @here", plain("<!channel> <@U1> @here")},
		{"a break", "a<br>b<br/>c", plain("a\nb\nc")},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(tt.want, inline(tt.text)); diff != "" {
				t.Errorf("inline(%q) (-want +got):\n%s", tt.text, diff)
			}
		})
	}
}

func TestPlain(t *testing.T) {
	t.Parallel()
	got := Plain("## Fix\n\n1. Press **Start**.\n2. Open [Settings](https://a.example).\n\n```\nping x\n```")
	if want := "Fix\nPress Start.\nOpen Settings.\nping x"; got != want {
		t.Errorf("Plain() = %q, want %q", got, want)
	}
}

// What is long and odd is read in time that grows with its length.
func TestBlocksOfPathologicalText(t *testing.T) {
	t.Parallel()
	for _, s := range []string{"*", "_", "**a ", "***", "`", "``` ", "[", "](", "[a](", "![", "<", "<!--", "*a **b ", "~~", "\\", "&", "> ", "- ", "1. ", "# ", "|", "    ", "*_", "__*a"} {
		Blocks(strings.Repeat(s, 50_000/len(s)))
	}
}

func FuzzBlocks(f *testing.F) {
	for _, s := range []string{"# a\n1. **b** `c`\n   - [d](https://e)\n```\nx\n```\n| a | b |\n", "*a **b _c", "<https://x> \\*", "\xff*\xfe*", "1. a\n\n\t2. b", "![a](b)<!--"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		for _, b := range Blocks(s) {
			if len(b.Text) == 0 {
				t.Fatalf("Blocks(%q) has an empty block", s)
			}
			if b.Kind == Step && b.Number < 0 || b.Depth < 0 {
				t.Fatalf("Blocks(%q): %+v", s, b)
			}
			for _, span := range b.Text {
				if span.Text == "" {
					t.Fatalf("Blocks(%q) has an empty span", s)
				}
				if utf8.ValidString(s) && !utf8.ValidString(span.Text) {
					t.Fatalf("Blocks(%q) breaks a character: %q", s, span.Text)
				}
				if u := span.URL; u != "" && !strings.HasPrefix(u, "http") && !strings.HasPrefix(u, "mailto:") {
					t.Fatalf("Blocks(%q) links to %q", s, u)
				}
			}
		}
	})
}
