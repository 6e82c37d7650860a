package storage

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/deskhand/deskhand/core/approval"
	"github.com/deskhand/deskhand/core/change"
	"github.com/deskhand/deskhand/core/people"
)

type approvalRow struct {
	ID        int64             `db:"id"`
	Change    change.ID         `db:"change_id"`
	Hash      string            `db:"hash"`
	Own       []people.PersonID `db:"own"`
	Window    *time.Time        `db:"window_from"`
	HighRisk  bool              `db:"high_risk"`
	State     approval.State    `db:"state"`
	Round     int               `db:"round"`
	Stage     int               `db:"stage"`
	Stages    []storedStage     `db:"stages"`
	AskedBy   people.PersonID   `db:"asked_by"`
	AskedAt   time.Time         `db:"asked_at"`
	DecidedBy people.PersonID   `db:"decided_by"`
	DecidedAt *time.Time        `db:"decided_at"`
	Note      string            `db:"note"`
	BegunAt   *time.Time        `db:"begun_at"`
}

// storedStage is approval.Stage under names that stay.
type storedStage struct {
	Name        string            `json:"name"`
	Quorum      approval.Quorum   `json:"quorum"`
	K           int               `json:"k,omitempty"`
	Ask         []storedWho       `json:"ask"`
	Deputies    []storedWho       `json:"deputies,omitempty"`
	Within      time.Duration     `json:"within"` // ns
	Seats       []people.PersonID `json:"seats,omitempty"`
	Need        int               `json:"need,omitempty"`
	AskedAt     time.Time         `json:"asked_at,omitzero"`
	RemindedAt  time.Time         `json:"reminded_at,omitzero"`
	EscalatedAt time.Time         `json:"escalated_at,omitzero"`
	StuckAt     time.Time         `json:"stuck_at,omitzero"`
}

type storedWho struct {
	Person people.PersonID `json:"person,omitempty"`
	Group  string          `json:"group,omitempty"`
}

func storeStages(stages []approval.Stage) []storedStage {
	who := func(all []approval.Who) []storedWho {
		var out []storedWho
		for _, w := range all {
			out = append(out, storedWho(w))
		}
		return out
	}
	out := make([]storedStage, len(stages))
	for i, s := range stages {
		out[i] = storedStage{s.Name, s.Rule.Quorum, s.Rule.K, who(s.Ask), who(s.Deputies), s.Within, s.Seats, s.Need, s.AskedAt, s.RemindedAt, s.EscalatedAt, s.StuckAt}
	}
	return out
}

func stagesOf(stored []storedStage) []approval.Stage {
	who := func(all []storedWho) []approval.Who {
		var out []approval.Who
		for _, w := range all {
			out = append(out, approval.Who(w))
		}
		return out
	}
	out := make([]approval.Stage, len(stored))
	for i, s := range stored {
		out[i] = approval.Stage{Name: s.Name, Rule: approval.Rule{Quorum: s.Quorum, K: s.K}, Ask: who(s.Ask), Deputies: who(s.Deputies), Within: s.Within,
			Seats: s.Seats, Need: s.Need, AskedAt: s.AskedAt, RemindedAt: s.RemindedAt, EscalatedAt: s.EscalatedAt, StuckAt: s.StuckAt}
	}
	return out
}

const approvalColumns = `a.id, a.change_id, a.hash, a.own, a.window_from, a.high_risk, a.state, a.round, a.stage, a.stages, coalesce(a.asked_by, 0) as asked_by, a.asked_at,
	coalesce(a.decided_by, 0) as decided_by, a.decided_at, a.note, a.begun_at`

// votesOf are the votes of the present round of some changes' approvals.
const votesOf = `select a.change_id, v.stage, v.seat_id, v.by_id, v.capacity, v.answer, v.note, v.hash, v.at
	from approvals a join votes v on v.approval_id = a.id and v.round = a.round where a.change_id = any($1) order by v.at, v.seat_id`

type voteRow struct {
	Change change.ID
	approval.Vote
}

