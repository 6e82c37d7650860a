package kb

import "slices"

// posting says how much an article, or a past question, is about a term: its
// number and in the low six bits a weight of 1 to fullWeight.
type posting uint32

func newPosting(doc uint64, weight uint64) posting {
	return posting(doc<<6 | min(max(weight, 1), fullWeight))
}

func (p posting) doc() uint32     { return uint32(p >> 6) }
func (p posting) weight() float64 { return float64(p&fullWeight) / fullWeight }

// mostDocs is what a posting can number.
const mostDocs = 1 << 26

// list is postings in order, which take two bytes each as long as they are less
// than mostGap apart, and rarely more than four: the gap to the one before, and
// below it the weight. A weight of none says that the gap is in units of mostGap,
// and goes on.
type list struct {
	of   []uint16
	n    uint32 // postings
	last uint32 // number
}

const mostGap = 1 << 10

// add appends a posting.
func (l *list) add(p posting) {
	gap := p.doc() - l.last
	for gap >= mostGap {
		far := min(gap/mostGap, mostGap-1)
		l.put(uint16(far << 6))
		gap -= far * mostGap
	}
	l.put(uint16(gap<<6) | uint16(p)&fullWeight)
	l.last = p.doc()
	l.n++
}

// put leaves less room behind than append does: there are many lists, and most
// of their postings come early.
func (l *list) put(u uint16) {
	if len(l.of) == cap(l.of) {
		l.of = append(slices.Grow([]uint16(nil), len(l.of)+len(l.of)/8+1), l.of...)
	}
	l.of = append(l.of, u)
}

func (l *list) all(yield func(posting) bool) {
	p := posting(0)
	for _, u := range l.of {
		if u&fullWeight == 0 {
			p += posting(u) * mostGap
			continue
		}
		p += posting(u &^ fullWeight)
		if !yield(p | posting(u&fullWeight)) {
			return
		}
	}
}

// after is the list without the numbers below from, which the others lose.
func (l *list) after(from uint32) *list {
	kept := new(list)
	for p := range l.all {
		if p.doc() >= from {
			kept.add(p - posting(from<<6))
		}
	}
	return kept
}
