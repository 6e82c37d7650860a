package kb

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/deskhand/deskhand/core/knowledge"
)

// officeRequests are what can be requested at the desk of officeArticles.
func officeRequests() []knowledge.Request {
	all := []knowledge.Request{
		{Slug: "laptop", Name: "New laptop", Words: []string{"stronger computer", "notebook"}, Description: "Your lead says yes. It takes two weeks."},
		{Slug: "folder", Name: "Access to a shared folder", Words: []string{"drive G", "write access"}, Description: "The owner of the folder decides."},
		{Slug: "acrobat", Name: "Licence for Acrobat", Words: []string{"edit a PDF"}, Description: "From the pool, within the hour."},
		{Slug: "headset", Name: "Neues Headset", Words: []string{"Kopfhörer"}, Description: "Liegt am Empfang bereit."},
		{Slug: "letters", Name: "Template of a severance letter", Words: []string{"golem"}, Description: "HR only.", Audience: []string{"hr"}},
	}
	for i := range all {
		if all[i].Audience == nil {
			all[i].Audience = []string{knowledge.Everyone}
		}
	}
	return all
}

// kinds names what was found: KB-3, a slug, or "down".
func kinds(hits []knowledge.Hit) (all []string) {
	for _, h := range hits {
		switch {
		case h.Request != "":
			all = append(all, h.Request)
		case h.Outage != 0:
			all = append(all, "down")
		default:
			all = append(all, h.Article.Ref())
		}
	}
	return all
}

func TestRequestsAndArticlesAreInOneOrder(t *testing.T) {
	t.Parallel()
	x := newIndex(t, Options{}, officeArticles...)
	x.SetRequests(officeRequests())
	for _, tt := range []struct{ question, first, alsoNot string }{
		{"can I get a new notebook", "laptop", ""},
		{"I need access to a shared folder", "folder", ""},
		{"acces to a shard foldr please", "folder", ""},
		{"can I get a notebok", "laptop", ""},
		{"Ich brauche neue Kopfhörer", "headset", ""},
		{"my laptop is slow", "KB-16", "laptop"},
		{"laptop battery won't charge", "KB-17", "laptop"},
		{"a colleague opens the shared folder and I can't, it says access denied", "KB-19", ""},
		{"I need help, the laptop doesn't charge", "KB-17", "laptop"},
		{"the printer on floor 3 is not printing", "KB-1", ""},
		{"I need a severance letter", "", "letters"},
	} {
		got := kinds(suggest(t, x, Query{Text: tt.question, Requests: true}).Hits)
		if len(got) == 0 && tt.first != "" || len(got) > 0 && got[0] != tt.first || slices.Contains(got, tt.alsoNot) {
			t.Errorf("%q is answered with %q, want %q first and no %q", tt.question, got, tt.first, tt.alsoNot)
		}
		for _, other := range kinds(suggest(t, x, Query{Text: tt.question}).Hits) {
			if other == tt.first && tt.first[:2] != "KB" {
				t.Errorf("%q finds %q where only articles are asked for", tt.question, other)
			}
		}
	}
	h := suggest(t, x, Query{Text: "can I get a new notebook", Requests: true}).Hits[0]
	if h.Article != 0 || h.Title != "New laptop" || h.Closed || text(h.Extract) != "Your lead says yes. It takes two weeks." {
		t.Errorf("the request is shown as %+v", h)
	}
}

func text(spans []knowledge.Span) (s string) {
	for _, x := range spans {
		s += x.Text
	}
	return s
}

// As with articles: what somebody may not ask for changes nothing of what she
// gets, neither the order nor how sure it is.
func TestRequestsForOthersAreNotFelt(t *testing.T) {
	t.Parallel()
	with, without := newIndex(t, Options{}, officeArticles...), newIndex(t, Options{}, officeArticles...)
	with.SetRequests(officeRequests())
	without.SetRequests(slices.DeleteFunc(officeRequests(), func(r knowledge.Request) bool { return r.Slug == "letters" }))
	questions := []string{"I need a template of a severance letter", "golem", "gollem please", "can I get a new laptop", "vpn drops", "a letter of access"}
	for _, text := range questions {
		for _, groups := range [][]string{nil, {"sales"}} {
			q := Query{Text: text, Groups: groups, Requests: true}
			if diff := cmp.Diff(suggest(t, without, q), suggest(t, with, q)); diff != "" {
				t.Errorf("%q of %q is answered otherwise because of a request for others:\n%s", text, groups, diff)
			}
		}
	}
	if got := suggest(t, with, Query{Text: questions[0], Groups: []string{"hr"}, Requests: true}); len(got.Hits) == 0 || got.Hits[0].Request != "letters" || !got.Hits[0].Closed {
		t.Errorf("who may ask for it gets %+v: this test tests nothing", got.Hits)
	}
}

func TestRequestsFollowThePolicyAndSynonyms(t *testing.T) {
	t.Parallel()
	x := newIndex(t, Options{}, officeArticles...)
	q := Query{Text: "I need a slate", Requests: true}
	slate := knowledge.Request{Slug: "slate", Name: "Tablet", Audience: []string{knowledge.Everyone}}
	asked := func() string { return fmt.Sprint(kinds(suggest(t, x, q).Hits)) }
	if got := asked(); got != "[]" {
		t.Errorf("before it can be requested it is answered with %s", got)
	}
	x.SetRequests([]knowledge.Request{slate})
	x.SetSynonyms([][]string{{"tablet", "slate"}})
	if got := asked(); got != "[]" {
		t.Errorf("before the index is built with the word it is answered with %s", got)
	}
	if err := x.Rebuild(t.Context(), 2, 0, each(officeArticles), nil); err != nil {
		t.Fatal(err)
	}
	if got := asked(); got != "[slate]" {
		t.Errorf("with the synonym it is answered with %s", got)
	}
	x.SetRequests(nil)
	if got := asked(); got != "[]" {
		t.Errorf("after it was taken out it is answered with %s", got)
	}
}

