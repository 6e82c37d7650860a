package chat

// Card is what one message shows. Text alone must say the whole of it in
// words: it is the notification, the screen reader's version and the fall-back
// where blocks can't be shown.
type Card struct {
	Text   string  `json:"text"`
	Blocks []Block `json:"-"` // none: Text is all
}

// Block is one of Heading, Section, Quote, Facts, List, Row, Note, Actions,
// Picture and Divider; the set is closed, so that each renderer can be complete.
type Block interface{ block() }

// Heading is one short line.
type Heading struct{ Text string }

// Section is a paragraph of the desk's words.
type Section struct{ Text Rich }

// Quote is what somebody else has said or written, set off as such.
type Quote struct{ Text Rich }

// Facts are short labelled values, drawn in two columns where there is room.
type Facts []Fact

// Fact is a label and its value.
type Fact struct {
	Label string
	Value Rich
}

// List is a list of lines, numbered if Ordered.
type List struct {
	Ordered bool
	Items   []Rich
}

// Row is a line of a list of things, with the one thing to do about it beside
// it.
type Row struct {
	Text   Rich
	Button Button
}

// Note is small print.
type Note struct{ Text Rich }

// Divider is a line across.
type Divider struct{}

// Picture is an image with its text for those who don't see it.
type Picture struct{ URL, Alt string }

// Actions are what can be done: at most five Buttons (two, as a rule) and the
// rest in a menu.
type Actions struct {
	Buttons []Button
	Menu    []Button
}

func (Heading) block() {}
func (Section) block() {}
func (Quote) block()   {}
func (Facts) block()   {}
func (List) block()    {}
func (Note) block()    {}
func (Divider) block() {}
func (Row) block()     {}
func (Picture) block() {}
func (Actions) block() {}

// Style says what a Button is for.
type Style string

// The styles of a Button.
const (
	Plain   Style = ""
	Primary Style = "primary" // at most one in a card
	Danger  Style = "danger"
)

// Button does one thing. Action is at most 60 bytes of [a-z0-9_.]; Args at
// most 1,000 bytes as JSON.
type Button struct {
	Label  string
	Action string
	Args   Args
	Style  Style
	Name   string // for screen readers, where Label alone is unclear ("Claim INC-42")
	URL    string // opens a page instead; Action is then only reported

	// Form says that pressing it opens a Form, so the platform must be answered
	// within the call.
	Form bool

	Confirm *Confirm
}

// Confirm asks before a Button acts.
type Confirm struct{ Title, Text, Yes, No string }
