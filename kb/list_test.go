package kb

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func TestListGivesBackWhatWasAdded(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		gaps := rapid.SliceOf(rapid.OneOf(rapid.Uint32Range(1, 3), rapid.Uint32Range(mostGap-1, mostGap+1), rapid.Uint32Range(1, 3*mostGap*mostGap))).Draw(t, "gaps")
		number := rapid.Uint32Range(0, 2*mostGap).Draw(t, "first")
		var l list
		want := []posting{}
		for _, gap := range gaps {
			p := newPosting(uint64(number), rapid.Uint64Range(0, 2*fullWeight).Draw(t, "weight"))
			l.add(p)
			want = append(want, p)
			if number += gap; number >= mostDocs {
				break
			}
		}
		if diff := cmp.Diff(want, slices.AppendSeq([]posting{}, l.all)); diff != "" || int(l.n) != len(want) {
			t.Fatalf("a list of %d (-want +got):\n%s", l.n, diff)
		}
		from := rapid.Uint32Range(0, number+1).Draw(t, "from")
		want = slices.DeleteFunc(want, func(p posting) bool { return p.doc() < from })
		for i := range want {
			want[i] -= posting(from << 6)
		}
		if diff := cmp.Diff(want, slices.AppendSeq([]posting{}, l.after(from).all)); diff != "" {
			t.Fatalf("after %d (-want +got):\n%s", from, diff)
		}
	})
}
