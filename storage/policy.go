package storage

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/deskhand/deskhand/core/people"
	"github.com/deskhand/deskhand/core/policy"
	"github.com/deskhand/deskhand/core/ticket"
)

// PolicyID counts the policies that were ever in force.
type PolicyID int64

// Policy is the policy in force, and its number; ErrNotFound before the first.
func (tx *Tx) Policy(ctx context.Context) (policy.Policy, PolicyID, error) {
	var (
		p   policy.Policy
		id  PolicyID
		doc []byte
	)
	err := tx.QueryRow(ctx, `select id, document from policies order by id desc limit 1`).Scan(&id, &doc)
	if err == nil {
		err = json.Unmarshal(doc, &p)
	}
	if err != nil {
		return p, 0, fmt.Errorf("policy: %w", notFound(err))
	}
	return p.WithDefaults(), id, nil // what a release before this one has stored may lack something
}

// ApplyPolicy puts a policy that has passed its Check in force: people, teams,
// queues, services and channels become as it says. What it no longer names is
// retired, not deleted, because tickets refer to it.
func (tx *Tx) ApplyPolicy(ctx context.Context, p policy.Policy, by string, at time.Time) (PolicyID, error) {
	id, err := tx.applyPolicy(ctx, p.WithDefaults(), by, at)
	if err != nil {
		return 0, fmt.Errorf("apply policy: %w", err)
	}
	return id, nil
}

// FirstPolicy is ApplyPolicy where no policy is in force yet; any that is stays,
// also one that is being applied this moment.
func (tx *Tx) FirstPolicy(ctx context.Context, p policy.Policy, by string, at time.Time) error {
	if _, _, err := tx.Policy(ctx); !errors.Is(err, ErrNotFound) {
		return err // mostly there is one, and nobody has to wait
	}
	if err := tx.lockPolicies(ctx); err != nil {
		return fmt.Errorf("first policy: %w", err)
	}
	if _, _, err := tx.Policy(ctx); !errors.Is(err, ErrNotFound) {
		return err
	}
	_, err := tx.ApplyPolicy(ctx, p, by, at)
	return err
}

// lockPolicies has policies applied one at a time: two at once would each retire
// what the other brings.
func (tx *Tx) lockPolicies(ctx context.Context) error {
	_, err := tx.Exec(ctx, `select pg_advisory_xact_lock(hashtext('deskhand.policy'))`)
	return err
}

func (tx *Tx) applyPolicy(ctx context.Context, p policy.Policy, by string, at time.Time) (PolicyID, error) {
	if err := tx.lockPolicies(ctx); err != nil {
		return 0, err
	}
	old, had, err := tx.Policy(ctx)
	if err != nil && !errors.Is(err, ErrNotFound) {
		return 0, err
	}
	doc, err := json.Marshal(p)
	if err != nil {
		return 0, err
	}
	if before, _ := json.Marshal(old); had != 0 && string(before) == string(doc) {
		return had, nil
	}
	if err := tx.checkLevels(ctx, p); err != nil {
		return 0, err
	}
	for _, step := range []func(context.Context, policy.Policy, time.Time) error{
		tx.applyPeople, tx.applyTeams, tx.applyServices, tx.applyRequests, tx.applyChannels, tx.applySynonyms,
	} {
		if err := step(ctx, p, at); err != nil {
			return 0, err
		}
	}
	var id PolicyID
	if err := tx.QueryRow(ctx, `insert into policies (applied_at, applied_by, document) values ($1, $2, $3) returning id`,
		at, by, doc).Scan(&id); err != nil {
		return 0, err
	}
	// Open tickets follow as soon as every process has seen it, and one of them
	// looks for the channels that it names.
	if err := tx.SetAllDue(ctx, []Due{{LevelsApply, 0, at.Add(PolicySeen)}, {ChannelsFind, 0, at.Add(PolicySeen)}}); err != nil {
		return 0, err
	}
	if len(p.Changes.Report) > 0 {
		month := policy.MonthOf(at, p.Desk.Zone())
		_, _, due := month.Span(p.Desk.Zone())
		if err := tx.SetDue(ctx, ChangesReport, int64(month), due); err != nil {
			return 0, err
		}
	}
	return id, tx.Audit(ctx, Step{At: at, Action: "policy.applied", Via: by, Subject: OfPolicy, SubjectID: int64(id),
		Before: map[string]any{"policy": had}, After: map[string]any{"policy": id}})
}

