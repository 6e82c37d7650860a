package bench

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"
)

// The measured processes are this program again.
func TestMain(m *testing.M) {
	if os.Getenv(ChildVariable) != "" {
		if err := Child(context.Background(), os.Stdin, os.Stdout); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

// Every stage runs, on a scale at which figures mean nothing.
func TestRun(t *testing.T) {
	t.Parallel()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	rows, err := Run(t.Context(), Options{Child: []string{self}, Scale: Tiny, Progress: func(s string) { t.Logf("%s %s", time.Now().Format("05.000"), s) }, Settings: map[string]string{"fsync": "off"}})
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := Print(&out, rows); err != nil {
		t.Fatal(err)
	}
	t.Log("\n" + out.String())
	for _, name := range []string{"ack.16", "ack.64", "ack.50/s", "ack.256", "suggest.60", "index.60", "ask.30", "ask.unpaced", "ask.90", "teams.ack", "teams.ask", "teams.invoke", "teams.life", "teams.reply", "teams.storm",
		"life", "cpu.open", "cpu.claim", "cpu.reply", "cpu.resolve", "cpu.close", "memory", "disk", "pruned", "list.1", "list.2", "list.3", "change.radius", "change.clash", "change.click"} {
		found := false
		for _, r := range rows {
			if r.Name != name {
				continue
			}
			found = true
			for figure, v := range r.Figures {
				// What is pruned is nothing, and a cheap step may fall between two ticks.
				if v <= 0 && name != "pruned" && !strings.Contains(figure, "cpu") && figure != "rows" {
					t.Errorf("%s: %s = %v, want something", name, figure, v)
				}
			}
		}
		if !found {
			t.Errorf("there is no row %s", name)
		}
	}
	// Of these a figure may be nothing on such a scale, or less: they wait for
	// instants that were set before.
	for _, name := range []string{"deadline", "sla.idle", "breach.committed", "breach.accepted", "moved.committed", "moved.accepted", "at-once", "policy", "policy.chat", "storm", "storm.urgent"} {
		if !slices.ContainsFunc(rows, func(r Row) bool { return r.Name == name }) {
			t.Errorf("there is no row %s", name)
		}
	}
}
