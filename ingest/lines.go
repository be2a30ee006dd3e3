package ingest

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"rollcall"
)

// Lines carries NDJSON, or one JSON array of events (an element a line), to
// the intake. Blank lines are passed over. What was read before a read error is
// kept; an unfinished last line after one is not taken for an event.
func Lines(ctx context.Context, in *Intake, r io.Reader) error {
	br := bufio.NewReaderSize(r, 64<<10)
	if isArray(br) {
		return elements(ctx, in, br)
	}
	for line := 1; ; line++ {
		text, whole, err := readLine(br)
		if err != nil && !errors.Is(err, io.EOF) {
			return errors.Join(fmt.Errorf("line %d: %w", line, err), in.Flush(ctx))
		}
		if failed := takeLine(ctx, in, line, text, whole); failed != nil {
			return failed
		}
		if err != nil {
			return in.Flush(ctx)
		}
	}
}

func takeLine(ctx context.Context, in *Intake, line int, text []byte, whole bool) error {
	if !whole {
		return in.Refuse(ctx, line, &rollcall.Invalid{Field: "line", Reason: "is longer than 1 MiB", Code: "line_too_long"}, text)
	}
	if len(text) == 0 {
		return nil
	}
	return in.Line(ctx, line, text)
}

// readLine gives the next line, trimmed. Of a line over MaxLine it gives the
// beginning, and whole is false.
func readLine(br *bufio.Reader) (text []byte, whole bool, err error) {
	text, err = br.ReadSlice('\n')
	if !errors.Is(err, bufio.ErrBufferFull) {
		return bytes.TrimSpace(text), true, err
	}
	long, whole := append([]byte(nil), text...), true
	for errors.Is(err, bufio.ErrBufferFull) {
		text, err = br.ReadSlice('\n')
		if room := MaxLine - len(long); len(text) > room {
			text, whole = text[:room], false
		}
		long = append(long, text...)
	}
	return bytes.TrimSpace(long), whole, err
}

// isArray looks past leading space for "[", without taking anything.
func isArray(br *bufio.Reader) bool {
	for n := 1; n <= br.Size(); n++ {
		b, err := br.Peek(n)
		if err != nil {
			return false
		}
		switch b[n-1] {
		case ' ', '\t', '\r', '\n':
			continue
		}
		return b[n-1] == '['
	}
	return false
}

// elements carries a JSON array, an element a line. A fault of the array's own
// syntax ends it: what follows can't be told apart.
func elements(ctx context.Context, in *Intake, r io.Reader) error {
	dec := json.NewDecoder(r)
	if _, err := dec.Token(); err != nil {
		return fmt.Errorf("array: %w", err)
	}
	line := 1
	for ; dec.More(); line++ {
		var element json.RawMessage
		if err := dec.Decode(&element); err != nil {
			return errors.Join(arrayFault(line), in.Flush(ctx))
		}
		if err := takeLine(ctx, in, line, element, len(element) <= MaxLine); err != nil {
			return err
		}
	}
	if _, err := dec.Token(); err != nil {
		return errors.Join(arrayFault(line), in.Flush(ctx))
	}
	return in.Flush(ctx)
}

func arrayFault(element int) error {
	return fmt.Errorf("element %d: %w", element, &rollcall.Invalid{Field: "array", Reason: "is broken here; the elements before were taken", Code: "json"})
}
