package slacktest

import (
	"encoding/json"
	"regexp"
	"strings"
)

// escape writes what a person typed as Slack stores it: with the three control
// characters escaped, links, mails, people and channels marked; see
// docs.slack.dev/messaging/formatting-message-text#escaping.
func (w *Workspace) escape(typed string) string {
	var out strings.Builder
	for _, p := range w.tokens(typed) {
		out.WriteString(p.wire)
	}
	return out.String()
}

// A token is a piece of what a person typed, as it goes over the wire in text and
// as an element of a rich_text block.
type token struct {
	wire    string
	element map[string]any
}

var escaper = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;")
var unescaper = strings.NewReplacer("&lt;", "<", "&gt;", ">", "&amp;", "&")

// marks finds what a client makes a link of. In order: a web address, a mail
// address, a mention, a channel, a bare host name of a well-known kind, an emoji,
// code. Code is first, because nothing inside it is a mention.
var marks = regexp.MustCompile("(?s)```.+?```|`[^`\n]+`" +
	`|https?://[^\s<>"|]+` +
	`|[\w.+-]+@[\w-]+(?:\.[\w-]+)+` +
	`|@[\pL\d][\pL\d._-]*` +
	`|#[\pL\d][\pL\d_-]*` +
	`|\b(?:[a-z0-9-]+\.)+(?:com|org|net|io|dev|app|edu|gov|de|no|uk|eu|fr|ch)\b(?:/[^\s<>"|]*)?` +
	`|:[a-z0-9_+-]+:`)

func (w *Workspace) tokens(typed string) []token {
	var list []token
	text := func(s string, style map[string]any) {
		if s == "" {
			return
		}
		e := map[string]any{"type": "text", "text": s}
		if style != nil {
			e["style"] = style
			s = "`" + s + "`"
		}
		list = append(list, token{escaper.Replace(s), e})
	}
	at := 0
	for _, m := range marks.FindAllStringIndex(typed, -1) {
		found := typed[m[0]:m[1]]
		t, used := w.mark(found, typed[:m[0]])
		if used == 0 {
			continue
		}
		text(typed[at:m[0]], nil)
		list = append(list, t)
		at = m[0] + used
	}
	text(typed[at:], nil)
	return list
}

// mark makes a token of what looks like one, and says how many bytes of it.
func (w *Workspace) mark(found, before string) (token, int) {
	link := func(url, shown string) (token, int) {
		wire := "<" + escaper.Replace(url) + ">"
		e := map[string]any{"type": "link", "url": url}
		if shown != url {
			wire = "<" + escaper.Replace(url) + "|" + escaper.Replace(shown) + ">"
			e["text"] = shown
		}
		return token{wire, e}, len(shown)
	}
	switch {
	case found[0] == '`':
		inner := strings.Trim(found, "`")
		return token{escaper.Replace(found), map[string]any{"type": "text", "text": inner, "style": map[string]any{"code": true}}}, len(found)
	case strings.HasPrefix(found, "http"):
		url := strings.TrimRight(found, ".,;:!?)]}'*_~")
		return link(url, url)
	case found[0] == '@':
		name := strings.ToLower(strings.TrimRight(found[1:], "._-"))
		switch name {
		case "here", "channel", "everyone":
			return token{"<!" + name + ">", map[string]any{"type": "broadcast", "range": name}}, 1 + len(name)
		}
		if u := w.userByName[name]; u != nil {
			return token{"<@" + u.ID + ">", map[string]any{"type": "user", "user_id": u.ID}}, 1 + len(name)
		}
	case found[0] == '#':
		if c := w.convByName[strings.ToLower(found[1:])]; c != nil {
			return token{"<#" + c.ID + "|" + c.Name + ">", map[string]any{"type": "channel", "channel_id": c.ID}}, len(found)
		}
	case found[0] == ':':
		return token{found, map[string]any{"type": "emoji", "name": strings.Trim(found, ":")}}, len(found)
	case strings.Contains(found, "@"):
		return mailLink(found)
	default:
		if strings.HasSuffix(before, "@") || strings.HasSuffix(before, ".") {
			return token{}, 0
		}
		shown := strings.TrimRight(found, ".,;:!?)]}'")
		return token{"<http://" + escaper.Replace(shown) + "|" + escaper.Replace(shown) + ">",
			map[string]any{"type": "link", "url": "http://" + shown, "text": shown}}, len(shown)
	}
	return token{}, 0
}

func mailLink(addr string) (token, int) {
	addr = strings.TrimRight(addr, ".-_")
	return token{"<mailto:" + escaper.Replace(addr) + "|" + escaper.Replace(addr) + ">", map[string]any{"type": "link", "url": "mailto:" + addr, "text": addr}}, len(addr)
}

// richText is the rich_text block that a client sends along with typed text.
func (w *Workspace) richText(typed string, blockID string) json.RawMessage {
	var elements []any
	for _, t := range w.tokens(typed) {
		elements = append(elements, t.element)
	}
	return mustJSON([]any{map[string]any{
		"type": "rich_text", "block_id": blockID,
		"elements": []any{map[string]any{"type": "rich_text_section", "elements": elements}},
	}})
}

// appText is text as Slack keeps it when an app posts it: control characters that
// are part of nothing are escaped.
func appText(s string) string {
	if !strings.ContainsAny(s, "&<") {
		return s
	}
	var out strings.Builder
	for i := 0; i < len(s); i++ {
		rest := s[i:]
		switch {
		case s[i] == '&' && !strings.HasPrefix(rest, "&amp;") && !strings.HasPrefix(rest, "&lt;") && !strings.HasPrefix(rest, "&gt;"):
			out.WriteString("&amp;")
		case s[i] == '<' && !controlSequence.MatchString(rest):
			out.WriteString("&lt;")
		default:
			out.WriteByte(s[i])
		}
	}
	return out.String()
}

var controlSequence = regexp.MustCompile(`^<(?:[@#!]|[a-zA-Z][a-zA-Z0-9+.-]*:)[^<>\n]+>`)

var sequence = regexp.MustCompile(`<([^<>\n]+)>`)

// plain is mrkdwn as a person reads it, without colours: names for ids, labels for
// links.
func (w *Workspace) plain(mrkdwn string) string {
	if !strings.Contains(mrkdwn, "<") {
		return unescaper.Replace(mrkdwn)
	}
	s := sequence.ReplaceAllStringFunc(mrkdwn, func(seq string) string {
		body, label, labelled := strings.Cut(seq[1:len(seq)-1], "|")
		switch {
		case strings.HasPrefix(body, "@"):
			if u := w.userByID[body[1:]]; u != nil {
				return "@" + u.shownName()
			}
			return "@" + body[1:]
		case strings.HasPrefix(body, "#"):
			if c := w.convByID[body[1:]]; c != nil {
				return "#" + c.Name
			}
			return "#" + body[1:]
		case strings.HasPrefix(body, "!date^"):
			return label
		case strings.HasPrefix(body, "!"):
			if labelled {
				return label
			}
			return "@" + body[1:]
		case labelled:
			return label
		default:
			return strings.TrimPrefix(body, "mailto:")
		}
	})
	return unescaper.Replace(s)
}
