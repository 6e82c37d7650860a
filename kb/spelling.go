package kb

import (
	"cmp"
	"context"
	"math/bits"
	"slices"
	"strings"
	"unicode/utf8"

	index "github.com/blevesearch/bleve_index_api"
)

// spelled is a word of the index, ready to be compared.
type spelled struct {
	term    string
	letters uint32 // which letters of a to z it has
}

func lettersOf(term string) (set uint32) {
	for i := range len(term) {
		if c := term[i] - 'a'; c < 26 {
			set |= 1 << c
		}
	}
	return set
}

// words are the terms of the snapshot that r reads, by audience and in order.
// They are read once, when the first slip of the pen needs them: a scan of the
// words with the same first letter takes about 10 µs, where Bleve builds an
// automaton for each misspelt word first, in some 200 µs.
func (v *view) words(r index.IndexReader) (map[string][]spelled, error) {
	v.spelling.Do(func() {
		v.vocabulary = make(map[string][]spelled)
		dict, err := r.FieldDict(wordsField)
		if err != nil {
			v.unreadable = err
			return
		}
		defer dict.Close()
		for {
			e, err := dict.Next()
			if e == nil || err != nil {
				v.unreadable = err
				return
			}
			key, term := "", e.Term
			if strings.HasPrefix(term, audienceStarts) {
				end := strings.Index(term, audienceEnds) + len(audienceEnds)
				key, term = term[:end], term[end:]
			}
			if meantByOthers(term) {
				v.vocabulary[strings.Clone(key)] = append(v.vocabulary[key], spelled{strings.Clone(term), lettersOf(term)})
			}
		}
	})
	return v.vocabulary, v.unreadable
}

const shortestRespelled = 4

// meantByOthers tells whether a term may be what a misspelt word meant.
func meantByOthers(term string) bool {
	return len(term) >= shortestRespelled-1 && !digit(term[0]) && term[0] != '~'
}

// respell looks for the word that was meant by one that no readable article
// has: one slip away, two in a long word, the first letter right. Of several
// the nearest counts, then the most used.
func (s *search) respell(ctx context.Context, u *unit) error {
	wrong := u.term
	length := utf8.RuneCountInString(wrong)
	if length < shortestRespelled || digit(wrong[0]) {
		return nil
	}
	slips := 1
	if length >= 8 {
		slips = 2
	}
	words, err := s.v.words(s.r)
	if err != nil {
		return err
	}
	_, size := utf8.DecodeRuneInString(wrong)
	first, letters := wrong[:size], lettersOf(wrong)
	all := make([][]spelled, 0, 4)
	for _, key := range s.audiences {
		all = append(all, words[key])
	}
	for _, of := range s.ofThem {
		for _, o := range of {
			all = append(all, o.words)
		}
	}
	for _, words := range all {
		from, _ := slices.BinarySearchFunc(words, first, func(w spelled, t string) int { return cmp.Compare(w.term, t) })
		for _, w := range words[from:] {
			if !strings.HasPrefix(w.term, first) {
				break
			}
			// A slip changes at most two of the letters that there are.
			if bits.OnesCount32(w.letters^letters) > 2*slips || !near(w.term, wrong, slips) {
				continue
			}
			d := slips
			if slips == 2 && near(w.term, wrong, 1) {
				d = 1
			}
			mark, aside := len(s.postings), len(s.aside)
			list, err := s.list(ctx, wordsField, w.term)
			if err != nil {
				return err
			}
			if n := list.len(); n > 0 && (d < slips || n > u.exact.len() || n == u.exact.len() && w.term < u.term) {
				slips = d
				u.term, u.exact = w.term, list
			} else {
				s.postings, s.aside = s.postings[:mark], s.aside[:aside]
			}
		}
	}
	if u.exact.len() > 0 {
		u.sure = 0.7
		u.concept = s.synonyms.of(u.term)
	}
	return nil
}

// near tells whether a becomes b by at most slips of: a letter too many, a
// letter missing, a wrong letter, two neighbours swapped.
func near(a, b string, slips int) bool {
	for len(a) > 0 && len(b) > 0 {
		x, n := utf8.DecodeRuneInString(a)
		y, m := utf8.DecodeRuneInString(b)
		if x != y {
			if slips == 0 {
				return false
			}
			x2, n2 := utf8.DecodeRuneInString(a[n:])
			y2, m2 := utf8.DecodeRuneInString(b[m:])
			return near(a[n:], b[m:], slips-1) || near(a[n:], b, slips-1) || near(a, b[m:], slips-1) ||
				x == y2 && y == x2 && near(a[n+n2:], b[m+m2:], slips-1)
		}
		a, b = a[n:], b[m:]
	}
	return utf8.RuneCountInString(a)+utf8.RuneCountInString(b) <= slips
}
