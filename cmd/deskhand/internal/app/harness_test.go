package app

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"regexp"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/deskhand/deskhand/adapters/adaptertest"
	"github.com/deskhand/deskhand/adapters/slack/slacktest"
	"github.com/deskhand/deskhand/adapters/teams/teamstest"
	"github.com/deskhand/deskhand/cmd/deskhand/internal/policyfile"
	"github.com/deskhand/deskhand/core/cmdb"
	"github.com/deskhand/deskhand/core/knowledge"
	"github.com/deskhand/deskhand/storage"
)

// company is the policy of Acme, all of it on Slack.
var company = companyOn(adaptertest.On(adaptertest.Slack))

// companyOn is it with people and channels elsewhere.
func companyOn(p adaptertest.Pair) string {
	policy := strings.NewReplacer("ASKING", p.Asking.Name, "WORKING", p.Working.Name).Replace(inManner(p.Manner, acme))
	if p.Both {
		policy = regexp.MustCompile(`channel: \{[a-z]+: ([a-z-]+)\}`).ReplaceAllString(policy, "channel: {slack: $1, teams: $1}")
	}
	return policy
}

// inManner is Acme as it works in a conversation.
func inManner(m adaptertest.Manner, policy string) string {
	day := func(ahead int) string { return strings.ToLower(time.Now().UTC().AddDate(0, 0, ahead).Format("Mon")) }
	switch m {
	case adaptertest.Tiered:
		return strings.Replace(policy, "services:\n", `  - {slug: backbone, name: Backbone, tier: 3, channel: {WORKING: it-spare}, lead: ada@acme.example, members: [ben@acme.example]}
services:
  - {slug: passwords, name: Passwords, incidents: service-desk, requests: service-desk, words: [password], tier: 2}
`, 1)
	case adaptertest.Chosen:
		return strings.Replace(policy, "members: [ben@acme.example, kim@acme.example]}",
			"members: [ben@acme.example, kim@acme.example], assign: auto, skills: {printing: [kim@acme.example]}}", 1)
	case adaptertest.Quiet:
		return strings.NewReplacer("members: [ben@acme.example, kim@acme.example]}", "members: [ben@acme.example, kim@acme.example], on_call: [kim@acme.example]}",
			"{WORKING: sla-alerts}}", "{WORKING: sla-alerts}, hours: awake, any_time: [1]}").Replace(policy) + `calendars:
  - {slug: awake, name: Awake, timezone: UTC, open: {` + day(2) + `: ["00:00-24:00"]}}
`
	case adaptertest.Shifts:
		policy = inManner(adaptertest.Chosen, policy)
		for _, of := range [][2]string{{"ben", "later"}, {"kim", "soon"}, {"leo", "later"}} {
			policy = regexp.MustCompile(`(mail: `+of[0]+`@acme.example, .*)}`).ReplaceAllString(policy, "$1, calendar: "+of[1]+"}")
		}
		return policy + `calendars:
  - {slug: soon, name: Soon, timezone: UTC, open: {` + day(2) + `: ["00:00-24:00"], ` + day(3) + `: ["00:00-24:00"]}}
  - {slug: later, name: Later, timezone: UTC, open: {` + day(5) + `: ["08:00-16:00"]}}
`
	}
	return policy
}

