package main

import (
	"archive/zip"
	"bytes"
	"path/filepath"
	"strings"
	"testing"
)

func TestTeamsPackage(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "app.zip")
	var out, bad bytes.Buffer
	args := []string{"teams", "package", "--url", "https://desk.example.com", "--app-id", "6b1e2b6e-3c1c-4d2f-9d3e-1c2b3a4d5e6f", "--out", file}
	if err := run(t.Context(), args, &out, &bad); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(out.String(), file) {
		t.Errorf("it says %q and not where the package is", out.String())
	}
	z, err := zip.OpenReader(file)
	if err != nil {
		t.Fatal(err)
	}
	defer z.Close()
	if len(z.File) != 3 {
		t.Errorf("%d files in the package, want 3", len(z.File))
	}
	args[3] = "http://localhost:8080"
	if err := run(t.Context(), args, &out, &bad); err == nil || !strings.Contains(err.Error(), "https://") {
		t.Errorf("an address that Teams can't call: %v", err)
	}
}
