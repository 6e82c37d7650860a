package cards

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/deskhand/deskhand/bot/chat"
	"github.com/deskhand/deskhand/core/knowledge"
)

// ArticleDraft is an article that is being written.
type ArticleDraft struct {
	Article     knowledge.Article // ID 0: a new one
	Ticket, Gap int64             // what it is made of
	Audiences   []chat.Option
	Kept        string // names of what was marked as personal
	Again       bool   // it was sent, and something in it looks personal
	Worse, Of   int    // it was sent, and would answer so many worse of those that were solved
}

// ArticleArgs name an article as it was drawn.
func ArticleArgs(a knowledge.Article) chat.Args {
	return chat.Args{"a": strconv.FormatInt(int64(a.ID), 10), "v": strconv.FormatInt(a.Seq, 10)}
}

// ArticleForm asks for an article.
func ArticleForm(d ArticleDraft) chat.Form {
	a := chat.Args{"kept": d.Kept}
	title := "Write an article"
	if d.Article.ID != 0 {
		title = "Edit " + d.Article.ID.Ref()
		a = with(ArticleArgs(d.Article), "kept", d.Kept)
	}
	for key, id := range map[string]int64{"t": d.Ticket, "g": d.Gap} {
		if id != 0 {
			a[key] = strconv.FormatInt(id, 10)
		}
	}
	f := chat.Form{Action: ArticleEdit, Args: a, Title: title, Submit: "Save", Close: "Cancel"}
	if knowledge.Marked(d.Article.Title, d.Article.Symptom, d.Article.Answer, d.Article.Environment) {
		text := "What looks personal is marked ⟦so⟧. Take it out, or take only the marks off if it may stay. With marks it can't be published."
		if d.Again {
			text = "Not saved yet. " + text
		}
		f.Intro = []chat.Block{chat.Section{Text: chat.T(text)}}
	}
	if d.Worse > 0 {
		f.Args = with(a, "anyway", "1")
		f.Intro = append(f.Intro, chat.Section{Text: chat.T(fmt.Sprintf("Not saved yet. With this text %d of the last %d questions that were solved would be answered worse. Change it, or send it once more to save it all the same.",
			d.Worse, d.Of))})
	}
	audience := knowledge.Everyone
	if len(d.Article.Audience) > 0 {
		audience = d.Article.Audience[0]
	}
	f.Fields = []chat.Field{
		{Name: "title", Label: "Title", Input: chat.Line, Value: one(d.Article.Title), Max: 150, Hint: "What one wants to get done, in a few words."},
		{Name: "symptom", Label: "What people say", Input: chat.Paragraph, Value: one(d.Article.Symptom), Max: 1000, Hint: "In their words, not in IT's: this is how they find it."},
		{Name: "answer", Label: "What helps", Input: chat.Paragraph, Value: one(d.Article.Answer), Max: 3000, Hint: "A line for each step, with 1. 2. 3. in front."},
		{Name: "environment", Label: "Where it applies", Input: chat.Line, Value: one(d.Article.Environment), Max: 150, Optional: true},
		{Name: "audience", Label: "Who may read it?", Input: chat.Select, Options: d.Audiences, Value: one(audience)},
	}
	return f
}

// Badge is an article's state in a word or two, with a sign that is never alone
// in saying it.
func Badge(s knowledge.State) string {
	switch s {
	case knowledge.Draft:
		return "🟡 Draft"
	case knowledge.Reviewed:
		return "🔵 Reviewed"
	case knowledge.Published:
		return "🟢 Published"
	case knowledge.Stale:
		return "🟠 Out of date"
	}
	return "⚪ Retired"
}

// ArticleView is an article as those see it who look after it.
type ArticleView struct {
	Article knowledge.Article
	Author  string
	For     []string        // names of the teams and departments that may read it; empty: everyone
	Trial   knowledge.Trial // on last month's questions
	Tried   bool            // there was one
}

// trial says what the trial of a draft has shown.
func (v ArticleView) trial() string {
	switch {
	case v.Article.State != knowledge.Draft && v.Article.State != knowledge.Reviewed:
		return ""
	case !v.Tried:
		return "I am trying it on last month's questions."
	}
	return trialWords(v.Trial)
}

// trialWords says what a trial has shown.
func trialWords(t knowledge.Trial) string {
	text := fmt.Sprintf("would have answered %d of last month's %s", t.Would, counted(t.Unanswered, "unanswered question"))
	if t.Unanswered == 0 {
		text = "last month no question was left unanswered"
	}
	switch {
	case len(t.Worse) > 0:
		text += fmt.Sprintf("; ⚠ would answer %d of %d worse that other articles have solved", len(t.Worse), t.Answered)
	case t.Answered > 0:
		text += fmt.Sprintf("; makes none of %d worse that other articles have solved", t.Answered)
	}
	return text
}

