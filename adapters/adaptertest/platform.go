package adaptertest

import (
	"fmt"
	"slices"
	"strings"
)

// A Feature is something that not every platform can do. It reads as a line of
// the parity table.
type Feature string

// The features.
const (
	Threads   Feature = "Direct messages have threads"
	Reactions Feature = "The desk marks a message with an emoji: thanks seen, note kept, file saved"
	Heard     Feature = "An emoji that a person puts on a message opens a ticket"
	Slash     Feature = "A slash command"
	Shortcuts Feature = "A shortcut that stands on no message: “Ask the desk”"
	Closings  Feature = "A form closed half-filled comes back as it was"
	Aside     Feature = "A word for one person's eyes within a channel"
	Typeahead Feature = "A field that finds articles as one types"
	Views     Feature = "A card that looks different to different people"
	Admins    Feature = "Until a policy names admins, who administers the platform administers the desk"
	Lookup    Feature = "A direct message whose confirmation was lost is looked for before it is sent again"
	Attached  Feature = "A file that somebody attaches in a channel is kept and passed on"
	Finder    Feature = "Articles and tickets found in the message box and put into a message"
)

// A Lack is why a platform has no Feature, and what people have instead.
type Lack struct{ Why, Instead string }

// A Platform is what a platform lacks.
type Platform struct {
	Name  string // the adapter's
	Title string
	Lacks map[Feature]Lack
}

// Has tells whether the platform can do something.
func (p Platform) Has(f Feature) bool { return p.Lacks[f].Why == "" }

// Slack is Slack.
var Slack = Platform{Name: "slack", Title: "Slack", Lacks: map[Feature]Lack{
	Views: {"a message is the same for everybody in the channel",
		"whoever may not press a button is told so privately"},
	Finder: {"apps can't offer things in the message box",
		"`/desk` and the question answers in direct messages"},
}}

// Teams is Microsoft Teams.
var Teams = Platform{Name: "teams", Title: "Teams", Lacks: map[Feature]Lack{
	Threads: {"a personal or group chat is one row of messages",
		"a quote says what a message is about, else it goes to what is being talked of, which the desk says and one press takes back"},
	Reactions: {"a bot can't put an emoji on a message",
		"the desk says it in a few words; a saved file needs none"},
	Heard: {"a bot hears only of emoji on its own messages",
		"the menu of the message opens the ticket"},
	Attached: {"bots get only the pictures in a channel's text, and no files",
		"the desk says so at once; a picture that is pasted, and a link, are passed on, and in the personal chat files are too"},
	Aside: {"messages for one person in a channel are a preview",
		"the word comes in the personal chat, with a link to what it is about; the answer to a press is seen by who pressed alone"},
	Slash: {"bots have none",
		"the same words behind the desk's name, or in its personal chat"},
	Shortcuts: {"there is none",
		"the personal chat is always in the bar"},
	Closings: {"a bot is not told that a dialog was closed",
		"the words of the question are in the form each time"},
	Admins: {"a bot is not told who that is",
		"the policy file names them"},
	Lookup: {"a bot may read channels and group chats, where it was allowed to, and nobody's own chat",
		"one is sent again only where no answer came, or the desk was killed before the answer was on record; it may then stand there twice. Buttons work on both. In channels nothing stands there twice"},
}}

// Platforms are those that the list is held on.
var Platforms = []Platform{Slack, Teams}

// Pairs are where the list is held: on each platform, and with requesters and
// agents on different ones.
func Pairs() []Pair {
	var list []Pair
	for _, asking := range Platforms {
		list = append(list, On(asking))
	}
	for _, asking := range Platforms {
		for _, working := range Platforms {
			if asking.Name != working.Name {
				list = append(list, Pair{Asking: asking, Working: working})
			}
		}
	}
	return list
}

// Title says where the pair's people are.
func (p Pair) Title() string {
	if p.mixed() {
		return p.Asking.Title + " asks, " + p.Working.Title + " works"
	}
	return p.Asking.Title
}

// Table is the parity table in Markdown: what differs and why, then every
// conversation of the list and where it is held.
func Table() string {
	var b strings.Builder
	row := func(cells ...string) { b.WriteString("| " + strings.Join(cells, " | ") + " |\n") }
	head := func(cells ...string) {
		row(cells...)
		b.WriteString("|" + strings.Repeat("---|", len(cells)) + "\n")
	}
	titles := []string{"What differs"}
	for _, p := range Platforms {
		titles = append(titles, p.Title)
	}
	head(titles...)
	for _, f := range features {
		cells, differs := []string{string(f)}, false
		for _, p := range Platforms {
			cell := "yes"
			if l := p.Lacks[f]; l.Why != "" {
				cell, differs = fmt.Sprintf("no: %s. Instead, %s", l.Why, l.Instead), true
			}
			cells = append(cells, cell)
		}
		if differs {
			row(cells...)
		}
	}
	pairs := Pairs()
	titles = []string{"Conversation", "Rows"}
	for _, p := range pairs {
		titles = append(titles, p.Title())
	}
	var list []Conversation
	for _, c := range Conversations() {
		if slices.ContainsFunc(pairs, func(p Pair) bool { return p.Held(c) }) {
			list = append(list, c)
		}
	}
	fmt.Fprintf(&b, "\n<details><summary>All %d conversations of the list</summary>\n\n", len(list))
	head(titles...)
	for _, c := range list {
		cells := []string{c.Name, strings.Join(c.Rows, " ")}
		for _, p := range pairs {
			cell := "–"
			if p.Held(c) {
				cell = "passes"
			}
			cells = append(cells, cell)
		}
		row(cells...)
	}
	b.WriteString("\n</details>\n")
	return b.String()
}

// features in the order of the table.
var features = []Feature{Threads, Views, Aside, Reactions, Heard, Slash, Shortcuts, Attached, Finder, Closings, Typeahead, Admins, Lookup}
