package bot

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"github.com/deskhand/deskhand/bot/cards"
	"github.com/deskhand/deskhand/bot/chat"
	"github.com/deskhand/deskhand/bot/inbox"
	"github.com/deskhand/deskhand/core/knowledge"
	"github.com/deskhand/deskhand/core/ticket"
	"github.com/deskhand/deskhand/kb"
	"github.com/deskhand/deskhand/storage"
)

// mostAsked bounds what of a question is searched and kept, in bytes; a pasted
// log beyond it adds nothing to the search.
const mostAsked = 20_000

// ask answers a question in the thread of its message.
func (t *turn) ask(ctx context.Context, text string) error {
	th, err := t.openThread(ctx, storage.RequesterSide)
	if err != nil {
		return err
	}
	if err := t.keepBefore(ctx, th); err != nil {
		return err
	}
	return t.askIn(ctx, th, text, false)
}

// askInDirect answers in a new thread of the asker's direct messages.
func (t *turn) askInDirect(ctx context.Context, text string) error {
	th, err := t.directThread(ctx, t.account)
	if err != nil {
		return err
	}
	if err := t.askIn(ctx, th, text, true); err != nil {
		return err
	}
	if t.ev.Scope == chat.Direct || t.ev.Place.Channel == "" {
		return nil
	}
	return t.private(ctx, "I have answered you in our direct messages.")
}

// askIn looks for articles and puts the answer into the thread; root says that
// it begins it.
func (t *turn) askIn(ctx context.Context, th storage.Thread, text string, root bool) error {
	text = t.readable(ctx, text)
	q := storage.Question{Person: t.who.ID, Thread: th.ID, Text: text, AskedAt: t.at}
	before, err := t.beforehand(ctx, t.who.ID)
	if err != nil {
		return err
	}
	if err := t.suggest(ctx, &q, th, before.Outages); err != nil {
		return err
	}
	if q, err = t.tx.AskQuestion(ctx, q, t.via()); err != nil {
		return err
	}
	if err := t.cameBack(ctx, before.Solved, q.Text, q, 0); err != nil {
		return err
	}
	if err := t.card(ctx, th, cards.QuestionCard, int64(q.ID), root); err != nil {
		return err
	}
	if err := t.tx.SetDue(ctx, questionSilent, int64(q.ID), t.at.Add(t.rules.policy.Desk.SilentAt.Value())); err != nil {
		return err
	}
	return t.greet(ctx, th)
}

// searchLater is the confidence of an answer for which nothing could be looked up.
const searchLater = "later"

// suggest fills in what the index has for a question in a thread: what who asked
// may read, and where others read along what everybody may; what can be requested
// likewise, and of outages the first that it is about.
func (t *turn) suggest(ctx context.Context, q *storage.Question, th storage.Thread, down []storage.KnownOutage) error {
	asker := t.who
	if q.Person != asker.ID { // an agent has pressed a button for somebody
		var err error
		if asker, err = t.tx.ActorByID(ctx, q.Person); err != nil {
			return err
		}
	}
	ask := kb.Query{Text: q.Text, Limit: 3, Requests: true}
	for _, o := range down {
		ask.Outages = append(ask.Outages, o.Searched())
	}
	for _, s := range t.rules.services {
		ask.Services = append(ask.Services, s.Slug)
	}
	if th.Scope == string(chat.Direct) {
		ask.Groups = asker.Groups()
	}
	if err := t.advised(ctx, &ask, asker); err != nil {
		return err
	}
	found, err := t.desk.index.Suggest(ctx, ask)
	if err == nil && ask.Groups == nil && q.Person == t.who.ID {
		err = t.moreAlone(ctx, q.Text)
	}
	behind := false
	switch {
	case err != nil && ctx.Err() != nil:
		return err
	case err != nil:
		// The index is built anew by whoever follows the articles; a ticket needs none.
		t.desk.log.WarnContext(ctx, "a question could not be searched for", "err", err)
		behind = true
	case t.desk.index.Seq() == 0: // nothing is in it yet
		newest, err := t.tx.ArticleSeq(ctx)
		if err != nil {
			return err
		}
		behind = newest > 0
	}
	q.Hits, q.Confidence, q.Shown, q.Advised = found.Hits, found.Confidence.String(), nil, len(ask.Advice.Order) > 0 && found.Confidence == knowledge.Low
	if behind && len(found.Hits) == 0 {
		q.Confidence = searchLater
	}
	q.Outage = 0
	q.Hits = slices.DeleteFunc(q.Hits, func(h knowledge.Hit) bool {
		second := h.Outage != 0 && q.Outage != 0
		q.Outage = cmp.Or(q.Outage, ticket.ID(h.Outage))
		return second
	})
	for _, h := range q.Hits {
		if h.Article != 0 {
			q.Shown = append(q.Shown, h.Article)
		}
	}
	return nil
}

