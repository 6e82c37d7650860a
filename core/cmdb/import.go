package cmdb

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/deskhand/deskhand/core/people"
)

// Row is an item as a file has it, with its place in the file. An empty field
// leaves what is on record; so does a negative number.
type Row struct {
	Line        int
	Key         string
	Name        string
	Type        Type
	State       State
	Tier        int    // 0: not said
	Owner       string // mail address
	Team        string // slug
	Service     string // slug
	Users       int
	Downtime    int64
	Description string
	// Relations are the keys of other items, in this file or on record.
	Relations map[Kind][]string
}

// Known is what an import is compared with.
type Known struct {
	Items     []Item
	Relations []Relation
	People    map[string]people.PersonID // by mail address in small letters
	Teams     map[string]people.TeamID   // by slug
	Services  map[string]bool            // slugs
	// ByHand are the items that people have changed since the last import.
	ByHand map[ItemID]bool
}

// Problem is a line that can't be taken, and why, in words with the fix.
type Problem struct {
	Line int
	Text string
}

func (p Problem) String() string { return fmt.Sprintf("line %d: %s", p.Line, p.Text) }

// Change is an item that an import would change.
type Change struct {
	Was, Is Item
	Fields  []string // "tier 3 → 1"
	// Conflict says that somebody has changed the item or its relations by hand
	// since the last import, so that taking the file would undo it.
	Conflict bool
}

// Plan is what an import would do. Nothing of it is done while there are
// Problems.
type Plan struct {
	New      []Item // with keys only; the record gives them their IDs
	Changed  []Change
	Same     int
	Linked   []Link // relations that are new
	Unlinked []Link // relations of the file's items that the file no longer has
	Problems []Problem
}

// Link is a relation by keys.
type Link struct {
	From, To string
	Kind     Kind
}

// Conflicts is how many of the changes would undo somebody's work.
func (p Plan) Conflicts() int {
	n := 0
	for _, c := range p.Changed {
		if c.Conflict {
			n++
		}
	}
	return n
}

// Compare plans an import of rows. An item that the file does not name stays as
// it is; the relations of one that it names become those of the file.
func Compare(rows []Row, k Known) Plan {
	c := comparison{known: k, have: map[string]Item{}, line: map[string]int{}, keyOf: map[ItemID]string{}}
	for _, it := range k.Items {
		c.have[it.Key], c.keyOf[it.ID] = it, it.Key
	}
	taken := make([]string, len(rows)) // the rows' keys; "" for one that can't be taken
	for i, r := range rows {
		taken[i] = c.key(r)
	}
	for i, r := range rows {
		if taken[i] != "" {
			c.item(taken[i], r)
		}
	}
	c.relations(rows, taken)
	slices.SortFunc(c.plan.Problems, func(a, b Problem) int { return cmp.Or(a.Line-b.Line, strings.Compare(a.Text, b.Text)) })
	return c.plan
}

type comparison struct {
	known Known
	plan  Plan
	have  map[string]Item
	line  map[string]int // of the file's items
	keyOf map[ItemID]string
}

func (c *comparison) say(line int, format string, args ...any) {
	c.plan.Problems = append(c.plan.Problems, Problem{line, fmt.Sprintf(format, args...)})
}

func (c *comparison) key(r Row) string {
	k, err := ParseKey(r.Key)
	if err != nil {
		c.say(r.Line, "%v", err)
		return ""
	}
	if before, twice := c.line[k]; twice {
		c.say(r.Line, "%s is in line %d already", k, before)
		return ""
	}
	c.line[k] = r.Line
	return k
}

func (c *comparison) item(key string, r Row) {
	was, known := c.have[key]
	is := was
	if !known {
		is = Item{Key: key, Name: key, Type: Other, State: Live, Tier: 3}
	}
	if name := strings.TrimSpace(r.Name); name != "" {
		if len([]rune(name)) > 100 {
			c.say(r.Line, "the name of %s is longer than 100 characters", key)
		}
		is.Name = name
	}
	if r.Type != "" {
		if !slices.Contains(Types, r.Type) {
			c.say(r.Line, "%q is not a type; there are %s", r.Type, list(Types))
		}
		is.Type = r.Type
	}
	if r.State != "" {
		if !slices.Contains(States, r.State) {
			c.say(r.Line, "%q is not a state; there are %s", r.State, list(States))
		}
		is.State = r.State
	}
	if r.Tier != 0 {
		if r.Tier < MostVital || r.Tier > LeastVital {
			c.say(r.Line, "%d is not a tier from %d (most vital) to %d", r.Tier, MostVital, LeastVital)
		}
		is.Tier = r.Tier
	}
	if r.Owner != "" {
		id, ok := c.known.People[strings.ToLower(r.Owner)]
		if !ok {
			c.say(r.Line, "nobody is known with the address %s", r.Owner)
		}
		is.Owner = id
	}
	if r.Team != "" {
		id, ok := c.known.Teams[r.Team]
		if !ok {
			c.say(r.Line, "there is no team %q", r.Team)
		}
		is.Team = id
	}
	if r.Service != "" {
		if !c.known.Services[r.Service] {
			c.say(r.Line, "there is no service %q", r.Service)
		}
		is.Service = r.Service
	}
	if r.Description != "" {
		if len([]rune(r.Description)) > MostDescription {
			c.say(r.Line, "the description of %s is longer than %d characters", key, MostDescription)
		}
		is.Description = r.Description
	}
	if r.Users >= 0 {
		is.Users = r.Users
	}
	if r.Downtime >= 0 {
		is.Downtime = r.Downtime
	}
	switch fields := differences(was, is); {
	case !known:
		c.plan.New = append(c.plan.New, is)
	case len(fields) > 0:
		c.plan.Changed = append(c.plan.Changed, Change{Was: was, Is: is, Fields: fields, Conflict: c.known.ByHand[was.ID]})
	default:
		c.plan.Same++
	}
}

