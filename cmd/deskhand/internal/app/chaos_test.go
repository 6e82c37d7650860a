package app

import (
	"context"
	"flag"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/deskhand/deskhand/adapters/adaptertest"
	"github.com/deskhand/deskhand/adapters/slack/slacktest"
	"github.com/deskhand/deskhand/adapters/teams/teamstest"
	"github.com/deskhand/deskhand/storage"
	"github.com/deskhand/deskhand/storage/pglocal"
	"github.com/deskhand/deskhand/storage/pgtest"
)

// `go test ./...` runs a slice of this. The whole, which takes some minutes, is
//
//	go test ./cmd/deskhand/internal/app -run Chaos -chaos.conversations=500 -chaos.kills=20 -timeout 30m
var (
	chaosConversations = flag.Int("chaos.conversations", 12, "how many conversations each chaos test has")
	chaosKills         = flag.Int("chaos.kills", 2, "how often the chaos tests kill a process")
	chaosSeed          = flag.Uint64("chaos.seed", 0, "what the chaos tests' chances come from; 0: another each time")
)

// perSecond is how many conversations begin in a second.
const perSecond = 5

func chaosChances(t *testing.T) (uint64, *rand.Rand) {
	seed := *chaosSeed
	if seed == 0 {
		seed = rand.Uint64()
	}
	t.Logf("-chaos.seed=%d -chaos.conversations=%d -chaos.kills=%d", seed, *chaosConversations, *chaosKills)
	return seed, rand.New(rand.NewPCG(seed, 0))
}

// The process is killed and Postgres restarted, Slack fails in all the ways
// that it has, and in the end everything has happened, once, in order.
func TestChaosOneProcess(t *testing.T) {
	t.Parallel()
	binary(t)
	seed, chances := chaosChances(t)
	cluster := pgtest.Cluster(t)
	on := adaptertest.On(adaptertest.Slack)
	seedWith(t, cluster.URL(), crowded(on))
	w := newSlackScene(t, on, slacktest.Options{})
	ctx, cancel := context.WithTimeout(t.Context(), 25*time.Minute)
	defer cancel()

	desk := serve(t, "DESKHAND_DATABASE_URL="+cluster.URL(), "DESKHAND_SLACK_SIGNING_SECRET=secret", "DESKHAND_SLACK_BOT_TOKEN=xoxb-test",
		"DESKHAND_SLACK_API_URL="+w.w.URL()+"/api/", "DESKHAND_SLACK_UNPACED=true")
	settled(ctx, t, desk, cluster.URL())
	w.connect("http://" + desk.addr)
	w.trouble(seed, 1)

	c := newCrowd(ctx, on, w, w, 3*time.Minute)
	talks := c.begin(ctx, t, *chaosConversations, seed, func() {
		sabotage(ctx, t, chances, *chaosConversations, []*process{desk}, cluster, nil)
	})
	w.calm()
	settle(ctx, t, c, cluster.URL(), []*process{desk}, talks)
	desk.stop()
}

// The same in Teams, which sends no message again that it could not bring, and
// lets nobody look into people's own chats: what is allowed there is in excuse. In
// channels everything stands once.
func TestChaosTeams(t *testing.T) {
	t.Parallel()
	binary(t)
	seed, chances := chaosChances(t)
	cluster := pgtest.Cluster(t)
	on := adaptertest.On(adaptertest.Teams)
	seedWith(t, cluster.URL(), crowded(on))
	w := newTeamsScene(t, on, teamstest.Options{})
	ctx, cancel := context.WithTimeout(t.Context(), 25*time.Minute)
	defer cancel()

	app := w.w.App()
	desk := serve(t, "DESKHAND_DATABASE_URL="+cluster.URL(), "DESKHAND_TEAMS_APP_ID="+app.ID, "DESKHAND_TEAMS_APP_PASSWORD="+app.Secret,
		"DESKHAND_TEAMS_TENANT_ID="+w.w.ID(), "DESKHAND_TEAMS_OPENID_METADATA_URL="+w.w.OpenIDURL(), "DESKHAND_TEAMS_TOKEN_URL="+w.w.TokenURL(),
		"DESKHAND_TEAMS_GRAPH_URL="+w.w.GraphURL(), "DESKHAND_TEAMS_UNPACED=true")
	w.connect("http://" + desk.addr)
	w.install(t, on)
	settled(ctx, t, desk, cluster.URL())
	w.trouble(seed, 1)

	c := newCrowd(ctx, on, w, w, 3*time.Minute)
	talks := c.begin(ctx, t, *chaosConversations, seed, func() {
		sabotage(ctx, t, chances, *chaosConversations, []*process{desk}, cluster, nil)
	})
	w.calm()
	settle(ctx, t, c, cluster.URL(), []*process{desk}, talks)
	desk.stop()
}

