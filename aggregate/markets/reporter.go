package markets

import (
	"context"

	"rollcall"
	"rollcall/aggregate/audience"
	"rollcall/aggregate/report"
)

// Reporter compares markets. Its fields are set once, before its first use; then it
// is safe for concurrent use.
type Reporter struct {
	Reports *report.Reporter // of the markets one by one
}

// Markets answers a question. It fails with an Invalid for a bad parameter, with an
// Unknown for a service or panel that there is none of, and wraps
// rollcall.ErrNotClosed, naming the nearest months, where no market that may be
// seen has published the month.
func (r *Reporter) Markets(ctx context.Context, q rollcall.MarketsQuery) (*rollcall.Table, error) {
	if err := r.fill(&q); err != nil {
		return nil, err
	}
	p, err := r.published(ctx, &q)
	if err != nil {
		return nil, err
	}
	c := &comparison{of: q, without: p.without, unnamed: p.unnamed}
	months := make([]*audience.Month, len(p.chosen))
	for i, version := range p.chosen {
		if months[i], err = r.Reports.Months.Month(ctx, version.Document); err != nil {
			return nil, err
		}
		c.level = max(c.level, months[i].Doc.Settings.Confidence)
	}
	for i, version := range p.chosen {
		one, err := r.market(ctx, c, version, months[i])
		if err != nil {
			return nil, err
		}
		c.list = append(c.list, one)
	}
	return c.table(r.Reports.Software), nil
}

// fill puts defaults in and checks what needs no facts.
func (r *Reporter) fill(q *rollcall.MarketsQuery) (err error) {
	if q.Place, err = rollcall.ParsePlace(string(q.Place)); err != nil {
		return err
	}
	if q.Credit, err = rollcall.ParseCredit(string(q.Credit)); err != nil {
		return err
	}
	if q.Service == rollcall.Online {
		return &rollcall.Invalid{Field: "service", Value: string(q.Service), Reason: "is any internet use, which has no figures of its own", Code: "service"}
	}
	_, err = r.Reports.Months.Catalogue().Service(q.Service)
	return err
}

// market reads a market's figures off the ranking of its version, at the
// comparison's confidence.
func (r *Reporter) market(ctx context.Context, c *comparison, p rollcall.Publication, m *audience.Month) (*market, error) {
	view := m.Whole.View(c.of.Credit, c.of.Place, nil)
	one := &market{
		version: p, name: m.Doc.Market.Name, df: view.Intervals.DF(), settings: m.Doc.Settings,
		audience: audience.Undefined(), reach: audience.Undefined(),
	}
	q := rollcall.Query{Report: "ranking", Of: p.PanelMonth, Version: p.Version, Place: c.of.Place, Credit: c.of.Credit, Confidence: c.level}
	if one.known = m.Service(c.of.Service) >= 0; one.known {
		q.Services = []rollcall.ServiceID{c.of.Service}
	}
	t, err := r.Reports.Report(ctx, q)
	if err != nil {
		return nil, err
	}
	one.meta, one.simulated = t.Meta, t.Meta.Simulated || m.Doc.Market.Simulated
	if one.known {
		one.audience, one.reach = t.Cell(0, "unique_audience").(rollcall.Measure), t.Cell(0, "reach").(rollcall.Measure)
		one.rank, one.rankLow, one.rankHigh = t.Cell(0, "rank"), t.Cell(0, "rank_low"), t.Cell(0, "rank_high")
	}
	return one, nil
}
