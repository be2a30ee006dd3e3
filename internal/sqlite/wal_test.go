package sqlite

import (
	"iter"
	"math/rand/v2"
	"os"
	"testing"

	"rollcall"
	"rollcall/internal/test/storetest"
)

// TestLogIsBounded merges under readers of whom one is always there: SQLite's
// log does not grow for ever.
func TestLogIsBounded(t *testing.T) {
	s := openInside(t)
	s.logBytes = 6 << 20
	rng := rand.New(rand.NewPCG(31, 32))
	if err := s.Merge(t.Context(), storetest.Draw(rng, 12, 0, 50).Deltas()); err != nil {
		t.Fatal(err)
	}
	done, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		stop := func() {}
		for {
			next, last := iter.Pull2(s.Diaries(t.Context(), rollcall.DiaryQuery{Market: "FR", Panel: "nn", To: 100000}))
			if _, err, ok := next(); !ok || err != nil {
				t.Error("no diary", err)
			}
			stop() // the one before
			stop = last
			select {
			case <-done:
				stop()
				return
			default:
			}
		}
	}()
	longest := int64(0)
	for day := range rollcall.Day(10) {
		facts := storetest.Draw(rng, 12, 800, 0)
		for i := range facts.Cells { // none is written twice
			facts.Cells[i].Day, facts.Cells[i].Key = 20000+day, rollcall.KeyID(i)
		}
		if err := s.Merge(t.Context(), facts.Deltas()); err != nil {
			t.Fatal(err)
		}
		info, err := os.Stat(s.path + "-wal")
		if err != nil {
			t.Fatal(err)
		}
		longest = max(longest, info.Size())
	}
	close(done)
	<-ended
	if longest > 12<<20 {
		t.Errorf("the log became %d MiB long", longest>>20)
	}
}
