package storage

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/deskhand/deskhand/core/sla"
	"github.com/deskhand/deskhand/core/ticket"
)

// Alert is a mark of a clock's ladder that has been seen to. There is one for
// each clock, round and mark, whoever watches.
type Alert struct {
	ID     int64
	Ticket ticket.ID
	Kind   sla.Kind
	Round  int
	Mark   sla.Mark
	Due    time.Time // to be told
	At     time.Time
	// Overtaken says that a later mark was due too, and only that one is told.
	Overtaken bool
	Late      string // why it was seen to late, in words

	// Overtook are the shares of the target at which those were due that this
	// one has overtaken.
	Overtook []int
	Tell     *time.Time // when to tell it; nil: it is told
}

const addAlerts = `
	insert into alerts (ticket_id, kind, round, percent, beyond_ns, due_at, at, outcome, late, tell_at)
	select * from unnest($1::bigint[], $2::text[], $3::int[], $4::int[], $5::bigint[], $6::timestamptz[], $7::timestamptz[], $8::text[], $9::text[], $10::timestamptz[])`

func alertArgs(all []Alert) []any {
	n := len(all)
	tickets, kinds, rounds, percents, beyonds := make([]ticket.ID, n), make([]string, n), make([]int, n), make([]int, n), make([]int64, n)
	dues, ats, outcomes, lates, tells := make([]time.Time, n), make([]time.Time, n), make([]string, n), make([]string, n), make([]*time.Time, n)
	for i, a := range all {
		tickets[i], kinds[i], rounds[i], percents[i], beyonds[i] = a.Ticket, string(a.Kind), a.Round, a.Mark.Percent, int64(a.Mark.Beyond)
		dues[i], ats[i], outcomes[i], lates[i], tells[i] = a.Due, a.At, "told", a.Late, a.Tell
		if a.Overtaken {
			outcomes[i] = "overtaken"
		}
	}
	return []any{tickets, kinds, rounds, percents, beyonds, dues, ats, outcomes, lates, tells}
}

// AddAlerts stores the alerts and fills in their numbers. One that was there
// before keeps the number 0: it has been told.
func (tx *Tx) AddAlerts(ctx context.Context, all []Alert) error {
	if len(all) == 0 {
		return nil
	}
	type key struct {
		ticket ticket.ID
		kind   sla.Kind
		round  int
		mark   sla.Mark
	}
	index := make(map[key]int, len(all))
	for i, a := range all {
		index[key{a.Ticket, a.Kind, a.Round, a.Mark}] = i
	}
	rows, _ := tx.Query(ctx, addAlerts+` on conflict on constraint alerts_once do nothing returning id, ticket_id, kind, round, percent, beyond_ns`, alertArgs(all)...)
	var (
		id int64
		k  key
	)
	if _, err := pgx.ForEachRow(rows, []any{&id, &k.ticket, &k.kind, &k.round, &k.mark.Percent, &k.mark.Beyond}, func() error {
		all[index[k]].ID = id
		return nil
	}); err != nil {
		return fmt.Errorf("%d alerts: %w", len(all), err)
	}
	return nil
}

// PutAlerts is AddAlerts for alerts that are told later, so that nobody needs
// their numbers yet, and none of which is on record: one that is refuses all.
func (tx *Tx) PutAlerts(ctx context.Context, all []Alert) error {
	return tx.later(ctx, failing("%d alerts", len(all)), addAlerts, alertArgs(all)...)
}

