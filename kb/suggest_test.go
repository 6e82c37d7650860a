package kb

import (
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/deskhand/deskhand/core/knowledge"
)

func TestSuggest(t *testing.T) {
	t.Parallel()
	x := newIndex(t, Options{}, officeArticles...)
	tests := []struct {
		question string
		want     string // the first article
		least    knowledge.Confidence
	}{
		{"the printer on floor 3 is not printing", "Printer does not print", knowledge.Low},
		{"cannot print my document", "Printer does not print", knowledge.Low},
		{"hi team, my printer isn't working, can you please help? thanks!", "Printer does not print", knowledge.Low},
		{"how do i add a printer", "Add a printer", knowledge.Low},
		{"vpn drops every ten minutes", "Keep the VPN connected", knowledge.Low},
		{"remote access keeps disconnecting every few minutes", "Keep the VPN connected", knowledge.Low},
		{"vpn for my new notebook", "Set up the VPN on a new computer", knowledge.Low},
		{"forgot my pwd", "Change your password", knowledge.Low},
		{"my passwrod expired", "Change your password", knowledge.Low},
		{"account locked", "Unlock your account", knowledge.Low},
		{"2fa on a new phone", "New phone: move the authenticator", knowledge.High},
		{"wlan does not work on my pc", "Connect to the office Wi-Fi", knowledge.Low},
		{"wi-fi slow in the conference room", "Wi-Fi is slow in meeting rooms", knowledge.Low},
		{"automatic reply for my holiday", "Out of office reply", knowledge.High},
		{"ooo", "Out of office reply", knowledge.Low},
		{"got a phishing email", "Report a suspicious message", knowledge.Low},
		{"second display stays black at my docking station", "External monitor stays black", knowledge.High},
		{"laptop battery won't charge", "Laptop does not charge", knowledge.High},
		{"edit a pdf", "Get Adobe Acrobat", knowledge.Low},
		{"nobody can hear me in teams", "Teams: nobody hears me", knowledge.High},
		{"what is error 0x80070035?", "Error 0x80070035 on the file server", knowledge.High},
		{"i lost my key card", "Lost badge", knowledge.High},
		{"MAILBOX FULL!!!", "Mailbox is full", knowledge.High},
		{"outlook doesnt show new mesages", "Outlook shows old mail only", knowledge.Low},
	}
	for _, tt := range tests {
		t.Run(tt.question, func(t *testing.T) {
			t.Parallel()
			got := suggest(t, x, Query{Text: tt.question})
			if len(got.Hits) == 0 || len(got.Hits) > 3 || got.Hits[0].Title != tt.want || got.Confidence < tt.least {
				t.Errorf("Suggest(%q) = %s %q, want at least %s and first %q (sure %.2f)", tt.question, got.Confidence, titles(got.Hits), tt.least, tt.want, got.Sure)
				for _, h := range got.Hits {
					t.Logf("  %-40s score %.2f covered %.2f proof %.2f", h.Title, h.Score, h.Covered, h.Score*h.Covered)
				}
			}
		})
	}
}

// What no article answers is said to be so, though it has words in common with some.
func TestSuggestNothing(t *testing.T) {
	t.Parallel()
	x := newIndex(t, Options{}, officeArticles...)
	for _, q := range []string{
		"", "   ", "?!", "🖨️", "thanks", "can you please help me", "hello, good morning", "打印机坏了", "принтер не работает", "الطابعة لا تعمل",
		"where can I park my bicycle", "who won the football match yesterday", "when is the canteen open", "salary raise next year",
		"book a flight to Lisbon for the sales kickoff", "what is the capital of France", "my chair squeaks", "the coffee machine leaks water",
		"payroll export fails", "template for a severance letter", "<!channel> @here *", strings.Repeat("lorem ipsum dolor sit amet ", 800),
		"goroutine 1 [running]:\nmain.main()\n\t/tmp/x.go:12 +0x1d\njava.lang.NullPointerException: null\n\tat org.acme.Foo.baz(Foo.java:42)",
	} {
		if got := suggest(t, x, Query{Text: q}); got.Confidence != knowledge.None || len(got.Hits) != 0 {
			h := got.Hits[0]
			t.Errorf("Suggest(%.60q) = %s %q, want nothing (score %.2f, covered %.2f)", q, got.Confidence, titles(got.Hits), h.Score, h.Covered)
		}
	}
}

