package knowledge

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

// BlockKind is what a block of an answer is to its reader.
type BlockKind int

// The kinds of block. Renderers number steps by Block.Number, not by counting.
const (
	Paragraph BlockKind = iota
	Heading
	Step   // an item of a numbered list
	Bullet // an item of a list without numbers
	Code   // lines to be shown as they are, in one Span
)

// Block is a part of an answer, free of any markup.
type Block struct {
	Kind   BlockKind
	Number int // of a Step; a list goes on counting from its first number
	Depth  int // 0 for a list of its own, 1 for what is within an item, …
	Text   []Span
}

// Blocks reads Markdown as far as answers need it: headings, paragraphs,
// numbered and plain lists, quotes, the rows of tables, code, bold, italic,
// links. Anything else stays as its author typed it; pictures become their
// descriptions and HTML comments go.
func Blocks(markdown string) []Block {
	r := blockReader{}
	text := strings.ReplaceAll(withoutComments(markdown), "\r\n", "\n")
	for line := range strings.SplitSeq(text, "\n") {
		r.line(line)
	}
	if r.fence != "" {
		r.endCode()
	}
	r.flush()
	return r.blocks
}

// Plain is the text of Markdown without its marks, a line for each block.
func Plain(markdown string) string {
	var b strings.Builder
	for _, block := range Blocks(markdown) {
		if b.Len() > 0 {
			b.WriteByte('\n')
		}
		for _, s := range block.Text {
			b.WriteString(s.Text)
		}
	}
	return b.String()
}

func withoutComments(s string) string {
	var b strings.Builder
	for {
		before, rest, ok := strings.Cut(s, "<!--")
		b.WriteString(before)
		if !ok {
			return b.String()
		}
		if _, s, ok = strings.Cut(rest, "-->"); !ok {
			return b.String()
		}
	}
}

// blockReader takes Markdown line by line.
type blockReader struct {
	blocks []Block
	open   *Block   // the block that the next line may belong to, not yet in blocks
	text   []string // its lines
	lists  []list   // that the next line is in, outermost first
	blank  bool     // the line before was empty

	fence       string // what closes the code that the next line is in
	fenceIndent int
	code        []string
}

type list struct {
	marker  int // column of the mark
	content int // column of the text after it
	ordered bool
	number  int // of the last item
}

func (r *blockReader) line(line string) {
	line = strings.ReplaceAll(line, "\t", "    ")
	body := strings.TrimLeft(line, " ")
	indent := len(line) - len(body)
	body = strings.TrimRight(body, " ")

	if r.fence != "" {
		if strings.HasPrefix(body, r.fence) && strings.Trim(body, r.fence[:1]) == "" {
			r.endCode()
		} else {
			r.code = append(r.code, strings.TrimRight(line[min(indent, r.fenceIndent):], " "))
		}
		return
	}
	for strings.HasPrefix(body, ">") {
		body = strings.TrimLeft(body[1:], " ")
	}
	if body == "" {
		r.flush()
		r.blank = true
		return
	}
	blank := r.blank
	r.blank = false
	if f := fence(body); f != "" {
		r.flush()
		r.leave(indent, blank)
		r.fence, r.fenceIndent = f, indent
		return
	}
	if n := len(body) - len(strings.TrimLeft(body, "#")); n > 0 && n <= 6 && (len(body) == n || body[n] == ' ') {
		r.flush()
		r.lists = nil
		r.begin(Block{Kind: Heading}, strings.TrimSpace(strings.TrimRight(body[n:], "#")))
		r.flush()
		return
	}
	if strings.Trim(body, "=") == "" || strings.Trim(body, "-") == "" && len(body) > 1 {
		if r.open != nil && r.open.Kind == Paragraph { // the line under a heading
			r.open.Kind = Heading
			r.flush()
			return
		}
	}
	if ruler(body) {
		r.flush()
		return
	}
	if mark, ordered, number := marker(body); mark > 0 && r.mayBegin(ordered, number) {
		r.flush()
		r.item(indent, indent+mark, ordered, number)
		text := strings.TrimSpace(body[mark:])
		if c := len(text); c > 3 && (strings.HasPrefix(text, "[ ] ") || strings.HasPrefix(text, "[x] ")) {
			text = text[4:] // a box to tick
		}
		l := r.lists[len(r.lists)-1]
		if ordered {
			r.begin(Block{Kind: Step, Number: l.number, Depth: len(r.lists) - 1}, text)
		} else {
			r.begin(Block{Kind: Bullet, Depth: len(r.lists) - 1}, text)
		}
		return
	}
	if strings.HasPrefix(body, "|") {
		r.flush()
		r.leave(indent, blank)
		if row := tableRow(body); row != "" {
			r.begin(Block{Depth: len(r.lists)}, row)
			r.flush()
		}
		return
	}
	if r.open != nil {
		r.text = append(r.text, body)
		return
	}
	r.leave(indent, blank)
	r.begin(Block{Depth: len(r.lists)}, body)
}

