package bot

import (
	"context"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/deskhand/deskhand/bot/cards"
	"github.com/deskhand/deskhand/bot/chat"
	"github.com/deskhand/deskhand/core/knowledge"
	"github.com/deskhand/deskhand/core/ticket"
	"github.com/deskhand/deskhand/kb"
	"github.com/deskhand/deskhand/storage"
)

const (
	synonymTrial = "synonym.trial" // subject: a proposal
	// mostSaying bounds the articles that are read again for the trial of a word.
	mostSaying = 2000
	// mostWord is how long a word or phrase gets, in characters.
	mostWord = 60
)

// meansWords is how one says it: "synonym beamer means projector".
var meansWords = regexp.MustCompile(`(?i)^synonym:? (.{1,60}?) (?:means|=|is) (.{1,60})$`)

// gapSynonym asks which word of the articles people mean.
func (t *turn) gapSynonym(ctx context.Context) error {
	g, err := t.gap(ctx, "add a synonym for")
	if err != nil {
		return err
	}
	if g.Outcome != storage.GapOpen {
		return &ticket.RefusedError{Step: "add a synonym for", Reason: "something was done about it already"}
	}
	f := cards.SynonymForm(int64(g.ID), g.Version, g.Name)
	t.answer.Form = &f
	return nil
}

func (t *turn) synonymSend(ctx context.Context) error {
	g, err := t.gap(ctx, "add a synonym for")
	if err != nil {
		return err
	}
	p := storage.Proposal{Gap: g.ID, Synonym: wordsIn(t.ev.Values.One("said")), Term: wordsIn(t.ev.Values.One("meant"))}
	wrong := map[string]string{}
	for field, w := range map[string]string{"said": p.Synonym, "meant": p.Term} {
		switch {
		case !hasWord(w):
			wrong[field] = "Please write a word or a short phrase."
		case utf8.RuneCountInString(w) > mostWord:
			wrong[field] = "That is too long: a word or a short phrase, not a sentence."
		}
	}
	if len(wrong) == 0 && strings.EqualFold(p.Term, p.Synonym) {
		wrong["meant"] = "These are the same word. Which one do articles have instead?"
	}
	if len(wrong) > 0 {
		t.answer.Errors = wrong
		return nil
	}
	return t.propose(ctx, p)
}

func wordsIn(s string) string { return strings.Join(strings.Fields(tidy(s)), " ") }

func hasWord(s string) bool {
	return strings.ContainsFunc(s, func(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) })
}

// propose has two words tried, and shows what came of it to whoever wants them
// and to those who decide.
func (t *turn) propose(ctx context.Context, p storage.Proposal) error {
	p.Person, p.At = t.who.ID, t.at
	id, err := t.tx.Propose(ctx, p, t.via())
	if err != nil {
		return err
	}
	if err := t.tx.SetDue(ctx, synonymTrial, int64(id), t.at); err != nil {
		return err
	}
	if err := t.tx.Send(ctx, storage.Post{Kind: string(chat.Message), Platform: t.ev.By.Platform, Workspace: t.ev.By.Workspace, User: t.ev.By.ID,
		Card: cards.SynonymCard, Subject: int64(id)}, storage.LaneReply, t.at); err != nil {
		return err
	}
	for _, c := range t.rules.posted(t.rules.policy.Knowledge.Channel) {
		if err := t.tx.Send(ctx, storage.Post{Kind: string(chat.Message), Platform: c.Platform, Workspace: c.Workspace, Channel: c.Channel,
			Card: cards.SynonymCard, Subject: int64(id)}, storage.LaneDigest, t.at); err != nil {
			return err
		}
	}
	return nil
}

// trySynonym tries two words on last month's questions.
func (t *turn) trySynonym(ctx context.Context, id storage.ProposalID) error {
	p, err := t.tx.Proposal(ctx, id)
	if err != nil || p.Outcome != "open" {
		return ignoreMissing(err)
	}
	saying, err := t.tx.ArticlesSaying(ctx, mostSaying, p.Term, p.Synonym)
	if err != nil {
		return err
	}
	all, err := t.tried(ctx, kb.Trial{Articles: saying, Synonyms: [][]string{{p.Term, p.Synonym}}}, mostTried)
	if err != nil {
		return err
	}
	if err := t.tx.ProposalTried(ctx, id, knowledge.Judge(0, all), t.at); err != nil {
		return err
	}
	return t.tx.Redraw(ctx, int64(id), t.at, cards.SynonymCard)
}

