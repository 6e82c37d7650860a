package app

import (
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/deskhand/deskhand/adapters/slack/slacktest"
	"github.com/deskhand/deskhand/storage/pgtest"
)

// tiered is Acme with three tiers and simple things.
var tiered = strings.NewReplacer(
	"services:\n", `  - {slug: backbone, name: Backbone, tier: 3, channel: {slack: it-spare}, lead: ada@acme.example, members: [ben@acme.example]}
services:
  - {slug: passwords, name: Passwords, incidents: service-desk, requests: service-desk, words: [password], tier: 2}
`).Replace(company)

// chosen is Acme whose service desk leaves it to the desk who has a ticket.
var chosen = strings.Replace(company, "members: [ben@acme.example, kim@acme.example]}",
	"members: [ben@acme.example, kim@acme.example], assign: auto, skills: {printing: [kim@acme.example]}}", 1)

func openAs(t *testing.T, policy string) *desk {
	t.Helper()
	d := &desk{t: t}
	d.slack = workspace(t, slacktest.Options{Now: d.now})
	o := Options{DatabaseURL: pgtest.URL(t)}
	seedWith(t, o.DatabaseURL, policy)
	d.start(o)
	return d
}

func TestAHigherTierLearnsWhatWasTried(t *testing.T) {
	t.Parallel()
	d := openAs(t, tiered)
	ana, ben, leo := d.Person("ana"), d.Person("ben").In("it-triage"), d.Person("leo").In("it-network")
	ana.Says("my zeppelin will not dock").Press("Talk to a person").Sees("INC-1")
	ben.Press("Claim").Sees("Ben Weber is on it")
	ben.Choose("Hand over to a team…").SeesForm("To which team?", "What was tried?")
	ben.Fill("To which team?", "Network").Fill("What have you found out?", "It is the mast.").SubmitRefused("Network is tier 2. Please say what was tried already")
	ben.Fill("What was tried?", "A longer rope.").Submits()
	leo.Sees("INC-1", "2nd team: Service Desk (Ben Weber) → Network.", "Claim")
	leo.InThread("INC-1").Sees("It is the mast.", "Tried: A longer rope.")
	leo.Press("Claim").Sees("Leo Novak is on it")
	leo.Choose("History").SeesForm("With Service Desk (Ben Weber) → Network (Leo Novak)", "handed it over to Network", "Tried: A longer rope.")
	leo.Closes()
	// Down again nobody has to say what was tried.
	leo.Choose("Hand over to a team…").Fill("To which team?", "Service Desk").Fill("What have you found out?", "A knot.").Submits()
	ben.Sees("3rd team: Service Desk (Ben Weber) → Network (Leo Novak) → Service Desk.")
}

func TestATicketThatHasSeenTooManyTeams(t *testing.T) {
	t.Parallel()
	d := openAs(t, tiered)
	ana, ben, kim, leo := d.Person("ana"), d.Person("ben").In("it-triage"), d.Person("kim").In("it-triage"), d.Person("leo").In("it-network")
	ana.Says("my zeppelin will not dock").Press("Talk to a person").Sees("INC-1")
	ben.Choose("Hand over to a team…").Fill("To which team?", "Network").Fill("What was tried?", "A rope.").Submits()
	leo.Sees("2nd team: Service Desk → Network.")
	leo.SeesNot("only a lead")
	leo.Choose("Hand over to a team…").Fill("To which team?", "Service Desk").Fill("What have you found out?", "No.").Submits()
	kim.Sees("3rd team: Service Desk → Network → Service Desk. From here only a lead hands it on: ask Leo Novak, who leads Service Desk.")
	kim.Choose("Hand over to a team…")
	kim.Sees("I can't hand over that: Service Desk is its 3rd team, and from there only a lead hands it on. Ask Leo Novak, who leads Service Desk.")
	if n := d.count(`select moves from tickets`); n != 2 {
		t.Errorf("it has moved %d times, want 2", n)
	}
	// Leo leads the desk; he is in its channel too.
	d.Person("leo").In("it-triage").Choose("Hand over to a team…").SeesForm("To which team?")
	d.Person("leo").In("it-triage").Fill("To which team?", "Backbone").Fill("What was tried?", "All of it.").Submits()
	d.Person("ada").Sees("INC-1 (my zeppelin will not dock) is now with its 4th team: Backbone, which you lead.", "Leo Novak handed it over: Tried: All of it.")
}

