package teams

import (
	"html"
	"strconv"
	"strings"

	"github.com/deskhand/deskhand/bot/chat"
)

// words are what a message says.
type words struct {
	text      string
	mentioned bool   // the desk was called by name
	quoted    string // id of the message that is quoted
}

// mentions are those of a message, with the desk's own id among them. Teams
// names people by its own ids in them; who gives the id by which the desk knows
// somebody, "" if it does not.
type mentions struct {
	self string
	who  func(id string) string
	all  []entity
	used []bool
}

func newMentions(self string, who func(string) string, entities []entity) *mentions {
	m := &mentions{self: self, who: who}
	for _, e := range entities {
		if e.Type == "mention" {
			m.all = append(m.all, e)
		}
	}
	m.used = make([]bool, len(m.all))
	return m
}

// named returns the mention that is written as name, the one with this number
// if there are several of the name.
func (m *mentions) named(name, number string) (entity, bool) {
	fits := func(i int) bool {
		return strings.EqualFold(name, strings.TrimSpace(m.all[i].Mentioned.Name)) || strings.EqualFold(name, untagged(m.all[i].Text))
	}
	if i, err := strconv.Atoi(number); err == nil && i >= 0 && i < len(m.all) && fits(i) {
		m.used[i] = true
		return m.all[i], true
	}
	again := -1
	for i := range m.all {
		if !fits(i) {
			continue
		}
		if !m.used[i] {
			m.used[i] = true
			return m.all[i], true
		}
		again = i
	}
	if again >= 0 {
		return m.all[again], true
	}
	return entity{}, false
}

// untagged is what "<at>Desk Bot</at>" shows.
func untagged(text string) string {
	text = strings.TrimSpace(text)
	if open := strings.IndexByte(text, '>'); strings.HasPrefix(text, "<at") && open >= 0 {
		text = strings.TrimSuffix(text[open+1:], "</at>")
	}
	return strings.TrimSpace(html.UnescapeString(text))
}

// mention writes a mention as chat has them. The desk's own is left out; one of
// somebody whom the desk does not know, or of a team or a channel, stays a name.
func (m *mentions) mention(w *writer, name, number string) {
	e, ok := m.named(name, number)
	switch {
	case !ok:
		w.say(name)
	case e.Mentioned.ID == m.self && m.self != "":
		w.mentioned = true
		w.gap = true
	default:
		id := e.Mentioned.AadObjectID
		if id == "" && strings.HasPrefix(e.Mentioned.ID, "29:") && m.who != nil {
			id = m.who(e.Mentioned.ID)
		}
		if id == "" {
			w.say("@" + name)
			return
		}
		w.put(chat.Mention(chat.StripMarks(id)))
	}
}

// readText reads what a message says: from its HTML if it has one, for only
// that keeps links, lines and quotes apart.
func readText(act *activity, who func(string) string) words {
	m := newMentions(act.Recipient.ID, who, act.Entities)
	w := &writer{}
	body, rich := act.Text, act.TextFormat == "xml"
	for _, at := range act.Attachments {
		if content, ok := at.Content.(string); ok && at.ContentType == "text/html" {
			body, rich = content, true
		}
	}
	if rich {
		readHTML(w, m, body)
	} else {
		readPlain(w, m, body)
	}
	for _, e := range act.Entities {
		if e.Type == "quotedReply" && w.quoted == "" {
			w.quoted = e.Quoted.Message
		}
	}
	return words{strings.TrimSpace(w.String()), w.mentioned, w.quoted}
}

// readPlain reads text in which nothing but mentions is marked.
func readPlain(w *writer, m *mentions, text string) {
	for text != "" {
		before, rest, found := strings.Cut(text, "<at")
		w.raw(before)
		if !found {
			return
		}
		inner, after, closed := strings.Cut(rest, "</at>")
		open := strings.IndexByte(inner, '>')
		if !closed || open < 0 {
			w.raw("<at")
			text = rest
			continue
		}
		m.mention(w, strings.TrimSpace(html.UnescapeString(inner[open+1:])), "")
		text = after
	}
}

// writer puts plain text together: blanks as HTML counts them, lines where
// blocks begin and end.
type writer struct {
	strings.Builder
	mentioned bool
	quoted    string
	blank     bool // a blank is due before the next word
	gap       bool // the desk's own name stood here: no blank on both sides
	lines     int  // line breaks at the end
}

