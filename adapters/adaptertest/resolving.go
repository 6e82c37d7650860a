package adaptertest

import "time"

var resolving = []Conversation{
	{
		Name: "an article that helped is named with the resolution", Rows: []string{"KN3", "TL11"}, Needs: []Feature{Typeahead}, Crosses: true,
		Run: func(w *World) {
			ana, ben := opened(w, "my zeppelin prints nothing")
			ben.Press("Resolve").SeesForm("What fixed it?")
			ben.Fill("What fixed it?", "A paper jam.").Fill("Article you used", "paper jam").Submits()
			ana.Sees("INC-1 is resolved", "A paper jam.", "KB-2", "Clear a paper jam in the printer")
			w.Recorded(1, "tickets with the article", `select count(*) from tickets where article_id = 2`)
		},
	},
	{
		Name: "thanks never reopen a ticket, anything else does", Rows: []string{"TL11", "TL12"}, Crosses: true,
		Run: func(w *World) {
			ana, ben := opened(w, "my zeppelin is flat")
			ben.Press("Claim").Sees("Ben Weber is on it")
			ben.Press("Resolve").Fill("What fixed it?", "More helium.").Submits()
			fixed := ana.Sees("More helium.", "Is it fixed?").About("More helium.")
			fixed.Says("thanks a lot!")
			if w.on.Asking.Has(Reactions) {
				fixed.Sees("thanks a lot!", ":+1:")
			} else {
				ana.Sees("You're welcome, Ana.")
			}
			w.Settle()
			w.Recorded(0, "reopened tickets", `select count(*) from tickets where reopened > 0`)
			fixed.Says("no, it is flat again")
			ben.About("INC-1").Sees("@Ben Weber", "INC-1 is not fixed")
			ben.Sees("Reopened once.")
			ana.Sees("INC-1", "In progress")
			ana.Sees("INC-1 was reopened.")
		},
	},
	{
		Name: "what comes back after closing is a new ticket that knows the old one", Rows: []string{"TL12", "TL13"}, Crosses: true,
		Run: func(w *World) {
			ana, ben := opened(w, "my zeppelin is red")
			ben.Press("Resolve").Fill("What fixed it?", "Paint.").Submits()
			ana.Press("Yes, close").Sees("INC-1 is closed", "How was it?")
			ana.Press("😀").Sees("You said", "very good")
			ana.SeesNot("Tell the team lead")
			w.Pass(time.Hour)
			ana.About("INC-1 is closed").Says("the red is coming off")
			ana.Sees("INC-2", "goes on from INC-1")
			ben.Sees("INC-2", "Goes on from INC-1", "the red is coming off")
			w.Recorded(1, "tickets that go on from another", `select count(*) from tickets where follows_id is not null`)
		},
	},
	{
		Name: "only who asked says whether it is fixed", Rows: []string{"SA3", "TL11"},
		Run: func(w *World) {
			ana := w.Asking("ana").In("it-help")
			ana.Says("my zeppelin is shared").Press("Talk to a person").Sees("INC-1")
			ben := w.Person("ben").In("it-triage")
			ben.Press("Resolve").Fill("What fixed it?", "A second one.").Submits()
			ana.Sees("Is it fixed?", "Yes, close")
			eva := w.Asking("eva").In("it-help")
			eva.Press("Yes, close").Sees("it is for Ana Silva to say")
			w.Settle()
			w.Recorded(0, "closed tickets", `select count(*) from audit where action = 'closed'`)
			ana.Press("Yes, close").Sees("INC-1 is closed")
		},
	},
}
