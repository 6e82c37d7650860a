package main

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/deskhand/deskhand/core/people"
	"github.com/deskhand/deskhand/storage"
)

// A token is shown once, kept as its hash, and ends when it is revoked.
func TestTokens(t *testing.T) {
	t.Parallel()
	url, db := record(t)
	if err := db.InTx(t.Context(), func(tx *storage.Tx) error {
		_, err := tx.PutPerson(t.Context(), people.Person{Name: "Ben Weber", Mail: "ben@acme.example"})
		return err
	}); err != nil {
		t.Fatal(err)
	}
	says := func(args ...string) (string, error) {
		var out bytes.Buffer
		err := run(t.Context(), append([]string{"token"}, append(args, "--database-url", url)...), &out, &out)
		return out.String(), err
	}
	out, err := says("add", "deploy", "--owner", "ben@acme.example")
	if err != nil {
		t.Fatal(err)
	}
	var bearer string
	for _, word := range strings.Fields(out) {
		if strings.HasPrefix(word, "deskhand_") {
			bearer = word
		}
	}
	if k, err := db.Bearer(t.Context(), bearer, time.Now()); err != nil || k.Name != "deploy" || !k.Has(storage.ScopeRaise) || k.Has(storage.ScopeRead) {
		t.Errorf("the token is %+v, %v", k, err)
	}
	if out, err := says("list"); err != nil || !strings.Contains(out, "deploy  until") || !strings.Contains(out, "for Ben Weber, raise, last used") || strings.Contains(out, bearer) {
		t.Errorf("listed as %q, %v", out, err)
	}
	for _, tt := range []struct{ args, want string }{
		{"add deploy --owner ben@acme.example", "there is a token deploy already"},
		{"add x --owner who@acme.example", "nobody is known with the address"},
		{"add x --owner ben@acme.example --scope write", "there are raise and read"},
		{"add Deploy! --owner ben@acme.example", "is not a name for a token"},
		{"revoke y", "there is no token"},
	} {
		if _, err := says(strings.Fields(tt.args)...); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("token %s: %v, want %q", tt.args, err, tt.want)
		}
	}
	if _, err := says("revoke", "deploy"); err != nil {
		t.Fatal(err)
	}
	if _, err := db.Bearer(t.Context(), bearer, time.Now()); err == nil {
		t.Error("a revoked token still opens")
	}
}
