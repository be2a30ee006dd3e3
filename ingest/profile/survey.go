package profile

import (
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"os"
	"slices"
	"strconv"

	"rollcall"
	"rollcall/ingest/packed"
	"rollcall/ingest/profile/columns"
)

// Survey reads the files once for what later rows say of earlier ones: the
// platforms of devices, and the days that fallback tables are not asked about. It
// refuses, before any row is sent, files without a column by which a rule drops
// that was asked for. Where neither is needed, nothing is read.
func (r *Reader) Survey(ctx context.Context, paths []string) error {
	learns := r.fallback || slices.ContainsFunc(r.Tables, func(t Table) bool { return !t.Device.empty() })
	if !learns && len(r.options.Optional) == 0 {
		return nil
	}
	for _, path := range paths {
		if info, err := os.Stat(path); err == nil && !info.Mode().IsRegular() {
			if learns {
				return fmt.Errorf("%s: is read twice by this profile, which a pipe can't be; give a file", path)
			}
			continue // its rows are looked at when they are read
		}
		if err := r.surveyFile(ctx, path, learns); err != nil {
			return err
		}
	}
	return nil
}

func (r *Reader) surveyFile(ctx context.Context, path string, learns bool) error {
	r.counts = newCounts(r.columns)
	err := r.source().each(ctx, path, func(row *row) error { return r.look(row, learns) })
	var (
		cut packed.Damage // which is said when the rows are read
		not columns.Undroppable
	)
	switch {
	case errors.Is(err, errEnough), err == nil, errors.As(err, &cut):
	case errors.As(err, &not), learns, ctx.Err() != nil:
		return err
	}
	if text := r.counts.Undropped(); text != "" {
		return fmt.Errorf("%s: %s", path, text)
	}
	return nil
}

// errEnough ends a survey that needs the rest of a file for nothing.
var errEnough = errors.New("enough is known")

// look learns from one row. What else is wrong with it is said when it is read.
func (r *Reader) look(row *row, learns bool) error {
	t, err := r.known(row)
	switch {
	case err != nil:
		var not columns.Undroppable
		if errors.As(err, &not) {
			return not
		}
	case t != nil:
		r.lookDevice(t, row.Values)
		if !t.Fallback && r.fallback {
			r.lookDays(t, row.Values)
		}
	}
	switch {
	case learns:
	case row.Members != nil && r.counts.columns.Settled():
		return errEnough // what further objects have changes nothing
	case row.Header != nil && row.Table == "" && !r.counts.columns.Pending():
		return errEnough // a table by itself has one header
	}
	return nil
}

func (r *Reader) lookDevice(t *Table, row map[string]any) {
	if t.Device.empty() {
		return
	}
	platform, failed := r.platformOf(t, row)
	device, err := t.Device.of(row, r.machine)
	if err == nil && failed == nil {
		r.survey.device(r.survey.hash(t.Name, text(device)), platform)
	}
}

func (r *Reader) lookDays(t *Table, row map[string]any) {
	account, err := t.Account.of(row, r.machine)
	if err != nil {
		return
	}
	for i := range t.Events {
		from, until, err := r.times(&t.Events[i], row)
		if err != nil || from.IsZero() {
			continue
		}
		first, last := r.options.Calendar.Day(from), r.options.Calendar.Day(latest(from, until))
		for d := first; d <= min(last, first+maxPieces); d++ {
			r.survey.day(text(account), d)
		}
	}
}

// maxSeen is how many devices, and how many accounts' days, a survey remembers: of each a
// hash of 64 bits, of which two of ten million fall together once in 370,000 files.
const maxSeen = 1 << 22

// survey is what a first reading of the files learns for the second.
type survey struct {
	seed    maphash.Seed
	devices map[uint64]rollcall.Platform // whose agent told one
	days    map[uint64]bool              // of accounts, in tables that are no fallback
	full    bool                         // there were more than are remembered
}

func newSurvey() *survey {
	return &survey{seed: maphash.MakeSeed(), devices: map[uint64]rollcall.Platform{}, days: map[uint64]bool{}}
}

// hash of some texts in order.
func (s *survey) hash(texts ...string) uint64 {
	var h maphash.Hash
	h.SetSeed(s.seed)
	for _, t := range texts {
		_, _ = h.WriteString(strconv.Itoa(len(t))) // never fails
		_, _ = h.WriteString(":" + t)
	}
	return h.Sum64()
}

func (s *survey) device(hash uint64, platform rollcall.Platform) {
	if platform == rollcall.OtherPlatform || platform == rollcall.NoPlatform {
		return
	}
	if _, ok := s.devices[hash]; !ok && len(s.devices) >= maxSeen {
		s.full = true
		return
	}
	s.devices[hash] = platform
}

func (s *survey) day(account string, day rollcall.Day) {
	if len(s.days) >= maxSeen {
		s.full = true
		return
	}
	s.days[s.hash(account, day.String())] = true
}
