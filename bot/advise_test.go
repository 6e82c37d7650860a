package bot

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/deskhand/deskhand/adapters/model"
	"github.com/deskhand/deskhand/adapters/model/modeltest"
	"github.com/deskhand/deskhand/bot/chat"
	"github.com/deskhand/deskhand/bot/inbox"
	"github.com/deskhand/deskhand/core/knowledge"
	"github.com/deskhand/deskhand/storage"
)

// advisedLab is a desk with articles, one of which is not for Ana.
func advisedLab(t *testing.T) (*lab, *inbox.Inbox) {
	t.Helper()
	l := newLab(t, promising())
	l.in(func(ctx context.Context, tx *storage.Tx) error {
		for i, a := range []knowledge.Article{
			{Title: "Change your password", Symptom: "My password has expired or I want another one.", Answer: "Go to the account page. Press Change password."},
			{Title: "Unlock your account", Symptom: "My account is locked after too many wrong passwords.", Answer: "Wait 15 minutes. Then try again."},
			{Title: "Password of the vault", Symptom: "I forgot the password of the vault.", Answer: "Ask Ada.", Audience: []string{"net"}},
			{Title: "Printer does not print", Symptom: "Nothing comes out of the printer.", Answer: "Turn it off and on."},
			{Title: "Mailbox is full", Symptom: "I can't send mail.", Answer: "Empty the deleted items."},
			{Title: "Laptop is slow", Symptom: "Everything takes ages.", Answer: "Restart it."},
		} {
			a.Slug, a.Language, a.State = fmt.Sprint("a", i), "en", knowledge.Published
			if a.Audience == nil {
				a.Audience = []string{knowledge.Everyone}
			}
			if _, _, _, err := tx.PutArticle(ctx, a, 0, "test", l.now()); err != nil {
				return err
			}
		}
		_, err := tx.Exec(ctx, `insert into people (name, guest) values ('Eva Stone', true)`)
		return err
	})
	if err := CatchUp(t.Context(), l.db, l.index, nil); err != nil {
		t.Fatal(err)
	}
	in, err := inbox.New(inbox.Options{DB: l.db, Handler: l.Desk, Now: l.now, Log: slog.New(slog.NewTextHandler(io.Discard, nil))})
	if err != nil {
		t.Fatal(err)
	}
	return l, in
}

// wonders has Ana ask with the slash command, and returns what she is shown.
func (l *lab) wonders(in *inbox.Inbox, text string) storage.Question {
	l.t.Helper()
	n := l.n.Add(1)
	before := l.count(`select count(*) from questions`)
	ev := chat.Event{Key: fmt.Sprint("k", n), At: l.now(), Kind: chat.Commanded, By: l.ana, Scope: chat.Direct, Text: text,
		Place: chat.Place{Platform: "slack", Workspace: "T1", Channel: "D1"}}
	if _, err := in.Answer(l.t.Context(), ev); err != nil {
		l.t.Fatal(err)
	}
	if n := l.count(`select count(*) from questions`) - before; n != 1 {
		l.t.Fatalf("%d questions are on record", n)
	}
	var q storage.Question
	l.in(func(ctx context.Context, tx *storage.Tx) (err error) {
		q, err = tx.Question(ctx, storage.QuestionID(l.count(`select max(id) from questions`)))
		return err
	})
	return q
}

// hearsOf has the desk ask a model and wait for it.
func (l *lab) hearsOf(s *modeltest.Server, wait time.Duration) {
	c, err := model.New(model.Options{URL: s.URL, Name: "tiny", Wait: wait, Log: slog.New(slog.NewTextHandler(io.Discard, nil))})
	if err != nil {
		l.t.Fatal(err)
	}
	l.t.Cleanup(c.Close)
	l.adviser = c
}

const forgot = "Ana here, forgot my pwd, and so has Eva Stone"

func shownTitles(q storage.Question) (all []string) {
	for _, h := range q.Hits {
		all = append(all, h.Title)
	}
	return all
}