// PolicySeen is how long after it was applied a policy is in force everywhere.
const PolicySeen = 3 * time.Second

// PolicyError says what is wrong with a policy that has passed its Check, as
// far as the record has a say in it.
type PolicyError struct{ Problem policy.Problem }

func (e *PolicyError) Error() string { return e.Problem.String() }

// checkLevels refuses a policy that drops a service level on which clocks run,
// unless it says what is to become of them.
func (tx *Tx) checkLevels(ctx context.Context, p policy.Policy) error {
	running, err := tx.RunningClocks(ctx)
	if err != nil {
		return err
	}
	for _, slug := range slices.Sorted(maps.Keys(running)) {
		if _, said := p.Removed[slug]; said || slices.ContainsFunc(p.Levels, func(l policy.ServiceLevel) bool { return l.Slug == slug }) {
			continue
		}
		return &PolicyError{policy.Problem{Path: "service_levels", Text: fmt.Sprintf(
			"%q is gone, and clocks still run on it (%d); write removed_levels: {%s: move} to have them go over to the level that matches now, or {%s: keep} to let them run on as they were promised",
			slug, running[slug], slug, slug)}}
	}
	return nil
}

func (tx *Tx) applyPeople(ctx context.Context, p policy.Policy, at time.Time) error {
	if len(p.People) == 0 && len(p.Desk.Admins) == 0 {
		return nil
	}
	batch := &pgx.Batch{}
	mails := make([]string, 0, len(p.People))
	for _, x := range p.People {
		mail := strings.ToLower(x.Mail)
		mails = append(mails, mail)
		batch.Queue(`
			insert into people (name, mail, title, department, site, timezone) values (@name, @mail, @title, @department, @site, @timezone)
			on conflict (mail) do update set name = excluded.name, title = excluded.title, department = excluded.department,
				site = excluded.site, timezone = excluded.timezone, guest = false, left_at = null`,
			named{"name": x.Name, "mail": mail, "title": x.Title, "department": x.Department,
				"site": x.Site, "timezone": x.TimeZone})
	}
	for _, x := range p.People {
		batch.Queue(`update people set manager_id = (select id from people where mail = lower($2)) where mail = lower($1)`, x.Mail, x.Manager)
	}
	if len(p.People) > 0 {
		batch.Queue(`update people set left_at = $2 where mail is not null and not guest and left_at is null and mail <> all($1)`, mails, at)
	}
	batch.Queue(`update people set admin = coalesce(mail = any(select lower(m) from unnest($1::text[]) m), false)
		where admin is distinct from coalesce(mail = any(select lower(m) from unnest($1::text[]) m), false)`, orNone(p.Desk.Admins))
	return tx.SendBatch(ctx, batch).Close()
}

func orNone(s []string) []string {
	if s == nil {
		return []string{}
	}
	return s
}

func (tx *Tx) applyTeams(ctx context.Context, p policy.Policy, at time.Time) error {
	batch := &pgx.Batch{}
	slugs := make([]string, 0, len(p.Teams))
	batch.Queue(`delete from team_members where source = 'policy'`)
	for _, t := range p.Teams {
		slugs = append(slugs, t.Slug)
		batch.Queue(`
			insert into teams (slug, name, tier, lead_id) values ($1, $2, $3, (select id from people where mail = lower($4)))
			on conflict (slug) do update set name = excluded.name, tier = excluded.tier, lead_id = excluded.lead_id, retired_at = null`,
			t.Slug, t.Name, t.Tier, t.Lead)
		batch.Queue(`insert into queues (team_id, kind) select id, kind from teams, unnest(array['incident', 'request']) kind
			where slug = $1 on conflict do nothing`, t.Slug)
		batch.Queue(`insert into team_members (team_id, person_id, source)
			select t.id, p.id, 'policy' from teams t, people p
			where t.slug = $1 and p.mail = any(select lower(m) from unnest($2::text[]) m) on conflict do nothing`,
			t.Slug, slices.Concat(t.Members, []string{t.Lead}))
	}
	batch.Queue(`update teams set retired_at = $2 where retired_at is null and slug <> all($1)`, slugs, at)
	return tx.SendBatch(ctx, batch).Close()
}

