//go:build unix

package pgtest

import (
	"bufio"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/deskhand/deskhand/storage/pglocal"
)

// The shared cluster belongs to a keeper, a process without a terminal that the
// first test process makes of its own executable. It runs for as long as test
// processes hold a shared lock on a file, and a little longer, because `go test`
// may be compiling the next package. Locks go with their processes, however
// these end, so no run can leave a cluster behind; and when the keeper itself
// is killed, the cluster ends with it (see pglocal).
//
//	users.lock  shared: a test process; exclusive: the keeper, closing
//	start.lock  exclusive: a test process that looks for the cluster
//	url         the address, once it takes connections
//	cluster/    the cluster

// What a keeper finds in its environment.
const (
	keeperVar = "DESKHAND_PGTEST_KEEPER" // the directory to keep, which makes it a keeper
	graceVar  = "DESKHAND_PGTEST_GRACE"  // another grace, for our own test
)

// grace is how long the cluster outlives its last user.
var grace = 15 * time.Second

func init() {
	dir := os.Getenv(keeperVar)
	if dir == "" {
		return
	}
	if s := os.Getenv(graceVar); s != "" {
		if d, err := time.ParseDuration(s); err == nil {
			grace = d
		}
	}
	if err := keep(dir); err != nil {
		fmt.Println("error", strings.ReplaceAll(err.Error(), "\n", "\r"))
		os.Exit(1)
	}
	os.Exit(0)
}

// home is the directory that all test processes of this user share.
func home() (string, error) {
	dir := filepath.Join(pglocal.TempDir(), "deskhand-pgtest-"+strconv.Itoa(os.Geteuid()))
	// The user that Postgres runs as must get through.
	if err := os.Mkdir(dir, 0o711); err != nil && !errors.Is(err, os.ErrExist) {
		return "", fmt.Errorf("share a test cluster: %w", err)
	}
	fi, err := os.Lstat(dir)
	if err != nil {
		return "", fmt.Errorf("share a test cluster: %w", err)
	}
	if st, ok := fi.Sys().(*syscall.Stat_t); !fi.IsDir() || !ok || int(st.Uid) != os.Geteuid() {
		return "", fmt.Errorf("share a test cluster: %s belongs to somebody else", dir)
	}
	return dir, os.Chmod(dir, 0o711)
}

// users is the lock that says that this process uses the cluster. It is only
// ever written: it keeps the file from being closed before the process ends.
//
//lint:ignore U1000 holding it is its use
var users *os.File

// join returns the address of the shared cluster, starting it if need be.
func join(ctx context.Context) (string, error) {
	dir, err := home()
	if err != nil {
		return "", err
	}
	if users, err = lock(filepath.Join(dir, "users.lock"), syscall.LOCK_SH); err != nil {
		return "", err
	}
	starting, err := lock(filepath.Join(dir, "start.lock"), syscall.LOCK_EX)
	if err != nil {
		return "", err
	}
	defer unlock(starting)

	if raw, err := os.ReadFile(filepath.Join(dir, "url")); err == nil && answers(ctx, string(raw)) {
		return string(raw), nil
	}
	return startKeeper(dir)
}

func answers(ctx context.Context, url string) bool {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		return false
	}
	return conn.Close(ctx) == nil
}

func startKeeper(dir string) (string, error) {
	exe, err := os.Executable()
	if err != nil {
		return "", fmt.Errorf("start a test cluster: %w", err)
	}
	cmd := exec.Command(exe) // outlives this process on purpose
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), keeperVar+"="+dir)
	// A session of its own: what ends the test run, also a Ctrl-C, must not end
	// the cluster under the other test processes.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return "", fmt.Errorf("start a test cluster: %w", err)
	}
	if err := cmd.Start(); err != nil {
		return "", fmt.Errorf("start a test cluster: %w", err)
	}
	defer func() { _ = out.Close() }()
	go func() { _ = cmd.Wait() }() // it may well end before we do

	lines := bufio.NewScanner(out)
	for lines.Scan() {
		word, rest, _ := strings.Cut(lines.Text(), " ")
		switch word {
		case "ready":
			return rest, nil
		case "error":
			return "", errors.New(strings.ReplaceAll(rest, "\r", "\n"))
		case "progress":
			progress(rest)
		}
	}
	return "", errors.New("start a test cluster: its keeper ended without a word")
}

// keep runs the cluster until nobody uses it.
func keep(dir string) error {
	var told atomic.Bool // after which nobody reads what we print
	s, err := pglocal.Start(context.Background(), pglocal.Options{
		Dir:       filepath.Join(dir, "cluster"),
		Throwaway: true,
		// Many packages at once, each with several pools.
		Settings: map[string]string{
			"max_connections": "500", "shared_buffers": "128MB", "max_wal_size": "128MB", "min_wal_size": "32MB",
			"log_min_duration_statement": "-1", "synchronous_commit": "off",
		},
		Progress: func(line string) {
			if !told.Load() {
				fmt.Println("progress", line)
			}
		},
	})
	if err != nil {
		return err
	}
	defer func() { _ = s.Stop() }() // an empty directory and a dead process are all that could be left

	address := filepath.Join(dir, "url")
	url := s.DatabaseURL("postgres")
	if err := os.WriteFile(address+".new", []byte(url), 0o600); err != nil {
		return err
	}
	if err := os.Rename(address+".new", address); err != nil {
		return err
	}
	told.Store(true)
	fmt.Println("ready", url)

	idle := time.Duration(0)
	for tick := time.Second; ; time.Sleep(tick) {
		f, err := lock(filepath.Join(dir, "users.lock"), syscall.LOCK_EX|syscall.LOCK_NB)
		if err != nil {
			idle = 0
			continue
		}
		if idle += tick; idle >= grace {
			// Nobody can come in before we are gone, and then they start anew.
			_ = os.Remove(address)
			if err := s.Stop(); err != nil {
				return err
			}
			return os.RemoveAll(s.Dir()) // it may be memory
		}
		unlock(f)
	}
}

// unlock does not leave it to Close: a program that is being started just now
// has the file too, for a moment.
func unlock(f *os.File) {
	_ = syscall.Flock(int(f.Fd()), syscall.LOCK_UN)
	_ = f.Close()
}

func lock(name string, how int) (*os.File, error) {
	f, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("share a test cluster: %w", err)
	}
	for {
		err = syscall.Flock(int(f.Fd()), how)
		if !errors.Is(err, syscall.EINTR) {
			break
		}
	}
	if err != nil {
		_ = f.Close()
		return nil, fmt.Errorf("share a test cluster: lock %s: %w", name, err)
	}
	return f, nil
}

// suffix makes a name that no other process uses.
func suffix() string { return strings.ToLower(rand.Text()[:10]) }