// ApprovalOf returns a change's approval with the votes of its round; ErrNotFound
// if nobody has been asked. Whoever changes it holds the lock of the change.
func (tx *Tx) ApprovalOf(ctx context.Context, id change.ID) (approval.Approval, error) {
	all, err := tx.ApprovalsOf(ctx, id)
	if err != nil {
		return approval.Approval{}, err
	}
	a, ok := all[id]
	if !ok {
		return a, fmt.Errorf("approval of change %d: %w", id, ErrNotFound)
	}
	return a, nil
}

// ApprovalsOf is the same for several changes, in one trip; of whom nobody has
// been asked about is left out.
func (tx *Tx) ApprovalsOf(ctx context.Context, ids ...change.ID) (map[change.ID]approval.Approval, error) {
	batch := &pgx.Batch{}
	queueApprovals(batch, ids)
	results := tx.SendBatch(ctx, batch)
	all, err := readApprovals(results)
	if err = errors.Join(err, results.Close()); err != nil {
		return nil, fmt.Errorf("approvals of changes %v: %w", ids, err)
	}
	return all, nil
}

func queueApprovals(batch *pgx.Batch, ids []change.ID) {
	batch.Queue(`select `+approvalColumns+` from approvals a where a.change_id = any($1)`, ids)
	batch.Queue(votesOf, ids)
}

func readApprovals(results pgx.BatchResults) (map[change.ID]approval.Approval, error) {
	rows, _ := results.Query()
	found, err := pgx.CollectRows(rows, pgx.RowToStructByName[approvalRow])
	if err != nil {
		return nil, err
	}
	rows, _ = results.Query()
	votes, err := pgx.CollectRows(rows, pgx.RowToStructByPos[voteRow])
	if err != nil {
		return nil, err
	}
	of := map[change.ID][]approval.Vote{}
	for _, v := range votes {
		of[v.Change] = append(of[v.Change], v.Vote)
	}
	all := make(map[change.ID]approval.Approval, len(found))
	for _, r := range found {
		all[r.Change] = approval.Approval{Subject: approval.Subject{Hash: r.Hash, Own: r.Own, Window: orZero(r.Window), HighRisk: r.HighRisk}, Stages: stagesOf(r.Stages),
			State: r.State, Round: r.Round, Stage: r.Stage, Votes: of[r.Change], Asked: r.AskedBy, AskedAt: r.AskedAt, Decided: r.DecidedBy, DecidedAt: orZero(r.DecidedAt),
			Note: r.Note, BegunAt: orZero(r.BegunAt)}
	}
	return all, nil
}

