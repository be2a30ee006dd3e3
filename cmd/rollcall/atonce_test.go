package main

import (
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"rollcall/api/access"
)

// together runs a command so many times at once and gives what each printed.
func together(t *testing.T, n int, args func(i int) []string) []string {
	t.Helper()
	printed := make([]string, n)
	var all sync.WaitGroup
	for i := range n {
		all.Go(func() {
			out, err := exec.Command(itself, args(i)...).CombinedOutput()
			if err != nil {
				t.Errorf("%v: %v\n%s", args(i), err, out)
			}
			printed[i] = string(out)
		})
	}
	all.Wait()
	return printed
}

// TestCommandsAtOnce: short commands wait for each other's folder.
func TestCommandsAtOnce(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "d")
	together(t, 4, func(i int) []string {
		return []string{"market", "add", fmt.Sprintf("M%d", i), "--zone", "Europe/Paris", "--data", dir}
	})
	out, err := exec.Command(itself, "market", "list", "--data", dir).Output()
	if err != nil || strings.Count(string(out), "Europe/Paris") != 4 {
		t.Errorf("four markets were added at once, and there are:\n%s%v", out, err)
	}
}

// TestTokensAtOnce: each key that was printed is in the file.
func TestTokensAtOnce(t *testing.T) {
	path := filepath.Join(t.TempDir(), "tokens")
	keys := together(t, 8, func(i int) []string {
		return []string{"token", "new", "--name", fmt.Sprint(i), "--role", "read", "--tokens", path}
	})
	ring, err := access.OpenKeyring(path)
	if err != nil {
		t.Fatal(err)
	}
	tokens, err := ring.Tokens()
	if err != nil || len(tokens) != len(keys) {
		t.Errorf("%d keys were printed, %d are known: %v", len(keys), len(tokens), err)
	}
}

// TestTokensOfManyAtOnce is the same within one process, more closely packed.
func TestTokensOfManyAtOnce(t *testing.T) {
	const n = 50
	path := filepath.Join(t.TempDir(), "tokens")
	var all sync.WaitGroup
	for i := range n {
		all.Go(func() {
			if _, _, err := access.NewToken(path, access.Token{Name: fmt.Sprint("one of many ", i), Role: access.RoleRead}, time.Unix(1e9, 0)); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	ring, err := access.OpenKeyring(path)
	if err != nil {
		t.Fatal(err)
	}
	tokens, err := ring.Tokens()
	if err != nil || len(tokens) != n {
		t.Errorf("%d of %d keys are known: %v", len(tokens), n, err)
	}
}
