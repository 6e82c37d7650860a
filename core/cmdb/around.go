package cmdb

import (
	"cmp"
	"slices"
	"strings"
)

// Placed is an item of a Neighbourhood. Level is 0 for the one that is asked
// about and what it connects to, 1 and more for what stops with it, by distance,
// and -1 and less for what it stands on.
type Placed struct {
	Item
	Level int
}

// Neighbourhood is an item with what is around it, and all relations among
// these.
type Neighbourhood struct {
	Items     []Placed // the item first
	Relations []Relation
	More      int // items that are left out
}

// Around is the neighbourhood of an item, so many levels up and down and at most
// so many items, the nearest; false if the item is not there.
func (g *Graph) Around(id ItemID, levels, most int) (Neighbourhood, bool) {
	at, ok := g.at[id]
	if !ok {
		return Neighbourhood{}, false
	}
	n := Neighbourhood{Items: []Placed{{g.items[at], 0}}}
	level := map[int32]int{at: 0}
	// From above, below and beside in turn, so that a crowd on one side leaves
	// room for the others.
	above := g.Impact(levels, id)
	sides := [3][]Placed{}
	for _, a := range above.Nearest(above.Count) {
		sides[0] = append(sides[0], Placed{a.Item, a.Distance})
	}
	for _, b := range g.Below(levels, id) {
		sides[1] = append(sides[1], Placed{b.Item, -b.Distance})
	}
	for _, b := range g.Beside(id) {
		sides[2] = append(sides[2], Placed{b, 0})
	}
	for len(sides[0])+len(sides[1])+len(sides[2]) > 0 {
		for i, side := range sides {
			if len(side) == 0 {
				continue
			}
			p := side[0]
			sides[i] = side[1:]
			j := g.at[p.ID]
			if _, there := level[j]; there {
				continue // by another way, in a circle
			}
			if len(n.Items) >= most {
				n.More++
				level[j] = 0
				continue
			}
			level[j], n.Items = p.Level, append(n.Items, p)
		}
	}
	n.Relations = g.among(n.Items)
	return n, true
}

// among are the relations between items.
func (g *Graph) among(items []Placed) []Relation {
	in := make(map[int32]bool, len(items))
	for _, p := range items {
		in[g.at[p.ID]] = true
	}
	var out []Relation
	for first := range in {
		for n := g.along.start[first]; n < g.along.start[first+1]; n++ {
			along := g.along.to[n]
			if !in[along] {
				continue
			}
			r := Relation{From: g.items[along].ID, To: g.items[first].ID, Kind: g.along.kind[n]}
			if r.Kind == PartOf {
				r.From, r.To = r.To, r.From
			}
			out = append(out, r)
		}
	}
	for _, pair := range g.beside {
		if in[pair[0]] && in[pair[1]] {
			out = append(out, Relation{From: g.items[pair[0]].ID, To: g.items[pair[1]].ID, Kind: ConnectsTo})
		}
	}
	slices.SortFunc(out, func(a, b Relation) int {
		return cmp.Or(cmp.Compare(a.From, b.From), cmp.Compare(a.To, b.To), strings.Compare(string(a.Kind), string(b.Kind)))
	})
	return slices.Compact(out)
}

// Way is the shortest way on which one item takes another along, both included;
// nil if it does not. With it a relation that closes a circle is told before it
// is made.
func (g *Graph) Way(first, along ItemID) []Item {
	from, okF := g.at[first]
	to, okT := g.at[along]
	if !okF || !okT {
		return nil
	}
	before := map[int32]int32{from: -1}
	for queue := []int32{from}; len(queue) > 0; queue = queue[1:] {
		i := queue[0]
		if i == to {
			var way []Item
			for ; i >= 0; i = before[i] {
				way = append(way, g.items[i])
			}
			slices.Reverse(way)
			return way
		}
		for _, j := range g.along.of(i) {
			if _, seen := before[j]; !seen {
				before[j] = i
				queue = append(queue, j)
			}
		}
	}
	return nil
}

// Circle is the way round that a relation between two items closes, beginning
// and ending with the same; nil if it closes none.
func (g *Graph) Circle(r Relation) []Item {
	first, along, ok := r.stops()
	if !ok {
		return nil
	}
	way := g.Way(along, first)
	if way == nil {
		return nil
	}
	return append(way, way[0])
}
