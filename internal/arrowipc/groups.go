package arrowipc

import (
	"math"
	"slices"
	"strings"

	"rollcall"

	"github.com/apache/arrow/go/v15/arrow/array"
)

// groups finds the group of a row without looking at its strings: the row's
// places in the columns' dictionaries are combined into one number, and a table
// (or a map, where the dictionaries are large) gives what the number means.
type groups struct {
	known   []group          // every group of the stream so far
	byCombo []int32          // of a combination: 1 + the place in known of the last group seen of it
	large   map[uint64]int32 // the same, where byCombo would have more than maxCombos
	byKey   map[comboKey]int32
	combo   []uint64 // of the rows being read
	plain   [texts]interned
	short   []squeeze
	size    uint64 // how many combinations there can be
	code    func(*rollcall.Group) (uint32, error)
	reads   int // counts Reads: a group's code is good for one
}

// group is one group of the stream: how to write its rows down, and either its
// code in the batch or why it has none.
type group struct {
	row   Row
	key   uint64
	combo uint64
	read  int // the Read that code and err are of
	code  uint32
	err   error
}

// squeeze gives combinations of the columns before one a place each, in the order
// that they were met: with all columns, their numbers would not fit in 64 bits.
type squeeze struct {
	column int // the first that is not in them
	values []uint64
	places map[uint64]uint64
}

type comboKey struct{ combo, key uint64 }

// interned gives the values of a column without a dictionary their places.
type interned struct {
	places map[string]uint64
	values []string
}

const maxCombos = 1 << 16

func newGroups() groups {
	g := groups{large: make(map[uint64]int32), byKey: make(map[comboKey]int32)}
	for i := range g.plain {
		g.plain[i].places = make(map[string]uint64)
	}
	return g
}

// begin starts a Read, whose codes are given by code.
func (gs *groups) begin(code func(*rollcall.Group) (uint32, error)) {
	gs.code = code
	gs.reads++
}

// forget begins another record batch: its dictionaries may be others.
func (gs *groups) forget() {
	clear(gs.byCombo)
	clear(gs.large)
	clear(gs.byKey)
	gs.known = gs.known[:0]
	gs.size = 0
	gs.short = gs.short[:0]
	for i := range gs.plain {
		clear(gs.plain[i].places)
		gs.plain[i].values = gs.plain[i].values[:0]
	}
}

func (gs *groups) reset() {
	gs.forget()
	if len(gs.combo) > maxCombos {
		gs.combo = nil
	}
	if cap(gs.known) > maxValues { // a stream of many groups: give the memory back
		plain := newGroups()
		plain.reads = gs.reads
		*gs = plain
	}
}

// combine gives each of the rows [from, to) its combination: mixed-radix
// digits, one for each text column. A column of n values has n+1 digits; the
// last stands for null.
func (gs *groups) combine(c *columns, from, to int) error {
	if cap(gs.combo) < to-from {
		gs.combo = make([]uint64, to-from)
	}
	gs.combo = gs.combo[:to-from]
	clear(gs.combo)
	size := uint64(1)
	for i := range c.text {
		t := &c.text[i]
		radix := uint64(maxValues + 1)
		if !t.plain {
			radix = t.radix()
		}
		if size > math.MaxUint64/radix {
			if err := gs.squeeze(i); err != nil {
				return err
			}
			size = MaxGroups
		}
		if err := gs.addDigit(t, i, from, radix); err != nil {
			return err
		}
		size *= radix
	}
	if gs.size = size; size <= maxCombos && uint64(len(gs.byCombo)) < size {
		gs.byCombo = make([]int32, maxCombos)
	}
	return nil
}

// squeeze puts the places of the combinations of the columns before one in their
// stead.
func (gs *groups) squeeze(column int) error {
	at := slices.IndexFunc(gs.short, func(s squeeze) bool { return s.column == column })
	if at < 0 {
		at = len(gs.short)
		gs.short = append(gs.short, squeeze{column: column, places: make(map[uint64]uint64)})
	}
	s := &gs.short[at]
	for i, combo := range gs.combo {
		place, ok := s.places[combo]
		if !ok {
			if place = uint64(len(s.values)); place == MaxGroups {
				return beyond("has more than %d different groups of events", MaxGroups)
			}
			s.places[combo] = place
			s.values = append(s.values, combo)
		}
		gs.combo[i] = place
	}
	return nil
}

func (t *text) radix() uint64 {
	if t.index == nil {
		return 1
	}
	return uint64(t.values.Len()) + 1
}

func (gs *groups) addDigit(t *text, column, from int, radix uint64) error {
	if t.index == nil {
		return nil
	}
	if t.plain {
		return gs.plain[column].addDigits(gs.combo, t, from)
	}
	switch a := t.index.(type) {
	case *array.Int8:
		return addDigits(gs.combo, a.Int8Values()[from:], t, from, radix)
	case *array.Uint8:
		return addDigits(gs.combo, a.Uint8Values()[from:], t, from, radix)
	case *array.Int16:
		return addDigits(gs.combo, a.Int16Values()[from:], t, from, radix)
	case *array.Uint16:
		return addDigits(gs.combo, a.Uint16Values()[from:], t, from, radix)
	case *array.Int32:
		return addDigits(gs.combo, a.Int32Values()[from:], t, from, radix)
	case *array.Uint32:
		return addDigits(gs.combo, a.Uint32Values()[from:], t, from, radix)
	case *array.Int64:
		return addDigits(gs.combo, a.Int64Values()[from:], t, from, radix)
	case *array.Uint64:
		return addDigits(gs.combo, a.Uint64Values()[from:], t, from, radix)
	}
	return malformed("column %s has indexes of type %s", t.name, t.index.DataType())
}

