package cards_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/deskhand/deskhand/bot/cards"
	"github.com/deskhand/deskhand/bot/chat"
	"github.com/deskhand/deskhand/core/knowledge"
	"github.com/deskhand/deskhand/core/people"
	"github.com/deskhand/deskhand/core/ticket"
)

var noon = time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)

// words are what people write in a title, a note or a name: the everyday and
// the worst that the desk takes, 150 characters.
var words = map[string]string{
	"plain":       "The printer on floor 3 is not printing",
	"as long":     strings.Repeat("x", 150),
	"long words":  strings.Repeat("paper jam again ", 9) + "paper",
	"emoji":       strings.Repeat("👩🏽‍💻🖨️🔥", 20),
	"from right":  strings.Repeat("الطابعة لا تعمل ", 9),
	"a broadcast": "<!channel> <!here> <@U1> *bold* `code` [bank](https://evil.example) https://evil.example",
	"lines":       "first\nsecond\n\n> third\n```fence```",
	"quotes":      strings.Repeat(`<&>"'\`, 25),
}

// tickets are tickets in every state, of both kinds and of large numbers.
func tickets(text string) map[string]ticket.Ticket {
	base := ticket.Ticket{ID: 987_654_321, Kind: ticket.Incident, Number: 1_234_567, Title: text, Detail: text + "\n" + strings.Repeat(text+" ", 20),
		Requester: 1, Author: 1, Queue: 1, Team: 1, Impact: ticket.Customers, Urgency: ticket.Now, Priority: ticket.Critical,
		Because: "customers or revenue are affected and work has stopped", State: ticket.New, OpenedAt: noon, Version: 123_456}
	all := map[string]ticket.Ticket{"new": base}
	add := func(name, from string, change func(*ticket.Ticket)) {
		t := all[from]
		change(&t)
		all[name] = t
	}
	add("a request", "new", func(t *ticket.Ticket) { t.Kind, t.Number, t.Priority = ticket.Request, 7, ticket.Low })
	add("in progress", "new", func(t *ticket.Ticket) { t.State, t.Owner, t.ClaimedAt = ticket.InProgress, 2, noon })
	add("chosen by the desk", "in progress", func(t *ticket.Ticket) { t.Chosen = text + ", 3 open, at work until 17:00" })
	add("handed over", "new", func(t *ticket.Ticket) { t.Moves = 2 })
	for _, r := range ticket.Reasons {
		add("waiting for "+string(r), "in progress", func(t *ticket.Ticket) { t.State, t.WaitsFor, t.WaitNote = ticket.Waiting, r, text })
	}
	add("waiting, nobody's", "new", func(t *ticket.Ticket) { t.State, t.WaitsFor = ticket.Waiting, ticket.ForPart })
	add("opened for another", "new", func(t *ticket.Ticket) { t.Author = 2 })
	add("resolved", "in progress", func(t *ticket.Ticket) {
		t.State, t.Resolution, t.Article, t.ResolvedAt = ticket.Done, strings.Repeat(text+" ", 20), 12, noon
	})
	add("resolved without an article", "resolved", func(t *ticket.Ticket) { t.Article = 0 })
	add("resolved by the desk", "resolved", func(t *ticket.Ticket) { t.Owner, t.ClaimedAt = 0, time.Time{} })
	add("reopened", "in progress", func(t *ticket.Ticket) { t.Reopened, t.Follows = 3, 5 })
	add("closed", "resolved", func(t *ticket.Ticket) { t.ClosedAt = noon })
	for n := 1; n <= 5; n++ {
		add("rated "+strconv.Itoa(n), "closed", func(t *ticket.Ticket) { t.Rating = n })
	}
	add("rated with a line", "rated 1", func(t *ticket.Ticket) { t.Comment = text })
	return all
}

func viewOf(t ticket.Ticket, text string) cards.TicketView {
	person := func(id people.PersonID) people.Person {
		if id == 0 {
			return people.Person{}
		}
		return people.Person{ID: id, Name: text, Department: "finance", Site: "Kiel", Guest: id == 1}
	}
	v := cards.TicketView{Ticket: t, Requester: person(t.Requester), Author: person(t.Author), Owner: person(t.Owner),
		Team: people.Team{ID: 1, Name: "Service Desk", Lead: 3}, Service: "Printing", Shown: hits(text), CloseAfter: 72 * time.Hour}
	if t.Moves > 0 {
		v.Trail, v.Leader = strings.Repeat("Service Desk ("+text+") → ", 10)+"Network", text+", who leads Network"
	}
	if t.Article != 0 {
		v.Article = knowledge.Article{ID: t.Article, Title: text}
	}
	if t.Follows != 0 {
		v.Follows = "INC-5"
	}
	return v
}

func hits(text string) []knowledge.Hit {
	extract := []knowledge.Span{{Text: text}, {Text: "printer", Bold: true}}
	return []knowledge.Hit{{Article: 12, Title: text, Extract: extract}, {Article: 31, Title: "Paper", KnownError: true, Extract: extract}, {Article: 99_999, Title: text, Extract: extract}}
}

func questions(text string) map[string]cards.QuestionView {
	base := cards.QuestionView{ID: 987_654_321, Version: 123_456, Text: strings.Repeat(text+" ", 20), Outcome: "open", Confidence: "none"}
	all := map[string]cards.QuestionView{"unanswered": base}
	add := func(name, from string, change func(*cards.QuestionView)) {
		q := all[from]
		change(&q)
		all[name] = q
	}
	add("unanswered, quoted", "unanswered", func(q *cards.QuestionView) { q.Quoted = true })
	add("not looked for", "unanswered", func(q *cards.QuestionView) { q.Later = true })
	add("may be about a ticket", "unanswered", func(q *cards.QuestionView) {
		all := tickets(text)
		q.Mine = []ticket.Ticket{all["new"], all["in progress"], all["waiting for part"]}
	})
	add("answered", "may be about a ticket", func(q *cards.QuestionView) { q.Hits, q.Confidence = hits(text), "high" })
	outage := &cards.OutageView{Ticket: tickets(text)["new"], What: text, Since: noon}
	request := knowledge.Hit{Request: "new-laptop", Title: text, Extract: hits(text)[0].Extract}
	add("can be requested", "may be about a ticket", func(q *cards.QuestionView) { q.Hits, q.Confidence = []knowledge.Hit{request}, "low" })
	add("answered and can be requested", "answered", func(q *cards.QuestionView) { q.Hits = append([]knowledge.Hit{request}, q.Hits[:2]...) })
	add("down", "may be about a ticket", func(q *cards.QuestionView) { q.Hits, q.Outage = []knowledge.Hit{{Outage: 1, Title: text}}, outage })
	add("down or answered", "answered", func(q *cards.QuestionView) {
		q.Hits, q.Outage = []knowledge.Hit{{Outage: 1, Title: text}, request, q.Hits[0]}, outage
	})
	add("down, said to concern them", "down or answered", func(q *cards.QuestionView) {
		o := *outage
		o.MeToo, q.Outage, q.Outcome, q.Ticket = true, &o, "ticket", o.Ticket.Ref()
	})
	add("answered, and perhaps down", "down or answered", func(q *cards.QuestionView) { q.Hits = []knowledge.Hit{q.Hits[2], q.Hits[0]} })
	add("no outage after all", "down or answered", func(q *cards.QuestionView) { q.Outage = nil })
	add("perhaps answered", "answered", func(q *cards.QuestionView) { q.Confidence = "low" })
	add("silent", "answered", func(q *cards.QuestionView) { q.Outcome = "silent" })
	add("silent without an answer", "unanswered", func(q *cards.QuestionView) { q.Outcome = "silent" })
	add("solved", "answered", func(q *cards.QuestionView) { q.Outcome, q.Solved = "solved", q.Hits[0] })
	add("a ticket", "answered", func(q *cards.QuestionView) { q.Outcome, q.Ticket = "ticket", "INC-1234567" })
	add("a person's", "unanswered", func(q *cards.QuestionView) { q.Outcome, q.Ticket = "person", "REQ-7" })
	return all
}

// drawn is a card with what its text has to say in any case.
type drawn struct {
	card chat.Card
	says []string
}

// everyCard is every card in every state, with the words in all places where
// people's words can stand.
func everyCard(text string) map[string]drawn {
	all := map[string]drawn{}
	var list []ticket.Ticket
	names := map[people.PersonID]people.Person{2: {ID: 2, Name: text}}
	byName := tickets(text)
	for _, name := range slices.Sorted(maps.Keys(byName)) {
		t := byName[name]
		list = append(list, t)
		v := viewOf(t, text)
		moved := v
		moved.Moved = true
		state := strings.ToLower(t.StateWords())
		all["triage, "+name] = drawn{cards.Triage(v), []string{t.Ref(), t.Title, state, t.Priority.String()}}
		all["triage, handed over, "+name] = drawn{cards.Triage(moved), []string{t.Ref(), "handed over", v.Team.Name}}
		yours := state
		if t.WaitsFor == ticket.ForRequester {
			yours = "waiting for you"
		}
		all["status, "+name] = drawn{cards.Status(v), []string{t.Ref(), t.Title, yours}}
		says := []string{t.Ref(), "reopened"}
		if t.State == ticket.Done {
			says[1] = state
		}
		all["fixed, "+name] = drawn{cards.Fixed(v), says}
		all["fixed, asked anew, "+name] = drawn{cards.Fixed(moved), []string{t.Ref(), "reopened"}}
		if t.Rating > 0 {
			all["told the lead, "+name] = drawn{cards.LowRating(v), []string{t.Ref(), t.Title}}
		}
	}
	for name, q := range questions(text) {
		says := []string{}
		for _, h := range q.Hits {
			switch {
			case q.Outcome != "open" && q.Outcome != "silent":
			case h.Article != 0:
				says = append(says, h.Article.Ref(), h.Title)
			case h.Request != "" || q.Outage != nil:
				says = append(says, h.Title)
			}
		}
		switch q.Outcome {
		case "solved":
			says = []string{"KB-12", text}
		case "ticket", "person":
			says = []string{q.Ticket}
		}
		all["question, "+name] = drawn{cards.Question(q), says}
	}
	all["my tickets"] = drawn{cards.MyTicketsCard(list, names, true), []string{"INC-1234567", "REQ-7", "closed"}}
	all["my tickets, none"] = drawn{cards.MyTicketsCard(nil, nil, true), []string{"no open tickets"}}
	all["the way to one's calendar"] = drawn{cards.CalendarLinks([]cards.CalendarLink{{Team: 1, Name: "Network", URL: "https://desk.example/calendar/x/changes.ics"}}, false),
		[]string{"Network", "https://desk.example/calendar/x/changes.ics", "don't pass it on"}}
	all["the way to my page"] = drawn{cards.PageLink("https://desk.example/tab/open/x"), []string{"you alone", "10 minutes"}}
	all["home, of an agent and admin"] = drawn{cards.Home(cards.HomeView{Person: people.Person{Name: text}, Names: names, Mine: list, Agent: true, Owned: list, Unclaimed: list,
		OwnedAll: 1000, FreeAll: 2000, WaitOnMe: 30, Setup: []string{text, text}}), nil}
	all["home, of nobody much"] = drawn{cards.Home(cards.HomeView{}), nil}
	all["home, of an idle agent"] = drawn{cards.Home(cards.HomeView{Agent: true}), nil}
	all["words"] = drawn{cards.Say(text), []string{text}}
	return all
}

func everyForm(text string) map[string]chat.Form {
	t := tickets(text)["in progress"]
	var agents []people.Person
	var teams []people.Team
	var services []cards.ServiceOption
	for i := range 150 {
		agents = append(agents, people.Person{ID: people.PersonID(i + 1), Name: text})
		teams = append(teams, people.Team{ID: people.TeamID(i + 1), Name: fmt.Sprintf("Team %d", i)})
		if i < 100 {
			services = append(services, cards.ServiceOption{Slug: fmt.Sprintf("service-%d", i), Name: strings.Repeat("s", 60)})
		}
	}
	d := cards.Draft{Question: 987_654_321, Source: chat.Args{"c": "C0123456789", "m": "1700000000.000001", "th": "1700000000.000002", "s": "direct", "for": "U0123456789"},
		Kind: ticket.Incident, Title: text, Detail: strings.Repeat("d", 3000), About: "service-1", Guess: cards.Guess{About: "service-1", Name: text, Arg: "service-1 probably 0.912 50", Certainty: knowledge.Probably, Alike: 50}, Impact: ticket.OnlyMe, Urgency: ticket.Now, ForOther: true, For: "U0123456789"}
	request := d
	request.Kind = ticket.Request
	var lines []cards.HistoryLine
	for range 60 {
		lines = append(lines, cards.HistoryLine{At: noon, Who: text, What: "wrote a message", Via: "slack, direct message", Note: strings.Repeat(text, 5)})
	}
	article := knowledge.Article{ID: 12, Title: text, Environment: text, Cause: text, KnownError: true,
		Answer: "# Do this\n1. Open **settings**\n   - or `prefs`\n2. Press [here](https://desk.example)\n\n```\nnetsh wlan\n```\n- a\n- b\n"}
	return map[string]chat.Form{
		"which kind":            cards.ChooseKind(d),
		"which kind of nothing": cards.ChooseKind(cards.Draft{}),
		"duplicates":            cards.Duplicates(d, []cards.Like{{Ticket: t, Mine: true}, {Ticket: t}, {Ticket: tickets(text)["closed"]}}),
		"added":                 cards.Added(t, true),
		"me too":                cards.Added(t, false),
		"an incident":           cards.OpenForm(d, services),
		"a request":             cards.OpenForm(request, services[:1]),
		"resolve":               cards.ResolveForm(t, chat.Option{}),
		"resolve with":          cards.ResolveForm(t, chat.Option{Value: "12", Label: "KB-12"}),
		"wait":                  cards.WaitForm(t),
		"assign":                cards.AssignForm(t, agents, map[people.PersonID]string{agents[0].ID: "Away, back on " + text}),
		"assign to nobody":      cards.AssignForm(t, nil, nil),
		"hand over":             cards.HandOverForm(t, teams, cards.HandOverView{}),
		"hand over, really":     cards.HandOverForm(t, teams, cards.HandOverView{To: teams[1], Really: text, Filled: chat.Values{"note": {"n"}, "tried": {"t"}}}),
		"hand over to nobody":   cards.HandOverForm(t, nil, cards.HandOverView{}),
		"priority":              cards.PriorityForm(t),
		"hand over, offered":    cards.HandOverForm(t, teams, cards.HandOverView{To: teams[1], Offer: text}),
		"correct":               cards.CorrectForm(t, services[1].Slug, services),
		"correct, of one":       cards.CorrectForm(t, services[0].Slug, services[:1]),
		"away":                  cards.AwayForm(cards.AwayView{Name: text}),
		"away, by the lead":     cards.AwayForm(cards.AwayView{Name: text, Others: agents}),
		"reopen":                cards.ReopenForm(t),
		"remark":                cards.RemarkForm(t),
		"ask":                   cards.AskForm(),
		"history":               cards.HistoryForm(t.Ref(), text, lines),
		"no history":            cards.HistoryForm(t.Ref(), "", nil),
		"article":               cards.Article(article, chat.Args{"q": "1"}),
		"article to read":       cards.Article(article, nil),
	}
}

var (
	actionName = regexp.MustCompile(`^[a-z0-9_.]{1,60}$`)
	codeName   = regexp.MustCompile(`\bP[1-4]\b|priority [0-9]`)
)

// checkBlocks holds blocks against what package chat promises, and against
// the rules of the house: two buttons, the rest in the menu.
func checkBlocks(t *testing.T, where string, blocks []chat.Block) {
	t.Helper()
	primary := 0
	button := func(b chat.Button) {
		args, err := json.Marshal(b.Args)
		if err != nil || len(args) > 1000 {
			t.Errorf("%s: the args of %q are %d bytes, %v", where, b.Label, len(args), err)
		}
		if !actionName.MatchString(b.Action) {
			t.Errorf("%s: %q has the action %q", where, b.Label, b.Action)
		}
		if n := utf8.RuneCountInString(b.Label); n == 0 || n > 75 {
			t.Errorf("%s: a label of %d characters: %q", where, n, b.Label)
		}
		if b.Style == chat.Primary {
			primary++
		}
	}
	text := func(r chat.Rich) {
		for _, s := range r {
			if s.User.ID != "" || strings.Contains(s.Link, "evil") {
				t.Errorf("%s: what somebody wrote has become a mention or a link: %+v", where, s)
			}
			if !utf8.ValidString(s.Text) {
				t.Errorf("%s: a character was cut in two: %q", where, s.Text)
			}
		}
		if found := codeName.FindString(r.Plain()); found != "" {
			t.Errorf("%s: %q is not how people speak: %s", where, found, r.Plain())
		}
	}
	for _, b := range blocks {
		switch b := b.(type) {
		case chat.Section:
			text(b.Text)
		case chat.Quote:
			text(b.Text)
		case chat.Note:
			text(b.Text)
		case chat.Row:
			text(b.Text)
			button(b.Button)
		case chat.Facts:
			for _, f := range b {
				text(f.Value)
			}
		case chat.List:
			for _, i := range b.Items {
				text(i)
			}
		case chat.Actions:
			most := 2
			if len(b.Buttons) > 0 && b.Buttons[0].Action == cards.Rate {
				most = 5
			}
			if len(b.Buttons) > most || len(b.Menu) > 11 || len(b.Buttons)+len(b.Menu) == 0 {
				t.Errorf("%s: %d buttons and a menu of %d", where, len(b.Buttons), len(b.Menu))
			}
			for _, each := range slices.Concat(b.Buttons, b.Menu) {
				button(each)
			}
		}
	}
	if primary > 1 {
		t.Errorf("%s: %d primary buttons", where, primary)
	}
}

func TestEveryCardInEveryState(t *testing.T) {
	t.Parallel()
	for name, text := range words {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			all := everyCard(text)
			maps.Copy(all, everyChange(text))
			maps.Copy(all, everyLearning(text))
			for where, d := range all {
				if strings.TrimSpace(d.card.Text) == "" {
					t.Errorf("%s: nothing is said to those who don't see the card", where)
				}
				for _, say := range d.says {
					if !strings.Contains(strings.ToLower(d.card.Text), strings.ToLower(say)) {
						t.Errorf("%s: the text does not say %q: %s", where, say, d.card.Text)
					}
				}
				if found := codeName.FindString(d.card.Text); found != "" {
					t.Errorf("%s: %q is not how people speak: %s", where, found, d.card.Text)
				}
				if !utf8.ValidString(d.card.Text) {
					t.Errorf("%s: a character was cut in two: %q", where, d.card.Text)
				}
				checkBlocks(t, where, d.card.Blocks)
			}
		})
	}
}

func TestEveryForm(t *testing.T) {
	t.Parallel()
	for name, text := range words {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			all := everyForm(text)
			maps.Copy(all, everyChangeForm(text))
			maps.Copy(all, everyLearningForm(text))
			for where, f := range all {
				checkBlocks(t, where, f.Intro)
				js, err := json.Marshal(map[string]any{f.Action: f.Args})
				if err != nil || len(js) > 2500 {
					t.Errorf("%s: action and args are %d bytes, %v", where, len(js), err)
				}
				if !actionName.MatchString(f.Action) {
					t.Errorf("%s: the action %q", where, f.Action)
				}
				if n := utf8.RuneCountInString(f.Title); n == 0 || n > 24 {
					t.Errorf("%s: a title of %d characters: %q", where, n, f.Title)
				}
				if len(f.Fields) > 0 != (f.Submit != "") && f.Action != cards.Solved {
					t.Errorf("%s: %d fields and the button %q", where, len(f.Fields), f.Submit)
				}
				seen := map[string]bool{}
				for _, field := range f.Fields {
					if seen[field.Name] || field.Name == "" || field.Label == "" {
						t.Errorf("%s: the field %q (%q) is nameless or there twice", where, field.Name, field.Label)
					}
					seen[field.Name] = true
					checkField(t, where, field)
				}
			}
		})
	}
}

func checkField(t *testing.T, where string, f chat.Field) {
	t.Helper()
	most := map[chat.Input]int{chat.Choice: 10, chat.Select: 100, chat.Checks: 10, chat.Search: 100}[f.Input]
	if len(f.Options) > most || len(f.Options) == 0 && (f.Input == chat.Choice || f.Input == chat.Select) {
		t.Errorf("%s: %d options in the %s %q", where, len(f.Options), f.Input, f.Name)
	}
	values := map[string]bool{}
	for _, o := range f.Options {
		if n := utf8.RuneCountInString(o.Label); n == 0 || n > 75 || len(o.Value) > 100 || values[o.Value] {
			t.Errorf("%s: option %q of %q has a label of %d characters, or is there twice", where, o.Value, f.Name, n)
		}
		values[o.Value] = true
	}
	for _, v := range f.Value {
		if len(f.Options) > 0 && !values[v] {
			t.Errorf("%s: %q begins with %q, which is no option", where, f.Name, v)
		}
		if n := utf8.RuneCountInString(v); f.Max > 0 && n > f.Max {
			t.Errorf("%s: %q begins with %d characters; %d fit", where, f.Name, n, f.Max)
		}
	}
}

// What a card offers is what core would do, and nothing else.
func TestTriageOffersWhatCanBeDone(t *testing.T) {
	t.Parallel()
	const me people.PersonID = 2
	refused := func(_ ticket.Ticket, _ ticket.Event, err error) bool { return err != nil }
	for name, tk := range tickets("No sound") {
		may := map[string]bool{
			cards.Claim:    !refused(tk.Claim(9, noon)),
			cards.Release:  !refused(tk.Release(me, noon)),
			cards.Assign:   !refused(tk.Assign(9, me, noon)),
			cards.HandOver: !refused(tk.Move(2, tk.Kind, 2, me, "", noon)),
			cards.Wake:     !refused(tk.Wake(me, "", noon)),
			cards.Resolve:  !refused(tk.Resolve(me, "so", 0, noon)),
			cards.Priority: !refused(tk.Prioritise(ticket.OnlyMe, ticket.Today, 0, "so", nil, me, noon)),
			cards.Correct:  !refused(tk.Correct("vpn", "", me, noon)),
			cards.Wait:     !refused(tk.Wait(ticket.ForChange, "new", me, noon)) && tk.State != ticket.Waiting,
			cards.About:    tk.State != ticket.Done,
			cards.Before:   tk.State != ticket.Done,
			cards.SaveAs:   tk.State == ticket.Done && tk.Article == 0,
			cards.History:  true,
		}
		if _, _, err := tk.Decline(me, noon); err == nil {
			delete(may, cards.Release) // "not me" is better
			may[cards.PassOn] = true
		}
		if tk.State == ticket.Waiting && tk.Owner == 0 {
			delete(may, cards.Release)
		}
		offered := map[string]bool{}
		for _, b := range cards.Triage(viewOf(tk, "Ana")).Blocks {
			if a, ok := b.(chat.Actions); ok {
				for _, each := range slices.Concat(a.Buttons, a.Menu) {
					offered[each.Action] = true
					if !strings.Contains(each.Name, tk.Ref()) {
						t.Errorf("%s: a screen reader says %q, which names no ticket", name, each.Name)
					}
				}
			}
		}
		for action, can := range may {
			if offered[action] != can {
				t.Errorf("%s: %s is offered: %v; can be done: %v", name, action, offered[action], can)
			}
		}
		for action := range offered {
			if _, known := may[action]; !known {
				t.Errorf("%s: %s is offered", name, action)
			}
		}
	}
}

func TestTitle(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, question, want string }{
		{"a short question is its own title", "vpn drops", "vpn drops"},
		{"the first line counts", "vpn drops\nevery ten minutes", "vpn drops"},
		{"blank lines before it don't", "\n\n  vpn   drops ", "vpn drops"},
		{"a long one ends with a word", strings.Repeat("paper jam ", 20), strings.TrimSpace(strings.Repeat("paper jam ", 7)) + " paper…"},
		{"one long word is cut", strings.Repeat("ü", 100), strings.Repeat("ü", 79) + "…"},
		{"eighty characters fit", strings.Repeat("ü", 80), strings.Repeat("ü", 80)},
		{"nothing stays nothing", " \n ", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if got := cards.Title(tt.question); got != tt.want {
				t.Errorf("Title(%q) = %q, want %q", tt.question, got, tt.want)
			}
		})
	}
}

// A digest that has more tickets than lines says so.
func TestADigestCountsWhatItDoesNotList(t *testing.T) {
	t.Parallel()
	c := cards.Digest(cards.DigestView{ID: 1, All: 12, Over: 1, Since: noon, Lines: make([]cards.DigestLine, 10)})
	for _, want := range []string{"11 left, 1 seen to.", "and 2 more"} {
		if !slices.ContainsFunc(c.Blocks, func(b chat.Block) bool { n, ok := b.(chat.Note); return ok && n.Text.Plain() == want }) {
			t.Errorf("no note %q in %+v", want, c.Blocks)
		}
	}
}
