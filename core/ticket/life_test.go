package ticket_test

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/deskhand/deskhand/core/people"
	"github.com/deskhand/deskhand/core/ticket"
)

const (
	ana people.PersonID = 1 + iota // asks
	ben                            // works
	cem                            // works too
)

var (
	monday = time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)
	later  = monday.Add(time.Hour)
)

// The tickets that the tables begin with, each as life would have made it.
var (
	fresh = ticket.Ticket{ID: 7, Kind: ticket.Incident, Number: 42, Title: "No sound", Requester: ana, Author: ana, Queue: 1, Team: 1,
		Impact: ticket.OnlyMe, Urgency: ticket.Today, Priority: ticket.Normal, Because: "one person is affected and it hurts more today",
		State: ticket.New, OpenedAt: monday, Version: 1}
	claimed    = as(fresh, func(t *ticket.Ticket) { t.State, t.Owner, t.ClaimedAt = ticket.InProgress, ben, monday })
	held       = as(claimed, func(t *ticket.Ticket) { t.State, t.WaitsFor, t.WaitNote = ticket.Waiting, ticket.ForPart, "a cable" })
	heldByNone = as(fresh, func(t *ticket.Ticket) { t.State, t.WaitsFor = ticket.Waiting, ticket.ForSupplier })
	resolved   = as(claimed, func(t *ticket.Ticket) {
		t.State, t.Resolution, t.Article, t.ResolvedAt = ticket.Done, "Unmuted it", 12, monday
	})
	closed = as(resolved, func(t *ticket.Ticket) { t.ClosedAt = monday })
	chosen = as(claimed, func(t *ticket.Ticket) { t.Chosen = "2 open" })
	rated  = as(closed, func(t *ticket.Ticket) { t.Rating, t.Comment = 4, "quick" })
)

func as(t ticket.Ticket, change func(*ticket.Ticket)) ticket.Ticket {
	change(&t)
	return t
}

type step func(ticket.Ticket) (ticket.Ticket, ticket.Event, error)

func claim(by people.PersonID) step {
	return func(t ticket.Ticket) (ticket.Ticket, ticket.Event, error) { return t.Claim(by, later) }
}

func assign(to people.PersonID) step {
	return func(t ticket.Ticket) (ticket.Ticket, ticket.Event, error) { return t.Assign(to, ben, later) }
}

func release(t ticket.Ticket) (ticket.Ticket, ticket.Event, error) { return t.Release(ben, later) }

func move(queue ticket.QueueID, kind ticket.Kind) step {
	return func(t ticket.Ticket) (ticket.Ticket, ticket.Event, error) {
		return t.Move(queue, kind, 2, ben, "it is the network", later)
	}
}

func entrust(to people.PersonID) step {
	return func(t ticket.Ticket) (ticket.Ticket, ticket.Event, error) { return t.Entrust(to, "2 open", later) }
}

func decline(by people.PersonID) step {
	return func(t ticket.Ticket) (ticket.Ticket, ticket.Event, error) { return t.Decline(by, later) }
}

func vacate(t ticket.Ticket) (ticket.Ticket, ticket.Event, error) {
	return t.Vacate("Ben is away", later)
}

func wait(r ticket.Reason, note string) step {
	return func(t ticket.Ticket) (ticket.Ticket, ticket.Event, error) { return t.Wait(r, note, ben, later) }
}

func wake(t ticket.Ticket) (ticket.Ticket, ticket.Event, error) {
	return t.Wake(ana, "she answered", later)
}

func resolve(by people.PersonID, words string) step {
	return func(t ticket.Ticket) (ticket.Ticket, ticket.Event, error) { return t.Resolve(by, words, 12, later) }
}

func closing(t ticket.Ticket) (ticket.Ticket, ticket.Event, error) { return t.Close(ana, "", later) }

func reopen(t ticket.Ticket) (ticket.Ticket, ticket.Event, error) {
	return t.Reopen(ana, "still no sound", later)
}

func rate(faces int, comment string) step {
	return func(t ticket.Ticket) (ticket.Ticket, ticket.Event, error) {
		return t.Rate(faces, comment, ana, later)
	}
}

