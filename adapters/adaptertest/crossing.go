package adaptertest

var crossing = []Conversation{
	{
		Name: "a mention is that person's mention on the other platform, or a plain name", Rows: []string{"TL21"}, Only: true,
		Run: func(w *World) {
			ana, ben := w.Asking("ana").In("it-help"), w.Person("ben").In("it-triage")
			// Kim and Leo have accounts on both platforms, Eva has none where the team
			// works. Some platforms tell only of those who have spoken to the desk.
			w.Asking("kim").Says("hello").Sees("Hello Kim")
			w.Asking("leo").Says("hello").Sees("Hello Leo")
			ana.Says("my zeppelin is abroad").Press("Talk to a person").Sees("INC-1")
			ben.Sees("INC-1", "Claim")
			ana.About("INC-1").Says("@kim and @eva have seen it")
			thread := ben.About("INC-1")
			thread.Sees("Ana Silva", "@Kim Lee and @Eva Lind have seen it")
			w.Person("kim").In("it-triage").Notified("have seen it")
			thread.Says("@leo looks after those")
			ana.Sees("Ben Weber", "@Leo Novak looks after those")
			w.Asking("leo").In("it-help").Notified("looks after those")
		},
	},
	{
		Name: "one person on two platforms is one person, matched by mail", Rows: []string{"TL21", "SA5"}, Only: true,
		Run: func(w *World) {
			there, here := w.Person("ben"), w.Asking("ben")
			there.Says("hello").Sees("Hello Ben")
			here.Says("hello").Sees("Hello Ben")
			w.Recorded(1, "persons called Ben", `select count(*) from people where name = 'Ben Weber'`)
			w.Recorded(2, "accounts of Ben's", `select count(*) from accounts a join people p on p.id = a.person_id where p.name = 'Ben Weber'`)
			here.Says("my zeppelin is mine").Sees("I know you as Ben Weber")
			here.Press("Talk to a person").Sees("INC-1")
			there.Says("my tickets").Sees("INC-1", "my zeppelin is mine")
			// Each account is asked where it is: the answer is about that one.
			there.Says("my airship is mine too").Sees("I know you as Ben Weber")
		},
	},
	{
		Name: "a ticket from a channel on one platform is talked of, edited and taken back on the other", Rows: []string{"TL21", "TL4", "TL18"}, Only: true,
		Run: func(w *World) {
			ana, ben := w.Asking("ana").In("it-help"), w.Person("ben").In("it-triage")
			ana.Says("my zeppelin is public").Press("Talk to a person").Sees("INC-1")
			ben.Press("Claim")
			ana.Sees("INC-1", "Ben Weber is on it")
			thread, asked := ben.About("INC-1"), ana.About("INC-1")
			for _, line := range []string{"one", "two", "three"} {
				asked.Says("requester says " + line)
				thread.Says("agent says " + line)
			}
			asked.Sees("Ben Weber", "agent says three")
			thread.Sees("Ana Silva", "requester says three")
			asked.Edits("requester says two", "requester says 2")
			thread.Sees("requester says 2", "edited").SeesNot("requester says two")
			thread.Edits("agent says two", "agent says 2")
			asked.Sees("agent says 2", "edited").SeesNot("agent says two")
			thread.Deletes("agent says one")
			asked.Sees("This message was deleted by its author.").SeesNot("agent says one")
			ben.Press("Resolve").Fill("What fixed it?", "A curtain.").Submits()
			ana.Press("Yes, close").Sees("INC-1 is closed")
			ben.Sees("INC-1", "Closed")
		},
	},
	{
		Name: "a team on both platforms has each ticket in both channels, and one talk", Rows: []string{"TL21", "AW1", "AW2"}, Only: true, Both: true,
		Run: func(w *World) {
			ana := w.Person("ana")
			ben, kim := w.Person("ben").In("it-triage"), w.Asking("kim").In("it-triage")
			ana.Says("my zeppelin is everywhere").Press("Talk to a person").Sees("INC-1")
			ben.Sees("INC-1", "Ana Silva", "Nobody yet", "Claim")
			kim.Sees("INC-1", "Ana Silva", "Nobody yet", "Claim")
			w.AtOnce(ben.Holds("Claim"), kim.Holds("Claim"))
			ben.Sees("INC-1", "is on it")
			kim.Sees("INC-1", "is on it")
			w.Recorded(1, "claims", `select count(*) from audit where action = 'claimed'`)
			ben.About("INC-1").Says("I look at the gondola")
			kim.About("INC-1").Sees("Ben Weber", "I look at the gondola")
			ana.Sees("Ben Weber", "I look at the gondola")
			kim.About("INC-1").Says("note: mind the ropes")
			ben.About("INC-1").Sees("Kim Lee", "mind the ropes")
			ana.SeesNot("mind the ropes")
			ana.About("INC-1").Says("it is the rudder")
			ben.About("INC-1").Sees("Ana Silva", "it is the rudder")
			kim.About("INC-1").Sees("Ana Silva", "it is the rudder")
			kim.Press("Resolve").Fill("What fixed it?", "A new rudder.").Submits()
			ben.Sees("INC-1", "A new rudder.")
			ana.Sees("INC-1 is resolved", "A new rudder.")
		},
	},
}
