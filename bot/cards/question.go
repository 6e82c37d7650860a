package cards

import (
	"fmt"
	"slices"
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
	Outage     *OutageView     // that is among the hits; nil: none is
}

// Begin answers whoever asks for a ticket in so many words.
func Begin() chat.Card {
	return chat.Card{Text: "Open a ticket: press the button, or tell me in your own words what it is about.", Blocks: []chat.Block{
		chat.Section{Text: chat.T("Press the button, or tell me in your own words what it is about.")},
		chat.Actions{Buttons: []chat.Button{{Label: "Open a ticket", Action: Open, Form: true, Style: chat.Primary}}},
	}}
}

// Question answers a question: at most three articles, or an honest no.
func Question(q QuestionView) chat.Card {
	a := args("q", q.ID, q.Version)
	var c chat.Card
	if q.Quoted {
		c.Blocks = append(c.Blocks, chat.Quote{Text: chat.T(q.Text)})
	}
	if q.Outage == nil {
		q.Hits = slices.DeleteFunc(slices.Clone(q.Hits), func(h knowledge.Hit) bool { return h.Outage != 0 })
	}
	if q.Outage != nil && (q.Outcome == "open" || q.Outcome == "silent") && len(q.Hits) <= 1 || q.Outage != nil && q.Outcome == "ticket" && q.Ticket == q.Outage.Ticket.Ref() {
		return q.outage(c)
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
		if names := hitNames(q.Hits); names != "" {
			c.Blocks = append(c.Blocks, chat.Note{Text: chat.T("Suggested before: " + names)})
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
	if q.Outcome == "silent" {
		c.Text = "I have not heard whether this helped. The buttons still work."
		c.Blocks = append(c.Blocks, chat.Section{Text: chat.T(c.Text)})
	}
	led := false
	for i, h := range q.Hits {
		if h.Outage != 0 {
			c = q.outageAmong(c)
			continue
		}
		if h.Request != "" {
			c.Text = also(c.Text, "You can ask for it: "+h.Title+".")
			c.Blocks = append(c.Blocks, requestable(h, a)...)
			continue
		}
		if !led {
			led = true
			lead := q.lead(i)
			if lead != "" {
				c.Blocks = append(c.Blocks, chat.Section{Text: chat.T(lead)})
			}
			c.Text = also(also(c.Text, lead), articleNames(q.Hits))
		}
		title := chat.B(h.Title)
		if h.KnownError {
			title = chat.Join(chat.T("Known problem: "), title)
		}
		if h.Foreign {
			title = chat.Join(title, chat.T(" · in "+languageName(h.Language)))
		}
		if h.Solved >= worthSaying {
			title = chat.Join(title, chat.T(fmt.Sprintf(" · solved %d similar questions", h.Solved)))
		}
		here := with(a, "a", strconv.FormatInt(int64(h.Article), 10))
		c.Blocks = append(c.Blocks, chat.Section{Text: chat.Join(title, chat.T("\n"), extract(h.Extract))},
			chat.Actions{Buttons: []chat.Button{
				{Label: "Solved it", Action: Solved, Args: here, Name: "Solved it: " + h.Title},
				{Label: "Show steps", Action: Steps, Args: here, Form: true, Name: "Show steps: " + h.Title},
			}, Menu: []chat.Button{{Label: "Wrong or old?", Action: Flagging, Args: here, Form: true, Name: "Wrong or old? " + h.Title}}})
	}
	c.Blocks = append(c.Blocks, chat.Divider{}, chat.Actions{Buttons: last, Menu: mine})
	return c
}

// lead is what stands before the first article, which is one of the hits.
func (q QuestionView) lead(at int) string {
	switch {
	case q.Outcome == "silent":
		return "" // that is said already
	case q.Outage != nil && at > 0:
		return "If it is something else, this may help:"
	case at > 0:
		return "This may help too:"
	case q.Confidence == "high":
		return "This should help:"
	}
	return "This may help:"
}

// also is a text that goes on.
func also(text, more string) string {
	if text == "" || more == "" {
		return text + more
	}
	return text + " " + more
}

func articleNames(hits []knowledge.Hit) string {
	return hitNames(slices.DeleteFunc(slices.Clone(hits), func(h knowledge.Hit) bool { return h.Article == 0 }))
}

// hitNames are those of articles and of what can be requested.
func hitNames(hits []knowledge.Hit) string {
	var names []string
	for _, h := range hits {
		switch {
		case h.Article != 0:
			names = append(names, h.Article.Ref()+" "+h.Title)
		case h.Request != "":
			names = append(names, h.Title)
		}
	}
	return strings.Join(names, "; ")
}

// requestable is something that can be requested, in the answer to a question.
func requestable(h knowledge.Hit, question chat.Args) []chat.Block {
	text := chat.Join(chat.T("You can ask for it: "), chat.B(h.Title))
	if len(h.Extract) > 0 {
		text = chat.Join(text, chat.T("\n"), extract(h.Extract))
	}
	return []chat.Block{chat.Section{Text: text}, chat.Actions{Buttons: []chat.Button{
		{Label: "Request it", Action: RequestIt, Args: with(question, "r", h.Request), Form: true, Name: "Request it: " + h.Title}}}}
}

func extract(spans []knowledge.Span) chat.Rich {
	var r chat.Rich
	for _, s := range spans {
		r = append(r, chat.Span{Text: s.Text, Bold: s.Bold})
	}
	return r
}

// Article is an article to be read in a form; sending the form says that it
// Article is an article to be read, from the answer to a question if there is
// one.
func Article(a knowledge.Article, question chat.Args) chat.Form {
	f := chat.Form{Action: Solved, Args: question, Title: "How to fix it", Submit: "Solved it", Close: "Close", Intro: article(a)}
	if question == nil {
		f.Submit = ""
	}
	return f
}

func article(a knowledge.Article) []chat.Block {
	out := []chat.Block{chat.Heading{Text: a.Title}}
	if a.KnownError {
		out = append(out, chat.Note{Text: chat.T("A known problem: this is the way around it until it is fixed.")})
	}
	if a.Environment != "" {
		out = append(out, chat.Note{Text: chat.T("For: " + a.Environment)})
	}
	out = append(out, prose(a.Answer)...)
	if a.Cause != "" {
		out = append(out, chat.Note{Text: chat.Join(chat.B("Why it happens: "), chat.T(a.Cause))})
	}
	return append(out, chat.Note{Text: chat.T(a.ID.Ref())})
}

// FoundArticle is an article to be put into somebody's own message.
func FoundArticle(a knowledge.Article) chat.Find {
	return chat.Find{Title: a.Title, Text: a.ID.Ref() + " · " + short(a.Symptom, 120), Card: chat.Card{Text: a.ID.Ref() + " " + a.Title, Blocks: article(a)}}
}

// FoundTicket is how a ticket stands, to be put into somebody's own message.
func FoundTicket(v TicketView) chat.Find {
	text := fmt.Sprintf("%s %s: %s", v.Ref(), v.Title, strings.ToLower(v.StateWords()))
	return chat.Find{Title: v.Ref() + "  " + v.Title, Text: StateWord(v.Ticket) + " · " + v.ownerName(), Card: chat.Card{Text: text, Blocks: []chat.Block{
		chat.Section{Text: chat.B(v.Ref() + "  " + v.Title)},
		chat.Facts{{Label: "State", Value: chat.T(StateWord(v.Ticket))}, {Label: "With", Value: chat.T(v.ownerName())}},
	}}}
}

// languageName is a language in English, or its tag.
func languageName(tag string) string {
	names := map[string]string{"en": "English", "de": "German", "fr": "French", "es": "Spanish", "it": "Italian", "nl": "Dutch", "pt": "Portuguese", "pl": "Polish"}
	if name, ok := names[tag]; ok {
		return name
	}
	return tag
}

// worthSaying is from how many similar questions on it speaks for an article
// that it solved them.
const worthSaying = 3
