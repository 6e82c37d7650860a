package kb

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/bits"
	"slices"
	"strings"
	"sync"

	index "github.com/blevesearch/bleve_index_api"

	"github.com/deskhand/deskhand/core/knowledge"
)

// bitset is a set of Bleve's document numbers.
type bitset []uint64

func (b bitset) has(doc uint32) bool {
	return int(doc>>6) < len(b) && b[doc>>6]&(1<<(doc&63)) != 0
}

func (b *bitset) add(doc uint32) {
	for int(doc>>6) >= len(*b) {
		*b = append(*b, 0)
	}
	(*b)[doc>>6] |= 1 << (doc & 63)
}

func (b bitset) count() int {
	n := 0
	for _, w := range b {
		n += bits.OnesCount64(w)
	}
	return n
}

// meets tells whether b and c have a member in common.
func (b bitset) meets(c bitset) bool {
	for i := range min(len(b), len(c)) {
		if b[i]&c[i] != 0 {
			return true
		}
	}
	return false
}

// union is b with the members of c; it may change b.
func (b bitset) union(c bitset) bitset {
	for i, w := range c {
		if i < len(b) {
			b[i] |= w
		} else {
			b = append(b, w)
		}
	}
	return b
}

// view is who may read what in one snapshot of the index. It is made once for
// a snapshot, so that a query pays for its words only.
type view struct {
	audiences []audience // in the order of their keys
	languages map[string]bitset
	all       bitset // every article there is, whoever may read it
	docs      int    // above every document number
	ids       []knowledge.ArticleID
	number    map[knowledge.ArticleID]uint32 // of the document
	total     int                            // of articles

	reading sync.RWMutex
	common  map[fieldTerm][]posting // lists of what many articles have
	kept    int                     // postings in them
	rare    map[fieldTerm][]posting // lists of what few have, or none, as they were asked for lately
	wanted  []fieldTerm             // lists that the snapshot before had

	slots []int32 // the document of each slot of the memory, -1 for an article that is not there

	spelling   sync.Once            // guards those below, which few questions need
	vocabulary map[string][]spelled // by audience
	unreadable error
}

// audience is a set of groups and the articles that are for them.
type audience struct {
	key  string
	docs bitset
}

type fieldTerm struct{ field, term string }

func newView(ctx context.Context, r index.IndexReader) (*view, error) {
	v := &view{common: make(map[fieldTerm][]posting), rare: make(map[fieldTerm][]posting)}
	ids := make([]knowledge.ArticleID, 0, 1024) // by document
	audiences, err := membersByTerm(ctx, r, audienceField, func(doc uint32, frequency uint64) {
		for int(doc) >= len(ids) {
			ids = append(ids, 0)
		}
		ids[doc] = knowledge.ArticleID(frequency - 1)
	})
	if err != nil {
		return nil, err
	}
	for _, key := range slices.Sorted(maps.Keys(audiences)) {
		v.audiences = append(v.audiences, audience{strings.TrimPrefix(key, audienceStarts), audiences[key]})
		v.all = v.all.union(audiences[key])
	}
	if v.languages, err = membersByTerm(ctx, r, languageField, nil); err != nil {
		return nil, err
	}
	v.docs, v.total = len(v.all)*64, v.all.count()
	if v.docs > mostDocs {
		return nil, fmt.Errorf("%d articles are more than the index can number", v.docs)
	}
	v.ids = append(ids, make([]knowledge.ArticleID, max(0, v.docs-len(ids)))...)
	v.number = make(map[knowledge.ArticleID]uint32, v.total)
	for doc, id := range ids {
		if v.all.has(uint32(doc)) {
			v.number[id] = uint32(doc)
		}
	}
	return v, nil
}

// ofSlots is the document of each slot, -1 for one that is not there.
func (v *view) ofSlots(all []slot) []int32 {
	v.reading.Lock()
	defer v.reading.Unlock()
	for _, s := range all[len(v.slots):] {
		doc, ok := v.number[s.article]
		if !ok || s.request != "" {
			v.slots = append(v.slots, -1)
			continue
		}
		v.slots = append(v.slots, int32(doc))
	}
	return v.slots[:len(all)]
}

