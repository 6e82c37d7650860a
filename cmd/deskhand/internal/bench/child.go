package bench

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/exec"
	"runtime/pprof"
	"time"

	"github.com/deskhand/deskhand/adapters/slack"
	"github.com/deskhand/deskhand/bot/chat"
	"github.com/deskhand/deskhand/bot/inbox"
	"github.com/deskhand/deskhand/cmd/deskhand/internal/app"
	"github.com/deskhand/deskhand/storage"
)

// What is measured runs as a process of its own, so that neither the double
// nor what makes the load counts as its cost.

// mode is what a child process does.
type mode string

const (
	wholeDesk  mode = "desk"   // all of it
	acceptOnly mode = "accept" // receives events and stores them; nobody works on them
	bareInsert mode = "floor"  // verifies the signature and does one INSERT
)

// childSpec is the first line that a child reads.
type childSpec struct {
	Mode          mode
	Database      string // URL
	Data          string // directory
	Slack         string // URL of its API
	SigningSecret string
	BotToken      string
	MaxConns      int
	Paced         bool      // it keeps to the platform's limits
	Teams         app.Teams // the zero value: not connected to Teams
}

// childOrder is each line after it; the child answers with a childReport.
type childOrder struct {
	Profile string `json:",omitempty"` // begin a CPU profile in this file
	Done    bool   `json:",omitempty"` // end it
}

type childReport struct {
	Addr  string        `json:",omitempty"` // in the first report
	CPU   time.Duration // since the process began
	RSS   int64         // bytes
	Error string        `json:",omitempty"`
}

// Child is what the process does that Options.Child names: it serves until in
// ends.
func Child(ctx context.Context, in io.Reader, out io.Writer) (err error) {
	lines, reports := json.NewDecoder(in), json.NewEncoder(out)
	var spec childSpec
	if err := lines.Decode(&spec); err != nil {
		return fmt.Errorf("bench: read what to do: %w", err)
	}
	addr, stop, err := serve(ctx, spec)
	if err != nil {
		_ = reports.Encode(childReport{Error: err.Error()}) // nobody to tell otherwise
		return err
	}
	defer func() { err = errors.Join(err, stop()) }()
	report := childReport{Addr: addr}
	var profile *os.File
	for {
		report.CPU, report.RSS = ownUsage()
		if err := reports.Encode(report); err != nil {
			return err
		}
		var order childOrder
		if err := lines.Decode(&order); err != nil {
			return nil // the parent is done with us, or gone
		}
		report = childReport{}
		switch {
		case order.Profile != "":
			if profile, err = os.Create(order.Profile); err == nil {
				err = pprof.StartCPUProfile(profile)
			}
		case order.Done:
			pprof.StopCPUProfile()
			err = profile.Close()
		}
		if err != nil {
			report.Error = err.Error()
		}
	}
}

// serve does what the spec says until stop is called.
func serve(ctx context.Context, spec childSpec) (addr string, stop func() error, err error) {
	log := slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelError}))
	if spec.Mode == wholeDesk {
		a, err := app.New(ctx, app.Options{
			DatabaseURL: spec.Database, Listen: "127.0.0.1:0", Data: spec.Data, Log: log, MaxConns: spec.MaxConns,
			Slack: app.Slack{SigningSecret: spec.SigningSecret, BotToken: spec.BotToken, APIURL: spec.Slack, Unpaced: !spec.Paced}, Teams: spec.Teams,
		})
		if err != nil {
			return "", nil, err
		}
		if err := a.Start(ctx); err != nil {
			return "", nil, errors.Join(err, a.Stop())
		}
		select {
		case <-a.Ready():
		case <-a.Done():
		case <-ctx.Done():
		}
		return a.Addr(), a.Stop, nil
	}

	var opts []storage.Option
	if spec.MaxConns > 0 {
		opts = append(opts, storage.MaxConns(spec.MaxConns))
	}
	db, err := storage.Open(ctx, spec.Database, opts...)
	if err != nil {
		return "", nil, err
	}
	var handler http.Handler
	if spec.Mode == bareInsert {
		handler, err = floor(ctx, db.Pool(), spec.SigningSecret)
	} else {
		handler, err = accepting(ctx, db, spec, log)
	}
	if err != nil {
		db.Close()
		return "", nil, err
	}
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		db.Close()
		return "", nil, err
	}
	server := &http.Server{Handler: handler, ReadHeaderTimeout: 5 * time.Second}
	served := make(chan error, 1)
	go func() { served <- server.Serve(l) }()
	return l.Addr().String(), func() error {
		defer db.Close()
		err := server.Close()
		if serveErr := <-served; !errors.Is(serveErr, http.ErrServerClosed) {
			err = errors.Join(err, serveErr)
		}
		return err
	}, nil
}

