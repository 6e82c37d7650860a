package cards

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/deskhand/deskhand/bot/chat"
	"github.com/deskhand/deskhand/core/cmdb"
	"github.com/deskhand/deskhand/core/knowledge"
	"github.com/deskhand/deskhand/core/people"
	"github.com/deskhand/deskhand/core/ticket"
)

// TicketView is a ticket with the names that its number stand for.
type TicketView struct {
	ticket.Ticket
	Requester, Author, Owner people.Person
	Department               string // of the requester, by name
	Team                     people.Team
	Service                  string          // name
	Shown                    []knowledge.Hit // what the requester has been shown already
	Article                  knowledge.Article
	Follows                  string // reference of the ticket it goes on from
	Trail                    string // with whom it has been, once it was handed over
	Leader                   string // who alone may hand it on, once it has been with too many teams
	Moved                    bool   // a later card of the same name has taken over
	Flat                     bool   // the chat has no threads
	Glance                   bool   // drawn once, where nobody who writes would be heard on the ticket
	Items                    []cmdb.Item
	Impact                   cmdb.Impact // of Items, if there are any
	Past                     []PastView  // of Items
	Changes                  []LinkView
	Cost                     int64         // what an hour of what is affected costs; 0: not known
	Down                     time.Duration // for how long it has been affected
	CloseAfter               time.Duration
	Clocks                   []ClockView // response, then resolution
	Outage                   string      // what is down, while it is a known outage
	MeToo, Waiting           int         // whom it concerns besides its requester
	Guess                    GuessView
}

// GuessView is what the desk guessed of a ticket when it was opened.
type GuessView struct {
	About     string // what it was taken to be about; empty: nothing was guessed
	Asked     bool   // it stood in a form
	Kept      bool   // nobody has said that it is about something else
	Certainty knowledge.Certainty
	Alike     int

	Team      string // that has it because tickets like it belonged there; empty: it is where the policy sends it
	TeamAlike int
	Usual     string // where that is
}

// note says to agents what was guessed and not chosen.
func (g GuessView) note() string {
	var said []string
	why := "by its words alone"
	if g.Certainty != knowledge.Unsure {
		why = counted(g.Alike, "similar ticket") + " went there"
	}
	switch {
	case g.About == "" || !g.Kept:
	case g.Asked:
		said = append(said, fmt.Sprintf("I filled in “%s” (%s), and nobody changed it.", g.About, why))
	default:
		said = append(said, fmt.Sprintf("I took it to be about %s (%s). Nobody was asked.", g.About, why))
	}
	if g.Team != "" {
		said = append(said, fmt.Sprintf("Probably for %s rather than %s: %s belonged there. If not, hand it over, and I learn.", g.Team, g.Usual, counted(g.TeamAlike, "similar ticket")))
	}
	return strings.Join(said, " ")
}

// StateWord is the state in one word or two, with a sign that is never alone
// in saying it.
func StateWord(t ticket.Ticket) string {
	switch {
	case t.Closed():
		return "⚪ Closed"
	case t.State == ticket.Done:
		return "🟢 Resolved"
	case t.State == ticket.Waiting:
		return "🟠 Waiting"
	case t.State == ticket.InProgress:
		return "🔵 In progress"
	}
	return "🟣 New"
}

// next is who acts next, for the requester.
func (v TicketView) next() string {
	switch {
	case v.Closed():
		return "Nothing is left to do."
	case v.State == ticket.Done:
		return "You say whether it is fixed."
	case v.State == ticket.Waiting && v.WaitsFor == ticket.ForRequester:
		if v.Flat {
			return "You: " + v.ownerName() + " needs an answer from you, here."
		}
		return "You: " + v.ownerName() + " needs an answer from you, here in the thread."
	case v.State == ticket.Waiting:
		return v.ownerName() + " goes on as soon as " + v.WaitsFor.Words() + " is there."
	case v.Owner.ID != 0 && v.Chosen != "":
		return "It is with " + v.ownerName() + "."
	case v.Owner.ID != 0:
		return v.ownerName() + " is on it."
	}
	return "Somebody from " + v.Team.Name + " will pick it up."
}

