package clickhouse

import (
	"bytes"
	"context"
	"log/slog"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
)

// beats is a server that answers each question in turn as it says, and then
// always well.
type beats struct {
	driver.Conn
	answers []error
}

func (b *beats) Ping(context.Context) (err error) {
	if len(b.answers) > 0 {
		err, b.answers = b.answers[0], b.answers[1:]
	}
	return err
}

// TestHungThenStarted has a server that hangs and is started anew, and refuses
// connections meanwhile: that it hangs is said once, and that it answers again.
func TestHungThenStarted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		s := &database{pulse: newPulse(false), log: slog.New(slog.NewTextHandler(&out, nil))}
		hangs, refuses := context.DeadlineExceeded, syscall.ECONNREFUSED
		s.asks = []probe{{"ch:9000", &beats{answers: []error{nil, hangs, hangs, refuses, refuses}}}}
		ctx, stop := context.WithTimeout(t.Context(), 10*time.Second)
		defer stop()
		s.Watch(ctx)
		said := out.String()
		for _, once := range []string{"ClickHouse does not answer", "ClickHouse answers again"} {
			if n := strings.Count(said, once); n != 1 {
				t.Errorf("%q is said %d times, want once:\n%s", once, n, said)
			}
		}
		if err := s.Answers(); err != nil {
			t.Errorf("the server answers, and this is said: %v", err)
		}
	})
}
