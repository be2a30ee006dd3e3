package report

// tally weighs a service's, or a union's, users by where they used it: at home
// only, at work only, at both.
type tally struct {
	weight [3]float64
}

// tallyPart is one of the three.
type tallyPart struct{ home, work bool }

func tallyParts() [3]tallyPart {
	return [3]tallyPart{{true, false}, {false, true}, {true, true}}
}

func (t *tally) add(home, work bool, c count) {
	part := 2
	switch {
	case !home && !work:
		return
	case !work:
		part = 0
	case !home:
		part = 1
	}
	t.weight[part] += c.weight
}

// value gives the weighted persons of a place.
func (t *tally) value(p Place) float64 {
	total := 0.0
	for k, part := range tallyParts() {
		if p.Has(part.home, part.work) {
			total += t.weight[k]
		}
	}
	return total
}

// tallies counts the users of every listed service and of every union.
func (v *view) tallies() map[set]tally {
	base := v.at(HomeWork)
	return once(base, "tallies", func() map[set]tally { return base.countAll() })
}

func (v *view) countAll() map[set]tally {
	unions := append([]group{v.all()}, v.groups()...)
	services, united := make([]tally, len(v.catalogue())), make([]tally, len(unions))
	all := v.gathering()
	for i, kind := range all.kinds {
		for s := range kind.home.or(kind.work).each {
			services[s].add(kind.home.has(s), kind.work.has(s), all.counts[i])
		}
		for k, g := range unions {
			united[k].add(kind.home.meets(g.services), kind.work.meets(g.services), all.counts[i])
		}
	}
	out := map[set]tally{}
	for s, t := range services {
		out[setOf(s)] = t
	}
	for k, g := range unions {
		out[g.services] = united[k]
	}
	return out
}
