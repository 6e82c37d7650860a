package knowledge

import (
	"regexp"
	"strings"
	"unicode"
)

// Hidden stands in the place of a secret.
const Hidden = "•••"

var (
	// named is a word for a secret, how it is given, and what may be one.
	named = regexp.MustCompile(`(?i)\b(password|passcode|passphrase|passwd|passwort|kennwort|pwd|pw|pin|secret|token|api[ _-]?key)(\s+(?:is|was|ist|war|lautet)\s*:?\s+|\s*[:=]\s*)["'“„` + "`" + `]?([^\s"'“”` + "`" + `]{4,})`)
	// known are keys that show by their shape: of Slack, GitHub and AWS, signed
	// tokens (RFC 7519), and private keys (RFC 7468).
	known = regexp.MustCompile(`\b(?:xox[abprs]-[A-Za-z0-9-]{10,}|gh[pousr]_[A-Za-z0-9]{20,}|AKIA[0-9A-Z]{16}|eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]*)|(?s:-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\z))`)
)

// HideSecrets takes passwords and keys out of a text that is to be kept. What
// follows “password is” is one if it is no plain word: “my password is expired”
// stays.
func HideSecrets(text string) string {
	text = known.ReplaceAllString(text, Hidden)
	var b strings.Builder
	at := 0
	for _, m := range named.FindAllStringSubmatchIndex(text, -1) {
		value := strings.TrimRight(text[m[6]:m[7]], ".,;?)")
		given := strings.TrimSpace(text[m[4]:m[5]])
		plain := !strings.ContainsFunc(value, func(r rune) bool { return !unicode.IsLetter(r) && r != '-' && r != '…' })
		if value == "" || value == Hidden || plain && (len(value) < 6 || given != "=" && given != ":") {
			continue
		}
		b.WriteString(text[at:m[6]])
		b.WriteString(Hidden)
		at = m[6] + len(value)
	}
	b.WriteString(text[at:])
	return b.String()
}
