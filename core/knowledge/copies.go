package knowledge

import (
	"slices"
	"strings"
	"unicode"
)

// Copies finds articles that are there already. The zero value knows none.
type Copies struct {
	text  map[string]string   // a text's words to the name of what has it
	title map[string][]copied // by language and title
}

type copied struct {
	name    string
	shingle map[string]bool
}

// alike is the share of their word triples that articles of one title have in
// common if one is a copy of the other, changed a little perhaps.
const alike = 0.7

// fewest is how many words an answer has that can be a copy by its text alone:
// "See the intranet." is said of many things.
const fewest = 8

// Find is the name under which an article like a was added: with the same
// answer, or the same title and nearly the same answer, in the same language
// for the same readers.
func (c *Copies) Find(a Article) (name string, ok bool) {
	words := wordsOf(a.Answer)
	if name, ok = c.text[key(a, words)]; ok && len(words) >= fewest {
		return name, true
	}
	mine := shingles(words)
	for _, k := range c.title[key(a, wordsOf(a.Title))] {
		both := 0
		for s := range mine {
			if k.shingle[s] {
				both++
			}
		}
		if all := len(mine) + len(k.shingle) - both; all > 0 && float64(both) >= alike*float64(all) {
			return k.name, true
		}
	}
	return "", false
}

// Add makes an article known.
func (c *Copies) Add(a Article, name string) {
	if c.text == nil {
		c.text, c.title = map[string]string{}, map[string][]copied{}
	}
	words := wordsOf(a.Answer)
	if k := key(a, words); c.text[k] == "" {
		c.text[k] = name
	}
	t := key(a, wordsOf(a.Title))
	c.title[t] = append(c.title[t], copied{name, shingles(words)})
}

func key(a Article, words []string) string {
	readers := slices.Clone(a.Audience)
	slices.Sort(readers)
	return strings.Join(readers, ",") + "\x00" + a.Language + "\x00" + strings.Join(words, " ")
}

func wordsOf(markdown string) []string {
	return strings.FieldsFunc(strings.ToLower(Plain(markdown)), func(c rune) bool { return !unicode.IsLetter(c) && !unicode.IsDigit(c) })
}

func shingles(words []string) map[string]bool {
	all := make(map[string]bool, len(words))
	if len(words) < 3 {
		all[strings.Join(words, " ")] = true
	}
	for i := 0; i+3 <= len(words); i++ {
		all[strings.Join(words[i:i+3], " ")] = true
	}
	return all
}
