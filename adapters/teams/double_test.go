package teams

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"image"
	"image/png"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/deskhand/deskhand/adapters/teams/teamstest"
	"github.com/deskhand/deskhand/bot/chat"
)

// meeting is the adapter and a Teams that behaves.
type meeting struct {
	*teamstest.Script
	t     testing.TB
	teams *teamstest.Tenant
	desk  *desk
	a     *Adapter
	book  *memory
}

func meet(t testing.TB, change func(*teamstest.Options)) *meeting {
	t.Helper()
	o := teamstest.Options{Record: 500, Redeliver: []time.Duration{}, App: teamstest.App{Name: "Desk", Commands: []teamstest.Command{
		{ID: "ticket.from_message", Title: "Open a ticket", OnMessage: true},
		{ID: "desk.ask", Title: "Ask the desk"},
		{ID: "search", Title: "Search", Search: true, Parameter: "words"},
	}}}
	if change != nil {
		change(&o)
	}
	m := &meeting{t: t, desk: &desk{}, book: &memory{kept: map[string][]byte{}}}
	var err error
	if m.teams, err = teamstest.New(o); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = m.teams.Close() })
	if err := m.teams.Listen("127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	for _, u := range []teamstest.User{
		{Name: "ana", DisplayName: "Ana Ruiz", Mail: "ana@acme.example", TZ: "Europe/Madrid", Locale: "es-ES"},
		{Name: "ben", DisplayName: "Ben Ode", Mail: "ben@acme.example"},
		{Name: "gil", DisplayName: "Gil Guest", Mail: "gil@elsewhere.example", Guest: true},
	} {
		if _, err := m.teams.AddUser(u); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := m.teams.AddTeam(teamstest.Team{Name: "IT", Members: []string{"ana", "ben", "gil"}}); err != nil {
		t.Fatal(err)
	}
	if _, err := m.teams.AddChannel(teamstest.Channel{Team: "IT", Name: "Triage"}); err != nil {
		t.Fatal(err)
	}
	m.start()
	m.Script = m.teams.Script(t)
	return m
}

// start makes the adapter, anew on the same Book if there was one.
func (m *meeting) start() {
	m.t.Helper()
	var err error
	m.a, err = New(Options{AppID: m.teams.App().ID, AppPassword: m.teams.App().Secret, TenantID: m.teams.ID(),
		MetadataURL: m.teams.OpenIDURL(), TokenURL: m.teams.TokenURL(), GraphURL: m.teams.GraphURL(), Desk: m.desk, Book: m.book, Record: func() string { return "r1" }})
	if err != nil {
		m.t.Fatal(err)
	}
	s := httptest.NewServer(m.a.Handler())
	m.t.Cleanup(s.Close)
	m.teams.Connect(s.URL)
	hasKeys(m.t, m.a)
	if err := m.a.Connect(m.t.Context()); err != nil {
		m.t.Fatal(err)
	}
}

// install adds the desk to a person's own chat, or to the team of a channel. A
// script's people have it in theirs, of which the desk has not heard.
func (m *meeting) install(who, channel string) {
	m.t.Helper()
	p := m.teams.Person(who)
	if channel == "" {
		_ = p.Uninstall("") // it need not be there
	}
	if err := p.Install(channel); err != nil {
		m.t.Fatal(err)
	}
}

func (m *meeting) idle() {
	m.t.Helper()
	ctx, cancel := context.WithTimeout(m.t.Context(), 10*time.Second)
	defer cancel()
	if err := m.teams.Idle(ctx); err != nil {
		m.t.Fatal(err)
	}
}

// event waits until all is delivered and returns the newest event of a kind.
func (m *meeting) event(kind chat.Kind) chat.Event {
	m.t.Helper()
	m.idle()
	all := m.desk.took()
	for i := len(all) - 1; i >= 0; i-- {
		if all[i].Kind == kind {
			return all[i]
		}
	}
	m.t.Fatalf("no event %q among %+v", kind, all)
	return chat.Event{}
}

func (m *meeting) answers(f func(chat.Event) chat.Answer) {
	m.desk.mu.Lock()
	defer m.desk.mu.Unlock()
	m.desk.answer = func(e chat.Event) (chat.Answer, error) { return f(e), nil }
}

// user is somebody as the desk knows them.
func (m *meeting) user(name string) chat.User {
	u, ok := m.teams.User(name)
	if !ok {
		m.t.Fatalf("there is no %s", name)
	}
	return m.a.person(u.ObjectID)
}

