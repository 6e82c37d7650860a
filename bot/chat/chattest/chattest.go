// Package chattest holds sample cards and forms: what every renderer must be
// able to draw within its platform's limits, the everyday and the extreme.
package chattest

import (
	"fmt"
	"strings"
	"time"

	"github.com/deskhand/deskhand/bot/chat"
)

// At is the time that stands in the samples.
var At = time.Date(2026, time.November, 20, 14, 5, 0, 0, time.UTC)

// user is a user of whatever platform draws the card.
func user(id, name string) chat.Rich {
	return chat.Rich{{User: chat.User{ID: id}, Text: name}}
}

func at(t time.Time) chat.Rich { return chat.Rich{{Time: t}} }

func text(s string) []chat.Block { return []chat.Block{chat.Section{Text: chat.T(s)}} }

// Hostile is what people type, on purpose or not, that a platform could take
// for markup, a mention or a command.
const Hostile = "<!channel> <!here> <@U000000001> <#C000000001> @here @channel @everyone\n" +
	"*bold* _italic_ ~strike~ `code` ```fence``` snake_case_name 2*3*4\n" +
	"> quote\n&lt;b&gt; &amp; <b>html</b> <https://evil.example|bank.example> [bank](https://evil.example)\n" +
	"javascript:alert(1) <script>alert(1)</script> {date_num} <!date^0^{date}|x> :fire: \\* \x00\x07 end"

