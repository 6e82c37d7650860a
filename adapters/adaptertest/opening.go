package adaptertest

import (
	"fmt"
	"time"
)

var opening = []Conversation{
	{
		Name: "incidents and requests are asked for apart and never share a queue", Rows: []string{"TL5", "TL6", "TL7", "CR3"}, Crosses: true,
		Run: func(w *World) {
			ana := w.Person("ana")
			ana.Says("my zeppelin wants a hangar").Press("Open a ticket").SeesForm("my zeppelin wants a hangar", "What is it?")
			ana.Press("I need something").SeesForm("What do you need?", "my zeppelin wants a hangar")
			ana.SubmitRefused()
			ana.Fill("Who is it for?", "A whole site").Fill("By when is it needed?", "This week")
			ana.Fill("What is it about?", "VPN").Fill("Anything else?", "a large one, with a view").Submits()
			ana.Sees("REQ-1", "New", "Network")
			ana.SeesNoForm()
			w.Channel("it-network").Sees("REQ-1", "Ana Silva", "a large one, with a view", "VPN")
			w.Channel("it-triage").SeesNot("REQ-1")
			eva := w.Person("eva")
			eva.Says("my submarine is dry").Press("Open a ticket").Press("Something is broken")
			eva.Fill("What is broken?", "The submarine").Fill("Who is affected?", "Customers or revenue").Fill("By when does it hurt more?", "Right now, work has stopped").Submits()
			eva.Sees("INC-1", "The submarine", "Critical")
			w.Channel("it-triage").Sees("INC-1", "Critical", "my submarine is dry")
			w.Recorded(0, "tickets in a queue of the other kind", `select count(*) from tickets t join queues q on q.id = t.queue_id where q.kind <> t.kind`)
		},
	},
	{
		Name: "a form closed half-filled comes back as it was", Rows: []string{"TL6"}, Needs: []Feature{Closings},
		Run: func(w *World) {
			ana := w.Person("ana")
			ana.Says("my zeppelin has no name").Press("Open a ticket").Press("Something is broken").SeesForm("What is broken?")
			ana.Fill("What is broken?", "The nameplate").Fill("Anything else?", "It was there on Monday")
			ana.Closes()
			ana.Press("Open a ticket").Press("Something is broken").SeesForm("The nameplate", "It was there on Monday")
		},
	},
	{
		Name: "what a ticket is about and whose it is is guessed aloud, and learnt from whoever knows better", Rows: []string{"AW4", "TL6"}, Crosses: true,
		Run: func(w *World) {
			leo, ben := w.Person("leo").In("it-network"), w.Person("ben").In("it-triage")
			for i, name := range []string{"ana", "eva", "zoe"} {
				ref := fmt.Sprint("INC-", i+1)
				w.Person(name).Says("my gondola squeaks, is it the vpn?").Press("Talk to a person").Sees(ref, "I took it to be about VPN. If it is not, just say so.")
				leo.Sees(ref, "I took it to be about VPN (by its words alone). Nobody was asked.")
				leo.PressOn(ref, "Hand over to a team…").Fill("To which team?", "Service Desk").Fill("What have you found out?", "It is the gondola.").Submits()
			}
			w.Settle()
			kim, ada := w.Asking("kim"), w.Asking("ada")
			kim.Says("my gondola squeaks").Press("Open a ticket").Press("Something is broken").SeesForm("Probably VPN: 3 similar tickets went there. Change it if that is wrong.")
			kim.Fill("Who is affected?", "Only me").Fill("By when does it hurt more?", "Today").Submits()
			ben.Sees("INC-4", "I filled in “VPN” (3 similar tickets went there), and nobody changed it.",
				"Probably for Service Desk rather than Network: 3 similar tickets belonged there. If not, hand it over, and I learn.")
			ada.Says("my gondola squeaks as well").Press("Open a ticket").Press("Something is broken").SeesForm("Probably VPN")
			ada.Fill("What is it about?", "Printing").Fill("Who is affected?", "Only me").Fill("By when does it hurt more?", "Today").Submits()
			ben.Sees("INC-5", "Printing").PressOn("INC-5", "History").SeesForm("guessed that it is about VPN, probably; Printing was chosen")
			ben.Closes()
			w.Recorded(1, "guesses of which something else was chosen", `select count(*) from predictions where asked and service = 'vpn' and chosen_service = 'printing'`)
			w.Person("ben").Says("answers").Sees("filled in as probable: left so 1 of 2 (50 %)", "to another team than usual, because those like it belonged there: right 1 of 1")
		},
	},
	{
		Name: "an emoji on a message opens one ticket for its author", Rows: []string{"TL1", "TL15"}, Needs: []Feature{Heard},
		Run: func(w *World) {
			eva := w.Asking("eva").In("general")
			eva.Says("I need a second monitor please")
			w.Asking("ben").In("general").Reacts("second monitor", "ticket")
			eva.Sees("REQ-1", "Somebody from Service Desk will pick it up")
			w.Asking("kim").In("general").Reacts("second monitor", "ticket")
			w.Channel("it-triage").Sees("REQ-1", "Eva Lind", "Opened by Ben Weber for Eva Lind")
			w.Settle()
			w.Recorded(1, "tickets", `select count(*) from tickets`)
		},
	},
	{
		Name: "the menu of a message opens a ticket for its author", Rows: []string{"TL2", "TL15"}, Crosses: true,
		Run: func(w *World) {
			eva := w.Asking("eva").In("general")
			eva.Says("my laptop screen stays black")
			ben := w.Asking("ben").In("general")
			ben.Uses("Open a ticket", "my laptop screen").SeesForm("Something is broken")
			ben.Press("Something is broken").SeesForm("my laptop screen stays black", "For somebody else?", "Eva Lind")
			ben.Fill("Who is affected?", "Only me").Fill("By when does it hurt more?", "Today").Submits()
			eva.Sees("INC-1", "will pick it up")
			w.Channel("it-triage").Sees("INC-1", "From", "Eva Lind", "Opened by Ben Weber for Eva Lind")
			ben.Uses("Open a ticket", "my laptop screen").Sees("This is INC-1 already")
		},
	},
	{
		Name: "an agent opens a ticket for somebody else", Rows: []string{"TL15"},
		Run: func(w *World) {
			w.Person("ana").Says("hello").Sees("Hello Ana")
			ben := w.Person("ben")
			ben.Says("a zeppelin was seen on floor 2").Press("Open a ticket").Press("Something is broken").SeesForm("For somebody else?")
			ben.Fill("For somebody else?", "Ana Silva").Fill("Who is affected?", "Only me").Fill("By when does it hurt more?", "Today").Submits()
			w.Channel("it-triage").Sees("INC-1", "Ana Silva", "Opened by Ben Weber for Ana Silva")
			w.Recorded(1, "tickets of Ana's", `select count(*) from tickets t join people p on p.id = t.requester_id where p.name = 'Ana Silva'`)
		},
	},
	{
		Name: "a duplicate of one's own is offered first", Rows: []string{"AD12"}, Crosses: true,
		Run: func(w *World) {
			ana := w.Person("ana")
			ana.Says("the zeppelin hangar gate is frozen").Press("Talk to a person").Sees("A person will look at this: it is INC-1.")
			w.Pass(time.Hour)
			ana.Says("hangar gate of the zeppelin still frozen").Sees("I have nothing good on this")
			ana.Press("Open a ticket").Press("Something is broken").SeesForm("You already have INC-1", "Add to it", "It is different")
			ana.Press("Add to it").SeesForm("Added to INC-1")
			ana.Closes()
			w.Person("ben").In("it-triage").About("INC-1").Sees("Ana Silva", "hangar gate of the zeppelin still frozen")
			w.Recorded(1, "tickets", `select count(*) from tickets`)
			ana.Sees("This is INC-1 now.")
			w.Pass(time.Hour)
			ana.Says("the zeppelin hangar gate squeaks").Sees("I have nothing good on this").Press("Open a ticket").Press("Something is broken")
			ana.Press("It is different").SeesForm("What is broken?")
		},
	},
	{
		Name: "what can be requested is found among the articles, and asked for with one button", Rows: []string{"KN11", "AD7", "AD16"}, Crosses: true,
		Run: func(w *World) {
			ana := w.Person("ana")
			ana.Says("I need the key of the organ").Sees("I have nothing good on this").SeesNot("organ loft")
			ana.Says("can I get a new squeezebox?").Sees("New accordion", "Leo says yes. It takes a week.", "Request it").Press("Request it")
			ana.SeesForm("New accordion. Leo says yes.", "What do you need?", "Printing", "can I get a new squeezebox?")
			ana.Fill("Who is it for?", "Only me").Fill("By when is it needed?", "It can wait").Submits()
			ana.Sees("REQ-1", "New accordion").Sees("This is REQ-1 now.")
			leo := w.Person("leo").In("it-network").Sees("REQ-1", "New accordion", "Claim") // the team that the policy names for it
			leo.Press("Claim")
			w.Recorded(1, "requests with the words that they were asked for with", `select count(*) from ticket_requests r join questions q on q.ticket_id = r.ticket_id
				join evidence e on e.question_id = q.id and e.request = r.request and e.helped where q.text = 'can I get a new squeezebox?' and q.hits->0->>'Request' = 'accordion'`)
			ben := w.Person("ben")
			ben.Says("answers").Sees("“Solved it” was pressed: 0 of 2", "Found nothing: 1 of 2", "Something was requested, as the answer offered: 1 of 2")
		},
	},
	{
		Name: "a known outage is offered to others, who follow it", Rows: []string{"AD11", "AD12"}, Crosses: true,
		Run: func(w *World) {
			ana, eva := w.Person("ana"), w.Person("eva")
			ana.Says("zeppelin hangar power outage").Press("Open a ticket").Press("Something is broken")
			ana.Fill("Who is affected?", "A whole site").Fill("By when does it hurt more?", "Right now, work has stopped").Submits()
			ana.Sees("INC-1", "Critical")
			eva.Says("there is a power outage in the zeppelin hangar").Press("Open a ticket").Press("Something is broken")
			eva.SeesForm("Known and being worked on", "INC-1", "Me too").Press("Me too").SeesForm("INC-1 concerns you too")
			eva.Closes()
			eva.Sees("INC-1", "zeppelin hangar power outage", "New")
			w.Person("ben").In("it-triage").Press("Claim")
			eva.Sees("INC-1", "Ben Weber is on it")
		},
	},
	{
		Name: "a question beside the thread may belong to a ticket", Rows: []string{"AD12"}, Needs: []Feature{Threads}, Crosses: true,
		Run: func(w *World) {
			ana := w.Person("ana")
			ana.Says("my zeppelin has a hole").Press("Talk to a person").Sees("A person will look at this: it is INC-1.")
			// Not in the thread, as people do.
			ana.Says("the hole is on the left side").Sees("I have nothing good on this", "It is about INC-1")
			ana.Press("It is about INC-1: my zeppelin has a hole").SeesForm("Added to INC-1")
			ana.Closes()
			w.Person("ben").In("it-triage").About("INC-1").Sees("the hole is on the left side")
			ana.Sees("This is INC-1 now.")
		},
	},
}
