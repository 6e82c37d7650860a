package app

import (
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/deskhand/deskhand/adapters/slack/slacktest"
)

// The main story from the first question to the last face.
func TestMainStory(t *testing.T) {
	t.Parallel()
	d := open(t)
	ana, ben := d.Person("ana"), d.Person("ben").In("it-triage")

	ana.Says("the printer on floor 3 is not printing")
	ana.Sees("The printer on your floor does not print", "Solved it", "Show steps", "Open a ticket", "Talk to a person")
	ana.Press("Show steps").SeesForm("How to fix it", "Open the print queue.")
	ana.Closes()

	ana.Press("Open a ticket").SeesForm("Something is broken", "I need something")
	ana.Press("Something is broken")
	ana.SeesForm("Who is affected?", "By when does it hurt more?", "Printing")
	ana.Fill("Who is affected?", "My team").Fill("By when does it hurt more?", "Today").Submits()
	ana.Sees("INC-1", "New", "High", "a team is affected and it hurts more today", "Service Desk")

	ben.Sees("INC-1", "Ana Silva", "High", "Nobody yet", "Has been shown already", "Claim", "Resolve")
	ben.Press("Claim")
	ben.Sees("INC-1", "Ben Weber is on it")
	ana.Sees("INC-1", "In progress", "Ben Weber is on it")
	d.Channel("it-triage").SeesNot("Nobody yet")

	thread := ben.InThread("INC-1")
	thread.Says("Hello Ana, which printer is it?")
	asked := ana.InThread("printer on floor 3")
	asked.Sees("Hello Ana, which printer is it?")
	thread.Says("note: probably the spooler again")
	asked.Says("the big one by the lift")
	ben.Sees("the big one by the lift")
	ana.SeesNot("spooler")
	asked.Edits("by the lift", "the big one by the stairs")
	ben.Sees("the big one by the stairs", "edited")

	ben.Press("Waiting for…").SeesForm("What is it waiting for?")
	ben.Fill("What is it waiting for?", "For the requester").Fill("Say what exactly", "Is the display red?").Submits()
	ana.Sees("Is the display red?")
	ana.Sees("INC-1", "Waiting")
	asked.Says("yes, blinking")
	ana.Sees("INC-1", "In progress")

	ben.Press("Resolve").SeesForm("What fixed it?")
	ben.SubmitRefused("Please complete")
	ben.Fill("What fixed it?", "Restarted the print server.").Submits()
	ana.Sees("INC-1 is resolved", "Restarted the print server.", "Is it fixed?", "Yes, close", "No, reopen")
	ana.Press("No, reopen").SeesForm("What is still wrong?")
	ana.Fill("What is still wrong?", "still blinking").Submits()
	thread.Sees("@Ben Weber", "INC-1 is not fixed", "still blinking")

	ben.Press("Resolve").Fill("What fixed it?", "Changed the toner.").Submits()
	ana.Sees("Changed the toner.", "Yes, close")
	asked.Says("thank you so much!")
	ana.SeesNot("was reopened. You're")
	ana.Press("Yes, close")
	ana.Sees("INC-1 is closed", "How was it?")
	ana.Press("🙁").Sees("Thank you.", "Add a line", "Tell the team lead")
	ana.Press("Add a line").Fill("What should we know?", "took two tries").Submits()
	ana.Sees("took two tries")
	ana.Press("Tell the team lead")
	d.Person("leo").Sees("Ana Silva was not happy with INC-1")

	asked.Says("it is blinking again")
	ana.Sees("INC-2", "goes on from INC-1")
	ben.Sees("INC-2", "Goes on from INC-1")

	ben.PressOn("Reopened once.", "History")
	ben.SeesForm("History of INC-1", "took it", "reopened it", "resolved it", "closed it", "rated it")
	if n := d.count(`select count(*) from audit where subject = 'ticket' and subject_id = 1`); n < 12 {
		t.Errorf("the audit record has %d steps of INC-1, want all of them", n)
	}
}

func TestSecondClaimLearnsWhoWasFirst(t *testing.T) {
	t.Parallel()
	d := open(t)
	d.Person("ana").Says("my chair is on fire, talk to nobody about zebra stripes").Press("Talk to a person")
	ben, kim := d.Person("ben").In("it-triage"), d.Person("kim").In("it-triage")
	ben.Sees("INC-1", "Claim")
	kim.Sees("INC-1", "Claim")
	card := d.message("ben", "it-triage", "INC-1")
	var press errgroup.Group
	for _, who := range []*slacktest.Actor{ben, kim} {
		press.Go(func() error {
			return who.Person().Act(slacktest.Act{Channel: card.Channel, TS: card.TS, Action: d.action(card, "ticket.claim")})
		})
	}
	if err := press.Wait(); err != nil {
		t.Fatal(err)
	}
	ben.Sees("is on it")
	first, second := ben, kim
	if d.count(`select count(*) from tickets t join people p on p.id = t.owner_id where p.name = 'Kim Lee'`) == 1 {
		first, second = kim, ben
	}
	second.Sees("took it", "before you")
	first.SeesNot("before you")
	if n := d.count(`select count(*) from audit where action = 'claimed'`); n != 1 {
		t.Errorf("the record has %d claims, want 1", n)
	}
}

func TestSilence(t *testing.T) {
	t.Parallel()
	d := open(t)
	ana, ben := d.Person("ana"), d.Person("ben").In("it-triage")
	ana.Says("printer does not print").Sees("Solved it")
	d.pass(25 * time.Hour)
	ana.Sees("I have not heard whether this helped")
	if n := d.count(`select count(*) from questions where outcome = 'silent'`); n != 1 {
		t.Errorf("%d questions are silent, want 1", n)
	}
	ana.Press("Talk to a person")
	ben.Sees("INC-1").Press("Resolve").Fill("What fixed it?", "Done.").Submits()
	ana.Sees("Is it fixed?")
	d.pass(73 * time.Hour)
	ana.Sees("I have not heard from you for 3 days, so I closed INC-1")
	ana.Sees("INC-1 is closed")
}
