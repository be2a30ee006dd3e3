package audience

import (
	"fmt"
	"math"
	"slices"

	"rollcall"
	"rollcall/aggregate/panel"
)

// Calibrated is a service whose users are known from its own census: so many
// accounts in the month, by the accounts that a person has. The weights are raked
// to them, with the universe's margins.
type Calibrated struct {
	Service     rollcall.ServiceID `json:"service"`
	Location    string             `json:"location"`     // where accounts and users are counted: home+work, or any
	Accounts    float64            `json:"accounts"`     // of the census at close
	AccountsRSE float64            `json:"accounts_rse"` // relative standard error; 0: counted one by one
	PerPerson   float64            `json:"accounts_per_person"`
	SE          float64            `json:"se"` // of PerPerson
	Source      string             `json:"source"`
	SourceDate  string             `json:"source_date"`
	Own         float64            `json:"own"`            // users at home or at work by the panel alone
	OwnSE       float64            `json:"own_se"`         // of Own
	Efficiency  float64            `json:"own_efficiency"` // of the weights that the panel has alone, 0 to 1
}

// Persons is the number of users that the weights are raked to.
func (c *Calibrated) Persons() float64 { return c.Accounts / c.PerPerson }

// RSE is the relative standard error of Persons.
func (c *Calibrated) RSE() float64 { return math.Hypot(c.AccountsRSE, c.SE/c.PerPerson) }

func (c *Calibrated) sound(d *Document) bool {
	known := slices.ContainsFunc(d.Services, func(s rollcall.Service) bool { return s.ID == c.Service })
	finite := c.Persons() > 0 && !math.IsInf(c.Persons(), 0) && c.RSE() >= 0 && !math.IsInf(c.RSE(), 0)
	return known && finite && (c.Location == string(rollcall.HomeWork) || c.Location == rollcall.AnyPlace)
}

// users makes the margin of users of a month. The accounts are the month's own;
// what a person has is one number in all months whose line is the same.
func (c *Calibrated) users(at []int32, month rollcall.Month) panel.Users {
	return panel.Users{
		Name: "users of " + string(c.Service), At: at, Persons: c.Persons(),
		Count:   panel.Input{Name: fmt.Sprintf("accounts of %s in %s", c.Service, month), RSE: c.AccountsRSE},
		Divisor: panel.Input{Name: fmt.Sprintf("accounts a person of %s, %s: %g +- %g, %q of %s", c.Service, c.Location, c.PerPerson, c.SE, c.Source, c.SourceDate), RSE: c.SE / c.PerPerson},
	}
}

// usersKnown gives the margins of users that the document names: the users are
// those with any credited minute at home or at work.
func (m *Month) usersKnown() (out []panel.Users) {
	for i := range m.Doc.Calibrated {
		c := &m.Doc.Calibrated[i]
		service := m.Service(c.Service)
		used := make([]bool, len(m.Roster.Panelists))
		for _, d := range m.diaries.list {
			used[d.person] = used[d.person] || int(d.service) == service
		}
		out = append(out, c.users(positions(used), m.Doc.Of.Month))
	}
	return out
}

// CalibratedAlike reports whether two months are calibrated to the same services,
// counted at the same places: else nothing of the one can be set beside the other.
func CalibratedAlike(a, b *Month) bool {
	return slices.EqualFunc(a.Doc.Calibrated, b.Doc.Calibrated, func(x, y Calibrated) bool {
		return x.Service == y.Service && x.Location == y.Location
	})
}

// Calibrated reports whether the month's weights are raked to a service's users.
func (m *Month) Calibrated(id rollcall.ServiceID) bool {
	return slices.ContainsFunc(m.Doc.Calibrated, func(c Calibrated) bool { return c.Service == id })
}
