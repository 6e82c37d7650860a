//go:build unix

package pglocal

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// holdVar makes this test binary a program that runs a cluster in the directory
// it names until it is killed.
const holdVar = "DESKHAND_TEST_HOLD_CLUSTER"

func TestMain(m *testing.M) {
	if dir := os.Getenv(holdVar); dir != "" {
		s, err := Start(context.Background(), Options{Dir: dir})
		if err != nil {
			fmt.Println("error", err)
			os.Exit(1)
		}
		fmt.Println("ready", s.current.process.Pid, s.URL())
		select {}
	}
	code := m.Run()
	if model.dir != "" {
		_ = os.RemoveAll(model.dir)
	}
	os.Exit(code)
}

// holder is another process with a cluster.
type holder struct {
	cmd        *exec.Cmd
	postmaster int
	url        string
}

func hold(t *testing.T, dir string) *holder {
	t.Helper()
	h := &holder{cmd: exec.Command(os.Args[0], "-test.run=^$")}
	h.cmd.Env = append(os.Environ(), holdVar+"="+dir)
	out, err := h.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := h.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = h.cmd.Process.Kill()
		_ = h.cmd.Wait()
	})
	line, err := bufio.NewReader(out).ReadString('\n')
	if _, scanErr := fmt.Sscanf(line, "ready %d %s", &h.postmaster, &h.url); scanErr != nil {
		t.Fatalf("the other process said %q (%v)", line, err)
	}
	return h
}

func (h *holder) kill(t *testing.T) {
	t.Helper()
	if err := h.cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = h.cmd.Wait() // killed, as it says
}

func TestServerThatDiesIsStartedAgain(t *testing.T) {
	t.Parallel()
	said := make(chan string, 100)
	s := start(t, Options{Throwaway: true, Progress: func(line string) { said <- line }})
	s.mu.Lock()
	first := s.current
	s.mu.Unlock()
	if err := first.process.Kill(); err != nil {
		t.Fatal(err)
	}
	<-first.done
	for line := range said {
		if strings.Contains(line, "ended unexpectedly") {
			break
		}
	}
	s.mu.Lock() // given back once the new one runs
	second := s.current
	s.mu.Unlock()
	if second == first {
		t.Fatal("no new server")
	}
	query1(t, s.URL(), `select 'back'`)
}

func TestSecondProgramIsRefused(t *testing.T) {
	t.Parallel()
	dir := made(t)
	h := hold(t, dir)
	got := startError(t, Options{Dir: dir})
	if want := fmt.Sprintf("another deskhand (process %d) is using %s", h.cmd.Process.Pid, dir); !strings.Contains(got, want) {
		t.Errorf("error %q, want %q in it", got, want)
	}
	query1(t, h.url, `select 'unharmed'`)
}

func TestServerEndsWithItsProgram(t *testing.T) {
	t.Parallel()
	h := hold(t, made(t))
	conn, err := pgx.Connect(t.Context(), h.url)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(context.Background()) }()
	h.kill(t)
	// The session ends because the server does, without a new program's doing.
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	if _, err := conn.WaitForNotification(ctx); err == nil || ctx.Err() != nil {
		t.Errorf("the session after kill -9 of its program: %v, want it cut", err)
	}
}

func TestNextStartRecoversAfterKill(t *testing.T) {
	t.Parallel()
	dir := made(t)
	for i := range 3 {
		h := hold(t, dir)
		if i == 0 {
			exec1(t, h.url, `create table t (n int)`)
		}
		exec1(t, h.url, `insert into t values (1)`)
		switch i {
		case 1: // everything at once, as when the power fails
			_ = syscall.Kill(h.postmaster, syscall.SIGKILL)
		case 2: // a server that can't hear of the end of its program
			_ = syscall.Kill(h.postmaster, syscall.SIGSTOP)
		}
		h.kill(t)
		if i == 2 {
			_ = syscall.Kill(h.postmaster, syscall.SIGCONT)
		}
	}
	s := start(t, Options{Dir: dir})
	if got := query1(t, s.URL(), `select count(*)::text from t`); got != "3" {
		t.Errorf("%s rows, want 3", got)
	}
}

// An orphan is a server whose program was killed where the system has no means
// to take the server along.
func TestOrphanIsStopped(t *testing.T) {
	t.Parallel()
	dir := made(t)
	first, err := Start(t.Context(), Options{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	exec1(t, first.URL(), `create table kept as select 'here' as word`)
	// As if first's process had ended: the lock is free, the server runs.
	orphan := first.current
	first.mu.Lock()
	first.current, first.stopped = nil, true
	first.mu.Unlock()
	_ = first.lock.Close()

	second := start(t, Options{Dir: dir})
	select {
	case <-orphan.done:
	default:
		t.Error("two servers on one directory")
	}
	if got := query1(t, second.URL(), `select word from kept`); got != "here" {
		t.Errorf("word = %q", got)
	}
}

func TestNumberOfADeadServerGoneToAnotherProgram(t *testing.T) {
	t.Parallel()
	dir := made(t)
	first := start(t, Options{Dir: dir})
	if err := first.Stop(); err != nil {
		t.Fatal(err)
	}
	other := exec.Command("sleep", "600")
	if err := other.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() {
		_ = other.Process.Kill()
		_ = other.Wait()
	}()
	stale := fmt.Sprintf("%d\n%s\n%d\n5432\n%s\n\n", other.Process.Pid, first.data(), time.Now().Unix(), first.sockets)
	if err := os.WriteFile(filepath.Join(first.data(), "postmaster.pid"), []byte(stale), 0o644); err != nil {
		t.Fatal(err)
	}
	second := start(t, Options{Dir: dir})
	query1(t, second.URL(), `select 'fine'`)
	if !alive(other.Process.Pid) {
		t.Error("the other program was harmed")
	}
}

func TestFirstRunCutShort(t *testing.T) {
	t.Parallel()
	dir := directory(t)
	half := filepath.Join(dir, "data.new")
	if err := os.MkdirAll(half, 0o700); err != nil {
		t.Fatal(err)
	}
	for _, f := range []string{filepath.Join(dir, lockName), filepath.Join(half, "PG_VERSION")} {
		if err := os.WriteFile(f, []byte("15\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	s := start(t, Options{Dir: dir})
	query1(t, s.URL(), `select 'fine'`)
}
