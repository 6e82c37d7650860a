package slacktest_test

import (
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/deskhand/deskhand/adapters/slack/slacktest"
)

func TestTypedTextArrivesEscapedAndLinked(t *testing.T) {
	t.Parallel()
	a := newApp(t, slacktest.Options{})
	tests := []struct{ typed, want string }{
		{"a < b && c > d", "a &lt; b &amp;&amp; c &gt; d"},
		{"<@Uana> <!channel>", "&lt;@Uana&gt; &lt;!channel&gt;"},
		{"see https://x.test/a?b=1&c=2.", "see <https://x.test/a?b=1&amp;c=2>."},
		{"(http://x.test)", "(<http://x.test>)"},
		{"example.com is down", "<http://example.com|example.com> is down"},
		{"mail ana@acme.test now", "mail <mailto:ana@acme.test|ana@acme.test> now"},
		{"@ana, @Ben: @nobody", "<@Uana>, <@Uben>: @nobody"},
		{"@desk?", "<@U0DESK>?"},
		{"@here @channel @everyone", "<!here> <!channel> <!everyone>"},
		{"in #help or #nowhere", "in <#Chelp|help> or #nowhere"},
		{"run `ping @ana <x>` and ```a\n@ben```", "run `ping @ana &lt;x&gt;` and ```a\n@ben```"},
		{"well :eyes:", "well :eyes:"},
		{"file.txt version 1.2.3", "file.txt version 1.2.3"},
	}
	for _, tt := range tests {
		m, err := a.w.Person("ana").Say(slacktest.Post{Channel: "help", Text: tt.typed})
		if err != nil || m.Text != tt.want {
			t.Errorf("typed %q arrived as %q (%v), want %q", tt.typed, m.Text, err, tt.want)
		}
	}
}

// Whatever is typed: nothing that Slack would act on gets through but what it made
// itself, and what people read is what was typed.
func TestNothingTypedIsExecuted(t *testing.T) {
	t.Parallel()
	a := newApp(t, slacktest.Options{})
	alphabet := []rune("ab<>&@#!|:/.`*_- \n1é")
	words := rapid.OneOf(
		rapid.StringOf(rapid.RuneFrom(alphabet)),
		rapid.SampledFrom([]string{"@ana", "@desk", "#help", "https://x.test", "a@b.test", "<!channel>", "<@Uana>", "example.com", "&lt;", ":eyes:"}),
	)
	rapid.Check(t, func(rt *rapid.T) {
		typed := strings.Join(rapid.SliceOfN(words, 1, 8).Draw(rt, "typed"), "")
		if strings.TrimSpace(typed) == "" {
			return
		}
		m, err := a.w.Person("ana").Say(slacktest.Post{Channel: "help", Text: typed})
		if err != nil {
			rt.Fatalf("Say(%q): %v", typed, err)
		}
		for rest := m.Text; ; {
			_, after, ok := strings.Cut(rest, "<")
			if !ok {
				break
			}
			seq, tail, closed := strings.Cut(after, ">")
			ours := strings.HasPrefix(seq, "http") || strings.HasPrefix(seq, "mailto:") || seq == "@Uana" || seq == "@Uben" || seq == "@U0DESK" ||
				seq == "#Chelp|help" || seq == "!here" || seq == "!channel" || seq == "!everyone"
			if !closed || !ours {
				rt.Fatalf("typed %q arrived as %q, with the sequence <%s", typed, m.Text, seq)
			}
			rest = tail
		}
		read := a.w.RenderMessage(m)
		if want := strings.NewReplacer("@Desk", "@desk").Replace(strings.TrimSpace(typed)); strings.NewReplacer("@Desk", "@desk").Replace(read) != want {
			rt.Fatalf("typed %q is read as %q", typed, read)
		}
	})
}

// A fake test keeps what would have failed.
type fakeT struct {
	*testing.T
	failed string
}

func (f *fakeT) Fatalf(format string, args ...any) {
	f.failed = fmt.Sprintf(format, args...)
	panic(f)
}

// failure runs a line of a script that must fail, and gives what it prints.
func failure(t *testing.T, w *slacktest.Workspace, line func(*slacktest.Script)) (printed string) {
	f := &fakeT{T: t}
	defer func() {
		if r := recover(); r != nil && r != any(f) {
			panic(r)
		}
		printed = f.failed
	}()
	s := w.Script(f)
	s.Patience = 1 // at once
	line(s)
	return ""
}
