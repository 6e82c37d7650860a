package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/deskhand/deskhand/cmd/deskhand/internal/policyfile"
	"github.com/deskhand/deskhand/core/policy"
	"github.com/deskhand/deskhand/core/rehearsal"
	"github.com/deskhand/deskhand/core/sla"
	"github.com/deskhand/deskhand/core/ticket"
	"github.com/deskhand/deskhand/storage"
)

type slaCmd struct {
	Explain  slaExplainCmd  `cmd:"" help:"Print the sum behind a ticket's promised times, in lines that anybody can check."`
	Simulate slaSimulateCmd `cmd:"" help:"Run another policy over what has happened: what it would have missed, and the difference to today's."`
}

type slaExplainCmd struct {
	storeFlags
	Ticket string `arg:"" help:"Reference, such as INC-42."`
	Zone   string `help:"Time zone of the times, such as Europe/Berlin. By default the desk's." placeholder:"NAME"`
}

func (c *slaExplainCmd) Run(ctx context.Context, e *env) (err error) {
	kind, number, ok := ticket.ParseRef(c.Ticket)
	if !ok {
		return fmt.Errorf("%q is no reference; one looks like INC-42 or REQ-7", c.Ticket)
	}
	db, done, err := c.open(ctx, e)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, done()) }()
	return db.View(ctx, func(tx *storage.Tx) error {
		tk, err := tx.TicketByRef(ctx, kind, number)
		if errors.Is(err, storage.ErrNotFound) {
			return fmt.Errorf("there is no ticket %s-%d", kind.Prefix(), number)
		}
		if err != nil {
			return err
		}
		inForce, _, err := tx.Policy(ctx)
		if err != nil {
			return err
		}
		zone, err := time.LoadLocation(cmp.Or(c.Zone, inForce.Desk.TimeZone))
		if err != nil {
			return fmt.Errorf("--zone: there is no time zone %q", c.Zone)
		}
		standings, err := tx.Standings(ctx, tk.ID)
		if err != nil {
			return err
		}
		ledger, err := tx.Replay(ctx, standings[tk.ID].Ledger)
		if err != nil {
			return err
		}
		e.say("%s  %s (%s)", tk.Ref(), tk.Title, strings.ToLower(tk.StateWords()))
		explain(e.out, ledger, time.Now(), zone)
		return nil
	})
}

// explain prints the sum behind each promise.
func explain(out io.Writer, ledger sla.Ledger, now time.Time, zone *time.Location) {
	promised := false
	for _, k := range rehearsal.Kinds {
		lines := sla.Explain(ledger, k, now, zone)
		if len(lines) == 0 {
			continue
		}
		promised = true
		fmt.Fprintf(out, "\n%s\n", map[sla.Kind]string{sla.Response: "Answer", sla.Resolution: "Fix"}[k])
		w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
		for _, l := range lines {
			fmt.Fprintf(w, "  %s\t%s\n", l.Label, l.Text)
		}
		_ = w.Flush() // out is a buffer or a terminal
	}
	if !promised {
		fmt.Fprintln(out, "Nothing is promised for it.")
	}
}

type slaSimulateCmd struct {
	storeFlags
	Policy string `required:"" help:"Policy file to rehearse (YAML). It is not put in force." type:"path" placeholder:"FILE"`
	Last   string `default:"90d" help:"How far back: 90d, 36h." placeholder:"TIME"`
	Show   int    `default:"10" help:"How many promises that would fare otherwise to list one by one."`
}

// batch is how many tickets are read at a time.
const batch = 500

func (c *slaSimulateCmd) Run(ctx context.Context, e *env) (err error) {
	last := policy.Duration(c.Last).Value()
	if last <= 0 {
		return fmt.Errorf("--last: %q is not a time such as 90d or 36h", c.Last)
	}
	next, err := policyfile.Load(c.Policy)
	if err != nil {
		return err
	}
	db, done, err := c.open(ctx, e)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, done()) }()
	now := time.Now()
	r, zone, err := rehearse(ctx, db, next, now.Add(-last), now, e.progress)
	if err != nil {
		return err
	}
	printRehearsal(e.out, r, filepath.Base(c.Policy), now.Add(-last), now, zone, c.Show)
	return nil
}

// rehearse runs the policy over the tickets opened since.
func rehearse(ctx context.Context, db *storage.DB, p policy.Policy, since, now time.Time, progress func(string)) (rehearsal.Report, *time.Location, error) {
	fail := func(err error) (rehearsal.Report, *time.Location, error) { return rehearsal.Report{}, nil, err }
	var (
		inForce policy.Policy
		all     int
	)
	if err := db.View(ctx, func(tx *storage.Tx) (err error) {
		if inForce, _, err = tx.Policy(ctx); errors.Is(err, storage.ErrNotFound) { // no desk has been opened on it yet
			inForce, err = policy.BuiltIn(), nil
		}
		if err != nil {
			return err
		}
		all, err = tx.CountOpened(ctx, since)
		return err
	}); err != nil {
		return fail(err)
	}
	today, err := rehearsal.New(inForce.WithDefaults())
	if err != nil {
		return fail(err)
	}
	next, err := rehearsal.New(p)
	if err != nil {
		return fail(err)
	}
	zone, err := time.LoadLocation(p.Desk.TimeZone)
	if err != nil {
		return fail(err)
	}
	r := rehearsal.Begin(today, next, now, zone)
	after, read, said := ticket.ID(0), 0, time.Now()
	for {
		var records []rehearsal.Record
		if err := db.View(ctx, func(tx *storage.Tx) (err error) {
			records, err = tx.Records(ctx, since, after, batch)
			return err
		}); err != nil {
			return fail(err)
		}
		for _, rec := range records {
			r.Add(rec)
			after = rec.ID
		}
		if read += len(records); time.Since(said) > 2*time.Second {
			progress(fmt.Sprintf("%d of %d tickets", read, all))
			said = time.Now()
		}
		if len(records) < batch {
			return r.Report(), zone, nil
		}
	}
}

