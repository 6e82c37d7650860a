package knowledge

import "time"

// PastID is the record's number for something that was asked: a question, or
// a ticket.
type PastID int64

// QuestionPast and TicketPast keep the two kinds apart in one row of numbers.
func QuestionPast(id int64) PastID { return PastID(id << 1) }
func TicketPast(id int64) PastID   { return PastID(id<<1 | 1) }

// Ticket is the number of the ticket, 0 of a question.
func (id PastID) Ticket() int64 {
	if id&1 == 0 {
		return 0
	}
	return int64(id >> 1)
}

// Evidence is what came of an answer: an article helped somebody, or did not,
// or something was what she wanted to request, or a ticket was solved.
type Evidence struct {
	Seq     int64 // grows with every change of any evidence; indexes follow it
	Past    PastID
	Text    string    // what was asked
	Article ArticleID // 0: a ticket was solved without one
	Request string    // slug of what could be requested; then there is no article
	Helped  bool
	At      time.Time
	Undone  bool // it does not count any more

	Resolution string // of a ticket: what fixed it
	Place      Place  // of a ticket
	Open       bool   // of a ticket: it is not solved yet, and says only where it belongs
}

// Question is the number of the question, 0 of a ticket.
func (id PastID) Question() int64 {
	if id&1 == 1 {
		return 0
	}
	return int64(id >> 1)
}