// settled waits until a new desk knows which channels are its own: before, a
// question in a help channel is none of its business.
func settled(ctx context.Context, t *testing.T, desk *process, url string) {
	t.Helper()
	if err := desk.ready(ctx); err != nil {
		t.Fatal(err)
	}
	db, err := storage.Open(ctx, url)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	for number(ctx, t, db, `select count(*) from desk_channels where channel = ''`) > 0 {
		select {
		case <-ctx.Done():
			t.Fatal("the channels are not found")
		case <-time.After(10 * time.Millisecond):
		}
	}
}

// begin has all conversations, while something goes on beside them.
func (c *crowd) begin(ctx context.Context, t *testing.T, n int, seed uint64, beside func()) []*talk {
	t.Helper()
	talks := make([]*talk, n)
	var all sync.WaitGroup
	all.Go(beside)
	for i := range talks {
		talks[i] = c.talk(ctx, i+1, seed)
		all.Go(func() {
			select {
			case <-ctx.Done():
				return
			case <-time.After(time.Duration(i) * time.Second / perSecond):
			}
			if err := talks[i].run(); err != nil {
				t.Errorf("conversation %s of %s: %v", talks[i].word, talks[i].ask, err)
			}
		})
	}
	all.Wait()
	return talks
}

// sabotage kills processes and restarts Postgres at random moments while n
// conversations begin.
func sabotage(ctx context.Context, t *testing.T, chances *rand.Rand, n int, processes []*process, cluster *pglocal.Server, more []func()) {
	steps := more
	for range *chaosKills {
		victim := processes[chances.IntN(len(processes))]
		steps = append(steps, func() {
			t.Logf("%s: kill %s", time.Now().Format("15:04:05.000"), victim.addr)
			victim.kill()
			victim.start()
		})
	}
	for range 2 {
		steps = append(steps, func() {
			t.Logf("%s: restart Postgres", time.Now().Format("15:04:05.000"))
			if err := cluster.Restart(ctx, pglocal.Immediate); err != nil {
				t.Errorf("restart Postgres: %v", err)
			}
		})
	}
	chances.Shuffle(len(steps), func(i, j int) { steps[i], steps[j] = steps[j], steps[i] })
	mean := time.Duration(n) * time.Second / perSecond / time.Duration(len(steps)+1)
	for _, step := range steps {
		select {
		case <-ctx.Done():
			return
		case <-time.After(mean/2 + time.Duration(chances.Int64N(int64(mean)))):
		}
		step()
	}
}

// problems are collected, so that a failure shows how far it goes.
type problems struct{ lines []string }

func (p *problems) add(format string, args ...any) {
	p.lines = append(p.lines, fmt.Sprintf(format, args...))
}

func (p *problems) report(t *testing.T) {
	t.Helper()
	const most = 40
	if len(p.lines) > most {
		p.lines = append(p.lines[:most], fmt.Sprintf("and %d more", len(p.lines)-most))
	}
	if len(p.lines) > 0 {
		t.Errorf("after everything has settled:\n%s", strings.Join(p.lines, "\n"))
	}
}
