package bot

import (
	"context"
	"strings"
	"testing"

	"github.com/deskhand/deskhand/bot/cards"
	"github.com/deskhand/deskhand/bot/chat"
	"github.com/deskhand/deskhand/core/knowledge"
	"github.com/deskhand/deskhand/core/ticket"
	"github.com/deskhand/deskhand/storage"
)

// An article for one department is named to them where nobody reads along, and
// nowhere else: not in a channel, not to a team, not in what an agent sends or
// another agent finds.
func TestAnArticleForFewIsNamedToThemAlone(t *testing.T) {
	t.Parallel()
	l := newLab(t, promising())
	const title = "Severance letters"
	l.in(func(ctx context.Context, tx *storage.Tx) error {
		_, _, _, err := tx.PutArticle(ctx, knowledge.Article{Slug: "severance", Title: title, Symptom: "I need the template of a severance letter.", Answer: "It is in the safe.",
			Audience: []string{"hr"}, Language: "en", State: knowledge.Published}, 0, "test", l.now())
		if err != nil {
			return err
		}
		_, err = tx.Exec(ctx, `update people set department = 'hr' where id = any($1)`, []int64{int64(l.who[l.ana]), int64(l.who[l.ben])})
		return err
	})
	if err := CatchUp(t.Context(), l.db, l.index, nil); err != nil {
		t.Fatal(err)
	}
	const question = "where is the template of a severance letter?"
	shown := func() int { return l.count(`select count(*) from questions where cardinality(shown) > 0`) }
	named := func() int {
		return l.count(`select count(*) from posts where kind = 'message' and body::text like '%everance letters%'`)
	}

	l.asks(question)
	if n := shown(); n != 1 {
		t.Fatalf("%d answers to hr in direct messages, want one", n)
	}
	aloud := l.event(l.ana, chat.Said, 0, "", nil)
	aloud.Text, aloud.Mentioned, aloud.Place.Thread = question, true, ""
	l.does(aloud)
	if n := shown(); n != 1 {
		t.Error("the article was shown in a channel")
	}
	if n := l.count(`select count(*) from posts where kind = $1 and user_id = $2 and body::text like '%not everybody may read%'`, string(chat.Whisper), l.ana.ID); n != 1 {
		t.Errorf("who may read it was told %d times that there is more, want once", n)
	}
	other := l.event(chat.User{Platform: "slack", Workspace: "T1", ID: "Uada"}, chat.Said, 0, "", nil)
	other.Text, other.Mentioned, other.Place.Thread = question, true, ""
	l.does(other)
	if n := l.count(`select count(*) from posts where body::text like '%not everybody may read%'`); n != 1 || shown() != 1 {
		t.Error("somebody else was told that there is an article")
	}

	// What was asked aloud is a gap whoever asked it: one that was missing there
	// would tell the others that there is an article.
	l.in(func(ctx context.Context, tx *storage.Tx) error {
		gaps, err := tx.UnansweredSince(ctx, began, 10)
		if len(gaps) != 2 || gaps[0].Person != l.who[l.ana] {
			t.Errorf("%d questions count as unanswered, want that of who was told alone and that of who was not: %+v", len(gaps), gaps)
		}
		return err
	})

	// A ticket of the question that was answered alone, and of the one in the channel.
	for q, place := range map[string]chat.Place{"1": {Platform: "slack", Workspace: "T1", Channel: "D1"}, "2": aloud.Place} {
		ev := l.event(l.ana, chat.Pressed, 0, cards.Talk, nil)
		ev.Args, ev.Place = chat.Args{"q": q}, place
		l.does(ev)
	}
	refs := map[ticket.ID]bool{}
	l.in(func(ctx context.Context, tx *storage.Tx) error {
		turn, err := l.turn(ctx, tx, l.event(l.ben, chat.Pressed, 0, "", nil))
		if err != nil {
			return err
		}
		for _, id := range []ticket.ID{1, 2} {
			v, err := turn.view(ctx, id)
			if err != nil {
				return err
			}
			refs[id] = true
			if c := cards.Triage(v); strings.Contains(string(body{Card: c}.bytes()), title) {
				t.Errorf("the team's card of %s names it", v.Ref())
			}
		}
		return nil
	})
	if len(refs) != 2 {
		t.Fatal("there are not two tickets")
	}
	use := func(q int) error {
		id := ticket.ID(l.count(`select ticket_id from questions where id = $1`, q))
		ev := l.event(l.ben, chat.Pressed, id, cards.Use, nil)
		ev.Args["a"] = "1"
		_, err := l.handle(ev)
		return err
	}
	if err := use(2); err != nil {
		t.Fatal(err)
	}
	if n := named(); n != 0 {
		t.Errorf("it was sent to a channel")
	}
	if err := use(1); err != nil {
		t.Fatal(err)
	}
	// (What Ben sees of it, who may read it, is for his eyes alone.)
	if n := l.count(`select count(*) from posts p join threads t on t.id = p.thread_id where body::text like '%everance letters%' and t.scope <> 'direct'`); n != 0 || named() != 1 {
		t.Errorf("sent to who asked, it is named in %d channels and %d posts, want none and one", n, named())
	}
}
