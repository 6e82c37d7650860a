// Package kbtest has what a test of an index needs of the machine.
package kbtest

import (
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// SmallDisk is a directory on a file system of its own. It is mounted in a
// process of its own, the test run once more, and goes with it; where it is not
// ok, that has been done.
func SmallDisk(t *testing.T, options string) (dir string, ok bool) {
	t.Helper()
	dir = os.Getenv("DESKHAND_TEST_DISK")
	if dir == "" {
		dir = t.TempDir()
		again := exec.CommandContext(t.Context(), os.Args[0], "-test.v", "-test.run=^"+t.Name()+"$")
		again.Env = append(os.Environ(), "DESKHAND_TEST_DISK="+dir)
		again.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNS, Pdeathsig: syscall.SIGKILL}
		if os.Geteuid() != 0 {
			again.SysProcAttr.Cloneflags |= syscall.CLONE_NEWUSER
			again.SysProcAttr.UidMappings = []syscall.SysProcIDMap{{ContainerID: os.Geteuid(), HostID: os.Geteuid(), Size: 1}}
			again.SysProcAttr.AmbientCaps = []uintptr{21} // CAP_SYS_ADMIN, over this name space
		}
		out, err := again.CombinedOutput()
		switch {
		case errors.Is(err, syscall.EPERM) || strings.Contains(string(out), "may not mount"):
			t.Skip("who runs the tests may not mount a small file system")
		case err != nil:
			t.Fatalf("%v\n%s", err, out)
		}
		return "", false
	}
	// What is mounted here is to be seen nowhere else.
	if err := errors.Join(syscall.Mount("", "/", "", syscall.MS_REC|syscall.MS_PRIVATE, ""), syscall.Mount("tmpfs", dir, "tmpfs", 0, options)); err != nil {
		t.Skip("may not mount:", err)
	}
	return dir, true
}

// Fill leaves no room on the disk of dir until the function it returns is called.
func Fill(t *testing.T, dir string) (room func()) {
	t.Helper()
	name := filepath.Join(dir, "full")
	f, err := os.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := io.Copy(f, neverEnds{}); !errors.Is(err, syscall.ENOSPC) {
		t.Fatalf("the disk is not full: %v", err)
	}
	return func() {
		if err := os.Remove(name); err != nil {
			t.Fatal(err)
		}
	}
}

type neverEnds struct{}

func (neverEnds) Read(p []byte) (int, error) { return len(p), nil }
