package report

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"rollcall"
)

// Age removes the facts of every month before the given one, in every market:
// cells, diaries and exclusions, rosters, and what versions froze. Versions
// stay listed; what is asked of them, or of the census, is rollcall.ErrAgedOut
// from the first step on. It gives how many rows and objects were removed. A
// call that broke off is completed by the next, and a second changes nothing;
// what has aged out stays so where a later call keeps more.
func (o *Office) Age(ctx context.Context, before rollcall.Month) (removed int, err error) {
	if err := o.Store.AddAgeing(ctx, rollcall.Ageing{Before: before, Time: o.Now().UTC()}); err != nil {
		return 0, err
	}
	gone, err := o.ages(ctx)
	if err != nil {
		return 0, err
	}
	before = gone.before()
	objects, documents, err := o.doomed(ctx, before)
	if err != nil {
		return 0, fmt.Errorf("age out what is before %s: %w", before, err)
	}
	// Documents go last: they name the others.
	for _, step := range []func() (int, error){
		func() (int, error) { return o.Store.RemoveObjects(ctx, objects) },
		func() (int, error) { return o.Store.RemoveObjects(ctx, documents) },
		func() (int, error) { return o.Store.RemoveFacts(ctx, before) },
	} {
		n, err := step()
		removed += n
		if err != nil {
			return removed, fmt.Errorf("age out what is before %s: %w", before, err)
		}
	}
	return removed, nil
}

// doomed names the objects of the months before: rosters, frozen diaries, and
// the documents, which may exclude persons by pseudonym. What a later month
// names too stays. Universes stay: they hold no person.
func (o *Office) doomed(ctx context.Context, before rollcall.Month) (objects, documents []rollcall.Hash, err error) {
	rosters, err := o.Store.Rosters(ctx, before)
	if err != nil {
		return nil, nil, err
	}
	kept, err := o.namedFrom(ctx, before)
	if err != nil {
		return nil, nil, err
	}
	add := func(to *[]rollcall.Hash, names ...rollcall.Hash) {
		for _, h := range names {
			if !kept[h] {
				kept[h] = true // once is enough
				*to = append(*to, h)
			}
		}
	}
	add(&objects, rosters...)
	err = o.eachDocument(ctx, func(p rollcall.Publication, d *document) {
		if p.Month < before {
			add(&objects, d.Roster, d.Diaries)
			add(&documents, p.Document)
		}
	})
	return objects, documents, err
}

// namedFrom gives the objects that months from the given one on name.
func (o *Office) namedFrom(ctx context.Context, first rollcall.Month) (map[rollcall.Hash]bool, error) {
	named := map[rollcall.Hash]bool{}
	files, err := o.Store.ListPanelObjects(ctx)
	if err != nil {
		return nil, err
	}
	for _, f := range files {
		if f.Month >= first {
			named[f.Roster] = true
		}
	}
	err = o.eachDocument(ctx, func(p rollcall.Publication, d *document) {
		if p.Month >= first {
			named[p.Document], named[d.Roster], named[d.Diaries] = true, true, true
		}
	})
	return named, err
}

// eachDocument reads the document of every version of every market. Those that
// are gone are passed over.
func (o *Office) eachDocument(ctx context.Context, f func(rollcall.Publication, *document)) error {
	for _, m := range o.Catalogue().Markets {
		versions, err := o.Store.Publications(ctx, m.ID, "")
		if err != nil {
			return err
		}
		for _, p := range versions {
			body, err := o.Store.Object(ctx, p.Document)
			if errors.Is(err, rollcall.ErrNotFound) {
				continue
			}
			if err != nil {
				return err
			}
			d, err := decodeDocument(body)
			if err != nil {
				return err
			}
			f(p, d)
		}
	}
	return nil
}

// ages is what has aged out, the earliest month first.
type ages []rollcall.Ageing

// ages reads what has aged out, and lets go of it in memory too.
func (o *Office) ages(ctx context.Context) (ages, error) {
	list, err := o.Store.Ageings(ctx)
	if err != nil {
		return nil, err
	}
	a := ages(list)
	if before := a.before(); o.forgot.Swap(int32(before)) != int32(before) {
		o.months.remove(func(m *month) bool { return m.doc.Of.Month < before })
	}
	return a, nil
}

// before gives the first month that is still there; 0: all are.
func (a ages) before() rollcall.Month {
	if len(a) == 0 {
		return 0
	}
	return a[len(a)-1].Before
}

// since says when a month's facts were removed; the zero time: they were not.
func (a ages) since(m rollcall.Month) time.Time {
	for _, age := range a {
		if m < age.Before {
			return age.Time
		}
	}
	return time.Time{}
}

// check refuses a month that has aged out.
func (a ages) check(of rollcall.PanelMonth) error {
	at := a.since(of.Month)
	if at.IsZero() {
		return nil
	}
	return fmt.Errorf("%s of panel %s in %s has %w: its facts were removed on %s, and no figure can be computed from them",
		of.Month, of.Panel, of.Market, rollcall.ErrAgedOut, at.Format(time.DateOnly))
}

// present refuses a month that has aged out.
func (o *Office) present(ctx context.Context, of rollcall.PanelMonth) error {
	a, err := o.ages(ctx)
	if err != nil {
		return err
	}
	return a.check(of)
}

// recall loads a month that the version pins; nil where it pins none, or where
// that has aged out, which the report's notes then say.
func (j *job) recall(ctx context.Context, at rollcall.Month) (*month, error) {
	p := j.month.doc.pinned(at)
	if p == nil || j.misses(at) {
		return nil, nil
	}
	return j.office.month(ctx, p.Document)
}

// misses reports, and notes, that a month which the version pins has aged out.
func (j *job) misses(at rollcall.Month) bool {
	if j.month.doc.pinned(at) == nil || j.ages.since(at).IsZero() {
		return false
	}
	j.missed = append(j.missed, at.String())
	return true
}

// missing says which months the report lacks, and why.
func (j *job) missing() []string {
	if len(j.missed) == 0 {
		return j.unlike
	}
	return append([]string{fmt.Sprintf("Aged out, and so left out: %s. Figures that need these months are undefined, though they may have been published.",
		strings.Join(j.missed, ", "))}, j.unlike...)
}

// differs reports, and notes, that a month can't be put beside the report's own:
// its panelists can't be told to be the same persons, or its roster doesn't say
// who of them is in the target.
func (j *job) differs(m *month) bool {
	if m.roster.Key != j.month.roster.Key {
		j.apart(m, "its panelists' pseudonyms are of another key")
		return true
	}
	return j.blind(m)
}

// blind reports, and notes, that a month's roster doesn't say who is in the
// target. (Not even its opposite then holds for anybody.)
func (j *job) blind(m *month) bool {
	err := j.target.check(m.columns)
	if err != nil {
		j.apart(m, err.Error())
	}
	return err != nil
}

func (j *job) apart(m *month, why string) {
	j.unlike = append(j.unlike, fmt.Sprintf("%s can't be compared: %s. Figures that need it are undefined.", m.doc.Of.Month, why))
}
