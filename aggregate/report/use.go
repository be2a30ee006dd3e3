package report

import "math/bits"

// use is what people did with a set of services, at a set of places, in a
// period: one entry a user.
type use struct {
	at       []int32  // positions, ascending
	days     []uint32 // credited days: words to a user, a bit a day of the month
	words    int      // months of the period
	minutes  []int32
	sessions []int32
}

// dayCount gives the credited days of user i.
func (u *use) dayCount(i int) int {
	n := 0
	for _, w := range u.days[i*u.words : (i+1)*u.words] {
		n += bits.OnesCount32(w)
	}
	return n
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
	out := use{words: u.words}
	for i, person := range u.at {
		if keep(person) {
			out.add(person, u.days[i*u.words:(i+1)*u.words], u.minutes[i], u.sessions[i])
		}
	}
	return &out
}

// credit adds to the last user, or begins the next: what was done in month k.
func (u *use) credit(person int32, k int, d did) {
	last := len(u.at) - 1
	if last < 0 || u.at[last] != person {
		last++
		u.at, u.minutes, u.sessions = append(u.at, person), append(u.minutes, 0), append(u.sessions, 0)
		for range u.words {
			u.days = append(u.days, 0)
		}
	}
	u.days[last*u.words+k] = d.days
	u.minutes[last] += d.minutes
	u.sessions[last] += d.sessions
}

func (u *use) add(person int32, days []uint32, minutes, sessions int32) {
	u.at = append(u.at, person)
	u.days = append(u.days, days...)
	u.minutes = append(u.minutes, minutes)
	u.sessions = append(u.sessions, sessions)
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
