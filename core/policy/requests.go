package policy

import (
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/deskhand/deskhand/core/knowledge"
)

// Request is something that people can ask for. It is found like an article,
// and opens the form of a request with what is known filled in.
type Request struct {
	Slug        string   `yaml:"slug"`
	Name        string   `yaml:"name"`
	Words       []string `yaml:"words"`       // what else people call it
	Description string   `yaml:"description"` // a line: what one gets, who says yes, how long it takes
	Service     string   `yaml:"service"`     // slug
	Category    string   `yaml:"category"`    // slug, within the service
	Team        string   `yaml:"team"`        // slug; empty: whoever has such requests
	// Audience are who may ask for it: slugs of teams and departments. Empty: everyone.
	Audience []string `yaml:"audience"`
}

// Requestable are the requests as they are searched.
func (p Policy) Requestable() []knowledge.Request {
	all := make([]knowledge.Request, len(p.Requests))
	for i, r := range p.Requests {
		all[i] = knowledge.Request{Slug: r.Slug, Name: r.Name, Words: r.Words, Description: r.Description,
			Service: r.Service, Category: r.Category, Team: r.Team, Audience: r.Audience}
		if len(r.Audience) == 0 {
			all[i].Audience = []string{knowledge.Everyone}
		}
	}
	return all
}

// mostRequests is what every process keeps in memory beside its index.
const mostRequests = 500

func (c *checker) requests(p Policy, services, teams map[string]bool) {
	slugs, names := map[string]bool{}, map[string]bool{}
	if len(p.Requests) > mostRequests {
		c.say("requests", "there are %d; the desk offers at most %d", len(p.Requests), mostRequests)
	}
	for i, r := range p.Requests {
		path := fmt.Sprintf("requests[%d]", i)
		c.slug(path+".slug", r.Slug, slugs)
		c.text(path+".name", "the name", r.Name, 60)
		name := strings.ToLower(strings.Join(strings.Fields(r.Name), " "))
		if names[name] && name != "" {
			c.say(path+".name", "%q is there twice; people could not tell one from the other", r.Name)
		}
		names[name] = true
		if utf8.RuneCountInString(r.Description) > 200 {
			c.say(path+".description", "the description is longer than 200 characters; it is a line on a card")
		}
		for j, w := range r.Words {
			at := fmt.Sprintf("%s.words[%d]", path, j)
			switch {
			case !strings.ContainsFunc(w, func(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) }):
				c.say(at, "%q has no word in it", w)
			case utf8.RuneCountInString(w) > longestSynonym:
				c.say(at, "it is longer than %d characters; write a word or a short phrase", longestSynonym)
			}
		}
		if r.Service != "" && !services[r.Service] {
			c.say(path+".service", "there is no service %q", r.Service)
		}
		switch {
		case r.Category == "":
		case r.Service == "":
			c.say(path+".category", "a category is one of a service; name the service too")
		case services[r.Service] && !p.hasCategory(r.Service, r.Category):
			c.say(path+".category", "the service %q has no category %q", r.Service, r.Category)
		}
		if r.Team != "" && !teams[r.Team] {
			c.say(path+".team", "there is no team %q", r.Team)
		}
		for j, g := range r.Audience {
			if g != knowledge.Everyone && !teams[g] && !p.hasDepartment(g) {
				c.say(fmt.Sprintf("%s.audience[%d]", path, j), "%q is neither a team nor the department of anybody in this file, and not everyone", g)
			}
		}
	}
}

func (p Policy) hasCategory(service, category string) bool {
	return slices.ContainsFunc(p.Services, func(s Service) bool {
		return s.Slug == service && slices.ContainsFunc(s.Categories, func(c Category) bool { return c.Slug == category })
	})
}

// hasDepartment takes any slug at its word where the file lists no people.
func (p Policy) hasDepartment(department string) bool {
	if slices.ContainsFunc(p.Departments, func(d Department) bool { return d.Slug == department }) {
		return true
	}
	if len(p.People) == 0 {
		return len(p.Departments) == 0 && slug.MatchString(department)
	}
	return slices.ContainsFunc(p.People, func(x Person) bool { return x.Department == department })
}
