//go:build unix

package pglocal

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

// lockName is the file that marks a directory as ours and, locked, as in use.
const lockName = "deskhand.lock"

// DefaultDir returns where the named thing keeps its data when nobody says
// otherwise: $XDG_DATA_HOME/deskhand or ~/.local/share/deskhand, and for root
// /var/lib/deskhand, because the user that Postgres runs as can't enter root's
// home.
func DefaultDir(name string) (string, error) {
	if os.Geteuid() == 0 {
		return filepath.Join("/var/lib/deskhand", name), nil
	}
	if base := os.Getenv("XDG_DATA_HOME"); filepath.IsAbs(base) {
		return filepath.Join(base, "deskhand", name), nil
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return "", fmt.Errorf("find a place for the data: %w; name one with --data", err)
	}
	return filepath.Join(home, ".local", "share", "deskhand", name), nil
}

func (s *Server) data() string { return filepath.Join(s.dir, "data") }

// claim makes the directory if need be, makes sure that it is ours and locks it
// for the life of this process. The lock goes with the process however it ends,
// and is not inherited by Postgres.
func (s *Server) claim() error {
	if s.o.Dir == "" {
		tmp, err := os.MkdirTemp(TempDir(), "deskhand-pg-")
		if err != nil {
			return fmt.Errorf("make a temporary directory: %w", err)
		}
		s.dir, s.ownDir = tmp, true
	} else {
		abs, err := filepath.Abs(s.o.Dir)
		if err != nil {
			return fmt.Errorf("the data directory %s: %w", s.o.Dir, err)
		}
		if err := os.MkdirAll(abs, 0o755); err != nil {
			return fmt.Errorf("can't make the data directory: %w; use another one with --data", err)
		}
		// Postgres tells us its directory as the kernel sees it.
		if s.dir, err = filepath.EvalSymlinks(abs); err != nil {
			return fmt.Errorf("the data directory %s: %w", s.o.Dir, err)
		}
	}
	if err := s.refuseForeign(); err != nil {
		return err
	}

	f, err := os.OpenFile(filepath.Join(s.dir, lockName), os.O_RDWR|os.O_CREATE|syscall.O_NOFOLLOW, 0o600)
	if errors.Is(err, fs.ErrPermission) {
		return fmt.Errorf("the data directory %s belongs to another user; run as that user, or use another directory with --data", s.dir)
	}
	if err != nil {
		return fmt.Errorf("lock the data directory: %w", err)
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		holder := "another deskhand"
		if pid, err := os.ReadFile(f.Name()); err == nil && len(pid) > 0 {
			holder += " (process " + strings.TrimSpace(string(pid)) + ")"
		}
		_ = f.Close()
		return fmt.Errorf("%s is using %s; stop it, or use another directory with --data", holder, s.dir)
	}
	s.lock = f
	if err := f.Truncate(0); err == nil {
		_, _ = f.WriteAt([]byte(strconv.Itoa(os.Getpid())+"\n"), 0) // only for the message above
	}

	if s.as, err = chooseAccount(s.data()); err != nil {
		return err
	}
	// Postgres must get through to its data below, and nobody else to anything.
	mode := fs.FileMode(0o700)
	if s.as.other {
		mode = 0o711
		if err := s.as.canReach(s.dir); err != nil {
			return err
		}
	}
	if err := os.Chmod(s.dir, mode); err != nil {
		return fmt.Errorf("the data directory: %w", err)
	}
	return nil
}

// refuseForeign fails when the directory holds something that is not ours.
func (s *Server) refuseForeign() error {
	entries, err := os.ReadDir(s.dir)
	if errors.Is(err, fs.ErrPermission) {
		return fmt.Errorf("the data directory %s can't be read by this user; use another one with --data", s.dir)
	}
	if err != nil {
		return fmt.Errorf("read the data directory: %w", err)
	}
	if len(entries) == 0 {
		return nil
	}
	for _, e := range entries {
		switch e.Name() {
		case lockName:
			return nil
		case "PG_VERSION":
			return fmt.Errorf("%s is the data directory of another Postgres; use another directory with --data (nothing was changed)", s.dir)
		}
	}
	return fmt.Errorf("%s is not empty and was not made by deskhand; use an empty directory with --data (nothing was changed)", s.dir)
}

// dataVersion returns the major version of the cluster, 0 when there is none.
func (s *Server) dataVersion() (int, error) {
	if s.o.Throwaway {
		return 0, nil // to be made anew
	}
	raw, err := os.ReadFile(filepath.Join(s.data(), "PG_VERSION"))
	if errors.Is(err, fs.ErrNotExist) {
		if _, err := os.Stat(s.data()); err == nil {
			return 0, fmt.Errorf("%s is not a Postgres data directory; use another directory with --data (nothing was changed)", s.data())
		}
		return 0, nil
	}
	if err != nil {
		return 0, fmt.Errorf("read the version of the data: %w", err)
	}
	major, err := strconv.Atoi(strings.TrimSpace(string(raw)))
	if err != nil {
		return 0, fmt.Errorf("read the version of the data in %s: %w", s.data(), err)
	}
	return major, nil
}

