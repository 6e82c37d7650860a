package cards

import (
	"fmt"
	"strings"
	"time"

	"github.com/deskhand/deskhand/bot/chat"
	"github.com/deskhand/deskhand/core/knowledge"
)

// GapsView is what found nothing in a time, the most asked first.
type GapsView struct {
	Since, At         time.Time
	Asked, Unanswered int
	Gaps              []GapLine
	More              bool
}

// GapLine is what several people asked, and what was done about it.
type GapLine struct {
	ID        int64
	Version   int
	Name      string
	Questions int
	Outcome   string // open, article, synonym, not_it
	Article   knowledge.ArticleID
	Synonym   string
	By        string
}

// done says what was done about it; "" if nothing was.
func (g GapLine) done() string {
	switch g.Outcome {
	case "article":
		return fmt.Sprintf("%s wrote %s for it.", g.By, g.Article.Ref())
	case "synonym":
		return fmt.Sprintf("%s taught me: %s.", g.By, g.Synonym)
	case "not_it":
		return fmt.Sprintf("Not IT, said %s. I leave it out from now on.", g.By)
	}
	return ""
}

// Gaps tells what found nothing, with what can be done about it.
func Gaps(v GapsView) chat.Card {
	c := chat.Card{Text: fmt.Sprintf("%s of %d found nothing since %s.", counted(v.Unanswered, "question"), v.Asked, v.Since.Format("2 January"))}
	if len(v.Gaps) > 0 {
		var names []string
		for _, g := range v.Gaps[:min(len(v.Gaps), 3)] {
			names = append(names, fmt.Sprintf("%s (%d)", short(g.Name, 70), g.Questions))
		}
		c.Text += " Most asked: " + strings.Join(names, ", ") + "."
	}
	c.Blocks = append(c.Blocks, chat.Section{Text: chat.Join(chat.B(counted(v.Unanswered, "question")), chat.T(fmt.Sprintf(" of %d found nothing from ", v.Asked)),
		when(v.Since), chat.T(" to "), when(v.At), chat.T("."))})
	for _, g := range v.Gaps {
		c.Blocks = append(c.Blocks, chat.Section{Text: chat.Join(chat.B(short(g.Name, 100)), chat.T(" · "+counted(g.Questions, "question")))})
		if done := g.done(); done != "" {
			c.Blocks = append(c.Blocks, chat.Note{Text: chat.T(done)})
			continue
		}
		a, of := args("g", g.ID, g.Version), ": "+short(g.Name, 60)
		c.Blocks = append(c.Blocks, chat.Actions{
			Buttons: []chat.Button{
				{Label: "Write article", Action: GapWrite, Args: a, Form: true, Name: "Write article" + of},
				{Label: "Add synonym", Action: GapSynonym, Args: a, Form: true, Name: "Add synonym" + of},
			},
			Menu: []chat.Button{
				{Label: "Show the questions", Action: GapShow, Args: a, Form: true},
				{Label: "Not IT", Action: GapNotIT, Args: a},
			}})
	}
	if v.More {
		c.Blocks = append(c.Blocks, chat.Note{Text: chat.T("The rest was asked less often.")})
	}
	return c
}

// GapForm shows questions that are about the same.
func GapForm(name string, texts []string, all int) chat.Form {
	f := chat.Form{Action: GapShow, Title: "What people asked", Close: "Close", Intro: []chat.Block{chat.Section{Text: chat.B(short(name, 100))}}}
	for _, text := range texts {
		f.Intro = append(f.Intro, chat.Quote{Text: chat.T(short(text, 300))})
	}
	note := "What looks personal is left out."
	if all > len(texts) {
		note = fmt.Sprintf("%d of %d, the newest. ", len(texts), all) + note
	}
	f.Intro = append(f.Intro, chat.Note{Text: chat.T(note)})
	return f
}

// counted is "1 question", "3 questions".
func counted(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}