// UntoldAlerts returns at most limit of the alerts that are to be told by now,
// those of the most urgent tickets first.
func (db *DB) UntoldAlerts(ctx context.Context, now time.Time, limit int) (all []int64, err error) {
	err = db.run(ctx, inOrder, func(tx *Tx) error {
		rows, _ := tx.Query(ctx, `
			select a.id from alerts a join tickets t on t.id = a.ticket_id
			where a.tell_at <= $1 order by t.priority, a.due_at, a.id limit $2`, now, limit)
		all, err = pgx.CollectRows(rows, pgx.RowTo[int64])
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("alerts to be told: %w", err)
	}
	return all, nil
}

// LockUntold locks those of the alerts that are still to be told, and their
// tickets, and returns both. Like LockDue it never waits.
func (tx *Tx) LockUntold(ctx context.Context, now time.Time, ids []int64) ([]Alert, []ticket.Ticket, error) {
	rows, _ := tx.Query(ctx, `
		select a.id, a.ticket_id, a.kind, a.round, a.percent, a.beyond_ns, a.due_at, a.at, a.late,
			array(select o.percent from alerts o where o.ticket_id = a.ticket_id and o.kind = a.kind and o.round = a.round
				and o.at = a.at and o.outcome = 'overtaken') as overtook
		from alerts a join tickets t on t.id = a.ticket_id
		where a.id = any($1) and a.tell_at <= $2 order by t.id, a.id for update of a, t skip locked`, ids, now)
	var (
		all     []Alert
		tickets []ticket.ID
		a       Alert
	)
	if _, err := pgx.ForEachRow(rows, []any{&a.ID, &a.Ticket, &a.Kind, &a.Round, &a.Mark.Percent, &a.Mark.Beyond, &a.Due, &a.At, &a.Late, &a.Overtook}, func() error {
		all, tickets = append(all, a), append(tickets, a.Ticket)
		a.Overtook = nil
		return nil
	}); err != nil {
		return nil, nil, fmt.Errorf("lock alerts: %w", err)
	}
	found, err := tx.Tickets(ctx, tickets)
	return all, found, err
}

// AlertsTold notes that the alerts have been told.
func (tx *Tx) AlertsTold(ctx context.Context, ids []int64) error {
	return tx.later(ctx, failing("%d alerts told", len(ids)), `update alerts set tell_at = null where id = any($1)`, ids)
}

// PutOffTelling has an alert that could not be told come again later.
func (db *DB) PutOffTelling(ctx context.Context, id int64, now, until time.Time) error {
	return db.InTx(ctx, func(tx *Tx) error {
		_, err := tx.Exec(ctx, `update alerts set tell_at = $3 where id = $1 and tell_at <= $2`, id, now, until)
		return err
	})
}

// DigestID is the record's number for a digest.
type DigestID int64

// Telling is an alert told in one place, in a message of its own or in a
// digest.
type Telling struct {
	Alert  int64
	Ticket ticket.ID
	Place  string
	Due    time.Time
	At     time.Time
	Post   PostID
	Digest DigestID // 0: in a message of its own
}

// AddTellings stores where alerts are told.
func (tx *Tx) AddTellings(ctx context.Context, all []Telling) error {
	n := len(all)
	if n == 0 {
		return nil
	}
	alerts, tickets, places := make([]int64, n), make([]ticket.ID, n), make([]string, n)
	dues, ats, posts, digests := make([]time.Time, n), make([]time.Time, n), make([]PostID, n), make([]DigestID, n)
	for i, t := range all {
		alerts[i], tickets[i], places[i], dues[i], ats[i], posts[i], digests[i] = t.Alert, t.Ticket, t.Place, t.Due, t.At, t.Post, t.Digest
	}
	return tx.later(ctx, failing("%d tellings", n), `
		insert into tellings (alert_id, ticket_id, place, due_at, at, post_id, digest_id)
		select alert_id, ticket_id, place, due_at, at, post_id, nullif(digest_id, 0)
		from unnest($1::bigint[], $2::bigint[], $3::text[], $4::timestamptz[], $5::timestamptz[], $6::bigint[], $7::bigint[])
			as t (alert_id, ticket_id, place, due_at, at, post_id, digest_id)`,
		alerts, tickets, places, dues, ats, posts, digests)
}

// Digest is a message that stands for many.
type Digest struct {
	ID     DigestID   `db:"id"`
	Place  string     `db:"place"`
	Opened time.Time  `db:"opened_at"`
	Last   time.Time  `db:"last_at"`
	Closed *time.Time `db:"closed_at"`
	Post   PostID     `db:"post_id"`
	Posted time.Time  `db:"posted_at"` // earlier than Opened if it stood there as something else
}

const digestColumns = `d.id, d.place, d.opened_at, d.last_at, d.closed_at,
	coalesce((select min(p.id) from posts p where p.subject = d.id and p.card = 'digest'), 0) as post_id,
	coalesce((select min(p.created_at) from posts p where p.subject = d.id and p.card = 'digest'), d.opened_at) as posted_at`

// Place is how busy a place has been.
type Place struct {
	Lately int       // alerts told in messages of their own
	Called time.Time // when the last of them was
	Newest PostID    // of these messages that stand in no thread; 0: there is none
	Digest *Digest   // that is open; nil: none
}

// LockPlaces locks places until tx ends, so that of those who mean to tell
// something there one decides how, and returns how busy they have been since,
// and how many alerts were told since lately wherever, counted no further than
// most. Lock tickets before.
func (tx *Tx) LockPlaces(ctx context.Context, places []string, since, lately time.Time, most int) (_ map[string]Place, told int, err error) {
	batch := &pgx.Batch{}
	// In order, so that two who want the same places don't wait for each other.
	// Each statement sees what was committed when it began: the next ones what
	// the lock has waited for.
	batch.Queue(`select pg_advisory_xact_lock(hashtextextended('deskhand.place ' || p, 0))
		from (select distinct p from unnest($1::text[]) p order by p) places`, places)
	batch.Queue(`
		select t.place, count(*), max(t.at), coalesce(max(p.id) filter (where p.thread_id is null and p.failed is null), 0)
		from tellings t join posts p on p.id = t.post_id
		where t.place = any($1) and t.at > $2 and t.digest_id is null group by 1`, places, since)
	batch.Queue(`select `+digestColumns+` from digests d where d.place = any($1) and d.closed_at is null`, places)
	batch.Queue(`select count(*) from (select from tellings where at > $1 limit $2) t`, lately, most)
	results := tx.SendBatch(ctx, batch)
	defer func() {
		if err = errors.Join(err, results.Close()); err != nil {
			err = fmt.Errorf("places: %w", err)
		}
	}()
	if _, err := results.Exec(); err != nil {
		return nil, 0, err
	}
	all := map[string]Place{}
	rows, _ := results.Query()
	var (
		name string
		p    Place
	)
	if _, err := pgx.ForEachRow(rows, []any{&name, &p.Lately, &p.Called, &p.Newest}, func() error { all[name] = p; return nil }); err != nil {
		return nil, 0, err
	}
	rows, _ = results.Query()
	digests, err := pgx.CollectRows(rows, pgx.RowToStructByName[Digest])
	if err != nil {
		return nil, 0, err
	}
	for i, d := range digests {
		p := all[d.Place]
		p.Digest = &digests[i]
		all[d.Place] = p
	}
	err = results.QueryRow().Scan(&told)
	return all, told, err
}

// StartDigest opens a digest for a place that has none. The place is locked.
func (tx *Tx) StartDigest(ctx context.Context, place string, at time.Time) (Digest, error) {
	d := Digest{Place: place, Opened: at, Last: at, Posted: at}
	if err := tx.QueryRow(ctx, `insert into digests (place, opened_at, last_at) values ($1, $2, $2) returning id`, place, at).Scan(&d.ID); err != nil {
		return d, fmt.Errorf("digest for %s: %w", place, err)
	}
	return d, nil
}

// BecomeDigest makes a digest of a message that stands in its place already:
// what was told with it is in the digest.
func (tx *Tx) BecomeDigest(ctx context.Context, post PostID, id DigestID) error {
	if err := tx.later(ctx, failing("digest %d", id), `update posts set card = 'digest', subject = $2, body = null where id = $1`, post, id); err != nil {
		return err
	}
	return tx.later(ctx, failing("digest %d", id), `update tellings set digest_id = $2 where post_id = $1`, post, id)
}

// JoinDigest notes that an alert has joined a digest.
func (tx *Tx) JoinDigest(ctx context.Context, id DigestID, at time.Time) error {
	return tx.later(ctx, failing("digest %d", id), `update digests set last_at = greatest(last_at, $2) where id = $1`, id, at)
}

// CloseDigest has the next alert for the place open another.
func (tx *Tx) CloseDigest(ctx context.Context, id DigestID, at time.Time) error {
	return tx.later(ctx, failing("digest %d", id), `update digests set closed_at = $2 where id = $1 and closed_at is null`, id, at)
}

// Digest returns the digest.
func (tx *Tx) Digest(ctx context.Context, id DigestID) (Digest, error) {
	rows, _ := tx.Query(ctx, `select `+digestColumns+` from digests d where d.id = $1`, id)
	d, err := pgx.CollectExactlyOneRow(rows, pgx.RowToStructByName[Digest])
	if err != nil {
		return d, fmt.Errorf("digest %d: %w", id, notFound(err))
	}
	return d, nil
}

// DigestTickets are the tickets that a digest is about, the most urgent first,
// and of equal ones that which was due first. Limit 0 is all.
func (tx *Tx) DigestTickets(ctx context.Context, id DigestID, limit int) ([]ticket.Ticket, error) {
	return tx.manyTickets(ctx, "tickets of a digest", `
		select `+ticketColumns+` from tickets t
			join (select ticket_id, min(due_at) as due_at from tellings where digest_id = $1 group by ticket_id) d on d.ticket_id = t.id
		order by t.priority, d.due_at, t.id limit nullif($2, 0)`, id, limit)
}

// DigestCounts are how many tickets a digest is about, and how many of them
// nobody has to see to any more.
func (tx *Tx) DigestCounts(ctx context.Context, id DigestID) (all, over int, err error) {
	err = tx.QueryRow(ctx, `
		select count(*), count(*) filter (where not exists (select from clocks c where c.ticket_id = d.ticket_id and c.state <> 'ended' and c.percent > 0))
		from (select distinct ticket_id from tellings where digest_id = $1) d`, id).Scan(&all, &over)
	if err != nil {
		return 0, 0, fmt.Errorf("digest %d: %w", id, err)
	}
	return all, over, nil
}

// RedrawAlerts has all that was told of a ticket drawn again: what is late and
// what was about to be.
func (tx *Tx) RedrawAlerts(ctx context.Context, id ticket.ID, now time.Time, warnings ...string) error {
	// Arrays, because joins are planned without knowing how few these are: then
	// all posts of a kind are read, for each ticket.
	return tx.later(ctx, failing("redraw the alerts of ticket %d", id), requeue+`p.id = any(array(
			select w.id from posts w where w.subject = @ticket and w.card = any(@warnings) and w.card <> ''
			union all
			select x.id from posts x where x.subject = any(array(select id from breaches where ticket_id = @ticket)) and x.card in ('breach', 'late') and x.card <> ''
			union all
			select y.id from posts y where y.subject = any(array(select digest_id from tellings where ticket_id = @ticket and digest_id is not null))
				and y.card = 'digest' and y.card <> ''))`+requeueAgain,
		named{"ticket": id, "warnings": warnings, "lane": LaneReply, "now": now})
}

// BreachPlaces are the places in which the living cards of breaches stand
// already, or are on their way to.
func (tx *Tx) BreachPlaces(ctx context.Context, ids []BreachID) (map[BreachID][]string, error) {
	rows, _ := tx.Query(ctx, `select p.subject, t.place from posts p join tellings t on t.post_id = p.id
		where p.subject = any($1) and p.card = 'breach' and p.card <> '' and p.failed is null`, ids)
	all := map[BreachID][]string{}
	var (
		id    BreachID
		place string
	)
	if _, err := pgx.ForEachRow(rows, []any{&id, &place}, func() error { all[id] = append(all[id], place); return nil }); err != nil {
		return nil, fmt.Errorf("cards of breaches: %w", err)
	}
	return all, nil
}

// Looked notes that somebody has looked for what falls due. The first look of a
// process after a long time in which nobody did is the end of an outage.
func (tx *Tx) Looked(ctx context.Context, now time.Time, first bool, missed time.Duration, why string) error {
	batch := &pgx.Batch{}
	if first {
		batch.Queue(`
			insert into outages (from_at, until_at, why)
			select looked_at, $1, $3 from watching where looked_at < $1::timestamptz - $2::interval for update
			on conflict do nothing`, now, missed, why)
	}
	batch.Queue(`
		insert into watching (looked_at) values ($1)
		on conflict (the_only) do update set looked_at = greatest(watching.looked_at, excluded.looked_at)`, now)
	err := tx.SendBatch(ctx, batch).Close()
	if err != nil {
		return fmt.Errorf("note the look: %w", err)
	}
	return nil
}

// Outage is a time in which nobody looked for what falls due.
type Outage struct {
	From  time.Time `db:"from_at"`
	Until time.Time `db:"until_at"`
	Why   string    `db:"why"` // completes "because "
}

// OutageAt is the longest outage that was not over at an instant; false if there
// is none since.
func (tx *Tx) OutageAt(ctx context.Context, at time.Time) (Outage, bool, error) {
	rows, _ := tx.Query(ctx, `select from_at, until_at, why from outages where until_at > $1 order by until_at - from_at desc limit 1`, at)
	all, err := pgx.CollectRows(rows, pgx.RowToStructByName[Outage])
	if err != nil {
		return Outage{}, false, fmt.Errorf("outages: %w", err)
	}
	if len(all) == 0 {
		return Outage{}, false, nil
	}
	return all[0], true, nil
}

// AlertPath is how long it took from the instants at which alerts were due
// until the platforms had taken them.
type AlertPath struct {
	Told    int           `db:"told"`
	Half    time.Duration `db:"half"`  // of them took no longer
	Most    time.Duration `db:"most"`  // 99 %
	Worst   time.Duration `db:"worst"` // all of them
	Waiting int           `db:"waiting"`
}

// AlertPath measures what was taken since then.
func (tx *Tx) AlertPath(ctx context.Context, since time.Time) (p AlertPath, err error) {
	var half, most, worst float64
	err = tx.QueryRow(ctx, `
		select count(*), coalesce(percentile_cont(0.5) within group (order by s), 0), coalesce(percentile_cont(0.99) within group (order by s), 0),
			coalesce(max(s), 0), (select count(*) from tellings w join posts p on p.id = w.post_id where w.accepted_at is null and p.failed is null)
		from (select extract(epoch from accepted_at - due_at)::float8 as s from tellings where accepted_at > $1) t`, since).
		Scan(&p.Told, &half, &most, &worst, &p.Waiting)
	if err != nil {
		return p, fmt.Errorf("alert path: %w", err)
	}
	p.Half, p.Most, p.Worst = seconds(half), seconds(most), seconds(worst)
	return p, nil
}

func seconds(s float64) time.Duration { return time.Duration(max(0, s) * float64(time.Second)) }

// LateSince is how many alerts were taken since then later than they may be,
// and by how much the worst was.
func (tx *Tx) LateSince(ctx context.Context, since time.Time, than time.Duration) (n int, worst time.Duration, err error) {
	var s float64
	err = tx.QueryRow(ctx, `select count(*), coalesce(max(extract(epoch from accepted_at - due_at)::float8), 0)
		from tellings where accepted_at > $1 and accepted_at - due_at > $2`, since, than).Scan(&n, &s)
	if err != nil {
		return 0, 0, fmt.Errorf("late alerts: %w", err)
	}
	return n, seconds(s), nil
}

// ToldLate is when what a post tells of was due, and why it was seen to late;
// the earliest if it stands for several. ErrNotFound if it tells of none.
func (tx *Tx) ToldLate(ctx context.Context, post PostID) (due time.Time, why string, err error) {
	err = tx.QueryRow(ctx, `select t.due_at, a.late from tellings t join alerts a on a.id = t.alert_id where t.post_id = $1 order by t.due_at limit 1`, post).
		Scan(&due, &why)
	if err != nil {
		return due, "", fmt.Errorf("alerts of post %d: %w", post, notFound(err))
	}
	return due, why, nil
}

// DigestAbout is the service that most tickets of a digest are about, by its
// slug, and how many are; "" if none has one.
func (tx *Tx) DigestAbout(ctx context.Context, id DigestID) (slug string, n int, err error) {
	err = tx.QueryRow(ctx, `
		select t.service, count(distinct t.id) from tellings d join tickets t on t.id = d.ticket_id
		where d.digest_id = $1 and t.service is not null group by 1 order by 2 desc, 1 limit 1`, id).Scan(&slug, &n)
	if err = notFound(err); err != nil && err != ErrNotFound {
		return "", 0, fmt.Errorf("digest %d: %w", id, err)
	}
	return slug, n, nil
}

// ClockCounts are how many clocks there are in each state.
type ClockCounts struct{ Running, Paused, Late int }

// ClockCounts counts the clocks that have not ended, and what was missed and is
// not made good.
func (tx *Tx) ClockCounts(ctx context.Context) (c ClockCounts, err error) {
	err = tx.QueryRow(ctx, `select count(*) filter (where state = 'running'), count(*) filter (where state = 'paused'),
		(select count(*) from breaches where ended_at is null) from clocks where state <> 'ended'`).Scan(&c.Running, &c.Paused, &c.Late)
	if err != nil {
		return c, fmt.Errorf("count the clocks: %w", err)
	}
	return c, nil
}
