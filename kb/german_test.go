package kb

import "testing"

// Whoever is brief leaves out the small words by which a language is told.
func TestLanguageOfBriefQuestions(t *testing.T) {
	t.Parallel()
	a := new(analyzer)
	for text, want := range map[string]string{
		"Drucker druckt nicht": "de", "VPN geht nicht": "de", "Passwort vergessen": "de", "Bildschirm schwarz": "de", "Drucker Papierstau": "de", "WLAN langsam": "de",
		"Headset kaputt": "de", "Monitor flackert": "de", "Zugriff verweigert": "de", "Passwort zurücksetzen": "de", "Neues Handy": "de", "Excel Absturz": "de",
		"Urlaubsantrag": "de", "Druckerwarteschlange": "de", "Outlook startet nicht": "de",
		"vpn drops": "en", "password forgotten": "en", "monitor": "en", "mail server test": "en", "home post name": "en", "printer jam": "en", "update laptop": "en",
		"please reset my Passwort": "en", "the Drucker of Mr Müller is not printing": "en", "ORA-12154": "en", "": "en", "🖨️": "en", "stand station": "en",
		"chat system": "en", "funk band": "en", "mailserver": "en",
	} {
		if got, _ := a.languageOf(text); got != want {
			t.Errorf("%q is taken for %q, want %q", text, got, want)
		}
	}
}
