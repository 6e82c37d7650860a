package kb

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"go.etcd.io/bbolt"
)

// What is cut off may have been free, so that all there is can be read. Bleve
// would use it all the same, and fault.
func TestFreePagesAreThere(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "root.bolt")
	db, err := bbolt.Open(path, 0o600, nil)
	if err != nil {
		t.Fatal(err)
	}
	set := func(value string) {
		t.Helper()
		if err := db.Update(func(tx *bbolt.Tx) error {
			b, err := tx.CreateBucketIfNotExists([]byte("s"))
			if err != nil {
				return err
			}
			return b.Put([]byte("k"), []byte(value))
		}); err != nil {
			t.Fatal(err)
		}
	}
	set(strings.Repeat("x", 256<<10))
	for range 3 { // the first commits still keep what was there for those who read it
		set("1.zap")
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	if names, err := rootSegments(path); err != nil || len(names) != 1 {
		t.Fatalf("whole: %v, %v", names, err)
	}
	if err := os.Truncate(path, 128<<10); err != nil {
		t.Fatal(err)
	}
	if _, err := rootSegments(path); err == nil || !strings.Contains(err.Error(), "cut off") {
		t.Errorf("cut off where nothing is in use: %v", err)
	}
}
