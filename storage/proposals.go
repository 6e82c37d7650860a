package storage

import (
	"context"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/jackc/pgx/v5"

	"github.com/deskhand/deskhand/core/knowledge"
	"github.com/deskhand/deskhand/core/people"
)

// ProposalID is the record's number for a proposal.
type ProposalID int64

// Proposal is two words that somebody wants to mean the same.
type Proposal struct {
	ID      ProposalID      `db:"id"`
	Gap     GapID           `db:"gap_id"`    // 0: for none
	Term    string          `db:"term"`      // as articles have it
	Synonym string          `db:"synonym"`   // as people say
	Person  people.PersonID `db:"person_id"` // who wants it
	At      time.Time       `db:"at"`
	Tried   *time.Time      `db:"tried_at"`
	Outcome string          `db:"outcome"` // open, added, dropped
	EndedBy people.PersonID `db:"ended_by"`

	Unanswered int     `db:"unanswered"`
	Would      int     `db:"would"`
	Answered   int     `db:"answered"`
	Worse      []int64 `db:"worse"`
}

const proposalColumns = `id, coalesce(gap_id, 0) as gap_id, term, synonym, person_id, at, tried_at, outcome, coalesce(ended_by, 0) as ended_by,
	unanswered, would, answered, worse`

// Propose stores a proposal.
func (tx *Tx) Propose(ctx context.Context, p Proposal, via string) (ProposalID, error) {
	var id ProposalID
	if err := tx.QueryRow(ctx, `insert into proposals (gap_id, term, synonym, person_id, at) values (nullif($1::bigint, 0), $2, $3, $4, $5) returning id`,
		p.Gap, p.Term, p.Synonym, p.Person, p.At).Scan(&id); err != nil {
		return 0, fmt.Errorf("propose %q: %w", p.Synonym, err)
	}
	return id, tx.Audit(ctx, Step{At: p.At, Action: "synonym.proposed", Person: p.Person, Via: via, Subject: OfProposal, SubjectID: int64(id),
		After: map[string]any{"term": p.Term, "synonym": p.Synonym, "gap": p.Gap}})
}

// ProposalForUpdate returns a proposal and locks it until tx ends.
func (tx *Tx) ProposalForUpdate(ctx context.Context, id ProposalID) (Proposal, error) {
	return tx.oneProposal(ctx, id, ` for update`)
}

// Proposal returns a proposal.
func (tx *Tx) Proposal(ctx context.Context, id ProposalID) (Proposal, error) {
	return tx.oneProposal(ctx, id, ``)
}

func (tx *Tx) oneProposal(ctx context.Context, id ProposalID, lock string) (Proposal, error) {
	rows, _ := tx.Query(ctx, `select `+proposalColumns+` from proposals where id = $1`+lock, id)
	p, err := pgx.CollectExactlyOneRow(rows, pgx.RowToStructByName[Proposal])
	if err != nil {
		return p, fmt.Errorf("proposal %d: %w", id, notFound(err))
	}
	return p, nil
}

// ProposalTried keeps what its trial has shown.
func (tx *Tx) ProposalTried(ctx context.Context, id ProposalID, t knowledge.Trial, at time.Time) error {
	worse := make([]int64, len(t.Worse))
	for i, q := range t.Worse {
		worse[i] = q.Question()
	}
	if err := tx.later(ctx, failing("trial of proposal %d", id), `update proposals set tried_at = $2, unanswered = $3, would = $4, answered = $5, worse = $6 where id = $1`,
		id, at, t.Unanswered, t.Would, t.Answered, worse); err != nil {
		return err
	}
	return tx.Audit(ctx, Step{At: at, Action: "synonym.tried", Via: "desk", Subject: OfProposal, SubjectID: int64(id),
		After: map[string]any{"unanswered": t.Unanswered, "would": t.Would, "answered": t.Answered, "worse": worse}})
}

// EndProposal keeps what was decided; the caller holds its lock.
func (tx *Tx) EndProposal(ctx context.Context, id ProposalID, outcome string, by people.PersonID, via string, at time.Time) error {
	if err := tx.later(ctx, touching(ErrConflict, "end proposal %d", id), `
		update proposals set outcome = $2, ended_by = $3, ended_at = $4 where id = $1 and outcome = 'open'`, id, outcome, by, at); err != nil {
		return err
	}
	return tx.Audit(ctx, Step{At: at, Action: "synonym." + outcome, Person: by, Via: via, Subject: OfProposal, SubjectID: int64(id)})
}

// ArticlesSaying are published articles in which one of the words may stand in
// any of its forms, at most limit: rather too many than too few.
func (tx *Tx) ArticlesSaying(ctx context.Context, limit int, words ...string) ([]knowledge.Article, error) {
	var like []string
	for _, w := range strings.Fields(strings.Join(words, " ")) {
		if n := utf8.RuneCountInString(w); n > 4 {
			w = string([]rune(w)[:max(4, n-3)]) // without its ending
		}
		if w != "" {
			like = append(like, "%"+likeEscaper.Replace(w)+"%")
		}
	}
	rows, _ := tx.Query(ctx, `select `+articleColumns+` from articles
		where state = 'published' and (title || ' ' || symptom || ' ' || environment || ' ' || answer || ' ' || cause || ' ' || array_to_string(tags, ' ')) ilike any($1)
		order by id limit $2`, orNone(like), limit)
	found, err := pgx.CollectRows(rows, pgx.RowToStructByName[articleRow])
	if err != nil {
		return nil, fmt.Errorf("articles that say %q: %w", words, err)
	}
	all := make([]knowledge.Article, len(found))
	for i, r := range found {
		all[i] = r.article()
	}
	return all, nil
}
