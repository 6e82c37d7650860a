// Package bench measures the desk on a private Postgres with its default
// durability and doubles of Slack and Teams, each figure beside its floor where it has one,
// both taken in alternating rounds of the same run: what counts is the ratio,
// for it survives another machine.
package bench

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/deskhand/deskhand/adapters/slack/slacktest"
	"github.com/deskhand/deskhand/storage"
	"github.com/deskhand/deskhand/storage/pglocal"
)

// ChildVariable is set in the environment of a process that is to call Child.
const ChildVariable = "DESKHAND_BENCH_CHILD"

// Scale is how much is measured, and for how long.
type Scale struct {
	People   int
	Rounds   int           // of each alternation
	Round    time.Duration // one of them
	Small    int           // articles
	Middle   int
	Large    int
	Tickets  int           // that are there already
	Lives    int           // tickets that are taken through their life
	Asking   time.Duration // questions, in each measurement
	Queries  int           // suggestions and lists
	Patience time.Duration // for one answer
	Gentle   bool          // fewer connections, for a test

	Promises int           // open tickets with two clocks each
	Changing int           // clocks that another policy concerns
	Moving   int           // clocks that are moved about
	AtOnce   int           // clocks that are due at one instant
	Storm    int           // promises that are missed within Telling, at Slack's pace
	Telling  time.Duration // how long promises are missed one after the other
	Idle     time.Duration // how long nothing happens

	Items   int // configuration items, with five relations each
	Changes int // that are to come
	Clicks  int // on changes that are asked about

	Hurry int // replies to each of some people in Teams, all at once
}

// Full is what the goals are meant for, Quick is a look, and Tiny keeps the
// benchmark itself from breaking unseen.
var (
	Full = Scale{People: 1000, Rounds: 5, Round: 3 * time.Second, Small: 1000, Middle: 10_000, Large: 50_000,
		Tickets: 100_000, Lives: 1500, Asking: 25 * time.Second, Queries: 2000, Patience: time.Minute,
		Promises: 1_000_000, Changing: 100_000, Moving: 100_000, AtOnce: 10_000, Storm: 1000, Telling: time.Minute, Idle: 20 * time.Second, Hurry: 60,
		Items: 100_000, Changes: 50_000, Clicks: 300}
	Quick = Scale{People: 300, Rounds: 3, Round: time.Second, Small: 1000, Middle: 3000, Large: 10_000,
		Tickets: 10_000, Lives: 300, Asking: 6 * time.Second, Queries: 500, Patience: time.Minute,
		Promises: 50_000, Changing: 10_000, Moving: 10_000, AtOnce: 1000, Storm: 200, Telling: 10 * time.Second, Idle: 8 * time.Second, Hurry: 12,
		Items: 20_000, Changes: 10_000, Clicks: 100}
	Tiny = Scale{People: 40, Rounds: 1, Round: 150 * time.Millisecond, Small: 30, Middle: 60, Large: 90,
		Tickets: 100, Lives: 6, Asking: 300 * time.Millisecond, Queries: 20, Patience: time.Minute, Gentle: true,
		Promises: 500, Changing: 100, Moving: 100, AtOnce: 50, Storm: 12, Telling: time.Second, Idle: time.Second, Hurry: 4,
		Items: 200, Changes: 50, Clicks: 3}
)

// Options say what to measure. Child is needed.
type Options struct {
	Child    []string // the command of a process that calls Child when ChildVariable is set
	Scale    Scale
	Only     []string // names of stages; empty: all
	Dir      string   // a directory on a real disk; empty: a temporary one
	Profile  string   // directory for CPU profiles of the desk; empty: none are taken
	Settings map[string]string
	Progress func(string)
}

// Row is one line of the table.
type Row struct {
	Name    string             `json:"name"`
	What    string             `json:"what"`
	Value   string             `json:"value"`
	FloorIs string             `json:"floor_is,omitempty"` // what Floor is a figure of
	Floor   string             `json:"floor,omitempty"`
	Ratio   string             `json:"ratio,omitempty"`
	Goal    string             `json:"goal,omitempty"`
	Met     *bool              `json:"met,omitempty"`
	Figures map[string]float64 `json:"figures"`
}

// goal says what was to be reached, and whether it is.
func (r Row) goal(met bool, format string, args ...any) Row {
	r.Goal, r.Met = fmt.Sprintf(format, args...), &met
	return r
}

type bench struct {
	o          Options
	dir        string
	pg         *pglocal.Server
	db         *storage.DB
	postmaster int
	company    *company
	slack      *slacktest.Workspace
	listener   *listener
	fired      atomic.Int64
	articles   int // in the record
	rows       []Row
}

// stage is a group of rows that are measured together.
type stage struct {
	name  string
	what  string
	takes func(Scale) time.Duration // about, on two cores
	run   func(*bench, context.Context) error
}

// Stages are the names for Options.Only, in the order in which they run.
func Stages() []string {
	var names []string
	for _, s := range stages {
		names = append(names, s.name)
	}
	return names
}

