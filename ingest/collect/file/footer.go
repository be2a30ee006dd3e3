package file

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"strings"
)

// Bounds of a Parquet file's footer. A table of a hundred columns and some
// hundred row groups is far below them.
const (
	maxFooter  = 16 << 20
	maxItems   = 1 << 20 // of all its lists
	maxSchema  = 10_000  // elements: the library calls itself for each level
	maxNesting = 16      // of structs and lists; the format has 7
)

// checkFooter looks at a Parquet file's footer before the library does: it
// takes memory for as many elements as a list or a group claims to have, and
// follows a schema however deep it is.
//
// The file ends in the footer, its length as uint32 LE, and "PAR1". The footer
// is a FileMetaData of parquet.thrift in Thrift's compact protocol.
func checkFooter(r io.ReaderAt, size int64) error {
	const end = 4 + len("PAR1")
	var tail [end]byte
	if size < int64(end+len("PAR1")) {
		return tooShort(r, size)
	}
	if _, err := r.ReadAt(tail[:], size-int64(end)); err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	if string(tail[4:]) != "PAR1" {
		return notParquet(r)
	}
	length := int64(binary.LittleEndian.Uint32(tail[:]))
	if length > size-int64(end+len("PAR1")) {
		return damage(fmt.Sprintf("is cut short or broken: it says that its footer has %d bytes, and has %d", length, size))
	}
	if length > maxFooter {
		return fault(fmt.Sprintf("has a Parquet footer of %d MiB; the most is %d", length>>20, maxFooter>>20))
	}
	footer := make([]byte, length)
	if _, err := r.ReadAt(footer, size-int64(end)-length); err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	return checkMetaData(footer)
}

// tooShort says what a file is that is shorter than any Parquet file.
func tooShort(r io.ReaderAt, size int64) error {
	first := make([]byte, min(size, int64(len("PAR1"))))
	if _, err := r.ReadAt(first, 0); err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	if !strings.HasPrefix("PAR1", string(first)) {
		return fault("is not readable as Parquet: it does not begin so")
	}
	return damage(fmt.Sprintf("is cut short: it begins as Parquet, and has %d bytes", size))
}

// notParquet says what a file is that does not end as Parquet.
func notParquet(r io.ReaderAt) error {
	var first [len("PAR1")]byte
	if _, err := r.ReadAt(first[:], 0); err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	switch string(first[:]) {
	case "PAR1":
		return damage("is cut short: it begins as Parquet, and does not end so")
	case "PARE":
		return fault("is encrypted Parquet, which is not read; decrypt it first")
	}
	return fault("is not readable as Parquet: it does not begin so")
}

// checkMetaData looks at a FileMetaData: its field 2 is the list of the schema's
// elements, and an element's field 5 the number of its children.
func checkMetaData(footer []byte) error {
	const schemaField, childrenField = 2, 5
	elements := 0
	t := &thrift{rest: footer}
	t.list = func(at place, n int) error {
		if at.depth != 0 || at.field != schemaField {
			return nil
		}
		elements = n
		if n > maxSchema {
			return fault(fmt.Sprintf("has a Parquet schema of %d elements; the most is %d", n, maxSchema))
		}
		return nil
	}
	t.number = func(at place, n int64) error {
		if at.depth == 2 && at.outer == schemaField && at.field == childrenField && (n < 0 || n > int64(elements)) {
			return fault(fmt.Sprintf("has a Parquet column of %d children in a schema of %d", n, elements))
		}
		return nil
	}
	return t.fields(0, 0)
}

// thrift reads over a struct in the compact protocol, and tells what it comes by.
type thrift struct {
	rest   []byte
	items  int // of all lists
	list   func(at place, n int) error
	number func(at place, n int64) error
	flag   func(at place, set bool)
}

// place is where a field is: how deep, of the struct that is in which field of
// the one around it (0: the outermost), and its own number.
type place struct {
	depth        int // a list counts too
	outer, field int64
}

// Types of the compact protocol.
const (
	thriftTrue   = 1
	thriftFalse  = 2
	thriftByte   = 3
	thriftI16    = 4
	thriftI32    = 5
	thriftI64    = 6
	thriftDouble = 7
	thriftBinary = 8
	thriftList   = 9
	thriftSet    = 10
	thriftStruct = 12
)

var errFooter = damage("is not readable as Parquet: its footer, or the head of a page, is cut short or broken")

// fields reads a struct's fields up to its stop.
func (t *thrift) fields(outer int64, depth int) error {
	at := place{depth: depth, outer: outer}
	for {
		head, err := t.take(1)
		if err != nil || head[0] == 0 {
			return err
		}
		if delta := int64(head[0] >> 4); delta != 0 {
			at.field += delta
		} else if at.field, err = t.signed(); err != nil {
			return err
		}
		kind := head[0] & 0x0f
		if kind == thriftTrue || kind == thriftFalse { // the type is the value
			if t.flag != nil {
				t.flag(at, kind == thriftTrue)
			}
			continue
		}
		if err := t.value(kind, at); err != nil {
			return err
		}
	}
}

// value reads a value of any type. The format has no maps.
func (t *thrift) value(kind byte, at place) error {
	if at.depth > maxNesting {
		return fault(fmt.Sprintf("has a Parquet footer nested more than %d deep", maxNesting))
	}
	switch kind {
	case thriftTrue, thriftFalse, thriftByte:
		_, err := t.take(1)
		return err
	case thriftI16, thriftI32, thriftI64:
		n, err := t.signed()
		if err != nil || t.number == nil {
			return err
		}
		return t.number(at, n)
	case thriftDouble:
		_, err := t.take(8)
		return err
	case thriftBinary:
		n, err := t.unsigned()
		if err == nil {
			_, err = t.take(n)
		}
		return err
	case thriftList, thriftSet:
		return t.elements(at)
	case thriftStruct:
		return t.fields(at.field, at.depth+1)
	}
	return errFooter
}

// elements reads a list. No element is shorter than a byte.
func (t *thrift) elements(at place) error {
	head, err := t.take(1)
	if err != nil {
		return err
	}
	size := uint64(head[0] >> 4)
	if size == 15 {
		if size, err = t.unsigned(); err != nil {
			return err
		}
	}
	if size > uint64(len(t.rest)) {
		return errFooter
	}
	if t.items += int(size); t.items > maxItems {
		return fault(fmt.Sprintf("has more than %d elements of lists in its Parquet footer", maxItems))
	}
	if t.list != nil {
		if err := t.list(at, int(size)); err != nil {
			return err
		}
	}
	of := place{depth: at.depth + 1, outer: at.outer, field: at.field}
	for range size {
		if err := t.value(head[0]&0x0f, of); err != nil {
			return err
		}
	}
	return nil
}

func (t *thrift) take(n uint64) ([]byte, error) {
	if n > uint64(len(t.rest)) {
		return nil, errFooter
	}
	taken := t.rest[:n]
	t.rest = t.rest[n:]
	return taken, nil
}

func (t *thrift) unsigned() (uint64, error) {
	v, n := binary.Uvarint(t.rest)
	if n <= 0 {
		return 0, errFooter
	}
	t.rest = t.rest[n:]
	return v, nil
}

func (t *thrift) signed() (int64, error) {
	v, n := binary.Varint(t.rest)
	if n <= 0 {
		return 0, errFooter
	}
	t.rest = t.rest[n:]
	return v, nil
}
