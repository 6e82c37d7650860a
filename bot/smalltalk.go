package bot

import (
	"slices"
	"strings"
	"unicode"
)

// apostrophes are those of keyboards and of phones.
var apostrophes = strings.NewReplacer("'", "", "’", "")

// wordsOf are the words of a text in small letters, without what stands
// between them.
func wordsOf(text string) []string {
	return strings.FieldsFunc(strings.ToLower(apostrophes.Replace(text)), func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsDigit(r)
	})
}

// talk is what a message is when it is no question.
type talk int

const (
	notSmall talk = iota
	thanks
	hello
	bye
	howAreYou
)

// The words that thanks and greetings are made of, in the languages that
// people of an international company write them in. A message is small talk
// only if nothing else is in it.
var (
	thankWords = []string{"thanks", "thank", "thx", "ty", "tysm", "cheers", "ta", "danke", "dankeschön", "merci", "gracias", "obrigado", "obrigada",
		"tack", "tak", "takk", "kiitos", "grazie", "bedankt", "dank", "dziękuję", "dzięki"}
	helloWords = []string{"hello", "hi", "hey", "hiya", "moin", "hallo", "hej", "hei", "bonjour", "salut", "hola", "olá", "ola", "ciao", "servus", "yo"}
	byeWords   = []string{"bye", "goodbye", "tschüss", "ciao", "adios", "cya"}
	// Words that may stand beside them.
	fillWords = []string{"you", "u", "so", "very", "much", "a", "lot", "lots", "many", "all", "again", "for", "the", "your", "help", "quick", "fast", "great", "perfect",
		"awesome", "super", "good", "morning", "afternoon", "evening", "day", "guten", "tag", "morgen", "god", "schönen", "vielen", "dir", "dich", "ihnen", "euch", "sehr", "beaucoup",
		"muchas", "muito", "mille", "everyone", "there", "team", "desk", "deskhand", "ok", "okay", "yes", "no", "it", "works", "worked", "working", "now", "is", "fixed",
		"that", "did", "this", "and", "me", "have", "nice", "one", "well", "brilliant", "amazing", "wonderful", "yay", "man", "guys", "folks", "appreciated", "appreciate",
		"fine", "cool", "got", "solved", "done", "in", "advance"}
	fineWords = []string{"great", "perfect", "awesome", "super", "brilliant", "nice", "cool", "works", "worked", "fixed", "solved"}
)

// The emoji that thanks and greetings are made of, as Teams sends them and as
// Slack does, which writes ":+1::skin-tone-3:" for a thumb.
var (
	thankEmoji = []string{"👍", "🙏", "👏", "🙌", "👌", "💪", "🎉", "🥳", "✅", "💯", "❤️", "❤", "😀", "😃", "😄", "😁", "😊", "🙂", "☺️", "☺", "😍", "🥰", "🤗", "😎", "🙇",
		":+1:", ":thumbsup:", ":pray:", ":clap:", ":raised_hands:", ":ok_hand:", ":muscle:", ":tada:", ":partying_face:", ":white_check_mark:", ":heavy_check_mark:",
		":100:", ":heart:", ":grinning:", ":smiley:", ":smile:", ":grin:", ":blush:", ":slightly_smiling_face:", ":relaxed:", ":heart_eyes:",
		":smiling_face_with_3_hearts:", ":hugging_face:", ":sunglasses:", ":bow:", ":simple_smile:"}
	helloEmoji = []string{"👋", ":wave:"}
	skinTones  = strings.NewReplacer("🏻", "", "🏼", "", "🏽", "", "🏾", "", "🏿", "",
		":skin-tone-2:", "", ":skin-tone-3:", "", ":skin-tone-4:", "", ":skin-tone-5:", "", ":skin-tone-6:", "")
)

// withoutEmoji is a text without those emoji, and what it is if nothing else was
// in it.
func withoutEmoji(text string) (string, talk) {
	text, alone := skinTones.Replace(text), notSmall
	for _, of := range []struct {
		emoji []string
		are   talk
	}{{helloEmoji, hello}, {thankEmoji, thanks}} {
		for _, e := range of.emoji {
			if strings.Contains(text, e) {
				text, alone = strings.ReplaceAll(text, e, " "), of.are
			}
		}
	}
	if strings.TrimFunc(text, func(r rune) bool { return unicode.IsSpace(r) || unicode.IsPunct(r) && r != '?' }) != "" {
		return text, notSmall
	}
	return text, alone
}

// smallTalk tells what kind of small talk a message is. Anything with a word
// that belongs to none is a message to be taken in earnest.
func smallTalk(text string) talk {
	text, alone := withoutEmoji(text)
	if alone != notSmall {
		return alone
	}
	words := wordsOf(text)
	if len(words) == 0 || len(words) > 12 {
		return notSmall
	}
	joined := strings.Join(words, " ")
	switch joined {
	case "how are you", "how are you doing", "how are you today", "how is it going", "hows it going", "whats up", "wie gehts", "hi how are you", "hello how are you", "hey how are you":
		return howAreYou
	case "good morning", "good afternoon", "good evening", "good day", "guten morgen", "guten tag", "god morgon", "bom dia":
		return hello
	}
	found := notSmall
	for _, w := range words {
		switch {
		case slices.Contains(thankWords, w):
			found = thanks
		case slices.Contains(helloWords, w):
			if found == notSmall {
				found = hello
			}
		case slices.Contains(byeWords, w):
			if found == notSmall {
				found = bye
			}
		case slices.Contains(fineWords, w) && !slices.Contains(words, "no") && !strings.Contains(text, "?"):
			if found == notSmall {
				found = thanks
			}
		case !slices.Contains(fillWords, w):
			return notSmall
		}
	}
	return found
}

// reply is what a person would say to it; empty: nothing needs to be said.
func (k talk) reply(name string) string {
	switch k {
	case thanks:
		return "You're welcome, " + name + "."
	case hello:
		return "Hello " + name + ". What can I help you with? Tell me in your own words what is not working, or what you need."
	case bye:
		return "Bye, " + name + ". I am here when you need me."
	case howAreYou:
		return "All systems up, thank you. And you? If something is not working, tell me what."
	}
	return ""
}
