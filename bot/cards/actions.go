// Package cards draws what the desk shows: pure functions from the record's
// values to the neutral model of package chat.
package cards

import (
	"strconv"

	"github.com/deskhand/deskhand/bot/chat"
	"github.com/deskhand/deskhand/core/ticket"
)

// The actions of buttons and forms. They are stored in messages that may be
// pressed years from now: a name, once released, keeps its meaning.
const (
	Solved    = "question.solved"
	Steps     = "question.steps"
	Open      = "question.open"       // opens the form
	Talk      = "question.person"     // a human, now
	RequestIt = "question.request"    // opens the form for what can be requested
	NotAfter  = "question.not"        // solved, but not after all
	OpenKind  = "open.kind"           // incident or request, within the form
	OpenSend  = "open.send"           // the form itself
	OpenAdd   = "open.add"            // it is about a ticket that exists
	OpenOther = "open.other"          // it is not
	OpenFrom  = "ticket.from_message" // the message menu
	Ask       = "desk.ask"            // the global shortcut
	Claim     = "ticket.claim"
	Release   = "ticket.release"
	Assign    = "ticket.assign"
	PassOn    = "ticket.pass" // not me
	Away      = "agent.away"
	Back      = "agent.back"
	HandOver  = "ticket.move"
	Wait      = "ticket.wait"
	Wake      = "ticket.wake"
	Resolve   = "ticket.resolve"
	Priority  = "ticket.priority"
	Correct   = "ticket.service" // or category
	History   = "ticket.history"
	Yes       = "ticket.yes" // it is fixed
	No        = "ticket.no"  // it is not
	Rate      = "ticket.rate"
	Remark    = "ticket.remark" // one line with the rating
	TellLead  = "ticket.lead"
	Why       = "ticket.why" // this time?
	MyTickets = "list.mine"
	Elsewhere = "talk.elsewhere" // a message went to the wrong ticket
	MyPage    = "page.mine"      // asks for the link
	OpenPage  = "page.open"      // the link itself, which the platform only reports
	About     = "ticket.item"    // which configuration item it is about
	NotAbout  = "ticket.item.not"
	Before    = "ticket.before" // what helped with tickets like it
	Use       = "ticket.use"    // an article
	ItemShow  = "item.show"
	EditItem  = "item.edit"
	Relations = "item.relations"
	Unrelate  = "item.relations.remove"
	ItsMe     = "account.right"
	NotMe     = "account.wrong"

	TakeBreach  = "breach.take"
	TellBreach  = "breach.tell"     // the requester
	PressBreach = "breach.escalate" // she wants somebody higher up
	DigestList  = "digest.list"

	ChangeRaise = "change.raise" // its form
	ChangeWhat  = "change.what"  // the first step of the form
	ChangePlan  = "change.plan"  // the second
	ChangeHow   = "change.how"   // the last, and all that follows the first in an edit
	ChangeGoOn  = "change.draft" // a draft is gone on with
	ChangeYes   = "change.yes"
	ChangeNo    = "change.no"
	ChangeBack  = "change.back" // sent back for changes
	ChangePlans = "change.plans"
	ChangeDiff  = "change.diff"
	ChangeStop  = "change.cancel"
	ChangeBegin = "change.begin"
	ChangeEnd   = "change.end"
	ChangeLearn = "change.review"
	ChangeShow  = "change.show"
	ChangeBroke = "change.broke"    // something, says somebody whom it affects
	ChangeBlame = "change.blame"    // for an incident
	ChangeClear = "change.clear"    // of the suspicion
	Calendar    = "change.calendar" // asks for the address of one's team's
	NewCalendar = "change.calendar.new"
	Delegate    = "approvals.hand_over"
	TakeBack    = "approvals.take_back"

	Outage    = "outage.flag" // what is down?
	NoOutage  = "outage.not"
	MeToo     = "outage.me_too"
	TellMe    = "outage.notify"
	NotOutage = "outage.else" // the question is about something else

	GapWrite    = "gap.article"
	GapShow     = "gap.show"
	GapNotIT    = "gap.not_it"
	GapSynonym  = "gap.synonym" // its form
	SynonymAdd  = "synonym.add"
	SynonymDrop = "synonym.drop"
	SaveAs      = "ticket.article" // an article out of a resolved ticket
	ArticleNew  = "article.new"
	ArticleEdit = "article.edit" // its form
	ArticleMove = "article.move" // to another state
	ArticleShow = "article.show"
	Flagging    = "article.flag" // wrong or old?
	FlagEnd     = "article.flag_end"
	StillRight  = "article.right"
)

// The names of living cards.
const (
	QuestionCard = "question" // subject: a question
	TriageCard   = "triage"   // subject: a ticket, like the next two
	StatusCard   = "status"
	FixedCard    = "fixed"   // is it? how was it?
	HomeCard     = "home"    // subject: a person
	ApproveCard  = "approve" // subject: a change, like the next
	ChangeCard   = "change"
	GapsCard     = "gaps"    // subject: a report of gaps
	ArticleCard  = "article" // subject: an article
	FlagCard     = "flag"    // subject: a flag
	ReviewCard   = "review"  // subject: an article
	SynonymCard  = "synonym" // subject: a proposal
)

// Args name a thing and the version that was drawn.
func args(key string, id int64, version int) chat.Args {
	return chat.Args{key: strconv.FormatInt(id, 10), "v": strconv.Itoa(version)}
}

// TicketArgs name a ticket.
func TicketArgs(t ticket.Ticket) chat.Args { return args("t", int64(t.ID), t.Version) }

// with adds to args.
func with(a chat.Args, key, value string) chat.Args {
	b := chat.Args{key: value}
	for k, v := range a {
		b[k] = v
	}
	return b
}
