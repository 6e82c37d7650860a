// Package knowledge is what the desk knows: articles, who may read them, and
// when they count. Finding them is the business of package kb.
package knowledge

import (
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

// ArticleID is the number in KB-31.
type ArticleID int64

// Ref is the article's name in chat, "KB-31".
func (id ArticleID) Ref() string { return fmt.Sprintf("KB-%d", int64(id)) }

// State is how far an article has come on its way to readers.
type State string

// The states of an article. Only published ones are suggested to askers.
const (
	Draft     State = "draft"
	Reviewed  State = "reviewed" // somebody else has read it
	Published State = "published"
	Stale     State = "stale" // was published, and nobody has said that it is still right
	Retired   State = "retired"
)

// States are all of them.
var States = []State{Draft, Reviewed, Published, Stale, Retired}

// Everyone is the audience that any person may read, guests included.
const Everyone = "everyone"

// Article is one answer, in the shape of Knowledge-Centered Service: the
// symptom in the words of whoever has it, where it happens, what helps, why.
type Article struct {
	ID    ArticleID
	Slug  string // names the article across imports: a file's name without its ending
	Title string

	Symptom     string // plain text, the user's words, a sentence or some lines of them
	Environment string // plain text: where it applies; may be empty
	Answer      string // Markdown; steps are a numbered list
	Cause       string // plain text; may be empty

	Audience []string // Everyone, or slugs of teams and departments; never empty
	Language string   // BCP 47, "en"
	Tags     []string // product and topic words; service slugs among them
	Owner    string   // mail address of who answers for it
	ReviewBy time.Time

	State      State
	KnownError bool // a fault with a workaround and no fix yet

	UpdatedAt time.Time
	Seq       int64 // grows with every change of any article; indexes follow it
}

// ReadableBy tells whether a person in these groups (team and department
// slugs) may know of the article at all.
func (a Article) ReadableBy(groups []string) bool {
	return slices.ContainsFunc(a.Audience, func(g string) bool {
		return g == Everyone || slices.Contains(groups, g)
	})
}

// Problems lists, in words for its author, what keeps the article from being
// stored; a draft needs a title only.
func (a Article) Problems() []string {
	var p []string
	if strings.TrimSpace(a.Title) == "" {
		p = append(p, "it has no title")
	}
	if utf8.RuneCountInString(a.Title) > 200 {
		p = append(p, "its title is longer than 200 characters")
	}
	if len(a.Audience) == 0 {
		p = append(p, "it names no audience")
	}
	if a.State == Published {
		if strings.TrimSpace(a.Symptom) == "" {
			p = append(p, "it has no symptom")
		}
		if strings.TrimSpace(a.Answer) == "" {
			p = append(p, "it has no answer")
		}
	}
	if !slices.Contains(States, a.State) {
		p = append(p, fmt.Sprintf("its state %q is not draft, reviewed, published, stale or retired", a.State))
	}
	return p
}
