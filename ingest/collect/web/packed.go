package web

import (
	"errors"
	"io"

	"rollcall"
	"rollcall/internal/gunzip"
)

// packed is a compressed body. It tells a fault of the compression, which is
// the sender's and an Invalid, from a fault of reading what was sent.
type packed struct {
	encoding string
	sent     source
	z        io.ReadCloser
}

// source remembers how reading what was sent ended.
type source struct {
	io.Reader
	err error
}

// Read reads on, and keeps an error other than the end.
func (s *source) Read(b []byte) (int, error) {
	n, err := s.Reader.Read(b)
	if err != nil && !errors.Is(err, io.EOF) {
		s.err = err
	}
	return n, err
}

// Read gives decompressed bytes.
func (p *packed) Read(b []byte) (int, error) {
	n, err := p.z.Read(b)
	if err == nil || err == io.EOF { // nothing wraps the end here
		return n, err
	}
	return n, p.fault(err)
}

// Close frees the decompressor.
func (p *packed) Close() error { return p.z.Close() }

func (p *packed) fault(err error) error {
	if p.sent.err != nil {
		return p.sent.err
	}
	reason := "is broken: " + err.Error()
	if behind := (*gunzip.Behind)(nil); errors.As(err, &behind) {
		reason = behind.Error()
	} else if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		reason = "is cut short"
	}
	return &rollcall.Invalid{Field: p.encoding, Reason: reason, Code: p.encoding}
}