func (v TicketView) ownerName() string {
	if v.Owner.ID == 0 {
		return v.Team.Name
	}
	return v.Owner.Name
}

func (v TicketView) priority() chat.Rich {
	return chat.Join(chat.B(v.Priority.String()), chat.T(", because "+v.Because))
}

func when(t time.Time) chat.Rich { return chat.Rich{{Time: t}} }

// Triage is the ticket in its team's channel.
func Triage(v TicketView) chat.Card {
	who := v.Requester.Name
	for _, s := range []string{v.Department, v.Requester.Site} {
		if s != "" {
			who += ", " + s
		}
	}
	if v.Requester.Guest {
		who += " (guest)"
	}
	c := chat.Card{Text: fmt.Sprintf("%s %s. %s, %s. From %s.", v.Ref(), v.Title, v.Priority, strings.ToLower(v.StateWords()), v.Requester.Name)}
	c.Blocks = append(c.Blocks, chat.Section{Text: chat.Join(chat.B(v.Ref() + "  " + v.Title))})
	if v.Moved {
		c.Text = v.Ref() + " was handed over to " + v.Team.Name + "."
		c.Blocks = append(c.Blocks, chat.Note{Text: chat.T("Handed over to " + v.Team.Name + ".")})
		return c
	}
	state := chat.T(StateWord(v.Ticket))
	switch {
	case v.State == ticket.Waiting:
		state = chat.Join(state, chat.T(" for "+v.WaitsFor.Words()))
		if v.WaitNote != "" {
			state = chat.Join(state, chat.T(": "+v.WaitNote))
		}
	case v.State == ticket.Done && v.Rating > 0:
		state = chat.Join(state, chat.T(" "+Faces[v.Rating-1]))
	}
	owner := chat.T("Nobody yet")
	if v.Owner.ID != 0 {
		owner = chat.B(v.Owner.Name + " is on it")
		if v.Chosen != "" {
			owner = chat.Join(chat.T("Assigned to "), chat.B(v.Owner.Name), chat.T(" ("+v.Chosen+")"))
		}
		if v.State == ticket.Done {
			owner = chat.T(v.Owner.Name)
		}
	}
	facts := chat.Facts{{Label: "From", Value: chat.T(who)}, {Label: "State", Value: state},
		{Label: "Priority", Value: v.priority()}, {Label: "Owner", Value: owner}}
	if v.Service != "" {
		facts = append(facts, chat.Fact{Label: "Service", Value: chat.T(v.Service)})
	}
	if len(v.Items) > 0 {
		facts = append(facts, chat.Fact{Label: "Affects", Value: chat.T(affects(v.Items, v.Impact))})
	}
	if v.Cost > 0 {
		facts = append(facts, chat.Fact{Label: "Costs", Value: chat.T(costs(v.Cost, v.Down))})
	}
	if v.Outage != "" {
		facts = append(facts, chat.Fact{Label: "Known outage", Value: chat.T("🔴 " + v.Outage + ", told to whoever asks")})
	}
	if who := v.concerned(); who != "" {
		facts = append(facts, chat.Fact{Label: "Me too", Value: chat.T(who)})
	}
	facts = append(facts, chat.Fact{Label: "Opened", Value: when(v.OpenedAt)})
	if f, ok := promised(v.Clocks); ok {
		facts = append(facts, f)
	}
	c.Blocks = append(c.Blocks, facts)
	if d := strings.TrimSpace(v.Detail); d != "" && d != v.Title {
		c.Blocks = append(c.Blocks, chat.Quote{Text: chat.T(short(d, 600))})
	}
	if v.Author.ID != v.Requester.ID {
		c.Blocks = append(c.Blocks, chat.Note{Text: chat.T("Opened by " + v.Author.Name + " for " + v.Requester.Name + ".")})
	}
	if note := v.Guess.note(); note != "" && v.Open() {
		c.Blocks = append(c.Blocks, chat.Note{Text: chat.T(note)})
	}
	if len(v.Shown) > 0 {
		c.Blocks = append(c.Blocks, chat.Note{Text: chat.T("Has been shown already: " + hitNames(v.Shown))})
	}
	if v.Ticket.Follows != 0 {
		c.Blocks = append(c.Blocks, chat.Note{Text: chat.T("Goes on from " + v.Follows + ", which was closed.")})
	}
	if v.Trail != "" {
		text := ticket.Ordinal(v.Seen()) + " team: " + short(v.Trail, 600) + "."
		if v.Leader != "" && v.Open() {
			text += " From here only a lead hands it on: ask " + v.Leader + "."
		}
		c.Blocks = append(c.Blocks, chat.Note{Text: chat.T(text)})
	}
	if v.Reopened > 0 {
		c.Blocks = append(c.Blocks, chat.Note{Text: chat.T("Reopened " + times(v.Reopened) + ".")})
	}
	if v.State == ticket.Done {
		c.Blocks = append(c.Blocks, chat.Section{Text: chat.Join(chat.B("Resolution: "), chat.T(short(v.Resolution, 600)))})
		if v.Article.ID != 0 {
			c.Blocks = append(c.Blocks, chat.Note{Text: chat.T(strings.TrimSpace("With " + v.Article.ID.Ref() + " " + v.Article.Title))})
		}
		if v.Comment != "" {
			c.Blocks = append(c.Blocks, chat.Quote{Text: chat.T(short(v.Comment, 300))})
		}
	}
	if v.Open() {
		for _, p := range v.Past {
			if line := p.line(); len(line) > 0 {
				c.Blocks = append(c.Blocks, chat.Note{Text: line})
			}
		}
	}
	links, _ := v.links()
	for _, l := range links {
		c.Text += " " + l.Plain()
		c.Blocks = append(c.Blocks, chat.Note{Text: l})
	}
	c.Blocks = append(c.Blocks, v.actions())
	return c
}

