package cards

import (
	"fmt"
	"strings"
	"time"

	"github.com/deskhand/deskhand/bot/chat"
	"github.com/deskhand/deskhand/core/people"
	"github.com/deskhand/deskhand/core/ticket"
)

// HomeView is what a person finds at the desk's home.
type HomeView struct {
	Person    people.Person
	Names     map[people.PersonID]people.Person // of the owners
	Mine      []ticket.Ticket                   // as requester
	Agent     bool
	Away      string          // "away, back on Friday 27 November"; empty: at work
	Owned     []ticket.Ticket // as agent, most urgent first
	Unclaimed []ticket.Ticket
	OwnedAll  int // of which Owned are the first
	FreeAll   int // of which Unclaimed are the first
	WaitOnMe  int
	Setup     []string // what is left to set up, for an admin
}

// Home is the place to come back to: my tickets and, for agents, the work.
func Home(v HomeView) chat.Card {
	c := chat.Card{Text: "Your tickets and how they stand"}
	if len(v.Setup) > 0 {
		c.Blocks = append(c.Blocks, chat.Heading{Text: "Left to set up"})
		var items []chat.Rich
		for _, s := range v.Setup {
			items = append(items, chat.T(s))
		}
		c.Blocks = append(c.Blocks, chat.List{Items: items}, chat.Divider{})
	}
	c.Blocks = append(c.Blocks, chat.Section{Text: chat.T("Something not working, or something you need? Write to me in our chat, in your own words.")},
		chat.Actions{Buttons: []chat.Button{
			{Label: "Ask the desk", Action: Ask, Form: true, Style: chat.Primary},
			{Label: "Open a ticket", Action: Open, Form: true},
		}})
	if v.Agent {
		c.Blocks = append(c.Blocks, chat.Divider{}, chat.Heading{Text: "Your work"},
			chat.Section{Text: chat.T(fmt.Sprintf("Yours: %d. Waiting on you: %d. Unclaimed in your teams: %d.", v.OwnedAll, v.WaitOnMe, v.FreeAll))})
		can := chat.Actions{Buttons: []chat.Button{{Label: "Raise a change", Action: ChangeRaise, Form: true}}}
		if v.Away != "" {
			c.Blocks = append(c.Blocks, chat.Row{Text: chat.T("You are " + v.Away + ". You get no tickets until then."),
				Button: chat.Button{Label: "I am back", Action: Back}})
		} else {
			can.Buttons = append(can.Buttons, chat.Button{Label: "I am away…", Action: Away, Form: true})
		}
		c.Blocks = append(c.Blocks, can)
		var onMe, onOthers []ticket.Ticket
		for _, t := range v.Owned {
			if t.State == ticket.Waiting {
				onOthers = append(onOthers, t)
			} else {
				onMe = append(onMe, t)
			}
		}
		c.Blocks = append(c.Blocks, work("Due next: waiting on you", "Nothing waits for you.", "Resolve", Resolve, onMe, v.WaitOnMe, v.Names)...)
		c.Blocks = append(c.Blocks, work("Unclaimed", "Nothing waits to be claimed.", "Claim", Claim, v.Unclaimed, v.FreeAll, v.Names)...)
		if len(onOthers) > 0 {
			c.Blocks = append(c.Blocks, work("Waiting for others", "", "Go on", Wake, onOthers, v.OwnedAll-v.WaitOnMe, v.Names)...)
		}
	}
	c.Blocks = append(c.Blocks, chat.Divider{}, chat.Heading{Text: "Your tickets"})
	if len(v.Mine) == 0 {
		c.Blocks = append(c.Blocks, chat.Section{Text: chat.T("You have none. Long may it last.")})
	}
	for _, t := range v.Mine {
		c.Blocks = append(c.Blocks, chat.Section{Text: ofMine(t, v.Names)})
	}
	return c
}

// work is a list of an agent's with the next step beside each ticket; all is
// how many there are.
func work(title, none, label, action string, list []ticket.Ticket, all int, names map[people.PersonID]people.Person) []chat.Block {
	out := []chat.Block{chat.Section{Text: chat.B(title)}}
	if len(list) == 0 {
		return append(out, chat.Note{Text: chat.T(none)})
	}
	for _, t := range list {
		out = append(out, chat.Row{Text: ofTheirs(t, names),
			Button: chat.Button{Label: label, Action: action, Args: TicketArgs(t), Form: action == Resolve, Name: label + " " + t.Ref()}})
	}
	if more := all - len(list); more > 0 {
		out = append(out, chat.Note{Text: chat.T(fmt.Sprintf("and %d more", more))})
	}
	return out
}

// ofMine is line for the requester.
func ofMine(t ticket.Ticket, names map[people.PersonID]people.Person) chat.Rich {
	return line(t, waiting(t, "you"), names)
}