// membersByTerm is which documents have which term of a field; each, which may
// be nil, is given all of them.
func membersByTerm(ctx context.Context, r index.IndexReader, field string, each func(doc uint32, frequency uint64)) (map[string]bitset, error) {
	dict, err := r.FieldDict(field)
	if err != nil {
		return nil, err
	}
	defer dict.Close()
	members := make(map[string]bitset)
	for {
		e, err := dict.Next()
		if err != nil {
			return nil, err
		}
		if e == nil {
			return members, nil
		}
		list, err := r.TermFieldReader(ctx, []byte(e.Term), field, each != nil, false, false)
		if err != nil {
			return nil, err
		}
		var b bitset
		var at index.TermFieldDoc
		for {
			next, err := list.Next(&at)
			if err != nil {
				list.Close()
				return nil, err
			}
			if next == nil {
				break
			}
			b.add(uint32(next.ID.Value()))
			if each != nil {
				each(uint32(next.ID.Value()), next.Freq)
			}
		}
		if err := list.Close(); err != nil {
			return nil, err
		}
		if b != nil { // terms of articles since removed stay in the dictionary
			members[e.Term] = b
		}
	}
}

// readable appends to buf the set of articles that q's asker may read, and to
// keys what their terms are indexed under.
func (v *view) readable(q Query, buf bitset, keys []string) (bitset, []string) {
	for _, a := range v.audiences {
		if q.AnyGroup || forAny(a.key, q.Groups) {
			buf, keys = buf.union(a.docs), append(keys, a.key)
		}
	}
	return buf, keys
}

// open are the articles that everybody may read.
func (v *view) open() bitset {
	if len(v.audiences) == 0 || v.audiences[0].key != "" {
		return nil
	}
	return v.audiences[0].docs
}

// Lists of at least 1 in commonShare articles, and of 64, stay decoded, up to
// keptMost postings of 4 bytes: the common words of questions are what costs, Bleve
// takes some 60 ns for a posting and an addition takes 2.
const (
	commonShare = 400
	keptMost    = 12 << 20
)

// mostRare is how many shorter lists are kept until they are forgotten and kept
// anew: to find a term takes Bleve some 4 µs and 3 kB, however few have it, and a
// list takes some 100 bytes.
const mostRare = 1 << 14

// lists are those that v keeps, or has still to read.
func (v *view) lists() []fieldTerm {
	v.reading.RLock()
	defer v.reading.RUnlock()
	all := slices.Collect(maps.Keys(v.common))
	for _, k := range v.wanted {
		if _, ok := v.common[k]; !ok {
			all = append(all, k)
		}
	}
	return all
}

// list is which articles hold a term, in order of their numbers, readable or
// not. It is one of the lists kept, not to be changed, or what is appended to buf.
func (v *view) list(ctx context.Context, r index.IndexReader, field, term string, buf []posting) (list, grown []posting, err error) {
	key := fieldTerm{field, term}
	v.reading.RLock()
	kept, ok := v.common[key]
	if !ok {
		kept, ok = v.rare[key]
	}
	v.reading.RUnlock()
	if ok {
		return kept, buf, nil
	}
	reader, err := r.TermFieldReader(ctx, []byte(term), field, true, false, false)
	if err != nil {
		return nil, buf, err
	}
	defer func() { err = errors.Join(err, reader.Close()) }()
	from := len(buf)
	var at index.TermFieldDoc
	for {
		next, err := reader.Next(&at)
		if err != nil {
			return nil, buf, err
		}
		if next == nil {
			break
		}
		buf = append(buf, newPosting(next.ID.Value(), next.Freq))
	}
	list = buf[from:len(buf):len(buf)]
	key.term = strings.Clone(term) // not a part of the whole question
	v.reading.Lock()
	defer v.reading.Unlock()
	if len(list) < max(64, v.docs/commonShare) {
		if len(v.rare) >= mostRare {
			clear(v.rare)
		}
		v.rare[key] = slices.Clone(list)
	} else if _, ok := v.common[key]; !ok && v.kept+len(list) <= keptMost {
		v.common[key] = slices.Clone(list)
		v.kept += len(list)
	}
	return list, buf, nil
}
