// Package rehearsal runs a policy over what has happened: which promises would
// have been missed under it, and what that changes.
//
// Both policies are run over the same record, today's too, so that what differs
// is the policies' doing and not that of a time in which another was in force.
package rehearsal

import (
	"time"

	"github.com/deskhand/deskhand/core/policy"
	"github.com/deskhand/deskhand/core/sla"
	"github.com/deskhand/deskhand/core/ticket"
)

// Record is what happened to a ticket, as far as promises care.
type Record struct {
	ID      ticket.ID
	Ref     string
	Title   string
	Kind    ticket.Kind
	Service string // slug, as it was opened; may be empty
	Steps   []Step // in order, sla.Opened first
}

// Step is one of them. What it has not changed is zero.
type Step struct {
	At       time.Time
	Step     sla.Step
	Reason   ticket.Reason   // of sla.Waited
	Impact   ticket.Impact   // of sla.Opened and sla.Changed, like what follows
	Urgency  ticket.Urgency  //
	Priority ticket.Priority //
	Team     string          // slug
	Service  string          // slug
	Why      string
}

// Kinds are the promises of a ticket.
var Kinds = []sla.Kind{sla.Response, sla.Resolution}

// House is a policy made ready to be rehearsed.
type House struct {
	levels *policy.Levels
	matrix ticket.Matrix
	routes map[ticket.Kind]map[string]string // kind and service to team
}

// New makes a House of a policy that has passed Check.
func New(p policy.Policy) (*House, error) {
	levels, err := p.Compile()
	if err != nil {
		return nil, err
	}
	h := &House{levels: levels, matrix: ticket.Matrix(p.Matrix), routes: map[ticket.Kind]map[string]string{ticket.Incident: {}, ticket.Request: {}}}
	for _, s := range p.Services {
		h.routes[ticket.Incident][s.Slug], h.routes[ticket.Request][s.Slug] = s.Incidents, s.Requests
	}
	return h, nil
}

// Ledger is the record as it would have been written under h. Priorities that
// were's matrix gave are given by h's, and teams that were's routes gave by h's;
// what somebody has decided stays.
func (h *House) Ledger(r Record, were *House) sla.Ledger {
	var (
		ledger  sla.Ledger
		impact  ticket.Impact
		urgency ticket.Urgency
		s       = sla.Subject{Kind: r.Kind, Service: r.Service}
		moved   bool
		level   string
		told    bool
	)
	recorded := s
	for i, step := range r.Steps {
		e := sla.Event{At: step.At, Step: step.Step, Reason: step.Reason, Why: step.Why, Human: step.Step == sla.Replied}
		if step.Step == sla.Opened || step.Step == sla.Changed {
			impact, urgency = or(step.Impact, impact), or(step.Urgency, urgency)
			recorded.Priority, recorded.Team = or(step.Priority, recorded.Priority), or(step.Team, recorded.Team)
			moved = moved || (i > 0 && step.Team != "")
			s.Priority, s.Team, s.Service = recorded.Priority, recorded.Team, or(step.Service, s.Service)
			if given, _ := were.matrix.Priority(impact, urgency); given == recorded.Priority {
				s.Priority, _ = h.matrix.Priority(impact, urgency)
			}
			if team, ok := h.routes[r.Kind][r.Service]; ok && !moved && recorded.Team == were.routes[r.Kind][r.Service] {
				s.Team = team
			}
			var slug string
			slug, e.Terms, _ = h.levels.For(s)
			if told && slug == level {
				continue // it is promised what was promised
			}
			level, told = slug, true
		}
		ledger = append(ledger, e)
	}
	return ledger
}

func or[T comparable](a, b T) T {
	var zero T
	if a != zero {
		return a
	}
	return b
}

// Verdict is how one promise fared.
type Verdict struct {
	Promised bool
	Due      time.Time // zero: it does not fall due as things stand, because the ticket waits
	Missed   bool
	Over     time.Duration // open time beyond the target, if it was missed
	Open     bool          // it was not kept yet
}

// Judge is how the promises of a ticket have fared under h as of now; those that
// were made.
func (h *House) Judge(r Record, were *House, now time.Time) map[sla.Kind]Verdict {
	ledger := h.Ledger(r, were)
	verdicts := map[sla.Kind]Verdict{}
	for _, k := range Kinds {
		c, ok := ledger.Clock(k)
		if !ok {
			continue
		}
		v := Verdict{Promised: true, Open: c.State != sla.Ended}
		v.Over, v.Missed = c.Breached(now)
		v.Due, _ = c.Due()
		verdicts[k] = v
	}
	return verdicts
}
