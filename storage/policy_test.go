package storage_test

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/deskhand/deskhand/core/people"
	"github.com/deskhand/deskhand/core/policy"
	"github.com/deskhand/deskhand/storage"
	"github.com/deskhand/deskhand/storage/pgtest"
)

// harbour is the policy of a small company: two teams, two services, three
// persons.
func harbour() policy.Policy {
	return policy.Policy{
		Desk: policy.Desk{Company: "Harbour", Admins: []string{"ana@harbour.example"}, Help: []policy.Channels{{"slack": "#it-help"}}},
		People: []policy.Person{
			{Mail: "ana@harbour.example", Name: "Ana Ruiz", Department: "it", TimeZone: "Europe/Berlin"},
			{Mail: "Ben@harbour.example", Name: "Ben Okoro", Department: "it", Manager: "ana@harbour.example"},
			{Mail: "cem@harbour.example", Name: "Cem Aydin", Department: "finance"},
		},
		Teams: []policy.Team{
			{Slug: "service-desk", Name: "Service Desk", Tier: 1, Channel: policy.Channels{"slack": "#it-desk"}, Lead: "ana@harbour.example", Members: []string{"BEN@harbour.example"}},
			{Slug: "network", Name: "Network", Tier: 2, Channel: policy.Channels{"slack": "#it-network"}, Members: []string{"ben@harbour.example"}},
		},
		Services: []policy.Service{
			{Slug: "wifi", Name: "Wi-Fi", Incidents: "network", Requests: "service-desk", Words: []string{"wlan"}},
			{Slug: "mail", Name: "Mail", Incidents: "service-desk", Requests: "service-desk"},
		},
	}
}

// company is a database with harbour's policy in force.
type company struct {
	*storage.DB
	ana, ben, cem people.PersonID
	desk, network people.TeamID
	queues        []storage.Queue
}

func newCompany(t *testing.T) *company {
	t.Helper()
	c := &company{DB: pgtest.New(t)}
	inTx(t, c.DB, func(ctx context.Context, tx *storage.Tx) error {
		if _, err := tx.ApplyPolicy(ctx, harbour(), "test", noon); err != nil {
			return err
		}
		for mail, id := range map[string]*people.PersonID{"ana@harbour.example": &c.ana, "ben@harbour.example": &c.ben, "cem@harbour.example": &c.cem} {
			if err := tx.QueryRow(ctx, `select id from people where mail = $1`, mail).Scan(id); err != nil {
				return err
			}
		}
		teams, err := tx.Teams(ctx)
		if err != nil {
			return err
		}
		c.desk, c.network = teams[0].ID, teams[1].ID
		c.queues, err = tx.Queues(ctx)
		return err
	})
	return c
}

// view is one question to the record.
func view[T any](t *testing.T, db *storage.DB, ask func(context.Context, *storage.Tx) (T, error)) T {
	t.Helper()
	var got T
	if err := db.View(t.Context(), func(tx *storage.Tx) (err error) {
		got, err = ask(t.Context(), tx)
		return err
	}); err != nil {
		t.Fatal(err)
	}
	return got
}

func history(t *testing.T, db *storage.DB, of storage.Subject, id int64) []storage.HistoryEntry {
	t.Helper()
	return view(t, db, func(ctx context.Context, tx *storage.Tx) ([]storage.HistoryEntry, error) {
		return tx.History(ctx, of, id, 100)
	})
}

func actions(entries []storage.HistoryEntry) []string {
	all := make([]string, len(entries))
	for i, e := range entries {
		all[i] = e.Action
	}
	return all
}

func apply(t *testing.T, db *storage.DB, p policy.Policy, at time.Time) storage.PolicyID {
	t.Helper()
	var id storage.PolicyID
	inTx(t, db, func(ctx context.Context, tx *storage.Tx) (err error) {
		id, err = tx.ApplyPolicy(ctx, p, "test", at)
		return err
	})
	return id
}