func (m *meeting) channel(name string) teamstest.Channel {
	m.t.Helper()
	c, ok := m.teams.Channel(name)
	if !ok {
		m.t.Fatalf("there is no channel %s", name)
	}
	return c
}

// must delivers a post.
func (m *meeting) must(p chat.Post) chat.Ref {
	m.t.Helper()
	p.ID = cmp.Or(p.ID, fmt.Sprintf("%p", &p))
	ref, err := m.a.Send(m.t.Context(), p)
	if err != nil {
		m.t.Fatalf("Send: %v\n%s", err, m.teams.TranscriptAll())
	}
	return ref
}

var ticketCard = chat.Card{Text: "INC-1: VPN drops", Blocks: []chat.Block{
	chat.Heading{Text: "INC-1: VPN drops"},
	chat.Facts{{Label: "Priority", Value: chat.T("High")}},
	chat.Actions{Buttons: []chat.Button{
		{Label: "Claim", Action: "ticket.claim", Args: chat.Args{"t": "1", "v": "1"}, Style: chat.Primary},
		{Label: "Resolve", Action: "ticket.resolve", Args: chat.Args{"t": "1"}, Form: true},
	}},
}}

func claimed(by string) *chat.Card {
	return &chat.Card{Text: "INC-1: VPN drops", Blocks: []chat.Block{chat.Heading{Text: "INC-1: VPN drops"}, chat.Note{Text: chat.T("Claimed by " + by)}}}
}

func TestTheDoubleTakesAllThatIsSent(t *testing.T) {
	t.Parallel()
	m := meet(t, nil)
	ana := m.Person("ana")
	m.install("ana", "")
	m.install("ben", "Triage")
	m.idle()
	triage := m.channel("Triage")

	root := m.must(chat.Post{Kind: chat.Message, Place: m.a.place(triage.ID, ""), Card: ticketCard, Viewers: []chat.User{m.user("ben")}})
	if root.Channel != triage.ID || root.Message == "" {
		t.Errorf("a new post stands at %+v", root)
	}
	m.Channel("Triage").Sees("INC-1: VPN drops", "Claim")
	reply := m.must(chat.Post{Kind: chat.Message, Place: m.a.place(triage.ID, root.Message), Card: chat.Card{Text: "a < b & \"c\"\nnext"}, As: &chat.Persona{Name: "Ana <b>"}})
	m.Channel("Triage").Sees("Ana <b>", `a < b & "c"`)
	for _, at := range []struct {
		ref    chat.Ref
		thread string
	}{{root, ""}, {reply, root.Message}} {
		if err := m.a.Update(t.Context(), at.ref, chat.Post{Kind: chat.Message, Place: m.a.place(triage.ID, at.thread), Card: *claimed("Ben Ode")}); err != nil {
			t.Errorf("Update(%+v): %v", at.ref, err)
		}
	}
	m.Channel("Triage").Sees("Claimed by Ben Ode")

	// To somebody who has never written: ben has only installed it in the team.
	m.must(chat.Post{Kind: chat.Message, User: m.user("ana"), Card: chat.Card{Text: "You have a reply."}})
	ana.Sees("You have a reply.")
	m.must(chat.Post{Kind: chat.Whisper, Place: m.a.place(triage.ID, root.Message), User: m.user("ana"), Card: chat.Card{Text: "Only the team can."}})
	ana.Sees("Only the team can.", "this conversation")
	for _, kind := range []chat.PostKind{chat.Home, chat.React, chat.Unreact} {
		before := len(m.teams.Calls())
		m.must(chat.Post{Kind: kind, Place: m.a.place(triage.ID, ""), User: m.user("ana"), Card: ticketCard, Emoji: "+1", Target: root.Message})
		if got := len(m.teams.Calls()); got != before {
			t.Errorf("%s makes %d calls", kind, got-before)
		}
	}

	var small bytes.Buffer
	if err := png.Encode(&small, image.NewRGBA(image.Rect(0, 0, 4, 4))); err != nil {
		t.Fatal(err)
	}
	m.a.fileURL = func(f chat.Attachment) string { return "https://desk.example/files/" + f.ID }
	m.must(chat.Post{Kind: chat.Message, User: m.user("ana"), Card: chat.Card{Text: "Ben sent files"}, Files: []chat.Attachment{
		{ID: "1", Name: "shot.png", MIME: "image/png", Data: small.Bytes()}, {ID: "2", Name: "log.txt", Data: []byte("x")}}})
	ana.Sees("Ben sent files", "log.txt")
}

