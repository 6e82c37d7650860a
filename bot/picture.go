package bot

import (
	"context"
	"fmt"
	"time"

	"github.com/deskhand/deskhand/core/cmdb"
	"github.com/deskhand/deskhand/storage"
)

// Picture is an item with what is around it, to be drawn.
type Picture struct {
	Items []Pictured // the item first
	Lines []Line
	More  int // items for which there is no room
	Words string
}

// Pictured is an item of a Picture; see cmdb.Placed.
type Pictured struct {
	ID    int64
	Key   string
	Name  string // may be the key
	Type  string
	State string
	Tier  int
	Level int
}

// Line says by indexes that an item hangs on another.
type Line struct {
	From, To int
	Kind     cmdb.Kind
}

const (
	pictureLevels = 2
	mostPictured  = 60
)

// Picture is what a link to an item shows; storage.ErrNotFound if the item is
// not there any more.
func (d *Desk) Picture(ctx context.Context, item int64) (Picture, error) {
	var pic Picture
	err := d.db.View(ctx, func(tx *storage.Tx) error {
		g, err := (&turn{desk: d, tx: tx, at: d.now()}).graph(ctx)
		if err != nil {
			return err
		}
		n, ok := g.Around(cmdb.ItemID(item), pictureLevels, mostPictured)
		if !ok {
			return storage.ErrNotFound
		}
		pic.More, pic.Words = n.More, g.Impact(0, cmdb.ItemID(item)).Words()
		at := map[cmdb.ItemID]int{}
		for i, p := range n.Items {
			at[p.ID] = i
			pic.Items = append(pic.Items, Pictured{int64(p.ID), p.Key, p.Name, string(p.Type), string(p.State), p.Tier, p.Level})
		}
		for _, r := range n.Relations {
			pic.Lines = append(pic.Lines, Line{at[r.From], at[r.To], r.Kind})
		}
		return nil
	})
	return pic, err
}

// pictureFor is how long the link to a picture is good.
const pictureFor = 7 * 24 * time.Hour

// pictureURL is a link to the picture of an item; "" if there are no pages.
func (t *turn) pictureURL(id cmdb.ItemID) (string, error) {
	if t.desk.pictureLink == nil {
		return "", nil
	}
	url, err := t.desk.pictureLink(int64(id), t.at.Add(pictureFor))
	if err != nil {
		return "", fmt.Errorf("link to item %d: %w", id, err)
	}
	return url, nil
}
