package cmdb

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Affected is an item that stops with others.
type Affected struct {
	Item
	Distance int    // relations between it and the nearest that stopped first
	Through  ItemID // the item that takes it along
	Kind     Kind
}

// Impact is what stops when some items do.
type Impact struct {
	Count    int    // items that stop with the first ones
	Services []Item // all services among those and them, by tier and name
	Users    int    // people at most: somebody may use several of them
	Downtime int64  // for an hour
	Tier     int    // the most vital of all; LeastVital if nothing is known

	graph   *Graph
	reached []reached // the nearest first
}

// reached is an item, by index, and the edge that led to it.
type reached struct{ item, edge, distance int32 }

// Impact follows the relations from the items that stop, over any number of
// levels, or over at most levels if that is not 0. Items that are retired or
// only planned stop nothing and are not counted.
func (g *Graph) Impact(levels int, of ...ItemID) Impact {
	seen := make([]bool, len(g.items))
	var first []int32
	for _, id := range of {
		if i, ok := g.at[id]; ok && !seen[i] {
			seen[i], first = true, append(first, i)
		}
	}
	imp := Impact{Tier: LeastVital, graph: g}
	var services []int32
	count := func(i int32) {
		f := &g.facts[i]
		imp.Tier = min(imp.Tier, int(f.tier))
		imp.Users += f.users
		imp.Downtime += f.downtime
		if f.service > 0 {
			services = append(services, i)
		}
	}
	for _, i := range first {
		count(i)
		imp.reached = append(imp.reached, reached{item: i})
	}
	begin, end := 0, len(first)
	for distance := int32(1); begin < end && (levels == 0 || int(distance) <= levels); distance++ {
		for _, r := range imp.reached[begin:end] {
			for n := g.along.start[r.item]; n < g.along.start[r.item+1]; n++ {
				j := g.along.to[n]
				if seen[j] || !g.facts[j].live {
					continue
				}
				seen[j] = true
				imp.reached = append(imp.reached, reached{j, n, distance})
				count(j)
			}
		}
		begin, end = end, len(imp.reached)
	}
	imp.reached = imp.reached[len(first):]
	imp.Count = len(imp.reached)
	slices.SortFunc(services, func(a, b int32) int { return int(g.facts[a].service - g.facts[b].service) })
	imp.Services = make([]Item, len(services))
	for n, i := range services {
		imp.Services[n] = g.items[i]
	}
	return imp
}

// Nearest are at most n of the items that stop, the nearest first, then by tier
// and key.
func (i Impact) Nearest(n int) []Affected {
	g := i.graph
	out := make([]Affected, 0, min(n, len(i.reached)))
	for rest := i.reached; len(rest) > 0 && len(out) < n; {
		end := 1
		for end < len(rest) && rest[end].distance == rest[0].distance {
			end++
		}
		for _, r := range g.first(rest[:end], n-len(out)) {
			out = append(out, Affected{Item: g.items[r.item], Distance: int(r.distance), Through: g.items[g.along.from(r.edge)].ID, Kind: g.along.kind[r.edge]})
		}
		rest = rest[end:]
	}
	return out
}

// first are the n first of a level by tier and key.
func (g *Graph) first(level []reached, n int) []reached {
	byRank := func(a, b reached) int { return int(g.rank[a.item] - g.rank[b.item]) }
	if n >= len(level)/8 {
		all := slices.Clone(level)
		slices.SortFunc(all, byRank)
		return all[:min(n, len(all))]
	}
	few := make([]reached, 0, n+1) // of many: sorting them all would be most of the work
	for _, r := range level {
		if len(few) == n && g.rank[r.item] > g.rank[few[n-1].item] {
			continue
		}
		at, _ := slices.BinarySearchFunc(few, r, byRank)
		few = slices.Insert(few, at, r)
		few = few[:min(n, len(few))]
	}
	return few
}

// Words says in one line what is touched, the most vital services by name:
// "Payroll, Portal, Mail and 4 more; up to 420 people".
func (i Impact) Words() string {
	const named = 3
	var names []string
	for n, s := range i.Services {
		if n == named {
			names[n-1] += fmt.Sprintf(" and %d more", len(i.Services)-named)
			break
		}
		names = append(names, s.Name)
	}
	words := strings.Join(names, ", ")
	if words == "" {
		words = "no service that is known"
	}
	if i.Users > 0 {
		words += fmt.Sprintf("; up to %d people", i.Users)
	}
	return words
}