func TestSomethingSimpleIsNotSentHighWithoutAReason(t *testing.T) {
	t.Parallel()
	d := openAs(t, tiered)
	ana, ben := d.Person("ana"), d.Person("ben").In("it-triage")
	ana.Says("please reset my zeppelin password").Press("Talk to a person").Sees("INC-1")
	ben.Sees("Passwords").Choose("Hand over to a team…")
	ben.Fill("To which team?", "Backbone").Fill("What was tried?", "The usual reset.").Submits()
	ben.SeesForm("Passwords is work for tier 2. Really send it to Backbone, tier 3?", "Why so high?", "The usual reset.")
	if n := d.count(`select moves from tickets`); n != 0 {
		t.Fatal("it was sent before the question was answered")
	}
	ben.SubmitRefused("Please complete")
	ben.Fill("Why so high?", "Only they have the master key.").Submits()
	spare := d.Person("ada").In("it-spare")
	spare.Sees("INC-1", "2nd team")
	spare.InThread("INC-1").Sees("Why tier 3: Only they have the master key.")
	if n := d.count(`select count(*) from audit where action = 'moved' and note like '%Why tier 3: Only they%'`); n != 1 {
		t.Error("the reason is not on record")
	}
	// To the tier that is enough it goes without.
	d.Person("eva").Says("my zeppelin password again").Press("Talk to a person").Sees("INC-2", "New")
	ben.PressOn("INC-2", "Hand over to a team…").Fill("To which team?", "Network").Fill("What was tried?", "The usual.").Submits()
	d.Person("leo").In("it-network").Sees("INC-2", "2nd team")
}

func TestTheDeskChooses(t *testing.T) {
	t.Parallel()
	d := openAs(t, chosen)
	ana, kim, ben, leo := d.Person("ana"), d.Person("kim").In("it-triage"), d.Person("ben").In("it-triage"), d.Person("leo").In("it-triage")
	ana.Says("the printer eats my zebra").Press("Talk to a person").Sees("INC-1", "It is with Kim Lee.")
	kim.Sees("INC-1", "Assigned to Kim Lee (Printing, nothing else open)", "Not me")
	kim.InThread("INC-1").Sees("INC-1 is for @Kim Lee (Printing, nothing else open).")
	// A double press is one "not me".
	card := d.message("kim", "it-triage", "INC-1")
	for range 2 {
		if err := kim.Person().Act(slacktest.Act{Channel: card.Channel, TS: card.TS, Action: d.action(card, "ticket.pass")}); err != nil {
			t.Fatal(err)
		}
	}
	ben.Sees("INC-1", "Assigned to Ben Weber (nothing else open)")
	kim.SeesNot("I can't pass on that")
	if n := d.count(`select count(*) from audit where action = 'declined'`); n != 1 {
		t.Errorf("%d times not me, want 1", n)
	}
	// It is Ben's now; only he can pass it on.
	card = d.message("ben", "it-triage", "INC-1")
	if err := leo.Person().Act(slacktest.Act{Channel: card.Channel, TS: card.TS, Action: d.action(card, "ticket.pass")}); err != nil {
		t.Fatal(err)
	}
	leo.Sees("I can't pass on that: it is not yours.")
	ben.Press("Not me").Sees("Assigned to Leo Novak")
	leo.Press("Not me")
	leo.Sees("INC-1", "Nobody yet", "Claim")
	leo.InThread("INC-1").Sees("Nobody is left whom I could give INC-1 to. It is free: whoever claims it first has it.")
	kim.Press("Claim").Sees("Kim Lee is on it")
	kim.Choose("History").SeesForm("The desk gave it to Kim Lee", "Kim Lee passed it on", "Kim Lee took it")
}

// However many are opened at the same moment.
func TestEverybodyGetsTheirShare(t *testing.T) {
	t.Parallel()
	d := openAs(t, chosen)
	type press struct {
		who *slacktest.Actor
		act slacktest.Act
	}
	var all []press
	for _, name := range []string{"ana", "eva", "zoe"} {
		who := d.Person(name)
		for _, animal := range []string{"zebra", "yak", "axolotl"} {
			who.Says("my " + animal + " is blue")
			who.InThread(animal).Sees("Talk to a person")
			card := d.newest(name, d.dm(name), "Talk to a person")
			all = append(all, press{who, slacktest.Act{Channel: card.Channel, TS: card.TS, Action: d.action(card, "question.person")}})
		}
	}
	var group errgroup.Group
	for _, p := range all {
		group.Go(func() error { return p.who.Person().Act(p.act) })
	}
	if err := group.Wait(); err != nil {
		t.Fatal(err)
	}
	d.dead()
	if got := d.text(`select string_agg(n::text, ' ') from (select count(*) as n from tickets group by owner_id) x`); got != "3 3 3" {
		t.Errorf("the shares are %s, want 3 3 3", got)
	}
}

