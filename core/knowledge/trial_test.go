package knowledge_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/deskhand/deskhand/core/knowledge"
)

func TestATrialCountsWhatItFindsAndWhatItSpoils(t *testing.T) {
	t.Parallel()
	shown := func(ids ...knowledge.ArticleID) (s knowledge.Suggestions) {
		for _, id := range ids {
			s.Hits = append(s.Hits, knowledge.Hit{Article: id})
		}
		return s
	}
	all := []knowledge.Tried{
		{ID: 1, Then: shown(9)},
		{ID: 2, Then: shown(3)},                   // found, but not by it
		{ID: 3, Now: shown(3), Then: shown(9, 3)}, // finds something by now
		{ID: 4}, //
		{ID: 5, Solved: 3, Now: shown(3, 4), Then: shown(3, 9, 4)},    // as it was
		{ID: 6, Solved: 4, Now: shown(3, 4), Then: shown(3, 9, 4)},    // later
		{ID: 7, Solved: 5, Now: shown(3, 4, 5), Then: shown(3, 4, 9)}, // not any more
		{ID: 8, Solved: 6, Now: shown(3), Then: shown(9)},             // was not found before either
	}
	want := knowledge.Trial{Unanswered: 4, Would: 1, Answered: 4, Worse: []knowledge.PastID{6, 7}}
	if diff := cmp.Diff(want, knowledge.Judge(9, all)); diff != "" {
		t.Errorf("of an article (-want +got):\n%s", diff)
	}
	want.Would = 2
	if diff := cmp.Diff(want, knowledge.Judge(0, all)); diff != "" {
		t.Errorf("of a word (-want +got):\n%s", diff)
	}
}

func TestAnArticleIsReviewedInTime(t *testing.T) {
	t.Parallel()
	const day = 24 * time.Hour
	start := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	at := func(days int) time.Time { return start.Add(time.Duration(days) * day) }
	article := knowledge.Article{State: knowledge.Published, UpdatedAt: start}
	for _, tt := range []struct {
		name        string
		review      knowledge.Review
		day         int
		ask, lapsed bool
	}{
		{"nobody is asked long before", knowledge.Review{Article: article}, 80, false, false},
		{"two weeks before its day the owner is asked", knowledge.Review{Article: article}, 86, true, false},
		{"and is not asked twice", knowledge.Review{Article: article, Asked: at(86)}, 90, false, false},
		{"without an answer it lapses on its day", knowledge.Review{Article: article, Asked: at(86)}, 100, false, true},
		{"the owner has two weeks in any case", knowledge.Review{Article: article, Asked: at(95)}, 108, false, false},
		{"but not more", knowledge.Review{Article: article, Asked: at(95)}, 109, false, true},
		{"one that was never asked about does not lapse", knowledge.Review{Article: article}, 200, true, false},
		{"one that is still right waits for its next day", knowledge.Review{Article: article, Asked: at(86), Right: at(190)}, 120, false, false},
		{"and is asked about again", knowledge.Review{Article: article, Asked: at(86), Right: at(190)}, 176, true, false},
		{"a draft is nobody's worry", knowledge.Review{Article: knowledge.Article{State: knowledge.Draft, UpdatedAt: start}, Asked: at(86)}, 200, false, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if got := tt.review.Ask(at(tt.day), 100*day); got != tt.ask {
				t.Errorf("asked on day %d: %v", tt.day, got)
			}
			if got := tt.review.Lapsed(at(tt.day), 100*day); got != tt.lapsed {
				t.Errorf("lapsed on day %d: %v", tt.day, got)
			}
		})
	}
}

func TestWhoMayMoveAnArticle(t *testing.T) {
	t.Parallel()
	none, drafter, publisher := knowledge.Rights{}, knowledge.Rights{Draft: true}, knowledge.Rights{Draft: true, Publish: true}
	for _, tt := range []struct {
		name     string
		from, to knowledge.State
		rights   knowledge.Rights
		author   bool
		ok       bool
	}{
		{"who writes none moves none", knowledge.Draft, knowledge.Reviewed, none, false, false},
		{"who wrote it does not review it", knowledge.Draft, knowledge.Reviewed, drafter, true, false},
		{"somebody else does", knowledge.Draft, knowledge.Reviewed, drafter, false, true},
		{"drafters don't publish", knowledge.Reviewed, knowledge.Published, drafter, false, false},
		{"publishers do, a draft too", knowledge.Draft, knowledge.Published, publisher, true, true},
		{"drafters give up drafts", knowledge.Draft, knowledge.Retired, drafter, false, true},
		{"but nothing that is published", knowledge.Published, knowledge.Retired, drafter, false, false},
		{"what is retired is taken up as a draft", knowledge.Retired, knowledge.Draft, drafter, false, true},
		{"and not published at once", knowledge.Retired, knowledge.Published, publisher, false, false},
		{"what is published is not reviewed", knowledge.Published, knowledge.Reviewed, publisher, false, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			is, reason := knowledge.Article{State: tt.from}.Move(tt.to, tt.rights, tt.author)
			if (reason == "") != tt.ok || tt.ok && is.State != tt.to || !tt.ok && is.State != tt.from {
				t.Errorf("it is %s: %q", is.State, reason)
			}
		})
	}
}
