package storage

import (
	"context"
	"fmt"
	"sync"

	"github.com/jackc/pgx/v5"
)

// named are a statement's arguments by name, no more and no fewer than it
// names. They are pgx.StrictNamedArgs but for the statement's text, which is read
// once and not each time.
type named map[string]any

// numbered is a statement with numbers in place of names.
type numbered struct {
	sql   string
	names []string // by number
}

// numberedOf has them by their text. There are as many as the program has
// statements: none is put together from what people say.
var numberedOf sync.Map

// RewriteQuery makes it a pgx.QueryRewriter.
func (a named) RewriteQuery(ctx context.Context, conn *pgx.Conn, sql string, args []any) (string, []any, error) {
	known, ok := numberedOf.Load(sql)
	if !ok {
		names := make(pgx.StrictNamedArgs, len(a))
		for name := range a {
			names[name] = name
		}
		text, order, err := names.RewriteQuery(ctx, conn, sql, args)
		if err != nil {
			return "", nil, err
		}
		n := numbered{sql: text, names: make([]string, len(order))}
		for i, name := range order {
			n.names[i] = name.(string)
		}
		known, _ = numberedOf.LoadOrStore(sql, n)
	}
	n := known.(numbered)
	if len(a) != len(n.names) {
		return "", nil, fmt.Errorf("%d named arguments for a statement with %d", len(a), len(n.names))
	}
	values := make([]any, len(n.names))
	for i, name := range n.names {
		value, ok := a[name]
		if !ok {
			return "", nil, fmt.Errorf("no argument named %q", name)
		}
		values[i] = value
	}
	return n.sql, values, nil
}
