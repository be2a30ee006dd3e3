//go:build !linux

package meter

import (
	"context"
	"errors"
	"fmt"

	"rollcall/ingest"
)

// Listen reads a live interface; only Linux has the packet socket that it
// needs. Elsewhere capture to a file and Read it.
func Listen(_ context.Context, device string, _ Install, _ func(ingest.Sighting) error) (Stats, error) {
	return Stats{}, fmt.Errorf("listen on %q: %w: packets are captured on Linux only", device, errors.ErrUnsupported)
}
