package cards

import (
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/deskhand/deskhand/bot/chat"
	"github.com/deskhand/deskhand/core/approval"
	"github.com/deskhand/deskhand/core/change"
	"github.com/deskhand/deskhand/core/cmdb"
	"github.com/deskhand/deskhand/core/people"
)

// ChangeView is a change with all that an approver decides from.
type ChangeView struct {
	change.Change
	Approval approval.Approval // zero: nobody is asked
	Names    map[people.PersonID]people.Person
	Items    []cmdb.Item
	Impact   cmdb.Impact
	Clashes  []change.Clash
	Tickets  []string // that it has to do with, in words
	Rule     string   // of a standard change: its title
	Moved    bool     // a later card of the same name has taken over
}

// ChangeArgs name a change.
func ChangeArgs(c change.Change) chat.Args { return args("c", int64(c.ID), c.Version) }

// ballot are the arguments of a vote: which question it answers.
func (v ChangeView) ballot() chat.Args {
	a := ChangeArgs(v.Change)
	a["r"], a["s"], a["h"] = strconv.Itoa(v.Approval.Round), strconv.Itoa(v.Approval.Stage), v.Approval.Subject.Hash
	return a
}

func (v ChangeView) name(id people.PersonID) string { return v.Names[id].Name }

var riskSigns = map[change.Risk]string{change.Low: "🟢 Low", change.Medium: "🟡 Medium", change.High: "🔴 High"}

func (v ChangeView) window() chat.Rich {
	window := chat.Join(when(v.From), chat.T(" – "), when(v.To))
	if v.Takes > 0 {
		window = chat.Join(window, chat.T(", takes "+duration(v.Takes)))
	}
	return window
}

// duration is a length of time as one would say it.
func duration(d time.Duration) string {
	h, m := int(d.Hours()), int(d.Minutes())%60
	switch {
	case h == 0:
		return fmt.Sprintf("%d min", m)
	case m == 0:
		return fmt.Sprintf("%d h", h)
	}
	return fmt.Sprintf("%d h %d min", h, m)
}

// head is what both cards of a change begin with.
func (v ChangeView) head() []chat.Block {
	var keys []string
	for _, i := range v.Items {
		keys = append(keys, i.Key)
	}
	facts := chat.Facts{
		{Label: "State", Value: chat.T(v.StateWords())},
		{Label: "Risk", Value: chat.Join(chat.B(riskSigns[v.Risk]), chat.T(", because "+v.Because))},
		{Label: "Touches", Value: chat.T(strings.Join(keys, ", ") + ": " + v.Impact.Words())},
		{Label: "Window", Value: v.window()},
		{Label: "Asked by", Value: chat.T(v.name(v.Requester))},
		{Label: "Done by", Value: chat.T(v.name(v.Implementer))},
	}
	if v.Kind != change.Normal {
		kind := "Emergency: asked of one person now, reviewed afterwards"
		switch v.Kind {
		case change.Standard:
			kind = "Standard change: approved by rule “" + v.Rule + "”"
		case change.Undocumented:
			kind = "Undocumented: found out when it had been done"
		}
		facts = append(facts, chat.Fact{Label: "Kind", Value: chat.T(kind)})
	}
	if v.Pipeline != nil {
		facts = append(facts, chat.Fact{Label: "Pipeline", Value: v.run()})
	}
	out := []chat.Block{chat.Section{Text: chat.B(v.Ref() + "  " + v.Title)}, facts, chat.Section{Text: chat.Join(chat.B("Why: "), chat.T(short(v.Why, 500)))}}
	out = append(out, v.commits()...)
	if len(v.Clashes) > 0 {
		var lines []chat.Rich
		for _, c := range v.Clashes {
			lines = append(lines, chat.T("⚠️ "+short(c.Words, 150)))
		}
		out = append(out, chat.List{Items: lines[:min(len(lines), 5)]})
	}
	if v.Exception != "" {
		out = append(out, chat.Section{Text: chat.Join(chat.B("Why it can't wait: "), chat.T(short(v.Exception, 300)))})
	}
	return out
}

