package bench

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"net/http"

	"github.com/jackc/pgx/v5/pgxpool"
)

// floor is the least that an app could do before it answers: check the
// signature and INSERT what came. The desk is measured against it.
func floor(ctx context.Context, pool *pgxpool.Pool, secret string) (http.Handler, error) {
	if _, err := pool.Exec(ctx, `create table if not exists bench_floor (id bigint generated always as identity primary key, body jsonb not null)`); err != nil {
		return nil, err
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 1<<20))
		if err != nil {
			http.Error(w, "unreadable", http.StatusBadRequest)
			return
		}
		mac := hmac.New(sha256.New, []byte(secret))
		_, _ = io.WriteString(mac, "v0:"+r.Header.Get("X-Slack-Request-Timestamp")+":") // never fails
		_, _ = mac.Write(body)
		given, err := hex.DecodeString(cutPrefix(r.Header.Get("X-Slack-Signature"), "v0="))
		if err != nil || !hmac.Equal(given, mac.Sum(nil)) {
			http.Error(w, "forged", http.StatusUnauthorized)
			return
		}
		if _, err := pool.Exec(r.Context(), `insert into bench_floor (body) values ($1)`, string(body)); err != nil {
			http.Error(w, "try again", http.StatusServiceUnavailable)
			return
		}
		w.WriteHeader(http.StatusOK)
	}), nil
}

func cutPrefix(s, prefix string) string {
	if len(s) < len(prefix) || s[:len(prefix)] != prefix {
		return ""
	}
	return s[len(prefix):]
}