// Cards are named sample cards.
var Cards = map[string]chat.Card{
	"only text": {Text: "Your ticket INC-42 is with the service desk."},

	"suggestion": {
		Text: "I found an article: KB-12 Keep the VPN connected",
		Blocks: []chat.Block{
			chat.Section{Text: chat.T("This may help:")},
			chat.Section{Text: chat.Join(
				chat.Rich{{Text: "KB-12 Keep the VPN connected", Bold: true, Link: "https://desk.example/kb/12?from=chat&lang=en"}},
				chat.T("\nIf the "), chat.B("VPN"), chat.T(" drops every few minutes, turn off "),
				chat.Rich{{Text: "Power saving", Italic: true}, {Text: " or run "}, {Text: "netsh wlan", Code: true},
					{Text: " again. "}, {Text: "Restart twice.", Strike: true}},
			)},
			chat.Actions{Buttons: []chat.Button{
				{Label: "Solved it", Action: "ask.solved", Args: chat.Args{"x": "7", "a": "12"}, Style: chat.Primary},
				{Label: "Show steps", Action: "ask.steps", Args: chat.Args{"x": "7", "a": "12"}},
				{Label: "Open a ticket", Action: "ticket.open", Args: chat.Args{"x": "7"}, Form: true},
				{Label: "Talk to a person", Action: "ask.person", Args: chat.Args{"x": "7"}},
			}},
			chat.Note{Text: chat.T("Answers come from your company's articles.")},
		},
	},

	"rows": {
		Text: "Unclaimed: INC-42 The printer is not printing",
		Blocks: []chat.Block{
			chat.Row{Text: chat.Join(chat.B("INC-42"), chat.T("  The *printer* is not printing & <!channel>\n🟣 New · High · since "), at(At)),
				Button: chat.Button{Label: "Claim", Action: "ticket.claim", Args: chat.Args{"t": "42", "v": "1"}, Name: "Claim INC-42"}},
			chat.Row{Text: chat.T(strings.Repeat("long ", 2000)), Button: chat.Button{Label: "Resolve", Action: "ticket.resolve", Form: true}},
			chat.Row{},
		},
	},

	"triage": {
		Text: "INC-42, High: the printer on floor 3 is not printing",
		Blocks: []chat.Block{
			chat.Heading{Text: "INC-42 · The printer on floor 3 is not printing"},
			chat.Facts{
				{Label: "Who", Value: user("U000000001", "Ana Brandt")},
				{Label: "Priority", Value: chat.T("High, because a whole team is affected")},
				{Label: "Service", Value: chat.T("Printing & scanning")},
				{Label: "Opened", Value: at(At)},
			},
			chat.Quote{Text: chat.T("the printer on floor 3 is not printing\nit says <offline>")},
			chat.Divider{},
			chat.List{Items: []chat.Rich{chat.T("Already shown: "), chat.Join(chat.T("KB-3 "), chat.B("Printer offline"))}},
			chat.Note{Text: chat.Join(chat.T("Claimed by "), user("U000000002", "Ben Osei"), chat.T(" "), at(At.Add(time.Minute)))},
			chat.Actions{
				Buttons: []chat.Button{
					{Label: "Claim", Action: "ticket.claim", Args: chat.Args{"t": "42", "v": "3"}, Style: chat.Primary, Name: "Claim INC-42"},
					{Label: "Resolve", Action: "ticket.resolve", Args: chat.Args{"t": "42", "v": "3"}, Form: true, Name: "Resolve INC-42"},
				},
				Menu: []chat.Button{
					{Label: "Waiting…", Action: "ticket.wait", Args: chat.Args{"t": "42", "v": "3"}, Form: true},
					{Label: "History", Action: "ticket.history", Args: chat.Args{"t": "42"}},
				},
			},
		},
	},

	"long menu": {
		Text: "What next?",
		Blocks: []chat.Block{
			chat.Section{Text: chat.T("What next?")},
			chat.Actions{Menu: []chat.Button{
				{Label: "Waiting…", Action: "ticket.wait", Args: chat.Args{"t": "42", "v": "3"}, Form: true},
				{Label: "Assign…", Action: "ticket.assign", Args: chat.Args{"t": "42", "v": "3"}, Form: true},
				{Label: "Priority…", Action: "ticket.priority", Args: chat.Args{"t": "42", "v": "3"}, Form: true},
				{Label: "Move to another team…", Action: "ticket.move", Args: chat.Args{"t": "42", "v": "3"}, Form: true},
				{Label: "History", Action: "ticket.history", Args: chat.Args{"t": "42", "q": "a&b=c d/ü"}},
				{Label: "Open in the browser", URL: "https://desk.example/t/42"},
				{Label: "Close", Action: "ticket.close", Args: chat.Args{"t": "42", "v": "3"}, Style: chat.Danger,
					Confirm: &chat.Confirm{Title: "Close INC-42?", Text: "Ana will be told.", Yes: "Close it", No: "Keep it open"}},
			}},
		},
	},

	"menu of wide lines": {
		Text: "Pick one",
		Blocks: []chat.Block{chat.Actions{Menu: []chat.Button{
			{Label: "Narrow", Action: "pick", Args: chat.Args{"n": "1"}},
			{Label: "Wide", Action: "pick", Args: chat.Args{"n": strings.Repeat("9", 400)}},
		}}},
	},

	"a link, a confirmation and two primaries": {
		Text: "Ready?",
		Blocks: []chat.Block{chat.Actions{Buttons: []chat.Button{
			{Label: "Yes", Action: "yes", Style: chat.Primary},
			{Label: "Also yes", Action: "yes", Style: chat.Primary},
			{Label: "Read", Action: "read", URL: "https://desk.example/kb/1"},
			{Label: "Drop", Action: "drop", Style: chat.Danger,
				Confirm: &chat.Confirm{Title: "Drop it?", Text: "This can't be undone.", Yes: "Drop", No: "Back"}},
			{Label: "Odd link", Action: "odd", URL: "javascript:alert(1)"},
		}}},
	},

	"hostile text everywhere": {
		Text: Hostile,
		Blocks: []chat.Block{
			chat.Heading{Text: Hostile},
			chat.Section{Text: chat.T(Hostile)},
			chat.Quote{Text: chat.T(Hostile)},
			chat.Facts{{Label: Hostile, Value: chat.T(Hostile)},
				{Label: "Bold", Value: chat.B(Hostile)},
				{Label: "Link", Value: chat.Rich{{Text: Hostile, Link: "https://a.example/?a=1&b=<x>|y"}}}},
			chat.List{Items: []chat.Rich{chat.T(Hostile)}},
			chat.Note{Text: chat.T(Hostile)},
			chat.Note{Text: chat.Join(chat.B("By "), chat.T(Hostile), at(At))},
			chat.Picture{URL: "https://desk.example/a.png", Alt: Hostile},
			chat.Picture{URL: "file:///etc/passwd", Alt: "not to be fetched"},
			chat.Section{Text: chat.Rich{{Text: "odd link", Link: "javascript:alert(1)"}}},
			chat.Actions{Buttons: []chat.Button{{Label: Hostile, Action: "x", Name: Hostile}},
				Menu: []chat.Button{{Label: Hostile, Action: "y", Args: chat.Args{"k": "<&>"}}}},
		},
	},

	"mentions left in the text": {
		Text:   "ask " + chat.Mention("U000000009") + " \uE000broken",
		Blocks: text("ask " + chat.Mention("U000000009") + " \uE000broken"),
	},

	"right to left": {
		Text: "المكتب: الطابعة في الطابق الثالث لا تطبع",
		Blocks: []chat.Block{
			chat.Heading{Text: "الطابعة في الطابق الثالث لا تطبع"},
			chat.Section{Text: chat.Join(chat.T("שלום, "), user("U000000001", "אנה"), chat.T(" — המדפסת (HP-3) לא מדפיסה 123"))},
			chat.Facts{{Label: "الأولوية", Value: chat.T("عالية")}, {Label: "Service", Value: chat.T("طباعة")}},
			chat.Actions{Buttons: []chat.Button{{Label: "تم الحل", Action: "ask.solved"}}},
		},
	},

	"emoji": {
		Text: "👩‍👩‍👧‍👦🇳🇴👍🏽 and e\u0301",
		Blocks: []chat.Block{
			chat.Heading{Text: strings.Repeat("👩‍👩‍👧‍👦", 40)},
			chat.Section{Text: chat.T(strings.Repeat("👍🏽🇳🇴", 1200))},
			chat.Actions{Buttons: []chat.Button{{Label: strings.Repeat("🔥", 60), Action: "fire"}}},
		},
	},

	"5,000 characters without a space": {
		Text:   strings.Repeat("x", 5000),
		Blocks: []chat.Block{chat.Section{Text: chat.T(strings.Repeat("x", 5000))}, chat.Quote{Text: chat.T(strings.Repeat("&", 5000))}},
	},

	"a long text of paragraphs": {
		Text:   "Steps for KB-12",
		Blocks: append(text(strings.Repeat("Open the settings and look for the network page. Turn the switch off, wait ten seconds, turn it on.\n\n", 70)), chat.Actions{Buttons: []chat.Button{{Label: "Solved it", Action: "ask.solved"}}}),
	},

	"far too much text": {
		Text: strings.Repeat("much too much ", 3000),
		Blocks: []chat.Block{
			chat.Heading{Text: strings.Repeat("long title ", 40)},
			chat.Section{Text: chat.T(strings.Repeat("a word and another. ", 1500))},
			chat.Quote{Text: chat.T(strings.Repeat("line after line\n", 1500))},
			chat.Section{Text: chat.T("This short line must not be lost.")},
			chat.Facts{{Label: strings.Repeat("label ", 500), Value: chat.T(strings.Repeat("value & ", 1500))}},
			chat.Note{Text: chat.T(strings.Repeat("small print ", 500))},
			chat.Note{Text: chat.Join(chat.T(strings.Repeat("small print & ", 500)), user("U000000001", "Ana"))},
			chat.Picture{URL: "https://desk.example/a.png", Alt: strings.Repeat("alt ", 900)},
			chat.Actions{Buttons: []chat.Button{{Label: strings.Repeat("label ", 40), Action: "x", Name: strings.Repeat("name ", 40),
				Confirm: &chat.Confirm{Title: strings.Repeat("t ", 90), Text: strings.Repeat("x ", 400), Yes: strings.Repeat("y", 80), No: strings.Repeat("n", 80)}}}},
		},
	},

	"200 people": {
		Text:   "200 people are waiting",
		Blocks: []chat.Block{chat.Section{Text: chat.Join(people(200)...)}, chat.List{Ordered: true, Items: people(200)}},
	},

	"200 blocks": {
		Text:   "Everything at once",
		Blocks: manyBlocks(200),
	},

	"90 lists and facts": {Text: "Many", Blocks: manyFacts(90)},

	"60 blocks of long facts": {Text: "Long", Blocks: longFacts(60)},

	"25 facts": {Text: "Facts", Blocks: []chat.Block{facts(25)}},

	"30 buttons": {Text: "Buttons", Blocks: []chat.Block{chat.Actions{Buttons: buttons(30), Menu: buttons(120)}}},

	"nothing in it": {Blocks: []chat.Block{
		chat.Heading{}, chat.Section{}, chat.Section{Text: chat.T("  \n")}, chat.Quote{}, chat.Facts{}, chat.List{}, chat.List{Items: []chat.Rich{nil}},
		chat.Note{}, chat.Actions{}, chat.Picture{},
	}},

	"empty labels": {Text: "Empty", Blocks: []chat.Block{
		chat.Facts{{}}, chat.Actions{Buttons: []chat.Button{{Action: "x"}}, Menu: []chat.Button{{Action: "y"}, {}}},
	}},
}

