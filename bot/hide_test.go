package bot

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/deskhand/deskhand/bot/cards"
	"github.com/deskhand/deskhand/bot/chat"
)

func TestPasswordsAreHiddenWhicheverWayTheyCome(t *testing.T) {
	t.Parallel()
	const told, kept = "my password is Sommer2026!", "my password is •••"
	for name, tt := range map[string]struct{ ev, want chat.Event }{
		"a message, a reply, an edit, a command": {chat.Event{Kind: chat.Said, Text: told}, chat.Event{Kind: chat.Said, Text: kept}},
		"a message that somebody picked":         {chat.Event{Kind: chat.Picked, Text: told, Args: chat.Args{"q": "1"}}, chat.Event{Kind: chat.Picked, Text: kept, Args: chat.Args{"q": "1"}}},
		"every field of a form": {
			chat.Event{Kind: chat.Submitted, Action: cards.OpenSend, Values: chat.Values{"title": {told}, "detail": {"it is slow", "pin: 4711"}, "person": {"U1"}}},
			chat.Event{Kind: chat.Submitted, Action: cards.OpenSend, Values: chat.Values{"title": {kept}, "detail": {"it is slow", "pin: •••"}, "person": {"U1"}}}},
		"but an article, which is to be read": {
			chat.Event{Kind: chat.Submitted, Action: cards.ArticleEdit, Values: chat.Values{"answer": {"The password is guest-2026."}}},
			chat.Event{Kind: chat.Submitted, Action: cards.ArticleEdit, Values: chat.Values{"answer": {"The password is guest-2026."}}}},
	} {
		given := tt.ev.Values["detail"]
		if diff := cmp.Diff(tt.want, new(Desk).Hide(tt.ev)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
		if given != nil && given[1] != "pin: 4711" {
			t.Errorf("%s: the event itself was changed", name)
		}
	}
}
