package adaptertest

var visiting = []Conversation{
	{
		Name: "the home has my tickets and, for agents, the work", Rows: []string{"TL10", "AW15"}, Crosses: true,
		Run: func(w *World) {
			ana, ben := w.Person("ana"), w.Person("ben")
			ana.OpensHome().Sees("You have none.")
			ana.Says("my zeppelin is blue").Press("Talk to a person").Sees("INC-1")
			ana.OpensHome().Sees("INC-1", "my zeppelin is blue", "nobody yet")
			ana.OpensHome().SeesNot("Your work")
			work := ben.OpensHome()
			work.Sees("Your work", "Unclaimed in your teams: 1", "INC-1")
			work.Press("Claim")
			work.Sees("Yours: 1", "Waiting on you: 1")
			ana.OpensHome().Sees("INC-1", "Ben Weber")
		},
	},
}
