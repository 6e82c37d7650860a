package teamstest_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/deskhand/deskhand/adapters/teams/teamstest"
)

func TestTheAppHearsWhatIsMeantForIt(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name     string
		channel  string
		all      bool
		says     string
		hears    string // "" if nothing
		mentions []string
	}{
		{"in a chat with it", "", false, "hello", "hello", nil},
		{"a mention in a channel", "Help", false, "@Desk hello", "<at>Desk</at> hello", []string{"Desk"}},
		{"a mention without the right case, and of somebody else", "Help", false, "ask @desk, @Ben Otto", "ask <at>Desk</at>, <at>Ben Otto</at>", []string{"Desk", "Ben Otto"}},
		{"a handle", "Help", false, "@desk for @ben", "<at>Desk</at> for <at>Ben Otto</at>", []string{"Desk", "Ben Otto"}},
		{"an address, which is no mention", "Help", false, "mail ana@desk.test", "", nil},
		{"a longer name, which is no mention", "Help", false, "@desktop is gone", "", nil},
		{"somebody else in a channel", "Help", false, "@Ben Otto hello", "", nil},
		{"talk in a channel", "Help", false, "hello", "", nil},
		{"talk in a channel whose team lets it hear all", "Help", true, "hello", "hello", nil},
		{"talk in a group chat", "Lunch", false, "hello", "", nil},
		{"a mention in a group chat", "Lunch", false, "hello @Desk", "hello <at>Desk</at>", []string{"Desk"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			a := newApp(t, teamstest.Options{})
			if tt.all {
				_, err := a.w.AddTeam(teamstest.Team{Name: "Open", Members: []string{"ana"}, Installed: true, AllMessages: true})
				must(t, err)
				_, err = a.w.AddChannel(teamstest.Channel{Name: "Talk", Team: "Open"})
				must(t, err)
				tt.channel = "Talk"
			}
			if tt.channel == "" {
				tt.channel = a.chat("ana")
			}
			m, err := a.w.Person("ana").Say(teamstest.Post{Channel: tt.channel, Text: tt.says})
			must(t, err)
			a.idle()
			list := a.sent("message")
			if tt.hears == "" {
				if len(list) != 0 {
					t.Errorf("the app heard %v", list)
				}
				return
			}
			if len(list) != 1 || list[0].text("text") != tt.hears || list[0].text("id") != m.ID {
				t.Fatalf("the app heard %v", list)
			}
			var names []string
			for _, e := range list[0]["entities"].([]any) {
				if e := activity(e.(map[string]any)); e.text("type") == "mention" {
					names = append(names, e.text("mentioned", "name"))
				}
			}
			if diff := cmp.Diff(tt.mentions, names); diff != "" {
				t.Errorf("the mentions differ (-want +got):\n%s", diff)
			}
		})
	}
}

func TestTheDesktopClientSendsHTMLToo(t *testing.T) {
	t.Parallel()
	a := newApp(t, teamstest.Options{HTML: true})
	_, err := a.w.Person("ana").Say(teamstest.Post{Channel: "Help", Text: "@Desk a <b> & c"})
	must(t, err)
	act := a.only("message")
	html := activity(act["attachments"].([]any)[0].(map[string]any))
	want := `<p><span itemscope="" itemtype="http://schema.skype.com/Mention" itemid="0">Desk</span>&nbsp;a &lt;b&gt; &amp; c</p>`
	if act.text("text") != "<at>Desk</at> a <b> & c\n" || html.text("contentType") != "text/html" || html.text("content") != want {
		t.Errorf("the app gets %v", act)
	}
}

func TestWhatIsWrittenInXMLIsReadAsText(t *testing.T) {
	t.Parallel()
	a := newApp(t, teamstest.Options{})
	a.post(a.chat("ana"), map[string]any{"text": "a <b>c</b> &lt;d&gt;<br>e", "textFormat": "xml"})
	a.w.Script(t).Person("ana").Sees("a c <d> e")
}