// accepting is the desk's way from the request to the record and back, without
// anybody who works on what was stored: what a burst of events meets first.
func accepting(ctx context.Context, db *storage.DB, spec childSpec, log *slog.Logger) (http.Handler, error) {
	in, err := inbox.New(inbox.Options{DB: db, Handler: nobody{}, Log: log})
	if err != nil {
		return nil, err
	}
	adapter, err := slack.New(slack.Options{SigningSecret: spec.SigningSecret, BotToken: spec.BotToken, APIURL: spec.Slack, Desk: in, Log: log})
	if err != nil {
		return nil, err
	}
	return adapter.Handler(), adapter.Connect(ctx)
}

// nobody handles nothing.
type nobody struct{}

var errNobody = errors.New("nobody works here")

func (nobody) Prepare(context.Context, chat.Event) (chat.Event, error) {
	return chat.Event{}, errNobody
}
func (nobody) Handle(context.Context, *storage.Tx, chat.Event) (chat.Answer, error) {
	return chat.Answer{}, errNobody
}
func (nobody) GiveUp(context.Context, *storage.Tx, chat.Event, error) error { return errNobody }

// child is a running process, as its parent sees it. It is for one goroutine at
// a time.
type child struct {
	Addr    string
	cmd     *exec.Cmd
	in      io.WriteCloser
	orders  *json.Encoder
	reports *json.Decoder
}

// start runs the program again as a child and waits until it serves.
func (b *bench) start(ctx context.Context, m mode) (*child, error) {
	return b.startOn(ctx, m, app.Teams{})
}

// startOn is start for a desk that is in Teams too.
func (b *bench) startOn(ctx context.Context, m mode, teams app.Teams) (*child, error) {
	app := b.slack.App()
	return startChild(ctx, b.o.Child, childSpec{
		Mode: m, Database: b.pg.URL(), Data: b.dir, Slack: b.slack.URL() + "/api/",
		SigningSecret: app.SigningSecret, BotToken: app.BotToken, Teams: teams,
	})
}

func startChild(ctx context.Context, command []string, spec childSpec) (*child, error) {
	c := &child{cmd: exec.CommandContext(ctx, command[0], command[1:]...)}
	c.cmd.Env = append(os.Environ(), ChildVariable+"=1")
	c.cmd.Stderr = os.Stderr
	in, err := c.cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := c.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := c.cmd.Start(); err != nil {
		return nil, fmt.Errorf("bench: start the desk: %w", err)
	}
	c.in, c.orders, c.reports = in, json.NewEncoder(in), json.NewDecoder(bufio.NewReader(out))
	if err := c.orders.Encode(spec); err != nil {
		return nil, errors.Join(err, c.stop())
	}
	r, err := c.report()
	if err != nil {
		return nil, errors.Join(err, c.stop())
	}
	c.Addr = r.Addr
	return c, nil
}

func (c *child) ask(o childOrder) (childReport, error) {
	if err := c.orders.Encode(o); err != nil {
		return childReport{}, fmt.Errorf("bench: the measured process is gone: %w", err)
	}
	return c.report()
}

func (c *child) report() (r childReport, err error) {
	if err = c.reports.Decode(&r); err == nil && r.Error != "" {
		err = errors.New(r.Error)
	}
	if err != nil {
		return r, fmt.Errorf("bench: the measured process: %w", err)
	}
	return r, nil
}

// stop ends the child in an orderly way.
func (c *child) stop() error {
	_ = c.in.Close() // it ends by that
	if err := c.cmd.Wait(); err != nil {
		return fmt.Errorf("bench: the measured process: %w", err)
	}
	return nil
}
