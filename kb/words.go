package kb

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/blevesearch/snowballstem"
	stemmer "github.com/blevesearch/snowballstem/english"
	"github.com/blevesearch/snowballstem/german"
	"golang.org/x/text/unicode/norm"
)

// word is a word of a text as the index knows it.
type word struct {
	start, end int    // bytes of the text it stands for
	term       string // folded and stemmed
	stop       bool   // says nothing about what the text is about
}

// longestWord, in bytes: what is longer is a key, a hash or a picture.
const longestWord = 64

// analyzer turns text into words. It remembers stems, so it is for one
// goroutine at a time.
type analyzer struct {
	known  map[string]known // by folded word, of English
	german map[string]known
	fold   []byte
}

type known struct {
	term  string
	stop  bool
	parts []string // of a compound
}

// enoughStems bounds the memory of an analyzer; a language's words as used in
// articles are fewer, the rest are names and numbers that come once.
const enoughStems = 1 << 15

// words appends the words of text to to; language is a base language;
// English and German are those whose endings and stop words are known, and of
// German also what compounds are made of. Words are runs of letters, digits and marks; an apostrophe does not end them, and between digits a point or an
// underscore between letters does not either, so that 10.0.0.1, 0x80070005 and
// ERR_NAME_NOT_RESOLVED are one word each. Han and Kana have no spaces
// between words: there each character is one.
func (a *analyzer) words(text, language string, to []word) []word {
	for i := 0; i < len(text); {
		r, size := rune(text[i]), 1
		if r >= utf8.RuneSelf {
			r, size = utf8.DecodeRuneInString(text[i:])
		}
		if !wordRune(r) {
			i += size
			continue
		}
		start, ascii := i, r < utf8.RuneSelf
		i += size
		if !unspaced(r) {
			for i < len(text) {
				r, size = rune(text[i]), 1
				if r >= utf8.RuneSelf {
					r, size = utf8.DecodeRuneInString(text[i:])
				}
				if !(wordRune(r) && !unspaced(r)) && !joins(text, i, size) {
					break
				}
				ascii = ascii && r < utf8.RuneSelf
				i += size
			}
		}
		if i-start > longestWord {
			continue
		}
		if w := a.word(text[start:i], ascii, language); w.term != "" {
			to = append(to, word{start, i, w.term, w.stop})
			for _, part := range w.parts {
				to = append(to, word{start, i, part, false})
			}
		}
	}
	return to
}

func wordRune(r rune) bool {
	if r < utf8.RuneSelf {
		return 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9'
	}
	return unicode.IsLetter(r) || unicode.IsDigit(r) || unicode.Is(unicode.Mn, r)
}

func unspaced(r rune) bool {
	return r >= 0x2E80 && unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana)
}

// joins tells whether the character at i holds the letters on both sides of it
// together.
func joins(text string, i, size int) bool {
	if i+size >= len(text) || i == 0 {
		return false
	}
	before, after := text[i-1], text[i+size]
	switch text[i : i+size] {
	case "'", "’":
		return alphanumeric(before) && alphanumeric(after)
	case "_":
		return alphanumeric(before) && alphanumeric(after)
	case ".":
		return digit(before) && digit(after)
	}
	return false
}

func alphanumeric(b byte) bool { return b < utf8.RuneSelf && wordRune(rune(b)) }
func digit(b byte) bool        { return '0' <= b && b <= '9' }

// word folds case and accents and takes the ending off; nothing may be left.
func (a *analyzer) word(s string, ascii bool, language string) known {
	a.fold = a.fold[:0]
	plain := true // letters only
	if ascii {
		for i := range len(s) {
			c := s[i]
			switch {
			case 'A' <= c && c <= 'Z':
				c += 'a' - 'A'
			case c == '\'':
				if i == len(s)-2 && (s[i+1] == 's' || s[i+1] == 'S') {
					s = s[:i] // the printer's
				} else {
					continue // can't → cant
				}
			case c < 'a' || c > 'z':
				plain = false
			}
			if i >= len(s) {
				break
			}
			a.fold = append(a.fold, c)
		}
	} else {
		s = strings.ReplaceAll(strings.TrimSuffix(s, "’s"), "’", "")
		for _, r := range norm.NFKD.String(s) {
			switch {
			case unicode.Is(unicode.Mn, r):
			case r == 'ß' || r == 'ẞ':
				a.fold = append(a.fold, "ss"...)
			default:
				r = unicode.ToLower(r)
				plain = plain && 'a' <= r && r <= 'z'
				a.fold = utf8.AppendRune(a.fold, r)
			}
		}
	}
	if plain && language == "de" {
		return a.germanWord()
	}
	if !plain || language != "en" {
		return known{term: string(a.fold)}
	}
	if w, ok := a.known[string(a.fold)]; ok {
		return w
	}
	w := known{term: string(a.fold)}
	// A stop word is one as it is written: the team is, Teams is not.
	if w.stop = stopWords[w.term]; !w.stop && len(w.term) > 2 {
		env := snowballstem.NewEnv(w.term)
		stemmer.Stem(env)
		w.term = env.Current()
	}
	if a.known == nil || len(a.known) >= enoughStems {
		a.known = make(map[string]known)
	}
	a.known[string(a.fold)] = w
	return w
}

// germanWord takes the ending off the folded word and finds its parts.
func (a *analyzer) germanWord() known {
	if w, ok := a.german[string(a.fold)]; ok {
		return w
	}
	written := string(a.fold)
	w := known{term: string(foldGerman(a.fold))}
	if w.stop = germanStop[w.term] || germanStop[written]; !w.stop && len(w.term) > 3 {
		if !germanParts[w.term] {
			eachPart(w.term, func(part string) { w.parts = append(w.parts, stemGerman(part)) })
			if w.parts == nil { // an ending may hide them
				eachPart(strings.TrimRight(w.term, "en"), func(part string) { w.parts = append(w.parts, stemGerman(part)) })
			}
		}
		w.term = stemGerman(w.term)
	}
	if a.german == nil || len(a.german) >= enoughStems {
		a.german = make(map[string]known)
	}
	a.german[written] = w
	return w
}

func stemGerman(word string) string {
	env := snowballstem.NewEnv(word)
	german.Stem(env)
	return env.Current()
}
