package export

import (
	"errors"
	"io"

	"github.com/apache/arrow/go/v15/arrow/ipc"
)

// writeArrow writes an Arrow IPC file (Feather, version 2), uncompressed, so that
// it can be mapped. The library wants to seek; it only ever asks where it is.
func writeArrow(w io.Writer, f *flat) error {
	out, err := ipc.NewFileWriter(&place{w: w}, ipc.WithSchema(f.record.Schema()))
	if err != nil {
		return err
	}
	return errors.Join(out.Write(f.record), out.Close())
}

// place counts the bytes written and can't go back.
type place struct {
	w  io.Writer
	at int64
}

func (p *place) Write(b []byte) (int, error) {
	n, err := p.w.Write(b)
	p.at += int64(n)
	return n, err
}

func (p *place) Seek(offset int64, whence int) (int64, error) {
	if offset != 0 || whence != io.SeekCurrent {
		return 0, errors.New("an Arrow file is written from its beginning to its end")
	}
	return p.at, nil
}
