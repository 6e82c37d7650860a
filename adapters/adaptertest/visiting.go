package adaptertest

import "strings"

var visiting = []Conversation{
	{
		Name: "the home has my tickets and, for agents, the work", Rows: []string{"TL10", "AW15"}, Crosses: true,
		Run: func(w *World) {
			ana, ben := w.Person("ana"), w.Person("ben")
			ana.OpensHome().Sees("You have none.")
			ana.Says("my zeppelin is blue").Press("Talk to a person").Sees("INC-1")
			ana.OpensHome().Sees("INC-1", "my zeppelin is blue", "nobody yet")
			ana.OpensHome().SeesNot("Your work")
			work := ben.OpensHome()
			work.Sees("Your work", "Unclaimed in your teams: 1", "INC-1", "Raise a change")
			work.Press("Claim")
			work.Sees("Yours: 1", "Waiting on you: 1")
			ana.OpensHome().Sees("INC-1", "Ben Weber")
		},
	},
	{
		Name: "articles and one's own tickets are found in the message box, and nobody else's", Rows: []string{"IN2", "TL10", "AD16"}, Needs: []Feature{Finder},
		Run: func(w *World) {
			ana, eva := w.Person("ana"), w.Person("eva")
			ana.Says("my zeppelin is hard to find").Press("Talk to a person").Sees("INC-1")
			for _, tt := range []struct {
				who   Actor
				words string
				want  string
				there bool
			}{
				{ana.In("sales"), "printer is not printing", "The printer on your floor does not print", true},
				{ana.In("sales"), "", "my zeppelin is hard to find", true},
				{ana, "zeppelin", "INC-1", true},
				{ana, "INC-1", "my zeppelin is hard to find", true},
				{eva, "zeppelin", "INC-1", false},
				{eva, "INC-1", "hard to find", false},
				{eva, "the salary run is locked", "Unlock the salary run", false},
			} {
				if found := tt.who.Finds(tt.words); strings.Contains(found, tt.want) != tt.there {
					w.Errorf("looking for %q: %q is there: %v, want %v; found\n%s", tt.words, tt.want, !tt.there, tt.there, found)
				}
			}
		},
	},
}
