package masters

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"rollcall"
	"rollcall/ingest"
)

// furthest is how many days ahead a rotation may be: further is a slip.
const furthest = 400

// Rotate makes a new master key for the days from one to come on, puts it into
// the key file beside the others, and tells the store. With lost the others, or
// some of them, are lost: it says what can no longer be joined. A rotation that
// broke off is completed by the same again.
func (m *Masters) Rotate(ctx context.Context, from rollcall.Day, lost bool) (done rollcall.Rotation, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.Place.Path == "" {
		return done, fmt.Errorf("%w: the master key is in %s, which no process can change: put it into a file, and name that with --key-file", rollcall.ErrConflict, m.Place.Name)
	}
	release, err := m.Place.lock()
	if err != nil {
		return done, err
	}
	defer func() { err = errors.Join(err, release()) }()
	known, err := m.List(ctx)
	if err != nil {
		return done, err
	}
	if err := m.mayRotate(ctx, known, lost); err != nil {
		return done, err
	}
	if err := m.mayBegin(ctx, from, lost, known); err != nil {
		return done, err
	}
	fresh, err := m.write(from, lost, known)
	if err != nil {
		return done, err
	}
	if err := m.record(ctx, fresh); err != nil {
		return done, fmt.Errorf("the new master key is in %s, but the store was not told; give the same command again: %w", m.Place.Name, err)
	}
	if known, err = m.List(ctx); err != nil {
		return done, err
	}
	if !has(rollcall.InForce(known), fresh.ID()) {
		return done, errors.Join(fmt.Errorf("%w: another rotation to a master key from %s on was first; put that one's line into %s", rollcall.ErrConflict, from, m.Place.Name), m.unwrite(fresh))
	}
	if m.Keys != nil {
		m.held = united(m.held, []ingest.Master{*fresh})
		m.known = known
		if err := m.Keys.Set(m.held, known); err != nil {
			return done, err
		}
	}
	m.Log.Info("the master key is rotated", "id", fresh.ID().String(), "from", from.String(), "lost", lost)
	return rollcall.Rotation{ID: fresh.ID().String(), From: from.String(), File: m.Place.Name, Notes: m.notes(from, lost)}, nil
}

// mayRotate refuses a rotation of keys that are not here, and a loss of keys
// that are.
func (m *Masters) mayRotate(ctx context.Context, known []rollcall.Master, lost bool) error {
	own, err := m.Place.Read()
	if err != nil {
		return fmt.Errorf("%w; if it can't be mended, move that file away", err)
	}
	used, err := m.used(ctx)
	if err != nil {
		return err
	}
	if len(known) == 0 && (!used || len(own) > 0) {
		return fmt.Errorf("%w: the store knows no master key yet; the next start makes or takes one", rollcall.ErrConflict)
	}
	gone, err := m.gone(own, known)
	if err != nil {
		return err
	}
	if lost {
		return m.mayLose(own, known, gone)
	}
	switch {
	case len(gone) > 0:
		return fmt.Errorf("%w: %s lacks the master key %s, which is for the days from %s on; put its line there, or, if it is lost, rotate with --lost", rollcall.ErrConflict, m.Place.Name, gone[0].ID, dayWords(gone[0].From))
	case len(known) == 0:
		return fmt.Errorf("%w: %s is missing; put it back, or, if it is lost, rotate with --lost", rollcall.ErrConflict, m.Place.Name)
	}
	return nil
}

// gone gives the keys that the store knows and that are nowhere here.
func (m *Masters) gone(own []ingest.Master, known []rollcall.Master) ([]rollcall.Master, error) {
	keys, err := ingest.NewKeys()
	if err != nil {
		return nil, err
	}
	if err := keys.Set(append(slices.Clone(m.held), own...), known); err != nil {
		return nil, err
	}
	return keys.Missing(), nil
}

// mayLose refuses the loss of keys that are here, and a file with another
// deployment's.
func (m *Masters) mayLose(own []ingest.Master, known, gone []rollcall.Master) error {
	if len(known) > 0 && len(gone) == 0 {
		return fmt.Errorf("%w: no master key is lost: this process has all that the store knows; rotate without --lost", rollcall.ErrConflict)
	}
	if slices.ContainsFunc(own, func(o ingest.Master) bool { return !has(known, o.ID()) && !o.Lost }) {
		return fmt.Errorf("%w: %s has a master key that is none of the store's; move that file away", rollcall.ErrConflict, m.Place.Name)
	}
	return nil
}

// mayBegin refuses a first day that has begun, that is too far to be meant, that
// another key has, or from which on there are facts.
func (m *Masters) mayBegin(ctx context.Context, from rollcall.Day, lost bool, known []rollcall.Master) error {
	today, in := m.today()
	if from <= today {
		reason := fmt.Sprintf("is not a day to come: today is %s", today)
		if in != "" {
			reason += fmt.Sprintf(" in %s", in)
		}
		return &rollcall.Invalid{Field: "from", Value: from.String(), Reason: reason + ", and what is counted of it is under its own key", Code: "from"}
	}
	if from > today+furthest {
		return &rollcall.Invalid{Field: "from", Value: from.String(), Reason: fmt.Sprintf("is more than %d days ahead", furthest), Code: "from"}
	}
	for _, has := range rollcall.InForce(known) {
		if has.From == from {
			return fmt.Errorf("%w: there is a master key from %s on already (id %s)", rollcall.ErrConflict, from, has.ID)
		}
		if lost && has.From > from {
			return fmt.Errorf("%w: the store knows a master key from %s on (id %s); what replaces those that are lost begins after it", rollcall.ErrConflict, has.From, has.ID)
		}
	}
	return m.refuseFacts(ctx, from, lost)
}

