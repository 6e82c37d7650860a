package slack

import (
	"strings"

	"github.com/deskhand/deskhand/bot/chat"
)

// plain turns Slack's text into plain text: escapes undone, mentions as
// chat.Mention writes them, links as their label and address. The mention of
// self is taken out and reported.
// See docs.slack.dev/messaging/formatting-message-text#retrieved-messages.
func plain(text, self string) (out string, mentioned bool) {
	text = chat.StripMarks(text)
	if !strings.ContainsAny(text, "<&") {
		return strings.TrimSpace(text), false
	}
	var b strings.Builder
	b.Grow(len(text))
	for text != "" {
		before, rest, found := strings.Cut(text, "<")
		unescape(&b, before)
		if !found {
			break
		}
		inner, after, closed := strings.Cut(rest, ">")
		if !closed {
			// Slack never sends this; show it as it is.
			b.WriteByte('<')
			unescape(&b, rest)
			break
		}
		if id, ok := userID(inner); ok && id == self && self != "" {
			mentioned = true
			// "hey <@desk> help" reads "hey help".
			if after != "" && strings.HasSuffix(b.String(), " ") {
				after = strings.TrimLeft(after, " ")
			}
		} else {
			special(&b, inner)
		}
		text = after
	}
	return strings.TrimSpace(b.String()), mentioned
}

// userID is the user that "<@U1|ana>" without its brackets mentions.
func userID(inner string) (string, bool) {
	id, ok := strings.CutPrefix(inner, "@")
	if !ok {
		return "", false
	}
	id, _, _ = strings.Cut(id, "|")
	return id, id != ""
}

// special writes what stood between "<" and ">".
func special(b *strings.Builder, inner string) {
	target, label, _ := strings.Cut(inner, "|")
	switch {
	case strings.HasPrefix(inner, "@"):
		if id, ok := userID(inner); ok {
			b.WriteString(chat.Mention(id))
			return
		}
		b.WriteString("@")
	case strings.HasPrefix(inner, "#"):
		b.WriteByte('#')
		if label == "" {
			label = target[1:]
		}
		unescape(b, label)
	case strings.HasPrefix(inner, "!"):
		broadcast(b, target[1:], label)
	default:
		link(b, target, label)
	}
}

// broadcast writes <!here>, <!subteam^S1|@team>, <!date^…|fall-back> and what
// else Slack may think of.
func broadcast(b *strings.Builder, name, label string) {
	kind, _, _ := strings.Cut(name, "^")
	switch {
	case kind == "here" || kind == "channel" || kind == "everyone":
		b.WriteString("@" + kind)
	case label != "":
		unescape(b, label)
	case kind == "subteam":
		b.WriteString("@group")
	default:
		unescape(b, name)
	}
}

// link writes a link's label and where it leads, once if they are the same.
func link(b *strings.Builder, target, label string) {
	shown := target
	for _, scheme := range []string{"mailto:", "tel:"} {
		shown = strings.TrimPrefix(shown, scheme)
	}
	bare := func(s string) string {
		s = strings.TrimPrefix(strings.TrimPrefix(s, "https://"), "http://")
		return strings.TrimSuffix(s, "/")
	}
	if label == "" || bare(label) == bare(shown) {
		unescape(b, shown)
		return
	}
	unescape(b, label)
	b.WriteString(" (")
	unescape(b, shown)
	b.WriteByte(')')
}

// unescape undoes Slack's three escapes, and no others.
func unescape(b *strings.Builder, s string) {
	for {
		before, rest, found := strings.Cut(s, "&")
		b.WriteString(before)
		if !found {
			return
		}
		switch {
		case strings.HasPrefix(rest, "amp;"):
			b.WriteByte('&')
			s = rest[len("amp;"):]
		case strings.HasPrefix(rest, "lt;"):
			b.WriteByte('<')
			s = rest[len("lt;"):]
		case strings.HasPrefix(rest, "gt;"):
			b.WriteByte('>')
			s = rest[len("gt;"):]
		default:
			b.WriteByte('&')
			s = rest
		}
	}
}
