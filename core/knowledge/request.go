package knowledge

import "slices"

// Request is something that people can ask for: a thing, an access, a service.
type Request struct {
	Slug        string
	Name        string   // as people would call it: "New laptop"
	Words       []string // what else they call it
	Description string   // a line: what one gets, who says yes, how long it takes; may be empty
	Service     string   // slug, may be empty
	Category    string   // slug, within the service; may be empty
	Team        string   // slug; empty: whoever has such requests
	Audience    []string // as an article's, never empty
}

// ReadableBy tells whether a person in these groups may know of it at all.
func (r Request) ReadableBy(groups []string) bool {
	return Article{Audience: r.Audience}.ReadableBy(groups)
}

// Same tells whether r and s are the same in every word.
func (r Request) Same(s Request) bool {
	return r.Slug == s.Slug && r.Name == s.Name && r.Description == s.Description && r.Service == s.Service && r.Category == s.Category && r.Team == s.Team &&
		slices.Equal(r.Words, s.Words) && slices.Equal(r.Audience, s.Audience)
}

// Outage is something that many use and that is down just now.
type Outage struct {
	Ticket   int64    // the record's number
	What     string   // is down, in the words of whoever has it
	Reported string   // title of the ticket
	Service  string   // slug, may be empty: articles that have it as a tag are about the same
	Words    []string // the service's name, and what else people call it
}
