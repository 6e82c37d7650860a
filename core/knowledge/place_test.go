package knowledge

import (
	"math"
	"testing"
)

func guess(service, category, team string, sure float64, alike int) Guess {
	return Guess{Place{service, category, team}, sure, alike}
}

func TestServiceIsSaidAsSurelyAsItIs(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		all  Guesses
		want Place
		says Certainty
	}{
		{"nothing is known", nil, Place{}, Unsure},
		{"one of many", Guesses{guess("vpn", "", "", 0.9, 5), guess("mail", "", "", 0.1, 1)}, Place{Service: "vpn"}, Probably},
		{"half as sure", Guesses{guess("vpn", "", "", 0.6, 5), guess("mail", "", "", 0.4, 4)}, Place{Service: "vpn"}, Maybe},
		{"nearly a draw", Guesses{guess("vpn", "", "", 0.49, 5), guess("mail", "", "", 0.48, 4)}, Place{Service: "vpn"}, Unsure},
		{"one ticket is no habit", Guesses{guess("vpn", "", "", 1, 1)}, Place{Service: "vpn"}, Unsure},
		{"two are hardly one", Guesses{guess("vpn", "", "", 1, 2)}, Place{Service: "vpn"}, Maybe},
		{"the only one that is known may not be the one", Guesses{guess("vpn", "", "", 0.3, 3)}, Place{Service: "vpn"}, Unsure},
		{"what nobody said does not count against it", Guesses{guess("", "", "", 0.8, 9), guess("vpn", "", "", 0.2, 3)}, Place{Service: "vpn"}, Probably},
		{"categories and hand-overs add up", Guesses{guess("vpn", "access", "", 0.3, 2), guess("vpn", "speed", "", 0.3, 2), guess("vpn", "", "desk", 0.3, 2), guess("mail", "", "", 0.1, 0)},
			Place{Service: "vpn"}, Probably},
		{"a category as sure as its service", Guesses{guess("vpn", "access", "", 0.8, 4), guess("vpn", "speed", "", 0.1, 1), guess("mail", "", "", 0.1, 0)}, Place{Service: "vpn", Category: "access"}, Probably},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got := tt.all.Service()
			if got.Place != tt.want || got.Certainty() != tt.says {
				t.Errorf("Service() = %+v, %q; want %+v, %q", got, got.Certainty(), tt.want, tt.says)
			}
		})
	}
}

func TestTeamIsWhereTicketsWereHandedOn(t *testing.T) {
	t.Parallel()
	goes := func(p Place) string {
		if p.Team != "" {
			return p.Team
		}
		return map[string]string{"vpn": "network", "wifi": "network"}[p.Service]
	}
	all := Guesses{guess("vpn", "", "", 0.1, 1), guess("vpn", "", "desk", 0.5, 4), guess("wifi", "", "", 0.35, 3), guess("wifi", "", "network", 0.05, 1)}
	tests := []struct {
		name, service string
		want          string
		sure          float64
		alike         int
	}{
		{"of the service that was chosen", "vpn", "desk", 0.5 / 0.6, 4},
		{"as the policy says, said twice", "wifi", "network", 1, 4},
		{"of any service", "", "desk", 0.5, 4},
		{"of a service that nothing is known of", "mail", "", 0, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got := all.Team(tt.service, "", goes)
			if got.Team != tt.want || math.Abs(got.Sure-tt.sure) > 1e-9 || got.Alike != tt.alike {
				t.Errorf("Team(%q) = %+v, want %q, %.2f, %d", tt.service, got, tt.want, tt.sure, tt.alike)
			}
		})
	}
}
