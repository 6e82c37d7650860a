package kb

import (
	"math"
	"slices"
	"sort"
	"strings"
	"sync"
	"time"

	"github.com/deskhand/deskhand/core/knowledge"
)

// memory is what was asked in the past and what came of it. It is kept in
// memory alone, in the order in which it was learnt, and filled again from the
// record at the start: a word of a new question is a list away from all that
// was ever asked with it. 500,000 questions of 60 words take some 100 MB.
type memory struct {
	most int // past questions, the newest; older ones are forgotten

	mu       sync.RWMutex
	seq      int64
	known    map[knowledge.PastID]uint32
	past     []past
	isTicket []bool            // whether a past question is a ticket that counts,
	isOpen   []bool            // and is not solved
	link     []link            // the first of a past question, noLink for none; and several
	links    map[uint32][]link // all of them, where they are several
	texts    map[uint32]string // of the newest tickets, to be trained on
	terms    map[string]*list  // which past questions have which term
	slots    map[knowledge.ArticleID]int32
	asked    map[string]int32 // the same of what can be requested, by slug
	slot     []slot

	places  []knowledge.Place // of tickets
	said    *classifier       // by which words articles were found; nil until trained
	where   *classifier       // by which words tickets belong where
	due     int64             // seq up to which they were trained,
	trained int               // and on how many past questions
}

// past is a question or a ticket.
type past struct {
	id    knowledge.PastID
	at    uint32 // seconds since 1970, until 2106
	place int32  // of a ticket, in places
}

// link is what came of an article for a past question: a slot, and below it
// whether it helped.
type link int32

const (
	noLink link = -1
	// several is added to the first link where there are more. The others are then
	// looked at, which takes a hundred times as long.
	several link = 1 << 30
)

func (l link) slot() int32  { return int32(l&^several) >> 1 }
func (l link) helped() bool { return l&1 == 1 }

// slot is an article, or what can be requested, that there is evidence of.
type slot struct {
	article knowledge.ArticleID
	request string    // slug
	solved  [3]fading // without end, by the month, by the season
}

// fading is a count that halves with time. It is kept as what it would have
// been worth at the beginning of 2020, so that one factor brings all of them
// to a moment.
type fading struct {
	n    float64
	last int64
}

var fadingFrom = time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC).Unix()

func faded(at int64, half float64) float64 { return math.Exp2(float64(fadingFrom-at) / half) }

// halves are how fast the counts of a slot fade.
var halves = [3]float64{math.Inf(1), days(30), days(120)}

func days(n float64) float64 { return n * 24 * 60 * 60 }

func (f *fading) add(n float64, at int64, half float64) {
	f.n += n / faded(at, half)
	f.last = max(f.last, at)
}

// now is what is left at a moment, of which faded(at, half) is told. What came
// after it counts as if it came then.
func (f *fading) now(at int64, half, left float64) float64 {
	if f.last > at {
		left = faded(f.last, half)
	}
	return f.n * left
}

const (
	pastUsual    = 70   // words of a question, beyond which each counts for less
	pastSolved   = 200  // and of a ticket with how it was solved
	pastLength   = 0.6  // 0: a word counts the same in a long text, 1: in proportion
	pastRepeat   = 1.2  // the count at which a word counts half of what it can
	solvedRepeat = 4.2  // the same where it was talked about until it was solved
	leadTwice    = 2    // words of the first line count so many times
	notHelped    = -0.5 // what a "no" counts beside a "solved it"
)

func newMemory(most int) *memory {
	return &memory{most: most, known: map[knowledge.PastID]uint32{}, links: map[uint32][]link{}, texts: map[uint32]string{}, terms: map[string]*list{},
		slots: map[knowledge.ArticleID]int32{}, asked: map[string]int32{}}
}

// learn takes in evidence.
func (m *memory) learn(all []knowledge.Evidence, seq int64) {
	texts := make([]map[string]float64, len(all)) // worked out before anybody waits
	an := analyzers.Get().(*analyzer)
	for i, e := range all {
		if !e.Undone {
			texts[i] = pastTerms(an, e.Text+"\n"+e.Resolution)
		}
	}
	analyzers.Put(an)

	for len(all) > atOnce {
		m.takeAll(all[:atOnce], texts[:atOnce], all[atOnce-1].Seq)
		all, texts = all[atOnce:], texts[atOnce:]
	}
	m.takeAll(all, texts, seq)
}

