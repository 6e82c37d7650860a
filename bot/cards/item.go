package cards

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/deskhand/deskhand/bot/chat"
	"github.com/deskhand/deskhand/core/change"
	"github.com/deskhand/deskhand/core/cmdb"
	"github.com/deskhand/deskhand/core/ticket"
)

// ItemField is the field in which a configuration item is searched.
const ItemField = "item"

// ItemView is a configuration item with what hangs on it.
type ItemView struct {
	cmdb.Item
	Owner   string // name; empty: nobody
	Team    string
	Impact  cmdb.Impact
	Above   []cmdb.Affected // what stops with it, two levels deep
	More    int             // how many of these are left out
	Below   []cmdb.Affected // what it stands on
	Beside  []cmdb.Item
	Tickets []ticket.Ticket // open ones about it
	Picture string          // URL of the graph; may be empty
	MayEdit bool            // whoever sees it
	Changes []ChangeDone    // the latest on it
}

// ChangeDone is a change that was done on an item.
type ChangeDone struct {
	change.Change
	Who string        // name of who did it
	Ago time.Duration // since it ended or, if it has not, began
}

func (d ChangeDone) line() chat.Rich {
	how := d.Outcome.Words()
	if d.State == change.Doing {
		how = "being done"
	}
	return chat.Join(chat.B(d.Ref()), chat.T(", "+d.Who+", "+ago(d.Ago)+" ago, "+how+": "+short(d.Title, 80)))
}

// tierWords are how much hangs on an item.
var tierWords = map[int]string{1: "vital", 2: "important", 3: "ordinary", 4: "minor"}

// Item is what the desk knows of a configuration item.
func Item(v ItemView) chat.Card {
	c := chat.Card{Text: fmt.Sprintf("%s (%s, %s): if it stops, %s.", v.Key, v.Type, v.State, v.Impact.Words())}
	title := chat.B(v.Key)
	if v.Name != v.Key {
		title = chat.Join(title, chat.T("  "+v.Name))
	}
	facts := chat.Facts{
		{Label: "Type", Value: chat.T(string(v.Type))},
		{Label: "State", Value: chat.T(string(v.State))},
		{Label: "Tier", Value: chat.T(fmt.Sprintf("%d, %s", v.Tier, tierWords[v.Tier]))},
		{Label: "Owner", Value: chat.T(orNobody(v.Owner))},
	}
	if v.Team != "" {
		facts = append(facts, chat.Fact{Label: "Team", Value: chat.T(v.Team)})
	}
	if v.Downtime > 0 || v.Impact.Downtime > 0 {
		facts = append(facts, chat.Fact{Label: "An hour of it costs", Value: chat.T(thousands(v.Impact.Downtime))})
	}
	c.Blocks = append(c.Blocks, chat.Section{Text: title}, facts)
	if v.Description != "" {
		c.Blocks = append(c.Blocks, chat.Quote{Text: chat.T(short(v.Description, 600))})
	}
	if v.State != cmdb.Retired {
		c.Blocks = append(c.Blocks, chat.Section{Text: chat.Join(chat.B("If it stops: "), chat.T(v.Impact.Words()))})
	}
	if len(v.Above) > 0 {
		c.Blocks = append(c.Blocks, chat.Section{Text: chat.B("What depends on it")}, chat.List{Items: lines(v.Above)})
		if v.More > 0 {
			c.Blocks = append(c.Blocks, chat.Note{Text: chat.T(fmt.Sprintf("and %d more", v.More))})
		}
	}
	if len(v.Below) > 0 {
		c.Blocks = append(c.Blocks, chat.Section{Text: chat.B("What it stands on")}, chat.List{Items: lines(v.Below)})
	}
	if len(v.Beside) > 0 {
		var keys []string
		for _, b := range v.Beside {
			keys = append(keys, b.Key)
		}
		c.Blocks = append(c.Blocks, chat.Note{Text: chat.T("Connects to " + strings.Join(keys, ", "))})
	}
	if len(v.Tickets) > 0 {
		c.Blocks = append(c.Blocks, chat.Section{Text: chat.B("Open tickets")})
		for _, t := range v.Tickets {
			c.Blocks = append(c.Blocks, chat.Section{Text: ofTheirs(t, nil)})
		}
	}
	if len(v.Changes) > 0 {
		var done []chat.Rich
		for _, d := range v.Changes {
			done = append(done, d.line())
		}
		c.Blocks = append(c.Blocks, chat.Section{Text: chat.B("Last changes")}, chat.List{Items: done})
		c.Text += " Last change: " + done[0].Plain() + "."
	}
	c.Blocks = append(c.Blocks, v.itemActions()...)
	return c
}

// lines are items with the way that each is reached by, indented by level.
func lines(all []cmdb.Affected) []chat.Rich {
	out := make([]chat.Rich, len(all))
	for i, a := range all {
		text := chat.Join(chat.T(strings.Repeat("    ", a.Distance-1)), chat.B(a.Key), chat.T(fmt.Sprintf("  %s, tier %d", a.Type, a.Tier)))
		if a.Name != a.Key {
			text = chat.Join(text, chat.T(", "+a.Name))
		}
		out[i] = text
	}
	return out
}

