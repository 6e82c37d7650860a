package bot

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/deskhand/deskhand/bot/cards"
	"github.com/deskhand/deskhand/bot/chat"
	"github.com/deskhand/deskhand/core/change"
	"github.com/deskhand/deskhand/core/knowledge"
	"github.com/deskhand/deskhand/core/people"
	"github.com/deskhand/deskhand/core/policy"
	"github.com/deskhand/deskhand/core/ticket"
	"github.com/deskhand/deskhand/storage"
)

// What falls due. The names are stored.
const (
	questionSilent = "question.silent" // subject: a question that nobody has answered
	ticketClose    = "ticket.close"    // subject: a resolved ticket whose requester is silent
	ticketAssign   = "ticket.assign"   // subject: a ticket for which nobody was at work
	ticketVacate   = "ticket.vacate"   // subject: a ticket whose owner is away
	ticketCost     = "ticket.cost"     // subject: an incident whose card says what it costs
	agentLeaves    = "agent.away"      // subject: a person whose absence begins
	agentReturns   = "agent.back"      // subject: a person whose absence ends
	breachApology  = "breach.apology"  // subject: a breach of which the requester is to hear
	breachCount    = "breach.count"    // subject: a breach whose card says by how much it is late
)

// Due does what has fallen due.
func (d *Desk) Due(ctx context.Context, tx *storage.Tx, kind string, subject int64, due time.Time) error {
	t, err := d.byItself(ctx, tx)
	if err != nil {
		return err
	}
	t.due = due
	switch kind {
	case questionSilent:
		return t.silent(ctx, storage.QuestionID(subject))
	case ticketClose:
		return t.closeSilent(ctx, ticket.ID(subject))
	case approvalStep:
		return t.dueApprovalStep(ctx, change.ID(subject))
	case changeWindow:
		return t.dueWindow(ctx, change.ID(subject))
	case changeNotice:
		return t.announce(ctx, change.ID(subject))
	case ticketAssign:
		return t.assignLater(ctx, ticket.ID(subject))
	case ticketCost:
		return t.countCostOf(ctx, ticket.ID(subject))
	case ticketVacate:
		return t.vacate(ctx, ticket.ID(subject))
	case agentLeaves:
		return t.leaves(ctx, people.PersonID(subject))
	case agentReturns:
		return t.returns(ctx, people.PersonID(subject))
	case storage.LevelsApply:
		return t.applyLevels(ctx, ticket.ID(subject))
	case storage.ChannelsFind:
		d.named.Store(true)
		return nil
	case breachApology:
		return t.apologise(ctx, storage.BreachID(subject))
	case breachCount:
		return t.countBreach(ctx, storage.BreachID(subject))
	case storage.ChangesReport:
		return t.reportChanges(ctx, policy.Month(subject))
	case storage.AlertsLate:
		return t.sayLate(ctx)
	case articleTrial:
		return t.tryArticle(ctx, knowledge.ArticleID(subject))
	case synonymTrial:
		return t.trySynonym(ctx, storage.ProposalID(subject))
	case outageOver:
		return t.tellFixed(ctx, ticket.ID(subject))
	case effectLetter:
		return t.tellOwner(ctx, people.PersonID(subject))
	}
	if r, ok := routines()[kind]; ok {
		return t.again(ctx, kind, r)
	}
	return fmt.Errorf("nothing is known of what is due as %q", kind)
}

// silent ends a question that got no answer. It is no success, and it is
// counted apart; its buttons go on working.
func (t *turn) silent(ctx context.Context, id storage.QuestionID) error {
	q, err := t.tx.QuestionForUpdate(ctx, id)
	if err != nil || q.Outcome != storage.StillOpen {
		return ignoreMissing(err)
	}
	q.Outcome = storage.Silent
	if _, err := t.tx.EndQuestion(ctx, q, 0, "desk", t.at); err != nil {
		return err
	}
	return t.tx.Redraw(ctx, int64(id), t.at, cards.QuestionCard)
}