// SaveApproval stores what a step has made of a change's approval, with an entry
// in the audit record for each event. c is the text that is asked about.
func (tx *Tx) SaveApproval(ctx context.Context, c change.Change, a approval.Approval, events []approval.Event, via string) error {
	fail := func(err error) error { return fmt.Errorf("approval of %s: %w", c.Ref(), err) }
	stages, err := json.Marshal(storeStages(a.Stages))
	if err != nil {
		return fail(err)
	}
	var id int64
	if err := tx.QueryRow(ctx, `
		insert into approvals (change_id, hash, own, window_from, high_risk, state, round, stage, stages, asked_by, asked_at, decided_by, decided_at, note, begun_at)
		values (@change, @hash, @own, @window, @high, @state, @round, @stage, @stages, nullif(@asked_by::bigint, 0), @asked_at, nullif(@decided_by::bigint, 0), @decided_at, @note, @begun)
		on conflict (change_id) do update set hash = excluded.hash, own = excluded.own, window_from = excluded.window_from, high_risk = excluded.high_risk,
			state = excluded.state, round = excluded.round, stage = excluded.stage, stages = excluded.stages, asked_by = excluded.asked_by,
			asked_at = excluded.asked_at, decided_by = excluded.decided_by, decided_at = excluded.decided_at, note = excluded.note, begun_at = excluded.begun_at
		returning id`,
		named{"change": c.ID, "hash": a.Subject.Hash, "own": a.Subject.Own, "window": orNull(a.Subject.Window), "high": a.Subject.HighRisk,
			"state": a.State, "round": a.Round, "stage": a.Stage, "stages": stages, "asked_by": a.Asked, "asked_at": a.AskedAt,
			"decided_by": a.Decided, "decided_at": orNull(a.DecidedAt), "note": a.Note, "begun": orNull(a.BegunAt)}).Scan(&id); err != nil {
		return fail(err)
	}
	text, err := json.Marshal(c)
	if err != nil {
		return fail(err)
	}
	if err := tx.later(ctx, failing("round of %s", c.Ref()), `
		insert into approval_rounds (approval_id, round, hash, stages, asked_at, change) values ($1, $2, $3, $4, $5, $6) on conflict (approval_id, round) do nothing`,
		id, a.Round, a.Subject.Hash, len(a.Stages), a.AskedAt, text); err != nil {
		return err
	}
	// In order: a stage's votes before the next stage, which they let in.
	for i, s := range a.Stages {
		if s.AskedAt.IsZero() {
			break
		}
		if err := tx.later(ctx, failing("stage %d of %s", i+1, c.Ref()), `
			insert into approval_stages (approval_id, round, stage, name, need, seats, asked_at) values ($1, $2, $3, $4, $5, $6, $7)
			on conflict (approval_id, round, stage) do nothing`, id, a.Round, i, s.Name, s.Need, s.Seats, s.AskedAt); err != nil {
			return err
		}
		for _, v := range a.Votes {
			if v.Stage != i {
				continue
			}
			if err := tx.later(ctx, failing("vote on %s", c.Ref()), `
				insert into votes as v (approval_id, round, stage, seat_id, by_id, capacity, answer, note, hash, at) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
				on conflict (approval_id, round, stage, seat_id) do update set by_id = excluded.by_id, capacity = excluded.capacity, answer = excluded.answer,
					note = excluded.note, hash = excluded.hash, at = excluded.at
				where (v.by_id, v.answer, v.at) is distinct from (excluded.by_id, excluded.answer, excluded.at)`,
				id, a.Round, i, v.Seat, v.By, v.As, v.Answer, v.Note, v.Hash, v.At); err != nil {
				return err
			}
		}
	}
	for _, e := range events {
		if err := tx.auditApproval(ctx, c.ID, e, via); err != nil {
			return err
		}
	}
	return nil
}

func (tx *Tx) auditApproval(ctx context.Context, id change.ID, e approval.Event, via string) error {
	after := map[string]any{"round": e.Round, "stage": e.Stage, "hash": e.Hash}
	var before map[string]any
	vote := func(v *approval.Vote) map[string]any {
		return map[string]any{"seat": int64(v.Seat), "by": int64(v.By), "as": string(v.As), "answer": string(v.Answer), "hash": v.Hash}
	}
	if e.Vote != nil {
		after["vote"] = vote(e.Vote)
	}
	if e.Before != nil {
		before = map[string]any{"vote": vote(e.Before)}
	}
	if len(e.Voided) > 0 {
		var voided []map[string]any
		for _, v := range e.Voided {
			voided = append(voided, vote(&v))
		}
		before = map[string]any{"votes": voided}
	}
	note := e.Note
	if note == "" && e.Vote != nil {
		note = e.Vote.Note
	}
	return tx.Audit(ctx, Step{At: e.At, Action: "approval: " + string(e.Action), Person: e.By, Via: via, Subject: OfChange, SubjectID: int64(id),
		Before: before, After: after, Note: note})
}

// RoundText is what a change said in an earlier round.
func (tx *Tx) RoundText(ctx context.Context, id change.ID, round int) (change.Change, error) {
	var text []byte
	err := tx.QueryRow(ctx, `select r.change from approval_rounds r join approvals a on a.id = r.approval_id where a.change_id = $1 and r.round = $2`, id, round).Scan(&text)
	if err != nil {
		return change.Change{}, fmt.Errorf("round %d of change %d: %w", round, id, notFound(err))
	}
	var c change.Change
	if err := json.Unmarshal(text, &c); err != nil {
		return c, fmt.Errorf("round %d of change %d: %w", round, id, err)
	}
	return c, nil
}

// AskedOf are the changes that wait for an answer and have a seat of somebody,
// or of somebody they answer for, in their present stage; or whose time is over,
// so that deputies may speak. Whether they may, package approval decides.
func (tx *Tx) AskedOf(ctx context.Context, who []people.PersonID, limit int) ([]change.Change, error) {
	return tx.changes(ctx, "what waits for an approver", `
		select `+changeColumns+` from changes c join approvals a on a.change_id = c.id
			join approval_stages s on s.approval_id = a.id and s.round = a.round and s.stage = a.stage
		where a.state = 'waiting' and (s.seats && $1 or a.stages -> a.stage ? 'escalated_at')
		order by c.window_from, c.id limit $2`, who, limit)
}

