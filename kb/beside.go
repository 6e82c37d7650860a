package kb

import (
	"cmp"
	"context"
	"math"
	"slices"
	"strings"

	"github.com/deskhand/deskhand/core/knowledge"
)

// beside is what is found beside articles: what can be requested, or what is
// down. It is little, changes at once and is no article's business, so it is
// not in Bleve: it is read by the same analyzer, has the same fields with the
// same weights, and its documents are numbered after those of the articles.
type beside struct {
	things []thing
	of     []some // by audience
	lists  map[fieldTerm][]posting
}

// some are those for one audience.
type some struct {
	key    string
	n      int
	german bool      // one of them is
	words  []spelled // in order; of what can be requested alone
}

// thing is one of them, a request or an outage.
type thing struct {
	request  *knowledge.Request
	outage   *knowledge.Outage
	audience string // key
}

func newBeside(things []thing, s *synonyms) *beside {
	b := &beside{things: things, lists: make(map[fieldTerm][]posting)}
	var an analyzer
	for i := range things {
		t := &things[i]
		text := articleText{parts: t.parts(), audience: t.audience, synonyms: s}
		text.language, _ = an.languageOf(strings.Join(text.parts[:2], "\n"))
		text.analyze()
		at := slices.IndexFunc(b.of, func(o some) bool { return o.key == t.audience })
		if at < 0 {
			at = len(b.of)
			b.of = append(b.of, some{key: t.audience})
		}
		b.of[at].n++
		b.of[at].german = b.of[at].german || text.language == "de"
		for _, field := range []string{wordsField, bodyField, nameField, gramsField} {
			for term, f := range text.fields[field] {
				at := fieldTerm{field, term}
				b.lists[at] = append(b.lists[at], newPosting(uint64(i), uint64(f.Frequency())))
			}
		}
	}
	return b
}

// parts are those of an article. An answer says once more what its title says,
// so all words stand in its place too.
func (t *thing) parts() [6]string {
	if r := t.request; r != nil {
		words := strings.Join(r.Words, "\n")
		return [6]string{r.Name, words, "", r.Name + "\n" + words + "\n" + r.Description, "", ""}
	}
	o := t.outage
	words := strings.Join(o.Words, "\n")
	return [6]string{o.What, o.Reported, words, o.What + "\n" + o.Reported + "\n" + words, "", ""}
}

