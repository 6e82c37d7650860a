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

// ForgetRequests takes out of what indexes learn from with which words something
// was requested, since a time, or was not meant. It returns how much that was.
func (tx *Tx) ForgetRequests(ctx context.Context, slug string, since time.Time, by people.PersonID, via string, at time.Time) (int64, error) {
	return tx.changeRequests(ctx, slug, by, via, at, "requests.forgotten", map[string]any{"request": slug, "since": since}, `
		update evidence set undone_at = $3, undone_by = nullif($4::bigint, 0) where request = $1 and at >= $2 and undone_at is null`, slug, since, at, by)
}

// RecallRequests undoes the ForgetRequests of a time.
func (tx *Tx) RecallRequests(ctx context.Context, slug string, forgotten time.Time, by people.PersonID, via string, at time.Time) (int64, error) {
	return tx.changeRequests(ctx, slug, by, via, at, "requests.recalled", map[string]any{"request": slug, "forgotten": forgotten}, `
		update evidence set undone_at = null, undone_by = null where request = $1 and undone_at = $2`, slug, forgotten)
}

func (tx *Tx) changeRequests(ctx context.Context, slug string, by people.PersonID, via string, at time.Time, action string, after map[string]any, sql string, args ...any) (int64, error) {
	tag, err := tx.Exec(ctx, sql, args...)
	if err != nil {
		return 0, fmt.Errorf("evidence of request %s: %w", slug, err)
	}
	n := tag.RowsAffected()
	if n == 0 {
		return 0, nil
	}
	after["pieces"] = n
	return n, tx.Audit(ctx, Step{At: at, Action: action, Person: by, Via: via, Subject: OfPolicy, After: after})
}
