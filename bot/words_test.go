package bot

import (
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"pgregory.net/rapid"

	"github.com/deskhand/deskhand/core/ticket"
	"github.com/deskhand/deskhand/storage"
)

func TestSmallTalk(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]talk{
		"thanks":                         thanks,
		"Thank you so much!!":            thanks,
		"thx 🙏":                          thanks,
		"Vielen Dank":                    thanks,
		"great, it works now":            thanks,
		"Perfect":                        thanks,
		"hello, thanks":                  thanks,
		"thanks, bye":                    thanks,
		"hi":                             hello,
		"Hey there":                      hello,
		"Good morning!":                  hello,
		"guten Morgen":                   hello,
		"hello everyone":                 hello,
		"bye":                            bye,
		"How are you?":                   howAreYou,
		"what's up":                      howAreYou,
		"":                               notSmall,
		"???":                            notSmall,
		"😀":                              thanks,
		"👍🏽":                             thanks,
		":+1::skin-tone-3:":              thanks, // as Slack writes it
		"thanks :pray:":                  thanks,
		"works now :tada: :tada:":        thanks,
		":wave:":                         hello,
		"hi 👋":                           hello,
		"😡":                              notSmall,
		":rage:":                         notSmall,
		"👍?":                             notSmall,
		":+1: but it still crashes":      notSmall,
		":printer: :fire:":               notSmall,
		"vpn drops every ten minutes":    notSmall,
		"hi, my printer is broken":       notSmall,
		"thanks but it still crashes":    notSmall,
		"it is not working":              notSmall,
		"no, it is not fixed":            notSmall,
		"ok":                             notSmall,
		"works? no":                      notSmall,
		"INC-42":                         notSmall,
		strings.Repeat("thanks ", 13):    notSmall,
		"hello can you reset my account": notSmall,
	} {
		if got := smallTalk(text); got != want {
			t.Errorf("smallTalk(%q) = %d, want %d", text, got, want)
		}
	}
}

// A word that is none of courtesy makes any message one to be taken in earnest.
func TestCourtesyNeverSwallowsAQuestion(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		words := rapid.SliceOfN(rapid.SampledFrom(slices.Concat(thankWords, helloWords, byeWords, fillWords, fineWords)), 0, 8).Draw(t, "courtesy")
		at := rapid.IntRange(0, len(words)).Draw(t, "at")
		text := strings.Join(slices.Insert(words, at, rapid.SampledFrom([]string{"printer", "VPN", "reset", "INC-42", "but", "пароль", "404"}).Draw(t, "matter")), " ")
		if got := smallTalk(text); got != notSmall {
			t.Fatalf("smallTalk(%q) = %d", text, got)
		}
	})
}

func TestGuessKind(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]ticket.Kind{
		"I need a second screen":                   ticket.Request,
		"Could I get access to the finance share?": ticket.Request,
		"please install Figma":                     ticket.Request,
		"a new laptop for Dan":                     ticket.Request,
		"I would like a standing desk":             ticket.Request,
		"the printer is not printing":              ticket.Incident,
		"I need help, my laptop is broken":         ticket.Incident,
		"I can't get access to the share":          ticket.Incident,
		"my new phone won't ring":                  ticket.Incident,
		"Outlook crashes when I order by date":     ticket.Incident,
		"renew":                                    ticket.Incident,
		"":                                         ticket.Incident,
		"hmm":                                      ticket.Incident,
		"Wi-Fi down":                               ticket.Incident,
	} {
		if got := guessKind(text); got != want {
			t.Errorf("guessKind(%q) = %s, want %s", text, got, want)
		}
	}
}

func TestShareWords(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, a, b string
		want       bool
	}{
		{"two words in common", "the printer on floor 3 is jammed", "floor 3 printer: no paper", true},
		{"a verb in two forms is two words", "printers jamming", "a jammed printer", false},
		{"a plural counts as the same", "printers and scanners", "printer, scanner", true},
		{"one word in common is not enough", "printer out of paper", "printer makes noise", false},
		{"unless it is all that one of them says", "printer", "printer makes noise", true},
		{"common words don't count", "it is not working, please help", "this is not working, help", false},
		{"nothing in common", "vpn drops", "outlook crashes", false},
		{"nothing said", "", "outlook crashes", false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			a, b := telling(tt.a), telling(tt.b)
			if shareWords(a, b) != tt.want || shareWords(b, a) != tt.want {
				t.Errorf("%q and %q: %v, %v; want %v", a, b, shareWords(a, b), shareWords(b, a), tt.want)
			}
		})
	}
}

