package api

import (
	"context"
	"fmt"
	"slices"

	"github.com/danielgtaylor/huma/v2"

	"rollcall"
	"rollcall/api/access"
	"rollcall/api/export"
)

// months gives all reports of a published month at once.
type months struct{ *Server }

type monthInput struct {
	Edition
	Language
	Plain
}

// getWorkbook gives all reports of a version as one workbook.
func (s months) getWorkbook(ctx context.Context, in *monthInput) (*huma.StreamResponse, error) {
	return s.month(ctx, in, func(m *export.Month) download {
		return download{contentType: export.XLSX.ContentType(), name: m.FolderName() + "." + string(export.XLSX), write: m.Workbook}
	})
}

// getFolder gives all reports of a version in every form, as an archive.
func (s months) getFolder(ctx context.Context, in *monthInput) (*huma.StreamResponse, error) {
	return s.month(ctx, in, func(m *export.Month) download {
		return download{contentType: "application/zip", name: m.FolderName() + ".zip", write: m.Zip}
	})
}

func (s months) month(ctx context.Context, in *monthInput, as func(*export.Month) download) (*huma.StreamResponse, error) {
	m, err := s.exported(ctx, in)
	if err != nil {
		return nil, s.fault("export", err)
	}
	return &huma.StreamResponse{Body: func(ctx huma.Context) { as(m).answer(ctx, s.Server, &m.Tables[0].Meta) }}, nil
}

// exported gathers what a month's folder is made of.
func (s months) exported(ctx context.Context, in *monthInput) (*export.Month, error) {
	of, err := in.about().panelMonth()
	if err != nil {
		return nil, err
	}
	p, err := s.publication(ctx, of, in.Version)
	if err != nil {
		return nil, err
	}
	return export.Gather(ctx, s.Reports.Report, s.Catalogue.Catalogue(), p, export.Locale(in.Locale))
}

// monthRow is a month in the list of them.
type monthRow struct {
	Month   rollcall.Month             `json:"month"`
	Market  rollcall.MarketID          `json:"market"`
	Panel   rollcall.PanelID           `json:"panel"`
	Version int                        `json:"version,omitempty" doc:"the latest for readers that was not withdrawn; absent: there is none"`
	Status  rollcall.PublicationStatus `json:"status,omitempty" doc:"of that version"`
}

// getAll lists the months that have a roster or a version, by market, panel and
// month.
func (s months) getAll(ctx context.Context, in *ofMarket) (*paged[monthRow], error) {
	all, err := s.known(ctx, in)
	if err != nil {
		return nil, s.fault("months", err)
	}
	all, next, err := part(in.Page, all, func(m rollcall.PanelMonth) string {
		return string(m.Market) + "." + string(m.Panel) + "." + m.Month.String()
	})
	if err != nil {
		return nil, s.fault("months", err)
	}
	latest := map[rollcall.PanelMonth]rollcall.Publication{}
	looked := map[rollcall.MarketID]bool{}
	rows := make([]monthRow, len(all))
	for i, m := range all {
		if !looked[m.Market] {
			looked[m.Market] = true
			list, err := s.Publications.Publications(ctx, m.Market, rollcall.PanelID(in.Panel))
			if err != nil {
				return nil, s.fault("months", err)
			}
			for _, p := range list { // by version
				if !p.Internal && p.Withdrawn.IsZero() {
					latest[p.PanelMonth] = p
				}
			}
		}
		rows[i] = monthRow{m.Month, m.Market, m.Panel, latest[m].Version, latest[m].Status}
	}
	return pageOf(rows, next), nil
}

