package report

import (
	"slices"

	"rollcall"
)

// group is services united under one name: a row of any, a brand or an owner.
type group struct {
	name     string
	level    string
	services set
}

// all gives the union of the listed services.
func (v *view) all() group {
	return group{name: "any", level: "any", services: setOf(v.listed()...)}
}

// groups gives the view's brands, then its owners.
func (v *view) groups() []group { return groups(v.catalogue(), setOf(v.listed()...)) }

// groups gives the brands, then the owners, that have more than one service in
// the catalogue and at least one listed; each by name.
func groups(catalogue []rollcall.Service, listed set) []group {
	brand := func(s rollcall.Service) string { return s.Brand }
	owner := func(s rollcall.Service) string { return s.Owner }
	return append(groupBy(catalogue, listed, "brand", brand), groupBy(catalogue, listed, "owner", owner)...)
}

// unions gives the services listed, alone and then united as a ranking has
// them, each set once.
func unions(catalogue []rollcall.Service, listed set) []set {
	var out []set
	for s := range listed.each {
		out = append(out, setOf(s))
	}
	add := func(s set) {
		if s = s.and(listed); !slices.Contains(out, s) {
			out = append(out, s)
		}
	}
	add(listed)
	for _, g := range groups(catalogue, listed) {
		add(g.services)
	}
	return out
}

func groupBy(catalogue []rollcall.Service, listed set, level string, name func(rollcall.Service) string) []group {
	members := map[string]set{}
	for i, s := range catalogue {
		if s.ID != rollcall.Online && name(s) != "" {
			members[name(s)] = members[name(s)].with(i)
		}
	}
	var out []group
	for name, services := range members {
		if services.len() > 1 && services.meets(listed) {
			out = append(out, group{name: name, level: level, services: services})
		}
	}
	slices.SortFunc(out, func(a, b group) int { return compareText(a.name, b.name) })
	return out
}
