package storage

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/deskhand/deskhand/core/people"
)

// Account is a person's account on one platform.
type Account struct {
	Platform  string          `db:"platform"`
	Workspace string          `db:"workspace"`
	UserID    string          `db:"user_id"`
	Person    people.PersonID `db:"person_id"`
	Name      string          `db:"name"`
	Avatar    string          `db:"avatar"`
	CheckedAt time.Time       `db:"checked_at"`
	GreetedAt *time.Time      `db:"greeted_at"`
}

const accountColumns = `platform, workspace, user_id, person_id, name, avatar, checked_at, greeted_at`

const personColumns = `p.id, p.name, coalesce(p.mail, '') as mail, p.title, p.department, p.site, p.timezone,
	coalesce(p.manager_id, 0) as manager_id, p.admin, p.guest, p.left_at is not null as left`

type personRow struct {
	ID         people.PersonID `db:"id"`
	Name       string          `db:"name"`
	Mail       string          `db:"mail"`
	Department string          `db:"department"`
	Title      string          `db:"title"`
	Site       string          `db:"site"`
	TimeZone   string          `db:"timezone"`
	Manager    people.PersonID `db:"manager_id"`
	Admin      bool            `db:"admin"`
	Guest      bool            `db:"guest"`
	Left       bool            `db:"left"`
}

func (r personRow) person() people.Person { return people.Person(r) }

// Actor is the person behind an account, with the teams whose tickets she
// works; ErrNotFound if the account has not been seen before.
func (tx *Tx) Actor(ctx context.Context, platform, workspace, userID string) (people.Actor, Account, error) {
	rows, _ := tx.Query(ctx, `
		select `+personColumns+`, a.platform, a.workspace, a.user_id, a.person_id, a.name as account_name,
			a.avatar, a.checked_at, a.greeted_at, `+actorTeams+`
		from accounts a join people p on p.id = a.person_id`+ofTeams+`
		where a.platform = $1 and a.workspace = $2 and a.user_id = $3`, platform, workspace, userID)
	r, err := pgx.CollectExactlyOneRow(rows, pgx.RowToStructByName[struct {
		personRow
		actorTeamsRow
		Platform  string          `db:"platform"`
		Workspace string          `db:"workspace"`
		UserID    string          `db:"user_id"`
		Person    people.PersonID `db:"person_id"`
		Account   string          `db:"account_name"`
		Avatar    string          `db:"avatar"`
		CheckedAt time.Time       `db:"checked_at"`
		GreetedAt *time.Time      `db:"greeted_at"`
	}])
	if err != nil {
		return people.Actor{}, Account{}, fmt.Errorf("account %s %s: %w", platform, userID, notFound(err))
	}
	return r.actor(r.person()), Account{r.Platform, r.Workspace, r.UserID, r.Person, r.Account, r.Avatar, r.CheckedAt, r.GreetedAt}, nil
}

const actorTeams = `coalesce(m.ids, '{}') as team_ids, coalesce(m.slugs, '{}') as team_slugs`

// ofTeams joins the teams of the persons p for actorTeams.
const ofTeams = ` left join lateral (
	select array_agg(t.id order by t.id) as ids, array_agg(t.slug order by t.slug) as slugs from teams t
	where t.retired_at is null and t.id = any(array(select x.team_id from team_members x where x.person_id = p.id))) m on true`

type actorTeamsRow struct {
	TeamIDs   []people.TeamID `db:"team_ids"`
	TeamSlugs []string        `db:"team_slugs"`
}

func (r actorTeamsRow) actor(p people.Person) people.Actor {
	return people.Actor{Person: p, Teams: r.TeamIDs, Slugs: r.TeamSlugs}
}

// ActorByID is the same for a person known by number.
func (tx *Tx) ActorByID(ctx context.Context, id people.PersonID) (people.Actor, error) {
	rows, _ := tx.Query(ctx, `select `+personColumns+`, `+actorTeams+` from people p`+ofTeams+` where p.id = $1`, id)
	r, err := pgx.CollectExactlyOneRow(rows, pgx.RowToStructByName[struct {
		personRow
		actorTeamsRow
	}])
	if err != nil {
		return people.Actor{}, fmt.Errorf("person %d: %w", id, notFound(err))
	}
	return r.actor(r.person()), nil
}

// People are the persons with these numbers, by number.
func (tx *Tx) People(ctx context.Context, ids ...people.PersonID) (map[people.PersonID]people.Person, error) {
	rows, _ := tx.Query(ctx, `select `+personColumns+` from people p where p.id = any($1)`, ids)
	found, err := pgx.CollectRows(rows, pgx.RowToStructByName[personRow])
	if err != nil {
		return nil, fmt.Errorf("people: %w", err)
	}
	m := make(map[people.PersonID]people.Person, len(found))
	for _, r := range found {
		m[r.ID] = r.person()
	}
	return m, nil
}