func TestSuggestByAudience(t *testing.T) {
	t.Parallel()
	x := newIndex(t, Options{}, officeArticles...)
	tests := []struct {
		name string
		q    Query
		want bool
	}{
		{"somebody in the department", Query{Groups: []string{"sales", "hr"}}, true},
		{"somebody in another of the article's groups", Query{Groups: []string{"legal"}}, true},
		{"somebody elsewhere", Query{Groups: []string{"sales"}}, false},
		{"a guest", Query{}, false},
		{"whoever keeps the articles", Query{AnyGroup: true}, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			tt.q.Text = "severance letter template"
			got := suggest(t, x, tt.q)
			if found := slices.Contains(titles(got.Hits), "Severance letters"); found != tt.want {
				t.Errorf("Suggest(%+v) = %q, want the article: %t", tt.q, titles(got.Hits), tt.want)
			}
			hits, err := x.Search(t.Context(), tt.q)
			if err != nil {
				t.Fatal(err)
			}
			if found := slices.Contains(titles(hits), "Severance letters"); found != tt.want {
				t.Errorf("Search(%+v) = %q, want the article: %t", tt.q, titles(hits), tt.want)
			}
		})
	}
}

func TestSynonymsOfACompany(t *testing.T) {
	t.Parallel()
	question := Query{Text: "the blue tunnel is gone"}
	if got := suggest(t, newIndex(t, Options{}, officeArticles...), question); slices.Contains(titles(got.Hits), "Keep the VPN connected") {
		t.Fatalf("Suggest(%q) = %q without its synonym", question.Text, titles(got.Hits))
	}
	x := newIndex(t, Options{Synonyms: [][]string{{"VPN", "blue tunnel"}, {"", "the"}}}, officeArticles...)
	if got := suggest(t, x, question); !slices.Contains(titles(got.Hits), "Keep the VPN connected") {
		t.Errorf("Suggest(%q) = %q, want the VPN", question.Text, titles(got.Hits))
	}
	// The company's word joins the built-in group of the word beside it.
	if got := suggest(t, x, Query{Text: "remote access drops"}); !slices.Contains(titles(got.Hits), "Keep the VPN connected") {
		t.Errorf("the built-in synonym is gone: %q", titles(got.Hits))
	}
}

func TestSynonymsComeWithTheNextRebuild(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	x := newIndex(t, Options{Dir: dir})
	rebuild(t, x, 1, officeArticles)
	finds := func(x *Index) bool {
		return slices.Contains(titles(suggest(t, x, Query{Text: "the blue tunnel is gone"}).Hits), "Keep the VPN connected")
	}
	company := [][]string{{"VPN", "blue tunnel"}}
	if !x.SetSynonyms(company) || finds(x) {
		t.Fatal("new synonyms are in force before the articles were read with them")
	}
	rebuild(t, x, 1, officeArticles)
	if x.SetSynonyms(company) || !finds(x) {
		t.Error("after a rebuild the synonyms are not in force")
	}
	if !x.SetSynonyms(nil) {
		t.Error("to take them out wants no rebuild")
	}
	if x.SetSynonyms(company) {
		t.Error("the synonyms in force want a rebuild")
	}
	if err := x.Close(); err != nil {
		t.Fatal(err)
	}
	if y := newIndex(t, Options{Dir: dir, Synonyms: company}); y.Seq() != 1 || !finds(y) {
		t.Errorf("opened again with them it is at %d", y.Seq())
	}
}

