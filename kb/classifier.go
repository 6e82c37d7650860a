package kb

import (
	"cmp"
	"context"
	"hash/maphash"
	"math"
	"math/rand/v2"
	"slices"
	"strings"

	"github.com/deskhand/deskhand/core/knowledge"
)

// classifier tells by its words which class a text is of: logistic regression
// over all classes at once, the weights of a term by TF-IDF. It is made anew as
// evidence grows, always from the same evidence on every process and in the
// same order, so that all give the same answers.
type classifier struct {
	terms    map[string]int32
	rarity   []float32
	weight   []float32 // a row of classes for each term
	bias     []float32
	classes  int
	articles []knowledge.ArticleID // the classes, if they are articles
	places   []int32               // the classes, if they are places of tickets
}

const (
	trainedOn   = 20_000 // past questions that a classifier is made of, the newest
	classesMost = 512    // articles that it knows, the most used
	termsMost   = 30_000 // terms that it knows, the most frequent
)

// sample is a text of known class.
type sample struct {
	bag     []counted
	classes []int32
}

// counted is a term, by its number in a vocabulary or its row in a classifier,
// and how much it counts. Samples have millions of them.
type counted struct {
	term   int32
	weight float32
}

// vocabulary numbers terms.
type vocabulary struct {
	numbers map[string]int32
	terms   []string
}

func (v *vocabulary) number(term string) int32 {
	n, ok := v.numbers[term]
	if !ok {
		if v.numbers == nil {
			v.numbers = map[string]int32{}
		}
		n, term = int32(len(v.terms)), strings.Clone(term) // not the text that it is a part of
		v.numbers[term] = n
		v.terms = append(v.terms, term)
	}
	return n
}

// train makes a classifier of n classes. It takes what the samples share in
// words only, so a term that comes once is left out.
func train(ctx context.Context, samples []sample, v *vocabulary, n, epochs int, rate float64) (*classifier, error) {
	c := &classifier{terms: map[string]int32{}, classes: n, bias: make([]float32, n)}
	with := make([]int, len(v.terms))
	for _, s := range samples {
		for _, t := range s.bag {
			with[t.term]++
		}
	}
	var kept []int32
	for t, n := range with {
		if n > 1 {
			kept = append(kept, int32(t))
		}
	}
	slices.SortFunc(kept, func(a, b int32) int {
		return cmp.Or(cmp.Compare(with[b], with[a]), cmp.Compare(v.terms[a], v.terms[b]))
	})
	kept = kept[:min(len(kept), termsMost)]
	rows := make([]int32, len(v.terms)) // one more than the row, 0: none
	for i, t := range kept {
		c.terms[v.terms[t]] = int32(i)
		rows[t] = int32(i) + 1
		c.rarity = append(c.rarity, float32(math.Log(float64(len(samples))/float64(with[t]))+1))
	}
	c.weight = make([]float32, len(kept)*n)
	for i, s := range samples {
		bag := s.bag[:0]
		for _, t := range s.bag {
			if row := rows[t.term]; row > 0 {
				bag = append(bag, counted{row - 1, t.weight})
			}
		}
		samples[i].bag = slices.Clone(c.weigh(bag))
	}
	score := make([]float32, n)
	order := rand.New(rand.NewPCG(1, 2))
	for epoch := range epochs {
		step := float32(rate * (1 - float64(epoch)/float64(epochs)))
		for k, i := range order.Perm(len(samples)) {
			if k%256 == 0 && ctx.Err() != nil {
				return nil, ctx.Err()
			}
			s := &samples[i]
			c.shares(s.bag, score)
			for class := range score {
				score[class] = -score[class]
			}
			for _, class := range s.classes {
				score[class] += 1 / float32(len(s.classes))
			}
			for class, e := range score {
				if e > -1e-4 && e < 1e-4 {
					score[class] = 0 // nothing to learn here, and most are so
				}
				c.bias[class] += 0.02 * step * score[class]
			}
			for _, t := range s.bag {
				row := c.weight[int(t.term)*n:][:n]
				x := t.weight * step
				for class, e := range score {
					row[class] += x * e
				}
			}
		}
	}
	return c, nil
}

// weigh has rows count by how rare they are, and the whole bag as much as any
// other.
func (c *classifier) weigh(rows []counted) []counted {
	slices.SortFunc(rows, func(a, b counted) int { return cmp.Compare(a.term, b.term) })
	var length float64
	for i := range rows {
		rows[i].weight *= c.rarity[rows[i].term]
		length += float64(rows[i].weight) * float64(rows[i].weight)
	}
	for i := range rows {
		rows[i].weight /= float32(math.Sqrt(length))
	}
	return rows
}

// shares fills score with how likely each class is; they sum up to 1.
func (c *classifier) shares(rows []counted, score []float32) {
	copy(score, c.bias)
	for _, t := range rows {
		row := c.weight[int(t.term)*c.classes:][:c.classes]
		for class := range score {
			score[class] += t.weight * row[class]
		}
	}
	most := slices.Max(score)
	var sum float32
	for class, x := range score {
		score[class] = float32(math.Exp(float64(x - most)))
		sum += score[class]
	}
	for class := range score {
		score[class] /= sum
	}
}

