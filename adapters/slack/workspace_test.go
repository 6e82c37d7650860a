package slack

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/deskhand/deskhand/adapters/slack/slacktest"
	"github.com/deskhand/deskhand/bot/chat"
	"github.com/deskhand/deskhand/bot/chat/chattest"
)

// office is a workspace with Ana and Ben in #general, where the desk is, and an
// adapter connected to it whose Desk records.
type office struct {
	*slacktest.Workspace
	t       *testing.T
	a       *Adapter
	desk    *recorder
	general string
	ana     *slacktest.Person
	ben     *slacktest.Person
}

func newOffice(t *testing.T, o slacktest.Options) *office {
	t.Helper()
	o.App.SigningSecret, o.App.BotToken, o.App.AppToken = testSecret, testBotToken, testAppToken
	o.App.Shortcuts = []slacktest.Shortcut{{Name: "Ask the desk", CallbackID: "desk.ask"}, {Name: "Open a ticket", CallbackID: "ticket.from_message", OnMessage: true}}
	o.Record = 1000
	w, err := slacktest.New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := w.Close(); err != nil {
			t.Error(err)
		}
	})
	if err := w.Listen("127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	var ids []string
	for _, name := range []string{"ana", "ben"} {
		u, err := w.AddUser(slacktest.User{Name: name, RealName: strings.ToUpper(name[:1]) + name[1:], Email: name + "@acme.example", EmailConfirmed: true, TZ: "Europe/Oslo", Locale: "en-GB"})
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, u.ID)
	}
	c, err := w.AddChannel(slacktest.Channel{Name: "general", Members: append(ids, w.App().BotUserID)})
	if err != nil {
		t.Fatal(err)
	}
	of := &office{Workspace: w, t: t, desk: &recorder{}, general: c.ID, ana: w.Person("ana"), ben: w.Person("ben")}
	if of.a, err = New(Options{SigningSecret: testSecret, BotToken: testBotToken, AppToken: testAppToken, APIURL: w.URL() + "/api/", Desk: of.desk, Log: slog.New(slog.DiscardHandler)}); err != nil {
		t.Fatal(err)
	}
	if err := of.a.Connect(t.Context()); err != nil {
		t.Fatal(err)
	}
	if !o.SocketMode {
		server := httptest.NewServer(of.a.Handler())
		t.Cleanup(server.Close)
		w.Connect(server.URL)
	}
	return of
}

// idle waits until Slack has delivered everything.
func (of *office) idle() {
	of.t.Helper()
	ctx, cancel := context.WithTimeout(of.t.Context(), 10*time.Second)
	defer cancel()
	if err := of.Idle(ctx); err != nil {
		of.t.Fatal(err)
	}
}

// until waits until ok holds of the workspace.
func (of *office) until(what string, ok func() bool) {
	of.t.Helper()
	ctx, cancel := context.WithTimeout(of.t.Context(), 10*time.Second)
	defer cancel()
	if err := of.Wait(ctx, ok); err != nil {
		of.t.Fatalf("no %s: %v\n%s", what, err, of.TranscriptAll())
	}
}

func (of *office) must(err error) {
	of.t.Helper()
	if err != nil {
		of.t.Fatal(err)
	}
}

// send delivers a post, which must go well.
func (of *office) send(p chat.Post) chat.Ref {
	of.t.Helper()
	ref, err := of.a.Send(of.t.Context(), p)
	if err != nil {
		of.t.Fatalf("Send(%s): %v", p.Kind, err)
	}
	return ref
}

func (of *office) place(channel, thread string) chat.Place { return of.a.me().place(channel, thread) }

func (of *office) person(p *slacktest.Person) chat.User { return of.a.me().person(p.ID()) }

// seen are the texts that a person sees in a channel or a thread of it.
func (of *office) seen(p *slacktest.Person, channel, thread string) []string {
	of.t.Helper()
	var ms []slacktest.Message
	var err error
	if thread == "" {
		ms, err = p.Messages(channel, "", 100)
	} else {
		ms, err = p.Thread(channel, thread)
	}
	of.must(err)
	var all []string
	for _, m := range ms {
		all = append(all, of.RenderMessage(m))
	}
	return all
}

func (of *office) sees(p *slacktest.Person, channel, words string) {
	of.t.Helper()
	of.until(words, func() bool {
		return strings.Contains(strings.Join(of.seen(p, channel, ""), "\n"), words)
	})
}

