//go:build unix

// Package pglocal runs a private Postgres from the binaries of this machine: a
// cluster in a directory of ours, reached through a socket that nobody else can
// open, started and stopped with the program. It is the database of the demo,
// of small installations and of the tests.
//
// It works as root too, by running Postgres as another user, since Postgres
// refuses to run as root. The server dies with the process that started it;
// should it outlive that process all the same, the next [Start] stops it before
// it begins. Whatever is found in a directory that this package did not make is
// left alone.
package pglocal

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"
)

const (
	// Database is the database that [Server.URL] names.
	Database = "deskhand"

	superuser = "postgres"
	port      = "5432" // only a part of the socket's name

	startTimeout = 3 * time.Minute // recovery after a crash included
	stopTimeout  = time.Minute     // for the last checkpoint
)

// Options say where and how to run. Only Dir is needed, and not even that for a
// throwaway cluster.
type Options struct {
	// Dir holds the cluster: data, socket, log and lock. It is made when it is
	// not there, and refused when it holds anything of another program. See
	// [DefaultDir]. A throwaway cluster without one gets a temporary directory.
	Dir string

	// Throwaway is for tests: nothing is flushed to disk, each Start begins with
	// an empty cluster, and Stop does not care for what it leaves behind. A
	// commit still survives Restart and Halt.
	Throwaway bool

	// Fresh discards the data that are there and begins with an empty cluster.
	// Data that this package did not make, or that another version of Postgres
	// made, are refused as ever.
	Fresh bool

	// Settings are added to, or replace, the server's settings.
	Settings map[string]string

	// Binaries is the directory of initdb and postgres. By default they are
	// looked for, and fetched when there are none.
	Binaries string

	// Cache keeps fetched binaries. The default is the user's cache directory.
	Cache string

	// Repository is the Maven repository to fetch them from. The default is
	// Maven Central.
	Repository string

	// Progress is told, in a line of plain words, what takes time and how long
	// it will take. It may be called from several goroutines.
	Progress func(string)

	// search replaces PATH and the usual places.
	search []string
}

// Mode is a way to stop Postgres.
type Mode int

const (
	// Fast ends all sessions, writes everything to its place and stops.
	Fast Mode = iota
	// Immediate stops as a crash would: the next start recovers from the log.
	Immediate
)

func (m Mode) signal() syscall.Signal {
	if m == Immediate {
		return syscall.SIGQUIT
	}
	return syscall.SIGINT
}

// Server is a running cluster.
type Server struct {
	o       Options
	bin     binaries
	as      account
	dir     string // absolute
	sockets string // where the socket is; not always below dir
	ownDir  bool   // dir is temporary and goes with the server
	lock    *os.File

	quit   context.Context // ends when Stop begins
	cancel context.CancelFunc

	mu      sync.Mutex
	current *postmaster // nil while halted
	stopped bool
}

// Start starts the cluster in o.Dir, making it on the first run, and returns
// when it takes connections. Its errors are for the person at the terminal.
func Start(ctx context.Context, o Options) (_ *Server, err error) {
	if o.Progress == nil {
		o.Progress = func(string) {}
	}
	if o.Dir == "" && !o.Throwaway {
		return nil, errors.New("a private Postgres needs a directory for its data")
	}
	if o.Repository == "" {
		o.Repository = mavenCentral
	}
	if o.search == nil {
		o.search = append(filepath.SplitList(os.Getenv("PATH")), places...)
	}
	s := &Server{o: o}
	s.quit, s.cancel = context.WithCancel(context.Background()) // the server's own life, longer than Start's ctx
	defer func() {
		if err != nil {
			s.cancel()
			s.clear()
		}
	}()

	if err := s.claim(); err != nil {
		return nil, err
	}
	major, err := s.dataVersion()
	if err != nil {
		return nil, err
	}
	if s.bin, err = s.findBinaries(ctx, major); err != nil {
		return nil, err
	}
	if err := s.stopOrphan(ctx); err != nil {
		return nil, err
	}
	if err := s.initialize(ctx); err != nil {
		return nil, err
	}
	if err := s.makeSocketDir(); err != nil {
		return nil, err
	}
	if err := s.Resume(ctx); err != nil {
		return nil, err
	}
	if err := s.createDatabase(ctx); err != nil {
		_ = s.Stop()
		return nil, err
	}
	if err := os.WriteFile(filepath.Join(s.dir, urlName), []byte(s.URL()), 0o600); err != nil {
		_ = s.Stop()
		return nil, fmt.Errorf("note where the database is: %w", err)
	}
	return s, nil
}

// urlName is the file that says where the cluster is reached while it runs.
const urlName = "url"