func printRehearsal(out io.Writer, r rehearsal.Report, name string, from, to time.Time, zone *time.Location, show int) {
	day := func(t time.Time) string { return t.In(zone).Format("2 January 2006") }
	fmt.Fprintf(out, "%s, rehearsed on %s opened from %s to %s.\n", name, count(r.Tickets, "ticket"), day(from), day(to))
	if r.Unknown > 0 {
		fmt.Fprintf(out, "Of %d the record does not say how they began; they are left out.\n", r.Unknown)
	}
	if r.Tickets == 0 {
		fmt.Fprintln(out, "There is nothing to rehearse it on.")
		return
	}
	if r.All.Now.Made+r.All.New.Made == 0 {
		fmt.Fprintln(out, "Neither policy promises anything to any of them.")
		return
	}
	fmt.Fprintln(out)
	w := tabwriter.NewWriter(out, 0, 0, 3, ' ', 0)
	row := func(label string, p rehearsal.Pair) {
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", label, share(p.Now), share(p.New), signed(p.New.Missed-p.Now.Missed))
	}
	head := func(what string) { fmt.Fprintf(w, "%s\tmissed today\twith %s\tdifference\n", what, name) }
	head("Promise")
	keys := slices.SortedFunc(maps.Keys(r.Rows), func(a, b rehearsal.Row) int {
		return cmp.Or(cmp.Compare(a.Priority, b.Priority), cmp.Compare(b.Kind, a.Kind))
	})
	for _, k := range keys {
		row(k.Priority.String()+", "+verbOf(k.Kind), r.Rows[k])
	}
	row("All", r.All)
	fmt.Fprintln(w)
	head("Team")
	for _, team := range slices.Sorted(maps.Keys(r.Teams)) {
		row(cmp.Or(team, "a team that is no more"), r.Teams[team])
	}
	fmt.Fprintln(w)
	head("Week of")
	for _, week := range slices.SortedFunc(maps.Keys(r.Weeks), time.Time.Compare) {
		p := r.Weeks[week]
		fmt.Fprintf(w, "%s\t%d\t%d\t%s\n", week.Format("2 Jan 2006"), p.Now, p.New, signed(p.New-p.Now))
	}
	_ = w.Flush() // out is a buffer or a terminal
	differ(out, "would be missed that are kept today", r.Worse, zone, show)
	differ(out, "would be kept that are missed today", r.Better, zone, show)
}

// differ lists what would fare otherwise.
func differ(out io.Writer, what string, list []rehearsal.Difference, zone *time.Location, show int) {
	fmt.Fprintf(out, "\n%s %s", count(len(list), "promise"), what)
	if len(list) == 0 || show <= 0 {
		fmt.Fprintln(out, ".")
		return
	}
	fmt.Fprint(out, ":\n")
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	for _, d := range list[:min(show, len(list))] {
		v := d.New
		if d.Now.Missed {
			v = d.Now
		}
		over := "out of hours"
		if v.Over > 0 {
			over = sla.Words(max(v.Over.Round(time.Minute), time.Minute)) + " late"
		}
		if v.Open {
			over += " so far"
		}
		fmt.Fprintf(w, "  %s\t%s by %s\t%s\t%s\n", d.Ref, verbOf(d.Kind), d.At().In(zone).Format("Mon 2 Jan 15:04"), over, clip(d.Title, 48))
	}
	_ = w.Flush() // as above
	if more := len(list) - show; more > 0 {
		fmt.Fprintf(out, "  and %d more; --show %d lists them all\n", more, len(list))
	}
}

func verbOf(k sla.Kind) string {
	if k == sla.Response {
		return "answer"
	}
	return "fix"
}

func share(c rehearsal.Count) string {
	if c.Made == 0 {
		return "nothing promised"
	}
	return fmt.Sprintf("%d of %d (%.0f %%)", c.Missed, c.Made, 100*float64(c.Missed)/float64(c.Made))
}

func signed(n int) string {
	if n == 0 {
		return "="
	}
	return strings.Replace(fmt.Sprintf("%+d", n), "-", "−", 1)
}

func count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

// clip cuts s to at most n characters.
func clip(s string, n int) string {
	if r := []rune(s); len(r) > n {
		return strings.TrimRight(string(r[:n-1]), " ") + "…"
	}
	return s
}
