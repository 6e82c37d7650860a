package knowledge

import "time"

// Rights are what somebody may do with articles.
type Rights struct{ Draft, Publish bool }

// Move brings an article to another state. A reason, in words that complete
// "I can't … it: ", says why it may not be; author tells that whoever asks has
// written it last.
func (a Article) Move(to State, r Rights, author bool) (moved Article, reason string) {
	switch {
	case a.State == to:
		return a, ""
	case to == Draft && !r.Draft:
		return a, "your team does not write articles"
	case to == Reviewed && a.State != Draft:
		return a, "it is " + a.State.Word() + " already"
	case to == Reviewed && !r.Draft:
		return a, "your team does not write articles"
	case to == Reviewed && author && !r.Publish:
		return a, "you have written it, so somebody else has to read it"
	case (to == Published || to == Retired || to == Stale) && !r.Publish && !(to == Retired && r.Draft && (a.State == Draft || a.State == Reviewed)):
		return a, "only those who may publish articles can"
	case a.State == Retired && to != Draft:
		return a, "it is retired"
	}
	a.State = to
	return a, ""
}

// Word is the state as one would say it.
func (s State) Word() string {
	switch s {
	case Stale:
		return "out of date"
	case "":
		return "new"
	}
	return string(s)
}

const (
	// AskBefore is how long before its day the owner of an article is asked
	// whether it is still right. Without an answer it is not suggested from that
	// day on, or from as long after the question.
	AskBefore = 14 * 24 * time.Hour
	// HeldAfter is how long a solved question must not come back to count as held.
	HeldAfter = 7 * 24 * time.Hour
)

// Review is when an article is to be looked at, and what is known of that.
type Review struct {
	Article
	Right time.Time // somebody said that it is right until then; zero: nobody has
	Asked time.Time // zero: nobody was
}

// Day is when the article has to have been looked at; every is for one that
// names no day itself.
func (r Review) Day(every time.Duration) time.Time {
	day := r.ReviewBy
	if day.IsZero() {
		day = r.UpdatedAt.Add(every)
	}
	if r.Right.After(day) {
		day = r.Right
	}
	return day
}

// Ask tells whether the owner is to be asked by now.
func (r Review) Ask(now time.Time, every time.Duration) bool {
	from := r.Day(every).Add(-AskBefore)
	return r.State == Published && !now.Before(from) && r.Asked.Before(from)
}

// Lapsed tells whether the article is not to be suggested any more.
func (r Review) Lapsed(now time.Time, every time.Duration) bool {
	day := r.Day(every)
	return r.State == Published && !r.Asked.Before(day.Add(-AskBefore)) && !r.Asked.IsZero() &&
		!now.Before(day) && !now.Before(r.Asked.Add(AskBefore))
}
