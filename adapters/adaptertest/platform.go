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
	Lookup    Feature = "A message whose confirmation was lost is looked for before it is sent again"
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
	Slash: {"bots have none",
		"the same words behind the desk's name, or in its personal chat"},
	Shortcuts: {"there is none",
		"the personal chat is always in the bar"},
	Closings: {"a bot is not told that a dialog was closed",
		"the words of the question are in the form each time"},
}}

// Platforms are those that the list is held on.
var Platforms = []Platform{Slack}

// Table is the parity table in Markdown: what differs and why, then every
// conversation of the list.
func Table(platforms ...Platform) string {
	var b strings.Builder
	head := func(first string) {
		b.WriteString("| " + first)
		for _, p := range platforms {
			b.WriteString(" | " + p.Title)
		}
		b.WriteString(" |\n|" + strings.Repeat("---|", strings.Count(first, "|")+1+len(platforms)) + "\n")
	}
	head("What differs")
	for _, f := range features {
		cells := make([]string, len(platforms))
		for i, p := range platforms {
			cells[i] = "yes"
			if l := p.Lacks[f]; l.Why != "" {
				cells[i] = fmt.Sprintf("no: %s. Instead, %s", l.Why, l.Instead)
			}
		}
		if slices.ContainsFunc(cells, func(c string) bool { return c != "yes" }) {
			fmt.Fprintf(&b, "| %s | %s |\n", f, strings.Join(cells, " | "))
		}
	}
	list := Conversations()
	fmt.Fprintf(&b, "\n<details><summary>All %d conversations of the list</summary>\n\n", len(list))
	head("Conversation | Rows")
	for _, c := range list {
		fmt.Fprintf(&b, "| %s | %s", c.Name, strings.Join(c.Rows, " "))
		for _, p := range platforms {
			cell := "passes"
			if !On(p).Held(c) {
				cell = "–"
			}
			b.WriteString(" | " + cell)
		}
		b.WriteString(" |\n")
	}
	b.WriteString("\n</details>\n")
	return b.String()
}

// features in the order of the table.
var features = []Feature{Threads, Views, Aside, Reactions, Heard, Slash, Shortcuts, Finder, Closings, Typeahead, Lookup}
