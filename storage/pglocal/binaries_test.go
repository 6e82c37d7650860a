//go:build unix

package pglocal

import (
	"archive/zip"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// fakePostgres makes programs that know nothing but their version.
func fakePostgres(t *testing.T, dir, version string) {
	t.Helper()
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"initdb", "postgres", "pg_ctl"} {
		script := "#!/bin/sh\necho '" + name + " (PostgreSQL) " + version + "'\n"
		if name == "pg_ctl" {
			script = "#!/bin/sh\nexit 1\n"
		}
		if err := os.WriteFile(filepath.Join(dir, name), []byte(script), 0o755); err != nil {
			t.Fatal(err)
		}
	}
}

func finder(t *testing.T, o Options) *Server {
	t.Helper()
	as, err := chooseAccount("/nowhere")
	if err != nil {
		t.Fatal(err)
	}
	if o.Progress == nil {
		o.Progress = func(string) {}
	}
	return &Server{o: o, as: as, dir: "/data"}
}

func TestWhichPostgresIsTaken(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		installed map[string]string // directory → version
		search    []string
		data      int
		want      string // directory
		err       string
	}{
		"the newest of several, by number and not by letter": {
			map[string]string{"lib/9/bin": "9.6.24", "lib/15/bin": "15.18 (Debian 15.18-0+deb12u1)", "lib/17/bin": "17.2"},
			[]string{"lib/*/bin"}, 0, "lib/17/bin", "",
		},
		"PATH before the usual places": {
			map[string]string{"path": "15.1", "lib/17/bin": "17.2"},
			[]string{"path", "lib/*/bin"}, 0, "path", "",
		},
		"the version that made the data before a newer one": {
			map[string]string{"path": "17.2", "lib/15/bin": "15.1", "lib/16/bin": "16.1"},
			[]string{"path", "lib/*/bin"}, 15, "lib/15/bin", "",
		},
		"too old a version is passed over": {
			map[string]string{"path": "12.4", "lib/15/bin": "15.1"},
			[]string{"path", "lib/*/bin"}, 0, "lib/15/bin", "",
		},
		"only too old a version": {
			map[string]string{"path": "12.4"}, []string{"path"}, 0, "", "has Postgres 12.4, and deskhand needs 14",
		},
		"data of a version that is not there": {
			map[string]string{"path": "17.2", "lib/16/bin": "16.1"},
			[]string{"path", "lib/*/bin"}, 14, "", "made with Postgres 14, and this machine has 16.1, 17.2",
		},
		"a beta version": {
			map[string]string{"path": "19beta1"}, []string{"path"}, 0, "path", "",
		},
		"a relative directory in PATH": {
			map[string]string{"path": "15.1"}, []string{".", "path"}, 0, "path", "",
		},
		"one that was fetched before, when nothing is installed": {
			map[string]string{"cache/postgres-17.5.0/bin": "17.5"}, []string{"lib/*/bin"}, 0, "cache/postgres-17.5.0/bin", "",
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			base := reachable(t)
			for dir, version := range tt.installed {
				fakePostgres(t, filepath.Join(base, dir), version)
			}
			o := Options{Cache: filepath.Join(base, "cache"), Repository: "http://127.0.0.1:1"}
			for _, dir := range tt.search {
				if dir != "." {
					dir = filepath.Join(base, dir)
				}
				o.search = append(o.search, dir)
			}
			got, err := finder(t, o).findBinaries(t.Context(), tt.data)
			switch {
			case tt.err != "" && (err == nil || !strings.Contains(err.Error(), tt.err)):
				t.Errorf("found %v, %v; want an error with %q", got, err, tt.err)
			case tt.err == "" && err != nil:
				t.Error(err)
			case tt.err == "" && got.dir != filepath.Join(base, tt.want):
				t.Errorf("found %s, want %s", got.dir, tt.want)
			}
		})
	}
}

func TestNoPostgresNamesTheWaysOut(t *testing.T) {
	t.Parallel()
	s := finder(t, Options{Cache: filepath.Join(reachable(t), "cache"), Repository: "http://127.0.0.1:1", search: []string{"/nowhere"}})
	_, err := s.findBinaries(t.Context(), 0)
	if err == nil {
		t.Fatal("found one")
	}
	for _, want := range []string{"connection refused", "1. install Postgres", "2. set DESKHAND_DATABASE_URL", "3. let deskhand download"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("error %q, want %q in it", err, want)
		}
	}
}

// repository is a Maven repository with one package, as embedded-postgres
// expects it: a zip file with an xz-compressed tar file in it, and a checksum.
type repository struct {
	mu       sync.Mutex
	fetched  int
	jar      []byte
	checksum string // "" for none
	cut      bool   // the connection breaks in the middle of the package
}