// differences are the fields in which two versions of an item differ, in words.
func differences(a, b Item) []string {
	var out []string
	field := func(name string, was, is any) {
		if was != is {
			out = append(out, fmt.Sprintf("%s %v → %v", name, was, is))
		}
	}
	field("name", a.Name, b.Name)
	field("type", a.Type, b.Type)
	field("state", a.State, b.State)
	field("tier", a.Tier, b.Tier)
	if a.Owner != b.Owner {
		out = append(out, "another owner")
	}
	if a.Team != b.Team {
		out = append(out, "another team")
	}
	field("service", a.Service, b.Service)
	field("users", a.Users, b.Users)
	field("downtime", a.Downtime, b.Downtime)
	if a.Description != b.Description {
		out = append(out, "another description")
	}
	return out
}

func (c *comparison) relations(rows []Row, taken []string) {
	had := map[string]map[Link]bool{} // by From
	for _, r := range c.known.Relations {
		l := Link{c.keyOf[r.From], c.keyOf[r.To], r.Kind}
		if had[l.From] == nil {
			had[l.From] = map[Link]bool{}
		}
		had[l.From][l] = true
	}
	for i, r := range rows {
		if taken[i] == "" || r.Relations == nil {
			continue
		}
		want := map[Link]bool{}
		for _, kind := range Kinds {
			for _, other := range r.Relations[kind] {
				to, err := ParseKey(other)
				_, onRecord := c.have[to]
				_, inFile := c.line[to]
				switch {
				case err != nil:
					c.say(r.Line, "%v", err)
				case to == taken[i]:
					c.say(r.Line, "%s can't be related to itself", to)
				case !onRecord && !inFile:
					c.say(r.Line, "%s %s %s, which is neither in this file nor on record", taken[i], kind.Words(), to)
				default:
					want[Link{taken[i], to, kind}] = true
				}
			}
		}
		for kind := range r.Relations {
			if !slices.Contains(Kinds, kind) {
				c.say(r.Line, "%q is not a relation; there are %s", kind, list(Kinds))
			}
		}
		for l := range want {
			if !had[l.From][l] {
				c.plan.Linked = append(c.plan.Linked, l)
			}
		}
		for l := range had[taken[i]] {
			if !want[l] {
				c.plan.Unlinked = append(c.plan.Unlinked, l)
			}
		}
	}
	slices.SortFunc(c.plan.Linked, byLink)
	slices.SortFunc(c.plan.Unlinked, byLink)
	for _, l := range c.plan.Linked {
		c.relationConflict(l, "")
	}
	for _, l := range c.plan.Unlinked {
		c.relationConflict(l, "no longer ")
	}
}

// relationConflict says of an item that people have changed that the file would
// relate it otherwise.
func (c *comparison) relationConflict(l Link, not string) {
	was, known := c.have[l.From]
	if !known || !c.known.ByHand[was.ID] {
		return
	}
	words := not + l.Kind.Words() + " " + l.To
	if i := slices.IndexFunc(c.plan.Changed, func(ch Change) bool { return ch.Is.Key == l.From }); i >= 0 {
		c.plan.Changed[i].Fields = append(c.plan.Changed[i].Fields, words)
		return
	}
	c.plan.Same--
	c.plan.Changed = append(c.plan.Changed, Change{Was: was, Is: was, Fields: []string{words}, Conflict: true})
}

// Keep leaves the items in conflict that wins says as people have made them; all
// else stays planned.
func (p Plan) Keep(wins func(key string) bool) Plan {
	kept := map[string]bool{}
	p.Changed = slices.DeleteFunc(slices.Clone(p.Changed), func(c Change) bool {
		if c.Conflict && wins(c.Is.Key) {
			kept[c.Is.Key] = true
		}
		return kept[c.Is.Key]
	})
	of := func(l Link) bool { return kept[l.From] }
	p.Linked, p.Unlinked = slices.DeleteFunc(slices.Clone(p.Linked), of), slices.DeleteFunc(slices.Clone(p.Unlinked), of)
	p.Same += len(kept)
	return p
}

func byLink(a, b Link) int {
	return cmp.Or(strings.Compare(a.From, b.From), strings.Compare(string(a.Kind), string(b.Kind)), strings.Compare(a.To, b.To))
}

func list[T ~string](all []T) string {
	words := make([]string, len(all))
	for i, s := range all {
		words[i] = string(s)
	}
	return strings.Join(words, ", ")
}
