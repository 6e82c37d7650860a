package cards

import (
	"fmt"
	"strings"
	"time"

	"github.com/deskhand/deskhand/bot/chat"
	"github.com/deskhand/deskhand/core/people"
	"github.com/deskhand/deskhand/core/sla"
	"github.com/deskhand/deskhand/core/ticket"
)

// The names of living cards about promises.
const (
	BreachCard = "breach" // subject: a breach
	LateCard   = "late"   // subject: a breach, for its requester
	DigestCard = "digest" // subject: a digest
)

// WarningCards are the names of the cards that tell of a clock that runs out;
// subject: its ticket.
var WarningCards = []string{Warning(sla.Response), Warning(sla.Resolution)}

// Warning is the one for a clock.
func Warning(k sla.Kind) string { return "warning." + string(k) }

// ClockView is how a promise stands.
type ClockView struct {
	Kind   sla.Kind
	State  sla.State
	Due    time.Time     // zero while it is paused in time
	Left   time.Duration // of open time, while it is paused
	Late   bool
	NewDue time.Time // what the requester was told instead; zero: nothing
}

// verb is what is to be done by then.
func (c ClockView) verb() string {
	if c.Kind == sla.Response {
		return "answer"
	}
	return "fix"
}

func (c ClockView) done() string {
	if c.Kind == sla.Response {
		return "answered"
	}
	return "fixed"
}

// words are "answer by 10:30", or how it went.
func (c ClockView) words() chat.Rich {
	switch {
	case c.State == sla.Ended && c.Late:
		return chat.T(c.done() + " late")
	case c.State == sla.Ended:
		return chat.T(c.done() + " in time")
	case c.State == sla.Paused && c.Late:
		return chat.Join(chat.B("late"), chat.T(": "+c.verb()+" was due "), when(c.Due), chat.T(", paused"))
	case c.State == sla.Paused:
		return chat.T(c.verb() + " paused, " + rough(c.Left) + " left")
	case c.Late && !c.NewDue.IsZero():
		return chat.Join(chat.B("late"), chat.T(": "+c.verb()+" was due "), when(c.Due), chat.T(", now by "), when(c.NewDue))
	case c.Late:
		return chat.Join(chat.B("late"), chat.T(": "+c.verb()+" was due "), when(c.Due))
	case c.Due.IsZero():
		return nil
	}
	return chat.Join(chat.T(c.verb()+" by "), when(c.Due))
}

// promised is the fact "answer by 10:30, fix by 16:00"; false if nothing is.
func promised(clocks []ClockView) (chat.Fact, bool) {
	var value chat.Rich
	for _, c := range clocks {
		w := c.words()
		if len(w) == 0 {
			continue
		}
		if len(value) > 0 {
			value = chat.Join(value, chat.T(", "))
		}
		value = chat.Join(value, w)
	}
	return chat.Fact{Label: "Promised", Value: value}, len(value) > 0
}

// rough is a length of time to the minute, "less than a minute" at least.
func rough(d time.Duration) string {
	if d = d.Truncate(time.Minute); d <= 0 {
		return "less than a minute"
	}
	return sla.Words(d)
}

// WhyButton opens the sum behind the times of a ticket.
func WhyButton(t ticket.Ticket) chat.Button {
	return chat.Button{Label: "Why this time?", Action: Why, Args: TicketArgs(t), Name: "Why this time for " + t.Ref() + "?"}
}

// Sum is one clock's, in lines for a layman.
type Sum struct {
	Kind  sla.Kind
	Lines []sla.Line
}

// WhyCard is the sum behind each of a ticket's deadlines.
func WhyCard(ref string, sums []Sum) chat.Card {
	if len(sums) == 0 {
		return Say("Nothing is promised for " + ref + ", so no clock runs.")
	}
	c := chat.Card{}
	var text []string
	for _, s := range sums {
		head := ref + ": when it is answered"
		if s.Kind == sla.Resolution {
			head = ref + ": when it is fixed"
		}
		c.Blocks = append(c.Blocks, chat.Section{Text: chat.B(head)})
		var list chat.List
		text = append(text, head+".")
		for _, l := range s.Lines {
			list.Items = append(list.Items, chat.Join(chat.B(l.Label+": "), chat.T(l.Text)))
			text = append(text, l.Label+": "+l.Text+".")
		}
		c.Blocks = append(c.Blocks, list)
	}
	c.Text = strings.Join(text, " ")
	return c
}