// put writes what is not to be looked at.
func (w *writer) put(s string) {
	if w.blank && w.Len() > 0 && w.lines == 0 {
		w.WriteByte(' ')
	}
	w.WriteString(s)
	w.blank, w.gap, w.lines = false, false, 0
}

// say writes text as HTML shows it.
func (w *writer) say(s string) {
	s = strings.ReplaceAll(chat.StripMarks(s), "\u00a0", " ")
	for _, word := range strings.FieldsFunc(s, func(r rune) bool { return r == ' ' || r == '\n' || r == '\t' || r == '\r' }) {
		i := strings.Index(s, word)
		if i > 0 {
			w.blank = true
		}
		w.put(word)
		s = s[i+len(word):]
	}
	if s != "" {
		w.blank = true
	}
}

// raw writes text as it is.
func (w *writer) raw(s string) {
	s = chat.StripMarks(strings.ReplaceAll(s, "\r\n", "\n"))
	if w.gap && (w.Len() == 0 || strings.HasSuffix(w.String(), " ") || strings.HasSuffix(w.String(), "\n")) {
		s = strings.TrimLeft(s, " \u00a0") // "hey <at>Desk</at> help" reads "hey help"
	}
	if s != "" {
		w.put(s)
	}
}

// line ends a line, n of them at most in a row.
func (w *writer) line(n int) {
	if w.Len() == 0 {
		return
	}
	for w.lines < n {
		w.WriteByte('\n')
		w.lines++
	}
	w.blank = false
}

// blocks begin and end a line.
var blocks = map[string]bool{
	"p": true, "div": true, "li": true, "ul": true, "ol": true, "tr": true, "table": true, "blockquote": true, "pre": true,
	"h1": true, "h2": true, "h3": true, "h4": true, "h5": true, "h6": true, "hr": true, "codeblock": true,
}

// silent is what is in a message and not shown, or shown in another way.
var silent = map[string]bool{"script": true, "style": true, "head": true, "title": true, "attachment": true, "systemeventmessage": true}

// readHTML reads the HTML of a message, of which Teams makes a small use. It
// need not be well-formed: whatever it is, it becomes text.
func readHTML(w *writer, m *mentions, body string) {
	pre, skip := 0, "" // skip: until this tag ends
	depth := 0         // of skip in itself
	var links []link
	for body != "" {
		before, rest, found := strings.Cut(body, "<")
		if skip == "" {
			if text := html.UnescapeString(before); pre > 0 {
				w.raw(text)
			} else {
				w.say(text)
			}
		}
		if !found {
			return
		}
		t, after, ok := readTag(rest)
		if !ok { // a lone "<"
			if skip == "" {
				w.say("<")
			}
			body = rest
			continue
		}
		body = after
		if skip != "" {
			if t.name == skip && !t.empty {
				if t.closes {
					depth--
				} else {
					depth++
				}
				if depth <= 0 {
					skip = ""
				}
			}
			continue
		}
		switch {
		case t.name == "br":
			w.line(w.lines + 1)
		case t.name == "at" && !t.closes, t.name == "span" && !t.closes && strings.HasSuffix(t.attr["itemtype"], "/Mention"):
			inner, _, closed := strings.Cut(body[:min(len(body), maxTag)], "</"+t.name)
			if !closed {
				continue
			}
			if _, body, closed = strings.Cut(body[len(inner):], ">"); !closed {
				body = ""
			}
			number := t.attr["itemid"]
			if t.name == "at" {
				number = t.attr["id"]
			}
			var name writer
			readHTML(&name, &mentions{}, inner)
			m.mention(w, strings.TrimSpace(name.String()), number)
		case t.name == "blockquote" && !t.closes && strings.HasSuffix(t.attr["itemtype"], "/Reply"):
			if w.quoted == "" {
				w.quoted = t.attr["itemid"]
			}
			skip, depth = "blockquote", 1
		case t.name == "quoted":
			if w.quoted == "" {
				w.quoted = t.attr["messageid"]
			}
		case t.name == "emoji" || t.name == "img":
			alt := t.attr["alt"]
			if t.name == "emoji" || strings.HasSuffix(t.attr["itemtype"], "/Emoji") {
				w.say(alt)
			}
		case t.name == "a" && !t.closes:
			links = append(links, link{t.attr["href"], w.Len()})
		case t.name == "a" && len(links) > 0:
			l := links[len(links)-1]
			links = links[:len(links)-1]
			l.end(w)
		case silent[t.name] && !t.closes && !t.empty:
			skip, depth = t.name, 1
		case blocks[t.name]:
			w.line(1)
			if t.name == "pre" || t.name == "codeblock" {
				if t.closes {
					pre = max(pre-1, 0)
				} else {
					pre++
				}
			}
			if t.name == "li" && !t.closes {
				w.put("- ")
				w.lines = 1 // what follows has no blank before it
			}
		}
	}
}

