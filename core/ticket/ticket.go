// Package ticket is the life of an incident or a request: its states, who may
// move it where, and how urgent it is. Values in, values and events out.
package ticket

import (
	"fmt"
	"strings"
	"time"

	"github.com/deskhand/deskhand/core/knowledge"
	"github.com/deskhand/deskhand/core/people"
)

// ID is the record's number for a ticket.
type ID int64

// QueueID is the record's number for a queue: one team's tickets of one kind.
type QueueID int64

// Kind is decided when a ticket is opened. Each kind has queues, clocks and
// reports of its own; the record refuses a ticket in a queue of the other kind.
type Kind string

// The kinds of ticket.
const (
	Incident Kind = "incident" // something is broken
	Request  Kind = "request"  // something is needed
)

// Prefix is what references of the kind begin with.
func (k Kind) Prefix() string {
	if k == Request {
		return "REQ"
	}
	return "INC"
}

// State is where a ticket stands.
type State string

// The states. Done is resolved; Closed says whether the requester, or the
// grace time, has confirmed it.
const (
	New        State = "new"
	InProgress State = "in_progress"
	Waiting    State = "waiting"
	Done       State = "done"
)

// Reason is what a waiting ticket waits for.
type Reason string

// The reasons to wait.
const (
	ForRequester Reason = "requester"
	ForSupplier  Reason = "supplier"
	ForChange    Reason = "change"
	ForPart      Reason = "part"
)

// Reasons lists them all.
var Reasons = []Reason{ForRequester, ForSupplier, ForChange, ForPart}

// Words is the reason as a person would say it.
func (r Reason) Words() string {
	switch r {
	case ForRequester:
		return "the requester"
	case ForSupplier:
		return "a supplier"
	case ForChange:
		return "a change"
	case ForPart:
		return "a part"
	}
	return string(r)
}

// Ticket is one incident or request.
type Ticket struct {
	ID     ID
	Kind   Kind
	Number int64 // counts within the kind
	Title  string
	Detail string

	Requester people.PersonID // whose problem it is
	Author    people.PersonID // who opened it
	Owner     people.PersonID // 0: unclaimed
	Chosen    string          // why the desk chose Owner, in words; empty once a person has had a say in it
	Queue     QueueID
	Team      people.TeamID // the queue's
	Moves     int           // from one team to another: it has been with Moves+1
	Service   string        // slug; may be empty
	Category  string        // slug, of what it is about within the service; may be empty

	Impact   Impact
	Urgency  Urgency
	Priority Priority
	Because  string // why this priority, in words

	State    State
	WaitsFor Reason // while Waiting
	WaitNote string

	Resolution string
	Article    knowledge.ArticleID // used to resolve it; 0: none

	OpenedAt   time.Time
	ClaimedAt  time.Time // by the present owner
	ResolvedAt time.Time
	ClosedAt   time.Time
	Reopened   int // times

	Rating  int // 1 to 5 faces; 0: not rated
	Comment string

	Follows ID // the closed ticket that this one goes on from
	Version int
}

// Ref is the ticket's name in chat: INC-42, REQ-7.
func (t Ticket) Ref() string { return fmt.Sprintf("%s-%d", t.Kind.Prefix(), t.Number) }

// Closed tells whether nothing more is expected of anybody.
func (t Ticket) Closed() bool { return !t.ClosedAt.IsZero() }

// Open tells whether work is still to be done.
func (t Ticket) Open() bool { return t.State != Done }

// StateWords is the state as shown to people.
func (t Ticket) StateWords() string {
	switch t.State {
	case New:
		return "New"
	case InProgress:
		return "In progress"
	case Waiting:
		return "Waiting for " + t.WaitsFor.Words()
	case Done:
		if t.Closed() {
			return "Closed"
		}
		return "Resolved"
	}
	return string(t.State)
}

// ParseRef reads a reference as people type it ("inc-42", "#REQ 7").
func ParseRef(s string) (Kind, int64, bool) {
	s = strings.ToUpper(strings.TrimLeft(strings.TrimSpace(s), "#"))
	for _, k := range []Kind{Incident, Request} {
		rest, ok := strings.CutPrefix(s, k.Prefix())
		if !ok {
			continue
		}
		rest = strings.TrimLeft(rest, "- ")
		var n int64
		if len(rest) == 0 || len(rest) > 12 {
			return "", 0, false
		}
		for _, c := range rest {
			if c < '0' || c > '9' {
				return "", 0, false
			}
			n = n*10 + int64(c-'0')
		}
		if n == 0 {
			return "", 0, false
		}
		return k, n, true
	}
	return "", 0, false
}
