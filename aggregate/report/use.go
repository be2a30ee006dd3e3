package report

import (
	"math"
	"math/bits"
	"slices"

	"rollcall/aggregate/panel"
)

// use is what people did with a set of services, at a set of places, in a
// period: one entry a user.
type use struct {
	at       []int32  // positions, ascending
	days     []uint32 // credited days: words to a user, a bit a day of the month
	words    int      // months of the period
	minutes  []int32
	sessions []int32
}

func (u *use) variable(of []int32) panel.Variable {
	values := make([]float64, len(of))
	for i, x := range of {
		values[i] = float64(x)
	}
	return panel.Variable{At: u.at, Values: values}
}

// dayCount gives the credited days of user i.
func (u *use) dayCount(i int) int {
	n := 0
	for _, w := range u.days[i*u.words : (i+1)*u.words] {
		n += bits.OnesCount32(w)
	}
	return n
}

func (u *use) dayCounts() panel.Variable {
	values := make([]float64, len(u.at))
	for i := range u.at {
		values[i] = float64(u.dayCount(i))
	}
	return panel.Variable{At: u.at, Values: values}
}

// firstDay gives the first credited day of user i: a bit of the period.
func (u *use) firstDay(i int) (word, bit int) {
	for w, days := range u.days[i*u.words : (i+1)*u.words] {
		if days != 0 {
			return w, bits.TrailingZeros32(days)
		}
	}
	return u.words, 0
}

// where gives the users that keep says yes to.
func (u *use) where(keep func(person int32) bool) *use {
	out := &use{words: u.words}
	out.grow(len(u.at))
	for i, person := range u.at {
		if keep(person) {
			out.add(person, u.days[i*u.words:(i+1)*u.words], u.minutes[i], u.sessions[i])
		}
	}
	return out
}

// grow makes room for n more users.
func (u *use) grow(n int) {
	u.at, u.days = slices.Grow(u.at, n), slices.Grow(u.days, n*u.words)
	u.minutes, u.sessions = slices.Grow(u.minutes, n), slices.Grow(u.sessions, n)
}

func (u *use) add(person int32, days []uint32, minutes, sessions int32) {
	u.at = append(u.at, person)
	u.days = append(u.days, days...)
	u.minutes = append(u.minutes, minutes)
	u.sessions = append(u.sessions, sessions)
}

// gather puts months' uses together, month after month: a session is cut at
// the month's edge. at gives the common position of each month's persons, or -1.
func gather(months []*use, at [][]int32) *use {
	out, words := &use{words: len(months)}, make([]uint32, len(months))
	next := make([]int, len(months))
	for {
		person := int32(math.MaxInt32)
		for k, u := range months {
			for next[k] < len(u.at) && at[k][u.at[next[k]]] < 0 {
				next[k]++
			}
			if next[k] < len(u.at) {
				person = min(person, at[k][u.at[next[k]]])
			}
		}
		if person == math.MaxInt32 {
			return out
		}
		var minutes, sessions int32
		for k, u := range months {
			words[k] = 0
			if i := next[k]; i < len(u.at) && at[k][u.at[i]] == person {
				words[k] = u.days[i]
				minutes, sessions = minutes+u.minutes[i], sessions+u.sessions[i]
				next[k]++
			}
		}
		out.add(person, words, minutes, sessions)
	}
}

func positions(found []bool) []int32 {
	var out []int32
	for i, yes := range found {
		if yes {
			out = append(out, int32(i))
		}
	}
	return out
}
