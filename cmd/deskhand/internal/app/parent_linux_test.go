package app

import "syscall"

// endWithParent has a program end with the test run that started it, also when
// that is killed.
var endWithParent = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
