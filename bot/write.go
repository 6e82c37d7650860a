package bot

import (
	"context"
	"fmt"
	"hash/fnv"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/deskhand/deskhand/bot/cards"
	"github.com/deskhand/deskhand/bot/chat"
	"github.com/deskhand/deskhand/core/knowledge"
	"github.com/deskhand/deskhand/core/people"
	"github.com/deskhand/deskhand/core/ticket"
	"github.com/deskhand/deskhand/storage"
)

// Limits of what a form takes of an article, in characters. A longer one is
// edited where it was imported from.
const (
	mostSymptom = 1000
	mostAnswer  = 3000
)

// rights are what the actor may do with articles.
func (t *turn) rights() knowledge.Rights {
	lead := slices.ContainsFunc(t.rules.teams, func(team people.Team) bool { return team.Lead == t.who.ID && t.who.ID != 0 })
	return t.rules.policy.Knowledge.Rights(t.who, lead)
}

const noAuthor = "your team does not write articles"

// ofArticle is the article that a button or form is about, which the actor may
// read and which nobody else changes until the transaction ends.
func (t *turn) ofArticle(ctx context.Context, step string) (knowledge.Article, error) {
	a, err := t.tx.ArticleForUpdate(ctx, knowledge.ArticleID(t.id("a")))
	if err != nil {
		return a, orUnknown(err, "article")
	}
	if !t.rightsOn(a).Draft {
		return a, &ticket.RefusedError{Step: step, Reason: noAuthor}
	}
	if !t.sees(a) {
		return a, orUnknown(storage.ErrNotFound, "article")
	}
	return a, nil
}

// sees tells whether the actor may know of an article that may not be published.
func (t *turn) sees(a knowledge.Article) bool {
	return t.owns(a) || a.ReadableBy(t.who.Groups()) && (a.State == knowledge.Published || t.who.Agent() || t.rights().Draft)
}

// newArticle begins an article out of nothing.
func (t *turn) newArticle(context.Context) error {
	if !t.rights().Draft {
		return &ticket.RefusedError{Step: "write", Reason: noAuthor}
	}
	return t.articleForm(cards.ArticleDraft{})
}

// saveAs begins an article with what a resolved ticket says, or goes on with
// the one that was begun.
func (t *turn) saveAs(ctx context.Context) error {
	tk, err := t.ticket(ctx)
	if err != nil {
		return err
	}
	if !t.who.MayWork(tk.Team) || !t.rights().Draft {
		return &ticket.RefusedError{Step: "save", Reason: noAuthor}
	}
	switch id, err := t.tx.ArticleFrom(ctx, tk.ID); {
	case err != nil:
		return err
	case id != 0:
		return t.editArticle(ctx, id)
	}
	names, err := t.namesAround(ctx, tk)
	if err != nil {
		return err
	}
	v := cards.ArticleDraft{Ticket: int64(tk.ID), Article: knowledge.Article{Title: tk.Title, Symptom: tk.Title, Answer: tk.Resolution}}
	if d := strings.TrimSpace(tk.Detail); d != "" && d != tk.Title {
		v.Article.Symptom = d
	}
	if s, ok := t.rules.service(tk.Service); ok {
		v.Article.Tags, v.Article.Environment = []string{s.Slug}, s.Name
	}
	v.Article.Title, v.Article.Symptom = knowledge.MarkPersonal(v.Article.Title, names...), knowledge.MarkPersonal(v.Article.Symptom, names...)
	v.Article.Answer = knowledge.MarkPersonal(v.Article.Answer, names...)
	return t.articleForm(v)
}

// namesAround are the names of everybody who has a part in a ticket.
func (t *turn) namesAround(ctx context.Context, tk ticket.Ticket) ([]string, error) {
	who, err := t.tx.People(ctx, tk.Requester, tk.Author, tk.Owner)
	if err != nil {
		return nil, err
	}
	var names []string
	for _, p := range who {
		names = append(names, p.Name)
	}
	return names, nil
}

// edit opens the form for an article.
func (t *turn) edit(ctx context.Context) error {
	return t.editArticle(ctx, knowledge.ArticleID(t.id("a")))
}