const acme = `
desk:
  company: Acme
  timezone: Europe/Berlin
  admins: [ada@acme.example]
  help: [{ASKING: it-help}]
departments: [{slug: sales, name: Sales and events}, {slug: it, name: IT}]
people:
  - {mail: ana@acme.example, name: Ana Silva, department: sales, site: Porto}
  - {mail: eva@acme.example, name: Eva Lind, department: sales, site: Porto}
  - {mail: ben@acme.example, name: Ben Weber, department: it, site: Berlin}
  - {mail: kim@acme.example, name: Kim Lee, department: it, site: Berlin}
  - {mail: leo@acme.example, name: Leo Novak, department: it, site: Berlin}
  - {mail: ada@acme.example, name: Ada Roth, department: it, site: Berlin}
teams:
  - {slug: service-desk, name: Service Desk, tier: 1, channel: {WORKING: it-triage}, lead: leo@acme.example, members: [ben@acme.example, kim@acme.example]}
  - {slug: network, name: Network, tier: 2, channel: {WORKING: it-network}, lead: leo@acme.example, members: [leo@acme.example]}
services:
  - {slug: printing, name: Printing, incidents: service-desk, requests: service-desk, words: [printer, printing, print], channel: {ASKING: sales}}
  - {slug: vpn, name: VPN, incidents: network, requests: network, words: [vpn]}
  - {slug: other, name: Something else, incidents: service-desk, requests: service-desk}
requests:
  - {slug: accordion, name: New accordion, words: [squeezebox, concertina], description: Leo says yes. It takes a week., service: printing, team: network}
  - {slug: organ, name: Key of the organ, words: [organ loft], service: other, audience: [network]}
service_levels:
  - {slug: critical, name: Critical, for: {priorities: [1]}, calendar: always, response: {within: 1h}, resolution: {within: 4h, pauses: [requester, supplier]}}
  - {slug: standard, name: Standard, for: {}, calendar: always, response: {within: 1h}, resolution: {within: 8h, pauses: [requester, supplier]}}
alerts: {channel: {WORKING: sla-alerts}}
changes:
  report: {WORKING: it-triage}
  approvals:
    - risk: [high]
      stages:
        - {name: Team lead, ask: [lead], within: 24h, deputies: [admins]}
        - {name: Change board, ask: [ada@acme.example, ben@acme.example, leo@acme.example], need: majority, within: 48h}
    - stages: [{name: Team lead, ask: [lead], within: 24h, deputies: [admins]}]
  freezes:
    - {name: No new routes, from: 2026-01-01, to: 2036-01-01, services: [vpn]}
  standard:
    - {slug: disks, title: Disks, types: [database], tier: 2, takes: 2h, plan: Add it and grow the volume., test: Watch the queue., rollback: Detach it.}
knowledge: {channel: {WORKING: it-knowledge}, review_after: 30d}
`

func published(slug, title, symptom, answer string, audience ...string) knowledge.Article {
	if audience == nil {
		audience = []string{knowledge.Everyone}
	}
	return knowledge.Article{Slug: slug, Title: title, Symptom: symptom, Answer: answer, Audience: audience,
		Language: "en", Owner: "ben@acme.example", State: knowledge.Published}
}

var articles = []knowledge.Article{
	published("printer", "The printer on your floor does not print", "The printer is not printing. My print job is stuck in the queue.",
		"1. Open the print queue.\n2. Cancel every job.\n3. Print **one** page again."),
	published("paper-jam", "Clear a paper jam in the printer", "Paper is stuck in the printer and the display says jam.", "1. Open flap A.\n   ![The latch is marked in amber](images/0123456789abcdef0123456789abcdef.png)\n2. Pull the paper out slowly."),
	published("vpn-drops", "Keep the VPN connected", "The vpn drops every ten minutes and reconnects.", "1. Turn off power saving for Wi-Fi."),
	published("salary-run", "Unlock the salary run", "The salary run is locked for payroll.", "1. Ask payroll.", "hr"),
}

// runs are the configuration items.
var runs = []cmdb.Row{
	{Line: 1, Key: "payroll", Name: "Payroll", Type: cmdb.Service, Tier: 1, Users: 40, Downtime: 10000, Relations: map[cmdb.Kind][]string{cmdb.DependsOn: {"app-1"}}},
	{Line: 2, Key: "portal", Name: "Portal", Type: cmdb.Service, Tier: 2, Users: 380, Relations: map[cmdb.Kind][]string{cmdb.DependsOn: {"app-2"}}},
	{Line: 3, Key: "app-1", Type: cmdb.Application, Tier: 2, Relations: map[cmdb.Kind][]string{cmdb.RunsOn: {"db-3"}}},
	{Line: 4, Key: "app-2", Type: cmdb.Application, Tier: 3, Relations: map[cmdb.Kind][]string{cmdb.RunsOn: {"db-3"}}},
	{Line: 5, Key: "db-3", Name: "Orders database", Type: cmdb.Database, Tier: 2, Owner: "kim@acme.example", Team: "network", Relations: map[cmdb.Kind][]string{cmdb.DependsOn: {"san-1"}}},
	{Line: 6, Key: "san-1", Type: cmdb.Storage, Tier: 1},
	{Line: 7, Key: "db-2", Name: "Old orders", Type: cmdb.Database, State: cmdb.Retired},
}

// desk is a whole desk with its workspace.
type desk struct {
	*slacktest.Script
	t     *testing.T
	app   *App
	slack *slacktest.Workspace // nil: not connected to Slack
	teams *teamstest.Tenant    // nil: not to Teams
	db    *storage.DB
	ahead atomic.Int64 // how far the desk's clock is ahead, in ns
}

// patience is how long a test waits for what should come at once, on a machine
// that may have other things to do.
const patience = 30 * time.Second