func TestPolicyMakesTheCompany(t *testing.T) {
	t.Parallel()
	c := newCompany(t)
	teams := view(t, c.DB, func(ctx context.Context, tx *storage.Tx) ([]people.Team, error) { return tx.Teams(ctx) })
	if diff := cmp.Diff([]people.Team{
		{ID: c.desk, Slug: "service-desk", Name: "Service Desk", Tier: 1, Lead: c.ana},
		{ID: c.network, Slug: "network", Name: "Network", Tier: 2},
	}, teams); diff != "" {
		t.Errorf("teams (-want +got):\n%s", diff)
	}
	for who, want := range map[people.PersonID]people.Actor{
		c.ana: {Person: people.Person{ID: c.ana, Name: "Ana Ruiz", Mail: "ana@harbour.example", Department: "it", TimeZone: "Europe/Berlin", Admin: true},
			Teams: []people.TeamID{c.desk}, Slugs: []string{"service-desk"}},
		c.ben: {Person: people.Person{ID: c.ben, Name: "Ben Okoro", Mail: "ben@harbour.example", Department: "it", Manager: c.ana},
			Teams: []people.TeamID{c.desk, c.network}, Slugs: []string{"network", "service-desk"}},
		c.cem: {Person: people.Person{ID: c.cem, Name: "Cem Aydin", Mail: "cem@harbour.example", Department: "finance"},
			Teams: []people.TeamID{}, Slugs: []string{}},
	} {
		got := view(t, c.DB, func(ctx context.Context, tx *storage.Tx) (people.Actor, error) { return tx.ActorByID(ctx, who) })
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("actor (-want +got):\n%s", diff)
		}
	}
	services := view(t, c.DB, func(ctx context.Context, tx *storage.Tx) ([]storage.Service, error) { return tx.Services(ctx) })
	if len(services) != 2 || services[0].Slug != "wifi" || services[1].Slug != "mail" {
		t.Fatalf("services = %+v, want them in the policy's order", services)
	}
	for _, q := range c.queues {
		if q.ID == services[0].Incidents && (q.Team != c.network || q.Kind != "incident") || q.ID == services[0].Requests && (q.Team != c.desk || q.Kind != "request") {
			t.Errorf("Wi-Fi goes to queue %+v", q)
		}
	}
	if len(c.queues) != 4 {
		t.Errorf("%d queues, want one for each team and kind", len(c.queues))
	}
}

func TestPolicyAppliedTwiceIsApplied(t *testing.T) {
	t.Parallel()
	c := newCompany(t)
	before := rowsIn(t, c.DB, "audit")
	first := apply(t, c.DB, harbour(), noon.Add(time.Hour))
	if second := apply(t, c.DB, harbour(), noon.Add(2*time.Hour)); first != second {
		t.Errorf("the same policy became number %d, then %d", first, second)
	}
	if n := rowsIn(t, c.DB, "policies"); n != 1 {
		t.Errorf("%d policies are on record, want 1", n)
	}
	if n := rowsIn(t, c.DB, "audit"); n != before {
		t.Errorf("applying the same again left %d entries in the audit record", n-before)
	}
	p := view(t, c.DB, func(ctx context.Context, tx *storage.Tx) (policy.Policy, error) {
		p, _, err := tx.Policy(ctx)
		return p, err
	})
	if diff := cmp.Diff(harbour().WithDefaults(), p); diff != "" {
		t.Errorf("the policy in force (-applied +read):\n%s", diff)
	}
}

func TestPolicyDoesNotWriteIntoWhatItIsGiven(t *testing.T) {
	t.Parallel()
	all := []string{"ben@harbour.example", "cem@harbour.example"}
	p := harbour()
	p.Teams[0].Members = all[:1]
	apply(t, pgtest.New(t), p, noon)
	if all[1] != "cem@harbour.example" {
		t.Errorf("the members' list now holds %q", all[1])
	}
}

