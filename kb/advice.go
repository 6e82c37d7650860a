package kb

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/deskhand/deskhand/core/knowledge"
)

const (
	// mostChoices is how many articles are put to somebody else's choice, and
	// choiceText how much of each, in characters.
	mostChoices = 10
	choiceText  = 600
)

// Choice is an article that would do for a question, with sentences of it that
// could be its extract, as they stand in it.
type Choice struct {
	Article   knowledge.ArticleID
	Title     string
	Sentences []string
}

// Advice is what somebody else, such as a language model, thinks of the choices
// that a question leaves. It is an opinion and is held to that: [Index.Suggest]
// takes from it an order of articles that it would show itself if there were
// room, and sentences that stand in them; whatever else it says is not heard.
// The zero value is no opinion.
type Advice struct {
	Order     []knowledge.ArticleID // best first; the rest follows as the index has it
	Sentences map[knowledge.ArticleID][]string
}

// Choices are the articles among which somebody else may choose: those of which
// the index would say that they may help, in its order. There are none where
// it finds nothing, or one article only, or is sure by itself.
//
// How sure it is belongs to the article, not to its place. Where it is sure, its
// first article is the right one in 83 % of the questions and another of its ten
// in 11 %: whoever is to put another there would have to be better than that.
// Where it is not, its first is right in 40 % and another of the choices in 29 %,
// so there is something to gain, and "may help" is true in any order. (Measured
// on the questions of README.md, with their past.)
func (x *Index) Choices(ctx context.Context, q Query) (all []Choice, err error) {
	err = x.search(ctx, q, mostChoices, func(s *search) error {
		if s.confidence() != knowledge.Low {
			return nil
		}
		good := slices.DeleteFunc(slices.Clone(s.good()), func(m match) bool { return m.id == 0 })
		if len(good) < 2 {
			return nil
		}
		for _, m := range good {
			c, err := s.choice(m)
			if err != nil {
				return err
			}
			all = append(all, c)
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("choices of articles: %w", err)
	}
	return all, nil
}

// arrange puts articles in the order that is advised; what is found beside them
// keeps its place.
func (a Advice) arrange(ms []match) {
	if len(a.Order) == 0 {
		return
	}
	place := func(m match) int {
		if i := slices.Index(a.Order, m.id); i >= 0 {
			return i
		}
		return len(a.Order)
	}
	var articles []match
	for _, m := range ms {
		if m.id != 0 {
			articles = append(articles, m)
		}
	}
	slices.SortStableFunc(articles, func(a, b match) int { return cmp.Compare(place(a), place(b)) })
	for i := range ms {
		if ms[i].id != 0 {
			ms[i], articles = articles[0], articles[1:]
		}
	}
}

// choice is a match with as many of its sentences as there is room for: its
// first ones, and those from where most of the question is.
func (s *search) choice(m match) (Choice, error) {
	a, err := s.stored(m.id)
	if err != nil {
		return Choice{}, err
	}
	c := Choice{Article: m.id, Title: a.title}
	line, all := sentencesOf(a.symptom, a.answer)
	start := 0
	if utf8.RuneCountInString(line) > choiceText {
		start, _, _ = s.window(line, s.marks(line, a.language))
	}
	for room, i := choiceText, 0; i < len(all); i++ {
		text := line[all[i].from:all[i].to]
		n := utf8.RuneCountInString(text)
		if n > room || all[i].to <= start && room-n < choiceText*2/3 {
			continue
		}
		room -= n
		c.Sentences = append(c.Sentences, text)
	}
	return c, nil
}

// sentence is a stretch of a line.
type sentence struct{ from, to int }

// sentencesOf are those of an article, whose text they cut up in one line, as
// an extract has it.
func sentencesOf(symptom, answer string) (line string, all []sentence) {
	line = oneLine(symptom + "\n" + answer)
	from := 0
	cut := func(to int) {
		rest := strings.TrimLeft(line[from:to], " ·")
		begin := to - len(rest)
		if text := strings.TrimRight(rest, " ·"); text != "" {
			all = append(all, sentence{begin, begin + len(text)})
		}
		from = to
	}
	for i := range len(line) {
		if line[i] == ' ' && sentenceEnds(line[:i]) {
			cut(i)
		}
	}
	if len(answer) <= answerKept-utf8.UTFMax { // else the last one is cut off
		cut(len(line))
	}
	return line, all
}

// quoted is the extract that the sentences make which are advised, in the order
// of the article; "" if none stands in it so. A sentence counts as a whole
// only: half of one can say the opposite.
func quoted(symptom, answer string, advised []string) string {
	want := make(map[string]bool, len(advised))
	for _, text := range advised {
		want[strings.Join(strings.Fields(text), " ")] = true
	}
	line, all := sentencesOf(symptom, answer)
	out, last := "", -1
	for i, at := range all {
		text := line[at.from:at.to]
		if !want[text] {
			continue
		}
		longer := text
		switch {
		case last >= 0 && last == i-1:
			longer = out + line[all[last].to:at.from] + text
		case last >= 0:
			longer = out + " … " + text
		}
		if utf8.RuneCountInString(longer) > extractMost {
			continue
		}
		out, last = longer, i
		delete(want, text) // said twice, it is shown once
	}
	return out
}
