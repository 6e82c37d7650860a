package teamstest_test

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/deskhand/deskhand/adapters/teams/teamstest"
)

func TestASnapshotBringsEverythingBack(t *testing.T) {
	t.Parallel()
	a := newApp(t, teamstest.Options{})
	a.on("invoke", cardReply(card(`{"type":"TextBlock","text":"Mine"}`, "")))
	ana := a.w.Person("ana")
	id := a.post("19:help@thread.tacv2", withCard(card(hello, claim)))
	must(t, ana.Press(teamstest.Act{Channel: "Help", Message: id, Path: "/actions/0"}))
	_, err := ana.Say(teamstest.Post{Channel: "Help", Thread: id, Text: "@Ben Otto look", Images: []teamstest.Upload{{Name: "a.png", Data: []byte("png")}}})
	must(t, err)
	must(t, ana.React("Help", id, "like"))
	must(t, a.w.Person("gus").Install(""))
	a.idle()
	saved, err := a.w.Snapshot()
	must(t, err)

	b, err := teamstest.New(teamstest.Options{})
	must(t, err)
	t.Cleanup(func() { must(t, b.Close()) })
	from := b.Seq()
	must(t, b.Restore(saved))
	if b.URL() != a.w.URL() {
		t.Errorf("before it listens it is at %q, want %s, where it was", b.URL(), a.w.URL())
	}
	must(t, b.Listen("127.0.0.1:0"))
	move := func(s []teamstest.Seen) []teamstest.Seen {
		raw, err := json.Marshal(s)
		must(t, err)
		var moved []teamstest.Seen
		must(t, json.Unmarshal([]byte(strings.ReplaceAll(string(raw), a.w.URL(), b.URL())), &moved))
		return moved
	}
	was, err := ana.Thread("Help", id)
	must(t, err)
	is, err := b.Person("ana").Thread("Help", id)
	must(t, err)
	if diff := cmp.Diff(move(was), move(is)); diff != "" || !is[0].Own {
		t.Errorf("the thread differs (-was +is):\n%s", diff)
	}
	if diff := cmp.Diff(a.w.Users(), b.Users()); diff != "" {
		t.Errorf("people differ (-was +is):\n%s", diff)
	}
	if diff := cmp.Diff(a.w.Channels(), b.Channels()); diff != "" {
		t.Errorf("conversations differ (-was +is):\n%s", diff)
	}
	if up, ok := b.Person("ana").Attachment(is[1].Attachments[0].ContentURL); !ok || string(up.Data) != "png" {
		t.Errorf("the picture is %v", up)
	}
	for _, err := range b.Follow(t.Context(), from) {
		if !errors.Is(err, teamstest.ErrGap) {
			t.Errorf("who follows is told %v", err)
		}
		break
	}
	// What goes on has ids of its own.
	m, err := b.Person("ana").Say(teamstest.Post{Channel: "Help", Text: "next"})
	must(t, err)
	if m.ID <= is[1].ID {
		t.Errorf("the next message is %s, after %s", m.ID, is[1].ID)
	}
}

func TestASnapshotThatIsBrokenChangesNothing(t *testing.T) {
	t.Parallel()
	a := newApp(t, teamstest.Options{})
	before := a.w.Channels()
	saved, err := a.w.Snapshot()
	must(t, err)
	for name, s := range map[string]string{
		"no JSON":               "{",
		"of another app":        strings.Replace(string(saved), a.w.App().ID, "x", 1),
		"of another version":    strings.Replace(string(saved), `"version":1`, `"version":9`, 1),
		"with unknown members":  strings.Replace(string(saved), `"members":["29:ana","29:ben"]`, `"members":["29:x"]`, 1),
		"without a chat":        strings.Replace(string(saved), `"kind":"personal"`, `"kind":"groupChat"`, 1),
		"with an unknown kind":  strings.Replace(string(saved), `"kind":"groupChat"`, `"kind":"circle"`, 1),
		"with somebody twice":   strings.Replace(string(saved), `"id":"29:ben"`, `"id":"29:ana"`, 1),
		"with a nameless team":  strings.Replace(string(saved), `"name":"Service Desk"`, `"name":""`, 1),
		"with messages of none": strings.Replace(string(saved), `"messages":null`, `"messages":[null]`, 1),
	} {
		if s == string(saved) {
			t.Errorf("%s: nothing was broken", name)
		}
		if err := a.w.Restore([]byte(s)); err == nil {
			t.Errorf("a snapshot %s is taken", name)
		}
	}
	if diff := cmp.Diff(before, a.w.Channels()); diff != "" {
		t.Errorf("the tenant has changed (-was +is):\n%s", diff)
	}
}

