package knowledge_test

import (
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/deskhand/deskhand/core/knowledge"
)

func TestPersonalDataIsMarked(t *testing.T) {
	t.Parallel()
	names := []string{"Ana Silva", "Ben Weber", "Jörg Öz"}
	for text, want := range map[string]string{
		"Ana Silva could not print":                       "⟦Ana Silva⟧ could not print",
		"ana could not print, said SILVA":                 "⟦ana⟧ could not print, said ⟦SILVA⟧",
		"the banana of Benedict":                          "the banana of Benedict",
		"JÖRG, again":                                     "⟦JÖRG⟧, again",
		"write to ana.silva+x@acme.example.":              "write to ⟦ana.silva+x@acme.example⟧.",
		"my password is hunter2!":                         "my password is ⟦hunter2!⟧",
		"Passwort: Sommer-2026":                           "Passwort: ⟦Sommer-2026⟧",
		"the password is wrong":                           "the password is wrong",
		"reset the password in the portal":                "reset the password in the portal",
		"PIN = 4711":                                      "PIN = ⟦4711⟧",
		"call +49 (0)30 1234567 or 030/123456":            "call ⟦+49 (0)30 1234567⟧ or ⟦030/123456⟧",
		"DE89 3704 0044 0532 0130 00 is her account":      "⟦DE89 3704 0044 0532 0130 00⟧ is her account",
		"error 0x80070005 on 10.0.0.12, port 8443":        "error 0x80070005 on 10.0.0.12, port 8443",
		"on 2026-11-21 at 09:12 in version 24.11.3":       "on 2026-11-21 at 09:12 in version 24.11.3",
		"1. Open the queue.\n2. Cancel job 17.":           "1. Open the queue.\n2. Cancel job 17.",
		"":                                                "",
		"the ⟦marks⟧ of somebody else go, Ben Weber's do": "the marks of somebody else go, ⟦Ben Weber⟧'s do",
	} {
		if got := knowledge.MarkPersonal(text, names...); got != want {
			t.Errorf("%q is marked %q, want %q", text, got, want)
		}
	}
}

// What was marked and taken out is not found again, and marks change nothing
// but to add themselves.
func TestMarksOnlyAddThemselves(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		text := strings.Join(rapid.SliceOf(rapid.OneOf(rapid.StringOf(rapid.RuneFrom([]rune("aB1 .@-+:ö\n"))),
			rapid.SampledFrom([]string{"ana", "Silva", "password: x", "a@b.example", "+49 30 1234567", " "}))).Draw(t, "text"), "")
		marked := knowledge.MarkPersonal(text, "Ana Silva")
		if got := strings.NewReplacer(knowledge.MarkOpen, "", knowledge.MarkClose, "").Replace(marked); got != text {
			t.Fatalf("%q is marked %q", text, marked)
		}
		if n := strings.Count(marked, knowledge.MarkOpen); n != len(knowledge.Personal(text, "Ana Silva")) {
			t.Fatalf("%q has %d marks for %q", marked, n, knowledge.Personal(text, "Ana Silva"))
		}
		if knowledge.Marked(marked) != (marked != text) {
			t.Fatalf("%q: Marked = %v", marked, knowledge.Marked(marked))
		}
	})
}
