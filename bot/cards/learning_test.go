package cards_test

import (
	"strings"

	"github.com/deskhand/deskhand/bot/cards"
	"github.com/deskhand/deskhand/bot/chat"
	"github.com/deskhand/deskhand/core/knowledge"
)

// everyLearning is every card of what looks after articles, in every state.
func everyLearning(text string) map[string]drawn {
	all := map[string]drawn{}
	article := knowledge.Article{ID: 99_999, Seq: 1 << 40, Title: text, Symptom: strings.Repeat(text+"\n", 5), Answer: strings.Repeat("1. Open **settings**\n\nand\n\n", 20),
		Environment: text, Audience: []string{knowledge.Everyone}, Owner: "somebody.with.a.long.name@acme.example", UpdatedAt: noon}
	worse := knowledge.Trial{Unanswered: 31, Would: 14, Answered: 250, Worse: []knowledge.PastID{2, 4}}
	for _, state := range knowledge.States {
		a := article
		a.State = state
		says := []string{"KB-99999", text, state.Word()}
		all["article, "+string(state)] = drawn{cards.WorkedOn(cards.ArticleView{Article: a, Author: text}), says}
		all["article, tried, "+string(state)] = drawn{cards.WorkedOn(cards.ArticleView{Article: a, Author: text, Tried: true, Trial: worse}), says}
		all["review, "+string(state)] = drawn{cards.Review(cards.ReviewView{Article: a, At: noon.AddDate(1, 0, 0), Used: 40}), []string{"KB-99999"}}
		all["flag, "+string(state)] = drawn{cards.Flag(cards.FlagView{ID: 1 << 40, Article: a, By: text, Reason: strings.Repeat(text, 8), Ticket: "INC-1234567",
			Said: []cards.Said{{Who: text, Text: strings.Repeat(text, 20)}, {Who: text, Text: text}}}), []string{"KB-99999", "wrong or old"}}
	}
	all["review, still right"] = drawn{cards.Review(cards.ReviewView{Article: article, At: noon, Right: noon, RightBy: text}), []string{"still right"}}
	all["review, changed"] = drawn{cards.Review(cards.ReviewView{Article: article, At: noon, Changed: true}), []string{"changed"}}
	all["flag, set right"] = drawn{cards.Flag(cards.FlagView{Article: article, By: text, Over: true, Fixed: true, EndedBy: text}), []string{"has set it right"}}
	all["flag, right as it stands"] = drawn{cards.Flag(cards.FlagView{Article: article, By: text, Over: true, EndedBy: text}), []string{"right as it stands"}}
	all["drafts"] = drawn{cards.Drafts([]knowledge.Article{article, article}), []string{"KB-99999", text}}
	all["no drafts"] = drawn{cards.Drafts(nil), []string{"no article"}}
	all["begin an article"] = drawn{cards.BeginArticle(), []string{"article"}}
	gap := func(outcome string) cards.GapLine {
		return cards.GapLine{ID: 1 << 40, Version: 123_456, Name: text, Questions: 9, Outcome: outcome, Article: 99_999, Synonym: text + " means " + text, By: text}
	}
	all["gaps"] = drawn{cards.Gaps(cards.GapsView{Since: noon, At: noon, Asked: 212, Unanswered: 31, More: true,
		Gaps: []cards.GapLine{gap("open"), gap("article"), gap("synonym"), gap("not_it"), gap("open")}}), []string{"31 questions of 212 found nothing"}}
	for _, outcome := range []string{"open", "added", "dropped"} {
		v := cards.SynonymView{ID: 1 << 40, Said: text, Meant: text, By: text, Outcome: outcome, EndedBy: text}
		all["synonym, "+outcome] = drawn{cards.Synonym(v), []string{text, "means"}}
		v.Tried, v.Trial = true, worse
		all["synonym, tried, "+outcome] = drawn{cards.Synonym(v), []string{text, "means"}}
	}
	answers := cards.Answers{Asked: 212, Confirmed: 61, Old: 58, Held: 52, Missed: 6, Silent: 40, Open: 2, Tickets: 80, Nothing: 31, Outage: 3}
	all["figures"] = drawn{cards.Figures(cards.FiguresView{From: noon, To: noon, Now: answers, Links: []cards.LinkRate{{Team: text, Resolved: 40, Linked: 12}}, Coverage: 38, CoverageOf: 300, Advised: 60}),
		[]string{"61 of 212 (29 %)", "52 of 58 (90 %)", "12 of 40 (30 %)", "cover 38 %", "60 % is advised"}}
	all["figures of nothing"] = drawn{cards.Figures(cards.FiguresView{From: noon, To: noon}), []string{"asked: 0"}}
	all["effects"] = drawn{cards.Effects(cards.EffectView{Month: noon, More: 3, Articles: []cards.Effect{
		{Article: 99_999, Title: text, Helped: 61, No: 9, Reasons: []string{strings.Repeat(text, 5), text}}, {Article: 1, Title: text, Helped: 1}}}),
		[]string{"march", "KB-99999 helped 61 people, 9 said no"}}
	inc := tickets(text)["in progress"]
	inc.Resolution = strings.Repeat(text, 9)
	all["fixed, for whom it concerned"] = drawn{cards.OutageFixed(inc, text), []string{text, inc.Ref()}}
	for name, v := range map[string]cards.OutageView{"new": {}, "me too": {MeToo: true, TellMe: true}, "tell me": {TellMe: true}, "over": {Ended: noon}} {
		v.Ticket, v.What, v.Since = inc, text, noon
		q := questions(text)["unanswered, quoted"]
		q.Outage = &v
		all["outage, "+name] = drawn{cards.Question(q), []string{text, inc.Ref()}}
	}
	v := viewOf(inc, text)
	v.Outage, v.MeToo, v.Waiting = text, 412, 1
	all["triage of an outage"] = drawn{cards.Triage(v), []string{inc.Ref()}}
	return all
}

func everyLearningForm(text string) map[string]chat.Form {
	article := knowledge.Article{ID: 99_999, Seq: 1 << 40, Title: text, Symptom: strings.Repeat("s", 1000), Answer: strings.Repeat("a", 3000), Environment: text, Audience: []string{"hr"}}
	marked := article
	marked.ID, marked.Title = 0, knowledge.MarkOpen+"Ana"+knowledge.MarkClose
	audiences := []chat.Option{{Value: "hr", Label: "Only hr"}, {Value: knowledge.Everyone, Label: "Everyone"}}
	t := tickets(text)["new"]
	return map[string]chat.Form{
		"edit an article":  cards.ArticleForm(cards.ArticleDraft{Article: article, Audiences: audiences, Kept: strings.Repeat("1234567 ", 60)}),
		"write an article": cards.ArticleForm(cards.ArticleDraft{Article: marked, Audiences: audiences, Ticket: 1 << 40, Gap: 1 << 40, Again: true}),
		"spoil others":     cards.ArticleForm(cards.ArticleDraft{Article: article, Audiences: audiences, Worse: 2, Of: 40}),
		"gap":              cards.GapForm(text, []string{text, strings.Repeat(text, 9)}, 31),
		"synonym":          cards.SynonymForm(1<<40, 123_456, text),
		"flag":             cards.FlagForm(1<<40, 123_456, article),
		"flagged":          cards.Flagged(article),
		"outage":           cards.OutageForm(t, text),
		"affected":         cards.AboutForm(t, nil, false),
		"affected, outage": cards.AboutForm(t, nil, true),
	}
}
