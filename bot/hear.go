package bot

import (
	"context"
	"errors"
	"strings"

	"github.com/deskhand/deskhand/bot/cards"
	"github.com/deskhand/deskhand/bot/chat"
	"github.com/deskhand/deskhand/core/ticket"
	"github.com/deskhand/deskhand/storage"
)

// hear decides what a message is: a question, a part of a ticket's
// conversation, small talk, or nothing to the desk.
func (t *turn) hear(ctx context.Context) error {
	if t.ev.Flat {
		return t.hearFlat(ctx)
	}
	th, err := t.thread(ctx)
	if errors.Is(err, storage.ErrNotFound) {
		th, err = t.newThread(ctx)
	}
	if err == nil {
		return t.hearIn(ctx, th)
	}
	if !errors.Is(err, storage.ErrNotFound) {
		return err
	}
	channel, known := t.rules.channel(t.ev.By.Platform, t.ev.By.Workspace, t.ev.Place.Channel)
	first := t.ev.Place.Thread == ""
	switch {
	case t.ev.Scope == chat.Direct, t.ev.Mentioned:
		return t.addressed(ctx)
	case known && channel.Purpose == "help" && first && !t.bypassed():
		return t.ask(ctx, t.ev.Text)
	}
	return nil // people talking among themselves
}

// hearFlat is hear where there are no threads: what can't belong to a ticket's
// talk is answered first.
func (t *turn) hearFlat(ctx context.Context) error {
	if t.ev.Scope != chat.Direct && !t.ev.Mentioned && t.ev.Place.Thread == "" {
		return nil // people talking among themselves
	}
	if t.ev.Place.Thread == "" {
		if t.asksForPage(t.ev.Text) {
			return t.myPage(ctx)
		}
		if done, err := t.orderedArticles(ctx, t.ev.Text); done || err != nil {
			return err
		}
		if done, err := t.orderedChanges(ctx, strings.TrimSpace(t.ev.Text)); done || err != nil {
			return err
		}
		if done, err := t.takeUp(ctx, t.ev.Text); done || err != nil {
			return err
		}
		if c, ok, err := t.shortAnswer(ctx, strings.TrimSpace(t.ev.Text)); ok || err != nil {
			if err != nil {
				return err
			}
			return t.privately(ctx, c)
		}
	}
	th, err := t.talked(ctx)
	switch {
	case err == nil:
		return t.hearIn(ctx, th)
	case !errors.Is(err, storage.ErrNotFound):
		return err
	case t.ev.Scope == chat.Direct, t.ev.Mentioned:
		return t.addressed(ctx)
	}
	return nil
}

// newThread is thread for one that the desk may have opened this moment: the
// message is shown already, its place is not on record yet. Then it fails, and
// the event is tried again in a second: whoever answers a card quickly must be
// heard.
func (t *turn) newThread(ctx context.Context) (storage.Thread, error) {
	if t.ev.Place.Thread == "" {
		return storage.Thread{}, storage.ErrNotFound // it begins one
	}
	awaits, err := t.tx.AwaitsRoot(ctx, t.ev.By.Platform, t.ev.By.Workspace, t.ev.Place.Channel, t.ev.By.ID)
	if err == nil && awaits {
		err = errors.New("it may be below a message of the desk's that is just being sent")
	}
	if err != nil {
		return storage.Thread{}, err
	}
	// What was awaited before may have been recorded between the two looks.
	return t.thread(ctx)
}

// bypassed tells whether a message in a help channel asks to be left alone.
func (t *turn) bypassed() bool {
	text := strings.TrimSpace(t.ev.Text)
	return strings.HasPrefix(text, ":"+t.rules.policy.Desk.Bypass+":") || text == ""
}

// addressed is a first message to the desk itself.
func (t *turn) addressed(ctx context.Context) error {
	text := strings.TrimSpace(t.ev.Text)
	if k := smallTalk(text); k != notSmall || (text == "" && len(t.ev.Files) == 0) {
		th, err := t.openThread(ctx, storage.RequesterSide)
		if err != nil {
			return err
		}
		if k == notSmall {
			k = hello
		}
		return t.say(ctx, th.ID, cards.Say(k.reply(t.who.FirstName())))
	}
	if done, err := t.ordered(ctx, text); done || err != nil {
		return err
	}
	if done, err := t.takeUp(ctx, text); done || err != nil {
		return err
	}
	if c, ok, err := t.shortAnswer(ctx, text); ok || err != nil {
		if err != nil {
			return err
		}
		th, err := t.openThread(ctx, storage.RequesterSide)
		if err != nil {
			return err
		}
		return t.say(ctx, th.ID, c)
	}
	if text == "" {
		text = "A file: " + t.ev.Files[0].Name
	}
	return t.ask(ctx, text)
}

// shortAnswer is for the few things that are not asked but commanded: the same
// words work in a message and behind the slash command.
func (t *turn) shortAnswer(ctx context.Context, text string) (chat.Card, bool, error) {
	lower := strings.ToLower(strings.Trim(text, " .!?"))
	switch lower {
	case "help":
		return helpCard(t.desk.pageLink != nil, t.who.Agent()), true, nil
	case "status", "desk status":
		if t.who.Agent() || t.who.Admin {
			c, err := t.deskStatus(ctx)
			return c, true, err
		}
		c, err := t.mineCard(ctx)
		return c, true, err
	case "my tickets", "tickets", "mine":
		c, err := t.mineCard(ctx)
		return c, true, err
	case "new", "ticket", "open a ticket", "new ticket":
		return cards.Begin(), true, t.endTalk(ctx)
	}
	if c, ok, err := t.absence(ctx, text); ok || err != nil {
		return c, ok, err
	}
	if kind, number, ok := ticket.ParseRef(shownRef(text)); ok {
		c, err := t.showTicket(ctx, kind, number)
		return c, true, err
	}
	return chat.Card{}, false, nil
}

