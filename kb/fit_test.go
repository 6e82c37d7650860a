package kb

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/deskhand/deskhand/core/knowledge"
)

func TestLogisticFindsTheWeights(t *testing.T) {
	t.Parallel()
	want := []float64{-1, 2, 0.5}
	random := rand.New(rand.NewPCG(1, 2))
	const n = 20_000
	f, y := make([][]float64, n), make([]float64, n)
	for i := range n {
		f[i] = []float64{1, random.NormFloat64(), 4 * random.Float64()}
		x := 0.0
		for j := range want {
			x += want[j] * f[i][j]
		}
		if random.Float64() < 1/(1+math.Exp(-x)) {
			y[i] = 1
		}
	}
	got := make([]float64, 3)
	logistic(n, func(i int) ([]float64, float64, float64) { return f[i], y[i], 1 }, got)
	for j := range want {
		if math.Abs(got[j]-want[j]) > 0.1 {
			t.Errorf("logistic() = %.2f, want %.2f", got, want)
			break
		}
	}
}

func TestHeldOutAsksEveryQuestionTwice(t *testing.T) {
	t.Parallel()
	var asked []Asked
	for i := range 40 {
		right, wrong := knowledge.ArticleID(1), knowledge.ArticleID(2)
		var a, b features
		a[words], b[words] = 0.9, 0.1
		a[covers], b[covers] = 1, 0.2
		if i%2 == 0 {
			a[briefCovers] = 0.5
		}
		asked = append(asked, Asked{Ranked: []Ranked{{right, 0, a, 1}, {wrong, 0, b, 1}}, Right: map[knowledge.ArticleID]bool{right: true}})
	}
	var there, out, brief int
	for _, j := range HeldOut(asked, false, func(Asked) bool { return true }) {
		switch {
		case j.Out && j.Right:
			t.Fatal("what was taken out was right")
		case j.Out:
			out++
		case j.Right:
			there++
		}
		if j.Brief {
			brief++
		}
	}
	if there != 40 || out != 40 || brief != 40 {
		t.Errorf("%d right, %d taken out, %d brief; want 40 each", there, out, brief)
	}
}
