package teams

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/deskhand/deskhand/adapters/teams/teamstest"
	"github.com/deskhand/deskhand/bot/chat"
)

// watched is a meeting with a team and a group chat in which the desk may read,
// and the team IT, in which it may not.
func watched(t *testing.T, change func(*teamstest.Options)) *meeting {
	t.Helper()
	m := meet(t, change)
	if _, err := m.teams.AddTeam(teamstest.Team{Name: "Ops", Members: []string{"ana", "ben"}, AllMessages: true}); err != nil {
		t.Fatal(err)
	}
	for _, c := range []teamstest.Channel{
		{Team: "Ops", Name: "Alerts"},
		{Name: "Lunch", Kind: teamstest.GroupChat, Members: []string{"ana", "ben"}, AllMessages: true},
		{Name: "Dinner", Kind: teamstest.GroupChat, Members: []string{"ana", "gil"}},
	} {
		if _, err := m.teams.AddChannel(c); err != nil {
			t.Fatal(err)
		}
	}
	for _, at := range []string{"Alerts", "Triage", "Lunch", "Dinner"} {
		m.install("ana", at)
	}
	m.install("ana", "")
	m.idle()
	m.a.graph.lag = time.Millisecond
	return m
}

// in is a post to a conversation.
func (m *meeting) in(id, channel, thread string, c chat.Card) chat.Post {
	return chat.Post{ID: id, Kind: chat.Message, Place: m.a.place(m.channel(channel).ID, thread), Card: c}
}

// lost sends a post whose answer is lost, and says that it stands there.
func (m *meeting) lost(p chat.Post) {
	m.t.Helper()
	m.teams.FailNext("", teamstest.Fault{Lose: true})
	if _, err := m.a.Send(m.t.Context(), p); !errors.Is(err, chat.ErrUnsure) {
		m.t.Fatalf("a lost answer is %v", err)
	}
	m.idle() // until the call is on record
}

func (m *meeting) find(p chat.Post) (chat.Ref, bool) {
	m.t.Helper()
	ref, found, err := m.a.Find(m.t.Context(), p)
	if err != nil {
		m.t.Fatalf("Find: %v\n%s", err, m.teams.TranscriptAll())
	}
	return ref, found
}

// last is the newest message of a conversation.
func (m *meeting) last(channel string) teamstest.Message {
	m.t.Helper()
	var is teamstest.Message
	for _, c := range m.teams.Calls() {
		if c.Posted == "" {
			continue
		}
		if got, ok := m.teams.Message(m.channel(channel).ID, c.Posted); ok {
			is = got
		}
	}
	return is
}

func TestALostMessageIsFoundWhereTheDeskMayRead(t *testing.T) {
	t.Parallel()
	m := watched(t, nil)
	for _, tt := range []struct {
		name    string
		channel string
		thread  bool
		card    chat.Card
	}{
		{"a new post of a channel", "Alerts", false, ticketCard},
		{"an answer in a thread", "Alerts", true, ticketCard},
		{"nothing but words", "Alerts", true, chat.Card{Text: "I have told them."}},
		{"in a group chat", "Lunch", false, ticketCard},
		{"nothing but words, in a group chat", "Lunch", false, chat.Card{Text: "I have told them."}},
	} {
		p := m.in("17", tt.channel, "", tt.card)
		if tt.thread {
			p.Place.Thread = m.must(m.in("", tt.channel, "", ticketCard)).Message
		}
		if ref, found := m.find(p); found {
			t.Errorf("%s: found at %+v before it was sent", tt.name, ref)
		}
		m.lost(p)
		want := m.last(tt.channel)
		if ref, found := m.find(p); !found || ref.Channel != want.Channel || ref.Message != want.ID || want.Thread != p.Place.Thread {
			t.Errorf("%s: found (%v) at %+v, want %s in the thread %q", tt.name, found, ref, want.ID, want.Thread)
		}
		// Edited it is still the same.
		if err := m.a.Update(t.Context(), chat.Ref{Channel: want.Channel, Message: want.ID}, chat.Post{ID: p.ID, Kind: p.Kind, Place: p.Place, Card: *claimed("Ben")}); err != nil {
			t.Fatal(err)
		}
		if ref, found := m.find(p); !found || ref.Message != want.ID {
			t.Errorf("%s: edited, found (%v) at %+v", tt.name, found, ref)
		}
		// The same words in another post, in another's mouth, or of another desk are
		// others.
		p.ID = "1"
		if ref, found := m.find(p); found {
			t.Errorf("%s: another post is taken for it at %+v", tt.name, ref)
		}
		if err := m.teams.Person("ana").Uninstall(tt.channel); err != nil {
			t.Fatal(err)
		}
		if _, found := m.find(p); found {
			t.Errorf("%s: found where the desk was removed", tt.name)
		}
		m.install("ana", tt.channel)
		p.ID = "17"
		another := m.a.record() + "x"
		m.a.record = func() string { return another }
		if _, found := m.find(p); found {
			t.Errorf("%s: another desk takes it for its own", tt.name)
		}
	}
}