func TestPressInPlace(t *testing.T) {
	t.Parallel()
	m := meet(t, nil)
	ben := m.Person("ben")
	m.install("ben", "Triage")
	m.idle()
	triage := m.channel("Triage")
	ref := m.must(chat.Post{Kind: chat.Message, Place: m.a.place(triage.ID, ""), Card: ticketCard})

	m.answers(func(e chat.Event) chat.Answer { return chat.Answer{Card: claimed("Ben Ode")} })
	ben.In("Triage").Press("Claim").Sees("Claimed by Ben Ode")
	e := m.event(chat.Pressed)
	if e.Action != "ticket.claim" || e.Args["v"] != "1" || !e.InCall || !e.InPlace || e.Place != m.a.place(triage.ID, "") || e.Message != ref.Message || e.By != m.user("ben") {
		t.Errorf("the press came as %+v", e)
	}

	m.answers(func(e chat.Event) chat.Answer {
		return chat.Answer{Private: &chat.Card{Text: "Ben took it 4 s before you."}}
	})
	m.Person("ana").In("Triage").Press("Claim").Sees("Ben took it 4 s before you.")

	// Repeated, it shows how the card stands.
	asked := 0
	m.answers(func(e chat.Event) chat.Answer {
		if asked++; e.Kind == chat.Viewed {
			return chat.Answer{Card: claimed("Ben Ode")}
		}
		return chat.Answer{}
	})
	m.Person("gil").In("Triage").Press("Claim").Sees("Claimed by Ben Ode")
}

func TestViewsOfOnesOwn(t *testing.T) {
	t.Parallel()
	m := meet(t, nil)
	ben := m.Person("ben")
	m.install("ben", "Triage")
	m.idle()
	triage := m.channel("Triage")
	m.answers(func(e chat.Event) chat.Answer { return chat.Answer{Card: claimed("you")} })
	m.must(chat.Post{Kind: chat.Message, Place: m.a.place(triage.ID, ""), Card: ticketCard, Viewers: []chat.User{m.user("ben"), m.user("ana")}})
	if err := ben.Person().Look(triage.ID); err != nil {
		t.Fatal(err)
	}
	if e := m.event(chat.Viewed); e.By != m.user("ben") || !e.InCall || e.Message == "" {
		t.Errorf("the look came as %+v", e)
	}
	ben.In("Triage").Sees("Claimed by you")
}

func TestDialogs(t *testing.T) {
	t.Parallel()
	m := meet(t, nil)
	ana := m.Person("ana")
	m.install("ana", "")
	m.idle()
	m.must(chat.Post{Kind: chat.Message, User: m.user("ana"), Card: ticketCard})
	form := chat.Form{Action: "ticket.resolve", Args: chat.Args{"t": "1"}, Title: "Resolve INC-1", Submit: "Resolve", Fields: []chat.Field{
		{Name: "note", Label: "What helped?", Input: chat.Paragraph},
		{Name: "who", Label: "Who is affected?", Input: chat.Choice, Value: []string{"me"}, Options: []chat.Option{{Value: "me", Label: "Only me"}, {Value: "team", Label: "My team"}}},
		{Name: "article", Label: "Article", Input: chat.Search, Optional: true},
	}}
	m.answers(func(e chat.Event) chat.Answer {
		switch {
		case e.Kind == chat.Pressed:
			return chat.Answer{Form: &form}
		case e.Kind == chat.Searched:
			return chat.Answer{Options: []chat.Option{{Value: "12", Label: "Keep the VPN connected"}}}
		case e.Values.One("note") == "x":
			return chat.Answer{Errors: map[string]string{"note": "A little more, please."}}
		}
		return chat.Answer{}
	})
	ana.Press("Resolve").SeesForm("Resolve INC-1", "What helped?")
	ana.Fill("What helped?", "x").SubmitRefused("A little more, please.")
	first := m.event(chat.Submitted)
	ana.SeesForm("A little more, please.").Fill("What helped?", "A restart").Fill("Who is affected?", "My team").Fill("Article", "Keep the VPN connected").Submits().SeesNoForm()
	e := m.event(chat.Submitted)
	if e.Action != "ticket.resolve" || e.Args["t"] != "1" || e.Values.One("note") != "A restart" || e.Values.One("who") != "team" || e.Values.One("article") != "12" {
		t.Errorf("the form came as %+v", e)
	}
	if e.Key == first.Key || e.View == "" || e.View != first.View || !e.At.Equal(first.At) {
		t.Errorf("two submissions of one dialog are\n%+v\n%+v", first, e)
	}
	if s := m.event(chat.Searched); s.Action != "article" || s.Args["t"] != "1" {
		t.Errorf("type-ahead came as %+v", s)
	}

	// Sent twice, as Teams does when an answer is slow, it is the same event.
	var sent teamstest.Delivery
	for _, d := range m.teams.Deliveries() {
		if d.Name == "task/submit" {
			sent = d
		}
	}
	var act map[string]any
	if err := json.Unmarshal(sent.Body, &act); err != nil {
		t.Fatal(err)
	}
	act["id"], act["timestamp"] = "another-id", time.Now().Add(20*time.Second).UTC().Format(time.RFC3339Nano)
	w := httptest.NewRecorder()
	req := httptest.NewRequest(http.MethodPost, "/api/messages", bytes.NewReader(encoded(act)))
	req.Header.Set("Authorization", "Bearer "+m.teams.Token())
	m.a.Handler().ServeHTTP(w, req)
	if again := m.event(chat.Submitted); w.Code != http.StatusOK || again.Key != e.Key || !again.At.Equal(e.At) {
		t.Errorf("a repetition (%d) has the key %s at %s, the first had %s at %s", w.Code, again.Key, again.At, e.Key, e.At)
	}
}