func (t *turn) editArticle(ctx context.Context, id knowledge.ArticleID) error {
	a, err := t.tx.ArticleForUpdate(ctx, id)
	if err != nil {
		return orUnknown(err, "article")
	}
	if reason := t.mayEdit(a); reason != "" {
		return &ticket.RefusedError{Step: "edit", Reason: reason}
	}
	if len([]rune(a.Answer)) > mostAnswer || len([]rune(a.Symptom)) > mostSymptom {
		return &ticket.RefusedError{Step: "edit", Reason: "it is too long for a form here. Change it where it was imported from"}
	}
	return t.articleForm(cards.ArticleDraft{Article: a})
}

func (t *turn) mayEdit(a knowledge.Article) (reason string) {
	r := t.rightsOn(a)
	switch {
	case !t.sees(a):
		return "there is no such article"
	case !r.Draft:
		return noAuthor
	case !r.Publish && (a.State == knowledge.Published || a.State == knowledge.Stale):
		return "it is published, and only those who may publish change it. Press “Wrong or old?” under it instead"
	}
	return ""
}

// articleForm opens the form; what is marked in it is noted as seen.
func (t *turn) articleForm(v cards.ArticleDraft) error {
	v.Article.Title, v.Article.Symptom = clipRunes(v.Article.Title, mostTitle), clipRunes(strings.TrimSpace(v.Article.Symptom), mostSymptom)
	v.Article.Answer = clipRunes(v.Article.Answer, mostAnswer)
	v.Audiences = t.audiences(v.Article.Audience)
	v.Kept = seenMarks(v.Article, strings.Fields(v.Kept))
	f := cards.ArticleForm(v)
	t.answer.Form = &f
	return nil
}

// audiences are for whom an article can be: everybody, or a team or department
// of the policy's.
func (t *turn) audiences(now []string) []chat.Option {
	o := []chat.Option{{Value: knowledge.Everyone, Label: "Everyone"}}
	seen := []string{knowledge.Everyone}
	add := func(slug, label string) {
		if slug != "" && !slices.Contains(seen, slug) && len(o) < 100 {
			seen, o = append(seen, slug), append(o, chat.Option{Value: slug, Label: clip(label, 75)})
		}
	}
	for _, slug := range now {
		add(slug, "Only "+t.rules.policy.Group(slug))
	}
	for _, team := range t.rules.teams {
		add(team.Slug, "Only "+team.Name)
	}
	for _, d := range t.rules.policy.Departments {
		add(d.Slug, "Only "+d.Name)
	}
	for _, p := range t.rules.policy.People {
		add(p.Department, "Only "+p.Department)
	}
	return o
}

// seenMarks are short names of everything that is marked in a form, and of what
// was marked before: of whatever of it is left without marks somebody has
// decided that it may stay.
func seenMarks(a knowledge.Article, before []string) string {
	all := before
	for _, text := range []string{a.Title, a.Symptom, a.Answer, a.Environment} {
		for rest := text; ; {
			_, after, ok := strings.Cut(rest, knowledge.MarkOpen)
			if !ok {
				break
			}
			var inside string
			inside, rest, _ = strings.Cut(after, knowledge.MarkClose)
			if s := markName(inside); !slices.Contains(all, s) && len(all) < 60 {
				all = append(all, s)
			}
		}
	}
	return strings.Join(all, " ")
}

func markName(s string) string {
	h := fnv.New32a()
	_, _ = h.Write([]byte(strings.ToLower(s)))
	return strconv.FormatUint(uint64(h.Sum32()), 36)
}

// unseen tells whether there is something personal in the texts that nobody
// has decided about, and returns them with marks around it.
func unseen(kept []string, names []string, texts ...*string) bool {
	found := false
	for _, text := range texts {
		for _, s := range knowledge.Personal(*text, names...) {
			if !slices.Contains(kept, markName(s)) {
				found = true
			}
		}
	}
	if found {
		for _, text := range texts {
			*text = knowledge.MarkPersonal(*text, names...)
		}
	}
	return found
}

