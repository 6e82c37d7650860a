package blockkit

import (
	"net/url"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/deskhand/deskhand/bot/chat"
)

// units is the length of s in UTF-16 code units.
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
	return strings.Map(func(r rune) rune {
		if r < ' ' && r != '\n' && r != '\t' || r == '\u007F' {
			return -1
		}
		return r
	}, s)
}

// oneLine is clean text without line breaks and outer blanks.
func oneLine(s string) string {
	return strings.TrimSpace(lineBreaks.Replace(clean(s)))
}

var lineBreaks = strings.NewReplacer("\r\n", " ", "\n", " ", "\t", " ")

// cut shortens s to at most limit units, the "…" that says so among them.
func cut(s string, limit int) string {
	if len(s) <= limit || units(s) <= limit {
		return s
	}
	head, _ := splitAt(s, limit-1)
	return strings.TrimRightFunc(head, unicode.IsSpace) + "…"
}

// splitAt splits s after at most limit units, never within a character as
// people see it: not before a combining mark, nor within a joined emoji.
func splitAt(s string, limit int) (head, tail string) {
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
			return s[:whole], s[whole:]
		}
		joined = r == zeroWidthJoiner
	}
	return s, ""
}

const zeroWidthJoiner = '\u200D'

// joins says that r belongs to the character before it.
func joins(r rune) bool {
	return r == zeroWidthJoiner || unicode.In(r, unicode.Mn, unicode.Me, unicode.Variation_Selector) ||
		r >= 0x1F3FB && r <= 0x1F3FF // skin tones
}

// splitParagraph splits s after at most limit units where a reader would: at
// the end of a paragraph, a line, a sentence or a word; only text without any
// of them is split between characters.
func splitParagraph(s string, limit int) (head, tail string) {
	head, tail = splitAt(s, limit)
	if tail == "" {
		return head, ""
	}
	for _, end := range []string{"\n\n", "\n", ". ", "? ", "! ", " "} {
		if i := strings.LastIndex(head, end); i >= len(head)/2 {
			i += len(end)
			return s[:i], s[i:]
		}
	}
	return head, tail
}

// escapeTo escapes text for Slack, shortened so that the outcome keeps to limit.
// See docs.slack.dev/messaging/formatting-message-text#escaping.
func escapeTo(s string, limit int) string {
	if e := escaper.Replace(s); units(e) <= limit {
		return e
	}
	n := 1 // the "…"
	for i, r := range s {
		u := runeUnits(r)
		switch r {
		case '&':
			u = len("&amp;")
		case '<', '>':
			u = len("&lt;")
		}
		if n += u; n > limit {
			head, _ := splitAt(s[:i], units(s[:i]))
			return escaper.Replace(head) + "…"
		}
	}
	return escaper.Replace(s)
}

var escaper = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;")

// mrkdwn writes r as Slack's mrkdwn in at most limit units. A mention, a time
// or a link is written whole or not at all.
func mrkdwn(r chat.Rich, limit int) string {
	var b strings.Builder
	n := 0
	for _, s := range r {
		room := limit - n - 1 // for a "…"
		piece, whole := mrkdwnSpan(s, room)
		b.WriteString(piece)
		n += units(piece)
		if !whole {
			b.WriteString("…")
			break
		}
	}
	return b.String()
}

// mrkdwnSpan writes one span, or as much of it as there is room for.
func mrkdwnSpan(s chat.Span, room int) (piece string, whole bool) {
	atom := ""
	switch {
	case !s.Time.IsZero():
		atom = "<!date^" + strconv.FormatInt(s.Time.Unix(), 10) + "^" + dateFormat + "|" + utc(s.Time) + ">"
	case slackUser(s.User):
		atom = "<@" + s.User.ID + ">"
	}
	if atom != "" {
		if units(atom) > room {
			return "", false
		}
		return atom, true
	}
	text := clean(shown(s))
	if text == "" {
		return "", true
	}
	if strings.TrimSpace(text) == "" {
		s = chat.Span{} // blanks carry no mark
	}
	before, after := "", ""
	if s.Link != "" && webURL(s.Link) {
		before, after = "<"+linkURL(s.Link)+"|", ">"
		text = strings.ReplaceAll(text, "|", "¦")
	}
	for _, m := range []struct {
		on   bool
		mark string
	}{{s.Bold, "*"}, {s.Italic, "_"}, {s.Strike, "~"}, {s.Code, "`"}} {
		if m.on {
			before, after = m.mark+before, after+m.mark
		}
	}
	if before != "" {
		// Blanks within a mark would undo it.
		text = lookAlikes.Replace(strings.ReplaceAll(text, "\n", " "))
		inner := strings.TrimSpace(text)
		i := strings.Index(text, inner)
		before, text, after = text[:i]+before, inner, after+text[i+len(inner):]
	} else {
		text = inert(text)
	}
	e := escapeTo(text, room-units(before)-units(after))
	if e == "" || room <= units(before)+units(after) {
		return "", false
	}
	return before + e + after, units(e) == units(escaper.Replace(text))
}

// lookAlikes stand for the characters that are marks in mrkdwn.
var lookAlikes = strings.NewReplacer("*", "∗", "_", "ˍ", "~", "∼", "`", "ˋ")

// inert swaps the characters that would begin a mark in mrkdwn: those before
// which no letter or digit stands ("snake_case" is safe, "_this_" is not), every
// backtick, and ">" at the beginning of a line.
func inert(s string) string {
	if !strings.ContainsAny(s, "*_~`>") {
		return s
	}
	var b strings.Builder
	last := '\n'
	for _, r := range s {
		switch {
		case r == '`', strings.ContainsRune("*_~", r) && !unicode.IsLetter(last) && !unicode.IsDigit(last):
			b.WriteString(lookAlikes.Replace(string(r)))
		case r == '>' && last == '\n':
			b.WriteRune('›')
		default:
			b.WriteRune(r)
		}
		last = r
	}
	return b.String()
}

// dateFormat shows "today at 15:04", or the date, in the reader's own zone and
// habit. See docs.slack.dev/messaging/formatting-message-text#date-formatting.
const dateFormat = "{date_short_pretty} at {time}"

func utc(t time.Time) string { return t.UTC().Format("2 Jan 15:04 UTC") }

// shown is the text of a span that can't be shown as what it is.
func shown(s chat.Span) string {
	if s.User.ID != "" {
		return chat.Rich{s}.Plain()
	}
	return s.Text
}

// unmarked says that r is nothing but text.
func unmarked(r chat.Rich) bool {
	for _, s := range r {
		if s != (chat.Span{Text: s.Text}) {
			return false
		}
	}
	return true
}

// slackUser says that u can be mentioned in Slack.
func slackUser(u chat.User) bool {
	if u.ID == "" || u.Platform != "" && u.Platform != "slack" {
		return false
	}
	for _, c := range []byte(u.ID) {
		if (c < 'A' || c > 'Z') && (c < '0' || c > '9') {
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

// linkURL is a URL as it may stand in mrkdwn.
func linkURL(s string) string {
	return linkEscaper.Replace(s)
}

var linkEscaper = strings.NewReplacer("&", "&amp;", "<", "%3C", ">", "%3E", "|", "%7C", " ", "%20")
