package kb

import (
	"strings"
	"unicode/utf8"
)

// What somebody pastes is often a stack trace: one line says what is wrong, and
// two hundred where in the program it was. Only the former are read.

// framesFrom is how many lines that look like a frame make a stack trace: one
// may be a sentence that begins with "at".
const framesFrom = 3

// withoutFrames is text without the frames of stack traces in it.
func withoutFrames(text string) string {
	n := 0
	for line := range strings.Lines(text) {
		if frame(line) {
			n++
		}
	}
	if n < framesFrom {
		return text
	}
	var b strings.Builder
	b.Grow(len(text))
	code := false // below a frame of Python stands its line of the program
	for line := range strings.Lines(text) {
		python := strings.HasPrefix(line, "  File \"")
		switch {
		case frame(line):
		case code && strings.HasPrefix(line, "    "):
		default:
			b.WriteString(line)
		}
		code = python
	}
	return b.String()
}

// frame tells whether a line is one of a stack trace, as Java, .NET,
// JavaScript, Python, Go, PHP, Ruby and debuggers write them.
func frame(line string) bool {
	line = strings.TrimRight(line, "\r\n")
	s := strings.TrimLeft(line, " \t")
	indented := len(s) < len(line)
	switch {
	case s == "":
		return false
	case strings.HasPrefix(s, "at "):
		// at org.acme.Foo.baz(Foo.java:42), at System.IO.File.Open(String path) in C:\x.cs:line 1, at read (/srv/x.js:1:2), at /srv/x.js:1:2
		s = strings.TrimPrefix(s[len("at "):], "async ")
		name, rest, called := strings.Cut(s, "(")
		if !called {
			return indented && placed(s)
		}
		return !strings.Contains(name, " ") && strings.Contains(name, ".") || placed(rest)
	case strings.HasPrefix(s, "... ") && (strings.HasSuffix(s, " more") || strings.HasSuffix(s, " common frames omitted")):
		return true
	case strings.HasPrefix(s, "File \"") && strings.Contains(s, "\", line "):
		return true
	case strings.HasPrefix(s, "from ") && strings.Contains(s, ":in "):
		return true
	case s[0] == '#' && len(s) > 2 && digit(s[1]):
		// #0  0x00007f in read () from /lib/x, #1 /srv/x.php(12): read()
		s = strings.TrimLeft(s[1:], "0123456789")
		return strings.HasPrefix(strings.TrimLeft(s, " "), "0x") || strings.HasPrefix(s, " /") || strings.HasPrefix(s, " {main}")
	case strings.HasPrefix(s, "goroutine ") && strings.HasSuffix(s, "]:"):
		return true
	case indented && strings.Contains(s, ".go:"):
		return true
	case strings.HasSuffix(s, ")"):
		// main.(*T).run(0x1, 0x2), main.main()
		name, given, _ := strings.Cut(s[:len(s)-1], "(0x")
		return strings.Contains(name, ".") && !strings.Contains(name, " ") && (given != "" || strings.HasSuffix(name, "(") || strings.HasSuffix(name, "(..."))
	}
	return false
}

// placed tells whether s ends with a place in a file: x.js:1:2, x.java:42.
func placed(s string) bool {
	s = strings.TrimRight(s, " )")
	end := strings.TrimRight(s, "0123456789")
	return len(end) < len(s) && strings.HasSuffix(end, ":") && strings.Contains(end, ".") && utf8.ValidString(s)
}
