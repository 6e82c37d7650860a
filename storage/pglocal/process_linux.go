package pglocal

import (
	"bytes"
	"os"
	"os/exec"
	"strconv"
	"syscall"
)

// leash ends a child when we are gone. On Linux the kernel sees to that.
type leash struct{}

func dieWithParent(cmd *exec.Cmd, sig syscall.Signal) leash {
	cmd.SysProcAttr.Pdeathsig = sig
	return leash{}
}

func (leash) hold(int) error { return nil }
func (leash) release()       {}

// isPostmasterOf reports whether the process is a server that was started, by
// us, on the data directory.
func isPostmasterOf(pid int, data string) bool {
	raw, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/cmdline")
	return err == nil && bytes.Contains(raw, []byte("\x00-D\x00"+data+"\x00"))
}
