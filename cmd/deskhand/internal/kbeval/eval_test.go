package kbeval

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func file(t *testing.T, name string, lines ...string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(strings.Join(lines, "\n")+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestRunRanksWithWhatWasSolvedBefore(t *testing.T) {
	t.Parallel()
	run := filepath.Join(t.TempDir(), "out.run")
	f, err := Run(t.Context(), Options{
		Articles: []string{file(t, "articles.jsonl",
			`{"id":"a1","title":"External screen stays black","text":"Unplug the dock for ten seconds.","product":"dock"}`,
			`{"id":"a2","title":"Mailbox is full","text":"Empty the deleted items."}`)},
		History: []string{file(t, "history.jsonl",
			`{"id":"h1","title":"the beamer shows nothing","text":"","date":"2026-03-01"}`,
			`{"id":"h2","title":"beamer dark","text":"customers wait","date":"2026-03-02"}`,
			`{"id":"h3","title":"a question with a general answer","text":"","date":"2026-03-03"}`)},
		HistoryLinks: []string{file(t, "links", "h1 0 a1 2", "h2 0 a1 2", "h2 0 a2 2", "h3 0 a2 1")},
		Queries: file(t, "queries.jsonl",
			`{"id":"early","title":"beamer is broken","text":"","date":"2026-02-01"}`,
			`{"id":"late","title":"beamer is broken","text":"","date":"2026-04-01"}`),
		Run: run, Limit: 10,
	})
	if err != nil {
		t.Fatal(err)
	}
	if f.Articles != 2 || f.Past != 2 || f.Queries != 2 || f.IndexBytes == 0 {
		t.Errorf("Run() = %+v", f)
	}
	got, err := os.ReadFile(run)
	if err != nil {
		t.Fatal(err)
	}
	if text := string(got); strings.Contains(text, "early ") || !strings.HasPrefix(text, "late a1 1 ") {
		t.Errorf("the run is\n%swant nothing for what was asked before anything was solved, and a1 first afterwards", text)
	}
}