// BreachView is a promise that was missed, or is about to be.
type BreachView struct {
	TicketView
	Breach int64 // 0: it is not missed yet
	Clock  ClockView
	Late   time.Duration // open time beyond the target
	By     people.Person // who made it good; nobody: it is not, or nobody saw who did
	Over   bool          // it is kept after all, or another promise has taken its place
	Told   string        // why it was told late, in words; empty: it was told in time
	Taken  people.Person
	Since  time.Time   // of Taken
	Tell   []chat.Span // who is called, as mentions
	Passed bool        // to the requester: she has asked for somebody higher up
}

func (v BreachView) by() string {
	if v.Late < time.Minute {
		return "just now"
	}
	return "by " + rough(v.Late)
}

// how is the state of it in one line.
func (v BreachView) how() chat.Rich {
	done, who := v.Clock.done(), ""
	if v.By.ID != 0 {
		who = " by " + v.By.Name
	}
	switch {
	case v.Clock.State == sla.Ended && v.Clock.Late && v.Late >= time.Minute:
		return chat.T("🟢 " + capital(done) + who + ", " + rough(v.Late) + " late")
	case v.Clock.State == sla.Ended && v.Clock.Late:
		return chat.T("🟢 " + capital(done) + who + ", a moment late")
	case v.Clock.State == sla.Ended:
		return chat.T("🟢 " + capital(done) + who + ", in time")
	case v.Over:
		return chat.Join(chat.T("🟢 There is a new promise: "), v.Clock.words())
	case v.Clock.State == sla.Paused:
		return chat.Join(chat.T("🟠 Late "+v.by()+", waiting for "+v.WaitsFor.Words()+": "+v.Clock.verb()+" was due "), when(v.Clock.Due))
	}
	return chat.Join(chat.B("🔴 Late "+v.by()), chat.T(": "+v.Clock.verb()+" was due "), when(v.Clock.Due))
}

func capital(s string) string { return strings.ToUpper(s[:1]) + s[1:] }

// Breach tells the team of a promise that was missed, in one message that
// follows what becomes of it.
func Breach(v BreachView) chat.Card {
	c := chat.Card{Text: fmt.Sprintf("%s %s. %s. %s, from %s, with %s.", v.Ref(), v.Title, strings.TrimLeft(v.how().Plain(), "🔴🟢🟠 "), v.Priority, v.Requester.Name, v.Team.Name)}
	c.Blocks = append(c.Blocks, chat.Section{Text: chat.B(v.Ref() + "  " + v.Title)}, chat.Section{Text: v.how()})
	owner := chat.T("Nobody yet")
	if v.Owner.ID != 0 {
		owner = chat.T(v.Owner.Name)
	}
	c.Blocks = append(c.Blocks, chat.Facts{{Label: "From", Value: chat.T(v.Requester.Name)}, {Label: "Priority", Value: v.priority()},
		{Label: "Owner", Value: owner}, {Label: "Team", Value: chat.T(v.Team.Name)}})
	if len(v.Tell) > 0 {
		c.Blocks = append(c.Blocks, chat.Section{Text: chat.Join(calling(v.Tell), chat.T(": please see to it."))})
	}
	if v.Taken.ID != 0 && !v.Over && v.Clock.State != sla.Ended {
		c.Blocks = append(c.Blocks, chat.Note{Text: chat.Join(chat.T(v.Taken.Name+" sees to it since "), when(v.Since), chat.T("."))})
	}
	if !v.Clock.NewDue.IsZero() && v.Clock.State != sla.Ended {
		c.Blocks = append(c.Blocks, chat.Note{Text: chat.Join(chat.T(v.Requester.Name+" has been told: now by "), when(v.Clock.NewDue), chat.T("."))})
	}
	if v.Told != "" {
		c.Blocks = append(c.Blocks, chat.Note{Text: chat.T(v.Told)})
	}
	if v.Over || v.Clock.State == sla.Ended {
		return c
	}
	a := breachArgs(v.Breach, v.Ticket)
	take := chat.Button{Label: "I take it", Action: TakeBreach, Args: a, Name: "I take " + v.Ref()}
	buttons := []chat.Button{
		{Label: "Reassign", Action: Assign, Args: TicketArgs(v.Ticket), Form: true, Name: "Reassign " + v.Ref()},
		{Label: "Tell requester", Action: TellBreach, Args: a, Form: true, Name: "Tell the requester of " + v.Ref()},
	}
	if v.Taken.ID == 0 {
		take.Style = chat.Primary
		buttons = append([]chat.Button{take}, buttons...)
	}
	c.Blocks = append(c.Blocks, chat.Actions{Buttons: buttons, Menu: []chat.Button{WhyButton(v.Ticket)}})
	return c
}

