package kb

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/deskhand/deskhand/core/knowledge"
)

// titled is the article of a title.
func titled(t *testing.T, title string) knowledge.ArticleID {
	t.Helper()
	i := slices.IndexFunc(officeArticles, func(a knowledge.Article) bool { return a.Title == title })
	if i < 0 {
		t.Fatalf("there is no article %q", title)
	}
	return officeArticles[i].ID
}

var spring = time.Date(2026, 4, 1, 9, 0, 0, 0, time.UTC)

// solvedBy is evidence that an article solved questions, one a day.
func solvedBy(a knowledge.ArticleID, from int64, questions ...string) (all []knowledge.Evidence) {
	for i, q := range questions {
		n := from + int64(i)
		all = append(all, knowledge.Evidence{Seq: n, Past: knowledge.QuestionPast(n), Text: q, Article: a, Helped: true, At: spring.AddDate(0, 0, int(n)%28)})
	}
	return all
}

// beamer is what people of this office call the screen in a meeting room; no
// article has the word.
func beamer(a knowledge.ArticleID, from int64) []knowledge.Evidence {
	return solvedBy(a, from, "the beamer shows nothing", "beamer in room Oslo is dead", "no picture on the beamer", "beamer stays dark, customer is waiting")
}

func firstOf(s knowledge.Suggestions) string {
	if len(s.Hits) == 0 {
		return ""
	}
	return s.Hits[0].Title
}

func TestWhatSolvedItIsSuggestedForTheNext(t *testing.T) {
	t.Parallel()
	const black = "External monitor stays black"
	x := newIndex(t, Options{}, officeArticles...)
	ask := Query{Text: "our beamer has gone dark", At: spring.AddDate(0, 2, 0)}
	if got := suggest(t, x, ask); firstOf(got) == black {
		t.Fatalf("Suggest(%q) = %q before anything was learnt", ask.Text, titles(got.Hits))
	}
	all := beamer(titled(t, black), 1)
	x.Learn(all, 4)
	got := suggest(t, x, ask)
	if firstOf(got) != black || got.Hits[0].Solved < 3 {
		t.Errorf("after four were solved: %q, %+v, want %q, which solved most of them", titles(got.Hits), got.Hits, black)
	}
	for i := range all { // an admin takes it out
		all[i].Undone, all[i].Seq = true, all[i].Seq+4
	}
	x.Learn(all, 8)
	if got := suggest(t, x, ask); firstOf(got) == black || x.Learnt() != 8 {
		t.Errorf("Suggest(%q) = %q after all was undone, at %d", ask.Text, titles(got.Hits), x.Learnt())
	}
}

