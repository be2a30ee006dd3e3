package report

import (
	"fmt"
	"slices"
	"unsafe"

	"rollcall"
	"rollcall/aggregate/panel"
)

// month is a document with all that it names, ready to be computed from. It
// never changes but for its caches, and is safe for concurrent use.
type month struct {
	hash     rollcall.Hash
	doc      *document
	roster   *rollcall.Roster // those who count, by pseudonym
	columns  []column         // of the roster
	margins  []rollcall.Margin
	weights  *panel.Weights
	diaries  diaries   // but for any internet use
	online   []present // by person, any internet use included
	seen     set       // services with any diary, but for any internet use
	excluded int       // diaries that a rule excludes

	whole   *sample // everyone, over the whole month
	samples cache[sampleKey, *sample]
}

// parts are the large objects of a document.
type parts struct {
	roster     *rollcall.Roster
	population *rollcall.Population
	diaries    []byte
}

// newMonth weighs a document's roster and reads its diaries.
func newMonth(hash rollcall.Hash, d *document, p parts) (*month, error) {
	m := &month{hash: hash, doc: d, margins: p.population.Margins}
	online := m.service(rollcall.Online)
	r := diaryReader{b: p.diaries, people: len(p.roster.Panelists), services: len(d.Services), days: d.days(), online: online}
	var err error
	if m.diaries, err = r.read(); err != nil {
		return nil, err
	}
	m.exclude(p.roster)
	m.settle(online)
	m.columns = demography(m.roster)
	if m.weights, err = panel.Rake(m.roster, p.population, d.Settings.Trim); err != nil {
		return nil, fmt.Errorf("weigh %s: %w", d.Of.Month, err)
	}
	m.samples.limit = mostSamples
	m.whole = m.sampleOf(d.Of.Month.First(), d.Of.Month.Last())
	return m, nil
}

const mostSamples = 2 // periods held

// present is the days, a bit each, on which someone did anything.
type present struct{ home, work uint32 }

// settle takes what reports need from the diaries: the days of any internet
// use, whose diaries are not needed then, and where each person's others begin.
func (m *month) settle(online int) {
	m.online = make([]present, len(m.roster.Panelists))
	for i := range m.diaries.list {
		d := &m.diaries.list[i]
		if d.where.place().Has(rollcall.Home) {
			m.online[d.person].home |= 1 << d.day
		} else {
			m.online[d.person].work |= 1 << d.day
		}
		if int(d.service) != online {
			m.seen = m.seen.with(int(d.service))
		}
	}
	kept := slices.DeleteFunc(m.diaries.list, func(d diary) bool { return int(d.service) == online })
	m.diaries = diaries{list: slices.Clone(kept), runs: slices.Clone(m.diaries.runs)}
	m.diaries.find(len(m.roster.Panelists))
}

// prepare computes what every report of the whole month stands on.
func (m *month) prepare() {
	m.whole.condition()
	for _, credit := range []Credit{ByPresence, ByUse} {
		m.whole.patterns(credit)
		m.whole.uses(scope{credit, rollcall.Home | rollcall.Work})
	}
}

func (m *month) sampleOf(from, to rollcall.Day) *sample {
	return newSample([]*month{m}, nil, m.weights, m, from, to)
}

// exclude applies the recorded rules. One that names a panelist and neither a
// service nor a day takes the person out of tab; any other leaves the person
// and takes the diaries.
func (m *month) exclude(all *rollcall.Roster) {
	m.roster = all
	if len(m.doc.Exclusions) == 0 {
		return
	}
	rules := newRules(m.doc)
	position := make([]int32, len(all.Panelists))
	m.roster = &rollcall.Roster{Key: all.Key, Columns: all.Columns}
	for i, p := range all.Panelists {
		position[i] = -1
		if !rules.out[p.ID] {
			position[i] = int32(len(m.roster.Panelists))
			m.roster.Panelists = append(m.roster.Panelists, p)
		}
	}
	read := len(m.diaries.list)
	m.diaries.list = slices.DeleteFunc(m.diaries.list, func(d diary) bool {
		return position[d.person] < 0 || rules.match(all.Panelists[d.person].ID, int(d.service), d.day)
	})
	m.excluded = read - len(m.diaries.list)
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

func newRules(d *document) rules {
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

// cost is the memory that the month takes, in bytes, with room for its caches.
func (m *month) cost() int64 {
	const perPanelist = 1000 // roster, weights, and what is kept of the month and of other periods
	bytes := int64(len(m.roster.Panelists)) * perPanelist
	bytes += int64(len(m.diaries.list))*int64(unsafe.Sizeof(diary{})) + int64(len(m.diaries.runs))*int64(unsafe.Sizeof(run{}))
	return bytes
}

// service gives a service's position in the catalogue, or -1.
func (m *month) service(id rollcall.ServiceID) int {
	return slices.IndexFunc(m.doc.Services, func(s rollcall.Service) bool { return s.ID == id })
}