// run is which run of which pipeline asks.
func (v ChangeView) run() chat.Rich {
	p := v.Pipeline
	words := p.Name
	if p.Repository != "" {
		words += ", " + p.Repository
	}
	if p.Run == "" && p.URL == "" {
		return chat.T(words)
	}
	return chat.Join(chat.T(words+", "), chat.Rich{{Text: "run " + short(p.Run, 60), Link: p.URL}})
}

// commitsShown is how many commits a card names.
const commitsShown = 10

// commits are what a pipeline brings out.
func (v ChangeView) commits() []chat.Block {
	if v.Pipeline == nil || len(v.Pipeline.Commits) == 0 {
		return nil
	}
	all := v.Pipeline.Commits
	var lines []chat.Rich
	for _, c := range all[:min(len(all), commitsShown)] {
		id := string([]rune(c.ID)[:min(utf8.RuneCountInString(c.ID), 10)])
		line := chat.Join(chat.Rich{{Text: id, Code: c.URL == "", Link: c.URL}}, chat.T(" "+short(c.Title, 100)))
		if c.Author != "" {
			line = chat.Join(line, chat.T(", "+c.Author))
		}
		lines = append(lines, line)
	}
	out := []chat.Block{chat.Section{Text: chat.B("Commits")}, chat.List{Items: lines}}
	if n := len(all) - commitsShown; n > 0 {
		out = append(out, chat.Note{Text: chat.T(fmt.Sprintf("and %d more", n))})
	}
	return out
}

// votes are who has said what, and how far the present stage is.
func (v ChangeView) votes() []chat.Block {
	a := v.Approval
	if a.Round == 0 {
		return nil
	}
	var out []chat.Block
	if v.State == change.Asked {
		out = append(out, chat.Section{Text: chat.B(a.Progress())})
	}
	var lines []chat.Rich
	for _, vote := range a.Votes {
		words := map[approval.Answer]string{approval.Yes: "✅ Approved by ", approval.No: "❌ Rejected by ", approval.Changes: "✏️ Sent back by "}[vote.Answer]
		text := chat.Join(chat.T(words), chat.B(v.name(vote.By)))
		if vote.By != vote.Seat {
			text = chat.Join(text, chat.T(" for "+v.name(vote.Seat)))
		}
		text = chat.Join(text, chat.T(", "), when(vote.At))
		if vote.Note != "" {
			text = chat.Join(text, chat.T(": "+short(vote.Note, 300)))
		}
		lines = append(lines, text)
	}
	if len(lines) > 0 {
		out = append(out, chat.List{Items: lines})
	}
	return out
}

// Approve is the card that an approver decides from. With an answer it has no
// buttons any more.
func Approve(v ChangeView) chat.Card {
	c := chat.Card{Text: fmt.Sprintf("%s %s. %s asks for your approval. Risk: %s, because %s. Touches %s.", v.Ref(), v.Title, v.name(v.Requester), v.Risk, v.Because, v.Impact.Words())}
	if v.Moved {
		c.Text = v.Ref() + " " + v.Title + ": there is a newer card below."
		c.Blocks = []chat.Block{chat.Section{Text: chat.B(v.Ref() + "  " + v.Title)}, chat.Note{Text: chat.T("There is a newer card below.")}}
		return c
	}
	if v.State != change.Asked {
		c.Text = fmt.Sprintf("%s %s: %s.", v.Ref(), v.Title, strings.ToLower(v.StateWords()))
	}
	c.Blocks = append(v.head(), v.votes()...)
	a := ChangeArgs(v.Change)
	plans := chat.Button{Label: "Plan and way back", Action: ChangePlans, Args: a, Form: true, Name: "Plan and way back of " + v.Ref()}
	diff := chat.Button{Label: "What has changed", Action: ChangeDiff, Args: a, Form: true, Name: "What has changed in " + v.Ref()}
	if v.State != change.Asked {
		c.Blocks = append(c.Blocks, chat.Actions{Menu: []chat.Button{plans}})
		return c
	}
	b := v.ballot()
	menu := []chat.Button{{Label: "Send back for changes…", Action: ChangeBack, Args: b, Form: true, Name: "Send back " + v.Ref()}, plans}
	if v.Approval.Round > 1 {
		menu = append(menu, diff)
	}
	c.Blocks = append(c.Blocks, chat.Actions{Buttons: []chat.Button{
		{Label: "Approve", Action: ChangeYes, Args: b, Style: chat.Primary, Form: v.Risk == change.High, Name: "Approve " + v.Ref()},
		{Label: "Reject…", Action: ChangeNo, Args: b, Style: chat.Danger, Form: true, Name: "Reject " + v.Ref()},
	}, Menu: menu})
	return c
}