// Running returns how to reach the cluster in dir if a process of ours runs it
// now: a command may work beside it then. The socket is open to the user who
// started it alone.
func Running(dir string) (url string, ok bool) {
	f, err := os.Open(filepath.Join(dir, lockName))
	if err != nil {
		return "", false
	}
	defer func() { _ = f.Close() }() // which gives a lock back, too
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_SH|syscall.LOCK_NB); err == nil {
		return "", false
	}
	text, err := os.ReadFile(filepath.Join(dir, urlName))
	return string(text), err == nil && len(text) > 0
}

// URL connects to the database of the desk.
func (s *Server) URL() string { return s.DatabaseURL(Database) }

// DatabaseURL connects to the named database of the cluster.
func (s *Server) DatabaseURL(name string) string {
	// Everything is spelled out, lest PGPORT, PGSSLMODE and the like of the
	// environment say otherwise.
	q := url.Values{"host": {s.sockets}, "port": {port}, "sslmode": {"disable"}}
	u := url.URL{Scheme: "postgres", User: url.User(superuser), Path: "/" + name, RawQuery: q.Encode()}
	return u.String()
}

// Dir returns the directory of the cluster.
func (s *Server) Dir() string { return s.dir }

// Version returns the version of Postgres, such as "15.18".
func (s *Server) Version() string { return s.bin.version }

// Log returns the path of the server's log.
func (s *Server) Log() string { return filepath.Join(s.dir, "postgres.log") }

// Stop stops the server and gives the directory free. The data stay, unless the
// directory was a temporary one. Stopping twice is fine.
func (s *Server) Stop() error {
	s.cancel()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stopped {
		return nil
	}
	s.stopped = true
	mode := Fast
	if s.o.Throwaway {
		mode = Immediate
	}
	err := s.halt(mode)
	s.clear()
	return err
}

// clear gives back what the server holds outside its process.
func (s *Server) clear() {
	if s.sockets != "" {
		_ = os.RemoveAll(s.sockets)
	}
	if s.ownDir {
		_ = os.RemoveAll(s.dir)
	}
	if s.lock != nil {
		// Closing is not enough: a program that is being started just now has
		// the file too, for a moment.
		_ = syscall.Flock(int(s.lock.Fd()), syscall.LOCK_UN)
		_ = s.lock.Close()
	}
}

// Restart stops the server and starts it again. URLs stay the same.
func (s *Server) Restart(ctx context.Context, m Mode) error {
	if err := s.Halt(m); err != nil {
		return err
	}
	return s.Resume(ctx)
}

// Halt stops the server until [Server.Resume].
func (s *Server) Halt(m Mode) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.halt(m)
}

func (s *Server) halt(m Mode) error {
	p := s.current
	if p == nil {
		return nil
	}
	s.current = nil // its end is wanted
	return p.stop(m)
}

// Resume starts the server after [Server.Halt]. It does nothing when the server
// runs.
func (s *Server) Resume(ctx context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stopped {
		return errors.New("the private Postgres has been stopped")
	}
	if s.current != nil {
		return nil
	}
	return s.launch(ctx)
}

// launch starts a postmaster and watches it. The caller holds mu.
func (s *Server) launch(ctx context.Context) error {
	p, err := s.startPostmaster(ctx)
	if err != nil {
		return err
	}
	s.current = p
	go s.watch(p)
	return nil
}

// watch starts the server again when it ends without being asked to, for
// instance because the machine was short of memory.
func (s *Server) watch(p *postmaster) {
	<-p.done
	for wait := 100 * time.Millisecond; ; wait = min(2*wait, 30*time.Second) {
		s.mu.Lock()
		if s.stopped || s.current != p {
			s.mu.Unlock()
			return
		}
		s.o.Progress(fmt.Sprintf("Postgres ended unexpectedly (%s); starting it again", p.end()))
		err := s.launch(s.quit)
		s.mu.Unlock()
		if err == nil {
			return
		}
		s.o.Progress(err.Error())
		select {
		case <-s.quit.Done():
			return
		case <-time.After(wait):
		}
	}
}

// createDatabase makes the desk's database if it is not there.
func (s *Server) createDatabase(ctx context.Context) error {
	conn, err := pgx.Connect(ctx, s.DatabaseURL("postgres"))
	if err != nil {
		return fmt.Errorf("connect to the private Postgres: %w", err)
	}
	defer func() { _ = conn.Close(ctx) }()
	var there bool
	err = conn.QueryRow(ctx, `select exists (select from pg_database where datname = $1)`, Database).Scan(&there)
	if err == nil && !there {
		_, err = conn.Exec(ctx, `create database `+Database)
	}
	if err != nil {
		return fmt.Errorf("create the database %s: %w", Database, err)
	}
	return nil
}
