package chat

import (
	"strings"
	"time"
)

// Span is a piece of the desk's own text with at most a few marks. Exactly one
// of Text, User and Time says what is shown.
type Span struct {
	Text   string    `json:"s,omitempty"`
	Bold   bool      `json:"b,omitempty"`
	Italic bool      `json:"i,omitempty"`
	Code   bool      `json:"code,omitempty"`
	Strike bool      `json:"x,omitempty"`
	Link   string    `json:"link,omitempty"` // URL behind Text
	User   User      `json:"u,omitzero"`     // shown as a mention, which notifies; Text is the name in the fall-back
	Time   time.Time `json:"at,omitzero"`    // shown in the reader's own zone, with the weekday or date if not today
}

// Rich is a line or a paragraph.
type Rich []Span

// T is plain text.
func T(s string) Rich { return Rich{{Text: s}} }

// B is text in bold.
func B(s string) Rich { return Rich{{Text: s, Bold: true}} }

// Join puts the parts one behind the other.
func Join(parts ...Rich) Rich {
	var all Rich
	for _, p := range parts {
		all = append(all, p...)
	}
	return all
}

// Plain is the text without marks; times as UTC, for fall-backs and logs.
func (r Rich) Plain() string {
	var b strings.Builder
	for _, s := range r {
		switch {
		case !s.Time.IsZero():
			b.WriteString(s.Time.UTC().Format("2 Jan 15:04 UTC"))
		case s.User.ID != "" && s.Text == "":
			b.WriteString("@" + s.User.ID)
		case s.User.ID != "":
			b.WriteString("@" + s.Text)
		default:
			b.WriteString(s.Text)
		}
	}
	return b.String()
}

// Mentions inside plain text are an id between two private-use characters,
// which no keyboard types; adapters strip both characters from what they read.
const (
	mentionOpen  = '\uE000'
	mentionClose = '\uE001'
)

// Mention is how the mention of a user stands in an Event's Text.
func Mention(id string) string { return string(mentionOpen) + id + string(mentionClose) }

// StripMarks removes the characters that Mention uses.
func StripMarks(s string) string {
	if !strings.ContainsAny(s, string(mentionOpen)+string(mentionClose)) {
		return s
	}
	return strings.Map(func(r rune) rune {
		if r == mentionOpen || r == mentionClose {
			return -1
		}
		return r
	}, s)
}

// Mentions is text with each mention as "@" and the name that name gives for
// the id; it says false for one it does not know.
func Mentions(text string, name func(id string) (string, bool)) string {
	if !strings.ContainsRune(text, mentionOpen) {
		return text
	}
	var b strings.Builder
	for _, s := range MentionSpans(text, func(id string) Span {
		if n, ok := name(id); ok {
			return Span{Text: "@" + n}
		}
		return Span{Text: "@someone"}
	}) {
		b.WriteString(s.Text)
	}
	return b.String()
}

// MentionSpans is text with each mention as the Span for its id.
func MentionSpans(text string, mention func(id string) Span) Rich {
	var r Rich
	plain := func(s string) {
		if s != "" {
			r = append(r, Span{Text: s})
		}
	}
	for text != "" {
		before, rest, found := strings.Cut(text, string(mentionOpen))
		plain(before)
		if !found {
			break
		}
		id, after, closed := strings.Cut(rest, string(mentionClose))
		if !closed {
			plain(rest)
			break
		}
		r = append(r, mention(id))
		text = after
	}
	return r
}
