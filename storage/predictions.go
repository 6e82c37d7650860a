package storage

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/deskhand/deskhand/core/knowledge"
	"github.com/deskhand/deskhand/core/people"
	"github.com/deskhand/deskhand/core/ticket"
)

// Prediction is what the desk guessed that a ticket is about and whose it is,
// and what was chosen.
type Prediction struct {
	Asked     bool                `db:"asked"`     // it was filled into a form, to be changed there; else nobody was asked
	Service   string              `db:"service"`   // slug; empty: only the team was guessed
	Category  string              `db:"category"`  // slug; may be empty
	Certainty knowledge.Certainty `db:"certainty"` // Unsure: by the policy's words alone
	Sure      float64             `db:"sure"`
	Alike     int                 `db:"alike"`
	Team      people.TeamID       `db:"team_id"` // that it was sent to rather than to the policy's; 0: it was not
	TeamAlike int                 `db:"team_alike"`

	ChosenService  string `db:"chosen_service"` // may be empty
	ChosenCategory string `db:"chosen_category"`
}

const predictionColumns = `asked, coalesce(service, '') as service, coalesce(category, '') as category, certainty, sure, alike,
	coalesce(team_id, 0) as team_id, team_alike, coalesce(chosen_service, '') as chosen_service, coalesce(chosen_category, '') as chosen_category`

// Kept tells whether what was guessed was also chosen.
func (p Prediction) Kept() bool {
	return p.Service == p.ChosenService && p.Category == p.ChosenCategory
}

// Predicted keeps what was guessed of a ticket that has been opened.
func (tx *Tx) Predicted(ctx context.Context, id ticket.ID, p Prediction, via string, at time.Time) error {
	if err := tx.later(ctx, failing("prediction of ticket %d", id), `
		insert into predictions (ticket_id, at, asked, service, category, certainty, sure, alike, team_id, team_alike, chosen_service, chosen_category)
		values (@id, @at, @asked, nullif(@service, ''), nullif(@category, ''), @certainty, @sure, @alike, nullif(@team::bigint, 0), @team_alike,
			nullif(@chosen_service, ''), nullif(@chosen_category, ''))`,
		named{"id": id, "at": at, "asked": p.Asked, "service": p.Service, "category": p.Category, "certainty": string(p.Certainty),
			"sure": p.Sure, "alike": p.Alike, "team": p.Team, "team_alike": p.TeamAlike, "chosen_service": p.ChosenService, "chosen_category": p.ChosenCategory}); err != nil {
		return err
	}
	after := changed(Prediction{}, p)
	after["asked"] = p.Asked
	return tx.Audit(ctx, Step{At: at, Action: "predicted", Via: via, Subject: OfTicket, SubjectID: int64(id), After: after})
}

// foretold holds what was guessed of a ticket, if anything was, against what it
// is about after all.
func (tx *Tx) foretold(ctx context.Context, is ticket.Ticket) error {
	return tx.later(ctx, failing("prediction of ticket %s", is.Ref()), `
		update predictions set chosen_service = nullif($2, ''), chosen_category = nullif($3, '') where ticket_id = $1`,
		is.ID, is.Service, is.Category)
}

// PredictionRate is how often what was guessed with a certainty was right.
type PredictionRate struct {
	Certainty knowledge.Certainty `db:"certainty"`
	Asked     int                 `db:"asked"`     // how often it stood in a form
	Kept      int                 `db:"kept"`      // and was left so
	Sent      int                 `db:"sent"`      // tickets that were sent to another team than the policy's
	Stayed    int                 `db:"stayed"`    // and belonged there, as far as anybody said
	Unasked   int                 `db:"unasked"`   // how often nobody was asked what it is about
	Corrected int                 `db:"corrected"` // and an agent has said that it is about something else
}

// PredictionRates are those of tickets opened from one moment to another, the
// surest first.
func (tx *Tx) PredictionRates(ctx context.Context, from, to time.Time) ([]PredictionRate, error) {
	rows, _ := tx.Query(ctx, `
		select certainty, count(*) filter (where asked and service is not null) as asked,
			count(*) filter (where asked and service = chosen_service and category is not distinct from chosen_category) as kept,
			count(*) filter (where team_id is not null) as sent,
			count(*) filter (where team_id is not null and not exists (
				select from evidence e where e.ticket_id = p.ticket_id and e.team_id <> p.team_id)) as stayed,
			count(*) filter (where not asked and service is not null) as unasked,
			count(*) filter (where not asked and service is not null
				and (service, category) is distinct from (chosen_service, chosen_category)) as corrected
		from predictions p where at >= $1 and at < $2
		group by certainty order by certainty desc`, from, to)
	all, err := pgx.CollectRows(rows, pgx.RowToStructByName[PredictionRate])
	if err != nil {
		return nil, fmt.Errorf("prediction rates: %w", err)
	}
	return all, nil
}
