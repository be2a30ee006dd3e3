package file

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"iter"
	"math"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/ipc"
	"github.com/apache/arrow/go/v15/arrow/memory"

	"rollcall/internal/arrowipc"
)

// records are record batches of one schema, each valid until the next step.
type records = iter.Seq2[arrow.Record, error]

// The Arrow file format is its stream format between magic words, with a
// footer after it that isn't needed to read it from its beginning: the footer,
// its length as int32 LE, and the first six bytes of the magic.
const (
	arrowMagic = "ARROW1\x00\x00"
	trailer    = 4 + len("ARROW1")
)

// records of Arrow's stream or file format. Some writers leave out the stream's
// end mark before a footer; then only the footer's own length tells its end.
// Inside a packing, where that can't be looked up, the mark must be there.
func (s *source) arrow() records {
	return func(yield func(arrow.Record, error) bool) {
		br := bufio.NewReaderSize(unpacking{s}, 64<<10)
		m := &messages{r: br, memory: newLimited(maxBody)}
		if b, err := br.Peek(len(arrowMagic)); err == nil && string(b) == arrowMagic {
			_, _ = br.Discard(len(arrowMagic)) // what was peeked at is there
			m.r = io.LimitReader(br, s.beforeFooter()-int64(len(arrowMagic)))
		}
		stream, err := newStream(m)
		for err == nil && next(stream, m, &err) {
			if !yield(stream.Record(), nil) {
				return
			}
		}
		if err != nil {
			yield(nil, err)
		}
	}
}

// beforeFooter gives where the footer of a file in Arrow's file format begins;
// the most there is where that is not known.
func (s *source) beforeFooter() int64 {
	var end [trailer]byte
	if _, err := s.File.ReadAt(end[:], s.size-int64(trailer)); err != nil || s.packing != "" || string(end[4:]) != arrowMagic[:6] {
		return math.MaxInt64
	}
	return s.size - int64(trailer) - int64(binary.LittleEndian.Uint32(end[:]))
}

func newStream(m *messages) (stream *ipc.Reader, err error) {
	defer recovered(&err, "Arrow")
	stream, err = ipc.NewReaderFromMessageReader(m, ipc.WithAllocator(m.memory))
	return stream, m.fault(err)
}

func next(stream *ipc.Reader, m *messages, err *error) (ok bool) {
	defer recovered(err, "Arrow")
	m.memory.renew()
	ok = stream.Next()
	*err = m.fault(stream.Err())
	return ok && *err == nil
}

// recovered makes a fault of the Arrow library's panic over a broken file.
func recovered(err *error, format string) {
	if p := recover(); p != nil {
		*err = fault(fmt.Sprintf("is not readable as %s: %v", format, p))
	}
}

// messages cuts a stream into its messages, as ipc.NewMessageReader does, but
// takes memory for no more than a message may claim: other bytes than Arrow's,
// read as a length, are huge. Each is looked at before the library sees it.
type messages struct {
	r      io.Reader
	memory *limited
	err    error // of reading, other than the end
	any    bool  // a message was read
}

const (
	maxMetadata = 16 << 20
	maxBody     = 1 << 30
)

// Message reads the next message; io.EOF after the last.
func (m *messages) Message() (*ipc.Message, error) {
	meta, err := m.metadata()
	if err != nil {
		return nil, err
	}
	none := memory.NewBufferBytes(nil)
	size := ipc.NewMessage(memory.NewBufferBytes(meta), none).BodyLen()
	if size < 0 || size > maxBody {
		return nil, fmt.Errorf("a record batch of %d bytes; the most is 1 GiB", size)
	}
	body, err := m.body(int(size))
	if err != nil {
		return nil, err
	}
	if err := arrowipc.CheckMessage(meta, body, maxBody); err != nil {
		return nil, err
	}
	m.any = true
	return ipc.NewMessage(memory.NewBufferBytes(meta), memory.NewBufferBytes(body)), nil
}

func (m *messages) metadata() ([]byte, error) {
	var word [4]byte
	if n, err := io.ReadFull(m.r, word[:]); n == 0 && err == io.EOF {
		return nil, m.end()
	} else if err != nil {
		return nil, m.failed(err)
	}
	size := binary.LittleEndian.Uint32(word[:])
	if size == 0xffffffff {
		if err := m.full(word[:]); err != nil {
			return nil, err
		}
		size = binary.LittleEndian.Uint32(word[:])
	}
	switch {
	case size == 0:
		return nil, io.EOF
	case size > maxMetadata:
		return nil, errors.New("a message claims more than 16 MiB of metadata")
	}
	meta := make([]byte, size)
	return meta, m.full(meta)
}

// end: a stream may end without its end mark, but not without a schema.
func (m *messages) end() error {
	if m.any {
		return io.EOF
	}
	return m.failed(io.ErrUnexpectedEOF)
}

// body reads so many bytes. It takes memory for what comes, not for what was
// claimed.
func (m *messages) body(size int) ([]byte, error) {
	const piece = 8 << 20
	var body []byte
	for len(body) < size {
		next := min(size-len(body), max(piece, len(body)))
		body = append(body, make([]byte, next)...)
		if err := m.full(body[len(body)-next:]); err != nil {
			return nil, err
		}
	}
	return body, nil
}

func (m *messages) full(b []byte) error {
	_, err := io.ReadFull(m.r, b)
	if err == io.EOF {
		err = io.ErrUnexpectedEOF
	}
	return m.failed(err)
}

func (m *messages) failed(err error) error {
	m.err = err
	return err
}

// fault gives an error of the library the project's form.
func (m *messages) fault(err error) error {
	switch {
	case err == nil:
		return nil
	case m.err == io.ErrUnexpectedEOF: // ReadFull's own: a packing's fault is another
		return damage("is cut short, or is not Arrow")
	case m.err != nil:
		return m.err
	}
	return fault("is not readable as Arrow: " + err.Error())
}

// Retain does nothing: messages are the collector's.
func (m *messages) Retain() {}

// Release does nothing, as Retain.
func (m *messages) Release() {}
