package report

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"rollcall"
)

const evenUniverse = "margin,category,population,source,source_date\nsex,M,500,study,2002-06-30\nsex,F,500,study,2002-06-30\n"

// TestBands: a band's persons are those of its days added up, whatever the bands.
func TestBands(t *testing.T) {
	h, r := newSite(t), rand.New(rand.NewPCG(7, 7))
	h.Store = public{h.store}
	f, days := facts{}, make([]int, 40) // by person
	for i := range days {
		days[i] = r.IntN(12) * r.IntN(4) % 32
		for _, day := range r.Perm(31)[:days[i]] {
			f.add(i+1, "msn", rollcall.Home, rollcall.Use, stretch{day + 1, 600, 610})
		}
	}
	h.merge(f)
	h.load(october, plainRoster(len(days)), evenUniverse)
	h.close(closing(october, all()))
	const users = 1000.0 / 40
	for bands, want := range map[string][][2]int{
		"":           {{1, 1}, {2, 3}, {4, 7}, {8, 14}, {15, 31}},
		"2-5,9,20+":  {{2, 5}, {9, 9}, {20, 31}},
		"1-31":       {{1, 31}},
		"3 ":         {{3, 31}},
		singleDays:   nil,
		"30,31":      {{30, 30}, {31, 31}},
		"1,2-3,4+":   {{1, 1}, {2, 3}, {4, 31}},
		"1-10,11-40": {{1, 10}, {11, 31}},
	} {
		if bands == singleDays {
			for k := range 31 {
				want = append(want, [2]int{k + 1, k + 1})
			}
		}
		table := h.report(rollcall.Query{Report: "frequency", Bands: bands})
		if len(table.Rows) != len(want) {
			t.Fatalf("%q: rows %s, want %v", bands, keys(table), want)
		}
		used := count(days, 1, 31)
		for i, b := range want {
			near(t, fmt.Sprint(bands, b), table.Cell(i, "unique_audience").(rollcall.Measure).Value, users*count(days, b[0], b[1]))
			near(t, fmt.Sprint(bands, b, " share"), table.Cell(i, "share").(rollcall.Measure).Value, 100*count(days, b[0], b[1])/used)
			near(t, fmt.Sprint(bands, b, " or more"), table.Cell(i, "k_plus").(rollcall.Measure).Value, users*count(days, b[0], 31))
		}
	}
	week := h.report(rollcall.Query{Report: "frequency", From: october.Month.First(), To: october.Month.First() + 6})
	if got := fmt.Sprint(keys(week)); got != "[msn 1 msn 2-3 msn 4-7]" {
		t.Errorf("a week has the bands %s", got)
	}
}

// count gives how many of some numbers are between two.
func count(list []int, from, to int) float64 {
	return float64(len(slices.DeleteFunc(slices.Clone(list), func(n int) bool { return n < from || n > to })))
}

// plainRoster is so many persons of one weight, of both sexes by turns.
func plainRoster(n int) string {
	var b strings.Builder
	b.WriteString("panelist,home,work,sex\n")
	for i := range n {
		fmt.Fprintf(&b, "P%d,1,1,%c\n", i+1, "MF"[i%2])
	}
	return b.String()
}

func TestBandsRefused(t *testing.T) {
	h := smallSite(t)
	h.close(rollcall.ClosePlan{Of: october})
	for bands, want := range map[string]string{
		"0":           `bands "0": has "0", which is no number of days such as 3, 2-3 or 15+`,
		"1,,2":        `bands "1,,2": has "", which is no number of days such as 3, 2-3 or 15+`,
		"3-2":         `bands "3-2": has "3-2", which is no number of days such as 3, 2-3 or 15+`,
		"1-x":         `bands "1-x": has "1-x", which is no number of days such as 3, 2-3 or 15+`,
		"2-4,4-5":     `bands "2-4,4-5": has 4-5 begin at or before the end of the band before it`,
		"3+,4":        `bands "3+,4": has 4 begin at or before the end of the band before it`,
		"1,32+":       `bands "1,32+": has 32+ begin after the period's 31 days`,
		"all,1":       `bands "all,1": has "all", which is no number of days such as 3, 2-3 or 15+`,
		"-1":          `bands "-1": has "-1", which is no number of days such as 3, 2-3 or 15+`,
		"99999999999": `bands "99999999999": has "99999999999", which is no number of days such as 3, 2-3 or 15+`,
	} {
		_, err := h.Report(context.Background(), rollcall.Query{Report: "frequency", Of: october, Bands: bands})
		if err == nil || err.Error() != want || !errors.Is(err, rollcall.ErrInvalid) {
			t.Errorf("%v, want %s", err, want)
		}
	}
	_, err := h.Report(context.Background(), rollcall.Query{Report: "curve", Of: october, Bands: "all"})
	if err == nil || err.Error() != `bands "all": is not for curve, but for frequency` {
		t.Errorf("a curve with bands: %v", err)
	}
}

