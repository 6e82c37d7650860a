package bot

import (
	"context"
	"slices"
	"strings"

	"github.com/deskhand/deskhand/bot/cards"
)

// alike are open tickets that the draft may be about, three at most.
func (t *turn) alike(ctx context.Context, d cards.Draft) ([]cards.Like, error) {
	own, known, err := t.tx.LikeOpen(ctx, t.who.ID, d.Kind, t.at.AddDate(0, -3, 0), 20)
	if err != nil {
		return nil, err
	}
	words := telling(d.Title + " " + d.Detail)
	service, _, _ := strings.Cut(d.About, "/")
	var like []cards.Like
	for _, tk := range own {
		if shareWords(words, telling(tk.Title+" "+tk.Detail)) || (service != "" && service != "other" && tk.Service == service) {
			like = append(like, cards.Like{Ticket: tk, Mine: true})
		}
	}
	for _, tk := range known {
		if shareWords(words, telling(tk.Title)) {
			like = append(like, cards.Like{Ticket: tk})
		}
	}
	if len(like) > 3 {
		like = like[:3]
	}
	return like, nil
}

// telling are the words of a text that may tell what it is about: the rest
// are too short or too common.
func telling(text string) []string {
	var w []string
	for _, s := range wordsOf(text) {
		if len(s) >= 3 && !slices.Contains(commonWords, s) && !slices.Contains(w, s) {
			w = append(w, s)
		}
	}
	return w
}

var commonWords = strings.Fields(`the and for with not but are was has have had can cant cannot could does doesnt dont did didnt
	isnt wont will would this that these those there here from our your you they them his her its been being what when where which who how why
	any all some get got gets into about after again also just very more most please help need needs want wants issue problem error working work works
	broken since today yesterday morning keeps still every time always now`)

// shareWords tells whether two texts have two telling words in common, or the
// only one that the shorter has.
func shareWords(a, b []string) bool {
	n := 0
	for _, x := range a {
		if slices.ContainsFunc(b, func(y string) bool { return sameStem(x, y) }) {
			n++
		}
	}
	return n >= 2 || (n == 1 && min(len(a), len(b)) == 1)
}