// atOnce is how much evidence is taken in while questions wait.
const atOnce = 64

func (m *memory) takeAll(all []knowledge.Evidence, texts []map[string]float64, seq int64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for i, e := range all {
		m.take(e, texts[i])
	}
	m.seq = max(m.seq, seq)
	if len(m.past) > m.most+m.most/8 {
		m.forget(len(m.past) - m.most)
	}
}

// pastTerms are the words of a past question and how often they count.
func pastTerms(an *analyzer, text string) map[string]float64 {
	text = readPart(text)
	lead := leadOf(text)
	terms := make(map[string]float64, 64)
	language, _ := an.languageOf(text)
	for _, w := range an.words(text, language, nil) {
		switch {
		case w.stop:
		case w.start < lead:
			terms[w.term] += leadTwice
		default:
			terms[w.term]++
		}
	}
	return terms
}

func (m *memory) take(e knowledge.Evidence, terms map[string]float64) {
	number, ok := m.known[e.Past]
	if ok && m.isOpen[number] && !e.Open {
		m.isTicket[number], m.isOpen[number] = false, false // it is solved now, and another text
		delete(m.texts, number)
		ok = false
	}
	if !ok {
		if e.Undone {
			return
		}
		number = uint32(len(m.past))
		m.known[e.Past] = number
		m.past = append(m.past, past{id: e.Past, at: uint32(max(0, e.At.Unix()))})
		m.isTicket, m.isOpen, m.link = append(m.isTicket, false), append(m.isOpen, false), append(m.link, noLink)
		if e.Past.Ticket() != 0 {
			m.texts[number] = strings.Clone(readPart(e.Text)) // not what is left of it
		}
		if number >= trainedOn {
			delete(m.texts, number-trainedOn)
		}
		length := 0.0
		for _, n := range terms {
			length += n
		}
		usual, repeat := float64(pastUsual), pastRepeat
		if e.Resolution != "" {
			usual, repeat = pastSolved, solvedRepeat
		}
		k := repeat * (1 - pastLength + pastLength*length/usual)
		for t, n := range terms {
			l, ok := m.terms[t]
			if !ok {
				l = new(list)
				m.terms[strings.Clone(t)] = l // not the text that it is a part of
			}
			l.add(newPosting(uint64(number), uint64(math.Round(fullWeight*n/(n+k)))))
		}
	}
	links := slices.Clone(m.linksOf(number, nil))
	if e.Past.Ticket() != 0 {
		m.past[number].place = m.placed(e.Place)
		m.isTicket[number], m.isOpen[number] = !e.Undone, e.Open
		// A ticket was solved with one article, or with none.
		for _, l := range links {
			m.count(number, l, -1)
		}
		links = links[:0]
	}
	if e.Article != 0 || e.Request != "" {
		links = m.linked(number, links, e)
	}
	delete(m.links, number)
	switch m.link[number] = noLink; len(links) {
	case 0:
	case 1:
		m.link[number] = links[0]
	default:
		m.link[number] = links[0] | several
		m.links[number] = links
	}
}

// linksOf is what came of articles for a past question; room is for one of them.
func (m *memory) linksOf(number uint32, room []link) []link {
	switch l := m.link[number]; {
	case l == noLink:
		return nil
	case l&several != 0:
		return m.links[number]
	default:
		return append(room, l)
	}
}

// placed is the number of a place.
func (m *memory) placed(p knowledge.Place) int32 {
	if i := slices.Index(m.places, p); i >= 0 {
		return int32(i)
	}
	m.places = append(m.places, p)
	return int32(len(m.places) - 1)
}

// linked is links with what came of an article, in the place of what was said
// before.
func (m *memory) linked(number uint32, links []link, e knowledge.Evidence) []link {
	at, ok := m.slots[e.Article]
	if e.Request != "" {
		at, ok = m.asked[e.Request]
	}
	if !ok {
		if at = int32(len(m.slot)); e.Request != "" {
			m.asked[e.Request] = at
		} else {
			m.slots[e.Article] = at
		}
		m.slot = append(m.slot, slot{article: e.Article, request: e.Request})
	}
	if i := slices.IndexFunc(links, func(l link) bool { return l.slot() == at }); i >= 0 {
		m.count(number, links[i], -1)
		links = slices.Delete(links, i, i+1)
	}
	if !e.Undone {
		l := link(at << 1)
		if e.Helped {
			l++
		}
		m.count(number, l, 1)
		links = append(links, l)
	}
	return links
}