// ChangeStatus is a change for whoever raised it or does it.
func ChangeStatus(v ChangeView) chat.Card {
	c := chat.Card{Text: fmt.Sprintf("%s %s: %s.", v.Ref(), v.Title, strings.ToLower(v.StateWords()))}
	c.Blocks = append(v.head(), v.votes()...)
	if v.Note != "" && v.Outcome != "" {
		c.Blocks = append(c.Blocks, chat.Quote{Text: chat.T(short(v.Note, 500))})
	}
	for _, t := range v.Tickets {
		c.Text += " " + t + "."
		c.Blocks = append(c.Blocks, chat.Note{Text: chat.T(t)})
	}
	if v.Review != "" {
		c.Blocks = append(c.Blocks, chat.Section{Text: chat.Join(chat.B("Learnt: "), chat.T(short(v.Review, 500)))})
	}
	a := ChangeArgs(v.Change)
	b := func(label, action string, form bool) chat.Button {
		return chat.Button{Label: label, Action: action, Args: a, Form: form, Name: label + " " + v.Ref()}
	}
	plans, edit, stop := b("Plan and way back", ChangePlans, true), b("Edit…", ChangeGoOn, true), b("Cancel it…", ChangeStop, true)
	var acts chat.Actions
	switch v.State {
	case change.Draft, change.Blocked:
		acts = chat.Actions{Buttons: []chat.Button{edit}, Menu: []chat.Button{stop}}
	case change.Asked:
		acts = chat.Actions{Menu: []chat.Button{plans, edit, stop}}
	case change.Scheduled:
		begin := b("Started", ChangeBegin, false)
		begin.Style = chat.Primary
		acts = chat.Actions{Buttons: []chat.Button{begin}, Menu: []chat.Button{plans, edit, stop}}
	case change.Doing:
		worked := b("Worked", ChangeEnd, false)
		worked.Style, worked.Args = chat.Primary, with(a, "o", string(change.Worked))
		back, failed := b("Rolled back…", ChangeEnd, true), b("Failed…", ChangeEnd, true)
		back.Args, failed.Args = with(a, "o", string(change.RolledBack)), with(a, "o", string(change.Failed))
		acts = chat.Actions{Buttons: []chat.Button{worked, back}, Menu: []chat.Button{failed, plans}}
	case change.Done:
		acts = chat.Actions{Menu: []chat.Button{plans}}
		if v.WantsReview() {
			c.Blocks = append(c.Blocks, chat.Note{Text: chat.T("It wants a review: what was learnt?")})
			acts.Buttons = []chat.Button{b("Write the review…", ChangeLearn, true)}
		}
	default:
		acts = chat.Actions{Menu: []chat.Button{plans}}
	}
	c.Blocks = append(c.Blocks, acts)
	return c
}

// ChangeLine is a change in a list.
func ChangeLine(c change.Change) chat.Rich {
	return chat.Join(chat.B(c.Ref()), chat.T("  "+short(c.Title, 80)+"\n"+c.StateWords()+" · risk "+string(c.Risk)+" · "), when(c.From), chat.T(" – "), when(c.To))
}

// mostClashes is how many clashes a change in a list is shown with.
const mostClashes = 3

// ChangeList is a list of changes with what can be done beside each, and what
// each clashes with.
func ChangeList(lead, none string, all []change.Change, clashes map[change.ID][]change.Clash) chat.Card {
	if len(all) == 0 {
		return Say(none)
	}
	c := chat.Card{Text: lead, Blocks: []chat.Block{chat.Section{Text: chat.B(lead)}}}
	for _, ch := range all {
		c.Text += fmt.Sprintf(" %s %s (%s);", ch.Ref(), ch.Title, strings.ToLower(ch.StateWords()))
		line := ChangeLine(ch)
		for _, cl := range clashes[ch.ID][:min(len(clashes[ch.ID]), mostClashes)] {
			line = chat.Join(line, chat.T("\n⚠️ "+short(cl.Words, 120)))
			c.Text += " " + short(cl.Words, 120) + ";"
		}
		c.Blocks = append(c.Blocks, chat.Row{Text: line, Button: chat.Button{Label: "Show", Action: ChangeShow, Args: ChangeArgs(ch), Name: "Show " + ch.Ref()}})
	}
	return c
}

