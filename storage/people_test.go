package storage_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5/pgconn"
	"golang.org/x/sync/errgroup"

	"github.com/deskhand/deskhand/core/people"
	"github.com/deskhand/deskhand/storage"
)

func slackAccount(user, name string) storage.Account {
	return storage.Account{Platform: "slack", Workspace: "T1", UserID: user, Name: name, Avatar: "https://avatars.example/" + user}
}

func (c *company) link(t *testing.T, a storage.Account, mail string, stranger bool, at time.Time) people.PersonID {
	t.Helper()
	var id people.PersonID
	inTx(t, c.DB, func(ctx context.Context, tx *storage.Tx) (err error) {
		id, err = tx.LinkAccount(ctx, a, mail, "Europe/Lisbon", stranger, at)
		return err
	})
	return id
}

func (c *company) actor(t *testing.T, user string) people.Actor {
	t.Helper()
	return view(t, c.DB, func(ctx context.Context, tx *storage.Tx) (people.Actor, error) {
		a, _, err := tx.Actor(ctx, "slack", "T1", user)
		return a, err
	})
}

func TestAccountOfVerifiedMailIsThatPerson(t *testing.T) {
	t.Parallel()
	c := newCompany(t)
	if got := c.link(t, slackAccount("U1", "ben"), "BEN@Harbour.example", false, noon); got != c.ben {
		t.Fatalf("linked to person %d, want Ben, %d", got, c.ben)
	}
	got := c.actor(t, "U1")
	if got.Name != "Ben Okoro" || got.Guest || !slices.Equal(got.Slugs, []string{"network", "service-desk"}) {
		t.Errorf("the account's person: %+v", got)
	}
	if got.TimeZone != "Europe/Lisbon" {
		t.Errorf("time zone %q: the platform's counts where the policy names none", got.TimeZone)
	}
	c.link(t, slackAccount("U2", "ana"), "ana@harbour.example", false, noon)
	if got := c.actor(t, "U2"); got.TimeZone != "Europe/Berlin" {
		t.Errorf("time zone %q: the policy's counts where it names one", got.TimeZone)
	}

	// The platform says the same again later: no new person, no new entry.
	c.link(t, slackAccount("U1", "Ben (away)"), "ben@harbour.example", false, noon.Add(12*time.Hour))
	if n := rowsIn(t, c.DB, "people"); n != 3 {
		t.Errorf("%d persons, want 3", n)
	}
	if got := actions(history(t, c.DB, storage.OfPerson, int64(c.ben))); !slices.Equal(got, []string{"account.linked"}) {
		t.Errorf("record of the person = %v", got)
	}
	inTx(t, c.DB, func(ctx context.Context, tx *storage.Tx) error {
		_, a, err := tx.Actor(ctx, "slack", "T1", "U1")
		if a.Name != "Ben (away)" || !a.CheckedAt.Equal(noon.Add(12*time.Hour)) {
			t.Errorf("the account reads %+v", a)
		}
		return err
	})
}

func TestAccountWithoutVerifiedMailIsAGuest(t *testing.T) {
	t.Parallel()
	c := newCompany(t)
	id := c.link(t, slackAccount("U9", "Visitor"), "", true, noon)
	got := c.actor(t, "U9")
	want := people.Actor{Person: people.Person{ID: id, Name: "Visitor", TimeZone: "Europe/Lisbon", Guest: true}, Teams: []people.TeamID{}, Slugs: []string{}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("a guest (-want +got):\n%s", diff)
	}
	if again := c.link(t, slackAccount("U9", "Visitor"), "", true, noon.Add(time.Hour)); again != id {
		t.Errorf("the same guest became person %d, then %d", id, again)
	}
	if got := actions(history(t, c.DB, storage.OfPerson, int64(id))); !slices.Equal(got, []string{"account.guest"}) {
		t.Errorf("record of the guest = %v", got)
	}

	// Two nameless accounts are two persons, whatever they are called.
	if other := c.link(t, slackAccount("U10", "Visitor"), "", true, noon); other == id {
		t.Error("two guests of one name are one person")
	}
	// Somebody with a mail address whom the list of people does not know is a
	// guest too, until it does.
	id = c.link(t, slackAccount("U11", "Dan"), "dan@harbour.example", true, noon)
	if got := c.actor(t, "U11"); !got.Guest || got.Mail != "dan@harbour.example" {
		t.Errorf("a stranger: %+v", got)
	}
	p := harbour()
	p.People = append(p.People, p.People[2])
	p.People[3].Mail, p.People[3].Name = "dan@harbour.example", "Dan Smith"
	apply(t, c.DB, p, noon.Add(time.Hour))
	if got := c.actor(t, "U11"); got.Guest || got.ID != id || got.Name != "Dan Smith" {
		t.Errorf("a stranger who has come onto the list: %+v", got)
	}
	if got := c.actor(t, "U9"); got.Left {
		t.Error("a guest has left the company with the next policy")
	}
}

