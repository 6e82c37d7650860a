package knowledge

// Synonym is two words or phrases that mean the same to a company. Endings and
// capitals don't matter; what means the same as a third means the same.
type Synonym struct {
	Term     string // as articles have it
	Synonym  string // as people say
	Language string // BCP 47; "" for any
}

// SynonymGroups are synonyms as an index takes them.
func SynonymGroups(all []Synonym) [][]string {
	groups := make([][]string, len(all))
	for i, s := range all {
		groups[i] = []string{s.Term, s.Synonym}
	}
	return groups
}