// Able are the people who work here and may approve.
func (tx *Tx) Able(ctx context.Context) (map[people.PersonID]bool, error) {
	able := map[people.PersonID]bool{}
	var id people.PersonID
	rows, _ := tx.Query(ctx, `select id from people where left_at is null and not guest`)
	if _, err := pgx.ForEachRow(rows, []any{&id}, func() error { able[id] = true; return nil }); err != nil {
		return nil, fmt.Errorf("who may approve: %w", err)
	}
	return able, nil
}

// Delegations are those that are not over.
func (tx *Tx) Delegations(ctx context.Context, now time.Time) ([]approval.Delegation, error) {
	rows, _ := tx.Query(ctx, `select from_id, to_id, since, until from delegations where until > $1 order by id`, now)
	all, err := pgx.CollectRows(rows, pgx.RowToStructByPos[approval.Delegation])
	if err != nil {
		return nil, fmt.Errorf("delegations: %w", err)
	}
	return all, nil
}

// LockDelegations keeps others from handing over until tx ends, so that two
// can't make a circle between them.
func (tx *Tx) LockDelegations(ctx context.Context) error {
	_, err := tx.Exec(ctx, `lock table delegations in share row exclusive mode`)
	if err != nil {
		return fmt.Errorf("lock delegations: %w", err)
	}
	return nil
}

// Delegate stores that somebody answers for somebody.
func (tx *Tx) Delegate(ctx context.Context, d approval.Delegation, via string, at time.Time) error {
	if err := tx.later(ctx, failing("hand over approvals"), `insert into delegations (from_id, to_id, since, until) values ($1, $2, $3, $4)`,
		d.From, d.To, d.Since, d.Until); err != nil {
		return err
	}
	return tx.Audit(ctx, Step{At: at, Action: "approvals handed over", Person: d.From, Via: via, Subject: OfPerson, SubjectID: int64(d.From),
		After: map[string]any{"to": int64(d.To), "since": d.Since, "until": d.Until}})
}

// EndDelegation ends what somebody has handed over; false if there is none.
func (tx *Tx) EndDelegation(ctx context.Context, from people.PersonID, via string, at time.Time) (bool, error) {
	tag, err := tx.Exec(ctx, `update delegations set until = greatest($2, since + interval '1 second') where from_id = $1 and until > $2`, from, at)
	if err != nil {
		return false, fmt.Errorf("end a delegation: %w", err)
	}
	if tag.RowsAffected() == 0 {
		return false, nil
	}
	return true, tx.Audit(ctx, Step{At: at, Action: "approvals taken back", Person: from, Via: via, Subject: OfPerson, SubjectID: int64(from)})
}

// ProvenVote is a vote of any round, with the names of who gave it and whose
// seat it is.
type ProvenVote struct {
	Round  int       `db:"round"`
	Stage  string    `db:"stage"`
	Seat   string    `db:"seat"`
	By     string    `db:"by"`
	Answer string    `db:"answer"`
	Note   string    `db:"note"`
	Hash   string    `db:"hash"`
	At     time.Time `db:"at"`
}

// Proof is every vote on a change, in order, voided ones included.
func (tx *Tx) Proof(ctx context.Context, id change.ID) ([]ProvenVote, error) {
	rows, _ := tx.Query(ctx, `
		select v.round, s.name as stage, seat.name as seat, by.name as by, v.answer, v.note, v.hash, v.at
		from approvals a join votes v on v.approval_id = a.id
			join approval_stages s on s.approval_id = v.approval_id and s.round = v.round and s.stage = v.stage
			join people seat on seat.id = v.seat_id join people by on by.id = v.by_id
		where a.change_id = $1 order by v.round, v.stage, v.at`, id)
	votes, err := pgx.CollectRows(rows, pgx.RowToStructByName[ProvenVote])
	if err != nil {
		return nil, fmt.Errorf("votes on change %d: %w", id, err)
	}
	return votes, nil
}
