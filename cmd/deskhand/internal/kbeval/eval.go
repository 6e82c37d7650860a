package kbeval

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/deskhand/deskhand/bot"
	"github.com/deskhand/deskhand/cmd/deskhand/internal/app"
	"github.com/deskhand/deskhand/core/knowledge"
	"github.com/deskhand/deskhand/core/people"
	"github.com/deskhand/deskhand/core/policy"
	"github.com/deskhand/deskhand/kb"
	"github.com/deskhand/deskhand/storage"
	"github.com/deskhand/deskhand/storage/pglocal"
)

// Options of a measurement. Files are JSON lines, packed if they end in .gz.
type Options struct {
	Articles     []string // id, title, text; summary, product and topics if there are any
	History      []string // past questions: id, title, text, date
	HistoryLinks []string // "question 0 article 2": what solved them
	Queries      string
	Run          string // file to write: "query document rank score"
	Limit        int
	Adviser      Adviser // nil: the desk ranks alone
	Answers      string  // what answers the queries, if the adviser is to be judged by it
	Progress     func(string)
}

// Figures are what a measurement cost.
type Figures struct {
	Articles, Past, Queries int
	Import, Index, Learn    time.Duration
	IndexBytes              int64
	P50, P99                time.Duration
	Advised                 *Advised // nil without an adviser
}

// desk is a fresh record and an index of it.
type desk struct {
	dir    string
	db     *storage.DB
	pg     *pglocal.Server
	index  *kb.Index
	person people.PersonID
	ids    map[string]knowledge.ArticleID
	names  map[knowledge.ArticleID]string
	say    func(string)
}

func newDesk(ctx context.Context, say func(string)) (_ *desk, err error) {
	if say == nil {
		say = func(string) {}
	}
	d := &desk{ids: map[string]knowledge.ArticleID{}, names: map[knowledge.ArticleID]string{}, say: say}
	defer func() {
		if err != nil {
			err = errors.Join(err, d.close())
		}
	}()
	if d.dir, err = os.MkdirTemp(pglocal.TempDir(), "deskhand-eval-"); err != nil {
		return nil, err
	}
	if err := os.Chmod(d.dir, 0o711); err != nil { // Postgres does not run as root, and has to get into it
		return nil, err
	}
	if d.db, d.pg, err = app.OpenDatabase(ctx, "", d.dir, 0, say); err != nil {
		return nil, err
	}
	if d.index, err = kb.Open(kb.Options{Dir: filepath.Join(d.dir, "index")}); err != nil {
		return nil, err
	}
	return d, d.db.InTx(ctx, func(tx *storage.Tx) error {
		if _, err := tx.ApplyPolicy(ctx, policy.BuiltIn(), "kb eval", time.Now()); err != nil {
			return err
		}
		return tx.QueryRow(ctx, `insert into people (name, guest) values ('Somebody', true) returning id`).Scan(&d.person)
	})
}

func (d *desk) close() (err error) {
	if d.index != nil {
		err = d.index.Close()
	}
	if d.db != nil {
		d.db.Close()
	}
	if d.pg != nil {
		err = errors.Join(err, d.pg.Stop())
	}
	return errors.Join(err, os.RemoveAll(d.dir))
}

// articles imports articles; without leaves some out.
func (d *desk) articles(ctx context.Context, all []item) error {
	for batch := range slices.Chunk(all, 500) {
		if err := d.db.InTx(ctx, func(tx *storage.Tx) error {
			for _, it := range batch {
				a, _, _, err := tx.PutArticle(ctx, it.article(), 0, "deskhand kb eval", time.Now())
				if err != nil {
					return err
				}
				d.ids[it.ID], d.names[a.ID] = a.ID, it.ID
			}
			return nil
		}); err != nil {
			return err
		}
	}
	return nil
}

// history puts on record that articles solved questions, in order of time.
func (d *desk) history(ctx context.Context, all []item, links map[string][]string) (n int, err error) {
	slices.SortStableFunc(all, func(a, b item) int { return a.at.Compare(b.at) })
	for batch := range slices.Chunk(all, 1000) {
		var past []storage.Question
		var also [][]knowledge.ArticleID
		for _, it := range batch {
			var solved []knowledge.ArticleID
			for _, a := range links[it.ID] {
				if id, ok := d.ids[a]; ok {
					solved = append(solved, id)
				}
			}
			if len(solved) == 0 {
				continue
			}
			past = append(past, storage.Question{Person: d.person, Text: it.asked(), AskedAt: it.at, Confidence: "low", Shown: solved,
				Outcome: storage.Solved, Article: solved[0], EndedAt: &it.at})
			also = append(also, solved[1:])
		}
		if err := d.db.InTx(ctx, func(tx *storage.Tx) error {
			if err := tx.ImportQuestions(ctx, past, "deskhand kb eval"); err != nil {
				return err
			}
			var last storage.QuestionID
			if err := tx.QueryRow(ctx, `select max(id) from questions`).Scan(&last); err != nil {
				return err
			}
			for i, more := range also {
				for _, a := range more {
					if err := tx.Helped(ctx, last-storage.QuestionID(len(past)-1-i), a, past[i].AskedAt); err != nil {
						return err
					}
				}
			}
			return nil
		}); err != nil {
			return n, err
		}
		n += len(past)
	}
	return n, nil
}

