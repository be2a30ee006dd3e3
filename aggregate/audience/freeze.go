package audience

import (
	"context"
	"encoding/binary"
	"fmt"
	"slices"

	"rollcall"
)

// freezer gathers a month's diaries from the store and writes them down in
// their frozen form.
type freezer struct {
	doc     *Document
	roster  *rollcall.Roster
	person  map[rollcall.Visitor]int32
	service map[rollcall.ServiceID]uint16
	list    []loose
	runs    []dayRun
	heard   []bool // by person: sent an event of any kind
}

// loose is a diary on its way; its runs are freezer.runs[first:first+count].
type loose struct {
	diaryKey
	first uint32
	count uint16
}

// dayRun is a run of minutes of one local day.
type dayRun struct{ from, to uint16 }

func newFreezer(doc *Document, roster *rollcall.Roster) *freezer {
	f := &freezer{
		doc: doc, roster: roster,
		person:  make(map[rollcall.Visitor]int32, len(roster.Panelists)),
		service: make(map[rollcall.ServiceID]uint16, len(doc.Services)),
		heard:   make([]bool, len(roster.Panelists)),
	}
	for i, p := range roster.Panelists {
		f.person[p.ID] = int32(i)
	}
	for i, s := range doc.Services {
		f.service[s.ID] = uint16(i)
	}
	return f
}

// Freeze reads a month's diaries and gives their canonical bytes. What counts in
// no figure is counted in the document.
func Freeze(ctx context.Context, store rollcall.Store, doc *Document, roster *rollcall.Roster) ([]byte, error) {
	f, of := newFreezer(doc, roster), doc.Of
	query := rollcall.DiaryQuery{Market: of.Market, Panel: of.Panel, From: of.Month.First(), To: of.Month.Last()}
	for row, err := range store.Diaries(ctx, query) {
		if err != nil {
			return nil, fmt.Errorf("read the diaries of %s: %w", of.Month, err)
		}
		if row.Day.Month() == of.Month {
			f.add(&row)
		}
	}
	if !slices.IsSortedFunc(f.list, compareLoose) {
		slices.SortFunc(f.list, compareLoose)
	}
	f.countSilent()
	return f.encode(), nil
}

// countSilent counts those in tab whose meters sent nothing: a rule may have
// taken some out of tab.
func (f *freezer) countSilent() {
	out, silent := newRules(f.doc).out, 0
	for i, p := range f.roster.Panelists {
		if !f.heard[i] && !out[p.ID] {
			silent++
		}
	}
	f.doc.Silent = &silent
}

func compareLoose(a, b loose) int { return a.compare(b.diaryKey) }

func (f *freezer) add(row *rollcall.DiaryRow) {
	person, inTab := f.person[row.Panelist]
	service, known := f.service[row.Service]
	if inTab && row.Key == f.roster.Key {
		f.heard[person] = true // whatever it counts in
	}
	switch {
	case !row.Kind.Counts():
		return
	case !inTab || row.Key != f.roster.Key:
		f.doc.Dropped.NotInTab++
		return
	case !f.roster.Panelists[person].Metered.Has(row.Location) || !row.Location.One():
		f.doc.Dropped.Unmetered++
		return
	case !known:
		f.doc.Dropped.Unknown++
		return
	}
	day := uint8(row.Day - f.doc.Of.Month.First())
	d := loose{diaryKey: diaryKey{person, day, service, whereOf(row.Location, row.Kind)}, first: uint32(len(f.runs))}
	length := f.doc.dayLength(int(day))
	for from, to := range row.Minutes.Runs {
		if from < length {
			f.runs = append(f.runs, dayRun{uint16(from), uint16(min(to, length))})
			d.count++
		}
	}
	if d.count > 0 {
		f.list = append(f.list, d)
	}
}

// encode writes the sorted diaries; those of one key are united.
func (f *freezer) encode() []byte {
	body := make([]byte, 0, 16*len(f.list))
	count, last := 0, int32(0)
	for i := 0; i < len(f.list); {
		next := i + 1
		for next < len(f.list) && f.list[next].diaryKey == f.list[i].diaryKey {
			next++
		}
		body = f.appendDiary(body, last, f.list[i:next])
		last = f.list[i].person
		count++
		i = next
	}
	out := binary.AppendUvarint([]byte{diariesVersion}, uint64(count))
	return append(out, body...)
}

func (f *freezer) appendDiary(dst []byte, before int32, same []loose) []byte {
	d := &same[0]
	dst = binary.AppendUvarint(dst, uint64(d.person-before))
	dst = append(dst, d.day)
	dst = binary.AppendUvarint(dst, uint64(d.service))
	dst = append(dst, byte(d.where.place()), byte(d.where.kind()))
	runs := f.runs[d.first : d.first+uint32(d.count)]
	if len(same) > 1 {
		runs = f.unite(same)
	}
	dst = binary.AppendUvarint(dst, uint64(len(runs)))
	last := uint16(0)
	for _, r := range runs {
		dst = binary.AppendUvarint(dst, uint64(r.from-last))
		dst = binary.AppendUvarint(dst, uint64(r.to-r.from))
		last = r.to
	}
	return dst
}

func (f *freezer) unite(same []loose) []dayRun {
	var all rollcall.Minutes
	for _, d := range same {
		for _, r := range f.runs[d.first : d.first+uint32(d.count)] {
			all.AddRange(int(r.from), int(r.to))
		}
	}
	var out []dayRun
	for from, to := range all.Runs {
		out = append(out, dayRun{uint16(from), uint16(to)})
	}
	return out
}

// Later counts the diaries of a month that came, or grew, after the first frozen
// form of them and before the second. Both are of the document's roster and
// catalogue.
func Later(doc *Document, persons int, before, after []byte) (n int, err error) {
	read := func(b []byte) (diaries, error) {
		r := diaryReader{b: b, people: persons, services: len(doc.Services), days: doc.days(), online: -1}
		return r.read()
	}
	was, err := read(before)
	if err != nil {
		return 0, err
	}
	is, err := read(after)
	if err != nil {
		return 0, err
	}
	i := 0
	for k := range is.list {
		for i < len(was.list) && was.list[i].key().compare(is.list[k].key()) < 0 {
			i++
		}
		if i == len(was.list) || was.list[i].key() != is.list[k].key() || is.minutes(k) > was.minutes(i) {
			n++
		}
	}
	return n, nil
}

func (d *diary) key() diaryKey { return diaryKey{d.person, d.day, uint16(d.service), d.where} }

// minutes counts the credited minutes of a diary.
func (d *diaries) minutes(i int) (n int) {
	for _, r := range d.runs[d.list[i].first : d.list[i].first+uint32(d.list[i].count)] {
		n += int(r.to) - int(r.from)
	}
	return n
}
