package cards

import (
	"fmt"
	"strconv"

	"github.com/deskhand/deskhand/bot/chat"
	"github.com/deskhand/deskhand/core/change"
	"github.com/deskhand/deskhand/core/knowledge"
	"github.com/deskhand/deskhand/core/people"
	"github.com/deskhand/deskhand/core/ticket"
)

// Draft is a ticket that is being opened.
type Draft struct {
	Question int64     // 0: none
	Source   chat.Args // where it came from, for the flow that opens it
	Kind     ticket.Kind
	Title    string
	Detail   string
	About    string // service, or service/category, by their slugs; guessed
	Guess    Guess  // how, if it is
	Impact   ticket.Impact
	Urgency  ticket.Urgency
	Wanted   string // what is requested, as a line says; empty: nothing that is known
	ForOther bool   // the opener may name somebody else
	For      string // account id of the requester, if not the opener
}

// Guess is a choice that is made already, to be changed, and what speaks for it.
type Guess struct {
	About     string // as in Draft; empty: nothing is guessed
	Name      string // as people read it
	Arg       string // as it travels through the form
	Word      string // of the text, where that is all that speaks for it
	Certainty knowledge.Certainty
	Sure      float64 // 0 to 1
	Alike     int     // similar tickets that were about it
}

func (g Guess) words() string {
	if g.Word != "" {
		return "Maybe " + g.Name + ", because of “" + short(g.Word, 40) + "”. Change it if that is wrong."
	}
	return fmt.Sprintf("%s %s: %s went there. Change it if that is wrong.", capital(string(g.Certainty)), g.Name, counted(g.Alike, "similar ticket"))
}

// ServiceOption is a service to choose.
type ServiceOption struct{ Slug, Name string }

func (d Draft) args() chat.Args {
	a := chat.Args{}
	for k, v := range d.Source {
		a[k] = v
	}
	if d.Question != 0 {
		a["q"] = strconv.FormatInt(d.Question, 10)
	}
	if d.Kind != "" {
		a["k"] = string(d.Kind)
	}
	return a
}

// ChooseKind is the first question of opening a ticket: is something broken,
// or is something needed?
func ChooseKind(d Draft) chat.Form {
	f := chat.Form{Action: OpenKind, Args: d.args(), Title: "Open a ticket", Close: "Cancel"}
	if d.Title != "" {
		f.Intro = append(f.Intro, chat.Quote{Text: chat.T(d.Title)})
	}
	a := d.args()
	f.Intro = append(f.Intro, chat.Section{Text: chat.T("What is it?")},
		chat.Actions{Buttons: []chat.Button{
			{Label: "Something is broken", Action: OpenKind, Args: with(a, "k", string(ticket.Incident)), Form: true},
			{Label: "I need something", Action: OpenKind, Args: with(a, "k", string(ticket.Request)), Form: true},
		}})
	return f
}

// Like is a ticket that the new one may be about.
type Like struct {
	Ticket ticket.Ticket
	Mine   bool
}

// Duplicates offers what is open already before another ticket is opened.
func Duplicates(d Draft, like []Like) chat.Form {
	f := chat.Form{Action: OpenOther, Args: d.args(), Title: "Is it one of these?", Close: "Cancel"}
	for _, l := range like {
		t := l.Ticket
		lead, label := "You already have ", "Add to it"
		if !l.Mine {
			lead, label = "Known and being worked on: ", "Me too"
		}
		f.Intro = append(f.Intro,
			chat.Section{Text: chat.Join(chat.T(lead), chat.B(t.Ref()), chat.T(" “"+t.Title+"”, "+StateWord(t)))},
			chat.Actions{Buttons: []chat.Button{{Label: label, Action: OpenAdd, Form: true, Name: label + " " + t.Ref(),
				Args: with(d.args(), "t", strconv.FormatInt(int64(t.ID), 10))}}})
	}
	f.Intro = append(f.Intro, chat.Divider{}, chat.Actions{Buttons: []chat.Button{
		{Label: "It is different", Action: OpenOther, Args: d.args(), Form: true}}})
	return f
}

