package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/deskhand/deskhand/core/cmdb"
	"github.com/deskhand/deskhand/core/people"
	"github.com/deskhand/deskhand/storage"
)

// What somebody has changed by hand an import changes only when it is told to.
func TestAnImportAsksAboutWhatWasChangedByHand(t *testing.T) {
	t.Parallel()
	url, db := record(t)
	file := filepath.Join(t.TempDir(), "items.csv")
	imports := func(content string, flags ...string) (string, error) {
		t.Helper()
		if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		var out bytes.Buffer
		err := run(t.Context(), append([]string{"cmdb", "import", file, "--database-url", url}, flags...), &out, &out)
		return out.String(), err
	}
	tiers := func() string {
		t.Helper()
		var s string
		if err := db.Pool().QueryRow(t.Context(), `select string_agg(key || ' ' || tier, ', ' order by key) from items`).Scan(&s); err != nil {
			t.Fatal(err)
		}
		return s
	}
	if out, err := imports("item,tier\ndb-1,3\ndb-2,3\ndb-3,3\n"); err != nil || !strings.Contains(out, "3 new") {
		t.Fatalf("%s, %v", out, err)
	}
	if err := db.InTx(t.Context(), func(tx *storage.Tx) error { return byHand(t.Context(), tx) }); err != nil {
		t.Fatal(err)
	}
	const other = "item,tier\ndb-1,4\ndb-2,4\ndb-3,4\ndb-4,4\n"
	out, err := imports(other)
	if err == nil || !strings.Contains(err.Error(), "nothing was taken") || !strings.Contains(out, "1 new, 1 changed, 2 conflicts") {
		t.Errorf("%s, %v", out, err)
	}
	if out, err := imports(other, "--dry-run"); err != nil || !strings.Contains(out, "conflict  db-1: [tier 1 → 4], but somebody has changed it by hand") {
		t.Errorf("%s, %v", out, err)
	}
	if _, err := imports(other, "--take", "db-1"); err == nil || tiers() != "db-1 1, db-2 1, db-3 3" {
		t.Errorf("with one conflict left: %v, %s", err, tiers())
	}
	if out, err := imports(other, "--keep", "--take", "db-1"); err != nil || !strings.Contains(out, "1 of the conflicts stay") || tiers() != "db-1 4, db-2 1, db-3 4, db-4 4" {
		t.Errorf("%s, %v, %s", out, err, tiers())
	}
	if out, err := imports(other, "--overwrite"); err != nil || tiers() != "db-1 4, db-2 4, db-3 4, db-4 4" {
		t.Errorf("%s, %v, %s", out, err, tiers())
	}
	if out, err := imports("item,tier\ndb-2,2\n"); err != nil || !strings.Contains(out, "0 conflicts") {
		t.Errorf("settled, and asked about again: %s, %v", out, err)
	}
}

// byHand makes two items vital, as in chat.
func byHand(ctx context.Context, tx *storage.Tx) error {
	ana, err := tx.PutPerson(ctx, people.Person{Name: "Ana", Mail: "ana@acme.example"})
	if err != nil {
		return err
	}
	items, _, err := tx.Items(ctx)
	if err != nil {
		return err
	}
	for _, it := range items[:2] {
		was, err := tx.ItemForUpdate(ctx, it.ID)
		if err != nil {
			return err
		}
		is := was
		is.Tier = cmdb.MostVital
		if err := tx.SaveItem(ctx, was, is, ana, "test", time.Now()); err != nil {
			return err
		}
	}
	return nil
}