var stages = []stage{
	{"ack", "acknowledging events", func(s Scale) time.Duration {
		return time.Duration(s.Rounds)*s.Round*4 + 5*time.Second
	}, (*bench).acknowledge},
	{"busy", "acknowledging events while the desk works", func(s Scale) time.Duration {
		return time.Duration(s.Rounds)*s.Round*3 + 10*time.Second
	}, (*bench).acknowledgeBusy},
	{"search", "suggesting articles", func(s Scale) time.Duration {
		return time.Duration(s.Small+s.Middle+s.Large) * 1200 * time.Microsecond
	}, (*bench).searching},
	{"small", "questions among a few articles", func(s Scale) time.Duration {
		return s.Asking + 5*time.Second
	}, (*bench).askSmall},
	{"work", "questions, tickets, lists and memory", func(s Scale) time.Duration {
		return 3*s.Asking + time.Duration(s.Middle+s.Tickets+40*s.Lives)*time.Millisecond
	}, (*bench).work},
	{"teams", "Teams, and replies from Slack to Teams", func(s Scale) time.Duration {
		return 3*s.Asking + time.Duration(s.Hurry)*time.Second/2 + 20*time.Second
	}, (*bench).inTeams},
	{"large", "questions among many articles", func(s Scale) time.Duration {
		return s.Asking + time.Duration(s.Large)*time.Millisecond
	}, (*bench).askLarge},
	{"sla", "telling what is late", func(s Scale) time.Duration {
		return 4*s.Telling + 3*s.Idle + time.Duration(s.Promises)*120*time.Microsecond + time.Duration(s.Changing+s.Moving)*300*time.Microsecond + time.Minute
	}, (*bench).serviceLevels},
	{"change", "judging and approving changes", func(s Scale) time.Duration {
		return 20*time.Second + time.Duration(s.Clicks)*120*time.Millisecond + time.Duration(s.Items)*300*time.Microsecond
	}, (*bench).changing},
}

// Run measures. It leaves nothing behind but what Options name.
func Run(ctx context.Context, o Options) (rows []Row, err error) {
	if len(o.Child) == 0 {
		return nil, errors.New("bench: need the command of the desk")
	}
	if o.Progress == nil {
		o.Progress = func(string) {}
	}
	for _, name := range o.Only {
		if !slices.Contains(Stages(), name) {
			return nil, fmt.Errorf("there is nothing %q to measure; choose from %s", name, strings.Join(Stages(), ", "))
		}
	}
	b := &bench{o: o, dir: o.Dir}
	if err := b.open(ctx); err != nil {
		return nil, errors.Join(err, b.close())
	}
	defer func() { err = errors.Join(err, b.close()) }()

	var chosen []stage
	var left time.Duration
	for _, s := range stages {
		if len(o.Only) == 0 || slices.Contains(o.Only, s.name) {
			chosen = append(chosen, s)
			left += s.takes(o.Scale)
		}
	}
	for i, s := range chosen {
		b.say("%d of %d: %s; about %s left", i+1, len(chosen), s.what, left.Round(time.Second))
		if err := s.run(b, ctx); err != nil {
			return b.rows, fmt.Errorf("%s: %w", s.name, err)
		}
		left -= s.takes(o.Scale)
	}
	return b.rows, nil
}

func (b *bench) say(format string, args ...any) { b.o.Progress(fmt.Sprintf(format, args...)) }

func (b *bench) add(r ...Row) { b.rows = append(b.rows, r...) }

// open starts what every stage needs.
func (b *bench) open(ctx context.Context) (err error) {
	if b.dir == "" {
		// Not pglocal.TempDir, which may be in memory: a commit is to wait for a
		// disk.
		if b.dir, err = os.MkdirTemp("/var/tmp", "deskhand-bench-"); err != nil {
			return err
		}
	}
	if err := os.MkdirAll(b.dir, 0o755); err != nil { //nolint:gosec // as below
		return err
	}
	if b.o.Profile != "" {
		if err := os.MkdirAll(b.o.Profile, 0o755); err != nil { //nolint:gosec // nothing secret is in it
			return err
		}
	}
	if err := os.Chmod(b.dir, 0o755); err != nil { //nolint:gosec // Postgres runs as another user when we are root
		return err
	}
	if b.pg, err = pglocal.Start(ctx, pglocal.Options{Dir: filepath.Join(b.dir, "postgres"), Progress: b.o.Progress, Settings: b.o.Settings}); err != nil {
		return err
	}
	if b.db, err = storage.Open(ctx, b.pg.URL()); err != nil {
		return err
	}
	if err := storage.Migrate(ctx, b.db); err != nil {
		return err
	}
	if b.postmaster, err = postmasterOf(ctx, b.db); err != nil {
		return err
	}
	b.company = newCompany(b.o.Scale.People, time.Now())
	if err := b.company.settle(ctx, b.db); err != nil {
		return err
	}
	if b.slack, err = b.company.workspace(); err != nil {
		return err
	}
	b.listener = listen(b.slack)
	return nil
}

func (b *bench) close() (err error) {
	if b.listener != nil {
		b.listener.close()
	}
	if b.slack != nil {
		err = errors.Join(err, b.slack.Close())
	}
	if b.db != nil {
		b.db.Close()
	}
	if b.pg != nil {
		err = errors.Join(err, b.pg.Stop())
	}
	if b.o.Dir == "" && b.dir != "" {
		err = errors.Join(err, os.RemoveAll(b.dir))
	}
	return err
}

// haveArticles brings the record to n articles.
func (b *bench) haveArticles(ctx context.Context, n int) error {
	if b.articles >= n {
		return nil
	}
	err := b.company.articles(ctx, b.db, b.articles+1, n+1, func(int) {})
	b.articles = n
	return err
}

// profiled has what the desk does meanwhile profiled, if that is wanted.
func (b *bench) profiled(c *child, name string, do func() error) error {
	if b.o.Profile == "" {
		return do()
	}
	if _, err := c.ask(childOrder{Profile: filepath.Join(b.o.Profile, name+".pprof")}); err != nil {
		return err
	}
	err := do()
	_, doneErr := c.ask(childOrder{Done: true})
	return errors.Join(err, doneErr)
}

// median of figures; the order is not kept.
func median(of []float64) float64 {
	if len(of) == 0 {
		return 0
	}
	slices.Sort(of)
	return of[len(of)/2]
}

func ms(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
