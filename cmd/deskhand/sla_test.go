package main

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/deskhand/deskhand/cmd/deskhand/internal/demo"
	"github.com/deskhand/deskhand/core/hours"
	"github.com/deskhand/deskhand/core/sla"
	"github.com/deskhand/deskhand/core/ticket"
)

// The demo's ninety days under a policy that promises half as much time: what
// it says adds up, and nothing is changed by it.
func TestSimulate(t *testing.T) {
	t.Parallel()
	url, db := record(t)
	if err := demo.Seed(t.Context(), db, time.Now(), func(string) {}); err != nil {
		t.Fatal(err)
	}
	state := func() (s string) {
		t.Helper()
		if err := db.Pool().QueryRow(t.Context(), `select (select count(*) from audit) || ' ' || (select max(id) from policies) || ' ' || (select count(*) from due)`).Scan(&s); err != nil {
			t.Fatal(err)
		}
		return s
	}
	before := state()
	// Its service levels are replaced, whatever they are.
	promises := regexp.MustCompile(`(?m)^(calendars|service_levels|ladders|alerts):.*\n([ #-].*\n|\n)*`)
	text := strings.Join([]string{promises.ReplaceAllString(string(demo.PolicyYAML), ""),
		`calendars: [{slug: short, name: Short days, open: {mon-fri: ["10:00-15:00"]}}]`,
		`service_levels:`,
		`  - {slug: all, name: All, for: {}, calendar: short, response: {within: 30m}, resolution: {within: 8h}}`}, "\n")
	file := filepath.Join(t.TempDir(), "new.yaml")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	var out, bad bytes.Buffer
	if err := run(t.Context(), []string{"sla", "simulate", "--database-url", url, "--policy", file, "--last", "90d", "--show", "3"}, &out, &bad); err != nil {
		t.Fatalf("%v\n%s", err, &bad)
	}
	got := out.String()
	for _, want := range []string{
		`^new\.yaml, rehearsed on 2\d{3} tickets opened from `,
		`(?m)^Critical, answer +\d+ of \d+ \(\d+ %\) +\d+ of \d+ \(\d+ %\) +`,
		`(?m)^All +\d+ of 4\d{3} \(\d+ %\) +\d+ of 4\d{3} \(\d+ %\) +\+\d+$`,
		`(?m)^service-desk +`,
		`(?m)^\d+ promises would be missed that are kept today:\n  (INC|REQ)-\d+ +(answer|fix) by \w{3} \d+ \w{3} \d\d:\d\d +`,
		`and \d+ more; --show \d+ lists them all`,
	} {
		if !regexp.MustCompile(want).MatchString(got) {
			t.Errorf("there is no %s in\n%s", want, got)
		}
	}
	if after := state(); after != before {
		t.Errorf("the record was %s and is %s", before, after)
	}
	if err := run(t.Context(), []string{"sla", "simulate", "--database-url", url, "--policy", file, "--last", "soon"}, &out, &bad); err == nil || !strings.Contains(err.Error(), "is not a time such as 90d") {
		t.Errorf("--last soon: %v", err)
	}
}

func TestSimulateOnAnEmptyRecord(t *testing.T) {
	t.Parallel()
	url, _ := record(t)
	file := filepath.Join(t.TempDir(), "new.yaml")
	if err := os.WriteFile(file, []byte("service_levels: []"), 0o600); err != nil {
		t.Fatal(err)
	}
	var out, bad bytes.Buffer
	if err := run(t.Context(), []string{"sla", "simulate", "--database-url", url, "--policy", file}, &out, &bad); err != nil {
		t.Fatalf("%v\n%s", err, &bad)
	}
	if !strings.Contains(out.String(), "rehearsed on 0 tickets") || !strings.Contains(out.String(), "There is nothing to rehearse it on.") {
		t.Errorf("it says %q", &out)
	}
}

func TestExplain(t *testing.T) {
	t.Parallel()
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	office, err := hours.New(hours.Plan{Zone: "Europe/Berlin", Open: hours.Workdays(hours.Interval{From: hours.At(9, 0), To: hours.At(17, 0)})})
	if err != nil {
		t.Fatal(err)
	}
	opened := time.Date(2026, 11, 20, 16, 40, 0, 0, berlin) // a Friday
	terms := sla.Terms{Policy: "Normal", Targets: []sla.Target{{Kind: sla.Resolution, Within: 2 * time.Hour, Calendar: office, Pauses: ticket.Reasons}}}
	var out bytes.Buffer
	explain(&out, sla.Ledger{{At: opened, Step: sla.Opened, Terms: terms}, {At: opened.Add(10 * time.Minute), Step: sla.Waited, Reason: ticket.ForPart},
		{At: time.Date(2026, 11, 23, 9, 0, 0, 0, berlin), Step: sla.Woken}}, time.Date(2026, 11, 23, 9, 30, 0, 0, berlin), berlin)
	for _, want := range []string{"Fix\n", "Opened", "Fri 20 Nov 16:40", "fix within 2 h (Normal)", "a part", "Mon 23 Nov 10:50"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("there is no %q in\n%s", want, &out)
		}
	}
	if strings.Contains(out.String(), "Answer") {
		t.Errorf("an answer was not promised:\n%s", &out)
	}
	out.Reset()
	if explain(&out, nil, opened, berlin); out.String() != "Nothing is promised for it.\n" {
		t.Errorf("nothing promised is explained as %q", &out)
	}
}