// A model puts the articles in another order and picks what is shown of them,
// while no transaction is open.
func TestAModelOrdersWhatIsShown(t *testing.T) {
	t.Parallel()
	l, in := advisedLab(t)
	own := l.wonders(in, forgot)
	if diff := cmp.Diff([]string{"Change your password", "Unlock your account"}, shownTitles(own)); diff != "" || own.Confidence != "low" {
		t.Fatalf("without a model, %s (-want +got):\n%s", own.Confidence, diff)
	}
	prefers := modeltest.Prefers("Unlock your account", 3)
	s := modeltest.New(t, func(w http.ResponseWriter, r *http.Request, a modeltest.Asked) {
		if n := l.count(`select count(*) from pg_stat_activity where datname = current_database() and state like 'idle in transaction%'`); n != 0 {
			t.Errorf("%d transactions wait for the model", n)
		}
		prefers(w, r, a)
	})
	l.hearsOf(s, time.Minute)
	got := l.wonders(in, forgot)
	if diff := cmp.Diff([]string{"Unlock your account", "Change your password"}, shownTitles(got)); diff != "" || got.Confidence != "low" {
		t.Fatalf("with a model, %s (-want +got):\n%s", got.Confidence, diff)
	}
	if text := got.Hits[0].Extract; len(text) != 1 || text[0].Text != "Then try again." {
		t.Errorf("the extract is %+v", text)
	}
	if n := l.count(`select count(*) from audit where action = 'asked' and after->'advised' is not null`); n != 1 {
		t.Errorf("a model was heard %d times by the audit record, want once", n)
	}
	asked := s.Asked()
	if len(asked) != 1 {
		t.Fatalf("%d calls for one question", len(asked))
	}
	if asked[0].Question != "… here, forgot my pwd, and so has …" || asked[0].Named("Password of the vault") != 0 || strings.Contains(asked[0].Body, "vault") {
		t.Errorf("it was sent %s", asked[0].Body)
	}
	// What is no question goes nowhere, nor what the desk has nothing for.
	for _, text := range []string{"thanks", "help", "my tickets", "new"} {
		ev := chat.Event{Key: text, At: l.now(), Kind: chat.Commanded, By: l.ana, Scope: chat.Direct, Text: text, Place: chat.Place{Platform: "slack", Workspace: "T1", Channel: "D1"}}
		if _, err := in.Answer(t.Context(), ev); err != nil {
			t.Fatal(err)
		}
	}
	l.wonders(in, "the coffee machine leaks water")
	l.does(l.says(l.open()))
	if n := len(s.Asked()); n != 1 {
		t.Errorf("%d calls, want still the one", n)
	}
}

// Whatever a model does that is of no use, the answer is what it is without.
func TestABadModelChangesNoAnswer(t *testing.T) {
	t.Parallel()
	l, in := advisedLab(t)
	own := l.wonders(in, forgot)
	for name, manner := range modeltest.Bad {
		s := modeltest.New(t, manner)
		wait := time.Minute
		if name == "hangs" {
			wait = 100 * time.Millisecond
		}
		l.hearsOf(s, wait)
		got := l.wonders(in, forgot)
		if diff := cmp.Diff(own.Hits, got.Hits); diff != "" || !slices.Equal(own.Shown, got.Shown) || own.Confidence != got.Confidence {
			t.Errorf("it %s (-without +with):\n%s", name, diff)
		}
		if len(s.Asked()) == 0 {
			t.Errorf("it %s: it was not asked", name)
		}
	}
}

// An article that is changed, or shut away, while the model thinks is shown as
// it is then, or not at all.
func TestWhatIsShownIsLookedUpAfterwards(t *testing.T) {
	t.Parallel()
	l, in := advisedLab(t)
	change := func(do func(*knowledge.Article)) {
		l.in(func(ctx context.Context, tx *storage.Tx) error {
			found, err := tx.Articles(ctx, 2)
			if err != nil {
				return err
			}
			a := found[2]
			do(&a)
			_, _, _, err = tx.PutArticle(ctx, a, 0, "test", l.now())
			return err
		})
		if err := CatchUp(t.Context(), l.db, l.index, nil); err != nil {
			t.Error(err)
		}
	}
	prefers := modeltest.Prefers("Unlock your account", 3)
	next := func(a *knowledge.Article) { a.Answer = "Wait 15 minutes. Then ask us." }
	l.hearsOf(modeltest.New(t, func(w http.ResponseWriter, r *http.Request, a modeltest.Asked) {
		change(next)
		prefers(w, r, a)
	}), time.Minute)
	q := l.wonders(in, forgot)
	for _, span := range q.Hits[0].Extract {
		if strings.Contains(span.Text, "try again") {
			t.Errorf("%q stands there no more", span.Text)
		}
	}
	if q.Hits[0].Article != 2 {
		t.Errorf("shown first is %s", q.Hits[0].Article.Ref())
	}
	next = func(a *knowledge.Article) { a.Audience = []string{"net"} }
	if q = l.wonders(in, forgot); slices.Contains(q.Shown, 2) {
		t.Errorf("shown are %v; the second is not for Ana any more", q.Shown)
	}
}
