package arrowipc

import (
	"testing"

	"github.com/apache/arrow/go/v15/arrow/ipc"
)

// TestReaderLetsGo: what a stream took that unpacks far is let go at its end, also
// where the reading ends early, and not when the next one begins.
func TestReaderLetsGo(t *testing.T) {
	var r Reader
	stream := bomb(t, 1<<19, ipc.WithZstd())
	for _, early := range []bool{false, true} {
		most := 0
		for _, err := range r.Records(stream) {
			most = max(most, r.arena.used)
			if err != nil {
				t.Fatal(err)
			}
			if early {
				break
			}
		}
		if most <= mostHeld {
			t.Fatalf("the stream took %d bytes: nothing is tested", most)
		}
		if held := max(cap(r.arena.first), cap(r.arena.chunk)); held > mostHeld || r.arena.used != 0 {
			t.Errorf("early %v: after the end %d bytes are held, %d in use", early, held, r.arena.used)
		}
	}
}