// mayBegin keeps a year or a price at the start of a line from becoming a step.
func (r *blockReader) mayBegin(ordered bool, number int) bool {
	return !ordered || number <= 1 || r.open == nil || r.open.Kind != Paragraph || len(r.lists) > 0
}

// item opens an item of the list that its column says.
func (r *blockReader) item(marker, content int, ordered bool, number int) {
	for len(r.lists) > 0 && marker < r.lists[len(r.lists)-1].marker {
		r.lists = r.lists[:len(r.lists)-1]
	}
	if n := len(r.lists); n > 0 && marker < r.lists[n-1].content {
		if l := &r.lists[n-1]; l.ordered == ordered {
			l.number++
			l.content = content
			return
		}
		r.lists = r.lists[:n-1]
	}
	r.lists = append(r.lists, list{marker, content, ordered, number})
}

// leave ends the lists that a line of this column is not in; without a blank
// line before it a list goes on.
func (r *blockReader) leave(indent int, blank bool) {
	for blank && len(r.lists) > 0 && indent < r.lists[len(r.lists)-1].content {
		r.lists = r.lists[:len(r.lists)-1]
	}
}

func (r *blockReader) begin(b Block, text string) {
	r.open, r.text = &b, append(r.text[:0], text)
}

func (r *blockReader) flush() {
	if r.open == nil {
		return
	}
	if r.open.Text = inline(strings.Join(r.text, " ")); len(r.open.Text) > 0 {
		r.blocks = append(r.blocks, *r.open)
	}
	r.open = nil
}

func (r *blockReader) endCode() {
	if text := strings.Trim(strings.Join(r.code, "\n"), "\n"); text != "" {
		r.blocks = append(r.blocks, Block{Kind: Code, Depth: len(r.lists), Text: []Span{{Text: text, Code: true}}})
	}
	r.fence, r.code = "", nil
}

// fence is the ``` or ~~~ that body begins with, "" if it begins no code.
func fence(body string) string {
	for _, c := range []string{"`", "~"} {
		n := len(body) - len(strings.TrimLeft(body, c))
		if n >= 3 && !(c == "`" && strings.Contains(body[n:], "`")) {
			return body[:n]
		}
	}
	return ""
}

func ruler(body string) bool {
	s := strings.ReplaceAll(body, " ", "")
	return len(s) >= 3 && (strings.Trim(s, "-") == "" || strings.Trim(s, "*") == "" || strings.Trim(s, "_") == "")
}

// marker is the length of the mark of a list item with the spaces after it, 0
// if body is none.
func marker(body string) (length int, ordered bool, number int) {
	i := 0
	for i < len(body) && '0' <= body[i] && body[i] <= '9' {
		i++
	}
	switch {
	case i > 0 && i <= 9 && i < len(body) && (body[i] == '.' || body[i] == ')'):
		number, _ = strconv.Atoi(body[:i])
		ordered = true
	case i == 0 && (body[0] == '-' || body[0] == '*' || body[0] == '+' || strings.HasPrefix(body, "•")):
		_, size := utf8.DecodeRuneInString(body)
		i = size - 1
	default:
		return 0, false, 0
	}
	i++
	if i == len(body) {
		return i, ordered, number
	}
	if body[i] != ' ' {
		return 0, false, 0
	}
	for i < len(body) && body[i] == ' ' {
		i++
	}
	return i, ordered, number
}

// tableRow is a table's row as text, "" for the ruler under its head.
func tableRow(body string) string {
	if strings.Trim(body, "|-: ") == "" {
		return ""
	}
	var cells []string
	for cell := range strings.SplitSeq(strings.Trim(body, "|"), "|") {
		if cell = strings.TrimSpace(cell); cell != "" {
			cells = append(cells, cell)
		}
	}
	return strings.Join(cells, " – ")
}
