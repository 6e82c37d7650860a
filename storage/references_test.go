package storage_test

import (
	"errors"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/deskhand/deskhand/storage"
	"github.com/deskhand/deskhand/storage/pgtest"
)

func TestReferences(t *testing.T) {
	t.Parallel()
	db, ctx := pgtest.New(t), t.Context()
	if _, err := db.Reference(ctx, "teams", "place:19:a"); !errors.Is(err, storage.ErrNotFound) {
		t.Errorf("a reference that was never kept: %v, want ErrNotFound", err)
	}
	keep := func(platform, key, value string) {
		t.Helper()
		if err := db.KeepReference(ctx, platform, key, []byte(value), noon); err != nil {
			t.Fatal(err)
		}
	}
	keep("teams", "place:19:a", `{"url": "https://one.example"}`)
	keep("teams", "place:19:b", `{"url": "https://one.example"}`)
	keep("teams", "user:3", `{}`)
	keep("teams", "plac%", `{}`)
	keep("other", "place:19:c", `{}`)
	keep("teams", "place:19:a", `{"url": "https://two.example"}`) // it has moved

	got, err := db.Reference(ctx, "teams", "place:19:a")
	if want := `{"url": "https://two.example"}`; err != nil || string(got) != want {
		t.Errorf("Reference() = %s, %v; want %s", got, err, want)
	}
	for prefix, want := range map[string][]string{
		"place:": {"place:19:a", "place:19:b"},
		"plac%":  {"plac%"},
		"":       {"plac%", "place:19:a", "place:19:b", "user:3"},
		"none":   nil,
	} {
		all, err := db.References(ctx, "teams", prefix)
		if err != nil {
			t.Fatal(err)
		}
		if keys := slices.Sorted(maps.Keys(all)); !slices.Equal(keys, want) {
			t.Errorf("References(%q) = %q, want %q", prefix, keys, want)
		}
	}
	if all, err := db.References(ctx, "teams", "place:"); err != nil || string(all["place:19:a"]) == string(all["place:19:b"]) {
		t.Errorf("two references came back as one: %s, %v", all, err)
	}
	if err := db.KeepReference(ctx, "teams", "bad", []byte("no JSON"), time.Now()); err == nil {
		t.Error("what is no JSON was kept")
	}
}
