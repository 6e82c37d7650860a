package bot

import (
	"testing"
	"time"

	"github.com/deskhand/deskhand/bot/chat"
)

// Of two edits that come in the wrong order the later one stands, of a question
// and of what is said on a ticket.
func TestTheLaterEditStands(t *testing.T) {
	t.Parallel()
	l := newLab(t, promising())
	asked := l.event(l.ana, chat.Said, 0, "", nil)
	asked.Text, asked.Scope, asked.Place = "my zepelin", chat.Direct, chat.Place{Platform: "slack", Workspace: "T1", Channel: "D1"}
	l.does(asked)
	said := l.says(l.open())
	l.does(said)
	for _, of := range []chat.Event{asked, said} {
		for _, edit := range []struct {
			text  string
			after time.Duration
		}{{"second", 2 * time.Second}, {"first", time.Second}, {"third", 3 * time.Second}, {"second", 2 * time.Second}} {
			ev := of
			ev.Kind, ev.Text, ev.At, ev.Author = chat.Edited, edit.text, of.At.Add(edit.after), of.By
			l.does(ev)
		}
	}
	if n := l.count(`select count(*) from questions where text = 'third'`); n != 1 {
		t.Errorf("the question does not read as it was last edited")
	}
	if n := l.count(`select count(*) from messages where body = 'third' and edited_at = $1`, said.At.Add(3*time.Second)); n != 1 {
		t.Errorf("the message does not read as it was last edited")
	}
	if n := l.count(`select count(*) from audit where action in ('edited', 'question.edited')`); n != 4 {
		t.Errorf("%d edits on record, want 2 of each", n)
	}
}
