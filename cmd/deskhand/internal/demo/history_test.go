package demo

import (
	"reflect"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/deskhand/deskhand/core/people"
	"github.com/deskhand/deskhand/core/ticket"
)

// moments are times at which somebody might start the demo.
var moments = map[string]time.Time{
	"a Wednesday afternoon":          today,
	"Monday before anybody is in":    time.Date(2026, 11, 16, 4, 30, 0, 0, time.UTC),
	"a Sunday night":                 time.Date(2026, 6, 14, 23, 59, 59, 0, time.UTC),
	"New Year's Day":                 time.Date(2027, 1, 1, 11, 0, 0, 0, time.UTC),
	"the night the clocks go back":   time.Date(2026, 10, 25, 1, 30, 0, 0, time.UTC),
	"the day the clocks go forward":  time.Date(2027, 3, 28, 9, 0, 0, 0, time.UTC),
	"a leap day":                     time.Date(2028, 2, 29, 10, 0, 0, 0, time.UTC),
	"midday far from the Old World":  time.Date(2026, 8, 7, 12, 0, 0, 0, time.FixedZone("", -9*3600)),
	"with parts of a second as well": time.Date(2026, 9, 30, 7, 15, 0, 123456789, time.UTC),
}

// todays is the history that most tests look at, and none changes.
var todays = sync.OnceValues(func() (*History, error) { return Generate(today) })

func generate(t testing.TB, now time.Time) (h *History) {
	t.Helper()
	var err error
	if now == today {
		h, err = todays()
	} else {
		h, err = Generate(now)
	}
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func TestHistoryIsWhole(t *testing.T) {
	t.Parallel()
	p, err := Policy()
	if err != nil {
		t.Fatal(err)
	}
	for name, now := range moments {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := generate(t, now)
			if len(h.Tickets) < 1900 || len(h.Tickets) > 2150 || len(h.Questions) < 1400 || len(h.Questions) > 1600 {
				t.Errorf("%d tickets and %d questions, want about 2000 and 1500", len(h.Tickets), len(h.Questions))
			}
			numbers := map[ticket.Kind]int64{}
			for i, x := range h.Tickets {
				numbers[x.Kind]++
				if x.ID != ticket.ID(i+1) || x.Number != numbers[x.Kind] {
					t.Fatalf("ticket %d has id %d and number %d, want %d", i, x.ID, x.Number, numbers[x.Kind])
				}
				if i > 0 && x.OpenedAt.Before(h.Tickets[i-1].OpenedAt) {
					t.Errorf("%s was opened before the one before it", x.Ref())
				}
				checkTicket(t, h, p.Desk.CloseAfter.Value(), x, now)
			}
			for i, q := range h.Questions {
				if i > 0 && q.At.Before(h.Questions[i-1].At) {
					t.Errorf("question %d was asked before the one before it", i)
				}
				checkQuestion(t, h, q, now)
			}
			checkOpen(t, h)
		})
	}
}

// checkOpen sees to a newcomer's first look, which is at what is open: on no
// day is it little.
func checkOpen(t *testing.T, h *History) {
	t.Helper()
	states, reasons, teams := map[ticket.State]int{}, map[ticket.Reason]int{}, map[people.TeamID]int{}
	open, ana, unconfirmed := 0, 0, 0
	for _, x := range h.Tickets {
		if !x.Open() {
			if !x.Closed() {
				unconfirmed++
			}
			continue
		}
		open++
		states[x.State]++
		teams[x.Team]++
		if x.State == ticket.Waiting {
			reasons[x.WaitsFor]++
		}
		if h.People[x.Requester-1].Mail == "ana.matos"+domain {
			ana++
		}
	}
	if open < 25 || open > 120 || states[ticket.New] < 8 || states[ticket.InProgress] < 8 || states[ticket.Waiting] < 8 || unconfirmed < 3 {
		t.Errorf("%d open: %v, and %d are not confirmed", open, states, unconfirmed)
	}
	for _, r := range ticket.Reasons {
		if reasons[r] == 0 {
			t.Errorf("nothing waits for %s", r.Words())
		}
	}
	if len(teams) != len(h.Teams) || ana < 2 {
		t.Errorf("open work by team %v, of Ana's %d", teams, ana)
	}
}

