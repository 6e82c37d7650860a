package ticket

import "fmt"

// Impact is who is affected, in the words of the business.
type Impact string

// The impacts, least first.
const (
	OnlyMe    Impact = "me"
	MyTeam    Impact = "team"
	MySite    Impact = "site"
	Customers Impact = "customers"
)

// Impacts lists them all, least first.
var Impacts = []Impact{OnlyMe, MyTeam, MySite, Customers}

// Words is the answer to "who is affected?".
func (i Impact) Words() string {
	switch i {
	case OnlyMe:
		return "Only me"
	case MyTeam:
		return "My team"
	case MySite:
		return "A whole site"
	case Customers:
		return "Customers or revenue"
	}
	return string(i)
}

func (i Impact) because() string {
	switch i {
	case OnlyMe:
		return "one person is affected"
	case MyTeam:
		return "a team is affected"
	case MySite:
		return "a whole site is affected"
	case Customers:
		return "customers or revenue are affected"
	}
	return string(i)
}

// Urgency is by when it hurts more.
type Urgency string

// The urgencies, least first.
const (
	CanWait  Urgency = "later"
	ThisWeek Urgency = "week"
	Today    Urgency = "today"
	Now      Urgency = "now"
)

// Urgencies lists them all, least first.
var Urgencies = []Urgency{CanWait, ThisWeek, Today, Now}

// Words is the answer to "by when does it hurt more?".
func (u Urgency) Words() string {
	switch u {
	case CanWait:
		return "It can wait"
	case ThisWeek:
		return "This week"
	case Today:
		return "Today"
	case Now:
		return "Right now, work has stopped"
	}
	return string(u)
}

func (u Urgency) because() string {
	switch u {
	case CanWait:
		return "it can wait"
	case ThisWeek:
		return "it hurts more this week"
	case Today:
		return "it hurts more today"
	case Now:
		return "work has stopped"
	}
	return string(u)
}

// Priority is the order of work: 1 before 4.
type Priority int

// The priorities.
const (
	Critical Priority = 1
	High     Priority = 2
	Normal   Priority = 3
	Low      Priority = 4
)

func (p Priority) String() string {
	switch p {
	case Critical:
		return "Critical"
	case High:
		return "High"
	case Normal:
		return "Normal"
	case Low:
		return "Low"
	}
	return fmt.Sprintf("priority %d", int(p))
}

// Matrix gives the priority of each impact and urgency.
type Matrix map[Impact]map[Urgency]Priority

// DefaultMatrix is in force where a policy has none.
var DefaultMatrix = Matrix{
	OnlyMe:    {CanWait: Low, ThisWeek: Low, Today: Normal, Now: Normal},
	MyTeam:    {CanWait: Low, ThisWeek: Normal, Today: High, Now: High},
	MySite:    {CanWait: Normal, ThisWeek: High, Today: High, Now: Critical},
	Customers: {CanWait: Normal, ThisWeek: High, Today: Critical, Now: Critical},
}

// Priority is what the matrix says, with its reason in words; 0 for an impact
// or an urgency that there is not.
func (m Matrix) Priority(i Impact, u Urgency) (Priority, string) {
	p, ok := m[i][u]
	if !ok {
		p = DefaultMatrix[i][u]
	}
	return p, i.because() + " and " + u.because()
}
