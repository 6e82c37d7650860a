package demo

import "testing"

func TestPolicy(t *testing.T) {
	p, err := Policy()
	if err != nil {
		t.Fatal(err)
	}
	for _, problem := range p.Check() {
		t.Error(problem)
	}
	t.Log(p.Desk, len(p.People), p.Matrix)
}