func calling(who []chat.Span) chat.Rich {
	var line chat.Rich
	for i, s := range who {
		if i > 0 {
			line = chat.Join(line, chat.T(", "))
		}
		line = append(line, s)
	}
	return line
}

// Warn tells that a clock runs out.
func Warn(v BreachView) chat.Card {
	c := chat.Card{}
	var line chat.Rich
	switch {
	case v.Clock.State == sla.Ended || v.Clock.State == sla.Paused || v.Clock.Late:
		line = chat.Join(chat.B(v.Ref()), chat.T(": "), v.Clock.words(), chat.T("."))
	default:
		line = chat.Join(chat.B(v.Ref()), chat.T(" needs "+map[string]string{"answer": "an answer", "fix": "to be fixed"}[v.Clock.verb()]+" by "), when(v.Clock.Due), chat.T(": “"+short(v.Title, 80)+"”."))
		if len(v.Tell) > 0 {
			line = chat.Join(calling(v.Tell), chat.T(", "), line)
		}
		if v.Owner.ID == 0 {
			line = chat.Join(line, chat.T(" Nobody has claimed it."))
		}
	}
	c.Text = strings.TrimSpace(line.Plain())
	c.Blocks = append(c.Blocks, chat.Section{Text: line})
	if v.Told != "" {
		c.Blocks = append(c.Blocks, chat.Note{Text: chat.T(v.Told)})
	}
	return c
}

// Late tells the requester, before she asks, that it takes longer.
func Late(v BreachView) chat.Card {
	c := chat.Card{}
	var line chat.Rich
	missed := "We have not answered you about " + v.Ref() + " as soon as we promised."
	if v.Clock.Kind == sla.Resolution {
		missed = "We have not fixed " + v.Ref() + " as soon as we promised."
	}
	switch {
	case v.Clock.State == sla.Ended && !v.Clock.Late:
		line = chat.T(v.Ref() + " was " + v.Clock.done() + " in time after all: I heard of it only now.")
	case v.Clock.State == sla.Ended:
		line = chat.T(v.Ref() + " was " + v.Clock.done() + " later than we promised. I'm sorry for the wait.")
	case v.Over:
		line = chat.Join(chat.T("There is a new promise for "+v.Ref()+": "), v.Clock.words(), chat.T("."))
	case v.Clock.NewDue.IsZero():
		line = chat.T(missed + " I'm sorry.")
	default:
		line = chat.Join(chat.T(missed+" I'm sorry. New time: "), chat.Rich{{Time: v.Clock.NewDue}}, chat.T("."))
	}
	c.Text = line.Plain()
	c.Blocks = append(c.Blocks, chat.Section{Text: line})
	if v.Clock.State == sla.Ended || v.Over {
		return c
	}
	if v.Passed {
		c.Blocks = append(c.Blocks, chat.Note{Text: chat.T("You have asked for somebody higher up. " + v.Team.Name + "'s lead knows.")})
		return c
	}
	a := breachArgs(v.Breach, v.Ticket)
	c.Blocks = append(c.Blocks, chat.Actions{Buttons: []chat.Button{{Label: "Escalate", Action: PressBreach, Args: a, Name: "Escalate " + v.Ref(),
		Confirm: &chat.Confirm{Title: "Escalate?", Text: "The team's lead is told that it is urgent to you.", Yes: "Escalate", No: "Cancel"}}}})
	return c
}

// TellForm asks what the requester is to be told.
func TellForm(v BreachView, until string) chat.Form {
	a := breachArgs(v.Breach, v.Ticket)
	return chat.Form{Action: TellBreach, Args: a, Title: "Tell the requester", Submit: "Tell", Close: "Cancel",
		Intro: []chat.Block{chat.Section{Text: chat.Join(chat.B(v.Ref()+"  "+v.Title), chat.T(", from "+v.Requester.Name))}},
		Fields: []chat.Field{
			{Name: "within", Label: "When will it be done?", Input: chat.Select, Value: one(until), Options: []chat.Option{
				{Value: "30m", Label: "Within half an hour"}, {Value: "1h", Label: "Within an hour"}, {Value: "2h", Label: "Within two hours"},
				{Value: "4h", Label: "Within four hours"}, {Value: "8h", Label: "Within a working day"}, {Value: "16h", Label: "Within two working days"},
				{Value: "40h", Label: "Within a working week"}}},
			{Name: "words", Label: "What do you want to say?", Input: chat.Paragraph, Optional: true, Max: 1000,
				Hint: "In your name, in the requester's thread."},
		}}
}