func orNobody(s string) string {
	if s == "" {
		return "nobody"
	}
	return s
}

// thousands is 12500 as "12 500".
func thousands(n int64) string {
	s := strconv.FormatInt(n, 10)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + " " + s[i:]
	}
	return s
}

// PastView is what there was with an item before a ticket about it.
type PastView struct {
	Key     string
	Tickets int    // others about it in the last 90 days
	Fixed   string // the reference of the one that was resolved last; empty: none was
	With    string // what resolved it: an article, or in words
	Change  string // the reference of the last one; empty: none was done
	Who     string
	At      time.Time
	How     string
}

// line is nothing if there was nothing.
func (p PastView) line() chat.Rich {
	var out chat.Rich
	if p.Tickets > 0 {
		n := "one other ticket"
		if p.Tickets > 1 {
			n = strconv.Itoa(p.Tickets) + " other tickets"
		}
		out = chat.Join(out, chat.T(" "+n+" in 90 days."))
	}
	if p.Fixed != "" {
		out = chat.Join(out, chat.T(" What helped last time ("+p.Fixed+"): "+short(p.With, 150)+"."))
	}
	if p.Change != "" {
		out = chat.Join(out, chat.T(" Last change: "+p.Change+", "+p.Who+", "), when(p.At), chat.T(", "+p.How+"."))
	}
	if len(out) == 0 {
		return nil
	}
	return chat.Join(chat.B(p.Key+":"), out)
}

// costs says what it costs that something is down: "est. 10 000 an hour, 46 min:
// about 7 700".
func costs(hour int64, down time.Duration) string {
	down = max(down, time.Minute)
	text := "est. " + thousands(hour) + " an hour, " + duration(down)
	sum := int64(float64(hour) * down.Hours())
	unit := int64(1)
	for sum/unit >= 100 { // two digits of it are as good as an estimate gets
		unit *= 10
	}
	if sum = (sum + unit/2) / unit * unit; sum > 0 {
		text += ": about " + thousands(sum)
	}
	return text
}

// ItemChoice asks which of several items is meant.
func ItemChoice(text string, found []cmdb.Item) chat.Card {
	if len(found) == 0 {
		return Say("I know no item called “" + text + "”. A few letters of its name are enough.")
	}
	c := chat.Card{Text: "Which one?", Blocks: []chat.Block{chat.Section{Text: chat.T("Which one?")}}}
	for _, i := range found {
		c.Text += " " + i.Key
		c.Blocks = append(c.Blocks, chat.Row{Text: chat.Join(chat.B(i.Key), chat.T("  "+i.Name+" · "+string(i.Type))),
			Button: chat.Button{Label: "Show", Action: ItemShow, Args: chat.Args{"i": strconv.FormatInt(int64(i.ID), 10)}, Name: "Show " + i.Key}})
	}
	return c
}

// ItemOption is an item to choose as one types.
func ItemOption(i cmdb.Item) chat.Option {
	label := i.Key
	if i.Name != i.Key {
		label += "  " + i.Name
	}
	return chat.Option{Value: strconv.FormatInt(int64(i.ID), 10), Label: short(label, 75), Hint: fmt.Sprintf("%s, tier %d", i.Type, i.Tier)}
}

// AboutForm asks which item a ticket is about, and shows those that it is
// about already; outage says that it is a known one.
func AboutForm(t ticket.Ticket, now []cmdb.Item, outage bool) chat.Form {
	f := chat.Form{Action: About, Args: TicketArgs(t), Title: "What is affected?", Submit: "Add", Close: "Close",
		Fields: []chat.Field{{Name: ItemField, Label: "Item", Input: chat.Search, Hint: "Type a few letters of its name."}}}
	for _, i := range now {
		f.Intro = append(f.Intro, chat.Row{Text: chat.Join(chat.B(i.Key), chat.T("  "+i.Name)), Button: chat.Button{Label: "Remove", Action: NotAbout, Form: true,
			Args: with(TicketArgs(t), "i", strconv.FormatInt(int64(i.ID), 10)), Name: "Remove " + i.Key}})
	}
	switch b := (chat.Button{Args: TicketArgs(t), Form: true}); {
	case outage:
		b.Label, b.Action = "No outage after all", NoOutage
		f.Intro = append(f.Intro, chat.Row{Text: chat.T("It is a known outage: whoever asks about it is told so first."), Button: b})
	case t.Open() && t.Kind == ticket.Incident:
		b.Label, b.Action = "Known outage…", Outage
		f.Intro = append(f.Intro, chat.Row{Text: chat.T("Is something down for many? Then whoever asks about it is told so first."), Button: b})
	}
	return f
}

// affects names the items of a ticket and what stops with them.
func affects(items []cmdb.Item, impact cmdb.Impact) string {
	var keys []string
	for _, i := range items {
		keys = append(keys, i.Key)
	}
	text := strings.Join(keys, ", ")
	if impact.Count > 0 || len(impact.Services) > 0 {
		text += " (" + impact.Words() + ")"
	}
	return text
}
