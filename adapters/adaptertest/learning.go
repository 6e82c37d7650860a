package adaptertest

import "time"

const week = 7 * 24 * time.Hour

var learning = []Conversation{
	{
		Name: "what found nothing is told each week, and becomes an article", Rows: []string{"AD5", "AD6", "KN7"}, Crosses: true,
		Run: func(w *World) {
			ana, eva := w.Person("ana"), w.Person("eva")
			ana.Says("the zeppelin needs helium").Sees("I have nothing good on this")
			eva.Says("no helium in my zeppelin, ask eva.lind@acme.example").Sees("I have nothing good on this")
			w.Pass(week + 24*time.Hour)
			ben, kim, leo := w.Person("ben").In("it-knowledge"), w.Person("kim").In("it-knowledge"), w.Person("leo").In("it-knowledge")
			ben.Sees("2 questions of 2 found nothing", "zeppelin · 2 questions")
			w.Settle()
			w.Recorded(1, "reports", `select count(*) from gap_reports`)
			ben.Press("Write article").SeesForm("Write an article", "the zeppelin needs helium")
			ben.SubmitRefused()
			ben.Fill("What helps", "1. Open the valve.\n2. Wait for the hiss.").Submits()
			ben.Sees("Ben Weber wrote KB-5 for it.")
			ben.Sees("KB-5", "🟡 Draft", "Open the valve.", "would have answered 2 of last month's 2 unanswered questions")
			w.Person("ana").Says("zeppelin helium again").Sees("I have nothing good on this")
			w.Person("ana").Says("KB-5").Sees("I know no article KB-5 for you.")
			kim.Press("Publish").Sees("only those who may publish articles can")
			kim.Press("Mark as reviewed").Sees("KB-5", "🔵 Reviewed")
			leo.Sees("KB-5", "🔵 Reviewed").Press("Publish").Sees("KB-5", "🟢 Published")
			w.Settle()
			eva.Says("the zeppelin needs helium").Sees("Solved it", "Show steps").Press("Show steps").SeesForm("Open the valve.")
			w.Person("ana").Says("how do I book the sauna")
			w.Settle()
			w.Person("kim").Says("gaps").Sees("how do I book the sauna · 1 question").Press("Not IT").Sees("Not IT, said Kim Lee.")
			w.Recorded(1, "gaps that are none of IT's business", `select count(*) from gaps where outcome = 'not_it'`)
		},
	},
	{
		Name: "an article that would spoil others is not published without a second thought", Rows: []string{"AD6"},
		Run: func(w *World) {
			w.Person("ana").Says("the printer is not printing").Press("Solved it").Sees("Glad it worked.", "KB-1")
			leo := w.Person("leo")
			leo.Says("KB-1").Sees("KB-1", "🟢 Published").Press("Edit…").SeesForm("Edit KB-1")
			leo.Fill("Title", "Fill a zeppelin").Fill("What people say", "My zeppelin is flat.").Fill("What helps", "Open the valve.").Submits()
			leo.SeesForm("Not saved yet.", "1 of the last 1 questions that were solved would be answered worse").Closes()
			leo.Says("new article").Press("Write an article").Fill("Title", "The printer is not printing")
			leo.Fill("What people say", "The printer is not printing.\nThe printer is not printing at all.").Fill("What helps", "Buy the printer that is printing.").Submits()
			leo.Sees("KB-5", "would answer 1 of 1 worse").Press("Publish").Sees("1 question that other articles have solved would be answered worse")
			w.Settle() // a card that is drawn anew asks nothing any more
			leo.Sees("🟡 Draft").PressSure("Publish all the same", "Yes, publish").Sees("KB-5", "🟢 Published")
		},
	},
	{
		Name: "a resolved ticket becomes an article, without what is personal", Rows: []string{"KN2", "KN7"}, Crosses: true,
		Run: func(w *World) {
			_, ben := opened(w, "my zeppelin is flat, call me: +49 30 1234567")
			ben.Press("Resolve").Fill("What fixed it?", "Told Ana to open the valve.").Submits()
			ben.Press("Save as article").SeesForm("⟦+49 30 1234567⟧", "⟦Ana⟧", "What looks personal is marked")
			ben.Fill("What people say", "my zeppelin is flat").Submits()
			draft := w.Person("ben").Sees("KB-5", "🟡 Draft", "⟦Ana⟧")
			w.Person("leo").In("it-knowledge").Press("Publish").Sees("looks personal")
			draft.Press("Edit…").SeesForm("Edit KB-5")
			// What is written anew is looked at too; a name that may stay is left without marks.
			draft.Fill("Title", "Fill a zeppelin").Fill("What helps", "Ask Ana Silva, ana@acme.example, to open the valve.").Submits()
			draft.SeesForm("Not saved yet.", "⟦ana@acme.example⟧").Fill("What helps", "Open the valve.").Submits()
			w.Person("leo").In("it-knowledge").Sees("KB-5", "Open the valve.", "would have answered 1 of last month's 1").Press("Publish").Sees("KB-5", "🟢 Published")
			ben.Press("Save as article").SeesForm("Edit KB-5") // not another one
			w.Recorded(1, "articles of tickets", `select count(*) from article_sources where ticket_id is not null`)
		},
	},
	{
		Name: "the steps of an article come with their pictures", Rows: []string{"KN10"},
		Run: func(w *World) {
			ana := w.Person("ana")
			ana.Says("paper is stuck, the display says jam").PressOn("Clear a paper jam", "Show steps").SeesForm("Open flap A.", "marked in amber)", "Pull the paper out slowly.")
		},
	},
	{
		Name: "whoever answers for an article hears that it is wrong or old, and who said so hears what came of it", Rows: []string{"KN4"}, Crosses: true,
		Run: func(w *World) {
			ana := w.Person("ana")
			ana.Says("the vpn drops every ten minutes").Sees("Keep the VPN connected")
			ana.Press("Wrong or old?").SeesForm("KB-3", "What is wrong with it?")
			ana.Fill("What is wrong with it?", "There is no such menu any more.").Submits()
			ben := w.Person("ben").Sees("Ana Silva finds", "KB-3", "There is no such menu any more.", "Ana Silva: the vpn drops every ten minutes")
			ben.Press("Edit…").SeesForm("Edit KB-3").Fill("What helps", "1. Change to the other Wi-Fi.").Submits()
			ben.Sees("Ben Weber has set it right.")
			ana.Sees("Ben Weber has looked at KB-3", "and changed it. Thank you.")
			w.Recorded(1, "flags", `select count(*) from flags where fixed`)
		},
	},
	{
		Name: "an article is asked about before its day, and not suggested after it without an answer", Rows: []string{"KN6"}, Crosses: true,
		Run: func(w *World) {
			ana, ben := w.Person("ana"), w.Person("ben")
			ana.Says("the vpn drops every ten minutes").Press("Solved it").Sees("Glad it worked.")
			w.Pass(18 * 24 * time.Hour)
			ben.Sees("KB-3", "is 18 days old, used 1 time. Is it still right?")
			ben.Sees("KB-1", "is 18 days old").PressOn("KB-3", "Still right").Sees("KB-3", "Still right, said Ben Weber.")
			w.Pass(14 * 24 * time.Hour)
			ben.Sees("KB-1", "I don't suggest it any more")
			w.Settle()
			ana.Says("the printer on my floor does not print").Sees("I have nothing good on this")
			ana.Says("vpn drops").Sees("Solved it")
			ben.PressOn("KB-1", "Still right").Sees("KB-1", "Still right, said Ben Weber.")
			w.Settle()
			ana.Says("the printer on my floor does not print, really").Sees("The printer on your floor does not print")
		},
	},
	{
		Name: "what answers did is told in figures, and to whoever wrote them", Rows: []string{"AD7", "AD8", "KN8", "KN12", "KN13"},
		Run: func(w *World) {
			ana, eva, ben := w.Person("ana"), w.Person("eva"), w.Person("ben")
			eva.Says("the printer is not printing").Press("Solved it").Sees("Glad it worked.")
			ana.Says("the vpn drops every ten minutes").Press("Solved it").Sees("Glad it worked.")
			w.Pass(2 * 24 * time.Hour)
			ana.Says("the vpn still drops every ten minutes")
			w.Settle()
			w.Recorded(1, "solved questions that came back", `select count(*) from question_returns`)
			w.Pass(8 * 24 * time.Hour)
			w.Settle()
			ben.Says("answers").Sees("Asked: 3", "“Solved it” was pressed: 2 of 3", "Held for 7 days: 1 of 2 (50 %)", "Came back within 7 days: 1 of 2",
				"No word from whoever asked: 1 of 3", "Articles cover")
			w.Pass(32 * 24 * time.Hour)
			ben.Sees("Your articles in", "KB-1", "helped 1 person, 0 said no", "KB-3", "helped 0 people, 1 said no")
		},
	},
	{
		Name: "a known outage is answered first, counts whom it concerns once, and all hear when it is fixed", Rows: []string{"AD11"}, Crosses: true,
		Run: func(w *World) {
			ana := w.Person("ana")
			ana.Says("my zeppelin needs the vpn").Press("Talk to a person").Sees("INC-1")
			leo := w.Person("leo").In("it-network").Sees("INC-1", "Claim")
			leo.Press("What is affected?…").Press("Known outage…").SeesForm("What is down?", "VPN").Submits()
			leo.Sees("Known outage", "VPN, told to whoever asks")
			eva, zoe := w.Person("eva"), w.Person("zoe")
			eva.Says("the vpn drops every ten minutes").Sees("VPN is down", "INC-1", "The team is on it.", "Me too", "Notify me when fixed")
			twice := eva.Holds("Me too")
			w.AtOnce(twice, twice)
			eva.Sees("it concerns you too. I tell you when it is fixed.")
			zoe.Says("vpn?").Press("Notify me when fixed").Sees("VPN is down", "I tell you when it is fixed.")
			leo.Sees("INC-1", "1 person more; 1 other waiting to hear")
			zoe.Says("the printer on my floor does not print").Sees("The printer on your floor does not print", "Solved it").SeesNot("It is something else")
			ben := w.Asking("ben")
			ben.Says("the vpn app asks for a licence").Sees("VPN is down").Press("It is something else").SeesNot("Notify me when fixed")
			leo.Press("Resolve").Fill("What fixed it?", "Restarted the gateway.").Submits()
			eva.Sees("VPN should work again (INC-1).", "Restarted the gateway.")
			zoe.Sees("VPN should work again (INC-1).")
			eva.Sees("VPN", "was down (INC-1) and should work again")
			w.Settle()
			if n := eva.Counts("VPN should work again (INC-1)."); n != 1 {
				w.Errorf("it is said %d times that it is fixed, want once", n)
			}
			eva.Says("the vpn drops every ten minutes").Sees("Keep the VPN connected")
			w.Recorded(2, "affected persons", `select count(*) from affected where told_at is not null`)
		},
	},
	{
		Name: "a word of theirs is taught after it was tried, and answers from then on", Rows: []string{"AD4", "AD5", "AD6"}, Crosses: true,
		Run: func(w *World) {
			ana, ben := w.Person("ana"), w.Person("ben")
			ana.Says("where is my blimpwerk?").Sees("I have nothing good on this")
			ben.Says("gaps").Press("Add synonym").SeesForm("What people say").Fill("What people say", "blimpwerk").Fill("What articles say", "Blimpwerk")
			ben.SubmitRefused("These are the same word.")
			ben.Fill("What articles say", "VPN").Submits()
			ben.Sees("“blimpwerk” means “VPN”", "Would have answered 1 of last month's 1 unanswered question")
			ben.Press("Add it").Sees("only those who may publish articles can")
			leo := w.Person("leo").In("it-knowledge").Sees("“blimpwerk” means “VPN”", "Would have answered 1 of last month's 1 unanswered question")
			leo.Press("Add it").Sees("Added by Leo Novak.")
			ben.Sees("Leo Novak taught me: blimpwerk means VPN.")
			w.Settle()
			ana.Says("blimpwerk!").Sees("Keep the VPN connected")
			w.Recorded(1, "synonyms", `select count(*) from synonyms`)
		},
	},
}
