package bot

import (
	"context"
	"slices"
	"strconv"
	"strings"

	"github.com/deskhand/deskhand/bot/cards"
	"github.com/deskhand/deskhand/bot/chat"
	"github.com/deskhand/deskhand/core/knowledge"
	"github.com/deskhand/deskhand/core/ticket"
	"github.com/deskhand/deskhand/storage"
)

// articleMove brings an article to the state that the button names.
func (t *turn) articleMove(ctx context.Context) error {
	to := knowledge.State(t.ev.Args["to"])
	step := map[knowledge.State]string{knowledge.Draft: "take back", knowledge.Reviewed: "mark as reviewed", knowledge.Published: "publish", knowledge.Retired: "retire"}[to]
	if step == "" {
		return orUnknown(storage.ErrNotFound, "step")
	}
	a, err := t.ofArticle(ctx, step)
	if err != nil {
		return err
	}
	if a.State == to {
		return t.tx.Redraw(ctx, int64(a.ID), t.at, cards.ArticleCard) // a second click
	}
	source, err := t.tx.ArticleSource(ctx, a.ID)
	if err != nil {
		return err
	}
	is, reason := a.Move(to, t.rightsOn(a), source.Author == t.who.ID)
	if reason == "" && to != knowledge.Draft && to != knowledge.Retired {
		if t.ev.Args["v"] != strconv.FormatInt(a.Seq, 10) {
			reason = "it was changed since this was drawn. Read it as it now stands"
		} else if knowledge.Marked(a.Title, a.Symptom, a.Answer, a.Environment) {
			reason = "what is marked " + knowledge.MarkOpen + "so" + knowledge.MarkClose + " in it looks personal. Edit it: take that out, or only the marks if it may stay"
		} else if p := is.Problems(); len(p) > 0 {
			reason = strings.Join(p, ", ")
		} else if to == knowledge.Published && t.ev.Args["anyway"] == "" {
			if reason, err = t.harm(ctx, a); err != nil {
				return err
			}
		}
	}
	if reason != "" {
		if err := t.tx.Redraw(ctx, int64(a.ID), t.at, cards.ArticleCard); err != nil {
			return err
		}
		return &ticket.RefusedError{Step: step, Reason: reason}
	}
	if is, _, err = t.putArticle(ctx, is); err != nil {
		return err
	}
	if err := t.tx.CarryTrial(ctx, a.ID, a.Seq, is.Seq); err != nil {
		return err
	}
	if err := t.tx.Redraw(ctx, int64(a.ID), t.at, cards.ArticleCard, cards.ReviewCard); err != nil || to != knowledge.Retired {
		return err
	}
	return t.endFlags(ctx, is, 0, true)
}

// articleCard draws an article as it now is.
func (t *turn) articleCard(ctx context.Context, id knowledge.ArticleID) (chat.Card, error) {
	found, err := t.tx.Articles(ctx, id)
	if err != nil {
		return chat.Card{}, err
	}
	a, ok := found[id]
	if !ok {
		return chat.Card{}, storage.ErrNotFound
	}
	v := cards.ArticleView{Article: a}
	if !slices.Contains(a.Audience, knowledge.Everyone) {
		for _, slug := range a.Audience {
			v.For = append(v.For, t.rules.policy.Group(slug))
		}
	}
	if v.Trial, v.Tried, err = t.tx.Trial(ctx, id, a.Seq); err != nil {
		return chat.Card{}, err
	}
	source, err := t.tx.ArticleSource(ctx, id)
	if err != nil {
		return chat.Card{}, err
	}
	if source.Author != 0 {
		who, err := t.tx.People(ctx, source.Author)
		if err != nil {
			return chat.Card{}, err
		}
		v.Author = who[source.Author].Name
	}
	return cards.WorkedOn(v), nil
}

// showArticle shows an article to whoever names it.
func (t *turn) showArticle(ctx context.Context, id knowledge.ArticleID) error {
	found, err := t.tx.Articles(ctx, id)
	if err != nil {
		return err
	}
	a, ok := found[id]
	switch {
	case !ok || !t.sees(a):
		return t.private(ctx, "I know no article "+id.Ref()+" for you.")
	case t.who.Agent() || t.rights().Draft || t.owns(a):
		return t.cardForMe(ctx, cards.ArticleCard, int64(id))
	}
	return t.privately(ctx, cards.FoundArticle(a).Card)
}

// drafts lists what is being written.
func (t *turn) listDrafts(ctx context.Context) error {
	if !t.who.Agent() && !t.rights().Draft {
		return t.private(ctx, "That is for the teams that write articles.")
	}
	all, err := t.tx.ArticlesIn(ctx, 30, knowledge.Draft, knowledge.Reviewed, knowledge.Stale)
	if err != nil {
		return err
	}
	all = slices.DeleteFunc(all, func(a knowledge.Article) bool { return !t.sees(a) })
	return t.privately(ctx, cards.Drafts(all))
}

// articleShow shows an article of a list.
func (t *turn) articleShow(ctx context.Context) error {
	return t.showArticle(ctx, knowledge.ArticleID(t.id("a")))
}

// orderedArticles does what is commanded of articles.
func (t *turn) orderedArticles(ctx context.Context, text string) (done bool, err error) {
	words := strings.ToLower(strings.Trim(text, " .!?"))
	if number, ok := strings.CutPrefix(words, "kb-"); ok {
		if n, err := strconv.ParseInt(number, 10, 64); err == nil {
			return true, t.showArticle(ctx, knowledge.ArticleID(n))
		}
	}
	if !t.who.Agent() && !t.rights().Draft {
		return false, nil // the words are a question like any other
	}
	if m := meansWords.FindStringSubmatch(strings.TrimSpace(text)); m != nil && t.rights().Draft {
		p := storage.Proposal{Synonym: wordsIn(m[1]), Term: wordsIn(m[2])}
		if hasWord(p.Synonym) && hasWord(p.Term) && !strings.EqualFold(p.Synonym, p.Term) {
			return true, t.propose(ctx, p)
		}
	}
	switch words {
	case "gaps", "what found nothing":
		return true, t.askGaps(ctx)
	case "drafts":
		return true, t.listDrafts(ctx)
	case "answers", "knowledge":
		c, err := t.figures(ctx)
		if err != nil {
			return true, err
		}
		return true, t.privately(ctx, c)
	case "new article", "article", "write article":
		if !t.ev.InCall {
			return true, t.privately(ctx, cards.BeginArticle())
		}
		return true, t.newArticle(ctx)
	}
	return false, nil
}
