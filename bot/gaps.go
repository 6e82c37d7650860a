package bot

import (
	"context"
	"slices"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/deskhand/deskhand/bot/cards"
	"github.com/deskhand/deskhand/bot/chat"
	"github.com/deskhand/deskhand/core/knowledge"
	"github.com/deskhand/deskhand/core/ticket"
	"github.com/deskhand/deskhand/storage"
)

const (
	// gapsOf is how far back questions are told of each week, and gapsLike how far
	// those that they are put together with.
	gapsOf   = 7 * 24 * time.Hour
	gapsLike = 30 * 24 * time.Hour
	// mostGaps bounds the questions that are put together.
	mostGaps = 3000
	// gapsShown is how many gaps a report shows.
	gapsShown = 5
	// gapTexts is how many questions of a gap are shown, and begin an article.
	gapTexts = 12
)

// findGaps puts together what found nothing. A question that is in a gap stays
// there; a group that has questions of a gap grows it.
func (t *turn) findGaps(ctx context.Context) error {
	if err := t.tx.LockGaps(ctx); err != nil {
		return err
	}
	all, err := t.tx.UnansweredSince(ctx, t.at.Add(-gapsLike), mostGaps)
	if err != nil {
		return err
	}
	texts := make([]string, len(all))
	for i, q := range all {
		texts[i] = knowledge.HidePersonal(q.Text)
	}
	for _, g := range t.desk.index.Group(texts) {
		in := map[storage.GapID]int{}
		var fresh []storage.Unanswered
		for _, i := range g.Of {
			if all[i].Gap == 0 {
				fresh = append(fresh, all[i])
			} else {
				in[all[i].Gap]++
			}
		}
		if len(fresh) == 0 {
			continue
		}
		var gap storage.GapID
		for id, n := range in {
			if m := in[gap]; n > m || n == m && id < gap {
				gap = id
			}
		}
		if gap == 0 {
			if gap, err = t.tx.OpenGap(ctx, g.Name, t.at); err != nil {
				return err
			}
		}
		if err := t.tx.GrowGap(ctx, gap, g.Name, fresh, t.at); err != nil {
			return err
		}
	}
	return nil
}

// reportGaps counts what found nothing lately; 0: everything found something.
func (t *turn) reportGaps(ctx context.Context) (storage.GapReportID, error) {
	if err := t.findGaps(ctx); err != nil {
		return 0, err
	}
	since := t.due.Add(-gapsOf) // what came while no process ran belongs to it too
	if t.due.IsZero() {
		since = t.at.Add(-gapsOf)
	}
	unanswered, err := t.tx.UnansweredSince(ctx, since, mostGaps)
	if err != nil || len(unanswered) == 0 {
		return 0, err
	}
	asked, err := t.tx.CountAsked(ctx, since)
	if err != nil {
		return 0, err
	}
	return t.tx.ReportGaps(ctx, storage.GapReport{At: t.at, Since: since, Asked: asked, Unanswered: len(unanswered)})
}

// tellGaps tells the knowledge channel each week what found nothing.
func (t *turn) tellGaps(ctx context.Context) error {
	channels := t.rules.posted(t.rules.policy.Knowledge.Channel)
	if len(channels) == 0 {
		return nil
	}
	id, err := t.reportGaps(ctx)
	if err != nil || id == 0 {
		return err
	}
	for _, c := range channels {
		if err := t.tx.Send(ctx, storage.Post{Kind: string(chat.Message), Platform: c.Platform, Workspace: c.Workspace, Channel: c.Channel,
			Card: cards.GapsCard, Subject: int64(id)}, storage.LaneDigest, t.at); err != nil {
			return err
		}
	}
	return nil
}

// askGaps tells an agent who asks for it, in their direct messages.
func (t *turn) askGaps(ctx context.Context) error {
	if !t.who.Agent() && !t.who.Admin {
		return t.private(ctx, "That is for the teams that write articles.")
	}
	id, err := t.reportGaps(ctx)
	if err != nil {
		return err
	}
	if id == 0 {
		return t.private(ctx, "Every question of the last 7 days found something.")
	}
	return t.cardForMe(ctx, cards.GapsCard, int64(id))
}

