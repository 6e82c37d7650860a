package demo

import (
	"strings"
	"testing"

	"github.com/deskhand/deskhand/core/knowledge"
	"github.com/deskhand/deskhand/kb"
	"github.com/deskhand/deskhand/kb/articlefile"
)

// desk is the company's articles and requests, without a past.
func desk(t *testing.T) *kb.Index {
	t.Helper()
	x, err := kb.Open(kb.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = x.Close() })
	all, err := articlefile.ReadDir(Articles(), today)
	if err != nil {
		t.Fatal(err)
	}
	for i := range all {
		all[i].ID = knowledge.ArticleID(i + 1)
	}
	if err := x.Apply(t.Context(), all, 1); err != nil {
		t.Fatal(err)
	}
	p, err := Policy()
	if err != nil {
		t.Fatal(err)
	}
	x.SetRequests(p.Requestable())
	return x
}

// offered is the first of a kind that is found for a question, "" if none is.
func offered(t *testing.T, x *kb.Index, q kb.Query, kind func(knowledge.Hit) string) string {
	t.Helper()
	found, err := x.Suggest(t.Context(), q)
	if err != nil {
		t.Fatal(err)
	}
	for i, h := range found.Hits {
		if k := kind(h); k != "" {
			if i > 0 {
				k += ", but not first"
			}
			return k
		}
	}
	return ""
}

// Whoever needs something is offered it first, in whatever words; whoever has
// trouble with the same thing, or needs what IT does not give, is not. It is so too
// where articles have solved much, and nobody could request anything before.
func TestWhatIsNeededIsOffered(t *testing.T) {
	t.Parallel()
	x := desk(t)
	for _, when := range []string{"without a past", "with one"} {
		if when == "with one" {
			remember(t, x)
		}
		for want, questions := range needs {
			for _, text := range questions {
				if got := offered(t, x, kb.Query{Text: text, Requests: true}, func(h knowledge.Hit) string { return h.Request }); got != want {
					t.Errorf("%s %q is offered %q, want %q", when, text, got, want)
				}
			}
		}
	}
}

// An outage comes first for whoever reports what it may be the reason of, and is
// not shown to anybody else.
func TestAnOutageIsShownToWhomItConcerns(t *testing.T) {
	t.Parallel()
	x := desk(t)
	all := map[string]knowledge.Outage{
		"vpn":      {Ticket: 7, What: "VPN", Reported: "Nobody gets onto the VPN since nine", Service: "vpn", Words: []string{"VPN and working from home", "vpn", "oxgate", "home office", "remote"}},
		"printing": {Ticket: 8, What: "The printers in Porto", Reported: "Nothing prints in Porto", Service: "printing", Words: []string{"Printing and scanning", "printer", "print", "scan", "toner"}},
		"tandem":   {Ticket: 9, What: "Tandem", Reported: "Tandem is down for all"}, // nobody has said which service it is
	}
	p, err := Policy()
	if err != nil {
		t.Fatal(err)
	}
	var services []string
	for _, s := range p.Services {
		services = append(services, s.Slug)
	}
	for want, questions := range troubles {
		for _, text := range questions {
			for name, o := range all {
				expected := ""
				if name == want {
					expected = "outage"
				}
				got := offered(t, x, kb.Query{Text: text, Requests: true, Outages: []knowledge.Outage{o}, Services: services}, func(h knowledge.Hit) string {
					if h.Outage == 0 {
						return ""
					}
					return "outage"
				})
				if got != expected {
					t.Errorf("while %s is down, %q is answered with %q, want %q", o.What, text, got, expected)
				}
			}
		}
	}
}

