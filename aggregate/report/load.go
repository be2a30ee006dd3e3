package report

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"rollcall"
	"rollcall/aggregate/panel"
)

// PanelInput is a month's files as they are given, with the names that errors
// call them by.
type PanelInput struct {
	Roster, Universe         io.Reader
	RosterName, UniverseName string
	// Pseudonym gives the pseudonym of a panelist's clear id, and its key.
	Pseudonym func(panel rollcall.PanelID, id string) (rollcall.Visitor, rollcall.KeyID)
}

// Loaded says what was loaded.
type Loaded struct {
	Panelists int
	Home      int // metered there
	Work      int
	Margins   int // rows of the universe
	Universe  float64
	Quality   panel.Quality
	Files     rollcall.PanelFiles
}

// LoadPanel checks a month's roster and universe, weighs the one to the other
// as a trial, and stores both under pseudonyms. Every error names the file, line,
// column and value; nothing is stored then.
func (o *Office) LoadPanel(ctx context.Context, of rollcall.PanelMonth, files PanelInput) (Loaded, error) {
	if _, err := o.Catalogue().Calendar(of.Market); err != nil {
		return Loaded{}, err
	}
	if err := rollcall.CheckID("panel", string(of.Panel)); err != nil {
		return Loaded{}, err
	}
	if err := o.present(ctx, of); err != nil {
		return Loaded{}, err
	}
	roster, study, err := read(files, of.Panel)
	if err != nil {
		return Loaded{}, err
	}
	w, err := panel.Rake(roster, &study.Population, panel.Trim{})
	if err != nil {
		return Loaded{}, fmt.Errorf("%s against %s: %w", files.RosterName, files.UniverseName, err)
	}
	out := Loaded{Panelists: len(roster.Panelists), Margins: len(study.Margins), Universe: w.Universe(), Quality: w.Quality()}
	for _, p := range roster.Panelists {
		out.Home += metered(p, rollcall.Home)
		out.Work += metered(p, rollcall.Work)
	}
	out.Files, err = o.store(ctx, of, roster, &study.Population)
	return out, err
}

func metered(p rollcall.Panelist, at rollcall.Location) int {
	if p.Metered.Has(at) {
		return 1
	}
	return 0
}

// read reads both files; the faults of both are given at once.
func read(files PanelInput, of rollcall.PanelID) (*rollcall.Roster, *panel.Study, error) {
	recruits, rosterErr := panel.ReadRoster(files.Roster, files.RosterName)
	study, studyErr := panel.ReadUniverse(files.Universe, files.UniverseName)
	if err := errors.Join(rosterErr, studyErr); err != nil {
		return nil, nil, err
	}
	if err := panel.Check(recruits, study); err != nil {
		return nil, nil, err
	}
	var key rollcall.KeyID
	roster, err := recruits.Roster(func(name string) (id rollcall.Visitor) {
		id, key = files.Pseudonym(of, name)
		return id
	})
	if err != nil {
		return nil, nil, err
	}
	roster.Key = key
	return roster, study, nil
}

func (o *Office) store(ctx context.Context, of rollcall.PanelMonth, roster *rollcall.Roster, universe *rollcall.Population) (rollcall.PanelFiles, error) {
	files := rollcall.PanelFiles{PanelMonth: of}
	body, err := EncodeRoster(roster)
	if err != nil {
		return files, err
	}
	if files.Roster, err = o.Shelf.PutObject(ctx, body); err != nil {
		return files, fmt.Errorf("store the roster of %s: %w", of.Month, err)
	}
	if body, err = EncodeUniverse(universe); err != nil {
		return files, err
	}
	if files.Universe, err = o.Shelf.PutObject(ctx, body); err != nil {
		return files, fmt.Errorf("store the universe of %s: %w", of.Month, err)
	}
	if err = o.Registry.PutPanelFiles(ctx, files); err != nil {
		return files, fmt.Errorf("register the panel files of %s: %w", of.Month, err)
	}
	return files, nil
}

