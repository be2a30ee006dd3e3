package meter

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"syscall"
	"testing"
	"time"

	"rollcall"
	"rollcall/ingest"
	"rollcall/ingest/collect/meter/wire"
)

// The refused login of the recording, said again over the loopback interface,
// is seen live. It takes the right to open a packet socket.
func TestListen(t *testing.T) {
	refused := tapes(t, recorded(t, oscarRecording))[6]
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	done := make(chan struct{})
	go func() {
		defer close(done)
		for ctx.Err() == nil { // until Listen, which opens its socket when it likes, has heard it
			speak(t, ctx, refused)
		}
	}()
	var seen []ingest.Sighting
	_, err := Listen(ctx, "lo", atHome, func(s ingest.Sighting) error {
		seen = append(seen, s)
		cancel()
		return nil
	})
	cancel()
	<-done
	if errors.Is(err, syscall.EPERM) || err != nil && os.Geteuid() != 0 {
		t.Skipf("no right to open a packet socket: %v", err)
	}
	if err != nil || len(seen) == 0 || seen[0].Kind != rollcall.LoginFailed || seen[0].Account != "annpanel" {
		t.Errorf("%v\n%s", err, ndjson(seen))
	}
}

func TestListenNowhere(t *testing.T) {
	if _, err := Listen(t.Context(), "no such interface", atHome, nil); err == nil {
		t.Error("no error")
	}
}

// speak plays a tape between two sockets on loopback.
func speak(t *testing.T, ctx context.Context, p *tape) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Error(err)
		return
	}
	defer l.Close()
	var ends [2]net.Conn
	ends[wire.Client], err = (&net.Dialer{}).DialContext(ctx, "tcp", l.Addr().String())
	if err != nil {
		return // the test is over
	}
	defer ends[wire.Client].Close()
	ends[wire.Server], err = l.Accept()
	if err != nil {
		t.Error(err)
		return
	}
	defer ends[wire.Server].Close()
	for _, k := range p.chunks {
		if _, err := ends[k.side].Write(k.data); err != nil {
			t.Error(err)
			return
		}
		if _, err := io.ReadFull(ends[k.side.Other()], make([]byte, len(k.data))); err != nil {
			t.Error(err)
			return
		}
	}
}
