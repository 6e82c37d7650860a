package bot

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/deskhand/deskhand/kb"
	"github.com/deskhand/deskhand/storage/pgtest"
)

// BenchmarkRestart is how long a process that starts takes to know 500,000 past
// questions again. It answers meanwhile, by its articles alone at first.
//
//	go test ./bot -run '^$' -bench Restart -benchtime 1x
func BenchmarkRestart(b *testing.B) {
	const past, articles = 500_000, 1000
	db, ctx := pgtest.New(b), b.Context()
	conn, err := db.Pool().Acquire(ctx)
	if err != nil {
		b.Fatal(err)
	}
	do := func(sql string, args ...any) {
		b.Helper()
		if _, err := conn.Exec(ctx, sql, args...); err != nil {
			b.Fatalf("%s: %v", sql, err)
		}
	}
	do(`set session_replication_role = replica`) // neither triggers nor references
	r := rand.New(rand.NewPCG(7, 1))
	words := rand.NewZipf(r, 1.07, 20, 29_999)
	for at := 0; at < past; at += 10_000 {
		texts, of := make([]string, 10_000), make([]int64, 10_000)
		for i := range texts {
			var text strings.Builder
			for range 5 + r.IntN(21) {
				fmt.Fprintf(&text, "w%xo ", words.Uint64()*7919)
			}
			texts[i], of[i] = text.String(), int64(1+r.IntN(articles))
		}
		do(`with q as (
				insert into questions (person_id, asked_at, ended_at, outcome, confidence, text, article_id)
				select 1, now(), now(), 'solved', 'high', t, a from unnest($1::text[], $2::bigint[]) x (t, a) returning id, article_id)
			insert into evidence (seq, question_id, article_id, helped, at) select id, id, article_id, true, now() from q`, texts, of)
	}
	do(`update evidence_seq set seq = $1`, past)
	do(`analyze`)
	do(`set session_replication_role = default`)
	conn.Release()
	for b.Loop() {
		index, err := kb.Open(kb.Options{})
		if err != nil {
			b.Fatal(err)
		}
		began := time.Now()
		if err := LearnEvidence(ctx, db, index, time.Time{}); err != nil {
			b.Fatal(err)
		}
		b.ReportMetric(time.Since(began).Seconds(), "learn-s")
		if index.Past() != past {
			b.Fatalf("%d past questions are known, want %d", index.Past(), past)
		}
		var m runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&m)
		b.ReportMetric(float64(m.HeapAlloc)/(1<<20), "heap-MiB")
		if err := index.Close(); err != nil {
			b.Fatal(err)
		}
	}
}
