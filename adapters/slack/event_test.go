package slack

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/deskhand/deskhand/bot/chat"
)

var desk = identity{team: "T1", name: "Acme", user: "U0DESK", app: "A1"}

func person(id string) chat.User { return chat.User{Platform: "slack", Workspace: "T1", ID: id} }
func place(channel, thread string) chat.Place {
	return chat.Place{Platform: "slack", Workspace: "T1", Channel: channel, Thread: thread}
}

// callback wraps an event as the Events API does.
func callback(event string) string {
	return `{"token":"x","team_id":"T1","api_app_id":"A1","type":"event_callback","event_id":"Ev1","event_time":1700000000,"event":` + event + `}`
}

func decode(body string) (chat.Event, error) {
	env, err := decodeEnvelope([]byte(body))
	if err != nil {
		return chat.Event{}, err
	}
	return env.event(desk)
}

func TestEvents(t *testing.T) {
	t.Parallel()
	at := time.Unix(1_700_000_000, 123_456_000).UTC()
	whole := time.Unix(1_700_000_000, 0).UTC()
	for _, tt := range []struct {
		name, event string
		want        chat.Event
	}{
		{"a message in a channel",
			`{"type":"message","channel":"C1","user":"U1","text":"hi &amp; help","ts":"1700000000.123456","event_ts":"1700000000.123456","channel_type":"channel","blocks":[{"type":"rich_text"}]}`,
			chat.Event{Key: "m:C1:1700000000.123456", At: at, Kind: chat.Said, By: person("U1"), Place: place("C1", ""), Scope: chat.Open, Text: "hi & help", Message: "1700000000.123456"}},
		{"a reply in a direct message, with a file",
			`{"type":"message","subtype":"file_share","channel":"D1","user":"U1","text":"","ts":"1700000000.123456","thread_ts":"1699999999.000001","channel_type":"im","files":[{"id":"F1","name":"a.png","mimetype":"image/png","size":12,"url_private":"https://files.slack.com/a","url_private_download":"https://files.slack.com/b"},{"id":"F2","mode":"tombstone"}]}`,
			chat.Event{Key: "m:D1:1700000000.123456", At: at, Kind: chat.Said, By: person("U1"), Place: place("D1", "1699999999.000001"), Scope: chat.Direct, Message: "1700000000.123456",
				Files: []chat.File{{ID: "F1", Name: "a.png", MIME: "image/png", Size: 12, URL: "https://files.slack.com/b"}}}},
		{"the first message of a thread is in no thread",
			`{"type":"message","channel":"G1","user":"U1","text":"hi","ts":"1700000000.123456","thread_ts":"1700000000.123456","channel_type":"mpim"}`,
			chat.Event{Key: "m:G1:1700000000.123456", At: at, Kind: chat.Said, By: person("U1"), Place: place("G1", ""), Scope: chat.Group, Text: "hi", Message: "1700000000.123456"}},
		{"a mention as a message",
			`{"type":"message","channel":"C1","user":"U1","text":"<@U0DESK> hi","ts":"1700000000.123456","channel_type":"channel"}`,
			chat.Event{Key: "m:C1:1700000000.123456", At: at, Kind: chat.Said, By: person("U1"), Place: place("C1", ""), Scope: chat.Open, Text: "hi", Mentioned: true, Message: "1700000000.123456"}},
		{"the same mention as app_mention",
			`{"type":"app_mention","channel":"C1","user":"U1","text":"<@U0DESK> hi","ts":"1700000000.123456","event_ts":"1700000000.123456"}`,
			chat.Event{Key: "m:C1:1700000000.123456", At: at, Kind: chat.Said, By: person("U1"), Place: place("C1", ""), Scope: chat.Open, Text: "hi", Mentioned: true, Message: "1700000000.123456"}},
		{"an edit",
			`{"type":"message","subtype":"message_changed","hidden":true,"channel":"C1","ts":"1700000000.123456","event_ts":"1700000000.123456","channel_type":"channel","message":{"type":"message","user":"U1","text":"new","ts":"1699999999.000001","thread_ts":"1699999998.000001","edited":{"user":"U1","ts":"1700000000.000000"}},"previous_message":{"user":"U1","text":"old","ts":"1699999999.000001"}}`,
			chat.Event{Key: "e:C1:1699999999.000001:1700000000.123456", At: at, Kind: chat.Edited, By: person("U1"), Author: person("U1"), Place: place("C1", "1699999998.000001"), Scope: chat.Open, Text: "new", Message: "1699999999.000001", SaidKey: "m:C1:1699999999.000001"}},
		{"an edit of what must have come long ago",
			`{"type":"message","subtype":"message_changed","channel":"C1","event_ts":"1700000000.000000","channel_type":"channel","message":{"type":"message","user":"U1","text":"new","ts":"1699999400.000000","edited":{"user":"U1","ts":"1700000000.000000"}},"previous_message":{"user":"U1","text":"old","ts":"1699999400.000000"}}`,
			chat.Event{Key: "e:C1:1699999400.000000:1700000000.000000", At: whole, Kind: chat.Edited, By: person("U1"), Author: person("U1"), Place: place("C1", ""), Scope: chat.Open, Text: "new", Message: "1699999400.000000"}},
		{"a deletion",
			`{"type":"message","subtype":"message_deleted","hidden":true,"channel":"D1","ts":"1700000000.000000","event_ts":"1700000000.000000","deleted_ts":"1699999999.000001","channel_type":"im","previous_message":{"user":"U1","text":"old","ts":"1699999999.000001"}}`,
			chat.Event{Key: "d:D1:1699999999.000001", At: whole, Kind: chat.Deleted, By: person("U1"), Author: person("U1"), Place: place("D1", ""), Scope: chat.Direct, Message: "1699999999.000001", SaidKey: "m:D1:1699999999.000001"}},
		{"the deletion of a thread's first message",
			`{"type":"message","subtype":"message_changed","channel":"C1","event_ts":"1700000000.000000","channel_type":"channel","message":{"subtype":"tombstone","user":"USLACKBOT","text":"This message was deleted.","ts":"1699999999.000001","thread_ts":"1699999999.000001"},"previous_message":{"user":"U1","text":"old","ts":"1699999999.000001","thread_ts":"1699999999.000001"}}`,
			chat.Event{Key: "d:C1:1699999999.000001", At: whole, Kind: chat.Deleted, By: person("U1"), Author: person("U1"), Place: place("C1", ""), Scope: chat.Open, Message: "1699999999.000001", SaidKey: "m:C1:1699999999.000001"}},
		{"a reaction",
			`{"type":"reaction_added","user":"U2","reaction":"+1::skin-tone-3","item_user":"U1","item":{"type":"message","channel":"C1","ts":"1699999999.000001"},"event_ts":"1700000000.123456"}`,
			chat.Event{Key: "v:Ev1", At: at, Kind: chat.Reacted, By: person("U2"), Author: person("U1"), Place: place("C1", ""), Scope: chat.Open, Message: "1699999999.000001", Emoji: "+1"}},
		{"a reaction taken away",
			`{"type":"reaction_removed","user":"U2","reaction":"ticket","item_user":"U1","item":{"type":"message","channel":"D1","ts":"1699999999.000001"},"event_ts":"1700000000.123456"}`,
			chat.Event{Key: "v:Ev1", At: at, Kind: chat.Unreacted, By: person("U2"), Author: person("U1"), Place: place("D1", ""), Scope: chat.Direct, Message: "1699999999.000001", Emoji: "ticket"}},
		{"somebody joins",
			`{"type":"member_joined_channel","user":"U2","channel":"C1","channel_type":"C","team":"T1","inviter":"U1"}`,
			chat.Event{Key: "v:Ev1", At: whole, Kind: chat.Joined, By: person("U2"), Place: place("C1", ""), Scope: chat.Open}},
		{"the desk is invited to a private channel",
			`{"type":"member_joined_channel","user":"U0DESK","channel":"C2","channel_type":"G","inviter":"U1"}`,
			chat.Event{Key: "v:Ev1", At: whole, Kind: chat.Invited, By: person("U1"), Place: place("C2", ""), Scope: chat.Group}},
		{"somebody leaves",
			`{"type":"member_left_channel","user":"U2","channel":"C1","channel_type":"C"}`,
			chat.Event{Key: "v:Ev1", At: whole, Kind: chat.Left, By: person("U2"), Place: place("C1", ""), Scope: chat.Open}},
		{"the Home tab is opened",
			`{"type":"app_home_opened","user":"U1","channel":"D1","tab":"home","view":{"id":"V1","type":"home"},"event_ts":"1700000000.123456"}`,
			chat.Event{Key: "v:Ev1", At: at, Kind: chat.Visited, By: person("U1"), Place: place("", ""), Scope: chat.Direct}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got, err := decode(callback(tt.event))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestEventsThatAreNothingForTheDesk(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, body string
		want       error
	}{
		{"the desk's own message", callback(`{"type":"message","channel":"C1","user":"U0DESK","bot_id":"B1","text":"hi","ts":"1700000000.1"}`), errNothing},
		{"another bot's message", callback(`{"type":"message","subtype":"bot_message","channel":"C1","bot_id":"B2","text":"hi","ts":"1700000000.1"}`), errNothing},
		{"a message in a bot's name", callback(`{"type":"message","channel":"C1","user":"U1","bot_id":"B2","text":"hi","ts":"1700000000.1"}`), errNothing},
		{"Slackbot", callback(`{"type":"message","channel":"D1","user":"USLACKBOT","text":"reminder","ts":"1700000000.1"}`), errNothing},
		{"a line about joining", callback(`{"type":"message","subtype":"channel_join","channel":"C1","user":"U1","text":"<@U1> has joined","ts":"1700000000.1"}`), errNothing},
		{"an empty message", callback(`{"type":"message","channel":"C1","user":"U1","text":" ","ts":"1700000000.1"}`), errNothing},
		{"a preview of a link", callback(`{"type":"message","subtype":"message_changed","channel":"C1","event_ts":"1700000001.0","message":{"user":"U1","text":"see <https://a.b>","ts":"1700000000.1","attachments":[{}]},"previous_message":{"user":"U1","text":"see <https://a.b>","ts":"1700000000.1"}}`), errNothing},
		{"an update of the desk's card", callback(`{"type":"message","subtype":"message_changed","channel":"C1","event_ts":"1700000001.0","message":{"user":"U0DESK","bot_id":"B1","text":"new","ts":"1700000000.1"},"previous_message":{"text":"old"}}`), errNothing},
		{"the deletion of the desk's card", callback(`{"type":"message","subtype":"message_deleted","channel":"C1","event_ts":"1700000001.0","deleted_ts":"1700000000.1","previous_message":{"user":"U0DESK","bot_id":"B1"}}`), errNothing},
		{"a mention put in by an edit, which comes as an edit too", callback(`{"type":"app_mention","channel":"C1","user":"U1","text":"<@U0DESK>","ts":"1700000000.1","edited":{"user":"U1","ts":"1700000001.0"}}`), errNothing},
		{"the desk's own reaction", callback(`{"type":"reaction_added","user":"U0DESK","reaction":"eyes","item":{"type":"message","channel":"C1","ts":"1.1"},"event_ts":"1700000000.1"}`), errNothing},
		{"a reaction on a file", callback(`{"type":"reaction_added","user":"U1","reaction":"eyes","item":{"type":"file","file":"F1"},"event_ts":"1700000000.1"}`), errNothing},
		{"the messages tab", callback(`{"type":"app_home_opened","user":"U1","channel":"D1","tab":"messages"}`), errNothing},
		{"an unknown type", callback(`{"type":"moon_landed","channel":"C1"}`), errNothing},
		{"an unknown type of other shapes", callback(`{"type":"channel_created","channel":{"id":"C1"},"user":{"id":"U1"}}`), errNothing},
		{"another kind of request", `{"type":"app_uninstalled_somehow","team_id":"T1"}`, errNothing},
		{"another workspace", strings.Replace(callback(`{"type":"message","channel":"C1","user":"U1","text":"hi","ts":"1700000000.1"}`), `"T1"`, `"T2"`, 1), errForeign},
		{"another app", strings.Replace(callback(`{"type":"message","channel":"C1","user":"U1","text":"hi","ts":"1700000000.1"}`), `"A1"`, `"A2"`, 1), errForeign},
		{"no JSON", `hello`, errMalformed},
		{"a list", `[]`, errMalformed},
		{"other shapes in a known type", callback(`{"type":"message","channel":{"id":"C1"}}`), errMalformed},
		{"a message without a time", callback(`{"type":"message","channel":"C1","user":"U1","text":"hi"}`), errMalformed},
		{"a message in no channel", callback(`{"type":"message","user":"U1","text":"hi","ts":"1700000000.1"}`), errMalformed},
		{"an edit of nothing", callback(`{"type":"message","subtype":"message_changed","channel":"C1","event_ts":"1700000001.0"}`), errMalformed},
		{"nested too deep", strings.Repeat(`[`, 100_000), errMalformed},
		{"nested too deep within an event", callback(strings.Repeat(`{"a":`, 50_000) + `1` + strings.Repeat(`}`, 50_000)), errMalformed},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if e, err := decode(tt.body); !errors.Is(err, tt.want) {
				t.Errorf("got %+v, %v; want %v", e, err, tt.want)
			}
		})
	}
}