// link is one that is open.
type link struct {
	href string
	from int // where its label begins
}

// end writes where a link leads, unless its label says so.
func (l link) end(w *writer) {
	target := chat.StripMarks(strings.TrimSpace(l.href))
	shown := strings.TrimPrefix(strings.TrimPrefix(target, "mailto:"), "tel:")
	if shown == "" || strings.HasPrefix(strings.ToLower(target), "javascript:") {
		return
	}
	bare := func(s string) string {
		s = strings.TrimPrefix(strings.TrimPrefix(strings.TrimSpace(s), "https://"), "http://")
		return strings.TrimSuffix(s, "/")
	}
	label := w.String()[min(l.from, w.Len()):]
	if strings.TrimSpace(label) == "" {
		w.say(shown)
	} else if bare(label) != bare(shown) {
		w.say(" (" + shown + ")")
	}
}

// tag is one tag of HTML.
type tag struct {
	name          string
	attr          map[string]string
	closes, empty bool
}

// maxTag and maxAttrs bound how far the end of a tag, or of a mention, is looked
// for, so that a text full of beginnings costs no more than its length.
const (
	maxTag   = 4 << 10
	maxAttrs = 30
)

// readTag reads a tag behind its "<"; false if it is none.
func readTag(all string) (t tag, after string, ok bool) {
	s := all[:min(len(all), maxTag)]
	if strings.IndexByte(s, '>') < 0 {
		return tag{}, "", false
	}
	if strings.HasPrefix(s, "!--") {
		inner, _, closed := strings.Cut(s, "-->")
		if !closed {
			return tag{}, "", false
		}
		return tag{name: "!"}, all[len(inner)+len("-->"):], true
	}
	if t.closes = strings.HasPrefix(s, "/"); t.closes {
		s = s[1:]
	}
	n := 0
	for n < len(s) && (s[n] >= 'a' && s[n] <= 'z' || s[n] >= 'A' && s[n] <= 'Z' || n > 0 && s[n] >= '0' && s[n] <= '9') {
		n++
	}
	if n == 0 {
		return tag{}, "", false
	}
	t.name, s = strings.ToLower(s[:n]), s[n:]
	for range maxAttrs {
		s = strings.TrimLeft(s, " \t\r\n/")
		if s == "" {
			return tag{}, "", false // it has no end
		}
		if s[0] == '>' {
			return t, all[min(len(all), maxTag)-len(s)+1:], true
		}
		end := strings.IndexAny(s, "= \t\r\n/>")
		if end == 0 {
			end = 1
		}
		if end < 0 {
			return tag{}, "", false
		}
		name := strings.ToLower(s[:end])
		s = strings.TrimLeft(s[end:], " \t\r\n")
		if strings.HasPrefix(s, "/>") {
			t.empty = true
		}
		value := ""
		if rest, has := strings.CutPrefix(s, "="); has {
			s = strings.TrimLeft(rest, " \t\r\n")
			if s == "" {
				return tag{}, "", false
			}
			if q := s[0]; q == '"' || q == '\'' {
				v, after, closed := strings.Cut(s[1:], string(q))
				if !closed {
					return tag{}, "", false
				}
				value, s = v, after
			} else {
				end := strings.IndexAny(s, " \t\r\n>")
				if end < 0 {
					return tag{}, "", false
				}
				value, s = s[:end], s[end:]
			}
		}
		if t.attr == nil {
			t.attr = map[string]string{}
		}
		if _, twice := t.attr[name]; !twice {
			t.attr[name] = html.UnescapeString(value)
		}
	}
	return tag{}, "", false
}