func (d *desk) now() time.Time { return time.Now().Add(time.Duration(d.ahead.Load())) }

// pass lets time pass for the desk.
func (d *desk) pass(by time.Duration) {
	d.ahead.Add(int64(by))
	d.app.watch.Wake()
}

// workspace is Acme's Slack.
func workspace(t *testing.T, o slacktest.Options) *slacktest.Workspace {
	t.Helper()
	return workspaceOf(t, o, adaptertest.On(adaptertest.Slack))
}

// workspaceOf is Acme's Slack with those who are there if not all are.
func workspaceOf(t *testing.T, o slacktest.Options, on adaptertest.Pair) *slacktest.Workspace {
	t.Helper()
	o.App.SigningSecret, o.App.BotToken, o.App.AppToken = "secret", "xoxb-test", "xapp-test"
	o.App.Shortcuts = []slacktest.Shortcut{{Name: "Open a ticket", CallbackID: "ticket.from_message", OnMessage: true}, {Name: "Ask the desk", CallbackID: "desk.ask"}}
	w, err := slacktest.New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = w.Close() })
	ids := map[string]string{}
	for _, p := range on.PeopleOf(adaptertest.Slack) {
		u, err := w.AddUser(slacktest.User{Name: p.Name, RealName: p.Real, Email: p.Mail, EmailConfirmed: true, TZ: "Europe/Berlin", Admin: p.Admin})
		if err != nil {
			t.Fatal(err)
		}
		ids[p.Name] = u.ID
	}
	for _, c := range on.ChannelsOf(adaptertest.Slack) {
		members := []string{w.App().BotUserID}
		for _, name := range c.Members {
			members = append(members, ids[name])
		}
		if _, err := w.AddChannel(slacktest.Channel{Name: c.Name, Members: members}); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Listen("127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	return w
}

// seed puts policy and articles into a database.
func seed(t *testing.T, url string) { seedWith(t, url, company) }

func seedWith(t *testing.T, url, policy string) {
	t.Helper()
	p, err := policyfile.Parse("company.yaml", []byte(policy))
	if err != nil {
		t.Fatal(err)
	}
	db, err := storage.Open(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if err := storage.Migrate(t.Context(), db); err != nil {
		t.Fatal(err)
	}
	if err := db.InTx(t.Context(), func(tx *storage.Tx) error {
		if _, err := tx.ApplyPolicy(t.Context(), p, "test", time.Now()); err != nil {
			return err
		}
		known, err := tx.KnownItems(t.Context())
		if err != nil {
			return err
		}
		plan := cmdb.Compare(runs, known)
		if len(plan.Problems) > 0 {
			return fmt.Errorf("items: %v", plan.Problems)
		}
		if err := tx.ImportItems(t.Context(), plan, "test", time.Now()); err != nil {
			return err
		}
		for _, a := range articles {
			if _, _, _, err := tx.PutArticle(t.Context(), a, 0, "test", time.Now()); err != nil {
				return err
			}
		}
		_, err = tx.Exec(t.Context(), `insert into article_pictures (article_id, name, data) select id, '0123456789abcdef0123456789abcdef.png', $1 from articles where slug = 'paper-jam'`,
			[]byte("\x89PNG\r\n\x1a\n"))
		return err
	}); err != nil {
		t.Fatal(err)
	}
}

// open starts a desk for Acme.
func open(t *testing.T) *desk { return openWith(t, func(*Options) {}) }

// openWith starts one with other options.
func openWith(t *testing.T, with func(*Options)) *desk {
	t.Helper()
	d := &desk{t: t}
	o := setUpOn(adaptertest.On(adaptertest.Slack)).begin(d)
	with(&o)
	d.start(o)
	return d
}

func (d *desk) start(with Options) {
	d.t.Helper()
	o := Options{
		DatabaseURL: with.DatabaseURL, RedisURL: with.RedisURL, Listen: cmp.Or(with.Listen, "127.0.0.1:0"), URL: with.URL, Model: with.Model, Data: with.Data, Now: d.now,
		// A few connections are enough for one conversation, and each costs Postgres as much as a hundred questions put to it.
		MaxConns: 3,
		Log:      slog.New(slog.NewTextHandler(testLog{d.t}, &slog.HandlerOptions{Level: slog.LevelInfo})),
	}
	if o.Data == "" {
		o.Data = d.t.TempDir()
	}
	if d.slack != nil {
		o.Slack = Slack{SigningSecret: "secret", BotToken: "xoxb-test", APIURL: d.slack.URL() + "/api/", Unpaced: true}
	}
	if d.teams != nil {
		app := d.teams.App()
		o.Teams = Teams{AppID: app.ID, AppPassword: app.Secret, TenantID: d.teams.ID(), MetadataURL: d.teams.OpenIDURL(), TokenURL: d.teams.TokenURL(), GraphURL: d.teams.GraphURL(), Unpaced: true}
	}
	app, err := New(d.t.Context(), o)
	if err != nil {
		d.t.Fatal(err)
	}
	d.app, d.db = app, app.DB
	d.t.Cleanup(func() {
		if err := app.Stop(); err != nil {
			d.t.Errorf("stop: %v", err)
		}
	})
	if d.teams != nil { // it may have been elsewhere before
		if _, err := d.db.Pool().Exec(d.t.Context(), `update references_kept set value = jsonb_set(value, '{url}', to_jsonb($1::text)) where platform = 'teams' and value ? 'url'`,
			d.teams.ServiceURL()); err != nil {
			d.t.Fatal(err)
		}
	}
	if err := app.Start(d.t.Context()); err != nil {
		d.t.Fatal(err)
	}
	<-app.Ready()
	if d.teams != nil {
		d.teams.Connect("http://" + app.Addr())
	}
	if d.slack == nil {
		return
	}
	d.slack.Connect("http://" + app.Addr())
	d.Script = d.slack.Script(d.t)
	d.Patience = patience
	d.Settled = d.settled
}

// settled waits until the desk has nothing left to do that is due.
func (d *desk) settled(ctx context.Context) error {
	for {
		if d.slack != nil {
			if err := d.slack.Idle(ctx); err != nil {
				return err
			}
		}
		if d.teams != nil {
			if err := d.teams.Idle(ctx); err != nil {
				return err
			}
		}
		var (
			b      storage.Backlog
			seq    int64
			learnt int64
			words  []knowledge.Synonym
		)
		if err := d.db.View(ctx, func(tx *storage.Tx) (err error) {
			if b, err = tx.Backlog(ctx, d.now()); err != nil || !b.Settled() {
				return err
			}
			if seq, err = tx.ArticleSeq(ctx); err != nil {
				return err
			}
			if words, err = tx.Synonyms(ctx); err != nil {
				return err
			}
			_, learnt, err = tx.EvidenceFrom(ctx, 1)
			return err
		}); err != nil {
			return err
		}
		if b.Settled() && d.app.index.Seq() >= seq && d.app.index.Learnt() >= learnt && !d.app.index.SetSynonyms(knowledge.SynonymGroups(words)) {
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(5 * time.Millisecond):
		}
	}
}

// count is the one number that a query returns.
func (d *desk) count(query string, args ...any) int {
	d.t.Helper()
	var n int
	if err := d.db.Pool().QueryRow(d.t.Context(), query, args...).Scan(&n); err != nil {
		d.t.Fatalf("%s: %v", query, err)
	}
	return n
}

// message is the newest message in a channel, as somebody sees it, that has the
// words.
func (d *desk) message(who, channel, words string) slacktest.Message {
	d.t.Helper()
	c, ok := d.slack.Channel(channel)
	if !ok {
		d.t.Fatalf("no channel %s", channel)
	}
	all, err := d.Person(who).Person().Messages(c.ID, "", 100)
	if err != nil {
		d.t.Fatal(err)
	}
	for _, m := range slices.Backward(all) {
		if strings.Contains(m.Text, words) {
			m.Channel = c.ID
			return m
		}
	}
	d.t.Fatalf("no message with %q in #%s", words, channel)
	return slacktest.Message{}
}

// action is the id of the message's button for an action of the desk's.
func (d *desk) action(m slacktest.Message, name string) string {
	d.t.Helper()
	id := regexp.MustCompile(`"action_id":"([^"]*` + regexp.QuoteMeta(name) + `[^"]*)"`).FindSubmatch(m.Blocks)
	if id == nil {
		d.t.Fatalf("no button %s in %s", name, m.Blocks)
	}
	return string(id[1])
}

// testLog keeps the desk's log with the test's.
type testLog struct{ t *testing.T }

func (l testLog) Write(b []byte) (int, error) {
	if bytes.Contains(b, []byte("msg=panic")) {
		l.t.Errorf("the desk has panicked: %s", b)
	}
	if l.t.Context().Err() == nil { // after the test nothing may be logged there
		l.t.Log(string(b))
	}
	return len(b), nil
}
