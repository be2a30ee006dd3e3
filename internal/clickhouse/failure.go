package clickhouse

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"

	ch "github.com/ClickHouse/clickhouse-go/v2"

	"rollcall"
)

// The codes of ClickHouse's errors that are kinds of the root.
const (
	notEnoughSpace = 243
	tooManyParts   = 252
)

// failure gives ClickHouse's errors the kinds of the root and one plain line,
// and an ended context its own error.
func failure(ctx context.Context, err error) error {
	var refused *ch.Exception
	var broken *net.OpError
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return ctx.Err()
	case errors.As(err, &refused):
		return refusal(refused, err)
	case errors.As(err, &broken), errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return fmt.Errorf("ClickHouse is away: %w", err)
	}
	return err
}

func refusal(e *ch.Exception, err error) error {
	plain := &oneLine{err}
	switch e.Code {
	case notEnoughSpace:
		return fmt.Errorf("%w: no space left on the store's disk (%w)", rollcall.ErrFull, plain)
	case tooManyParts:
		return fmt.Errorf("%w: the store's merges are behind (%w)", rollcall.ErrFull, plain)
	}
	return plain
}

// oneLine is an error of the server's without its line ends, cut to a readable
// length.
type oneLine struct{ err error }

// Error gives the one line.
func (e *oneLine) Error() string {
	const most = 500
	text := strings.Join(strings.Fields(e.err.Error()), " ")
	if len(text) > most {
		text = strings.ToValidUTF8(text[:most], "") + "..."
	}
	return text
}

// Unwrap gives the error itself.
func (e *oneLine) Unwrap() error { return e.err }
