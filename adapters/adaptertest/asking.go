package adaptertest

var asking = []Conversation{
	{
		Name: "small talk is answered as a person would", Rows: []string{"AD1"},
		Run: func(w *World) {
			ana := w.Person("ana")
			ana.Says("hello!").Sees("Hello Ana. What can I help you with?")
			ana.Says("thanks a lot").Sees("You're welcome, Ana.")
			ana.Says("help").Sees("my tickets", "shows how yours stand")
			ana.Says("my tickets").Sees("You have no open tickets.")
			ana.SeesNot("I have nothing good on this")
			w.Recorded(0, "questions", `select count(*) from questions`)
		},
	},
	{
		Name: "where nothing is found the desk says so, and keeps the question", Rows: []string{"AD3", "TL5"},
		Run: func(w *World) {
			ana := w.Person("ana")
			ana.Says("my zeppelin needs helium before the regatta")
			ana.Sees("I have nothing good on this", "Open a ticket")
			w.Recorded(1, "unanswered questions", `select count(*) from questions where shown = '{}' and confidence = 'none'`)
			ana.Press("Open a ticket").Press("I need something").SeesForm("What do you need?", "my zeppelin needs helium")
			ana.Fill("Who is it for?", "Only me").Fill("By when is it needed?", "It can wait").Submits()
			ana.Sees("REQ-1", "Low")
		},
	},
	{
		Name: "“Solved it” is a confirmed deflection, and can be taken back", Rows: []string{"AD7", "KN1"},
		Run: func(w *World) {
			ana := w.Person("ana")
			ana.Says("the vpn drops every ten minutes").Sees("Keep the VPN connected")
			ana.Press("Solved it").Sees("Glad it worked.", "KB-3")
			w.Recorded(1, "confirmed deflections with the article", `select count(*) from questions where outcome = 'solved' and article_id = 3`)
			ana.Press("It came back").Sees("Open a ticket")
			ana.Press("Show steps").SeesForm("Turn off power saving").Submits()
			ana.Sees("Glad it worked.")
		},
	},
	{
		Name: "an article for others is never shown", Rows: []string{"AD16"},
		Run: func(w *World) {
			w.Person("ana").Says("the salary run is locked").Sees("I have nothing good on this")
			w.Person("ana").SeesNot("Unlock the salary run")
		},
	},
	{
		Name: "an edited question is answered anew", Rows: []string{"TL18"},
		Run: func(w *World) {
			ana := w.Person("ana")
			ana.Says("my zeppelin is leaking").Sees("I have nothing good on this")
			ana.Edits("zeppelin", "the printer is not printing").Sees("The printer on your floor does not print")
			ana.SeesNot("I have nothing good on this")
		},
	},
	{
		Name: "in a help channel each first message is a question, answered in its thread", Rows: []string{"AD1", "AD14"},
		Run: func(w *World) {
			ana := w.Asking("ana").In("it-help")
			ana.Says("printer is not printing").Sees("Solved it")
			ana.Says(":no_entry_sign: just talking about the printer")
			ana.About("printer is not printing").Sees("Solved it")
			w.Settle()
			w.Recorded(1, "questions", `select count(*) from questions`)
			// Somebody else's answer belongs to them.
			w.Asking("eva").In("it-help").Press("Solved it").Sees("somebody else asked it")
		},
	},
	{
		Name: "in other channels the desk keeps quiet until it is called by name", Rows: []string{"AD1", "AD14"},
		Run: func(w *World) {
			sales := w.Asking("ana").In("sales")
			sales.Says("the printer is not printing")
			w.Channel("sales").SeesNot("Solved it")
			sales.Calls("the printer is not printing").Sees("Solved it")
			w.Recorded(1, "questions", `select count(*) from questions`)
			// Who talks near the desk does not become known to it.
			w.Asking("zoe").In("general").Says("is anybody going to lunch?")
			w.Channel("general").SeesNot("Zoe Guest, ")
			w.Recorded(0, "accounts of somebody who did not talk to the desk", `select count(*) from accounts where name = 'Zoe Guest'`)
		},
	},
	{
		Name: "the slash command asks, opens, shows and keeps what is not one's own", Rows: []string{"AD1", "TL10", "SA1"}, Needs: []Feature{Slash},
		Run: func(w *World) {
			ana := w.Asking("ana").In("general")
			ana.Commands("the printer is not printing").Sees("I have answered you in our direct messages.")
			w.Person("ana").Sees("The printer on your floor does not print", "Solved it")
			ana.Commands("new").SeesForm("What is it?").Press("I need something").SeesForm("What do you need?")
			ana.Fill("What do you need?", "A standing desk").Fill("Who is it for?", "Only me").Fill("By when is it needed?", "This week").Submits()
			w.Person("ana").Sees("REQ-1", "A standing desk")
			ana.Commands("my tickets").Sees("REQ-1", "A standing desk", "nobody yet")
			ana.Commands("req-1").Sees("REQ-1", "Somebody from Service Desk will pick it up")
			ana.Commands("history REQ-1").SeesForm("History of REQ-1", "opened it")
			ana.Closes()
			eva := w.Asking("eva").In("general")
			eva.Commands("REQ-1").Sees("I know no ticket REQ-1 of yours.")
			eva.Commands("history REQ-1").Sees("I know no such ticket of yours.")
			eva.SeesNot("standing desk")
			kim := w.Person("kim").In("it-triage")
			kim.Commands("away").SeesForm("First day back").Closes()
		},
	},
	{
		Name: "words in a message do what the commands do", Rows: []string{"TL10"},
		Run: func(w *World) {
			ana := w.Person("ana")
			ana.Says("my zeppelin is tired").Press("Talk to a person").Sees("INC-1")
			ana.Says("my tickets").Sees("INC-1", "my zeppelin is tired", "nobody yet")
			ana.Says("INC-1").Sees("INC-1", "Somebody from Service Desk will pick it up", "Just write")
			ana.About("Just write").Says("its left wing droops")
			w.Person("ben").In("it-triage").About("INC-1").Sees("its left wing droops")
			w.Person("ben").In("it-triage").Press("Claim")
			ana.Sees("INC-1", "Ben Weber is on it")
			w.Recorded(2, "cards that live", `select count(*) from posts where card = 'status' and subject = 1`)
			ana.Says("new").Sees("Press the button")
			ana.Says("the printer is not printing").Sees("The printer on your floor does not print")
			w.Person("eva").Says("INC-1").Sees("I know no ticket INC-1 of yours.")
			w.Person("eva").SeesNot("zeppelin")
		},
	},
	{
		Name: "a shortcut asks without a message to ask in", Rows: []string{"AD1"}, Needs: []Feature{Shortcuts},
		Run: func(w *World) {
			ana := w.Asking("ana").In("sales")
			ana.Uses("Ask the desk", "").SeesForm("What is the matter?")
			ana.SubmitRefused()
			ana.Fill("What is the matter?", "the printer is not printing").Submits()
			w.Person("ana").Sees("the printer is not printing", "The printer on your floor does not print")
		},
	},
	{
		Name: "guests have the least rights", Rows: []string{"SA5"}, Crosses: true,
		Run: func(w *World) {
			zoe := w.Person("zoe")
			zoe.Says("the printer is not printing").Sees("The printer on your floor does not print")
			w.Recorded(1, "guests", `select count(*) from people where name = 'Zoe Guest' and guest`)
			zoe.Press("Talk to a person").Sees("INC-1")
			w.Channel("it-triage").Sees("Zoe Guest (guest)")
		},
	},
	{
		Name: "the desk says once for whom it takes somebody, and can be wrong", Rows: []string{"SA5"},
		Run: func(w *World) {
			ana := w.Person("ana")
			ana.Says("printer is not printing").Sees("I know you as Ana Silva (Sales and events)", "That's not me")
			ana.Press("That's right").Sees("I know you as Ana Silva.")
			ana.SeesNot("That's not me")
			eva := w.Person("eva")
			eva.Says("printer is not printing").PressSure("That's not me", "Not me")
			eva.Sees("From now on I treat this account as a guest's")
			w.Recorded(1, "accounts of Eva's that are a guest's", `select count(*) from accounts a join people p on p.id = a.person_id where p.guest and a.name = 'Eva Lind'`)
		},
	},
}