func TestMessageExtension(t *testing.T) {
	t.Parallel()
	m := meet(t, nil)
	ana, ben := m.Person("ana"), m.Person("ben")
	m.install("ben", "Triage")
	ana.In("Triage").Says("the printer on floor 2 is out of toner")
	m.idle()
	form := chat.Form{Action: "open.send", Title: "Open a ticket", Submit: "Open", Fields: []chat.Field{{Name: "title", Label: "Title", Input: chat.Line, Value: []string{"Printer"}}}}
	m.answers(func(e chat.Event) chat.Answer {
		switch e.Kind {
		case chat.Picked, chat.Started:
			return chat.Answer{Form: &form}
		case chat.Browsed:
			return chat.Answer{Finds: []chat.Find{{Title: "INC-7", Text: "Out of toner", Card: chat.Card{Text: "INC-7: out of toner"}}}}
		}
		return chat.Answer{}
	})
	ben.In("Triage").Uses("Open a ticket", "out of toner").SeesForm("Open a ticket").Submits().SeesNoForm()
	e := m.event(chat.Picked)
	if e.Action != "ticket.from_message" || e.Text != "the printer on floor 2 is out of toner" || e.Author != m.user("ana") || e.By != m.user("ben") ||
		e.Place.Channel != m.channel("Triage").ID || e.Message == "" || e.Place.Thread != "" {
		t.Errorf("the command came as %+v", e)
	}
	if s := m.event(chat.Submitted); s.Action != "open.send" || s.Values.One("title") != "Printer" || s.Place.Channel != e.Place.Channel {
		t.Errorf("its form came as %+v", s)
	}
	ben.In("Triage").Finds("Search", "toner", "INC-7")
	if e := m.event(chat.Browsed); e.Text != "toner" {
		t.Errorf("the search came as %+v", e)
	}

	// Where the desk is not, it goes on in the person's own chat.
	if _, err := m.teams.AddTeam(teamstest.Team{Name: "Sales", Members: []string{"ana", "ben"}}); err != nil {
		t.Fatal(err)
	}
	if _, err := m.teams.AddChannel(teamstest.Channel{Team: "Sales", Name: "Leads"}); err != nil {
		t.Fatal(err)
	}
	ana.In("Leads").Says("who has the good headset?")
	ben.In("Leads").Uses("Open a ticket", "headset").SeesForm("Open a ticket").Closes()
	if e := m.event(chat.Picked); e.Place.Channel != "" || e.Message != "" || e.Text != "who has the good headset?" {
		t.Errorf("the command elsewhere came as %+v", e)
	}
}

func TestBadTokensOfTheDouble(t *testing.T) {
	t.Parallel()
	m := meet(t, nil)
	body := m.teams.Activity("ana", "hello", nil)
	for _, bad := range teamstest.Bads {
		w := httptest.NewRecorder()
		req := httptest.NewRequest(http.MethodPost, "/api/messages", bytes.NewReader(body))
		req.Header.Set("Authorization", "Bearer "+m.teams.BadToken(bad))
		m.a.Handler().ServeHTTP(w, req)
		if w.Code != http.StatusUnauthorized && w.Code != http.StatusForbidden {
			t.Errorf("%s: answered %d", bad, w.Code)
		}
	}
	if got := m.desk.took(); len(got) > 0 {
		t.Errorf("the desk was given %+v", got)
	}
	if len(m.book.kept) > 0 {
		t.Errorf("something was kept of them: %v", m.book.kept)
	}
}