// actions are what the team can do.
func (v TicketView) actions() chat.Actions {
	a := triageActions(v.Ticket)
	_, links := v.links()
	a.Menu = append(a.Menu, links...)
	if len(v.Clocks) > 0 {
		a.Menu = append(a.Menu, WhyButton(v.Ticket))
	}
	return a
}

// triageActions has what can be done in the state: two buttons, the rest in
// the menu.
func triageActions(t ticket.Ticket) chat.Actions {
	a, ref := TicketArgs(t), " "+t.Ref()
	b := func(label, action string, form bool) chat.Button {
		return chat.Button{Label: label, Action: action, Args: a, Form: form, Name: label + ref}
	}
	claim, resolve := b("Claim", Claim, false), b("Resolve", Resolve, true)
	wait, wake := b("Waiting for…", Wait, true), b("Go on", Wake, false)
	assign, move := b("Give to…", Assign, true), b("Hand over to a team…", HandOver, true)
	release, prio, history := b("Give back", Release, false), b("Change priority…", Priority, true), b("History", History, true)
	about, before := b("What is affected?…", About, true), b("What helped before…", Before, true)
	service := b("Service or category…", Correct, true)
	switch {
	case t.State == ticket.Done && t.Article == 0:
		return chat.Actions{Buttons: []chat.Button{b("Save as article", SaveAs, true)}, Menu: []chat.Button{history}}
	case t.State == ticket.Done:
		return chat.Actions{Menu: []chat.Button{history}}
	case t.Owner != 0 && t.Chosen != "" && t.State == ticket.InProgress:
		return chat.Actions{Buttons: []chat.Button{resolve, b("Not me", PassOn, false)}, Menu: []chat.Button{wait, assign, move, prio, service, about, before, history}}
	case t.Owner == 0 && t.State == ticket.Waiting:
		claim.Style = chat.Primary
		return chat.Actions{Buttons: []chat.Button{claim, resolve}, Menu: []chat.Button{wake, assign, move, prio, service, about, before, history}}
	case t.Owner == 0:
		claim.Style = chat.Primary
		return chat.Actions{Buttons: []chat.Button{claim, resolve}, Menu: []chat.Button{assign, move, wait, prio, service, about, before, history}}
	case t.State == ticket.Waiting:
		return chat.Actions{Buttons: []chat.Button{resolve, wake}, Menu: []chat.Button{assign, release, move, prio, service, about, before, history}}
	}
	return chat.Actions{Buttons: []chat.Button{resolve, wait}, Menu: []chat.Button{assign, release, move, prio, service, about, before, history}}
}

