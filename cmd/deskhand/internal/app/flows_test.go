package app

import (
	"testing"

	"github.com/deskhand/deskhand/adapters/slack/slacktest"
	"github.com/deskhand/deskhand/storage/pgtest"
)

func TestSmallTalkIsAnsweredAsAPersonWould(t *testing.T) {
	t.Parallel()
	d := open(t)
	ana := d.Person("ana")
	ana.Says("hello!").Sees("Hello Ana. What can I help you with?")
	ana.Says("thanks a lot").Sees("You're welcome, Ana.")
	ana.Says("help").Sees("my tickets", "shows how yours stand")
	ana.Says("my tickets").Sees("You have no open tickets.")
	ana.SeesNot("I have nothing good on this")
	if n := d.count(`select count(*) from questions`); n != 0 {
		t.Errorf("%d questions, want none", n)
	}
}

func TestNothingFoundIsSaidAndKept(t *testing.T) {
	t.Parallel()
	d := open(t)
	ana := d.Person("ana")
	ana.Says("my zeppelin needs helium before the regatta")
	ana.Sees("I have nothing good on this", "Open a ticket")
	if n := d.count(`select count(*) from questions where shown = '{}' and confidence = 'none'`); n != 1 {
		t.Errorf("%d unanswered questions, want 1", n)
	}
	ana.Press("Open a ticket").Press("I need something").SeesForm("What do you need?", "my zeppelin needs helium")
	ana.Fill("Who is it for?", "Only me").Fill("By when is it needed?", "It can wait").Submits()
	ana.Sees("REQ-1", "Low")
}

func TestSolvedIsAConfirmedDeflection(t *testing.T) {
	t.Parallel()
	d := open(t)
	ana := d.Person("ana")
	ana.Says("the vpn drops every ten minutes").Sees("Keep the VPN connected")
	ana.Press("Solved it").Sees("Glad it worked.", "KB-3")
	if n := d.count(`select count(*) from questions where outcome = 'solved' and article_id = 3`); n != 1 {
		t.Errorf("%d confirmed deflections with the article, want 1", n)
	}
	ana.Choose("It came back").Sees("Open a ticket")
	ana.Press("Show steps").SeesForm("Turn off power saving").Submits()
	ana.Sees("Glad it worked.")
}

func TestAnArticleForOthersIsNeverShown(t *testing.T) {
	t.Parallel()
	d := open(t)
	d.Person("ana").Says("the salary run is locked").Sees("I have nothing good on this")
	d.Person("ana").SeesNot("Unlock the salary run")
}

func TestAnEditedQuestionIsAnsweredAnew(t *testing.T) {
	t.Parallel()
	d := open(t)
	ana := d.Person("ana")
	ana.Says("my zeppelin is leaking").Sees("I have nothing good on this")
	ana.Edits("zeppelin", "the printer is not printing").Sees("The printer on your floor does not print")
	ana.SeesNot("I have nothing good on this")
}

func TestChannels(t *testing.T) {
	t.Parallel()
	d := open(t)
	// A help channel: each first message is a question, answered in its thread.
	ana := d.Person("ana").In("it-help")
	ana.Says("printer is not printing").Sees("Solved it")
	ana.Says(":no_entry_sign: just talking about the printer")
	// Elsewhere the desk keeps quiet unless it is mentioned.
	sales := d.Person("ana").In("sales")
	sales.Says("the printer is not printing")
	d.Channel("sales").SeesNot("Solved it")
	sales.Says("@" + d.slack.App().Name + " the printer is not printing").Sees("Solved it")
	if n := d.count(`select count(*) from questions`); n != 2 {
		t.Errorf("%d questions, want 2", n)
	}
	// Who talks near the desk does not become known to it.
	d.Person("zoe").In("general").Says("is anybody going to lunch?")
	d.Channel("general").SeesNot("Zoe Guest, ")
	if n := d.count(`select count(*) from accounts where name = 'Zoe Guest'`); n != 0 {
		t.Error("the desk has looked up somebody who did not talk to it")
	}
	// Somebody else's answer belongs to them.
	d.Person("eva").In("it-help").Press("Solved it")
	d.Person("eva").In("it-help").Sees("somebody else asked it")
}

func TestATicketFromAnEmoji(t *testing.T) {
	t.Parallel()
	d := open(t)
	eva := d.Person("eva").In("general")
	eva.Says("I need a second monitor please")
	ben := d.Person("ben").In("general")
	ben.Reacts("second monitor", "ticket")
	eva.Sees("REQ-1", "Somebody of Service Desk will pick it up")
	d.Person("kim").In("general").Reacts("second monitor", "ticket")
	d.Channel("it-triage").Sees("REQ-1", "Eva Lind", "Opened by Ben Weber for Eva Lind")
	if n := d.count(`select count(*) from tickets`); n != 1 {
		t.Errorf("%d tickets, want 1 however often the emoji is put there", n)
	}
}

