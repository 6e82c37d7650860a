package main

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/deskhand/deskhand/storage"
)

func TestDeadLetters(t *testing.T) {
	t.Parallel()
	url, db := record(t)
	if err := storage.Migrate(t.Context(), db); err != nil {
		t.Fatal(err)
	}
	for _, key := range []string{"one", "two", "three"} {
		if err := db.InTx(t.Context(), func(tx *storage.Tx) error {
			return tx.BuryIncoming(t.Context(), storage.Incoming{Key: key,
				Event: []byte(`{"key": "` + key + `", "at": "2026-03-02T12:00:00Z", "kind": "said", "by": {"p": "slack", "w": "T1", "id": "U1"}, "place": {"p": "slack", "w": "T1", "c": "C1"}, "text": "my salary"}`)},
				"panic: a bug", time.Now())
		}); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := db.Pool().Exec(t.Context(), `insert into dead_letters (source, key, content, error, died_at)
		values ('outbox', '77', '{"kind": "message", "card": "triage", "platform": "teams", "thread_id": 5}', 'refused: too long', now())`); err != nil {
		t.Fatal(err)
	}
	says := func(line string, want ...string) {
		t.Helper()
		var out bytes.Buffer
		if err := run(t.Context(), append(append([]string{"dead"}, strings.Fields(line)...), "--database-url", url), &out, &out); err != nil {
			out.WriteString("error: " + err.Error())
		}
		for _, w := range want {
			if !strings.Contains(out.String(), w) {
				t.Errorf("dead %s: no %q in\n%s", line, w, out.String())
			}
		}
		if strings.HasPrefix(line, "list") && strings.Contains(out.String(), "salary") {
			t.Errorf("the list tells what was said:\n%s", out.String())
		}
	}
	says("list", "1  ", "inbox, said by U1 on slack in C1: panic: a bug", "4  ", "outbox, triage card (post 77) on teams to thread 5: refused: too long")
	says("list --source outbox --limit 1", "triage card")
	says("list --limit 2", "And more")
	says("show 1", "my salary", "panic: a bug")
	says("show 9", "there is no letter 9; see deskhand dead list")
	says("retry", "say which")
	says("retry 1 9", "1 is tried again.", "9 is left: there is no letter 9", "1 left as they were")
	says("retry 1", "there is no letter 1")
	says("drop 2", "2 is dropped.")
	says("retry --all", "3 is tried again.", "4 is left: the message is not on record any more.", "1 left as they were")
	says("drop --all --source inbox", "There are none.")
	says("drop --all", "4 is dropped.")
	says("list", "There are none.")
	for what, want := range map[string]int{
		`select count(*) from inbox where conversation = 'slack:T1:C1:U1' and key in ('one', 'three')`:                                          2,
		`select count(*) from audit where subject = 'letter' and action = 'letter.retried' and via = 'deskhand dead' and before::jsonb ? 'key'`: 2,
		`select count(*) from audit where subject = 'letter' and action = 'letter.dropped' and note <> ''`:                                      2,
	} {
		var n int
		if err := db.Pool().QueryRow(t.Context(), what).Scan(&n); err != nil || n != want {
			t.Errorf("%s: %d (%v), want %d", what, n, err, want)
		}
	}
}
