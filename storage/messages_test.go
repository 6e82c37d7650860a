package storage_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sync/errgroup"

	"github.com/deskhand/deskhand/core/ticket"
	"github.com/deskhand/deskhand/storage"
)

func said(c *company, body, external string) storage.Message {
	return storage.Message{Author: c.cem, Body: body, Side: storage.RequesterSide, SaidAt: noon,
		Platform: "slack", Workspace: "T1", Channel: "D1", External: external}
}

func (c *company) say(t *testing.T, m storage.Message) (storage.Message, bool) {
	t.Helper()
	var first bool
	inTx(t, c.DB, func(ctx context.Context, tx *storage.Tx) (err error) {
		m, first, err = tx.AddMessage(ctx, m, "slack, direct message")
		return err
	})
	return m, first
}

func (c *company) conversation(t *testing.T, id ticket.ID, limit int) (bodies []string) {
	t.Helper()
	for _, m := range view(t, c.DB, func(ctx context.Context, tx *storage.Tx) ([]storage.Message, error) {
		return tx.Conversation(ctx, id, limit)
	}) {
		bodies = append(bodies, m.Body)
	}
	return bodies
}

func TestMessageCountsOnce(t *testing.T) {
	t.Parallel()
	c := newCompany(t)
	tk := c.open(t, c.draft(ticket.Incident, "No sound"), noon)
	m := said(c, "still nothing", "1.1")
	m.Ticket = tk.ID
	kept, first := c.say(t, m)
	if !first || kept.ID == 0 {
		t.Fatalf("the first delivery: %v, %+v", first, kept)
	}
	if again, first := c.say(t, m); first || again.ID != 0 {
		t.Errorf("the second delivery: %v, %+v", first, again)
	}
	for name, change := range map[string]func(*storage.Message){
		"another channel":   func(m *storage.Message) { m.Channel = "D2" },
		"another workspace": func(m *storage.Message) { m.Workspace = "T2" },
		"another platform":  func(m *storage.Message) { m.Platform = "teams" },
		"another message":   func(m *storage.Message) { m.External = "1.2" },
	} {
		other := m
		change(&other)
		if _, first := c.say(t, other); !first {
			t.Errorf("the same id in %s was taken for the same message", name)
		}
	}
	got := view(t, c.DB, func(ctx context.Context, tx *storage.Tx) (storage.Message, error) {
		return tx.MessageByID(ctx, kept.ID)
	})
	if diff := cmp.Diff(kept, got, sameTimes); diff != "" {
		t.Errorf("message (-said +read):\n%s", diff)
	}
	if got := actions(history(t, c.DB, storage.OfTicket, int64(tk.ID))); !slices.Equal(got, []string{"opened", "said", "said", "said", "said", "said"}) {
		t.Errorf("record = %v, want one entry for each of five messages", got)
	}
}

func TestManyDeliveriesAtOnceAreOneMessage(t *testing.T) {
	t.Parallel()
	c := newCompany(t)
	tk := c.open(t, c.draft(ticket.Incident, "No sound"), noon)
	m := said(c, "still nothing", "1.1")
	m.Ticket = tk.ID
	firsts := make([]bool, 8)
	var g errgroup.Group
	for i := range firsts {
		g.Go(func() error {
			return c.InTx(t.Context(), func(tx *storage.Tx) (err error) {
				_, firsts[i], err = tx.AddMessage(t.Context(), m, "test")
				return err
			})
		})
	}
	if err := g.Wait(); err != nil {
		t.Fatal(err)
	}
	if n := len(slices.DeleteFunc(firsts, func(first bool) bool { return !first })); n != 1 {
		t.Errorf("%d of them were the first", n)
	}
	if got := c.conversation(t, tk.ID, 10); len(got) != 1 {
		t.Errorf("conversation = %q", got)
	}
}

