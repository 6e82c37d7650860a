package demo

import (
	"embed"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"

	"github.com/goccy/go-yaml"

	"github.com/deskhand/deskhand/core/policy"
	"github.com/deskhand/deskhand/core/ticket"
)

//go:embed scenarios/*.yaml
var scenarioFiles embed.FS

// scenario is one kind of trouble or need, and all that people say about it.
//
// Its texts are written with choices, {this|that|}, and with {slots} that stand
// for a floor, a colleague, a customer; within one ticket a slot keeps its
// value. See expand and slots.
type scenario struct {
	Name    string      `yaml:"name"`
	Service string      `yaml:"service"`
	Kind    ticket.Kind `yaml:"kind"`
	Article string      `yaml:"article"` // slug; empty: nobody has written it yet
	Also    []string    `yaml:"also"`    // shown below it

	Weight  float64                    `yaml:"weight"` // how often, among all
	Who     []string                   `yaml:"who"`    // departments; empty: any
	Office  bool                       `yaml:"office"` // only for people with a desk
	Site    string                     `yaml:"site"`   // only there
	Monday  bool                       `yaml:"monday"` // more often after a weekend
	Impact  map[ticket.Impact]float64  `yaml:"impact"`
	Urgency map[ticket.Urgency]float64 `yaml:"urgency"`

	Hours  float64 `yaml:"hours"`  // of work until it is resolved, about
	Solved float64 `yaml:"solved"` // share of questions that the article ends
	Hop    *hop    `yaml:"hop"`

	Asks    []string `yaml:"asks"`   // as a question to the desk, plain, small letters
	Titles  []string `yaml:"titles"` // as the subject of a ticket
	Details []string `yaml:"details"`
	Cases   []course `yaml:"cases"`
}

// hop is the way from the first team to another. Where courses say that they
// are far, only those go it.
type hop struct {
	To     string  `yaml:"to"` // team slug
	Chance float64 `yaml:"chance"`
	Note   string  `yaml:"note"`
}

// course is how it went in one case: what was said, and what was the cure.
type course struct {
	Talk []line `yaml:"talk"`
	Fix  string `yaml:"fix"`
	Used bool   `yaml:"used"` // the article was used
	Far  bool   `yaml:"far"`  // the team that it hops to did it
	// It goes with a subject that holds one of On (any, if there are none), and
	// none of Not.
	On  []string `yaml:"on"`
	Not []string `yaml:"not"`
}

// goesWith tells whether it could have gone so, after what was said at first.
func (c course) goesWith(subject string) bool {
	subject = strings.ToLower(subject)
	said := func(word string) bool { return strings.Contains(subject, word) }
	return (len(c.On) == 0 || slices.ContainsFunc(c.On, said)) && !slices.ContainsFunc(c.Not, said)
}

// line is one thing said on a ticket, and what it did to it.
type line struct {
	role rune   // A agent, R requester, N internal note; Q, P, S and C see waitsFor
	note string // what is waited for; of R "later": said when it has come
	text string
}

// waitsFor tells what an agent's line makes the ticket wait for.
var waitsFor = map[rune]ticket.Reason{
	'Q': ticket.ForRequester, 'P': ticket.ForPart, 'S': ticket.ForSupplier, 'C': ticket.ForChange,
}

// UnmarshalText reads "A> On my way." and "P(fuser)> I have ordered it."
func (l *line) UnmarshalText(b []byte) error {
	head, text, ok := strings.Cut(string(b), "> ")
	role, note, _ := strings.Cut(strings.TrimSuffix(head, ")"), "(")
	if !ok || len(role) != 1 || !strings.Contains("ARNQPSC", role) {
		return fmt.Errorf("%q does not begin with A>, R>, N> or one of Q(…)>, P(…)>, S(…)>, C(…)>", b)
	}
	l.role, l.note, l.text = rune(role[0]), note, text
	if _, waits := waitsFor[l.role]; waits != (note != "") && (l.role != 'R' || note != "later") {
		return fmt.Errorf("%q: what waits says for what, and nothing else does", b)
	}
	return nil
}

