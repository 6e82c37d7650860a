package web

import (
	"cmp"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/deskhand/deskhand/bot"
	"github.com/deskhand/deskhand/storage"
)

const graphUse = "graph " + GraphPath

// graphToken is which item a link shows, and until when: whoever goes from item
// to item goes no longer than that.
type graphToken struct {
	Item  int64 `json:"i"`
	Until int64 `json:"u"` // Unix seconds
}

// GraphLink is a link to the picture of a configuration item and what is around
// it. Until a time whoever has it sees that, and from there the others.
func (s *Server) GraphLink(item int64, until time.Time) (string, error) {
	path, err := s.graphPath(item, until)
	return s.base.String() + path, err
}

func (s *Server) graphPath(item int64, until time.Time) (string, error) {
	token, err := s.keys.seal(graphUse, graphToken{item, until.Unix()}, until)
	return GraphPath + token + "#here", err
}

// graph shows an item and what is around it.
func (s *Server) graph(w http.ResponseWriter, r *http.Request) {
	var k graphToken
	err := s.keys.open(r.Context(), graphUse, r.PathValue("link"), &k)
	var p bot.Picture
	if err == nil {
		p, err = s.o.Record.Picture(r.Context(), k.Item)
	}
	switch {
	case errors.Is(err, errBadToken), errors.Is(err, errExpired), errors.Is(err, storage.ErrNotFound):
		s.page(w, r, http.StatusNotFound, page{Title: "This picture is not here any more",
			Lines: []string{"A link to one is good for seven days. Write “ci” and the item's name to the desk in chat for a new one."}})
		return
	case err != nil:
		s.trouble(w, r, err)
		return
	}
	d := layOut(p)
	for i, it := range p.Items {
		if i == 0 {
			continue
		}
		if d.Nodes[i].Link, err = s.graphPath(it.ID, time.Unix(k.Until, 0)); err != nil {
			s.trouble(w, r, err)
			return
		}
	}
	html, err := execute("graph", d)
	if err != nil {
		s.trouble(w, r, err)
		return
	}
	w.Header().Set("Content-Security-Policy", "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'")
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_, _ = w.Write([]byte(html)) // whoever asked may have gone
}

// The measures of a drawing, in pixels.
const (
	nodeWidth, nodeHeight = 196, 42
	nodeGap, columnGap    = 12, 92
	drawingEdge, headRoom = 24, 44
	columnWidth           = nodeWidth + columnGap
)

// drawing is a picture with a place for everything.
type drawing struct {
	Title, Name   string
	Words         string
	Width, Height int
	Columns       []column
	Nodes         []node
	Edges         []edge
	More          int
	Kinds         []string // that there are
	Version       string
}

type column struct {
	X    int
	Text string
}

type node struct {
	X, Y       int
	Key, Under string // as far as there is room
	Full       string
	Tier       int
	Here, Off  bool
	Link       string
}

type edge struct {
	Path string
	Kind string // of the relation
	Full string
}

