package clickhouse

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"

	ch "github.com/ClickHouse/clickhouse-go/v2"

	"rollcall"
)

// The codes of ClickHouse's errors that are told apart.
const (
	unknownUser          = 192
	wrongPassword        = 193
	requiredPassword     = 194
	addressNotAllowed    = 195
	notEnoughSpace       = 243
	tooManyParts         = 252
	databaseAccessDenied = 291
	authenticationFailed = 516 // by a server of this decade, which says no more
)

// What no waiting mends: the server is another, or wants somebody else.
var (
	errLogin = errors.New("ClickHouse refuses the login")
	errTrust = errors.New("no TLS with ClickHouse")
)

// hopeless is an ErrInvalid for who opens a store: the settings are wrong.
// While a store is in use it is not, since whoever asks for a report then gave
// none of them.
type hopeless struct{ error }

func (h hopeless) Unwrap() error        { return h.error }
func (h hopeless) Is(target error) bool { return target == rollcall.ErrInvalid }

// opening gives an error its kind for who opens a store.
func opening(err error) error {
	if errors.Is(err, errLogin) || errors.Is(err, errTrust) {
		return hopeless{err}
	}
	return err
}

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
	case distrusted(err):
		return fmt.Errorf("%w: %w", errTrust, err)
	case errors.Is(err, errSilent):
		return errSilent
	case errors.As(err, &broken), errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, ch.ErrAcquireConnTimeout):
		return fmt.Errorf("ClickHouse is %w: %w", rollcall.ErrAway, err)
	}
	return err
}

// distrusted reports that a TLS handshake failed for what one side thought of
// the other, not for a connection that broke.
func distrusted(err error) bool {
	var unknown *tls.CertificateVerificationError
	var noTLS tls.RecordHeaderError
	var broken *net.OpError
	return errors.As(err, &unknown) || errors.As(err, &noTLS) || errors.As(err, &broken) && broken.Op == "remote error"
}

func refusal(e *ch.Exception, err error) error {
	plain := &oneLine{err}
	switch e.Code {
	case notEnoughSpace:
		return fmt.Errorf("%w: no space left on the store's disk (%w)", rollcall.ErrFull, plain)
	case tooManyParts:
		return fmt.Errorf("%w: the store's merges are behind (%w)", rollcall.ErrFull, plain)
	case unknownUser, wrongPassword, requiredPassword, addressNotAllowed, databaseAccessDenied, authenticationFailed:
		return fmt.Errorf("%w: %w", errLogin, plain)
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
