package storage

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/deskhand/deskhand/core/knowledge"
	"github.com/deskhand/deskhand/core/people"
	"github.com/deskhand/deskhand/core/ticket"
)

// UseArticle links an article to a ticket that it was an answer to; fresh says
// that it had not been.
func (tx *Tx) UseArticle(ctx context.Context, id ticket.ID, a knowledge.ArticleID, by people.PersonID, via string, at time.Time) (fresh bool, err error) {
	tag, err := tx.Exec(ctx, `insert into article_uses (ticket_id, article_id, person_id, at) values ($1, $2, $3, $4) on conflict do nothing`, id, a, by, at)
	if err != nil {
		return false, fmt.Errorf("use %s for ticket %d: %w", a.Ref(), id, err)
	}
	if tag.RowsAffected() == 0 {
		return false, nil
	}
	return true, tx.Audit(ctx, Step{At: at, Action: "article.used", Person: by, Via: via, Subject: OfTicket, SubjectID: int64(id),
		After: map[string]any{"article": a}})
}

// UsedArticle is the article that a ticket was last answered with, 0 for none.
func (tx *Tx) UsedArticle(ctx context.Context, id ticket.ID) (a knowledge.ArticleID, err error) {
	err = tx.QueryRow(ctx, `select article_id from article_uses where ticket_id = $1 order by at desc, article_id desc limit 1`, id).Scan(&a)
	if errors.Is(err, pgx.ErrNoRows) {
		return 0, nil
	}
	if err != nil {
		return 0, fmt.Errorf("article used for ticket %d: %w", id, err)
	}
	return a, nil
}
