package app

import (
	"context"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/deskhand/deskhand/adapters/adaptertest"
	"github.com/deskhand/deskhand/adapters/teams/teamstest"
	"github.com/deskhand/deskhand/cmd/deskhand/internal/policyfile"
	"github.com/deskhand/deskhand/storage"
	"github.com/deskhand/deskhand/storage/pgtest"
)

// get is what the desk answers at a path.
func (d *desk) get(path string) (int, string) {
	d.t.Helper()
	req, err := http.NewRequestWithContext(d.t.Context(), http.MethodGet, "http://"+d.app.Addr()+path, nil)
	if err != nil {
		d.t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		d.t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		d.t.Fatal(err)
	}
	return resp.StatusCode, string(body)
}

// script is the people of the desk's tenant.
func (d *desk) script() *teamstest.Script {
	s := d.teams.Script(d.t)
	s.Patience, s.Settled = patience, d.settled
	return s
}

func TestTeamsAloneWithAnAdminByPolicy(t *testing.T) {
	t.Parallel()
	d := &desk{t: t}
	d.teams = tenantOf(t, teamstest.Options{Now: d.now}, adaptertest.On(adaptertest.Teams))
	url := pgtest.URL(t)
	db, err := storage.Open(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	if err := storage.Migrate(t.Context(), db); err != nil {
		t.Fatal(err)
	}
	p, err := policyfile.Parse("admins.yaml", []byte("desk: {admins: [Ben@acme.example]}")) // Teams does not tell who administers the tenant
	if err != nil {
		t.Fatal(err)
	}
	if err := db.InTx(t.Context(), func(tx *storage.Tx) error {
		_, err := tx.ApplyPolicy(t.Context(), p, "test", time.Now())
		return err
	}); err != nil {
		t.Fatal(err)
	}
	db.Close()
	d.start(Options{DatabaseURL: url})
	if status, said := d.get("/readyz"); status != http.StatusOK || said != "ready\n" {
		t.Errorf("/readyz answers %d %q", status, said)
	}
	if status, _ := d.get("/slack/events"); status != http.StatusNotFound {
		t.Errorf("without Slack, /slack/events answers %d", status)
	}
	s := d.script()
	if err := d.teams.Person("ben").Install("it-triage"); err != nil {
		t.Fatal(err)
	}
	s.Person("kim").In("it-triage").Says("@Desk triage")
	s.Person("kim").Sees("Only an admin of the desk")
	s.Person("ben").In("it-triage").Says("@Desk triage")
	s.Person("ben").Sees("From now on tickets of", "come here")
	s.Person("ana").Says("my zeppelin leaks").Press("Talk to a person").Sees("INC-1")
	s.Channel("it-triage").Sees("INC-1", "my zeppelin leaks")

	// After a restart people are reached who have not spoken since.
	if err := d.app.Stop(); err != nil {
		t.Fatal(err)
	}
	d.start(Options{DatabaseURL: url})
	s = d.script()
	s.Person("ben").In("it-triage").Press("Claim")
	s.Person("ana").Sees("Ben Weber is on it")
}

func TestAPlatformThatIsAwayKeepsNobodyElse(t *testing.T) {
	t.Parallel()
	d := &desk{t: t}
	d.teams = tenantOf(t, teamstest.Options{Now: d.now}, adaptertest.On(adaptertest.Teams))
	url := pgtest.URL(t)
	seed(t, url)
	app, err := New(t.Context(), Options{DatabaseURL: url, Listen: "127.0.0.1:0", Data: t.TempDir(), Now: d.now, MaxConns: 8,
		Slack: Slack{SigningSecret: "secret", BotToken: "xoxb-test", APIURL: "http://127.0.0.1:1/api/"},
		Teams: Teams{AppID: d.teams.App().ID, AppPassword: d.teams.App().Secret, TenantID: d.teams.ID(),
			MetadataURL: d.teams.OpenIDURL(), TokenURL: d.teams.TokenURL(), GraphURL: d.teams.GraphURL(), Unpaced: true}})
	if err != nil {
		t.Fatal(err)
	}
	d.app, d.db = app, app.DB
	t.Cleanup(func() {
		if err := app.Stop(); err != nil {
			t.Errorf("stop: %v", err)
		}
	})
	if err := app.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	d.teams.Connect("http://" + app.Addr())
	d.script().Person("ana").Says("the printer is not printing").Sees("The printer on your floor does not print")
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	for {
		status, said := d.get("/readyz")
		if status == http.StatusOK && strings.Contains(said, "without Slack") {
			break
		}
		select {
		case <-ctx.Done():
			t.Fatalf("/readyz answers %d %q", status, said)
		case <-time.After(10 * time.Millisecond):
		}
	}
	select {
	case <-app.Ready():
		t.Error("it says that it is ready, and Slack has not said who the desk is")
	default:
	}
}

func TestNoPlatformAtAll(t *testing.T) {
	t.Parallel()
	_, err := New(t.Context(), Options{DatabaseURL: "postgres://nowhere", Data: t.TempDir()})
	if err == nil || !strings.Contains(err.Error(), "DESKHAND_SLACK_BOT_TOKEN") || !strings.Contains(err.Error(), "DESKHAND_TEAMS_APP_ID") {
		t.Errorf("New without a platform: %v", err)
	}
	_, err = New(t.Context(), Options{DatabaseURL: "postgres://nowhere", Data: t.TempDir(), Listen: "0.0.0.0:3978",
		Teams: Teams{AppID: "22222222-2222-4222-8222-222222222222", TenantID: "11111111-1111-4111-8111-111111111111", AllowAnonymousLoopback: true}})
	if err == nil || !strings.Contains(err.Error(), "loopback") {
		t.Errorf("New in development mode, open to all: %v", err)
	}
}

// What only Teams has: chats of a few people, clients that do not know the
// buttons of today, and a word when somebody adds the desk.
func TestTeamsInItsOwnManner(t *testing.T) {
	t.Parallel()
	d := parity(t, adaptertest.On(adaptertest.Teams), false).(*parityDesk)
	lunch, err := d.teams.AddChannel(teamstest.Channel{Name: "Lunch", Kind: teamstest.GroupChat, Members: []string{"ana", "eva", "ben"}, AllMessages: true})
	if err != nil {
		t.Fatal(err)
	}
	s := d.onTeams()
	ana := s.Person("ana")
	if err := ana.Person().Uninstall(""); err != nil {
		t.Fatal(err)
	}
	if err := ana.Person().Install(""); err != nil {
		t.Fatal(err)
	}
	ana.Sees("Hello Ana, I am the IT service desk.", "Tell me in your own words")
	if err := ana.Person().Install("Lunch"); err != nil {
		t.Fatal(err)
	}
	group := ana.In("Lunch")
	group.Says("shall we eat?")
	group.Says("@Desk the printer is not printing").Sees("The printer on your floor does not print", "Talk to a person")
	if n := d.count(`select count(*) from questions`); n != 1 {
		t.Errorf("%d questions, want the one that was put to the desk", n)
	}

	old := func(who *teamstest.Person, label string) {
		t.Helper()
		all, err := who.Messages(lunch.ID, "", 20)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range all {
			if path, ok := action(m.Card, label); ok {
				if err := who.Press(teamstest.Act{Channel: lunch.ID, Message: m.ID, Path: path, Old: true}); err != nil {
					t.Fatal(err)
				}
				return
			}
		}
		t.Fatalf("nobody offers %q", label)
	}
	old(ana.Person(), "Talk to a person")
	group.Sees("INC-1")
	ben := s.Person("ben").In("it-triage")
	ben.Press("Claim")
	group.Sees("INC-1", "Ben Weber is on it")
	ben.InThread("INC-1").Says("which one of you?")
	group.Sees("Ben Weber", "which one of you?")
	s.Person("eva").In("Lunch").InThread("which one of you?").Says("both of us")
	ben.InThread("INC-1").Sees("Eva Lind", "both of us")
}