// In a channel shared with another organisation, events carry their workspace.
func TestEventsOfASharedChannel(t *testing.T) {
	t.Parallel()
	body := `{"team_id":"T9","api_app_id":"A1","type":"event_callback","event_id":"Ev1","event_time":1700000000,"authorizations":[{"team_id":"T1","user_id":"U0DESK","is_bot":true}],"event":{"type":"message","channel":"C1","user":"U9","text":"hi","ts":"1700000000.1","channel_type":"channel"}}`
	e, err := decode(body)
	if err != nil || e.By != person("U9") {
		t.Errorf("got %+v, %v", e, err)
	}
}

func TestStamp(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		in   string
		want time.Time
	}{
		{"1355517523.000005", time.Unix(1355517523, 5000)},
		{"1355517523", time.Unix(1355517523, 0)},
		{"1355517523.5", time.Unix(1355517523, 500_000_000)},
		{"", time.Time{}},
		{"x.y", time.Time{}},
		{"1355517523.-00005", time.Time{}},
		{"-5.0", time.Time{}},
		{"99999999999999999999.0", time.Time{}},
	} {
		got, ok := stamp(tt.in)
		if ok == tt.want.IsZero() || ok && !got.Equal(tt.want) {
			t.Errorf("stamp(%q) = %v, %t; want %v", tt.in, got, ok, tt.want)
		}
	}
}