// Added says that something was added to a ticket instead of opening another.
func Added(t ticket.Ticket, mine bool) chat.Form {
	text := "Added to " + t.Ref() + ". The team sees it."
	if !mine {
		text = "Noted: " + t.Ref() + " concerns you too. You find how it stands in your direct messages with me."
	}
	return chat.Form{Action: OpenAdd, Title: "Added", Close: "Close", Intro: []chat.Block{chat.Section{Text: chat.T(text)}}}
}

// OpenForm asks for the rest, in the words of the business.
func OpenForm(d Draft, services []ServiceOption) chat.Form {
	f := chat.Form{Action: OpenSend, Args: d.args(), Title: "Something is broken", Submit: "Open ticket", Close: "Cancel", Keep: true}
	what, who, by := "What is broken?", "Who is affected?", "By when does it hurt more?"
	if d.Kind == ticket.Request {
		f.Title = "I need something"
		what, who, by = "What do you need?", "Who is it for?", "By when is it needed?"
	}
	if d.Wanted != "" {
		f.Intro = []chat.Block{chat.Note{Text: chat.T(d.Wanted)}}
	}
	f.Fields = append(f.Fields,
		chat.Field{Name: "title", Label: what, Input: chat.Line, Value: one(d.Title), Max: 150},
		chat.Field{Name: "impact", Label: who, Input: chat.Choice, Options: impacts(), Value: one(string(d.Impact))},
		chat.Field{Name: "urgency", Label: by, Input: chat.Choice, Options: urgencies(), Value: one(string(d.Urgency))})
	var options []chat.Option
	for _, s := range services {
		options = append(options, chat.Option{Value: s.Slug, Label: s.Name})
	}
	if len(options) > 1 {
		about := chat.Field{Name: "service", Label: "What is it about?", Input: chat.Select, Options: options, Value: one(d.About), Optional: true}
		if d.Guess.About != "" {
			about.Hint = d.Guess.words()
			f.Args["g"] = d.Guess.Arg
		}
		f.Fields = append(f.Fields, about)
	}
	f.Fields = append(f.Fields, chat.Field{Name: "detail", Label: "Anything else?", Input: chat.Paragraph, Optional: true,
		Hint: "Since when, error messages, what you have tried. Screenshots go into the thread.", Value: one(d.Detail), Max: 3000})
	if d.ForOther {
		f.Fields = append(f.Fields, chat.Field{Name: "person", Label: "For somebody else?", Input: chat.Person, Optional: true, Value: one(d.For)})
	}
	return f
}

func one(s string) []string {
	if s == "" {
		return nil
	}
	return []string{s}
}

func impacts() []chat.Option {
	var o []chat.Option
	for _, i := range ticket.Impacts {
		o = append(o, chat.Option{Value: string(i), Label: i.Words()})
	}
	return o
}

func urgencies() []chat.Option {
	var o []chat.Option
	for _, u := range ticket.Urgencies {
		o = append(o, chat.Option{Value: string(u), Label: u.Words()})
	}
	return o
}

// ResolveForm asks how the ticket was resolved.
func ResolveForm(t ticket.Ticket, article chat.Option) chat.Form {
	f := chat.Form{Action: Resolve, Args: TicketArgs(t), Title: "Resolve " + t.Ref(), Submit: "Resolve", Close: "Cancel", Keep: true,
		Fields: []chat.Field{
			{Name: "resolution", Label: "What fixed it?", Input: chat.Paragraph, Max: 3000,
				Hint: "The requester reads this. Plain words help the next person too."},
			{Name: "article", Label: "Article you used", Input: chat.Search, Optional: true, Hint: "Type a word or two to find it."},
		}}
	if article.Value != "" {
		f.Fields[1].Options, f.Fields[1].Value = []chat.Option{article}, []string{article.Value}
	}
	if t.Kind == ticket.Incident {
		f.Fields = append(f.Fields,
			chat.Field{Name: "changed", Label: "Did you change something in production? What?", Input: chat.Line, Max: change.MostTitle, Optional: true,
				Hint: "If so it is kept as a change, so that the next one knows of it."},
			chat.Field{Name: ItemField, Label: "On what?", Input: chat.Search, Optional: true, Hint: "Type a few letters of the item's name."})
	}
	return f
}