// count adds to how often an article, or what can be requested, has helped.
func (m *memory) count(number uint32, l link, n float64) {
	if !l.helped() {
		return
	}
	s := &m.slot[l.slot()]
	for i := range s.solved {
		s.solved[i].add(n, int64(m.past[number].at), halves[i])
	}
}

// forget drops the n oldest past questions.
func (m *memory) forget(n int) {
	from := uint32(n)
	for number := range from {
		for _, l := range m.linksOf(number, nil) {
			m.count(number, l, -1)
		}
		if id := m.past[number].id; m.known[id] == number { // else it was solved later, and is another
			delete(m.known, id)
		}
	}
	m.trained = max(0, m.trained-n)
	m.past, m.link = slices.Clone(m.past[n:]), slices.Clone(m.link[n:])
	m.isTicket, m.isOpen = slices.Clone(m.isTicket[n:]), slices.Clone(m.isOpen[n:])
	m.links, m.texts = after(m.links, from), after(m.texts, from)
	for id, number := range m.known {
		m.known[id] = number - from
	}
	for t, l := range m.terms {
		if l.last < from {
			delete(m.terms, t)
		} else {
			m.terms[t] = l.after(from)
		}
	}
}

// after is what is known of past questions without those below from, which the
// others lose.
func after[T any](of map[uint32]T, from uint32) map[uint32]T {
	kept := make(map[uint32]T)
	for number, x := range of {
		if number >= from {
			kept[number-from] = x
		}
	}
	return kept
}

// neighbour is a past question and how much a question is like it, 0 to 1.
type neighbour struct {
	number uint32
	like   float32
}

// remember fills in what the past has to say and returns how many solved
// questions it knows. Only questions that were solved with what the asker may
// read are looked at, and only they are counted.
func (s *search) remember(q Query) (known float64) {
	m := s.memory
	m.mu.RLock()
	defer m.mu.RUnlock()
	at := q.At
	if at.IsZero() {
		at = time.Now()
	}
	now := at.Unix()

	s.docOf = s.docOf[:0] // by slot: the document, -1 for one that the asker may not read
	s.past.at = now
	s.past.left = [3]float64{faded(now, halves[0]), faded(now, halves[1]), faded(now, halves[2])}
	s.past.total = [3]float64{}
	for i, doc := range s.v.ofSlots(m.slot) {
		if request := m.slot[i].request; request != "" {
			doc = s.requestOf(request)
		} else if doc >= 0 && !s.readable.has(uint32(doc)) {
			doc = -1
		}
		if doc < 0 {
			s.docOf = append(s.docOf, -1)
			continue
		}
		s.docOf = append(s.docOf, doc)
		for j := range halves {
			s.past.total[j] += m.slot[i].solved[j].now(now, halves[j], s.past.left[j])
		}
	}
	if known = s.past.total[0]; known < 0.5 {
		return 0
	}
	counts, of := s.counted(len(m.past)), 0
	for number, l := range m.link {
		if counts[number] = l != noLink && (s.docOf[l.slot()] >= 0 || l&several != 0 && m.others(s, uint32(number))); counts[number] {
			of++
		}
	}
	m.alike(s, mostNear, counts, of)
	m.vote(s, now)
	if m.said != nil {
		m.said.learned(s)
	}
	return known
}

// used fills in how often the matches helped; only those are asked for it.
func (s *search) used() {
	m := s.memory
	m.mu.RLock()
	defer m.mu.RUnlock()
	for i := range s.matches {
		var (
			slot int32
			ok   bool
		)
		switch t := s.thing(s.matches[i].doc); {
		case t == nil:
			slot, ok = m.slots[s.v.ids[s.matches[i].doc]]
		case t.request != nil:
			slot, ok = m.asked[t.request.Slug]
		}
		if !ok {
			continue
		}
		for j, f := range []feature{popular, monthly, seasonal} {
			n := m.slot[slot].solved[j].now(s.past.at, halves[j], s.past.left[j])
			s.matches[i].features[f] = float32(math.Log(1 + 1000*max(0, n)/(s.past.total[j]+1e-3)))
		}
	}
}

