//go:build unix && !linux

package pglocal

import "os"

// TempDir returns the directory for clusters that need not last.
func TempDir() string { return os.TempDir() }