func TestFollowersSeeWhatIsTheirs(t *testing.T) {
	t.Parallel()
	a := newApp(t, teamstest.Options{})
	a.on("invoke", cardReply(card(hello, "")))
	from := a.w.Seq()
	id := a.post("19:help@thread.tacv2", withCard(card(hello, claim)))
	must(t, a.w.Person("ana").Press(teamstest.Act{Channel: "Help", Message: id, Path: "/actions/0"}))
	a.post(a.chat("ana"), map[string]any{"text": "for ana"})
	a.post("19:group@thread.v2", map[string]any{"text": "for all three"})
	a.idle()
	kinds := func(who string) map[teamstest.ChangeKind]int {
		n := map[teamstest.ChangeKind]int{}
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		for c, err := range a.w.Person(who).Follow(ctx, from) {
			must(t, err)
			n[c.Kind]++
			if c.Message != nil && c.Message.Text == "for all three" {
				break
			}
		}
		return n
	}
	for who, want := range map[string]map[teamstest.ChangeKind]int{
		"ana": {teamstest.MessagePosted: 3, teamstest.CardChanged: 2},
		"ben": {teamstest.MessagePosted: 2},
		"gus": {teamstest.MessagePosted: 1},
	} {
		if diff := cmp.Diff(want, kinds(who)); diff != "" {
			t.Errorf("%s sees (-want +got):\n%s", who, diff)
		}
	}
}

func TestTheListOfConversations(t *testing.T) {
	t.Parallel()
	a := newApp(t, teamstest.Options{})
	a.post(a.chat("ana"), map[string]any{"text": "one"})
	last := a.post(a.chat("ana"), map[string]any{"text": "two"})
	find := func(who, title string) teamstest.Conversation {
		for _, c := range a.w.Person(who).Conversations() {
			if c.Title == title {
				return c
			}
		}
		return teamstest.Conversation{}
	}
	if c := find("ana", "Desk"); c.Unread != 2 || c.Latest != last || !c.Installed {
		t.Errorf("ana's chat is %+v", c)
	}
	must(t, a.w.Person("ana").Read(a.chat("ana"), last))
	if c := find("ana", "Desk"); c.Unread != 0 {
		t.Errorf("after reading it is %+v", c)
	}
	if c := find("ana", "Service Desk / Help"); c.Team.Name != "Service Desk" || len(c.Members) != 2 {
		t.Errorf("the channel is %+v", c)
	}
	if c := find("gus", "Service Desk / Help"); c.ID != "" {
		t.Errorf("gus sees a channel of a team that he is not in")
	}
}

func TestOptionsThatCannotBe(t *testing.T) {
	t.Parallel()
	if _, err := teamstest.New(teamstest.Options{KeepMessages: -1}); err == nil {
		t.Errorf("fewer than no messages are kept")
	}
	a := newApp(t, teamstest.Options{})
	for name, err := range map[string]error{
		"a person without a name":       second(a.w.AddUser(teamstest.User{})),
		"somebody twice":                second(a.w.AddUser(teamstest.User{Name: "ana"})),
		"a mail twice":                  second(a.w.AddUser(teamstest.User{Name: "ana2", Mail: "ANA@acme.test"})),
		"a team of nobody known":        second(a.w.AddTeam(teamstest.Team{Name: "X", Members: []string{"zoe"}})),
		"a channel without a name":      second(a.w.AddChannel(teamstest.Channel{})),
		"a channel in no team":          second(a.w.AddChannel(teamstest.Channel{Name: "x", Team: "none"})),
		"a group of one":                second(a.w.AddChannel(teamstest.Channel{Kind: teamstest.GroupChat, Members: []string{"ana"}})),
		"a second chat with the app":    second(a.w.AddChannel(teamstest.Channel{Kind: teamstest.Personal, Members: []string{"ana"}})),
		"a profile of nobody":           a.w.SetUser(teamstest.User{ID: "29:zoe"}),
		"a profile with another's mail": a.w.SetUser(teamstest.User{ID: "29:ana", Name: "ana", Mail: "ben@acme.test"}),
	} {
		if err == nil {
			t.Errorf("%s is taken", name)
		}
	}
}

func second[T any](_ T, err error) error { return err }
