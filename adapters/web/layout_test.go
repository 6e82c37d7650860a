package web

import (
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/deskhand/deskhand/bot"
	"github.com/deskhand/deskhand/core/cmdb"
)

// Whatever hangs on what, no box covers another, none is cut off, each column is
// a level, and every line begins and ends at its boxes.
func TestADrawingHasRoomForAll(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 60).Draw(t, "items")
		p := bot.Picture{}
		for i := range n {
			it := bot.Pictured{ID: int64(i), Key: fmt.Sprintf("item-%d", i), Name: rapid.StringN(1, 80, -1).Draw(t, "name"), State: "live", Tier: 1 + i%4}
			if i > 0 {
				it.Level = rapid.IntRange(-2, 2).Draw(t, "level")
			}
			p.Items = append(p.Items, it)
		}
		index := rapid.IntRange(0, n-1)
		for range rapid.IntRange(0, 90).Draw(t, "lines") {
			p.Lines = append(p.Lines, bot.Line{From: index.Draw(t, "from"), To: index.Draw(t, "to"), Kind: rapid.SampledFrom(cmdb.Kinds).Draw(t, "kind")})
		}
		d := layOut(p)
		taken := map[[2]int]int{}
		columns := map[int]int{}
		for i, b := range d.Nodes {
			if b.X < drawingEdge || b.Y < headRoom || b.X+nodeWidth > d.Width-drawingEdge || b.Y+nodeHeight > d.Height {
				t.Fatalf("item %d at %d %d is cut off from %d by %d", i, b.X, b.Y, d.Width, d.Height)
			}
			for j, o := range d.Nodes[:i] {
				if o.X == b.X && max(o.Y, b.Y)-min(o.Y, b.Y) < nodeHeight+nodeGap {
					t.Fatalf("items %d and %d cover each other", i, j)
				}
			}
			taken[[2]int{b.X, b.Y}] = i
			if level, known := columns[b.X]; known && level != p.Items[i].Level {
				t.Fatalf("levels %d and %d share a column", level, p.Items[i].Level)
			}
			columns[b.X] = p.Items[i].Level
		}
		if len(d.Edges) != len(p.Lines) {
			t.Fatalf("%d lines of %d are drawn", len(d.Edges), len(p.Lines))
		}
		for i, e := range d.Edges {
			var ax, ay, x, y int
			if _, err := fmt.Sscanf(strings.NewReplacer("M", "", "C", " ").Replace(e.Path), "%d %d %d %d %d %d %d %d", &ax, &ay, new(int), new(int), new(int), new(int), &x, &y); err != nil {
				t.Fatalf("%s: %v", e.Path, err)
			}
			for end, at := range map[int][2]int{p.Lines[i].From: {ax, ay}, p.Lines[i].To: {x, y}} {
				b := d.Nodes[end]
				if (at[0] != b.X && at[0] != b.X+nodeWidth) || at[1] != b.Y+nodeHeight/2 {
					if p.Lines[i].From != p.Lines[i].To {
						t.Fatalf("line %s does not end at the box at %d %d", e.Path, b.X, b.Y)
					}
				}
			}
		}
		if n > 8 {
			return
		}
		if _, err := execute("graph", d); err != nil {
			t.Fatal(err)
		}
	})
}

func TestShorten(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ in, want string }{{"short", "short"}, {"exactly ten", "exactly te…"}, {"a word too", "a word too"}, {"資料庫伺服器", "資料庫伺服…"}} {
		if got := shorten(tt.in, 10); got != tt.want {
			t.Errorf("%q became %q, want %q", tt.in, got, tt.want)
		}
	}
}
