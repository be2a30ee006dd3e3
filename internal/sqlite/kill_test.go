package sqlite_test

import (
	"bufio"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"testing"

	"rollcall"
	"rollcall/internal/test/storetest"
)

const (
	killEnv     = "ROLLCALL_SQLITE_KILL" // the store of a child process
	killFlushes = 12
)

// flush is the child's i-th flush.
func flush(i int) storetest.Facts {
	return storetest.Draw(rand.New(rand.NewPCG(7, uint64(i))), 12, 40, 400)
}

// TestKillChild is the process that TestKill kills: it merges for ever, and
// tells each step and each flush done.
func TestKillChild(t *testing.T) {
	path := os.Getenv(killEnv)
	if path == "" {
		t.Skip("runs as a child of TestKill")
	}
	s := openStore(t, path, 12)
	for i := 0; ; i++ {
		d := flush(i % killFlushes).Deltas()
		cells, diaries := d.Cells, d.Diaries
		d.Cells = func(yield func(rollcall.Cell, rollcall.CellState) bool) {
			cells(func(c rollcall.Cell, state rollcall.CellState) bool { fmt.Println("cell"); return yield(c, state) })
		}
		d.Diaries = func(yield func(rollcall.Diary, *rollcall.Minutes) bool) {
			diaries(yield)
			fmt.Println("diaries")
		}
		mergeDeltas(t, s, d)
		fmt.Println("done", i%killFlushes)
	}
}

// TestKill kills a merging process with SIGKILL again and again: each flush
// that it said was done is there, and the whole is what an undisturbed run has.
func TestKill(t *testing.T) {
	path := newPath(t)
	rng := rand.New(rand.NewPCG(8, 8))
	for round := range 8 {
		done := killAfter(t, path, 1+rng.IntN(150))
		s := openStore(t, path, 12)
		before := storetest.Dump(t, s)
		for _, i := range done {
			mergeDeltas(t, s, flush(i).Deltas())
		}
		storetest.RequireSame(t, storetest.Dump(t, s), before)
		if err := s.Close(); err != nil {
			t.Fatalf("round %d: %v", round, err)
		}
	}
	s, alone := openStore(t, path, 12), openStore(t, newPath(t), 12)
	for i := range killFlushes {
		mergeDeltas(t, s, flush(i).Deltas())
		mergeDeltas(t, alone, flush(i).Deltas())
	}
	storetest.RequireSame(t, storetest.Dump(t, s), storetest.Dump(t, alone))
	requireIntact(t, path)
}

// killAfter runs the child until it has told so many steps, kills it, and
// gives the flushes that it said were done.
func killAfter(t *testing.T, path string, steps int) (done []int) {
	t.Helper()
	child := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestKillChild$")
	child.Env = append(os.Environ(), killEnv+"="+path)
	child.Stderr = os.Stderr
	out, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	told := 0
	for lines := bufio.NewScanner(out); lines.Scan(); told++ {
		var i int
		if n, _ := fmt.Sscanf(lines.Text(), "done %d", &i); n == 1 {
			done = append(done, i)
		}
		if told == steps {
			if err := child.Process.Kill(); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := child.Wait(); err == nil || told < steps {
		t.Fatalf("the child ended by itself after %d steps of %d: %v", told, steps, err)
	}
	return done
}

func requireIntact(t *testing.T, path string) {
	t.Helper()
	db := openFile(t, path)
	var verdict string
	if err := db.QueryRow(`PRAGMA integrity_check`).Scan(&verdict); err != nil || verdict != "ok" {
		t.Errorf("integrity check: %q, %v", verdict, err)
	}
}
