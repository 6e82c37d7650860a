package cards_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/deskhand/deskhand/bot/cards"
	"github.com/deskhand/deskhand/core/people"
	"github.com/deskhand/deskhand/core/ticket"
)

// Nobody thinks of themselves as the requester.
func TestATicketWaitsForYouOrForTheRequester(t *testing.T) {
	t.Parallel()
	list := []ticket.Ticket{{ID: 1, Number: 1, Kind: ticket.Incident, Title: "No sound", State: ticket.Waiting, WaitsFor: ticket.ForRequester}}
	mine := cards.MyTicketsCard(list, nil, false)
	if !strings.HasSuffix(mine.Text, "INC-1 No sound (waiting for you)") {
		t.Errorf("my tickets are read as %q", mine.Text)
	}
	for name, tt := range map[string]struct {
		card any
		want string
	}{
		"in a message":     {mine.Blocks, "Waiting for you"},
		"at home":          {cards.Home(cards.HomeView{Person: people.Person{ID: 1}, Mine: list}).Blocks, "Waiting for you"},
		"as an agent does": {cards.Home(cards.HomeView{Agent: true, Owned: list}).Blocks, "Waiting for the requester"},
	} {
		if got := fmt.Sprint(tt.card); !strings.Contains(got, tt.want) {
			t.Errorf("whoever sees it %s reads %s, want %q in it", name, got, tt.want)
		}
	}
}

// From where is told as people call it, and not twice.
func TestHistoryTellsFromWhere(t *testing.T) {
	t.Parallel()
	f := cards.HistoryForm("INC-1", "", []cards.HistoryLine{{Who: "Ana Silva", What: "opened it", Via: "teams, direct message"}, {What: "closed it", Via: "the desk"}})
	got := fmt.Sprint(f.Intro)
	if !strings.Contains(got, "(Teams, direct message)") || strings.Contains(got, "(the desk)") || strings.Contains(got, "(The desk)") {
		t.Errorf("the history reads %s, want (Teams, direct message) and no second desk", got)
	}
}
