package approval

import (
	"slices"
	"strings"
	"time"

	"github.com/deskhand/deskhand/core/people"
)

// Answer is what somebody says to the question.
type Answer string

// The answers. Changes sends the text back at once, whatever the quorum: an
// edit would void the answers of the others, so they are not kept waiting.
const (
	Yes     Answer = "yes"
	No      Answer = "no"
	Changes Answer = "changes"
)

// Capacity is by which right somebody speaks for a seat.
type Capacity string

// The capacities.
const (
	AsHolder   Capacity = "holder"
	AsDelegate Capacity = "delegate" // the holder has handed over
	AsDeputy   Capacity = "deputy"   // the stage's time was over
)

// Ballot is a click on a card.
type Ballot struct {
	By people.PersonID
	// For is the seat's holder. 0 stands for the seat of By, or else for the
	// only one that By may speak for.
	For    people.PersonID
	Answer Answer
	Note   string // required with No and Changes

	// Round, Stage and Hash are those of the card: a click on an old card
	// must not count for a question that its owner never saw.
	Round int
	Stage int
	Hash  string

	Confirmed bool // By has typed what a high risk asks for
}

// Vote is an answer that counts.
type Vote struct {
	Stage  int
	Seat   people.PersonID // whose seat
	By     people.PersonID // who spoke; if not Seat, she did it for Seat
	As     Capacity
	Answer Answer
	Note   string
	Hash   string // of the text that it is for
	At     time.Time
}

// Vote counts a ballot, ends the stage when its answer is certain, and asks
// the next.
//
// Until the stage has ended whoever gave a vote may change it, and the seat's
// holder may overrule who spoke for her: somebody who sees a danger a minute
// after her yes must be able to say so. The seat has one vote at any time; the
// events keep both.
func (a Approval) Vote(b Ballot, r Roster, at time.Time) (Approval, []Event, error) {
	if err := a.current(b, at); err != nil {
		return a, nil, err
	}
	seat, as, err := a.seat(b, r, at)
	if err != nil {
		return a, nil, err
	}
	old, voted := a.vote(seat)
	switch {
	case voted && old.Answer == b.Answer, voted && old.By != b.By && b.By != seat:
		return a, nil, &RefusedError{Step: stepVote, Why: Twice, Reason: "there is an answer already",
			By: old.By, For: old.Seat, Did: old.Answer.did(), At: old.At}
	case b.Answer != Yes && b.Answer != No && b.Answer != Changes:
		return a, nil, &RefusedError{Step: stepVote, Why: Malformed, Reason: "it is neither yes nor no"}
	case b.Answer != Yes && strings.TrimSpace(b.Note) == "":
		return a, nil, &RefusedError{Step: stepVote, Why: NeedsReason, Reason: "please say why, so that it can be put right"}
	case b.Answer == Yes && a.Subject.HighRisk && !b.Confirmed:
		return a, nil, &RefusedError{Step: stepVote, Why: NeedsTyping, Reason: "the risk is high, so please type its number to confirm"}
	}

	v := Vote{Stage: a.Stage, Seat: seat, By: b.By, As: as, Answer: b.Answer, Note: b.Note, Hash: a.Subject.Hash, At: at}
	a.Votes = slices.DeleteFunc(slices.Clone(a.Votes), func(o Vote) bool { return o.Stage == a.Stage && o.Seat == seat })
	a.Votes = append(a.Votes, v)
	a.Stages = slices.Clone(a.Stages)
	said := a.event(Voted, b.By, at, nil)
	said.Vote = &v
	if voted {
		said.Action, said.Before = Revoted, &old
	}
	a, events := a.settle(v, r, []Event{said})
	return a, events, nil
}

// settle ends what v has made certain.
func (a Approval) settle(v Vote, r Roster, events []Event) (Approval, []Event) {
	st := a.Stages[a.Stage]
	yes, no := a.Tally(a.Stage)
	switch {
	case v.Answer == Changes:
		return a.decide(ChangesRequested, Returned, v, events)
	case yes >= st.Need && a.Stage == len(a.Stages)-1:
		return a.decide(Approved, Granted, v, events)
	case yes >= st.Need:
		events = append(events, a.event(StageEnded, v.By, v.At, nil))
		a, asked := a.ask(a.Stage+1, r, v.By, v.At)
		return a, append(events, asked...)
	case v.Answer == No && no > len(st.Seats)-st.Need:
		return a.decide(Rejected, Denied, v, events)
	}
	return a.reportStuck(events, r, v.At)
}

func (a Approval) decide(s State, action Action, v Vote, events []Event) (Approval, []Event) {
	a.State, a.Decided, a.DecidedAt, a.Note = s, v.By, v.At, v.Note
	e := a.event(action, v.By, v.At, a.Subject.Own)
	e.Note = v.Note
	return a, append(events, e)
}

// current refuses a click on what is over, or is not the question any more.
func (a Approval) current(b Ballot, at time.Time) error {
	switch {
	case a.State != Waiting:
		return a.over(stepVote)
	case reached(a.Subject.Window, at):
		return &RefusedError{Step: stepVote, Why: TooLate, Reason: "its window has begun without a yes", At: a.Subject.Window}
	case b.Round != a.Round || b.Hash != a.Subject.Hash:
		return &RefusedError{Step: stepVote, Why: Stale, Reason: "this card is out of date", By: a.Asked, Did: "asked again", At: a.AskedAt}
	case b.Stage > a.Stage || b.Stage < 0:
		return &RefusedError{Step: stepVote, Why: TooSoon, Reason: "the stage before has not ended yet"}
	case b.Stage < a.Stage:
		last := a.lastVote(b.Stage)
		return &RefusedError{Step: stepVote, Why: Ended, Reason: "this stage has its answer already",
			By: last.By, For: last.Seat, Did: last.Answer.did(), At: last.At}
	}
	return nil
}

