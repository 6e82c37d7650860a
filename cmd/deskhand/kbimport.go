package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/deskhand/deskhand/core/knowledge"
	"github.com/deskhand/deskhand/kb/articlefile"
	"github.com/deskhand/deskhand/storage"
)

type kbImportCmd struct {
	storeFlags
	Path      string            `arg:"" help:"Folder, zip file or single file." type:"path"`
	DryRun    bool              `help:"Only say what would come of it."`
	Format    string            `help:"What it is, if not what it looks like: ${enum}." enum:"markdown,html,csv,json,confluence-xml,confluence-html,auto" default:"auto"`
	Source    string            `help:"Name of where it comes from. Articles of one source are known again by their keys there." placeholder:"NAME"`
	For       []string          `help:"Who may read what is open to everybody there: team or department slugs, or everyone." placeholder:"SLUG"`
	Audience  map[string]string `help:"Who a group there is here, as hr-staff=hr, or several as hr-staff=hr+legal. *=it is any other group." placeholder:"GROUP=SLUG"`
	Language  string            `help:"Language of what does not say." default:"en"`
	Overwrite bool              `help:"Take the source's word also for what has been changed on the desk."`
	All       bool              `help:"List every problem, not the first 20 of each kind."`
}

// Help is shown with the command.
func (kbImportCmd) Help() string {
	return `Each article comes in whole, with its pictures, in a transaction of its own: stop it when you like, and run it again to go on.

Run again later, it brings up to date what has changed at its source. What was changed on the desk meanwhile stays; what was changed on both sides is listed and left as it is on the desk.

An article that is for a few at its source is left out unless --audience says who they are here.`
}

var slug = regexp.MustCompile(`^[a-z0-9]+([._-][a-z0-9]+)*$`)

func (c *kbImportCmd) options() (articlefile.Options, error) {
	o := articlefile.Options{Format: strings.TrimPrefix(c.Format, "auto"), Source: c.Source, For: c.For, Language: c.Language, Today: time.Now(), Audience: map[string][]string{}}
	for group, slugs := range c.Audience {
		o.Audience[group] = strings.Split(slugs, "+")
	}
	for _, s := range slices.Concat(append(slices.Collect(maps.Values(o.Audience)), c.For)...) {
		if !slug.MatchString(s) {
			return o, fmt.Errorf("%q is no team or department; write the short name it has in the policy, in small letters", s)
		}
	}
	if strings.Contains(c.Source, "/") {
		return o, errors.New("a --source has no / in its name")
	}
	return o, nil
}

func (c *kbImportCmd) Run(ctx context.Context, e *env) (err error) {
	o, err := c.options()
	if err != nil {
		return err
	}
	dir, closeDir, err := articlefile.Open(c.Path)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, closeDir()) }()
	db, done, err := c.open(ctx, e)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, done()) }()
	in := &importing{kbImportCmd: c, e: e, db: db}
	if err := in.look(ctx, &o); err != nil {
		return err
	}
	o.Progress = e.progress
	batch, err := articlefile.Read(dir, o)
	if err != nil {
		return err
	}
	in.problems = batch.Problems
	if err := in.run(ctx, batch.Articles); err != nil {
		return err
	}
	return in.report()
}

// importing is one run of the command.
type importing struct {
	*kbImportCmd
	e        *env
	db       *storage.DB
	copies   knowledge.Copies
	came     map[articlefile.Origin]knowledge.ArticleID
	bySlug   map[string]knowledge.ArticleID
	problems []articlefile.Problem

	added, changed, same           int
	duplicates, conflicts, remarks []string
}