// welcome is the first that somebody reads of the desk where she has installed
// it.
func welcome(name string) chat.Card {
	c := helpCard(false, false)
	hello := "Hello " + name + ", I am the IT service desk."
	c.Text = hello + " " + c.Text
	c.Blocks = append([]chat.Block{chat.Section{Text: chat.T(hello)}}, c.Blocks...)
	return c
}

func helpCard(page, agent bool) chat.Card {
	words := []chat.Rich{
		chat.Join(chat.B("my tickets"), chat.T(" shows how yours stand")),
		chat.Join(chat.B("INC-42"), chat.T(", any reference, shows one of them")),
		chat.Join(chat.B("new"), chat.T(" opens a ticket at once")),
	}
	if page {
		words = append(words, chat.Join(chat.B("my page"), chat.T(" is a page with all of yours")))
	}
	if agent {
		words = append(words, chat.Join(chat.B("away until Friday"), chat.T(" keeps new tickets from you and frees yours; "), chat.B("back"), chat.T(" ends it")),
			chat.Join(chat.B("gaps"), chat.T(" is what people asked and nothing answers; "), chat.B("drafts"), chat.T(" is being written; "), chat.B("new article"), chat.T(" begins one")),
			chat.Join(chat.B("change"), chat.T(" raises a change, "), chat.B("approvals"), chat.T(" is what waits for you")),
			chat.Join(chat.B("changes"), chat.T(" is their calendar, "), chat.B("changes success"), chat.T(" how they went")),
			chat.Join(chat.B("ci db-3"), chat.T(" shows what hangs on an item, and what was done on it")))
	}
	return chat.Card{
		Text: "Tell me in your own words what is not working or what you need. “my tickets” shows how yours stand; a reference such as INC-42 shows one.",
		Blocks: []chat.Block{
			chat.Section{Text: chat.T("Tell me in your own words what is not working, or what you need. I look for an answer first; a person is one button away.")},
			chat.List{Items: words},
		},
	}
}

// hearIn is a message in a thread that the desk has a part in.
func (t *turn) hearIn(ctx context.Context, th storage.Thread) error {
	if th.Ticket != 0 {
		return t.talk(ctx, th)
	}
	if k := smallTalk(t.ev.Text); k == thanks {
		return t.react(ctx, "+1", k.reply(t.who.FirstName()))
	} else if k != notSmall {
		return t.say(ctx, th.ID, cards.Say(k.reply(t.who.FirstName())))
	}
	questions, err := t.tx.ThreadQuestions(ctx, th.ID)
	if err != nil {
		return err
	}
	// In a channel's thread others talk too; the desk answers whoever asked, or
	// called it by name.
	mine := len(questions) > 0 && questions[0].Person == t.who.ID
	if t.ev.Scope == chat.Direct || mine || t.ev.Mentioned {
		if err := t.keepBefore(ctx, th); err != nil {
			return err
		}
		if strings.TrimSpace(t.ev.Text) == "" {
			return nil // a file alone: it is taken along when a ticket is opened
		}
		return t.askIn(ctx, th, t.ev.Text, false)
	}
	return nil
}

// ordered does what is commanded with more than one word, or answered in
// private, in a message that addresses the desk or behind the slash command.
func (t *turn) ordered(ctx context.Context, text string) (done bool, err error) {
	if t.asksForPage(text) {
		return true, t.myPage(ctx)
	}
	if done, err := t.orderedChanges(ctx, text); done || err != nil {
		return done, err
	}
	if done, err := t.orderedArticles(ctx, text); done || err != nil {
		return done, err
	}
	order, about, _ := strings.Cut(text, " ")
	about = strings.TrimSpace(about)
	switch strings.ToLower(order) {
	case "triage":
		return true, t.chooseTriage(ctx, about)
	case "history":
		if _, _, ok := ticket.ParseRef(strings.ToLower(about)); ok {
			return true, t.historyOf(ctx, about)
		}
	}
	return false, nil
}

// command is the slash command.
func (t *turn) command(ctx context.Context) error {
	text := strings.TrimSpace(t.ev.Text)
	lower := strings.ToLower(text)
	switch {
	case lower == "":
		return t.privately(ctx, helpCard(t.desk.pageLink != nil, t.who.Agent()))
	case lower == "new", lower == "open", lower == "ticket", lower == "open a ticket":
		return t.openBlank(ctx)
	case lower == "away" && (t.who.Agent() || t.who.Admin):
		return t.awayForm(ctx)
	}
	if done, err := t.ordered(ctx, text); done || err != nil {
		return err
	}
	if k := smallTalk(text); k != notSmall {
		return t.private(ctx, k.reply(t.who.FirstName()))
	}
	if c, ok, err := t.shortAnswer(ctx, text); ok || err != nil {
		if err != nil {
			return err
		}
		return t.privately(ctx, c)
	}
	return t.askInDirect(ctx, text)
}
