package main

import (
	"bytes"
	"context"
	"image"
	"image/png"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/deskhand/deskhand/core/knowledge"
	"github.com/deskhand/deskhand/storage"
	"github.com/deskhand/deskhand/storage/pgtest"
)

// desk is a record and the command line that works on it.
type desk struct {
	t   *testing.T
	url string
	db  *storage.DB
}

func newDesk(t *testing.T) *desk {
	t.Helper()
	url, db := record(t)
	return &desk{t: t, url: url, db: db}
}

// record is an empty record of the test's own.
func record(t *testing.T) (url string, db *storage.DB) {
	t.Helper()
	url = pgtest.URL(t)
	db, err := storage.Open(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(db.Close)
	return url, db
}

// kb runs a command and wants its output and error to have all of want.
func (d *desk) kb(args []string, want ...string) string {
	d.t.Helper()
	var out, bad bytes.Buffer
	err := run(d.t.Context(), append(append([]string{"kb"}, args...), "--database-url", d.url), &out, &bad)
	said := out.String()
	if err != nil {
		said += "error: " + err.Error()
	}
	for _, w := range want {
		if !strings.Contains(said, w) {
			d.t.Errorf("kb %s says\n%s\nwant %q in it", strings.Join(args, " "), said, w)
		}
	}
	return said
}

func (d *desk) articles() (all []knowledge.Article) {
	d.t.Helper()
	if err := d.db.View(d.t.Context(), func(tx *storage.Tx) error {
		return eachArticle(d.t.Context(), tx, func(a knowledge.Article) error { all = append(all, a); return nil })
	}); err != nil {
		d.t.Fatal(err)
	}
	return all
}

// edit changes an article as somebody at the desk would.
func (d *desk) edit(slug string, change func(*knowledge.Article)) {
	d.t.Helper()
	for _, a := range d.articles() {
		if a.Slug == slug {
			change(&a)
			if err := d.db.InTx(d.t.Context(), func(tx *storage.Tx) error {
				_, _, _, err := tx.PutArticle(context.WithoutCancel(d.t.Context()), a, 0, "test", time.Now())
				return err
			}); err != nil {
				d.t.Fatal(err)
			}
		}
	}
}

func write(t *testing.T, dir string, files map[string]string) string {
	t.Helper()
	for name, text := range files {
		file := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// A folder comes in, comes again, and goes out into an empty desk, where it is
// the same.
func TestArticlesComeInAndGoOut(t *testing.T) {
	t.Parallel()
	var dot bytes.Buffer
	if err := png.Encode(&dot, image.NewGray(image.Rect(0, 0, 1, 1))); err != nil {
		t.Fatal(err)
	}
	const same = "<p>Open the settings, choose the printer, press remove and then add it again from the list of your floor.</p>"
	dir := write(t, t.TempDir(), map[string]string{
		"vpn.html":      `<title>VPN: it "drops"</title><p>See <a href="printer.html">the printer</a>, <a href="gone.html">gone</a>.</p><img src="img/a.png" alt="The window">`,
		"printer.html":  "<title>Add a printer</title>" + same,
		"printer2.html": "<title>Printers</title>" + same,
		"bad.html":      "<p>no title",
		"img/a.png":     dot.String(),
	})
	d := newDesk(t)
	d.kb([]string{"import", dir, "--dry-run"}, "Would import 2, 1 duplicate, 1 broken link.", "Nothing was changed")
	if n := len(d.articles()); n != 0 {
		t.Fatalf("a look brings in %d articles", n)
	}
	d.kb([]string{"import", dir}, "Imported 2, 1 duplicate, 1 broken link.", "2 new, 0 changed, 0 as they were, 0 conflicts, 1 left out, 0 missing pictures.",
		"printer2.html “Printers”: says what printer.html “Add a printer” says", "bad.html: it has no title", `the link to "gone.html" leads nowhere`, "error: 1 article was left out")
	d.kb([]string{"import", dir}, "Imported 0, 1 duplicate, 1 broken link.", "0 new, 0 changed, 2 as they were")

	d.edit("add-a-printer", func(a *knowledge.Article) {
		a.Symptom, a.Environment, a.Audience = "no printer\n  in: the list", "Floor 3\n\n# not a comment", []string{"it", "sales"}
		a.Tags, a.Owner, a.ReviewBy, a.KnownError = []string{"a, b", "null", "x: y", "tüte"}, "ana@example.com", time.Date(2027, 3, 1, 0, 0, 0, 0, time.UTC), true
	})
	d.kb([]string{"import", dir}, "0 new, 0 changed, 2 as they were, 0 conflicts")
	if err := os.Remove(filepath.Join(dir, "printer2.html")); err != nil {
		t.Fatal(err)
	}
	write(t, dir, map[string]string{"printer.html": "<title>Add a printer</title><p>Ask us.</p>"})
	d.kb([]string{"import", dir}, "0 new, 1 changed, 1 as they were, 0 conflicts")
	d.edit("vpn-it-drops", func(a *knowledge.Article) { a.Answer += "\n\nOr call us." })
	write(t, dir, map[string]string{"vpn.html": `<title>VPN: it "drops"</title><p>New text.</p>`})
	d.kb([]string{"import", dir}, "0 new, 0 changed, 1 as they were, 1 conflict", "KB-2 was changed on the desk and at its source: answer", "error: 1 article was left out")

	out := filepath.Join(t.TempDir(), "out")
	d.kb([]string{"export", out}, "Exported 2 articles")
	d.kb([]string{"export", out}, "Exported 2 articles") // again over its own
	d.kb([]string{"export", dir}, "no earlier export")

	empty := newDesk(t)
	empty.kb([]string{"import", out}, "Imported 2, 0 duplicates, 0 broken links.", "0 left out, 0 missing pictures.")
	byID := cmpopts.SortSlices(func(a, b knowledge.Article) bool { return a.ID < b.ID })
	if diff := cmp.Diff(d.articles(), empty.articles(), byID, cmpopts.IgnoreFields(knowledge.Article{}, "Seq", "UpdatedAt"), cmpopts.EquateApproxTime(0)); diff != "" {
		t.Errorf("what went out and came in (-out +in):\n%s", diff)
	}
	again := filepath.Join(t.TempDir(), "again")
	empty.kb([]string{"export", again})
	if diff := cmp.Diff(tree(t, out), tree(t, again)); diff != "" {
		t.Errorf("exported from where it came in (-first +second):\n%s", diff)
	}
	// Where it came from is known there too.
	empty.kb([]string{"import", dir}, "0 new,", "2 conflicts")

	d.edit("vpn-it-drops", func(a *knowledge.Article) { a.Answer = "No picture any more." })
	d.kb([]string{"export", out}, "Exported 2 articles", "1 file of an earlier export")
}

// tree are the files below a directory but for lists of them.
func tree(t *testing.T, dir string) map[string]string {
	t.Helper()
	files := map[string]string{}
	if err := filepath.WalkDir(dir, func(name string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() || strings.HasPrefix(d.Name(), ".") {
			return err
		}
		text, err := os.ReadFile(name)
		files[strings.TrimPrefix(name, dir)] = string(text)
		return err
	}); err != nil {
		t.Fatal(err)
	}
	return files
}
