package publish

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"rollcall"
	"rollcall/aggregate/audience"
	"rollcall/aggregate/panel"
)

// Pseudonyms gives the pseudonyms of a panelist's clear id, the earliest first:
// one, unless master keys were lost.
type Pseudonyms func(panel rollcall.PanelID, id string) []rollcall.Pseudonym

// in gives the pseudonym of a panelist in a month: what it is at its end, which
// is what it is all month in one that can be closed.
func (p Pseudonyms) in(month rollcall.Month, panel rollcall.PanelID, id string) (rollcall.Pseudonym, error) {
	of, ok := rollcall.PseudonymOf(p(panel, id), month.Last())
	if !ok || of.Lost {
		return of, fmt.Errorf("%w: the master key of %s is lost: no panelist of it can be named any more", rollcall.ErrConflict, month)
	}
	return of, nil
}

// errNoKey says that this process was given no pseudonyms.
var errNoKey = fmt.Errorf("%w: this needs the pseudonyms' master key (--key-file)", rollcall.ErrConflict)

// LoadPanel checks a month's roster and universe, weighs the one to the other
// as a trial, and stores both under pseudonyms. Every error names the file, line,
// column and value; nothing is stored then.
func (pub *Publisher) LoadPanel(ctx context.Context, of rollcall.PanelMonth, files rollcall.PanelFiles) (rollcall.Loaded, error) {
	if pub.Pseudonyms == nil {
		return rollcall.Loaded{}, errNoKey
	}
	if err := pub.Catalogue().Knows(of.Market); err != nil {
		return rollcall.Loaded{}, err
	}
	if err := rollcall.CheckID("panel", string(of.Panel)); err != nil {
		return rollcall.Loaded{}, err
	}
	if err := pub.refuseAged(ctx, of); err != nil {
		return rollcall.Loaded{}, err
	}
	roster, study, err := read(files, pub.Pseudonyms, of)
	if err != nil {
		return rollcall.Loaded{}, err
	}
	w, err := panel.Rake(roster, &study.Population, rollcall.Trim{})
	if err != nil {
		return rollcall.Loaded{}, fmt.Errorf("%s against %s: %w", files.RosterName, files.UniverseName, err)
	}
	out := rollcall.Loaded{
		Panelists: len(roster.Panelists), Margins: len(study.Margins), Population: w.Universe(), Efficiency: w.Quality().Efficiency,
	}
	for _, p := range roster.Panelists {
		out.Home += metered(p, rollcall.Home)
		out.Work += metered(p, rollcall.Work)
	}
	if out.PanelObjects, err = pub.store(ctx, of, roster, &study.Population); err != nil {
		return out, err
	}
	out.NotOnRoster, err = outside(ctx, pub.Store, of, roster)
	return out, err
}

// outside counts the persons with a diary in a month who are not on its roster.
func outside(ctx context.Context, store rollcall.Store, of rollcall.PanelMonth, roster *rollcall.Roster) (int, error) {
	on, out := map[rollcall.Visitor]bool{}, map[rollcall.Visitor]bool{}
	for _, p := range roster.Panelists {
		on[p.ID] = true
	}
	for row, err := range store.Diaries(ctx, rollcall.DiaryQuery{Market: of.Market, Panel: of.Panel, From: of.Month.First(), To: of.Month.Last()}) {
		if err != nil {
			return 0, fmt.Errorf("read the diaries of %s: %w", of.Month, err)
		}
		if row.Kind.Counts() && (!on[row.Panelist] || row.Key != roster.Key) {
			out[row.Panelist] = true
		}
	}
	return len(out), nil
}

func metered(p rollcall.Panelist, at rollcall.Location) int {
	if p.Metered.Has(at) {
		return 1
	}
	return 0
}

// read reads both files; the faults of both are given at once.
func read(files rollcall.PanelFiles, pseudonyms Pseudonyms, of rollcall.PanelMonth) (*rollcall.Roster, *panel.Study, error) {
	recruits, rosterErr := panel.ReadRoster(files.Roster, files.RosterName)
	study, studyErr := panel.ReadUniverse(files.Universe, files.UniverseName)
	if err := errors.Join(rosterErr, studyErr); err != nil {
		return nil, nil, err
	}
	if err := panel.Check(recruits, study); err != nil {
		return nil, nil, err
	}
	var key rollcall.KeyID
	var lost error
	roster, err := recruits.Roster(func(name string) rollcall.Visitor {
		p, err := pseudonyms.in(of.Month, of.Panel, name)
		key, lost = p.Key, cmp.Or(lost, err)
		return p.Visitor
	})
	if err := cmp.Or(lost, err); err != nil {
		return nil, nil, err
	}
	roster.Key = key
	return roster, study, nil
}