// NamesIn are the names of people on record, first and last, that stand in a
// text in full.
func (tx *Tx) NamesIn(ctx context.Context, text string) ([]string, error) {
	rows, _ := tx.Query(ctx, `select distinct name from people where name like '_% _%' and strpos(lower($1), lower(name)) > 0 order by name`, text)
	names, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return nil, fmt.Errorf("names in a text: %w", err)
	}
	return names, nil
}

// nearestFirst is the order of a person's accounts a in which the desk writes to
// them: an account that was only looked up comes behind one that they have used
// to write to the desk, and behind one where their team works.
const nearestFirst = `a.greeted_at is not null desc, a.greeted_at is null and exists (
	select from team_members m join desk_channels c on c.team_id = m.team_id
	where m.person_id = a.person_id and c.purpose = 'triage' and c.platform = a.platform) desc, a.checked_at desc, a.user_id`

// Accounts are the person's accounts: first those that they have used to write to
// the desk, then those where their team works, the one seen last first.
func (tx *Tx) Accounts(ctx context.Context, id people.PersonID) ([]Account, error) {
	rows, _ := tx.Query(ctx, `select `+accountColumns+` from accounts a where person_id = $1 order by `+nearestFirst, id)
	a, err := pgx.CollectRows(rows, pgx.RowToStructByName[Account])
	if err != nil {
		return nil, fmt.Errorf("accounts of person %d: %w", id, err)
	}
	return a, nil
}

// LinkAccount records what the platform says of an account: with a verified
// mail address it is the person of that address, made if there is none yet (as
// a guest, if strangers are guests here); without, a guest of its own. An
// account whose address has changed moves to the other person.
func (tx *Tx) LinkAccount(ctx context.Context, a Account, mail, timezone string, stranger bool, at time.Time) (people.PersonID, error) {
	var had people.PersonID
	err := tx.QueryRow(ctx, `select person_id from accounts
		where platform = $1 and workspace = $2 and user_id = $3 for update`,
		a.Platform, a.Workspace, a.UserID).Scan(&had)
	if err != nil && !errors.Is(err, pgx.ErrNoRows) {
		return 0, fmt.Errorf("account %s %s: %w", a.Platform, a.UserID, err)
	}
	person, action := had, ""
	switch {
	case mail != "":
		// The update is there to return the row that was in the way.
		err = tx.QueryRow(ctx, `
			insert into people (name, mail, timezone, guest) values (@name, lower(@mail), @timezone, @stranger)
			on conflict (mail) do update set timezone = case when people.timezone = '' then excluded.timezone else people.timezone end
			returning id`,
			named{"name": a.Name, "mail": mail, "timezone": timezone, "stranger": stranger}).Scan(&person)
		action = "linked"
	case had == 0:
		err = tx.QueryRow(ctx, `insert into people (name, timezone, guest) values ($1, $2, true) returning id`,
			a.Name, timezone).Scan(&person)
		action = "guest"
	}
	if err != nil {
		return 0, fmt.Errorf("person of account %s %s: %w", a.Platform, a.UserID, err)
	}
	if _, err := tx.Exec(ctx, `
		insert into accounts (platform, workspace, user_id, person_id, name, avatar, checked_at)
		values (@platform, @workspace, @user, @person, @name, @avatar, @at)
		on conflict (platform, workspace, user_id) do update
		set person_id = excluded.person_id, name = excluded.name, avatar = excluded.avatar, checked_at = excluded.checked_at`,
		named{"platform": a.Platform, "workspace": a.Workspace, "user": a.UserID,
			"person": person, "name": a.Name, "avatar": a.Avatar, "at": at}); err != nil {
		return 0, fmt.Errorf("link account %s %s: %w", a.Platform, a.UserID, err)
	}
	if person == had || action == "" {
		return person, nil
	}
	return person, tx.Audit(ctx, Step{
		At: at, Action: "account." + action, Via: a.Platform, Subject: OfPerson, SubjectID: int64(person),
		After: map[string]any{"platform": a.Platform, "workspace": a.Workspace, "user": a.UserID},
	})
}

