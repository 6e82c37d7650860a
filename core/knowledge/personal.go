package knowledge

import (
	"cmp"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// What is personal in a text stands between these marks until somebody has
// taken it out, or taken the marks off because it may stay.
const (
	MarkOpen  = "⟦"
	MarkClose = "⟧"
)

// Marked tells whether marks are left in any of the texts.
func Marked(texts ...string) bool {
	return slices.ContainsFunc(texts, func(s string) bool { return strings.ContainsAny(s, MarkOpen+MarkClose) })
}

// part is a run of bytes.
type part struct{ from, to int }

var (
	mailAddress = regexp.MustCompile(`[\p{L}\p{N}._%+-]+@[\p{L}\p{N}-]+(\.[\p{L}\p{N}-]+)+`)
	// A word for a secret, then what follows it: "password: x", "PIN is 1234".
	secret = regexp.MustCompile(`(?i)\b(?:password|passwort|passcode|passphrase|pwd|kennwort|pin|puk|secret|token|api[ _-]?key|recovery (?:code|key))\b(?:\s*(?:is|was|ist|war|to|=|:))+\s*["'“”]?([^\s"'“”]+)`)
	phone  = regexp.MustCompile(`(?:\+|\b00|\b0|\()\d[\d()/ .-]{5,}\d`)
	// Long numbers are those of people, cards, accounts and contracts; an error
	// code has letters, or is shorter.
	number = regexp.MustCompile(`\b[A-Z]{0,3}\d[\d -]{5,}\d\b`)
	day    = regexp.MustCompile(`^\d{4}-\d\d-\d\d$`)
)

// Personal finds what looks like somebody's: mail addresses, secrets, phone
// and other long numbers, and these names, whole or by any of their parts of
// three letters and more. What it can't know is the name of somebody else.
func Personal(text string, names ...string) []string {
	parts := personal(text, names)
	found := make([]string, len(parts))
	for i, p := range parts {
		found[i] = text[p.from:p.to]
	}
	return found
}

// MarkPersonal puts marks around it.
func MarkPersonal(text string, names ...string) string {
	return replace(text, names, func(s string) string { return MarkOpen + s + MarkClose })
}

// HidePersonal puts dots in its place.
func HidePersonal(text string, names ...string) string {
	return replace(text, names, func(string) string { return "…" })
}

func replace(text string, names []string, with func(string) string) string {
	text = strings.NewReplacer(MarkOpen, "", MarkClose, "").Replace(text)
	var b strings.Builder
	at := 0
	for _, p := range personal(text, names) {
		b.WriteString(text[at:p.from])
		b.WriteString(with(text[p.from:p.to]))
		at = p.to
	}
	return b.String() + text[at:]
}

func personal(text string, names []string) []part {
	var all []part
	for _, m := range secret.FindAllStringSubmatchIndex(text, -1) {
		if word := strings.ToLower(text[m[2]:m[3]]); !slices.Contains(noSecret, strings.Trim(word, ".,;:!?")) {
			all = append(all, part{m[2], m[3]})
		}
	}
	for _, find := range []*regexp.Regexp{mailAddress, phone, number} {
		for _, m := range find.FindAllStringIndex(text, -1) {
			if s := text[m[0]:m[1]]; find == mailAddress || digits(s) >= 7 && !day.MatchString(s) {
				all = append(all, part{m[0], m[1]})
			}
		}
	}
	for _, name := range names {
		for _, n := range append(strings.Fields(name), strings.TrimSpace(name)) {
			if utf8.RuneCountInString(n) >= 3 {
				all = append(all, whole(text, n)...)
			}
		}
	}
	slices.SortFunc(all, func(a, b part) int { return cmp.Or(cmp.Compare(a.from, b.from), cmp.Compare(b.to, a.to)) })
	// What overlaps, or stands side by side as first and last name do, is one.
	var out []part
	for _, p := range all {
		if n := len(out); n > 0 && p.from <= out[n-1].to {
			out[n-1].to = max(out[n-1].to, p.to)
			continue
		}
		out = append(out, p)
	}
	return out
}

// noSecret may follow "password is": then nothing is given away.
var noSecret = []string{"wrong", "not", "expired", "invalid", "incorrect", "locked", "reset", "the", "a", "an", "my", "your", "no", "being", "asked",
	"needed", "required", "correct", "rejected", "forgotten", "lost", "too", "unknown", "falsch", "abgelaufen", "nicht", "log", "sign", "get", "be", "change"}

func digits(s string) (n int) {
	for _, r := range s {
		if unicode.IsDigit(r) {
			n++
		}
	}
	return n
}

// whole finds a name as a word of its own, however it is written.
func whole(text, name string) []part {
	var all []part
	for i := 0; i < len(text); {
		_, size := utf8.DecodeRuneInString(text[i:])
		before, _ := utf8.DecodeLastRuneInString(text[:i])
		if end, ok := folded(text[i:], name); ok && !letter(before) {
			if after, _ := utf8.DecodeRuneInString(text[i+end:]); i+end == len(text) || !letter(after) {
				all = append(all, part{i, i + end})
				i += end
				continue
			}
		}
		i += size
	}
	return all
}

func letter(r rune) bool { return r != utf8.RuneError && (unicode.IsLetter(r) || unicode.IsDigit(r)) }

// folded tells whether text begins with name but for case, and where it ends.
func folded(text, name string) (end int, ok bool) {
	for _, want := range name {
		r, size := utf8.DecodeRuneInString(text[end:])
		if size == 0 || unicode.ToLower(r) != unicode.ToLower(want) {
			return 0, false
		}
		end += size
	}
	return end, true
}
