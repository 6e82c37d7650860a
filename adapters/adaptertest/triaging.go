package adaptertest

// opened is a ticket of Ana's, INC-1, and Ben and his team's channel.
func opened(w *World, text string) (ana, ben Actor) {
	w.Helper()
	ana, ben = w.Person("ana"), w.Person("ben").In("it-triage")
	ana.Says(text).Press("Talk to a person").Sees("A person will look at this: it is INC-1.")
	ben.Sees("INC-1", "Claim")
	return ana, ben
}

var triaging = []Conversation{
	{
		Name: "what helped before is a press away, and an article that is used goes to the requester and stays with the ticket", Rows: []string{"KN3", "AW7"}, Crosses: true,
		Run: func(w *World) {
			_, ben := opened(w, "the printer on my floor does not print, by the lift")
			ben.Press("Resolve").Fill("What fixed it?", "Switched the print server off and on.").Submits()
			w.Settle()
			eva := w.Asking("eva")
			eva.Says("the printer by the lift does not print again").Press("Talk to a person").Sees("it is INC-2")
			ben.Sees("INC-2").PressOn("INC-2", "What helped before…").SeesForm("What helped before", "INC-1", "Switched the print server off and on.", "The printer on your floor does not print")
			ben.Press("Use KB-1").SeesForm("KB-1 is in the thread now.").Closes()
			eva.Sees("Ben Weber", "sends you this", "The printer on your floor does not print")
			ben.Sees("Ben Weber answered with KB-1")
			ben.Press("Resolve").SeesForm("What fixed it?", "KB-1")
			w.Recorded(1, "uses of articles", `select count(*) from article_uses`)
			w.Recorded(1, "steps on record", `select count(*) from audit where action = 'article.used'`)
		},
	},
	{
		Name: "of two who claim at the same moment one has it, and the other learns who", Rows: []string{"AW2"}, Crosses: true,
		Run: func(w *World) {
			_, ben := opened(w, "my chair is on fire, talk to nobody about zebra stripes")
			kim := w.Person("kim").In("it-triage")
			w.AtOnce(ben.Holds("Claim"), kim.Holds("Claim"))
			ben.Sees("is on it")
			first, second := ben, kim
			if w.Record(`select count(*) from tickets t join people p on p.id = t.owner_id where p.name = 'Kim Lee'`) == 1 {
				first, second = kim, ben
			}
			second.Sees("took it", "before you")
			first.SeesNot("before you")
			w.Recorded(1, "claims", `select count(*) from audit where action = 'claimed'`)
		},
	},
	{
		Name: "a double click counts once", Rows: []string{"AW2", "SA6"}, Crosses: true,
		Run: func(w *World) {
			ana, ben := opened(w, "my zeppelin sings")
			claim := ben.Holds("Claim")
			w.AtOnce(claim, claim)
			ben.Sees("Ben Weber is on it")
			ben.Press("Resolve").Fill("What fixed it?", "Sang along.").Submits()
			yes := ana.Holds("Yes, close")
			w.AtOnce(yes, yes)
			ana.Sees("How was it?")
			ana.SeesNot("I can't")
			ben.SeesNot("before you")
			for _, step := range []string{"claimed", "resolved", "closed"} {
				w.Recorded(1, "steps “"+step+"”", `select count(*) from audit where action = $1`, step)
			}
		},
	},
	{
		Name: "a ticket is given to a colleague, given back and taken again", Rows: []string{"AW3"}, Crosses: true,
		Run: func(w *World) {
			ana, ben := opened(w, "my zeppelin is grey")
			ben.Press("Give to…").SeesForm("Who?").Fill("Who?", "Kim Lee").Submits()
			ben.Sees("Kim Lee is on it")
			ana.Sees("INC-1", "Kim Lee is on it")
			ben.About("INC-1").Sees("Ben Weber gave INC-1 to", "Kim Lee")
			w.Person("kim").In("it-triage").Notified("gave INC-1 to")
			ben.Press("Give back")
			ben.Sees("INC-1", "Nobody yet", "Claim")
			w.Person("kim").In("it-triage").Press("Claim")
			ana.Sees("INC-1", "Kim Lee is on it")
		},
	},
	{
		Name: "handing over to another team takes the conversation along", Rows: []string{"AW3", "TL4"}, Crosses: true,
		Run: func(w *World) {
			ana, ben := opened(w, "my zeppelin will not dock")
			leo := w.Person("leo").In("it-network")
			ben.Press("Claim")
			ben.About("INC-1").Says("Which mast?")
			ana.Sees("Which mast?")
			ana.About("Which mast?").Says("the northern one")
			ben.About("INC-1").Sees("the northern one")
			ben.Press("Hand over to a team…").SeesForm("To which team?")
			ben.Fill("To which team?", "Network").SubmitRefused("Network is tier 2", "what was tried")
			ben.Fill("What was tried?", "Pulling.").Fill("What have you found out?", "It is the mast.").Submits()
			ben.Sees("INC-1", "Handed over to Network")
			leo.Sees("INC-1", "Nobody yet", "Claim")
			leo.About("INC-1").Sees("Ben Weber handed this over: It is the mast.", "Which mast?", "the northern one")
			ana.Sees("INC-1", "Somebody from Network will pick it up")
			leo.Press("Claim")
			leo.About("INC-1").Says("On my way")
			ana.Sees("On my way")
			w.Recorded(0, "tickets in a queue of the other kind", `select count(*) from tickets t join queues q on q.id = t.queue_id where q.kind <> t.kind`)
		},
	},
	{
		Name: "priority is changed with a reason that everybody sees", Rows: []string{"TL7"}, Crosses: true,
		Run: func(w *World) {
			ana, ben := opened(w, "my zeppelin is late")
			ana.Sees("INC-1", "Normal")
			ben.Press("Change priority…").SeesForm("Now: Normal")
			ben.Fill("Priority", "Critical all the same").SubmitRefused()
			ben.Fill("Why?", "The board is aboard").Submits()
			ben.Sees("Critical", "The board is aboard")
			ana.Sees("INC-1", "Critical", "The board is aboard")
		},
	},
	{
		Name: "an agent puts right what a ticket is about, and is asked whether it shall go to another team", Rows: []string{"AW3", "AW4", "SE3"}, Crosses: true,
		Run: func(w *World) {
			ana, leo := w.Person("ana"), w.Person("leo").In("it-network")
			ana.Says("my zeppelin prints nothing over the vpn").Press("Talk to a person").Sees("INC-1")
			leo.Sees("INC-1", "VPN")
			leo.Press("Service or category…").SeesForm("About INC-1", "What is it about?")
			leo.Fill("What is it about?", "Printing").Submits()
			leo.SeesForm("INC-1 is about Printing now, which is usually for Service Desk. Hand it over to them?").Closes()
			leo.Sees("INC-1", "Printing", "Claim")
			leo.SeesNot("I took it to be about")
			leo.Press("History").SeesForm("Leo Novak changed what it is about from VPN to Printing").Closes()
			leo.Press("Service or category…").Fill("What is it about?", "Something else").Submits()
			leo.SeesForm("usually for Service Desk").Fill("What have you found out?", "It is the printer.").Submits()
			leo.Sees("INC-1", "Handed over to Service Desk")
			w.Channel("it-triage").Sees("INC-1", "Something else", "Claim")
			w.Recorded(2, "corrections", `select count(*) from audit where action = 'corrected' and before->'service' is not null and after->'service' is not null`)
		},
	},
	{
		Name: "waiting has a reason, and somebody goes on", Rows: []string{"TL9"}, Crosses: true,
		Run: func(w *World) {
			ana, ben := opened(w, "my zeppelin needs a propeller")
			ben.Press("Claim").Sees("Ben Weber is on it")
			ben.Press("Waiting for…").Fill("What is it waiting for?", "For a part").Fill("Say what exactly", "The propeller is at sea").Submits()
			ben.Sees("Waiting for a part: The propeller is at sea")
			ana.Sees("INC-1", "Waiting", "The propeller is at sea", "goes on as soon as a part is there")
			ana.About("INC-1").Says("any news?")
			ben.About("INC-1").Sees("any news?")
			ana.Sees("INC-1", "Waiting") // only what it waits for wakes it
			ben.Press("Go on")
			ana.Sees("INC-1", "In progress", "Ben Weber is on it")
		},
	},
	{
		Name: "only the team works a ticket, and whoever comes into its channel is of the team", Rows: []string{"AW1", "SA3"},
		Run: func(w *World) {
			_, ben := opened(w, "my zeppelin is green")
			ben.SeesNot("Eva Lind")
			eva := w.Desk.Person(w.on.Working.Name, "eva").Joins("it-triage").In("it-triage")
			eva.Press("Claim").Sees("Eva Lind is on it")
			joined := w.Record(`select count(*) from audit where action = 'team.joined'`)
			if joined < 1 {
				w.Error("joining the triage channel left no trace")
			}
		},
	},
	{
		Name: "the history of a ticket has every step in words", Rows: []string{"SA1"}, Crosses: true,
		Run: func(w *World) {
			_, ben := opened(w, "my zeppelin forgets")
			ben.Press("Claim").Sees("Ben Weber is on it")
			ben.Press("Change priority…").Fill("Priority", "High all the same").Fill("Why?", "Because it matters").Submits()
			ben.Sees("Because it matters")
			ben.Press("History").SeesForm("History of INC-1", "Ana Silva opened it", "Ben Weber took it", "Because it matters")
			ben.Closes()
		},
	},
	{
		Name: "on a ticket's card in a help channel agents have their buttons, and who asked has not", Rows: []string{"IN2", "AW2"}, Needs: []Feature{Views},
		Run: func(w *World) {
			ana, ben := w.Person("ana").In("it-help"), w.Person("ben")
			ben.Says("hello").Sees("Hello Ben") // whom the desk does not know it can't show anything of their own
			ana.Says("my zeppelin is watched").Press("Talk to a person").Sees("INC-1")
			ana.SeesNot("INC-1", "Claim")
			ben.In("it-help").Sees("INC-1", "Claim")
			ben.In("it-help").PressOn("INC-1", "Claim").Sees("Ben Weber is on it")
			ana.Sees("INC-1", "Ben Weber is on it")
			ana.SeesNot("INC-1", "Resolve")
		},
	},
}
