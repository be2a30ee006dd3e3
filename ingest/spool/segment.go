package spool

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"iter"
	"os"
	"path/filepath"

	"rollcall"
	"rollcall/internal/arrowipc"
	"rollcall/internal/jsondepth"
)

// A segment is a file of the spool: the 8 bytes "RCSPOOL1", then frames. A
// frame is
//
//	kind    1 byte   1 events, 2 events of a backfill, 3 refused inputs
//	length  4 bytes  of the payload, little endian; at most 80 MiB
//	sum     4 bytes  CRC-32C of kind and payload, little endian
//	payload          of 1 and 2 an Arrow IPC stream (package arrowipc),
//	                 of 3 a JSON array of rollcall.Rejected
//
// A file that ends in the middle of a frame, or with a wrong sum, was being
// written when its process died: that frame was never acknowledged.
const (
	magic      = "RCSPOOL1"
	suffix     = ".spool"
	headSize   = 9
	maxPayload = 80 << 20
	frameCut   = 1 << 20 // where a frame of events is cut
)

type frameKind byte

const (
	frameEvents frameKind = iota + 1
	frameBackfill
	frameRejected
)

// frame is one piece of a segment; end is the file's offset after it.
type frame struct {
	kind    frameKind
	payload []byte
	end     int64
}

func (f *frame) size() int64 { return int64(headSize + len(f.payload)) }

// table is Castagnoli's.
func (f *frame) sum() uint32 {
	table := crc32.MakeTable(crc32.Castagnoli)
	return crc32.Update(crc32.Checksum([]byte{byte(f.kind)}, table), table, f.payload)
}

func (f *frame) append(b []byte) []byte {
	b = append(b, byte(f.kind))
	b = binary.LittleEndian.AppendUint32(b, uint32(len(f.payload)))
	b = binary.LittleEndian.AppendUint32(b, f.sum())
	return append(b, f.payload...)
}

// errTorn says that a file has no whole frame where one should be.
var errTorn = errors.New("is not whole")

// readFrame reads a frame of what is left in the file; io.EOF where nothing is.
func readFrame(r io.Reader, left int64) (f frame, err error) {
	var head [headSize]byte
	if left < headSize {
		if left > 0 {
			return f, fmt.Errorf("%w: %d bytes are left", errTorn, left)
		}
		return f, io.EOF
	}
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return f, fmt.Errorf("read a frame: %w", err)
	}
	n := int64(binary.LittleEndian.Uint32(head[1:]))
	f.kind = frameKind(head[0])
	switch {
	case f.kind < frameEvents || f.kind > frameRejected:
		return f, fmt.Errorf("%w: kind %d is none", errTorn, head[0])
	case n > maxPayload || n > left-headSize:
		return f, fmt.Errorf("%w: a payload of %d bytes with %d left", errTorn, n, left-headSize)
	}
	f.payload = make([]byte, n)
	if _, err := io.ReadFull(r, f.payload); err != nil {
		return f, fmt.Errorf("read a frame: %w", err)
	}
	if f.sum() != binary.LittleEndian.Uint32(head[5:]) {
		return f, fmt.Errorf("%w: the sum is wrong", errTorn)
	}
	return f, nil
}

// eventFrames encodes events.
func eventFrames(kind frameKind, events *rollcall.Batch) (frames []frame, err error) {
	enc := arrowipc.NewEncoder()
	for i := 0; i < events.Len(); {
		i = enc.AddRows(events, i, frameCut)
		stream, err := enc.Stream()
		if err != nil {
			return nil, err
		}
		frames = append(frames, frame{kind: kind, payload: stream})
	}
	return frames, nil
}

// rejectedFrames encodes refused inputs.
func rejectedFrames(rejected []rollcall.Rejected) ([]frame, error) {
	text, err := json.Marshal(rejected)
	return []frame{{kind: frameRejected, payload: text}}, err
}

func (f *frame) rejected() (list []rollcall.Rejected, err error) {
	err = jsondepth.Unmarshal(f.payload, &list)
	return list, err
}

func (f *frame) events() (*rollcall.Batch, error) {
	var (
		batch rollcall.Batch
		dec   = arrowipc.NewDecoder()
		bad   error
	)
	if err := dec.Open(f.payload); err != nil {
		return nil, err
	}
	sink := arrowipc.Sink{
		Code: func(g *rollcall.Group) (uint32, error) {
			batch.Groups = append(batch.Groups, *g)
			return uint32(len(batch.Groups) - 1), nil
		},
		Bad: func(line int, _ arrowipc.Row, err error) { bad = fmt.Errorf("row %d: %w", line, err) },
	}
	for {
		if _, err := dec.Read(&batch, 1<<16, sink); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return nil, err
		}
	}
	return &batch, bad
}

// segment is one file. Its file is nil once nothing more is written to it.
type segment struct {
	path   string
	file   *os.File
	size   int64 // of what is whole
	sent   int64 // everything before is in the log
	broken bool  // what follows size is not certain
}

func createSegment(path string) (*segment, error) {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return nil, err
	}
	g := &segment{path: path, file: f}
	if err = g.write([]byte(magic)); err == nil {
		err = syncFolder(filepath.Dir(path))
	}
	if err != nil {
		return nil, errors.Join(err, f.Close(), os.Remove(path))
	}
	return g, nil
}

// syncFolder brings a new file's name to the disk.
func syncFolder(dir string) error {
	folder, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(folder.Sync(), folder.Close())
}

// append brings frames to the disk.
func (g *segment) append(frames []frame) error {
	var b []byte
	for i := range frames {
		b = frames[i].append(b)
	}
	return g.write(b)
}

// write appends and syncs. What failed half way is cut off again; where that
// fails too, or the sync did, the file takes nothing more.
func (g *segment) write(b []byte) error {
	_, err := g.file.WriteAt(b, g.size)
	if err == nil {
		if err = g.file.Sync(); err == nil {
			g.size += int64(len(b))
			return nil
		}
		g.broken = true
	}
	if cut := g.file.Truncate(g.size); cut != nil {
		g.broken = true
		err = errors.Join(err, cut)
	}
	return err
}

// seal ends the writing.
func (g *segment) seal() error {
	if g.file == nil {
		return nil
	}
	err := g.file.Close()
	g.file = nil
	return err
}

// frames reads what was not sent yet. An error ends it, and what follows is
// not whole.
func (g *segment) frames() iter.Seq2[frame, error] {
	return func(yield func(frame, error) bool) {
		f, err := os.Open(g.path)
		if err != nil {
			yield(frame{}, err)
			return
		}
		defer f.Close()
		for at := max(g.sent, int64(len(magic))); ; {
			if at == int64(len(magic)) {
				if err := checkMagic(f); err != nil {
					yield(frame{}, err)
					return
				}
			}
			part, err := readFrame(io.NewSectionReader(f, at, g.size-at), g.size-at)
			if err == io.EOF { // not wrapped
				return
			}
			at += part.size()
			part.end = at
			if !yield(part, err) || err != nil {
				return
			}
		}
	}
}

func checkMagic(f io.ReaderAt) error {
	var b [len(magic)]byte
	if n, err := f.ReadAt(b[:], 0); err != nil && !errors.Is(err, io.EOF) {
		return err
	} else if string(b[:n]) != magic {
		return fmt.Errorf("%w: does not begin as a file of the spool", errTorn)
	}
	return nil
}