// Status is the ticket in its requester's thread.
func Status(v TicketView) chat.Card {
	c := status(v)
	if _, ok := promised(v.Clocks); ok {
		c.Blocks = append(c.Blocks, chat.Actions{Menu: []chat.Button{WhyButton(v.Ticket)}})
	}
	return c
}

func status(v TicketView) chat.Card {
	c := chat.Card{Text: fmt.Sprintf("%s %s: %s. %s", v.Ref(), v.Title, stateOfMine(v.Ticket), v.next())}
	facts := chat.Facts{
		{Label: "State", Value: chat.T(StateWord(v.Ticket))},
		{Label: "Next", Value: chat.T(v.next())},
		{Label: "Priority", Value: v.priority()},
		{Label: "With", Value: chat.T(v.Team.Name)},
	}
	if f, ok := promised(v.Clocks); ok {
		facts = append(facts, f)
		c.Text += " Promised: " + f.Value.Plain() + "."
	}
	c.Blocks = append(c.Blocks, chat.Section{Text: chat.Join(chat.B(v.Ref() + "  " + v.Title))}, facts)
	if v.WaitNote != "" && v.WaitsFor != ticket.ForRequester {
		c.Blocks = append(c.Blocks, chat.Note{Text: chat.T("Waiting for " + v.WaitsFor.Words() + ": " + v.WaitNote)})
	}
	if v.Open() && v.Guess.About != "" && !v.Guess.Asked && v.Guess.Kept {
		c.Blocks = append(c.Blocks, chat.Note{Text: chat.T("I took it to be about " + v.Guess.About + ". If it is not, just say so.")})
	}
	if v.Ticket.Follows != 0 {
		c.Blocks = append(c.Blocks, chat.Note{Text: chat.T("This goes on from " + v.Follows + ", which was closed.")})
	}
	if v.Open() && !v.Glance {
		where := "in this thread"
		if v.Flat {
			where = "here"
		}
		c.Blocks = append(c.Blocks, chat.Note{Text: chat.T("Just write " + where + ": " + v.Team.Name + " sees it.")})
	}
	return c
}

// StatusForTeam is the same as the team's agents see it where others read
// along: with what they can do.
func StatusForTeam(v TicketView) chat.Card {
	c := status(v)
	c.Blocks = append(c.Blocks, v.actions())
	return c
}

// Faces are the five answers to "how was it?", worst first.
var Faces = [5]string{"😞", "🙁", "😐", "🙂", "😀"}

var faceWords = [5]string{"Very bad", "Bad", "So-so", "Good", "Very good"}