func TestConnect(t *testing.T) {
	t.Parallel()
	of := newOffice(t, slacktest.Options{})
	if me := of.a.me(); me.team != of.Team().ID || me.name != of.Team().Name || me.user != of.App().BotUserID {
		t.Errorf("connected as %+v", me)
	}
	if of.a.Workspace() != of.Team().ID || of.a.Self() != of.a.me().person(of.App().BotUserID) {
		t.Errorf("Workspace() = %q, Self() = %v", of.a.Workspace(), of.a.Self())
	}
	if err := of.VerifyURL(t.Context()); err != nil {
		t.Error(err)
	}
	for _, f := range newOffice(t, slacktest.Options{SocketMode: true}).a.Check(t.Context()) {
		if !f.OK {
			t.Errorf("doctor: %+v", f)
		}
	}
}

// The app's id is asked for, and not missed.
func TestConnectLearnsTheApp(t *testing.T) {
	t.Parallel()
	auth := ok(`{"ok":true,"team":"Acme","team_id":"T1","user":"desk","user_id":"U0DESK","bot_id":"B1"}`)
	for name, tt := range map[string]struct {
		bots answerer
		app  string
	}{
		"told":     {ok(`{"ok":true,"bot":{"id":"B1","app_id":"A1","name":"desk"}}`), "A1"},
		"not told": {ok(`{"ok":false,"error":"missing_scope"}`), ""},
	} {
		s := newScripted(t, map[string]answerer{"auth.test": auth, "bots.info": tt.bots})
		a := newAdapter(t, Options{APIURL: s.URL + "/api"})
		if err := a.Connect(t.Context()); err != nil || a.me().app != tt.app || a.me().team != "T1" {
			t.Errorf("%s: Connect() = %v, then %+v", name, err, a.me())
		}
	}
	s := newScripted(t, map[string]answerer{"auth.test": ok(`{"ok":true}`)})
	if err := newAdapter(t, Options{APIURL: s.URL + "/api"}).Connect(t.Context()); err == nil {
		t.Error("connected to no workspace")
	}
}