func prioritise(i ticket.Impact, u ticket.Urgency, override ticket.Priority, why string) step {
	return func(t ticket.Ticket) (ticket.Ticket, ticket.Event, error) {
		return t.Prioritise(i, u, override, why, nil, ben, later)
	}
}

func correct(service, category string) step {
	return func(t ticket.Ticket) (ticket.Ticket, ticket.Event, error) {
		return t.Correct(service, category, ben, later)
	}
}

func TestStepsThatAreTaken(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		was  ticket.Ticket
		step step
		want ticket.Ticket
		ev   ticket.Event
	}{
		{"whoever claims a new ticket works on it", fresh, claim(ben),
			as(fresh, func(t *ticket.Ticket) { t.State, t.Owner, t.ClaimedAt = ticket.InProgress, ben, later }),
			ticket.Event{Action: ticket.Claimed, By: ben}},
		{"a waiting ticket that nobody has can be claimed and goes on waiting", heldByNone, claim(ben),
			as(heldByNone, func(t *ticket.Ticket) { t.Owner, t.ClaimedAt = ben, later }),
			ticket.Event{Action: ticket.Claimed, By: ben}},
		{"a new ticket that is given to somebody is in progress", fresh, assign(cem),
			as(fresh, func(t *ticket.Ticket) { t.State, t.Owner, t.ClaimedAt = ticket.InProgress, cem, later }),
			ticket.Event{Action: ticket.Assigned, By: ben}},
		{"a ticket can be given away by its owner", claimed, assign(cem),
			as(claimed, func(t *ticket.Ticket) { t.Owner, t.ClaimedAt = cem, later }),
			ticket.Event{Action: ticket.Assigned, By: ben}},
		{"the desk says why it has chosen somebody", fresh, entrust(cem),
			as(fresh, func(t *ticket.Ticket) {
				t.State, t.Owner, t.Chosen, t.ClaimedAt = ticket.InProgress, cem, "2 open", later
			}),
			ticket.Event{Action: ticket.Assigned, Note: "2 open"}},
		{"a person's choice takes the place of the desk's", chosen, assign(cem),
			as(claimed, func(t *ticket.Ticket) { t.Owner, t.ClaimedAt = cem, later }),
			ticket.Event{Action: ticket.Assigned, By: ben}},
		{"whom the desk has chosen may decline", chosen, decline(ben), fresh,
			ticket.Event{Action: ticket.Declined, By: ben}},
		{"whoever puts it on hold has accepted it", chosen, wait(ticket.ForPart, "a cable"), held,
			ticket.Event{Action: ticket.Waited, By: ben, Note: "a cable"}},
		{"a ticket whose owner is away comes free", chosen, vacate, fresh,
			ticket.Event{Action: ticket.Vacated, Note: "Ben is away"}},
		{"a ticket that is given back is new again", claimed, release, fresh,
			ticket.Event{Action: ticket.Released, By: ben}},
		{"a waiting ticket that is given back goes on waiting", held, release,
			as(held, func(t *ticket.Ticket) { t.Owner, t.ClaimedAt = 0, time.Time{} }),
			ticket.Event{Action: ticket.Released, By: ben}},
		{"a ticket that is handed over is new to the other team", claimed, move(2, ticket.Incident),
			as(fresh, func(t *ticket.Ticket) { t.Queue, t.Team, t.Moves = 2, 2, 1 }),
			ticket.Event{Action: ticket.Moved, By: ben, Note: "it is the network"}},
		{"a waiting ticket that is handed over goes on waiting", held, move(2, ticket.Incident),
			as(held, func(t *ticket.Ticket) { t.Queue, t.Team, t.Moves, t.Owner, t.ClaimedAt = 2, 2, 1, 0, time.Time{} }),
			ticket.Event{Action: ticket.Moved, By: ben, Note: "it is the network"}},
		{"work stops for a reason", claimed, wait(ticket.ForPart, "a cable"), held,
			ticket.Event{Action: ticket.Waited, By: ben, Note: "a cable"}},
		{"a waiting ticket may turn out to wait for something else", held, wait(ticket.ForSupplier, "a cable"),
			as(held, func(t *ticket.Ticket) { t.WaitsFor = ticket.ForSupplier }),
			ticket.Event{Action: ticket.Waited, By: ben, Note: "a cable"}},
		{"its owner goes on with a waiting ticket", held, wake, claimed,
			ticket.Event{Action: ticket.Woken, By: ana, Note: "she answered"}},
		{"a waiting ticket that nobody has wakes as a new one", heldByNone, wake, fresh,
			ticket.Event{Action: ticket.Woken, By: ana, Note: "she answered"}},
		{"its owner resolves a ticket", claimed, resolve(ben, "Unmuted it"),
			as(resolved, func(t *ticket.Ticket) { t.ResolvedAt = later }),
			ticket.Event{Action: ticket.Resolved, By: ben, Note: "Unmuted it"}},
		{"a colleague who resolves a ticket leaves it to its owner", claimed, resolve(cem, "Unmuted it"),
			as(resolved, func(t *ticket.Ticket) { t.ResolvedAt = later }),
			ticket.Event{Action: ticket.Resolved, By: cem, Note: "Unmuted it"}},
		{"whoever resolves an unclaimed ticket owns it", fresh, resolve(cem, "Unmuted it"),
			as(resolved, func(t *ticket.Ticket) { t.Owner, t.ClaimedAt, t.ResolvedAt = cem, later, later }),
			ticket.Event{Action: ticket.Resolved, By: cem, Note: "Unmuted it"}},
		{"a ticket that the desk itself resolves is nobody's", fresh, resolve(0, "Unmuted it"),
			as(resolved, func(t *ticket.Ticket) { t.Owner, t.ClaimedAt, t.ResolvedAt = 0, time.Time{}, later }),
			ticket.Event{Action: ticket.Resolved, Note: "Unmuted it"}},
		{"a resolved ticket no longer waits", held, resolve(ben, "Unmuted it"),
			as(resolved, func(t *ticket.Ticket) { t.ResolvedAt = later }),
			ticket.Event{Action: ticket.Resolved, By: ben, Note: "Unmuted it"}},
		{"a resolved ticket is closed", resolved, closing,
			as(resolved, func(t *ticket.Ticket) { t.ClosedAt = later }),
			ticket.Event{Action: ticket.ClosedStep, By: ana}},
		{"a reopened ticket is its owner's again, without the resolution", resolved, reopen,
			as(claimed, func(t *ticket.Ticket) { t.Reopened = 1 }),
			ticket.Event{Action: ticket.ReopenStep, By: ana, Note: "still no sound"}},
		{"a ticket that the desk had resolved is new again", as(resolved, func(t *ticket.Ticket) { t.Owner, t.ClaimedAt = 0, time.Time{} }), reopen,
			as(fresh, func(t *ticket.Ticket) { t.Reopened = 1 }),
			ticket.Event{Action: ticket.ReopenStep, By: ana, Note: "still no sound"}},
		{"a closed ticket is rated", closed, rate(4, "quick"), rated,
			ticket.Event{Action: ticket.Rated, By: ana, Note: "quick"}},
		{"the last rating counts", rated, rate(1, "it came back"),
			as(closed, func(t *ticket.Ticket) { t.Rating, t.Comment = 1, "it came back" }),
			ticket.Event{Action: ticket.Rated, By: ana, Note: "it came back"}},
		{"a priority follows the matrix", fresh, prioritise(ticket.MySite, ticket.Now, 0, "all of Kiel"),
			as(fresh, func(t *ticket.Ticket) {
				t.Impact, t.Urgency, t.Priority, t.Because = ticket.MySite, ticket.Now, ticket.Critical, "a whole site is affected and work has stopped"
			}),
			ticket.Event{Action: ticket.Prioritised, By: ben, Note: "all of Kiel"}},
		{"a priority that overrides the matrix keeps its reason", claimed, prioritise(ticket.OnlyMe, ticket.Today, ticket.High, "the board meets"),
			as(claimed, func(t *ticket.Ticket) { t.Priority, t.Because = ticket.High, "the board meets" }),
			ticket.Event{Action: ticket.Prioritised, By: ben, Note: "the board meets"}},
		{"a priority that says what the matrix says keeps the matrix's reason", claimed, prioritise(ticket.OnlyMe, ticket.Today, ticket.Normal, "just so"),
			claimed, ticket.Event{Action: ticket.Prioritised, By: ben, Note: "just so"}},
		{"what a ticket is about is corrected, and it stays where it is", claimed, correct("sound", "headsets"),
			as(claimed, func(t *ticket.Ticket) { t.Service, t.Category = "sound", "headsets" }),
			ticket.Event{Action: ticket.Corrected, By: ben}},
		{"another service leaves no category behind", as(held, func(t *ticket.Ticket) { t.Service, t.Category = "sound", "headsets" }), correct("screens", ""),
			as(held, func(t *ticket.Ticket) { t.Service = "screens" }),
			ticket.Event{Action: ticket.Corrected, By: ben}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got, ev, err := tt.step(tt.was)
			if err != nil {
				t.Fatal(err)
			}
			tt.ev.At = later
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("ticket (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(tt.ev, ev); diff != "" {
				t.Errorf("event (-want +got):\n%s", diff)
			}
		})
	}
}

