package app

import (
	"context"
	"fmt"
	"maps"
	"math"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/deskhand/deskhand/storage"
)

// settle waits until nothing is left to do, and checks that the record, what
// the platforms show and what people did are one story.
func settle(ctx context.Context, t *testing.T, c *crowd, url string, processes []*process, talks []*talk) {
	t.Helper()
	db, err := storage.Open(ctx, url)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	waiting, cancel := context.WithTimeout(ctx, 3*time.Minute)
	defer cancel()
	if err := quiet(waiting, c, db); err != nil {
		t.Errorf("it does not settle: %v\nthe outbox: %s\nthe inbox: %s", err,
			asJSON(ctx, t, db, `select * from outbox limit 20`), asJSON(ctx, t, db, `select * from inbox limit 20`))
	}
	p := &problems{}
	if dead := asJSON(ctx, t, db, `select * from dead_letters limit 20`); dead != "[]" {
		p.add("dead letters: %s", dead)
	}
	for _, s := range c.scenes() {
		if lost := s.untaken(); len(lost) > 0 {
			p.add("%s gave up, because the desk was away whenever it came: %v", s.platform(), lost)
		}
		standing := s.standing()
		for post, found := range standing {
			for _, m := range found {
				c.posts[m.channel+" "+m.id] = post
			}
		}
		checkPosts(ctx, t, s, db, standing, processes, p)
		checkOrder(ctx, t, s, db, p)
	}
	checkAudit(ctx, t, db, p)
	for _, k := range talks {
		k.check(ctx, t, db, p)
	}
	p.report(t)
	for _, one := range processes {
		one.sound()
	}
	for _, s := range c.scenes() {
		t.Logf("%s: %s", s.platform(), s.stats())
	}
}

// quiet returns when the platforms have delivered everything, and the desk has
// handled and answered everything.
func quiet(ctx context.Context, c *crowd, db *storage.DB) error {
	for {
		for _, s := range c.scenes() {
			if err := s.idle(ctx); err != nil {
				return fmt.Errorf("%s has events or calls under way: %w", s.platform(), err)
			}
		}
		var b storage.Backlog
		if err := db.View(ctx, func(tx *storage.Tx) (err error) {
			b, err = tx.Backlog(ctx, time.Now())
			return err
		}); err != nil {
			return err
		}
		if b.Settled() {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%d events, %d posts and %d things that are due are left: %w", b.Inbox, b.Outbox, b.Due, ctx.Err())
		case <-time.After(50 * time.Millisecond):
		}
	}
}

func asJSON(ctx context.Context, t *testing.T, db *storage.DB, query string, args ...any) string {
	t.Helper()
	var out string
	if err := db.Pool().QueryRow(ctx, `select coalesce(json_agg(q), '[]')::text from (`+query+`) q`, args...).Scan(&out); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	return out
}

func ask[T any](ctx context.Context, t *testing.T, db *storage.DB, query string, args ...any) []T {
	t.Helper()
	rows, _ := db.Pool().Query(ctx, query, args...)
	all, err := pgx.CollectRows(rows, pgx.RowToStructByName[T])
	if err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	return all
}

func number(ctx context.Context, t *testing.T, db *storage.DB, query string, args ...any) int {
	t.Helper()
	var n int
	if err := db.Pool().QueryRow(ctx, query, args...).Scan(&n); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	return n
}