// learned fills in what a classifier of articles makes of the question.
func (c *classifier) learned(s *search) {
	if c.classes == 0 {
		return
	}
	bag := make([]counted, 0, len(s.units))
	for i := range s.units {
		u := &s.units[i]
		if row, ok := c.terms[u.term]; ok {
			n := float64(u.times)
			if u.lead {
				n *= leadTwice
			}
			bag = append(bag, counted{row, float32(n / (n + pastRepeat))})
		}
	}
	share := make([]float32, c.classes)
	c.shares(c.weigh(bag), share)
	var of float32
	for class, id := range c.articles {
		if doc, ok := s.v.number[id]; ok && s.readable.has(doc) {
			of += share[class]
		}
	}
	for class, id := range c.articles {
		if doc, ok := s.v.number[id]; ok && s.readable.has(doc) {
			s.of[learned][doc] = float32(math.Log(1 + 1000*float64(share[class]/of)))
		}
	}
}

// articleSamples are past questions that an article solved, of the articles
// that everybody may read: what others may not know must not be felt in what
// they see.
func (m *memory) articleSamples(open func(knowledge.ArticleID) bool, v *vocabulary) (samples []sample, classes []knowledge.ArticleID) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	from := max(0, len(m.past)-trainedOn)
	times := map[int32]int{}
	var bySlot []int32
	var room [1]link
	for i := range m.past[from:] {
		for _, l := range m.linksOf(uint32(from+i), room[:0]) {
			if at := l.slot(); l.helped() && m.slot[at].request == "" && open(m.slot[at].article) {
				if times[at]++; times[at] == 1 {
					bySlot = append(bySlot, at)
				}
			}
		}
	}
	slices.SortFunc(bySlot, func(a, b int32) int { return cmp.Or(cmp.Compare(times[b], times[a]), cmp.Compare(a, b)) })
	bySlot = bySlot[:min(len(bySlot), classesMost)]
	class := make(map[int32]int32, len(bySlot))
	for i, at := range bySlot {
		class[at] = int32(i)
		classes = append(classes, m.slot[at].article)
	}
	all := make([]sample, len(m.past)-from)
	for i := range all {
		for _, l := range m.linksOf(uint32(from+i), room[:0]) {
			if c, ok := class[l.slot()]; ok && l.helped() {
				all[i].classes = append(all[i].classes, c)
			}
		}
	}
	for term, l := range m.terms {
		number := int32(-1)
		for p := range l.all {
			if int(p.doc()) < from || len(all[int(p.doc())-from].classes) == 0 {
				continue
			}
			if number < 0 {
				number = v.number(term)
			}
			s := &all[int(p.doc())-from]
			s.bag = append(s.bag, counted{number, float32(p.weight())})
		}
	}
	return slices.DeleteFunc(all, func(s sample) bool { return len(s.classes) == 0 }), classes
}

// placeSamples are tickets by where they belonged.
func (m *memory) placeSamples(v *vocabulary) (samples []sample, places []int32) {
	var texts []string
	class := map[int32]int32{}
	m.mu.RLock()
	for i := max(0, len(m.past)-trainedOn); i < len(m.past); i++ {
		text := m.texts[uint32(i)]
		if text == "" || !m.isTicket[i] {
			continue
		}
		place := m.past[i].place
		c, ok := class[place]
		if !ok {
			c = int32(len(places))
			class[place] = c
			places = append(places, place)
		}
		texts, samples = append(texts, text), append(samples, sample{classes: []int32{c}})
	}
	m.mu.RUnlock()
	if len(places) < 2 {
		return nil, nil // there is nothing to tell apart
	}
	// Of half a million terms nine in ten come in one text only, which says nothing.
	// The texts are read twice, so that those take a mark by their hash and no more.
	an, seed := new(analyzer), maphash.MakeSeed()
	mark := func(term string) uint32 { return uint32(maphash.String(seed, term) >> 40) }
	var once, again bitset
	for _, text := range texts {
		for term := range wholeBag(an, text) {
			if at := mark(term); once.has(at) {
				again.add(at)
			} else {
				once.add(at)
			}
		}
	}
	var bag []counted
	for i, text := range texts {
		bag = bag[:0]
		for term, n := range wholeBag(an, text) {
			if again.has(mark(term)) {
				bag = append(bag, counted{v.number(term), weightOfTimes(n)})
			}
		}
		samples[i].bag = slices.Clone(bag)
	}
	return samples, places
}

// wholeBag is all that a text says, and how often: its words, small ones too,
// neighbours, pieces of words, and the words of its first line apart.
func wholeBag(an *analyzer, text string) map[string]float64 {
	times := make(map[string]float64, 256)
	text = readPart(text)
	lead := leadOf(text)
	words := an.words(text, "en", nil)
	for i, w := range words {
		times[w.term]++
		if w.start < lead {
			times["^ "+w.term]++
		}
		if i > 0 && (words[i-1].start < lead) == (w.start < lead) {
			times[words[i-1].term+" "+w.term]++
		}
		if !w.stop {
			eachGram(w.term, func(g string) { times["~"+g] += 0.5 })
		}
	}
	return times
}

func weightOfTimes(n float64) float32 { return float32(1 + math.Log(max(n, 0.5))) }
