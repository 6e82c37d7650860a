//go:build unix && !linux

package pglocal

import (
	"context"
	"io"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// leash ends a child when we are gone: a shell waits for the end of a pipe that
// only we hold open, and passes the signal on.
type leash struct {
	sig    syscall.Signal
	cred   *syscall.Credential
	script *exec.Cmd
	pipe   io.Closer
}

func dieWithParent(cmd *exec.Cmd, sig syscall.Signal) *leash {
	return &leash{sig: sig, cred: cmd.SysProcAttr.Credential}
}

func (l *leash) hold(pid int) error {
	l.script = exec.Command("/bin/sh", "-c", `read -r _; kill -"$1" "$2"`, "sh", strconv.Itoa(int(l.sig)), strconv.Itoa(pid))
	l.script.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Credential: l.cred}
	pipe, err := l.script.StdinPipe()
	if err != nil {
		return err
	}
	l.pipe = pipe
	return l.script.Start()
}

// release is called when the child has ended: its number must not be signalled
// any more.
func (l *leash) release() {
	if l.script == nil || l.script.Process == nil {
		return
	}
	_ = l.script.Process.Kill()
	_ = l.pipe.Close()
	_ = l.script.Wait()
}

// isPostmasterOf reports whether the process is a server that was started, by
// us, on the data directory.
func isPostmasterOf(pid int, data string) bool {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	out, err := exec.CommandContext(ctx, "ps", "-ww", "-o", "command=", "-p", strconv.Itoa(pid)).Output()
	return err == nil && strings.Contains(string(out), " -D "+data+" ")
}