// MakeAdmin makes a person an admin of the desk.
func (tx *Tx) MakeAdmin(ctx context.Context, id people.PersonID, via string, at time.Time) error {
	tag, err := tx.Exec(ctx, `update people set admin = true where id = $1 and not admin`, id)
	if err != nil {
		return fmt.Errorf("make person %d an admin: %w", id, err)
	}
	if tag.RowsAffected() == 0 {
		return nil
	}
	return tx.Audit(ctx, Step{At: at, Action: "admin.made", Via: via, Subject: OfPerson, SubjectID: int64(id),
		Before: map[string]any{"admin": false}, After: map[string]any{"admin": true}})
}

// Greet notes that the desk has said whom it takes the account for; false if
// it had done so before.
func (tx *Tx) Greet(ctx context.Context, platform, workspace, userID string, at time.Time) (bool, error) {
	tag, err := tx.Exec(ctx, `update accounts set greeted_at = $4
		where platform = $1 and workspace = $2 and user_id = $3 and greeted_at is null`, platform, workspace, userID, at)
	if err != nil {
		return false, fmt.Errorf("greet %s %s: %w", platform, userID, err)
	}
	return tag.RowsAffected() == 1, nil
}

// Disown unlinks an account whose user says that she is somebody else: it
// becomes a guest's until an admin or the platform says more.
func (tx *Tx) Disown(ctx context.Context, platform, workspace, userID string, at time.Time) error {
	var was, guest people.PersonID
	err := tx.QueryRow(ctx, `
		with old as (select person_id, name from accounts where platform = $1 and workspace = $2 and user_id = $3 for update),
		made as (insert into people (name, guest) select name, true from old returning id),
		moved as (update accounts set person_id = (select id from made)
			where platform = $1 and workspace = $2 and user_id = $3 returning person_id)
		select old.person_id, moved.person_id from old, moved`, platform, workspace, userID).Scan(&was, &guest)
	if err != nil {
		return fmt.Errorf("disown account %s %s: %w", platform, userID, notFound(err))
	}
	return tx.Audit(ctx, Step{
		At: at, Action: "account.disowned", Person: guest, Via: platform, Subject: OfPerson, SubjectID: int64(was),
		Before: map[string]any{"person": was}, After: map[string]any{"person": guest, "user": userID},
	})
}

// AdoptMember makes the person an agent of the team whose triage channel she
// has come into, or takes that away again.
func (tx *Tx) AdoptMember(ctx context.Context, team people.TeamID, person people.PersonID, in bool, via string, at time.Time) error {
	sql, action := `insert into team_members (team_id, person_id, source) values ($1, $2, 'channel') on conflict do nothing`, "team.joined"
	if !in {
		sql, action = `delete from team_members where team_id = $1 and person_id = $2 and source = 'channel'`, "team.left"
	}
	tag, err := tx.Exec(ctx, sql, team, person)
	if err != nil {
		return fmt.Errorf("member %d of team %d: %w", person, team, err)
	}
	if tag.RowsAffected() == 0 {
		return nil
	}
	return tx.Audit(ctx, Step{At: at, Action: action, Person: person, Via: via, Subject: OfPerson,
		SubjectID: int64(person), After: map[string]any{"team": team}})
}

// TeamAccounts are the user ids of a team's agents in a workspace.
func (tx *Tx) TeamAccounts(ctx context.Context, team people.TeamID, platform, workspace string) ([]string, error) {
	rows, _ := tx.Query(ctx, `
		select distinct a.user_id from team_members m join accounts a on a.person_id = m.person_id
		where m.team_id = $1 and a.platform = $2 and a.workspace = $3 order by 1`, team, platform, workspace)
	ids, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return nil, fmt.Errorf("accounts of team %d: %w", team, err)
	}
	return ids, nil
}

// TeamAgents are a team's agents in order of their names.
func (tx *Tx) TeamAgents(ctx context.Context, team people.TeamID) ([]people.Person, error) {
	rows, _ := tx.Query(ctx, `select `+personColumns+` from people p
		where p.left_at is null and p.id in (select person_id from team_members where team_id = $1) order by p.name`, team)
	found, err := pgx.CollectRows(rows, pgx.RowToStructByName[personRow])
	if err != nil {
		return nil, fmt.Errorf("agents of team %d: %w", team, err)
	}
	all := make([]people.Person, len(found))
	for i, r := range found {
		all[i] = r.person()
	}
	return all, nil
}

