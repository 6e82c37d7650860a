package adaptertest

import "fmt"

var troubled = []Conversation{
	{
		Name: "what is delivered twice happens once", Rows: []string{"SE8"}, Crosses: true,
		Run: func(w *World) {
			w.Each(Twice)
			ana, ben := opened(w, "my zeppelin has an echo")
			ben.Press("Claim").Sees("Ben Weber is on it")
			ben.About("INC-1").Says("can you hear it now?")
			ben.About("INC-1").Says("hello?")
			ana.Sees("Ben Weber", "hello?").About("hello?").Says("twice even")
			ben.About("INC-1").Sees("twice even")
			ben.Press("Resolve").Fill("What fixed it?", "Curtains.").Submits()
			ana.Press("Yes, close").Sees("How was it?")
			w.Settle()
			w.Recorded(1, "questions", `select count(*) from questions`)
			w.Recorded(1, "tickets", `select count(*) from tickets`)
			w.Recorded(3, "messages", `select count(*) from messages where ticket_id = 1`)
			if n := ana.Counts("can you hear it now?"); n != 1 {
				w.Errorf("one message stands there %d times", n)
			}
			for _, step := range []string{"opened", "claimed", "resolved", "closed"} {
				w.Recorded(1, "steps “"+step+"”", `select count(*) from audit where subject = 'ticket' and action = $1`, step)
			}
		},
	},
	{
		Name: "an edit that is delivered before its message is not lost", Rows: []string{"TL18"}, Crosses: true,
		Run: func(w *World) {
			ana, ben := opened(w, "my zeppelin has a typo")
			asker := ana.Sees("INC-1").About("INC-1")
			w.Each(Overtaken)
			asker.Says("it flies bakwards").Edits("bakwards", "it flies backwards")
			w.Person("eva").Says("the pritner").Edits("pritner", "the printer does not print")
			w.Person("eva").Sees("The printer on your floor does not print")
			ben.About("INC-1").Sees("it flies backwards", "(edited)")
			w.Settle()
			w.Recorded(1, "edited messages", `select count(*) from messages where body = 'it flies backwards' and edited_at is not null`)
			w.Recorded(1, "edited questions", `select count(*) from audit where action = 'question.edited'`)
			w.Recorded(0, "dead letters", `select count(*) from dead_letters`)
		},
	},
	{
		Name: "while the platform is away nothing is lost, and everything comes in order", Rows: []string{"SE8"}, Crosses: true,
		Run: func(w *World) {
			ana, ben := opened(w, "my zeppelin is in the clouds")
			ben.Press("Claim").Sees("Ben Weber is on it")
			ana.Sees("Ben Weber is on it")
			thread := ben.About("INC-1")
			w.Each(Away)
			thread.Says("one")
			thread.Says("two")
			thread.Says("three")
			w.Each(Calm)
			ana.Sees("Ben Weber", "three")
			w.Settle()
			w.Recorded(3, "copies on the other side", `select count(*) from posts where message_id is not null and external is not null`)
			w.Recorded(0, "dead letters", `select count(*) from dead_letters`)
		},
	},
	{
		Name: "a platform that wants fewer calls gets them later, none twice", Rows: []string{"SE8"}, Crosses: true,
		Run: func(w *World) {
			w.Each(Limited)
			ana, ben := opened(w, "my zeppelin is held back")
			ben.Press("Claim").Sees("Ben Weber is on it")
			ben.About("INC-1").Says("patience")
			ana.Sees("Ben Weber", "patience")
			w.Each(Calm)
			w.Settle()
			w.Recorded(1, "copies on the other side", `select count(*) from posts where message_id is not null and external is not null`)
			w.Recorded(0, "dead letters", `select count(*) from dead_letters`)
		},
	},
	{
		Name: "in a channel a message whose confirmation was lost is looked for, and stands there once", Rows: []string{"SE8", "IN3"}, Crosses: true,
		Run: func(w *World) {
			ana, ben := opened(w, "my zeppelin repeats itself")
			asker := ana.Sees("INC-1").About("INC-1")
			w.Each(Lossy)
			for i := range 3 {
				asker.Says(fmt.Sprintf("line %d.", i))
			}
			thread := ben.About("INC-1").Sees("Ana Silva", "line 2.")
			w.Each(Calm)
			w.Settle()
			for i := range 3 {
				if n := thread.Counts(fmt.Sprintf("line %d.", i)); n != 1 {
					w.Errorf("line %d stands there %d times, want once", i, n)
				}
			}
		},
	},
	{
		Name: "a direct message whose confirmation was lost is looked for before it is sent again", Rows: []string{"SE8"}, Needs: []Feature{Lookup}, Crosses: true,
		Run: func(w *World) {
			ana, ben := opened(w, "my zeppelin was never seen")
			w.Each(Lossy)
			ben.Press("Claim").Sees("Ben Weber is on it")
			thread := ben.About("INC-1")
			for i := range 4 {
				thread.Says(fmt.Sprintf("line %d.", i))
			}
			ana.Sees("Ben Weber", "line 3.")
			w.Each(Calm)
			w.Settle()
			w.Recorded(4, "copies on the other side", `select count(*) from posts where message_id is not null and external is not null`)
			for i := range 4 {
				if n := ana.Counts(fmt.Sprintf("line %d.", i)); n != 1 {
					w.Errorf("line %d stands there %d times, want once", i, n)
				}
			}
		},
	},
	{
		Name: "after a restart the desk reaches people and channels that have not spoken since", Rows: []string{"OP12"}, Crosses: true,
		Run: func(w *World) {
			ana, ben := opened(w, "my zeppelin slept")
			w.Restart()
			ben.Press("Claim").Sees("Ben Weber is on it")
			ana.Sees("INC-1", "Ben Weber is on it")
			ben.Press("Resolve").Fill("What fixed it?", "Woke it.").Submits()
			ana.Sees("Woke it.", "Yes, close")
			ana.About("Woke it.").Says("it sleeps again")
			ben.About("INC-1").Sees("INC-1 is not fixed")
		},
	},
}
