package articlefile

import (
	"archive/zip"
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// zipped writes a zip file of names and texts.
func zipped(t *testing.T, files ...string) string {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for i := 0; i < len(files); i += 2 {
		w, err := z.Create(files[i])
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write([]byte(files[i+1])); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	name := filepath.Join(t.TempDir(), "articles.zip")
	if err := os.WriteFile(name, b.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

func TestOpen(t *testing.T) {
	t.Parallel()
	bomb := strings.Repeat("0", ratioFrom+1)
	tests := []struct {
		name  string
		file  func(t *testing.T) string
		wrong string // in the error; else one article comes of it
	}{
		{"a zip file", func(t *testing.T) string { return zipped(t, "x/a.md", "# A\n\n![p](p.png)", "x/p.png", dot(1)) }, ""},
		{"a path that leads out", func(t *testing.T) string { return zipped(t, "a.md", "# A\n\ntext", "../../etc/passwd", "root") }, "would lead out of it"},
		{"a path from the top", func(t *testing.T) string { return zipped(t, "/etc/passwd", "root") }, "would lead out of it"},
		{"a path in Windows' manner that leads out", func(t *testing.T) string { return zipped(t, `..\..\boot.ini`, "x") }, "would lead out of it"},
		{"a bomb", func(t *testing.T) string { return zipped(t, "a.md", bomb) }, "would unpack to more than 200 times"},
		{"a damaged zip file", func(t *testing.T) string {
			name := zipped(t, "a.md", "# A\n\ntext")
			data, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(name, data[:len(data)/2], 0o600); err != nil {
				t.Fatal(err)
			}
			return name
		}, "is no zip file, or is not whole"},
		{"a single file with a picture beside it", func(t *testing.T) string {
			dir := t.TempDir()
			for name, text := range map[string]string{"a.md": "# A\n\n![p](p.png)", "b.md": "# B\n\ntext", "p.png": dot(1)} {
				if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			return filepath.Join(dir, "a.md")
		}, ""},
		{"a link that leads out of the folder", func(t *testing.T) string {
			dir := t.TempDir()
			if err := os.Symlink("/etc/passwd", filepath.Join(dir, "p.png")); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(dir, "a.md"), []byte("# A\n\ntext ![p](p.png)"), 0o600); err != nil {
				t.Fatal(err)
			}
			return dir
		}, ""},
		{"nothing of the kind", func(t *testing.T) string { return zipped(t, "a.txt", "x") }, "there is nothing here that can be read"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			dir, done, err := Open(tt.file(t))
			var b *Batch
			if err == nil {
				defer func() { _ = done() }()
				b, err = Read(dir, Options{Today: importDay})
			}
			if tt.wrong != "" {
				if err == nil || !strings.Contains(err.Error(), tt.wrong) {
					t.Errorf("Open() and Read() = %v, want %q", err, tt.wrong)
				}
				return
			}
			if err != nil || len(b.Articles) != 1 {
				t.Fatalf("Open() and Read() = %+v, %v; want one article", b, err)
			}
			if a := b.Articles[0]; strings.Contains(tt.name, "leads out") == (len(a.Pictures) == 1) {
				t.Errorf("it has %d pictures", len(a.Pictures))
			}
		})
	}
}
