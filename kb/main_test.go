package kb

import (
	"flag"
	"os"
	"testing"
)

// Each check of a law builds indexes, so that `go test ./...` makes fewer than
// rapid does by itself. More:
//
//	go test ./kb -rapid.checks=1000
func TestMain(m *testing.M) {
	flag.Parse()
	asked := false
	flag.Visit(func(f *flag.Flag) { asked = asked || f.Name == "rapid.checks" })
	if !asked {
		_ = flag.Set("rapid.checks", "40")
	}
	os.Exit(m.Run())
}
