package teams

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/deskhand/deskhand/bot/chat"
)

func TestWhoJoinsATeamJoinsItsChannels(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	o.gets(o.sample("message-channel")) // by which the channel is known
	act := o.sample("conversationUpdate-membersAdded-channel")
	o.gets(act)
	act["membersRemoved"], act["id"] = act["membersAdded"], "another"
	delete(act, "membersAdded")
	o.gets(act)
	var joined, left []string
	keys := map[string]bool{}
	for _, e := range o.desk.took() {
		switch e.Kind {
		case chat.Joined:
			joined = append(joined, e.Place.Channel)
		case chat.Left:
			left = append(left, e.Place.Channel)
		}
		if keys[e.Key] {
			t.Errorf("two events have the key %s", e.Key)
		}
		keys[e.Key] = true
	}
	slices.Sort(joined)
	slices.Sort(left)
	if want := []string{teamID, incident}; !slices.Equal(joined, want) || !slices.Equal(left, want) {
		t.Errorf("joined %q, left %q; want %q", joined, left, want)
	}
}

func TestReactionsAreAboutMessagesThatWereHeard(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	said := o.sample("message-channel")
	said["id"] = "1795227398020"
	said["conversation"].(map[string]any)["id"] = incident + ";messageid=1795227398020"
	o.gets(said)
	act := o.sample("message-channel")
	act["type"], act["id"], act["replyToId"] = "messageReaction", "f:1", "1795227398020"
	act["conversation"].(map[string]any)["id"] = incident + ";messageid=1795227398020"
	act["reactionsAdded"] = []any{map[string]any{"type": "like"}, map[string]any{"type": "1f3ab_ticket"}}
	act["reactionsRemoved"] = []any{map[string]any{"type": "sad"}}
	delete(act, "text")
	o.gets(act)
	got := o.desk.took()[1:]
	if len(got) != 3 || got[0].Emoji != "+1" || got[1].Emoji != "ticket" || got[2].Kind != chat.Unreacted || got[2].Emoji != "cry" {
		t.Fatalf("the reactions came as %+v", got)
	}
	for _, e := range got {
		if e.Message != "1795227398020" || e.Place != o.place(incident, "") || e.Author.ID != alex {
			t.Errorf("a reaction came as %+v", e)
		}
	}
	m, err := o.Message(t.Context(), got[1].Place, got[1].Message)
	if err != nil || m.Text != "following up" || m.Kind != chat.Said || m.By.ID != alex {
		t.Errorf("Message() = %+v, %v", m, err)
	}
	if _, err := o.Message(t.Context(), got[1].Place, "never-heard"); !errors.Is(err, chat.ErrGone) {
		t.Errorf("a message that was never heard: %v, want ErrGone", err)
	}
	if got[0].Key == got[1].Key || got[1].Key == got[2].Key {
		t.Error("two reactions have one key")
	}
}

func TestRecentMessagesAreBounded(t *testing.T) {
	t.Parallel()
	var r recent
	for i := range 3 * mostRecent {
		r.add(chat.Event{Place: chat.Place{Channel: "c"}, Message: strings.Repeat("x", i%7) + string(rune(i+1000))})
	}
	if len(r.said) > mostRecent || len(r.row) > mostRecent {
		t.Errorf("%d messages are kept", len(r.said))
	}
}

func TestFilesOfOthersAreNotFetched(t *testing.T) {
	t.Parallel()
	o := heard(t)
	for _, address := range []string{
		"", "https://evil.example/x", byLink + "https://evil.example/x", byToken + "https://evil.example/x", byLink + "file:///etc/passwd",
		byLink + "http://169.254.169.254/latest/meta-data", byLink + "http://acme.sharepoint.com/x", byLink + "https://acme.sharepoint.com:8443/x",
		byLink + "https://sharepoint.com.evil.example/x", byLink + "https://user@acme.sharepoint.com/x", byToken + "https://acme.sharepoint.com/x",
		byToken + strings.Replace(o.ms.service(), "127.0.0.1", "127.0.0.2", 1),
	} {
		if _, err := o.Fetch(t.Context(), chat.File{Name: "x", URL: address}, 100); !errors.Is(err, chat.ErrGone) {
			t.Errorf("Fetch(%q): %v, want ErrGone", address, err)
		}
	}
	if calls := o.ms.made(); len(calls) > 0 {
		t.Errorf("it has called %+v", calls)
	}
	// A redirection takes the token nowhere else.
	o.ms.answers(func(c call) (int, map[string]string, string) {
		if strings.HasSuffix(c.Path, "original") {
			return 302, map[string]string{"Location": "https://evil.example/steal"}, ""
		}
		return 200, nil, "data"
	})
	if _, err := o.Fetch(t.Context(), chat.File{Name: "x", URL: byToken + o.ms.service() + "/v3/attachments/1/views/original"}, 100); !errors.Is(err, chat.ErrGone) {
		t.Errorf("Fetch with a redirection: %v, want ErrGone", err)
	}
	if data, err := o.Fetch(t.Context(), chat.File{Name: "x", URL: byToken + o.ms.service() + "/v3/attachments/1"}, 100); err != nil || string(data) != "data" {
		t.Errorf("Fetch = %q, %v", data, err)
	}
	if last := o.ms.made(); last[len(last)-1].Auth != "Bearer out-1" {
		t.Errorf("fetched with %q", last[len(last)-1].Auth)
	}
}

func TestProactiveMessagesHaveNowhereToGoYet(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	for _, p := range []chat.Post{message1(), {Kind: chat.Message, User: o.person(alex), Card: chat.Card{Text: "x"}}} {
		if _, err := o.Send(t.Context(), p); err == nil || errors.Is(err, chat.ErrGone) || errors.Is(err, chat.ErrUnsure) {
			t.Errorf("Send before anything has come: %v, want an error that passes", err)
		}
	}
	if calls := o.ms.made(); len(calls) > 0 {
		t.Errorf("it has called %+v", calls)
	}
}
