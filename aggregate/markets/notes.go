package markets

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"rollcall"
	"rollcall/aggregate/panel"
)

// table ends a comparison.
func (c *comparison) table(software string) *rollcall.Table {
	m := rollcall.Meta{
		Report: "markets", Service: c.of.Service, Month: c.of.Month.String(), Location: string(c.of.Place), Credit: string(c.of.Credit),
		Confidence: c.level, Thresholds: c.thresholds(), Software: software, Method: c.method(), Notes: c.notes(),
	}
	for _, one := range c.list {
		m.Simulated = m.Simulated || one.simulated
		m.Markets = append(m.Markets, one.about())
	}
	return &rollcall.Table{Meta: m, Columns: columns(), Rows: c.rows()}
}

// about says which version stands for the market.
func (m *market) about() rollcall.MarketMeta {
	out := rollcall.MarketMeta{
		Market: m.version.Market, Name: m.name, Panel: m.version.Panel, Version: m.version.Version, Status: string(m.version.Status), Simulated: m.simulated,
		Universe: m.meta.Universe, DF: m.df, Confidence: m.settings.Confidence, Thresholds: m.meta.Thresholds, Calibrated: m.meta.Calibrated, Document: m.version.Document.String(),
	}
	if m.meta.Sample != nil {
		out.InTab = m.meta.Sample.InTab
	}
	return out
}

// thresholds are those of every market; nil where they are not one, which a note
// then says.
func (c *comparison) thresholds() map[string]int {
	for _, m := range c.list {
		if !maps.Equal(m.meta.Thresholds, c.list[0].meta.Thresholds) {
			return nil
		}
	}
	return c.list[0].meta.Thresholds
}

// method is the method statement: what all markets' figures have in common, and
// which versions they are of.
func (c *comparison) method() string {
	versions := c.each(func(m *market) string {
		return fmt.Sprintf("%s/%s/%d", m.id(), m.version.Panel, m.version.Version)
	})
	parts := []string{
		"method=rollcall-1",
		"population=persons",
		"service=" + string(c.of.Service),
		"credit=" + string(c.of.Credit),
		"location=" + string(c.of.Place),
		"base=" + string(c.of.Place.Base()),
		"period=" + c.of.Month.First().String() + "/" + c.of.Month.Last().String(),
		"versions=" + strings.Join(versions, ","),
		"weights=raking",
		"variance=taylor-calibration-residuals",
		"interval=t,logit,korn-graubard",
		"samples=independent",
		"difference_df=welch-satterthwaite",
		fmt.Sprintf("confidence=%g", c.level),
		fmt.Sprintf("caution_rse=%g", panel.CautionRSE),
	}
	if calibrated := c.calibrated(); len(calibrated) > 0 {
		parts = append(parts, "calibrated="+strings.Join(calibrated, ","))
	}
	return strings.Join(parts, "; ")
}

// calibrated gives "FR/msn": of each market, the services that its version is
// calibrated to.
func (c *comparison) calibrated() (out []string) {
	for _, m := range c.list {
		for _, to := range m.meta.Calibrated {
			out = append(out, fmt.Sprintf("%s/%s", m.id(), to.Service))
		}
	}
	return out
}

// notes are the plain words that go with the figures.
func (c *comparison) notes() []string {
	notes := []string{
		"Reach is of each market's own active universe, and the rank is among its own services. Markets are in order of reach; their samples are independent, and each pair is tested by itself.",
		"The universe is taken as fixed: the enumeration study's own sampling error is not in the intervals.",
	}
	if c.of.Place != rollcall.AtHome {
		notes = append(notes, "Use at unmetered places is not measured: figures at work, and at home and work combined, are lower bounds.")
	}
	for _, say := range []struct {
		text string // with the markets it is of
		of   []string
	}{
		{"This month is not published in, and so left out: %s.", c.without},
		{"Panels that are not named have published this month in, and so left out: %s.", c.unnamed},
		{"The catalogue of the version doesn't have the service, so its figures are undefined: %s.", c.those(func(m *market) bool { return !m.known })},
		{"Preliminary, and may still change: %s.", c.those(func(m *market) bool { return m.version.Status == rollcall.Preliminary })},
		{"Restated: %s.", c.reasons()},
		{"Calibrated to a service's own census, and so compared with care where others are not; an input that two have in common is taken as two: %s.",
			c.those(func(m *market) bool { return len(m.meta.Calibrated) > 0 })},
		{"Weighting efficiency, where it is under what is good: %s.", c.inefficient()},
		{"Closed with other levels of confidence, and given at the highest of them: %s.", c.confidences()},
		{"Figures are judged by each market's own limits, in persons withheld/flagged: %s.", c.limits()},
		{"Panels are simulated, and not measurements of real people: %s.", c.those(func(m *market) bool { return m.simulated })},
	} {
		if len(say.of) > 0 {
			notes = append(notes, fmt.Sprintf(say.text, strings.Join(say.of, ", ")))
		}
	}
	return notes
}

// each says something of every market.
func (c *comparison) each(say func(*market) string) []string {
	var out []string
	for _, m := range c.list {
		out = append(out, say(m))
	}
	return out
}

// those names the markets of which something holds.
func (c *comparison) those(holds func(*market) bool) []string {
	return slices.DeleteFunc(c.each(func(m *market) string {
		if holds(m) {
			return m.id()
		}
		return ""
	}), func(name string) bool { return name == "" })
}

// reasons gives those of restated versions.
func (c *comparison) reasons() []string {
	var out []string
	for _, m := range c.list {
		if m.version.Status == rollcall.Restated {
			out = append(out, fmt.Sprintf("%s (%s)", m.id(), m.version.Reason))
		}
	}
	return out
}

// inefficient gives the weighting efficiency where it is worth a warning.
func (c *comparison) inefficient() []string {
	var out []string
	for _, m := range c.list {
		if w := m.meta.Weights; w != nil && panel.GradeOf(w.Efficiency/100) != panel.Good {
			out = append(out, fmt.Sprintf("%s %.0f %%", m.id(), w.Efficiency))
		}
	}
	return out
}

// confidences gives the versions' own levels, where they are not one.
func (c *comparison) confidences() []string {
	if !slices.ContainsFunc(c.list, func(m *market) bool { return m.settings.Confidence != c.level }) {
		return nil
	}
	return c.each(func(m *market) string { return fmt.Sprintf("%s %g %%", m.id(), 100*m.settings.Confidence) })
}

// limits gives the versions' own, where they are not one.
func (c *comparison) limits() []string {
	if c.thresholds() != nil {
		return nil
	}
	return c.each(func(m *market) string {
		return fmt.Sprintf("%s %d/%d", m.id(), m.settings.Low, m.settings.Caution)
	})
}
