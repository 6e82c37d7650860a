package main

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/deskhand/deskhand/core/policy"
)

// Whoever presses Ctrl-C while the desk starts need not read how each part of it
// failed.
func TestWhatWasBrokenOffIsNoNews(t *testing.T) {
	t.Parallel()
	ended, end := context.WithCancel(t.Context())
	end()
	full := errors.New("no space left on device")
	for _, tt := range []struct {
		name string
		ctx  context.Context
		err  error
		want string
	}{
		{"broken off", ended, fmt.Errorf("migrate: %w; conn closed", context.Canceled), "stopped"},
		{"something else at the same time", ended, full, full.Error()},
		{"nobody has broken it off", t.Context(), fmt.Errorf("fetch: %w", context.Canceled), "fetch: context canceled"},
	} {
		if got := complaint(tt.ctx, tt.err).Error(); got != tt.want {
			t.Errorf("%s: complaint() = %q, want %q", tt.name, got, tt.want)
		}
	}
}

func TestContentsOfAPolicyAreCountedAsPeopleDo(t *testing.T) {
	t.Parallel()
	p := policy.Policy{Teams: make([]policy.Team, 1), Services: make([]policy.Service, 2), People: make([]policy.Person, 1)}
	if got, want := contents(p), "1 team, 2 services, 0 service levels, 1 person"; got != want {
		t.Errorf("contents() = %q, want %q", got, want)
	}
}
