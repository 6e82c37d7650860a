//go:build unix

package pglocal

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"syscall"
)

// account is the user that Postgres runs as: ourselves, or somebody else when
// we are root.
type account struct {
	name     string
	uid, gid uint32
	other    bool
}

// chooseAccount takes ourselves, and for root the owner of the data that are
// there, else the user postgres, else nobody.
func chooseAccount(data string) (account, error) {
	if os.Geteuid() != 0 {
		return account{uid: uint32(os.Geteuid()), gid: uint32(os.Getegid())}, nil
	}
	if fi, err := os.Stat(data); err == nil {
		if st, ok := fi.Sys().(*syscall.Stat_t); ok && st.Uid != 0 {
			a := account{name: "number " + strconv.Itoa(int(st.Uid)), uid: st.Uid, gid: st.Gid, other: true}
			if u, err := user.LookupId(strconv.Itoa(int(st.Uid))); err == nil {
				a.name = u.Username
			}
			return a, nil
		}
	}
	for _, name := range []string{"postgres", "nobody"} {
		u, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, uidErr := strconv.ParseUint(u.Uid, 10, 32)
		gid, gidErr := strconv.ParseUint(u.Gid, 10, 32)
		if uidErr == nil && gidErr == nil {
			return account{name: name, uid: uint32(uid), gid: uint32(gid), other: true}, nil
		}
	}
	return account{}, errors.New("can't start Postgres: it does not run as root, and there is neither a user postgres nor a user nobody " +
		"to run it as: run deskhand as another user, or set DESKHAND_DATABASE_URL")
}

func (a account) String() string {
	if !a.other {
		return "this user"
	}
	return "user " + a.name
}

// credential is what a command needs to run as the account, nil for ourselves.
func (a account) credential() *syscall.Credential {
	if !a.other {
		return nil
	}
	return &syscall.Credential{Uid: a.uid, Gid: a.gid}
}

// mkdir makes a directory that only the account can enter. One that is there
// already becomes such.
func (a account) mkdir(dir string) error {
	if err := os.Mkdir(dir, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	if !a.other {
		return os.Chmod(dir, 0o700)
	}
	return os.Lchown(dir, int(a.uid), int(a.gid))
}

// canReach fails when the account can't pass through a directory above dir.
func (a account) canReach(dir string) error {
	for up := filepath.Dir(dir); ; up = filepath.Dir(up) {
		fi, err := os.Stat(up)
		if err != nil {
			return fmt.Errorf("the data directory: %w", err)
		}
		if !a.canEnter(fi) {
			return fmt.Errorf("can't start Postgres: it does not run as root, so it runs as %s, who can't get into %s: "+
				"use a directory below /var/lib with --data, such as /var/lib/deskhand", a.name, up)
		}
		if up == filepath.Dir(up) {
			return nil
		}
	}
}

func (a account) canEnter(fi fs.FileInfo) bool {
	bit := fs.FileMode(0o001)
	if st, ok := fi.Sys().(*syscall.Stat_t); ok {
		switch {
		case st.Uid == a.uid:
			bit = 0o100
		case st.Gid == a.gid:
			bit = 0o010
		}
	}
	return fi.Mode()&bit != 0
}