// known gives the months of what is asked for, of the markets that the caller may
// see.
func (s months) known(ctx context.Context, in *ofMarket) (all []rollcall.PanelMonth, err error) {
	seen := markets(s).seen(access.Of(ctx))
	if in.Market != "" {
		if err := markets(s).sees(access.Of(ctx), rollcall.MarketID(in.Market)); err != nil {
			return nil, err
		}
	}
	if access.Of(ctx).OfSegments() {
		return nil, nil
	}
	if in.Market != "" {
		of := rollcall.PanelMonth{Market: rollcall.MarketID(in.Market), Panel: rollcall.PanelID(in.Panel)}
		if err := s.Publications.Known(ctx, of); err != nil {
			return nil, err
		}
		seen = []rollcall.Market{{ID: of.Market}}
	}
	for _, m := range seen {
		list, err := s.Panels.Months(ctx, m.ID)
		if err != nil {
			return nil, err
		}
		all = append(all, list...)
	}
	return ofPanel(all, rollcall.PanelID(in.Panel))
}

// ofPanel narrows months to a panel's, if one is named, which must be there.
func ofPanel(all []rollcall.PanelMonth, panel rollcall.PanelID) (of []rollcall.PanelMonth, err error) {
	if panel == "" {
		return all, nil
	}
	var names []string
	for _, m := range all {
		names = append(names, string(m.Panel))
		if m.Panel == panel {
			of = append(of, m)
		}
	}
	if of == nil {
		return nil, &rollcall.Unknown{Kind: "panel", Name: string(panel), Near: rollcall.Nearest(string(panel), slices.Compact(names)), Advice: "load its files with `rollcall panel load`"}
	}
	return of, nil
}

// publication finds one version of a month that the caller may know of.
func (s months) publication(ctx context.Context, of rollcall.PanelMonth, version int) (p rollcall.Publication, err error) {
	if err := s.Publications.Known(ctx, of); err != nil {
		return p, err
	}
	all, err := s.Publications.Publications(ctx, of.Market, of.Panel)
	if err != nil {
		return p, err
	}
	i := slices.IndexFunc(all, func(p rollcall.Publication) bool { return p.PanelMonth == of && p.Version == version })
	if i < 0 || all[i].Internal && access.Of(ctx).IsReader() {
		return p, rollcall.NoVersion(of, version, all)
	}
	if !all[i].Withdrawn.IsZero() {
		return p, fmt.Errorf("version %d of %s of panel %s in %s was %w: %s", version, of.Month, of.Panel, of.Market, rollcall.ErrWithdrawn, all[i].WithdrawalReason)
	}
	return all[i], nil
}

// getPublication gives one version as the list of them does.
func (s months) getPublication(ctx context.Context, in *verifyInput) (*body[rollcall.Publication], error) {
	of, err := in.about().panelMonth()
	if err != nil {
		return nil, s.fault("publication", err)
	}
	p, err := s.publication(ctx, of, in.Version)
	if err != nil {
		return nil, s.fault("publication", err)
	}
	return &body[rollcall.Publication]{Body: p}, nil
}

// withheld says how many figures of a report of a version are withheld, and why.
type withheld struct {
	Report    string `json:"report"`
	Location  string `json:"location"`
	Figures   int    `json:"figures"`
	Below     int    `json:"below" doc:"of too few persons"`
	Undefined int    `json:"undefined" doc:"that there are none of: a note of the report says why"`
}

// getWithheld counts the figures of the reports that a month's folder has.
func (s months) getWithheld(ctx context.Context, in *verifyInput) (*list[withheld], error) {
	of, err := in.about().panelMonth()
	if err == nil {
		err = in.hidden(ctx, s.Publications)
	}
	if err != nil {
		return nil, s.fault("withheld", err)
	}
	var rows []withheld
	for _, q := range export.Questions(of, in.Version) {
		t, err := s.Reports.Report(ctx, q)
		if err != nil {
			return nil, s.fault("withheld", err)
		}
		rows = append(rows, countWithheld(t))
	}
	return listOf(rows), nil
}

func countWithheld(t *rollcall.Table) withheld {
	out := withheld{Report: t.Meta.Report, Location: t.Meta.Location}
	for _, row := range t.Rows {
		for _, cell := range row {
			m, ok := cell.(rollcall.Measure)
			if !ok {
				continue
			}
			out.Figures++
			switch m.Status {
			case rollcall.Below:
				out.Below++
			case rollcall.Undefined:
				out.Undefined++
			}
		}
	}
	return out
}
