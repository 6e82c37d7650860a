package teamstest_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/deskhand/deskhand/adapters/teams/teamstest"
)

// desk is a small desk: a question gets a card with a form, the form a ticket in
// the channel Help, and whoever is in the team may claim it.
type desk struct {
	*app
	ticket string // the card's id in Help
}

func ticketCard(title, state, actions string) string {
	return card(fmt.Sprintf(`{"type":"TextBlock","text":"INC-1 %s","wrap":true},{"type":"FactSet","facts":[{"title":"State","value":"%s"}]}`, title, state), actions)
}

func newDesk(t *testing.T) *desk {
	d := &desk{app: newApp(t, teamstest.Options{})}
	d.on("message", d.said)
	d.on("task/fetch", dialog("Open a ticket", d.form("")))
	d.on("composeExtension/fetchTask", dialog("Open a ticket", d.form("")))
	d.on("task/submit", d.submitted)
	d.on("composeExtension/submitAction", d.submitted)
	d.on("adaptiveCard/action", d.pressed)
	d.on("conversationUpdate", func(act activity) any {
		if act.text("conversation", "conversationType") == "personal" {
			d.post(act.text("conversation", "id"), map[string]any{"text": "Welcome. Ask me anything."})
		}
		return nil
	})
	d.on("messageReaction", func(act activity) any {
		d.post(act.text("conversation", "id"), map[string]any{"text": "You like it"})
		return nil
	})
	d.on("messageUpdate", func(act activity) any {
		d.post(act.text("conversation", "id"), map[string]any{"text": "Now it says " + act.text("text")})
		return nil
	})
	d.on("messageDelete", func(act activity) any {
		d.post(act.text("conversation", "id"), map[string]any{"text": "Forgotten"})
		return nil
	})
	return d
}

func (d *desk) form(wrong string) string {
	body := `{"type":"Input.Text","id":"title","label":"What is wrong?","isRequired":true,"errorMessage":"Say what is wrong"}`
	if wrong != "" {
		body += `,{"type":"TextBlock","text":"` + wrong + `","color":"attention"}`
	}
	body += `,{"type":"Input.ChoiceSet","id":"prio","label":"How bad?","value":"low","choices":[{"title":"A little","value":"low"},{"title":"Very","value":"high"}]},
		{"type":"Input.ChoiceSet","id":"for","label":"For whom?","choices":[],"choices.data":{"type":"Data.Query","dataset":"graph.microsoft.com/users"}},
		{"type":"Input.Toggle","id":"urgent","title":"Tell my manager"}`
	return card(body, submit)
}

func (d *desk) said(act activity) any {
	conv := act.text("conversation", "id")
	if act["value"] != nil {
		d.post(conv, map[string]any{"text": "Submitted " + act.text("value", "ticket")})
		return nil
	}
	text := strings.TrimSpace(strings.ReplaceAll(act.text("text"), "<at>Desk</at>", ""))
	if strings.Contains(text, "thanks") {
		d.post(conv, map[string]any{"text": "You are **welcome**"})
		return nil
	}
	d.post(conv, withCard(card(`{"type":"TextBlock","text":"You asked: `+text+`"}`, `
		{"type":"Action.Submit","title":"Open a ticket","data":{"msteams":{"type":"task/fetch"}}},
		{"type":"Action.Submit","title":"Never mind","mode":"secondary","data":{"ticket":"none"}}`)))
	return nil
}

func (d *desk) submitted(act activity) any {
	v := activity(act["value"].(map[string]any)["data"].(map[string]any))
	if v.text("title") == "it" {
		return dialog("Open a ticket", d.form("Say a little more"))
	}
	title := fmt.Sprintf("%s (%s, %s, %s)", v.text("title"), v.text("prio"), v.text("for"), v.text("urgent"))
	c := strings.Replace(ticketCard(title, "Open", claim), `"version":"1.5"`, `"version":"1.5","refresh":{"action":{"type":"Action.Execute","verb":"look"},"userIds":["29:ben"]}`, 1)
	d.ticket = d.post("19:help@thread.tacv2", withCard(c))
	return nil
}

func (d *desk) pressed(act activity) any {
	if act.text("value", "action", "verb") == "look" {
		return cardReply(ticketCard("for Ben", "Open", claim))
	}
	if act.text("from", "id") == "29:ana" {
		return map[string]any{"statusCode": 200, "type": "application/vnd.microsoft.activity.message", "value": "Only agents can claim."}
	}
	c := ticketCard("claimed", "Claimed by "+act.text("from", "name"), "")
	d.call("PUT", conv("19:help@thread.tacv2")+"/activities/"+d.ticket, map[string]any{"type": "message", "attachments": withCard(c)["attachments"]})
	return cardReply(c)
}

