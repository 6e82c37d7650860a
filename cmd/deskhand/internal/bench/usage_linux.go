package bench

import (
	"bytes"
	"os"
	"strconv"
	"strings"
	"time"
)

// tick is the unit of times in /proc: USER_HZ, which is 100 on every
// architecture that Go runs on.
const tick = 10 * time.Millisecond

// procStat is what proc(5) says of /proc/PID/stat, as far as it matters here.
type procStat struct {
	parent      int
	own, waited time.Duration // CPU, and that of children that have ended
}

func readStat(pid string) (s procStat, ok bool) {
	raw, err := os.ReadFile("/proc/" + pid + "/stat")
	if err != nil {
		return s, false
	}
	// The name, in brackets, may hold anything.
	_, rest, found := bytes.Cut(raw[bytes.LastIndexByte(raw, ')')+1:], []byte(" "))
	f := strings.Fields(string(rest))
	if !found || len(f) < 15 {
		return s, false
	}
	n := func(i int) time.Duration {
		v, _ := strconv.ParseInt(f[i], 10, 64) // the kernel writes numbers
		return time.Duration(v)
	}
	return procStat{parent: int(n(1)), own: (n(11) + n(12)) * tick, waited: (n(13) + n(14)) * tick}, true
}

func parentOf(pid int) int {
	s, _ := readStat(strconv.Itoa(pid)) // 0: its CPU can't be told
	return s.parent
}

// postgresCPU is the CPU of a server and all its processes, those that have
// ended included.
func postgresCPU(postmaster int) time.Duration {
	if postmaster == 0 {
		return 0
	}
	own, _ := readStat(strconv.Itoa(postmaster))
	sum := own.own + own.waited
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return 0
	}
	for _, e := range entries {
		if e.Name()[0] < '0' || e.Name()[0] > '9' {
			continue
		}
		if s, ok := readStat(e.Name()); ok && s.parent == postmaster {
			sum += s.own + s.waited
		}
	}
	return sum
}

// residentMemory is this process's, in bytes.
func residentMemory() int64 {
	raw, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		return 0
	}
	f := strings.Fields(string(raw))
	if len(f) < 2 {
		return 0
	}
	pages, _ := strconv.ParseInt(f[1], 10, 64)
	return pages * int64(os.Getpagesize())
}
