package web

import (
	"net/http"
	"path"

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
	var p storage.ArticlePicture
	if !s.linked(w, r, pictureUse, &link, func(tx *storage.Tx) (err error) {
		p, err = tx.ArticlePicture(r.Context(), link)
		return err
	}, page{Title: "This picture is not here",
		Lines: []string{"The link is older than a day, or the article shows another picture now.", "Open the article again in the chat."}}) {
		return
	}
	if kind := pictureTypes[path.Ext(p.Name)]; kind != "" {
		send(w, r, kind, "inline", p.Data)
		return
	}
	send(w, r, "application/octet-stream", disposition(p.Name), p.Data)
}