func TestEvidenceOfWhatOneMayNotReadIsNotFelt(t *testing.T) {
	t.Parallel()
	hidden, plain := newIndex(t, Options{}, officeArticles...), newIndex(t, Options{}, officeArticles...)
	open := beamer(titled(t, "External monitor stays black"), 1)
	hr := solvedBy(titled(t, "Payroll export fails"), 10, "beamer of payroll is dead", "payroll picture dark", "the printer of payroll", "vpn to payroll drops", "payroll laptop slow")
	hidden.Learn(slices.Concat(open, hr), 20)
	plain.Learn(open, 20)
	for _, x := range []*Index{hidden, plain} {
		if err := x.Train(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	for _, text := range []string{"beamer dark", "payroll laptop slow", "printer", "vpn drops", "picture"} {
		q := Query{Text: text, At: spring.AddDate(0, 2, 0), Limit: 20}
		with, err := hidden.Rank(t.Context(), q)
		if err != nil {
			t.Fatal(err)
		}
		without, err := plain.Rank(t.Context(), q)
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(with, without) {
			t.Errorf("Rank(%q) differs by what only hr may read:\n%v\n%v", text, with, without)
		}
	}
}

func TestOldQuestionsAreForgotten(t *testing.T) {
	t.Parallel()
	x := newIndex(t, Options{Past: 40}, officeArticles...)
	x.Learn(beamer(titled(t, "External monitor stays black"), 1), 4)
	var more []knowledge.Evidence
	for n := range int64(60) {
		more = append(more, solvedBy(titled(t, "Mailbox is full"), 10+n, fmt.Sprintf("mailbox full again %d", n))...)
	}
	for _, e := range more {
		x.Learn([]knowledge.Evidence{e}, e.Seq)
	}
	if n := x.Past(); n > 45 {
		t.Errorf("%d past questions are kept, want at most an eighth beyond 40", n)
	}
	if got := suggest(t, x, Query{Text: "beamer", At: spring.AddDate(0, 2, 0)}); len(got.Hits) > 0 {
		t.Errorf("the oldest are still known: %q", titles(got.Hits))
	}
	if got := suggest(t, x, Query{Text: "mailbox full again", At: spring.AddDate(0, 2, 0)}); firstOf(got) != "Mailbox is full" {
		t.Errorf("the newest are not: %q", titles(got.Hits))
	}
}

func TestTicketsAreLikeOthersAndForAService(t *testing.T) {
	t.Parallel()
	x := newIndex(t, Options{}, officeArticles...)
	var all []knowledge.Evidence
	add := func(service, title, how string) {
		n := int64(len(all) + 1)
		all = append(all, knowledge.Evidence{Seq: n, Past: knowledge.TicketPast(n), Text: title, Resolution: how, Place: knowledge.Place{Service: service}, Helped: true, At: spring.AddDate(0, 0, int(n))})
	}
	for _, floor := range []string{"first", "second", "third", "fourth"} {
		add("printing", "Toner is empty on the "+floor+" floor", "Put a new toner in.")
		add("badges", "Badge does not open the "+floor+" door", "Wrote the badge again.")
	}
	x.Learn(all, int64(len(all)))
	if err := x.Train(t.Context()); err != nil {
		t.Fatal(err)
	}
	found, err := x.Similar(t.Context(), Query{Text: "toner empty, fifth floor", At: spring.AddDate(0, 2, 0)}, 3)
	if err != nil || len(found) != 3 || found[0].Ticket != 7 || slices.ContainsFunc(found, func(s Solved) bool { return s.Ticket%2 == 0 || s.Like <= 0 }) {
		t.Errorf("Similar() = %+v, %v; want of the odd ones, the toner's, the newest first", found, err)
	}
	if earlier, err := x.Similar(t.Context(), Query{Text: "toner", At: spring}, 3); err != nil || len(earlier) != 0 {
		t.Errorf("Similar() before anything was solved = %+v, %v", earlier, err)
	}
	if guess := x.Places("new toner for the printer please").Service(); guess.Service != "printing" || guess.Sure <= 0.5 || guess.Alike != 4 {
		t.Errorf("the toner is for %+v", guess)
	}
}

// The whole of it on a few questions: what changes the ranking for the worse
// is seen here first.
func TestRankingHolds(t *testing.T) {
	t.Parallel()
	x := newIndex(t, Options{}, officeArticles...)
	tests := []struct{ question, want string }{
		{"Since this morning nothing comes out when I print the invoice.\nI tried twice, also from another program. Thanks!", "Printer does not print"},
		{"hey, when I work from home I get kicked out of the vpn all the time", "Keep the VPN connected"},
		{"how can I get the printer of the 2nd floor into my list", "Add a printer"},
		{"I have a new mobile and the codes for signing in don't arrive on it", "New phone: move the authenticator"},
		{"my outlok says the mailbx is over the limit", "Mailbox is full"},
		{"code 0x80070035 when I open G:", "Error 0x80070035 on the file server"},
		{"screen two is black at the docking station since today", "External monitor stays black"},
		{"colleagues cannot hear me in the call", "Teams: nobody hears me"},
		{"excel: the file is locked for editing, but it's me", "Excel file is locked by another user"},
		{"I have lost the card for the door", "Lost badge"},
		{"need a new password, the old is expired", "Change your password"},
		{"charger is in but battery does not go up", "Laptop does not charge"},
	}
	sum := 0.0
	for _, tt := range tests {
		got, err := x.Search(t.Context(), Query{Text: tt.question})
		if err != nil {
			t.Fatal(err)
		}
		if i := slices.Index(titles(got), tt.want); i >= 0 {
			sum += 1 / float64(i+1)
		} else {
			t.Errorf("Search(%q) has no %q", tt.question, tt.want)
		}
	}
	if mean := sum / float64(len(tests)); mean < 0.8 {
		t.Errorf("the mean reciprocal rank is %.2f, want at least 0.80", mean)
	}
}
