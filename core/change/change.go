// Package change is the life of a change: what it says, how risky it is and
// why, what it clashes with, and who may take which step. Whether it is
// approved is decided in package approval. Values in, values and events out.
package change

import (
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"hash"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/deskhand/deskhand/core/cmdb"
	"github.com/deskhand/deskhand/core/people"
)

// ID is the record's number for a change.
type ID int64

// Kind is by which way a change is allowed.
type Kind string

// The kinds. A Standard change has been judged once for all times it is done,
// within the limits of its rule; an Emergency is asked of one person now and
// reviewed later; an Undocumented one was found out when it had been done.
const (
	Standard     Kind = "standard"
	Normal       Kind = "normal"
	Emergency    Kind = "emergency"
	Undocumented Kind = "undocumented"
)

// Kinds lists those that can be raised.
var Kinds = []Kind{Standard, Normal, Emergency}

// State is where a change stands.
type State string

// The states.
const (
	Draft     State = "draft" // being written, or sent back
	Asked     State = "asked" // waits for its approvers
	Scheduled State = "scheduled"
	Blocked   State = "blocked" // its window came without a yes
	Rejected  State = "rejected"
	Doing     State = "doing"
	Done      State = "done" // there is an outcome; an emergency still wants its review
	Cancelled State = "cancelled"
)

// Outcome is how the work ended.
type Outcome string

// The outcomes. Only Worked is a success.
const (
	Worked     Outcome = "worked"
	RolledBack Outcome = "rolled_back"
	Failed     Outcome = "failed"
)

// Outcomes lists them all.
var Outcomes = []Outcome{Worked, RolledBack, Failed}

// Words is the outcome as a person would say it.
func (o Outcome) Words() string { return strings.ReplaceAll(string(o), "_", " ") }

// Change is one change.
type Change struct {
	ID     ID
	Number int64
	Kind   Kind
	Rule   string // of a Standard change: the rule's slug

	Title    string
	Why      string
	Items    []cmdb.ItemID
	Plan     string
	Test     string
	Rollback string

	// From and To are the window; Takes is how long the work is expected to
	// take within it.
	From, To time.Time
	Takes    time.Duration
	// Exception says why it may be done in a freeze; it is shown to the
	// approvers.
	Exception string

	Requester   people.PersonID
	Implementer people.PersonID
	Team        people.TeamID
	Service     string // slug; may be empty

	Risk    Risk
	Because string // why this risk, in words

	Pipeline *Pipeline // that asks; nil: a person does

	State      State
	Outcome    Outcome // of Done
	Note       string  // with the outcome, the rejection or the cancellation
	CausedBy   []int64 // incidents that it is known to have caused, by ticket ID
	Review     string  // of an Emergency or a failure; empty: not reviewed yet
	OpenedAt   time.Time
	StartedAt  time.Time
	EndedAt    time.Time
	ReviewedAt time.Time
	Version    int
}

// Ref is the change's name in chat: CHG-12.
func (c Change) Ref() string { return "CHG-" + strconv.FormatInt(c.Number, 10) }

// ParseRef reads a reference as people type it ("chg-12", "CHG 12").
func ParseRef(s string) (int64, bool) {
	rest, ok := strings.CutPrefix(strings.ToUpper(strings.TrimLeft(strings.TrimSpace(s), "#")), "CHG")
	if !ok {
		return 0, false
	}
	n, err := strconv.ParseInt(strings.TrimLeft(rest, "- "), 10, 64)
	return n, err == nil && n > 0
}

// StateWords is the state as shown to people.
func (c Change) StateWords() string {
	switch c.State {
	case Draft:
		return "Being written"
	case Asked:
		return "Waiting for approval"
	case Scheduled:
		return "Approved"
	case Blocked:
		return "Blocked: nobody said yes in time"
	case Rejected:
		return "Rejected"
	case Doing:
		return "In progress"
	case Cancelled:
		return "Cancelled"
	case Done:
		words := c.Outcome.Words()
		return strings.ToUpper(words[:1]) + words[1:]
	}
	return string(c.State)
}

// Open tells whether something is still to come.
func (c Change) Open() bool {
	switch c.State {
	case Rejected, Cancelled:
		return false
	case Done:
		return c.WantsReview()
	}
	return true
}

// WantsReview tells whether somebody must still say what was learnt: after an
// emergency, and after whatever did not work.
func (c Change) WantsReview() bool {
	return c.State == Done && c.ReviewedAt.IsZero() && (c.Kind == Emergency || c.Outcome != Worked)
}

// Own are those who may not approve it.
func (c Change) Own() []people.PersonID {
	own := []people.PersonID{c.Requester}
	if c.Implementer != 0 && c.Implementer != c.Requester {
		own = append(own, c.Implementer)
	}
	return own
}