func TestPolicyRetiresWhatItNoLongerNames(t *testing.T) {
	t.Parallel()
	c := newCompany(t)
	p := harbour()
	p.People, p.Teams, p.Services = p.People[:2], p.Teams[:1], p.Services[1:]
	p.Desk.Help = nil
	apply(t, c.DB, p, noon.Add(time.Hour))

	if teams := view(t, c.DB, func(ctx context.Context, tx *storage.Tx) ([]people.Team, error) { return tx.Teams(ctx) }); len(teams) != 1 || teams[0].ID != c.desk {
		t.Errorf("teams in force: %+v, want the service desk alone", teams)
	}
	if services := view(t, c.DB, func(ctx context.Context, tx *storage.Tx) ([]storage.Service, error) { return tx.Services(ctx) }); len(services) != 1 || services[0].Slug != "mail" {
		t.Errorf("services in force: %+v, want mail alone", services)
	}
	if queues := view(t, c.DB, func(ctx context.Context, tx *storage.Tx) ([]storage.Queue, error) { return tx.Queues(ctx) }); len(queues) != 2 {
		t.Errorf("queues in force: %+v, want the two of the service desk", queues)
	}
	if channels := view(t, c.DB, func(ctx context.Context, tx *storage.Tx) ([]storage.DeskChannel, error) { return tx.DeskChannels(ctx) }); len(channels) != 1 || channels[0].Name != "it-desk" {
		t.Errorf("channels in force: %+v, want it-desk alone", channels)
	}
	actor := func(id people.PersonID) people.Actor {
		return view(t, c.DB, func(ctx context.Context, tx *storage.Tx) (people.Actor, error) { return tx.ActorByID(ctx, id) })
	}
	if cem := actor(c.cem); !cem.Left {
		t.Error("somebody who is no longer on the list has not left")
	}
	if ben := actor(c.ben); ben.Left || !slices.Equal(ben.Teams, []people.TeamID{c.desk}) {
		t.Errorf("an agent of a team that is no more: %+v", ben)
	}

	// And back: the same persons, teams and queues, not others of the same name.
	apply(t, c.DB, harbour(), noon.Add(2*time.Hour))
	if queues := view(t, c.DB, func(ctx context.Context, tx *storage.Tx) ([]storage.Queue, error) { return tx.Queues(ctx) }); !slices.Equal(queues, c.queues) {
		t.Errorf("queues after coming back: %+v, want %+v", queues, c.queues)
	}
	if cem := actor(c.cem); cem.Left {
		t.Error("somebody who is on the list again has still left")
	}
	if n := rowsIn(t, c.DB, "people"); n != 3 {
		t.Errorf("%d persons after leaving and coming back, want 3", n)
	}
}

func TestPolicyKeepsWhatIsKnownOfItsChannels(t *testing.T) {
	t.Parallel()
	c := newCompany(t)
	channels := func() []storage.DeskChannel {
		return view(t, c.DB, func(ctx context.Context, tx *storage.Tx) ([]storage.DeskChannel, error) { return tx.DeskChannels(ctx) })
	}
	inTx(t, c.DB, func(ctx context.Context, tx *storage.Tx) error {
		for _, ch := range channels() {
			if err := tx.FoundChannel(ctx, ch.ID, "T1", "C-"+ch.Name); err != nil {
				return err
			}
		}
		return nil
	})
	before := channels()
	p := harbour()
	p.Teams[0].Name = "Help Desk"
	apply(t, c.DB, p, noon.Add(time.Hour))
	if diff := cmp.Diff(before, channels()); diff != "" {
		t.Errorf("channels changed with a policy that changes none (-before +after):\n%s", diff)
	}

	// Two teams swap: the channels stay, what they are for changes.
	p.Teams[0].Channel, p.Teams[1].Channel = p.Teams[1].Channel, p.Teams[0].Channel
	apply(t, c.DB, p, noon.Add(2*time.Hour))
	for _, ch := range channels() {
		want := map[string]people.TeamID{"it-desk": c.network, "it-network": c.desk}[ch.Name]
		if ch.Team != want || ch.Channel != "C-"+ch.Name {
			t.Errorf("after the swap %s is team %d's and has the id %q; want %d and the id of before", ch.Name, ch.Team, ch.Channel, want)
		}
	}
}

func TestPolicyLeavesThoseWhoAreInTheChannel(t *testing.T) {
	t.Parallel()
	c := newCompany(t)
	inTx(t, c.DB, func(ctx context.Context, tx *storage.Tx) error {
		for _, who := range []people.PersonID{c.ben, c.cem} {
			if err := tx.AdoptMember(ctx, c.desk, who, true, "slack", noon); err != nil {
				return err
			}
		}
		return nil
	})
	p := harbour()
	p.Teams[0].Members, p.Teams[1].Members = nil, nil
	apply(t, c.DB, p, noon.Add(time.Hour))
	agents := func() []string {
		var names []string
		for _, a := range view(t, c.DB, func(ctx context.Context, tx *storage.Tx) ([]people.Person, error) { return tx.TeamAgents(ctx, c.desk) }) {
			names = append(names, a.Name)
		}
		return names
	}
	if got, want := agents(), []string{"Ana Ruiz", "Ben Okoro", "Cem Aydin"}; !slices.Equal(got, want) {
		t.Errorf("agents = %v, want %v: the lead by policy, the others by being in the channel", got, want)
	}
	inTx(t, c.DB, func(ctx context.Context, tx *storage.Tx) error {
		if err := tx.AdoptMember(ctx, c.desk, c.cem, false, "slack", noon); err != nil {
			return err
		}
		return tx.AdoptMember(ctx, c.desk, c.ana, false, "slack", noon) // she is the lead, wherever she sits
	})
	if got, want := agents(), []string{"Ana Ruiz", "Ben Okoro"}; !slices.Equal(got, want) {
		t.Errorf("agents = %v, want %v", got, want)
	}
	if got, want := actions(history(t, c.DB, storage.OfPerson, int64(c.cem))), []string{"team.joined", "team.left"}; !slices.Equal(got, want) {
		t.Errorf("record of who came and went = %v, want %v", got, want)
	}
	if got := actions(history(t, c.DB, storage.OfPerson, int64(c.ana))); len(got) != 0 {
		t.Errorf("leaving a channel that she was not in is on record: %v", got)
	}
}

