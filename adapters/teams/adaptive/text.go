package adaptive

import (
	"net/url"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/deskhand/deskhand/bot/chat"
)

// units is the length of s in UTF-16 code units, which Teams counts in.
func units(s string) int {
	n := 0
	for _, r := range s {
		n += runeUnits(r)
	}
	return n
}

func runeUnits(r rune) int {
	if r > 0xFFFF {
		return 2
	}
	return 1
}

// clean makes text fit to be shown: valid, without control characters, and
// without chat's own marks, which flows have turned into names before.
func clean(s string) string {
	s = chat.Mentions(s, func(string) (string, bool) { return "", false })
	s = strings.ToValidUTF8(s, "\uFFFD")
	s = strings.ReplaceAll(s, "\r\n", "\n")
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\r':
			return '\n'
		case r < ' ' && r != '\n' && r != '\t' || r == '\u007F':
			return -1
		}
		return r
	}, s)
}

// oneLine is clean text without line breaks and outer blanks.
func oneLine(s string) string {
	return strings.TrimSpace(lineBreaks.Replace(clean(s)))
}

var lineBreaks = strings.NewReplacer("\n", " ", "\t", " ")

// label is a text that must not be empty.
func label(s string, limit int) string {
	if s = cut(oneLine(s), limit); s == "" {
		return "…"
	}
	return unbraced(s)
}

// cut shortens s to at most limit units, the "…" that says so among them.
func cut(s string, limit int) string {
	if len(s) <= limit || units(s) <= limit {
		return s
	}
	return strings.TrimRightFunc(head(s, limit-1), unicode.IsSpace) + "…"
}

// head is the beginning of s, at most limit units, that ends between characters
// as people see them: not before a combining mark, nor within a joined emoji.
func head(s string, limit int) string {
	n, whole := 0, 0
	joined := false
	for i, r := range s {
		if !joined && !joins(r) {
			whole = i
		}
		if n += runeUnits(r); n > limit {
			if whole == 0 {
				whole = i // one endless character: its runes must do
			}
			return s[:whole]
		}
		joined = r == zeroWidthJoiner
	}
	return s
}

const (
	zeroWidthJoiner = '\u200D'
	zeroWidthSpace  = '\u200B'
)

// joins says that r belongs to the character before it.
func joins(r rune) bool {
	return r == zeroWidthJoiner || unicode.In(r, unicode.Mn, unicode.Me, unicode.Variation_Selector) ||
		r >= 0x1F3FB && r <= 0x1F3FF // skin tones
}

// unbraced keeps "{{" from beginning a date function, which is read in every
// text of a card.
func unbraced(s string) string { return strings.ReplaceAll(s, "{{", "{\u200B{") }

// lookAlikes stand for the characters that are marks in Markdown.
var lookAlikes = strings.NewReplacer("*", "∗", "_", "ˍ", "~", "∼", "`", "ˋ")

// inert makes text that Markdown leaves as it is; start says that it begins a
// line. Teams' mobile clients know no backslash escapes, so what would begin a
// mark is swapped for a look-alike or kept apart with a space of no width:
// "snake_case" and "1 < 2" stay as they are, "*this*", "[this](link)", "<at>",
// "&amp;" and "- " at the start of a line do not.
func inert(s string, start bool) string {
	var b strings.Builder
	last := ' '
	if start {
		last = '\n'
	}
	for i, r := range s {
		rest := s[i+utf8.RuneLen(r):]
		next, _ := utf8.DecodeRuneInString(rest) // RuneError at the end, where another text may follow
		letter := next < utf8.RuneSelf && (unicode.IsLetter(next) || unicode.IsDigit(next))
		if last == '\n' && beginsBlock(r, rest) {
			b.WriteRune(zeroWidthSpace)
		}
		switch {
		case r == '*', r == '`', r == '~', r == '_' && !unicode.IsLetter(last) && !unicode.IsDigit(last):
			b.WriteString(lookAlikes.Replace(string(r)))
		case r == ']' && strings.ContainsRune("([:\uFFFD", next),
			r == '<' && (letter || strings.ContainsRune("/!?\uFFFD", next)),
			r == '&' && (letter || next == '#' || next == utf8.RuneError),
			r == '{' && (next == '{' || next == utf8.RuneError),
			r == '\\' && !letter && (next < utf8.RuneSelf || next == utf8.RuneError):
			b.WriteRune(r)
			b.WriteRune(zeroWidthSpace)
		default:
			b.WriteRune(r)
		}
		last = r
	}
	return b.String()
}

// beginsBlock says that a line that begins with r and rest could be taken for a
// list's, a heading, a quote, code, a table or a line across.
func beginsBlock(r rune, rest string) bool {
	switch {
	case strings.ContainsRune("-+#>=| \t", r):
		return true
	case r >= '0' && r <= '9':
		after := strings.TrimLeft(rest, "0123456789")
		return strings.HasPrefix(after, ".") || strings.HasPrefix(after, ")")
	}
	return false
}

// paragraphs keeps line breaks, which a TextBlock only knows as empty lines.
func paragraphs(s string) string {
	if !strings.Contains(s, "\n") {
		return s
	}
	var lines []string
	for l := range strings.SplitSeq(s, "\n") {
		if strings.TrimFunc(l, func(r rune) bool { return unicode.IsSpace(r) || r == zeroWidthSpace }) != "" {
			lines = append(lines, l)
		}
	}
	return strings.Join(lines, "\n\n")
}

// clock is a time in the reader's own zone and habit.
// See adaptivecards.io, text features: date and time functions.
func clock(t time.Time) string {
	at := t.UTC().Format(time.RFC3339)
	return "{{DATE(" + at + ",SHORT)}} {{TIME(" + at + ")}}"
}

// shown is the text of a span that can't be shown as what it is.
func shown(s chat.Span) string {
	if s.User.ID != "" {
		return "@" + name(s)
	}
	return s.Text
}

var nameEscaper = strings.NewReplacer("<", "‹", ">", "›", "&", "+", "[", "(", "]", ")")

// name is how a mentioned user is called.
func name(s chat.Span) string {
	n := nameEscaper.Replace(cut(oneLine(s.Text), maxName))
	if n = strings.TrimSpace(lookAlikes.Replace(unbraced(n))); n == "" {
		return "somebody"
	}
	return n
}

// teamsUser says that u can be mentioned in Teams: an Entra object id, or an id
// of Teams' own.
func teamsUser(u chat.User) bool {
	if u.ID == "" || len(u.ID) > 200 || u.Platform != "" && u.Platform != "teams" {
		return false
	}
	for _, c := range []byte(u.ID) {
		if (c < 'A' || c > 'Z') && (c < 'a' || c > 'z') && (c < '0' || c > '9') && !strings.ContainsRune(":-_.@", rune(c)) {
			return false
		}
	}
	return true
}

// webURL says that a link may be shown: nothing that a click could execute.
func webURL(s string) bool {
	if s == "" || len(s) > maxURL || !utf8.ValidString(s) {
		return false
	}
	u, err := url.Parse(s)
	if err != nil {
		return false
	}
	switch u.Scheme {
	case "http", "https":
		return u.Host != ""
	case "mailto":
		return u.Opaque != ""
	}
	return false
}

// linkURL is a URL as it may stand in Markdown.
func linkURL(s string) string {
	return linkEscaper.Replace(s)
}

var linkEscaper = strings.NewReplacer("(", "%28", ")", "%29", "<", "%3C", ">", "%3E", " ", "%20", "\\", "%5C", "*", "%2A", "_", "%5F", "[", "%5B", "]", "%5D")
