package audience

import (
	"context"
	"fmt"
	"slices"
	"unsafe"

	"rollcall"
	"rollcall/aggregate/panel"
)

// Month is a document with all that it names, ready to be computed from. It
// never changes but for its caches, and is safe for concurrent use.
type Month struct {
	Hash     rollcall.Hash
	Doc      *Document
	Roster   *rollcall.Roster // those who count, by pseudonym
	Columns  []Column         // of the roster
	Margins  []rollcall.Margin
	Weights  *panel.Weights
	diaries  diaries      // but for any internet use
	online   []activeDays // by person, any internet use included
	seen     Set          // services with any diary, but for any internet use
	Excluded int          // diaries that a rule excludes

	Whole   *Sample // everyone, over the whole month
	samples Cache[sampleKey, *Sample]
}

// Parts are the large objects of a document.
type Parts struct {
	Roster     *rollcall.Roster
	Population *rollcall.Population
	Diaries    []byte
}

// NewMonth weighs a document's roster and reads its diaries.
func NewMonth(hash rollcall.Hash, d *Document, p Parts) (*Month, error) {
	m := &Month{Hash: hash, Doc: d, Margins: p.Population.Margins}
	online := m.Service(rollcall.Online)
	r := diaryReader{b: p.Diaries, people: len(p.Roster.Panelists), services: len(d.Services), days: d.days(), online: online}
	var err error
	if m.diaries, err = r.read(); err != nil {
		return nil, err
	}
	m.exclude(p.Roster)
	m.index(online)
	m.Columns = demography(m.Roster)
	if m.Weights, err = panel.Rake(m.Roster, p.Population, d.Settings.Trim, m.usersKnown()...); err != nil {
		return nil, fmt.Errorf("weigh %s: %w", d.Of.Month, err)
	}
	m.samples.Limit = mostSamples
	m.Whole = m.sampleOf(d.Of.Month.First(), d.Of.Month.Last())
	return m, nil
}

const mostSamples = 2 // periods held

// activeDays is the days, a bit each, on which someone did anything.
type activeDays struct{ home, work uint32 }

// index takes what reports need from the diaries: the days of any internet
// use, whose diaries are not needed then, and where each person's others begin.
func (m *Month) index(online int) {
	m.online = make([]activeDays, len(m.Roster.Panelists))
	for i := range m.diaries.list {
		d := &m.diaries.list[i]
		if d.where.place().Has(rollcall.Home) {
			m.online[d.person].home |= 1 << d.day
		} else {
			m.online[d.person].work |= 1 << d.day
		}
		if int(d.service) != online {
			m.seen = m.seen.With(int(d.service))
		}
	}
	kept := slices.DeleteFunc(m.diaries.list, func(d diary) bool { return int(d.service) == online })
	m.diaries = diaries{list: slices.Clone(kept), runs: slices.Clone(m.diaries.runs)}
	m.diaries.find(len(m.Roster.Panelists))
}

// Prepare computes what every report of the whole month stands on.
func (m *Month) Prepare() {
	m.Whole.Condition()
	for _, credit := range []rollcall.Credit{rollcall.ByPresence, rollcall.ByUse} {
		v := m.Whole.View(credit, rollcall.HomeWork, nil)
		v.Active()
		for _, services := range m.Whole.sets() {
			v.Use(services)
			v.People(services)
		}
	}
}

// Over gives the people of a period that ends in the month. Where it begins in an
// earlier one, they are those in tab in each of its months, which months gives.
func (m *Month) Over(ctx context.Context, from, to rollcall.Day, months func() ([]*Month, error)) (*Sample, error) {
	return m.samples.Get(ctx, sampleKey{from: from, to: to}, func() (*Sample, int64, error) {
		if from >= m.Doc.Of.Month.First() {
			return m.sampleOf(from, to), 1, nil
		}
		all, err := months()
		if err != nil {
			return nil, 0, err
		}
		s, err := Common(all, from, to)
		return s, 1, err
	})
}