func TestACardThatSomebodyPassesOnIsTheirs(t *testing.T) {
	t.Parallel()
	m := watched(t, nil)
	p := m.in("17", "Lunch", "", ticketCard)
	m.lost(p)
	var js json.RawMessage
	for _, x := range m.last("Lunch").Attachments {
		js = x.Content
	}
	if _, err := m.teams.Person("ana").Insert(teamstest.Found{Card: js}, teamstest.Post{Channel: m.channel("Lunch").ID}); err != nil {
		t.Fatal(err)
	}
	if ref, found := m.find(p); !found || ref.Message != m.last("Lunch").ID {
		t.Errorf("found (%v) at %+v, the desk's own is %s", found, ref, m.last("Lunch").ID)
	}
}

func TestALostMessageIsFoundLate(t *testing.T) {
	t.Parallel()
	m := watched(t, func(o *teamstest.Options) { o.GraphLag = 100 * time.Millisecond })
	m.a.graph.lag = time.Second
	p := m.in("17", "Alerts", "", ticketCard)
	m.lost(p)
	if _, found := m.find(p); !found {
		t.Error("what Graph shows a moment later is not found")
	}
}

func TestALostMessageIsFoundFarBack(t *testing.T) {
	t.Parallel()
	m := watched(t, nil)
	p := m.in("17", "Alerts", "", ticketCard)
	m.lost(p)
	root := m.must(m.in("18", "Alerts", "", ticketCard)).Message
	for thread, lost := range map[string]chat.Post{"": p, root: m.in("19", "Alerts", root, ticketCard)} {
		if thread != "" {
			m.lost(lost)
		}
		for range findPage + 5 {
			m.must(m.in("", "Alerts", thread, chat.Card{Text: "more"}))
		}
		if _, found := m.find(lost); !found {
			t.Errorf("post %s is not found behind %d others", lost.ID, findPage+5)
		}
		// What was there before the post was made is not it, and not looked at.
		lost.Queued = time.Now().Add(time.Hour)
		before := m.teams.Stats().Calls
		if _, found := m.find(lost); found && thread == "" {
			t.Errorf("post %s is found before it was made", lost.ID)
		}
		after := m.teams.Stats().Calls
		if calls := after["channelMessages"] - before["channelMessages"]; thread == "" && calls != 2 {
			t.Errorf("it was looked for with %d calls, want one page twice", calls)
		}
	}
}

func TestWhereTheDeskMayNotReadNothingIsFoundAndNothingWaits(t *testing.T) {
	t.Parallel()
	m := watched(t, nil)
	for _, tt := range []struct {
		name string
		post chat.Post
		asks string // of Graph
	}{
		{"a team without the permission", m.in("1", "Triage", "", ticketCard), "Forbidden"},
		{"a group chat without it", m.in("2", "Dinner", "", ticketCard), "Forbidden"},
		{"a thread that is gone", m.in("3", "Alerts", "1600000000000", ticketCard), "NotFound"},
		{"somebody's own chat", chat.Post{ID: "4", Kind: chat.Message, User: m.user("ana"), Card: ticketCard}, ""},
		{"a whisper", chat.Post{ID: "5", Kind: chat.Whisper, Place: m.a.place(m.channel("Alerts").ID, ""), User: m.user("ana")}, ""},
		{"a channel of an unknown team", chat.Post{ID: "6", Kind: chat.Message, Place: m.a.place("19:nowhere@thread.tacv2", "")}, ""},
	} {
		before := len(m.teams.Calls())
		if ref, found := m.find(tt.post); found {
			t.Errorf("%s: found at %+v", tt.name, ref)
		}
		answered := ""
		for _, c := range m.teams.Calls()[before:] {
			if c.Op != "token" && c.Op != "team" {
				answered = c.Error
			}
		}
		if answered != tt.asks {
			t.Errorf("%s: Graph answered %q, want %q", tt.name, answered, tt.asks)
		}
	}
	own, _ := m.teams.Person("ana").Chat()
	if _, found := m.find(chat.Post{ID: "7", Kind: chat.Message, Place: m.a.place(own, "")}); found {
		t.Error("found in somebody's own chat, by its id")
	}
}

