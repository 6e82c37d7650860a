package adaptertest

import "time"

var story = []Conversation{
	{
		Name: "the main story, from the first question to the last face", Crosses: true,
		Rows: []string{"AD2", "TL4", "TL5", "TL6", "TL7", "TL8", "TL9", "TL11", "TL12", "TL13", "TL18", "AW1", "AW3", "SA1"},
		Run: func(w *World) {
			ana, ben := w.Person("ana"), w.Person("ben").In("it-triage")

			ana.Says("the printer on floor 3 is not printing")
			ana.Sees("The printer on your floor does not print", "Solved it", "Show steps", "Open a ticket", "Talk to a person")
			ana.Press("Show steps").SeesForm("How to fix it", "Open the print queue.")
			ana.Closes()

			ana.Press("Open a ticket").SeesForm("Something is broken", "I need something")
			ana.Press("Something is broken")
			ana.SeesForm("Who is affected?", "By when does it hurt more?", "Printing")
			ana.Fill("Who is affected?", "My team").Fill("By when does it hurt more?", "Today").Submits()
			ana.Sees("INC-1", "New", "High", "a team is affected and it hurts more today", "Service Desk")

			ben.Sees("INC-1", "Ana Silva, Sales and events, Porto", "High", "Nobody yet", "Has been shown already", "Claim", "Resolve")
			ben.Press("Claim")
			ben.Sees("INC-1", "Ben Weber is on it")
			ana.Sees("INC-1", "In progress", "Ben Weber is on it")
			w.Channel("it-triage").SeesNot("Nobody yet")

			thread := ben.About("INC-1")
			thread.Says("Hello Ana, which printer is it?")
			ana.Sees("Ben Weber", "Hello Ana, which printer is it?")
			asked := ana.About("which printer is it?")
			thread.Says("note: probably the spooler again")
			asked.Says("the big one by the lift")
			ben.Sees("Ana Silva", "the big one by the lift")
			ana.SeesNot("spooler")
			ana.Edits("by the lift", "the big one by the stairs")
			ben.Sees("the big one by the stairs", "edited")

			ben.Press("Waiting for…").SeesForm("What is it waiting for?")
			ben.Fill("What is it waiting for?", "For the requester").Fill("Say what exactly", "Is the display red?").Submits()
			ana.Sees("Is the display red?")
			ana.Sees("INC-1", "Waiting")
			ana.About("Is the display red?").Says("yes, blinking")
			ana.Sees("INC-1", "In progress")

			ben.Press("Resolve").SeesForm("What fixed it?")
			ben.SubmitRefused()
			ben.Fill("What fixed it?", "Restarted the print server.").Submits()
			ana.Sees("INC-1 is resolved", "Restarted the print server.", "Is it fixed?", "Yes, close", "No, reopen")
			ana.Press("No, reopen").SeesForm("What is still wrong?")
			ana.Fill("What is still wrong?", "still blinking").Submits()
			thread.Sees("@Ben Weber", "INC-1 is not fixed", "still blinking")

			ben.Press("Resolve").Fill("What fixed it?", "Changed the toner.").Submits()
			ana.Sees("Changed the toner.", "Yes, close")
			ana.About("Changed the toner.").Says("thank you so much! :pray:")
			ana.SeesNot("was reopened. You're")
			ana.Press("Yes, close")
			ana.Sees("INC-1 is closed", "How was it?")
			ana.Press("🙁").Sees("Thank you.", "Add a line", "Tell the team lead")
			ana.Press("Add a line").Fill("What should we know?", "took two tries").Submits()
			ana.Sees("took two tries")
			ana.Press("Tell the team lead")
			w.Person("leo").Sees("Ana Silva was not happy with INC-1")

			ana.About("INC-1 is closed").Says("it is blinking again")
			ana.Sees("INC-2", "goes on from INC-1")
			ben.Sees("INC-2", "Goes on from INC-1")

			ben.PressOn("Reopened once.", "History")
			ben.SeesForm("History of INC-1", "took it", "reopened it", "resolved it", "closed it", "rated it")
			steps := w.Record(`select count(*) from audit where subject = 'ticket' and subject_id = 1`)
			if steps < 12 {
				w.Errorf("the audit record has %d steps of INC-1, want all of them", steps)
			}
		},
	},
	{
		Name: "silence is counted apart, and closes what was resolved", Rows: []string{"AD7", "TL11"}, Crosses: true,
		Run: func(w *World) {
			ana, ben := w.Person("ana"), w.Person("ben").In("it-triage")
			ana.Says("printer does not print").Sees("Solved it")
			w.Pass(25 * time.Hour)
			ana.Sees("I have not heard whether this helped")
			w.Recorded(1, "silent questions", `select count(*) from questions where outcome = 'silent'`)
			ana.Press("Talk to a person")
			ben.Sees("INC-1").Press("Resolve").Fill("What fixed it?", "Done.").Submits()
			ana.Sees("Is it fixed?")
			w.Pass(73 * time.Hour)
			ana.Sees("I have not heard from you for 3 days, so I closed INC-1")
			ana.Sees("INC-1 is closed")
		},
	},
}
