package chat_test

import (
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/deskhand/deskhand/bot/chat"
)

// known knows one user.
func known(id string) (string, bool) { return "Ana Ruiz", id == "U1" }

func TestMentions(t *testing.T) {
	t.Parallel()
	ana, other := chat.Mention("U1"), chat.Mention("U2")
	tests := []struct{ name, text, want string }{
		{"text without mentions stays", "ask @ana <@U1>", "ask @ana <@U1>"},
		{"somebody known is named", "ask " + ana + ", please", "ask @Ana Ruiz, please"},
		{"somebody unknown is someone", other + "?", "@someone?"},
		{"several, side by side", ana + other + ana, "@Ana Ruiz@someone@Ana Ruiz"},
		{"a mention alone", ana, "@Ana Ruiz"},
		{"one that has no end loses its mark", "ask " + strings.TrimSuffix(ana, "\uE001"), "ask U1"},
		{"nothing", "", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if got := chat.Mentions(tt.text, known); got != tt.want {
				t.Errorf("Mentions(%q) = %q, want %q", tt.text, got, tt.want)
			}
		})
	}
}

// Whoever types the marks themselves mentions nobody, and what an adapter puts
// together is read back piece by piece.
func TestMentionsAreReadBack(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		marked := rapid.StringOf(rapid.RuneFrom([]rune("aU1 \uE000\uE001ü😀")))
		var text, want strings.Builder
		for range rapid.IntRange(0, 5).Draw(t, "pieces") {
			typed := chat.StripMarks(marked.Draw(t, "typed"))
			if strings.ContainsAny(typed, "\uE000\uE001") {
				t.Fatalf("StripMarks left a mark in %q", typed)
			}
			if got := chat.Mentions(typed, known); got != typed {
				t.Fatalf("what somebody typed, %q, was read as %q", typed, got)
			}
			text.WriteString(typed)
			want.WriteString(typed)
			if rapid.Bool().Draw(t, "mention") {
				text.WriteString(chat.Mention("U1"))
				want.WriteString("@Ana Ruiz")
			}
		}
		if got := chat.Mentions(text.String(), known); got != want.String() {
			t.Fatalf("Mentions(%q) = %q, want %q", text.String(), got, want.String())
		}
	})
}

func TestPlainText(t *testing.T) {
	t.Parallel()
	berlin := time.FixedZone("CET", 3600)
	r := chat.Join(chat.B("INC-7"), chat.T(" for "), chat.Rich{{User: chat.User{ID: "U1"}, Text: "Ana"}, {Text: " and "}, {User: chat.User{ID: "U2"}},
		{Text: ", see "}, {Text: "the guide", Link: "https://desk.example"}, {Text: " by "}, {Time: time.Date(2026, 3, 2, 13, 5, 0, 0, berlin)}})
	if got, want := r.Plain(), "INC-7 for @Ana and @U2, see the guide by 2 Mar 12:05 UTC"; got != want {
		t.Errorf("Plain() = %q, want %q", got, want)
	}
}

func TestConversation(t *testing.T) {
	t.Parallel()
	in := func(channel, thread string) chat.Place {
		return chat.Place{Platform: "slack", Workspace: "T1", Channel: channel, Thread: thread}
	}
	ana, ben := chat.User{ID: "U1"}, chat.User{ID: "U2"}
	first := chat.Event{Kind: chat.Said, By: ana, Place: in("C1", ""), Message: "1.0"}
	tests := []struct {
		name string
		ev   chat.Event
		same bool
	}{
		{"a reply in the thread that a message opens", chat.Event{Kind: chat.Said, By: ben, Place: in("C1", "1.0"), Message: "1.1"}, true},
		{"a reaction to the message", chat.Event{Kind: chat.Reacted, By: ben, Place: in("C1", ""), Message: "1.0"}, true},
		{"an edit of the message", chat.Event{Kind: chat.Edited, By: ana, Place: in("C1", ""), Message: "1.0"}, true},
		{"a button pressed in the thread", chat.Event{Kind: chat.Pressed, By: ben, Place: in("C1", "1.0"), Message: "1.1"}, true},
		{"another message of the channel", chat.Event{Kind: chat.Said, By: ana, Place: in("C1", ""), Message: "2.0"}, false},
		{"a message of the same id elsewhere", chat.Event{Kind: chat.Said, By: ana, Place: in("C2", ""), Message: "1.0"}, false},
		{"a form of the same person", chat.Event{Kind: chat.Submitted, By: ana, Place: in("C1", "")}, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if got := tt.ev.Conversation() == first.Conversation(); got != tt.same {
				t.Errorf("the same conversation as the first message: %v (%s, %s)", got, tt.ev.Conversation(), first.Conversation())
			}
		})
	}
	flat := func(e chat.Event) chat.Event { e.Flat = true; return e }
	if again := flat(chat.Event{Kind: chat.Said, By: ana, Place: in("C1", "0.9"), Message: "1.1"}); flat(first).Conversation() != again.Conversation() {
		t.Error("where there are no threads, what is said is not in order")
	}
	form := chat.Event{Kind: chat.Submitted, By: ana, Place: in("", "")}
	if again := (chat.Event{Kind: chat.Commanded, By: ana, Place: in("", "")}); form.Conversation() != again.Conversation() {
		t.Error("what one person does outside of any thread is not in order")
	}
	if other := (chat.Event{Kind: chat.Submitted, By: ben, Place: in("", "")}); form.Conversation() == other.Conversation() {
		t.Error("two persons wait for each other")
	}
}

func TestOneValue(t *testing.T) {
	t.Parallel()
	v := chat.Values{"title": {"No sound"}, "who": {"U1", "U2"}, "none": {}}
	for name, want := range map[string]string{"title": "No sound", "who": "U1", "none": "", "missing": ""} {
		if got := v.One(name); got != want {
			t.Errorf("One(%q) = %q, want %q", name, got, want)
		}
	}
	if got := chat.Values(nil).One("title"); got != "" {
		t.Errorf("One of nothing = %q", got)
	}
}