// RaiseCard offers the form where none can be opened at once.
func RaiseCard() chat.Card {
	return chat.Card{Text: "Raise a change: press the button.", Blocks: []chat.Block{
		chat.Section{Text: chat.T("A change says what is done, why, when, and how it is undone. Those who must approve it are asked at once.")},
		chat.Actions{Buttons: []chat.Button{{Label: "Raise a change", Action: ChangeRaise, Form: true, Style: chat.Primary}}},
	}}
}

// StandardOption is a standard change that can be chosen.
type StandardOption struct{ Slug, Title string }

// WhatForm is the first step of a change: what and why. drafts can be gone on
// with.
func WhatForm(c change.Change, standard []StandardOption, items []cmdb.Item, services []ServiceOption, drafts []change.Change) chat.Form {
	f := chat.Form{Action: ChangeWhat, Args: ChangeArgs(c), Title: "Raise a change", Submit: "Go on", Close: "Later", Keep: true}
	if c.ID == 0 {
		f.Args = chat.Args{}
	}
	for _, d := range drafts {
		f.Intro = append(f.Intro, chat.Row{Text: chat.Join(chat.T("Being written: "), chat.B(d.Ref()), chat.T(" "+short(d.Title, 60))),
			Button: chat.Button{Label: "Go on with it", Action: ChangeGoOn, Args: ChangeArgs(d), Form: true, Name: "Go on with " + d.Ref()}})
	}
	kinds := []chat.Option{{Value: string(change.Normal), Label: "Normal"}, {Value: string(change.Emergency), Label: "Emergency", Hint: "One person is asked now; a review follows"}}
	for _, s := range standard {
		if len(kinds) == 10 {
			break
		}
		kinds = append(kinds, chat.Option{Value: "standard:" + s.Slug, Label: short("Standard: "+s.Title, 75), Hint: "Approved by rule"})
	}
	kind := string(c.Kind)
	if c.Kind == change.Standard {
		kind = "standard:" + c.Rule
	}
	if kind == "" {
		kind = string(change.Normal)
	}
	var keys []string
	for _, i := range items {
		keys = append(keys, i.Key)
	}
	f.Fields = []chat.Field{
		{Name: "kind", Label: "Which kind?", Input: chat.Choice, Options: kinds, Value: one(kind)},
		{Name: "title", Label: "What is changed?", Input: chat.Line, Max: change.MostTitle, Value: one(c.Title)},
		{Name: "why", Label: "Why?", Input: chat.Paragraph, Max: change.MostText, Value: one(c.Why)},
		{Name: ItemField, Label: "What does it touch?", Input: chat.Search, Optional: true, Hint: "Type a few letters of the item's name."},
		{Name: "items", Label: "More items, by name", Input: chat.Line, Optional: true, Max: 1000, Value: one(strings.Join(keys, ", ")), Hint: "db-3, app-1"},
	}
	var options []chat.Option
	for _, s := range services {
		options = append(options, chat.Option{Value: s.Slug, Label: s.Name})
	}
	if len(options) > 1 {
		f.Fields = append(f.Fields, chat.Field{Name: "service", Label: "Which service is it for?", Input: chat.Select, Options: options, Value: one(c.Service), Optional: true})
	}
	return f
}

var lengths = []time.Duration{15 * time.Minute, 30 * time.Minute, time.Hour, 2 * time.Hour, 4 * time.Hour, 8 * time.Hour, 24 * time.Hour, 48 * time.Hour}

// PlanForm is the second step: how it is done, and the way back. kept says what
// is kept if it is closed.
func PlanForm(c change.Change, kept string) chat.Form {
	return chat.Form{Action: ChangePlan, Args: ChangeArgs(c), Title: c.Ref() + ": 2 of 3", Submit: "Go on", Close: "Later", Keep: true,
		Intro: []chat.Block{chat.Section{Text: chat.Join(chat.B(c.Title), chat.T("\n"+kept))}}, Fields: planFields(c)}
}