// others tells whether a question was also solved with something that the
// asker may read.
func (m *memory) others(s *search, number uint32) bool {
	return slices.ContainsFunc(m.links[number], func(l link) bool { return s.docOf[l.slot()] >= 0 })
}

const (
	mostNear  = 300 // past questions that are looked at
	alikeFrom = 0.4 // what a past question has in common with the new one beside the nearest, to be called similar
)

// alike fills in the past questions that are most like the one that s is about,
// nearest first, at most most, of those that count, which are of.
func (m *memory) alike(s *search, most int, counts []bool, of int) {
	s.near = s.near[:0]
	if of == 0 {
		return
	}
	s.like = grown(s.like, len(m.past))
	like := s.like[:len(m.past)]
	defer clear(like)
	all := of == len(m.past)
	of = max(of, 100) // as in rarity
	said := 0.0
	for i := range s.units {
		u := &s.units[i]
		if u.term == "" {
			continue
		}
		l, ok := m.terms[u.term]
		if !ok {
			l = new(list)
		}
		with := int(l.n)
		if !all {
			with = 0
			for p := range l.all {
				if counts[p.doc()] {
					with++
				}
			}
		}
		n := float64(u.times)
		if u.lead {
			n *= leadTwice
		}
		x := u.says * math.Pow(n, repeated) * math.Log(1+(float64(of-with)+0.5)/(float64(with)+0.5))
		if with > 0 {
			said += x
		} else {
			said += x * unheardOf
		}
		weighs := weighing64(x)
		for p := range l.all {
			like[p.doc()] += weighs[p&fullWeight]
		}
	}
	floor := float32(0)
	for number, x := range like {
		if x <= floor || !counts[number] {
			continue
		}
		i := sort.Search(len(s.near), func(i int) bool { return s.near[i].like < x })
		if len(s.near) == most {
			s.near = s.near[:most-1]
		}
		s.near = slices.Insert(s.near, i, neighbour{uint32(number), x})
		if len(s.near) == most {
			floor = s.near[most-1].like
		}
	}
	for i := range s.near {
		s.near[i].like /= float32(said)
	}
}

// counted is room for what counts of n past questions.
func (s *search) counted(n int) []bool {
	if len(s.counts) < n {
		s.counts = make([]bool, n+n/8)
	}
	return s.counts[:n]
}

// weighing64 is what each weight of a posting makes of x.
func weighing64(x float64) (of [fullWeight + 1]float32) {
	for w := range of {
		of[w] = float32(x * posting(w).weight())
	}
	return of
}

// vote lets the nearest past questions vote for what solved them.
func (m *memory) vote(s *search, now int64) {
	var of10, of50, fresh50, of300 float64
	s.voted = s.voted[:0] // documents that some voted for
	var room [1]link
	for i, n := range s.near {
		vote := math.Pow(float64(n.like), 3)
		fresh := vote * math.Exp2(-float64(max(0, now-int64(m.past[n.number].at)))/days(60))
		if of300 += vote; i < 50 {
			of50, fresh50 = of50+vote, fresh50+fresh
		}
		if i < 10 {
			of10 += vote
		}
		for _, l := range m.linksOf(n.number, room[:0]) {
			doc := s.docOf[l.slot()]
			if doc < 0 {
				continue
			}
			if !slices.Contains(s.voted, uint32(doc)) {
				s.voted = append(s.voted, uint32(doc))
			}
			x, y := vote, fresh
			if l.helped() {
				if n.like >= alikeFrom*s.near[0].like {
					s.solved[uint32(doc)]++
				}
				s.of[nearest][doc] = max(s.of[nearest][doc], n.like)
			} else {
				x, y = x*notHelped, y*notHelped
			}
			if s.of[votes300][doc] += float32(x); i < 50 {
				s.of[votes50][doc] += float32(x)
				s.of[recent50][doc] += float32(y)
			}
			if i < 10 {
				s.of[votes10][doc] += float32(x)
			}
		}
	}
	for _, doc := range s.voted {
		share := func(f feature, of float64) {
			if of > 0 {
				s.of[f][doc] = float32(math.Log(1 + 100*max(0, float64(s.of[f][doc])/of)))
			}
		}
		share(votes10, of10)
		share(votes50, of50)
		share(recent50, fresh50)
		share(votes300, of300)
	}
}
