package storage_test

import (
	"bytes"
	"context"
	"slices"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/deskhand/deskhand/storage"
	"github.com/deskhand/deskhand/storage/pgtest"
)

const (
	signs = 30 * 24 * time.Hour
	lasts = 61 * 24 * time.Hour
)

func TestProcessesSignWithTheSameSecret(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	made := make([]storage.Secret, 6)
	var all errgroup.Group
	for i := range made {
		all.Go(func() error {
			return db.InTx(t.Context(), func(tx *storage.Tx) (err error) {
				made[i], err = tx.SigningSecret(t.Context(), "web", signs, lasts, noon)
				return err
			})
		})
	}
	if err := all.Wait(); err != nil {
		t.Fatal(err)
	}
	for _, s := range made {
		if s.ID != made[0].ID || !bytes.Equal(s.Key, made[0].Key) || len(s.Key) != 32 || bytes.Equal(s.Key, make([]byte, 32)) {
			t.Errorf("two that began at once have %+v and %+v", s, made[0])
		}
	}
}

func TestSecretsFollowEachOther(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	signing := func(purpose string, at time.Time) (s storage.Secret) {
		t.Helper()
		inTx(t, db, func(ctx context.Context, tx *storage.Tx) (err error) {
			s, err = tx.SigningSecret(ctx, purpose, signs, lasts, at)
			return err
		})
		return s
	}
	verifying := func(at time.Time) (ids []int64) {
		t.Helper()
		for _, s := range view(t, db, func(ctx context.Context, tx *storage.Tx) ([]storage.Secret, error) { return tx.Secrets(ctx, "web", at) }) {
			ids = append(ids, s.ID)
		}
		return ids
	}
	first := signing("web", noon)
	if again := signing("web", noon.Add(signs-time.Minute)); again.ID != first.ID {
		t.Error("a secret was followed before its time")
	}
	second := signing("web", noon.Add(signs))
	if second.ID == first.ID || bytes.Equal(second.Key, first.Key) {
		t.Error("a secret was not followed at its time")
	}
	if other := signing("else", noon.Add(signs)); bytes.Equal(other.Key, second.Key) {
		t.Error("two purposes have one secret")
	}
	for _, tt := range []struct {
		name string
		at   time.Time
		want []int64
	}{
		{"both, the newest first", noon.Add(signs), []int64{second.ID, first.ID}},
		{"the old one to its last minute", noon.Add(lasts - time.Minute), []int64{second.ID, first.ID}},
		{"and no longer", noon.Add(lasts), []int64{second.ID}},
	} {
		if got := verifying(tt.at); !slices.Equal(got, tt.want) {
			t.Errorf("%s: %v, want %v", tt.name, got, tt.want)
		}
	}
	if err := db.KeepHouse(t.Context(), noon.Add(lasts+time.Minute)); err != nil {
		t.Fatal(err)
	}
	var left int
	if err := db.Pool().QueryRow(t.Context(), `select count(*) from secrets where id = $1`, first.ID).Scan(&left); err != nil || left != 0 {
		t.Errorf("a secret that verifies nothing is kept: %d, %v", left, err)
	}
}

func TestAccountsAreFoundByTheBeginningOfAName(t *testing.T) {
	t.Parallel()
	c := newCompany(t)
	inTx(t, c.DB, func(ctx context.Context, tx *storage.Tx) error {
		for _, a := range []struct{ user, name, mail string }{
			{"U1", "Ana Silva", "ana@harbour.example"}, {"U2", "Ben de la Cruz", "ben@harbour.example"}, {"U3", "ŽANETA 100% Novák", "cem@harbour.example"}, {"U4", "Ana Guest", ""},
		} {
			if _, err := tx.LinkAccount(ctx, storage.Account{Platform: "teams", Workspace: "T1", UserID: a.user, Name: a.name}, a.mail, "", true, noon); err != nil {
				return err
			}
		}
		_, err := tx.LinkAccount(ctx, storage.Account{Platform: "teams", Workspace: "T2", UserID: "U9", Name: "Ana Elsewhere"}, "ana@harbour.example", "", true, noon)
		return err
	})
	for typed, want := range map[string][]string{
		"ana": {"U1"}, "SIL": {"U1"}, "la cruz": {"U2"}, "žan": {"U3"}, "100%": {"U3"}, "%": nil, "_": nil, "ilva": nil, "": {"U1", "U2", "U3"}, "zed": nil,
	} {
		var got []string
		for _, a := range view(t, c.DB, func(ctx context.Context, tx *storage.Tx) ([]storage.Account, error) {
			return tx.AccountsNamed(ctx, "teams", "T1", typed, 10)
		}) {
			got = append(got, a.UserID)
		}
		if !slices.Equal(got, want) {
			t.Errorf("%q finds %v, want %v", typed, got, want)
		}
	}
}