// ofTheirs is line for everybody else.
func ofTheirs(t ticket.Ticket, names map[people.PersonID]people.Person) chat.Rich {
	return line(t, waiting(t, ticket.ForRequester.Words()), names)
}

// waiting is how a ticket stands, and for whom or what it waits if it does.
func waiting(t ticket.Ticket, requester string) string {
	switch {
	case t.State != ticket.Waiting:
		return StateWord(t)
	case t.WaitsFor == ticket.ForRequester:
		return StateWord(t) + " for " + requester
	}
	return StateWord(t) + " for " + t.WaitsFor.Words()
}

// stateOfMine is a ticket's state for its requester where no sign goes with it.
func stateOfMine(t ticket.Ticket) string {
	if t.State == ticket.Waiting && t.WaitsFor == ticket.ForRequester {
		return "waiting for you"
	}
	return strings.ToLower(t.StateWords())
}

// line is a ticket in a list: what, how it stands, who has it, since when.
func line(t ticket.Ticket, state string, names map[people.PersonID]people.Person) chat.Rich {
	owner := "nobody yet"
	if p, ok := names[t.Owner]; ok {
		owner = p.Name
	}
	if t.Owner == 0 && !t.Open() {
		owner = "the desk"
	}
	return chat.Join(chat.B(t.Ref()), chat.T("  "+short(t.Title, 100)+"\n"+state+" · "+t.Priority.String()+" · "+owner+" · since "), when(t.OpenedAt))
}

// MyTicketsCard answers "my tickets" in a message, with a way to one's page
// where there are pages.
func MyTicketsCard(mine []ticket.Ticket, names map[people.PersonID]people.Person, page bool) chat.Card {
	if len(mine) == 0 {
		return chat.Card{Text: "You have no open tickets."}
	}
	c := chat.Card{}
	var words []string
	for _, t := range mine {
		words = append(words, fmt.Sprintf("%s %s (%s)", t.Ref(), t.Title, stateOfMine(t)))
		c.Blocks = append(c.Blocks, chat.Section{Text: ofMine(t, names)})
	}
	c.Text = "Your tickets: " + strings.Join(words, "; ")
	if page {
		c.Blocks = append(c.Blocks, chat.Actions{Buttons: []chat.Button{{Label: "Open my page", Action: MyPage}}})
	}
	return c
}

// HistoryLine is one step of a ticket in words.
type HistoryLine struct {
	At   time.Time
	Who  string // empty: the desk
	What string // "claimed it"
	Via  string
	Note string
}

// HistoryForm shows a ticket's steps, oldest first, and above them with whom it
// has been.
func HistoryForm(ref, trail string, lines []HistoryLine) chat.Form {
	f := chat.Form{Action: History, Title: "History of " + ref, Close: "Close"}
	items := make([]chat.Rich, 0, len(lines))
	for _, l := range lines {
		who := l.Who
		if who == "" {
			who = "The desk"
		}
		text := chat.Join(when(l.At), chat.T("  "), chat.B(who), chat.T(" "+l.What))
		if l.Note != "" {
			text = chat.Join(text, chat.T(": “"+short(l.Note, 200)+"”"))
		}
		if l.Via != "" && !(l.Who == "" && l.Via == "the desk") {
			text = chat.Join(text, chat.Rich{{Text: " (" + sentenceCase(l.Via) + ")", Italic: true}})
		}
		items = append(items, text)
	}
	if len(items) == 0 {
		f.Intro = []chat.Block{chat.Section{Text: chat.T("Nothing has happened yet.")}}
		return f
	}
	f.Intro = []chat.Block{chat.List{Ordered: true, Items: items}}
	if trail != "" {
		f.Intro = append([]chat.Block{chat.Section{Text: chat.Join(chat.B("With "), chat.T(short(trail, 1500)))}}, f.Intro...)
	}
	return f
}

// AwayHelp asks until when an agent is away.
func AwayHelp() chat.Card {
	c := Say("Until when? Write for example “away until Friday”, or say it here. Until then you get no tickets, and yours come free.")
	c.Blocks = append(c.Blocks, chat.Actions{Buttons: []chat.Button{{Label: "I am away…", Action: Away, Form: true}}})
	return c
}

// Say is a card of plain words.
func Say(text string) chat.Card {
	return chat.Card{Text: text, Blocks: []chat.Block{chat.Section{Text: chat.T(text)}}}
}

// PageLink is the way to somebody's page, for a few minutes.
func PageLink(url string) chat.Card {
	return chat.Card{Text: "Your page, for the next 10 minutes and for you alone: " + url, Blocks: []chat.Block{
		chat.Section{Text: chat.T("All your tickets on one page. The link is yours alone: please don't pass it on.")},
		chat.Actions{Buttons: []chat.Button{{Label: "Open my page", Action: OpenPage, URL: url, Style: chat.Primary}}},
		chat.Note{Text: chat.T("It works once, within the next 10 minutes. Write “my page” for a new one.")}}}
}
