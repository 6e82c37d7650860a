//go:build unix && !linux

package bench

import "time"

func parentOf(int) int              { return 0 }
func postgresCPU(int) time.Duration { return 0 }
func residentMemory() int64         { return 0 }