func (pub *Publisher) store(ctx context.Context, of rollcall.PanelMonth, roster *rollcall.Roster, universe *rollcall.Population) (rollcall.PanelObjects, error) {
	files := rollcall.PanelObjects{PanelMonth: of}
	body, err := audience.EncodeRoster(roster)
	if err != nil {
		return files, err
	}
	if files.Roster, err = pub.Store.PutObject(ctx, body); err != nil {
		return files, fmt.Errorf("store the roster of %s: %w", of.Month, err)
	}
	if body, err = audience.EncodeUniverse(universe); err != nil {
		return files, err
	}
	if files.Universe, err = pub.Store.PutObject(ctx, body); err != nil {
		return files, fmt.Errorf("store the universe of %s: %w", of.Month, err)
	}
	if err = pub.Store.PutPanelObjects(ctx, files); err != nil {
		return files, fmt.Errorf("register the panel files of %s: %w", of.Month, err)
	}
	return files, nil
}

// Exclude records a rule: what of an open month must not count, and why. The
// facts stay; the rule takes effect at the next close. A rule that names a
// panelist, by the clear id, and nothing else takes the person out of tab.
func (pub *Publisher) Exclude(ctx context.Context, e rollcall.Exclusion, panelist string) error {
	if panelist != "" {
		if pub.Pseudonyms == nil {
			return errNoKey
		}
		who, err := pub.Pseudonyms.in(e.Month, e.Panel, panelist)
		if err != nil {
			return err
		}
		e.Panelist = who.Visitor
	}
	return pub.exclude(ctx, e)
}

func (pub *Publisher) exclude(ctx context.Context, e rollcall.Exclusion) error {
	e.Reason = strings.TrimSpace(e.Reason)
	switch {
	case e.Reason == "":
		return &rollcall.Invalid{Field: "reason", Reason: "is missing: an exclusion says why", Code: "reason"}
	case e.Panelist == 0 && e.Service == "" && e.Day == 0:
		return &rollcall.Invalid{Field: "panelist", Reason: "is missing: name a panelist, a service or a day", Code: "exclusion"}
	case e.Day != 0 && e.Day.Month() != e.Month:
		return &rollcall.Invalid{Field: "day", Value: e.Day.String(), Reason: "is not in " + e.Month.String(), Code: "day"}
	}
	if err := rollcall.CheckLine("reason", e.Reason); err != nil {
		return err
	}
	if err := pub.refuseAged(ctx, e.PanelMonth); err != nil {
		return err
	}
	if err := pub.checkExcluded(ctx, e); err != nil {
		return err
	}
	e.Time = pub.Now().UTC()
	if err := pub.Store.AddExclusion(ctx, e); err != nil {
		return fmt.Errorf("record an exclusion of %s: %w", e.Month, err)
	}
	return nil
}

// checkExcluded refuses a rule for an unknown panel, for a service that isn't in
// the catalogue, or for somebody who isn't on the month's roster, where there is one.
func (pub *Publisher) checkExcluded(ctx context.Context, e rollcall.Exclusion) error {
	if err := pub.Known(ctx, rollcall.PanelMonth{Market: e.Market, Panel: e.Panel}); err != nil {
		return err
	}
	if e.Service != "" {
		if _, err := pub.Catalogue().Service(e.Service); err != nil {
			return err
		}
	}
	if e.Panelist == 0 {
		return nil
	}
	p, err := pub.files(ctx, e.PanelMonth)
	if p == nil || err != nil {
		return err
	}
	if !slices.ContainsFunc(p.Roster.Panelists, func(q rollcall.Panelist) bool { return q.ID == e.Panelist }) {
		return &rollcall.Invalid{Field: "panelist", Reason: fmt.Sprintf("is not on the roster of %s for %s", e.Panel, e.Month), Code: "panelist"}
	}
	return nil
}

// objects names a month's roster and universe; rollcall.ErrNotFound where it has
// none, or none any more.
func (pub *Publisher) objects(ctx context.Context, of rollcall.PanelMonth) (rollcall.PanelObjects, error) {
	files, err := pub.Store.PanelObjects(ctx, of)
	if err == nil && files.Roster == (rollcall.Hash{}) {
		err = rollcall.ErrNotFound
	}
	if err != nil {
		return files, fmt.Errorf("panel files of %s: %w", of.Month, err)
	}
	return files, nil
}

// files loads a month's roster and universe; nil where there are none.
func (pub *Publisher) files(ctx context.Context, of rollcall.PanelMonth) (*audience.Parts, error) {
	files, err := pub.objects(ctx, of)
	if errors.Is(err, rollcall.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	p, err := loadParts(ctx, pub.Store, &audience.Document{Of: of, Roster: files.Roster, Universe: files.Universe})
	return &p, err
}
