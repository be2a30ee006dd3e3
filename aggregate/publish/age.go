package publish

import (
	"context"
	"errors"
	"fmt"

	"rollcall"
	"rollcall/aggregate/audience"
)

// Age removes the facts of every month before the given one, in every market:
// cells, diaries and exclusions, rosters, and what versions froze. Versions
// stay listed; what is asked of them, or of the census, is rollcall.ErrAgedOut
// from the first step on. It gives how many rows and objects were removed. A
// call that broke off is completed by the next, and a second changes nothing;
// what has aged out stays so where a later call keeps more.
func (pub *Publisher) Age(ctx context.Context, before rollcall.Month) (removed int, err error) {
	if err := pub.Store.AddAgeing(ctx, rollcall.Ageing{Before: before, Time: pub.Now().UTC()}); err != nil {
		return 0, err
	}
	gone, err := pub.Ages(ctx)
	if err != nil {
		return 0, err
	}
	before = gone.Before()
	objects, documents, err := pub.doomed(ctx, before)
	if err != nil {
		return 0, fmt.Errorf("age out what is before %s: %w", before, err)
	}
	// Documents go last: they name the others.
	for _, step := range []func() (int, error){
		func() (int, error) { return pub.Store.RemoveObjects(ctx, objects) },
		func() (int, error) { return pub.Store.RemoveObjects(ctx, documents) },
		func() (int, error) { return pub.Store.RemoveFacts(ctx, before) },
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
func (pub *Publisher) doomed(ctx context.Context, before rollcall.Month) (objects, documents []rollcall.Hash, err error) {
	rosters, err := pub.Store.Rosters(ctx, before)
	if err != nil {
		return nil, nil, err
	}
	kept, err := pub.namedFrom(ctx, before)
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
	err = pub.eachDocument(ctx, func(p rollcall.Publication, d *audience.Document) {
		if p.Month < before {
			add(&objects, d.Roster, d.Diaries)
			add(&documents, p.Document)
		}
	})
	return objects, documents, err
}

// namedFrom gives the objects that months from the given one on name.
func (pub *Publisher) namedFrom(ctx context.Context, first rollcall.Month) (map[rollcall.Hash]bool, error) {
	named := map[rollcall.Hash]bool{}
	files, err := pub.Store.ListPanelObjects(ctx)
	if err != nil {
		return nil, err
	}
	for _, f := range files {
		if f.Month >= first {
			named[f.Roster] = true
		}
	}
	err = pub.eachDocument(ctx, func(p rollcall.Publication, d *audience.Document) {
		if p.Month >= first {
			named[p.Document], named[d.Roster], named[d.Diaries] = true, true, true
		}
	})
	return named, err
}

// eachDocument reads the document of every version of every market. Those that
// are gone are passed over.
func (pub *Publisher) eachDocument(ctx context.Context, f func(rollcall.Publication, *audience.Document)) error {
	for _, m := range pub.Catalogue().Markets {
		versions, err := pub.Store.Publications(ctx, m.ID, "")
		if err != nil {
			return err
		}
		for _, p := range versions {
			body, err := pub.Store.Object(ctx, p.Document)
			if errors.Is(err, rollcall.ErrNotFound) {
				continue
			}
			if err != nil {
				return err
			}
			d, err := audience.DecodeDocument(body)
			if err != nil {
				return err
			}
			f(p, d)
		}
	}
	return nil
}