// articleSend saves the form: a new draft, or what was changed.
func (t *turn) articleSend(ctx context.Context) error {
	if !t.rights().Draft && t.id("a") == 0 {
		return &ticket.RefusedError{Step: "save", Reason: noAuthor}
	}
	var (
		a      = knowledge.Article{State: knowledge.Draft, Language: "en", Owner: t.who.Mail}
		tk     ticket.Ticket
		names  []string
		err    error
		source = storage.ArticleSource{Author: t.who.ID, Gap: storage.GapID(t.id("g"))}
	)
	if id := t.id("a"); id != 0 {
		if a, err = t.tx.ArticleForUpdate(ctx, knowledge.ArticleID(id)); err != nil {
			return orUnknown(err, "article")
		}
		if reason := t.mayEdit(a); reason != "" {
			return &ticket.RefusedError{Step: "edit", Reason: reason}
		}
		if t.ev.Args["v"] != strconv.FormatInt(a.Seq, 10) {
			return &ticket.RefusedError{Step: "save", Reason: "somebody has changed it since you opened the form. Open it again, so that nothing of theirs is lost"}
		}
	}
	if id := t.id("t"); id != 0 {
		if tk, err = t.ticket(ctx); err != nil {
			return err
		}
		if !t.who.MayWork(tk.Team) {
			return &ticket.RefusedError{Step: "save", Reason: noAuthor}
		}
		if names, err = t.namesAround(ctx, tk); err != nil {
			return err
		}
		source.Ticket = tk.ID
		if had, err := t.tx.ArticleFrom(ctx, tk.ID); err != nil {
			return err
		} else if had != 0 {
			return &ticket.RefusedError{Step: "save", Reason: "it is saved as " + had.Ref() + " already"}
		}
		if a.Tags == nil && tk.Service != "" {
			a.Tags = []string{tk.Service}
		}
	}
	if t.fill(&a); len(t.answer.Errors) > 0 {
		return nil
	}
	kept := strings.Fields(t.ev.Args["kept"])
	if !knowledge.Marked(a.Title, a.Symptom, a.Answer, a.Environment) && unseen(kept, names, &a.Title, &a.Symptom, &a.Answer, &a.Environment) {
		// Once more, with marks: whoever takes them off has decided.
		return t.articleForm(cards.ArticleDraft{Article: a, Ticket: t.id("t"), Gap: t.id("g"), Kept: t.ev.Args["kept"], Again: true})
	}
	live := a.State == knowledge.Published || a.State == knowledge.Stale
	if live && knowledge.Marked(a.Title, a.Symptom, a.Answer, a.Environment) {
		t.answer.Errors = map[string]string{"answer": "It is published, so what is marked " + knowledge.MarkOpen + "so" + knowledge.MarkClose + " has to go first, or the marks if it may stay."}
		return nil
	}
	if live && t.ev.Args["anyway"] == "" {
		if worse, of, err := t.spoils(ctx, a); err != nil {
			return err
		} else if worse > 0 {
			return t.articleForm(cards.ArticleDraft{Article: a, Kept: t.ev.Args["kept"], Worse: worse, Of: of})
		}
	}
	if a.ID == 0 {
		if a.Slug, err = t.freeSlug(ctx, a, tk, source.Gap); err != nil {
			return err
		}
		if a.Slug == "" {
			t.answer.Errors = map[string]string{"title": "There is an article of this name. Please choose another."}
			return nil
		}
	}
	if live { // whoever changes it has looked at it
		a.State = knowledge.Published
		if !a.ReviewBy.After(t.at) {
			a.ReviewBy = time.Time{}
		}
	}
	if err := t.keepArticle(ctx, a, source); err != nil || !live {
		return err
	}
	if err := t.tx.Redraw(ctx, int64(a.ID), t.at, cards.ReviewCard); err != nil {
		return err
	}
	return t.endFlags(ctx, a, 0, true)
}