func TestEditsKeepHowItRead(t *testing.T) {
	t.Parallel()
	c := newCompany(t)
	tk := c.open(t, c.draft(ticket.Incident, "No sound"), noon)
	m := said(c, "my password is hunter2", "1.1")
	m.Ticket = tk.ID
	m, _ = c.say(t, m)
	edit := func(body string, deleted bool, at time.Time) storage.Message {
		var is storage.Message
		inTx(t, c.DB, func(ctx context.Context, tx *storage.Tx) error {
			was, err := tx.MessageAt(ctx, "slack", "T1", "D1", "1.1")
			if err != nil {
				return err
			}
			is, err = tx.EditMessage(ctx, was, body, deleted, c.cem, "slack", at)
			return err
		})
		got := view(t, c.DB, func(ctx context.Context, tx *storage.Tx) (storage.Message, error) { return tx.MessageByID(ctx, m.ID) })
		if diff := cmp.Diff(is, got, sameTimes); diff != "" {
			t.Errorf("after the edit to %q (-returned +read):\n%s", body, diff)
		}
		return got
	}
	versions := func() (bodies []string) {
		rows, err := c.Pool().Query(t.Context(), `select body from message_versions where message_id = $1 order by until`, m.ID)
		if err != nil {
			t.Fatal(err)
		}
		defer rows.Close()
		for rows.Next() {
			var body string
			if err := rows.Scan(&body); err != nil {
				t.Fatal(err)
			}
			bodies = append(bodies, body)
		}
		return bodies
	}

	if got := edit("my password is secret", false, noon.Add(time.Minute)); got.EditedAt == nil || !got.EditedAt.Equal(noon.Add(time.Minute)) || got.DeletedAt != nil {
		t.Errorf("an edited message: %+v", got)
	}
	edit("my password is secret", false, noon.Add(2*time.Minute)) // a link was unfurled: nothing has changed
	if got, want := versions(), []string{"my password is hunter2"}; !slices.Equal(got, want) {
		t.Errorf("versions = %q, want %q", got, want)
	}
	if got := edit("", true, noon.Add(3*time.Minute)); got.Body != "" || got.DeletedAt == nil {
		t.Errorf("a deleted message: %+v", got)
	}
	edit("I am back", false, noon.Add(4*time.Minute)) // late, of before the deletion
	edit("", true, noon.Add(5*time.Minute))
	if got, want := versions(), []string{"my password is hunter2", "my password is secret"}; !slices.Equal(got, want) {
		t.Errorf("versions = %q, want %q", got, want)
	}
	entries := steps(t, history(t, c.DB, storage.OfTicket, int64(tk.ID)))
	want := []step{
		{"edited", "Cem Aydin", "slack", "", map[string]any{"message": float64(m.ID), "body": "my password is hunter2"}, map[string]any{"message": float64(m.ID), "body": "my password is secret"}},
		{"deleted", "Cem Aydin", "slack", "", map[string]any{"message": float64(m.ID), "body": "my password is secret"}, map[string]any{"message": float64(m.ID), "body": ""}},
	}
	if diff := cmp.Diff(want, entries[2:]); diff != "" {
		t.Errorf("record of the edits (-want +got):\n%s", diff)
	}
	if err := c.InTx(t.Context(), func(tx *storage.Tx) error {
		_, err := tx.MessageAt(t.Context(), "slack", "T1", "D1", "9.9")
		return err
	}); !errors.Is(err, storage.ErrNotFound) {
		t.Errorf("a message that there is not: %v, want ErrNotFound", err)
	}
}

func TestNewTicketAdoptsWhatWasSaidBefore(t *testing.T) {
	t.Parallel()
	c := newCompany(t)
	thread, other := openThread(t, c.DB, "D1", "1.0"), openThread(t, c.DB, "D1", "2.0")
	earlier := c.open(t, c.draft(ticket.Incident, "No sound"), noon)
	for _, m := range []storage.Message{
		{Thread: thread, Body: "a picture of it", External: "1.1"},
		{Thread: thread, Body: "and another", External: "1.2"},
		{Thread: other, Body: "elsewhere", External: "2.1"},
		{Thread: thread, Ticket: earlier.ID, Body: "of the ticket before", External: "1.3"},
	} {
		full := said(c, m.Body, m.External)
		full.Thread, full.Ticket = m.Thread, m.Ticket
		c.say(t, full)
	}
	tk := c.open(t, c.draft(ticket.Incident, "No picture"), noon)
	adopt := func() (bodies []string) {
		inTx(t, c.DB, func(ctx context.Context, tx *storage.Tx) error {
			all, err := tx.AdoptMessages(ctx, thread, tk.ID)
			for _, m := range all {
				if m.Ticket != tk.ID {
					t.Errorf("%q was adopted by ticket %d, want %d", m.Body, m.Ticket, tk.ID)
				}
				bodies = append(bodies, m.Body)
			}
			return err
		})
		slices.Sort(bodies)
		return bodies
	}
	if got, want := adopt(), []string{"a picture of it", "and another"}; !slices.Equal(got, want) {
		t.Errorf("adopted %q, want %q", got, want)
	}
	if got := adopt(); len(got) != 0 {
		t.Errorf("adopted again: %q", got)
	}
	if got, want := c.conversation(t, tk.ID, 10), []string{"a picture of it", "and another"}; !slices.Equal(got, want) {
		t.Errorf("conversation = %q, want %q", got, want)
	}
}