func people(n int) []chat.Rich {
	all := make([]chat.Rich, n)
	for i := range all {
		all[i] = chat.Join(user(fmt.Sprintf("U%09d", i), fmt.Sprintf("Person %d", i)), chat.T(" "))
	}
	return all
}

func facts(n int) chat.Facts {
	all := make(chat.Facts, n)
	for i := range all {
		all[i] = chat.Fact{Label: fmt.Sprintf("Fact %d", i), Value: chat.T("value")}
	}
	return all
}

func buttons(n int) []chat.Button {
	all := make([]chat.Button, n)
	for i := range all {
		all[i] = chat.Button{Label: fmt.Sprintf("Button %d", i), Action: "press", Args: chat.Args{"i": fmt.Sprint(i)}}
	}
	return all
}

func manyBlocks(n int) []chat.Block {
	var all []chat.Block
	for i := range n / 2 {
		all = append(all, chat.Section{Text: chat.T(fmt.Sprintf("Line %d", i))}, chat.Divider{})
	}
	return append(all, chat.Actions{Buttons: buttons(2)})
}

func manyFacts(n int) []chat.Block {
	var all []chat.Block
	for i := range n {
		all = append(all, facts(1), chat.List{Items: []chat.Rich{chat.T(fmt.Sprintf("Item %d", i))}})
	}
	return append(all, chat.Actions{Buttons: buttons(2)})
}

