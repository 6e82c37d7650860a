package simulator

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"io/fs"
	"mime"
	"net/http"
	"path"
	"time"
)

//go:embed page
var pageFS embed.FS

// asset is one file of the page, with a tag that changes with its content.
type asset struct {
	data []byte
	tag  string
	typ  string
}

var assets = readAssets()

func readAssets() map[string]asset {
	// Said here so that they do not depend on the machine's tables.
	types := map[string]string{
		".html": "text/html; charset=utf-8", ".css": "text/css; charset=utf-8",
		".js": "text/javascript; charset=utf-8", ".svg": "image/svg+xml",
	}
	all := map[string]asset{}
	err := fs.WalkDir(pageFS, "page", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := pageFS.ReadFile(name)
		if err != nil {
			return err
		}
		sum := sha256.Sum256(data)
		typ := types[path.Ext(name)]
		if typ == "" {
			typ = mime.TypeByExtension(path.Ext(name))
		}
		all[name[len("page"):]] = asset{data: data, tag: `"` + hex.EncodeToString(sum[:8]) + `"`, typ: typ}
		return nil
	})
	if err != nil {
		panic("simulator: " + err.Error()) // the files are in the binary
	}
	all["/"] = all["/index.html"]
	return all
}

func servePage(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		http.Error(w, "Only to be read.", http.StatusMethodNotAllowed)
		return
	}
	a, ok := assets[r.URL.Path]
	if !ok {
		http.NotFound(w, r)
		return
	}
	h := w.Header()
	h.Set("Content-Type", a.typ)
	h.Set("Cache-Control", "no-cache") // kept, and asked about each time: the page and its scripts must be of one version
	h.Set("ETag", a.tag)
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(a.data))
}