// Exclude records a rule: what of an open month must not count, and why. The
// facts stay; the rule takes effect at the next close. A rule that names a
// panelist and nothing else takes the person out of tab.
func (o *Office) Exclude(ctx context.Context, e rollcall.Exclusion) error {
	e.Reason = strings.TrimSpace(e.Reason)
	switch {
	case e.Reason == "":
		return &rollcall.Invalid{Field: "reason", Reason: "is missing: an exclusion says why", Code: "reason"}
	case e.Panelist == 0 && e.Service == "" && e.Day == 0:
		return &rollcall.Invalid{Field: "panelist", Reason: "is missing: name a panelist, a service or a day", Code: "exclusion"}
	case e.Day != 0 && e.Day.Month() != e.Month:
		return &rollcall.Invalid{Field: "day", Value: e.Day.String(), Reason: "is not in " + e.Month.String(), Code: "day"}
	}
	if err := o.present(ctx, e.PanelMonth); err != nil {
		return err
	}
	if err := o.checkExcluded(ctx, e); err != nil {
		return err
	}
	e.Time = o.Now().UTC()
	if err := o.Registry.AddExclusion(ctx, e); err != nil {
		return fmt.Errorf("record an exclusion of %s: %w", e.Month, err)
	}
	return nil
}

// checkExcluded refuses a rule for a service that isn't in the catalogue, or for
// somebody who isn't on the month's roster, where there is one.
func (o *Office) checkExcluded(ctx context.Context, e rollcall.Exclusion) error {
	if e.Service != "" {
		if _, err := o.Catalogue().Service(e.Service); err != nil {
			return err
		}
	}
	if e.Panelist == 0 {
		return nil
	}
	p, err := o.files(ctx, e.PanelMonth)
	if p == nil || err != nil {
		return err
	}
	if !slices.ContainsFunc(p.roster.Panelists, func(q rollcall.Panelist) bool { return q.ID == e.Panelist }) {
		return &rollcall.Invalid{Field: "panelist", Reason: fmt.Sprintf("is not on the roster of %s for %s", e.Panel, e.Month), Code: "panelist"}
	}
	return nil
}

// files loads a month's roster and universe; nil where there are none.
func (o *Office) files(ctx context.Context, of rollcall.PanelMonth) (*parts, error) {
	files, err := o.Facts.PanelFiles(ctx, of)
	if errors.Is(err, rollcall.ErrNotFound) || err == nil && files.Roster == (rollcall.Hash{}) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("panel files of %s: %w", of.Month, err)
	}
	p := new(parts)
	return p, p.load(ctx, o.Shelf, &document{Of: of, Roster: files.Roster, Universe: files.Universe})
}

// Erase takes a person off the rosters of months, whose files it replaces, and
// says how many it changed. Versions already published keep what they were
// computed from; diaries are the store's to erase.
func (o *Office) Erase(ctx context.Context, months []rollcall.PanelMonth, who rollcall.Visitor) (int, error) {
	gone, err := o.ages(ctx)
	if err != nil {
		return 0, err
	}
	changed := 0
	for _, of := range months {
		if gone.check(of) != nil {
			continue // nobody is on its roster
		}
		ok, err := o.erase(ctx, of, who)
		if err != nil {
			return changed, err
		}
		if ok {
			changed++
		}
	}
	return changed, nil
}

func (o *Office) erase(ctx context.Context, of rollcall.PanelMonth, who rollcall.Visitor) (bool, error) {
	p, err := o.files(ctx, of)
	if p == nil || err != nil {
		return false, err
	}
	kept := *p.roster
	kept.Panelists = nil
	for _, person := range p.roster.Panelists {
		if person.ID != who {
			kept.Panelists = append(kept.Panelists, person)
		}
	}
	if len(kept.Panelists) == len(p.roster.Panelists) {
		return false, nil
	}
	_, err = o.store(ctx, of, &kept, p.population)
	return err == nil, err
}
