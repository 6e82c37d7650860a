package knowledge

// Span is a run of text in one style. Text is never markup: what looks like
// markup in it is meant to be shown as it stands, so renderers must escape it.
type Span struct {
	Text   string
	Bold   bool
	Italic bool
	Code   bool
	URL    string // where the text links to, "" for nowhere; http, https or mailto
	// Picture is the name of a picture of the desk's that the text describes, ""
	// if it is text alone. It is one that a chat can show, so no SVG.
	Picture string
}

// Hit is what was found for a question: an article, something that can be
// requested, or a known outage.
type Hit struct {
	Article    ArticleID // 0: it is none
	Request    string    `json:",omitempty"` // slug of what can be requested
	Outage     int64     `json:",omitempty"` // the ticket of what is down
	Title      string
	Language   string
	KnownError bool
	Foreign    bool // in another language than the question
	Closed     bool // not for everybody: it is named only to who asked

	Score   float64 // comparable within one answer only
	Covered float64 // 0–1: how much of what the question says the article speaks of
	Solved  int     // similar questions of the past that it solved, of those that are looked at
	Extract []Span  // at most two lines, about 200 characters; words of the question are bold
}

// Confidence says how far to trust that a suggestion answers the question.
type Confidence int

// The confidences. With None the desk says that it found nothing; Low is worth
// showing as "may help"; High as an answer.
const (
	None Confidence = iota
	Low
	High
)

func (c Confidence) String() string {
	switch c {
	case Low:
		return "low"
	case High:
		return "high"
	}
	return "none"
}

// Suggestions are what there is for a question, best first. They are empty
// exactly when Confidence is None.
type Suggestions struct {
	Hits       []Hit
	Confidence Confidence
	Sure       float64 // 0–1: how likely it is that the first is right, also where none is shown
}