func checkTicket(t *testing.T, h *History, grace time.Duration, x Ticket, now time.Time) {
	t.Helper()
	person := func(id people.PersonID) bool { return id >= 1 && int(id) <= len(h.People) }
	if !person(x.Requester) || !person(x.Author) || x.Owner != 0 && !person(x.Owner) {
		t.Errorf("%s names people who are not there: %d, %d, %d", x.Ref(), x.Requester, x.Author, x.Owner)
	}
	if x.Team < 1 || int(x.Team) > len(h.Teams) || (x.Queue+1)/2 != ticket.QueueID(x.Team) || (x.Queue%2 == 0) != (x.Kind == ticket.Request) {
		t.Errorf("%s is in queue %d of team %d", x.Ref(), x.Queue, x.Team)
	}
	if int(x.Article) > len(h.Articles) || x.Follows >= x.ID {
		t.Errorf("%s refers to article %d, ticket %d", x.Ref(), x.Article, x.Follows)
	}
	if len(strings.Fields(x.Title)) == 0 || len(x.Title) > 150 || strings.ContainsAny(x.Title+x.Detail+x.Resolution+x.WaitNote+x.Comment, "{}|") {
		t.Errorf("%s reads %q, %q, %q", x.Ref(), x.Title, x.Detail, x.Resolution)
	}
	last := x.Steps[0].At
	if x.Steps[0].Action != ticket.Opened || !last.Equal(x.OpenedAt) {
		t.Errorf("%s begins with %q at %v", x.Ref(), x.Steps[0].Action, last)
	}
	for _, s := range x.Steps {
		if s.At.Before(last) || s.At.After(now) {
			t.Errorf("%s was %s at %v, after %v; now is %v", x.Ref(), s.Action, s.At, last, now)
		}
		if s.By != 0 && !person(s.By) {
			t.Errorf("%s was %s by %d", x.Ref(), s.Action, s.By)
		}
		last = s.At
	}
	if after := x.Steps[len(x.Steps)-1].After; x.Ticket != after {
		t.Errorf("%s is not what its last step made of it:\n%s", x.Ref(), cmp.Diff(after, x.Ticket))
	}
	if x.Closed() && (x.ClosedAt.Before(x.ResolvedAt) || x.ClosedAt.After(x.ResolvedAt.Add(grace))) {
		t.Errorf("%s was closed %v after it was resolved", x.Ref(), x.ClosedAt.Sub(x.ResolvedAt))
	}
	if x.State == ticket.Done && !x.Closed() && x.ResolvedAt.Add(grace).Before(now) {
		t.Errorf("%s ought to have been closed by now", x.Ref())
	}
	said := x.OpenedAt
	for _, m := range x.Messages {
		if m.At.Before(said) || m.At.After(now) || !person(m.By) || m.Body == "" || strings.ContainsAny(m.Body, "{}|") || m.Internal && !m.Team {
			t.Errorf("%s: %+v", x.Ref(), m)
		}
		said = m.At
	}
}

