package census

import (
	"fmt"
	"math"

	"rollcall"
	"rollcall/aggregate/hll"
	"rollcall/aggregate/idset"
)

// union is the cells of one group, united: at home, at work, and at every place
// asked for.
type union struct {
	key            rollcall.KeyID
	day            rollcall.Day // a day of that key
	all, minutes   *hll.Sketch
	home, work     *hll.Sketch // where a part of them is asked for
	accounts       idset.Union
	atHome, atWork idset.Union
	exact          bool // accounts has every one
	lacks          days // whose cells have not their whole set
	coarse         bool // some of what was seen tells only the day
	twoKeys        bool
}

// days are those from the first to the last; none where the last is 0.
type days struct{ first, last rollcall.Day }

// and gives the days that hold both.
func (d days) and(o days) days {
	switch {
	case d.last == 0:
		return o
	case o.last == 0:
		return d
	}
	return days{min(d.first, o.first), max(d.last, o.last)}
}

func newUnion(k int, apart bool) *union {
	u := &union{all: hll.New(k), minutes: hll.New(k), exact: true}
	if apart {
		u.home, u.work = hll.New(k), hll.New(k)
	}
	return u
}

// add unites one cell. One of another key is not united: the pseudonyms of two
// keys are two different sets of numbers.
func (u *union) add(row *rollcall.CellRow) error {
	if !u.under(row.Key, row.Day) {
		return nil
	}
	visitors := []*hll.Sketch{u.all}
	if at, ids := u.apart(row.Location); at != nil {
		visitors = append(visitors, at)
		ids.Add(row.Accounts)
	}
	for _, s := range visitors {
		if err := s.MergeStored(row.Visitors); err != nil {
			return fmt.Errorf("census: cell of %s on %s: visitors: %w", row.Service, row.Day, err)
		}
	}
	if err := u.minutes.MergeStored(row.Minutes); err != nil {
		return fmt.Errorf("census: cell of %s on %s: minutes: %w", row.Service, row.Day, err)
	}
	u.accounts.Add(row.Accounts)
	u.exact, u.coarse = u.exact && row.Exact, u.coarse || row.Coarse
	if !row.Exact {
		u.lacks = u.lacks.and(days{row.Day, row.Day})
	}
	return nil
}

// under reports whether facts of a key and a day may be united with these.
func (u *union) under(key rollcall.KeyID, day rollcall.Day) bool {
	if u.day == 0 {
		u.key, u.day = key, day
	}
	if key != u.key {
		u.twoKeys = true
	}
	return key == u.key
}

// apart gives the sketch and the accounts of one place, where a part is asked for.
func (u *union) apart(l rollcall.Location) (*hll.Sketch, *idset.Union) {
	switch {
	case u.home == nil:
		return nil, nil
	case l == rollcall.Home:
		return u.home, &u.atHome
	}
	return u.work, &u.atWork
}

// merge unites another union with this one.
func (u *union) merge(o *union) error {
	if o.day != 0 && !u.under(o.key, o.day) {
		return nil
	}
	for _, p := range [][2]*hll.Sketch{{u.all, o.all}, {u.minutes, o.minutes}, {u.home, o.home}, {u.work, o.work}} {
		if p[0] == nil {
			continue
		}
		if err := p[0].Merge(p[1]); err != nil {
			return err
		}
	}
	u.accounts.Add(o.accounts.List())
	u.atHome.Add(o.atHome.List())
	u.atWork.Add(o.atWork.List())
	u.exact, u.coarse = u.exact && o.exact, u.coarse || o.coarse
	u.lacks = u.lacks.and(o.lacks)
	u.twoKeys = u.twoKeys || o.twoKeys
	return nil
}

// settle brings the sets into the form that reading them leaves as it is, so that
// several may read at once.
func (u *union) settle() {
	for _, ids := range []*idset.Union{&u.accounts, &u.atHome, &u.atWork} {
		ids.List()
	}
}

// size is the memory that the union holds, about.
func (u *union) size() int {
	n := u.all.Size() + u.minutes.Size() + u.accounts.Bytes() + u.atHome.Bytes() + u.atWork.Bytes()
	if u.home != nil {
		n += u.home.Size() + u.work.Size()
	}
	return n
}