// Pool gives the mean of months, up to this one: all of them, in order, are
// what months gives.
func (m *Month) Pool(ctx context.Context, from rollcall.Day, months func() ([]*Month, error)) (*Sample, error) {
	return m.samples.Get(ctx, sampleKey{from, m.Doc.Of.Month.Last(), true}, func() (*Sample, int64, error) {
		all, err := months()
		if err != nil {
			return nil, 0, err
		}
		s, err := Pool(all)
		return s, 1, err
	})
}

// Forget leaves the month as it was when it was loaded.
func (m *Month) Forget() {
	m.samples = Cache[sampleKey, *Sample]{Limit: mostSamples}
	m.Whole = m.sampleOf(m.Doc.Of.Month.First(), m.Doc.Of.Month.Last())
	m.Prepare()
}

func (m *Month) sampleOf(from, to rollcall.Day) *Sample {
	return newSample([]*Month{m}, nil, m.Weights, m, from, to)
}

// exclude applies the recorded rules. One that names a panelist and neither a
// service nor a day takes the person out of tab; any other leaves the person
// and takes the diaries.
func (m *Month) exclude(all *rollcall.Roster) {
	m.Roster = all
	if len(m.Doc.Exclusions) == 0 {
		return
	}
	rules := newRules(m.Doc)
	position := make([]int32, len(all.Panelists))
	m.Roster = &rollcall.Roster{Key: all.Key, Columns: all.Columns}
	for i, p := range all.Panelists {
		position[i] = -1
		if !rules.out[p.ID] {
			position[i] = int32(len(m.Roster.Panelists))
			m.Roster.Panelists = append(m.Roster.Panelists, p)
		}
	}
	read := len(m.diaries.list)
	m.diaries.list = slices.DeleteFunc(m.diaries.list, func(d diary) bool {
		return position[d.person] < 0 || rules.match(all.Panelists[d.person].ID, int(d.service), d.day)
	})
	m.Excluded = read - len(m.diaries.list)
	for i := range m.diaries.list {
		m.diaries.list[i].person = position[m.diaries.list[i].person]
	}
}

// rules are exclusions in a form that is quick to match.
type rules struct {
	out  map[rollcall.Visitor]bool
	some []rule
}

// rule is one exclusion of diaries; -1 matches every service or day.
type rule struct {
	panelist rollcall.Visitor // 0: all
	service  int
	day      int
}

func newRules(d *Document) rules {
	r := rules{out: map[rollcall.Visitor]bool{}}
	for _, e := range d.Exclusions {
		if e.Panelist != 0 && e.Service == "" && e.Day == 0 {
			r.out[e.Panelist] = true
			continue
		}
		one := rule{panelist: e.Panelist, service: -1, day: -1}
		if e.Service != "" {
			one.service = slices.IndexFunc(d.Services, func(s rollcall.Service) bool { return s.ID == e.Service })
			if one.service < 0 {
				continue
			}
		}
		if e.Day != 0 {
			one.day = int(e.Day - d.Of.Month.First())
		}
		r.some = append(r.some, one)
	}
	return r
}

func (r rules) match(id rollcall.Visitor, service int, day uint8) bool {
	for _, e := range r.some {
		if (e.panelist == 0 || e.panelist == id) && (e.service < 0 || e.service == service) && (e.day < 0 || e.day == int(day)) {
			return true
		}
	}
	return false
}

// Cost is the memory that the month takes, in bytes, with room for its caches.
func (m *Month) Cost() int64 {
	const perPanelist = 1000 // roster, weights, and what is kept of the month and of other periods
	bytes := int64(len(m.Roster.Panelists)) * perPanelist
	bytes += int64(len(m.diaries.list))*int64(unsafe.Sizeof(diary{})) + int64(len(m.diaries.runs))*int64(unsafe.Sizeof(run{}))
	return bytes
}

// Service gives a service's position in the catalogue, or -1.
func (m *Month) Service(id rollcall.ServiceID) int {
	return slices.IndexFunc(m.Doc.Services, func(s rollcall.Service) bool { return s.ID == id })
}

// ServiceIDs gives the ids that a report may be asked of.
func (m *Month) ServiceIDs() (ids []rollcall.ServiceID) {
	for _, s := range m.Doc.Services {
		if s.ID != rollcall.Online {
			ids = append(ids, s.ID)
		}
	}
	return ids
}
