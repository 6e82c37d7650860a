package knowledge

import (
	"cmp"
	"html"
	"net/url"
	"strings"
	"unicode"
	"unicode/utf8"
)

// inline reads the marks within a block.
func inline(s string) []Span {
	w := inlineWriter{}
	w.read(s, Span{})
	return w.spans
}

type inlineWriter struct{ spans []Span }

// add appends text in a style, to the last span if that has the same.
func (w *inlineWriter) add(text string, style Span) {
	if text == "" {
		return
	}
	if n := len(w.spans); n > 0 {
		last := w.spans[n-1]
		last.Text = ""
		if last == style {
			w.spans[n-1].Text += text
			return
		}
	}
	style.Text = text
	w.spans = append(w.spans, style)
}

// read takes s apart in the given style. A mark without its partner is text.
// What has no partner once has none later either and is not looked for again,
// so that a page of asterisks is read in one go.
func (w *inlineWriter) read(s string, style Span) {
	var text strings.Builder
	alone := make(map[string]bool)
	flush := func() {
		w.add(html.UnescapeString(text.String()), style)
		text.Reset()
	}
	for i := 0; i < len(s); {
		rest := s[i:]
		switch c := s[i]; {
		case c == '\\' && len(rest) > 1 && strings.IndexByte("\\`*_{}[]()#+-.!|<>&~", rest[1]) >= 0:
			text.WriteString(escaped[rest[1]])
			i += 2
			continue
		case c == '`' && !alone["`"]:
			n := len(rest) - len(strings.TrimLeft(rest, "`"))
			if end := strings.Index(rest[n:], rest[:n]); end > 0 {
				flush()
				code := style
				code.Code = true
				w.add(strings.TrimSpace(rest[n:n+end]), code)
				i += n + end + n
				continue
			} else if n == 1 {
				alone["`"] = true
			}
		case c == '*' || c == '_' || c == '~':
			if inner, n, ok := emphasis(s, i, alone); ok {
				flush()
				in := style
				in.Bold = in.Bold || n == 2 && c != '~' || n == 3
				in.Italic = in.Italic || n == 1 || n == 3
				w.read(inner, in)
				i += n + len(inner) + n
				continue
			}
		case c == '[', strings.HasPrefix(rest, "!["):
			picture := c == '!'
			if picture {
				rest = rest[1:]
			}
			label, target, n, ok := link(rest)
			if ok {
				flush()
				in := style
				if name, ours := strings.CutPrefix(target, PicturePath); picture && ours && PictureName.MatchString(name) && !strings.HasSuffix(name, ".svg") {
					in.Picture = name
					label = cmp.Or(Plain(label), "Picture") // in one span
				} else if !picture {
					in.URL = safeURL(target)
				}
				if in.Picture != "" {
					w.add(label, in)
				} else {
					w.read(label, in)
				}
				i += n
				if picture {
					i++
				}
				continue
			}
		case c == '<':
			if end := strings.IndexByte(rest[:min(len(rest), longestLink)], '>'); end > 0 {
				if u := safeURL(rest[1:end]); u != "" {
					flush()
					in := style
					in.URL = u
					w.add(strings.TrimPrefix(rest[1:end], "mailto:"), in)
					i += end + 1
					continue
				}
				if tag := strings.ToLower(strings.Trim(rest[1:end], "/ ")); tag == "br" {
					text.WriteByte('\n')
					i += end + 1
					continue
				}
			}
		case c == 'h' && style.URL == "" && (strings.HasPrefix(rest, "https://") || strings.HasPrefix(rest, "http://")) && !wordBefore(s, i):
			n := strings.IndexFunc(rest, func(r rune) bool { return unicode.IsSpace(r) || strings.ContainsRune("<>\"`*|", r) })
			if n < 0 {
				n = len(rest)
			}
			address := strings.TrimRight(rest[:n], ".,;:!?'")
			if !strings.Contains(address, "(") {
				address = strings.TrimRight(address, ")")
			}
			if u := safeURL(address); u != "" {
				flush()
				in := style
				in.URL = u
				w.add(address, in)
				i += len(address)
				continue
			}
		}
		_, size := utf8.DecodeRuneInString(rest)
		text.WriteString(s[i : i+size])
		i += size
	}
	flush()
}

// escaped keeps what a backslash protects from being read as an HTML entity.
var escaped = func() (m [utf8.RuneSelf]string) {
	for c := range m {
		m[c] = string(rune(c))
	}
	m['&'] = "&amp;"
	return m
}()

// emphasis is the text between marks of one, two or three equal characters
// that begin at i.
func emphasis(s string, i int, alone map[string]bool) (inner string, n int, ok bool) {
	for n = 1; n < 3 && i+n < len(s) && s[i+n] == s[i]; n++ {
	}
	mark := s[i : i+n]
	begin := i + n
	if alone[mark] || mark == "~" || mark == "~~~" || begin >= len(s) || s[begin] == ' ' || s[begin] == s[i] || s[i] == '_' && wordBefore(s, i) {
		return "", 0, false
	}
	for at := begin; ; {
		k := strings.Index(s[at:], mark)
		if k < 0 {
			alone[mark] = true
			return "", 0, false
		}
		end := at + k
		after := end + n
		run := after < len(s) && s[after] == s[i] // part of a longer mark
		if end > begin && s[end-1] != ' ' && s[end-1] != '\\' && !run && !(s[i] == '_' && wordAt(s, after)) {
			return s[begin:end], n, true
		}
		for at = after; run && at < len(s) && s[at] == s[i]; at++ {
		}
	}
}

// longestLink bounds the search for the end of a link, in bytes.
const longestLink = 2000

// link reads [label](target "title").
func link(s string) (label, target string, length int, ok bool) {
	k := strings.Index(s[:min(len(s), longestLink)], "](")
	if k < 0 {
		return "", "", 0, false
	}
	if label = s[1:k]; strings.Contains(label, "[") {
		return "", "", 0, false
	}
	end, depth := -1, 0
	for i := k + 2; i < min(len(s), k+longestLink) && end < 0; i++ {
		switch s[i] {
		case '(':
			depth++
		case ')':
			if depth--; depth < 0 {
				end = i
			}
		}
	}
	if end < 0 {
		return "", "", 0, false
	}
	target, _, _ = strings.Cut(strings.TrimSpace(s[k+2:end]), " ")
	return label, strings.Trim(target, "<>"), end + 1, true
}

// safeURL is the address if a reader may be sent there, else "".
func safeURL(s string) string {
	if !strings.HasPrefix(s, "http") && !strings.HasPrefix(s, "mailto:") {
		return ""
	}
	u, err := url.Parse(s)
	if err != nil || (u.Scheme == "mailto") == (u.Opaque == "") || u.Scheme != "mailto" && u.Host == "" {
		return ""
	}
	if u.Scheme != "http" && u.Scheme != "https" && u.Scheme != "mailto" {
		return ""
	}
	return u.String()
}

func wordBefore(s string, i int) bool {
	r, _ := utf8.DecodeLastRuneInString(s[:i])
	return i > 0 && (unicode.IsLetter(r) || unicode.IsDigit(r))
}

func wordAt(s string, i int) bool {
	r, _ := utf8.DecodeRuneInString(s[i:])
	return i < len(s) && (unicode.IsLetter(r) || unicode.IsDigit(r))
}