type index interface {
	int8 | uint8 | int16 | uint16 | int32 | uint32 | int64 | uint64
}

// addDigits adds a dictionary column's digit to every row.
func addDigits[T index](combo []uint64, values []T, t *text, from int, radix uint64) error {
	null := radix - 1
	values = values[:len(combo)]
	if len(t.valid.bits) == 0 && len(t.known.bits) == 0 {
		for i, v := range values {
			digit := uint64(v) // a negative one is larger than any radix
			if digit >= null {
				return malformed("column %s has the index %d of %d values", t.name, v, null)
			}
			combo[i] = combo[i]*radix + digit
		}
		return nil
	}
	for i, v := range values {
		digit := uint64(v)
		switch {
		case t.valid.null(from + i):
			digit = null
		case digit >= null:
			return malformed("column %s has the index %d of %d values", t.name, v, null)
		case t.known.null(int(digit)):
			digit = null
		}
		combo[i] = combo[i]*radix + digit
	}
	return nil
}

// addDigits adds a plain column's digit to every row. Runs of one value are
// common, so the last one is compared first.
func (in *interned) addDigits(combo []uint64, t *text, from int) error {
	const radix = maxValues + 1
	last, digit := "", uint64(maxValues)
	for i := range combo {
		if t.valid.null(from + i) {
			combo[i] = combo[i]*radix + maxValues
			continue
		}
		if v := t.values.Value(from + i); v != last || digit == maxValues {
			var ok bool
			if digit, ok = in.place(v); !ok {
				return tooMany(t.name)
			}
			last = v
		}
		combo[i] = combo[i]*radix + digit
	}
	return nil
}

func (in *interned) place(v string) (uint64, bool) {
	digit, ok := in.places[v]
	if ok {
		return digit, true
	}
	if len(in.values) == maxValues {
		return 0, false
	}
	v = strings.Clone(v)
	digit = uint64(len(in.values))
	in.places[v] = digit
	in.values = append(in.values, v)
	return digit, true
}

// find gives the group of row i, whose combination is the n-th.
func (gs *groups) find(c *columns, i, n int) (*group, error) {
	combo, key := gs.combo[n], c.key.values[i]
	var place int32
	if gs.size <= maxCombos {
		place = gs.byCombo[combo]
	} else {
		place = gs.large[combo]
	}
	if place == 0 || gs.known[place-1].key != key {
		var err error
		if place, err = gs.findKey(c, combo, key); err != nil {
			return nil, err
		}
	}
	g := &gs.known[place-1]
	if g.read != gs.reads || c.key.valid.null(i) {
		gs.resolve(g, c.key.valid.null(i))
	}
	return g, nil
}

// findKey finds or makes the group of a combination and a key, and has the
// combination remember it.
func (gs *groups) findKey(c *columns, combo, key uint64) (int32, error) {
	place, ok := gs.byKey[comboKey{combo, key}]
	if !ok {
		if len(gs.known) == MaxGroups {
			return 0, beyond("has more than %d different groups of events", MaxGroups)
		}
		gs.known = append(gs.known, group{row: gs.rowOf(c, combo), key: key, combo: combo})
		place = int32(len(gs.known))
		gs.byKey[comboKey{combo, key}] = place
	}
	if gs.size <= maxCombos {
		gs.byCombo[combo] = place
	} else {
		gs.large[combo] = place
	}
	return place, nil
}

// rowOf reads a combination back into strings of its own.
func (gs *groups) rowOf(c *columns, combo uint64) Row {
	var v [texts]string
	for i := texts - 1; i >= 0; i-- {
		t := &c.text[i]
		radix := uint64(maxValues + 1)
		if !t.plain {
			radix = t.radix()
		}
		digit := combo % radix
		combo /= radix
		switch {
		case digit == radix-1: // null, or no column
		case t.plain:
			v[i] = gs.plain[i].values[digit]
		default:
			v[i] = strings.Clone(t.values.Value(int(digit)))
		}
		for _, s := range gs.short {
			if s.column == i {
				combo = s.values[combo]
			}
		}
	}
	return Row{Market: v[market], Service: v[service], Location: v[location], Kind: v[kind], Panel: v[panel], Platform: v[platform], Segment: v[segment], Precision: v[precision]}
}

// resolve gives the group its code, or why it has none.
func (gs *groups) resolve(g *group, noKey bool) {
	g.read = gs.reads
	if noKey {
		g.read = 0 // the next row may have a key
		g.err = missing("key")
		return
	}
	var rg rollcall.Group
	if rg, g.err = g.row.group(); g.err != nil {
		return
	}
	rg.Key = rollcall.KeyID(g.key)
	g.code, g.err = gs.code(&rg)
}