// WorkedOn is an article for those who look after it.
func WorkedOn(v ArticleView) chat.Card {
	a := v.Article
	c := chat.Card{Text: fmt.Sprintf("%s %s: %s.", a.ID.Ref(), a.Title, strings.ToLower(a.State.Word()))}
	facts := chat.Facts{{Label: "State", Value: chat.T(Badge(a.State))}, {Label: "For", Value: chat.T(v.readers())}}
	if a.Owner != "" {
		facts = append(facts, chat.Fact{Label: "Owner", Value: chat.T(a.Owner)})
	}
	if v.Author != "" {
		facts = append(facts, chat.Fact{Label: "Written by", Value: chat.T(v.Author)})
	}
	if trial := v.trial(); trial != "" {
		facts = append(facts, chat.Fact{Label: "Tried", Value: chat.T(trial)})
	}
	c.Blocks = append(c.Blocks, chat.Section{Text: chat.B(a.ID.Ref() + "  " + a.Title)}, facts)
	if a.State == knowledge.Retired {
		c.Blocks = append(c.Blocks, chat.Actions{Menu: []chat.Button{moveTo(a, "Take up again", knowledge.Draft)}})
		return c
	}
	if a.Symptom != "" {
		c.Blocks = append(c.Blocks, chat.Quote{Text: chat.T(short(a.Symptom, 400))})
	}
	c.Blocks = append(c.Blocks, firstBlocks(prose(a.Answer), 12)...)
	edit := chat.Button{Label: "Edit…", Action: ArticleEdit, Args: ArticleArgs(a), Form: true, Name: "Edit " + a.ID.Ref()}
	publish, retire := moveTo(a, "Publish", knowledge.Published), moveTo(a, "Retire", knowledge.Retired)
	publish.Style = chat.Primary
	var anyway []chat.Button
	if n := len(v.Trial.Worse); n > 0 {
		b := moveTo(a, "Publish all the same", knowledge.Published)
		b.Args = with(b.Args, "anyway", "1")
		b.Confirm = &chat.Confirm{Title: "Publish all the same?", Text: counted(n, "question") + " that other articles have solved would be answered worse.", Yes: "Yes, publish", No: "Not yet"}
		anyway = []chat.Button{b}
	}
	switch a.State {
	case knowledge.Draft:
		c.Blocks = append(c.Blocks, chat.Actions{Buttons: []chat.Button{publish, edit}, Menu: append([]chat.Button{moveTo(a, "Mark as reviewed", knowledge.Reviewed), retire}, anyway...)})
	case knowledge.Reviewed:
		c.Blocks = append(c.Blocks, chat.Actions{Buttons: []chat.Button{publish, edit}, Menu: append([]chat.Button{moveTo(a, "Back to draft", knowledge.Draft), retire}, anyway...)})
	default:
		c.Blocks = append(c.Blocks, chat.Actions{Buttons: []chat.Button{edit, retire}})
	}
	return c
}

func moveTo(a knowledge.Article, label string, to knowledge.State) chat.Button {
	return chat.Button{Label: label, Action: ArticleMove, Args: with(ArticleArgs(a), "to", string(to)), Name: label + " " + a.ID.Ref()}
}

// firstBlocks are the first n of some blocks, and a word that there are more.
func firstBlocks(all []chat.Block, n int) []chat.Block {
	if len(all) <= n {
		return all
	}
	return append(slices.Clone(all[:n]), chat.Note{Text: chat.T("…")})
}

func (v ArticleView) readers() string {
	if len(v.For) == 0 {
		return "everyone"
	}
	return "only " + strings.Join(v.For, ", ")
}

// Drafts lists what is being written.
func Drafts(all []knowledge.Article) chat.Card {
	if len(all) == 0 {
		return Say("No article is being written.")
	}
	c := chat.Card{Text: "Being written:"}
	for _, a := range all {
		c.Text += " " + a.ID.Ref() + " " + a.Title + ";"
		c.Blocks = append(c.Blocks, chat.Row{Text: chat.Join(chat.T(Badge(a.State)+"  "), chat.B(a.ID.Ref()), chat.T(" "+short(a.Title, 80))),
			Button: chat.Button{Label: "Show", Action: ArticleShow, Args: ArticleArgs(a), Name: "Show " + a.ID.Ref()}})
	}
	c.Text = strings.TrimSuffix(c.Text, ";") + "."
	return c
}

// BeginArticle answers whoever wants to write one where no form can be opened.
func BeginArticle() chat.Card {
	return chat.Card{Text: "Write an article: press the button.", Blocks: []chat.Block{
		chat.Actions{Buttons: []chat.Button{{Label: "Write an article", Action: ArticleNew, Form: true, Style: chat.Primary}}}}}
}

// sentenceCase is s with a capital at its start.
func sentenceCase(s string) string {
	r, size := utf8.DecodeRuneInString(s)
	if size == 0 {
		return s
	}
	return string(unicode.ToUpper(r)) + s[size:]
}