// cardForMe puts a living card where only the actor reads it: here, or in
// their direct messages.
func (t *turn) cardForMe(ctx context.Context, name string, subject int64) error {
	p := storage.Post{Kind: string(chat.Message), Platform: t.ev.By.Platform, Workspace: t.ev.By.Workspace, Card: name, Subject: subject}
	switch th, err := t.thread(ctx); {
	case t.ev.Scope == chat.Direct && err == nil:
		p.Thread = th.ID
	case t.ev.Scope == chat.Direct && t.ev.Place.Channel != "":
		p.Channel = t.ev.Place.Channel
	default:
		p.User = t.ev.By.ID
	}
	if err := t.tx.Send(ctx, p, storage.LaneReply, t.at); err != nil || p.User == "" || t.ev.Place.Channel == "" {
		return err
	}
	return t.private(ctx, "I have put it into our direct messages.")
}

// gapsCard draws a report as its gaps now are.
func (t *turn) gapsCard(ctx context.Context, id storage.GapReportID) (chat.Card, error) {
	r, err := t.tx.GapReport(ctx, id, gapsShown+1)
	if err != nil {
		return chat.Card{}, err
	}
	v := cards.GapsView{Since: r.Since, At: r.At, Asked: r.Asked, Unanswered: r.Unanswered, More: len(r.Lines) > gapsShown}
	for _, l := range r.Lines[:min(len(r.Lines), gapsShown)] {
		v.Gaps = append(v.Gaps, cards.GapLine{ID: int64(l.ID), Version: l.Version, Name: l.Name, Questions: l.Questions,
			Outcome: string(l.Outcome), Article: l.Article, Synonym: l.Synonym, By: l.DoneBy})
	}
	return cards.Gaps(v), nil
}

// gap is the one that a button is about, locked, for whoever may write
// articles.
func (t *turn) gap(ctx context.Context, step string) (storage.Gap, error) {
	if !t.rights().Draft {
		return storage.Gap{}, &ticket.RefusedError{Step: step, Reason: "your team does not write articles"}
	}
	g, err := t.tx.GapForUpdate(ctx, storage.GapID(t.id("g")))
	return g, orUnknown(err, "question")
}

// endGap stores what was done about a gap and draws its reports anew.
func (t *turn) endGap(ctx context.Context, g storage.Gap) error {
	if err := t.tx.EndGap(ctx, g, t.who.ID, t.via(), t.at); err != nil {
		return err
	}
	return t.redrawGap(ctx, g.ID)
}

func (t *turn) redrawGap(ctx context.Context, id storage.GapID) error {
	reports, err := t.tx.GapReports(ctx, id)
	if err != nil {
		return err
	}
	for _, r := range reports {
		if err := t.tx.Redraw(ctx, int64(r), t.at, cards.GapsCard); err != nil {
			return err
		}
	}
	return nil
}

// gapNotIT says that a gap is none of IT's business: it is not told of again.
func (t *turn) gapNotIT(ctx context.Context) error {
	g, err := t.gap(ctx, "leave out")
	if err != nil {
		return err
	}
	switch g.Outcome {
	case storage.GapNotIT:
		return t.redrawGap(ctx, g.ID) // a second click
	case storage.GapOpen:
		g.Outcome = storage.GapNotIT
		return t.endGap(ctx, g)
	}
	return &ticket.RefusedError{Step: "leave out", Reason: "something was done about it already"}
}

// gapShow shows the questions of a gap, without what is personal in them.
func (t *turn) gapShow(ctx context.Context) error {
	g, err := t.gap(ctx, "show")
	if err != nil {
		return err
	}
	texts, all, err := t.gapTexts(ctx, g)
	if err != nil {
		return err
	}
	f := cards.GapForm(g.Name, texts, all)
	t.answer.Form = &f
	return nil
}

func (t *turn) gapTexts(ctx context.Context, g storage.Gap) ([]string, int, error) {
	texts, all, err := t.tx.GapQuestions(ctx, g.ID, gapTexts)
	for i, text := range texts {
		texts[i] = knowledge.HidePersonal(text)
	}
	slices.Sort(texts)
	return slices.Compact(texts), all, err
}

// gapWrite begins an article for a gap.
func (t *turn) gapWrite(ctx context.Context) error {
	g, err := t.gap(ctx, "write an article for")
	if err != nil {
		return err
	}
	if g.Article != 0 {
		return t.editArticle(ctx, g.Article)
	}
	texts, _, err := t.gapTexts(ctx, g)
	if err != nil {
		return err
	}
	v := cards.ArticleDraft{Gap: int64(g.ID), Article: knowledge.Article{Title: sentence(g.Name)}}
	for _, text := range texts {
		v.Article.Symptom += cards.Title(text) + "\n"
	}
	return t.articleForm(v)
}

// sentence is s with a capital at its start.
func sentence(s string) string {
	r, size := utf8.DecodeRuneInString(s)
	if size == 0 {
		return s
	}
	return string(unicode.ToUpper(r)) + s[size:]
}