// samoa closes November and December 2011 in Apia, which went from 29 to 31
// December. P1 uses msn on every day, P2 on the third of each month.
func samoa(t *testing.T) (*site, rollcall.PanelMonth) {
	c, err := rollcall.NewCatalogue([]rollcall.Market{{ID: "FR", Name: "Samoa", Zone: "Pacific/Apia"}}, catalogue(t).Services)
	if err != nil {
		t.Fatal(err)
	}
	h := newSiteOver(t, newSite(t).store, c)
	h.Store = public{h.store}
	of := rollcall.PanelMonth{Market: "FR", Panel: "nn", Month: rollcall.MonthOf(2011, time.December)}
	for _, month := range []rollcall.Month{of.Month - 1, of.Month} {
		f, one := facts{}, of
		one.Month = month
		for day := 1; day <= month.Days(); day++ {
			f.addTo(one, 1, "msn", rollcall.Home, rollcall.Use, stretch{day, 600, 610}) // of 30 December nothing is left
		}
		f.addTo(one, 2, "msn", rollcall.Home, rollcall.Use, stretch{3, 600, 610})
		h.merge(f)
		h.load(one, plainRoster(10), evenUniverse)
		h.close(closing(one, all()))
	}
	return h, of
}

// TestDayThatWasNot: the mean day is of the 30 days that there were, nobody could
// come on 31, and a curve has no row for the day that was not.
func TestDayThatWasNot(t *testing.T) {
	h, of := samoa(t)
	loyalty := h.report(rollcall.Query{Report: "loyalty", Of: of})
	near(t, "daily audience", value(t, loyalty, "msn", "daily_audience"), 100.0*(30+1)/30)
	near(t, "stickiness", value(t, loyalty, "msn", "stickiness"), 100.0*(30+1)/30/2)
	near(t, "days per person", value(t, h.report(rollcall.Query{Report: "ranking", Of: of}), "msn", "days_per_person"), (30+1)/2.0)
	frequency := h.report(rollcall.Query{Report: "frequency", Of: of, Bands: "all"})
	if last := frequency.Rows[len(frequency.Rows)-1]; len(frequency.Rows) != 30 || last[1] != "30" {
		t.Errorf("%d numbers of days, the last %v", len(frequency.Rows), last[1])
	}
	near(t, "on 30 days", frequency.Cell(29, "unique_audience").(rollcall.Measure).Value, 100)
	two := h.report(rollcall.Query{Report: "loyalty", Of: of, From: of.Month.First() + 28, To: of.Month.First() + 29})
	near(t, "daily audience of the 29th and 30th", value(t, two, "msn", "daily_audience"), 100)
	curve := h.report(rollcall.Query{Report: "curve", Of: of})
	var dates []string
	for i := range curve.Rows {
		dates = append(dates, fmt.Sprint(curve.Cell(i, "day"), " ", curve.Cell(i, "date")))
	}
	if n := len(dates); n != 30 || dates[28] != "29 2011-12-29" || dates[29] != "31 2011-12-31" {
		t.Errorf("%d days of the curve: %s", n, dates)
	}
	_, err := h.Report(context.Background(), rollcall.Query{Report: "ranking", Of: of, From: of.Month.First() + 29, To: of.Month.First() + 29})
	if want := `from "2011-12-30": was no day in Pacific/Apia`; !errors.Is(err, rollcall.ErrInvalid) || err.Error() != want {
		t.Errorf("the ranking of a day that was not: %v, want %s", err, want)
	}
}

// TestPooledDayThatWasNot: each month has its own number of days, and the day of
// the month that one of them lacks is the other's.
func TestPooledDayThatWasNot(t *testing.T) {
	h, of := samoa(t)
	near(t, "daily audience", value(t, h.report(rollcall.Query{Report: "loyalty", Of: of, Pool: 2}), "msn", "daily_audience"), 100*31/30.0)
	curve, frequency := h.report(rollcall.Query{Report: "curve", Of: of, Pool: 2}), h.report(rollcall.Query{Report: "frequency", Of: of, Pool: 2, Bands: "all"})
	if len(curve.Rows) != 31 || curve.Cell(29, "date") != nil || curve.Cell(29, "day") != 30 {
		t.Errorf("%d days of the curve, the thirtieth %v of %v", len(curve.Rows), curve.Cell(29, "day"), curve.Cell(29, "date"))
	}
	if len(frequency.Rows) != 30 {
		t.Errorf("%d numbers of days", len(frequency.Rows))
	}
}