// moreAlone tells who asked where others read along, and nobody else, that there
// is more in their direct messages.
func (t *turn) moreAlone(ctx context.Context, text string) error {
	groups := t.who.Groups()
	if len(groups) == 0 {
		return nil
	}
	found, err := t.desk.index.Suggest(ctx, kb.Query{Text: text, Groups: groups, Limit: 1, Requests: true})
	if err != nil || len(found.Hits) == 0 || !found.Hits[0].Closed {
		return err
	}
	return t.private(ctx, "There is an answer that not everybody may read. Ask me in our direct messages, and I show it to you.")
}

// readable is a text as it is kept: mentions as names, no passwords, and not endless.
func (t *turn) readable(ctx context.Context, text string) string {
	text = chat.Mentions(text, func(id string) (string, bool) {
		who, _, err := t.tx.Actor(ctx, t.ev.By.Platform, t.ev.By.Workspace, id)
		if err == nil {
			t.named = append(t.named, who.Name)
		}
		return who.Name, err == nil
	})
	return knowledge.HideSecrets(tidy(text))
}

// tidy is text that can be kept.
func tidy(text string) string {
	text = strings.TrimSpace(strings.ToValidUTF8(strings.ReplaceAll(text, "\x00", ""), ""))
	if len(text) > mostAsked {
		text = strings.ToValidUTF8(text[:mostAsked], "") + "…"
	}
	return text
}

// question is the one that a button is about, locked. Only who asked it, or
// an agent who helps in the thread, decides what became of it.
func (t *turn) question(ctx context.Context) (storage.Question, error) {
	q, err := t.tx.QuestionForUpdate(ctx, storage.QuestionID(t.id("q")))
	if err != nil {
		return q, orUnknown(err, "question")
	}
	if q.Person != t.who.ID && !t.who.Agent() {
		return q, &ticket.RefusedError{Step: "answer", Reason: "somebody else asked it. Ask me yourself, and I look for you"}
	}
	return q, nil
}

// solved closes a question: an article has helped.
func (t *turn) solved(ctx context.Context) error {
	q, err := t.question(ctx)
	if err != nil {
		return err
	}
	switch q.Outcome {
	case storage.Solved:
		return nil // a second click
	case storage.WentTicket, storage.WentPerson:
		return t.private(ctx, "Good. There is a ticket by now; if it is solved too, say so in its thread.")
	}
	q.Outcome, q.Article = storage.Solved, knowledge.ArticleID(t.id("a"))
	if _, err := t.tx.EndQuestion(ctx, q, t.who.ID, t.via(), t.at); err != nil {
		return err
	}
	if err := t.tx.Stayed(ctx, q.ID); err != nil {
		return err
	}
	if err := t.tx.ClearDue(ctx, questionSilent, int64(q.ID)); err != nil {
		return err
	}
	return t.tx.Redraw(ctx, int64(q.ID), t.at, cards.QuestionCard)
}

