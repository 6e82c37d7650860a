package chat

// Form is asked in a dialog of the platform's.
type Form struct {
	Action string
	Args   Args   // with Action at most 2,500 bytes as JSON
	Title  string // at most 24 characters
	Submit string // the button; empty: nothing to send, only to read
	Close  string
	Intro  []Block // above the fields; Actions among them act within the form
	Fields []Field
	Keep   bool // report it as Dismissed when closed unsent, so that a draft can be kept
}

// Input is how a Field is filled in.
type Input string

// The inputs of a Field.
const (
	Line      Input = "line"      // one line of text
	Paragraph Input = "paragraph" // several
	Choice    Input = "choice"    // one of at most 10, all visible
	Select    Input = "select"    // one of at most 100, in a menu
	Checks    Input = "checks"    // any of at most 10
	Person    Input = "person"    // one user of the workspace
	Channel   Input = "channel"   // one channel of the workspace
	Search    Input = "search"    // one of many, found as one types: Searched events
	Date      Input = "date"
	Time      Input = "time"
)

// Field is one question of a Form.
type Field struct {
	Name     string
	Label    string
	Hint     string
	Input    Input
	Options  []Option
	Value    []string // what it starts with, in the shape that Values has
	Optional bool
	Max      int  // characters; 0: the platform's own limit
	Refresh  bool // report a change at once as Changed
}

// Option is one of a Field's answers.
type Option struct {
	Value string // at most 100 bytes
	Label string // at most 75 characters
	Hint  string
}

// Answer is what the desk answers within the call of an event. The zero Answer
// says "done", and a form that was submitted closes.
type Answer struct {
	Form    *Form             // open it; on Submitted and Changed it takes the place of the one in View
	Push    bool              // on Submitted and Pressed in a form: put Form on top instead
	Errors  map[string]string // on Submitted: what is wrong, by Field name; the form stays open
	Private *Card             // shown to By alone, in Place
	Options []Option          // on Searched
	Card    *Card             // on Viewed, and on Pressed with InPlace: Message as By is to see it now
	Finds   []Find            // on Browsed
}

// Find is something that By may put into a message of their own.
type Find struct {
	Title string
	Text  string // a line or two
	Card  Card   // what is put there; it has no Actions but links
}
