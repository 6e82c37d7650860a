package bot

import (
	"cmp"
	"context"
	"slices"

	"github.com/deskhand/deskhand/bot/cards"
	"github.com/deskhand/deskhand/bot/chat"
	"github.com/deskhand/deskhand/core/knowledge"
	"github.com/deskhand/deskhand/core/ticket"
	"github.com/deskhand/deskhand/kb"
	"github.com/deskhand/deskhand/storage"
)

const (
	likeShown   = 3    // solved tickets that an agent is shown
	usefulShown = 3    // and articles
	likeAtLeast = 0.15 // what a ticket must have in common with one to be shown, 0 to 1
)

// before shows what helped with tickets like this one.
func (t *turn) before(ctx context.Context) error {
	tk, err := t.worker(ctx, "see what helped with")
	if err != nil {
		return err
	}
	return t.showBefore(ctx, tk, 0)
}

func (t *turn) showBefore(ctx context.Context, tk ticket.Ticket, used knowledge.ArticleID) error {
	text := tk.Title + "\n" + tk.Detail
	found, err := t.desk.index.Similar(ctx, kb.Query{Text: text, At: t.at}, 4*likeShown)
	if err != nil {
		return err
	}
	var likely []ticket.ID
	for _, s := range found {
		if id := ticket.ID(s.Ticket); s.Like >= likeAtLeast && id != tk.ID {
			likely = append(likely, id)
		}
	}
	solved, err := t.tx.Tickets(ctx, likely)
	if err != nil {
		return err
	}
	solved = slices.DeleteFunc(solved, func(old ticket.Ticket) bool { return old.State != ticket.Done || !t.maySee(old) })
	slices.SortFunc(solved, func(a, b ticket.Ticket) int {
		return cmp.Compare(slices.Index(likely, a.ID), slices.Index(likely, b.ID))
	})
	like := solved[:min(len(solved), likeShown)]
	requester, err := t.tx.ActorByID(ctx, tk.Requester)
	if err != nil {
		return err
	}
	// What is sent to somebody is what they may read.
	hits, err := t.desk.index.Suggest(ctx, kb.Query{Text: text, Groups: requester.Groups(), Limit: usefulShown, At: t.at})
	if err != nil {
		return err
	}
	var ids []knowledge.ArticleID
	for _, h := range hits.Hits {
		ids = append(ids, h.Article)
	}
	all, err := t.tx.Articles(ctx, ids...)
	if err != nil {
		return err
	}
	var articles []knowledge.Article
	for _, id := range ids {
		if a, ok := all[id]; ok && a.State == knowledge.Published && a.ReadableBy(t.who.Groups()) && a.ReadableBy(requester.Groups()) {
			articles = append(articles, a)
		}
	}
	f := cards.BeforeForm(tk, like, articles, used)
	t.answer.Form = &f
	return nil
}

// use answers a ticket with an article: its text goes to the requester, and
// the two are linked.
func (t *turn) use(ctx context.Context) error {
	tk, err := t.worker(ctx, "answer")
	if err != nil {
		return err
	}
	if !tk.Open() {
		return &ticket.RefusedError{Step: "answer", Reason: "it is already resolved"}
	}
	id := knowledge.ArticleID(t.id("a"))
	found, err := t.tx.Articles(ctx, id)
	if err != nil {
		return err
	}
	requester, err := t.tx.ActorByID(ctx, tk.Requester)
	if err != nil {
		return err
	}
	a, ok := found[id]
	if !ok || a.State != knowledge.Published || !a.ReadableBy(t.who.Groups()) || !a.ReadableBy(requester.Groups()) {
		return orUnknown(storage.ErrNotFound, "article")
	}
	if !a.ReadableBy(nil) {
		// Others would read it along.
		open := false
		if err := t.eachThread(ctx, tk, storage.RequesterSide, func(th storage.Thread) error {
			open = open || th.Scope != string(chat.Direct)
			return nil
		}); err != nil {
			return err
		}
		if open {
			return &ticket.RefusedError{Step: "answer", Reason: "not everybody may read " + id.Ref() + ", and " + tk.Ref() + " is talked about where others read. Send it to them yourself"}
		}
	}
	fresh, err := t.tx.UseArticle(ctx, tk.ID, id, t.who.ID, t.via(), t.at)
	if err != nil {
		return err
	}
	if fresh { // else a second press
		card := cards.UsedArticle(t.who.Name, a)
		for _, side := range []storage.Side{storage.RequesterSide, storage.TeamSide} {
			if err := t.eachThread(ctx, tk, side, func(th storage.Thread) error { return t.sayIn(ctx, th, card) }); err != nil {
				return err
			}
			title := ""
			if a.ReadableBy([]string{t.rules.team(tk.Team).Slug}) {
				title = " " + a.Title
			}
			card = cards.Say(t.who.Name + " answered with " + a.ID.Ref() + title + ".")
		}
		if err := t.answered(ctx, tk); err != nil {
			return err
		}
	}
	return t.showBefore(ctx, tk, id)
}
