package replicate

import (
	"context"

	"rollcall"
	"rollcall/aggregate/audience"
	"rollcall/aggregate/panel"
)

// AnyService is the row of a person's use of any service, in which minutes and
// sessions are united.
const AnyService = "any"

// Uses gives what the people of the same months did: a row a panelist, month,
// service, place and credit rule of which there was any. The places are home, work
// and home+work, in which minutes, days and sessions are united and no sum; the
// services are those listed, any of them, and online: who was active at all,
// whom reach is a percentage of, with no minutes, days and sessions.
func (s Source) Uses(ctx context.Context, of rollcall.PanelMonth, version int, first rollcall.Month) (*rollcall.Wide, error) {
	p, months, err := s.months(ctx, of, version, first)
	if err != nil {
		return nil, err
	}
	var u uses
	for k, m := range months {
		u.month(m, k)
	}
	numbers, err := panel.Replicate(ctx, 0, 0, weightsOf(months)...) // of persons, as the weights have them
	if err != nil {
		return nil, err
	}
	t := &rollcall.Wide{Rows: len(u.rows), KeyValues: keyValues(p, months)}
	text := func(name string, pick func(r *use) string) {
		t.Columns = append(t.Columns, rollcall.WideColumn{Name: name, Texts: func() []string { return u.texts(pick) }})
	}
	count := func(name string, pick func(r *use) int64) {
		t.Columns = append(t.Columns, rollcall.WideColumn{Name: name, Counts: func() []int64 { return u.counts(pick) }})
	}
	text("month", func(r *use) string { return months[r.month].Doc.Of.Month.String() })
	count("person", func(r *use) int64 {
		person, _, _ := numbers.Place(int(numbers.Row(r.month, r.at)))
		return person
	})
	text("service", func(r *use) string { return r.service })
	text("location", func(r *use) string { return string(r.place) })
	text("credit", func(r *use) string { return string(r.credit) })
	count("minutes", func(r *use) int64 { return int64(r.minutes) })
	count("days", func(r *use) int64 { return int64(r.days) })
	count("sessions", func(r *use) int64 { return int64(r.sessions) })
	return t, nil
}

// use is a row.
type use struct {
	month    int
	at       int32 // in the month's roster
	service  string
	place    rollcall.Place
	credit   rollcall.Credit
	minutes  int32
	days     int32
	sessions int32
}

type uses struct{ rows []use }

// month adds a month's rows.
func (u *uses) month(m *audience.Month, k int) {
	for _, place := range []rollcall.Place{rollcall.AtHome, rollcall.AtWork, rollcall.HomeWork} {
		for _, credit := range []rollcall.Credit{rollcall.ByPresence, rollcall.ByUse} {
			v := m.Whole.View(credit, place, nil)
			listed := v.Listed()
			for _, i := range listed {
				u.add(v, k, v.ID(i), audience.SetOf(i))
			}
			u.add(v, k, AnyService, audience.SetOf(listed...))
			for _, at := range v.Active().At {
				u.rows = append(u.rows, use{month: k, at: at, service: string(rollcall.Online), place: place, credit: credit})
			}
		}
	}
}

func (u *uses) add(v *audience.View, k int, service string, of audience.Set) {
	used := v.Use(of)
	for i, at := range used.At {
		u.rows = append(u.rows, use{
			month: k, at: at, service: service, place: v.Place, credit: v.Credit,
			minutes: used.Minutes[i], days: int32(used.DayCount(i)), sessions: used.Sessions[i],
		})
	}
}

func (u *uses) texts(pick func(r *use) string) []string {
	out := make([]string, len(u.rows))
	for i := range u.rows {
		out[i] = pick(&u.rows[i])
	}
	return out
}

func (u *uses) counts(pick func(r *use) int64) []int64 {
	out := make([]int64, len(u.rows))
	for i := range u.rows {
		out[i] = pick(&u.rows[i])
	}
	return out
}
