package kb

import (
	"errors"
	"log/slog"
	"path/filepath"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/deskhand/deskhand/core/knowledge"
	"github.com/deskhand/deskhand/kb/kbtest"
)

// A full disk fails what is written and nothing else, and when there is room
// again all is well without anybody's help.
func TestFullDisk(t *testing.T) {
	t.Parallel()
	disk, ok := kbtest.SmallDisk(t, "size=4m")
	if !ok {
		return
	}
	x, err := Open(Options{Dir: filepath.Join(disk, "index"), Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	defer x.Close()
	rebuild(t, x, 7, officeArticles)
	answers := func(when string) {
		t.Helper()
		if got := suggest(t, x, Query{Text: "vpn drops every few minutes"}); !slices.Contains(titles(got.Hits), "Keep the VPN connected") {
			t.Errorf("%s it finds %q", when, titles(got.Hits))
		}
	}
	room := kbtest.Fill(t, disk)

	late := officeArticles[0]
	late.ID, late.Title = 800, "Quixotic zebra"
	for seq := range int64(20) {
		if err := x.Apply(t.Context(), []knowledge.Article{late}, 8+seq); err != nil {
			t.Fatal(err)
		}
	}
	answers("with changes that could not be written")
	for range 2 {
		if err := x.Rebuild(t.Context(), 8, len(officeArticles), each(officeArticles), nil); !errors.Is(err, syscall.ENOSPC) {
			t.Fatalf("Rebuild() = %v, want no space left", err)
		}
	}
	answers("with a rebuild that failed")
	if got := suggest(t, x, Query{Text: "quixotic zebra"}); len(got.Hits) == 0 || x.Seq() != 27 {
		t.Errorf("a change is not found, at %d", x.Seq())
	}
	if y, err := Open(Options{Dir: filepath.Join(disk, "other"), Log: slog.New(slog.DiscardHandler)}); !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("Open() of a new one = %v, %v; want no space left", y, err)
	}

	room()
	select {
	case <-*x.now.written.Load(): // by itself
	case <-time.After(10 * time.Second):
		t.Error("what could not be written is not written with room again")
	}
	rebuild(t, x, 28, append(slices.Clone(officeArticles), late))
	answers("with room again")
	if got := suggest(t, x, Query{Text: "quixotic zebra"}); x.Seq() != 28 || len(got.Hits) == 0 {
		t.Errorf("with room again it is at %d and finds %q", x.Seq(), titles(got.Hits))
	}
	kept, err := filepath.Glob(filepath.Join(disk, "index", "*"))
	if err != nil || len(kept) != 1 {
		t.Errorf("on disk are %q, want the new index alone", kept)
	}
}

// The last step of a rebuild takes as much room once more; it fails where there
// is none, rather than to be tried for ever.
func TestFullDiskWhileMerging(t *testing.T) {
	t.Parallel()
	disk, ok := kbtest.SmallDisk(t, "size=4m")
	if !ok {
		return
	}
	g, err := newGeneration(filepath.Join(disk, "index"), 1, builtInMeanings())
	if err != nil {
		t.Fatal(err)
	}
	for i := range 2 {
		if err := g.apply(t.Context(), officeArticles[i*5:i*5+5], 0); err != nil {
			t.Fatal(err)
		}
	}
	kbtest.Fill(t, disk)
	if err := g.merge(t.Context()); err == nil {
		t.Error("it is said to be merged though there is no room")
	}
	if err := g.discard(); err != nil {
		t.Error(err)
	}
}