func TestTriageChannelChosenInChat(t *testing.T) {
	t.Parallel()
	c := newCompany(t)
	choose := func(team people.TeamID, channel string) {
		inTx(t, c.DB, func(ctx context.Context, tx *storage.Tx) error {
			return tx.ChooseTriage(ctx, team, "slack", "T1", channel, c.ana, noon)
		})
	}
	triage := func() map[string]people.TeamID {
		all := map[string]people.TeamID{}
		for _, ch := range view(t, c.DB, func(ctx context.Context, tx *storage.Tx) ([]storage.DeskChannel, error) { return tx.DeskChannels(ctx) }) {
			if ch.Purpose == "triage" {
				all[ch.Name] = ch.Team
			}
		}
		return all
	}
	choose(c.desk, "C7")
	if diff := cmp.Diff(map[string]people.TeamID{"C7": c.desk, "it-network": c.network}, triage()); diff != "" {
		t.Errorf("after choosing (-want +got):\n%s", diff)
	}
	choose(c.network, "C7")
	if diff := cmp.Diff(map[string]people.TeamID{"C7": c.network}, triage()); diff != "" {
		t.Errorf("after another team has taken the channel (-want +got):\n%s", diff)
	}

	p := harbour()
	p.Teams[0].Channel, p.Teams[1].Channel, p.Desk.Help = nil, nil, nil
	apply(t, c.DB, p, noon.Add(time.Hour))
	if diff := cmp.Diff(map[string]people.TeamID{"C7": c.network}, triage()); diff != "" {
		t.Errorf("a policy that names no channel took the chosen one away (-want +got):\n%s", diff)
	}
	apply(t, c.DB, harbour(), noon.Add(2*time.Hour))
	if diff := cmp.Diff(map[string]people.TeamID{"it-desk": c.desk, "it-network": c.network}, triage()); diff != "" {
		t.Errorf("a policy that names channels (-want +got):\n%s", diff)
	}

	// A channel that a policy names by its id and that nobody has looked up yet.
	p = harbour()
	p.Teams[0].Channel["slack"] = "C9"
	apply(t, c.DB, p, noon.Add(3*time.Hour))
	choose(c.network, "C9")
	if diff := cmp.Diff(map[string]people.TeamID{"C9": c.network}, triage()); diff != "" {
		t.Errorf("after taking a channel that is known by its id alone (-want +got):\n%s", diff)
	}
}

// A process that starts while the company's policy is applied must not put the
// built-in one in its place.
func TestTheFirstPolicyGivesWay(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	first := make(chan error, 1)
	inTx(t, db, func(ctx context.Context, tx *storage.Tx) error {
		if _, err := tx.ApplyPolicy(ctx, harbour(), "test", noon); err != nil {
			return err
		}
		go func() {
			first <- db.InTx(ctx, func(tx *storage.Tx) error { return tx.FirstPolicy(ctx, policy.BuiltIn(), "built in", noon) })
		}()
		for count(t, db, `select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`) == 0 {
			select {
			case err := <-first:
				return fmt.Errorf("it did not wait: %v", err)
			case <-time.After(time.Millisecond):
			}
		}
		return nil
	})
	if err := <-first; err != nil {
		t.Fatal(err)
	}
	inForce := view(t, db, func(ctx context.Context, tx *storage.Tx) (policy.Policy, error) {
		p, _, err := tx.Policy(ctx)
		return p, err
	})
	if inForce.Desk.Company != "Harbour" {
		t.Errorf("the policy in force is that of %q, want Harbour's", inForce.Desk.Company)
	}
	// Where there is none at all it is put in force.
	empty := pgtest.New(t)
	for range 2 {
		inTx(t, empty, func(ctx context.Context, tx *storage.Tx) error {
			return tx.FirstPolicy(ctx, policy.BuiltIn(), "built in", noon)
		})
	}
	if n := count(t, empty, `select count(*) from policies`); n != 1 {
		t.Errorf("%d policies were applied, want one", n)
	}
}