// closeSilent closes a resolved ticket after the grace time, and says so.
func (t *turn) closeSilent(ctx context.Context, id ticket.ID) error {
	was, err := t.tx.TicketForUpdate(ctx, id)
	if err != nil || was.Closed() || was.State != ticket.Done {
		return ignoreMissing(err)
	}
	grace := t.rules.policy.Desk.CloseAfter.Value()
	is, ev, err := was.Close(0, "no answer within "+ago(grace), t.at)
	if err != nil {
		return err
	}
	if _, err := t.save(ctx, was, is, ev); err != nil {
		return err
	}
	text := fmt.Sprintf("I have not heard from you for %s, so I closed %s. If it comes back, write here: that opens a new ticket which knows this one.", ago(grace), was.Ref())
	return t.eachThread(ctx, was, storage.RequesterSide, func(th storage.Thread) error {
		return t.sayIn(ctx, th, cards.Say(text))
	})
}

// eachThread does something in the threads of one side of a ticket; for the
// team's, only in those where its present team triages. A requester whom the
// ticket has no thread with, because it was imported, gets one in her direct
// messages.
func (t *turn) eachThread(ctx context.Context, tk ticket.Ticket, side storage.Side, do func(storage.Thread) error) error {
	threads, err := t.tx.TicketThreads(ctx, tk.ID)
	if err != nil {
		return err
	}
	return t.eachOf(ctx, threads, tk, side, do)
}

// eachOf is eachThread for one whose threads have been read.
func (t *turn) eachOf(ctx context.Context, threads []storage.Thread, tk ticket.Ticket, side storage.Side, do func(storage.Thread) error) error {
	var of []storage.Thread
	for _, th := range threads {
		if th.Side == string(side) {
			of = append(of, th)
		}
	}
	switch {
	case side == storage.TeamSide && len(of) > 1:
		of = t.present(of, tk.Team)
	case side == storage.RequesterSide && len(of) > 1:
		of = lastTakenUp(of)
	case side == storage.RequesterSide && len(of) == 0:
		accounts, err := t.tx.Accounts(ctx, tk.Requester)
		if err != nil || len(accounts) == 0 {
			return err
		}
		th, err := t.directThread(ctx, accounts[0])
		if err != nil {
			return err
		}
		if err := t.tx.LinkThread(ctx, th.ID, tk.ID); err != nil {
			return err
		}
		if err := t.card(ctx, th, cards.StatusCard, int64(tk.ID), true); err != nil {
			return err
		}
		of = append(of, th)
	}
	for _, th := range of {
		if err := do(th); err != nil {
			return err
		}
	}
	return nil
}

// lastTakenUp are those of a ticket's requester threads, the oldest first, that
// its requester reads: in anybody's direct messages the newest, for there they
// have asked for the ticket again.
func lastTakenUp(of []storage.Thread) []storage.Thread {
	var last []storage.Thread
	for i, th := range of {
		if th.Scope == string(chat.Direct) && slices.ContainsFunc(of[i+1:], func(later storage.Thread) bool {
			return later.Scope == th.Scope && later.Platform == th.Platform && later.Workspace == th.Workspace && later.User == th.User
		}) {
			continue
		}
		last = append(last, th)
	}
	return last
}

// present are those of a ticket's team threads, the oldest first, that its team
// works in: the newest in each of its channels, or the newest of all where its
// channels have changed.
func (t *turn) present(of []storage.Thread, team people.TeamID) []storage.Thread {
	var now []storage.Thread
	for _, c := range t.rules.triage(team) {
		for _, th := range slices.Backward(of) {
			if th.Platform == c.Platform && th.Workspace == c.Workspace && th.Channel == c.Channel {
				now = append(now, th)
				break
			}
		}
	}
	if len(now) == 0 {
		now = of[len(of)-1:]
	}
	return now
}

func ignoreMissing(err error) error {
	if errors.Is(err, storage.ErrNotFound) {
		return nil
	}
	return err
}