func planFields(c change.Change) []chat.Field {
	return []chat.Field{
		{Name: "plan", Label: "Plan", Input: chat.Paragraph, Max: change.MostText, Value: one(c.Plan), Hint: "Step by step."},
		{Name: "test", Label: "How is it tested?", Input: chat.Paragraph, Max: change.MostText, Value: one(c.Test), Optional: true},
		{Name: "rollback", Label: "The way back", Input: chat.Paragraph, Max: change.MostText, Value: one(c.Rollback), Hint: "What will you do if it goes wrong?"},
	}
}

// WholeArg is in the arguments of a HowForm that has the plan too.
const WholeArg = "whole"

// HowForm is the last step: when, and by whom. With whole it has the plan too:
// what has been asked about is edited at once. zone is the reader's; implementer
// is the account of whoever does it.
func HowForm(c change.Change, whole bool, zone *time.Location, implementer, kept string, clashes []change.Clash) chat.Form {
	f := chat.Form{Action: ChangeHow, Args: ChangeArgs(c), Title: c.Ref() + ": 3 of 3", Submit: "Ask for approval", Close: "Later", Keep: true,
		Intro: []chat.Block{chat.Section{Text: chat.Join(chat.B(c.Title), chat.T("\n"+kept))}}}
	if whole {
		f.Title, f.Close, f.Args = c.Ref(), "Cancel", with(f.Args, WholeArg, "1")
		f.Intro, f.Keep = []chat.Block{chat.Section{Text: chat.Join(chat.B(c.Title), chat.T("\nWhoever has said yes is asked again, and sees what is different."))}}, false
		f.Fields = planFields(c)
	}
	for _, cl := range clashes {
		f.Intro = append(f.Intro, chat.Note{Text: chat.T("⚠️ " + cl.Words)})
	}
	day := func(t time.Time) []string {
		if t.IsZero() {
			return nil
		}
		return one(t.In(zone).Format(time.DateOnly))
	}
	clock := func(t time.Time) []string {
		if t.IsZero() {
			return nil
		}
		return one(t.In(zone).Format("15:04"))
	}
	var takes []chat.Option
	for _, d := range lengths {
		takes = append(takes, chat.Option{Value: d.String(), Label: duration(d)})
	}
	var chosen []string
	if c.Takes > 0 {
		chosen = one(c.Takes.String())
	}
	f.Fields = append(f.Fields, []chat.Field{
		{Name: "from", Label: "May begin on", Input: chat.Date, Value: day(c.From)},
		{Name: "from_time", Label: "at what time?", Input: chat.Time, Value: clock(c.From)},
		{Name: "to", Label: "Must be over on", Input: chat.Date, Value: day(c.To)},
		{Name: "to_time", Label: "by what time?", Input: chat.Time, Value: clock(c.To)},
		{Name: "takes", Label: "How long does it take?", Input: chat.Select, Options: takes, Value: chosen},
		{Name: "person", Label: "Who does it?", Input: chat.Person, Value: one(implementer)},
		{Name: "exception", Label: "If it is in a freeze: why can't it wait?", Input: chat.Paragraph, Max: 500, Value: one(c.Exception), Optional: true},
	}...)
	return f
}

// PlansForm shows what a change will do.
func PlansForm(v ChangeView) chat.Form {
	part := func(title, text string) []chat.Block {
		if strings.TrimSpace(text) == "" {
			text = "Not said."
		}
		return []chat.Block{chat.Section{Text: chat.B(title)}, chat.Quote{Text: chat.T(text)}}
	}
	f := chat.Form{Action: ChangePlans, Title: v.Ref(), Close: "Close"}
	f.Intro = append(f.Intro, part("Why", v.Why)...)
	f.Intro = append(f.Intro, part("Plan", v.Plan)...)
	f.Intro = append(f.Intro, part("Test", v.Test)...)
	f.Intro = append(f.Intro, part("The way back", v.Rollback)...)
	return f
}