func (tx *Tx) applyServices(ctx context.Context, p policy.Policy, at time.Time) error {
	batch := &pgx.Batch{}
	slugs := make([]string, 0, len(p.Services))
	for i, s := range p.Services {
		slugs = append(slugs, s.Slug)
		batch.Queue(`
			insert into services (slug, name, position, owner_id, words, incident_queue, request_queue)
			select $1, $2, $3, (select id from people where mail = lower($4)), $5,
				(select q.id from queues q join teams t on t.id = q.team_id where t.slug = $6 and q.kind = 'incident'),
				(select q.id from queues q join teams t on t.id = q.team_id where t.slug = $7 and q.kind = 'request')
			on conflict (slug) do update set name = excluded.name, position = excluded.position, owner_id = excluded.owner_id,
				words = excluded.words, incident_queue = excluded.incident_queue, request_queue = excluded.request_queue, retired_at = null`,
			s.Slug, s.Name, i, s.Owner, orNone(s.Words), s.Incidents, s.Requests)
	}
	batch.Queue(`update services set retired_at = $2 where retired_at is null and slug <> all($1)`, slugs, at)
	batch.Queue(`update categories set retired_at = $1 where retired_at is null`, at)
	for _, s := range p.Services {
		for i, c := range s.Categories {
			batch.Queue(`
				insert into categories (service, slug, name, position) values ($1, $2, $3, $4)
				on conflict (service, slug) do update set name = excluded.name, position = excluded.position, retired_at = null`,
				s.Slug, c.Slug, c.Name, i)
		}
	}
	return tx.SendBatch(ctx, batch).Close()
}

// applyChannels keeps what is known of channels that are still named.
func (tx *Tx) applyChannels(ctx context.Context, p policy.Policy, _ time.Time) error {
	batch := &pgx.Batch{}
	keep := []string{}
	put := func(purpose, team, platform, name string) {
		name = strings.TrimPrefix(name, "#")
		keep = append(keep, purpose+" "+platform+" "+name)
		batch.Queue(`
			insert into desk_channels (purpose, team_id, platform, name)
			values ($1, (select id from teams where slug = nullif($2, '')), $3, $4)
			on conflict (purpose, platform, name) do update set team_id = excluded.team_id`, purpose, team, platform, name)
	}
	for _, t := range p.Teams {
		for platform, name := range t.Channel {
			put("triage", t.Slug, platform, name)
		}
	}
	for _, h := range p.Desk.Help {
		for platform, name := range h {
			put("help", "", platform, name)
		}
	}
	alerts := []policy.Channels{p.Alerts.Channel, p.Knowledge.Channel}
	for _, t := range p.Teams {
		alerts = append(alerts, t.Alerts)
	}
	for _, x := range p.Services {
		alerts = append(alerts, x.Alerts)
	}
	triages := len(keep) > 0
	for _, ch := range alerts {
		for platform, name := range ch {
			// Where a team triages, alerts may come too: it is one channel.
			if name = strings.TrimPrefix(name, "#"); !slices.Contains(keep, "triage "+platform+" "+name) && !slices.Contains(keep, "alerts "+platform+" "+name) {
				put("alerts", "", platform, name)
			}
		}
	}
	told := []policy.Channels{p.Changes.Channel, p.Changes.Report}
	for _, x := range p.Services {
		told = append(told, x.Channel)
	}
	for _, ch := range told {
		for platform, name := range ch {
			name = strings.TrimPrefix(name, "#")
			if !slices.ContainsFunc([]string{"triage", "help", "alerts", "changes"}, func(purpose string) bool {
				return slices.Contains(keep, purpose+" "+platform+" "+name)
			}) {
				put("changes", "", platform, name)
			}
		}
	}
	// Channels that an admin has chosen in chat stay until a policy names others.
	batch.Queue(`delete from desk_channels where purpose || ' ' || platform || ' ' || name <> all($1) and ($2 or purpose <> 'triage')`,
		keep, triages)
	return tx.SendBatch(ctx, batch).Close()
}