// AccountsNamed are accounts of people in a workspace whose name has a word
// that begins with what was typed, or whose ids are asked for; guests and who
// has left are not among them.
func (tx *Tx) AccountsNamed(ctx context.Context, platform, workspace, typed string, limit int) ([]Account, error) {
	rows, _ := tx.Query(ctx, `select a.platform, a.workspace, a.user_id, a.person_id, a.name, a.avatar, a.checked_at, a.greeted_at
		from accounts a join people p on p.id = a.person_id
		where a.platform = $1 and a.workspace = $2 and p.left_at is null and not p.guest
			and (starts_with(lower(a.name), lower($3)) or position(lower(' ' || $3) in lower(a.name)) > 0)
		order by lower(a.name), a.user_id limit $4`, platform, workspace, typed, limit)
	all, err := pgx.CollectRows(rows, pgx.RowToStructByName[Account])
	if err != nil {
		return nil, fmt.Errorf("accounts named %q: %w", typed, err)
	}
	return all, nil
}

// Address is a person and the account that she was last seen with; its UserID
// is empty if the desk has never seen one.
type Address struct {
	Person  people.Person
	Account Account
}

// Addresses are those of the persons with these numbers or mail addresses, and
// of the admins.
func (tx *Tx) Addresses(ctx context.Context, ids []people.PersonID, mails []string) ([]Address, error) {
	rows, _ := tx.Query(ctx, `
		select `+personColumns+`, coalesce(a.platform, '') as platform, coalesce(a.workspace, '') as workspace, coalesce(a.user_id, '') as user_id
		from people p left join lateral (
			select a.platform, a.workspace, a.user_id from accounts a where a.person_id = p.id order by `+nearestFirst+` limit 1) a on true
		where (p.id = any($1) or p.mail = any($2) or p.admin) and p.left_at is null order by p.id`, ids, orNone(mails))
	found, err := pgx.CollectRows(rows, pgx.RowToStructByName[struct {
		personRow
		Platform  string `db:"platform"`
		Workspace string `db:"workspace"`
		UserID    string `db:"user_id"`
	}])
	if err != nil {
		return nil, fmt.Errorf("addresses: %w", err)
	}
	all := make([]Address, len(found))
	for i, f := range found {
		all[i] = Address{f.person(), Account{Platform: f.Platform, Workspace: f.Workspace, UserID: f.UserID, Person: f.ID}}
	}
	return all, nil
}

// inColumns scans a row into the fields of a T that are given in the order of the
// columns, for what is read by the thousand: to find fields by their names takes
// longer than all else.
func inColumns[T any](fields func(*T) []any) pgx.RowToFunc[T] {
	return func(row pgx.CollectableRow) (v T, err error) {
		err = row.Scan(fields(&v)...)
		return v, err
	}
}

func notFound(err error) error {
	if errors.Is(err, pgx.ErrNoRows) {
		return ErrNotFound
	}
	return err
}

// PutPerson stores a person of the company by mail address, or finds the one
// who is there.
func (tx *Tx) PutPerson(ctx context.Context, p people.Person) (people.PersonID, error) {
	var id people.PersonID
	err := tx.QueryRow(ctx, `
		insert into people (name, mail, title, department, site, timezone) values (@name, @mail, @title, @department, @site, @timezone)
		on conflict (mail) do update set name = excluded.name
		returning id`,
		named{"name": p.Name, "mail": p.Mail, "title": p.Title, "department": p.Department, "site": p.Site, "timezone": p.TimeZone}).Scan(&id)
	if err != nil {
		return 0, fmt.Errorf("person %s: %w", p.Mail, err)
	}
	return id, nil
}

// PersonByMail is the person with a mail address.
func (tx *Tx) PersonByMail(ctx context.Context, mail string) (people.PersonID, error) {
	var id people.PersonID
	if err := tx.QueryRow(ctx, `select id from people where mail = lower($1) and left_at is null`, mail).Scan(&id); err != nil {
		return 0, fmt.Errorf("person %s: %w", mail, notFound(err))
	}
	return id, nil
}

// Admins are the admins of the desk.
func (tx *Tx) Admins(ctx context.Context) ([]people.PersonID, error) {
	rows, _ := tx.Query(ctx, `select id from people where admin and left_at is null order by id`)
	ids, err := pgx.CollectRows(rows, pgx.RowTo[people.PersonID])
	if err != nil {
		return nil, fmt.Errorf("admins: %w", err)
	}
	return ids, nil
}

// OnDutyWithout are those of these mail addresses, and the owners of
// configuration items, of whom no account is known on any platform. They are in
// small letters.
func (tx *Tx) OnDutyWithout(ctx context.Context, mails []string) ([]string, error) {
	rows, _ := tx.Query(ctx, `
		select p.mail from people p
		where p.mail is not null and p.left_at is null and (p.mail = any($1) or exists (select from items i where i.owner_id = p.id and i.state <> 'retired'))
			and not exists (select from accounts a where a.person_id = p.id)
		order by p.mail`, mails)
	found, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return nil, fmt.Errorf("who has no account: %w", err)
	}
	return found, nil
}
