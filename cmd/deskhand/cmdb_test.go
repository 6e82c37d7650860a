package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A file with wrong lines is refused as a whole, and each of them is told, or
// counted.
func TestAnImportIsTakenAsAWhole(t *testing.T) {
	t.Parallel()
	url, db := record(t)
	bring := func(text string, flags ...string) (string, error) {
		file := filepath.Join(t.TempDir(), "items.csv")
		if err := os.WriteFile(file, []byte("item,type,depends_on\n"+text), 0o600); err != nil {
			t.Fatal(err)
		}
		var out, bad bytes.Buffer
		err := run(t.Context(), append([]string{"cmdb", "import", file, "--database-url", url}, flags...), &out, &bad)
		return out.String(), err
	}
	items := func() (n int) {
		if err := db.Pool().QueryRow(t.Context(), `select count(*) from items`).Scan(&n); err != nil {
			t.Fatal(err)
		}
		return n
	}
	var wrong strings.Builder
	wrong.WriteString("db-1,database,\n")
	for i := range 10_000 {
		fmt.Fprintf(&wrong, "app-%d,toaster,\n", i)
	}
	got, err := bring(wrong.String())
	if err == nil || !strings.Contains(err.Error(), "10000 lines can't be taken, so nothing was") ||
		!strings.Contains(got, "line 3") || !strings.Contains(got, "toaster") || !strings.Contains(got, "and 9980 more") || items() != 0 {
		t.Errorf("%d items of a file with 10,000 wrong lines (%v):\n%s", items(), err, got)
	}
	if got, err := bring("db-1,database,\napp-1,application,db-1\n", "--dry-run"); err != nil || !strings.Contains(got, "2 new") || items() != 0 {
		t.Errorf("%d items of a dry run (%v):\n%s", items(), err, got)
	}
	if got, err := bring("db-1,database,\napp-1,application,db-1\n"); err != nil || !strings.Contains(got, "2 new, 0 changed, 0 conflicts") || items() != 2 {
		t.Errorf("%d items of two (%v):\n%s", items(), err, got)
	}
}
