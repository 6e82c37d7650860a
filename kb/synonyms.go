package kb

import (
	"slices"
	"strconv"
	"strings"
)

// builtInSynonyms are words of one meaning in an office: what people call a
// thing on the left or right is the same thing to the desk. Phrases may hold
// stop words. Endings don't matter.
var builtInSynonyms = [][]string{
	{"broken", "not working", "not work", "doesn't work", "kaputt", "funktioniert nicht", "geht nicht", "does not work", "didn't work", "won't work", "isn't working", "stopped working",
		"no longer works", "dead", "faulty", "defective", "fails", "failing", "failure", "out of order"},
	{"wifi", "funknetz", "wi-fi", "wireless", "wlan"},
	{"laptop", "rechner", "notebook", "computer", "pc", "macbook", "workstation"},
	{"password", "passwort", "kennwort", "passcode", "passphrase", "pwd"},
	{"print", "drucker", "drucken", "printer", "printing", "printout"},
	{"vpn", "remote access"},
	{"mail", "postfach", "email", "e-mail", "outlook", "inbox", "mailbox"},
	{"mfa", "2fa", "authenticator", "two-factor", "2-factor", "two step", "2-step", "multi-factor", "multifactor", "second factor", "one-time code", "otp"},
	{"screen", "bildschirm", "monitor", "display"},
	{"login", "anmelden", "anmeldung", "log in", "log on", "logon", "sign in", "sign on", "signin", "log into", "sign into", "logging in", "signing in"},
	{"phone", "telefon", "handy", "mobile", "smartphone", "cell phone", "cellphone", "handset"},
	{"slow", "sluggish", "laggy", "lagging", "lags", "takes forever", "takes ages"},
	{"freeze", "frozen", "hangs", "hanging", "unresponsive", "not responding"},
	{"crash", "blue screen", "bluescreen", "bsod"},
	{"internet", "network", "connectivity"},
	{"webcam", "kamera", "camera"},
	{"headset", "headphones", "earphones", "earbuds"},
	{"microphone", "mic"},
	{"sound", "audio", "speaker"},
	{"delete", "remove", "erase", "wipe", "get rid of"},
	{"restore", "recover", "undelete", "get back", "retrieve", "undo"},
	{"download", "export", "save", "backup", "back up"},
	{"search", "look for", "look up", "query"},
	{"disable", "turn off", "switch off", "deactivate", "prevent"},
	{"enable", "turn on", "switch on", "activate"},
	{"hide", "invisible", "private"},
	{"change", "modify", "edit", "adjust", "alter", "customize", "customise"},
	{"picture", "image", "photo", "photograph"},
	{"folder", "directory"},
	{"person", "people", "user"},
	{"secure", "security", "safe", "safety"},
	{"automatically", "automatic", "auto"},
	{"website", "web site", "webpage", "web page", "site"},
	{"purchase", "buy", "order"},
	{"notification", "notify", "alert", "reminder", "remind"},
	{"move", "transfer", "migrate"},
	{"merge", "combine", "join"},
	{"old", "older", "oldest", "earliest"},
	{"thread", "conversation"},
	{"count", "amount", "how many"},
	{"shortcut", "hotkey"},
	{"install", "installation", "setup", "set up"},
	{"update", "upgrade"},
	{"permission", "access rights", "authorization", "authorisation"},
	{"shared drive", "network drive", "file share", "fileshare", "shared folder", "network folder"},
	{"meeting room", "conference room", "boardroom"},
	{"video call", "video meeting", "video conference", "online meeting"},
	{"phishing", "scam", "suspicious mail", "suspicious email", "suspicious message"},
	{"spam", "junk"},
	{"virus", "malware", "trojan", "ransomware"},
	{"lost", "missing", "stolen", "disappeared"},
	{"charger", "power adapter", "power supply", "power cable"},
	{"usb stick", "flash drive", "thumb drive", "usb drive", "pen drive", "memory stick"},
	{"dock", "docking station"},
	{"spreadsheet", "excel", "workbook"},
	{"locked", "gesperrt", "locked out", "lockout", "lock out"},
	{"new starter", "new joiner", "new hire", "new employee", "new colleague", "onboarding"},
	{"leaver", "offboarding"},
	{"calendar", "appointment", "invitation"},
	{"licence", "lizenz", "license", "subscription"},
	{"app", "application", "program", "software"},
	{"badge", "key card", "keycard", "access card", "id card"},
	{"out of office", "automatic reply", "auto reply", "autoreply", "ooo"},
	{"strikethrough", "strike through", "struck through", "crossed out", "cross out"},
	{"multiple", "several", "more than one", "various"},
	{"distance", "how far"},
	{"size", "how big", "how large"},
	{"large", "big", "huge", "bigger", "larger"},
	{"increase", "enlarge", "extend"},
	{"reduce", "decrease", "shrink", "lower"},
	{"document", "doc"},
	{"message", "msg"},
	{"facebook", "fb"},
	{"owner", "ownership"},
	{"executable", "exe"},
	{"schedule", "scheduled", "timer", "postpone", "put off", "delay", "later"},
	{"link", "url", "hyperlink"},
	{"subtitle", "caption", "transcript", "transcription"},
	{"immediately", "instantly", "right away", "straight away"},
	{"copy", "duplicate", "clone"},
	{"format", "style", "layout"},
	{"rule", "filter"},
	{"label", "tag", "category"},
	{"bookmark", "favourite", "favorite", "favourites", "favorites"},
	{"sync", "synchronise", "synchronize", "synchronisation", "synchronization"},
	{"storage", "space", "quota", "capacity"},
	{"reply", "respond", "response"},
	{"recipient", "receiver", "addressee"},
	{"quit", "exit", "close"},
	{"restart", "reboot", "power cycle"},
	{"mouse", "trackpad", "touchpad"},
	{"contact", "address book"},
	{"mailing list", "distribution list", "distribution group"},
	{"holiday", "urlaub", "vacation", "annual leave", "time off"},
	{"payslip", "pay slip", "wage slip"},
	{"expense", "reimbursement"},
	{"certificate", "cert"},
	{"setting", "preference", "configuration", "configure", "config"},
	{"popup", "pop-up"},
	{"addon", "add-on", "extension", "plugin", "plug-in"},
	{"home page", "homepage", "start page"},
	{"video", "movie", "clip"},
	{"music", "song"},
	{"forgot", "forgotten", "forget"},
	{"unsubscribe", "opt out"},
	{"blank", "empty"},
	{"participant", "attendee", "member"},
	{"toner", "ink", "cartridge"},
	{"time zone", "timezone"},
	{"trash", "recycle bin", "deleted items", "wastebasket"},
	{"wallpaper", "desktop background"},
	{"cost", "price"},
	{"abroad", "overseas", "foreign country"},
	{"translate", "translation"},
	{"encrypt", "encryption"},
	{"local", "locally", "on my computer", "hard disk", "hard drive"},
	{"import", "bring in"},
	{"plain text", "without formatting", "unformatted"},
	{"colour", "color", "coloured", "colored"},
	{"age", "how old"},
}

