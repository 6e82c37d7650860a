//go:build unix

package pglocal

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// maxLog is how large the log may be at a start before it is put aside.
const maxLog = 10 << 20

// poll is how often we look whether a server is up or gone, where the system
// has no way to tell us.
const poll = 10 * time.Millisecond

// settings of a small desk on a machine that it shares with other programs.
func (s *Server) settings() map[string]string {
	set := map[string]string{
		"listen_addresses":        "", // the socket only
		"unix_socket_directories": s.sockets,
		"unix_socket_permissions": "0700",
		"port":                    port,
		"timezone":                "UTC",
		"log_timezone":            "UTC",

		"max_connections":      "100",
		"shared_buffers":       "64MB",
		"effective_cache_size": "512MB",
		"work_mem":             "8MB",
		"maintenance_work_mem": "64MB",
		"random_page_cost":     "1.1", // solid state, or all in memory
		"jit":                  "off", // our queries are short; compiling them is not
		"max_wal_size":         "512MB",
		"wal_level":            "replica", // so that a base backup and a standby are possible
		"wal_compression":      "on",
		"synchronous_commit":   "on",
		"checkpoint_timeout":   "10min",

		"logging_collector":          "off", // the log is our file
		"log_destination":            "stderr",
		"log_line_prefix":            "%m [%p] ",
		"log_checkpoints":            "off",
		"log_min_duration_statement": "2s",
		"log_parameter_max_length":   "0", // what people wrote stays out of the log
	}
	if s.o.Throwaway {
		set["fsync"] = "off"
		set["full_page_writes"] = "off"
		set["wal_level"] = "minimal"
		set["max_wal_senders"] = "0"
		set["autovacuum_naptime"] = "10min"
		// A killed server must not leave memory behind that nobody will free.
		set["dynamic_shared_memory_type"] = "mmap"
	}
	maps.Copy(set, s.o.Settings)
	return set
}

// postmaster is one run of the server.
type postmaster struct {
	process *os.Process
	done    chan struct{} // closed when the process has ended
	state   *os.ProcessState
}

func (p *postmaster) end() string {
	<-p.done
	if p.state == nil {
		return "for no known reason"
	}
	return p.state.String()
}

// stop asks the server to end, ever more urgently.
func (p *postmaster) stop(m Mode) error {
	signals := []os.Signal{m.signal(), syscall.SIGQUIT, syscall.SIGKILL}
	for i, sig := range signals {
		if err := p.process.Signal(sig); err != nil && !errors.Is(err, os.ErrProcessDone) {
			return fmt.Errorf("stop Postgres: %w", err)
		}
		patience := stopTimeout
		if i > 0 {
			patience = 10 * time.Second
		}
		select {
		case <-p.done:
			return nil
		case <-time.After(patience):
		}
	}
	return errors.New("stop Postgres: it does not end, not even when killed")
}

// startPostmaster starts the server and waits until it takes connections.
func (s *Server) startPostmaster(ctx context.Context) (*postmaster, error) {
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	for {
		p, said, err := s.tryPostmaster(ctx)
		if err == nil {
			return p, nil
		}
		// What is left of a server that was killed holds on to its memory for a
		// moment longer.
		if !strings.Contains(said, "is still in use") || ctx.Err() != nil {
			return nil, err
		}
		select {
		case <-ctx.Done():
			return nil, err
		case <-time.After(200 * time.Millisecond):
		}
	}
}

// tryPostmaster also returns what the server wrote to its log if it failed.
func (s *Server) tryPostmaster(ctx context.Context) (_ *postmaster, said string, err error) {
	log, err := s.openLog()
	if err != nil {
		return nil, "", err
	}
	defer func() { _ = log.Close() }()
	from, err := log.Seek(0, io.SeekEnd)
	if err != nil {
		return nil, "", fmt.Errorf("read the log of Postgres: %w", err)
	}

	p, err := s.spawn(log)
	if err != nil {
		return nil, "", err
	}
	begun, told := time.Now(), time.Now()
	tick := time.NewTicker(poll)
	defer tick.Stop()
	for {
		if st, err := readStatus(s.data()); err == nil && st.pid == p.process.Pid && st.ready {
			return p, "", nil
		}
		select {
		case <-p.done:
			said := readFrom(log, from)
			why := complaint(said)
			if why == "" {
				why = p.end()
			}
			return nil, said, fmt.Errorf("the private Postgres does not start: %s; its log is %s", why, log.Name())
		case <-ctx.Done():
			_ = p.stop(Fast)
			return nil, "", fmt.Errorf("the private Postgres is not ready after %s: %w; its log is %s",
				time.Since(begun).Round(time.Second), ctx.Err(), log.Name())
		case <-tick.C:
		}
		if time.Since(told) > 3*time.Second {
			told = time.Now()
			s.o.Progress(fmt.Sprintf("Postgres is still starting, for %s now: %s",
				time.Since(begun).Round(time.Second), lastLines(readFrom(log, from), 1)))
		}
	}
}