// figures gives the accounts, their minutes, and whether the accounts were
// counted one by one.
func (u *union) figures(q *rollcall.CensusQuery) (accounts, minutes rollcall.Measure, exact bool) {
	if u.twoKeys {
		undefined := rollcall.Measure{Status: rollcall.Undefined}
		return undefined, undefined, false
	}
	minutes = sketchMeasure(u.minutes.Estimate(), 0)
	if accounts, exact = u.count(q.MinAccounts); q.At.Part != "" {
		accounts, exact = u.part(q.At.Part, q.MinAccounts)
	}
	switch {
	case q.At.Part != "" || u.coarse:
		minutes = rollcall.Measure{Status: rollcall.Undefined}
	case accounts.Status.Withheld():
		minutes = rollcall.Measure{Status: accounts.Status}
	}
	return accounts.Coarse(q.Round), coarseMinutes(minutes, accounts, q.Round), exact
}

// coarseMinutes gives minutes as readers are told them: those of the rounded
// accounts. Rounded for themselves they would tell the accounts, where every account
// has the same.
func coarseMinutes(minutes, accounts rollcall.Measure, of int) rollcall.Measure {
	if of == 0 || minutes.Status.Withheld() || accounts.Value == 0 {
		return minutes.Coarse(of)
	}
	each := minutes.Value / accounts.Value
	if each > 0 {
		digits := math.Pow(10, 2-math.Floor(math.Log10(each))) // three that count
		each = math.Round(each*digits) / digits
	}
	part := (minutes.High - minutes.Value) / max(minutes.Value, 1)
	told := accounts.Coarse(of)
	told.Value *= each
	told.Low, told.High = told.Value*(1-part), told.Value*(1+part)
	return told
}

// count gives the accounts: those of the set where it is whole, else the
// sketch's.
func (u *union) count(atLeast int) (rollcall.Measure, bool) {
	if u.exact && u.day != 0 {
		return wholeMeasure(u.accounts.Len(), atLeast), true
	}
	e := u.all.Estimate()
	return sketchMeasure(e, atLeast), e.Exact
}

// wholeMeasure is a count without an error.
func wholeMeasure(n, atLeast int) rollcall.Measure {
	return sketchMeasure(hll.Estimate{Count: float64(n), Exact: true}, atLeast)
}

func sketchMeasure(e hll.Estimate, atLeast int) rollcall.Measure {
	low, high := e.Interval()
	m := rollcall.Measure{
		Value: e.Count, SE: e.Count * e.StdErr, Low: low, High: high,
		N: int(math.Round(e.Count)), Status: rollcall.OK,
	}
	if m.Value < float64(atLeast) {
		m.Status = rollcall.Below
	}
	return m
}

// part gives the accounts that were seen both at home and at work, or at one of
// them alone: by inclusion and exclusion, whose error hll.OverlapOf finds.
func (u *union) part(of rollcall.Place, atLeast int) (m rollcall.Measure, exact bool) {
	if u.exact && u.day != 0 {
		either, home, work := u.accounts.Len(), u.atHome.Len(), u.atWork.Len()
		return wholeMeasure(map[rollcall.Place]int{rollcall.Both: home + work - either, rollcall.HomeOnly: either - work, rollcall.WorkOnly: either - home}[of], atLeast), true
	}
	overlap := hll.OverlapOf(u.home, u.work)
	d := map[rollcall.Place]hll.Difference{rollcall.Both: overlap.Both, rollcall.HomeOnly: overlap.OnlyA, rollcall.WorkOnly: overlap.OnlyB}[of]
	half := hll.Z95 * d.SE
	m = rollcall.Measure{Value: d.Count, SE: d.SE, Low: max(0, d.Count-half), High: d.Count + half, N: int(math.Round(d.Count)), Status: rollcall.OK}
	switch {
	case !d.Exact && d.Count <= half:
		m.Status = rollcall.BelowDetection
	case d.Count < float64(atLeast):
		m.Status = rollcall.Below
	}
	return m, d.Exact
}