func TestStepsThatAreRefused(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		was  ticket.Ticket
		step step
		want ticket.RefusedError
	}{
		{"a claim that comes second learns who was first", claimed, claim(cem),
			ticket.RefusedError{Step: "claim", Reason: "somebody has it", Owner: ben, Since: monday}},
		{"nobody claims a ticket twice", claimed, claim(ben),
			ticket.RefusedError{Step: "claim", Reason: "it is yours already", Owner: ben, Since: monday}},
		{"a resolved ticket can't be claimed", resolved, claim(cem),
			ticket.RefusedError{Step: "claim", Reason: "it is already resolved"}},
		{"a resolved ticket can't be given to anybody", resolved, assign(cem),
			ticket.RefusedError{Step: "assign", Reason: "it is already resolved"}},
		{"a ticket can't be given to its owner", claimed, assign(ben),
			ticket.RefusedError{Step: "assign", Reason: "that person has it already", Owner: ben, Since: monday}},
		{"a ticket can't be given to nobody", claimed, assign(0),
			ticket.RefusedError{Step: "assign", Reason: "nobody was named"}},
		{"the desk takes nobody's ticket away by choosing", claimed, entrust(cem),
			ticket.RefusedError{Step: "assign", Reason: "somebody has it", Owner: ben, Since: monday}},
		{"only whom the desk has chosen can decline", chosen, decline(cem),
			ticket.RefusedError{Step: "pass on", Reason: "it is not yours", Owner: ben, Since: monday}},
		{"what one has claimed is given back, not declined", claimed, decline(ben),
			ticket.RefusedError{Step: "pass on", Reason: "you took it or a person gave it to you; “Give back” frees it", Owner: ben, Since: monday}},
		{"a resolved ticket can't be declined", resolved, decline(ben),
			ticket.RefusedError{Step: "pass on", Reason: "it is already resolved"}},
		{"a waiting ticket stays its owner's", held, vacate,
			ticket.RefusedError{Step: "free", Reason: "it is waiting for a part"}},
		{"a ticket that nobody has does not come free", fresh, vacate,
			ticket.RefusedError{Step: "free", Reason: "nobody has it"}},
		{"a resolved ticket does not come free", resolved, vacate,
			ticket.RefusedError{Step: "free", Reason: "it is already resolved"}},
		{"a ticket that nobody has can't be given back", fresh, release,
			ticket.RefusedError{Step: "release", Reason: "nobody has it"}},
		{"a resolved ticket can't be given back", resolved, release,
			ticket.RefusedError{Step: "release", Reason: "it is already resolved"}},
		{"an incident can't go to a queue of requests", fresh, move(2, ticket.Request),
			ticket.RefusedError{Step: "hand over", Reason: "incidents and requests don't share a queue"}},
		{"a ticket can't be handed to the team that has it", fresh, move(1, ticket.Incident),
			ticket.RefusedError{Step: "hand over", Reason: "that team has it already"}},
		{"a resolved ticket can't be handed over", resolved, move(2, ticket.Incident),
			ticket.RefusedError{Step: "hand over", Reason: "it is already resolved"}},
		{"a resolved ticket can't wait", resolved, wait(ticket.ForPart, ""),
			ticket.RefusedError{Step: "put on hold", Reason: "it is already resolved"}},
		{"a ticket can't wait twice for the same", held, wait(ticket.ForPart, "a cable"),
			ticket.RefusedError{Step: "put on hold", Reason: "it is waiting for a part already"}},
		{"a ticket can't wait for nothing", claimed, wait("", "soon"),
			ticket.RefusedError{Step: "put on hold", Reason: "it has to wait for something"}},
		{"a ticket that does not wait can't wake", claimed, wake,
			ticket.RefusedError{Step: "resume", Reason: "it is not waiting"}},
		{"a resolution has to say something", claimed, resolve(ben, ""),
			ticket.RefusedError{Step: "resolve", Reason: "the resolution is empty"}},
		{"nobody resolves a ticket twice", resolved, resolve(cem, "me too"),
			ticket.RefusedError{Step: "resolve", Reason: "it is already resolved", Owner: ben, Since: monday}},
		{"a ticket that is not resolved can't be closed", held, closing,
			ticket.RefusedError{Step: "close", Reason: "it is not resolved yet"}},
		{"a ticket is closed once", closed, closing,
			ticket.RefusedError{Step: "close", Reason: "it is closed already"}},
		{"an open ticket can't be reopened", claimed, reopen,
			ticket.RefusedError{Step: "reopen", Reason: "it is still open"}},
		{"a closed ticket stays closed", closed, reopen,
			ticket.RefusedError{Step: "reopen", Reason: "it was closed on 2 March"}},
		{"an open ticket can't be rated", claimed, rate(5, ""),
			ticket.RefusedError{Step: "rate", Reason: "it is not resolved yet"}},
		{"there is no sixth face", closed, rate(6, ""),
			ticket.RefusedError{Step: "rate", Reason: "6 is not one of five faces"}},
		{"there is no face below the first", closed, rate(0, "nothing to say"),
			ticket.RefusedError{Step: "rate", Reason: "0 is not one of five faces"}},
		{"the same rating twice is one", rated, rate(4, "quick"),
			ticket.RefusedError{Step: "rate", Reason: "you said so already"}},
		{"a priority needs a reason", claimed, prioritise(ticket.MyTeam, ticket.Now, 0, ""),
			ticket.RefusedError{Step: "change the priority of", Reason: "the reason is empty"}},
		{"there is no fifth priority", claimed, prioritise(ticket.MyTeam, ticket.Now, 5, "unimportant"),
			ticket.RefusedError{Step: "change the priority of", Reason: "there is no such priority"}},
		{"there is no such impact", claimed, prioritise("world", ticket.Now, 0, "everybody"),
			ticket.RefusedError{Step: "change the priority of", Reason: "there is no such priority"}},
		{"a correction says something", claimed, correct("", ""),
			ticket.RefusedError{Step: "correct", Reason: "it does not say what the ticket is about"}},
		{"what is so is not corrected", as(claimed, func(t *ticket.Ticket) { t.Service = "sound" }), correct("sound", ""),
			ticket.RefusedError{Step: "correct", Reason: "it is about that already"}},
		{"a resolved ticket was about what it was about", resolved, correct("sound", ""),
			ticket.RefusedError{Step: "correct", Reason: "it is already resolved"}},
		{"a resolved ticket keeps its priority", resolved, prioritise(ticket.MyTeam, ticket.Now, 0, "later"),
			ticket.RefusedError{Step: "change the priority of", Reason: "it is already resolved"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got, ev, err := tt.step(tt.was)
			refused, ok := errors.AsType[*ticket.RefusedError](err)
			if !ok {
				t.Fatalf("took the step, or failed otherwise: %v", err)
			}
			if diff := cmp.Diff(tt.want, *refused); diff != "" {
				t.Errorf("refusal (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(tt.was, got); diff != "" || ev != (ticket.Event{}) {
				t.Errorf("a refused step gave %+v and changed the ticket:\n%s", ev, diff)
			}
		})
	}
}

