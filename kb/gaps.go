package kb

import (
	"cmp"
	"math"
	"slices"
	"strings"
)

// Gap is a group of questions that are about the same.
type Gap struct {
	Name string // its commonest words, as people write them; the question itself if it is alone
	Of   []int  // places of the questions, in their order
}

const (
	// gapAlike is how much two groups must have in common to be one, 0 to 1.
	gapAlike = 0.45
	// gapWords are the most words of a name.
	gapWords = 4
	// gapName, in bytes, is how long the name of a single question gets.
	gapName = 70
)

// asked is a question on its way into a group.
type asked struct {
	terms map[string]float64 // weight by term or concept
	parts []asking
}

type asking struct{ key, text string }

// Group puts questions together that say the same in other words, the largest
// group first. It reads words as the search does, synonyms included.
func (x *Index) Group(questions []string) []Gap {
	an := analyzers.Get().(*analyzer)
	defer analyzers.Put(an)
	all := make([]asked, len(questions))
	have := map[string]int{} // questions by term
	for i, text := range questions {
		all[i] = x.asked(an, text)
		for t := range all[i].terms {
			have[t]++
		}
	}
	n := float64(len(questions))
	var gaps []cluster
	lists := map[string][]int{} // groups by term, to look only at those that share one
	for i, q := range all {
		for t := range q.terms {
			q.terms[t] *= math.Log(1 + n/float64(have[t]))
		}
		normalise(q.terms)
		best, most := -1, gapAlike
		like := map[int]float64{}
		for t, w := range q.terms {
			for _, g := range lists[t] {
				like[g] += w * gaps[g].sum[t]
			}
		}
		for g, dot := range like {
			if s := dot / math.Sqrt(gaps[g].square); s > most || s == most && g < best {
				best, most = g, s
			}
		}
		if best < 0 {
			best = len(gaps)
			gaps = append(gaps, cluster{sum: map[string]float64{}})
		}
		for t, w := range q.terms {
			if _, had := gaps[best].sum[t]; !had {
				lists[t] = append(lists[t], best)
			}
			gaps[best].square += w * (w + 2*gaps[best].sum[t])
			gaps[best].sum[t] += w
		}
		gaps[best].of = append(gaps[best].of, i)
	}
	out := make([]Gap, len(gaps))
	for i, g := range gaps {
		out[i] = Gap{Name: nameOf(g.of, all, questions), Of: g.of}
	}
	slices.SortStableFunc(out, func(a, b Gap) int { return cmp.Compare(len(b.Of), len(a.Of)) })
	return out
}

// cluster is a group that grows: the sum of its questions' weights and the
// square of its length.
type cluster struct {
	of     []int
	sum    map[string]float64
	square float64
}

func normalise(terms map[string]float64) {
	var square float64
	for _, w := range terms {
		square += w * w
	}
	for t := range terms {
		terms[t] /= math.Sqrt(square)
	}
}

// asked reads a question. That something is amiss is no topic, but belongs to
// the name.
func (x *Index) asked(an *analyzer, text string) asked {
	text = readPart(text)
	q := asked{terms: map[string]float64{}}
	words, means := an.words(text, "en", nil), x.means()
	for i := 0; i < len(words); {
		w := words[i]
		key, n := means.at(words[i:])
		switch {
		case n == 0 && w.stop:
			i++
			continue
		case n == 0:
			key, n = w.term, 1
		}
		weight := 1.0
		if key == complaint {
			weight = 0.15
		}
		q.terms[key] = max(q.terms[key], weight)
		q.parts = append(q.parts, asking{key, strings.ToLower(text[w.start:words[i+n-1].end])})
		i += n
	}
	return q
}

// nameOf is what a group is called: the words that most of it has, in the
// order in which they are said.
func nameOf(of []int, all []asked, questions []string) string {
	if len(of) == 1 {
		return shorter(questions[of[0]])
	}
	type use struct {
		n     int
		place float64
		forms map[string]int
	}
	uses := map[string]*use{}
	for _, i := range of {
		seen := map[string]bool{}
		for at, p := range all[i].parts {
			if seen[p.key] {
				continue
			}
			seen[p.key] = true
			u := uses[p.key]
			if u == nil {
				u = &use{forms: map[string]int{}}
				uses[p.key] = u
			}
			u.n++
			u.place += float64(at) / float64(len(all[i].parts))
			u.forms[p.text]++
		}
	}
	var keys []string
	for k, u := range uses {
		if 2*u.n > len(of) {
			keys = append(keys, k)
		}
	}
	slices.SortFunc(keys, func(a, b string) int { return cmp.Or(cmp.Compare(uses[b].n, uses[a].n), cmp.Compare(a, b)) })
	keys = keys[:min(len(keys), gapWords)]
	slices.SortFunc(keys, func(a, b string) int {
		return cmp.Or(cmp.Compare(uses[a].place/float64(uses[a].n), uses[b].place/float64(uses[b].n)), cmp.Compare(a, b))
	})
	var names []string
	for _, k := range keys {
		best := ""
		for form, n := range uses[k].forms {
			if m := uses[k].forms[best]; n > m || n == m && form < best {
				best = form
			}
		}
		names = append(names, best)
	}
	if len(names) == 0 {
		return shorter(questions[of[0]])
	}
	return strings.Join(names, " ")
}

func shorter(text string) string {
	text = strings.Join(strings.Fields(text), " ")
	if len(text) <= gapName {
		return text
	}
	cut := strings.ToValidUTF8(text[:gapName], "")
	if i := strings.LastIndexByte(cut, ' '); i > gapName/2 {
		cut = cut[:i]
	}
	return cut + "…"
}

// Alike tells whether two questions are about the same.
func (x *Index) Alike(a, b string) bool { return len(x.Group([]string{a, b})) == 1 }
