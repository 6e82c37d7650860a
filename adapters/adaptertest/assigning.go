package adaptertest

import (
	"fmt"
	"time"
)

// assigning are conversations about who has a ticket.
var assigning = []Conversation{
	{
		Name: "a higher tier learns what was tried, and no clock begins anew", Rows: []string{"AW9", "SE3"}, Manner: Tiered,
		Run: func(w *World) {
			_, ben := opened(w, "my zeppelin will not dock")
			leo := w.Person("leo").In("it-network")
			ben.Press("Claim").Sees("Ben Weber is on it")
			w.Pass(7 * time.Minute)
			ben.Press("Hand over to a team…").SeesForm("To which team?", "What was tried?")
			ben.Fill("To which team?", "Network").Fill("What have you found out?", "It is the mast.").SubmitRefused("Network is tier 2", "what was tried already")
			ben.Fill("What was tried?", "A longer rope.").Submits()
			leo.Sees("INC-1", "2nd team: Service Desk (Ben Weber) → Network.", "Claim")
			leo.About("INC-1").Sees("It is the mast.", "Tried: A longer rope.")
			leo.Press("Claim").Sees("Leo Novak is on it")
			leo.Press("History").SeesForm("With Service Desk (Ben Weber) → Network (Leo Novak)", "handed it over to Network", "Tried: A longer rope.")
			leo.Closes()
			w.Recorded(2, "clocks that began when the ticket was opened", `select count(*) from clocks c join tickets t on t.id = c.ticket_id
				where round = 1 and due_at = t.opened_at + case c.kind when 'response' then interval '1 hour' else interval '8 hours' end`)
			// Down again nobody has to say what was tried.
			leo.Press("Hand over to a team…").Fill("To which team?", "Service Desk").Fill("What have you found out?", "A knot.").Submits()
			ben.Sees("3rd team: Service Desk (Ben Weber) → Network (Leo Novak) → Service Desk.")
		},
	},
	{
		Name: "a ticket that has seen too many teams is handed on by a lead alone", Rows: []string{"AW10"}, Manner: Tiered,
		Run: func(w *World) {
			_, ben := opened(w, "my zeppelin will not dock")
			kim, leo := w.Person("kim").In("it-triage"), w.Person("leo").In("it-network")
			ben.Press("Hand over to a team…").Fill("To which team?", "Network").Fill("What was tried?", "A rope.").Submits()
			leo.Sees("2nd team: Service Desk → Network.")
			leo.SeesNot("only a lead")
			leo.Press("Hand over to a team…").Fill("To which team?", "Service Desk").Fill("What have you found out?", "No.").Submits()
			kim.Sees("3rd team: Service Desk → Network → Service Desk. From here only a lead hands it on: ask Leo Novak, who leads Service Desk.")
			kim.Press("Hand over to a team…")
			w.Aside("kim", "it-triage").Sees("I can't hand over that: Service Desk is its 3rd team, and from there only a lead hands it on. Ask Leo Novak, who leads Service Desk.")
			w.Recorded(2, "moves", `select moves from tickets`)
			leo = leo.In("it-triage") // whose team he leads
			leo.Press("Hand over to a team…").Fill("To which team?", "Backbone").Fill("What was tried?", "All of it.").Submits()
			w.Person("ada").Sees("INC-1 (my zeppelin will not dock) is now with its 4th team: Backbone, which you lead.", "Leo Novak handed it over: Tried: All of it.")
		},
	},
	{
		Name: "something simple is not sent high without a reason", Rows: []string{"AW11"}, Manner: Tiered,
		Run: func(w *World) {
			_, ben := opened(w, "please reset my zeppelin password")
			ben.Sees("Passwords").Press("Hand over to a team…")
			ben.Fill("To which team?", "Backbone").Fill("What was tried?", "The usual reset.").Submits()
			ben.SeesForm("Passwords is work for tier 2. Really send it to Backbone, tier 3?", "Why so high?", "The usual reset.")
			w.Recorded(0, "moves before the question was answered", `select moves from tickets`)
			ben.SubmitRefused()
			ben.Fill("Why so high?", "Only they have the master key.").Submits()
			spare := w.Person("ada").In("it-spare")
			spare.Sees("INC-1", "2nd team")
			spare.About("INC-1").Sees("Why tier 3: Only they have the master key.")
			w.Recorded(1, "reasons", `select count(*) from audit where action = 'moved' and note like '%Why tier 3: Only they%'`)
			// To the tier that is enough it goes without.
			w.Person("eva").Says("my zeppelin password again").Press("Talk to a person").Sees("INC-2", "New")
			ben.PressOn("INC-2", "Hand over to a team…").Fill("To which team?", "Network").Fill("What was tried?", "The usual.").Submits()
			w.Person("leo").In("it-network").Sees("INC-2", "2nd team")
		},
	},
	{
		Name: "the desk chooses who has a ticket, and who says “Not me” passes it on", Rows: []string{"AW4"}, Manner: Chosen, Crosses: true,
		Run: func(w *World) {
			ana, kim, ben, leo := w.Person("ana"), w.Person("kim").In("it-triage"), w.Person("ben").In("it-triage"), w.Person("leo").In("it-triage")
			ana.Says("the printer eats my zebra").Press("Talk to a person").Sees("INC-1", "It is with Kim Lee.")
			kim.Sees("INC-1", "Assigned to Kim Lee (Printing, nothing else open)", "Not me")
			kim.About("INC-1").Notified("INC-1 is for")
			pass := kim.Holds("Not me")
			w.AtOnce(pass, pass)
			ben.Sees("INC-1", "Assigned to Ben Weber (nothing else open)")
			kim.SeesNot("I can't pass on that")
			w.Recorded(1, "times “not me”", `select count(*) from audit where action = 'declined'`)
			leo.Press("Not me").Sees("I can't pass on that: it is not yours.") // it is Ben's
			ben.Press("Not me").Sees("Assigned to Leo Novak")
			leo.Press("Not me")
			leo.Sees("INC-1", "Nobody yet", "Claim")
			leo.About("INC-1").Sees("Nobody is left whom I could give INC-1 to. It is free: whoever claims it first has it.")
			kim.Press("Claim").Sees("Kim Lee is on it")
			kim.Press("History").SeesForm("The desk gave it to Kim Lee", "Kim Lee passed it on", "Kim Lee took it")
			kim.Closes()
		},
	},
	{
		Name: "everybody gets their share, however many are opened at the same moment", Rows: []string{"AW4"}, Manner: Chosen,
		Run: func(w *World) {
			var all []func() error
			for _, name := range []string{"ana", "eva", "zoe"} {
				who := w.Person(name).In("it-help")
				for i := range 2 {
					who.Calls(fmt.Sprintf("%s's elevator number %d is blue", name, i+1))
					w.Settle()
					all = append(all, who.Holds("Talk to a person"))
				}
			}
			w.AtOnce(all...)
			w.Settle()
			w.Recorded(3, "shares of two", `select count(*) from (select owner_id from tickets group by 1 having count(*) = 2) s`)
		},
	},
	{
		Name: "a ticket that comes while nobody is at work is given away when somebody is", Rows: []string{"AW4"}, Manner: Shifts,
		Run: func(w *World) {
			w.Person("ana").Says("the elevator eats my zebra").Press("Talk to a person").Sees("INC-1", "Somebody from Service Desk will pick it up.")
			kim := w.Person("kim").In("it-triage")
			kim.About("INC-1").Sees("Nobody is at work whom I could give INC-1 to. It is free to claim; if nobody does, I choose when somebody is back at work.")
			w.Pass(49 * time.Hour)
			kim.Sees("INC-1", "Assigned to Kim Lee (nothing else open, at work until")
		},
	},
	{
		Name: "who is away gets no tickets, and what is theirs comes free", Rows: []string{"AW18", "AW4"}, Manner: Chosen, Crosses: true,
		Run: func(w *World) {
			ana, kim, triage := w.Person("ana"), w.Person("kim"), w.Person("ben").In("it-triage")
			ana.Says("the printer eats my zebra").Press("Talk to a person").Sees("INC-1", "Kim Lee")
			kim.Says("away until the cows come home").Sees("I don't know when “the cows come home” is.")
			kim.Says("I'm away until tomorrow").Sees("You are away, back on", "I give you no tickets until then. INC-1 comes free. Back earlier? Write “back”.")
			triage.About("INC-1").Sees("Kim Lee is away until", "INC-1 is free again.").Notified("INC-1 is for")
			ana.Sees("Kim Lee is away until", "Ben Weber has INC-1 now.")
			w.Person("eva").Says("the printer eats my other zebra").Press("Talk to a person").Sees("INC-2", "It is with Leo Novak")
			triage.PressOn("INC-1", "Not me")
			triage.Sees("INC-1", "Assigned to Leo Novak")
			triage.PressOn("INC-1", "Give to…").Fill("Who?", "Kim Lee").SubmitRefused("Kim Lee is away, back on")
			triage.Closes()
			w.Pass(36 * time.Hour)
			kim.Sees("Welcome back, Kim. You get tickets again.")
			w.Person("zoe").Says("the printer eats my third zebra").Press("Talk to a person").Sees("INC-3", "It is with Kim Lee")
			w.Recorded(2, "steps of the absence", `select count(*) from audit where action in ('agent.away', 'agent.back')`)
		},
	},
	{
		Name: "an absence does not cut off a talk that is going on", Rows: []string{"AW18"},
		Run: func(w *World) {
			ana, ben := opened(w, "my zeppelin is pink")
			w.Person("eva").Says("my elevator is pink").Press("Talk to a person").Sees("INC-2", "New")
			ben.PressOn("INC-1", "Claim")
			ben.PressOn("INC-2", "Claim")
			ben.About("INC-1").Says("One moment, I send you the paint")
			ana.Sees("One moment")
			ben.PressOn("INC-2", "Waiting for…").Fill("What is it waiting for?", "For a part").Submits()
			w.Settle() // another conversation does not wait for this one
			w.Person("ben").Says("away until Friday").Sees("INC-1 comes free. INC-2 waits for somebody and stays until it goes on.")
			w.Settle()
			w.Recorded(2, "tickets of Ben's: he is still talking, and the other waits", `select count(*) from tickets where owner_id is not null`)
			w.Pass(31 * time.Minute)
			ben.About("INC-1").Sees("INC-1 is free again.")
			ana.Sees("Ben Weber is away until", "Service Desk sees to it that somebody else takes INC-1.")
			w.Person("kim").In("it-triage").PressOn("INC-2", "Go on")
			ben.About("INC-2").Sees("INC-2 is free again.")
			w.Person("ben").Says("back").Sees("Welcome back, Ben.") // early
			w.Recorded(0, "things that are due of an absence that has ended", `select count(*) from due where kind like 'agent.%'`)
		},
	},
	{
		Name: "a lead says who is away", Rows: []string{"AW18"},
		Run: func(w *World) {
			leo, ben, eva := w.Person("leo"), w.Person("ben"), w.Person("eva")
			leo.Says("Kim is away until Friday").Sees("Kim Lee is away, back on Friday", "I give Kim no tickets until then.")
			w.Person("kim").Sees("Leo Novak has noted that you are away, back on Friday", "If that is wrong, write “back”.")
			ben.Says("Leo is away until Friday").SeesNot("is away, back on")
			eva.Says("away until Friday").SeesNot("You are away")
			day := func(ahead int) string { return w.Now().AddDate(0, 0, ahead).Format(time.DateOnly) }
			leo.Says("away").Sees("Until when?").Press("I am away…").SeesForm("Who is away?", "First day back")
			leo.Fill("Who is away?", "Ben Weber").Fill("First day away", day(3)).Fill("First day back", day(3)).SubmitRefused("This day is not after the first day away.")
			leo.Fill("First day back", day(10)).Submits()
			leo.Sees("Noted: Ben Weber is away from")
			_, triage := opened(w, "my zeppelin is red")
			triage.Press("Claim").Sees("Ben Weber is on it")
			w.Pass(4 * 24 * time.Hour)
			triage.About("INC-1").Sees("Ben Weber is away until", "INC-1 is free again.")
			w.Pass(7 * 24 * time.Hour)
			ben.Sees("Welcome back, Ben.")
			kim := w.Person("kim")
			kim.Commands("back")
			kim.Commands("away until Friday").Sees("You are away, back on Friday")
			eva.Commands("away until Friday").SeesNot("You are away")
		},
	},
}
