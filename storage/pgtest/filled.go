//go:build unix

package pgtest

import (
	"context"
	"errors"
	"sync"
	"testing"
)

// Filled is a database that several tests begin with. It is filled when the
// first of them wants it, and each gets a copy.
type Filled struct {
	fill func(t *testing.T, url string)
	once sync.Once
	name string
	err  error
}

// Fill returns one that fill, called at most once and by the first test, puts
// something into. By the time that fill returns nobody may be connected to it.
func Fill(fill func(t *testing.T, url string)) *Filled {
	return &Filled{fill: fill, err: errors.New("the test that was to fill the database has failed")}
}

// URL returns the address of a copy for this test alone, which is dropped when
// the test ends. What is copied stays for as long as the cluster; on a server of
// somebody else's, until a later run finds it abandoned.
func (f *Filled) URL(t *testing.T) string {
	t.Helper()
	s, err := shared()
	if err != nil {
		t.Fatal(err)
	}
	f.once.Do(func() {
		name, err := s.create(context.Background(), s.template) // it is for other tests too
		if err != nil {
			f.err = err
			return
		}
		f.fill(t, s.url(name))
		if !t.Failed() {
			f.name, f.err = name, nil
		}
	})
	if f.err != nil {
		t.Fatal(f.err)
	}
	return s.copyOf(t, f.name)
}
