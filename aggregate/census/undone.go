package census

import (
	"context"
	"fmt"
	"slices"
	"time"

	"rollcall"
	"rollcall/aggregate/idset"
)

// without takes the accounts that were erased off a cell.
func without(row *rollcall.CellRow, erased rollcall.Erasings) {
	if who := erased.Of(&row.Cell); len(who) > 0 {
		row.Accounts = idset.Without(nil, row.Accounts, idset.Append(nil, who))
	}
}

// mostNotes is how many removals, and how many marks, a census tells of.
const mostNotes = 20

// noteUndone tells of the removals and the marked days that figures touch, and
// names the rows that have a marked day.
func noteUndone(t *rollcall.Table, groups []group, q *rollcall.CensusQuery, all rollcall.Corrections, by names) {
	var removals []string
	for _, c := range all.Of(rollcall.Removal) {
		if c.Market == q.Market && touches(&c, q) && c.From <= q.To && q.From <= c.To {
			removals = append(removals, removed(&c, by.scope(&c), all.Restored(&c)))
		}
	}
	t.Meta.Notes = append(t.Meta.Notes, short(slices.Compact(removals), "removals")...)
	var down []string
	for _, b := range breaks(groups, q, all) {
		t.Meta.Breaks = append(t.Meta.Breaks, b)
		of := rollcall.Correction{From: b.From, To: b.To}
		down = append(down, fmt.Sprintf("A collector of %s was down: %s: %s. Figures of these days are too low, and flagged b.", by.anyService(b.Service), of.Days(), b.Reason))
	}
	t.Meta.Notes = append(t.Meta.Notes, short(slices.Compact(down), "marks")...)
}

// removed tells of a removal, and that it was undone where it was.
func removed(c *rollcall.Correction, scope string, restored time.Time) string {
	day := c.Time.Format(time.DateOnly)
	if restored.IsZero() {
		return fmt.Sprintf("%s of %s was removed on %s: %s. What was loaded since counts.", scope, c.Days(), day, c.Reason)
	}
	return fmt.Sprintf("%s of %s was removed on %s: %s. What the log still had of it was brought back on %s, and counts.", scope, c.Days(), day, c.Reason, restored.Format(time.DateOnly))
}

// names are what the deployment calls its own services and segments.
type names struct {
	services map[rollcall.ServiceID]string
	segments map[string]string
}

// namesFor reads the names that notes of corrections have; of none, nothing.
func namesFor(ctx context.Context, store rollcall.Store, all rollcall.Corrections) (n names, err error) {
	if len(all.Of(rollcall.Removal, rollcall.Outage)) == 0 {
		return n, nil
	}
	services, err := store.Services(ctx)
	if err != nil {
		return n, err
	}
	segments, err := store.Segments(ctx, "")
	n = names{make(map[rollcall.ServiceID]string), make(map[string]string)}
	for _, s := range services {
		n.services[s.ID] = s.Name
	}
	for _, s := range segments {
		n.segments[string(s.ID)] = s.Name
	}
	return n, err
}

// called gives an id behind its name, where it has another.
func called(name, id string) string {
	if name == "" || name == id {
		return id
	}
	return fmt.Sprintf("%s (%s)", name, id)
}

func (n names) anyService(id rollcall.ServiceID) string {
	if id == "" {
		return "every service"
	}
	return called(n.services[id], string(id))
}

// scope says what of a service a removal is of.
func (n names) scope(c *rollcall.Correction) string {
	service := n.anyService(c.Service)
	switch c.Segment {
	case "":
		return service
	case rollcall.None:
		return service + ", of no segment,"
	}
	return service + ", segment " + called(n.segments[c.Segment], c.Segment) + ","
}

// touches reports whether a removal is of something that was asked for.
func touches(c *rollcall.Correction, q *rollcall.CensusQuery) bool {
	if c.Segment != "" && len(q.Segments) > 0 && !slices.ContainsFunc(q.Segments, func(id rollcall.SegmentID) bool { return id.String() == c.Segment }) {
		return false
	}
	return len(q.Services) == 0 || slices.Contains(q.Services, c.Service)
}

// breaks gives the marks in force, with the rows that each touches.
func breaks(groups []group, q *rollcall.CensusQuery, all rollcall.Corrections) (found []rollcall.Break) {
	marks := make(map[rollcall.ServiceID][]rollcall.Correction)
	for i, g := range groups {
		of, asked := marks[g.service]
		if !asked {
			of = all.Down(q.Market, g.service, q.From, q.To)
			marks[g.service] = of
		}
		first, last := g.days(q)
		for _, m := range of {
			if m.To < first || last < m.From {
				continue
			}
			at := slices.IndexFunc(found, func(b rollcall.Break) bool {
				return b.Service == m.Service && b.From == m.From && b.To == m.To && b.Reason == m.Reason
			})
			if at < 0 {
				at = len(found)
				found = append(found, rollcall.Break{Service: m.Service, From: m.From, To: m.To, Reason: m.Reason})
			}
			found[at].Rows = append(found[at].Rows, i+1)
		}
	}
	return found
}

// days gives the days that a row is of.
func (g *group) days(q *rollcall.CensusQuery) (first, last rollcall.Day) {
	if g.period == 0 {
		return q.From, q.To
	}
	if q.Window != (rollcall.Window{}) {
		return q.Window.From(g.period), g.period
	}
	unit, _ := unitOf(q.By)
	return max(g.period, q.From), min(next(unit, g.period)-1, q.To)
}

// short leaves the last notes of very many.
func short(notes []string, what string) []string {
	if n := len(notes) - mostNotes; n > 0 {
		return append([]string{fmt.Sprintf("There are %d more %s; the last are:", n, what)}, notes[n:]...)
	}
	return notes
}
