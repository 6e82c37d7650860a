package storage_test

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/deskhand/deskhand/core/knowledge"
	"github.com/deskhand/deskhand/core/policy"
	"github.com/deskhand/deskhand/storage"
	"github.com/deskhand/deskhand/storage/pgtest"
)

func TestSynonymsOfThePolicyAndOfPeople(t *testing.T) {
	t.Parallel()
	db, ctx, at := pgtest.New(t), t.Context(), time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)
	in := func(f func(tx *storage.Tx) error) {
		t.Helper()
		if err := db.InTx(ctx, f); err != nil {
			t.Fatal(err)
		}
	}
	want := func(what string, want ...knowledge.Synonym) {
		t.Helper()
		in(func(tx *storage.Tx) error {
			got, err := tx.Synonyms(ctx)
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("%s (-want +got):\n%s", what, diff)
			}
			return err
		})
	}
	apply := func(groups ...[]string) {
		t.Helper()
		in(func(tx *storage.Tx) error {
			p := policy.BuiltIn()
			p.Knowledge.Synonyms = groups
			_, err := tx.ApplyPolicy(ctx, p, "test", at)
			return err
		})
	}
	apply([]string{"VPN", "blue tunnel", "tunnel"})
	var id storage.SynonymID
	in(func(tx *storage.Tx) (err error) {
		id, err = tx.AddSynonym(ctx, knowledge.Synonym{Term: " beamer ", Synonym: "wall  screen", Language: "en"}, 0, "test", at)
		return err
	})
	in(func(tx *storage.Tx) error {
		again, err := tx.AddSynonym(ctx, knowledge.Synonym{Term: "Wall screen", Synonym: "Beamer", Language: "en"}, 0, "test", at)
		if again != id {
			t.Errorf("the same the other way round is %d, want %d", again, id)
		}
		return err
	})
	vpn, beamer := knowledge.Synonym{Term: "VPN", Synonym: "blue tunnel"}, knowledge.Synonym{Term: "beamer", Synonym: "wall screen", Language: "en"}
	want("both kinds are in force", vpn, knowledge.Synonym{Term: "VPN", Synonym: "tunnel"}, beamer)
	apply([]string{"VPN", "blue tunnel"})
	want("the policy takes out its own", vpn, beamer)
	in(func(tx *storage.Tx) error { return tx.RemoveSynonym(ctx, id, 0, "test", at) })
	want("one that was taken out", vpn)
	if err := db.InTx(ctx, func(tx *storage.Tx) error { return tx.RemoveSynonym(ctx, id, 0, "test", at) }); !errors.Is(err, storage.ErrNotFound) {
		t.Errorf("taken out twice: %v", err)
	}
	if n := len(steps(t, history(t, db, storage.OfSynonym, int64(id)))); n != 2 {
		t.Errorf("%d steps on record, want added and removed", n)
	}
}