// lastVote is the one that ended a stage: votes are kept in the order in which
// they were given.
func (a Approval) lastVote(stage int) Vote {
	for _, v := range slices.Backward(a.Votes) {
		if v.Stage == stage {
			return v
		}
	}
	return Vote{}
}

// seat finds for whom the ballot speaks, and by which right.
func (a Approval) seat(b Ballot, r Roster, at time.Time) (people.PersonID, Capacity, error) {
	st := a.Stages[a.Stage]
	refuse := func(why Why, reason string, who ...people.PersonID) (people.PersonID, Capacity, error) {
		return 0, "", &RefusedError{Step: stepVote, Why: why, Reason: reason, People: who}
	}
	switch {
	case a.own(b.By):
		return refuse(OwnWork, "nobody approves what they asked for or will do themselves")
	case !r.Able[b.By]:
		return refuse(NoRight, "you can't approve anything at the moment")
	}
	seat := b.For
	if seat == 0 && slices.Contains(st.Seats, b.By) {
		seat = b.By
	}
	if seat == 0 {
		var delegators []people.PersonID
		for _, s := range st.Seats {
			as, ok := a.capacity(s, b.By, r, at)
			old, voted := a.vote(s)
			switch {
			case ok && as == AsDelegate:
				delegators = append(delegators, s)
			case ok && as == AsDeputy && seat == 0 && (!voted || old.By == b.By):
				seat = s
			}
		}
		switch {
		case len(delegators) == 1:
			seat = delegators[0]
		case len(delegators) > 1:
			// Not the first silent one: a double click would then count for two.
			return refuse(ForWhom, "please say for whom you answer", delegators...)
		}
	}
	if slices.Contains(st.Seats, seat) {
		if as, ok := a.capacity(seat, b.By, r, at); ok {
			return seat, as, nil
		}
		if seat == b.By {
			return refuse(NoRight, "you are no longer one of its approvers")
		}
	}
	return refuse(NotApprover, "you are not one of its approvers at this stage", r.standing(st, a.Subject.Own)...)
}

// capacity says by which right a person speaks now for a seat of the stage.
//
// A delegate speaks for each seat that was handed to her, beside her own: its
// holder wanted it so. A deputy is named by the rule and not by the holder, so
// she speaks once in a stage, and only who has no seat there: four eyes stay
// four eyes.
//
// Nobody has any of the rights who isn't able, or whose own work it is: resolve
// and chain leave them out.
func (a Approval) capacity(seat, by people.PersonID, r Roster, at time.Time) (Capacity, bool) {
	st := a.Stages[a.Stage]
	var spoke, deputised bool // for other seats
	for _, v := range a.Votes {
		if v.Stage == a.Stage && v.By == by && v.Seat != seat {
			spoke = true
			deputised = deputised || v.As == AsDeputy
		}
	}
	stands := slices.Contains(r.resolve(st.Ask, a.Subject.Own), seat)
	switch {
	case by == seat:
		return AsHolder, stands
	case stands && !deputised && slices.Contains(r.chain(seat, a.Subject.Own, at), by):
		return AsDelegate, true
	case a.deputy(by, r) && !spoke:
		return AsDeputy, true
	}
	return "", false
}

// deputy tells whether p stands in for the silent seats of the stage.
func (a Approval) deputy(p people.PersonID, r Roster) bool {
	st := a.Stages[a.Stage]
	return !st.EscalatedAt.IsZero() && !slices.Contains(st.Seats, p) &&
		slices.Contains(r.resolve(st.Deputies, a.Subject.Own), p)
}

// standing lists the seats whose holders still have the right.
func (r Roster) standing(st Stage, own []people.PersonID) []people.PersonID {
	now := r.resolve(st.Ask, own)
	return slices.DeleteFunc(slices.Clone(st.Seats), func(p people.PersonID) bool { return !slices.Contains(now, p) })
}

// Voice is somebody who may answer now, and for which seat.
type Voice struct {
	By, For people.PersonID
	As      Capacity
}

// Voices lists who may answer for the seats that are silent: whom to show the
// card, to remind, and to list under what waits for me.
func (a Approval) Voices(r Roster, at time.Time) []Voice {
	if a.State != Waiting || reached(a.Subject.Window, at) {
		return nil
	}
	st := a.Stages[a.Stage]
	var voices []Voice
	for _, seat := range st.Seats {
		if _, voted := a.vote(seat); voted {
			continue
		}
		candidates := append([]people.PersonID{seat}, r.chain(seat, a.Subject.Own, at)...)
		for _, p := range r.resolve(st.Deputies, a.Subject.Own) {
			if !slices.Contains(candidates, p) {
				candidates = append(candidates, p)
			}
		}
		for _, p := range candidates {
			if as, ok := a.capacity(seat, p, r, at); ok {
				voices = append(voices, Voice{By: p, For: seat, As: as})
			}
		}
	}
	return voices
}

// listeners are the people behind Voices, each once.
func (a Approval) listeners(r Roster, at time.Time) []people.PersonID {
	var tell []people.PersonID
	for _, v := range a.Voices(r, at) {
		if !slices.Contains(tell, v.By) {
			tell = append(tell, v.By)
		}
	}
	return tell
}