func TestATicketFromTheMessageMenuForItsAuthor(t *testing.T) {
	t.Parallel()
	d := open(t)
	eva := d.Person("eva").In("general")
	eva.Says("my laptop screen stays black")
	ben := d.Person("ben").In("general")
	ben.Uses("Open a ticket", "my laptop screen").SeesForm("Something is broken")
	ben.Press("Something is broken").SeesForm("my laptop screen stays black", "For somebody else?", "Eva Lind")
	ben.Fill("Who is affected?", "Only me").Fill("By when does it hurt more?", "Today").Submits()
	eva.Sees("INC-1", "will pick it up")
	d.Channel("it-triage").Sees("INC-1", "From", "Eva Lind", "Opened by Ben Weber for Eva Lind")
}

func TestTheSlashCommand(t *testing.T) {
	t.Parallel()
	d := open(t)
	ana := d.Person("ana").In("general")
	ana.Runs("/desk the printer is not printing").Sees("I have answered you in our direct messages.")
	d.Person("ana").Sees("The printer on your floor does not print", "Solved it")
	ana.Runs("/desk new").SeesForm("What is it?").Press("I need something").SeesForm("What do you need?")
	ana.Fill("What do you need?", "A standing desk").Fill("Who is it for?", "Only me").Fill("By when is it needed?", "This week").Submits()
	d.Person("ana").Sees("REQ-1", "A standing desk")
	ana.Runs("/desk my tickets").Sees("REQ-1", "A standing desk", "nobody yet")
	ana.Runs("/desk req-1").Sees("REQ-1", "Somebody of Service Desk will pick it up")
	ana.Runs("/desk history REQ-1").SeesForm("History of REQ-1", "opened it")
	ana.Closes()
	eva := d.Person("eva").In("general")
	eva.Runs("/desk REQ-1").Sees("I know no ticket REQ-1 of yours.")
	eva.Runs("/desk history REQ-1").Sees("I know no such ticket of yours.")
	eva.SeesNot("standing desk")
}

func TestDuplicatesAreOfferedFirst(t *testing.T) {
	t.Parallel()
	d := open(t)
	ana := d.Person("ana")
	ana.Says("the zeppelin hangar gate is frozen").Press("Talk to a person").Sees("A person will look at this: it is INC-1.")
	ana.Says("hangar gate of the zeppelin still frozen").Sees("I have nothing good on this")
	ana.Press("Open a ticket").Press("Something is broken").SeesForm("You already have INC-1", "Add to it", "It is different")
	ana.Press("Add to it").SeesForm("Added to INC-1")
	ana.Closes()
	d.Person("ben").In("it-triage").InThread("INC-1").Sees("Ana Silva", "hangar gate of the zeppelin still frozen")
	if n := d.count(`select count(*) from tickets`); n != 1 {
		t.Errorf("%d tickets, want 1", n)
	}
	ana.Sees("This is INC-1 now.")
	ana.Says("the zeppelin hangar gate squeaks").Sees("I have nothing good on this").Press("Open a ticket").Press("Something is broken")
	ana.Press("It is different").SeesForm("What is broken?")
}

func TestAKnownOutageIsOfferedToOthers(t *testing.T) {
	t.Parallel()
	d := open(t)
	ana, eva := d.Person("ana"), d.Person("eva")
	ana.Says("zeppelin hangar power outage").Press("Open a ticket").Press("Something is broken")
	ana.Fill("Who is affected?", "A whole site").Fill("By when does it hurt more?", "Right now, work has stopped").Submits()
	ana.Sees("INC-1", "Critical")
	eva.Says("there is a power outage in the zeppelin hangar").Press("Open a ticket").Press("Something is broken")
	eva.SeesForm("Known and being worked on", "INC-1", "Me too").Press("Me too").SeesForm("INC-1 concerns you too")
	eva.Closes()
	eva.Sees("INC-1", "zeppelin hangar power outage", "New")
	d.Person("ben").In("it-triage").Press("Claim")
	eva.Sees("INC-1", "Ben Weber is on it")
}

