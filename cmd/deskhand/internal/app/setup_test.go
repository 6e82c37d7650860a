package app

import (
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/deskhand/deskhand/adapters/adaptertest"
	"github.com/deskhand/deskhand/adapters/slack/slacktest"
	"github.com/deskhand/deskhand/adapters/teams/teamstest"
	"github.com/deskhand/deskhand/storage/pgtest"
)

// setUp is Acme with its desk after the first start, which has found its channels
// and people and is in all teams. Most conversations begin with a copy of that,
// as after a restart, because it takes longer than they do.
type setUp struct {
	on           adaptertest.Pair
	record       *pgtest.Filled
	slack, teams []byte // what people see there
	data         string // the desk's directory
}

// setUps are those that were wanted so far, by policy.
var setUps sync.Map

func setUpOn(on adaptertest.Pair) *setUp {
	s := &setUp{on: on}
	s.record = pgtest.Fill(s.fill)
	had, _ := setUps.LoadOrStore(companyOn(on), s)
	return had.(*setUp)
}

// fill has a desk start for the first time.
func (s *setUp) fill(t *testing.T, url string) {
	d := &parityDesk{desk: &desk{t: t}}
	d.meets(s.on, nil)
	seedWith(t, url, companyOn(s.on))
	var err error
	if s.data, err = os.MkdirTemp(scratch, "set-up-"); err != nil {
		t.Fatal(err)
	}
	d.start(Options{DatabaseURL: url, Data: s.data})
	if d.teams != nil {
		d.install(s.on)
	}
	d.Settle()
	// Those who begin with a copy have not been away since.
	if _, err := d.db.Pool().Exec(t.Context(), `delete from watching`); err != nil {
		t.Fatal(err)
	}
	if err := d.app.Stop(); err != nil {
		t.Fatal(err)
	}
	if d.slack != nil {
		if s.slack, err = d.slack.Snapshot(); err != nil {
			t.Fatal(err)
		}
		_ = d.slack.Close()
	}
	if d.teams != nil {
		if s.teams, err = d.teams.Snapshot(); err != nil {
			t.Fatal(err)
		}
		_ = d.teams.Close()
	}
}

// begin gives the desk a copy: its platforms, its record and its directory.
func (s *setUp) begin(d *desk) Options {
	d.t.Helper()
	o := Options{DatabaseURL: s.record.URL(d.t), Data: d.t.TempDir()}
	if err := os.CopyFS(filepath.Join(o.Data, "index"), os.DirFS(filepath.Join(s.data, "index"))); err != nil {
		d.t.Fatal(err)
	}
	d.meets(s.on, s)
	return o
}

// meets gives the desk its platforms, as they were left if was is not nil.
func (d *desk) meets(on adaptertest.Pair, was *setUp) {
	d.t.Helper()
	if on.Has(adaptertest.Slack) {
		d.slack = workspaceOf(d.t, slacktest.Options{Now: d.now, Redeliver: redeliver}, on)
		if was != nil {
			if err := d.slack.Restore(was.slack); err != nil {
				d.t.Fatal(err)
			}
		}
	}
	if on.Has(adaptertest.Teams) {
		// The clock jumps while calls are under way, as it does nowhere else: a token
		// that ends in between is no fault of the desk's.
		d.teams = tenantOf(d.t, teamstest.Options{Now: d.now, TokenLife: 10_000 * time.Hour, Redeliver: redeliver}, on)
		if was != nil {
			if err := d.teams.Restore(was.teams); err != nil {
				d.t.Fatal(err)
			}
		}
	}
}

var redeliver = []time.Duration{20 * time.Millisecond, time.Second, 5 * time.Second}

// install has somebody of each team add the desk to it.
func (d *parityDesk) install(on adaptertest.Pair) {
	d.t.Helper()
	var done []string
	for _, c := range on.ChannelsOf(adaptertest.Teams) {
		if name := teamOf(c.Name); !slices.Contains(done, name) {
			done = append(done, name)
			if err := d.teams.Person(c.Members[0]).Install(c.Name); err != nil {
				d.t.Fatal(err)
			}
		}
	}
	if err := d.settled(d.t.Context()); err != nil {
		d.t.Fatal(err)
	}
}
