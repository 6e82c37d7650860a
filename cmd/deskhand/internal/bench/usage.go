package bench

import (
	"context"
	"fmt"
	"syscall"
	"time"

	"github.com/deskhand/deskhand/storage"
)

// usage is what work has cost.
type usage struct {
	Program  time.Duration // CPU of the measured process
	Postgres time.Duration // of all of Postgres' processes; 0 where it can't be told
}

func (u usage) total() time.Duration { return u.Program + u.Postgres }

func (u usage) since(before usage) usage {
	return usage{u.Program - before.Program, u.Postgres - before.Postgres}
}

// each is what one of n things has cost, in ms.
func (u usage) each(n int) float64 {
	if n == 0 {
		return 0
	}
	return float64(u.total().Microseconds()) / 1000 / float64(n)
}

func (b *bench) usageOf(c *child) (usage, error) {
	r, err := c.ask(childOrder{})
	return usage{r.CPU, postgresCPU(b.postmaster)}, err
}

// ownCPU is the CPU that this process has used.
func ownCPU() time.Duration {
	var r syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &r); err != nil {
		return 0
	}
	return time.Duration(r.Utime.Nano() + r.Stime.Nano())
}

// ownUsage is the CPU that this process has used, and its resident memory.
func ownUsage() (cpu time.Duration, rss int64) {
	if rss = residentMemory(); rss == 0 {
		var r syscall.Rusage
		if syscall.Getrusage(syscall.RUSAGE_SELF, &r) == nil {
			rss = int64(r.Maxrss) // bytes on macOS; the most that it has ever been
		}
	}
	return ownCPU(), rss
}

// postmasterOf is the process id of the server behind the database.
func postmasterOf(ctx context.Context, db *storage.DB) (int, error) {
	var backend int
	if err := db.Pool().QueryRow(ctx, `select pg_backend_pid()`).Scan(&backend); err != nil {
		return 0, fmt.Errorf("bench: find the server: %w", err)
	}
	return parentOf(backend), nil
}
