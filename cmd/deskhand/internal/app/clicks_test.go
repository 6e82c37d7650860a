package app

import (
	"flag"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/deskhand/deskhand/adapters/adaptertest"
	"github.com/deskhand/deskhand/adapters/slack/slacktest"
	"github.com/deskhand/deskhand/adapters/teams/teamstest"
	"github.com/deskhand/deskhand/bot"
	"github.com/deskhand/deskhand/storage"
	"github.com/deskhand/deskhand/storage/pgtest"
)

var manyClicks = flag.Int("clicks", 4, "how often each of twenty approvers presses in TestManyClicksOnOneCard")

// gate passes what platforms send on to several desks in turn. Once it is shut
// it holds everything until so many requests are there, and lets them all go at
// the same moment.
type gate struct {
	to   []*httputil.ReverseProxy
	next atomic.Int64

	mu   sync.Mutex
	left int // that are waited for; 0: it is open
	open chan struct{}
}

func (g *gate) shut(n int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.left, g.open = n, make(chan struct{})
}

func (g *gate) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	g.mu.Lock()
	open := g.open
	if g.left > 0 {
		if g.left--; g.left == 0 {
			close(open)
		}
	}
	g.mu.Unlock()
	if open != nil {
		select {
		case <-open:
		case <-r.Context().Done():
		}
	}
	g.to[g.next.Add(1)%int64(len(g.to))].ServeHTTP(w, r)
}

// Twenty approvers, half of them in Slack and half in Teams, press Approve some
// times each at the same moment, and their clicks reach three processes: there
// is one verdict, each vote that it took counts once, and every other click is
// answered privately in words.
//
// `go test ./...` runs a slice of it, before the tests that run beside each
// other: platforms wait for an answer for seconds only. The whole is
//
//	go test ./cmd/deskhand/internal/app -run TestManyClicks -clicks=10
func TestManyClicksOnOneCard(t *testing.T) {
	const approvers, need = 20, 11
	clicks := *manyClicks
	on := adaptertest.Pair{Asking: adaptertest.Teams, Working: adaptertest.Slack}
	d := &desk{t: t}
	d.slack = workspaceOf(t, slacktest.Options{Now: d.now}, on)
	d.teams = tenantOf(t, teamstest.Options{Now: d.now}, on)
	var mails, people []string
	for i := range approvers {
		name := fmt.Sprintf("v%02d", i)
		mail, real := name+"@acme.example", fmt.Sprintf("Voter %02d", i)
		var err error
		if i%2 == 0 {
			_, err = d.slack.AddUser(slacktest.User{Name: name, RealName: real, Email: mail, EmailConfirmed: true, TZ: "Europe/Berlin"})
		} else {
			_, err = d.teams.AddUser(teamstest.User{Name: name, DisplayName: real, Mail: mail, TZ: "Europe/Berlin", Installed: true})
		}
		if err != nil {
			t.Fatal(err)
		}
		mails, people = append(mails, mail), append(people, fmt.Sprintf("  - {mail: %s, name: %s, department: it, site: Berlin}\n", mail, real))
	}
	policy := strings.NewReplacer("\npeople:\n", "\npeople:\n"+strings.Join(people, ""),
		"\n  approvals:\n", "\n  approvals:\n    - {services: [printing], risk: [low, medium], stages: [{name: Board, ask: ["+strings.Join(mails, ", ")+"], need: majority, within: 24h}]}\n").Replace(companyOn(on))
	o := Options{DatabaseURL: pgtest.URL(t)}
	seedWith(t, o.DatabaseURL, policy)
	g := &gate{}
	for range 3 {
		d.start(o)
		to, err := url.Parse("http://" + d.app.Addr())
		if err != nil {
			t.Fatal(err)
		}
		g.to = append(g.to, httputil.NewSingleHostReverseProxy(to))
	}
	front := httptest.NewServer(g)
	defer front.Close()
	d.slack.Connect(front.URL)
	d.teams.Connect(front.URL)

	// The desk writes to people where they have written to it.
	inSlack, inTeams := d.Script, d.script()
	for i := range approvers {
		if name := fmt.Sprintf("v%02d", i); i%2 == 0 {
			inSlack.Person(name).Says("hello").Sees("Hello Voter")
		} else {
			inTeams.Person(name).Says("hello").Sees("Hello Voter")
		}
	}
	var token storage.Token
	if err := d.db.InTx(t.Context(), func(tx *storage.Tx) error {
		ben, err := tx.PersonByMail(t.Context(), "ben@acme.example")
		if err == nil {
			token, _, err = tx.MakeToken(t.Context(), storage.Token{Name: "deploy", Owner: ben, Scopes: []string{storage.ScopeRaise}}, "test", d.now())
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
	if _, _, err := d.app.Desk.RaiseFor(t.Context(), token, bot.PipelineAsk{Key: "1", Title: "A bigger disk", Why: "It is full.", Items: []string{"portal"}, Service: "printing", Plan: "Add it.", Test: "Look.", Rollback: "Take it out.", Takes: time.Hour}); err != nil {
		t.Fatal(err)
	}
	d.app.handled()

	// On a slow machine a platform, or the desk, may give a click up: whoever
	// pressed is told that too, and it may have counted.
	givenUp := make([]atomic.Int64, approvers)
	var presses []func()
	counts := make([]func(...string) int, approvers)
	for i := range approvers {
		name := fmt.Sprintf("v%02d", i)
		var press func() error
		if i%2 == 0 {
			a := inSlack.Person(name).Sees("CHG-1", "A bigger disk")
			press, counts[i] = a.Holds("Approve"), a.Counts
		} else {
			a := inTeams.Person(name).Sees("CHG-1", "A bigger disk")
			press, counts[i] = a.Holds("Approve"), a.Counts
		}
		for range clicks {
			presses = append(presses, func() {
				if err := press(); err != nil {
					t.Logf("%s: %v", name, err)
					givenUp[i].Add(1)
				}
			})
		}
	}
	if err := d.settled(t.Context()); err != nil {
		t.Fatal(err)
	}
	g.shut(len(presses))
	var all sync.WaitGroup
	for _, press := range presses {
		all.Go(press)
	}
	all.Wait()
	if err := d.settled(t.Context()); err != nil {
		t.Fatal(err)
	}
	for what, tt := range map[string]struct {
		want int
		sql  string
	}{
		"votes":                     {need, `select count(*) from votes`},
		"people who voted":          {need, `select count(distinct by_id) from votes where answer = 'yes' and by_id = seat_id`},
		"audited votes":             {need, `select count(*) from audit where action = 'approval: voted'`},
		"verdicts":                  {1, `select count(*) from audit where action = 'approval: approved'`},
		"steps of the change":       {1, `select count(*) from audit where subject = 'change' and action = 'approved'`},
		"changes that are approved": {1, `select count(*) from changes where state = 'scheduled'`},
		"dead letters":              {0, `select count(*) from dead_letters`},
	} {
		if n := d.count(tt.sql); n != tt.want {
			t.Errorf("%d %s, want %d", n, what, tt.want)
		}
	}
	for i, count := range counts {
		lost := clicks - d.count(`select count(*) from votes v join people p on p.id = v.by_id where p.name = $1`, fmt.Sprintf("Voter %02d", i))
		told, up := count("CHG-1: "), int(givenUp[i].Load())+count("I can't get to my records just now")
		if told > lost || told+up < lost {
			t.Errorf("approver %d was told %d times why a click did not count, and %d clicks were given up, want %d", i, told, up, lost)
		}
	}
}
