package bench

import (
	"bytes"
	"context"
	"flag"
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

// `go test ./...` runs the stage in which most is measured; all of them are
//
//	go test ./cmd/deskhand/internal/bench -stages
var allStages = flag.Bool("stages", false, "run every stage of the benchmark")

// The rows of each stage in which every figure is something.
var sure = map[string][]string{
	"ack":    {"ack.16", "ack.64", "ack.50/s", "ack.256"},
	"search": {"suggest.60", "index.60"},
	"small":  {"ask.30"},
	"work":   {"ask.unpaced", "life", "cpu.open", "cpu.claim", "cpu.reply", "cpu.resolve", "cpu.close", "memory", "disk", "pruned", "list.1", "list.2", "list.3"},
	"teams":  {"teams.ack", "teams.ask", "teams.invoke", "teams.life", "teams.both", "teams.reply", "teams.storm"},
	"large":  {"ask.90"},
	"change": {"change.radius", "change.clash", "change.click"},
}

// Of these a figure may be nothing on such a scale, or less: they wait for
// instants that were set before.
var there = map[string][]string{
	"sla": {"deadline", "sla.idle", "breach.committed", "breach.accepted", "moved.committed", "moved.accepted", "at-once", "policy", "policy.chat", "storm", "storm.urgent"},
}

// The stages run, on a scale at which figures mean nothing.
func TestRun(t *testing.T) {
	t.Parallel()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	only := []string{"work"}
	if *allStages {
		only = Stages()
	}
	rows, err := Run(t.Context(), Options{Only: only, Child: []string{self}, Scale: Tiny, Progress: func(s string) { t.Logf("%s %s", time.Now().Format("05.000"), s) }, Settings: map[string]string{"fsync": "off"}})
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := Print(&out, rows); err != nil {
		t.Fatal(err)
	}
	t.Log("\n" + out.String())
	for _, stage := range only {
		for _, name := range slices.Concat(sure[stage], there[stage]) {
			at := slices.IndexFunc(rows, func(r Row) bool { return r.Name == name })
			if at < 0 {
				t.Errorf("there is no row %s", name)
				continue
			}
			for figure, v := range rows[at].Figures {
				// What is pruned is nothing, and a cheap step may fall between two ticks.
				if v <= 0 && there[stage] == nil && name != "pruned" && !strings.Contains(figure, "cpu") && figure != "rows" {
					t.Errorf("%s: %s = %v, want something", name, figure, v)
				}
			}
		}
	}
}