func TestHandingOverKeepsTheConversation(t *testing.T) {
	t.Parallel()
	d := open(t)
	ana, ben, leo := d.Person("ana"), d.Person("ben").In("it-triage"), d.Person("leo").In("it-network")
	ana.Says("my zeppelin will not dock").Press("Talk to a person").Sees("INC-1")
	ben.Press("Claim")
	ben.InThread("INC-1").Says("Which mast?")
	ana.InThread("zeppelin").Sees("Which mast?")
	ana.InThread("zeppelin").Says("the northern one")
	ben.InThread("INC-1").Sees("the northern one")
	ben.Choose("Hand over to a team…").SeesForm("To which team?")
	ben.Fill("To which team?", "Network").Fill("What have you found out?", "It is the mast.").Submits()
	ben.Sees("INC-1", "Handed over to Network")
	leo.Sees("INC-1", "Nobody yet", "Claim")
	leo.InThread("INC-1").Sees("Ben Weber handed this over: It is the mast.", "Which mast?", "the northern one")
	ana.Sees("INC-1", "Somebody of Network will pick it up")
	leo.Press("Claim")
	leo.InThread("INC-1").Says("On my way")
	ana.InThread("zeppelin").Sees("On my way")
	if n := d.count(`select count(*) from tickets t join queues q on q.id = t.queue_id where q.kind <> t.kind`); n != 0 {
		t.Error("a ticket is in a queue of the other kind")
	}
}

func TestPriorityNeedsAReasonAndShowsIt(t *testing.T) {
	t.Parallel()
	d := open(t)
	ana, ben := d.Person("ana"), d.Person("ben").In("it-triage")
	ana.Says("my zeppelin is late").Press("Talk to a person").Sees("INC-1", "Normal")
	ben.Choose("Change priority…").SeesForm("Now: Normal")
	ben.Fill("Priority", "Critical all the same").Fill("Why?", "The board is aboard").Submits()
	ben.Sees("Critical", "The board is aboard")
	ana.Sees("INC-1", "Critical", "The board is aboard")
}

func TestGivingATicketToSomebody(t *testing.T) {
	t.Parallel()
	d := open(t)
	ana, ben := d.Person("ana"), d.Person("ben").In("it-triage")
	ana.Says("my zeppelin is grey").Press("Talk to a person").Sees("INC-1")
	ben.Choose("Give to…").Fill("Who?", "Kim Lee").Submits()
	ben.Sees("Kim Lee is on it")
	ben.InThread("INC-1").Sees("Ben Weber gave INC-1 to @Kim Lee")
	ben.Choose("Give back")
	ben.Sees("INC-1", "Nobody yet", "Claim")
}

func TestOnlyTheTeamWorksATicket(t *testing.T) {
	t.Parallel()
	d := open(t)
	d.Person("ana").Says("my zeppelin is green").Press("Talk to a person")
	d.Channel("it-triage").Sees("INC-1")
	c, _ := d.slack.Channel("it-triage")
	eva := d.Person("eva")
	card := d.message("ben", "it-triage", "INC-1")
	if err := eva.Person().Join(c.ID); err != nil { // she may look, and joining makes an agent
		t.Fatal(err)
	}
	ana := d.Person("ana")
	if err := ana.Person().Act(slacktest.Act{Channel: card.Channel, TS: card.TS, Action: d.action(card, "ticket.claim")}); err == nil {
		ana.In("it-triage").Sees("only Service Desk can")
	}
	eva.In("it-triage").Press("Claim").Sees("Eva Lind is on it")
	if n := d.count(`select count(*) from audit where action = 'team.joined'`); n < 1 {
		t.Error("joining the triage channel left no trace")
	}
}

func TestFilesAreKeptAndPassedOn(t *testing.T) {
	t.Parallel()
	d := open(t)
	ana := d.Person("ana")
	shot := slacktest.Upload{Name: "error.png", Data: []byte("\x89PNG\r\n\x1a\nnot much of a picture")}
	ana.Says("my zeppelin shows this error", shot).Sees("I have nothing good on this")
	ana.Press("Talk to a person").Sees("INC-1")
	thread := d.Person("ben").In("it-triage").InThread("INC-1")
	thread.Sees("Ana Silva sent a file: error.png")
	ana.InThread("zeppelin").Says("and this", slacktest.Upload{Name: "log.txt", Data: []byte("it broke")})
	thread.Sees("Ana Silva sent a file: log.txt")
	ana.Sees(":white_check_mark:")
	if n := d.count(`select count(*) from files where state = 'kept' and length(data) > 0`); n != 2 {
		t.Errorf("%d files are kept, want 2", n)
	}
}

func TestTheHomeTab(t *testing.T) {
	t.Parallel()
	d := open(t)
	ana, ben := d.Person("ana"), d.Person("ben")
	home := ana.OpensHome()
	home.Sees("You have none.")
	ana.Says("my zeppelin is blue").Press("Talk to a person").Sees("INC-1")
	ana.OpensHome().Sees("INC-1", "my zeppelin is blue", "nobody yet")
	work := ben.OpensHome()
	work.Sees("Your work", "Unclaimed in your teams: 1", "INC-1")
	work.Press("Claim")
	work.Sees("Yours: 1", "Waiting on you: 1")
	ana.OpensHome().Sees("INC-1", "Ben Weber")
}

