package articlefile

import (
	"archive/zip"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
)

// Limits of a zip file. Exports of large spaces have some gigabytes of
// attachments; text shrinks to a tenth or twentieth, hardly ever more.
const (
	mostEntries = 500_000
	mostBytes   = 64 << 30 // of all that is read, unpacked
	mostRatio   = 200      // of an entry larger than ratioFrom, unpacked to packed
	ratioFrom   = 16 << 20
)

// Open opens what articles are to be read from: a folder, a zip file, or a
// single file with what lies beside it. Links that lead out of a folder are
// not followed; of a zip file nothing is unpacked to disk.
func Open(name string) (fs.FS, func() error, error) {
	info, err := os.Stat(name)
	if err != nil {
		return nil, nil, err
	}
	if !info.IsDir() && strings.EqualFold(filepath.Ext(name), ".zip") {
		z, err := zip.OpenReader(name)
		if err != nil {
			return nil, nil, fmt.Errorf("%s is no zip file, or is not whole: %w", name, err)
		}
		dir, err := newArchive(&z.Reader)
		if err != nil {
			return nil, nil, errors.Join(fmt.Errorf("%s: %w", name, err), z.Close())
		}
		return dir, z.Close, nil
	}
	dir, only := name, ""
	if !info.IsDir() {
		dir, only = filepath.Dir(name), filepath.Base(name)
		if kindOf(only) == "" {
			return nil, nil, fmt.Errorf("%s is nothing that articles are read from: a folder, a .zip, .md, .html, .csv or .json file", name)
		}
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, nil, err
	}
	if only != "" {
		return single{root.FS(), only}, root.Close, nil
	}
	return root.FS(), root.Close, nil
}

// single is a directory of which only one file is listed: others, such as
// pictures, can be opened by name.
type single struct {
	fs.FS
	file string
}

// ReadDir lists the file.
func (s single) ReadDir(name string) ([]fs.DirEntry, error) {
	if name != "." {
		return nil, nil
	}
	info, err := fs.Stat(s.FS, s.file)
	if err != nil {
		return nil, err
	}
	return []fs.DirEntry{fs.FileInfoToDirEntry(info)}, nil
}

// archive is a zip file that is not believed.
type archive struct {
	zip  *zip.Reader
	read atomic.Int64 // bytes, unpacked
}

func newArchive(z *zip.Reader) (*archive, error) {
	if len(z.File) > mostEntries {
		return nil, fmt.Errorf("it has more than %d files", mostEntries)
	}
	for _, f := range z.File {
		switch name := strings.TrimSuffix(strings.ReplaceAll(f.Name, `\`, "/"), "/"); {
		case name != "" && !fs.ValidPath(name):
			return nil, fmt.Errorf("it has a file %q, which would lead out of it", shorten(f.Name, 100))
		case f.UncompressedSize64 > ratioFrom && f.UncompressedSize64/mostRatio > f.CompressedSize64:
			return nil, fmt.Errorf("the file %s in it would unpack to more than %d times its size", shorten(f.Name, 100), mostRatio)
		}
	}
	return &archive{zip: z}, nil
}

// Open opens a file. Its size is bounded by what the archive says, which a
// bomb gives wrongly: archive/zip stops there.
func (a *archive) Open(name string) (fs.File, error) {
	f, err := a.zip.Open(name)
	if err != nil {
		return nil, err
	}
	if d, ok := f.(fs.ReadDirFile); ok {
		return d, nil
	}
	return &entry{File: f, archive: a}, nil
}

// entry counts what is read of all.
type entry struct {
	fs.File
	archive *archive
}

func (e *entry) Read(p []byte) (int, error) {
	n, err := e.File.Read(p)
	if e.archive.read.Add(int64(n)) > mostBytes {
		return n, fmt.Errorf("the zip file unpacks to more than %d GB", mostBytes>>30)
	}
	if err != nil && !errors.Is(err, io.EOF) {
		err = fmt.Errorf("the zip file is damaged: %w", err)
	}
	return n, err
}