func TestOpen(t *testing.T) {
	t.Parallel()
	draft := ticket.Ticket{Kind: ticket.Request, Title: "A second screen", Requester: ana, Author: ben, Impact: ticket.OnlyMe, Urgency: ticket.CanWait}
	got, ev, err := ticket.Open(draft, nil, monday)
	if err != nil {
		t.Fatal(err)
	}
	want := as(draft, func(t *ticket.Ticket) {
		t.State, t.OpenedAt, t.Version = ticket.New, monday, 1
		t.Priority, t.Because = ticket.Low, "one person is affected and it can wait"
	})
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("ticket (-want +got):\n%s", diff)
	}
	if want := (ticket.Event{Action: ticket.Opened, By: ben, At: monday}); ev != want {
		t.Errorf("event = %+v, want %+v", ev, want)
	}
	for name, bad := range map[string]ticket.Ticket{
		"without a subject": as(draft, func(t *ticket.Ticket) { t.Title = "" }),
		"without an impact": as(draft, func(t *ticket.Ticket) { t.Impact = "" }),
		"of no urgency":     as(draft, func(t *ticket.Ticket) { t.Urgency = "soon" }),
	} {
		if _, _, err := ticket.Open(bad, nil, monday); err == nil {
			t.Errorf("opened a ticket %s", name)
		} else if _, ok := errors.AsType[*ticket.RefusedError](err); !ok {
			t.Errorf("opening a ticket %s: %v, want a refusal", name, err)
		}
	}
}

