// Package cmdb is what the company runs: configuration items, how they hang
// together, and what stops when one of them does. Values in, values out.
package cmdb

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/deskhand/deskhand/core/people"
)

// ItemID is the record's number for a configuration item.
type ItemID int64

// Type is what kind of thing an item is.
type Type string

// The types. Service is what people know by name and use; the others carry it.
const (
	Service     Type = "service"
	Application Type = "application"
	Database    Type = "database"
	Server      Type = "server"
	Network     Type = "network"
	Storage     Type = "storage"
	Device      Type = "device"
	Other       Type = "other"
)

// Types lists them all.
var Types = []Type{Service, Application, Database, Server, Network, Storage, Device, Other}

// State is where an item is in its life.
type State string

// The states.
const (
	Planned State = "planned"
	Live    State = "live"
	Retired State = "retired" // nothing may be planned on it any more
)

// States lists them all.
var States = []State{Planned, Live, Retired}

// The tiers: how much hangs on an item, by the company's own judgement.
const (
	MostVital  = 1
	LeastVital = 4
)

// Item is one configuration item.
type Item struct {
	ID      ItemID
	Key     string // as people write it: "db-3"; unique
	Name    string
	Type    Type
	State   State
	Tier    int
	Owner   people.PersonID // answers for it; 0: nobody
	Team    people.TeamID   // looks after it; 0: none
	Service string          // slug of the desk's service that it belongs to, if any
	Users   int             // people who use it directly
	// Downtime is what an hour of it costs, in whole units of the company's
	// currency; 0: not known.
	Downtime    int64
	Description string
	Version     int
}

// MostDescription is how long a description is at most, in characters.
const MostDescription = 2000

var key = regexp.MustCompile(`^[a-z0-9][a-z0-9._-]{0,59}$`)

// ParseKey is a key as it is kept: small letters, digits, dots, hyphens and
// underscores, at most 60.
func ParseKey(s string) (string, error) {
	k := strings.ToLower(strings.TrimSpace(s))
	if !key.MatchString(k) {
		return "", fmt.Errorf("%q is not a name for an item: letters, digits, dots, hyphens and underscores, at most 60", s)
	}
	return k, nil
}

// Kind is how one item hangs on another.
type Kind string

// The kinds of relation, each read from left to right.
const (
	DependsOn  Kind = "depends_on"
	RunsOn     Kind = "runs_on"
	PartOf     Kind = "part_of"     // the whole suffers with its part
	ConnectsTo Kind = "connects_to" // side by side: neither stops with the other
)

// Kinds lists them all.
var Kinds = []Kind{DependsOn, RunsOn, PartOf, ConnectsTo}

// Words is the relation as a person would say it.
func (k Kind) Words() string { return strings.ReplaceAll(string(k), "_", " ") }

// Relation says that From depends on, runs on, is part of or connects to To.
type Relation struct {
	From, To ItemID
	Kind     Kind
}

// stops are the item that stops first and the one that it takes along; false
// if neither does.
func (r Relation) stops() (first, along ItemID, ok bool) {
	switch r.Kind {
	case DependsOn, RunsOn:
		return r.To, r.From, true
	case PartOf:
		return r.From, r.To, true
	}
	return 0, 0, false
}

// Graph is all items and relations, for questions about what hangs on what. It
// does not change, so that many may ask at once.
type Graph struct {
	items []Item
	at    map[ItemID]int32
	keys  map[string]int32
	rank  []int32 // by tier, then key
	facts []fact
	// along has for each item what stops with it, below what it stands on:
	// start[i] is where the list of item i begins.
	along, below edges
	beside       [][2]int32
}

// fact is what is counted of an item, close together: an Impact looks at many.
type fact struct {
	downtime int64
	users    int
	service  int32 // its place among the services by tier and name, from 1; 0: it is none
	tier     uint8
	live     bool
}

type edges struct {
	start []int32
	to    []int32
	kind  []Kind
}

// from is the item whose list has the edge n.
func (e edges) from(n int32) int32 {
	i, _ := slices.BinarySearchFunc(e.start, n, func(start, n int32) int {
		if start <= n {
			return -1
		}
		return 1
	})
	return int32(i - 1)
}

func (e edges) of(i int32) []int32 { return e.to[e.start[i]:e.start[i+1]] }