// look learns what the desk has already.
func (in *importing) look(ctx context.Context, o *articlefile.Options) error {
	in.came, in.bySlug = map[articlefile.Origin]knowledge.ArticleID{}, map[string]knowledge.ArticleID{}
	slugs := map[articlefile.Origin]string{}
	o.Slug = func(source, key string) (string, bool) {
		s, ok := slugs[articlefile.Origin{Source: source, Key: key}]
		return s, ok
	}
	o.Taken = func(slug string) bool { return in.bySlug[slug] != 0 }
	return in.db.View(ctx, func(tx *storage.Tx) error {
		sources, err := tx.Provenances(ctx)
		if err != nil {
			return err
		}
		for _, s := range sources {
			o := articlefile.Origin{Source: s.Source, Key: s.Key}
			in.came[o], slugs[o] = s.Article, s.Slug
		}
		return eachArticle(ctx, tx, func(a knowledge.Article) error {
			in.bySlug[a.Slug] = a.ID
			if a.State != knowledge.Retired {
				in.copies.Add(a, fmt.Sprintf("%s “%s”", a.ID.Ref(), a.Title))
			}
			return nil
		})
	})
}

// eachArticle calls each with all articles, in the order of their last changes.
func eachArticle(ctx context.Context, tx *storage.Tx, each func(knowledge.Article) error) error {
	for seq := int64(0); ; {
		batch, err := tx.ArticlesSince(ctx, seq, 500)
		if err != nil || len(batch) == 0 {
			return err
		}
		for _, a := range batch {
			if err := each(a); err != nil {
				return err
			}
			seq = a.Seq
		}
	}
}

func (in *importing) run(ctx context.Context, articles []articlefile.Article) error {
	began := time.Now()
	for i, a := range articles {
		if err := in.take(ctx, a); err != nil {
			return fmt.Errorf("%w\n%d articles before it are in and complete; run it again to go on", err, i)
		}
		if n := i + 1; n%200 == 0 {
			left := time.Since(began) / time.Duration(n) * time.Duration(len(articles)-n)
			in.e.progress(fmt.Sprintf("%d of %d articles, about %s left", n, len(articles), left.Round(time.Second)))
		}
	}
	return nil
}

// where is an article in the listing.
func where(a articlefile.Article) string {
	return strings.TrimSuffix(articlefile.Problem{File: a.File, Line: a.Line, Title: a.Title}.String(), ": ")
}

func (in *importing) take(ctx context.Context, a articlefile.Article) error {
	line := func(format string, args ...any) string {
		return articlefile.Problem{File: a.File, Line: a.Line, Title: a.Title, Text: fmt.Sprintf(format, args...)}.String()
	}
	if !in.known(a) {
		if other, ok := in.copies.Find(a.Article); ok {
			in.duplicates = append(in.duplicates, line("says what %s says", other))
			return nil
		}
	}
	incoming := storage.IncomingArticle{Article: a.Article, Source: a.Source, Key: a.Key, ReviewFromToday: a.ReviewFromToday}
	for _, o := range a.Also {
		incoming.Also = append(incoming.Also, [2]string{o.Source, o.Key})
	}
	for _, p := range a.Pictures {
		data, err := p.Data()
		if err != nil {
			return err
		}
		incoming.Pictures = append(incoming.Pictures, storage.ArticlePicture{Name: p.Name, Data: data})
	}
	var out storage.Arrival
	err := in.db.InTx(ctx, func(tx *storage.Tx) (err error) {
		out, err = tx.ImportArticle(ctx, incoming, storage.ImportHow{Overwrite: in.Overwrite, Look: in.DryRun}, "deskhand kb import", time.Now())
		return err
	})
	if err != nil {
		return err
	}
	switch {
	case len(out.Conflicts) > 0:
		in.conflicts = append(in.conflicts, line("%s was changed on the desk and at its source: %s", out.ID.Ref(), strings.Join(out.Conflicts, ", ")))
		return nil
	case out.New:
		in.added++
	case out.Changed:
		in.changed++
	default:
		in.same++
	}
	if out.Number {
		in.remarks = append(in.remarks, line("its number %s is another article's here, so it has a new one", a.ID.Ref()))
	}
	name := where(a)
	if !out.New {
		name = fmt.Sprintf("%s “%s”", out.ID.Ref(), out.Title)
	}
	in.copies.Add(a.Article, name)
	return nil
}

