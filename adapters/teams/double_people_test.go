package teams

import (
	"strings"
	"sync"
	"testing"

	"github.com/deskhand/deskhand/adapters/teams/teamstest"
	"github.com/deskhand/deskhand/bot/chat"
)

func TestWhatPeopleDo(t *testing.T) {
	t.Parallel()
	for _, rich := range []bool{false, true} {
		m := meet(t, func(o *teamstest.Options) { o.HTML, o.QuoteEntities = rich, rich })
		ana := m.Person("ana")
		m.install("ana", "")
		m.install("ben", "Triage")
		if e := m.event(chat.Invited); e.Key == "" {
			t.Errorf("the installation came as %+v", e)
		}

		shot := teamstest.Upload{Name: "shot.png", Type: "image/png", Data: []byte("a picture")}
		note := teamstest.Upload{Name: "note.txt", Data: []byte("some words")}
		own, err := ana.Person().Chat()
		if err != nil {
			t.Fatal(err)
		}
		said, err := ana.Person().Say(teamstest.Post{Channel: own, Text: "no sound since today\nwhat now?", Files: []teamstest.Upload{note}, Images: []teamstest.Upload{shot}})
		if err != nil {
			t.Fatal(err)
		}
		e := m.event(chat.Said)
		if e.Text != "no sound since today\nwhat now?" || e.Message != said.ID || len(e.Files) != 2 || e.Scope != chat.Direct || !e.Flat {
			t.Fatalf("HTML %v: the message came as %+v", rich, e)
		}
		for _, f := range e.Files {
			want := "some words"
			if strings.HasPrefix(f.URL, byToken) {
				want = "a picture"
			}
			if data, err := m.a.Fetch(t.Context(), f, 100); err != nil || string(data) != want {
				t.Errorf("Fetch(%+v) = %q, %v", f, data, err)
			}
			if _, err := m.a.Fetch(t.Context(), f, 3); err == nil {
				t.Errorf("a file over the limit was fetched: %+v", f)
			}
		}

		ref := m.must(chat.Post{Kind: chat.Message, User: m.user("ana"), Card: ticketCard})
		if _, err := ana.Person().Say(teamstest.Post{Channel: own, Text: "that one", Quote: ref.Message}); err != nil {
			t.Fatal(err)
		}
		if e := m.event(chat.Said); e.Text != "that one" || e.Place.Thread != ref.Message {
			t.Errorf("HTML %v: a quote came as %+v", rich, e)
		}
		ana.Edits("no sound", "no sound at all")
		if e := m.event(chat.Edited); e.Text != "no sound at all" || e.Message != said.ID {
			t.Errorf("HTML %v: an edit came as %+v", rich, e)
		}
		ana.Deletes("no sound")
		if e := m.event(chat.Deleted); e.Message != said.ID {
			t.Errorf("a deletion came as %+v", e)
		}
		if err := ana.Person().Undelete(own, said.ID); err != nil {
			t.Fatal(err)
		}
		m.idle()
		if e := m.event(chat.Edited); e.Text != "no sound at all" {
			t.Errorf("a return came as %+v", e)
		}
		if err := ana.Person().React(own, ref.Message, "like"); err != nil {
			t.Fatal(err)
		}
		if e := m.event(chat.Reacted); e.Emoji != "+1" || e.Message != ref.Message {
			t.Errorf("a reaction came as %+v", e)
		}

		if _, err := m.a.Members(t.Context(), m.a.place(m.channel("Triage").ID, "")); err != nil {
			t.Fatal(err) // by which ben is known
		}
		ana.In("Triage").Says("@Desk the VPN drops, ask @Ben Ode")
		e = m.event(chat.Said)
		if want := "the VPN drops, ask " + chat.Mention(m.user("ben").ID); e.Text != want || !e.Mentioned || e.Scope != chat.Open || e.Flat || e.Place.Thread != "" {
			t.Errorf("HTML %v: a post came as %+v, want the text %q", rich, e, want)
		}
		m.must(chat.Post{Kind: chat.Message, Place: m.a.place(e.Place.Channel, e.Message), Card: chat.Card{Text: "What have you tried?"}})
		ana.In("Triage").InThread("the VPN drops").Says("@Desk restarting")
		if reply := m.event(chat.Said); reply.Place.Thread != e.Message || reply.Text != "restarting" {
			t.Errorf("a reply came as %+v", reply)
		}
	}
}

func TestPeopleAndChannels(t *testing.T) {
	t.Parallel()
	m := meet(t, nil)
	if _, err := m.a.Profile(t.Context(), m.user("ana")); err == nil {
		t.Error("a profile is known before anything has come")
	}
	m.install("ben", "Triage")
	m.Person("ana").In("Triage").Says("@Desk hello")
	m.idle()
	triage := m.channel("Triage")
	for _, name := range []string{"Triage", "#triage", "IT/Triage", triage.ID} {
		if p, err := m.a.Channel(t.Context(), name); err != nil || p != m.a.place(triage.ID, "") {
			t.Errorf("Channel(%q) = %+v, %v", name, p, err)
		}
	}
	if p, err := m.a.Channel(t.Context(), "IT/General"); err != nil || p.Channel != m.teams.Teams()[0].ID {
		t.Errorf("Channel(General) = %+v, %v", p, err)
	}
	if p, err := m.a.Channel(t.Context(), "nowhere"); err == nil {
		t.Errorf("Channel(nowhere) = %+v", p)
	}
	members, err := m.a.Members(t.Context(), m.a.place(triage.ID, ""))
	if err != nil || len(members) != 3 {
		t.Errorf("Members() = %+v, %v", members, err)
	}
	p, err := m.a.Profile(t.Context(), m.user("ana"))
	if want := (chat.Profile{User: m.user("ana"), Name: "Ana Ruiz", Mail: "ana@acme.example", TimeZone: "Europe/Madrid", Locale: "es-ES"}); err != nil || p != want {
		t.Errorf("Profile(ana) = %+v, %v; want %+v", p, err, want)
	}
	found, err := m.a.Accounts(t.Context(), []string{"ana@acme.example", "nobody@acme.example"})
	if err != nil || len(found) != 1 || found["ana@acme.example"] != m.user("ana") {
		t.Errorf("Accounts() = %+v, %v", found, err)
	}
	if p, err := m.a.Profile(t.Context(), m.user("gil")); err != nil || !p.Guest || p.Mail != "" {
		t.Errorf("Profile(gil) = %+v, %v; want a guest without a mail address", p, err)
	}
}

func TestAfterARestartPeopleAreReached(t *testing.T) {
	t.Parallel()
	m := meet(t, nil)
	m.install("ana", "")
	m.install("ben", "Triage")
	m.idle()
	m.start()
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			if _, err := m.a.Send(t.Context(), chat.Post{Kind: chat.Message, User: m.user("ana"), Card: chat.Card{Text: "about to be missed"}}); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	m.must(chat.Post{Kind: chat.Message, Place: m.a.place(m.channel("Triage").ID, ""), Card: chat.Card{Text: "INC-1 is about to be missed"}})
	m.Person("ana").Sees("about to be missed")
	m.Channel("Triage").Sees("INC-1 is about to be missed")
}