// NewGraph makes a graph. A relation with an item that is not there, or of an
// item with itself, is left out.
func NewGraph(items []Item, relations []Relation) *Graph {
	g := &Graph{items: items, at: make(map[ItemID]int32, len(items)), keys: make(map[string]int32, len(items))}
	for i, it := range items {
		g.at[it.ID], g.keys[it.Key] = int32(i), int32(i)
	}
	order := make([]int32, len(items))
	for i := range order {
		order[i] = int32(i)
	}
	slices.SortFunc(order, func(a, b int32) int { return cmp.Or(items[a].Tier-items[b].Tier, byKey(items[a], items[b])) })
	g.rank = make([]int32, len(items))
	var services []int32
	g.facts = make([]fact, len(items))
	for n, i := range order {
		it := &items[i]
		g.rank[i] = int32(n)
		g.facts[i] = fact{it.Downtime, it.Users, 0, uint8(it.Tier), it.State == Live}
		if it.Type == Service {
			services = append(services, i)
		}
	}
	slices.SortStableFunc(services, func(a, b int32) int {
		return cmp.Or(items[a].Tier-items[b].Tier, strings.Compare(items[a].Name, items[b].Name))
	})
	for n, i := range services {
		g.facts[i].service = int32(n + 1)
	}
	var pairs [][2]int32
	var kinds []Kind
	for _, r := range relations {
		from, okF := g.at[r.From]
		to, okT := g.at[r.To]
		if !okF || !okT || from == to {
			continue
		}
		first, along, stops := r.stops()
		if !stops {
			g.beside = append(g.beside, [2]int32{from, to})
			continue
		}
		pairs, kinds = append(pairs, [2]int32{g.at[first], g.at[along]}), append(kinds, r.Kind)
	}
	g.along = lists(len(items), pairs, kinds, 0)
	g.below = lists(len(items), pairs, kinds, 1)
	return g
}

// lists sorts pairs by one of their ends.
func lists(n int, pairs [][2]int32, kinds []Kind, by int) edges {
	e := edges{start: make([]int32, n+1), to: make([]int32, len(pairs)), kind: make([]Kind, len(pairs))}
	for _, p := range pairs {
		e.start[p[by]+1]++
	}
	for i := range n {
		e.start[i+1] += e.start[i]
	}
	next := slices.Clone(e.start)
	for i, p := range pairs {
		at := next[p[by]]
		e.to[at], e.kind[at] = p[1-by], kinds[i]
		next[p[by]]++
	}
	return e
}

// Len is the number of items.
func (g *Graph) Len() int { return len(g.items) }

// Item returns an item; false if it is not there.
func (g *Graph) Item(id ItemID) (Item, bool) {
	i, ok := g.at[id]
	if !ok {
		return Item{}, false
	}
	return g.items[i], true
}

// ByKey is Item by its key.
func (g *Graph) ByKey(key string) (Item, bool) {
	i, ok := g.keys[strings.ToLower(strings.TrimSpace(key))]
	if !ok {
		return Item{}, false
	}
	return g.items[i], true
}

// OfService are the items of a service of the desk's that are not retired, by
// its slug.
func (g *Graph) OfService(slug string) []Item {
	var out []Item
	for _, it := range g.items {
		if it.Service == slug && slug != "" && it.State != Retired {
			out = append(out, it)
		}
	}
	return out
}

// Find are items whose key or name has the words of text, those that begin with
// it first, the most vital before others; at most limit. Retired items are left
// out.
func (g *Graph) Find(text string, limit int) []Item {
	words := strings.Fields(strings.ToLower(text))
	type hit struct {
		i    int32
		rank int
	}
	var hits []hit
	for i, it := range g.items {
		if it.State == Retired {
			continue
		}
		name := strings.ToLower(it.Name)
		rank := 2
		all := true
		for _, w := range words {
			switch {
			case strings.HasPrefix(it.Key, w):
				rank = min(rank, 0)
			case strings.HasPrefix(name, w):
				rank = min(rank, 1)
			case !strings.Contains(it.Key, w) && !strings.Contains(name, w):
				all = false
			}
		}
		if all {
			hits = append(hits, hit{int32(i), rank})
		}
	}
	slices.SortFunc(hits, func(a, b hit) int {
		return cmp.Or(a.rank-b.rank, int(g.rank[a.i]-g.rank[b.i]))
	})
	if len(hits) > limit {
		hits = hits[:limit]
	}
	out := make([]Item, len(hits))
	for i, h := range hits {
		out[i] = g.items[h.i]
	}
	return out
}