// Fixed asks the requester whether a resolved ticket is fixed, and then how it
// was.
func Fixed(v TicketView) chat.Card {
	a := TicketArgs(v.Ticket)
	c := chat.Card{}
	if v.State != ticket.Done || v.Moved {
		c.Text = v.Ref() + " was reopened."
		c.Blocks = []chat.Block{chat.Section{Text: chat.T(c.Text)}}
		return c
	}
	c.Blocks = append(c.Blocks, chat.Section{Text: chat.Join(chat.B(v.Ref()+" is resolved: "), chat.T(short(v.Resolution, 1500)))})
	if v.Article.ID != 0 {
		c.Blocks = append(c.Blocks, chat.Note{Text: chat.T("For next time: " + v.Article.ID.Ref() + " " + v.Article.Title)})
	}
	if !v.Closed() {
		c.Text = v.Ref() + " is resolved: " + short(v.Resolution, 300) + " Is it fixed?"
		c.Blocks = append(c.Blocks, chat.Section{Text: chat.T("Is it fixed?")},
			chat.Actions{Buttons: []chat.Button{
				{Label: "Yes, close", Action: Yes, Args: a, Style: chat.Primary, Name: "Yes, close " + v.Ref()},
				{Label: "No, reopen", Action: No, Args: a, Form: true, Name: "No, reopen " + v.Ref()},
			}})
		if v.CloseAfter > 0 {
			c.Blocks = append(c.Blocks, chat.Note{Text: chat.Join(chat.T("If I hear nothing, I close it on "), when(v.ResolvedAt.Add(v.CloseAfter)), chat.T("."))})
		}
		return c
	}
	c.Text = v.Ref() + " is closed."
	if v.Rating == 0 {
		c.Text += " How was it?"
		faces := make([]chat.Button, len(Faces))
		for i, f := range Faces {
			faces[i] = chat.Button{Label: f, Action: Rate, Args: with(a, "r", strconv.Itoa(i+1)), Name: faceWords[i]}
		}
		c.Blocks = append(c.Blocks, chat.Section{Text: chat.T(c.Text)}, chat.Actions{Buttons: faces})
		return c
	}
	c.Text += " You said: " + Faces[v.Rating-1] + " " + strings.ToLower(faceWords[v.Rating-1]) + ". Thank you."
	c.Blocks = append(c.Blocks, chat.Section{Text: chat.T(c.Text)})
	var more []chat.Button
	if v.Comment == "" {
		more = append(more, chat.Button{Label: "Add a line", Action: Remark, Args: a, Form: true})
	} else {
		c.Blocks = append(c.Blocks, chat.Quote{Text: chat.T(short(v.Comment, 500))})
	}
	if v.Rating <= 2 && v.Team.Lead != 0 {
		more = append(more, chat.Button{Label: "Tell the team lead", Action: TellLead, Args: a})
	}
	if len(more) > 0 {
		c.Blocks = append(c.Blocks, chat.Actions{Buttons: more})
	}
	return c
}

// LowRating is what the team lead is told, if the requester wants it.
func LowRating(v TicketView) chat.Card {
	c := chat.Card{Text: fmt.Sprintf("%s was not happy with %s (%s) and wants you to know.", v.Requester.Name, v.Ref(), v.Title)}
	c.Blocks = append(c.Blocks, chat.Section{Text: chat.Join(chat.T(Faces[v.Rating-1]+" "), chat.T(c.Text))})
	if v.Comment != "" {
		c.Blocks = append(c.Blocks, chat.Quote{Text: chat.T(short(v.Comment, 500))})
	}
	c.Blocks = append(c.Blocks, chat.Note{Text: chat.Join(chat.T("Resolved by "+v.Owner.Name+": "), chat.T(short(v.Resolution, 300)))})
	return c
}

func times(n int) string {
	switch n {
	case 1:
		return "once"
	case 2:
		return "twice"
	}
	return strconv.Itoa(n) + " times"
}

// short cuts s to at most n characters, at the end of a word where there is one.
func short(s string, n int) string {
	r := []rune(s)
	if len(r) <= n {
		return s
	}
	cut := string(r[:n-1])
	if i := strings.LastIndexAny(cut, " \n"); i > len(cut)/2 {
		cut = cut[:i]
	}
	return strings.TrimRight(cut, " \n") + "…"
}

// Title makes a subject out of a question: its first line, at most 80
// characters.
func Title(question string) string {
	line, _, _ := strings.Cut(strings.TrimSpace(question), "\n")
	return short(strings.Join(strings.Fields(line), " "), 80)
}
