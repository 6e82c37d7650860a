package kb

import "strings"

// germanStop are the words of German that say nothing about what a text is
// about, as they are folded (für is fur).
var germanStop = wordSet(germanStopText)

const germanStopText = `
der die das des dem den ein eine einen einem einer eines kein keine keinen keinem keiner dieser diese dieses diesen diesem jeder jede jedes alle alles
ich mich mir mein meine meinen meinem meiner meins du dich dir dein deine wir uns unser unsere unseren ihr euch sie ihn ihm ihnen es er man sich selbst
bin bist ist sind seid war waren wird werde werden wurde wurden sein gewesen habe hast hat haben hatte hatten
kann kannst konnen konnte konnten muss mussen musste soll sollen sollte will wollen wollte darf durfen mag mochte mochten lasst lassen
nicht nichts nie niemals ja nein doch was wer wem wen wie wo wann warum wieso weshalb welche welcher welches welchen wohin woher
und oder aber wenn dann als ob weil da damit sondern sowie bzw dass
von vom zu zum zur in im ins an am ans auf aus bei beim fur mit nach ohne seit uber um unter vor durch gegen bis zwischen hinter neben
hier dort nur auch noch schon immer wieder oft mal heute gestern morgen jetzt gerade sehr ganz so etwas mehr viel viele einfach plotzlich leider bitte danke
hallo hi hey guten tag moin liebe grusse gruss team zusammen hilfe hilft helfen brauche brauchen geht gehen ging mache machen macht gibt geben kommt kommen
problem probleme frage fragen fehler meldung tun tut weiss wissen
`

// germanOnly are those of them that no English text has.
var germanOnly = wordSet(`der das dem den ein eine einen einem einer kein keine ich mich mir mein meine meinen meinem wir uns ist sind wird habe haben kann konnen
nicht nichts wie wo warum und oder aber wenn dann weil vom zu zum zur im auf aus bei beim fur mit nach seit auch noch schon immer wieder jetzt bitte danke geht`)

func wordSet(text string) map[string]bool {
	m := make(map[string]bool)
	for _, w := range strings.Fields(text) {
		m[w] = true
	}
	return m
}

// germanParts are what compounds of an office are made of: one that is made of
// them is also found by each. What has no part here is still found by its
// letters.
var germanParts = wordSet(`abteilung adresse akku anhang anmelde anmeldung anruf antrag anwendung arbeit arbeitsplatz ausweis bank benutzer besprechung bild bildschirm brief
buch buchung buro chat daten datei dienst dock drucker druck einstellung fach fehler fern festplatte firma freigabe funk gast gerat geschaft gruppe handy haus home
internet kabel kalender karte kamera kennwort konferenz konto kopf kopie laptop laufwerk lade lizenz liste mail maus mikrofon mobil monitor name netz netzwerk
nachricht not ordner papier passwort platte platz post postfach programm raum rechner rechnung reise rufnummer scanner schirm schlussel server sicherheit
sicherung signatur speicher sperre sprache station stand stick system tabelle tastatur teilnehmer telefon termin test ticket ton treiber tur uhr umleitung
update urlaub verbindung verteiler verwaltung video virus vorlage warte schlange warteschlange web werk zeit zertifikat zugang zugriff zimmer`)

// foldGerman makes of a word without marks what both ways to write it share:
// Mueller and Müller are muller.
func foldGerman(word []byte) []byte {
	out := word[:0]
	for i, c := range word {
		if c == 'e' && i > 0 && (word[i-1] == 'a' || word[i-1] == 'o' || word[i-1] == 'u') && len(out) > 0 &&
			!(word[i-1] == 'u' && i > 1 && strings.IndexByte("aeouq", out[max(0, len(out)-2)]) >= 0) {
			continue
		}
		out = append(out, c)
	}
	return out
}

// eachPart gives the words that a folded compound is made of, if it is made of
// known ones throughout: druckertreiber is drucker and treiber.
func eachPart(word string, f func(part string)) bool {
	if word == "" {
		return true
	}
	for n := len(word); n >= 3; n-- {
		if !germanParts[word[:n]] {
			continue
		}
		for _, link := range []string{"", "s", "n", "en", "es"} {
			rest, ok := strings.CutPrefix(word[n:], link)
			if ok && (rest != "" || link == "") && eachPart(rest, f) {
				f(word[:n])
				return true
			}
		}
	}
	return false
}

// languageOf is German if a text has more small words of German than of
// English, and else English.
func (a *analyzer) languageOf(text string) string {
	german, english := 0, 0
	for _, w := range a.words(text, "", nil) {
		switch {
		case germanOnly[w.term]:
			german++
		case stopWords[w.term]:
			english++
		}
	}
	if german > english {
		return "de"
	}
	return "en"
}