func TestAQuote(t *testing.T) {
	t.Parallel()
	a := newApp(t, teamstest.Options{QuoteEntities: true})
	id := a.post(a.chat("ana"), withCard(card(`{"type":"TextBlock","text":"INC-1 is <open>"}`, "")))
	_, err := a.w.Person("ana").Say(teamstest.Post{Channel: a.chat("ana"), Text: "this & that", Quote: id})
	must(t, err)
	act := a.only("message")
	if act.text("text") != "this & that" {
		t.Errorf("the text is %q", act.text("text"))
	}
	html := activity(act["attachments"].([]any)[0].(map[string]any)).text("content")
	for _, part := range []string{
		`itemtype="http://schema.skype.com/Reply" itemid="` + id + `"`, `<strong itemprop="mri" itemid="28:`,
		`<p itemprop="preview">INC-1 is &lt;open&gt;</p>`, `</blockquote>`, `<p>this &amp; that</p>`,
	} {
		if !strings.Contains(html, part) {
			t.Errorf("the quote has no %s: %s", part, html)
		}
	}
	quoted := activity(act["entities"].([]any)[0].(map[string]any))
	if quoted.text("quotedReply", "messageId") != id {
		t.Errorf("the entity is %v", quoted)
	}
	if _, err := a.w.Person("ana").Say(teamstest.Post{Channel: "Help", Text: "a", Quote: id}); !errors.Is(err, teamstest.ErrRefused) {
		t.Errorf("a quote in a channel: %v", err)
	}
	if _, err := a.w.Person("ana").Say(teamstest.Post{Channel: a.chat("ana"), Text: "a", Thread: id}); !errors.Is(err, teamstest.ErrRefused) {
		t.Errorf("a thread in a chat: %v", err)
	}
}

func TestEditsAndDeletions(t *testing.T) {
	t.Parallel()
	a := newApp(t, teamstest.Options{})
	ana, chat := a.w.Person("ana"), a.chat("ana")
	m, err := ana.Say(teamstest.Post{Channel: chat, Text: "vpn"})
	must(t, err)
	must(t, ana.Edit(chat, m.ID, "vpn drops"))
	must(t, ana.Delete(chat, m.ID))
	must(t, ana.Undelete(chat, m.ID))
	a.idle()
	var got []string
	for _, act := range append(a.sent("messageUpdate"), a.sent("messageDelete")...) {
		got = append(got, act.text("type")+" "+act.text("channelData", "eventType")+" "+act.text("id")+" "+act.text("text"))
	}
	want := []string{"messageUpdate editMessage " + m.ID + " vpn drops", "messageUpdate undeleteMessage " + m.ID + " vpn drops", "messageDelete softDeleteMessage " + m.ID + " "}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("the app hears (-want +got):\n%s", diff)
	}
	// In a channel it hears of edits to what it heard, and of what mentions it now.
	other, err := ana.Say(teamstest.Post{Channel: "Help", Text: "not for it"})
	must(t, err)
	must(t, ana.Edit("Help", other.ID, "still not"))
	a.idle()
	if n := len(a.sent("messageUpdate")); n != 2 {
		t.Errorf("the app hears of what it had not heard")
	}
	must(t, ana.Edit("Help", other.ID, "@Desk now it is"))
	a.idle()
	if n := len(a.sent("messageUpdate")); n != 3 {
		t.Errorf("the app does not hear of being mentioned now")
	}
	if err := a.w.Person("ben").Edit("Help", other.ID, "x"); !errors.Is(err, teamstest.ErrRefused) {
		t.Errorf("ben edits ana's message: %v", err)
	}
}

func TestReactions(t *testing.T) {
	t.Parallel()
	a := newApp(t, teamstest.Options{})
	ana := a.w.Person("ana")
	id := a.post("19:help@thread.tacv2", map[string]any{"text": "hi"})
	must(t, ana.React("Help", id, "like"))
	must(t, ana.React("Help", id, "heart")) // instead
	must(t, ana.Unreact("Help", id, "heart"))
	own, err := ana.Say(teamstest.Post{Channel: "Help", Text: "@Desk hello"})
	must(t, err)
	must(t, a.w.Person("ben").React("Help", own.ID, "laugh")) // the app hears nothing
	a.idle()
	var got []string
	for _, act := range a.sent("messageReaction") {
		for _, key := range []string{"reactionsAdded", "reactionsRemoved"} {
			if list, ok := act[key].([]any); ok {
				got = append(got, key+" "+activity(list[0].(map[string]any)).text("type")+" "+act.text("replyToId"))
			}
		}
	}
	want := []string{"reactionsAdded like " + id, "reactionsRemoved like " + id, "reactionsAdded heart " + id, "reactionsRemoved heart " + id}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("the app hears (-want +got):\n%s", diff)
	}
	if err := ana.Unreact("Help", id, "heart"); !errors.Is(err, teamstest.ErrRefused) {
		t.Errorf("taking away what is not there: %v", err)
	}
}

