package cards

import (
	"strconv"

	"github.com/deskhand/deskhand/bot/chat"
)

// CalendarLink is the address of a team's changes.
type CalendarLink struct {
	Team int64
	Name string
	URL  string
}

// CalendarButton offers to have the changes in one's own calendar.
func CalendarButton() chat.Actions {
	return chat.Actions{Buttons: []chat.Button{{Label: "In my calendar", Action: Calendar, Name: "Changes in my own calendar"}}}
}

// CalendarLinks are the addresses of somebody's teams; renewed says that one of
// them is new.
func CalendarLinks(links []CalendarLink, renewed bool) chat.Card {
	c := chat.Card{Text: "Your team's changes in your own calendar:"}
	lead := "Subscribe to the address in your calendar: “from the internet” in Outlook, “from URL” in Google Calendar. It keeps itself up to date."
	if renewed {
		lead = "Here is the new address. The old one shows nothing any more."
	}
	c.Blocks = append(c.Blocks, chat.Section{Text: chat.T(lead)})
	for _, l := range links {
		c.Text += " " + l.Name + ": " + l.URL
		c.Blocks = append(c.Blocks, chat.Section{Text: chat.Join(chat.B(l.Name+"\n"), chat.Rich{{Text: l.URL, Code: true}})},
			chat.Actions{Buttons: []chat.Button{
				{Label: "Open", Action: OpenPage, URL: l.URL, Name: "Open the calendar of " + l.Name},
				{Label: "New address", Action: NewCalendar, Args: chat.Args{"team": strconv.FormatInt(l.Team, 10)}, Name: "New address for the calendar of " + l.Name},
			}})
	}
	c.Text += ". Please don't pass it on."
	c.Blocks = append(c.Blocks, chat.Note{Text: chat.T("Whoever has an address sees those changes: please don't pass it on.")})
	return c
}