func longFacts(n int) []chat.Block {
	var all []chat.Block
	for range n {
		fs := facts(12)
		for i := range fs {
			fs[i].Value = chat.T(strings.Repeat("a long value ", 200))
		}
		all = append(all, fs)
	}
	return append(all, chat.Actions{Buttons: buttons(2)})
}

// Forms are named sample forms.
var Forms = map[string]chat.Form{
	"open a ticket": {
		Action: "ticket.open", Args: chat.Args{"x": "7"}, Title: "Open a ticket", Submit: "Open it", Close: "Not now", Keep: true,
		Intro: []chat.Block{chat.Section{Text: chat.T("Tell us a little more.")},
			chat.Actions{Buttons: []chat.Button{{Label: "It is a request", Action: "ticket.request", Form: true}}}},
		Fields: []chat.Field{
			{Name: "title", Label: "What is wrong?", Input: chat.Line, Value: []string{"the printer on floor 3\nis not printing"}, Max: 120},
			{Name: "who", Label: "Who is affected?", Input: chat.Choice, Value: []string{"team"}, Refresh: true,
				Options: []chat.Option{{Value: "me", Label: "Only me"}, {Value: "team", Label: "My team", Hint: "More than three people"}}},
			{Name: "service", Label: "What is it about?", Input: chat.Select, Value: []string{"print"},
				Options: []chat.Option{{Value: "vpn", Label: "VPN"}, {Value: "print", Label: "Printing"}}},
			{Name: "details", Label: "Anything else?", Hint: "What you see, since when", Input: chat.Paragraph, Optional: true},
		},
	},

	"every input": {
		Action: "all", Title: "Every input", Submit: "Send",
		Fields: []chat.Field{
			{Name: "line", Label: "Line", Input: chat.Line, Refresh: true},
			{Name: "paragraph", Label: "Paragraph", Input: chat.Paragraph, Value: []string{"one\ntwo"}},
			{Name: "choice", Label: "Choice", Input: chat.Choice, Options: options(10), Value: []string{"v3"}},
			{Name: "select", Label: "Select", Input: chat.Select, Options: options(100), Value: []string{"v99"}},
			{Name: "checks", Label: "Checks", Input: chat.Checks, Options: options(10), Value: []string{"v1", "v2", "gone"}},
			{Name: "person", Label: "Person", Input: chat.Person, Value: []string{"U000000001"}},
			{Name: "channel", Label: "Channel", Input: chat.Channel, Value: []string{"C000000001"}},
			{Name: "search", Label: "Search", Input: chat.Search, Options: []chat.Option{{Value: "12", Label: "KB-12 Keep the VPN connected"}}, Value: []string{"12"}},
			{Name: "search2", Label: "Search without a label", Input: chat.Search, Value: []string{"13"}, Refresh: true},
			{Name: "date", Label: "Date", Input: chat.Date, Value: []string{"2026-11-20"}},
			{Name: "time", Label: "Time", Input: chat.Time, Value: []string{"14:05"}},
		},
	},

	"only to read": {Action: "history", Title: "History of INC-42", Close: "Close",
		Intro: []chat.Block{chat.List{Items: []chat.Rich{chat.Join(chat.B("Ana"), chat.T(" opened it "), at(At))}}}},

	"too long everywhere": {
		Action: "long", Args: chat.Args{"a": strings.Repeat("z", 2300)}, Title: strings.Repeat("title ", 10),
		Submit: strings.Repeat("submit ", 10), Close: strings.Repeat("close ", 10),
		Intro: text(strings.Repeat("a word and another. ", 4000)),
		Fields: []chat.Field{
			{Name: "line", Label: strings.Repeat("label ", 500), Hint: strings.Repeat("hint ", 600), Input: chat.Line, Value: []string{strings.Repeat("x", 5000)}, Max: 10},
			{Name: "paragraph", Label: "Paragraph", Input: chat.Paragraph, Value: []string{strings.Repeat("👍", 5000)}, Max: 9000},
			{Name: "choice", Label: "Choice", Input: chat.Choice, Options: options(11), Value: []string{"v10"}},
			{Name: "select", Label: "Select", Input: chat.Select, Options: options(200)},
			{Name: "options", Label: "Options", Input: chat.Select, Options: []chat.Option{{Value: strings.Repeat("v", 100), Label: strings.Repeat("label ", 30), Hint: strings.Repeat("hint ", 30)}}},
		},
	},

	"hostile": {
		Action: "hostile", Title: "<!here> *x*", Submit: "Send & go",
		Intro:  []chat.Block{chat.Section{Text: chat.T(Hostile)}},
		Fields: []chat.Field{{Name: "f", Label: Hostile, Hint: Hostile, Input: chat.Paragraph, Value: []string{Hostile}}},
	},

	"no options and no button": {Action: "none", Title: "", Fields: []chat.Field{{Name: "s", Label: "", Input: chat.Select}}},

	"90 fields and a long introduction": {Action: "many", Title: "Many", Submit: "Send", Intro: manyBlocks(20), Fields: manyFields(90)},
}

func options(n int) []chat.Option {
	all := make([]chat.Option, n)
	for i := range all {
		all[i] = chat.Option{Value: fmt.Sprintf("v%d", i), Label: fmt.Sprintf("Option %d", i)}
	}
	return all
}

func manyFields(n int) []chat.Field {
	all := make([]chat.Field, n)
	for i := range all {
		all[i] = chat.Field{Name: fmt.Sprintf("f%d", i), Label: fmt.Sprintf("Field %d", i), Input: chat.Line, Optional: true}
	}
	return all
}