func TestConversationEndsWithTheNewest(t *testing.T) {
	t.Parallel()
	c := newCompany(t)
	tk := c.open(t, c.draft(ticket.Incident, "No sound"), noon)
	for _, body := range strings.Fields("one two three four") {
		m := said(c, body, body)
		m.Ticket = tk.ID
		c.say(t, m)
	}
	if got, want := c.conversation(t, tk.ID, 10), strings.Fields("one two three four"); !slices.Equal(got, want) {
		t.Errorf("conversation = %q, want %q", got, want)
	}
	if got, want := c.conversation(t, tk.ID, 2), strings.Fields("three four"); !slices.Equal(got, want) {
		t.Errorf("its last two = %q, want %q", got, want)
	}
}

func TestFileIsKeptOnce(t *testing.T) {
	t.Parallel()
	c := newCompany(t)
	m, _ := c.say(t, said(c, "see", "1.1"))
	add := func(name string, state storage.FileState) (id storage.FileID) {
		inTx(t, c.DB, func(ctx context.Context, tx *storage.Tx) (err error) {
			id, err = tx.AddFile(ctx, storage.File{Message: m.ID, Name: name, MIME: "image/png", Size: 9, Source: []byte(`{"id": "F1"}`), State: state})
			return err
		})
		return id
	}
	keep := func(id storage.FileID, state storage.FileState, data []byte) (kept bool) {
		inTx(t, c.DB, func(ctx context.Context, tx *storage.Tx) (err error) {
			kept, err = tx.KeepFile(ctx, id, state, data)
			return err
		})
		return kept
	}
	picture, empty, lost, big := add("screen.png", storage.FileWanted), add("empty.txt", storage.FileWanted), add("gone.txt", storage.FileWanted), add("film.mp4", storage.FileTooBig)
	wanted := view(t, c.DB, func(ctx context.Context, tx *storage.Tx) ([]storage.File, error) { return tx.WantedFiles(ctx, 10) })
	if len(wanted) != 3 || wanted[0].ID != picture {
		t.Errorf("wanted = %+v, want the three that are to be fetched, oldest first", wanted)
	}
	if !keep(picture, storage.FileKept, []byte("png")) || keep(picture, storage.FileLost, nil) {
		t.Error("a file was not kept the first time, or was kept twice")
	}
	if !keep(empty, storage.FileKept, []byte{}) || !keep(lost, storage.FileLost, nil) || keep(big, storage.FileKept, []byte("x")) {
		t.Error("an empty file, a lost one, or one that is too big")
	}
	files := view(t, c.DB, func(ctx context.Context, tx *storage.Tx) ([]storage.File, error) {
		return tx.Files(ctx, []storage.FileID{lost, picture, empty})
	})
	type file struct {
		Name, Data string
		Size       int64
		State      storage.FileState
	}
	var got []file
	for _, f := range files {
		got = append(got, file{f.Name, string(f.Data), f.Size, f.State})
	}
	if diff := cmp.Diff([]file{{"screen.png", "png", 3, storage.FileKept}, {"empty.txt", "", 0, storage.FileKept}, {"gone.txt", "", 9, storage.FileLost}}, got); diff != "" {
		t.Errorf("files (-want +got):\n%s", diff)
	}
	if of := view(t, c.DB, func(ctx context.Context, tx *storage.Tx) ([]storage.File, error) { return tx.FilesOf(ctx, m.ID) }); len(of) != 4 || of[0].Data != nil {
		t.Errorf("files of the message: %+v, want four without their bytes", of)
	}
}
