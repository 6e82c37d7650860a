package storage

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestNamedArgumentsAreThoseOfTheStatement(t *testing.T) {
	t.Parallel()
	const sql = `update x set a = @a, b = @b where a <> @a and c = '@d'`
	for name, tt := range map[string]struct {
		args named
		want []any
	}{
		"each has its number, however often it stands there": {named{"b": 2, "a": 1}, []any{1, 2}},
		"others have the same":                               {named{"b": "y", "a": nil}, []any{nil, "y"}},
		"one is missing":                                     {named{"a": 1}, nil},
		"one has another name":                               {named{"a": 1, "d": 2}, nil},
		"one is superfluous":                                 {named{"a": 1, "b": 2, "d": 3}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for range 2 { // it is read the first time
				got, values, err := tt.args.RewriteQuery(t.Context(), nil, sql, nil)
				if (err != nil) != (tt.want == nil) || !cmp.Equal(values, tt.want) {
					t.Fatalf("RewriteQuery(%v) = %v, %v; want %v", tt.args, values, err, tt.want)
				}
				if want := `update x set a = $1, b = $2 where a <> $1 and c = '@d'`; err == nil && got != want {
					t.Fatalf("RewriteQuery() = %s, want %s", got, want)
				}
			}
		})
	}
}
