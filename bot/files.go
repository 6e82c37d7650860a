package bot

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/deskhand/deskhand/bot/cards"
	"github.com/deskhand/deskhand/bot/chat"
	"github.com/deskhand/deskhand/core/ticket"
	"github.com/deskhand/deskhand/storage"
)

const (
	// mostFile is the largest file that is kept, in bytes.
	mostFile = 20 << 20
	// filePoll is how often files are looked for that another process, or this one
	// before it ended, has left.
	filePoll = 5 * time.Second
)

// WakeFiles has files fetched that were put into threads since the last call.
func (d *Desk) WakeFiles() {
	if !d.filed.Swap(false) {
		return
	}
	select {
	case d.files <- struct{}{}:
	default:
	}
}

// FetchFiles fetches the files that people have put into threads until ctx
// ends. It is a worker of its own, because it waits for the network.
func (d *Desk) FetchFiles(ctx context.Context) error {
	tick := time.NewTicker(filePoll)
	defer tick.Stop()
	for {
		var wanted []storage.File
		err := d.db.View(ctx, func(tx *storage.Tx) (err error) {
			wanted, err = tx.WantedFiles(ctx, 20)
			return err
		})
		for _, f := range wanted {
			if err = d.fetch(ctx, f); err != nil {
				break
			}
		}
		if err != nil && ctx.Err() == nil {
			d.log.WarnContext(ctx, "files wait to be fetched", "err", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-d.files:
		case <-tick.C:
		}
	}
}

func (d *Desk) fetch(ctx context.Context, f storage.File) error {
	var source chat.File
	if err := json.Unmarshal(f.Source, &source); err != nil {
		return fmt.Errorf("file %d: %w", f.ID, err)
	}
	var m storage.Message
	if err := d.db.View(ctx, func(tx *storage.Tx) (err error) {
		m, err = tx.MessageByID(ctx, f.Message)
		return err
	}); err != nil {
		return err
	}
	p := d.platforms[m.Platform]
	if p == nil {
		return fmt.Errorf("file %d: no platform %q is connected", f.ID, m.Platform)
	}
	state := storage.FileKept
	data, err := p.Fetch(ctx, source, mostFile)
	if _, refused := errors.AsType[*chat.RefusedError](err); refused {
		state, data = storage.FileTooBig, nil
	} else if errors.Is(err, chat.ErrGone) {
		state, data = storage.FileLost, nil
	} else if err != nil {
		return fmt.Errorf("file %d: %w", f.ID, err)
	}
	if state == storage.FileKept && data == nil {
		data = []byte{} // an empty file is a file
	}
	return d.db.InTx(ctx, func(tx *storage.Tx) error {
		kept, err := tx.KeepFile(ctx, f.ID, state, data)
		if err != nil || !kept {
			return err
		}
		r, err := d.rulesIn(ctx, tx)
		if err != nil {
			return err
		}
		t := &turn{desk: d, tx: tx, rules: r, at: d.now(), ev: chat.Event{
			By:    chat.User{Platform: m.Platform, Workspace: m.Workspace},
			Place: chat.Place{Platform: m.Platform, Workspace: m.Workspace, Channel: m.Channel}, Message: m.External}}
		f.State = state
		return t.fileKept(ctx, m, f)
	})
}

// fileKept marks the message and passes the file on to the other side.
func (t *turn) fileKept(ctx context.Context, m storage.Message, f storage.File) error {
	switch f.State {
	case storage.FileTooBig:
		return t.say(ctx, m.Thread, cards.Say(fmt.Sprintf("“%s” is too big. I can keep files up to %d MB, so it is not in the ticket. A link to it works too.", f.Name, mostFile>>20)))
	case storage.FileLost:
		return t.say(ctx, m.Thread, cards.Say(fmt.Sprintf("I could not keep “%s”: it is no longer there, or I may not read it. A link to it works too.", f.Name)))
	}
	if err := t.react(ctx, "white_check_mark", ""); err != nil {
		return err
	}
	m, err := t.tx.MessageByID(ctx, m.ID) // it may belong to a ticket by now
	if err != nil || m.Ticket == 0 {
		return err
	}
	tk, err := t.tx.Ticket(ctx, m.Ticket)
	if err != nil {
		return err
	}
	if err := t.passFile(ctx, tk, storage.TeamSide, m, f); err != nil || m.Internal || m.Side != storage.TeamSide {
		return err
	}
	return t.passFile(ctx, tk, storage.RequesterSide, m, f)
}

// passFile posts a kept file in the threads of one side, but not in the one
// that it came from.
func (t *turn) passFile(ctx context.Context, tk ticket.Ticket, to storage.Side, m storage.Message, f storage.File) error {
	author, err := t.tx.People(ctx, m.Author)
	if err != nil {
		return err
	}
	text := author[m.Author].Name + " sent a file: " + f.Name
	content := body{Card: chat.Card{Text: text}, Files: []storage.FileID{f.ID}}.bytes()
	return t.eachThread(ctx, tk, to, func(th storage.Thread) error {
		if th.ID == m.Thread {
			return nil
		}
		return t.tx.Send(ctx, storage.Post{Kind: string(chat.Message), Platform: th.Platform, Workspace: th.Workspace,
			Thread: th.ID, Message: m.ID, Body: content}, storage.LaneReply, t.at)
	})
}
