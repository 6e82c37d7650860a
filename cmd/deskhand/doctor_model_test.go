package main

import (
	"net/http"
	"testing"

	"github.com/deskhand/deskhand/adapters/model/modeltest"
)

func TestDoctorLooksAtTheModel(t *testing.T) {
	t.Parallel()
	well := modeltest.New(t, modeltest.Prefers("Keep the VPN connected"))
	ill := modeltest.New(t, modeltest.Status(http.StatusUnauthorized))
	for name, tt := range map[string]struct {
		flags modelFlags
		want  []bool // what is told is well
	}{
		"there is none":       {modelFlags{ModelName: "tiny"}, nil},
		"it is well":          {modelFlags{ModelURL: well.URL, ModelName: "tiny"}, []bool{true}},
		"it wants a key":      {modelFlags{ModelURL: ill.URL, ModelName: "tiny"}, []bool{false}},
		"it has no name":      {modelFlags{ModelURL: well.URL}, []bool{false}},
		"it is in the open":   {modelFlags{ModelURL: "http://192.0.2.1/v1", ModelName: "tiny"}, []bool{false}},
		"it is at no address": {modelFlags{ModelURL: "models", ModelName: "tiny"}, []bool{false}},
	} {
		var told []bool
		(&doctorCmd{modelFlags: tt.flags}).checkModel(t.Context(), func(subject string, ok bool, text, fix string) {
			told = append(told, ok)
			if subject != "model" || text == "" {
				t.Errorf("%s: told of %s %q → %q", name, subject, text, fix)
			}
		})
		if len(told) != len(tt.want) || len(told) > 0 && told[0] != tt.want[0] {
			t.Errorf("%s: told %v, want %v", name, told, tt.want)
		}
	}
}
