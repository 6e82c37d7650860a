package ticket_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/deskhand/deskhand/core/people"
	"github.com/deskhand/deskhand/core/ticket"
)

var (
	desk     = people.Team{ID: 1, Name: "Service Desk", Tier: 1}
	network  = people.Team{ID: 2, Name: "Network", Tier: 2, Lead: cem}
	backbone = people.Team{ID: 3, Name: "Backbone", Tier: 3}
)

func handover(from, to people.Team, change func(*ticket.Handover)) ticket.Handover {
	h := ticket.Handover{From: from, To: to, Queue: ticket.QueueID(to.ID), Kind: ticket.Incident, Most: 3,
		Leader: "Cem Aydin, who leads Network", Found: "it is the mast", Tried: "a new cable"}
	change(&h)
	return h
}

func TestHandOver(t *testing.T) {
	t.Parallel()
	asItIs := func(*ticket.Handover) {}
	seen := func(n int) ticket.Ticket { return as(claimed, func(t *ticket.Ticket) { t.Moves = n - 1 }) }
	tests := []struct {
		name    string
		was     ticket.Ticket
		way     ticket.Handover
		note    string
		refused string
	}{
		{"a higher tier learns what was tried", claimed, handover(desk, network, asItIs), "it is the mast\nTried: a new cable", ""},
		{"a higher tier has to know what was tried", claimed, handover(desk, network, func(h *ticket.Handover) { h.Tried = "" }), "", "it does not say what was tried"},
		{"what was tried is enough for a higher tier", claimed, handover(desk, network, func(h *ticket.Handover) { h.Found = "" }), "Tried: a new cable", ""},
		{"a lower tier has to know what was found out", as(claimed, func(t *ticket.Ticket) { t.Team, t.Queue = 2, 2 }),
			handover(network, desk, func(h *ticket.Handover) { h.Found = "" }), "", "it does not say what was found out"},
		{"what is simple goes as high as is enough without a word", claimed, handover(desk, network, func(h *ticket.Handover) { h.Enough = 2 }), "it is the mast\nTried: a new cable", ""},
		{"what is simple does not go higher without a reason", claimed, handover(desk, backbone, func(h *ticket.Handover) { h.Enough = 2 }), "", "it does not say why it needs so high a tier"},
		{"what is simple goes higher for a reason", claimed, handover(desk, backbone, func(h *ticket.Handover) { h.Enough, h.Why = 1, "the lock is theirs" }),
			"it is the mast\nTried: a new cable\nWhy tier 3: the lock is theirs", ""},
		{"a third team is not the last", seen(2), handover(desk, network, asItIs), "it is the mast\nTried: a new cable", ""},
		{"from the third team only a lead hands it on", seen(3), handover(desk, network, asItIs), "",
			"Service Desk is its 3rd team, and from there only a lead hands it on. Ask Cem Aydin, who leads Network"},
		{"a lead hands it on", seen(3), handover(desk, network, func(h *ticket.Handover) { h.Lead = true }), "it is the mast\nTried: a new cable", ""},
		{"without a limit it goes round and round", seen(30), handover(desk, network, func(h *ticket.Handover) { h.Most = 0 }), "it is the mast\nTried: a new cable", ""},
		{"a resolved ticket is not handed over, whoever asks", as(resolved, func(t *ticket.Ticket) { t.Moves = 9 }), handover(desk, network, asItIs), "", "it is already resolved"},
		{"an incident does not become a request", claimed, handover(desk, network, func(h *ticket.Handover) { h.Kind = ticket.Request }), "", "incidents and requests don't share a queue"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got, ev, err := tt.was.HandOver(tt.way, ben, later)
			if tt.refused != "" {
				refused, ok := errors.AsType[*ticket.RefusedError](err)
				if !ok || refused.Reason != tt.refused || got != tt.was {
					t.Fatalf("HandOver() = %+v, %v; want a refusal: %s", got, err, tt.refused)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if want := (ticket.Event{Action: ticket.Moved, By: ben, At: later, Note: tt.note}); ev != want {
				t.Errorf("event = %+v, want %+v", ev, want)
			}
			if got.Team != tt.way.To.ID || got.Owner != 0 || got.Moves != tt.was.Moves+1 {
				t.Errorf("HandOver() = %+v, want it unclaimed with %s", got, tt.way.To.Name)
			}
			if !got.OpenedAt.Equal(tt.was.OpenedAt) || got.Priority != tt.was.Priority || got.Reopened != tt.was.Reopened {
				t.Errorf("HandOver() = %+v has begun anew", got)
			}
		})
	}
}

// Whatever is asked for is missing, and once it is said nothing more is asked.
func TestLawsOfAHandover(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		tier, word := rapid.IntRange(1, 5), rapid.SampledFrom([]string{"", "so"})
		h := ticket.Handover{From: people.Team{ID: 1, Tier: tier.Draw(t, "from")}, To: people.Team{ID: 2, Tier: tier.Draw(t, "to")}, Queue: 2, Kind: ticket.Incident,
			Enough: rapid.IntRange(0, 5).Draw(t, "enough"), Most: rapid.IntRange(0, 4).Draw(t, "most"), Lead: rapid.Bool().Draw(t, "lead"),
			Found: word.Draw(t, "found"), Tried: word.Draw(t, "tried"), Why: word.Draw(t, "why")}
		was := as(claimed, func(tk *ticket.Ticket) { tk.Moves = rapid.IntRange(0, 5).Draw(t, "moves") })
		is, _, err := was.HandOver(h, ben, later)
		asks, stuck := h.Asks(), was.Stuck(h) != nil
		if (err == nil) != (len(asks) == 0 && !stuck) {
			t.Fatalf("%+v: asks %v, stuck %v, and yet %v", h, asks, stuck, err)
		}
		if stuck && (h.Lead || h.Most == 0 || was.Seen() < h.Most) {
			t.Fatalf("%+v holds back a ticket that was with %d teams", h, was.Seen())
		}
		if err == nil && is.Seen() != was.Seen()+1 {
			t.Fatalf("it was with %d teams, and now with %d", was.Seen(), is.Seen())
		}
		for _, a := range asks {
			switch a {
			case ticket.AskFound:
				h.Found = "so"
			case ticket.AskTried:
				h.Tried = "so"
			case ticket.AskWhy:
				h.Why = "so"
			}
		}
		if again := h.Asks(); len(again) > 0 {
			t.Fatalf("%+v: all was said, and %v is asked", h, again)
		}
		if h.To.Tier > h.From.Tier && h.Tried == "" {
			t.Fatalf("%+v rises without a word of what was tried", h)
		}
	})
}

