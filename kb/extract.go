package kb

import (
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/deskhand/deskhand/core/knowledge"
)

// An extract is as long as two lines in a chat window.
const extractMost = 200 // characters

// mark is a place in a text that speaks of a unit of the question.
type mark struct {
	start, end int
	unit       int
}

// extract is the part of an article that says most of what the question says:
// whole sentences where they fit, of the symptom rather than of the answer.
func (s *search) extract(symptom, answer, language string) []knowledge.Span {
	best, bestMarks, most := "", []mark(nil), -1.0
	enough := 0.0 // to leave the answer unread
	for i := range s.units {
		enough += s.units[i].rarity / 3
	}
	for _, text := range []string{symptom, answer} {
		if text = oneLine(text); text == "" || most >= enough {
			continue
		}
		marks := s.marks(text, language)
		start, end, said := s.window(text, marks)
		if said > most*1.5 || most < 0 {
			most, best = said, text[start:end]
			bestMarks = bestMarks[:0]
			for _, m := range marks {
				if m.start >= start && m.end <= end {
					bestMarks = append(bestMarks, mark{m.start - start, m.end - start, m.unit})
				}
			}
			if start > 0 && !sentenceEnds(text[:start]) {
				best = "… " + best
				for i := range bestMarks {
					bestMarks[i].start += len("… ")
					bestMarks[i].end += len("… ")
				}
			}
			if end < len(text) && !sentenceEnds(text[:end]) {
				best += " …"
			}
		}
	}
	return spans(best, bestMarks)
}

// oneLine joins the lines of a text; steps without a full stop stay apart.
func oneLine(s string) string {
	var b strings.Builder
	for line := range strings.Lines(s) {
		if line = strings.Join(strings.Fields(line), " "); line == "" {
			continue
		}
		switch {
		case b.Len() == 0:
		case sentenceEnds(b.String()):
			b.WriteByte(' ')
		default:
			b.WriteString(" · ")
		}
		b.WriteString(line)
	}
	return b.String()
}

// marks finds the question in a text.
func (s *search) marks(text, language string) []mark {
	s.words = s.an.words(text, language, s.words[:0])
	var marks []mark
	for i := 0; i < len(s.words); {
		concept, n := s.synonyms.at(s.words[i:])
		term := s.words[i].term
		j := slices.IndexFunc(s.units, func(u unit) bool {
			return n > 0 && u.concept == concept || u.term == term
		})
		n = max(n, 1)
		if j >= 0 {
			marks = append(marks, mark{s.words[i].start, s.words[i+n-1].end, j})
		}
		i += n
	}
	return marks
}

// window is the stretch of at most extractMost characters that says most: it
// begins with a sentence, or, where a sentence is longer, with a word.
func (s *search) window(text string, marks []mark) (start, end int, said float64) {
	said = -1
	first := 0 // mark at or after from
	for _, from := range starts(text, marks) {
		for first < len(marks) && marks[first].start < from {
			first++
		}
		to := reach(text, from)
		var seen uint64
		sum := 0.0
		for _, m := range marks[first:] {
			if m.end > to {
				break
			}
			if seen&(1<<m.unit) == 0 {
				seen |= 1 << m.unit
				sum += s.units[m.unit].rarity
			}
		}
		if sum > said {
			start, end, said = from, to, sum
		}
	}
	return start, end, said
}

// starts are the places where a window may begin: each sentence that a mark
// is in, and a little before a mark that is far into its sentence.
func starts(text string, marks []mark) []int {
	out := []int{0}
	sentence, next := 0, 0
	for _, m := range marks {
		for next < m.start {
			if sentenceEnds(text[:next]) && next > 0 {
				sentence = next
				for sentence < len(text) && text[sentence] == ' ' {
					sentence++
				}
			}
			_, size := utf8.DecodeRuneInString(text[next:])
			next += size
		}
		from := sentence
		if m.end-from > extractMost*3/4 {
			from = m.start
			for words := 0; words < 6 && from > sentence; {
				from--
				if from == sentence || text[from-1] == ' ' {
					words++
				}
			}
		}
		if from != out[len(out)-1] {
			out = append(out, from)
		}
	}
	return out
}

// sentenceEnds tells whether s ends with a sentence; it is asked at spaces
// only, so the points in 10.0.0.1 end none.
func sentenceEnds(s string) bool {
	s = strings.TrimRight(s, " ")
	if s == "" {
		return true
	}
	r, _ := utf8.DecodeLastRuneInString(s)
	return strings.ContainsRune(".!?:·。！？", r)
}

// reach is where a window ends that begins at from: with the last sentence
// that fits, or else with the last word.
func reach(text string, from int) int {
	sentence, word, n := from, from, 0
	for i, r := range text[from:] {
		at := from + i
		if n == extractMost-2 { // room for the dots
			if sentence > from+i/2 {
				return sentence
			}
			if word > from {
				return word
			}
			return at
		}
		n++
		if r == ' ' {
			word = at
			if sentenceEnds(text[from:word]) {
				sentence = word
			}
		}
	}
	return len(text)
}

// spans cuts text at its marks.
func spans(text string, marks []mark) []knowledge.Span {
	var out []knowledge.Span
	at := 0
	for i := 0; i < len(marks); {
		start, end := marks[i].start, marks[i].end
		for i++; i < len(marks) && text[end:marks[i].start] == " "; i++ {
			end = marks[i].end // neighbours are bold as one
		}
		if start > at {
			out = append(out, knowledge.Span{Text: text[at:start]})
		}
		out = append(out, knowledge.Span{Text: text[start:end], Bold: true})
		at = end
	}
	if at < len(text) {
		out = append(out, knowledge.Span{Text: text[at:]})
	}
	return out
}
