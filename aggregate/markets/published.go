package markets

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"rollcall"
	"rollcall/aggregate/publish"
)

// published is what the markets that may be seen have published for readers.
type published struct {
	of      *rollcall.MarketsQuery
	chosen  []rollcall.Publication // the version that stands for each market, by market
	without []string               // markets that have published other months, and not this one
	unnamed []string               // markets that have published it by panels that are not meant
	gone    []rollcall.Publication // of the month: withdrawn, or aged out
	months  []rollcall.Month       // of any market, as often as they come
	panels  []rollcall.PanelID     // likewise
}

// published finds the version that stands for each market: the latest for readers
// of the panel that is meant. A market in which several are meant is refused by
// its name, since one of them would be taken in silence.
func (r *Reporter) published(ctx context.Context, q *rollcall.MarketsQuery) (*published, error) {
	p := &published{of: q}
	for _, m := range r.Reports.Months.Catalogue().Markets {
		if len(q.Readable) > 0 && !slices.Contains(q.Readable, m.ID) {
			continue
		}
		list, err := r.Reports.Months.Publications(ctx, m.ID, "")
		if err != nil {
			return nil, err
		}
		if err := p.add(m.ID, list); err != nil {
			return nil, err
		}
	}
	if err := p.checkPanels(); err != nil {
		return nil, err
	}
	if len(p.chosen) == 0 {
		return nil, p.refuse()
	}
	return p, nil
}

// add looks at what a market has published, in order of months and versions.
func (p *published) add(m rollcall.MarketID, list []rollcall.Publication) error {
	latest, other := map[rollcall.PanelID]rollcall.Publication{}, false
	for _, v := range list {
		if v.Internal {
			continue
		}
		p.panels = append(p.panels, v.Panel)
		switch {
		case len(p.of.Panels) > 0 && !slices.Contains(p.of.Panels, v.Panel):
		case !open(v):
			if v.Month == p.of.Month {
				p.gone = append(p.gone, v)
			}
		case v.Month == p.of.Month:
			latest[v.Panel] = v
		default:
			other = true
			p.months = append(p.months, v.Month)
		}
	}
	switch panels := slices.Sorted(maps.Keys(latest)); {
	case len(panels) > 1:
		return &rollcall.Invalid{
			Field: "panel", Value: joined(p.of.Panels), Code: "several_panels",
			Reason: fmt.Sprintf("leaves several in %s that have published %s: %s; name one of them, and one of each other market that is meant", m, p.of.Month, joined(panels)),
		}
	case len(panels) == 1:
		p.chosen = append(p.chosen, latest[panels[0]])
	case slices.ContainsFunc(list, func(v rollcall.Publication) bool { return v.Month == p.of.Month && open(v) }): // of a panel that is not meant
		p.unnamed = append(p.unnamed, string(m))
	case other:
		p.without = append(p.without, string(m))
	}
	return nil
}

// open reports whether readers may have a version's figures.
func open(v rollcall.Publication) bool {
	return !v.Internal && v.Withdrawn.IsZero() && v.AgedOut.IsZero()
}

// checkPanels refuses a panel that has published nothing anywhere.
func (p *published) checkPanels() error {
	for _, name := range p.of.Panels {
		if !slices.Contains(p.panels, name) {
			near := slices.Clone(p.panels)
			slices.Sort(near)
			return &rollcall.Unknown{Kind: "panel", Name: string(name), Where: "among those that have published", Near: rollcall.Nearest(string(name), slices.Compact(near))}
		}
	}
	return nil
}

// refuse says why no market has the month.
func (p *published) refuse() error {
	for _, v := range p.gone {
		if err := publish.CheckWithdrawn(v); err != nil {
			return err
		}
	}
	for _, v := range p.gone {
		return (rollcall.Ageings{{Before: v.Month + 1, Time: v.AgedOut}}).Check(v.PanelMonth)
	}
	of := ""
	if len(p.of.Panels) > 0 {
		of = " of panel " + joined(p.of.Panels)
	}
	near := "no other month is published either"
	if months := nearest(p.of.Month, p.months); len(months) > 0 {
		near = "the nearest that are published: " + joined(months)
	}
	return fmt.Errorf("%s%s is %w in any market; %s", p.of.Month, of, rollcall.ErrNotClosed, near)
}

// mostNear is how many months a refusal names.
const mostNear = 3

// nearest gives the months that are nearest in time, each once.
func nearest(m rollcall.Month, known []rollcall.Month) []rollcall.Month {
	months := slices.Clone(known)
	slices.Sort(months)
	months = slices.Compact(months)
	slices.SortStableFunc(months, func(a, b rollcall.Month) int { return cmp.Compare(apart(a, m), apart(b, m)) })
	return months[:min(mostNear, len(months))]
}

func apart(a, b rollcall.Month) rollcall.Month { return max(a-b, b-a) }

// joined lists names in one line.
func joined[T any](names []T) string {
	texts := make([]string, len(names))
	for i, name := range names {
		texts[i] = fmt.Sprint(name)
	}
	return strings.Join(texts, ", ")
}