func checkQuestion(t *testing.T, h *History, q Question, now time.Time) {
	t.Helper()
	if q.Person < 1 || int(q.Person) > len(h.People) || strings.TrimSpace(q.Text) == "" || strings.ContainsAny(q.Text, "{}|") || q.At.After(now) {
		t.Errorf("question %+v", q)
	}
	if (q.Outcome == "open") != q.EndedAt.IsZero() || !q.EndedAt.IsZero() && (q.EndedAt.Before(q.At) || q.EndedAt.After(now)) {
		t.Errorf("%q is %s and ended at %v", q.Text, q.Outcome, q.EndedAt)
	}
	if (q.Outcome == "solved") != (q.Article != 0) || (q.Confidence == "none") != (len(q.Shown) == 0) {
		t.Errorf("%q is %s by article %d, %d were shown at confidence %s", q.Text, q.Outcome, q.Article, len(q.Shown), q.Confidence)
	}
	for _, a := range append(slices.Clone(q.Shown), q.Article) {
		if int(a) > len(h.Articles) {
			t.Errorf("%q refers to article %d", q.Text, a)
		}
	}
	became := q.Outcome == "ticket" || q.Outcome == "person"
	if became != (q.Ticket != 0) || int(q.Ticket) > len(h.Tickets) {
		t.Fatalf("%q is %s with ticket %d", q.Text, q.Outcome, q.Ticket)
	}
	if became {
		x := h.Tickets[q.Ticket-1]
		if x.Requester != q.Person || x.Title != q.Text || !x.OpenedAt.Equal(q.EndedAt) {
			t.Errorf("%q became %s %q", q.Text, x.Ref(), x.Title)
		}
	}
}

func TestHistoryHasOrdinaryDays(t *testing.T) {
	t.Parallel()
	h := generate(t, today)
	oldest := today.AddDate(0, 0, -days)
	byDay, byPriority, morning := map[time.Weekday]int{}, map[ticket.Priority]int{}, 0
	var rated, reopened, moved, again int
	had := map[people.PersonID]map[string]bool{}
	for _, x := range h.Tickets {
		if x.OpenedAt.Before(oldest) {
			t.Errorf("%s was opened on %v", x.Ref(), x.OpenedAt)
		}
		byDay[x.OpenedAt.Weekday()]++
		byPriority[x.Priority]++
		if x.OpenedAt.Weekday() == time.Monday && x.OpenedAt.UTC().Hour() < 11 {
			morning++
		}
		if x.Rating > 0 {
			rated++
		}
		reopened += x.Reopened
		if slices.ContainsFunc(x.Steps, func(s Step) bool { return s.Action == ticket.Moved }) {
			moved++
		}
		if had[x.Requester] == nil {
			had[x.Requester] = map[string]bool{}
		}
		if had[x.Requester][x.Service] {
			again++
		}
		had[x.Requester][x.Service] = true
	}
	weekend := byDay[time.Saturday] + byDay[time.Sunday]
	if weekend == 0 || weekend*8 > byDay[time.Friday]*2 {
		t.Errorf("%d tickets at weekends, %d on Fridays", weekend, byDay[time.Friday])
	}
	if byDay[time.Monday] <= byDay[time.Thursday] || morning*2 < byDay[time.Monday] {
		t.Errorf("%d on Mondays, %d of them in the morning, %d on Thursdays", byDay[time.Monday], morning, byDay[time.Thursday])
	}
	if byPriority[ticket.Critical] == 0 || byPriority[ticket.Critical] > 25 || byPriority[ticket.High] > byPriority[ticket.Normal] {
		t.Errorf("priorities %v", byPriority)
	}
	within := func(what string, n, least, most int) {
		if share := 1000 * n / len(h.Tickets); share < least || share > most {
			t.Errorf("%d of %d tickets %s, want %d to %d in a thousand", n, len(h.Tickets), what, least, most)
		}
	}
	within("are rated", rated, 200, 450)
	within("were reopened", reopened, 20, 60)
	within("were handed to another team", moved, 25, 100)
	within("are of a person who had the like before", again, 200, 800)
}

func TestHistoryTellsOfTheOutage(t *testing.T) {
	t.Parallel()
	h := generate(t, today)
	i := slices.IndexFunc(h.Tickets, func(x Ticket) bool { return strings.HasPrefix(x.Title, "VPN refuses every sign-in") })
	if i < 0 {
		t.Fatal("nothing about the outage")
	}
	outage := h.Tickets[i]
	if outage.Priority != ticket.Critical {
		t.Errorf("it had priority %d", outage.Priority)
	}
	same := 0
	for _, x := range h.Tickets {
		if strings.Contains(x.Resolution, outage.Ref()) {
			same++
			if x.OpenedAt.Before(outage.OpenedAt) || x.ResolvedAt.Before(outage.OpenedAt.Add(time.Hour)) {
				t.Errorf("%s was opened at %v and resolved at %v", x.Ref(), x.OpenedAt, x.ResolvedAt)
			}
		}
	}
	if same < 15 {
		t.Errorf("%d tickets of the same cause, want at least 15", same)
	}
}