// initialize makes the cluster unless there is one. It is made under another
// name, so that one cut short is not taken for a whole one.
func (s *Server) initialize(ctx context.Context) error {
	if s.o.Throwaway || s.o.Fresh {
		if err := s.discard(); err != nil {
			return fmt.Errorf("discard the old data: %w", err)
		}
	}
	if _, err := os.Stat(s.data()); err == nil {
		return nil
	}
	s.o.Progress("Making a database in " + s.dir + " with Postgres " + s.bin.version + " (about 2 seconds)")
	fresh := filepath.Join(s.dir, "data.new")
	if err := s.initdb(ctx, fresh); err != nil {
		return err
	}
	if err := os.Rename(fresh, s.data()); err != nil {
		return fmt.Errorf("make the database: %w", err)
	}
	if s.o.Throwaway {
		return nil
	}
	return syncDir(s.dir)
}

// discard removes the cluster, under another name, so that what is left when
// that is cut short is not taken for one.
func (s *Server) discard() error {
	old := filepath.Join(s.dir, "data.old")
	if err := os.RemoveAll(old); err != nil {
		return err
	}
	if err := os.Rename(s.data(), old); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return os.RemoveAll(old)
}

func (s *Server) initdb(ctx context.Context, dir string) error {
	// Byte order for sorting, the same everywhere and for ever, but letters of
	// all languages known to lower(). Not every system has such a locale.
	locales := [][]string{{"--locale=C", "--lc-ctype=C.UTF-8"}, {"--locale=C"}}
	if s.bin.major >= 17 {
		locales = [][]string{{"--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C"}}
	}
	var out []byte
	for _, locale := range locales {
		if err := os.RemoveAll(dir); err != nil {
			return fmt.Errorf("make the database: %w", err)
		}
		if err := s.as.mkdir(dir); err != nil {
			return fmt.Errorf("make the database: %w", err)
		}
		args := append([]string{"-D", dir, "-U", superuser, "-A", "trust", "-E", "UTF8", "--no-instructions"}, locale...)
		if s.o.Throwaway {
			args = append(args, "--no-sync")
		}
		cmd := s.command(ctx, "initdb", args...)
		var err error
		if out, err = cmd.CombinedOutput(); err == nil {
			return nil
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if len(out) == 0 {
			out = []byte(err.Error())
		}
	}
	return fmt.Errorf("make the database in %s with %s: %s", s.dir, s.bin.path("initdb"), lastLines(string(out), 3))
}

// command prepares a Postgres program. It runs as the account of the cluster,
// in a directory that this account can enter, with nothing of our environment:
// that may hold secrets of the desk, and settings for another Postgres.
func (s *Server) command(ctx context.Context, name string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, s.bin.path(name), args...)
	cmd.Dir = s.dir
	cmd.Env = environment(s.dir)
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: s.as.credential(), Setpgid: true}
	return cmd
}

func environment(home string) []string {
	env := []string{"HOME=" + home, "LC_ALL=C", "TZ=UTC"}
	for _, k := range []string{"PATH", "TMPDIR", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH"} {
		if v, ok := os.LookupEnv(k); ok {
			env = append(env, k+"="+v)
		}
	}
	return env
}

// maxSocketPath is what fits everywhere into the address of a Unix socket: 104
// bytes on macOS and the BSDs, 108 on Linux, both with the final zero.
const maxSocketPath = 103

const socketDirPrefix = "deskhand-socket-"

// makeSocketDir makes the directory of the socket: beside the data, or a
// temporary one when that path would be too long for a socket's address.
func (s *Server) makeSocketDir() error {
	dir := filepath.Join(s.dir, "run")
	if len(dir)+len("/.s.PGSQL."+port) > maxSocketPath {
		tmp := os.TempDir()
		if len(tmp) > 50 {
			tmp = "/tmp"
		}
		var err error
		if dir, err = os.MkdirTemp(tmp, socketDirPrefix); err != nil {
			return fmt.Errorf("make a directory for the socket: %w", err)
		}
	} else if err := os.RemoveAll(dir); err != nil {
		return fmt.Errorf("clear the directory of the socket: %w", err)
	}
	s.sockets = dir
	if err := s.as.mkdir(dir); err != nil {
		return fmt.Errorf("make a directory for the socket: %w", err)
	}
	return nil
}

func syncDir(dir string) error {
	f, err := os.Open(dir)
	if err != nil {
		return fmt.Errorf("flush the data directory: %w", err)
	}
	defer func() { _ = f.Close() }()
	if err := f.Sync(); err != nil {
		return fmt.Errorf("flush the data directory: %w", err)
	}
	return nil
}

// lastLines returns the last n lines that say something, as one line.
func lastLines(s string, n int) string {
	var lines []string
	for l := range strings.Lines(s) {
		if l = strings.TrimSpace(l); l != "" {
			lines = append(lines, l)
		}
	}
	return strings.Join(lines[max(0, len(lines)-n):], "; ")
}
