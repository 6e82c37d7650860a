package main

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/deskhand/deskhand/core/approval"
	"github.com/deskhand/deskhand/core/change"
	"github.com/deskhand/deskhand/core/people"
	"github.com/deskhand/deskhand/storage"
)

// A change that was approved is proved, until somebody writes to the record by
// another way than the desk.
func TestProof(t *testing.T) {
	t.Parallel()
	url, db := record(t)
	at := time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)
	if err := db.InTx(t.Context(), func(tx *storage.Tx) error {
		var ids []people.PersonID
		for _, name := range []string{"Ana", "Ben"} {
			id, err := tx.PutPerson(t.Context(), people.Person{Name: name, Mail: strings.ToLower(name) + "@acme.example"})
			if err != nil {
				return err
			}
			ids = append(ids, id)
		}
		able, err := tx.Able(t.Context())
		if err != nil {
			return err
		}
		c := change.Change{Kind: change.Normal, Title: "A bigger disk", Why: "It is full.", Plan: "Add it.", Rollback: "Take it out.", From: at.Add(time.Hour), To: at.Add(2 * time.Hour),
			Takes: time.Hour, Requester: ids[0], Implementer: ids[0], Risk: change.Low, Because: "nothing depends on it", State: change.Asked}
		if c, err = tx.OpenChange(t.Context(), c, change.Event{Action: change.Raised, By: ids[0], At: at}, "test"); err != nil {
			return err
		}
		r := approval.Roster{Able: able}
		a, events, err := approval.New(approval.Subject{Hash: c.Hash(), Own: c.Own(), Window: c.From},
			[]approval.Stage{{Name: "Lead", Rule: approval.Rule{Quorum: approval.AnyOne}, Ask: []approval.Who{{Person: ids[1]}}, Within: time.Hour}}, r, ids[0], at)
		if err != nil {
			return err
		}
		if err := tx.SaveApproval(t.Context(), c, a, events, "test"); err != nil {
			return err
		}
		if a, events, err = a.Vote(approval.Ballot{By: ids[1], Answer: approval.Yes, Round: 1, Hash: c.Hash()}, r, at.Add(time.Minute)); err != nil {
			return err
		}
		return tx.SaveApproval(t.Context(), c, a, events, "test")
	}); err != nil {
		t.Fatal(err)
	}
	show := func() (string, error) {
		var out, bad bytes.Buffer
		err := run(t.Context(), []string{"change", "show", "chg-1", "--proof", "--database-url", url}, &out, &bad)
		return out.String(), err
	}
	got, err := show()
	for _, want := range []string{"CHG-1  A bigger disk", "Round 1, text ", "Way back: Take it out.", "Lead: yes by Ben", "Every answer is for the text that stands above it."} {
		if !strings.Contains(got, want) || err != nil {
			t.Errorf("there is no %q in (%v)\n%s", want, err, got)
		}
	}
	if _, err := db.Pool().Exec(t.Context(), `update changes set plan = 'Remove the old one.'`); err != nil {
		t.Fatal(err)
	}
	if got, err := show(); err == nil || !strings.Contains(got, "is NOT the text that was approved") {
		t.Errorf("a plan that nobody approved is taken for the one that was (%v):\n%s", err, got)
	}
}
