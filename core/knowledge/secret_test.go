package knowledge_test

import (
	"strings"
	"testing"

	"github.com/deskhand/deskhand/core/knowledge"
)

func TestSecretsAreHidden(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"my password is Sommer2026! and it does not work":                                 "my password is ••• and it does not work",
		"Password: hunter22, user ana":                                                    "Password: •••, user ana",
		"pwd=correct-horse-battery":                                                       "pwd=•••",
		"mein Kennwort lautet geheim1234.":                                                "mein Kennwort lautet •••.",
		"my PIN is 4711":                                                                  "my PIN is •••",
		"the key ghp_" + strings.Repeat("a1", 18) + " is refused":                         "the key ••• is refused",
		"log:\n-----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY-----\nend": "log:\n•••\nend",
		"Bearer eyJhbGciOiJub25lIn0.eyJzdWIiOiJhbmEifQ.c2lnbmF0dXJl":                      "Bearer •••",
		"my password is expired":                                                          "my password is expired",
		"the password was wrong.":                                                         "the password was wrong.",
		"forgot my password: help":                                                        "forgot my password: help",
		"password reset for the printer":                                                  "password reset for the printer",
		"Passwort ist abgelaufen, was nun":                                                "Passwort ist abgelaufen, was nun",
		"error 0x80070035 at 10.0.0.1":                                                    "error 0x80070035 at 10.0.0.1",
	} {
		got := knowledge.HideSecrets(text)
		if got != want {
			t.Errorf("HideSecrets(%q) = %q, want %q", text, got, want)
		}
		if again := knowledge.HideSecrets(got); again != got {
			t.Errorf("HideSecrets(%q) = %q, want no change", got, again)
		}
	}
}