// SetRequests says what can be requested, from the next question on. It may be
// told so as often as one likes: nobody waits for what is known already.
func (x *Index) SetRequests(all []knowledge.Request) {
	x.mu.RLock()
	known := x.now == nil || slices.EqualFunc(x.requests, all, knowledge.Request.Same)
	x.mu.RUnlock()
	if known {
		return
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.now != nil {
		x.requests, x.requestable = all, readRequests(all, x.now.meanings.synonyms)
	}
}

// readRequests reads requests as the index in force reads articles.
func readRequests(all []knowledge.Request, s *synonyms) *beside {
	if len(all) == 0 {
		return nil
	}
	things := make([]thing, len(all))
	for i := range all {
		things[i] = thing{request: &all[i], audience: audienceOf(all[i].Audience)}
	}
	b := newBeside(things, s)
	for i := range b.of {
		o := &b.of[i]
		for at := range b.lists {
			if term, ok := strings.CutPrefix(at.term, o.key); ok && at.field == wordsField && meantByOthers(term) && term[0] != audienceStarts[0] {
				o.words = append(o.words, spelled{term, lettersOf(term)})
			}
		}
		slices.SortFunc(o.words, func(a, b spelled) int { return strings.Compare(a.term, b.term) })
	}
	return b
}

// holding is which readable documents hold a term: articles, and what is found
// beside them, each in order of their numbers.
type holding [2][]posting

func (h holding) len() int { return len(h[0]) + len(h[1]) }

// look says what is searched beside articles.
func (s *search) look(q Query, requestable *beside) {
	s.beside, s.ofThem, s.aside = s.beside[:0], s.ofThem[:0], s.aside[:0]
	s.docs = s.v.docs
	if q.Requests && requestable != nil {
		s.beside = append(s.beside, requestable)
	}
	if len(q.Outages) > 0 {
		things := make([]thing, len(q.Outages))
		for i := range q.Outages {
			things[i].outage = &q.Outages[i]
		}
		s.beside = append(s.beside, newBeside(things, s.synonyms))
	}
	for _, b := range s.beside {
		var readable []some
		for _, o := range b.of {
			if q.AnyGroup || forAny(o.key, q.Groups) {
				readable = append(readable, o)
				s.total += o.n
			}
		}
		s.ofThem = append(s.ofThem, readable)
		s.docs += len(b.things)
	}
}

// german tells whether some of what is found beside articles is.
func (s *search) german() bool {
	return slices.ContainsFunc(s.ofThem, func(all []some) bool {
		return slices.ContainsFunc(all, func(o some) bool { return o.german })
	})
}

// listBeside is which of them hold a term.
func (s *search) listBeside(field, term string) []posting {
	from, base := len(s.aside), s.v.docs
	for i, b := range s.beside {
		for _, o := range s.ofThem[i] {
			for _, p := range b.lists[fieldTerm{field, o.key + term}] {
				s.aside = append(s.aside, p+posting(base<<6))
			}
		}
		base += len(b.things)
	}
	list := s.aside[from:len(s.aside):len(s.aside)]
	if !slices.IsSorted(list) {
		slices.Sort(list)
	}
	return list
}

// thing is what is found beside articles under a document's number; nil: it is
// an article's.
func (s *search) thing(doc uint32) *thing {
	at := int(doc) - s.v.docs
	if at < 0 {
		return nil
	}
	for _, b := range s.beside {
		if at < len(b.things) {
			return &b.things[at]
		}
		at -= len(b.things)
	}
	return nil
}

// requestOf is the document of what can be requested, -1 if it is not there or not
// for the asker.
func (s *search) requestOf(slug string) int32 {
	if len(s.beside) == 0 {
		return -1
	}
	i := slices.IndexFunc(s.beside[0].things, func(t thing) bool { return t.request != nil && t.request.Slug == slug })
	if i < 0 || !slices.ContainsFunc(s.ofThem[0], func(o some) bool { return o.key == s.beside[0].things[i].audience }) {
		return -1
	}
	return int32(s.v.docs + i)
}

// What a question is phrased as counts so much beside its words, as log odds.
// They were chosen on the questions of the demo's requests_test.go.
const (
	wantedMore  = 1.5 // a request, where something is wanted,
	troubleLess = 2.5 // where something is amiss,
	plainLess   = 0.5 // and where neither is said
	// An outage is as likely an answer as all articles about its service are
	// together: while it lasts, whoever reports trouble with the service has
	// most probably that trouble.
	downMore = 1.1
	downLess = 1.1 // but not if something is wanted of it
	// An outage that is so much less likely than the first is not shown: it is no
	// news for whoever asks about something else.
	outageBesideFirst = 0.5
)

// lean puts what is found beside articles into one order with them: the scores
// are comparable, as the features are the same, but for what the question is
// phrased as.
func (s *search) lean(ctx context.Context, q Query) error {
	if len(s.beside) == 0 {
		return nil
	}
	want, trouble := phrased(readPart(q.Text))
	ahead := s.ahead()
	for i := range s.matches {
		m := &s.matches[i]
		t := s.thing(m.doc)
		if t == nil || t.request == nil {
			continue
		}
		switch {
		case want > 0 && !trouble:
			m.score = max(m.score, cold.score.score(&m.features)+ahead) + wantedMore*want
		case trouble && want < 1:
			m.score -= troubleLess
		case want == 0:
			m.score -= plainLess
		}
	}
	for i := range q.Outages {
		if err := s.leanTo(ctx, i, q.Services, want, trouble); err != nil {
			return err
		}
	}
	return nil
}

// ahead is how much better the best article is for what articles have solved.
// What can be requested has solved nothing as long as it could not be found, and
// stands as far from that article as it would if neither had a past.
func (s *search) ahead() float64 {
	with, without := math.Inf(-1), math.Inf(-1)
	for i := range s.matches {
		if m := &s.matches[i]; m.id != 0 {
			with, without = max(with, m.score), max(without, cold.score.score(&m.features))
		}
	}
	if math.IsInf(with, -1) {
		return 0 // there is none
	}
	return with - without
}

// sureCold is how likely it is that a request which comes first is right, if
// nothing had a past.
func (s *search) sureCold() float64 {
	all, ahead := slices.Clone(s.matches), s.ahead()
	for i := range all {
		if m := &all[i]; m.id != 0 {
			m.score = cold.score.score(&m.features)
		} else {
			m.score -= ahead
		}
	}
	slices.SortFunc(all[1:], func(a, b match) int { return cmp.Compare(b.score, a.score) })
	shareOut(all)
	return cold.sure.sure(all)
}

// leanTo says how likely an outage is what the question is about: as far as it
// is about articles of the service, or has words of the outage itself; and if it
// names what is down, as likely as anything. For it is that which sets an outage
// apart from an article: it may well be the reason whatever the trouble is.
func (s *search) leanTo(ctx context.Context, outage int, services []string, want float64, trouble bool) error {
	b := s.beside[len(s.beside)-1]
	o := b.things[outage].outage
	doc := uint32(s.docs - len(b.things) + outage)
	at := slices.IndexFunc(s.matches, func(m match) bool { return m.doc == doc })
	score, best := math.Inf(-1), -1 // best: the match by which it is known to be one
	if at >= 0 {
		score, best = s.matches[at].score, at
	}
	if o.Service != "" {
		tagged, err := s.list(ctx, tagField, o.Service)
		if err != nil {
			return err
		}
		var others []holding
		for _, other := range services {
			if other == o.Service {
				continue
			}
			h, err := s.list(ctx, tagField, other)
			if err != nil {
				return err
			}
			others = append(others, h)
		}
		for i := range s.matches {
			m := &s.matches[i]
			w := weightOf(tagged[0], m.doc)
			if w == 0 || slices.ContainsFunc(others, func(h holding) bool { return weightOf(h[0], m.doc) > w }) {
				continue
			}
			if best < 0 || m.score > s.matches[best].score {
				best = i
			}
			score = logSum(score, m.score)
		}
	}
	if best < 0 {
		return nil
	}
	m := match{doc: doc, via: s.matches[best].doc, features: s.matches[best].features, down: s.speaks(&s.matches[best])}
	if s.names(o) {
		m.down = 1
		for i := range s.matches {
			score = max(score, s.matches[i].score)
		}
	}
	switch {
	case trouble && want < 1:
		score += downMore
	case want > 0:
		score -= downLess
	}
	if m.score = score; at < 0 {
		s.matches = append(s.matches, m)
	} else {
		s.matches[at] = m
	}
	return nil
}

// names tells whether the question names what is down, or the service.
func (s *search) names(o *knowledge.Outage) bool {
	said := func(w word) bool {
		return w.stop || slices.ContainsFunc(s.units, func(u unit) bool {
			return u.term == w.term || u.concept != "" && u.concept == s.synonyms.of(w.term)
		})
	}
	return slices.ContainsFunc(append([]string{o.What}, o.Words...), func(phrase string) bool {
		words := s.an.words(phrase, s.language, nil)
		return slices.ContainsFunc(words, func(w word) bool { return !w.stop }) && !slices.ContainsFunc(words, func(w word) bool { return !said(w) })
	})
}

// dropOutages leaves out those that the question is not about.
func (s *search) dropOutages() {
	least := s.matches[0].score + math.Log(outageBesideFirst)
	s.matches = slices.DeleteFunc(s.matches, func(m match) bool {
		t := s.thing(m.doc)
		return t != nil && t.outage != nil && m.score < least
	})
}

// logSum is the logarithm of the sum of two numbers of which these are the
// logarithms.
func logSum(a, b float64) float64 {
	if a < b {
		a, b = b, a
	}
	if math.IsInf(b, -1) {
		return a
	}
	return a + math.Log1p(math.Exp(b-a))
}

// What somebody who wants something says, and somebody who has trouble, in words
// with spaces around them.
var (
	wants = strings.Split(` i need | we need | needs a | needs an | need a | need an | need another | need access | need new | need the | can i get | can i have | can we get | can we have |`+
		` could i get | could i have | could we get | could we have | may i have | i would like | i d like | id like | we would like | i want | we want | how do i get | how can i get | where do i get |`+
		` where can i get | how do we get | who can give | please give | give me | get me | request | requesting | order | ordering | apply for | looking for a |`+
		` ich brauche | wir brauchen | brauche | brauchen | benötige | benötigen | hätte gern | hätte gerne | ich möchte | wir möchten | bekomme ich | bekommen wir | kriege ich | bestellen | beantragen | anfordern `, "|")
	mayWant = strings.Split(` new | another | additional | extra | a second | spare | replacement | access to | permission for | licence for | license for | for a colleague | please |`+
		` neuer | neue | neues | neuen | weitere | weiteren | zusätzlich | zusätzlichen | zweiten | ersatz | zugriff auf | zugang zu `, "|")
	// asAnyone asks for help, or for how to do something; that is no request.
	asAnyone = strings.NewReplacer(" need help ", " ", " need some help ", " ", " need your help ", " ", " need to know ", " ", " need to ", " to ", " want to ", " to ", " would like to ", " to ",
		" d like to ", " to ", " brauche hilfe ", " ", " get me into ", " ", " please help ", " ", " please tell ", " ", " please explain ", " ", " in order to ", " to ", " i need it ", " ")
	// broken begins words.
	broken = strings.Split(` not | cannot | cant | can t | doesn| dont | don t | won t | wont | isn| didn| couldn| unable | error| fail| broken | broke | stuck | crash| slow | slowly | lost | freez| frozen | wrong |`+
		` denied | refuse| reject| locked | expired | missing | down | drops | dropped | keeps | no longer | anymore | stopped | trouble | problem| issue | disconnect| nothing | blocked | won t | never | hangs | outage | offline | dead |`+
		` nicht | kein| kaputt | defekt | fehler| langsam | hängt | gesperrt | verloren | stürzt | abgelehnt | weg | ausgefallen | geht nix `, "|")
)

// phrased says of a question how much it wants something, 0 to 1, and whether it
// tells of trouble.
func phrased(text string) (want float64, trouble bool) {
	const most = 2 << 10 // bytes: it is said soon
	var b strings.Builder
	b.WriteByte(' ')
	space := true
	for _, r := range strings.ToLower(text[:min(len(text), most)]) {
		if wordRune(r) {
			b.WriteRune(r)
			space = false
		} else if !space {
			b.WriteByte(' ')
			space = true
		}
	}
	if !space {
		b.WriteByte(' ')
	}
	said := asAnyone.Replace(b.String())
	has := func(list []string) bool {
		return slices.ContainsFunc(list, func(p string) bool { return strings.Contains(said, p) })
	}
	trouble = has(broken)
	switch {
	case has(wants):
		want = 1
	case has(mayWant):
		want = 0.5
	}
	return want, trouble
}
