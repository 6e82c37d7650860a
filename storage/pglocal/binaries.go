//go:build unix

package pglocal

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// minMajor is the oldest Postgres that the schema runs on.
const minMajor = 14

// binaries are the programs of one Postgres.
type binaries struct {
	dir     string
	version string // "15.18"
	major   int
}

func (b binaries) path(name string) string { return filepath.Join(b.dir, name) }

// places are where systems put the programs of Postgres, besides PATH. Where
// several versions lie side by side, the newest comes first.
var places = []string{
	"/usr/lib/postgresql/*/bin",                          // Debian, Ubuntu
	"/usr/pgsql-*/bin",                                   // packages of postgresql.org for Red Hat, SUSE
	"/usr/lib/postgresql*/bin",                           // SUSE
	"/usr/lib64/postgresql-*/bin",                        // Gentoo
	"/usr/libexec/postgresql*",                           // Alpine
	"/opt/homebrew/opt/postgresql@*/bin",                 // Homebrew
	"/usr/local/opt/postgresql@*/bin",                    // Homebrew on Intel
	"/home/linuxbrew/.linuxbrew/opt/postgresql@*/bin",    // Homebrew on Linux
	"/Applications/Postgres.app/Contents/Versions/*/bin", // Postgres.app
	"/opt/local/lib/postgresql*/bin",                     // MacPorts
	"/usr/local/pgsql/bin",                               // built from source
	"/usr/bin",                                           // Fedora, Arch; PATH may be short
	"/usr/local/bin",                                     // FreeBSD
}

// findBinaries returns the programs to run with: of the major version of the
// data if there are any, else of the first Postgres found, else fetched.
func (s *Server) findBinaries(ctx context.Context, major int) (binaries, error) {
	var seen []string
	for _, dir := range s.candidates() {
		b, err := s.inspect(ctx, dir)
		if err != nil {
			if s.o.Binaries != "" {
				return binaries{}, err
			}
			continue
		}
		if b.major >= minMajor && (major == 0 || b.major == major) {
			return b, nil
		}
		seen = append(seen, b.version)
	}

	if s.o.Binaries == "" && (len(seen) == 0 || major != 0) {
		b, err := s.fetch(ctx, major)
		if err == nil {
			return b, nil
		}
		if len(seen) == 0 {
			return binaries{}, noPostgres(err, s.o.Repository)
		}
	}
	slices.Sort(seen)
	have := strings.Join(slices.Compact(seen), ", ")
	if major != 0 {
		return binaries{}, fmt.Errorf("the data in %s were made with Postgres %d, and this machine has %s: "+
			"install Postgres %d, or use another directory with --data (nothing was changed)", s.dir, major, have, major)
	}
	return binaries{}, fmt.Errorf("this machine has Postgres %s, and deskhand needs %d or newer: install one, or set DESKHAND_DATABASE_URL", have, minMajor)
}

// candidates lists the directories to look in, best first.
func (s *Server) candidates() []string {
	if s.o.Binaries != "" {
		return []string{s.o.Binaries}
	}
	var dirs []string
	add := func(dir string) {
		if _, err := os.Stat(filepath.Join(dir, "initdb")); err == nil && !slices.Contains(dirs, dir) {
			dirs = append(dirs, dir)
		}
	}
	for _, pattern := range append(slices.Clone(s.o.search), filepath.Join(s.cacheDir(), "postgres-*", "bin")) {
		if !filepath.IsAbs(pattern) {
			continue // in PATH, a matter of the working directory
		}
		found, err := filepath.Glob(pattern)
		if err != nil {
			continue // a directory in PATH with a bracket in its name
		}
		slices.SortStableFunc(found, func(a, b string) int { return cmp.Compare(number(b), number(a)) })
		for _, dir := range found {
			add(dir)
		}
	}
	return dirs
}

var digits = regexp.MustCompile(`[0-9]+`)

// number returns the major version in the name of an installation.
func number(dir string) int {
	n, err := strconv.Atoi(digits.FindString(filepath.Base(strings.TrimSuffix(dir, "/bin"))))
	if err != nil {
		return 0 // has none, such as Postgres.app's "latest"
	}
	return n
}

var versionWords = regexp.MustCompile(`\(PostgreSQL\) (([0-9]+)[0-9A-Za-z.]*)`)

// inspect asks the programs in dir for their version, as the account that will
// run them: a Postgres in somebody's home may be out of its reach.
func (s *Server) inspect(ctx context.Context, dir string) (binaries, error) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	b := binaries{dir: dir}
	for _, name := range []string{"initdb", "postgres"} {
		cmd := exec.CommandContext(ctx, b.path(name), "--version")
		cmd.Dir = "/"
		cmd.Env = environment("/")
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: s.as.credential()}
		out, err := cmd.Output()
		if err != nil {
			return binaries{}, fmt.Errorf("the Postgres in %s does not run: %w", dir, err)
		}
		m := versionWords.FindStringSubmatch(string(out))
		if m == nil {
			return binaries{}, fmt.Errorf("the Postgres in %s says %q instead of its version", dir, lastLines(string(out), 1))
		}
		b.version = m[1]
		b.major, _ = strconv.Atoi(m[2]) // digits only
	}
	return b, nil
}

// noPostgres names the ways out when there is no Postgres at all.
func noPostgres(cause error, repository string) error {
	install := "install Postgres with the package manager of this system"
	for _, m := range [][2]string{
		{"apt-get", "apt-get install postgresql"}, {"dnf", "dnf install postgresql-server"},
		{"apk", "apk add postgresql"}, {"pacman", "pacman -S postgresql"},
		{"zypper", "zypper install postgresql-server"}, {"brew", "brew install postgresql@17"},
	} {
		if _, err := exec.LookPath(m[0]); err == nil {
			install = "install Postgres: " + m[1]
			break
		}
	}
	return fmt.Errorf(`this machine has no Postgres, and it could not be downloaded (%w). Any one of these helps:
  1. %s
  2. set DESKHAND_DATABASE_URL to a Postgres elsewhere, such as postgres://user:password@host:5432/deskhand
  3. let deskhand download it once (about 30 MB): allow it to reach %s`, cause, install, repository)
}
