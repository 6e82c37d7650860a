package main

import (
	"bytes"
	"context"
	"strings"
	"testing"
	"time"

	"github.com/deskhand/deskhand/core/knowledge"
	"github.com/deskhand/deskhand/core/people"
	"github.com/deskhand/deskhand/storage"
)

func TestCoverageIsToldFromWhatIsOnRecord(t *testing.T) {
	t.Parallel()
	url, db := record(t)
	in := func(do func(context.Context, *storage.Tx) error) {
		t.Helper()
		if err := db.InTx(t.Context(), func(tx *storage.Tx) error { return do(t.Context(), tx) }); err != nil {
			t.Fatal(err)
		}
	}
	says := func() string {
		t.Helper()
		var out bytes.Buffer
		if err := run(t.Context(), []string{"kb", "coverage", "--database-url", url}, &out, &out); err != nil {
			t.Fatalf("%v\n%s", err, &out)
		}
		return out.String()
	}
	if out := says(); !strings.Contains(out, "nothing on record") {
		t.Errorf("of an empty record it says %q", out)
	}
	in(func(ctx context.Context, tx *storage.Tx) error {
		if _, _, _, err := tx.PutArticle(ctx, knowledge.Article{Slug: "vpn", Title: "Keep the VPN connected", Symptom: "The vpn drops every ten minutes.", Answer: "1. Stay.",
			Audience: []string{"it"}, Language: "en", State: knowledge.Published}, 0, "test", time.Now()); err != nil {
			return err
		}
		who, err := tx.PutPerson(ctx, people.Person{Name: "Ana Silva", Mail: "ana@acme.example"})
		if err != nil {
			return err
		}
		for _, text := range []string{"the vpn drops every ten minutes", "my zeppelin needs helium", "zeppelin helium please, ana@acme.example", "a quiet desk"} {
			if _, err := tx.AskQuestion(ctx, storage.Question{Person: who, Text: text, AskedAt: time.Now(), Confidence: "none"}, "test"); err != nil {
				return err
			}
		}
		return nil
	})
	out := says()
	for _, want := range []string{"of the last 4 questions; something is shown for 25 %", "60 % covered is advised", "helium", "(2)"} {
		if !strings.Contains(out, want) {
			t.Errorf("it does not say %q: %s", want, out)
		}
	}
	if strings.Contains(out, "acme.example") {
		t.Errorf("it says what is personal: %s", out)
	}
}