func TestSuggestInALanguage(t *testing.T) {
	t.Parallel()
	plain := newIndex(t, Options{}, officeArticles...)
	if diff := cmp.Diff(suggest(t, plain, Query{Text: "VPN drops"}).Hits[0].Score, suggest(t, plain, Query{Text: "VPN drops", Language: "fr"}).Hits[0].Score); diff != "" {
		t.Errorf("where nothing is in the asker's language, that counts against the rest (-en +fr):\n%s", diff)
	}
	german := knowledge.Article{ID: 901, Title: "Drucker druckt nicht", Symptom: "Aus dem Drucker kommt nichts.", Answer: "Warteschlange öffnen.", Language: "de-CH", Audience: []string{knowledge.Everyone}, State: knowledge.Published}
	english := german
	english.ID, english.Language = 900, "en"
	x := newIndex(t, Options{}, append(slices.Clone(officeArticles), english, german)...)
	if got := suggest(t, x, Query{Text: "the printers are not working", Language: "de"}); !slices.Contains(titles(got.Hits), "Printer does not print") {
		t.Errorf("a question in English from somebody in German: %q", titles(got.Hits))
	}
	for language, want := range map[string]knowledge.ArticleID{"de": 901, "de-AT": 901, "en-US": 900, "": 901} {
		got := suggest(t, x, Query{Text: "Drucker druckt nicht", Language: language})
		if len(got.Hits) == 0 || got.Hits[0].Article != want {
			t.Errorf("in %q: %+v, want %s first", language, got.Hits, want.Ref())
		}
	}
}

func TestGerman(t *testing.T) {
	t.Parallel()
	articles := slices.Clone(officeArticles)
	for i, a := range []knowledge.Article{
		{Title: "Druckertreiber neu installieren", Symptom: "Der Drucker wird nicht erkannt.", Answer: "Den Treiber aus dem Portal laden."},
		{Title: "Bürotür öffnet nicht", Symptom: "Der Ausweis öffnet die Tür nicht.", Answer: "Den Ausweis am Empfang neu schreiben lassen."},
		{Title: "Netzlaufwerk verbinden", Symptom: "Das Laufwerk P fehlt.", Answer: "Im Explorer wieder verbinden."},
		{Title: "Urlaubsantrag stellen", Symptom: "Wo beantrage ich Urlaub?", Answer: "Im Personalportal."},
	} {
		a.ID, a.Language, a.Audience, a.State = knowledge.ArticleID(900+i), "de", []string{knowledge.Everyone}, knowledge.Published
		articles = append(articles, a)
	}
	x := newIndex(t, Options{}, articles...)
	for _, tt := range []struct {
		question, want string
		foreign        bool
	}{
		{"Mein Treiber für den Drucker ist weg", "Druckertreiber neu installieren", false},
		{"der druckertreiber fehlt", "Druckertreiber neu installieren", false},
		{"die buerotuer oeffnet sich nicht", "Bürotür öffnet nicht", false},
		{"ich komme nicht auf das Laufwerk im Netz", "Netzlaufwerk verbinden", false},
		{"wo stelle ich den Antrag auf Urlaub", "Urlaubsantrag stellen", false},
		{"ich habe mein Kennwort vergessen", "Change your password", true},
		{"Passwort vergessen", "Change your password", true},
		{"Treiber weg", "Druckertreiber neu installieren", false}, // by the articles
		{"vpn drops", "Keep the VPN connected", false},
		{"i forgot my password", "Change your password", false},
	} {
		got := suggest(t, x, Query{Text: tt.question})
		if len(got.Hits) == 0 || got.Hits[0].Title != tt.want || got.Hits[0].Foreign != tt.foreign {
			t.Errorf("Suggest(%q) = %q, want first %q (in another language: %v)", tt.question, titles(got.Hits), tt.want, tt.foreign)
		}
	}
}