func TestWhoIsAwayGetsNothing(t *testing.T) {
	t.Parallel()
	d := openAs(t, chosen)
	ana, kim, ben := d.Person("ana"), d.Person("kim"), d.Person("ben")
	triage := ben.In("it-triage")
	ana.Says("the printer eats my zebra").Press("Talk to a person").Sees("INC-1", "Kim Lee")
	kim.Says("away until the cows come home").Sees("I don't know when “the cows come home” is.")
	kim.Says("I'm away until tomorrow").Sees("You are away, back on", "I give you no tickets until then. INC-1 comes free. Back earlier? Write “back”.")
	triage.InThread("INC-1").Sees("Kim Lee is away until", "INC-1 is free again.").Sees("INC-1 is for @Ben Weber")
	ana.Sees("Kim Lee is away until", "Ben Weber has INC-1 now.")
	ana.Says("the printer eats my other zebra").Press("Talk to a person").Sees("INC-2", "It is with Leo Novak")
	triage.PressOn("INC-1", "Not me")
	triage.Sees("INC-1", "Assigned to Leo Novak")
	// By hand neither.
	triage.PressOn("INC-1", "Give to…").Fill("Who?", "Kim Lee").SubmitRefused("Kim Lee is away, back on")
	triage.Closes()
	d.pass(36 * time.Hour)
	kim.Sees("Welcome back, Kim. You get tickets again.")
	ana.Says("the printer eats my third zebra").Press("Talk to a person").Sees("INC-3", "It is with Kim Lee")
	if n := d.count(`select count(*) from audit where action in ('agent.away', 'agent.back')`); n != 2 {
		t.Errorf("%d steps of the absence are on record, want 2", n)
	}
}

func TestABusyTalkIsNotCutOff(t *testing.T) {
	t.Parallel()
	d := openAs(t, company)
	ana, ben := d.Person("ana"), d.Person("ben").In("it-triage")
	ana.Says("my zeppelin is pink").Press("Talk to a person").Sees("INC-1", "New")
	d.Person("eva").Says("my elevator is pink").Press("Talk to a person").Sees("INC-2", "New")
	ben.PressOn("INC-1", "Claim")
	ben.PressOn("INC-2", "Claim")
	ben.InThread("INC-1").Says("One moment, I send you the paint")
	ana.InThread("my zeppelin is pink").Sees("One moment")
	ben.PressOn("INC-2", "Waiting for…").Fill("What is it waiting for?", "For a part").Submits()
	d.Person("ben").Says("away until Friday").Sees("INC-1 comes free. INC-2 waits for somebody and stays until it goes on.")
	d.dead()
	if n := d.count(`select count(*) from tickets where owner_id is not null`); n != 2 {
		t.Fatalf("Ben has %d tickets, want both: he is still talking, the other waits", n)
	}
	d.pass(31 * time.Minute)
	ben.InThread("INC-1").Sees("INC-1 is free again.")
	ana.InThread("my zeppelin is pink").Sees("Ben Weber is away until", "Service Desk sees to it that somebody else takes INC-1.")
	d.Person("kim").In("it-triage").PressOn("INC-2", "Go on")
	ben.InThread("INC-2").Sees("INC-2 is free again.")
	// Back early.
	d.Person("ben").Says("back").Sees("Welcome back, Ben.")
	d.Person("ben").Says("back").Sees("I have nothing good on this")
	if n := d.count(`select count(*) from due where kind like 'agent.%'`); n != 0 {
		t.Errorf("%d due rows are left of an absence that has ended", n)
	}
}

