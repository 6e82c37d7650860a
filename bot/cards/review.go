package cards

import (
	"fmt"
	"strconv"
	"time"

	"github.com/deskhand/deskhand/bot/chat"
	"github.com/deskhand/deskhand/core/knowledge"
)

// FlagForm asks what is wrong with an article that answered a question.
func FlagForm(question int64, version int, a knowledge.Article) chat.Form {
	return chat.Form{Action: Flagging, Args: with(args("q", question, version), "a", strconv.FormatInt(int64(a.ID), 10)), Title: "Wrong or old?", Submit: "Send", Close: "Cancel",
		Intro: []chat.Block{chat.Section{Text: chat.Join(chat.B(a.ID.Ref()), chat.T(" "+short(a.Title, 150)))}},
		Fields: []chat.Field{{Name: "reason", Label: "What is wrong with it?", Input: chat.Paragraph, Optional: true, Max: 1000,
			Hint: "Whoever answers for it reads this, your question and what was said about it here."}}}
}

// Flagged says that a flag is on its way.
func Flagged(a knowledge.Article) chat.Form {
	return chat.Form{Action: Flagging, Title: "Thank you", Close: "Close",
		Intro: []chat.Block{chat.Section{Text: chat.T("Whoever answers for " + a.ID.Ref() + " looks at it, and I tell you what came of it.")}}}
}

// Said is a line of a thread.
type Said struct{ Who, Text string }

// FlagView is that somebody finds an article wrong or old.
type FlagView struct {
	ID          int64
	Article     knowledge.Article
	By, Reason  string
	At          time.Time
	Said        []Said
	Ticket      string // its reference, if the question became one
	Over, Fixed bool
	EndedBy     string
}

// Flag tells an article's owner.
func Flag(v FlagView) chat.Card {
	a := v.Article
	c := chat.Card{Text: fmt.Sprintf("%s finds %s %s wrong or old.", v.By, a.ID.Ref(), a.Title)}
	c.Blocks = append(c.Blocks, chat.Section{Text: chat.Join(chat.T(v.By+" finds "), chat.B(a.ID.Ref()+"  "+a.Title), chat.T(" wrong or old."))})
	if v.Reason != "" {
		c.Text += " “" + short(v.Reason, 200) + "”"
		c.Blocks = append(c.Blocks, chat.Quote{Text: chat.T(short(v.Reason, 1000))})
	}
	if v.Over {
		text := v.EndedBy + ": it is right as it stands."
		if v.Fixed {
			text = v.EndedBy + " has set it right."
		}
		c.Text += " " + text
		c.Blocks = append(c.Blocks, chat.Note{Text: chat.T(text)})
		return c
	}
	c.Blocks = append(c.Blocks, chat.Note{Text: chat.T("It answered this:")})
	for _, s := range v.Said {
		c.Blocks = append(c.Blocks, chat.Quote{Text: chat.Join(chat.B(s.Who+": "), chat.T(short(s.Text, 400)))})
	}
	if v.Ticket != "" {
		c.Blocks = append(c.Blocks, chat.Note{Text: chat.T("It became " + v.Ticket + ".")})
	}
	end := func(label, fixed string) chat.Button {
		return chat.Button{Label: label, Action: FlagEnd, Args: chat.Args{"f": strconv.FormatInt(v.ID, 10), "fixed": fixed}, Name: label + ": " + a.ID.Ref()}
	}
	c.Blocks = append(c.Blocks, chat.Actions{
		Buttons: []chat.Button{
			{Label: "Edit…", Action: ArticleEdit, Args: ArticleArgs(a), Form: true, Style: chat.Primary, Name: "Edit " + a.ID.Ref()},
			end("It is right", ""),
		},
		Menu: []chat.Button{end("I have set it right elsewhere", "1"), moveTo(a, "Retire", knowledge.Retired)}})
	return c
}

// ReviewView is an article whose day to be looked at comes.
type ReviewView struct {
	Article knowledge.Article
	At      time.Time
	Used    int
	Right   time.Time // it was said to be right until then; zero: not since it was asked
	RightBy string
	Changed bool // since it was asked
}

// Review asks an article's owner whether it is still right.
func Review(v ReviewView) chat.Card {
	a := v.Article
	name := a.ID.Ref() + "  " + a.Title
	switch {
	case !v.Right.IsZero():
		return done(name, chat.Join(chat.T("🟢 Still right, said "+v.RightBy+". I ask again before "), when(v.Right), chat.T(".")))
	case a.State == knowledge.Retired:
		return done(name, chat.T("⚪ Retired."))
	case v.Changed:
		return done(name, chat.T("🟢 It was changed meanwhile."))
	}
	text := fmt.Sprintf("%s is %s old, used %s. Is it still right?", a.ID.Ref(), age(v.At.Sub(a.UpdatedAt)), counted(v.Used, "time"))
	c := chat.Card{Text: text, Blocks: []chat.Block{chat.Section{Text: chat.Join(chat.B(name), chat.T("\n"+text))}}}
	if a.State == knowledge.Stale {
		c.Blocks = append(c.Blocks, chat.Note{Text: chat.T("🟠 I don't suggest it any more until somebody has said so.")})
	}
	right := chat.Button{Label: "Still right", Action: StillRight, Args: ArticleArgs(a), Style: chat.Primary, Name: "Still right: " + a.ID.Ref()}
	edit := chat.Button{Label: "Edit…", Action: ArticleEdit, Args: ArticleArgs(a), Form: true, Name: "Edit " + a.ID.Ref()}
	c.Blocks = append(c.Blocks, chat.Actions{Buttons: []chat.Button{right, edit}, Menu: []chat.Button{
		moveTo(a, "Retire", knowledge.Retired),
		{Label: "Show it", Action: ArticleShow, Args: ArticleArgs(a), Name: "Show " + a.ID.Ref()},
	}})
	return c
}

// done is a card about which nothing is left to do.
func done(name string, what chat.Rich) chat.Card {
	return chat.Card{Text: name + ": " + what.Plain(), Blocks: []chat.Block{chat.Section{Text: chat.Join(chat.B(name), chat.T("\n"), what)}}}
}

// age is how old something is: days, then months.
func age(d time.Duration) string {
	days := int(d.Hours() / 24)
	if days < 60 {
		return counted(days, "day")
	}
	return counted(days*12/365, "month")
}
