package embedded

import (
	"context"
	"fmt"
	"log/slog"
	"sync/atomic"

	"github.com/twmb/franz-go/pkg/kfake"
)

// brokerLog passes kfake's log on. It is where corruption shows, and nowhere
// else, so warnings are counted: they make a stop or a start unclean.
type brokerLog struct {
	log      *slog.Logger
	warnings atomic.Int32
}

// Logf takes one line.
func (l *brokerLog) Logf(level kfake.LogLevel, format string, args ...any) {
	levels := map[kfake.LogLevel]slog.Level{
		kfake.LogLevelError: slog.LevelError, kfake.LogLevelWarn: slog.LevelWarn, kfake.LogLevelInfo: slog.LevelDebug,
	}
	to, ok := levels[level]
	if !ok {
		return // one line a request
	}
	if to >= slog.LevelWarn {
		l.warnings.Add(1)
	}
	if ctx := context.Background(); l.log.Enabled(ctx, to) {
		l.log.Log(ctx, to, "embedded broker: "+fmt.Sprintf(format, args...))
	}
}