// DiffForm shows what an edit has changed since the round before.
func DiffForm(ref string, diff []change.Difference) chat.Form {
	f := chat.Form{Action: ChangeDiff, Title: "What has changed", Close: "Close"}
	f.Intro = append(f.Intro, chat.Section{Text: chat.B(ref)})
	for _, d := range diff {
		f.Intro = append(f.Intro, chat.Section{Text: chat.Join(chat.B(d.What+": "), chat.Rich{{Text: short(d.Was, 1200), Strike: true}})}, chat.Quote{Text: chat.T(short(d.Is, 1200))})
	}
	if len(diff) == 0 {
		f.Intro = append(f.Intro, chat.Section{Text: chat.T("Nothing: the same text was asked about again.")})
	}
	return f
}

// SayWhyForm asks for the reason of a no, or for what must be changed.
func SayWhyForm(action string, ref string, a chat.Args) chat.Form {
	f := chat.Form{Action: action, Args: a, Title: "Reject " + ref, Submit: "Reject", Close: "Cancel",
		Fields: []chat.Field{{Name: "why", Label: "Why?", Input: chat.Paragraph, Max: 1000, Hint: "Whoever asked reads this, and can put it right."}}}
	switch action {
	case ChangeBack:
		f.Title, f.Submit = "Send back "+ref, "Send back"
		f.Fields[0].Label = "What must be changed?"
	case ChangeStop:
		f.Title, f.Submit = "Cancel "+ref, "Cancel it"
		f.Close = "Keep it"
	case ChangeEnd:
		f.Title, f.Submit = ref, "Save"
		f.Fields[0].Label = "What went wrong?"
	case ChangeLearn:
		f.Title, f.Submit = "Review of "+ref, "Save"
		f.Fields[0].Label = "What was learnt?"
		f.Fields[0].Hint = ""
	}
	return f
}

// ConfirmForm asks that the number of a risky change be typed.
func ConfirmForm(v ChangeView, a chat.Args) chat.Form {
	return chat.Form{Action: ChangeYes, Args: a, Title: "Approve " + v.Ref(), Submit: "Approve", Close: "Cancel",
		Intro:  []chat.Block{chat.Section{Text: chat.Join(chat.B("The risk is high"), chat.T(", because "+v.Because+"."))}},
		Fields: []chat.Field{{Name: "number", Label: "Please type " + v.Ref() + " to approve it", Input: chat.Line, Max: 20}}}
}

// ForWhom asks for which of several absent people somebody answers.
func ForWhom(v ChangeView, action string, seats []people.PersonID, a chat.Args) chat.Card {
	c := chat.Card{Text: "You answer for several people. For whom is this?"}
	acts := chat.Actions{}
	for _, s := range seats {
		if len(acts.Buttons) == 5 {
			break
		}
		acts.Buttons = append(acts.Buttons, chat.Button{Label: "For " + v.name(s), Action: action, Form: action != ChangeYes || v.Risk == change.High, Args: with(a, "seat", strconv.FormatInt(int64(s), 10))})
	}
	c.Blocks = []chat.Block{chat.Section{Text: chat.T(c.Text)}, acts}
	return c
}

// DelegateCard offers the form where none can be opened at once.
func DelegateCard() chat.Card {
	return chat.Card{Text: "Somebody can answer for you while you are away: press the button.", Blocks: []chat.Block{
		chat.Section{Text: chat.T("Somebody can answer for you while you are away. They see what waits for you, and the record says that it was for you.")},
		chat.Actions{Buttons: []chat.Button{{Label: "Hand over approvals…", Action: Delegate, Form: true, Style: chat.Primary}, {Label: "Take them back", Action: TakeBack}}},
	}}
}

// DelegateForm asks who answers and when; now says who does already.
func DelegateForm(now, today string) chat.Form {
	f := chat.Form{Action: Delegate, Title: "Hand over approvals", Submit: "Hand over", Close: "Cancel", Fields: []chat.Field{
		{Name: "person", Label: "Who answers for you?", Input: chat.Person},
		{Name: "since", Label: "From", Input: chat.Date, Value: one(today)},
		{Name: "until", Label: "Until and including", Input: chat.Date},
	}}
	if now != "" {
		f.Intro = []chat.Block{chat.Section{Text: chat.T(now)}}
	}
	return f
}
