package cards

import (
	"fmt"
	"strings"
	"time"

	"github.com/deskhand/deskhand/bot/chat"
	"github.com/deskhand/deskhand/core/knowledge"
)

// Answers are what became of the questions of a time.
type Answers struct {
	Asked                                int
	Confirmed, Old, Held, Missed, Silent int
	Open, Tickets, Nothing, Outage       int
	Requested                            int
}

// LinkRate is how many of a team's tickets were resolved with an article.
type LinkRate struct {
	Team             string
	Resolved, Linked int
}

// GuessRate is how often what was guessed with a certainty was right.
type GuessRate struct {
	Certainty   knowledge.Certainty
	Asked, Kept int // how often it stood in a form, and was left so
	Sent, Right int // tickets that went to another team than the policy's, and belonged there
	Unasked     int // how often nobody was asked
	Corrected   int // and an agent has said that it is about something else
}

func (r GuessRate) lines() (all []string) {
	how := map[knowledge.Certainty]string{knowledge.Probably: "as probable", knowledge.Maybe: "as “maybe”", knowledge.Unsure: "by a word of the policy's"}[r.Certainty]
	if r.Asked > 0 {
		all = append(all, fmt.Sprintf("What a ticket is about, filled in %s: left so %s.", how, share(r.Kept, r.Asked)))
	}
	if r.Unasked > 0 {
		all = append(all, fmt.Sprintf("Tickets taken to be about something %s, without asking: %d; corrected %s.", how, r.Unasked, share(r.Corrected, r.Unasked)))
	}
	if r.Sent > 0 {
		all = append(all, fmt.Sprintf("Tickets sent to another team than usual, because those like it belonged there: right %s.", share(r.Right, r.Sent)))
	}
	return all
}

// FiguresView is what answers did, beside the time before.
type FiguresView struct {
	From, To             time.Time
	Now, Before          Answers
	Links                []LinkRate
	Guesses              []GuessRate
	Coverage, CoverageOf int // percent, of so many questions; 0 of 0: not looked at yet
	Advised              int
}

// share is "61 of 212 (29 %)".
func share(n, of int) string {
	if of == 0 {
		return fmt.Sprintf("%d of 0", n)
	}
	return fmt.Sprintf("%d of %d (%d %%)", n, of, (100*n+of/2)/of)
}

// Figures tells what answers did. Each number stands with what it is a part of,
// and with the same of the 30 days before.
func Figures(v FiguresView) chat.Card {
	n, b := v.Now, v.Before
	lines := []string{
		fmt.Sprintf("Asked: %d; in the 30 days before %d.", n.Asked, b.Asked),
		fmt.Sprintf("“Solved it” was pressed: %s; before %s.", share(n.Confirmed, n.Asked), share(b.Confirmed, b.Asked)),
		fmt.Sprintf("Held for 7 days: %s of those long enough ago; before %s.", share(n.Held, n.Old), share(b.Held, b.Old)),
		fmt.Sprintf("Came back within 7 days: %s; before %s. They don't count as solved.", share(n.Missed, n.Confirmed), share(b.Missed, b.Confirmed)),
		fmt.Sprintf("No word from whoever asked: %s; before %s. That is no success.", share(n.Silent+n.Open, n.Asked), share(b.Silent+b.Open, b.Asked)),
		fmt.Sprintf("Became a ticket: %s; before %s.", share(n.Tickets, n.Asked), share(b.Tickets, b.Asked)),
		fmt.Sprintf("Found nothing: %s; before %s. Write “gaps” to see what.", share(n.Nothing, n.Asked), share(b.Nothing, b.Asked)),
	}
	if n.Outage > 0 || b.Outage > 0 {
		lines = append(lines, fmt.Sprintf("A known outage was the answer: %s; before %s.", share(n.Outage, n.Asked), share(b.Outage, b.Asked)))
	}
	if n.Requested > 0 || b.Requested > 0 {
		lines = append(lines, fmt.Sprintf("Something was requested, as the answer offered: %s; before %s. That is no ticket too many, and nothing solved.", share(n.Requested, n.Asked), share(b.Requested, b.Asked)))
	}
	for _, l := range v.Links {
		lines = append(lines, fmt.Sprintf("%s resolved with an article: %s.", l.Team, share(l.Linked, l.Resolved)))
	}
	for _, g := range v.Guesses {
		lines = append(lines, g.lines()...)
	}
	if v.CoverageOf > 0 {
		lines = append(lines, CoverageWords(v.Coverage, v.CoverageOf, v.Advised))
	}
	c := chat.Card{Text: "What answers did in the last 30 days. " + strings.Join(lines, " ")}
	items := make([]chat.Rich, len(lines))
	for i, l := range lines {
		items[i] = chat.T(l)
	}
	c.Blocks = []chat.Block{chat.Section{Text: chat.Join(chat.B("What answers did"), chat.T(" from "), when(v.From), chat.T(" to "), when(v.To))}, chat.List{Items: items}}
	return c
}

// CoverageWords says how much articles would cover.
func CoverageWords(percent, of, advised int) string {
	text := fmt.Sprintf("Articles cover %d %% of the last %s on record.", percent, counted(of, "question"))
	if percent < advised {
		text += fmt.Sprintf(" %d %% is advised before people are told of me.", advised)
	}
	return text
}

// EffectView is what somebody's articles did in a month.
type EffectView struct {
	Month    time.Time
	Articles []Effect
	More     int
}

// Effect is what an article did.
type Effect struct {
	Article    knowledge.ArticleID
	Title      string
	Helped, No int
	Reasons    []string
}

// Effects tells the owner of articles what they did.
func Effects(v EffectView) chat.Card {
	c := chat.Card{Text: "Your articles in " + v.Month.Format("January") + ":"}
	c.Blocks = append(c.Blocks, chat.Section{Text: chat.B("Your articles in " + v.Month.Format("January"))})
	for _, e := range v.Articles {
		text := fmt.Sprintf(" helped %s, %d said no", persons(e.Helped), e.No)
		c.Text += " " + e.Article.Ref() + text + "."
		if len(e.Reasons) > 0 {
			text += ":"
		}
		c.Blocks = append(c.Blocks, chat.Row{Text: chat.Join(chat.B(e.Article.Ref()), chat.T(" "+short(e.Title, 80)+text)),
			Button: chat.Button{Label: "Show", Action: ArticleShow, Args: ArticleArgs(knowledge.Article{ID: e.Article}), Name: "Show " + e.Article.Ref()}})
		for _, r := range e.Reasons {
			c.Blocks = append(c.Blocks, chat.Quote{Text: chat.T(short(r, 200))})
		}
	}
	if v.More > 0 {
		c.Blocks = append(c.Blocks, chat.Note{Text: chat.T(fmt.Sprintf("and %d more", v.More))})
	}
	return c
}

func persons(n int) string {
	if n == 1 {
		return "1 person"
	}
	return fmt.Sprintf("%d people", n)
}
