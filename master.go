package rollcall

import (
	"cmp"
	"fmt"
	"slices"
	"time"
)

// Master is a master key of the pseudonyms, as the store knows it: by its hash.
type Master struct {
	ID   KeyID     `json:"id"`
	From Day       `json:"from,omitzero"`  // the first day whose accounts it hides; 0: of every day
	Lost bool      `json:"lost,omitempty"` // those before it are lost
	Time time.Time `json:"time"`
}

// InForce gives the masters by their first days. Of several from one day the
// one that was recorded first counts, and the others never do.
func InForce(all []Master) []Master {
	all = slices.Clone(all)
	slices.SortFunc(all, func(a, b Master) int {
		return cmp.Or(cmp.Compare(a.From, b.From), a.Time.Compare(b.Time), cmp.Compare(a.ID, b.ID))
	})
	return slices.CompactFunc(all, func(a, b Master) bool { return a.From == b.From })
}

// Needed gives the masters in force that are not lost: the last one that was
// made for a loss, and those after it.
func Needed(all []Master) []Master {
	all = InForce(all)
	for i := len(all) - 1; i > 0; i-- {
		if all[i].Lost {
			return all[i:]
		}
	}
	return all
}

// KeyChange is a day from which on accounts, or panelists, have other
// pseudonyms than before: nobody can be matched over its midnight.
type KeyChange struct {
	Day Day
	Why string // a short clause, such as "a new year"
}

// KeyChanges gives the days after first, up to last, from which on accounts have
// other pseudonyms: every New Year, and every rotation of the master key.
func KeyChanges(all []Master, first, last Day) (changes []KeyChange) {
	for year, _, _ := first.Date(); ; year++ {
		day := DayOf(year+1, time.January, 1)
		if day > last {
			break
		}
		changes = append(changes, KeyChange{day, "a new year"})
	}
	for _, m := range InForce(all) {
		if first < m.From && m.From <= last {
			changes = append(changes, KeyChange{m.From, "a new master key"})
		}
	}
	slices.SortStableFunc(changes, func(a, b KeyChange) int { return cmp.Compare(a.Day, b.Day) })
	return slices.CompactFunc(changes, func(a, b KeyChange) bool { return a.Day == b.Day })
}

// PanelKeyChange gives the day within the month, after its first, from which on
// panelists have other pseudonyms: a rotation leaves them as they are, unless
// the master key was lost.
func PanelKeyChange(all []Master, month Month) (change KeyChange, found bool) {
	for _, m := range InForce(all) {
		if m.Lost && month.First() < m.From && m.From <= month.Last() {
			return KeyChange{m.From, "the master key before was lost"}, true
		}
	}
	return change, false
}

// String gives "2003-01-01 (a new year)".
func (c KeyChange) String() string { return fmt.Sprintf("%s (%s)", c.Day, c.Why) }

// Pseudonym is what somebody is known by from a day on.
type Pseudonym struct {
	From    Day // 0: of every day
	Visitor Visitor
	Key     KeyID
	Lost    bool // the key is lost: what it would be is not known
}

// PseudonymOf gives the one that counts on a day; false where none does.
func PseudonymOf(all []Pseudonym, day Day) (p Pseudonym, ok bool) {
	for _, of := range all {
		if of.From <= day {
			p, ok = of, true
		}
	}
	return p, ok
}

// MasterState is a master key as a process finds it.
type MasterState struct {
	ID    string     `json:"id" doc:"a hash of the key, 16 hexadecimal digits"`
	From  string     `json:"from,omitempty" doc:"the first day whose accounts it hides; absent: of every day"`
	Until string     `json:"until,omitempty" doc:"the first day of the next one; absent: there is none"`
	Made  time.Time  `json:"made" doc:"when the store was told of it"`
	State MasterWord `json:"state" enum:"past,in force,to come,lost,missing" doc:"lost: nobody can be matched with those of its days any more; missing: it is not in this process's key file"`
}

// MasterWord says in a word what a master key is now.
type MasterWord string

// The states of a master key.
const (
	MasterPast    MasterWord = "past"
	MasterInForce MasterWord = "in force"
	MasterToCome  MasterWord = "to come"
	MasterLost    MasterWord = "lost"
	MasterMissing MasterWord = "missing"
)

// Rotation is what came of a rotation of the master key.
type Rotation struct {
	ID    string   `json:"id" doc:"of the new master key, 16 hexadecimal digits"`
	From  string   `json:"from" doc:"the first day that it is for"`
	File  string   `json:"file" doc:"where the new master key is"`
	Notes []string `json:"notes" doc:"what is to be done now, and what can no longer be joined"`
}