func TestExtract(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("Before anything else look whether the cable is in and the lamp is on, ", 6)
	x := newIndex(t, Options{}, append(slices.Clone(officeArticles),
		knowledge.Article{ID: 500, Title: "Plotter", Symptom: long + "and then feed the plotter with mauve paper, " + long, Audience: []string{knowledge.Everyone}, State: knowledge.Published},
	)...)
	tests := []struct {
		name, question, want string // bold in [ ]
	}{
		{"the symptom, whole", "vpn drops", "The [VPN drops] every few minutes and I must sign in again."},
		{"inflected words and synonyms are the question's too", "printers and documents", "I send a [document] to the [printer] on my floor and nothing comes out."},
		{"a phrase is bold as one", "wlan", "My laptop does not find or does not join the [wireless] network."},
		{"the answer, if it says more", "netbios helper service", "Restart the [service] TCP/IP [NetBIOS Helper]."},
		{"steps stay apart", "secure access in the software center", "Open [Software Center]. Install [Secure Access]. Start it and enter vpn.example.com."},
		{"the middle of a long sentence", "mauve plotter", "… is on, and then feed the [plotter] with [mauve] paper, Before anything else look whether the cable is in and the lamp is on, Before anything else look whether the cable is in and the lamp is on, Before …"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			hits, err := x.Search(t.Context(), Query{Text: tt.question, Limit: 1})
			if err != nil || len(hits) == 0 {
				t.Fatalf("Search(%q) = %v, %v", tt.question, hits, err)
			}
			if got := shown(hits[0].Extract); got != tt.want {
				t.Errorf("Search(%q) shows\n%q, want\n%q", tt.question, got, tt.want)
			}
		})
	}
}

func shown(spans []knowledge.Span) string {
	var b strings.Builder
	for _, s := range spans {
		if s.Bold {
			s.Text = "[" + s.Text + "]"
		}
		b.WriteString(s.Text)
	}
	return b.String()
}

func FuzzSuggest(f *testing.F) {
	x := newIndex(f, Options{}, append(slices.Clone(officeArticles),
		knowledge.Article{ID: 600, Title: "プリンターが印刷できない 🖨️", Symptom: "e\u0301té ｗｉｆｉ Straße \xff", Answer: "no stop " + strings.Repeat("x", 900), Audience: []string{knowledge.Everyone}, State: knowledge.Published})...)
	for _, s := range []string{
		"", "🖨️", "vpn drops", "passwrod 2fa wi-fi", "印刷できない", "не работает принтер", strings.Repeat("printer vpn password ", 1000), strings.Repeat("z", 20_000), strings.Repeat("\x80", 20_000), strings.Repeat("ü", 10_000),
		"\xff\xfe", "ｗｉｆｉ", "can’t", "'''s", "a_b_", "1.2.3.", "ﬁle ǅ İ", strings.Repeat("e\u0301", 100), "panic: x\n\tat Foo.java:42",
	} {
		f.Add(s, "en")
	}
	f.Fuzz(func(t *testing.T, text, language string) {
		got := suggest(t, x, Query{Text: text, Language: language})
		if (got.Confidence == knowledge.None) != (len(got.Hits) == 0) || len(got.Hits) > 3 {
			t.Fatalf("Suggest(%q) = %s with %d hits", text, got.Confidence, len(got.Hits))
		}
		again := suggest(t, x, Query{Text: text, Language: language})
		if !slices.Equal(titles(got.Hits), titles(again.Hits)) {
			t.Fatalf("Suggest(%q) = %q, then %q", text, titles(got.Hits), titles(again.Hits))
		}
		for _, h := range got.Hits {
			if h.Title == "" || h.Covered < 0 || h.Covered > 1 || h.Score <= 0 {
				t.Fatalf("Suggest(%q): %+v", text, h)
			}
			if s := shown(h.Extract); !utf8.ValidString(s) || utf8.RuneCountInString(s) > extractMost+2*len(h.Extract) || strings.Contains(s, "\n") {
				t.Fatalf("Suggest(%q) shows %q", text, s)
			}
		}
	})
}