// DigestLine is a ticket in a digest.
type DigestLine struct {
	Ticket ticket.Ticket
	Owner  people.Person
	Clocks []ClockView
	Breach int64 // that nobody has taken; 0: there is none
}

// DigestView are many alerts at once.
type DigestView struct {
	ID       int64
	All      int // tickets
	Over     int // of them nobody has to see to any more
	Since    time.Time
	About    string // what most of them are about; empty: nothing stands out
	AboutN   int
	Lines    []DigestLine
	ToldLate string
}

// Digest stands for many alerts that fell due at about the same time.
func Digest(v DigestView) chat.Card {
	open := v.All - v.Over
	c := chat.Card{Text: fmt.Sprintf("%d tickets are late or about to be; %d left.", v.All, open)}
	head := chat.Join(chat.B(fmt.Sprintf("🔴 %d tickets are late or about to be", v.All)), chat.T(", since "), when(v.Since))
	if open == 0 {
		c.Text = fmt.Sprintf("All %d tickets that were late or about to be are seen to.", v.All)
		head = chat.T("🟢 " + c.Text)
	}
	c.Blocks = append(c.Blocks, chat.Section{Text: head})
	if open == 0 {
		return c
	}
	if v.Over > 0 {
		c.Blocks = append(c.Blocks, chat.Note{Text: chat.T(fmt.Sprintf("%d left, %d seen to.", open, v.Over))})
	}
	if v.About != "" {
		c.Blocks = append(c.Blocks, chat.Note{Text: chat.T(fmt.Sprintf("%d of them are about %s.", v.AboutN, v.About))})
	}
	c.Blocks = append(c.Blocks, chat.List{Items: digestItems(v.Lines)})
	if more := v.All - len(v.Lines); more > 0 {
		c.Blocks = append(c.Blocks, chat.Note{Text: chat.T(fmt.Sprintf("and %d more", more))})
	}
	if v.ToldLate != "" {
		c.Blocks = append(c.Blocks, chat.Note{Text: chat.T(v.ToldLate)})
	}
	c.Blocks = append(c.Blocks, chat.Actions{Buttons: []chat.Button{{Label: "Show list", Action: DigestList, Args: args("d", v.ID, v.All), Form: true}}, Menu: taking(v.Lines)})
	return c
}

// mostTaking is how many of a digest's tickets can be taken from its menu: as
// many as one has without scrolling.
const mostTaking = 5

func taking(lines []DigestLine) []chat.Button {
	var menu []chat.Button
	for _, l := range lines {
		if l.Breach != 0 && len(menu) < mostTaking {
			label := "I take " + l.Ticket.Ref()
			menu = append(menu, chat.Button{Label: label, Action: TakeBreach, Args: breachArgs(l.Breach, l.Ticket), Name: label})
		}
	}
	return menu
}

// breachArgs name a breach and its ticket.
func breachArgs(id int64, t ticket.Ticket) chat.Args {
	return with(args("b", id, t.Version), "t", TicketArgs(t)["t"])
}

func digestItems(lines []DigestLine) []chat.Rich {
	items := make([]chat.Rich, 0, len(lines))
	for _, l := range lines {
		owner := "nobody yet"
		if l.Owner.ID != 0 {
			owner = l.Owner.Name
		}
		text := chat.Join(chat.B(l.Ticket.Ref()), chat.T(" "+short(l.Ticket.Title, 60)+" · "+l.Ticket.Priority.String()+" · "+owner))
		if f, ok := promised(l.Clocks); ok {
			text = chat.Join(text, chat.T(" · "), f.Value)
		}
		items = append(items, text)
	}
	return items
}

// DigestForm is the whole list.
func DigestForm(v DigestView) chat.Form {
	f := chat.Form{Action: DigestList, Title: "Late or about to be", Close: "Close", Intro: []chat.Block{chat.List{Items: digestItems(v.Lines)}}}
	if more := v.All - len(v.Lines); more > 0 {
		f.Intro = append(f.Intro, chat.Note{Text: chat.T(fmt.Sprintf("and %d more", more))})
	}
	return f
}