// Whatever people press in whatever order, these hold.
func TestLawsOfALife(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		someone := rapid.SampledFrom([]people.PersonID{0, ana, ben, cem})
		worker := rapid.SampledFrom([]people.PersonID{ana, ben, cem})
		words := rapid.SampledFrom([]string{"", "it works", "ask again"})
		kinds := rapid.SampledFrom([]ticket.Kind{ticket.Incident, ticket.Request})
		impacts, urgencies := rapid.SampledFrom(ticket.Impacts), rapid.SampledFrom(ticket.Urgencies)

		now := monday
		tk, _, err := ticket.Open(ticket.Ticket{Kind: kinds.Draw(t, "kind"), Title: "No sound", Requester: ana, Author: ana, Queue: 1,
			Impact: impacts.Draw(t, "impact"), Urgency: urgencies.Draw(t, "urgency")}, nil, now)
		if err != nil {
			t.Fatal(err)
		}
		reopened, moves := 0, 0
		take := func(action ticket.Action, draw func(t *rapid.T) step) func(*rapid.T) {
			return func(t *rapid.T) {
				was := tk
				is, ev, err := draw(t)(tk)
				if tk != was {
					t.Fatalf("%s changed the ticket that it was asked of", action)
				}
				if err != nil {
					if _, ok := errors.AsType[*ticket.RefusedError](err); !ok || is != was {
						t.Fatalf("%s: %v, %+v", action, err, is)
					}
					return
				}
				if ev.Action != action || !ev.At.Equal(now) {
					t.Fatalf("%s at %v said %+v", action, now, ev)
				}
				if was.Closed() {
					unrated := is
					unrated.Rating, unrated.Comment = was.Rating, was.Comment
					if unrated != was {
						t.Fatalf("%s changed a closed ticket: %+v", action, is)
					}
				}
				if action == ticket.ReopenStep {
					reopened++
				}
				if action == ticket.Moved {
					moves++
				}
				tk = is
			}
		}
		t.Repeat(map[string]func(*rapid.T){
			"claim": take(ticket.Claimed, func(t *rapid.T) step {
				by := worker.Draw(t, "by")
				return func(tk ticket.Ticket) (ticket.Ticket, ticket.Event, error) { return tk.Claim(by, now) }
			}),
			"assign": take(ticket.Assigned, func(t *rapid.T) step {
				to := someone.Draw(t, "to")
				return func(tk ticket.Ticket) (ticket.Ticket, ticket.Event, error) { return tk.Assign(to, ben, now) }
			}),
			"entrust": take(ticket.Assigned, func(t *rapid.T) step {
				to := someone.Draw(t, "to")
				return func(tk ticket.Ticket) (ticket.Ticket, ticket.Event, error) { return tk.Entrust(to, "2 open", now) }
			}),
			"decline": take(ticket.Declined, func(t *rapid.T) step {
				by := worker.Draw(t, "by")
				return func(tk ticket.Ticket) (ticket.Ticket, ticket.Event, error) { return tk.Decline(by, now) }
			}),
			"vacate": take(ticket.Vacated, func(*rapid.T) step {
				return func(tk ticket.Ticket) (ticket.Ticket, ticket.Event, error) { return tk.Vacate("she is away", now) }
			}),
			"release": take(ticket.Released, func(*rapid.T) step {
				return func(tk ticket.Ticket) (ticket.Ticket, ticket.Event, error) { return tk.Release(ben, now) }
			}),
			"move": take(ticket.Moved, func(t *rapid.T) step {
				q, k := rapid.Int64Range(1, 3).Draw(t, "queue"), kinds.Draw(t, "kind")
				return func(tk ticket.Ticket) (ticket.Ticket, ticket.Event, error) {
					return tk.Move(ticket.QueueID(q), k, people.TeamID(q), ben, "", now)
				}
			}),
			"wait": take(ticket.Waited, func(t *rapid.T) step {
				r, note := rapid.SampledFrom(append([]ticket.Reason{"", "nothing"}, ticket.Reasons...)).Draw(t, "reason"), words.Draw(t, "note")
				return func(tk ticket.Ticket) (ticket.Ticket, ticket.Event, error) { return tk.Wait(r, note, ben, now) }
			}),
			"wake": take(ticket.Woken, func(*rapid.T) step {
				return func(tk ticket.Ticket) (ticket.Ticket, ticket.Event, error) { return tk.Wake(ana, "", now) }
			}),
			"resolve": take(ticket.Resolved, func(t *rapid.T) step {
				by, how := someone.Draw(t, "by"), words.Draw(t, "how")
				return func(tk ticket.Ticket) (ticket.Ticket, ticket.Event, error) { return tk.Resolve(by, how, 0, now) }
			}),
			"close": take(ticket.ClosedStep, func(*rapid.T) step {
				return func(tk ticket.Ticket) (ticket.Ticket, ticket.Event, error) { return tk.Close(0, "", now) }
			}),
			"reopen": take(ticket.ReopenStep, func(*rapid.T) step {
				return func(tk ticket.Ticket) (ticket.Ticket, ticket.Event, error) { return tk.Reopen(ana, "", now) }
			}),
			"rate": take(ticket.Rated, func(t *rapid.T) step {
				n, note := rapid.IntRange(-1, 7).Draw(t, "faces"), words.Draw(t, "comment")
				return func(tk ticket.Ticket) (ticket.Ticket, ticket.Event, error) { return tk.Rate(n, note, ana, now) }
			}),
			"prioritise": take(ticket.Prioritised, func(t *rapid.T) step {
				i, u := impacts.Draw(t, "impact"), urgencies.Draw(t, "urgency")
				p, why := rapid.IntRange(-1, 6).Draw(t, "override"), words.Draw(t, "why")
				return func(tk ticket.Ticket) (ticket.Ticket, ticket.Event, error) {
					return tk.Prioritise(i, u, ticket.Priority(p), why, nil, ben, now)
				}
			}),
			"": func(t *rapid.T) {
				now = now.Add(time.Minute)
				laws := map[string]bool{
					"waits for something exactly while waiting":     (tk.State == ticket.Waiting) == (tk.WaitsFor != ""),
					"has a note on the wait only while waiting":     tk.WaitNote == "" || tk.State == ticket.Waiting,
					"has a time of resolution exactly when done":    (tk.State == ticket.Done) == !tk.ResolvedAt.IsZero(),
					"has a resolution exactly when done":            (tk.State == ticket.Done) == (tk.Resolution != ""),
					"is closed only when done":                      !tk.Closed() || tk.State == ticket.Done,
					"is open exactly when not done":                 tk.Open() == (tk.State != ticket.Done),
					"is nobody's while new":                         tk.State != ticket.New || tk.Owner == 0,
					"is somebody's while in progress":               tk.State != ticket.InProgress || tk.Owner != 0,
					"has been claimed exactly when it has an owner": (tk.Owner != 0) == !tk.ClaimedAt.IsZero(),
					"was chosen for somebody only while she has it": tk.Chosen == "" || tk.Owner != 0,
					"counts how often it was handed over":           tk.Moves == moves && tk.Seen() == moves+1,
					"counts how often it was reopened":              tk.Reopened == reopened,
					"has one of four priorities":                    tk.Priority >= ticket.Critical && tk.Priority <= ticket.Low,
					"says why it has its priority":                  tk.Because != "",
					"has at most five faces":                        tk.Rating >= 0 && tk.Rating <= 5,
				}
				for law, holds := range laws {
					if !holds {
						t.Fatalf("a ticket %s; this one does not: %+v", law, tk)
					}
				}
			},
		})
	})
}