// sane is what must hold of every event that is handed over.
func sane(t *testing.T, e chat.Event) {
	t.Helper()
	if e.Key == "" || len(e.Key) > maxKey || e.At.IsZero() || e.By.ID == "" || e.By.Workspace != "T1" || e.Kind == "" {
		t.Errorf("an event without key, time, person or kind: %+v", e)
	}
}

func FuzzEvent(f *testing.F) {
	f.Add(callback(`{"type":"message","channel":"C1","user":"U1","text":"<@U0DESK> hi","ts":"1700000000.1","files":[{"id":"F"}]}`))
	f.Add(callback(`{"type":"message","subtype":"message_changed","channel":"C1","event_ts":"1.0","message":{"user":"U1","text":"new","ts":"1.1","edited":{"ts":"1.2","user":"U1"}},"previous_message":{}}`))
	f.Add(callback(`{"type":"message","subtype":"message_deleted","channel":"C1","event_ts":"1.0","deleted_ts":"1.1","previous_message":{"user":"U1"}}`))
	f.Add(callback(`{"type":"reaction_added","user":"U1","reaction":"x","item":{"type":"message","channel":"C1","ts":"1.1"}}`))
	f.Add(callback(`{"type":"member_joined_channel","user":"U0DESK","channel":"C1"}`))
	f.Add(callback(`{"type":"app_home_opened","user":"U1","tab":"home"}`))
	f.Fuzz(func(t *testing.T, body string) {
		e, err := decode(body)
		if err != nil {
			return
		}
		sane(t, e)
		again, err := decode(body)
		if diff := cmp.Diff(e, again); err != nil || diff != "" {
			t.Errorf("decoded again: %v\n%s", err, diff)
		}
	})
}
