package profile

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"rollcall"
	"rollcall/ingest"
)

// checkRules refuses rules that have no name, no condition, or nothing to do.
func checkRules(drop, set []Rule) error {
	for i, r := range drop {
		if r.Name == "" || r.When.empty() {
			return fmt.Errorf("drop[%d]: name and when must be given", i)
		}
	}
	for i, r := range set {
		if r.Name == "" || r.When.empty() {
			return fmt.Errorf("set[%d]: name and when must be given", i)
		}
		if r.Segment.empty() && r.Platform.empty() && r.Location.empty() && r.Service.empty() {
			return fmt.Errorf("set[%d]: sets none of segment, platform, location and service", i)
		}
	}
	return nil
}

// optional names the rules that drop nobody unless asked, in order.
func (p *Profile) optional() []string {
	names := map[string]bool{}
	for i := range p.Tables {
		for _, r := range p.Tables[i].Drop {
			if r.Optional {
				names[r.Name] = true
			}
		}
	}
	return slices.Sorted(maps.Keys(names))
}

// askable refuses a rule that can't be asked for.
func (p *Profile) askable(name string) error {
	has := p.optional()
	switch {
	case slices.Contains(has, name):
		return nil
	case slices.ContainsFunc(p.Tables, func(t Table) bool {
		return slices.ContainsFunc(t.Drop, func(r Rule) bool { return r.Name == name })
	}):
		return fmt.Errorf("--drop-rules: %s is always dropped; leave it out", name)
	case len(has) == 0:
		return fmt.Errorf("--drop-rules %q: the profile has no such rules", name)
	case len(has) == 1:
		return fmt.Errorf("--drop-rules %q: is not %s", name, has[0])
	}
	last := len(has) - 1
	return fmt.Errorf("--drop-rules %q: is not %s or %s", name, strings.Join(has[:last], ", "), has[last])
}

// holds reports whether a condition holds for a row; an empty one does.
func (r *Reader) holds(when *Value, row map[string]any) (bool, error) {
	if when.empty() {
		return true, nil
	}
	v, err := when.of(row, r.machine)
	return truth(v), err
}

// dropped names the rule that drops a row; "": none does.
func (r *Reader) dropped(t *Table, who ingest.Sighting, row map[string]any) (string, error) {
	if who.Account != "" && len(r.names) > 0 {
		if name := ingest.Normalise(who.Service, who.Account); r.names[name] {
			r.matched[name] = true
			return ruleNames, nil
		}
	}
	for i := range t.Drop {
		rule := &t.Drop[i]
		holds, err := r.holds(&rule.When, row)
		if err != nil {
			return "", fmt.Errorf("rule %s: %w", rule.Name, err)
		}
		if !holds {
			continue
		}
		if rule.Optional && !r.options.Optional[rule.Name] {
			r.counts.Kept[rule.Name]++
			continue
		}
		return rule.Name, nil
	}
	return "", nil
}

// ruleNames is the rule of --drop.
const ruleNames = "names"

// set puts into the sighting what the rules set that hold.
func (r *Reader) set(t *Table, to *ingest.Sighting, row map[string]any) error {
	for i := range t.Set {
		rule := &t.Set[i]
		holds, err := r.holds(&rule.When, row)
		if err != nil {
			return fmt.Errorf("rule %s: %w", rule.Name, err)
		}
		if !holds {
			continue
		}
		r.counts.Set[rule.Name]++
		if err := r.fill(to, row, parts{service: &rule.Service, location: &rule.Location, segment: &rule.Segment}); err != nil {
			return err
		}
		if rule.Platform.empty() {
			continue
		}
		v, err := rule.Platform.of(row, r.machine)
		if err != nil {
			return fmt.Errorf("rule %s: %w", rule.Name, err)
		}
		if to.Platform, err = rollcall.ParsePlatform(text(v)); err != nil {
			return errors.New(rule.Platform.said() + "the rule's platform is not a platform")
		}
	}
	return nil
}

// parts are the values of which a sighting's group is made.
type parts struct{ market, service, location, segment *Value }

// fill sets what the values give for a row; what is empty changes nothing.
func (r *Reader) fill(to *ingest.Sighting, row map[string]any, from parts) error {
	get := func(v *Value, name string, use func(string) error) error {
		if v == nil || v.empty() {
			return nil
		}
		out, err := v.of(row, r.machine)
		if err == nil && text(out) != "" {
			err = use(text(out))
		}
		if err != nil {
			return fmt.Errorf("%s%s: %w", v.said(), name, err)
		}
		return nil
	}
	return errors.Join(
		get(from.market, "market", func(s string) error { to.Market = rollcall.MarketID(s); return nil }),
		get(from.service, "service", func(s string) error { to.Service = rollcall.ServiceID(s); return nil }),
		get(from.segment, "segment", func(s string) (err error) {
			if to.Segment, err = rollcall.ParseSegment(s); err != nil {
				return errors.New("is not an id of 1 to 64 letters, digits, '.', '_' and '-'")
			}
			return nil
		}),
		get(from.location, "location", func(s string) (err error) {
			if to.Location, err = rollcall.ParseLocation(s); err != nil {
				return errors.New("is not home, work or elsewhere")
			}
			return nil
		}))
}
