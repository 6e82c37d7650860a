package adaptertest

var settingUp = []Conversation{
	{
		Name: "an admin chooses the channel for a team's tickets", Rows: []string{"AW1", "SA3"}, Crosses: true,
		Run: func(w *World) {
			opened(w, "my zeppelin is red")
			w.Person("ben").In("it-spare").Commands("triage service-desk")
			w.Aside("ben", "it-spare").Sees("Only an admin")
			ada := w.Person("ada").In("it-spare")
			ada.Commands("triage")
			w.Aside("ada", "it-spare").Sees("Which team?")
			ada.Commands("triage service-desk")
			w.Aside("ada", "it-spare").Sees("From now on tickets of Service Desk come here")
			w.Person("eva").Says("my zeppelin is yellow").Sees("I have nothing good on this").Press("Talk to a person")
			w.Channel("it-spare").Sees("INC-2", "zeppelin is yellow")
		},
	},
	{
		Name: "without a policy the desk works, and nothing is lost until a team has a channel", Rows: []string{"SA10"}, Bare: true,
		Run: func(w *World) {
			ana := w.Person("ana")
			ana.Says("the printer is not printing").Sees("I have nothing good on this")
			ana.Press("Open a ticket").Press("Something is broken").Fill("Who is affected?", "Only me").Fill("By when does it hurt more?", "Today").Submits()
			ana.Sees("INC-1", "Service Desk")
			w.Settle()
			w.Recorded(1, "tickets", `select count(*) from tickets`)
		},
	},
	{
		Name: "a policy that is applied while the desk runs finds its channels within seconds", Rows: []string{"SA10", "AW1"}, Bare: true,
		Run: func(w *World) {
			w.Person("ana").Says("my zeppelin waits for a policy").Press("Talk to a person").Sees("INC-1", "Service Desk")
			w.Settle()
			w.Applies()
			w.Channel("it-triage").Sees("INC-1", "my zeppelin waits for a policy")
			w.Person("ben").In("it-triage").Press("Claim").Sees("Ben Weber is on it")
		},
	},
	{
		Name: "without a policy an admin of the platform is told what is left, and does it in chat", Rows: []string{"SA10"}, Bare: true, Needs: []Feature{Admins},
		Run: func(w *World) {
			ada := w.Person("ada")
			ada.Says("the printer is not printing").Sees("I have nothing good on this")
			ada.Sees("You look after this desk", "There is no article yet", "triage", "deskhand apply FILE")
			ada.OpensHome().Sees("Left to set up", "Service Desk has no channel")
			w.Person("ana").Says("my zeppelin is dirty").Press("Talk to a person").Sees("INC-1", "Service Desk")
			ada.In("it-spare").Commands("triage").Sees("From now on tickets of Service Desk come here")
			w.Channel("it-spare").Sees("INC-1", "my zeppelin is dirty") // nothing was lost meanwhile
			w.Person("ben").In("it-spare").Press("Claim").Sees("Ben Weber is on it")
		},
	},
}
