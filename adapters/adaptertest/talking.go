package adaptertest

import (
	"bytes"
	"fmt"
	"image"
	"image/png"
	"time"
)

var talking = []Conversation{
	{
		Name: "the two sides of a ticket are one conversation, in order", Rows: []string{"TL4"}, Crosses: true,
		Run: func(w *World) {
			ana, ben := opened(w, "my zeppelin will not talk")
			ben.Press("Claim").Sees("Ben Weber is on it")
			thread := ben.About("INC-1")
			thread.Says("first question")
			ana.Sees("Ben Weber", "first question")
			answer := ana.About("first question")
			for i := range 5 {
				thread.Says(fmt.Sprintf("agent's line %d.", i))
				answer.Says(fmt.Sprintf("requester's line %d.", i))
			}
			for i := range 5 {
				ana.Sees("Ben Weber", fmt.Sprintf("agent's line %d.", i))
				thread.Sees("Ana Silva", fmt.Sprintf("requester's line %d.", i))
			}
			w.Settle()
			w.Recorded(11, "messages", `select count(*) from messages where ticket_id = 1`)
			w.Recorded(0, "messages passed on out of order", `select count(*) from
				(select external, lag(external) over (partition by thread_id order by message_id) as before from posts where message_id is not null) p
				where length(external) = length(before) and external < before`)
			w.Recorded(11, "copies on the other side", `select count(*) from posts where message_id is not null and external is not null`)
		},
	},
	{
		Name: "a line that begins with note: stays with the team", Rows: []string{"TL4"}, Crosses: true,
		Run: func(w *World) {
			ana, ben := opened(w, "my zeppelin has a secret")
			thread := ben.About("INC-1")
			thread.Says("Note: do not tell her about the iceberg")
			if w.on.Working.Has(Reactions) {
				thread.Sees("iceberg", ":lock:")
			} else {
				w.Aside("ben", "it-triage").Sees("Kept as a note for the team.")
			}
			thread.Says("we are looking into it")
			ana.Sees("we are looking into it")
			ana.SeesNot("iceberg")
		},
	},
	{
		Name: "edits and deletions reach the other side, and both versions are kept", Rows: []string{"TL18"}, Crosses: true,
		Run: func(w *World) {
			ana, ben := opened(w, "my zeppelin is loud")
			thread := ben.About("INC-1")
			ana.About("INC-1").Says("my password is swordfish")
			thread.Sees("swordfish")
			ana.Deletes("swordfish")
			thread.Sees("This message was deleted by its author.")
			thread.SeesNot("swordfish")
			thread.Says("please come to desk 4")
			ana.Sees("please come to desk 4")
			thread.Edits("please come to desk 4", "please come to desk 5")
			ana.Sees("please come to desk 5", "edited")
			ana.SeesNot("desk 4")
			w.Recorded(2, "changes of messages", `select count(*) from audit where action in ('edited', 'deleted')`)
			w.Recorded(2, "earlier versions", `select count(*) from message_versions`)
		},
	},
	{
		Name: "files are kept, marked and passed on", Rows: []string{"TL16"}, Crosses: true,
		Run: func(w *World) {
			ana := w.Person("ana")
			shot := File{Name: "error.png", Data: []byte("\x89PNG\r\n\x1a\nnot much of a picture")}
			ana.Says("my zeppelin shows this error", shot).Sees("I have nothing good on this")
			ana.Press("Talk to a person").Sees("INC-1")
			thread := w.Person("ben").In("it-triage").About("INC-1")
			thread.Sees("Ana Silva sent a file: error.png")
			ana.About("INC-1").Says("and this", File{Name: "log.txt", Data: []byte("it broke")})
			thread.Sees("Ana Silva sent a file: log.txt")
			if w.on.Asking.Has(Reactions) {
				ana.Sees(":white_check_mark:")
			}
			w.Recorded(2, "files kept", `select count(*) from files where state = 'kept' and length(data) > 0`)
		},
	},
	{
		Name: "a file in a channel reaches the other side, both ways", Rows: []string{"TL16"}, Crosses: true,
		Run: func(w *World) {
			ana := w.Person("ana").In("it-help")
			ana.Says("my zeppelin is seen by all").Press("Talk to a person").Sees("INC-1")
			ben := w.Person("ben").In("it-triage")
			ben.Sees("INC-1", "Claim")
			thread, asked := ben.About("INC-1"), ana.About("INC-1")
			passed := func(by, to Actor, from, name string, f File) {
				w.Helper()
				by.Says("see here", f)
				to.Sees(from + " sent a file: " + name).SeesFile(f.Data)
			}
			passed(thread, asked, "Ben Weber", "", File{"knot.png", picture(1), true})
			passed(asked, thread, "Ana Silva", "", File{"rope.png", picture(2), true})
			for _, side := range []struct {
				by, to Actor
				on     Platform
				from   string
			}{{thread, asked, w.on.Working, "Ben Weber"}, {asked, thread, w.on.Asking, "Ana Silva"}} {
				f := File{Name: "how to.txt", Data: []byte("pull the rope, says " + side.from)}
				if side.on.Has(Attached) {
					passed(side.by, side.to, side.from, f.Name, f)
					continue
				}
				side.by.Says("and this", f)
				side.by.Sees("I could not keep", "A link to it works too.")
			}
		},
	},
	{
		Name: "a file that is too big is not kept, and its sender is told the limit", Rows: []string{"TL16"},
		Run: func(w *World) {
			ana, _ := opened(w, "my zeppelin films itself")
			ana.About("INC-1").Says("look", File{Name: "film.mp4", Data: bytes.Repeat([]byte("x"), 20<<20+1)})
			ana.Sees("film.mp4", "I can keep files up to 20 MB")
			w.Settle()
			w.Recorded(0, "files kept", `select count(*) from files where state = 'kept'`)
		},
	},
	{
		Name: "who is not of the team can't speak for it", Rows: []string{"SA3", "TL4"}, Crosses: true,
		Run: func(w *World) {
			ana, ben := opened(w, "my zeppelin is a secret")
			ben.Press("Hand over to a team…").Fill("To which team?", "Network").Fill("What have you found out?", "Nothing.").Fill("What was tried?", "Nothing.").Submits()
			leo := w.Person("leo").In("it-network")
			leo.Sees("INC-1", "Claim")
			ben.About("INC-1").Says("I was never here")
			w.Aside("ben", "it-triage").Sees("You are not in Network", "kept this as a note")
			ana.SeesNot("I was never here")
		},
	},
	{
		Name: "in a chat without threads a message goes to what is talked of, and is taken back at one press", Rows: []string{"TL4"}, Lacking: []Feature{Threads},
		Run: func(w *World) {
			ana, ben := opened(w, "my zeppelin has no threads")
			ana.Says("it squeaks").Sees("Passed on to Service Desk for INC-1.", "It's something else")
			ana.Says("and it rattles")
			ben.About("INC-1").Sees("it squeaks")
			ben.About("INC-1").Sees("and it rattles")
			w.Settle()
			w.Recorded(1, "notes of where a message has gone", `select count(*) from posts where body::text like '%Passed on to%'`)
			// After a pause it is not plain any more.
			w.Pass(6 * time.Minute)
			ana.Says("and it hums")
			w.Settle()
			w.Recorded(2, "notes of where a message has gone", `select count(*) from posts where body::text like '%Passed on to%'`)
			ben.Press("Claim").Sees("Ben Weber is on it")
			ben.About("INC-1").Says("how many had it?")
			ana.Sees("Ben Weber", "INC-1", "how many had it?")
			// What comes next is taken for the answer, which the desk says.
			ana.Says("the vpn drops every ten minutes").Sees("Passed on to Ben Weber for INC-1.", "It's something else")
			ben.About("INC-1").Sees("vpn drops")
			ana.Press("It's something else").Sees("Keep the VPN connected", "Solved it")
			ben.About("INC-1").Sees("This message was deleted by its author.")
			ben.About("INC-1").SeesNot("vpn drops")
			// A quote says which ticket is meant, whatever was talked of last.
			ana.About("how many had it?").Says("about a dozen")
			ben.About("INC-1").Sees("about a dozen")
			ana.Says("thirteen even")
			ben.About("INC-1").Sees("thirteen even")
			// After a while a message is a new question.
			w.Pass(25 * time.Hour)
			ana.Says("the printer is not printing").Sees("The printer on your floor does not print", "It is about INC-1")
			ben.About("INC-1").SeesNot("the printer is not printing")
		},
	},
}

// picture is one of so many dots.
func picture(width int) []byte {
	var b bytes.Buffer
	if err := png.Encode(&b, image.NewGray(image.Rect(0, 0, width, 1))); err != nil {
		panic(err)
	}
	return b.Bytes()
}