// checkPosts: what the record says was posted stands there, once, and nothing
// else does. Where messages can't be looked for, which the scene's sent tells, one
// stands there twice if the desk could not know that it had been sent; see excuse.
func checkPosts(ctx context.Context, t *testing.T, s scene, db *storage.DB, standing map[string][]said, processes []*process, p *problems) {
	t.Helper()
	unknown, all := maps.Clone(standing), 0
	sent, twice := s.sent(), 0
	for _, found := range standing {
		all += len(found)
	}
	posts := ask[struct {
		ID       string `db:"id"`
		Kind     string `db:"kind"`
		Card     string `db:"card"`
		Channel  string `db:"sent_channel"`
		External string `db:"external"`
		Failed   string `db:"failed"`
	}](ctx, t, db, `select id::text, kind, card, sent_channel, coalesce(external, '') as external, coalesce(failed, '') as failed from posts where kind in ('message', 'whisper') and platform = $1`, s.platform())
	if all < len(posts)/2 {
		p.add("%s has %d messages of %d posts", s.platform(), all, len(posts))
	}
	for _, post := range posts {
		found := unknown[post.ID]
		delete(unknown, post.ID)
		if post.Kind == "whisper" {
			continue // for one person's eyes, in their own chat if there is no other way
		}
		found = slices.DeleteFunc(slices.Clone(found), func(m said) bool {
			excused := m.id != post.External && excuse(sent[post.ID], m.id, processes)
			if excused {
				twice++
			}
			return excused
		})
		switch {
		case post.Failed != "":
			p.add("post %s %s has failed: %s", post.ID, post.Card, post.Failed)
		case len(found) != 1:
			p.add("post %s %s stands there %d times, want once: %s", post.ID, post.Card, len(found), texts(found))
		case found[0].id != post.External || found[0].channel != post.Channel:
			p.add("post %s %s stands at %s %s, and the record says %s %s", post.ID, post.Card, found[0].channel, found[0].id, post.Channel, post.External)
		}
	}
	for id, found := range unknown {
		p.add("%s has messages that say they are post %q, which is not on record: %s", s.platform(), id, texts(found))
	}
	if twice > 0 {
		t.Logf("%s: of %d posts %d stand there once more, where the desk can't look, as their confirmation was lost", s.platform(), len(posts), twice)
	}
	// What people wrote on one side stands on the other in the same order.
	for _, row := range ask[struct {
		Thread string `db:"thread"`
		Order  string `db:"order"`
	}](ctx, t, db, `
		select thread_id::text as thread, string_agg(message_id::text, ' ' order by external::numeric) as order
		from posts where message_id is not null and thread_id is not null and kind = 'message' and platform = $1 group by thread_id
		having array_agg(message_id order by external::numeric) <> array_agg(message_id order by message_id)`, s.platform()) {
		p.add("in thread %s messages were passed on in the order %s", row.Thread, row.Order)
	}
	// A card shows how the ticket stands now.
	for _, c := range ask[struct {
		ID       string `db:"id"`
		External string `db:"external"`
		Ref      string `db:"ref"`
		State    string `db:"state"`
	}](ctx, t, db, `
		select p.id::text, coalesce(p.external, '') as external, (case t.kind when 'incident' then 'INC-' else 'REQ-' end) || t.number as ref,
			case when t.closed_at is not null then 'Closed' when t.state = 'done' then 'Resolved' when t.state = 'new' then 'New' else 'In progress' end as state
		from posts p join tickets t on t.id = p.subject where p.card in ('triage', 'status') and p.platform = $1`, s.platform()) {
		if all := standing[c.ID]; len(all) > 0 && !slices.ContainsFunc(all, func(m said) bool { return m.id == c.External && strings.Contains(m.shown, c.State) }) {
			p.add("the card of %s (post %s) does not say %q: %s", c.Ref, c.ID, c.State, texts(all))
		}
	}
}

// excuse tells whether the desk could not know that it had sent a message: its
// answer was lost, or the process was killed before that was on record.
func excuse(sent []attempt, id string, processes []*process) bool {
	const (
		underway  = time.Second     // what a killed process had sent may still be on its way
		recording = 5 * time.Second // with Postgres restarting
	)
	for _, a := range sent {
		if a.id == id && (!a.answered || slices.ContainsFunc(processes, func(p *process) bool { return p.killedWithin(a.at.Add(-underway), a.done.Add(recording)) })) {
			return true
		}
	}
	return false
}

func texts(all []said) string {
	var s []string
	for _, m := range all {
		s = append(s, fmt.Sprintf("%s %s %q", m.channel, m.id, m.text))
	}
	return strings.Join(s, "; ")
}

// checkOrder: of two messages in one thread, the one that the desk had taken
// before the other was delivered is before it in the record.
func checkOrder(ctx context.Context, t *testing.T, s scene, db *storage.DB, p *problems) {
	t.Helper()
	deliveries := s.arrivals()
	rows := ask[struct {
		ID     int64  `db:"id"`
		Thread int64  `db:"thread"`
		Place  string `db:"place"`
	}](ctx, t, db, `select id, coalesce(thread_id, 0) as thread, channel || ' ' || external as place from messages where platform = $1 order by id`, s.platform())
	before := map[int64][]int{}
	for i, r := range rows {
		now, delivered := deliveries[r.Place]
		if !delivered {
			p.add("message %s is on record and was never delivered", r.Place)
			continue
		}
		for _, j := range before[r.Thread] {
			if then, ok := deliveries[rows[j].Place]; ok && !now.taken.IsZero() && now.taken.Before(then.first) {
				p.add("message %s was taken before %s was delivered, and is after it in the record", r.Place, rows[j].Place)
			}
		}
		before[r.Thread] = append(before[r.Thread], i)
	}
}

// stays is what a ticket was opened with, which its first step does not repeat:
// the database refuses to change it.
var stays = []string{"kind", "number", "title", "detail", "requester_id", "author_id", "opened_at", "follows_id"}