func TestAScriptedConversation(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	s := d.w.Script(t)
	s.Patience = 20 * time.Second
	ben, _ := d.w.User("ben")

	s.Person("gus").Sees("Welcome").Says("hello").Sees("You asked: hello")
	ana := s.Person("ana").Says("vpn drops").Sees("You asked: vpn drops", "[Open a ticket]")
	ana.Press("Open a ticket").SeesForm("Open a ticket", "What is wrong?").SubmitRefused("Say what is wrong")
	ana.Fill("What is wrong?", "it").SubmitRefused("Say a little more").SeesForm("Say a little more")
	ana.Fill("What is wrong?", "VPN").Choose("Very").Fill("For whom?", "ben").Choose("Tell my manager").Submits().SeesNoForm()
	s.Channel("Help").Sees("INC-1 VPN (high, "+ben.ObjectID+", true)", "State: Open", "[Claim]").SeesNot("claimed")

	ana.In("Help").Press("Claim").Sees("Only agents can claim.")
	s.Person("ben").In("Help").SeesNot("Only agents").Sees("INC-1 for Ben").PressOn("for Ben", "Claim").Sees("Claimed by Ben Otto")
	ana.In("Help").Sees("Claimed by Ben Otto").SeesNot("[Claim]")

	thread := ana.In("Help").InThread("INC-1")
	thread.Says("thanks, nobody hears this").SeesNot("welcome")
	thread.Says("@Desk thanks").Sees("You are welcome")
	s.Person("ben").In("Help").InThread("INC-1").Sees("You are welcome").SeesNot("You asked")
	ana.In("Help").Runs("/desk printer").Sees("You asked: printer")
	ana.Runs("/desk mouse").Sees("You asked: mouse").Choose("Never mind").Sees("Submitted none")
	ana.InThread("You asked: mouse").Says("thanks again").Sees("> Desk: You asked: mouse").Sees("You are welcome")
	ana.Replies("and again").Sees("> Desk: You are welcome")
	ana.Reacts("You asked: mouse", "like").Sees("You like it")
	ana.Edits("and again", "and once more").Sees("Now it says and once more").Deletes("once more").Sees("Forgotten").SeesNot("Ana Lima: and once more")
	ana.In("Help").Uses("Open a ticket", "Claimed by").SeesForm("What is wrong?").Closes().SeesNoForm()

	if all := d.w.TranscriptAll(); !strings.Contains(all, "── Service Desk / Help ──") || !strings.Contains(all, "   ↳ Desk: You are **welcome**") {
		t.Errorf("the transcript is\n%s", all)
	}
}

// broken is a test that notes that it failed.
type broken struct{ said string }

func (b *broken) Helper()                  {}
func (b *broken) Context() context.Context { return context.Background() }
func (b *broken) Fatalf(f string, args ...any) {
	if b.said == "" {
		b.said = fmt.Sprintf(f, args...)
	}
}

func TestAScriptThatFailsPrintsTheConversation(t *testing.T) {
	t.Parallel()
	for name, do := range map[string]func(*teamstest.Script, *teamstest.Actor){
		"does not see":           func(_ *teamstest.Script, a *teamstest.Actor) { a.Sees("the moon") },
		`sees ["You asked"]`:     func(_ *teamstest.Script, a *teamstest.Actor) { a.SeesNot("You asked") },
		"sees no button":         func(_ *teamstest.Script, a *teamstest.Actor) { a.Press("Fly") },
		"sees no field":          func(_ *teamstest.Script, a *teamstest.Actor) { a.Fill("Height", "1") },
		"sees no option":         func(_ *teamstest.Script, a *teamstest.Actor) { a.Choose("Fly") },
		"sees no form":           func(_ *teamstest.Script, a *teamstest.Actor) { a.SeesForm("Height") },
		"no form is open":        func(_ *teamstest.Script, a *teamstest.Actor) { a.Submits() },
		"has no form open":       func(_ *teamstest.Script, a *teamstest.Actor) { a.Closes() },
		"there is no channel":    func(s *teamstest.Script, _ *teamstest.Actor) { s.Channel("none") },
		"there is no command":    func(_ *teamstest.Script, a *teamstest.Actor) { a.Uses("Fly", "You asked") },
		"no message in Help has": func(s *teamstest.Script, _ *teamstest.Actor) { s.Channel("Help").Sees("the moon") },
		"sees no message with":   func(_ *teamstest.Script, a *teamstest.Actor) { a.Edits("You asked", "x") },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := newDesk(t)
			d.w.Script(t).Person("ana").Says("hello").Sees("You asked: hello")
			b := &broken{}
			s := d.w.Script(b)
			s.Patience = 20 * time.Millisecond
			func() {
				defer func() { _ = recover() }() // a failed test would have ended
				do(s, s.Person("ana"))
			}()
			if !strings.Contains(b.said, name) || !strings.Contains(b.said, "Ana Lima: hello") {
				t.Errorf("it says %q", b.said)
			}
		})
	}
}

// page is a tab that counts.
type page struct{ pressed int }

func (p *page) Text() (string, error) { return fmt.Sprintf("Pressed %d times", p.pressed), nil }
func (p *page) Press(button string) error {
	if button != "Count" {
		return fmt.Errorf("there is no %q", button)
	}
	p.pressed++
	return nil
}

func TestAScriptOpensTheTab(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	s := d.w.Script(t)
	s.Tab = func(p *teamstest.Person) (teamstest.Tab, error) {
		if p.User().Name != "ana" {
			return nil, fmt.Errorf("no tab for %s", p.ID())
		}
		return &page{}, nil
	}
	s.Person("ana").Says("hello").OpensHome().SeesNot("hello").Press("Count").Sees("Pressed 1 times").SeesNot("Pressed 0")
	b := &broken{}
	s = d.w.Script(b)
	s.Patience = 20 * time.Millisecond
	s.Tab = func(*teamstest.Person) (teamstest.Tab, error) { return &page{}, nil }
	s.Person("ana").OpensHome().Sees("the moon")
	if !strings.Contains(b.said, "does not see") || !strings.Contains(b.said, "Pressed 0 times") {
		t.Errorf("it says %q", b.said)
	}
}
