package main

import (
	"fmt"
	"math/bits"
	"slices"
	"time"

	"rollcall"
)

// accounts is a set of accounts, a bit each.
type accounts []uint64

func (a accounts) len() (n int) {
	for _, word := range a {
		n += bits.OnesCount64(word)
	}
	return n
}

// line is what a row of an answer is of, in the words of its cells.
type line struct{ platform, segment, location, kind, period string }

// counted answers a question from the visits themselves, one by one: for each
// line the accounts.
func counted(m *month, visits []visit, q *rollcall.CensusQuery) map[line]accounts {
	lines := make(map[line]accounts)
	for i := range visits {
		v := &visits[i]
		if !asked(v, q) {
			continue
		}
		l := lineOf(v, q.By)
		for _, period := range periods(v.day, q) {
			if period != "" {
				l.period = period
			}
			if lines[l] == nil {
				lines[l] = make(accounts, m.accounts/64+1)
			}
			lines[l][v.account/64] |= 1 << (v.account % 64)
		}
	}
	return lines
}

func asked(v *visit, q *rollcall.CensusQuery) bool {
	switch {
	case q.Credit == rollcall.ByUse && v.kind != rollcall.Use:
	case !q.At.Any.Has(v.location):
	case len(q.Platforms) > 0 && !slices.Contains(q.Platforms, v.platform):
	case len(q.Segments) > 0 && !slices.Contains(q.Segments, segmentID(v.segment)):
	default:
		return true
	}
	return false
}

func lineOf(v *visit, by []rollcall.CensusBy) (l line) {
	for _, b := range by {
		switch b {
		case rollcall.ByPlatform:
			l.platform = v.platform.String()
		case rollcall.BySegment:
			l.segment = segmentID(v.segment).String()
		case rollcall.ByLocation:
			l.location = v.location.String()
		case rollcall.ByKind:
			l.kind = v.kind.String()
		}
	}
	return l
}

// periods names the periods of the question that a day is in: "" is the whole.
func periods(day rollcall.Day, q *rollcall.CensusQuery) (names []string) {
	if q.Window == (rollcall.Window{}) {
		if day < q.From || day > q.To {
			return nil
		}
		return []string{period(day, q.By)}
	}
	for end := max(day, q.From); end <= q.To; end++ {
		if q.Window.Month && end.Month() == day.Month() || end-day < rollcall.Day(q.Window.Days) {
			names = append(names, end.String())
		}
	}
	return names
}

func period(day rollcall.Day, by []rollcall.CensusBy) string {
	y, m, d := day.Date()
	at := time.Date(y, m, d, 0, 0, 0, 0, time.UTC)
	for _, b := range by {
		switch b {
		case rollcall.ByDay:
			return at.Format(time.DateOnly)
		case rollcall.ByWeek:
			year, week := at.ISOWeek()
			return fmt.Sprintf("%d-W%02d", year, week)
		case rollcall.ByMonth:
			return at.Format("2006-01")
		}
	}
	return ""
}
