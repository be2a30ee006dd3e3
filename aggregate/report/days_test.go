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

// TestDayThatWasNot: Apia went from 29 to 31 December 2011. The mean day is of
// the 30 days that there were, and nobody could come on 31.
func TestDayThatWasNot(t *testing.T) {
	c, err := rollcall.NewCatalogue([]rollcall.Market{{ID: "FR", Name: "Samoa", Zone: "Pacific/Apia"}}, catalogue(t).Services)
	if err != nil {
		t.Fatal(err)
	}
	h := newSiteOver(t, newSite(t).store, c)
	h.Store = public{h.store}
	of := rollcall.PanelMonth{Market: "FR", Panel: "nn", Month: rollcall.MonthOf(2011, time.December)}
	f := facts{}
	for day := 1; day <= 31; day++ {
		f.addTo(of, 1, "msn", rollcall.Home, rollcall.Use, stretch{day, 600, 610}) // of the 30th nothing is left
	}
	f.addTo(of, 2, "msn", rollcall.Home, rollcall.Use, stretch{3, 600, 610})
	h.merge(f)
	h.load(of, plainRoster(10), evenUniverse)
	h.close(closing(of, all()))
	loyalty := h.report(rollcall.Query{Report: "loyalty", Of: of})
	near(t, "daily audience", value(t, loyalty, "msn", "daily_audience"), 100.0*(30+1)/30)
	near(t, "stickiness", value(t, loyalty, "msn", "stickiness"), 100.0*(30+1)/30/2)
	frequency := h.report(rollcall.Query{Report: "frequency", Of: of, Bands: "all"})
	if last := frequency.Rows[len(frequency.Rows)-1]; len(frequency.Rows) != 30 || last[1] != "30" {
		t.Errorf("%d numbers of days, the last %v", len(frequency.Rows), last[1])
	}
	near(t, "on 30 days", frequency.Cell(29, "unique_audience").(rollcall.Measure).Value, 100)
	two := h.report(rollcall.Query{Report: "loyalty", Of: of, From: of.Month.First() + 28, To: of.Month.First() + 29})
	near(t, "daily audience of the 29th and 30th", value(t, two, "msn", "daily_audience"), 100)
}