func TestHistoryIsTheSameForTheSameMoment(t *testing.T) {
	t.Parallel()
	once, again := generate(t, today), generate(t, today.In(time.FixedZone("elsewhere", 5*3600)))
	if !reflect.DeepEqual(once, again) {
		t.Error(cmp.Diff(once, again))
	}
}

func TestQuestionsDoNotRepeatThemselves(t *testing.T) {
	t.Parallel()
	h := generate(t, today)
	times := map[string]int{}
	for _, q := range h.Questions {
		times[q.Text]++
	}
	if len(times)*10 < len(h.Questions)*6 {
		t.Errorf("only %d of %d questions differ", len(times), len(h.Questions))
	}
	for text, n := range times {
		if n > 12 {
			t.Errorf("%q was asked %d times", text, n)
		}
	}
}

var slot = regexp.MustCompile(`\{([a-z_0-9]+)\}`)

func TestScenariosUseSlotsThatThereAre(t *testing.T) {
	t.Parallel()
	g, err := prepare(today)
	if err != nil {
		t.Fatal(err)
	}
	known := g.slots(g.byMail["ana.matos"+domain])
	known["outage"], known["agent_first"] = "", ""
	files, err := scenarioFiles.ReadDir("scenarios")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		b, err := scenarioFiles.ReadFile("scenarios/" + f.Name())
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range slot.FindAllStringSubmatch(string(b), -1) {
			if _, ok := known[m[1]]; !ok {
				t.Errorf("%s: there is no slot %s", f.Name(), m[0])
			}
		}
	}
}

func TestLinesAreReadStrictly(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		text string
		want line
		ok   bool
	}{
		{"A> On my way.", line{role: 'A', text: "On my way."}, true},
		{"P(fuser)> Ordered > today.", line{role: 'P', note: "fuser", text: "Ordered > today."}, true},
		{"R(later)> it's here", line{role: 'R', note: "later", text: "it's here"}, true},
		{"On my way.", line{}, false},
		{"X> what", line{}, false},
		{"P> waits for nothing", line{}, false},
		{"A(fuser)> does not wait", line{}, false},
	} {
		var got line
		err := got.UnmarshalText([]byte(tt.text))
		if (err == nil) != tt.ok || tt.ok && got != tt.want {
			t.Errorf("%q is read as %+v, %v", tt.text, got, err)
		}
	}
}

func TestWeek(t *testing.T) {
	t.Parallel()
	w := week{time.UTC, 8 * 60, 17 * 60}
	at := func(day, hour int) time.Time { return time.Date(2026, 11, day, hour, 0, 0, 0, time.UTC) }
	for _, tt := range []struct {
		name  string
		from  time.Time
		hours int
		add   time.Time
	}{
		{"within a day", at(18, 9), 2, at(18, 11)},
		{"over a night", at(18, 16), 2, at(19, 9)},
		{"from before the morning", at(18, 3), 1, at(18, 9)},
		{"over a weekend", at(20, 16), 3, at(23, 10)},
		{"from a Sunday", at(22, 12), 1, at(23, 9)},
	} {
		if got := w.add(tt.from, time.Duration(tt.hours)*time.Hour); !got.Equal(tt.add) {
			t.Errorf("%s: add(%v, %dh) = %v, want %v", tt.name, tt.from, tt.hours, got, tt.add)
		}
	}
	if got := w.back(at(23, 10), 3*time.Hour); !got.Equal(at(20, 16)) {
		t.Errorf("3h before Monday at ten is %v", got)
	}
	if got := w.back(at(22, 12), time.Hour); !got.Equal(at(20, 16)) {
		t.Errorf("an hour before Sunday noon is %v", got)
	}
}

func BenchmarkGenerate(b *testing.B) {
	for b.Loop() {
		generate(b, today)
	}
}
