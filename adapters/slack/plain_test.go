package slack

import (
	"strings"
	"testing"

	"github.com/deskhand/deskhand/bot/chat"
)

func TestPlain(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, in, want string
		mentioned      bool
	}{
		{"bare words", "the printer is on fire", "the printer is on fire", false},
		{"escapes", "a &lt;b&gt; &amp;amp; c &quot; &", "a <b> &amp; c &quot; &", false},
		{"the desk first", "<@U0DESK> vpn is down", "vpn is down", true},
		{"the desk with its name, in the middle", "hey <@U0DESK|desk> help", "hey help", true},
		{"the desk and a comma", "<@U0DESK>, help", ", help", true},
		{"nothing but the desk", "<@U0DESK>", "", true},
		{"somebody else", "ask <@U1|ana> or <@W2>", "ask " + chat.Mention("U1") + " or " + chat.Mention("W2"), false},
		{"a channel", "see <#C1|general> and <#C2> and <#C3|>", "see #general and #C2 and #C3", false},
		{"everybody", "<!channel> <!here|here> <!everyone>", "@channel @here @everyone", false},
		{"a group", "<!subteam^S1|@it> <!subteam^S2>", "@it @group", false},
		{"a date", "<!date^1392734382^{date}|18 Feb>", "18 Feb", false},
		{"a link that was typed", "<https://example.com/?a=1&amp;b=2>", "https://example.com/?a=1&b=2", false},
		{"a link that Slack found", "<http://example.com|example.com>", "http://example.com", false},
		{"a link behind words", "<https://example.com|the &lt;page&gt;>", "the <page> (https://example.com)", false},
		{"mail", "<mailto:ana@example.com|ana@example.com>", "ana@example.com", false},
		{"mail behind words", "<mailto:ana@example.com|Ana>", "Ana (ana@example.com)", false},
		{"a telephone", "<tel:+4712345678|+47 123 45 678>", "+47 123 45 678 (+4712345678)", false},
		{"marks of ours that somebody has pasted", "\uE000U0BOSS\uE001 said so", "U0BOSS said so", false},
		{"an open bracket", "a <b", "a <b", false},
		{"an empty bracket", "a <> b", "a  b", false},
		{"lines", "one\ntwo ", "one\ntwo", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got, mentioned := plain(tt.in, "U0DESK")
			if got != tt.want || mentioned != tt.mentioned {
				t.Errorf("plain(%q) = %q, %t; want %q, %t", tt.in, got, mentioned, tt.want, tt.mentioned)
			}
		})
	}
}

func FuzzPlain(f *testing.F) {
	for _, s := range []string{"<@U0DESK> a", "<!date^1^{x}|y>", "<mailto:a|b>", "&amp;&lt", "<#|>", "<@>", "<!>", "\uE000x\uE001"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got, _ := plain(s, "U0DESK")
		if got != strings.TrimSpace(got) {
			t.Errorf("plain(%q) = %q: blanks around it", s, got)
		}
		// Every mark in the outcome is one of a mention that was in the text.
		if n := strings.Count(got, "\uE000"); n != strings.Count(got, "\uE001") || n > strings.Count(s, "<@") {
			t.Errorf("plain(%q) = %q: marks that nobody made", s, got)
		}
	})
}