func TestAccountMovesWithItsMail(t *testing.T) {
	t.Parallel()
	c := newCompany(t)
	guest := c.link(t, slackAccount("U1", "ben"), "", true, noon)
	if got := c.link(t, slackAccount("U1", "ben"), "ben@harbour.example", false, noon.Add(time.Hour)); got != c.ben {
		t.Errorf("a guest whose mail was verified is person %d (was %d), want Ben, %d", got, guest, c.ben)
	}
	if got := c.link(t, slackAccount("U1", "cem"), "cem@harbour.example", false, noon.Add(2*time.Hour)); got != c.cem {
		t.Errorf("an account that was given to another is person %d, want Cem, %d", got, c.cem)
	}
	accounts := func(id people.PersonID) (users []string) {
		for _, a := range view(t, c.DB, func(ctx context.Context, tx *storage.Tx) ([]storage.Account, error) { return tx.Accounts(ctx, id) }) {
			users = append(users, a.UserID)
		}
		return users
	}
	if got := accounts(c.ben); len(got) != 0 {
		t.Errorf("Ben still has the accounts %v", got)
	}
	if got := accounts(c.cem); !slices.Equal(got, []string{"U1"}) {
		t.Errorf("Cem has the accounts %v", got)
	}
	// A profile that can't tell the address any more takes nothing away.
	if got := c.link(t, slackAccount("U1", "cem"), "", true, noon.Add(3*time.Hour)); got != c.cem {
		t.Errorf("an account without its mail is person %d, want Cem as before, %d", got, c.cem)
	}
	// One person, two accounts: the one seen last comes first.
	c.link(t, slackAccount("U2", "cem"), "cem@harbour.example", false, noon.Add(4*time.Hour))
	if got := accounts(c.cem); !slices.Equal(got, []string{"U2", "U1"}) {
		t.Errorf("Cem has the accounts %v, want the one seen last first", got)
	}
}

func TestDisownedAccountIsAGuests(t *testing.T) {
	t.Parallel()
	c := newCompany(t)
	c.link(t, slackAccount("U1", "ben"), "ben@harbour.example", false, noon)
	inTx(t, c.DB, func(ctx context.Context, tx *storage.Tx) error { return tx.Disown(ctx, "slack", "T1", "U1", noon) })
	got := c.actor(t, "U1")
	if got.ID == c.ben || !got.Guest || got.Mail != "" || len(got.Teams) != 0 {
		t.Errorf("a disowned account's person: %+v", got)
	}
	entries := steps(t, history(t, c.DB, storage.OfPerson, int64(c.ben)))
	if last := entries[len(entries)-1]; last.Action != "account.disowned" || last.Before["person"] != float64(c.ben) || last.After["person"] != float64(got.ID) {
		t.Errorf("record of it: %+v", last)
	}
	if err := c.InTx(t.Context(), func(tx *storage.Tx) error { return tx.Disown(t.Context(), "slack", "T1", "U77", noon) }); !errors.Is(err, storage.ErrNotFound) {
		t.Errorf("disowning an account that nobody has: %v, want ErrNotFound", err)
	}
}

func TestManyAtOnceLinkOnePerson(t *testing.T) {
	t.Parallel()
	c := newCompany(t)
	ids := make([]people.PersonID, 10)
	var g errgroup.Group
	for i := range ids {
		g.Go(func() error {
			return c.InTx(t.Context(), func(tx *storage.Tx) (err error) {
				ids[i], err = tx.LinkAccount(t.Context(), slackAccount("U1", "Eve"), "eve@harbour.example", "", false, noon)
				return err
			})
		})
	}
	if err := g.Wait(); err != nil {
		t.Fatal(err)
	}
	if slices.Sort(ids); ids[0] != ids[len(ids)-1] {
		t.Errorf("one account is the persons %v", ids)
	}
	if n := rowsIn(t, c.DB, "people"); n != 4 {
		t.Errorf("%d persons, want 4", n)
	}
}

