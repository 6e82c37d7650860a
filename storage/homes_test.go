package storage_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/deskhand/deskhand/core/people"
	"github.com/deskhand/deskhand/storage"
)

func TestOnlyHomesThatWereOpenedLatelyAreDrawnAgain(t *testing.T) {
	t.Parallel()
	c := newCompany(t)
	homes := map[storage.PostID]string{}
	visit := func(user string, who people.PersonID, at time.Time) {
		inTx(t, c.DB, func(ctx context.Context, tx *storage.Tx) error {
			id, err := tx.Post(ctx, storage.Post{Kind: "home", Platform: "slack", Workspace: "T1", User: user, Card: "home", Subject: int64(who)}, storage.LaneReply, at)
			homes[id] = user
			return err
		})
	}
	redrawn := func(who ...people.PersonID) (users []string) {
		execSQL(t, c.DB, `delete from outbox`) // all has been delivered
		inTx(t, c.DB, func(ctx context.Context, tx *storage.Tx) error {
			return tx.RedrawHomes(ctx, who, noon.Add(-12*time.Hour), noon)
		})
		for _, d := range claim(t, c.DB, noon) {
			users = append(users, homes[d.ID])
		}
		slices.Sort(users)
		return users
	}
	visit("U-ana", c.ana, noon.Add(-time.Hour))
	visit("U-ben", c.ben, noon.Add(-13*time.Hour))
	if got, want := redrawn(c.ana, c.ben, c.cem, 0), []string{"U-ana"}; !slices.Equal(got, want) {
		t.Errorf("homes drawn again: %v, want %v", got, want)
	}
	if got := redrawn(c.ben); len(got) != 0 {
		t.Errorf("a home that nobody looks at is drawn again: %v", got)
	}
	visit("U-ben", c.ben, noon.Add(-time.Minute))
	if got, want := redrawn(c.ana, c.ben), []string{"U-ana", "U-ben"}; !slices.Equal(got, want) {
		t.Errorf("homes drawn again: %v, want %v", got, want)
	}
	if got := redrawn(); len(got) != 0 {
		t.Errorf("nobody's home is drawn again: %v", got)
	}
}
