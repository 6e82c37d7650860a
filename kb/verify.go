package kb

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"path/filepath"
	"runtime/debug"
	"strings"
	"time"

	"go.etcd.io/bbolt"
)

// verify reads the files of an index before Bleve does. Bleve maps them into
// memory and looks at them from goroutines of its own: what is cut off would
// show there as a fault that nobody can recover from. 30 MB, 10,000 articles,
// take some 10 ms.
func verify(store string) error {
	segments, err := rootSegments(filepath.Join(store, "root.bolt"))
	if err != nil {
		return err
	}
	for _, name := range segments {
		if err := verifySegment(filepath.Join(store, filepath.Base(name))); err != nil {
			return err
		}
	}
	return nil
}

// rootSegments reads all that the file of snapshots holds and returns the names
// of the segments' files.
func rootSegments(path string) (names []string, err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("damaged: %s: %v", filepath.Base(path), p)
		}
	}()
	db, err := bbolt.Open(path, 0o600, &bbolt.Options{ReadOnly: true, PreLoadFreelist: true, Timeout: 2 * time.Second})
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	seen := make(map[string]bool)
	var walk func(b *bbolt.Bucket) error
	walk = func(b *bbolt.Bucket) error {
		return b.ForEach(func(k, v []byte) error {
			if v == nil {
				return walk(b.Bucket(k))
			}
			if name := string(v); strings.HasSuffix(name, ".zap") && !seen[name] {
				seen[name] = true
				names = append(names, name)
			}
			return nil
		})
	}
	return names, db.View(func(tx *bbolt.Tx) error {
		if err := tx.ForEach(func(_ []byte, b *bbolt.Bucket) error { return walk(b) }); err != nil {
			return err
		}
		// Free pages are not read, and used all the same: they must be there, and
		// what is in use must not be among them. Check has a goroutine of its own, in
		// which nothing can fault that has been read.
		info, err := os.Stat(path)
		if err != nil {
			return err
		}
		if info.Size() < tx.Size() {
			return fmt.Errorf("damaged: %s is cut off at %d of %d bytes", filepath.Base(path), info.Size(), tx.Size())
		}
		var wrong []error
		for err := range tx.Check() {
			wrong = append(wrong, err)
		}
		return errors.Join(wrong...)
	})
}

// verifySegment compares a file with its checksum, which Bleve writes (the last
// four bytes, of all before them) and does not read.
func verifySegment(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	sum := crc32.NewIEEE()
	if _, err := io.CopyN(sum, f, info.Size()-4); err != nil {
		return err
	}
	var want uint32
	if err := binary.Read(f, binary.BigEndian, &want); err != nil {
		return err
	}
	if sum.Sum32() != want {
		return fmt.Errorf("damaged: the checksum of %s is wrong", filepath.Base(path))
	}
	return nil
}
