package kbeval

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/deskhand/deskhand/adapters/model"
	"github.com/deskhand/deskhand/adapters/model/modeltest"
	"github.com/deskhand/deskhand/core/knowledge"
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

func TestRunTellsWhatAModelChanges(t *testing.T) {
	t.Parallel()
	run := filepath.Join(t.TempDir(), "out.run")
	articles := []string{
		`{"id":"a1","title":"Change your password","text":"Go to the account page. Press Change password.","summary":"My password has expired or I want another one."}`,
		`{"id":"a2","title":"Unlock your account","text":"Wait 15 minutes. Then try again.","summary":"My account is locked after too many wrong passwords."}`,
	}
	for i, title := range []string{"Printer does not print", "Mailbox is full", "Laptop is slow", "Scan arrives empty"} {
		articles = append(articles, fmt.Sprintf(`{"id":"b%d","title":%q,"text":"Restart it."}`, i, title))
	}
	var calls atomic.Int32
	prefers := modeltest.Prefers("Unlock your account")
	s := modeltest.New(t, func(w http.ResponseWriter, r *http.Request, a modeltest.Asked) {
		if calls.Add(1) == 2 {
			prefers = modeltest.Status(http.StatusServiceUnavailable)
		}
		prefers(w, r, a)
	})
	m, err := model.New(model.Options{URL: s.URL, Name: "tiny", Wait: 10 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	f, err := Run(t.Context(), Options{
		Articles: []string{file(t, "articles.jsonl", articles...)},
		Queries: file(t, "queries.jsonl", `{"id":"q1","title":"forgot my pwd","date":"2026-01-01"}`, `{"id":"q2","title":"forgot my pwd","date":"2026-01-02"}`,
			`{"id":"q3","title":"the coffee machine leaks water","date":"2026-01-03"}`),
		Answers: file(t, "answers", "q1 0 a2 2", "q2 0 a1 2"),
		Run:     run, Limit: 10, Adviser: m,
	})
	if err != nil {
		t.Fatal(err)
	}
	want := "about 2 questions of which the desk was not sure, and advised on 1"
	if text := f.Lines(); f.Advised.Moved != 1 || f.Advised.First != 1 || f.Advised.Then != 2 || !strings.Contains(text, want) || !strings.Contains(text, "1 × model: it answered 503") {
		t.Errorf("Run() = %+v\n%s", f.Advised, text)
	}
	got, err := os.ReadFile(run)
	if err != nil {
		t.Fatal(err)
	}
	if text := string(got); !strings.HasPrefix(text, "q1 a2 1 ") || !strings.Contains(text, "q2 a1 1 ") {
		t.Errorf("the run is\n%s", text)
	}
}

func TestDrawGroupsSaysHowOftenEachWordIsRight(t *testing.T) {
	t.Parallel()
	var past, labels []string
	for _, floor := range []string{"first", "second", "third", "fourth"} {
		past = append(past, `{"id":"t`+floor+`","title":"Toner is empty on the `+floor+` floor","text":""}`, `{"id":"b`+floor+`","title":"Badge does not open the `+floor+` door","text":""}`)
		labels = append(labels, "t"+floor+"\tprinting", "b"+floor+"\tbadges")
	}
	c, err := DrawGroups(t.Context(), file(t, "past.jsonl", past...), file(t, "labels.tsv", labels...),
		file(t, "asked.jsonl", `{"id":"1","title":"toner empty again","text":""}`, `{"id":"2","title":"my badge opens no door","text":""}`, `{"id":"3","title":"a shark","text":""}`),
		file(t, "right.tsv", "1\tprinting", "2\tprinting", "3\tbadges"), nil)
	if err != nil {
		t.Fatal(err)
	}
	if len(c) != 3 || !c[0].right || c[0].Alike < 3 || c[1].right || c[2].Certainty() != knowledge.Unsure {
		t.Errorf("DrawGroups() = %+v", c)
	}
	if table := c.Table(); !strings.Contains(table, "nothing said") {
		t.Errorf("the table is\n%s", table)
	}
}
