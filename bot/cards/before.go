package cards

import (
	"fmt"
	"strconv"

	"github.com/deskhand/deskhand/bot/chat"
	"github.com/deskhand/deskhand/core/knowledge"
	"github.com/deskhand/deskhand/core/ticket"
)

// BeforeForm is what helped when something like a ticket was reported before:
// solved tickets with how, and articles to answer with. used are those that it
// was answered with already.
func BeforeForm(t ticket.Ticket, like []ticket.Ticket, articles []knowledge.Article, used knowledge.ArticleID) chat.Form {
	f := chat.Form{Action: Before, Title: "What helped before", Close: "Close"}
	if len(like)+len(articles) == 0 {
		f.Intro = []chat.Block{chat.Section{Text: chat.T("Nothing like it was solved before, and no article speaks of it.")}}
		return f
	}
	if len(like) > 0 {
		f.Intro = append(f.Intro, chat.Heading{Text: "Solved tickets like it"})
	}
	for _, l := range like {
		f.Intro = append(f.Intro, chat.Section{Text: chat.Join(chat.B(l.Ref()+"  "+l.Title), chat.T("\n"+short(l.Resolution, 300)))})
	}
	if len(articles) > 0 {
		f.Intro = append(f.Intro, chat.Heading{Text: "Articles"})
	}
	for _, a := range articles {
		f.Intro = append(f.Intro, chat.Section{Text: chat.Join(chat.B(a.Title), chat.T("\n"+short(a.Symptom, 150)))})
		if a.ID == used {
			f.Intro = append(f.Intro, chat.Note{Text: chat.T(a.ID.Ref() + " is in the thread now.")})
			continue
		}
		f.Intro = append(f.Intro, chat.Actions{Buttons: []chat.Button{{Label: "Use " + a.ID.Ref(), Action: Use, Form: true,
			Args: with(TicketArgs(t), "a", strconv.FormatInt(int64(a.ID), 10))}}})
	}
	return f
}

// UsedArticle is an article with which somebody answers a ticket.
func UsedArticle(who string, a knowledge.Article) chat.Card {
	return chat.Card{Text: fmt.Sprintf("%s: %s %s", who, a.ID.Ref(), a.Title),
		Blocks: append([]chat.Block{chat.Section{Text: chat.Join(chat.B(who), chat.T(" sends you this:"))}}, article(a)...)}
}
