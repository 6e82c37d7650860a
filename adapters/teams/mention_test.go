package teams

import (
	"testing"

	"github.com/deskhand/deskhand/adapters/teams/adaptive"
	"github.com/deskhand/deskhand/adapters/teams/teamstest"
	"github.com/deskhand/deskhand/bot/chat"
)

// Whoever is in the conversation is mentioned, and whoever is not is named:
// Teams refuses a card with a mention of somebody who is not there.
func TestMentionsOfWhoeverIsThere(t *testing.T) {
	t.Parallel()
	m := meet(t, nil)
	if _, err := m.teams.AddUser(teamstest.User{Name: "zoe", DisplayName: "Zoe Far", Installed: true}); err != nil {
		t.Fatal(err)
	}
	m.install("ana", "")
	m.install("ben", "Triage")
	m.idle()
	triage := m.channel("Triage")
	saying := func(who string) chat.Card {
		u, ok := m.teams.User(who)
		if !ok {
			t.Fatalf("there is no %s", who)
		}
		return chat.Card{Text: "Ask " + u.DisplayName, Blocks: []chat.Block{chat.Section{Text: chat.Rich{{Text: "Ask "}, {User: m.user(who), Text: u.DisplayName}}}}}
	}
	refused := func() (n int64) {
		for _, c := range m.teams.Stats().Errors {
			n += c
		}
		return n
	}
	for _, tt := range []struct {
		name, who string
		to        chat.Post
		refused   int64
		mentioned bool
	}{
		{"somebody of the team, in its channel", "ben", chat.Post{Place: m.a.place(triage.ID, "")}, 0, true},
		{"somebody else, in the channel", "zoe", chat.Post{Place: m.a.place(triage.ID, "")}, 1, false},
		{"somebody else, in a chat with the desk", "ben", chat.Post{User: m.user("ana")}, 0, false},
	} {
		before := refused()
		tt.to.Kind, tt.to.Card = chat.Message, saying(tt.who)
		ref := m.must(tt.to)
		if got := refused() - before; got != tt.refused {
			t.Errorf("%s: refused %d times, want %d", tt.name, got, tt.refused)
		}
		if err := m.a.Update(t.Context(), ref, tt.to); err != nil {
			t.Errorf("%s: Update: %v", tt.name, err)
		}
		is, ok := m.teams.Message(ref.Channel, ref.Message)
		if !ok || len(is.Attachments) != 1 || adaptive.Mentions(is.Attachments[0].Content) != tt.mentioned {
			t.Errorf("%s: mentioned is not %v: %+v", tt.name, tt.mentioned, is)
		}
	}
	m.Channel("Triage").Sees("Ask @Ben Ode")
	m.Channel("Triage").Sees("Ask @Zoe Far")
	m.Person("ana").Sees("Ask @Ben Ode")
}
