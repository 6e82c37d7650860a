//go:build unix

package pglocal

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"

	embedded "github.com/fergusstrange/embedded-postgres"
)

// mavenCentral has builds of Postgres for all common systems.
const mavenCentral = "https://repo1.maven.org/maven2"

// fetchable are the builds to fetch, by major version: data of an older one
// need their own. The first start on a machine takes defaultMajor.
var fetchable = map[int]embedded.PostgresVersion{
	14: embedded.V14, 15: embedded.V15, 16: embedded.V16, 17: embedded.V17, 18: embedded.V18,
}

const defaultMajor = 17

func (s *Server) cacheDir() string {
	if s.o.Cache != "" {
		return s.o.Cache
	}
	if s.as.other {
		return "/var/cache/deskhand" // root's own is closed to the account
	}
	base, err := os.UserCacheDir()
	if err != nil {
		base = os.TempDir()
	}
	return filepath.Join(base, "deskhand")
}

// fetch downloads Postgres into the cache, where the next start finds it.
func (s *Server) fetch(ctx context.Context, major int) (binaries, error) {
	if major == 0 {
		major = defaultMajor
	}
	version, ok := fetchable[major]
	if !ok {
		return binaries{}, fmt.Errorf("there is no Postgres %d to fetch", major)
	}
	home := filepath.Join(s.cacheDir(), "postgres-"+string(version))
	if err := s.fetchInto(ctx, home, version); err != nil {
		return binaries{}, err
	}
	return s.inspect(ctx, filepath.Join(home, "bin"))
}

func (s *Server) fetchInto(ctx context.Context, home string, version embedded.PostgresVersion) error {
	if err := os.MkdirAll(filepath.Dir(home), 0o755); err != nil {
		return fmt.Errorf("make room for Postgres: %w", err)
	}
	scratch, err := os.MkdirTemp(filepath.Dir(home), "fetching-")
	if err != nil {
		return fmt.Errorf("make room for Postgres: %w", err)
	}
	defer func() { _ = os.RemoveAll(scratch) }()

	r, err := s.newRelay(ctx, version)
	if err != nil {
		return err
	}
	defer r.close()

	// The library fetches only as a part of starting a server. It would do that
	// as root, and with a password file, so the data directory that it is given
	// can't be started: what counts is that the programs have arrived.
	data := filepath.Join(scratch, "data")
	if err := os.Mkdir(data, 0o700); err != nil {
		return fmt.Errorf("make room for Postgres: %w", err)
	}
	major, _, _ := strings.Cut(string(version), ".")
	if err := os.WriteFile(filepath.Join(data, "PG_VERSION"), []byte(major+"\n"), 0o600); err != nil {
		return fmt.Errorf("make room for Postgres: %w", err)
	}
	unpacked := filepath.Join(scratch, "postgres")
	defer sweepLogs(time.Now())
	err = embedded.NewDatabase(embedded.DefaultConfig().
		Version(version).
		BinaryRepositoryURL(r.url).
		CachePath(filepath.Join(scratch, "archive")).
		BinariesPath(unpacked).
		RuntimePath(filepath.Join(scratch, "runtime")).
		DataPath(data).
		Port(r.free).
		Logger(io.Discard)).Start()
	if failed := r.failure(); failed != nil {
		return failed
	}
	for _, name := range []string{"initdb", "postgres"} {
		if _, statErr := os.Stat(filepath.Join(unpacked, "bin", name)); statErr != nil {
			if err == nil {
				err = statErr
			}
			return fmt.Errorf("fetch Postgres %s from %s: %w", version, s.o.Repository, err)
		}
	}
	// The account must be able to run them, whatever the umask was.
	for _, dir := range []string{unpacked, filepath.Join(unpacked, "bin"), filepath.Join(unpacked, "lib"), filepath.Join(unpacked, "share")} {
		if err := os.Chmod(dir, 0o755); err != nil && !errors.Is(err, os.ErrNotExist) {
			return fmt.Errorf("keep Postgres: %w", err)
		}
	}
	if err := os.Rename(unpacked, home); err != nil && !errors.Is(err, os.ErrExist) {
		return fmt.Errorf("keep Postgres: %w", err)
	}
	return nil
}

