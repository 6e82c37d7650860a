package app

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// scratch is a directory for what several tests use, which goes with the last.
var scratch string

// built is the program itself, built once for all tests that run it as it is
// run.
var built struct {
	once sync.Once
	err  error
}

func TestMain(m *testing.M) {
	// These tests wait for each other's processes and platforms more than they
	// work, so there are more at once than cores unless somebody says otherwise.
	flag.Parse()
	asked := false
	flag.Visit(func(f *flag.Flag) { asked = asked || f.Name == "test.parallel" })
	if !asked {
		_ = flag.Set("test.parallel", strconv.Itoa(3*runtime.GOMAXPROCS(0)))
	}
	var err error
	if scratch, err = os.MkdirTemp("", "deskhand-app-test-"); err != nil {
		panic(err)
	}
	code := m.Run()
	_ = os.RemoveAll(scratch)
	os.Exit(code)
}

func binary(t *testing.T) string {
	t.Helper()
	built.once.Do(func() {
		args := []string{"build", "-o", filepath.Join(scratch, "deskhand")}
		if race {
			args = append(args, "-race")
		}
		out, err := exec.Command("go", append(args, "github.com/deskhand/deskhand/cmd/deskhand")...).CombinedOutput()
		if err != nil {
			built.err = errors.Join(err, errors.New(string(out)))
		}
	})
	if built.err != nil {
		t.Fatal(built.err)
	}
	return filepath.Join(scratch, "deskhand")
}

// process is a `deskhand serve` that can be killed and started again at the
// same address.
type process struct {
	t    *testing.T
	addr string
	env  []string

	mu     sync.Mutex
	cmd    *exec.Cmd
	exited chan struct{} // closed when cmd has ended
	open   chan struct{} // closed when it listens
	log    []string      // of all its lives: what is worse than info, and the last lines
	bad    []string      // what must never be there
	kills  []time.Time
}

// nextPort is below those that the system gives to connections: one that it gave
// could be another connection's by the time it is listened on.
var nextPort atomic.Int32

func init() { nextPort.Store(int32(10_000 + os.Getpid()%20_000)) }

// freePort is an address that nobody listens on, and that nobody else gets.
func freePort(t *testing.T) string {
	t.Helper()
	for range 1000 {
		l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", nextPort.Add(1)))
		if err == nil {
			defer func() { _ = l.Close() }()
			return l.Addr().String()
		}
	}
	t.Fatal("no port is free")
	return ""
}

// environ is this process's, without settings of the desk.
func environ(more ...string) []string {
	var env []string
	for _, v := range os.Environ() {
		if !strings.HasPrefix(v, "DESKHAND_") && !strings.HasPrefix(v, "PG") {
			env = append(env, v)
		}
	}
	return append(env, more...)
}

// serve starts a process that ends with the test.
func serve(t *testing.T, env ...string) *process {
	t.Helper()
	p := &process{t: t, addr: freePort(t)}
	p.env = environ(append([]string{"DESKHAND_LISTEN=" + p.addr, "DESKHAND_DATA=" + t.TempDir()}, env...)...)
	t.Cleanup(func() {
		p.kill()
		if t.Failed() {
			p.mu.Lock()
			defer p.mu.Unlock()
			t.Logf("the log of %s, in part:\n%s", p.addr, strings.Join(p.log, "\n"))
		}
	})
	p.start()
	return p
}

// start starts it and returns when it listens.
func (p *process) start() {
	p.t.Helper()
	p.launch()
	p.mu.Lock()
	open, exited := p.open, p.exited
	p.mu.Unlock()
	select {
	case <-open:
	case <-exited:
		p.t.Error("the process ended instead of listening")
	case <-time.After(time.Minute):
		p.t.Error("the process does not listen")
	}
}

func (p *process) launch() {
	p.t.Helper()
	cmd := exec.Command(binary(p.t), "serve")
	cmd.Env = p.env
	cmd.SysProcAttr = endWithParent
	out, err := cmd.StderrPipe()
	if err != nil {
		p.t.Error(err)
		return
	}
	cmd.Stdout = cmd.Stderr
	if err := cmd.Start(); err != nil {
		p.t.Error(err)
		return
	}
	exited, open := make(chan struct{}), make(chan struct{})
	p.mu.Lock()
	p.cmd, p.exited, p.open = cmd, exited, open
	p.mu.Unlock()
	go func() {
		p.read(out, open)
		_ = cmd.Wait() // how it ended is in ProcessState
		close(exited)
	}()
}

// read keeps of the log what may explain a failure.
func (p *process) read(out io.Reader, open chan struct{}) {
	const most = 400
	lines := bufio.NewScanner(out)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		line := lines.Text()
		if strings.Contains(line, `"the desk is open"`) {
			close(open)
		}
		p.mu.Lock()
		if strings.Contains(line, `"msg":"panic"`) || strings.Contains(line, "DATA RACE") || strings.HasPrefix(line, "panic:") {
			p.bad = append(p.bad, line)
		}
		if p.log = append(p.log, line); len(p.log) > most {
			p.log = p.log[len(p.log)-most:]
		}
		p.mu.Unlock()
	}
}

// kill is kill -9.
func (p *process) kill() {
	p.mu.Lock()
	p.kills = append(p.kills, time.Now())
	p.mu.Unlock()
	p.signal(syscall.SIGKILL)
}

func (p *process) killedWithin(from, to time.Time) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.ContainsFunc(p.kills, func(at time.Time) bool { return !at.Before(from) && !at.After(to) })
}

// signal sends a signal and waits for the end.
func (p *process) signal(s syscall.Signal) {
	p.mu.Lock()
	cmd, exited := p.cmd, p.exited
	p.mu.Unlock()
	if cmd == nil {
		return
	}
	_ = cmd.Process.Signal(s) // it may have ended
	<-exited
}

// stop ends it as a service manager does, which must succeed.
func (p *process) stop() {
	p.t.Helper()
	late := time.AfterFunc(30*time.Second, func() {
		p.t.Error("the process does not stop")
		p.kill()
	})
	defer late.Stop()
	p.signal(syscall.SIGTERM)
	if code := p.cmd.ProcessState.ExitCode(); code != 0 {
		p.t.Errorf("the process ended with %v after SIGTERM, want success", p.cmd.ProcessState)
	}
	p.sound()
}

// sound fails the test if the process has panicked in any of its lives.
func (p *process) sound() {
	p.t.Helper()
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, line := range p.bad {
		p.t.Errorf("the process: %s", line)
	}
}

// ready waits until the process says that it is.
func (p *process) ready(ctx context.Context) error {
	for {
		if code, _ := get(ctx, "http://"+p.addr+"/readyz"); code == http.StatusOK {
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// get is the status and the body of a page; 0 if there is no answer.
func get(ctx context.Context, url string) (int, string) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return 0, err.Error()
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, err.Error()
	}
	defer func() { _ = resp.Body.Close() }()
	var b bytes.Buffer
	_, _ = b.ReadFrom(resp.Body) // what there is of it
	return resp.StatusCode, b.String()
}