// fill takes an article's parts out of the form.
func (t *turn) fill(a *knowledge.Article) {
	v := t.ev.Values
	for field, most := range map[string]int{"title": mostTitle, "symptom": mostSymptom, "answer": mostAnswer, "environment": mostTitle} {
		if t.tooLong(field, most) {
			return
		}
	}
	a.Title = strings.Join(strings.Fields(tidy(v.One("title"))), " ")
	a.Symptom, a.Answer, a.Environment = tidy(v.One("symptom")), tidy(v.One("answer")), tidy(v.One("environment"))
	wrong := map[string]string{}
	for field, text := range map[string]string{"title": a.Title, "symptom": a.Symptom, "answer": a.Answer} {
		if text == "" {
			wrong[field] = "Please fill this in."
		}
	}
	audience := v.One("audience")
	if !slices.ContainsFunc(t.audiences(a.Audience), func(o chat.Option) bool { return o.Value == audience }) {
		wrong["audience"] = "Please choose who may read it."
	} else if !slices.Contains(a.Audience, audience) || len(a.Audience) == 1 {
		a.Audience = []string{audience}
	}
	if len(wrong) > 0 {
		t.answer.Errors = wrong
	}
}

// freeSlug names a new article; "" if its title is taken.
func (t *turn) freeSlug(ctx context.Context, a knowledge.Article, tk ticket.Ticket, gap storage.GapID) (string, error) {
	if tk.ID != 0 {
		return strings.ToLower(tk.Ref()), nil
	}
	if gap != 0 {
		return fmt.Sprintf("gap-%d", gap), nil
	}
	slug := clip(strings.Join(wordsOf(a.Title), "-"), 60)
	taken, err := t.tx.SlugTaken(ctx, slug)
	if err != nil || taken || slug == "" {
		return "", err
	}
	return slug, nil
}

// keepArticle stores an article, tries it on past questions and shows its card.
func (t *turn) keepArticle(ctx context.Context, a knowledge.Article, source storage.ArticleSource) error {
	fresh := a.ID == 0
	if fresh && source.Gap != 0 {
		g, err := t.tx.GapForUpdate(ctx, source.Gap)
		if err != nil {
			return orUnknown(err, "question")
		}
		if g.Outcome != storage.GapOpen {
			return &ticket.RefusedError{Step: "save", Reason: "something was done about it meanwhile"}
		}
	}
	a, changed, err := t.putArticle(ctx, a)
	if err != nil || !changed {
		return err
	}
	if err := t.tx.PutArticleSource(ctx, a.ID, source, t.at); err != nil {
		return err
	}
	if fresh && source.Gap != 0 {
		g, err := t.tx.GapForUpdate(ctx, source.Gap)
		if err != nil {
			return err
		}
		g.Outcome, g.Article = storage.GapArticle, a.ID
		if err := t.endGap(ctx, g); err != nil {
			return err
		}
	}
	if !fresh {
		return t.tx.Redraw(ctx, int64(a.ID), t.at, cards.ArticleCard)
	}
	if err := t.tx.Send(ctx, storage.Post{Kind: string(chat.Message), Platform: t.ev.By.Platform, Workspace: t.ev.By.Workspace, User: t.ev.By.ID,
		Card: cards.ArticleCard, Subject: int64(a.ID)}, storage.LaneReply, t.at); err != nil {
		return err
	}
	if !a.ReadableBy(nil) {
		return nil // not even its title is for everybody in the channel
	}
	for _, c := range t.rules.posted(t.rules.policy.Knowledge.Channel) {
		if err := t.tx.Send(ctx, storage.Post{Kind: string(chat.Message), Platform: c.Platform, Workspace: c.Workspace, Channel: c.Channel,
			Card: cards.ArticleCard, Subject: int64(a.ID)}, storage.LaneDigest, t.at); err != nil {
			return err
		}
	}
	return nil
}

func clipRunes(s string, n int) string {
	if r := []rune(s); len(r) > n {
		return string(r[:n-1]) + "…"
	}
	return s
}

// putArticle stores an article. Indexes learn of it with the commit.
func (t *turn) putArticle(ctx context.Context, a knowledge.Article) (stored knowledge.Article, changed bool, err error) {
	stored, _, changed, err = t.tx.PutArticle(ctx, a, t.who.ID, t.via(), t.at)
	if err != nil || !changed {
		return stored, changed, err
	}
	t.desk.wrote.Store(true)
	if stored.State == knowledge.Draft || stored.State == knowledge.Reviewed {
		err = t.tx.SetDue(ctx, articleTrial, int64(stored.ID), t.at)
	}
	return stored, changed, err
}

// counted is "1 question", "3 questions".
func counted(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return strconv.Itoa(n) + " " + what + "s"
}
