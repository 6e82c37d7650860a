package storage

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
)

// Secret is a key of 32 random bytes that the desk signs with.
type Secret struct {
	ID        int64     `db:"id"`
	Key       []byte    `db:"key"`
	MadeAt    time.Time `db:"made_at"`
	ExpiresAt time.Time `db:"expires_at"` // from then on it verifies nothing
}

const secretColumns = `id, key, made_at, expires_at`

// Secrets are the keys for a purpose that have not expired, newest first.
func (tx *Tx) Secrets(ctx context.Context, purpose string, now time.Time) ([]Secret, error) {
	rows, _ := tx.Query(ctx, `select `+secretColumns+` from secrets where purpose = $1 and expires_at > $2
		order by made_at desc, id desc`, purpose, now)
	all, err := pgx.CollectRows(rows, pgx.RowToStructByName[Secret])
	if err != nil {
		return nil, fmt.Errorf("secrets for %s: %w", purpose, err)
	}
	return all, nil
}

// SigningSecret is the newest key for a purpose. It is made now if there is
// none that is younger than signs; then it verifies for lasts. Of several
// processes that find none at a time one makes it.
func (tx *Tx) SigningSecret(ctx context.Context, purpose string, signs, lasts time.Duration, now time.Time) (Secret, error) {
	newest := func() (Secret, error) {
		rows, _ := tx.Query(ctx, `select `+secretColumns+` from secrets where purpose = $1 and made_at > $2 and expires_at > $3
			order by made_at desc, id desc limit 1`, purpose, now.Add(-signs), now)
		return pgx.CollectExactlyOneRow(rows, pgx.RowToStructByName[Secret])
	}
	s, err := newest()
	if errors.Is(err, pgx.ErrNoRows) {
		if _, err := tx.Exec(ctx, `select pg_advisory_xact_lock(hashtext('deskhand.secrets'))`); err != nil {
			return s, fmt.Errorf("secret for %s: %w", purpose, err)
		}
		s, err = newest() // what another process has made meanwhile
	}
	if errors.Is(err, pgx.ErrNoRows) {
		s = Secret{Key: make([]byte, 32), MadeAt: now, ExpiresAt: now.Add(lasts)}
		_, _ = rand.Read(s.Key) // never fails: see crypto/rand
		err = tx.QueryRow(ctx, `insert into secrets (purpose, key, made_at, expires_at) values ($1, $2, $3, $4) returning id`,
			purpose, s.Key, s.MadeAt, s.ExpiresAt).Scan(&s.ID)
	}
	if err != nil {
		return s, fmt.Errorf("secret for %s: %w", purpose, err)
	}
	return s, nil
}