// refuseFacts refuses a first day from which on there are facts: a day would be
// under two keys. Panels matter only where keys are lost.
func (m *Masters) refuseFacts(ctx context.Context, from rollcall.Day, lost bool) error {
	refuse := func(market rollcall.MarketID, day rollcall.Day) error {
		return fmt.Errorf("%w: market %s has facts of %s, and a day can't be under two keys; --from must be after the last day that has any", rollcall.ErrConflict, market, day)
	}
	for _, market := range m.Catalogue().Markets {
		for row, err := range m.Store.Cells(ctx, rollcall.CellQuery{Market: market.ID, From: from, To: always}) {
			if err != nil {
				return err
			}
			return refuse(market.ID, row.Day)
		}
	}
	if !lost {
		return nil
	}
	loaded, err := m.Store.ListPanelObjects(ctx)
	if err != nil {
		return err
	}
	for _, l := range loaded {
		for row, err := range m.Store.Diaries(ctx, rollcall.DiaryQuery{Market: l.Market, Panel: l.Panel, From: from, To: always}) {
			if err != nil {
				return err
			}
			return refuse(l.Market, row.Day)
		}
	}
	return nil
}

// write puts a new key into the file, or finds the one there that a rotation to
// the same day left when it broke off.
func (m *Masters) write(from rollcall.Day, lost bool, known []rollcall.Master) (fresh *ingest.Master, err error) {
	return fresh, change(m.Place.Path, func(own []ingest.Master) ([]ingest.Master, error) {
		all := united(m.held, own) // a file that was removed under a running process is whole again
		for i := range all {
			if all[i].From == from && !has(known, all[i].ID()) {
				if all[i].Lost != lost {
					return nil, fmt.Errorf("%w: a rotation to %s was begun in %s, and not with the same --lost", rollcall.ErrConflict, from, m.Place.Name)
				}
				fresh = &ingest.Master{Secret: all[i].Secret, From: from, Lost: lost}
				return inOrder(all), nil
			}
		}
		fresh = &ingest.Master{Secret: NewSecret(), From: from, Lost: lost}
		return inOrder(append(all, *fresh)), nil
	})
}

// unwrite takes a key out of the file again.
func (m *Masters) unwrite(fresh *ingest.Master) error {
	return change(m.Place.Path, func(own []ingest.Master) ([]ingest.Master, error) {
		return slices.DeleteFunc(own, func(o ingest.Master) bool { return o.ID() == fresh.ID() }), nil
	})
}

// notes say what is to be done now, and what can no longer be joined.
func (m *Masters) notes(from rollcall.Day, lost bool) []string {
	notes := []string{
		fmt.Sprintf("%s has the new master key: copy it to where you keep the old one, and on a cluster to every process before %s.", m.Place.Name, from),
		fmt.Sprintf("Accounts before %s can't be matched with those from then on: a census figure over that day is refused.", from),
	}
	if !lost {
		return append(notes, "Panels keep their key: their months and figures go on as they are.")
	}
	notes = append(notes,
		fmt.Sprintf("Lost: events of days before %s can't be taken any more; what is stored of them stays readable.", from),
		fmt.Sprintf("Panelists before %s can't be matched with those from then on, nor be named (panel load, exclude, erase) in the months before.", from))
	if from == from.Month().First() {
		return append(notes, fmt.Sprintf("Load every panel's files of %s on again: they get the new pseudonyms.", from.Month()))
	}
	return append(notes, fmt.Sprintf("Panels' %s has that day within it, and can't be closed; a panel goes on with %s.", from.Month(), from.Month()+1))
}

// States gives the master keys that the store knows.
func (m *Masters) States(ctx context.Context) ([]rollcall.MasterState, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	known, err := m.List(ctx)
	if err != nil {
		return nil, err
	}
	own, err := m.Place.Read()
	if err != nil && m.Keys == nil { // what a process has read once, it has
		return nil, err
	}
	missing, err := m.gone(own, known)
	if err != nil {
		return nil, err
	}
	return m.states(rollcall.InForce(known), missing, united(m.held, own)), nil
}

func (m *Masters) states(known, missing []rollcall.Master, here []ingest.Master) []rollcall.MasterState {
	today, _ := m.today()
	states := make([]rollcall.MasterState, len(known))
	for i, k := range known {
		s := rollcall.MasterState{ID: k.ID.String(), Made: k.Time, State: rollcall.MasterInForce}
		if k.From != 0 {
			s.From = k.From.String()
		}
		last := i+1 == len(known)
		if !last {
			s.Until = known[i+1].From.String()
		}
		switch {
		case has(missing, k.ID):
			s.State = rollcall.MasterMissing
		case !holds(here, k.ID):
			s.State = rollcall.MasterLost
		case k.From > today:
			s.State = rollcall.MasterToCome
		case !last && known[i+1].From <= today:
			s.State = rollcall.MasterPast
		}
		states[i] = s
	}
	return states
}
