package articlefile

import (
	"bytes"
	"fmt"
	"io"
	"io/fs"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/net/html/charset"
	"golang.org/x/text/encoding/unicode/utf32"
	"golang.org/x/text/runes"
	"golang.org/x/text/transform"
	"golang.org/x/text/unicode/norm"
)

// readFile reads a file of at most limit bytes.
func readFile(dir fs.FS, file string, limit int64) ([]byte, error) {
	f, err := dir.Open(file)
	if err != nil {
		return nil, fmt.Errorf("it cannot be opened: %w", err)
	}
	defer func() { _ = f.Close() }() // nothing was written
	data, err := io.ReadAll(io.LimitReader(f, limit+1))
	switch {
	case err != nil:
		return nil, fmt.Errorf("it cannot be read: %w", err)
	case int64(len(data)) > limit:
		return nil, fmt.Errorf("it is larger than %d MB; split it", limit>>20)
	}
	return data, nil
}

// decode is a text in UTF-8, whatever it was in: what a byte order mark says,
// else UTF-8 if it is that, else what the text says of itself (in a <meta>),
// else Windows' own; browsers go the same way (HTML Living Standard,
// "determining the character encoding"). sound is false if some of it is lost.
func decode(data []byte, contentType string) (text string, sound bool) {
	switch {
	case bytes.HasPrefix(data, []byte("\xff\xfe\x00\x00")), bytes.HasPrefix(data, []byte("\x00\x00\xfe\xff")):
		data, _, _ = transform.Bytes(utf32.UTF32(utf32.BigEndian, utf32.ExpectBOM).NewDecoder(), data)
	case bytes.HasPrefix(data, []byte("\xff\xfe")), bytes.HasPrefix(data, []byte("\xfe\xff")):
		e, _, _ := charset.DetermineEncoding(data, contentType)
		data, _, _ = transform.Bytes(e.NewDecoder(), data)
	case !utf8.Valid(data):
		e, name, _ := charset.DetermineEncoding(data, contentType)
		if name == "utf-8" { // it says so, and is not
			e, _ = charset.Lookup("windows-1252")
		}
		data, _, _ = transform.Bytes(e.NewDecoder(), data)
	}
	text = strings.TrimPrefix(string(data), "\ufeff")
	return storable(text), utf8.ValidString(text) && !strings.ContainsRune(text, utf8.RuneError) && !strings.ContainsRune(text, 0)
}

// storable is a text as Postgres keeps it: valid, without NUL, with \n between
// its lines.
func storable(s string) string {
	s = strings.ToValidUTF8(s, "\ufffd")
	if strings.ContainsAny(s, "\x00\r") {
		s = strings.NewReplacer("\x00", "", "\r\n", "\n", "\r", "\n").Replace(s)
	}
	return s
}

// asciiOf is a text in small letters with marks taken off them: "Über" is "uber".
func asciiOf(s string) string {
	s = strings.NewReplacer("ß", "ss", "æ", "ae", "ø", "o", "ł", "l", "đ", "d").Replace(strings.ToLower(s))
	out, _, err := transform.String(transform.Chain(norm.NFD, runes.Remove(runes.In(unicode.Mn)), norm.NFC), s)
	if err != nil {
		return s
	}
	return out
}

// oneLine is a text without line breaks and doubled spaces.
func oneLine(s string) string { return strings.Join(strings.Fields(storable(s)), " ") }