// known tells that the article is one that the desk has, not a new one.
func (in *importing) known(a articlefile.Article) bool {
	for _, o := range append([]articlefile.Origin{a.Origin}, a.Also...) {
		if in.came[o] != 0 {
			return true
		}
	}
	return in.bySlug[a.Slug] != 0
}

// report says what came of it.
func (in *importing) report() error {
	kinds := map[articlefile.Kind][]string{articlefile.Remark: in.remarks}
	for _, p := range in.problems {
		kinds[p.Kind] = append(kinds[p.Kind], p.String())
	}
	links, pictures, out := kinds[articlefile.BrokenLink], kinds[articlefile.BrokenPicture], kinds[articlefile.LeftOut]
	verb := "Imported"
	if in.DryRun {
		verb = "Would import"
	}
	in.e.say("%s %d, %s, %s.", verb, in.added+in.changed, count(len(in.duplicates), "duplicate"), count(len(links), "broken link"))
	in.e.say("%d new, %d changed, %d as they were, %s, %d left out, %s.", in.added, in.changed, in.same,
		count(len(in.conflicts), "conflict"), len(out), count(len(pictures), "missing picture"))
	in.list("Left out", out)
	in.list("Changed on both sides; nothing was done", in.conflicts)
	in.list("Duplicates, not brought in again", in.duplicates)
	in.list("Broken links; their text stays", links)
	in.list("Missing pictures; their description stays", pictures)
	in.list("Also", kinds[articlefile.Remark])
	if in.DryRun {
		in.e.say("Nothing was changed: this was only a look.")
	}
	switch {
	case len(out) > 0:
		return fmt.Errorf("%s left out, see above", countWas(len(out), "article"))
	case len(in.conflicts) > 0:
		return fmt.Errorf("%s changed on both sides and stay as they are on the desk; --overwrite takes the source's word", countWas(len(in.conflicts), "article"))
	}
	return nil
}

func (in *importing) list(title string, lines []string) {
	if len(lines) == 0 {
		return
	}
	in.e.say("%s:", title)
	for i, l := range lines {
		if i == most && !in.All {
			in.e.say("  and %d more; --all lists them", len(lines)-most)
			break
		}
		in.e.say("  %s", l)
	}
}

func countWas(n int, noun string) string {
	if n == 1 {
		return "1 " + noun + " was"
	}
	return fmt.Sprintf("%d %ss were", n, noun)
}

type kbExportCmd struct {
	storeFlags
	Dir string `arg:"" help:"Folder to write to: new, or one with an earlier export." type:"path"`
}

// Help is shown with the command.
func (kbExportCmd) Help() string {
	return `A Markdown file for each article, with front matter, and its pictures in images/. To bring it in again, or into another desk, use deskhand kb import: the articles keep their numbers.`
}

func (c *kbExportCmd) Run(ctx context.Context, e *env) (err error) {
	db, done, err := c.open(ctx, e)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, done()) }()
	out, err := articlefile.NewExport(c.Dir)
	if err != nil {
		return err
	}
	n := 0
	err = db.View(ctx, func(tx *storage.Tx) error {
		sources, err := tx.Provenances(ctx)
		if err != nil {
			return err
		}
		from := map[knowledge.ArticleID][]articlefile.Origin{}
		for _, s := range sources {
			from[s.Article] = append(from[s.Article], articlefile.Origin{Source: s.Source, Key: s.Key})
		}
		return eachArticle(ctx, tx, func(a knowledge.Article) error {
			pictures, err := tx.ArticlePictures(ctx, a.ID)
			if err != nil {
				return err
			}
			for _, p := range pictures {
				if err := out.Picture(p.Name, p.Data); err != nil {
					return err
				}
			}
			if n++; n%500 == 0 {
				e.progress(fmt.Sprintf("%d articles written", n))
			}
			return out.Article(a, from[a.ID])
		})
	})
	if err != nil {
		return err
	}
	gone, err := out.Close()
	if err != nil {
		return err
	}
	e.say("Exported %s to %s.", count(n, "article"), c.Dir)
	if gone > 0 {
		e.say("%s of an earlier export are not articles any more and were removed.", count(gone, "file"))
	}
	return nil
}
