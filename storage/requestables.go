package storage

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/deskhand/deskhand/core/knowledge"
	"github.com/deskhand/deskhand/core/people"
	"github.com/deskhand/deskhand/core/policy"
	"github.com/deskhand/deskhand/core/ticket"
)

// Requestables are what people can ask for, in the policy's order.
func (tx *Tx) Requestables(ctx context.Context) ([]knowledge.Request, error) {
	rows, _ := tx.Query(ctx, `
		select r.slug, r.name, r.words, r.description, coalesce(r.service, ''), coalesce(r.category, ''), coalesce(t.slug, ''), r.audience
		from requestables r left join teams t on t.id = r.team_id where r.retired_at is null order by r.position`)
	all, err := pgx.CollectRows(rows, pgx.RowToStructByPos[knowledge.Request])
	if err != nil {
		return nil, fmt.Errorf("what can be requested: %w", err)
	}
	return all, nil
}

// applyRequests keeps those that the policy still names.
func (tx *Tx) applyRequests(ctx context.Context, p policy.Policy, at time.Time) error {
	batch := &pgx.Batch{}
	batch.Queue(`update requestables set retired_at = $1 where retired_at is null`, at)
	for i, r := range p.Requestable() {
		batch.Queue(`
			insert into requestables (slug, name, words, description, service, category, team_id, audience, position)
			values (@slug, @name, @words, @description, nullif(@service, ''), nullif(@category, ''), (select id from teams where slug = @team), @audience, @position)
			on conflict (slug) do update set name = excluded.name, words = excluded.words, description = excluded.description, service = excluded.service,
				category = excluded.category, team_id = excluded.team_id, audience = excluded.audience, position = excluded.position, retired_at = null`,
			named{"slug": r.Slug, "name": r.Name, "words": orNone(r.Words), "description": r.Description, "service": r.Service,
				"category": r.Category, "team": r.Team, "audience": r.Audience, "position": i})
	}
	return tx.SendBatch(ctx, batch).Close()
}

// Requested keeps what a new ticket is a request for, and that this is what the
// question meant that it came from, if there is one.
func (tx *Tx) Requested(ctx context.Context, id ticket.ID, slug string, q QuestionID, by people.PersonID, via string, at time.Time) error {
	failed := failing("ticket %d requests %s", id, slug)
	if err := tx.later(ctx, failed, `insert into ticket_requests (ticket_id, request) values ($1, $2)`, id, slug); err != nil {
		return err
	}
	if q != 0 {
		if err := tx.later(ctx, failed, `
			insert into evidence (question_id, request, helped, at) values ($1, $2, true, $3)
			on conflict (question_id, request) where request is not null
				do update set helped = true, at = excluded.at, undone_at = null, undone_by = null`, q, slug, at); err != nil {
			return err
		}
	}
	return tx.Audit(ctx, Step{At: at, Action: "requested", Person: by, Via: via, Subject: OfTicket, SubjectID: int64(id), After: map[string]any{"request": slug}})
}