// scenarios are all of them; nobody changes them.
var scenarios = sync.OnceValues(func() ([]scenario, error) {
	files, err := fs.Glob(scenarioFiles, "scenarios/[0-9]*.yaml")
	if err != nil {
		return nil, err
	}
	var all []scenario
	for _, name := range files {
		var some []scenario
		if err := decode(name, &some); err != nil {
			return nil, err
		}
		all = append(all, some...)
	}
	return all, nil
})

func decode(name string, into any) error {
	b, err := scenarioFiles.ReadFile(name)
	if err != nil {
		return err
	}
	if err := yaml.UnmarshalWithOptions(b, into, yaml.Strict()); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return nil
}

// UnmarshalYAML fills in that only the asker is affected and that it can wait
// until the week's end, where a file says nothing.
func (s *scenario) UnmarshalYAML(b []byte) error {
	type bare scenario
	v := bare{Hours: 2}
	if err := yaml.UnmarshalWithOptions(b, &v, yaml.Strict()); err != nil {
		return err
	}
	*s = scenario(v)
	if len(s.Impact) == 0 {
		s.Impact = map[ticket.Impact]float64{ticket.OnlyMe: 1}
	}
	if len(s.Urgency) == 0 {
		s.Urgency = map[ticket.Urgency]float64{ticket.ThisWeek: 1}
	}
	if s.Service == "" || len(s.Asks) == 0 || len(s.Titles) == 0 || len(s.Cases) == 0 {
		return fmt.Errorf("scenario %q lacks a service, asks, titles or cases", s.Name)
	}
	return nil
}

// offDesk are the departments whose people stand at a bench, and what they have
// to do with IT all the same.
var (
	offDesk        = []string{"production", "facilities"}
	offDeskService = []string{"sign-in", "payroll", "shopfloor", "printing", "access", "phones", "security", "files", "other", "erp"}
)

// fits tells whether it could happen to the person.
func (s scenario) fits(p policy.Person) bool {
	if len(s.Who) > 0 && !slices.Contains(s.Who, p.Department) || s.Site != "" && s.Site != p.Site {
		return false
	}
	if slices.Contains(offDesk, p.Department) && len(s.Who) == 0 {
		return !s.Office && slices.Contains(offDeskService, s.Service)
	}
	return true
}

// after are the courses that go with what was said at first; all of them if
// none does.
func (s scenario) after(subject string) []course {
	var fit []course
	for _, c := range s.Cases {
		if c.goesWith(subject) {
			fit = append(fit, c)
		}
	}
	if len(fit) == 0 {
		return s.Cases
	}
	return fit
}

// sendsFar tells whether some courses are for another team only.
func (s scenario) sendsFar() bool {
	return slices.ContainsFunc(s.Cases, func(c course) bool { return c.Far })
}

// expand makes a text out of one with choices and slots. Choices may hold
// slots, not other choices.
func expand(r *rand.Rand, text string, slots map[string]string) string {
	var out strings.Builder
	for {
		before, rest, found := strings.Cut(text, "{")
		out.WriteString(before)
		if !found {
			return strings.TrimSpace(strings.ReplaceAll(out.String(), "  ", " "))
		}
		depth, end := 1, 0
		for end = 0; end < len(rest) && depth > 0; end++ {
			switch rest[end] {
			case '{':
				depth++
			case '}':
				depth--
			}
		}
		inside := rest[:max(0, end-1)]
		text = rest[end:]
		if value, ok := slots[inside]; ok {
			out.WriteString(value)
			continue
		}
		out.WriteString(expand(r, pick(r, strings.Split(inside, "|")), slots))
	}
}

// weighted picks a key with a chance in proportion to its weight; keys says in
// which order, since a map has none and a run must be repeatable.
func weighted[K comparable](r *rand.Rand, keys []K, weight func(K) float64) K {
	var sum float64
	for _, k := range keys {
		sum += weight(k)
	}
	at := r.Float64() * sum
	for _, k := range keys {
		if at -= weight(k); at < 0 {
			return k
		}
	}
	return keys[len(keys)-1]
}
