package cards

import (
	"strconv"
	"time"

	"github.com/deskhand/deskhand/bot/chat"
	"github.com/deskhand/deskhand/core/change"
	"github.com/deskhand/deskhand/core/ticket"
)

// AnnounceCard is the name of the living card of a change for those whom it
// affects; subject: the change.
const AnnounceCard = "announce"

// Announce is a change for those who use what it touches: when, what they may
// notice, and how it went.
func Announce(v ChangeView, now time.Time) chat.Card {
	window := chat.Join(when(v.From), chat.T(" – "), when(v.To))
	sign, state := "🔧", chat.T("planned")
	broke := false
	switch v.State {
	case change.Scheduled:
		switch {
		case !now.Before(v.To):
			state = chat.T("not done in its time")
		case !now.Before(v.From):
			state = chat.T("may begin at any moment")
		}
	case change.Doing:
		state, broke = chat.Join(chat.T("under way since "), when(v.StartedAt)), true
	case change.Done:
		broke = true
		switch v.Outcome {
		case change.Worked:
			sign, state = "✅", chat.Join(chat.T("done, since "), when(v.EndedAt))
		case change.RolledBack:
			sign, state = "↩️", chat.T("taken back: all is as it was before")
		case change.Failed:
			sign, state = "⚠️", chat.T("it did not work, and is being seen to")
		}
	case change.Rejected, change.Cancelled:
		sign, state = "✖️", chat.T("called off: it will not be done")
	default: // it was edited, and is asked about again
		state = chat.T("put off: it is being looked at once more")
	}
	c := chat.Card{Text: "Planned work: " + v.Title + ", " + window.Plain() + ". Now: " + state.Plain() + ". It touches " + v.Impact.Words() + "."}
	facts := chat.Facts{
		{Label: "When", Value: window},
		{Label: "Now", Value: state},
		{Label: "You may notice it in", Value: chat.T(v.Impact.Words())},
		{Label: "Done by", Value: chat.T(v.name(v.Implementer))},
	}
	c.Blocks = []chat.Block{chat.Section{Text: chat.Join(chat.T(sign+" Planned work: "), chat.B(v.Title))}, facts,
		chat.Note{Text: chat.T(v.Ref() + ". This message always says how it stands.")}}
	if broke {
		c.Blocks = append(c.Blocks, chat.Actions{Buttons: []chat.Button{
			{Label: "It broke something", Action: ChangeBroke, Args: ChangeArgs(v.Change), Form: true, Name: "Something broke after " + v.Ref()}}})
	}
	return c
}

// BrokeForm asks somebody what does not work since a change.
func BrokeForm(c change.Change) chat.Form {
	return chat.Form{Action: ChangeBroke, Args: ChangeArgs(c), Title: "Something is broken", Submit: "Tell the team", Close: "Cancel",
		Intro: []chat.Block{chat.Section{Text: chat.Join(chat.T("After "), chat.B(c.Ref()+" "+c.Title))}},
		Fields: []chat.Field{
			{Name: "title", Label: "What is broken?", Input: chat.Line, Max: 150},
			{Name: "impact", Label: "Who is affected?", Input: chat.Choice, Options: impacts(), Value: one(string(ticket.OnlyMe))},
		}}
}

// LinkView is a change that a ticket has to do with.
type LinkView struct {
	ID    change.ID
	Ref   string
	Title string
	Item  string        // key of what it has touched; empty: the service
	Since time.Duration // from its end to the ticket; 0: it was being done then
	By    string        // who has said so
	Made  bool          // while the ticket was resolved
	Yes   bool          // it is said to be the cause; else it is a suspect
}

func (l LinkView) line() chat.Rich {
	name := chat.B(l.Ref)
	switch {
	case l.Yes:
		return chat.Join(chat.T("Caused by "), name, chat.T(" "+short(l.Title, 80)+", says "+l.By+"."))
	case l.Made:
		return chat.Join(chat.T("Changed in production by "+l.By+": "), name, chat.T(" "+short(l.Title, 80)))
	}
	on := "its service"
	if l.Item != "" {
		on = l.Item
	}
	touched := " touched " + on + " " + ago(l.Since) + " before"
	switch {
	case l.By != "":
		touched = ": " + l.By + " says that it broke something"
	case l.Since == 0:
		touched = " was being done on " + on + " when this began"
	}
	return chat.Join(chat.T("⚠️ "), name, chat.T(touched+": "+short(l.Title, 80)+"."))
}

// ago is a length of time, roughly.
func ago(d time.Duration) string {
	switch {
	case d < time.Hour:
		return duration(max(d, time.Minute))
	case d < 48*time.Hour:
		return duration(d.Truncate(time.Hour))
	}
	return days(int(d.Hours() / 24))
}

func days(n int) string {
	if n == 1 {
		return "1 day"
	}
	return strconv.Itoa(n) + " days"
}

// links are what a ticket has to do with changes, and what can be said of the
// first that nothing was said of: a menu is no place for long lists.
func (v TicketView) links() (lines []chat.Rich, menu []chat.Button) {
	for _, l := range v.Changes {
		lines = append(lines, l.line())
		if l.Yes || l.Made || v.Closed() || len(menu) > 0 {
			continue
		}
		a := with(TicketArgs(v.Ticket), "c", strconv.Itoa(int(l.ID)))
		menu = append(menu, chat.Button{Label: "Caused by " + l.Ref, Action: ChangeBlame, Args: a, Name: v.Ref() + " was caused by " + l.Ref},
			chat.Button{Label: "Not caused by " + l.Ref, Action: ChangeClear, Args: a, Name: v.Ref() + " was not caused by " + l.Ref})
	}
	return lines, menu
}