// What was asked for with other words is found by them from then on; and what
// was shown, and was not meant, less.
func TestRequestsLearnFromWhatWasAskedFor(t *testing.T) {
	t.Parallel()
	x := newIndex(t, Options{}, officeArticles...)
	x.SetRequests(officeRequests())
	at := time.Now()
	q := Query{Text: "my ultrabook is quite worn out", Requests: true, At: at}
	if got := kinds(suggest(t, x, q).Hits); slices.Contains(got, "laptop") {
		t.Fatalf("nobody has asked so before, and it is answered with %q", got)
	}
	var all []knowledge.Evidence
	for i := range int64(200) {
		e := knowledge.Evidence{Seq: i + 1, Past: knowledge.QuestionPast(i + 1), Text: "nothing comes out of the printer", Article: 1, Helped: true, At: at.Add(-time.Hour)}
		if i%10 == 0 {
			e.Text, e.Article, e.Request = "my ultrabook is worn out", 0, "laptop"
		}
		all = append(all, e)
	}
	x.Learn(all, 200)
	got := suggest(t, x, q)
	if len(got.Hits) == 0 || got.Hits[0].Request != "laptop" || got.Hits[0].Solved != 20 {
		t.Errorf("after twenty have asked for it in such words it is answered with %+v, sure %.2f", got.Hits, got.Sure)
	}
	if err := x.Train(t.Context()); err != nil { // which is about articles
		t.Error(err)
	}
	x.SetRequests(nil)
	if got := kinds(suggest(t, x, q).Hits); slices.Contains(got, "laptop") {
		t.Errorf("what can't be requested any more is found: %q", got)
	}
}

// Whoever advises chooses among articles, and moves nothing else.
func TestAdviceIsAboutArticles(t *testing.T) {
	t.Parallel()
	x := newIndex(t, Options{}, officeArticles...)
	x.SetRequests(officeRequests())
	q := Query{Text: "can I get a new laptop, mine is slow and does not charge", Requests: true, Limit: 10}
	before := suggest(t, x, q)
	among, err := x.Choices(t.Context(), q)
	if err != nil {
		t.Fatal(err)
	}
	if len(among) < 2 || before.Hits[0].Request == "" {
		t.Fatalf("there are %d choices, and first comes %+v: this test tests nothing", len(among), before.Hits[0])
	}
	for _, c := range slices.Backward(among) {
		if c.Article == 0 {
			t.Errorf("what is no article is a choice: %+v", c)
		}
		q.Advice.Order = append(q.Advice.Order, c.Article)
	}
	after := suggest(t, x, q)
	for i, h := range before.Hits {
		if got := after.Hits[i]; got.Request != h.Request {
			t.Errorf("in place %d there is %+v, was %+v", i, got, h)
		}
	}
	if diff := cmp.Diff(kinds(before.Hits), kinds(after.Hits)); diff == "" {
		t.Error("the advice was not heard")
	}
}

// An outage stands where the question is about it: named, or by articles of its
// service; its own words alone have to be likelier than what else there is.
func TestOutagesAreInTheSameOrder(t *testing.T) {
	t.Parallel()
	articles := slices.Clone(officeArticles)
	for i := range articles {
		switch articles[i].Title {
		case "Keep the VPN connected", "Set up the VPN on a new computer":
			articles[i].Tags = []string{"VPN", "network"}
		case "Connect to the office Wi-Fi":
			articles[i].Tags = []string{"wifi", "vpn"} // about another service first
		}
	}
	x := newIndex(t, Options{}, articles...)
	x.SetRequests(officeRequests())
	vpn := knowledge.Outage{Ticket: 9, What: "Secure tunnel", Reported: "Nobody gets in since nine", Service: "vpn", Words: []string{"VPN", "blue tunnel"}}
	for question, want := range map[string]string{
		"vpn drops every few minutes":             "down KB-4",
		"the blue tunnel does not start":          "down",
		"I can't reach the file server from home": "down KB-21", // by an article below
		"wlan is slow in the conference room":     "KB-10",
		"the printer on floor 3 is not printing":  "KB-1 KB-2",
		"I need access to a shared folder":        "folder",
		"a walrus sings":                          "",
	} {
		got := kinds(suggest(t, x, Query{Text: question, Requests: true, Outages: []knowledge.Outage{vpn}, Services: []string{"wifi", "vpn"}}).Hits)
		if s := fmt.Sprint(got[:min(2, len(got))]); s != "["+want+"]" {
			t.Errorf("while it is down, %q is answered with %s, want [%s]", question, s, want)
		}
	}
}

func TestPhrased(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]struct {
		want    float64
		trouble bool
	}{
		"I need a new laptop":                       {1, false},
		"Can I get access to the vault, please?":    {1, false},
		"new headset":                               {0.5, false},
		"Ich brauche einen neuen Laptop.":           {1, false},
		"Zugriff auf das Laufwerk":                  {0.5, false},
		"my laptop doesn't start":                   {0, true},
		"Der Drucker druckt nicht":                  {0, true},
		"I need help, my laptop is broken":          {0, true},
		"I lost my charger, can I get another one?": {1, true},
		"how do I book a room":                      {0, false},
		"I need to change my password":              {0, false},
		"newspaper":                                 {0, false},
		"":                                          {0, false},
		"🦭":                                         {0, false},
	} {
		if w, trouble := phrased(text); w != want.want || trouble != want.trouble {
			t.Errorf("phrased(%q) = %v, %t, want %v, %t", text, w, trouble, want.want, want.trouble)
		}
	}
}
