package adaptertest

import "time"

// Acme's configuration items: payroll and the portal run on app-1 and app-2,
// which both stand on db-3.
var itemising = []Conversation{
	{
		Name: "an item is shown with what depends on it", Rows: []string{"CI1", "CI2", "CI3"},
		Run: func(w *World) {
			ben := w.Person("ben")
			ben.Commands("ci DB-3").Sees("db-3", "Orders database", "database", "If it stops: Payroll, Portal; up to 420 people", "app-1", "payroll", "What it stands on", "san-1", "Show graph")
			ben.Commands("ci nosuchthing").Sees("I know no item called “nosuchthing”")
			ben.Commands("ci app").Sees("Which one?", "app-1", "app-2").PressOn("Which one?", "Show")
			ben.Sees("app-1", "If it stops: Payroll; up to 40 people")
		},
	},
	{
		Name: "a ticket says what is affected, and the item which tickets it has", Rows: []string{"CI1", "CI3", "CI8"},
		Run: func(w *World) {
			_, ben := opened(w, "orders are slow since the zeppelin landed")
			ben.Press("What is affected?…").SeesForm("What is affected?")
			ben.Fill("Item", "db-3").Submits()
			ben.Sees("INC-1", "Affects", "db-3 (Payroll, Portal; up to 420 people)", "est. 10 000 an hour, 1 min")
			w.Pass(46 * time.Minute)
			ben.Sees("est. 10 000 an hour, 46 min: about 7 700")
			ben.Commands("ci db-3")
			w.Aside("ben", "it-triage").Sees("Open tickets", "INC-1", "orders are slow")
			ben.PressOn("Claim", "What is affected?…").SeesForm("db-3").Press("Remove").Closes()
			w.Recorded(0, "items on tickets", `select count(*) from ticket_items`)
			w.Recorded(1, "audited additions", `select count(*) from audit where action = 'item added'`)
			w.Recorded(1, "audited removals", `select count(*) from audit where action = 'item removed'`)
		},
	},
	{
		Name: "an item is changed by those who look after it, and a circle is told", Rows: []string{"CI1", "CI2", "CI6"},
		Run: func(w *World) {
			leo := w.Person("leo")
			leo.Commands("ci db-3").Press("Edit…").SeesForm("db-3").Fill("How vital is it?", "1, vital").Fill("What should others know of it?", "Restart it at night.").Submits()
			leo.Sees("db-3 is changed")
			leo.Commands("ci db-3").Sees("db-3", "1, vital", "Restart it at night.").Press("What it hangs on…").SeesForm("db-3 depends on san-1")
			leo.Fill("How?", "db-3 runs on …").Fill("Item", "app-1").Submits()
			leo.Sees("db-3 runs on app-1", "in a circle: ")
			w.Recorded(1, "items changed by hand", `select count(*) from items where by_hand and tier = 1 and version = 3`)
			w.Recorded(2, "audited steps", `select count(*) from audit where subject = 'item' and action in ('edited', 'relation added')`)
		},
	},
	{
		Name: "what the company runs on is for agents", Rows: []string{"CI1"},
		Run: func(w *World) {
			w.Person("ana").Says("ci db-3").SeesNot("Orders database")
		},
	},
}
