package storage

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/deskhand/deskhand/core/change"
)

// Run is which run of which pipeline asks for a change, and how it is told of
// the verdict.
type Run struct {
	Change   change.ID
	Token    TokenID
	Key      string
	Digest   [32]byte // of what was asked
	Callback string   // URL; may be empty
}

// storedRun is change.Pipeline under names that stay.
type storedRun struct {
	Name       string         `json:"name"`
	Repository string         `json:"repository"`
	Run        string         `json:"run"`
	URL        string         `json:"url"`
	Commits    []storedCommit `json:"commits"`
}

type storedCommit struct {
	ID     string `json:"id"`
	Title  string `json:"title"`
	Author string `json:"author"`
	URL    string `json:"url"`
}

func (r *storedRun) pipeline() *change.Pipeline {
	if r == nil {
		return nil
	}
	p := &change.Pipeline{Name: r.Name, Repository: r.Repository, Run: r.Run, URL: r.URL}
	for _, c := range r.Commits {
		p.Commits = append(p.Commits, change.Commit(c))
	}
	return p
}

// AddRun says that a change was asked for by a pipeline.
func (tx *Tx) AddRun(ctx context.Context, r Run, p change.Pipeline) error {
	commits := make([]storedCommit, len(p.Commits))
	for i, c := range p.Commits {
		commits[i] = storedCommit(c)
	}
	text, err := json.Marshal(commits)
	if err == nil {
		_, err = tx.Exec(ctx, `insert into pipeline_runs (change_id, token_id, key, digest, repository, run, url, commits, callback) values ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
			r.Change, r.Token, r.Key, r.Digest[:], p.Repository, p.Run, p.URL, text, r.Callback)
	}
	if err != nil {
		return fmt.Errorf("run %s of change %d: %w", r.Key, r.Change, err)
	}
	return nil
}

// FindRun is what was asked for with a key of a token; ErrNotFound if nothing was.
func (tx *Tx) FindRun(ctx context.Context, t TokenID, key string) (Run, error) {
	return tx.run(ctx, `token_id = $1 and key = $2`, t, key)
}

// RunOf is the run that a change was asked for by; ErrNotFound if a person did.
func (tx *Tx) RunOf(ctx context.Context, id change.ID) (Run, error) {
	return tx.run(ctx, `change_id = $1`, id)
}

func (tx *Tx) run(ctx context.Context, where string, args ...any) (Run, error) {
	var r Run
	var digest []byte
	err := tx.QueryRow(ctx, `select change_id, token_id, key, digest, callback from pipeline_runs where `+where, args...).Scan(&r.Change, &r.Token, &r.Key, &digest, &r.Callback)
	if err != nil {
		return r, fmt.Errorf("run of a pipeline: %w", notFound(err))
	}
	copy(r.Digest[:], digest)
	return r, nil
}

// CallBack has a pipeline told something, in place of what it has not been told
// yet. It does nothing for a change whose pipeline wants no call.
func (tx *Tx) CallBack(ctx context.Context, id change.ID, body []byte, at time.Time) error {
	if err := tx.later(ctx, failing("supersede callbacks of change %d", id), `update callbacks set state = 'superseded', ended_at = $2 where change_id = $1 and state = 'waiting'`, id, at); err != nil {
		return err
	}
	return tx.later(ctx, failing("call back for change %d", id), `
		insert into callbacks (change_id, body, made_at, try_at) select change_id, $2, $3, $3 from pipeline_runs where change_id = $1 and callback <> ''`, id, body, at)
}

// Callback is one that is to be sent.
type Callback struct {
	ID      int64     `db:"id"`
	Change  change.ID `db:"change_id"`
	URL     string    `db:"callback"`
	Secret  []byte    `db:"secret"`
	Body    []byte    `db:"body"`
	Attempt int       `db:"attempts"` // this one, from 1
	MadeAt  time.Time `db:"made_at"`
}

// ClaimCallbacks takes what is due for one process, which must say within the
// lease what became of it, or it is due again. next is when more is due: zero
// if nothing is.
func (db *DB) ClaimCallbacks(ctx context.Context, now time.Time, lease time.Duration, limit int) (all []Callback, next time.Time, err error) {
	err = db.InTx(ctx, func(tx *Tx) error {
		batch := &pgx.Batch{}
		batch.Queue(`
			with due as (
				select id from callbacks where state = 'waiting' and try_at <= $1 order by try_at limit $3 for update skip locked),
			taken as (
				update callbacks c set attempts = attempts + 1, try_at = $2 from due where c.id = due.id
				returning c.id, c.change_id, c.body, c.attempts, c.made_at),
			noted as (
				insert into callback_attempts (callback_id, attempt, at) select id, attempts, $1 from taken)
			select t.id, t.change_id, r.callback, k.secret, t.body, t.attempts, t.made_at
			from taken t join pipeline_runs r on r.change_id = t.change_id join tokens k on k.id = r.token_id order by t.id`, now, now.Add(lease), limit)
		batch.Queue(`select try_at from callbacks where state = 'waiting' order by try_at limit 1`)
		results := tx.SendBatch(ctx, batch)
		rows, _ := results.Query()
		var err error
		if all, err = pgx.CollectRows(rows, pgx.RowToStructByName[Callback]); err == nil {
			if err = results.QueryRow().Scan(&next); errors.Is(err, pgx.ErrNoRows) {
				err = nil
			}
		}
		return errors.Join(err, results.Close())
	})
	if err != nil {
		return nil, time.Time{}, fmt.Errorf("callbacks that are due: %w", err)
	}
	return all, next, nil
}

// CallbackDone keeps what an attempt came to: the status of the answer, if there
// was one. again is when to try again; zero: never, for it was delivered or is
// given up.
func (tx *Tx) CallbackDone(ctx context.Context, c Callback, status int, problem string, delivered bool, again, at time.Time) error {
	if err := tx.later(ctx, failing("attempt %d of callback %d", c.Attempt, c.ID), `
		update callback_attempts set status = nullif($3, 0), error = nullif($4, '') where callback_id = $1 and attempt = $2`, c.ID, c.Attempt, status, problem); err != nil {
		return err
	}
	state := "waiting"
	switch {
	case delivered:
		state = "delivered"
	case again.IsZero():
		state = "given_up"
	default:
		return tx.later(ctx, failing("put off callback %d", c.ID), `update callbacks set try_at = $2 where id = $1 and state = 'waiting' and attempts = $3`, c.ID, again, c.Attempt)
	}
	return tx.later(ctx, failing("end callback %d", c.ID), `update callbacks set state = $2, ended_at = $3 where id = $1 and state = 'waiting'`, c.ID, state, at)
}

// ChangeVersions are the versions of changes, by number of the record.
func (tx *Tx) ChangeVersions(ctx context.Context, ids []change.ID) (map[change.ID]int, error) {
	found := make(map[change.ID]int, len(ids))
	var id change.ID
	var v int
	rows, _ := tx.Query(ctx, `select id, version from changes where id = any($1)`, ids)
	if _, err := pgx.ForEachRow(rows, []any{&id, &v}, func() error { found[id] = v; return nil }); err != nil {
		return nil, fmt.Errorf("versions of changes: %w", err)
	}
	return found, nil
}
