package cards

import (
	"fmt"
	"strconv"
	"time"

	"github.com/deskhand/deskhand/bot/chat"
	"github.com/deskhand/deskhand/core/ticket"
)

// OutageView is a known outage as whoever asked about it sees it.
type OutageView struct {
	Ticket        ticket.Ticket
	What          string
	Since, Ended  time.Time // zero: it goes on
	MeToo, TellMe bool
}

// OutageForm asks what is down.
func OutageForm(t ticket.Ticket, what string) chat.Form {
	return chat.Form{Action: Outage, Args: TicketArgs(t), Title: "Known outage", Submit: "Tell people", Close: "Cancel",
		Intro:  []chat.Block{chat.Section{Text: chat.T("Whoever asks about it reads this first, with “Me too” and “Notify me when fixed”. All of them are told when " + t.Ref() + " is resolved.")}},
		Fields: []chat.Field{{Name: "what", Label: "What is down?", Input: chat.Line, Value: one(short(what, 90)), Max: 100, Hint: "In the words of whoever has it: “VPN”, “The printers in Porto”."}}}
}

// outage is the only answer to a question, or the one that fits.
func (q QuestionView) outage(c chat.Card) chat.Card {
	c = q.outageAmong(c)
	o := q.Outage
	if !o.Ended.IsZero() || o.MeToo || o.TellMe {
		return c
	}
	a := args("q", q.ID, q.Version)
	actions := c.Blocks[len(c.Blocks)-1].(chat.Actions)
	actions.Menu = append(actions.Menu, chat.Button{Label: "Talk to a person", Action: Talk, Args: a}, chat.Button{Label: "Open a ticket", Action: Open, Args: a, Form: true})
	c.Blocks[len(c.Blocks)-1] = actions
	return c
}

// outageAmong adds it to an answer.
func (q QuestionView) outageAmong(c chat.Card) chat.Card {
	o := q.Outage
	a := with(args("q", q.ID, q.Version), "t", strconv.FormatInt(int64(o.Ticket.ID), 10))
	say := func(text string) { c.Text = also(c.Text, text) }
	if !o.Ended.IsZero() {
		say(fmt.Sprintf("%s was down (%s) and should work again.", o.What, o.Ticket.Ref()))
		c.Blocks = append(c.Blocks, chat.Section{Text: chat.Join(chat.T("🟢 "), chat.B(o.What), chat.T(" was down ("+o.Ticket.Ref()+") and should work again since "), when(o.Ended), chat.T("."))})
		if q.Outcome == "open" || q.Outcome == "silent" {
			c.Blocks = append(c.Blocks, chat.Actions{Buttons: []chat.Button{{Label: "It is something else", Action: NotOutage, Args: a}}})
		}
		return c
	}
	say(fmt.Sprintf("%s is down (%s). The team is on it.", o.What, o.Ticket.Ref()))
	c.Blocks = append(c.Blocks, chat.Section{Text: chat.Join(chat.T("🔴 "), chat.B(o.What+" is down"), chat.T(" since "), when(o.Since), chat.T(" ("+o.Ticket.Ref()+"). The team is on it."))})
	metoo := chat.Button{Label: "Me too", Action: MeToo, Args: a, Style: chat.Primary, Name: "Me too: " + o.Ticket.Ref()}
	switch {
	case o.MeToo:
		say("I have noted that it concerns you, and tell you when it is fixed.")
		c.Blocks = append(c.Blocks, chat.Note{Text: chat.T("Noted: it concerns you too. I tell you when it is fixed.")})
		return c
	case o.TellMe:
		say("I tell you when it is fixed.")
		c.Blocks = append(c.Blocks, chat.Note{Text: chat.T("I tell you when it is fixed.")}, chat.Actions{Buttons: []chat.Button{metoo}})
		return c
	}
	c.Blocks = append(c.Blocks, chat.Actions{
		Buttons: []chat.Button{metoo, {Label: "Notify me when fixed", Action: TellMe, Args: a, Name: "Notify me when " + o.Ticket.Ref() + " is fixed"}},
		Menu:    []chat.Button{{Label: "It is something else", Action: NotOutage, Args: a}}})
	return c
}

// OutageFixed tells somebody who waited for it.
func OutageFixed(t ticket.Ticket, what string) chat.Card {
	text := fmt.Sprintf("%s should work again (%s).", what, t.Ref())
	c := chat.Card{Text: "🟢 " + text + " " + short(t.Resolution, 300) + " If it does not for you, write to me."}
	c.Blocks = []chat.Block{chat.Section{Text: chat.Join(chat.T("🟢 "), chat.B(text), chat.T(" "+short(t.Resolution, 600)))},
		chat.Note{Text: chat.T("If it does not for you, write to me.")}}
	return c
}

// concerned says how many a ticket concerns besides its requester.
func (v TicketView) concerned() string {
	text := ""
	if v.MeToo > 0 {
		text = persons(v.MeToo) + " more"
	}
	if v.Waiting > 0 {
		if text != "" {
			text += "; "
		}
		text += counted(v.Waiting, "other") + " waiting to hear"
	}
	return text
}
