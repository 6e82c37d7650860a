package web

import (
	"bytes"
	"errors"
	"net/http"
	"path"
	"time"

	"github.com/deskhand/deskhand/storage"
)

const pictureUse = "picture " + FilesPath

// PictureLink is a link to a picture of an article, for whoever is shown the
// article: chat platforms fetch pictures themselves, without anybody's session.
func (s *Server) PictureLink(p storage.PictureRef) (string, error) {
	token, err := s.keys.seal(pictureUse, p, s.o.Now().Add(pictureFor))
	if err != nil {
		return "", err
	}
	return s.base.String() + FilesPath + "picture/" + token + "/" + p.Name, nil
}

// pictureTypes are the pictures that are shown, by the endings that the desk
// has given them for what their bytes are. An SVG may run scripts and is not
// among them.
var pictureTypes = map[string]string{".png": "image/png", ".jpg": "image/jpeg", ".gif": "image/gif", ".webp": "image/webp", ".bmp": "image/bmp"}

func (s *Server) picture(w http.ResponseWriter, r *http.Request) {
	var link storage.PictureRef
	err := s.keys.open(r.Context(), pictureUse, r.PathValue("link"), &link)
	var p storage.ArticlePicture
	if err == nil {
		err = s.o.DB.View(r.Context(), func(tx *storage.Tx) (err error) {
			p, err = tx.ArticlePicture(r.Context(), link)
			return err
		})
	}
	switch {
	case errors.Is(err, errBadToken), errors.Is(err, errExpired), errors.Is(err, storage.ErrNotFound):
		s.page(w, r, http.StatusNotFound, page{Title: "This picture is not here",
			Lines: []string{"The link is older than a day, or the article shows another picture now.", "Open the article again in the chat."}})
		return
	case err != nil:
		s.trouble(w, r, err)
		return
	}
	h := w.Header()
	h.Set("Content-Security-Policy", "default-src 'none'; sandbox; frame-ancestors 'none'")
	h.Set("Content-Type", "application/octet-stream")
	h.Set("Content-Disposition", disposition(p.Name))
	if t := pictureTypes[path.Ext(p.Name)]; t != "" {
		h.Set("Content-Type", t)
		h.Set("Content-Disposition", "inline")
	}
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(p.Data))
}