func TestTheLeadSaysWhoIsAway(t *testing.T) {
	t.Parallel()
	d := openAs(t, company)
	leo, ben, eva := d.Person("leo"), d.Person("ben"), d.Person("eva")
	leo.Says("Kim is away until Friday").Sees("Kim Lee is away, back on Friday", "I give Kim no tickets until then.")
	d.Person("kim").Sees("Leo Novak has noted that you are away, back on Friday", "If that is wrong, write “back”.")
	ben.Says("Leo is away until Friday").SeesNot("is away, back on")
	eva.Says("away until Friday").SeesNot("You are away")
	day := func(ahead int) string { return d.now().AddDate(0, 0, ahead).Format(time.DateOnly) }
	leo.In("general").Runs("/desk away").SeesForm("Who is away?", "First day back")
	in := leo.In("general")
	in.Fill("Who is away?", "Ben Weber").Fill("First day away", day(3)).Fill("First day back", day(3)).SubmitRefused("This day is not after the first day away.")
	in.Fill("First day back", day(10)).Submits()
	leo.Sees("Noted: Ben Weber is away from")
	d.Person("ana").Says("my zeppelin is red").Press("Talk to a person").Sees("INC-1")
	ben.In("it-triage").Press("Claim").Sees("Ben Weber is on it")
	d.pass(4 * 24 * time.Hour)
	ben.In("it-triage").InThread("INC-1").Sees("Ben Weber is away until", "INC-1 is free again.")
	d.pass(7 * 24 * time.Hour)
	ben.Sees("Welcome back, Ben.")
}

// newest is the newest message in a channel, by id, as somebody sees it, that
// has the words.
func (d *desk) newest(who, channel, words string) slacktest.Message {
	d.t.Helper()
	all, err := d.Person(who).Person().Messages(channel, "", 100)
	if err != nil {
		d.t.Fatal(err)
	}
	for _, m := range slices.Backward(all) {
		thread, err := d.Person(who).Person().Thread(channel, m.TS)
		if err != nil {
			d.t.Fatal(err)
		}
		for _, m := range slices.Backward(thread) {
			if strings.Contains(string(m.Blocks), words) {
				m.Channel = channel
				return m
			}
		}
	}
	d.t.Fatalf("no message with %q in %s", words, channel)
	return slacktest.Message{}
}

// Out of hours a ticket is free, and is given away when somebody comes in.
func TestTheDeskChoosesWhoIsAtWork(t *testing.T) {
	t.Parallel()
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	day := func(ahead int) string {
		return strings.ToLower(time.Now().In(berlin).AddDate(0, 0, ahead).Format("Mon"))
	}
	policy := strings.Replace(chosen, "site: Berlin}\n  - {mail: kim", "site: Berlin, calendar: later}\n  - {mail: kim", 1) // Ben
	policy = strings.Replace(policy, "name: Kim Lee, department: it, site: Berlin}", "name: Kim Lee, department: it, site: Berlin, calendar: soon}", 1)
	policy = strings.Replace(policy, "name: Leo Novak, department: it, site: Berlin}", "name: Leo Novak, department: it, site: Berlin, calendar: later}", 1)
	policy += `calendars:
  - {slug: soon, name: Soon, open: {` + day(2) + `: ["08:00-16:00"]}}
  - {slug: later, name: Later, open: {` + day(4) + `: ["08:00-16:00"]}}
`
	d := openAs(t, policy)
	ana, triage := d.Person("ana"), d.Person("kim").In("it-triage")
	ana.Says("the elevator eats my zebra").Press("Talk to a person").Sees("INC-1", "Somebody of Service Desk will pick it up.")
	triage.InThread("INC-1").Sees("Nobody is at work whom I could give INC-1 to. It is free to claim; if nobody does, I choose when somebody is back at work.")
	now := d.now().In(berlin)
	d.pass(time.Date(now.Year(), now.Month(), now.Day()+2, 8, 0, 1, 0, berlin).Sub(now))
	triage.Sees("INC-1", "Assigned to Kim Lee (nothing else open, at work until 16:00)")
}

func TestAHandoverRestartsNoClock(t *testing.T) {
	t.Parallel()
	d := openAs(t, tiered)
	d.Person("ana").Says("my zeppelin will not dock").Press("Talk to a person").Sees("INC-1")
	ben := d.Person("ben").In("it-triage")
	ben.Sees("INC-1", "Claim")
	const dues = `select string_agg(kind || ' ' || round || ' ' || due_at::text, ', ' order by kind) from clocks`
	before := d.text(dues)
	if !strings.Contains(before, "response 1 ") || !strings.Contains(before, "resolution 1 ") {
		t.Fatalf("the clocks are %s", before)
	}
	d.pass(7 * time.Minute)
	ben.Choose("Hand over to a team…").Fill("To which team?", "Network").Fill("What was tried?", "A rope.").Submits()
	d.Person("leo").In("it-network").Sees("INC-1", "2nd team")
	if after := d.text(dues); after != before {
		t.Errorf("the clocks were %s and are %s", before, after)
	}
}