func TestPersonsThatTheDatabaseRefuses(t *testing.T) {
	t.Parallel()
	c := newCompany(t)
	for name, tt := range map[string]struct{ sql, constraint string }{
		"a second person of one mail address": {`insert into people (name, mail) values ('Ben again', 'ben@harbour.example')`, "people_mail_key"},
		"a mail address in capitals":          {`insert into people (name, mail) values ('Eve', 'Eve@harbour.example')`, "people_mail_check"},
		"no mail address and no guest":        {`insert into people (name) values ('Eve')`, "people_mail_or_guest"},
		"an account of nobody":                {`insert into accounts (platform, workspace, user_id, person_id, checked_at) values ('slack', 'T1', 'U1', 999, now())`, "accounts_person_id_fkey"},
	} {
		_, err := c.Pool().Exec(t.Context(), tt.sql)
		if pg, ok := errors.AsType[*pgconn.PgError](err); !ok || pg.ConstraintName != tt.constraint {
			t.Errorf("%s: %v, want it refused by %s", name, err, tt.constraint)
		}
	}
}

func TestAdminAndGreetingOnce(t *testing.T) {
	t.Parallel()
	c := newCompany(t)
	c.link(t, slackAccount("U1", "ben"), "ben@harbour.example", false, noon)
	for _, want := range []bool{true, false} {
		inTx(t, c.DB, func(ctx context.Context, tx *storage.Tx) error {
			if err := tx.MakeAdmin(ctx, c.ben, "slack", noon); err != nil {
				return err
			}
			first, err := tx.Greet(ctx, "slack", "T1", "U1", noon)
			if first != want {
				t.Errorf("Greet = %v, want %v", first, want)
			}
			return err
		})
	}
	if !c.actor(t, "U1").Admin {
		t.Error("Ben is no admin")
	}
	if got := actions(history(t, c.DB, storage.OfPerson, int64(c.ben))); !slices.Equal(got, []string{"account.linked", "admin.made"}) {
		t.Errorf("record of the person = %v", got)
	}
}

func TestUnknownAccount(t *testing.T) {
	t.Parallel()
	c := newCompany(t)
	c.link(t, slackAccount("U1", "ben"), "ben@harbour.example", false, noon)
	for name, place := range map[string][3]string{
		"of another platform":  {"teams", "T1", "U1"},
		"of another workspace": {"slack", "T2", "U1"},
		"of nobody":            {"slack", "T1", "U2"},
	} {
		err := c.View(t.Context(), func(tx *storage.Tx) error {
			_, _, err := tx.Actor(t.Context(), place[0], place[1], place[2])
			return err
		})
		if !errors.Is(err, storage.ErrNotFound) {
			t.Errorf("an account %s: %v, want ErrNotFound", name, err)
		}
	}
}

func TestPutPersonFindsWhoIsThere(t *testing.T) {
	t.Parallel()
	c := newCompany(t)
	inTx(t, c.DB, func(ctx context.Context, tx *storage.Tx) error {
		id, err := tx.PutPerson(ctx, people.Person{Name: "Ben O. Okoro", Mail: "ben@harbour.example"})
		if id != c.ben {
			t.Errorf("PutPerson = %d, want %d", id, c.ben)
		}
		return err
	})
	got := view(t, c.DB, func(ctx context.Context, tx *storage.Tx) (map[people.PersonID]people.Person, error) {
		return tx.People(ctx, c.ben, c.cem, 999)
	})
	if len(got) != 2 || got[c.ben].Name != "Ben O. Okoro" || got[c.ben].Department != "it" {
		t.Errorf("People = %+v", got)
	}
}

func TestNamesInAText(t *testing.T) {
	t.Parallel()
	c := newCompany(t)
	var got []string
	if err := c.View(t.Context(), func(tx *storage.Tx) (err error) {
		got, err = tx.NamesIn(t.Context(), "CEM AYDIN's laptop is slow, says Ana; it was ben okoro's. Ruiz has none.")
		return err
	}); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"Ben Okoro", "Cem Aydin"}, got); diff != "" {
		t.Errorf("names (-want +got):\n%s", diff)
	}
}
