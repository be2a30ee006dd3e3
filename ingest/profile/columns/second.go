package columns

import (
	"errors"
	"fmt"
)

// Second is what is known of the columns of a second file, which is joined.
type Second struct{ absent }

// NewSecond begins to look at the rows of a second file, called as it is told, that are
// found by a key.
func NewSecond(of, key string, without []string, uses []Use) *Second {
	return &Second{absent{
		Table: &Table{Without: without}, of: of, lacks: lacks(uses),
		gate: lacks([]Use{{Name: "key", Columns: []string{key}, Field: true}}),
	}}
}

// Next takes the next row.
func (s *Second) Next(row *Row) {
	if row.Header == nil {
		s.look(row)
		s.gate = row.without(s.gate)
		return
	}
	if s.rows++; !same(row.Header, s.header) {
		s.header, s.gate = row.Header, nil // without the key it would be no header
		s.named("the header", row.Header)
	}
}

// Unfit is an error where no row has the column by which rows are found, or one by
// which a rule drops that was asked for.
func (s *Second) Unfit() error {
	if s.rows == 0 {
		return nil
	}
	for _, l := range s.gate {
		return fmt.Errorf("%s: %s, by which its rows are found: rename it, or give a file that has it", s.of, s.missed(l))
	}
	if text := s.undropped(); text != "" {
		return errors.New(text)
	}
	return nil
}

// Rowless is an error where a rule that was asked for reads the file, and it has no row.
func (s *Second) Rowless(rule, name string) error {
	if s.rows > 0 {
		return nil
	}
	return fmt.Errorf("%s, which was asked for, reads %s, and %s has no row of it: give a file that has, or leave the rule out", rule, name, s.of)
}

// Warnings says what is warned of.
func (s *Second) Warnings() []string {
	if s.rows == 0 {
		return []string{s.of + ": has no row: the profile's rules that read it drop nobody"}
	}
	said := s.warnings(false)
	for i := range said {
		said[i] = s.of + ": " + said[i]
	}
	return said
}