// synonymAdd puts two words in force.
func (t *turn) synonymAdd(ctx context.Context) error {
	p, err := t.proposal(ctx, "add")
	if err != nil || p.ID == 0 {
		return err
	}
	switch {
	case !t.rights().Publish:
		return &ticket.RefusedError{Step: "add", Reason: "only those who may publish articles can"}
	case p.Tried == nil && t.at.Sub(p.At) < trialTime:
		return &ticket.RefusedError{Step: "add", Reason: "I am still trying it on last month's questions. Press again in a moment"}
	case len(p.Worse) > 0 && t.ev.Args["anyway"] == "":
		return &ticket.RefusedError{Step: "add", Reason: counted(len(p.Worse), "question") + " that articles have solved would be answered worse. Choose narrower words, or press “Add all the same”"}
	}
	if _, err := t.tx.AddSynonym(ctx, knowledge.Synonym{Term: p.Term, Synonym: p.Synonym}, t.who.ID, t.via(), t.at); err != nil {
		return err
	}
	t.desk.wrote.Store(true)
	if p.Gap != 0 {
		g, err := t.tx.GapForUpdate(ctx, p.Gap)
		if err != nil {
			return err
		}
		if g.Outcome == storage.GapOpen {
			g.Outcome, g.Synonym = storage.GapSynonym, p.Synonym+" means "+p.Term
			if err := t.endGap(ctx, g); err != nil {
				return err
			}
		}
	}
	return t.endProposal(ctx, p, "added")
}

func (t *turn) synonymDrop(ctx context.Context) error {
	p, err := t.proposal(ctx, "drop")
	if err != nil || p.ID == 0 {
		return err
	}
	return t.endProposal(ctx, p, "dropped")
}

func (t *turn) endProposal(ctx context.Context, p storage.Proposal, outcome string) error {
	if err := t.tx.EndProposal(ctx, p.ID, outcome, t.who.ID, t.via(), t.at); err != nil {
		return err
	}
	return t.tx.Redraw(ctx, int64(p.ID), t.at, cards.SynonymCard)
}

// proposal is the one that a button is about, locked; none if it was decided.
func (t *turn) proposal(ctx context.Context, step string) (storage.Proposal, error) {
	if !t.rights().Draft {
		return storage.Proposal{}, &ticket.RefusedError{Step: step, Reason: noAuthor}
	}
	p, err := t.tx.ProposalForUpdate(ctx, storage.ProposalID(t.id("p")))
	if err != nil {
		return p, orUnknown(err, "proposal")
	}
	if p.Outcome != "open" {
		return storage.Proposal{}, t.tx.Redraw(ctx, int64(p.ID), t.at, cards.SynonymCard)
	}
	return p, nil
}

// synonymCard draws a proposal as it now stands.
func (t *turn) synonymCard(ctx context.Context, id storage.ProposalID) (chat.Card, error) {
	p, err := t.tx.Proposal(ctx, id)
	if err != nil {
		return chat.Card{}, err
	}
	names, err := t.tx.People(ctx, p.Person, p.EndedBy)
	if err != nil {
		return chat.Card{}, err
	}
	v := cards.SynonymView{ID: int64(p.ID), Said: p.Synonym, Meant: p.Term, By: names[p.Person].Name, Tried: p.Tried != nil, Outcome: p.Outcome, EndedBy: names[p.EndedBy].Name,
		Trial: knowledge.Trial{Unanswered: p.Unanswered, Would: p.Would, Answered: p.Answered}}
	for _, q := range p.Worse {
		v.Trial.Worse = append(v.Trial.Worse, knowledge.QuestionPast(q))
	}
	return cards.Synonym(v), nil
}
