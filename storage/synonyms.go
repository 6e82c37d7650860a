package storage

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/deskhand/deskhand/core/knowledge"
	"github.com/deskhand/deskhand/core/people"
	"github.com/deskhand/deskhand/core/policy"
)

// SynonymID is the record's number for two words that mean the same.
type SynonymID int64

// Synonyms are what is in force, of the policy and of people, in a lasting order.
func (tx *Tx) Synonyms(ctx context.Context) ([]knowledge.Synonym, error) {
	rows, _ := tx.Query(ctx, `select term, synonym, language from synonyms where removed_at is null order by id`)
	all, err := pgx.CollectRows(rows, pgx.RowToStructByPos[knowledge.Synonym])
	if err != nil {
		return nil, fmt.Errorf("synonyms: %w", err)
	}
	return all, nil
}

// AddSynonym keeps that two words or phrases mean the same. All indexes are
// built with it within seconds. What is there already is left as it is.
func (tx *Tx) AddSynonym(ctx context.Context, s knowledge.Synonym, by people.PersonID, via string, at time.Time) (SynonymID, error) {
	s.Term, s.Synonym = strings.Join(strings.Fields(s.Term), " "), strings.Join(strings.Fields(s.Synonym), " ")
	var (
		id    SynonymID
		fresh bool
	)
	if err := tx.QueryRow(ctx, `
		with added as (
			insert into synonyms (term, synonym, language, policy, person_id, added_at)
			values (@term, @synonym, @language, false, nullif(@by::bigint, 0), @at) on conflict do nothing returning id)
		select id, true from added union all
		select id, false from synonyms where removed_at is null and not policy and language = @language
			and least(lower(term), lower(synonym)) = least(lower(@term), lower(@synonym))
			and greatest(lower(term), lower(synonym)) = greatest(lower(@term), lower(@synonym))
		limit 1`,
		named{"term": s.Term, "synonym": s.Synonym, "language": s.Language, "by": by, "at": at}).Scan(&id, &fresh); err != nil {
		return 0, fmt.Errorf("add synonym %q: %w", s.Synonym, err)
	}
	if !fresh {
		return id, nil
	}
	return id, tx.Audit(ctx, Step{At: at, Action: "synonym.added", Person: by, Via: via, Subject: OfSynonym, SubjectID: int64(id),
		After: map[string]any{"term": s.Term, "synonym": s.Synonym, "language": s.Language}})
}

// RemoveSynonym takes out what somebody has added; ErrNotFound if it is not
// there any more, or is the policy's.
func (tx *Tx) RemoveSynonym(ctx context.Context, id SynonymID, by people.PersonID, via string, at time.Time) error {
	var s knowledge.Synonym
	if err := tx.QueryRow(ctx, `
		update synonyms set removed_at = $2, removed_by = nullif($3::bigint, 0)
		where id = $1 and removed_at is null and not policy returning term, synonym, language`, id, at, by).Scan(&s.Term, &s.Synonym, &s.Language); err != nil {
		return fmt.Errorf("remove synonym %d: %w", id, notFound(err))
	}
	return tx.Audit(ctx, Step{At: at, Action: "synonym.removed", Person: by, Via: via, Subject: OfSynonym, SubjectID: int64(id),
		Before: map[string]any{"term": s.Term, "synonym": s.Synonym, "language": s.Language}})
}

// applySynonyms keeps those that the policy still names.
func (tx *Tx) applySynonyms(ctx context.Context, p policy.Policy, at time.Time) error {
	var terms, synonyms []string
	for _, group := range p.Knowledge.Synonyms {
		for _, s := range group[1:] {
			terms, synonyms = append(terms, group[0]), append(synonyms, s)
		}
	}
	batch := &pgx.Batch{}
	batch.Queue(`
		update synonyms set removed_at = $3 where policy and removed_at is null
			and not exists (select from unnest($1::text[], $2::text[]) n(term, synonym) where n.term = synonyms.term and n.synonym = synonyms.synonym)`,
		orNone(terms), orNone(synonyms), at)
	batch.Queue(`
		insert into synonyms (term, synonym, policy, added_at)
		select term, synonym, true, $3 from unnest($1::text[], $2::text[]) with ordinality n(term, synonym, place) order by place
		on conflict do nothing`, orNone(terms), orNone(synonyms), at)
	return tx.SendBatch(ctx, batch).Close()
}
