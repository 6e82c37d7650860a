package adaptertest

import (
	"strings"
	"time"
)

// asksApproval raises a change of Ben's on db-3, CHG-1, which Leo, who leads his
// team, is asked about. Its window begins in two days; more fills in what is to
// be different.
func asksApproval(w *World, more func(form Actor)) (ben, leo Actor) {
	w.Helper()
	ben, leo = w.Person("ben"), w.Person("leo")
	ben.Says("change").Press("Raise a change")
	ben.SeesForm("Which kind?").Fill("What is changed?", "A bigger disk for db-3").Fill("Why?", "It is full on Friday.")
	ben.Fill("More items, by name", "DB-3").Fill("Which service is it for?", "Printing").Submits()
	ben.SeesForm("A bigger disk for db-3").Fill("Plan", "1. Add the disk.\n2. Grow the volume.").Fill("How is it tested?", "Watch the queue.")
	ben.Fill("The way back", "Detach the disk.").Submits()
	inWindow(ben.SeesForm("May begin on"), 48*time.Hour, 3*time.Hour)
	if more != nil {
		more(ben)
	}
	ben.Submits()
	return ben, leo
}

// inWindow fills in when a change may be done, in the zone of Acme.
func inWindow(form Actor, ahead, long time.Duration) {
	zone, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		panic(err) // the standard library has it
	}
	from := time.Now().In(zone).Add(ahead)
	to := from.Add(long)
	form.Fill("May begin on", from.Format(time.DateOnly)).Fill("at what time?", from.Format("15:04"))
	form.Fill("Must be over on", to.Format(time.DateOnly)).Fill("by what time?", to.Format("15:04"))
	form.Fill("How long does it take?", "1 h")
}