func TestTelling(t *testing.T) {
	t.Parallel()
	if got, want := telling("The Printer's not printing: printer on FLOOR 3, please help!"), []string{"printers", "printing", "printer", "floor"}; !slices.Equal(got, want) {
		t.Errorf("telling words = %q, want %q", got, want)
	}
}

func TestWhichServiceATextSpeaksOf(t *testing.T) {
	t.Parallel()
	r := &rules{services: []storage.Service{
		{Slug: "mail", Name: "E-mail and calendar", Words: []string{"outlook", "mail", "calendar"}},
		{Slug: "wifi", Name: "Wi-Fi", Words: []string{"wlan", "wireless network"}},
		{Slug: "vpn", Name: "VPN"},
		{Slug: "other", Name: "Something else"},
	}}
	for text, want := range map[string]string{
		"Outlook won't open":                   "mail",
		"no mails since noon":                  "mail",
		"the wi-fi is slow":                    "wifi",
		"the wireless network drops":           "wifi",
		"a network cable":                      "",
		"wireless mouse":                       "",
		"the vpn":                              "vpn",
		"vpns":                                 "", // three letters are too few to guess an ending
		"the vpn eats my mail and my calendar": "mail",
		"wlan or vpn":                          "wifi", // as many for each: the policy's order
		"my chair":                             "",
		"":                                     "",
		"calendars of outlook on the wi-fi, no vpn": "mail",
	} {
		if got, word := r.spokenOf(text); got != want || (word == "") != (want == "") {
			t.Errorf("spokenOf(%q) = %q by %q, want %q", text, got, word, want)
		}
	}
	if got, _ := (&rules{}).spokenOf("outlook"); got != "" {
		t.Errorf("spokenOf without services = %q", got)
	}
}

func TestMentionsOfAPhrase(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		text, phrase string
		want         bool
	}{
		{"the wireless network is down", "wireless network", true},
		{"the wireless networks are down", "Wireless Network", true},
		{"network, wireless", "wireless network", false},
		{"wireless", "wireless network", false},
		{"printing", "print", true},
		{"print", "printing", true},
		{"printability", "print", false},
		{"anything", "", false},
		{"", "print", false},
	} {
		if got := mentions(wordsOf(tt.text), wordsOf(tt.phrase)); got != tt.want {
			t.Errorf("mentions(%q, %q) = %v", tt.text, tt.phrase, got)
		}
	}
}

func TestClipCutsAtACharacter(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		s, n := rapid.String().Draw(t, "s"), rapid.IntRange(3, 60).Draw(t, "n")
		got := clip(s, n)
		if len(got) > n || !utf8.ValidString(got) {
			t.Fatalf("clip(%q, %d) = %q, %d bytes", s, n, got, len(got))
		}
		if len(s) <= n && got != s {
			t.Fatalf("clip(%q, %d) = %q, though it fits", s, n, got)
		}
		if rest, cut := strings.CutSuffix(got, "…"); len(s) > n && (!cut || !strings.HasPrefix(s, rest)) {
			t.Fatalf("clip(%q, %d) = %q is not its beginning", s, n, got)
		}
	})
}

func TestAgo(t *testing.T) {
	t.Parallel()
	for d, want := range map[time.Duration]string{
		-time.Second: "a moment", 0: "a moment", 999 * time.Millisecond: "a moment", time.Second: "1 s", 59 * time.Second: "59 s",
		time.Minute: "1 minute", 119 * time.Second: "1 minute", 59 * time.Minute: "59 minutes", time.Hour: "1 hour", 47 * time.Hour: "47 hours",
		48 * time.Hour: "2 days", 240 * time.Hour: "10 days",
	} {
		if got := ago(d); got != want {
			t.Errorf("ago(%v) = %q, want %q", d, got, want)
		}
	}
}
