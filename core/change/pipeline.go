package change

import (
	"hash"
	"time"
)

// Pipeline is the run of a delivery pipeline that asks for a change and waits
// for the answer.
type Pipeline struct {
	Name       string // of the token that it asks with
	Repository string
	Run        string // as the pipeline calls it
	URL        string // of the run; may be empty
	Commits    []Commit
}

// Commit is one of those that a pipeline brings out.
type Commit struct {
	ID     string
	Title  string // the first line of its message
	Author string
	URL    string
}

// MostCommits is how many commits a change has at most.
const MostCommits = 200

func (p *Pipeline) write(h hash.Hash) {
	text(h, "pipeline", p.Repository, p.Run, p.URL)
	for _, c := range p.Commits {
		text(h, c.ID, c.Title, c.Author, c.URL)
	}
}

// Deadline is until when a yes is of use. A pipeline begins as soon as it may,
// so it can wait as long as the work still fits in the window; an emergency may
// have begun.
func (c Change) Deadline() time.Time {
	switch {
	case c.Kind == Emergency:
		return c.To
	case c.Pipeline != nil:
		return c.To.Add(-c.Takes)
	}
	return c.From
}

// tooEarly tells whether the window was to begin before the change was asked
// for. A pipeline may mean now, by its own clock.
func (c Change) tooEarly(at time.Time) bool {
	if c.Pipeline != nil {
		return c.From.Before(at.Add(-early))
	}
	return !c.From.After(at)
}

// Verdict is what has become of the question whether a change may be done, for
// a pipeline that waits for the answer. The values are part of the interface.
type Verdict string

// The verdicts.
const (
	VerdictWaiting   Verdict = "waiting"
	VerdictApproved  Verdict = "approved"
	VerdictRejected  Verdict = "rejected"
	VerdictReturned  Verdict = "changes_requested"
	VerdictBlocked   Verdict = "blocked" // nobody said yes in time
	VerdictCancelled Verdict = "cancelled"
)

// Verdict is the verdict as it stands. An approved change that is edited waits
// again.
func (c Change) Verdict() Verdict {
	switch c.State {
	case Scheduled, Doing, Done:
		return VerdictApproved
	case Rejected:
		return VerdictRejected
	case Blocked:
		return VerdictBlocked
	case Cancelled:
		return VerdictCancelled
	case Draft:
		return VerdictReturned
	}
	return VerdictWaiting
}

// MayBegin tells whether the work may begin at an instant.
func (c Change) MayBegin(at time.Time) bool {
	_, _, err := c.Begin(c.Implementer, at)
	return err == nil
}

// Ran says that a pipeline has done the work from start to end, and how it
// ended. granted is when the change was approved; zero: by a rule, beforehand.
func (c Change) Ran(granted, start, end, at time.Time) error {
	switch {
	case start.Before(granted):
		return c.refuse("report", "it was started before it was approved")
	case end.Before(start):
		return c.refuse("report", "it ended before it was started")
	case end.After(at.Add(early)):
		return c.refuse("report", "it ends in the future")
	}
	return nil
}
