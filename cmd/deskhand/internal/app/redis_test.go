package app

import (
	"context"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/deskhand/deskhand/adapters/adaptertest"
	"github.com/deskhand/deskhand/adapters/slack/slacktest"
	"github.com/deskhand/deskhand/storage/pgtest"
)

// Two processes behind a balancer, on one Postgres and one Redis, which is
// flushed, stopped and started in the middle. They keep to Slack's pace
// together, which the double enforces.
func TestChaosTwoProcesses(t *testing.T) {
	t.Parallel()
	cache := startRedis(t)
	binary(t)
	seed, chances := chaosChances(t)
	n := max(10, *chaosConversations/10) // at Slack's pace, which is 50 changes of a card in a minute
	cluster := pgtest.Cluster(t)
	on := adaptertest.On(adaptertest.Slack)
	seedWith(t, cluster.URL(), crowded(on))
	w := newSlackScene(t, on, slacktest.Options{Pacing: slacktest.SlackPacing})
	ctx, cancel := context.WithTimeout(t.Context(), 25*time.Minute)
	defer cancel()

	settings := []string{"DESKHAND_DATABASE_URL=" + cluster.URL(), "DESKHAND_SLACK_SIGNING_SECRET=secret",
		"DESKHAND_SLACK_BOT_TOKEN=xoxb-test", "DESKHAND_SLACK_API_URL=" + w.w.URL() + "/api/", "DESKHAND_REDIS_URL=" + cache.url()}
	desks := []*process{serve(t, settings...)}
	settled(ctx, t, desks[0], cluster.URL())
	desks = append(desks, serve(t, settings...))
	settled(ctx, t, desks[1], cluster.URL())
	w.connect(balancer(t, desks))
	w.trouble(seed, 0.5)

	c := newCrowd(ctx, on, w, w, 10*time.Minute)
	talks := c.begin(ctx, t, n, seed, func() {
		sabotage(ctx, t, chances, max(n, 20), desks, cluster, []func(){
			func() { cache.flush(t) },
			func() {
				cache.stop()
				cache.start(t)
			},
		})
	})
	w.calm()
	w.w.SetPacing(slacktest.Pacing{}) // what is left need not take minutes
	settle(ctx, t, c, cluster.URL(), desks, talks)
	for _, d := range desks {
		d.stop()
	}
}

// balancer is a load balancer: it asks the processes in turn, and another one if
// one does not take the connection.
func balancer(t *testing.T, desks []*process) string {
	t.Helper()
	var turn atomic.Int64
	dial := func(ctx context.Context, network, _ string) (conn net.Conn, err error) {
		first := int(turn.Add(1))
		for i := range desks {
			if conn, err = (&net.Dialer{}).DialContext(ctx, network, desks[(first+i)%len(desks)].addr); err == nil {
				return conn, nil
			}
		}
		return nil, err
	}
	proxy := &httputil.ReverseProxy{
		Rewrite:   func(r *httputil.ProxyRequest) { r.SetURL(&url.URL{Scheme: "http", Host: "desk"}) },
		Transport: &http.Transport{DialContext: dial, DisableKeepAlives: true},
		ErrorHandler: func(w http.ResponseWriter, _ *http.Request, err error) {
			http.Error(w, err.Error(), http.StatusBadGateway)
		},
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &http.Server{Handler: proxy, ReadHeaderTimeout: 5 * time.Second}
	go func() { _ = s.Serve(l) }() // until Close
	t.Cleanup(func() { _ = s.Close() })
	return "http://" + l.Addr().String()
}

// redisServer is a real redis-server on a socket of its own, which keeps
// nothing.
type redisServer struct {
	dir string
	cmd *exec.Cmd
}

func startRedis(t *testing.T) *redisServer {
	t.Helper()
	if _, err := exec.LookPath("redis-server"); err != nil {
		t.Skip("needs redis-server on PATH")
	}
	dir, err := os.MkdirTemp("", "redis-") // t.TempDir's name may be too long for a socket
	if err != nil {
		t.Fatal(err)
	}
	s := &redisServer{dir: dir}
	t.Cleanup(func() {
		s.stop()
		_ = os.RemoveAll(dir)
	})
	s.start(t)
	return s
}

func (s *redisServer) socket() string { return filepath.Join(s.dir, "s") }

func (s *redisServer) url() string { return "unix://" + s.socket() }

func (s *redisServer) start(t *testing.T) {
	t.Helper()
	s.cmd = exec.Command("redis-server", "--port", "0", "--unixsocket", s.socket(), "--dir", s.dir, "--save", "", "--appendonly", "no")
	s.cmd.SysProcAttr = endWithParent
	if err := s.cmd.Start(); err != nil {
		t.Error(err)
		return
	}
	for late := time.Now().Add(10 * time.Second); time.Now().Before(late); time.Sleep(5 * time.Millisecond) {
		if c, err := net.Dial("unix", s.socket()); err == nil {
			_ = c.Close()
			return
		}
	}
	t.Error("redis-server takes no connections")
}

func (s *redisServer) stop() {
	_ = s.cmd.Process.Kill()
	_ = s.cmd.Wait()
}

func (s *redisServer) flush(t *testing.T) {
	t.Helper()
	c := redis.NewClient(&redis.Options{Network: "unix", Addr: s.socket()})
	defer func() { _ = c.Close() }()
	if err := c.FlushAll(t.Context()).Err(); err != nil {
		t.Errorf("flush Redis: %v", err)
	}
}

// A form that was half filled in, and the budgets, live in Redis. Losing them
// costs a little time and nothing else.
func TestRedisComesAndGoes(t *testing.T) {
	t.Parallel()
	cache := startRedis(t)
	d := openWith(t, func(o *Options) { o.RedisURL = cache.url() })
	ana, ben := d.Person("ana"), d.Person("ben").In("it-triage")
	ana.Says("quixotic zebra hums").Press("Open a ticket").Press("Something is broken").SeesForm("Who is affected?")
	ana.Fill("Who is affected?", "My team")
	cache.flush(t)
	ana.Fill("By when does it hurt more?", "Today")
	cache.stop()
	ana.Submits().Sees("INC-1", "New")
	ben.Sees("INC-1").Press("Claim").Sees("Ben Weber is on it")
	ben.InThread("INC-1").Says("which zebra?")
	ana.InThread("quixotic zebra").Sees("which zebra?")
	cache.start(t)
	ana.InThread("quixotic zebra").Says("the striped one")
	ben.Sees("the striped one")
	ben.Press("Resolve").Fill("What fixed it?", "Hay.").Submits()
	ana.Press("Yes, close").Sees("INC-1 is closed")
	if n := d.count(`select count(*) from audit where subject = 'ticket' and action in ('opened', 'claimed', 'resolved', 'closed')`); n != 4 {
		t.Errorf("%d steps, want 4", n)
	}
	if n := d.count(`select count(*) from dead_letters`); n != 0 {
		t.Errorf("%d dead letters, want none", n)
	}
}