// Below are the items that an item stands on, at most levels deep, the nearest
// first.
func (g *Graph) Below(levels int, of ItemID) []Affected {
	start, ok := g.at[of]
	if !ok {
		return nil
	}
	seen := map[int32]bool{start: true}
	var out []Affected
	queue := []int32{start}
	for distance := 1; len(queue) > 0 && distance <= levels; distance++ {
		var next []int32
		for _, i := range queue {
			for n, j := range g.below.of(i) {
				if seen[j] {
					continue
				}
				seen[j], next = true, append(next, j)
				out = append(out, Affected{Item: g.items[j], Distance: distance, Through: g.items[i].ID, Kind: g.below.kind[int(g.below.start[i])+n]})
			}
		}
		queue = next
	}
	slices.SortFunc(out, func(a, b Affected) int {
		return cmp.Or(a.Distance-b.Distance, a.Tier-b.Tier, strings.Compare(a.Key, b.Key))
	})
	return out
}

// StandsOn are these items and all that they stand on, the nearest first, then by
// tier and key.
func (g *Graph) StandsOn(of ...ItemID) []ItemID {
	var out []ItemID
	seen := map[int32]bool{}
	var level []int32
	for _, id := range of {
		if i, ok := g.at[id]; ok && !seen[i] {
			seen[i], level = true, append(level, i)
		}
	}
	for len(level) > 0 {
		slices.SortFunc(level, func(a, b int32) int { return int(g.rank[a] - g.rank[b]) })
		var next []int32
		for _, i := range level {
			out = append(out, g.items[i].ID)
			for _, j := range g.below.of(i) {
				if !seen[j] {
					seen[j], next = true, append(next, j)
				}
			}
		}
		level = next
	}
	return out
}

// Circles are the groups of items that stop each other in a circle, each group
// and all of them in order of their keys. Such a circle is no error: two
// servers may need each other. But people want to know of it.
func (g *Graph) Circles() [][]Item {
	// Tarjan's strongly connected components, with a stack of its own: a chain
	// may be as long as there are items.
	n := len(g.items)
	index, low := make([]int32, n), make([]int32, n)
	on := make([]bool, n)
	var stack []int32
	var found [][]Item
	next := int32(1)
	type frame struct{ i, edge int32 }
	for root := range int32(n) {
		if index[root] != 0 {
			continue
		}
		calls := []frame{{root, 0}}
		for len(calls) > 0 {
			f := &calls[len(calls)-1]
			if f.edge == 0 {
				index[f.i], low[f.i] = next, next
				next++
				stack, on[f.i] = append(stack, f.i), true
			}
			to := g.along.of(f.i)
			if int(f.edge) < len(to) {
				j := to[f.edge]
				f.edge++
				if index[j] == 0 {
					calls = append(calls, frame{j, 0})
				} else if on[j] {
					low[f.i] = min(low[f.i], index[j])
				}
				continue
			}
			i := f.i
			calls = calls[:len(calls)-1]
			if len(calls) > 0 {
				up := calls[len(calls)-1].i
				low[up] = min(low[up], low[i])
			}
			if low[i] != index[i] {
				continue
			}
			var group []Item
			for {
				j := stack[len(stack)-1]
				stack, on[j] = stack[:len(stack)-1], false
				group = append(group, g.items[j])
				if j == i {
					break
				}
			}
			if len(group) > 1 {
				slices.SortFunc(group, byKey)
				found = append(found, group)
			}
		}
	}
	slices.SortFunc(found, func(a, b []Item) int { return byKey(a[0], b[0]) })
	return found
}

func byKey(a, b Item) int { return strings.Compare(a.Key, b.Key) }

// Beside are the items that connect to an item, by key.
func (g *Graph) Beside(of ItemID) []Item {
	i, ok := g.at[of]
	if !ok {
		return nil
	}
	var out []Item
	for _, pair := range g.beside {
		switch i {
		case pair[0]:
			out = append(out, g.items[pair[1]])
		case pair[1]:
			out = append(out, g.items[pair[0]])
		}
	}
	slices.SortFunc(out, byKey)
	return slices.CompactFunc(out, func(a, b Item) bool { return a.ID == b.ID })
}