// spawn starts the process. It is our direct child, in a process group of its
// own: a Ctrl-C in the terminal reaches us and not it, so that the desk can
// finish what it does.
func (s *Server) spawn(log *os.File) (*postmaster, error) {
	args := []string{"-D", s.data()}
	set := s.settings()
	for _, k := range slices.Sorted(maps.Keys(set)) {
		args = append(args, "-c", k+"="+set[k])
	}
	// Not tied to a context: it is ended with signals that it understands.
	cmd := s.command(context.WithoutCancel(s.quit), "postgres", args...)
	cmd.Stdout, cmd.Stderr = log, log

	p := &postmaster{done: make(chan struct{})}
	started := make(chan error, 1)
	go func() {
		// On Linux a child can be told of the end of the thread that started it,
		// so this one stays for as long as the child lives.
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		mode := Fast
		if s.o.Throwaway {
			mode = Immediate
		}
		leash := dieWithParent(cmd, mode.signal())
		err := cmd.Start()
		if err == nil {
			p.process = cmd.Process
			err = leash.hold(cmd.Process.Pid)
		}
		started <- err
		if cmd.Process == nil {
			return
		}
		_ = cmd.Wait() // its state says it all
		leash.release()
		p.state = cmd.ProcessState
		close(p.done)
	}()
	if err := <-started; err != nil {
		if p.process != nil {
			_ = p.stop(Immediate)
		}
		return nil, fmt.Errorf("start Postgres as %s: %w", s.as, err)
	}
	return p, nil
}

// stopOrphan stops a server that a killed process left running on our data, and
// removes what would keep a new one from starting. We hold the lock of the
// directory: no living deskhand owns that server.
func (s *Server) stopOrphan(ctx context.Context) error {
	st, err := readStatus(s.data())
	if err != nil {
		return nil // none was left, or nothing that can be read; Postgres decides
	}
	defer removeSocketDir(st.sockets)
	if !alive(st.pid) {
		return nil // Postgres itself removes the file of a dead one
	}
	if !isPostmasterOf(st.pid, s.data()) {
		// The machine has been restarted and the number belongs to another
		// program now. Postgres would refuse to start for its sake.
		if err := os.Remove(filepath.Join(s.data(), "postmaster.pid")); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("clear up after the last run: %w", err)
		}
		return nil
	}

	s.o.Progress("Stopping the Postgres that an earlier run left behind")
	for _, sig := range []syscall.Signal{syscall.SIGINT, syscall.SIGQUIT} {
		if s.o.Throwaway {
			sig = syscall.SIGQUIT
		}
		if err := syscall.Kill(st.pid, sig); err != nil && !errors.Is(err, syscall.ESRCH) {
			return fmt.Errorf("stop the Postgres that an earlier run left behind (process %d): %w", st.pid, err)
		}
		deadline := time.Now().Add(stopTimeout)
		for time.Now().Before(deadline) {
			if !alive(st.pid) || !isPostmasterOf(st.pid, s.data()) {
				return nil
			}
			select {
			case <-ctx.Done():
				return ctx.Err()
			case <-time.After(poll):
			}
		}
	}
	return fmt.Errorf("a Postgres that an earlier run left behind (process %d) does not stop; kill it and try again", st.pid)
}

// status is what a server says of itself in postmaster.pid. The lines are
// described in Postgres' source, src/include/utils/pidfile.h.
type status struct {
	pid     int
	sockets string
	ready   bool
}

func readStatus(data string) (status, error) {
	raw, err := os.ReadFile(filepath.Join(data, "postmaster.pid"))
	if err != nil {
		return status{}, err
	}
	lines := strings.Split(string(raw), "\n")
	var st status
	if st.pid, err = strconv.Atoi(strings.TrimSpace(lines[0])); err != nil || st.pid <= 0 {
		return status{}, fmt.Errorf("postmaster.pid has no process number")
	}
	if len(lines) >= 5 {
		st.sockets = lines[4]
	}
	if len(lines) >= 8 {
		st.ready = strings.TrimSpace(lines[7]) == "ready"
	}
	return st, nil
}

// removeSocketDir removes a temporary directory of ours.
func removeSocketDir(dir string) {
	if strings.HasPrefix(filepath.Base(dir), socketDirPrefix) {
		_ = os.RemoveAll(dir)
	}
}

func alive(pid int) bool {
	err := syscall.Kill(pid, 0)
	return err == nil || errors.Is(err, syscall.EPERM)
}

// openLog opens the log for appending; a long one is kept once as postgres.log.1.
func (s *Server) openLog() (*os.File, error) {
	name := s.Log()
	if fi, err := os.Stat(name); err == nil && fi.Size() > maxLog {
		if err := os.Rename(name, name+".1"); err != nil {
			return nil, fmt.Errorf("put the log of Postgres aside: %w", err)
		}
	}
	f, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open the log of Postgres: %w", err)
	}
	return f, nil
}

func readFrom(f *os.File, offset int64) string {
	var b bytes.Buffer
	_, _ = io.Copy(&b, io.NewSectionReader(f, offset, 1<<20)) // as much as there is
	return b.String()
}

// complaint finds the line with which a server explains why it gave up.
func complaint(log string) string {
	why := ""
	for l := range strings.Lines(log) {
		for _, mark := range []string{"FATAL:", "PANIC:", "postgres:"} {
			if _, after, ok := strings.Cut(l, mark); ok {
				why = strings.TrimSpace(after)
			}
		}
	}
	if why == "" {
		return lastLines(log, 1)
	}
	return why
}
