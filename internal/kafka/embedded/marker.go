package embedded

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// takeMarker removes the marker of a clean stop and reports whether it was
// there. A log that does not exist yet was stopped cleanly.
func (b *Broker) takeMarker() (clean bool, err error) {
	err = os.Remove(filepath.Join(b.dir, cleanMarker))
	switch {
	case err == nil:
		return true, syncDir(b.dir)
	case !errors.Is(err, fs.ErrNotExist):
		return false, fmt.Errorf("take the marker of a clean stop: %w", err)
	}
	_, err = os.Stat(filepath.Join(b.dir, "kafka", "meta.json"))
	return errors.Is(err, fs.ErrNotExist), nil
}

func (b *Broker) putMarker() error {
	if err := os.WriteFile(filepath.Join(b.dir, cleanMarker), nil, 0o600); err != nil {
		return fmt.Errorf("embedded: mark a clean stop: %w", err)
	}
	return syncDir(b.dir)
}

// forgetMembers removes what kfake keeps of group members over a stop. None of
// them is alive, and a start would wait until their sessions end.
func forgetMembers(data string) error {
	if err := os.Remove(filepath.Join(data, "session_state.json")); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("forget group members: %w", err)
	}
	return nil
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return fmt.Errorf("embedded: sync %s: %w", dir, err)
	}
	defer d.Close()
	if err := d.Sync(); err != nil {
		return fmt.Errorf("embedded: sync %s: %w", dir, err)
	}
	return nil
}

// segmentBases reads the offsets from names such as 4711.dat.
func segmentBases(entries []fs.DirEntry) []int64 {
	var bases []int64
	for _, e := range entries {
		name, ok := strings.CutSuffix(e.Name(), ".dat")
		if !ok {
			continue
		}
		if base, err := strconv.ParseInt(name, 10, 64); err == nil {
			bases = append(bases, base)
		}
	}
	slices.Sort(bases)
	return bases
}
