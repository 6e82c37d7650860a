package slack

import (
	"errors"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/deskhand/deskhand/adapters/slack/slacktest"
	"github.com/deskhand/deskhand/bot/chat"
)

func TestProfile(t *testing.T) {
	t.Parallel()
	of := newOffice(t, slacktest.Options{})
	add := func(u slacktest.User) chat.User {
		u, err := of.AddUser(u)
		of.must(err)
		return of.a.me().person(u.ID)
	}
	for _, tt := range []struct {
		name string
		user chat.User
		want chat.Profile
	}{
		{"an employee", of.person(of.ana), chat.Profile{Name: "Ana", Mail: "ana@acme.example", TimeZone: "Europe/Oslo", Locale: "en-GB"}},
		{"an admin", add(slacktest.User{Name: "cleo", RealName: "Cleo", Email: "cleo@acme.example", EmailConfirmed: true, Admin: true, TZ: "Europe/Oslo", Locale: "en-GB"}),
			chat.Profile{Name: "Cleo", Mail: "cleo@acme.example", TimeZone: "Europe/Oslo", Locale: "en-GB", Admin: true}},
		{"somebody whose mail nobody has confirmed", add(slacktest.User{Name: "dan", RealName: "Dan", Email: "boss@acme.example", TZ: "Europe/Oslo", Locale: "en-GB"}),
			chat.Profile{Name: "Dan", TimeZone: "Europe/Oslo", Locale: "en-GB"}},
		{"a guest", add(slacktest.User{Name: "eve", RealName: "Eve", Email: "eve@other.example", EmailConfirmed: true, Guest: true, TZ: "Europe/Oslo", Locale: "en-GB"}),
			chat.Profile{Name: "Eve", Mail: "eve@other.example", TimeZone: "Europe/Oslo", Locale: "en-GB", Guest: true}},
		{"somebody who has left", add(slacktest.User{Name: "fay", RealName: "Fay", Deleted: true, TZ: "Europe/Oslo", Locale: "en-GB"}),
			chat.Profile{Name: "Fay", TimeZone: "Europe/Oslo", Locale: "en-GB", Deleted: true}},
		{"a bot, whose mail is nobody's", add(slacktest.User{Name: "bot", RealName: "Bot", Email: "boss@acme.example", EmailConfirmed: true, Bot: true, TZ: "Europe/Oslo", Locale: "en-GB"}),
			chat.Profile{Name: "Bot", TimeZone: "Europe/Oslo", Locale: "en-GB", Bot: true}},
	} {
		tt.want.User = tt.user
		got, err := of.a.Profile(t.Context(), tt.user)
		if err != nil {
			t.Errorf("%s: %v", tt.name, err)
			continue
		}
		if diff := cmp.Diff(tt.want, got, cmpopts.IgnoreFields(chat.Profile{}, "Avatar")); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.name, diff)
		}
	}
	if _, err := of.a.Profile(t.Context(), of.a.me().person("U0NOBODY")); !errors.Is(err, chat.ErrGone) {
		t.Errorf("nobody: %v, want gone", err)
	}
}

// People of another organisation are guests without a mail, whatever it says.
func TestProfileOfAStranger(t *testing.T) {
	t.Parallel()
	for name, body := range map[string]string{
		"by mark":      `{"ok":true,"user":{"id":"U9","team_id":"T1","is_stranger":true,"is_admin":true,"is_email_confirmed":true,"profile":{"email":"boss@acme.example"}}}`,
		"by workspace": `{"ok":true,"user":{"id":"U9","team_id":"T9","is_owner":true,"is_email_confirmed":true,"profile":{"email":"boss@acme.example"}}}`,
	} {
		s := newScripted(t, map[string]answerer{"users.info": ok(body)})
		p, err := newAdapter(t, Options{APIURL: s.URL + "/api/"}).Profile(t.Context(), person("U9"))
		if err != nil || p.Mail != "" || p.Admin || !p.Guest {
			t.Errorf("%s: %+v, %v", name, p, err)
		}
	}
}

func TestAccountsByMail(t *testing.T) {
	t.Parallel()
	of := newOffice(t, slacktest.Options{})
	found, err := of.a.Accounts(t.Context(), []string{"nobody@acme.example", "ana@acme.example"})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(map[string]chat.User{"ana@acme.example": of.person(of.ana)}, found); diff != "" {
		t.Errorf("found (-want +got):\n%s", diff)
	}
}

// Until Slack has said whose workspace it is, nobody is anybody in it.
func TestNobodyIsKnownBeforeTheWorkspaceIs(t *testing.T) {
	t.Parallel()
	s := newScripted(t, map[string]answerer{
		"users.lookupByEmail": ok(`{"ok":true,"user":{"id":"U9","team_id":"T1"}}`),
		"users.info":          ok(`{"ok":true,"user":{"id":"U9","team_id":"T1","is_email_confirmed":true,"profile":{"email":"ana@acme.example"}}}`),
	})
	a := newAdapter(t, Options{APIURL: s.URL + "/api/"})
	a.self.Store(nil)
	if found, err := a.Accounts(t.Context(), []string{"ana@acme.example"}); err == nil {
		t.Errorf("Accounts() = %v, want an error", found)
	}
	if p, err := a.Profile(t.Context(), person("U9")); err == nil {
		t.Errorf("Profile() = %+v, want an error", p)
	}
}

func TestLookups(t *testing.T) {
	t.Parallel()
	of := newOffice(t, slacktest.Options{})
	ctx := t.Context()
	got, err := of.a.Members(ctx, of.place(of.general, ""))
	of.must(err)
	var ids []string
	for _, u := range got {
		ids = append(ids, u.ID)
	}
	slices.Sort(ids)
	want := []string{of.ana.ID(), of.ben.ID(), of.App().BotUserID}
	slices.Sort(want)
	if diff := cmp.Diff(want, ids); diff != "" {
		t.Errorf("members (-want +got):\n%s", diff)
	}

	for _, name := range []string{"general", "#general", "General", of.general} {
		if p, err := of.a.Channel(ctx, name); err != nil || p != of.place(of.general, "") {
			t.Errorf("Channel(%q) = %v, %v", name, p, err)
		}
	}
	for _, name := range []string{"nowhere", "C0NOWHERE01"} {
		if _, err := of.a.Channel(ctx, name); !errors.Is(err, chat.ErrGone) {
			t.Errorf("Channel(%q): %v, want gone", name, err)
		}
	}

	root, err := of.ana.Say(slacktest.Post{Channel: of.general, Text: "one & <two>"})
	of.must(err)
	reply, err := of.ben.Say(slacktest.Post{Channel: of.general, Thread: root.TS, Text: "three"})
	of.must(err)
	of.idle()
	for _, e := range of.desk.all() {
		m, err := of.a.Message(ctx, of.place(of.general, ""), e.Message)
		if err != nil {
			t.Errorf("Message(%s): %v", e.Message, err)
			continue
		}
		if diff := cmp.Diff(e, m); diff != "" {
			t.Errorf("the message as it is found is not the message that was said (-said +found):\n%s", diff)
		}
	}
	if len(of.desk.all()) != 2 || reply.TS == "" {
		t.Errorf("%d events, want 2", len(of.desk.all()))
	}
	if _, err := of.a.Message(ctx, of.place(of.general, ""), "1700000000.000001"); !errors.Is(err, chat.ErrGone) {
		t.Errorf("a message that is not there: %v, want gone", err)
	}
}
