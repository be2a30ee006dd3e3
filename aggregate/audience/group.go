package audience

import (
	"slices"
	"strings"

	"rollcall"
)

// Group is services united under one name: a row of any, a brand or an owner.
type Group struct {
	Name     string
	Level    string
	Services Set
}

// All gives the union of the listed services.
func (v *View) All() Group {
	return Group{Name: string(rollcall.AnyService), Level: "any", Services: SetOf(v.Listed()...)}
}

// Groups gives the view's brands, then its owners.
func (v *View) Groups() []Group { return groups(v.Catalogue(), SetOf(v.Listed()...)) }

// groups gives the brands, then the owners, that have more than one service in
// the catalogue and at least one listed; each by name.
func groups(catalogue []rollcall.Service, listed Set) []Group {
	brand := func(s rollcall.Service) string { return s.Brand }
	owner := func(s rollcall.Service) string { return s.Owner }
	return append(groupBy(catalogue, listed, "brand", brand), groupBy(catalogue, listed, "owner", owner)...)
}

// unions gives the services listed, alone and then united as a ranking has
// them, each set once.
func unions(catalogue []rollcall.Service, listed Set) []Set {
	var out []Set
	for s := range listed.Each {
		out = append(out, SetOf(s))
	}
	add := func(s Set) {
		if s = s.And(listed); !slices.Contains(out, s) {
			out = append(out, s)
		}
	}
	add(listed)
	for _, g := range groups(catalogue, listed) {
		add(g.Services)
	}
	return out
}

func groupBy(catalogue []rollcall.Service, listed Set, level string, name func(rollcall.Service) string) []Group {
	members := map[string]Set{}
	for i, s := range catalogue {
		if s.ID != rollcall.Online && name(s) != "" {
			members[name(s)] = members[name(s)].With(i)
		}
	}
	var out []Group
	for name, services := range members {
		if services.Len() > 1 && services.Meets(listed) {
			out = append(out, Group{Name: name, Level: level, Services: services})
		}
	}
	slices.SortFunc(out, func(a, b Group) int { return strings.Compare(a.Name, b.Name) })
	return out
}
