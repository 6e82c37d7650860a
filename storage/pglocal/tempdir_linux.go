package pglocal

import (
	"os"
	"syscall"
)

// enough is how large the memory file system must be for a few clusters: a
// container often has only 64 MB of it.
const enough = 1 << 30

// TempDir returns the directory for clusters that need not last: in memory
// where there is plenty and TMPDIR does not say otherwise. Postgres makes some
// 300 files for a database, which takes 20 ms there and was seen to take 300 ms
// on a disk.
func TempDir() string {
	const memory = "/dev/shm"
	const tmpfsMagic = 0x01021994 // statfs(2)
	var fs syscall.Statfs_t
	if os.Getenv("TMPDIR") == "" && syscall.Statfs(memory, &fs) == nil &&
		fs.Type == tmpfsMagic && fs.Blocks*uint64(fs.Bsize) >= enough {
		return memory
	}
	return os.TempDir()
}
