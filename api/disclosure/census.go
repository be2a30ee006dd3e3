// Package disclosure says what of a census a reader may learn. Accounts did not
// opt in: what would tell of a few of them is for the operator alone.
package disclosure

import (
	"fmt"
	"slices"
	"strings"

	"rollcall"
)

// Rule is what a deployment holds back from readers; the zero Rule is nothing.
type Rule struct {
	Least int // accounts under which a figure is withheld
	Round int // figures are rounded to multiples of it; 0: not
}

// Default is METHOD's rule.
func Default() Rule { return Rule{Least: 50, Round: 10} }

// Readers narrows a reader's question: its figures are rounded. It fails, with a
// text for the reader, where what is asked could be set against its neighbours so
// that a few accounts are left: a lower minimum, periods of one's own choice, or
// platforms, segments and places united at will.
func (r Rule) Readers(q *rollcall.CensusQuery) error {
	if r == (Rule{}) {
		return nil
	}
	switch {
	case q.MinAccounts < r.Least:
		return fmt.Errorf("min_accounts %d: is under this server's minimum of %d accounts (--census-min), which only the operator and an administrator's key may lower", q.MinAccounts, r.Least)
	case !usual(q):
		return fmt.Errorf("from %s to %s: a reader's census is of a day, an ISO week, a month or its days so far, a quarter, a year, or of 7, 28 or 30 days; in a series the first and the last are whole. Any other period is for the operator and an administrator's key", q.From, q.To)
	case len(q.Platforms) > 1:
		return fmt.Errorf("platform: a reader's census is of one or of all of them; by=platform tells each. Several united are for the operator and an administrator's key")
	case len(q.Segments) > 1:
		return fmt.Errorf("segment: a reader's census is of one or of all of them; by=segment tells each. Several united are for the operator and an administrator's key")
	case !slices.Contains(places(), q.At.String()):
		return fmt.Errorf("location %s: a reader's census is at one of %s. Others are for the operator and an administrator's key", q.At, strings.Join(places(), ", "))
	}
	q.Round = r.Round
	return nil
}

// places are those that readers may ask for: each, all, and a panel's.
func places() []string {
	return []string{rollcall.AnyPlace, "home", "work", "elsewhere", "home+work", string(rollcall.Both), string(rollcall.HomeOnly), string(rollcall.WorkOnly)}
}

// usual reports whether a question is of periods that everybody asks for.
func usual(q *rollcall.CensusQuery) bool {
	if q.Window != (rollcall.Window{}) {
		return true
	}
	toDate := q.To.Month() == q.From.Month() && q.From == q.From.Month().First()
	if i := slices.IndexFunc(q.By, rollcall.CensusBy.Calendar); i >= 0 {
		unit := q.By[i]
		return unit.Begin(q.From) == q.From && (unit == rollcall.ByMonth || unit.Begin(q.To+1) == q.To+1)
	}
	if toDate || slices.Contains([]rollcall.Day{1, 7, 28, 30}, q.To-q.From+1) {
		return true
	}
	return slices.ContainsFunc([]rollcall.CensusBy{rollcall.ByWeek, rollcall.ByQuarter, rollcall.ByYear}, func(unit rollcall.CensusBy) bool {
		return unit.Begin(q.From) == q.From && unit.Begin(q.To) == q.From && unit.Begin(q.To+1) == q.To+1
	})
}
