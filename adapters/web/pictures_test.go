package web_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/deskhand/deskhand/core/knowledge"
	"github.com/deskhand/deskhand/storage"
)

// Platforms fetch the pictures of an article by a link that lasts a day, and
// nobody's browser runs one.
func TestPicturesOfArticles(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	const shot, drawing = "0123456789abcdef0123456789abcdef.png", "0123456789abcdef0123456789abcdef.svg"
	var id knowledge.ArticleID
	if err := w.db.InTx(t.Context(), func(tx *storage.Tx) error {
		out, err := tx.ImportArticle(t.Context(), storage.IncomingArticle{
			Article: knowledge.Article{Slug: "shots", Title: "Shots", Symptom: "x", Answer: "![a](images/" + shot + ") ![b](images/" + drawing + ")",
				Audience: []string{"hr"}, Language: "en", State: knowledge.Published},
			Source: "html", Key: "shots", Pictures: []storage.ArticlePicture{{Name: shot, Data: []byte("png bytes")}, {Name: drawing, Data: []byte("<svg onload=alert(1)>")}},
		}, storage.ImportHow{}, "test", w.now())
		id = out.ID
		return err
	}); err != nil {
		t.Fatal(err)
	}
	link := func(of storage.PictureRef) string {
		t.Helper()
		l, err := w.pages.PictureLink(of)
		if err != nil {
			t.Fatal(err)
		}
		return strings.TrimPrefix(l, w.server.URL)
	}
	path := link(storage.PictureRef{Article: id, Name: shot})
	h := w.visitor().get(path).want(t, http.StatusOK, "png bytes").Header
	if h.Get("Content-Type") != "image/png" || h.Get("X-Content-Type-Options") != "nosniff" || h.Get("Content-Disposition") != "inline" || !strings.Contains(h.Get("Content-Security-Policy"), "sandbox") {
		t.Errorf("a picture: %v", h)
	}
	h = w.visitor().get(link(storage.PictureRef{Article: id, Name: drawing})).want(t, http.StatusOK, "<svg").Header
	if h.Get("Content-Type") != "application/octet-stream" || !strings.HasPrefix(h.Get("Content-Disposition"), "attachment") {
		t.Errorf("a drawing that may run scripts: %v", h)
	}
	for name, p := range map[string]string{
		"another article's":      link(storage.PictureRef{Article: id + 1, Name: shot}),
		"a forged link":          strings.Replace(path, "/picture/", "/picture/x", 1),
		"a file's link":          strings.Replace(path, "/picture/", "/", 1),
		"no link but its name":   "/files/picture/" + shot + "/" + shot,
		"one that is not shown":  link(storage.PictureRef{Article: id, Name: "1123456789abcdef0123456789abcdef.png"}),
		"a name that leads away": link(storage.PictureRef{Article: id, Name: "..%2f..%2fsecret.png"}),
	} {
		if got := w.visitor().get(p); got.StatusCode != http.StatusNotFound || strings.Contains(got.body, "png bytes") {
			t.Errorf("%s: %d", name, got.StatusCode)
		}
	}
	w.pass(25 * time.Hour)
	if got := w.visitor().get(path); got.StatusCode != http.StatusNotFound {
		t.Errorf("a day later: %d", got.StatusCode)
	}
}
