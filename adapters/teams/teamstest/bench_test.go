package teamstest_test

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"

	"github.com/deskhand/deskhand/adapters/teams/teamstest"
)

// What the double itself costs: it must not be what a benchmark of the desk
// measures.

func benchTenant(b *testing.B) (*teamstest.Tenant, string, string) {
	b.Helper()
	w, err := teamstest.New(teamstest.Options{})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = w.Close() })
	if _, err := w.AddUser(teamstest.User{Name: "ana", Installed: true}); err != nil {
		b.Fatal(err)
	}
	if err := w.Listen("127.0.0.1:0"); err != nil {
		b.Fatal(err)
	}
	chat, err := w.Person("ana").Chat()
	if err != nil {
		b.Fatal(err)
	}
	token, err := w.AppToken()
	if err != nil {
		b.Fatal(err)
	}
	return w, chat, token
}

func BenchmarkSend(b *testing.B) {
	w, chat, token := benchTenant(b)
	body := []byte(`{"type":"message","attachments":[{"contentType":"application/vnd.microsoft.card.adaptive","content":` + card(hello+","+everyInput, claim) + `}]}`)
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if status := sendBody(b, w, chat, token, body); status != http.StatusCreated {
				b.Errorf("%d", status)
				return
			}
		}
	})
}

func sendBody(b *testing.B, w *teamstest.Tenant, chat, token string, body []byte) int {
	req, err := http.NewRequest("POST", w.ServiceURL()+"v3/conversations/"+url.PathEscape(chat)+"/activities", bytes.NewReader(body))
	if err != nil {
		b.Error(err)
		return 0
	}
	req.Header.Set("Authorization", "Bearer "+token)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		b.Error(err)
		return 0
	}
	defer resp.Body.Close()
	_, _ = io.Copy(io.Discard, resp.Body) // to use the connection again
	return resp.StatusCode
}

func BenchmarkPress(b *testing.B) {
	w, chat, token := benchTenant(b)
	srv := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, _ *http.Request) {
		_, _ = rw.Write([]byte(`{"statusCode":200,"type":"application/vnd.microsoft.activity.message","value":"done"}`))
	}))
	b.Cleanup(srv.Close)
	w.Connect(srv.URL)
	body := `{"type":"message","attachments":[{"contentType":"application/vnd.microsoft.card.adaptive","content":` + card(hello, claim) + `}]}`
	if status := sendBody(b, w, chat, token, []byte(body)); status != http.StatusCreated {
		b.Fatalf("%d", status)
	}
	list, err := w.Person("ana").Messages(chat, "", 1)
	if err != nil {
		b.Fatal(err)
	}
	id := list[0].ID
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if err := w.Person("ana").Press(teamstest.Act{Channel: chat, Message: id, Path: "/actions/0"}); err != nil {
				b.Error(err)
				return
			}
		}
	})
}