// complaint is the concept of the first group: that something is amiss. Every
// question says so, so it tells little about which article helps.
var complaint = concept(0)

// concept is the term that every member of a group of synonyms is indexed
// under besides its own; no word begins so.
func concept(group int) string { return "~" + strconv.Itoa(group) }

// synonyms finds words and phrases that mean the same as others.
type synonyms struct {
	first map[string][]phrase // by first term, longest phrase first
}

type phrase struct {
	terms   []string
	concept string
}

// newSynonyms joins the groups that share a word, so that a company's list can
// add to a built-in group by naming one of its words.
func newSynonyms(groups ...[]string) *synonyms {
	var a analyzer
	parent := make([]int, len(groups))
	root := func(g int) int {
		for parent[g] != g {
			g = parent[g]
		}
		return g
	}
	member := make(map[string]int) // phrase → a group with it
	terms := make(map[string][]string)
	for g, group := range groups {
		parent[g] = g
		for i := range 2 * len(group) {
			// Whoever asks may do so in either language.
			text, language := group[i/2], []string{"en", "de"}[i%2]
			var p []string
			seen := 0
			for _, w := range a.words(text, language, nil) {
				if w.end > seen { // else a part of the word before
					p = append(p, w.term)
				}
				seen = w.end
			}
			if len(p) == 0 || len(p) == 1 && (stopWords[p[0]] || germanStop[p[0]]) {
				continue
			}
			key := strings.Join(p, " ")
			if other, ok := member[key]; ok {
				x, y := root(other), root(g)
				parent[max(x, y)] = min(x, y)
			} else {
				member[key], terms[key] = g, p
			}
		}
	}
	s := &synonyms{first: make(map[string][]phrase)}
	for key, g := range member {
		p := terms[key]
		s.first[p[0]] = append(s.first[p[0]], phrase{p, concept(root(g))})
	}
	for _, ps := range s.first {
		slices.SortFunc(ps, func(a, b phrase) int {
			if len(a.terms) != len(b.terms) {
				return len(b.terms) - len(a.terms)
			}
			return slices.Compare(a.terms, b.terms)
		})
	}
	return s
}

// at tells what the longest phrase at the start of words means and how many
// words it takes, "" and 0 if none stands there.
func (s *synonyms) at(words []word) (concept string, n int) {
next:
	for _, p := range s.first[words[0].term] {
		if len(p.terms) > len(words) {
			continue
		}
		for i, t := range p.terms {
			if words[i].term != t {
				continue next
			}
		}
		return p.concept, len(p.terms)
	}
	return "", 0
}

// of is the meaning of a single term, "" if it has no synonyms.
func (s *synonyms) of(term string) string {
	for _, p := range s.first[term] {
		if len(p.terms) == 1 {
			return p.concept
		}
	}
	return ""
}