// WaitForm asks what the ticket waits for.
func WaitForm(t ticket.Ticket) chat.Form {
	var o []chat.Option
	for _, r := range ticket.Reasons {
		o = append(o, chat.Option{Value: string(r), Label: "For " + r.Words()})
	}
	return chat.Form{Action: Wait, Args: TicketArgs(t), Title: "Put " + t.Ref() + " on hold", Submit: "Wait", Close: "Cancel",
		Fields: []chat.Field{
			{Name: "reason", Label: "What is it waiting for?", Input: chat.Choice, Options: o},
			{Name: "note", Label: "Say what exactly", Input: chat.Paragraph, Optional: true, Max: 1000,
				Hint: "If it waits for the requester, this is asked in the thread. An answer wakes the ticket."},
		}}
}

// AssignForm asks who shall have the ticket; away says of whoever is until when.
func AssignForm(t ticket.Ticket, agents []people.Person, away map[people.PersonID]string) chat.Form {
	var o []chat.Option
	for _, p := range agents {
		if len(o) < 100 && p.ID != t.Owner {
			o = append(o, chat.Option{Value: strconv.FormatInt(int64(p.ID), 10), Label: short(p.Name, 75), Hint: away[p.ID]})
		}
	}
	f := chat.Form{Action: Assign, Args: TicketArgs(t), Title: "Give " + t.Ref() + " to…", Submit: "Give", Close: "Cancel"}
	if len(o) == 0 {
		f.Submit = ""
		f.Intro = []chat.Block{chat.Section{Text: chat.T("Nobody else is in this team yet.")}}
		return f
	}
	f.Fields = []chat.Field{{Name: "agent", Label: "Who?", Input: chat.Select, Options: o}}
	return f
}

// HandOverView is what a form for a hand-over begins with when it is shown
// again, to ask whether it is really meant, or when it is the desk that asks.
type HandOverView struct {
	To     people.Team
	Filled chat.Values
	Really string // the question; empty: the form is new, or
	Offer  string // the desk's own suggestion, with its reason
}

// HandOverForm asks which team shall have the ticket.
func HandOverForm(t ticket.Ticket, teams []people.Team, v HandOverView) chat.Form {
	var o []chat.Option
	from, higher := people.Team{}, false
	for _, team := range teams {
		if team.ID == t.Team {
			from = team
		}
	}
	for _, team := range teams {
		if len(o) < 100 && team.ID != t.Team {
			o = append(o, chat.Option{Value: strconv.FormatInt(int64(team.ID), 10), Label: team.Name, Hint: "Tier " + strconv.Itoa(team.Tier)})
			higher = higher || team.Tier > from.Tier
		}
	}
	f := chat.Form{Action: HandOver, Args: TicketArgs(t), Title: "Hand over " + t.Ref(), Submit: "Hand over", Close: "Cancel"}
	if len(o) == 0 {
		f.Submit = ""
		f.Intro = []chat.Block{chat.Section{Text: chat.T("There is no other team to hand it to.")}}
		return f
	}
	team := chat.Field{Name: "team", Label: "To which team?", Input: chat.Select, Options: o}
	if lead := v.Really + v.Offer; lead != "" {
		f.Intro = []chat.Block{chat.Section{Text: chat.T(lead)}}
		team.Value = one(strconv.FormatInt(int64(v.To.ID), 10))
	}
	f.Fields = []chat.Field{team}
	if v.Really != "" {
		f.Fields = append(f.Fields, chat.Field{Name: "why", Label: "Why so high?", Input: chat.Line, Max: 200, Hint: "They read this first."})
	}
	f.Fields = append(f.Fields, chat.Field{Name: "note", Label: "What have you found out?", Input: chat.Paragraph, Max: 1000,
		Hint: "So that they don't begin again.", Optional: higher, Value: one(v.Filled.One("note"))})
	if higher {
		f.Fields = append(f.Fields, chat.Field{Name: "tried", Label: "What was tried?", Input: chat.Paragraph, Max: 1000,
			Hint: "A team of a higher tier needs to know this.", Optional: true, Value: one(v.Filled.One("tried"))})
	}
	return f
}

