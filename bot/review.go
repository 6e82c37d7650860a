package bot

import (
	"context"

	"github.com/deskhand/deskhand/bot/cards"
	"github.com/deskhand/deskhand/bot/chat"
	"github.com/deskhand/deskhand/core/knowledge"
	"github.com/deskhand/deskhand/core/ticket"
	"github.com/deskhand/deskhand/storage"
)

// mostReviews is how many articles a morning has owners asked about: an import of
// thousands is not to be answered in a day.
const mostReviews = 200

// rightsOn are what the actor may do with an article: who answers for one that
// is or was published decides about it.
func (t *turn) rightsOn(a knowledge.Article) knowledge.Rights {
	r := t.rights()
	if t.owns(a) {
		r.Draft = true
		r.Publish = r.Publish || a.State == knowledge.Published || a.State == knowledge.Stale
	}
	return r
}

// reviewArticles asks each morning the owners of articles whose day comes, and
// takes those out of the suggestions whose day has passed without an answer.
func (t *turn) reviewArticles(ctx context.Context) error {
	every := t.rules.policy.Knowledge.Review.Value()
	all, err := t.tx.ToReview(ctx, t.at.Add(knowledge.AskBefore), every, mostReviews)
	if err != nil {
		return err
	}
	for _, r := range all {
		switch {
		case r.Ask(t.at, every):
			if err := t.tx.ReviewAsked(ctx, r.ID, t.at); err != nil {
				return err
			}
			if err := t.toOwner(ctx, r.Article, cards.ReviewCard, int64(r.ID)); err != nil {
				return err
			}
		case r.Lapsed(t.at, every):
			a := r.Article
			a.State = knowledge.Stale
			if _, _, err := t.putArticle(ctx, a); err != nil {
				return err
			}
			if err := t.tx.Redraw(ctx, int64(a.ID), t.at, cards.ReviewCard, cards.ArticleCard); err != nil {
				return err
			}
		}
	}
	return nil
}

// stillRight is the owner's answer that an article is right as it is.
func (t *turn) stillRight(ctx context.Context) error {
	a, err := t.tx.ArticleForUpdate(ctx, knowledge.ArticleID(t.id("a")))
	if err != nil {
		return orUnknown(err, "article")
	}
	switch {
	case !t.sees(a) || !t.rightsOn(a).Publish:
		return &ticket.RefusedError{Step: "answer", Reason: "only its owner can, and those who may publish articles"}
	case a.State != knowledge.Published && a.State != knowledge.Stale:
		return &ticket.RefusedError{Step: "answer", Reason: "it is " + a.State.Word()}
	}
	if err := t.tx.StillRight(ctx, a.ID, t.at.Add(t.rules.policy.Knowledge.Review.Value()), t.who.ID, t.via(), t.at); err != nil {
		return err
	}
	if a.State == knowledge.Stale {
		a.State = knowledge.Published
		if _, _, err := t.putArticle(ctx, a); err != nil {
			return err
		}
	}
	return t.tx.Redraw(ctx, int64(a.ID), t.at, cards.ReviewCard, cards.ArticleCard)
}

// reviewCard draws the question whether an article is still right.
func (t *turn) reviewCard(ctx context.Context, p storage.Post) (chat.Card, error) {
	id := knowledge.ArticleID(p.Subject)
	found, err := t.tx.Articles(ctx, id)
	if err != nil {
		return chat.Card{}, err
	}
	v := cards.ReviewView{Article: found[id], At: t.at}
	if v.Used, err = t.tx.CountHelped(ctx, id); err != nil {
		return chat.Card{}, err
	}
	until, by, err := t.tx.RightUntil(ctx, id)
	if err != nil {
		return chat.Card{}, err
	}
	every := t.rules.policy.Knowledge.Review.Value()
	if !until.IsZero() && until.Add(-every).After(p.CreatedAt) {
		who, err := t.tx.People(ctx, by)
		if err != nil {
			return chat.Card{}, err
		}
		v.Right, v.RightBy = until, who[by].Name
	}
	v.Changed = found[id].State == knowledge.Published && found[id].UpdatedAt.After(p.CreatedAt) && v.Right.IsZero()
	return cards.Review(v), nil
}
