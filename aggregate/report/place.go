package report

import (
	"strings"

	"rollcall"
)

// Place says which users a figure is about, by where they used the service.
type Place string

// The places. HomeWork is the union, never a sum.
const (
	AtHome   Place = "home"
	AtWork   Place = "work"
	HomeWork Place = "home+work"
	Both     Place = "both"
	HomeOnly Place = "home-only"
	WorkOnly Place = "work-only"
)

// ParsePlace reads a place; "" is home+work, and a space is a "+".
func ParsePlace(s string) (Place, error) {
	switch p := Place(strings.ReplaceAll(strings.ReplaceAll(s, " ", "+"), "%2B", "+")); p {
	case "":
		return HomeWork, nil
	case "work+home":
		return HomeWork, nil
	case AtHome, AtWork, HomeWork, Both, HomeOnly, WorkOnly:
		return p, nil
	}
	return "", &rollcall.Invalid{Field: "location", Value: s, Reason: "is not home, work, home+work, both, home-only or work-only", Code: "location"}
}

// base is the place whose active universe a reach at p is of.
func (p Place) base() Place {
	if p == AtHome || p == AtWork {
		return p
	}
	return HomeWork
}

// locations are those whose minutes count for the users at p.
func (p Place) locations() rollcall.Location {
	switch p {
	case AtHome, HomeOnly:
		return rollcall.Home
	case AtWork, WorkOnly:
		return rollcall.Work
	}
	return rollcall.Home | rollcall.Work
}

// holds reports whether someone who used a service at home, at work or both is
// a user at p.
func (p Place) holds(home, work bool) bool {
	switch p {
	case AtHome:
		return home
	case AtWork:
		return work
	case Both:
		return home && work
	case HomeOnly:
		return home && !work
	case WorkOnly:
		return work && !home
	}
	return home || work
}

// of gives the services that someone uses at p, given those at home and at work.
func (p Place) of(home, work set) set {
	var out set
	for i := range home {
		switch p {
		case AtHome:
			out[i] = home[i]
		case AtWork:
			out[i] = work[i]
		case Both:
			out[i] = home[i] & work[i]
		case HomeOnly:
			out[i] = home[i] &^ work[i]
		case WorkOnly:
			out[i] = work[i] &^ home[i]
		default:
			out[i] = home[i] | work[i]
		}
	}
	return out
}

// Places gives every place, in the order that reports list them.
func Places() []Place { return []Place{HomeWork, AtHome, AtWork, Both, HomeOnly, WorkOnly} }
