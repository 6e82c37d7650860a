package bot

import (
	"context"
	"fmt"
	"time"

	"github.com/deskhand/deskhand/bot/cards"
	"github.com/deskhand/deskhand/core/knowledge"
	"github.com/deskhand/deskhand/kb"
)

const (
	articleTrial = "article.trial" // subject: an article that is being written
	// triedOf is from how long ago questions are tried on, and mostTried how many
	// of those that found nothing, and of those that were solved.
	triedOf   = 30 * 24 * time.Hour
	mostTried = 250
	// An article that is published already is tried while its author waits, on so
	// many questions, where there are no more articles than that.
	triedAtOnce, fewArticles = 40, 5000
	// trialTime is how long a publication waits for the trial.
	trialTime = time.Minute
)

// tried puts past questions to the index as it is and as it would be.
func (t *turn) tried(ctx context.Context, trial kb.Trial, most int) ([]knowledge.Tried, error) {
	past, err := t.tx.PastQuestions(ctx, t.at.Add(-triedOf), most)
	if err != nil || len(past) == 0 {
		return nil, err
	}
	questions := make([]kb.Query, len(past))
	for i, q := range past {
		questions[i] = kb.Query{Text: q.Text, Groups: q.By.Groups(), Limit: 3, At: q.AskedAt}
	}
	now, then, err := t.desk.index.Try(ctx, trial, questions)
	if err != nil {
		return nil, err
	}
	all := make([]knowledge.Tried, len(past))
	for i, q := range past {
		all[i] = knowledge.Tried{ID: knowledge.QuestionPast(int64(q.ID)), Solved: q.Solved, Now: now[i], Then: then[i]}
	}
	return all, nil
}

// tryArticle tries an article that is being written on last month's questions.
func (t *turn) tryArticle(ctx context.Context, id knowledge.ArticleID) error {
	found, err := t.tx.Articles(ctx, id)
	if err != nil {
		return err
	}
	a, ok := found[id]
	if !ok || a.State != knowledge.Draft && a.State != knowledge.Reviewed {
		return nil
	}
	all, err := t.tried(ctx, kb.Trial{Articles: []knowledge.Article{a}}, mostTried)
	if err != nil {
		return err
	}
	if err := t.tx.PutTrial(ctx, id, a.Seq, knowledge.Judge(id, all), t.at); err != nil {
		return err
	}
	return t.tx.Redraw(ctx, int64(id), t.at, cards.ArticleCard)
}

// spoils counts the questions that a new text of a published article would
// answer worse, of how many that were solved lately.
func (t *turn) spoils(ctx context.Context, a knowledge.Article) (worse, of int, err error) {
	if t.desk.index.Len() > fewArticles {
		return 0, 0, nil
	}
	all, err := t.tried(ctx, kb.Trial{Articles: []knowledge.Article{a}}, triedAtOnce)
	trial := knowledge.Judge(a.ID, all)
	return len(trial.Worse), trial.Answered, err
}

// harm says why an article should not be published: what it would make worse,
// or that nobody knows yet.
func (t *turn) harm(ctx context.Context, a knowledge.Article) (string, error) {
	trial, done, err := t.tx.Trial(ctx, a.ID, a.Seq)
	switch {
	case err != nil:
		return "", err
	case !done && t.at.Sub(a.UpdatedAt) < trialTime:
		return "I am still trying it on last month's questions. Press again in a moment", nil
	case len(trial.Worse) > 0:
		return fmt.Sprintf("%s that other articles have solved would be answered worse. Say more exactly in it what it is for, or press “Publish all the same”",
			counted(len(trial.Worse), "question")), nil
	}
	return "", nil
}