// What people do arrives as it should, from a Slack that behaves.
func TestWhatPeopleDo(t *testing.T) {
	t.Parallel()
	of := newOffice(t, slacktest.Options{})
	dm, err := of.ana.DM()
	of.must(err)
	said, err := of.ana.Say(slacktest.Post{Channel: dm, Text: "vpn & mail <broken>, see https://acme.example/x"})
	of.must(err)
	reply, err := of.ana.Say(slacktest.Post{Channel: dm, Thread: said.TS, Text: "here", Files: []slacktest.Upload{{Name: "a.txt", Data: []byte("12345")}}})
	of.must(err)
	asked, err := of.ben.Say(slacktest.Post{Channel: of.general, Text: "@" + of.App().Name + " who can help @ana?"})
	of.must(err)
	of.must(of.ana.Edit(dm, said.TS, "vpn is broken"))
	of.must(of.ben.React(of.general, asked.TS, "ticket"))
	of.must(of.ben.Unreact(of.general, asked.TS, "ticket"))
	of.must(of.ana.Delete(dm, reply.TS))
	of.must(of.ana.OpenHome())
	more, err := of.ben.CreateChannel("it-help", slacktest.Private)
	of.must(err)
	of.must(of.ben.Invite(more.ID, of.App().BotUserID))
	of.must(of.ben.Invite(more.ID, of.ana.ID()))
	of.must(of.ana.Leave(more.ID))
	of.idle()

	ana, ben := of.person(of.ana), of.person(of.ben)
	want := []chat.Event{
		{Kind: chat.Said, By: ana, Place: of.place(dm, ""), Scope: chat.Direct, Text: "vpn & mail <broken>, see https://acme.example/x", Message: said.TS},
		{Kind: chat.Said, By: ana, Place: of.place(dm, said.TS), Scope: chat.Direct, Text: "here", Message: reply.TS},
		{Kind: chat.Edited, By: ana, Author: ana, Place: of.place(dm, ""), Scope: chat.Direct, Text: "vpn is broken", Message: said.TS},
		{Kind: chat.Deleted, By: ana, Author: ana, Place: of.place(dm, said.TS), Scope: chat.Direct, Message: reply.TS},
		{Kind: chat.Said, By: ben, Place: of.place(of.general, ""), Scope: chat.Open, Mentioned: true, Text: "who can help " + chat.Mention(of.ana.ID()) + "?", Message: asked.TS},
		{Kind: chat.Reacted, By: ben, Author: ben, Place: of.place(of.general, ""), Scope: chat.Open, Emoji: "ticket", Message: asked.TS},
		{Kind: chat.Unreacted, By: ben, Author: ben, Place: of.place(of.general, ""), Scope: chat.Open, Emoji: "ticket", Message: asked.TS},
		{Kind: chat.Visited, By: ana, Place: of.place("", ""), Scope: chat.Direct},
		{Kind: chat.Invited, By: ben, Place: of.place(more.ID, ""), Scope: chat.Group},
		{Kind: chat.Joined, By: ana, Place: of.place(more.ID, ""), Scope: chat.Group},
		{Kind: chat.Left, By: ana, Place: of.place(more.ID, ""), Scope: chat.Group},
	}
	var got []chat.Event
	keys := map[string]bool{}
	for _, e := range of.desk.all() {
		if !keys[e.Key] { // the mention comes twice, under one key
			got = append(got, e)
		}
		keys[e.Key] = true
		if e.At.IsZero() {
			t.Errorf("no time in %+v", e)
		}
		for _, f := range e.Files {
			data, err := of.a.Fetch(t.Context(), f, 10)
			if err != nil || string(data) != "12345" || f.Name != "a.txt" || f.Size != 5 {
				t.Errorf("the file %+v holds %q, %v", f, data, err)
			}
		}
	}
	// Slack keeps an order within a conversation only.
	order := func(a, b chat.Event) int {
		return strings.Compare(a.Place.Channel+string(a.Kind)+a.Message, b.Place.Channel+string(b.Kind)+b.Message)
	}
	slices.SortFunc(want, order)
	slices.SortFunc(got, order)
	if diff := cmp.Diff(want, got, cmpopts.IgnoreFields(chat.Event{}, "Key", "SaidKey", "At", "Files")); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// The desk's own posts come back as events, and are none for the desk.
func TestNoEchoes(t *testing.T) {
	t.Parallel()
	of := newOffice(t, slacktest.Options{})
	ref := of.send(chat.Post{ID: "p1", Kind: chat.Message, Place: of.place(of.general, ""), Card: chat.Card{Text: "one"}})
	of.send(chat.Post{ID: "p2", Kind: chat.Message, Place: of.place(of.general, ""), As: &chat.Persona{Name: "Ben", Avatar: "https://acme.example/ben.png"}, Card: chat.Card{Text: "two"}})
	of.must(of.a.Update(t.Context(), ref, chat.Post{ID: "p1", Card: chat.Card{Text: "three"}}))
	of.send(chat.Post{Kind: chat.React, Place: of.place(of.general, ""), Target: ref.Message, Emoji: "eyes"})
	of.idle()
	if got := of.desk.all(); len(got) != 0 {
		t.Errorf("%+v", got)
	}
	if n := of.Stats().Delivered; n < 4 {
		t.Errorf("only %d deliveries: nothing was proved", n)
	}
}

// While the database is down Slack is told so and sends again, and every attempt
// has the same key and time.
func TestRedelivery(t *testing.T) {
	t.Parallel()
	of := newOffice(t, slacktest.Options{Redeliver: []time.Duration{0, time.Millisecond, 2 * time.Millisecond}})
	of.desk.setDown(true)
	of.OnDelivery(func(d slacktest.Delivery) slacktest.DeliveryFault {
		if d.Attempt == 3 {
			of.desk.setDown(false)
			return slacktest.DeliveryFault{Lost: true} // it is stored, and sent again all the same
		}
		return slacktest.DeliveryFault{}
	})
	_, err := of.ana.Say(slacktest.Post{Channel: of.general, Text: "help"})
	of.must(err)
	of.idle()
	got := of.desk.all()
	if len(got) != 2 {
		t.Fatalf("stored %d times, want 2: %+v", len(got), got)
	}
	if diff := cmp.Diff(got[0], got[1]); diff != "" {
		t.Errorf("the redelivery differs:\n%s", diff)
	}
	for _, d := range of.Deliveries() {
		if d.Attempt < 3 && d.Status != http.StatusServiceUnavailable {
			t.Errorf("attempt %d was answered %d, want 503", d.Attempt, d.Status)
		}
	}
}

// Every sample card is taken by Slack: as a message, as an update of one, as what
// one person sees, and as a Home tab; every form as a modal.
func TestSlackTakesWhatIsDrawn(t *testing.T) {
	t.Parallel()
	of := newOffice(t, slacktest.Options{})
	ctx := t.Context()
	for name, card := range chattest.Cards {
		place := of.place(of.general, "")
		ref, err := of.a.Send(ctx, chat.Post{ID: name, Kind: chat.Message, Place: place, Card: card})
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if err := of.a.Update(ctx, ref, chat.Post{ID: name, Card: card}); err != nil {
			t.Errorf("%s, updated: %v", name, err)
		}
		for _, p := range []chat.Post{
			{Kind: chat.Whisper, Place: place, User: of.person(of.ana), Card: card},
			{Kind: chat.Home, User: of.person(of.ana), Card: card},
		} {
			if _, err := of.a.Send(ctx, p); err != nil {
				t.Errorf("%s as %s: %v", name, p.Kind, err)
			}
		}
	}
	for name, form := range chattest.Forms {
		of.desk.answer = func(chat.Event) (chat.Answer, error) { return chat.Answer{Form: &form}, nil }
		if err := of.ana.Shortcut("desk.ask"); err != nil {
			t.Fatal(err)
		}
		views := of.ana.Views()
		if len(views) != 1 {
			t.Fatalf("%s: %d views open", name, len(views))
		}
		of.must(of.ana.CloseView(views[0].ID, true))
	}
}

func TestSend(t *testing.T) {
	t.Parallel()
	of := newOffice(t, slacktest.Options{})
	ctx := t.Context()
	root := of.send(chat.Post{ID: "p1", Kind: chat.Message, Place: of.place(of.general, ""), Card: chat.Card{Text: "<!channel> *all*"}})
	m, ok := of.Message(of.general, root.Message)
	if !ok || m.Text != "&lt;!channel&gt; *all*" {
		t.Errorf("posted %+v", m)
	}
	of.send(chat.Post{ID: "p2", Kind: chat.Message, Place: of.place(of.general, root.Message), As: &chat.Persona{Name: "Ben (agent)", Avatar: "https://acme.example/b.png"}, Card: chat.Card{Text: "reply"}})
	if ms, err := of.ana.Thread(of.general, root.Message); err != nil || len(ms) != 2 || ms[1].Username != "Ben (agent)" || ms[1].Text != "reply" {
		t.Errorf("the thread is %+v, %v", ms, err)
	}

	// A direct message opens the conversation once, and names it.
	for _, id := range []string{"p3", "p4"} {
		ref := of.send(chat.Post{ID: id, Kind: chat.Message, User: of.person(of.ana), Card: chat.Card{Text: "to you"}})
		if !strings.HasPrefix(ref.Channel, "D") {
			t.Errorf("a direct message in %q", ref.Channel)
		}
	}
	if n := of.Stats().Calls["conversations.open"]; n != 1 {
		t.Errorf("opened %d times, want once", n)
	}

	// What one person sees, nobody else does.
	of.send(chat.Post{Kind: chat.Whisper, Place: of.place(of.general, ""), User: of.person(of.ana), Card: chat.Card{Text: "psst"}})
	if got := strings.Join(of.seen(of.ana, of.general, ""), "\n"); !strings.Contains(got, "psst") {
		t.Errorf("Ana sees %q", got)
	}
	if got := strings.Join(of.seen(of.ben, of.general, ""), "\n"); strings.Contains(got, "psst") {
		t.Errorf("Ben sees %q", got)
	}
	of.send(chat.Post{Kind: chat.Whisper, User: of.person(of.ben), Card: chat.Card{Text: "no place but ours"}})

	// Reactions are as they are wanted, however often.
	eyes := chat.Post{Kind: chat.React, Place: of.place(of.general, ""), Target: root.Message, Emoji: "eyes"}
	of.send(eyes)
	of.send(eyes)
	if m, _ := of.Message(of.general, root.Message); len(m.Reactions) != 1 || m.Reactions[0].Name != "eyes" {
		t.Errorf("reactions %+v", m.Reactions)
	}
	eyes.Kind = chat.Unreact
	of.send(eyes)
	of.send(eyes)
	if m, _ := of.Message(of.general, root.Message); len(m.Reactions) != 0 {
		t.Errorf("reactions %+v", m.Reactions)
	}

	of.send(chat.Post{Kind: chat.Home, User: of.person(of.ana), Card: chattest.Cards["triage"]})
	if v, ok := of.ana.Home(); !ok || !strings.Contains(of.RenderView(v), "INC-42") {
		t.Errorf("the Home tab is %q", of.RenderView(v))
	}

	of.must(of.a.Update(ctx, root, chat.Post{ID: "p1", Card: chat.Card{Text: "two"}}))
	if m, _ := of.Message(of.general, root.Message); m.Text != "two" {
		t.Errorf("updated: %q", m.Text)
	}
	for _, tt := range []struct {
		name string
		err  error
	}{
		{"an update of nothing", of.a.Update(ctx, chat.Ref{Channel: of.general, Message: "1.000001"}, hello)},
		{"a channel that is not there", second(of.a.Send(ctx, chat.Post{Kind: chat.Message, Place: of.place("C0NOWHERE", ""), Card: hello.Card}))},
		{"a thread that is not there", second(of.a.Send(ctx, chat.Post{Kind: chat.Message, Place: of.place(of.general, "1.000001"), Card: hello.Card}))},
		{"a person who is not there", second(of.a.Send(ctx, chat.Post{Kind: chat.Message, User: of.a.me().person("U0NOBODY"), Card: hello.Card}))},
		{"a Home tab of nobody", second(of.a.Send(ctx, chat.Post{Kind: chat.Home, User: of.a.me().person("U0NOBODY"), Card: hello.Card}))},
	} {
		if !errors.Is(tt.err, chat.ErrGone) {
			t.Errorf("%s: %v, want gone", tt.name, tt.err)
		}
	}
	if _, err := of.a.Send(ctx, chat.Post{Kind: "song"}); err == nil {
		t.Error("a post of an unknown kind was sent")
	}
}

func second(_ chat.Ref, err error) error { return err }

// A lost answer makes no second message: it is found by its id, in the channel,
// in a thread, in direct messages, and after an update.
func TestLostAnswersAreFound(t *testing.T) {
	t.Parallel()
	of := newOffice(t, slacktest.Options{})
	ctx := t.Context()
	root := of.send(chat.Post{ID: "root", Kind: chat.Message, Place: of.place(of.general, ""), Card: hello.Card})
	for _, tt := range []struct {
		name string
		post chat.Post
	}{
		{"in a channel", chat.Post{ID: "a", Kind: chat.Message, Place: of.place(of.general, ""), Card: hello.Card}},
		{"in a thread, in somebody's name", chat.Post{ID: "b", Kind: chat.Message, Place: of.place(of.general, root.Message), Card: hello.Card, As: &chat.Persona{Name: "Ben"}}},
		{"in direct messages", chat.Post{ID: "c", Kind: chat.Message, User: of.person(of.ana), Card: hello.Card}},
	} {
		if _, found, err := of.a.Find(ctx, tt.post); err != nil || found {
			t.Errorf("%s: found before it was sent: %t, %v", tt.name, found, err)
		}
		of.FailNext("chat.postMessage", slacktest.Fault{Lose: true})
		if _, err := of.a.Send(ctx, tt.post); !errors.Is(err, chat.ErrUnsure) {
			t.Fatalf("%s: Send() = %v, want unsure", tt.name, err)
		}
		ref, found, err := of.a.Find(ctx, tt.post)
		if err != nil || !found {
			t.Fatalf("%s: Find() = %v, %t, %v", tt.name, ref, found, err)
		}
		if m, ok := of.Message(ref.Channel, ref.Message); !ok || m.Text != "hello" {
			t.Errorf("%s: found %+v", tt.name, m)
		}
		of.must(of.a.Update(ctx, ref, chat.Post{ID: tt.post.ID, Card: chat.Card{Text: "later"}}))
		if again, found, err := of.a.Find(ctx, tt.post); err != nil || !found || again != ref {
			t.Errorf("%s, updated: Find() = %v, %t, %v", tt.name, again, found, err)
		}
	}
	if _, found, err := of.a.Find(ctx, chat.Post{ID: "a", Kind: chat.Message, Place: of.place("C0NOWHERE", "")}); found || err != nil {
		t.Errorf("in a channel that is gone: %t, %v", found, err)
	}
	// A hang is told by the caller's own time limit.
	of.FailNext("chat.postMessage", slacktest.Fault{Hang: true})
	short, cancel := context.WithTimeout(ctx, 50*time.Millisecond)
	defer cancel()
	if _, err := of.a.Send(short, hello); !errors.Is(err, chat.ErrUnsure) {
		t.Errorf("a hang: %v, want unsure", err)
	}
}

// A message in an old thread of many replies is found too.
func TestFindInALongThread(t *testing.T) {
	t.Parallel()
	of := newOffice(t, slacktest.Options{Unordered: true})
	root, err := of.ana.Say(slacktest.Post{Channel: of.general, Text: "long"})
	of.must(err)
	for i := range findPage + 20 {
		_, err := of.ana.Say(slacktest.Post{Channel: of.general, Thread: root.TS, Text: strconv.Itoa(i)})
		of.must(err)
	}
	p := chat.Post{ID: "last", Kind: chat.Message, Place: of.place(of.general, root.TS), Card: hello.Card}
	sent := of.send(p)
	ref, found, err := of.a.Find(t.Context(), p)
	if err != nil || !found || ref != sent {
		t.Errorf("Find() = %v, %t, %v; want %v", ref, found, err, sent)
	}
}
