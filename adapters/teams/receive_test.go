package teams

import (
	"net/http"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/deskhand/deskhand/bot/chat"
)

func TestRecordedActivities(t *testing.T) {
	t.Parallel()
	by := chat.User{Platform: "teams", Workspace: tenantID, ID: alex}
	in := func(channel, thread string) chat.Place {
		return chat.Place{Platform: "teams", Workspace: tenantID, Channel: channel, Thread: thread}
	}
	tests := []struct {
		sample string
		want   *chat.Event // without Key and At
	}{
		{"message-personal", &chat.Event{Kind: chat.Said, By: by, Place: in("a:personal-alex", ""), Scope: chat.Direct, Flat: true,
			Text: "lifecycle", Message: "a30a9a71-4f6d-49cb-ab5b-4b50cdca034b"}},
		{"message-groupChat", &chat.Event{Kind: chat.Said, By: by, Place: in("19:group-chat@thread.v2", ""), Scope: chat.Group, Flat: true,
			Text: "members", Mentioned: true, Message: "fa5c1d45-2f4f-4a64-ad3f-899978366eeb"}},
		{"message-channel", &chat.Event{Kind: chat.Said, By: by, Place: in(incident, "1795227398020"), Scope: chat.Open,
			Text: "following up", Mentioned: true, Message: "0bd0952c-8fd4-4e08-9b7b-082d1e30096b"}},
		{"installationUpdate-add-personal", &chat.Event{Kind: chat.Invited, By: by, Place: in("a:personal-alex", ""), Scope: chat.Direct, Flat: true}},
		{"installationUpdate-add-channel", &chat.Event{Kind: chat.Invited, By: by, Place: in(incident, ""), Scope: chat.Open}},
		{"conversationUpdate-membersAdded-personal", nil},
		{"conversationUpdate-membersAdded-groupChat", nil},
		{"conversationUpdate-membersAdded-channel", &chat.Event{Kind: chat.Joined, By: by, Place: in(teamID, ""), Scope: chat.Open}},
		{"message-submit-personal", nil}, // a card that is none of the desk's
	}
	for _, tt := range tests {
		t.Run(tt.sample, func(t *testing.T) {
			t.Parallel()
			o := newOffice(t)
			o.gets(o.sample(tt.sample))
			if tt.want == nil {
				if got := o.desk.took(); len(got) > 0 {
					t.Errorf("the desk was given %+v", got)
				}
				return
			}
			got := o.event()
			if got.Key == "" || len(got.Key) > 200 || got.At.IsZero() {
				t.Errorf("the event has the key %q and the time %s", got.Key, got.At)
			}
			want := *tt.want
			want.Key, want.At = got.Key, got.At
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("event (-want +got):\n%s", diff)
			}
			o.gets(o.sample(tt.sample)) // a redelivery
			if again := o.desk.took(); len(again) != 2 || again[1].Key != got.Key || !again[1].At.Equal(got.At) {
				t.Errorf("a redelivery has another key or time: %+v", again)
			}
		})
	}
}

func TestProbe(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	for _, method := range []string{http.MethodHead, http.MethodGet, http.MethodPut, http.MethodDelete} {
		req, err := http.NewRequestWithContext(t.Context(), method, o.addr+"/api/messages", nil)
		if err != nil {
			t.Fatal(err)
		}
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		if resp.StatusCode != http.StatusMethodNotAllowed {
			t.Errorf("%s is answered %d, want 405", method, resp.StatusCode)
		}
	}
	if o.log.Len() > 0 {
		t.Errorf("a probe is in the log: %s", o.log)
	}
}
