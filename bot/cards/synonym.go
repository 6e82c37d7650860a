package cards

import (
	"fmt"
	"strconv"

	"github.com/deskhand/deskhand/bot/chat"
	"github.com/deskhand/deskhand/core/knowledge"
)

// SynonymForm asks which word of the articles people mean by theirs.
func SynonymForm(gap int64, version int, name string) chat.Form {
	return chat.Form{Action: GapSynonym, Args: args("g", gap, version), Title: "Add synonym", Submit: "Try it", Close: "Cancel",
		Intro: []chat.Block{chat.Section{Text: chat.T("Teach me that a word of theirs means the same as one that articles have. I try it on last month's questions first.")}},
		Fields: []chat.Field{
			{Name: "said", Label: "What people say", Input: chat.Line, Value: one(short(name, 60)), Max: 60, Hint: "A word or a short phrase: beamer."},
			{Name: "meant", Label: "What articles say", Input: chat.Line, Max: 60, Hint: "projector"},
		}}
}

// SynonymView is two words that somebody wants to mean the same.
type SynonymView struct {
	ID          int64
	Said, Meant string
	By          string
	Trial       knowledge.Trial
	Tried       bool
	Outcome     string // open, added, dropped
	EndedBy     string
}

// Synonym shows what two words that mean the same would do.
func Synonym(v SynonymView) chat.Card {
	text := fmt.Sprintf("“%s” means “%s”", v.Said, v.Meant)
	c := chat.Card{Text: text + ", says " + v.By + "."}
	c.Blocks = append(c.Blocks, chat.Section{Text: chat.Join(chat.B(text), chat.T(", says "+v.By+"."))})
	switch v.Outcome {
	case "added":
		c.Text += " Added by " + v.EndedBy + "."
		c.Blocks = append(c.Blocks, chat.Note{Text: chat.T("🟢 Added by " + v.EndedBy + ". It is in force within seconds.")})
		return c
	case "dropped":
		c.Text += " Dropped by " + v.EndedBy + "."
		c.Blocks = append(c.Blocks, chat.Note{Text: chat.T("⚪ Dropped by " + v.EndedBy + ".")})
		return c
	}
	tried := "I am trying it on last month's questions."
	if v.Tried {
		tried = trialWords(v.Trial)
	}
	c.Text += " " + sentenceCase(tried) + "."
	c.Blocks = append(c.Blocks, chat.Note{Text: chat.T(sentenceCase(tried))})
	b := func(label, action string) chat.Button {
		return chat.Button{Label: label, Action: action, Args: chat.Args{"p": strconv.FormatInt(v.ID, 10)}, Name: label + ": " + text}
	}
	add := b("Add it", SynonymAdd)
	add.Style = chat.Primary
	a := chat.Actions{Buttons: []chat.Button{add, b("Drop it", SynonymDrop)}}
	if n := len(v.Trial.Worse); n > 0 {
		anyway := b("Add all the same", SynonymAdd)
		anyway.Args = with(anyway.Args, "anyway", "1")
		anyway.Confirm = &chat.Confirm{Title: "Add it all the same?", Text: counted(n, "question") + " that articles have solved would be answered worse.", Yes: "Yes, add it", No: "Not yet"}
		a.Menu = append(a.Menu, anyway)
	}
	c.Blocks = append(c.Blocks, a)
	return c
}
