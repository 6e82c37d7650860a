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
	{"wifi", "wi-fi", "wireless", "wlan"},
	{"laptop", "notebook", "computer", "pc", "macbook", "workstation", "desktop computer"},
	{"password", "passcode", "pwd", "passwort", "passphrase"},
	{"broken", "not working", "not work", "doesn't work", "does not work", "didn't work", "won't work", "isn't working", "stopped working",
		"no longer works", "can't use", "cannot use", "dead", "faulty", "defective", "fails", "failing", "failure", "out of order", "kaputt"},
	{"print", "printer", "printing", "printout"},
	{"vpn", "remote access", "anyconnect", "globalprotect"},
	{"mail", "email", "e-mail", "outlook", "inbox", "mailbox"},
	{"mfa", "2fa", "authenticator", "two-factor", "2-factor", "two step", "two-step verification", "multi-factor", "multifactor", "second factor", "one-time code", "otp"},
	{"screen", "monitor", "display"},
	{"login", "log in", "log on", "logon", "sign in", "sign on", "signin", "signing in", "logging in", "log into", "sign into"},
	{"phone", "mobile", "smartphone", "cell phone", "iphone", "android", "handset"},
	{"slow", "sluggish", "laggy", "lagging", "lag", "takes forever", "takes ages"},
	{"freeze", "frozen", "hangs", "hanging", "stuck", "unresponsive", "not responding"},
	{"crash", "crashes", "bluescreen", "blue screen", "bsod"},
	{"internet", "network", "connection", "connectivity", "online"},
	{"webcam", "camera"},
	{"headset", "headphones", "earphones", "earbuds"},
	{"microphone", "mic"},
	{"sound", "audio", "speaker", "speakers"},
	{"remove", "delete", "uninstall"},
	{"restore", "recover", "get back", "undelete"},
	{"install", "installation", "setup", "set up"},
	{"update", "upgrade", "patch"},
	{"permission", "permissions", "access rights", "authorization", "authorisation"},
	{"shared drive", "network drive", "file share", "fileshare", "shared folder", "network folder"},
	{"meeting room", "conference room", "boardroom"},
	{"video call", "video meeting", "video conference", "teams call", "zoom call", "online meeting"},
	{"phishing", "scam", "suspicious mail", "suspicious email", "spam", "junk mail", "junk"},
	{"virus", "malware", "trojan", "ransomware"},
	{"stolen", "lost", "missing"},
	{"charge", "charger", "charging", "power adapter", "power supply", "battery"},
	{"usb stick", "flash drive", "thumb drive", "usb drive", "pen drive", "memory stick"},
	{"dock", "docking station", "docking"},
	{"browser", "chrome", "edge", "firefox", "safari"},
	{"spreadsheet", "excel", "workbook"},
	{"reset", "change password"},
	{"locked", "locked out", "lockout", "blocked", "lock out"},
	{"new starter", "new joiner", "new hire", "onboarding", "new employee"},
	{"leaver", "offboarding", "leaving the company"},
	{"calendar", "appointment", "invite", "invitation"},
	{"licence", "license", "subscription"},
	{"app", "application", "program", "software"},
	{"badge", "key card", "keycard", "access card", "id card"},
}

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
		for _, text := range group {
			var p []string
			for _, w := range a.words(text, "en", nil) {
				p = append(p, w.term)
			}
			if len(p) == 0 || len(p) == 1 && stopWords[p[0]] {
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
