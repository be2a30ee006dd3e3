// Package gunzip unpacks gzip, and tells bytes that follow its end from a file that is
// cut short.
package gunzip

import (
	"bufio"
	"bytes"
	"fmt"
	"io"

	"github.com/klauspost/compress/gzip"
)

// Behind is the fault of gzip that other bytes follow. All that it has was read.
type Behind struct {
	At int64 // the first of the bytes, counted from 0
}

// Error says where.
func (b *Behind) Error() string {
	return fmt.Sprintf("has other bytes after the end of its gzip, from byte %d on", b.At)
}

// Reader gives the texts of all the members of a gzip file (RFC 1952, section 2.2), one
// after the other. It ends in io.EOF, a *Behind, io.ErrUnexpectedEOF where the file is
// cut short, or what else reading and unpacking may end in.
type Reader struct {
	read   counted
	packed *bufio.Reader // of read
	z      *gzip.Reader
	err    error // that it ended in
}

// NewReader reads the head of the first member. Where there is no byte at all the error is
// io.EOF.
func NewReader(r io.Reader) (*Reader, error) {
	u := &Reader{read: counted{Reader: r}}
	u.packed = bufio.NewReader(&u.read)
	z, err := gzip.NewReader(u.packed)
	if err != nil {
		return nil, err
	}
	u.z = z
	u.z.Multistream(false)
	return u, nil
}

// Read gives unpacked bytes.
func (u *Reader) Read(b []byte) (n int, err error) {
	for n == 0 && u.err == nil && len(b) > 0 {
		n, u.err = u.z.Read(b)
		if u.err == io.EOF { // nothing wraps the end of a member
			u.err = u.next()
		}
	}
	if n > 0 {
		return n, nil
	}
	return 0, u.err
}

// magic begins a member.
var magic = [2]byte{0x1f, 0x8b}

// next begins the next member, if one follows.
func (u *Reader) next() error {
	head, err := u.packed.Peek(len(magic))
	switch {
	case err != nil && (err != io.EOF || len(head) == 0): // nothing wraps the end here
		return err
	case !bytes.HasPrefix(magic[:], head):
		return &Behind{At: u.read.n - int64(u.packed.Buffered())}
	}
	if err := u.z.Reset(u.packed); err != nil {
		return err
	}
	u.z.Multistream(false)
	return nil
}

// Close frees nothing: it is there for an io.ReadCloser.
func (u *Reader) Close() error { return nil }

// counted counts what was read.
type counted struct {
	io.Reader
	n int64
}

// Read reads on.
func (c *counted) Read(b []byte) (int, error) {
	n, err := c.Reader.Read(b)
	c.n += int64(n)
	return n, err
}