// layOut gives what stops with the item its place at the left, what it stands on
// at the right, a column for each level. In a column things stand in the order
// in which their lines cross least, as far as a few rounds of taking the mean of
// the neighbours find it.
func layOut(p bot.Picture) drawing {
	here := p.Items[0]
	d := drawing{Title: here.Key, Words: p.Words, More: p.More, Version: version, Nodes: make([]node, len(p.Items))}
	if here.Name != here.Key {
		d.Name = here.Name
	}
	levels := map[int][]int{}
	for i, it := range p.Items {
		levels[it.Level] = append(levels[it.Level], i)
	}
	var order []int // of levels, from left to right
	for l := range levels {
		order = append(order, l)
	}
	slices.SortFunc(order, func(a, b int) int { return b - a })
	tallest := 0
	for _, all := range levels {
		tallest = max(tallest, len(all))
	}
	inner := tallest*(nodeHeight+nodeGap) - nodeGap
	d.Height = headRoom + inner + drawingEdge
	d.Width = 2*drawingEdge + len(order)*columnWidth - columnGap

	near := make([][]int, len(p.Items))
	for _, l := range p.Lines {
		near[l.From], near[l.To] = append(near[l.From], l.To), append(near[l.To], l.From)
	}
	place := func(level int) {
		all := levels[level]
		top := headRoom + (inner-len(all)*(nodeHeight+nodeGap)+nodeGap)/2
		for n, i := range all {
			d.Nodes[i].Y = top + n*(nodeHeight+nodeGap)
		}
	}
	for _, l := range order {
		slices.SortFunc(levels[l], func(a, b int) int {
			if a == 0 || b == 0 {
				return a - b
			}
			return cmp.Or(p.Items[a].Tier-p.Items[b].Tier, strings.Compare(p.Items[a].Key, p.Items[b].Key))
		})
		place(l)
	}
	for range 6 {
		for _, l := range order {
			if l == 0 {
				continue // the item, and below it what it connects to
			}
			mean := make(map[int]float64, len(levels[l]))
			for _, i := range levels[l] {
				sum, n := 0, 0
				for _, j := range near[i] {
					if p.Items[j].Level != l {
						sum, n = sum+d.Nodes[j].Y, n+1
					}
				}
				mean[i] = float64(d.Nodes[i].Y)
				if n > 0 {
					mean[i] = float64(sum) / float64(n)
				}
			}
			slices.SortStableFunc(levels[l], func(a, b int) int { return cmp.Compare(mean[a], mean[b]) })
			place(l)
		}
	}
	for c, l := range order {
		x := drawingEdge + c*columnWidth
		d.Columns = append(d.Columns, column{x, columnTitle(l, here.Key)})
		for _, i := range levels[l] {
			d.Nodes[i] = nodeOf(p.Items[i], x, d.Nodes[i].Y, i == 0)
		}
	}
	for _, l := range p.Lines {
		from, to := p.Items[l.From], p.Items[l.To]
		kind := string(l.Kind)
		d.Edges = append(d.Edges, edge{curve(d.Nodes[l.From], d.Nodes[l.To], from.Level-to.Level), kind,
			fmt.Sprintf("%s %s %s", from.Key, l.Kind.Words(), to.Key)})
		if !slices.Contains(d.Kinds, kind) {
			d.Kinds = append(d.Kinds, kind)
		}
	}
	slices.Sort(d.Kinds)
	return d
}

func columnTitle(level int, key string) string {
	key = shorten(key, 18)
	switch level {
	case 0:
		return ""
	case 1:
		return "Stops with " + key
	case -1:
		return key + " stands on"
	}
	if level > 0 {
		return "… and then"
	}
	return "… which stands on"
}

func nodeOf(it bot.Pictured, x, y int, here bool) node {
	n := node{X: x, Y: y, Key: shorten(it.Key, 24), Tier: it.Tier, Here: here, Off: it.State != "live"}
	under := it.Type
	full := it.Key
	if it.Name != it.Key {
		under, full = it.Name, it.Key+", "+it.Name
	}
	n.Under = shorten(under, 25)
	if n.Full = fmt.Sprintf("%s: %s, tier %d", full, it.Type, it.Tier); n.Off {
		n.Under = shorten(it.State+", "+under, 25)
		n.Full += ", " + it.State
	}
	return n
}

// curve is the way of a line from one box to another; columns is by how many it
// goes to the right.
func curve(a, b node, columns int) string {
	const half = nodeHeight / 2
	ay, by := a.Y+half, b.Y+half
	switch {
	case columns > 0: // from the right side to the left side
		ax, bx := a.X+nodeWidth, b.X
		bend := min((bx-ax)/2, columnGap/2+abs(by-ay)/6)
		return fmt.Sprintf("M%d %dC%d %d %d %d %d %d", ax, ay, ax+bend, ay, bx-bend, by, bx, by)
	case columns < 0:
		ax, bx := a.X, b.X+nodeWidth
		bend := min((ax-bx)/2, columnGap/2+abs(by-ay)/6)
		return fmt.Sprintf("M%d %dC%d %d %d %d %d %d", ax, ay, ax-bend, ay, bx+bend, by, bx, by)
	}
	// Within a column: out at the right and back, further the longer it is.
	x := a.X + nodeWidth
	out := x + min(columnGap-16, 24+abs(by-ay)/6)
	return fmt.Sprintf("M%d %dC%d %d %d %d %d %d", x, ay, out, ay, out, by, x, by)
}

func abs(n int) int {
	if n < 0 {
		return -n
	}
	return n
}

// shorten makes a text fit into a width of so many letters; those of East Asia
// are twice as wide.
func shorten(s string, most int) string {
	width := 0
	for i, r := range s {
		w := 1
		if unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Hangul) {
			w = 2
		}
		if width += w; width > most {
			return strings.TrimRight(s[:i], " ") + "…"
		}
	}
	return s
}
