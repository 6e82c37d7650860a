package cards

import (
	"fmt"
	"strings"

	"github.com/deskhand/deskhand/bot/chat"
	"github.com/deskhand/deskhand/core/change"
)

// RatesView is how changes went, with the names that its numbers stand for.
type RatesView struct {
	Title, Baseline string
	change.Report
	Teams, Items []string // names, in the order of the report's
}

// mostFailed is how many failures of an item are named.
const mostFailed = 5

// Rates says how changes went: beside the baseline, and each share with what it
// rests on.
func Rates(v RatesView) chat.Card {
	if v.All.Done == 0 && v.Undocumented == 0 {
		return Say(v.Title + ": none was done.")
	}
	trend := map[change.Trend]string{
		change.Unknown: "There is nothing to measure that against yet.",
		change.Same:    "A difference like that may well be chance.",
		change.Better:  "That is better than the baseline, and more than chance.",
		change.Worse:   "That is worse than the baseline, and more than chance.",
	}[v.All.Against(v.Base)]
	if v.Base.Done > 0 && v.All.Done > 0 && v.All.Worked*v.Base.Done == v.Base.Worked*v.All.Done {
		trend = "That is the same."
	}
	head := v.All.Words() + "."
	base := "The baseline, " + v.Baseline + ": " + v.Base.Words() + ". " + trend
	c := chat.Card{Text: v.Title + ": " + head + " " + base,
		Blocks: []chat.Block{chat.Section{Text: chat.Join(chat.B(v.Title+": "), chat.T(head))}, chat.Section{Text: chat.T(base)}}}
	if n := v.Undocumented; n > 0 {
		text := fmt.Sprintf("%d more were made without a record, and told of afterwards.", n)
		if n == 1 {
			text = "One more was made without a record, and told of afterwards."
		}
		c.Text += " " + text
		c.Blocks = append(c.Blocks, chat.Note{Text: chat.T(text)})
	}
	list := func(title string, lines []chat.Rich) {
		if len(lines) > 0 {
			c.Blocks = append(c.Blocks, chat.Section{Text: chat.B(title)}, chat.List{Items: lines})
		}
	}
	var kinds, teams, items []chat.Rich
	for _, l := range v.Kinds {
		name := string(l.Of)
		kinds = append(kinds, rateLine(strings.ToUpper(name[:1])+name[1:], l.Rate, l.Base))
	}
	for i, l := range v.Report.Teams {
		teams = append(teams, rateLine(v.Teams[i], l.Rate, l.Base))
	}
	for i, l := range v.Report.Items {
		var refs []string
		for _, n := range l.Failed[max(0, len(l.Failed)-mostFailed):] {
			refs = append(refs, change.Change{Number: n}.Ref())
		}
		failed := fmt.Sprintf("%d of %d did not work", l.Rate.Failed(), l.Rate.Done)
		items = append(items, chat.Join(chat.B(v.Items[i]), chat.T(": "+failed+" ("+strings.Join(refs, ", ")+")")))
		c.Text += " " + v.Items[i] + ": " + failed + "."
	}
	list("By type", kinds)
	list("By team", teams)
	list("The items on which most did not work", items)
	return c
}

func rateLine(name string, now, base change.Rate) chat.Rich {
	text := ": " + now.Words()
	if base.Done > 0 {
		text += ", before: " + base.Words()
	}
	return chat.Join(chat.B(name), chat.T(text))
}
