package kb

import (
	"context"
	"slices"
	"strings"
)

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

// alsoEnglish are those of the parts that are words of English too.
var alsoEnglish = wordSet(`bank brief chat dock fern funk handy home internet laptop mail monitor name not post scanner server stand station stick system test ticket ton
update video virus warte web`)

// germanUsual are other words, folded, that people put beside them where they
// leave out all small ones: Passwort vergessen.
var germanUsual = wordSet(`abgelaufen abgesturzt absturz abwesenheit andern anfordern anmelden beantragen bestellen blockiert defekt drucken druckt einrichten entsperren
erweitern erneuern falsch fehlt flackert freigeben freischalten gelocht geloscht gesperrt gestohlen herunterladen hochfahren installieren kaputt kundigen ladt langsam laut leise
loschen neu neue neuer neues neuen offnen offnet papierstau passworter schwarz schwarzer startet stau sturzt umleiten umziehen verbinden verbindet vergessen
verloren verlangern verweigert verschwunden voll weiterleiten wiederherstellen wechseln zurucksetzen`)

// soundsGerman tells of a word as it is written, and folded, whether it is one
// of German and not of English.
func soundsGerman(written, folded string) bool {
	if germanUsual[folded] || strings.ContainsAny(written, "äöüßÄÖÜ") {
		return true
	}
	german := false
	return eachPart(string(foldGerman([]byte(folded))), func(part string) { german = german || !alsoEnglish[part] }) && german
}

// languageOf is German if a text has more small words of German than of
// English, or as many and a word that only German has; else it is English. It
// is sure unless it goes by nothing.
func (a *analyzer) languageOf(text string) (language string, sure bool) {
	words := a.words(text, "", nil)
	german, english := 0, 0
	for _, w := range words {
		switch {
		case germanOnly[w.term]:
			german++
		case stopWords[w.term]:
			english++
		}
	}
	if german > english || german == english && slices.ContainsFunc(words, func(w word) bool {
		return !germanOnly[w.term] && !stopWords[w.term] && soundsGerman(text[w.start:w.end], w.term)
	}) {
		return "de", true
	}
	return "en", english > 0
}

// byArticles is German if a question has words of readable articles in German
// that those in English don't have, and more of them than the other way round.
func (s *search) byArticles(ctx context.Context, text string) (language string, err error) {
	german, english := s.v.languages["de"], s.v.languages["en"]
	if !german.meets(s.readable) {
		return "en", nil
	}
	more := 0
	for _, of := range []struct {
		language string
		have     bitset
		others   bitset
		counts   int
	}{{"de", german, english, 1}, {"en", english, german, -1}} {
		for _, w := range s.an.words(text, of.language, nil) {
			if w.stop {
				continue
			}
			list, err := s.list(ctx, wordsField, w.term)
			if err != nil {
				return "", err
			}
			in := func(b bitset) bool {
				return slices.ContainsFunc(list[0], func(p posting) bool { return b.has(p.doc()) })
			}
			if in(of.have) && !in(of.others) {
				more += of.counts
			}
		}
	}
	if more > 0 {
		return "de", nil
	}
	return "en", nil
}