// notAfter takes a "solved" back: the trouble has returned.
func (t *turn) notAfter(ctx context.Context) error {
	q, err := t.question(ctx)
	if err != nil || q.Outcome != storage.Solved {
		return err
	}
	if err := t.tx.CameBack(ctx, q, q.ID, 0, t.at); err != nil {
		return err
	}
	q.Outcome, q.Article = storage.StillOpen, 0
	if _, err := t.tx.EndQuestion(ctx, q, t.who.ID, t.via(), t.at); err != nil {
		return err
	}
	return t.tx.Redraw(ctx, int64(q.ID), t.at, cards.QuestionCard)
}

// steps opens an article to be read.
func (t *turn) steps(ctx context.Context) error {
	id := knowledge.ArticleID(t.id("a"))
	found, err := t.tx.Articles(ctx, id)
	if err != nil {
		return err
	}
	a, ok := found[id]
	if !ok || a.State != knowledge.Published || !a.ReadableBy(t.who.Groups()) {
		return t.private(ctx, "This article is not there any more.")
	}
	f := cards.Article(a, t.ev.Args)
	f.Intro = cards.Pictures(f.Intro, t.pictures(ctx, id))
	t.answer.Form = &f
	return nil
}

// pictures says where those of an article are, nil if nowhere.
func (t *turn) pictures(ctx context.Context, id knowledge.ArticleID) func(name string) string {
	if t.desk.articlePicture == nil {
		return nil
	}
	return func(name string) string {
		link, err := t.desk.articlePicture(storage.PictureRef{Article: id, Name: name})
		if err != nil {
			t.desk.log.WarnContext(ctx, "no link to a picture", "article", id.Ref(), "err", err)
		}
		return link
	}
}

// askForm opens the form behind "Ask the desk".
func (t *turn) askForm(context.Context) error {
	f := cards.AskForm()
	t.answer.Form = &f
	return nil
}

func (t *turn) askSend(ctx context.Context) error {
	text := strings.TrimSpace(t.ev.Values.One("text"))
	if text == "" {
		t.answer.Errors = map[string]string{"text": "Please say in a few words what is the matter."}
		return nil
	}
	if t.tooLong("text", mostDetail) {
		return nil
	}
	return t.askInDirect(ctx, text)
}

// revise keeps an edit or a deletion of a message, which may not have come yet.
func (t *turn) revise(ctx context.Context) error {
	if err := t.tx.DropAside(ctx, inbox.AsideOf(t.ev), t.ev.At); err != nil {
		return err
	}
	done, err := t.reviseMessage(ctx)
	if done || err != nil {
		return err
	}
	th, err := t.thread(ctx)
	switch {
	case err == nil && th.Ticket == 0 && th.Root == t.ev.Message:
		return t.reviseQuestion(ctx, th)
	case ignoreMissing(err) != nil:
		return err
	case t.ev.SaidKey == "":
		return nil
	}
	handled, err := t.tx.IsHandled(ctx, t.ev.SaidKey, inbox.ConversationOf(t.ev))
	if err == nil && !handled {
		err = &inbox.EarlyError{}
	}
	return err
}

// reviseQuestion answers what the message that asked asks now.
func (t *turn) reviseQuestion(ctx context.Context, th storage.Thread) error {
	if t.ev.Kind != chat.Edited {
		return nil
	}
	questions, err := t.tx.ThreadQuestions(ctx, th.ID)
	if err != nil || len(questions) == 0 || questions[0].Outcome != storage.StillOpen {
		return err
	}
	q := questions[0]
	if last, err := t.tx.Reworded(ctx, q.ID); err != nil || t.ev.At.Before(last) {
		return err // a later edit has overtaken this one
	}
	before := q.Text
	if q.Text = t.readable(ctx, t.ev.Text); q.Text == before || q.Text == "" {
		return nil
	}
	beforehand, err := t.beforehand(ctx, q.Person)
	if err != nil {
		return err
	}
	if err := t.suggest(ctx, &q, th, beforehand.Outages); err != nil {
		return err
	}
	if err := t.tx.RewordQuestion(ctx, q, before, t.via(), t.ev.At); err != nil {
		return err
	}
	return t.tx.Redraw(ctx, int64(q.ID), t.at, cards.QuestionCard)
}