// DeskChannel is a channel with a purpose, on one platform.
type DeskChannel struct {
	ID        int64         `db:"id"`
	Purpose   string        `db:"purpose"` // "triage", "help", "alerts" or "changes"
	Team      people.TeamID `db:"team_id"` // of a triage channel
	Platform  string        `db:"platform"`
	Workspace string        `db:"workspace"`
	Name      string        `db:"name"`
	Channel   string        `db:"channel"` // the platform's id; empty until the desk has seen it
}

const deskChannelColumns = `id, purpose, coalesce(team_id, 0) as team_id, platform, workspace, name, channel`

// DeskChannels are all channels with a purpose.
func (tx *Tx) DeskChannels(ctx context.Context) ([]DeskChannel, error) {
	rows, _ := tx.Query(ctx, `select `+deskChannelColumns+` from desk_channels order by id`)
	c, err := pgx.CollectRows(rows, pgx.RowToStructByName[DeskChannel])
	if err != nil {
		return nil, fmt.Errorf("desk channels: %w", err)
	}
	return c, nil
}

// FoundChannel fills in the platform's id of a channel that a policy names.
func (tx *Tx) FoundChannel(ctx context.Context, id int64, workspace, channel string) error {
	if _, err := tx.Exec(ctx, `update desk_channels set workspace = $2, channel = $3 where id = $1`, id, workspace, channel); err != nil {
		return fmt.Errorf("channel %s: %w", channel, err)
	}
	return nil
}

// ChooseTriage makes a channel the one in which a team's tickets are triaged.
func (tx *Tx) ChooseTriage(ctx context.Context, team people.TeamID, platform, workspace, channel string, by people.PersonID, at time.Time) error {
	batch := &pgx.Batch{}
	// A policy may name the channel by its id before the desk has looked it up.
	batch.Queue(`delete from desk_channels where platform = $2
		and (purpose = 'triage' and (team_id = $1 or name = $4) or workspace = $3 and channel = $4)`, team, platform, workspace, channel)
	batch.Queue(`insert into desk_channels (purpose, team_id, platform, workspace, name, channel) values ('triage', $1, $2, $3, $4, $4)`,
		team, platform, workspace, channel)
	batch.Queue(insertAudit, Step{At: at, Action: "triage.chosen", Person: by, Via: platform, Subject: OfChannel, SubjectID: int64(team),
		After: map[string]any{"channel": channel}}.args())
	if err := tx.SendBatch(ctx, batch).Close(); err != nil {
		return fmt.Errorf("triage channel of team %d: %w", team, err)
	}
	return nil
}

// Teams are the teams in force, lowest tier first.
func (tx *Tx) Teams(ctx context.Context) ([]people.Team, error) {
	rows, _ := tx.Query(ctx, `select id, slug, name, tier, coalesce(lead_id, 0) as lead from teams where retired_at is null order by tier, name`)
	t, err := pgx.CollectRows(rows, pgx.RowToStructByName[people.Team])
	if err != nil {
		return nil, fmt.Errorf("teams: %w", err)
	}
	return t, nil
}

// Service is a service with the queues that its tickets go to.
type Service struct {
	Slug      string         `db:"slug"`
	Name      string         `db:"name"`
	Words     []string       `db:"words"`
	Incidents ticket.QueueID `db:"incident_queue"`
	Requests  ticket.QueueID `db:"request_queue"`
}

// Services are the services in force, in the policy's order.
func (tx *Tx) Services(ctx context.Context) ([]Service, error) {
	rows, _ := tx.Query(ctx, `select slug, name, words, incident_queue, request_queue from services where retired_at is null order by position`)
	s, err := pgx.CollectRows(rows, pgx.RowToStructByName[Service])
	if err != nil {
		return nil, fmt.Errorf("services: %w", err)
	}
	return s, nil
}

// Queue is a queue with its team.
type Queue struct {
	ID   ticket.QueueID `db:"id"`
	Team people.TeamID  `db:"team_id"`
	Kind ticket.Kind    `db:"kind"`
}

// Queues are all queues of teams in force.
func (tx *Tx) Queues(ctx context.Context) ([]Queue, error) {
	rows, _ := tx.Query(ctx, `select q.id, q.team_id, q.kind from queues q join teams t on t.id = q.team_id where t.retired_at is null order by q.id`)
	q, err := pgx.CollectRows(rows, pgx.RowToStructByName[Queue])
	if err != nil {
		return nil, fmt.Errorf("queues: %w", err)
	}
	return q, nil
}
