package ephemeral

import (
	"bytes"
	"fmt"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
)

// redisServer is a real redis-server on a socket of its own.
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

func (s *redisServer) start(t *testing.T, more ...string) {
	t.Helper()
	args := append([]string{"--port", "0", "--unixsocket", s.socket(), "--dir", s.dir, "--save", "", "--appendonly", "no"}, more...)
	s.cmd = exec.Command("redis-server", args...)
	if err := s.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	eventually(t, "redis-server takes connections", func() bool {
		c, err := net.Dial("unix", s.socket())
		if err == nil {
			_ = c.Close()
		}
		return err == nil
	})
}

// stop ends the server, which keeps nothing.
func (s *redisServer) stop() {
	_ = s.cmd.Process.Signal(syscall.SIGCONT) // in case it was stopped
	_ = s.cmd.Process.Kill()
	_ = s.cmd.Wait()
}

func (s *redisServer) open(t *testing.T) *Redis { return s.openLogged(t, nil) }

func (s *redisServer) openLogged(t *testing.T, log *slog.Logger) *Redis {
	t.Helper()
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	r, err := OpenRedis(t.Context(), "unix://"+s.socket(), RedisOptions{Log: log})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = r.Close() })
	return r
}

// client talks to the server behind the stores' backs.
func (s *redisServer) client(t *testing.T) *redis.Client {
	t.Helper()
	c := redis.NewClient(&redis.Options{Network: "unix", Addr: s.socket()})
	t.Cleanup(func() { _ = c.Close() })
	return c
}

func (r *Redis) isAway() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.away
}

func get(t *testing.T, s Store, key string) string {
	t.Helper()
	v, ok := s.Get(t.Context(), key)
	if !ok {
		return "(none)"
	}
	return string(v)
}

func TestFlushedRedis(t *testing.T) {
	t.Parallel()
	s := startRedis(t)
	a, b := s.open(t), s.open(t)
	ctx := t.Context()
	a.Set(ctx, "form of a", []byte("1"), time.Minute)
	b.Set(ctx, "form of b", []byte("2"), time.Minute)
	a.Set(ctx, "sent", []byte("3"), time.Minute)
	b.Delete(ctx, "sent")
	if got := get(t, a, "sent"); got != "(none)" {
		t.Errorf("a deleted value = %q", got)
	}
	for range 20 {
		if _, err := a.Take(ctx, "channel", 1, 1, 1); err != nil {
			t.Fatal(err)
		}
	}
	a.Block(ctx, "other channel", time.Now().Add(time.Minute))

	if err := s.client(t).FlushAll(ctx).Err(); err != nil {
		t.Fatal(err)
	}
	// Each goes on at once with what it wrote itself,
	if got := get(t, a, "form of a"); got != "1" {
		t.Errorf("form of a = %q", got)
	}
	if wait, err := a.Take(ctx, "channel", 1, 1, 1); err != nil || wait < 18*time.Second {
		t.Errorf("wait %v, %v; want the budget to go on at 20 s", wait, err)
	}
	if wait, err := a.Take(ctx, "other channel", 1, 1, 1); err != nil || wait < 50*time.Second {
		t.Errorf("wait %v, %v; want the block to hold", wait, err)
	}
	// and soon with what the others wrote.
	eventually(t, "b sees the form of a", func() bool { return get(t, b, "form of a") == "1" })
	eventually(t, "a sees the form of b", func() bool { return get(t, a, "form of b") == "2" })
	if wait, err := b.Take(ctx, "channel", 1, 1, 1); err != nil || wait < 18*time.Second {
		t.Errorf("wait %v, %v; want b to know the budget again", wait, err)
	}
	if got := get(t, a, "sent"); got != "(none)" {
		t.Errorf("a deleted value came back as %q", got)
	}
}

func TestFlushDoesNotBringBackTheOld(t *testing.T) {
	t.Parallel()
	s := startRedis(t)
	a, b := s.open(t), s.open(t)
	ctx := t.Context()
	a.Set(ctx, "k", []byte("old"), time.Minute)
	if err := s.client(t).FlushAll(ctx).Err(); err != nil {
		t.Fatal(err)
	}
	b.Set(ctx, "k", []byte("new"), time.Minute)
	a.lookNow()
	eventually(t, "a has written back", func() bool {
		a.mu.Lock()
		defer a.mu.Unlock()
		v, err := s.client(t).Get(ctx, a.epochKey()).Result()
		return err == nil && a.epoch == v
	})
	if got := get(t, a, "k"); got != "new" {
		t.Errorf("k = %q, want the newer one", got)
	}
}

