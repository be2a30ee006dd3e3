package report

import (
	"testing"

	"rollcall"
)

// TestSessions: what one person does, in minutes of local days, and the
// sessions, minutes and days that it makes at home and at work together.
func TestSessions(t *testing.T) {
	const home, work = rollcall.Home, rollcall.Work
	type credit struct {
		place         rollcall.Location
		day, from, to int
	}
	for _, c := range []struct {
		name                    string
		credits                 []credit
		sessions, minutes, days float64
	}{
		{"a step of 30 minutes", []credit{{home, 1, 600, 601}, {home, 1, 630, 631}}, 1, 2, 1},
		{"a step of 31 minutes", []credit{{home, 1, 600, 601}, {home, 1, 631, 632}}, 2, 2, 1},
		{"places are united", []credit{{home, 1, 600, 660}, {work, 1, 630, 700}}, 1, 100, 1},
		{"a place bridges the other's gap", []credit{{home, 1, 600, 601}, {work, 1, 625, 626}, {home, 1, 650, 651}}, 1, 3, 1},
		{"midnight is no border", []credit{{home, 1, 1430, 1440}, {home, 2, 0, 10}}, 1, 20, 2},
		{"midnight with a step of 30", []credit{{home, 1, 1420, 1421}, {work, 2, 10, 11}}, 1, 2, 2},
		{"midnight with a step of 31", []credit{{home, 1, 1420, 1421}, {work, 2, 11, 12}}, 2, 2, 2},
		// On 27 October 2002 clocks went back: the day has 1500 minutes.
		{"the 25-hour day's last hour", []credit{{home, 27, 1440, 1500}}, 1, 60, 1},
		{"the 25-hour day's midnight", []credit{{home, 27, 1490, 1500}, {home, 28, 0, 10}}, 1, 20, 2},
		{"a step over the 25-hour day's midnight", []credit{{home, 27, 1439, 1440}, {home, 28, 0, 1}}, 2, 2, 2},
		{"the repeated hour is two hours", []credit{{home, 27, 120, 240}}, 1, 120, 1},
		{"the whole month", []credit{{home, 1, 0, 1440}, {work, 31, 1439, 1440}}, 2, 1441, 2},
	} {
		h := newSite(t)
		h.load(october, smallRoster, smallUniverse)
		f := facts{}
		for _, x := range c.credits {
			f.add(1, "msn", x.place, rollcall.Use, stretch{x.day, x.from, x.to})
		}
		h.merge(f)
		h.close(closing(october, all()))
		got := h.report(rollcall.Query{Report: "ranking", Version: 1})
		for column, want := range map[string]float64{"sessions_per_person": c.sessions, "minutes_per_person": c.minutes, "days_per_person": c.days} {
			if x := value(t, got, "msn", column); x != want {
				t.Errorf("%s: %s is %g, want %g", c.name, column, x, want)
			}
		}
	}
}
