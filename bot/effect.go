package bot

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/deskhand/deskhand/bot/cards"
	"github.com/deskhand/deskhand/bot/chat"
	"github.com/deskhand/deskhand/core/knowledge"
	"github.com/deskhand/deskhand/core/people"
	"github.com/deskhand/deskhand/core/ticket"
	"github.com/deskhand/deskhand/kb"
	"github.com/deskhand/deskhand/storage"
)

const (
	// figuresOf is what a time of figures is, and of those beside them.
	figuresOf = 30 * 24 * time.Hour
	// letterLines is how many articles a letter to their owner names.
	letterLines = 10
	// coverageOf is how many of the newest questions tell what articles cover.
	coverageOf = 300
	// inUse is from how many questions on nobody has to be told how much the
	// articles would cover: there are figures of what they do.
	inUse = 100

	effectLetter = "effect.letter" // subject: a person whose articles did something last month
)

// cameBack notes that a question which was solved lately has not held: its asker
// asks the same again, or opens a ticket about it.
func (t *turn) cameBack(ctx context.Context, solved []storage.Question, text string, again storage.Question, id ticket.ID) error {
	for _, q := range solved {
		same := len(again.Shown) > 0 && again.Shown[0] == q.Article && again.Confidence == knowledge.High.String()
		if q.ID == again.ID || !same && !t.desk.index.Alike(q.Text, text) {
			continue
		}
		if err := t.tx.CameBack(ctx, q, again.ID, id, t.at); err != nil {
			return err
		}
	}
	return nil
}

// beforehand is what may bear on something that somebody asks.
func (t *turn) beforehand(ctx context.Context, who people.PersonID) (storage.Beforehand, error) {
	return t.tx.Beforehand(ctx, who, t.at.Add(-knowledge.HeldAfter))
}

// figures are what answers did lately, for those who look after them.
func (t *turn) figures(ctx context.Context) (chat.Card, error) {
	from := t.at.Add(-figuresOf)
	now, err := t.tx.Deflections(ctx, from, t.at, t.at.Add(-knowledge.HeldAfter))
	if err != nil {
		return chat.Card{}, err
	}
	before, err := t.tx.Deflections(ctx, from.Add(-figuresOf), from, t.at.Add(-knowledge.HeldAfter))
	if err != nil {
		return chat.Card{}, err
	}
	v := cards.FiguresView{From: from, To: t.at, Now: figure(now), Before: figure(before), Advised: t.rules.policy.Knowledge.Coverage}
	rates, err := t.tx.LinkRates(ctx, from, t.at)
	if err != nil {
		return chat.Card{}, err
	}
	for _, r := range rates {
		v.Links = append(v.Links, cards.LinkRate{Team: t.rules.team(r.Team).Name, Resolved: r.Resolved, Linked: r.Linked})
	}
	guesses, err := t.tx.PredictionRates(ctx, from, t.at)
	if err != nil {
		return chat.Card{}, err
	}
	for _, g := range guesses {
		v.Guesses = append(v.Guesses, cards.GuessRate{Certainty: g.Certainty, Asked: g.Asked, Kept: g.Kept, Sent: g.Sent, Right: g.Stayed, Unasked: g.Unasked, Corrected: g.Corrected})
	}
	c, err := t.tx.Coverage(ctx)
	if err != nil {
		return chat.Card{}, err
	}
	v.Coverage, v.CoverageOf = c.Percent(), c.Questions
	return cards.Figures(v), nil
}

func figure(d storage.Deflections) cards.Answers {
	return cards.Answers{Asked: d.Asked, Confirmed: d.Confirmed, Old: d.Old, Held: d.Held, Missed: d.Missed, Silent: d.Silent, Open: d.Open, Tickets: d.Tickets, Nothing: d.Nothing, Outage: d.Outage, Requested: d.Requested}
}