func readAll(paths []string) (all []item, err error) {
	for _, p := range paths {
		more, err := readItems(p)
		if err != nil {
			return nil, err
		}
		all = append(all, more...)
	}
	return all, nil
}

func readAllLinks(paths []string) (map[string][]string, error) {
	all := map[string][]string{}
	for _, p := range paths {
		links, err := readLinks(p)
		if err != nil {
			return nil, err
		}
		for q, a := range links {
			all[q] = append(all[q], a...)
		}
	}
	return all, nil
}

// Run measures suggestions and writes the run file.
func Run(ctx context.Context, o Options) (f Figures, err error) {
	articles, err := readAll(o.Articles)
	if err != nil {
		return f, err
	}
	history, err := readAll(o.History)
	if err != nil {
		return f, err
	}
	links, err := readAllLinks(o.HistoryLinks)
	if err != nil {
		return f, err
	}
	queries, err := readItems(o.Queries)
	if err != nil {
		return f, err
	}
	d, err := newDesk(ctx, o.Progress)
	if err != nil {
		return f, err
	}
	defer func() { err = errors.Join(err, d.close()) }()
	began := time.Now()
	if dated(articles) {
		names, err := d.tickets(ctx, articles, nil)
		if err != nil {
			return f, err
		}
		f.Past, f.Import = len(articles), time.Since(began)
		return f, d.similar(ctx, queries, names, o, &f)
	}
	if err := d.articles(ctx, articles); err != nil {
		return f, err
	}
	if f.Past, err = d.history(ctx, history, links); err != nil {
		return f, err
	}
	f.Articles, f.Queries, f.Import = len(articles), len(queries), time.Since(began)
	began = time.Now()
	if err := bot.CatchUp(ctx, d.db, d.index, nil); err != nil {
		return f, err
	}
	f.Index = time.Since(began)
	if f.IndexBytes, err = size(filepath.Join(d.dir, "index")); err != nil {
		return f, err
	}
	if o.Adviser != nil {
		return f, d.advisedRun(ctx, queries, o, &f)
	}
	return f, d.ask(ctx, queries, o, &f)
}

// dated tells whether what is to be found are tickets: an article has no date
// on which it was solved.
func dated(all []item) bool { return len(all) > 0 && !all[0].at.IsZero() }

// ask puts the questions in the order of their dates, each to a desk that knows
// what had been solved until then, and writes what was found.
func (d *desk) ask(ctx context.Context, queries []item, o Options, f *Figures) error {
	slices.SortStableFunc(queries, func(a, b item) int { return a.at.Compare(b.at) })
	return writeRun(o.Run, queries, f, func(q item, w *bufio.Writer) (time.Duration, error) {
		if err := d.learn(ctx, q.at, f); err != nil {
			return 0, err
		}
		ask := kb.Query{Text: q.asked(), At: q.at, Limit: 3}
		began := time.Now()
		if _, err := d.index.Suggest(ctx, ask); err != nil {
			return 0, err
		}
		took := time.Since(began)
		ask.Limit = o.Limit
		return took, d.list(ctx, q, ask, w)
	})
}

// list writes the order of articles for a question.
func (d *desk) list(ctx context.Context, q item, ask kb.Query, w *bufio.Writer) error {
	hits, err := d.index.Rank(ctx, ask)
	for i, h := range hits {
		score := h.Score
		if len(ask.Advice.Order) > 0 {
			score = -float64(i) // scorers go by it, and it is not by score that they are ordered
		}
		fmt.Fprintf(w, "%s %s %d %.6f\n", q.ID, d.names[h.Article], i+1, score)
	}
	return err
}

// learn brings the index to where it was at a time.
func (d *desk) learn(ctx context.Context, until time.Time, f *Figures) error {
	began := time.Now()
	defer func() { f.Learn += time.Since(began) }()
	if err := bot.LearnEvidence(ctx, d.db, d.index, until); err != nil {
		return err
	}
	if d.index.TrainingDue() {
		return d.index.Train(ctx)
	}
	return nil
}

// size is what a directory takes on disk.
func size(dir string) (n int64, err error) {
	err = filepath.WalkDir(dir, func(_ string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		info, err := e.Info()
		if err == nil {
			n += info.Size()
		}
		return err
	})
	return n, err
}

// Lines are the figures for people.
func (f Figures) Lines() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d articles and %d past questions on record in %s\n", f.Articles, f.Past, f.Import.Round(time.Millisecond))
	fmt.Fprintf(&b, "index: %s, %.1f MB on disk; learnt and trained in %s\n", f.Index.Round(time.Millisecond), float64(f.IndexBytes)/1e6, f.Learn.Round(time.Millisecond))
	fmt.Fprintf(&b, "%d questions: p50 %.2f ms, p99 %.2f ms", f.Queries, f.P50.Seconds()*1000, f.P99.Seconds()*1000)
	if f.Advised != nil {
		b.WriteString("\n" + f.Advised.Lines())
	}
	return b.String()
}
