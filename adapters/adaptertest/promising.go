package adaptertest

import (
	"fmt"
	"time"
)

// Acme promises an answer within an hour and a fix within eight, at all hours.

// promising are conversations about what was promised.
var promising = []Conversation{
	{
		Name: "every card has both promises, and the first answer of a human being keeps one", Rows: []string{"SE1"}, Crosses: true,
		Run: func(w *World) {
			ana, ben := opened(w, "my zeppelin is behind time")
			ana.Sees("INC-1", "answer by", "fix by")
			ben.Sees("INC-1", "answer by", "fix by")
			ben.Press("Claim")
			ana.Sees("Ben Weber is on it", "answer by") // the desk's word is not an answer
			ben.About("INC-1").Says("Which platform does it leave from?")
			ben.Sees("INC-1", "answered in time", "fix by")
			ana.Sees("INC-1", "answered in time", "fix by")
			w.Pass(2 * time.Hour)
			w.Channel("sla-alerts").SeesNot("INC-1")
			w.Recorded(0, "alerts", `select count(*) from alerts`)
		},
	},
	{
		Name: "why a time is as it is, in a sum to check", Rows: []string{"SE5"}, Crosses: true,
		Run: func(w *World) {
			ana, ben := opened(w, "my zeppelin is overdue")
			ana.Press("Why this time?")
			ana.Sees("INC-1: when it is answered", "Opened", "answer within 1 h (Standard)", "at all hours", "left, so answer by")
			ben.Press("Waiting for…").Fill("What is it waiting for?", "For a supplier").Submits()
			ben.Press("Why this time?")
			w.Aside("ben", "it-triage").Sees("INC-1: when it is fixed", "fix within 8 h (Standard)", "Paused", "waiting for a supplier", "left when it goes on")
		},
	},
	{
		Name: "a pause stops the clock to the second, and a new priority keeps the time used", Rows: []string{"SE3", "TL9"}, Crosses: true,
		Run: func(w *World) {
			ana, ben := opened(w, "my zeppelin needs a part")
			ben.Press("Claim").Sees("Ben Weber is on it")
			ben.About("INC-1").Says("Which part?")
			ana.Sees("answered in time")
			w.Pass(2 * time.Hour)
			ben.Press("Waiting for…").Fill("What is it waiting for?", "For the requester").Submits()
			ana.Sees("INC-1", "fix paused", "left")
			w.Pass(30 * time.Hour)
			ana.SeesNot("late")
			ana.About("my zeppelin needs a part").Says("the big one")
			ana.Sees("INC-1", "fix by")
			ben.Press("Change priority…").Fill("Who is affected?", "Customers or revenue").Fill("By when does it hurt more?", "Right now, work has stopped").Fill("Why?", "the fair begins").Submits()
			ana.Sees("Critical", "fix by")
			// Two of four hours are used.
			w.Recorded(1, "clocks with two hours left, give or take a minute", `select count(*) from clocks where kind = 'resolution' and state = 'running'
				and left_ns between 118 * 60 * 1e9 and 120 * 60 * 1e9`)
			w.Pass(121 * time.Minute)
			w.Channel("sla-alerts").Sees("INC-1", "fix was due", "I take it")
		},
	},
	{
		Name: "as the time runs out the right people are told, and then the requester", Rows: []string{"SE4", "SE6", "SE7", "SE16"}, Crosses: true,
		Run: func(w *World) {
			ana, ben := opened(w, "my zeppelin is waiting for an answer")
			ben.Press("Claim").Sees("Ben Weber is on it")
			w.Pass(46 * time.Minute)
			ben.About("INC-1").Sees("@Ben Weber", "INC-1 needs an answer by")
			w.Pass(9 * time.Minute)
			w.Person("ben").Sees("INC-1 needs an answer by")
			w.Person("leo").Sees("INC-1 needs an answer by")
			w.Pass(6 * time.Minute)
			alerts := w.Person("ben").In("sla-alerts")
			alerts.Sees("INC-1", "Late", "answer was due", "Ana Silva", "Service Desk", "I take it", "Reassign", "Tell requester")
			ana.Sees("We have not answered you about INC-1 as soon as we promised", "New time", "Escalate")
			ana.PressSure("Escalate", "Escalate").Sees("You have asked for somebody higher up")
			w.Person("leo").Sees("Ana Silva asks for somebody higher up", "INC-1")
			w.Pass(20 * time.Minute)
			alerts.Sees("INC-1", "Late by 2", "min")
			alerts.Press("I take it").Sees("Ben Weber sees to it since")
			alerts.Press("Tell requester").SeesForm("When will it be done?")
			alerts.Fill("When will it be done?", "Within two hours").Fill("What do you want to say?", "The mast was locked.").Submits()
			ana.Sees("Ben Weber", "The mast was locked.")
			alerts.Sees("Answered by Ben Weber", "late")
			alerts.SeesNot("I take it")
			ana.Sees("INC-1 was answered later than we promised")
			w.Pass(3 * time.Hour)
			w.Recorded(1, "cards of the breach in the channel", `select count(*) from posts where card = 'breach' and channel <> ''`)
			w.Recorded(3, "alerts, each once", `select count(*) from alerts where kind = 'response'`)
		},
	},
	{
		Name: "after an hour the next in line is told, until somebody has taken it", Rows: []string{"SE4", "SE8"}, Crosses: true,
		Run: func(w *World) {
			_, ben := opened(w, "my zeppelin is nobody's")
			w.Pass(61 * time.Minute)
			w.Channel("sla-alerts").Sees("INC-1", "Late", "Nobody yet", "@Leo")
			w.Pass(time.Hour)
			w.Person("leo").Sees("INC-1", "Late by 1 h")
			ben.Press("Claim").Sees("Ben Weber is on it")
			w.Channel("sla-alerts").Sees("INC-1", "Ben Weber sees to it since")
			w.Pass(time.Hour)
			w.Person("ada").SeesNot("INC-1")
			w.Recorded(2, "alerts that were told", `select count(*) from alerts where kind = 'response' and outcome = 'told'`)
		},
	},
	{
		Name: "many breaches at once are one message that keeps itself current", Rows: []string{"SE11"}, Crosses: true,
		Run: func(w *World) {
			ana, ben := w.Asking("ana").In("it-help"), w.Person("ben").In("it-triage")
			const tickets = 8
			for i := range tickets {
				ana.Says(fmt.Sprintf("zeppelin number %d is gone", i+1))
				w.Settle()
				ana.Press("Talk to a person")
				ben.Sees(fmt.Sprintf("INC-%d", i+1))
			}
			w.Pass(61 * time.Minute)
			alerts := w.Person("ben").In("sla-alerts")
			alerts.Sees("8 tickets are late or about to be", "INC-1", "INC-8", "Show list")
			alerts.Press("Show list").SeesForm("INC-1", "INC-8", "answer was due").Closes()
			alerts.Press("I take INC-3").Sees("zeppelin number 3 is gone · Normal · Ben Weber")
			w.Recorded(1, "messages about it in the channel", `select count(*) from posts where card in ('breach', 'digest') and channel <> ''`)
			for i := range tickets {
				ben.PressOn(fmt.Sprintf("zeppelin number %d ", i+1), "Resolve").Fill("What fixed it?", "It has landed.").Submits()
			}
			alerts.Sees("All 8 tickets that were late or about to be are seen to")
		},
	},
	{
		Name: "out of hours alerts wait, but for what can't: that goes to whoever is on call", Rows: []string{"SE10"}, Manner: Quiet, Crosses: true,
		Run: func(w *World) {
			_, ben := opened(w, "my zeppelin can wait")
			eva := w.Person("eva")
			eva.Says("my submarine is dry").Press("Open a ticket").Press("Something is broken")
			eva.Fill("What is broken?", "The submarine").Fill("Who is affected?", "Customers or revenue").Fill("By when does it hurt more?", "Right now, work has stopped").Submits()
			ben.Sees("INC-2", "Critical")
			w.Pass(61 * time.Minute)
			alerts := w.Channel("sla-alerts")
			alerts.Sees("INC-2", "The submarine", "answer was due")
			w.Person("kim").Sees("INC-2")
			alerts.SeesNot("INC-1")
			w.Person("leo").SeesNot("INC-2")
			w.Pass(48 * time.Hour)
			alerts.Sees("INC-1", "Late", "my zeppelin can wait")
		},
	},
	{
		Name: "agents see how the desk itself does", Rows: []string{"SE9"}, Crosses: true,
		Run: func(w *World) {
			_, ben := opened(w, "my zeppelin is watched")
			w.Pass(61 * time.Minute)
			w.Channel("sla-alerts").Sees("INC-1", "Late")
			w.Settle() // what has gone out is on record
			ben.Commands("status").Sees("How the desk does", "Clocks: ", "Alerts this week: 1", "not made good: 1")
		},
	},
	{
		Name: "a reopened ticket has its promise again, from where it stood", Rows: []string{"SE3", "TL12"}, Crosses: true,
		Run: func(w *World) {
			ana, ben := opened(w, "my zeppelin came back")
			w.Pass(30 * time.Minute)
			ben.Press("Resolve").Fill("What fixed it?", "Sent it off.").Submits()
			ana.Sees("INC-1", "answered in time, fixed in time")
			w.Pass(24 * time.Hour)
			ana.Press("No, reopen").Fill("What is still wrong?", "It is here again.").Submits()
			ana.Sees("INC-1", "fix by")
			w.Recorded(1, "clocks with seven and a half hours left", `select count(*) from clocks where kind = 'resolution' and state = 'running'
				and left_ns between 449 * 60 * 1e9 and 450 * 60 * 1e9`)
		},
	},
}
