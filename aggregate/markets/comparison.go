package markets

import (
	"cmp"
	"math"
	"slices"

	"rollcall"
	"rollcall/aggregate/audience"
	"rollcall/aggregate/panel"
	"rollcall/aggregate/report"
)

// market is a service in one market.
type market struct {
	version   rollcall.Publication
	name      string
	df        int
	settings  audience.Settings // of the version
	simulated bool              // its people do not exist
	known     bool              // the version's catalogue has the service
	meta      rollcall.Meta     // of the ranking that the figures are of

	audience, reach         rollcall.Measure
	rank, rankLow, rankHigh any // whole numbers; nil: it has none
}

func (m *market) id() string { return string(m.version.Market) }

// shown reports whether there is a reach to compare.
func (m *market) shown() bool { return !m.reach.Status.Withheld() }

// comparison is a table on its way.
type comparison struct {
	of      rollcall.MarketsQuery
	level   float64   // of confidence, in every row: the highest of the versions' own
	list    []*market // by id
	without []string  // markets that have not published the month
	unnamed []string  // markets that have, by panels that were not asked for
}

// names are those of the table's columns.
func names() []string {
	return []string{
		"market", "panel", "version", "status", "unique_audience", "reach", "rank", "rank_low", "rank_high", "difference", "differs", "tied_markets",
	}
}

func columns() []rollcall.Column {
	all := report.Columns()
	out := make([]rollcall.Column, len(names()))
	for i, name := range names() {
		out[i] = all[slices.IndexFunc(all, func(c rollcall.Column) bool { return c.Name == name })]
	}
	return out
}

// ordered gives the markets by reach, the largest first; those without one follow
// by id, so that their place says nothing.
func (c *comparison) ordered() []*market {
	out := slices.Clone(c.list)
	slices.SortStableFunc(out, func(a, b *market) int {
		switch {
		case a.shown() != b.shown():
			return cmp.Compare(after(a), after(b))
		case !a.shown():
			return 0
		}
		return cmp.Compare(b.reach.Value, a.reach.Value)
	})
	return out
}

func after(m *market) int {
	if m.shown() {
		return 0
	}
	return 1
}

// rows gives the table's.
func (c *comparison) rows() []rollcall.Row {
	list := c.ordered()
	out := make([]rollcall.Row, len(list))
	for i, m := range list {
		var difference, differs, tied any
		switch {
		case !m.shown():
			difference = audience.Withheld(m.reach.Status)
		case i > 0:
			difference, differs = c.difference(m, list[i-1])
		}
		if m.shown() {
			tied = c.tied(m, list)
		}
		out[i] = rollcall.Row{
			m.id(), string(m.version.Panel), m.version.Version, string(m.version.Status), m.audience, m.reach, m.rank, m.rankLow, m.rankHigh, difference, differs, tied,
		}
	}
	return out
}

// contrast compares the reaches of two markets: nobody is in both samples.
func contrast(a, b *market) panel.Contrast {
	return panel.Independent(estimate(a.reach), estimate(b.reach), a.df, b.df)
}

func estimate(m rollcall.Measure) panel.Estimate { return panel.Estimate{Value: m.Value, SE: m.SE} }

// difference gives a market's reach less that of the one above it, whose raw
// persons are the smaller sample's, and whether that is more than chance: nil where
// a sample is too small to tell.
func (c *comparison) difference(m, above *market) (rollcall.Measure, any) {
	d := contrast(m, above)
	i := d.Interval(c.level)
	out := rollcall.Measure{Value: d.Value, SE: d.SE, Low: i.Low, High: i.High, N: min(m.reach.N, above.reach.N), Status: rollcall.OK}
	if m.reach.Status == rollcall.Caution || above.reach.Status == rollcall.Caution {
		out.Status = rollcall.Caution
	}
	if math.IsNaN(i.Low) {
		return out, nil
	}
	return out, d.Differs(c.level)
}

// tied names the markets whose reach is not told from this one's, in the order of
// the rows.
func (c *comparison) tied(m *market, list []*market) []string {
	out := []string{}
	for _, other := range list {
		if other != m && other.shown() && !contrast(m, other).Differs(c.level) {
			out = append(out, other.id())
		}
	}
	return out
}