// Hash is of everything that the approvers are shown: 64 hexadecimal digits. A
// vote is bound to it. How it is made must not change, or the proof of old
// votes is lost; what is added later is written only where it is not empty.
func (c Change) Hash() string {
	h := sha256.New()
	text(h, "deskhand change 1", string(c.Kind), c.Rule, c.Title, c.Why, c.Plan, c.Test, c.Rollback, c.Exception,
		string(c.Risk), c.From.UTC().Format(time.RFC3339), c.To.UTC().Format(time.RFC3339), c.Takes.String(), c.Service,
		strconv.FormatInt(int64(c.Implementer), 10))
	items := slices.Clone(c.Items)
	slices.Sort(items)
	for _, i := range slices.Compact(items) {
		text(h, strconv.FormatInt(int64(i), 10))
	}
	if c.Pipeline != nil {
		c.Pipeline.write(h)
	}
	return hex.EncodeToString(h.Sum(nil))
}

// text writes strings so that no two lists of them read the same.
func text(h hash.Hash, all ...string) {
	var n [8]byte
	for _, s := range all {
		binary.BigEndian.PutUint64(n[:], uint64(len(s)))
		h.Write(n[:])
		h.Write([]byte(s))
	}
}

// Difference is one thing that an edit has changed, in words.
type Difference struct{ What, Was, Is string }

// Differences are what an approver who had said yes must be shown; item names
// an item and zone is the reader's.
func Differences(was, is Change, item func(cmdb.ItemID) string, zone *time.Location) []Difference {
	var out []Difference
	add := func(what, a, b string) {
		if a != b {
			out = append(out, Difference{what, a, b})
		}
	}
	window := func(c Change) string {
		return c.From.In(zone).Format("Mon 2 Jan 15:04") + " – " + c.To.In(zone).Format("Mon 2 Jan 15:04")
	}
	items := func(c Change) string {
		var names []string
		for _, i := range c.Items {
			names = append(names, item(i))
		}
		slices.Sort(names)
		return strings.Join(slices.Compact(names), ", ")
	}
	add("Kind", string(was.Kind), string(is.Kind))
	add("What", was.Title, is.Title)
	add("Why", was.Why, is.Why)
	add("Items", items(was), items(is))
	add("Risk", string(was.Risk), string(is.Risk))
	add("Window", window(was), window(is))
	add("Takes", was.Takes.String(), is.Takes.String())
	add("Plan", was.Plan, is.Plan)
	add("Test", was.Test, is.Test)
	add("Rollback", was.Rollback, is.Rollback)
	add("Exception from the freeze", was.Exception, is.Exception)
	return out
}

// overlap tells whether two spans have a moment in common.
func overlap(aFrom, aTo, bFrom, bTo time.Time) bool { return aFrom.Before(bTo) && bFrom.Before(aTo) }

// Clash is something that stands in a change's way.
type Clash struct {
	With   string // "CHG-9", "INC-42" or the freeze's name
	Words  string
	Freeze bool // without an exception it may not be submitted
}

// Freeze is a time in which nothing is changed.
type Freeze struct {
	Name     string
	From, To time.Time
	Services []string // slugs; empty: all
}

// Busy is something that is going on with an item: an open incident.
type Busy struct {
	Ref   string
	Title string
	Item  cmdb.ItemID
}

// Clashes are the reasons not to do a change in its window, the gravest first:
// freezes, other changes on its items at that time, open incidents on them.
// others may hold anything; what does not concern the change is left out.
func (c Change) Clashes(others []Change, freezes []Freeze, busy []Busy, item func(cmdb.ItemID) string) []Clash {
	var out []Clash
	for _, f := range freezes {
		if overlap(c.From, c.To, f.From, f.To) && (len(f.Services) == 0 || slices.Contains(f.Services, c.Service)) {
			out = append(out, Clash{With: f.Name, Words: "in the freeze “" + f.Name + "”", Freeze: true})
		}
	}
	sorted := slices.Clone(others)
	slices.SortFunc(sorted, func(a, b Change) int { return cmp.Compare(a.Number, b.Number) })
	for _, o := range sorted {
		if o.ID == c.ID || !(o.State == Asked || o.State == Scheduled || o.State == Doing) || !overlap(c.From, c.To, o.From, o.To) {
			continue
		}
		for _, i := range c.Items {
			if slices.Contains(o.Items, i) {
				out = append(out, Clash{With: o.Ref(), Words: fmt.Sprintf("%s is on %s at the same time: %s", o.Ref(), item(i), o.Title)})
				break
			}
		}
	}
	for _, b := range busy {
		if slices.Contains(c.Items, b.Item) {
			out = append(out, Clash{With: b.Ref, Words: fmt.Sprintf("%s is open on %s: %s", b.Ref, item(b.Item), b.Title)})
		}
	}
	return out
}
