package slack

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/deskhand/deskhand/adapters/slack/slacktest"
	"github.com/deskhand/deskhand/bot/chat"
)

func TestFiles(t *testing.T) {
	t.Parallel()
	of := newOffice(t, slacktest.Options{})
	ctx := t.Context()
	names := func(thread string) (all []string) {
		ms, err := of.ana.Thread(of.general, thread)
		of.must(err)
		for _, m := range ms {
			for _, f := range m.Files {
				all = append(all, f.Name)
			}
		}
		return all
	}
	files := []chat.Attachment{{Name: "a.txt", MIME: "text/plain", Data: []byte("a")}, {Name: "b.png", MIME: "image/png", Data: []byte("b")}, {Name: "empty"}}
	want := []string{"a.txt", "b.png"}

	post := chat.Post{ID: "f1", Kind: chat.Message, Place: of.place(of.general, ""), Card: hello.Card, Files: files}
	ref := of.send(post)
	if diff := cmp.Diff(want, names(ref.Message)); diff != "" {
		t.Errorf("files under a message (-want +got):\n%s", diff)
	}
	if again, found, err := of.a.Find(ctx, post); err != nil || !found || again != ref {
		t.Errorf("Find() = %v, %t, %v", again, found, err)
	}
	if got := names(ref.Message); len(got) != 2 {
		t.Errorf("after a look there are %v", got)
	}

	// The message stands when its files fail: it is not sent again, but completed.
	post.ID = "f2"
	post.Place.Thread = ref.Message
	of.FailNext("files.completeUploadExternal", slacktest.Fault{Status: 500})
	if _, err := of.a.Send(ctx, post); !errors.Is(err, chat.ErrUnsure) {
		t.Fatalf("Send() = %v, want unsure", err)
	}
	if _, found, err := of.a.Find(ctx, post); err != nil || !found {
		t.Fatalf("Find() = %t, %v", found, err)
	}
	if got := names(ref.Message); len(got) != 4 {
		t.Errorf("after completion there are %v", got)
	}
	// The answer to the last step is lost: the files are there, and stay two.
	post.ID = "f3"
	of.FailNext("files.completeUploadExternal", slacktest.Fault{Lose: true})
	if _, err := of.a.Send(ctx, post); !errors.Is(err, chat.ErrUnsure) {
		t.Fatalf("Send() = %v, want unsure", err)
	}
	if _, found, err := of.a.Find(ctx, post); err != nil || !found {
		t.Fatalf("Find() = %t, %v", found, err)
	}
	if got := names(ref.Message); len(got) != 6 {
		t.Errorf("after a lost answer there are %v", got)
	}
	// What fails before anybody sees anything leaves nothing behind.
	before := len(of.seen(of.ana, of.general, ref.Message))
	of.FailNext("files.getUploadURLExternal", slacktest.Fault{Status: 500})
	if _, err := of.a.Send(ctx, post); err == nil || errors.Is(err, chat.ErrUnsure) {
		t.Errorf("Send() = %v, want a passing error", err)
	}
	if after := len(of.seen(of.ana, of.general, ref.Message)); after != before {
		t.Errorf("%d messages, were %d", after, before)
	}
}

func TestFetchKeepsTheToken(t *testing.T) {
	t.Parallel()
	stranger := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		t.Errorf("a foreign host was asked, with %v", r.Header)
	}))
	defer stranger.Close()
	s := newScripted(t, map[string]answerer{
		"/files/a":       ok("12345"),
		"/files/signin":  status(302, "Location", "https://acme.slack.com/?redir=%2Ffiles%2Fa"),
		"/files/away":    status(302, "Location", stranger.URL+"/a"),
		"/files/gone":    status(404),
		"/files/limited": status(429, "Retry-After", "3"),
		"/files/broken":  status(500),
	})
	a := newAdapter(t, Options{APIURL: s.URL + "/api/"})
	got, err := a.Fetch(t.Context(), chat.File{URL: s.URL + "/files/a"}, 5)
	if err != nil || string(got) != "12345" || s.forms["/files/a"].Get("Authorization") != "Bearer "+testBotToken {
		t.Errorf("Fetch() = %q, %v", got, err)
	}
	var limited *chat.LimitedError
	var refused *chat.RefusedError
	for _, tt := range []struct {
		name string
		file chat.File
		ok   func(error) bool
	}{
		{"more than it said", chat.File{URL: s.URL + "/files/a"}, func(err error) bool { return errors.As(err, &refused) }},
		{"more, as it says", chat.File{URL: s.URL + "/files/a", Size: 99}, func(err error) bool { return errors.As(err, &refused) }},
		{"no right to read", chat.File{URL: s.URL + "/files/signin"}, gonePlease},
		{"sent elsewhere", chat.File{URL: s.URL + "/files/away"}, gonePlease},
		{"deleted", chat.File{URL: s.URL + "/files/gone"}, gonePlease},
		{"kept elsewhere", chat.File{URL: stranger.URL + "/a"}, gonePlease},
		{"kept elsewhere, by a similar name", chat.File{URL: "https://evilslack.com/a"}, gonePlease},
		{"kept by Slack, without encryption", chat.File{URL: "http://files.slack.com/a"}, gonePlease},
		{"no address", chat.File{}, gonePlease},
		{"too many calls", chat.File{URL: s.URL + "/files/limited"}, func(err error) bool { return errors.As(err, &limited) }},
		{"Slack is broken", chat.File{URL: s.URL + "/files/broken"}, func(err error) bool {
			return err != nil && !errors.Is(err, chat.ErrGone) && !errors.Is(err, chat.ErrUnsure)
		}},
	} {
		if _, err := a.Fetch(t.Context(), tt.file, 4); !tt.ok(err) {
			t.Errorf("%s: %v", tt.name, err)
		}
	}
}

func gonePlease(err error) bool { return errors.Is(err, chat.ErrGone) }