func TestInstallingComesInEitherOrder(t *testing.T) {
	t.Parallel()
	a := newApp(t, teamstest.Options{})
	for _, late := range []string{"installationUpdate", "conversationUpdate"} {
		other := make(chan struct{})
		a.mu.Lock()
		a.answer = func(act activity) (int, any) {
			if act.text("type") != late {
				close(other)
			}
			return 200, nil
		}
		a.mu.Unlock()
		a.w.OnDelivery(func(d teamstest.Delivery) teamstest.DeliveryFault {
			if d.Type == late {
				<-other
			}
			return teamstest.DeliveryFault{}
		})
		must(t, a.w.Person("gus").Install(""))
		a.idle()
		a.mu.Lock()
		if len(a.got) != 2 || a.got[1].text("type") != late {
			t.Errorf("with %s late the app gets %v", late, a.got)
		}
		a.got, a.answer = nil, nil
		a.mu.Unlock()
		a.w.OnDelivery(nil)
		must(t, a.w.Person("gus").Uninstall(""))
		a.idle()
		a.mu.Lock()
		a.got = nil
		a.mu.Unlock()
	}
	if err := a.w.Person("gus").Uninstall(""); !errors.Is(err, teamstest.ErrRefused) {
		t.Errorf("uninstalling what is not there: %v", err)
	}
	if _, err := a.w.Person("gus").Say(teamstest.Post{Channel: a.chat("gus"), Text: "hi"}); !errors.Is(err, teamstest.ErrRefused) {
		t.Errorf("talking to an app that is not there: %v", err)
	}
}

func TestActivitiesAreSentAgainUntilTheyAreAnswered(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name     string
		statuses []int
		attempts int
		gaveUp   int64
	}{
		{"taken at once", []int{200}, 1, 0},
		{"a failure, then taken", []int{500, 503, 202}, 3, 0},
		{"always failing", []int{500, 500, 500, 500}, 4, 1},
		{"refused, which is final", []int{403}, 1, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			a := newApp(t, teamstest.Options{Redeliver: []time.Duration{0, 1, 1}})
			n := 0
			a.mu.Lock()
			a.answer = func(activity) (int, any) {
				a.mu.Lock()
				defer a.mu.Unlock()
				n++
				return tt.statuses[min(n, len(tt.statuses))-1], nil
			}
			a.mu.Unlock()
			_, err := a.w.Person("ana").Say(teamstest.Post{Channel: a.chat("ana"), Text: "hello"})
			must(t, err)
			a.idle()
			list := a.sent("message")
			for _, act := range list {
				if act.text("id") != list[0].text("id") {
					t.Errorf("sent again under another id: %v", list)
				}
			}
			if s := a.w.Stats(); len(list) != tt.attempts || s.GaveUp != tt.gaveUp {
				t.Errorf("%d attempts, %d given up", len(list), s.GaveUp)
			}
		})
	}
}

func TestWhatGoesWrongOnTheWayToTheApp(t *testing.T) {
	t.Parallel()
	a := newApp(t, teamstest.Options{Redeliver: []time.Duration{0}})
	say := func(text string) {
		t.Helper()
		_, err := a.w.Person("ana").Say(teamstest.Post{Channel: a.chat("ana"), Text: text})
		must(t, err)
	}
	a.w.OnDelivery(func(d teamstest.Delivery) teamstest.DeliveryFault {
		body := string(d.Body)
		switch {
		case strings.Contains(body, "twice") && d.Attempt == 1:
			return teamstest.DeliveryFault{Copies: 1}
		case strings.Contains(body, "lost") && d.Attempt == 1:
			return teamstest.DeliveryFault{Lost: true}
		case strings.Contains(body, "forged"):
			return teamstest.DeliveryFault{Token: a.w.BadToken(teamstest.Expired)}
		}
		return teamstest.DeliveryFault{}
	})
	say("twice")
	say("lost")
	say("forged")
	a.idle()
	count := map[string]int{}
	for _, act := range a.sent("message") {
		count[act.text("text")]++
	}
	if diff := cmp.Diff(map[string]int{"twice": 2, "lost": 2}, count); diff != "" || a.denied != 1 {
		t.Errorf("%d were refused; the app got (-want +got):\n%s", a.denied, diff)
	}
}
