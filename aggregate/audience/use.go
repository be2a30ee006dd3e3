package audience

import "math/bits"

// Usage is what people did with a set of services, at a set of places, in a
// period: one entry a user.
type Usage struct {
	At       []int32  // positions, ascending
	days     []uint32 // credited days: words to a user, a bit a day of the month
	words    int      // months of the period
	Minutes  []int32
	Sessions []int32
}

// DayCount gives the credited days of user i.
func (u *Usage) DayCount(i int) int {
	n := 0
	for _, w := range u.days[i*u.words : (i+1)*u.words] {
		n += bits.OnesCount32(w)
	}
	return n
}

// firstDay gives the first credited day of user i: a bit of the period.
func (u *Usage) firstDay(i int) (word, bit int) {
	for w, days := range u.days[i*u.words : (i+1)*u.words] {
		if days != 0 {
			return w, bits.TrailingZeros32(days)
		}
	}
	return u.words, 0
}

// where gives the users that in says yes to.
func (u *Usage) where(in func(person int32) bool) *Usage {
	out := Usage{words: u.words}
	for i, person := range u.At {
		if in(person) {
			out.add(person, u.days[i*u.words:(i+1)*u.words], u.Minutes[i], u.Sessions[i])
		}
	}
	return &out
}

// credit adds to the last user, or begins the next: what was done in month k.
func (u *Usage) credit(person int32, k int, d did) {
	last := len(u.At) - 1
	if last < 0 || u.At[last] != person {
		last++
		u.At, u.Minutes, u.Sessions = append(u.At, person), append(u.Minutes, 0), append(u.Sessions, 0)
		for range u.words {
			u.days = append(u.days, 0)
		}
	}
	u.days[last*u.words+k] = d.days
	u.Minutes[last] += d.minutes
	u.Sessions[last] += d.sessions
}

func (u *Usage) add(person int32, days []uint32, minutes, sessions int32) {
	u.At = append(u.At, person)
	u.days = append(u.days, days...)
	u.Minutes = append(u.Minutes, minutes)
	u.Sessions = append(u.Sessions, sessions)
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
