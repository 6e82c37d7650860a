package storage

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/deskhand/deskhand/core/people"
)

// Subject is what an audit entry is about.
type Subject string

// The subjects of the audit record.
const (
	OfTicket   Subject = "ticket"
	OfQuestion Subject = "question"
	OfArticle  Subject = "article"
	OfPerson   Subject = "person"
	OfPolicy   Subject = "policy"
	OfMessage  Subject = "message"
	OfChannel  Subject = "channel"
	OfItem     Subject = "item"
	OfChange   Subject = "change"
	OfToken    Subject = "token"
	OfGap      Subject = "gap"
	OfSynonym  Subject = "synonym"
	OfProposal Subject = "proposal"
	OfLetter   Subject = "letter"
)

// Step is one entry of the audit record: who did what, when, from where, and
// what it changed. Before and After hold only what differs, by column name: Before
// what was not empty of it, After with "at" for a time that is the entry's own.
type Step struct {
	At        time.Time
	Action    string
	Person    people.PersonID // 0: the desk itself
	Via       string          // "slack #it-triage", "deskhand apply"
	Subject   Subject
	SubjectID int64
	Before    map[string]any
	After     map[string]any
	Note      string
}

const insertAudit = `
	insert into audit (at, action, person_id, via, subject, subject_id, before, after, note)
	values (@at, @action, nullif(@person, 0), @via, @subject, @subject_id, @before, @after, @note)`

func (s Step) args() named {
	return named{
		"at": s.At, "action": s.Action, "person": s.Person, "via": s.Via,
		"subject": string(s.Subject), "subject_id": s.SubjectID,
		"before": facts(s.Before), "after": facts(s.After), "note": s.Note,
	}
}

// facts is nil for an empty map, so that the column is null.
func facts(m map[string]any) []byte {
	if len(m) == 0 {
		return nil
	}
	b, err := json.Marshal(m)
	if err != nil {
		panic(err) // the store fills these maps itself, with strings, numbers and times
	}
	return b
}

// Audit writes an entry. The methods that change something write their own;
// this is for steps that leave no other trace.
func (tx *Tx) Audit(ctx context.Context, s Step) error {
	return tx.later(ctx, failing("audit %s of %s %d", s.Action, s.Subject, s.SubjectID), insertAudit, s.args())
}

// AuditAll is Audit for many.
func (tx *Tx) AuditAll(ctx context.Context, all []Step) error {
	n := len(all)
	if n == 0 {
		return nil
	}
	ats, actions, who, vias, subjects := make([]time.Time, n), make([]string, n), make([]people.PersonID, n), make([]string, n), make([]string, n)
	ids, befores, afters, notes := make([]int64, n), make([]*string, n), make([]*string, n), make([]string, n)
	text := func(m map[string]any) *string {
		if b := facts(m); b != nil {
			s := string(b)
			return &s
		}
		return nil
	}
	for i, s := range all {
		ats[i], actions[i], who[i], vias[i], subjects[i] = s.At, s.Action, s.Person, s.Via, string(s.Subject)
		ids[i], befores[i], afters[i], notes[i] = s.SubjectID, text(s.Before), text(s.After), s.Note
	}
	return tx.later(ctx, failing("audit %s of %s %d and others", all[0].Action, all[0].Subject, all[0].SubjectID), `
		insert into audit (at, action, person_id, via, subject, subject_id, before, after, note)
		select at, action, nullif(person, 0), via, subject, id, before::json, after::json, note
		from unnest($1::timestamptz[], $2::text[], $3::bigint[], $4::text[], $5::text[], $6::bigint[], $7::text[], $8::text[], $9::text[])
			as s (at, action, person, via, subject, id, before, after, note)`,
		ats, actions, who, vias, subjects, ids, befores, afters, notes)
}

// HistoryEntry is a Step as it is read back.
type HistoryEntry struct {
	At     time.Time       `db:"at"`
	Action string          `db:"action"`
	Person string          `db:"person"` // name; empty: the desk
	Via    string          `db:"via"`
	Before json.RawMessage `db:"before"`
	After  json.RawMessage `db:"after"`
	Note   string          `db:"note"`
}

// History is the audit record of one thing, oldest first, at most limit
// entries, the newest ones if there are more.
func (tx *Tx) History(ctx context.Context, of Subject, id int64, limit int) ([]HistoryEntry, error) {
	rows, _ := tx.Query(ctx, `
		select at, action, coalesce(p.name, '') as person, via, before, after,
			case when note = '' then coalesce(after->>'resolution', after->>'wait_note', '') else note end as note
		from (select * from audit where subject = $1 and subject_id = $2 order by at desc, id desc limit $3) a
		left join people p on p.id = a.person_id
		order by at, a.id`, string(of), id, limit)
	h, err := pgx.CollectRows(rows, pgx.RowToStructByName[HistoryEntry])
	if err != nil {
		return nil, fmt.Errorf("history of %s %d: %w", of, id, err)
	}
	return h, nil
}

// OnceFor writes a step that may be taken only once for a thing, and tells
// whether this was the time. The caller holds the lock of the thing.
func (tx *Tx) OnceFor(ctx context.Context, of Subject, id int64, action string, by people.PersonID, via string, at time.Time) (bool, error) {
	var done bool
	if err := tx.QueryRow(ctx, `select exists (select 1 from audit where subject = $1 and subject_id = $2 and action = $3)`,
		string(of), id, action).Scan(&done); err != nil {
		return false, fmt.Errorf("once for %s %d: %w", of, id, err)
	}
	if done {
		return false, nil
	}
	return true, tx.Audit(ctx, Step{At: at, Action: action, Person: by, Via: via, Subject: of, SubjectID: id})
}
