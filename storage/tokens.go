package storage

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/deskhand/deskhand/core/people"
)

// TokenID is the record's number for a token.
type TokenID int64

// The scopes of a token.
const (
	ScopeRaise = "raise" // raise changes, and see and report on these
	ScopeRead  = "read"  // see every change
)

// Token lets a program act for a person.
type Token struct {
	ID        TokenID         `db:"id"`
	Name      string          `db:"name"`
	Secret    []byte          `db:"secret"` // 32 bytes, to sign what is sent to its callbacks
	Owner     people.PersonID `db:"owner_id"`
	Scopes    []string        `db:"scopes"`
	MadeAt    time.Time       `db:"made_at"`
	ExpiresAt *time.Time      `db:"expires_at"`
	RevokedAt *time.Time      `db:"revoked_at"`
	UsedAt    *time.Time      `db:"used_at"`
}

// Has tells whether the token is for something.
func (t Token) Has(scope string) bool { return slices.Contains(t.Scopes, scope) }

const (
	tokenColumns = `k.id, k.name, k.secret, k.owner_id, k.scopes, k.made_at, k.expires_at, k.revoked_at, k.used_at`

	// tokenPrefix is there for people, and for programs that look for what was
	// published by mistake.
	tokenPrefix = "deskhand_"
)

// MakeToken stores a token and returns what its bearer shows, which can't be
// had again. ErrConflict: there is one of the name.
func (tx *Tx) MakeToken(ctx context.Context, t Token, via string, at time.Time) (Token, string, error) {
	key := make([]byte, 32)
	_, _ = rand.Read(key) // never fails: see crypto/rand
	t.Secret, t.MadeAt = make([]byte, 32), at
	_, _ = rand.Read(t.Secret)
	bearer := tokenPrefix + base64.RawURLEncoding.EncodeToString(key)
	hash := sha256.Sum256([]byte(bearer))
	err := tx.QueryRow(ctx, `insert into tokens (name, hash, secret, owner_id, scopes, made_at, expires_at) values ($1, $2, $3, $4, $5, $6, $7) returning id`,
		t.Name, hash[:], t.Secret, t.Owner, t.Scopes, at, t.ExpiresAt).Scan(&t.ID)
	if pg, ok := errors.AsType[*pgconn.PgError](err); ok && pg.ConstraintName == "tokens_name" {
		err = ErrConflict
	}
	if err != nil {
		return t, "", fmt.Errorf("make token %s: %w", t.Name, err)
	}
	after := map[string]any{"name": t.Name, "owner": int64(t.Owner), "scopes": t.Scopes}
	if t.ExpiresAt != nil {
		after["expires_at"] = *t.ExpiresAt
	}
	return t, bearer, tx.Audit(ctx, Step{At: at, Action: "token made", Via: via, Subject: OfToken, SubjectID: int64(t.ID), After: after})
}

// Tokens are all of them, those in force first.
func (tx *Tx) Tokens(ctx context.Context) ([]Token, error) {
	return tx.tokens(ctx, `select `+tokenColumns+` from tokens k order by k.revoked_at is not null, k.name, k.id`)
}

func (tx *Tx) tokens(ctx context.Context, sql string, args ...any) ([]Token, error) {
	rows, _ := tx.Query(ctx, sql, args...)
	all, err := pgx.CollectRows(rows, pgx.RowToStructByName[Token])
	if err != nil {
		return nil, fmt.Errorf("tokens: %w", err)
	}
	return all, nil
}

// RevokeToken ends a token at once; ErrNotFound if none of the name is in force.
func (tx *Tx) RevokeToken(ctx context.Context, name, via string, at time.Time) error {
	var id TokenID
	if err := tx.QueryRow(ctx, `update tokens set revoked_at = $2 where name = $1 and revoked_at is null returning id`, name, at).Scan(&id); err != nil {
		return fmt.Errorf("revoke token %s: %w", name, notFound(err))
	}
	return tx.Audit(ctx, Step{At: at, Action: "token revoked", Via: via, Subject: OfToken, SubjectID: int64(id)})
}

// usedEvery is how exactly it is kept when a token was used.
const usedEvery = time.Hour

// Bearer is the token in force that somebody shows; ErrNotFound if it is none.
func (db *DB) Bearer(ctx context.Context, shown string, now time.Time) (Token, error) {
	if !strings.HasPrefix(shown, tokenPrefix) || len(shown) > 200 {
		return Token{}, ErrNotFound
	}
	hash := sha256.Sum256([]byte(shown))
	var t Token
	err := db.InTx(ctx, func(tx *Tx) error {
		found, err := tx.tokens(ctx, `select `+tokenColumns+` from tokens k where k.hash = $1 and k.revoked_at is null and (k.expires_at is null or k.expires_at > $2)`, hash[:], now)
		if err == nil && len(found) == 0 {
			err = ErrNotFound
		}
		if err != nil {
			return err
		}
		t = found[0]
		if t.UsedAt == nil || now.Sub(*t.UsedAt) >= usedEvery {
			return tx.later(ctx, failing("note the use of token %s", t.Name), `update tokens set used_at = $2 where id = $1`, t.ID, now)
		}
		return nil
	})
	return t, err
}

// LockToken is the token, locked until tx ends so that what is asked with it
// comes one after the other; ErrNotFound if it is not in force any more.
func (tx *Tx) LockToken(ctx context.Context, id TokenID, now time.Time) (Token, error) {
	found, err := tx.tokens(ctx, `select `+tokenColumns+` from tokens k where k.id = $1 and k.revoked_at is null and (k.expires_at is null or k.expires_at > $2) for update`, id, now)
	if err == nil && len(found) == 0 {
		err = fmt.Errorf("token %d: %w", id, ErrNotFound)
	}
	if err != nil {
		return Token{}, err
	}
	return found[0], nil
}
