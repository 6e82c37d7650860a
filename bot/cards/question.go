package cards

import (
	"strconv"
	"strings"

	"github.com/deskhand/deskhand/bot/chat"
	"github.com/deskhand/deskhand/core/knowledge"
	"github.com/deskhand/deskhand/core/ticket"
)

// QuestionView is a question as its card shows it.
type QuestionView struct {
	ID         int64
	Version    int
	Text       string
	Hits       []knowledge.Hit
	Confidence string // none, low, high
	Outcome    string // open, solved, ticket, person, silent
	Solved     knowledge.Hit
	Ticket     string          // its reference, once there is one
	Quoted     bool            // the question isn't in the thread itself: say it
	Later      bool            // search is catching up
	Mine       []ticket.Ticket // the asker's open ones: it may belong to one of them
}

// Question answers a question: at most three articles, or an honest no.
func Question(q QuestionView) chat.Card {
	a := args("q", q.ID, q.Version)
	var c chat.Card
	if q.Quoted {
		c.Blocks = append(c.Blocks, chat.Quote{Text: chat.T(q.Text)})
	}
	switch q.Outcome {
	case "solved":
		c.Text = "Glad it worked: " + q.Solved.Article.Ref() + " " + q.Solved.Title
		c.Blocks = append(c.Blocks,
			chat.Section{Text: chat.Join(chat.B("Glad it worked."), chat.T(" "+q.Solved.Article.Ref()+" "+q.Solved.Title))},
			chat.Actions{Menu: []chat.Button{{Label: "It came back", Action: NotAfter, Args: a}}})
		return c
	case "ticket", "person":
		c.Text = "This is " + q.Ticket + " now."
		if q.Outcome == "person" {
			c.Text = "A person will look at this: it is " + q.Ticket + "."
		}
		c.Blocks = append(c.Blocks, chat.Note{Text: chat.T(c.Text)})
		if len(q.Hits) > 0 {
			c.Blocks = append(c.Blocks, chat.Note{Text: chat.T("Suggested before: " + hitNames(q.Hits))})
		}
		return c
	}
	last := []chat.Button{
		{Label: "Open a ticket", Action: Open, Args: a, Form: true},
		{Label: "Talk to a person", Action: Talk, Args: a},
	}
	var mine []chat.Button
	for _, t := range q.Mine {
		mine = append(mine, chat.Button{Label: "It is about " + t.Ref() + ": " + short(t.Title, 40), Action: OpenAdd, Form: true,
			Args: with(a, "t", strconv.FormatInt(int64(t.ID), 10))})
	}
	if len(q.Hits) == 0 {
		c.Text = "I have nothing good on this. Shall I open a ticket? Your question is already in it."
		if q.Later {
			c.Text = "Search is catching up just now, so I can't look for an answer. A ticket works as always; your question is already in it."
		}
		last[0].Style = chat.Primary
		c.Blocks = append(c.Blocks, chat.Section{Text: chat.T(c.Text)}, chat.Actions{Buttons: last, Menu: mine})
		return c
	}
	lead := "This may help:"
	if q.Confidence == "high" {
		lead = "This should help:"
	}
	if q.Outcome == "silent" {
		lead = "I have not heard whether this helped. The buttons still work."
	}
	c.Text = lead + " " + hitNames(q.Hits)
	c.Blocks = append(c.Blocks, chat.Section{Text: chat.T(lead)})
	for _, h := range q.Hits {
		title := chat.B(h.Title)
		if h.KnownError {
			title = chat.Join(chat.T("Known problem: "), title)
		}
		here := with(a, "a", strconv.FormatInt(int64(h.Article), 10))
		c.Blocks = append(c.Blocks, chat.Section{Text: chat.Join(title, chat.T("\n"), extract(h.Extract))},
			chat.Actions{Buttons: []chat.Button{
				{Label: "Solved it", Action: Solved, Args: here, Name: "Solved it: " + h.Title},
				{Label: "Show steps", Action: Steps, Args: here, Form: true, Name: "Show steps: " + h.Title},
			}})
	}
	c.Blocks = append(c.Blocks, chat.Divider{}, chat.Actions{Buttons: last, Menu: mine})
	return c
}

func hitNames(hits []knowledge.Hit) string {
	names := make([]string, len(hits))
	for i, h := range hits {
		names[i] = h.Article.Ref() + " " + h.Title
	}
	return strings.Join(names, "; ")
}

func extract(spans []knowledge.Span) chat.Rich {
	var r chat.Rich
	for _, s := range spans {
		r = append(r, chat.Span{Text: s.Text, Bold: s.Bold})
	}
	return r
}

// Article is an article to be read in a form; sending the form says that it
// helped.
func Article(a knowledge.Article, question chat.Args) chat.Form {
	f := chat.Form{Action: Solved, Args: question, Title: "How to fix it", Submit: "Solved it", Close: "Close"}
	if question == nil {
		f.Submit = ""
	}
	f.Intro = append(f.Intro, chat.Heading{Text: a.Title})
	if a.KnownError {
		f.Intro = append(f.Intro, chat.Note{Text: chat.T("A known problem: this is the way around it until it is fixed.")})
	}
	if a.Environment != "" {
		f.Intro = append(f.Intro, chat.Note{Text: chat.T("For: " + a.Environment)})
	}
	f.Intro = append(f.Intro, prose(a.Answer)...)
	if a.Cause != "" {
		f.Intro = append(f.Intro, chat.Note{Text: chat.Join(chat.B("Why it happens: "), chat.T(a.Cause))})
	}
	f.Intro = append(f.Intro, chat.Note{Text: chat.T(a.ID.Ref())})
	return f
}