// PriorityForm asks for impact and urgency anew, and why.
func PriorityForm(t ticket.Ticket) chat.Form {
	o := []chat.Option{{Value: "0", Label: "As these two answers say"}}
	for p := ticket.Critical; p <= ticket.Low; p++ {
		o = append(o, chat.Option{Value: strconv.Itoa(int(p)), Label: p.String() + " all the same"})
	}
	return chat.Form{Action: Priority, Args: TicketArgs(t), Title: "Priority of " + t.Ref(), Submit: "Change", Close: "Cancel",
		Intro: []chat.Block{chat.Section{Text: chat.Join(chat.T("Now: "), chat.B(t.Priority.String()), chat.T(", because "+t.Because))}},
		Fields: []chat.Field{
			{Name: "impact", Label: "Who is affected?", Input: chat.Choice, Options: impacts(), Value: one(string(t.Impact))},
			{Name: "urgency", Label: "By when does it hurt more?", Input: chat.Choice, Options: urgencies(), Value: one(string(t.Urgency))},
			{Name: "priority", Label: "Priority", Input: chat.Select, Options: o, Value: one("0")},
			{Name: "why", Label: "Why?", Input: chat.Line, Max: 200, Hint: "The requester and the record see this."},
		}}
}

// CorrectForm asks what the ticket is about. about is the choice that it has
// now, if that is still offered.
func CorrectForm(t ticket.Ticket, about string, services []ServiceOption) chat.Form {
	f := chat.Form{Action: Correct, Args: TicketArgs(t), Title: "About " + t.Ref(), Submit: "Save", Close: "Cancel"}
	if len(services) == 0 || len(services) == 1 && services[0].Slug == about {
		f.Submit = ""
		f.Intro = []chat.Block{chat.Section{Text: chat.T("The desk's policy names nothing else that it could be about.")}}
		return f
	}
	field := chat.Field{Name: "service", Label: "What is it about?", Input: chat.Select, Value: one(about),
		Hint: "What is promised may change with it; the time used so far counts. I learn from it."}
	for _, s := range services {
		field.Options = append(field.Options, chat.Option{Value: s.Slug, Label: s.Name})
	}
	f.Fields = []chat.Field{field}
	return f
}

// ReopenForm asks what is still wrong.
func ReopenForm(t ticket.Ticket) chat.Form {
	return chat.Form{Action: No, Args: TicketArgs(t), Title: "Not fixed yet", Submit: "Reopen", Close: "Cancel",
		Fields: []chat.Field{{Name: "why", Label: "What is still wrong?", Input: chat.Paragraph, Optional: true, Max: 2000}}}
}

// RemarkForm asks for one line with the rating.
func RemarkForm(t ticket.Ticket) chat.Form {
	return chat.Form{Action: Remark, Args: TicketArgs(t), Title: "A line about " + t.Ref(), Submit: "Send", Close: "Cancel",
		Fields: []chat.Field{{Name: "comment", Label: "What should we know?", Input: chat.Line, Max: 300}}}
}

// AwayView is what the form for an absence begins with.
type AwayView struct {
	Name   string          // of whoever asks; empty: she is no agent
	Others []people.Person // for whom she may say it too
}

// AwayForm asks who is away until when.
func AwayForm(v AwayView) chat.Form {
	f := chat.Form{Action: Away, Title: "Away", Submit: "Save", Close: "Cancel",
		Intro: []chat.Block{chat.Section{Text: chat.T("Whoever is away gets no tickets, and theirs come free. Those that wait for somebody stay until they go on.")}}}
	if len(v.Others) > 0 {
		var o []chat.Option
		if v.Name != "" {
			o = append(o, chat.Option{Value: "0", Label: "Me"})
		}
		for _, p := range v.Others {
			if len(o) < 100 {
				o = append(o, chat.Option{Value: strconv.FormatInt(int64(p.ID), 10), Label: short(p.Name, 75)})
			}
		}
		f.Fields = append(f.Fields, chat.Field{Name: "who", Label: "Who is away?", Input: chat.Select, Options: o, Value: one(o[0].Value)})
	}
	f.Fields = append(f.Fields,
		chat.Field{Name: "until", Label: "First day back", Input: chat.Date},
		chat.Field{Name: "since", Label: "First day away", Input: chat.Date, Optional: true, Hint: "Empty: from now on."})
	return f
}

// AskForm takes a question where there is no message to ask it in.
func AskForm() chat.Form {
	return chat.Form{Action: Ask, Title: "Ask the desk", Submit: "Ask", Close: "Cancel",
		Fields: []chat.Field{{Name: "text", Label: "What is the matter?", Input: chat.Paragraph, Max: 3000,
			Hint: "In your own words. I answer in our direct messages."}}}
}