func TestAPostWaitsForGraphButNotForEver(t *testing.T) {
	t.Parallel()
	now := time.Now()
	for name, fault := range map[string]teamstest.Fault{
		"it fails":              {Status: http.StatusServiceUnavailable},
		"it is asked too often": {RetryAfter: time.Minute},
		"its answer is lost":    {Lose: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := watched(t, nil)
			at := now
			m.a.now = func() time.Time { return at }
			away := func(c teamstest.Call) teamstest.Fault {
				if c.Op == "channelMessages" {
					return fault
				}
				return teamstest.Fault{}
			}
			m.teams.OnCall(away)
			p := m.in("17", "Alerts", "", ticketCard)
			for range 2 { // having given up once, it has the same patience again
				for _, after := range []time.Duration{0, time.Minute, findPatience - 2*time.Minute} {
					at = at.Add(after)
					if _, found, err := m.a.Find(t.Context(), p); err == nil || found || shut(err) {
						t.Fatalf("after %s it is found (%v) or not, with error %v; want to try again", after, found, err)
					}
				}
				at = at.Add(time.Minute)
				if _, found := m.find(p); found {
					t.Error("found while Graph is away")
				}
			}
			m.teams.OnCall(nil)
			m.lost(p)
			if _, found := m.find(p); !found {
				t.Error("not found when Graph is back")
			}
		})
	}
}

func TestOnlyGraphGetsItsToken(t *testing.T) {
	t.Parallel()
	o := heard(t, func(o *Options) {
		o.GraphURL = o.TokenURL[:strings.LastIndex(o.TokenURL, "/")] + "/graph"
		o.Record = func() string { return "r1" }
	})
	o.graph.lag = 0
	if err := o.book.learn(t.Context(), teamKey(teamID), func(r *reference) { r.Group = "group-1" }); err != nil {
		t.Fatal(err)
	}
	for name, tt := range map[string]struct{ body, wants string }{
		"the next page is elsewhere":    {`{"value": [], "@odata.nextLink": "https://evil.example/v1.0/teams"}`, ""},
		"the next page is not safe":     {`{"value": [], "@odata.nextLink": "http://graph.microsoft.com/v1.0"}`, ""},
		"what is old ends it":           {`{"value": [{"id": "1", "lastModifiedDateTime": "2021-03-28T20:48:29.832Z", "from": null}], "@odata.nextLink": "NEXT"}`, ""},
		"an empty page does not end it": {`{"value": [], "@odata.nextLink": "NEXT"}`, ""},
		"something else":                {`{"value": {"id": 7}}`, "not what it should be"},
		"a page":                        {"<!DOCTYPE html><html></html>", "not what it should be"},
	} {
		calls := len(o.ms.made())
		o.ms.answers(func(call) (int, map[string]string, string) {
			return http.StatusOK, nil, strings.ReplaceAll(tt.body, "NEXT", o.graph.url+"/v1.0/next")
		})
		p := chat.Post{ID: "17" + name, Kind: chat.Message, Place: o.place(incident, ""), Queued: noon}
		_, found, err := o.Find(t.Context(), p)
		if found || fmt.Sprint(err) == "<nil>" != (tt.wants == "") || err != nil && !strings.Contains(err.Error(), tt.wants) {
			t.Errorf("%s: found (%v), error %v", name, found, err)
		}
		made := o.ms.made()[calls:]
		pages := 2 // it is looked twice
		if name == "an empty page does not end it" {
			pages = findPages + 1
		} else if tt.wants != "" {
			pages = findTries
		}
		if len(made) != pages {
			t.Errorf("%s: %d calls, want %d", name, len(made), pages)
		}
		for _, c := range made {
			if c.Auth != "Bearer graph" || !strings.HasPrefix(c.Path, "/graph/v1.0/") {
				t.Errorf("%s: %s was called with %q", name, c.Path, c.Auth)
			}
		}
	}
}

func TestDoctorTellsWhereTheDeskMayNotLookBack(t *testing.T) {
	t.Parallel()
	m := watched(t, nil)
	history := func() Finding {
		t.Helper()
		for _, f := range m.a.checkHistory(t.Context()) {
			return f
		}
		t.Fatal("nothing is said of it")
		return Finding{}
	}
	f := history()
	if f.OK || !strings.Contains(f.Text, "2 of 4") || !strings.Contains(f.Text, "the team IT") || !strings.Contains(f.Text, "a group chat") || strings.Contains(f.Text, "Ops") || !strings.Contains(f.Fix, "deskhand teams package") {
		t.Errorf("without the permission in two places: %+v", f)
	}
	// Where the desk was removed nobody minds.
	for _, at := range []string{"Triage", "Dinner"} {
		if err := m.teams.Person("ana").Uninstall(at); err != nil {
			t.Fatal(err)
		}
	}
	if f := history(); !f.OK || !strings.Contains(f.Text, "all of 2") {
		t.Errorf("with it everywhere: %+v", f)
	}
	m.teams.OnCall(teamstest.Share(1, teamstest.Fault{Status: http.StatusServiceUnavailable}, "channelMessages"))
	if f := history(); f.OK || !strings.Contains(f.Fix, "DESKHAND_TEAMS_GRAPH_URL") {
		t.Errorf("while Graph is away: %+v", f)
	}
}
