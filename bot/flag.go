package bot

import (
	"context"
	"strings"

	"github.com/deskhand/deskhand/bot/cards"
	"github.com/deskhand/deskhand/bot/chat"
	"github.com/deskhand/deskhand/core/knowledge"
	"github.com/deskhand/deskhand/core/people"
	"github.com/deskhand/deskhand/core/ticket"
	"github.com/deskhand/deskhand/storage"
)

// flagLines is how much of a thread goes to an article's owner.
const flagLines = 10

// flag asks what is wrong with an article that answered a question.
func (t *turn) flag(ctx context.Context) error {
	q, a, err := t.flagged(ctx)
	if err != nil {
		return err
	}
	f := cards.FlagForm(int64(q.ID), q.Version, a)
	t.answer.Form = &f
	return nil
}

// flagged are the question and the article that "Wrong or old?" stands under.
func (t *turn) flagged(ctx context.Context) (q storage.Question, a knowledge.Article, err error) {
	if q, err = t.question(ctx); err != nil {
		return q, a, err
	}
	id := knowledge.ArticleID(t.id("a"))
	found, err := t.tx.Articles(ctx, id)
	if err != nil {
		return q, a, err
	}
	a, ok := found[id]
	if !ok || !a.ReadableBy(t.who.Groups()) {
		err = orUnknown(storage.ErrNotFound, "article")
	}
	return q, a, err
}

func (t *turn) flagSend(ctx context.Context) error {
	q, a, err := t.flagged(ctx)
	if err != nil || t.tooLong("reason", mostNote) {
		return err
	}
	id, err := t.tx.PutFlag(ctx, storage.Flag{Article: a.ID, Question: q.ID, Person: t.who.ID, Reason: tidy(t.ev.Values.One("reason")), At: t.at}, t.via())
	if err != nil {
		return err
	}
	if id != 0 { // or it was a second click
		if err := t.toOwner(ctx, a, cards.FlagCard, int64(id)); err != nil {
			return err
		}
	}
	f := cards.Flagged(a)
	t.answer.Form = &f
	return nil
}

// toOwner puts a living card about an article into the direct messages of
// whoever answers for it. Where nobody does whom a platform knows, the knowledge
// channel reads it, if everybody there may read the article, or the admins do.
func (t *turn) toOwner(ctx context.Context, a knowledge.Article, card string, subject int64) error {
	send := func(p storage.Post) error {
		p.Kind, p.Card, p.Subject = string(chat.Message), card, subject
		return t.tx.Send(ctx, p, storage.LaneReply, t.at)
	}
	owner, err := t.owner(ctx, a)
	if err != nil {
		return err
	}
	if owner != 0 {
		accounts, err := t.tx.Accounts(ctx, owner)
		if err != nil {
			return err
		}
		if len(accounts) > 0 {
			return send(storage.Post{Platform: accounts[0].Platform, Workspace: accounts[0].Workspace, User: accounts[0].UserID})
		}
	}
	if channels := t.rules.posted(t.rules.policy.Knowledge.Channel); len(channels) > 0 && a.ReadableBy(nil) {
		for _, c := range channels {
			if err := send(storage.Post{Platform: c.Platform, Workspace: c.Workspace, Channel: c.Channel}); err != nil {
				return err
			}
		}
		return nil
	}
	admins, err := t.tx.Admins(ctx)
	if err != nil {
		return err
	}
	for _, id := range admins {
		accounts, err := t.tx.Accounts(ctx, id)
		if err != nil {
			return err
		}
		if len(accounts) > 0 {
			if err := send(storage.Post{Platform: accounts[0].Platform, Workspace: accounts[0].Workspace, User: accounts[0].UserID}); err != nil {
				return err
			}
		}
	}
	return nil
}

// owner is who answers for an article; 0: nobody who is still here.
func (t *turn) owner(ctx context.Context, a knowledge.Article) (people.PersonID, error) {
	if a.Owner == "" {
		return 0, nil
	}
	id, err := t.tx.PersonByMail(ctx, a.Owner)
	return id, ignoreMissing(err)
}

// owns tells whether the actor answers for an article.
func (t *turn) owns(a knowledge.Article) bool {
	return a.Owner != "" && strings.EqualFold(a.Owner, t.who.Mail) && !t.who.Left
}

// flagCard draws a flag as it now stands.
func (t *turn) flagCard(ctx context.Context, id storage.FlagID) (chat.Card, error) {
	f, err := t.tx.Flag(ctx, id)
	if err != nil {
		return chat.Card{}, err
	}
	found, err := t.tx.Articles(ctx, f.Article)
	if err != nil {
		return chat.Card{}, err
	}
	q, err := t.tx.Question(ctx, f.Question)
	if err != nil {
		return chat.Card{}, err
	}
	lines, err := t.tx.AroundQuestion(ctx, q, flagLines)
	if err != nil {
		return chat.Card{}, err
	}
	names, err := t.tx.People(ctx, f.Person, f.EndedBy)
	if err != nil {
		return chat.Card{}, err
	}
	v := cards.FlagView{ID: int64(f.ID), Article: found[f.Article], By: names[f.Person].Name, Reason: f.Reason, At: f.At, Over: f.EndedAt != nil, Fixed: f.Fixed, EndedBy: names[f.EndedBy].Name}
	for _, l := range lines {
		v.Said = append(v.Said, cards.Said{Who: l.Who, Text: l.Text})
	}
	if q.Ticket != 0 {
		tk, err := t.tx.Ticket(ctx, q.Ticket)
		if err != nil {
			return chat.Card{}, err
		}
		v.Ticket = tk.Ref()
	}
	return cards.Flag(v), nil
}

// flagEnd says that a flagged article was set right, or was right as it stood.
func (t *turn) flagEnd(ctx context.Context) error {
	f, err := t.tx.Flag(ctx, storage.FlagID(t.id("f")))
	if err != nil {
		return orUnknown(err, "message")
	}
	a, err := t.tx.ArticleForUpdate(ctx, f.Article)
	if err != nil {
		return orUnknown(err, "article")
	}
	if !t.rightsOn(a).Draft || !t.sees(a) {
		return &ticket.RefusedError{Step: "answer", Reason: noAuthor}
	}
	return t.endFlags(ctx, a, f.ID, t.ev.Args["fixed"] != "")
}

// endFlags ends flags of an article and tells whoever put them up.
func (t *turn) endFlags(ctx context.Context, a knowledge.Article, one storage.FlagID, fixed bool) error {
	ended, err := t.tx.EndFlags(ctx, a.ID, one, fixed, t.who.ID, t.via(), t.at)
	if err != nil {
		return err
	}
	told := map[people.PersonID]bool{t.who.ID: true}
	for _, f := range ended {
		if err := t.tx.Redraw(ctx, int64(f.ID), t.at, cards.FlagCard); err != nil {
			return err
		}
		if told[f.Person] {
			continue
		}
		told[f.Person] = true
		text := t.who.Name + " has looked at " + a.ID.Ref() + " “" + a.Title + "”, which you found wrong or old, and changed it. Thank you."
		if !fixed {
			text = t.who.Name + " has looked at " + a.ID.Ref() + " “" + a.Title + "”, which you found wrong or old: it is right as it stands. If it does not help you, press “Talk to a person”."
		}
		if a.State == knowledge.Retired {
			text = t.who.Name + " has looked at " + a.ID.Ref() + " “" + a.Title + "”, which you found wrong or old, and taken it out. Thank you."
		}
		if err := t.direct(ctx, f.Person, cards.Say(text)); err != nil {
			return err
		}
	}
	return nil
}
