package bot

import (
	"context"
	"errors"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/deskhand/deskhand/bot/cards"
	"github.com/deskhand/deskhand/bot/chat"
	"github.com/deskhand/deskhand/core/knowledge"
	"github.com/deskhand/deskhand/kb"
	"github.com/deskhand/deskhand/kb/kbtest"
	"github.com/deskhand/deskhand/storage"
)

// While there is no room for the index, questions become tickets and are told
// why; with room again they are answered.
func TestFullDiskHoldsNothingUp(t *testing.T) {
	t.Parallel()
	disk, ok := kbtest.SmallDisk(t, "size=4m")
	if !ok {
		return
	}
	l := newLab(t, promising())
	var err error
	if l.index, err = kb.Open(kb.Options{Dir: filepath.Join(disk, "index"), Log: l.log}); err != nil {
		t.Fatal(err)
	}
	defer l.index.Close()
	room := kbtest.Fill(t, disk)
	l.in(func(ctx context.Context, tx *storage.Tx) error {
		_, _, _, err := tx.PutArticle(ctx, knowledge.Article{Slug: "vpn", Title: "Keep the VPN connected", Symptom: "The VPN drops.", Answer: "Switch power saving off.",
			Audience: []string{knowledge.Everyone}, Language: "en", State: knowledge.Published}, 0, "test", l.now())
		return err
	})
	if err := CatchUp(t.Context(), l.db, l.index, nil); !errors.Is(err, syscall.ENOSPC) {
		t.Fatalf("CatchUp() = %v, want no space left", err)
	}
	l.asks("the vpn drops")
	if n := l.count(`select count(*) from questions where confidence = 'later'`); n != 1 {
		t.Errorf("%d questions are put off, want the one", n)
	}
	ev := l.event(l.ana, chat.Pressed, 0, cards.Talk, nil)
	ev.Args, ev.Place = chat.Args{"q": "1"}, chat.Place{Platform: "slack", Workspace: "T1", Channel: "D1"}
	l.does(ev)
	if n := l.count(`select count(*) from tickets`); n != 1 {
		t.Errorf("%d tickets, want one", n)
	}
	room()
	if err := CatchUp(t.Context(), l.db, l.index, nil); err != nil {
		t.Fatal(err)
	}
	l.asks("the vpn drops again")
	if n := l.count(`select count(*) from questions where confidence in ('low', 'high')`); n != 1 {
		t.Errorf("%d questions are answered with room again, want one", n)
	}
}