func TestGuestsHaveTheLeastRights(t *testing.T) {
	t.Parallel()
	d := open(t)
	zoe := d.Person("zoe")
	zoe.Says("the printer is not printing").Sees("The printer on your floor does not print")
	if n := d.count(`select count(*) from people where name = 'Zoe Guest' and guest`); n != 1 {
		t.Errorf("%d guests, want Zoe", n)
	}
	zoe.Press("Talk to a person").Sees("INC-1")
	d.Channel("it-triage").Sees("Zoe Guest (guest)")
}

func TestWhoAmI(t *testing.T) {
	t.Parallel()
	d := open(t)
	ana := d.Person("ana")
	ana.Says("printer is not printing").Sees("I know you as Ana Silva (sales)", "That's not me")
	ana.Press("That's right").Sees("I know you as Ana Silva.")
	ana.SeesNot("That's not me")
	eva := d.Person("eva")
	eva.Says("printer is not printing").Press("That's not me")
	eva.Sees("From now on I treat this account as a guest's")
	if n := d.count(`select count(*) from accounts a join people p on p.id = a.person_id where p.guest and a.name = 'Eva Lind'`); n != 1 {
		t.Error("Eva's account is not a guest's")
	}
}

func TestAnAdminChoosesTheTriageChannel(t *testing.T) {
	t.Parallel()
	d := open(t)
	d.Person("ana").Says("my zeppelin is red").Press("Talk to a person").Sees("A person will look at this: it is INC-1.")
	d.Channel("it-triage").Sees("INC-1")
	d.Person("ben").In("it-spare").Runs("/desk triage service-desk").Sees("Only an admin")
	d.Person("ada").In("it-spare").Runs("/desk triage").Sees("Which team?")
	d.Person("ada").In("it-spare").Runs("/desk triage service-desk").Sees("From now on tickets of Service Desk come here")
	d.Person("ana").Says("my zeppelin is yellow").Sees("I have nothing good on this").Press("Talk to a person")
	d.Channel("it-spare").Sees("INC-2", "zeppelin is yellow")
}

func TestAQuestionMayBelongToATicketOfOnes(t *testing.T) {
	t.Parallel()
	d := open(t)
	ana := d.Person("ana")
	ana.Says("my zeppelin has a hole").Press("Talk to a person").Sees("A person will look at this: it is INC-1.")
	// Not in the thread, as people do.
	ana.Says("the hole is on the left side").Sees("I have nothing good on this", "It is about INC-1")
	ana.Choose("It is about INC-1: my zeppelin has a hole").SeesForm("Added to INC-1")
	ana.Closes()
	d.Person("ben").In("it-triage").InThread("INC-1").Sees("the hole is on the left side")
	ana.Sees("This is INC-1 now.")
}

func TestADeletedMessageIsTakenBack(t *testing.T) {
	t.Parallel()
	d := open(t)
	ana := d.Person("ana")
	ana.Says("my zeppelin is loud").Press("Talk to a person").Sees("INC-1")
	thread := d.Person("ben").In("it-triage").InThread("INC-1")
	ana.InThread("zeppelin").Says("my password is swordfish")
	thread.Sees("swordfish")
	ana.InThread("zeppelin").Deletes("swordfish")
	thread.Sees("This message was deleted by its author.")
	thread.SeesNot("swordfish")
}

// Without a policy the desk works in any workspace, and says what is left.
func TestTheBuiltInPolicy(t *testing.T) {
	t.Parallel()
	d := &desk{t: t}
	d.slack = workspace(t, slacktest.Options{Now: d.now})
	d.start(Options{DatabaseURL: pgtest.URL(t)})
	ada := d.Person("ada")
	ada.Says("the printer is not printing").Sees("I have nothing good on this")
	ada.Sees("You look after this desk", "There is no article yet", "/desk triage", "deskhand apply FILE")
	ada.OpensHome().Sees("Left to set up", "Service Desk has no channel")
	d.Person("ana").Says("my zeppelin is dirty").Press("Talk to a person").Sees("INC-1", "Service Desk")
	ada.In("it-spare").Runs("/desk triage").Sees("From now on tickets of Service Desk come here")
	d.Channel("it-spare").Sees("INC-1", "my zeppelin is dirty") // nothing was lost meanwhile
	d.Person("ben").In("it-spare").Press("Claim").Sees("Ben Weber is on it")
}