// needs are questions by what shall be offered, "" for nothing that can be
// requested.
var needs = map[string][]string{
	"laptop": {
		"I need a new laptop", "I need a faster laptop", "can I get a faster computer", "could I have a macbook", "new notebook please",
	},
	"screen": {
		"I would like a second monitor for home", "can I get a bigger screen", "I need a dock for my home office",
	},
	"accessories": {
		"can I have another charger", "need a USB-C adapter",
	},
	"phone": {
		"I need a company phone", "can I get an iphone", "how do I order a sim card",
	},
	"mailbox-access": {
		"I need access to the orders@ mailbox", "can I get access to a shared mailbox",
	},
	"new-mailbox": {
		"we need a new mailing list for the project", "can we get a distribution list for the sales team",
	},
	"folder-access": {
		"I need access to the folder of finance on drive S", "can I get write access to our team folder",
	},
	"application-access": {
		"I need access to tandem", "can I get a user account in kvitto", "please give me more rights in the dealer portal",
	},
	"licence": {
		"I need a licence for visio", "can I get photoshop",
	},
	"program": {
		"I need a tool that is not in company portal",
	},
	"security-key": {
		"can I get a yubikey", "I need a hardware token, I have no phone",
	},
	"new-colleague": {
		"a new colleague starts in May, I need a laptop and accounts for him", "we need everything for an intern",
	},
	"guest-wifi": {
		"we have customers visiting next week, can we get wifi for them",
	},
	"": {
		"my laptop is slow", "my laptop does not start", "the second screen stays black", "the docking station is not recognised",
		"my headset has no sound in teams", "mailbox is full", "outlook does not show new mail", "I can't open the shared mailbox, it asks for a password",
		"tandem is slow", "I cannot sign in to tandem", "phone does not ring", "my licence expired, no licence found", "printer does not print",
		"wifi is weak", "forgot my password", "how do I set an out of office reply", "how do I book a meeting room", "where is my payslip",
		"restore a deleted file", "I need help, my keyboard types the wrong letters", "I need to change my password", "vpn drops",
		"is this mail phishing?", "I lost my badge", "I need a new coffee machine", "I need a new chair", "can I get a parking spot",
		"can I get a day off on friday", "could you please tell me where the canteen is", "I need a room for a meeting",
		"how do i get to the leipzig office", "I need to print on A3", "new password", "can I use chatgpt at work", "can I have my mail on my phone",
		"I want to share a file with a customer", "how do I get a bigger mailbox",
	},
}

// troubles are questions by what may be the reason.
var troubles = map[string][]string{
	"vpn": {
		"I can't get into the network from home", "vpn?", "the vpn drops every ten minutes", "vpn not working", "oxgate does not connect",
		"oxgate hangs at connecting, what can I do? I have an important meeting at 10",
		"I am working from home today and nothing works, no shares, no intranet", "remote access broken",
		"hi, since this morning I am thrown out of the vpn all the time, restarted twice already",
	},
	"": {
		"my laptop is slow", "I forgot my password", "my second screen stays black", "how do I get a new laptop", "outlook shows no new mail",
		"wifi is weak in my office", "where is my payslip", "my headset is broken", "the coffee machine is broken", "I need access to a shared mailbox",
		"my mailbox is full", "camera does not work in the meeting room", "teams has no sound",
	},
	"printing": {
		"nothing comes out of the printer", "the printer on my floor does not print", "paper comes out blank", "print job stuck in queue",
		"printer in porto offline", "scan to mail does not arrive",
	},
	"tandem": {
		"tandem is slow", "tandem does not start", "I can't log in to tandem", "is tandem down?",
	},
}

// remember has the index know a past in which articles have helped with what they
// say that they help with.
func remember(t *testing.T, x *kb.Index) {
	t.Helper()
	all, err := articlefile.ReadDir(Articles(), today)
	if err != nil {
		t.Fatal(err)
	}
	var past []knowledge.Evidence
	for i, a := range all {
		for said := range strings.SplitSeq(a.Symptom, ". ") {
			n := int64(len(past) + 1)
			past = append(past, knowledge.Evidence{Seq: n, Past: knowledge.QuestionPast(n), Text: said, Article: knowledge.ArticleID(i + 1), Helped: true, At: today})
		}
	}
	x.Learn(past, int64(len(past)))
	if err := x.Train(t.Context()); err != nil {
		t.Fatal(err)
	}
}