func TestStoppedAndStartedRedis(t *testing.T) {
	t.Parallel()
	s := startRedis(t)
	var log logs
	a, b := s.openLogged(t, slog.New(slog.NewTextHandler(&log, nil))), s.open(t)
	ctx := t.Context()
	wake := b.Subscribe(ctx, "inbox")
	hears(t, a, "inbox", wake)
	a.Set(ctx, "kept", []byte("1"), time.Minute)
	a.Set(ctx, "gone", []byte("2"), time.Minute)
	a.Set(ctx, "changed", []byte("3"), time.Minute)

	s.stop()
	begun := time.Now()
	a.Delete(ctx, "gone")
	a.Set(ctx, "changed", []byte("4"), time.Minute)
	a.Set(ctx, "new", []byte("5"), time.Minute)
	for range 1000 {
		if got := get(t, a, "kept"); got != "1" {
			t.Fatalf("kept = %q", got)
		}
		a.Publish(ctx, "inbox", []byte("x"))
	}
	wait, err := a.Take(ctx, "channel", 1, 1, 1)
	if wait != 0 || err != nil {
		t.Errorf("wait %v, %v", wait, err)
	}
	if wait, err := a.Take(ctx, "channel", 1, 1, 1); wait < 900*time.Millisecond || err != nil {
		t.Errorf("wait %v, %v; want the budget kept in memory", wait, err)
	}
	if took := time.Since(begun); took > time.Second {
		t.Errorf("2000 calls without Redis took %v", took)
	}

	s.start(t)
	eventually(t, "both are back", func() bool { return !a.isAway() && !b.isAway() })
	for key, want := range map[string]string{"kept": "1", "gone": "(none)", "changed": "4", "new": "5"} {
		for name, r := range map[string]*Redis{"a": a, "b": b} {
			if got := get(t, r, key); got != want {
				t.Errorf("%s in %s = %q, want %q", key, name, got, want)
			}
		}
	}
	// A subscriber hears that it may have missed something, and then all as before.
	for receive(t, wake) != nil {
	}
	hears(t, a, "inbox", wake)
	if got := log.String(); strings.Count(got, "Redis is away") != 1 || strings.Count(got, "Redis is back") != 1 {
		t.Errorf("log:\n%s\nwant that it went and came, once", got)
	}
}

// A Redis that does not answer is worse than one that is not there.
func TestHangingRedis(t *testing.T) {
	t.Parallel()
	s := startRedis(t)
	a := s.open(t)
	ctx := t.Context()
	a.Set(ctx, "k", []byte("1"), time.Minute)
	if err := s.cmd.Process.Signal(syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	begun := time.Now()
	for range 50 { // all at once, as before anybody has noticed
		all.Go(func() {
			if got := get(t, a, "k"); got != "1" {
				t.Errorf("k = %q", got)
			}
		})
	}
	all.Wait()
	took := time.Since(begun)
	t.Logf("the first calls took %v", took)
	if took > 9*patience { // a busy machine; the driver's own time-out is longer
		t.Errorf("the first calls took %v, want %v", took, patience)
	}
	begun = time.Now()
	for range 100 {
		get(t, a, "k")
	}
	if took := time.Since(begun); took > patience {
		t.Errorf("100 calls to a Redis known to hang took %v", took)
	}
	a.Set(ctx, "k", []byte("2"), time.Minute)
	if err := s.cmd.Process.Signal(syscall.SIGCONT); err != nil {
		t.Fatal(err)
	}
	eventually(t, "it is back", func() bool { return !a.isAway() })
	if got := get(t, s.open(t), "k"); got != "2" {
		t.Errorf("k = %q, want what was written meanwhile and not what Redis still had", got)
	}
}

func TestRedisThatComesLater(t *testing.T) {
	t.Parallel()
	s := startRedis(t)
	s.stop()
	a := s.open(t)
	a.Set(t.Context(), "k", []byte("1"), time.Minute)
	if err := a.Ping(t.Context()); err == nil {
		t.Error("Ping is fine without Redis")
	}
	s.start(t)
	eventually(t, "it is there", func() bool { return !a.isAway() })
	if err := a.Ping(t.Context()); err != nil {
		t.Error(err)
	}
	if got := get(t, s.open(t), "k"); got != "1" {
		t.Errorf("k = %q", got)
	}
}

func TestDesksDoNotMeet(t *testing.T) {
	t.Parallel()
	s := startRedis(t)
	desk := func(prefix string) *Redis {
		r, err := OpenRedis(t.Context(), "unix://"+s.socket(), RedisOptions{Prefix: prefix, Log: slog.New(slog.DiscardHandler)})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = r.Close() })
		return r
	}
	a, b, again := desk("desk[1]:"), desk("desk1:"), desk("desk[1]:")
	ctx := t.Context()
	a.Set(ctx, "k", []byte("1"), time.Minute)
	if got := get(t, b, "k"); got != "(none)" {
		t.Errorf("another desk sees %q", got)
	}
	if got := get(t, again, "k"); got != "1" {
		t.Errorf("the same desk sees %q", got)
	}
	a.Block(ctx, "channel", time.Now().Add(time.Minute))
	if wait, err := b.Take(ctx, "channel", 1, 1, 1); wait != 0 || err != nil {
		t.Errorf("another desk waits %v, %v", wait, err)
	}
	fromB, fromAgain := b.Subscribe(ctx, "t"), again.Subscribe(ctx, "t")
	hears(t, a, "t", fromAgain)
	if n := drain(fromB, 50*time.Millisecond); n != 0 {
		t.Errorf("another desk hears %d payloads", n)
	}
	keys, err := s.client(t).Keys(ctx, "*").Result()
	if err != nil {
		t.Fatal(err)
	}
	for _, k := range keys {
		if !strings.HasPrefix(k, "desk[1]:") && !strings.HasPrefix(k, "desk1:") {
			t.Errorf("key %q has no prefix", k)
		}
	}
}