// lastMonth is the month before the one in which something fell due.
func (t *turn) lastMonth() (from, to time.Time) {
	due := t.due.In(t.deskZone())
	to = time.Date(due.Year(), due.Month(), 1, 0, 0, 0, 0, t.deskZone())
	return to.AddDate(0, -1, 0), to
}

// tellOwners has everybody told whose articles did something last month, each
// in a transaction of their own.
func (t *turn) tellOwners(ctx context.Context) error {
	from, to := t.lastMonth()
	owners, err := t.tx.Owners(ctx, from, to)
	if err != nil {
		return err
	}
	for _, id := range owners {
		if err := t.tx.SetDue(ctx, effectLetter, int64(id), t.due); err != nil {
			return err
		}
	}
	return nil
}

// tellOwner tells somebody what their articles did last month.
func (t *turn) tellOwner(ctx context.Context, id people.PersonID) error {
	from, to := t.lastMonth()
	effects, all, err := t.tx.Effects(ctx, id, from, to, letterLines)
	if err != nil || len(effects) == 0 {
		return err
	}
	v := cards.EffectView{Month: from, More: all - len(effects)}
	for _, e := range effects {
		for i, r := range e.Reasons {
			e.Reasons[i] = knowledge.HidePersonal(r)
		}
		v.Articles = append(v.Articles, cards.Effect{Article: e.Article, Title: e.Title, Helped: e.Helped, No: e.No, Reasons: e.Reasons[:min(len(e.Reasons), 3)]})
	}
	return t.direct(ctx, id, cards.Effects(v))
}

// Cover asks the newest questions of the record of an index and tells how many it
// would answer. A question counts as much as the index is sure of its first
// article, which is how often it is right.
func Cover(ctx context.Context, tx *storage.Tx, index *kb.Index, limit int, at time.Time) (c storage.Coverage, without []string, err error) {
	texts, err := tx.NewestTexts(ctx, limit)
	if err != nil {
		return c, nil, err
	}
	c = storage.Coverage{At: at, Questions: len(texts)}
	sure := 0.0
	for _, text := range texts {
		found, err := index.Suggest(ctx, kb.Query{Text: text.Text, AnyGroup: true, Limit: 1, At: text.At})
		if err != nil {
			return c, nil, fmt.Errorf("coverage: %w", err)
		}
		if len(found.Hits) == 0 {
			without = append(without, text.Text)
			continue
		}
		c.Shown++
		sure += found.Sure
	}
	c.Covered = int(sure)
	return c, without, nil
}

// lookAtCoverage keeps each morning how much the articles would cover.
func (t *turn) lookAtCoverage(ctx context.Context) error {
	c, _, err := Cover(ctx, t.tx, t.desk.index, coverageOf, t.at)
	if err != nil || c.Questions == 0 {
		return err
	}
	return t.tx.PutCoverage(ctx, c)
}

// gate says what articles would cover, as long as people don't use the desk yet
// and it is less than advised; "" otherwise.
func (t *turn) gate(ctx context.Context) (string, error) {
	c, err := t.tx.Coverage(ctx)
	if err != nil || c.Questions == 0 || c.Percent() >= t.rules.policy.Knowledge.Coverage {
		return "", err
	}
	asked, err := t.tx.CountAsked(ctx, time.Time{})
	if err != nil || asked >= inUse {
		return "", err
	}
	return cards.CoverageWords(c.Percent(), c.Questions, t.rules.policy.Knowledge.Coverage), nil
}

// MostAsked are what most of some texts are about.
func MostAsked(index *kb.Index, texts []string, limit int) []string {
	for i, text := range texts {
		texts[i] = knowledge.HidePersonal(text)
	}
	gaps := index.Group(texts)
	gaps = slices.DeleteFunc(gaps, func(g kb.Gap) bool { return len(g.Of) < 2 })
	var all []string
	for _, g := range gaps[:min(len(gaps), limit)] {
		all = append(all, fmt.Sprintf("%s (%d)", g.Name, len(g.Of)))
	}
	return all
}
