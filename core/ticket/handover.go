package ticket

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/deskhand/deskhand/core/people"
)

// Handover is a ticket's way to another team, with all that the rules look at.
type Handover struct {
	From, To people.Team
	Queue    QueueID // To's
	Kind     Kind    // Queue's

	// Enough is the highest tier that the ticket's service needs; 0: whatever
	// it takes.
	Enough int
	// Most is how many teams a ticket may have been with before only a lead
	// hands it on; 0: any number.
	Most int
	// Lead says that whoever hands it over leads a team, or is an admin.
	Lead bool
	// Leader is who else could, in words: "Leo Novak, who leads Network".
	Leader string

	Found string // out so far
	Tried string // already
	Why   string // a tier higher than Enough
}

// Rises tells whether the ticket goes to a higher tier.
func (h Handover) Rises() bool { return h.To.Tier > h.From.Tier }

// TooHigh tells whether it rises higher than its service needs.
func (h Handover) TooHigh() bool { return h.Enough > 0 && h.Rises() && h.To.Tier > h.Enough }

// Ask is something that has to be said before a ticket is handed over.
type Ask string

// What may be asked.
const (
	AskFound Ask = "found"
	AskTried Ask = "tried"
	AskWhy   Ask = "why"
)

// Asks is what is yet to be said: a higher tier wants to know what was tried,
// any other team at least what was found out, and a tier that the service does
// not need why it is to be them.
func (h Handover) Asks() []Ask {
	var asks []Ask
	if !h.Rises() && h.Found == "" {
		asks = append(asks, AskFound)
	}
	if h.Rises() && h.Tried == "" {
		asks = append(asks, AskTried)
	}
	if h.TooHigh() && h.Why == "" {
		asks = append(asks, AskWhy)
	}
	return asks
}

// Note is what was said, for the next team and the record.
func (h Handover) Note() string {
	said := []string{}
	if h.Found != "" {
		said = append(said, h.Found)
	}
	if h.Tried != "" {
		said = append(said, "Tried: "+h.Tried)
	}
	if h.TooHigh() && h.Why != "" {
		said = append(said, fmt.Sprintf("Why tier %d: %s", h.To.Tier, h.Why))
	}
	return strings.Join(said, "\n")
}

// Seen is how many teams the ticket has been with. A team that gets it back
// counts again: each time it was somebody's to read it anew.
func (t Ticket) Seen() int { return t.Moves + 1 }

// Stuck refuses to hand over a ticket that has been with too many teams. It is
// part of HandOver, and apart so that nobody fills in a form in vain.
func (t Ticket) Stuck(h Handover) error {
	if h.Most <= 0 || t.Seen() < h.Most || h.Lead {
		return nil
	}
	return &RefusedError{Step: "hand over", Reason: fmt.Sprintf("%s is its %s team, and from there only a lead hands it on. Ask %s",
		h.From.Name, Ordinal(t.Seen()), h.Leader)}
}

// HandOver hands the ticket to another team, unclaimed. Its clocks and its
// history go with it.
func (t Ticket) HandOver(h Handover, by people.PersonID, at time.Time) (Ticket, Event, error) {
	if t.State != Done { // Move has better words for that
		if err := t.Stuck(h); err != nil {
			return t, Event{}, err
		}
	}
	is, ev, err := t.Move(h.Queue, h.Kind, h.To.ID, by, h.Note(), at)
	if err != nil {
		return t, Event{}, err
	}
	if asks := h.Asks(); len(asks) > 0 {
		return t, Event{}, &RefusedError{Step: "hand over", Reason: "it does not say " + asks[0].missing()}
	}
	return is, ev, nil
}

func (a Ask) missing() string {
	switch a {
	case AskTried:
		return "what was tried"
	case AskWhy:
		return "why it needs so high a tier"
	}
	return "what was found out"
}

// Ordinal is 1st, 2nd, 3rd, …
func Ordinal(n int) string {
	suffix := "th"
	if n%100 < 11 || n%100 > 13 {
		switch n % 10 {
		case 1:
			suffix = "st"
		case 2:
			suffix = "nd"
		case 3:
			suffix = "rd"
		}
	}
	return strconv.Itoa(n) + suffix
}