func TestTrail(t *testing.T) {
	t.Parallel()
	names := func(id people.PersonID) string {
		return map[people.PersonID]string{ana: "Ana", ben: "Ben", cem: "Cem"}[id]
	}
	teams := func(id people.TeamID) string { return []string{"", "Desk", "Network", "Backbone"}[id] }
	for _, tt := range []struct {
		name  string
		steps [][2]int64 // team, owner
		want  string
	}{
		{"nothing is on record", nil, ""},
		{"a new ticket is with its team", [][2]int64{{1, 0}}, "Desk"},
		{"all owners stay, in order", [][2]int64{{1, 0}, {0, int64(ben)}, {0, 0}, {0, int64(cem)}}, "Desk (Ben, Cem)"},
		{"who takes it twice in a row is named once", [][2]int64{{1, 0}, {0, int64(ben)}, {0, 0}, {0, int64(ben)}}, "Desk (Ben)"},
		{"a team that has it again is named again", [][2]int64{{1, 0}, {0, int64(ben)}, {2, 0}, {1, 0}, {0, int64(cem)}}, "Desk (Ben) → Network → Desk (Cem)"},
		{"an owner without a team is nobody's", [][2]int64{{0, int64(ben)}}, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var trail, before ticket.Trail
			for _, s := range tt.steps {
				before = trail
				kept := fmt.Sprint(before)
				trail = trail.With(people.TeamID(s[0]), people.PersonID(s[1]))
				if fmt.Sprint(before) != kept {
					t.Fatalf("With changed what it went on from: %v, was %s", before, kept)
				}
			}
			if got := trail.Words(teams, names); got != tt.want {
				t.Errorf("Words() = %q, want %q", got, tt.want)
			}
			if got := trail.People(); len(got) != len(slices.Compact(slices.Clone(got))) && len(trail) == 1 {
				t.Errorf("People() = %v names somebody twice in a row", got)
			}
		})
	}
}

func TestOrdinal(t *testing.T) {
	t.Parallel()
	var got []string
	for _, n := range []int{1, 2, 3, 4, 10, 11, 12, 13, 21, 22, 111, 112, 123} {
		got = append(got, ticket.Ordinal(n))
	}
	if diff := cmp.Diff([]string{"1st", "2nd", "3rd", "4th", "10th", "11th", "12th", "13th", "21st", "22nd", "111th", "112th", "123rd"}, got); diff != "" {
		t.Errorf("Ordinal (-want +got):\n%s", diff)
	}
}