var changing = []Conversation{
	{
		Name: "a change is raised, approved in a message with the facts, done and over", Rows: []string{"AC1", "AC2", "AC8", "AC9", "AC14"},
		Run: func(w *World) {
			ben, leo := asksApproval(w, nil)
			leo.Sees("CHG-1", "A bigger disk", "Medium", "2 services depend on db-3", "db-3: Payroll, Portal; up to 420 people", "Team lead", "Approve")
			leo.Press("Plan and way back").SeesForm("Grow the volume", "Detach the disk", "Watch the queue").Closes()
			leo.PressOn("CHG-1", "Approve")
			leo.Sees("CHG-1", "Approved by Leo Novak")
			ben.Sees("CHG-1 “A bigger disk for db-3” is approved.")
			ben.Press("Started").Sees("I can't start that: its window has not begun")
			w.Pass(48*time.Hour + time.Minute)
			ben.Sees("The window of CHG-1", "has begun")
			ben.Press("Started").Sees("CHG-1", "In progress", "Worked")
			ben.Press("Worked").Sees("CHG-1", "Worked", "Approved by Leo Novak")
			w.Recorded(1, "yes", `select count(*) from votes where answer = 'yes'`)
			w.Recorded(1, "audited votes", `select count(*) from audit where action = 'approval: voted'`)
		},
	},
	{
		Name: "no change without a way back, in the past, in a freeze or that nobody could approve", Rows: []string{"AC1"},
		Run: func(w *World) {
			ben := w.Person("ben")
			ben.Says("change").Press("Raise a change").Fill("What is changed?", "A cable").Fill("Why?", "It is loose.").Fill("More items, by name", "db-9")
			ben.SubmitRefused("I know no “db-9”")
			ben.Fill("More items, by name", "db-2").SubmitRefused("db-2 is retired")
			ben.Fill("More items, by name", "").SubmitRefused("Please choose what is touched")
			ben.Fill("Which service is it for?", "VPN")
			ben.Fill("More items, by name", "db-3").Submits()
			ben.Fill("Plan", "Push it in.").Fill("The way back", " ").SubmitRefused()
			ben.Fill("The way back", "Pull it out.").Submits()
			inWindow(ben.SeesForm("May begin on"), -2*time.Hour, time.Hour)
			ben.SubmitRefused("This time has passed")
			inWindow(ben, 48*time.Hour, 30*time.Minute)
			ben.SubmitRefused("The work takes longer than its window", "This is in the freeze “No new routes”")
			inWindow(ben, 48*time.Hour, 3*time.Hour)
			ben.Fill("If it is in a freeze: why can't it wait?", "It sparks.").Fill("Who does it?", "Leo Novak").SubmitRefused("there is nobody who could give it")
			w.Recorded(0, "changes asked about", `select count(*) from changes where state <> 'draft'`)
			w.Recorded(0, "approvals", `select count(*) from approvals`)
			ben.Fill("Who does it?", "Ben Weber").Submits()
			ben.Sees("CHG-1", "Waiting for approval", "in the freeze “No new routes”", "It sparks.")
		},
	},
	{
		Name: "a rejection says why, and nobody approves their own", Rows: []string{"AC2", "AC4", "SA13"},
		Run: func(w *World) {
			ben, leo := asksApproval(w, nil)
			leo.PressOn("CHG-1", "Reject…").Fill("Why?", " ").SubmitRefused()
			leo.Fill("Why?", "Not on a pay day.").Submits()
			leo.Sees("CHG-1", "Rejected by Leo Novak", "Not on a pay day.")
			leo.SeesNot("Reject…")
			ben.Sees("CHG-1", "was rejected: Not on a pay day.")
		},
	},
	{
		Name: "an edit after a yes is asked about again, with the difference", Rows: []string{"AC7", "AC15"},
		Run: func(w *World) {
			ben, leo := asksApproval(w, nil)
			leo.PressOn("CHG-1", "Approve")
			ben.Sees("is approved.")
			ben.PressOn("Approved by Leo Novak", "Edit…").SeesForm("A bigger disk").Fill("Plan", "1. Swap the disk.").Submits()
			leo.Sees("was changed after your yes, so I ask you again")
			leo.PressOn("What has changed", "What has changed").SeesForm("Swap the disk", "Grow the volume").Closes()
			leo.PressOn("CHG-1", "Approve")
			leo.Sees("CHG-1", "Approved by Leo Novak")
			w.Recorded(2, "rounds", `select count(*) from approval_rounds`)
			w.Pass(24*time.Hour + time.Minute)
			sales := w.Channel("sales").Sees("Planned work: A bigger disk for db-3", "planned")
			ben.PressOn("Approved by Leo Novak", "Edit…").SeesForm("A bigger disk").Fill("Plan", "1. Swap both disks.").Submits()
			sales.Sees("put off: it is being looked at once more")
			leo.PressOn("Approve", "Approve")
			sales.Sees("planned").SeesNot("put off")
			ben.PressOn("Approved by Leo Novak", "Cancel it…").Fill("Why?", "No need any more.").Submits()
			sales.Sees("called off: it will not be done")
			w.Recorded(1, "announcements", `select count(*) from announcements`)
			w.Recorded(1, "votes in the second round", `select count(*) from votes where round = 2`)
		},
	},
	{
		Name: "a window that comes without a yes blocks the change, and deputies are asked before", Rows: []string{"AC6"},
		Run: func(w *World) {
			ben, leo := asksApproval(w, nil)
			leo.Sees("CHG-1", "Approve")
			w.Pass(13 * time.Hour)
			leo.Sees("CHG-1", "still waits for your answer")
			w.Pass(12 * time.Hour)
			w.Person("ada").Sees("CHG-1", "A bigger disk", "Approve")
			w.Pass(24 * time.Hour)
			ben.Sees("CHG-1", "is blocked", "Silence is no yes")
			leo.Sees("CHG-1", "Blocked: nobody said yes in time").SeesNot("Reject…")
		},
	},
	{
		Name: "what waits for an approver, and the calendar, are one word away", Rows: []string{"AC10", "AC18"},
		Run: func(w *World) {
			_, leo := asksApproval(w, nil)
			leo.Says("approvals").Sees("These wait for you", "CHG-1", "A bigger disk")
			leo.Says("changes").Sees("Changes of the next seven days", "CHG-1", "Waiting for approval")
			leo.Press("In my calendar").Sees("Subscribe to the address", "Network", "/calendar/")
			leo.Press("New address").Sees("Here is the new address", "Network", "/calendar/")
			leo.Says("CHG-1").Sees("CHG-1", "Approve")
			w.Person("ana").Says("CHG-1").Sees("there is no such change")
		},
	},
	{
		Name: "what did not work wants a review, and makes the next change there riskier", Rows: []string{"AC8", "AC12", "AC14", "AC19"},
		Run: func(w *World) {
			ben, leo := asksApproval(w, nil)
			leo.PressOn("CHG-1", "Approve")
			ben.Sees("is approved.")
			w.Pass(48*time.Hour + time.Minute)
			ben.Press("Started").Sees("In progress")
			w.Pass(3 * time.Hour)
			ben.Sees("The window of CHG-1", "is over. Did it work?").Press("Rolled back…").Fill("What went wrong?", "The disk was too small.").Submits()
			ben.Sees("Rolled back", "The disk was too small.", "It wants a review")
			w.Pass(25 * time.Hour)
			ben.Sees("still wants its review")
			ben.Press("Write the review…").Fill("What was learnt?", "Measure first.").Submits()
			ben.Sees("Learnt: Measure first.")
			leo.Says("changes success").Sees("Changes of the last 30 days: 0 of 1 worked (0 %)", "The baseline, the 90 days before: none was done", "nothing to measure that against", "db-3: 1 of 1 did not work (CHG-1)")
			w.Pass(31 * 24 * time.Hour)
			w.Channel("it-triage").Sees("Changes of", "0 of 1 worked", "The baseline, the three months before", "By team", "db-3: 1 of 1 did not work (CHG-1)")
			w.Recorded(0, "reviews owed", `select count(*) from changes where state = 'done' and reviewed_at is null and outcome <> 'worked'`)
		},
	},
	{
		Name: "who is away hands over what waits for them, and the record says for whom", Rows: []string{"AC5"},
		Run: func(w *World) {
			ada := w.Person("ada")
			ada.Says("hello").Sees("Hello Ada.")
			_, leo := asksApproval(w, nil)
			leo.Says("approvals hand over").Press("Hand over approvals…").SeesForm("Who answers for you?")
			leo.Fill("Who answers for you?", "Ada Roth").Fill("Until and including", time.Now().AddDate(0, 0, 5).Format(time.DateOnly)).Submits()
			ada.Sees("Leo Novak has asked you to answer for them")
			ada.PressOn("CHG-1", "Approve")
			leo.Sees("CHG-1", "Approved by Ada Roth for Leo Novak")
			ada.Says("approvals hand over").Press("Hand over approvals…").Fill("Who answers for you?", "Leo Novak").Fill("Until and including", time.Now().AddDate(0, 0, 5).Format(time.DateOnly))
			ada.SubmitRefused("They would come back to you").Closes()
			leo.Press("Take them back").Sees("You answer for yourself again.")
			w.Recorded(1, "votes for somebody", `select count(*) from votes where capacity = 'delegate'`)
		},
	},
	{
		Name: "those whom a change affects are told a day before in a message that keeps up with it", Rows: []string{"AC15", "AC16"},
		Run: func(w *World) {
			ben, leo := asksApproval(w, nil)
			leo.PressOn("CHG-1", "Approve")
			ben.Sees("is approved.")
			w.Channel("sales").SeesNot("Planned work")
			w.Pass(24*time.Hour + time.Minute)
			ana := w.Person("ana").In("sales")
			ana.Sees("Planned work: A bigger disk for db-3", "planned", "Payroll, Portal")
			w.Pass(24 * time.Hour)
			ana.Sees("may begin at any moment")
			ben.Press("Started").Sees("CHG-1", "In progress")
			ana.Sees("under way since").Press("It broke something").SeesForm("CHG-1").Fill("What is broken?", " ").SubmitRefused()
			ana.Fill("What is broken?", "No label comes out").Submits()
			w.Channel("it-triage").Sees("INC-1", "No label comes out", "CHG-1: Ana Silva says that it broke something")
			ben.Sees("Ana Silva says that CHG-1 “A bigger disk for db-3” broke something. It is INC-1: No label comes out").Sees("Under suspicion for INC-1")
			w.Person("kim").In("it-triage").Press("Caused by CHG-1").Sees("INC-1", "Caused by CHG-1", "says Kim Lee")
			ben.Sees("Kim Lee says that INC-1 “No label comes out” comes from CHG-1").Sees("It has caused INC-1").Press("Worked").Sees("an incident comes from it, so it has not worked")
			ben.Press("Rolled back…").Fill("What went wrong?", "The driver was too old.").Submits()
			ana.Sees("taken back: all is as it was before").SeesNot("may begin at any moment")
			w.Recorded(1, "announcements", `select count(*) from announcements`)
			w.Recorded(1, "audited causes", `select count(*) from audit where action = 'change blamed'`)
		},
	},
	{
		Name: "a standard change that broke something is off the list until its review", Rows: []string{"AC11", "AC16", "CI4"},
		Run: func(w *World) {
			ben := w.Person("ben")
			raise := func() Actor {
				ben.Says("change").Press("Raise a change").SeesForm("Which kind?").Fill("Which kind?", "Standard: Disks").Fill("What is changed?", "A disk for db-3")
				return ben.Fill("Why?", "It is full.").Fill("More items, by name", "db-3")
			}
			raise().Submits()
			ben.SeesForm("Add it and grow the volume.").Submits()
			inWindow(ben.SeesForm("May begin on"), time.Hour, time.Hour)
			ben.Submits().Sees("CHG-1", "Approved", "approved by rule “Disks”")
			w.Pass(time.Hour + time.Minute)
			ben.Press("Started").Press("Worked").Sees("CHG-1", "Worked")
			w.Pass(40 * time.Minute)
			opened(w, "the salary run hangs")
			kim := w.Person("kim").In("it-triage")
			kim.Press("What is affected?…").Fill("Item", "payroll").Submits()
			kim.Sees("INC-1", "Affects", "CHG-1", "touched db-3 40 min before: A disk for db-3").Press("Caused by CHG-1").Sees("Caused by CHG-1", "says Kim Lee")
			ben.Sees("INC-1 “the salary run hangs” comes from CHG-1", "counts as failed, and wants a review", "“Disks” is off the list of standard changes")
			raise().SubmitRefused("off the list until CHG-1, which did not work, has been reviewed").Closes()
			ben.Press("Write the review…").Fill("What was learnt?", "Not while salaries run.").Submits()
			ben.Sees("Learnt: Not while salaries run.")
			raise().Submits()
			ben.SeesForm("A disk for db-3")
			ben.Closes()
			kim.Press("Resolve").Fill("What fixed it?", "Took the disk out.").Submits()
			w.Person("eva").Says("salaries hang once more").Press("Talk to a person").Sees("INC-2")
			kim.PressOn("INC-2", "What is affected?…").Fill("Item", "payroll").Submits()
			kim.Sees("INC-2", "payroll: one other ticket in 90 days.", "What helped last time (INC-1): Took the disk out.")
			w.Recorded(1, "failures on record", `select count(*) from changes where outcome = 'failed' and reviewed_at is not null`)
		},
	},
	{
		Name: "an emergency is asked of one person now, and its review is asked for each day", Rows: []string{"AC12"},
		Run: func(w *World) {
			ben, leo := w.Person("ben"), w.Person("leo")
			ben.Says("change").Press("Raise a change").Fill("Which kind?", "Emergency").Fill("What is changed?", "A new route").Fill("Why?", "Nobody is online.")
			ben.Fill("More items, by name", "db-3").Submits()
			ben.SeesForm("A new route").Fill("Plan", "Set it.").Fill("The way back", "Unset it.").Submits()
			inWindow(ben.SeesForm("May begin on"), 0, time.Hour)
			ben.Submits()
			leo.Sees("CHG-1", "Emergency: asked of one person now").PressOn("CHG-1", "Approve").Fill("Please type CHG-1 to approve it", "CHG-1").Submits()
			ben.Sees("is approved.").Press("Started").Press("Worked").Sees("It wants a review")
			for _, ago := range []string{"24 hours", "2 days"} {
				w.Pass(24 * time.Hour)
				ben.Sees("CHG-1 “A new route” ended " + ago + " ago and still wants its review")
			}
			if n := ben.Counts("still wants its review"); n != 2 {
				w.Errorf("the review was asked for %d times in two days", n)
			}
			ben.Press("Write the review…").Fill("What was learnt?", "A second line.").Submits()
			ben.Sees("Learnt: A second line.")
			w.Recorded(0, "reviews that are still to be asked for", `select count(*) from due where kind = 'change.window'`)
		},
	},
	{
		Name: "what was changed to resolve an incident is recorded in two fields", Rows: []string{"AC17", "CI9"},
		Run: func(w *World) {
			_, ben := opened(w, "orders are slow since the zeppelin landed")
			ben.Press("Claim").Sees("is on it").Press("Resolve").Fill("What fixed it?", "More memory.").Fill("On what?", "db-3")
			ben.SubmitRefused("Please say in a few words what you changed on it")
			ben.Fill("Did you change something in production? What?", "Doubled the memory").Submits()
			ben.Sees("INC-1", "Resolved", "Changed in production by Ben Weber: CHG-1 Doubled the memory")
			w.Person("kim").Sees("Ben Weber has changed something that you answer for, to resolve INC-1: Doubled the memory")
			ben.Commands("ci db-3")
			w.Aside("ben", "it-triage").Sees("Last changes", "CHG-1", "Ben Weber", "worked")
			w.Recorded(1, "undocumented changes", `select count(*) from changes c join ticket_changes x on x.change_id = c.id where c.kind = 'undocumented' and x.link = 'made'`)
		},
	},
	{
		Name: "a risky change goes through two stages, says what it clashes with, and is confirmed by typing its number", Rows: []string{"AC3", "AC8", "AC10", "AC20"},
		Run: func(w *World) {
			ben, leo := asksApproval(w, nil)
			ada, kim := w.Person("ada"), w.Person("kim")
			ada.Says("hello").Sees("Hello Ada.")
			kim.Says("change").Press("Raise a change").Fill("What is changed?", "Faster cables").Fill("Why?", "It is slow.").Fill("More items, by name", "db-3").Submits()
			kim.SeesForm("Faster cables").Fill("Plan", "Swap them.").Fill("The way back", "Swap them back.").Submits()
			inWindow(kim.SeesForm("May begin on"), 49*time.Hour, 3*time.Hour)
			kim.Submits().Sees("CHG-2", "High", "CHG-1 is on db-3 at the same time: A bigger disk for db-3", "Stage 1 of 2: Team lead")
			confirm := func(a Actor) {
				a.PressOn("CHG-2", "Approve").SeesForm("The risk is high").Fill("Please type CHG-2 to approve it", "CHG-1").SubmitRefused("That is not CHG-2")
				a.Fill("Please type CHG-2 to approve it", "chg 2").Submits()
			}
			ada.SeesNot("CHG-2")
			kim.Says("changes").Sees("CHG-1 is on db-3 at the same time", "CHG-2 is on db-3 at the same time", "Freeze “No new routes”")
			confirm(leo)
			kim.Sees("Stage 2 of 2: Change board, 0 of 2 yes")
			confirm(ada)
			kim.Sees("Stage 2 of 2: Change board, 1 of 2 yes")
			confirm(ben)
			kim.Sees("CHG-2 “Faster cables” is approved.")
			w.Recorded(2, "stages", `select count(*) from approval_stages s join approvals a on a.id = s.approval_id where a.state = 'approved'`)
		},
	},
	{
		Name: "a change is written in steps, with items found as one types, and what was sent outlives a closed form", Rows: []string{"AC1"},
		Run: func(w *World) {
			ben := w.Person("ben")
			ben.Says("change").Press("Raise a change").Fill("What is changed?", "Two disks").Fill("Why?", "It is full.")
			ben.Fill("What does it touch?", "db-3").Fill("More items, by name", "san-1").Submits()
			ben.SeesForm("2 of 3").Fill("Plan", strings.Repeat("Turn a screw. ", 200)).Fill("The way back", "Turn it back.").Submits()
			ben.SeesForm("3 of 3").Closes()
			w.Settle()
			w.Recorded(2, "items of the draft", `select count(*) from change_items x join changes c on c.id = x.change_id where c.state = 'draft'`)
			ben.Press("Raise a change").SeesForm("Being written: CHG-1 Two disks").Press("Go on with it").SeesForm("Turn a screw.", "Turn it back.").Submits()
			inWindow(ben.SeesForm("3 of 3"), 48*time.Hour, 3*time.Hour)
			ben.Submits().Sees("CHG-1", "Waiting for approval", "db-3, san-1")
			w.Recorded(1, "changes", `select count(*) from changes`)
		},
	},
	{
		Name: "each step of a change closed half-filled comes back as it was", Rows: []string{"AC1"}, Needs: []Feature{Closings},
		Run: func(w *World) {
			ben := w.Person("ben")
			ben.OpensHome().Press("Raise a change").SeesForm("Which kind?").Fill("What is changed?", "Two disks").Closes()
			w.Settle()
			ben.Says("change").Press("Raise a change").SeesForm("Being written: CHG-1 Two disks").Press("Go on with it").SeesForm("Two disks").Fill("Why?", "It is full.").Fill("More items, by name", "db-3").Submits()
			ben.SeesForm("2 of 3").Fill("Plan", "Turn a screw.").Closes()
			w.Settle()
			ben.Press("Raise a change").Press("Go on with it").SeesForm("Turn a screw.").Fill("The way back", "Turn it back.").Submits()
			ben.SeesForm("3 of 3").Fill("If it is in a freeze: why can't it wait?", "The law.").Closes()
			w.Settle()
			ben.Press("Raise a change").Press("Go on with it").SeesForm("Turn a screw.").Submits().SeesForm("The law.")
			w.Recorded(1, "changes", `select count(*) from changes`)
		},
	},
}
