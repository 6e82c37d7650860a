package main

import (
	"net/http"
	"net/http/httptest"
	"testing"
)

func TestDoctorLooksAtThePages(t *testing.T) {
	t.Parallel()
	good := func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Security-Policy", "default-src 'none'; frame-ancestors https://teams.microsoft.com")
	}
	tests := []struct {
		name   string
		handle http.HandlerFunc // nil: nobody is there
		url    string           // empty: the handler's
		want   bool
	}{
		{"a page as it should be", good, "", true},
		{"another program", http.NotFound, "", false},
		{"a proxy that drops headers", func(http.ResponseWriter, *http.Request) {}, "", false},
		{"a proxy that keeps pages out of frames", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Security-Policy", "frame-ancestors 'none'")
		}, "", false},
		{"an address in the clear", good, "http://desk.example", false},
		{"nobody", nil, "", false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := httptest.NewServer(tt.handle)
			if tt.handle == nil {
				s.Close()
			} else {
				t.Cleanup(s.Close)
			}
			c := doctorCmd{URL: tt.url}
			if tt.url == "" {
				c.URL = s.URL
			}
			told := 0
			c.checkPages(t.Context(), func(name string, ok bool, text, fix string) {
				told++
				if name != "pages" || ok != tt.want || text == "" {
					t.Errorf("told %s %v %q → %q, want %v", name, ok, text, fix, tt.want)
				}
			})
			if told != 1 {
				t.Errorf("told %d things", told)
			}
		})
	}
	(&doctorCmd{}).checkPages(t.Context(), func(_ string, ok bool, _, _ string) {
		if !ok {
			t.Error("pages are wanted where there need be none")
		}
	})
}