func TestManyValuesAreBroughtBack(t *testing.T) {
	t.Parallel()
	s := startRedis(t)
	a := s.open(t)
	ctx := t.Context()
	const n = 3*batch + 7
	for i := range n {
		a.Set(ctx, fmt.Sprint(i), []byte("x"), time.Minute)
	}
	s.stop()
	for i := range n {
		if i%2 == 0 {
			a.Delete(ctx, fmt.Sprint(i))
		}
	}
	s.start(t)
	eventually(t, "it is back", func() bool { return !a.isAway() })
	keys, err := s.client(t).Keys(ctx, "deskhand:value:*").Result()
	if err != nil || len(keys) != n/2 {
		t.Errorf("%d values in Redis, %v; want %d", len(keys), err, n/2)
	}
}

func TestNothingStaysInRedis(t *testing.T) {
	t.Parallel()
	s := startRedis(t)
	a := s.open(t)
	ctx := t.Context()
	a.Set(ctx, "k", []byte("1"), time.Hour)
	if _, err := a.Take(ctx, "channel", 1, 1, 1); err != nil {
		t.Fatal(err)
	}
	a.Block(ctx, "other", time.Now().Add(time.Minute))
	c := s.client(t)
	for _, key := range []string{a.valueKey("k"), a.bucketKey("channel"), a.bucketKey("other")} {
		if ttl, err := c.PTTL(ctx, key).Result(); err != nil || ttl <= 0 || ttl > time.Hour {
			t.Errorf("%s is kept for %v, %v", key, ttl, err)
		}
	}
}

func TestOpenRedisSaysWhatIsWrong(t *testing.T) {
	t.Parallel()
	locked := startRedis(t)
	locked.stop()
	locked.start(t, "--requirepass", "right")
	tests := map[string]struct{ url, want string }{
		"not a URL":           {"hunter2", "DESKHAND_REDIS_URL can't be read"},
		"a broken URL":        {"redis://ana:hunter2/x@h", "DESKHAND_REDIS_URL can't be read"},
		"the wrong password":  {"unix://ana:hunter2@" + locked.socket(), "correct the user and the password in DESKHAND_REDIS_URL"},
		"no password, it has": {"unix://" + locked.socket(), "correct the user and the password in DESKHAND_REDIS_URL"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			r, err := OpenRedis(t.Context(), tt.url, RedisOptions{})
			if err == nil {
				_ = r.Close()
				t.Fatal("it opened")
			}
			if !strings.Contains(err.Error(), tt.want) || strings.Contains(err.Error(), "hunter2") || strings.Contains(err.Error(), "\n") {
				t.Errorf("error %q, want one line with %q and no password", err, tt.want)
			}
		})
	}
}

// logs collects what is logged from several goroutines.
type logs struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *logs) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *logs) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

func BenchmarkTake(b *testing.B) {
	b.Run("memory", func(b *testing.B) {
		m := NewMemory(MemoryOptions{})
		for b.Loop() {
			if _, err := m.Take(b.Context(), "channel", 1e6, 1000, 1); err != nil {
				b.Fatal(err)
			}
		}
	})
}