func (r *repository) ServeHTTP(w http.ResponseWriter, q *http.Request) {
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case strings.HasSuffix(q.URL.Path, ".jar") && r.cut:
		w.Header().Set("Content-Length", "1000000")
		_, _ = w.Write(r.jar)
	case strings.HasSuffix(q.URL.Path, ".jar"):
		r.fetched++
		_, _ = w.Write(r.jar)
	case r.checksum != "":
		_, _ = w.Write([]byte(r.checksum))
	default:
		http.NotFound(w, q)
	}
}

func newRepository(t *testing.T) *repository {
	t.Helper()
	if _, err := exec.LookPath("xz"); err != nil {
		t.Skip("making a package to fetch needs xz")
	}
	dir := t.TempDir()
	fakePostgres(t, filepath.Join(dir, "bin"), "17.5")
	out, err := exec.Command("tar", "-C", dir, "-cJf", filepath.Join(dir, "pg.txz"), "bin").CombinedOutput()
	if err != nil {
		t.Fatalf("tar: %v: %s", err, out)
	}
	txz, err := os.ReadFile(filepath.Join(dir, "pg.txz"))
	if err != nil {
		t.Fatal(err)
	}
	var jar bytes.Buffer
	z := zip.NewWriter(&jar)
	w, err := z.Create("postgres-linux-x86_64.txz")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write(txz); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(jar.Bytes())
	return &repository{jar: jar.Bytes(), checksum: hex.EncodeToString(sum[:])}
}

func TestFetch(t *testing.T) {
	t.Parallel()
	r := newRepository(t)
	srv := httptest.NewServer(r)
	t.Cleanup(srv.Close)
	var said []string
	base := reachable(t)
	s := finder(t, Options{
		Cache: filepath.Join(base, "cache"), Repository: srv.URL, search: []string{"/nowhere"},
		Progress: func(l string) { said = append(said, l) },
	})
	for range 2 {
		got, err := s.findBinaries(t.Context(), 0)
		if err != nil {
			t.Fatal(err)
		}
		want := binaries{dir: filepath.Join(base, "cache", "postgres-17.5.0", "bin"), version: "17.5", major: 17}
		if got != want {
			t.Errorf("found %+v, want %+v", got, want)
		}
	}
	if r.fetched != 1 {
		t.Errorf("fetched %d times, want once", r.fetched)
	}
	if all := strings.Join(said, "\n"); !strings.Contains(all, "Fetching Postgres 17.5.0, once, from 127.0.0.1") || !strings.Contains(all, "0s left") {
		t.Errorf("progress was %q", all)
	}
	entries, err := os.ReadDir(filepath.Join(base, "cache"))
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	if diff := cmp.Diff([]string{"postgres-17.5.0"}, names); diff != "" {
		t.Errorf("cache (-want +got):\n%s", diff)
	}
}

func TestFetchTakesNothingDoubtful(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		change func(*repository)
		want   string
	}{
		"a checksum that differs":      {func(r *repository) { r.checksum = strings.Repeat("0", 64) }, "checksums do not match"},
		"a checksum that is not there": {func(r *repository) { r.checksum = "" }, "answered 404"},
		"a package cut short":          {func(r *repository) { r.cut = true }, "unexpected EOF"},
		"something else":               {func(r *repository) { r.jar = []byte("hello") }, "checksums do not match"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRepository(t)
			tt.change(r)
			srv := httptest.NewServer(r)
			t.Cleanup(srv.Close)
			cache := filepath.Join(reachable(t), "cache")
			s := finder(t, Options{Cache: cache, Repository: srv.URL, search: []string{"/nowhere"}})
			got, err := s.findBinaries(t.Context(), 0)
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("found %v, %v; want an error with %q", got, err, tt.want)
			}
			if left, err := os.ReadDir(cache); err != nil || len(left) > 0 {
				t.Errorf("the cache holds %v, %v", left, err)
			}
		})
	}
}

func TestFetchCanBeCancelled(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	asked := make(chan struct{})
	srv := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, q *http.Request) {
		close(asked)
		<-q.Context().Done()
	}))
	t.Cleanup(srv.Close)
	go func() {
		<-asked
		cancel()
	}()
	s := finder(t, Options{Cache: filepath.Join(reachable(t), "cache"), Repository: srv.URL, search: []string{"/nowhere"}})
	if _, err := s.findBinaries(ctx, 0); err == nil || !strings.Contains(err.Error(), "canceled") {
		t.Errorf("error %v, want that it was cancelled", err)
	}
}