// sweepLogs removes the log that the library leaves in the temporary directory
// when a server does not start, as ours never does.
func sweepLogs(since time.Time) {
	logs, _ := filepath.Glob(filepath.Join(os.TempDir(), "embedded_postgres_log*")) // at worst they stay
	for _, name := range logs {
		if fi, err := os.Stat(name); err == nil && !fi.ModTime().Before(since.Truncate(time.Second)) {
			_ = os.Remove(name)
		}
	}
}

// relay stands between the library and the repository, because the library
// tells nothing while it downloads, can't be cancelled, and takes a file whose
// checksum is missing.
type relay struct {
	ctx      context.Context
	from     string
	progress func(string)
	version  embedded.PostgresVersion
	url      string
	free     uint32 // a port that is not in use, which the library insists on
	server   *http.Server

	mu  sync.Mutex
	err error // what went wrong at the repository
}

func (r *relay) failure() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.err
}

func (s *Server) newRelay(ctx context.Context, version embedded.PostgresVersion) (*relay, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("fetch Postgres: %w", err)
	}
	spare, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		_ = l.Close()
		return nil, fmt.Errorf("fetch Postgres: %w", err)
	}
	_ = spare.Close()
	r := &relay{
		ctx: ctx, from: s.o.Repository, progress: s.o.Progress, version: version,
		url: "http://" + l.Addr().String(), free: uint32(spare.Addr().(*net.TCPAddr).Port),
	}
	r.server = &http.Server{Handler: http.HandlerFunc(r.serve), ReadHeaderTimeout: 10 * time.Second}
	go func() { _ = r.server.Serve(l) }() // ends with close
	return r, nil
}

func (r *relay) close() { _ = r.server.Close() }

func (r *relay) serve(w http.ResponseWriter, q *http.Request) {
	if err := r.pass(w, q.URL.Path); err != nil {
		r.mu.Lock()
		r.err = fmt.Errorf("fetch Postgres %s: %w", r.version, err)
		r.mu.Unlock()
		// Cut off rather than finished, so that a part is not taken for the whole.
		panic(http.ErrAbortHandler)
	}
}

func (r *relay) pass(w http.ResponseWriter, path string) error {
	req, err := http.NewRequestWithContext(r.ctx, http.MethodGet, r.from+path, nil)
	if err != nil {
		return err
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer func() { _ = res.Body.Close() }()
	if res.StatusCode != http.StatusOK {
		return fmt.Errorf("%s answered %s", req.URL.Redacted(), res.Status)
	}
	if res.ContentLength >= 0 {
		w.Header().Set("Content-Length", strconv.FormatInt(res.ContentLength, 10))
	}
	var body io.Reader = res.Body
	if !strings.HasSuffix(path, ".sha256") {
		body = &meter{Reader: res.Body, total: res.ContentLength, begun: time.Now(), told: time.Now(),
			say: func(s string) { r.progress(fmt.Sprintf("Fetching Postgres %s, once: %s", r.version, s)) }}
		r.progress(fmt.Sprintf("Fetching Postgres %s, once, from %s", r.version, req.URL.Host))
	}
	_, err = io.Copy(w, body)
	return err
}

// meter tells once a second how much has come through and how long the rest
// will take.
type meter struct {
	io.Reader
	done, total int64
	begun, told time.Time
	say         func(string)
}

func (m *meter) Read(p []byte) (int, error) {
	n, err := m.Reader.Read(p)
	m.done += int64(n)
	if now := time.Now(); now.Sub(m.told) >= time.Second || errors.Is(err, io.EOF) {
		m.told = now
		text := fmt.Sprintf("%.1f MB", float64(m.done)/1e6)
		if m.total > 0 {
			left := time.Duration(float64(now.Sub(m.begun)) * float64(m.total-m.done) / float64(max(m.done, 1)))
			text = fmt.Sprintf("%s of %.1f MB, %s left", text, float64(m.total)/1e6, left.Round(time.Second))
		}
		m.say(text)
	}
	return n, err
}
