package knowledge

import "slices"

// Trial is what an article, or a word that means the same as another, would
// have done for the questions of the past.
type Trial struct {
	Unanswered int      // that found nothing
	Would      int      // of which would have found something by it
	Answered   int      // that an article solved
	Worse      []PastID // of which would have found that article later, or not at all
}

// Tried is a question of the past and what answered it.
type Tried struct {
	ID        PastID
	Solved    ArticleID // 0: it found nothing
	Now, Then Suggestions
}

// Judge counts what a trial of an article has shown; of 0, any article may be
// the one that is found.
func Judge(a ArticleID, all []Tried) Trial {
	var t Trial
	for _, q := range all {
		if q.Solved == 0 {
			if t.Unanswered++; len(q.Now.Hits) == 0 && q.Then.place(a) >= 0 {
				t.Would++
			}
			continue
		}
		t.Answered++
		was, is := q.Now.place(q.Solved), q.Then.place(q.Solved)
		if was >= 0 && (is < 0 || is > was) {
			t.Worse = append(t.Worse, q.ID)
		}
	}
	return t
}

// place is where an article stands, -1 if it does not.
func (s Suggestions) place(a ArticleID) int {
	return slices.IndexFunc(s.Hits, func(h Hit) bool { return h.Article == a || a == 0 })
}