// checkAudit: played back, the record's steps give the tickets as they are.
func checkAudit(ctx context.Context, t *testing.T, db *storage.DB, p *problems) {
	t.Helper()
	type step struct {
		ID     int64          `db:"id"`
		Ticket int64          `db:"ticket"`
		Action string         `db:"action"`
		Before map[string]any `db:"before"`
		After  map[string]any `db:"after"`
		At     time.Time      `db:"at"`
	}
	now := map[int64]map[string]any{}
	for _, s := range ask[step](ctx, t, db, `select id, at, subject_id as ticket, action, before, after from audit where subject = 'ticket' order by id`) {
		if s.Action == "said" || s.Action == "edited" || s.Action == "deleted" {
			continue
		}
		tk := now[s.Ticket]
		if tk == nil {
			tk = map[string]any{}
			now[s.Ticket] = tk
		}
		for field, was := range s.Before {
			if !same(tk[field], was) {
				p.add("ticket %d: step %d %s says %s was %v, and the steps before say %v", s.Ticket, s.ID, s.Action, field, was, tk[field])
			}
		}
		for field, is := range s.After {
			if is == "at" && strings.HasSuffix(field, "_at") {
				is = s.At.Format(time.RFC3339Nano)
			}
			tk[field] = is
		}
	}
	type row struct {
		ID  int64          `db:"id"`
		All map[string]any `db:"all"`
	}
	for _, r := range ask[row](ctx, t, db, `select id, to_jsonb(t) as all from tickets t`) {
		for column, is := range r.All {
			field := strings.TrimSuffix(column, "_id")
			if column == "id" || column == "version" || slices.Contains(stays, column) {
				continue
			}
			if got := now[r.ID][field]; !same(got, is) {
				p.add("ticket %d: %s is %v, and the audit record makes it %v", r.ID, column, is, got)
			}
		}
		delete(now, r.ID)
	}
	for id := range now {
		p.add("the audit record knows a ticket %d that is not there", id)
	}
}

// same compares values of the record: what is empty is the same, and times are
// to the microsecond, as Postgres keeps them.
func same(a, b any) bool {
	empty := func(v any) bool { return v == nil || v == "" || v == 0.0 || v == false }
	if empty(a) || empty(b) {
		return empty(a) && empty(b)
	}
	x, okX := a.(string)
	y, okY := b.(string)
	if okX && okY {
		s, err1 := time.Parse(time.RFC3339Nano, x)
		u, err2 := time.Parse(time.RFC3339Nano, y)
		if err1 == nil && err2 == nil {
			return math.Abs(s.Sub(u).Seconds()) <= 2e-6
		}
	}
	return reflect.DeepEqual(a, b)
}

// check compares a conversation with the record.
func (k *talk) check(ctx context.Context, t *testing.T, db *storage.DB, p *problems) {
	t.Helper()
	word := "%" + k.word + "%"
	between := func(what string, got, least, more int) {
		if got < least || got > least+more {
			p.add("%s: %d %s, want %d (and at most %d more, for failures that were seen: %v)", k.word, got, what, least, more, k.failed)
		}
	}
	found := len(p.lines)
	between("questions", number(ctx, t, db, `select count(*) from questions where text like $1`, word), k.questions, k.failed["command"])
	between("answers", number(ctx, t, db, `select count(*) from posts p join questions q on q.id = p.subject
		where p.card = 'question' and p.sent_at is not null and q.text like $1`, word), k.questions, k.failed["command"])
	if len(p.lines) > found {
		p.add("%s: its deliveries were %s", k.word, k.asking.deliveriesOf(k.word))
	}
	tickets := 0
	if k.ticket {
		tickets = 1
	}
	between("tickets", number(ctx, t, db, `select count(*) from tickets where title like $1`, word), tickets, 0)
	for _, card := range []string{"triage", "status"} {
		between(card+" cards", number(ctx, t, db, `select count(*) from posts p join tickets t on t.id = p.subject
			where p.card = $2 and p.sent_at is not null and t.title like $1`, word, card), tickets, 0)
	}
	button := map[string]string{"claimed": "Claim", "released": "Give back", "resolved": "send", "closed": "Yes, close", "rated": "🙂", "opened": "send", "solved": "Solved it"}
	for _, action := range []string{"opened", "claimed", "released", "resolved", "closed", "rated"} {
		more := 0
		if action == "claimed" || action == "released" {
			more = k.failed[button[action]]
		}
		between(action, number(ctx, t, db, `select count(*) from audit a join tickets t on t.id = a.subject_id
			where a.subject = 'ticket' and a.action = $2 and t.title like $1`, word, action), k.want[action], more)
	}
	between("solved", number(ctx, t, db, `select count(*) from audit a join questions q on q.id = a.subject_id
		where a.subject = 'question' and a.action = 'question.solved' and q.text like $1`, word), k.want["solved"], 0)
	for _, text := range k.passed {
		between("times “"+text+"” on the other side", k.times(text), 1, 0)
		between("times “"+text+"” in the record", number(ctx, t, db, `select count(*) from messages where body = $1`, text), 1, 0)
	}
	for _, text := range k.kept {
		between("times “"+text+"” on the other side", k.times(text), 0, 0)
		between("times “"+text+"” in the record", number(ctx, t, db, `select count(*) from messages where body = $1 and internal`, text), 1, 0)
	}
}

// times is in how many posts the desk has said it.
func (k *talk) times(text string) int {
	k.mu.Lock()
	defer k.mu.Unlock()
	in := map[string]bool{}
	for _, m := range k.said[k.word] {
		if m.bot && !m.private && strings.Contains(m.text, strings.TrimPrefix(text, "note: ")) {
			in[k.posts[m.channel+" "+m.id]] = true
		}
	}
	return len(in)
}
