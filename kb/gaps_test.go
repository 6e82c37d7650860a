package kb_test

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/deskhand/deskhand/kb"
)

func TestQuestionsAreGroupedByWhatTheyAreAbout(t *testing.T) {
	t.Parallel()
	x, err := kb.Open(kb.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer x.Close()
	got := x.Group([]string{
		"the zeppelin is not working",
		"How do I book the sauna?",
		"zeppelin not working since this morning",
		"my zeppelin is broken again, please help",
		"book sauna for friday",
		"Can somebody look at the coffee machine on floor 2?",
		"👻",
		"zeppelin not working",
	})
	want := []kb.Gap{
		{Name: "zeppelin not working", Of: []int{0, 2, 3, 7}},
		{Name: "book sauna", Of: []int{1, 4}},
		{Name: "Can somebody look at the coffee machine on floor 2?", Of: []int{5}},
		{Name: "👻", Of: []int{6}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("groups (-want +got):\n%s", diff)
	}
}

// Each question is in one group, whatever it says, and the same questions make
// the same groups.
func TestEveryQuestionIsInOneGroup(t *testing.T) {
	t.Parallel()
	x, err := kb.Open(kb.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer x.Close()
	rapid.Check(t, func(t *rapid.T) {
		questions := rapid.SliceOfN(rapid.OneOf(rapid.String(), rapid.SampledFrom([]string{"printer jam", "vpn is slow", "paper jam in the printer", "slow vpn"})), 0, 12).Draw(t, "questions")
		gaps := x.Group(questions)
		var all []int
		for _, g := range gaps {
			all = append(all, g.Of...)
			if len(g.Of) == 0 || !slices.IsSorted(g.Of) {
				t.Fatalf("group %q of %v", g.Name, g.Of)
			}
		}
		slices.Sort(all)
		for i, q := range all {
			if i != q {
				t.Fatalf("the groups have %v of %d questions", all, len(questions))
			}
		}
		if len(all) != len(questions) {
			t.Fatalf("the groups have %v of %d questions", all, len(questions))
		}
		if diff := cmp.Diff(gaps, x.Group(questions)); diff != "" {
			t.Fatalf("the second time (-first +second):\n%s", diff)
		}
	})
}
