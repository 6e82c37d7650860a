package app

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/deskhand/deskhand/adapters/model/modeltest"
)

// With a model the same articles come with the same buttons, in its order; as
// long as it fails, in the desk's own.
func TestAModelOnlyOrders(t *testing.T) {
	t.Parallel()
	s := modeltest.New(t, modeltest.Status(http.StatusBadGateway))
	d := openWith(t, func(o *Options) { o.Model = Model{URL: s.URL, Name: "tiny"} })
	shown := func(to string) []int64 {
		t.Helper()
		d.Person(to).Says("paper in the printer, printing is stuck").Sees("This may help", "Solved it", "Show steps", "Open a ticket", "Talk to a person")
		var ids []int64
		if err := d.db.Pool().QueryRow(t.Context(), `select shown from questions order by id desc limit 1`).Scan(&ids); err != nil {
			t.Fatal(err)
		}
		return ids
	}
	own := shown("ana")
	if len(own) < 2 {
		t.Fatalf("the desk shows %v: there is no order in that", own)
	}
	s.Behave(modeltest.Says(func(a modeltest.Asked) string { return fmt.Sprintf(`{"order": [%d]}`, len(own)) }))
	var turned []int64
	for _, who := range []string{"eva", "kim", "leo", "ben"} { // a busy machine may keep an answer too long
		if turned = shown(who); turned[0] != own[0] {
			break
		}
	}
	if turned[0] != own[len(own)-1] {
		t.Errorf("the desk shows %v, of itself %v", turned, own)
	}
	slices.Sort(own)
	slices.Sort(turned)
	if !slices.Equal(own, turned) {
		t.Errorf("the desk shows %v, of itself %v", turned, own)
	}
	_, page := get(t.Context(), "http://"+d.app.Addr()+"/metrics")
	for _, want := range []string{`deskhand_model_calls_total{result="failed"} 1`, `deskhand_model_calls_total{result="advised"} 1`, `deskhand_model_seconds_count `} {
		if !strings.Contains(string(page), want) {
			t.Errorf("metrics are without %s", want)
		}
	}
}
