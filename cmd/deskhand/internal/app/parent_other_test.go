//go:build unix && !linux

package app

import "syscall"

var endWithParent *syscall.SysProcAttr // there is nothing like it here
